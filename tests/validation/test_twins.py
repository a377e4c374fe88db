"""SQL and Great Expectations give the same answer on the same rows, for every rule in the book.

Frames are random, heavy with what separates engines: unknowns, NaN, infinities, the bounds themselves and the
numbers right beside them, empty texts, repeated keys.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.paths import SQL_DIR
from pipelines.periods import Month
from pipelines.validation import suite
from pipelines.validation.judge import (
    MONTH_COLUMN,
    fact_frame,
    fact_frame_of_months,
    frame_flags,
    rule_results,
)
from pipelines.validation.rules import Rule, RuleTable, rule_book

_HEADER_COLUMN = re.compile(r"-- column: ([a-z0-9_]+) \| ([a-z0-9(), ]+?) \|")


def types_of(table: str) -> dict[str, str]:
    schema, name = table.split(".")
    return dict(_HEADER_COLUMN.findall((SQL_DIR / schema / f"{name}.sql").read_text(encoding="utf-8")))


def bounds_of(rules: tuple[Rule, ...], column: str) -> list[float]:
    bounds: list[float] = [0.0]
    for rule in rules:
        if rule.arguments.get("column") == column:
            bounds += [rule.arguments[name] for name in ("min_value", "max_value") if name in rule.arguments]
        if rule.when is not None and rule.when.column == column:
            bounds += [bound for bound in (rule.when.min_value, rule.when.max_value) if bound is not None]
    return [float(bound) for bound in bounds]


def sets_of(rules: tuple[Rule, ...], column: str) -> list[Any]:
    return [
        item
        for rule in rules
        if rule.arguments.get("column") == column
        for item in rule.arguments.get("value_set", ())
    ]


def values(rules: tuple[Rule, ...], column: str, type_name: str) -> st.SearchStrategy[Any]:
    if type_name == "boolean":
        return st.sampled_from([True, False, None])
    if type_name in ("bigint", "integer"):
        near = [int(bound) + step for bound in bounds_of(rules, column) for step in (-1, 0, 1)]
        return st.one_of(st.none(), st.sampled_from(near), st.integers(-(10**6), 10**6))
    if type_name == "double":
        near = [
            number
            for bound in bounds_of(rules, column)
            for number in (bound, math.nextafter(bound, -math.inf), math.nextafter(bound, math.inf))
        ]
        special = [None, math.nan, math.inf, -math.inf, -0.0]
        return st.one_of(st.sampled_from([*near, *special]), st.floats(allow_nan=True, allow_infinity=True))
    if type_name.startswith("decimal"):
        near_amounts = [bound + step for bound in bounds_of(rules, column) for step in (-0.0001, 0, 0.0001)]
        return st.one_of(st.none(), st.sampled_from(near_amounts), st.integers(-900, 900))
    if type_name == "date":
        return st.sampled_from(["2020-01-01", "2020-02-01", None])
    return st.sampled_from([*sets_of(rules, column), "USA", "", "样例", None])


def columns_of(rule_table: RuleTable, types: dict[str, str]) -> set[str]:
    columns = {column for rule in rule_table.rules for column in (*rule.judged_columns, *rule.keys)}
    return columns | ({MONTH_COLUMN} & set(types))


@st.composite
def tables(draw: st.DrawFn, rule_table: RuleTable) -> list[dict[str, Any]]:
    types = types_of(rule_table.table)
    columns = columns_of(rule_table, types)
    row = st.fixed_dictionaries(
        {column: values(rule_table.rules, column, types[column]) for column in sorted(columns)}
    )
    return draw(st.lists(row, min_size=0, max_size=25))


@contextmanager
def filled(rule_table: RuleTable, rows: list[dict[str, Any]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The table of the rules, typed as its SQL file promises, with these rows."""
    types = types_of(rule_table.table)
    columns = sorted(columns_of(rule_table, types))
    schema, name = rule_table.table.split(".")
    with duckdb.connect() as connection:
        connection.execute(f"create schema {schema}")
        typed = ", ".join(f'"{column}" {types[column]}' for column in columns)
        connection.execute(f'create table {schema}."{name}" ({typed})')
        marks = ", ".join("?" for _ in columns)
        for row in rows:
            values_of_row = [row[column] for column in columns]
            connection.execute(f'insert into {schema}."{name}" values ({marks})', values_of_row)
        yield connection


def agree(rule_table: RuleTable, rows: list[dict[str, Any]]) -> None:
    with filled(rule_table, rows) as connection:
        frame = fact_frame(connection, None, rule_table.table, rule_table.rules)
        assert suite.flags(frame, rule_table.rules) == frame_flags(connection, frame, rule_table.rules)
        assert suite.validate(frame, rule_table.rules) == rule_results(connection, None, rule_table.rules)


OF_RETURNS = rule_book().of_level("return")
OF_TABLES = rule_book().of_level("table")
BY_MONTH = [table for table in rule_book().tables if MONTH_COLUMN in types_of(table.table)]
UNHURRIED = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@pytest.mark.parametrize("rule_table", OF_RETURNS, ids=lambda rule_table: rule_table.table)
@settings(max_examples=10, **UNHURRIED)
@given(data=st.data())
def test_both_engines_flag_the_same_rows_of_returns(rule_table: RuleTable, data: st.DataObject) -> None:
    agree(rule_table, data.draw(tables(rule_table)))


@pytest.mark.parametrize("rule_table", OF_TABLES, ids=lambda rule_table: rule_table.table)
@settings(max_examples=3, **UNHURRIED)
@given(data=st.data())
def test_both_engines_flag_the_same_rows_of_whole_tables(rule_table: RuleTable, data: st.DataObject) -> None:
    agree(rule_table, data.draw(tables(rule_table)))


@pytest.mark.parametrize("rule_table", BY_MONTH, ids=lambda rule_table: rule_table.table)
@settings(max_examples=2, **UNHURRIED)
@given(data=st.data())
def test_many_months_in_one_suite_give_the_results_of_each_month(
    rule_table: RuleTable, data: st.DataObject
) -> None:
    months = [Month(2020, 1), Month(2020, 2)]
    with filled(rule_table, data.draw(tables(rule_table))) as connection:
        frame = fact_frame_of_months(connection, months, rule_table.table, rule_table.rules)
        assert suite.validate_months(frame, months, rule_table.rules) == {
            month: rule_results(connection, month, rule_table.rules) for month in months
        }
