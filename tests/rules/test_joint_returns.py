"""January and February on one return: set against single months, and these against them, by the month."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest

from pipelines.findings import Finding

ROW = "item | partner | export\nSJ35 | USA | {}"
MONTHS = [100.12, 97.31, 104.56, 99.87, 101.43, 98.64, 103.21, 96.78, 102.35, 100.94, 99.13, 101.72]


def single_months(bureau: Any, first: str, amounts: list[float]) -> None:
    year, month = map(int, first.split("-"))
    for age, amount in enumerate(amounts):
        ordinal = year * 12 + month - 1 + age
        bureau.file(f"{ordinal // 12}-{ordinal % 12 + 1:02d}", ROW.format(amount), is_accepted=True)


def joint(bureau: Any, amount: object, year: int = 2020, **options: Any) -> None:
    bureau.file(f"{year}-02", ROW.format(amount), period_kind="months_1_2", **options)


def asked(bureau: Any, month: str) -> list[str]:
    return sorted(found.rule for found in bureau.findings(month))


def one(bureau: Any, month: str) -> Finding:
    [found] = bureau.findings(month)
    return found


@pytest.mark.parametrize("amount", ["2013.57", "20135.70", "201357.00", "2013570.00", "1.95"])
def test_a_slip_on_a_joint_return_is_asked_about(bureau: Any, amount: str) -> None:
    single_months(bureau, "2019-01", MONTHS)
    joint(bureau, amount)
    assert asked(bureau, "2020-02") == ["Q3"]


# January high before the Spring Festival and February low after it, both low, both high, two months as ever.
@pytest.mark.parametrize("amount", ["170.25", "120.34", "310.51", "201.36"])
def test_the_spring_festival_is_no_slip(bureau: Any, amount: str) -> None:
    single_months(bureau, "2019-01", MONTHS)
    joint(bureau, amount)
    assert asked(bureau, "2020-02") == []


def test_what_is_usual_is_said_for_two_months(bureau: Any) -> None:
    single_months(bureau, "2019-01", MONTHS)
    joint(bureau, "201357.00")
    usual = 2 * statistics.median(MONTHS)
    found = one(bureau, "2020-02")
    assert f"近 12 个月一般为每两个月 {usual:.2f}，约为其 {201357 / usual:,.2f} 倍" in found.message.zh
    assert f"two months on file before (12) were usually {usual:.2f}, so" in found.message.en
    assert "若是，应为 201.357 左右" in found.message.zh


def test_a_joint_return_of_last_year_serves_as_it_is(bureau: Any) -> None:
    joint(bureau, "2013.57", 2019, is_accepted=True)  # a season: ten times the other months
    single_months(bureau, "2019-03", MONTHS[:10])
    joint(bureau, "2101.43")
    assert asked(bureau, "2020-02") == ["Q1a"]  # far from December, as a season is; no slip


def test_a_slip_is_seen_where_only_a_joint_return_went_before(bureau: Any) -> None:
    joint(bureau, "200.24", 2019, is_accepted=True)
    joint(bureau, "200240.31")
    assert asked(bureau, "2020-02") == ["Q3"]


@pytest.mark.parametrize(("amount", "rules"), [("100.37", []), ("200.59", []), ("100371.00", ["Q3"])])
def test_a_single_month_after_a_joint_return_is_set_against_half_of_it(
    bureau: Any, amount: str, rules: list[str]
) -> None:
    joint(bureau, "200.24", is_accepted=True)
    bureau.file("2020-03", ROW.format(amount))
    assert asked(bureau, "2020-03") == rules


@pytest.mark.parametrize(
    ("amount", "rules"), [("500.59", []), ("510.91", ["Q1a"]), ("80.11", []), ("79.93", ["Q1a"])]
)
def test_a_joint_return_is_set_against_twice_december(bureau: Any, amount: str, rules: list[str]) -> None:
    bureau.file("2019-12", ROW.format("100.12"), is_accepted=True)
    joint(bureau, amount)
    assert asked(bureau, "2020-02") == rules
    if rules:
        found = one(bureau, "2020-02")
        assert "上年12月的两倍为 200.24，环比" in found.message.zh
        assert "twice last December was 200.24, a change" in found.message.en


def test_march_is_set_against_half_of_a_joint_return(bureau: Any) -> None:
    joint(bureau, "200.24", is_accepted=True)
    bureau.file("2020-03", ROW.format("300.43"))
    found = one(bureau, "2020-03")
    assert found.rule == "Q1a"
    assert "1—2月合并数的一半为 100.12，环比 +200.1%" in found.message.zh


def test_a_joint_return_is_set_against_the_two_months_of_last_year(bureau: Any) -> None:
    bureau.file("2019-01", ROW.format("150.12"), is_accepted=True)
    bureau.file("2019-02", ROW.format("50.12"), is_accepted=True)
    joint(bureau, "510.91")
    found = one(bureau, "2020-02")
    assert found.rule == "Q1b"
    assert "上年1—2月为 200.24，同比 +155.1%" in found.message.zh


def test_january_alone_is_set_against_half_of_last_years_two_months(bureau: Any) -> None:
    joint(bureau, "200.24", 2019, is_accepted=True)
    bureau.file("2020-01", ROW.format("300.43"))
    found = one(bureau, "2020-01")
    assert found.rule == "Q1b"
    assert "上年1—2月合并数的一半为 100.12" in found.message.zh


def test_the_same_figure_for_one_month_and_for_two_is_no_repetition(bureau: Any) -> None:
    joint(bureau, "200.24", is_accepted=True)
    bureau.file("2020-03", ROW.format("200.24"))
    assert asked(bureau, "2020-03") == []


@pytest.mark.parametrize(("left_out", "rules"), [(0, ["Q5c"]), (1, ["Q1a"])])
def test_january_and_february_together_are_two_of_the_twelve_months_before_a_zero(
    bureau: Any, left_out: int, rules: list[str]
) -> None:
    joint(bureau, "200.24", is_accepted=True)
    single_months(bureau, "2019-03" if not left_out else "2019-04", MONTHS[left_out:10])
    bureau.file("2020-03", ROW.format("0"))
    assert asked(bureau, "2020-03") == rules


def test_of_a_joint_return_that_reaches_beyond_the_twelve_months_one_month_counts(bureau: Any) -> None:
    joint(bureau, "200.24", 2019, is_accepted=True)
    single_months(
        bureau, "2019-03", [*MONTHS[:9], 0, MONTHS[10]]
    )  # March to January, with a zero in December
    bureau.file("2020-02", ROW.format("0"))
    assert asked(bureau, "2020-02") == ["Q1a"]


def test_the_odds_are_those_of_the_method_by_the_month(bureau: Any) -> None:
    from test_slip_odds import evidence_of, likeliest

    bureau.rate("2020-02", "7.0")
    joint(bureau, "210.24", 2019, is_accepted=True)
    single_months(bureau, "2019-03", MONTHS[:10])
    joint(bureau, "2000.37")
    bureau.findings("2020-02")
    [row] = bureau.connection.execute("select slip_odds from checks.service_trade_line").fetchall()
    assert row[0] == pytest.approx(likeliest(evidence_of(1000.185, [105.12, *MONTHS[:10]])), rel=1e-9)
    assert math.log10(row[0]) > 0
