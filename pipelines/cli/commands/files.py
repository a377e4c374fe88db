"""`servtrade check` and `servtrade submit`: files through the one door, without and with writing."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.exits import Exit
from pipelines.cli.options import common, json_option
from pipelines.cli.stores import acting, ledger_of, ledger_to_read, person
from pipelines.cli.terminal import Terminal, on_one_line
from pipelines.cli.words import SENTENCES, VERDICTS, said
from pipelines.findings import Finding, Severity, Verdict, Wording, verdict_of

if TYPE_CHECKING:
    from pipelines.ledger import Ledger
    from pipelines.reception import FileResult, IncomingFile
    from pipelines.settings import Settings

READ_SUFFIXES = {".xlsx", ".xlsm", ".xls", ".csv", ".et"}
_ARCHIVES = {".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"}
_NOT_IN_REGISTER = "H1b"
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


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file in a folder that is not taken in, and the sentence of the catalogue that says why."""

    path: Path
    reason: str


def files_below(paths: Sequence[Path]) -> tuple[list[Path], list[Skipped]]:
    """The files meant: those named, as they are, and those in folders named, workbooks and CSV only, in order.

    No link below a folder is followed. Second, what lies in the folders and is left out; files that a program
    left beside an open workbook (`~$...`) and hidden ones are not meant and not mentioned.
    """
    found: list[Path] = []
    skipped: list[Skipped] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside: list[Path] = []
        for folder, folders, names in os.walk(path):
            here = Path(folder)
            folders.sort()
            skipped += [
                Skipped(here / name, "skipped_link") for name in folders if (here / name).is_symlink()
            ]
            inside += [here / name for name in names if not name.startswith(("~$", "."))]
        for file in sorted(inside):
            reason = _why_left_out(file)
            if reason:
                skipped.append(Skipped(file, reason))
            else:
                found.append(file)
    return found, skipped


def _why_left_out(file: Path) -> str:
    if file.is_symlink():
        return "skipped_link"
    if not file.is_file():
        return "skipped_special"
    if file.suffix.lower() in READ_SUFFIXES:
        return ""
    return "skipped_archive" if file.suffix.lower() in _ARCHIVES else "skipped_other"


def _files_of(terminal: Terminal, paths: Sequence[Path]) -> tuple[list[Path], list[Skipped]]:
    """`files_below`, said. Raises CommandFailed where nothing is left to take in."""
    files, skipped = files_below(paths)
    for one in skipped:
        terminal.note(
            terminal.word(
                one.reason, path=on_one_line(str(one.path)), suffixes=" ".join(sorted(READ_SUFFIXES))
            )
            if one.reason == "skipped_other"
            else terminal.word(one.reason, path=on_one_line(str(one.path)))
        )
    if not files:
        raise terminal.fail(Exit.USAGE, "no_files", path=", ".join(on_one_line(str(path)) for path in paths))
    return files, skipped


def incoming(paths: Sequence[Path]) -> list[IncomingFile]:
    """Files as the door takes them; - is standard input."""
    from pipelines.reception import IncomingFile

    return [
        IncomingFile(name="-", content=sys.stdin.buffer.read())
        if str(path) == "-"
        else IncomingFile(name=path.name, path=path)
        for path in paths
    ]


def _through(
    paths: Sequence[Path], door: Callable[[list[IncomingFile]], list[FileResult]]
) -> list[FileResult]:
    """Plain files through the door; links, pipes and devices are refused and never opened. In the order given."""
    refused = {number: why for number, path in enumerate(paths) if (why := _why_refused(path))}
    plain = [path for number, path in enumerate(paths) if number not in refused]
    results = iter(door(incoming(plain)) if plain else [])
    return [
        _refused(path, refused[number]) if number in refused else next(results)
        for number, path in enumerate(paths)
    ]


def _why_refused(path: Path) -> str:
    if str(path) == "-":
        return ""
    if path.is_symlink():
        return "not_plain_link"
    return "" if path.is_file() else "not_plain_special"


def _refused(path: Path, reason: str) -> FileResult:
    from pipelines.reception import FileResult

    zh, en = SENTENCES[reason]
    name = on_one_line(path.name)
    message = Wording(zh.format(name=name), en.format(name=name))
    finding = Finding(rule="G09", severity=Severity.CRITICAL, message=message)
    return FileResult(path.name, "", "", Verdict.UNREADABLE, findings=(finding,))


