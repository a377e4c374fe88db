"""Answers that come back in the sheet 审核意见 of an annotated workbook. What they answer is decided by the door.

The sheet is no form: nothing else of it is read, and what somebody wrote beside the table is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.intake.values import as_text
from pipelines.intake.workbook import Sheet
from pipelines.review_sheet import (
    LONGEST_LISTED,
    MOST_ANSWER_LENGTH,
    NEEDED_COLUMNS,
    Answer,
    cell_text,
    column_of_head,
    folded,
    not_answers,
)

MOST_ANSWERS = 1_000


def read_answers(sheet: Sheet) -> Iterator[Answer]:
    """Every answer of one sheet, from the top down; none if it has not the columns of a 审核意见."""
    columns: dict[str, int] = {}
    count = 0
    for row in sheet.rows:
        found = _columns(row)
        if found:
            columns = found
            continue
        if not columns:
            continue
        answer = _answer(row, columns)
        if answer is not None:
            yield answer
            count += 1
            if count >= MOST_ANSWERS:
                return


def _columns(row: list[Any]) -> dict[str, int]:
    """Position of each column if this is the head row."""
    known = column_of_head()
    found: dict[str, int] = {}
    for index, value in enumerate(row):
        if type(value) is str and value and len(value) < 100:
            column = known.get(folded(value))
            if column is not None:
                found.setdefault(column, index)
    return found if found.keys() >= NEEDED_COLUMNS else {}


def _answer(row: list[Any], columns: dict[str, int]) -> Answer | None:
    def text(name: str, longest: int = LONGEST_LISTED) -> str:
        index = columns.get(name)
        value = row[index] if index is not None and index < len(row) else ""
        return cell_text(as_text(value)).strip()[:longest]

    written = text("answer", MOST_ANSWER_LENGTH)
    rule = text("rule", 64)
    if not rule or folded(written) in not_answers():
        return None
    return Answer(
        rule=rule, sheet=text("sheet"), cell=text("cell"), key=text("key"), given=text("given"), text=written
    )
