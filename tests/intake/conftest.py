"""What the reader's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.intake import ReaderPool
from pipelines.intake.layouts import layout_book
from pipelines.intake.template import Stationery
from pipelines.validation.form_limits import form_limits

from .forms_by_hand import MARCH, fill


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    """Two children with the limits of production."""
    with ReaderPool(2) as opened:
        yield opened


@pytest.fixture(scope="session")
def stationery() -> Stationery:
    """Blank forms of March 2026, with the limits of the rules."""
    return Stationery(layout_book(), MARCH, form_limits(), 10)


@pytest.fixture(scope="session")
def filled(stationery: Stationery) -> bytes:
    """The March workbook as a clerk fills it."""
    return fill(stationery)
