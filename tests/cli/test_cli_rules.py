"""`rules`: what a rule means, what it says, and how often it fired."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from pipelines.cli.exits import Exit
from pipelines.validation.catalogue import catalogue_entries

Run = Callable[..., Result]


def test_one_rule_is_shown_with_its_example_and_how_often_it_fired(city: Path, run: Run) -> None:
    result = run("--data", str(city), "rules", "〔h2〕", "--lang", "en")
    assert result.exit_code == Exit.OK
    assert "201.37" in result.stdout
    assert "in the last 12 months:" in result.stdout


def test_all_rules_are_listed_with_their_counts(city: Path, run: Run) -> None:
    content = json.loads(run("--data", str(city), "rules", "--json").stdout)
    assert [one["rule"] for one in content["rules"]] == list(catalogue_entries())
    assert len(content["months"]) == 12
    fired = {one["rule"]: one["fired"]["files"] for one in content["rules"]}
    assert 0 < max(fired.values()) < content["files"]
    assert sum(content["rules"][0]["fired"]["by_month"].values()) == fired["G01"]


def test_without_a_ledger_the_rules_are_shown_and_said_to_be_uncounted(tmp_path: Path, run: Run) -> None:
    result = run("--data", str(tmp_path / "none"), "rules", "H2", "--json")
    assert result.exit_code == Exit.OK
    assert json.loads(result.stdout)["rules"][0]["fired"] is None
    assert "账本" in result.stderr


def test_an_unknown_rule_is_a_mistake_in_the_command(city: Path, run: Run) -> None:
    result = run("--data", str(city), "rules", "H99")
    assert result.exit_code == Exit.USAGE
    assert "H99" in result.stderr
