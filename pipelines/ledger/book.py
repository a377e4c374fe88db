"""What may be asked of the ledger and told to it, each in one transaction.

Nothing here knows workbooks or rules: callers hand in what was read and judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Table,
    and_,
    func,
    insert,
    make_url,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from pipelines.findings import Finding, Fix, Severity, Verdict, Wording
from pipelines.ledger import tables as t
from pipelines.ledger.audit import AuditLog
from pipelines.ledger.engine import expect_migrated, migrate, open_engine, reading, writing
from pipelines.ledger.keys import KeyRing, give_keys
from pipelines.ledger.profiles import PROFILES, SecurityProfile, profile_of
from pipelines.ledger.rule_counts import RuleCounts, rule_counts
from pipelines.ledger.shapes import (
    MAX_CODE_LENGTH,
    CannotConfirm,
    Change,
    Decision,
    EnterpriseSpell,
    Filing,
    LedgerConflict,
    NewBatch,
    NewSubmission,
    Recorded,
    RecordedFiling,
    RegisterRow,
    SeriesState,
    Submission,
    UnknownSubmission,
)
from pipelines.periods import Month
from pipelines.records import FileKind, storable_text
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.ledger.accounts import Accounts

_IDS_A_QUERY = 5_000  # well below the parameter limits of both databases
_MAX_FILE_NAME_LENGTH = 255
_MIN_REASON_LENGTH = 5

_T = TypeVar("_T")


def ledger_of(settings: Settings, *, is_read_only: bool = False) -> Ledger:
    """The bureau's ledger as its settings describe it. Raises LedgerUnusable like `open_ledger`."""
    return open_ledger(
        settings.ledger_url,
        is_read_only=is_read_only,
        secrets_dir=settings.secrets_dir,
        profile=profile_of(settings.security_profile, settings.second_factor_for),
    )


def open_ledger(
    url: str,
    *,
    is_read_only: bool = False,
    secrets_dir: Path | None = None,
    profile: SecurityProfile = PROFILES["asvs"],
) -> Ledger:
    """Open the ledger at this URL, creating or migrating its tables first; safe when several do so at once.

    With `is_read_only` nothing is created or changed and no permission to write is needed. `secrets_dir` is where
    the ledger's key lies (Settings.secrets_dir); by default `secrets` beside the file of an SQLite ledger, and
    nowhere for a server: its audit log is then chained without a key, and no second factor can be kept.
    `profile` says which rules passwords follow.

    Raises LedgerUnusable for a URL or a ledger that this program cannot work with; of it LedgerMissing when
    there is nothing to read.
    """
    engine = open_engine(url, is_read_only=is_read_only)
    if secrets_dir is None and engine.dialect.name == "sqlite":
        secrets_dir = Path(str(make_url(url).database)).absolute().parent / "secrets"
    give_keys(engine, KeyRing(secrets_dir, is_read_only=is_read_only))
    if is_read_only:
        expect_migrated(engine, url)
    else:
        migrate(engine)
    return Ledger(engine, profile)


