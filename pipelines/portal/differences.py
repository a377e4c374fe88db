"""What changed from one version of a return to the next, figure by figure.

Rows are matched by what they are about (item and partner, contract, affiliate), not by where they stand: a row
inserted at the top changes nothing below it. Pure; the cells come from the lines store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A cell of the lines store as a mapping of records.LINE_COLUMNS.
Cell = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A cell in a version: where it stands and what was typed there."""

    sheet: str
    cell: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that is not the same: what it is about, and both values; None where a version has none.

    section  head, row or total
    key      the business object of a row: its codes and names; empty elsewhere
    """

    form_code: str
    section: str
    key: tuple[str, ...]
    field: str
    old: Place | None
    new: Place | None


_Row = tuple[str, str, tuple[str, ...], int]


def differences(
    old: Iterable[Cell], new: Iterable[Cell], key_fields: Mapping[str, Sequence[str]]
) -> list[Difference]:
    """Every cell whose meaning differs, in the order of the newer version; what is gone comes last.

    `key_fields` gives the fields that name a row, by form. Two cells mean the same when their state and their
    number (or code, day, text) are the same: 1,260 and 1260.0 are no change.
    """
    before, after = _by_meaning(old, key_fields), _by_meaning(new, key_fields)
    found = []
    for name, cell in after.items():
        was = before.get(name)
        if was is None or _value(was) != _value(cell):
            found.append(_difference(name, was, cell))
    found += [_difference(name, cell, None) for name, cell in before.items() if name not in after]
    return found


def _by_meaning(
    cells: Iterable[Cell], key_fields: Mapping[str, Sequence[str]]
) -> dict[tuple[_Row, str], Cell]:
    rows: dict[tuple[str, str, str, int], list[Cell]] = {}
    for cell in cells:
        row_number = cell["row_number"] if cell["section"] == "row" else 0
        rows.setdefault((cell["form_code"], cell["sheet"], cell["section"], row_number), []).append(cell)
    found: dict[tuple[_Row, str], Cell] = {}
    seen: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for (form_code, _, section, _), of_row in rows.items():
        key: tuple[str, ...] = ()
        if section == "row":
            by_field = {cell["field"]: cell for cell in of_row}
            key = tuple(
                str(_value(by_field[name])[1]) for name in key_fields.get(form_code, ()) if name in by_field
            )
        # The same item and partner twice on a sheet: the first is the first, the second the second.
        repetition = seen.get((form_code, section, key), 0)
        seen[form_code, section, key] = repetition + 1
        for cell in of_row:
            found[(form_code, section, key, repetition), cell["field"]] = cell
    return found


def _value(cell: Cell) -> tuple[str, Any]:
    for column in ("number", "code", "day"):
        if cell[column] is not None:
            return cell["state"], cell[column]
    return cell["state"], cell["text"]


def _difference(name: tuple[_Row, str], old: Cell | None, new: Cell | None) -> Difference:
    (form_code, section, key, _), field = name
    return Difference(form_code, section, key, field, _place(old), _place(new))


def _place(cell: Cell | None) -> Place | None:
    return None if cell is None else Place(cell["sheet"], cell["cell"], cell["text"] or "")
