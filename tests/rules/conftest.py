"""A bureau in memory: returns as rows of the raw tables, the real fact queries, the real rules.

Returns are written as small tables; every figure has the cell it would have on the form, so that a test can say
at which cell a rule asks. The pivots from cells to rows are tested elsewhere; here they are given.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.findings import Finding
from pipelines.money import UNITS
from pipelines.paths import REFERENCE_DIR, SQL_DIR
from pipelines.periods import Month
from pipelines.validation.judge import judge
from pipelines.validation.rules import rule_book
from pipelines.warehouse.load import load_reference

ENTERPRISE = "91420100000000001Y"
OTHER_ENTERPRISE = "914201000000000022"

_HEADER_COLUMN = re.compile(r"-- column: ([a-z0-9_]+) \| ([a-z0-9(), ]+?) \|")
_STATES = {"..": "withheld", "—": "not_applicable"}
FIRST_DAYS = {"2020": date(2020, 1, 1), "2020-Q1": date(2020, 1, 1), "2020-M01-02": date(2020, 1, 1)}
FM2_COLUMNS = {
    "item": "A",
    "partner": "C",
    "export": "D",
    "export_ytd": "E",
    "import": "F",
    "import_ytd": "G",
}
FM2_SHARES = {"export_remote": "H", "import_remote": "I", "related": "J"}
FM3_COLUMNS = {"contract_amount": "E", "executed": "F", "executed_cumulative": "G"}
FORM_OF = {
    "affiliate": "raw.affiliate_line",
    "person_movement": "raw.person_movement_line",
    "digital_case": "raw.digital_case_line",
    "department": "raw.department_cell",
    "outsourcing": "raw.outsourcing_line",
    "technology": "raw.technology_contract_line",
    "tcm": "raw.tcm_service_line",
    "enterprise_profile": "raw.enterprise_profile",
    "service_trade": "raw.service_trade_line",
    "return_flow": "raw.service_trade_line",
}
GIVEN_TABLES = (
    "raw.submission",
    "raw.enterprise",
    "raw.return_cell",
    "raw.department_cell",
    "raw.service_trade_line",
    "raw.service_trade_total",
    "raw.outsourcing_line",
    "raw.outsourcing_total",
    "raw.enterprise_profile",
    "raw.affiliate_line",
    "raw.person_movement_line",
    "raw.digital_case_line",
    "raw.technology_contract_line",
    "raw.tcm_service_line",
    "core.exchange_rate",
    "core.item_ancestor",
)


@lru_cache
def header_columns(table: str) -> dict[str, str]:
    """Columns and types that a SQL file promises."""
    schema, name = table.split(".")
    text = (SQL_DIR / schema / f"{name}.sql").read_text(encoding="utf-8")
    return dict(_HEADER_COLUMN.findall(text))


@lru_cache
def body(table: str) -> str:
    """The query of a SQL file."""
    schema, name = table.split(".")
    text = (SQL_DIR / schema / f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def rows_of(table_text: str) -> list[dict[str, str]]:
    """A small table: head, then rows, columns divided by |; blank cells are left out."""
    lines = [line for line in table_text.strip().splitlines() if line.strip()]
    names = [name.strip() for name in lines[0].split("|")]
    return [
        {name: text.strip() for name, text in zip(names, line.split("|"), strict=True) if text.strip()}
        for line in lines[1:]
    ]


def figure(text: str | None) -> tuple[Decimal | None, str | None, str | None]:
    """Number, text and state of a cell as the reader would give them."""
    if text is None:
        return None, None, None
    if text in _STATES:
        return None, text, _STATES[text]
    number = Decimal(text)
    return number, text, "zero" if number == 0 else "value"


def _declared(unit: str) -> dict[str, Any]:
    """What a line says of the unit declared on its sheet."""
    return {
        "unit_code": unit,
        "unit_multiplier": UNITS[unit].multiplier,
        "currency_code": UNITS[unit].currency_code,
    }


@dataclass
class Bureau:
    """Holds what was filed and asks the rules about it."""

    connection: duckdb.DuckDBPyConnection
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    count: int = 0

    def insert(self, table: str, **values: Any) -> None:
        """One row; columns not named are empty. A name the table does not promise is an error."""
        columns = self.columns.setdefault(table, header_columns(table))
        unknown = set(values) - set(columns)
        assert not unknown, f"{table} promises no {unknown}"
        row = [values.get(column) for column in columns]
        marks = ", ".join("?" for _ in columns)
        self.connection.execute(f"insert into {table} values ({marks})", row)

    def on_register(self, code: str = ENTERPRISE, **values: Any) -> None:
        """An entry of the register; by default it holds for every month."""
        self.insert("raw.enterprise", enterprise_code=code, enterprise_name="样例企业", **values)

    def rate(self, month: str, cny_per_usd: str) -> None:
        """The dollar's rate of a month, and the yuan's."""
        start = Month.parse(month).start_date
        rate = Decimal(cny_per_usd)
        for code, cny, usd in (("USD", rate, Decimal(1)), ("CNY", Decimal(1), 1 / rate)):
            self.insert(
                "core.exchange_rate",
                month_start_date=start,
                currency_code=code,
                cny_per_unit=cny,
                usd_per_unit=usd,
            )

    def file(
        self,
        month: str,
        rows: str = "",
        contracts: str = "",
        *,
        code: str = ENTERPRISE,
        is_accepted: bool = False,
        unit: str = "USD_10K",
        total: dict[str, str] | None = None,
        contract_total: dict[str, str] | None = None,
        revenue: str | None = None,
        industry: str | None = None,
        period_kind: str = "month",
        received: str | None = None,
        is_zero_return: bool = False,
        is_revision: bool = False,
        supersedes: str | None = None,
        sheet_periods: dict[str, str] | None = None,
        name: str = "样例企业",
        sheet_names: dict[str, str] | None = None,
        contract_unit: str | None = None,
    ) -> str:
        """File one return; gives its submission id. `total` may hold export, export_ytd, import, import_ytd."""
        self.count += 1
        submission_id = f"{self.count:020x}"
        start = Month.parse(month).start_date
        first = date(start.year, 1, 1) if period_kind == "months_1_2" else start
        self.insert(
            "raw.submission",
            submission_id=submission_id,
            sequence=self.count,
            kind="return",
            enterprise_code=code,
            period_start_date=first,
            period_kind=period_kind,
            month_start_date=start,
            version=1,
            is_current=True,
            is_current_accepted=is_accepted,
            is_zero_return=is_zero_return,
            is_revision=is_revision,
            supersedes_submission_id=supersedes,
            received_at=datetime.fromisoformat(received or f"{Month.parse(month).plus(1)}-08"),
        )
        shared = {"month_start_date": start, "submission_id": submission_id}
        head = {**shared, "form_code": "FM-2", "sheet": "服务进出口", "section": "head", "state": "value"}
        self.insert(
            "raw.return_cell", **head, row_number=6, cell="B6", field="enterprise_code", text=code, code=code
        )
        for sheet, typed in {"服务进出口": name, **(sheet_names or {})}.items():
            form_code = {"服务外包": "FM-3", "基本情况": "FM-1"}.get(sheet, "FM-2")
            values = {**head, "form_code": form_code, "sheet": sheet, "text": typed, "code": typed}
            self.insert("raw.return_cell", **values, row_number=7, cell="B7", field="enterprise_name")
        units = {("FM-2", "服务进出口"): unit}
        if contracts:
            units["FM-3", "服务外包"] = contract_unit or unit
        for (form_code, sheet), declared_unit in units.items():
            values = {**head, "form_code": form_code, "sheet": sheet}
            values |= {"text": UNITS[declared_unit].label_zh, "code": declared_unit}
            self.insert("raw.return_cell", **values, row_number=7, cell="J7", field="unit")
        self.insert(
            "raw.return_cell",
            **head,
            row_number=8,
            cell="B8",
            field="is_revision",
            text="更正" if is_revision else "首报",
            code=str(is_revision).lower(),
        )
        if is_zero_return:
            self.insert(
                "raw.return_cell",
                **head,
                row_number=8,
                cell="J8",
                field="is_zero_return",
                text="☑",
                code="true",
            )
        periods = {"服务进出口": month, **(sheet_periods or {})}
        for sheet, period in periods.items():
            day = first if period == month else Month.parse(period).start_date
            values = {**head, "sheet": sheet, "text": period, "code": period, "day": day}
            self.insert("raw.return_cell", **values, row_number=6, cell="J6", field="reference_month")
        declared = {"enterprise_code": code, **_declared(unit)}
        for row_number, row in enumerate(rows_of(rows), start=11) if rows else ():
            self._file_line({**shared, **declared, "period_kind": period_kind}, row_number, row)
        for name, text in (total or {}).items():
            flow, _, measure = name.partition("_")
            number, typed, state = figure(text)
            self.insert(
                "raw.service_trade_total",
                **shared,
                enterprise_code=code,
                sheet="服务进出口",
                row_number=40,
                flow=flow,
                measure=measure or "month",
                amount=number,
                amount_text=typed,
                amount_state=state,
                cell=f"{FM2_COLUMNS[name]}40",
            )
        for row_number, row in enumerate(rows_of(contracts), start=11) if contracts else ():
            values = {**shared, **declared, **_declared(contract_unit or unit), "period_kind": period_kind}
            self._file_contract(values, row_number, row)
        for name, text in (contract_total or {}).items():
            number, typed, state = figure(text)
            self.insert(
                "raw.outsourcing_total",
                **shared,
                enterprise_code=code,
                sheet="服务外包",
                row_number=40,
                measure=name,
                amount=number,
                amount_text=typed,
                amount_state=state,
                cell=f"{FM3_COLUMNS[name]}40",
            )
        if revenue or industry:
            number, _, state = figure(revenue)
            self.insert(
                "raw.enterprise_profile",
                **shared,
                **declared,
                sheet="基本情况",
                industry_code=industry,
                revenue=number,
                revenue_state=state,
                revenue_cell="B12",
            )
        return submission_id

    def _file_line(self, shared: dict[str, Any], row_number: int, row: dict[str, str]) -> None:
        known = {*FM2_COLUMNS, *FM2_SHARES, "remark"}
        assert set(row) <= known, f"unknown columns {set(row) - known}"
        item = row.get("item", "")
        for flow in ("export", "import"):
            amount, amount_text, amount_state = figure(row.get(flow))
            ytd, ytd_text, ytd_state = figure(row.get(f"{flow}_ytd"))
            self.insert(
                "raw.service_trade_line",
                **shared,
                sheet="服务进出口",
                row_number=row_number,
                flow=flow,
                item_code=None if item.startswith("?") else item,
                item_text=item.lstrip("?"),
                item_cell=f"A{row_number}",
                partner_code=row.get("partner"),
                partner_text=row.get("partner"),
                partner_cell=f"C{row_number}",
                amount=amount,
                amount_text=amount_text,
                amount_state=amount_state,
                amount_cell=f"{FM2_COLUMNS[flow]}{row_number}" if amount_state else None,
                ytd_amount=ytd,
                ytd_text=ytd_text,
                ytd_state=ytd_state,
                ytd_cell=f"{FM2_COLUMNS[f'{flow}_ytd']}{row_number}" if ytd_state else None,
                remark=row.get("remark"),
            )
        names = {
            "export_remote": "export_remote_share_pct",
            "import_remote": "import_remote_share_pct",
            "related": "related_party_share_pct",
        }
        for name, column in FM2_SHARES.items():
            if name in row:
                number, text, state = figure(row[name])
                self.insert(
                    "raw.return_cell",
                    month_start_date=shared["month_start_date"],
                    submission_id=shared["submission_id"],
                    form_code="FM-2",
                    sheet="服务进出口",
                    section="row",
                    row_number=row_number,
                    cell=f"{column}{row_number}",
                    field=names[name],
                    text=text,
                    number=number,
                    state=state,
                )

    def _file_contract(self, shared: dict[str, Any], row_number: int, row: dict[str, str]) -> None:
        values: dict[str, Any] = {}
        for name, column in FM3_COLUMNS.items():
            number, text, state = figure(row.get(name))
            values[name] = number
            values[f"{name}_text"], values[f"{name}_state"] = text, state
            values[f"{name}_cell"] = f"{column}{row_number}" if state else None
        self.insert(
            "raw.outsourcing_line",
            **shared,
            **values,
            sheet="服务外包",
            row_number=row_number,
            contract_no=row.get("contract"),
            contract_no_cell=f"A{row_number}",
            outsourcing_type="ITO",
            outsourcing_type_cell=f"B{row_number}",
            shore=row.get("shore", "offshore"),
            shore_cell=f"C{row_number}",
            partner_code=row.get("partner", "USA"),
            partner_cell=f"D{row_number}",
            remark=row.get("remark"),
        )

    def file_department(
        self, form_code: str, rows: str, *, month: str = "2020-03", unit: str = "USD_100M"
    ) -> str:
        """File a departmental table: column names are fields of the layout, cells A2, B2 ... in their order."""
        self.count += 1
        submission_id = f"{self.count:020x}"
        self.insert(
            "raw.submission",
            submission_id=submission_id,
            sequence=self.count,
            kind="department",
            department="样例部门",
            month_start_date=Month.parse(month).start_date,
            is_current=True,
        )
        shared = {"submission_id": submission_id, "form_code": form_code, "sheet": "表"}
        self.insert(
            "raw.department_cell", **shared, section="head", row_number=1, cell="B1", field="unit", code=unit
        )
        for row_number, row in enumerate(rows_of(rows), start=3):
            for column, (name, text) in enumerate(row.items()):
                values: dict[str, Any] = {"text": text, "state": "value"}
                if name in ("month", "day"):
                    values["day"] = FIRST_DAYS.get(text) or date.fromisoformat(
                        text if len(text) == 10 else f"{text}-01"
                    )
                    values["code"] = text
                elif name in ("item_code", "currency_code", "task_no"):
                    values["code"] = text
                else:
                    values["number"], _, values["state"] = figure(text)
                cell = f"{chr(ord('A') + column)}{row_number}"
                self.insert(
                    "raw.department_cell",
                    **shared,
                    section="row",
                    row_number=row_number,
                    cell=cell,
                    field=name,
                    **values,
                )
        return submission_id

    def build(self, month: str, *, only: str = "") -> None:
        """Run the fact queries that rules on returns judge, or only one; those that read an empty form stay empty."""
        for rule_table in rule_book().of_level("return"):
            if only and rule_table.table != only:
                continue
            schema, name = rule_table.table.split(".")
            source = next(
                (given for prefix, given in FORM_OF.items() if name.startswith(prefix)), "raw.submission"
            )
            columns = ", ".join(
                f'"{column}" {kind}' for column, kind in header_columns(rule_table.table).items()
            )
            self.connection.execute(f'create table if not exists {schema}."{name}" ({columns})')
            self.connection.execute(f'delete from {schema}."{name}"')
            if self.connection.execute(f"select 1 from {source} limit 1").fetchone() is None:
                continue
            query = body(rule_table.table)
            month_start_date = {"month_start_date": Month.parse(month).start_date}
            parameters = month_start_date if "$month_start_date" in query else {}
            self.connection.execute(f'insert into {schema}."{name}" {query}', parameters)

    def findings(self, month: str) -> list[Finding]:
        """All findings of the month, over all returns."""
        self.build(month)
        return [
            found for of_return in judge(self.connection, Month.parse(month)).values() for found in of_return
        ]

    def asked(self, month: str) -> set[tuple[str, str]]:
        """Rule and cell of everything found in the month, whatever its severity."""
        return {(found.rule, found.cell) for found in self.findings(month)}


@dataclass
class Tables:
    """Tables of the warehouse as their SQL files promise them, filled by hand."""

    connection: duckdb.DuckDBPyConnection

    def create(self, table: str) -> dict[str, str]:
        """An empty table; gives its columns and types."""
        columns = header_columns(table)
        typed = ", ".join(f'"{name}" {type_name}' for name, type_name in columns.items())
        self.connection.execute(f"create or replace table {table} ({typed})")
        return columns

    def insert(self, table: str, **values: Any) -> None:
        """One row; columns not named are empty."""
        columns = header_columns(table)
        assert set(values) <= set(columns), f"{table} promises no {set(values) - set(columns)}"
        marks = ", ".join("?" for _ in columns)
        self.connection.execute(
            f"insert into {table} values ({marks})", [values.get(name) for name in columns]
        )

    def compute(self, table: str, month: Month) -> None:
        """Run the table's own query."""
        self.create(table)
        self.connection.execute(f"insert into {table} {body(table)}", {"month_start_date": month.start_date})


