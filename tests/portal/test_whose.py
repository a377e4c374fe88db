"""Whose returns one may see: every role against every object, and no difference between "not there" and "not yours"."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import PEOPLE, Browser, Bureau, Filed

from pipelines.ledger.actors import Role

PAGES = ("", "/differences", "/original")

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


def test_the_district_of_the_month_decides_not_todays(own_bureau: Bureau, people: Any) -> None:
    from conftest import OUR_DISTRICT, OUR_NAME, OURS, THEIR_DISTRICT
    from filed_by_hand import Line, a_workbook

    from pipelines.ledger import RegisterRow
    from pipelines.periods import Month
    from pipelines.portal.app import create_app

    line = Line(export=1, export_ytd=1)
    before = own_bureau.file(a_workbook(OURS, "2020-01", [line], name=OUR_NAME))
    after = own_bureau.file(a_workbook(OURS, "2020-03", [line], name=OUR_NAME))
    own_bureau.ledger.import_register(
        [
            RegisterRow(OURS, OUR_NAME, OUR_DISTRICT, "6513", Month(2019, 1), Month(2020, 2)),
            RegisterRow(OURS, OUR_NAME, THEIR_DISTRICT, "6513", Month(2020, 3)),
        ]
    )
    app = create_app(own_bureau.settings, own_bureau.ledger, accounts=people)
    seen = {
        (person, one.period): Browser(app, person).get(f"/submissions/{one.submission_id}").status_code
        for person in ("our_district", "their_district")
        for one in (before, after)
    }
    assert seen == {
        ("our_district", "2020-01"): 200,
        ("our_district", "2020-03"): 404,
        ("their_district", "2020-01"): 404,
        ("their_district", "2020-03"): 200,
    }
