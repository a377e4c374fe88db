"""Options that several commands share, and the group that finds a command only when it is called."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from pipelines.cli.exits import CommandFailed, Exit, known_failure, write_fault_log
from pipelines.cli.terminal import Terminal
from pipelines.cli.words import said
from pipelines.findings import Wording
from pipelines.periods import InvalidPeriod, Month, parse_period

Command = TypeVar("Command", bound=Callable[..., Any])


class LazyGroup(click.Group):
    """Commands by name and one line each; the module of a command is imported when the command is wanted."""

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str]] | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.lazy = lazy or {}  # name -> (module:attribute, one line of help)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.lazy[cmd_name][0]} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.lazy.items()])


class ServtradeGroup(LazyGroup):
    """The outermost group: turns every failure into a sentence and an exit code, never into a traceback."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Wherever it stands, and before anything can go wrong: failures are told as an object too.
        _terminal(ctx).as_json = "--json" in args
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            _tell_usage(ctx, error)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            _tell_usage(ctx, error)
            raise
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            terminal = _terminal(ctx)
            terminal.warn(terminal.word("interrupted"))
            ctx.exit(Exit.INTERRUPTED)
        except BrokenPipeError:
            sys.stderr.close()  # whoever read our output has had enough; nothing more to say
            ctx.exit(Exit.OK)
        except Exception as error:  # noqa: BLE001 - the one place where nothing may pass
            _tell(ctx, error)


def _tell(ctx: click.Context, error: Exception) -> None:
    terminal = _terminal(ctx)
    failure = known_failure(error)
    if failure is None:
        try:
            path = write_fault_log(error, _data_dir(terminal), sys.argv[1:])
        except RuntimeError:
            failure = terminal.fail(Exit.BUG, "fault_no_log", error=f"{type(error).__name__}: {error}")
        else:
            failure = terminal.fail(Exit.BUG, "fault", path=path)
    terminal.warn(said(failure.wording, terminal.language))
    _give_object(terminal, failure.exit_code, failure.wording)
    ctx.exit(failure.exit_code)


def _give_object(terminal: Terminal, exit_code: int, wording: Wording) -> None:
    if terminal.as_json:
        terminal.json({"error": {"exit_code": int(exit_code), "message": wording.as_json()}})


def _tell_usage(ctx: click.Context, error: click.UsageError) -> None:
    """Say in the language in force what click says in English; the help that stands for no arguments is left."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return
    terminal = _terminal(ctx)
    wording = usage_wording(error)
    if error.ctx is not None:
        terminal.warn(error.ctx.get_usage())
        terminal.warn(terminal.word("usage_help", command=error.ctx.command_path))
    terminal.warn(said(wording, terminal.language))
    _give_object(terminal, Exit.USAGE, wording)
    ctx.exit(Exit.USAGE)


def usage_wording(error: click.UsageError) -> Wording:
    """What is wrong with the command as typed, in both languages."""
    english = error.format_message()
    name = ""
    if isinstance(error, click.BadParameter):
        hint = error.param_hint or (
            error.param.get_error_hint(error.ctx) if error.param and error.ctx else ""
        )
        name = hint if isinstance(hint, str) else " / ".join(hint)
    if isinstance(error, click.MissingParameter):
        return Wording(f"缺少 {name}。", english)
    if isinstance(error, click.NoSuchOption):
        near = f"您是否想写 {'、'.join(error.possibilities)}？" if error.possibilities else ""
        return Wording(f"没有选项 {error.option_name}。{near}", english)
    if isinstance(error, click.BadOptionUsage):
        return Wording(f"选项 {error.option_name} 用法不对：{english}", english)
    if (command := _NO_COMMAND.match(english)) is not None:
        return Wording(f"没有命令 {command[1]}。", english)
    # Our own messages are in both languages already.
    zh, slash, en = error.message.partition(" / ")
    both = Wording(zh, en) if slash and not zh.isascii() else Wording(error.message, error.message)
    if name:
        return Wording(f"{name} 的值不能用：{both.zh}", f"Invalid value for {name}: {both.en}")
    return both


_NO_COMMAND = re.compile(r"No such command '([^']*)'")


def _data_dir(terminal: Terminal) -> Any:
    try:
        return terminal.settings.data_dir
    except ValueError:
        return None  # the fault may be in the settings themselves


def _terminal(ctx: click.Context) -> Terminal:
    return ctx.ensure_object(Terminal)


def common(command: Command) -> Command:
    """--data, --lang, --quiet and --no-progress, before or after the command's name."""

    def keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
        def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
            if value not in (None, False):
                setattr(ctx.ensure_object(Terminal), name, value)

        return callback

    for option in (
        click.option(
            "--no-progress",
            is_flag=True,
            expose_value=False,
            callback=keep("no_progress"),
            help="不显示进度 / no progress bars",
        ),
        click.option(
            "--quiet",
            "-q",
            is_flag=True,
            expose_value=False,
            callback=keep("quiet"),
            help="只输出结果 / results only",
        ),
        click.option(
            "--lang",
            type=click.Choice(["zh", "en"]),
            expose_value=False,
            callback=keep("lang"),
            help="提示语言 / language of messages",
        ),
        click.option(
            "--data",
            type=click.Path(file_okay=False),
            expose_value=False,
            callback=keep("data"),
            help="数据文件夹（或 SERVTRADE_DATA） / data folder",
        ),
    ):
        command = option(command)
    return command


json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=lambda ctx, _parameter, value: value or ctx.ensure_object(Terminal).as_json,
    help="输出一个 JSON 对象 / one JSON object",
)
# In front of a command it counts for that command: `ServtradeGroup.parse_args` has noted it.
json_ahead = click.option(
    "--json", is_flag=True, expose_value=False, help="输出一个 JSON 对象 / one JSON object"
)


class MonthType(click.ParamType[Month]):
    """A reference month, 2020-12; also 2020年12月 and 202012."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        if isinstance(value, Month):
            return value
        try:
            period = parse_period(str(value))
        except InvalidPeriod:
            period = None
        if period is None or period.kind != "month":
            self.fail(f"{value!r} 不是月份，请写作 2020-12 / is not a month; write 2020-12", param, ctx)
        return period.first


MONTH = MonthType()

__all__ = ["MONTH", "CommandFailed", "LazyGroup", "ServtradeGroup", "common", "json_ahead", "json_option"]