@contextmanager
def _ledger_for_checking(settings: Settings) -> Iterator[tuple[Ledger, Settings, bool]]:
    """The ledger to read, the settings for the door, and whether a register is known.

    Without a data folder a check still reads and judges a file: against an empty ledger that vanishes.
    """
    from pipelines.ledger import LedgerMissing
    from pipelines.ledger.book import ledger_of_nothing

    with ExitStack() as stack:
        try:
            ledger = stack.enter_context(ledger_to_read(settings))
        except LedgerMissing:
            nowhere = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="servtrade-")))
            alone = replace(settings, data_dir=nowhere)
            yield stack.enter_context(ledger_of_nothing(nowhere)), alone, False
        else:
            yield ledger, settings, True


def _without_register(result: FileResult, settings: Settings) -> FileResult:
    """Say that there is no register instead of blaming the enterprise for not being on it."""
    if not any(finding.rule == _NOT_IN_REGISTER for finding in result.findings):
        return result
    zh, en = SENTENCES["no_register"]
    note = Wording(zh.format(path=settings.data_dir), en.format(path=settings.data_dir))
    findings = [
        replace(finding, severity=Severity.INFO, message=note, expected="")
        if finding.rule == _NOT_IN_REGISTER
        else finding
        for finding in result.findings
    ]
    return replace(result, findings=tuple(findings), verdict=verdict_of(findings))


@contextmanager
def checked(terminal: Terminal, files: Sequence[Path]) -> Iterator[list[FileResult]]:
    """What the door says of these files; nothing is written. Details of a result may be asked for inside only."""
    from pipelines.reception import Reception

    settings = terminal.settings
    with (
        _ledger_for_checking(settings) as (ledger, door_settings, has_register),
        Reception(door_settings, ledger, is_short_lived=True) as door,
    ):
        results = _through(files, door.check)
        if not has_register:
            results = [_without_register(result, settings) for result in results]
        yield results


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
    files, skipped = _files_of(terminal, paths)
    with checked(terminal, files) as results:
        is_single = len(paths) == 1 == len(files)
        _report(terminal, results, skipped, as_json=as_json, lines=lines, is_single=is_single)
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

    files, skipped = _files_of(terminal, paths)
    with (
        ledger_of(terminal.settings) as ledger,
        Reception(terminal.settings, ledger) as door,
        terminal.progress(terminal.word("submitting"), len(files)) as advance,
    ):
        results = _through(
            files,
            partial(
                door.submit,
                channel="command_line",
                received_by=acting(by).name if by else person(),
                progress=lambda so_far: advance(so_far.recorded_count),
            ),
        )
    _report(terminal, results, skipped, as_json=as_json, lines=False, is_single=False)
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
    terminal: Terminal,
    results: Sequence[FileResult],
    skipped: Sequence[Skipped],
    *,
    as_json: bool,
    lines: bool,
    is_single: bool,
) -> None:
    if as_json:
        objects = [result.as_json(lines=lines) for result in results]
        if is_single:
            [content] = objects
            terminal.json(content)
        else:
            left_out = [str(one.path) for one in skipped]
            terminal.json({"summary": summary(results), "left_out": left_out, "files": objects})
        return
    for result in results:
        _describe(terminal, result)
    if len(results) > 1:
        terminal.note(terminal.word("summary_files", **summary(results)))


def _describe(terminal: Terminal, result: FileResult) -> None:
    from pipelines.reception.results import REPLACED

    facts = [
        said(REPLACED if result.is_replaced else VERDICTS[result.verdict], terminal.language),
        "+".join(result.form_codes),
        str(result.period) if result.period else "",
        result.enterprise_code,
        result.submission_id,
    ]
    if result.fixes:
        facts.append(terminal.word("fixes_count", count=len(result.fixes)))
    if result.same_as:
        facts.append(terminal.word("same_as", name=on_one_line(result.same_as)))
    elif result.is_duplicate and not result.is_replaced:
        facts.append(terminal.word("duplicate"))
    terminal.result(f"{on_one_line(result.name)}: " + "  ".join(fact for fact in facts if fact))
    for finding in result.findings:
        terminal.result(f"  {_MARKS[finding.severity]} {said(finding.message, terminal.language)}")
