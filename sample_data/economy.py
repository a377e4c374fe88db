"""What each enterprise really earned and paid, month by month, in the unit it declares.

Amounts are whole numbers of the last digit the enterprise writes (1234.56 万美元 is 123456), so that
cumulative figures and totals are exact. What clerks make of them is not here (`mistakes`, `workbook`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from random import Random
from typing import Literal

from pipelines.money import UNITS
from pipelines.periods import Month
from sample_data import timeline
from sample_data.enterprises import Enterprise, Line

Flow = Literal["export", "import"]
FLOWS: tuple[Flow, Flow] = ("export", "import")

DECIMALS = {"USD_10K": 2, "USD_1K": 2, "USD": 2, "CNY_10K": 2}
# Narrower than the query rules' [-60 %, +150 %], so that rounding and small corrections stay inside.
_LOWEST_RATIO, _HIGHEST_RATIO = 0.46, 2.30
_QUERY_LOWEST, _QUERY_HIGHEST = 0.42, 2.45
_QUERY_FLOOR_USD = 80_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """Factors that bring a generated city to Wuhan's scale: one per calendar year, one for outsourcing."""

    trade_factor_by_year: dict[int, float]
    offshore_factor: float


@dataclass(frozen=True, slots=True)
class LineSeries:
    """True monthly amounts of one FM-2 row, by position of the month; None where the flow is never traded."""

    line: Line
    amounts: dict[Flow, tuple[int, ...] | None]
    is_unusual: tuple[bool, ...]  # beyond the query bounds: the clerk says why in 说明


@dataclass(frozen=True, slots=True)
class ContractMonth:
    """One FM-3 row as it truly is in one month; amounts in the last digit of the declared unit."""

    contract_no: str
    outsourcing_type: str
    shore: str
    partner_code: str
    contract_amount: int
    executed: int
    executed_cumulative: int
    signed_year: int
    signed_month: int
    signed_day: int
    contract_status: str


@dataclass(frozen=True, slots=True)
class EnterpriseSeries:
    """Everything true of one enterprise over the generated months."""

    enterprise: Enterprise
    months: tuple[Month, ...]
    lines: tuple[LineSeries, ...]
    contracts: tuple[tuple[ContractMonth, ...], ...]
    is_idle: tuple[bool, ...]  # a seasonal enterprise out of season: 零报


def calibrate(register: Sequence[Enterprise], months: Sequence[Month], seed: int) -> Calibration:
    """Compute the factors from all enterprises, so that yearly totals do not depend on how many there are."""
    totals: dict[int, float] = {}
    offshore: dict[int, float] = {}
    for enterprise in register:
        if enterprise.profile.is_seasonal:
            continue
        raw = raw_usd(enterprise, months, seed)
        for position, month in enumerate(months):
            if not enterprise.is_expected(month):
                continue
            for line, flows in zip(enterprise.lines, raw, strict=True):
                export = flows["export"][position]
                totals[month.year] = totals.get(month.year, 0.0) + export + flows["import"][position]
                if enterprise.is_outsourcing and _is_outsourced_item(line.item_code):
                    offshore[month.year] = offshore.get(month.year, 0.0) + export * enterprise.offshore_share
    trade_factors: dict[int, float] = {}
    for year in sorted(totals):
        worked = sum(timeline.common_index(month, "SJ") for month in months if month.year == year)
        trade_factors[year] = (
            timeline.city_total_usd(year) * worked / _index_of_year(year, "SJ") / totals[year]
        )
    wanted = sum(
        timeline.offshore_executed_usd(month.year)
        * timeline.common_index(month, "SI")
        / _index_of_year(month.year, "SI")
        for month in months
    )
    available = sum(usd * trade_factors[year] for year, usd in sorted(offshore.items()))
    return Calibration(trade_factors, wanted / available if available else 0.0)


def raw_usd(
    enterprise: Enterprise, months: Sequence[Month], seed: int
) -> tuple[dict[Flow, tuple[float, ...]], ...]:
    """Monthly US dollars of every row before calibration: common movement times the row's own."""
    rng = Random(f"{seed}/series/{enterprise.number}")
    return tuple(
        {
            "export": _path(line, line.annual_export_usd, months, rng, enterprise.profile.key == "travel"),
            "import": _path(line, line.annual_import_usd, months, rng, enterprise.profile.key == "travel"),
        }
        for line in enterprise.lines
    )


