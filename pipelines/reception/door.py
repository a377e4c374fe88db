"""The one door: every file comes in here, whether from the portal, the inbox or the command line.

gate and parse (`intake`) -> judge with history (`workbench`) -> originals -> lines -> one ledger transaction a
batch. Whatever happens between two of these steps, the ledger knows only whole batches whose files are all
on the disk; filing the same files again completes what a kill cut short.

The same bytes again are one more arrival of what was recorded, unless judging them now could say something else:
the rules refused or query them, or another version has taken their place. Then they are judged anew, and where the verdict
is another one they are recorded anew, as a submission of their own.

Order. Files are taken in windows in the order given. Within a window departmental tables come first (rates),
then returns month by month, because each month is judged against those before; several versions of one
return are judged one after the other, in the order of filing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pipelines.findings import Finding, Severity, Verdict, Wording, verdict_of
from pipelines.intake import ReaderPool, messages
from pipelines.intake.limits import DEFAULT_LIMITS, Limits
from pipelines.ledger import (
    MONTHLY_PERIODS,
    SHANGHAI,
    DecisionKind,
    Filing,
    Ledger,
    LedgerConflict,
    NewBatch,
    NewSubmission,
    Repeat,
    SeriesState,
    Submission,
    counted_month,
    is_late,
    series_key_of,
)
from pipelines.ledger.actors import Actor
from pipelines.ledger.register import district_at, this_month
from pipelines.periods import Month, Period
from pipelines.reception.closed_months import closed_months, remarks_on_closings
from pipelines.reception.later_months import remark_on_later_months
from pipelines.reception.results import FileResult, line_count_of, line_details
from pipelines.records import CellRecord, FileKind, ParsedFile, judgement_of, storable_text
from pipelines.settings import Settings

# A query of the desk: see `messages.goes_back_finding`.
GOES_BACK = "M9"
# Arrow, DuckDB and the rules are imported while the first file is being read by a child: see `bench_of`.
if TYPE_CHECKING:
    from pipelines.reception.workbench import BenchRow, Workbench
    from pipelines.stores import Lines, Originals
    from pipelines.validation.covers import StandingExplanations

# Files read before the first of them is judged: within a window, history comes first whatever the order given.
WINDOW_FILES = 1_000
# Files in one ledger transaction and one lines file.
BATCH_FILES = 400
_FILES_A_QUERY = 200
# A file of more cells waits for its judgement compressed; so many cells at most are judged together.
_MOST_LOOSE_CELLS = 500
_MOST_CELLS_JUDGED = 80_000
_MOST_ATTEMPTS = 8
_MAX_NAME_LENGTH = 255
_UNMARKED_RESUBMISSION = "H7c"


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file at the door: its name as the sender gave it, and its bytes or where they stand.

    `received_at` None means now. A moment without a zone is Shanghai time. `filer` is the person who hands it
    in where that is somebody with an account: the file is taken in that name, and only for an enterprise that
    the person may file for. None for what stands on the bureau's own machine (inbox, command line).
    """

    name: str
    content: bytes | None = None
    path: Path | None = None
    received_at: datetime | None = None
    filer: Actor | None = None

    def __post_init__(self) -> None:
        if (self.content is None) == (self.path is None):
            raise ValueError(f"{self.name}: give either the content or the path of an incoming file")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a submission of many files has come."""

    read_count: int
    recorded_count: int
    total_count: int


class LedgerBusy(RuntimeError):
    """The ledger kept changing under a batch; nothing of it was recorded. Try again later. Exit code 5."""

    exit_code = 5


@dataclass(slots=True)
class _Arrival:
    """A file of the window, in the order given."""

    position: int
    file: IncomingFile
    filing: Filing
    sha256: str = ""
    size_bytes: int = 0
    known: Submission | None = None  # in the ledger before; the latest judgement of the same bytes
    is_judged_again: bool = False  # known, and what is said of it now may be something else
    told_now: tuple[Finding, ...] = ()  # why a replaced version does not count again as it is
    same_as: int | None = None  # position of an earlier file of the window with the same bytes
    trouble: str = ""  # why the file could not be opened
    refusal: Finding | None = None  # why its filer may not hand it in; nothing of it is recorded
    parsed: ParsedFile | None = None

    @property
    def name(self) -> str:
        return self.filing.file_name

    @property
    def series_key(self) -> str | None:
        """What the file is a version of, from what was read now or recorded before."""
        if self.parsed is not None:
            return _series_key(self.parsed, self.filing.received_at)
        return self.known.series_key if self.known is not None else None

    @property
    def turn_key(self) -> str | None:
        """Files with the same key are judged one after the other: versions of one thing, and returns of one
        enterprise counted in one month (February, and January-February)."""
        key = self.series_key
        if key is not None and "@" in key:  # a file of a year: return/code/FM-4/2025@2026-03
            kind, code, *_ = key.split("/")
            return f"{kind}/{code}/{key.rpartition('@')[2]}"
        return key if key is None else key.replace("-M01-02", "-02")

    @property
    def month(self) -> Month | None:
        """The month in which the file is counted, where it could be read."""
        parsed = self.parsed
        if parsed is None or parsed.period is None:
            return None
        return counted_month(parsed.kind, parsed.period, self.filing.received_at)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A file with its verdict, ready to be recorded."""

    arrival: _Arrival
    parsed: ParsedFile
    findings: tuple[Finding, ...]
    verdict: Verdict
    before: SeriesState
    usd_per_unit: Mapping[str, Decimal]  # of its month
    is_of_closed_month: bool
    is_as_known: bool = False  # judged again, and nothing of it is to be recorded


