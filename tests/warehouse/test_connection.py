"""One writer at a time, said by name; snapshots for everybody else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.settings import Settings
from pipelines.warehouse.connection import (
    LockHolder,
    NoSnapshot,
    WarehouseBusy,
    current_snapshot,
    in_memory,
    open_warehouse,
    snapshot,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, ledger_url="")


def hold(data_dir: str, ready: multiprocessing.synchronize.Event, seconds: float) -> None:
    with open_warehouse(Settings(Path(data_dir), ""), wait_seconds=5, purpose="月报 2026-03") as con:
        con.execute("create table if not exists held as select 1 as one")
        ready.set()
        time.sleep(seconds)


@pytest.fixture
def holder(settings: Settings):
    """Starts another process that holds the warehouse for so many seconds."""
    context = multiprocessing.get_context("spawn")
    started = []

    def start(seconds: float) -> multiprocessing.process.BaseProcess:
        ready = context.Event()
        process = context.Process(target=hold, args=(str(settings.data_dir), ready, seconds))
        process.start()
        started.append(process)
        assert ready.wait(30)
        return process

    yield start
    for process in started:
        if process.is_alive():
            process.kill()
        process.join()


def test_what_is_written_is_there_the_next_time(settings):
    with open_warehouse(settings, wait_seconds=0, purpose="test") as con:
        con.execute("create table t as select 1 as a")
    with open_warehouse(settings, wait_seconds=0, purpose="test") as con:
        assert con.execute("select a from t").fetchall() == [(1,)]


def test_a_second_run_gives_up_and_says_who_holds_the_warehouse(settings, holder):
    process = holder(30)
    with pytest.raises(WarehouseBusy) as busy, open_warehouse(settings, wait_seconds=0.3, purpose="second"):
        pass
    assert busy.value.exit_code == 5
    assert busy.value.holder.process_id == process.pid
    assert busy.value.holder.purpose == "月报 2026-03"
    assert "月报 2026-03" in busy.value.wording.zh
    assert str(process.pid) in busy.value.wording.en


def test_a_second_run_waits_its_turn_and_says_once_for_whom(settings, holder):
    holder(1.0)
    told: list[LockHolder] = []
    with open_warehouse(settings, wait_seconds=30, purpose="second", on_wait=told.append) as con:
        assert con.execute("select one from held").fetchall() == [(1,)]
    assert [one.purpose for one in told] == ["月报 2026-03"]


def test_a_killed_run_leaves_no_lock_behind(settings, holder):
    process = holder(60)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with open_warehouse(settings, wait_seconds=5, purpose="after") as con:
        assert con.execute("select 1").fetchall() == [(1,)]


def test_the_file_is_kept_in_the_format_that_both_duckdb_versions_open(settings):
    with open_warehouse(settings, wait_seconds=0, purpose="test") as con:
        [(tags,)] = con.execute(
            "select tags from duckdb_databases() where database_name = 'warehouse'"
        ).fetchall()
    assert tags["storage_version"].startswith("v1.5.0")


def test_nothing_is_fetched_from_the_internet():
    con = in_memory()
    settings = dict(
        con.execute("select name, value from duckdb_settings() where name like 'auto%extensions'").fetchall()
    )
    assert settings == {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def test_a_snapshot_can_be_read_while_a_run_writes(settings, holder):
    with open_warehouse(settings, wait_seconds=0, purpose="test") as con:
        con.execute("create table t as select 42 as a")
    path = snapshot(settings)
    holder(30)
    assert current_snapshot(settings) == path
    with duckdb.connect(str(path), read_only=True) as reader:
        assert reader.execute("select a from t").fetchall() == [(42,)]


def test_snapshots_get_new_names_and_three_are_kept(settings):
    with open_warehouse(settings, wait_seconds=0, purpose="test") as con:
        con.execute("create table t as select 1 as a")
    second = datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)
    made = [snapshot(settings, now=second) for _ in range(5)]
    assert len(set(made)) == 5
    assert sorted(settings.snapshots_dir.glob("*.duckdb")) == made[-3:]
    assert current_snapshot(settings) == made[-1]
    assert not list(settings.snapshots_dir.glob("*incoming*"))


def test_a_snapshot_waits_for_no_run_and_says_so(settings, holder):
    holder(30)
    with pytest.raises(WarehouseBusy):
        snapshot(settings)


def test_without_a_warehouse_there_is_no_snapshot_and_a_remedy(settings):
    with pytest.raises(NoSnapshot, match="servtrade run"):
        snapshot(settings)
    with pytest.raises(NoSnapshot):
        current_snapshot(settings)
