"""`servtrade why` as a person or another program calls it."""

from __future__ import annotations

import json
import os
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from provenance_city import MONTH

from pipelines.cli.main import main
from pipelines.settings import Settings
from pipelines.warehouse.connection import current_snapshot

_CELL = ("publication.table_07", "row=mode_1", "column=ytd_total_usd", "--month", str(MONTH))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's settings, and what --data sets is taken back."""
    for name in list(os.environ):
        if name.startswith("SERVTRADE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SERVTRADE_DATA", "")


def _why(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), "why", *arguments])


def test_it_ends_with_zero_and_says_that_everything_adds_up(bureau: Settings) -> None:
    zh = _why(bureau.data_dir, *_CELL)
    en = _why(bureau.data_dir, *_CELL, "--lang", "en")
    assert (zh.exit_code, en.exit_code) == (0, 0)
    assert "与指标完全一致" in zh.stdout
    assert "sql/indicators/trade_by_mode.sql" in zh.stdout
    assert "docs/methods/trade_by_mode.md" in zh.stdout
    assert "exactly the indicator" in en.stdout
    assert "服务进出口!" in en.stdout  # the sheet is named as the file names it


def test_json_carries_every_leaf_and_they_add_up_to_the_printed_figure(bureau: Settings) -> None:
    answer = _why(bureau.data_dir, *_CELL, "--json", "--limit", "0")
    assert answer.exit_code == 0, answer.stderr
    content = json.loads(answer.stdout)
    assert content["schema_version"] == 1
    assert content["adds_up"] is True
    [part] = content["figure"]["parts"]
    assert len(part["leaves"]) == part["leaf_count"]
    total = sum(Decimal(leaf["amount"]) for leaf in part["leaves"])
    assert total == Decimal(content["figure"]["value"])
    # Modes are printed by largest remainder, so within one unit of the last decimal.
    printed = Decimal(content["printed"]["value"])
    assert abs(total / content["figure"]["per_printed_unit"] - printed) < Decimal("0.01")
    assert {leaf["line_id"] for leaf in part["leaves"]} == {
        f"{leaf['submission_id']}/{leaf['sheet']}!{leaf['cell']}" for leaf in part["leaves"]
    }


def test_limit_shows_some_and_counts_all(bureau: Settings) -> None:
    [part] = json.loads(_why(bureau.data_dir, *_CELL, "--json", "--limit", "3").stdout)["figure"]["parts"]
    assert len(part["leaves"]) == 3
    assert part["leaf_count"] > 3
    assert part["difference"] == "0"


@pytest.mark.parametrize(
    ("arguments", "listed"),
    [
        (("7", "row=mode_9", "column=ytd_total_usd"), "wto_2020s_mode_1"),
        (("7", "row=mode_1", "column=usd"), "ytd_imports_growth_pct"),
        (("77", "row=mode_1", "column=usd"), "table_09"),
        (("7",), "mode_1"),
        (("7", "mode_1"), "row=ROW"),
    ],
)
def test_what_does_not_exist_is_a_usage_error_that_lists_what_does(
    bureau: Settings, arguments: tuple[str, ...], listed: str
) -> None:
    answer = _why(bureau.data_dir, *arguments, "--month", str(MONTH), "--lang", "en")
    assert answer.exit_code == 2
    assert listed in answer.stderr
    assert answer.stdout == ""


def test_words_are_said_to_have_no_leaves(bureau: Settings) -> None:
    answer = _why(
        bureau.data_dir, "8", "row=headline_T004", "column=status", "--month", str(MONTH), "--lang", "en"
    )
    assert answer.exit_code == 0
    assert "words, not a figure" in answer.stdout
    assert "sql/reference/targets.csv" in answer.stdout


def test_a_month_without_a_draft_is_the_environments_fault(bureau: Settings) -> None:
    answer = _why(bureau.data_dir, "1", "row=total", "column=ytd_usd", "--month", "2019-03")
    assert answer.exit_code == 4
    assert "servtrade run --month 2019-03" in answer.stderr


def test_without_a_snapshot_it_says_what_to_run(bureau: Settings, tmp_path: Path) -> None:
    shutil.copytree(bureau.drafts_dir, tmp_path / "drafts")
    answer = _why(tmp_path, "1", "row=total", "column=ytd_usd", "--month", str(MONTH))
    assert answer.exit_code == 4
    assert "servtrade run --all" in answer.stderr or "统计任务" in answer.stderr


def test_a_sum_that_is_off_ends_with_one_and_names_the_difference(bureau: Settings, tmp_path: Path) -> None:
    shutil.copytree(bureau.drafts_dir, tmp_path / "drafts")
    shutil.copytree(bureau.snapshots_dir, tmp_path / "snapshots")
    copy = tmp_path / "snapshots" / current_snapshot(bureau).name
    copy.chmod(0o644)
    with duckdb.connect(str(copy)) as con:
        con.execute(
            "update core.service_trade set amount_usd = amount_usd + 1234.5 where line_id = "
            "(select min(line_id) from core.service_trade where month_start_date = '2020-01-01')"
        )
    answer = _why(tmp_path, "1", "row=total", "column=ytd_usd", "--month", str(MONTH))
    assert answer.exit_code == 1
    assert "相差 1,234.5 美元" in answer.stdout
    assert json.loads(_why(tmp_path, "1", "row=1", "column=ytd_usd", "--json").stdout)["adds_up"] is False
