"""`servtrade init`: folders, ledger and Dagster's folder, as often as you like."""

from __future__ import annotations

import click

from pipelines.cli.options import common, json_option
from pipelines.cli.stores import ledger_of, prepare_dagster, prepare_folders
from pipelines.cli.terminal import Terminal


@click.command()
@common
@json_option
@click.pass_obj
def init(terminal: Terminal, as_json: bool) -> None:
    """建立数据文件夹、账本和 Dagster 目录；可重复执行，不改动已有内容。

    Make the data folder, the ledger and Dagster's folder ready. Safe to repeat; nothing that is there changes.
    """
    settings = terminal.settings
    prepare_folders(settings)
    with ledger_of(settings) as ledger:
        enterprises = len({spell.enterprise_code for spell in ledger.enterprises()})
    prepare_dagster(settings)
    # Dagster's tables are made here, by one process, before its pages and its daemon start side by side.
    from dagster import DagsterInstance

    with DagsterInstance.get() as instance:
        runs = instance.get_runs_count()
    if as_json:
        terminal.json(
            {
                "data_dir": str(settings.data_dir),
                "dagster_home": str(settings.dagster_dir),
                "enterprises": enterprises,
                "runs": runs,
            }
        )
        return
    terminal.note(terminal.word("initialised", path=settings.data_dir))
    if not enterprises:
        terminal.note(terminal.word("register_empty"))
