"""tables.yaml and the joining of rows with it."""

from __future__ import annotations

import copy
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml

from pipelines.paths import HOUSE_DIR, SQL_DIR
from pipelines.periods import Month
from pipelines.publication.tables import (
    NoteRow,
    PublicationModelError,
    PublicationRow,
    PublicationRowError,
    Text,
    formatted,
    model_path,
    parse_model,
    printed_table,
    publication_model,
)

MONTH = Month(2020, 3)


def row(column: str, value: str | None = None, **changes: Any) -> PublicationRow:
    """A record of table 6, row 1."""
    made = PublicationRow(
        MONTH.start_date, 1, "contract_count_total", "合同数", "Contracts", 0, column,
        None if value is None else Decimal(value), None, None, None, "final",
    )  # fmt: skip
    return made._replace(**changes)


def whole_row(**first: Any) -> list[PublicationRow]:
    """All four cells of a row of table 6; `first` changes the first of them."""
    values = [
        ("month_value", "12"),
        ("month_growth_pct", "3.4"),
        ("ytd_value", "30"),
        ("ytd_growth_pct", "5.0"),
    ]
    cells = [row(column, value) for column, value in values]
    return [cells[0]._replace(**first), *cells[1:]]


def test_there_are_nine_tables_numbered_and_named_alike() -> None:
    assert [(spec.name, spec.number) for spec in publication_model().tables] == [
        (f"table_{number:02d}", number) for number in range(1, 10)
    ]


def test_every_table_has_a_query_and_every_text_both_languages_for_every_month() -> None:
    for spec in publication_model().tables:
        assert (SQL_DIR / "publication" / f"{spec.name}.sql").is_file()
        texts = [spec.title, spec.unit, spec.stub, spec.source, *spec.notes]
        texts += [head.label for head in spec.heads if head.label]
        texts += [column.label for column in spec.columns]
        texts += [spec.chart.title] if spec.chart else []
        for month in (Month(2020, 1), Month(2020, 12)):
            for text in texts:
                filled = text.filled(month)
                assert filled.zh
                assert filled.en
                assert not re.search("[\u4e00-\u9fff]", filled.en), filled.en


@pytest.mark.parametrize(
    ("month", "zh", "en"),
    [
        (Month(2020, 1), "2020年1月｜1月｜1月", "January 2020｜Jan｜Jan"),
        (Month(2020, 8), "2020年8月｜8月｜1—8月", "August 2020｜Aug｜Jan–Aug"),
    ],
)
def test_a_head_says_the_month_in_the_words_of_each_language(month: Month, zh: str, en: str) -> None:
    text = Text("{period}｜{month}｜{ytd}", "{period}｜{month}｜{ytd}").filled(month)
    assert (text.zh, text.en) == (zh, en)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("schema_version",), 2, "schema_version"),
        (("tables", 0, "orientation"), "sideways", "orientation"),
        (("tables", 0, "title"), {"zh": "只有中文"}, "missing \\['en'\\]"),
        (("tables", 0, "heads", 0, "columns", 0, "decimals"), "two", "decimals"),
        (("tables", 0, "colour"), "red", "unknown \\['colour'\\]"),
        (("tables", 1, "name"), "table_01", "two with one name"),
        (("symbols", 0, "mark"), "", "two with one mark"),
        (("tables", 6, "chart", "columns"), ["no_such_column"], "not all columns"),
    ],
)
def test_a_model_with_a_slip_is_refused_by_name(path: tuple[Any, ...], value: object, complaint: str) -> None:
    data = yaml.safe_load(model_path().read_text(encoding="utf-8"))
    data = copy.deepcopy(data)  # anchors share their parts
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(PublicationModelError, match=complaint):
        parse_model(data)


def test_a_complete_row_becomes_a_printed_row() -> None:
    table = printed_table("table_06", MONTH, whole_row())
    [printed] = table.rows
    assert [str(printed.cells[column.code].value) for column in table.spec.columns] == [
        "12",
        "3.4",
        "30",
        "5.0",
    ]
    assert not table.is_preliminary


