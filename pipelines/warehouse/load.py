"""The way into the warehouse: reference tables, the ledger's submissions and register, and cells from the lines.

Rows are taken as they are; nothing is computed, judged or dropped here but what belongs to another month.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.ledger import Ledger
from pipelines.money import UNITS
from pipelines.paths import REFERENCE_DIR, SQL_DIR
from pipelines.periods import Month
from pipelines.records import FileKind
from pipelines.stores import Lines
from pipelines.warehouse.build import create_table
from pipelines.warehouse.sqlfiles import LOADED_TABLES, SqlTable, catalogue

UNITS_TABLE = "reference.units"

COLUMNS_FILE = "columns.csv"  # declares the type of every column of every reference table
_INCOMING = "incoming_rows"
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
_ARROW_TYPES: dict[str, pa.DataType] = {
    "varchar": pa.string(),
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


class ReferenceTableBroken(RuntimeError):
    """A reference CSV cannot be loaded; the text names file, column, value and remedy, for its keeper."""


def load_reference(con: duckdb.DuckDBPyConnection, reference_dir: Path = REFERENCE_DIR) -> dict[str, int]:
    """Load every CSV of `sql/reference/` into schema reference, and the declared units; rows by table name.

    Types are those that `columns.csv` declares, text where it declares none.

    An empty field is NULL. Raises ReferenceTableBroken for a value that is not of its column's type.
    """
    con.execute("create schema if not exists reference")
    row_counts = {}
    with (reference_dir / COLUMNS_FILE).open(encoding="utf-8", newline="") as file:
        type_of = {(row["file"], row["column_name"]): row["column_type"] for row in csv.DictReader(file)}
    with _transaction(con):
        for path in sorted(reference_dir.glob("*.csv")):
            row_counts[f"reference.{path.stem}"] = _load_csv(con, path, type_of)
        row_counts[UNITS_TABLE] = _load_units(con)
    return row_counts


def _load_csv(con: duckdb.DuckDBPyConnection, path: Path, type_of: Mapping[tuple[str, str], str]) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        rows = list(reader)
    for name in (path.stem, *header):
        if _IDENTIFIER.fullmatch(name) is None:
            raise ReferenceTableBroken(f"{path}: {name!r} is not a name like item_code; rename it")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise ReferenceTableBroken(
                f"{path}: line {number} has {len(row)} fields, the header {len(header)}; quote the commas"
            )
    texts = pa.table(
        {
            name: pa.array([row[index] or None for row in rows], pa.string())
            for index, name in enumerate(header)
        }
    )
    typed = ", ".join(
        f"cast({name} as {type_of.get((path.name, name), 'varchar')}) as {name}" for name in header
    )
    with _registered(con, texts) as view:
        try:
            con.execute(f"create or replace table reference.{path.stem} as select {typed} from {view}")  # noqa: S608 - names checked above
        except duckdb.ConversionException as error:
            raise ReferenceTableBroken(f"{path}: {error}. Correct the value or the column's name.") from error
    return len(rows)


def _load_units(con: duckdb.DuckDBPyConnection) -> int:
    """The units of pipelines.money as a table, so that SQL and the reader mean the same by 万美元."""
    units = list(UNITS.values())
    table = pa.table(
        {
            "unit_code": [unit.code for unit in units],
            "label_zh": [unit.label_zh for unit in units],
            "label_en": [unit.label_en for unit in units],
            "currency_code": [unit.currency_code for unit in units],
            "unit_multiplier": pa.array([unit.multiplier for unit in units], pa.int64()),
        }
    )
    with _registered(con, table) as view:
        con.execute(f"create or replace table {UNITS_TABLE} as select * from {view}")  # noqa: S608 - constants
    return len(units)


def create_raw_tables(con: duckdb.DuckDBPyConnection, sql_dir: Path = SQL_DIR) -> None:
    """Create the tables that Python fills, as their SQL files define them, where they are not there yet."""
    for name in LOADED_TABLES:
        table = catalogue(sql_dir)[name]
        con.execute(f"create schema if not exists {table.schema}")
        con.execute(table.sql)
        create_table(con, table)  # compares an older file's columns


def load_raw(
    con: duckdb.DuckDBPyConnection,
    submissions: pa.Table | Iterable[Any],
    enterprises: pa.Table | Iterable[Any],
    return_cells: pa.Table,
    department_cells: pa.Table,
    months: Iterable[Month],
) -> None:
    """Fill the raw tables from what is at hand: how the door judges files that the ledger has not seen yet.

    `submissions` and `enterprises` are Arrow tables, mappings or objects with the columns of raw.submission
    and raw.enterprise as names; they replace what is there. Cells are tables of records.LINE_COLUMNS; those
    of returns replace the cells of `months`, and the month of a cell is that of its submission.
    """
    create_raw_tables(con)
    with _transaction(con):
        con.execute("delete from raw.submission")
        _insert(con, "raw.submission", submissions)
        con.execute("delete from raw.enterprise")
        _insert(con, "raw.enterprise", enterprises)
        _replace_return_cells(con, return_cells, list(months))
        _replace_department_cells(con, department_cells)


def append_returns(
    con: duckdb.DuckDBPyConnection, submissions: pa.Table | Iterable[Any], return_cells: pa.Table
) -> None:
    """Add returns and their cells to what is there and replace nothing; shapes as for `load_raw`."""
    table = catalogue()["raw.return_cell"]
    columns = [name for name in table.column_names if name != "month_start_date"]
    with _transaction(con):
        _insert(con, "raw.submission", submissions)
        with _registered(con, return_cells.select(columns)) as view:
            con.execute(
                "insert into raw.return_cell "  # noqa: S608 - names out of our own catalogue
                f"select submission.month_start_date, {', '.join(f'cell.{name}' for name in columns)} "
                f"from {view} as cell inner join raw.submission as submission using (submission_id) "
                "where submission.kind = $1",
                [FileKind.RETURN.value],
            )


def load_register(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> int:
    """raw.enterprise from the ledger, whole; rows loaded."""
    create_raw_tables(con)
    with _transaction(con):
        con.execute("delete from raw.enterprise")
        return _insert(con, "raw.enterprise", ledger.enterprises())


def load_returns(con: duckdb.DuckDBPyConnection, ledger: Ledger, lines: Lines, month: Month) -> int:
    """Every return counted in a month, each version, with its cells; cells loaded.

    A closed month is loaded as it stood at its closing. A file whose period or enterprise could not be read is in
    no month and stays in the ledger only.
    """
    create_raw_tables(con)
    submissions = ledger.counted_submissions(month)
    cells = lines.read({one.submission_id: one.lines_file for one in submissions})
    with _transaction(con):
        con.execute(
            "delete from raw.submission where kind = $1 and month_start_date = $2",
            [FileKind.RETURN.value, month.start_date],
        )
        _insert(con, "raw.submission", submissions)
        return _replace_return_cells(con, cells, [month])


def load_departments(con: duckdb.DuckDBPyConnection, ledger: Ledger, lines: Lines) -> int:
    """Every departmental table, each version, with its cells, and which months are closed; cells loaded.

    With each closed month go the tables that were in force at its closing. Rows carry periods of their own: which
    table a row counts from is decided row by row in SQL.
    """
    create_raw_tables(con)
    submissions = ledger.submissions(kind=FileKind.DEPARTMENT)
    cells = lines.read({one.submission_id: one.lines_file for one in submissions})
    with _transaction(con):
        con.execute("delete from raw.submission where kind = $1", [FileKind.DEPARTMENT.value])
        _insert(con, "raw.submission", submissions)
        con.execute("delete from raw.month_closing")
        _insert(
            con,
            "raw.month_closing",
            [
                {
                    "month_start_date": standing.month.start_date,
                    "closed_sequence": standing.closed_sequence if standing.is_frozen else None,
                }
                for standing in ledger.months.touched()
                if standing.closed_sequence is not None
            ],
        )
        con.execute("delete from raw.department_at_closing")
        _insert(
            con,
            "raw.department_at_closing",
            [
                {"month_start_date": month.start_date, "submission_id": submission_id}
                for month, submission_ids in ledger.departments_at_closings().items()
                for submission_id in submission_ids
            ],
        )
        return _replace_department_cells(con, cells)


def load_month(con: duckdb.DuckDBPyConnection, ledger: Ledger, lines: Lines, month: Month) -> int:
    """All that one month needs from the stores: register, departmental tables, the month's returns."""
    return load_months(con, ledger, lines, [month])


