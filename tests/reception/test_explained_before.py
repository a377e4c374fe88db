"""A query that was answered is not asked again; a closed month and a 退回 are told at the door."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl
import pytest
from filed_by_hand import Line, a_file, a_workbook, credit_code

from pipelines.findings import Finding, Severity, Verdict
from pipelines.ledger import Ledger, NewBatch, Recorded
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.explanations import Origin
from pipelines.ledger.months import MonthActKind
from pipelines.periods import Month
from pipelines.reception import FileResult, IncomingFile, Reception
from pipelines.review_sheet import COLUMNS, MARKER, checked_key, words

E01 = credit_code(1)
REPORTER = Actor("e01", frozenset({Role.REPORTER}), enterprise_codes=frozenset({E01}))
WANG = Actor("wang", frozenset({Role.CLERK}))
LI = Actor("li", frozenset({Role.ANALYST}))
FIXED = "合同固定月费，每月相同"


def month_of(number: int, amount: float = 123.4, remark: str = "", **more: object) -> IncomingFile:
    """The return of a month of 2020 with one row: the same amount every month, unless said otherwise."""
    line = Line(export=amount, export_ytd=round(123.4 * (number - 1) + amount, 2), remark=remark)
    content = a_workbook(E01, f"2020-{number:02d}", [line], **more)  # type: ignore[arg-type]
    return a_file(f"{number}月.xlsx", content, f"2020-{number + 1:02d}-08T09:00")


def submit(reception: Reception, *files: IncomingFile) -> list[FileResult]:
    return reception.submit(files, channel="test", received_by="王")


def queries(result: FileResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.severity is Severity.WARNING]


def covered(result: FileResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.explanation_origin == "earlier"]


def explained_and_taken(ledger: Ledger, result: FileResult) -> None:
    """The enterprise explains its one query, and a reviewer takes the explanation."""
    explained = ledger.explanations.explain(result.submission_id, {1: FIXED}, REPORTER, Origin.PORTAL)
    assert explained.status is Verdict.ACCEPTED
    ledger.explanations.accept(result.submission_id, WANG)


@pytest.fixture
def february(reception: Reception) -> FileResult:
    """A return queried for the same value as last month (Q2a)."""
    _, result = submit(reception, month_of(1), month_of(2))
    [query] = queries(result)
    assert (query.rule, result.verdict) == ("Q2a", Verdict.QUERIES)
    return result


def test_without_an_explanation_the_query_comes_every_month(reception: Reception) -> None:
    changing = [
        Line(export=123.4, export_ytd=123.4),
        Line(export=200, export_ytd=323.4),
        Line(export=200.4, export_ytd=523.8),
        Line(export=200.4, export_ytd=724.2),
    ]
    for number, line in enumerate(changing, start=1):
        content = a_workbook(E01, f"2020-{number:02d}", [line])
        [result] = submit(reception, a_file(f"{number}月.xlsx", content, f"2020-{number + 1:02d}-08T09:00"))
    assert [finding.rule for finding in queries(result)] == ["Q2a"]


def test_what_a_reviewer_confirmed_is_not_asked_again_either(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    ledger.confirm(february.submission_id, FIXED, WANG)
    [march] = submit(reception, month_of(3))
    assert [finding.explanation for finding in covered(march)] == [FIXED]
    assert march.verdict is Verdict.ACCEPTED


def test_what_was_explained_and_taken_is_not_asked_again_and_the_reason_is_quoted(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    explained_and_taken(ledger, february)
    [checked] = reception.check([month_of(3)])
    [march] = submit(reception, month_of(3))
    [finding] = covered(march)
    assert (march.verdict, finding.severity, finding.explanation) == (Verdict.ACCEPTED, Severity.INFO, FIXED)
    assert f"2020年2月已说明：“{FIXED}”" in finding.message.zh
    assert f"Explained for February 2020: “{FIXED}”" in finding.message.en
    assert "待核实" not in finding.message.zh
    assert finding.message.zh.endswith("〔Q2a〕")
    assert checked.findings == march.findings
    assert ledger.findings(march.submission_id) == list(march.findings)


def test_an_explanation_that_nobody_has_reviewed_answers_no_later_month(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    ledger.explanations.explain(february.submission_id, {1: FIXED}, REPORTER, Origin.PORTAL)
    [march] = submit(reception, month_of(3))
    assert (march.verdict, covered(march)) == (Verdict.QUERIES, [])


def test_a_return_filed_again_keeps_its_explanation_and_goes_on_waiting_for_a_reviewer(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    ledger.explanations.explain(february.submission_id, {1: FIXED}, REPORTER, Origin.PORTAL)
    [again] = submit(reception, month_of(2, is_revision=True))
    assert (again.verdict, [finding.explanation for finding in covered(again)]) == (Verdict.ACCEPTED, [FIXED])
    [item] = ledger.reviews.queue(WANG).items
    assert (item.submission.submission_id, item.explanation_count) == (again.submission_id, 1)
    [query] = ledger.explanations.queries(again.submission_id)
    assert query.explanation is not None
    assert (query.explanation.given_by, query.explanation.origin) == ("e01", Origin.PORTAL)

    refused = ledger.explanations.refuse(again.submission_id, "请附合同首页", WANG)
    assert refused.status is Verdict.QUERIES
    # And the explanation of the version before does not come back through a third.
    [third] = submit(reception, month_of(2, is_revision=True, note="再报"))
    assert (third.verdict, covered(third)) == (Verdict.QUERIES, [])


def test_an_explanation_is_quoted_from_where_it_was_given_and_holds_a_year(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    explained_and_taken(ledger, february)
    results = submit(reception, *(month_of(number) for number in range(3, 12)))
    assert {result.verdict for result in results} == {Verdict.ACCEPTED}
    assert {finding.explained_period for result in results for finding in covered(result)} == {"2020-02"}


def test_a_refused_explanation_covers_nothing(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    explained_and_taken(ledger, february)
    [march] = submit(reception, month_of(3))
    ledger.explanations.refuse(february.submission_id, "请附合同首页", LI, ordinals=[1])
    [april] = submit(reception, month_of(4))
    assert (march.verdict, april.verdict) == (Verdict.ACCEPTED, Verdict.QUERIES)
    assert covered(april) == []


def test_another_row_is_another_query(february: FileResult, ledger: Ledger, reception: Reception) -> None:
    explained_and_taken(ledger, february)
    other = [
        Line(export=123.4, export_ytd=370.2),
        Line(item="SJ1", partner="JPN", export=150.5, export_ytd=150.5),
    ]
    april = [replace(other[0], export_ytd=493.6), replace(other[1], export_ytd=301)]
    submit(reception, a_file("3月.xlsx", a_workbook(E01, "2020-03", other), "2020-04-08T09:00"))
    [result] = submit(reception, a_file("4月.xlsx", a_workbook(E01, "2020-04", april), "2020-05-08T09:00"))
    assert [finding.key.split("/")[1] for finding in covered(result)] == ["SI2"]
    assert [finding.key.split("/")[1] for finding in queries(result) if finding.rule == "Q2a"] == ["SJ1"]


def test_months_filed_together_are_judged_as_when_filed_one_by_one(
    ledger: Ledger, reception: Reception
) -> None:
    files = [
        month_of(1),
        month_of(2, remark=FIXED),
        month_of(2, is_revision=True),  # the remark is gone: that of the version before still answers
        month_of(3, remark=FIXED),
        month_of(4),
    ]
    together = reception.check(files)
    one_by_one = [submit(reception, file)[0] for file in files]
    assert [result.findings for result in together] == [result.findings for result in one_by_one]
    assert [result.verdict.value for result in together] == [
        "accepted",
        "accepted",
        "accepted",
        "accepted",
        "queries",  # no reviewer has taken the explanations of the months before
    ]
    kept = ledger.explanations.standing([E01])
    assert {(one.origin, one.reason, one.given_by) for one in kept} == {(Origin.REMARK, FIXED, "王")}
    assert [one.month_start_date.month for one in kept] == [2, 2, 3]


def test_an_error_is_never_explained_away(february: FileResult, ledger: Ledger, reception: Reception) -> None:
    ledger.explanations.explain(february.submission_id, {1: FIXED}, REPORTER, Origin.PORTAL)
    wrong = [Line(export=123.4, export_ytd=999)]
    [march] = submit(reception, a_file("3月.xlsx", a_workbook(E01, "2020-03", wrong), "2020-04-08T09:00"))
    assert march.verdict is Verdict.REJECTED


def test_an_answer_in_the_annotated_workbook_explains_its_query(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    [query] = queries(february)
    book = openpyxl.load_workbook(io.BytesIO(month_of(2).content or b""))
    sheet = book.create_sheet(words("sheet_name").zh)
    sheet.append([words("heads", column).zh for column in COLUMNS])
    values = {
        "number": 1,
        "rule": query.rule,
        "sheet": query.sheet,
        "cell": query.cell,
        "given": query.given,
        "answer": FIXED,
        "key": checked_key(query.rule, query.sheet, query.cell, query.given, query.key),
    }
    sheet.append([values.get(column, "") for column in COLUMNS])
    sheet["K1"] = MARKER
    target = io.BytesIO()
    book.save(target)
    [result] = submit(reception, a_file("2月（审核意见）.xlsx", target.getvalue(), "2020-03-09T09:00"))
    [finding] = [finding for finding in result.findings if finding.explanation_origin == "workbook"]
    assert (result.verdict, finding.explanation) == (Verdict.ACCEPTED, FIXED)
    assert FIXED in finding.message.zh
    [kept] = ledger.explanations.standing([E01])
    assert kept.origin is Origin.WORKBOOK


# -- explanations that were not taken -------------------------------------------------------------------------


def test_what_was_explained_and_sent_back_is_asked_anew(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    ledger.explanations.explain(february.submission_id, {1: FIXED}, REPORTER, Origin.PORTAL)
    ledger.reviews.send_back(february.submission_id, "金额明显是单位错误，请更正", WANG)
    assert ledger.explanations.standing([E01]) == []
    [checked] = reception.check([month_of(2, note="改")])
    [again] = submit(reception, month_of(2, note="改"))
    assert checked.findings == again.findings
    assert (again.verdict, covered(again)) == (Verdict.QUERIES, [])
    assert [query.rule for query in queries(again)] == ["Q2a"]
    # Whatever the enterprise says now is for a reviewer to take.
    [third] = submit(reception, month_of(2, remark="合同第三条写明固定月费"))
    [query] = queries(third)
    assert (third.verdict, query.explanation_origin) == (Verdict.QUERIES, "remark")
    assert "须由审核人员采纳后方可通过" in query.message.zh
    assert "a reviewer has to take this one first" in query.message.en
    assert query.message.zh.endswith("〔Q2a〕")
    assert "不影响提交" not in query.message.zh
    taken = ledger.explanations.accept(third.submission_id, WANG)
    assert (taken.status, taken.is_current_accepted) == (Verdict.ACCEPTED, True)
    # Taken, it answers as any other does.
    [fourth] = submit(reception, month_of(2, is_revision=True, note="四"))
    [march] = submit(reception, month_of(3))
    assert (fourth.verdict, march.verdict) == (Verdict.ACCEPTED, Verdict.ACCEPTED)


def test_a_sending_back_that_is_taken_back_gives_the_explanation_its_worth_again(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    explained_and_taken(ledger, february)
    submit(reception, month_of(3))
    ledger.reviews.send_back(february.submission_id, "金额明显是单位错误，请更正", WANG)
    assert reception.check([month_of(4)])[0].verdict is Verdict.QUERIES
    ledger.reviews.withdraw_return(february.submission_id, "企业已来电说明", LI)
    assert reception.check([month_of(4)])[0].verdict is Verdict.ACCEPTED


def test_a_later_month_that_was_sent_back_is_not_accepted_on_the_earlier_explanation(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    explained_and_taken(ledger, february)
    [march] = submit(reception, month_of(3))
    assert march.verdict is Verdict.ACCEPTED
    ledger.reviews.send_back(march.submission_id, "本月合同已经变更，请核对", WANG)
    [again] = submit(reception, month_of(3, note="改"))
    assert (again.verdict, covered(again)) == (Verdict.QUERIES, [])


def test_a_remark_that_was_refused_is_not_accepted_by_filing_it_again(
    ledger: Ledger, reception: Reception
) -> None:
    _, february = submit(reception, month_of(1), month_of(2, remark=FIXED))
    assert february.verdict is Verdict.ACCEPTED
    ledger.explanations.refuse(february.submission_id, "请附合同首页", WANG)
    [same] = submit(reception, month_of(2, remark=FIXED, note="改"))
    [query] = queries(same)
    assert (same.verdict, query.explanation, query.explanation_origin) == (Verdict.QUERIES, "", "")
    assert "此前未被采纳（审核意见：请附合同首页）" in query.message.zh
    assert "was not taken before (the reviewer says: 请附合同首页)" in query.message.en
    [item] = ledger.reviews.queue(WANG).items
    assert (item.submission.submission_id, item.explanation_count) == (same.submission_id, 0)
    # Other words are kept for the reviewer, and change nothing before that.
    [other] = submit(reception, month_of(2, remark="合同编号 2020-17，首页已传真"))
    [item] = ledger.reviews.queue(WANG).items
    assert (other.verdict, item.explanation_count, item.open_query_count) == (Verdict.QUERIES, 1, 1)
    confirmed = ledger.confirm(other.submission_id, "已看到合同首页", WANG)
    assert confirmed.status is Verdict.ACCEPTED
    [kept] = ledger.explanations.standing([E01])
    assert (kept.reason, kept.state) == ("合同编号 2020-17，首页已传真", "accepted")


def test_a_file_judged_while_its_explanation_is_refused_is_judged_again(
    february: FileResult, ledger: Ledger, reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    explained_and_taken(ledger, february)
    submit(reception, month_of(3))
    record, refusals = ledger.record, []

    def record_after_a_refusal(batch: NewBatch) -> Recorded:
        if not refusals:
            refusals.append(
                ledger.explanations.refuse(february.submission_id, "请附合同首页", LI, ordinals=[1])
            )
        return record(batch)

    monkeypatch.setattr(ledger, "record", record_after_a_refusal)
    [april] = submit(reception, month_of(4))
    assert len(refusals) == 1
    assert (april.verdict, covered(april)) == (Verdict.QUERIES, [])


# -- January and February together, January closed ------------------------------------------------------------


def close(ledger: Ledger, month: Month) -> None:
    ledger.months.propose(month, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    ledger.months.confirm(month, LI)


def joint(amount: float = 300, received: str = "2020-03-08T09:00", **more: object) -> IncomingFile:
    line = Line(export=amount, export_ytd=amount)
    content = a_workbook(E01, "2020-02", [line], period="2020年1-2月", **more)  # type: ignore[arg-type]
    return a_file("1-2月.xlsx", content, received)


def test_a_joint_return_after_january_was_closed_is_told_how_to_file_and_that_way_counts(
    ledger: Ledger, reception: Reception
) -> None:
    january, february = Month(2020, 1), Month(2020, 2)
    close(ledger, january)
    [checked] = reception.check([joint()])
    [refused] = submit(reception, joint())
    assert checked.findings == refused.findings
    assert refused.verdict is Verdict.REJECTED
    [how] = [finding for finding in refused.findings if finding.rule == "M3"]
    assert how.severity is Severity.CRITICAL
    assert "2020年2月单独一份（随即计入2020年2月" in how.message.zh
    assert "February 2020 alone (it counts at once" in how.message.en

    alone = submit(reception, month_of(1), month_of(2, 176.6))
    assert [result.verdict for result in alone] == [Verdict.ACCEPTED, Verdict.ACCEPTED]
    assert not ledger.counted_submissions(january)
    counted = [one.submission_id for one in ledger.counted_submissions(february) if one.is_current_accepted]
    assert counted == [alone[1].submission_id]


def test_a_joint_return_in_force_is_still_corrected_after_january_was_closed(
    ledger: Ledger, reception: Reception
) -> None:
    [first] = submit(reception, joint())
    close(ledger, Month(2020, 1))
    [correction] = submit(reception, joint(310, is_revision=True))
    assert (first.verdict, correction.verdict) == (Verdict.ACCEPTED, Verdict.ACCEPTED)
    assert [finding.rule for finding in correction.findings if finding.rule.startswith("M")] == ["M1"]
    counted = [one.submission_id for one in ledger.counted_submissions(Month(2020, 2))]
    assert counted == [first.submission_id]


def test_where_both_months_are_closed_a_joint_return_waits_for_both(
    ledger: Ledger, reception: Reception
) -> None:
    close(ledger, Month(2020, 1))
    close(ledger, Month(2020, 2))
    [late] = submit(reception, joint())
    assert (late.verdict, [finding.rule for finding in late.findings]) == (Verdict.ACCEPTED, ["M1"])


def test_a_joint_return_that_came_to_count_for_nothing_is_sent_back_and_february_filed_alone(
    ledger: Ledger, reception: Reception
) -> None:
    """Queried before January was closed, confirmed after it."""
    [queried] = submit(reception, joint(received="2020-02-28T09:00"))
    assert queried.verdict is Verdict.QUERIES
    close(ledger, Month(2020, 1))
    confirmed = ledger.confirm(queried.submission_id, "已与企业核实，确有大额合同", LI)
    assert (confirmed.status, confirmed.is_current_accepted) == (Verdict.ACCEPTED, False)
    [alone] = submit(reception, month_of(2, 176.6))
    assert alone.verdict is Verdict.REJECTED
    [what_to_do] = [finding for finding in alone.findings if finding.rule == "M4"]
    assert "请先联系统计人员退回该合并报表" in what_to_do.message.zh
    assert queried.submission_id in what_to_do.message.en
    ledger.reviews.send_back(queried.submission_id, "请改为分月报送", LI)
    [again] = submit(reception, month_of(2, 176.6, note="再报"))
    assert again.verdict is Verdict.ACCEPTED
    assert ledger.submissions(submission_ids=[again.submission_id])[0].is_current_accepted


# -- closed months and 退回 -----------------------------------------------------------------------------------


def test_a_return_for_a_closed_month_is_received_judged_and_marked(
    ledger: Ledger, reception: Reception
) -> None:
    submit(reception, month_of(1))
    january = Month(2020, 1)
    ledger.months.propose(january, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    ledger.months.confirm(january, LI)
    correction = month_of(1, 130, is_revision=True)
    [checked] = reception.check([correction])
    [result] = submit(reception, correction)
    assert checked.findings == result.findings
    [note] = [finding for finding in result.findings if finding.rule == "M1"]
    assert (result.verdict, result.version, note.severity) == (Verdict.ACCEPTED, 2, Severity.INFO)
    assert "2020年1月已结账" in note.message.zh
    first, second = ledger.submissions(january)
    assert (first.is_current_accepted, second.is_current_accepted) == (True, False)
    # February is compared with what is believed now: 130 in January.
    february = a_workbook(E01, "2020-02", [Line(export=10, export_ytd=140)])
    [judged] = submit(reception, a_file("2月.xlsx", february, "2020-03-08T09:00"))
    assert not [finding for finding in judged.findings if finding.rule == "H2"]


def test_a_return_whose_month_is_closed_while_it_is_judged_is_told_so(
    ledger: Ledger, reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, january = ledger.record, Month(2020, 1)

    def record_after_the_closing(batch: NewBatch) -> Recorded:
        if not ledger.months.closings():
            close(ledger, january)
        return record(batch)

    monkeypatch.setattr(ledger, "record", record_after_the_closing)
    [result] = submit(reception, month_of(1))
    [one] = ledger.submissions(january)
    assert one.is_late_revision
    assert [finding.rule for finding in result.findings] == ["M1"]


def test_a_file_that_was_sent_back_is_answered_with_the_reason_first(
    ledger: Ledger, reception: Reception
) -> None:
    [result] = submit(reception, month_of(1))
    ledger.reviews.send_back(result.submission_id, "计量单位应为万美元，请核对", LI)
    [again] = submit(reception, month_of(1))
    assert again.verdict is Verdict.REJECTED
    assert (again.findings[0].rule, again.findings[0].severity) == ("M2", Severity.CRITICAL)
    assert "计量单位应为万美元" in again.findings[0].message.zh
    [corrected] = submit(reception, month_of(1, 124))
    assert corrected.verdict is Verdict.ACCEPTED
