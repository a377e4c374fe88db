"""At the door: a remark that says nothing new leaves its query open, and an answer that is not used is told."""

from __future__ import annotations

import io

import openpyxl
import pytest
from filed_by_hand import Line, a_file, a_workbook, credit_code

from pipelines.findings import Finding, Severity, Verdict
from pipelines.ledger import Ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.reception import FileResult, IncomingFile, Reception
from pipelines.validation.annotate import annotated_copy

E01 = credit_code(1)
WANG = Actor("wang", frozenset({Role.CLERK}))
ROUTINE = "软件开发服务"
AMOUNTS = {1: 98.25, 2: 101.5, 3: 99.75}


def month_of(number: int, amount: float, remark: str = ROUTINE) -> IncomingFile:
    """The return of a month of 2020 with one row; its total since January follows the months before."""
    before = sum(AMOUNTS[month] for month in range(1, min(number, 4)))
    line = Line(export=amount, export_ytd=round(before + amount, 2), remark=remark)
    content = a_workbook(E01, f"2020-{number:02d}", [line])
    return a_file(f"{number}月.xlsx", content, f"2020-{number + 1:02d}-08T09:00")


def submit(reception: Reception, *files: IncomingFile) -> list[FileResult]:
    return reception.submit(files, channel="test", received_by="王")


def the_query(result: FileResult) -> Finding:
    [query] = [finding for finding in result.findings if finding.severity is Severity.WARNING]
    return query


@pytest.fixture
def three_months(reception: Reception) -> None:
    for result in submit(reception, *(month_of(number, amount) for number, amount in AMOUNTS.items())):
        assert result.verdict is Verdict.ACCEPTED


@pytest.mark.usefixtures("three_months")
def test_a_routine_remark_does_not_let_a_slip_in(reception: Reception) -> None:
    [fourth] = submit(reception, month_of(4, 200000))
    assert (fourth.verdict, the_query(fourth).rule) == (Verdict.QUERIES, "Q3")
    assert f"“说明”栏的“{ROUTINE}”与上一份通过的报表相同" in the_query(fourth).message.zh
    [again] = submit(reception, month_of(4, 200000, "并购海外子公司，一次性结算"))
    assert again.verdict is Verdict.ACCEPTED


@pytest.mark.usefixtures("three_months")
def test_what_a_reviewer_took_answers_the_same_query_under_the_same_remark(
    ledger: Ledger, reception: Reception
) -> None:
    [fourth] = submit(reception, month_of(4, AMOUNTS[3], "合同固定月费"))
    assert (fourth.verdict, [found.rule for found in fourth.findings]) == (Verdict.ACCEPTED, ["Q2a"])
    file = a_file(
        "5月.xlsx",
        a_workbook(
            E01,
            "2020-05",
            [
                Line(
                    export=AMOUNTS[3],
                    export_ytd=sum(AMOUNTS.values()) + 2 * AMOUNTS[3],
                    remark="合同固定月费",
                )
            ],
        ),
        "2020-06-08T09:00",
    )
    assert the_query(reception.check([file])[0]).rule == "Q2a"
    ledger.explanations.accept(fourth.submission_id, WANG)
    assert reception.check([file])[0].verdict is Verdict.ACCEPTED


@pytest.mark.usefixtures("three_months")
def test_an_answer_that_is_too_short_is_told_and_stays_in_the_next_copy(reception: Reception) -> None:
    first = month_of(4, 200000, "")
    [queried] = submit(reception, first)
    assert first.content is not None
    copy = annotated_copy(first.content, "4月.xlsx", queried.findings, (), verdict=queried.verdict).content
    book = openpyxl.load_workbook(io.BytesIO(copy))
    [row] = [row for row in book["审核意见"].iter_rows() if row[1].value == "Q3"]
    row[8].value = "属实"
    target = io.BytesIO()
    book.save(target)
    [result] = submit(reception, a_file("4月_审核意见.xlsx", target.getvalue(), "2020-05-09T09:00"))
    assert (result.verdict, the_query(result).rule) == (Verdict.QUERIES, "Q3")
    [told] = [finding for finding in result.findings if finding.rule == "M7"]
    assert "其中 1 条没有采用：服务进出口 " in told.message.zh
    assert "“属实”：不足 5 个字" in told.message.zh
    again = annotated_copy(target.getvalue(), "4月.xlsx", result.findings, (), verdict=result.verdict).content
    page = openpyxl.load_workbook(io.BytesIO(again))["审核意见"]
    assert [row[8].value for row in page.iter_rows() if row[1].value == "Q3"] == ["属实"]
