"""`servtrade annotate`: a file through the one door without writing to the stores, and its annotated copy beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.commands.files import checked, exit_code_of
from pipelines.cli.exits import Exit
from pipelines.cli.options import common, json_option
from pipelines.cli.terminal import Terminal, on_one_line, write_new
from pipelines.cli.words import VERDICTS, said
from pipelines.findings import Verdict

if TYPE_CHECKING:
    from pipelines.review_sheet import Language


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="副本的文件名，默认放在原文件旁 / name of the copy; beside the file by default",
)
@click.option("--force", is_flag=True, help="覆盖已有的副本 / overwrite a copy that exists")
@common
@json_option
@click.pass_obj
def annotate(terminal: Terminal, path: Path, out: Path | None, force: bool, as_json: bool) -> None:
    """审核文件，并写出加注的副本：问题单元格填色加批注，首页为“审核意见”。 / Check a file and write a copy with the
    findings marked in it: cells coloured and commented, and a first sheet that lists them.

    The file itself is not changed and nothing is recorded. --lang en writes the copy in English. Exit codes as for
    `check`; the copy is written in every case but that of a link, a pipe or a device.
    """
    from pipelines.validation.annotate import about_file, annotated_copy, annotated_name

    target = out or path.with_name(annotated_name(path.name))
    if target.exists() and target.samefile(path):
        raise terminal.fail(Exit.USAGE, "annotated_itself", path=on_one_line(str(target)))
    if target.exists() and not force:
        raise terminal.fail(Exit.CONFLICT, "exists", path=on_one_line(str(target)))
    with checked(terminal, [path]) as results:
        result = results[0]
        document = result.as_json() if as_json else {}
    if not result.sha256:  # a link or a device: said and not opened
        terminal.warn(said(result.findings[0].message, terminal.language))
        if as_json:
            terminal.json({**document, "annotated": None, "losses": []})
        raise click.exceptions.Exit(Exit.REFUSED)
    content = path.read_bytes() if result.verdict is not Verdict.UNREADABLE else b""
    if content and hashlib.sha256(content).hexdigest() != result.sha256:
        raise terminal.fail(Exit.CONFLICT, "changed_meanwhile", path=on_one_line(str(path)))
    language: Language = "zh" if terminal.language == "zh" else "en"
    made = annotated_copy(
        content,
        path.name,
        result.findings,
        result.fixes,
        verdict=result.verdict,
        language=language,
        about=about_file(
            language,
            file=path.name,
            period=str(result.period or ""),
            enterprise=f"{result.enterprise_code} {result.enterprise_name}",
            department=result.department,
        ),
    )
    write_new(target, made.content, force=force, terminal=terminal)
    for loss in made.losses:
        terminal.note(said(loss, terminal.language))
    if as_json:
        losses = [loss.as_json() for loss in made.losses]
        terminal.json({**document, "annotated": str(target), "losses": losses})
    else:
        verdict = said(VERDICTS[result.verdict], terminal.language)
        terminal.result(
            terminal.word(
                "annotated", name=on_one_line(path.name), verdict=verdict, path=on_one_line(str(target))
            )
        )
    raise click.exceptions.Exit(exit_code_of([result.verdict]))
