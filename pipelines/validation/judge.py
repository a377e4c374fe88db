"""The SQL twin: every rule of the book as a predicate over its table, judged where the facts stand.

Fast enough for the door (no Great Expectations). Three-valued: an unknown fact (NULL or NaN) is not judged
and is counted as missing. `suite` gives the same answers with Great Expectations; a property test holds them
together. Nothing here computes a fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.findings import Finding, Severity
from pipelines.periods import Month
from pipelines.validation.messages import finding_of
from pipelines.validation.rules import Rule, RuleBook, RuleTable, rule_book, with_superiors

if TYPE_CHECKING:
    import pandas

MONTH_COLUMN = "month_start_date"
FIRST_KEY_COUNT = 10
ROW_COLUMN = "row_in_frame"
KEY_COLUMN = "row_key"

_APPROXIMATE = ("DOUBLE", "FLOAT")
_CELL_PARTS = re.compile(r"([A-Z]*)([0-9]*)")


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule found in one table: the same from SQL and from Great Expectations.

    `evaluated_count` rows could be judged, of which `unexpected_count` failed; `missing_count` rows could not,
    because the fact is unknown. `first_keys` name failing rows, at most ten.
    """

    rule_id: str
    severity: Severity
    evaluated_count: int
    unexpected_count: int
    missing_count: int
    first_keys: tuple[str, ...] = ()

    @property
    def is_success(self) -> bool:
        """Nothing failed; what is missing has not failed."""
        return self.unexpected_count == 0


class MissingFacts(RuntimeError):
    """A rule's table or column is not in the database: the text names both, for a developer."""


def judge(
    connection: duckdb.DuckDBPyConnection, month: Month, book: RuleBook | None = None
) -> dict[str, list[Finding]]:
    """All findings of the rules on returns, by submission, over the fact tables of one month.

    The tables `checks.*` of the month must have been built in this connection. Tables without months
    (departmental identities) are judged whole. A submission without findings has no entry. Findings stand in
    the order of sheet, row, column and rule. Raises MissingFacts if a table or a column is not there.
    """
    findings: dict[str, list[Finding]] = {}
    for rule_table in (book or rule_book()).of_level("return"):
        for row, rules in _failing_rows(connection, month, rule_table):
            found = findings.setdefault(str(row["submission_id"]), [])
            found.extend(finding_of(rule, row) for rule in rules)
    for found in findings.values():
        found.sort(key=_place_in_workbook)
    return findings


def without_repeats(read: Iterable[Finding], judged: Iterable[Finding]) -> list[Finding]:
    """The rules' findings less those at cells which the reader has already refused: one question a cell.

    `read` are the findings of intake about one file, `judged` those of `judge` about the same file.
    """
    refused = {
        (found.sheet, found.cell) for found in read if found.severity is Severity.CRITICAL and found.cell
    }
    return [found for found in judged if (found.sheet, found.cell) not in refused]


def rule_results(
    connection: duckdb.DuckDBPyConnection, month: Month | None, rules: Iterable[Rule]
) -> list[RuleResult]:
    """Counts and first failing keys of each rule, in the order given, judged in SQL.

    Rules may be of several tables. `month` None judges every month there is. Rules to which one of these
    yields are looked up in the book of the table, whether asked for or not.
    """
    asked = list(rules)
    results: dict[str, RuleResult] = {}
    for table in dict.fromkeys(rule.table for rule in asked):
        types = _types(connection, table)
        scope, parameters = _scope(types, month)
        source = f"(select * from {table} {scope})"  # noqa: S608
        of_table = [rule for rule in asked if rule.table == table]
        for result in _results_of_source(connection, source, parameters, of_table, types):
            results[result.rule_id] = result
    return [results[rule.id] for rule in asked]


