"""The shapes that stages hand to each other: cells as read, and the file they were read from.

No reading, no judging, no storing here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from pipelines.findings import Finding, Fix
from pipelines.periods import Period
from pipelines.review_sheet import Answer

# More often nobody files the same bytes; the search for the number of a judgement ends there.
_MOST_JUDGEMENTS = 100_000


class CellState(StrEnum):
    """What a cell says. A blank cell has no record at all, so blank is never mistaken for zero."""

    VALUE = "value"
    ZERO = "zero"  # the clerk wrote 0, or … (below half a unit): none this month
    WITHHELD = "withheld"  # .. or 保密: there is a figure and it is not given
    NOT_APPLICABLE = "not_applicable"  # — or /: no figure can exist here
    INVALID = "invalid"  # something stands here that the field does not admit; a finding says what


class CellRecord(NamedTuple):
    """One recognised cell of one sheet; a row of the lines store, less the submission it belongs to."""

    form_code: str  # FM-2, DM-1 ...
    sheet: str  # as in the file
    section: str  # head, row or total
    row_number: int  # as in the file, from 1
    cell: str  # F18
    field: str  # of the layout: item_code, export, export_ytd ...
    text: str  # as typed
    number: Decimal | None  # for number fields
    code: str | None  # normalised code, choice or text for the others
    day: date | None  # for date fields and for the period (its first day)
    state: str  # CellState


# Columns of every file in the lines store and of raw.return_cell / raw.department_cell.
# number carries ten decimals so that amounts in 亿美元 keep every digit a clerk can type.
LINE_COLUMNS: tuple[tuple[str, str], ...] = (
    ("submission_id", "string"),
    ("form_code", "string"),
    ("sheet", "string"),
    ("section", "string"),
    ("row_number", "int32"),
    ("cell", "string"),
    ("field", "string"),
    ("text", "string"),
    ("number", "decimal128(30, 10)"),
    ("code", "string"),
    ("day", "date32"),
    ("state", "string"),
)


class FileKind(StrEnum):
    """What a file is."""

    RETURN = "return"  # 企业直报: FM-1 to FM-8 of one enterprise and period
    DEPARTMENT = "department"  # DM-1 to DM-6 of one department
    UNKNOWN = "unknown"  # refused before anybody could tell


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """Everything read from one file. Nothing of it is stored yet.

    `findings` here are the reader's (gate, layout, cell types); the rules' findings come later. A file that
    could not be read has no cells and exactly one critical finding, and `is_unreadable` is true. `answers` are what
    a clerk wrote into the sheet 审核意见 of the annotated workbook; `review_sheet.match_answers` finds what they answer.
    `judgement` counts how often these bytes have been judged and recorded, this time included: each is a submission.
    """

    sha256: str
    kind: FileKind
    form_codes: tuple[str, ...] = ()
    layout_versions: tuple[str, ...] = ()
    period: Period | None = None
    enterprise_code: str = ""
    enterprise_name: str = ""
    department: str = ""
    is_zero_return: bool = False
    is_revision: bool = False
    is_unreadable: bool = False
    cells: Sequence[CellRecord] = ()
    fixes: tuple[Fix, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    answers: tuple[Answer, ...] = ()
    judgement: int = 1

    @property
    def submission_id(self) -> str:
        """The file's identity in every store: the same bytes are the same submission until they are judged anew."""
        return submission_id_of(self.sha256, self.judgement)


def identity_of(sha256: str, judgement: int = 1) -> str:
    """The digest that names a submission: that of the bytes, and of them and the number where they were judged again."""
    return sha256 if judgement == 1 else hashlib.sha256(f"{sha256}/{judgement}".encode()).hexdigest()


def submission_id_of(sha256: str, judgement: int = 1) -> str:
    """Twenty hexadecimal digits of the identity: short enough to say on the telephone, never ambiguous here."""
    return identity_of(sha256, judgement)[:20]


def judgement_of(sha256: str, submission_id: str) -> int:
    """Which judgement of these bytes a submission is, from 1. Raises ValueError where it is none of them."""
    for judgement in range(1, _MOST_JUDGEMENTS + 1):
        if submission_id_of(sha256, judgement) == submission_id:
            return judgement
    raise ValueError(f"submission {submission_id} is no judgement of the file {sha256}")


def line_id(submission_id: str, sheet: str, cell: str) -> str:
    """Where a figure came from: submission, sheet and cell in one text. SQL builds it the same way."""
    return f"{submission_id}/{sheet}!{cell}"


def storable_text(text: str) -> str:
    """A text that every store takes: what is no character (half a surrogate pair, NUL) becomes U+FFFD."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")
