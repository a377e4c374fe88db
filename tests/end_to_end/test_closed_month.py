"""A closed month keeps every figure and every printed byte, whatever departments send afterwards."""

from __future__ import annotations

from decimal import Decimal

from bureau_at_work import ENTERPRISE, Bureau

from pipelines.findings import Verdict
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.months import MonthActKind
from pipelines.periods import Month
from pipelines.publication.drafts import write_month
from tests.reception.filed_by_hand import Line, a_rate_table, a_workbook

JANUARY, FEBRUARY = Month(2020, 1), Month(2020, 2)
WANG = Actor("wang", frozenset({Role.CLERK}))
LI = Actor("li", frozenset({Role.ANALYST}))


def pass_on(bureau: Bureau, act: MonthActKind) -> None:
    bureau.ledger.months.propose(JANUARY, act, "收表期已过，汇率已到", WANG)
    bureau.ledger.months.confirm(JANUARY, LI)


def rate(bureau: Bureau, month: Month) -> Decimal | None:
    found: Decimal | None = bureau.row("core.exchange_rate", str(month), currency_code="CNY").usd_per_unit
    return found


def draft(bureau: Bureau) -> dict[str, bytes]:
    """January computed anew, and every file of its draft."""
    bureau.computes("2020-01", "2020-02")
    folder = write_month(bureau.settings, bureau.con, JANUARY).folder
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rates_sent_again_after_the_closing_leave_the_closed_month_and_its_draft_as_they_are(
    bureau: Bureau,
) -> None:
    assert bureau.files("汇率.csv", a_rate_table(2020, 6.9)).verdict is Verdict.ACCEPTED
    for number, total in ((1, 690), (2, 1380)):
        line = Line(export=690, export_ytd=total, export_share=40)
        content = a_workbook(ENTERPRISE, f"2020-{number:02d}", [line], unit="万元")
        assert bureau.files(f"{number}月.xlsx", content).verdict is not Verdict.REJECTED
    for queried in bureau.ledger.submissions():
        if queried.status is Verdict.QUERIES:
            bureau.ledger.confirm(queried.submission_id, "已与企业核实，按月付款", LI)
    pass_on(bureau, MonthActKind.CLOSE)
    printed = draft(bureau)
    before = rate(bureau, JANUARY)
    assert before is not None

    again = bureau.files("汇率2.csv", a_rate_table(2020, 7.5))
    assert (again.verdict, again.version) == (Verdict.ACCEPTED, 2)
    assert draft(bureau) == printed
    assert rate(bureau, JANUARY) == before
    february = rate(bureau, FEBRUARY)
    assert february is not None
    assert february < before  # an open month goes by the new table

    pass_on(bureau, MonthActKind.REOPEN)
    revised = draft(bureau)
    assert rate(bureau, JANUARY) == february
    assert {name for name in printed if revised[name] != printed[name]} >= {"manifest.json"}
