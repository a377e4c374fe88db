"""Questions that nobody means: months before and after everything, numbers without end, texts that go down for ever.

Each is answered as a mistake of whoever asks, never as a fault of ours.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from portal_bureau import OURS, Browser, Filed

Asking = Callable[[str], Browser]

MONTHS = ("2999-12", "1900-01", "0001-01", "2100-13", "9" * 5_000, "２０２０-01")
HUGE = "9" * 40
ENDLESS = "9" * 5_000


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize(
    "path",
    [
        "/board?month={}",
        "/board/workbook?month={}",
        "/templates?month={}",
        f"/templates/workbook?enterprise_code={OURS}&month={{}}",
        "/templates/all?month={}",
        "/reminders?month={}",
        "/reminders/letters.pdf?month={}",
        f"/reminders/{OURS}?month={{}}",
        "/review?month={}",
        "/submissions?month={}",
        "/enterprises?month={}",
        "/months/{}",
    ],
)
def test_a_month_that_nobody_collects_is_said_to_be_one(browser: Asking, path: str, month: str) -> None:
    answer = browser("clerk").get(path.format(month))
    assert answer.status_code in (400, 404)
    assert "2026-03" in answer.text, "how to write it"


@pytest.mark.parametrize(
    "path",
    ["/board?at={}", "/submissions?at={}", "/enterprises?at={}", "/review?at={}", "/audit?number={}"],
)
@pytest.mark.parametrize("number", [HUGE, f"-{HUGE}", "0", ENDLESS, "²"])
def test_a_page_that_there_is_not_is_the_last_one_or_a_mistake(
    browser: Asking, filed: Filed, path: str, number: str
) -> None:
    person = "audit_admin" if path.startswith("/audit") else "clerk"
    assert browser(person).get(path.format(number)).status_code in (200, 400)


@pytest.mark.parametrize("number", [ENDLESS, HUGE, "-1", "1.0", "x", "²"])
def test_a_number_of_a_row_that_is_none_is_a_bad_request(browser: Asking, filed: Filed, number: str) -> None:
    clerk = browser("clerk")
    reviewed = clerk.post(f"/review/{filed.queried.submission_id}", {"act": "accept", "ordinals": number})
    assert reviewed.status_code == 400
    voided = clerk.post(f"/enterprises/{OURS}/void", {"event_id": number, "reason": "登记有误更正"})
    assert voided.status_code == 400


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59:59", "1900-01-01", "昨天"])
def test_a_reminder_of_another_age_is_a_bad_request(browser: Asking, at: str) -> None:
    fields = {"month": "2020-02", "enterprise_codes": OURS, "kind": "call", "at": at}
    answer = browser("clerk").post("/reminders", fields)
    assert answer.status_code == 400
    assert "2020-04-11" in answer.text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("which", ["since", "until"])
def test_the_audit_log_is_searched_from_the_first_day_to_the_last(
    browser: Asking, which: str, day: str
) -> None:
    assert browser("audit_admin").get(f"/audit?{which}={day}").status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        "[" * 4_900,
        '{"a":' * 900,
        "{}",
        "[]",
        '{"sequence": Infinity, "entry_hash": "", "exported_at": "", "key_id": "", "signature": ""}',
        '{"sequence": "９", "entry_hash": [], "exported_at": 1}',
    ],
)
def test_what_is_no_head_of_the_log_is_a_bad_request(browser: Asking, head: str) -> None:
    auditor = browser("audit_admin")
    assert auditor.post("/audit/verification", {"head": head}).status_code == 400


def test_a_head_with_an_odd_signature_is_one_that_does_not_fit(browser: Asking) -> None:
    head = '{"sequence": 1, "entry_hash": "é", "exported_at": "é", "key_id": "é", "signature": "签名"}'
    answer = browser("audit_admin").post("/audit/verification", {"head": head})
    assert answer.status_code == 200
    assert "首部签名不符" in answer.text
