"""The newest entry of the audit log, kept beside the key and not in the database.

Whoever holds the database alone can empty it, cut it short, set it back to an older copy, or write it anew without a
seal; none of these brings back the entry that is named here. Written directly after the act it tells of is committed,
so after an end of the process in between it lags, and is never ahead. What the log has to say to it is in `audit`.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipelines.findings import Wording
from pipelines.ledger.engine import LedgerUnusable
from pipelines.ledger.keys import KeyRing

HEAD_FILE = "audit.head"
_PURPOSE = "audit head kept beside the key"
_MOST_MISSED = 100

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptHead:
    """An entry that was the newest: its number, its hash, and the name of the key that it was sealed with."""

    sequence: int
    entry_hash: str
    key_id: str


@dataclass(frozen=True, slots=True)
class KeptHeads:
    """What is kept: the newest entry, and those that the log no longer had when something was added to it."""

    newest: KeptHead | None = None
    missed: tuple[KeptHead, ...] = ()


def expect_none(ring: KeyRing, is_ledger_empty: Callable[[], bool], shown_url: str) -> None:
    """Raise LedgerUnusable where there was a ledger and now there is none: a new one would hide that it was lost.

    The head is looked for first: who makes a new ledger at the same time writes it last.
    """
    file = _file(ring)
    if file is None or not file.exists() or not is_ledger_empty():
        return
    raise LedgerUnusable(
        Wording(
            f"{shown_url} 中没有账本，而 {file} 表明这里曾有账本：账本已丢失，或地址写错。",
            f"There is no ledger in {shown_url}, yet {file} tells of one that was here: it has been lost, or the "
            "address is wrong.",
        ),
        Wording(
            f"请检查 SERVTRADE_LEDGER_URL，或从备份恢复账本；如确要另建新账本，请先把 {file.name} 移到别处保存。",
            f"Check SERVTRADE_LEDGER_URL, or restore the ledger from a backup; to begin a new one all the same, first "
            f"move {file.name} to another place and keep it.",
        ),
    )


def read(ring: KeyRing) -> KeptHeads | None:
    """What is kept beside the key; None where nothing is. Raises LedgerUnusable for a file that is not as written."""
    file = _file(ring)
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _fault(file, getattr(error, "strerror", None) or str(error)) from error
    key = ring.key_for(_PURPOSE, may_make=False)
    if key is None:
        raise _without_key(ring, file)
    try:
        content = json.loads(text)
        body = content["heads"]
        if not hmac.compare_digest(str(content["seal"]), _seal(key, body)):
            raise _fault(file, "its seal does not fit")
        return KeptHeads(
            None if body["newest"] is None else _head(body["newest"]), tuple(map(_head, body["missed"]))
        )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _fault(file, "not a kept head") from error


def advance(ring: KeyRing, newest: KeptHead, contradicted: KeptHead | None) -> None:
    """Keep the entry that is the newest now. `contradicted` is what was kept and the log does not have: it stays told.

    Called when the act is done: what fails here is written to the program's log, and the next act makes it good.
    """
    try:
        with _alone(ring) as file:
            kept = read(ring) or KeptHeads()
            missed = kept.missed
            if contradicted is not None and kept.newest == contradicted:
                missed = (*missed, contradicted)[:_MOST_MISSED]
            elif kept.newest is not None and kept.newest.sequence >= newest.sequence:
                return  # a later act was quicker
            _write(ring, file, KeptHeads(newest, missed))
    except (OSError, LedgerUnusable) as error:
        _LOG.warning("the head of the audit log could not be kept beside the key: %s", error)


def forget_missed(ring: KeyRing) -> None:
    """Tell no longer of entries that the log does not have: somebody has answered for it, and the log says so."""
    with _alone(ring) as file:
        kept = read(ring) or KeptHeads()
        _write(ring, file, KeptHeads(kept.newest, ()))


def _file(ring: KeyRing) -> Path | None:
    return None if ring.file is None else ring.file.with_name(HEAD_FILE)


@contextmanager
def _alone(ring: KeyRing) -> Iterator[Path]:
    """The file, with no other process or thread at it. Locked is the key's file: this one is replaced as a whole."""
    file = _file(ring)
    if file is None or ring.file is None:
        raise LedgerUnusable("a ledger without a data folder keeps no head")
    descriptor = os.open(ring.file, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(descriptor)


def _write(ring: KeyRing, file: Path, heads: KeptHeads) -> None:
    key = ring.key_for(_PURPOSE, may_make=False)
    if key is None:
        raise _without_key(ring, file)
    body = {
        "newest": None if heads.newest is None else asdict(heads.newest),
        "missed": [asdict(one) for one in heads.missed],
    }
    aside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump({"heads": body, "seal": _seal(key, body)}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


def _seal(key: bytes, body: Any) -> str:
    return hmac.digest(key, json.dumps(body, sort_keys=True, separators=(",", ":")).encode(), sha256).hex()


def _head(content: Any) -> KeptHead:
    return KeptHead(int(content["sequence"]), str(content["entry_hash"]), str(content["key_id"]))


def _without_key(ring: KeyRing, file: Path) -> LedgerUnusable:
    return LedgerUnusable(
        Wording(
            f"密钥 {ring.file} 不见了，而它封存的审计日志首部 {file.name} 还在。",
            f"The key {ring.file} is gone, and the head of the audit log that it sealed, {file.name}, is there.",
        ),
        Wording(
            "请从备份恢复 secrets/ledger.key；没有它不能再记账。",
            "Restore secrets/ledger.key from a backup; nothing more can be recorded without it.",
        ),
    )


def _fault(file: Path, reason: str) -> LedgerUnusable:
    return LedgerUnusable(
        Wording(
            f"密钥旁的审计日志首部 {file} 不能使用（{reason}）。",
            f"The head of the audit log that is kept beside the key, {file}, cannot be used ({reason}).",
        ),
        Wording(
            "请从备份把密钥文件夹整个恢复；确有必要时移走该文件，并用先前导出的首部核验日志（servtrade audit verify --head）。",
            "Restore the folder of the key as a whole; where there is no other way, move the file away and hold the log "
            "to a head that was exported earlier (servtrade audit verify --head).",
        ),
    )
