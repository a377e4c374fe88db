"""A fresh ledger on each database that the project supports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.ledger import Ledger, open_ledger


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with open_ledger(ledger_url) as opened:
        yield opened
