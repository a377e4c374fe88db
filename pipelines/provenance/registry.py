"""Reading `lineage.yaml`: which printed cell rests on which indicator row, and what its columns are made of.

Strict: a key that is unknown, a table, column or query that does not exist is an error for its author.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml

from pipelines.findings import Wording
from pipelines.money import UNITS
from pipelines.provenance.shapes import Rounding
from pipelines.publication.tables import publication_model
from pipelines.warehouse.sqlfiles import catalogue

Span = Literal["this", "base"]
Values = Mapping[str, Any]

_FOLDER = Path(__file__).parent
LINEAGE_FILE = _FOLDER / "lineage.yaml"
QUERY_FOLDER = _FOLDER / "queries"
ROW_UNIT = "row"  # the unit stands in the row itself (targets)
TARGETS = "indicators.target_progress"


class LineageError(ValueError):
    """lineage.yaml says something that the SQL or the tables do not bear out; its author must mend it."""


@dataclass(frozen=True, slots=True)
class LeafRule:
    """The query that gives the leaves of an indicator's rows for which `when` holds."""

    when: Values
    query: str
    filters: tuple[str, ...]
    parameters: Values


@dataclass(frozen=True, slots=True)
class SumRule:
    """A column that is a sum of leaves."""

    span: Span
    parameters: Values


@dataclass(frozen=True, slots=True)
class Term:
    """One sum in a ratio: a column of the same row, or of the row of another indicator."""

    column: str
    indicator: str | None
    same: tuple[str, ...]
    where: Values


@dataclass(frozen=True, slots=True)
class RatioRule:
    """100 x numerator over the sum of the denominators."""

    numerator: Term
    denominators: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class IndicatorRule:
    """What the columns of one indicator table are made of."""

    name: str
    dimensions: tuple[str, ...]
    optional: tuple[str, ...]
    leaves: tuple[LeafRule, ...]
    sums: Mapping[str, SumRule]
    growth: Mapping[str, tuple[str, str]]  # this and base, columns of `sums`
    ratios: Mapping[str, RatioRule]

    def leaf_rule(self, row: Values) -> LeafRule:
        """The rule for one row. Raises LineageError where none is written for it."""
        for rule in self.leaves:
            if all(row[name] == value for name, value in rule.when.items()):
                return rule
        raise LineageError(f"lineage.yaml: {self.name} has no leaves for {dict(row)}; add a rule")


@dataclass(frozen=True, slots=True)
class RowRule:
    """Which indicator row a printed row stands for."""

    code: re.Pattern[str]
    indicator: str
    where: Values
    rename: Mapping[str, str]
    translate: Mapping[str, str]
    values: Mapping[str, str]
    units: Mapping[str, str]
    rounding: Rounding
    applies_to: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """Which column of the indicator a printed column shows, and in which unit."""

    code: re.Pattern[str]
    where: Values
    value: str | None  # None: the group `value` of the code
    unit: str


@dataclass(frozen=True, slots=True)
class Source:
    """What stands behind one printed cell: one column of one row of one indicator."""

    indicator: IndicatorRule
    selection: Values
    column: str
    unit: str
    rounding: Rounding


