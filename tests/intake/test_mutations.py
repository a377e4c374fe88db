"""Whatever clerks do to the shape of a form, its figures are read the same."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake import read_file
from pipelines.records import ParsedFile
from tests.intake.builder import Book, Sheet, canonical_book, write_book
from tests.intake.hostile import SHEET_OF_FM2, part, repack

_TO_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def figures(parsed: ParsedFile) -> list[tuple[object, ...]]:
    """What was read, without places and spelling."""
    return sorted(
        (
            cell.form_code,
            cell.section,
            cell.field,
            cell.number is None,
            cell.number or 0,
            str(cell.code),
            str(cell.day),
            cell.state,
        )
        for cell in parsed.cells
        if cell.field not in ("item_name", "contract_no", "enterprise_name")
    )


CANONICAL = write_book(canonical_book())
EXPECTED = read_file("a.xlsx", CANONICAL)


def tables(book: Book) -> list[Sheet]:
    return [sheet for sheet in book if sheet.name in ("服务进出口", "服务外包")]


def insert_rows(book: Book, choose: random.Random) -> None:
    for sheet in tables(book):
        sheet.insert_row(choose.choice([1, 2, 6, 9, 10, 11, 12, 13]), choose.randint(1, 3))


def insert_columns(book: Book, choose: random.Random) -> None:
    for sheet in tables(book):
        sheet.insert_column(choose.randint(1, 11), choose.randint(1, 2))


def shuffle_sheets(book: Book, choose: random.Random) -> None:
    choose.shuffle(book)


def hide_sheets(book: Book, choose: random.Random) -> None:
    for sheet in book[1:]:
        sheet.hidden = choose.random() < 0.5


def rename_sheets(book: Book, choose: random.Random) -> None:
    for number, sheet in enumerate(book):
        if sheet.name not in ("代码表", "填表说明") and choose.random() < 0.7:
            sheet.name = f"Sheet{number}"


def write_full_width(book: Book, choose: random.Random) -> None:
    """Numbers as full-width text, labels and codes in full width."""
    for sheet in tables(book):
        for place, value in list(sheet.cells.items()):
            if isinstance(value, bool) or choose.random() < 0.6:
                continue
            if isinstance(value, int | float):
                sheet.cells[place] = f"{value:,}".translate(_TO_FULL_WIDTH)
            elif isinstance(value, str) and value.isascii():
                sheet.cells[place] = value.translate(_TO_FULL_WIDTH)


def add_blanks(book: Book, choose: random.Random) -> None:
    for sheet in tables(book):
        for place, value in list(sheet.cells.items()):
            if isinstance(value, str) and choose.random() < 0.5:
                sheet.cells[place] = choose.choice([f" {value}", f"{value}\u3000", f"{value}  "])


def lose_merges(book: Book, choose: random.Random) -> None:
    for sheet in tables(book):
        if choose.random() < 0.7:
            sheet.merges = []


def add_notes(book: Book, choose: random.Random) -> None:
    for sheet in tables(book):
        sheet.insert_row(13)
        sheet.cells[(13, choose.randint(1, 3))] = choose.choice(
            ["注：含税", "说明：汇率按月均价", "备注：见附件"]
        )


def swap_lines(book: Book, choose: random.Random) -> None:
    for sheet in tables(book):
        width = max(column for _, column in sheet.cells)
        first, second = 11, 12
        for column in range(1, width + 1):
            one, other = sheet.cells.pop((first, column), None), sheet.cells.pop((second, column), None)
            if other is not None:
                sheet.cells[(first, column)] = other
            if one is not None:
                sheet.cells[(second, column)] = one


MUTATIONS: tuple[Callable[[Book, random.Random], None], ...] = (
    swap_lines,
    write_full_width,
    add_blanks,
    lose_merges,
    add_notes,
    insert_rows,
    insert_columns,
    hide_sheets,
    shuffle_sheets,
    rename_sheets,
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(range(len(MUTATIONS))), max_size=5, unique=True),
    st.integers(min_value=0, max_value=10_000),
)
def test_a_reshaped_workbook_gives_the_same_figures(chosen: list[int], seed: int) -> None:
    book = canonical_book()
    choose = random.Random(seed)
    for index in sorted(chosen):
        MUTATIONS[index](book, choose)
    parsed = read_file("a.xlsx", write_book(book))
    assert [finding.message.zh for finding in parsed.findings] == []
    assert figures(parsed) == figures(EXPECTED)
    assert parsed.enterprise_code == EXPECTED.enterprise_code
    assert parsed.period == EXPECTED.period


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_damage_to_the_bytes_of_a_workbook_raises(data: st.DataObject) -> None:
    content = bytearray(CANONICAL)
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.floats(0, 1, exclude_max=True)) * len(content)
        content[int(position)] = data.draw(st.integers(0, 255))
    length = int(data.draw(st.floats(0, 1)) * len(content))
    parsed = read_file("a.xlsx", bytes(content[:length]) if data.draw(st.booleans()) else bytes(content))
    assert parsed.is_unreadable or parsed.cells


PARTS = (
    "[Content_Types].xml",
    "xl/_rels/workbook.xml.rels",
    "xl/workbook.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    SHEET_OF_FM2,
)
FRAGMENTS = (
    *(
        b'<c r="A1">',
        b"</row>",
        b'<row r="0">',
        b'r="A0"',
        b'r=""',
        b't="s"><v>99999</v>',
        b't="s"><v>-1</v>',
    ),
    *(
        b"<v>1e999</v>",
        b"<v>NaN</v>",
        b'<mergeCell ref="B2:A1"/>',
        b'<mergeCell ref=""/>',
        b"\xff\xfe",
        b"&#0;",
    ),
    *(b"&bad;", b's="99999"', b"<is>", b"</sheetData>", b'<f t="shared" si="0"/>', b'date1904="1"', b"<!--"),
    *(b'<?xml version="1.0" encoding="GBK"?>', b'encoding="UTF-7"', b"<![CDATA[", b""),
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(PARTS),
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 12), st.sampled_from(FRAGMENTS)),
        max_size=4,
    ),
)
def test_no_damage_inside_a_well_packed_workbook_raises(
    name: str, damages: list[tuple[float, int, bytes]]
) -> None:
    data = bytearray(part(CANONICAL, name))
    for where, length, fragment in damages:
        position = int(where * len(data))
        data[position : position + length] = fragment
    parsed = read_file("a.xlsx", repack(CANONICAL, {name: bytes(data)}, level=1))
    assert parsed.is_unreadable == (not parsed.cells)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(1, 18), st.integers(1, 12)),
        st.one_of(
            st.text(max_size=20),
            st.floats(allow_nan=False, allow_infinity=False, width=32),
            st.sampled_from(
                [
                    "合计",
                    "…",
                    "—",
                    "..",
                    "注：",
                    "单位负责人：",
                    "表号：FM-3",
                    "表号：",
                    "报告期：",
                    "万元",
                    "SI2",
                    "1,2OO",
                ]
            ),
        ),
        max_size=12,
    )
)
def test_whatever_is_typed_into_a_form_gives_findings_and_never_an_exception(
    typed: dict[tuple[int, int], object],
) -> None:
    book = canonical_book()
    for sheet in tables(book):
        sheet.cells.update(
            (place, value)
            for place, value in typed.items()
            if not isinstance(value, str) or all(unicodedata.category(one)[0] != "C" for one in value)
        )
    parsed = read_file("a.xlsx", write_book(book))
    for finding in parsed.findings:
        assert finding.message.zh
        assert finding.message.en
