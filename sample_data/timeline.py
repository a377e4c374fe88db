"""How the synthetic city moves through time: festival, pandemic, seasons, growth and exchange rates.

Amounts of enterprises are not here (`economy`), nor when files arrive (`filings`).
"""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal

from pipelines.periods import Month

# New Year's Day of the lunar calendar; the working weeks lost around it shape two months of a year.
SPRING_FESTIVAL: dict[int, date] = {
    2016: date(2016, 2, 8),
    2017: date(2017, 1, 28),
    2018: date(2018, 2, 16),
    2019: date(2019, 2, 5),
    2020: date(2020, 1, 25),
    2021: date(2021, 2, 12),
    2022: date(2022, 2, 1),
    2023: date(2023, 1, 22),
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
    2027: date(2027, 2, 6),
    2028: date(2028, 1, 26),
    2029: date(2029, 2, 13),
    2030: date(2030, 2, 3),
}

# What is left of normal business from February 2020 on, by main item. Smooth, so that most rows stay inside
# the bounds of the query rules; Hubei's lockdown of January to April 2020 is what it imitates.
_PANDEMIC: dict[str, tuple[float, ...]] = {
    "SC": (0.80, 0.77, 0.84, 0.92, 0.97, 1.00, 1.02, 1.03, 1.04, 1.05, 1.06),
    "SD": (0.68, 0.58, 0.60, 0.66, 0.72, 0.76, 0.78, 0.78, 0.78, 0.78, 0.78),
    "SE": (0.72, 0.68, 0.78, 0.90, 1.00, 1.04, 1.06, 1.08, 1.08, 1.08, 1.08),
    "SI": (0.90, 0.94, 1.02, 1.08, 1.10, 1.12, 1.12, 1.12, 1.12, 1.12, 1.12),
    "SK": (0.74, 0.70, 0.76, 0.84, 0.90, 0.92, 0.94, 0.95, 0.95, 0.95, 0.95),
}
_PANDEMIC_OTHERS = (0.82, 0.82, 0.90, 0.98, 1.03, 1.06, 1.08, 1.08, 1.08, 1.08, 1.08)

_SEASON: dict[str, tuple[float, ...]] = {
    "SD": (1.05, 0.95, 0.88, 0.95, 0.98, 1.06, 1.22, 1.24, 1.00, 0.98, 0.85, 0.92),
    "SE": (0.82, 0.80, 0.98, 0.98, 1.00, 1.08, 1.00, 1.00, 1.06, 1.02, 1.08, 1.24),
    "SH": (1.02, 0.90, 1.10, 0.96, 0.94, 1.08, 0.96, 0.94, 1.06, 0.95, 0.98, 1.16),
}
_SEASON_OTHERS = (0.94, 0.90, 1.02, 0.99, 1.00, 1.05, 1.00, 0.99, 1.03, 0.99, 1.03, 1.12)

# Service trade of the city, 亿美元, if every enterprise of the register reported: the scale of Wuhan's
# published figures (107 in 2016, 96.4 in 2017; plan for 2020: above 200). The figures are synthetic.
CITY_TOTAL_2019_USD_100M = 176.6
YEARLY_GROWTH = 1.178
# Offshore outsourcing executed, 亿美元, in 2020 (plan: above 15).
OFFSHORE_EXECUTED_2020_USD_100M = 13.9
# Customs' goods trade, 亿美元, in 2019 and its growth.
GOODS_TOTAL_2019_USD_100M = 428.0
GOODS_GROWTH = 1.085

