"""The door, written by others from the same brief, finds what was planted and lets everything else pass."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from generated_city import City

from pipelines.cli.commands.register import register_rows
from pipelines.ledger import open_ledger
from pipelines.reception import IncomingFile, Reception
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.reception import FileResult


@pytest.fixture(scope="module")
def results(city: City, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, FileResult]:
    """Every file of the city through the door in the order of arrival, by path."""
    settings = Settings.from_environment({"SERVTRADE_DATA": str(tmp_path_factory.mktemp("data"))})
    rows, problems = register_rows(city.folder / "register.csv")
    assert not problems
    with open_ledger(settings.ledger_url) as ledger:
        ledger.import_register(rows)
        with Reception(settings, ledger) as door:
            filed = door.submit(
                [
                    IncomingFile(name=Path(path).name, path=city.folder / path, received_at=received_at)
                    for path, received_at in city.filings
                ],
                channel="test",
                received_by="test",
            )
    return {path: result for (path, _), result in zip(city.filings, filed, strict=True)}


def test_every_file_without_a_planted_error_is_accepted(
    city: City, results: Mapping[str, FileResult]
) -> None:
    blamed = {truth["file"] for truth in city.truths if truth["is_error"]}
    held = {
        path: [(finding.rule, finding.sheet, finding.cell, finding.message.en) for finding in result.findings]
        for path, result in results.items()
        if path not in blamed and result.verdict.value != "accepted"
    }
    assert held == {}


def test_every_planted_error_is_noticed_by_its_rule_and_gets_its_verdict(
    city: City, results: Mapping[str, FileResult]
) -> None:
    planted = [truth for truth in city.truths if truth["is_error"] and truth["file"]]
    assert len({truth["kind"] for truth in planted}) > 20
    missed = []
    for truth in planted:
        result = results[truth["file"]]
        rules = {finding.rule for finding in result.findings}
        if truth["rule"] not in rules or result.verdict.value != truth["verdict"]:
            missed.append((truth["kind"], truth["rule"], truth["file"], sorted(rules), result.verdict.value))
    assert missed == []


def test_figures_planted_wrong_are_named_by_their_cell(city: City, results: Mapping[str, FileResult]) -> None:
    for truth in city.truths:
        # A missing unit or mark has no cell of its own to blame; every rule may choose where it points.
        if truth["is_error"] and truth["cell"] and truth["kind"] not in ("no_unit", "unmarked_resubmission"):
            cells = {
                (finding.sheet, finding.cell)
                for finding in results[truth["file"]].findings
                if finding.rule == truth["rule"]
            }
            assert (truth["sheet"], truth["cell"]) in cells, truth


def test_the_same_bytes_filed_twice_are_one_submission(city: City, results: Mapping[str, FileResult]) -> None:
    duplicates = [truth["file"] for truth in city.truths if truth["kind"] == "exact_duplicate"]
    assert duplicates
    assert all(results[path].is_duplicate for path in duplicates)
