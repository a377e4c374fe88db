"""The upload desk: takes in what a person hands over at once, and has it read and judged while the person watches.

Bytes go to the originals, then the upload into the ledger's queue, and only then is it acknowledged; what is in the
queue is taken through the one door by the threads of whichever process holds the desk's lock, and goes on where it
was after an end of that process, however it came about. What is said of a file is the door's business.
"""

from __future__ import annotations

import fcntl
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, BinaryIO

from pipelines.findings import Finding, Severity, Verdict, Wording
from pipelines.intake import ReaderCannotStart, archive
from pipelines.intake.limits import DEFAULT_LIMITS, DEFAULT_UPLOAD_LIMITS, MIB, Limits, UploadLimits
from pipelines.ledger import SHANGHAI, Ledger, LedgerUnusable
from pipelines.ledger import uploads as queue
from pipelines.ledger.actors import Actor
from pipelines.ledger.uploads import (
    NewUpload,
    NewUploadFile,
    Outcome,
    UnknownUpload,
    UploadFile,
    UploadProgress,
    UploadSummary,
    WaitingFile,
)
from pipelines.periods import Month
from pipelines.reception.door import IncomingFile, LedgerBusy, Progress, Reception
from pipelines.reception.names import shown_name
from pipelines.reception.results import FileResult
from pipelines.reception.words import megabytes, said
from pipelines.settings import Settings
from pipelines.stores import Originals

_LOG = logging.getLogger(__name__)

CHANNEL = "portal"
LOCK_FILE = "uploads.lock"

# An upload of so many files waits in a lane of its own, so that a clerk's three hundred do not stand before a
# reporter's one.
_LARGE_FROM = 11
_MOST_TOGETHER = 60  # small uploads judged together: what came while the last group was judged
# A file that was tried so often is tried alone, then given up: it may be what ends the process.
_ALONE_FROM = 2
_GIVEN_UP_AT = 5
_IDLE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_KEPT_WARM_SECONDS = 60.0
_TELL_SECONDS = 0.3
_STORED_AT_ONCE = 4  # uploads whose bytes are in memory at the same time

_NOT_THEIRS = frozenset({"G10", "G11"})
# Whose return it is could not be told, or the register does not know.
_UNMATCHED = frozenset({"P10", "H1a", "H1b", "P01"}) | _NOT_THEIRS
_WRONG_PERIOD = frozenset({"P02", "P03", "P33", "H7b", "H7d", "H7e", "M3"})


class UploadRefused(RuntimeError):
    """Nothing of an upload was taken; the wording says why and what to do."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(f"{wording.zh} / {wording.en}")
        self.wording = wording


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file as it came over the network: the name that the browser gave and its bytes, which can be gone back in."""

    name: str
    stream: BinaryIO


