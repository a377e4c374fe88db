"""Opening the bureau's stores for a command; and Dagster's folder, prepared the same way for every caller."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.exits import CommandFailed, Exit
from pipelines.cli.words import SENTENCES
from pipelines.paths import HOUSE_DIR
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.ledger import Ledger
    from pipelines.ledger.actors import Actor

DAGSTER_FILE = "dagster.yaml"
_LOGIN_USER = Path("/proc/self/loginuid")
_NOBODY = 2**32 - 1  # how the system says that nobody logged in: a service, a container


@contextmanager
def ledger_of(settings: Settings) -> Iterator[Ledger]:
    """The ledger for writing, made and migrated where needed, closed at the end. Raises LedgerUnusable."""
    from pipelines.ledger import book

    with book.ledger_of(settings) as ledger:
        yield ledger


@contextmanager
def ledger_to_read(settings: Settings) -> Iterator[Ledger]:
    """The ledger for reading: nothing is made, no permission to write is needed.

    Raises LedgerMissing where there is no data folder or no ledger in it, LedgerUnusable for other faults.
    """
    from pipelines.ledger import book

    with book.ledger_of(settings, is_read_only=True) as ledger:
        yield ledger


def expect_data_folder(settings: Settings) -> None:
    """Raise CommandFailed (environment) unless the data folder is there; for commands that read below it."""
    try:
        is_there = settings.data_dir.is_dir()
    except OSError:  # a folder on the way that may not be entered
        is_there = False
    if not is_there:
        zh, en = SENTENCES["no_data_folder"]
        raise CommandFailed(
            Exit.ENVIRONMENT, zh.format(path=settings.data_dir), en.format(path=settings.data_dir)
        )


def person() -> str:
    """Who is at the keyboard, for the record: the name by which the system knows them.

    Who logged in, also behind sudo, where the system keeps that; else the user of this process. Nothing that the
    person can set in the environment.
    """
    user = os.getuid()
    try:
        logged_in = int(_LOGIN_USER.read_text(encoding="ascii"))
    except (OSError, ValueError):
        logged_in = _NOBODY
    if logged_in != _NOBODY:
        user = logged_in
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"uid {user}"


def acting(by: str | None) -> Actor:
    """Who acts at this machine: the person at the keyboard, or whom that person names; both count as having acted."""
    from pipelines.ledger.actors import Actor

    return Actor.operator(person(), by=(by or "").strip())


def dagster_template() -> Path:
    """The dagster.yaml of this version: at the root of a checkout, beside `assets` in a wheel."""
    for path in (HOUSE_DIR / DAGSTER_FILE, HOUSE_DIR / "assets" / DAGSTER_FILE):
        if path.is_file():
            return path
    raise FileNotFoundError(f"{HOUSE_DIR / DAGSTER_FILE}: the installation is incomplete; install it again")


def prepare_dagster(settings: Settings) -> Path:
    """Make <data>/dagster the DAGSTER_HOME of this process, with our dagster.yaml unless it has one; the folder."""
    home = settings.dagster_dir
    home.mkdir(parents=True, exist_ok=True)
    target = home / DAGSTER_FILE
    if not target.exists():
        aside = home / f".{DAGSTER_FILE}.incoming"
        aside.write_bytes(dagster_template().read_bytes())
        aside.replace(target)
    os.environ["DAGSTER_HOME"] = str(home)
    # What a run of many months plans and materialises is written in batches (assets/event_log.py).
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
    os.environ["SERVTRADE_DATA"] = str(settings.data_dir)
    return home


def prepare_folders(settings: Settings) -> None:
    """Every folder of the data folder that is ours to make."""
    for folder in (
        settings.data_dir,
        settings.originals_dir,
        settings.lines_dir,
        settings.inbox_dir,
        settings.drafts_dir,
        settings.snapshots_dir,
        settings.data_dir / "logs",
    ):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            zh, en = SENTENCES["no_folder_made"]
            facts = {"path": folder, "reason": error.strerror}
            raise CommandFailed(Exit.ENVIRONMENT, zh.format(**facts), en.format(**facts)) from error