@dataclass(frozen=True, slots=True)
class Lineage:
    """Everything lineage.yaml says."""

    indicators: Mapping[str, IndicatorRule]
    rows: Mapping[str, tuple[RowRule, ...]]
    columns: Mapping[str, tuple[ColumnRule, ...]]
    labels: Mapping[str, Wording]

    def source(self, table: str, row_code: str, column_code: str) -> Source | None:
        """What stands behind a cell, or None where the table prints nothing computed there (words, headings)."""
        row = _first(self.rows[table], row_code)
        column = _first(self.columns[table], column_code)
        if row is None or column is None:
            return None
        row_rule, row_groups = row
        column_rule, column_groups = column
        found = {**row_groups, **column_groups, **row_rule.where, **column_rule.where}
        named = {row_rule.rename.get(name, name): value for name, value in found.items()}
        named = {
            name: row_rule.translate.get(value, value) if isinstance(value, str) else value
            for name, value in named.items()
        }
        if any(named.get(name) not in allowed for name, allowed in row_rule.applies_to.items()):
            return None
        indicator = self.indicators[row_rule.indicator]
        value = str(named.pop("value", None) or column_rule.value)
        selection = {name: named[name] for name in indicator.dimensions if name in named}
        missing = [name for name in indicator.dimensions if name not in (*selection, *indicator.optional)]
        if missing:
            raise LineageError(
                f"lineage.yaml: {table} {row_code} {column_code} does not say {', '.join(missing)}"
            )
        return Source(
            indicator=indicator,
            selection=MappingProxyType(selection),
            column=row_rule.values.get(value, value),
            unit=row_rule.units.get(column_rule.unit, column_rule.unit),
            rounding=row_rule.rounding,
        )

    def unit(self, code: str) -> tuple[Wording, int]:
        """The label of a unit, and how many currency units (or things) it holds."""
        if code in UNITS:
            unit = UNITS[code]
            return Wording(unit.label_zh, unit.label_en), unit.multiplier
        return self.labels[code], 1


