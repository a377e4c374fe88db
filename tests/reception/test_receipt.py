"""The receipt: its number, what it states, and the sheet of paper."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from filed_by_hand import Line, a_file, a_workbook, credit_code

from pipelines.findings import Verdict
from pipelines.ledger import SHANGHAI, Ledger, UnknownSubmission
from pipelines.ledger.actors import Actor, Role
from pipelines.reception import Reception
from pipelines.reception.receipt import Receipt, printed, receipt_of, receipt_pdf
from pipelines.reception.words import catalogue
from pipelines.typeset import TemplateBroken, typeset

RECEIPT = Receipt(
    number="2020-12-000123",
    submission_id="20charactersofdigest",
    file_name="2020年12月_武汉示例一号服务有限公司.xlsx",
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    size_bytes=11_610,
    received_at=datetime(2021, 1, 8, 9, 30, 12, tzinfo=SHANGHAI),
    received_by="王小明",
    channel="portal",
    verdict=Verdict.QUERIES,
    version=2,
    period="2020-12",
    enterprise_code="91420100MA4K00001U",
    enterprise_name="武汉示例一号服务有限公司",
    department="",
    form_codes=("FM-1", "FM-2"),
    critical_count=0,
    warning_count=3,
    info_count=1,
    fix_count=2,
    line_count=300,
    is_zero_return=False,
    is_late=True,
)


def text_of(pdf: bytes) -> str:
    """What a reader of the PDF sees, in Chinese too, without blanks."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed: the text of the PDF was not read")
    done = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    return re.sub(r"\s", "", done.stdout.decode())


def test_the_number_is_the_month_and_the_place_in_the_record_and_finds_its_submission(
    reception: Reception, ledger: Ledger
) -> None:
    content = a_workbook(credit_code(1), "2020-03", [Line(export=5, export_ytd=15)])
    results = reception.submit(
        [a_file("坏.xlsx", b"no"), a_file("三月\u202e.xlsx", content)], channel="portal", received_by="王"
    )
    bad, good = (receipt_of(ledger, one.submission_id) for one in results)
    sequences = {one.submission_id: one.sequence for one in ledger.submissions()}
    assert good.number == f"2020-03-{sequences[good.submission_id]:06d}"
    assert bad.number == f"0000-00-{sequences[bad.submission_id]:06d}"
    assert receipt_of(ledger, good.number) == good
    assert good.file_name == "三月.xlsx"
    assert (good.sha256, good.size_bytes) == (results[1].sha256, len(content))
    assert good.as_json()["received_at"] == "2020-04-08T09:00:00+08:00"
    for unknown in ("", "no", "2020-03-000099", f"2020-04-{good.number[-6:]}", "../x"):
        with pytest.raises(UnknownSubmission):
            receipt_of(ledger, unknown)


def test_a_receipt_says_the_same_after_the_query_is_confirmed(reception: Reception, ledger: Ledger) -> None:
    content = a_workbook(credit_code(1), "2020-03", [Line(export=5, export_ytd=15)], name="别的名称公司")
    [result] = reception.submit([a_file("三月.xlsx", content)], channel="portal", received_by="王")
    assert result.verdict is Verdict.QUERIES
    before = receipt_of(ledger, result.submission_id)
    clerk = Actor("李", frozenset({Role.CLERK}))
    ledger.confirm(result.submission_id, "已电话核实名称变更", clerk)
    assert receipt_of(ledger, result.submission_id) == before


def test_the_same_receipt_is_the_same_bytes_in_every_process() -> None:
    here = Path(__file__).resolve().parent
    code = "import sys; from test_receipt import RECEIPT, receipt_pdf; sys.stdout.buffer.write(receipt_pdf(RECEIPT))"
    other = subprocess.run(
        [sys.executable, "-c", code],
        cwd=here.parents[1],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{here.parents[1]}:{here}", "TZ": "America/New_York"},
        capture_output=True,
        check=True,
    )
    assert receipt_pdf(RECEIPT) == other.stdout
    assert receipt_pdf(RECEIPT) != receipt_pdf(replace(RECEIPT, size_bytes=11_611))


def test_the_sheet_says_all_of_it_in_both_languages_on_one_page() -> None:
    pdf = receipt_pdf(RECEIPT)
    text = text_of(pdf)
    for said in (
        "报送回执",
        "Receiptofafiling",
        "2020-12-000123",
        "武汉示例一号服务有限公司",
        "91420100MA4K00001U",
        RECEIPT.sha256,
        "2021-01-0809:30:12+08:00",
        "逾期",
        "王小明",
        "网上报送",
        "已收到，有待核实的问题",
        "3tobeconfirmed",
        "11,610字节",
        "FM-1、FM-2",
    ):
        assert said in text, said


@pytest.mark.parametrize(
    "nasty", ['#panic("x")', "$x$ *b* _i_ `c` <l> @r // /* \\ [a] {b}", '"}, "number": "1', "𠮷\u0301 ﷽ 🙂"]
)
def test_whatever_stands_in_a_name_is_printed_and_never_obeyed(nasty: str) -> None:
    receipt = replace(RECEIPT, file_name=nasty, enterprise_name=nasty, received_by=nasty)
    text = text_of(receipt_pdf(receipt))
    assert "2020-12-000123" in text
    if nasty.isascii():
        assert text.count(re.sub(r"\s", "", nasty)) >= 1


def test_what_could_not_be_read_is_said_to_be_so_and_rows_without_a_fact_are_left_out() -> None:
    receipt = replace(
        RECEIPT,
        period=None,
        enterprise_code="",
        enterprise_name="",
        version=None,
        form_codes=(),
        is_late=False,
    )
    labels = [row["label"]["zh"] for row in printed(receipt)["rows"]]
    assert "版本" not in labels
    assert "表号" not in labels
    assert printed(receipt)["rows"][0]["value"][0]["text"] == "未能识别"


def test_every_word_of_the_desk_is_in_both_languages_and_says_two_things() -> None:
    for key, wording in catalogue().items():
        assert wording.zh, key
        assert wording.en, key
        assert wording.zh != wording.en, key
        placeholders = re.compile(r"\{(\w+)\}")
        assert set(placeholders.findall(wording.zh)) == set(placeholders.findall(wording.en)), key


def test_a_template_that_is_broken_names_itself(tmp_path: Path) -> None:
    template = tmp_path / "broken.typ"
    template.write_text("#let x = \n#nothing(", encoding="utf-8")
    with pytest.raises(TemplateBroken, match=r"broken\.typ"):
        typeset(template, {})


def test_a_template_reads_nothing_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.txt").write_text("x", encoding="utf-8")
    template = tmp_path / "in" / "prying.typ"
    template.write_text('#read("../secret.txt")', encoding="utf-8")
    with pytest.raises(TemplateBroken):
        typeset(template, {})