def fact_frame(
    connection: duckdb.DuckDBPyConnection, month: Month | None, table: str, rules: Sequence[Rule]
) -> pandas.DataFrame:
    """The judged columns of a table as pandas sees them, for `suite.validate`, and `row_key` to name rows.

    Decimals become double and dates text, exactly as the SQL twin sees them; unknown is NaN or None. Whole
    numbers with unknowns are float64. The frame is ordered by its key. Raises MissingFacts as `judge` does.
    """
    query, parameters = _frame_query(connection, None if month is None else [month], table, rules)
    return connection.execute(query, parameters).df()


def fact_frame_of_months(
    connection: duckdb.DuckDBPyConnection, months: Sequence[Month], table: str, rules: Sequence[Rule]
) -> pandas.DataFrame:
    """As `fact_frame` for several months at once, with the month of each row as text in MONTH_COLUMN.

    For `suite.validate_months`: one suite over many months costs little more than over one. Raises
    MissingFacts where the table is not kept by month.
    """
    types = _types(connection, table)
    if MONTH_COLUMN not in types:
        raise MissingFacts(f"{table} is not kept by month; use fact_frame")
    query, parameters = _frame_query(connection, months, table, rules, more_columns=(MONTH_COLUMN,))
    return connection.execute(query, parameters).df()


def frame_flags(
    connection: duckdb.DuckDBPyConnection, frame: pandas.DataFrame, rules: Sequence[Rule]
) -> dict[str, set[int]]:
    """For each rule the positions (from 0) of the failing rows of a frame, by the SQL twin."""
    all_rules = with_superiors(rules)
    connection.register("judged_frame", frame.assign(**{ROW_COLUMN: range(len(frame))}))
    try:
        types = _types(connection, "judged_frame")
        flags: dict[str, set[int]] = {}
        for rule in rules:
            predicates = _Predicates(types, all_rules, "judged_frame")
            if rule.expectation == "expect_table_row_count_to_be_between":
                continue
            fires = predicates.fails(rule)
            sql = (
                f"with judged as (select {ROW_COLUMN}, {fires} as fires from judged_frame) "  # noqa: S608
                f"select {ROW_COLUMN} from judged where fires"
            )
            flags[rule.id] = {
                int(row[0]) for row in connection.execute(sql, predicates.parameters).fetchall()
            }
        return flags
    finally:
        connection.unregister("judged_frame")


