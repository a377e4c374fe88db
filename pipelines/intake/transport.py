"""Files and readings on their way between the pool and its children: framed, and safe to decode.

A child reads hostile files with native code, so that the parent takes nothing from it but JSON: no pickle. Cells
go column by column, which is the smallest and the fastest to rebuild.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain, repeat
from typing import Any

from pipelines.findings import Finding, Fix, Severity, Wording
from pipelines.intake.reading import RawCell, Reading
from pipelines.periods import Month, Period
from pipelines.records import CellRecord, FileKind, ParsedFile
from pipelines.review_sheet import Answer

# Between the cells of a column: one character that JSON need not escape and that nobody types.
_SEPARATOR = "\x7f"
_LENGTHS = struct.Struct("!II")
_LENGTH = struct.Struct("!I")
LARGEST_FRAME = 512 * 1024 * 1024


class BrokenFrame(ValueError):
    """What a child sent is no reading; the child is not to be trusted any more."""


def pack_file(file_name: str, content: bytes) -> bytes:
    """A file for a child: two lengths, the name, the content."""
    name = file_name.encode("utf-8", errors="replace")
    return _LENGTHS.pack(len(name), len(content)) + name + content


def file_lengths(header: bytes) -> tuple[int, int]:
    """Lengths of name and content of a packed file."""
    name_length, content_length = _LENGTHS.unpack(header)
    return name_length, content_length


FILE_HEADER_BYTES = _LENGTHS.size
FRAME_HEADER_BYTES = _LENGTH.size


def frame(payload: bytes) -> bytes:
    """A child's answer: its length, then itself."""
    return _LENGTH.pack(len(payload)) + payload


def frame_length(header: bytes) -> int:
    """Length of an answer. Raises BrokenFrame if nobody could have meant it."""
    (length,) = _LENGTH.unpack(header)
    if length > LARGEST_FRAME:
        raise BrokenFrame(f"a frame of {length} bytes")
    return int(length)


def encode(sha256: str, reading: Reading) -> bytes:
    """A reading as JSON."""
    return json.dumps(
        {
            "sha256": sha256,
            "kind": reading.kind.value,
            "forms": reading.forms,
            "period": [reading.period.first.year, reading.period.first.month, reading.period.kind]
            if reading.period is not None
            else None,
            "enterprise_code": reading.enterprise_code,
            "enterprise_name": reading.enterprise_name,
            "department": reading.department,
            "is_zero_return": reading.is_zero_return,
            "is_revision": reading.is_revision,
            "is_unreadable": reading.is_unreadable,
            "sheets": _by_sheet(reading.cells),
            "fixes": [(one.sheet, one.cell, one.given, one.read_as, one.why.zh, one.why.en) for one in reading.fixes],
            "findings": [
                (one.rule, one.severity.value, one.message.zh, one.message.en, one.form_code, one.sheet, one.cell,
                 one.key, one.given, one.expected)
                for one in reading.findings
            ],
            "answers": [
                (one.rule, one.sheet, one.cell, one.key, one.given, one.text, one.trouble) for one in reading.answers
            ],
        },
        ensure_ascii=False,
        check_circular=False,
        separators=(",", ":"),
    ).encode("utf-8", errors="replace")  # fmt: skip


def encode_fault(sha256: str, fault: str) -> bytes:
    """What a child says of a fault of its own: the traceback, for the log."""
    return json.dumps({"sha256": sha256, "fault": fault}).encode("utf-8", errors="replace")


