"""Whose returns one may see: every role against every object, and no difference between "not there" and "not yours"."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from filed_by_hand import Line, a_workbook
from portal_bureau import PEOPLE, Browser, Bureau, Filed

from pipelines.ledger.actors import Role
from pipelines.portal.app import create_app

PAGES = ("", "/differences", "/original", "/annotated", "/values", "/receipt", "/receipt.pdf")

# Who sees what: our returns, theirs, and the file that nobody can say whose it is (handed in by our reporter).
SEES = {
    "ours": {"accepted", "queried", "rejected", "unreadable"},
    "theirs": {"theirs"},
    "clerk": {"accepted", "queried", "rejected", "unreadable", "theirs"},
    "analyst": {"accepted", "queried", "rejected", "unreadable", "theirs"},
    "our_district": {"accepted", "queried", "rejected"},
    "their_district": {"theirs"},
    "official": set[str](),
    "system_admin": set[str](),
    "security_admin": set[str](),
    "audit_admin": set[str](),
}
OBJECTS = ("accepted", "queried", "rejected", "unreadable", "theirs")


@pytest.mark.parametrize("what", OBJECTS)
@pytest.mark.parametrize("person", PEOPLE)
def test_a_return_is_seen_by_its_enterprise_its_district_and_the_bureau_only(
    browser: Callable[[str], Browser], filed: Filed, person: str, what: str
) -> None:
    submission_id = getattr(filed, what).submission_id
    answer = browser(person).get(f"/submissions/{submission_id}")
    has_role = PEOPLE[person].actor.has(Role.REPORTER, Role.CLERK, Role.ANALYST, Role.DISTRICT_REVIEWER)
    expected = 200 if what in SEES[person] else 404 if has_role else 403
    assert answer.status_code == expected


@pytest.mark.parametrize("suffix", PAGES)
@pytest.mark.parametrize("person", ["ours", "theirs", "our_district", "their_district"])
def test_what_is_not_ones_own_looks_like_what_is_not_there(
    browser: Callable[[str], Browser], filed: Filed, person: str, suffix: str
) -> None:
    one = browser(person)
    foreign = next(what for what in OBJECTS if what not in SEES[person])

    def told(submission_id: str) -> tuple[int, str]:
        answer = one.get(f"/submissions/{submission_id}{suffix}")
        text = answer.text.replace(submission_id, "")
        return answer.status_code, re.sub(r"[0-9a-f]{16}(?![0-9a-f])", "", text)

    assert told(getattr(filed, foreign).submission_id) == told("0" * 20)
    assert told(getattr(filed, foreign).submission_id)[0] == 404


@pytest.mark.parametrize(
    ("person", "what", "status"),
    [
        ("ours", "accepted", 200),
        ("ours", "unreadable", 200),
        ("ours", "theirs", 404),
        ("theirs", "theirs", 200),
        # Staff do not open what others filled in as it came.
        ("clerk", "accepted", 404),
        ("analyst", "theirs", 404),
        ("our_district", "accepted", 404),
    ],
)
def test_the_file_itself_goes_to_its_enterprise_and_to_who_handed_it_in(
    browser: Callable[[str], Browser], filed: Filed, person: str, what: str, status: int
) -> None:
    answer = browser(person).get(f"/submissions/{getattr(filed, what).submission_id}/original")
    assert answer.status_code == status


def test_a_download_is_in_the_audit_log(
    browser: Callable[[str], Browser], filed: Filed, bureau: Bureau
) -> None:
    submission_id = filed.accepted.submission_id
    browser("ours").get(f"/submissions/{submission_id}/original")
    entry = bureau.ledger.audit.trail("submission", submission_id)[-1]
    assert (entry.action, entry.actor, entry.new) == ("file.downloaded", "wang", {"copy": "original"})


def test_a_download_is_an_attachment_that_no_browser_shows(
    browser: Callable[[str], Browser], filed: Filed
) -> None:
    answer = browser("ours").get(f"/submissions/{filed.accepted.submission_id}/original")
    assert answer.headers["content-type"] == (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"2020_3_.xlsx\"; filename*=UTF-8''2020%E5%B9%B43%E6%9C%88.xlsx"
    )
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_a_file_that_is_no_workbook_is_given_back_as_bytes(
    browser: Callable[[str], Browser], filed: Filed
) -> None:
    answer = browser("ours").get(f"/submissions/{filed.unreadable.submission_id}/original")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.content == b"this is no workbook"


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "0" * 2_000,
        "'; drop table submission --",
        "null",
        "\u202e",
    ],
)
def test_no_name_of_a_return_reaches_anything_but_a_return(
    browser: Callable[[str], Browser], name: str
) -> None:
    for suffix in PAGES:
        assert browser("clerk").get(f"/submissions/{name}{suffix}").status_code == 404


@pytest.mark.parametrize("is_readable", [False, True], ids=["no workbook", "no code in it"])
def test_who_else_has_handed_in_nobodys_file_is_not_told_anywhere(
    own_bureau: Bureau, people: Any, is_readable: bool
) -> None:
    line = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)
    content = a_workbook("", "2020-01", [line], name="某公司") if is_readable else b"the same junk from two"
    own_bureau.file(content, by="zhao", name="赵强的文件.xlsx")
    both = own_bureau.file(content, by="wang", name="王芳的文件.xlsx")
    assert (both.received_by, both.file_name) == ("zhao", "赵强的文件.xlsx")
    app = create_app(own_bureau.settings, own_bureau.ledger, accounts=people)
    one = Browser(app, "ours")
    address = f"/submissions/{both.submission_id}"
    for path in ("/", "/submissions", address, *(f"{address}{suffix}" for suffix in PAGES if suffix)):
        answer = one.get(path)
        told = answer.text + unquote(answer.headers.get("content-disposition", ""))
        assert "赵强" not in told, path
        assert "zhao" not in told, path
    assert "王芳的文件.xlsx" in one.get("/submissions").text
    assert "王芳的文件.xlsx" in one.get("/").text
    assert "赵强的文件.xlsx" in Browser(app, "clerk").get("/submissions").text
