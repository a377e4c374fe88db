"""The states of a month: open, collecting, closed, published, revising; and how it passes from one to the next.

Every passage is proposed by one person and confirmed by another, of whom at least one is an analyst. While a month is
closed or published, nothing filed or decided afterwards counts in it; `standing` says what that means for a
submission. Computing and publishing tables is done elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, func, insert, or_, select, update

from pipelines.findings import Wording
from pipelines.ledger import audit
from pipelines.ledger import tables as t
from pipelines.ledger.actors import BUREAU, Actor, NotAllowed, Role, is_same_person
from pipelines.ledger.engine import reading, writing
from pipelines.ledger.pen import take_the_pen
from pipelines.ledger.shapes import SHANGHAI, CannotChangeMonth, Submission
from pipelines.ledger.standing import BINDING, Closings, closings, submissions_where
from pipelines.periods import Month
from pipelines.records import FileKind, storable_text

_MIN_REASON_LENGTH = 5
_MAX_REASON_LENGTH = 500


class MonthState(StrEnum):
    """Where a month stands."""

    OPEN = "open"  # not over yet
    COLLECTING = "collecting"  # over; returns come in
    CLOSED = "closed"  # what counts is fixed
    PUBLISHED = "published"  # closed, and its tables have been given out
    REVISING = "revising"  # opened again: what came after the closing counts, until it is closed once more


class MonthActKind(StrEnum):
    """What can be proposed for a month."""

    CLOSE = "close"
    PUBLISH = "publish"
    REOPEN = "reopen"


# From which states each act leads, and to which.
_PASSAGES: dict[MonthActKind, tuple[tuple[MonthState, ...], MonthState]] = {
    MonthActKind.CLOSE: ((MonthState.COLLECTING, MonthState.REVISING), MonthState.CLOSED),
    MonthActKind.PUBLISH: ((MonthState.CLOSED,), MonthState.PUBLISHED),
    MonthActKind.REOPEN: ((MonthState.CLOSED, MonthState.PUBLISHED), MonthState.REVISING),
}
_DONE = {MonthActKind.CLOSE: "closed", MonthActKind.PUBLISH: "published", MonthActKind.REOPEN: "reopened"}

STATE_NAMES = {
    MonthState.OPEN: Wording("未到期", "not over yet"),
    MonthState.COLLECTING: Wording("收表中", "collecting"),
    MonthState.CLOSED: Wording("已结账", "closed"),
    MonthState.PUBLISHED: Wording("已发布", "published"),
    MonthState.REVISING: Wording("修订中", "being revised"),
}
ACT_NAMES = {
    MonthActKind.CLOSE: Wording("结账", "closing"),
    MonthActKind.PUBLISH: Wording("发布", "publishing"),
    MonthActKind.REOPEN: Wording("重开修订", "reopening"),
}


@dataclass(frozen=True, slots=True)
class MonthAct:
    """Something proposed for a month. `state`: proposed, confirmed, declined, or withdrawn by the proposer."""

    act_id: int
    month: Month
    act_kind: MonthActKind
    state: str
    reason: str
    proposed_by: str
    is_proposed_by_analyst: bool
    proposed_at: datetime
    decided_by: str
    decided_at: datetime | None
    decision_reason: str


@dataclass(frozen=True, slots=True)
class MonthStanding:
    """Where one month stands, and what is proposed for it. The closing is the last one, also while revising."""

    month: Month
    state: MonthState
    proposal: MonthAct | None
    closed_sequence: int | None = None
    closed_decision_id: int | None = None
    closed_at: datetime | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether what is filed now changes nothing that counts."""
        return self.state in (MonthState.CLOSED, MonthState.PUBLISHED)

    def possible_acts(self) -> tuple[MonthActKind, ...]:
        """What may be proposed now."""
        if self.proposal is not None:
            return ()
        return tuple(kind for kind, (before, _) in _PASSAGES.items() if self.state in before)


