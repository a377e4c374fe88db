"""One bad batch and one good return in it, through the command line as a shell starts it.

Each bad file gets its own clear finding; nobody else's file, and no store, is the worse for it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from computed_city import servtrade

from pipelines.ledger import open_ledger
from pipelines.settings import Settings
from sample_data.committed import SAMPLES_DIR
from sample_data.hostile import make_hostile
from tests.intake.hostile import part, repack
from tests.reception.filed_by_hand import Line, a_workbook, credit_code

GOOD_NAME = "合格.xlsx"
GOOD = (SAMPLES_DIR / "return_clean.xlsx").read_bytes()
GOOD_CODE = "91420100000000019Q"
LISTED, NOT_LISTED = credit_code(1), credit_code(2)


def by_hand(
    enterprise_code: str = LISTED, month: str = "2020-01", unit: str = "万美元", **line: str
) -> bytes:
    """A return with one line that has nothing wrong but what is said."""
    return a_workbook(enterprise_code, month, [Line(export=100, export_ytd=100, **line)], unit=unit)


def minutes_of_a_meeting() -> bytes:
    """A sound workbook that is no form of ours."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["会议纪要", None], ["时间", "2020年3月2日"], ["议题", "服务贸易"], ["到会", 14]):
        sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def two_months_in_one(content: bytes) -> bytes:
    """The sample with another month typed over that of its last form; all else stays as Excel saved it."""
    name = "xl/worksheets/sheet3.xml"
    another = b'<c r="I6" t="inlineStr"><is><t>' + "2020年4月".encode() + b"</t></is></c>"
    sheet, count = re.subn(rb'<c r="I6"[^>]*>.*?</c>', another, part(content, name))
    assert count == 1
    return repack(content, {name: sheet})


@dataclass(frozen=True)
class Bad:
    """A file of the batch: its name, the rule that must answer it, the verdict, and what makes its bytes."""

    name: str
    rule: str
    verdict: str
    content: Callable[[], bytes]


BATCH = (
    Bad("截断.xlsx", "G01", "unreadable", lambda: make_hostile("corrupt_file", GOOD)[0]),
    Bad("不是表.xlsx", "G01", "unreadable", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
    Bad("加密.xlsx", "G02", "unreadable", lambda: make_hostile("encrypted_file", GOOD)[0]),
    Bad("带宏.xlsm", "G03", "unreadable", lambda: make_hostile("macro_file", GOOD)[0]),
    Bad("旧格式.xls", "G04", "unreadable", lambda: make_hostile("legacy_xls", GOOD)[0]),
    Bad("零字节.xlsx", "G08", "unreadable", lambda: b""),
    Bad("空表.xlsx", "G08", "unreadable", lambda: make_hostile("empty_file", GOOD)[0]),
    Bad("会议纪要.xlsx", "P01", "unreadable", minutes_of_a_meeting),
    Bad("未来月份.xlsx", "H7b", "rejected", lambda: by_hand(month="2099-01")),
    Bad("两个月份.xlsx", "P15", "rejected", lambda: two_months_in_one(GOOD)),
    Bad("名录外.xlsx", "H1b", "rejected", lambda: by_hand(NOT_LISTED)),
    Bad("无单位.xlsx", "P04", "rejected", lambda: by_hand(unit="")),
    Bad("项目不明.xlsx", "P12", "rejected", lambda: by_hand(item="SZ9")),
    Bad("国别不明.xlsx", "P13", "rejected", lambda: by_hand(partner="亚特兰蒂斯")),
)


@dataclass(frozen=True)
class Filed:
    """The batch after filing: the office's stores, its scratch folder, and what the command said."""

    settings: Settings
    scratch: Path
    folder: Path
    done: CompletedProcess[str]
    answer: dict[str, Any]

    def of(self, name: str) -> dict[str, Any]:
        [only] = [one for one in self.answer["files"] if one["file"] == name]
        return dict(only)


def office_in(folder: Path) -> tuple[Path, Path]:
    """A data folder with two enterprises in the register and the rates of the month, and an empty scratch folder."""
    data, scratch = folder / "data", folder / "scratch"
    scratch.mkdir()
    register = folder / "register.csv"
    with register.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["enterprise_code", "enterprise_name", "district_code", "industry_code", "from_month"])
        for code, name in ((GOOD_CODE, "武汉样例甲子软件技术有限公司"), (LISTED, "示例一号服务有限公司")):
            rows.writerow([code, name, "420111", "6513", "2019-01"])
    assert servtrade(data, "register", "import", str(register)).returncode == 0
    rates = servtrade(data, "submit", str(SAMPLES_DIR / "DM-3_exchange_rates.xlsx"))
    assert rates.returncode == 0, rates.stdout
    return data, scratch


def hand_in(folder: Path, batch: tuple[Bad, ...]) -> Path:
    """The files of a batch and the good return, as they come by one courier."""
    folder.mkdir()
    for bad in batch:
        (folder / bad.name).write_bytes(bad.content())
    (folder / GOOD_NAME).write_bytes(GOOD)
    return folder


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Filed:
    """Everything in one batch, filed once."""
    top = tmp_path_factory.mktemp("office")
    data, scratch = office_in(top)
    folder = hand_in(top / "handed_in", BATCH)
    done = servtrade(data, "submit", str(folder), "--json", TMPDIR=str(scratch))
    settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}")
    return Filed(settings, scratch, folder, done, json.loads(done.stdout))


