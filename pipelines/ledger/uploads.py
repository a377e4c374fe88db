"""The queue of uploads: what was handed in together, how far each file has come, and what was said of it.

Files wait here between the person's press of a button and the door's verdict, so that neither a reload of the page
nor an end of the process loses one. Bytes are in the originals; nothing is read or judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, bindparam, func, insert, select, true, update

from pipelines.findings import Verdict, Wording
from pipelines.ledger import audit
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.engine import reading, writing
from pipelines.ledger.shapes import receipt_number
from pipelines.periods import Month
from pipelines.records import storable_text

WAITING, READING, DONE, FAILED = "waiting", "reading", "done", "failed"

# What a person looks at first has the smallest number; within one, files stand in the order given.
NOT_TAKEN, UNMATCHED, WRONG_PERIOD, DUPLICATE, REJECTED, QUERIED, UNDER_WAY, ACCEPTED = range(0, 80, 10)

_OPEN = (WAITING, READING)
_MOST_NAMES_LEFT_OUT = 50
_MAX_NAME_LENGTH = 1_000


class UnknownUpload(LookupError):
    """There is no such upload, or it is not for this person to see."""


@dataclass(frozen=True, slots=True)
class NewUploadFile:
    """A file handed in: waiting with its bytes kept (`sha256`), or not taken, with the reason."""

    original_name: str
    file_name: str
    archive_name: str
    sha256: str
    size_bytes: int
    received_at: datetime
    trouble: Wording | None = None


@dataclass(frozen=True, slots=True)
class NewUpload:
    """One press of a button. `left_out` names what came along and nobody meant."""

    upload_id: str
    created_at: datetime
    channel: str
    language: str
    sent_bytes: int
    files: tuple[NewUploadFile, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file to be taken through the door, in whose name, and with the rights that the person has now.

    Who was locked out since, or lost the role, files nothing any more: `filer` then has no role.
    """

    upload_id: str
    ordinal: int
    original_name: str
    sha256: str
    received_at: datetime
    channel: str
    filer: Actor
    attempt_count: int  # this one included


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file. `submission_id` is empty where nothing was recorded of it."""

    upload_id: str
    ordinal: int
    attention: int
    verdict: Verdict | None
    submission_id: str = ""
    critical_count: int = 0
    warning_count: int = 0
    info_count: int = 0
    fix_count: int = 0
    rules: tuple[str, ...] = ()
    form_codes: tuple[str, ...] = ()
    period: str | None = None
    enterprise_code: str = ""
    enterprise_name: str = ""
    is_duplicate: bool = False
    same_as: str = ""
    trouble: Wording | None = None


@dataclass(frozen=True, slots=True)
class UploadFile:
    """A file of an upload as a page shows it.

    state            waiting, reading, done; failed: it never came to the door, `trouble` says why
    verdict          what the door said; None until then
    status           what holds now: a query may have been confirmed since
    receipt_number   None where nothing was recorded: the file failed, or its filer may not hand it in
    """

    ordinal: int
    file_name: str
    original_name: str
    archive_name: str
    sha256: str
    size_bytes: int
    received_at: datetime
    state: str
    attention: int
    submission_id: str | None
    receipt_number: str | None
    version: int | None
    verdict: Verdict | None
    status: Verdict | None
    critical_count: int
    warning_count: int
    info_count: int
    fix_count: int
    rules: tuple[str, ...]
    form_codes: tuple[str, ...]
    period: str | None
    enterprise_code: str
    enterprise_name: str
    is_duplicate: bool
    same_as: str
    trouble: Wording | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """How far an upload has come; `files` with what needs a person's eye first."""

    upload_id: str
    created_at: datetime
    created_by: str
    channel: str
    language: str
    read_count: int
    left_out: tuple[str, ...]
    left_out_count: int
    finished_at: datetime | None
    files: tuple[UploadFile, ...]

    @property
    def file_count(self) -> int:
        return len(self.files)

    @property
    def done_count(self) -> int:
        """Files about which nothing more will be said."""
        return sum(one.state not in _OPEN for one in self.files)

    @property
    def is_finished(self) -> bool:
        return self.done_count == self.file_count

    @property
    def verdict_counts(self) -> dict[Verdict, int]:
        """Files by verdict; those that failed or still wait are in none."""
        counts = dict.fromkeys(Verdict, 0)
        for one in self.files:
            if one.verdict is not None:
                counts[one.verdict] += 1
        return counts

    @property
    def failed_count(self) -> int:
        return sum(one.state == FAILED for one in self.files)

    @property
    def duplicate_count(self) -> int:
        return sum(one.is_duplicate for one in self.files)

    @property
    def done_share(self) -> float:
        """How far along, 0 to 1: reading counts for half, because judging follows it."""
        if not self.files:
            return 1.0
        under_way = sum(one.state == READING for one in self.files)
        return (self.done_count + min(self.read_count, under_way) / 2) / self.file_count


