"""`servtrade remind`: whom to remind of a month's return, and the record of each reminder."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.exits import Exit
from pipelines.cli.options import MONTH, common, json_option
from pipelines.cli.stores import acting, ledger_of, ledger_to_read
from pipelines.cli.terminal import Terminal, on_one_line
from pipelines.periods import Month

if TYPE_CHECKING:
    from pipelines.ledger.board import BoardRow

KINDS = ("call", "letter", "message", "visit")  # as the ledger has them; a test compares


@click.command()
@click.argument("month", type=MONTH)
@click.argument("enterprises", nargs=-1)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="call",
    show_default=True,
    help="电话、函、短信或上门 / how they were reminded",
)
@click.option("--to", "spoken_to", default="", help="与谁通话或面谈 / who was spoken to")
@click.option("--note", default="", help="备注 / what was said")
@click.option("--at", "reminded_at", type=click.DateTime(), help="时间，默认为现在 / when; now by default")
@click.option("--by", default=None, help="经手人，默认为当前用户 / who reminded; the current user by default")
@common
@json_option
@click.pass_obj
def remind(
    terminal: Terminal,
    month: Month,
    enterprises: tuple[str, ...],
    kind: str,
    spoken_to: str,
    note: str,
    reminded_at: datetime | None,
    by: str | None,
    as_json: bool,
) -> None:
    """列出某月的催报名单，或记录一次催报。 / List whom to remind for a month, or record a reminder.

    Without ENTERPRISES (credit codes) the list: who has not filed, whose return was sent back or waits for an answer,
    with contact and last reminder; whose return came after the month was closed is marked. A record is never changed or
    deleted.
    """
    if not enterprises:
        _list(terminal, month, as_json=as_json)
        return
    from pipelines.ledger import SHANGHAI, UnknownEnterprise
    from pipelines.ledger.reminders import ReminderKind

    moment = reminded_at.replace(tzinfo=SHANGHAI) if reminded_at else None
    with ledger_of(terminal.settings) as ledger:
        try:
            done = ledger.reminders.record(
                [code.strip().upper() for code in enterprises],
                month,
                ReminderKind(kind),
                acting(by),
                reminded_at=moment,
                spoken_to=spoken_to,
                note=note,
            )
        except UnknownEnterprise as error:
            raise terminal.fail(Exit.USAGE, "unknown_enterprise", code=on_one_line(str(error))) from error
    if as_json:
        terminal.json({"month": str(month), "recorded": [one.reminder_id for one in done]})
    else:
        terminal.note(terminal.word("reminded", month=str(month), count=len(done)))


def _list(terminal: Terminal, month: Month, *, as_json: bool) -> None:
    from pipelines.ledger.board import BoardFilter, ReturnState

    open_states = frozenset({ReturnState.NOT_FILED, ReturnState.RETURNED, ReturnState.QUERIED})
    settings = terminal.settings
    with ledger_to_read(settings) as ledger:
        board = ledger.board.look(
            month,
            acting(None),
            BoardFilter(states=open_states),
            deadline_day=settings.filing_deadline_day,
            page_size=None,
        )
    if as_json:
        terminal.json(
            {
                "month": str(month),
                "state": board.standing.state.value,
                "deadline": board.deadline.isoformat(),
                "days_left": board.days_left,
                "counts": [_counts_json(one) for one in (board.total, *board.districts)],
                "enterprises": [_row_json(row) for row in board.rows],
            }
        )
        return
    terminal.note(
        terminal.word(
            "board_head",
            month=str(month),
            deadline=board.deadline.isoformat(),
            days=board.days_left,
            expected=board.total.expected_count,
            accepted=board.total.accepted_count,
        )
    )
    terminal.table(
        [
            terminal.pick("区", "district"),
            terminal.pick("统一社会信用代码", "enterprise code"),
            terminal.pick("单位名称", "name"),
            terminal.pick("状态", "state"),
            terminal.pick("联系人", "contact"),
            terminal.pick("电话", "telephone"),
            terminal.pick("催报次数", "reminders"),
            terminal.pick("最近催报", "last reminded"),
        ],
        [
            [
                row.district_code,
                row.enterprise_code,
                on_one_line(row.enterprise_name),
                terminal.word("state_moved_on", state=terminal.word(f"state_{row.state.value}"))
                if row.has_late_revision
                else terminal.word(f"state_{row.state.value}"),
                on_one_line(row.contact),
                on_one_line(row.phone),
                row.reminder_count or "",
                f"{row.last_reminder.reminded_at:%Y-%m-%d}" if row.last_reminder else "",
            ]
            for row in board.rows
        ],
        right={6},
    )


def _counts_json(counts: Any) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in counts.__slots__}


def _row_json(row: BoardRow) -> dict[str, Any]:
    return {
        "enterprise_code": row.enterprise_code,
        "enterprise_name": row.enterprise_name,
        "district_code": row.district_code,
        "enterprise_class": row.enterprise_class.value,
        "state": row.state.value,
        "submission_id": row.submission_id or None,
        "has_late_revision": row.has_late_revision,
        "contact": row.contact,
        "phone": row.phone,
        "reminder_count": row.reminder_count,
        "last_reminded_at": row.last_reminder.reminded_at.isoformat() if row.last_reminder else None,
    }
