"""The portal's log: one JSON object a line in <data>/logs, for the operator.

It says who asked for which page, how long that took and how it ended; never what stood in a cell, a form or a
cookie. What people did to returns is in the audit log of the ledger, not here.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import datetime
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from pipelines.ledger import SHANGHAI

FILE_NAME = "portal.jsonl"
# Half a year and some: as long as logs have to be kept.
_DAYS_KEPT = 200


class _LogFile(TimedRotatingFileHandler):
    """The file of the log. Where it cannot be written requests are answered all the same: the operator is told once
    on stderr, and how many lines are missing once it can be written again."""

    lost_count = 0

    def emit(self, record: logging.LogRecord) -> None:
        lost_before = self.lost_count
        super().emit(record)
        if self.lost_count and self.lost_count == lost_before:
            self.lost_count = 0
            told = {"time": datetime.now(SHANGHAI).isoformat(timespec="milliseconds"), "event": "lines_lost"}
            line = json.dumps({**told, "level": "warning", "count": lost_before})
            super().emit(logging.makeLogRecord({"msg": line}))

    def handleError(self, record: logging.LogRecord) -> None:
        fault = sys.exc_info()[1]
        if not isinstance(fault, OSError):
            super().handleError(record)
            return
        self.lost_count += 1
        if self.lost_count == 1:
            _tell_operator(self.baseFilename, fault)

    def close(self) -> None:
        try:
            super().close()
        except OSError as fault:  # what could not be written before cannot be written now
            _tell_operator(self.baseFilename, fault)


def _tell_operator(path: str, fault: OSError) -> None:
    reason = fault.strerror or type(fault).__name__
    sys.stderr.write(
        f"日志 {path} 不能写入（{reason}），请求照常处理，但没有记录。请清理或检修磁盘。\n"
        f"The log {path} cannot be written ({reason}): requests are answered but not noted. Make room or mend the disk.\n"
    )


class Journal:
    """The log of one portal. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._handler = _LogFile(
            folder / FILE_NAME, when="midnight", backupCount=_DAYS_KEPT, encoding="utf-8", delay=True
        )
        self._handler.setFormatter(logging.Formatter("%(message)s"))
        # Not registered by name: a second portal in the process (in tests) writes its own file.
        target = logging.Logger("servtrade.portal", logging.INFO)
        target.addHandler(self._handler)
        self._log: Any = structlog.wrap_logger(
            target,
            processors=[
                structlog.processors.add_log_level,
                _in_shanghai,
                structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=False),
            ],
            wrapper_class=structlog.BoundLogger,
        )

    def request(
        self, *, request_id: str, method: str, route: str, status: int, milliseconds: float, login: str
    ) -> None:
        """One request that was answered. `route` is the pattern, not the address: addresses name people's files."""
        self._log.info(
            "request",
            request_id=request_id,
            method=method,
            route=route,
            status=status,
            milliseconds=round(milliseconds, 1),
            login=login,
        )

    def fault(self, *, request_id: str, method: str, route: str, error: BaseException) -> None:
        """A fault of ours: which kind and where in the code.

        Without the text of the exception, which may quote what stood in a cell or a form.
        """
        self._log.error(
            "fault",
            request_id=request_id,
            method=method,
            route=route,
            error=[type(cause).__name__ for cause in _causes(error)],
            where=[
                f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ],
        )

    def note(self, event: str, **facts: str | int | bool) -> None:
        """Something an operator should know of; the caller sees to it that the facts name no person's data."""
        self._log.warning(event, **facts)

    def close(self) -> None:
        """Give the file back."""
        self._handler.close()


def _in_shanghai(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    return {"time": datetime.now(SHANGHAI).isoformat(timespec="milliseconds"), **event}


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found