@dataclass(frozen=True, slots=True)
class UploadSummary:
    """An upload in a list."""

    upload_id: str
    created_at: datetime
    created_by: str
    channel: str
    file_count: int
    done_count: int
    accepted_count: int
    finished_at: datetime | None


class Uploads:
    """The uploads of one ledger. Thread-safe, as the ledger is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- handing in --------------------------------------------------------------------------------

    def add(self, new: NewUpload, actor: Actor) -> None:
        """Queue an upload, whole; its files' bytes must be on the disk by now."""
        with writing(self._engine) as connection:
            connection.execute(
                insert(t.upload).values(
                    upload_id=new.upload_id,
                    created_at=new.created_at,
                    created_by=storable_text(actor.name),
                    filer=_filer_row(actor),
                    channel=new.channel,
                    language=new.language,
                    file_count=len(new.files),
                    sent_bytes=new.sent_bytes,
                    read_count=0,
                    left_out=[storable_text(name) for name in new.left_out[:_MOST_NAMES_LEFT_OUT]],
                    left_out_count=len(new.left_out),
                )
            )
            connection.execute(
                insert(t.upload_file),
                [_file_row(new, ordinal, one) for ordinal, one in enumerate(new.files, start=1)],
            )
            if all(one.trouble is not None for one in new.files):
                self._finish_uploads(connection, {new.upload_id})
            audit.append(
                connection,
                actor,
                "upload.received",
                "upload",
                new.upload_id,
                new={
                    "files": len(new.files),
                    "bytes": new.sent_bytes,
                    "not_taken": sum(one.trouble is not None for one in new.files),
                },
            )

    def bytes_since(self, created_by: str, moment: datetime) -> int:
        """What this person has handed in since then, in bytes."""
        column = t.upload.c
        with reading(self._engine) as connection:
            total = connection.execute(
                select(func.coalesce(func.sum(column.sent_bytes), 0)).where(
                    column.created_by == storable_text(created_by), column.created_at >= moment
                )
            ).scalar_one()
        return int(total)

    # -- working through ---------------------------------------------------------------------------

    def take(self, *, most: int, is_large: bool, large_from: int, alone_from: int) -> list[WaitingFile]:
        """The next files to read, marked as being read; empty when none wait.

        Uploads of `large_from` files and more (`is_large`) are taken one at a time and whole, smaller ones
        together. A file that was tried `alone_from` times already comes alone, so that it stops nobody else. The
        rights of who handed it in are those of now, not of then.
        """
        file, upload = t.upload_file.c, t.upload.c
        size = upload.file_count >= large_from if is_large else upload.file_count < large_from
        with writing(self._engine) as connection:
            rows = connection.execute(
                select(t.upload_file, upload.created_by, upload.filer, upload.channel)
                .join(t.upload, upload.upload_id == file.upload_id)
                .where(file.state == WAITING, size)
                .order_by(file.attempt_count, upload.created_at, upload.upload_id, file.ordinal)
                .limit(most)
            ).all()
            if not rows:
                return []
            first = rows[0]
            if first.attempt_count >= alone_from:
                rows = [first]
            else:
                rows = [
                    row
                    for row in rows
                    if row.attempt_count < alone_from and (not is_large or row.upload_id == first.upload_id)
                ]
            connection.execute(
                update(t.upload_file)
                .where(file.upload_id == bindparam("key_upload"), file.ordinal == bindparam("key_ordinal"))
                .values(state=READING, attempt_count=file.attempt_count + 1),
                [{"key_upload": row.upload_id, "key_ordinal": row.ordinal} for row in rows],
            )
            filers = {row.upload_id: _filer_now(connection, row.created_by, row.filer) for row in rows}
        return [
            WaitingFile(
                row.upload_id,
                row.ordinal,
                row.original_name,
                row.sha256,
                row.received_at,
                row.channel,
                filers[row.upload_id],
                row.attempt_count + 1,
            )
            for row in rows
        ]

    def give_back(self, files: Iterable[WaitingFile] | None = None, *, is_counted: bool = True) -> int:
        """Have files wait again that were being read: these, or after a restart all; how many.

        With `is_counted` False the attempt was nobody's fault and does not count.
        """
        column = t.upload_file.c
        back = update(t.upload_file).where(column.state == READING)
        if not is_counted:
            back = back.values(attempt_count=column.attempt_count - 1)
        with writing(self._engine) as connection:
            if files is None:
                count = connection.execute(back.values(state=WAITING)).rowcount
                connection.execute(update(t.upload).where(t.upload.c.read_count > 0).values(read_count=0))
                return int(count)
            keys = [{"key_upload": one.upload_id, "key_ordinal": one.ordinal} for one in files]
            if keys:
                connection.execute(
                    back.where(
                        column.upload_id == bindparam("key_upload"),
                        column.ordinal == bindparam("key_ordinal"),
                    ).values(state=WAITING),
                    keys,
                )
            return len(keys)

    def tell_read(self, upload_id: str, read_count: int) -> None:
        """Note how many files of an upload have been read and wait for their verdict."""
        with writing(self._engine) as connection:
            connection.execute(
                update(t.upload).where(t.upload.c.upload_id == upload_id).values(read_count=read_count)
            )

    def finish(self, outcomes: Sequence[Outcome], *, refusals: Mapping[tuple[str, int], Actor]) -> None:
        """Note what became of files. `refusals` are those not theirs to hand in, by whom: each is audited."""
        if not outcomes:
            return
        now = datetime.now(UTC)
        file = t.upload_file.c
        with writing(self._engine) as connection:
            connection.execute(
                update(t.upload_file)
                .where(file.upload_id == bindparam("key_upload"), file.ordinal == bindparam("key_ordinal"))
                .values({name: bindparam(name) for name in _OUTCOME_COLUMNS}),
                [_outcome_row(one, now) for one in outcomes],
            )
            self._finish_uploads(connection, {one.upload_id for one in outcomes})
            for one in outcomes:
                actor = refusals.get((one.upload_id, one.ordinal))
                if actor is not None:
                    audit.append(
                        connection,
                        actor,
                        "submission.refused",
                        "upload_file",
                        f"{one.upload_id}/{one.ordinal}",
                        new={"rules": list(one.rules)},
                    )

    @staticmethod
    def _finish_uploads(connection: Connection, upload_ids: set[str]) -> None:
        file, upload = t.upload_file.c, t.upload.c
        is_open = (
            select(file.ordinal).where(file.upload_id == upload.upload_id, file.state.in_(_OPEN)).exists()
        )
        connection.execute(
            update(t.upload)
            .where(upload.upload_id.in_(sorted(upload_ids)), ~is_open)
            .values(finished_at=datetime.now(UTC), read_count=0)
        )

    # -- asking ------------------------------------------------------------------------------------

    def progress(self, upload_id: str, actor: Actor) -> UploadProgress:
        """How far an upload has come, in one query. Raises UnknownUpload for others than its maker or the bureau."""
        upload, submission = t.upload.c, t.submission.c
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(
                    t.upload_file,
                    upload.created_at,
                    upload.created_by,
                    upload.channel,
                    upload.language,
                    upload.read_count,
                    upload.left_out,
                    upload.left_out_count,
                    upload.finished_at.label("upload_finished_at"),
                    submission.sequence,
                    submission.version,
                    submission.status,
                    submission.month_start_date,
                )
                .join(t.upload, upload.upload_id == t.upload_file.c.upload_id)
                .outerjoin(t.submission, submission.submission_id == t.upload_file.c.submission_id)
                .where(t.upload_file.c.upload_id == upload_id)
                .order_by(t.upload_file.c.attention, t.upload_file.c.ordinal)
            ).all()
        if not rows or not (actor.sees_all_enterprises or rows[0].created_by == storable_text(actor.name)):
            raise UnknownUpload(upload_id)
        first = rows[0]
        return UploadProgress(
            upload_id=first.upload_id,
            created_at=first.created_at,
            created_by=first.created_by,
            channel=first.channel,
            language=first.language,
            read_count=first.read_count,
            left_out=tuple(first.left_out),
            left_out_count=first.left_out_count,
            finished_at=first.upload_finished_at,
            files=tuple(_file_of(row) for row in rows),
        )

    def recent(self, actor: Actor, *, most: int = 20, everybody: bool = False) -> list[UploadSummary]:
        """The person's newest uploads; with `everybody`, for staff who see all enterprises, those of all."""
        upload, file = t.upload.c, t.upload_file.c
        where = (
            []
            if everybody and actor.sees_all_enterprises
            else [upload.created_by == storable_text(actor.name)]
        )
        newest = (
            select(t.upload)
            .where(and_(true(), *where))
            .order_by(upload.created_at.desc())
            .limit(most)
            .subquery()
        )
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(
                    newest.c.upload_id,
                    newest.c.created_at,
                    newest.c.created_by,
                    newest.c.channel,
                    newest.c.file_count,
                    newest.c.finished_at,
                    func.count().filter(file.state.not_in(_OPEN)).label("done_count"),
                    func.count().filter(file.verdict == Verdict.ACCEPTED.value).label("accepted_count"),
                )
                .select_from(newest.join(t.upload_file, file.upload_id == newest.c.upload_id))
                .group_by(
                    newest.c.upload_id,
                    newest.c.created_at,
                    newest.c.created_by,
                    newest.c.channel,
                    newest.c.file_count,
                    newest.c.finished_at,
                )
                .order_by(newest.c.created_at.desc())
            ).all()
        return [
            UploadSummary(
                row.upload_id,
                row.created_at,
                row.created_by,
                row.channel,
                row.file_count,
                row.done_count,
                row.accepted_count,
                row.finished_at,
            )
            for row in rows
        ]

    def submission_id_of(self, sequence: int) -> str | None:
        """The submission with this place in the record; None where it does not go so far."""
        column = t.submission.c
        with reading(self._engine) as connection:
            found: str | None = connection.execute(
                select(column.submission_id).where(column.sequence == sequence)
            ).scalar()
        return found

    def open_count(self) -> int:
        """Files that wait or are being read."""
        with reading(self._engine) as connection:
            return int(
                connection.execute(select(func.count()).where(t.upload_file.c.state.in_(_OPEN))).scalar_one()
            )


