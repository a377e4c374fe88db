"""Packages that nobody fills in by accident: none makes annotating raise, hang, or take memory without end."""

from __future__ import annotations

import contextlib
import io
import random
import re
import time

import openpyxl
import pytest
from workbooks_to_annotate import (
    BY_PROGRAM,
    annotate,
    by_openpyxl,
    by_xlsxwriter,
    by_xlsxwriter_rich,
    changed,
    once,
    packed,
    part_of_sheet,
    parts,
)

from pipelines.validation.annotate import CannotAnnotate, values_only_copy

_TOKENS = (
    b'"',
    b"<",
    b">",
    b"/>",
    b"",
    b"0",
    b"-1",
    b"99999999999",
    b"&",
    b"x:",
    b"<a>",
    b"\xff",
    b"rId1",
    b" ",
)
_VALUES = (b"", b"0", b"-5", b"abc", b"1e9", b"99999999999999", b"A1", b"XFD1048576", "审".encode())


def mutated(held: dict[str, bytes], dice: random.Random) -> bytes:
    """A package with one to three changes, in markup or in the values of attributes, or with a part left out."""
    held = dict(held)
    for _ in range(dice.randint(1, 3)):
        name = dice.choice(sorted(held))
        data = held[name]
        kind = dice.random()
        values = list(re.finditer(rb'"[^"]*"', data))
        tags = list(re.finditer(rb"<[^<>]+>", data))
        if kind < 0.05 or not tags:
            del held[name]
        elif kind < 0.2:
            at = dice.randrange(len(data))
            held[name] = data[:at] + dice.choice(_TOKENS) + data[at + dice.choice((1, 2, 30)) :]
        elif kind < 0.7 and values:
            one = dice.choice(values)
            held[name] = data[: one.start() + 1] + dice.choice(_VALUES) + data[one.end() - 1 :]
        else:
            one = dice.choice(tags)
            held[name] = data[: one.start()] + dice.choice((b"", one[0] * 2)) + data[one.end() :]
    return packed(held)


@pytest.mark.parametrize("seed", range(12))
def test_no_mutation_of_a_workbook_raises(seed: int) -> None:
    dice = random.Random(seed)
    seeds = [
        parts(BY_PROGRAM[name]()) for name in ("XlsxWriter, all it can", "openpyxl", "by hand, as WPS may")
    ]
    seeds.append(parts(annotate(by_openpyxl()).content))
    for _ in range(8):
        content = mutated(dice.choice(seeds), dice)
        made = annotate(content)
        again = annotate(made.content)
        assert parts(again.content), "the copy is a whole package, and so is the copy of the copy"
        with contextlib.suppress(CannotAnnotate):  # in words; anything else fails
            assert parts(values_only_copy(content))


def listed_only(content: bytes) -> bool:
    made = annotate(content)
    names = openpyxl.load_workbook(io.BytesIO(made.content)).sheetnames
    return names == ["审核意见"] and "只列出意见" in made.losses[-1].zh


def test_a_document_type_is_never_followed() -> None:
    sheet = part_of_sheet(by_xlsxwriter())
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><worksheet'
    assert listed_only(changed(by_xlsxwriter(), {sheet: once(b"<worksheet", bomb)}))
    with pytest.raises(CannotAnnotate):
        values_only_copy(changed(by_xlsxwriter(), {sheet: once(b"<worksheet", bomb)}))


def test_a_part_with_elements_without_end_is_not_held_in_memory() -> None:
    many = b"<font/>" * 400_000
    assert listed_only(changed(by_xlsxwriter(), {"xl/styles.xml": once(b"<fonts", many + b"<fonts")}))


def test_sheets_without_end_and_two_sheets_in_one_part_are_only_listed() -> None:
    book = parts(by_xlsxwriter())["xl/workbook.xml"]
    [entry] = re.findall(rb"<sheet name=\"[^\"]*\" sheetId=\"3\"[^>]*/>", book)
    twin = entry.replace(b'sheetId="3"', b'sheetId="99"').replace(b" r:id", b' a="b" r:id')
    assert listed_only(changed(by_xlsxwriter(), {"xl/workbook.xml": once(entry, entry + twin)}))
    endless = b"".join(b'<sheet name="a%d" sheetId="%d" r:id="none"/>' % (n, n) for n in range(100, 500))
    assert listed_only(changed(by_xlsxwriter(), {"xl/workbook.xml": once(entry, entry + endless)}))


def test_shapes_that_never_close_cost_one_look() -> None:
    content = annotate(by_xlsxwriter_rich()).content
    drawing = next(name for name in parts(content) if name.endswith(".vml"))
    shapes = b"".join(b"<v%d:shape x='1'>" % (number % 7) for number in range(200_000))
    hostile = changed(content, {drawing: lambda data: data.replace(b"<v:shape ", shapes + b"<v:shape ", 1)})
    start = time.process_time()
    annotate(hostile)
    assert time.process_time() - start < 5


def test_marks_of_ours_without_end_in_one_comment_cost_one_look() -> None:
    content = annotate(by_xlsxwriter()).content
    text = "【审核意见】甲【意见止】乙" * 60_000
    hostile = changed(
        content,
        {
            "xl/comments1.xml": lambda data: re.sub(
                rb"(<comment ref=\"D11\".*?<t xml[^>]*>)", rb"\1" + text.encode(), data, count=1
            )
        },
    )
    start = time.process_time()
    made = annotate(hostile, ())
    assert time.process_time() - start < 5
    comment = openpyxl.load_workbook(io.BytesIO(made.content))["服务进出口"]["D11"].comment
    assert comment is not None
    assert comment.text.startswith("乙乙乙")


def test_a_sheet_without_cells_is_only_listed() -> None:
    sheet = part_of_sheet(by_xlsxwriter())
    bare = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    assert listed_only(changed(by_xlsxwriter(), {sheet: bare}))
