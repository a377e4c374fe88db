"""The register of enterprises: dated life events, and the spells folded from them.

An event is never changed or deleted; one that was wrong is marked void. Events out of a register file are replaced
by the next file that says otherwise; events recorded at the desk stand on top of them until a person voids them.
A closed month keeps its register: what would change it is refused until the month is revised. Nor does an enterprise
go from a month for which its return counts: it would be money without an enterprise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Engine,
    FromClause,
    Row,
    ScalarSelect,
    and_,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from pipelines.findings import Verdict, Wording
from pipelines.ledger import audit, register_codes
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, NotAllowed, Role
from pipelines.ledger.engine import reading, writing
from pipelines.ledger.pen import chunks, insert_many, take_the_pen
from pipelines.ledger.shapes import (
    MONTHLY_PERIODS,
    SHANGHAI,
    CannotChangeRegister,
    EnterpriseClass,
    EnterpriseSpell,
    EventKind,
    RegisterRow,
    Submission,
    UnknownEnterprise,
)
from pipelines.ledger.standing import closings, submissions_where
from pipelines.periods import Month, period_name
from pipelines.records import FileKind, storable_text

_FROM_FILE, _FROM_DESK = "file", "desk"
_MIN_REASON_LENGTH = 2  # 注销 says it all
_MAX_TEXT_LENGTH = 500
# Where a stretch without a beginning begins, for asking about it.
_EARLIEST = date(1900, 1, 1)
# As many periods as one message names.
_MOST_NAMED = 12
# What befalls an enterprise that is there; the others need it to be away or do not mind.
_NEEDS_PRESENCE = {
    EventKind.LEFT,
    EventKind.MERGED,
    EventKind.MOVED_DISTRICT,
    EventKind.CHANGED_INDUSTRY,
    EventKind.CHANGED_CLASS,
}
_EVENT_NAMES = {
    EventKind.ENTERED: Wording("纳入名录", "entered the register"),
    EventKind.LEFT: Wording("退出名录", "left the register"),
    EventKind.MERGED: Wording("并入其他企业", "merged into another enterprise"),
    EventKind.MOVED_DISTRICT: Wording("迁至其他区", "moved to another district"),
    EventKind.CHANGED_INDUSTRY: Wording("变更行业", "changed its industry"),
    EventKind.CHANGED_CLASS: Wording("调整类别", "changed its class"),
    EventKind.CHANGED_CONTACT: Wording("变更联系人", "changed its contact"),
}


# What to do instead where an enterprise would go from a month for which its return counts: `{next}` is the month after
# the last such return.
_DATE_IT_LATER = Wording("请把生效月份改为{next}或以后", "Please date it to {next} or later")
_DO_NOT_VOID = Wording("请不要作废该事件", "Please do not void this event")
_MEND_THE_ROW = Wording(
    "请把该企业的起止月份改为包括这些月份",
    "Please mend the first or last month of its rows so that they hold these months",
)


class RowsRefused(CannotChangeRegister):
    """A register file that cannot be taken as it is; `by_code`: what stands against it, enterprise by enterprise."""

    def __init__(self, by_code: Mapping[str, Wording]) -> None:
        said = list(by_code.values())
        super().__init__(Wording(" ".join(one.zh for one in said), " ".join(one.en for one in said)))
        self.by_code = dict(by_code)


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One event as it stands in the register. `from_month` None: as far back as the register goes.

    Fields that the kind of event does not speak of are empty. `source` is file (a register file) or desk.
    """

    event_id: int
    enterprise_code: str
    event_kind: EventKind
    from_month: Month | None
    district_code: str
    industry_code: str
    enterprise_class: str
    successor_code: str
    contact: str
    phone: str
    reason: str
    source: str
    recorded_at: datetime
    recorded_by: str
    is_void: bool
    voided_at: datetime | None
    voided_by: str
    void_reason: str


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A life event to be recorded. Only what its kind speaks of is looked at:

    entered           district_code, industry_code, enterprise_class; enterprise_name for one that is new
    left              reason
    merged            successor_code, reason
    moved_district    district_code
    changed_industry  industry_code
    changed_class     enterprise_class
    changed_contact   contact, phone (the register keeps the latest)
    """

    enterprise_code: str
    event_kind: EventKind
    from_month: Month
    district_code: str = ""
    industry_code: str = ""
    enterprise_class: EnterpriseClass | None = None
    successor_code: str = ""
    contact: str = ""
    phone: str = ""
    reason: str = ""
    enterprise_name: str = ""


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise as the register has it in one month; `is_expected` says whether it is to file then."""

    enterprise_code: str
    enterprise_name: str
    contact: str
    phone: str
    district_code: str
    industry_code: str
    enterprise_class: EnterpriseClass
    is_expected: bool
    end_kind: str
    successor_code: str


@dataclass(frozen=True, slots=True)
class EnterprisePage:
    """A page of the register; pages count from 1."""

    enterprises: list[Enterprise]
    page: int
    page_count: int
    enterprise_count: int


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of months in which nothing about an enterprise changed; None at either end: no bound."""

    first: date | None
    last: date | None
    district_code: str
    industry_code: str
    enterprise_class: str
    end_kind: str = ""
    successor_code: str = ""

    def covers(self, day: date) -> bool:
        """Whether the month that begins on this day is one of them."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


_Event = tuple[date | None, str, str, str, str]  # first month, kind, district, industry, class


