"""`servtrade table` and `servtrade targets`: what was last drafted for a month, read from the draft itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pipelines.cli.exits import Exit
from pipelines.cli.held import held_failure, told
from pipelines.cli.options import MONTH, common, json_option
from pipelines.cli.stores import expect_data_folder
from pipelines.cli.terminal import Terminal, write_new
from pipelines.cli.words import said
from pipelines.periods import Month

if TYPE_CHECKING:
    from pipelines.publication.tables import PrintedTable
    from pipelines.settings import Settings

TARGETS_TABLE = "table_08"


@click.command()
@click.argument("name")
@click.option("--month", type=MONTH, help="月份，默认为最近一个 / month; the latest draft by default")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="格式 / format",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="写入文件而不是标准输出 / write to this file instead of stdout",
)
@click.option("--force", is_flag=True, help="覆盖已有文件 / overwrite the file")
@common
@json_option
@click.pass_obj
def table(
    terminal: Terminal,
    name: str,
    month: Month | None,
    output_format: str,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """查看一张统计表。 / Show one table of a month as it was last drafted.

    NAME is table_02, publication.table_02 or 2. CSV and JSON carry every figure of the printed table with the
    decimals that are printed; --json is --format json.
    """
    settings = terminal.settings
    printed = _read(terminal, settings, table_name(terminal, name), month)
    _tell_if_held(terminal, settings, printed.month)
    _give(terminal, printed, "json" if as_json else output_format, output, force=force)


@click.command()
@click.option("--month", type=MONTH, help="月份，默认为最近一个 / month; the latest draft by default")
@common
@json_option
@click.pass_obj
def targets(terminal: Terminal, month: Month | None, as_json: bool) -> None:
    """各项发展目标的完成进度（表 8）。 / Progress of every target that has data (table 8)."""
    settings = terminal.settings
    printed = _read(terminal, settings, TARGETS_TABLE, month)
    _tell_if_held(terminal, settings, printed.month)
    _give(terminal, printed, "json" if as_json else "text", None, force=False)


def table_name(terminal: Terminal, given: str) -> str:
    """table_02 from 2, 02, table_2 or publication.table_02. Raises CommandFailed with the names there are."""
    from pipelines.publication.tables import publication_model

    known = [spec.name for spec in publication_model().tables]
    text = given.strip().lower().removeprefix("publication.")
    number = re.fullmatch(r"(?:table_|表)?0*(\d+)", text)
    name = f"table_{int(number[1]):02d}" if number else text
    if name not in known:
        raise terminal.fail(Exit.USAGE, "no_table", name=given, names=", ".join(known))
    return name


def _read(terminal: Terminal, settings: Settings, name: str, month: Month | None) -> PrintedTable:
    from pipelines.publication.drafts import read_table

    return read_table(settings, name, month_to_show(terminal, settings, month))


def month_to_show(terminal: Terminal, settings: Settings, month: Month | None) -> Month:
    """The month asked for, or the latest drafted. Raises CommandFailed where it is held and was never drafted."""
    from pipelines.publication.drafts import draft_months
    from pipelines.publication.holds import held

    expect_data_folder(settings)
    drafted = draft_months(settings)
    if month is None:
        if not drafted:
            raise terminal.fail(Exit.ENVIRONMENT, "no_drafts")
        return drafted[-1]
    if month not in drafted and (reasons := held(settings, month)):
        raise held_failure(settings, month, reasons)
    return month


def _tell_if_held(terminal: Terminal, settings: Settings, month: Month) -> None:
    from pipelines.publication.holds import held

    reasons = held(settings, month)
    if reasons:
        terminal.warn(
            terminal.word(
                "held_month",
                month=month,
                reason=" ".join(
                    said(wording, terminal.language) for wording in told(settings, month, reasons)
                ),
            )
        )


def _give(
    terminal: Terminal, printed: PrintedTable, output_format: str, output: Path | None, *, force: bool
) -> None:
    import json

    from pipelines.publication.render import as_csv, as_json, as_text

    language: Literal["zh", "en"] = "zh" if terminal.language == "zh" else "en"
    if output_format == "csv":
        text = as_csv(printed, language)
    elif output_format == "json":
        text = json.dumps(as_json(printed), ensure_ascii=False, indent=2) + "\n"
    else:
        text = as_text(printed, language)
    if output is None:
        # No newline of ours, and none translated: the CSV ends its own lines.
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
        return
    # A byte-order mark, so that Excel and WPS read the Chinese of a CSV file as such.
    content = text.encode("utf-8-sig" if output_format == "csv" else "utf-8")
    write_new(output, content, force=force, terminal=terminal)
    terminal.note(terminal.word("written", path=output))
