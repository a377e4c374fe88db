"""Opening the ledger: SQLite by default, PostgreSQL by URL, migrated to the newest tables.

How connections and transactions behave on each database is here; what is asked of them is in `book`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from pipelines.findings import Wording

MIGRATIONS_DIR = Path(__file__).resolve().parent / "migrations"
HEAD_REVISION = "0005"  # a test compares it with the folder; Alembic is imported only to migrate

_WRITING = "servtrade_writing"
_AFTERWARDS = "servtrade_afterwards"
_TURN = "servtrade_turn"
_BUSY_SECONDS = 30
# "servtrad" in ASCII: the advisory lock under which a PostgreSQL ledger is migrated.
_MIGRATION_LOCK = 0x7365727674726164


class LedgerUnusable(RuntimeError):
    """The ledger cannot be used as it is; the operator must act. `wording` says what is wrong, `remedy` what to do.

    Neither ever holds a password.
    """

    def __init__(self, fault: Wording | str, remedy: Wording | None = None) -> None:
        self.fault = Wording(f"账本无法使用：{fault}", fault) if isinstance(fault, str) else fault
        self.remedy = remedy
        self.wording = Wording(
            self.fault.zh + (remedy.zh if remedy else ""),
            self.fault.en + (f" {remedy.en}" if remedy else ""),
        )
        super().__init__(f"{self.wording.zh} / {self.wording.en}")


class LedgerMissing(LedgerUnusable):
    """There is no ledger at this place, and reading must not make one."""


class LedgerLocked(LedgerUnusable):
    """Somebody else kept the ledger locked for longer than one waits."""


_ALLOWED_URLS = Wording(
    "请在 SERVTRADE_LEDGER_URL 中写 sqlite:///文件 或 postgresql+psycopg://用户:口令@主机/库，或取消该变量以使用默认账本。",
    "Set SERVTRADE_LEDGER_URL to sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or unset it "
    "to use the default ledger.",
)


def open_engine(url: str, *, is_read_only: bool = False) -> Engine:
    """An engine for the ledger's URL; creates the folder of an SQLite file, but no tables.

    With `is_read_only` nothing is created and no permission to write is needed. What the database cannot do is
    raised as LedgerUnusable wherever it happens later. Raises LedgerUnusable for a URL that cannot be used,
    LedgerMissing for an SQLite file that is not there and is only to be read.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError) as error:
        # Not chained: the cause quotes the URL, and in it the password.
        raise LedgerUnusable(
            Wording(
                "SERVTRADE_LEDGER_URL 不是可用的数据库地址。",
                "SERVTRADE_LEDGER_URL is not the URL of a database.",
            ),
            _ALLOWED_URLS,
        ) from (None if "://" in str(error) else error)
    if backend not in ("postgresql", "sqlite"):
        raise LedgerUnusable(
            Wording(
                f"SERVTRADE_LEDGER_URL：不支持 {backend} 数据库。",
                f"SERVTRADE_LEDGER_URL: {backend} is not supported.",
            ),
            _ALLOWED_URLS,
        )
    if backend == "postgresql":
        try:
            engine = create_engine(parsed, pool_pre_ping=True)
        except (SQLAlchemyError, ImportError) as error:
            raise LedgerUnusable(
                Wording(
                    f"SERVTRADE_LEDGER_URL：没有驱动 {parsed.drivername}。",
                    f"SERVTRADE_LEDGER_URL: there is no driver {parsed.drivername}.",
                ),
                _ALLOWED_URLS,
            ) from error
    else:
        engine = _sqlite_engine(parsed, is_read_only=is_read_only)
    event.listen(engine, "handle_error", partial(_tell_what_failed, shown_url(url)))
    return engine


def shown_url(url: str) -> str:
    """The ledger's URL as it may be shown: without the password."""
    try:
        # Drivers take a password among the parameters too, so none of those is shown.
        return make_url(url).set(query={}).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "SERVTRADE_LEDGER_URL"


