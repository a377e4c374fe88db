"""What the portal says: wording by key from words/*.yaml, Chinese first, English beside it.

A key is `<file>.<name>`, for example `upload.title`. Findings and refusals bring their own wording (`Wording`);
everything else that a person reads stands in those files, so that a bureau may change it without touching code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path

import yaml

from pipelines.findings import Wording
from pipelines.ledger import SHANGHAI
from pipelines.periods import MONTHS_EN

LANGUAGES = ("zh", "en")
WORDS_DIR = Path(__file__).parent / "words"


class InvalidWords(ValueError):
    """A words file cannot be used; the text names the file, the key and what is wrong."""


class Words:
    """The portal's catalogue of sentences.

    Raises InvalidWords when a file is not a mapping of names to {zh, en}, or a sentence is missing in one of the
    two languages: a portal that is half dumb in one of them does not start.
    """

    def __init__(self, folder: Path = WORDS_DIR) -> None:
        self._wordings: dict[str, Wording] = {}
        for path in sorted(folder.glob("*.yaml")):
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            if not isinstance(content, Mapping):
                raise InvalidWords(f"{path.name}: expected names with their zh and en")
            for name, texts in content.items():
                key = f"{path.stem}.{name}"
                if not isinstance(texts, Mapping) or set(texts) != set(LANGUAGES):
                    raise InvalidWords(f"{path.name}: {name} needs zh and en, and nothing else")
                if not all(isinstance(text, str) and text for text in texts.values()):
                    raise InvalidWords(f"{path.name}: {name}: zh and en must be texts (quote numbers)")
                self._wordings[key] = Wording(texts["zh"], texts["en"])

    def __contains__(self, key: str) -> bool:
        return key in self._wordings

    def keys(self) -> frozenset[str]:
        """Every key there is."""
        return frozenset(self._wordings)

    def wording(self, key: str) -> Wording:
        """A sentence in both languages. Raises KeyError for a key that nobody wrote."""
        return self._wordings[key]

    def translator(self, language: str) -> Callable[..., str]:
        """`t(key, **values)`: the sentence in one language, filled in. Raises KeyError for unknown keys."""

        def t(key: str, **values: object) -> str:
            text = said(self._wordings[key], language)
            return text.format(**values) if values else text

        return t


def said(wording: Wording, language: str) -> str:
    """A wording in one language."""
    return wording.zh if language == "zh" else wording.en


def html_language(language: str) -> str:
    """What goes into a lang attribute."""
    return "zh-CN" if language == "zh" else "en"


def moment(value: datetime | None) -> str:
    """A moment in Shanghai, to the second: 2026-04-08 14:03:22; a moment without a zone is Shanghai time."""
    if value is None:
        return ""
    local = value if value.tzinfo is None else value.astimezone(SHANGHAI)
    return local.strftime("%Y-%m-%d %H:%M:%S")


def day(value: date | None) -> str:
    """A day: 2026-04-10."""
    return "" if value is None else value.isoformat()


def day_name(value: date | None, language: str, *, today: date | None = None) -> str:
    """A day as people write it: 2026年4月10日, 10 April 2026; without the year where it is that of `today`."""
    if value is None:
        return ""
    if language == "zh":
        written = f"{value.month}月{value.day}日"
        return written if today is not None and today.year == value.year else f"{value.year}年{written}"
    written = f"{value.day} {MONTHS_EN[value.month - 1]}"
    return written if today is not None and today.year == value.year else f"{written} {value.year}"


def short_moment(value: datetime | None, language: str, today: date) -> str:
    """A moment in Shanghai as a list shows it: 4月8日 14:03, 8 Apr 14:03; the year instead where it is another."""
    if value is None:
        return ""
    local = value if value.tzinfo is None else value.astimezone(SHANGHAI)
    if language == "zh":
        if local.year != today.year:
            return f"{local.year}年{local.month}月{local.day}日"
        return f"{local.month}月{local.day}日 {local:%H:%M}"
    month = MONTHS_EN[local.month - 1][:3]
    return (
        f"{local.day} {month} {local.year}"
        if local.year != today.year
        else f"{local.day} {month} {local:%H:%M}"
    )


def counted(value: int) -> str:
    """A whole number with thousands separators."""
    return f"{value:,}"


def file_size(size_bytes: int) -> str:
    """A size as file managers show it: 35 KB, 1.2 MB."""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.0f} KB"
    return f"{size_bytes / 1024 / 1024:.1f} MB"


def as_text(value: object) -> str:
    """A value of the audit log on one line: texts as they are, objects and lists as JSON, nothing as nothing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