def query_text(name: str) -> str:
    """The SQL of one leaf query."""
    return (QUERY_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


@cache
def lineage() -> Lineage:
    """The registry, read once and compared with the SQL headers. Raises LineageError."""
    return parse_lineage(yaml.safe_load(LINEAGE_FILE.read_text(encoding="utf-8")))


def parse_lineage(data: Any) -> Lineage:
    """Read the registry strictly; see `lineage`."""
    top = _keys(data, "lineage.yaml", ("schema_version", "units", "indicators", "tables"))
    if top["schema_version"] != 1:
        raise LineageError(f"lineage.yaml: schema_version {top['schema_version']!r}; this program reads 1")
    labels = {code: Wording(unit["label"]["zh"], unit["label"]["en"]) for code, unit in top["units"].items()}
    indicators = {name: _indicator(name, item) for name, item in top["indicators"].items()}
    for rule in indicators.values():
        for ratio in rule.ratios.values():
            for term in (ratio.numerator, *ratio.denominators):
                target = indicators.get(term.indicator or rule.name)
                if target is None or term.column not in target.sums:
                    raise LineageError(
                        f"lineage.yaml: {rule.name}: {term.indicator} {term.column} is no sum of an indicator"
                    )
    rows: dict[str, tuple[RowRule, ...]] = {}
    columns: dict[str, tuple[ColumnRule, ...]] = {}
    for name, item in top["tables"].items():
        publication_model().table(name)
        table = _keys(item, name, ("rows", "columns"))
        rows[name] = tuple(_row(row, f"tables.{name}.rows") for row in table["rows"])
        columns[name] = tuple(_column(column, f"tables.{name}.columns") for column in table["columns"])
        for row in rows[name]:
            if row.indicator not in indicators:
                raise LineageError(f"lineage.yaml: {name} names {row.indicator}, which is not described")
            for unit in row.units.values():
                _check_unit(unit, labels, name)
        for column in columns[name]:
            if column.unit != ROW_UNIT:
                _check_unit(column.unit, labels, name)
    missing = {spec.name for spec in publication_model().tables} - set(rows)
    if missing:
        raise LineageError(f"lineage.yaml: no lineage for {', '.join(sorted(missing))}")
    return Lineage(indicators, rows, columns, labels)


def _indicator(name: str, data: Any) -> IndicatorRule:
    where = f"indicators.{name}"
    item = _keys(data, where, ("dimensions",), optional=("optional", "leaves", "sums", "growth", "ratios"))
    table = catalogue().get(name)
    if table is None:
        raise LineageError(f"lineage.yaml: there is no table {name}")
    dimensions = tuple(item["dimensions"])
    leaves = tuple(_leaves(rule, where) for rule in item.get("leaves", []))
    sums = {
        column: SumRule(rule["span"], MappingProxyType(dict(rule.get("parameters", {}))))
        for column, rule in item.get("sums", {}).items()
    }
    growth = {column: (rule["this"], rule["base"]) for column, rule in item.get("growth", {}).items()}
    ratios = {
        column: RatioRule(
            _term(rule["numerator"], where), tuple(_term(term, where) for term in rule["denominators"])
        )
        for column, rule in item.get("ratios", {}).items()
    }
    # A ratio may be computed by the printed table and not stored; everything else is a column of the indicator.
    used = {*dimensions, *sums, *growth, *(name for rule in leaves for name in (*rule.when, *rule.filters))}
    used |= {column for pair in growth.values() for column in pair}
    unknown = used - set(table.column_names)
    if unknown:
        raise LineageError(f"lineage.yaml: {name} has no column {', '.join(sorted(unknown))}")
    if sums and not leaves:
        raise LineageError(f"lineage.yaml: {name} has sums but no leaves")
    return IndicatorRule(name, dimensions, tuple(item.get("optional", ())), leaves, sums, growth, ratios)


def _leaves(data: Any, where: str) -> LeafRule:
    item = _keys(data, where, ("query", "filters"), optional=("when", "parameters"))
    if not (QUERY_FOLDER / f"{item['query']}.sql").is_file():
        raise LineageError(f"lineage.yaml: {where}: there is no queries/{item['query']}.sql")
    return LeafRule(
        MappingProxyType(dict(item.get("when", {}))),
        item["query"],
        tuple(item["filters"]),
        MappingProxyType(dict(item.get("parameters", {}))),
    )


def _term(data: Any, where: str) -> Term:
    item = _keys(data, where, ("column",), optional=("indicator", "same", "where"))
    return Term(
        item["column"], item.get("indicator"), tuple(item.get("same", ())), dict(item.get("where", {}))
    )


def _row(data: Any, where: str) -> RowRule:
    item = _keys(
        data,
        where,
        ("code", "indicator"),
        optional=("where", "rename", "translate", "values", "units", "rounding", "applies_to"),
    )
    applies_to = {
        name: tuple(allowed) if isinstance(allowed, list) else (allowed,)
        for name, allowed in item.get("applies_to", {}).items()
    }
    return RowRule(
        re.compile(item["code"]),
        item["indicator"],
        dict(item.get("where", {})),
        dict(item.get("rename", {})),
        dict(item.get("translate", {})),
        dict(item.get("values", {})),
        dict(item.get("units", {})),
        item.get("rounding", "half_up"),
        applies_to,
    )


def _column(data: Any, where: str) -> ColumnRule:
    item = _keys(data, where, ("code", "unit"), optional=("where", "value"))
    code = re.compile(item["code"])
    if ("value" in item) == ("value" in code.groupindex):
        raise LineageError(f"lineage.yaml: {where} {item['code']}: give `value` once, as key or as group")
    return ColumnRule(code, dict(item.get("where", {})), item.get("value"), item["unit"])


def _check_unit(code: str, labels: Mapping[str, Wording], where: str) -> None:
    if code not in UNITS and code not in labels:
        raise LineageError(f"lineage.yaml: {where}: unit {code!r} is not described")


def _keys(data: Any, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise LineageError(f"lineage.yaml: {where}: {data!r}; expected {', '.join(required)}")
    missing = [key for key in required if key not in data]
    unknown = [str(key) for key in data if key not in (*required, *optional)]
    if missing or unknown:
        raise LineageError(f"lineage.yaml: {where}: missing {missing}, unknown {unknown}")
    return data


def _first(rules: tuple[Any, ...], code: str) -> tuple[Any, dict[str, str]] | None:
    for rule in rules:
        match = rule.code.fullmatch(code)
        if match is not None:
            return rule, {name: value for name, value in match.groupdict().items() if value is not None}
    return None
