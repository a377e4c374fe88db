"""Targets: what each comparator means, which figure it is held against, and Wuhan's own published facts."""

from __future__ import annotations

import csv
from decimal import Decimal

import pytest

PROGRESS = ("indicators.target_progress",)
SOFTWARE = "软件和信息技术服务产业业务收入"


def department(bureau, *rows: str) -> None:
    bureau.shares("DM-4", "indicator | period | value | unit\n" + "\n".join(rows), department="市统计局")


@pytest.fixture
def target(row):
    return lambda month, target_id: row("indicators.target_progress", month, target_id=target_id)


def test_wuhans_total_of_2017_missed_its_target(bureau, target):
    department(bureau, "服务贸易进出口总额 | 2017 | 96.4 | 亿美元")
    bureau.computes("2017-12", names=PROGRESS)
    total = target("2017-12", "T001")
    assert (total.comparator, total.target_value, total.value) == (">", 120, Decimal("96.4"))
    assert round(total.achieved_pct, 1) == 80.3
    assert (total.status, total.gap, total.measured_source) == ("not_met", Decimal("-23.6"), "department")
    assert (total.measured_period, total.department, total.is_so_far) == ("2017", "市统计局", False)


def test_wuhans_share_of_2016_met_the_target_of_2017_early(bureau, target):
    department(bureau, "服务贸易占对外贸易(服务贸易+货物贸易)比重 | 2016 | 31.05 | %")
    bureau.computes("2016-12", "2020-12", names=PROGRESS)
    for month in ("2016-12", "2020-12"):
        share = target(month, "T003")
        assert (share.value, share.target_value, share.status) == (Decimal("31.05"), 25, "met_early")
        assert share.measured_period == "2016"


def test_the_two_overall_targets_of_2017_are_scored_apart(bureau, target):
    department(
        bureau, "服务贸易进出口总额 | 2017 | 96.4 | 亿美元", "服务贸易占对外贸易比重 | 2016 | 31.05 | %"
    )
    bureau.computes("2017-12", names=PROGRESS)
    assert (target("2017-12", "T001").status, target("2017-12", "T003").status) == ("not_met", "met_early")


def test_the_published_facts_of_wuhan_as_a_departmental_table(bureau, target, shared):
    with (shared / "reference" / "wuhan_hubei_published_actuals.csv").open(encoding="utf-8") as file:
        facts = [fact for fact in csv.DictReader(file) if fact["value"]]
    bureau.shares(
        "DM-4",
        "indicator | period | value | unit | area\n"
        + "\n".join(
            f"{fact['indicator']} | {fact['period']} | {fact['value']} | {fact['unit']} | {fact['area']}"
            for fact in facts
            if fact["period"].isdigit()
        ),
    )
    bureau.computes("2020-12", names=(*PROGRESS, "core.published_share"))
    assert round(target("2020-12", "T001").achieved_pct, 1) == 80.3
    assert target("2020-12", "T001").status == "not_met"
    assert target("2020-12", "T003").status == "met_early"
    # (96.4 / 70.39)^(1/2) - 1 = 17.0 % a year since 2015, against 30 %
    growth = target("2020-12", "T002")
    assert round(float(growth.value), 1) == 17.0
    assert (growth.status, growth.base_year, growth.measured_period) == ("not_met", 2015, "2015..2017")


def test_more_than_120_is_not_met_by_120(bureau, target):
    department(bureau, "服务贸易进出口总额 | 2017 | 120 | 亿美元")
    bureau.computes("2017-12", names=PROGRESS)
    assert target("2017-12", "T001").status == "not_met"


def test_reach_is_met_at_the_value(bureau, target):
    department(bureau, f"{SOFTWARE} | 2016 | 1200 | 亿元")
    bureau.computes("2016-12", names=PROGRESS)
    software = target("2016-12", "T033")
    assert (software.comparator, software.status, software.achieved_pct) == (
        "reach",
        "met",
        pytest.approx(100),
    )


@pytest.mark.parametrize(("value", "status"), [("9", "not_met"), ("10", "met"), ("15", "met"), ("25", "met")])
def test_a_range_is_met_inside_and_above(bureau, target, value, status):
    department(bureau, f"产值过10亿元的骨干企业数 | 2020 | {value} | 家")
    bureau.computes("2020-12", names=PROGRESS)
    assert target("2020-12", "T009").status == status


