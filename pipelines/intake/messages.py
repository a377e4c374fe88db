"""The reader's words: findings and fixes from one catalogue, `expectations/reader.yaml`, in both languages.

What a finding is about comes from the parser; how it is said is data. No rule is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import yaml

from pipelines.findings import Finding, Fix, Severity, Wording
from pipelines.paths import EXPECTATIONS_DIR
from pipelines.periods import Month, Period, period_name

_ADDRESS = re.compile(r"([A-Z]+)(\d+)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_GIVEN_LENGTH = 80


class InvalidCatalogue(ValueError):
    """expectations/reader.yaml cannot be used; the message names the entry and the remedy."""


@dataclass(frozen=True, slots=True)
class ReaderRule:
    """One kind of finding of the reader."""

    rule: str
    severity: Severity
    label: Wording
    message: Wording
    expected: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything the reader can say."""

    rules: Mapping[str, ReaderRule]
    fixes: Mapping[str, Wording]
    words: Mapping[str, Mapping[str, Wording]]


@cache
def catalogue() -> Catalogue:
    """The catalogue, checked. Raises InvalidCatalogue."""
    path = EXPECTATIONS_DIR / "reader.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        loaded = yaml.load(file, Loader=loader)  # noqa: S506  both loaders are the safe ones
    rules: dict[str, ReaderRule] = {}
    for entry in loaded["findings"]:
        name = str(entry["id"])
        if name in rules:
            raise InvalidCatalogue(f"reader.yaml: {name} stands twice. Remove one.")
        rules[name] = ReaderRule(
            rule=name,
            severity=Severity(entry["severity"]),
            label=_wording(entry["label"], name),
            message=_wording(entry["message"], name),
            expected=str(entry.get("expected", "")),
        )
    return Catalogue(
        rules=rules,
        fixes={str(name): _wording(text, str(name)) for name, text in loaded["fixes"].items()},
        words={
            str(group): {str(name): _wording(text, f"{group}.{name}") for name, text in entries.items()}
            for group, entries in loaded["words"].items()
        },
    )


def _wording(entry: Any, name: str) -> Wording:
    if not isinstance(entry, dict) or set(entry) != {"zh", "en"}:
        raise InvalidCatalogue(f"reader.yaml: {name} must have zh and en.")
    return Wording(str(entry["zh"]), str(entry["en"]))


def shown(text: str) -> str:
    """What somebody wrote, fit to stand in a message: no control or direction marks, at most 80 characters."""
    clean = _UNPRINTABLE.sub(" ", text).strip()
    return clean if len(clean) <= _GIVEN_LENGTH else clean[: _GIVEN_LENGTH - 1] + "…"


def finding(
    rule: str,
    *,
    sheet: str = "",
    cell: str = "",
    label: Wording | None = None,
    given: str = "",
    expected: str | None = None,
    key: str = "",
    form_code: str = "",
    words: Mapping[str, Any] | None = None,
) -> Finding:
    """One finding in the words of the catalogue.

    `label` names the field in both languages; `words` are further placeholders, and stand in the sentence in place of
    `given` and `expected` where they name these: a `Wording` gives each language its own, a Period or Month is written
    as people do, anything else is the same in both. The place and the rule's id are added here, not in the catalogue.
    """
    entry = catalogue().rules[rule]
    given = shown(given)
    expected = entry.expected if expected is None else expected
    zh: dict[str, Any] = {
        "given": given or "（空白）",
        "expected": expected,
        "label": label.zh if label else "",
    }
    en: dict[str, Any] = {
        "given": given or "(blank)",
        "expected": expected,
        "label": label.en if label else "",
    }
    for name, word in (words or {}).items():
        zh[name] = _in(word, "zh")
        en[name] = _in(word, "en")
    place = _place(sheet, cell, label)
    return Finding(
        rule=rule,
        severity=entry.severity,
        message=Wording(
            f"{place.zh}{entry.message.zh.format_map(zh)}〔{rule}〕",
            f"{place.en}{entry.message.en.format_map(en)} [{rule}]",
        ),
        form_code=form_code,
        sheet=sheet,
        cell=cell,
        key=key,
        given=given,
        expected=expected,
    )


def _in(word: Any, language: str) -> Any:
    if isinstance(word, Wording):
        return word.zh if language == "zh" else word.en
    return period_name(word, language) if isinstance(word, Month | Period) else word


def _place(sheet: str, cell: str, label: Wording | None) -> Wording:
    """表“服务进出口”第 12 行 D 列（出口 本月）： / Sheet “服务进出口”, row 12, column D (exports of the month): ."""
    name = shown(sheet)
    if not name:
        return Wording("", "")
    match = _ADDRESS.fullmatch(cell)
    zh, en = f"表“{name}”", f"Sheet “{name}”"
    if match:
        zh += f"第 {match[2]} 行 {match[1]} 列"
        en += f", row {match[2]}, column {match[1]}"
    if label is not None:
        zh += f"（{label.zh}）"
        en += f" ({label.en})"
    return Wording(f"{zh}：", f"{en}: ")


def fix(sheet: str, cell: str, given: str, read_as: str, reasons: tuple[str, ...]) -> Fix:
    """One leniency; several reasons in one cell make one fix."""
    return Fix(sheet, cell, given, read_as, _reasons(reasons))


@lru_cache(maxsize=1024)
def _reasons(reasons: tuple[str, ...]) -> Wording:
    texts = [catalogue().fixes[reason] for reason in reasons]
    return Wording("；".join(text.zh for text in texts), "; ".join(text.en for text in texts))


def word(group: str, name: str) -> Wording:
    """A word of the catalogue that messages share, such as what kind of file a refused one is."""
    return catalogue().words[group][name]
