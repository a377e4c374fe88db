"""Money: declared units, exact conversion, never binary floats.

Exchange rates themselves are data (departmental table DM-3); here is only what a unit means.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Unit:
    """A declared unit: its code, its label on forms, its currency and how many currency units it holds."""

    code: str
    label_zh: str
    label_en: str
    currency_code: str
    multiplier: int


UNITS: dict[str, Unit] = {
    unit.code: unit
    for unit in (
        Unit("USD", "美元", "US dollars", "USD", 1),
        Unit("USD_1K", "千美元", "USD 1,000", "USD", 1_000),
        Unit("USD_10K", "万美元", "USD 10,000", "USD", 10_000),
        Unit("USD_1M", "百万美元", "USD million", "USD", 1_000_000),
        Unit("USD_100M", "亿美元", "USD 100 million", "USD", 100_000_000),
        Unit("CNY", "元", "yuan", "CNY", 1),
        Unit("CNY_10K", "万元", "10,000 yuan", "CNY", 10_000),
        Unit("CNY_100M", "亿元", "100 million yuan", "CNY", 100_000_000),
        Unit("GBP_1M", "百万英镑", "GBP million", "GBP", 1_000_000),
    )
}
# Units a direct-report workbook may declare (forms.md); departments may also file in the others.
RETURN_UNIT_CODES = ("USD", "USD_1K", "USD_10K", "USD_100M", "CNY", "CNY_10K", "CNY_100M")

_ALIASES: dict[str, str] = {
    **{unit.label_zh: unit.code for unit in UNITS.values()},
    **{f"人民币{unit.label_zh}": unit.code for unit in UNITS.values() if unit.currency_code == "CNY"},
    **{unit.label_en.lower(): unit.code for unit in UNITS.values()},
    **{unit.code.lower(): unit.code for unit in UNITS.values()},
    "人民币元": "CNY",
    "£ million": "GBP_1M",
    "£million": "GBP_1M",
    "gbp million": "GBP_1M",
    "usd": "USD",
    "万美金": "USD_10K",
}


def parse_unit(text: str) -> Unit | None:
    """The unit that a clerk wrote, or None if it is none of ours: the caller reports it, nothing is assumed.

    Accepts 单位：万美元, (万美元), full-width letters and blanks. `万` alone is None: it names no currency.
    """
    plain = unicodedata.normalize("NFKC", text).strip().strip("()[]").strip()
    for prefix in ("计量单位", "金额单位", "单位"):
        if plain.startswith(prefix):
            plain = plain[len(prefix) :].lstrip(":： ").strip()
            break
    code = _ALIASES.get(plain) or _ALIASES.get(plain.lower()) or _ALIASES.get(plain.replace(" ", ""))
    return UNITS[code] if code else None


def in_currency_units(amount: Decimal, unit: Unit) -> Decimal:
    """An amount in a declared unit as plain currency units (1.5 万美元 -> 15000 US dollars), exactly."""
    return amount * unit.multiplier
