"""What may be asked of the ledger and told to it, each in one transaction.

Nothing here knows workbooks or rules: callers hand in what was read and judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    case,
    exists,
    func,
    insert,
    make_url,
    or_,
    select,
    true,
)
from sqlalchemy.exc import IntegrityError

from pipelines.findings import Finding, Fix, Verdict, Wording
from pipelines.ledger import audit, kept_head
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor
from pipelines.ledger.audit import AuditLog
from pipelines.ledger.board import Board
from pipelines.ledger.deciding import finding_of
from pipelines.ledger.engine import (
    expect_migrated,
    is_empty,
    migrate,
    open_engine,
    reading,
    shown_url,
    writing,
)
from pipelines.ledger.explanations import Explanations, record_told
from pipelines.ledger.keys import KeyRing, give_keys
from pipelines.ledger.months import Months
from pipelines.ledger.pen import advance, chunks, insert_many, take_the_pen
from pipelines.ledger.profiles import PROFILES, SecurityProfile, profile_of
from pipelines.ledger.register import Register
from pipelines.ledger.reminders import Reminders
from pipelines.ledger.reviews import Reviews
from pipelines.ledger.rule_counts import RuleCounts, rule_counts
from pipelines.ledger.shapes import (
    MAX_CODE_LENGTH,
    MONTHLY_PERIODS,
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
    decision_of,
    recorded_filing_of,
)
from pipelines.ledger.standing import (
    BINDING,
    Closings,
    closings,
    departments_at_closings,
    submissions_as_counted,
    submissions_where,
)
from pipelines.ledger.uploads import Uploads
from pipelines.periods import Month
from pipelines.records import FileKind, identity_of, storable_text
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.ledger.accounts import Accounts

_MAX_FILE_NAME_LENGTH = 255


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
    ring = KeyRing(secrets_dir, is_read_only=is_read_only)
    give_keys(engine, ring)
    if is_read_only:
        expect_migrated(engine, url)
    else:
        kept_head.expect_none(ring, lambda: is_empty(engine), shown_url(url))
        migrate(engine)
    return Ledger(engine, profile)


@contextmanager
def ledger_of_nothing(folder: Path) -> Iterator[Ledger]:
    """A ledger in which nothing was ever recorded, in a folder that its caller throws away; only to be read.

    It is laid out from the tables themselves: what nobody will migrate needs no history of migrations.
    """
    engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite'}", is_read_only=False)
    t.metadata.create_all(engine)
    with Ledger(engine) as ledger:
        yield ledger


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

    @cached_property
    def register(self) -> Register:
        """The register of enterprises and their life events."""
        return Register(self._engine)

    @cached_property
    def months(self) -> Months:
        """The states of months, and what has been proposed for them."""
        return Months(self._engine)

    @cached_property
    def reviews(self) -> Reviews:
        """What waits for a reviewer, and decisions about submissions."""
        return Reviews(self._engine)

    @cached_property
    def explanations(self) -> Explanations:
        """Why queried figures are right."""
        return Explanations(self._engine)

    @cached_property
    def reminders(self) -> Reminders:
        """Who was reminded when, by whom."""
        return Reminders(self._engine)

    @cached_property
    def board(self) -> Board:
        """Where the filing of a month stands."""
        return Board(self._engine)

    @cached_property
    def uploads(self) -> Uploads:
        """What was handed in together, and how far it has come."""
        return Uploads(self._engine)

    def rule_counts(self, *, until: Month | None = None) -> RuleCounts:
        """How often each rule fired in the twelve months up to `until`; see `rule_counts`."""
        return rule_counts(self._engine, until=until)

    # -- the register ------------------------------------------------------------------------------

    def import_register(self, rows: Iterable[RegisterRow], *, by: Actor | str = "") -> int:
        """Take in a register file; see `Register.import_rows`. `by` is who does it, an actor or a plain name."""
        actor = by if isinstance(by, Actor) else Actor(by or "register file")
        return self.register.import_rows(rows, actor)

    def enterprises(self) -> list[EnterpriseSpell]:
        """The register as spells, by enterprise code and time; a spell ends the month before the next event."""
        return self.register.spells()

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
        last = take_the_pen(connection)
        known = {
            row.submission_id
            for ids in chunks([new.submission_id for new in batch.submissions])
            for row in connection.execute(
                select(t.submission.c.submission_id).where(t.submission.c.submission_id.in_(ids))
            )
        }
        fresh = [new for new in batch.submissions if new.submission_id not in known]
        repeats = [
            (new.submission_id, new.filing) for new in batch.submissions if new.submission_id in known
        ] + [(repeat.submission_id, repeat.filing) for repeat in batch.repeats]
        now = datetime.now(UTC)
        bounds = closings(connection)
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
            _refuse_if_closed_meanwhile(fresh, bounds)
            versions = {key: state.latest_version for key, state in states.items()}
            submission_rows = []
            for sequence, new in enumerate(fresh, start=last + 1):
                version = None
                if new.series_key:
                    version = versions.get(new.series_key, 0) + 1
                    versions[new.series_key] = version
                submission_rows.append(_submission_row(new, batch, sequence, version, bounds))
            # A version may supersede one of the same batch, so they go in in their order.
            connection.execute(insert(t.submission), submission_rows)
            insert_many(connection, t.submission_form, (row for new in fresh for row in _form_rows(new)))
            insert_many(connection, t.finding, (row for new in fresh for row in _finding_rows(new)))
            insert_many(connection, t.fix, (row for new in fresh for row in _fix_rows(new)))
            record_told(connection, fresh)
            advance(connection, len(fresh))
        arrivals = [(new.submission_id, new.filing, False) for new in fresh]
        arrivals += [(submission_id, filing, True) for submission_id, filing in repeats]
        arrived = self._insert_filings(connection, arrivals, now)
        self._note_filings(connection, {new.submission_id: new for new in fresh}, arrived)
        return frozenset(known)

    @staticmethod
    def _note_filings(
        connection: Connection, fresh: dict[str, NewSubmission], arrived: list[tuple[str, Filing, bool]]
    ) -> None:
        """One entry of the audit log an arrival."""
        for actor, members in groupby(arrived, key=lambda arrival: arrival[1].actor):
            entries = []
            for submission_id, filing, is_duplicate in members:
                new = fresh.get(submission_id)
                facts: dict[str, Any] = {"channel": filing.channel, "file_name": filing.file_name}
                if new is not None and not is_duplicate:
                    facts |= {
                        "enterprise_code": new.enterprise_code,
                        "period": str(new.period) if new.period else None,
                        "verdict": new.verdict.value,
                        "sha256": new.sha256,
                    }
                action = "submission.filed_again" if is_duplicate else "submission.filed"
                entries.append(audit.NewEntry(action, "submission", submission_id, new=facts))
            audit.append_many(connection, actor, entries)

    @staticmethod
    def _series_states(connection: Connection, keys: Iterable[str]) -> dict[str, SeriesState]:
        column = t.submission.c
        accepted_version = func.max(column.version).filter(column.status == Verdict.ACCEPTED.value)
        states = {}
        for chunk in chunks(sorted(keys)):
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
    ) -> list[tuple[str, Filing, bool]]:
        """Record arrivals; those that were not told before."""
        column = t.filing.c
        known = {
            (row.submission_id, row.channel, row.file_name, row.received_at)
            for ids in chunks([submission_id for submission_id, _, _ in arrivals])
            for row in connection.execute(select(t.filing).where(column.submission_id.in_(ids)))
        }
        rows, new = [], []
        for submission_id, filing, is_duplicate in arrivals:
            file_name = storable_text(filing.file_name)[:_MAX_FILE_NAME_LENGTH]
            key = (submission_id, filing.channel, file_name, filing.received_at.astimezone(UTC))
            if key in known:
                continue
            known.add(key)
            new.append((submission_id, filing, is_duplicate))
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
        insert_many(connection, t.filing, rows)
        return new

    # -- asking ------------------------------------------------------------------------------------

    def known(self, sha256s: Iterable[str]) -> dict[str, Submission]:
        """Those of these files that have been recorded, by SHA-256; the latest submission of each."""
        found: dict[str, Submission] = {}
        with reading(self._engine) as connection:
            for chunk in chunks(sha256s):
                for one in submissions_where(connection, t.submission.c.sha256.in_(chunk)):
                    found[one.sha256] = one  # they come in the order of recording
        return found

    def arrivals(self, sha256s: Iterable[str]) -> set[tuple[str, str, str, datetime]]:
        """Every arrival of these files: SHA-256, channel, file name, moment. A run that is repeated tells them again."""
        column = t.filing.c
        with reading(self._engine) as connection:
            return {
                (row.sha256, row.channel, row.file_name, row.received_at)
                for chunk in chunks(sha256s)
                for row in connection.execute(
                    select(t.submission.c.sha256, column.channel, column.file_name, column.received_at)
                    .join(t.filing, column.submission_id == t.submission.c.submission_id)
                    .where(t.submission.c.sha256.in_(chunk))
                )
            }

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
                return submissions_where(connection, and_(true(), *where))
            found = [
                one
                for chunk in chunks(submission_ids)
                for one in submissions_where(
                    connection, and_(t.submission.c.submission_id.in_(chunk), *where)
                )
            ]
        return sorted(found, key=lambda one: one.sequence)

    def counted_submissions(self, month: Month | None = None) -> list[Submission]:
        """Returns of a month (by default of all) as its statistics see them, in the order of recording.

        Of a closed month as they stood at its closing: what was filed or decided since is not there.
        """
        column = t.submission.c
        where = [column.kind == FileKind.RETURN.value]
        if month is not None:
            where.append(column.month_start_date == month.start_date)
        with reading(self._engine) as connection:
            return submissions_as_counted(connection, and_(*where))

    def departments_at_closings(self) -> dict[Month, list[str]]:
        """Of each closed month the departmental files in force at its closing, in the order of recording.

        They go on to count in that month whatever replaced them since; what is in force today counts in the others.
        """
        with reading(self._engine) as connection:
            return departments_at_closings(connection)

    def ids_beginning(self, beginning: str, *, most: int = 2) -> list[str]:
        """Ids of submissions that begin so, at most so many: whether what a person typed names one."""
        column = t.submission.c
        with reading(self._engine) as connection:
            found = connection.execute(
                select(column.submission_id)
                .where(column.submission_id.startswith(beginning, autoescape=True))
                .order_by(column.submission_id)
                .limit(most)
            ).scalars()
            return list(found)

    def filed_months(self, *, only_standing: bool = False) -> list[Month]:
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
        that could not be read change no table and are left out; so is what came after the closing of a month, until
        the month is reopened, which is a change of its own.
        """
        column, form, decision = t.submission.c, t.submission_form.c, t.decision.c
        bound, act = t.month_state.c, t.month_act.c
        # What is of no month (a year, half-year or quarter) matters from the month in which it is counted.
        first_date = case(
            (column.period_kind.in_(MONTHLY_PERIODS), column.period_start_date), else_=column.month_start_date
        )
        binds = and_(
            bound.state.in_(BINDING),
            bound.month_start_date.between(first_date, column.month_start_date),
        )
        decided = (
            select(decision.submission_id, func.max(decision.decision_id).label("decision_id"))
            .select_from(t.decision.join(t.submission, column.submission_id == decision.submission_id))
            .where(
                ~and_(
                    decision.is_after_closing,
                    exists().where(binds, bound.closed_decision_id < decision.decision_id),
                )
            )
            .group_by(decision.submission_id)
            .subquery()
        )
        counts = ~and_(
            column.is_late_revision, exists().where(binds, bound.closed_sequence < column.sequence)
        )
        newest = (func.max(column.sequence), func.max(func.coalesce(decided.c.decision_id, 0)))
        base = select(
            # A January-February return counts in February and can displace a January that was computed already.
            func.min(first_date).label("first_date"),
            column.month_start_date.label("last_date"),
            *newest,
        ).select_from(t.submission.outerjoin(decided, decided.c.submission_id == column.submission_id))
        returns = (
            base.where(column.kind == FileKind.RETURN.value, column.month_start_date.is_not(None))
            .where(column.verdict != Verdict.UNREADABLE.value, counts)
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
            reopened = connection.execute(
                select(act.month_start_date, func.max(act.act_id))
                .where(act.act_kind == "reopen", act.state == "confirmed")
                .group_by(act.month_start_date)
            )
            found += [
                Change(FileKind.RETURN, Month.of(day), Month.of(day), 0, 0, act_id)
                for day, act_id in reopened
            ]
        return sorted(found, key=lambda change: change.state)

    def series_states(self, keys: Iterable[str]) -> dict[str, SeriesState]:
        """Where these series stand; series without any submission are left out."""
        with reading(self._engine) as connection:
            return self._series_states(connection, keys)

    def history(self, enterprise_codes: Iterable[str], first: Month, last: Month) -> list[Submission]:
        """The latest accepted returns of these enterprises, of the months from first to last.

        Also where a month is closed and statistics rest on an earlier version: what is filed now is compared with
        what is believed now.
        """
        found = self._returns_of(enterprise_codes, first, last)
        return [one for one in found if one.is_latest_accepted]

    def counted_returns(self, enterprise_codes: Iterable[str], first: Month, last: Month) -> list[Submission]:
        """The returns of these enterprises that count by their own series, of the months from first to last.

        Of a closed month those of its closing. A joint return and single ones for the same months may be among them.
        """
        found = self._returns_of(enterprise_codes, first, last)
        return [one for one in found if one.is_current_accepted]

    def _returns_of(self, enterprise_codes: Iterable[str], first: Month, last: Month) -> list[Submission]:
        column = t.submission.c
        found: list[Submission] = []
        with reading(self._engine) as connection:
            for chunk in chunks(sorted(set(enterprise_codes))):
                found += submissions_where(
                    connection,
                    and_(
                        column.kind == FileKind.RETURN.value,
                        column.enterprise_code.in_(chunk),
                        column.month_start_date.between(first.start_date, last.start_date),
                    ),
                )
        return found

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
            return submissions_where(
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
        return [finding_of(row) for row in rows]

    def findings_of(self, submission_ids: Iterable[str]) -> dict[str, list[Finding]]:
        """Findings of many submissions; those without any are left out."""
        found: dict[str, list[Finding]] = defaultdict(list)
        with reading(self._engine) as connection:
            for chunk in chunks(submission_ids):
                for row in connection.execute(
                    select(t.finding)
                    .where(t.finding.c.submission_id.in_(chunk))
                    .order_by(t.finding.c.submission_id, t.finding.c.ordinal)
                ):
                    found[row.submission_id].append(finding_of(row))
        return dict(found)

    def fixes_of(self, submission_ids: Iterable[str]) -> dict[str, list[Fix]]:
        """What the reader mended in many submissions; those without any are left out."""
        found: dict[str, list[Fix]] = defaultdict(list)
        with reading(self._engine) as connection:
            for chunk in chunks(submission_ids):
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
        return [recorded_filing_of(row) for row in rows]

    # -- deciding ----------------------------------------------------------------------------------

    def confirm(self, submission_id: str, reason: str, by: Actor) -> Submission:
        """Accept a return that was held back by queries; see `Reviews.confirm`."""
        return self.reviews.confirm(submission_id, reason, by)

    def decisions(self, submission_id: str) -> list[Decision]:
        """What people decided about a submission, earliest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(t.decision)
                .where(t.decision.c.submission_id == submission_id)
                .order_by(t.decision.c.decision_id)
            ).all()
        return [decision_of(row) for row in rows]


# -- rows and values -------------------------------------------------------------------------------


def _submission_row(
    new: NewSubmission, batch: NewBatch, sequence: int, version: int | None, bounds: Closings
) -> dict[str, Any]:
    period, month = new.period, new.counted_month
    return {
        "submission_id": new.submission_id,
        "sequence": sequence,
        "identity_sha256": identity_of(new.sha256, new.judgement),
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
        "month_start_date": month.start_date if month else None,
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
        "is_late_revision": _is_of_closed_month(new, bounds),
        "is_returned": False,
        "file_name": storable_text(new.filing.file_name)[:_MAX_FILE_NAME_LENGTH],
        "size_bytes": new.size_bytes,
        "line_count": new.line_count,
        "lines_file": batch.lines_file if new.has_cells else "",
        "rules_version": batch.rules_version,
        "batch_id": batch.batch_id,
    }


def _is_of_closed_month(new: NewSubmission, bounds: Closings) -> bool:
    """Whether it is a return of a period of which a month is closed."""
    if new.kind is not FileKind.RETURN or new.period is None or new.counted_month is None:
        return False
    return bool(bounds.of(new.period.first.start_date, new.counted_month.start_date))


def _refuse_if_closed_meanwhile(fresh: Sequence[NewSubmission], bounds: Closings) -> None:
    for new in fresh:
        if new.was_judged_as_closed not in (None, _is_of_closed_month(new, bounds)):
            raise LedgerConflict(f"{new.series_key}: its month was closed or reopened while it was judged")


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
            "fingerprint": storable_text(found.fingerprint),
            "explanation": storable_text(found.explanation),
            "explanation_origin": found.explanation_origin,
            "explained_period": found.explained_period,
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


def _fix_of(row: Row[Any]) -> Fix:
    return Fix(row.sheet, row.cell, row.given, row.read_as, Wording(row.why_zh, row.why_en))
