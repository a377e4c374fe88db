"""The workbook as a reader's program finds it: read back with openpyxl and from its parts."""

from __future__ import annotations

import hashlib
import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from publication_city import MONTH, Warehouse

from pipelines.periods import Month
from pipelines.publication.layout import split_between
from pipelines.publication.tables import (
    PrintedTable,
    PublicationRow,
    decimals_of,
    formatted,
    printed_table,
    publication_model,
)
from pipelines.publication.workbook import Imprint, chart_sheet_name, sheet_name, write_workbook

IMPRINT = Imprint("0123456789ab")


@pytest.fixture(scope="session")
def written(city: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("workbook") / "book.xlsx"
    write_workbook(path, MONTH, city.tables(), IMPRINT)
    return path


@pytest.fixture(scope="session")
def book(written: Path) -> Any:
    return openpyxl.load_workbook(written)


def tables_by_sheet(city: Warehouse) -> list[tuple[str, Any, PrintedTable]]:
    return [
        (sheet_name(t.spec.number, language), language, t) for language in ("zh", "en") for t in city.tables()
    ]


def test_the_workbook_opens_on_its_contents_and_holds_both_languages(book: Any) -> None:
    chinese = ["目录", *(f"表{n}" for n in range(1, 8)), "图7", "表8", "图8", "表9"]
    english = ["Contents", *(f"Table {n}" for n in range(1, 8)), "Chart 7", "Table 8", "Chart 8", "Table 9"]
    assert book.sheetnames == [*chinese, *english]
    assert book.active.title == "目录"


def test_the_contents_link_to_every_table(book: Any) -> None:
    for contents, language in (("目录", "zh"), ("Contents", "en")):
        targets = {
            link.location for row in book[contents].iter_rows() for cell in row if (link := cell.hyperlink)
        }
        assert targets == {f"'{sheet_name(number, language)}'!A1" for number in range(1, 10)}


def test_no_column_and_no_row_is_lost_on_the_way_to_the_sheet(city: Warehouse, book: Any) -> None:
    for name, language, table in tables_by_sheet(city):
        sheet = book[name]
        for offset, row in enumerate(table.rows):
            line = [cell.value for cell in sheet[6 + offset]][: len(table.spec.columns) + 1]
            assert line[0] == row.label.of(language)
            if row.is_heading:
                continue
            for value, column in zip(line[1:], table.spec.columns, strict=True):
                cell = row.cells[column.code]
                if cell.text is None and cell.value is not None:
                    assert Decimal(str(value)) == cell.value, (name, row.code, column.code)
                else:
                    assert (value or "") == formatted(cell, column, language), (name, row.code, column.code)


def test_figures_are_numbers_with_the_format_of_their_column(city: Warehouse, book: Any) -> None:
    for name, _, table in tables_by_sheet(city):
        for offset, row in enumerate(table.rows):
            for index, column in enumerate(table.spec.columns, start=2):
                cell = row.cells.get(column.code)
                if cell is None or cell.value is None or cell.text is not None:
                    continue
                found = book[name].cell(6 + offset, index)
                decimals = decimals_of(cell.value, column)
                assert found.data_type == "n"
                assert found.number_format == ("#,##0." + "0" * decimals if decimals else "#,##0")


def test_the_head_is_two_rows_with_groups_merged_over_their_columns(city: Warehouse, book: Any) -> None:
    for name, _, table in tables_by_sheet(city):
        merged = {str(area) for area in book[name].merged_cells.ranges}
        assert "A4:A5" in merged
        at = 2
        for head in table.heads:
            first = openpyxl.utils.get_column_letter(at)
            last = openpyxl.utils.get_column_letter(at + len(head.columns) - 1)
            if head.label is None:
                assert f"{first}4:{first}5" in merged
            elif first != last:
                assert f"{first}4:{last}4" in merged
            at += len(head.columns)


def test_title_number_and_unit_stand_where_a_statistical_table_has_them(city: Warehouse, book: Any) -> None:
    for name, language, table in tables_by_sheet(city):
        sheet = book[name]
        assert sheet["A1"].value == f"{name}  {table.title.of(language)}"
        assert sheet["A1"].alignment.horizontal == "center"
        upper_right = [cell for cell in sheet[3] if cell.value][-1]
        assert upper_right.alignment.horizontal == "right"
        assert table.spec.unit.of(language) in upper_right.value


def test_the_table_has_three_rules_and_open_sides(city: Warehouse, book: Any) -> None:
    for name, _, table in tables_by_sheet(city):
        sheet = book[name]
        last_row = 5 + len(table.rows)
        for column in range(1, len(table.spec.columns) + 2):
            assert sheet.cell(4, column).border.top.style == "medium"
            assert sheet.cell(5, column).border.bottom.style == "thin"
            assert sheet.cell(last_row, column).border.bottom.style == "medium"
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.border.left.style is None
                assert cell.border.right.style is None


def test_every_table_prints_on_a4_one_page_wide_with_its_head_on_each_page(
    city: Warehouse, book: Any
) -> None:
    for name, _, table in tables_by_sheet(city):
        sheet = book[name]
        assert int(sheet.page_setup.paperSize) == 9
        assert sheet.page_setup.orientation == table.spec.orientation
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth or 1) in (1, "1")
        assert sheet.print_title_rows == "$1:$5"
        last = openpyxl.utils.get_column_letter(len(table.spec.columns) + 1)
        assert re.fullmatch(rf"'{name}'!\$A\$1:\${last}\$\d+", sheet.print_area)
        assert sheet.freeze_panes == "B6"


