"""A run that is killed, wherever that may be, leaves nothing half-done, and the next run completes it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from submit_and_die import IN_THE_TRANSACTION

HERE = Path(__file__).resolve().parent
HOUSE = HERE.parents[1]
# The audit chain seals the moment of each entry with the key of its folder, so its hashes differ from run to run.
# The hash chain of the audit log is over moments and, in each data folder, under a key of its own.
CLOCK_COLUMNS = {"recorded_at", "decided_at", "at", "previous_hash", "entry_hash", "key_id", "seal"}


def run(data_dir: Path, moment: str = "", times: int = 0) -> int:
    done = subprocess.run(
        [sys.executable, str(HERE / "submit_and_die.py"), str(data_dir), moment, str(times)],
        cwd=HOUSE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{HOUSE}:{HERE}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 9), done.stderr
    return done.returncode


def state_of(data_dir: Path) -> dict[str, Any]:
    """Every row of the ledger but the clock's, and every stored file by name and content."""
    state: dict[str, Any] = {}
    with sqlite3.connect(data_dir / "ledger.sqlite") as connection:
        tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
            kept = ", ".join(column for column in columns if column not in CLOCK_COLUMNS)
            state[table] = sorted(map(repr, connection.execute(f"select {kept} from {table}")))
    for store in ("originals", "lines"):
        state[store] = {
            str(path.relative_to(data_dir)): path.read_bytes()
            for path in sorted((data_dir / store).rglob("*"))
            if path.is_file() and not path.name.startswith(".incoming-")
        }
    return state


def check_whole(data_dir: Path) -> None:
    """Whatever the ledger says is there: originals, lines, findings; and nothing of a batch without the rest."""
    with sqlite3.connect(data_dir / "ledger.sqlite") as connection:
        counted = dict(connection.execute("select batch_id, submission_count from batch"))
        found = dict(connection.execute("select batch_id, count(*) from submission group by batch_id"))
        assert found == counted
        for sha256, lines_file in connection.execute("select sha256, lines_file from submission"):
            assert (data_dir / "originals" / sha256[:2] / sha256).is_file()
            assert not lines_file or (data_dir / "lines" / lines_file).is_file()
        total, highest = connection.execute(
            "select count(*), coalesce(max(sequence), 0) from submission"
        ).fetchone()
        assert total == highest


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    data_dir = tmp_path_factory.mktemp("uninterrupted")
    assert run(data_dir) == 0
    check_whole(data_dir)
    state = state_of(data_dir)
    assert len(state["submission"]) == 28
    assert len(state["filing"]) == 29
    return state


@pytest.mark.parametrize(
    ("moment", "times"),
    [
        ("an original is placed", 7),
        ("a pass is judged", 2),
        ("originals are durable", 2),
        ("lines are written", 3),
        ("a batch is recorded", 1),
        ("a batch is recorded", 4),
        (IN_THE_TRANSACTION, 1),
        (IN_THE_TRANSACTION, 4),
    ],
)
def test_a_run_killed_after_a_moment_is_completed_by_the_next(
    tmp_path: Path, uninterrupted: dict[str, Any], moment: str, times: int
) -> None:
    assert run(tmp_path, moment, times) == 9
    check_whole(tmp_path)
    assert run(tmp_path) == 0
    check_whole(tmp_path)
    assert state_of(tmp_path) == uninterrupted


def test_running_again_after_a_whole_run_changes_nothing(
    tmp_path: Path, uninterrupted: dict[str, Any]
) -> None:
    run(tmp_path)
    run(tmp_path)
    assert state_of(tmp_path) == uninterrupted
