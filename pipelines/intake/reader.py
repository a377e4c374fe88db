"""One file from bytes to a `ParsedFile`, in this process: gate, workbook, parse.

Bad input gives findings, never an exception. What a parser library raises on a file is caught where it is
called (`workbook`, `gate`) and becomes a finding; a fault of our own is raised, and the pool's child reports it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

from pipelines.intake import gate, messages
from pipelines.intake.answers import has_answer_heads, read_answers
from pipelines.intake.layouts import layout_book
from pipelines.intake.limits import DEFAULT_LIMITS, Limits
from pipelines.intake.parse import parse_sheets
from pipelines.intake.reading import RawCell, Reading
from pipelines.intake.recognise import Recogniser
from pipelines.intake.values import label_key
from pipelines.intake.workbook import Workbook, read_delimited
from pipelines.records import CellRecord, ParsedFile
from pipelines.review_sheet import is_review_sheet_name, may_be_review_sheet_name
from pipelines.text_tables import DecodedText

_WORDS_OF_RULE = {
    "G01": ("kind", "kind"),
    "G05": ("what", "too_large"),
    "G06": ("what", "unsafe"),
    "G07": ("what", "stopped"),
}


def read_file(file_name: str, content: bytes, limits: Limits = DEFAULT_LIMITS) -> ParsedFile:
    """Read one file in this process. The name decides only whether plain text may be a table (.csv).

    A hostile file that gets past the gate may still exhaust or abort the process: whatever comes from outside
    goes through `ReaderPool`, whose children call this.
    """
    return parsed_file(hashlib.sha256(content).hexdigest(), read(file_name, content, limits))


def read(file_name: str, content: bytes, limits: Limits = DEFAULT_LIMITS) -> Reading:
    """`read_file` before decimals and records are made: what a child sends to its parent."""
    try:
        admitted = gate.inspect(file_name, content, limits)
        if isinstance(admitted, DecodedText):
            return parse_sheets([read_delimited(admitted, limits)], layout_book(), recogniser())
        return _read_package(admitted, limits)
    except gate.Refused as refused:
        return refusal(refused.rule, **refused.words)


def _read_package(package: gate.Package, limits: Limits) -> Reading:
    workbook = Workbook(package, limits)
    not_forms = layout_book().general.not_forms
    reviews = [
        name
        for name in workbook.names
        if is_review_sheet_name(name)
        or (may_be_review_sheet_name(name) and has_answer_heads(workbook.sheet(name)))
    ]
    sheets = [name for name in workbook.names if name not in reviews]
    names = [name for name in sheets if label_key(name) not in not_forms]
    reading = _parse(workbook, names)
    if reading.is_unreadable and len(names) < len(sheets):
        # somebody put a form under the name of an instruction or a code list
        reading = _parse(workbook, sheets)
    for name in reviews:
        reading.answers += read_answers(workbook.sheet(name))
    return reading


def _parse(workbook: Workbook, names: list[str]) -> Reading:
    return parse_sheets(
        [workbook.sheet(name) for name in names],
        layout_book(),
        recogniser(),
        is_1904=workbook.is_1904,
        look_closer=workbook.look_closer,
        is_template=workbook.is_template,
    )


@cache
def recogniser() -> Recogniser:
    """The recogniser of this process: it remembers texts and heads from file to file."""
    return Recogniser(layout_book())


def refusal(rule: str, **words: Any) -> Reading:
    """The reading of a file that nothing could or might read: one critical finding."""
    given = str(words.pop("given", ""))
    named: dict[str, Any] = {
        name: f"{value:,}" if isinstance(value, int) else value for name, value in words.items()
    }
    if rule in _WORDS_OF_RULE:
        name, group = _WORDS_OF_RULE[rule]
        named[name] = messages.word(group, str(words.get(name, "")))
    if rule in ("G05", "G06"):
        given = given or "ZIP"  # about the package as a whole, not one of its parts
    found = messages.finding(rule, given=given, words=named)
    return Reading(is_unreadable=True, findings=[found])


def parsed_file(sha256: str, reading: Reading) -> ParsedFile:
    """A reading as the shape that the other stages take."""
    return ParsedFile(
        sha256=sha256,
        kind=reading.kind,
        form_codes=tuple(sorted(reading.forms)),
        layout_versions=tuple(f"{form}/{reading.forms[form]}" for form in sorted(reading.forms)),
        period=reading.period,
        enterprise_code=reading.enterprise_code,
        enterprise_name=reading.enterprise_name,
        department=reading.department,
        is_zero_return=reading.is_zero_return,
        is_revision=reading.is_revision,
        is_unreadable=reading.is_unreadable,
        cells=tuple(cell_records(reading.cells)),
        fixes=tuple(reading.fixes),
        findings=tuple(reading.findings),
        answers=tuple(reading.answers),
    )


def cell_records(cells: Iterable[RawCell]) -> Iterator[CellRecord]:
    """Cells as they travelled, as records with decimals."""
    new = tuple.__new__  # past the named tuple's own constructor: half the time, and there are millions
    for form, sheet, section, row, cell, field, text, number, code, day, state in cells:
        exact = Decimal(number) if number is not None else None
        yield new(CellRecord, (form, sheet, section, row, cell, field, text, exact, code, day, state))