class Ledger:
    """The ledger of one bureau. Thread-safe: every call takes a connection of its own."""

    def __init__(self, engine: Engine, profile: SecurityProfile = PROFILES["asvs"]) -> None:
        self._engine = engine
        self._profile = profile

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @cached_property
    def audit(self) -> AuditLog:
        """Who did what to what, and whether that record is whole."""
        return AuditLog(self._engine)

    @cached_property
    def accounts(self) -> Accounts:
        """Who may come in, and as what."""
        from pipelines.ledger.accounts import Accounts

        return Accounts(self._engine, self._profile)

    def rule_counts(self, *, until: Month | None = None) -> RuleCounts:
        """How often each rule fired in the twelve months up to `until`; see `rule_counts`."""
        return rule_counts(self._engine, until=until)

    # -- the register ------------------------------------------------------------------------------

    def import_register(self, rows: Iterable[RegisterRow], *, by: str = "") -> int:
        """Take in a register; returns how many enterprises it changed or added.

        What the rows say of an enterprise replaces what the register said of it; the earlier events are kept,
        marked void. Enterprises that the rows do not name stay as they are. Importing the same file twice
        changes nothing. An enterprise may stand in several rows, one a stretch of months.

        Raises ValueError when two rows of one enterprise overlap.
        """
        by_code: dict[str, list[RegisterRow]] = defaultdict(list)
        for row in rows:
            by_code[row.enterprise_code].append(row)
        now = datetime.now(UTC)
        changed = 0
        with writing(self._engine) as connection:
            self._advance(connection, "submission", 0)  # the lock: one writer at a time
            for codes in _chunks(by_code):
                known = self._known_register(connection, codes)
                for code in codes:
                    name, contact, phone, events = _events_of(code, by_code[code])
                    was = known.get(code)
                    if was == (name, contact, phone, events):
                        continue
                    changed += 1
                    values = {
                        "enterprise_name": name,
                        "contact": contact,
                        "phone": phone,
                        "recorded_at": now,
                    }
                    if was is None:
                        connection.execute(insert(t.enterprise).values(enterprise_code=code, **values))
                    else:
                        connection.execute(
                            update(t.enterprise)
                            .where(t.enterprise.c.enterprise_code == code)
                            .values(**values)
                        )
                    if was is None or was[3] != events:
                        connection.execute(
                            update(t.enterprise_event)
                            .where(t.enterprise_event.c.enterprise_code == code)
                            .values(is_void=True)
                        )
                        connection.execute(
                            insert(t.enterprise_event),
                            [
                                {
                                    "enterprise_code": code,
                                    "effective_month_start_date": effective,
                                    "event_kind": kind,
                                    "district_code": district_code,
                                    "industry_code": industry_code,
                                    "recorded_at": now,
                                    "recorded_by": by,
                                    "is_void": False,
                                }
                                for effective, kind, district_code, industry_code in events
                            ],
                        )
        return changed

    @staticmethod
    def _known_register(connection: Connection, codes: Sequence[str]) -> dict[str, _RegisterEntry]:
        entries: dict[str, _RegisterEntry] = {
            row.enterprise_code: (row.enterprise_name, row.contact, row.phone, [])
            for row in connection.execute(
                select(t.enterprise).where(t.enterprise.c.enterprise_code.in_(codes))
            )
        }
        event = t.enterprise_event
        for row in connection.execute(
            select(event)
            .where(event.c.enterprise_code.in_(codes), event.c.is_void.is_(False))
            .order_by(event.c.event_id)
        ):
            entries[row.enterprise_code][3].append(
                (row.effective_month_start_date, row.event_kind, row.district_code, row.industry_code)
            )
        return entries

    def enterprises(self) -> list[EnterpriseSpell]:
        """The register as spells, by enterprise code and time; a spell ends the month before the next event."""
        event = t.enterprise_event
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(event, t.enterprise.c.enterprise_name)
                .join(t.enterprise, t.enterprise.c.enterprise_code == event.c.enterprise_code)
                .where(event.c.is_void.is_(False))
                .order_by(event.c.enterprise_code, event.c.event_id)
            ).all()
        spells: list[EnterpriseSpell] = []
        for _, events in groupby(rows, key=lambda row: row.enterprise_code):
            spells.extend(_spells_of(list(events)))
        return spells

    def register_state(self) -> tuple[object, ...]:
        """A value that changes whenever the register does; far cheaper to ask for than the register."""
        event = t.enterprise_event.c
        with reading(self._engine) as connection:
            enterprises = connection.execute(
                select(func.count(), func.max(t.enterprise.c.recorded_at)).select_from(t.enterprise)
            ).one()
            events = connection.execute(
                select(func.max(event.event_id), func.count().filter(event.is_void))
            ).one()
        return (*enterprises, *events)

    # -- recording ---------------------------------------------------------------------------------

    def record(self, batch: NewBatch) -> Recorded:
        """Record a batch, all of it or nothing, and give back its submissions as they now stand.

        A submission whose bytes somebody else recorded meanwhile becomes one more arrival of the recorded
        one. Raises LedgerConflict when a series has moved on since it was judged; nothing is then written.
        """
        try:
            with writing(self._engine) as connection:
                repeated_ids = self._record_in(connection, batch)
        except IntegrityError as error:
            # Recordings pass one at a time through the counter; a unique constraint can still speak up when
            # a database is written to by something else. The caller judges again on what is there now.
            raise LedgerConflict(f"batch {batch.batch_id}: {error.orig}") from error
        wanted = [new.submission_id for new in batch.submissions]
        by_id = {found.submission_id: found for found in self.submissions(submission_ids=wanted)}
        return Recorded(tuple(by_id[submission_id] for submission_id in wanted), repeated_ids)

    def _record_in(self, connection: Connection, batch: NewBatch) -> frozenset[str]:
        # First of all the counter: it is the lock under which everything below is read and written.
        last = self._advance(connection, "submission", 0)
        known = {
            row.submission_id
            for ids in _chunks([new.submission_id for new in batch.submissions])
            for row in connection.execute(
                select(t.submission.c.submission_id).where(t.submission.c.submission_id.in_(ids))
            )
        }
        fresh = [new for new in batch.submissions if new.submission_id not in known]
        repeats = [
            (new.submission_id, new.filing) for new in batch.submissions if new.submission_id in known
        ] + [(repeat.submission_id, repeat.filing) for repeat in batch.repeats]
        now = datetime.now(UTC)
        if fresh:
            states = self._series_states(connection, {new.series_key for new in fresh if new.series_key})
            self._refuse_if_moved(fresh, states)
            if not connection.execute(
                select(t.batch.c.batch_id).where(t.batch.c.batch_id == batch.batch_id)
            ).first():
                connection.execute(
                    insert(t.batch).values(
                        batch_id=batch.batch_id,
                        lines_file=batch.lines_file,
                        rules_version=batch.rules_version,
                        recorded_at=now,
                        submission_count=len(fresh),
                    )
                )
            versions = {key: state.latest_version for key, state in states.items()}
            submission_rows = []
            for sequence, new in enumerate(fresh, start=last + 1):
                version = None
                if new.series_key:
                    version = versions.get(new.series_key, 0) + 1
                    versions[new.series_key] = version
                submission_rows.append(_submission_row(new, batch, sequence, version))
            # A version may supersede one of the same batch, so they go in in their order.
            connection.execute(insert(t.submission), submission_rows)
            _insert_many(connection, t.submission_form, (row for new in fresh for row in _form_rows(new)))
            _insert_many(connection, t.finding, (row for new in fresh for row in _finding_rows(new)))
            _insert_many(connection, t.fix, (row for new in fresh for row in _fix_rows(new)))
            self._advance(connection, "submission", len(fresh))
        arrivals = [(new.submission_id, new.filing, False) for new in fresh]
        arrivals += [(submission_id, filing, True) for submission_id, filing in repeats]
        self._insert_filings(connection, arrivals, now)
        return frozenset(known)

    @staticmethod
    def _advance(connection: Connection, name: str, by: int) -> int:
        connection.execute(
            update(t.counter).where(t.counter.c.name == name).values(value=t.counter.c.value + by)
        )
        value: int = connection.execute(
            select(t.counter.c.value).where(t.counter.c.name == name)
        ).scalar_one()
        return value

    @staticmethod
    def _series_states(connection: Connection, keys: Iterable[str]) -> dict[str, SeriesState]:
        column = t.submission.c
        accepted_version = func.max(column.version).filter(column.status == Verdict.ACCEPTED.value)
        states = {}
        for chunk in _chunks(sorted(keys)):
            latest = (
                select(
                    column.series_key,
                    func.max(column.version).label("latest_version"),
                    accepted_version.label("accepted_version"),
                )
                .where(column.series_key.in_(chunk))
                .group_by(column.series_key)
                .subquery()
            )
            for row in connection.execute(
                select(latest.c.series_key, latest.c.latest_version, column.submission_id).select_from(
                    latest.outerjoin(
                        t.submission,
                        and_(
                            column.series_key == latest.c.series_key,
                            column.version == latest.c.accepted_version,
                        ),
                    )
                )
            ):
                states[row.series_key] = SeriesState(row.latest_version, row.submission_id)
        return states

    @staticmethod
    def _refuse_if_moved(fresh: Sequence[NewSubmission], states: dict[str, SeriesState]) -> None:
        seen: set[str] = set()
        for new in fresh:
            key = new.series_key
            if key is None or key in seen:
                continue  # later versions of the batch build on the first
            seen.add(key)
            state = states.get(key, SeriesState())
            if (state.latest_version, state.accepted_id) != (new.base_version, new.base_accepted_id):
                raise LedgerConflict(
                    f"{key}: judged after version {new.base_version}, the ledger now has {state.latest_version}"
                )

    @staticmethod
    def _insert_filings(
        connection: Connection, arrivals: list[tuple[str, Filing, bool]], now: datetime
    ) -> None:
        column = t.filing.c
        known = {
            (row.submission_id, row.channel, row.file_name, row.received_at)
            for ids in _chunks([submission_id for submission_id, _, _ in arrivals])
            for row in connection.execute(select(t.filing).where(column.submission_id.in_(ids)))
        }
        rows = []
        for submission_id, filing, is_duplicate in arrivals:
            file_name = storable_text(filing.file_name)[:_MAX_FILE_NAME_LENGTH]
            key = (submission_id, filing.channel, file_name, filing.received_at.astimezone(UTC))
            if key in known:
                continue
            known.add(key)
            rows.append(
                {
                    "submission_id": submission_id,
                    "file_name": file_name,
                    "channel": filing.channel,
                    "received_at": filing.received_at,
                    "received_by": storable_text(filing.received_by),
                    "is_duplicate": is_duplicate,
                    "recorded_at": now,
                }
            )
        _insert_many(connection, t.filing, rows)

    # -- asking ------------------------------------------------------------------------------------

    def known(self, sha256s: Iterable[str]) -> dict[str, Submission]:
        """Those of these files that have been recorded, by SHA-256."""
        found: dict[str, Submission] = {}
        with reading(self._engine) as connection:
            for chunk in _chunks(sha256s):
                for one in _submissions(connection, t.submission.c.sha256.in_(chunk)):
                    found[one.sha256] = one
        return found

    def submissions(
        self,
        month: Month | None = None,
        *,
        submission_ids: Iterable[str] | None = None,
        kind: FileKind | None = None,
    ) -> list[Submission]:
        """Submissions in the order of recording: every version, also refused ones.

        `month` keeps those counted in that month (files whose period is unknown are in none).
        """
        where: list[ColumnElement[bool]] = []
        if month is not None:
            where.append(t.submission.c.month_start_date == month.start_date)
        if kind is not None:
            where.append(t.submission.c.kind == kind.value)
        with reading(self._engine) as connection:
            if submission_ids is None:
                return _submissions(connection, and_(true(), *where))
            found = [
                one
                for chunk in _chunks(submission_ids)
                for one in _submissions(connection, and_(t.submission.c.submission_id.in_(chunk), *where))
            ]
        return sorted(found, key=lambda one: one.sequence)

    def months(self, *, only_standing: bool = False) -> list[Month]:
        """Every month that a return has been filed for, earliest first.

        With `only_standing`, only those in which some return is accepted or waits for an answer: a month that
        nobody filed for but by mistake (rejected as of a wrong month) has no statistics.
        """
        column = t.submission.c
        where = [column.kind == FileKind.RETURN.value, column.month_start_date.is_not(None)]
        if only_standing:
            where.append(column.status.in_([Verdict.ACCEPTED.value, Verdict.QUERIES.value]))
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(column.month_start_date).where(*where).distinct().order_by(column.month_start_date)
            ).scalars()
            return [Month.of(day) for day in rows]

    def changes(self) -> list[Change]:
        """How far the record has come, a row a month of returns and a row a departmental file.

        By it a pipeline run can say with what it computed a month, and a sensor whether that still holds. Files
        that could not be read change no table and are left out.
        """
        column, form, decision = t.submission.c, t.submission_form.c, t.decision.c
        decided = (
            select(decision.submission_id, func.max(decision.decision_id).label("decision_id"))
            .group_by(decision.submission_id)
            .subquery()
        )
        newest = (func.max(column.sequence), func.max(func.coalesce(decided.c.decision_id, 0)))
        base = select(
            # A January-February return counts in February and can displace a January that was computed already.
            func.min(column.period_start_date).label("first_date"),
            column.month_start_date.label("last_date"),
            *newest,
        ).select_from(t.submission.outerjoin(decided, decided.c.submission_id == column.submission_id))
        returns = (
            base.where(column.kind == FileKind.RETURN.value, column.month_start_date.is_not(None))
            .where(column.verdict != Verdict.UNREADABLE.value)
            .group_by(column.month_start_date)
        )
        departments = (
            select(func.min(form.first_date), func.max(form.last_date), *newest)
            .select_from(
                t.submission.join(t.submission_form, form.submission_id == column.submission_id).outerjoin(
                    decided, decided.c.submission_id == column.submission_id
                )
            )
            .where(column.kind == FileKind.DEPARTMENT.value, column.verdict != Verdict.UNREADABLE.value)
            .group_by(column.submission_id)
        )
        with reading(self._engine) as connection:
            found = [
                Change(
                    kind,
                    None if first is None else Month.of(first),
                    None if last is None else Month.of(last),
                    sequence,
                    decision_id,
                )
                for kind, query in ((FileKind.RETURN, returns), (FileKind.DEPARTMENT, departments))
                for first, last, sequence, decision_id in connection.execute(query)
            ]
        return sorted(found, key=lambda change: change.state)

    def series_states(self, keys: Iterable[str]) -> dict[str, SeriesState]:
        """Where these series stand; series without any submission are left out."""
        with reading(self._engine) as connection:
            return self._series_states(connection, keys)

    def history(self, enterprise_codes: Iterable[str], first: Month, last: Month) -> list[Submission]:
        """The accepted returns in force of these enterprises, counted in the months from first to last."""
        column = t.submission.c
        found = []
        with reading(self._engine) as connection:
            for chunk in _chunks(sorted(set(enterprise_codes))):
                found += _submissions(
                    connection,
                    and_(
                        column.kind == FileKind.RETURN.value,
                        column.enterprise_code.in_(chunk),
                        column.month_start_date.between(first.start_date, last.start_date),
                    ),
                )
        return [one for one in found if one.is_current_accepted]

    def department_tables(
        self, form_codes: Iterable[str], first: date | None = None, last: date | None = None
    ) -> list[Submission]:
        """Accepted departmental files that hold one of these tables, in the order of recording.

        With dates, only those whose rows speak of some day in between (or of no day that could be read).
        """
        form = t.submission_form.c
        conditions: list[ColumnElement[bool]] = [
            form.submission_id == t.submission.c.submission_id,
            form.form_code.in_(list(form_codes)),
        ]
        if last is not None:
            conditions.append(or_(form.first_date.is_(None), form.first_date <= last))
        if first is not None:
            conditions.append(or_(form.last_date.is_(None), form.last_date >= first))
        with reading(self._engine) as connection:
            return _submissions(
                connection,
                and_(
                    t.submission.c.kind == FileKind.DEPARTMENT.value,
                    t.submission.c.status == Verdict.ACCEPTED.value,
                    select(form.submission_id).where(*conditions).exists(),
                ),
            )

    def findings(self, submission_id: str) -> list[Finding]:
        """What was found in a submission, in the order in which it was told."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(t.finding)
                .where(t.finding.c.submission_id == submission_id)
                .order_by(t.finding.c.ordinal)
            ).all()
        return [_finding_of(row) for row in rows]

    def findings_of(self, submission_ids: Iterable[str]) -> dict[str, list[Finding]]:
        """Findings of many submissions; those without any are left out."""
        found: dict[str, list[Finding]] = defaultdict(list)
        with reading(self._engine) as connection:
            for chunk in _chunks(submission_ids):
                for row in connection.execute(
                    select(t.finding)
                    .where(t.finding.c.submission_id.in_(chunk))
                    .order_by(t.finding.c.submission_id, t.finding.c.ordinal)
                ):
                    found[row.submission_id].append(_finding_of(row))
        return dict(found)

    def fixes_of(self, submission_ids: Iterable[str]) -> dict[str, list[Fix]]:
        """What the reader mended in many submissions; those without any are left out."""
        found: dict[str, list[Fix]] = defaultdict(list)
        with reading(self._engine) as connection:
            for chunk in _chunks(submission_ids):
                for row in connection.execute(
                    select(t.fix)
                    .where(t.fix.c.submission_id.in_(chunk))
                    .order_by(t.fix.c.submission_id, t.fix.c.ordinal)
                ):
                    found[row.submission_id].append(_fix_of(row))
        return dict(found)

    def filings(self, submission_id: str) -> list[RecordedFiling]:
        """Every arrival of a submission's file, earliest first."""
        column = t.filing.c
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(t.filing)
                .where(column.submission_id == submission_id)
                .order_by(column.received_at, column.filing_id)
            ).all()
        return [
            RecordedFiling(
                row.submission_id,
                row.file_name,
                row.channel,
                row.received_at,
                row.received_by,
                row.is_duplicate,
            )
            for row in rows
        ]

    # -- deciding ----------------------------------------------------------------------------------

    def confirm(self, submission_id: str, reason: str, by: str) -> Submission:
        """Accept a return that was held back by queries: somebody looked, and says why it is right.

        The findings stay, the reason, the person and the moment are kept. Raises CannotConfirm for anything
        but a return with open queries (a critical finding is corrected, never confirmed away) or for a reason
        that says nothing; UnknownSubmission for an id that was never given.
        """
        reason, by = storable_text(reason).strip(), storable_text(by).strip()
        if len(reason) < _MIN_REASON_LENGTH:
            raise CannotConfirm(
                Wording(
                    f"请写明核实的理由（不少于 {_MIN_REASON_LENGTH} 个字）。",
                    f"Say why it is right, in at least {_MIN_REASON_LENGTH} characters.",
                )
            )
        if not by:
            raise CannotConfirm(Wording("请写明由谁核实。", "Say who confirms it."))
        column = t.submission.c
        with writing(self._engine) as connection:
            self._advance(connection, "submission", 0)
            status = connection.execute(
                select(column.status).where(column.submission_id == submission_id)
            ).scalar()
            if status is None:
                raise UnknownSubmission(submission_id)
            if status != Verdict.QUERIES.value:
                raise CannotConfirm(_why_not(submission_id, Verdict(status)))
            connection.execute(
                update(t.submission)
                .where(column.submission_id == submission_id)
                .values(status=Verdict.ACCEPTED.value)
            )
            connection.execute(
                insert(t.decision).values(
                    submission_id=submission_id,
                    decision_kind="confirmed",
                    reason=reason,
                    decided_by=by,
                    decided_at=datetime.now(UTC),
                    status_before=status,
                    status_after=Verdict.ACCEPTED.value,
                )
            )
        return self.submissions(submission_ids=[submission_id])[0]

    def decisions(self, submission_id: str) -> list[Decision]:
        """What people decided about a submission, earliest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(t.decision)
                .where(t.decision.c.submission_id == submission_id)
                .order_by(t.decision.c.decision_id)
            ).all()
        return [
            Decision(
                row.submission_id,
                row.decision_kind,
                row.reason,
                row.decided_by,
                row.decided_at,
                Verdict(row.status_before),
                Verdict(row.status_after),
            )
            for row in rows
        ]


def _why_not(submission_id: str, status: Verdict) -> Wording:
    if status is Verdict.ACCEPTED:
        return Wording(
            f"{submission_id} 已通过，无需再核实。",
            f"{submission_id} is accepted already; nothing to confirm.",
        )
    if status is Verdict.REJECTED:
        return Wording(
            f"{submission_id} 有必须更正的错误，不能以说明代替；请填报单位更正后重新报送。",
            f"{submission_id} has errors that must be corrected and cannot be confirmed; "
            "ask the enterprise to correct and file it again.",
        )
    return Wording(
        f"{submission_id} 未能读取，无从核实；请填报单位重新报送。",
        f"{submission_id} could not be read, so there is nothing to confirm; ask for the file again.",
    )


# -- rows and values -------------------------------------------------------------------------------

# In the ledger a later version of the same series; the unique index on (series_key, version) finds it.
_later = t.submission.alias("later")
_is_later_version = and_(
    _later.c.series_key == t.submission.c.series_key, _later.c.version > t.submission.c.version
)
# A departmental table whose own head names no period is in no series: it stands by itself.
_is_in_force_by_itself = and_(
    t.submission.c.series_key.is_(None),
    t.submission.c.kind == FileKind.DEPARTMENT.value,
    t.submission.c.verdict != Verdict.UNREADABLE.value,
)
_is_accepted = t.submission.c.status == Verdict.ACCEPTED.value
_standing = (
    or_(
        _is_in_force_by_itself,
        and_(
            t.submission.c.series_key.is_not(None),
            ~select(_later.c.submission_id).where(_is_later_version).exists(),
        ),
    ).label("is_current"),
    and_(
        _is_accepted,
        or_(
            _is_in_force_by_itself,
            and_(
                t.submission.c.series_key.is_not(None),
                ~select(_later.c.submission_id)
                .where(_is_later_version, _later.c.status == Verdict.ACCEPTED.value)
                .exists(),
            ),
        ),
    ).label("is_current_accepted"),
)


def _submissions(connection: Connection, where: ColumnElement[bool]) -> list[Submission]:
    """Submissions that meet a condition, in the order of recording, each with its standing in its series."""
    rows = connection.execute(select(t.submission, *_standing).where(where).order_by(t.submission.c.sequence))
    return [_submission_of(row) for row in rows]


def _submission_of(row: Row[Any]) -> Submission:
    values = dict(row._mapping)
    values["kind"] = FileKind(values["kind"])
    values["verdict"] = Verdict(values["verdict"])
    values["status"] = Verdict(values["status"])
    values["form_codes"] = tuple(values["form_codes"])
    values["layout_versions"] = tuple(values["layout_versions"])
    values["is_current"] = bool(values["is_current"])
    values["is_current_accepted"] = bool(values["is_current_accepted"])
    return Submission(**values)


def _submission_row(
    new: NewSubmission, batch: NewBatch, sequence: int, version: int | None
) -> dict[str, Any]:
    period = new.period
    return {
        "submission_id": new.submission_id,
        "sequence": sequence,
        "sha256": new.sha256,
        "kind": new.kind.value,
        "form_codes": list(new.form_codes),
        "layout_versions": list(new.layout_versions),
        "enterprise_code": storable_text(new.enterprise_code)[:MAX_CODE_LENGTH],
        "enterprise_name": storable_text(new.enterprise_name),
        "department": storable_text(new.department),
        "period": str(period) if period else None,
        "period_kind": period.kind if period else None,
        "period_start_date": period.first.start_date if period else None,
        "month_start_date": period.last.start_date if period else None,
        "series_key": new.series_key,
        "version": version,
        "supersedes_submission_id": new.supersedes_submission_id,
        "verdict": new.verdict.value,
        "status": new.verdict.value,
        "is_zero_return": new.is_zero_return,
        "is_revision": new.is_revision,
        "received_at": new.filing.received_at,
        "received_by": storable_text(new.filing.received_by),
        "channel": new.filing.channel,
        "is_late": new.is_late,
        "file_name": storable_text(new.filing.file_name)[:_MAX_FILE_NAME_LENGTH],
        "size_bytes": new.size_bytes,
        "line_count": new.line_count,
        "lines_file": batch.lines_file if new.has_cells else "",
        "rules_version": batch.rules_version,
        "batch_id": batch.batch_id,
    }


def _form_rows(new: NewSubmission) -> Iterator[dict[str, Any]]:
    for form_code in dict.fromkeys(new.form_codes):
        first_date, last_date = new.form_dates.get(form_code, (None, None))
        yield {
            "submission_id": new.submission_id,
            "form_code": form_code,
            "first_date": first_date,
            "last_date": last_date,
        }


def _finding_rows(new: NewSubmission) -> Iterator[dict[str, Any]]:
    for ordinal, found in enumerate(new.findings, start=1):
        yield {
            "submission_id": new.submission_id,
            "ordinal": ordinal,
            "rule": found.rule,
            "severity": found.severity.value,
            "form_code": found.form_code,
            "sheet": storable_text(found.sheet),
            "cell": storable_text(found.cell),
            "business_key": storable_text(found.key),
            "given": storable_text(found.given),
            "expected": storable_text(found.expected),
            "message_zh": storable_text(found.message.zh),
            "message_en": storable_text(found.message.en),
        }


def _fix_rows(new: NewSubmission) -> Iterator[dict[str, Any]]:
    for ordinal, mended in enumerate(new.fixes, start=1):
        yield {
            "submission_id": new.submission_id,
            "ordinal": ordinal,
            "sheet": storable_text(mended.sheet),
            "cell": storable_text(mended.cell),
            "given": storable_text(mended.given),
            "read_as": storable_text(mended.read_as),
            "why_zh": storable_text(mended.why.zh),
            "why_en": storable_text(mended.why.en),
        }


def _finding_of(row: Row[Any]) -> Finding:
    return Finding(
        rule=row.rule,
        severity=Severity(row.severity),
        message=Wording(row.message_zh, row.message_en),
        form_code=row.form_code,
        sheet=row.sheet,
        cell=row.cell,
        key=row.business_key,
        given=row.given,
        expected=row.expected,
    )


def _fix_of(row: Row[Any]) -> Fix:
    return Fix(row.sheet, row.cell, row.given, row.read_as, Wording(row.why_zh, row.why_en))


def _insert_many(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    listed = list(rows)
    if listed:  # an empty list would insert one row of defaults
        connection.execute(insert(table), listed)


def _chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, _IDS_A_QUERY)):
        yield chunk


# -- the register ----------------------------------------------------------------------------------

_Event = tuple[date | None, str, str, str]  # first month, kind, district, industry
_RegisterEntry = tuple[str, str, str, list[_Event]]  # name, contact, phone, events


def _events_of(code: str, rows: list[RegisterRow]) -> _RegisterEntry:
    """What a register file says of one enterprise, as events in the order of time."""
    rows = sorted(rows, key=lambda row: row.from_month or Month(1900, 1))
    events: list[_Event] = []
    before: RegisterRow | None = None
    for row in rows:
        effective = row.from_month.start_date if row.from_month else None
        if row.from_month and row.to_month and row.to_month < row.from_month:
            raise ValueError(
                f"{code}: in the register to {row.to_month}, before it enters in {row.from_month}"
            )
        if before is not None:
            if before.to_month is None and row.from_month is not None:
                before_ends = row.from_month.previous  # the next row says until when
            elif before.to_month is None or row.from_month is None or row.from_month <= before.to_month:
                raise ValueError(f"{code}: two rows of the register speak of the same months")
            else:
                before_ends = before.to_month
            if row.from_month == before_ends.plus(1):
                if row.district_code != before.district_code:
                    events.append((effective, "moved_district", row.district_code, row.industry_code))
                elif row.industry_code != before.industry_code:
                    events.append((effective, "changed_industry", row.district_code, row.industry_code))
                before = row
                continue
            events.append((before_ends.plus(1).start_date, "left", "", ""))
        events.append((effective, "entered", row.district_code, row.industry_code))
        before = row
    if before is not None and before.to_month is not None:
        events.append((before.to_month.plus(1).start_date, "left", "", ""))
    last = rows[-1]
    return last.enterprise_name, last.contact, last.phone, events


def _spells_of(events: list[Row[Any]]) -> Iterator[EnterpriseSpell]:
    for event, following in zip(events, [*events[1:], None], strict=True):
        if event.event_kind == "left":
            continue
        ends = following.effective_month_start_date if following is not None else None
        yield EnterpriseSpell(
            event.enterprise_code,
            event.enterprise_name,
            event.district_code,
            event.industry_code,
            event.effective_month_start_date,
            Month.of(ends).previous.start_date if ends else None,
        )
