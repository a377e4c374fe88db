"""The page docs/cli.md, written from the commands themselves: `python -m pipelines.cli.reference > docs/cli.md`.

A test compares page and commands, so neither is changed without the other.
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from pipelines.cli.exits import Exit
from pipelines.cli.main import main

_EXITS: dict[Exit, tuple[str, str]] = {
    Exit.OK: ("完成；文件全部通过", "done; every file accepted"),
    Exit.DATA_ERRORS: (
        "有数据错误或待核实的疑问；或有月份因整表检查未通过而未出表",
        "errors or open queries in the data; or a month held back by a fault of a whole table",
    ),
    Exit.USAGE: ("命令写错", "the command was not understood"),
    Exit.REFUSED: ("有文件拒收：不安全或无法读取", "a file was refused: not safe, or not readable"),
    Exit.ENVIRONMENT: (
        "本机缺东西，或存储有问题",
        "something is missing on this machine, or a store is broken",
    ),
    Exit.CONFLICT: ("被占用，或目标已存在", "somebody else is at it, or the target exists"),
    Exit.BUG: (
        "程序内部错误，日志在数据文件夹的 logs/",
        "a fault of the program; the log is in logs/ of the data folder",
    ),
    Exit.INTERRUPTED: ("被 Ctrl-C 中断", "interrupted with Ctrl-C"),
}

_OPENING = """# servtrade: the command line / 命令行

<!-- Written by `python -m pipelines.cli.reference`; do not edit by hand. -->

Results go to standard output, messages and progress to standard error. Every reading command has `--json`: one
object with `schema_version`. `--data` (or `SERVTRADE_DATA`) says where the data folder is, `--lang` (or
`SERVTRADE_LANG`) in which language to speak; both may stand before or after the command. Progress is drawn on a
terminal only, without colour where `NO_COLOR` is set.

结果输出到标准输出，提示和进度输出到标准错误；凡读取类命令都可加 `--json`。

## Exit codes / 退出码

| code | 含义 | meaning |
|---|---|---|
"""

_AFTER_EXITS = """
In a batch of files the gravest decides: 3 before 1 before 0. / 一批文件以最严重的一个为准：3 先于 1，1 先于 0。

`servtrade check FILE --json` prints one object: `file`, `sha256`, `submission_id`, `verdict` (accepted, queries,
rejected, unreadable), `form`, `reference_month`, `enterprise_code`, `lines`, `fixes` (what was read leniently, with
the cell) and `findings` (rule, severity, sheet, cell, given, expected, message in zh and en); with `--lines` also
`lines_detail`. Several files give one object with `summary` and `files`.
"""


def page() -> str:
    """The whole page."""
    rows = "".join(f"| {code.value} | {zh} | {en} |\n" for code, (zh, en) in _EXITS.items())
    return _OPENING + rows + _AFTER_EXITS + "".join(_sections(main, ["servtrade"]))


def _sections(command: click.Command, names: list[str]) -> Iterator[str]:
    """A section for the command and each command below it, with its help as the terminal shows it."""
    parent: click.Context | None = None
    for name in names[:-1]:
        parent = click.Context(click.Group(name), info_name=name, parent=parent)
    context = click.Context(
        command, info_name=names[-1], parent=parent, max_content_width=100, terminal_width=100
    )
    context.help_option_names = ["-h", "--help"]
    level = "##" if len(names) <= 2 else "###"
    yield f"\n{level} {' '.join(names)}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _sections(below, [*names, name])


if __name__ == "__main__":
    click.echo(page(), nl=False)
