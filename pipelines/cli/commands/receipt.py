"""`servtrade receipt`: the receipt of a filing, as a PDF to print or hand over."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipelines.cli.commands.confirm import find_submission
from pipelines.cli.options import common, json_option
from pipelines.cli.stores import ledger_to_read
from pipelines.cli.terminal import Terminal, write_new


@click.command()
@click.argument("submission")
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    default=None,
    help="文件名，默认为 回执_回执号.pdf；- 为标准输出 / file to write; - for stdout",
)
@click.option("--force", is_flag=True, help="覆盖已有文件 / overwrite the file")
@common
@json_option
@click.pass_obj
def receipt(terminal: Terminal, submission: str, out: Path | None, force: bool, as_json: bool) -> None:
    """生成一份报送的回执（PDF）。 / Write the receipt of a filing as a PDF.

    SUBMISSION is the number of the receipt (2020-12-000123) or the id of the submission; of the id, its beginning
    suffices where it is unique. The same filing gives the same bytes each time. With --json the facts of the receipt
    are given instead, and no file unless --out says so.
    """
    from pipelines.ledger import UnknownSubmission
    from pipelines.reception.receipt import receipt_of, receipt_pdf

    with ledger_to_read(terminal.settings) as ledger:
        try:
            found = receipt_of(ledger, submission)
        except UnknownSubmission:
            found = receipt_of(ledger, find_submission(terminal, ledger, submission))
    if as_json:
        terminal.json(found.as_json())
        if out is None:
            return
    if out is not None and str(out) == "-":
        sys.stdout.buffer.write(receipt_pdf(found))
        sys.stdout.buffer.flush()
        return
    target = out if out is not None else Path(f"回执_{found.number}.pdf")
    write_new(target, receipt_pdf(found), force=force, terminal=terminal)
    if not as_json:
        terminal.result(str(target))
