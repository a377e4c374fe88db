"""Rules of the verdict as limits that a blank form can show while it is filled.

`expectations/form_limits.yaml` says which rules and how their fact is computed from the cells of a row; severity,
wording and bounds come from the rule itself, so that form and verdict cannot drift apart. How a limit looks on a
sheet is not decided here.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.form_limits import FormLimit
from pipelines.paths import EXPECTATIONS_DIR
from pipelines.validation.rules import InvalidRule, Rule, RuleBook, rule_book

_KEYS = {
    "rule", "form", "fields", "fact", "only_if", "min_value", "max_value", "forbidden_codes", "because"
}  # fmt: skip
_BETWEEN = "expect_column_values_to_be_between"
_NOT_IN_SET = "expect_column_values_to_not_be_in_set"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_KNOWN_PLACEHOLDER = re.compile(r"self|unit_multiplier|[a-z][a-z0-9_]*(?::column)?")


@cache
def form_limits(folder: Path = EXPECTATIONS_DIR) -> tuple[FormLimit, ...]:
    """All limits, in the order of the file. Raises InvalidRule naming the entry and the remedy."""
    path = folder / "form_limits.yaml"
    with path.open(encoding="utf-8") as file:
        loaded = yaml.safe_load(file)
    if not isinstance(loaded, dict) or not isinstance(loaded.get("limits"), list):
        raise InvalidRule(f"{path.name}: expected limits, a list with one entry a limit.")
    book = rule_book(folder)
    return tuple(
        _limit(f"{path.name}, entry {number}", entry, book)
        for number, entry in enumerate(loaded["limits"], start=1)
    )


def _limit(place: str, entry: Any, book: RuleBook) -> FormLimit:
    if not isinstance(entry, dict) or not {"rule", "form", "fields"} <= set(entry):
        raise InvalidRule(f"{place}: expected rule, form and fields.")
    unknown = set(entry) - _KEYS
    if unknown:
        raise InvalidRule(
            f"{place}: unknown key {sorted(unknown)[0]!r}. Known keys: {', '.join(sorted(_KEYS))}."
        )
    place = f"{place} ({entry['rule']} on {entry['form']})"
    try:
        rule = book.rule(str(entry["rule"]))
    except KeyError:
        raise InvalidRule(
            f"{place}: there is no rule {entry['rule']}. Mend the id or remove the entry."
        ) from None
    fields = entry["fields"]
    if not isinstance(fields, list) or not fields:
        raise InvalidRule(f"{place}: fields must be a list of fields of the form.")
    texts = {name: str(entry.get(name, "")) for name in ("fact", "only_if")}
    for name, text in texts.items():
        for match in _PLACEHOLDER.finditer(text):
            if _KNOWN_PLACEHOLDER.fullmatch(match[1]) is None:
                raise InvalidRule(f"{place}: {name} holds {match[0]}. Write a field, or {{self}}.")
    common: dict[str, Any] = {
        "rule": rule.id,
        "severity": rule.severity,
        "form_code": str(entry["form"]),
        "fields": tuple(str(field) for field in fields),
        "label": rule.label,
        "fact": texts["fact"] or "{self}",
        "only_if": texts["only_if"],
    }
    if rule.expectation == _NOT_IN_SET:
        codes = tuple(str(code) for code in rule.arguments["value_set"])
        return FormLimit(**common, forbidden_codes=codes)
    if "forbidden_codes" in entry:
        _expect_reason(place, entry)
        return FormLimit(**common, forbidden_codes=tuple(str(code) for code in entry["forbidden_codes"]))
    return FormLimit(**common, **_bounds(place, entry, rule))


def _expect_reason(place: str, entry: dict[str, Any]) -> None:
    if "because" not in entry:
        raise InvalidRule(
            f"{place}: what is not the rule's own needs because: say how it follows from the rule."
        )


def _bounds(place: str, entry: dict[str, Any], rule: Rule) -> dict[str, Any]:
    if "min_value" in entry or "max_value" in entry:
        _expect_reason(place, entry)
        return {"min_value": entry.get("min_value"), "max_value": entry.get("max_value")}
    if rule.expectation != _BETWEEN:
        raise InvalidRule(
            f"{place}: {rule.expectation} has no bounds that a cell could show. Give min_value or max_value, and because."
        )
    return {
        "min_value": rule.arguments.get("min_value"),
        "max_value": rule.arguments.get("max_value"),
        "is_min_strict": bool(rule.arguments.get("strict_min", False)),
        "is_max_strict": bool(rule.arguments.get("strict_max", False)),
    }
