"""The mistakes that clerks make in the synthetic city, and the rule that ought to notice each.

A mistake changes a true return and says which cells it touched; what it ought to lead to is its truth. What a
clerk does to the shape of a sheet without harm is not here (`clerk`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Literal

from sample_data import timeline
from sample_data.economy import FLOWS, EnterpriseSeries, Flow
from sample_data.enterprises import stranger, wrong_check_character
from sample_data.returns import OutsourcingRow, Return, Row, recompute_totals, whole

ExpectedVerdict = Literal["accepted", "queries", "rejected", "unreadable", "not_filed"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A cell touched by a mistake, by form and place in the form; `note` says what stands there and why."""

    form_code: str
    place: str
    note: str
    rule: str = ""  # where it is another one than the kind's


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mistake: the rule that ought to notice it, the verdict it ought to bring, how common it is.

    `needs` names what a return must offer: history (last month accepted), not_january, january (FM-1 filed),
    outsourcing or no_outsourcing, parents, imports, software, remote (a share is asked), unit_10k, unit_1k, usd,
    year_of_history (twelve accepted months), no_insurance (whose payments back may be negative).
    A kind that is not attributable leaves the bureau with no return of this enterprise and month.
    """

    key: str
    rule: str
    verdict: ExpectedVerdict
    weight: int
    needs: frozenset[str] = frozenset()
    is_attributable: bool = True
    is_whole_file: bool = False  # the file as such is bad: nothing in it can be read


def _kind(
    key: str,
    rule: str,
    verdict: ExpectedVerdict,
    weight: int,
    *needs: str,
    attributable: bool = True,
    file: bool = False,
) -> Kind:
    return Kind(key, rule, verdict, weight, frozenset(needs), attributable, file)


KINDS: tuple[Kind, ...] = (
    _kind("unit_slip_10000", "Q3", "queries", 9, "history", "unit_10k"),
    _kind("unit_slip_1000", "Q3", "queries", 4, "history", "unit_1k"),
    _kind("decimal_point_missed", "Q3", "queries", 4, "history"),
    _kind("digit_too_many", "Q3", "queries", 3, "history"),
    _kind("currency_slip", "Q3", "queries", 5, "history", "usd"),
    _kind("large_change", "Q1a", "queries", 6, "history"),
    _kind("copied_from_last_month", "Q2b", "queries", 4, "history"),
    _kind("exports_above_revenue", "Q4", "queries", 2, "january"),
    _kind("silent_after_twelve_months", "Q5a", "queries", 2, "year_of_history", "no_outsourcing"),
    _kind("implausible_item", "Q6", "queries", 3, "software"),
    _kind("partner_is_china", "Q7a", "queries", 3),
    _kind("unspecified_partner", "Q7b", "queries", 3),
    _kind("offshore_without_export", "Q8", "queries", 2, "outsourcing", "imports"),
    _kind("cumulative_mismatch", "H2", "rejected", 8, "history", "not_january"),
    _kind("total_mismatch", "H3", "rejected", 7),
    _kind("children_mismatch", "H4b", "rejected", 2, "parents"),
    _kind("unknown_item", "P12", "rejected", 4),
    _kind("unknown_partner", "P13", "rejected", 4),
    _kind("negative_amount", "H5", "rejected", 3, "no_insurance"),
    _kind("remote_share_over_100", "H6", "rejected", 3, "remote"),
    _kind("no_unit", "P04", "rejected", 4),
    _kind("unit_not_in_list", "P05", "rejected", 2),
    _kind("text_in_amount", "P06", "rejected", 4),
    _kind("sheets_disagree", "P15", "rejected", 2, "outsourcing", "history"),
    _kind("executed_above_contract", "H8a", "rejected", 3, "outsourcing"),
    _kind("month_executed_above_cumulative", "H8b", "rejected", 2, "outsourcing"),
    _kind("wrong_check_character", "H1a", "rejected", 4, attributable=False),
    _kind("unregistered_enterprise", "H1b", "rejected", 2, attributable=False),
    _kind("wrong_month_repeated", "H7c", "rejected", 3, "history", attributable=False),
    _kind("wrong_month_future", "H7b", "rejected", 2, attributable=False),
    _kind("corrupt_file", "G01", "unreadable", 2, attributable=False, file=True),
    _kind("encrypted_file", "G02", "unreadable", 2, attributable=False, file=True),
    _kind("macro_file", "G03", "unreadable", 1, attributable=False, file=True),
    _kind("legacy_xls", "G04", "unreadable", 2, attributable=False, file=True),
    _kind("empty_file", "G08", "unreadable", 1, attributable=False, file=True),
)
KIND_BY_KEY = {kind.key: kind for kind in KINDS}


def make_mistake(
    kind: Kind, filled: Return, series: EnterpriseSeries, position: int, rng: Random
) -> list[Spot]:
    """Change the return as this kind of mistake does. The first spot is the one a finding must name."""
    return _MAKERS[kind.key](filled, series, position, rng)


def nudge(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> Spot:
    """Another honest figure for one row, a few per cent off: what a first version or a second thought has."""
    index, flow = _steadiest(filled, series, position)
    row = filled.rows[index]
    before = whole(row.amounts[flow])
    after = max(1, round(before * rng.choice((0.93, 0.95, 1.04, 1.06))))
    last_month = _amounts_of(series, row, flow)[position - 1] if position else 0
    while after in (before, last_month):
        after += 1
    _replace_month(row, flow, after)
    _carry_to_parent(filled, row, flow, before)
    recompute_totals(filled)
    return Spot("FM-2", f"row.{index}.{flow}", "与最终数不同的另一版本")


# --- amounts that are off by a factor ---------------------------------------------------------------------


def _unit_slip_10000(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    return _slip_all(filled, series, position, 10_000, "本月数误以基本单位填报，应除以10000")


def _unit_slip_1000(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    return _slip_all(filled, series, position, 1_000, "本月数误以美元填报，应除以1000")


def _currency_slip(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    rate = float(timeline.usd_cny(filled.month))
    return _slip_all(filled, series, position, rate, f"本月数误以人民币填报，应除以汇率{rate}")


def _decimal_point_missed(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    return _slip_one(filled, series, position, 100, "漏写小数点，应除以100")


def _digit_too_many(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    return _slip_one(filled, series, position, 10, "多写一位，应除以10")


def _large_change(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    factor = rng.uniform(2.8, 3.3)
    return _slip_one(filled, series, position, factor, f"约为实际的{factor:.1f}倍且未说明", "last_month")


def _slip_all(
    filled: Return, series: EnterpriseSeries, position: int, factor: float, note: str
) -> list[Spot]:
    steady = _steadiest(filled, series, position)
    spots: list[Spot] = []
    for index, row in enumerate(filled.rows):
        row.remark = ""
        for flow in FLOWS:
            if row.amounts[flow] is not None:
                _replace_month(row, flow, _times(row.amounts[flow], factor))
                spots.append(Spot("FM-2", f"row.{index}.{flow}", note))
    _sum_up_parents(filled)
    recompute_totals(filled)
    first = next(spot for spot in spots if spot.place == f"row.{steady[0]}.{steady[1]}")
    return [first, *(spot for spot in spots if spot is not first)]


def _slip_one(
    filled: Return,
    series: EnterpriseSeries,
    position: int,
    factor: float,
    note: str,
    against: Literal["last_month", "history"] = "history",
) -> list[Spot]:
    index, flow = _steadiest(filled, series, position, against=against)
    row = filled.rows[index]
    before = row.amounts[flow]
    row.remark = ""
    _replace_month(row, flow, _times(before, factor))
    _carry_to_parent(filled, row, flow, before)
    recompute_totals(filled)
    return [Spot("FM-2", f"row.{index}.{flow}", note)]


def _copied_from_last_month(
    filled: Return, series: EnterpriseSeries, position: int, rng: Random
) -> list[Spot]:
    """Every month figure is last month's. A row with one flow repeats a figure, a row with both is a copied row."""
    spots: list[Spot] = []
    for index, row in enumerate(filled.rows):
        row.remark = ""
        traded = [flow for flow in FLOWS if row.amounts[flow] is not None]
        for flow in traded:
            _replace_month(row, flow, _amounts_of(series, row, flow)[position - 1])
        if not row.is_parent:
            rule = "Q2b" if len(traded) == 2 else "Q2a"
            spots += [Spot("FM-2", f"row.{index}.{flow}", "本月数照抄上月", rule) for flow in traded]
    recompute_totals(filled)
    whole_rows = [spot for spot in spots if spot.rule == "Q2b"]
    first = (whole_rows or spots)[0]
    return [first, *(spot for spot in spots if spot is not first)]