class Months:
    """The months of one ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- asking ------------------------------------------------------------------------------------

    def standing(self, month: Month, *, today: date | None = None) -> MonthStanding:
        """Where a month stands; a month that nobody has touched is open or collecting by the calendar."""
        return self.standings([month], today=today)[0]

    def standings(self, months: Iterable[Month], *, today: date | None = None) -> list[MonthStanding]:
        """Where these months stand, in the order given."""
        wanted = list(months)
        with reading(self._engine) as connection:
            return _standings(connection, wanted, today or _today())

    def touched(self, *, today: date | None = None) -> list[MonthStanding]:
        """Months with a proposal or a closing, earliest first."""
        with reading(self._engine) as connection:
            days = connection.execute(
                select(t.month_act.c.month_start_date).distinct().order_by(t.month_act.c.month_start_date)
            ).scalars()
            return _standings(connection, [Month.of(day) for day in days], today or _today())

    def closings(self) -> Closings:
        """Every closing that binds now."""
        with reading(self._engine) as connection:
            return closings(connection)

    def reopened_with(self, month: Month) -> list[Month]:
        """The closed months after this one: what they print rests on it, and reopening it reopens them."""
        with reading(self._engine) as connection:
            return _frozen_after(connection, month)

    def acts(self, month: Month) -> list[MonthAct]:
        """Everything proposed for a month and what became of it, earliest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(t.month_act)
                .where(t.month_act.c.month_start_date == month.start_date)
                .order_by(t.month_act.c.act_id)
            ).all()
        return [_act_of(row) for row in rows]

    def after_closing(self, month: Month) -> list[Submission]:
        """What came too late for a closed month: returns filed, or decided on, after its closing; in order.

        Empty for a month that is not closed, and once it is being revised.
        """
        column, decision = t.submission.c, t.decision.c
        with reading(self._engine) as connection:
            bounds = closings(connection).of(month.start_date, month.start_date)
            if not bounds:
                return []
            [bound] = bounds
            decided = select(decision.submission_id).where(
                decision.is_after_closing, decision.decision_id > bound.decision_id
            )
            return submissions_where(
                connection,
                and_(
                    column.kind == FileKind.RETURN.value,
                    column.period_start_date <= month.start_date,
                    column.month_start_date >= month.start_date,
                    or_(
                        and_(column.is_late_revision, column.sequence > bound.sequence),
                        column.submission_id.in_(decided),
                    ),
                ),
            )

    # -- acting ------------------------------------------------------------------------------------

    def propose(
        self, month: Month, act_kind: MonthActKind, reason: str, actor: Actor, *, today: date | None = None
    ) -> MonthAct:
        """Propose an act; it takes effect when another person confirms it. Reopening takes the closed months after
        this one with it (`reopened_with`).

        Raises NotAllowed (clerks and analysts only), CannotChangeMonth.
        """
        _expect_bureau(actor)
        reason = _reason_of(reason, is_needed=True)
        with writing(self._engine) as connection:
            take_the_pen(connection)
            [now] = _standings(connection, [month], today or _today())
            if now.proposal is not None:
                raise CannotChangeMonth(
                    Wording(
                        f"{month:zh}已有待确认的{ACT_NAMES[now.proposal.act_kind].zh}申请（{now.proposal.proposed_by} 提出），"
                        "请先确认或退回该申请。",
                        f"For {month:en}, {ACT_NAMES[now.proposal.act_kind].en} has been proposed by "
                        f"{now.proposal.proposed_by}; that has to be confirmed or declined first.",
                    )
                )
            _expect_passage(now, act_kind)
            _expect_order(connection, now, act_kind)
            act_id = connection.execute(
                insert(t.month_act)
                .values(
                    month_start_date=month.start_date,
                    act_kind=act_kind.value,
                    state="proposed",
                    reason=reason,
                    proposed_by=actor.name,
                    is_proposed_by_analyst=actor.has(Role.ANALYST),
                    proposed_at=datetime.now(UTC),
                )
                .returning(t.month_act.c.act_id)
            ).scalar_one()
            audit.append(
                connection,
                actor,
                f"month.{act_kind.value}_proposed",
                "month",
                str(month),
                new={"act_id": act_id},
                reason=reason,
            )
            return _act_in(connection, act_id)

    def confirm(self, month: Month, actor: Actor, *, reason: str = "", today: date | None = None) -> MonthAct:
        """Confirm what is proposed for a month; it takes effect at once.

        Raises NotAllowed, CannotChangeMonth: nothing is proposed, the actor proposed it, neither of the two is an
        analyst, or the month has moved on meanwhile.
        """
        _expect_bureau(actor)
        reason = _reason_of(reason, is_needed=False)
        with writing(self._engine) as connection:
            sequence = take_the_pen(connection)
            [now] = _standings(connection, [month], today or _today())
            act = _proposal_of(now)
            if is_same_person(actor.name, act.proposed_by):
                raise CannotChangeMonth(
                    Wording(
                        f"{month:zh}的{ACT_NAMES[act.act_kind].zh}由 {act.proposed_by} 提出，须由另一人确认。",
                        f"{act.proposed_by} proposed {ACT_NAMES[act.act_kind].en} {month:en}; another person has to "
                        "confirm it.",
                    )
                )
            if not (act.is_proposed_by_analyst or actor.has(Role.ANALYST)):
                raise CannotChangeMonth(
                    Wording(
                        "提出和确认的两人中至少一人应为分析员。请由分析员确认。",
                        "Of the two, at least one must be an analyst. Please have an analyst confirm it.",
                    )
                )
            _expect_passage(now, act.act_kind)
            _expect_order(connection, now, act.act_kind)
            _settle(connection, act, "confirmed", actor, reason)
            decision_id = connection.execute(select(func.max(t.decision.c.decision_id))).scalar() or 0
            passing = [now]
            if act.act_kind is MonthActKind.REOPEN:
                passing += _standings(connection, _frozen_after(connection, month), today or _today())
            for one in passing:
                _pass_on(connection, one, act.act_kind, sequence, decision_id)
            closed = (
                {"closed_sequence": sequence, "closed_decision_id": decision_id}
                if act.act_kind is MonthActKind.CLOSE
                else {}
            )
            audit.append_many(
                connection,
                actor,
                [
                    audit.NewEntry(
                        f"month.{_DONE[act.act_kind]}",
                        "month",
                        str(one.month),
                        old={"state": one.state.value, "closed_sequence": one.closed_sequence},
                        new={
                            "act_id": act.act_id,
                            "proposed_by": act.proposed_by,
                            "state": _PASSAGES[act.act_kind][1].value,
                            **closed,
                        },
                        reason=reason or act.reason,
                    )
                    for one in passing
                ],
            )
            return _act_in(connection, act.act_id)

    def decline(self, month: Month, reason: str, actor: Actor, *, today: date | None = None) -> MonthAct:
        """Decline what is proposed; its proposer withdraws it by the same call. The month stays as it is."""
        _expect_bureau(actor)
        reason = _reason_of(reason, is_needed=True)
        with writing(self._engine) as connection:
            take_the_pen(connection)
            [now] = _standings(connection, [month], today or _today())
            act = _proposal_of(now)
            outcome = "withdrawn" if is_same_person(actor.name, act.proposed_by) else "declined"
            _settle(connection, act, outcome, actor, reason)
            audit.append(
                connection,
                actor,
                f"month.{act.act_kind.value}_{outcome}",
                "month",
                str(month),
                old={"act_id": act.act_id, "proposed_by": act.proposed_by},
                reason=reason,
            )
            return _act_in(connection, act.act_id)


