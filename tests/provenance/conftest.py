"""A small city taken in by the real door and computed by the real SQL, once for all tests here."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.cli.commands.register import register_rows
from pipelines.ledger import open_ledger
from pipelines.periods import Month
from pipelines.provenance import Explanation
from pipelines.provenance.explain import explain, open_snapshot
from pipelines.provenance.registry import lineage
from pipelines.provenance.tracing import Tracer
from pipelines.publication.drafts import read_table, write_month
from pipelines.publication.tables import Column, Row, publication_model
from pipelines.reception import IncomingFile, Reception
from pipelines.settings import Settings
from pipelines.stores import Lines
from pipelines.warehouse.build import build, build_all, run_parameters
from pipelines.warehouse.connection import current_snapshot, open_warehouse, snapshot
from pipelines.warehouse.load import load_months, load_reference
from pipelines.warehouse.sqlfiles import build_order
from sample_data.city import generate

MONTH = Month(2020, 2)
FIRST = Month(2019, 1)


@pytest.fixture(scope="session")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Twelve enterprises and fourteen months: generated, filed, judged, computed; one month drafted."""
    folder = tmp_path_factory.mktemp("bureau")
    data = folder / "data"
    settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=2)
    data.mkdir()
    city = folder / "city"
    generate(city, enterprises=12, months=14, seed=2020)
    with open_ledger(settings.ledger_url) as ledger:
        rows, problems = register_rows(city / "register.csv")
        assert not problems
        ledger.import_register(rows, by="test")
        with Reception(settings, ledger) as door:
            door.submit(_filings(city), channel="test", received_by="test")
        months = list(Month.span(FIRST, MONTH))
        with open_warehouse(settings, wait_seconds=0, purpose="test") as con:
            load_reference(con)
            load_months(con, ledger, Lines(settings.lines_dir), months)
            computed = [name for name in build_order() if not name.startswith(("checks.", "publication."))]
            build_all(con, months, run_parameters(settings), names=computed)
            for name in build_order():
                if name.startswith("publication."):
                    build(con, name, MONTH, run_parameters(settings))
            write_month(settings, con, MONTH)
    snapshot(settings)
    return settings


def _filings(city: Path) -> list[IncomingFile]:
    with (city / "filings.csv").open(encoding="utf-8-sig", newline="") as file:
        return [
            IncomingFile(
                name=Path(filing["path"]).name,
                path=city / filing["path"],
                received_at=datetime.fromisoformat(filing["received_at"]),
            )
            for filing in csv.DictReader(file)
        ]


@pytest.fixture(scope="session")
def explanations(bureau: Settings) -> dict[str, list[tuple[Row, Column, Explanation]]]:
    """Every cell of every table of the month explained, by table."""
    with open_snapshot(current_snapshot(bureau)) as con:
        con.execute("set threads = 1")  # two thousand small queries: starting threads would cost more
        tracer = Tracer(con, lineage(), 1)
        return {
            spec.name: [
                (row, column, explain(tracer, printed, row, column))
                for printed in [read_table(bureau, spec.name, MONTH)]
                for row in printed.rows
                for column in spec.columns
            ]
            for spec in publication_model().tables
        }
