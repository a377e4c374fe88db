"""The audit log: who did what to what, when, from where and why; only ever added to, and chained by hashes.

An entry is written in the transaction of the act it tells of, so that neither is there without the other. What may
stand in it: names, codes, states and reasons; never a cell's value, a password or a token. Which acts there are is
the business of the modules that do them.
"""

from __future__ import annotations

import csv
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from hashlib import sha256
from typing import Any, Literal, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    exists,
    func,
    insert,
    select,
    true,
    update,
)

from pipelines.findings import Wording
from pipelines.ledger import kept_head
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, NotAllowed, Role
from pipelines.ledger.engine import LedgerUnusable, after_commit, reading, writing
from pipelines.ledger.kept_head import KeptHead, KeptHeads
from pipelines.ledger.keys import KeyRing, keys_of
from pipelines.ledger.shapes import SHANGHAI
from pipelines.records import storable_text

GENESIS_HASH = "0" * 64  # what the first entry follows
_HEAD = "audit"
_UNKNOWN_KEY = "key_unknown"
_ENTRY_KEY = "audit entry"
_HEAD_KEY = "audit head"
_CHUNK = 5_000
_CLOCK_TOLERANCE = timedelta(minutes=2)
_MAX_OBJECT_ID_LENGTH = 200
_FIRST_DAY = date(1980, 1, 1)  # nothing was written down before; what is asked further back means this

EXPORT_COLUMNS = (
    "sequence",
    "at",
    "actor",
    "account_id",
    "action",
    "object_kind",
    "object_id",
    "old",
    "new",
    "reason",
    "address",
    "key_id",
    "previous_hash",
    "entry_hash",
)


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One act as it is told to the log; `old` and `new` are what JSON can hold, None where there is nothing."""

    action: str
    object_kind: str
    object_id: str
    old: Any = None
    new: Any = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry of the log. `account_id` is empty for acts of the machine; `address` for acts on the machine."""

    sequence: int
    at: datetime
    actor: str
    account_id: int | None
    action: str
    object_kind: str
    object_id: str
    old: Any
    new: Any
    reason: str
    address: str
    key_id: str
    previous_hash: str
    entry_hash: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; what is empty does not matter.

    action   the action itself, or its beginning up to a dot: `account` finds `account.created`
    since    first day (Shanghai), until: last day, both included
    """

    actor: str = ""
    action: str = ""
    object_kind: str = ""
    object_id: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the log, newest entry first. Pages count from 1; an empty log has one empty page."""

    entries: list[AuditEntry]
    page: int
    page_count: int
    entry_count: int


@dataclass(frozen=True, slots=True)
class AuditFault:
    """Something about the log that is not as it was written.

    kind         changed, missing, unlinked, beyond_head, tail_missing, unkeyed, key_unknown, head_changed,
                 head_lost (an exported head that the log no longer bears out), kept_lost (the same of the head
                 beside the key: emptied, cut short, set back to an older copy, or written anew), unkept (sealed, and
                 no head beside the key), kept_behind, clock_back
    is_tampering false for what only deserves a look: the machine's clock was set back, or a process ended before it
                 could keep the head of its last act; and for `key_unknown` where the key of the ledger is not here, so
                 that nothing can be said for or against the log (`is_unchecked`)

    A run of entries of one kind is one fault, at its first entry.
    """

    sequence: int
    kind: str
    wording: Wording
    is_tampering: bool = True

    @property
    def is_unchecked(self) -> bool:
        """Whether this says that the log can be called neither whole nor changed."""
        return self.kind == _UNKNOWN_KEY and not self.is_tampering


