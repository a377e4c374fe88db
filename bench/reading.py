"""Reading workbooks, gate and parsing included, against pandas with openpyxl and against bare python-calamine.

    python -m bench.reading [--workbooks 1000]

The same files, one core, one process, unless the line says otherwise. pandas is slow enough that it reads every
tenth file; its rate is per file, so the ratio stands.
"""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Callable
from pathlib import Path

import pandas
from python_calamine import CalamineWorkbook

from bench.measure import machine, print_table, scratch, stopwatch
from pipelines.intake import ReaderPool, gate, read_file
from sample_data.city import generate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workbooks", type=int, default=1000)
    workbooks = parser.parse_args().workbooks

    with scratch() as folder:
        files = sample_workbooks(folder, workbooks)
        size = sum(len(content) for _, content in files) / len(files) / 1024
        print(f"{len(files):,} workbooks of {size:.0f} KiB on average; {machine()}")

        rates = {
            "pandas.read_excel with openpyxl, all sheets": rate(read_with_pandas, files[::10]),
            "bare python-calamine, all sheets": rate(read_with_calamine, files),
            "ours: gate alone": rate(gate_only, files),
            "ours: gate + read + parse, one process": rate(read_ours, files),
        }
        for children in range(1, (os.cpu_count() or 1) + 1):
            label = f"ours: pool of {children} killable child{'ren' if children > 1 else ''}"
            rates[label] = rate_of_pool(children, files)

    pandas_rate = rates["pandas.read_excel with openpyxl, all sheets"]
    calamine_rate = rates["bare python-calamine, all sheets"]
    print_table(
        "Reading",
        ("what", "workbooks/s", "ms each", "x pandas+openpyxl", "x bare calamine"),
        [
            (what, round(value), 1000 / value, value / pandas_rate, value / calamine_rate)
            for what, value in rates.items()
        ],
    )


def sample_workbooks(folder: Path, count: int) -> list[tuple[str, bytes]]:
    months = 10
    generate(folder, enterprises=-(-count // months) + 4, first="2019-01", months=months, seed=7)
    files = [(path.name, path.read_bytes()) for path in sorted((folder / "returns").rglob("*.xlsx"))]
    # The city plants a few files that no reader opens: they would stop the baselines.
    return [file for file in files if not read_file(*file).is_unreadable][:count]


def rate(read: Callable[[list[tuple[str, bytes]]], None], files: list[tuple[str, bytes]]) -> float:
    read(files[:5])
    with stopwatch() as taken:
        read(files)
    return len(files) / taken[0]


def read_with_pandas(files: list[tuple[str, bytes]]) -> None:
    for _, content in files:
        pandas.read_excel(io.BytesIO(content), engine="openpyxl", sheet_name=None, header=None)


def read_with_calamine(files: list[tuple[str, bytes]]) -> None:
    for _, content in files:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in workbook.sheet_names:
            workbook.get_sheet_by_name(name).to_python()


def gate_only(files: list[tuple[str, bytes]]) -> None:
    for name, content in files:
        gate.inspect(name, content)


def read_ours(files: list[tuple[str, bytes]]) -> None:
    for name, content in files:
        read_file(name, content)


def rate_of_pool(children: int, files: list[tuple[str, bytes]]) -> float:
    with ReaderPool(children) as pool:
        list(pool.read_many(files[:20]))
        with stopwatch() as taken:
            for _ in pool.read_many(files):
                pass
    return len(files) / taken[0]


if __name__ == "__main__":
    main()
