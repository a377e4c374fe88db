"""Following an indicator's figure down to its leaves, and adding them up again.

Sums are added by DuckDB in DECIMAL, over every leaf, so that the proof is exact and does not depend on how
many leaves are shown. Which query gives the leaves is said by the registry, not here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Any

import duckdb

from pipelines.findings import Wording
from pipelines.money import UNITS
from pipelines.periods import Month
from pipelines.provenance.registry import IndicatorRule, Lineage, LineageError, Term, query_text
from pipelines.provenance.shapes import Figure, Leaf, Part, Step
from pipelines.warehouse.sqlfiles import MONTH_PARAMETER, catalogue

_PARAMETER = re.compile(r"\$([a-z_]+)")
_LEAF_FIELDS = tuple(field.name for field in fields(Leaf) if field.name != "unit")
# What a stored double and the same figure computed from decimals may differ by.
_DOUBLE_TOLERANCE = Decimal("1e-9")
_DIGITS = 60

THIS = Wording("本期", "This period")
BASE = Wording("上年同期", "A year earlier")
NUMERATOR = Wording("分子", "Numerator")
DENOMINATOR = Wording("分母", "Denominator")
SUM_FORMULA = Wording("各源数之和", "sum of the leaves")
GROWTH_FORMULA = Wording("100 ×（本期 ÷ 上年同期 － 1）", "100 × (this period / a year earlier − 1)")
RATIO_FORMULA = Wording("100 × 分子 ÷ 分母", "100 × numerator / denominator")
RATIO_OF_SUM_FORMULA = Wording("100 × 分子 ÷ 各分母之和", "100 × numerator / sum of the denominators")
PERCENT = Wording("%", "%")


@dataclass(frozen=True, slots=True)
class _Traced:
    """The outcome of one leaf query: counts and sum over all its leaves, and those shown."""

    count: int
    total: Decimal
    untraced_count: int
    leaves: tuple[Leaf, ...]


class AmbiguousRow(RuntimeError):
    """More than one row of an indicator fits the dimensions of a printed cell: the SQL or the lineage is wrong."""


class Tracer:
    """Explains figures of one open warehouse. `limit` leaves of each part are shown, all if it is None."""

    def __init__(self, con: duckdb.DuckDBPyConnection, lineage: Lineage, limit: int | None) -> None:
        self.con = con
        self.lineage = lineage
        self.limit = limit
        # A printed table asks for the same sum again and again: as amount, in growth, as a denominator.
        self._traced: dict[tuple[str, tuple[tuple[str, Any], ...]], _Traced] = {}

    # --- rows --------------------------------------------------------------------------------------------------------

    def row(
        self, table_name: str, month: Month | None, selection: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """The one row with these values, doubles as Decimal with twelve decimals; None where there is none.

        A NULL in `selection` asks for NULL. Raises AmbiguousRow.
        """
        table = catalogue()[table_name]
        types = {column.name: column.type for column in table.columns}
        wanted = {**selection, MONTH_PARAMETER: month.start_date} if month is not None else dict(selection)
        columns = ", ".join(
            f"cast({name} as decimal(38, 12)) as {name}" if kind == "double" else name
            for name, kind in types.items()
        )
        conditions = " and ".join(
            f"{name} is not distinct from cast(${name} as {types[name]})" for name in wanted
        )
        found = self.con.execute(
            f"select {columns} from {table_name} where {conditions} limit 2",  # noqa: S608 - names of our catalogue
            wanted,
        ).fetchall()
        if len(found) > 1:
            raise AmbiguousRow(f"{table_name}: more than one row for {wanted}")
        return dict(zip(types, found[0], strict=True)) if found else None

    def step(self, table_name: str, column: str, value: Decimal | None, row: Mapping[str, Any]) -> Step:
        """Where a figure is computed."""
        table = catalogue()[table_name]
        return Step(
            table=table_name,
            column=column,
            value=value,
            row=MappingProxyType(dict(row)),
            sql_file=f"sql/{table_name.replace('.', '/')}.sql",
            method_page=table.method,
        )

    # --- leaves ------------------------------------------------------------------------------------------------------

    def part(
        self,
        rule: IndicatorRule,
        row: Mapping[str, Any],
        month: Month,
        column: str,
        role: Wording,
        unit: Wording | None = None,
    ) -> Part:
        """One sum of an indicator's row with its leaves. The row must have a value in the column."""
        sum_rule = rule.sums[column]
        leaf_rule = rule.leaf_rule(row)
        first, last = _span(row, month, is_base=sum_rule.span == "base")
        parameters = {
            # '' is "none stated"; NULL would mean that the query does not filter.
            **{name: "" if row[name] is None else row[name] for name in leaf_rule.filters},
            **leaf_rule.parameters,
            **sum_rule.parameters,
        }
        expected = row[column]
        if expected is None:
            raise LineageError(f"{rule.name}.{column} is empty for {dict(row)}; there is nothing to add up")
        currency = parameters.get("currency_code")
        if currency == "filed":
            currency = row.get("currency_code")
        if unit is None:
            unit = self.lineage.unit(currency if currency in UNITS else "enterprises")[0]
        return self.sum_of(
            leaf_rule.query,
            parameters,
            first,
            last,
            table=rule.name,
            column=column,
            expected=Decimal(expected),
            role=role,
            unit=unit,
        )

    def sum_of(
        self,
        query: str,
        parameters: Mapping[str, Any],
        first: Month | None,
        last: Month | None,
        *,
        table: str,
        column: str,
        expected: Decimal,
        role: Wording,
        unit: Wording,
    ) -> Part:
        """Run a leaf query and add its leaves up."""
        spanned = {
            **parameters,
            "first_date": first.start_date if first else None,
            "last_date": last.start_date if last else None,
        }
        traced = self._trace(query, spanned)
        zero_return_count = 0
        if traced.count == 0 and expected == 0 and query == "service_trade":
            traced = self._trace("zero_returns", spanned)
            zero_return_count = traced.count
        return Part(
            role=role,
            table=table,
            column=column,
            first=first,
            last=last,
            unit=unit,
            expected=expected,
            total=traced.total,
            leaf_count=traced.count,
            untraced_count=traced.untraced_count,
            leaves=traced.leaves,
            zero_return_count=zero_return_count,
        )

    def _trace(self, query: str, parameters: Mapping[str, Any]) -> _Traced:
        """Put the leaves with their sources into the temporary table `traced`, and add them up."""
        key = (query, tuple(sorted(parameters.items())))
        if key not in self._traced:
            for name, text in (("leaf", query_text(query)), ("traced", query_text("sources"))):
                bound = {asked: parameters.get(asked) for asked in set(_PARAMETER.findall(text))}
                self.con.execute(f"create or replace temporary table {name} as\n{text}", bound)
            [(count, total, untraced_count)] = self.con.execute(
                "select count(*), coalesce(sum(amount), 0), count(*) filter (where not is_traced) from traced"
            ).fetchall()
            self._traced[key] = _Traced(count, Decimal(total), untraced_count, self._shown())
        return self._traced[key]

    def _shown(self) -> tuple[Leaf, ...]:
        """The leaves of the last trace, largest first."""
        found = self.con.execute(
            f"select {', '.join(_LEAF_FIELDS)}, unit_zh, unit_en from traced "  # noqa: S608 - names of a dataclass
            "order by abs(amount) desc nulls last, month_start_date, line_id, enterprise_code "
            "limit coalesce($most, 9223372036854775807)",
            {"most": self.limit},
        ).fetchall()
        leaves = []
        for *values, unit_zh, unit_en in found:
            named = dict(zip(_LEAF_FIELDS, values, strict=True))
            leaves.append(Leaf(**named, unit=Wording(unit_zh, unit_en) if unit_zh is not None else None))
        return tuple(leaves)

    # --- figures -----------------------------------------------------------------------------------------------------

    def figure(
        self,
        rule: IndicatorRule,
        row: Mapping[str, Any],
        month: Month,
        column: str,
        unit: Wording | None = None,
    ) -> Figure | None:
        """A column of an indicator's row: a sum, a growth rate or a ratio; None where it has no value.

        `unit` names what is counted where no currency does.
        """
        if column in rule.sums:
            return self._sum(rule, row, month, column, unit)
        if column in rule.growth:
            return self._growth(rule, row, month, column, unit)
        if column in rule.ratios:
            return self._ratio(rule, row, month, column)
        raise LineageError(f"lineage.yaml: {rule.name} says nothing of {column}")

    def _sum(
        self, rule: IndicatorRule, row: Mapping[str, Any], month: Month, column: str, unit: Wording | None
    ) -> Figure | None:
        if row[column] is None:
            return None
        value = Decimal(row[column])
        part = self.part(rule, row, month, column, THIS if rule.sums[column].span == "this" else BASE, unit)
        return Figure(
            value=value,
            unit=part.unit,
            recomputed=part.total,
            agrees=part.total == value,
            formula=SUM_FORMULA,
            steps=(self._step_of(rule, row, column, value),),
            parts=(part,),
        )

    def _growth(
        self, rule: IndicatorRule, row: Mapping[str, Any], month: Month, column: str, unit: Wording | None
    ) -> Figure | None:
        if row[column] is None:
            return None
        this_column, base_column = rule.growth[column]
        this = self.part(rule, row, month, this_column, THIS, unit)
        base = self.part(rule, row, month, base_column, BASE, unit)
        return self.rate(
            Decimal(row[column]),
            percent_change(this.total, base.total),
            GROWTH_FORMULA,
            (self._step_of(rule, row, column, Decimal(row[column])),),
            (this, base),
        )

    def _ratio(self, rule: IndicatorRule, row: Mapping[str, Any], month: Month, column: str) -> Figure | None:
        ratio = rule.ratios[column]
        stored = column in row
        if stored and row[column] is None:
            return None
        parts: list[Part] = []
        for term in (ratio.numerator, *ratio.denominators):
            role = NUMERATOR if term is ratio.numerator and not parts else DENOMINATOR
            part = self._term(term, rule, row, month, role)
            if part is None:
                return None
            parts.append(part)
        numerator, *denominators = parts
        recomputed = percent_of(numerator.total, sum((each.total for each in denominators), Decimal(0)))
        value = Decimal(row[column]) if stored else recomputed
        step = self._step_of(
            rule, row, column if stored else ratio.numerator.column, value if stored else None
        )
        formula = RATIO_FORMULA if len(denominators) == 1 else RATIO_OF_SUM_FORMULA
        return self.rate(value, recomputed, formula, (step,), tuple(parts))

    def _term(
        self, term: Term, rule: IndicatorRule, row: Mapping[str, Any], month: Month, role: Wording
    ) -> Part | None:
        if term.indicator is None:
            return None if row[term.column] is None else self.part(rule, row, month, term.column, role)
        other = self.lineage.indicators[term.indicator]
        other_row = self.row(other.name, month, {**{name: row[name] for name in term.same}, **term.where})
        if other_row is None or other_row[term.column] is None:
            return None
        return self.part(other, other_row, month, term.column, role)

    def rate(
        self,
        value: Decimal,
        recomputed: Decimal,
        formula: Wording,
        steps: tuple[Step, ...],
        parts: tuple[Part, ...],
        unit: Wording = PERCENT,
    ) -> Figure:
        """A figure that is computed from its parts in floating point: it agrees to what a double can hold."""
        return Figure(
            value=value,
            unit=unit,
            recomputed=recomputed,
            agrees=abs(recomputed - value) <= _DOUBLE_TOLERANCE * max(Decimal(1), abs(value)),
            formula=formula,
            steps=steps,
            parts=parts,
        )

    def _step_of(
        self, rule: IndicatorRule, row: Mapping[str, Any], column: str, value: Decimal | None
    ) -> Step:
        dimensions = {name: row[name] for name in (MONTH_PARAMETER, *rule.dimensions)}
        return self.step(rule.name, column, value, dimensions)


def percent_change(this: Decimal, base: Decimal) -> Decimal:
    """Growth in per cent, to sixty digits; 0 over 0 and anything over 0 is an ArithmeticError."""
    with localcontext(prec=_DIGITS):
        return 100 * (this / base - 1)


def percent_of(part: Decimal, whole: Decimal) -> Decimal:
    """A share in per cent, to sixty digits."""
    with localcontext(prec=_DIGITS):
        return 100 * part / whole


def _span(row: Mapping[str, Any], month: Month, *, is_base: bool) -> tuple[Month, Month]:
    """Months whose leaves make a sum: the year of the row, January to the month, or the month."""
    if "year" in row:
        first, last = Month(int(row["year"]), 1), Month(int(row["year"]), 12)
    else:
        last = month
        first = Month(month.year, 1) if row.get("period") == "ytd" else month
    return (first.a_year_earlier, last.a_year_earlier) if is_base else (first, last)