def standing_in(connection: Connection, month: Month, today: date) -> MonthStanding:
    """Where a month stands, within a transaction."""
    return _standings(connection, [month], today)[0]


def _today() -> date:
    return datetime.now(SHANGHAI).date()


def _standings(connection: Connection, months: list[Month], today: date) -> list[MonthStanding]:
    days = [month.start_date for month in months]
    states = {
        row.month_start_date: row
        for row in connection.execute(select(t.month_state).where(t.month_state.c.month_start_date.in_(days)))
    }
    proposals = {
        row.month_start_date: _act_of(row)
        for row in connection.execute(
            select(t.month_act).where(
                t.month_act.c.month_start_date.in_(days), t.month_act.c.state == "proposed"
            )
        )
    }
    found = []
    for month in months:
        row, proposal = states.get(month.start_date), proposals.get(month.start_date)
        if row is None:
            state = MonthState.COLLECTING if month.end_date < today else MonthState.OPEN
            found.append(MonthStanding(month, state, proposal))
        else:
            found.append(
                MonthStanding(
                    month,
                    MonthState(row.state),
                    proposal,
                    row.closed_sequence,
                    row.closed_decision_id,
                    row.closed_at,
                )
            )
    return found


def _pass_on(
    connection: Connection, now: MonthStanding, act_kind: MonthActKind, sequence: int, decision_id: int
) -> None:
    moment = datetime.now(UTC)
    values: dict[str, Any] = {"state": _PASSAGES[act_kind][1].value, "changed_at": moment}
    if act_kind is MonthActKind.CLOSE:
        values |= {"closed_sequence": sequence, "closed_decision_id": decision_id, "closed_at": moment}
    if now.closed_at is None:
        connection.execute(insert(t.month_state).values(month_start_date=now.month.start_date, **values))
    else:
        connection.execute(
            update(t.month_state)
            .where(t.month_state.c.month_start_date == now.month.start_date)
            .values(**values)
        )


