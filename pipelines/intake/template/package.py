"""Parts of a workbook: a prepared one taken apart, cells filled in, put together again. Same input, same bytes.

Only what differs from enterprise to enterprise is packed anew; the other parts keep their compressed bytes.
"""

from __future__ import annotations

import html
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

_FIXED_TIME = (0, (1 << 5) | 1)  # of the DOS calendar: midnight of 1 January 1980
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION, _UTF8, _DEFLATED = 20, 0x800, 8
_BLANK_CELL = re.compile(r'<c r="([A-Z]+[0-9]+)" s="([0-9]+)"/>')
_TEXT_FORMULA = re.compile(r'<c r="([A-Z]+[0-9]+)" s="([0-9]+)" t="str"><f>([^<]*)</f><v></v></c>')
_UNTYPED_FORMULA = re.compile(r'<c r="([A-Z]+[0-9]+)" s="([0-9]+)"><f>([^<]*)</f><v></v></c>')
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_EPOCH = date(1899, 12, 30)

CellValue = str | float | date


@dataclass(frozen=True, slots=True)
class Packed:
    """One member of a ZIP, compressed."""

    name: str
    checksum: int
    size: int
    data: bytes


def packed(name: str, content: bytes) -> Packed:
    """Compress one member."""
    engine = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return Packed(name, zlib.crc32(content), len(content), engine.compress(content) + engine.flush())


def parts_of(content: bytes) -> dict[str, bytes]:
    """The members of a ZIP in their order."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def assembled(members: Iterable[Packed]) -> bytes:
    """A ZIP of compressed members, without a clock: one after the other, then the directory."""
    stretches: list[bytes] = []
    directory: list[bytes] = []
    position = 0
    for member in members:
        name = member.name.encode("utf-8")
        flags = 0 if member.name.isascii() else _UTF8
        sizes = (member.checksum, len(member.data), member.size)
        head = _LOCAL.pack(b"PK\x03\x04", _VERSION, flags, _DEFLATED, *_FIXED_TIME, *sizes, len(name), 0)
        directory.append(
            _CENTRAL.pack(
                b"PK\x01\x02", _VERSION, _VERSION, flags, _DEFLATED, *_FIXED_TIME, *sizes,
                len(name), 0, 0, 0, 0, 0, position,
            )
            + name
        )  # fmt: skip
        stretches += (head, name, member.data)
        position += len(head) + len(name) + len(member.data)
    listing = b"".join(directory)
    end = _END.pack(b"PK\x05\x06", 0, 0, len(directory), len(directory), len(listing), position, 0)
    return b"".join((*stretches, listing, end))


def with_typed_formulas(sheet: str) -> str:
    """Formulas whose result is an empty text marked as that, so that no reader takes them for not computed."""
    return _UNTYPED_FORMULA.sub(r'<c r="\1" s="\2" t="str"><f>\3</f><v></v></c>', sheet)


def filled(sheet: str, values: Mapping[str, CellValue], results: Mapping[str, str]) -> str:
    """A sheet's XML with values in cells that were blank, and with the results of formulas of text.

    Raises KeyError naming the cells that the sheet does not have: the plan and the drawing disagree.
    """
    missing = set(values) | set(results)

    def put(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if value is None:
            return match[0]
        missing.discard(match[1])
        head = f'<c r="{match[1]}" s="{match[2]}"'
        if isinstance(value, str):
            return f'{head} t="inlineStr"><is><t xml:space="preserve">{xml_text(value)}</t></is></c>'
        number = (value - _EPOCH).days if isinstance(value, date) else value
        return f"{head}><v>{number}</v></c>"

    def result(match: re.Match[str]) -> str:
        text = results.get(match[1])
        if text is None:
            return match[0]
        missing.discard(match[1])
        return f'<c r="{match[1]}" s="{match[2]}" t="str"><f>{match[3]}</f><v>{xml_text(text)}</v></c>'

    if values:
        sheet = _BLANK_CELL.sub(put, sheet)
    if results:
        sheet = _TEXT_FORMULA.sub(result, sheet)
    if missing:
        raise KeyError(f"the prepared sheet has no free cell {', '.join(sorted(missing))}")
    return sheet


def xml_text(text: str) -> str:
    """A text as it may stand in XML; what XML cannot hold at all becomes U+FFFD."""
    return html.escape(_NOT_XML.sub("\ufffd", text), quote=False)
