"""Answers that come back in the sheet 审核意见 of an annotated workbook. What they answer is decided by the door.

The sheet is no form: nothing else of it is read, and what somebody wrote beside the table is passed over. What was
answered and cannot be used is read all the same, with what is amiss: the door tells it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipelines.intake.values import as_text
from pipelines.intake.workbook import Sheet
from pipelines.review_sheet import (
    LONGEST_CELL_TEXT,
    LONGEST_LISTED,
    MARKER,
    MOST_ANSWER_LENGTH,
    MOST_ANSWERS,
    NEEDED_COLUMNS,
    Answer,
    Why,
    answer_of,
    cell_text,
    column_of_head,
    folded,
    is_set_aside,
)


def read_answers(sheet: Sheet) -> Iterator[Answer]:
    """Every answer of one sheet, from the top down; none if it has not the columns of a 审核意见.

    One answer beyond the most that are read ends them, and says so.
    """
    columns: dict[str, int] = {}
    count = 0
    is_marked = any(MARKER in row for row in sheet.rows)
    for row in sheet.rows:
        found = _columns(row)
        if found:
            columns = found
            continue
        if not columns:
            continue
        answer = _answer(row, columns)
        if answer is None or is_set_aside(answer.text):
            continue
        if not (is_marked and "key" in columns):
            answer = replace(answer, trouble=Why.NOT_OURS.value)
        count += 1
        if count > MOST_ANSWERS:
            yield replace(answer, trouble=Why.BEYOND.value)
            return
        yield answer


def has_answer_heads(sheet: Sheet) -> bool:
    """Whether the sheet has the heads of a 审核意见."""
    return any(_columns(row) for row in sheet.rows)


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

    return answer_of(
        {
            "rule": text("rule", 64),
            "answer": text("answer", LONGEST_CELL_TEXT),
            "key": text("key", LONGEST_LISTED + 16),
            **{name: text(name) for name in ("sheet", "cell", "given")},
        },
        MOST_ANSWER_LENGTH,
    )
