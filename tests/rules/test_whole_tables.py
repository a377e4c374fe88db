"""Rules on whole tables: each lets a sound table pass and stops one that is broken in the way it names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from pipelines.periods import Month
from pipelines.validation.judge import rule_results
from pipelines.validation.rules import Rule, rule_book

MARCH = Month(2020, 3)
WHOLE = {"core.exchange_rate", "core.bop_services", "core.goods_trade"}  # whole in the pipeline, not by month
RULES = [rule for rule in rule_book() if rule.level == "table"]
RULES_OF_A_MONTH = [
    rule for rule in RULES if rule.table not in WHOLE and not rule.expectation.startswith("expect_table")
]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for schema in ("core", "estimates", "indicators", "publication", "checks", "reference"):
            connection.execute(f"create schema {schema}")
        yield connection


@pytest.fixture
def tables(connection: duckdb.DuckDBPyConnection, bureau_tools: Any) -> Any:
    return bureau_tools(connection)


def sound_value(rule: Rule, column: str, type_name: str) -> Any:
    arguments = rule.arguments
    if arguments.get("column") == column:
        if "value_set" in arguments:
            return arguments["value_set"][0]
        if "min_value" in arguments:
            return arguments["min_value"] + (1 if arguments.get("strict_min") else 0)
        if "max_value" in arguments:
            return arguments["max_value"]
    if type_name == "date":
        return MARCH.start_date
    if type_name == "boolean":
        return True
    return "x" if type_name == "varchar" else 1


def broken_values(rule: Rule) -> Iterator[Any]:
    arguments = rule.arguments
    if "value_set" in arguments:
        yield not arguments["value_set"][0] if isinstance(arguments["value_set"][0], bool) else "3"
    if "min_value" in arguments:
        yield arguments["min_value"] - 1
    if "max_value" in arguments:
        yield arguments["max_value"] + 1
    if rule.expectation == "expect_column_values_to_not_be_null":
        yield None


def result(tables: Any, rule: Rule) -> Any:
    [outcome] = rule_results(tables.connection, MARCH, [rule])
    return outcome


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_sound_table_passes_and_a_broken_one_is_named_by_its_key(tables: Any, rule: Rule) -> None:
    types = tables.create(rule.table)
    sound = {column: sound_value(rule, column, types[column]) for column in types}
    if rule.expectation == "expect_table_row_count_to_be_between":
        assert not result(tables, rule).is_success
        tables.insert(rule.table, **sound)
        assert result(tables, rule).is_success
        return
    tables.insert(rule.table, **sound)
    assert result(tables, rule).is_success
    if rule.expectation == "expect_compound_columns_to_be_unique":
        tables.insert(rule.table, **sound)
        assert result(tables, rule).unexpected_count == 2
        return
    tables.connection.execute(f"delete from {rule.table}")
    column = rule.arguments["column"]
    for value in broken_values(rule):
        tables.insert(rule.table, **{**sound, column: value})
        assert not result(tables, rule).is_success
        tables.connection.execute(f"delete from {rule.table}")
    tables.insert(rule.table, **{**sound, column: next(broken_values(rule))})
    keys = [
        str(value)
        for key, value in {**sound, column: next(broken_values(rule))}.items()
        if key in rule.keys and value
    ]
    assert all(key in result(tables, rule).first_keys[0] for key in keys)


@pytest.mark.parametrize("rule", RULES_OF_A_MONTH, ids=lambda rule: rule.id)
def test_another_month_is_left_alone(tables: Any, rule: Rule) -> None:
    types = tables.create(rule.table)
    other = {column: sound_value(rule, column, types[column]) for column in types}
    other["month_start_date"] = date(2020, 2, 1)
    for value in [*broken_values(rule), None]:
        if "column" in rule.arguments:
            other[rule.arguments["column"]] = value
        tables.insert(rule.table, **other)
    assert result(tables, rule).is_success


def known_profiles(tables: Any) -> None:
    """The one profile that the tables below are filled for."""
    tables.connection.execute(
        "create or replace table reference.mode_profiles as select 'wto_base' as profile"
    )


def sound_indicators(tables: Any) -> None:
    """One month of direct reports: exports 60, imports 40, every breakdown adds up."""
    shared = {
        "month_start_date": MARCH.start_date,
        "source": "direct_report",
        "period": "month",
        "currency_code": "USD",
    }
    breakdowns = {
        "indicators.trade_by_item": ("item_code", ("SC", "SJ")),
        "indicators.trade_by_partner": ("partner_code", ("USA", None)),
        "indicators.trade_by_district": ("district_code", ("420102", "420103")),
        "indicators.trade_by_mode": ("mode", ("1", "goods")),
    }
    for table in ("indicators.trade_total", *breakdowns):
        tables.create(table)
    known_profiles(tables)
    for measure, amount in (("exports", 60), ("imports", 40), ("total", 100), ("balance", 20)):
        tables.insert("indicators.trade_total", **shared, scope="all", measure=measure, amount=amount)
        for table, (column, (first, second)) in breakdowns.items():
            profile = {"profile": "wto_base"} if table.endswith("by_mode") else {}
            tables.insert(table, **shared, **profile, measure=measure, **{column: first}, amount=amount - 15)
            tables.insert(table, **shared, **profile, measure=measure, **{column: second}, amount=15)


def failing(tables: Any, table: str) -> set[str]:
    tables.compute(table, MARCH)
    rules = rule_book().of_table(table)
    return {found.rule_id for found in rule_results(tables.connection, MARCH, rules) if not found.is_success}


def test_indicators_that_add_up_pass_every_identity(tables: Any) -> None:
    sound_indicators(tables)
    assert failing(tables, "checks.trade_identity") == set()
    judged = rule_results(tables.connection, MARCH, rule_book().of_table("checks.trade_identity"))
    assert [(found.rule_id, found.evaluated_count) for found in judged] == [
        ("T201", 1), ("T202", 1), ("T203", 3), ("T204", 3), ("T205", 3), ("T206", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (
            "update indicators.trade_total set amount = 100.0001 where measure = 'total'",
            {"T201", "T203", "T204", "T205"},
        ),
        (
            "update indicators.trade_total set amount = 19.99 where measure = 'balance'",
            {"T202"},
        ),
        ("delete from indicators.trade_by_item where item_code = 'SJ'", {"T203"}),
        ("delete from indicators.trade_by_partner where partner_code is null", {"T204"}),
        ("update indicators.trade_by_district set amount = amount + 0.0001", {"T205"}),
        ("update indicators.trade_by_mode set amount = amount + 0.01 where mode = '1'", {"T206"}),
        ("update indicators.trade_by_mode set amount = amount + 0.004 where mode = '1'", set()),
    ],
)
def test_an_identity_that_breaks_is_named(tables: Any, change: str, rules: set[str]) -> None:
    sound_indicators(tables)
    tables.connection.execute(change)
    assert failing(tables, "checks.trade_identity") == rules


def test_totals_of_another_source_are_not_set_against_the_breakdown_of_direct_reports(tables: Any) -> None:
    sound_indicators(tables)
    tables.connection.execute(
        "insert into indicators.trade_total "
        "select * replace ('safe' as source, 2 * amount as amount) from indicators.trade_total"
    )
    assert failing(tables, "checks.trade_identity") == set()


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ("select 1", set()),
        (
            "update estimates.service_trade_by_mode set amount_usd = amount_usd - 0.01 where mode = '4'",
            {"T211"},
        ),
        ("update estimates.service_trade_by_mode set share_pct = 18 where mode = '4'", {"T212"}),
        ("delete from estimates.service_trade_by_mode where line_id = 'a'", {"T211", "T213"}),
    ],
)
def test_a_split_that_adds_or_loses_is_named(tables: Any, change: str, rules: set[str]) -> None:
    tables.create("core.service_trade")
    tables.create("estimates.service_trade_by_mode")
    known_profiles(tables)
    for line in ("a", "b"):
        shared = {"month_start_date": MARCH.start_date, "line_id": line}
        tables.insert("core.service_trade", **shared, amount_usd="100.01", amount_cny="700.07")
        for mode, share, usd, cny in (("1", 81, "81.0081", "567.0567"), ("4", 19, "19.0019", "133.0133")):
            tables.insert(
                "estimates.service_trade_by_mode",
                **shared, profile="wto_base", mode=mode, share_pct=share, amount_usd=usd, amount_cny=cny,
            )  # fmt: skip
    tables.connection.execute(change)
    assert failing(tables, "checks.mode_identity") == rules


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ("select 1", set()),
        (
            "update indicators.outsourcing set amount = 61 where scope = 'offshore' and outsourcing_type = 'all'",
            {"T221"},
        ),
        ("delete from indicators.outsourcing where scope = 'all' and outsourcing_type = 'KPO'", {"T222"}),
    ],
)
def test_outsourcing_that_does_not_add_up_is_named(tables: Any, change: str, rules: set[str]) -> None:
    tables.create("indicators.outsourcing")
    amounts = {("all", "all"): 100, ("offshore", "all"): 60, ("onshore", "all"): 40}
    amounts |= {("all", "ITO"): 50, ("all", "BPO"): 30, ("all", "KPO"): 20, ("offshore", "ITO"): 60}
    for (scope, kind), amount in amounts.items():
        tables.insert(
            "indicators.outsourcing",
            month_start_date=MARCH.start_date, source="direct_report", scope=scope, outsourcing_type=kind,
            measure="executed", period="month", currency_code="USD", amount=amount,
        )  # fmt: skip
    tables.connection.execute(change)
    assert failing(tables, "checks.outsourcing_identity") == rules


@pytest.mark.parametrize(
    ("kinds", "rules"),
    [
        ({"2020-01": "month", "2020-02": "month"}, set()),
        ({"2020-02": "months_1_2"}, set()),
        ({"2020-01": "month", "2020-02": "months_1_2"}, {"T231"}),
    ],
)
def test_a_january_that_counts_alone_and_with_february_is_named(
    tables: Any, kinds: dict[str, str], rules: set[str]
) -> None:
    tables.connection.execute("create schema validated")
    tables.create("validated.filing")
    for month, kind in kinds.items():
        start = Month.parse(month).start_date
        first = date(2020, 1, 1) if kind == "months_1_2" else start
        tables.insert(
            "validated.filing",
            month_start_date=start, enterprise_code="A", submission_id=month,
            period_start_date=first, period_kind=kind,
        )  # fmt: skip
    tables.compute("checks.filing_overlap", Month(2020, 2))
    found = rule_results(tables.connection, Month(2020, 2), rule_book().of_table("checks.filing_overlap"))
    assert {one.rule_id for one in found if not one.is_success} == rules
    assert [one.evaluated_count for one in found] == [1]
