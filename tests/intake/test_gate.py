"""The gate refuses what nothing may open, with one clear finding, and lets every ordinary workbook pass."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipelines.findings import Severity
from pipelines.intake import DEFAULT_LIMITS, gate, read_file
from pipelines.records import FileKind
from tests.intake.builder import Sheet, canonical_book, canonical_file, write_book
from tests.intake.hostile import (
    SHEET_OF_FM2,
    after_sheet_data,
    compound_file,
    in_sheet,
    part,
    repack,
    with_declared_size,
    with_twice,
)


def zip_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members.items():
            package.writestr(name, data)
    return buffer.getvalue()


def macro_enabled() -> bytes:
    book = canonical_file()
    types = part(book, "[Content_Types].xml").replace(
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    return repack(book, {"[Content_Types].xml": types})


def with_external_relation() -> bytes:
    book = canonical_file()
    relation = (
        b'<Relationship Id="rId99" TargetMode="External" Target="file:///c:/secret.xlsx" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"/>'
    )
    name = "xl/_rels/workbook.xml.rels"
    return repack(book, {name: part(book, name).replace(b"</Relationships>", relation + b"</Relationships>")})


def with_doctype(declaration: bytes) -> bytes:
    book = canonical_file()
    strings = part(book, "xl/sharedStrings.xml")
    head, rest = strings.split(b"?>", 1)
    return repack(book, {"xl/sharedStrings.xml": head + b"?>" + declaration + rest})


def renamed_in_its_own_header() -> bytes:
    content = bytearray(canonical_file())
    position = content.find(b"xl/theme/theme1.xml")
    content[position : position + 8] = b"xl/XXXXX"
    return bytes(content)


def with_broken_crc() -> bytes:
    content = bytearray(canonical_file())
    info = zipfile.ZipFile(io.BytesIO(bytes(content))).getinfo("docProps/app.xml")
    position = content.rfind(info.CRC.to_bytes(4, "little"))
    content[position] ^= 0xFF
    return bytes(content)


def overlapping() -> bytes:
    """Two directory entries that use the bytes of one member: how a small file claims to be a large one."""
    book = canonical_file()
    with zipfile.ZipFile(io.BytesIO(book)) as package:
        target = package.getinfo("xl/theme/theme1.xml").header_offset
        start = package.start_dir
    content = bytearray(book)
    position = content.find(b"PK\x01\x02", start)
    content[position + 42 : position + 46] = target.to_bytes(4, "little")
    return bytes(content)


FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "an empty file": ("G08", lambda: b""),
    "a picture": ("G01", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 100),
    "a PDF": ("G01", lambda: b"%PDF-1.7\n"),
    "a web page": ("G01", lambda: b"<html><table><tr><td>1</td></tr></table></html>"),
    "a web page before a package": ("G01", lambda: b"<html></html>" + canonical_file()),
    "random bytes": ("G01", lambda: bytes(range(1, 256)) * 20),
    "plain text": ("G01", "服务贸易".encode),
    "a truncated package": ("G01", lambda: canonical_file()[:-400]),
    "half a package": ("G01", lambda: canonical_file()[: len(canonical_file()) // 2]),
    "a damaged member": ("G01", with_broken_crc),
    "a plain archive": ("G01", lambda: zip_of({"报表.xlsx": canonical_file()})),
    "a Word document": (
        "G01",
        lambda: zip_of({"[Content_Types].xml": b'<Types><Override ContentType="wordprocessingml"/></Types>'}),
    ),
    "an OpenDocument file": (
        "G01",
        lambda: zip_of({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
    ),
    "an encrypted workbook": ("G02", lambda: compound_file("EncryptedPackage")),
    "a legacy workbook": ("G04", lambda: compound_file("Workbook")),
    "an older legacy workbook": ("G04", lambda: compound_file("Book")),
    "an old Word document": ("G01", lambda: compound_file("WordDocument")),
    "a damaged compound file": ("G01", lambda: compound_file("Workbook")[:600]),
    "a macro": ("G03", lambda: repack(canonical_file(), {"xl/vbaProject.bin": b"x"})),
    "a macro-enabled type": ("G03", macro_enabled),
    "an embedded object": ("G03", lambda: repack(canonical_file(), {"xl/embeddings/oleObject1.bin": b"x"})),
    "an ActiveX control": ("G03", lambda: repack(canonical_file(), {"xl/activeX/activeX1.xml": b"<x/>"})),
    "a macro sheet": ("G03", lambda: repack(canonical_file(), {"xl/macrosheets/sheet1.xml": b"<x/>"})),
    "a link to another workbook": (
        "G06",
        lambda: repack(canonical_file(), {"xl/externalLinks/externalLink1.xml": b"<x/>"}),
    ),
    "an external relation": ("G06", with_external_relation),
    "a path out of the package": ("G06", lambda: repack(canonical_file(), {"../../etc/passwd": b"x"})),
    "an absolute path": ("G06", lambda: repack(canonical_file(), {"/etc/passwd": b"x"})),
    "a path with a drive": ("G06", lambda: repack(canonical_file(), {"c:/x.xml": b"<x/>"})),
    "a member twice": ("G06", lambda: with_twice("xl/workbook.xml")),
    "a member twice in another case": ("G06", lambda: repack(canonical_file(), {"XL/WORKBOOK.XML": b"<x/>"})),
    "a member with two names": ("G06", renamed_in_its_own_header),
    "members that overlap": ("G06", overlapping),
    "something behind the package": ("G06", lambda: canonical_file() + b"<script>alert(1)</script>"),
    "an entity bomb": (
        "G06",
        lambda: with_doctype(b'<!DOCTYPE sst [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'),
    ),
    "an external entity": ("G06", lambda: with_doctype(b'<!DOCTYPE sst SYSTEM "file:///etc/passwd">')),
    "a part in UTF-16": (
        "G06",
        lambda: repack(canonical_file(), {"docProps/app.xml": "<!DOCTYPE x><x/>".encode("utf-16")}),
    ),
    "a bomb by ratio": (
        "G05",
        lambda: repack(canonical_file(), {"xl/media/x.xml": b" " * 3_000_000}, level=9),
    ),
    "a bomb by size": (
        "G05",
        lambda: repack(canonical_file(), {"xl/media/x.xml": b" " * 42_000_000}, level=9),
    ),
    "too many members": (
        "G05",
        lambda: repack(canonical_file(), {f"xl/p{n}.xml": b"<x/>" for n in range(250)}),
    ),
    "a size that lies": ("G05", lambda: with_declared_size(SHEET_OF_FM2, 100)),
    "a size that lies the other way": ("G01", lambda: with_declared_size(SHEET_OF_FM2, 100_000)),
    "too many styles": (
        "G05",
        lambda: repack(
            canonical_file(), {"xl/styles.xml": bytes(random.Random(7).choices(range(97, 123), k=2_200_000))}
        ),
    ),
    "a value in the last cell": ("G05", lambda: in_sheet(FAR)),
    "a value in the last cell, quoted otherwise": ("G05", lambda: in_sheet(FAR.replace(b'"', b"'"))),
    "a formula far to the right": ("G05", lambda: in_sheet(b'<row r="90"><c r="ZZ90"><f>1+1</f></c></row>')),
    "a text far below": (
        "G05",
        lambda: in_sheet(b'<row r="60000"><c r="A60000" t="inlineStr"><is><t>x</t></is></c></row>'),
    ),
    "a value far below without an address": (
        "G05",
        lambda: in_sheet(b'<row r="1048576"><c><v>1</v></c></row>'),
    ),
    "a column of letters without end": (
        "G06",
        lambda: in_sheet(b'<row r="14"><c r="Ftext14"><v>1</v></c></row>'),
    ),
    "the same, quoted otherwise": (
        "G06",
        lambda: in_sheet(b"<row r='14'><c s='1' r = 'FTEXT14'><v>1</v></c></row>"),
    ),
    "the same, of another prefix": (
        "G06",
        lambda: in_sheet(b'<row r="14"><x:c r="ABCDEF1"><v>1</v></x:c></row>'),
    ),
    "an address in disguise": (
        "G06",
        lambda: in_sheet(b'<row r="14"><c r="&#65;&#66;CDEF1"><v>1</v></c></row>'),
    ),
    "half a sheet merged": (
        "G05",
        lambda: after_sheet_data(b'<mergeCells count="1"><mergeCell ref="A100:XFD20000"/></mergeCells>'),
    ),
    "thousands of merges": (
        "G05",
        lambda: after_sheet_data(
            b"<mergeCells>"
            + b"".join(b'<mergeCell ref="A%d:B%d"/>' % (n, n) for n in range(100, 700))
            + b"</mergeCells>"
        ),
    ),
}


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_tables_are_decoded_in_the_three_encodings_of_offices(encoding: str) -> None:
    table = gate.inspect("汇率.csv", "币种,汇率\n美元,6.9".encode(encoding))
    assert isinstance(table, gate.DelimitedText)
    assert table.text.startswith("币种,汇率")


@pytest.mark.parametrize(
    ("content", "rule"),
    [(b"  \n ", "G08"), (b"a,b\0c", "G01"), (b"\xff\xfe\xff", "G01"), (b'"a,b\n1,2', "G01")],
    ids=["blank", "binary", "no encoding fits", "an open quotation mark"],
)
def test_text_that_is_no_table_is_refused(content: bytes, rule: str) -> None:
    assert [finding.rule for finding in read_file("a.csv", content).findings] == [rule]


def test_text_larger_than_the_limit_is_refused() -> None:
    limits = replace(DEFAULT_LIMITS, text_bytes=10)
    assert [finding.rule for finding in read_file("a.csv", b"a,b\n1,2\n3,4", limits).findings] == ["G05"]
