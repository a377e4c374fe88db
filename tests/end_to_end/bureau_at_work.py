"""A bureau at work: files on disk go through the door into its stores, and the whole warehouse is built of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import duckdb

from pipelines.ledger import SHANGHAI, Ledger
from pipelines.periods import Month
from pipelines.reception import FileResult, IncomingFile, Reception
from pipelines.settings import Settings
from pipelines.stores import Lines
from pipelines.warehouse.build import build_all, run_parameters
from pipelines.warehouse.load import load_months, load_reference
from pipelines.warehouse.sqlfiles import catalogue
from tests.reception.filed_by_hand import credit_code

ENTERPRISE = credit_code(1)


class Bureau:
    """Door, ledger, stores and warehouse below one folder, and the folder from which files are filed."""

    def __init__(
        self,
        desk: Path,
        settings: Settings,
        ledger: Ledger,
        door: Reception,
        con: duckdb.DuckDBPyConnection,
    ) -> None:
        self.desk, self.settings, self.ledger, self.door, self.con = desk, settings, ledger, door, con

    def files(self, name: str, content: bytes, received: str = "2026-08-01T09:00") -> FileResult:
        """Put the bytes on the desk and file them; what the door answers."""
        path = self.desk / name
        path.write_bytes(content)
        return self.files_path(path, received)

    def files_path(self, path: Path, received: str = "2026-08-01T09:00") -> FileResult:
        """File a file that lies somewhere, untouched."""
        moment = datetime.fromisoformat(received).replace(tzinfo=SHANGHAI)
        [result] = self.door.submit(
            [IncomingFile(path.name, path=path, received_at=moment)], channel="test", received_by="tester"
        )
        return result

    def computes(self, *months: str, **parameters: str) -> None:
        """Load these months from the ledger and the lines, and build every table of the catalogue for them."""
        wanted = [Month.parse(month) for month in months]
        load_reference(self.con)
        load_months(self.con, self.ledger, Lines(self.settings.lines_dir), wanted)
        build_all(self.con, wanted, run_parameters(self.settings) | parameters)

    def rows(self, table: str, month: str | None = None, /, **equal: object) -> list[SimpleNamespace]:
        """Rows of a built table whose columns equal the keywords (and that are of the month), as objects."""
        if month is not None:
            equal["month_start_date"] = Month.parse(month).start_date
        names = list(catalogue()[table].column_names)
        found = self.con.execute(f"select {', '.join(names)} from {table}").fetchall()
        rows = [SimpleNamespace(**dict(zip(names, values, strict=True))) for values in found]
        return [row for row in rows if all(getattr(row, name) == value for name, value in equal.items())]

    def row(self, table: str, month: str | None = None, /, **equal: object) -> SimpleNamespace:
        """The only such row."""
        [only] = self.rows(table, month, **equal)
        return only
