"""The rule book is read strictly: an error names the file, the thing and the remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.findings import Severity
from pipelines.paths import EXPECTATIONS_DIR, SQL_DIR
from pipelines.validation.rules import ExplanationCover, InvalidRule, rule_book

GOOD = """
table: checks.sample
level: return
keys: [submission_id]
rules:
  - id: Z1
    severity: warning
    label: {zh: 样例, en: Sample}
    help: {zh: 帮助, en: Help}
    expect: expect_column_values_to_be_between
    with: {column: amount, min_value: 0}
    message: {zh: 填报, en: You entered}
"""
_HEADER_COLUMN = re.compile(r"-- column: ([a-z0-9_]+) \|")


def book_of(folder: Path, text: str, name: str = "checks/sample.yaml") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    rule_book(folder)


def test_a_good_rule_is_read_as_written(tmp_path: Path) -> None:
    book_of(tmp_path, GOOD)
    rule = rule_book(tmp_path).rule("Z1")
    assert rule.severity is Severity.WARNING
    assert rule.table == "checks.sample"
    assert rule.judged_columns == ("amount",)
    assert rule.help.en == "Help"


def test_an_explanation_covers_the_same_figure_for_a_year_unless_the_rule_says_otherwise(
    tmp_path: Path,
) -> None:
    book_of(tmp_path, GOOD)
    assert rule_book(tmp_path).rule("Z1").explanation_covers == ExplanationCover((), 12)
    other = tmp_path / "other"
    book_of(
        other,
        GOOD.replace("    help:", "    explanation_covers: {facts: [partner_code], months: 6}\n    help:"),
    )
    assert rule_book(other).rule("Z1").explanation_covers == ExplanationCover(("partner_code",), 6)


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        (
            "with: {column: amount, min_value: 0}",
            "with: {colunm: amount, min_value: 0}",
            "unknown key 'colunm'",
        ),
        ("min_value: 0}", "min_value: nought}", "Write a number"),
        ("with: {column: amount, min_value: 0}", "with: {column: amount}", "asks nothing"),
        ("expect_column_values_to_be_between", "expect_column_mean_to_be_between", "has no SQL twin"),
        ("severity: warning", "severity: serious", "Write critical, warning or info"),
        (
            "    help:",
            "    explanation_covers: {months: 0}\n    help:",
            "Write a whole number from 1",
        ),
        (
            "severity: warning",
            "severity: critical\n    explanation_covers: {facts: [amount]}",
            "explanation_covers is for warnings",
        ),
        ("en: You entered}", "en: ''}", "Write both languages"),
        ("    message: {zh: 填报, en: You entered}", "", "speaks to a clerk"),
        ("id: Z1", "id: r-1", "Write a capital letter"),
        ("column: amount", "column: 'amount; drop table x'", "the name of a column"),
        ("level: return", "level: cell", "Write return"),
        ("table: checks.sample", "table: checks.other", "Move the file or change `table`"),
        ("severity: warning", "severity: warning\n    yields_to: [Z2]", "which is no rule of this table"),
        ("severity: warning", "severity: warning\n    yields_to: [Z1]", "Break the circle"),
        ("severity: warning", "severity: warning\n    when: {column: amount}", "when has no bound"),
        ("rules:", "rule:", "unknown key 'rule'"),
    ],
)
def test_a_faulty_rule_is_refused_with_file_and_remedy(
    tmp_path: Path, good: str, bad: str, said: str
) -> None:
    assert good in GOOD
    with pytest.raises(InvalidRule) as refused:
        book_of(tmp_path, GOOD.replace(good, bad, 1))
    assert "expectations/checks/sample.yaml" in str(refused.value)
    assert said in str(refused.value)


def test_one_id_cannot_stand_in_two_files(tmp_path: Path) -> None:
    book_of(tmp_path, GOOD)
    rule_book.cache_clear()
    with pytest.raises(InvalidRule, match=r"Z1 is already defined in expectations/checks/sample\.yaml"):
        book_of(tmp_path, GOOD.replace("checks.sample", "core.sample"), "core/sample.yaml")


def test_the_hash_of_the_book_follows_its_content(tmp_path: Path) -> None:
    book_of(tmp_path / "one", GOOD)
    book_of(tmp_path / "two", GOOD.replace("min_value: 0", "min_value: 1"))
    book_of(tmp_path / "three", GOOD)
    hashes = [rule_book(tmp_path / name).content_hash for name in ("one", "two", "three")]
    assert hashes[0] != hashes[1]
    assert hashes[0] == hashes[2]


def test_all_sixteen_rules_of_the_review_are_in_the_book() -> None:
    ids = {rule.id for rule in rule_book()}
    for number in range(1, 9):
        assert any(re.fullmatch(f"H{number}[a-z]?", rule_id) for rule_id in ids), f"H{number}"
        assert any(re.fullmatch(f"Q{number}[a-z]?", rule_id) for rule_id in ids), f"Q{number}"


def test_hard_rules_are_critical_and_queries_are_not() -> None:
    queries_among_the_hard = {
        "H5b",
        "H5e",
        "H7d",
    }  # refunds, and a month that is not over: asked, not refused
    for rule in rule_book():
        if rule.id.startswith("H"):
            assert (rule.severity is Severity.CRITICAL) == (rule.id not in queries_among_the_hard), rule.id
        if rule.id.startswith("Q"):
            assert rule.severity is Severity.WARNING, rule.id


@pytest.mark.parametrize("rule_table", rule_book().tables, ids=lambda rule_table: rule_table.table)
def test_every_column_that_a_rule_names_is_promised_by_its_table(rule_table) -> None:  # type: ignore[no-untyped-def]
    schema, name = rule_table.table.split(".")
    columns = set(_HEADER_COLUMN.findall((SQL_DIR / schema / f"{name}.sql").read_text(encoding="utf-8")))
    for rule in rule_table.rules:
        named = [*rule.judged_columns, *rule.keys, *filter(None, [rule.explained_by])]
        named += rule.explanation_covers.facts
        if rule.level == "return":
            named += [rule.where.form, rule.where.sheet, rule.where.cell, "submission_id", "business_key"]
        assert set(named) <= columns, rule.id
        for name_in_text in rule.worded_columns:
            bilingual = {f"{name_in_text}_zh", f"{name_in_text}_en"}
            assert name_in_text in columns or bilingual <= columns, f"{rule.id}: {name_in_text}"


def test_every_rule_file_is_in_the_book() -> None:
    files = {path.relative_to(EXPECTATIONS_DIR).as_posix() for path in EXPECTATIONS_DIR.glob("*/*.yaml")}
    assert files == {f"{table.table.replace('.', '/')}.yaml" for table in rule_book().tables}