_OUTCOME_COLUMNS = (
    "state",
    "attention",
    "submission_id",
    "verdict",
    "critical_count",
    "warning_count",
    "info_count",
    "fix_count",
    "rules",
    "form_codes",
    "period",
    "enterprise_code",
    "enterprise_name",
    "is_duplicate",
    "same_as",
    "trouble_zh",
    "trouble_en",
    "finished_at",
)


def _outcome_row(one: Outcome, now: datetime) -> dict[str, Any]:
    return {
        "key_upload": one.upload_id,
        "key_ordinal": one.ordinal,
        "state": DONE if one.verdict is not None else FAILED,
        "attention": one.attention,
        "submission_id": one.submission_id or None,
        "verdict": one.verdict.value if one.verdict is not None else None,
        "critical_count": one.critical_count,
        "warning_count": one.warning_count,
        "info_count": one.info_count,
        "fix_count": one.fix_count,
        "rules": list(one.rules),
        "form_codes": list(one.form_codes),
        "period": one.period,
        "enterprise_code": storable_text(one.enterprise_code)[:64],
        "enterprise_name": storable_text(one.enterprise_name),
        "is_duplicate": one.is_duplicate,
        "same_as": storable_text(one.same_as),
        "trouble_zh": one.trouble.zh if one.trouble else "",
        "trouble_en": one.trouble.en if one.trouble else "",
        "finished_at": now,
    }


