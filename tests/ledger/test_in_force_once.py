"""January and February are in force either together or singly, whatever is decided after the door (its rule H7e)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desk_scene import LI, REPORTER, WANG, ZHAO, a_query, a_register, again, close, file

from pipelines.findings import Verdict
from pipelines.ledger import CannotConfirm, CannotExplain, Ledger, Submission
from pipelines.ledger.explanations import Origin
from pipelines.periods import Month

JOINT, JANUARY, FEBRUARY = "2026年1-2月", "2026-01", "2026-02"
WHY = "已与企业核实，确有大额合同"

Act = Callable[[Ledger, str], Submission]


def confirm(ledger: Ledger, submission_id: str) -> Submission:
    return ledger.confirm(submission_id, WHY, WANG)


def explain(ledger: Ledger, submission_id: str) -> Submission:
    return ledger.explanations.explain(submission_id, {1: WHY}, REPORTER, Origin.PORTAL)


def in_force(ledger: Ledger) -> list[str | None]:
    return [one.period for one in ledger.submissions() if one.is_latest_accepted]


@pytest.mark.parametrize(("act", "refusal"), [(confirm, CannotConfirm), (explain, CannotExplain)])
@pytest.mark.parametrize(
    ("held_back", "accepted"), [(JOINT, [JANUARY]), (JANUARY, [JOINT]), (JOINT, [JANUARY, FEBRUARY])]
)
def test_what_was_held_back_is_not_accepted_beside_the_other_way_of_filing(
    ledger: Ledger, act: Act, refusal: type[Exception], held_back: str, accepted: list[str]
) -> None:
    a_register(ledger)
    one = file(ledger, "held back", month=held_back, findings=(a_query(),))
    others = [file(ledger, month, month=month) for month in accepted]
    entries = ledger.audit.head().sequence
    with pytest.raises(refusal, match="重复计算") as refused:
        act(ledger, one.submission_id)
    for other in others:
        assert other.submission_id in str(refused.value)
    assert "退回" in str(refused.value)
    assert "send" in str(refused.value)
    assert again(ledger, one) == one
    assert (len(in_force(ledger)), ledger.audit.head().sequence) == (len(others), entries)
    assert ledger.explanations.queries(one.submission_id)[0].explanation is None

    for other in others:  # and what the message says to do first opens the way
        ledger.reviews.send_back(other.submission_id, "以另一份报表为准", ZHAO)
    assert act(ledger, one.submission_id).status is Verdict.ACCEPTED


def test_an_explanation_that_waited_is_not_taken_beside_the_other_way_of_filing(ledger: Ledger) -> None:
    a_register(ledger)
    joint = file(ledger, "joint", month=JOINT, findings=(a_query(),))
    explain(ledger, joint.submission_id)
    ledger.explanations.refuse(joint.submission_id, "请附合同首页", LI)
    ledger.explanations.explain(joint.submission_id, {1: "首页已传真，见附件"}, REPORTER, Origin.PORTAL)
    january = file(ledger, "january", month=JANUARY)
    with pytest.raises(CannotConfirm, match=january.submission_id):
        ledger.explanations.accept(joint.submission_id, LI)
    assert in_force(ledger) == [JANUARY]
    [query] = ledger.explanations.queries(joint.submission_id)
    assert query.explanation is not None
    assert query.explanation.state == "given"


def test_a_sending_back_is_not_taken_back_once_the_months_are_in_force_singly(ledger: Ledger) -> None:
    a_register(ledger)
    joint = file(ledger, "joint", month=JOINT)
    ledger.reviews.send_back(joint.submission_id, "请分月报送", WANG)
    singles = [file(ledger, month, month=month) for month in (JANUARY, FEBRUARY)]
    with pytest.raises(CannotConfirm, match="请保留本份的退回") as refused:
        ledger.reviews.withdraw_return(joint.submission_id, "误退，撤销", WANG)
    assert all(single.submission_id in str(refused.value) for single in singles)
    assert in_force(ledger) == [JANUARY, FEBRUARY]


def test_a_sending_back_of_what_was_held_back_is_taken_back_all_the_same(ledger: Ledger) -> None:
    a_register(ledger)
    joint = file(ledger, "joint", month=JOINT, findings=(a_query(),))
    ledger.reviews.send_back(joint.submission_id, "请分月报送", WANG)
    file(ledger, "january", month=JANUARY)
    taken_back = ledger.reviews.withdraw_return(joint.submission_id, "误退，撤销", WANG)
    assert taken_back.status is Verdict.QUERIES


def test_of_two_held_back_the_first_to_be_confirmed_stands(ledger: Ledger) -> None:
    a_register(ledger)
    joint = file(ledger, "joint", month=JOINT, findings=(a_query(),))
    january = file(ledger, "january", month=JANUARY, findings=(a_query(),))
    confirm(ledger, joint.submission_id)
    with pytest.raises(CannotConfirm, match=joint.submission_id):
        confirm(ledger, january.submission_id)


def test_what_is_accepted_waits_for_a_reopening_no_less(ledger: Ledger) -> None:
    a_register(ledger)
    january = file(ledger, "january", month=JANUARY)
    close(ledger, Month(2026, 1))
    joint = file(ledger, "joint", month=JOINT, findings=(a_query(),))
    with pytest.raises(CannotConfirm, match=january.submission_id):
        confirm(ledger, joint.submission_id)


@pytest.mark.parametrize(
    ("enterprise_code", "month"), [("E01", "2026-03"), ("E01", "2025-01"), ("E02", JANUARY)]
)
def test_months_that_are_nobody_elses_do_not_matter(ledger: Ledger, enterprise_code: str, month: str) -> None:
    a_register(ledger)
    joint = file(ledger, "joint", month=JOINT, findings=(a_query(),))
    file(ledger, "other", enterprise_code, month=month)
    assert confirm(ledger, joint.submission_id).is_current_accepted


def test_what_was_in_force_both_ways_before_the_rule_can_be_corrected(ledger: Ledger) -> None:
    a_register(ledger)
    file(ledger, "january", month=JANUARY)
    file(ledger, "joint", month=JOINT)  # as the door took it once
    correction = file(ledger, "joint again", month=JOINT, findings=(a_query(),))
    assert confirm(ledger, correction.submission_id).is_current_accepted
