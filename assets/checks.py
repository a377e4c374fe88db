"""One asset check for each rule, its name the rule's id, judged by Great Expectations month by month.

What a rule asks stands in `expectations/`; how it is judged in `pipelines.validation`. A rule on single returns
that fails is shown and holds nothing: the door has held those returns back already. A critical rule on a whole
table is marked as blocking: the month it fails in is not drafted (`publication`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import dagster as dg
import duckdb

from assets.described import asset_key
from assets.partitions import months
from pipelines.findings import Severity
from pipelines.periods import Month
from pipelines.validation import judge, suite
from pipelines.validation.rules import Rule, rule_book
from pipelines.warehouse.sqlfiles import SqlTable

ROWS_A_FRAME = 400_000


def blocks_publication(rule: Rule) -> bool:
    """A month in which this rule fails is not drafted."""
    return rule.level == "table" and rule.severity is Severity.CRITICAL


def check_specs(table: SqlTable) -> list[dg.AssetCheckSpec]:
    """The checks of one table, by month where the table is kept by month."""
    with warnings.catch_warnings():
        # Partitioned checks are marked as preview in Dagster 1.13; without them no check shows its month.
        warnings.simplefilter("ignore", category=dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name=rule.id,
                asset=asset_key(table.name),
                description=f"{rule.label.zh} / {rule.label.en}\n\n{rule.help.zh}\n\n{rule.help.en}",
                blocking=blocks_publication(rule),
                partitions_def=months if table.is_partitioned else None,
                metadata={"severity": rule.severity.value, "level": rule.level},
            )
            for rule in rule_book().of_table(table.name)
        ]


def evaluations(
    connection: duckdb.DuckDBPyConnection, table: SqlTable, months: Sequence[Month]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Judge a table: of these months, or all of it if it has no months; one evaluation a rule and month.

    None of them stops the run: what a failed table does to its month is decided where the month is drafted,
    so that in a run over many months the others go on.
    """
    rules = rule_book().of_table(table.name)
    if not rules:
        return
    if not table.is_partitioned:
        frame = judge.fact_frame(connection, None, table.name, rules)
        for rule, result in zip(rules, suite.validate(frame, rules), strict=True):
            yield _evaluation(table, rule, result, None)
        return
    for group in _groups(connection, table, months):
        frame = judge.fact_frame_of_months(connection, group, table.name, rules)
        for month, results in suite.validate_months(frame, group, rules).items():
            for rule, result in zip(rules, results, strict=True):
                yield _evaluation(table, rule, result, month)


def _groups(
    connection: duckdb.DuckDBPyConnection, table: SqlTable, months: Sequence[Month]
) -> Iterator[list[Month]]:
    """Months that are judged together: as many as fit into one frame without filling the memory."""
    counts = dict(
        connection.execute(
            f"select month_start_date, count(*) from {table.name} "  # noqa: S608 - a name out of our own catalogue
            "where list_contains(?, month_start_date) group by all",
            [[month.start_date for month in months]],
        ).fetchall()
    )
    group: list[Month] = []
    rows = 0
    for month in months:
        size = counts.get(month.start_date, 0)
        if group and rows + size > ROWS_A_FRAME:
            yield group
            group, rows = [], 0
        group.append(month)
        rows += size
    if group:
        yield group


def _evaluation(
    table: SqlTable, rule: Rule, result: judge.RuleResult, month: Month | None
) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=asset_key(table.name),
        check_name=rule.id,
        passed=result.is_success,
        severity=dg.AssetCheckSeverity.ERROR
        if rule.severity is Severity.CRITICAL
        else dg.AssetCheckSeverity.WARN,
        description=None if result.is_success else f"{rule.label.zh} / {rule.label.en}",
        metadata={
            "severity": rule.severity.value,
            "rows_judged": result.evaluated_count,
            "rows_failed": result.unexpected_count,
            "rows_unknown": result.missing_count,
            "first_failing": dg.MetadataValue.json(list(result.first_keys)),
        },
        blocking=False,
        partition=None if month is None else str(month),
    )


def blocking_failures(
    connection: duckdb.DuckDBPyConnection, month: Month
) -> list[tuple[Rule, judge.RuleResult]]:
    """The rules that forbid drafting this month, judged on the tables as they stand now (SQL twin)."""
    rules: Sequence[Rule] = [rule for rule in rule_book() if blocks_publication(rule)]
    results = judge.rule_results(connection, month, rules)
    return [(rule, result) for rule, result in zip(rules, results, strict=True) if not result.is_success]
