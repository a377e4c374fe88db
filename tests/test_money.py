"""Units are read only when they are sure, and conversion never loses a digit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.money import RETURN_UNIT_CODES, UNITS, in_currency_units, parse_unit


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("美元", "USD"),
        ("千美元", "USD_1K"),
        ("万美元", "USD_10K"),
        ("百万美元", "USD_1M"),
        ("亿美元", "USD_100M"),
        ("元", "CNY"),
        ("万元", "CNY_10K"),
        ("亿元", "CNY_100M"),
        ("万美金", "USD_10K"),
        ("人民币万元", "CNY_10K"),
        ("人民币 亿元", "CNY_100M"),
        ("万元人民币", "CNY_10K"),
        ("万元（人民币）", "CNY_10K"),
        ("亿元(RMB)", "CNY_100M"),
        ("单位：万美元", "USD_10K"),
        ("单位:万美元 ", "USD_10K"),
        ("计量单位：　万美元", "USD_10K"),
        ("金额单位：亿元", "CNY_100M"),
        ("货币单位：千美元", "USD_1K"),
        ("（万美元）", "USD_10K"),
        ("(单位：万美元)", "USD_10K"),
        ("单位：（万美元）", "USD_10K"),
        ("【万元】", "CNY_10K"),
        ("万 美 元", "USD_10K"),
        ("万\n美元", "USD_10K"),
        ("万美元。", "USD_10K"),
        ("ＵＳＤ", "USD"),
        ("usd", "USD"),
        ("USD 10,000", "USD_10K"),
        ("US dollars", "USD"),
        ("Unit: USD million", "USD_1M"),
        ("£ million", "GBP_1M"),
        ("£'s million", "GBP_1M"),
        ("GBP million", "GBP_1M"),
    ],
)
def test_a_unit_is_read_however_the_clerk_wrapped_it(written, code):
    assert parse_unit(written) is UNITS[code]


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "万",
        "千",
        "亿",
        "人民币",
        "单位：",
        "单位",
        "万美元/万元",
        "万美元 万元",
        "港元",
        "万欧元",
        "人次",
        "个",
        "%",
        "万元（美元）",
        "美元（人民币）",
        "万美元(人民币)",
        "1000",
        "十万美元",
        "千元",
    ],
)
def test_what_is_not_one_of_our_units_is_nothing_rather_than_a_guess(written):
    assert parse_unit(written) is None


def test_a_unit_never_changes_its_currency_or_size():
    assert {code: (unit.currency_code, unit.multiplier) for code, unit in UNITS.items()} == {
        "USD": ("USD", 1),
        "USD_1K": ("USD", 1_000),
        "USD_10K": ("USD", 10_000),
        "USD_1M": ("USD", 1_000_000),
        "USD_100M": ("USD", 100_000_000),
        "CNY": ("CNY", 1),
        "CNY_10K": ("CNY", 10_000),
        "CNY_100M": ("CNY", 100_000_000),
        "GBP_1M": ("GBP", 1_000_000),
    }


def test_the_units_of_the_forms_are_those_of_the_form_and_all_exist():
    assert [UNITS[code].label_zh for code in RETURN_UNIT_CODES] == [
        "美元", "千美元", "万美元", "亿美元", "元", "万元", "亿元",
    ]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS.values(), ids=lambda unit: unit.code)
def test_a_unit_is_found_by_its_code_and_both_its_labels(unit):
    for written in (unit.code, unit.code.lower(), unit.label_zh, unit.label_en, f"单位：{unit.label_zh}"):
        assert parse_unit(written) is unit


@given(st.text())
def test_no_text_breaks_the_reading_of_units(text):
    assert parse_unit(text) is None or parse_unit(text) in UNITS.values()


def test_one_and_a_half_ten_thousand_dollars_are_fifteen_thousand_dollars():
    assert in_currency_units(Decimal("1.5"), UNITS["USD_10K"]) == Decimal("15000")


def test_thirty_digits_survive_conversion_although_decimal_rounds_at_twenty_eight_by_default():
    amount = Decimal("12345678901234567890.1234567891")
    assert in_currency_units(amount, UNITS["USD_100M"]) == Decimal("1234567890123456789012345678.91")
    assert amount * 100_000_000 != Decimal("1234567890123456789012345678.91")  # what the default context does


_AMOUNTS = st.decimals(
    min_value=-(10**20) + 1, max_value=10**20 - 1, allow_nan=False, allow_infinity=False, places=10
)


@given(_AMOUNTS, st.sampled_from(list(UNITS.values())))
def test_converting_and_dividing_back_gives_the_typed_figure(amount, unit):
    converted = in_currency_units(amount, unit)
    sign, digits, exponent = converted.as_tuple()
    places = len(str(unit.multiplier)) - 1
    assert Decimal((sign, digits, exponent - places)) == amount
