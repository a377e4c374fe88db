"""ZIPs as people and attackers send them: what is taken, what is not, and why."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest

from pipelines.intake import archive
from pipelines.intake.archive import ArchiveRefused, Member
from pipelines.intake.limits import DEFAULT_UPLOAD_LIMITS, MIB, UploadLimits

WORKBOOK = b"any bytes: whether it is a workbook is for the gate to say"


def a_zip(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        for name, content in members:
            made.writestr(name, content)
    return target.getvalue()


def taken(content: bytes, limits: UploadLimits = DEFAULT_UPLOAD_LIMITS) -> list[Member]:
    return list(archive.members(io.BytesIO(content), limits))


def refusals(content: bytes, limits: UploadLimits = DEFAULT_UPLOAD_LIMITS) -> list[str]:
    return [one.refusal.key for one in taken(content, limits) if one.refusal is not None]


def refused_whole(content: bytes, limits: UploadLimits = DEFAULT_UPLOAD_LIMITS) -> str:
    with pytest.raises(ArchiveRefused) as caught:
        taken(content, limits)
    return caught.value.refusal.key


def with_raw_names(content: bytes, names: dict[bytes, bytes], *, utf8_flag: bool = False) -> bytes:
    """Names of equal length put in place of ASCII ones, in both places, the UTF-8 flag as wanted."""
    for old, new in names.items():
        assert len(old) == len(new)
        content = content.replace(old, new)
    changed = bytearray(content)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = changed.find(magic)
        while start >= 0:
            flags = struct.unpack_from("<H", changed, start + offset)[0]
            flags = flags | 0x800 if utf8_flag else flags & ~0x800
            struct.pack_into("<H", changed, start + offset, flags)
            start = changed.find(magic, start + 4)
    return bytes(changed)


# -- names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_names_are_read_as_windows_and_as_a_mac_write_them(encoding: str) -> None:
    name = "一月/武汉某某公司.xlsx".encode(encoding)
    stand_in = b"x" * (len(name) - 5) + b".xlsx"
    [member] = taken(with_raw_names(a_zip((stand_in.decode(), WORKBOOK)), {stand_in: name}))
    assert (member.path, member.name, member.content) == (
        "一月/武汉某某公司.xlsx",
        "武汉某某公司.xlsx",
        WORKBOOK,
    )


def test_a_name_that_stands_in_unicode_beside_the_old_one_is_believed_for_that_name_only() -> None:
    for raw, expected in ((b"a.xlsx", "甲.xlsx"), (b"b.xlsx", "b.xlsx")):
        info = zipfile.ZipInfo(raw.decode())
        name = "甲.xlsx".encode()
        info.extra = struct.pack("<HHBL", 0x7075, 5 + len(name), 1, zlib.crc32(b"a.xlsx")) + name
        [member] = taken(a_zip((info, WORKBOOK)))
        assert member.path == expected


def test_backslashes_part_folders_as_slashes_do() -> None:
    [member] = taken(with_raw_names(a_zip(("a/b.xlsx", WORKBOOK)), {b"a/b.xlsx": b"a\\b.xlsx"}))
    assert member.name == "b.xlsx"


def test_a_path_that_leads_out_is_a_name_and_nothing_else() -> None:
    [member] = taken(a_zip(("../../etc/cron.d/x.xlsx", WORKBOOK)))
    assert (member.name, member.content) == ("x.xlsx", WORKBOOK)


# -- what is left out -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "__MACOSX/a/._b.xlsx",
        "a/.DS_Store",
        "~$b.xlsx",
        "a/Thumbs.db",
        "desktop.ini",
        "说明.docx",
        "图.jpg",
        "无名",
    ],
)
def test_debris_and_what_is_no_report_is_named_and_left_out(path: str) -> None:
    junk, kept = taken(a_zip((path, b"x"), ("好.xlsx", WORKBOOK)))
    assert (junk.path, junk.is_left_out, junk.content) == (path, True, b"")
    assert kept.content == WORKBOOK


def test_folders_are_no_members() -> None:
    assert [one.path for one in taken(a_zip(("a/", b""), ("a/b.csv", b"1")))] == ["a/b.csv"]


# -- what an archive is -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.zip", a_zip(("a.xlsx", WORKBOOK)), True),
        ("a.xlsx", a_zip(("a.xlsx", WORKBOOK)), True),  # a ZIP under a workbook's name is still a ZIP
        ("a.zip", a_zip(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>")), False),
        ("a.ods", a_zip(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")), False),
        ("a.zip", b"PK\x03\x04 cut off", True),
        ("a.xlsx", b"PK\x03\x04 cut off", False),
        ("a.csv", b"1,2", False),
        ("a.zip", b"", False),
    ],
)
def test_a_zip_is_told_from_a_workbook_by_what_is_in_it(name: str, content: bytes, expected: bool) -> None:
    stream = io.BytesIO(content)
    assert archive.is_archive(name, stream) is expected
    assert stream.tell() == 0


# -- hostile ones -----------------------------------------------------------------------------------------


def encrypted(content: bytes) -> bytes:
    changed = bytearray(content)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[changed.find(magic) + offset] |= 1
    return bytes(changed)


def test_of_an_encrypted_archive_each_member_says_so_and_open_ones_come() -> None:
    both = a_zip(("密.xlsx", WORKBOOK), ("明.xlsx", WORKBOOK))
    first, second = taken(encrypted(both))
    assert first.refusal is not None
    assert (first.path, first.refusal.key) == ("密.xlsx", "member_encrypted")
    assert second.content == WORKBOOK


@pytest.mark.parametrize(
    ("key", "make"),
    [
        ("member_bomb", lambda: a_zip(("炸.xlsx", bytes(9 * MIB)))),
        ("file_too_large", lambda: a_zip(("炸.xlsx", bytes(200 * MIB)))),
        ("file_too_large", lambda: a_zip(("大.xlsx", bytes(11 * MIB)), method=zipfile.ZIP_STORED)),
        ("member_is_archive", lambda: a_zip(("里.zip", a_zip(("a.xlsx", WORKBOOK))))),
        ("member_is_archive", lambda: a_zip(("里.rar", b"Rar!"))),
        ("member_compression", lambda: a_zip(("a.xlsx", WORKBOOK), method=zipfile.ZIP_LZMA)),
        ("member_compression", lambda: a_zip(("a.xlsx", WORKBOOK), method=zipfile.ZIP_BZIP2)),
    ],
)
def test_a_member_that_is_not_taken_says_why_and_costs_no_memory(key: str, make: Callable[[], bytes]) -> None:
    content = make()
    tracemalloc.start()
    assert refusals(content) == [key]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MIB + len(content)


def test_a_member_that_holds_more_than_it_says_is_inflated_no_further_than_that() -> None:
    content = bytearray(a_zip(("谎.xlsx", bytes(3 * MIB))))
    for magic, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", content, content.find(magic) + offset, 100_000)
    tracemalloc.start()
    assert refusals(bytes(content)) == ["member_lies"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MIB


def test_a_damaged_member_stops_no_other() -> None:
    content = bytearray(a_zip(("坏.xlsx", WORKBOOK * 9), ("好.xlsx", WORKBOOK), method=zipfile.ZIP_STORED))
    content[content.find(WORKBOOK) + 5] ^= 0xFF
    bad, good = taken(bytes(content))
    assert bad.refusal is not None
    assert (bad.refusal.key, good.content) == ("member_damaged", WORKBOOK)


def test_members_that_share_bytes_are_refused_as_a_whole() -> None:
    content = bytearray(a_zip(("a.xlsx", WORKBOOK), ("b.xlsx", WORKBOOK)))
    second = content.find(b"PK\x01\x02", content.find(b"PK\x01\x02") + 4)
    struct.pack_into("<L", content, second + 42, 0)  # the second points at the first's bytes
    assert refused_whole(bytes(content)) == "archive_unsafe"


def test_a_thousand_members_are_too_many_and_nothing_of_them_is_read() -> None:
    content = a_zip(*((f"{number}.xlsx", b"") for number in range(1_000)))
    assert refused_whole(content) == "archive_members"


def test_a_directory_larger_than_it_counts_is_refused_before_it_is_read() -> None:
    content = bytearray(a_zip(*((f"{number:0200}.xlsx", b"") for number in range(4_000))))
    end = content.rfind(b"PK\x05\x06")
    struct.pack_into("<HH", content, end + 8, 2, 2)  # says that it has two
    assert refused_whole(bytes(content)) == "archive_unsafe"


def test_an_archive_unpacks_to_no_more_than_allowed_and_says_from_where_on() -> None:
    noise = [bytes((seed * 7 + n * n) % 251 for n in range(20_000)) for seed in range(4)]
    content = a_zip(*((f"{n}.xlsx", one) for n, one in enumerate(noise)))
    found = taken(content, UploadLimits(unpacked_bytes=50_000))
    assert [len(one.content) for one in found] == [20_000, 20_000, 0, 0]
    assert {one.refusal.key for one in found if one.refusal} == {"archive_unpacks_too_large"}


@pytest.mark.parametrize("content", [a_zip(), a_zip(("folder/", b""))])
def test_an_empty_archive_is_said_to_be_empty(content: bytes) -> None:
    assert refused_whole(content) == "archive_empty"


def test_an_archive_cut_off_anywhere_is_refused_or_gives_whole_members_only() -> None:
    content = a_zip(("a.xlsx", WORKBOOK), ("b.xlsx", WORKBOOK * 3))
    for length in range(len(content)):
        try:
            found = taken(content[:length])
        except ArchiveRefused:
            continue
        assert all(one.content in (b"", WORKBOOK, WORKBOOK * 3) for one in found)


@pytest.mark.parametrize("position", range(0, 330, 3))
def test_a_flipped_byte_gives_refusals_and_never_other_content(position: int) -> None:
    content = bytearray(a_zip(("a.xlsx", WORKBOOK), ("b.xlsx", WORKBOOK * 3)))
    content[position % len(content)] ^= 0x55
    try:
        found = taken(bytes(content))
    except ArchiveRefused:
        return
    assert all(one.content in (b"", WORKBOOK, WORKBOOK * 3) for one in found)


def test_what_is_promised_is_at_least_what_comes() -> None:
    content = a_zip(("a.xlsx", WORKBOOK), (".DS_Store", b"x"), ("b.csv", b"1"), ("c.zip", b"2"))
    promised = archive.promised(io.BytesIO(content))
    found = [one for one in taken(content) if not one.is_left_out]
    assert promised.count == len(found) == 3
    assert promised.size_bytes >= sum(len(one.content) for one in found)
