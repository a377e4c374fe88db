"""Exit codes, and what a failure is called depending on who must act.

Known failures become one bilingual sentence and a code; anything else is a fault of ours: the person gets a
short message, the log file the traceback.
"""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
import traceback
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path

from pipelines.findings import Wording
from pipelines.periods import InvalidPeriod
from pipelines.settings import InvalidSetting


class Exit(IntEnum):
    """What the shell is told. In a batch the gravest file decides: 3 before 1 before 0."""

    OK = 0
    DATA_ERRORS = 1  # read, but with errors or open queries; or a month held back by a table-level fault
    USAGE = 2  # the command was not understood
    REFUSED = 3  # a file could not or must not be read
    ENVIRONMENT = 4  # something is missing or broken on this machine
    CONFLICT = 5  # somebody else is at it, or something is there already
    BUG = 70  # a fault of this program
    INTERRUPTED = 130


class CommandFailed(Exception):
    """The command cannot go on; the wording says why and what to do."""

    def __init__(self, exit_code: Exit, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.exit_code = exit_code
        self.wording = Wording(zh, en)


# Failures of other packages by name, so that naming them imports nothing heavy. Grouped by who must act.
# What the desk refuses as things stand: the wording says why and what to do.
_REFUSED_ACTS = {
    "CannotAct",
    "CannotChangeMonth",
    "CannotChangeRegister",
    "CannotExplain",
    "CannotRemind",
    "NotAllowed",
}
_CONFLICTS = {
    "WarehouseBusy",
    "LedgerConflict",
    "LedgerBusy",
    "LedgerLocked",
    "CannotConfirm",
    "AccountRefused",
    "UnknownAccount",
    *_REFUSED_ACTS,
}
_ENVIRONMENT = {
    "CannotServe",
    "InvalidWords",
    "LedgerUnusable",
    "LedgerMissing",
    "StoreDamaged",
    "WarehouseOutdated",
    # A rule, a query, a layout or a table model that a bureau has changed and that cannot be used as it is.
    "InvalidRule",
    "InvalidLayout",
    "SqlContractError",
    "PublicationModelError",
    "InvalidCatalogue",
    "ReaderCannotStart",
    "NoSnapshot",
    "DraftUnavailable",
    "ReferenceTableBroken",
    "OperationalError",
    "ArgumentError",
    "NoSuchModuleError",
    "UnparseablePortError",
}


def known_failure(error: BaseException) -> CommandFailed | None:
    """The failure as a person should hear it, or None if it is a fault of ours.

    The causes are looked through as well: Dagster wraps what went wrong inside a run.
    """
    for cause in _causes(error):
        if isinstance(cause, CommandFailed):
            return cause
        name = type(cause).__name__
        wording = getattr(cause, "wording", None)
        if name in _CONFLICTS:
            code = Exit.CONFLICT
        elif name in _ENVIRONMENT or isinstance(cause, InvalidSetting | sqlite3.OperationalError):
            code = Exit.ENVIRONMENT
        elif isinstance(cause, InvalidPeriod):
            code = Exit.USAGE
        elif isinstance(cause, PermissionError):
            return CommandFailed(
                Exit.ENVIRONMENT,
                f"没有权限：{cause.filename}。请检查该文件或文件夹的所有者和权限。",
                f"Permission denied: {cause.filename}. Check its owner and mode.",
            )
        elif isinstance(cause, OSError) and cause.errno in _DISK_ERRORS:
            return CommandFailed(
                Exit.ENVIRONMENT,
                f"磁盘无法写入（{os.strerror(cause.errno)}）：{cause.filename or ''}。未完成的内容不会保留，请清理后重试。",
                f"The disk cannot be written ({os.strerror(cause.errno)}): {cause.filename or ''}. "
                "Nothing half-done was kept; make room and try again.",
            )
        else:
            continue
        if isinstance(wording, Wording):
            return CommandFailed(code, wording.zh, wording.en)
        text = str(cause).splitlines()[0] if str(cause) else name
        zh, slash, en = text.partition(" / ")
        if slash and _CHINESE.search(zh):  # both languages in one line, as Dagster passes a wording on
            return CommandFailed(code, zh, en)
        opening, remedy = _ABOUT.get(name, _ABOUT_ANY)
        return CommandFailed(
            code, f"{opening.zh}：{text}。{remedy.zh}", f"{opening.en}: {text.rstrip('.')}. {remedy.en}"
        )
    return None


_CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What a failure that speaks English only is about, and what to do.
_ABOUT: dict[str, tuple[Wording, Wording]] = {
    "InvalidSetting": (
        Wording("环境变量的值不能用", "A setting cannot be used"),
        Wording("请更正或取消该环境变量。", "Correct or unset that environment variable."),
    ),
    "InvalidPeriod": (
        Wording("报告期不能识别", "The period is not understood"),
        Wording("请写作 2020-12。", "Write it as 2020-12."),
    ),
    "StoreDamaged": (
        Wording("存储的文件缺失或已损坏", "A stored file is missing or damaged"),
        Wording("请从备份恢复该文件后重试。", "Restore it from a backup and try again."),
    ),
    "LedgerConflict": (
        Wording("账本刚被别人改动", "Somebody else has just changed the ledger"),
        Wording("请重试。", "Try again."),
    ),
    "LedgerBusy": (
        Wording("账本一直在被改动", "The ledger kept changing"),
        Wording("请稍后重试。", "Try again later."),
    ),
}
_ABOUT_ANY = (
    Wording("本机环境有问题", "Something on this machine is at fault"),
    Wording(
        "请运行 servtrade doctor 查看缺什么、怎么办。",
        "Run servtrade doctor to see what is missing and what to do.",
    ),
)
_DISK_ERRORS = {5, 28, 30, 122}  # EIO, ENOSPC, EROFS, EDQUOT


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        # Dagster keeps the failure of user code as an attribute.
        inner = getattr(current, "user_exception", None)
        current = inner if isinstance(inner, BaseException) else current.__cause__ or current.__context__
    return found


def write_fault_log(error: BaseException, data_dir: Path | None, arguments: list[str]) -> Path:
    """Keep the traceback of a fault of ours where the operator finds it; returns the file."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    text = "\n".join(
        [
            f"servtrade {' '.join(arguments)}",
            datetime.now(UTC).isoformat(),
            "".join(traceback.format_exception(error)),
        ]
    )
    # A mistyped data folder is not made for the sake of a log.
    has_data_dir = data_dir is not None and os.path.isdir(data_dir)  # noqa: PTH112 - False, also where forbidden
    for folder in (data_dir / "logs" if data_dir and has_data_dir else None, Path(tempfile.gettempdir())):
        if folder is None:
            continue
        path = folder / f"servtrade-{stamp}.log"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue  # the next folder may be writable; the last one failing is told by the caller
        return path
    raise RuntimeError("no folder for the fault log can be written") from error
