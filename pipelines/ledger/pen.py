"""The pen of the ledger: whoever writes takes it first, so that what one reads under it nobody else changes.

Small helpers for statements of any length too; what is written is the business of the modules that write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert, select, update

from pipelines.ledger import tables as t

_IDS_A_QUERY = 5_000  # well below the parameter limits of both databases
_SUBMISSIONS = "submission"

_T = TypeVar("_T")


def advance(connection: Connection, by: int) -> int:
    """Add to the counter of submissions and give its value. The row stays locked until the transaction ends."""
    connection.execute(
        update(t.counter).where(t.counter.c.name == _SUBMISSIONS).values(value=t.counter.c.value + by)
    )
    return last_sequence(connection)


def take_the_pen(connection: Connection) -> int:
    """Wait until nobody else writes, and let nobody write until this transaction ends; the last sequence given."""
    return advance(connection, 0)


def last_sequence(connection: Connection) -> int:
    """Sequence of the last submission recorded; 0 before the first."""
    value: int = connection.execute(
        select(t.counter.c.value).where(t.counter.c.name == _SUBMISSIONS)
    ).scalar_one()
    return value


def insert_many(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows, also when there are none."""
    listed = list(rows)
    if listed:  # an empty list would insert one row of defaults
        connection.execute(insert(table), listed)


def chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    """Values in lists short enough for one statement."""
    iterator = iter(values)
    while chunk := list(islice(iterator, _IDS_A_QUERY)):
        yield chunk
