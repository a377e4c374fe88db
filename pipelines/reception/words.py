"""The upload desk's words, from `expectations/uploads.yaml`, in both languages."""

from __future__ import annotations

from functools import cache

import yaml

from pipelines.findings import Wording
from pipelines.paths import EXPECTATIONS_DIR

_MB = 1024 * 1024


def said(key: str, /, **words: object) -> Wording:
    """One sentence of the catalogue with its placeholders filled; a word that is a Wording speaks its language."""
    sentence = catalogue()[key]
    return Wording(
        sentence.zh.format_map({name: _one(word, "zh") for name, word in words.items()}),
        sentence.en.format_map({name: _one(word, "en") for name, word in words.items()}),
    )


def _one(word: object, language: str) -> object:
    return getattr(word, language) if isinstance(word, Wording) else word


def megabytes(size_bytes: int) -> str:
    """A size as people read it: 0.1, 12, 300."""
    size = size_bytes / _MB
    return f"{size:.1f}" if size < 10 and size_bytes % _MB else f"{size:,.0f}"


@cache
def catalogue() -> dict[str, Wording]:
    """Every sentence by its key."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with (EXPECTATIONS_DIR / "uploads.yaml").open(encoding="utf-8") as file:
        loaded = yaml.load(file, Loader=loader)  # noqa: S506  both loaders are the safe ones
    return {str(key): Wording(str(entry["zh"]), str(entry["en"])) for key, entry in loaded.items()}
