"""A fresh ledger on each database that the project supports, and a bureau with people in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from pipelines.ledger import Ledger, open_ledger, passwords
from tests.ledger.people import Office


@pytest.fixture
def ledger(ledger_url: str, tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(ledger_url, secrets_dir=tmp_path / "secrets") as opened:
        yield opened


@pytest.fixture
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed with little effort: these tests are about who comes in, not about how long it takes."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys_hash.cache_clear()


@pytest.fixture
def office(ledger: Ledger, quick_hash: None) -> Iterator[Office]:
    yield Office(ledger).open()
    passwords._nobodys_hash.cache_clear()