@pytest.mark.parametrize(
    ("value", "status"), [("18", "not_met"), ("19", "met"), ("20", "met"), ("24", "met")]
)
def test_about_twenty_is_met_from_nineteen_on(bureau, target, value, status):
    department(bureau, f"骨干物流企业总部、地区总部或职能性总部法人机构数 | 2020 | {value} | 家")
    bureau.computes("2020-12", names=PROGRESS)
    assert target("2020-12", "T064").status == status


@pytest.mark.parametrize(("value", "status"), [("13.7", "not_met"), ("13.65", "met"), ("12.1", "met")])
def test_down_to_about_13_per_cent_is_better_lower(bureau, target, value, status):
    department(bureau, f"社会物流总费用占GDP比重 | 2020 | {value} | %")
    bureau.computes("2020-12", names=PROGRESS)
    cost = target("2020-12", "T063")
    assert (cost.status, cost.is_lower_better) == (status, True)
    assert cost.achieved_pct == pytest.approx(100 * 13 / float(value))


def test_growth_is_taken_as_published_or_from_the_two_years(bureau, target):
    department(
        bureau,
        f"{SOFTWARE} | 2015 | 1000 | 亿元",
        f"{SOFTWARE} | 2016 | 1190 | 亿元",
        f"{SOFTWARE} | 2017 | 1500 | 亿元",
        f"{SOFTWARE}同比增速 | 2017 | 20.5 | %",
    )
    bureau.computes("2017-12", names=PROGRESS)
    derived, published = target("2017-12", "T034"), target("2017-12", "T036")
    assert (derived.value, derived.base_value, derived.status) == (
        pytest.approx(Decimal(19)),
        1000,
        "not_met",
    )
    assert (published.value, published.status) == (Decimal("20.5"), "met")
    assert derived.achieved_pct is None  # a growth rate is met or not; it is no fraction of a target


def test_a_year_to_date_is_so_far_and_not_scaled(bureau, target, rates_of_seven):
    for month in ("2020-01", "2020-02", "2020-03"):
        bureau.files("E1", month, "item | partner | export\nSI2 | USA | 10", unit="USD_100M")
    bureau.computes("2020-01", "2020-02", "2020-03", names=PROGRESS)
    total = target("2020-03", "T004")
    assert (total.value, total.target_value, total.status) == (30, 200, "on_the_way")
    assert total.achieved_pct == pytest.approx(15)
    assert (total.is_so_far, total.measured_period, total.measured_source) == (
        True,
        "2020-01..2020-03",
        "direct_report",
    )


def test_a_level_passed_before_the_year_is_over_is_met_early(bureau, target, rates_of_seven):
    bureau.files("E1", "2020-01", "item | partner | export\nSI2 | USA | 201", unit="USD_100M")
    bureau.computes("2020-01", names=PROGRESS)
    assert target("2020-01", "T004").status == "met_early"


def test_a_year_complete_in_returns_is_judged_for_good(bureau, target, rates_of_seven):
    months = [f"2020-{month:02d}" for month in range(1, 13)]
    for month in months:
        bureau.files("E1", month, "item | partner | export\nSI2 | USA | 16", unit="USD_100M")
        bureau.shares("DM-2", f"month | export | import\n{month} | 20 | 20", unit="USD_100M")
    department(bureau, "服务贸易进出口总额 | 2020 | 500 | 亿美元")  # our own series goes before
    bureau.computes(*months, names=PROGRESS)
    total, share = target("2020-12", "T004"), target("2020-12", "T005")
    assert (total.value, total.status, total.measured_source) == (192, "not_met", "direct_report")
    assert (total.measured_period, total.is_so_far) == ("2020", False)
    assert (round(float(share.value), 4), share.status) == (28.5714, "not_met")
    assert share.gap == pytest.approx(Decimal("-1.428571"))


def test_a_year_with_a_month_missing_is_no_figure_and_not_called_missed(bureau, target, rates_of_seven):
    months = [f"2020-{month:02d}" for month in range(2, 13)]
    for month in months:
        bureau.files("E1", month, "item | partner | export\nSI2 | USA | 16", unit="USD_100M")
    bureau.computes(*months, names=PROGRESS)
    total = target("2020-12", "T004")
    assert (total.value, total.is_so_far, total.status) == (None, False, "no_data")