@dataclass(frozen=True, slots=True)
class RegisterChange:
    """What a register file changes about one enterprise. `name_before` None: it was not in the register at all.

    `events` and `events_before` are what this file and the one before it say of its life, in the order of time:
    (first month, kind, district, industry, class), the last two empty where the file says nothing of them.
    `class_before` and `class_after` are the class as the register has it at last, the desk's events included.
    """

    enterprise_code: str
    enterprise_name: str
    name_before: str | None
    events: tuple[_Event, ...]
    events_before: tuple[_Event, ...]
    changes_contact: bool
    class_before: str = EnterpriseClass.ORDINARY.value
    class_after: str = EnterpriseClass.ORDINARY.value

    @property
    def is_new(self) -> bool:
        return self.name_before is None

    @property
    def new_events(self) -> tuple[_Event, ...]:
        """Events that earlier files did not tell."""
        return tuple(event for event in self.events if event not in self.events_before)

    @property
    def dropped_events(self) -> tuple[_Event, ...]:
        """Events of earlier files that no longer hold."""
        return tuple(event for event in self.events_before if event not in self.events)

    @property
    def leaves(self) -> bool:
        """Whether the file says that it left, and earlier ones did not."""
        return any(kind == EventKind.LEFT.value for _, kind, *_ in self.new_events)

    @property
    def changes_class(self) -> bool:
        """Whether an enterprise that was there is of another class afterwards."""
        return not self.is_new and self.class_before != self.class_after

    def audit_entry(self) -> audit.NewEntry:
        """The change as the audit log keeps it; contacts are not written there."""
        old = None
        if self.name_before is not None:
            old = {"enterprise_name": self.name_before, "events": _events_json(self.events_before)}
        return audit.NewEntry(
            "register.imported",
            "enterprise",
            self.enterprise_code,
            old=old,
            new={"enterprise_name": self.enterprise_name, "events": _events_json(self.events)},
        )


