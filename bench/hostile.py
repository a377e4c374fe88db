"""What hostile files cost: `python -m bench.hostile`.

Every file of the tests' corpus goes through a pool of killable children between two good files, as it would in an
upload. Baseline: the good file itself, in the same run. Besides, bombs with the gate switched off, so that only the
children's limits stand between the file and the machine.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.measure import machine, print_table
from pipelines.intake import DEFAULT_LIMITS, ReaderPool
from tests.intake.builder import canonical_file
from tests.intake.hostile import FAR, READ, REFUSED, in_sheet, repack

_MOST_SECONDS = 2.0
_MOST_MIB = 200.0
_NO_GATE = replace(
    DEFAULT_LIMITS,
    file_bytes=2**31,
    member_bytes=2**31,
    total_bytes=2**31,
    compression_ratio=10**6,
    columns=20_000,
    rows=2_000_000,
)


def main() -> None:
    good = ("好.xlsx", canonical_file())
    hostile = {what: ("报表.xlsx", build()) for what, (_, build) in REFUSED.items()}
    hostile |= {what: (name, build()) for what, (name, build) in READ.items()}
    print(f"{len(hostile)} hostile files; {machine()}")
    with ReaderPool(1) as pool:
        list(pool.read_many([good] * 5))
        baseline = median(seconds_of(pool, [good])[0] for _ in range(20))
        before = resident_mib()
        costs: dict[str, float] = {}
        lost = 0
        for what, file in hostile.items():
            seconds, results = seconds_of(pool, [good, file, good])
            costs[what] = seconds - 2 * baseline
            lost += sum(results[index].is_unreadable for index in (0, 2))
        grown = resident_mib() - before
    slowest = max(costs, key=lambda what: costs[what])
    print_table(
        "Hostile files, behind the gate",
        ("what", "measured", "allowed"),
        [
            ("a good file of 15 KiB (baseline), ms", baseline * 1000, "-"),
            ("median hostile file, x baseline", median(costs.values()) / baseline, "-"),
            (f"slowest ({slowest}), s", costs[slowest], _MOST_SECONDS),
            ("the parent grew by, MiB", grown, _MOST_MIB),
            ("good files lost beside them", lost, 0),
        ],
    )

    bombs = {
        "a value in the last cell": in_sheet(FAR),
        "40 MB of blanks in a cell": in_sheet(
            b'<row r="50"><c r="A50" t="inlineStr"><is><t>' + b"x" * 40_000_000 + b"</t></is></c></row>"
        ),
        "100 MB in a part nobody opens": repack(
            canonical_file(), {"xl/media/x.xml": b" " * 100_000_000}, level=9
        ),
    }
    rows: list[tuple[object, ...]] = []
    with ReaderPool(1, _NO_GATE) as pool:
        list(pool.read_many([good]))
        for what, content in bombs.items():
            before = resident_mib()
            seconds, results = seconds_of(pool, [good, ("报表.xlsx", content), good])
            rules = ", ".join(finding.rule for finding in results[1].findings) or "read"
            survived = "no" if results[0].is_unreadable or results[2].is_unreadable else "yes"
            rows.append((what, seconds, resident_mib() - before, rules, survived))
    print_table(
        "Bombs with the gate wide open", ("what", "s", "parent MiB", "answer", "others survive"), rows
    )


def seconds_of(pool: ReaderPool, files: list[tuple[str, bytes]]) -> tuple[float, list]:  # type: ignore[type-arg]
    start = time.perf_counter()
    results = list(pool.read_many(files))
    return time.perf_counter() - start, results


def resident_mib() -> float:
    """Memory of this process now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1024 / 1024


if __name__ == "__main__":
    main()
