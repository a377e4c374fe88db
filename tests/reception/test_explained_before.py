"""A query that was answered is not asked again; a closed month and a 退回 are told at the door."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl
import pytest
from filed_by_hand import Line, a_file, a_workbook, credit_code

from pipelines.findings import Finding, Severity, Verdict
from pipelines.ledger import Ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.explanations import Origin
from pipelines.ledger.months import MonthActKind
from pipelines.periods import Month
from pipelines.reception import FileResult, IncomingFile, Reception
from pipelines.review_sheet import COLUMNS, words

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


def test_what_was_explained_is_not_asked_again_and_the_reason_is_quoted(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    explained = ledger.explanations.explain(february.submission_id, {1: FIXED}, REPORTER, Origin.PORTAL)
    assert explained.status is Verdict.ACCEPTED
    [checked] = reception.check([month_of(3)])
    [march] = submit(reception, month_of(3))
    [finding] = covered(march)
    assert (march.verdict, finding.severity, finding.explanation) == (Verdict.ACCEPTED, Severity.INFO, FIXED)
    assert f"2020-02 已说明：“{FIXED}”" in finding.message.zh
    assert f"Explained for 2020-02: “{FIXED}”" in finding.message.en
    assert "待核实" not in finding.message.zh
    assert finding.message.zh.endswith("〔Q2a〕")
    assert checked.findings == march.findings
    assert ledger.findings(march.submission_id) == list(march.findings)


def test_an_explanation_is_quoted_from_where_it_was_given_and_holds_a_year(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    ledger.explanations.explain(february.submission_id, {1: FIXED}, REPORTER, Origin.PORTAL)
    results = submit(reception, *(month_of(number) for number in range(3, 12)))
    assert {result.verdict for result in results} == {Verdict.ACCEPTED}
    assert {finding.explained_period for result in results for finding in covered(result)} == {"2020-02"}


def test_a_refused_explanation_covers_nothing(
    february: FileResult, ledger: Ledger, reception: Reception
) -> None:
    ledger.explanations.explain(february.submission_id, {1: FIXED}, REPORTER, Origin.PORTAL)
    [march] = submit(reception, month_of(3))
    ledger.explanations.refuse(february.submission_id, "请附合同首页", WANG)
    [april] = submit(reception, month_of(4))
    assert (march.verdict, april.verdict) == (Verdict.ACCEPTED, Verdict.QUERIES)
    assert covered(april) == []


def test_another_row_is_another_query(february: FileResult, ledger: Ledger, reception: Reception) -> None:
    ledger.explanations.explain(february.submission_id, {1: FIXED}, REPORTER, Origin.PORTAL)
    other = [
        Line(export=123.4, export_ytd=370.2),
        Line(item="SJ1", partner="JPN", export=567.8, export_ytd=567.8),
    ]
    april = [replace(other[0], export_ytd=493.6), replace(other[1], export_ytd=1135.6)]
    submit(reception, a_file("3月.xlsx", a_workbook(E01, "2020-03", other), "2020-04-08T09:00"))
    [result] = submit(reception, a_file("4月.xlsx", a_workbook(E01, "2020-04", april), "2020-05-08T09:00"))
    assert [finding.key.split("/")[1] for finding in covered(result)] == ["SI2"]
    assert [finding.key.split("/")[1] for finding in queries(result) if finding.rule == "Q2a"] == ["SJ1"]


def test_months_filed_together_are_judged_as_when_filed_one_by_one(
    ledger: Ledger, reception: Reception
) -> None:
    files = [month_of(1), month_of(2, remark=FIXED), month_of(3), month_of(4)]
    together = reception.check(files)
    one_by_one = [submit(reception, file)[0] for file in files]
    assert [result.findings for result in together] == [result.findings for result in one_by_one]
    assert [result.verdict for result in together] == [Verdict.ACCEPTED] * 4
    [kept] = ledger.explanations.standing([E01])
    assert (kept.origin, kept.reason, kept.given_by) == (Origin.REMARK, FIXED, "王")


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
        "key": query.key,
    }
    sheet.append([values.get(column, "") for column in COLUMNS])
    target = io.BytesIO()
    book.save(target)
    [result] = submit(reception, a_file("2月（审核意见）.xlsx", target.getvalue(), "2020-03-09T09:00"))
    [finding] = [finding for finding in result.findings if finding.explanation_origin == "workbook"]
    assert (result.verdict, finding.explanation) == (Verdict.ACCEPTED, FIXED)
    assert FIXED in finding.message.zh
    [kept] = ledger.explanations.standing([E01])
    assert kept.origin is Origin.WORKBOOK


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
    assert "2020-01 已结账" in note.message.zh
    first, second = ledger.submissions(january)
    assert (first.is_current_accepted, second.is_current_accepted) == (True, False)
    # February is compared with what is believed now: 130 in January.
    february = a_workbook(E01, "2020-02", [Line(export=10, export_ytd=140)])
    [judged] = submit(reception, a_file("2月.xlsx", february, "2020-03-08T09:00"))
    assert not [finding for finding in judged.findings if finding.rule == "H2"]


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