def _settle(connection: Connection, act: MonthAct, outcome: str, actor: Actor, reason: str) -> None:
    connection.execute(
        update(t.month_act)
        .where(t.month_act.c.act_id == act.act_id)
        .values(state=outcome, decided_by=actor.name, decided_at=datetime.now(UTC), decision_reason=reason)
    )


def _expect_bureau(actor: Actor) -> None:
    if not actor.has(*BUREAU):
        raise NotAllowed(
            Wording(
                "月份的结账、发布和重开由市局统计员和分析员办理。",
                "Months are closed, published and reopened by clerks and analysts of the bureau.",
            )
        )


def _expect_passage(now: MonthStanding, act_kind: MonthActKind) -> None:
    before, _ = _PASSAGES[act_kind]
    if now.state in before:
        return
    if now.state is MonthState.OPEN:
        raise CannotChangeMonth(
            Wording(
                f"{now.month:zh}尚未结束，不能{ACT_NAMES[act_kind].zh}。",
                f"{now.month:en} is not over yet; {ACT_NAMES[act_kind].en} it has to wait.",
            )
        )
    wanted_zh = "或".join(f"“{STATE_NAMES[state].zh}”" for state in before)
    wanted_en = " or ".join(STATE_NAMES[state].en for state in before)
    raise CannotChangeMonth(
        Wording(
            f"{now.month:zh}现为“{STATE_NAMES[now.state].zh}”，不能{ACT_NAMES[act_kind].zh}；只有{wanted_zh}的月份可以。",
            f"{now.month:en} is {STATE_NAMES[now.state].en}, so {ACT_NAMES[act_kind].en} it is not possible; the month "
            f"has to be {wanted_en}.",
        )
    )


def _proposal_of(now: MonthStanding) -> MonthAct:
    if now.proposal is None:
        raise CannotChangeMonth(
            Wording(
                f"{now.month:zh}没有待确认的申请（现为“{STATE_NAMES[now.state].zh}”）；可能已被他人处理。",
                f"Nothing is proposed for {now.month:en} (it is {STATE_NAMES[now.state].en}); somebody else may have "
                "dealt with it.",
            )
        )
    return now.proposal


def _reason_of(text: str, *, is_needed: bool) -> str:
    """A reason says something where one is needed; a remark may be as short as it likes. Neither is longer than most."""
    reason = storable_text(text).strip()
    if not is_needed and len(reason) > _MAX_REASON_LENGTH:
        raise CannotChangeMonth(
            Wording(
                f"意见最多 {_MAX_REASON_LENGTH} 个字，现为 {len(reason)} 个字。请缩短，或不填。",
                f"The remark has {len(reason)} characters, at most {_MAX_REASON_LENGTH}. Shorten it, or leave it out.",
            )
        )
    if is_needed and not _MIN_REASON_LENGTH <= len(reason) <= _MAX_REASON_LENGTH:
        raise CannotChangeMonth(
            Wording(
                f"请写明理由（{_MIN_REASON_LENGTH} 至 {_MAX_REASON_LENGTH} 个字）。",
                f"Say why, in {_MIN_REASON_LENGTH} to {_MAX_REASON_LENGTH} characters.",
            )
        )
    return reason


