"""A process that files the returns of a city's first quarter and is killed at a given moment. Not a test itself.

Arguments: data folder, moment, how many times the moment passes before the process dies (0: it never dies).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filed_by_hand import Line, a_file, a_rate_table, a_workbook, credit_code
from sqlalchemy import Engine, event

from pipelines.ledger import Ledger, RegisterRow, open_ledger
from pipelines.periods import Month
from pipelines.reception import IncomingFile, Reception, door
from pipelines.reception.workbench import Workbench
from pipelines.settings import Settings
from pipelines.stores import Lines, Originals

MOMENTS = {
    "an original is placed": (Originals, "put"),
    "a pass is judged": (Workbench, "judge_returns"),
    "originals are durable": (Originals, "make_durable"),
    "lines are written": (Lines, "write"),
    "a batch is recorded": (Ledger, "record"),
}
IN_THE_TRANSACTION = "a transaction is about to commit"


def files() -> list[IncomingFile]:
    """Eight enterprises, three months in the wrong order, corrections, copies, rubbish, and rates."""
    incoming = [a_file("汇率.csv", a_rate_table(2020))]
    for number in range(1, 9):
        for month in (2, 3, 1):
            amount = 100 + month + number if (number, month) != (3, 2) else 9000
            ytd = sum(100 + m + number if (number, m) != (3, 2) else 9000 for m in range(1, month + 1))
            content = a_workbook(
                credit_code(number),
                f"2020-{month:02d}",
                [Line(export=amount, export_ytd=ytd)],
                unit="万元" if number == 5 else "万美元",
            )
            incoming.append(a_file(f"{number}-{month}.xlsx", content))
        if number % 3 == 0:
            corrected = a_workbook(
                credit_code(number),
                "2020-01",
                [Line(export=101 + number, export_ytd=101 + number)],
                is_revision=True,
                note="更正",
            )
            incoming.append(a_file(f"{number}-1-更正.xlsx", corrected))
    incoming.append(a_file("副本.xlsx", incoming[1].content or b""))
    incoming.append(a_file("坏.xlsx", b"PK\x03\x04 broken"))
    return incoming


def file_everything(data_dir: Path) -> None:
    """With windows and batches so small that there are many moments between two of them."""
    door.WINDOW_FILES, door.BATCH_FILES = 12, 4
    settings = Settings(
        data_dir=data_dir, ledger_url=f"sqlite:///{data_dir / 'ledger.sqlite'}", reader_count=1
    )
    with open_ledger(settings.ledger_url) as ledger:
        ledger.import_register(
            [
                RegisterRow(credit_code(number), f"示例{number}号", "420111", "6513", Month(2019, 1))
                for number in range(1, 9)
            ]
        )
        with Reception(settings, ledger) as reception:
            reception.submit(files(), channel="test", received_by="王")


def die_after(times: int, action: Callable[..., Any]) -> Callable[..., Any]:
    passed = 0

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal passed
        result = action(*arguments, **named)
        passed += 1
        if passed == times:
            os._exit(9)
        return result

    return deadly


if __name__ == "__main__":
    folder, moment, how_often = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if how_often and moment == IN_THE_TRANSACTION:
        # Counts from the first recording on: migrating and importing the register commit too.
        die = die_after(how_often, lambda: None)
        record = Ledger.record

        def recording(self: Ledger, batch: Any) -> Any:
            if not event.contains(Engine, "commit", on_commit):
                event.listen(Engine, "commit", on_commit)
            return record(self, batch)

        def on_commit(_connection: Any) -> None:
            die()

        Ledger.record = recording  # type: ignore[method-assign]
    elif how_often:
        owner, name = MOMENTS[moment]
        setattr(owner, name, die_after(how_often, getattr(owner, name)))
    file_everything(folder)