class Reception:
    """The door of one bureau. Stateless but for the ledger and the stores; one at a time per thread.

    `reader_count` overrides how many children read (a single file needs one). `is_short_lived` says that the
    process ends with the answer and converts nothing for pandas: it is then not loaded, which would take
    longer than judging a file. `keeps_bench` is for one that lives long: the bench with reference tables and
    register stays between calls, as the reading children always do, until the register changes.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        *,
        limits: Limits = DEFAULT_LIMITS,
        reader_count: int | None = None,
        is_short_lived: bool = False,
        keeps_bench: bool = False,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._limits = limits
        self._reader_count = reader_count or settings.reader_count
        self._is_short_lived = is_short_lived
        self._keeps_bench = keeps_bench
        self._kept: tuple[tuple[object, ...], Workbench] | None = None  # with the register's state
        self._pool: ReaderPool | None = None

    def __enter__(self) -> Reception:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear_kept_bench()
        if self._pool is not None:
            self._pool.__exit__(kind, error, trace)
            self._pool = None

    @cached_property
    def _originals(self) -> Originals:
        from pipelines.stores import Originals

        return Originals(self._settings.originals_dir)

    @cached_property
    def _lines(self) -> Lines:
        from pipelines.stores import Lines

        return Lines(self._settings.lines_dir)

    def make_ready(self) -> None:
        """Do now what the first files would wait for: start the children, import, and lay out a kept bench."""
        self._readers().start()
        with self._bench():
            pass

    @contextmanager
    def _bench(self) -> Iterator[Workbench]:
        """A bench with the register on it. Importing what it needs takes longer than reading one file."""
        from pipelines.reception.workbench import Workbench
        from pipelines.stores import leave_pandas_out

        if self._is_short_lived:
            leave_pandas_out()
        if not self._keeps_bench:
            with Workbench(self._ledger.enterprises()) as bench:
                bench.open()
                yield bench
            return
        state = self._ledger.register_state()
        if self._kept is None or self._kept[0] != state:
            self._clear_kept_bench()
            self._kept = (state, Workbench(self._ledger.enterprises()))
            self._kept[1].open()
        try:
            yield self._kept[1]
        except BaseException:
            self._clear_kept_bench()  # whatever lies on it was not finished
            raise
        if self._kept[1].is_worn:
            self._clear_kept_bench()

    def _clear_kept_bench(self) -> None:
        if self._kept is not None:
            self._kept[1].close()
            self._kept = None

    # -- the two things one may ask ------------------------------------------------------------------

    def check(self, files: Iterable[IncomingFile]) -> list[FileResult]:
        """What would be said of these files if they were filed now, in this order. Writes nothing.

        A file that has been filed already is answered with what the ledger knows of it.
        """
        incoming = list(files)
        results: dict[int, FileResult] = {}
        reading = self._reading(incoming, channel="check", received_by="", keep=False)
        accepted_here: dict[str, str] = {}  # files of this call that would be accepted: name by submission
        with _ReadAhead(reading) as windows, self._bench() as bench:
            for window in windows:
                for judged in self._judge(bench, window, self._waiting(window)):
                    if judged.is_as_known:
                        _leave_as_known(judged)
                        continue
                    result = _result(
                        judged, judged.before.latest_version + 1 if judged.arrival.series_key else None
                    )
                    rival = accepted_here.get(judged.before.accepted_id or "")
                    results[judged.arrival.position] = _beside(result, rival) if rival else result
                    if judged.verdict is Verdict.ACCEPTED:
                        accepted_here[judged.parsed.submission_id] = judged.arrival.name
                self._answer_the_others(window, results)
        return [results[position] for position in range(len(incoming))]

    def submit(
        self,
        files: Iterable[IncomingFile],
        *,
        channel: str,
        received_by: str,
        progress: Callable[[Progress], None] | None = None,
    ) -> list[FileResult]:
        """File these files; one result each, in the order given.

        Each batch is recorded whole or not at all. After a kill, filing the same files again records what is
        missing and leaves the rest as it is. Raises LedgerBusy when others keep changing the same series,
        StoreDamaged when a stored file that is needed for judging is missing.
        """
        incoming = list(files)
        results: dict[int, FileResult] = {}
        counts = Counter[str]()
        telling = Lock()  # reading and judging go on side by side

        def tell(**more: int) -> None:
            with telling:
                counts.update(more)
                if progress is not None:
                    progress(Progress(counts["read"], counts["recorded"], len(incoming)))

        reading = self._reading(incoming, channel=channel, received_by=received_by, keep=True, tell=tell)
        with _ReadAhead(reading) as windows, self._bench() as bench:
            for window in windows:
                self._judge_and_record(bench, window, results, tell)
                self._record_repeats(window, results)
                self._answer_the_others(window, results)
        return [results[position] for position in range(len(incoming))]

    # -- reading -------------------------------------------------------------------------------------

    def _reading(
        self,
        incoming: Sequence[IncomingFile],
        *,
        channel: str,
        received_by: str,
        keep: bool,
        tell: Callable[..., None] | None = None,
    ) -> Iterator[list[_Arrival]]:
        """Files read, window after window; with `keep` their bytes go to the originals before anything else."""
        now = datetime.now(UTC)
        for start in range(0, len(incoming), WINDOW_FILES):
            window = [
                _Arrival(
                    position,
                    file,
                    Filing(
                        storable_text(file.name)[:_MAX_NAME_LENGTH],
                        channel,
                        _moment(file.received_at, now),
                        file.filer.name if file.filer is not None else received_by,
                        file.filer,
                    ),
                )
                for position, file in enumerate(incoming[start : start + WINDOW_FILES], start=start)
            ]
            self._read_window(window, keep=keep, tell=tell)
            self._refuse_what_is_not_theirs(window)
            yield window

    def _read_window(
        self, window: Sequence[_Arrival], *, keep: bool, tell: Callable[..., None] | None
    ) -> None:
        unread: list[_Arrival] = []

        def contents() -> Iterator[tuple[str, bytes]]:
            first_with: dict[str, int] = {}
            for arrival, content in new_contents(first_with):
                unread.append(arrival)
                yield arrival.name, content
            for arrival in self._to_be_judged_again(window):
                content_again = self._open(arrival, keep=keep)
                if content_again is not None:
                    arrival.is_judged_again = True
                    unread.append(arrival)
                    yield arrival.name, content_again

        def new_contents(first_with: dict[str, int]) -> Iterator[tuple[_Arrival, bytes]]:
            for offset in range(0, len(window), _FILES_A_QUERY):
                opened = []
                for arrival in window[offset : offset + _FILES_A_QUERY]:
                    content = self._open(arrival, keep=keep)
                    if content is not None:
                        opened.append((arrival, content))
                known = self._ledger.known({arrival.sha256 for arrival, _ in opened})
                for arrival, content in opened:
                    arrival.known = known.get(arrival.sha256)
                    first = first_with.setdefault(arrival.sha256, arrival.position)
                    if first != arrival.position:
                        arrival.same_as = first
                    elif arrival.known is None:
                        yield arrival, content

        for number, parsed in enumerate(self._readers().read_many(contents())):
            arrival = unread[number]
            if arrival.is_judged_again and arrival.known is not None:
                judgement = judgement_of(arrival.sha256, arrival.known.submission_id) + 1
                parsed = replace(parsed, judgement=judgement)  # noqa: PLW2901 - the same file, under its new name
            if keep and len(parsed.cells) > _MOST_LOOSE_CELLS:
                from pipelines.stores import PackedCells

                parsed = replace(parsed, cells=PackedCells(parsed))  # noqa: PLW2901 - the same file, smaller
            # Of a file beyond the limit only the beginning was read; its name is that of all its bytes.
            arrival.parsed = (
                parsed if parsed.sha256 == arrival.sha256 else replace(parsed, sha256=arrival.sha256)
            )
            if tell is not None:
                tell(read=1)

    def _to_be_judged_again(self, window: Sequence[_Arrival]) -> list[_Arrival]:
        """Known files of which something else may be said now: refused or queried by the rules, or replaced.

        Not where the arrival itself was recorded before (a run that is repeated), nor where a later version of the
        same thing stands in the same window: then everything is sent once more, and nothing is to change.
        """
        newest: dict[str, int] = {}
        for arrival in window:
            if (known := arrival.known) is not None and known.series_key is not None:
                newest[known.series_key] = max(newest.get(known.series_key, 0), known.version or 0)
        found = [
            arrival
            for arrival in window
            if (known := arrival.known) is not None
            and arrival.same_as is None
            and _may_be_judged_otherwise(known)
            and (known.series_key is None or newest[known.series_key] == known.version)
        ]
        if not found:
            return []
        arrivals = self._ledger.arrivals({arrival.sha256 for arrival in found})
        return [arrival for arrival in found if _arrival_key(arrival) not in arrivals]

    def _refuse_what_is_not_theirs(self, window: Sequence[_Arrival]) -> None:
        """Mark files whose filer may not hand them in; their bytes are kept, nothing else is.

        The same bytes may come from one who may and from one who may not: the first who may stands for all.
        """
        if all(arrival.file.filer is None for arrival in window):
            return
        spells: dict[str, list[tuple[date | None, str]]] | None = None
        by_position = {arrival.position: arrival for arrival in window}
        parsed_of = {arrival.position: arrival.parsed for arrival in window}
        standing: dict[int, int] = {}  # position of the first with some bytes: of the first who may file them
        for arrival in window:
            filer = arrival.file.filer
            first = arrival.position if arrival.same_as is None else arrival.same_as
            what = arrival.known or parsed_of[first]
            if filer is not None and what is not None:
                if spells is None and not filer.sees_all_enterprises:
                    spells = {}
                    for spell in self._ledger.enterprises():
                        since = (spell.from_month_start_date, spell.district_code)
                        spells.setdefault(spell.enterprise_code, []).append(since)
                own = (spells or {}).get(what.enterprise_code, ())
                district_code = district_at(own, _day_of(what, arrival.filing.received_at))
                arrival.refusal = _not_theirs(filer, what.kind, what.enterprise_code, district_code)
            if arrival.refusal is not None:
                arrival.parsed = None
            elif first not in standing:
                standing[first] = arrival.position
                if arrival.same_as is not None and by_position[first].refusal is not None:
                    arrival.parsed, arrival.same_as = parsed_of[first], None
                    arrival.is_judged_again = by_position[first].is_judged_again
            elif arrival.same_as is not None:
                arrival.same_as = standing[first]

    def _open(self, arrival: _Arrival, *, keep: bool) -> bytes | None:
        """The bytes for the reader: all of them, or of an oversized file just enough to be refused.

        None for a file that cannot be opened; `trouble` says why. A store that cannot be written to raises.
        """
        content = arrival.file.content
        if content is None:
            path = arrival.file.path or Path(arrival.file.name)
            try:
                with path.open("rb") as stream:
                    content = stream.read(self._limits.file_bytes + 1)
            except OSError as error:
                arrival.trouble = error.strerror or type(error).__name__
                return None
            if len(content) > self._limits.file_bytes:
                self._take_oversized(path, arrival, keep=keep)
                return content
        arrival.size_bytes = len(content)
        if keep:
            arrival.sha256 = self._originals.put(content, durable=False)
        else:
            arrival.sha256 = hashlib.sha256(content).hexdigest()
        return content

    def _take_oversized(self, path: Path, arrival: _Arrival, *, keep: bool) -> None:
        """Digest, and with `keep` the original, of a file that is too large to be held in memory."""
        with path.open("rb") as stream:
            if keep:
                arrival.sha256, arrival.size_bytes = self._originals.put_stream(stream)
            else:
                arrival.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
                arrival.size_bytes = stream.tell()

    def _readers(self) -> ReaderPool:
        if self._pool is None:
            self._pool = ReaderPool(self._reader_count, self._limits).__enter__()
        return self._pool

    # -- judging -------------------------------------------------------------------------------------

    @staticmethod
    def _waiting(window: Iterable[_Arrival]) -> list[_Arrival]:
        return [
            arrival
            for arrival in window
            if arrival.parsed is not None and (arrival.known is None or arrival.is_judged_again)
        ]

    def _judge(
        self, bench: Workbench, window: Sequence[_Arrival], waiting: Sequence[_Arrival]
    ) -> Iterator[_Judged]:
        """Judge the waiting files of a window, history first; each judged file is history for the next."""
        from pipelines.stores import lines_table
        from pipelines.validation.judge import without_repeats

        explained, bounds = self._explained_before(waiting), self._ledger.months.closings()
        passes = _passes(window, waiting)
        keys = {arrival.series_key for arrival in waiting if arrival.series_key}
        states = self._ledger.series_states(keys)
        self._lay_out_history(bench, waiting)
        for stage, month, arrivals in passes:
            parsed_files = [arrival.parsed for arrival in arrivals if arrival.parsed is not None]
            rows = {
                parsed.submission_id: self._bench_row(arrival, parsed, states)
                for arrival, parsed in zip(arrivals, parsed_files, strict=True)
            }
            found: dict[str, list[Finding]] = {}
            if stage == _DEPARTMENTS:
                found = bench.judge_departments(rows, lines_table(parsed_files))
            elif stage == _RETURNS and month is not None:
                found = bench.judge_returns(month, rows, lines_table(parsed_files))
            usd_per_unit = bench.usd_per_unit(month) if month is not None else {}
            verdicts = {}
            for arrival, parsed in zip(arrivals, parsed_files, strict=True):
                judged = without_repeats(parsed.findings, found.get(parsed.submission_id, ()))
                key = arrival.series_key
                before = states.get(key, SeriesState()) if key else SeriesState()
                findings = _explained(arrival, parsed, (*parsed.findings, *judged), explained)
                findings = (
                    *findings,
                    *remarks_on_closings(parsed, arrival.month, findings, before, bounds, self._ledger),
                    *remark_on_later_months(parsed, arrival.month, before, self._ledger),
                )
                findings = (*findings, *_on_going_back(arrival, findings, before))
                verdict = Verdict.UNREADABLE if parsed.is_unreadable else verdict_of(list(findings))
                verdicts[parsed.submission_id] = verdict
                is_as_known = self._is_as_known(arrival, verdict, findings)
                if key and not is_as_known:
                    accepted = verdict is Verdict.ACCEPTED
                    states[key] = SeriesState(
                        before.latest_version + 1, parsed.submission_id if accepted else before.accepted_id
                    )
                is_closed = bool(closed_months(parsed, arrival.month, bounds))
                yield _Judged(
                    arrival, parsed, findings, verdict, before, usd_per_unit, is_closed, is_as_known
                )
            if stage != _UNJUDGEABLE:
                bench.settle(verdicts)
            if stage == _DEPARTMENTS:
                bench.refresh_rates()

    def _is_as_known(self, arrival: _Arrival, verdict: Verdict, findings: Sequence[Finding]) -> bool:
        """Whether a file that was judged again is to stay what it was.

        What is refused once more replaces nothing; it is recorded only where it is the newest version, so that its
        filer reads what is wrong now and no longer what was. What waits for an answer goes on waiting unless nothing
        is asked any more.
        """
        known = arrival.known
        if known is None or not arrival.is_judged_again:
            return False
        if not _is_replaced(known) and known.status is Verdict.QUERIES:
            recorded = self._ledger.findings(known.submission_id)
            return verdict is not Verdict.ACCEPTED or any(one.rule == GOES_BACK for one in recorded)
        if verdict is not Verdict.REJECTED:
            return False
        if _is_replaced(known):
            return True
        recorded = self._ledger.findings(known.submission_id)
        return known.status is verdict and set(map(_asked, recorded)) == set(map(_asked, findings))

    def _explained_before(self, waiting: Iterable[_Arrival]) -> StandingExplanations:
        """What has been explained by those whose files wait, for the queries that need not be asked again."""
        from pipelines.validation.covers import Doubted, Explained, StandingExplanations

        found = StandingExplanations()
        filers = {_filed_for(arrival.parsed) for arrival in waiting if arrival.parsed is not None} - {""}
        standing, doubts = self._ledger.explanations.standing_and_doubts(filers) if filers else ([], {})
        for one in standing:
            month = Month.of(one.month_start_date)
            found.add(
                one.filed_for,
                Explained(one.rule, one.business_key, one.fingerprint, month, one.reason, one.is_reviewed),
            )
        for (filed_for, day, rule, key, sameness), doubt in doubts.items():
            found.doubt(filed_for, Doubted(rule, key, sameness, Month.of(day), doubt.refusal_of))
        return found

    def _lay_out_history(self, bench: Workbench, waiting: Iterable[_Arrival]) -> None:
        """Have on the bench the returns and rates with which the waiting files are compared."""
        from pipelines.reception.workbench import HISTORY_MONTHS

        parsed_files = [arrival.parsed for arrival in waiting if arrival.parsed is not None]
        months = [
            arrival.month
            for arrival in waiting
            if arrival.month is not None
            and arrival.parsed is not None
            and arrival.parsed.kind is FileKind.RETURN
        ]
        if not months:
            bench.lay_out([], self._ledger.department_tables(["DM-3"]) if parsed_files else [], self._lines)
            return
        codes = {parsed.enterprise_code for parsed in parsed_files if parsed.enterprise_code}
        first = min(months).plus(-HISTORY_MONTHS)
        # January may be in force within January-February, which is counted in February.
        last = max(months) if max(months).month != 1 else max(months).plus(1)
        history = self._ledger.history(codes, first, last)
        rates = self._ledger.department_tables(["DM-3"], first.start_date, max(months).end_date)
        bench.lay_out(history, rates, self._lines)

    def _bench_row(self, arrival: _Arrival, parsed: ParsedFile, states: dict[str, SeriesState]) -> BenchRow:
        from pipelines.reception.workbench import BenchRow

        key = arrival.series_key
        before = states.get(key, SeriesState()) if key else SeriesState()
        period = parsed.period
        return BenchRow(
            submission_id=parsed.submission_id,
            sequence=2**62 + arrival.position,  # after everything recorded
            kind=parsed.kind.value,
            enterprise_code=parsed.enterprise_code,
            department=parsed.department,
            period_start_date=period.first.start_date if period else None,
            period_kind=period.kind if period else None,
            month_start_date=arrival.month.start_date if arrival.month else None,
            version=before.latest_version + 1 if key else None,
            verdict=None,
            status=None,
            is_current=True,
            is_current_accepted=False,
            is_zero_return=parsed.is_zero_return,
            is_revision=parsed.is_revision,
            supersedes_submission_id=before.accepted_id,
            received_at=arrival.filing.received_at,
            is_late=self._is_late(arrival, parsed),
            sha256=parsed.sha256,
            file_name=arrival.name,
            series_key=key,
        )

    def _is_late(self, arrival: _Arrival, parsed: ParsedFile) -> bool:
        """Whether a file came after its deadline; files that are no month's return have none."""
        period = parsed.period
        if parsed.kind is FileKind.RETURN and period is not None and period.kind not in MONTHLY_PERIODS:
            return False
        return is_late(arrival.filing.received_at, period, self._settings.filing_deadline_day)

    # -- recording -----------------------------------------------------------------------------------

    def _judge_and_record(
        self,
        bench: Workbench,
        window: Sequence[_Arrival],
        results: dict[int, FileResult],
        tell: Callable[..., None],
    ) -> None:
        """Judge and record until nothing waits; if the ledger moved on meanwhile, judge the rest again."""
        for _ in range(_MOST_ATTEMPTS):
            waiting = self._waiting(window)
            if not waiting:
                return
            # Others may have filed the same bytes since they were read.
            known = self._ledger.known({arrival.sha256 for arrival in waiting})
            for arrival in waiting:
                now = known.get(arrival.sha256)
                if arrival.is_judged_again and _id_of(now) != _id_of(arrival.known):
                    arrival.is_judged_again, arrival.parsed = False, None
                arrival.known = now
            waiting = self._waiting(window)
            try:
                for part in _parts(waiting):
                    if bench.is_worn:
                        bench.close()
                    pending: list[_Judged] = []
                    for judged in self._judge(bench, window, part):
                        if judged.is_as_known:
                            _leave_as_known(judged)
                            continue
                        pending.append(judged)
                        if len(pending) == BATCH_FILES:
                            self._record(pending, results)
                            tell(recorded=len(pending))
                            pending = []
                    if pending:
                        self._record(pending, results)
                        tell(recorded=len(pending))
            except LedgerConflict:
                continue
            return
        raise LedgerBusy(
            "the ledger kept changing while files were judged; nothing of the last batch was recorded, try again"
        )

    def _record(self, batch: Sequence[_Judged], results: dict[int, FileResult]) -> None:
        """Originals on the disk, then lines, then one transaction of the ledger."""
        from pipelines.stores import lines_table
        from pipelines.validation.rules import rule_book

        parsed_files = [judged.parsed for judged in batch]
        book = rule_book()
        batch_id = _batch_id(parsed_files, book.content_hash)
        self._originals.make_durable(judged.arrival.sha256 for judged in batch)
        has_cells = any(parsed.cells for parsed in parsed_files)
        lines_file = self._lines.write(batch_id, lines_table(parsed_files)) if has_cells else ""
        recorded = self._ledger.record(
            NewBatch(
                batch_id=batch_id,
                lines_file=lines_file,
                rules_version=book.content_hash,
                submissions=tuple(self._new_submission(judged) for judged in batch),
            )
        )
        for judged, submission in zip(batch, recorded.submissions, strict=True):
            arrival = judged.arrival
            arrival.known = submission
            arrival.parsed, arrival.is_judged_again = None, False  # the cells are in the lines now
            if submission.submission_id not in recorded.repeated_ids:
                result = _result(judged, submission.version)
                results[arrival.position] = replace(
                    result, details=self._details_from_lines(submission, judged.usd_per_unit)
                )

    def _new_submission(self, judged: _Judged) -> NewSubmission:
        parsed = judged.parsed
        return NewSubmission(
            sha256=parsed.sha256,
            submission_id=parsed.submission_id,
            kind=parsed.kind,
            form_codes=parsed.form_codes,
            layout_versions=parsed.layout_versions,
            enterprise_code=parsed.enterprise_code,
            enterprise_name=parsed.enterprise_name,
            department=parsed.department,
            period=parsed.period,
            verdict=judged.verdict,
            is_zero_return=parsed.is_zero_return,
            is_revision=parsed.is_revision,
            is_late=self._is_late(judged.arrival, parsed),
            size_bytes=judged.arrival.size_bytes,
            line_count=line_count_of(parsed.cells),
            has_cells=bool(parsed.cells),
            findings=judged.findings,
            fixes=parsed.fixes,
            filing=judged.arrival.filing,
            base_version=judged.before.latest_version,
            base_accepted_id=judged.before.accepted_id,
            supersedes_submission_id=judged.before.accepted_id,
            form_dates=_form_dates(parsed) if parsed.kind is FileKind.DEPARTMENT else {},
            was_judged_as_closed=judged.is_of_closed_month,
            judgement=parsed.judgement,
        )

    def _record_repeats(self, window: Sequence[_Arrival], results: dict[int, FileResult]) -> None:
        """Files whose bytes the ledger knew are arrivals all the same; in one transaction."""
        again = [
            arrival
            for arrival in window
            if arrival.position not in results and arrival.sha256 and arrival.refusal is None
        ]
        sha256s = {arrival.sha256 for arrival in again}
        known, arrived = self._ledger.known(sha256s), self._ledger.arrivals(sha256s)
        repeats = tuple(
            Repeat(known[arrival.sha256].submission_id, arrival.filing)
            for arrival in again
            if _arrival_key(arrival) not in arrived
        )
        if repeats:
            from pipelines.validation.rules import rule_book

            self._ledger.record(NewBatch("", "", rule_book().content_hash, (), repeats))

    # -- answering -----------------------------------------------------------------------------------

    def _answer_the_others(self, window: Sequence[_Arrival], results: dict[int, FileResult]) -> None:
        """Results of files that were not judged now: known before, twice in the window, or not to be opened."""
        open_ones = [arrival for arrival in window if arrival.position not in results]
        known = self._ledger.known({arrival.sha256 for arrival in open_ones if arrival.sha256})
        ids = [submission.submission_id for submission in known.values()]
        findings, fixes = self._ledger.findings_of(ids), self._ledger.fixes_of(ids)
        sent_back, replaced = self._sent_back(known.values()), self._replaced(known.values())
        filers = {arrival.position: arrival.file.filer for arrival in window}
        for arrival in open_ones:
            if arrival.trouble:
                results[arrival.position] = _could_not_be_opened(arrival)
                continue
            if arrival.refusal is not None:
                results[arrival.position] = FileResult(
                    arrival.name, arrival.sha256, "", Verdict.UNREADABLE, findings=(arrival.refusal,)
                )
                continue
            submission = known.get(arrival.sha256)
            if submission is None or _was_judged_here(
                results.get(-1 if arrival.same_as is None else arrival.same_as), submission
            ):
                first = results[
                    arrival.same_as or 0
                ]  # checked twice in one go, not filed as it is judged now
                results[arrival.position] = replace(
                    first, name=arrival.name, is_duplicate=True, same_as=first.name
                )
                continue
            filing = arrival.filing
            is_the_first_arrival = (submission.file_name, submission.channel, submission.received_at) == (
                filing.file_name,
                filing.channel,
                filing.received_at,
            )
            results[arrival.position] = FileResult(
                name=arrival.name,
                sha256=arrival.sha256,
                submission_id=submission.submission_id,
                verdict=submission.status,
                form_codes=submission.form_codes,
                period=_period_of(submission),
                enterprise_code=submission.enterprise_code,
                enterprise_name=submission.enterprise_name,
                department=submission.department,
                line_count=submission.line_count,
                fixes=tuple(fixes.get(submission.submission_id, ())),
                findings=(
                    *sent_back.get(submission.submission_id, ()),
                    # A run that is repeated is told what it was told: what came later was in its own files.
                    *(() if is_the_first_arrival else replaced.get(submission.submission_id, ())),
                    *(arrival.told_now or findings.get(submission.submission_id, ())),
                ),
                is_duplicate=not is_the_first_arrival,
                # Files of several people are judged together: nobody is told what another calls the file.
                same_as=_new_in_this_call(results.get(arrival.same_as))
                if arrival.same_as is not None
                and _name_of(filers.get(arrival.same_as)) == _name_of(arrival.file.filer)
                else "",
                is_zero_return=submission.is_zero_return,
                version=submission.version,
                details=self._details_from_lines(submission),
            )

    def _sent_back(self, submissions: Iterable[Submission]) -> dict[str, tuple[Finding, ...]]:
        """What the reviewer said of those that were sent back: it stands before everything else."""
        from pipelines.validation.messages import returned_finding

        found = {}
        for one in submissions:
            if one.is_returned:
                reasons = [
                    decision.reason
                    for decision in self._ledger.decisions(one.submission_id)
                    if decision.decision_kind == DecisionKind.RETURNED
                ]
                found[one.submission_id] = tuple(returned_finding(reason) for reason in reasons[-1:])
        return found

    def _replaced(self, submissions: Iterable[Submission]) -> dict[str, tuple[Finding, ...]]:
        """Of those that are no longer in force because another version is: which one they are, and which is newest."""
        from pipelines.validation.messages import replaced_finding

        gone = [one for one in submissions if _is_replaced(one) and not one.is_latest_accepted]
        states = (
            self._ledger.series_states({one.series_key for one in gone if one.series_key}) if gone else {}
        )
        return {
            one.submission_id: (
                replaced_finding(one.version or 0, states[one.series_key or ""].latest_version),
            )
            for one in gone
        }

    def _details_from_lines(
        self, submission: Submission, usd_per_unit: Mapping[str, Decimal] | None = None
    ) -> Callable[[], list[dict[str, Any]]]:
        """What was read from a recorded file, looked up when it is asked for."""

        def details() -> list[dict[str, Any]]:
            table = self._lines.read({submission.submission_id: submission.lines_file})
            cells = [CellRecord(*list(row.values())[1:]) for row in table.to_pylist()]
            rates = self._rates_of(submission) if usd_per_unit is None else usd_per_unit
            return line_details(cells, rates)

        return details

    def _rates_of(self, submission: Submission) -> dict[str, Decimal]:
        if submission.month_start_date is None:
            return {}
        month = Month.of(submission.month_start_date)
        from pipelines.reception.workbench import Workbench

        tables = self._ledger.department_tables(["DM-3"], month.start_date, month.end_date)
        with Workbench() as bench:
            bench.lay_out([], tables, self._lines)
            return bench.usd_per_unit(month)


