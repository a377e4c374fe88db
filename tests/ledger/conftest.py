"""A fresh ledger on each database that the project supports, and a bureau with people in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.ledger import Ledger, open_ledger
from pipelines.ledger.profiles import PROFILES, PasswordCost
from tests.ledger.people import Office


@pytest.fixture
def ledger(ledger_url: str, tmp_path: Path, quick_passwords: PasswordCost) -> Iterator[Ledger]:
    with open_ledger(ledger_url, secrets_dir=tmp_path / "secrets", profile=PROFILES["asvs"]) as opened:
        yield opened


@pytest.fixture
def office(ledger: Ledger) -> Office:
    return Office(ledger).open()
