"""Archives that people send in place of the files in them: a ZIP from WeChat, from Windows or from a Mac, unpacked in
memory within limits.

Nothing is ever written under a name that stands in an archive. What a member is, beyond a workbook or not, is the
gate's business; an .xlsx is a ZIP too and is none of ours.
"""

from __future__ import annotations

import copy
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from pipelines.intake.gate import Refused, inflate
from pipelines.intake.limits import (
    DEFAULT_LIMITS,
    DEFAULT_UPLOAD_LIMITS,
    Limits,
    UploadLimits,
)

# What an archive may hold that is worth reading; anything else in it is named and left out.
READ_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".csv", ".et")
ARCHIVE_SUFFIXES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zipx")

_MEMBER = b"PK\x03\x04"
_EMPTY_ARCHIVE = b"PK\x05\x06"
_END = struct.Struct("<4s4H2LH")  # the end of the central directory, without its comment
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 65_535
_DIRECTORY_BYTES_A_MEMBER = 1_024  # names of 200 characters and extra fields included
_UTF8 = 0x800
_ENCRYPTED = 0x1
_UNICODE_PATH = 0x7075
_MEMBER_HEAD = 30
_SLACK = 1_024  # deflate may make a small file this much larger


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an archive or a member is not taken: a key of the wording catalogue and its words."""

    key: str
    words: Mapping[str, object] = field(default_factory=dict)


class ArchiveRefused(Exception):
    """Nothing of this archive can be taken."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.key} {dict(refusal.words)}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its path as the sender saw it, with / between folders, and its bytes or why not.

    `is_left_out`: it is not a report and nobody meant it as one (what operating systems and office programs leave
    behind, pictures, letters); it is named to the sender and forgotten.
    """

    path: str
    content: bytes = b""
    refusal: Refusal | None = None
    is_left_out: bool = False

    @property
    def name(self) -> str:
        """The name without folders."""
        return self.path.rpartition("/")[2]


def is_archive(file_name: str, stream: BinaryIO) -> bool:
    """Whether these bytes are a ZIP of files rather than one file (an .xlsx, an .ods) that happens to be one.

    Where the directory cannot be read, the name decides. Leaves the stream at its beginning.
    """
    stream.seek(0)
    beginning = stream.read(4)
    stream.seek(0)
    if beginning not in (_MEMBER, _EMPTY_ARCHIVE):
        return False
    try:
        names = {member.filename.lower() for member in _directory(stream, DEFAULT_UPLOAD_LIMITS)}
    except ArchiveRefused:
        return file_name.lower().endswith((".zip", ".zipx"))
    finally:
        stream.seek(0)
    return "[content_types].xml" not in names and "mimetype" not in names


def members(
    stream: BinaryIO, limits: UploadLimits = DEFAULT_UPLOAD_LIMITS, file_limits: Limits = DEFAULT_LIMITS
) -> Iterator[Member]:
    """The files of an archive in the order of its directory, one in memory at a time.

    A member that cannot be taken comes with its reason; the others come all the same. Raises ArchiveRefused for an
    archive that is damaged, empty, has too many members or is built to deceive.
    """
    directory = [member for member in _directory(stream, limits) if not member.is_dir()]
    if not directory:
        raise ArchiveRefused(Refusal("archive_empty"))
    _expect_apart(directory, _size_of(stream))
    unpacked = 0
    for member in directory:
        path = _path_of(member)
        if is_left_out(path):
            yield Member(path, is_left_out=True)
            continue
        refusal = _refusal_of(member, path, limits, file_limits)
        if refusal is None and unpacked + member.file_size > limits.unpacked_bytes:
            refusal = Refusal("archive_unpacks_too_large", {"limit": limits.unpacked_bytes})
        if refusal is None:
            unpacked += member.file_size
            try:
                content = _content(stream, member)
            except Refused as refused:
                key = (
                    "member_lies"
                    if refused.words.get("what") in ("lying_size", "two_names")
                    else "member_damaged"
                )
                refusal = Refusal(key)
            else:
                if content.startswith(_MEMBER) and path.lower().endswith(ARCHIVE_SUFFIXES):
                    refusal = Refusal("member_is_archive")
                else:
                    yield Member(path, content)
                    continue
        yield Member(path, refusal=refusal)


@dataclass(frozen=True, slots=True)
class Promised:
    """What an archive says it holds, left-out members aside: for limits to be asked before anything is unpacked."""

    count: int
    size_bytes: int


def promised(stream: BinaryIO, limits: UploadLimits = DEFAULT_UPLOAD_LIMITS) -> Promised:
    """Files and bytes that unpacking would give at most; an archive that is refused counts as one file."""
    try:
        directory = _directory(stream, limits)
    except ArchiveRefused:
        return Promised(1, 0)
    sizes = [one.file_size for one in directory if not one.is_dir() and not is_left_out(_path_of(one))]
    return Promised(len(sizes), min(sum(sizes), limits.unpacked_bytes))


def is_left_out(path: str) -> bool:
    """Whether a file of this name is debris of a system or an office program, or no report by its kind."""
    lowered = path.lower()
    name = lowered.rpartition("/")[2]
    if "__macosx" in lowered.split("/")[:-1] or is_debris(name):
        return True
    return not name.endswith((*READ_SUFFIXES, *ARCHIVE_SUFFIXES))


def is_debris(name: str) -> bool:
    """Whether a file of this name was left behind by a program (lock files, folder views), not made by a person."""
    lowered = name.lower()
    return lowered.startswith((".", "~$")) or lowered in ("thumbs.db", "desktop.ini")


def _size_of(stream: BinaryIO) -> int:
    stream.seek(0, 2)
    return stream.tell()


def _directory(stream: BinaryIO, limits: UploadLimits) -> list[zipfile.ZipInfo]:
    """The members as the directory lists them, once it is known to be of a size worth reading."""
    size = _size_of(stream)
    stream.seek(max(0, size - _LONGEST_COMMENT - _END.size - _END_64_LOCATOR.size))
    tail = stream.read()
    start = tail.rfind(_EMPTY_ARCHIVE)
    if start < 0 or len(tail) < start + _END.size:
        raise ArchiveRefused(Refusal("archive_damaged"))
    _, _, _, _, count, directory_bytes, _, _ = _END.unpack_from(tail, start)
    locator = start - _END_64_LOCATOR.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        # Numbers too large for the old record, or a writer that could not know: they stand in a second one.
        _, _, where, _ = _END_64_LOCATOR.unpack_from(tail, locator)
        stream.seek(min(where, size))
        record = stream.read(_END_64.size)
        if len(record) < _END_64.size or record[:4] != b"PK\x06\x06":
            raise ArchiveRefused(Refusal("archive_damaged"))
        count, directory_bytes = _END_64.unpack(record)[7:9]
    if count > limits.member_count:
        raise ArchiveRefused(Refusal("archive_members", {"count": count, "limit": limits.member_count}))
    if directory_bytes > limits.member_count * _DIRECTORY_BYTES_A_MEMBER:
        raise ArchiveRefused(Refusal("archive_unsafe"))
    stream.seek(0)
    try:
        found = zipfile.ZipFile(stream).infolist()
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        struct.error,
        UnicodeDecodeError,
        ValueError,
        OverflowError,
    ):
        raise ArchiveRefused(Refusal("archive_damaged")) from None
    if len(found) > limits.member_count:
        raise ArchiveRefused(Refusal("archive_members", {"count": len(found), "limit": limits.member_count}))
    return found


def _expect_apart(directory: list[zipfile.ZipInfo], size: int) -> None:
    """No two members share bytes: that is how a small archive claims to hold more than fits into it."""
    position = 0
    for member in sorted(directory, key=lambda one: one.header_offset):
        if member.header_offset < position:
            raise ArchiveRefused(Refusal("archive_unsafe"))
        position = member.header_offset + _MEMBER_HEAD + member.compress_size
    if position > size:
        raise ArchiveRefused(Refusal("archive_damaged"))


def _refusal_of(
    member: zipfile.ZipInfo, path: str, limits: UploadLimits, file_limits: Limits
) -> Refusal | None:
    """What its entry in the directory alone says against a member."""
    if path.lower().endswith(ARCHIVE_SUFFIXES):
        return Refusal("member_is_archive")
    if member.flag_bits & _ENCRYPTED:
        return Refusal("member_encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return Refusal("member_compression")
    if member.file_size > limits.file_bytes or member.compress_size > limits.file_bytes + _SLACK:
        return Refusal(
            "file_too_large",
            {"size": max(member.file_size, member.compress_size), "limit": limits.file_bytes},
        )
    if (
        member.file_size > file_limits.ratio_free_bytes
        and member.file_size > file_limits.compression_ratio * max(member.compress_size, 1)
    ):
        return Refusal("member_bomb")
    return None


def _content(stream: BinaryIO, member: zipfile.ZipInfo) -> bytes:
    """One member through the gate's own counting: name, size and CRC as declared. Raises gate.Refused."""
    stream.seek(member.header_offset)
    head = stream.read(_MEMBER_HEAD)
    if len(head) < _MEMBER_HEAD or head[:4] != _MEMBER:
        raise Refused("G01", kind="damaged")
    name_length, extra_length = struct.unpack_from("<HH", head, 26)
    record = head + stream.read(name_length + extra_length + member.compress_size)
    alone = copy.copy(member)
    alone.header_offset = 0
    return inflate(record, alone)


def _path_of(member: zipfile.ZipInfo) -> str:
    """The path as the sender saw it: in Unicode where the archive says so, else UTF-8 or GBK, whichever it is."""
    if member.flag_bits & _UTF8:
        path = member.orig_filename
    else:
        raw = member.orig_filename.encode("cp437", "replace")
        path = _unicode_path(member.extra, raw) or _decoded(raw)
    return path.replace("\\", "/")


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """The name in the field that 7-Zip, WinRAR and others add; empty where there is none for this very name."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        value = extra[position + 4 : position + 4 + length]
        position += 4 + length
        if kind == _UNICODE_PATH and len(value) > 5 and value[0] == 1:
            (checksum,) = struct.unpack_from("<L", value, 1)
            if checksum == zlib.crc32(raw):
                return value[5:].decode("utf-8", "replace")
    return ""


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("cp437")
