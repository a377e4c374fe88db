"""The gate refuses what nothing may open, with one clear finding, and lets every ordinary workbook pass."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipelines.findings import Severity
from pipelines.intake import DEFAULT_LIMITS, gate, read_file
from pipelines.records import FileKind
from pipelines.text_tables import DecodedText
from tests.intake.builder import Sheet, canonical_book, canonical_file, write_book
from tests.intake.hostile import FAR, READ, REFUSED, SHEET_OF_FM2, in_sheet, part, repack


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_must_not_be_opened_gets_one_finding_in_both_languages(what: str) -> None:
    rule, build = REFUSED[what]
    read = read_file("报表.xlsx", build())
    assert [finding.rule for finding in read.findings] == [rule], read.findings
    [finding] = read.findings
    assert finding.severity is Severity.CRITICAL
    assert read.is_unreadable
    assert read.kind is FileKind.UNKNOWN
    assert read.cells == ()
    assert f"〔{rule}〕" in finding.message.zh
    assert f"[{rule}]" in finding.message.en
    assert not re.search(r"\{\w*\}", finding.message.zh + finding.message.en), "a placeholder was left over"


@pytest.mark.parametrize("what", READ)
def test_a_file_that_is_dangerous_only_to_show_is_read_and_answered(what: str) -> None:
    name, build = READ[what]
    read = read_file(name, build())
    assert not read.is_unreadable
    assert "FM-2" in read.form_codes


def test_the_corpus_of_hostile_files_has_at_least_forty() -> None:
    assert len(REFUSED) >= 40
    assert len(READ) >= 12


def test_a_file_larger_than_the_limit_is_refused_before_anything_looks_at_it() -> None:
    content = canonical_file()
    read = read_file("报表.xlsx", content, replace(DEFAULT_LIMITS, file_bytes=len(content) - 1))
    assert [finding.rule for finding in read.findings] == ["G05"]


def test_the_refusal_of_a_far_cell_names_the_cell_and_the_limit() -> None:
    [finding] = read_file("报表.xlsx", in_sheet(FAR)).findings
    assert finding.given == "XFD1048576"
    assert "BH20000" in finding.message.zh


@pytest.mark.parametrize(
    "fragment",
    [
        b'<row r="60000"><c r="A60000" s="1"/></row>',
        b'<row r="60000"><c r="XFD60000" s="1"></c></row>',
        b'<row r="1048576" ht="20"><c r="XFD1048576" s="1"/></row>',
    ],
    ids=["far below", "far right", "the last cell"],
)
def test_formats_dragged_to_far_cells_without_content_do_no_harm(fragment: bytes) -> None:
    plain, ghost = read_file("a.xlsx", canonical_file()), read_file("a.xlsx", in_sheet(fragment))
    assert ghost.findings == ()
    assert ghost.cells == plain.cells


def test_a_title_merged_over_the_whole_row_is_read() -> None:
    book = canonical_file()
    sheet = part(book, SHEET_OF_FM2).replace(b'<mergeCell ref="A1:K1"/>', b'<mergeCell ref="A1:XFD1"/>')
    assert b"XFD1" in sheet
    assert read_file("a.xlsx", repack(book, {SHEET_OF_FM2: sheet})).findings == ()


def test_hyperlinks_are_only_text() -> None:
    book = canonical_file()
    rels = (
        b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        b'<Relationship Id="rId1" TargetMode="External" Target="mailto:a@b.c" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"/></Relationships>'
    )
    read = read_file("a.xlsx", repack(book, {"xl/worksheets/_rels/sheet3.xml.rels": rels}))
    assert read.findings == ()


def test_a_workbook_with_rows_beyond_a_thousand_is_counted_and_passes() -> None:
    sheet = Sheet("其他")
    for row in range(1, 3001):
        sheet.row(row, [f"行{row}", row])
    read = read_file("a.xlsx", write_book([*canonical_book(), sheet]))
    assert read.findings == ()


def test_the_gate_hands_on_only_what_a_second_look_may_need() -> None:
    package = gate.inspect("a.xlsx", canonical_file())
    assert isinstance(package, gate.Package)
    assert "xl/workbook.xml" in package.parts
    assert not any("sharedstrings" in name or "theme" in name for name in package.parts)


MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16-le", "utf-16-be"])
def test_text_tables_are_decoded_in_the_encodings_of_offices(encoding: str) -> None:
    table = gate.inspect("汇率.csv", MARKS.get(encoding, b"") + "币种,汇率\n美元,6.9".encode(encoding))
    assert isinstance(table, DecodedText)
    assert table.text == "币种,汇率\n美元,6.9"


def reason(name: str, content: bytes) -> str:
    [found] = read_file(name, content).findings
    assert found.rule == "G01"
    return found.message.zh


@pytest.mark.parametrize("encoding", sorted(MARKS))
def test_utf_16_without_its_mark_is_recognised_and_what_to_do_is_said(encoding: str) -> None:
    content = "币种\t汇率\r\n美元\t6.9\r\n".encode(encoding)
    assert "没有字节顺序标记的 UTF-16 文本" in reason("汇率.txt", content)
    [found] = read_file("汇率.txt", content).findings
    assert "UTF-16 text without a byte order mark" in found.message.en
    assert "“CSV UTF-8”" in found.message.en


@pytest.mark.parametrize("encoding", sorted(MARKS))
def test_utf_16_that_breaks_off_is_told_as_damaged(encoding: str) -> None:
    whole = MARKS[encoding] + "币种\t汇率\r\n美元\t6.9\U00020000".encode(encoding)
    assert "文件已损坏或不完整" in reason("汇率.txt", whole[:-1])
    assert "文件已损坏或不完整" in reason("汇率.txt", whole[:-2]), "half of a pair"


def test_what_only_begins_like_utf_16_is_no_table() -> None:
    assert "内容无法识别" in reason("a.txt", "币种,汇率\n".encode("utf-32"))
    assert "内容无法识别" in reason("a.txt", b"\xff\xfe" + "a,b\0c\n".encode("utf-16-le"))
    assert [found.rule for found in read_file("a.txt", b"\xff\xfe").findings] == ["G08"], (
        "a mark and nothing else"
    )


def test_text_in_utf_16_under_the_name_of_a_workbook_is_told_as_text() -> None:
    assert "看起来是纯文本" in reason("汇率.xls", "币种\t汇率\r\n美元\t6.9\r\n".encode("utf-16"))


@pytest.mark.parametrize(
    ("content", "rule"),
    [(b"  \n ", "G08"), (b"a,b\0c", "G01"), (b"\xff\xfe\xff", "G01"), (b'"a,b\n1,2', "G01")],
    ids=["blank", "binary", "half a character of UTF-16", "an open quotation mark"],
)
def test_text_that_is_no_table_is_refused(content: bytes, rule: str) -> None:
    assert [finding.rule for finding in read_file("a.csv", content).findings] == [rule]


def test_text_larger_than_the_limit_is_refused() -> None:
    limits = replace(DEFAULT_LIMITS, text_bytes=10)
    assert [finding.rule for finding in read_file("a.csv", b"a,b\n1,2\n3,4", limits).findings] == ["G05"]
