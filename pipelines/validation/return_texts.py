"""The text with which a return is sent back (退回): one line a rule with its cells, to which the reviewer adds.

Deciding to send back is the ledger's; here are only the words, out of `expectations/messages.yaml` and the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.findings import Finding, Severity, Wording
from pipelines.paths import EXPECTATIONS_DIR
from pipelines.validation.rules import InvalidRule, rule_book

_MOST_PLACES = 8
_WORDS = ("opening", "critical", "warning", "more", "whole")


def return_text(findings: Iterable[Finding], note: str = "") -> Wording:
    """What to write to the enterprise about these findings, errors first; `note` is the reviewer's own and comes last.

    Findings that ask for nothing (info) are left out. Without any only the note is given back.
    """
    by_rule: dict[str, list[Finding]] = {}
    for finding in sorted(
        (one for one in findings if one.severity is not Severity.INFO),
        key=lambda one: one.severity is not Severity.CRITICAL,
    ):
        by_rule.setdefault(finding.rule, []).append(finding)
    note = note.strip()
    if not by_rule:
        return Wording(note, note)
    return Wording(_text(by_rule, note, "zh"), _text(by_rule, note, "en"))


def _text(by_rule: Mapping[str, list[Finding]], note: str, language: str) -> str:
    words = {name: getattr(wording, language) for name, wording in _words().items()}
    lines = [words["opening"]]
    for number, (rule_id, members) in enumerate(by_rule.items(), start=1):
        kind = "critical" if members[0].severity is Severity.CRITICAL else "warning"
        lines.append(
            words[kind].format(
                number=number,
                label=getattr(_label(members[0]), language),
                places=_places(members, words, language),
                id=rule_id,
            )
        )
    return "\n".join([*lines, *([note] if note else [])])


def _places(members: list[Finding], words: Mapping[str, str], language: str) -> str:
    places = list(dict.fromkeys(f"{one.sheet} {one.cell}" if one.cell else one.sheet for one in members))
    named = [place for place in places if place]
    if not named:
        return words["whole"]
    comma = "、" if language == "zh" else ", "
    shown = comma.join(named[:_MOST_PLACES])
    return shown if len(named) <= _MOST_PLACES else shown + words["more"].format(count=len(named))


def _label(finding: Finding) -> Wording:
    """The rule in a few words; for what is no rule of the book the message itself, without its end."""
    labels = _labels()
    if finding.rule in labels:
        return labels[finding.rule]
    return Wording(finding.message.zh.rstrip("。"), finding.message.en.rstrip("."))


@lru_cache(maxsize=1)
def _labels() -> dict[str, Wording]:
    labels = {rule.id: rule.label for rule in rule_book()}
    reader = _read("reader.yaml")
    for entry in reader["findings"]:
        labels[str(entry["id"])] = Wording(str(entry["label"]["zh"]), str(entry["label"]["en"]))
    return labels


@lru_cache(maxsize=1)
def _words() -> dict[str, Wording]:
    found = _read("messages.yaml").get("return_text")
    if not isinstance(found, dict) or any(set(found.get(name) or {}) != {"zh", "en"} for name in _WORDS):
        raise InvalidRule(f"messages.yaml: return_text needs {', '.join(_WORDS)}, each with zh and en.")
    return {name: Wording(str(found[name]["zh"]), str(found[name]["en"])) for name in _WORDS}


def _read(name: str, folder: Path = EXPECTATIONS_DIR) -> dict[str, Any]:
    document = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise InvalidRule(f"{name}: holds no entries. Restore it.")
    return document
