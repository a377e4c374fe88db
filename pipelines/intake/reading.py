"""What is being read: one file, and each of its form sheets on its way.

Shapes only, shared by the parts of the parser; the finished shape is `records.ParsedFile`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from pipelines.findings import Finding, Fix
from pipelines.intake.layouts import FormLayout
from pipelines.intake.recognise import Scan
from pipelines.intake.workbook import Sheet
from pipelines.money import Unit
from pipelines.periods import Period
from pipelines.records import FileKind
from pipelines.review_sheet import Answer

# form_code, sheet, section, row_number, cell, field, text, number text, code, day, state
RawCell = tuple[str, str, str, int, str, str, str, str | None, str | None, date | None, str]


@dataclass(slots=True)
class Reading:
    """Everything read from one file, before it becomes a `ParsedFile`."""

    kind: FileKind = FileKind.UNKNOWN
    forms: dict[str, str] = field(default_factory=dict)  # form code -> layout version
    period: Period | None = None
    enterprise_code: str = ""
    enterprise_name: str = ""
    department: str = ""
    is_zero_return: bool = False
    is_revision: bool = False
    is_unreadable: bool = False
    cells: list[RawCell] = field(default_factory=list)
    fixes: list[Fix] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


@dataclass(slots=True)
class FormSheet:
    """One sheet on its way: what it is and what has been read from it.

    `period` is what its head says. `own_period` is the quarter, half-year or year that the figures of a form
    filed less often than monthly are of: stated in its head, or the latest that is over by the file's month.
    """

    sheet: Sheet
    scan: Scan
    form_code: str
    layout: FormLayout | None = None
    period: Period | None = None
    own_period: Period | None = None
    enterprise_code: str = ""
    enterprise_name: str = ""
    department: str = ""
    unit: Unit | None = None
    is_zero_ticked: bool = False
    is_revision: bool = False
    row_count: int = 0
    last_row_period: Period | None = None
    has_broken_table: bool = False
