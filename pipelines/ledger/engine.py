"""Opening the ledger: SQLite by default, PostgreSQL by URL, migrated to the newest tables.

How connections and transactions behave on each database is here; what is asked of them is in `book`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

MIGRATIONS_DIR = Path(__file__).resolve().parent / "migrations"
HEAD_REVISION = "0001"  # a test compares it with the folder; Alembic is imported only to migrate

_WRITING = "servtrade_writing"
_BUSY_SECONDS = 30
# "servtrad" in ASCII: the advisory lock under which a PostgreSQL ledger is migrated.
_MIGRATION_LOCK = 0x7365727674726164


class LedgerUnusable(RuntimeError):
    """The ledger's URL cannot be used, or its tables are newer than this program; the operator must act."""


def open_engine(url: str) -> Engine:
    """An engine for the ledger's URL; creates the folder of an SQLite file, but no tables."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return create_engine(parsed, pool_pre_ping=True)
    if backend != "sqlite":
        raise LedgerUnusable(
            f"SERVTRADE_LEDGER_URL: {backend} is not supported; use sqlite:///FILE or postgresql+psycopg://..."
        )
    if parsed.database in (None, "", ":memory:"):
        raise LedgerUnusable("SERVTRADE_LEDGER_URL: a ledger in memory keeps nothing; use sqlite:///FILE")
    Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
    # The pool lends a connection to one thread at a time; none is ever shared.
    engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, so that reading does not lock and DDL rolls back
    for pragma in (
        f"pragma busy_timeout = {_BUSY_SECONDS * 1000}",
        "pragma journal_mode = wal",
        "pragma synchronous = full",  # what was acknowledged survives a power cut
        "pragma foreign_keys = on",
    ):
        connection.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    # IMMEDIATE takes the write lock at once and waits for it; a lock taken half-way could only fail.
    connection.exec_driver_sql("begin immediate" if writing else "begin")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, over one state of the ledger."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it or nothing."""
    with engine.connect().execution_options(**{_WRITING: True}) as connection, connection.begin():
        yield connection


def migrate(engine: Engine) -> None:
    """Bring the tables to HEAD_REVISION; when several processes start at once, one does it and the others wait.

    Raises LedgerUnusable when the ledger is newer than the program.
    """
    if _revision(engine) == HEAD_REVISION:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise LedgerUnusable(
                f"the ledger's tables are of revision {_revision_in(connection)!r}, which this program does not "
                f"know (it knows up to {HEAD_REVISION}); use the program that last opened it, or a newer one"
            ) from error


def _revision(engine: Engine) -> str | None:
    with reading(engine) as connection:
        return _revision_in(connection)


def _revision_in(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    try:
        revision: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    except (OperationalError, ProgrammingError) as error:
        raise LedgerUnusable(f"the ledger cannot be read: {error.orig}") from error
    return revision
