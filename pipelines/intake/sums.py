"""Sums that a file was saved without the results of: computed where a formula is nothing but a sum.

Programs that are not a spreadsheet (exports, phone applications, scripts) write formulas and no results. A sum of
cells can mean only one thing and is computed here; whatever is more than a sum is not, and is reported by who asks.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from pipelines.intake.gate import column_number

_TOKEN = re.compile(
    r"""\s*(?:(?P<sum>SUM\()|(?P<range>\$?[A-Z]{1,3}\$?\d{1,7}(?::\$?[A-Z]{1,3}\$?\d{1,7})?)"""
    r"""|(?P<number>\d+(?:\.\d*)?)|(?P<mark>[+,)-]))""",
    re.IGNORECASE,
)
_BLANK_IF_EMPTY = re.compile(
    r"""=?\s*IF\(\s*COUNT\((?P<counted>[$A-Z0-9:]+)\)\s*=\s*0\s*,\s*""\s*,(?P<inner>.*)\)\s*""",
    re.IGNORECASE | re.DOTALL,
)
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})", re.IGNORECASE)
_LONGEST_FORMULA = 400
_MOST_CELLS = 100_000


class _NoPlainSum(Exception):
    """The formula is more than a sum, or sums what is not known."""


@dataclass(slots=True)
class Allowance:
    """Cells that the sums of one sheet may still add up, all together: thousands of sums over a whole sheet are no form."""

    cells: int = 1_000_000

    def take(self, count: int) -> None:
        if count > min(self.cells, _MOST_CELLS):
            raise _NoPlainSum
        self.cells -= count


def plain_sum(formula: str, rows: list[list[Any]], allowance: Allowance | None = None) -> float | str | None:
    """The result of a formula that only adds and subtracts cells: SUM(D12:D51), D12+D13, and either behind
    IF(COUNT(D12:D51)=0,"",...), which gives '' where there is no number.

    None for everything else, also where a cell that is added is an error or was not computed itself, and where the
    allowance (by default one of its own) is used up. As in a spreadsheet texts and blanks count for nothing inside SUM; a text that is added by + is an error there, None here.
    """
    if len(formula) > _LONGEST_FORMULA:
        return None
    allowance = allowance or Allowance()
    try:
        guarded = _BLANK_IF_EMPTY.fullmatch(formula)
        if guarded is not None:
            if not any(type(value) is float for value in _cells(guarded["counted"], rows, allowance)):
                return ""
            return _sum(guarded["inner"], rows, allowance)
        return _sum(formula.removeprefix("="), rows, allowance)
    except _NoPlainSum:
        return None


def _sum(text: str, rows: list[list[Any]], allowance: Allowance) -> float:
    """Terms with + and - between them, each a cell, a number or SUM of cells; at least one cell among them."""
    addends: list[float] = []
    sign, position, is_term_due, has_cells = 1.0, 0, True, False
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise _NoPlainSum
        position = match.end()
        if match["mark"] in ("+", "-"):
            sign, is_term_due = (
                (sign if match["mark"] == "+" else -sign)
                if is_term_due
                else (1.0 if match["mark"] == "+" else -1.0),
                True,
            )
            continue
        if not is_term_due or match["mark"]:
            raise _NoPlainSum
        if match["sum"]:
            end = text.find(")", position)
            if end < 0:
                raise _NoPlainSum
            for reference in text[position:end].split(","):
                addends += [sign * value for value in _numbers(reference.strip(), rows, allowance)]
            position, has_cells = end + 1, True
        elif match["number"]:
            addends.append(sign * float(match["number"]))
        else:
            addends += [sign * value for value in _numbers(match["range"], rows, allowance, is_alone=True)]
            has_cells = True
        sign, is_term_due = 1.0, False
    if is_term_due or not has_cells:
        raise _NoPlainSum
    return math.fsum(addends)


def _numbers(
    reference: str, rows: list[list[Any]], allowance: Allowance, *, is_alone: bool = False
) -> list[float]:
    if is_alone and ":" in reference:
        raise _NoPlainSum
    found = []
    for value in _cells(reference, rows, allowance):
        if type(value) is float or type(value) is int:
            found.append(float(value))
        elif not isinstance(value, str) or (is_alone and value):
            raise _NoPlainSum
    return found


def _cells(reference: str, rows: list[list[Any]], allowance: Allowance) -> list[Any]:
    """The values of a cell or a range as far as the sheet reaches."""
    ends = [_REFERENCE.fullmatch(part) for part in reference.split(":")]
    if len(ends) > 2 or any(end is None for end in ends):
        raise _NoPlainSum
    places = [(int(end[2]) - 1, column_number(end[1]) - 1) for end in ends if end is not None]
    first, last = (min(place[0] for place in places), min(place[1] for place in places)), (
        max(place[0] for place in places), max(place[1] for place in places)
    )  # fmt: skip
    if first[0] < 0:
        raise _NoPlainSum
    height = min(last[0] + 1, len(rows)) - first[0]
    width = min(last[1] + 1, len(rows[0]) if rows else 0) - first[1]
    allowance.take(max(height, 0) * max(width, 0))
    return [value for row in rows[first[0] : last[0] + 1] for value in row[first[1] : last[1] + 1]]
