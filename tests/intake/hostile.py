"""Packages that nobody fills in by accident: parts replaced, sizes that lie, names that repeat."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from tests.intake.builder import canonical_file

SHEET_OF_FM2 = "xl/worksheets/sheet3.xml"


def repack(content: bytes, changes: Mapping[str, bytes | None], level: int = 6) -> bytes:
    """The package with parts replaced, added, or (None) left out."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as new,
    ):
        for name in old.namelist():
            data = changes.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
        for name, added in changes.items():
            if added is not None and name not in old.namelist():
                new.writestr(name, added)
    return buffer.getvalue()


def part(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return package.read(name)


def in_sheet(fragment: bytes, before: bytes = b"</sheetData>", content: bytes | None = None) -> bytes:
    """The canonical workbook with a fragment put into the sheet 服务进出口."""
    book = content or canonical_file()
    sheet = part(book, SHEET_OF_FM2)
    assert before in sheet
    return repack(book, {SHEET_OF_FM2: sheet.replace(before, fragment + before, 1)})


def after_sheet_data(fragment: bytes) -> bytes:
    book = canonical_file()
    sheet = part(book, SHEET_OF_FM2)
    return repack(book, {SHEET_OF_FM2: sheet.replace(b"</sheetData>", b"</sheetData>" + fragment, 1)})


def with_twice(name: str) -> bytes:
    """The canonical workbook with a second member of the same name."""
    buffer = io.BytesIO(canonical_file())
    data = part(buffer.getvalue(), name)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as package:
        info = zipfile.ZipInfo(name)
        package.NameToInfo.pop(name)  # or zipfile warns
        package.writestr(info, data)
    return buffer.getvalue()


def with_declared_size(name: str, size: int) -> bytes:
    """The canonical workbook whose central directory gives a member another uncompressed size."""
    content = bytearray(canonical_file())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as package:
        start = package.start_dir
    encoded = name.encode()
    position = start
    while content[position : position + 4] == b"PK\x01\x02":
        name_length, extra, comment = struct.unpack_from("<HHH", content, position + 28)
        if bytes(content[position + 46 : position + 46 + name_length]) == encoded:
            struct.pack_into("<I", content, position + 24, size)
            return bytes(content)
        position += 46 + name_length + extra + comment
    raise AssertionError(f"no member {name}")


def compound_file(stream: str) -> bytes:
    """A Microsoft compound file with one empty stream: what .xls and encrypted .xlsx come in."""
    sector = 512
    header = bytearray(b"\xff" * sector)
    struct.pack_into(
        "<8s16sHHHHH6xIIIIIIIIII",
        header,
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\0" * 16,
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        1,
        1,
        0,
        4096,
        0xFFFFFFFE,
        0,
        0xFFFFFFFE,
        0,
        0,
    )
    fat = bytearray(b"\xff" * sector)
    struct.pack_into("<II", fat, 0, 0xFFFFFFFD, 0xFFFFFFFE)
    directory = _entry("Root Entry", 5, child=1) + _entry(stream, 2) + b"\0" * 256
    return bytes(header) + bytes(fat) + directory


def _entry(name: str, kind: int, child: int = 0xFFFFFFFF) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        encoded,
        len(encoded),
        kind,
        1,
        0xFFFFFFFF,
        0xFFFFFFFF,
        child,
        b"\0" * 16,
        0,
        0,
        0,
        0xFFFFFFFE,
        0,
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


def with_lying_count() -> bytes:
    """A package of thirty thousand empty members whose end says that there are ten."""
    content = bytearray(
        repack(canonical_file(), {f"x/{number:05d}.xml": b"" for number in range(30_000)}, level=0)
    )
    end = content.rfind(b"PK\x05\x06")
    struct.pack_into("<HH", content, end + 8, 10, 10)
    return bytes(content)


def with_end_record_in_comment() -> bytes:
    """A second end of the directory, empty, inside the comment behind the first."""
    return canonical_file()[:-2] + struct.pack("<H", 22) + b"PK\x05\x06" + b"\0" * 18


def with_sheets_that_are_one_part(count: int) -> bytes:
    """A workbook that names the part of one sheet many times: small to send, long to read."""
    book = canonical_file()
    workbook = part(book, "xl/workbook.xml")
    sheets = b"".join(b'<sheet name="s%d" sheetId="%d" r:id="rId3"/>' % (n, 100 + n) for n in range(count))
    return repack(book, {"xl/workbook.xml": workbook.replace(b"</sheets>", sheets + b"</sheets>")})


def with_sheet_outside() -> bytes:
    book = canonical_file()
    name = "xl/_rels/workbook.xml.rels"
    relations = part(book, name).replace(b'"worksheets/sheet3.xml"', b'"../../../../etc/passwd"')
    return repack(book, {name: relations})


def with_endless_sums() -> bytes:
    """Eight thousand formulas without results, each a sum over most of the sheet."""
    return in_sheet(
        b"".join(
            b'<row r="%d"><c r="D%d"><f>SUM(D1:D19999)</f></c><c r="E%d"><f>SUM(A1:BH19999)</f></c></row>'
            % (n, n, n)
            for n in range(40, 8_000)
        )
    )


def with_form_number_in_every_row() -> bytes:
    return in_sheet(
        "".join(
            f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>表号：FM-{n % 8 + 1}</t></is></c></row>'
            for n in range(40, 15_000)
        ).encode()
    )


def with_names_of_names() -> bytes:
    """Thirty thousand names, each twice the next: two to the thirty-thousandth for whoever computes them."""
    book = canonical_file()
    workbook = part(book, "xl/workbook.xml")
    names = b"".join(
        b'<definedName name="n%d">SUM(n%d,n%d)</definedName>' % (n, n + 1, n + 1) for n in range(30_000)
    )
    changed = workbook.replace(b"</sheets>", b"</sheets><definedNames>" + names + b"</definedNames>")
    return repack(book, {"xl/workbook.xml": changed})


def with_prefixed_sheet() -> bytes:
    book = canonical_file()
    namespace = b'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    sheet = part(book, SHEET_OF_FM2).replace(b"<worksheet ", b"<x:worksheet " + namespace + b" ", 1)
    return repack(book, {SHEET_OF_FM2: sheet.replace(b"</worksheet>", b"</x:worksheet>")})


def with_attributes_without_end() -> bytes:
    book = canonical_file()
    attributes = b" ".join(b'a%d="x"' % n for n in range(60_000))
    sheet = part(book, SHEET_OF_FM2).replace(b"<sheetData>", b"<sheetData " + attributes + b">", 1)
    return repack(book, {SHEET_OF_FM2: sheet})


def with_values_of_no_kind() -> bytes:
    return in_sheet(
        b'<row r="50"><c r="A50" t="d"><v>9999999-99-99</v></c>'
        b'<c r="D50"><v>-1e308</v></c><c r="E50"><v>1e999</v></c></row>'
    )


FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "an empty file": ("G08", lambda: b""),
    "a picture": ("G01", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 100),
    "a PDF": ("G01", lambda: b"%PDF-1.7\n"),
    "a web page": ("G01", lambda: b"<html><table><tr><td>1</td></tr></table></html>"),
    "a web page before a package": ("G01", lambda: b"<html></html>" + canonical_file()),
    "random bytes": ("G01", lambda: bytes(range(1, 256)) * 20),
    "plain text": ("G01", "服务贸易".encode),
    "text in UTF-16": ("G01", lambda: "服务\t贸易\r\n".encode("utf-16")),
    "text in UTF-16 that breaks off": ("G01", lambda: "服务\t贸易\r\n".encode("utf-16")[:-1]),
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
    "a count of members that lies": ("G05", with_lying_count),
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
    "strings that are not there": (
        "G01",
        lambda: in_sheet(b'<row r="50"><c r="D50" t="s"><v>999999</v></c></row>'),
    ),
    "a second end in the comment": ("G01", with_end_record_in_comment),
    "thousands of sheets that are one part": ("G06", lambda: with_sheets_that_are_one_part(5_000)),
    "two sheets that are one part": ("G06", lambda: with_sheets_that_are_one_part(1)),
    "a sheet outside the package": ("G01", with_sheet_outside),
    "elements nested without end": (
        "G05",
        lambda: after_sheet_data(b"<a>" * 200_000 + b"</a>" * 200_000),
    ),
    "a cell of no kind": ("G01", lambda: in_sheet(b'<row r="50"><c r="C50" t="zzz"><v>1</v></c></row>')),
    "a truth value that is seven": (
        "G01",
        lambda: in_sheet(b'<row r="50"><c r="A50" t="b"><v>7</v></c></row>'),
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


def with_texts(*texts: str) -> bytes:
    """The canonical workbook with a row for each text, in the cells of item, partner and amount."""
    rows = "".join(
        f'<row r="{number}">'
        + "".join(
            f'<c r="{letter}{number}" t="inlineStr"><is><t>{escape(text)}</t></is></c>' for letter in "ACD"
        )
        + "</row>"
        for number, text in enumerate(texts, start=40)
    )
    return in_sheet(rows.encode())


# Files that are dangerous only to whoever shows or copies what stands in them: they are read, and asked about.
READ: dict[str, tuple[str, Callable[[], bytes]]] = {
    "formula text": ("报表.xlsx", lambda: with_texts("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1")),
    "a command in a formula": ("报表.xlsx", lambda: with_texts("=cmd|' /C calc'!A0", '=HYPERLINK("//x","y")')),
    "script in cells": ("报表.xlsx", lambda: with_texts("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')),
    "bidirectional text": ("报表.xlsx", lambda: with_texts("abc\u202etxt.exe", "\u2066\u2069\u200f")),
    "the longest text": ("报表.xlsx", lambda: with_texts("长" * 32_767)),
    "numbers beyond numbers": ("报表.xlsx", lambda: with_texts("1e400", "-1e400", "NaN", "Infinity", "9" * 400)),
    "a number of four thousand digits": ("报表.xlsx", lambda: in_sheet(
        b'<row r="50"><c r="D50"><v>' + b"9" * 4000 + b"</v></c></row>"
    )),
    "styles that are not there": ("报表.xlsx", lambda: in_sheet(b'<row r="50"><c r="D50" s="65535"><v>1</v></c></row>')),
    "sums over sums": ("报表.xlsx", with_endless_sums),
    "a form number in every row": ("报表.xlsx", with_form_number_in_every_row),
    "names of names": ("报表.xlsx", with_names_of_names),
    "elements with a prefix": ("报表.xlsx", with_prefixed_sheet),
    "attributes without end": ("报表.xlsx", with_attributes_without_end),
    "values of no kind": ("报表.xlsx", with_values_of_no_kind),
    "texts of nothing but blanks and signs": ("报表.xlsx", lambda: with_texts(
        " " * 32_000 + "1", "\u3000" * 32_000, "1 " * 16_000, "-" * 32_000, ":" * 32_000, "报告期：" * 8_000
    )),
    "a name that runs backwards": ("报表\u202exslx.exe", canonical_file),
    "a name with a path": ("../../etc/passwd.xlsx", canonical_file),
    "a name with control characters": ("报\r\nSet-Cookie: a=b\x00表.xlsx", canonical_file),
    "a name of a thousand characters": ("报" * 1000 + ".xlsx", canonical_file),
    "a name that is half a character": ("报\ud800表.xlsx", canonical_file),
    "a name that is a device": ("CON.xlsx", canonical_file),
}  # fmt: skip
