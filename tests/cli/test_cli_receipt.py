"""`receipt`: of a filing, by its number or its id."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from conftest import CityFiles

Run = Callable[..., Result]


@pytest.fixture
def filed(office: Path, files: CityFiles, run: Run) -> dict[str, str]:
    """Facts of the receipt of an accepted return."""
    del office
    [result] = json.loads(run("submit", str(files.accepted), "--json").stdout)["files"]
    return json.loads(run("receipt", result["submission_id"], "--json").stdout)


def test_a_receipt_is_found_by_number_by_id_and_by_the_beginning_of_the_id(
    filed: dict[str, str], run: Run
) -> None:
    assert filed["receipt_number"].startswith("2019-03-")
    assert filed["received_at"].endswith("+08:00")
    for name in (filed["receipt_number"], filed["submission_id"][:8]):
        assert json.loads(run("receipt", name, "--json").stdout) == filed


def test_the_pdf_is_written_once_and_is_the_same_each_time(
    filed: dict[str, str], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    number = filed["receipt_number"]
    first = run("receipt", number)
    assert (first.exit_code, first.stdout.strip()) == (0, f"回执_{number}.pdf")
    content = (tmp_path / f"回执_{number}.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    again = run("receipt", number)
    assert again.exit_code == 5
    assert "--force" in again.stderr
    assert run("receipt", number, "--force").exit_code == 0
    assert (tmp_path / f"回执_{number}.pdf").read_bytes() == content
    assert run("receipt", number, "--out", "-").stdout_bytes == content


@pytest.mark.parametrize("name", ["2019-03-999999", "ffffffff", "../../etc/passwd"])
def test_what_was_never_filed_has_no_receipt(filed: dict[str, str], run: Run, name: str) -> None:
    del filed
    result = run("receipt", name)
    assert result.exit_code == 2
    assert name in result.stderr
    assert "Traceback" not in result.stderr
