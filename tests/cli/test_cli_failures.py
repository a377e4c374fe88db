"""When something goes wrong: a sentence and the right exit code for who must act, never a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from computed_city import HOUSE, environment, servtrade

from pipelines.cli.exits import CommandFailed, Exit, known_failure
from pipelines.findings import Wording
from pipelines.ledger import LedgerConflict, LedgerUnusable
from pipelines.periods import InvalidPeriod
from pipelines.publication.drafts import DraftUnavailable
from pipelines.settings import InvalidSetting
from pipelines.stores import StoreDamaged

Run = Callable[..., Result]


def test_a_setting_that_cannot_be_is_the_operators_to_mend(tmp_path: Path) -> None:
    done = servtrade(tmp_path, "status", SERVTRADE_READERS="many")
    assert done.returncode == Exit.ENVIRONMENT
    assert "SERVTRADE_READERS" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_ledger_of_an_unknown_kind_is_the_operators_to_mend(tmp_path: Path) -> None:
    done = servtrade(tmp_path, "status", SERVTRADE_LEDGER_URL="oracle://nowhere/ledger")
    assert done.returncode == Exit.ENVIRONMENT
    assert "Traceback" not in done.stderr


def test_a_ledger_that_cannot_be_reached_is_the_operators_to_mend(tmp_path: Path) -> None:
    done = servtrade(
        tmp_path,
        "status",
        SERVTRADE_LEDGER_URL="postgresql+psycopg://nobody@127.0.0.1:9/ledger?connect_timeout=2",
    )
    assert done.returncode == Exit.ENVIRONMENT
    assert "Traceback" not in done.stderr


def test_a_fault_of_ours_is_one_sentence_and_a_log(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pipelines.ledger.book

    def broken(settings: object, *, is_read_only: bool) -> None:
        raise ZeroDivisionError("a fault that nobody foresaw")

    (tmp_path / "data").mkdir()
    monkeypatch.setenv("SERVTRADE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(pipelines.ledger.book, "ledger_of", broken)
    result = run("status", "--lang", "en")
    assert result.exit_code == Exit.BUG
    assert "Traceback" not in result.output
    assert "nobody foresaw" not in result.output
    [log] = (tmp_path / "data" / "logs").iterdir()
    assert str(log) in result.stderr
    assert "ZeroDivisionError: a fault that nobody foresaw" in log.read_text(encoding="utf-8")


def test_a_command_that_is_none_is_a_mistake_in_the_command(tmp_path: Path) -> None:
    done = servtrade(tmp_path, "publish-everything")
    assert done.returncode == Exit.USAGE
    assert "publish-everything" in done.stderr


def test_a_reader_that_stops_listening_is_no_fault(city: Path) -> None:
    program = f"'{sys.executable}' -m pipelines.cli.main register list | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", program],
        cwd=HOUSE,
        env=environment(city),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == Exit.OK
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidSetting("SERVTRADE_X"), Exit.ENVIRONMENT),
        (LedgerUnusable("too new"), Exit.ENVIRONMENT),
        (StoreDamaged("gone"), Exit.ENVIRONMENT),
        (DraftUnavailable(Wording("没有", "none")), Exit.ENVIRONMENT),
        (LedgerConflict("moved on"), Exit.CONFLICT),
        (InvalidPeriod("2019-13"), Exit.USAGE),
        (PermissionError(errno.EACCES, "Permission denied", "/data"), Exit.ENVIRONMENT),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data"), Exit.ENVIRONMENT),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(int(each)),
)
def test_failures_are_grouped_by_who_must_act(error: Exception, code: Exit) -> None:
    failure = known_failure(error)
    assert failure is not None
    assert failure.exit_code == code
    assert failure.wording.zh
    assert failure.wording.en


def test_the_cause_is_found_below_what_wraps_it() -> None:
    wrapped = RuntimeError("step failed")
    wrapped.__cause__ = StoreDamaged("the original is gone")
    failure = known_failure(wrapped)
    assert failure is not None
    assert "the original is gone" in failure.wording.en


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("x"), OSError(errno.ENOENT, "x"), RuntimeError()]
)
def test_what_nobody_foresaw_is_not_explained_away(error: Exception) -> None:
    assert known_failure(error) is None


def test_a_failure_of_a_command_speaks_for_itself() -> None:
    failure = CommandFailed(Exit.CONFLICT, "已存在", "exists")
    assert known_failure(failure) is failure