# --- rows that do not belong --------------------------------------------------------------------------------


def _implausible_item(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    return _extra_row(filled, "SC12", "SGP", 0.08, rng, "软件企业填报海运货运出口", flow="export")


def _partner_is_china(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    item = filled.rows[0].item_code if not filled.rows[0].is_parent else filled.rows[-1].item_code
    return _extra_row(filled, item, "CHN", 0.1, rng, "国别（地区）填为中国", place="partner_code")


def _unspecified_partner(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    item = filled.rows[-1].item_code
    return _extra_row(filled, item, "_X", 0.75, rng, "国别不详的金额超过三成", place="partner_code")


def _extra_row(
    filled: Return,
    item: str,
    partner: str,
    share: float,
    rng: Random,
    note: str,
    place: str = "item_code",
    flow: str = "",
) -> list[Spot]:
    """A row that the enterprise never had: its cumulative figure is its month.

    It goes to the flow with the larger total, as a part of that total.
    """
    traded = [flow for flow in FLOWS if filled.totals[flow] is not None]
    flow = flow or max(traded, key=lambda candidate: whole(filled.totals[candidate]))
    amount = max(1, round(whole(filled.totals[flow]) * share * rng.uniform(0.95, 1.05)))
    amounts: dict[str, int | str | None] = dict.fromkeys(("export", "export_ytd", "import", "import_ytd"))
    amounts[flow] = amounts[f"{flow}_ytd"] = amount
    shares: dict[str, int | str | None] = dict.fromkeys(
        ("export_remote_share_pct", "import_remote_share_pct", "related_party_share_pct")
    )
    filled.rows.append(Row(item, partner, amounts, shares))
    recompute_totals(filled)
    return [Spot("FM-2", f"row.{len(filled.rows) - 1}.{place}", note)]


def _unknown_item(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    index = _any_leaf(filled, rng)
    filled.rows[index].item_text = rng.choice(("SM3", "SX99", "ZZ1", "QT01"))
    return [Spot("FM-2", f"row.{index}.item_code", "服务项目代码不在EBOPS 2010中")]


def _unknown_partner(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    index = _any_leaf(filled, rng)
    filled.rows[index].partner_text = rng.choice(("境外客户", "QQX", "样例国", "海外总部"))
    return [Spot("FM-2", f"row.{index}.partner_code", "国别（地区）不在代码表中")]


# --- sums, signs, shares, units -----------------------------------------------------------------------------


def _cumulative_mismatch(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    index, flow = _steadiest(filled, series, position)
    row = filled.rows[index]
    month_amount, ytd = whole(row.amounts[flow]), whole(row.amounts[f"{flow}_ytd"])
    difference = max(7, round(month_amount * rng.uniform(0.1, 0.4))) * rng.choice((1, -1))
    row.amounts[f"{flow}_ytd"] = ytd + difference
    _add_to_parent(filled, row, f"{flow}_ytd", difference)
    recompute_totals(filled)
    return [Spot("FM-2", f"row.{index}.{flow}_ytd", "累计不等于上月累计加本月")]


def _total_mismatch(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    fields = [name for name in ("export", "import") if isinstance(filled.totals[name], int)]
    name = rng.choice(fields)
    total = whole(filled.totals[name])
    filled.totals[name] = total + max(60, round(total * rng.uniform(0.05, 0.3)))
    return [Spot("FM-2", f"total.{name}", "合计不等于各行之和")]


def _children_mismatch(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    candidates = [
        (index, flow)
        for index, row in enumerate(filled.rows)
        for flow in FLOWS
        if row.is_parent and all(part.amounts[flow] is not None for part in _parts_of(filled, row))
    ]
    index, flow = rng.choice(candidates)
    row = filled.rows[index]
    amount, ytd = whole(row.amounts[flow]), whole(row.amounts[f"{flow}_ytd"])
    difference = max(50, round(amount * rng.uniform(0.05, 0.2)))
    row.amounts[flow], row.amounts[f"{flow}_ytd"] = amount + difference, ytd + difference
    return [Spot("FM-2", f"row.{index}.{flow}", "上级项目不等于下级项目之和")]


def _negative_amount(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    index, flow = _steadiest(filled, series, position)
    row = filled.rows[index]
    before = whole(row.amounts[flow])
    _replace_month(row, flow, -before)
    _carry_to_parent(filled, row, flow, before)
    recompute_totals(filled)
    return [Spot("FM-2", f"row.{index}.{flow}", "金额为负")]


def _remote_share_over_100(
    filled: Return, series: EnterpriseSeries, position: int, rng: Random
) -> list[Spot]:
    candidates = [
        (index, name)
        for index, row in enumerate(filled.rows)
        for name in ("export_remote_share_pct", "import_remote_share_pct")
        if row.shares[name] is not None
    ]
    index, name = rng.choice(candidates)
    filled.rows[index].shares[name] = rng.choice((108, 120, 150, 850))
    return [Spot("FM-2", f"row.{index}.{name}", "远程提供占比超过100%")]


def _no_unit(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    filled.unit_text = ""
    return [Spot("FM-2", "head.unit", "计量单位空白")]


def _unit_not_in_list(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    filled.unit_text = rng.choice(("万", "万港币", "百万日元", "万欧元"))
    return [Spot("FM-2", "head.unit", "计量单位不在可选范围")]


def _text_in_amount(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    index, flow = _steadiest(filled, series, position)
    filled.rows[index].amounts[flow] = rng.choice(("待核实", "见附件合同", "约350多", "同上"))
    return [Spot("FM-2", f"row.{index}.{flow}", "金额栏填了文字")]


# --- other forms and the head -------------------------------------------------------------------------------


def _exports_above_revenue(
    filled: Return, series: EnterpriseSeries, position: int, rng: Random
) -> list[Spot]:
    profile = filled.profile or {}
    profile["revenue"] = max(1, whole(profile["revenue"]) // 10_000)
    return [Spot("FM-1", "profile.revenue", "营业收入误以亿元填报，出口超过营业收入")]


def _silent_after_twelve_months(
    filled: Return, series: EnterpriseSeries, position: int, rng: Random
) -> list[Spot]:
    filled.rows.clear()
    filled.is_zero_return = True
    recompute_totals(filled)
    return [Spot("FM-2", "head.is_zero_return", "连续十二个月有业务后零报")]


def _offshore_without_export(
    filled: Return, series: EnterpriseSeries, position: int, rng: Random
) -> list[Spot]:
    filled.rows = [row for row in filled.rows if row.amounts["import"] is not None]
    for row in filled.rows:
        row.amounts["export"] = row.amounts["export_ytd"] = row.shares["export_remote_share_pct"] = None
    recompute_totals(filled)
    index = next(index for index, row in enumerate(_contracts_of(filled)) if row.shore == "离岸")
    return [Spot("FM-3", f"row.{index}.executed", "有离岸执行额而服务出口空白")]


def _executed_above_contract(
    filled: Return, series: EnterpriseSeries, position: int, rng: Random
) -> list[Spot]:
    contracts = _contracts_of(filled)
    index = rng.randrange(len(contracts))
    amounts = contracts[index].amounts
    amounts["contract_amount"] = max(1, whole(amounts["executed_cumulative"]) // rng.randint(3, 8))
    recompute_totals(filled)
    return [Spot("FM-3", f"row.{index}.contract_amount", "累计执行额超过合同额")]


def _month_executed_above_cumulative(
    filled: Return, series: EnterpriseSeries, position: int, rng: Random
) -> list[Spot]:
    contracts = _contracts_of(filled)
    index = max(range(len(contracts)), key=lambda at: whole(contracts[at].amounts["executed_cumulative"]))
    amounts = contracts[index].amounts
    amounts["executed_cumulative"] = max(1, whole(amounts["executed"]) // 2)
    recompute_totals(filled)
    return [Spot("FM-3", f"row.{index}.executed", "本月执行额大于累计执行额")]


def _sheets_disagree(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    filled.period_by_form["FM-3"] = filled.month.previous
    return [Spot("FM-3", "head.reference_month", "各表报告期不一致")]


def _wrong_check_character(
    filled: Return, series: EnterpriseSeries, position: int, rng: Random
) -> list[Spot]:
    filled.enterprise_code = wrong_check_character(filled.enterprise_code, rng)
    return [Spot("FM-2", "head.enterprise_code", "统一社会信用代码校验码错误")]


def _unregistered_enterprise(
    filled: Return, series: EnterpriseSeries, position: int, rng: Random
) -> list[Spot]:
    filled.enterprise_code, filled.enterprise_name = stranger(rng.randint(1, 999), rng.randint(1, 999))
    return [Spot("FM-2", "head.enterprise_code", "误用名录外单位的代码")]


def _wrong_month_repeated(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    filled.period_by_form = dict.fromkeys(("FM-1", "FM-2", "FM-3"), filled.month.previous)
    return [Spot("FM-2", "head.reference_month", "报告期仍为上月，且上月已报并通过")]


def _wrong_month_future(filled: Return, series: EnterpriseSeries, position: int, rng: Random) -> list[Spot]:
    filled.period_by_form = dict.fromkeys(("FM-1", "FM-2", "FM-3"), filled.month.plus(12))
    return [Spot("FM-2", "head.reference_month", "报告期年份多写一年，尚未到期")]


# --- shared ---------------------------------------------------------------------------------------------------


def _contracts_of(filled: Return) -> list[OutsourcingRow]:
    if not filled.outsourcing_rows:
        raise ValueError(
            f"{filled.enterprise_name} has no contracts in {filled.month}: the plan offered none"
        )
    return filled.outsourcing_rows


def _times(amount: int | str | None, factor: float) -> int:
    return whole(amount) * factor if isinstance(factor, int) else round(whole(amount) * factor)


def _replace_month(row: Row, flow: str, amount: int) -> None:
    """The month changes and the cumulative figure follows, as the formula in the template makes it."""
    before, ytd = whole(row.amounts[flow]), whole(row.amounts[f"{flow}_ytd"])
    row.amounts[flow] = amount
    row.amounts[f"{flow}_ytd"] = ytd - before + amount


def _sum_up_parents(filled: Return) -> None:
    for parent in filled.rows:
        if parent.is_parent:
            parts = _parts_of(filled, parent)
            for name in parent.amounts:
                numbers = [whole(part.amounts[name]) for part in parts if part.amounts[name] is not None]
                if numbers:
                    parent.amounts[name] = sum(numbers)


def _parts_of(filled: Return, parent: Row) -> list[Row]:
    return [row for row in filled.rows if _parent_of(filled, row) is parent]


def _parent_of(filled: Return, row: Row) -> Row | None:
    if row.is_parent:
        return None
    return next(
        (
            other
            for other in filled.rows
            if other.is_parent
            and other.partner_code == row.partner_code
            and row.item_code.startswith(other.item_code)
        ),
        None,
    )


def _carry_to_parent(filled: Return, row: Row, flow: str, before: int | str | None) -> None:
    difference = whole(row.amounts[flow]) - whole(before)
    _add_to_parent(filled, row, flow, difference)
    _add_to_parent(filled, row, f"{flow}_ytd", difference)


def _add_to_parent(filled: Return, row: Row, field_name: str, difference: int) -> None:
    parent = _parent_of(filled, row)
    if parent is not None:
        parent.amounts[field_name] = whole(parent.amounts[field_name]) + difference


def _amounts_of(series: EnterpriseSeries, row: Row, flow: str) -> tuple[int, ...]:
    """True amounts of a row's flow; a parent row has the sum of its parts."""
    parts = [
        line.amounts[flow]  # type: ignore[index]
        for line in series.lines
        if line.line.partner_code == row.partner_code
        and (
            line.line.item_code == row.item_code
            or (row.is_parent and line.line.item_code.startswith(row.item_code))
        )
    ]
    present = [part for part in parts if part is not None]
    return tuple(sum(values) for values in zip(*present, strict=True))


def _steadiest(
    filled: Return,
    series: EnterpriseSeries,
    position: int,
    *,
    against: Literal["last_month", "history"] = "history",
) -> tuple[int, Flow]:
    """The row and flow, among the large ones, whose month is nearest to last month's or to the usual of a year.

    A mistake planted there stands out by its own factor and by nothing else.
    """
    candidates: list[tuple[float, int, Flow, int]] = []
    for index, row in enumerate(filled.rows):
        if row.is_parent:
            continue
        for flow in FLOWS:
            if row.amounts[flow] is None:
                continue
            amounts = _amounts_of(series, row, flow)
            earlier = amounts[max(0, position - 12) : position] or amounts[position : position + 1]
            base = earlier[-1] if against == "last_month" else median(earlier)
            candidates.append((abs(math.log(amounts[position] / base)), index, flow, amounts[position]))
    largest = max(candidate[3] for candidate in candidates)
    fitting = [candidate for candidate in candidates if candidate[3] >= largest * 0.1]
    _, index, flow, _ = min(fitting)
    return index, flow


def _any_leaf(filled: Return, rng: Random) -> int:
    return rng.choice([index for index, row in enumerate(filled.rows) if not row.is_parent])


_Maker = Callable[[Return, EnterpriseSeries, int, Random], list[Spot]]
_MAKERS: dict[str, _Maker] = {kind.key: globals()[f"_{kind.key}"] for kind in KINDS if not kind.is_whole_file}
