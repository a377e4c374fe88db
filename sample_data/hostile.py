"""Files that are not the workbooks they seem: encrypted, of the old format, with macros, cut short, empty.

Made small and harmless, only to be recognised by what they are.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile

_SECTOR = 512
_END_OF_CHAIN, _FREE, _FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_NO_STREAM = 0xFFFFFFFF


def make_hostile(kind: str, content: bytes) -> tuple[bytes, str]:
    """The bytes that arrive instead of the good workbook, and the suffix of their name."""
    if kind == "corrupt_file":
        return content[: len(content) * 2 // 3], ".xlsx"
    if kind == "encrypted_file":
        # What Excel writes for a workbook with a password: an OLE container with the ciphertext inside.
        return compound_file(
            {"EncryptionInfo": b"\x04\x00\x04\x00" + bytes(60), "EncryptedPackage": content}
        ), ".xlsx"
    if kind == "legacy_xls":
        beginning_of_file = struct.pack("<HHHHHHII", 0x0809, 16, 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)
        return compound_file({"Workbook": beginning_of_file + struct.pack("<HH", 0x000A, 0)}), ".xls"
    if kind == "macro_file":
        return with_macro(content), ".xlsm"
    if kind == "empty_file":
        return blank_workbook(content), ".xlsx"
    raise ValueError(f"{kind} is no kind of hostile file")


def blank_workbook(content: bytes) -> bytes:
    """The same workbook with nothing on any sheet: saved before anything was typed."""
    output = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.infolist():
            data = source.read(part)
            if part.filename.startswith("xl/worksheets/sheet"):
                data = re.sub(rb"<sheetData>.*</sheetData>", b"<sheetData/>", data, flags=re.DOTALL)
                data = re.sub(rb"<mergeCells.*</mergeCells>", b"", data, flags=re.DOTALL)
                data = re.sub(rb'<dimension ref="[^"]*"/>', b'<dimension ref="A1"/>', data)
            target.writestr(_entry(part.filename), data)
    return output.getvalue()


def compound_file(streams: dict[str, bytes]) -> bytes:
    """A minimal OLE compound file (MS-CFB version 3) with these streams at its root.

    Streams are padded to 4,096 bytes, so that no mini stream is needed.
    """
    padded = {name: data + bytes(max(0, 4096 - len(data))) for name, data in streams.items()}
    chains: list[tuple[int, int]] = []  # first sector and sector count of each stream
    body = b""
    next_sector = 0
    for data in padded.values():
        count = -(-len(data) // _SECTOR)
        chains.append((next_sector, count))
        body += data + bytes(count * _SECTOR - len(data))
        next_sector += count
    directory_first = next_sector
    directory = _directory_entry("Root Entry", 5, _END_OF_CHAIN, 0, child=1)
    for position, ((name, data), (first, _)) in enumerate(zip(padded.items(), chains, strict=True), start=1):
        right = position + 1 if position < len(padded) else _NO_STREAM
        directory += _directory_entry(name, 2, first, len(data), right=right)
    directory += bytes(-len(directory) % _SECTOR)
    directory_count = len(directory) // _SECTOR
    fat_first = directory_first + directory_count
    used = fat_first
    fat_count = 1
    while (used + fat_count) * 4 > fat_count * _SECTOR:
        fat_count += 1
    fat: list[int] = []
    for first, count in (*chains, (directory_first, directory_count)):
        fat += [*range(first + 1, first + count), _END_OF_CHAIN]
    fat += [_FAT_SECTOR] * fat_count
    fat += [_FREE] * (fat_count * _SECTOR // 4 - len(fat))
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        bytes(16),
        0x003E,
        0x0003,
        0xFFFE,
        9,
        6,
        0,
        fat_count,
        directory_first,
        0,
        4096,
        _END_OF_CHAIN,
        0,
        _END_OF_CHAIN,
        0,
    )
    locations = [fat_first + number for number in range(fat_count)] + [_FREE] * (109 - fat_count)
    return header + struct.pack("<109I", *locations) + body + directory + struct.pack(f"<{len(fat)}I", *fat)


def _directory_entry(
    name: str, kind: int, first: int, size: int, *, child: int = _NO_STREAM, right: int = _NO_STREAM
) -> bytes:
    encoded = name.encode("utf-16-le") + b"\x00\x00"
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        encoded,
        len(encoded),
        kind,
        1,
        _NO_STREAM,
        right,
        child,
        bytes(16),
        0,
        0,
        0,
        first,
        size,
    )


def with_macro(content: bytes) -> bytes:
    """The workbook with a VBA part, declared as Excel declares one."""
    output = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.infolist():
            data = source.read(part)
            if part.filename == "[Content_Types].xml":
                data = data.replace(
                    b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                    b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
                ).replace(
                    b"</Types>",
                    b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>',
                )
            target.writestr(_entry(part.filename), data)
        target.writestr(_entry("xl/vbaProject.bin"), compound_file({"PROJECT": b'Name="Sample"\r\n'}))
    return output.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
