"""What the reader's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.intake import ReaderPool


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    """Two children with the limits of production."""
    with ReaderPool(2) as opened:
        yield opened
