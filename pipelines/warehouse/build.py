"""Computing one table for one month in one transaction.

What the table is stands in its SQL file; nothing is computed in Python here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines.paths import SQL_DIR
from pipelines.periods import Month
from pipelines.settings import Settings
from pipelines.warehouse.sqlfiles import (
    MONTH_PARAMETER,
    SqlColumn,
    SqlContractError,
    SqlTable,
    build_order,
    catalogue,
)

# Below this many months sharing them out costs more than it saves.
_FEWEST_MONTHS_SHARED = 4


class BuildFailed(RuntimeError):
    """A table could not be computed; nothing of it changed. The text names the file and the month."""


class WarehouseOutdated(RuntimeError):
    """The warehouse file was made by another version of the SQL; it is a cache and must be rebuilt."""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What one build did: rows written for the month (or for the whole table if it has no months)."""

    table_name: str
    month: Month | None
    row_count: int


def run_parameters(settings: Settings) -> dict[str, str]:
    """The parameters that a bureau sets, as queries bind them."""
    return {"mode_profile": settings.mode_profile, "services_source": settings.services_source}


def build(
    con: duckdb.DuckDBPyConnection,
    table_name: str,
    month: Month | None,
    params: Mapping[str, Any],
    *,
    sql_dir: Path = SQL_DIR,
) -> BuildResult:
    """Compute one table: all its rows of `month`, or all its rows where it is not kept by month.

    Old rows are replaced in the same transaction, so a reader sees the month as it was or as it is, and an
    error leaves it as it was. `params` may hold more than the query asks for. Raises SqlContractError when the
    query does not return what its header promises, BuildFailed when DuckDB refuses.
    """
    [result] = build_together(con, [(table_name, month)], params, sql_dir=sql_dir)
    return result


def build_together(
    con: duckdb.DuckDBPyConnection,
    builds: Iterable[tuple[str, Month | None]],
    params: Mapping[str, Any],
    *,
    sql_dir: Path = SQL_DIR,
    are_there: bool = False,
) -> list[BuildResult]:
    """Compute tables, each for the month beside it, in the order given and in one transaction.

    For many small tables, where a commit for each would cost as much as computing it. `are_there` says that
    the tables were created in this connection (`create_table`), so that they need not be looked for again.
    Raises as `build`; after an error all are as they were.
    """
    wanted: list[tuple[SqlTable, Month | None]] = []
    for table_name, month in builds:
        table = _table(table_name, sql_dir)
        if table.is_partitioned and month is None:
            raise ValueError(f"{table_name} is kept by month: say which")
        wanted.append((table, month if table.is_partitioned else None))
    return _replace(con, wanted, params, are_there)


