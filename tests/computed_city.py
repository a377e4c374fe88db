"""A small city that `servtrade demo` has taken in and computed, made once for all test processes.

Tests that change anything copy the folder first.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[1]
ENTERPRISES, MONTHS, SEED = 12, 3, 7


def environment(data: Path, **more: str) -> dict[str, str]:
    """The environment of a child that works on this data folder; nothing of the caller's settings leaks in."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SERVTRADE_", "DAGSTER_"))
    }
    return {**kept, "SERVTRADE_DATA": str(data), "PYTHONPATH": str(HOUSE), "PYTHONWARNINGS": "", **more}


def servtrade(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """`servtrade` in a process of its own, as a shell would start it."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli.main", *arguments],
        env=environment(data, **more),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )


def computed_city(factory: pytest.TempPathFactory) -> Path:
    """The data folder; the first test process that asks makes it, the others wait for it."""
    base = factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    data = shared / "computed_city"
    with (shared / "computed_city.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (data / "answer.json").exists():
            done = servtrade(
                data,
                *("demo", "--json", "--lang", "en"),
                *("--enterprises", str(ENTERPRISES), "--months", str(MONTHS), "--seed", str(SEED)),
            )
            assert done.returncode == 0, done.stderr
            (data / "answer.json").write_text(done.stdout, encoding="utf-8")
    return data