def true_series(
    enterprise: Enterprise, months: Sequence[Month], calibration: Calibration, seed: int
) -> EnterpriseSeries:
    """Amounts in the declared unit, rounded, kept inside the query bounds except where the clerk explains."""
    idle = _idle_months(enterprise, months, seed)
    lines: list[LineSeries] = []
    scales = [_digits_per_usd(enterprise.unit_code, month) for month in months]
    factors = [
        1.0 if enterprise.profile.is_seasonal else calibration.trade_factor_by_year.get(month.year, 1.0)
        for month in months
    ]
    for line, flows in zip(enterprise.lines, raw_usd(enterprise, months, seed), strict=True):
        amounts: dict[Flow, tuple[int, ...] | None] = {}
        for flow in FLOWS:
            annual = line.annual_export_usd if flow == "export" else line.annual_import_usd
            amounts[flow] = (
                _rounded(
                    [
                        usd * factor * scale
                        for usd, factor, scale in zip(flows[flow], factors, scales, strict=True)
                    ],
                    is_volatile=line.is_volatile,
                )
                if annual
                else None
            )
        unusual = _unusual(amounts, scales)
        for flow, series_of_flow in amounts.items():
            if series_of_flow is not None:
                amounts[flow] = tuple(
                    0 if is_idle else amount for amount, is_idle in zip(series_of_flow, idle, strict=True)
                )
        lines.append(LineSeries(line, amounts, unusual))
    series = EnterpriseSeries(enterprise, tuple(months), tuple(lines), (), idle)
    contracts = _contracts(series, calibration, seed) if enterprise.is_outsourcing else ()
    return EnterpriseSeries(enterprise, tuple(months), tuple(lines), contracts, idle)


def in_usd_cents(amount: int, unit_code: str, month: Month) -> int:
    """A whole number of the declared unit's last digit as US cents, rounded half up."""
    unit = UNITS[unit_code]
    value = Decimal(amount) * unit.multiplier / (Decimal(10) ** DECIMALS[unit_code])
    if unit.currency_code == "CNY":
        value /= timeline.usd_cny(month)
    return int((value * 100).to_integral_value(rounding="ROUND_HALF_UP"))


def trade_by_main_item(series: EnterpriseSeries) -> dict[tuple[Month, str, str], int]:
    """US cents by month, flow and main item of one enterprise, for the months in which it is in the register."""
    cents: dict[tuple[Month, str, str], int] = {}
    for position, month in enumerate(series.months):
        if not series.enterprise.is_expected(month):
            continue
        for line in series.lines:
            for flow in FLOWS:
                amounts = line.amounts[flow]
                if amounts is not None and amounts[position]:
                    key = (month, flow, line.line.item_code[:2])
                    amount = in_usd_cents(amounts[position], series.enterprise.unit_code, month)
                    cents[key] = cents.get(key, 0) + amount
    return cents


def year_to_date(amounts: Sequence[int], months: Sequence[Month], position: int, first: Month) -> int:
    """January (or the enterprise's first month) to the month at `position`."""
    month = months[position]
    return sum(
        amounts[earlier]
        for earlier in range(position + 1)
        if months[earlier].year == month.year and months[earlier] >= first
    )


def _is_outsourced_item(item_code: str) -> bool:
    return item_code.startswith(("SI2", "SJ"))


@cache
def _index(month: Month, main_item: str) -> float:
    return timeline.common_index(month, main_item)


def _index_of_year(year: int, main_item: str) -> float:
    return sum(timeline.common_index(Month(year, number), main_item) for number in range(1, 13))


def _path(
    line: Line, annual_usd: float, months: Sequence[Month], rng: Random, is_travel: bool
) -> tuple[float, ...]:
    """A smooth path around the common index; a volatile row also has bursts, or the full travel stop."""
    main_item = line.item_code[:2]
    noise = 0.0
    path: list[float] = []
    for month in months:
        noise = 0.5 * noise + rng.gauss(0, 0.065)
        burst_draw, burst = rng.random(), rng.uniform(2.7, 3.5)
        value = annual_usd / 12 * _index(month, main_item) * math.exp(noise)
        if line.is_volatile:
            if is_travel and Month(2020, 2) <= month <= Month(2020, 7):
                value *= 0.4
            elif not is_travel and burst_draw < 0.06:
                value *= burst
        path.append(value)
    return tuple(path)


def _digits_per_usd(unit_code: str, month: Month) -> float:
    unit = UNITS[unit_code]
    rate = float(timeline.usd_cny(month)) if unit.currency_code == "CNY" else 1.0
    return float(rate * 10 ** DECIMALS[unit_code] / unit.multiplier)


def _rounded(values: Sequence[float], *, is_volatile: bool) -> tuple[int, ...]:
    """Whole last digits, never zero, never last month's figure again, inside the bounds unless volatile."""
    amounts: list[int] = []
    for position, value in enumerate(values):
        amount = max(1, round(value))
        if not is_volatile:
            for base_position in (position - 12, position - 1):
                if base_position >= 0:
                    base = amounts[base_position]
                    low, high = math.ceil(base * _LOWEST_RATIO), math.floor(base * _HIGHEST_RATIO)
                    amount = min(max(amount, low), max(high, low))
        if position and amount == amounts[position - 1]:
            amount += 1
        amounts.append(amount)
    return tuple(amounts)


def _unusual(amounts: dict[Flow, tuple[int, ...] | None], scales: Sequence[float]) -> tuple[bool, ...]:
    unusual = [False] * len(scales)
    for series in amounts.values():
        if series is None:
            continue
        for position, amount in enumerate(series):
            for base_position in (position - 1, position - 12):
                if base_position < 0:
                    continue
                base = series[base_position]
                ratio = (amount / scales[position]) / (base / scales[base_position])
                largest_usd = max(amount / scales[position], base / scales[base_position])
                if largest_usd >= _QUERY_FLOOR_USD and not _QUERY_LOWEST <= ratio <= _QUERY_HIGHEST:
                    unusual[position] = True
    return tuple(unusual)