def _sqlite_engine(parsed: URL, *, is_read_only: bool) -> Engine:
    if parsed.database in (None, "", ":memory:"):
        raise LedgerUnusable(
            Wording(
                "SERVTRADE_LEDGER_URL：内存中的账本不保存任何内容。",
                "SERVTRADE_LEDGER_URL: a ledger in memory keeps nothing.",
            ),
            _ALLOWED_URLS,
        )
    file = Path(str(parsed.database))
    # The pool lends a connection to one thread at a time; none is ever shared.
    arguments = {"timeout": _BUSY_SECONDS, "check_same_thread": False}
    if not is_read_only:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _folder_cannot_be_made(file.parent, error) from error
        engine = create_engine(parsed, connect_args=arguments, pool_size=16, max_overflow=48)
        # SQLite lets whoever waits for the write lock sleep and try again; within a process writers queue instead,
        # and hold no connection while they do.
        engine.update_execution_options(**{_TURN: Lock()})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        is_there = file.is_file()
    except OSError:  # a folder on the way that may not be entered
        is_there = False
    if not is_there:
        raise _nothing_here(file)
    engine = create_engine(
        "sqlite://", creator=partial(_connect_for_reading, file, arguments), poolclass=QueuePool
    )
    event.listen(engine, "connect", _prepare_reading)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connect_for_reading(file: Path, arguments: dict[str, Any]) -> sqlite3.Connection:
    """A connection that changes nothing, also where this user may write neither the file nor its folder."""
    mode = "mode=rw"
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        # Without the log beside it nobody has the ledger open, and SQLite needs to make no file to read it.
        mode = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "mode=ro&immutable=1"
    connection: sqlite3.Connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?{mode}", uri=True, **arguments
    )
    return connection


