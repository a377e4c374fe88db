"""A month's folder: complete, reproducible, replaced whole or not at all, readable without the warehouse."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from publication_city import MONTH, Warehouse

from pipelines.paths import EXPECTATIONS_DIR, REFERENCE_DIR
from pipelines.periods import Month
from pipelines.publication import drafts
from pipelines.publication.drafts import (
    MANIFEST,
    PUBLICATION_TABLES,
    DraftUnavailable,
    draft_months,
    read_manifest,
    read_table,
    workbook_name,
    write_month,
)
from pipelines.settings import Settings

INPUTS = [{"submission_id": "a" * 20, "kind": "return", "sha256": "a" * 64}]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, ledger_url="")


def folder_bytes(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (settings.drafts_dir / str(MONTH)).iterdir()}


def test_a_draft_holds_the_workbook_and_every_table_as_parquet_and_csv(
    city: Warehouse, settings: Settings
) -> None:
    write_month(settings, city.con, MONTH, INPUTS)
    expected = {workbook_name(MONTH), MANIFEST}
    expected |= {f"{name}.{kind}" for name in PUBLICATION_TABLES for kind in ("parquet", "csv")}
    assert set(folder_bytes(settings)) == expected
    assert workbook_name(MONTH) == "服务贸易统计表_2020-12.xlsx"


def test_the_manifest_names_every_file_input_reference_table_and_rule_with_its_hash(
    city: Warehouse, settings: Settings
) -> None:
    manifest = write_month(settings, city.con, MONTH, INPUTS)
    files = folder_bytes(settings)
    written = json.loads(files.pop(MANIFEST))
    assert written["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert written["inputs"] == INPUTS
    assert set(written["reference"]) == {path.name for path in REFERENCE_DIR.glob("*.csv")}
    assert set(written["rules"]) == {
        path.relative_to(EXPECTATIONS_DIR).as_posix() for path in EXPECTATIONS_DIR.glob("**/*.yaml")
    }
    assert written["queries"]["publication/table_01.sql"]
    assert written["snapshot_id"] == manifest.snapshot_id
    assert written["is_preliminary"] is True


def test_the_same_inputs_give_the_same_bytes(city: Warehouse, tmp_path: Path) -> None:
    folders = []
    for name in ("one", "two"):
        settings = Settings(data_dir=tmp_path / name, ledger_url="")
        write_month(settings, city.con, MONTH, INPUTS)
        folders.append(folder_bytes(settings))
    assert folders[0] == folders[1]


def test_another_figure_or_another_input_is_another_snapshot(
    warehouse: Warehouse, settings: Settings
) -> None:
    warehouse.build()
    first = write_month(settings, warehouse.con, MONTH, INPUTS).snapshot_id
    second = write_month(settings, warehouse.con, MONTH, [{**INPUTS[0], "sha256": "b" * 64}]).snapshot_id
    warehouse.update("indicators.trade_total", "amount = amount + 100000000", "true")
    warehouse.build()
    third = write_month(settings, warehouse.con, MONTH, INPUTS).snapshot_id
    assert len({first, second, third}) == 3


def test_without_a_list_the_inputs_are_the_accepted_files_of_this_year_and_the_last(
    warehouse: Warehouse, settings: Settings
) -> None:
    warehouse.build()
    warehouse.con.execute("create schema raw")
    warehouse.con.execute(
        "create table raw.submission as select * from (values "
        "('new', 'return', 's1', date '2020-12-01', true, 1), ('base', 'return', 's2', date '2019-01-01', true, 2), "
        "('older', 'return', 's3', date '2018-12-01', true, 3), ('later', 'return', 's4', date '2021-01-01', true, 4), "
        "('refused', 'return', 's5', date '2020-12-01', false, 5), "
        "('targets', 'department', 's6', date '2017-12-01', true, 6), "
        "('replaced', 'department', 's8', date '2020-12-01', false, 7), "
        "('revised', 'department', 's7', date '2020-12-01', true, 9)) "
        "as t(submission_id, kind, sha256, month_start_date, is_current_accepted, sequence)"
    )
    warehouse.con.execute("create table raw.month_closing (month_start_date date, closed_sequence bigint)")
    warehouse.con.execute(
        "create table raw.department_at_closing (month_start_date date, submission_id text)"
    )

    def inputs() -> list[str]:
        manifest = write_month(settings, warehouse.con, MONTH)
        return sorted(item["submission_id"] for item in manifest.content["inputs"])

    assert inputs() == ["base", "new", "revised", "targets"]
    # A table that came after the closing is none of the month's inputs; the one that it replaced is.
    warehouse.con.execute("insert into raw.month_closing values (date '2020-12-01', 8)")
    warehouse.con.execute(
        "insert into raw.department_at_closing values (date '2020-12-01', 'targets'), (date '2020-12-01', 'replaced')"
    )
    assert inputs() == ["base", "new", "replaced", "targets"]


def test_a_table_is_read_from_the_draft_as_it_was_printed(city: Warehouse, settings: Settings) -> None:
    write_month(settings, city.con, MONTH, INPUTS)
    for number, name in enumerate(PUBLICATION_TABLES[:-1], start=1):
        assert read_table(settings, name, MONTH) == city.table(number)


def test_parquet_keeps_figures_exact_and_dates_dates(city: Warehouse, settings: Settings) -> None:
    write_month(settings, city.con, MONTH, INPUTS)
    schema = pq.read_schema(settings.drafts_dir / str(MONTH) / "table_01.parquet")
    assert str(schema.field("value").type) == "decimal128(24, 6)"
    assert str(schema.field("month_start_date").type) == "date32[day]"


def test_a_month_without_a_draft_says_what_to_run(settings: Settings) -> None:
    with pytest.raises(DraftUnavailable) as told:
        read_table(settings, "table_01", MONTH)
    assert "servtrade run --month 2020-12" in told.value.wording.zh
    assert "servtrade run --month 2020-12" in told.value.wording.en
    assert draft_months(settings) == []


def test_a_file_that_was_changed_by_hand_is_not_read(city: Warehouse, settings: Settings) -> None:
    write_month(settings, city.con, MONTH, INPUTS)
    path = settings.drafts_dir / str(MONTH) / "table_01.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DraftUnavailable, match=r"table_01\.parquet"):
        read_table(settings, "table_01", MONTH)
    read_table(settings, "table_02", MONTH)


def test_months_are_listed_in_order(city: Warehouse, settings: Settings) -> None:
    write_month(settings, city.con, MONTH, INPUTS)
    write_month(settings, city.con, Month(2020, 2), INPUTS)
    (settings.drafts_dir / "held").mkdir()
    assert draft_months(settings) == [Month(2020, 2), MONTH]


def test_a_write_that_dies_half_way_leaves_the_old_folder_whole(
    warehouse: Warehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.build()
    write_month(settings, warehouse.con, MONTH, INPUTS)
    before = folder_bytes(settings)
    warehouse.update("indicators.trade_total", "amount = amount + 100000000", "true")
    warehouse.build()

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drafts, "_replace_folder", killed)
    with pytest.raises(KeyboardInterrupt):
        write_month(settings, warehouse.con, MONTH, INPUTS)
    assert folder_bytes(settings) == before
    monkeypatch.undo()
    write_month(settings, warehouse.con, MONTH, INPUTS)
    assert folder_bytes(settings) != before


def test_what_a_killed_write_left_behind_is_cleared_by_the_next(city: Warehouse, settings: Settings) -> None:
    leftover = settings.drafts_dir / f".{MONTH}.new-1"
    leftover.mkdir(parents=True)
    (leftover / "table_01.csv").write_text("half a li")
    write_month(settings, city.con, MONTH, INPUTS)
    assert [path.name for path in settings.drafts_dir.iterdir()] == [str(MONTH)]


def test_where_two_names_cannot_be_exchanged_the_folder_is_replaced_in_two_steps(
    city: Warehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "_exchange", lambda *_: False)
    write_month(settings, city.con, MONTH, INPUTS)
    before = read_manifest(settings, MONTH)
    write_month(settings, city.con, MONTH, [])
    assert read_manifest(settings, MONTH).snapshot_id != before.snapshot_id
    assert [path.name for path in settings.drafts_dir.iterdir()] == [str(MONTH)]


def test_between_the_two_steps_the_old_folder_is_still_read_and_then_put_back(
    city: Warehouse, settings: Settings
) -> None:
    write_month(settings, city.con, MONTH, INPUTS)
    folder = settings.drafts_dir / str(MONTH)
    os.rename(folder, settings.drafts_dir / f".{MONTH}.old")  # noqa: PTH104 - killed here
    assert read_table(settings, "table_01", MONTH).rows
    write_month(settings, city.con, MONTH, INPUTS)
    assert [path.name for path in settings.drafts_dir.iterdir()] == [str(MONTH)]