def test_rows_of_another_month_are_not_printed() -> None:
    assert printed_table("table_06", Month(2020, 4), whole_row()).rows == ()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"column_code": "no_such"}, "no such column"),
        ({"column_code": "ytd_value"}, "two records for one cell"),
        ({"label_zh": "别的"}, "disagree"),
        ({"value": Decimal("12.5")}, "more than 0 decimals"),
        ({"value": None}, "neither value, words nor symbol"),
        ({"symbol": "—"}, "not beside them"),
        ({"value": None, "symbol": "?"}, "not in the legend"),
        ({"text_zh": "一二"}, "one language only"),
        ({"status": "guessed"}, "status"),
    ],
)
def test_a_record_that_cannot_be_printed_is_an_error_and_not_a_hole(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(PublicationRowError, match=complaint):
        printed_table("table_06", MONTH, whole_row(**changes))


def test_a_row_short_of_a_cell_is_an_error() -> None:
    with pytest.raises(PublicationRowError, match="no record for month_value"):
        printed_table("table_06", MONTH, whole_row()[1:])


def test_a_heading_row_needs_no_figures() -> None:
    heading = row("heading", row_number=0, row_code="h", label_zh="标题", label_en="Heading")
    table = printed_table("table_06", MONTH, [heading, *whole_row()])
    assert [printed.is_heading for printed in table.rows] == [True, False]


def test_value_zero_blank_withheld_and_not_applicable_are_printed_as_five_different_things() -> None:
    column = publication_model().table("table_06").columns[0]
    printed = {}
    for name, changes in {
        "value": {"value": Decimal(12)},
        "zero": {"value": Decimal(0)},
        "below half a unit": {"value": None, "symbol": "…"},
        "not reported": {"value": None, "symbol": ""},
        "withheld": {"value": None, "symbol": "*"},
        "not applicable": {"value": None, "symbol": "—"},
    }.items():
        [made] = printed_table("table_06", MONTH, whole_row(**changes)).rows
        printed[name] = formatted(made.cells[column.code], column, "zh")
    assert printed == {
        "value": "12", "zero": "0", "below half a unit": "…", "not reported": "", "withheld": "*", "not applicable": "—",
    }  # fmt: skip


def test_only_the_symbols_that_occur_are_explained() -> None:
    table = printed_table("table_06", MONTH, whole_row(value=None, symbol="*"))
    assert [symbol.name for symbol in table.symbols] == ["withheld"]


def test_words_are_printed_in_place_of_a_number_that_stays_data() -> None:
    changes = {
        "column_code": "month_growth_pct",
        "value": Decimal("1250.0"),
        "text_zh": "12.5倍",
        "text_en": "12.5 times",
    }
    cells = [row("month_value", "12"), row("month_value")._replace(**changes), *whole_row()[2:]]
    [printed] = printed_table("table_06", MONTH, cells).rows
    growth = printed.cells["month_growth_pct"]
    column = publication_model().table("table_06").columns[1]
    assert (formatted(growth, column, "zh"), formatted(growth, column, "en")) == ("12.5倍", "12.5 times")
    assert growth.value == Decimal("1250.0")


@pytest.mark.parametrize(
    ("value", "text"), [("1234567.8", "1,234,567.80"), ("107", "107"), ("-0.5", "-0.50"), ("40000", "40,000")]
)
def test_a_mixed_column_prints_whole_numbers_bare_and_others_with_two_decimals(value: str, text: str) -> None:
    column = next(c for c in publication_model().table("table_08").columns if c.code == "value")
    spec = publication_model().table("table_08")
    cells = [
        PublicationRow(
            MONTH.start_date, 1, "headline_T004", "目标", "Target", 0, one.code,
            Decimal(value) if one.code == "value" else None, None, None, None if one.code == "value" else "", None,
        )
        for one in spec.columns
    ]  # fmt: skip
    [printed] = printed_table("table_08", MONTH, cells).rows
    assert formatted(printed.cells["value"], column, "en") == text


def test_preliminary_is_said_where_one_figure_is() -> None:
    assert printed_table("table_06", MONTH, whole_row(status="preliminary")).is_preliminary


def test_notes_of_the_month_follow_the_notes_of_the_table_in_their_order() -> None:
    notes = [
        NoteRow(MONTH.start_date, "table_06", 2, "b", "第二", "second"),
        NoteRow(MONTH.start_date, "table_06", 1, "a", "第一", "first"),
        NoteRow(MONTH.start_date, "table_01", 1, "c", "别表", "other table"),
        NoteRow(date(2019, 3, 1), "table_06", 3, "d", "别月", "other month"),
    ]
    table = printed_table("table_06", MONTH, whole_row(), notes)
    fixed = len(publication_model().table("table_06").notes)
    assert [note.zh for note in table.notes[fixed:]] == ["第一", "第二"]


def test_the_page_on_the_tables_names_every_table_and_what_it_reads() -> None:
    page = (HOUSE_DIR / "docs" / "tables.md").read_text(encoding="utf-8")
    for path in sorted((SQL_DIR / "publication").glob("*.sql")):
        [line] = [line for line in page.splitlines() if line.startswith(f"| `publication.{path.stem}`")]
        reads = re.findall(r"indicators\.\w+", path.read_text(encoding="utf-8").split("-- param:")[0])
        if path.stem != "table_note":
            own = [
                name
                for name in reads
                if name != "indicators.trade_total" or path.stem in ("table_01", "table_02")
            ]
            assert [name for name in own if f"`{name}`" not in line] == []


def test_the_page_explains_every_mark_of_the_legend() -> None:
    page = (HOUSE_DIR / "docs" / "tables.md").read_text(encoding="utf-8")
    for symbol in publication_model().symbols:
        assert f"| `{symbol.mark}` |" in page if symbol.mark else "blank" in page
