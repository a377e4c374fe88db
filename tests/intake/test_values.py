"""What one cell says: blank, zero, withheld and not applicable are four things, and numbers are exact."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.intake.values import (
    as_text,
    label_key,
    number_text,
    read_date,
    read_flag,
    read_number,
    read_period,
)


@pytest.mark.parametrize(
    ("given_value", "number", "state", "fixes"),
    [
        (1234.5, "1234.5", "value", ()),
        (0.0, "0", "zero", ()),
        (-3.25, "-3.25", "value", ()),
        (43.0, "43", "value", ()),
        ("", None, "", ()),
        ("  \u3000", None, "", ()),
        ("0", "0", "zero", ("text_number",)),
        ("１，２３４.５", "1234.5", "value", ("full_width", "thousands")),
        ("1,234,567", "1234567", "value", ("thousands",)),
        ("1 234.5 ", "1234.5", "value", ("blanks", "thousands")),
        (" 12.50", "12.50", "value", ("blanks",)),
        ("－5", "-5", "value", ("full_width",)),
        ("−5", "-5", "value", ("text_number",)),
        ("1.2E+3", "1200", "value", ("text_number",)),
        ("…", "0", "zero", ("below_half_a_unit",)),
        ("……", "0", "zero", ("below_half_a_unit",)),
        ("...", "0", "zero", ("below_half_a_unit",)),
        ("—", None, "not_applicable", ("not_applicable",)),
        ("——", None, "not_applicable", ("not_applicable",)),
        ("－", None, "not_applicable", ("not_applicable",)),
        ("-", None, "not_applicable", ("not_applicable",)),
        ("／", None, "not_applicable", ("not_applicable",)),
        ("无", None, "not_applicable", ("not_applicable",)),
        ("..", None, "withheld", ()),
        ("保密", None, "withheld", ()),
        ("*", None, "withheld", ()),
    ],
)
def test_a_number_cell_is_read_as_what_it_can_only_mean(
    given_value: object, number: str | None, state: str, fixes: tuple[str, ...]
) -> None:
    assert read_number(given_value) == (number, state, fixes)


@pytest.mark.parametrize(
    "given_value",
    ["1,2OO", "约100", "12,34", "1,2345", "100万", "¥100", "(100)", "1.2.3", "40%", "1e999", "9" * 30, "一百", True,
     float("nan"), float("inf"), 1e18, date(2020, 3, 5), "=1+1"],
)  # fmt: skip
def test_what_could_mean_two_numbers_or_none_is_invalid(given_value: object) -> None:
    reading = read_number(given_value)
    assert (reading.number, reading.state) == (None, "invalid")


def test_a_percent_sign_is_dropped_only_where_percentages_stand() -> None:
    assert read_number("40%", is_percent=True) == ("40", "value", ("percent_sign",))
    assert read_number("４０％", is_percent=True).number == "40"
    assert read_number("40%").state == "invalid"


def test_in_a_text_table_plain_digits_are_no_leniency() -> None:
    assert read_number("6.9141", is_delimited=True) == ("6.9141", "value", ())
    assert read_number("1,789", is_delimited=True).fixes == ("thousands",)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.1, "1.1"),
        (0.1 + 0.2, "0.3"),
        (1e-05, "0.00001"),
        (123456789.123, "123456789.123"),
        (1 / 3, "0.3333333333"),
        (2 / 3 * 1e6, "666666.666666667"),
        (-0.0, "0"),
        (1e15, "1000000000000000"),
        (1e-12, "0"),
        (100.0, "100"),
    ],
)
def test_a_float_is_the_decimal_that_excel_shows(value: float, text: str) -> None:
    assert number_text(value) == text


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_every_amount_with_two_decimals_survives_the_float_it_is_stored_as(amount: Decimal) -> None:
    assert Decimal(number_text(float(amount))) == amount


@given(st.floats(allow_nan=True, allow_infinity=True) | st.text() | st.booleans() | st.dates())
def test_no_cell_raises_whatever_it_holds(value: object) -> None:
    for is_percent in (False, True):
        reading = read_number(value, is_percent=is_percent)
        if reading.number is not None:
            assert abs(Decimal(reading.number)) < 10**18
    read_date(value, is_1904=False)
    read_period(value, is_1904=True)
    as_text(value)


@pytest.mark.parametrize(
    ("value", "is_1904", "day", "fixes"),
    [
        (date(2020, 1, 15), False, date(2020, 1, 15), ()),
        (datetime(2020, 1, 15, 8, 30), False, date(2020, 1, 15), ()),
        ("2020-01-15", False, date(2020, 1, 15), ()),
        ("2020/1/5", False, date(2020, 1, 5), ()),
        ("2020.01.05", False, date(2020, 1, 5), ()),
        ("2020年1月5日", False, date(2020, 1, 5), ()),
        ("２０２０年１月５日", False, date(2020, 1, 5), ("full_width",)),
        ("2020-01-15 00:00:00", False, date(2020, 1, 15), ()),
        ("2020-1-1 10:00:00", False, date(2020, 1, 1), ()),  # not the 11th
        ("2020-1-2  12:30", False, date(2020, 1, 2), ()),  # nor the 21st
        ("2020-1-5T00:00:00.000", False, date(2020, 1, 5), ()),
        ("2020年1月5日8:30", False, date(2020, 1, 5), ()),
        ("2020 年 1 月 5 号", False, date(2020, 1, 5), ()),
        (43845.0, False, date(2020, 1, 15), ("serial_date",)),
        (42383.0, True, date(2020, 1, 15), ("serial_date",)),
        (20200115.0, False, date(2020, 1, 15), ("compact_date",)),
        ("20200115", False, date(2020, 1, 15), ("compact_date",)),
    ],
)
def test_dates_in_every_shape(value: object, is_1904: bool, day: date, fixes: tuple[str, ...]) -> None:
    assert read_date(value, is_1904=is_1904) == (day, fixes)


@pytest.mark.parametrize(
    "value", ["2020-02-30", "昨天", "2020", "", 3.0, True, "2020-13-01", "2020-1-1 25", " " * 30_000]
)
def test_what_is_no_day_is_none(value: object) -> None:
    assert read_date(value, is_1904=False).day is None


@pytest.mark.parametrize(
    ("value", "period"),
    [
        ("2026年3月", "2026-03"),
        ("2026-03", "2026-03"),
        ("202603", "2026-03"),
        (202603.0, "2026-03"),
        (date(2026, 3, 1), "2026-03"),
        (datetime(2026, 3, 31), "2026-03"),
        (46082.0, "2026-03"),
        ("2026年3月31日", "2026-03"),
        ("2026年1-2月", "2026-M01-02"),
        ("2026年第一季度", "2026-Q1"),
        ("2026年上半年", "2026-H1"),
        (2026.0, "2026"),
        ("２０２６年３月", "2026-03"),
    ],
)
def test_periods_in_every_shape(value: object, period: str) -> None:
    assert str(read_period(value, is_1904=False).period) == period


def test_a_serial_number_depends_on_the_calendar_of_the_workbook() -> None:
    assert str(read_period(43891.0, is_1904=False).period) == "2020-03"
    assert str(read_period(43891.0 - 1462, is_1904=True).period) == "2020-03"


@pytest.mark.parametrize("value", ["3月", "2026-13", "三月", True, float("nan")])
def test_what_is_no_period_is_none(value: object) -> None:
    assert read_period(value, is_1904=False).period is None


@pytest.mark.parametrize(
    ("text", "flag"),
    [("☑", True), ("√", True), ("是", True), ("1", True), ("☑是", True), ("□", False), ("否", False), ("", False),
     ("×", False), ("也许", None), ("2", None)],
)  # fmt: skip
def test_a_box_is_ticked_empty_or_neither(text: str, flag: bool | None) -> None:
    assert read_flag(text) is flag


@pytest.mark.parametrize(
    "written", ["1—本月累计", "1-本月累计", "１—本月 累计", "1–本月累计：", "1--本月累计①", " 1－本月累计*"]
)
def test_writings_of_one_label_have_one_key(written: str) -> None:
    assert label_key(written) == "1-本月累计"
