"""The Great Expectations twin: the same rules as a suite over one frame of facts, one result a rule.

The only importer of great_expectations, inside one function, because the import takes seconds. An ephemeral
context: no files, no Data Docs, no analytics, no network. Rules are in `rules`, the SQL twin in `judge`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pandas as pd

from pipelines.periods import Month
from pipelines.validation.judge import FIRST_KEY_COUNT, KEY_COLUMN, MONTH_COLUMN, ROW_COLUMN, RuleResult
from pipelines.validation.rules import Rule, with_superiors

_ROW_COUNT = "expect_table_row_count_to_be_between"


class SuiteError(RuntimeError):
    """Great Expectations did not do what was asked: the text names the rule and what it said."""


def validate(frame: pd.DataFrame, rules: Sequence[Rule]) -> list[RuleResult]:
    """Judge a frame of facts (see `judge.fact_frame`) with Great Expectations; results in the order of the rules.

    Raises SuiteError if an expectation was dropped, raised, or judged fewer rows than there are.
    """
    flags, counts = _judge(frame, rules)
    results = []
    for rule in rules:
        evaluated, missing, row_count_text = counts[rule.id]
        rows = flags[rule.id]
        if rule.expectation == "expect_table_row_count_to_be_between":
            keys: tuple[str, ...] = (row_count_text,) if rows else ()
        else:
            keys = tuple(sorted(str(frame[KEY_COLUMN].iloc[row]) for row in rows)[:FIRST_KEY_COUNT])
        results.append(RuleResult(rule.id, rule.severity, evaluated, len(rows), missing, keys))
    return results


def validate_months(
    frame: pd.DataFrame, months: Sequence[Month], rules: Sequence[Rule]
) -> dict[Month, list[RuleResult]]:
    """Judge the facts of many months (`judge.fact_frame_of_months`) in one go; results by month, in the order of rules.

    The same results as `validate` month by month, at the price of one: a suite costs some 50 ms however few rows
    it judges. Rules that compare rows with each other name the month among their columns, and a rule on the
    number of rows is judged over the number of rows of each month. Raises SuiteError as `validate`, and if the
    rows counted month by month are not those that Great Expectations counted.
    """
    counting = [rule for rule in rules if rule.expectation == _ROW_COUNT]
    others = [rule for rule in rules if rule.expectation != _ROW_COUNT]
    texts = {month: month.start_date.isoformat() for month in months}
    month_of_row = frame[MONTH_COLUMN].astype(str)
    found: dict[str, dict[Month, RuleResult]] = {}
    if others:
        flags, counts = _judge(frame, others)
        for rule in others:
            in_scope = _in_scope(frame, rule)
            is_known = _is_known(frame, rule) & in_scope
            if (int(is_known.sum()), int(in_scope.sum() - is_known.sum())) != counts[rule.id][:2]:
                raise SuiteError(f"rule {rule.id}: rows by month do not add up to {counts[rule.id][:2]}")
            fails = pd.Series(frame.index.isin(list(flags[rule.id])), index=frame.index)
            found[rule.id] = {}
            for month, text in texts.items():
                here = month_of_row == text
                keys = sorted(str(key) for key in frame[KEY_COLUMN][here & fails])
                found[rule.id][month] = RuleResult(
                    rule.id,
                    rule.severity,
                    int((here & is_known).sum()),
                    len(keys),
                    int((here & in_scope & ~is_known).sum()),
                    tuple(keys[:FIRST_KEY_COUNT]),
                )
    if counting:
        sizes = month_of_row.value_counts()
        row_counts = pd.DataFrame({"row_count": [int(sizes.get(text, 0)) for text in texts.values()]})
        as_column = [
            replace(
                rule,
                expectation="expect_column_values_to_be_between",
                arguments={"column": "row_count", **rule.arguments},
                when=None,
                yields_to=(),
            )
            for rule in counting
        ]
        flags, _ = _judge(row_counts, as_column)
        for rule in counting:
            found[rule.id] = {}
            for position, month in enumerate(texts):
                fails_here = position in flags[rule.id]
                keys = [f"{row_counts['row_count'].iloc[position]} rows"] if fails_here else []
                found[rule.id][month] = RuleResult(rule.id, rule.severity, 1, int(fails_here), 0, tuple(keys))
    return {month: [found[rule.id][month] for rule in rules] for month in texts}


def _in_scope(frame: pd.DataFrame, rule: Rule) -> pd.Series[bool]:
    """Rows that the rule's condition lets it judge; an unknown value is outside."""
    scope = pd.Series(True, index=frame.index)
    if rule.when is not None:
        values = pd.to_numeric(frame[rule.when.column])
        if rule.when.min_value is not None:
            scope &= values >= rule.when.min_value
        if rule.when.max_value is not None:
            scope &= values <= rule.when.max_value
    return scope