# Synthetic monthly averages of the central parity, yuan per US dollar: made up at the level of those years.
_USD_CNY: dict[int, tuple[str, ...]] = {
    2018: ("6.4233", "6.3184", "6.3226", "6.2985", "6.3742", "6.4561", "6.7058", "6.8411", "6.8437", "6.9206", "6.9341", "6.8812"),
    2019: ("6.7884", "6.7345", "6.7103", "6.7168", "6.8511", "6.8796", "6.8742", "7.0195", "7.0801", "7.0714", "7.0187", "7.0109"),
    2020: ("6.9163", "6.9941", "7.0137", "7.0698", "7.0985", "7.0842", "7.0063", "6.9312", "6.8145", "6.7089", "6.6091", "6.5432"),
}  # fmt: skip
_USD_CNY_OTHER_YEARS = 6.85

# Yuan per hundred units of the other currencies against the dollar's movement; also synthetic.
_CROSS_RATES: dict[str, tuple[float, int]] = {
    "EUR": (1.128, 1),
    "JPY": (0.00926, 100),
    "GBP": (1.279, 1),
    "HKD": (0.1284, 1),
}


def spring_festival_factor(month: Month) -> float:
    """The part of a normal month that is worked, given where New Year's Day falls."""
    day = SPRING_FESTIVAL.get(month.year, date(month.year, 2, 5))
    if (day.year, day.month) == (month.year, month.month):
        return 0.86
    # A late January festival takes working days from February, an early February one from January.
    neighbour = Month.of(day).plus(1 if day.day > 15 else -1)
    return 0.95 if neighbour == month else 1.0


def pandemic_factor(month: Month, main_item: str) -> float:
    """1 before February 2020; afterwards what is left (or gained) of the main item's business."""
    elapsed = (month.year - 2020) * 12 + month.month - 2
    if elapsed < 0:
        return 1.0
    path = _PANDEMIC.get(main_item, _PANDEMIC_OTHERS)
    return path[min(elapsed, len(path) - 1)]


def growth_factor(month: Month) -> float:
    """Steady growth about January 2019; what the pandemic takes is on top."""
    elapsed = (month.year - 2019) * 12 + month.month - 1
    return math.exp(math.log(1.20) * elapsed / 12)


def common_index(month: Month, main_item: str) -> float:
    """What all enterprises share in a month: season, festival, pandemic and growth of a main item."""
    season = _SEASON.get(main_item, _SEASON_OTHERS)[month.month - 1]
    return season * spring_festival_factor(month) * pandemic_factor(month, main_item) * growth_factor(month)


def city_total_usd(year: int) -> float:
    """Service trade of a whole year that the enterprises of the register do, in US dollars."""
    return CITY_TOTAL_2019_USD_100M * 1e8 * YEARLY_GROWTH ** (year - 2019)


def goods_total_usd(year: int) -> float:
    """Goods trade of a whole year, in US dollars."""
    return GOODS_TOTAL_2019_USD_100M * 1e8 * GOODS_GROWTH ** (year - 2019)


def offshore_executed_usd(year: int) -> float:
    """Offshore outsourcing executed in a whole year, in US dollars."""
    return OFFSHORE_EXECUTED_2020_USD_100M * 1e8 * 1.16 ** (year - 2020)


def usd_cny(month: Month) -> Decimal:
    """Synthetic monthly average, yuan per US dollar, four decimals."""
    known = _USD_CNY.get(month.year)
    if known:
        return Decimal(known[month.month - 1])
    wave = 0.12 * math.sin((month.year * 12 + month.month) / 5.0)
    return Decimal(f"{_USD_CNY_OTHER_YEARS + wave:.4f}")


def exchange_rates(month: Month) -> tuple[tuple[str, int, Decimal], ...]:
    """Currency, units it is quoted for, yuan for so many units: the rows of table DM-3."""
    dollar = usd_cny(month)
    rows: list[tuple[str, int, Decimal]] = [("USD", 1, dollar)]
    for position, (currency, (cross, per)) in enumerate(_CROSS_RATES.items()):
        drift = 1 + 0.018 * math.sin((month.year * 12 + month.month) / 4.0 + position)
        rows.append(
            (currency, per, (dollar * Decimal(f"{cross * drift * per:.6f}")).quantize(Decimal("0.0001")))
        )
    return tuple(rows)
