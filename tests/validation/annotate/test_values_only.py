"""The copy for staff: what cells show, and nothing that computes, links, hides or runs."""

from __future__ import annotations

import io
import re
from datetime import datetime

import openpyxl
import pytest
import xlsxwriter
from workbooks_to_annotate import (
    SHEET,
    by_openpyxl,
    by_xlsxwriter,
    by_xlsxwriter_rich,
    changed,
    in_strict_form,
    made_by_hand,
    once,
    part_of_sheet,
    parts,
)

from pipelines.validation.annotate import CannotAnnotate, values_only_copy
from pipelines.validation.annotate.plain import MOST_COLUMNS, MOST_ROWS

DANGEROUS = (
    "=cmd|'/c calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    '=HYPERLINK("http://x")',
    "\t=1",
)


def dangerous() -> bytes:
    """Formulas, text that looks like one, links, a hidden sheet, a comment."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    page = book.add_worksheet("甲")
    for row, text in enumerate(DANGEROUS):
        page.write_string(row, 0, text)
    page.write_formula("B1", "=1+1", None, 2)
    page.write_formula("B2", '=DDE("cmd","/c calc","x")', None, "#NAME?")
    page.write_formula("B3", '=HYPERLINK("http://example.org/","点我")', None, "点我")
    page.write_array_formula("B4:B5", "{=A1:A2}", None, 7)
    page.write_formula("B6", "=NOW()", None, "")
    page.write_url("C1", "http://example.org/", string="链接")
    page.write_comment("C2", "=1+1 批注")
    page.write_number("D1", 0.4, book.add_format({"num_format": "0.0%"}))
    page.write_datetime("D2", datetime(2020, 3, 1), book.add_format({"num_format": 'yyyy"年"m"月"'}))
    page.write_boolean("D3", True)
    secret = book.add_worksheet("乙")
    secret.write("A1", "藏着")
    secret.very_hidden()
    book.define_name("外部", "='http://example.org/[a.xlsx]Sheet1'!$A$1")
    book.close()
    return buffer.getvalue()


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(values_only_copy(content)))


def test_there_is_no_formula_no_link_no_name_and_nothing_from_outside() -> None:
    for content in (dangerous(), by_xlsxwriter_rich(), by_openpyxl(), in_strict_form()):
        made = values_only_copy(content)
        held = parts(made)
        everything = b"".join(held.values())
        assert not re.search(
            rb"<(?:\w+:)?f[ >/]", b"".join(data for name, data in held.items() if "sheets/" in name)
        )
        assert not re.search(rb"<(?:\w+:)?hyperlink|/hyperlink\"", everything)
        assert b'TargetMode="External"' not in everything
        assert b"definedName" not in held["xl/workbook.xml"]
        assert not [
            name
            for name in held
            if re.search("vba|embed|activeX|external|drawing|comment|media|custom", name)
        ]
        book = openpyxl.load_workbook(io.BytesIO(made))
        assert not [
            cell for page in book for row in page.iter_rows() for cell in row if cell.data_type == "f"
        ]


def test_formulas_give_way_to_their_results() -> None:
    page = opened(dangerous())["甲"]
    assert [page[f"B{row}"].value for row in range(1, 7)] == [2, "#NAME?", "点我", 7, 0, None]
    assert page["B2"].data_type == "s", "an error is a text here"
    rich = opened(by_xlsxwriter_rich())[SHEET]
    assert rich["E11"].value == 1010


def test_text_that_looks_like_a_formula_stays_text_even_when_edited() -> None:
    page = opened(dangerous())["甲"]
    for row, text in enumerate(DANGEROUS, start=1):
        cell = page.cell(row, 1)
        assert cell.data_type == "s"
        assert cell.value == text
        assert cell.quotePrefix, "Excel would read the text as a formula after F2 and Enter"
    assert not page["C1"].quotePrefix


def test_numbers_keep_the_format_in_which_they_are_read() -> None:
    page = opened(dangerous())["甲"]
    assert (page["D1"].value, page["D1"].number_format) == (0.4, "0.0%")
    assert page["D2"].value == datetime(2020, 3, 1)
    assert page["D3"].value is True
    assert opened(by_xlsxwriter_rich())[SHEET].column_dimensions["A"].width == pytest.approx(33, abs=1)


def test_hidden_sheets_are_shown_and_say_so() -> None:
    book = opened(dangerous())
    assert book.sheetnames == ["本副本说明", "甲", "乙（隐藏）", "批注"]
    assert {page.sheet_state for page in book} == {"visible"}
    front = [[cell.value for cell in row] for row in book["本副本说明"].iter_rows(min_row=5)]
    assert front == [["甲", "显示", 5, 1, 15, 0], ["乙（隐藏）", "深度隐藏", 0, 0, 1, 0]]


def test_comments_are_a_list_of_texts() -> None:
    rows = [[cell.value for cell in row] for row in opened(dangerous())["批注"].iter_rows()]
    assert rows[1][:2] == ["甲", "C2"]
    assert rows[1][3] == "=1+1 批注"
    assert opened(dangerous())["甲"]["C2"].comment is None


def test_a_far_cell_costs_nothing_and_is_counted() -> None:
    content = by_xlsxwriter()
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    book = opened(changed(content, {part_of_sheet(content): once(b"</sheetData>", far)}))
    page = book[SHEET]
    assert page.max_row <= MOST_ROWS
    assert page.max_column <= MOST_COLUMNS
    counts = {row[0].value: row[5].value for row in book["本副本说明"].iter_rows(min_row=5)}
    assert counts[SHEET] == 1


def test_values_are_those_of_the_file() -> None:
    for content in (by_xlsxwriter(), made_by_hand(), by_openpyxl()):
        before = openpyxl.load_workbook(io.BytesIO(content), data_only=True)[SHEET]
        after = opened(content)[SHEET]
        assert [[cell.value for cell in row] for row in after.iter_rows()] == [
            [cell.value for cell in row]
            for row in before.iter_rows(max_row=after.max_row, max_col=after.max_column)
        ]


def test_the_same_file_gives_the_same_copy() -> None:
    assert values_only_copy(dangerous()) == values_only_copy(dangerous())


@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-8", ","), ("gb18030", ","), ("utf-16", "\t")])
def test_a_table_of_text_is_copied_as_text(encoding: str, delimiter: str) -> None:
    book = opened("月份,金额\n2020-03,=1+1\n".replace(",", delimiter).encode(encoding))
    assert [[cell.value for cell in row] for row in book["csv"].iter_rows()] == [
        ["月份", "金额"],
        ["2020-03", "=1+1"],
    ]
    assert book["csv"]["B2"].data_type == "s"


@pytest.mark.parametrize("name", ["a/b:c*?[d]", "'x'", "表" * 40, "History", "", "\u202eabc"])
def test_sheets_of_any_name_are_copied(name: str) -> None:
    content = changed(by_xlsxwriter(), {"xl/workbook.xml": once(SHEET.encode(), name.encode())})
    book = opened(content)
    assert len(book.sheetnames) == 6
    assert all(len(one) <= 31 for one in book.sheetnames)


def test_a_package_in_pieces_is_refused_in_words() -> None:
    with pytest.raises(CannotAnnotate) as refused:
        values_only_copy(by_xlsxwriter()[:-2000])
    assert refused.value.wording.zh == "压缩包或其中的内容不完整"


def test_in_english_the_copy_is_english() -> None:
    book = openpyxl.load_workbook(io.BytesIO(values_only_copy(dangerous(), language="en")))
    assert book.sheetnames == ["About this copy", "甲", "乙 (hidden)", "Comments"]
