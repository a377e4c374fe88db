"""A warehouse in memory for tests that state facts: `given` rows, or `filed` forms; then `build` a table.

Tables in tests are written with | between cells; everything after # is a remark. An empty cell is NULL. In
amounts of forms `..` is withheld, `—` not applicable and 0 a zero, as the reader records them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipelines.money import UNITS
from pipelines.periods import Month, parse_period
from pipelines.records import LINE_COLUMNS, ParsedFile
from pipelines.warehouse.build import build as build_table
from pipelines.warehouse.build import create_table
from pipelines.warehouse.connection import in_memory
from pipelines.warehouse.load import load_raw, load_reference
from pipelines.warehouse.sqlfiles import SCHEMAS, build_order, catalogue

DEFAULT_PARAMETERS = {"mode_profile": "wto_base", "services_source": "direct_report"}
FM2_FIELDS = {
    "item": "item_code",
    "partner": "partner_code",
    "export": "export",
    "export_ytd": "export_ytd",
    "import": "import",
    "import_ytd": "import_ytd",
    "export_remote": "export_remote_share_pct",
    "import_remote": "import_remote_share_pct",
    "related": "related_party_share_pct",
    "remark": "remark",
}
FM3_FIELDS = {
    "contract_no": "contract_no",
    "type": "outsourcing_type",
    "shore": "shore",
    "partner": "partner_code",
    "contract_amount": "contract_amount",
    "executed": "executed",
    "executed_cumulative": "executed_cumulative",
    "signed": "signed_date",
}
TEXT_FIELDS = frozenset({"contract_no", "remark", "indicator", "value_text", "evidence", "note"})
CODE_FIELDS = frozenset(
    {
        "item_code", "partner_code", "outsourcing_type", "shore", "currency_code", "mode", "flow", "unit",
        "department", "area", "is_provisional", "task_no", "task_status",
    }
)  # fmt: skip
PERIOD_FIELDS = frozenset({"month", "period", "year"})
DATE_FIELDS = frozenset({"day", "signed_date"})
_STATES = {"..": "withheld", "—": "not_applicable"}


@pytest.fixture(scope="session")
def reference_warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """One connection with the reference tables; the tests' own schemas come and go in it."""
    con = in_memory(threads=2)
    load_reference(con)
    yield con
    con.close()


@pytest.fixture
def con(reference_warehouse: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    yield reference_warehouse
    for schema in SCHEMAS:
        reference_warehouse.execute(f"drop schema if exists {schema} cascade")


def cells_of(text: str) -> list[dict[str, str]]:
    """The rows of a table written in a test."""
    lines = [line.split("#")[0].strip() for line in text.strip().splitlines()]
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in lines if line]
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture
def given(con: duckdb.DuckDBPyConnection) -> Callable[..., None]:
    """Put rows into a table of the catalogue; columns that are not written are NULL, or as in the keywords."""

    def put(table_name: str, text: str, **everywhere: object) -> None:
        table = catalogue()[table_name]
        if table.is_loaded:
            con.execute(f"create schema if not exists {table.schema}")
        create_table(con, table)
        types = {column.name: column.type for column in table.columns}
        for row in cells_of(text):
            values = {**{name: str(value) for name, value in everywhere.items()}, **row}
            unknown = set(values) - set(types)
            assert not unknown, f"{table_name} has no column {unknown}"
            placeholders = ", ".join(f"cast(${name} as {types[name]})" for name in values)
            con.execute(
                f"insert into {table_name} ({', '.join(values)}) values ({placeholders})",
                {name: value or None for name, value in values.items()},
            )

    return put


@pytest.fixture
def build(con: duckdb.DuckDBPyConnection) -> Callable[..., list[SimpleNamespace]]:
    """Compute one table for one month from what was given, and read its rows in their order.

    Tables that it reads and that were not given are empty. Keywords replace run parameters.
    """

    def compute(table_name: str, month: str | None = None, **parameters: str) -> list[SimpleNamespace]:
        table = catalogue()[table_name]
        for name in table.reads:
            if not name.startswith("reference."):
                con.execute(f"create schema if not exists {catalogue()[name].schema}")
                create_table(con, catalogue()[name])
        wanted = Month.parse(month) if month else None
        build_table(con, table_name, wanted, DEFAULT_PARAMETERS | parameters)
        return rows_of(con, table_name, month)

    return compute


@pytest.fixture
def rows(con: duckdb.DuckDBPyConnection) -> Callable[..., list[SimpleNamespace]]:
    """Rows of a built table in their order, those whose columns equal the keywords."""

    def select(table_name: str, month: str | None = None, **equal: object) -> list[SimpleNamespace]:
        return [
            row
            for row in rows_of(con, table_name, month)
            if all(getattr(row, name) == value for name, value in equal.items())
        ]

    return select