class UploadDesk:
    """The desk of one process. Any number of threads may hand in and ask; `start` begins to work the queue.

    Only one process works a data folder's queue at a time: the others take in, and step in when it ends.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        *,
        limits: UploadLimits = DEFAULT_UPLOAD_LIMITS,
        file_limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._limits = limits
        self._file_limits = file_limits
        self._originals = Originals(settings.originals_dir)
        self._storing = threading.BoundedSemaphore(_STORED_AT_ONCE)
        self._changed = threading.Condition()
        self._change_count = 0
        self._is_stopping = False
        self._keeper: threading.Thread | None = None
        self._trouble: Wording | None = None

    # -- handing in --------------------------------------------------------------------------------

    def take_in(
        self, files: Iterable[UploadedFile], actor: Actor, *, language: str = "zh", channel: str = CHANNEL
    ) -> str:
        """Keep these files and queue them; gives the upload's id. On return they survive a power cut.

        ZIPs are unpacked: their members are files of the upload. A file that cannot be taken is listed with the
        reason and holds up no other. Raises UploadRefused where nothing can be: too many or too much, a day's
        quota, a full disk, a person who files nothing.
        """
        if not actor.may_file:
            raise UploadRefused(said("may_not_file"))
        sent = list(files)
        if not sent:
            raise UploadRefused(said("nothing_sent"))
        with self._storing:
            self._expect_room(sent, actor)
            now = datetime.now(UTC)
            kept: list[NewUploadFile] = []
            left_out: list[str] = []
            for one in self._unpacked(sent, left_out):
                # A microsecond apart: the same bytes under the same name are two arrivals, in this order.
                kept.append(self._keep(one, now + timedelta(microseconds=len(kept))))
            if not kept:
                raise UploadRefused(said("nothing_to_take", names="、".join(left_out[:3])))
            self._originals.make_durable(sorted({one.sha256 for one in kept if one.sha256}))
            new = NewUpload(
                upload_id=secrets.token_urlsafe(16),
                created_at=now,
                channel=channel,
                language=language,
                sent_bytes=sum(one.size_bytes for one in kept if one.trouble is None),
                files=tuple(kept),
                left_out=tuple(left_out),
            )
            self._ledger.uploads.add(new, actor)
        self._tell()
        return new.upload_id

    def _expect_room(self, sent: Sequence[UploadedFile], actor: Actor) -> None:
        """Raise UploadRefused before anything is kept; what archives say of their members is believed so far."""
        limits = self._limits
        size = sum(_size_of(one.stream) for one in sent)
        if size > limits.sent_bytes:
            raise UploadRefused(
                said("too_much_sent", size=megabytes(size), limit=megabytes(limits.sent_bytes))
            )
        count = coming_bytes = 0
        for one in sent:
            if archive.is_debris(one.name):
                continue
            if archive.is_archive(one.name, one.stream):
                inside = archive.promised(one.stream, limits)
                count, coming_bytes = count + inside.count, coming_bytes + inside.size_bytes
            else:
                count, coming_bytes = count + 1, coming_bytes + _size_of(one.stream)
        if count > limits.file_count:
            raise UploadRefused(said("too_many_files", count=count, limit=limits.file_count))
        today = datetime.now(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
        used = self._ledger.uploads.bytes_since(actor.name, today)
        if used + coming_bytes > self._settings.upload_daily_mib * MIB:
            raise UploadRefused(
                said(
                    "quota_used_up",
                    size=megabytes(used),
                    limit=megabytes(self._settings.upload_daily_mib * MIB),
                )
            )
        folder = self._settings.data_dir
        if shutil.disk_usage(folder).free - coming_bytes < self._settings.free_disk_mib * MIB:
            raise UploadRefused(said("disk_full"))

    def _unpacked(self, sent: Sequence[UploadedFile], left_out: list[str]) -> Iterator[_Piece]:
        """The files meant, those in archives too; names of the others go to `left_out`."""
        for one in sent:
            base = one.name.replace("\\", "/").rpartition("/")[2]
            if archive.is_debris(base):
                left_out.append(base)
            elif not archive.is_archive(base, one.stream):
                yield _Piece(base, "", stream=one.stream)
            else:
                try:
                    for member in archive.members(one.stream, self._limits, self._file_limits):
                        if member.is_left_out:
                            left_out.append(f"{base}/{member.path}")
                            continue
                        folders = member.path.rpartition("/")[0]
                        yield _Piece(
                            member.name,
                            f"{base}/{folders}" if folders else base,
                            content=member.content,
                            refusal=member.refusal,
                        )
                except archive.ArchiveRefused as refused:
                    yield _Piece(base, "", refusal=refused.refusal)

    def _keep(self, one: _Piece, received_at: datetime) -> NewUploadFile:
        """One file into the originals, or the reason why not."""
        content, refusal, size = one.content, one.refusal, len(one.content)
        if one.stream is not None:
            size = _size_of(one.stream)
            if size > self._limits.file_bytes:
                refusal = archive.Refusal("file_too_large", {"size": size, "limit": self._limits.file_bytes})
            else:
                one.stream.seek(0)
                content = one.stream.read(self._limits.file_bytes)
        trouble = _trouble_of(refusal) if refusal is not None else None
        return NewUploadFile(
            original_name=one.name,
            file_name=shown_name(one.name),
            archive_name=one.archive_name,
            sha256="" if trouble is not None else self._originals.put(content, durable=False),
            size_bytes=size,
            received_at=received_at,
            trouble=trouble,
        )

    # -- asking ------------------------------------------------------------------------------------

    def progress(self, upload_id: str, actor: Actor) -> UploadProgress:
        """How far an upload has come; one query. Raises UnknownUpload for others than its maker and the bureau."""
        return self._ledger.uploads.progress(upload_id, actor)

    def recent(self, actor: Actor, *, most: int = 20, everybody: bool = False) -> list[UploadSummary]:
        """Newest uploads of a person, or for staff who see all enterprises of everybody."""
        return self._ledger.uploads.recent(actor, most=most, everybody=everybody)

    def wait_for(self, upload_id: str, actor: Actor, *, seconds: float) -> UploadProgress:
        """As `progress`, as soon as the upload is finished, or when the time is up.

        For an answer to the upload itself: most verdicts are there before a page could ask a second time.
        """
        deadline = time.monotonic() + seconds
        while True:
            seen = self._change_count
            found = self.progress(upload_id, actor)
            remaining = deadline - time.monotonic()
            if found.is_finished or remaining <= 0:
                return found
            with self._changed:
                if self._change_count == seen:
                    self._changed.wait(min(remaining, _IDLE_SECONDS))

    @property
    def trouble(self) -> Wording | None:
        """Why files are not being judged just now, if they are not."""
        return self._trouble

    # -- zero returns ------------------------------------------------------------------------------

    def file_zero_return(
        self,
        enterprise_code: str,
        month: Month,
        actor: Actor,
        *,
        is_revision: bool = False,
        language: str = "zh",
    ) -> str:
        """File 本月无业务 for an enterprise and month, as a workbook through the same door; gives the upload's id.

        Raises UploadRefused for an enterprise that is not the person's or not in the register, a month that is
        not over, and where a return with figures stands unless `is_revision` says that this corrects it.
        """
        from pipelines.reception.zero_return import zero_return_of

        file = zero_return_of(
            self._ledger,
            enterprise_code,
            month,
            actor,
            is_revision=is_revision,
            deadline_day=self._settings.filing_deadline_day,
        )
        return self.take_in([UploadedFile(file.name, file.stream)], actor, language=language)

    # -- working the queue -------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work the queue, now or as soon as no other process does."""
        if self._keeper is not None:
            raise RuntimeError("the upload desk works already")
        self._is_stopping = False
        self._keeper = threading.Thread(target=self._keep_working, name="upload-desk", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """Finish the files at hand and stop; what waits is taken up at the next start."""
        if self._keeper is None:
            return
        self._is_stopping = True
        self._tell()
        self._keeper.join()
        self._keeper = None

    def __enter__(self) -> UploadDesk:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _keep_working(self) -> None:
        lock = self._acquire()
        if lock is None:
            return
        with lock:
            while not self._is_stopping:
                try:
                    self._ledger.uploads.give_back()  # what the last process left half-way
                    break
                except LedgerUnusable as error:
                    self._note_trouble(error.wording)
                    self._pause(_IDLE_SECONDS)
            lanes = [
                threading.Thread(
                    target=self._work_lane, args=(is_large,), name=f"upload-desk-{name}", daemon=True
                )
                for is_large, name in ((False, "small"), (True, "large"))
            ]
            for lane in lanes:
                lane.start()
            for lane in lanes:
                lane.join()

    def _acquire(self) -> IO[str] | None:
        """The lock of the data folder's queue, waited for; None when stopped first. The system frees it at our end."""
        self._settings.data_dir.mkdir(parents=True, exist_ok=True)
        lock = (self._settings.data_dir / LOCK_FILE).open("a", encoding="ascii")
        while not self._is_stopping:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._pause(_IDLE_SECONDS)
            else:
                return lock
        lock.close()
        return None

    def _work_lane(self, is_large: bool) -> None:
        """Take files through a door of this thread's own until stopped; whatever fails is tried again, later."""
        pause = _IDLE_SECONDS
        at_hand: list[WaitingFile] = []
        is_counted = True
        while not self._is_stopping:
            try:
                if at_hand:
                    self._ledger.uploads.give_back(at_hand, is_counted=is_counted)
                    at_hand.clear()
                # The small lane's files come one or few at a time: one child reads them as fast as they come.
                readers = self._settings.reader_count if is_large else 1
                with Reception(
                    self._settings,
                    self._ledger,
                    limits=self._file_limits,
                    reader_count=readers,
                    keeps_bench=True,
                ) as door:
                    if not is_large:
                        door.make_ready()
                    last_work = time.monotonic()
                    # Children and bench of the large lane are given back after a while without work.
                    while not self._is_stopping and not (
                        is_large and time.monotonic() - last_work > _KEPT_WARM_SECONDS
                    ):
                        if self._file_next(door, is_large, at_hand):
                            pause, last_work, self._trouble = _IDLE_SECONDS, time.monotonic(), None
                        else:
                            self._pause(_IDLE_SECONDS)
            except _NOBODYS_FAULT as error:
                is_counted = False
                _LOG.warning("files cannot be judged now: %s", error)
                self._note_trouble(_wording_of(error))
            except Exception:  # noqa: BLE001 - whatever it is, the files wait again and others go on
                is_counted = True
                _LOG.exception("judging uploads failed; the files wait again")
                self._note_trouble(_FAULT_OF_OURS)
            else:
                continue
            self._pause(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _file_next(self, door: Reception, is_large: bool, at_hand: list[WaitingFile]) -> bool:
        """Take the next waiting files through the door; False when there are none.

        `at_hand` holds them until their outcome stands in the queue.
        """
        most = self._limits.file_count if is_large else _MOST_TOGETHER
        taken = self._ledger.uploads.take(
            most=most, is_large=is_large, large_from=_LARGE_FROM, alone_from=_ALONE_FROM
        )
        if not taken:
            return False
        at_hand[:] = taken
        if len(taken) == 1 and taken[0].attempt_count >= _GIVEN_UP_AT:
            self._finish([_given_up(taken[0])], {})
            at_hand.clear()
            return True
        no_longer = [one for one in taken if not one.filer.may_file]
        if no_longer:
            self._finish(
                [_no_longer_allowed(one) for one in no_longer],
                {(one.upload_id, one.ordinal): one.filer for one in no_longer},
            )
            taken = [one for one in taken if one.filer.may_file]
            at_hand[:] = taken
            if not taken:
                return True
        results = door.submit(
            [
                IncomingFile(
                    one.original_name,
                    path=self._originals.path(one.sha256),
                    received_at=one.received_at,
                    filer=one.filer,
                )
                for one in taken
            ],
            channel=taken[0].channel,
            received_by="",
            progress=self._teller(taken) if is_large else None,
        )
        outcomes = [_outcome(one, result) for one, result in zip(taken, results, strict=True)]
        self._finish(
            outcomes,
            {
                (one.upload_id, one.ordinal): one.filer
                for one, result in zip(taken, results, strict=True)
                if any(finding.rule in _NOT_THEIRS for finding in result.findings)
            },
        )
        at_hand.clear()
        return True

    def _finish(self, outcomes: Sequence[Outcome], refusals: dict[tuple[str, int], Actor]) -> None:
        self._ledger.uploads.finish(outcomes, refusals=refusals)
        self._tell()

    def _teller(self, taken: Sequence[WaitingFile]) -> Callable[[Progress], None]:
        """Tells the queue now and then how many files have been read; they are all of one upload."""
        last = time.monotonic()

        def tell(so_far: Progress) -> None:
            nonlocal last
            if time.monotonic() - last >= _TELL_SECONDS:
                last = time.monotonic()
                self._ledger.uploads.tell_read(taken[0].upload_id, so_far.read_count)

        return tell

    def _pause(self, seconds: float) -> None:
        """Wait so long, or until there may be something to do."""
        with self._changed:
            if not self._is_stopping:
                self._changed.wait(seconds)

    def _tell(self) -> None:
        with self._changed:
            self._change_count += 1
            self._changed.notify_all()

    def _note_trouble(self, fault: Wording) -> None:
        self._trouble = said("desk_in_trouble", fault=Wording(fault.zh.rstrip("。"), fault.en.rstrip(".")))


# What stops the desk without being any file's doing: it is tried again until it passes.
_NOBODYS_FAULT = (OSError, LedgerUnusable, LedgerBusy, ReaderCannotStart)
_FAULT_OF_OURS = Wording("程序出错，见运行日志", "a fault of the program, see its log")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A file of an upload before it is kept: from the network (`stream`) or out of an archive (`content`)."""

    name: str
    archive_name: str
    stream: BinaryIO | None = None
    content: bytes = b""
    refusal: archive.Refusal | None = None


def _size_of(stream: BinaryIO) -> int:
    stream.seek(0, 2)
    return stream.tell()


def _trouble_of(refusal: archive.Refusal) -> Wording:
    words = {
        name: megabytes(value)
        if isinstance(value, int) and name in ("size", "limit") and value >= MIB
        else value
        for name, value in refusal.words.items()
    }
    return said(refusal.key, **words)


def _wording_of(error: BaseException) -> Wording:
    wording = getattr(error, "wording", None)
    if isinstance(wording, Wording):
        return wording
    if isinstance(error, OSError):
        return Wording(f"磁盘或系统报告：{error.strerror}", f"disk or system: {error.strerror}")
    return Wording(f"{type(error).__name__}", f"{type(error).__name__}")


def _given_up(file: WaitingFile) -> Outcome:
    return Outcome(
        file.upload_id,
        file.ordinal,
        queue.NOT_TAKEN,
        None,
        trouble=said("could_not_be_judged", upload=file.upload_id),
    )


def _no_longer_allowed(file: WaitingFile) -> Outcome:
    return Outcome(file.upload_id, file.ordinal, queue.NOT_TAKEN, None, trouble=said("no_longer_allowed"))


def _outcome(file: WaitingFile, result: FileResult) -> Outcome:
    counts = dict.fromkeys(Severity, 0)
    for finding in result.findings:
        counts[finding.severity] += 1
    return Outcome(
        upload_id=file.upload_id,
        ordinal=file.ordinal,
        attention=_attention(result),
        verdict=result.verdict,
        submission_id=result.submission_id,
        critical_count=counts[Severity.CRITICAL],
        warning_count=counts[Severity.WARNING],
        info_count=counts[Severity.INFO],
        fix_count=len(result.fixes),
        rules=tuple(dict.fromkeys(one.rule for one in result.findings if one.severity is not Severity.INFO)),
        form_codes=result.form_codes,
        period=str(result.period) if result.period is not None else None,
        enterprise_code=result.enterprise_code,
        enterprise_name=result.enterprise_name,
        is_duplicate=result.is_duplicate,
        same_as=result.same_as,
        trouble=_words_of(result.findings) if not result.submission_id else None,
    )


def _words_of(findings: Sequence[Finding]) -> Wording | None:
    """What was found in a file of which nothing is recorded, so that the queue alone can tell it."""
    if not findings:
        return None
    return Wording(" ".join(one.message.zh for one in findings), " ".join(one.message.en for one in findings))


def _attention(result: FileResult) -> int:
    """Where a file stands in the list: what cannot be matched, is twice there or of the wrong period comes first."""
    rules = {one.rule for one in result.findings if one.severity is not Severity.INFO}
    if result.verdict is Verdict.UNREADABLE or rules & _UNMATCHED:
        return queue.UNMATCHED
    if rules & _WRONG_PERIOD:
        return queue.WRONG_PERIOD
    if result.is_duplicate:
        return queue.DUPLICATE
    if result.verdict is Verdict.REJECTED:
        return queue.REJECTED
    return queue.QUERIED if result.verdict is Verdict.QUERIES else queue.ACCEPTED


__all__ = [
    "UnknownUpload",
    "UploadDesk",
    "UploadFile",
    "UploadProgress",
    "UploadRefused",
    "UploadSummary",
    "UploadedFile",
]