def test_yuan_are_never_held_against_a_target_in_dollars(bureau, target):
    department(bureau, "服务贸易进出口总额 | 2017 | 700 | 亿元")
    bureau.computes("2017-12", names=PROGRESS)
    assert target("2017-12", "T001").status == "no_data"


def test_another_unit_of_the_same_currency_is_converted(bureau, target):
    department(bureau, "服务外包离岸合同执行额 | 2016 | 85000 | 万美元")
    bureau.computes("2016-12", names=PROGRESS)
    offshore = target("2016-12", "T028")
    assert (offshore.value, offshore.status) == (Decimal("8.5"), "met")


def test_what_is_filed_later_is_not_known_yet(bureau, target):
    department(
        bureau, "服务贸易进出口总额 | 2016 | 107 | 亿美元", "服务贸易进出口总额 | 2017 | 96.4 | 亿美元"
    )
    bureau.computes("2017-06", names=PROGRESS)
    total = target("2017-06", "T001")
    assert (total.measured_period, total.value, total.status) == ("2016", 107, "on_the_way")


def test_another_areas_figure_is_not_the_citys(bureau, target):
    bureau.shares(
        "DM-4", "indicator | period | value | unit | area\n服务贸易进出口总额 | 2017 | 500 | 亿美元 | 湖北"
    )
    bureau.computes("2017-12", names=PROGRESS)
    assert target("2017-12", "T001").status == "no_data"


def test_parts_of_a_year_add_up_for_flows_when_none_is_missing(bureau, target):
    department(
        bureau,
        "旅游业总收入 | 2016-Q1 | 600 | 亿元",
        "旅游业总收入 | 2016-Q2 | 700 | 亿元",
        "接待海外旅游者人次 | 2016-Q2 | 60 | 万人次",  # the first quarter is missing
    )
    bureau.computes("2016-06", names=PROGRESS)
    income = target("2016-06", "T070")
    assert (income.value, income.measured_period, income.status) == (1300, "2016-01..2016-06", "on_the_way")
    assert target("2016-06", "T069").status == "no_data"


def test_a_stock_is_its_latest_figure_and_is_not_added_up(bureau, target):
    department(bureau, "软件信息服务企业数 | 2020-Q1 | 2900 | 家", "软件信息服务企业数 | 2020-Q2 | 3010 | 家")
    bureau.computes("2020-06", names=PROGRESS)
    firms = target("2020-06", "T039")
    assert (firms.value, firms.measured_period, firms.status) == (3010, "2020-Q2", "met_early")


def test_every_year_is_the_year_of_the_month(bureau, target, rows):
    department(bureau, "新开国际及地区航线数 | 2018 | 6 | 条", "新开国际及地区航线数 | 2020 | 1 | 条")
    bureau.computes("2018-12", "2020-12", "2021-01", names=PROGRESS)
    assert (target("2018-12", "T054").target_year, target("2018-12", "T054").status) == (2018, "met")
    assert (target("2020-12", "T054").target_year, target("2020-12", "T054").status) == (2020, "not_met")
    assert rows("indicators.target_progress", "2021-01", target_id="T054") == []  # the plan ended


def test_qualitative_targets_show_the_departments_words(bureau, target):
    bureau.shares(
        "DM-4",
        """
        indicator          | period | value_text
        中国软件名城       | 2020   | 已完成
        企业国外资本市场上市 | 2016   | 推进中
        """,
    )
    bureau.computes("2016-12", "2020-12", names=PROGRESS)
    assert (target("2020-12", "T037").value_text, target("2020-12", "T037").status) == ("已完成", "met")
    assert target("2016-12", "T015").status == "on_the_way"
    assert target("2016-12", "T037").status == "not_started"


def test_targets_without_data_are_listed_as_such(bureau, rows):
    bureau.computes("2018-06", names=PROGRESS)
    progress = rows("indicators.target_progress", "2018-06")
    assert len(progress) == 83
    assert {one.status for one in progress if one.target_year <= 2018} == {"no_data"}
    assert {one.status for one in progress if one.target_year > 2018} == {"not_started"}