@pytest.fixture
def row(rows: Callable[..., list[SimpleNamespace]]) -> Callable[..., SimpleNamespace]:
    """The one row of a built table whose columns equal the keywords."""

    def select_one(table_name: str, month: str | None = None, **equal: object) -> SimpleNamespace:
        found = rows(table_name, month, **equal)
        assert len(found) == 1, f"{table_name} {equal}: {len(found)} rows"
        return found[0]

    return select_one


def rows_of(con: duckdb.DuckDBPyConnection, table_name: str, month: str | None) -> list[SimpleNamespace]:
    table = catalogue()[table_name]
    if month is not None and table.is_partitioned:
        cursor = con.execute(
            f"select * from {table_name} where month_start_date = $1", [Month.parse(month).start_date]
        )
    else:
        cursor = con.execute(f"select * from {table_name}")
    return [
        SimpleNamespace(**dict(zip(table.column_names, values, strict=True))) for values in cursor.fetchall()
    ]


class Bureau:
    """What was filed, and the whole warehouse computed from it: for facts that go through many tables."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.submissions: list[dict[str, Any]] = []
        self.enterprises: list[dict[str, Any]] = []
        self.return_cells: list[tuple[Any, ...]] = []
        self.department_cells: list[tuple[Any, ...]] = []
        self._sequence = itertools.count(1)

    def register(self, *enterprise_codes: str, district: str = "420111", since: str = "") -> None:
        for code in enterprise_codes:
            self.enterprises.append(
                {
                    "enterprise_code": code,
                    "enterprise_name": code,
                    "district_code": district,
                    "industry_code": "6510",
                    "from_month_start_date": Month.parse(since).start_date if since else None,
                    "to_month_start_date": None,
                }
            )

    def files(
        self,
        enterprise: str,
        period: str,
        services: str = "",
        outsourcing: str = "",
        *,
        unit: str = "USD",
        verdict: str = "accepted",
        is_zero: bool = False,
        is_late: bool = False,
    ) -> str:
        """One return: FM-2 rows (item, partner, export, import ...) and FM-3 rows; gives its submission id.

        Filed again for the same period it is the next version, and what is accepted last is in force.
        """
        parsed = parse_period(period)
        if enterprise not in {known["enterprise_code"] for known in self.enterprises}:
            self.register(enterprise)
        versions = [
            known
            for known in self.submissions
            if (known["enterprise_code"], known["period_start_date"], known["period_kind"])
            == (enterprise, parsed.first.start_date, parsed.kind)
        ]
        for known in versions:
            known["is_current"] = False
            if verdict == "accepted":
                known["is_current_accepted"] = False
        submission_id = self._submit(
            "return",
            verdict,
            enterprise_code=enterprise,
            period_start_date=parsed.first.start_date,
            period_kind=parsed.kind,
            month_start_date=parsed.last.start_date,
            version=len(versions) + 1,
            is_zero_return=is_zero,
            is_revision=bool(versions),
            is_late=is_late,
        )
        if services:
            self._sheet(self.return_cells, submission_id, "FM-2", "服务进出口", FM2_FIELDS, services, unit)
        if outsourcing:
            self._sheet(self.return_cells, submission_id, "FM-3", "服务外包", FM3_FIELDS, outsourcing, unit)
        return submission_id

    def shares(
        self,
        form_code: str,
        text: str,
        *,
        unit: str = "",
        period: str = "2020-12",
        department: str = "外汇局",
    ) -> str:
        """One departmental table; columns are the fields of its layout."""
        parsed = parse_period(period)
        submission_id = self._submit(
            "department",
            "accepted",
            department=department,
            period_start_date=parsed.first.start_date,
            period_kind=parsed.kind,
            month_start_date=parsed.last.start_date,
            version=1,
        )
        fields = {name: name for name in cells_of(text)[0]}
        self.department_cells.append(
            (submission_id, form_code, form_code, "head", 2, "B2", "reference_month", period, None, str(parsed),
             parsed.first.start_date, "value")
        )  # fmt: skip
        self._sheet(self.department_cells, submission_id, form_code, form_code, fields, text, unit)
        return submission_id

    def receives_department_table(self, parsed: ParsedFile) -> str:
        """A departmental table as the intake read it from a real file."""
        assert parsed.period is not None
        submission_id = self._submit(
            "department",
            "accepted",
            department=parsed.department,
            period_start_date=parsed.period.first.start_date,
            period_kind=parsed.period.kind,
            month_start_date=parsed.period.last.start_date,
            version=1,
        )
        self.department_cells.extend((submission_id, *cell) for cell in parsed.cells)
        return submission_id

    def receives_return(self, parsed: ParsedFile) -> str:
        """A return as the intake read it from a workbook, accepted; filed again for a period it is the next version."""
        assert parsed.period is not None
        if parsed.enterprise_code not in {known["enterprise_code"] for known in self.enterprises}:
            self.register(parsed.enterprise_code)
        for known in self.submissions:
            if (known["enterprise_code"], known["period_start_date"], known["period_kind"]) == (
                parsed.enterprise_code,
                parsed.period.first.start_date,
                parsed.period.kind,
            ):
                known["is_current"] = known["is_current_accepted"] = False
        submission_id = self._submit(
            "return",
            "accepted",
            enterprise_code=parsed.enterprise_code,
            period_start_date=parsed.period.first.start_date,
            period_kind=parsed.period.kind,
            month_start_date=parsed.period.last.start_date,
            version=1,
        )
        self.return_cells.extend((submission_id, *cell) for cell in parsed.cells)
        return submission_id

    def computes(self, *months: str, names: tuple[str, ...] | None = None, **parameters: str) -> None:
        """Load what was filed and compute every table up to the indicators, for these months in order."""
        wanted = [Month.parse(month) for month in months]
        all_months = sorted({Month.of(known["month_start_date"]) for known in self.submissions} | set(wanted))
        load_raw(
            self.con,
            self.submissions,
            self.enterprises,
            _arrow(self.return_cells),
            _arrow(self.department_cells),
            all_months,
        )
        wanted_names = names or tuple(
            name for name in catalogue() if name.split(".")[0] not in ("checks", "publication", "raw")
        )
        for name in build_order(wanted_names):
            if catalogue()[name].is_partitioned:
                for month in wanted:
                    build_table(self.con, name, month, DEFAULT_PARAMETERS | parameters)
            else:
                build_table(self.con, name, None, DEFAULT_PARAMETERS | parameters)

    def _submit(self, kind: str, verdict: str, **facts: Any) -> str:
        sequence = next(self._sequence)
        submission_id = f"{sequence:020x}"
        self.submissions.append(
            {
                "submission_id": submission_id,
                "sequence": sequence,
                "kind": kind,
                "enterprise_code": None,
                "department": None,
                "verdict": verdict,
                "status": verdict,
                "is_current": True,
                "is_current_accepted": verdict == "accepted",
                "is_zero_return": False,
                "is_revision": False,
                "supersedes_submission_id": None,
                "received_at": datetime(2020, 1, 1),
                "is_late": False,
                "sha256": submission_id,
                "file_name": f"{submission_id}.xlsx",
                **facts,
            }
        )
        return submission_id

    @staticmethod
    def _sheet(
        cells: list[tuple[Any, ...]],
        submission_id: str,
        form_code: str,
        sheet: str,
        fields: dict[str, str],
        text: str,
        unit: str,
    ) -> None:
        if unit:
            cells.append(
                (submission_id, form_code, sheet, "head", 3, "H3", "unit", UNITS[unit].label_zh, None, unit, None, "value")
            )  # fmt: skip
        for number, row in enumerate(cells_of(text), start=6):
            for column, (label, field) in enumerate(fields.items()):
                written = row.get(label, "")
                if written:
                    address = f"{chr(ord('A') + column)}{number}"
                    cells.append(
                        (submission_id, form_code, sheet, "row", number, address, field, written, *_read(field, written))
                    )  # fmt: skip


def _read(field: str, written: str) -> tuple[Decimal | None, str | None, date | None, str]:
    """number, code, day and state of a cell as the reader records them."""
    if field in TEXT_FIELDS:
        return None, None, None, "value"
    if field in CODE_FIELDS:
        return None, written, None, "value"
    if field in PERIOD_FIELDS:
        period = parse_period(written)
        return None, str(period), period.first.start_date, "value"
    if field in DATE_FIELDS:
        return None, None, date.fromisoformat(written), "value"
    if written in _STATES:
        return None, None, None, _STATES[written]
    number = Decimal(written.replace(",", ""))
    return number, None, None, "zero" if number == 0 else "value"


_ARROW_TYPES = {
    "string": pa.string(),
    "int32": pa.int32(),
    "decimal128(30, 10)": pa.decimal128(30, 10),
    "date32": pa.date32(),
}


def _arrow(cells: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*cells, strict=True)) if cells else [()] * len(LINE_COLUMNS)
    return pa.table(
        {
            name: pa.array(list(columns[index]), _ARROW_TYPES[kind])
            for index, (name, kind) in enumerate(LINE_COLUMNS)
        }
    )


@pytest.fixture
def bureau(con: duckdb.DuckDBPyConnection) -> Bureau:
    """A bureau that has received nothing yet."""
    return Bureau(con)


RATE_OF_SEVEN = "month | currency_code | rate | per\n" + "\n".join(
    f"{year}-{month:02d} | USD | 7 | 1" for year in (2018, 2019, 2020) for month in range(1, 13)
)


@pytest.fixture
def rates_of_seven(bureau: Bureau) -> None:
    """A dollar at seven yuan throughout, so that a test about something else can be followed in the head."""
    bureau.shares("DM-3", RATE_OF_SEVEN)