class _ReadAhead:
    """Windows of files, the next of them read in a thread while the one at hand is judged.

    Reading begins on entry. On leaving, reading in progress is waited for (a window at most) and not kept.
    """

    def __init__(self, reading: Iterator[list[_Arrival]]) -> None:
        self._reading = reading
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reading")
        self._next: Future[list[_Arrival] | None] | None = None

    def __enter__(self) -> Iterator[list[_Arrival]]:
        self._next = self._thread.submit(next, self._reading, None)
        return self._windows()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _windows(self) -> Iterator[list[_Arrival]]:
        while self._next is not None and (window := self._next.result()) is not None:
            self._next = self._thread.submit(next, self._reading, None)
            yield window


# -- order ------------------------------------------------------------------------------------------------

_DEPARTMENTS, _RETURNS, _UNJUDGEABLE = 0, 1, 2


def _parts(waiting: Sequence[_Arrival]) -> Iterator[list[_Arrival]]:
    """The waiting files in parts that fit into memory when judged: almost always one.

    What everybody is judged with comes first; then returns, all of an enterprise in one part, because a return is
    compared with others of its own enterprise only.
    """
    sizes = {arrival.position: len(arrival.parsed.cells) for arrival in waiting if arrival.parsed is not None}
    if sum(sizes.values()) <= _MOST_CELLS_JUDGED:
        yield list(waiting)
        return
    first: list[_Arrival] = []
    by_enterprise: dict[str, list[_Arrival]] = {}
    for arrival in waiting:
        parsed = arrival.parsed
        if parsed is not None and parsed.kind is FileKind.RETURN and parsed.enterprise_code:
            by_enterprise.setdefault(parsed.enterprise_code, []).append(arrival)
        else:
            first.append(arrival)
    if first:
        yield first
    part: list[_Arrival] = []
    cell_count = 0
    for arrivals in by_enterprise.values():
        more = sum(sizes[arrival.position] for arrival in arrivals)
        if part and cell_count + more > _MOST_CELLS_JUDGED:
            yield part
            part, cell_count = [], 0
        part += arrivals
        cell_count += more
    if part:
        yield part