def test_the_footer_names_page_and_snapshot(book: Any) -> None:
    for sheet in book.worksheets:
        assert "0123456789ab" in sheet.oddFooter.left.text
        assert "&P" in sheet.oddFooter.center.text
        assert "&N" in sheet.oddFooter.center.text


def test_notes_source_date_and_preliminary_stand_below_the_table(book: Any) -> None:
    below = "\n".join(
        str(cell.value) for row in book["表1"].iter_rows(min_row=10) for cell in row if cell.value
    )
    for words in ("注：1. ", "资料来源：", "符号：“—”", "发布日期：待发布", "本月数据为初步数。"):
        assert words in below
    below = "\n".join(
        str(cell.value) for row in book["Table 1"].iter_rows(min_row=10) for cell in row if cell.value
    )
    for words in (
        "Notes: 1. ",
        "Source: ",
        "Symbols: “—”",
        "not yet released",
        "Figures of this month are preliminary.",
    ):
        assert words in below


def test_a_released_workbook_prints_its_date_and_final_figures_no_flag(
    city: Warehouse, tmp_path: Path
) -> None:
    [table] = [table for table in city.tables() if table.spec.name == "table_06"]  # all of it final
    write_workbook(tmp_path / "b.xlsx", MONTH, [table], Imprint("x", released_on=date(2021, 1, 20)))
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx")["表6"]
    text = "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value)
    assert "发布日期：2021年1月20日" in text
    assert "初步数" not in text


def test_every_column_is_wide_enough_for_its_figures(city: Warehouse, book: Any) -> None:
    """A number wider than its column prints as ####."""
    for name, language, table in tables_by_sheet(city):
        for index, column in enumerate(table.spec.columns, start=2):
            width = book[name].column_dimensions[openpyxl.utils.get_column_letter(index)].width
            for row in table.rows:
                cell = row.cells.get(column.code)
                if cell is not None and cell.text is None:
                    assert width >= len(formatted(cell, column, language)) + 0.5, (
                        name,
                        row.code,
                        column.code,
                    )


def test_targets_and_modes_each_have_a_native_chart_that_points_at_the_printed_cells(
    written: Path, city: Warehouse, book: Any
) -> None:
    with zipfile.ZipFile(written) as archive:
        charts = [
            archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/charts/chart")
        ]
    references = [re.findall(r"<c:f>([^<]+)</c:f>", chart) for chart in charts]
    assert sorted({found[0].split("!")[0] for found in references}) == [
        "'Table 7'",
        "'Table 8'",
        "表7",
        "表8",
    ]
    for chart in (7, 8):
        assert chart_sheet_name(chart, "zh") in book.sheetnames
    [modes] = [found for found in references if found[0].startswith("表7")]
    rows = {row.code: 6 + offset for offset, row in enumerate(city.table(7).rows)}
    assert [f"表7!$A${rows[code]}" for code in ("mode_1", "mode_2", "mode_4")] == modes[0::3]
    assert [f"表7!$E${rows[code]}:$G${rows[code]}" for code in ("mode_1", "mode_2", "mode_4")] == modes[2::3]
    assert [cell.value for cell in book["表7"]["E5:G5"][0]] == ["进出口", "出口", "进口"]
    [targets] = [found for found in references if found[0].startswith("表8")]
    assert targets[1:] == ["表8!$A$6:$A$7", "表8!$G$6:$G$7"]


