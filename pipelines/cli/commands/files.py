"""`servtrade check` and `servtrade submit`: files through the one door, without and with writing."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.exits import Exit
from pipelines.cli.options import common, json_option
from pipelines.cli.stores import ledger_of, person
from pipelines.cli.terminal import SCHEMA_VERSION, Terminal
from pipelines.cli.words import VERDICTS, said
from pipelines.findings import Severity, Verdict

if TYPE_CHECKING:
    from pipelines.reception import FileResult, IncomingFile

READ_SUFFIXES = {".xlsx", ".xlsm", ".xls", ".csv", ".et"}
_EXIT_OF = {
    Verdict.ACCEPTED: Exit.OK,
    Verdict.QUERIES: Exit.DATA_ERRORS,
    Verdict.REJECTED: Exit.DATA_ERRORS,
    Verdict.UNREADABLE: Exit.REFUSED,
}
_MARKS = {Severity.CRITICAL: "✕", Severity.WARNING: "!", Severity.INFO: "·"}


def exit_code_of(verdicts: Iterable[Verdict]) -> Exit:
    """The gravest file decides: refused (3) before errors or queries (1) before all accepted (0)."""
    return max((_EXIT_OF[verdict] for verdict in verdicts), default=Exit.OK)


def files_below(paths: Sequence[Path]) -> list[Path]:
    """The files meant: those named, as they are, and those in folders named, workbooks and CSV only, in order.

    Files that a program left beside an open workbook (`~$...`) and hidden ones are not meant.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(
                file
                for file in path.rglob("*")
                if file.is_file()
                and file.suffix.lower() in READ_SUFFIXES
                and not file.name.startswith(("~$", "."))
            )
        else:
            found.append(path)
    return found


def incoming(paths: Sequence[Path]) -> list[IncomingFile]:
    """Files as the door takes them; - is standard input."""
    from pipelines.reception import IncomingFile

    return [
        IncomingFile(name="-", content=sys.stdin.buffer.read())
        if str(path) == "-"
        else IncomingFile(name=path.name, path=path)
        for path in paths
    ]


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True, path_type=Path)
)
@click.option("--lines", is_flag=True, help="连同读到的每一行 / with every line that was read (--json)")
@common
@json_option
@click.pass_obj
def check(terminal: Terminal, paths: tuple[Path, ...], lines: bool, as_json: bool) -> None:
    """审核文件，只给结论，不写入任何内容。 / Check files and say what is found; nothing is written.

    PATHS are files, folders or - for standard input. With --json one file gives one object; several give one
    object with `files`. Exit code 0 if all are accepted, 1 if any has errors or queries, 3 if any is refused.
    """
    from pipelines.reception import Reception

    files = files_below(paths)
    if not files:
        raise terminal.fail(Exit.USAGE, "no_files", path=", ".join(map(str, paths)))
    with (
        ledger_of(terminal.settings) as ledger,
        Reception(terminal.settings, ledger, is_short_lived=True) as door,
    ):
        results = door.check(incoming(files))
    _report(terminal, results, as_json=as_json, lines=lines, is_single=len(paths) == 1 == len(files))
    raise click.exceptions.Exit(exit_code_of(result.verdict for result in results))


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--by", default=None, help="经手人，默认为当前用户 / who hands them in; the current user by default"
)
@common
@json_option
@click.pass_obj
def submit(terminal: Terminal, paths: tuple[Path, ...], by: str | None, as_json: bool) -> None:
    """收取文件：保存原件、记账、给出结论。 / Take in files: keep the originals, record them, say what is found.

    PATHS are files or folders (workbooks and CSV below them). A file that was received before is recorded as
    one more arrival of the same submission. Exit codes as for `check`; every file is recorded, also refused ones.
    """
    from pipelines.reception import Reception

    files = files_below(paths)
    if not files:
        raise terminal.fail(Exit.USAGE, "no_files", path=", ".join(map(str, paths)))
    with (
        ledger_of(terminal.settings) as ledger,
        Reception(terminal.settings, ledger) as door,
        terminal.progress(terminal.word("submitting"), len(files)) as advance,
    ):
        results = door.submit(
            incoming(files),
            channel="command_line",
            received_by=by or person(),
            progress=lambda so_far: advance(so_far.recorded_count),
        )
    _report(terminal, results, as_json=as_json, lines=False, is_single=False)
    raise click.exceptions.Exit(exit_code_of(result.verdict for result in results))


def summary(results: Sequence[FileResult]) -> dict[str, int]:
    """How many files, by verdict, and how many of them were known already."""
    counts = Counter(result.verdict for result in results)
    return {
        "total": len(results),
        **{verdict.value: counts[verdict] for verdict in Verdict},
        "duplicates": sum(result.is_duplicate for result in results),
    }


def _report(
    terminal: Terminal, results: Sequence[FileResult], *, as_json: bool, lines: bool, is_single: bool
) -> None:
    if as_json:
        objects = [result.as_json(lines=lines) for result in results]
        if is_single:
            [content] = objects
            click.echo(
                json.dumps({"schema_version": SCHEMA_VERSION, **content}, ensure_ascii=False, indent=2)
            )
        else:
            terminal.json({"summary": summary(results), "files": objects})
        return
    for result in results:
        _describe(terminal, result)
    if len(results) > 1:
        terminal.note(terminal.word("summary_files", **summary(results)))


def _describe(terminal: Terminal, result: FileResult) -> None:
    facts = [
        said(VERDICTS[result.verdict], terminal.language),
        "+".join(result.form_codes),
        str(result.period) if result.period else "",
        result.enterprise_code,
        result.submission_id,
    ]
    if result.fixes:
        facts.append(terminal.word("fixes_count", count=len(result.fixes)))
    if result.is_duplicate:
        facts.append(terminal.word("duplicate"))
    terminal.result(f"{result.name}: " + "  ".join(fact for fact in facts if fact))
    for finding in result.findings:
        terminal.result(f"  {_MARKS[finding.severity]} {said(finding.message, terminal.language)}")