def _passes(
    window: Sequence[_Arrival], waiting: Sequence[_Arrival]
) -> list[tuple[int, Month | None, list[_Arrival]]]:
    """The waiting files in groups that are judged together, and the order of the groups.

    At most one return of an enterprise is in a group: the second is judged when the first has its verdict.
    Files recorded earlier count as earlier versions, so that a run after a kill goes the same way as one without.
    """
    earlier = Counter[str]()
    places: dict[int, tuple[int, Month, int, int]] = {}
    no_month = Month(1900, 1)
    for arrival in window:
        key = arrival.turn_key
        rank = 0
        if key is not None and arrival.same_as is None:
            rank = earlier[key]
            earlier[key] += 1
        parsed = arrival.parsed
        if parsed is None:
            continue
        if parsed.is_unreadable or parsed.kind is FileKind.UNKNOWN:
            places[arrival.position] = (_UNJUDGEABLE, no_month, 0, arrival.position)
        elif parsed.kind is FileKind.DEPARTMENT:
            places[arrival.position] = (_DEPARTMENTS, no_month, rank, arrival.position)
        elif arrival.month is None:
            places[arrival.position] = (_UNJUDGEABLE, no_month, 0, arrival.position)
        else:
            places[arrival.position] = (_RETURNS, arrival.month, rank, arrival.position)
    ordered = sorted(waiting, key=lambda arrival: places[arrival.position])
    return [
        (stage, month if stage == _RETURNS else None, list(arrivals))
        for (stage, month, _), arrivals in groupby(ordered, key=lambda arrival: places[arrival.position][:3])
    ]


