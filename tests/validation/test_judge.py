"""Judging in SQL: unknown is not judged, precedence holds, results count what was and was not judged."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipelines.findings import Finding, Severity, Wording
from pipelines.periods import Month
from pipelines.validation import suite
from pipelines.validation.judge import (
    MissingFacts,
    RuleResult,
    fact_frame,
    judge,
    rule_results,
    without_repeats,
)
from pipelines.validation.rules import RuleBook, rule_book

BOOK = """
table: checks.sample
level: return
keys: [submission_id, business_key]
rules:
  - id: Z1
    severity: warning
    label: {zh: 变动过大, en: Moves too far}
    help: {zh: 帮助, en: Help}
    expect: expect_column_values_to_be_between
    with: {column: growth, min_value: -60, max_value: 150}
    when: {column: larger, min_value: 100}
    yields_to: [Z2]
    explained_by: remark
    message: {zh: "变动 {growth}", en: "moves by {growth}"}
  - id: Z2
    severity: critical
    label: {zh: 不在名录, en: Not known}
    help: {zh: 帮助, en: Help}
    expect: expect_column_values_to_be_in_set
    with: {column: is_known, value_set: [true]}
    message: {zh: 不在名录, en: not known}
"""
ROWS = """
    month_start_date | submission_id | cell | growth | larger | is_known | remark
    2020-03-01       | a             | F9   | 151    | 100    | true     |
    2020-03-01       | a             | F10  | 150    | 100    | true     |
    2020-03-01       | a             | F11  | 151    | 99     | true     |
    2020-03-01       | a             | F12  | 151    |        | true     |
    2020-03-01       | a             | F13  |        | 100    | true     |
    2020-03-01       | a             | AB2  | 151    | 100    | false    |
    2020-03-01       | b             | F9   | -61    | 100    |          | 合同到期
    2020-03-01       | c             | F9   | 0      | 100    | true     |
    2020-02-01       | d             | F9   | 999    | 100    | true     |
"""


@pytest.fixture
def book(tmp_path: Path) -> RuleBook:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "sample.yaml").write_text(BOOK, encoding="utf-8")
    return rule_book(tmp_path)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema checks")
        connection.execute(
            "create table checks.sample (month_start_date date, submission_id varchar, cell varchar, growth double, "
            "larger double, is_known boolean, remark varchar, sheet varchar default '表', form_code varchar default 'FM-2')"
        )
        for line in ROWS.strip().splitlines()[1:]:
            values = [text.strip() or None for text in line.split("|")]
            connection.execute(
                "insert into checks.sample (month_start_date, submission_id, cell, growth, larger, is_known, remark) "
                "values (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
        connection.execute("alter table checks.sample add column business_key varchar")
        connection.execute("update checks.sample set business_key = cell")
        yield connection


def test_findings_are_grouped_by_submission_in_the_order_of_the_sheet(
    connection: duckdb.DuckDBPyConnection, book: RuleBook
) -> None:
    findings = judge(connection, Month(2020, 3), book)
    assert {
        key: [(found.rule, found.cell) for found in of_return] for key, of_return in findings.items()
    } == {
        "a": [("Z2", "AB2"), ("Z1", "F9")],
        "b": [("Z1", "F9")],
    }


def test_a_clean_return_has_no_entry_and_other_months_are_not_judged(
    connection: duckdb.DuckDBPyConnection, book: RuleBook
) -> None:
    assert set(judge(connection, Month(2020, 3), book)) == {"a", "b"}
    assert set(judge(connection, Month(2020, 2), book)) == {"d"}


def test_a_rule_keeps_silent_where_one_it_yields_to_fires(
    connection: duckdb.DuckDBPyConnection, book: RuleBook
) -> None:
    at_cell = [found.rule for found in judge(connection, Month(2020, 3), book)["a"] if found.cell == "AB2"]
    assert at_cell == ["Z2"]


def test_an_explained_warning_is_info_and_holds_nothing(
    connection: duckdb.DuckDBPyConnection, book: RuleBook
) -> None:
    [found] = judge(connection, Month(2020, 3), book)["b"]
    assert found.severity is Severity.INFO


def test_unknown_facts_are_counted_as_missing_and_rows_below_the_floor_not_at_all(
    connection: duckdb.DuckDBPyConnection, book: RuleBook
) -> None:
    rules = book.of_table("checks.sample")
    assert rule_results(connection, Month(2020, 3), rules) == [
        RuleResult("Z1", Severity.WARNING, 5, 2, 1, ("a · F9", "b · F9")),
        RuleResult("Z2", Severity.CRITICAL, 7, 1, 1, ("a · AB2",)),
    ]


def test_great_expectations_gives_the_same_results(
    connection: duckdb.DuckDBPyConnection, book: RuleBook
) -> None:
    rules = book.of_table("checks.sample")
    frame = fact_frame(connection, Month(2020, 3), "checks.sample", rules)
    assert suite.validate(frame, rules) == rule_results(connection, Month(2020, 3), rules)


def test_an_expectation_that_could_not_be_judged_is_an_error_and_not_a_success(
    connection: duckdb.DuckDBPyConnection, book: RuleBook
) -> None:
    rules = book.of_table("checks.sample")
    frame = fact_frame(connection, Month(2020, 3), "checks.sample", rules)
    with pytest.raises(suite.SuiteError, match=r"Z1: .*growth.*does not exist"):
        suite.validate(frame.drop(columns=["growth"]), rules)


def test_an_expectation_that_great_expectations_does_not_know_is_an_error(
    connection: duckdb.DuckDBPyConnection, book: RuleBook
) -> None:
    rules = book.of_table("checks.sample")
    frame = fact_frame(connection, Month(2020, 3), "checks.sample", rules)
    unknown = replace(rules[1], expectation="expect_the_unexpected")
    with pytest.raises(suite.SuiteError, match=r"Z2: .*expect_the_unexpected not found"):
        suite.validate(frame, [unknown])


def test_the_reader_and_the_rules_do_not_ask_twice_about_one_cell() -> None:
    def found(rule: str, cell: str, severity: Severity = Severity.CRITICAL) -> Finding:
        return Finding(rule, severity, Wording("", ""), sheet="服务外包", cell=cell)

    judged = [found("H7a", "J6"), found("H3", "F40"), found("H1a", "")]
    kept = without_repeats([found("P15", "J6"), found("P11", "F40", Severity.INFO), found("P03", "")], judged)
    assert [finding.rule for finding in kept] == ["H3", "H1a"]


def test_a_table_that_was_not_built_is_named(book: RuleBook) -> None:
    with (
        duckdb.connect() as empty,
        pytest.raises(MissingFacts, match=r"checks\.sample is not in this database"),
    ):
        judge(empty, Month(2020, 3), book)


def test_a_column_that_the_table_lacks_is_named(
    connection: duckdb.DuckDBPyConnection, book: RuleBook
) -> None:
    connection.execute("alter table checks.sample drop column growth")
    with pytest.raises(MissingFacts, match=r"checks\.sample has no column growth"):
        judge(connection, Month(2020, 3), book)


def test_great_expectations_reaches_for_no_network_and_leaves_no_files(
    connection: duckdb.DuckDBPyConnection, book: RuleBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = book.of_table("checks.sample")
    frame = fact_frame(connection, Month(2020, 3), "checks.sample", rules)
    suite.validate(frame, rules)  # first use imports it

    def refuse(*_: object) -> None:
        raise AssertionError("something reaches for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    suite.validate(frame, rules)
    assert set(tmp_path.rglob("*")) == before
