"""SQL files as contracts: what a table is called, what it reads, which parameters and columns it has.

Parsing and ordering only; running them is `build`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipelines.paths import SQL_DIR

SCHEMAS = ("raw", "validated", "core", "estimates", "indicators", "checks", "publication")
# Tables that Python fills; their files hold the `create table` and nothing computes them.
LOADED_TABLES = (
    "raw.submission",
    "raw.enterprise",
    "raw.return_cell",
    "raw.department_cell",
    "raw.month_closing",
    "raw.department_at_closing",
)
REFERENCE_SCHEMA = "reference"
MONTH_PARAMETER = "month_start_date"
PARAMETERS = (MONTH_PARAMETER, "mode_profile", "services_source")

_HEADER_LINE = re.compile(r"--\s(?P<key>[a-z]+):\s+(?P<text>.*\S)\s*$")
_TABLE_NAME = re.compile(r"[a-z]+\.[a-z][a-z0-9_]*")
_KEYS = frozenset({"table", "title", "grain", "reads", "param", "column", "method"})


class SqlContractError(RuntimeError):
    """A SQL file breaks its contract; the text names the file, the thing and the remedy, for a developer."""


@dataclass(frozen=True, slots=True)
class SqlColumn:
    """One column of a table: its DuckDB type in lower case, and what it holds."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class SqlParameter:
    """One bound parameter of a query."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class SqlTable:
    """One SQL file: a table, and how to compute it.

    `reads` are the tables the query reads, computed, loaded or reference. `method` is the page that explains
    it, relative to the project, or empty. `sql` is the body without the header.
    """

    name: str
    title_zh: str
    title_en: str
    grain: str
    reads: tuple[str, ...]
    params: tuple[SqlParameter, ...]
    columns: tuple[SqlColumn, ...]
    method: str
    sql: str
    path: Path

    @property
    def schema(self) -> str:
        """Layer of the warehouse: raw, validated, core ..."""
        return self.name.partition(".")[0]

    @property
    def is_loaded(self) -> bool:
        """Filled by `load`, not by a query."""
        return self.name in LOADED_TABLES

    @property
    def is_partitioned(self) -> bool:
        """Computed month by month; otherwise rebuilt whole."""
        return any(parameter.name == MONTH_PARAMETER for parameter in self.params)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def read_sql_file(path: Path) -> SqlTable:
    """Parse one file: a header of “-- key: text” lines up to the first other line, then the query.

    Raises SqlContractError where something is missing or misspelt.
    """
    found: dict[str, list[str]] = {key: [] for key in _KEYS}
    body_lines = []
    in_header = True
    for line in path.read_text(encoding="utf-8").splitlines():
        match = _HEADER_LINE.match(line) if in_header else None
        if match is None:
            in_header = False
            body_lines.append(line)
        elif match["key"] not in _KEYS:
            raise SqlContractError(
                f"{path}: header line “{match['key']}” is unknown; use {', '.join(sorted(_KEYS))}"
            )
        else:
            found[match["key"]].append(match["text"])
    for key in ("table", "title", "grain"):
        if len(found[key]) != 1:
            raise SqlContractError(f"{path}: needs exactly one “-- {key}:” line, has {len(found[key])}")
    name = found["table"][0]
    if _TABLE_NAME.fullmatch(name) is None or name.partition(".")[0] not in SCHEMAS:
        raise SqlContractError(
            f"{path}: table {name!r} is not schema.name with a schema of {', '.join(SCHEMAS)}"
        )
    if (path.parent.name, path.stem) != tuple(name.split(".")):
        raise SqlContractError(f"{path}: header says {name}; move the file to {name.replace('.', '/')}.sql")
    title_zh, separator, title_en = found["title"][0].partition(" / ")
    if not separator:
        raise SqlContractError(f"{path}: write the title as 中文 / English")
    if not found["column"]:
        raise SqlContractError(f"{path}: header lists no column")
    body = "\n".join(body_lines).strip()
    if not body:
        raise SqlContractError(f"{path}: holds no query below its header")
    return SqlTable(
        name=name,
        title_zh=title_zh.strip(),
        title_en=title_en.strip(),
        grain=found["grain"][0],
        reads=tuple(part.strip() for line in found["reads"] for part in line.split(",")),
        params=tuple(SqlParameter(*_cells(path, "param", line, 2)) for line in found["param"]),
        columns=tuple(SqlColumn(*_cells(path, "column", line, 3)) for line in found["column"]),
        method=found["method"][0] if found["method"] else "",
        sql=body,
        path=path,
    )


def _cells(path: Path, key: str, line: str, count: int) -> list[str]:
    cells = [cell.strip() for cell in line.split("|", count - 1)]
    if len(cells) != count or not all(cells):
        raise SqlContractError(f"{path}: “-- {key}: {line}” needs {count} parts separated by |")
    if key == "param" and cells[0] not in PARAMETERS:
        raise SqlContractError(
            f"{path}: parameter {cells[0]} is not one that runs bind; use {', '.join(PARAMETERS)}"
        )
    return cells


@lru_cache(maxsize=8)
def catalogue(sql_dir: Path = SQL_DIR) -> dict[str, SqlTable]:
    """Every table of the warehouse by name. Raises SqlContractError for a table that nobody defines."""
    tables = {
        table.name: table
        for schema in SCHEMAS
        for table in map(read_sql_file, sorted((sql_dir / schema).glob("*.sql")))
    }
    reference = {f"{REFERENCE_SCHEMA}.{path.stem}" for path in (sql_dir / REFERENCE_SCHEMA).glob("*.csv")}
    reference.add(f"{REFERENCE_SCHEMA}.units")  # from pipelines.money, see load.load_reference
    for table in tables.values():
        for name in table.reads:
            if name not in tables and name not in reference:
                raise SqlContractError(
                    f"{table.path}: reads {name}, but there is neither sql/{name.replace('.', '/')}.sql nor a "
                    f"reference table of that name. Correct the name in the header or add the file."
                )
    return tables


def build_order(names: Iterable[str] | None = None, sql_dir: Path = SQL_DIR) -> list[str]:
    """Computed tables in an order in which each comes after all it reads.

    With `names`, those tables and everything they need, nothing else. The order is the same on every
    machine. Raises SqlContractError for an unknown name or for a circle, naming the files in it.
    """
    tables = catalogue(sql_dir)
    order: list[str] = []
    done: set[str] = set()
    on_the_way: list[str] = []

    def visit(name: str) -> None:
        if name in done or name.startswith(f"{REFERENCE_SCHEMA}."):
            return
        if name in on_the_way:
            circle = [*on_the_way[on_the_way.index(name) :], name]
            files = " → ".join(f"sql/{member.replace('.', '/')}.sql" for member in circle)
            raise SqlContractError(f"tables read one another in a circle: {files}. Take one reads: away.")
        if name not in tables:
            raise SqlContractError(
                f"{name}: no such table; there is no sql/{name.replace('.', '/')}.sql. Correct the name."
            )
        on_the_way.append(name)
        for upstream in sorted(tables[name].reads):
            visit(upstream)
        on_the_way.pop()
        done.add(name)
        if not tables[name].is_loaded:
            order.append(name)

    for name in (
        sorted(tables, key=lambda each: (SCHEMAS.index(tables[each].schema), each))
        if names is None
        else names
    ):
        visit(name)
    return order


def downstream(names: Iterable[str], sql_dir: Path = SQL_DIR) -> list[str]:
    """Computed tables that read any of these tables, directly or not, in build order; reference tables too."""
    tables = catalogue(sql_dir)
    touched = set(names)
    order = []
    for name in build_order(sql_dir=sql_dir):
        if touched.intersection(tables[name].reads):
            touched.add(name)
            order.append(name)
    return order