# -- small things -----------------------------------------------------------------------------------------


def _may_be_judged_otherwise(known: Submission) -> bool:
    """Whether judging the same bytes now could change what counts; not where a person has sent them back."""
    if known.is_returned or known.status is Verdict.UNREADABLE:
        return False
    if known.status in (Verdict.REJECTED, Verdict.QUERIES):
        return True
    return _is_replaced(known) and not known.is_latest_accepted


def _is_replaced(known: Submission) -> bool:
    """Whether a later version of the same thing was filed."""
    return known.series_key is not None and not known.is_current


def _on_going_back(arrival: _Arrival, findings: Sequence[Finding], before: SeriesState) -> Iterator[Finding]:
    """A question to whoever files a replaced version once more: a folder sent anew would take corrections back."""
    known = arrival.known
    if known is None or not arrival.is_judged_again or not _is_replaced(known):
        return
    if verdict_of(list(findings)) is not Verdict.REJECTED:
        from pipelines.validation.messages import goes_back_finding

        yield goes_back_finding(known.version or 0, before.latest_version)


def _leave_as_known(judged: _Judged) -> None:
    """Have a file that was judged again stay what it was, one more arrival."""
    arrival = judged.arrival
    if arrival.known is not None and _is_replaced(arrival.known):
        arrival.told_now = judged.findings
    arrival.is_judged_again, arrival.parsed = False, None


