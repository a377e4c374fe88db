"""催报: who was reminded of a month's return, when, how, by whom, and what was said.

A record of what happened is only added to; what was noted wrongly is noted once more. Whom to remind is in `board`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select

from pipelines.findings import Wording
from pipelines.ledger import audit
from pipelines.ledger import tables as t
from pipelines.ledger.actors import BUREAU, Actor, NotAllowed, Role
from pipelines.ledger.engine import reading, writing
from pipelines.ledger.pen import take_the_pen
from pipelines.ledger.register import seen_by
from pipelines.ledger.shapes import CannotRemind, UnknownEnterprise
from pipelines.periods import Month
from pipelines.records import storable_text

_MAX_NAME_LENGTH = 100
_MAX_NOTE_LENGTH = 1_000
_CLOCK_TOLERANCE = timedelta(minutes=5)


class ReminderKind(StrEnum):
    """How somebody was reminded."""

    CALL = "call"  # 电话
    LETTER = "letter"  # 函
    MESSAGE = "message"  # 短信、微信、邮件
    VISIT = "visit"  # 上门


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder as it was noted."""

    reminder_id: int
    month: Month
    enterprise_code: str
    reminder_kind: ReminderKind
    reminded_at: datetime
    spoken_to: str
    phone: str
    note: str
    recorded_by: str
    recorded_at: datetime


class Reminders:
    """The reminders of one ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(
        self,
        enterprise_codes: Iterable[str],
        month: Month,
        reminder_kind: ReminderKind,
        actor: Actor,
        *,
        reminded_at: datetime | None = None,
        spoken_to: str = "",
        phone: str = "",
        note: str = "",
    ) -> list[Reminder]:
        """Note a reminder of one or many enterprises (a letter goes to all that are late); all of them or none.

        `reminded_at` None: now. `phone` empty: that of the register. Bureau for all, a district reviewer for the
        own district. Raises NotAllowed, UnknownEnterprise, CannotRemind (a call or visit without the person spoken
        to, a moment to come, nobody named).
        """
        codes = list(dict.fromkeys(enterprise_codes))
        if not actor.has(Role.DISTRICT_REVIEWER, *BUREAU):
            raise NotAllowed(
                Wording(
                    "催报由商务部门工作人员办理。", "Reminders are recorded by the bureau and the districts."
                )
            )
        now = datetime.now(UTC)
        moment = reminded_at or now
        spoken_to = storable_text(spoken_to).strip()[:_MAX_NAME_LENGTH]
        _expect_complete(codes, reminder_kind, spoken_to, moment, now)
        with writing(self._engine) as connection:
            take_the_pen(connection)
            phones = dict(
                connection.execute(
                    select(t.enterprise.c.enterprise_code, t.enterprise.c.phone).where(
                        t.enterprise.c.enterprise_code.in_(codes), seen_by(actor, month.start_date)
                    )
                ).all()
            )
            unknown = [code for code in codes if code not in phones]
            if unknown:
                raise UnknownEnterprise(unknown[0])
            ids = [
                connection.execute(
                    insert(t.reminder)
                    .values(
                        month_start_date=month.start_date,
                        enterprise_code=code,
                        reminder_kind=reminder_kind.value,
                        reminded_at=moment,
                        spoken_to=spoken_to,
                        phone=storable_text(phone).strip()[:_MAX_NAME_LENGTH] or phones[code],
                        note=storable_text(note).strip()[:_MAX_NOTE_LENGTH],
                        recorded_by=actor.name,
                        recorded_at=now,
                    )
                    .returning(t.reminder.c.reminder_id)
                ).scalar_one()
                for code in codes
            ]
            audit.append_many(
                connection,
                actor,
                [
                    audit.NewEntry(
                        "reminder.recorded",
                        "enterprise",
                        code,
                        new={
                            "reminder_id": reminder_id,
                            "month": str(month),
                            "kind": reminder_kind.value,
                            "reminded_at": moment,
                            "spoken_to": spoken_to,
                        },
                        reason=storable_text(note).strip()[:_MAX_NOTE_LENGTH],
                    )
                    for code, reminder_id in zip(codes, ids, strict=True)
                ],
            )
            return _reminders(connection, ids)

    def of(self, enterprise_code: str, actor: Actor, *, month: Month | None = None) -> list[Reminder]:
        """Reminders of one enterprise, latest first. Raises UnknownEnterprise also where it is not the actor's."""
        column = t.reminder.c
        with reading(self._engine) as connection:
            is_seen = connection.execute(
                select(t.enterprise.c.enterprise_code).where(
                    t.enterprise.c.enterprise_code == enterprise_code,
                    seen_by(actor, month.start_date if month else None),
                )
            ).first()
            if is_seen is None:
                raise UnknownEnterprise(enterprise_code)
            query = select(t.reminder).where(column.enterprise_code == enterprise_code)
            if month is not None:
                query = query.where(column.month_start_date == month.start_date)
            rows = connection.execute(query.order_by(column.reminded_at.desc(), column.reminder_id.desc()))
            return [_reminder_of(row) for row in rows]


def last_reminders(connection: Connection, reminder_ids: Iterable[int]) -> dict[str, Reminder]:
    """These reminders by enterprise."""
    return {one.enterprise_code: one for one in _reminders(connection, list(reminder_ids))}


def _expect_complete(
    codes: list[str], kind: ReminderKind, spoken_to: str, moment: datetime, now: datetime
) -> None:
    if not codes:
        raise CannotRemind(Wording("请选择要催报的企业。", "Choose the enterprises that were reminded."))
    if kind in (ReminderKind.CALL, ReminderKind.VISIT) and not spoken_to:
        raise CannotRemind(
            Wording(
                "请写明与谁通话或面谈；无人接听请写“无人接听”。",
                "Say who was spoken to; write “no answer” where nobody was.",
            )
        )
    if moment.tzinfo is None or moment > now + _CLOCK_TOLERANCE:
        raise CannotRemind(
            Wording("催报时间不能晚于现在。", "The time of a reminder cannot lie in the future.")
        )


def _reminders(connection: Connection, reminder_ids: list[int]) -> list[Reminder]:
    rows = connection.execute(
        select(t.reminder)
        .where(t.reminder.c.reminder_id.in_(reminder_ids))
        .order_by(t.reminder.c.reminder_id)
    )
    return [_reminder_of(row) for row in rows]


def _reminder_of(row: Row[Any]) -> Reminder:
    values = dict(row._mapping)
    month = Month.of(values.pop("month_start_date"))
    values["reminder_kind"] = ReminderKind(values["reminder_kind"])
    return Reminder(month=month, **values)
