"""What waits for a reviewer, who may decide, and what a decision leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from desk_scene import (
    ADMINISTRATOR,
    AN_ERROR,
    HONGSHAN,
    JIANGHAN,
    LI,
    MARCH,
    OFFICIAL,
    OTHER_REPORTER,
    REPORTER,
    WANG,
    ZHAO,
    a_query,
    a_register,
    again,
    file,
)

from pipelines.findings import Severity, Verdict
from pipelines.ledger import CannotConfirm, CannotExplain, EventKind, Ledger, UnknownSubmission
from pipelines.ledger.actors import Actor, NotAllowed
from pipelines.ledger.explanations import Origin
from pipelines.ledger.register import NewEvent
from pipelines.ledger.reviews import SubmissionFilter, Waiting
from pipelines.periods import Month

WHY = "已与企业核实，确有大额合同"
AN_INFO = replace(a_query("Q9"), severity=Severity.INFO)


# -- who sees what waits --------------------------------------------------------------------------------------


def test_the_bureau_sees_all_that_waits_and_a_district_its_own(ledger: Ledger) -> None:
    a_register(ledger)
    hongshan = file(ledger, "a", "E01", findings=(a_query(),))
    jianghan = file(ledger, "b", "E03", findings=(a_query(key="E03/SI2/USA/export"),))
    file(ledger, "c", "E04")
    file(ledger, "d", "E05", findings=(AN_ERROR,))

    def ids(actor: Actor) -> list[str]:
        return [item.submission.submission_id for item in ledger.reviews.queue(actor).items]

    assert ids(WANG) == [hongshan.submission_id, jianghan.submission_id]
    assert ids(HONGSHAN) == [hongshan.submission_id]
    assert ids(JIANGHAN) == [jianghan.submission_id]
    for actor in (REPORTER, OFFICIAL, ADMINISTRATOR):
        assert ids(actor) == []


def test_a_joint_return_is_seen_in_both_districts_of_who_moved_and_decided_where_it_counts(
    ledger: Ledger,
) -> None:
    a_register(ledger)
    february = NewEvent("E01", EventKind.MOVED_DISTRICT, Month(2026, 2), district_code="420103")
    ledger.register.record(february, WANG)
    joint = file(ledger, "j", "E01", "2026-M01-02", findings=(a_query(),))
    single = file(ledger, "s", "E02", "2026-01")
    for actor in (HONGSHAN, JIANGHAN):
        assert ledger.reviews.view(joint.submission_id, actor).submission == joint
        seen = {one.submission_id for one in ledger.reviews.submissions(actor).submissions}
        assert seen == {joint.submission_id} | ({single.submission_id} if actor is HONGSHAN else set())
    january = {
        row.enterprise_code: row for row in ledger.board.look(Month(2026, 1), HONGSHAN, deadline_day=10).rows
    }
    assert january["E01"].submission_id == joint.submission_id, "a link that leads somewhere"
    assert ledger.reviews.queue(HONGSHAN).items == []
    assert [item.submission for item in ledger.reviews.queue(JIANGHAN).items] == [joint]
    with pytest.raises(NotAllowed):
        ledger.reviews.confirm(joint.submission_id, WHY, HONGSHAN)
    assert ledger.reviews.confirm(joint.submission_id, WHY, JIANGHAN).status is Verdict.ACCEPTED


def test_the_list_says_what_waits_by_rule_and_whose_it_is(ledger: Ledger) -> None:
    a_register(ledger)
    file(
        ledger, "a", "E01", findings=(a_query("Q1a"), a_query("Q3"), a_query("Q3", key="E01/SJ1/USA/import"))
    )
    file(ledger, "b", "E03", findings=(a_query("Q3", key="E03"),), filed_by="wang")
    page = ledger.reviews.queue(WANG)
    assert page.rule_counts == {"Q3": 2, "Q1a": 1}
    first, second = page.items
    assert (first.open_query_count, first.rules, first.is_own) == (3, ("Q3", "Q1a"), False)
    assert (second.is_own, second.district_code) == (True, "420103")
    assert ledger.reviews.queue(WANG, rule="Q1a").item_count == 1
    assert ledger.reviews.queue(WANG, district_code="420103").item_count == 1
    assert ledger.reviews.queue(WANG, month=MARCH.plus(1)).item_count == 0


def test_a_query_in_a_version_that_was_replaced_waits_for_nobody(ledger: Ledger) -> None:
    file(ledger, "a", findings=(a_query(),))
    file(ledger, "b")
    assert ledger.reviews.queue(WANG).items == []


@pytest.mark.parametrize("actor", [OTHER_REPORTER, JIANGHAN, OFFICIAL, ADMINISTRATOR])
def test_a_return_that_is_not_theirs_does_not_exist_for_them(ledger: Ledger, actor: Actor) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query(),))
    acts: list[Callable[[], object]] = [
        lambda: ledger.reviews.view(one.submission_id, actor),
        lambda: ledger.confirm(one.submission_id, WHY, actor),
        lambda: ledger.reviews.send_back(one.submission_id, WHY, actor),
        lambda: ledger.explanations.explain(one.submission_id, {1: WHY}, actor, Origin.PORTAL),
        lambda: ledger.explanations.accept(one.submission_id, actor),
    ]
    for act in acts:
        with pytest.raises(UnknownSubmission):
            act()
    assert ledger.reviews.submissions(actor).submissions == []
    assert again(ledger, one).status is Verdict.QUERIES


def test_submissions_are_found_by_name_rule_state_and_beginning_of_their_number(ledger: Ledger) -> None:
    a_register(ledger)
    queried = file(ledger, "a", findings=(a_query("Q3"),))
    accepted = file(ledger, "b", "E03")
    sent_back = ledger.reviews.send_back(file(ledger, "c", "E04").submission_id, "请核对计量单位", ZHAO)

    def found(**wanted: object) -> list[str]:
        page = ledger.reviews.submissions(WANG, SubmissionFilter(**wanted))  # type: ignore[arg-type]
        return [one.submission_id for one in page.submissions]

    assert found() == [sent_back.submission_id, accepted.submission_id, queried.submission_id]
    assert found(rule="Q3") == [queried.submission_id]
    assert found(state="returned") == [sent_back.submission_id]
    assert found(search="E03公") == [accepted.submission_id]
    assert found(search=queried.submission_id[:8]) == [queried.submission_id]
    assert found(search="%") == []


# -- four eyes ------------------------------------------------------------------------------------------------


def test_nobody_confirms_or_sends_back_what_they_filed(ledger: Ledger) -> None:
    one = file(ledger, "a", findings=(a_query(),), filed_by="wang")
    for actor in (WANG, Actor("cli:wang", is_operator=True)):
        with pytest.raises(CannotConfirm, match="本人"):
            ledger.confirm(one.submission_id, WHY, actor)
        with pytest.raises(CannotConfirm, match="本人"):
            ledger.reviews.send_back(one.submission_id, WHY, actor)
    assert ledger.confirm(one.submission_id, WHY, LI).status is Verdict.ACCEPTED


def test_nobody_confirms_what_they_explained(ledger: Ledger) -> None:
    one = file(ledger, "a", findings=(a_query("Q1a"), a_query("Q3")))
    ledger.explanations.explain(one.submission_id, {1: WHY}, WANG, Origin.PORTAL)
    with pytest.raises(CannotConfirm, match="说明由您本人"):
        ledger.confirm(one.submission_id, WHY, WANG)
    confirmed = ledger.confirm(one.submission_id, WHY, LI)
    assert confirmed.status is Verdict.ACCEPTED
    [first, _] = ledger.explanations.queries(one.submission_id)
    assert first.explanation is not None
    assert (first.explanation.state, first.explanation.reviewed_by) == ("accepted", "li")


def test_a_confirmation_is_kept_as_the_answer_to_its_queries(ledger: Ledger) -> None:
    one = file(ledger, "a", findings=(a_query("Q1a"), AN_INFO))
    ledger.confirm(one.submission_id, WHY, LI)
    [kept] = ledger.explanations.standing(["E01"])
    assert (kept.rule, kept.reason, kept.origin, kept.state) == ("Q1a", WHY, Origin.REVIEW, "accepted")
    assert not ledger.reviews.queue(LI).items
    # And whoever confirmed may think again.
    assert ledger.reviews.send_back(one.submission_id, "企业来电更正", LI).is_returned


def test_a_reporter_may_look_but_not_decide(ledger: Ledger) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query(),), filed_by="zhao")
    assert ledger.reviews.view(one.submission_id, REPORTER).submission == one
    with pytest.raises(NotAllowed):
        ledger.confirm(one.submission_id, WHY, REPORTER)
    with pytest.raises(NotAllowed):
        ledger.reviews.send_back(one.submission_id, WHY, REPORTER)


def test_a_district_reviewer_confirms_in_the_own_district(ledger: Ledger) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query(),))
    assert ledger.confirm(one.submission_id, WHY, HONGSHAN).status is Verdict.ACCEPTED


# -- 退回 -----------------------------------------------------------------------------------------------------


def test_a_return_sent_back_says_why_first_and_the_version_before_holds_again(ledger: Ledger) -> None:
    first = file(ledger, "first")
    second = file(ledger, "second")
    returned = ledger.reviews.send_back(second.submission_id, "合计与明细不符，请核对", ZHAO)

    assert (returned.status, returned.is_returned) == (Verdict.REJECTED, True)
    assert again(ledger, first).is_current_accepted
    view = ledger.reviews.view(second.submission_id, REPORTER)
    assert view.returned_for == "合计与明细不符，请核对"
    assert [one.submission_id for one in view.versions] == [second.submission_id, first.submission_id]
    third = file(ledger, "third")
    assert third.is_current_accepted


def test_a_sending_back_can_be_taken_back_until_the_return_is_filed_again(ledger: Ledger) -> None:
    one = file(ledger, "one", findings=(a_query(),))
    ledger.reviews.send_back(one.submission_id, "请说明原因后重报", ZHAO)
    restored = ledger.reviews.withdraw_return(one.submission_id, "企业已来电说明", LI)
    assert (restored.status, restored.is_returned) == (Verdict.QUERIES, False)
    with pytest.raises(CannotConfirm, match="没有被退回"):
        ledger.reviews.withdraw_return(one.submission_id, "企业已来电说明", LI)

    ledger.reviews.send_back(one.submission_id, "请说明原因后重报", ZHAO)
    file(ledger, "two")
    with pytest.raises(CannotConfirm, match="新的版本"):
        ledger.reviews.withdraw_return(one.submission_id, "企业已来电说明", LI)


def test_what_was_sent_back_takes_no_confirmation_and_no_explanation(ledger: Ledger) -> None:
    one = file(ledger, "one", findings=(a_query(),))
    ledger.reviews.send_back(one.submission_id, "请说明原因后重报", ZHAO)
    with pytest.raises(CannotConfirm, match="已退回"):
        ledger.confirm(one.submission_id, WHY, LI)
    with pytest.raises(CannotExplain, match="已退回"):
        ledger.explanations.explain(one.submission_id, {1: WHY}, LI, Origin.PORTAL)
    assert ledger.reviews.queue(WANG).items == []


# -- explanations ---------------------------------------------------------------------------------------------


def test_a_return_whose_last_query_is_explained_is_accepted_and_waits_to_be_looked_at(ledger: Ledger) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query("Q1a"), a_query("Q3", given="7")))
    half = ledger.explanations.explain(one.submission_id, {1: "  合同一次性付款  "}, REPORTER, Origin.PORTAL)
    assert half.status is Verdict.QUERIES
    whole = ledger.explanations.explain(one.submission_id, {2: "单位已核对无误"}, REPORTER, Origin.PORTAL)
    assert (whole.status, whole.is_current_accepted) == (Verdict.ACCEPTED, True)

    [item] = ledger.reviews.queue(WANG).items
    assert (item.waiting, item.open_query_count, item.explanation_count) == (Waiting.EXPLAINED, 0, 2)
    first, second = ledger.explanations.queries(one.submission_id)
    assert first.explanation is not None
    assert (first.explanation.reason, first.explanation.given_by) == ("合同一次性付款", "e01")
    assert not first.is_open
    assert not second.is_open

    ledger.explanations.accept(one.submission_id, WANG)
    assert ledger.reviews.queue(WANG).items == []
    assert again(ledger, one).status is Verdict.ACCEPTED


def test_a_refused_explanation_opens_its_query_again_and_stands_for_nothing(ledger: Ledger) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query("Q1a"), a_query("Q3")))
    reasons = {1: "合同一次性付款", 2: "单位已核对无误"}
    ledger.explanations.explain(one.submission_id, reasons, REPORTER, Origin.PORTAL)
    refused = ledger.explanations.refuse(one.submission_id, "请附合同首页", WANG, ordinals=[2])

    assert (refused.status, refused.is_current_accepted) == (Verdict.QUERIES, False)
    first, second = ledger.explanations.queries(one.submission_id)
    assert (first.is_open, second.is_open) == (False, True)
    assert second.explanation is not None
    assert second.explanation.review_reason == "请附合同首页"
    assert [each.rule for each in ledger.explanations.standing(["E01"])] == ["Q1a"]


def test_what_was_refused_is_accepted_only_by_a_reviewer_whatever_is_said_again(ledger: Ledger) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query("Q1a"),))
    ledger.explanations.explain(one.submission_id, {1: "合同一次性付款"}, REPORTER, Origin.PORTAL)
    ledger.explanations.refuse(one.submission_id, "请附合同首页", WANG)
    for same in ("合同一次性付款", " 合同 一次性付款。"):
        with pytest.raises(
            CannotExplain, match=r"此前未被采纳（审核意见：请附合同首页）.*was not taken before"
        ):
            ledger.explanations.explain(one.submission_id, {1: same}, REPORTER, Origin.PORTAL)

    other = "合同编号 2026-03-17，首页已传真"
    said_again = ledger.explanations.explain(one.submission_id, {1: other}, REPORTER, Origin.PORTAL)
    assert (said_again.status, said_again.is_current_accepted) == (Verdict.QUERIES, False)
    [query] = ledger.explanations.queries(one.submission_id)
    assert (query.is_open, query.is_in_doubt) == (True, True)
    [item] = ledger.reviews.queue(WANG).items
    assert (item.waiting, item.open_query_count, item.explanation_count) == (Waiting.QUERIED, 1, 1)

    taken = ledger.explanations.accept(one.submission_id, LI, reason="已收到合同首页")
    assert (taken.status, taken.is_current_accepted) == (Verdict.ACCEPTED, True)
    assert ledger.reviews.queue(WANG).items == []
    assert not ledger.explanations.queries(one.submission_id)[0].is_in_doubt
    [*_, status] = ledger.audit.trail("submission", one.submission_id)
    assert (status.action, status.actor, status.old) == ("submission.confirmed", "li", {"state": "queries"})
    assert (status.new["state"], status.reason) == ("accepted", "已收到合同首页")


def test_a_confirmation_takes_what_was_said_after_a_refusal(ledger: Ledger) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query("Q1a"), a_query("Q3")))
    ledger.explanations.explain(
        one.submission_id, {1: "合同一次性付款", 2: "单位已核对无误"}, REPORTER, Origin.PORTAL
    )
    ledger.explanations.refuse(one.submission_id, "请附合同首页", WANG)
    ledger.explanations.explain(one.submission_id, {1: "首页已传真，见附件"}, REPORTER, Origin.PORTAL)
    assert ledger.confirm(one.submission_id, WHY, LI).status is Verdict.ACCEPTED
    assert [
        (query.explanation.reason, query.explanation.state, query.is_open)
        for query in ledger.explanations.queries(one.submission_id)
        if query.explanation
    ] == [("首页已传真，见附件", "accepted", False), (WHY, "accepted", False)]


def test_explanations_of_what_was_sent_back_stand_only_if_that_is_taken_back(ledger: Ledger) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query("Q1a"),))
    ledger.explanations.explain(one.submission_id, {1: "合同一次性付款"}, REPORTER, Origin.PORTAL)
    ledger.explanations.accept(one.submission_id, LI)
    ledger.reviews.send_back(one.submission_id, "金额明显是单位错误", LI)
    assert ledger.explanations.standing(["E01"]) == []
    for review in (
        lambda: ledger.explanations.accept(one.submission_id, ZHAO),
        lambda: ledger.explanations.refuse(one.submission_id, "请附合同首页", ZHAO, ordinals=[1]),
    ):
        with pytest.raises(CannotExplain, match="已退回"):
            review()
    ledger.reviews.withdraw_return(one.submission_id, "企业已来电说明", LI)
    assert [each.reason for each in ledger.explanations.standing(["E01"])] == ["合同一次性付款"]


def test_of_what_was_sent_back_explained_the_next_version_says_that_a_reviewer_decides(
    ledger: Ledger,
) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query("Q1a"), a_query("Q3")))
    ledger.explanations.explain(one.submission_id, {1: "合同一次性付款"}, REPORTER, Origin.PORTAL)
    ledger.reviews.send_back(one.submission_id, "金额明显是单位错误", LI)
    new = file(ledger, "b", findings=(a_query("Q1a"), a_query("Q3"), a_query("Q1a", given="501")))
    queries = ledger.explanations.queries(new.submission_id)
    # Not of one that nobody had explained, nor of another figure.
    assert [query.is_in_doubt for query in queries] == [True, False, False]
    answers = {1: "合同一次性付款，见附件", 2: "单位已核对无误", 3: "单位已核对无误"}
    waiting = ledger.explanations.explain(new.submission_id, answers, REPORTER, Origin.PORTAL)
    assert waiting.status is Verdict.QUERIES
    assert [query.is_open for query in ledger.explanations.queries(new.submission_id)] == [True, False, False]


def test_of_two_who_review_at_once_one_does(ledger: Ledger) -> None:
    one = file(ledger, "a", findings=(a_query(),))
    ledger.explanations.explain(one.submission_id, {1: "合同一次性付款"}, REPORTER, Origin.PORTAL)
    start, outcomes = threading.Barrier(2), []

    def review(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except CannotExplain:
            outcomes.append("too late")
        else:
            outcomes.append("done")

    acts = (
        lambda: ledger.explanations.accept(one.submission_id, LI),
        lambda: ledger.explanations.refuse(one.submission_id, "请附合同首页", ZHAO),
    )
    threads = [threading.Thread(target=review, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "too late"]
    [query] = ledger.explanations.queries(one.submission_id)
    assert query.explanation is not None
    is_taken = query.explanation.state == "accepted"
    assert again(ledger, one).status is (Verdict.ACCEPTED if is_taken else Verdict.QUERIES)


@pytest.mark.parametrize("actor", [WANG, Actor("cli:wang", is_operator=True), HONGSHAN])
def test_staff_do_not_explain_what_they_filed_for_an_enterprise(ledger: Ledger, actor: Actor) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query(),), filed_by=actor.name)
    with pytest.raises(CannotExplain, match=r"代为报送.*another member of staff"):
        ledger.explanations.explain(one.submission_id, {1: WHY}, actor, Origin.PORTAL)
    assert again(ledger, one).status is Verdict.QUERIES
    # The enterprise may, and so may another of the bureau; neither is then its reviewer.
    explained = ledger.explanations.explain(one.submission_id, {1: WHY}, REPORTER, Origin.PORTAL)
    assert explained.status is Verdict.ACCEPTED


def test_a_reporter_explains_the_own_filing(ledger: Ledger) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query(),), filed_by=REPORTER.name)
    explained = ledger.explanations.explain(one.submission_id, {1: WHY}, REPORTER, Origin.PORTAL)
    assert explained.status is Verdict.ACCEPTED
    [item] = ledger.reviews.queue(WANG).items
    assert item.waiting is Waiting.EXPLAINED


def test_an_old_version_is_acted_on_no_more_and_the_newer_one_is_named(ledger: Ledger) -> None:
    a_register(ledger)
    old = file(ledger, "a", findings=(a_query(),))
    new = file(ledger, "b", findings=(a_query(),))
    says = f"第 1 版）已被第 2 版（{new.submission_id}）替代.*replaced by version 2 \\({new.submission_id}"
    acts: list[tuple[type[Exception], Callable[[], object]]] = [
        (CannotConfirm, lambda: ledger.confirm(old.submission_id, WHY, LI)),
        (CannotConfirm, lambda: ledger.reviews.send_back(old.submission_id, WHY, LI)),
        (
            CannotExplain,
            lambda: ledger.explanations.explain(old.submission_id, {1: WHY}, REPORTER, Origin.PORTAL),
        ),
        (CannotExplain, lambda: ledger.explanations.accept(old.submission_id, LI)),
        (CannotExplain, lambda: ledger.explanations.refuse(old.submission_id, WHY, LI)),
    ]
    for refusal, act in acts:
        with pytest.raises(refusal, match=says):
            act()
    assert again(ledger, old).status is Verdict.QUERIES
    assert ledger.decisions(old.submission_id) == []
    assert ledger.confirm(new.submission_id, WHY, LI).status is Verdict.ACCEPTED


def test_what_is_in_force_is_reviewed_and_sent_back_while_its_correction_is_refused(ledger: Ledger) -> None:
    a_register(ledger)
    in_force = file(ledger, "a", findings=(a_query(),))
    ledger.explanations.explain(in_force.submission_id, {1: "合同一次性付款"}, REPORTER, Origin.PORTAL)
    broken = file(ledger, "b", findings=(AN_ERROR,))
    # It counts, so its explanation does not vanish from the list behind a file that does not.
    [item] = ledger.reviews.queue(WANG).items
    assert (item.submission.submission_id, item.waiting) == (in_force.submission_id, Waiting.EXPLAINED)
    with pytest.raises(CannotExplain, match=broken.submission_id):
        ledger.explanations.explain(in_force.submission_id, {1: "又一说明，请见"}, REPORTER, Origin.PORTAL)
    ledger.explanations.accept(in_force.submission_id, WANG)
    assert ledger.reviews.queue(WANG).items == []
    assert ledger.reviews.send_back(in_force.submission_id, "企业来电更正", WANG).is_returned


@pytest.mark.parametrize("actor", [REPORTER, WANG])
def test_explanations_are_reviewed_by_somebody_else(ledger: Ledger, actor: Actor) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query(),), filed_by="zhao")
    ledger.explanations.explain(one.submission_id, {1: WHY}, WANG, Origin.CLI)
    with pytest.raises((CannotExplain, NotAllowed)):
        ledger.explanations.accept(one.submission_id, actor)
    with pytest.raises(CannotConfirm, match="报送"):
        ledger.explanations.refuse(one.submission_id, "请附合同首页", ZHAO)
    assert ledger.explanations.accept(one.submission_id, LI).status is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("reasons", "says"),
    [
        ({}, "没有收到"),
        ({1: "好"}, "5 至 1000"),
        ({1: "x" * 1001}, "5 至 1000"),
        ({2: WHY}, "必须更正"),
        ({3: WHY}, "无需说明"),
        ({9: WHY}, "没有第 9 条"),
        ({1: WHY, 2: WHY}, "必须更正"),
    ],
)
def test_only_queries_are_explained_and_all_of_it_or_nothing(
    ledger: Ledger, reasons: dict[int, str], says: str
) -> None:
    info = replace(a_query("Q9"), severity=Severity.INFO)
    one = file(ledger, "a", findings=(a_query(), AN_ERROR, info))
    with pytest.raises(CannotExplain, match=says):
        ledger.explanations.explain(one.submission_id, reasons, LI, Origin.PORTAL)
    assert ledger.explanations.standing(["E01"]) == []


def test_a_remark_in_the_row_is_kept_as_an_explanation_and_can_be_refused(ledger: Ledger) -> None:
    remarked = replace(
        a_query("Q2a"), severity=Severity.INFO, explanation="合同固定金额", explanation_origin="remark"
    )
    one = file(ledger, "a", findings=(remarked,))
    assert one.status is Verdict.ACCEPTED
    [kept] = ledger.explanations.standing(["E01"])
    assert (kept.reason, kept.origin, kept.given_by) == ("合同固定金额", Origin.REMARK, "e01")
    [item] = ledger.reviews.queue(WANG).items
    assert item.waiting is Waiting.EXPLAINED
    refused = ledger.explanations.refuse(one.submission_id, "金额应随汇率变化", WANG)
    assert refused.status is Verdict.QUERIES
    assert ledger.explanations.queries(one.submission_id)[0].is_open


def test_every_act_is_in_the_audit_log_in_order_and_without_figures(ledger: Ledger) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query(given="12,500,000"),))
    ledger.explanations.explain(one.submission_id, {1: "合同一次性付款"}, REPORTER, Origin.PORTAL)
    ledger.explanations.refuse(one.submission_id, "请附合同首页", WANG)
    ledger.confirm(one.submission_id, WHY, LI)
    ledger.reviews.send_back(one.submission_id, "合计与明细不符", ZHAO)
    ledger.reviews.withdraw_return(one.submission_id, "企业已来电说明", LI)
    trail = ledger.audit.trail("submission", one.submission_id)
    assert [(entry.action, entry.actor) for entry in trail] == [
        ("submission.filed", "e01"),
        ("finding.explained", "e01"),
        ("submission.explained", "e01"),
        ("explanation.refused", "wang"),
        ("submission.queried_again", "wang"),
        ("submission.confirmed", "li"),
        ("submission.returned", "zhao"),
        ("submission.return_withdrawn", "li"),
    ]
    assert (trail[2].old, trail[2].new["state"]) == ({"state": "queries"}, "accepted")
    assert "各项疑问均已说明" in trail[2].reason
    assert (trail[3].old["state"], trail[3].new["state"]) == ("given", "refused")
    assert (trail[4].old, trail[4].new["state"]) == ({"state": "accepted"}, "queries")
    assert trail[4].reason == "请附合同首页"
    assert trail[6].old == {"state": "accepted"}
    assert (trail[6].new["state"], trail[6].reason) == ("returned", "合计与明细不符")
    assert not any("12,500,000" in str(entry) for entry in trail)
    assert ledger.audit.verify() == []
