"""Does the time per workbook stay flat as the archive grows? 1,000, 3,000 and 10,000 workbooks through the door.

    python -m bench.growth [--workbooks 1000 3000 10000]

The baseline is the smallest archive of the same run. Every archive is a city of its own over 24 months, filed in
the order in which it would have arrived; the whole door counts: read, judge against history, store, record.
"""

from __future__ import annotations

import argparse
import csv
from datetime import datetime
from pathlib import Path

from bench.measure import machine, peak_memory_mib, print_table, scratch, stopwatch
from pipelines.cli.commands.register import register_rows
from pipelines.ledger import open_ledger
from pipelines.reception import IncomingFile, Reception
from pipelines.settings import Settings
from sample_data.city import generate

MONTHS = 24
ROOM = 1.15  # flat means within 15 %


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workbooks", type=int, nargs="+", default=[1000, 3000, 10000])
    rows: list[tuple[object, ...]] = []
    baseline = 0.0
    for count in parser.parse_args().workbooks:
        with scratch() as folder:
            filed, seconds = file_city(folder, -(-count // MONTHS))
        each = 1000 * seconds / filed
        baseline = baseline or each
        rows.append(
            (f"{filed:,}", seconds, each, each / baseline, "yes" if each / baseline <= ROOM else "no")
        )
    print(f"{machine()}; peak {peak_memory_mib():,.0f} MiB")
    print_table("Growth", ("workbooks", "seconds", "ms each", "x the smallest", "flat within 15 %"), rows)


def file_city(folder: Path, enterprises: int) -> tuple[int, float]:
    """Workbooks filed, and the seconds that the door took for them."""

    city = folder / "city"
    generate(city, enterprises=enterprises, first="2019-01", months=MONTHS, seed=11)
    settings = Settings.from_environment({"SERVTRADE_DATA": str(folder / "data")})
    with (city / "filings.csv").open(encoding="utf-8", newline="") as file:
        files = [
            IncomingFile(
                name=Path(row["path"]).name,
                path=city / row["path"],
                received_at=datetime.fromisoformat(row["received_at"]),
            )
            for row in csv.DictReader(file)
        ]
    with open_ledger(settings.ledger_url) as ledger:
        rows, _ = register_rows(city / "register.csv")
        ledger.import_register(rows)
        with Reception(settings, ledger) as reception, stopwatch() as taken:
            reception.submit(files, channel="bench", received_by="bench")
    return len(files), taken[0]


if __name__ == "__main__":
    main()
