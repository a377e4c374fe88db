"""Forms that are not monthly, as their clerks mean them: affiliates of a year, persons and cases of a half-year,
services of Chinese medicine of a quarter.

Who has something to put on them, what it is, and which mistakes are made with it. They stand in the workbook of
March (FM-4), June and December (FM-5, FM-8) or the last month of a quarter (FM-7), or come in a file of their own. Everything here draws from streams of
its own, so that the monthly returns are what they would be without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Literal

from pipelines.money import UNITS
from pipelines.periods import Month
from sample_data import timeline
from sample_data.economy import DECIMALS, EnterpriseSeries, LineSeries, year_to_date

Cell = int | float | str | date | None
PeriodForm = Literal[
    "FM-4", "FM-5", "FM-6", "FM-7", "FM-8"
]  # FM-6 is filed on events: `technology_contracts`
MONTHS_OF_FORM: dict[PeriodForm, tuple[int, ...]] = {
    "FM-4": (3,),
    "FM-5": (6, 12),
    "FM-7": (3, 6, 9, 12),
    "FM-8": (6, 12),
}
AMOUNTS = {
    "FM-4": ("sales_revenue", "services_revenue"),
    "FM-5": ("contract_amount", "remuneration"),
    "FM-6": ("contract_amount", "technology_fee"),
    "FM-7": ("revenue", "remote_revenue"),
    "FM-8": ("annual_amount",),
}

_ABROAD = ("SGP", "HKG", "USA", "DEU", "GBR", "JPN", "MYS", "ARE", "PAK", "ETH")
_PLACE_NAMES = {
    "SGP": "新加坡", "HKG": "香港", "USA": "美国", "DEU": "德国", "GBR": "英国", "JPN": "日本", "MYS": "马来西亚",
    "ARE": "阿联酋", "PAK": "巴基斯坦", "ETH": "埃塞俄比亚",
}  # fmt: skip
_INDUSTRIES = ("6513", "7484", "7482", "4813", "5821", "7259", "6450", "7242")
_BY_PERSONS = ("SE", "SB", "SI2", "SJ1", "SJ21", "SJ22", "SJ31", "SK")
_DIGITAL = ("SF", "SG", "SH", "SI", "SJ1", "SJ2", "SJ31", "SK1")
_MOST_USD_10K = 9_000.0


@dataclass(slots=True)
class PeriodRows:
    """One form of a return: its rows, each a value a field of the layout, and the period as its head says it.

    Amounts are whole numbers of the declared unit's last digit, as everywhere in the city.
    """

    form_code: PeriodForm
    period_text: str
    rows: list[dict[str, Cell]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PeriodMistake:
    """A mistake made on one of these forms: the rule that ought to notice it, the verdict, and where it lies."""

    key: str
    form_code: PeriodForm
    rule: str
    verdict: Literal["queries", "rejected"]
    place: str  # field of the first row
    note: str
    make: Callable[[dict[str, Cell]], None]


def period_rows(series: EnterpriseSeries, position: int, seed: int) -> tuple[PeriodRows, ...]:
    """What an enterprise puts on these forms in the workbook of one month; mostly nothing."""
    found = []
    for form_code in MONTHS_OF_FORM:
        if _has_turn(series, form_code, series.months[position], seed) == "workbook":
            rows = _rows_of(form_code, series, position, seed)
            if rows is not None:
                found.append(rows)
    return tuple(found)


def period_file(
    series: EnterpriseSeries, position: int, seed: int
) -> tuple[PeriodRows, PeriodRows, PeriodMistake] | None:
    """A form that comes in a file of its own with a mistake in it: right, wrong, and the mistake; or None."""
    for form_code in MONTHS_OF_FORM:
        if _has_turn(series, form_code, series.months[position], seed) != "file":
            continue
        right = _rows_of(form_code, series, position, seed)
        if right is None:
            continue
        wrong = PeriodRows(right.form_code, right.period_text, [dict(row) for row in right.rows])
        month = series.months[position]
        kinds = [mistake for mistake in MISTAKES if mistake.form_code == form_code]
        mistake = Random(f"{seed}/period mistake/{series.enterprise.number}/{month}").choice(kinds)
        mistake.make(wrong.rows[0])
        return right, wrong, mistake
    return None


def _has_turn(
    series: EnterpriseSeries, form_code: PeriodForm, month: Month, seed: int
) -> Literal["workbook", "file", ""]:
    """Whether an enterprise has such a form, and in its workbook or in a file of its own: for good, but for FM-7."""
    enterprise = series.enterprise
    if form_code == "FM-7":
        if enterprise.profile.key != "chinese_medicine":
            return ""
        draw = Random(f"{seed}/period form/FM-7/{enterprise.number}/{month}").random()
        return "file" if draw < 0.25 else "workbook"
    if enterprise.profile.is_seasonal:
        return ""
    draw = Random(f"{seed}/period form/{form_code}/{enterprise.number}").random()
    return "workbook" if draw < 0.22 else "file" if draw < 0.30 else ""


def _rows_of(form_code: PeriodForm, series: EnterpriseSeries, position: int, seed: int) -> PeriodRows | None:
    month = series.months[position]
    if month.month not in MONTHS_OF_FORM[form_code] or series.is_idle[position]:
        return None
    rng = Random(f"{seed}/period rows/{form_code}/{series.enterprise.number}/{month}")
    match form_code:
        case "FM-4":
            return _affiliates(series, month, rng)
        case "FM-5":
            return _persons(series, position, rng)
        case "FM-7":
            return _medicine(series, month, rng)
        case "FM-8":
            return _cases(series, position, rng)
    raise ValueError(f"{form_code} is filed on events, not for a period")


def _affiliates(series: EnterpriseSeries, month: Month, rng: Random) -> PeriodRows | None:
    """One to three affiliates of the year before; only of a year that the city has figures (and rates) for."""
    year = month.year - 1
    enterprise = series.enterprise
    if Month(year, 1) < series.months[0] or enterprise.first > Month(year, 1):
        return None
    text = rng.choice((f"{year}年", f"{year}年", f"{year}年1-12月", f"{month.year}年{month.month}月"))
    found = PeriodRows("FM-4", text)
    for place in rng.sample(_ABROAD, rng.randint(1, 3)):
        sales_usd = rng.uniform(40, _MOST_USD_10K) * 10_000
        services_usd = sales_usd * rng.uniform(0.55, 1.0)
        is_inward = rng.random() < 0.25 and not any(row["direction"] == "内向" for row in found.rows)
        name = enterprise.name if is_inward else f"{enterprise.short_name}（{_PLACE_NAMES[place]}）公司"
        found.rows.append(
            {
                "direction": "内向" if is_inward else "外向",
                "affiliate_name": name,
                "partner_code": place,
                "industry_code": rng.choice(_INDUSTRIES),
                "holding_share_pct": rng.choice((51, 60, 70, 80, 100, 100)),
                "sales_revenue": declared(sales_usd, series, Month(year, 7)),
                "services_revenue": declared(services_usd, series, Month(year, 7)),
                "employee_count": max(3, round(sales_usd / rng.uniform(60_000, 200_000))),
            }
        )
    return found


def _persons(series: EnterpriseSeries, position: int, rng: Random) -> PeriodRows | None:
    """Persons sent abroad for items that were exported in this very month, of which the half-year ends."""
    month = series.months[position]
    found = PeriodRows("FM-5", _half_year_text(month, rng))
    used: set[tuple[str, str]] = set()
    for line in series.lines:
        exports = _traded(line, position)
        key = (line.line.item_code, line.line.partner_code)
        if not exports or not key[0].startswith(_BY_PERSONS) or key in used or key[1] == "CHN":
            continue
        used.add(key)
        persons = rng.randint(2, 40)
        contract = max(4, round(exports * rng.uniform(0.8, 3.0)))
        found.rows.append(
            {
                "direction": "派出",
                "item_code": key[0],
                "partner_code": key[1],
                "person_count": persons,
                "person_days": persons * rng.randint(20, 150),
                "contract_amount": contract,
                "remuneration": max(1, round(contract * rng.uniform(0.25, 0.6))),
            }
        )
        if len(found.rows) == 3:
            break
    return found if found.rows else None


def _cases(series: EnterpriseSeries, position: int, rng: Random) -> PeriodRows | None:
    """A case or two of items that can be delivered over a network, well within the item's own trade."""
    month, enterprise = series.months[position], series.enterprise
    half = "上半年" if month.month == 6 else "下半年"
    found = PeriodRows("FM-8", _half_year_text(month, rng))
    for line in series.lines:
        exports = line.amounts["export"]
        if exports is None or not line.line.item_code.startswith(_DIGITAL) or line.line.partner_code == "CHN":
            continue
        since_january = year_to_date(exports, series.months, position, enterprise.first)
        value = round(since_january * 12 / month.month * rng.uniform(0.1, 0.5))
        if value <= 0:
            continue
        number = len(found.rows) + 1
        found.rows.append(
            {
                "case_name": f"{enterprise.short_name}{month.year}年{half}数字服务案例{number}",
                "delivery_mode": rng.choice(("数字交付", "数字交付", "数字订购", "平台")),
                "item_code": line.line.item_code,
                "partner_code": line.line.partner_code,
                "annual_amount": value,
                "summary": "通过网络向境外客户交付服务成果，按进度在线验收并结算（样例数据）。",
            }
        )
        if len(found.rows) == 2:
            break
    return found if found.rows else None