def is_whole(faults: Iterable[AuditFault]) -> bool | None:
    """What the faults add up to: False for a log that is not as it was written, None where that cannot be told."""
    told = list(faults)
    if any(fault.is_tampering for fault in told):
        return False
    return None if any(fault.is_unchecked for fault in told) else True


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The newest entry's number and hash, sealed with the ledger's key: kept elsewhere, it shows a log cut short.

    signature  HMAC-SHA-256 in hexadecimal; empty where the ledger has no key
    """

    sequence: int
    entry_hash: str
    exported_at: str
    key_id: str
    signature: str

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> SignedHead:
        """Raises ValueError for what is no head."""
        try:
            return cls(
                int(content["sequence"]),
                str(content["entry_hash"]),
                str(content["exported_at"]),
                str(content["key_id"]),
                str(content["signature"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError("不是审计日志的签名首部 / not a signed head of an audit log") from error


class TextSink(Protocol):
    """Something that text can be written to."""

    def write(self, text: str, /) -> object: ...


def hold(connection: Connection) -> None:
    """Take the log's place in line: until this transaction ends nobody else appends.

    For acts that must read what they decide on under the same lock. Acts on submissions take the ledger's counter
    first and need not call this.
    """
    head = t.audit_head
    connection.execute(update(head).where(head.c.name == _HEAD).values(sequence=head.c.sequence))


def append(
    connection: Connection,
    actor: Actor,
    action: str,
    object_kind: str,
    object_id: str,
    *,
    old: Any = None,
    new: Any = None,
    reason: str = "",
) -> None:
    """Write down one act, in the transaction in which it is done."""
    append_many(connection, actor, [NewEntry(action, object_kind, object_id, old, new, reason)])


def append_many(connection: Connection, actor: Actor, entries: Iterable[NewEntry]) -> None:
    """Write down many acts of one actor at once: one lock, one insert, however many they are.

    Raises TypeError for a value that JSON cannot hold exactly (a float among them), LedgerUnusable when the key
    that earlier entries were sealed with is gone.
    """
    listed = list(entries)
    if not listed:
        return
    head = t.audit_head
    connection.execute(
        update(head).where(head.c.name == _HEAD).values(sequence=head.c.sequence + len(listed))
    )
    state = connection.execute(select(head).where(head.c.name == _HEAD)).one()
    ring = keys_of(connection)
    # A key is made at the first entry; where entries are sealed already, a new one would only hide that it is lost.
    kept = (kept_head.read(ring) or KeptHeads()).newest
    key = ring.key_for(_ENTRY_KEY, may_make=not state.key_id and kept is None)
    key_id = key_id_of(key)
    if state.key_id and key_id != state.key_id:
        raise _wrong_key(state.key_id)
    contradicted = kept if _is_contradicted(connection, kept, state.sequence - len(listed)) else None
    now = datetime.now(UTC)
    previous_hash = state.entry_hash
    rows = []
    for sequence, entry in enumerate(listed, start=state.sequence - len(listed) + 1):
        row: dict[str, Any] = {
            "sequence": sequence,
            "at": now,
            "actor": storable_text(actor.name),
            "account_id": actor.account_id,
            "action": entry.action,
            "object_kind": entry.object_kind,
            "object_id": storable_text(entry.object_id)[:_MAX_OBJECT_ID_LENGTH],
            "old": _plain(entry.old),
            "new": _plain(entry.new),
            "reason": storable_text(entry.reason),
            "address": storable_text(actor.address),
            "key_id": key_id,
            "previous_hash": previous_hash,
        }
        previous_hash = row["entry_hash"] = _hash_of(row, key)
        rows.append(row)
    connection.execute(insert(t.audit_entry), rows)
    connection.execute(
        update(head)
        .where(head.c.name == _HEAD)
        .values(
            entry_hash=previous_hash,
            key_id=key_id,
            seal=_seal(ring_key(connection), state.sequence, previous_hash),
        )
    )
    if key is not None:
        newest = KeptHead(state.sequence, previous_hash, key_id)
        after_commit(connection, partial(kept_head.advance, ring, newest, contradicted))


def _is_contradicted(connection: Connection, kept: KeptHead | None, last: int) -> bool:
    """Whether the log, with so many entries, does not have the entry that is kept beside the key."""
    if kept is None:
        return False
    column = t.audit_entry.c
    found = connection.execute(
        select(column.entry_hash).where(column.sequence == kept.sequence, column.sequence <= last)
    ).scalar()
    return bool(found != kept.entry_hash)


def ring_key(connection: Connection) -> bytes | None:
    """The key that heads are sealed with, or None for a ledger without a key."""
    return keys_of(connection).key_for(_HEAD_KEY, may_make=False)


def key_id_of(key: bytes | None) -> str:
    """A name for a key that says nothing about it; empty for none."""
    return "" if key is None else sha256(b"key id of " + key).hexdigest()[:16]


def _wrong_key(key_id: str) -> LedgerUnusable:
    return LedgerUnusable(
        Wording(
            f"审计日志是用密钥 {key_id} 封存的，数据文件夹中没有这把密钥。",
            f"The audit log is sealed with the key {key_id}, which is not in the data folder.",
        ),
        Wording(
            "请从备份恢复 secrets/ledger.key；没有它不能再记账。",
            "Restore secrets/ledger.key from a backup; nothing more can be recorded without it.",
        ),
    )


def _plain(value: Any) -> Any:
    """A value as JSON holds it and gives it back exactly. Raises TypeError for any other."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {storable_text(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(one) for one in value), key=str)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} cannot stand in the audit log: {value!r}")


