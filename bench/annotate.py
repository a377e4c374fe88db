"""Annotating workbooks, against what every other way begins with: openpyxl loading the file and saving it.

    python -m bench.annotate [--workbooks 60]

The same files in the same run, one core, in milliseconds of the processor, so that what else the machine does does
not count. openpyxl marks nothing here: load and save alone lose cross-sheet drop-downs,
cached results, shapes and sparklines, and are already slower. Marked is what the reader finds, and every fifth line.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl
import xlsxwriter

from bench.measure import machine, peak_memory_mib, print_table, scratch
from bench.reading import sample_workbooks
from pipelines.findings import Finding, Fix, Severity, Verdict, Wording
from pipelines.intake import read_file
from pipelines.validation.annotate import annotated_copy, values_only_copy

LINES = 300
ROUNDS = 15
ROOM_MILLISECONDS = 150.0
Case = tuple[bytes, tuple[Finding, ...], tuple[Fix, ...]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workbooks", type=int, default=60)
    count = parser.parse_args().workbooks
    with scratch() as folder:
        city = [_with_findings(content) for _, content in sample_workbooks(folder, count)]
    long_form = _with_findings(long_return(LINES))
    marked = sum(len(findings) + len(fixes) for _, findings, fixes in city) / len(city)
    print(f"{machine()}; {len(city)} workbooks with {marked:.0f} marks each, one of {LINES} lines with "
          f"{len(long_form[1])}")  # fmt: skip
    rows: list[tuple[object, ...]] = []
    for title, cases in (("sample city", city), (f"{LINES} lines", [long_form] * ROUNDS)):
        baseline = _milliseconds(_load_and_save, cases)
        for what, work in (
            ("openpyxl load + save", _load_and_save),
            ("ours: annotated copy", _annotate),
            ("ours: annotated copy of the copy", _annotate_again(cases)),
            ("ours: values-only copy", _values_only),
        ):
            times = _milliseconds(work, cases)
            middle = statistics.median(times)
            rows.append(
                (title, what, middle, max(times), statistics.median(baseline) / middle, "yes" if max(times) < ROOM_MILLISECONDS else "no")
            )  # fmt: skip
    print_table(
        "Annotating",
        ("workbooks", "what", "ms, median", "ms, slowest", "x openpyxl", f"under {ROOM_MILLISECONDS:.0f} ms"),
        rows,
    )
    tracemalloc.start()
    _annotate(long_form)
    print(f"\nheld at most while annotating {LINES} lines: {tracemalloc.get_traced_memory()[1] / 1024:,.0f} KiB; "
          f"peak of this process {peak_memory_mib():,.0f} MiB")  # fmt: skip


def long_return(lines: int) -> bytes:
    """A form of so many lines, with formats, formulas, a drop-down and a list of codes."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    amount = book.add_format({"num_format": "#,##0.00", "border": 1, "locked": False})
    page = book.add_worksheet("服务进出口")
    page.write_row("A9", ["服务项目代码", "服务项目名称", "国别（地区）", "出口", "累计", "进口", "累计"])
    for row in range(10, 10 + lines):
        page.write_row(
            row, 0, [f"SI{row}", "计算机服务", "USA", 120.5 + row, 340.5 + row, 10.25, 30.5], amount
        )
        page.write_row(row, 7, [40, 100, 0, "说明"], amount)
    for column in "DEFG":
        page.write_formula(f"{column}{lines + 11}", f"=SUM({column}11:{column}{lines + 10})", amount, 1)
    page.data_validation("C11:C400", {"validate": "list", "source": "=代码表!$A$1:$A$250"})
    codes = book.add_worksheet("代码表")
    for row in range(330):
        codes.write_row(row, 0, [f"C{row:03d}", f"国家或地区第{row}个"])
    codes.hide()
    book.close()
    return buffer.getvalue()


def _with_findings(content: bytes) -> Case:
    parsed = read_file("bench.xlsx", content)
    sheet = "服务进出口"
    said = Wording("与上月相差过大，约为上月的 9,921 倍，请更正或说明原因。", "Very far from last month.")
    every_fifth = tuple(
        Finding("Q2a", Severity.WARNING, said, "FM-2", sheet, f"D{row}", f"SI{row}", "12,500,000", "< 1,250")
        for row in range(11, 11 + LINES, 5)
    )
    names = openpyxl.load_workbook(io.BytesIO(content), read_only=True).sheetnames
    return content, (*parsed.findings, *(every_fifth if sheet in names else ())), parsed.fixes


def _milliseconds(work: Callable[[Case], Any], cases: Sequence[Case]) -> list[float]:
    work(cases[0])
    times = []
    for case in cases:
        start = time.process_time()
        work(case)
        times.append(1000 * (time.process_time() - start))
    return times


def _load_and_save(case: Case) -> None:
    openpyxl.load_workbook(io.BytesIO(case[0])).save(io.BytesIO())


def _annotate(case: Case) -> bytes:
    return annotated_copy(case[0], "bench.xlsx", case[1], case[2], verdict=Verdict.QUERIES).content


def _annotate_again(cases: Sequence[Case]) -> Callable[[Case], bytes]:
    copies = {id(case): (_annotate(case), case[1], case[2]) for case in cases}
    return lambda case: _annotate(copies[id(case)])


def _values_only(case: Case) -> bytes:
    return values_only_copy(case[0])


if __name__ == "__main__":
    main()
