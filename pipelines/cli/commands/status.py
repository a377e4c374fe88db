"""`servtrade status`: who has filed what, out of the ledger as it stands now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import MONTH, common, json_option
from pipelines.cli.stores import ledger_to_read
from pipelines.cli.terminal import Terminal
from pipelines.findings import Verdict
from pipelines.periods import Month
from pipelines.records import FileKind

if TYPE_CHECKING:
    from pipelines.ledger import Ledger
    from pipelines.ledger.shapes import EnterpriseSpell, Submission

_FIRST_OUTSTANDING = 10


@dataclass
class MonthStatus:
    """Filing for one reference month. An enterprise counts once, by its accepted version or else its latest.

    `late` says that its first readable version arrived after the deadline, as table 9 has it: a late correction of a
    return filed in time is not a late return.

    `not_filed` are register entries of the month without any readable return; files that could not be read
    belong to no month and are counted by `servtrade status --json` under unreadable.
    """

    month: Month
    expected: int = 0
    accepted: int = 0
    queries: int = 0
    rejected: int = 0
    zero_returns: int = 0
    late: int = 0
    versions: int = 0
    not_in_register: int = 0
    not_filed: list[EnterpriseSpell] = field(default_factory=list)
    returns: list[Submission] = field(default_factory=list)

    @property
    def filed(self) -> int:
        return self.accepted + self.queries + self.rejected

    def as_json(self) -> dict[str, Any]:
        return {
            "month": str(self.month),
            "expected": self.expected,
            "filed": self.filed,
            "accepted": self.accepted,
            "queries": self.queries,
            "rejected": self.rejected,
            "zero_returns": self.zero_returns,
            "late": self.late,
            "versions": self.versions,
            "not_in_register": self.not_in_register,
            "not_filed": len(self.not_filed),
        }


def month_status(month: Month, spells: list[EnterpriseSpell], submissions: list[Submission]) -> MonthStatus:
    """Count one month out of the register and the returns filed for it."""
    from pipelines.ledger.shapes import MONTHLY_PERIODS

    status = MonthStatus(month)
    expected = {
        spell.enterprise_code: spell
        for spell in spells
        if _covers(spell.from_month_start_date, spell.to_month_start_date, month.start_date)
    }
    status.expected = len(expected)
    standing: dict[str, Submission] = {}
    first_filed: dict[str, Submission] = {}
    for one in submissions:
        if one.kind.value != "return" or one.status is Verdict.UNREADABLE:
            continue
        if one.period_kind not in MONTHLY_PERIODS:
            continue  # forms of a year, half-year or quarter alone are the return of no month
        status.versions += 1
        first = first_filed.setdefault(one.enterprise_code, one)
        if one.sequence < first.sequence:
            first_filed[one.enterprise_code] = one
        if one.is_current or one.is_current_accepted:
            held = standing.get(one.enterprise_code)
            if held is None or one.is_current_accepted:
                standing[one.enterprise_code] = one
    for code, one in sorted(standing.items()):
        if code not in expected:
            status.not_in_register += 1
            continue
        status.returns.append(one)
        status.accepted += one.status is Verdict.ACCEPTED
        status.queries += one.status is Verdict.QUERIES
        status.rejected += one.status is Verdict.REJECTED
        status.zero_returns += one.is_zero_return
        status.late += first_filed[code].is_late
    status.not_filed = [spell for code, spell in sorted(expected.items()) if code not in standing]
    return status


def all_months(ledger: Ledger) -> tuple[list[MonthStatus], Counter[str]]:
    """Every month for which something was filed, and how many files are of no month, by status."""
    spells = ledger.enterprises()
    by_month: dict[Month, list[Submission]] = {}
    elsewhere: Counter[str] = Counter()
    for one in [*ledger.submissions(kind=FileKind.DEPARTMENT), *ledger.submissions(kind=FileKind.UNKNOWN)]:
        elsewhere[
            f"{one.kind.value}_{one.status.value}" if one.kind.value == "department" else one.status.value
        ] += 1
    for one in ledger.counted_submissions():
        if one.month_start_date is None or one.status is Verdict.UNREADABLE:
            elsewhere[one.status.value] += 1
        else:
            by_month.setdefault(Month.of(one.month_start_date), []).append(one)
    return [month_status(month, spells, by_month[month]) for month in sorted(by_month)], elsewhere


def _covers(first: date | None, last: date | None, day: date) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)


@click.command()
@click.option(
    "--month", type=MONTH, help="只看一个月，并列出未报企业 / one month, with those that have not filed"
)
@click.option("--all", "show_all", is_flag=True, help="列出全部未报企业 / list all that have not filed")
@common
@json_option
@click.pass_obj
def status(terminal: Terminal, month: Month | None, show_all: bool, as_json: bool) -> None:
    """各月应报、已报、通过、待核实、有错误、未报的家数。

    How many returns are expected, filed, accepted, queried, rejected, zero, late and not filed.
    """
    with ledger_to_read(terminal.settings) as ledger:
        if month is None:
            months, elsewhere = all_months(ledger)
        else:
            months = [month_status(month, ledger.enterprises(), ledger.counted_submissions(month))]
            elsewhere = Counter()
    if as_json:
        content: dict[str, Any] = {"months": [one.as_json() for one in months]}
        if month is None:
            content["other_files"] = dict(sorted(elsewhere.items()))
        else:
            [one] = months
            content["returns"] = [_return_json(each) for each in one.returns]
            content["not_filed"] = [
                {
                    "enterprise_code": spell.enterprise_code,
                    "enterprise_name": spell.enterprise_name,
                    "district_code": spell.district_code,
                }
                for spell in one.not_filed
            ]
        terminal.json(content)
        return
    if not months:
        terminal.note(terminal.word("status_none"))
        return
    terminal.table(
        [
            terminal.pick("月份", "month"),
            terminal.pick("应报", "expected"),
            terminal.pick("已报", "filed"),
            terminal.pick("通过", "accepted"),
            terminal.pick("待核实", "queries"),
            terminal.pick("有错误", "rejected"),
            terminal.pick("零报", "zero"),
            terminal.pick("迟报", "late"),
            terminal.pick("未报", "not filed"),
        ],
        [
            [
                str(one.month),
                one.expected,
                one.filed,
                one.accepted,
                one.queries,
                one.rejected,
                one.zero_returns,
                one.late,
                len(one.not_filed),
            ]
            for one in months
        ],
        right=set(range(1, 9)),
    )
    if month is not None and months[0].not_filed:
        _list_open(terminal, months[0], show_all)


def _list_open(terminal: Terminal, one: MonthStatus, show_all: bool) -> None:
    terminal.result()
    terminal.result(terminal.word("outstanding", count=len(one.not_filed)))
    shown = one.not_filed if show_all else one.not_filed[:_FIRST_OUTSTANDING]
    for spell in shown:
        terminal.result(f"  {spell.enterprise_code}  {spell.district_code}  {spell.enterprise_name}")
    if len(shown) < len(one.not_filed):
        terminal.note(terminal.word("and_more", count=len(one.not_filed) - len(shown)))


def _return_json(one: Submission) -> dict[str, Any]:
    return {
        "submission_id": one.submission_id,
        "enterprise_code": one.enterprise_code,
        "enterprise_name": one.enterprise_name,
        "status": one.status.value,
        "version": one.version,
        "is_zero_return": one.is_zero_return,
        "is_late": one.is_late,
        "received_at": one.received_at.isoformat(),
        "file_name": one.file_name,
    }
