"""The key of a bureau's ledger: one file in the data folder, from which a key for each purpose is derived.

It seals the audit log and hides the secrets of second factors. Whoever holds the database alone can then neither
rewrite the log unnoticed nor read those secrets. Nothing here knows what is sealed.
"""

from __future__ import annotations

import hmac
import os
import secrets
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, Engine

from pipelines.findings import Wording
from pipelines.ledger.engine import LedgerUnusable

KEY_FILE = "ledger.key"
_KEY_BYTES = 32
_OPTION = "servtrade_keys"


class KeyRing:
    """The keys of one ledger. `folder` None: a ledger without a data folder, which has no key.

    The file is made at the first need of a key, readable by its owner only, and never replaced.
    """

    def __init__(self, folder: Path | None, *, is_read_only: bool = False) -> None:
        self._folder = folder
        self._is_read_only = is_read_only

    @property
    def file(self) -> Path | None:
        """Where the key is, or would be."""
        return None if self._folder is None else self._folder / KEY_FILE

    def key_for(self, purpose: str, *, may_make: bool = True) -> bytes | None:
        """32 bytes for one purpose; None where there is no key (and none may be made).

        Raises LedgerUnusable for a file that cannot be read or holds no key.
        """
        master = self._master if may_make and not self._is_read_only else self._master_if_there
        return None if master is None else hmac.digest(master, purpose.encode(), sha256)

    @cached_property
    def _master(self) -> bytes | None:
        file = self.file
        if file is None:
            return None
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not file.exists():
                self._make(file)
        except OSError as error:
            raise _key_fault(file, error.strerror or str(error)) from error
        return self._master_if_there

    @property
    def _master_if_there(self) -> bytes | None:
        file = self.file
        if file is None:
            return None
        try:
            text = file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _key_fault(file, getattr(error, "strerror", None) or str(error)) from error
        try:
            master = bytes.fromhex(text)
        except ValueError as error:
            raise _key_fault(file, "not a key") from error
        if len(master) != _KEY_BYTES:
            raise _key_fault(file, "not a key")
        return master

    @staticmethod
    def _make(file: Path) -> None:
        aside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(secrets.token_hex(_KEY_BYTES) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            # Of several processes that start at once one makes the key; linking never replaces what is there.
            try:
                os.link(aside, file)
            except FileExistsError:
                return
        finally:
            aside.unlink()


def _key_fault(file: Path, reason: str) -> LedgerUnusable:
    return LedgerUnusable(
        Wording(f"密钥文件 {file} 不能使用（{reason}）。", f"The key file {file} cannot be used ({reason})."),
        Wording(
            "请核对其权限，或从备份恢复；审计日志和二次验证都要用它。",
            "Check its owner and mode, or restore it from a backup; the audit log and second factors need it.",
        ),
    )


def give_keys(engine: Engine, ring: KeyRing) -> None:
    """Let every connection of this engine find the ring."""
    engine.update_execution_options(**{_OPTION: ring})


def keys_of(connection: Connection | Engine) -> KeyRing:
    """The ring of the ledger that this connection or engine is to."""
    ring = connection.get_execution_options().get(_OPTION)
    return ring if isinstance(ring, KeyRing) else KeyRing(None)
