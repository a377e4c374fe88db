"""Rules on whole tables against a warehouse that was really built: rows are deleted, and the rule says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from computed_city import computed_city

from pipelines.periods import Month
from pipelines.validation.judge import rule_results
from pipelines.validation.rules import rule_book
from pipelines.warehouse.build import build
from pipelines.warehouse.load import load_reference

CHECKS = (
    "checks.mode_identity",
    "checks.trade_identity",
    "checks.outsourcing_identity",
    "checks.trade_mode",
    "checks.table_figure",
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, Month]]:
    """The last month of a computed city, its tables copied into memory."""
    [path] = Path(computed_city(tmp_path_factory)).rglob("warehouse.duckdb")
    with duckdb.connect() as connection:
        load_reference(connection)
        connection.execute(f"attach '{path}' as built (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            "where database_name = 'built' and schema_name not in ('reference', 'raw', 'checks')"
        ).fetchall()
        for schema, table in tables:
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(f"create table {schema}.{table} as select * from built.{schema}.{table}")
        connection.execute("detach built")
        row = connection.execute("select max(month_start_date) from core.service_trade").fetchone()
        assert row is not None
        yield connection, Month.of(row[0])


def failing(connection: duckdb.DuckDBPyConnection, month: Month) -> set[str]:
    found: set[str] = set()
    for table in CHECKS:
        build(connection, table, month, {})
        rules = rule_book().of_table(table)
        found |= {
            result.rule_id
            for result in rule_results(connection, month, rules)
            if not result.is_success and result.severity.value == "critical"
        }
    return found


def test_the_warehouse_as_built_passes(warehouse: tuple[duckdb.DuckDBPyConnection, Month]) -> None:
    connection, month = warehouse
    assert failing(connection, month) == set()


@pytest.mark.parametrize(
    ("table", "condition", "rule"),
    [
        ("estimates.service_trade_by_mode", "true", "T213"),
        ("estimates.service_trade_by_mode", "profile = 'ons_2019'", "T213"),
        ("estimates.service_trade_by_mode", "mode = '4'", "T211"),
        ("indicators.trade_by_item", "true", "T203"),
        ("indicators.trade_by_partner", "true", "T204"),
        ("indicators.trade_by_district", "true", "T205"),
        ("indicators.trade_by_district", "period = 'month'", "T205"),
        ("indicators.trade_by_mode", "true", "T206"),
        ("indicators.trade_by_mode", "profile = 'wto_2020s'", "T206"),
        ("indicators.trade_total", "measure = 'exports'", "T201"),
        ("indicators.trade_total", "source = 'direct_report'", "T203"),
        ("indicators.trade_total", "true", "T302"),
        ("indicators.outsourcing", "scope <> 'all'", "T221"),
        ("indicators.outsourcing", "outsourcing_type <> 'all'", "T222"),
        ("indicators.outsourcing", "scope = 'all' and outsourcing_type = 'all'", "T221"),
        ("publication.table_01", "value is not null", "T302"),
    ],
)
def test_rows_that_are_missing_are_noticed(
    warehouse: tuple[duckdb.DuckDBPyConnection, Month], table: str, condition: str, rule: str
) -> None:
    connection, month = warehouse
    connection.execute(f"create or replace temp table kept as select * from {table}")
    try:
        connection.execute(f"delete from {table} where {condition}")
        assert rule in failing(connection, month)
    finally:
        connection.execute(f"delete from {table}")
        connection.execute(f"insert into {table} select * from kept")


def test_a_table_of_symbols_only_is_no_table_of_figures(
    warehouse: tuple[duckdb.DuckDBPyConnection, Month],
) -> None:
    connection, month = warehouse
    connection.execute("create or replace temp table kept as select * from publication.table_01")
    try:
        connection.execute("update publication.table_01 set value = null, symbol = '…'")
        assert "T302" in failing(connection, month)
    finally:
        connection.execute("delete from publication.table_01")
        connection.execute("insert into publication.table_01 select * from kept")


def test_mode_three_inside_the_total_is_noticed(warehouse: tuple[duckdb.DuckDBPyConnection, Month]) -> None:
    connection, month = warehouse
    connection.execute("update indicators.trade_by_mode set mode = '3' where mode = '3_in_bop'")
    try:
        assert "T352" in failing(connection, month)
    finally:
        connection.execute("update indicators.trade_by_mode set mode = '3_in_bop' where mode = '3'")
