"""Every reference table says where it comes from, of what date it is, and what its columns mean."""

import csv
import io
from datetime import date

import duckdb
import pytest

from pipelines.paths import REFERENCE_DIR
from pipelines.warehouse.load import load_reference

TABLES = sorted(
    path.name for path in REFERENCE_DIR.glob("*.csv") if path.name not in ("sources.csv", "columns.csv")
)


def test_every_table_states_its_source_date_and_licence(table):
    sources = {row["file"]: row for row in table("sources")}
    assert sorted(sources) == TABLES
    for file, row in sources.items():
        for column in ("origin", "title_zh", "title_en", "source", "source_vintage", "licence"):
            assert row[column].strip(), f"sources.csv: {file} says nothing under {column}"
        assert row["origin"] in ("carried", "derived", "project"), file
        assert date(2026, 1, 1) <= date.fromisoformat(row["as_of_date"]) <= date.today(), file


@pytest.mark.parametrize("file", TABLES)
def test_the_stated_number_of_rows_is_the_number_of_rows(file, table):
    stated = {row["file"]: int(row["row_count"]) for row in table("sources")}
    assert stated[file] == len(table(file.removesuffix(".csv")))


@pytest.mark.parametrize("file", TABLES)
def test_every_column_is_described_in_the_order_of_the_file(file, table):
    described = [row["column_name"] for row in table("columns") if row["file"] == file]
    assert described == list(table(file.removesuffix(".csv"))[0])


def test_a_name_means_one_type_in_every_table(table):
    types = {}
    for row in table("columns"):
        types.setdefault(row["column_name"], set()).add(row["column_type"])
    assert {name: kinds for name, kinds in types.items() if len(kinds) > 1} == {}


def test_the_warehouse_loads_every_table_with_the_types_and_rows_stated(table):
    connection = duckdb.connect()
    row_counts = load_reference(connection)
    stated = {
        (row["file"].removesuffix(".csv"), row["column_name"]): row["column_type"] for row in table("columns")
    }
    loaded = {
        (name, column): kind.lower()
        for name, column, kind in connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'reference'"
        ).fetchall()
    }
    assert {key: loaded.get(key) for key in stated} == stated
    for row in table("sources"):
        assert row_counts[f"reference.{row['file'].removesuffix('.csv')}"] == int(row["row_count"])


@pytest.mark.parametrize("file", TABLES)
def test_every_value_is_of_the_type_that_its_column_states(file, table):
    connection = duckdb.connect()
    for column in (row for row in table("columns") if row["file"] == file):
        values = [row[column["column_name"]] for row in table(file.removesuffix(".csv"))]
        for value in filter(None, dict.fromkeys(values)):
            typed = f"select try_cast(? as {column['column_type']}) is not null"
            assert connection.execute(typed, [value]).fetchone() == (True,), (
                file,
                column["column_name"],
                value,
            )


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ebops_items", ("classification", "item_code")),
        ("mofcom_categories", ("category_zh",)),
        ("item_aliases", ("alias",)),
        ("mode_allocation", ("profile", "flow", "item_code")),
        ("mode_profiles", ("profile",)),
        ("partners", ("partner_code",)),
        ("partner_areas", ("partner_code",)),
        ("partner_aliases", ("alias",)),
        ("partner_groups", ("group_code",)),
        ("partner_group_members", ("group_code", "partner_code", "valid_from")),
        ("districts", ("district_code",)),
        ("industry_items", ("division_code", "flow", "item_code")),
        ("targets", ("target_id",)),
        ("target_series", ("target_id",)),
        ("department_series", ("indicator",)),
        ("tasks", ("task_no",)),
        ("currencies", ("currency_code",)),
        ("currency_aliases", ("alias",)),
        ("english_labels", ("text_zh",)),
    ],
)
def test_a_key_stands_once(name, key, table):
    keys = [tuple(row[column] for column in key) for row in table(name)]
    assert len(set(keys)) == len(keys)
    assert all(key_[0] for key_ in keys)


@pytest.mark.parametrize(
    ("name", "column", "other", "other_column"),
    [
        ("ebops_items", "parent_code", "ebops_items", "item_code"),
        ("mofcom_categories", "item_code", "ebops_items", "item_code"),
        ("industry_items", "item_code", "ebops_items", "item_code"),
        ("mode_allocation", "profile", "mode_profiles", "profile"),
        ("mode_profiles", "fallback_profile", "mode_profiles", "profile"),
        ("partner_aliases", "partner_code", "partners", "partner_code"),
        ("partner_group_members", "group_code", "partner_groups", "group_code"),
        ("partner_group_members", "partner_code", "partners", "partner_code"),
        ("districts", "main_district_code", "districts", "district_code"),
        ("target_series", "target_id", "targets", "target_id"),
        ("target_series", "indicator", "department_series", "canonical_indicator"),
        ("target_series", "growth_indicator", "department_series", "canonical_indicator"),
        ("department_series", "canonical_indicator", "department_series", "indicator"),
        ("currency_aliases", "currency_code", "currencies", "currency_code"),
    ],
)
def test_a_code_that_points_to_another_row_finds_it(name, column, other, other_column, table):
    known = {row[other_column] for row in table(other)}
    assert {row[column] for row in table(name)} - known - {""} == set()


def test_an_alias_points_to_an_item_or_to_trade_margins(table):
    known = {row["item_code"] for row in table("ebops_items")}
    assert {row["item_code"] for row in table("item_aliases")} - known == {"SW"}
    assert {row["match"] for row in table("item_aliases")} == {"exact", "narrower", "broader", "outside"}


def test_the_page_for_readers_lists_what_the_catalogue_lists(table):
    page = (REFERENCE_DIR / "README.md").read_text(encoding="utf-8")
    for row in table("sources"):
        cells = [
            row[name]
            for name in ("file", "row_count", "origin", "source", "source_vintage", "as_of_date", "licence")
        ]
        assert "| " + " | ".join(cells) + " |" in page


@pytest.mark.parametrize("path", sorted(REFERENCE_DIR.glob("*.csv")), ids=lambda path: path.name)
def test_a_table_is_plain_utf8_with_unix_line_ends_and_no_stray_blanks(path):
    content = path.read_bytes()
    assert not content.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in content
    assert content.endswith(b"\n")
    assert {len(row) for row in csv.reader(io.StringIO(content.decode("utf-8")))} == {
        content.split(b"\n", 1)[0].count(b",") + 1
    }