def _by_sheet(cells: list[RawCell]) -> list[list[Any]]:
    """Cells grouped while form, sheet and section stay the same, each group as columns.

    Addresses, fields, texts and codes go as one text each. What is the rule goes without saying: a cell without a
    code has its text as its number, no day, and the state `value`; only the exceptions are listed.
    """
    groups: list[list[Any]] = []
    start = 0
    count = len(cells)
    while start < count:
        form, sheet, section = cells[start][:3]
        end = start + 1
        while end < count:
            other = cells[end]
            if other[2] is not section or other[1] is not sheet or other[0] is not form:
                break  # equal texts that are two objects only make one more group
            end += 1
        _, _, _, rows, addresses, fields, texts, numbers, codes, days, states = zip(
            *cells[start:end], strict=True
        )
        groups.append(
            [
                form,
                sheet,
                section,
                rows,
                _joined(addresses),
                _joined(fields),
                _joined(texts),
                _joined([code or "" for code in codes]),
                [
                    (index, number)
                    for index, (number, text, code) in enumerate(zip(numbers, texts, codes, strict=True))
                    if number != (text if code is None else None)
                ],
                [(index, day.isoformat()) for index, day in enumerate(days) if day is not None],
                [(index, state) for index, state in enumerate(states) if state != "value"],
            ]
        )
        start = end
    return groups


def _joined(column: Sequence[str]) -> str | Sequence[str]:
    """A column as one text; as a list where some text holds the separator itself."""
    text = _SEPARATOR.join(column)
    return text if text.count(_SEPARATOR) == len(column) - 1 else column


def _parted(column: str | list[str]) -> list[str]:
    return column.split(_SEPARATOR) if isinstance(column, str) else column


def decode(payload: bytes) -> ParsedFile | str:
    """A child's answer: the parsed file, or the traceback of its fault. Raises BrokenFrame."""
    try:
        held = json.loads(payload)
        if "fault" in held:
            return str(held["fault"])
        period = held["period"]
        forms: dict[str, str] = held["forms"]
        return ParsedFile(
            sha256=held["sha256"],
            kind=FileKind(held["kind"]),
            form_codes=tuple(sorted(forms)),
            layout_versions=tuple(f"{form}/{forms[form]}" for form in sorted(forms)),
            period=Period(Month(period[0], period[1]), period[2]) if period else None,
            enterprise_code=held["enterprise_code"],
            enterprise_name=held["enterprise_name"],
            department=held["department"],
            is_zero_return=held["is_zero_return"],
            is_revision=held["is_revision"],
            is_unreadable=held["is_unreadable"],
            cells=tuple(chain.from_iterable(_cells(*group) for group in held["sheets"])),
            fixes=tuple(
                Fix(sheet, cell, given, read_as, Wording(zh, en))
                for sheet, cell, given, read_as, zh, en in held["fixes"]
            ),
            findings=tuple(
                Finding(rule, Severity(severity), Wording(zh, en), form, sheet, cell, key, given, expected)
                for rule, severity, zh, en, form, sheet, cell, key, given, expected in held["findings"]
            ),
            answers=tuple(Answer(*map(str, one)) for one in held["answers"]),
        )
    except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError) as problem:
        raise BrokenFrame(f"{type(problem).__name__}: {problem}") from problem


def _cells(
    form: str,
    sheet: str,
    section: str,
    rows: list[int],
    addresses: str | list[str],
    fields: str | list[str],
    texts: str | list[str],
    codes: str | list[str],
    other_numbers: list[tuple[int, str | None]],
    day_texts: list[tuple[int, str]],
    other_states: list[tuple[int, str]],
) -> Iterator[CellRecord]:
    text_column = _parted(texts)
    code_column = [code or None for code in _parted(codes)]
    figures: list[str | None] = [
        text if code is None else None for text, code in zip(text_column, code_column, strict=True)
    ]
    for index, number in other_numbers:
        figures[index] = number
    days: list[date | None] = [None] * len(rows)
    for index, day in day_texts:
        days[index] = date.fromisoformat(day)
    states = ["value"] * len(rows)
    for index, state in other_states:
        states[index] = state
    columns = zip(
        repeat(form, len(rows)),
        repeat(sheet, len(rows)),
        repeat(section, len(rows)),
        rows,
        _parted(addresses),
        _parted(fields),
        text_column,
        [Decimal(figure) if figure is not None else None for figure in figures],
        code_column,
        days,
        states,
        strict=True,
    )
    return map(
        tuple.__new__, repeat(CellRecord), columns
    )  # past the named tuple's own constructor: twice as fast