def load_months(con: duckdb.DuckDBPyConnection, ledger: Ledger, lines: Lines, months: Iterable[Month]) -> int:
    """As `load_month` for several months, register and departmental tables once; cells of returns loaded."""
    load_register(con, ledger)
    load_departments(con, ledger, lines)
    return sum(load_returns(con, ledger, lines, month) for month in months)


def _replace_return_cells(con: duckdb.DuckDBPyConnection, cells: pa.Table, months: list[Month]) -> int:
    table = catalogue()["raw.return_cell"]
    columns = [name for name in table.column_names if name != "month_start_date"]
    con.execute(
        "delete from raw.return_cell where list_contains($1, month_start_date)",
        [[month.start_date for month in months]],
    )
    with _registered(con, cells.select(columns)) as view:
        inserted = con.execute(
            "insert into raw.return_cell "  # noqa: S608 - names out of our own catalogue
            f"select submission.month_start_date, {', '.join(f'cell.{name}' for name in columns)} "
            f"from {view} as cell inner join raw.submission as submission using (submission_id) "
            "where submission.kind = $1 and list_contains($2, submission.month_start_date)",
            [FileKind.RETURN.value, [month.start_date for month in months]],
        ).fetchone()
    return int(inserted[0]) if inserted else 0


def _replace_department_cells(con: duckdb.DuckDBPyConnection, cells: pa.Table) -> int:
    con.execute("delete from raw.department_cell")
    columns = list(catalogue()["raw.department_cell"].column_names)
    with _registered(con, cells.select(columns)) as view:
        inserted = con.execute(
            "insert into raw.department_cell "  # noqa: S608 - names out of our own catalogue
            f"select {', '.join(columns)} from {view}"
        ).fetchone()
    return int(inserted[0]) if inserted else 0


