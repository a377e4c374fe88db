"""What a submission is worth: which version of a series is the latest, which is in force, which counts.

Two notions, and every reader must know which it wants. `is_latest_accepted` is what the bureau believes today: the
door compares later months with it. `is_current_accepted` is what the statistics of the month rest on: in a closed
month what was accepted at its closing, whatever has been filed or decided since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from pipelines.findings import Verdict
from pipelines.ledger import tables as t
from pipelines.ledger.pen import chunks
from pipelines.ledger.shapes import Submission
from pipelines.periods import Month
from pipelines.records import FileKind

# States of a month in which its closing binds.
BINDING = ("closed", "published")


@dataclass(frozen=True, slots=True)
class Closing:
    """Up to where a closed month counts: the last submission and the last decision before it was closed."""

    month: Month
    sequence: int
    decision_id: int
    closed_at: datetime


class Closings:
    """The closings that bind now, for asking of a period.

    A month that was never closed is bound by the first closed month after it, of whatever year: its cumulative, its
    growth on last year and its yearly figures rest on it. Not while that one is being revised.
    """

    def __init__(self, closings: Iterable[Closing], revising: Iterable[Month] = ()) -> None:
        self.by_month = {closing.month: closing for closing in closings}
        self._touched = sorted({*self.by_month, *revising})

    def __bool__(self) -> bool:
        return bool(self.by_month)

    def of(self, first: date | None, last: date | None) -> list[Closing]:
        """Those of the months from first to last (first days); none for a period that is not known.

        January and February are the longest return of months; a file of a quarter, half-year or year speaks of
        no month and is bound by the closing of the one month in which it is counted.
        """
        if first is None or last is None or not self.by_month:
            return []
        months = list(Month.span(Month.of(first), Month.of(last)))
        if len(months) > 2:
            months = months[-1:]
        bounds = [bound for month in months if (bound := self.binding(month)) is not None]
        return list(dict.fromkeys(bounds))

    def binding(self, month: Month) -> Closing | None:
        """The closing with which the figures of a month stand fast; None where they can still change."""
        first = next((touched for touched in self._touched if touched >= month), None)
        return self.by_month.get(first) if first is not None else None


def closings(connection: Connection) -> Closings:
    """Every closing that binds now."""
    rows = connection.execute(select(t.month_state)).all()
    return Closings(
        (
            Closing(
                Month.of(row.month_start_date), row.closed_sequence, row.closed_decision_id, row.closed_at
            )
            for row in rows
            if row.state in BINDING
        ),
        (Month.of(row.month_start_date) for row in rows if row.state not in BINDING),
    )


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
is_current = or_(
    _is_in_force_by_itself,
    and_(
        t.submission.c.series_key.is_not(None),
        ~select(_later.c.submission_id).where(_is_later_version).exists(),
    ),
)
is_latest_accepted = and_(
    t.submission.c.status == Verdict.ACCEPTED.value,
    or_(
        _is_in_force_by_itself,
        and_(
            t.submission.c.series_key.is_not(None),
            ~select(_later.c.submission_id)
            .where(_is_later_version, _later.c.status == Verdict.ACCEPTED.value)
            .exists(),
        ),
    ),
)


def submissions_where(connection: Connection, where: ColumnElement[bool]) -> list[Submission]:
    """Submissions that meet a condition, in the order of recording, each with its standing in its series."""
    rows = connection.execute(
        select(
            t.submission,
            is_current.label("is_current"),
            is_latest_accepted.label("is_latest_accepted"),
        )
        .where(where)
        .order_by(t.submission.c.sequence)
    )
    found = [_submission_of(row) for row in rows]
    frozen = _frozen(connection, found)
    return [
        replace(one, is_current_accepted=frozen[one.submission_id].is_counted)
        if one.submission_id in frozen
        else one
        for one in found
    ]


def submissions_as_counted(connection: Connection, where: ColumnElement[bool]) -> list[Submission]:
    """As `submissions_where`, but of closed months as they stood at the closing.

    What was filed after it is left out; status, and which version is current, are those of then.
    """
    found = submissions_where(connection, where)
    frozen = _frozen(connection, found)
    counted = []
    for one in found:
        then = frozen.get(one.submission_id)
        if then is None:
            counted.append(one)
        elif then.was_there:
            counted.append(
                replace(one, status=then.status, is_returned=then.is_returned, is_current=then.is_current)
            )
    return counted


@dataclass(slots=True)
class _Then:
    """How a submission stood at the closing of its month."""

    was_there: bool
    status: Verdict
    is_returned: bool = False
    is_current: bool = False
    is_counted: bool = False


def _frozen(connection: Connection, found: list[Submission]) -> dict[str, _Then]:
    """Those of the submissions whose series moved on after the closing of a month of theirs, as they stood then.

    All others stand today as they did: most of a ledger, and nothing is asked about them.
    """
    binding = closings(connection)
    if not binding:
        return {}
    months = sorted(
        {
            one.month_start_date
            for one in found
            if one.kind is FileKind.RETURN
            and one.series_key is not None
            and one.month_start_date is not None
            and binding.of(one.period_start_date, one.month_start_date)
        }
    )
    moved = _moved_series(connection, binding, months)
    frozen: dict[str, _Then] = {}
    for versions in _versions(connection, moved).values():
        first, last = versions[0].period_start_date, versions[0].month_start_date
        bounds = binding.of(first, last)
        last_sequence = min(bound.sequence for bound in bounds)
        last_decision = min(bound.decision_id for bound in bounds)
        decided = decided_by(connection, [row.submission_id for row in versions], last_decision)
        counted: _Then | None = None
        current: _Then | None = None
        for row in versions:  # oldest first
            status, is_returned = decided.get(row.submission_id, (row.verdict, False))
            then = _Then(row.sequence <= last_sequence, Verdict(status), is_returned)
            frozen[row.submission_id] = then
            if then.was_there:
                current = then
                if then.status is Verdict.ACCEPTED:
                    counted = then
        if current is not None:
            current.is_current = True
        if counted is not None:
            counted.is_counted = True
    return frozen


def _moved_series(connection: Connection, binding: Closings, months: list[date]) -> list[str]:
    """Series counted in these months in which something was filed or decided after a closing that binds."""
    column, decision = t.submission.c, t.decision.c
    facts = (column.series_key, column.period_start_date, column.month_start_date)
    moved: set[str] = set()
    for chunk in chunks(months):
        is_here = and_(column.series_key.is_not(None), column.month_start_date.in_(chunk))
        filed = select(*facts, column.sequence).where(column.is_late_revision, is_here)
        for row in connection.execute(filed):
            bounds = binding.of(row.period_start_date, row.month_start_date)
            if any(row.sequence > bound.sequence for bound in bounds):
                moved.add(row.series_key)
        decided = (
            select(*facts, decision.decision_id)
            .select_from(t.decision.join(t.submission, column.submission_id == decision.submission_id))
            .where(decision.is_after_closing, is_here)
        )
        for row in connection.execute(decided):
            bounds = binding.of(row.period_start_date, row.month_start_date)
            if any(row.decision_id > bound.decision_id for bound in bounds):
                moved.add(row.series_key)
    return sorted(moved)


def _versions(connection: Connection, keys: list[str]) -> dict[str, list[Any]]:
    column = t.submission.c
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for chunk in chunks(keys):
        for row in connection.execute(
            select(
                column.series_key,
                column.submission_id,
                column.sequence,
                column.verdict,
                column.period_start_date,
                column.month_start_date,
            )
            .where(column.series_key.in_(chunk))
            .order_by(column.series_key, column.version)
        ):
            found[row.series_key].append(row)
    return dict(found)


def departments_at_closings(connection: Connection) -> dict[Month, list[str]]:
    """Of each closed month the departmental files that were in force at its closing, in the order of recording.

    A file speaks of many months; one that was replaced or sent back since still holds for the months closed before.
    """
    bounds = closings(connection).by_month
    if not bounds:
        return {}
    column, decision = t.submission.c, t.decision.c
    is_department = column.kind == FileKind.DEPARTMENT.value
    files = connection.execute(
        select(column.submission_id, column.sequence, column.series_key, column.verdict)
        .where(is_department, column.verdict != Verdict.UNREADABLE.value)
        .order_by(column.sequence)
    ).all()
    decisions: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for decided in connection.execute(
        select(decision.submission_id, decision.decision_id, decision.status_after)
        .join(t.submission, column.submission_id == decision.submission_id)
        .where(is_department)
        .order_by(decision.decision_id)
    ):
        decisions[decided.submission_id].append((decided.decision_id, decided.status_after))
    found: dict[Month, list[str]] = {}
    for month, bound in sorted(bounds.items()):
        in_force: dict[str, str] = {}  # by series; a file in no series stands by itself
        for row in files:
            if row.sequence > bound.sequence:
                break
            status = row.verdict
            for decision_id, status_after in decisions.get(row.submission_id, ()):
                if decision_id <= bound.decision_id:
                    status = status_after
            if status == Verdict.ACCEPTED.value:
                in_force[row.series_key or row.submission_id] = row.submission_id
        kept = set(in_force.values())
        found[month] = [row.submission_id for row in files if row.submission_id in kept]
    return found


def decided_by(
    connection: Connection, submission_ids: list[str], last_decision: int
) -> dict[str, tuple[str, bool]]:
    """Status and whether it was sent back, as the last decision up to that one left them."""
    decision = t.decision.c
    newest = (
        select(func.max(decision.decision_id).label("decision_id"))
        .where(decision.submission_id.in_(submission_ids), decision.decision_id <= last_decision)
        .group_by(decision.submission_id)
        .subquery()
    )
    rows = connection.execute(
        select(decision.submission_id, decision.status_after, decision.decision_kind).join(
            newest, newest.c.decision_id == decision.decision_id
        )
    )
    return {row.submission_id: (row.status_after, row.decision_kind == "returned") for row in rows}


def _submission_of(row: Row[Any]) -> Submission:
    values = dict(row._mapping)
    del values["identity_sha256"]  # everybody but the ledger knows the submission by its id
    values["kind"] = FileKind(values["kind"])
    values["verdict"] = Verdict(values["verdict"])
    values["status"] = Verdict(values["status"])
    values["form_codes"] = tuple(values["form_codes"])
    values["layout_versions"] = tuple(values["layout_versions"])
    values["is_current"] = bool(values["is_current"])
    values["is_latest_accepted"] = values["is_current_accepted"] = bool(values["is_latest_accepted"])
    return Submission(**values)
