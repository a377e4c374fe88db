"""A monthly return as its clerk means it, before it becomes a workbook: head, rows, totals.

Amounts stay whole numbers of the declared unit's last digit; a text stands where a clerk wrote a text, and
None where nothing was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from random import Random

from pipelines.money import UNITS
from pipelines.periods import Month
from sample_data import timeline
from sample_data.economy import DECIMALS, FLOWS, EnterpriseSeries, in_usd_cents, year_to_date
from sample_data.enterprises import (
    PARENTS_WITH_CHILDREN,
    Enterprise,
    children_of_items,
    district_names,
    item_names,
    partner_names,
)
from sample_data.period_forms import PeriodRows

Value = int | str | None
AMOUNT_FIELDS = ("export", "export_ytd", "import", "import_ytd")
OUTSOURCING_AMOUNT_FIELDS = ("contract_amount", "executed", "executed_cumulative")
SHORE_LABELS = {"offshore": "离岸", "onshore": "在岸"}
STATUS_LABELS = {"signed": "新签", "executing": "执行中", "completed": "已完成"}
REASONS = (
    "受新冠肺炎疫情影响，业务量下降",
    "项目集中结算",
    "大额合同回款",
    "上月集中结算，恢复正常",
    "季节性波动，已与客户核对",
)


@dataclass(slots=True)
class Row:
    """One row of FM-2."""

    item_code: str
    partner_code: str
    amounts: dict[str, Value]
    shares: dict[str, Value]
    remark: str = ""
    is_parent: bool = False
    item_text: str | None = None  # what the clerk wrote instead of an item or partner we know
    partner_text: str | None = None


@dataclass(slots=True)
class OutsourcingRow:
    """One row of FM-3."""

    contract_no: str
    outsourcing_type: str
    shore: str
    partner_code: str
    amounts: dict[str, Value]
    signed_date: date
    contract_status: str


@dataclass(slots=True)
class Return:
    """One return of one enterprise: FM-2 always, FM-3 for outsourcing, FM-1 in January and on change."""

    enterprise: Enterprise
    month: Month
    decimals: int
    enterprise_code: str
    enterprise_name: str
    unit_text: str
    rows: list[Row]
    totals: dict[str, Value]
    is_zero_return: bool = False
    is_revision: bool = False
    period_by_form: dict[str, Month] = field(default_factory=dict)
    outsourcing_rows: list[OutsourcingRow] | None = None
    outsourcing_totals: dict[str, Value] = field(default_factory=dict)
    profile: dict[str, Value] | None = None
    period_rows: tuple[PeriodRows, ...] = ()  # affiliates, persons, cases: forms with a period of their own

    def period_of(self, form_code: str) -> Month:
        """The reference month printed on a form's sheet."""
        return self.period_by_form.get(form_code, self.month)


def true_return(series: EnterpriseSeries, position: int, seed: int) -> Return:
    """The return as it ought to be."""
    enterprise = series.enterprise
    month = series.months[position]
    rows: list[Row] = []
    rng = Random(f"{seed}/reasons/{enterprise.number}/{month}")
    if not series.is_idle[position]:
        for line_series in series.lines:
            line = line_series.line
            amounts: dict[str, Value] = dict.fromkeys(AMOUNT_FIELDS)
            for flow in FLOWS:
                flow_amounts = line_series.amounts[flow]
                if flow_amounts is not None:
                    amounts[flow] = flow_amounts[position]
                    amounts[f"{flow}_ytd"] = year_to_date(
                        flow_amounts, series.months, position, enterprise.first
                    )
            rows.append(
                Row(
                    item_code=line.item_code,
                    partner_code=line.partner_code,
                    amounts=amounts,
                    shares={
                        "export_remote_share_pct": line.export_remote_pct,
                        "import_remote_share_pct": line.import_remote_pct,
                        "related_party_share_pct": line.related_party_pct,
                    },
                    remark=_reason(enterprise, month, rng) if line_series.is_unusual[position] else "",
                )
            )
        if enterprise.has_parent_rows:
            rows = _with_parents(rows)
    filled = Return(
        enterprise=enterprise,
        month=month,
        decimals=DECIMALS[enterprise.unit_code],
        enterprise_code=enterprise.code,
        enterprise_name=enterprise.name,
        unit_text=UNITS[enterprise.unit_code].label_zh,
        rows=rows,
        totals={},
        is_zero_return=series.is_idle[position],
    )
    if enterprise.is_outsourcing:
        filled.outsourcing_rows = [
            OutsourcingRow(
                contract_no=contract.contract_no,
                outsourcing_type=contract.outsourcing_type,
                shore=SHORE_LABELS[contract.shore],
                partner_code=contract.partner_code,
                amounts={
                    "contract_amount": contract.contract_amount,
                    "executed": contract.executed,
                    "executed_cumulative": contract.executed_cumulative,
                },
                signed_date=date(contract.signed_year, contract.signed_month, contract.signed_day),
                contract_status=STATUS_LABELS[contract.contract_status],
            )
            for contract in series.contracts[position]
        ]
    if (
        month.month == 1
        or month == max(enterprise.first, series.months[0])
        or _changes_profile(enterprise, month)
    ):
        filled.profile = _profile(series, month)
    recompute_totals(filled)
    return filled


