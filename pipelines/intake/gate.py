"""The gate: decides from the bytes alone whether a parser may open the file.

Nothing here interprets a form, and nothing here extracts to disk. What passes is handed on as a `Package`
(an .xlsx whose members were all inflated, counted and checked against their CRC) or as `DecodedText`.

Where the work goes: every member is inflated once by zlib and searched as bytes. The cells of a sheet are
counted one by one only if some address in it is long enough to lie outside the limits. A sheet whose cells
carry no addresses at all passes this search; what it can cost is held by the reading process's own limits.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from pipelines.intake.limits import DEFAULT_LIMITS, Limits
from pipelines.text_tables import DecodedText, UndecodableText, decoded, is_marked_utf_16

_CFB_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP_MAGIC = b"PK\x03\x04"
_END_OF_DIRECTORY = b"PK\x05\x06"
_WORKBOOK_TYPES = (
    b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    b"application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml",
)
_ACTIVE_PARTS = re.compile(
    r"vbaProject|vbaData|(?:^|/)(?:macrosheets|activeX|embeddings|customUI)/|oleObject", re.IGNORECASE
)
# One search over all names, so that an ordinary package costs next to nothing; what it hits is looked at closely.
_SUSPICIOUS_NAMES = re.compile(
    r"\n\n|\n/|\\|:|\.\.|[\x00-\x09\x0b-\x1f\x7f]|vba|macrosheets|activeX|embeddings|customUI|oleObject|externalLinks",
    re.IGNORECASE,
)
_KEPT_PARTS = frozenset({"[content_types].xml", "xl/workbook.xml", "xl/styles.xml"})
_BINARY_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".emf", ".wmf", ".bmp", ".tif", ".tiff", ".bin", ".dat")
# Bytes as their kind: digits 9, letters A, both quotes ", so that one substring stands for all addresses.
_KINDS = bytes(
    ord("9")
    if chr(byte).isdecimal() and byte < 128
    else ord("A")
    if chr(byte).isalpha() and byte < 128
    else ord('"')
    if byte == ord("'")
    else byte
    for byte in range(256)
)
_FAR_SHAPES = (b'"A9999', b'"AA9', b'"AAA9', b'"9999')  # A1000, AA1, AAA1, row 1000 and all that lie farther
# An address that is none (Ftext14): a parser that reads on regardless may take it for a column far away.
_ODD_ADDRESS = re.compile(
    rb"""<(?:[A-Za-z_][\w.-]*:)?c\s(?:[^<>"']|"[^"]*"|'[^']*')*?\br\s*=\s*"""
    rb"""["'](?!\$?[A-Za-z]{1,3}\$?[0-9]{1,7}["'])([^"'<>]*)"""
)
# The same at the speed of ordinary sheets, where every cell begins `<c r="`; the other two say that a sheet is none.
_ODD_PLAIN_ADDRESS = re.compile(rb' r="(?![A-Za-z]{1,3}[0-9]{1,7}"|[0-9]{1,7}")')
_UNUSUAL_CELL = re.compile(rb'<c(?! r=")[\s/>]')
_PREFIXED_CELL = re.compile(rb":c[\s/>]")
_MERGE_REFERENCE = re.compile(
    rb"""mergeCell\s[^>]*?ref\s*=\s*["']\$?([A-Za-z]+)\$?(\d+):\$?([A-Za-z]+)\$?(\d+)["']"""
)
_ADDRESS = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")

# How other things begin that arrive with the name of a workbook; keys are in expectations/reader.yaml.
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "pdf"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"BM", "picture"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"{\\rtf", "word"),
)


_SMALLEST_ENTRY, _LARGEST_ENTRY = (
    47,
    1_024,
)  # bytes of one member in a directory, with a name of one letter or a long one
_LOCAL_LENGTHS = struct.Struct("<HH")  # of name and extra field, at byte 26 of a member's own header


class Refused(Exception):
    """A file that nothing may open; `rule` and `words` make the one finding that it gets."""

    def __init__(self, rule: str, **words: Any) -> None:
        super().__init__(f"{rule} {words}")
        self.rule = rule
        self.words = words


@dataclass(frozen=True, slots=True)
class Package:
    """An .xlsx that passed: its bytes, and the parts that a second look may need, by lower-case name."""

    content: bytes
    parts: Mapping[str, bytes]