def _idle_months(enterprise: Enterprise, months: Sequence[Month], seed: int) -> tuple[bool, ...]:
    """A seasonal enterprise works in one stretch a year; nobody else is idle."""
    if not enterprise.profile.is_seasonal:
        return tuple(False for _ in months)
    rng = Random(f"{seed}/season/{enterprise.number}")
    opens, closes = rng.randint(3, 5), rng.randint(9, 11)
    return tuple(not opens <= month.month <= closes for month in months)


def _contracts(
    series: EnterpriseSeries, calibration: Calibration, seed: int
) -> tuple[tuple[ContractMonth, ...], ...]:
    """Active contracts of every month. Each slot runs one contract after the other at a steady level."""
    enterprise = series.enterprise
    rng = Random(f"{seed}/contracts/{enterprise.number}")
    base = [
        sum(
            (line.amounts["export"] or ())[position]
            for line in series.lines
            if line.amounts["export"] is not None and _is_outsourced_item(line.line.item_code)
        )
        for position in range(len(series.months))
    ]
    offshore_level = [amount * enterprise.offshore_share * calibration.offshore_factor for amount in base]
    onshore_slots = 1 if enterprise.contract_slots < 6 else 2
    offshore_slots = enterprise.contract_slots - onshore_slots
    rows: list[list[ContractMonth]] = [[] for _ in series.months]
    weights = [rng.uniform(0.6, 1.4) for _ in range(offshore_slots)]
    partners = [line.partner_code for line in enterprise.lines]
    running_number = 0
    for slot in range(enterprise.contract_slots):
        is_offshore = slot < offshore_slots
        weight = weights[slot] / sum(weights) if is_offshore else rng.uniform(0.1, 0.25)
        start = -rng.randint(1, 20)
        while start < len(series.months):
            running_number += 1
            length = rng.randint(16, 34)
            _run_contract(
                rows,
                series,
                [level * weight for level in offshore_level],
                start,
                length,
                f"WB{enterprise.number + 1:04d}-{series.months[0].plus(max(start, -24)).year}-{running_number:02d}",
                rng.choice(enterprise.profile.outsourcing_types),
                ("offshore", rng.choice(partners)) if is_offshore else ("onshore", "CHN"),
                rng,
            )
            start += length
    return tuple(tuple(month_rows) for month_rows in rows)


def _run_contract(
    rows: list[list[ContractMonth]],
    series: EnterpriseSeries,
    level: Sequence[float],
    start: int,
    length: int,
    contract_no: str,
    outsourcing_type: str,
    shore_and_partner: tuple[str, str],
    rng: Random,
) -> None:
    enterprise = series.enterprise
    first_active = next(
        (position for position, month in enumerate(series.months) if month >= enterprise.first),
        len(series.months),
    )
    if start + length <= first_active:
        return
    if start < first_active and enterprise.first > series.months[0]:
        start = first_active  # an enterprise that enters the register brings no history
    executed: list[int] = []
    positions = list(range(max(start, 0), min(start + length, len(series.months))))
    tilt = rng.uniform(0.9, 1.1)
    for position in positions:
        amount = max(1, round(level[position] * tilt * math.exp(rng.gauss(0, 0.06))))
        if executed:
            low, high = math.ceil(executed[-1] * _LOWEST_RATIO), math.floor(executed[-1] * _HIGHEST_RATIO)
            amount = min(max(amount, low), max(low, high))
            amount += amount == executed[-1]
        executed.append(amount)
    if not executed:
        return
    mean = sum(executed) / len(executed)
    cumulative = round(mean * max(0, -start) * rng.uniform(0.75, 0.9))
    planned = max(cumulative + sum(executed), cumulative + round(mean * (length - max(0, -start))))
    contract_amount = _neat(planned * rng.uniform(1.03, 1.18))
    signed = series.months[0].plus(start)
    signed_day = rng.randint(1, 28)
    for position, amount in zip(positions, executed, strict=True):
        cumulative += amount
        is_last = position == start + length - 1
        rows[position].append(
            ContractMonth(
                contract_no=contract_no,
                outsourcing_type=outsourcing_type,
                shore=shore_and_partner[0],
                partner_code=shore_and_partner[1],
                contract_amount=contract_amount,
                executed=amount,
                executed_cumulative=cumulative,
                signed_year=signed.year,
                signed_month=signed.month,
                signed_day=signed_day,
                contract_status="completed" if is_last else "signed" if position == start else "executing",
            )
        )


def _neat(amount: float) -> int:
    """Contracts are signed over round sums: three significant digits, upwards."""
    step = int(10 ** max(0, math.floor(math.log10(max(amount, 1))) - 2))
    return math.ceil(amount / step) * step
