"""A file that kills its reader costs that file only; results come in order; nothing is left behind."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.intake import DEFAULT_LIMITS, Limits, ReaderPool, read_file, reader, transport
from pipelines.paths import HOUSE_DIR
from pipelines.records import ParsedFile
from tests.intake.builder import canonical_book, canonical_file, fm2_sheet, write_book
from tests.intake.hostile import in_sheet

# The gate bypassed: limits under which a value in the last cell of a sheet is nothing special.
NO_GATE = replace(DEFAULT_LIMITS, rows=2_000_000, columns=20_000)
FAR_CELL = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


def is_alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(process_ids: list[int], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(is_alive(one) for one in process_ids):
            return True
        time.sleep(0.05)
    return False


def monthly_files(count: int) -> list[tuple[str, bytes]]:
    return [(f"{month}.xlsx", canonical_file(period=f"2020年{month % 12 + 1}月")) for month in range(count)]


def periods(results: list[ParsedFile]) -> list[str]:
    return [str(result.period) for result in results]


def test_what_the_pool_reads_is_what_this_process_reads(pool: ReaderPool) -> None:
    content = canonical_file()
    [result] = pool.read_many([("a.xlsx", content)])
    assert result == read_file("a.xlsx", content)


def test_results_come_in_the_order_of_the_files(pool: ReaderPool) -> None:
    files = monthly_files(30)
    assert periods(list(pool.read_many(files))) == [f"2020-{number % 12 + 1:02d}" for number in range(30)]


def test_no_files_give_no_results(pool: ReaderPool) -> None:
    assert list(pool.read_many([])) == []


def test_files_are_taken_only_as_fast_as_results_are(pool: ReaderPool) -> None:
    taken = 0
    content = canonical_file()

    def source() -> Iterator[tuple[str, bytes]]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield f"{number}.xlsx", content

    results = pool.read_many(source())
    for _ in range(5):
        next(results)
    assert taken <= 5 + 2 * 2 + 64
    assert [one.period for one in pool.read_many([("after.xlsx", content)])], (
        "an abandoned batch leaves no trace"
    )


def test_a_file_that_aborts_its_reader_costs_that_file_only() -> None:
    files = [
        ("good.xlsx", canonical_file()),
        ("bomb.xlsx", in_sheet(FAR_CELL)),
        ("good too.xlsx", canonical_file()),
    ]
    with ReaderPool(1, NO_GATE) as pool:
        first, bomb, last = pool.read_many(files)
    assert [finding.rule for finding in bomb.findings] == ["G07"]
    assert bomb.is_unreadable
    assert first.findings == last.findings == ()
    assert first.cells == last.cells != ()


def test_every_file_of_a_batch_of_bombs_is_reported() -> None:
    bomb = in_sheet(FAR_CELL)
    with ReaderPool(2, NO_GATE) as pool:
        results = list(pool.read_many([(f"{number}.xlsx", bomb) for number in range(6)]))
    assert [[finding.rule for finding in one.findings] for one in results] == [["G07"]] * 6


def test_a_file_that_needs_too_much_processor_time_is_stopped() -> None:
    endless = "\n".join("月份,出口,进口,x" for _ in range(1_500_000)).encode()
    limits = replace(NO_GATE, text_bytes=100_000_000, file_bytes=100_000_000, cpu_seconds=0)
    with ReaderPool(1, limits) as pool:
        slow, good = pool.read_many([("endless.csv", endless), ("good.xlsx", canonical_file())])
    assert [finding.rule for finding in slow.findings] == ["G07"]
    assert "时间" in slow.findings[0].message.zh
    assert good.findings == ()


def test_a_reader_that_hangs_is_killed_by_the_clock_and_replaced() -> None:
    with ReaderPool(1, replace(DEFAULT_LIMITS, wall_seconds=1.5)) as pool:
        list(pool.read_many([("warm up.xlsx", canonical_file())]))
        [hanging] = pool.process_ids
        os.kill(hanging, signal.SIGSTOP)
        stuck, good = pool.read_many([("stuck.xlsx", canonical_file()), ("good.xlsx", canonical_file())])
        assert pool.process_ids != (hanging,)
    assert [finding.rule for finding in stuck.findings] == ["G07"]
    assert "longer than allowed" in stuck.findings[0].message.en
    assert good.findings == ()
    assert gone([hanging])


def test_a_reader_killed_from_outside_costs_one_file_at_most() -> None:
    files = monthly_files(40)
    with ReaderPool(2) as pool:
        results = []
        for number, result in enumerate(pool.read_many(files)):
            results.append(result)
            if number == 5:
                os.kill(pool.process_ids[0], signal.SIGKILL)
    lost = [result for result in results if result.is_unreadable]
    assert len(results) == 40
    assert len(lost) <= 1
    assert all([finding.rule for finding in one.findings] == ["G07"] for one in lost)


def test_a_slow_consumer_does_not_cost_anybody_his_time() -> None:
    with ReaderPool(1, replace(DEFAULT_LIMITS, wall_seconds=1.0)) as pool:
        results = []
        for result in pool.read_many(monthly_files(6)):
            results.append(result)
            time.sleep(0.4)
    assert not any(result.is_unreadable for result in results)


def test_a_fault_of_the_reader_itself_is_logged_and_reported_and_the_next_file_is_read(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the child starts from a house where a reader of tests stands before the real one
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(HOUSE_DIR)!r})\n"
        "from pipelines.intake import reader\n"
        "real = reader.read\n"
        "def read(name, content, limits):\n"
        "    if name == 'fault.xlsx':\n"
        "        raise RuntimeError('a fault of ours')\n"
        "    if name == 'memory.xlsx':\n"
        "        raise MemoryError\n"
        "    return real(name, content, limits)\n"
        "reader.read = read\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    names = ["good.xlsx", "fault.xlsx", "good.xlsx", "memory.xlsx", "good.xlsx"]
    with caplog.at_level(logging.WARNING), ReaderPool(1) as pool:
        results = list(pool.read_many([(name, canonical_file()) for name in names]))
    assert [[finding.rule for finding in one.findings] for one in results] == [[], ["G07"], [], ["G07"], []]
    assert "请报告" in results[1].findings[0].message.zh
    assert "内存" in results[3].findings[0].message.zh
    assert "a fault of ours" in caplog.text
    assert "fault.xlsx" in caplog.text


def test_memory_is_limited_above_what_the_empty_reader_needs() -> None:
    wide = "\n".join(",".join("abcdefgh" * 20 for _ in range(50)) for _ in range(4000)).encode()
    tight = replace(
        DEFAULT_LIMITS, memory_bytes=24 * 1024 * 1024, text_bytes=100_000_000, file_bytes=100_000_000
    )
    with ReaderPool(1, tight) as pool:
        large, good = pool.read_many([("large.csv", wide), ("good.xlsx", canonical_file())])
    assert [finding.rule for finding in large.findings] == ["G07"]
    assert good.findings == ()


def test_leaving_the_pool_ends_its_children_even_when_work_is_under_way() -> None:
    with ReaderPool(2) as pool:
        next(pool.read_many(monthly_files(20)))
        children = list(pool.process_ids)
        assert children
    assert gone(children)


def test_a_closed_pool_says_so() -> None:
    pool = ReaderPool(1)
    with pytest.raises(RuntimeError, match="with block"):
        list(pool.read_many([]))
    with pytest.raises(ValueError, match="at least 1"):
        ReaderPool(0)


PARENT = """
import sys, time
sys.path.insert(0, {house!r})
from pipelines.intake import ReaderPool
from tests.intake.builder import canonical_file

