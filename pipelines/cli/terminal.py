"""How the command line talks: results to stdout, everything else to stderr, progress only where seen.

Rich is imported only to draw a progress bar on a terminal.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from pipelines.cli.exits import CommandFailed, Exit
from pipelines.cli.words import SENTENCES, sentence
from pipelines.settings import Settings

SCHEMA_VERSION = 1


@dataclass
class Terminal:
    """What the options in front of a command decided; every command gets it."""

    data: str | None = None
    lang: str | None = None
    quiet: bool = False
    no_progress: bool = False
    as_json: bool = False  # --json stands somewhere in the command: also failures are told as an object

    @property
    def settings(self) -> Settings:
        """The settings in force. Raises InvalidSetting."""
        if self.data is not None:
            # Child processes and Dagster read the same variable.
            os.environ["SERVTRADE_DATA"] = str(Path(self.data).expanduser().absolute())
        settings = Settings.from_environment()
        return replace(settings, language=self.lang) if self.lang else settings

    @property
    def language(self) -> str:
        """zh or en: --lang, then SERVTRADE_LANG, then Chinese."""
        given = self.lang or os.environ.get("SERVTRADE_LANG") or "zh"
        return given if given in ("zh", "en") else "zh"

    def word(self, key: str, **values: object) -> str:
        """A sentence of the catalogue in the language in force."""
        return sentence(key, self.language, **values)

    def pick(self, zh: str, en: str) -> str:
        """One of two texts: for column heads and single words."""
        return zh if self.language == "zh" else en

    def result(self, text: str = "") -> None:
        """To stdout: what was asked for."""
        click.echo(harmless(text))

    def json(self, content: dict[str, Any]) -> None:
        """To stdout: one object with its schema version first."""
        text = json.dumps({"schema_version": SCHEMA_VERSION, **content}, ensure_ascii=False, indent=2)
        # The same object; what would turn a terminal's text around is written as its number.
        click.echo("".join(f"\\u{ord(char):04x}" if _is_unseen(char) else char for char in text))

    def note(self, text: str) -> None:
        """To stderr: what is worth knowing besides; not with --quiet."""
        if not self.quiet:
            click.echo(harmless(text), err=True)

    def warn(self, text: str) -> None:
        """To stderr, also with --quiet."""
        click.echo(harmless(text), err=True)

    def fail(self, exit_code: Exit, key: str, **values: object) -> CommandFailed:
        """A failure out of the catalogue, to be raised."""
        zh, en = SENTENCES[key]
        return CommandFailed(exit_code, zh.format(**values), en.format(**values))

    @property
    def shows_progress(self) -> bool:
        return not (self.quiet or self.no_progress) and sys.stderr.isatty()

    @contextmanager
    def progress(self, label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """A bar on stderr while something long runs; yields the function that is told how far it has come.

        Without a terminal nothing is drawn: `note` a line before and after instead.
        """
        if not self.shows_progress:
            yield lambda done: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True, no_color="NO_COLOR" in os.environ),
            transient=True,
        )
        with bar:
            task = bar.add_task(label, total=total)
            yield lambda done: bar.update(task, completed=done)

    def table(
        self, heads: Sequence[str], rows: Sequence[Sequence[object]], *, right: set[int] | None = None
    ) -> None:
        """A plain table to stdout. Chinese characters take two columns; `right` columns are set flush right."""
        self.result(aligned(heads, rows, right=right or set()))


def aligned(heads: Sequence[str], rows: Sequence[Sequence[object]], *, right: set[int]) -> str:
    """Rows in columns, as wide as their widest cell, two blanks between; None prints as nothing."""
    texts = [list(heads), *[["" if cell is None else str(cell) for cell in row] for row in rows]]
    widths = [max(width(row[index]) for row in texts) for index in range(len(heads))]
    lines = []
    for number, row in enumerate(texts):
        cells = [
            " " * (widths[index] - width(cell)) + cell
            if index in right
            else cell + " " * (widths[index] - width(cell))
            for index, cell in enumerate(row)
        ]
        lines.append("  ".join(cells).rstrip())
        if number == 0:
            lines.append("  ".join("-" * each for each in widths))
    return "\n".join(lines)


def harmless(text: str) -> str:
    """A text of several lines without what moves the cursor or turns the direction of writing: � stands for it."""
    return "".join("\ufffd" if _is_unseen(char) else char for char in text)


def on_one_line(name: str) -> str:
    """A file's name as it may be printed: on one line, and nothing in it that a terminal would act on."""
    return "".join("\ufffd" if char in "\n\t" else char for char in harmless(name))


def _is_unseen(char: str) -> bool:
    """Control, direction and line-separating characters within the basic plane; newline and tab are seen."""
    return (
        char not in "\n\t"
        and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and char <= "\uffff"
    )


def width(text: str) -> int:
    """Columns a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def write_new(path: Path, content: bytes, *, force: bool, terminal: Terminal) -> None:
    """Write a file whole or not at all. Raises CommandFailed (conflict) where it exists and force is not given."""
    if path.exists() and not force:
        raise terminal.fail(Exit.CONFLICT, "exists", path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.incoming")
    aside.write_bytes(content)
    aside.replace(path)
