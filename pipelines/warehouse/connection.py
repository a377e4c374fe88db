"""Opening the warehouse: one writer at a time, said by name, and copies for everybody else.

Only pipeline runs open the warehouse file. The portal and the command line read the ledger, the lines and
the published files; analysts read snapshots. What is computed in it is not here.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import duckdb

from pipelines.findings import Wording
from pipelines.settings import Settings

# Files are written in the format of 1.5, so that analysts with either DuckDB 1.5 or 2.0 can open them.
STORAGE_VERSION = "v1.5.0"
SNAPSHOTS_KEPT = 3
CURRENT = "CURRENT"
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who has the warehouse open: process, machine, for what, since when (as written by the holder)."""

    process_id: int
    host: str
    purpose: str
    since: str

    def wording(self) -> Wording:
        """One sentence for the operator."""
        return Wording(
            zh=f"数据仓库正被占用：{self.purpose}（进程 {self.process_id}，{self.host}，自 {self.since}）",
            en=f"The warehouse is in use: {self.purpose} (process {self.process_id} on {self.host}, since {self.since})",
        )


class WarehouseBusy(RuntimeError):
    """Another run still holds the warehouse after the time we were willing to wait. Exit code 5."""

    exit_code = 5

    def __init__(self, holder: LockHolder, waited_seconds: float) -> None:
        wording = holder.wording()
        self.holder = holder
        self.wording = Wording(
            zh=f"{wording.zh}。已等待 {waited_seconds:.0f} 秒，未执行任何操作。请待其结束后重试。",
            en=f"{wording.en}. Waited {waited_seconds:.0f} s; nothing was done. Try again when it has finished.",
        )
        super().__init__(f"{self.wording.zh} / {self.wording.en}")


class NoSnapshot(RuntimeError):
    """There is no warehouse to copy, or no copy to read: run the pipeline first."""