def test_policy_parameters_and_counters_are_no_targets(bureau, rows):
    bureau.computes("2018-06", names=PROGRESS)
    assert {one.kind for one in rows("indicators.target_progress", "2018-06")} == {"target", "qualitative"}


AIR_ROUTES = "新开国际及地区航线数"


def test_a_years_flow_is_not_met_by_another_years(bureau, target, rows):
    department(bureau, f"{AIR_ROUTES} | 2017 | 9 | 条")
    bureau.computes("2018-06", names=PROGRESS)
    routes = target("2018-06", "T054")
    assert (routes.value, routes.status) == (None, "no_data")
    assert {one.measure_kind for one in rows("indicators.target_progress", "2018-06", target_id="T054")} == {
        "annual_flow"
    }


def test_last_years_growth_does_not_meet_this_years_target(bureau, target):
    department(bureau, f"{SOFTWARE}同比增速 | 2016 | 25 | %")
    bureau.computes("2017-06", names=PROGRESS)
    assert (target("2017-06", "T036").value, target("2017-06", "T036").status) == (None, "no_data")


def test_growth_of_part_of_the_year_is_so_far_and_decides_nothing(bureau, target):
    department(bureau, f"{SOFTWARE}同比增速 | 2017-12 | 45 | %")
    bureau.computes("2017-12", names=PROGRESS)
    growth = target("2017-12", "T036")
    assert (growth.value, growth.status, growth.is_so_far) == (45, "on_the_way", True)


def test_average_growth_to_an_earlier_year_is_not_that_to_the_target_year(bureau, target):
    department(
        bureau, "服务贸易进出口总额 | 2016 | 107 | 亿美元"
    )  # (107 / 70.39) - 1 = 52 % in a single year
    bureau.computes("2016-12", names=PROGRESS)
    growth = target("2016-12", "T002")
    assert (growth.value, growth.status) == (None, "not_started")


def test_a_share_of_part_of_the_target_year_is_on_the_way(bureau, target):
    department(
        bureau, "服务贸易占对外贸易比重 | 2016 | 31.05 | %", "服务贸易占对外贸易比重 | 2017-03 | 40 | %"
    )
    bureau.computes("2016-12", "2017-03", "2017-12", names=PROGRESS)
    assert target("2016-12", "T003").status == "met_early"
    for month in ("2017-03", "2017-12"):
        share = target(month, "T003")
        assert (share.value, share.is_so_far, share.status) == (40, True, "on_the_way")


def test_part_of_an_earlier_year_does_not_displace_the_full_year_before_it(bureau, target):
    department(
        bureau,
        "服务贸易占对外贸易比重 | 2018 | 35 | %",
        "服务贸易占对外贸易比重 | 2019-03 | 20 | %",
        "服务贸易占对外贸易比重 | 2019-04 | 45 | %",
    )
    months = ("2018-12", "2019-03", "2019-04")
    bureau.computes(*months, names=PROGRESS)
    assert [(target(month, "T005").value, target(month, "T005").status) for month in months] == [
        (35, "met_early")
    ] * 3


def test_the_headline_share_so_far_is_on_the_way_all_through_the_target_year(bureau, target, rates_of_seven):
    months = [f"2020-{month:02d}" for month in range(1, 13)]
    for number, month in enumerate(months):
        services = 40 if number % 2 else 5  # the share to date passes 30 % and falls below it again
        bureau.files("E1", month, f"item | partner | export\nSI2 | USA | {services}", unit="USD_100M")
        bureau.shares("DM-2", f"month | export | import\n{month} | 20 | 20", unit="USD_100M")
    bureau.computes(*months, names=PROGRESS)
    assert {target(month, "T005").status for month in months[:-1]} == {"on_the_way"}
    assert target("2020-12", "T005").status == "met"


def test_a_ratio_that_should_fall_is_not_met_by_part_of_a_year(bureau, target):
    department(bureau, "社会物流总费用占GDP比重 | 2020-06 | 12 | %")
    bureau.computes("2020-06", names=PROGRESS)
    assert (target("2020-06", "T063").value, target("2020-06", "T063").status) == (12, "on_the_way")