def _medicine(series: EnterpriseSeries, month: Month, rng: Random) -> PeriodRows:
    """Patients, trainees and what they paid in the quarter that ends with the month."""
    quarter = month.month // 3
    text = rng.choice(
        (
            f"{month.year}年第{'一二三四'[quarter - 1]}季度",
            f"{month.year}年{month.month - 2}-{month.month}月",
            f"{month.year}-Q{quarter}",
            f"{month.year}年{month.month}月",
        )
    )
    found = PeriodRows("FM-7", text)
    visits = rng.randint(120, 2_400)
    medical_usd = visits * rng.uniform(35, 260)
    trainees = rng.randint(6, 90)
    for kind, usd, values in (
        ("医疗服务", medical_usd, {"visit_count": visits}),
        (
            "教育培训",
            trainees * rng.uniform(300, 1_500),
            {"trainee_count": trainees, "institution_count": rng.randint(1, 4)},
        ),
    ):
        remote = usd * rng.uniform(0.0, 0.2) if kind == "医疗服务" else 0.0
        found.rows.append(
            {
                "service_kind": kind,
                **values,
                "revenue": max(2, declared(usd, series, month)),
                "remote_revenue": min(declared(remote, series, month), 1 + declared(usd / 5, series, month)),
            }
        )
    return found


