"""The warehouse is a cache: built again from the stores it gives every published byte back."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from computed_city import servtrade

from pipelines.publication.drafts import PUBLICATION_TABLES
from pipelines.settings import Settings
from pipelines.warehouse.connection import current_snapshot, snapshot

ENTERPRISES, MONTHS = 8, 13
COMPARED = ("2019-06", "2020-01")  # a year's middle, and the first month that has a year before it


def settings_of(data: Path) -> Settings:
    return Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}")


def drafts_of(data: Path, month: str) -> dict[str, bytes]:
    """Every file of a month's draft."""
    return {path.name: path.read_bytes() for path in (data / "drafts" / month).rglob("*") if path.is_file()}


def publication_rows(warehouse: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every publication table. In which order months were computed is nobody's promise."""
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return {
            name: con.execute(f"select * from publication.{name} order by all").fetchall()
            for name in PUBLICATION_TABLES
        }


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small city, taken in and computed; nobody changes it."""
    data = tmp_path_factory.mktemp("rebuilt_city") / "data"
    done = servtrade(
        data, "demo", "--lang", "en",
        "--enterprises", str(ENTERPRISES), "--months", str(MONTHS), "--seed", "11",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return data


@pytest.fixture(scope="module")
def rebuilt(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the city whose warehouse and drafts were thrown away and built again."""
    data = tmp_path_factory.mktemp("rebuilt_copy") / "data"
    shutil.copytree(city, data)
    shutil.rmtree(data / "drafts")
    # a cache that a failing disk has spoilt is exactly what a rebuild is for
    (data / "warehouse.duckdb").write_bytes(b"no warehouse")
    done = servtrade(data, "rebuild", "--lang", "en")
    assert done.returncode == 0, done.stderr
    return data


@pytest.mark.parametrize("month", COMPARED)
def test_a_rebuild_gives_every_file_of_a_draft_back_byte_for_byte(
    city: Path, rebuilt: Path, month: str
) -> None:
    before, after = drafts_of(city, month), drafts_of(rebuilt, month)
    assert f"服务贸易统计表_{month}.xlsx" in before
    assert {f"{name}.parquet" for name in PUBLICATION_TABLES} < set(before)
    assert set(after) == set(before)
    assert [name for name in before if after[name] != before[name]] == []


def test_a_rebuild_gives_every_publication_row_of_every_month_back(city: Path, rebuilt: Path) -> None:
    before = publication_rows(city / "warehouse.duckdb")
    assert all(before.values())
    assert publication_rows(rebuilt / "warehouse.duckdb") == before
    months = {row[0] for row in before["table_01"]}
    assert len(months) == MONTHS


def test_a_snapshot_opens_read_only_and_holds_what_the_warehouse_holds(rebuilt: Path) -> None:
    settings = settings_of(rebuilt)
    made = snapshot(settings)
    assert current_snapshot(settings) == made
    assert made.stat().st_mode & 0o222 == 0
    assert publication_rows(made) == publication_rows(settings.warehouse_path)
    with (
        duckdb.connect(str(made), read_only=True) as con,
        pytest.raises(duckdb.InvalidInputException, match="read-only"),
    ):
        con.execute("delete from publication.table_01")


def test_a_snapshot_can_be_read_while_the_warehouse_is_being_rebuilt(rebuilt: Path) -> None:
    settings = settings_of(rebuilt)
    made = snapshot(settings)
    with duckdb.connect(str(made), read_only=True) as analyst:
        before = analyst.execute("select count(*) from publication.table_01").fetchone()
        with duckdb.connect(str(settings.warehouse_path)) as writer:
            writer.execute("begin transaction")
            writer.execute("delete from publication.table_01")
            assert analyst.execute("select count(*) from publication.table_01").fetchone() == before
            writer.execute("rollback")
