"""What LibreOffice makes of an annotated workbook, and what we make of one that LibreOffice has saved."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from workbooks_to_annotate import (
    EVERYWHERE,
    SHEET,
    annotate,
    by_openpyxl,
    by_xlsxwriter,
    made_by_hand,
    parts,
)

from pipelines.intake import read_file

Office = Callable[..., bytes]


@pytest.fixture(scope="module")
def saved(libreoffice: Office) -> bytes:
    """An annotated workbook, opened and saved again."""
    return libreoffice(annotate(by_openpyxl()).content)


def test_colours_comments_and_formats_survive_being_saved(saved: bytes) -> None:
    ours = openpyxl.load_workbook(io.BytesIO(annotate(by_openpyxl()).content))[SHEET]
    theirs = openpyxl.load_workbook(io.BytesIO(saved))[SHEET]
    for address in ("D11", "F13", "E11", "N11", "Z99"):
        assert theirs[address].fill.fgColor.rgb == ours[address].fill.fgColor.rgb, address
        assert ours[address].comment is not None
        assert theirs[address].comment is not None
        assert theirs[address].comment.text == ours[address].comment.text, address
    assert theirs["F13"].number_format == "0.000"
    assert theirs["B12"].comment is not None


def test_links_of_the_first_sheet_still_lead_to_their_cells(saved: bytes) -> None:
    page = openpyxl.load_workbook(io.BytesIO(saved)).worksheets[0]
    assert page.title == "审核意见"
    targets = {cell.hyperlink.location for row in page.iter_rows() for cell in row if cell.hyperlink}
    assert {re.sub("[$']", "", target) for target in targets} >= {
        f"{SHEET}!{cell}" for cell in ("D11", "F13", "Z99")
    }


def test_annotating_what_was_saved_replaces_and_does_not_stack(saved: bytes) -> None:
    again = annotate(saved).content
    book = openpyxl.load_workbook(io.BytesIO(again))
    assert [name for name in book.sheetnames if "审核" in name] == ["审核意见"]
    assert book[SHEET]["D11"].comment.text.count("【审核意见】") == 1
    assert book[SHEET]["D11"].comment.text.startswith("去年同期也是如此\n")
    without = openpyxl.load_workbook(io.BytesIO(annotate(saved, (), fixes=()).content))[SHEET]
    before = openpyxl.load_workbook(io.BytesIO(by_openpyxl()))[SHEET]
    assert before["F13"].fill.fgColor.rgb == "FFFFFF00"
    assert without["F13"].fill.fgColor.rgb == "FFFFFF00", "the clerk's own yellow is back"
    for address in ("D11", "E11", "N11"):
        assert without[address].fill.fill_type is None, address
    assert without["D11"].comment.text == "去年同期也是如此"
    assert without["F13"].comment is None
    assert without["B12"].comment.text == "无关的批注"


def test_the_saved_copy_reads_as_the_file_did(saved: bytes) -> None:
    before, after = read_file("a.xlsx", by_openpyxl()), read_file("a.xlsx", saved)
    assert before.cells
    assert after.cells == before.cells
    assert [one.rule for one in after.findings] == [one.rule for one in before.findings]


def test_styles_do_not_grow_from_upload_to_upload(libreoffice: Office, saved: bytes) -> None:
    first = annotate(saved).content
    second = annotate(libreoffice(first)).content
    counts = [
        int(re.search(rb'<cellXfs count="(\d+)"', parts(one)["xl/styles.xml"])[1])  # type: ignore[index]
        for one in (first, second)
    ]
    assert counts[1] <= counts[0] + 2


def test_it_prints_with_the_findings_in_it(libreoffice: Office, tmp_path: Path) -> None:
    for content in (by_xlsxwriter(), made_by_hand()):
        file = tmp_path / "a.pdf"
        file.write_bytes(libreoffice(annotate(content, EVERYWHERE).content, "pdf"))
        text = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True).stdout
        for word in ("审核意见", "与上月相差过大", "12,500,000", "全角数字", "必须更正"):
            assert word in text, word
