"""Originals and lines: what goes in comes out, whole or not at all."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.records import LINE_COLUMNS, CellRecord, CellState, FileKind, ParsedFile
from pipelines.stores import Lines, Originals, StoreDamaged, lines_schema, lines_table


def a_cell(cell: str, number: str | None = None, **changes: object) -> CellRecord:
    record = CellRecord(
        "FM-2",
        "服务进出口",
        "row",
        11,
        cell,
        "export",
        number or "",
        Decimal(number) if number else None,
        None,
        None,
        CellState.VALUE,
    )
    return record._replace(**changes)


def a_file(content: str, *cells: CellRecord) -> ParsedFile:
    return ParsedFile(sha256=sha256(content.encode()).hexdigest(), kind=FileKind.RETURN, cells=cells)


# -- originals ---------------------------------------------------------------------------------------


def test_an_original_comes_back_byte_for_byte(tmp_path: Path) -> None:
    originals = Originals(tmp_path / "originals")
    digest = originals.put(b"workbook")
    assert digest == sha256(b"workbook").hexdigest()
    assert originals.get(digest) == b"workbook"
    assert digest in originals
    assert "0" * 64 not in originals


def test_an_original_is_read_only_and_written_once(tmp_path: Path) -> None:
    originals = Originals(tmp_path)
    path = originals.path(originals.put(b"workbook"))
    written = path.stat()
    assert oct(written.st_mode & 0o777) == "0o444"
    originals.put(b"workbook")
    assert path.stat().st_ino == written.st_ino
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_altered_original_is_noticed_and_never_handed_out(tmp_path: Path) -> None:
    originals = Originals(tmp_path)
    digest = originals.put(b"workbook")
    path = originals.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"workboOk")
    with pytest.raises(StoreDamaged, match=digest):
        originals.get(digest)
    with pytest.raises(StoreDamaged, match="not there"):
        originals.get("0" * 64)


def test_filing_the_file_again_mends_an_original_that_a_power_cut_left_empty(tmp_path: Path) -> None:
    originals = Originals(tmp_path)
    path = originals.path(sha256(b"workbook").hexdigest())
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert originals.get(originals.put(b"workbook")) == b"workbook"


def test_many_originals_are_made_durable_together(tmp_path: Path) -> None:
    originals = Originals(tmp_path)
    digests = [originals.put(str(number).encode(), durable=False) for number in range(40)]
    originals.make_durable(digests)
    assert [originals.get(digest) for digest in digests] == [str(number).encode() for number in range(40)]


def _put_all(root: Path) -> list[str]:
    originals = Originals(root)
    return [originals.put(bytes([number]) * 20_000) for number in range(50)]


def test_several_processes_may_put_the_same_originals_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        results = pool.map(_put_all, [tmp_path] * 3)
    assert results[0] == results[1] == results[2]
    originals = Originals(tmp_path)
    assert [originals.get(digest)[0] for digest in results[0]] == list(range(50))
    assert sum(1 for _ in tmp_path.glob("*/*")) == 50  # no temporary file stayed


def test_a_folder_without_hard_links_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    originals = Originals(tmp_path)
    assert originals.get(originals.put(b"workbook")) == b"workbook"


# -- lines -------------------------------------------------------------------------------------------


def test_cells_come_back_as_they_were_read(tmp_path: Path) -> None:
    cell = CellRecord(
        "FM-2",
        "服务进出口",
        "row",
        11,
        "F11",
        "export",
        "１，２３４.５",
        Decimal("1234.5"),
        "SI2",
        date(2026, 3, 1),
        CellState.VALUE,
    )
    blank = CellRecord(
        "FM-2", "服务进出口", "row", 12, "F12", "export", "..", None, None, None, CellState.WITHHELD
    )
    parsed = a_file("a", cell, blank)
    lines = Lines(tmp_path)
    relative = lines.write("ab12", lines_table([parsed]))
    assert relative == "ab/ab12.parquet"

    table = lines.read({parsed.submission_id: relative})
    assert table.schema == lines_schema()
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (parsed.submission_id, *cell),
        (parsed.submission_id, *blank),
    ]


def test_the_columns_are_those_of_the_contract() -> None:
    assert [(field.name, str(field.type)) for field in lines_schema()] == [
        (name, {"date32": "date32[day]"}.get(kind, kind)) for name, kind in LINE_COLUMNS
    ]


def test_only_the_wanted_submissions_are_read(tmp_path: Path) -> None:
    files = [
        a_file(f"file {number}", *(a_cell(f"F{row}", "1") for row in range(400))) for number in range(100)
    ]
    lines = Lines(tmp_path)
    first = lines.write("aa", lines_table(files[:60]))
    second = lines.write("bb", lines_table(files[60:]))
    wanted = {
        files[3].submission_id: first,
        files[42].submission_id: first,
        files[77].submission_id: second,
    }
    table = lines.read(wanted)
    assert table.num_rows == 3 * 400
    assert set(table["submission_id"].to_pylist()) == set(wanted)


def test_a_submission_without_cells_has_no_rows_and_is_no_error(tmp_path: Path) -> None:
    empty, full = a_file("empty"), a_file("full", a_cell("F1", "1"))
    lines = Lines(tmp_path)
    relative = lines.write("aa", lines_table([empty, full]))
    assert lines.read({empty.submission_id: relative}).num_rows == 0
    assert lines.read({empty.submission_id: ""}).num_rows == 0
    assert lines.read({}).schema == lines_schema()


def test_the_same_cells_give_the_same_bytes_in_whatever_order_the_files_came(tmp_path: Path) -> None:
    files = [a_file(f"file {number}", a_cell("F1", "1"), a_cell("F2", "2.5")) for number in range(20)]
    lines = Lines(tmp_path)
    forward = tmp_path / lines.write("aa", lines_table(files))
    backward = tmp_path / lines.write("bb", lines_table(reversed(files)))
    assert forward.read_bytes() == backward.read_bytes()
    assert [path.name for path in sorted(tmp_path.glob("*/*"))] == ["aa.parquet", "bb.parquet"]


def test_binary_dust_is_kept_to_ten_decimals_and_the_text_as_it_stood() -> None:
    dusty = a_cell("F1", "0.30000000000000004441")
    large = a_cell("F2", "12345678901234567890.123456789012")
    table = lines_table([a_file("a", dusty, large)])
    assert table["number"].to_pylist() == [
        Decimal("0.3000000000"),
        Decimal("12345678901234567890.1234567890"),
    ]
    assert table["text"].to_pylist()[0] == "0.30000000000000004441"


def test_half_a_character_is_marked_and_spoils_nothing_else() -> None:
    table = lines_table([a_file("a", a_cell("F1", text="甲\ud83d"), a_cell("F2", text="乙"))])
    assert table["text"].to_pylist() == ["甲�", "乙"]


def test_a_missing_lines_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreDamaged, match=r"gone\.parquet"):
        Lines(tmp_path).read({"a" * 20: "go/gone.parquet"})


def test_a_writer_killed_half_way_leaves_no_file_under_the_name(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
import pyarrow.parquet as pq
from pipelines import stores
def die(table, file, **_):
    file.write(b"PAR1 half a file"); file.flush(); os._exit(9)
stores.pq.write_table = die
stores.Lines(Path(sys.argv[1])).write("ab", stores.lines_schema().empty_table())
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, cwd=Path.cwd())
    assert done.returncode == 9
    assert not (tmp_path / "ab" / "ab.parquet").exists()
    lines = Lines(tmp_path)
    assert lines.read({"a" * 20: lines.write("ab", lines_schema().empty_table())}).num_rows == 0


def test_a_file_that_takes_its_name_while_it_is_read_stays_whole_for_the_reader(tmp_path: Path) -> None:
    one, two = a_file("one", a_cell("F1", "1")), a_file("two", a_cell("F1", "2"))
    lines = Lines(tmp_path)
    relative = lines.write("ab", lines_table([one]))
    before = pa.OSFile(str(tmp_path / relative), "rb")
    lines.write("ab", lines_table([two]))
    assert before.size() > 0
    assert lines.read({two.submission_id: relative}).num_rows == 1
    before.close()
