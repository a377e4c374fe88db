"""Reference periods: every shape that clerks write, nothing that could be two periods, and the calendar."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.periods import (
    InvalidPeriod,
    Month,
    Period,
    listed_months,
    parse_period,
    parse_span,
    period_name,
)

MONTHS = st.builds(Month, st.integers(1901, 2998), st.integers(1, 12))


@pytest.mark.parametrize(
    "written",
    [
        "2026年3月",
        "2026年03月",
        "2026年3月份",
        "2026 年 3 月",
        "　２０２６年３月 ",
        "2026-03",
        "2026-3",
        "2026—03",
        "2026/3",
        "2026/03",
        "2026.3",
        "2026.03",
        "202603",
        "２０２６０３",
        "2026-M03",
        "2026-03-01",
        "2026-03-31",
        "2026/3/1",
        "2026.3.1",
        "2026年3月1日",
        "2026-03-01 00:00:00",
        "2026-03-01T00:00:00",
        "2026-03-01T00:00:00.000",
        "报告期：2026年3月",
        "报告期别：2026年3月",
        "报告期: 2026-03",
        "所属期：202603",
        "统计期 2026年3月",
        202603,
        202603.0,
        2026.3,
        date(2026, 3, 1),
        date(2026, 3, 31),
        datetime(2026, 3, 15, 13, 5),
    ],
)
def test_march_is_march_in_every_shape_of_the_forms(written):
    assert parse_period(written) == Period(Month(2026, 3), "month")


@pytest.mark.parametrize(
    "written",
    [
        "2026年1-2月",
        "2026年1—2月",
        "2026年1——2月",
        "2026年1–2月",
        "2026年1−2月",
        "2026年１－２月",
        "2026年1～2月",
        "2026年1至2月",
        "2026年1月至2月",
        "2026年1月-2月",
        "2026年01-02月",
        "2026年1、2月",
        "2026年1-2月份",
        "2026年1-2",
        "2026-1-2月",
        "2026/1-2",
        "2026-M01-02",
        "报告期：2026年1-2月",
    ],
)
def test_january_and_february_may_come_as_one_period(written):
    assert parse_period(written) == Period(Month(2026, 1), "months_1_2")


@pytest.mark.parametrize(
    ("written", "first_month"),
    [
        ("2026年第一季度", 1),
        ("2026年一季度", 1),
        ("2026年2季度", 4),
        ("2026年第3季度", 7),
        ("2026第四季度", 10),
        ("2026-Q1", 1),
        ("2026q2", 4),
        ("2026年Q4", 10),
    ],
)
def test_quarters_are_read_in_figures_and_in_words(written, first_month):
    assert parse_period(written) == Period(Month(2026, first_month), "quarter")


@pytest.mark.parametrize(
    ("written", "first_month"),
    [("2020年上半年", 1), ("2020上半年", 1), ("2020-H1", 1), ("2020年下半年", 7), ("2020h2", 7)],
)
def test_half_years_are_read(written, first_month):
    assert parse_period(written) == Period(Month(2020, first_month), "half_year")


@pytest.mark.parametrize("written", ["2017", "2017年", "2017年度", "２０１７年", 2017, 2017.0])
def test_a_bare_year_is_a_year(written):
    assert parse_period(written) == Period(Month(2017, 1), "year")


def test_an_iso_date_in_early_january_is_no_pair_of_months():
    assert parse_period("2026-01-02") == Period(Month(2026, 1), "month")
    assert parse_period("2026/1/2") == Period(Month(2026, 1), "month")


def test_what_may_be_a_day_or_two_months_is_asked_for_and_not_guessed():
    with pytest.raises(InvalidPeriod, match="a day or two months"):
        parse_period("2026-1-2")


def test_the_number_2026_point_1_is_refused_because_october_loses_its_zero():
    with pytest.raises(InvalidPeriod, match="January or October"):
        parse_period(2026.1)
    assert parse_period("2026.1") == Period(Month(2026, 1), "month")  # as text its zero is still there
    assert parse_period("2026.10") == Period(Month(2026, 10), "month")
    assert parse_period(2026.11) == Period(Month(2026, 11), "month")


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "月",
        "3月",
        "26年3月",
        "2026年13月",
        "2026-13",
        "202613",
        202613,
        "2026年0月",
        "2026-00",
        "202600",
        "2026-03-32",
        "2026-02-30",
        "2026年2月30日",
        "2026-03-15 13:05:00",
        "2026年第五季度",
        "2026-Q5",
        "2026-H3",
        "20261",
        20261,
        "2026年1-3月",
        "2026年3-4月",
        "2026年2-1月",
        "1899年12月",
        "3000-01",
        0,
        -202603,
        43891,
        43891.0,
        float("nan"),
        float("inf"),
        float("-inf"),
        True,
        "去年三月",
        "2026年3月/2026年4月",
        "=TODAY()",
        "2026-03\n2026-04",
    ],
)
def test_what_is_no_period_is_an_invalid_period_and_nothing_else(written):
    with pytest.raises(InvalidPeriod):
        parse_period(written)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.dates(), st.datetimes()))
def test_anything_at_all_is_a_period_or_an_invalid_period(value):
    try:
        period = parse_period(value)
    except InvalidPeriod:
        return
    assert period.first <= period.last


@given(MONTHS, st.sampled_from(["month", "months_1_2", "quarter", "half_year", "year"]))
def test_a_period_is_read_back_from_what_it_prints(month, kind):
    firsts = {"month": month.month, "months_1_2": 1, "quarter": (month.month - 1) // 3 * 3 + 1,
              "half_year": 1 if month.month < 7 else 7, "year": 1}  # fmt: skip
    period = Period(Month(month.year, firsts[kind]), kind)
    assert parse_period(str(period)) == period


@pytest.mark.parametrize(
    ("kind", "month"), [("months_1_2", 2), ("quarter", 3), ("half_year", 4), ("year", 12)]
)
def test_a_period_cannot_begin_in_the_middle_of_itself(kind, month):
    with pytest.raises(InvalidPeriod):
        Period(Month(2026, month), kind)


@pytest.mark.parametrize(
    ("written", "last", "count"),
    [
        ("2026-03", "2026-03", 1),
        ("2026年1-2月", "2026-02", 2),
        ("2026-Q4", "2026-12", 3),
        ("2026-H2", "2026-12", 6),
        ("2026", "2026-12", 12),
    ],
)
def test_a_period_counts_in_its_last_month(written, last, count):
    period = parse_period(written)
    assert str(period.last) == last
    assert len(period.months) == count
    assert (period.months[0], period.months[-1]) == (period.first, period.last)


def test_a_partition_key_has_one_shape_only():
    assert Month.parse("2026-03") == Month(2026, 3)
    for written in ("2026-3", "202603", "2026年3月", "2026-03 ", "2026-03\n", "２０２６-０３", "2026-13", ""):
        with pytest.raises(InvalidPeriod):
            Month.parse(written)


@pytest.mark.parametrize(
    ("year", "month"), [(2026, 0), (2026, 13), (1899, 12), (3000, 1), (0, 1), (2026, -1)]
)
def test_there_is_no_such_month(year, month):
    with pytest.raises(InvalidPeriod):
        Month(year, month)


def test_february_ends_on_its_29th_in_leap_years_only():
    assert Month(2020, 2).end_date == date(2020, 2, 29)
    assert Month(2019, 2).end_date == date(2019, 2, 28)
    assert Month(2100, 2).end_date == date(2100, 2, 28)


def test_the_last_month_there_is_has_an_end_and_a_span():
    last = Month(2999, 12)
    assert last.end_date == date(2999, 12, 31)
    assert list(Month.span(last, last)) == [last]
    with pytest.raises(InvalidPeriod):
        last.plus(1)


def test_a_year_has_twelve_months_before_and_after_every_turn():
    january = Month(2020, 1)
    assert january.previous == Month(2019, 12)
    assert january.a_year_earlier == Month(2019, 1)
    assert Month(2019, 11).plus(14) == Month(2021, 1)
    assert [str(month) for month in Month(2020, 3).year_to_date] == ["2020-01", "2020-02", "2020-03"]
    assert list(Month.span(Month(2020, 2), Month(2020, 1))) == []
    assert len(list(Month.span(Month(2019, 1), Month(2020, 12)))) == 24


@given(MONTHS, st.integers(-600, 600))
def test_stepping_forth_and_back_returns(month, steps):
    try:
        there = month.plus(steps)
    except InvalidPeriod:
        return  # beyond 1900 to 2999
    assert there.plus(-steps) == month
    assert (there > month) == (steps > 0)


@given(MONTHS)
def test_a_month_runs_from_its_first_day_to_the_day_before_the_next(month):
    assert month.start_date.day == 1
    assert month.end_date + timedelta(days=1) == month.plus(1).start_date
    assert Month.of(month.end_date) == month
    assert Month.parse(str(month)) == month


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("2025年1-6月", "2025-H1"),
        ("2025年7—12月", "2025-H2"),
        ("2025年1月至12月", "2025"),
        ("2025年4-6月", "2025-Q2"),
        ("2025.01-06月份", "2025-H1"),
        ("2025年1-2月", "2025-M01-02"),
        ("2025年", "2025"),
        ("2025年上半年", "2025-H1"),
    ],
)
def test_on_a_form_that_is_not_monthly_months_from_and_to_are_a_period(written, printed):
    assert str(parse_span(written)) == printed


@pytest.mark.parametrize(
    "written", ["2025年2-6月", "2025年1-5月", "2025年6-1月", "2025年1-13月", "1-6月", 20251.6, ""]
)
def test_months_that_are_no_quarter_half_year_or_year_are_no_period(written):
    with pytest.raises(InvalidPeriod):
        parse_span(written)


@pytest.mark.parametrize(
    ("kind", "month", "printed"),
    [
        ("year", "2026-03", "2025"),
        ("year", "2026-12", "2026"),
        ("half_year", "2026-05", "2025-H2"),
        ("half_year", "2026-06", "2026-H1"),
        ("half_year", "2026-12", "2026-H2"),
        ("quarter", "2026-02", "2025-Q4"),
        ("quarter", "2026-08", "2026-Q2"),
    ],
)
def test_the_latest_period_that_is_over_by_a_month(kind, month, printed):
    period = Period.latest_over(kind, Month.parse(month))
    assert str(period) == printed
    assert period.last <= Month.parse(month)


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("2026-03", "2026年3月", "March 2026"),
        ("2026-M01-02", "2026年1—2月", "January to February 2026"),
        ("2026-Q3", "2026年第三季度", "Q3 2026"),
        ("2026-H2", "2026年下半年", "H2 2026"),
        ("2026", "2026年", "2026"),
    ],
)
def test_a_period_is_named_as_people_write_it_and_its_name_is_read_back(code: str, zh: str, en: str) -> None:
    period = parse_period(code)
    assert (period_name(code, "zh"), period_name(code, "en")) == (zh, en)
    assert (f"{period:zh}", f"{period:en}") == (zh, en)
    assert f"{period}" == str(period) == code, "without a language it stays the code"
    assert parse_period(zh) == period


def test_a_month_is_formatted_by_language_and_otherwise_as_its_code() -> None:
    month = Month(2026, 3)
    assert (f"{month:zh}", f"{month:en}", f"{month}", f"{month:>9}") == (
        "2026年3月",
        "March 2026",
        "2026-03",
        "  2026-03",
    )


def test_what_is_no_period_keeps_its_text() -> None:
    assert [period_name(text, "zh") for text in ("2026-13-01", "三月份", "", None)] == [
        "2026-13-01",
        "三月份",
        "",
        "",
    ]


def test_months_are_listed_as_people_list_them() -> None:
    months = [Month(2019, 11), Month(2019, 12), Month(2020, 1), Month(2020, 3)]
    assert listed_months(months, "zh") == "2019年11月至2020年1月、2020年3月"
    assert listed_months(months, "en") == "November 2019 to January 2020, March 2020"
    assert listed_months([], "zh") == ""
