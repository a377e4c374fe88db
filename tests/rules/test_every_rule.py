"""Every rule on returns and every finding of the reader has a sample that it stops and one that it lets pass.

The samples are data (`sample_data/broken_and_clean/*.yaml`), made into workbooks and filed at the door. A rule added
to `expectations/` without a pair there fails `test_no_rule_is_without_samples`; rules on whole tables are shown to
stop and to pass in `test_whole_tables`.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipelines.findings import Severity
from pipelines.intake.messages import catalogue
from pipelines.reception import workbench
from pipelines.validation.rules import Rule, rule_book
from sample_data.rule_samples import EXAMPLES_PATH, InvalidSample, Told, build, examples_text, samples, tell

SAMPLES = samples()

# What else is asked about a broken sample, because one mistake cannot be made without the other.
COMPANIONS = {
    "D3": {"D2"},  # the balance that is wrong stands in the sum of goods and services
    "H4c": {"Q7b"},  # 世界 names no partner
    "L05": {"Q8"},  # the contract that became offshore has no export
    "M02": {"M08"},  # fewer than none is nothing behind the revenue
    "M03": {"M07"},  # half a visit costs twice as much
    "P21": {"P26"},  # the row whose amount is merged away has none
    "P31": {"P12"},  # there must be hundreds of findings
    "Q13": {"Q3"},  # the amount is as before in another unit
}
# Rules whose fact is there only where it is wrong: passing them is having none.
KNOWN_ONLY_WHERE_WRONG = {"Q15"}


@pytest.fixture(scope="module")
def told() -> dict[str, Told]:
    """What was said of every sample."""
    return tell()


def test_no_rule_is_without_samples() -> None:
    rules = {rule.id for rule in rule_book() if rule.level == "return"}
    assert set(SAMPLES) == rules | set(catalogue().rules)


@pytest.mark.parametrize("rule_id", SAMPLES)
def test_a_broken_sample_is_stopped_at_its_cell_in_both_languages(
    told: dict[str, Told], rule_id: str
) -> None:
    one = told[rule_id]
    assert one.history == (), "a file filed before the sample was not accepted"
    found = one.example
    assert found is not None, (
        f"asked instead: {[(other.rule, other.sheet, other.cell) for other in one.broken]}"
    )
    if found.sheet:
        assert f"“{found.sheet}”" in found.message.zh
        assert f"“{found.sheet}”" in found.message.en
    assert found.message.zh.endswith(f"〔{rule_id}〕")
    assert found.message.en.endswith(f"[{rule_id}]")
    assert "{" not in found.message.zh + found.message.en + found.given + found.expected
    assert "（空）" not in found.message.zh
    rules = {rule.id: rule.severity for rule in rule_book()} | {
        rule.rule: rule.severity for rule in catalogue().rules.values()
    }
    assert found.severity is rules[rule_id]


@pytest.mark.parametrize("rule_id", SAMPLES)
def test_a_broken_sample_is_asked_about_by_its_own_rule_and_no_other(
    told: dict[str, Told], rule_id: str
) -> None:
    assert {one.rule for one in told[rule_id].broken} == {rule_id} | COMPANIONS.get(rule_id, set())


def judged(rule: Rule) -> Rule:
    """A rule that speaks of every row it judges, right or wrong, and holds nothing up."""
    return replace(
        rule,
        severity=Severity.INFO,
        yields_to=(),
        expectation="expect_column_values_to_be_null",
        arguments={"column": rule.arguments["column"]},
    )


def test_a_clean_sample_is_judged_by_its_rule_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    book = rule_book()
    of_returns = {rule.id for rule in book if rule.level == "return"} - KNOWN_ONLY_WHERE_WRONG
    tables = [
        replace(table, rules=tuple(map(judged, table.rules))) if table.level == "return" else table
        for table in book.tables
    ]
    monkeypatch.setattr(workbench, "rule_book", lambda: replace(book, tables=tuple(tables)))
    speaking = tell({rule: one for rule, one in SAMPLES.items() if rule in of_returns})
    unjudged = [rule for rule, one in speaking.items() if rule not in {found.rule for found in one.clean}]
    assert unjudged == [], "the fact is unknown or out of scope: the sample would pass whatever the rule says"


@pytest.mark.parametrize("rule_id", SAMPLES)
def test_a_clean_sample_raises_no_question_of_the_rule_and_is_not_refused(
    told: dict[str, Told], rule_id: str
) -> None:
    clean = told[rule_id].clean
    assert rule_id not in {found.rule for found in clean}
    assert [found for found in clean if found.severity is Severity.CRITICAL] == []


# Quoted as it stands in the cell, or as an example of what may be typed.
QUOTED = re.compile(r"“[^”]*”|YYYY-MM|2026年3月 or 2026-03")
CODE_OF_A_PERIOD = re.compile(r"\b[0-9]{4}-(?:[0-9]{2}(?![0-9]|-[0-9])|[QHM][0-9])")


@pytest.mark.parametrize("rule_id", SAMPLES)
def test_no_sentence_names_a_period_by_its_code(told: dict[str, Told], rule_id: str) -> None:
    for one in told[rule_id].broken:
        for text in (one.message.zh, one.message.en):
            assert CODE_OF_A_PERIOD.findall(QUOTED.sub("", text)) == [], text


def test_the_examples_of_the_catalogue_are_what_the_rules_say_today(told: dict[str, Told]) -> None:
    assert EXAMPLES_PATH.read_text(encoding="utf-8") == examples_text(told), (
        "run: python -m sample_data.rule_samples"
    )


def test_a_sample_is_the_same_file_every_time() -> None:
    described = SAMPLES["H2"].broken
    assert build(described, "91420100MA4K00001U", "样例") == build(described, "91420100MA4K00001U", "样例")


def test_a_sample_that_names_a_column_the_form_has_not_is_refused() -> None:
    with pytest.raises(InvalidSample, match="expport"):
        build({"FM-2": "item_code|partner_code|expport\nSJ35|USA|1"}, "91420100MA4K00001U", "样例")
