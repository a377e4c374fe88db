"""A filled form saved by other programs is read as the same cells, or something is said; never blank in silence."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from pipelines.findings import Severity
from pipelines.intake import read_file
from pipelines.intake.template import Stationery
from pipelines.records import ParsedFile

from .forms_by_hand import CARRIED, order
from .rewritten import VARIANTS, parts_of, set_cells, without_cached_results, zipped


def said(parsed: ParsedFile) -> set[tuple[str, str, str]]:
    return {(fix.sheet, fix.cell, fix.why.zh) for fix in parsed.fixes}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_same_cells_are_read(name: str, filled: bytes) -> None:
    variant = VARIANTS[name](filled)
    if name != "nothing compressed":
        assert parts_of(variant) != parts_of(filled), "the variant is none"
    before, after = read_file("form.xlsx", filled), read_file("form.xlsx", variant)
    assert not after.is_unreadable, [finding.message.zh for finding in after.findings]
    assert after.cells == before.cells
    assert after.findings == before.findings
    assert after.fixes == before.fixes


# Ways of writing that meet in one file: what one does to addresses, another to namespaces or calendars.
PAIRS = [
    pair
    for pair in combinations(
        ("shared strings", "prefixed namespaces", "strict namespaces", "byte order marks", "dates of 1904",
         "cells without addresses"), 2,
    )
    if set(pair) != {"prefixed namespaces", "cells without addresses"}  # the helper knows cells without prefix only
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_ways_at_once_are_read_as_well(one: str, other: str, filled: bytes) -> None:
    # marks and prefixes are put on last: the other helpers look for plain elements
    last = ("prefixed namespaces", "byte order marks", "cells without addresses")
    ways = sorted((one, other), key=lambda name: name in last and 1 + last.index(name))
    content = filled
    for way in ways:
        content = VARIANTS[way](content)
    assert read_file("form.xlsx", content).cells == read_file("form.xlsx", filled).cells


@pytest.mark.parametrize("further", [None, "prefixed namespaces", "cells without addresses"])
def test_formulas_without_results_are_computed_or_named(further: str | None, filled: bytes) -> None:
    content = without_cached_results(filled)
    if further is not None:
        content = VARIANTS[further](content)
    before, after = read_file("form.xlsx", filled), read_file("form.xlsx", content)
    assert not after.findings
    lost = {(cell.sheet, cell.cell) for cell in set(before.cells) - set(after.cells)}
    assert not set(after.cells) - set(before.cells)
    # sums of FM-3 are plain and were computed; those of FM-2 leave out items that add up others, and are named
    assert lost == {("服务进出口", cell) for cell in ("B12", "B13", "D52", "E52", "F52", "G52")}
    explained = said(after) - said(before)
    assert {(sheet, cell) for sheet, cell, why in explained if "未与各行核对" in why} == {
        ("服务进出口", cell) for cell in ("D52", "E52", "F52", "G52")
    }
    assert {(sheet, cell) for sheet, cell, why in explained if "由系统按公式求和" in why} == {
        ("服务外包", cell) for cell in ("E52", "F52", "G52")
    }
    assert [cell for _, cell, why in explained if "名称公式" in why] == ["B12"]


def test_an_amount_by_a_formula_that_nobody_computed_is_refused_with_its_place(
    stationery: Stationery,
) -> None:
    content = set_cells(stationery.workbook(order(carried=CARRIED)), "服务进出口", {"E12": 340.5, "F12": 1})
    part = "xl/worksheets/sheet2.xml"
    parts = parts_of(content)
    parts[part] = parts[part].replace(b'<c r="D12"', b'<c r="D12" x="1"')
    text = parts[part].decode("utf-8")
    text, count = re.subn(r'<c r="D12" x="1"( s="\d+")/>', r'<c r="D12"\1><f>E12*1.1</f></c>', text)
    assert count == 1
    parts[part] = text.encode("utf-8")
    findings = read_file("form.xlsx", zipped(parts)).findings
    [finding] = [one for one in findings if one.severity is Severity.CRITICAL]
    assert (finding.rule, finding.cell) == ("P17", "D12")
    assert "重新计算并保存" in finding.message.zh


# LibreOffice --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes, str], bytes]:
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice (soffice) is not installed: what it saves was not read back")
    folder = tmp_path_factory.mktemp("libreoffice")

    def run(content: bytes, ending: str) -> bytes:
        (folder / "form.xlsx").write_bytes(content)
        kind = {"xlsx": "xlsx:Calc MS Excel 2007 XML"}.get(ending, ending)
        done = subprocess.run(
            [program, f"-env:UserInstallation={Path(folder / 'profile').as_uri()}", "--headless", "--convert-to", kind,
             "--outdir", str(folder / "out"), str(folder / "form.xlsx")],
            capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        made = folder / "out" / f"form.{ending}"
        assert made.is_file(), done.stdout + done.stderr
        return made.read_bytes()

    return run


def test_what_libreoffice_saves_is_read_back_the_same(
    convert: Callable[[bytes, str], bytes], filled: bytes
) -> None:
    """The results are taken out first, so that LibreOffice computes names and totals itself."""
    saved = convert(without_cached_results(filled), "xlsx")
    before, after = read_file("form.xlsx", filled), read_file("form.xlsx", saved)
    assert not after.findings
    assert after.fixes == before.fixes
    assert set(before.cells) <= set(after.cells)
    [more] = set(after.cells) - set(before.cells)
    assert (more.cell, more.text) == ("B14", "计算机服务")  # of the code that was typed
    parts = parts_of(saved)
    form = parts["xl/worksheets/sheet2.xml"].decode("utf-8")
    assert form.count("<dataValidation ") == 13
    assert "<sheetProtection" in form
    assert b"servtrade_template" in parts["xl/workbook.xml"]


def test_an_open_document_is_refused_with_the_way_out(
    convert: Callable[[bytes, str], bytes], filled: bytes
) -> None:
    [finding] = read_file("form.ods", convert(filled, "ods")).findings
    assert finding.rule == "G01"
    assert ".ods" in finding.message.zh
    assert "另存为" in finding.message.zh
