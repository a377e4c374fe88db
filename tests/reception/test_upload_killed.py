"""A portal killed while it works through an upload loses no file of it and says of each what it would have said."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_killed import check_whole

HERE = Path(__file__).resolve().parent
HOUSE = HERE.parents[1]


def run(data_dir: Path, errand: str, moment: str = "", times: int = 0) -> tuple[bool, list[str]]:
    """Whether it lived to the end, and what it printed."""
    done = subprocess.run(
        [sys.executable, str(HERE / "upload_and_die.py"), str(data_dir), errand, moment, str(times)],
        cwd=HOUSE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{HOUSE}:{HERE}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode == 0, done.stdout.splitlines()


def counts(data_dir: Path) -> dict[str, int]:
    with sqlite3.connect(data_dir / "ledger.sqlite") as connection:
        return {
            table: connection.execute(f"select count(*) from {table}").fetchone()[0]
            for table in ("submission", "filing", "finding", "upload", "upload_file")
        }


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, int]]:
    data_dir = tmp_path_factory.mktemp("uninterrupted")
    lived, printed = run(data_dir, "hand in")
    assert lived
    check_whole(data_dir)
    return json.loads(printed[-1]), counts(data_dir)


@pytest.mark.parametrize(
    ("moment", "times"),
    [
        ("the upload is queued", 1),
        ("a pass is judged", 1),
        ("a batch is recorded", 5),
        ("files are finished", 1),
    ],
)
def test_an_upload_killed_after_a_moment_goes_on_in_the_next_process(
    tmp_path: Path, uninterrupted: tuple[Any, dict[str, int]], moment: str, times: int
) -> None:
    lived, _ = run(tmp_path, "hand in", moment, times)
    assert not lived
    check_whole(tmp_path)
    lived, printed = run(tmp_path, "go on")
    assert lived
    check_whole(tmp_path)
    assert (json.loads(printed[-1]), counts(tmp_path)) == uninterrupted


def test_an_upload_that_was_not_acknowledged_is_not_half_there(tmp_path: Path) -> None:
    lived, printed = run(tmp_path, "hand in", "originals are durable", 1)
    assert (lived, printed) == (False, [])
    assert counts(tmp_path)["upload_file"] == 0
