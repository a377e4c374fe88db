"""The clerk's desk: how long a verdict takes at the server, three hundred at once, one file on the command line, and
fifty people uploading while others browse.

    python -m bench.desk [--verdicts 60] [--uploads 300] [--people 50]

Every figure stands beside a baseline measured in the same run on the same files: the door opened anew for each file,
python-calamine alone, or an interpreter that imports pandas.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
import xlsxwriter
from python_calamine import CalamineWorkbook
from stdnum.cn import uscc

from bench.measure import machine, print_table, scratch, stopwatch
from pipelines.ledger import Ledger, RegisterRow, open_ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.paths import REFERENCE_DIR
from pipelines.periods import Month
from pipelines.reception import IncomingFile, Reception
from pipelines.reception.uploads import UploadDesk, UploadedFile
from pipelines.settings import Settings

MONTH = Month(2020, 3)
LINES = 300
CLERK = Actor("bench.clerk", frozenset({Role.CLERK}))
NAME = "示例服务有限公司"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verdicts", type=int, default=60, help="300-line returns, one after the other")
    parser.add_argument("--uploads", type=int, default=300, help="workbooks dropped at once")
    parser.add_argument("--people", type=int, default=50, help="people uploading at once over HTTP")
    arguments = parser.parse_args()
    print(f"returns of {LINES} lines; {machine()}, load {os.getloadavg()[0]:.1f}")
    with scratch() as folder:
        verdicts(folder / "verdicts", arguments.verdicts)
    with scratch() as folder:
        at_once(folder / "at-once", arguments.uploads)
    with scratch() as folder:
        check_alone(folder / "check")
    annotating()
    with scratch() as folder:
        over_http(folder / "portal", arguments.people)


# -- what is filed ----------------------------------------------------------------------------------------


def credit_code(number: int) -> str:
    start = f"91420100MA4K{number:05d}"
    return start + uscc.calc_check_digit(start)


def partner_codes() -> list[str]:
    with (REFERENCE_DIR / "partners.csv").open(encoding="utf-8", newline="") as file:
        return [row["partner_code"] for row in csv.DictReader(file) if row["partner_kind"] == "country"]


def a_return(number: int, lines: int = LINES, amount: int = 10, *, is_wrong: bool = False) -> bytes:
    """Form FM-2 with so many lines of plausible amounts, as an enterprise sends it; `is_wrong` spoils a third of them."""
    items, partners = ("SI2", "SI1", "SJ3"), [code for code in partner_codes() if code != "CHN"]
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.set_properties({"created": datetime(2020, 1, 1)})
    sheet = book.add_worksheet("服务进出口")
    sheet.write(0, 0, "服务进出口情况表")
    head = (
        ("表号：", "FM-2"),
        ("报告期：", f"{MONTH.year}年{MONTH.month}月"),
        ("统一社会信用代码：", credit_code(number)),
        ("单位详细名称：", NAME),
        ("计量单位：", "万美元"),
    )
    for row, (label, value) in enumerate(head, start=1):
        sheet.write(row, 0, label)
        sheet.write(row, 1, value)
    upper = ("服务项目代码", "国别（地区）", "出口", "", "进口", "", "说明")
    lower = ("", "", "本月", "1—本月累计", "本月", "1—本月累计", "")
    for column, (above, below) in enumerate(zip(upper, lower, strict=True)):
        sheet.write(7, column, above)
        sheet.write(8, column, below)
    for line in range(lines):
        month = amount + (line * 7 + number) % 23
        cells = (
            items[line % len(items)],
            partners[line // len(items) % len(partners)],
            month,
            month * MONTH.month,
            month // 2,
            month // 2 * MONTH.month,
            "长期合同，按月结算",
        )
        for column, value in enumerate(cells):
            is_spoilt = is_wrong and column == 2 and line % 3 == 0
            sheet.write(9 + line, column, f"约{value}万" if is_spoilt else value)
    book.close()
    return target.getvalue()


def read_with_calamine(files: list[bytes]) -> None:
    for content in files:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in workbook.sheet_names:
            workbook.get_sheet_by_name(name).to_python()


@contextmanager
def a_bureau(folder: Path, enterprises: int) -> Iterator[tuple[Settings, Ledger]]:
    settings = Settings(
        data_dir=folder,
        ledger_url=f"sqlite:///{folder / 'ledger.sqlite'}",
        reader_count=os.cpu_count() or 1,
    )
    with open_ledger(settings.ledger_url) as ledger:
        ledger.import_register(
            [
                RegisterRow(credit_code(n), NAME, "420111", "6513", Month(2019, 1))
                for n in range(1, enterprises + 1)
            ]
        )
        yield settings, ledger


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[max(0, -(-len(seconds) * 95 // 100) - 1)]


# -- measurements -----------------------------------------------------------------------------------------


def verdicts(folder: Path, count: int) -> None:
    """From the bytes at the desk to the verdict in the ledger, one after the other."""
    files = [a_return(number) for number in range(1, count + 11)]
    with a_bureau(folder, count + 10) as (settings, ledger):
        cold: list[float] = []
        for content in files[:10]:
            with stopwatch() as taken, Reception(settings, ledger, reader_count=1) as door:
                door.submit([IncomingFile("a.xlsx", content)], channel="bench", received_by="")
            cold += taken
        warm: list[float] = []
        with UploadDesk(settings, ledger) as desk:
            hand_in(desk, [a_return(999, lines=1)])  # the desk is up
            for content in files[10:]:
                with stopwatch() as taken:
                    hand_in(desk, [content])
                warm += taken
    with stopwatch() as calamine:
        read_with_calamine(files[10:])
    alone = calamine[0] / count
    base = statistics.median(cold)
    print_table(
        f"Verdict for a return of {LINES} lines at the server ({count} of them)",
        ("what", "p50 s", "p95 s", "x a door opened for each file", "x bare calamine"),
        [
            ("upload desk, kept warm", *row_of(warm, base, alone)),
            ("a door opened for each file", *row_of(cold, base, alone)),
        ],
    )


def row_of(seconds: list[float], base: float, alone: float) -> tuple[float, float, float, float]:
    median = statistics.median(seconds)
    return median, p95(seconds), median / base, median / alone


def hand_in(desk: UploadDesk, files: list[bytes]) -> None:
    upload_id = desk.take_in(
        [UploadedFile(f"{number}.xlsx", io.BytesIO(content)) for number, content in enumerate(files)], CLERK
    )
    found = desk.wait_for(upload_id, CLERK, seconds=300)
    assert found.is_finished
    assert all(one.verdict is not None and one.submission_id for one in found.files), found.files[0]


def at_once(folder: Path, count: int) -> None:
    """A clerk drops a folder, and meanwhile a reporter hands in one return."""
    files = [a_return(number) for number in range(1, count + 1)]
    with a_bureau(folder, count + 50) as (settings, ledger), UploadDesk(settings, ledger) as desk:
        hand_in(desk, [a_return(count + 1, lines=1)])
        with stopwatch() as taken:
            hand_in(desk, files)
        beside: list[float] = []
        clerk = threading.Thread(
            target=hand_in, args=(desk, [a_return(n, amount=30) for n in range(1, count + 1)])
        )
        clerk.start()
        number = count + 2
        while clerk.is_alive() and number < count + 50:
            with stopwatch() as single:
                hand_in(desk, [a_return(number)])
            beside += single
            number += 1
        clerk.join()
    with stopwatch() as calamine:
        read_with_calamine(files)
    print_table(
        f"{count} workbooks of {LINES} lines dropped at once",
        ("what", "s", "x bare calamine, one core"),
        [
            (f"all {count} verdicts", taken[0], taken[0] / calamine[0]),
            ("one return handed in meanwhile, p50", statistics.median(beside), ""),
            ("one return handed in meanwhile, p95", p95(beside), ""),
            ("bare python-calamine, all of them", calamine[0], 1.0),
        ],
    )


def check_alone(folder: Path) -> None:
    """`servtrade check FILE`: a process from nothing to the answer."""
    with a_bureau(folder, 5):
        pass
    file = folder / "return.xlsx"
    file.write_bytes(a_return(1))
    ours = [
        sys.executable, "-m", "pipelines.cli.main", "--data", str(folder), "check", str(file), "--json",
    ]  # fmt: skip
    wall: dict[str, list[float]] = {"servtrade check FILE": [], "python -c 'import pandas'": []}
    for _ in range(5):
        for what, command in zip(wall, (ours, [sys.executable, "-c", "import pandas"]), strict=True):
            with stopwatch() as taken:
                done = subprocess.run(command, capture_output=True, check=False)
            assert done.returncode in (0, 1), done.stderr.decode()
            wall[what] += taken
    base = statistics.median(wall["python -c 'import pandas'"])
    print_table(
        "One file on the command line, wall clock of the whole process",
        ("what", "median s", "x import of pandas"),
        [
            (what, statistics.median(seconds), statistics.median(seconds) / base)
            for what, seconds in wall.items()
        ],
    )


def annotating() -> None:
    """The annotated copy of a return with errors, against loading and saving it with openpyxl."""
    import openpyxl

    from pipelines.findings import Verdict, verdict_of
    from pipelines.intake import read_file
    from pipelines.validation.annotate import annotated_copy

    content = a_return(1, is_wrong=True)
    parsed = read_file("return.xlsx", content)
    findings = list(parsed.findings)
    verdict: Verdict = verdict_of(findings)
    ours: list[float] = []
    for _ in range(20):
        with stopwatch() as taken:
            annotated_copy(content, "return.xlsx", findings, parsed.fixes, verdict=verdict)
        ours += taken
    theirs: list[float] = []
    for _ in range(3):
        with stopwatch() as taken:
            workbook = openpyxl.load_workbook(io.BytesIO(content))
            workbook.save(io.BytesIO())
        theirs += taken
    base = statistics.median(theirs)
    print_table(
        f"Annotated copy of a return of {LINES} lines with {len(findings)} findings",
        ("what", "p50 ms", "p95 ms", "x openpyxl load and save"),
        [
            ("ours", statistics.median(ours) * 1000, p95(ours) * 1000, statistics.median(ours) / base),
            ("openpyxl load and save", base * 1000, p95(theirs) * 1000, 1.0),
        ],
    )


# -- over HTTP --------------------------------------------------------------------------------------------


@dataclass
class Times:
    """Seconds of answers by what was asked, and what went wrong."""

    of: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def ask(self, what: str, client: httpx.Client, method: str, path: str, **more: object) -> httpx.Response:
        start = time.perf_counter()
        answer = client.request(method, path, **more)  # type: ignore[arg-type]
        self.of.setdefault(what, []).append(time.perf_counter() - start)
        if answer.status_code >= 400:
            self.errors.append(f"{method} {path}: {answer.status_code}")
        return answer


def over_http(folder: Path, people: int) -> None:
    """So many reporters hand in a return each and look at its result, while analysts browse the board."""
    with a_bureau(folder, people) as (_, ledger):
        tokens = [
            sign_in(ledger, f"reporter{n:03d}", Role.REPORTER, credit_code(n)) for n in range(1, people + 1)
        ]
        analysts = [sign_in(ledger, f"analyst{n}", Role.ANALYST) for n in range(4)]
        portal = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli.main", "--data", str(folder), "serve", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert portal.stdout is not None
            url = portal.stdout.readline().strip()
            measure_portal(url, portal.pid, tokens, analysts)
        finally:
            portal.terminate()
            portal.wait(60)


def sign_in(ledger: Ledger, login: str, role: Role, enterprise_code: str = "") -> str:
    """A session of a new account, by way of an identity provider: no password is hashed for a benchmark."""
    operator, officer = Actor.operator("bench"), Actor.operator("bench.security")
    ledger.accounts.create(operator, login, login, oidc_identity=f"bench|{login}")
    ledger.accounts.grant(officer, login, role, enterprise_codes=[enterprise_code] if enterprise_code else [])
    outcome = ledger.accounts.sign_in_by_identity(f"bench|{login}", "127.0.0.1")
    assert outcome.session_token, outcome
    return str(outcome.session_token)


def measure_portal(url: str, process_id: int, tokens: list[str], analysts: list[str]) -> None:
    times = Times()
    returns = [a_return(number) for number in range(1, len(tokens) + 1)]  # not made while others are timed
    resting = resident_mib(process_id)
    peak = [resting]
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.1):
            peak.append(resident_mib(process_id))

    def browse(token: str) -> None:
        with client_of(url, token) as client:
            board = "/board" if client.get("/board").status_code == 200 else "/"
            while not is_over.is_set():
                times.ask(f"GET {board}", client, "GET", board)
                times.ask("GET /uploads", client, "GET", "/uploads")
                is_over.wait(0.1)

    def report(numbered: tuple[int, str]) -> float:
        number, token = numbered
        with client_of(url, token) as client:
            form = times.ask("GET /uploads", client, "GET", "/uploads")
            found = re.search(r'name="csrf_token"\s+value="([^"]+)"', form.text)
            assert found, form.text[:500]
            start = time.perf_counter()
            answer = times.ask(
                "POST /uploads",
                client,
                "POST",
                "/uploads",
                data={"csrf_token": found[1]},
                files={"files": ("return.xlsx", returns[number])},
            )
            while answer.status_code == 303:
                target = answer.headers["location"]
                answer = times.ask("GET result", client, "GET", target)
                if "/uploads/" in target and "http-equiv" in answer.text.lower():
                    time.sleep(1.0)  # as often as the page itself asks without scripts
                    answer = httpx.Response(303, headers={"location": target})
            return time.perf_counter() - start

    threads = [
        threading.Thread(target=watch),
        *(threading.Thread(target=browse, args=(one,)) for one in analysts),
    ]
    for thread in threads:
        thread.start()
    with stopwatch() as taken, ThreadPoolExecutor(len(tokens)) as pool:
        waited = list(pool.map(report, enumerate(tokens)))
    is_over.set()
    for thread in threads:
        thread.join()
    calm: list[float] = []
    with client_of(url, analysts[0]) as client:
        for _ in range(20):
            with stopwatch() as single:
                client.get("/")
            calm += single
    base = statistics.median(calm)
    print_table(
        f"{len(tokens)} people uploading a return of {LINES} lines at once, {len(analysts)} analysts browsing",
        ("what", "answers", "p50 s", "p95 s", "x a page of the idle portal"),
        [
            (what, len(seconds), statistics.median(seconds), p95(seconds), statistics.median(seconds) / base)
            for what, seconds in sorted(times.of.items())
        ]
        + [
            ("from upload to verdict in the browser", len(waited), statistics.median(waited), p95(waited), "")
        ],
    )
    print(
        f"\nall verdicts after {taken[0]:.1f} s; errors: {len(times.errors)} {sorted(set(times.errors))[:5]}; "
        f"memory of portal and children: {resting:.0f} MiB at rest, {max(peak):.0f} MiB at most"
    )


def client_of(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, cookies={"servtrade": token}, timeout=120, trust_env=False)


def resident_mib(process_id: int) -> float:
    """Resident memory of a process and all its descendants, in MiB; what they share is counted for each."""
    total = 0
    for one in [process_id, *descendants(process_id)]:
        try:
            statm = Path(f"/proc/{one}/statm").read_text(encoding="ascii")
        except OSError:
            continue  # it ended meanwhile
        total += int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total / 1024 / 1024


def descendants(process_id: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{process_id}/task").glob("*/children"):
        for child in task.read_text(encoding="ascii").split():
            found += [int(child), *descendants(int(child))]
    return found


if __name__ == "__main__":
    main()