def _file_row(new: NewUpload, ordinal: int, one: NewUploadFile) -> dict[str, Any]:
    is_taken = one.trouble is None
    return {
        "upload_id": new.upload_id,
        "ordinal": ordinal,
        "original_name": storable_text(one.original_name)[:_MAX_NAME_LENGTH],
        "file_name": one.file_name,
        "archive_name": storable_text(one.archive_name)[:_MAX_NAME_LENGTH],
        "sha256": one.sha256,
        "size_bytes": one.size_bytes,
        "received_at": one.received_at,
        "state": WAITING if is_taken else FAILED,
        "attempt_count": 0,
        "attention": UNDER_WAY if is_taken else NOT_TAKEN,
        "rules": [],
        "form_codes": [],
        "trouble_zh": one.trouble.zh if one.trouble else "",
        "trouble_en": one.trouble.en if one.trouble else "",
        "finished_at": None if is_taken else new.created_at,
    }


def _file_of(row: Row[Any]) -> UploadFile:
    month = Month.of(row.month_start_date) if row.month_start_date else None
    return UploadFile(
        ordinal=row.ordinal,
        file_name=row.file_name,
        original_name=row.original_name,
        archive_name=row.archive_name,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        received_at=row.received_at,
        state=row.state,
        attention=row.attention,
        submission_id=row.submission_id,
        receipt_number=receipt_number(month, row.sequence) if row.sequence is not None else None,
        version=row.version,
        verdict=Verdict(row.verdict) if row.verdict else None,
        status=Verdict(row.status) if row.status else None,
        critical_count=row.critical_count,
        warning_count=row.warning_count,
        info_count=row.info_count,
        fix_count=row.fix_count,
        rules=tuple(row.rules),
        form_codes=tuple(row.form_codes),
        period=row.period,
        enterprise_code=row.enterprise_code,
        enterprise_name=row.enterprise_name,
        is_duplicate=row.is_duplicate,
        same_as=row.same_as,
        trouble=Wording(row.trouble_zh, row.trouble_en) if row.trouble_zh else None,
        finished_at=row.finished_at,
    )