def _canonical(row: Mapping[str, Any]) -> bytes:
    """The bytes that are hashed: everything of an entry but its own hash, in one order and one spelling."""
    content = {**row, "at": row["at"].astimezone(UTC).isoformat(timespec="microseconds")}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _hash_of(row: Mapping[str, Any], key: bytes | None) -> str:
    content = _canonical(row)
    return sha256(content).hexdigest() if key is None else hmac.digest(key, content, sha256).hex()


def _seal(key: bytes | None, *parts: object) -> str:
    if key is None:
        return ""
    return hmac.digest(key, "|".join(str(part) for part in parts).encode(), sha256).hex()


class AuditLog:
    """The log of one ledger, for those who may read it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def entries(
        self, filters: AuditFilter | None = None, page: int = 1, *, reader: Actor, page_size: int = 50
    ) -> AuditPage:
        """A page of the entries that meet the filters, newest first.

        Raises NotAllowed for anybody but the audit administrator.
        """
        _expect_reader(reader)
        where = _where(filters or AuditFilter())
        entry = t.audit_entry
        with reading(self._engine) as connection:
            count = connection.execute(select(func.count()).select_from(entry).where(where)).scalar_one()
            page_count = max(1, -(-count // page_size))
            page = min(max(page, 1), page_count)
            rows = connection.execute(
                select(entry)
                .where(where)
                .order_by(entry.c.sequence.desc())
                .limit(page_size)
                .offset((page - 1) * page_size)
            ).all()
        return AuditPage([_entry_of(row) for row in rows], page, page_count, count)

    def trail(self, object_kind: str, object_id: str) -> list[AuditEntry]:
        """Everything that was done to one thing, earliest first; the caller answers for who sees it."""
        entry = t.audit_entry
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(entry)
                .where(entry.c.object_kind == object_kind, entry.c.object_id == object_id)
                .order_by(entry.c.sequence)
            ).all()
        return [_entry_of(row) for row in rows]

    def record(self, actor: Actor, entries: Iterable[NewEntry]) -> None:
        """Write down acts that change nothing else: a download, an export, a page that was refused."""
        with writing(self._engine) as connection:
            append_many(connection, actor, entries)

    def key_fault(self) -> LedgerUnusable | None:
        """Why nothing can be added to this log: the key that it is sealed with is not here. None where it is."""
        with reading(self._engine) as connection:
            sealed_with = connection.execute(
                select(t.audit_head.c.key_id).where(t.audit_head.c.name == _HEAD)
            ).scalar()
            try:
                key = keys_of(connection).key_for(_ENTRY_KEY, may_make=False)
            except LedgerUnusable as error:
                return error
        return _wrong_key(sealed_with) if sealed_with and sealed_with != key_id_of(key) else None

    def head(self) -> SignedHead:
        """The newest entry's number and hash, signed, to be kept on another machine or on paper."""
        with reading(self._engine) as connection:
            state = connection.execute(select(t.audit_head).where(t.audit_head.c.name == _HEAD)).one()
            key = ring_key(connection)
        exported_at = datetime.now(SHANGHAI).isoformat(timespec="seconds")
        facts = (state.sequence, state.entry_hash, exported_at, state.key_id)
        return SignedHead(*facts, _seal(key, "exported", *facts))

    def export(
        self,
        stream: TextSink,
        file_format: Literal["csv", "ndjson"],
        filters: AuditFilter | None = None,
        *,
        reader: Actor,
    ) -> int:
        """Write the entries that meet the filters, earliest first, and say in the log that this was done.

        csv: with a byte order mark and nothing that a spreadsheet takes for a formula. ndjson: one entry a line,
        then the signed head. Gives back how many entries were written. Raises NotAllowed for anybody but the
        audit administrator.
        """
        _expect_reader(reader)
        filters = filters or AuditFilter()
        facts = {name: getattr(filters, name) for name in filters.__slots__ if getattr(filters, name)}
        self.record(reader, [NewEntry("audit.exported", "audit", file_format, new=facts)])
        count = 0
        writer: Any = None
        if file_format == "csv":
            stream.write("\ufeff")
            writer = csv.writer(stream, lineterminator="\r\n")
            writer.writerow(EXPORT_COLUMNS)
        with reading(self._engine) as connection:
            for entry in _walk(connection, _where(filters)):
                row = {name: getattr(entry, name) for name in EXPORT_COLUMNS}
                row["at"] = entry.at.astimezone(SHANGHAI).isoformat(timespec="microseconds")
                if writer is None:
                    stream.write(json.dumps(row, ensure_ascii=False) + "\n")
                else:
                    writer.writerow([csv_text(row[name]) for name in EXPORT_COLUMNS])
                count += 1
        if writer is None:
            stream.write(json.dumps({"head": self.head().as_json()}, ensure_ascii=False) + "\n")
        return count

    def verify(self, heads: Iterable[SignedHead] = ()) -> list[AuditFault]:
        """Everything about the log that is not as it was written, in the order of the entries; empty when whole.

        Finds entries that were changed, taken out, put in or set elsewhere, a tail that was cut off, and, by the
        head that is kept beside the key, a log that was emptied, set back to an older copy or written anew without
        the key. Whoever holds the key as well can write all of it anew, that head included: only heads exported
        earlier and kept elsewhere (`heads`) show that.

        Without the key that the log is sealed with, seals are not judged: one fault says so (`is_unchecked`), beside
        what is wrong with the numbers and links of the entries.
        """
        ring = keys_of(self._engine)
        try:
            # Before the entries are read: what is kept is then never ahead of them.
            kept = kept_head.read(ring)
        except LedgerUnusable as error:
            if self._is_key_missing(ring):
                return list(self._faults(tuple(heads), is_key_missing=True))
            return [AuditFault(0, "kept_lost", error.wording), *self._faults(tuple(heads))]
        if kept is None and self._is_key_missing(ring):
            return list(self._faults(tuple(heads), is_key_missing=True))
        return [*self._faults(tuple(heads)), *self._faults_of_kept(ring, kept)]

    def acknowledge(self, actor: Actor, *, reason: str) -> list[KeptHead]:
        """Answer for entries that are kept beside the key and missing in the log, after a backup was restored, say.

        They are named in an entry and told no longer. Only from the machine itself. Gives them back; without any,
        nothing is written. Raises NotAllowed.
        """
        if not actor.is_operator:
            raise _only_on_the_machine()
        ring = keys_of(self._engine)
        with writing(self._engine) as connection:
            hold(connection)
            last = connection.execute(select(t.audit_head.c.sequence).where(t.audit_head.c.name == _HEAD))
            kept = kept_head.read(ring) or KeptHeads()
            lost = list(kept.missed)
            if kept.newest is not None and _is_contradicted(connection, kept.newest, last.scalar_one()):
                lost.append(kept.newest)
            if not lost:
                return []
            new = {"entries": [{"sequence": one.sequence, "entry_hash": one.entry_hash} for one in lost]}
            append(connection, actor, "audit.break_acknowledged", "audit", "head", new=new, reason=reason)
            after_commit(connection, partial(kept_head.forget_missed, ring))
        return lost

    def _faults_of_kept(self, ring: KeyRing, kept: KeptHeads | None) -> Iterator[AuditFault]:
        head, column = t.audit_head, t.audit_entry.c
        with reading(self._engine) as connection:
            last = connection.execute(select(head.c.sequence).where(head.c.name == _HEAD)).scalar() or 0
            wanted = [*kept.missed, *([kept.newest] if kept.newest else [])] if kept is not None else []
            hashes = {
                row.sequence: row.entry_hash
                for row in connection.execute(
                    select(column.sequence, column.entry_hash).where(
                        column.sequence.in_([one.sequence for one in wanted])
                    )
                )
            }
        if kept is None:
            if ring.key_for(_ENTRY_KEY, may_make=False) is not None:
                yield _unkept(last)
            return
        for one in wanted:
            if one in kept.missed or hashes.get(one.sequence) != one.entry_hash:
                yield _kept_lost(one)
        now = kept_head.read(ring)
        if now is not None and now.newest is not None and now.newest.sequence < last:
            yield _kept_behind(now.newest.sequence)

    def _is_key_missing(self, ring: KeyRing) -> bool:
        """Whether entries are sealed and none of them with the key that is here, if there is one.

        Asked only where no kept head fits the key: a head that does says that the key is the ledger's, and entries
        sealed with another are then not ours.
        """
        key_id = key_id_of(ring.key_for(_ENTRY_KEY, may_make=False))
        column = t.audit_entry.c.key_id
        with reading(self._engine) as connection:
            is_sealed, is_here = connection.execute(
                select(exists().where(column != ""), exists().where(column == key_id, column != ""))
            ).one()
        return bool(is_sealed) and not is_here

    def _faults(self, heads: tuple[SignedHead, ...], *, is_key_missing: bool = False) -> Iterator[AuditFault]:
        wanted = {head.sequence: head for head in heads}
        with reading(self._engine) as connection:
            key = keys_of(connection).key_for(_ENTRY_KEY, may_make=False)
            head_key = ring_key(connection)
            key_id = key_id_of(key)
            state = connection.execute(select(t.audit_head).where(t.audit_head.c.name == _HEAD)).one_or_none()
            # Entries that come while we read lie beyond this head and are the next verification's.
            upto = true() if state is None else t.audit_entry.c.sequence <= state.sequence
            previous: AuditEntry | None = None
            unknown: list[
                AuditEntry
            ] = []  # the first and the latest of a run sealed with one key that is not here
            is_keyed = False
            for entry in _walk(connection, upto):
                expected = (previous.sequence if previous else 0) + 1
                follows = previous.entry_hash if previous else GENESIS_HASH
                if entry.sequence > expected:
                    yield _missing(expected, entry.sequence - 1)
                elif entry.sequence < expected or entry.previous_hash != follows:
                    yield _fault(
                        entry.sequence, "unlinked", "与上一条不相接", "does not follow the entry before it"
                    )
                if unknown and unknown[0].key_id != entry.key_id:
                    yield _key_unknown(unknown, key_id, is_key_missing=is_key_missing)
                    unknown = []
                if entry.key_id and (key is None or entry.key_id != key_id):
                    unknown = [unknown[0] if unknown else entry, entry]
                else:
                    yield from _faults_of_entry(entry, key, is_keyed=is_keyed)
                is_keyed = is_keyed or bool(entry.key_id)
                if previous is not None and entry.at < previous.at - _CLOCK_TOLERANCE:
                    yield _clock_set_back(entry.sequence)
                if (head := wanted.pop(entry.sequence, None)) is not None:
                    yield from _faults_of_head(
                        head, entry.entry_hash, head_key, is_key_missing=is_key_missing
                    )
                previous = entry
            if unknown:
                yield _key_unknown(unknown, key_id, is_key_missing=is_key_missing)
            beyond = connection.execute(_BEYOND_HEAD).scalars().all()
        for head in sorted(wanted.values(), key=lambda one: one.sequence):
            if head.sequence == 0:
                yield from _faults_of_head(head, GENESIS_HASH, head_key, is_key_missing=is_key_missing)
            else:
                yield _fault(
                    head.sequence,
                    "head_lost",
                    "已导出其首部，日志中却没有",
                    "was exported as a head and is gone",
                )
        last = previous.sequence if previous else 0
        if state is None:
            yield _fault(last, "head_changed", "之后的首部记录不见了", "has no head record beside it")
            return
        for sequence in beyond:
            yield _fault(
                sequence,
                "beyond_head",
                "在首部之后，不是程序写入的",
                "lies beyond the head: not written by us",
            )
        if state.sequence > last:
            yield _missing(last + 1, state.sequence, kind="tail_missing")
        elif state.entry_hash != (previous.entry_hash if previous else GENESIS_HASH):
            yield _fault(last, "head_changed", "与首部记录不符", "is not the one that the head records")
        if is_keyed and not state.key_id:
            yield _fault(last, "unkeyed", "的首部没有封印", "has a head without a seal")
        elif (
            state.key_id
            and not is_key_missing
            and not hmac.compare_digest(state.seal, _seal(head_key, state.sequence, state.entry_hash))
        ):
            yield _fault(
                state.sequence, "head_changed", "的首部封印不符", "has a head whose seal does not fit"
            )


