"""Money: declared units, exact conversion, never binary floats.

Exchange rates themselves are data (departmental table DM-3); here is only what a unit means.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation


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

# Compared in lower case and without blanks.
_ALIASES: dict[str, str] = {
    alias.lower().replace(" ", ""): code
    for alias, code in (
        *((unit.label_zh, unit.code) for unit in UNITS.values()),
        *((unit.label_en, unit.code) for unit in UNITS.values()),
        *((unit.code, unit.code) for unit in UNITS.values()),
        *((f"人民币{unit.label_zh}", unit.code) for unit in UNITS.values() if unit.currency_code == "CNY"),
        *((f"{unit.label_zh}人民币", unit.code) for unit in UNITS.values() if unit.currency_code == "CNY"),
        ("£ million", "GBP_1M"),
        ("£'s million", "GBP_1M"),
        ("万美金", "USD_10K"),
    )
}

_LABEL = re.compile(r"^(?:(?:计量|金额|货币)?单位|unit)[::]*", re.IGNORECASE)
_BRACKETED_CURRENCY = re.compile(r"^(?P<unit>.+)\((?:人民币|rmb|cny)\)$", re.IGNORECASE)
# Wide enough for every digit that a cell of the lines store can hold, times the largest unit; never rounds.
_EXACT = Context(prec=64, traps=[Inexact, InvalidOperation])


def parse_unit(text: str) -> Unit | None:
    """The unit that a clerk wrote, or None if it is none of ours: the caller reports it, nothing is assumed.

    Accepts 单位：万美元, (万美元), 计量单位：（万美元）, 万元（人民币）, full-width letters and blanks anywhere. `万` alone
    is None: it names no currency.
    """
    plain = _without_brackets(re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower())
    plain = _without_brackets(_LABEL.sub("", plain)).rstrip("。.;,")
    code = _ALIASES.get(plain)
    if code is None and (match := _BRACKETED_CURRENCY.match(plain)) is not None:
        code = _ALIASES.get(match["unit"])
        code = code if code is not None and UNITS[code].currency_code == "CNY" else None
    return UNITS[code] if code else None


def in_currency_units(amount: Decimal, unit: Unit) -> Decimal:
    """An amount in a declared unit as plain currency units (1.5 万美元 -> 15000 US dollars), exactly.

    Raises decimal.Inexact above 64 significant digits, and decimal.InvalidOperation for a signalling NaN.
    """
    return _EXACT.multiply(amount, Decimal(unit.multiplier))


def _without_brackets(text: str) -> str:
    """(万美元) -> 万美元: one pair around everything; a bracket inside stays."""
    while (
        len(text) > 1 and text[0] in "([【" and text[-1] in ")]】" and not set("([【)]】") & set(text[1:-1])
    ):
        text = text[1:-1]
    return text
