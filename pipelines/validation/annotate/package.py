"""The ZIP package under a workbook: parts are read when asked for, and what is not written anew leaves as it came.

An untouched part keeps its very bytes, compressed as they are, so that annotating costs what it changes. The package
must have passed the gate; what is asked of it here again is only what keeps this process within bounds.
"""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from dataclasses import dataclass

from pipelines.findings import Wording
from pipelines.review_sheet import words

MIB = 1024 * 1024
LARGEST_PART_BYTES = 40 * MIB
_LEAST_SUSPICIOUS_BYTES = MIB // 2
_LARGEST_RATIO = 80

_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_DIRECTORY_ENTRY = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END_OF_DIRECTORY = struct.Struct("<4sHHHHIIH")
_HAS_DESCRIPTOR = 0x8
_IS_UTF8 = 0x800
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the time of every part that we write: the same input gives the same bytes


class CannotAnnotate(Exception):
    """The file is not made so that it can be patched; `reason` is a key of review_sheet.yaml, `reasons`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason

    @property
    def wording(self) -> Wording:
        """Why, for a person."""
        return words("reasons", self.reason)


@dataclass(slots=True)
class _Member:
    """A part as it goes into the directory: where it came from, or what it is now."""

    name: bytes
    flags: int
    method: int
    date_time: tuple[int, int, int, int, int, int]
    crc: int
    packed: bytes | memoryview
    size: int
    create_version: int = 20
    create_system: int = 0
    external_attributes: int = 0


class Package:
    """Parts by name. Names are compared without case, as the format asks, and kept as they were."""

    def __init__(self, content: bytes) -> None:
        """Raises CannotAnnotate (`damaged`)."""
        self._content = memoryview(content)
        try:
            members = zipfile.ZipFile(io.BytesIO(content)).infolist()
        except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OverflowError) as problem:
            raise CannotAnnotate("damaged", str(problem)) from None
        self._members = {member.filename.lower(): member for member in members}
        self._written: dict[str, tuple[str, bytes]] = {}
        self._removed: set[str] = set()

    @property
    def names(self) -> list[str]:
        """All parts, in the order of the file, new ones last."""
        kept = [
            member.filename
            for key, member in self._members.items()
            if key not in self._removed and not member.is_dir()
        ]
        return kept + [name for key, (name, _) in self._written.items() if key not in self._members]

    def has(self, name: str) -> bool:
        key = name.lower()
        return key in self._written or (key in self._members and key not in self._removed)

    def read(self, name: str) -> bytes:
        """One part, inflated. Raises CannotAnnotate (`damaged`, `too_large`)."""
        key = name.lower()
        if key in self._written:
            return self._written[key][1]
        member = self._members.get(key)
        if member is None or key in self._removed:
            raise CannotAnnotate("damaged", f"no part {name}")
        return self._inflated(member)

    def _inflated(self, member: zipfile.ZipInfo) -> bytes:
        name = member.filename
        if member.file_size > LARGEST_PART_BYTES:
            raise CannotAnnotate("too_large", name)
        packed = self._packed(member)
        data = bytes(packed)
        if member.compress_type == zipfile.ZIP_DEFLATED:
            try:
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.file_size + 1)
            except zlib.error as problem:
                raise CannotAnnotate("damaged", f"{name}: {problem}") from None
        elif member.compress_type != zipfile.ZIP_STORED:
            raise CannotAnnotate("damaged", f"{name}: compression {member.compress_type}")
        if len(data) != member.file_size or zlib.crc32(data) != member.CRC:
            raise CannotAnnotate("damaged", name)
        return data

    def write(self, name: str, data: bytes) -> None:
        """Replace a part in its place, or add one at the end."""
        key = name.lower()
        member = self._members.get(key)
        self._removed.discard(key)
        if member is not None and self._inflated(member) == data:
            self._written.pop(key, None)  # as it came: its own bytes leave
        else:
            self._written[key] = (member.filename if member is not None else name, data)

    def remove(self, name: str) -> None:
        key = name.lower()
        self._written.pop(key, None)
        if key in self._members:
            self._removed.add(key)

    def unused_name(self, pattern: str) -> str:
        """A name that no part has: `pattern` holds one {}, filled with the lowest number that is free."""
        number = 1
        while self.has(pattern.format(number)):
            number += 1
        return pattern.format(number)

    def to_bytes(self) -> bytes:
        """The whole package. Parts keep their order."""
        output = io.BytesIO()
        directory: list[bytes] = []
        for member in self._outgoing():
            offset = output.tell()
            date, time = _dos_time(member.date_time)
            shared = (
                member.flags,
                member.method,
                time,
                date,
                member.crc,
                len(member.packed),
                member.size,
                len(member.name),
            )
            output.write(_LOCAL_HEADER.pack(b"PK\x03\x04", 20, *shared, 0))
            output.write(member.name)
            output.write(member.packed)
            made_by = member.create_version | member.create_system << 8
            directory.append(
                _DIRECTORY_ENTRY.pack(
                    b"PK\x01\x02", made_by, 20, *shared, 0, 0, 0, 0, member.external_attributes, offset
                )
                + member.name
            )
        start = output.tell()
        for entry in directory:
            output.write(entry)
        size = output.tell() - start
        output.write(
            _END_OF_DIRECTORY.pack(b"PK\x05\x06", 0, 0, len(directory), len(directory), size, start, 0)
        )
        return output.getvalue()

    def _outgoing(self) -> list[_Member]:
        members = []
        for key, info in self._members.items():
            if key in self._written:
                members.append(_new_member(*self._written[key]))
            elif key not in self._removed:
                encoding = "utf-8" if info.flag_bits & _IS_UTF8 else "cp437"
                members.append(
                    _Member(
                        info.orig_filename.encode(encoding),
                        info.flag_bits & ~_HAS_DESCRIPTOR,
                        info.compress_type,
                        info.date_time,
                        info.CRC,
                        self._packed(info),
                        info.file_size,
                        info.create_version,
                        info.create_system,
                        info.external_attr,
                    )
                )
        members += [_new_member(*held) for key, held in self._written.items() if key not in self._members]
        return members

    def _packed(self, member: zipfile.ZipInfo) -> memoryview:
        start = member.header_offset
        header = bytes(self._content[start : start + _LOCAL_HEADER.size])
        if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
            raise CannotAnnotate("damaged", member.filename)
        name_length, extra_length = struct.unpack_from("<HH", header, 26)
        start += _LOCAL_HEADER.size + name_length + extra_length
        return self._content[start : start + member.compress_size]


def _new_member(name: str, data: bytes) -> _Member:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(data) + packer.flush()
    method = zipfile.ZIP_DEFLATED
    if len(data) > _LEAST_SUSPICIOUS_BYTES and len(data) > _LARGEST_RATIO * len(packed):
        packed, method = data, zipfile.ZIP_STORED  # a part that shrinks so far looks like a bomb to any gate
    flags = 0 if name.isascii() else _IS_UTF8
    return _Member(name.encode("utf-8"), flags, method, _EARLIEST, zlib.crc32(data), packed, len(data))


def _dos_time(moment: tuple[int, int, int, int, int, int]) -> tuple[int, int]:
    year, month, day, hour, minute, second = moment
    return max(year - 1980, 0) << 9 | month << 5 | day, hour << 11 | minute << 5 | second // 2


def resolved(base: str, target: str) -> str:
    """The part that a relation of the part `base` points to: `/xl/x.xml` and `../x.xml` alike."""
    path = target if target.startswith("/") else posixpath.join(posixpath.dirname(base), target)
    return posixpath.normpath(path).lstrip("/")


def relations_of(name: str) -> str:
    """The name of a part's relations: xl/_rels/workbook.xml.rels."""
    folder, file = posixpath.split(name)
    return posixpath.join(folder, "_rels", f"{file}.rels")


def target_from(base: str, name: str) -> str:
    """How a relation of `base` names the part `name`."""
    return posixpath.relpath(name, posixpath.dirname(base) or ".")
