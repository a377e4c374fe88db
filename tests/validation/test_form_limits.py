"""Limits of blank forms: they are the rules' own, and what does not fit a rule is refused with its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.paths import EXPECTATIONS_DIR
from pipelines.validation.form_limits import form_limits
from pipelines.validation.rules import InvalidRule, rule_book


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXPECTATIONS_DIR, tmp_path / "expectations"))


def write(folder: Path, entry: str) -> Path:
    (folder / "form_limits.yaml").write_text(f"limits:\n  - {entry}\n", encoding="utf-8")
    return folder


def test_severity_label_and_bounds_are_those_of_the_rule() -> None:
    shares = next(limit for limit in form_limits() if limit.rule == "H6")
    rule = rule_book().rule("H6")
    assert (shares.severity, shares.label) == (rule.severity, rule.label)
    assert (
        (shares.min_value, shares.max_value)
        == (rule.arguments["min_value"], rule.arguments["max_value"])
        == (0, 100)
    )


def test_a_bound_changed_in_the_rule_is_changed_in_the_form(folder: Path) -> None:
    path = folder / "checks" / "service_trade_share.yaml"
    changed = path.read_text(encoding="utf-8").replace(
        "min_value: 0, max_value: 100", "min_value: 1, max_value: 99"
    )
    path.write_text(changed, encoding="utf-8")
    shares = next(limit for limit in form_limits(folder) if limit.rule == "H6")
    assert (shares.min_value, shares.max_value) == (1, 99)


def test_a_strict_bound_stays_strict() -> None:
    holding = next(limit for limit in form_limits() if limit.rule == "A01")
    assert (holding.min_value, holding.is_min_strict, holding.is_max_strict) == (50, True, False)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{rule: ZZ9, form: FM-2, fields: [export]}", "no rule ZZ9"),
        ("{rule: H6, form: FM-2}", "rule, form and fields"),
        ("{rule: H6, form: FM-2, fields: []}", "fields must be a list"),
        ("{rule: H6, form: FM-2, fields: [export], colour: red}", "unknown key 'colour'"),
        ("{rule: H6, form: FM-2, fields: [export], fact: '{Export}'}", "holds {Export}"),
        ("{rule: H6, form: FM-2, fields: [export], max_value: 5}", "because"),
        ("{rule: A05, form: FM-4, fields: [partner_code], forbidden_codes: [CHN]}", "because"),
        ("{rule: H1b, form: FM-2, fields: [export]}", "no bounds that a cell could show"),
    ],
)  # fmt: skip
def test_an_entry_that_fits_no_rule_is_refused_with_its_place(folder: Path, entry: str, said: str) -> None:
    with pytest.raises(InvalidRule) as refused:
        form_limits(write(folder, entry))
    assert "form_limits.yaml, entry 1" in str(refused.value)
    assert said in str(refused.value)
