"""The hand-made city as fixtures: empty, filled, or with its tables built."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from publication_city import MONTH, Warehouse, fill


@pytest.fixture(scope="session")
def filled_once() -> Warehouse:
    """The city in December 2020 before anything is built; only for the fixtures below, which leave it as it was."""
    made = Warehouse()
    fill(made, MONTH)
    return made


@pytest.fixture
def empty_warehouse() -> Warehouse:
    """Reference tables and empty indicators."""
    return Warehouse()


@pytest.fixture
def warehouse(filled_once: Warehouse) -> Iterator[Warehouse]:
    """A whole city in December 2020, to change and to build; every change is undone after the test."""
    filled_once.con.execute("begin transaction")
    yield filled_once
    filled_once.con.execute("rollback")


@pytest.fixture(scope="session")
def city() -> Warehouse:
    """The same with its tables, built once, for tests that only look."""
    made = Warehouse()
    fill(made, MONTH)
    made.build()
    return made
