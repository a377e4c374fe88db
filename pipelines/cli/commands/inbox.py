"""`servtrade inbox`: take in what lies in the inbox folder, as the sensor does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli.commands.files import exit_code_of, summary
from pipelines.cli.exits import Exit
from pipelines.cli.options import common, json_ahead, json_option
from pipelines.cli.stores import expect_data_folder, ledger_of, person
from pipelines.cli.terminal import Terminal

if TYPE_CHECKING:
    from pipelines.reception import FileResult


@click.group()
@common
@json_ahead
def inbox() -> None:
    """收件夹（内网共享文件夹）。 / The inbox, a folder on the intranet."""


@inbox.command()
@common
@json_option
@click.pass_obj
def receive(terminal: Terminal, as_json: bool) -> None:
    """收取收件夹中的文件。 / Take in the files that lie in the inbox.

    Files still being copied are left for the next time. Exit codes as for `submit`; 0 when nothing was there.
    """
    from pipelines.reception import receive_inbox, waiting_files

    settings = terminal.settings
    expect_data_folder(settings)
    settings.inbox_dir.mkdir(parents=True, exist_ok=True)
    results: list[FileResult] = []
    waiting_count = len(waiting_files(settings))
    if waiting_count:
        with (
            ledger_of(settings) as ledger,
            terminal.progress(terminal.word("submitting"), waiting_count) as advance,
        ):
            results = receive_inbox(
                settings, ledger, received_by=person(), progress=lambda so_far: advance(so_far.recorded_count)
            )
    left = len(waiting_files(settings))
    if as_json:
        terminal.json(
            {
                "summary": summary(results),
                "left_in_inbox": left,
                "files": [result.as_json() for result in results],
            }
        )
    elif not results:
        terminal.note(terminal.word("inbox_empty", path=settings.inbox_dir))
    else:
        terminal.note(terminal.word("summary_files", **summary(results)))
        terminal.note(terminal.word("inbox_done", count=len(results), path=settings.inbox_dir / "processed"))
    raise click.exceptions.Exit(exit_code_of(result.verdict for result in results) if results else Exit.OK)
