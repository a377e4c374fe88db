"""The month's board: who is to file, who has, and where each return stands; counted by district as table 9 counts.

The board counts people's work, not figures: of a closed month it shows what counted at the closing, and beside it
what has come since. It changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Engine, and_, func, or_, select

from pipelines.findings import Verdict
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.engine import reading
from pipelines.ledger.months import MonthStanding, standing_in
from pipelines.ledger.reminders import Reminder, last_reminders
from pipelines.ledger.shapes import SHANGHAI, EnterpriseClass
from pipelines.ledger.standing import Closing, Closings, closings, decided_by
from pipelines.periods import Month
from pipelines.records import FileKind

SortKey = Literal["code", "name", "district", "class", "state", "filed", "reminded"]


class ReturnState(StrEnum):
    """Where the return of an enterprise stands; each enterprise has one. In the order in which they want work."""

    NOT_FILED = "not_filed"  # 未报
    RETURNED = "returned"  # 退回: sent back by a reviewer, or with errors that must be corrected
    QUERIED = "queried"  # 待核实
    ACCEPTED = "accepted"  # 已通过, zero returns among them


_ORDER = {state: place for place, state in enumerate(ReturnState)}


@dataclass(slots=True)
class BoardCounts:
    """Enterprises by where their return stands: expected = accepted + queried + returned + not filed.

    zero returns are among the accepted, late ones among the filed. `late_revision_count`: enterprises from which
    something came after the month was closed. `explained_count`: accepted, with explanations to be looked at.
    """

    district_code: str
    expected_count: int = 0
    accepted_count: int = 0
    queried_count: int = 0
    returned_count: int = 0
    not_filed_count: int = 0
    zero_return_count: int = 0
    late_count: int = 0
    late_revision_count: int = 0
    explained_count: int = 0
    reminded_count: int = 0

    @property
    def filed_count(self) -> int:
        """已报: with a readable return."""
        return self.expected_count - self.not_filed_count


@dataclass(slots=True)
class BoardRow:
    """One enterprise on the board. `submission_id` is the return that decides its state; empty where none was filed.

    is_correction_waiting   accepted, and a later version of it is queried or returned
    is_sent_back            returned by a reviewer, not by the rules
    `received_at`, `version` and `last_reminder` are filled in for the rows of a page.
    """

    enterprise_code: str
    enterprise_name: str
    district_code: str
    enterprise_class: EnterpriseClass
    contact: str
    phone: str
    state: ReturnState = ReturnState.NOT_FILED
    submission_id: str = ""
    sequence: int = 0
    is_zero_return: bool = False
    is_late: bool = False
    is_sent_back: bool = False
    is_correction_waiting: bool = False
    has_late_revision: bool = False
    explanation_count: int = 0
    reminder_count: int = 0
    last_reminder_id: int = 0
    received_at: datetime | None = None
    version: int | None = None
    last_reminder: Reminder | None = None


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """Which rows are wanted, and in which order; what is empty does not matter.

    only_key         key enterprises (重点企业)
    only_late        filed after the deadline
    only_explained   with explanations that a reviewer has not looked at
    search           part of a name, a code or a contact
    """

    district_code: str = ""
    states: frozenset[ReturnState] = frozenset()
    only_key: bool = False
    only_zero: bool = False
    only_late: bool = False
    only_late_revisions: bool = False
    only_explained: bool = False
    only_not_reminded: bool = False
    search: str = ""
    sort: SortKey = "state"
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class MonthBoard:
    """The board of a month as one person may see it: counts of all districts in view, and a page of enterprises.

    `days_left` to the end of the deadline's day; 0 on the day itself, negative after it. `districts` are in the order
    of their codes; a blank code is enterprises without a district. Rows are empty for officials, who see counts only.
    """

    month: Month
    standing: MonthStanding
    deadline: date
    days_left: int
    total: BoardCounts
    districts: list[BoardCounts]
    rows: list[BoardRow] = field(default_factory=list)
    page: int = 1
    page_count: int = 1
    row_count: int = 0


class Board:
    """The board of one ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def look(
        self,
        month: Month,
        actor: Actor,
        wanted: BoardFilter | None = None,
        *,
        deadline_day: int,
        today: date | None = None,
        page: int = 1,
        page_size: int | None = 50,
    ) -> MonthBoard:
        """The board of a month: bureau all, a district reviewer the own district, a reporter the own enterprises.

        `page_size` None gives every row (for a 催报 list to take away).
        """
        today = today or datetime.now(SHANGHAI).date()
        wanted = wanted or BoardFilter()
        with reading(self._engine) as connection:
            standing = standing_in(connection, month, today)
            rows = _rows(connection, month, actor)
            counts = _count(rows)
            shown = _sorted([row for row in rows if _is_wanted(row, wanted)], wanted)
            if not _sees_rows(actor):
                shown = []
            page_count = 1 if page_size is None else max(1, -(-len(shown) // page_size))
            page = min(max(page, 1), page_count)
            on_page = shown if page_size is None else shown[(page - 1) * page_size : page * page_size]
            _fill_in(connection, on_page)
        due = month.plus(1)
        deadline = date(due.year, due.month, deadline_day)
        total = BoardCounts("all")
        for one in counts.values():
            _add(total, one)
        return MonthBoard(
            month,
            standing,
            deadline,
            (deadline - today).days,
            total,
            [counts[code] for code in sorted(counts)],
            on_page,
            page,
            page_count,
            len(shown),
        )


def _sees_rows(actor: Actor) -> bool:
    return actor.sees_all_enterprises or actor.has(Role.DISTRICT_REVIEWER, Role.REPORTER)


def _rows(connection: Connection, month: Month, actor: Actor) -> list[BoardRow]:
    """Every enterprise that is to file for the month and that the actor counts, with its state."""
    rows = _expected(connection, month, actor)
    by_code = {row.enterprise_code: row for row in rows}
    _place_returns(connection, month, closings(connection), by_code)
    for code, count, last_id in connection.execute(
        select(t.reminder.c.enterprise_code, func.count(), func.max(t.reminder.c.reminder_id))
        .where(t.reminder.c.month_start_date == month.start_date)
        .group_by(t.reminder.c.enterprise_code)
    ):
        if (row := by_code.get(code)) is not None:
            row.reminder_count, row.last_reminder_id = count, last_id
    return rows


def _expected(connection: Connection, month: Month, actor: Actor) -> list[BoardRow]:
    spell, enterprise, day = t.enterprise_spell.c, t.enterprise.c, month.start_date
    where = [
        or_(spell.from_month_start_date.is_(None), spell.from_month_start_date <= day),
        or_(spell.to_month_start_date.is_(None), spell.to_month_start_date >= day),
    ]
    # Officials see the counts of all; the scope of the others is that of their role.
    if not (actor.sees_all_enterprises or Role.OFFICIAL in actor.roles):
        theirs = []
        if Role.DISTRICT_REVIEWER in actor.roles:
            theirs.append(spell.district_code.in_(sorted(actor.district_codes)))
        if Role.REPORTER in actor.roles:
            theirs.append(spell.enterprise_code.in_(sorted(actor.enterprise_codes)))
        if not theirs:
            return []
        where.append(or_(*theirs))
    found = connection.execute(
        select(
            spell.enterprise_code,
            enterprise.enterprise_name,
            spell.district_code,
            spell.enterprise_class,
            enterprise.contact,
            enterprise.phone,
        )
        .join_from(t.enterprise_spell, t.enterprise, enterprise.enterprise_code == spell.enterprise_code)
        .where(*where)
        .order_by(spell.enterprise_code)
    ).all()
    key, ordinary, key_code = EnterpriseClass.KEY, EnterpriseClass.ORDINARY, EnterpriseClass.KEY.value
    return [
        BoardRow(
            code,
            name,
            district_code,
            key if class_code == key_code else ordinary,
            contact,
            phone,
        )
        for code, name, district_code, class_code, contact, phone in found
    ]


class _Filed(NamedTuple):
    """A readable version of a return that speaks of the month, as it stands (in a closed month: stood)."""

    enterprise_code: str
    series_key: str
    submission_id: str
    sequence: int
    status: str
    is_zero_return: bool
    is_late: bool
    is_returned: bool
    is_late_revision: bool


def _place_returns(
    connection: Connection, month: Month, bounds: Closings, by_code: dict[str, BoardRow]
) -> None:
    """Give each enterprise the state of its returns: as sql/indicators/reporting.sql does, which a test compares."""
    column, day = t.submission.c, month.start_date
    speaks_of_it = or_(
        and_(column.period_kind == "month", column.month_start_date == day),
        and_(
            column.period_kind == "months_1_2",
            # Counted in February: the index on that column finds it.
            column.month_start_date.in_([day, month.plus(1).start_date]),
            column.period_start_date <= day,
            column.month_start_date >= day,
        ),
    )
    # Explanations that wait, by submission: few, through an index of their own.
    waiting: dict[str, int] = dict(
        connection.execute(
            select(t.explanation.c.submission_id, func.count())
            .where(t.explanation.c.state == "given", t.explanation.c.month_start_date >= day)
            .group_by(t.explanation.c.submission_id)
        ).all()
    )
    found = connection.execute(
        select(
            column.enterprise_code,
            column.series_key,
            column.submission_id,
            column.sequence,
            column.status,
            column.is_zero_return,
            column.is_late,
            column.is_returned,
            column.is_late_revision,
        )
        .where(
            column.kind == FileKind.RETURN.value,
            column.status != Verdict.UNREADABLE.value,
            column.month_start_date.in_([day, month.plus(1).start_date] if month.month == 1 else [day]),
            column.series_key.is_not(None),
            speaks_of_it,
        )
        .order_by(column.sequence)
    ).all()
    versions: defaultdict[str, list[_Filed]] = defaultdict(list)
    # January and February may be bound by each other's closing: through a return for both.
    first, last = (1, 2) if month.month <= 2 else (month.month, month.month)
    if not bounds.of(date(month.year, first, 1), date(month.year, last, 1)):
        for entry in found:
            versions[entry[0]].append(_Filed._make(entry))
    else:
        for filed, was_there in _at_closing(
            connection, [_Filed._make(entry) for entry in found], month, bounds, by_code
        ):
            if was_there:
                versions[filed.enterprise_code].append(filed)
    for code, filings in versions.items():
        if (row := by_code.get(code)) is not None:
            _conclude(row, filings, waiting)


def _at_closing(
    connection: Connection,
    found: list[_Filed],
    month: Month,
    bounds: Closings,
    by_code: dict[str, BoardRow],
) -> Iterator[tuple[_Filed, bool]]:
    """Versions as they stood at the closing, and whether they were there then; marks who sent something later."""
    bound = next(iter(bounds.of(month.start_date, month.start_date)), None)
    then = _as_at(connection, [filed.submission_id for filed in found], bound) if bound else {}
    both = bounds.of(date(month.year, 1, 1), date(month.year, 2, 1))
    for filed in found:
        own = both if filed.series_key.endswith("-M01-02") else [bound] if bound else []
        came_late = filed.is_late_revision and any(filed.sequence > each.sequence for each in own)
        as_it_was = then.get(filed.submission_id)
        row = by_code.get(filed.enterprise_code)
        if row is not None and (came_late or as_it_was is not None):
            row.has_late_revision = True
        stood = filed if as_it_was is None else filed._replace(status=as_it_was[0], is_returned=as_it_was[1])
        yield stood, not came_late


_by_sequence = attrgetter("sequence")


def _conclude(board_row: BoardRow, filings: list[_Filed], waiting: dict[str, int]) -> None:
    """Where an enterprise stands by its versions, in their order; nearly always there is one."""
    accepted_status, queried_status = Verdict.ACCEPTED.value, Verdict.QUERIES.value
    if len(filings) == 1:
        latest = filings
        accepted = filings if filings[0].status == accepted_status else []
    else:
        latest = list({filed.series_key: filed for filed in filings}.values())
        accepted = list(
            {filed.series_key: filed for filed in filings if filed.status == accepted_status}.values()
        )
        after = {filed.series_key: filed.sequence for filed in accepted}
        board_row.is_correction_waiting = any(
            filed.sequence > after.get(filed.series_key, filed.sequence) for filed in latest
        )
    board_row.is_late = filings[0].is_late
    if accepted:
        board_row.state, chosen = ReturnState.ACCEPTED, max(accepted, key=_by_sequence)
        board_row.is_zero_return = any(filed.is_zero_return for filed in accepted)
    else:
        queried = [filed for filed in latest if filed.status == queried_status]
        board_row.state = ReturnState.QUERIED if queried else ReturnState.RETURNED
        chosen = max(queried or latest, key=_by_sequence)
    board_row.submission_id, board_row.sequence = chosen.submission_id, chosen.sequence
    board_row.is_sent_back = chosen.is_returned
    if waiting:
        board_row.explanation_count = waiting.get(chosen.submission_id, 0)


def _as_at(connection: Connection, submission_ids: list[str], bound: Closing) -> dict[str, tuple[str, bool]]:
    """Status at the closing of those that were decided on after it; by submission."""
    decision, column = t.decision.c, t.submission.c
    decided = connection.execute(
        select(column.submission_id, column.verdict)
        .join_from(t.decision, t.submission, column.submission_id == decision.submission_id)
        .where(decision.is_after_closing, decision.decision_id > bound.decision_id)
        .distinct()
    )
    known = set(submission_ids)
    verdicts = {submission_id: verdict for submission_id, verdict in decided if submission_id in known}
    then = decided_by(connection, sorted(verdicts), bound.decision_id)
    return {
        submission_id: then.get(submission_id, (verdict, False))
        for submission_id, verdict in verdicts.items()
    }


def _count(rows: Iterable[BoardRow]) -> dict[str, BoardCounts]:
    counts: dict[str, BoardCounts] = {}
    for row in rows:
        one = counts.get(row.district_code)
        if one is None:
            one = counts[row.district_code] = BoardCounts(row.district_code)
        one.expected_count += 1
        match row.state:
            case ReturnState.ACCEPTED:
                one.accepted_count += 1
                one.zero_return_count += row.is_zero_return
                one.explained_count += row.explanation_count > 0
            case ReturnState.QUERIED:
                one.queried_count += 1
            case ReturnState.RETURNED:
                one.returned_count += 1
            case ReturnState.NOT_FILED:
                one.not_filed_count += 1
        one.late_count += row.is_late
        one.late_revision_count += row.has_late_revision
        one.reminded_count += row.reminder_count > 0
    return counts


_COUNTED = tuple(name for name in BoardCounts.__slots__ if name.endswith("_count"))


def _add(total: BoardCounts, one: BoardCounts) -> None:
    for name in _COUNTED:
        setattr(total, name, getattr(total, name) + getattr(one, name))


def _is_wanted(row: BoardRow, wanted: BoardFilter) -> bool:
    return (
        (not wanted.district_code or row.district_code == wanted.district_code)
        and (not wanted.states or row.state in wanted.states)
        and (not wanted.only_key or row.enterprise_class is EnterpriseClass.KEY)
        and (not wanted.only_zero or row.is_zero_return)
        and (not wanted.only_late or row.is_late)
        and (not wanted.only_late_revisions or row.has_late_revision)
        and (not wanted.only_explained or row.explanation_count > 0)
        and (not wanted.only_not_reminded or row.reminder_count == 0)
        and (
            not wanted.search
            or wanted.search.casefold()
            in f"{row.enterprise_name}\n{row.enterprise_code}\n{row.contact}".casefold()
        )
    )


def _sorted(rows: list[BoardRow], wanted: BoardFilter) -> list[BoardRow]:
    """In the order asked for; among equals key enterprises first, then by code."""
    rows.sort(key=lambda row: (row.enterprise_class is not EnterpriseClass.KEY, row.enterprise_code))
    keys: dict[str, Any] = {
        "code": lambda row: row.enterprise_code,
        "name": lambda row: row.enterprise_name,
        "district": lambda row: row.district_code,
        "class": lambda row: row.enterprise_class is not EnterpriseClass.KEY,
        "state": lambda row: _ORDER[row.state],
        "filed": lambda row: row.sequence,
        "reminded": lambda row: row.last_reminder_id,
    }
    rows.sort(key=keys[wanted.sort], reverse=wanted.is_descending)
    return rows


def _fill_in(connection: Connection, rows: list[BoardRow]) -> None:
    """What only the rows that are shown need."""
    column = t.submission.c
    filed = {
        row.submission_id: row
        for row in connection.execute(
            select(column.submission_id, column.received_at, column.version).where(
                column.submission_id.in_([row.submission_id for row in rows if row.submission_id])
            )
        )
    }
    reminded = last_reminders(connection, [row.last_reminder_id for row in rows if row.last_reminder_id])
    for row in rows:
        if (found := filed.get(row.submission_id)) is not None:
            row.received_at, row.version = found.received_at, found.version
        row.last_reminder = reminded.get(row.enterprise_code)