def _asked(finding: Finding) -> tuple[str, ...]:
    """What a finding is about, whatever its words."""
    return (
        finding.rule, finding.severity.value, finding.form_code, finding.sheet, finding.cell, finding.key,
        finding.given, finding.expected,
    )  # fmt: skip


def _arrival_key(arrival: _Arrival) -> tuple[str, str, str, datetime]:
    """An arrival as `Ledger.arrivals` tells it."""
    filing = arrival.filing
    return arrival.sha256, filing.channel, filing.file_name, filing.received_at.astimezone(UTC)


def _id_of(submission: Submission | None) -> str:
    return "" if submission is None else submission.submission_id


def _filed_for(parsed: ParsedFile) -> str:
    return parsed.enterprise_code or parsed.department


def _explained(
    arrival: _Arrival, parsed: ParsedFile, findings: Sequence[Finding], explained: StandingExplanations
) -> tuple[Finding, ...]:
    """The findings less the questions that are answered in the file or were answered before. What the file explains
    itself is at hand for those judged after it."""
    month, filed_for = arrival.month, _filed_for(parsed)
    if parsed.is_unreadable or month is None or not filed_for:
        return tuple(findings)
    from pipelines.validation.covers import with_answers

    told = explained.cover(filed_for, month, with_answers(findings, parsed.answers))
    explained.keep(filed_for, month, told)
    return tuple(told)


