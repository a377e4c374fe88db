"""What the benchmarks share: a sample city on disk, a stopwatch, and a table of ratios."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Seconds of wall clock, appended to the yielded list when the block ends."""
    taken: list[float] = []
    start = time.perf_counter()
    yield taken
    taken.append(time.perf_counter() - start)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="servtrade-bench-") as folder:
        yield Path(folder)


def machine() -> str:
    """One line on what this was measured on."""
    return f"{os.cpu_count()} cores, Python {'.'.join(map(str, sys.version_info[:3]))}"


def peak_memory_mib() -> float:
    """Largest resident size of this process and of its largest child, in MiB."""
    return (
        max(
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
        )
        / 1024
    )


def print_table(title: str, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """A Markdown table, so that it can be pasted into the README as it is."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print(
            "| " + " | ".join(f"{cell:,.2f}" if isinstance(cell, float) else str(cell) for cell in row) + " |"
        )
