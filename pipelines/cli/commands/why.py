"""`servtrade why`: from a cell of a published table down to the cells it came from."""

from __future__ import annotations

from typing import Literal

import click

from pipelines.cli.commands.tables import month_to_show, table_name
from pipelines.cli.exits import CommandFailed, Exit
from pipelines.cli.options import MONTH, common, json_option
from pipelines.cli.terminal import Terminal
from pipelines.periods import Month

_KEYS = ("row", "column")


@click.command()
@click.argument("table")
@click.argument("where", nargs=-1, metavar="row=ROW column=COLUMN")
@click.option("--month", type=MONTH, help="月份，默认为最近一个 / month; the latest draft by default")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="每个部分列出的源数个数，0 为全部 / leaves shown of each part, 0 for all",
)
@common
@json_option
@click.pass_obj
def why(
    terminal: Terminal, table: str, where: tuple[str, ...], month: Month | None, limit: int, as_json: bool
) -> None:
    """一个数从哪里来：列出它的全部源单元格，并核对相加是否一致。

    Where a printed figure comes from: the cells of the files received, checked to add up to it exactly.

    \b
    servtrade why publication.table_07 row=mode_1 column=ytd_total_usd --month 2020-12
    servtrade why 2 row=旅行 column=total_ytd_usd

    ROW is the row's code, number or label, COLUMN the column's code or label; a wrong one lists those there are.
    Reads the draft of the month and the newest snapshot. Exit code 1 when something does not add up.
    """
    asked = _asked(where)
    settings = terminal.settings
    name = table_name(terminal, table)
    from pipelines.provenance import UnknownCell
    from pipelines.provenance import why as explain_cell
    from pipelines.provenance.render import as_json as explained_json
    from pipelines.provenance.render import as_text

    month = month_to_show(terminal, settings, month)
    try:
        explanation = explain_cell(
            settings, name, month, asked["row"], asked["column"], limit=limit if limit else None
        )
    except UnknownCell as error:
        raise CommandFailed(Exit.USAGE, error.wording.zh, error.wording.en) from error
    language: Literal["zh", "en"] = "zh" if terminal.language == "zh" else "en"
    if as_json:
        terminal.json(explained_json(explanation))
    else:
        terminal.result(as_text(explanation, language).rstrip("\n"))
    raise click.exceptions.Exit(Exit.OK if explanation.adds_up else Exit.DATA_ERRORS)


def _asked(where: tuple[str, ...]) -> dict[str, str]:
    """row and column out of `row=... column=...`. Raises UsageError for anything else; '' where one is not given."""
    asked = dict.fromkeys(_KEYS, "")
    for text in where:
        key, sign, value = text.partition("=")
        if not sign or key not in _KEYS:
            raise click.UsageError(f"{text!r}: 请写作 row=行 column=列 / write row=ROW column=COLUMN")
        asked[key] = value
    return asked