def whole(value: Value) -> int:
    """The value as a number. Raises TypeError where a text or nothing stands: the caller chose the wrong cell."""
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not an amount")
    return value


def recompute_totals(filled: Return) -> None:
    """合计 of FM-2 (leaf rows only: a parent row repeats its children) and of FM-3."""
    for field_name in AMOUNT_FIELDS:
        filled.totals[field_name] = _sum(row.amounts[field_name] for row in filled.rows if not row.is_parent)
    if filled.outsourcing_rows is not None:
        for field_name in OUTSOURCING_AMOUNT_FIELDS:
            filled.outsourcing_totals[field_name] = _sum(
                row.amounts[field_name] for row in filled.outsourcing_rows
            )


def _sum(values: Iterable[Value]) -> int | None:
    numbers = [value for value in values if isinstance(value, int)]
    return sum(numbers) if numbers else None


def _with_parents(rows: list[Row]) -> list[Row]:
    """Before the first child of an item, one row a partner with the sum of the children below it."""
    children = children_of_items()
    result: list[Row] = []
    done: set[str] = set()
    for row in rows:
        parent = next((code for code, parts in children.items() if row.item_code in parts), None)
        if parent in PARENTS_WITH_CHILDREN and parent not in done:
            done.add(parent)
            below = [other for other in rows if other.item_code in children[parent]]
            for partner in dict.fromkeys(other.partner_code for other in below):
                parts = [other for other in below if other.partner_code == partner]
                result.append(
                    Row(
                        item_code=parent,
                        partner_code=partner,
                        amounts={name: _sum(part.amounts[name] for part in parts) for name in AMOUNT_FIELDS},
                        shares={
                            "export_remote_share_pct": None,
                            "import_remote_share_pct": None,
                            "related_party_share_pct": None,
                        },
                        is_parent=True,
                    )
                )
        result.append(row)
    return result


def _reason(enterprise: Enterprise, month: Month, rng: Random) -> str:
    """What the clerk says of this month: with the month in it, for a remark as last month's explains nothing."""
    if Month(2020, 2) <= month <= Month(2021, 1) and enterprise.profile.key == "travel":
        return f"{month.month}月{REASONS[0]}"
    return f"{month.month}月{rng.choice(REASONS[1:])}"


def _changes_profile(enterprise: Enterprise, month: Month) -> bool:
    """FM-1 is filed again when something changed; here: staff, once in a while, in mid-year."""
    return Random(f"change/{enterprise.number}/{month}").random() < 0.02


def _profile(series: EnterpriseSeries, month: Month) -> dict[str, Value]:
    """FM-1. Revenue of last year in 万元, ample for the exports of any year generated."""
    enterprise = series.enterprise
    rng = Random(f"profile/{enterprise.number}/{month.year}")
    yearly: dict[int, int] = {}
    for line in series.lines:
        exports = line.amounts["export"]
        for position, of_month in enumerate(series.months):
            if exports is not None:
                cents = in_usd_cents(exports[position], enterprise.unit_code, of_month)
                yearly[of_month.year] = yearly.get(of_month.year, 0) + cents
    months_per_year = min(12, len(series.months))
    exports_10k_yuan = (
        max(yearly.values(), default=0) / 1e6 * float(timeline.usd_cny(month)) * 12 / months_per_year
    )
    revenue = round(exports_10k_yuan * rng.uniform(1.6, 4.0) + rng.uniform(800, 5000))
    change = Random(f"staff/{enterprise.number}/{month}").uniform(0.92, 1.12)
    return {
        "organisation_code": enterprise.organisation_code,
        "industry_code": enterprise.industry_code,
        "registration_type": enterprise.registration_type,
        "holding_type": enterprise.holding_type,
        "district_code": district_names()[enterprise.district_code],
        "employee_count": max(5, round(enterprise.employee_count * change)),
        "revenue": revenue,
        "is_key_enterprise": "是" if enterprise.is_key_enterprise else "否",
        "is_outsourcing": "是" if enterprise.is_outsourcing else "否",
        "is_advanced_technology": "是" if enterprise.is_advanced_technology else "否",
        "is_tcm": "是" if enterprise.profile.key == "chinese_medicine" else "否",
        "is_digital_export_base": "是"
        if enterprise.profile.key == "software" and enterprise.number % 3 == 0
        else "否",
    }


def item_label(row: Row) -> tuple[str, str]:
    """Code and name of the item as the template offers them."""
    if row.item_text is not None:
        return row.item_text, "未列名服务"
    return row.item_code, item_names()[row.item_code]


def partner_label(partner_code: str) -> str:
    """Chinese name of a partner."""
    return partner_names()[partner_code]