# In one statement, so that head and entries are of one moment on PostgreSQL too.
_BEYOND_HEAD = (
    select(t.audit_entry.c.sequence)
    .where(
        t.audit_entry.c.sequence
        > select(func.max(t.audit_head.c.sequence)).where(t.audit_head.c.name == _HEAD).scalar_subquery()
    )
    .order_by(t.audit_entry.c.sequence)
    .limit(100)
)


def _kept_lost(one: KeptHead) -> AuditFault:
    return _fault(
        one.sequence,
        "kept_lost",
        "与密钥旁保存的首部不符：日志曾被清空、截短、换成旧副本，或不用密钥重写",
        "is not the one kept beside the key: the log was emptied, cut short, set back to an older copy, or written "
        "anew without the key",
    )


def _unkept(last: int) -> AuditFault:
    return AuditFault(
        last,
        "unkept",
        Wording(
            "有密钥，密钥旁却没有审计日志的首部：日志是否被清空或截短，无从核对。",
            "There is a key, and no head of the audit log beside it: whether the log was emptied or cut short cannot "
            "be told.",
        ),
        is_tampering=last > 0,
    )


def _kept_behind(sequence: int) -> AuditFault:
    return AuditFault(
        sequence,
        "kept_behind",
        Wording(
            f"密钥旁的首部停在第 {sequence} 条；其后的各条尚未由它保证，下次记账时补上。",
            f"The head beside the key is at entry {sequence}; it does not hold those after it yet. The next act makes "
            "that good.",
        ),
        is_tampering=False,
    )