def _insert(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table | Iterable[Any]) -> int:
    table = catalogue()[name]
    arrow = rows if isinstance(rows, pa.Table) else _arrow_table(table, rows)
    with _registered(con, arrow) as view:
        inserted = con.execute(
            f"insert into {name} select {', '.join(table.column_names)} from {view}"  # noqa: S608 - as above
        ).fetchone()
    return int(inserted[0]) if inserted else 0


def _arrow_table(table: SqlTable, rows: Iterable[Any]) -> pa.Table:
    """Objects or mappings as an Arrow table with the columns of the header. The ledger's '' is NULL here."""
    values: dict[str, list[Any]] = {column.name: [] for column in table.columns}
    for row in rows:
        for name, cells in values.items():
            value = row[name] if isinstance(row, Mapping) else getattr(row, name)
            if isinstance(value, datetime) and value.tzinfo is not None:
                value = value.astimezone(UTC).replace(tzinfo=None)
            cells.append(None if value == "" else value)
    return pa.table(
        {column.name: pa.array(values[column.name], _ARROW_TYPES[column.type]) for column in table.columns}
    )


@contextmanager
def _registered(con: duckdb.DuckDBPyConnection, table: pa.Table) -> Iterator[str]:
    """An Arrow table under a name that SQL can read. After an error the name goes with the transaction:
    inside a failed one nothing more can be asked of DuckDB 2."""
    con.register(_INCOMING, table)
    yield _INCOMING
    con.unregister(_INCOMING)


@contextmanager
def _transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    con.execute("begin transaction")
    try:
        yield
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        con.unregister(_INCOMING)
        raise
