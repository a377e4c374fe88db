"""`servtrade confirm`: somebody looked at the queries of a return and says why the figures are right."""

from __future__ import annotations

import click

from pipelines.cli.exits import Exit
from pipelines.cli.options import common, json_option
from pipelines.cli.stores import ledger_of, ledger_to_read, person
from pipelines.cli.terminal import Terminal

MIN_REASON_LENGTH = 5  # as the ledger wants it; a test compares


@click.command()
@click.argument("submission")
@click.option("--reason", required=True, help="核实的理由，会记入账本 / why it is right; kept in the ledger")
@click.option("--by", default=None, help="核实人，默认为当前用户 / who confirms; the current user by default")
@common
@json_option
@click.pass_obj
def confirm(terminal: Terminal, submission: str, reason: str, by: str | None, as_json: bool) -> None:
    """核实一份有疑问的报送，使其计入统计。 / Accept a return that was held back by queries.

    SUBMISSION is the id that `check`, `submit` and `status --month` show; its beginning suffices where it is
    unique. Errors cannot be confirmed away: such a return is corrected and filed again.
    """
    if len(reason.strip()) < MIN_REASON_LENGTH:
        raise terminal.fail(Exit.USAGE, "short_reason", count=MIN_REASON_LENGTH)
    wanted = submission.strip().lower()
    with ledger_to_read(terminal.settings) as ledger:
        matches = [one for one in ledger.submissions() if one.submission_id.startswith(wanted)]
        if not matches or not wanted:
            raise terminal.fail(Exit.USAGE, "unknown_submission", submission=submission)
        if len(matches) > 1:
            raise terminal.fail(Exit.USAGE, "ambiguous_submission", submission=submission)
    with ledger_of(terminal.settings) as ledger:
        confirmed = ledger.confirm(matches[0].submission_id, reason, by or person())
    month = f"{confirmed.month_start_date:%Y-%m}" if confirmed.month_start_date else ""
    if as_json:
        terminal.json(
            {
                "submission_id": confirmed.submission_id,
                "enterprise_code": confirmed.enterprise_code,
                "reference_month": month,
                "status": confirmed.status.value,
            }
        )
        return
    terminal.note(
        terminal.word(
            "confirmed",
            submission=confirmed.submission_id,
            name=confirmed.enterprise_name or confirmed.department,
            month=month,
        )
    )