content = canonical_file()
with ReaderPool(2) as pool:
    for number, _ in enumerate(pool.read_many(("a.xlsx", content) for _ in range(1_000_000))):
        if number == 10:
            print(*pool.process_ids, flush=True)
"""


@pytest.mark.parametrize(
    "how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["Ctrl-C", "terminate", "kill -9"]
)
def test_however_the_parent_ends_no_child_is_left(how: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(house=str(HOUSE_DIR))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    children = [int(one) for one in parent.stdout.readline().split()]
    assert len(children) == 2
    assert all(is_alive(one) for one in children)
    parent.send_signal(how)
    parent.wait(timeout=20)
    parent.stdout.close()
    assert gone(children)


def test_children_load_no_more_than_reading_needs(pool: ReaderPool) -> None:
    list(pool.read_many([("a.xlsx", canonical_file())] * 4))
    for process_id in pool.process_ids:
        maps = Path(f"/proc/{process_id}/maps").read_text(encoding="utf-8")
        for heavy in ("duckdb", "pandas", "numpy", "pyarrow", "sqlalchemy", "dagster"):
            assert heavy not in maps, heavy


# What travels ------------------------------------------------------------------------------------------------


def test_what_travels_arrives_as_it_was() -> None:
    book = canonical_book(period="约三月", unit="万")
    book[2] = fm2_sheet(
        [
            (
                "SI2",
                "计算机服务",
                "火星",
                "１，２３４",
                "…",
                "—",
                "..",
                "40%",
                None,
                None,
                '第一行\u007f换行 "引号"',
            )
        ]
    )
    content = write_book(book)
    reading = reader.read("a.xlsx", content)
    assert reading.findings
    assert reading.fixes
    assert transport.decode(transport.encode("0" * 64, reading)) == reader.parsed_file("0" * 64, reading)


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b"\xff", b'{"sha256": 1}', b'{"kind": "x"}'])
def test_what_is_no_reading_is_not_taken_for_one(payload: bytes) -> None:
    with pytest.raises(transport.BrokenFrame):
        transport.decode(payload)


def test_a_frame_of_absurd_length_is_refused() -> None:
    with pytest.raises(transport.BrokenFrame):
        transport.frame_length(b"\xff\xff\xff\xff")


def test_limits_go_to_the_child_as_they_are() -> None:
    assert Limits(**DEFAULT_LIMITS.as_json()) == DEFAULT_LIMITS  # type: ignore[arg-type]