def _act_in(connection: Connection, act_id: int) -> MonthAct:
    return _act_of(connection.execute(select(t.month_act).where(t.month_act.c.act_id == act_id)).one())


def _act_of(row: Row[Any]) -> MonthAct:
    values = dict(row._mapping)
    month = Month.of(values.pop("month_start_date"))
    values["act_kind"] = MonthActKind(values["act_kind"])
    return MonthAct(month=month, **values)


def _frozen_after(connection: Connection, month: Month) -> list[Month]:
    """The closed and published months after this one, in order: what they print rests on it."""
    state = t.month_state.c
    days = connection.execute(
        select(state.month_start_date)
        .where(state.month_start_date > month.start_date, state.state.in_(BINDING))
        .order_by(state.month_start_date)
    ).scalars()
    return [Month.of(day) for day in days]


def _expect_order(connection: Connection, now: MonthStanding, act_kind: MonthActKind) -> None:
    """A closed month's cumulative, its growth and its yearly figures rest on the months before it, so nothing before
    a closed month may change: months are closed in their order, and reopened together with those after them."""
    if act_kind is MonthActKind.PUBLISH:
        return
    later = _frozen_after(connection, now.month)
    if act_kind is MonthActKind.REOPEN:
        _expect_nothing_proposed(_standings(connection, later, _today()), now.month)
        return
    # A month that nobody had filed for may be left out; once a later one is closed, that binds what comes for it.
    if later and now.closed_at is None:
        raise CannotChangeMonth(
            Wording(
                f"{later[0]:zh}已结账，其累计、同比以{now.month:zh}为依据，{now.month:zh}已随之固定，不能另行结账。"
                f"要计入此后收到的报表，请重开{later[0]:zh}。",
                f"{later[0]:en} is closed, its cumulative and growth rest on {now.month:en}, and that stands fast with it: it "
                f"cannot be closed by itself. For returns that came since to count, please reopen {later[0]:en}.",
            )
        )
    column, state = t.submission.c, t.month_state.c
    this, january = now.month.start_date, Month(now.month.year, 1).start_date
    states = {
        row.month_start_date: row.state
        for row in connection.execute(
            select(state.month_start_date, state.state).where(state.month_start_date < this)
        )
    }
    # What lies before the first closing and before this year is history: it stands fast with the first closing.
    filed = connection.execute(
        select(column.month_start_date)
        .where(
            column.kind == FileKind.RETURN.value,
            column.month_start_date >= min([january, *states]),
            column.month_start_date < this,
        )
        .distinct()
    ).scalars()
    revising = {day for day, name in states.items() if name not in BINDING}
    open_ones = sorted(revising | {day for day in filed if day is not None and day not in states})
    if open_ones:
        months = [Month.of(day) for day in open_ones]
        raise CannotChangeMonth(
            Wording(
                f"{'、'.join(f'{month:zh}' for month in months)}已有报送或正在修订，尚未结账；{now.month:zh}的累计和同比以这些月份为依据，"
                "会随之改变。请先将其结账。",
                f"{', '.join(f'{month:en}' for month in months)}: there are returns, or the month is being revised, and it is "
                f"not closed; the cumulative and the growth of {now.month:en} rest on it and would move with it. Please close "
                "it first.",
            )
        )


def _expect_nothing_proposed(standings: list[MonthStanding], month: Month) -> None:
    """A month that is to be reopened with an earlier one waits for nothing else."""
    for one in standings:
        if one.proposal is not None:
            raise CannotChangeMonth(
                Wording(
                    f"重开{month:zh}时一并重开{one.month:zh}，而{one.month:zh}有待确认的{ACT_NAMES[one.proposal.act_kind].zh}申请"
                    f"（{one.proposal.proposed_by} 提出）。请先确认或退回该申请。",
                    f"Reopening {month:en} reopens {one.month:en} with it, for which {ACT_NAMES[one.proposal.act_kind].en} is "
                    f"proposed by {one.proposal.proposed_by}. Please confirm or decline that first.",
                )
            )
