"""The header of a SQL file is its contract: what is wrong with it is said with file and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.warehouse.sqlfiles import SqlContractError, build_order, catalogue, downstream, read_sql_file

HEADER = """-- table:  {name}
-- title:  标题 / Title
-- grain:  one row per month
{reads}-- param:  month_start_date | date
-- column: month_start_date | date | first day of the month
"""


def write(folder: Path, name: str, *reads: str, header: str = HEADER, body: str = "select 1") -> Path:
    schema, stem = name.split(".")
    path = folder / schema / f"{stem}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"-- reads:  {one}\n" for one in reads)
    path.write_text(header.format(name=name, reads=lines) + body, encoding="utf-8")
    return path


def test_a_header_says_all_about_its_table(tmp_path):
    table = read_sql_file(write(tmp_path, "core.thing", "raw.a, raw.b", "raw.c"))
    assert (table.title_zh, table.title_en, table.grain) == ("标题", "Title", "one row per month")
    assert table.reads == ("raw.a", "raw.b", "raw.c")
    assert (table.is_partitioned, table.is_loaded, table.schema) == (True, False, "core")
    assert table.columns[0].type == "date"
    assert table.sql == "select 1"


def test_a_comment_of_the_body_is_no_header(tmp_path):
    table = read_sql_file(write(tmp_path, "core.thing", body="\n-- rate: as filed\nselect 1"))
    assert table.sql == "-- rate: as filed\nselect 1"


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("-- title:  标题 / Title\n-- grain: x\n-- column: a | date | x\n", "exactly one “-- table:”"),
        ("-- table: core.thing\n-- title:  标题\n-- grain: x\n-- column: a | date | x\n", "中文 / English"),
        ("-- table: core.thing\n-- title: 标题 / T\n-- grain: x\n", "lists no column"),
        ("-- table: core.thing\n-- title: 标题 / T\n-- grain: x\n-- column: a | date\n", "3 parts"),
        (
            "-- table: core.thing\n-- title: 标题 / T\n-- grain: x\n-- param: day | date\n-- column: a | date | x\n",
            "day",
        ),
        ("-- table: core.other\n-- title: 标题 / T\n-- grain: x\n-- column: a | date | x\n", "move the file"),
        ("-- table: mart.thing\n-- title: 标题 / T\n-- grain: x\n-- column: a | date | x\n", "schema of"),
        ("-- table: core.thing\n-- titel: 标题 / T\n", "“titel” is unknown"),
    ],
)
def test_a_broken_header_is_named_with_its_file(tmp_path, header, complaint):
    path = write(tmp_path, "core.thing", header=header)
    with pytest.raises(SqlContractError, match=r"thing\.sql") as error:
        read_sql_file(path)
    assert complaint in str(error.value)


def test_an_empty_query_is_refused(tmp_path):
    with pytest.raises(SqlContractError, match="no query"):
        read_sql_file(write(tmp_path, "core.thing", body=""))


def test_a_table_that_nobody_defines_is_named(tmp_path):
    write(tmp_path, "core.thing", "core.missing")
    with pytest.raises(SqlContractError, match=r"reads core.missing.*sql/core/missing.sql.*Correct the name"):
        catalogue(tmp_path)


def test_a_circle_is_named_file_by_file(tmp_path):
    write(tmp_path, "core.a", "core.b")
    write(tmp_path, "core.b", "core.c")
    write(tmp_path, "core.c", "core.a")
    with pytest.raises(
        SqlContractError, match=r"core/a.sql → sql/core/b.sql → sql/core/c.sql → sql/core/a.sql"
    ):
        build_order(sql_dir=tmp_path)


def test_tables_are_built_after_what_they_read(tmp_path):
    write(tmp_path, "core.a", "core.z")
    write(tmp_path, "core.m")
    write(tmp_path, "core.z", "core.m")
    assert build_order(sql_dir=tmp_path) == ["core.m", "core.z", "core.a"]
    assert build_order(["core.z"], sql_dir=tmp_path) == ["core.m", "core.z"]
    assert downstream(["core.m"], sql_dir=tmp_path) == ["core.z", "core.a"]


def test_an_unknown_table_cannot_be_built():
    with pytest.raises(SqlContractError, match=r"core\.nothing: no such table"):
        build_order(["core.nothing"])


def test_a_new_return_touches_everything_but_what_departments_alone_give():
    touched = downstream(["raw.return_cell", "raw.submission"])
    assert "indicators.target_progress" in touched
    assert "core.item_ancestor" not in touched