def inspect(file_name: str, content: bytes, limits: Limits = DEFAULT_LIMITS) -> Package | DecodedText:
    """Let a file pass or raise `Refused` with the rule (G01-G06, G08) and the words of its message.

    The kind is told from the bytes; the name decides only that plain text may be a table, not a workbook.
    """
    if not content:
        raise Refused("G08")
    if len(content) > limits.file_bytes:
        raise Refused("G05", what="file_size", size=len(content), limit=limits.file_bytes)
    if content.startswith(_ZIP_MAGIC):
        return _admit_package(content, limits)
    if content.startswith(_CFB_MAGIC):
        raise _compound_file(content)
    if file_name.lower().endswith((".csv", ".txt", ".tsv")):
        return _admit_text(content, limits)
    raise Refused("G01", kind=_kind_of(content))


def _kind_of(content: bytes) -> str:
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content.startswith(b"PK"):
        return "damaged"
    opening = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if opening.startswith((b"<html", b"<!doctype html", b"<table", b"<head", b"<meta", b"<div")):
        return "web_page"
    if opening.startswith(b"<?xml") and b"spreadsheet" in opening:
        return "xml_spreadsheet"
    if is_marked_utf_16(content):
        return "text"
    try:
        content[:4096].decode("utf-8")
    except UnicodeDecodeError as problem:
        return "unknown" if problem.start < 4000 else "text"
    return "unknown" if b"\0" in content[:4096] else "text"