def _prepare_reading(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (f"pragma busy_timeout = {_BUSY_SECONDS * 1000}", "pragma query_only = on"):
        connection.execute(pragma).close()


def _nothing_here(file: Path) -> LedgerMissing:
    remedy = Wording(
        "请检查路径（--data 或 SERVTRADE_DATA）；如要新建，请运行 servtrade init。",
        "Check the path (--data or SERVTRADE_DATA); to make a new one, run servtrade init.",
    )
    if not file.parent.is_dir():
        return LedgerMissing(
            Wording(f"这里没有数据文件夹：{file.parent}。", f"There is no data folder here: {file.parent}."),
            remedy,
        )
    return LedgerMissing(
        Wording(f"数据文件夹尚未初始化，没有账本：{file}。", f"The data folder has no ledger yet: {file}."),
        remedy,
    )


def _folder_cannot_be_made(folder: Path, error: OSError) -> LedgerUnusable:
    return LedgerUnusable(
        Wording(
            f"无法建立账本所在的文件夹 {folder}（{error.strerror}）。",
            f"The folder of the ledger cannot be made: {folder} ({error.strerror}).",
        ),
        Wording(
            "请换一个可写的位置（--data 或 SERVTRADE_DATA），或更改其权限。",
            "Choose a place that can be written (--data or SERVTRADE_DATA), or change its permissions.",
        ),
    )


# What drivers say, and what it means to the person who has to act: (words of the driver, fault, remedy).
_FAULTS: tuple[tuple[tuple[str, ...], Wording, Wording], ...] = (
    (
        ("readonly database", "read-only"),
        Wording("账本只能读，不能写入", "the ledger can be read but not written"),
        Wording(
            "请让该文件和所在文件夹对当前用户可写（chown、chmod），或以有权限的用户运行。",
            "Let this user write the file and its folder (chown, chmod), or run as a user who may.",
        ),
    ),
    (
        ("unable to open database file",),
        Wording("账本文件打不开", "the file of the ledger cannot be opened"),
        Wording(
            "请检查该文件和所在文件夹是否存在、当前用户是否有权限。",
            "Check that the file and its folder are there and that this user may use them.",
        ),
    ),
    (
        ("not a database", "malformed"),
        Wording("账本文件已损坏，或不是账本", "the file of the ledger is damaged, or is no ledger"),
        Wording("请从备份恢复该文件。", "Restore the file from a backup."),
    ),
    (
        ("disk i/o error", "database or disk is full"),
        Wording("磁盘已满或有故障", "the disk is full or at fault"),
        Wording("请清理或检修磁盘后重试。", "Make room or mend the disk, then try again."),
    ),
    (
        ("authentication failed", "no password supplied", "role ", "permission denied"),
        Wording("数据库拒绝了该用户或口令", "the database refuses this user or password"),
        Wording(
            "请核对 SERVTRADE_LEDGER_URL 中的用户和口令及其权限。",
            "Check user, password and rights in SERVTRADE_LEDGER_URL.",
        ),
    ),
    (
        ("does not exist",),
        Wording("没有这个数据库", "there is no such database"),
        Wording(
            "请核对 SERVTRADE_LEDGER_URL 中的库名，或请数据库管理员建立。",
            "Check the database's name in SERVTRADE_LEDGER_URL, or have it created.",
        ),
    ),
    (
        ("connection", "could not translate", "resolve", "timeout", "server closed"),
        Wording("连不上数据库服务器", "the database server cannot be reached"),
        Wording(
            "请检查服务器是否运行、网络是否通畅，以及 SERVTRADE_LEDGER_URL 中的主机和端口。",
            "Check that the server runs, the network, and host and port in SERVTRADE_LEDGER_URL.",
        ),
    ),
)
_LOCKED = ("database is locked", "database table is locked", "lock timeout")
_OTHER_FAULT = Wording("数据库报告故障", "the database reports a fault")
_OTHER_REMEDY = Wording(
    "请检查数据库后重试，或交给维护人员。", "Check the database and try again, or ask the maintainers."
)


def _tell_what_failed(place: str, context: ExceptionContext) -> None:
    """Raise what the database could not do as LedgerUnusable; leave other errors, which are the caller's."""
    error = context.original_exception
    kinds = type(error).__mro__
    # By name, because each driver has exceptions of its own. DatabaseError itself is SQLite's "not a database".
    is_fault = kinds[0].__name__ == DatabaseError.__name__ or any(
        kind.__name__ == OperationalError.__name__ for kind in kinds
    )
    if context.is_pre_ping or not is_fault:
        return
    said = str(error).lower()
    if any(words in said for words in _LOCKED):
        raise LedgerLocked(
            Wording(f"账本 {place} 正被占用。", f"The ledger {place} is in use."),
            Wording("请稍后重试。", "Try again later."),
        ) from error
    fault, remedy = next(
        ((fault, remedy) for words, fault, remedy in _FAULTS if any(word in said for word in words)),
        (_OTHER_FAULT, _OTHER_REMEDY),
    )
    raise LedgerUnusable(
        Wording(f"账本 {place}：{fault.zh}。", f"The ledger {place}: {fault.en}."), remedy
    ) from error


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
    acts: list[Callable[[], None]] = []
    options = {_WRITING: True, _AFTERWARDS: acts}
    with (
        engine.get_execution_options().get(_TURN) or nullcontext(),
        engine.connect().execution_options(**options) as connection,
        connection.begin(),
    ):
        yield connection
    for act in acts:
        act()


def after_commit(connection: Connection, act: Callable[[], None]) -> None:
    """Do this once what is being written stands in the ledger; not at all if it comes to nothing."""
    acts: list[Callable[[], None]] = connection.get_execution_options()[_AFTERWARDS]
    acts.append(act)


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
            raise _newer_than_we(_revision_in(connection)) from error


def is_empty(engine: Engine) -> bool:
    """Whether nobody has made a ledger here yet."""
    return _revision(engine) is None


def expect_migrated(engine: Engine, url: str) -> None:
    """For readers, who may not migrate: raise unless the tables are those of HEAD_REVISION."""
    revision = _revision(engine)
    if revision == HEAD_REVISION:
        return
    if revision is None:
        raise LedgerMissing(
            Wording(f"{shown_url(url)} 中还没有账本。", f"There is no ledger in {shown_url(url)} yet."),
            Wording("请运行 servtrade init。", "Run servtrade init."),
        )
    if revision < HEAD_REVISION:
        raise LedgerUnusable(
            Wording(
                f"账本的表是旧版（{revision}），需要升级到 {HEAD_REVISION}。",
                f"The ledger's tables are of revision {revision}; this program needs {HEAD_REVISION}.",
            ),
            Wording("请运行 servtrade init 升级。", "Run servtrade init to bring them up to date."),
        )
    raise _newer_than_we(revision)


def _newer_than_we(revision: str | None) -> LedgerUnusable:
    return LedgerUnusable(
        Wording(
            f"账本的表是 {revision!r} 版，本程序最多认识 {HEAD_REVISION} 版。",
            f"The ledger's tables are of revision {revision!r}, which this program does not know (it knows up to "
            f"{HEAD_REVISION}).",
        ),
        Wording(
            "请使用上次打开它的程序，或更新的程序。",
            "Use the program that last opened it, or a newer one.",
        ),
    )


def _revision(engine: Engine) -> str | None:
    with reading(engine) as connection:
        return _revision_in(connection)


def _revision_in(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    try:
        revision: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    except (OperationalError, ProgrammingError) as error:
        raise LedgerUnusable(
            Wording("账本读不出来。", "The ledger cannot be read."),
            Wording("请检查数据库，或从备份恢复。", "Check the database, or restore it from a backup."),
        ) from error
    return revision
