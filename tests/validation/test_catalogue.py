"""docs/rules.md is what the rules say today."""

from __future__ import annotations

from pipelines.validation.catalogue import PAGE_PATH, catalogue_page
from pipelines.validation.rules import rule_book


def test_the_catalogue_page_is_current() -> None:
    said = PAGE_PATH.read_text(encoding="utf-8")
    assert said == catalogue_page(), "run: python -m pipelines.validation.catalogue"


def test_every_rule_stands_on_the_page_with_both_labels() -> None:
    page = catalogue_page()
    for rule in rule_book():
        assert f"| {rule.id} |" in page
        assert rule.label.zh in page
        assert rule.label.en in page