def _is_known(frame: pd.DataFrame, rule: Rule) -> pd.Series[bool]:
    """Rows whose fact can be judged; asking for null or for uniqueness judges every row."""
    if rule.expectation.startswith("expect_column_values_") and not rule.expectation.endswith("_null"):
        return frame[str(rule.arguments["column"])].notna()
    return pd.Series(True, index=frame.index)


def flags(frame: pd.DataFrame, rules: Sequence[Rule]) -> dict[str, set[int]]:
    """For each rule the positions (from 0) of the failing rows of a frame, by Great Expectations."""
    found, _ = _judge(frame, rules)
    return {
        rule.id: found[rule.id]
        for rule in rules
        if rule.expectation != "expect_table_row_count_to_be_between"
    }


def _judge(
    frame: pd.DataFrame, rules: Sequence[Rule]
) -> tuple[dict[str, set[int]], dict[str, tuple[int, int, str]]]:
    """Failing row positions, and (evaluated, missing, words on the row count), by rule id; precedence applied."""
    known = {rule.id: rule for rule in with_superiors(rules)}
    raw: dict[str, set[int]] = {}
    counts: dict[str, tuple[int, int, str]] = {}
    for rule_id, success, result in _run_great_expectations(frame, list(known.values())):
        rule = known[rule_id]
        if rule.expectation == "expect_table_row_count_to_be_between":
            raw[rule_id] = set() if success else {0}
            counts[rule_id] = (1, 0, f"{result['observed_value']} rows")
            continue
        failing = [int(entry[ROW_COLUMN]) for entry in result.get("unexpected_index_list") or ()]
        if len(failing) != int(result["unexpected_count"]):
            raise SuiteError(
                f"rule {rule_id}: {result['unexpected_count']} rows failed but {len(failing)} were named"
            )
        missing = 0 if rule.expectation.endswith("_null") else int(result.get("missing_count") or 0)
        raw[rule_id] = set(failing)
        counts[rule_id] = (int(result["element_count"]) - missing, missing, "")
    final = {
        rule_id: failing - set().union(*(raw[other] for other in known[rule_id].yields_to))
        for rule_id, failing in raw.items()
    }
    return final, counts


@lru_cache(maxsize=1)
def _batch_definition() -> Any:
    """The way for a frame into Great Expectations. Made once a process: it writes its YAML to nowhere each time."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )
    return (
        context.data_sources.add_pandas("facts")
        .add_dataframe_asset("frame")
        .add_batch_definition_whole_dataframe("whole")
    )


def _run_great_expectations(
    frame: pd.DataFrame, rules: Sequence[Rule]
) -> list[tuple[str, bool, Mapping[str, Any]]]:
    batch_definition = _batch_definition()
    import great_expectations as gx
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    suite = gx.ExpectationSuite(name="rules")
    for rule in rules:
        try:
            suite.add_expectation_configuration(
                ExpectationConfiguration(
                    type=rule.expectation,
                    kwargs=_keyword_arguments(rule),
                    meta={"rule_id": rule.id},
                    severity=rule.severity.value,
                )
            )
        except gx.exceptions.GreatExpectationsError as error:
            raise SuiteError(f"rule {rule.id}: {error}") from error
    # Suites have been known to drop what they do not understand without a word.
    if len(suite.expectations) != len(rules):
        raise SuiteError(
            f"{len(rules)} rules became {len(suite.expectations)} expectations; two are equal or one is unknown"
        )
    batch = batch_definition.get_batch({"dataframe": frame.assign(**{ROW_COLUMN: range(len(frame))})})
    outcome = batch.validate(
        suite,
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [ROW_COLUMN]},
    )
    judged: list[tuple[str, bool, Mapping[str, Any]]] = []
    for result in outcome.results:
        rule_id = result.expectation_config.meta["rule_id"]
        if failure := _failure(result.exception_info):
            raise SuiteError(f"rule {rule_id}: {failure}")
        judged.append((str(rule_id), bool(result.success), dict(result.result)))
    if len(judged) != len(rules):
        raise SuiteError(f"{len(rules)} rules gave {len(judged)} results")
    return judged


def _failure(exception_info: Mapping[str, Any]) -> str:
    """What went wrong in one expectation, empty if nothing; reported at the top or once for each metric."""
    for entry in (exception_info, *exception_info.values()):
        if isinstance(entry, Mapping) and entry.get("raised_exception"):
            return str(entry.get("exception_message"))
    return ""


def _keyword_arguments(rule: Rule) -> dict[str, Any]:
    from great_expectations.expectations.row_conditions import Column

    arguments = dict(rule.arguments)
    if rule.expectation == "expect_compound_columns_to_be_unique":
        arguments["ignore_row_if"] = "never"
    if rule.when is not None:
        column = Column(rule.when.column)
        bounds = []
        if rule.when.min_value is not None:
            bounds.append(column >= rule.when.min_value)
        if rule.when.max_value is not None:
            bounds.append(column <= rule.when.max_value)
        arguments["row_condition"] = bounds[0] if len(bounds) == 1 else bounds[0] & bounds[1]
    return arguments
