"""The folder on the intranet: take what lies finished in it, and leave an answer beside each file.

Files go through the same door as any other; here is only when a file is finished and where it goes afterwards.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipelines.ledger import SHANGHAI, Ledger
from pipelines.reception.door import IncomingFile, Progress, Reception
from pipelines.reception.results import FileResult
from pipelines.settings import Settings

PROCESSED = "processed"
ANSWER_SUFFIX = ".审核结果.txt"
CHANNEL = "inbox"
# What is being copied changes within this time; what has not is finished.
SETTLE_SECONDS = 2.0

_UNFINISHED_SUFFIXES = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".incoming")
_State = tuple[int, float, float]  # size in bytes, time of modification, time of arrival or change

_NOT_FOR_US = {"thumbs.db", "desktop.ini"}


def waiting_files(settings: Settings) -> list[Path]:
    """Files in the inbox, in its folders too, that look like somebody's report; some may still be copied.

    Left out: what was processed, hidden files, lock files of office programs (`~$`) and partial downloads.
    """
    inbox = settings.inbox_dir
    if not inbox.is_dir():
        return []
    found = []
    for folder, folders, names in os.walk(inbox):
        here = Path(folder)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not (here == inbox and name == PROCESSED)
        )
        found += [here / name for name in names if _is_report(name) and _is_plain_file(here / name)]
    return sorted(found)


def receive_inbox(
    settings: Settings,
    ledger: Ledger,
    *,
    received_by: str = "inbox",
    settle_seconds: float = SETTLE_SECONDS,
    progress: Callable[[Progress], None] | None = None,
) -> list[FileResult]:
    """File everything that lies finished in the inbox; one result each, in the order of arrival.

    Each file then moves to `processed/<day of arrival>/`, with its answer (`<name>.审核结果.txt`, Chinese and
    English) beside it. A file that still grows is left for the next time, as is one that cannot be opened;
    killed half-way, the next call finishes. One call at a time: a second one waits.
    """
    if not settings.inbox_dir.is_dir():
        return []
    with _alone(settings.inbox_dir):
        finished = _finished(waiting_files(settings), settle_seconds)
        if not finished:
            return []
        arrivals = sorted(
            ((_arrival_of(state), path) for path, state in finished.items()),
            key=lambda pair: (pair[0], str(pair[1])),
        )
        with Reception(settings, ledger) as reception:
            results = reception.submit(
                [IncomingFile(path.name, path=path, received_at=moment) for moment, path in arrivals],
                channel=CHANNEL,
                received_by=received_by,
                progress=progress,
            )
        for (moment, path), result in zip(arrivals, results, strict=True):
            # A file that somebody replaced meanwhile is another one: it stays and is taken the next time.
            if result.sha256 and _state(path) == finished[path]:
                _put_away(settings.inbox_dir, path, moment, result)
    return results


def _is_report(name: str) -> bool:
    lowered = name.lower()
    return not (
        name.startswith((".", "~$"))
        or lowered.endswith(_UNFINISHED_SUFFIXES)
        or lowered in _NOT_FOR_US
        or name.endswith(ANSWER_SUFFIX)
    )


def _is_plain_file(path: Path) -> bool:
    """No link (it might point anywhere on this machine) and no pipe (reading it might never end)."""
    return path.is_file() and not path.is_symlink()


def _finished(paths: list[Path], settle_seconds: float) -> dict[Path, _State]:
    """Files whose size and time stood still: for long already, or while we looked. How they stood then."""
    first_look = {path: state for path in paths if (state := _state(path)) is not None}
    now = time.time()
    youngest = max((changed for _, _, changed in first_look.values()), default=0.0)
    if 0 <= now - youngest < settle_seconds:
        time.sleep(settle_seconds - (now - youngest))
    return {path: state for path, state in first_look.items() if _state(path) == state}


def _state(path: Path) -> _State | None:
    try:
        status = path.stat()
    except FileNotFoundError:  # taken away while we looked
        return None
    return status.st_size, status.st_mtime, status.st_ctime


def _arrival_of(state: _State) -> datetime:
    """When the file came to stand here. Its modification time is the clerk's and may be weeks older."""
    return datetime.fromtimestamp(state[2], UTC)


def _put_away(inbox: Path, path: Path, moment: datetime, result: FileResult) -> None:
    folder = inbox / PROCESSED / moment.astimezone(SHANGHAI).date().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    target = _free_name(folder, path.name)
    _write_whole(target.with_name(f"{target.name}{ANSWER_SUFFIX}"), result.as_text())
    path.rename(target)


def _free_name(folder: Path, name: str) -> Path:
    """The name itself, or with (2), (3) ... where that day already saw another file of the name."""
    target = folder / name
    number = 2
    while target.exists():
        target = folder / f"{Path(name).stem}({number}){Path(name).suffix}"
        number += 1
    return target


def _write_whole(path: Path, text: str) -> None:
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
    with os.fdopen(handle, "w", encoding="utf-8-sig", newline="\r\n") as file:  # opens in Notepad and WPS
        file.write(text)
        os.fchmod(file.fileno(), 0o644)
    Path(aside).replace(path)


@contextmanager
def _alone(inbox: Path) -> Iterator[None]:
    """Only one receiver moves files at a time. The system frees the lock when the process ends."""
    with (inbox / ".receiving").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