class _Predicates:
    """Rules as SQL over one table, with every value of a rule bound and never written into the text."""

    def __init__(self, types: Mapping[str, str], rules: Sequence[Rule], table: str) -> None:
        self._types = types
        self._rules = {rule.id: rule for rule in rules}
        self._table = table
        self.parameters: list[Any] = []

    def value(self, column: str) -> str:
        """A column as it is judged: decimals as double, dates as text, NaN as unknown."""
        type_name = self._types.get(column)
        if type_name is None:
            raise MissingFacts(
                f"{self._table} has no column {column}, which a rule judges. Add it, or mend the rule."
            )
        if type_name in _APPROXIMATE:
            return f'case when isnan("{column}") then null else "{column}" end'
        if type_name.startswith("DECIMAL"):
            return f'cast("{column}" as double)'
        if type_name in ("DATE", "TIMESTAMP"):
            return f'cast("{column}" as varchar)'
        return f'"{column}"'

    def in_scope(self, rule: Rule) -> str:
        """The condition of the rule holds (true where it has none; unknown is out of scope)."""
        if rule.when is None:
            return "true"
        parts = []
        value = self.value(rule.when.column)
        if rule.when.min_value is not None:
            parts.append(f"({value}) >= {self._bind(rule.when.min_value)}")
        if rule.when.max_value is not None:
            parts.append(f"({value}) <= {self._bind(rule.when.max_value)}")
        return f"coalesce({' and '.join(parts)}, false)"

    def is_known(self, rule: Rule) -> str:
        """The fact can be judged."""
        if rule.expectation.startswith("expect_column_values_") and not rule.expectation.endswith("_null"):
            return f"({self.value(rule.arguments['column'])}) is not null"
        return "true"

    def fails(self, rule: Rule) -> str:
        """The rule fires on the row, and no rule to which it yields does. Never NULL."""
        own = self._violates(rule)
        superiors = [self._violates(self._rules[other]) for other in rule.yields_to]
        return " and ".join([f"({own})", *(f"not ({superior})" for superior in superiors)])

    def _violates(self, rule: Rule) -> str:
        scope = self.in_scope(rule)
        return f"coalesce({scope} and ({self._violation(rule)}), false)"

    def _violation(self, rule: Rule) -> str:
        arguments = rule.arguments
        match rule.expectation:
            case "expect_column_values_to_be_between":
                value = self.value(arguments["column"])
                parts = []
                if "min_value" in arguments:
                    sign = "<=" if arguments.get("strict_min") else "<"
                    parts.append(f"({value}) {sign} {self._bind(arguments['min_value'])}")
                if "max_value" in arguments:
                    sign = ">=" if arguments.get("strict_max") else ">"
                    parts.append(f"({value}) {sign} {self._bind(arguments['max_value'])}")
                return " or ".join(parts)
            case "expect_column_values_to_be_in_set" | "expect_column_values_to_not_be_in_set":
                value = self.value(arguments["column"])
                items = ", ".join(self._bind(item) for item in arguments["value_set"])
                is_wanted = rule.expectation == "expect_column_values_to_be_in_set"
                return f"({value}) {'not in' if is_wanted else 'in'} ({items})"
            case "expect_column_values_to_be_null":
                return f"({self.value(arguments['column'])}) is not null"
            case "expect_column_values_to_not_be_null":
                return f"({self.value(arguments['column'])}) is null"
            case "expect_compound_columns_to_be_unique":
                columns = ", ".join(self.value(column) for column in arguments["column_list"])
                return f"count(*) over (partition by {columns}) > 1"
            case "expect_table_row_count_to_be_between":
                parts = []
                if "min_value" in arguments:
                    parts.append(f"count(*) over () < {self._bind(arguments['min_value'])}")
                if "max_value" in arguments:
                    parts.append(f"count(*) over () > {self._bind(arguments['max_value'])}")
                return " or ".join(parts)
        raise MissingFacts(f"rule {rule.id}: {rule.expectation} has no SQL twin")

    def _bind(self, value: bool | int | float | str) -> str:
        self.parameters.append(value)
        # A whole number is bound as double so that 0 against a bigint and 0 against a double mean the same.
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return "cast(? as double)" if is_number else "?"


def _failing_rows(
    connection: duckdb.DuckDBPyConnection, month: Month, rule_table: RuleTable
) -> Iterable[tuple[dict[str, Any], list[Rule]]]:
    """Rows of a fact table on which at least one rule fires, whole, with those rules."""
    types = _types(connection, rule_table.table)
    predicates = _Predicates(types, rule_table.rules, rule_table.table)
    rules = [r for r in rule_table.rules if r.expectation != "expect_table_row_count_to_be_between"]
    flags = ", ".join(f'{predicates.fails(rule)} as "fires {rule.id}"' for rule in rules)
    fires = " or ".join(f'"fires {rule.id}"' for rule in rules)
    scope, parameters = _scope(types, month)
    query = (
        f"with judged as (select *, {flags} from {rule_table.table} {scope}) "  # noqa: S608
        f"select * from judged where {fires}"
    )
    cursor = connection.execute(query, [*predicates.parameters, *parameters])
    names = [column[0] for column in cursor.description or ()]
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        yield row, [rule for rule in rules if row.pop(f"fires {rule.id}")]


