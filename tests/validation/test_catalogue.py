"""docs/rules.md is what the rules say today."""

from __future__ import annotations

import json

from pipelines.intake.messages import catalogue
from pipelines.validation.catalogue import PAGE_PATH, catalogue_entries, catalogue_page
from pipelines.validation.rules import ExplanationCover, rule_book


def test_the_catalogue_page_is_current() -> None:
    said = PAGE_PATH.read_text(encoding="utf-8")
    assert said == catalogue_page(), "run: python -m pipelines.validation.catalogue"


def test_every_rule_stands_on_the_page_with_both_labels() -> None:
    page = catalogue_page()
    for rule in rule_book():
        assert f"| {rule.id} |" in page
        assert rule.label.zh in page
        assert rule.label.en in page


def test_every_rule_is_in_the_catalogue_and_every_one_that_speaks_to_a_clerk_has_an_example() -> None:
    entries = catalogue_entries()
    assert set(entries) == {rule.id for rule in rule_book()} | set(catalogue().rules)
    for entry in entries.values():
        assert (entry.example is None) == (entry.kind == "table"), entry.rule


def test_only_warnings_say_what_an_explanation_covers() -> None:
    entries = catalogue_entries()
    assert entries["H2"].covers is None
    assert entries["Q6"].covers == ExplanationCover(("item_code", "industry_code"), 12)
    assert entries["Q13"].covers == ExplanationCover((), 12)


def test_an_entry_goes_into_json_whole() -> None:
    entry = json.loads(json.dumps(catalogue_entries()["H3"].as_json(), ensure_ascii=False))
    assert entry["example"]["cell"] == "D12"
    assert "100.12" in entry["example"]["message"]["zh"]
    assert entry["sources"] == ["expectations/checks/return_total.yaml", "sql/checks/return_total.sql"]