class Register:
    """The register of one ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- asking ------------------------------------------------------------------------------------

    def spells(self) -> list[EnterpriseSpell]:
        """Who was in the register when, in which district and industry, by enterprise code and time."""
        spell = t.enterprise_spell
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(
                    spell.c.enterprise_code,
                    t.enterprise.c.enterprise_name,
                    spell.c.district_code,
                    spell.c.industry_code,
                    spell.c.from_month_start_date,
                    spell.c.to_month_start_date,
                )
                .join(t.enterprise, t.enterprise.c.enterprise_code == spell.c.enterprise_code)
                .order_by(spell.c.enterprise_code, spell.c.ordinal)
            ).all()
        found: list[EnterpriseSpell] = []
        for row in rows:
            before = found[-1] if found else None
            one = EnterpriseSpell(*row)
            # A change of class is none of the statistics' business: one spell there.
            if before is not None and _goes_on(before, one):
                found[-1] = replace(before, to_month_start_date=one.to_month_start_date)
            else:
                found.append(one)
        return found

    def enterprise(self, enterprise_code: str, actor: Actor, *, month: Month | None = None) -> Enterprise:
        """One enterprise in a month (by default the current). Raises UnknownEnterprise also where it is not the actor's."""
        day = month.start_date if month else this_month()
        with reading(self._engine) as connection:
            found = _enterprises(
                connection, and_(t.enterprise.c.enterprise_code == enterprise_code, seen_by(actor, day)), day
            )
        if not found:
            raise UnknownEnterprise(enterprise_code)
        return found[0]

    def page(
        self,
        actor: Actor,
        *,
        month: Month | None = None,
        search: str = "",
        district_code: str = "",
        only_expected: bool = False,
        page: int = 1,
        page_size: int = 50,
    ) -> EnterprisePage:
        """The register in a month (by default the current) as the actor may see it, by district and code.

        `search` is part of a name or a code.
        """
        day = month.start_date if month else this_month()
        where: list[ColumnElement[bool]] = [seen_by(actor, day)]
        if search:
            where.append(
                or_(
                    t.enterprise.c.enterprise_name.contains(search, autoescape=True),
                    t.enterprise.c.enterprise_code.contains(search.upper(), autoescape=True),
                )
            )
        with reading(self._engine) as connection:
            found = _enterprises(connection, and_(*where), day)
        found = [
            one
            for one in found
            if (not district_code or one.district_code == district_code)
            and (one.is_expected or not only_expected)
        ]
        page_count = max(1, -(-len(found) // page_size))
        page = min(max(page, 1), page_count)
        return EnterprisePage(found[(page - 1) * page_size : page * page_size], page, page_count, len(found))

    def events(self, enterprise_code: str, actor: Actor) -> list[LifeEvent]:
        """Everything that the register records of an enterprise, void events too, in the order of time."""
        event = t.enterprise_event
        with reading(self._engine) as connection:
            _expect_seen(connection, enterprise_code, actor)
            rows = connection.execute(select(event).where(event.c.enterprise_code == enterprise_code)).all()
        return [_life_event(row) for row in sorted(rows, key=_in_time)]

    # -- changing ----------------------------------------------------------------------------------

    def record(self, new: NewEvent, actor: Actor) -> LifeEvent:
        """Record a life event at the desk.

        Clerks and analysts may for all; a district reviewer may only note contacts. A district may be given by its
        name. Raises NotAllowed, CannotChangeRegister (a code that cannot be one, does not fit, would change a closed
        month, or leave a month for which a return counts), UnknownEnterprise.
        """
        new = _cleaned(new)
        with writing(self._engine) as connection:
            take_the_pen(connection)
            _expect_may_change(connection, new, actor)
            now = datetime.now(UTC)
            is_new = _make_room(connection, new, now)
            before = [] if is_new else _events_by_code(connection, [new.enterprise_code])[new.enterprise_code]
            spells_before = fold(before)
            _expect_fits(connection, new, spells_before)
            values = {
                "enterprise_code": new.enterprise_code,
                "effective_month_start_date": new.from_month.start_date,
                "event_kind": new.event_kind.value,
                "district_code": new.district_code,
                "industry_code": new.industry_code,
                "enterprise_class": new.enterprise_class.value if new.enterprise_class else "",
                "successor_code": new.successor_code,
                "contact": new.contact,
                "phone": new.phone,
                "reason": new.reason,
                "source": _FROM_DESK,
                "recorded_at": now,
                "recorded_by": actor.name,
                "is_void": False,
            }
            event_id = connection.execute(
                insert(t.enterprise_event).values(**values).returning(t.enterprise_event.c.event_id)
            ).scalar_one()
            _refold_one(connection, new.enterprise_code, spells_before, _DATE_IT_LATER)
            old: Any = None
            if new.event_kind is EventKind.CHANGED_CONTACT:
                old = _change_contact(connection, new, now)
            audit.append(
                connection,
                actor,
                f"enterprise.{new.event_kind.value}",
                "enterprise",
                new.enterprise_code,
                old=old,
                new={
                    name: value
                    for name, value in values.items()
                    if value
                    and name not in ("enterprise_code", "event_kind", "source", "recorded_at", "recorded_by")
                }
                | {"event_id": event_id},
                reason=new.reason,
            )
            row = connection.execute(
                select(t.enterprise_event).where(t.enterprise_event.c.event_id == event_id)
            ).one()
        return _life_event(row)

    def void(self, event_id: int, reason: str, actor: Actor) -> LifeEvent:
        """Mark an event as wrong; it stays on record. A contact is corrected by a new event, not by voiding.

        Raises NotAllowed, CannotChangeRegister as `record`, UnknownEnterprise for an event that is not there.
        """
        reason = _reason_of(reason)
        event = t.enterprise_event
        with writing(self._engine) as connection:
            take_the_pen(connection)
            row = connection.execute(select(event).where(event.c.event_id == event_id)).one_or_none()
            if row is None:
                raise UnknownEnterprise(str(event_id))
            _expect_clerk(connection, row.enterprise_code, actor)
            if row.is_void:
                raise CannotChangeRegister(Wording("该事件已经作废。", "This event is void already."))
            if row.event_kind == EventKind.CHANGED_CONTACT.value:
                raise CannotChangeRegister(
                    Wording(
                        "联系人以最近一次记录为准，不作废；请再记一次正确的联系人。",
                        "The latest contact holds and is not voided; please record the right one once more.",
                    )
                )
            code = row.enterprise_code
            spells_before = fold(_events_by_code(connection, [code])[code])
            connection.execute(
                update(event)
                .where(event.c.event_id == event_id)
                .values(is_void=True, voided_at=datetime.now(UTC), voided_by=actor.name, void_reason=reason)
            )
            _refold_one(connection, code, spells_before, _DO_NOT_VOID)
            audit.append(
                connection,
                actor,
                "enterprise.event_voided",
                "enterprise",
                code,
                old={"event_id": event_id, "event_kind": row.event_kind},
                reason=reason,
            )
            row = connection.execute(select(event).where(event.c.event_id == event_id)).one()
        return _life_event(row)

    def import_rows(self, rows: Iterable[RegisterRow], actor: Actor) -> int:
        """Take in a register file; returns how many enterprises it changed or added.

        What the rows say of an enterprise replaces what earlier files said of it; those events are kept, marked
        void. Events recorded at the desk stand. Enterprises that the rows do not name stay as they are. A blank
        industry, class, contact or telephone says nothing: what was known of it stays. Importing the same file twice changes nothing. An enterprise may stand
        in several rows, one a stretch of months.

        Raises CannotChangeRegister when two rows of one enterprise overlap, RowsRefused when a closed month would
        change or an enterprise would go from a month for which its return counts; nothing is then imported.
        """
        with writing(self._engine) as connection:
            take_the_pen(connection)
            changes = self._import_all(connection, rows, actor)
            audit.append_many(connection, actor, [change.audit_entry() for change in changes])
        return len(changes)

    def preview_rows(self, rows: Iterable[RegisterRow], actor: Actor) -> list[RegisterChange]:
        """What `import_rows` would change, enterprise by enterprise; nothing is kept of it. Raises what it raises."""
        with writing(self._engine) as connection:
            changes = self._import_all(connection, rows, actor)
            connection.rollback()
        return changes

    def _import_all(
        self, connection: Connection, rows: Iterable[RegisterRow], actor: Actor
    ) -> list[RegisterChange]:
        if actor.account_id is not None and not actor.has(Role.CLERK, Role.ANALYST):
            raise NotAllowed(
                Wording(
                    "名录由市级统计人员导入。请联系统计人员。",
                    "The register is imported by the statisticians of the city. Please ask them.",
                )
            )
        by_code: dict[str, list[RegisterRow]] = defaultdict(list)
        for row in rows:
            by_code[row.enterprise_code].append(row)
        now = datetime.now(UTC)
        changes: list[RegisterChange] = []
        refused: dict[str, Wording] = {}
        for codes in chunks(by_code):
            changes += self._import_codes(
                connection, {code: by_code[code] for code in codes}, actor, now, refused
            )
        if refused:
            raise RowsRefused(refused)
        return changes

    @staticmethod
    def _import_codes(
        connection: Connection,
        by_code: Mapping[str, list[RegisterRow]],
        actor: Actor,
        now: datetime,
        refused: dict[str, Wording],
    ) -> list[RegisterChange]:
        """Import the rows of these enterprises, and tell each change; what stands against it goes into `refused`."""
        known = {
            row.enterprise_code: row
            for row in connection.execute(
                select(t.enterprise).where(t.enterprise.c.enterprise_code.in_(list(by_code)))
            )
        }
        events = _events_by_code(connection, list(by_code))
        before: dict[str, list[Spell]] = {}
        new_events: list[dict[str, Any]] = []
        changes: list[RegisterChange] = []
        for code, rows in by_code.items():
            told_rows = [row for row in events[code] if row.source == _FROM_FILE]
            wanted = _with_what_was_told(_events_of(code, rows), fold(told_rows))
            last = max(rows, key=lambda row: row.from_month or Month(1900, 1))
            was = known.get(code)
            told = [
                (
                    row.effective_month_start_date,
                    row.event_kind,
                    row.district_code,
                    row.industry_code,
                    row.enterprise_class,
                )
                for row in told_rows
            ]
            about = {
                "enterprise_name": last.enterprise_name,
                "contact": last.contact or (was.contact if was else ""),
                "phone": last.phone or (was.phone if was else ""),
            }
            has_changed = was is None or any(getattr(was, name) != value for name, value in about.items())
            if not has_changed and told == wanted:
                continue
            if was is None:
                connection.execute(
                    insert(t.enterprise).values(enterprise_code=code, recorded_at=now, **about)
                )
            elif has_changed:
                connection.execute(
                    update(t.enterprise)
                    .where(t.enterprise.c.enterprise_code == code)
                    .values(recorded_at=now, **about)
                )
            if told != wanted:
                before[code] = fold(events[code])
                connection.execute(
                    update(t.enterprise_event)
                    .where(
                        t.enterprise_event.c.enterprise_code == code,
                        t.enterprise_event.c.source == _FROM_FILE,
                        t.enterprise_event.c.is_void.is_(False),
                    )
                    .values(is_void=True, voided_at=now, voided_by=actor.name, void_reason="register file")
                )
                new_events += [
                    {
                        "enterprise_code": code,
                        "effective_month_start_date": effective,
                        "event_kind": kind,
                        "district_code": district_code,
                        "industry_code": industry_code,
                        "enterprise_class": enterprise_class,
                        "source": _FROM_FILE,
                        "recorded_at": now,
                        "recorded_by": actor.name,
                        "is_void": False,
                    }
                    for effective, kind, district_code, industry_code, enterprise_class in wanted
                ]
            changes.append(
                RegisterChange(
                    enterprise_code=code,
                    enterprise_name=about["enterprise_name"],
                    name_before=None if was is None else was.enterprise_name,
                    events=tuple(wanted),
                    events_before=tuple(told),
                    changes_contact=was is not None
                    and (was.contact, was.phone) != (about["contact"], about["phone"]),
                )
            )
        insert_many(connection, t.enterprise_event, new_events)
        refused.update(_refold(connection, before, _MEND_THE_ROW))
        after = _events_by_code(connection, list(before))
        return [
            replace(
                change,
                class_before=_last_class(before[change.enterprise_code]),
                class_after=_last_class(fold(after[change.enterprise_code])),
            )
            if change.enterprise_code in before
            else change
            for change in changes
        ]


# -- folding --------------------------------------------------------------------------------------------------


def fold(events: Sequence[Row[Any]]) -> list[Spell]:
    """The events that are not void as spells, in the order of time.

    An event changes what it speaks of and holds until another does; of two of one month the later recorded. Those
    that befall an enterprise which is not there (left, and a file speaks of a move afterwards) change nothing; but what
    the desk said of its industry or class is kept for when a file has it enter and says nothing of them.
    """
    spells: list[Spell] = []
    state: Spell | None = None
    industry_code = enterprise_class = ""  # as last said
    for row in sorted((row for row in events if not row.is_void), key=_in_time):
        kind, since = EventKind(row.event_kind), row.effective_month_start_date
        industry_code, enterprise_class = _said(industry_code, enterprise_class, row, kind)
        if kind is EventKind.CHANGED_CONTACT or (kind in _NEEDS_PRESENCE and state is None):
            continue
        after = _after(state, row, kind, industry_code, enterprise_class)
        if state is not None:
            is_end = after is None
            ended = replace(
                state,
                last=Month.of(since).previous.start_date if since else None,
                end_kind=kind.value if is_end else "",
                successor_code=row.successor_code if is_end else "",
            )
            # Of several events of one month only the last leaves a spell; nothing is before the beginning.
            if since is not None and (ended.first is None or ended.last is None or ended.first <= ended.last):
                spells.append(ended)
            # It ends the stretch that led up to it, not one that had ended before.
            elif is_end and spells and not spells[-1].end_kind:
                spells[-1] = replace(spells[-1], end_kind=kind.value, successor_code=row.successor_code)
        state = after
    if state is not None:
        spells.append(state)
    return spells


def _said(industry_code: str, enterprise_class: str, row: Row[Any], kind: EventKind) -> tuple[str, str]:
    """Industry and class as last said, after this event. A file that leaves one blank says nothing of it."""
    if row.source == _FROM_FILE:
        return row.industry_code or industry_code, row.enterprise_class or enterprise_class
    match kind:
        case EventKind.ENTERED:
            return row.industry_code, row.enterprise_class
        case EventKind.CHANGED_INDUSTRY:
            return row.industry_code, enterprise_class
        case EventKind.CHANGED_CLASS:
            return industry_code, row.enterprise_class
    return industry_code, enterprise_class


def _after(
    state: Spell | None, row: Row[Any], kind: EventKind, industry_code: str, enterprise_class: str
) -> Spell | None:
    since = row.effective_month_start_date
    match kind:
        case EventKind.LEFT | EventKind.MERGED:
            return None
        case EventKind.ENTERED:
            return Spell(since, None, row.district_code, industry_code, enterprise_class)
    if state is None:
        return None
    changed = replace(state, first=since, industry_code=industry_code, enterprise_class=enterprise_class)
    if row.source == _FROM_FILE or kind is EventKind.MOVED_DISTRICT:
        return replace(changed, district_code=row.district_code)
    return changed


def _last_class(spells: Sequence[Spell]) -> str:
    """The class of an enterprise in its last stretch; ordinary where nothing is said."""
    return (spells[-1].enterprise_class if spells else "") or EnterpriseClass.ORDINARY.value


def _in_time(row: Row[Any]) -> tuple[date, int]:
    return row.effective_month_start_date or date.min, row.event_id


def _events_by_code(connection: Connection, codes: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """Events that are not void, in the order of recording; an empty list where there are none."""
    found: dict[str, list[Row[Any]]] = {code: [] for code in codes}
    event = t.enterprise_event
    for row in connection.execute(
        select(event)
        .where(event.c.enterprise_code.in_(codes), event.c.is_void.is_(False))
        .order_by(event.c.event_id)
    ):
        found[row.enterprise_code].append(row)
    return found


def _refold_one(connection: Connection, code: str, before: list[Spell], instead: Wording) -> None:
    """Write the spells of one enterprise anew. Raises CannotChangeRegister where something stands against it."""
    for wording in _refold(connection, {code: before}, instead).values():
        raise CannotChangeRegister(wording)


def _refold(
    connection: Connection, before: Mapping[str, list[Spell]], instead: Wording
) -> dict[str, Wording]:
    """Write the spells of these enterprises anew; what stands against it, by code, for the caller to refuse.

    That is: a closed month would change, or one before it on which it rests; a return counts for a month in which the
    enterprise would be there no more (`instead` says what to do); another was merged into it then.
    """
    if not before:
        return {}
    bounds = closings(connection)
    after = {code: fold(events) for code, events in _events_by_code(connection, list(before)).items()}
    refused: dict[str, Wording] = {}
    rows: list[dict[str, Any]] = []
    for code, spells in after.items():
        for month in _months_that_differ(before[code], spells, bounds.by_month):
            closing = bounds.binding(month)
            if closing is not None:
                refused[code] = Wording(
                    f"{closing.month:zh}已结账，{code} 在{month:zh}的名录情况不能改变。请把生效月份改为结账以后的月份，"
                    f"或先申请修订{closing.month:zh}。",
                    f"{closing.month:en} is closed, and what the register says of {code} in {month:en} cannot change. "
                    f"Please date it to a month after the closing, or have {closing.month:en} reopened first.",
                )
                break
        rows += [
            {
                "enterprise_code": code,
                "ordinal": ordinal,
                "from_month_start_date": spell.first,
                "to_month_start_date": spell.last,
                "district_code": spell.district_code,
                "industry_code": spell.industry_code,
                "enterprise_class": spell.enterprise_class,
                "end_kind": spell.end_kind,
                "successor_code": spell.successor_code,
            }
            for ordinal, spell in enumerate(spells, start=1)
        ]
    going = [
        code
        for code, spells in after.items()
        if code not in refused
        and any(
            _has_gone(before[code], spells, month) for month in _months_that_differ(before[code], spells, ())
        )
    ]
    refused |= _counted_without(connection, going, before, after, instead)
    connection.execute(
        delete(t.enterprise_spell).where(t.enterprise_spell.c.enterprise_code.in_(list(before)))
    )
    insert_many(connection, t.enterprise_spell, rows)
    return _merged_into_nobody(connection, going, before, after) | refused


def _has_gone(before: Sequence[Spell], after: Sequence[Spell], month: Month) -> bool:
    """Whether an enterprise that was there in a month would be so no more."""
    return _seen_in(before, month) is not None and _seen_in(after, month) is None


def _counted_without(
    connection: Connection,
    codes: Sequence[str],
    before: Mapping[str, list[Spell]],
    after: Mapping[str, list[Spell]],
    instead: Wording,
) -> dict[str, Wording]:
    """Enterprises that would go from a month for which a return of theirs counts, with the words that say so.

    Files of a quarter, half-year or year are the return of no month: they may come after the enterprise has gone.
    """
    column = t.submission.c
    kept: defaultdict[str, list[Submission]] = defaultdict(list)
    for chunk in chunks(codes):
        for one in submissions_where(
            connection,
            and_(
                column.kind == FileKind.RETURN.value,
                column.enterprise_code.in_(chunk),
                column.period_kind.in_(MONTHLY_PERIODS),
                column.status == Verdict.ACCEPTED.value,
            ),
        ):
            if one.is_latest_accepted and any(
                _has_gone(before[one.enterprise_code], after[one.enterprise_code], month)
                for month in _months_of(one)
            ):
                kept[one.enterprise_code].append(one)
    refused = {}
    for code, returns in kept.items():
        returns.sort(key=lambda one: (one.month_start_date or date.min, one.period_start_date or date.min))
        periods = list(dict.fromkeys(one.period for one in returns))
        next_month = max(month for one in returns for month in _months_of(one)).plus(1)
        named_zh = "、".join(period_name(period, "zh") for period in periods[:_MOST_NAMED])
        named_en = ", ".join(period_name(period, "en") for period in periods[:_MOST_NAMED])
        if len(periods) > _MOST_NAMED:
            named_zh += f"等 {len(periods)} 个报告期"
            named_en += f" and {len(periods) - _MOST_NAMED} more"
        refused[code] = Wording(
            f"{code} {named_zh}的报表已通过，计入统计；这样一来，这些月份名录中没有该企业，其数字不属于任何一区，看板上也没有。"
            f"{instead.zh.replace('{next}', f'{next_month:zh}')}；如这些报表不应计入，请先将其退回。",
            f"The returns of {code} for {named_en} are accepted and count; the register would not have the enterprise in "
            "those months, so that the figures belong to no district and stand on no board. "
            f"{instead.en.replace('{next}', f'{next_month:en}')}; or, if these returns are not to count, send them back "
            "first.",
        )
    return refused


def _months_of(one: Submission) -> list[Month]:
    """The months that the return of a month, or of January and February, speaks of."""
    if one.period_start_date is None or one.month_start_date is None:
        return []
    return list(Month.span(Month.of(one.period_start_date), Month.of(one.month_start_date)))


def _merged_into_nobody(
    connection: Connection,
    codes: Sequence[str],
    before: Mapping[str, list[Spell]],
    after: Mapping[str, list[Spell]],
) -> dict[str, Wording]:
    """Enterprises that would be gone in the month in which another was merged into them, with the words that say so."""
    spell = t.enterprise_spell.c
    refused = {}
    for chunk in chunks(codes):
        for row in connection.execute(
            select(spell.enterprise_code, spell.successor_code, spell.to_month_start_date)
            .where(spell.end_kind == EventKind.MERGED.value, spell.successor_code.in_(chunk))
            .order_by(spell.to_month_start_date, spell.enterprise_code)
        ):
            code, month = row.successor_code, Month.of(row.to_month_start_date).plus(1)
            if _has_gone(before[code], after[code], month):
                refused[code] = Wording(
                    f"{row.enterprise_code} 自{month:zh}起并入 {code}，{code} 在该月须在名录中。请把生效月份改为"
                    f"{month.plus(1):zh}或以后；如并入记错，请先作废 {row.enterprise_code} 的并入。",
                    f"{row.enterprise_code} was merged into {code} from {month:en} on, when {code} has to be on the "
                    f"register. Please date it to {month.plus(1):en} or later; or, if the merger is wrong, void that of "
                    f"{row.enterprise_code} first.",
                )
    return refused


def _months_that_differ(
    before: Sequence[Spell], after: Sequence[Spell], closed: Iterable[Month]
) -> Iterator[Month]:
    """Months of which the statistics see another thing: of the closed ones each, of all others where a stretch begins."""
    if list(before) == list(after):
        return
    months = set(closed)
    for spell in (*before, *after):
        months.add(Month.of(spell.first or _EARLIEST))
        if spell.last is not None:
            months.add(Month.of(spell.last).plus(1))
    for month in sorted(months):
        if _seen_in(before, month) != _seen_in(after, month):
            yield month


def _seen_in(spells: Sequence[Spell], month: Month) -> tuple[str, str] | None:
    """What the statistics of a month see of an enterprise: district and industry, None where it is not there."""
    for spell in spells:
        if spell.covers(month.start_date):
            return spell.district_code, spell.industry_code
    return None


def _goes_on(before: EnterpriseSpell, after: EnterpriseSpell) -> bool:
    return (
        (before.enterprise_code, before.district_code, before.industry_code)
        == (after.enterprise_code, after.district_code, after.industry_code)
        and before.to_month_start_date is not None
        and after.from_month_start_date == Month.of(before.to_month_start_date).plus(1).start_date
    )


# -- who may, and what fits -----------------------------------------------------------------------------------


def this_month() -> date:
    """First day of the current month in Shanghai."""
    return datetime.now(SHANGHAI).date().replace(day=1)


def seen_by(actor: Actor, day: date | None = None) -> ColumnElement[bool]:
    """The condition on `enterprise` that an actor may see it: the register's side of `Actor.may_see`.

    A district reviewer sees enterprises that are in the own district in the month of that first day (by default the
    current month), or last were before it; a move that is planned changes nothing until it takes effect.
    """
    if actor.sees_all_enterprises:
        return true()
    allowed: list[ColumnElement[bool]] = [false()]
    if Role.DISTRICT_REVIEWER in actor.roles and actor.district_codes:
        district_code = district_in(t.enterprise.c.enterprise_code, literal(day or this_month(), Date))
        allowed.append(district_code.in_(sorted(actor.district_codes)))
    if Role.REPORTER in actor.roles and actor.enterprise_codes:
        allowed.append(t.enterprise.c.enterprise_code.in_(sorted(actor.enterprise_codes)))
    return or_(*allowed)


def district_in(enterprise_code: ColumnElement[str], day: ColumnElement[date]) -> ColumnElement[str]:
    """The district of an enterprise in a month, as `district_at`, for use within a query."""
    begun, first = t.enterprise_spell.alias(), t.enterprise_spell.alias()

    def one_of(
        spell: FromClause, *where: ColumnElement[bool], order: ColumnElement[int]
    ) -> ScalarSelect[str]:
        return (
            select(spell.c.district_code)
            .where(spell.c.enterprise_code == enterprise_code, *where)
            .order_by(order)
            .limit(1)
            .correlate_except(spell)
            .scalar_subquery()
        )

    has_begun = or_(begun.c.from_month_start_date.is_(None), begun.c.from_month_start_date <= day)
    return func.coalesce(
        one_of(begun, has_begun, order=begun.c.ordinal.desc()), one_of(first, order=first.c.ordinal)
    )


def district_at(spells: Iterable[tuple[date | None, str]], day: date) -> str:
    """The district of an enterprise in the month that begins on this day, from its spells in the order of time, each
    with its first month and district.

    That of the spell that holds, or of the last before it; before its first, of the first; empty without any.
    """
    found: str | None = None
    for first, district_code in spells:
        if found is None or first is None or first <= day:
            found = district_code
    return found or ""


def district_of(connection: Connection, enterprise_code: str, month_start_date: date | None) -> str:
    """The district of an enterprise in a month (None: the current one), as `district_at`."""
    by_code = spells_by_code(connection, [enterprise_code])
    return district_at(by_code.get(enterprise_code, ()), month_start_date or this_month())


def spells_by_code(
    connection: Connection, enterprise_codes: Iterable[str]
) -> dict[str, list[tuple[date | None, str]]]:
    """First month and district of each spell of these enterprises, in the order of time."""
    spell = t.enterprise_spell.c
    found: defaultdict[str, list[tuple[date | None, str]]] = defaultdict(list)
    for codes in chunks(sorted(set(enterprise_codes))):
        for row in connection.execute(
            select(spell.enterprise_code, spell.from_month_start_date, spell.district_code)
            .where(spell.enterprise_code.in_(codes))
            .order_by(spell.enterprise_code, spell.ordinal)
        ):
            found[row.enterprise_code].append((row.from_month_start_date, row.district_code))
    return dict(found)


def _expect_seen(connection: Connection, enterprise_code: str, actor: Actor) -> None:
    found = connection.execute(
        select(t.enterprise.c.enterprise_code).where(
            t.enterprise.c.enterprise_code == enterprise_code, seen_by(actor)
        )
    ).first()
    if found is None:
        raise UnknownEnterprise(enterprise_code)


def _expect_clerk(connection: Connection, enterprise_code: str, actor: Actor) -> None:
    if not actor.sees_all_enterprises:
        _expect_seen(connection, enterprise_code, actor)
        raise NotAllowed(
            Wording("名录由市局统计员维护。", "The register is kept by the clerks of the bureau.")
        )


def _expect_may_change(connection: Connection, new: NewEvent, actor: Actor) -> None:
    if new.event_kind is EventKind.CHANGED_CONTACT:
        _expect_seen(connection, new.enterprise_code, actor)
        return
    _expect_clerk(connection, new.enterprise_code, actor)


def _reason_of(text: str) -> str:
    reason = storable_text(text).strip()
    if not _MIN_REASON_LENGTH <= len(reason) <= _MAX_TEXT_LENGTH:
        raise CannotChangeRegister(
            Wording(
                f"请写明原因（{_MIN_REASON_LENGTH} 至 {_MAX_TEXT_LENGTH} 个字）。",
                f"Say why, in {_MIN_REASON_LENGTH} to {_MAX_TEXT_LENGTH} characters.",
            ),
            "reason",
        )
    return reason


_CODE_NAMES = {
    "enterprise_code": Wording("统一社会信用代码", "Credit code"),
    "district_code": Wording("所在区", "District"),
    "industry_code": Wording("行业代码", "Industry"),
}
_SHOWN_LENGTH = 40


def _checked(check: Callable[[str], str], text: str) -> str:
    """What a check makes of a code. Raises CannotChangeRegister naming where it stands and what was given."""
    try:
        return check(text)
    except CannotChangeRegister as wrong:
        name, given, said = _CODE_NAMES[wrong.field], text[:_SHOWN_LENGTH], wrong.wording
        raise CannotChangeRegister(
            Wording(f"{name.zh}“{given}”：{said.zh}", f"{name.en} “{given}”: {said.en}"), wrong.field
        ) from wrong


def _cleaned(new: NewEvent) -> NewEvent:
    """The event with only what its kind speaks of. Raises CannotChangeRegister for what is missing."""
    kind = new.event_kind
    kept: dict[str, Any] = {"enterprise_code": storable_text(new.enterprise_code).strip().upper()}
    wanted: dict[EventKind, tuple[str, ...]] = {
        EventKind.ENTERED: ("district_code", "industry_code", "enterprise_class", "enterprise_name"),
        EventKind.LEFT: (),
        EventKind.MERGED: ("successor_code",),
        EventKind.MOVED_DISTRICT: ("district_code",),
        EventKind.CHANGED_INDUSTRY: ("industry_code",),
        EventKind.CHANGED_CLASS: ("enterprise_class",),
        EventKind.CHANGED_CONTACT: ("contact", "phone"),
    }
    for name in wanted[kind]:
        value = getattr(new, name)
        kept[name] = storable_text(value).strip()[:_MAX_TEXT_LENGTH] if name != "enterprise_class" else value
    needed = {
        EventKind.ENTERED: "district_code",
        EventKind.MERGED: "successor_code",
        EventKind.MOVED_DISTRICT: "district_code",
        EventKind.CHANGED_INDUSTRY: "industry_code",
        EventKind.CHANGED_CLASS: "enterprise_class",
    }.get(kind)
    if needed is not None and not kept[needed]:
        what = {
            "district_code": Wording("所在区", "the district"),
            "successor_code": Wording("并入的企业", "the enterprise it went into"),
            "industry_code": Wording("行业代码", "the industry code"),
            "enterprise_class": Wording("企业类别", "the class"),
        }[needed]
        raise CannotChangeRegister(Wording(f"请填写{what.zh}。", f"Please give {what.en}."), needed)
    for name, check in (
        ("district_code", register_codes.district_code),
        ("industry_code", register_codes.industry_code),
    ):
        if kept.get(name):
            kept[name] = _checked(check, kept[name])
    if "successor_code" in kept:
        kept["successor_code"] = kept["successor_code"].upper()
    if kind is EventKind.CHANGED_CONTACT and not (kept["contact"] or kept["phone"]):
        raise CannotChangeRegister(
            Wording("请填写联系人或电话。", "Please give the contact or the telephone number."), "contact"
        )
    kept["reason"] = (
        _reason_of(new.reason)
        if kind in (EventKind.LEFT, EventKind.MERGED)
        else storable_text(new.reason).strip()[:_MAX_TEXT_LENGTH]
    )
    return NewEvent(event_kind=kind, from_month=new.from_month, **kept)


def _make_room(connection: Connection, new: NewEvent, now: datetime) -> bool:
    """Put an enterprise that the register has never had into it; whether that was so."""
    is_known = connection.execute(
        select(t.enterprise.c.enterprise_code).where(t.enterprise.c.enterprise_code == new.enterprise_code)
    ).first()
    if is_known is not None:
        return False
    if new.event_kind is not EventKind.ENTERED:
        raise UnknownEnterprise(new.enterprise_code)
    if not new.enterprise_name or not new.enterprise_code:
        raise CannotChangeRegister(
            Wording(
                "新纳入的企业须填写统一社会信用代码和单位名称。",
                "An enterprise that is new needs its code and its name.",
            ),
            "enterprise_name" if new.enterprise_code else "enterprise_code",
        )
    _checked(register_codes.credit_code, new.enterprise_code)
    connection.execute(
        insert(t.enterprise).values(
            enterprise_code=new.enterprise_code,
            enterprise_name=new.enterprise_name,
            contact="",
            phone="",
            recorded_at=now,
        )
    )
    return True


def _expect_fits(connection: Connection, new: NewEvent, spells: Sequence[Spell]) -> None:
    """Raises CannotChangeRegister for an event that the register as it is does not allow."""
    month, kind = new.from_month, new.event_kind
    here = next((spell for spell in spells if spell.covers(month.start_date)), None)
    name = _EVENT_NAMES[kind]
    if kind in _NEEDS_PRESENCE and here is None:
        raise CannotChangeRegister(
            Wording(
                f"{new.enterprise_code} 在{month:zh}不在名录中，不能记为“{name.zh}”。请核对生效月份。",
                f"{new.enterprise_code} is not on the register in {month:en}, so it cannot be recorded that it {name.en}. "
                "Please check the month.",
            )
        )
    if kind is EventKind.ENTERED and here is not None:
        raise CannotChangeRegister(
            Wording(
                f"{new.enterprise_code} 在{month:zh}已在名录中。请核对代码和生效月份。",
                f"{new.enterprise_code} is on the register in {month:en} already. Please check the code and the month.",
            )
        )
    if here is not None and kind in (
        EventKind.MOVED_DISTRICT,
        EventKind.CHANGED_INDUSTRY,
        EventKind.CHANGED_CLASS,
    ):
        now, then = {
            EventKind.MOVED_DISTRICT: (here.district_code, new.district_code),
            EventKind.CHANGED_INDUSTRY: (here.industry_code, new.industry_code),
            EventKind.CHANGED_CLASS: (
                here.enterprise_class or EnterpriseClass.ORDINARY.value,
                new.enterprise_class.value if new.enterprise_class else "",
            ),
        }[kind]
        if now == then:
            raise CannotChangeRegister(
                Wording(
                    f"{new.enterprise_code} 在{month:zh}已经是 {then}，没有变更。",
                    f"{new.enterprise_code} is {then} in {month:en} already; there is nothing to change.",
                )
            )
    if kind is EventKind.MERGED:
        successors = fold(_events_by_code(connection, [new.successor_code])[new.successor_code])
        if new.successor_code == new.enterprise_code or not any(
            spell.covers(month.start_date) for spell in successors
        ):
            raise CannotChangeRegister(
                Wording(
                    f"并入的企业 {new.successor_code} 在{month:zh}不在名录中。请先将其纳入名录，或核对代码。",
                    f"{new.successor_code}, into which it is to be merged, is not on the register in {month:en}. Please "
                    "enter that enterprise first, or check the code.",
                ),
                "successor_code",
            )


def _change_contact(connection: Connection, new: NewEvent, now: datetime) -> dict[str, str]:
    was = connection.execute(
        select(t.enterprise.c.contact, t.enterprise.c.phone).where(
            t.enterprise.c.enterprise_code == new.enterprise_code
        )
    ).one()
    connection.execute(
        update(t.enterprise)
        .where(t.enterprise.c.enterprise_code == new.enterprise_code)
        .values(contact=new.contact or was.contact, phone=new.phone or was.phone, recorded_at=now)
    )
    return {"contact": was.contact, "phone": was.phone}


# -- rows and values ------------------------------------------------------------------------------------------


def _enterprises(connection: Connection, where: ColumnElement[bool], day: date) -> list[Enterprise]:
    """Enterprises that meet a condition, as of the month that begins on this day; by district and code.

    Where none of its spells holds then, an enterprise is shown with the last before it, else with its first.
    """
    spell = t.enterprise_spell
    rows = connection.execute(
        select(t.enterprise, spell)
        .join(spell, spell.c.enterprise_code == t.enterprise.c.enterprise_code, isouter=True)
        .where(where)
        .order_by(t.enterprise.c.enterprise_code, spell.c.ordinal)
    ).all()
    found: list[Enterprise] = []
    for _, members in groupby(rows, key=lambda row: row.enterprise_code):
        spells = list(members)
        begun = [
            row
            for row in spells
            if row.ordinal is not None
            and (row.from_month_start_date is None or row.from_month_start_date <= day)
        ]
        shown = begun[-1] if begun else spells[0]
        is_there = bool(begun) and (shown.to_month_start_date is None or day <= shown.to_month_start_date)
        has_gone = bool(begun) and not is_there
        found.append(
            Enterprise(
                enterprise_code=shown.enterprise_code,
                enterprise_name=shown.enterprise_name,
                contact=shown.contact,
                phone=shown.phone,
                district_code=shown.district_code or "",
                industry_code=shown.industry_code or "",
                enterprise_class=EnterpriseClass(shown.enterprise_class or EnterpriseClass.ORDINARY),
                is_expected=is_there,
                end_kind=shown.end_kind if has_gone else "",
                successor_code=shown.successor_code if has_gone else "",
            )
        )
    return sorted(found, key=lambda one: (one.district_code, one.enterprise_code))


def _life_event(row: Row[Any]) -> LifeEvent:
    values = dict(row._mapping)
    effective = values.pop("effective_month_start_date")
    values["event_kind"] = EventKind(values["event_kind"])
    return LifeEvent(from_month=Month.of(effective) if effective else None, **values)


def _events_of(code: str, rows: list[RegisterRow]) -> list[_Event]:
    """What a register file says of one enterprise, as events in the order of time."""
    rows = sorted(rows, key=lambda row: row.from_month or Month(1900, 1))
    events: list[_Event] = []
    before: RegisterRow | None = None
    for given in rows:
        row = given
        if row.from_month and row.to_month and row.to_month < row.from_month:
            raise CannotChangeRegister(
                Wording(
                    f"{code}：终止月份{row.to_month:zh}早于起始月份{row.from_month:zh}。",
                    f"{code}: in the register to {row.to_month:en}, before it enters in {row.from_month:en}",
                )
            )
        if before is not None:
            if before.to_month is None and row.from_month is not None:
                before_ends = row.from_month.previous  # the next row says until when
            elif before.to_month is None or row.from_month is None or row.from_month <= before.to_month:
                raise CannotChangeRegister(
                    Wording(
                        f"{code}：名录中有两行说的是同一时段。",
                        f"{code}: two rows of the register speak of the same months",
                    )
                )
            else:
                before_ends = before.to_month
            if row.from_month == before_ends.plus(1):
                # What a row leaves blank is as in the row before.
                row = replace(
                    row,
                    industry_code=row.industry_code or before.industry_code,
                    enterprise_class=row.enterprise_class or before.enterprise_class,
                )
                if row.district_code != before.district_code:
                    events.append(_event_of("moved_district", row))
                elif row.industry_code != before.industry_code:
                    events.append(_event_of("changed_industry", row))
                elif row.enterprise_class != before.enterprise_class:
                    events.append(_event_of("changed_class", row))
                before = row
                continue
            events.append((before_ends.plus(1).start_date, "left", "", "", ""))
        events.append(_event_of("entered", row))
        before = row
    if before is not None and before.to_month is not None:
        events.append((before.to_month.plus(1).start_date, "left", "", "", ""))
    return events


def _event_of(kind: str, row: RegisterRow) -> _Event:
    return (
        row.from_month.start_date if row.from_month else None,
        kind,
        row.district_code,
        row.industry_code,
        row.enterprise_class.value if row.enterprise_class else "",
    )


def _with_what_was_told(events: Sequence[_Event], told: Sequence[Spell]) -> list[_Event]:
    """A file's events, with industry and class as earlier files told them (`told`) where this one leaves them blank."""
    if not told:
        return list(events)
    filled = []
    for event in events:
        effective, kind, district_code, industry_code, enterprise_class = event
        begun = [
            spell
            for spell in told
            if spell.first is None or (effective is not None and spell.first <= effective)
        ]
        known = begun[-1] if begun else told[0]
        filled.append(
            event
            if kind == EventKind.LEFT.value
            else (
                effective,
                kind,
                district_code,
                industry_code or known.industry_code,
                enterprise_class or known.enterprise_class,
            )
        )
    return filled


def _events_json(events: Sequence[_Event]) -> list[list[str]]:
    return [[str(effective or ""), *facts] for effective, *facts in events]
