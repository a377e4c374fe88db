"""Judging many months in one suite says of each month what judging it alone says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipelines.findings import Severity, Wording
from pipelines.periods import Month
from pipelines.validation import judge, suite
from pipelines.validation.rules import Condition, Rule, rule_book
from pipelines.warehouse.sqlfiles import catalogue

MONTHS = [Month(2019, 1), Month(2019, 2), Month(2019, 3)]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as opened:
        opened.execute("create schema checks")
        yield opened


def a_rule(rule_id: str, expectation: str, condition: Condition | None = None, **arguments: object) -> Rule:
    wording = Wording("规则", "a rule")
    return Rule(
        rule_id,
        Severity.CRITICAL,
        "checks.fact",
        "table",
        ("name",),
        wording,
        wording,
        expectation,
        arguments,
        when=condition,
    )


RULES = (
    a_rule("K1", "expect_compound_columns_to_be_unique", column_list=["month_start_date", "name"]),
    a_rule("K2", "expect_column_values_to_be_between", column="amount", min_value=0),
    a_rule(
        "K3",
        "expect_column_values_to_be_between",
        Condition("floor", 10.0, None),
        column="amount",
        max_value=100,
    ),
    a_rule("K4", "expect_column_values_to_not_be_null", column="amount"),
    a_rule("K5", "expect_table_row_count_to_be_between", min_value=2),
    a_rule("K6", "expect_column_values_to_be_in_set", column="flow", value_set=["export", "import"]),
)


def test_each_month_of_many_gets_the_answer_it_gets_alone(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "create table checks.fact as select * from (values "
        "(date '2019-01-01', 'a', 5.0, 20.0, 'export'), (date '2019-01-01', 'b', -1.0, 20.0, 'import'),"
        "(date '2019-01-01', 'c', null, 20.0, 'export'), (date '2019-01-01', 'd', 500.0, 20.0, 'exports'),"
        "(date '2019-01-01', 'e', 500.0, 5.0, null), (date '2019-02-01', 'a', 5.0, null, 'export'),"
        # The same name in another month is no double; twice in one month is.
        "(date '2019-02-01', 'a', 500.0, null, 'import')) as t(month_start_date, name, amount, floor, flow)"
    )
    frame = judge.fact_frame_of_months(connection, MONTHS, "checks.fact", RULES)
    together = suite.validate_months(frame, MONTHS, RULES)
    alone = {
        month: suite.validate(judge.fact_frame(connection, month, "checks.fact", RULES), RULES)
        for month in MONTHS
    }
    in_sql = {month: judge.rule_results(connection, month, RULES) for month in MONTHS}
    assert together == alone == in_sql
    counts = {
        (str(month), result.rule_id): result.unexpected_count
        for month in MONTHS
        for result in together[month]
        if result.unexpected_count
    }
    assert counts == {
        ("2019-01", "K2"): 1,
        ("2019-01", "K3"): 1,
        ("2019-01", "K4"): 1,
        ("2019-01", "K6"): 1,
        ("2019-02", "K1"): 2,
        ("2019-03", "K5"): 1,  # nothing at all
    }


def test_a_table_without_rows_in_any_month_is_judged_all_the_same(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute(
        "create table checks.fact (month_start_date date, name varchar, amount double, floor double, flow varchar)"
    )
    frame = judge.fact_frame_of_months(connection, MONTHS, "checks.fact", RULES)
    together = suite.validate_months(frame, MONTHS, RULES)
    for month in MONTHS:
        assert {r.rule_id for r in together[month] if not r.is_success} == {"K5"}


def test_in_the_computed_city_both_twins_agree_on_every_rule_and_month(city: Path, tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"
    copy.write_bytes((city / "warehouse.duckdb").read_bytes())
    with duckdb.connect(str(copy), read_only=True) as warehouse:
        for table in rule_book().tables:
            if not catalogue()[table.table].is_partitioned:
                continue
            frame = judge.fact_frame_of_months(warehouse, MONTHS, table.table, table.rules)
            by_month = suite.validate_months(frame, MONTHS, table.rules)
            for month in MONTHS:
                assert by_month[month] == judge.rule_results(warehouse, month, table.rules), table.table


def test_a_table_without_months_is_refused(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table checks.fact (name varchar, amount double)")
    with pytest.raises(judge.MissingFacts, match="not kept by month"):
        judge.fact_frame_of_months(connection, MONTHS, "checks.fact", RULES[1:2])


def test_a_frame_keeps_the_month_of_each_row_as_text(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "create table checks.fact as select date '2019-01-01' as month_start_date, 'a' as name, 1.0 as amount"
    )
    frame = judge.fact_frame_of_months(connection, MONTHS, "checks.fact", RULES[1:2])
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["month_start_date"]) == ["2019-01-01"]
