"""What is said of a departmental table where a month it speaks of is closed; of returns, see test_explained_before."""

from __future__ import annotations

import pytest
from filed_by_hand import a_file, a_rate_table

from pipelines.findings import Finding, Severity, Verdict
from pipelines.ledger import Ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.months import MonthActKind
from pipelines.periods import Month
from pipelines.reception import FileResult, IncomingFile, Reception

WANG = Actor("wang", frozenset({Role.CLERK}))
LI = Actor("li", frozenset({Role.ANALYST}))


def pass_on(ledger: Ledger, month: Month, act: MonthActKind) -> None:
    ledger.months.propose(month, act, "收表期已过，照此办理", WANG)
    ledger.months.confirm(month, LI)


def indicators(*periods: str, head: str = "") -> IncomingFile:
    rows = "".join(f"服务外包合同额,{period},{12 + number}\n" for number, period in enumerate(periods))
    table = f"表号：DM-4\n提供部门：市商务局\n{head}计量单位：亿美元\n指标,时期,数值\n{rows}"
    return a_file("部门指标.csv", table.encode(), "2021-06-08T09:00")


def submit(reception: Reception, file: IncomingFile) -> FileResult:
    [checked] = reception.check([file])
    [result] = reception.submit([file], channel="test", received_by="王")
    assert result.findings == checked.findings
    return result


def said_of_closings(result: FileResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.rule == "M5"]


def test_while_nothing_is_closed_nothing_is_said(reception: Reception) -> None:
    assert not said_of_closings(submit(reception, indicators("2020-03")))


def test_a_table_of_which_nothing_counts_now_says_so(ledger: Ledger, reception: Reception) -> None:
    pass_on(ledger, Month(2020, 3), MonthActKind.CLOSE)
    result = submit(reception, indicators("2020-02", "2020-03"))
    [note] = said_of_closings(result)
    assert (result.verdict, note.severity, note.given) == (
        Verdict.ACCEPTED,
        Severity.INFO,
        "2020-02, 2020-03",
    )
    assert note.message.zh.startswith("2020年2月至2020年3月已结账（或其后月份已结账）。本表已收到并存档")
    assert "for now it changes no figure" in note.message.en


def test_a_table_that_goes_on_after_the_closing_names_the_months_it_no_longer_changes(
    ledger: Ledger, reception: Reception
) -> None:
    pass_on(ledger, Month(2020, 3), MonthActKind.CLOSE)
    [note] = said_of_closings(submit(reception, a_file("汇率.csv", a_rate_table(2020))))
    assert note.message.zh.startswith("2020年1月至2020年3月已结账")
    assert "其余月份的数据照常计入" in note.message.zh


@pytest.mark.parametrize(
    ("period", "is_kept"),
    [
        ("2020-Q1", True),
        ("2020年1-2月", True),
        ("2019年", True),  # growth and yearly figures of the closed month rest on it
        ("2020年上半年", False),  # counts in June
        ("2020年", False),
    ],
)
def test_a_figure_of_several_months_counts_in_the_last_of_them(
    ledger: Ledger, reception: Reception, period: str, is_kept: bool
) -> None:
    pass_on(ledger, Month(2020, 3), MonthActKind.CLOSE)
    assert bool(said_of_closings(submit(reception, indicators(period)))) is is_kept


def test_once_the_month_is_reopened_the_table_counts_and_nothing_is_said(
    ledger: Ledger, reception: Reception
) -> None:
    pass_on(ledger, Month(2020, 3), MonthActKind.CLOSE)
    pass_on(ledger, Month(2020, 3), MonthActKind.REOPEN)
    assert not said_of_closings(submit(reception, indicators("2020-02", "2020-03")))
