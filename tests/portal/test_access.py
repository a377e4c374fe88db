"""Who may: every route says so, nobody else gets in, and a form must come from a page of ours."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import APIRouter
from portal_bureau import PEOPLE, Browser, Bureau, Person, SignedInPeople

from pipelines.ledger.actors import Actor, Role
from pipelines.portal.access import (
    UndeclaredAccess,
    declared_access,
    local_path,
    routes_of,
)
from pipelines.portal.app import _own, create_app
from pipelines.portal.pages import ROUTERS

ROUTES = routes_of([_own, *ROUTERS])
# Open to who has not signed in: what signing in needs, and what shows nothing.
OPEN = {"/static/{digest}/{name:path}", "/healthz", "/csp-report", "/view"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{sorted(route.methods)[0]} {route.path}")
def test_every_route_declares_who_may(route: Any) -> None:
    [access] = declared_access(route)
    if access.roles is None:
        assert route.path in OPEN | {"/sign-in"} or route.path.startswith("/sign-in/")
    else:
        assert access.roles <= frozenset(Role)


def test_a_route_that_declares_nothing_keeps_the_portal_from_starting(bureau: Bureau) -> None:
    careless = APIRouter()
    careless.add_api_route("/everything", lambda: {"all": "figures"})
    with pytest.raises(UndeclaredAccess, match="/everything"):
        create_app(bureau.settings, bureau.ledger, accounts=SignedInPeople(), routers=[careless])


GUARDED = [route for route in ROUTES if declared_access(route)[0].roles is not None]
STRANGERS = [
    pytest.param(route, person, id=f"{person} {sorted(route.methods)[0]} {route.path}")
    for route in GUARDED
    for person in PEOPLE
    if not PEOPLE[person].actor.has(*(declared_access(route)[0].roles or ()))
]


@pytest.mark.parametrize(("route", "person"), STRANGERS)
def test_who_holds_none_of_a_routes_roles_is_refused_whatever_the_address_says(
    browser: Callable[..., Any], route: Any, person: str
) -> None:
    path = route.path
    for name in route.param_convertors:
        path = path.replace(f"{{{name}}}", "0" * 20).replace(f"{{{name}:path}}", "x")
    assert browser(person).client.request(sorted(route.methods)[0], path).status_code == 403


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{sorted(route.methods)[0]} {route.path}")
def test_who_has_not_signed_in_is_sent_to_do_so(browser: Callable[..., Any], route: Any) -> None:
    answer = browser("").client.request(
        sorted(route.methods)[0], route.path.replace("{", "").replace("}", "")
    )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_a_part_of_a_page_asked_for_after_the_session_ended_makes_the_whole_page_go(
    browser: Callable[..., Any],
) -> None:
    answer = browser("").get("/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"


def test_after_signing_in_one_comes_back_to_the_page_one_wanted(browser: Callable[..., Any]) -> None:
    answer = browser("").get("/submissions/0123456789abcdef0123?x=1")
    assert answer.headers["location"] == "/sign-in?next=/submissions/0123456789abcdef0123%3Fx%3D1"


NOT_RECEIVED = {"zh": "刚才提交的内容没有收到，也没有保存", "en": "was not received and not saved"}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("sent_to", "referer", "back"),
    [
        ("/uploads", "http://localhost/uploads", "/uploads"),
        ("/uploads", "", "/uploads"),
        ("/uploads", "http://localhost/", None),
        ("/zero-returns", "", None),
        ("/submissions/0123456789abcdef0123/explanations", "", "/submissions/0123456789abcdef0123"),
        (
            "/submissions/0123456789abcdef0123/explanations",
            "http://localhost/submissions/0123456789abcdef0123/explanations",
            "/submissions/0123456789abcdef0123",
        ),
        (
            "/submissions/0123456789abcdef0123/explanations",
            "http://localhost/submissions/0123456789abcdef0123?said=explained",
            "/submissions/0123456789abcdef0123",
        ),
        (
            "/reminders",
            "http://localhost/reminders?month=2020-03&said=reminded&district=420103",
            "/reminders?month=2020-03&district=420103",
        ),
        ("/uploads", "https://elsewhere.example/account", "/uploads"),
        ("/uploads", "http://localhost@elsewhere.example/account", "/uploads"),
        ("/uploads", "http://localhost//elsewhere.example", None),
        ("/uploads", "http://localhost/sign-in?next=/account", None),
    ],
)
def test_a_form_sent_after_the_session_ended_is_told_to_be_lost_and_leads_back_to_its_page(
    browser: Callable[..., Any], sent_to: str, referer: str, back: str | None, language: str
) -> None:
    stranger = browser("")
    stranger.client.cookies.set("servtrade_view", language)
    headers = {"Referer": referer} if referer else {}
    answer = stranger.post(sent_to, {"reason_1": "合同一次性结算。"}, token="0" * 64, headers=headers)
    assert answer.status_code == 303
    address = urlsplit(answer.headers["location"])
    assert (address.scheme, address.netloc, address.path) == ("", "", "/sign-in")
    query = parse_qs(address.query)
    assert query.get("next") == (None if back is None else [back])
    page = stranger.get(answer.headers["location"]).text
    told = re.search(r'<div class="notice notice-bad" role="alert">.*?</div>', page, flags=re.DOTALL)
    assert told
    assert NOT_RECEIVED[language] in told[0]
    assert f'name="next" value="{html.escape(back or "/")}"' in page


def test_a_form_sent_through_htmx_after_the_session_ended_makes_the_whole_page_go(
    browser: Callable[..., Any],
) -> None:
    answer = browser("").post("/uploads", token="0" * 64, headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in?said=not_received&next=/uploads"


def test_who_only_looks_or_signs_out_has_lost_nothing(browser: Callable[..., Any]) -> None:
    assert browser("").get("/uploads").headers["location"] == "/sign-in?next=/uploads"
    assert browser("").post("/sign-out", token="0" * 64).headers["location"] == "/sign-in"


def test_a_form_of_a_session_before_this_one_is_told_to_be_lost(browser: Callable[..., Any]) -> None:
    answer = browser("ours").post("/uploads", token="0" * 64)
    assert answer.status_code == 403
    assert NOT_RECEIVED["zh"] in answer.text


@pytest.mark.parametrize(
    ("duty", "path"),
    [
        ({"must_change_password": True}, "/account/password"),
        ({"must_enrol_second_factor": True}, "/account/second-factor"),
        ({"must_change_password": True, "must_enrol_second_factor": True}, "/account/password"),
    ],
    ids=str,
)
def test_a_newcomer_sees_nothing_before_password_and_second_factor_are_in_order(
    bureau: Bureau, duty: dict[str, bool], path: str
) -> None:
    people = SignedInPeople()
    people.people["new"] = Person(Actor("neu", frozenset({Role.CLERK})), "新人", **duty)
    one = Browser(create_app(bureau.settings, bureau.ledger, accounts=people), "new")
    for page in ("/", "/uploads"):
        answer = one.get(page)
        assert (answer.status_code, answer.headers["location"]) == (303, path)
    sent = one.client.post("/uploads", data={}, headers={"Sec-Fetch-Site": "same-origin"})
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?said=not_received_yet")


# -- forms ----------------------------------------------------------------------------------------------------


def test_a_form_with_its_token_from_a_page_of_ours_is_taken(browser: Callable[..., Any]) -> None:
    assert browser("clerk").post("/view", {"change": "en"}).status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "né", "x" * 10_000])
def test_a_form_without_the_sessions_token_is_refused(browser: Callable[..., Any], token: str) -> None:
    assert browser("clerk").post("/view", {"change": "en"}, token=token).status_code == 403


def test_the_token_of_one_session_is_of_no_use_in_another(browser: Callable[..., Any]) -> None:
    stolen = browser("ours").token_of("/")
    assert browser("theirs").post("/view", {"change": "en"}, token=stolen).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "http://localhost"},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_is_refused_even_with_the_token(
    browser: Callable[..., Any], headers: dict[str, str]
) -> None:
    assert browser("clerk").post("/view", {"change": "en"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost", 303),
        ("http://localhost.evil.example", 403),
        ("https://localhost", 403),
        ("null", 403),
    ],
)
def test_an_old_browser_is_judged_by_the_origin_it_names(
    browser: Callable[..., Any], origin: str, status: int
) -> None:
    one = browser("clerk")
    answer = one.client.post(
        "/view", data={"change": "en", "csrf_token": one.token_of("/")}, headers={"Origin": origin}
    )
    assert answer.status_code == status


def test_a_form_sent_as_json_is_refused(browser: Callable[..., Any]) -> None:
    one = browser("clerk")
    assert one.client.post("/view", json={"change": "en", "csrf_token": one.token_of("/")}).status_code == 403


def test_a_form_that_is_far_too_long_is_refused_before_it_is_read(browser: Callable[..., Any]) -> None:
    assert browser("clerk").post("/view", {"change": "en", "next": "x" * 400_000}).status_code == 413


def test_a_form_with_a_file_nobody_asked_for_is_refused(browser: Callable[..., Any]) -> None:
    answer = browser("clerk").post("/view", {"change": "en"}, files={"next": ("a.txt", b"x")})
    assert answer.status_code == 400


# -- where to next --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\n/evil.example",
        "http:evil.example",
        " //evil.example",
        "",
        "/" + "x" * 3_000,
        "///evil.example",
        "/\u3000/evil",
    ],
)
def test_no_address_leads_out_of_the_portal(browser: Callable[..., Any], text: str) -> None:
    assert local_path(text) is None
    answer = browser("clerk").post("/view", {"change": "en", "next": text[:1_999]})
    if answer.status_code == 303:
        assert answer.headers["location"] == "/" or text.startswith("/xxx")


def test_an_address_of_the_portal_is_gone_back_to(browser: Callable[..., Any]) -> None:
    answer = browser("clerk").post("/view", {"change": "en", "next": "/submissions/1?x=2"})
    assert answer.headers["location"] == "/submissions/1?x=2"
