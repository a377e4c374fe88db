"""What goes wrong is told in words and a number; what went wrong inside is in the log, without anybody's data."""

from __future__ import annotations

import errno
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from portal_bureau import Browser, Bureau, SignedInPeople, open_bureau
from starlette.requests import Request

from pipelines.findings import Wording
from pipelines.ledger import LedgerUnusable
from pipelines.portal.access import Trouble, Visitor, allowed
from pipelines.portal.app import create_app
from pipelines.portal.journal import Journal
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


# -- a disk that is full ----------------------------------------------------------------------------------------

FULL = {"zh": "系统暂时不能保存", "en": "Nothing can be saved just now"}
LOST = {"zh": "没有收到，也没有保存", "en": "not received and not saved"}
WHERE = "账本 sqlite:////somewhere/ledger.sqlite：磁盘已满或有故障。"


def broken_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "/somewhere/originals")


def broken_ledger() -> None:
    raise LedgerUnusable(
        Wording(WHERE, "The ledger sqlite:////somewhere/ledger.sqlite: the disk is full or at fault."),
        Wording("请清理或检修磁盘后重试。", "Make room or mend the disk, then try again."),
    )


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("breaks", [broken_disk, broken_ledger])
def test_a_full_disk_is_told_in_words_and_nothing_is_said_to_be_kept(
    own_bureau: Bureau, monkeypatch: pytest.MonkeyPatch, breaks: Callable[[], None], language: str
) -> None:
    app = create_app(own_bureau.settings, own_bureau.ledger, accounts=SignedInPeople())
    clerk, reporter = Browser(app, "clerk"), Browser(app, "ours")
    tokens = {one: one.token_of("/") for one in (clerk, reporter)}

    def failing(*_: object, **__: object) -> None:
        breaks()

    monkeypatch.setattr(app.state.uploads, "take_in", failing)
    for one in (clerk, reporter):
        one.client.cookies.set("servtrade_view", language)
        answer = one.post("/uploads", token=tokens[one], files=[("files", ("a.xlsx", b"PK"))])
        assert answer.status_code == 503
        assert FULL[language] in answer.text
        assert LOST[language] in answer.text
        assert answer.headers["x-request-id"] in answer.text
        remedy = {"zh": "请清理或检修磁盘后重试", "en": "ake room or mend the disk"}[language]
        assert (remedy in answer.text) == (one is clerk), "who can mend it is told how"
        assert ("/somewhere" in answer.text) == (one is clerk and breaks is broken_ledger)
    log = (own_bureau.settings.data_dir / "logs" / "portal.jsonl").read_text(encoding="utf-8")
    faults = [entry for entry in map(json.loads, log.splitlines()) if entry["event"] == "fault"]
    assert len(faults) == 2


def test_another_fault_of_the_operating_system_is_a_fault_of_ours(
    own_bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(own_bureau.settings, own_bureau.ledger, accounts=SignedInPeople())
    clerk = Browser(app, "clerk")
    token = clerk.token_of("/")

    def failing(*_: object, **__: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file")

    monkeypatch.setattr(app.state.uploads, "take_in", failing)
    answer = clerk.post("/uploads", token=token, files=[("files", ("a.xlsx", b"PK"))])
    assert answer.status_code == 500


class _FullDisk(io.StringIO):
    """A file on a disk that takes nothing while it is full."""

    is_full = True

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)

    def close(self) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_that_cannot_be_written_stops_nobody_and_says_later_how_much_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal, disk = Journal(tmp_path), _FullDisk()
    journal._handler.stream = disk  # type: ignore[assignment]
    for _ in range(3):
        journal.note("something")
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert told.count("No space left on device") == 2, "once, in both languages"
    assert "portal.jsonl" in told
    disk.is_full = False
    journal.note("again")
    entries = [json.loads(line) for line in disk.getvalue().splitlines()]
    assert [entry["event"] for entry in entries] == ["again", "lines_lost"]
    assert entries[1]["count"] == 3
    disk.is_full = True
    journal.close()
    assert "Traceback" not in capsys.readouterr().err
