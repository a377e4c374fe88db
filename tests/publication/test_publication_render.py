"""Tables for the terminal and for other programs, and the widths of Chinese text."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publication_city import Warehouse

from pipelines.publication.layout import display_width, line_count, padded
from pipelines.publication.render import as_csv, as_json, as_text, csv_field
from pipelines.publication.tables import publication_model


@pytest.mark.parametrize(
    ("text", "width"), [("表1", 3), ("进出口（%）", 11), ("12.50", 5), ("", 0), ("é", 1), ("e\u0301", 1)]
)
def test_a_chinese_character_takes_two_places(text: str, width: int) -> None:
    assert display_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("进出口", 6, 1),
        ("进出口", 5, 2),
        ("累计\n占比", 20, 2),
        ("aaa bbb ccc", 7, 2),
        ("aaaaaaaaaa", 4, 3),
        ("", 4, 1),
        ("进出口。", 6, 1),
    ],
)
def test_text_is_wrapped_at_its_width_without_breaking_latin_words(
    text: str, width: float, lines: int
) -> None:
    assert line_count(text, width) == lines


@given(st.text(max_size=60), st.integers(min_value=1, max_value=40))
def test_wrapping_ends_for_any_text(text: str, width: int) -> None:
    assert 1 <= line_count(text, width) <= display_width(text) + text.count("\n") + 1


def test_padding_counts_places_and_not_characters() -> None:
    assert padded("出口", 6) == "出口  "
    assert padded("出口", 6, right=True) == "  出口"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_lines_of_a_table_on_a_terminal_are_aligned(city: Warehouse, language: str) -> None:
    for table in city.tables():
        lines = as_text(table, "zh" if language == "zh" else "en").split("\n")
        rules = [index for index, line in enumerate(lines) if line.startswith("─")]
        width = display_width(lines[rules[0]])
        last = table.spec.columns[-1]
        for line, row in zip(lines[rules[1] + 1 : rules[2]], table.rows, strict=True):
            assert display_width(line) <= width
            if row.cells and last.kind != "text" and row.cells[last.code].symbol != "":
                assert display_width(line) == width, line


def test_the_terminal_shows_zero_dash_and_blank_apart(warehouse: Warehouse) -> None:
    where = "measure = 'exports' and scope = 'all' and period = 'month' and currency_code = "
    warehouse.update(
        "indicators.trade_total",
        "amount = null, growth_pct = null, growth_blank_reason = 'not_reported'",
        f"{where}'USD'",
    )
    warehouse.update(
        "indicators.trade_total",
        "amount = 0, growth_pct = null, growth_blank_reason = 'base_not_positive'",
        f"{where}'CNY'",
    )
    warehouse.build()
    [line] = [line for line in as_text(warehouse.table(1), "zh").split("\n") if line.startswith("  出口")]
    assert line.split()[3:5] == [
        "0.00",
        "—",
    ]  # after the cumulative figure and its growth: month in yuan, its growth
    assert line.index(line.split()[1]) > 20  # the month in dollars left nothing but blanks


@pytest.mark.parametrize(
    ("given_text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("-4.6", "-4.6"),
        ("+4.6", "+4.6"),
        ("—", "—"),
        ("运输", "运输"),
    ],
)
def test_a_csv_field_is_never_a_formula_and_a_negative_number_is_left_alone(
    given_text: str, written: str
) -> None:
    assert csv_field(given_text) == written


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**17), max_value=10**17))
def test_a_figure_in_csv_is_the_same_figure(value: Decimal) -> None:
    assert Decimal(csv_field(value)) == value
    assert not csv_field(value).startswith("'")


def test_csv_has_one_head_line_and_one_line_a_row(city: Warehouse) -> None:
    for table in city.tables():
        head, *lines = list(csv.reader(io.StringIO(as_csv(table, "zh"))))
        assert len(head) == len(table.spec.columns) + 1
        assert len(lines) == len(table.rows)
        assert all(len(line) in (1, len(head)) for line in lines)
    [total, *_] = list(csv.reader(io.StringIO(as_csv(city.table(5), "en"))))[1:]
    assert total[1] == "18765"


def test_json_carries_value_words_and_symbol_apart_and_loses_no_digit(city: Warehouse) -> None:
    content = json.loads(json.dumps(as_json(city.table(1)), ensure_ascii=False))
    assert content["schema_version"] == 1
    balance = content["rows"][3]["cells"]
    assert balance["month_usd_growth_pct"] == {"value": None, "text": None, "symbol": "—"}
    assert set(balance) == {column["code"] for column in content["columns"]}
    assert Decimal(balance["month_usd"]["value"]) == city.table(1).rows[3].cells["month_usd"].value
    assert content["columns"][0]["group"] == {
        "zh": "按美元计（亿美元）",
        "en": "In US dollars (USD 100 million)",
    }


def test_broken_heads_are_one_line_outside_print() -> None:
    spec = publication_model().table("table_02")
    labels = [column.label for column in spec.columns]
    assert any("\n" in label.zh for label in labels)
    assert all("\n" not in label.in_one_line("zh") + label.in_one_line("en") for label in labels)