def _only_on_the_machine() -> NotAllowed:
    return NotAllowed(
        Wording(
            "这件事只能在本机用命令行办理：servtrade audit acknowledge。",
            "This is done on the machine itself only: servtrade audit acknowledge.",
        )
    )


def _clock_set_back(sequence: int) -> AuditFault:
    return AuditFault(
        sequence,
        "clock_back",
        Wording(
            f"第 {sequence} 条的时间早于上一条：本机时钟曾被调回。",
            f"Entry {sequence} is earlier than the one before it: the clock was set back.",
        ),
        is_tampering=False,
    )


def _expect_reader(reader: Actor) -> None:
    if not reader.has(Role.AUDIT_ADMIN):
        raise NotAllowed(
            Wording(
                "审计日志只有审计管理员可以查看和导出。",
                "Only the audit administrator may read and export the audit log.",
            )
        )


def _where(filters: AuditFilter) -> ColumnElement[bool]:
    column = t.audit_entry.c
    filters = replace(
        filters,
        actor=storable_text(filters.actor),
        action=storable_text(filters.action),
        object_kind=storable_text(filters.object_kind),
        object_id=storable_text(filters.object_id),
    )
    found: list[ColumnElement[bool]] = [true()]
    if filters.actor:
        found.append(column.actor == filters.actor)
    if filters.action:
        found.append(
            (column.action == filters.action)
            | column.action.startswith(f"{filters.action}.", autoescape=True)
        )
    if filters.object_kind:
        found.append(column.object_kind == filters.object_kind)
    if filters.object_id:
        found.append(column.object_id == filters.object_id)
    if filters.since:
        found.append(column.at >= _midnight(max(filters.since, _FIRST_DAY)))
    if filters.until and filters.until < date.max:
        found.append(column.at < _midnight(max(filters.until, _FIRST_DAY) + timedelta(days=1)))
    return and_(*found)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def _walk(connection: Connection, where: ColumnElement[bool]) -> Iterator[AuditEntry]:
    """Entries in their order, a few thousand in memory at a time."""
    entry, after = t.audit_entry, -(2**62)
    while True:
        rows = connection.execute(
            select(entry).where(where, entry.c.sequence > after).order_by(entry.c.sequence).limit(_CHUNK)
        ).all()
        yield from map(_entry_of, rows)
        if len(rows) < _CHUNK:
            return
        after = rows[-1].sequence