def _traded(line: LineSeries, position: int) -> int:
    exports = line.amounts["export"]
    return 0 if exports is None else exports[position]


def _half_year_text(month: Month, rng: Random) -> str:
    """The half-year that ends with the month, in one of the ways clerks write it, or the month itself."""
    first = month.month == 6
    return rng.choice(
        (
            f"{month.year}年{'上' if first else '下'}半年",
            f"{month.year}年{'上' if first else '下'}半年",
            f"{month.year}年{'1-6' if first else '7-12'}月",
            f"{month.year}-H{1 if first else 2}",
            f"{month.year}年{month.month}月",
        )
    )


def declared(usd: float, series: EnterpriseSeries, month: Month) -> int:
    """US dollars as a whole number of the last digit of the enterprise's unit."""
    unit = UNITS[series.enterprise.unit_code]
    rate: float = float(timeline.usd_cny(month)) if unit.currency_code == "CNY" else 1.0
    digits: int = DECIMALS[unit.code]
    return round(usd * rate / unit.multiplier * 10.0**digits)


# --- mistakes -------------------------------------------------------------------------------------------------


def _number(value: Cell) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number: the row is not as it was made")
    return value


def _share_as_fraction(row: dict[str, Cell]) -> None:
    row["holding_share_pct"] = _number(row["holding_share_pct"]) / 100


