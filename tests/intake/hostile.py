"""Packages that nobody fills in by accident: parts replaced, sizes that lie, names that repeat."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

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
