"""The month's board and reminders: who is counted where, who sees whom, and how fast."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from desk_scene import (
    ADMINISTRATOR,
    AN_ERROR,
    HONGSHAN,
    JIANGHAN,
    LI,
    MARCH,
    OFFICIAL,
    REPORTER,
    WANG,
    ZHAO,
    a_query,
    a_register,
    close,
    file,
    reopen,
)

from pipelines.ledger import CannotRemind, EnterpriseClass, EventKind, Ledger, UnknownEnterprise
from pipelines.ledger.actors import Actor, NotAllowed
from pipelines.ledger.board import BoardCounts, BoardFilter, MonthBoard, ReturnState
from pipelines.ledger.explanations import Origin
from pipelines.ledger.months import MonthState
from pipelines.ledger.register import NewEvent
from pipelines.ledger.reminders import ReminderKind
from pipelines.periods import Month

TODAY = date(2026, 4, 8)


def look(
    ledger: Ledger, actor: Actor = WANG, wanted: BoardFilter | None = None, **more: object
) -> MonthBoard:
    facts: dict[str, object] = {"deadline_day": 10, "today": TODAY, "month": MARCH} | more
    month = facts.pop("month")
    return ledger.board.look(month, actor, wanted, **facts)  # type: ignore[arg-type]


def codes(board: MonthBoard) -> list[str]:
    return [row.enterprise_code for row in board.rows]


@pytest.fixture
def month(ledger: Ledger) -> Ledger:
    """E01 accepted late as zero, E02 queried, E03 with an error, E04 sent back, E05 not filed."""
    a_register(ledger)
    file(ledger, "1", "E01", is_zero=True, is_late=True)
    file(ledger, "2", "E02", findings=(a_query(key="E02"),))
    file(ledger, "3", "E03", findings=(AN_ERROR,))
    ledger.reviews.send_back(file(ledger, "4", "E04").submission_id, "请核对计量单位", ZHAO)
    return ledger


def test_each_enterprise_is_counted_once_where_its_return_stands(month: Ledger) -> None:
    board = look(month)
    total = board.total
    assert total == BoardCounts(
        "all",
        expected_count=5,
        accepted_count=1,
        queried_count=1,
        returned_count=2,
        not_filed_count=1,
        zero_return_count=1,
        late_count=1,
    )
    assert total.filed_count == 4
    assert [(one.district_code, one.expected_count) for one in board.districts] == [
        ("420103", 3),
        ("420111", 2),
    ]
    assert (board.deadline, board.days_left, board.standing.state) == (
        date(2026, 4, 10),
        2,
        MonthState.COLLECTING,
    )


def test_rows_come_in_the_order_in_which_they_want_work(month: Ledger) -> None:
    board = look(month)
    assert [(row.enterprise_code, row.state.value) for row in board.rows] == [
        ("E05", "not_filed"),
        ("E03", "returned"),
        ("E04", "returned"),
        ("E02", "queried"),
        ("E01", "accepted"),
    ]
    sent_back = board.rows[2]
    assert (sent_back.is_sent_back, sent_back.version) == (True, 1)
    assert sent_back.received_at is not None
    assert (board.rows[0].contact, board.rows[0].phone) == ("张", "027-E05")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (BoardFilter(states=frozenset({ReturnState.NOT_FILED, ReturnState.QUERIED})), ["E05", "E02"]),
        (BoardFilter(district_code="420111"), ["E02", "E01"]),
        (BoardFilter(only_zero=True), ["E01"]),
        (BoardFilter(only_late=True), ["E01"]),
        (BoardFilter(search="e03"), ["E03"]),
        (BoardFilter(sort="code", is_descending=True), ["E05", "E04", "E03", "E02", "E01"]),
        (BoardFilter(sort="district"), ["E03", "E04", "E05", "E01", "E02"]),
        (BoardFilter(sort="filed"), ["E05", "E01", "E02", "E03", "E04"]),
    ],
)
def test_rows_can_be_filtered_and_sorted(month: Ledger, wanted: BoardFilter, expected: list[str]) -> None:
    board = look(month, wanted=wanted)
    assert codes(board) == expected
    assert board.total.expected_count == 5  # counts are of the whole month


def test_rows_come_in_pages(month: Ledger) -> None:
    board = look(month, page=2, page_size=2)
    assert (codes(board), board.page, board.page_count, board.row_count) == (["E04", "E02"], 2, 3, 5)
    assert codes(look(month, page=99, page_size=2)) == ["E01"]


def test_key_enterprises_come_first_among_equals(month: Ledger) -> None:
    month.register.record(
        NewEvent("E04", EventKind.CHANGED_CLASS, MARCH, enterprise_class=EnterpriseClass.KEY), WANG
    )
    assert codes(look(month)) == ["E05", "E04", "E03", "E02", "E01"]
    assert codes(look(month, wanted=BoardFilter(only_key=True))) == ["E04"]


def test_everybody_sees_what_is_theirs(month: Ledger) -> None:
    assert look(month, HONGSHAN).total.expected_count == 2
    assert codes(look(month, JIANGHAN)) == ["E05", "E03", "E04"]
    assert codes(look(month, REPORTER)) == ["E01"]
    official = look(month, OFFICIAL)
    assert (official.total.expected_count, official.rows, official.row_count) == (5, [], 0)
    assert look(month, ADMINISTRATOR).total.expected_count == 0


def test_an_explained_return_is_accepted_and_waits_to_be_looked_at(month: Ledger) -> None:
    [queried] = look(month, wanted=BoardFilter(states=frozenset({ReturnState.QUERIED}))).rows
    month.explanations.explain(queried.submission_id, {1: "合同一次性付款"}, LI, Origin.PORTAL)
    board = look(month)
    assert (board.total.accepted_count, board.total.queried_count, board.total.explained_count) == (2, 0, 1)
    assert codes(look(month, wanted=BoardFilter(only_explained=True))) == ["E02"]


def test_a_correction_in_trouble_leaves_the_enterprise_accepted_and_is_marked(month: Ledger) -> None:
    file(month, "1 again", "E01", findings=(a_query(),))
    [row] = [row for row in look(month).rows if row.enterprise_code == "E01"]
    assert (row.state, row.is_correction_waiting, row.is_zero_return) == (ReturnState.ACCEPTED, True, True)


def test_a_joint_return_counts_for_both_its_months(ledger: Ledger) -> None:
    a_register(ledger)
    file(ledger, "joint", "E01", month="2026年1-2月")
    for number in (1, 2):
        assert look(ledger, month=Month(2026, number)).total.accepted_count == 1
    assert look(ledger).total.accepted_count == 0


def test_a_joint_return_after_january_was_closed_waits_in_both_months(ledger: Ledger) -> None:
    a_register(ledger)
    close(ledger, Month(2026, 1))
    file(ledger, "joint", "E01", month="2026年1-2月")
    for number in (1, 2):
        total = look(ledger, month=Month(2026, number)).total
        assert (total.accepted_count, total.not_filed_count, total.late_revision_count) == (0, 5, 1)


def test_a_closed_month_shows_what_counted_and_beside_it_what_came_later(month: Ledger) -> None:
    close(month)
    file(month, "5", "E05")  # had not filed
    file(month, "3 again", "E03")  # had an error
    [queried] = look(month, wanted=BoardFilter(states=frozenset({ReturnState.QUERIED}))).rows
    month.confirm(queried.submission_id, "已与企业核实无误", LI)
    board = look(month)
    assert (board.total.accepted_count, board.total.not_filed_count, board.total.late_revision_count) == (
        1,
        1,
        3,
    )
    assert codes(look(month, wanted=BoardFilter(only_late_revisions=True))) == ["E05", "E03", "E02"]
    reopen(month)
    board = look(month)
    assert (board.total.accepted_count, board.total.not_filed_count, board.total.late_revision_count) == (
        4,
        0,
        0,
    )


# -- reminders ------------------------------------------------------------------------------------------------


def test_a_reminder_is_kept_with_person_time_and_words(month: Ledger) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    [done] = month.reminders.record(
        ["E05"], MARCH, ReminderKind.CALL, WANG, reminded_at=at, spoken_to="张会计", note="答应明天报"
    )
    assert (done.phone, done.reminded_at, done.recorded_by) == ("027-E05", at, "wang")
    month.reminders.record(["E05", "E03"], MARCH, ReminderKind.LETTER, LI)
    assert [one.reminder_kind.value for one in month.reminders.of("E05", WANG, month=MARCH)] == [
        "letter",
        "call",
    ]
    [row, *_] = look(month).rows
    assert row.reminder_count == 2
    assert row.last_reminder is not None
    assert row.last_reminder.reminder_kind is ReminderKind.LETTER
    assert codes(look(month, wanted=BoardFilter(only_not_reminded=True))) == ["E04", "E02", "E01"]
    assert look(month).total.reminded_count == 2
    entries = month.audit.trail("enterprise", "E05")
    assert [entry.action for entry in entries][-2:] == ["reminder.recorded", "reminder.recorded"]


@pytest.mark.parametrize(
    ("codes_given", "kind", "spoken_to", "in_hours", "says"),
    [
        ([], ReminderKind.LETTER, "", 0, "选择"),
        (["E05"], ReminderKind.CALL, " ", 0, "与谁通话"),
        (["E05"], ReminderKind.LETTER, "", 2, "晚于现在"),
    ],
)
def test_a_reminder_that_says_too_little_is_refused(
    month: Ledger, codes_given: list[str], kind: ReminderKind, spoken_to: str, in_hours: int, says: str
) -> None:
    moment = datetime.now(UTC) + timedelta(hours=in_hours)
    with pytest.raises(CannotRemind, match=says):
        month.reminders.record(codes_given, MARCH, kind, WANG, reminded_at=moment, spoken_to=spoken_to)


def test_districts_remind_their_own_and_all_or_none_are_noted(month: Ledger) -> None:
    month.reminders.record(["E05"], MARCH, ReminderKind.LETTER, JIANGHAN)
    with pytest.raises(UnknownEnterprise):
        month.reminders.record(["E01", "E05"], MARCH, ReminderKind.LETTER, HONGSHAN)
    with pytest.raises(NotAllowed):
        month.reminders.record(["E01"], MARCH, ReminderKind.LETTER, REPORTER)
    assert month.reminders.of("E01", WANG) == []
    assert len(month.reminders.of("E05", WANG)) == 1
