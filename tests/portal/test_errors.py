"""What goes wrong is told in words and a number; what went wrong inside is in the log, without anybody's data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from portal_bureau import Browser, Bureau, SignedInPeople, open_bureau
from starlette.requests import Request

from pipelines.findings import Wording
from pipelines.portal.access import Trouble, Visitor, allowed
from pipelines.portal.app import create_app
from pipelines.portal.pages import ROUTERS

CELL = "12,500,000 of 江汉示例软件"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """A bureau whose log is these tests' alone."""
    with open_bureau(tmp_path_factory.mktemp("errors")) as opened:
        yield opened


@pytest.fixture(scope="module")
def faulty(office: Bureau) -> FastAPI:
    """A portal with pages that break."""
    router = APIRouter()

    @router.get("/broken/{what}")
    def broken(request: Request, what: str, visitor: Visitor = Depends(allowed())) -> None:
        if what == "fault":
            raise ValueError(CELL)
        if what == "told":
            raise Trouble(409, Wording("他人刚刚改过。", "Somebody was faster."))
        raise Trouble(int(what))

    return create_app(office.settings, office.ledger, accounts=SignedInPeople(), routers=[*ROUTERS, router])


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429, 500, 503])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_error_is_told_in_the_visitors_language_with_what_to_do(
    faulty: FastAPI, status: int, language: str
) -> None:
    one = Browser(faulty, "clerk")
    one.client.cookies.set("servtrade_view", language)
    answer = one.get(f"/broken/{status}")
    assert answer.status_code == status
    words = faulty.state.frame.words
    for key in (f"errors.title_{status}", f"errors.help_{status}"):
        assert getattr(words.wording(key), language) in answer.text


def test_what_the_ledger_says_stands_on_the_page(faulty: FastAPI) -> None:
    answer = Browser(faulty, "clerk").get("/broken/told")
    assert answer.status_code == 409
    assert "他人刚刚改过。" in answer.text


def test_a_fault_of_ours_shows_no_detail_and_is_in_the_log_without_peoples_data(
    faulty: FastAPI, office: Bureau
) -> None:
    answer = Browser(faulty, "clerk").get("/broken/fault")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "ValueError" not in answer.text
    assert CELL not in answer.text
    log = (office.settings.data_dir / "logs" / "portal.jsonl").read_text(encoding="utf-8")
    assert CELL not in log
    [fault] = [entry for entry in map(json.loads, log.splitlines()) if entry["event"] == "fault"]
    assert fault["request_id"] == answer.headers["x-request-id"]
    assert fault["error"] == ["ValueError"]
    assert any(re.match(r"test_errors\.py:\d+ broken", frame) for frame in fault["where"])


def test_the_log_has_one_line_a_request_and_no_token_address_or_form_value(
    own_bureau: Bureau,
) -> None:
    app = create_app(own_bureau.settings, own_bureau.ledger, accounts=SignedInPeople())
    one = Browser(app, "clerk")
    token = one.token_of("/")
    one.post("/view", {"change": "en", "next": "/secret-next"}, token=token)
    one.get("/submissions/0123456789abcdef0123?name=张三")
    text = (own_bureau.settings.data_dir / "logs" / "portal.jsonl").read_text(encoding="utf-8")
    entries = [json.loads(line) for line in text.splitlines()]
    assert [(entry["method"], entry["route"], entry["status"]) for entry in entries] == [
        ("GET", "/", 200),
        ("POST", "/view", 303),
        ("GET", "/submissions/{submission_id}", 404),
    ]
    assert {entry["login"] for entry in entries} == {"li"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+08:00", entry["time"]) for entry in entries)
    for secret in (token, "secret-next", "张三", "0123456789abcdef0123"):
        assert secret not in text


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (
            {"csp-report": {"effective-directive": "script-src", "document-uri": "http://h/x?q=1"}},
            ("script-src", "/x"),
        ),
        (
            [
                {
                    "type": "csp-violation",
                    "body": {"effectiveDirective": "img-src", "documentURL": "http://h/y"},
                }
            ],
            ("img-src", "/y"),
        ),
    ],
)
def test_what_a_browser_reports_is_noted(office: Bureau, body: Any, kept: tuple[str, str]) -> None:
    app = create_app(office.settings, office.ledger, accounts=SignedInPeople())
    answer = Browser(app, "").client.post("/csp-report", content=json.dumps(body))
    assert answer.status_code == 204
    [report] = app.state.policy_reports
    assert (report.directive, report.page) == kept


@pytest.mark.parametrize("body", [b"", b"[[]]", b"{}", b"null", b"\xff", b"[" * 15_000, b'{"csp-report": 1}'])
def test_a_report_that_is_none_is_passed_over(browser: Callable[..., Any], app: FastAPI, body: bytes) -> None:
    assert browser("").client.post("/csp-report", content=body).status_code == 204


def test_a_report_longer_than_any_browser_writes_is_refused(browser: Callable[..., Any]) -> None:
    assert browser("").client.post("/csp-report", content=b"x" * 20_000).status_code == 413


def test_a_fault_in_the_page_of_a_fault_is_still_told_with_its_number_and_headers(
    faulty: FastAPI, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> str:
        raise RuntimeError("no template")

    monkeypatch.setattr(faulty.state.frame, "render", broken)
    answer = Browser(faulty, "clerk").get("/broken/fault")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    assert "RuntimeError" not in answer.text
    assert "RuntimeError" in caplog.text
