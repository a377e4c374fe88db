"""One table, one month, one transaction; header and query agree; the same input gives the same rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.periods import Month
from pipelines.settings import Settings
from pipelines.warehouse.build import (
    BuildFailed,
    WarehouseOutdated,
    build,
    build_all,
    build_months,
    run_parameters,
)
from pipelines.warehouse.connection import in_memory
from pipelines.warehouse.sqlfiles import SqlContractError

MARCH, APRIL = Month(2026, 3), Month(2026, 4)


@pytest.fixture
def con():
    connection = in_memory(threads=2)
    connection.execute("create schema raw")
    connection.execute("create table raw.submission as select date '2026-03-01' as month_start_date, 5 as n")
    yield connection
    connection.close()


@pytest.fixture
def table(tmp_path: Path):
    """Write a table into a catalogue of its own; gives the folder of that catalogue."""

    def write(
        body: str,
        columns: str = "month_start_date | date, n | integer",
        params: str = "month_start_date | date",
    ) -> Path:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        (folder / "core").mkdir(parents=True)
        lines = ["-- table: core.thing", "-- title: 标题 / Title", "-- grain: one row per month"]
        lines += [f"-- param: {params}"] if params else []
        lines += [f"-- column: {column.strip()} | x" for column in columns.split(",")]
        (folder / "core" / "thing.sql").write_text("\n".join([*lines, body]), encoding="utf-8")
        return folder

    return write


BODY = "select month_start_date, n from raw.submission where month_start_date = $month_start_date order by n"


def rows(con) -> list[tuple[object, ...]]:
    return con.execute("select * from core.thing order by all").fetchall()


def test_a_month_is_replaced_and_the_others_stay(con, table):
    folder = table(BODY)
    con.execute("insert into raw.submission values ('2026-04-01', 7)")
    assert build(con, "core.thing", MARCH, {}, sql_dir=folder).row_count == 1
    build(con, "core.thing", APRIL, {}, sql_dir=folder)
    con.execute("update raw.submission set n = 6 where n = 5")
    build(con, "core.thing", MARCH, {}, sql_dir=folder)
    assert rows(con) == [(date(2026, 3, 1), 6), (date(2026, 4, 1), 7)]


def test_a_table_without_months_is_rebuilt_whole(con, table):
    folder = table("select n from raw.submission order by n", columns="n | integer", params="")
    build(con, "core.thing", MARCH, {}, sql_dir=folder)
    con.execute("insert into raw.submission values ('2026-04-01', 7)")
    assert build(con, "core.thing", None, {}, sql_dir=folder).row_count == 2
    assert rows(con) == [(5,), (7,)]


def test_a_failing_build_leaves_the_month_as_it_was(con, table):
    folder = table(BODY.replace(" n from", " cast(100 / (n - 6) as integer) // (n - 7) as n from"))
    con.execute("update raw.submission set n = 8")
    build(con, "core.thing", MARCH, {}, sql_dir=folder)
    before = rows(con)
    broken = table(BODY.replace(" n from", " cast(repeat('x', n) as integer) as n from"))
    with pytest.raises(BuildFailed, match=r"thing.sql: 2026-03: .*Conversion"):
        build(con, "core.thing", MARCH, {}, sql_dir=broken)
    assert rows(con) == before
    con.execute("select 1")  # no transaction is left open


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ("month_start_date | date, count | integer", "header lists count, query returns n. Rename one."),
        ("month_start_date | date, n | bigint", "header says n is bigint, query returns integer"),
        ("month_start_date | date", "query returns n, which the header does not list"),
        ("month_start_date | date, n | integer, m | integer", "header lists m, query returns no such column"),
    ],
)
def test_a_query_must_return_what_its_header_promises(con, table, columns, complaint):
    with pytest.raises(SqlContractError) as error:
        build(con, "core.thing", MARCH, {}, sql_dir=table(BODY, columns=columns))
    assert complaint in str(error.value)
    assert "thing.sql" in str(error.value)


def test_an_older_warehouse_with_other_columns_is_not_filled_on(con, table):
    con.execute("create schema core")
    con.execute("create table core.thing (month_start_date date, n bigint)")
    with pytest.raises(WarehouseOutdated, match="servtrade rebuild"):
        build(con, "core.thing", MARCH, {}, sql_dir=table(BODY))


def test_a_month_must_be_said_for_a_table_kept_by_month(con, table):
    with pytest.raises(ValueError, match="say which"):
        build(con, "core.thing", None, {}, sql_dir=table(BODY))


def test_only_the_parameters_that_the_query_names_are_bound(con, table):
    folder = table(BODY)
    parameters = run_parameters(Settings(data_dir=Path("data"), ledger_url=""))
    assert parameters == {"mode_profile": "wto_base", "services_source": "direct_report"}
    assert build(con, "core.thing", MARCH, parameters, sql_dir=folder).row_count == 1


def test_a_parameter_is_a_value_and_never_sql(con, table):
    folder = table(
        "select n, $mode_profile as profile from raw.submission order by n",
        columns="n | integer, profile | varchar",
        params="mode_profile | varchar",
    )
    build(con, "core.thing", None, {"mode_profile": "'; drop table raw.submission; --"}, sql_dir=folder)
    assert rows(con) == [(5, "'; drop table raw.submission; --")]
    assert con.execute("select count(*) from raw.submission").fetchone() == (1,)


def test_a_missing_parameter_is_named(con, table):
    folder = table(
        "select $mode_profile as profile order by 1",
        columns="profile | varchar",
        params="mode_profile | varchar",
    )
    with pytest.raises(ValueError, match="needs the parameter mode_profile"):
        build(con, "core.thing", None, {}, sql_dir=folder)


def test_a_loaded_table_is_not_computed(con):
    with pytest.raises(SqlContractError, match=r"warehouse\.load"):
        build(con, "raw.submission", None, {})


def test_every_table_is_done_for_all_months_before_the_next_begins(con, table):
    folder = table(BODY)
    results = build_all(con, [APRIL, MARCH], {}, sql_dir=folder)
    assert [(result.table_name, result.month) for result in results] == [
        ("core.thing", MARCH),
        ("core.thing", APRIL),
    ]


def test_several_months_of_a_table_are_computed_together_or_not_at_all(con, table):
    con.execute("insert into raw.submission values ('2026-04-01', 7)")
    folder = table(BODY)
    results = build_months(con, "core.thing", [APRIL, MARCH], {}, sql_dir=folder)
    assert [(result.month, result.row_count) for result in results] == [(MARCH, 1), (APRIL, 1)]
    # April cannot be computed: March, which could, stays as it was too
    broken = table(
        BODY.replace(" n from", " cast(repeat('9', case when n = 7 then 99 else 1 end) as integer) as n from")
    )
    with pytest.raises(BuildFailed, match="2026-04"):
        build_months(con, "core.thing", [MARCH, APRIL], {}, sql_dir=broken)
    assert rows(con) == [(date(2026, 3, 1), 5), (date(2026, 4, 1), 7)]