def _compound_file(content: bytes) -> Refused:
    """Encrypted .xlsx, legacy .xls or something else: all three come in Microsoft's compound file."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(content)) as compound:
            if compound.exists("EncryptedPackage"):
                return Refused("G02")
            if compound.exists("Workbook") or compound.exists("Book"):
                return Refused("G04")
            return Refused("G01", kind="word" if compound.exists("WordDocument") else "unknown")
    except (OSError, ValueError, IndexError, struct.error, RecursionError):
        # olefile raises these on damaged files: the container is recognised, its directory is not readable
        return Refused("G01", kind="damaged")


def _admit_text(content: bytes, limits: Limits) -> DecodedText:
    if len(content) > limits.text_bytes:
        raise Refused("G05", what="file_size", size=len(content), limit=limits.text_bytes)
    try:
        table = decoded(content)
    except UndecodableText as problem:
        raise Refused("G01", kind=problem.kind) from None
    if not table.text.strip():
        raise Refused("G08")
    return table


def _admit_package(content: bytes, limits: Limits) -> Package:
    members = _directory(content, limits)
    if all(member.filename.lower() != "[content_types].xml" for member in members):
        raise Refused("G01", kind=_kind_of_package(members, b""))
    parts: dict[str, bytes] = {}
    for member in members:
        data = inflate(content, member)
        name = member.filename.lower()
        if not name.endswith(_BINARY_SUFFIXES):
            if b"!" in data and (b"<!DOCTYPE" in data or b"<!ENTITY" in data):  # one byte is found fastest
                raise Refused("G06", what="doctype", given=member.filename)
            if (
                b"\0" in data
            ):  # UTF-16 would hide a DOCTYPE from the search above; no office program writes it
                raise Refused("G06", what="encoding", given=member.filename)
            if name in _KEPT_PARTS or name.endswith(".rels") or name.startswith("xl/worksheets/"):
                parts[name] = data
    types = parts.get("[content_types].xml", b"")
    if b"macroEnabled" in types:
        raise Refused("G03", given="macroEnabled")
    if not any(workbook_type in types for workbook_type in _WORKBOOK_TYPES):
        raise Refused("G01", kind=_kind_of_package(members, types))
    _check_relations(parts)
    return Package(content, parts)


def _kind_of_package(members: list[zipfile.ZipInfo], types: bytes) -> str:
    names = {member.filename for member in members}
    if b"wordprocessingml" in types:
        return "word"
    if b"presentationml" in types:
        return "slides"
    if "mimetype" in names:
        return "open_document"
    return "archive" if not types else "damaged"


def _directory(content: bytes, limits: Limits) -> list[zipfile.ZipInfo]:
    """The central directory, checked: the one at the end of the file, nothing before or between the members."""
    end = content.rfind(_END_OF_DIRECTORY)
    if end < 0 or len(content) < end + 22:
        raise Refused("G01", kind="damaged")
    if end + 22 + int.from_bytes(content[end + 20 : end + 22], "little") != len(content):
        raise Refused("G06", what="trailing_bytes", given="")
    if int.from_bytes(content[end + 10 : end + 12], "little") > limits.member_count:
        raise Refused(
            "G05",
            what="member_count",
            size=int.from_bytes(content[end + 10 : end + 12], "little"),
            limit=limits.member_count,
        )
    # The count beside the directory may lie; its size is what zipfile will walk through. 46 bytes an entry are fixed.
    directory_bytes = int.from_bytes(content[end + 12 : end + 16], "little")
    if directory_bytes > limits.member_count * _LARGEST_ENTRY:
        raise Refused(
            "G05", what="member_count", size=directory_bytes // _SMALLEST_ENTRY, limit=limits.member_count
        )
    try:
        members = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        struct.error,
        UnicodeDecodeError,
        ValueError,
        OverflowError,
    ):
        raise Refused("G01", kind="damaged") from None
    if len(members) > limits.member_count:
        raise Refused("G05", what="member_count", size=len(members), limit=limits.member_count)
    _check_names(members)
    total = position = 0
    seen: set[str] = set()
    for member in members:
        name, size, packed = member.filename.lower(), member.file_size, member.compress_size
        if name in seen:
            raise Refused("G06", what="duplicate", given=member.filename)
        seen.add(name)
        if member.flag_bits & 0x1:
            raise Refused("G02")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused("G06", what="compression", given=name)
        total += size
        if size > limits.member_bytes:
            raise Refused("G05", what="member_size", given=name, size=size, limit=limits.member_bytes)
        if size > limits.ratio_free_bytes and size > limits.compression_ratio * max(packed, 1):
            raise Refused(
                "G05", what="ratio", given=name, size=size // max(packed, 1), limit=limits.compression_ratio
            )
        if size > limits.styles_bytes and name.endswith("styles.xml"):
            raise Refused("G05", what="styles", given=name, size=size, limit=limits.styles_bytes)
    if total > limits.total_bytes:
        raise Refused("G05", what="total_size", size=total, limit=limits.total_bytes)
    # one after the other from the first byte: no hidden beginning, no bytes used twice
    for member in sorted(members, key=_offset):
        start = member.header_offset
        if start < position or (position == 0 and start != 0):
            raise Refused("G06", what="overlap", given=member.filename)
        if content[start : start + 4] != _ZIP_MAGIC:
            raise Refused("G01", kind="damaged")
        name_length, extra_length = _LOCAL_LENGTHS.unpack_from(content, start + 26)
        position = start + 30 + name_length + extra_length + member.compress_size
        if position > end:
            raise Refused("G01", kind="damaged")
    return members


def _check_names(members: list[zipfile.ZipInfo]) -> None:
    """No path that leaves the package, no active content, no link to other workbooks."""
    suspicious = _SUSPICIOUS_NAMES.search("\n" + "\n".join(member.orig_filename for member in members))
    if suspicious is None:
        return
    for member in members:
        name = member.orig_filename
        if not name or name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise Refused("G06", what="member_name", given=name)
        if not name.isprintable():
            raise Refused("G06", what="member_name", given=ascii(name))
        if _ACTIVE_PARTS.search(name):
            raise Refused("G03", given=name)
        if name.lower().startswith("xl/externallinks/"):
            raise Refused("G06", what="external_link", given=name)


def _offset(member: zipfile.ZipInfo) -> int:
    return member.header_offset


def inflate(content: bytes, member: zipfile.ZipInfo) -> bytes:
    """One member, inflated to at most its declared size and one byte: name, size and CRC must be as declared."""
    start = member.header_offset + 30
    name_length, extra_length = _LOCAL_LENGTHS.unpack_from(content, start - 4)
    local_name = content[start : start + name_length]
    if local_name != member.orig_filename.encode("utf-8" if member.flag_bits & 0x800 else "cp437", "replace"):
        raise Refused("G06", what="two_names", given=member.filename)
    start += name_length + extra_length
    data = content[start : start + member.compress_size]
    size = member.file_size
    if member.compress_type != zipfile.ZIP_STORED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)
        except zlib.error:
            raise Refused("G01", kind="damaged") from None
    if len(data) > size:
        raise Refused("G05", what="lying_size", given=member.filename, size=len(data), limit=size)
    if len(data) != size or zlib.crc32(data) != member.CRC:
        raise Refused("G01", kind="damaged")
    return data


def _check_relations(parts: Mapping[str, bytes]) -> None:
    """Nothing outside the file but hyperlinks, which are only text until somebody clicks."""
    for name, data in parts.items():
        if not name.endswith(".rels") or b"External" not in data:
            continue
        for kind in _external_relations(data):
            if not kind.endswith("/hyperlink"):
                raise Refused("G06", what="external_link", given=f"{name}: {kind.rpartition('/')[2]}")


def _external_relations(data: bytes) -> list[str]:
    kinds: list[str] = []

    def on_start(_tag: str, attributes: dict[str, str]) -> None:
        if attributes.get("TargetMode", "").lower() == "external":
            kinds.append(attributes.get("Type", ""))

    walk_xml(data, on_start)
    return kinds


def inspect_sheet(data: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> None:
    """Let a parser open one sheet or raise `Refused` (G05, G06): no content outside the limits, no endless merges,
    no cell whose address is none.

    Apart from `inspect`, because a sheet that nobody opens (a list of codes) need not be searched.
    """
    kinds = data.translate(_KINDS)
    if any(shape in kinds for shape in _FAR_SHAPES):
        _count_values(data, limits)
    is_ordinary = not (
        _ODD_PLAIN_ADDRESS.search(data) or _UNUSUAL_CELL.search(data) or _PREFIXED_CELL.search(data)
    )
    odd = None if is_ordinary else _ODD_ADDRESS.search(data)
    if odd is not None:
        raise Refused("G06", what="cell_address", given=odd[1][:40].decode("utf-8", "replace"))
    tail = data[data.rfind(b"sheetData") :]
    if b"mergeCell" in tail:
        _check_merges(tail, name, limits)


def _check_merges(tail: bytes, name: str, limits: Limits) -> None:
    for count, match in enumerate(_MERGE_REFERENCE.finditer(tail), start=1):
        if count > limits.merges:
            raise Refused(
                "G05", what="merges", given=name, size=tail.count(b"mergeCell "), limit=limits.merges
            )
        column1, row1, column2, row2 = match.groups()
        width = abs(column_number(column2.decode()) - column_number(column1.decode())) + 1
        height = abs(int(row2) - int(row1)) + 1
        if width * height > limits.merged_area:
            reference = b":".join((column1 + row1, column2 + row2)).decode()
            raise Refused(
                "G05", what="merged_area", given=reference, size=width * height, limit=limits.merged_area
            )


def _count_values(data: bytes, limits: Limits) -> None:
    """Refuse the first cell with content outside the limits; empty cells with a format do not count."""
    row = column = 0

    def on_start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column
        kind = tag.rpartition(":")[2]
        if kind == "c":
            match = _ADDRESS.fullmatch(attributes.get("r", ""))
            column = column_number(match[1]) if match else column + 1
            row = int(match[2]) if match else row
        elif kind in ("v", "f", "is"):
            if row > limits.rows or column > limits.columns:
                raise Refused(
                    "G05",
                    what="far_cell",
                    given=f"{column_letters(column)}{row}",
                    size=max(row, column),
                    limit=f"{column_letters(limits.columns)}{limits.rows}",
                )
        elif kind == "row":
            given = attributes.get("r", "")
            row = int(given) if given.isdecimal() and len(given) < 8 else row + 1
            column = 0

    walk_xml(data, on_start)


def walk_xml(
    data: bytes,
    on_start: Callable[[str, dict[str, str]], None],
    on_end: Callable[[str], None] | None = None,
    on_text: Callable[[str], None] | None = None,
) -> None:
    """Run through one part of a package that holds no DOCTYPE. Raises `Refused` (G01) where it is not well formed.

    Always as UTF-8, whatever the part declares: an office program writes nothing else, and a second reader that
    believed the declaration would see another text than calamine does.
    """
    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler = on_start
    if on_end is not None:
        parser.EndElementHandler = on_end
    if on_text is not None:
        parser.CharacterDataHandler = on_text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as problem:
        raise Refused("G01", kind="damaged", given=str(problem)) from None


def column_number(letters: str) -> int:
    """A is 1, Z is 26, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, remainder = divmod(number - 1, 26)
        letters = chr(65 + remainder) + letters
    return letters


def address(row: int, column: int) -> str:
    """F18 of row 17 and column 5, both from 0."""
    return f"{column_letters(column + 1)}{row + 1}"