def build_months(
    con: duckdb.DuckDBPyConnection,
    table_name: str,
    months: Iterable[Month],
    params: Mapping[str, Any],
    *,
    workers: int = 1,
    sql_dir: Path = SQL_DIR,
) -> list[BuildResult]:
    """Compute one table for several months, in the order of the months; a table without months once.

    For backfills: one commit in place of one a month. With `workers` the months are shared out to as many
    threads, each with a cursor and a transaction of its own: a month's queries are too small for DuckDB to
    spread one over the cores. An error leaves every share as it was or whole. Raises as `build`.
    """
    table = _table(table_name, sql_dir)
    wanted: list[Month | None] = [None]
    if table.is_partitioned:
        wanted = [*sorted(set(months))]
    if workers < 2 or len(wanted) < _FEWEST_MONTHS_SHARED:
        return _replace(con, [(table, month) for month in wanted], params, are_there=False)
    _prepare(con, table, _bound(table, wanted[0], params))
    size = -(-len(wanted) // workers)
    shares = [wanted[start : start + size] for start in range(0, len(wanted), size)]
    [(threads,)] = con.execute("select current_setting('threads')").fetchall()
    con.execute("set threads = 1")
    try:
        with ThreadPoolExecutor(len(shares), thread_name_prefix="build") as pool:
            done = pool.map(
                lambda share: _replace(
                    con.cursor(), [(table, month) for month in share], params, are_there=True
                ),
                shares,
            )
            return [result for results in done for result in results]
    finally:
        con.execute(f"set threads = {int(threads)}")


def _replace(
    con: duckdb.DuckDBPyConnection,
    wanted: Sequence[tuple[SqlTable, Month | None]],
    params: Mapping[str, Any],
    are_there: bool,
) -> list[BuildResult]:
    """Replace the rows of these tables and months (None: all rows) in one transaction, in the order given."""
    results: list[BuildResult] = []
    place = ""
    try:
        prepared: set[str] = set()
        for table, month in wanted:
            if table.name not in prepared:
                place = f"{table.path}: {month or 'whole table'}"
                _prepare(con, table, _bound(table, month, params), is_there=are_there)
                prepared.add(table.name)
        con.execute("begin transaction")
        try:
            for table, month in wanted:
                place = f"{table.path}: {month or 'whole table'}"
                bound = _bound(table, month, params)
                if month is None:
                    con.execute(f"delete from {table.name}")  # noqa: S608 - a name out of our own catalogue
                else:
                    con.execute(
                        f"delete from {table.name} where {MONTH_PARAMETER} = $1",  # noqa: S608 - as above
                        [month.start_date],
                    )
                inserted = con.execute(f"insert into {table.name}\n{table.sql}", bound).fetchone()
                results.append(BuildResult(table.name, month, int(inserted[0]) if inserted else 0))
            con.execute("commit")
        except BaseException:
            con.execute("rollback")
            raise
    except duckdb.Error as error:
        raise BuildFailed(f"{place}: {error}") from error
    return results


def build_all(
    con: duckdb.DuckDBPyConnection,
    months: Iterable[Month],
    params: Mapping[str, Any],
    *,
    names: Iterable[str] | None = None,
    sql_dir: Path = SQL_DIR,
) -> list[BuildResult]:
    """Tables in order, each for all the months before the next table is begun.

    Table by table and not month by month, because growth reads a year earlier and contracts read the past.
    """
    wanted = list(months)
    return [
        result
        for name in build_order(names, sql_dir)
        for result in build_months(con, name, wanted, params, sql_dir=sql_dir)
    ]


def describe(
    con: duckdb.DuckDBPyConnection, table: SqlTable, bound: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    """Columns and types (lower case) that the query returns, without running it."""
    rows = con.execute(f"describe {table.sql}", dict(bound)).fetchall()
    return tuple((name, kind.lower()) for name, kind, *_ in rows)


def _table(table_name: str, sql_dir: Path) -> SqlTable:
    table = catalogue(sql_dir).get(table_name)
    if table is None:
        raise SqlContractError(
            f"{table_name}: no such table; there is no sql/{table_name.replace('.', '/')}.sql. Correct the name."
        )
    if table.is_loaded:
        raise SqlContractError(
            f"{table.path}: {table_name} is loaded from the stores, not computed; use warehouse.load"
        )
    return table


def _bound(table: SqlTable, month: Month | None, params: Mapping[str, Any]) -> dict[str, Any]:
    """Exactly the parameters that the query names: DuckDB refuses one too many as well as one too few."""
    available: dict[str, Any] = dict(params)
    if month is not None:
        available[MONTH_PARAMETER] = month.start_date
    missing = [parameter.name for parameter in table.params if parameter.name not in available]
    if missing:
        raise ValueError(f"{table.name} needs the parameter {', '.join(missing)}; see run_parameters()")
    bound = {parameter.name: available[parameter.name] for parameter in table.params}
    for parameter in table.params:
        if parameter.type == "date" and not isinstance(bound[parameter.name], date):
            raise TypeError(f"{table.name}: {parameter.name} is a date, not {bound[parameter.name]!r}")
    return bound


# Queries whose result has been compared with their header in this process. Types depend on
# the columns read, which are compared too, so once is enough and twenty-four months need not pay for it.
_compared: set[tuple[str, str, tuple[SqlColumn, ...]]] = set()


def _prepare(
    con: duckdb.DuckDBPyConnection, table: SqlTable, bound: Mapping[str, Any], *, is_there: bool = False
) -> None:
    """Compare header and query, and have the table there with the header's columns."""
    contract = (table.name, table.sql, table.columns)
    if contract not in _compared:
        _compare_with_header(table, describe(con, table, bound))
        _compared.add(contract)
    if not is_there:
        create_table(con, table)


def create_table(con: duckdb.DuckDBPyConnection, table: SqlTable) -> None:
    """Create the table with the columns of its header unless it is there.

    Raises WarehouseOutdated when it is there with other columns.
    """
    promised = tuple((column.name, column.type) for column in table.columns)
    try:
        present = tuple(
            (name, kind.lower()) for name, kind, *_ in con.execute(f"describe {table.name}").fetchall()
        )
    except duckdb.CatalogException:
        present = ()
    if present == promised:
        return
    if present:
        raise WarehouseOutdated(
            f"{table.name}: the warehouse holds it with other columns than {table.path.name} has now. The "
            f"warehouse is a cache: delete it or run `servtrade rebuild`."
        )
    columns = ", ".join(f"{name} {kind}" for name, kind in promised)
    con.execute(f"create schema if not exists {table.schema}")
    con.execute(f"create table {table.name} ({columns})")


def _compare_with_header(table: SqlTable, returned: tuple[tuple[str, str], ...]) -> None:
    promised = tuple((column.name, column.type) for column in table.columns)
    if returned == promised:
        return
    for index, (name, kind) in enumerate(promised):
        if index >= len(returned):
            raise SqlContractError(
                f"{table.path}: header lists {name}, query returns no such column. Add it or strike the line."
            )
        if returned[index][0] != name:
            raise SqlContractError(
                f"{table.path}: header lists {name}, query returns {returned[index][0]}. Rename one."
            )
        if returned[index][1] != kind:
            raise SqlContractError(
                f"{table.path}: header says {name} is {kind}, query returns {returned[index][1]}. Cast it or "
                f"correct the header."
            )
    raise SqlContractError(
        f"{table.path}: query returns {returned[len(promised)][0]}, which the header does not list. Add a "
        f"“-- column:” line."
    )
