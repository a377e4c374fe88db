"""The month's board of a province: 5,000 enterprises over two years, on SQLite as a bureau of one machine has it.

    python -m bench.board [--enterprises 5000] [--months 24]

The baseline is the same month's returns read from the same file by bare sqlite3.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
from datetime import UTC, date, datetime

from sqlalchemy import insert

from bench.measure import machine, print_table, scratch, stopwatch
from pipelines.ledger import Ledger, open_ledger
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.board import BoardFilter, ReturnState
from pipelines.periods import Month

FIRST = Month(2024, 1)
CLERK = Actor("bench.clerk", frozenset({Role.CLERK}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enterprises", type=int, default=5_000)
    parser.add_argument("--months", type=int, default=24)
    arguments = parser.parse_args()
    ours: list[float] = []
    bare: list[float] = []
    with scratch() as folder:
        file_path = folder / "ledger.sqlite"
        with open_ledger(f"sqlite:///{file_path}") as ledger:
            fill(ledger, enterprises=arguments.enterprises, months=arguments.months)
            connection = sqlite3.connect(file_path)
            for number in range(12):
                month = FIRST.plus(arguments.months - 12 + number)
                with stopwatch() as taken:
                    board = ledger.board.look(
                        month,
                        CLERK,
                        BoardFilter(states=frozenset({ReturnState.NOT_FILED})),
                        deadline_day=10,
                        today=date(2026, 4, 8),
                    )
                ours += taken
                assert board.total.expected_count == arguments.enterprises
                with stopwatch() as taken:
                    connection.execute(
                        "select enterprise_code, version, status, is_late from submission "
                        "where month_start_date = ?",
                        [month.start_date.isoformat()],
                    ).fetchall()
                bare += taken
            connection.close()
    base = statistics.median(bare)
    print_table(
        f"The board of {arguments.enterprises:,} enterprises over {arguments.months} months; {machine()}",
        ("what", "median ms", "worst ms", "x bare sqlite3"),
        [
            (what, statistics.median(times) * 1000, max(times) * 1000, statistics.median(times) / base)
            for what, times in (("counts and rows of one month", ours), ("the month's returns, bare", bare))
        ],
    )


def fill(ledger: Ledger, *, enterprises: int, months: int) -> None:
    """A register and its returns, nine of ten enterprises filing each month: rows only, no files."""
    now = datetime(2026, 4, 8, tzinfo=UTC)
    codes = [f"91420100MA4K{number:06d}" for number in range(enterprises)]
    with ledger._engine.begin() as connection:
        connection.execute(
            insert(t.enterprise),
            [
                {
                    "enterprise_code": code,
                    "enterprise_name": f"{code}公司",
                    "contact": "张",
                    "phone": "027",
                    "recorded_at": now,
                }
                for code in codes
            ],
        )
        connection.execute(
            insert(t.enterprise_spell),
            [
                {
                    "enterprise_code": code,
                    "ordinal": 1,
                    "from_month_start_date": date(2024, 1, 1),
                    "to_month_start_date": None,
                    "district_code": f"4201{number % 13:02d}",
                    "industry_code": "6510",
                    "enterprise_class": "key" if number % 20 == 0 else "",
                    "end_kind": "",
                    "successor_code": "",
                }
                for number, code in enumerate(codes)
            ],
        )
        connection.execute(
            insert(t.batch).values(
                batch_id="b", lines_file="b", rules_version="r", recorded_at=now, submission_count=1
            )
        )
        sequence = 0
        for offset in range(months):
            month = Month(2024, 1).plus(offset)
            rows = []
            for number, code in enumerate(codes):
                if number % 10 == 0:
                    continue
                sequence += 1
                digest = f"{sequence:064x}"
                rows.append(
                    {
                        "submission_id": digest[-20:],
                        "sequence": sequence,
                        "identity_sha256": digest,
                        "sha256": digest,
                        "kind": "return",
                        "form_codes": ["FM-2"],
                        "layout_versions": ["FM-2@2017"],
                        "enterprise_code": code,
                        "enterprise_name": "",
                        "department": "",
                        "period": str(month),
                        "period_kind": "month",
                        "period_start_date": month.start_date,
                        "month_start_date": month.start_date,
                        "series_key": f"return/{code}/{month}",
                        "version": 1,
                        "verdict": "queries" if number % 7 == 0 else "accepted",
                        "status": "queries" if number % 7 == 0 else "accepted",
                        "is_zero_return": False,
                        "is_revision": False,
                        "received_at": now,
                        "received_by": "e",
                        "channel": "portal",
                        "is_late": number % 11 == 0,
                        "is_late_revision": False,
                        "is_returned": False,
                        "file_name": "a.xlsx",
                        "size_bytes": 1,
                        "line_count": 1,
                        "lines_file": "b",
                        "rules_version": "r",
                        "batch_id": "b",
                    }
                )
            connection.execute(insert(t.submission), rows)


if __name__ == "__main__":
    main()
