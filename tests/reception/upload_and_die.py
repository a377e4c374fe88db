"""A process at the upload desk that is killed at a given moment. Not a test itself.

Arguments: data folder; `hand in` or `go on`; the moment; how many times it passes before the process dies (0: never).
Prints the upload's id, then, unless it has died, the answer to each of its files as JSON.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filed_by_hand import credit_code
from submit_and_die import files

from pipelines.ledger import Ledger, RegisterRow, open_ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.uploads import UploadProgress, Uploads
from pipelines.periods import Month
from pipelines.reception import door
from pipelines.reception.uploads import UploadDesk, UploadedFile
from pipelines.reception.workbench import Workbench
from pipelines.settings import Settings
from pipelines.stores import Lines, Originals

CLERK = Actor("统计员", frozenset({Role.CLERK}))
MOMENTS: dict[str, tuple[type, str]] = {
    "originals are durable": (Originals, "make_durable"),
    "the upload is queued": (Uploads, "add"),
    "files are taken": (Uploads, "take"),
    "a pass is judged": (Workbench, "judge_returns"),
    "lines are written": (Lines, "write"),
    "a batch is recorded": (Ledger, "record"),
    "files are finished": (Uploads, "finish"),
}


def killed_after(times: int, action: Callable[..., Any]) -> Callable[..., Any]:
    passed = 0

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal passed
        result = action(*arguments, **named)
        passed += 1
        if passed == times:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return deadly


def answers(found: UploadProgress) -> list[list[object]]:
    """What is said of each file, without clocks and attempts."""
    return [
        [
            one.ordinal, one.file_name, one.sha256, one.state, one.attention, one.submission_id, one.receipt_number,
            one.version, one.verdict, one.critical_count, one.warning_count, one.info_count, list(one.rules),
            list(one.form_codes), one.period, one.enterprise_code, one.is_duplicate, one.same_as,
        ]
        for one in found.files
    ]  # fmt: skip


def main(data_dir: Path, errand: str) -> None:
    door.BATCH_FILES = 4  # many moments between two batches
    settings = Settings(
        data_dir=data_dir, ledger_url=f"sqlite:///{data_dir / 'ledger.sqlite'}", reader_count=1
    )
    with open_ledger(settings.ledger_url) as ledger:
        desk = UploadDesk(settings, ledger)
        if errand == "hand in":
            ledger.import_register(
                [
                    RegisterRow(credit_code(n), f"示例{n}号", "420111", "6513", Month(2019, 1))
                    for n in range(1, 9)
                ]
            )
            sent = [UploadedFile(one.name, io.BytesIO(one.content or b"")) for one in files()]
            print(desk.take_in(sent, CLERK), flush=True)
        [upload] = desk.recent(CLERK)
        with desk:
            found = desk.wait_for(upload.upload_id, CLERK, seconds=300)
        print(json.dumps(answers(found), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    folder, what, moment, how_often = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    if how_often:
        owner, name = MOMENTS[moment]
        setattr(owner, name, killed_after(how_often, getattr(owner, name)))
    main(folder, what)
