"""Opening the bureau's stores for a command; and Dagster's folder, prepared the same way for every caller."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.paths import HOUSE_DIR
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.ledger import Ledger

DAGSTER_FILE = "dagster.yaml"


@contextmanager
def ledger_of(settings: Settings) -> Iterator[Ledger]:
    """The ledger, migrated, closed at the end."""
    from pipelines.ledger import open_ledger

    with open_ledger(settings.ledger_url) as ledger:
        yield ledger


def person() -> str:
    """Who is at the keyboard, for the record: the name by which the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


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
        folder.mkdir(parents=True, exist_ok=True)
