"""Every SQL file keeps its contract and the subset of SQL that carries over to Spark.

sqlglot translates much that then means something else, without a word (decimal division, rounding of doubles,
ordered lists). So what the files may use is checked here, construct by construct.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel

from pipelines.paths import HOUSE_DIR, SQL_DIR
from pipelines.warehouse.sqlfiles import SqlTable, build_order, catalogue

TABLES = list(catalogue().values())
COMPUTED = [table for table in TABLES if not table.is_loaded]
by_name = pytest.mark.parametrize("table", COMPUTED, ids=lambda table: table.name)

# Layers in order: a table reads its own layer and those before it. `core` also serves the leaf-line test of
# `validated` (the classification), and the checks read whatever they judge.
LAYERS = ("raw", "validated", "core", "estimates", "indicators", "publication")
CLASSIFICATION = "core.item_ancestor"

FORBIDDEN: dict[str, type[exp.Expression] | tuple[type[exp.Expression], ...]] = {
    "PIVOT (Spark spells it otherwise)": exp.Pivot,
    "QUALIFY (differs beside ORDER BY): use row_number() in a subquery": exp.Qualify,
    "a lambda": exp.Lambda,
    "a list literal": (exp.Array, exp.List),
    "list_agg, list() or array_agg (order is not kept)": (exp.ArrayAgg, exp.GroupConcat),
    "a quantile": (exp.PercentileCont, exp.PercentileDisc, exp.Quantile, exp.ApproxQuantile, exp.Median),
    "unnest": (exp.Unnest, exp.Explode),
    "date_diff (counts boundaries, Spark counts days)": (exp.DateDiff, exp.TimestampDiff),
    "sampling": exp.TableSample,
}
# Figures are rounded once, where they are printed, and there as decimals. The facts that rules judge are ratios
# and medians of doubles, with thresholds far coarser than any rounding.
FORBIDDEN_BEFORE_PRINTING = {
    "round (doubles round differently): cast to a decimal": exp.Round,
    "avg (a double; differs for decimals): sum and divide as doubles": exp.Avg,
}
STATISTICS = ("raw", "validated", "core", "estimates", "indicators")
_FORBIDDEN_FUNCTIONS = {
    "columns", "list", "list_value", "strptime", "strftime", "date_part", "datepart", "generate_series", "range",
    "regexp_extract", "regexp_matches", "struct_pack", "random", "now", "today", "current_date",
}  # fmt: skip


@cache
def tree_of(table: SqlTable) -> exp.Expression:
    statements = sqlglot.parse(table.sql, dialect="duckdb")
    assert len(statements) == 1, f"{table.path}: {len(statements)} statements; one file is one SELECT"
    [statement] = statements
    assert statement is not None
    return statement


@by_name
def test_a_file_is_one_select(table: SqlTable) -> None:
    tree = tree_of(table)
    assert isinstance(tree, exp.Select | exp.SetOperation), f"{table.path}: holds {type(tree).__name__}"
    changing = list(tree.find_all(exp.Create, exp.Insert, exp.Update, exp.Delete, exp.Drop, exp.Command))
    assert changing == []


def test_only_loaded_tables_hold_a_definition() -> None:
    for table in TABLES:
        assert table.is_loaded == table.sql.lower().startswith("create table"), table.path


def offences(tree: exp.Expression, schema: str) -> list[str]:
    """What a query uses that Spark refuses or, worse, reads differently."""
    found = []
    forbidden = FORBIDDEN | (FORBIDDEN_BEFORE_PRINTING if schema in STATISTICS else {})
    for what, kinds in forbidden.items():
        nodes = tree.find_all(*(kinds if isinstance(kinds, tuple) else (kinds,)))
        found += [f"{what}: {node.sql('duckdb')[:80]}" for node in nodes]
    for star in tree.find_all(exp.Star):
        if any(star.args.get(name) for name in ("except_", "except", "replace")):
            found.append("a star with EXCLUDE or REPLACE: name the columns")
    for function in tree.find_all(exp.Func):
        name = function.name if isinstance(function, exp.Anonymous) else function.sql_name()
        if name.lower() in _FORBIDDEN_FUNCTIONS:
            found.append(f"the function {name.lower()}")
    for join in tree.find_all(exp.Join):
        if (join.method or "").upper() in ("ASOF", "POSITIONAL"):
            found.append(f"{join.method} join")
    for union in tree.find_all(exp.Union):
        if union.args.get("by_name"):
            found.append("UNION BY NAME")
    for window in tree.find_all(exp.Window):
        if isinstance(window.this, exp.Filter):
            found.append("FILTER in a window: put a CASE inside")
    for aggregate in tree.find_all(exp.AggFunc):
        if isinstance(aggregate.this, exp.Order):
            found.append("an aggregate with ORDER BY")
    return found


@by_name
def test_nothing_is_used_that_spark_reads_differently(table: SqlTable) -> None:
    assert offences(tree_of(table), table.schema) == [], table.path


@pytest.mark.parametrize(
    "query",
    [
        "pivot t on a using sum(b)",
        "from t select * qualify row_number() over (partition by a order by b) = 1",
        "select list_transform(a, lambda x: x + 1) from t",
        "select [1, 2]",
        "select list(a order by b) from t",
        "select array_agg(a) from t",
        "select string_agg(a, ',') from t",
        "select quantile_cont(a, 0.5) from t",
        "select median(a) from t",
        "select unnest(generate_series(date '2020-01-01', date '2020-12-01', interval 1 month))",
        "select date_diff('month', a, b) from t",
        "select avg(amount_usd) from t",
        "select round(amount_usd, 2) from t",
        "select * replace (1 as a) from t",
        "select * exclude (a) from t",
        "select columns('a.*') from t",
        "from t asof join u on t.a >= u.a",
        "select 1 as a union by name select 2 as a",
        "select sum(a) filter (where b) over (partition by c) from t",
        "select today()",
    ],
)
def test_the_lint_sees_what_does_not_carry_over(query: str) -> None:
    assert offences(sqlglot.parse_one(query, dialect="duckdb"), "core") != []


def _is_double(node: exp.Expression) -> bool:
    """Whether a divisor or dividend is plainly a double: cast to one, or built from casts to one."""
    node = node.unnest()
    if isinstance(node, exp.Cast):
        return node.to.this in (exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT)
    if isinstance(node, exp.Nullif | exp.Coalesce):
        return _is_double(node.this)
    if isinstance(node, exp.Mul | exp.Add | exp.Sub | exp.Div):
        return _is_double(node.left) or _is_double(node.right)
    return False


@by_name
def test_division_is_of_doubles_said_so_and_never_by_a_possible_zero(table: SqlTable) -> None:
    for division in tree_of(table).find_all(exp.Div):
        text = f"{table.path}: {division.sql('duckdb')[:120]}"
        divisor = division.right.unnest()
        if table.schema == "checks":
            continue
        if isinstance(divisor, exp.Literal):
            continue  # by a constant
        known_double = _is_double(division.left) or _is_double(divisor) or _column_is_double(division, table)
        assert known_double, f"{text}: cast both sides to double; decimal division differs between engines"
        safe = isinstance(divisor, exp.Nullif) or _is_count(divisor) or _is_guarded(divisor)
        assert safe, f"{text}: put the divisor into nullif(…, 0)"


def _is_count(node: exp.Expression) -> bool:
    """count(*) of a group is never zero; so is a cast of it."""
    node = node.unnest()
    return isinstance(node, exp.Count) or (isinstance(node, exp.Cast) and _is_count(node.this))


def _is_guarded(node: exp.Expression) -> bool:
    """Divisors that are positive by definition: units, coalesce(…, 1), a difference guarded by where."""
    text = node.sql("duckdb").lower()
    return (
        "unit_multiplier" in text
        or ", 1)" in text
        or "base_year" in text
        or "base_value" in text
        or ("cny_per_unit" in text)
    )


def _column_is_double(division: exp.Expression, table: SqlTable) -> bool:
    """Columns of double that this file reads or makes: *_pct and values of published figures."""
    names = {column.name.lower() for column in division.find_all(exp.Column)}
    return bool(names) and all(
        re.fullmatch(r"value|amount|unit_multiplier|base_value|.*_pct", name) for name in names
    )


@by_name
def test_the_query_reads_just_the_tables_that_its_header_names(table: SqlTable) -> None:
    tree = tree_of(table)
    named_here = {cte.alias for cte in tree.find_all(exp.CTE)}
    read = {
        f"{node.db}.{node.name}"
        for node in tree.find_all(exp.Table)
        if node.db or node.name not in named_here
    }
    assert read == set(table.reads), f"{table.path}: make “-- reads:” {', '.join(sorted(read))}"


@by_name
def test_the_query_binds_just_the_parameters_of_its_header(table: SqlTable) -> None:
    bound = {node.name for node in tree_of(table).find_all(exp.Parameter)} | {
        node.name for node in tree_of(table).find_all(exp.Placeholder)
    }
    assert bound == {parameter.name for parameter in table.params}, table.path


@by_name
def test_columns_come_in_the_order_of_the_header_and_rows_in_an_order_of_their_own(table: SqlTable) -> None:
    tree = tree_of(table)
    assert [column.alias_or_name for column in tree.selects] == list(table.column_names), table.path
    assert tree.args.get("order") is not None, (
        f"{table.path}: end with ORDER BY, or the order of rows is chance"
    )


@by_name
def test_the_query_parses_in_duckdb_and_carries_over_to_spark(table: SqlTable) -> None:
    [spark] = sqlglot.transpile(table.sql, read="duckdb", write="spark", unsupported_level=ErrorLevel.RAISE)
    assert sqlglot.parse_one(spark, dialect="spark") is not None


@by_name
def test_a_table_reads_its_own_layer_or_one_before_it(table: SqlTable) -> None:
    if table.schema == "checks":
        return
    for name in table.reads:
        schema = name.partition(".")[0]
        if schema == "reference" or name == CLASSIFICATION:
            continue
        assert LAYERS.index(schema) <= LAYERS.index(table.schema), (
            f"{table.path}: reads {name} of a later layer"
        )


@pytest.mark.parametrize(
    "table",
    [table for table in COMPUTED if table.schema in ("validated", "core", "estimates", "indicators")],
    ids=lambda table: table.name,
)
def test_every_statistic_has_a_page_that_explains_it(table: SqlTable) -> None:
    assert table.method, f"{table.path}: name its page in a “-- method:” line"
    page = HOUSE_DIR / table.method
    assert page.is_file(), f"{table.path}: {table.method} is not there"
    assert f"`{table.name}`" in page.read_text(encoding="utf-8"), (
        f"{table.method}: says nothing of `{table.name}`"
    )


def test_every_method_page_is_the_page_of_some_table() -> None:
    used = {table.method for table in TABLES if table.method}
    pages = {str(page.relative_to(HOUSE_DIR)) for page in (HOUSE_DIR / "docs" / "methods").glob("*.md")}
    assert pages - {"docs/methods/README.md"} <= used


def test_money_is_declared_as_decimal_everywhere() -> None:
    for table in TABLES:
        if table.schema not in STATISTICS:
            continue
        for column in table.columns:
            if re.search(r"amount|_usd$|_cny$|revenue|executed(?!_)", column.name) and not re.search(
                r"_text|_state|_cell|_id$|_pct|is_|_count|_code|_zh|_en", column.name
            ):
                assert column.type.startswith("decimal"), f"{table.path}: {column.name} is {column.type}"


def columns_that_give_the_value(node: exp.Expression) -> Iterator[exp.Column]:
    """Columns of an expression, less those that only decide (conditions of CASE and FILTER): those may count rows."""
    if isinstance(node, exp.Column):
        yield node
    for name, argument in node.args.items():
        if (isinstance(node, exp.If) and name == "this") or isinstance(node, exp.Where):
            continue
        for part in argument if isinstance(argument, list) else [argument]:
            if isinstance(part, exp.Expression):
                yield from columns_that_give_the_value(part)


def test_no_sum_turns_silence_into_zero() -> None:
    for table in COMPUTED:
        if table.schema not in STATISTICS:
            continue
        for node in tree_of(table).find_all(exp.Coalesce):
            fallback = node.expressions[-1] if node.expressions else None
            is_zero = isinstance(fallback, exp.Literal) and fallback.this == "0"
            subject = node.this.sql("duckdb").lower()
            is_money = any(
                re.search(r"amount|_usd|_cny|value", column.name)
                for column in columns_that_give_the_value(node.this)
            )
            if is_zero and is_money:
                assert table.name in ZERO_IS_MEANT, (
                    f"{table.path}: coalesce({subject}, 0) turns silence into zero"
                )


# Where an amount is truly zero when no row exists: a mode to which nothing of a known total was allocated.
# So is a mode for which a survey that is complete otherwise does not ask: estimates.mode_share takes no survey in
# which a mode that it does ask for is withheld or missing.
# So is the new contract value of a month in which every listed contract was signed earlier: indicators.outsourcing.
ZERO_IS_MEANT = {"indicators.trade_by_mode", "estimates.mode_share", "indicators.outsourcing"}


def test_no_sql_is_left_outside_the_catalogue() -> None:
    known = {table.path for table in TABLES}
    found = set(SQL_DIR.rglob("*.sql"))
    assert found == known, "a SQL file in a folder that is no layer: move it or add the layer"


def test_the_order_of_building_is_the_same_every_time_and_complete() -> None:
    order = build_order()
    assert order == build_order()
    assert set(order) == {table.name for table in COMPUTED}
    place = {name: index for index, name in enumerate(order)}
    for table in COMPUTED:
        for name in table.reads:
            if name in place:
                assert place[name] < place[table.name], f"{table.name} is built before {name}"