def _entry_of(row: Row[Any]) -> AuditEntry:
    return AuditEntry(**row._mapping)


def _faults_of_entry(entry: AuditEntry, key: bytes | None, *, is_keyed: bool) -> Iterator[AuditFault]:
    """Of an entry without a seal, or sealed with the key given."""
    row = {name: getattr(entry, name) for name in EXPORT_COLUMNS if name != "entry_hash"}
    if not entry.key_id:
        if is_keyed:
            yield _fault(entry.sequence, "unkeyed", "没有用密钥封存", "is not sealed with the key")
        elif _hash_of(row, None) != entry.entry_hash:
            yield _changed(entry)
    elif not hmac.compare_digest(_hash_of(row, key), entry.entry_hash):
        yield _changed(entry)


def _key_unknown(run: list[AuditEntry], key_id: str, *, is_key_missing: bool) -> AuditFault:
    """Entries sealed with a key that is not here: since the ledger's is missing, or since somebody else wrote them."""
    first, last = run[0].sequence, run[-1].sequence
    which_zh = f"第 {first} 条" if first == last else f"第 {first} 至 {last} 条"
    which_en = f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
    sealed_with = run[0].key_id
    if not is_key_missing:
        zh = f"{which_zh}用密钥 {sealed_with} 封存，而本账本的密钥是 {key_id}：不是本系统写入的。"
        en = f"{which_en} sealed with the key {sealed_with}, the ledger with {key_id}: not written by us."
        return AuditFault(first, _UNKNOWN_KEY, Wording(zh, en))
    here_zh = f"（此处的密钥是 {key_id}）" if key_id else ""
    here_en = f" (the key here is {key_id})" if key_id else ""
    return AuditFault(
        first,
        _UNKNOWN_KEY,
        Wording(
            f"{which_zh}是用密钥 {sealed_with} 封存的，数据文件夹中没有这把密钥{here_zh}，封印无法核对，因此不能断定日志是否完整。"
            "请从备份恢复 secrets/ledger.key 后重新核验；密钥确已丢失的，只能与先前导出的日志逐条对照。",
            f"{which_en} sealed with the key {sealed_with}, which is not in the data folder{here_en}: the seals cannot be "
            "checked, so it cannot be told whether the log is whole. Restore secrets/ledger.key from a backup and verify "
            "again; if the key is lost, the log can only be compared with earlier exports of it.",
        ),
        is_tampering=False,
    )


