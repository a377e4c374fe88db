"""`servtrade rebuild`: the warehouse once more from the stores; with --lines also the lines from the originals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import click

from pipelines.cli.commands.run import WAIT_SECONDS, compute, report
from pipelines.cli.exits import Exit
from pipelines.cli.options import common, json_option
from pipelines.cli.stores import ledger_to_read
from pipelines.cli.terminal import Terminal
from pipelines.periods import Month
from pipelines.records import judgement_of

if TYPE_CHECKING:
    from pipelines.ledger import Submission
    from pipelines.settings import Settings


@click.command()
@click.option(
    "--lines", is_flag=True, help="连原始文件也重新读取 / read the original workbooks again as well"
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=WAIT_SECONDS,
    show_default=True,
    help="数据仓库被占用时等待的秒数 / seconds to wait while another run holds the warehouse",
)
@common
@json_option
@click.pass_obj
def rebuild(terminal: Terminal, lines: bool, wait: float, as_json: bool) -> None:
    """删除数据仓库，由原件、账本和参考表重建全部月份。

    Delete the warehouse, a cache, and compute every month again from the stores. The tables come out as they
    were, byte for byte, unless rules, queries or reference tables have changed meanwhile. With --lines the
    cells are read again from the originals first; verdicts stay as they were given.
    """
    from pipelines.warehouse.connection import discard

    settings = terminal.settings
    with ledger_to_read(settings) as ledger:
        known = ledger.filed_months(only_standing=True)
        submissions = ledger.submissions() if lines else []
    if not known:
        raise terminal.fail(Exit.USAGE, "run_no_months")
    if lines:
        files, changed = read_originals_again(terminal, settings, submissions)
        terminal.note(terminal.word("reread", files=files, changed=changed))
    terminal.note(terminal.word("rebuilding"))
    discard(settings, wait_seconds=wait)
    outcome = compute(terminal, settings, list(Month.span(known[0], known[-1])), wait_seconds=wait)
    report(terminal, settings, outcome, as_json=as_json)
    raise click.exceptions.Exit(Exit.DATA_ERRORS if outcome.held else Exit.OK)


def read_originals_again(
    terminal: Terminal, settings: Settings, submissions: list[Submission]
) -> tuple[int, int]:
    """Write every file of the lines store anew from the originals: (files read, lines files that came out otherwise).

    A lines file comes out otherwise when it was damaged, or when the reader has learnt something since.
    """
    from pipelines.intake import ReaderPool
    from pipelines.stores import Lines, Originals, lines_table

    originals, lines = Originals(settings.originals_dir), Lines(settings.lines_dir)
    by_file: dict[str, list[Submission]] = defaultdict(list)
    for one in submissions:
        if one.lines_file:
            by_file[one.lines_file].append(one)
    total = sum(len(members) for members in by_file.values())
    files_read = changed = 0
    with (
        ReaderPool(settings.reader_count) as pool,
        terminal.progress(terminal.word("rereading"), total) as advance,
    ):
        for lines_file, members in sorted(by_file.items()):
            path = settings.lines_dir / lines_file
            before = path.read_bytes() if path.exists() else b""
            read = pool.read_many((one.file_name, originals.get(one.sha256)) for one in members)
            parsed = [
                replace(each, judgement=judgement_of(one.sha256, one.submission_id))
                for one, each in zip(members, read, strict=True)
            ]
            lines.write(PurePosixPath(lines_file).stem, lines_table(parsed))
            changed += path.read_bytes() != before
            files_read += len(members)
            advance(files_read)
    return files_read, changed