def _results_of_source(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    source_parameters: list[Any],
    rules: Sequence[Rule],
    types: Mapping[str, str],
) -> list[RuleResult]:
    all_rules = with_superiors(rules)
    results = []
    for rule in rules:
        predicates = _Predicates(types, all_rules, rule.table)
        if rule.expectation == "expect_table_row_count_to_be_between":
            row_count = _one(connection, f"select count(*) from {source}", source_parameters)  # noqa: S608
            low, high = rule.arguments.get("min_value"), rule.arguments.get("max_value")
            fails = (low is not None and row_count < low) or (high is not None and row_count > high)
            keys = (f"{row_count} rows",) if fails else ()
            results.append(RuleResult(rule.id, rule.severity, 1, int(fails), 0, keys))
            continue
        key = key_expression(rule.keys, types, rule.table)
        query = (
            f"with judged as (select {predicates.in_scope(rule)} as in_scope, "  # noqa: S608
            f"{predicates.is_known(rule)} as is_known, {predicates.fails(rule)} as fires, {key} as row_key "
            f"from {source}) "
            "select count(*) filter (where in_scope and is_known), count(*) filter (where fires), "
            "count(*) filter (where in_scope and not is_known), "
            f"list_slice(list(row_key order by row_key) filter (where fires), 1, {FIRST_KEY_COUNT}) from judged"
        )
        row = connection.execute(query, [*predicates.parameters, *source_parameters]).fetchone()
        evaluated, unexpected, missing, keys_found = row or (0, 0, 0, None)
        results.append(
            RuleResult(rule.id, rule.severity, evaluated, unexpected, missing, tuple(keys_found or ()))
        )
    return results


def key_expression(keys: Sequence[str], types: Mapping[str, str], table: str) -> str:
    """The key of a row as a person reads it: its key columns, divided by ` · `."""
    for key in keys:
        if key not in types:
            raise MissingFacts(
                f"{table} has no column {key}, which its rule file names among `keys`. Mend one of them."
            )
    return " || ' · ' || ".join(f"coalesce(cast(\"{key}\" as varchar), '')" for key in keys) or "''"


def _frame_query(
    connection: duckdb.DuckDBPyConnection,
    months: Sequence[Month] | None,
    table: str,
    rules: Sequence[Rule],
    more_columns: tuple[str, ...] = (),
) -> tuple[str, list[Any]]:
    types = _types(connection, table)
    predicates = _Predicates(types, rules, table)
    judged_columns = (column for rule in with_superiors(rules) for column in rule.judged_columns)
    columns = tuple(dict.fromkeys([*judged_columns, *more_columns]))
    keys = tuple(dict.fromkeys(key for rule in rules for key in rule.keys))
    judged = [f'{predicates.value(column)} as "{column}"' for column in columns]
    scope, parameters = _scope(types, months)
    query = (
        f"select {', '.join([f'{key_expression(keys, types, table)} as {KEY_COLUMN}', *judged])} "  # noqa: S608
        f"from {table} {scope} order by {KEY_COLUMN}"
    )
    return query, parameters


def _scope(types: Mapping[str, str], months: Month | Sequence[Month] | None) -> tuple[str, list[Any]]:
    if months is None or MONTH_COLUMN not in types:
        return "", []
    if isinstance(months, Month):
        return f"where {MONTH_COLUMN} = ?", [months.start_date]
    return f"where list_contains(?, {MONTH_COLUMN})", [[month.start_date for month in months]]


def _types(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    try:
        rows = connection.execute(f"describe select * from {source}").fetchall()  # noqa: S608
    except duckdb.CatalogException as error:
        raise MissingFacts(
            f"{source} is not in this database: build it before judging it ({error})"
        ) from error
    return {row[0]: row[1] for row in rows}


def _one(connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any]) -> int:
    row = connection.execute(query, parameters).fetchone()
    return 0 if row is None else int(row[0])


def _place_in_workbook(finding: Finding) -> tuple[str, str, int, int, str, str]:
    """Order in which a person goes through a workbook: form, sheet, row, column, rule."""
    match = _CELL_PARTS.fullmatch(finding.cell)
    letters, digits = (match[1], match[2]) if match else ("", "")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return finding.form_code, finding.sheet, int(digits or 0), column, finding.rule, finding.key
