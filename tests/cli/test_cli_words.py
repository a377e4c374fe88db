"""What the command line says: both languages, documented, and nothing heavy imported to say it."""

from __future__ import annotations

import re
import string
import subprocess
import sys

import click
import pytest
from computed_city import HOUSE, environment

from pipelines.cli.exits import Exit
from pipelines.cli.main import COMMANDS, main
from pipelines.cli.reference import page
from pipelines.cli.words import SENTENCES, VERDICTS, sentence

HEAVY = (
    "pandas",
    "duckdb",
    "pyarrow",
    "dagster",
    "great_expectations",
    "sqlalchemy",
    "openpyxl",
    "rich",
    "yaml",
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]{3}")


def imported_by(*arguments: str) -> set[str]:
    """Top-level modules that a call has imported when it ends."""
    program = (
        "import sys\n"
        "from pipelines.cli.main import main\n"
        f"sys.argv = ['servtrade', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('\\n'.join(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=HOUSE,
        env=environment(HOUSE / "data"),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stderr.split())


def every_command(
    group: click.Group = main, before: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], click.Command]]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append(((*before, name), command))
        if isinstance(command, click.Group):
            found += every_command(command, (*before, name))
    return found


@pytest.mark.parametrize(
    "arguments", [("--help",), ("run", "--help"), ("check", "--help"), ("nonsense",)], ids=" ".join
)
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments).isdisjoint(HEAVY)


def test_every_command_helps_in_both_languages() -> None:
    for names, command in every_command():
        for text in (command.help or "", *(option.help or "" for option in options_of(command))):
            assert CHINESE.search(text), f"servtrade {' '.join(names)}: {text!r} has no Chinese"
            assert ENGLISH.search(text), f"servtrade {' '.join(names)}: {text!r} has no English"


def options_of(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option)]


def test_the_list_of_commands_is_in_both_languages() -> None:
    for name, (_, line) in COMMANDS.items():
        assert CHINESE.search(line), name
        assert ENGLISH.search(line), name


def test_the_page_of_the_command_line_is_the_help_of_the_commands() -> None:
    written = (HOUSE / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m pipelines.cli.reference > docs/cli.md"


def test_every_command_and_every_exit_code_stands_on_the_page() -> None:
    written = (HOUSE / "docs" / "cli.md").read_text(encoding="utf-8")
    for names, _ in every_command():
        assert f" servtrade {' '.join(names)}\n" in written
    for code in Exit:
        assert f"| {code.value} |" in written


def test_every_reading_command_has_json() -> None:
    for names, command in every_command():
        if isinstance(command, click.Group):
            continue
        assert "--json" in {flag for option in options_of(command) for flag in option.opts}, names


def test_every_sentence_says_the_same_things_in_both_languages() -> None:
    for key, (zh, en) in SENTENCES.items():
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            for text in (zh, en)
        ]
        assert fields[0] == fields[1], key
        assert CHINESE.search(zh) or "{holder}" in zh, key
        assert not CHINESE.search(en), key


def test_every_verdict_has_a_word() -> None:
    from pipelines.findings import Verdict

    assert set(VERDICTS) == set(Verdict)


def test_a_sentence_that_nobody_wrote_is_not_made_up() -> None:
    with pytest.raises(KeyError):
        sentence("no such sentence", "zh")


def test_the_version_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli.main", "--version"],
        cwd=HOUSE,
        env=environment(HOUSE / "data"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d+\.\d+\.\d+", done.stdout)
