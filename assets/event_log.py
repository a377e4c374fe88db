"""Where Dagster keeps its events: one SQLite file that stays open.

Dagster's own SQLite storage makes a new engine, and so a new connection and a new statement cache, for every
event it writes. A month of this project is some eight hundred events, and two years in one run three thousand;
with one engine kept open they take a fifth of the time (24 months of 60 tables: 4.4 s against 30 s), and the
file, its tables and its meaning stay Dagster's. A bureau with PostgreSQL sets Dagster's own storage instead
(docs/dagster.md), and this module is not used.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy
from dagster import EventLogEntry
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.event_log.polling_event_watcher import SqlPollingEventWatcher
from sqlalchemy import Connection, Engine
from sqlalchemy.pool import QueuePool

_BUSY_TIMEOUT_SECONDS = 60


class OneFileEventLog(ConsolidatedSqliteEventLogStorage):
    """Dagster's consolidated SQLite event log with one engine for the life of the process.

    Watching a run polls instead of watching the file: in write-ahead mode the file itself does not change
    with every event.
    """

    @cached_property
    def _engine(self) -> Engine:
        engine = sqlalchemy.create_engine(
            self._conn_string,
            poolclass=QueuePool,
            max_overflow=-1,  # the pages ask from many threads at once; none of them should wait for another
            connect_args={"timeout": _BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )

        @sqlalchemy.event.listens_for(engine, "connect")
        def _prepare(connection: Any, _record: Any) -> None:
            # NORMAL never corrupts in write-ahead mode; a power cut may lose the last events of a run,
            # which is then run again.
            connection.execute("pragma synchronous = normal")

        return engine

    @cached_property
    def _watcher(self) -> SqlPollingEventWatcher:
        return SqlPollingEventWatcher(self)

    @cached_property
    def _current(self) -> threading.local:
        """The open transaction of a thread, while it stores an event or a batch of them."""
        return threading.local()

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        open_one: Connection | None = getattr(self._current, "connection", None)
        if open_one is not None:
            yield open_one
            return
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _one_transaction(self) -> Iterator[None]:
        with self._connect() as connection:
            outermost = getattr(self._current, "connection", None) is None
            self._current.connection = connection
            try:
                yield
            finally:
                if outermost:
                    self._current.connection = None

    def store_event(self, event: EventLogEntry) -> None:
        """An event with all that it changes in one transaction instead of three."""
        with self._one_transaction():
            super().store_event(event)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Many events in one transaction (DAGSTER_EVENT_BATCH_SIZE asks for batches)."""
        with self._one_transaction():
            for event in events:
                super().store_event(event)

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        """Asked before every event; the file is made with the newest tables, so the answer never changes."""
        known: dict[str, bool] = self.__dict__.setdefault("_known_asset_columns", {})
        if column_name not in known:
            known[column_name] = super()._has_asset_key_col_on_connection(conn, column_name)
        return known[column_name]

    def has_table(self, table_name: str) -> bool:
        with self._connect() as connection:
            return bool(sqlalchemy.inspect(connection).has_table(table_name))

    def watch(self, run_id: str, cursor: str | None, callback: Callable[[Any, str], None]) -> None:
        self._watcher.watch_run(run_id, cursor, callback)

    def end_watch(self, run_id: str, handler: Callable[[Any, str], None]) -> None:
        self._watcher.unwatch_run(run_id, handler)

    def dispose(self) -> None:
        if "_watcher" in self.__dict__:
            self._watcher.close()
        if "_engine" in self.__dict__:
            self._engine.dispose()