def _series_key(parsed: ParsedFile, received_at: datetime) -> str | None:
    return series_key_of(
        parsed.kind,
        parsed.period,
        enterprise_code=parsed.enterprise_code,
        department=parsed.department,
        form_codes=parsed.form_codes,
        is_unreadable=parsed.is_unreadable,
        received_at=received_at,
    )


def _moment(received_at: datetime | None, now: datetime) -> datetime:
    if received_at is None:
        return now
    return received_at.replace(tzinfo=SHANGHAI) if received_at.tzinfo is None else received_at


def _batch_id(parsed_files: Sequence[ParsedFile], rules_version: str) -> str:
    """The same files judged by the same rules are the same batch: a repeated run writes the same lines file."""
    digest = hashlib.sha256(rules_version.encode())
    for parsed in parsed_files:
        # Judged again, the same bytes are lines of another submission.
        digest.update((parsed.sha256 if parsed.judgement == 1 else parsed.submission_id).encode())
    return digest.hexdigest()[:40]


def _form_dates(parsed: ParsedFile) -> dict[str, tuple[date, date]]:
    """First and last day that the rows of each form speak of; those of the head where rows have none."""
    days: dict[str, list[date]] = {}
    for cell in parsed.cells:
        if cell.section == "row" and cell.day is not None:
            days.setdefault(cell.form_code, []).append(cell.day)
    dates = {form_code: (min(found), max(found)) for form_code, found in days.items()}
    if parsed.period is not None:
        for form_code in parsed.form_codes:
            dates.setdefault(form_code, (parsed.period.first.start_date, parsed.period.last.end_date))
    return dates


