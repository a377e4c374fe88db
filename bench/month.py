"""One month of 5,000 enterprises, from accepted lines to tables with checks, and a re-run after one late return.

    python -m bench.month [--enterprises 5000] [--lines 20]

The baseline is what Dagster itself needs in the same run: the same job on an empty ledger. The returns are put
into ledger and lines as the door records them; reading workbooks is measured by bench.reading.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from stdnum.cn import uscc

from bench.measure import machine, peak_memory_mib, print_table, scratch, stopwatch
from pipelines.findings import Verdict
from pipelines.ledger import Ledger, open_ledger
from pipelines.ledger.shapes import SHANGHAI, Filing, NewBatch, NewSubmission, RegisterRow
from pipelines.periods import Month, Period
from pipelines.records import CellRecord, CellState, FileKind, ParsedFile
from pipelines.settings import Settings
from pipelines.stores import Lines, lines_table

MONTH = "2020-06"
ITEMS = (
    "SC12",
    "SC22",
    "SD",
    "SE1",
    "SF1",
    "SG1",
    "SH2",
    "SI2",
    "SJ1",
    "SJ312",
    "SK1",
    "SB",
    "SA",
    "SJ22",
    "SI3",
)
PARTNERS = ("USA", "JPN", "DEU", "GBR", "FRA", "SGP", "HKG", "KOR", "AUS", "NLD", "THA", "IND", "RUS", "CAN")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enterprises", type=int, default=5000)
    parser.add_argument("--lines", type=int, default=20, help="lines (flow amounts) of one return")
    options = parser.parse_args()

    with scratch() as folder:
        empty, city = folder / "empty", folder / "city"
        with stopwatch() as dagster_alone:
            run_month(empty, held=True)  # no figure at all: the month is computed and judged, and held
        with stopwatch() as filling:
            fill(city, options.enterprises, options.lines)
        with stopwatch() as full:
            run_month(city)
        file_late_return(city, options.lines)
        with stopwatch() as again:
            run_month(city)
        print(
            f"{options.enterprises:,} enterprises, {options.enterprises * options.lines:,} lines a month, with the "
            f"month before and the month a year earlier; {machine()}; peak {peak_memory_mib():,.0f} MiB; "
            f"filling the stores took {filling[0]:.0f} s and is not counted"
        )
        baseline = dagster_alone[0]
        print_table(
            "One month, lines to tables, checks included",
            ("what", "seconds", "less Dagster alone", "x Dagster alone"),
            [
                (
                    "the same job on an empty ledger (start of Dagster and Great Expectations)",
                    baseline,
                    0.0,
                    1.0,
                ),
                ("the month, first run", full[0], full[0] - baseline, full[0] / baseline),
                ("re-run after one late return", again[0], again[0] - baseline, again[0] / baseline),
            ],
        )


def run_month(data: Path, *, held: bool = False) -> None:
    data.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SERVTRADE_DATA": str(data)}
    command = [sys.executable, "-m", "pipelines.cli.main"]
    subprocess.run([*command, "init", "--quiet"], env=environment, check=True, capture_output=True)
    ran = subprocess.run(
        [*command, "run", "--month", MONTH], env=environment, check=False, capture_output=True, text=True
    )
    if ran.returncode != int(held):
        raise SystemExit(
            f"servtrade run --month {MONTH} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}"
        )


def fill(data: Path, enterprise_count: int, line_count: int) -> None:
    """Register, rates and the returns of three months, recorded as the door records them."""

    settings = Settings.from_environment({"SERVTRADE_DATA": str(data)})
    month = Month.parse(MONTH)
    codes = [credit_code(number) for number in range(enterprise_count + 1)]
    with open_ledger(settings.ledger_url) as ledger:
        ledger.import_register(
            RegisterRow(code, f"样例企业{number}有限公司", "420106", industry_code="6510")
            for number, code in enumerate(codes)
        )
        record(settings, ledger, [rates_table(month)])
        for filed in (month.a_year_earlier, month.previous, month):
            for start in range(0, enterprise_count, 500):
                record(
                    settings,
                    ledger,
                    [
                        a_return(code, filed, line_count)
                        for code in codes[start : min(start + 500, enterprise_count)]
                    ],
                )


def file_late_return(data: Path, line_count: int) -> None:

    settings = Settings.from_environment({"SERVTRADE_DATA": str(data)})
    with open_ledger(settings.ledger_url) as ledger:
        late = ledger.enterprises()[-1].enterprise_code
        record(settings, ledger, [a_return(late, Month.parse(MONTH), line_count)])


def record(settings: Settings, ledger: Ledger, files: list[ParsedFile]) -> None:

    batch_id = files[0].submission_id
    lines_file = Lines(settings.lines_dir).write(batch_id, lines_table(files))
    arrived = datetime(2020, 7, 8, 9, tzinfo=SHANGHAI)
    ledger.record(
        NewBatch(
            batch_id=batch_id,
            lines_file=lines_file,
            rules_version="bench",
            submissions=tuple(
                NewSubmission(
                    sha256=one.sha256,
                    submission_id=one.submission_id,
                    kind=one.kind,
                    form_codes=one.form_codes,
                    layout_versions=one.layout_versions,
                    enterprise_code=one.enterprise_code,
                    enterprise_name=one.enterprise_name,
                    department=one.department,
                    period=one.period,
                    verdict=Verdict.ACCEPTED,
                    is_zero_return=False,
                    is_revision=False,
                    is_late=False,
                    size_bytes=20_000,
                    line_count=20,
                    has_cells=True,
                    findings=(),
                    fixes=(),
                    filing=Filing(f"{one.submission_id}.xlsx", "bench", arrived, "bench"),
                    form_dates={"DM-3": (date(2019, 1, 1), date(2020, 12, 31))} if one.department else {},
                )
                for one in files
            ),
        )
    )


def credit_code(number: int) -> str:
    """A made-up unified social credit code with right check characters."""

    body = f"9142010{number % 10}MA{number:07d}"[:17]
    return body + str(uscc.calc_check_digit(body))


def a_return(enterprise_code: str, month: Month, line_count: int) -> ParsedFile:
    """One return of FM-2 with so many lines, two a row; amounts seeded by enterprise, growing a little."""

    cells = tuple(cells_of_return(enterprise_code, month, line_count))
    return ParsedFile(
        sha256=hashlib.sha256(f"{enterprise_code}/{month}".encode()).hexdigest(),
        kind=FileKind.RETURN,
        form_codes=("FM-2",),
        layout_versions=("FM-2/1",),
        period=Period(month, "month"),
        enterprise_code=enterprise_code,
        enterprise_name="样例",
        cells=cells,
    )


def cells_of_return(enterprise_code: str, month: Month, line_count: int) -> Iterator[CellRecord]:

    sheet = "服务进出口"

    def cell(
        section: str, row: int, column: str, field: str, number: Decimal | None, code: str | None
    ) -> CellRecord:
        text = str(number) if number is not None else (code or "")
        return CellRecord(
            "FM-2",
            sheet,
            section,
            row,
            f"{column}{row}",
            field,
            text,
            number,
            code,
            None,
            CellState.VALUE.value,
        )

    yield cell("head", 7, "B", "enterprise_code", None, enterprise_code)
    yield cell("head", 8, "J", "unit", None, "USD_10K")
    yield cell("head", 7, "J", "reference_month", None, str(month))._replace(day=month.start_date)
    seed = random.Random(enterprise_code)
    totals = {"export": Decimal(0), "export_ytd": Decimal(0), "import": Decimal(0), "import_ytd": Decimal(0)}
    row = 10
    for index in range(line_count // 2):
        row += 1
        item, partner = ITEMS[index % len(ITEMS)], PARTNERS[(index * 5 + seed.randrange(3)) % len(PARTNERS)]
        yield cell("row", row, "A", "item_code", None, item)
        yield cell("row", row, "C", "partner_code", None, partner)
        for column, flow in (("D", "export"), ("F", "import")):
            level = Decimal(seed.randrange(50_000, 900_000)) / 100
            amounts = [
                (level * (100 + month.year - 2018 + (12 * position) % 7) / 100 + position).quantize(
                    Decimal("0.01")
                )
                for position in range(1, month.month + 1)
            ]
            yield cell("row", row, column, flow, amounts[-1], None)
            yield cell("row", row, chr(ord(column) + 1), f"{flow}_ytd", sum(amounts, Decimal(0)), None)
            totals[flow] += amounts[-1]
            totals[f"{flow}_ytd"] += sum(amounts, Decimal(0))
    row += 1
    for column, (field, number) in zip("DEFG", totals.items(), strict=True):
        yield cell("total", row, column, field, number, None)


def rates_table(month: Month) -> ParsedFile:
    """DM-3 of two years, so that every month converts."""

    cells: list[CellRecord] = []
    first = date(month.year - 1, 1, 1)
    for offset in range(24):
        one, row = Month.of(first).plus(offset), offset + 6
        common = ("DM-3", "汇率", "row", row)
        value = CellState.VALUE.value
        rate = Decimal("6.70") + Decimal(offset) / 100
        cells.append(CellRecord(*common, f"A{row}", "month", str(one), None, str(one), one.start_date, value))
        cells.append(CellRecord(*common, f"B{row}", "currency_code", "USD", None, "USD", None, value))
        cells.append(CellRecord(*common, f"C{row}", "rate", str(rate), rate, None, None, value))
        cells.append(CellRecord(*common, f"D{row}", "per", "1", Decimal(1), None, None, value))
    return ParsedFile(
        sha256=hashlib.sha256(b"rates").hexdigest(),
        kind=FileKind.DEPARTMENT,
        form_codes=("DM-3",),
        layout_versions=("DM-3/1",),
        period=Period(Month(month.year - 1, 1), "year"),
        department="样例外汇局",
        cells=tuple(cells),
    )


if __name__ == "__main__":
    with stopwatch() as whole:
        main()
    print(f"\n{timedelta(seconds=round(whole[0]))} in all", file=sys.stderr)
