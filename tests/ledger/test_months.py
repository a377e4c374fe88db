"""Months close, and open again, by two people; what comes in between changes nothing that counts."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from desk_scene import (
    ADMINISTRATOR,
    HONGSHAN,
    LI,
    MARCH,
    OFFICIAL,
    REPORTER,
    WANG,
    ZHAO,
    a_query,
    a_register,
    again,
    close,
    file,
    file_table,
    reopen,
)

from pipelines.findings import Verdict
from pipelines.ledger import CannotChangeMonth, Ledger, RegisterRow
from pipelines.ledger.actors import Actor, NotAllowed
from pipelines.ledger.months import MonthActKind, MonthState
from pipelines.periods import Month


def test_a_month_is_open_until_it_is_over_and_then_collecting(ledger: Ledger) -> None:
    assert ledger.months.standing(MARCH, today=date(2026, 3, 31)).state is MonthState.OPEN
    assert ledger.months.standing(MARCH, today=date(2026, 4, 1)).state is MonthState.COLLECTING


def test_a_month_goes_its_way_with_two_people_at_each_step(ledger: Ledger) -> None:
    def state() -> MonthState:
        return ledger.months.standing(MARCH).state

    ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    assert state() is MonthState.COLLECTING
    ledger.months.confirm(MARCH, LI)
    assert state() is MonthState.CLOSED
    ledger.months.propose(MARCH, MonthActKind.PUBLISH, "统计表已核对", LI)
    ledger.months.confirm(MARCH, ZHAO)
    assert state() is MonthState.PUBLISHED
    reopen(ledger)
    assert state() is MonthState.REVISING
    close(ledger)
    assert state() is MonthState.CLOSED
    assert [act.act_kind.value for act in ledger.months.acts(MARCH)] == [
        "close",
        "publish",
        "reopen",
        "close",
    ]
    assert {act.state for act in ledger.months.acts(MARCH)} == {"confirmed"}


def test_every_step_is_in_the_audit_log_with_both_people(ledger: Ledger) -> None:
    close(ledger)
    trail = ledger.audit.trail("month", "2026-03")
    assert [(entry.action, entry.actor) for entry in trail] == [
        ("month.close_proposed", "wang"),
        ("month.closed", "li"),
    ]
    assert trail[1].new["proposed_by"] == "wang"
    assert ledger.audit.verify() == []


@pytest.mark.parametrize(
    "same",
    [
        WANG,
        Actor("cli:wang", is_operator=True),
        Actor.operator("root", by="wang"),
        Actor.operator("wang", by="somebody"),
        Actor("Wang ", WANG.roles),
        Actor("ｗａｎｇ", WANG.roles),
        Actor("wang\u200b", WANG.roles),
        Actor("cli:cli:wang", is_operator=True),
    ],
)
def test_nobody_confirms_the_own_proposal_by_whatever_way(ledger: Ledger, same: Actor) -> None:
    ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    with pytest.raises(CannotChangeMonth, match="另一人"):
        ledger.months.confirm(MARCH, same)
    assert ledger.months.standing(MARCH).state is MonthState.COLLECTING


def test_two_clerks_do_not_make_an_analyst(ledger: Ledger) -> None:
    ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    with pytest.raises(CannotChangeMonth, match="分析员"):
        ledger.months.confirm(MARCH, ZHAO)
    ledger.months.confirm(MARCH, LI)


@pytest.mark.parametrize("actor", [REPORTER, HONGSHAN, OFFICIAL, ADMINISTRATOR])
def test_only_the_bureau_closes_months(ledger: Ledger, actor: Actor) -> None:
    with pytest.raises(NotAllowed):
        ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", actor)
    ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    with pytest.raises(NotAllowed):
        ledger.months.confirm(MARCH, actor)


@pytest.mark.parametrize("remark", ["", "同意", "好", "已核对" * 100])
def test_whoever_confirms_may_say_as_little_as_he_likes(ledger: Ledger, remark: str) -> None:
    ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    act = ledger.months.confirm(MARCH, LI, reason=remark)
    assert (act.state, act.decision_reason) == ("confirmed", remark)


def test_a_remark_that_is_too_long_is_refused_and_a_declining_says_why(ledger: Ledger) -> None:
    ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    with pytest.raises(CannotChangeMonth, match="最多 500 个字，现为 501 个字"):
        ledger.months.confirm(MARCH, LI, reason="长" * 501)
    with pytest.raises(CannotChangeMonth, match="5 至 500"):
        ledger.months.decline(MARCH, "不", LI)


def test_a_declined_proposal_leaves_the_month_as_it_was(ledger: Ledger) -> None:
    ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    assert ledger.months.decline(MARCH, "还有三家企业未报", LI).state == "declined"
    assert ledger.months.standing(MARCH).proposal is None
    ledger.months.propose(MARCH, MonthActKind.CLOSE, "三家企业已补报", WANG)
    assert ledger.months.decline(MARCH, "日期写错了，撤回", WANG).state == "withdrawn"
    with pytest.raises(CannotChangeMonth, match="没有待确认"):
        ledger.months.confirm(MARCH, LI)


@pytest.mark.parametrize(
    ("kind", "today", "says"),
    [
        (MonthActKind.CLOSE, date(2026, 3, 20), "尚未结束"),
        (MonthActKind.REOPEN, date(2026, 4, 20), "已结账"),
        (MonthActKind.PUBLISH, date(2026, 4, 20), "已结账"),
    ],
)
def test_a_step_out_of_turn_is_refused(ledger: Ledger, kind: MonthActKind, today: date, says: str) -> None:
    with pytest.raises(CannotChangeMonth, match=says):
        ledger.months.propose(MARCH, kind, "理由充分，请予办理", LI, today=today)


def test_one_thing_is_proposed_at_a_time(ledger: Ledger) -> None:
    ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    with pytest.raises(CannotChangeMonth, match="待确认"):
        ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", LI)


def test_of_two_who_confirm_at_once_one_does(ledger: Ledger) -> None:
    ledger.months.propose(MARCH, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    start, outcomes = threading.Barrier(2), []

    def confirm(actor: Actor) -> None:
        start.wait()
        try:
            ledger.months.confirm(MARCH, actor)
        except CannotChangeMonth:
            outcomes.append("too late")
        else:
            outcomes.append("done")

    threads = [threading.Thread(target=confirm, args=(who,)) for who in (LI, Actor("zheng", LI.roles))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "too late"]
    assert [entry.action for entry in ledger.audit.trail("month", "2026-03")].count("month.closed") == 1


# -- what counts ----------------------------------------------------------------------------------------------


def test_a_correction_after_the_closing_counts_only_once_the_month_is_revised(ledger: Ledger) -> None:
    first = file(ledger, "first")
    close(ledger)
    second = file(ledger, "second")

    assert second.is_late_revision
    assert (again(ledger, first).is_current_accepted, again(ledger, first).is_latest_accepted) == (
        True,
        False,
    )
    assert (again(ledger, second).is_current_accepted, again(ledger, second).is_latest_accepted) == (
        False,
        True,
    )
    assert [one.submission_id for one in ledger.counted_submissions(MARCH)] == [first.submission_id]
    assert [one.submission_id for one in ledger.months.after_closing(MARCH)] == [second.submission_id]

    reopen(ledger)
    assert not again(ledger, first).is_current_accepted
    assert again(ledger, second).is_current_accepted
    assert ledger.months.after_closing(MARCH) == []
    close(ledger)
    assert again(ledger, second).is_current_accepted


def test_the_door_compares_with_what_is_believed_now_closed_or_not(ledger: Ledger) -> None:
    file(ledger, "first")
    close(ledger)
    second = file(ledger, "second")
    assert [one.submission_id for one in ledger.history(["E01"], MARCH, MARCH)] == [second.submission_id]
    assert (
        ledger.series_states(["return/E01/2026-03"])["return/E01/2026-03"].accepted_id == second.submission_id
    )


def test_a_query_confirmed_after_the_closing_counts_only_once_the_month_is_revised(ledger: Ledger) -> None:
    queried = file(ledger, "queried", findings=(a_query(),))
    close(ledger)
    confirmed = ledger.confirm(queried.submission_id, "已与企业核实，确有大额合同", ZHAO)
    assert (confirmed.status, confirmed.is_current_accepted) == (Verdict.ACCEPTED, False)
    [counted] = ledger.counted_submissions(MARCH)
    assert counted.status is Verdict.QUERIES  # table 9 goes on saying so
    assert ledger.months.after_closing(MARCH) == [confirmed]
    reopen(ledger)
    assert again(ledger, queried).is_current_accepted


def test_a_return_sent_back_after_the_closing_still_counts_until_then(ledger: Ledger) -> None:
    filed = file(ledger, "filed")
    close(ledger)
    returned = ledger.reviews.send_back(filed.submission_id, "请核对计量单位", ZHAO)
    assert (returned.is_returned, returned.is_latest_accepted, returned.is_current_accepted) == (
        True,
        False,
        True,
    )
    [counted] = ledger.counted_submissions(MARCH)
    assert (counted.status, counted.is_returned) == (Verdict.ACCEPTED, False)
    reopen(ledger)
    assert not again(ledger, filed).is_current_accepted


def test_a_joint_return_after_january_was_closed_is_a_late_revision_of_january(ledger: Ledger) -> None:
    close(ledger, Month(2026, 1))
    joint = file(ledger, "joint", month="2026年1-2月")
    assert joint.is_late_revision
    assert not joint.is_current_accepted
    reopen(ledger, Month(2026, 1))
    assert again(ledger, joint).is_current_accepted


def test_other_months_go_on_counting_what_comes(ledger: Ledger) -> None:
    close(ledger)
    april = file(ledger, "april", month="2026-04")
    assert (april.is_late_revision, april.is_current_accepted) == (False, True)


def test_what_came_after_the_closing_is_no_news_for_a_run_until_the_month_is_reopened(ledger: Ledger) -> None:
    file(ledger, "first")
    before = ledger.changes()
    close(ledger)
    queried = file(ledger, "second", "E02", findings=(a_query(),))
    ledger.confirm(queried.submission_id, "已与企业核实，确有大额合同", ZHAO)
    assert ledger.changes() == before
    reopen(ledger)
    states = [change.state for change in ledger.changes()]
    assert (2, 1, 0) in states  # what came late
    assert any(act_id for _, _, act_id in states)  # and that the month was reopened


def test_a_closed_month_keeps_the_departmental_tables_that_were_in_force(ledger: Ledger) -> None:
    replaced = file_table(ledger, "2025, first", "2025")
    rates, of_2025 = file_table(ledger, "rates"), file_table(ledger, "2025", "2025")
    goods = file_table(ledger, "goods", form="DM-2")
    file_table(ledger, "queried", findings=(a_query("D6"),))  # nobody confirmed it in time
    assert ledger.departments_at_closings() == {}
    close(ledger)
    in_force = [rates.submission_id, of_2025.submission_id, goods.submission_id]
    assert ledger.departments_at_closings() == {MARCH: in_force}

    sent_again = file_table(ledger, "rates, sent again")
    returned = ledger.reviews.send_back(goods.submission_id, "单位应为美元，请核对", LI)
    assert (again(ledger, rates).is_current_accepted, returned.is_returned) == (False, True)
    assert ledger.departments_at_closings() == {MARCH: in_force}
    # A month that is closed later keeps what is in force then.
    april = MARCH.plus(1)
    close(ledger, april)
    assert ledger.departments_at_closings() == {
        MARCH: in_force,
        april: [of_2025.submission_id, sent_again.submission_id],
    }
    reopen(ledger, april)
    reopen(ledger)
    assert ledger.departments_at_closings() == {}
    close(ledger)
    assert ledger.departments_at_closings()[MARCH] == [of_2025.submission_id, sent_again.submission_id]
    assert replaced.submission_id not in in_force


def test_a_table_confirmed_after_the_closing_counts_once_the_month_is_revised(ledger: Ledger) -> None:
    queried = file_table(ledger, "queried", findings=(a_query("D6"),))
    close(ledger)
    ledger.confirm(queried.submission_id, "已与外汇局核实，汇率无误", ZHAO)
    assert ledger.departments_at_closings() == {MARCH: []}
    reopen(ledger)
    close(ledger)
    assert ledger.departments_at_closings() == {MARCH: [queried.submission_id]}


def test_a_closed_month_keeps_its_register(ledger: Ledger) -> None:
    a_register(ledger)
    close(ledger)
    moved = [
        RegisterRow("E01", "E01公司", "420111", "6510", Month(2025, 1), Month(2026, 2)),
        RegisterRow("E01", "E01公司", "420103", "6510", Month(2026, 3)),
    ]
    with pytest.raises(ValueError, match="2026年3月已结账"):
        ledger.import_register(moved)
    later = [
        RegisterRow("E01", "E01公司", "420111", "6510", Month(2025, 1), Month(2026, 3)),
        RegisterRow("E01", "E01公司", "420103", "6510", Month(2026, 4)),
    ]
    assert ledger.import_register(later) == 1


# -- the order of closings ------------------------------------------------------------------------------


def test_a_month_is_closed_after_the_months_of_its_year_that_its_cumulative_holds(ledger: Ledger) -> None:
    file(ledger, "march", month=str(MARCH))
    april = MARCH.plus(1)
    with pytest.raises(
        CannotChangeMonth, match="2026年3月已有报送或正在修订，尚未结账；2026年4月的累计和同比"
    ):
        ledger.months.propose(april, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    close(ledger)
    close(ledger, april)
    # A month in which nobody filed holds up none.
    close(ledger, MARCH.plus(3))
    assert [one.state for one in ledger.months.standings([MARCH, april])] == [MonthState.CLOSED] * 2


def test_what_comes_for_a_month_left_out_waits_for_the_closed_month_whose_cumulative_holds_it(
    ledger: Ledger,
) -> None:
    february = MARCH.plus(-1)
    file(ledger, "march", month=str(MARCH))
    close(ledger)
    late = file(ledger, "february", month=str(february))
    assert (late.is_late_revision, again(ledger, late).is_current_accepted) == (True, False)
    assert ledger.counted_submissions(february) == []
    assert [one.submission_id for one in ledger.months.after_closing(february)] == [late.submission_id]
    with pytest.raises(CannotChangeMonth, match="2026年3月已结账，其累计、同比以2026年2月为依据"):
        ledger.months.propose(february, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    # The next month is not bound by it.
    april = MARCH.plus(1)
    assert again(ledger, file(ledger, "april", month=str(april))).is_current_accepted
    reopen(ledger)
    assert again(ledger, late).is_current_accepted
    assert [one.submission_id for one in ledger.counted_submissions(february)] == [late.submission_id]
    close(ledger, february)
    close(ledger)


def test_the_year_before_stands_fast_with_the_first_closed_month_whose_growth_rests_on_it(
    ledger: Ledger,
) -> None:
    last_year = MARCH.a_year_earlier
    first = file(ledger, "first", month=str(last_year))
    file(ledger, "march", month=str(MARCH))
    close(ledger)
    late = file(ledger, "corrected", month=str(last_year))
    assert (late.is_late_revision, again(ledger, late).is_current_accepted) == (True, False)
    assert [one.submission_id for one in ledger.counted_submissions(last_year)] == [first.submission_id]
    assert [one.submission_id for one in ledger.months.after_closing(last_year)] == [late.submission_id]
    reopen(ledger)
    assert again(ledger, late).is_current_accepted


def test_history_before_the_first_closing_need_not_be_closed_but_every_month_after_it(ledger: Ledger) -> None:
    for month in ("2024-12", "2025-11", "2025-12"):
        file(ledger, month, month=month)
    close(ledger, Month(2025, 11))
    with pytest.raises(CannotChangeMonth, match="2025年12月已有报送或正在修订"):
        ledger.months.propose(Month(2026, 1), MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    close(ledger, Month(2025, 12))
    close(ledger, Month(2026, 1))
    assert ledger.months.standing(Month(2026, 1)).state is MonthState.CLOSED


def test_what_was_filed_between_proposal_and_confirmation_is_looked_at_again(ledger: Ledger) -> None:
    april = MARCH.plus(1)
    ledger.months.propose(april, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    file(ledger, "march", month=str(MARCH))
    with pytest.raises(CannotChangeMonth, match="请先将其结账"):
        ledger.months.confirm(april, LI)


def test_a_month_is_reopened_together_with_the_closed_months_after_it(ledger: Ledger) -> None:
    december, january = Month(2025, 12), Month(2026, 1)
    for month in (december, january, MARCH):
        file(ledger, str(month), month=str(month))
        close(ledger, month)
    ledger.months.propose(MARCH, MonthActKind.PUBLISH, "统计表已核对", LI)
    ledger.months.confirm(MARCH, ZHAO)
    assert ledger.months.reopened_with(december) == [january, MARCH]
    reopen(ledger, december)
    standings = ledger.months.standings([december, january, MARCH])
    assert [one.state for one in standings] == [MonthState.REVISING] * 3
    told = [entry for entry in ledger.audit.trail("month", str(MARCH)) if entry.action == "month.reopened"]
    assert [(entry.old["state"], entry.new["state"]) for entry in told] == [("published", "revising")]
    with pytest.raises(CannotChangeMonth, match="2025年12月已有报送或正在修订，尚未结账"):
        ledger.months.propose(january, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    for month in (december, january, MARCH):
        close(ledger, month)


def test_a_month_with_a_proposal_of_its_own_is_not_reopened_with_an_earlier_one(ledger: Ledger) -> None:
    january = Month(2026, 1)
    for month in (january, MARCH):
        file(ledger, str(month), month=str(month))
        close(ledger, month)
    ledger.months.propose(january, MonthActKind.REOPEN, "更正已收到，须修订", WANG)
    ledger.months.propose(MARCH, MonthActKind.PUBLISH, "统计表已核对", LI)
    with pytest.raises(CannotChangeMonth, match="2026年3月有待确认的发布申请（li 提出）"):
        ledger.months.confirm(january, LI)
    ledger.months.decline(MARCH, "先修订一月", WANG)
    ledger.months.confirm(january, LI)
    assert ledger.months.standing(MARCH).state is MonthState.REVISING