def _result(judged: _Judged, version: int | None) -> FileResult:
    parsed = judged.parsed
    return FileResult(
        name=judged.arrival.name,
        sha256=parsed.sha256,
        submission_id=parsed.submission_id,
        verdict=judged.verdict,
        form_codes=parsed.form_codes,
        period=parsed.period,
        enterprise_code=parsed.enterprise_code,
        enterprise_name=parsed.enterprise_name,
        department=parsed.department,
        line_count=line_count_of(parsed.cells),
        fixes=parsed.fixes,
        findings=judged.findings,
        is_zero_return=parsed.is_zero_return,
        version=version,
        details=lambda: line_details(parsed.cells, judged.usd_per_unit),
    )


_ACCEPTED_ALREADY = Wording("该月已有一份审核通过的报表", "a return for that month has been accepted already")


def _beside(result: FileResult, rival: str) -> FileResult:
    """The answer of a check where the return in the way is no recorded one but another file of the same call."""
    of_this_batch = Wording(
        f"这批文件中的另一个文件（{rival}）也是该月的报表",
        f"another file of this batch ({rival}) is for the same month",
    )
    findings = tuple(
        replace(
            finding,
            message=Wording(
                finding.message.zh.replace(_ACCEPTED_ALREADY.zh, of_this_batch.zh),
                finding.message.en.replace(_ACCEPTED_ALREADY.en, of_this_batch.en),
            ),
        )
        if finding.rule == _UNMARKED_RESUBMISSION
        else finding
        for finding in result.findings
    )
    return replace(result, findings=findings)


def _new_in_this_call(first: FileResult | None) -> str:
    """Name of the earlier file with the same bytes, unless that one too was known before."""
    return "" if first is None or first.is_duplicate else first.name


def _was_judged_here(first: FileResult | None, recorded: Submission) -> bool:
    """Whether the earlier file with the same bytes was judged in this call and is not what is recorded of them."""
    return first is not None and not first.is_duplicate and first.submission_id != recorded.submission_id


def _day_of(what: Submission | ParsedFile, received_at: datetime) -> date:
    """First day of the month in which a file is counted; of the current month where that is not known."""
    if isinstance(what, ParsedFile):
        period = what.period
        return counted_month(what.kind, period, received_at).start_date if period else this_month()
    return what.month_start_date or this_month()


def _name_of(filer: Actor | None) -> str:
    return "" if filer is None else filer.name


def _not_theirs(filer: Actor, kind: FileKind, enterprise_code: str, district_code: str) -> Finding | None:
    """Why this person may not hand in this file; None where that is fine, or where it is nobody's.

    `district_code` is where the enterprise is in the month of the file. Says nothing of the enterprise but the code that stands in the file, which the person has before them.
    """
    if kind is FileKind.DEPARTMENT:
        return None if filer.may_file_department_tables else messages.finding("G11")
    if not enterprise_code or filer.may_see(enterprise_code, district_code):
        return None
    return messages.finding("G10", given=enterprise_code)


def _could_not_be_opened(arrival: _Arrival) -> FileResult:
    finding = Finding(
        rule="G09",
        severity=Severity.CRITICAL,
        message=Wording(
            f"文件“{arrival.name}”打不开（{arrival.trouble}），因此没有收到任何内容。请检查该文件是否存在、有无读取权限，"
            "然后重新报送。〔G09〕",
            f"“{arrival.name}” could not be opened ({arrival.trouble}), so nothing was received. Check that it is "
            "there and may be read, then file it again. [G09]",
        ),
        given=arrival.trouble,
    )
    return FileResult(arrival.name, "", "", Verdict.UNREADABLE, findings=(finding,))


def _period_of(submission: Submission) -> Period | None:
    if submission.period_start_date is None or submission.period_kind is None:
        return None
    return Period(Month.of(submission.period_start_date), submission.period_kind)  # type: ignore[arg-type]