def _services_above_sales(row: dict[str, Cell]) -> None:
    row["services_revenue"] = round(_number(row["sales_revenue"]) * 1.37)


def _partner_china(row: dict[str, Cell]) -> None:
    row["partner_code"] = "CHN"


def _manufacturing(row: dict[str, Cell]) -> None:
    row["industry_code"] = "3911"


def _days_beyond_half_year(row: dict[str, Cell]) -> None:
    row["person_days"] = _number(row["person_count"]) * 365


def _pay_above_contract(row: dict[str, Cell]) -> None:
    row["remuneration"] = round(_number(row["contract_amount"]) * 1.5)


def _persons_and_days_swapped(row: dict[str, Cell]) -> None:
    row["person_count"], row["person_days"] = row["person_days"], row["person_count"]


def _remote_above_revenue(row: dict[str, Cell]) -> None:
    row["remote_revenue"] = _number(row["revenue"]) + 7


def _visits_in_ten_thousands(row: dict[str, Cell]) -> None:
    row["visit_count"] = _number(row["visit_count"]) / 10_000


def _visits_of_a_day(row: dict[str, Cell]) -> None:
    row["visit_count"], row["revenue"] = 1, _number(row["revenue"]) * 50


def _no_summary(row: dict[str, Cell]) -> None:
    row["summary"] = None


def _ten_thousand_times(row: dict[str, Cell]) -> None:
    row["annual_amount"] = _number(row["annual_amount"]) * 10_000


MISTAKES: tuple[PeriodMistake, ...] = (
    PeriodMistake("affiliate_share_as_fraction", "FM-4", "A01", "rejected", "holding_share_pct",
                  "持股比例按小数填写", _share_as_fraction),
    PeriodMistake("affiliate_services_above_sales", "FM-4", "A02", "rejected", "services_revenue",
                  "服务销售收入大于销售收入", _services_above_sales),
    PeriodMistake("affiliate_in_china", "FM-4", "A05", "queries", "partner_code",
                  "附属机构的国别填成中国", _partner_china),
    PeriodMistake("affiliate_in_manufacturing", "FM-4", "A07", "queries", "industry_code",
                  "行业填成制造业", _manufacturing),
    PeriodMistake("days_beyond_half_year", "FM-5", "N01", "rejected", "person_days",
                  "人天按全年填写", _days_beyond_half_year),
    PeriodMistake("pay_above_contract", "FM-5", "N04", "rejected", "remuneration",
                  "劳务报酬大于合同金额", _pay_above_contract),
    PeriodMistake("persons_and_days_swapped", "FM-5", "N02", "queries", "person_days",
                  "人数与人天填反", _persons_and_days_swapped),
    PeriodMistake("remote_above_revenue", "FM-7", "M01", "rejected", "remote_revenue",
                  "远程服务收入大于服务收入", _remote_above_revenue),
    PeriodMistake("visits_in_ten_thousands", "FM-7", "M03", "rejected", "visit_count",
                  "就诊人次按万人次填写", _visits_in_ten_thousands),
    PeriodMistake("revenue_of_one_visit", "FM-7", "M07", "queries", "revenue",
                  "就诊人次漏填位数，人均收入过高", _visits_of_a_day),
    PeriodMistake("case_without_summary", "FM-8", "C06", "queries", "case_name",
                  "没有摘要", _no_summary),
    PeriodMistake("case_unit_slip", "FM-8", "C03", "queries", "annual_amount",
                  "年交易额误以低一级单位填报", _ten_thousand_times),
)  # fmt: skip