def _configuration(
    threads: int | None, memory_limit: str | None, spill_dir: Path | None
) -> dict[str, str | bool | int | float | list[str]]:
    configuration: dict[str, str | bool | int | float | list[str]] = {
        "storage_compatibility_version": STORAGE_VERSION,
        # Nothing is ever fetched from the internet; what the SQL needs is in the wheel.
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    if threads is not None:
        configuration["threads"] = str(threads)
    if memory_limit is not None:
        configuration["memory_limit"] = memory_limit
    if spill_dir is not None:
        configuration["temp_directory"] = str(spill_dir)
    return configuration


def in_memory(*, threads: int | None = None, memory_limit: str | None = None) -> duckdb.DuckDBPyConnection:
    """A warehouse that is gone when closed: the door judges with the same SQL in one of these."""
    return duckdb.connect(":memory:", config=_configuration(threads, memory_limit, None))


@contextmanager
def open_warehouse(
    settings: Settings,
    *,
    wait_seconds: float,
    purpose: str,
    on_wait: Callable[[LockHolder], None] | None = None,
    threads: int | None = None,
    memory_limit: str | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse file, open for writing, held by nobody else.

    `purpose` is what others are told while they wait. `on_wait` is called once with the holder when there is
    one. Raises WarehouseBusy after `wait_seconds`. A killed holder leaves no lock behind.
    """
    path = settings.warehouse_path
    path.parent.mkdir(parents=True, exist_ok=True)
    with _run_lock(path, wait_seconds=wait_seconds, purpose=purpose, on_wait=on_wait):
        spill_dir = path.with_name(f"{path.name}.spill")
        connection = duckdb.connect(str(path), config=_configuration(threads, memory_limit, spill_dir))
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def _run_lock(
    warehouse_path: Path,
    *,
    wait_seconds: float,
    purpose: str,
    on_wait: Callable[[LockHolder], None] | None,
) -> Iterator[None]:
    """Hold the lock file beside the warehouse. The system frees it when the process ends, however it ends."""
    lock_path = warehouse_path.with_name(f"{warehouse_path.name}.lock")
    with lock_path.open("a+", encoding="utf-8") as lock_file:
        started = time.monotonic()
        has_told = False
        while not _try_lock(lock_file):
            waited = time.monotonic() - started
            holder = _read_holder(lock_file)
            if waited >= wait_seconds:
                raise WarehouseBusy(holder, waited)
            if not has_told and on_wait is not None:
                on_wait(holder)
            has_told = True
            time.sleep(min(_POLL_SECONDS, wait_seconds - waited))
        try:
            _write_holder(lock_file, purpose)
            yield
        finally:
            lock_file.seek(0)
            lock_file.truncate()
            lock_file.flush()
            fcntl.flock(lock_file, fcntl.LOCK_UN)


def _try_lock(lock_file: IO[str]) -> bool:
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_holder(lock_file: IO[str], purpose: str) -> None:
    lock_file.seek(0)
    lock_file.truncate()
    holder = {
        "process_id": os.getpid(),
        "host": socket.gethostname(),
        "purpose": purpose,
        "since": datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
    }
    json.dump(holder, lock_file, ensure_ascii=False)
    lock_file.flush()


def _read_holder(lock_file: IO[str]) -> LockHolder:
    """Who holds the lock. In the moment between locking and signing the holder has no name yet."""
    lock_file.seek(0)
    text = lock_file.read()
    try:
        return LockHolder(**json.loads(text))
    except (json.JSONDecodeError, TypeError):
        return LockHolder(process_id=0, host="?", purpose="a run that is just starting", since="?")


def discard(settings: Settings, *, wait_seconds: float) -> None:
    """Delete the warehouse file and what DuckDB left beside it; the stores and the snapshots stay.

    The file need not be whole: a broken one is what this is for. Raises WarehouseBusy when a run holds it.
    """
    path = settings.warehouse_path
    path.parent.mkdir(parents=True, exist_ok=True)
    with _run_lock(path, wait_seconds=wait_seconds, purpose="rebuild / 重建", on_wait=None):
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
        shutil.rmtree(path.with_name(f"{path.name}.spill"), ignore_errors=True)


def snapshot(settings: Settings, *, wait_seconds: float = 0, now: datetime | None = None) -> Path:
    """Copy the warehouse under a new name for analysts and point CURRENT at it; keep the newest three.

    Always a new name: DuckDB would go on showing the old file to a process that has it open. Raises
    NoSnapshot when there is no warehouse yet, WarehouseBusy when a run holds it.
    """
    source = settings.warehouse_path
    if not source.exists():
        raise NoSnapshot(
            f"{source}: there is no warehouse yet; run `servtrade run --all` first / 数据仓库尚不存在，请先运行 servtrade run --all"
        )
    folder = settings.snapshots_dir
    folder.mkdir(parents=True, exist_ok=True)
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    with _run_lock(source, wait_seconds=wait_seconds, purpose="snapshot / 制作快照", on_wait=None):
        target = _unused_name(folder, moment)
        aside = target.with_suffix(".incoming")
        shutil.copyfile(source, aside)
        with aside.open("rb") as copied:
            os.fsync(copied.fileno())
        aside.chmod(0o444)
        aside.replace(target)
        _point_to(folder, target.name)
        for old in sorted(folder.glob("warehouse-*.duckdb"))[:-SNAPSHOTS_KEPT]:
            old.unlink()
    return target


def _unused_name(folder: Path, moment: datetime) -> Path:
    """A name that sorts by time and was never used: snapshots of one second get 000, 001 ..., also after the
    first of them have been cleared away (the newest always stays)."""
    stamp = moment.strftime("%Y%m%dT%H%M%SZ")
    numbers = [int(path.stem.rpartition("-")[2]) for path in folder.glob(f"warehouse-{stamp}-*.duckdb")]
    return folder / f"warehouse-{stamp}-{max(numbers, default=-1) + 1:03d}.duckdb"


def _point_to(folder: Path, name: str) -> None:
    aside = folder / f".{CURRENT}.incoming"
    aside.write_text(f"{name}\n", encoding="utf-8")
    aside.replace(folder / CURRENT)


def current_snapshot(settings: Settings) -> Path:
    """The newest snapshot. Raises NoSnapshot when there is none."""
    pointer = settings.snapshots_dir / CURRENT
    if not pointer.exists():
        raise NoSnapshot(
            f"{pointer}: no snapshot has been made yet; run the pipeline first / 尚无快照，请先运行统计任务"
        )
    return settings.snapshots_dir / pointer.read_text(encoding="utf-8").strip()