def test_a_batch_with_refused_files_ends_with_3(filed: Filed) -> None:
    assert filed.done.returncode == 3
    verdicts = [bad.verdict for bad in BATCH]
    assert filed.answer["summary"] == {
        "total": len(BATCH) + 1,
        "accepted": 1,
        "queries": 0,
        "rejected": verdicts.count("rejected"),
        "unreadable": verdicts.count("unreadable"),
        "duplicates": 0,
    }


def test_the_good_return_in_the_batch_is_accepted(filed: Filed) -> None:
    good = filed.of(GOOD_NAME)
    assert (good["verdict"], good["findings"]) == ("accepted", [])
    assert (good["reference_month"], good["enterprise_code"]) == ("2020-03", GOOD_CODE)
    assert good["lines"] > 0


@pytest.mark.parametrize("bad", BATCH, ids=lambda bad: Path(bad.name).stem)
def test_each_bad_file_is_answered_by_its_own_rule_in_both_languages(filed: Filed, bad: Bad) -> None:
    answer = filed.of(bad.name)
    assert answer["verdict"] == bad.verdict
    grave = [finding for finding in answer["findings"] if finding["severity"] == "critical"]
    assert {finding["rule"] for finding in grave} == {bad.rule}
    for finding in grave:
        chinese, english = finding["message"]["zh"], finding["message"]["en"]
        assert f"〔{bad.rule}〕" in chinese
        assert f"[{bad.rule}]" in english
        assert re.search("[\u4e00-\u9fff]", chinese)
        assert len(english.split()) >= 8  # where, what, and what to do
        for text in (chinese, english):
            assert re.search(r"Traceback|Error\b|Exception|\bNone\b|[{}]", text) is None, text


@pytest.mark.parametrize(
    ("name", "sheet", "cell", "given"),
    [
        ("未来月份.xlsx", "服务进出口", "J6", "2099"),
        ("名录外.xlsx", "服务进出口", "B6", NOT_LISTED),
        ("项目不明.xlsx", "服务进出口", "A11", "SZ9"),
        ("国别不明.xlsx", "服务进出口", "C11", "亚特兰蒂斯"),
    ],
)
def test_what_is_wrong_in_a_cell_is_said_with_the_cell_and_what_stands_in_it(
    filed: Filed, name: str, sheet: str, cell: str, given: str
) -> None:
    [finding] = [one for one in filed.of(name)["findings"] if one["severity"] == "critical"]
    assert (finding["sheet"], finding["cell"]) == (sheet, cell)
    assert given in finding["given"]
    assert given in finding["message"]["zh"]
    assert given in finding["message"]["en"]


def test_nobody_is_shown_a_traceback(filed: Filed) -> None:
    for text in (filed.done.stdout, filed.done.stderr):
        assert "Traceback" not in text
        assert re.search(r'File "[^"]+", line', text) is None
        assert str(filed.settings.data_dir) not in text


def test_nothing_is_left_half_written(filed: Filed) -> None:
    assert list(filed.scratch.rglob("*")) == []
    below = {path.relative_to(filed.settings.data_dir) for path in filed.settings.data_dir.rglob("*")}
    assert [path for path in below if path.name.startswith(".") or path.suffix in {".tmp", ".log"}] == []
    assert {path.parts[0].split("-")[0] for path in below} <= {
        "ledger.sqlite",
        "originals",
        "lines",
        "inbox",
        "secrets",
    }


def test_originals_and_lines_are_exactly_those_that_the_ledger_knows(filed: Filed) -> None:
    with open_ledger(filed.settings.ledger_url) as ledger:
        known = ledger.submissions()
    originals = {path.name: path for path in filed.settings.originals_dir.rglob("*") if path.is_file()}
    handed_in = {hashlib.sha256(path.read_bytes()).hexdigest() for path in filed.folder.iterdir()}
    assert set(originals) == {one.sha256 for one in known}
    assert handed_in < set(originals)  # the rates were filed before
    for sha256, path in originals.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256

    lines = {
        str(path.relative_to(filed.settings.lines_dir)): path
        for path in filed.settings.lines_dir.rglob("*")
        if path.is_file()
    }
    assert set(lines) == {one.lines_file for one in known if one.lines_file}
    cells_of: set[str] = set()
    for path in lines.values():
        cells_of |= set(pq.read_table(path).column("submission_id").to_pylist())
    assert cells_of == {one.submission_id for one in known if one.lines_file}
    assert {one.submission_id for one in known if one.line_count} <= cells_of
    assert not cells_of & {one.submission_id for one in known if one.status.value == "unreadable"}


def test_filing_the_batch_again_adds_nothing(filed: Filed) -> None:
    before = sorted(path for path in filed.settings.data_dir.rglob("*") if path.is_file())
    again = servtrade(filed.settings.data_dir, "submit", str(filed.folder), "--json")
    assert again.returncode == 3
    summary = json.loads(again.stdout)["summary"]
    assert summary == {**filed.answer["summary"], "duplicates": len(BATCH) + 1}
    after = sorted(path for path in filed.settings.data_dir.rglob("*") if path.is_file())
    assert [path for path in after if "ledger" not in path.name] == [
        path for path in before if "ledger" not in path.name
    ]


def test_a_batch_with_errors_in_the_data_only_ends_with_1(tmp_path: Path) -> None:
    data, scratch = office_in(tmp_path)
    batch = tuple(bad for bad in BATCH if bad.verdict == "rejected")
    done = servtrade(
        data, "submit", str(hand_in(tmp_path / "handed_in", batch)), "--lang", "en", TMPDIR=str(scratch)
    )
    assert done.returncode == 1
    for bad in batch:
        assert f"[{bad.rule}]" in done.stdout
    assert f"{GOOD_NAME}: accepted" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert list(scratch.rglob("*")) == []
