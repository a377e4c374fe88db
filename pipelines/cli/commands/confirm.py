"""`servtrade confirm`, `explain` and `return`: what people say and decide about a return that was filed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.exits import Exit
from pipelines.cli.options import common, json_option
from pipelines.cli.stores import acting, ledger_of, ledger_to_read
from pipelines.cli.terminal import Terminal, on_one_line

if TYPE_CHECKING:
    from pipelines.ledger import Ledger, Submission
    from pipelines.ledger.explanations import Query

MIN_REASON_LENGTH = 5  # as the ledger wants it; a test compares

_STILL_QUERIED, _WAITS = "still_queried", "waits_for_reviewer"

_by = click.option(
    "--by", default=None, help="由谁办理，默认为当前用户 / who does this; the current user by default"
)


@click.command()
@click.argument("submission")
@click.option("--reason", required=True, help="核实的理由，会记入账本 / why it is right; kept in the ledger")
@_by
@common
@json_option
@click.pass_obj
def confirm(terminal: Terminal, submission: str, reason: str, by: str | None, as_json: bool) -> None:
    """核实一份有疑问的报送，使其计入统计。 / Accept a return that was held back by queries.

    SUBMISSION is the id that `check`, `submit` and `status --month` show; its beginning suffices where it is
    unique. Errors cannot be confirmed away: such a return is corrected and filed again. Never by whoever filed or
    explained it.
    """
    _expect_reason(terminal, reason)
    with ledger_to_read(terminal.settings) as ledger:
        submission_id = find_submission(terminal, ledger, submission)
    with ledger_of(terminal.settings) as ledger:
        confirmed = ledger.reviews.confirm(submission_id, reason, acting(by))
    _tell(terminal, confirmed, "confirmed", as_json=as_json)


@click.command(name="return")
@click.argument("submission")
@click.option("--reason", default="", help="退回意见 / what the enterprise is to do")
@click.option(
    "--with-findings", is_flag=True, help="在意见前列出各条审核意见 / list its findings before the reason"
)
@click.option("--withdraw", is_flag=True, help="撤销退回 / take a sending back back")
@_by
@common
@json_option
@click.pass_obj
def send_back(
    terminal: Terminal,
    submission: str,
    reason: str,
    with_findings: bool,
    withdraw: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """退回一份报送，请企业更正后重报。 / Send a return back to be corrected and filed again.

    The enterprise sees the reason first. Never by whoever filed or explained it. What had been accepted before holds
    until the return is filed again.
    """
    if withdraw and with_findings:
        raise click.UsageError("--withdraw 与 --with-findings 不能同用 / do not go together")
    if not with_findings:
        _expect_reason(terminal, reason)
    with ledger_to_read(terminal.settings) as ledger:
        submission_id = find_submission(terminal, ledger, submission)
        queries = ledger.explanations.queries(submission_id) if with_findings else []
    text = _composed(terminal, queries, reason) if with_findings else reason
    with ledger_of(terminal.settings) as ledger:
        act = ledger.reviews.withdraw_return if withdraw else ledger.reviews.send_back
        done = act(submission_id, text, acting(by))
    _tell(terminal, done, "return_withdrawn" if withdraw else "returned", as_json=as_json)


@click.command()
@click.argument("submission")
@click.option(
    "--answer",
    "answers",
    nargs=2,
    type=(click.IntRange(min=1), str),
    multiple=True,
    help="第几条，及其说明；可重复 / number of a finding and its explanation; may be repeated",
)
@click.option(
    "--all", "for_all", default="", help="同一说明用于全部待说明的疑问 / one explanation for every open query"
)
@click.option("--accept", is_flag=True, help="审核人采纳说明 / a reviewer takes the explanations")
@click.option("--refuse", default="", help="审核人不采纳，并写明理由 / a reviewer refuses them, and says why")
@click.option(
    "--finding",
    "findings",
    type=click.IntRange(min=1),
    multiple=True,
    help="只涉及第几条；可重复 / only these findings; may be repeated",
)
@_by
@common
@json_option
@click.pass_obj
def explain(
    terminal: Terminal,
    submission: str,
    answers: tuple[tuple[int, str], ...],
    for_all: str,
    accept: bool,
    refuse: str,
    findings: tuple[int, ...],
    by: str | None,
    as_json: bool,
) -> None:
    """说明一份报送中的疑问，或审核这些说明。 / Explain the queries of a return, or review its explanations.

    Without options its findings are listed with their numbers. A return whose last query is explained is accepted and
    waits for a reviewer, who is neither who filed nor who explained it, to look at the explanations. Where one was
    refused, or the return was sent back before, it waits for the reviewer first. Nobody explains here what the same
    name filed. Errors cannot be explained.
    """
    from pipelines.ledger.explanations import Origin

    if sum(map(bool, (answers or for_all, accept, refuse))) > 1:
        raise click.UsageError(
            "--answer/--all、--accept、--refuse 每次只用一种 / use one of --answer or --all, --accept, --refuse"
        )
    with ledger_to_read(terminal.settings) as ledger:
        submission_id = find_submission(terminal, ledger, submission)
        queries = ledger.explanations.queries(submission_id)
    if not (answers or for_all or accept or refuse):
        _list_queries(terminal, submission_id, queries, as_json=as_json)
        return
    with ledger_of(terminal.settings) as ledger:
        actor, wanted = acting(by), list(findings) or None
        if accept:
            done = ledger.explanations.accept(submission_id, actor, ordinals=wanted)
        elif refuse:
            done = ledger.explanations.refuse(submission_id, refuse, actor, ordinals=wanted)
        else:
            reasons = {
                query.ordinal: for_all
                for query in queries
                if for_all and query.is_open and (wanted is None or query.ordinal in wanted)
            } | dict(answers)
            done = ledger.explanations.explain(submission_id, reasons, actor, Origin.CLI)
        still_open = [query for query in ledger.explanations.queries(submission_id) if query.is_open]
    has_its_answers = all(query.explanation and query.explanation.is_standing for query in still_open)
    word = "explanation_accepted" if accept else "explanation_refused" if refuse else "explained"
    _tell(terminal, done, word, as_json=as_json, open_word=_WAITS if has_its_answers else _STILL_QUERIED)


def find_submission(terminal: Terminal, ledger: Ledger, text: str) -> str:
    """The id that begins as a person typed it. Raises CommandFailed (usage) for none and for several."""
    wanted = text.strip().lower()
    matches = ledger.ids_beginning(wanted) if wanted else []
    if not matches:
        raise terminal.fail(Exit.USAGE, "unknown_submission", submission=on_one_line(text))
    if len(matches) > 1:
        raise terminal.fail(Exit.USAGE, "ambiguous_submission", submission=on_one_line(text))
    return matches[0]


def _expect_reason(terminal: Terminal, reason: str) -> None:
    if len(reason.strip()) < MIN_REASON_LENGTH:
        raise terminal.fail(Exit.USAGE, "short_reason", count=MIN_REASON_LENGTH)


def _composed(terminal: Terminal, queries: list[Query], reason: str) -> str:
    from pipelines.cli.words import said
    from pipelines.findings import Severity
    from pipelines.validation.return_texts import return_text

    wanted = [
        query.finding for query in queries if query.is_open or query.finding.severity is Severity.CRITICAL
    ]
    return said(return_text(wanted, reason), terminal.language)


def _list_queries(terminal: Terminal, submission_id: str, queries: list[Query], *, as_json: bool) -> None:
    if as_json:
        terminal.json({"submission_id": submission_id, "findings": [_query_json(query) for query in queries]})
        return
    if not queries:
        terminal.note(terminal.word("no_findings", submission=submission_id))
    for query in queries:
        mark = "?" if query.is_open else " "
        message = terminal.pick(query.finding.message.zh, query.finding.message.en)
        terminal.result(f"{mark} {query.ordinal:>3}. {message}")
        if query.explanation is not None:
            terminal.result(
                "       "
                + terminal.word(
                    f"answer_{query.explanation.state}",
                    by=query.explanation.given_by,
                    reason=query.explanation.reason,
                    review=query.explanation.review_reason,
                )
            )


def _query_json(query: Query) -> dict[str, Any]:
    said = query.explanation
    return {
        "number": query.ordinal,
        "is_open": query.is_open,
        **query.finding.as_json(),
        "answer": None
        if said is None
        else {
            "reason": said.reason,
            "given_by": said.given_by,
            "given_at": said.given_at.isoformat(),
            "origin": said.origin.value,
            "state": said.state,
            "reviewed_by": said.reviewed_by,
            "review_reason": said.review_reason,
        },
    }


def _tell(
    terminal: Terminal, one: Submission, word: str, *, as_json: bool, open_word: str = _STILL_QUERIED
) -> None:
    month = f"{one.month_start_date:%Y-%m}" if one.month_start_date else ""
    if as_json:
        terminal.json(
            {
                "submission_id": one.submission_id,
                "enterprise_code": one.enterprise_code,
                "reference_month": month,
                "status": one.status.value,
                "is_returned": one.is_returned,
                "counts": one.is_current_accepted,
            }
        )
        return
    terminal.note(
        terminal.word(
            word, submission=one.submission_id, name=one.enterprise_name or one.department, month=month
        )
    )
    if one.is_latest_accepted and not one.is_current_accepted:
        terminal.note(terminal.word("counts_later", month=month))
    elif one.status.value == "queries":
        terminal.note(terminal.word(open_word, submission=one.submission_id))
