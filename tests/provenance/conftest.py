"""A small city taken in by the real door and computed by the real SQL, once for all tests here."""

from __future__ import annotations

import csv
import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from provenance_city import FIRST, MONTH

from pipelines.cli.commands.register import register_rows
from pipelines.ledger import open_ledger
from pipelines.periods import Month
from pipelines.provenance.explain import open_snapshot
from pipelines.provenance.registry import lineage
from pipelines.provenance.tracing import Tracer
from pipelines.publication.drafts import write_month
from pipelines.reception import IncomingFile, Reception
from pipelines.settings import Settings
from pipelines.stores import Lines
from pipelines.warehouse.build import build, build_all, run_parameters
from pipelines.warehouse.connection import CURRENT, current_snapshot, open_warehouse, snapshot
from pipelines.warehouse.load import load_months, load_reference
from pipelines.warehouse.sqlfiles import build_order
from sample_data.city import generate


@pytest.fixture(scope="session")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Twelve enterprises and fourteen months: generated, filed, judged, computed; one month drafted.

    The first test process that asks makes it, the others wait for it.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "provenance"
    folder.mkdir(exist_ok=True)
    data = folder / "data"
    settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=2)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (settings.snapshots_dir / CURRENT).exists():
            data.mkdir()
            _make(settings, folder / "city")
    return settings


def _make(settings: Settings, city: Path) -> None:
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
            parameters = run_parameters(settings)
            indicators = [
                name
                for name in build_order()
                if name.startswith("indicators.") or name == "core.withheld_count"
            ]
            build_all(con, months, parameters, names=indicators)
            for name in build_order():
                if name.startswith("publication."):
                    build(con, name, MONTH, parameters)
            write_month(settings, con, MONTH)
    snapshot(settings)


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
def tracer(bureau: Settings) -> Iterator[Tracer]:
    """The snapshot, open for reading; one leaf of each part shown, sums asked for twice traced once."""
    with open_snapshot(current_snapshot(bureau)) as con:
        con.execute("set threads = 1")  # many small queries: starting threads would cost more
        yield Tracer(con, lineage(), 1)
