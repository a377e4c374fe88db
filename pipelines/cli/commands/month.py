"""`servtrade month`: where a month stands, and its passage from collecting to closed, published and revised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import MONTH, common, json_ahead, json_option
from pipelines.cli.stores import acting, ledger_of, ledger_to_read
from pipelines.cli.terminal import Terminal
from pipelines.cli.words import moment
from pipelines.periods import Month, listed_months

if TYPE_CHECKING:
    from pipelines.ledger import Submission
    from pipelines.ledger.months import MonthAct, MonthActKind, MonthStanding

_by = click.option(
    "--by", default=None, help="由谁办理，默认为当前用户 / who does this; the current user by default"
)
_reason = click.option("--reason", required=True, help="理由，会记入账本 / why; kept in the ledger")
_month = click.argument("month", type=MONTH)


@click.group()
@common
@json_ahead
def month() -> None:
    """月份的结账、发布与重开，由两人办理。 / Closing, publishing and reopening months; each takes two people.

    One proposes (close, publish, reopen), another confirms or declines; at least one of the two is an analyst. After
    the closing what is filed or decided is kept as a late revision and changes no figure until the month is reopened.
    """


@month.command()
@click.argument("month", type=MONTH, required=False)
@common
@json_option
@click.pass_obj
def show(terminal: Terminal, month: Month | None, as_json: bool) -> None:
    """显示月份的状态、待确认的申请和结账后的更正。 / Where months stand, what is proposed, what came after closing."""
    from pipelines.ledger.months import ACT_NAMES, STATE_NAMES

    with ledger_to_read(terminal.settings) as ledger:
        months = [month] if month is not None else ledger.filed_months(only_standing=True)
        standings = ledger.months.standings(months)
        acts = {one.month: ledger.months.acts(one.month) for one in standings} if month else {}
        late = {one.month: ledger.months.after_closing(one.month) for one in standings}
    if as_json:
        terminal.json(
            {
                "months": [
                    _standing_json(one, late[one.month])
                    | ({"acts": [_act_json(act) for act in acts[one.month]]} if one.month in acts else {})
                    for one in standings
                ]
            }
        )
        return
    terminal.table(
        [
            terminal.pick("月份", "month"),
            terminal.pick("状态", "state"),
            terminal.pick("结账时间", "closed at"),
            terminal.pick("结账后的更正", "late revisions"),
            terminal.pick("待确认", "proposed"),
        ],
        [
            [
                str(one.month),
                terminal.pick(STATE_NAMES[one.state].zh, STATE_NAMES[one.state].en),
                moment(one.closed_at),
                len(late[one.month]) or "",
                _proposal_text(terminal, one, ACT_NAMES),
            ]
            for one in standings
        ],
        right={3},
    )
    for act in acts.get(month, []) if month else []:
        terminal.result(
            f"  {moment(act.proposed_at)}  "
            f"{terminal.pick(ACT_NAMES[act.act_kind].zh, ACT_NAMES[act.act_kind].en)}  {act.proposed_by} → "
            f"{act.decided_by or '…'}  {terminal.word(f'act_{act.state}')}  {act.reason}"
        )


@month.command()
@_month
@_reason
@_by
@common
@json_option
@click.pass_obj
def close(terminal: Terminal, month: Month, reason: str, by: str | None, as_json: bool) -> None:
    """提出结账；由另一人确认后生效。 / Propose to close a month; another person confirms it."""
    from pipelines.ledger.months import MonthActKind

    _propose(terminal, month, MonthActKind.CLOSE, reason, by, as_json=as_json)


@month.command()
@_month
@_reason
@_by
@common
@json_option
@click.pass_obj
def publish(terminal: Terminal, month: Month, reason: str, by: str | None, as_json: bool) -> None:
    """提出将已结账的月份标为已发布。 / Propose to mark a closed month as published."""
    from pipelines.ledger.months import MonthActKind

    _propose(terminal, month, MonthActKind.PUBLISH, reason, by, as_json=as_json)


@month.command()
@_month
@_reason
@_by
@common
@json_option
@click.pass_obj
def reopen(terminal: Terminal, month: Month, reason: str, by: str | None, as_json: bool) -> None:
    """提出重开修订；确认后，结账后收到的更正计入该月。 / Propose to reopen a month, so that late revisions count."""
    from pipelines.ledger.months import MonthActKind

    _propose(terminal, month, MonthActKind.REOPEN, reason, by, as_json=as_json)


@month.command()
@_month
@click.option("--reason", default="", help="补充说明 / a remark")
@_by
@common
@json_option
@click.pass_obj
def confirm(terminal: Terminal, month: Month, reason: str, by: str | None, as_json: bool) -> None:
    """确认他人提出的申请，立即生效。 / Confirm what another person proposed; it takes effect at once."""
    with ledger_of(terminal.settings) as ledger:
        act = ledger.months.confirm(month, acting(by), reason=reason)
        standing = ledger.months.standing(month)
    _tell(terminal, act, standing, "month_confirmed", as_json=as_json)


@month.command()
@_month
@_reason
@_by
@common
@json_option
@click.pass_obj
def decline(terminal: Terminal, month: Month, reason: str, by: str | None, as_json: bool) -> None:
    """退回申请；提出人本人则为撤回。 / Decline what is proposed; whoever proposed it withdraws it so."""
    with ledger_of(terminal.settings) as ledger:
        act = ledger.months.decline(month, reason, acting(by))
        standing = ledger.months.standing(month)
    _tell(terminal, act, standing, "month_declined", as_json=as_json)


def _propose(
    terminal: Terminal, month: Month, kind: MonthActKind, reason: str, by: str | None, *, as_json: bool
) -> None:
    from pipelines.ledger.months import MonthActKind

    with ledger_of(terminal.settings) as ledger:
        act = ledger.months.propose(month, kind, reason, acting(by))
        standing = ledger.months.standing(month)
        with_it = ledger.months.reopened_with(month) if kind is MonthActKind.REOPEN else []
    _tell(terminal, act, standing, "month_proposed", as_json=as_json)
    if with_it and not as_json:
        listed = terminal.pick(listed_months(with_it, "zh"), listed_months(with_it, "en"))
        terminal.note(terminal.word("month_reopened_with", month=str(month), months=listed))


def _tell(terminal: Terminal, act: MonthAct, now: MonthStanding, word: str, *, as_json: bool) -> None:
    from pipelines.ledger.months import ACT_NAMES, STATE_NAMES

    if as_json:
        terminal.json({"act": _act_json(act), **_standing_json(now, [])})
        return
    name, state = ACT_NAMES[act.act_kind], STATE_NAMES[now.state]
    terminal.note(
        terminal.word(
            word,
            month=str(act.month),
            act=terminal.pick(name.zh, name.en),
            state=terminal.pick(state.zh, state.en),
            by=act.proposed_by,
        )
    )


def _proposal_text(terminal: Terminal, one: MonthStanding, names: Any) -> str:
    if one.proposal is None:
        return ""
    name = names[one.proposal.act_kind]
    return f"{terminal.pick(name.zh, name.en)} ({one.proposal.proposed_by})"


def _standing_json(one: MonthStanding, late: list[Submission]) -> dict[str, Any]:
    return {
        "month": str(one.month),
        "state": one.state.value,
        "closed_at": one.closed_at.isoformat() if one.closed_at else None,
        "closed_sequence": one.closed_sequence,
        "proposal": _act_json(one.proposal) if one.proposal else None,
        "after_closing": [submission.submission_id for submission in late],
    }


def _act_json(act: MonthAct) -> dict[str, Any]:
    return {
        "act": act.act_kind.value,
        "state": act.state,
        "reason": act.reason,
        "proposed_by": act.proposed_by,
        "proposed_at": act.proposed_at.isoformat(),
        "decided_by": act.decided_by,
        "decided_at": act.decided_at.isoformat() if act.decided_at else None,
        "decision_reason": act.decision_reason,
    }