def _filer_row(actor: Actor) -> dict[str, Any]:
    return {
        "roles": sorted(role.value for role in actor.roles),
        "enterprise_codes": sorted(actor.enterprise_codes),
        "district_codes": sorted(actor.district_codes),
        "is_operator": actor.is_operator,
        "account_id": actor.account_id,
        "address": actor.address,
    }


def _filer_now(connection: Connection, name: str, row: Mapping[str, Any]) -> Actor:
    """Who handed it in, with the rights of now; without any where the account is no longer open."""
    from pipelines.ledger.sign_in import roles_and_scope

    then = _filer_of(name, row)
    if then.account_id is None:  # the machine itself: there is no account to ask
        return then
    state = connection.execute(
        select(t.account.c.state).where(t.account.c.account_id == then.account_id)
    ).scalar()
    roles, enterprise_codes, district_codes = (
        roles_and_scope(connection, then.account_id)
        if state == "active"
        else (frozenset[Role](), frozenset[str](), frozenset[str]())
    )
    return replace(then, roles=roles, enterprise_codes=enterprise_codes, district_codes=district_codes)


def _filer_of(name: str, row: Mapping[str, Any]) -> Actor:
    return replace(
        Actor(name),
        roles=frozenset(Role(role) for role in row["roles"]),
        enterprise_codes=frozenset(row["enterprise_codes"]),
        district_codes=frozenset(row["district_codes"]),
        is_operator=row["is_operator"],
        account_id=row["account_id"],
        address=row["address"],
    )