@pytest.fixture
def bureau_tools() -> type[Tables]:
    """How a test creates, fills and computes tables of the warehouse."""
    return Tables


@pytest.fixture(scope="session")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Reference tables, items with their ancestors, and empty raw tables; emptied again before every test."""
    connection = duckdb.connect()
    for schema in ("raw", "core", "checks"):
        connection.execute(f"create schema {schema}")
    load_reference(connection)
    for table in GIVEN_TABLES:
        columns = ", ".join(f'"{name}" {type_name}' for name, type_name in header_columns(table).items())
        connection.execute(f"create table {table} ({columns})")
    bureau = Bureau(connection)
    for item, ancestor, distance in _ancestors(REFERENCE_DIR / "ebops_items.csv"):
        bureau.insert(
            "core.item_ancestor",
            item_code=item,
            ancestor_code=ancestor,
            distance=distance,
            main_item_code=None if item == "S" else item[:2],
        )
    yield connection
    connection.close()


@pytest.fixture
def bureau(database: duckdb.DuckDBPyConnection) -> Bureau:
    """A bureau to which nothing was filed, with one registered enterprise and no rates."""
    for table in GIVEN_TABLES:
        if table != "core.item_ancestor":
            database.execute(f"delete from {table}")
    bureau = Bureau(database)
    bureau.on_register()
    return bureau


def _ancestors(path: Path) -> Iterator[tuple[str, str, int]]:
    with path.open(encoding="utf-8", newline="") as file:
        parents = {row["item_code"]: row["parent_code"] for row in csv.DictReader(file)}
    for item in parents:
        ancestor, distance = item, 0
        while ancestor:
            yield item, ancestor, distance
            ancestor, distance = parents[ancestor], distance + 1