def test_the_same_tables_make_the_same_bytes(city: Warehouse, written: Path, tmp_path: Path) -> None:
    write_workbook(tmp_path / "again.xlsx", MONTH, city.tables(), IMPRINT)
    assert (
        hashlib.sha256((tmp_path / "again.xlsx").read_bytes()).digest()
        == hashlib.sha256(written.read_bytes()).digest()
    )


def hostile_table(text: str) -> PrintedTable:
    cells = [
        PublicationRow(
            MONTH.start_date, 1, "contract_count_total", text, text, 0, column.code,
            Decimal("-4.6") if column.kind == "percent" else None,
            None if column.kind == "percent" else text, None if column.kind == "percent" else text, None, "final",
        )
        for column in publication_model().table("table_06").columns
    ]  # fmt: skip
    return printed_table("table_06", MONTH, cells)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "-2+3",
        '=HYPERLINK("http://x")',
        "http://example.org/",
        "{=1}",
        "12",
    ],
)
def test_text_from_data_is_never_a_formula_nor_a_link_nor_a_number(text: str, tmp_path: Path) -> None:
    write_workbook(tmp_path / "b.xlsx", MONTH, [hostile_table(text)], IMPRINT)
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx")["表6"]
    assert (sheet["A6"].value, sheet["A6"].data_type) == (text, "s")
    assert (sheet["B6"].value, sheet["B6"].data_type) == (text, "s")
    assert sheet["A6"].hyperlink is None
    with zipfile.ZipFile(tmp_path / "b.xlsx") as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any(b"<f>" in part or b"<f " in part for part in sheets)


def test_a_negative_number_stays_a_number(tmp_path: Path) -> None:
    write_workbook(tmp_path / "b.xlsx", MONTH, [hostile_table("x")], IMPRINT)
    cell = openpyxl.load_workbook(tmp_path / "b.xlsx")["表6"]["C6"]
    assert (cell.value, cell.data_type) == (-4.6, "n")


def test_a_table_without_rows_says_so_and_still_prints_its_head(tmp_path: Path) -> None:
    empty = printed_table("table_08", Month(2020, 3), [])
    write_workbook(tmp_path / "b.xlsx", Month(2020, 3), [empty], IMPRINT)
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert book["表8"]["A6"].value == "本期无数据"
    assert book["表8"]["B5"].value == "目标年"
    assert "图8" not in book.sheetnames


def test_a_blank_cell_is_blank_and_a_zero_is_a_zero(warehouse: Warehouse, tmp_path: Path) -> None:
    where = "measure = 'exports' and scope = 'all' and period = 'month' and currency_code = "
    warehouse.update("indicators.trade_total", "amount = null", f"{where} 'USD'")
    warehouse.update("indicators.trade_total", "amount = 0", f"{where} 'CNY'")
    warehouse.build()
    write_workbook(tmp_path / "b.xlsx", MONTH, [warehouse.table(1)], IMPRINT)
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx")["表1"]
    assert sheet["B7"].value is None
    assert sheet["F7"].value == 0


def test_the_head_of_every_sheet_has_room_for_compiler_number_and_unit() -> None:
    compiler = "Compiled by: Wuhan Municipal Bureau of Commerce"  # 47 places; Table 6 once had 40 for them
    assert split_between(compiler, "Table 6    Unit: USD 10,000", [40, 12, 12, 12, 12, 12]) == (1, 1)
    nowhere_room_for_both = split_between(compiler, "Table 6    Unit: USD 10,000", [20, 10, 10])
    assert nowhere_room_for_both == (0, 3)  # so they are wrapped and the row is three lines high