def _faults_of_head(
    head: SignedHead, entry_hash: str, key: bytes | None, *, is_key_missing: bool
) -> Iterator[AuditFault]:
    facts = (head.sequence, head.entry_hash, head.exported_at, head.key_id)
    signature = head.signature.encode("utf-8", "surrogatepass")
    can_judge = bool(head.key_id) and not is_key_missing
    if can_judge and not hmac.compare_digest(signature, _seal(key, "exported", *facts).encode()):
        yield _fault(
            head.sequence,
            "head_lost",
            "的导出首部签名不符",
            "has an exported head whose signature does not fit",
        )
    elif head.entry_hash != entry_hash:
        yield _fault(
            head.sequence,
            "head_lost",
            "与当时导出的首部不符",
            "is not the one that its exported head was signed for",
        )


def _changed(entry: AuditEntry) -> AuditFault:
    return _fault(
        entry.sequence, "changed", "被改动过，或不是程序写入的", "was changed, or not written by us"
    )


def _fault(sequence: int, kind: str, zh: str, en: str) -> AuditFault:
    return AuditFault(sequence, kind, Wording(f"第 {sequence} 条{zh}。", f"Entry {sequence} {en}."))


def _missing(first: int, last: int, *, kind: str = "missing") -> AuditFault:
    which = (
        (f"第 {first} 条", f"Entry {first}")
        if first == last
        else (f"第 {first} 至 {last} 条", f"Entries {first} to {last}")
    )
    is_tail = kind == "tail_missing"
    return AuditFault(
        first,
        kind,
        Wording(
            f"{which[0]}不见了{'（末尾被截去）' if is_tail else ''}。",
            f"{which[1]} {'cut off from the end' if is_tail else 'missing'}.",
        ),
    )


_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*%?")
# What spreadsheets take for the beginning of a formula, full-width forms too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_text(value: Any) -> str:
    """A value as it may stand in a CSV that is opened in a spreadsheet: no text is ever taken for a formula.

    Numbers stay numbers, also negative ones; None is empty, lists and objects are JSON.
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if text.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
