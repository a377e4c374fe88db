"""Cells by address: the sheets of a workbook that passed the gate, and of a table that came as text.

calamine reads; what it drops (errors, formulas without a stored result, number formats, ticked date systems) is
looked up in the sheet's own XML, and only where something of the kind is there. No meaning is read here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from pipelines.intake.gate import (
    Package,
    Refused,
    column_letters,
    column_number,
    inspect_sheet,
    walk_xml,
)
from pipelines.intake.limits import DEFAULT_LIMITS, Limits
from pipelines.intake.sums import Allowance, plain_sum
from pipelines.intake.template_mark import mark_in
from pipelines.intake.values import CellProblem, ComputedSum
from pipelines.text_tables import DecodedText, delimiter_of

Merge = tuple[int, int, int, int]  # first row, first column, last row, last column, all from 0

_DATE_1904 = re.compile(rb"""date1904\s*=\s*["'](?:1|true)["']""")
_FORMULA_WITHOUT_RESULT = re.compile(
    rb"</(?:\w+:)?f>\s*(?:<(?:\w+:)?v\s*(?:/>|>\s*</(?:\w+:)?v>)\s*)?</(?:\w+:)?c>|<(?:\w+:)?f(?:\s[^>]*)?/>\s*</(?:\w+:)?c>"
)
_ROUNDS_OF_SUMS = 2
_ERROR_CELL = re.compile(rb"""\st\s*=\s*["']e["']""")
_TEXT_RESULT = re.compile(rb"""[^>]*\st=["']str["'][^>]*>""")
_ADDRESS = re.compile(r"([A-Z]+)(\d+)")
_PERCENT_FORMATS = frozenset({"9", "10"})
DELIMITED_SHEET = "csv"  # a CSV has no sheet name; line ids need one


@dataclass(slots=True)
class Sheet:
    """One sheet: rows of values from A1 on, as calamine gives them ('' is blank), and its merged ranges.

    Errors and formulas without a result stand in the rows as `CellProblem`.
    """

    name: str
    rows: list[list[Any]]
    merges: list[Merge]
    is_hidden: bool = False
    is_delimited: bool = False
    part: bytes = b""
    styles: bytes = b""
    _percent_cells: frozenset[str] | None = field(default=None)

    def is_percent_cell(self, cell: str) -> bool:
        """Whether a cell's number format shows it as a percentage (0.4 as 40 %). Looked up when first asked."""
        if self._percent_cells is None:
            self._percent_cells = _percent_cells(self.part, self.styles) if self.part else frozenset()
        return cell in self._percent_cells


class Workbook:
    """An open workbook. Sheets are read one by one, when asked for."""

    def __init__(self, package: Package, limits: Limits = DEFAULT_LIMITS) -> None:
        """Open it. Raises `Refused` (G01, G02) where the library cannot."""
        try:
            self._book = CalamineWorkbook.from_filelike(io.BytesIO(package.content))
        except PasswordError:
            raise Refused("G02") from None
        except (CalamineError, ValueError, OSError) as problem:
            # what the library raises for a package that is none it can read
            raise Refused("G01", kind="damaged", given=str(problem)[:120]) from None
        self._package = package
        self._limits = limits
        self.is_1904 = _DATE_1904.search(package.parts.get("xl/workbook.xml", b"")) is not None
        self.is_template = bool(mark_in(package.parts.get("xl/workbook.xml", b"")))
        self.names: list[str] = []
        self._hidden: set[str] = set()
        for sheet in self._book.sheets_metadata:
            if sheet.typ == SheetTypeEnum.WorkSheet:
                self.names.append(sheet.name)
                if sheet.visible != SheetVisibleEnum.Visible:
                    self._hidden.add(sheet.name)
        self._all_names = list(self._book.sheet_names)
        self._expect_own_parts()

    def _expect_own_parts(self) -> None:
        """Every sheet has a part of its own: a small file could else name one large part thousands of times.

        Raises `Refused` (G06).
        """
        targets = [target for target in self._targets().values() if target]
        if len(targets) != len(set(targets)):
            twice = next(target for target in targets if targets.count(target) > 1)
            raise Refused("G06", what="shared_part", given=twice)

    def _targets(self) -> Mapping[int, str]:
        parts = self._package.parts
        return _sheet_parts(
            parts.get("xl/workbook.xml", b"<w/>"), parts.get("xl/_rels/workbook.xml.rels", b"<r/>")
        )

    def sheet(self, name: str) -> Sheet:
        """Read one sheet, hidden or not. Raises `Refused`: G05 by the gate, G01 where the library cannot."""
        part = self._part_of(name)
        inspect_sheet(part, name, self._limits)
        try:
            found: CalamineSheet = self._book.get_sheet_by_name(name)
            rows = found.to_python(skip_empty_area=False)
            merges = found.merged_cell_ranges or ()
        except (CalamineError, ValueError, OSError) as problem:
            raise Refused("G01", kind="damaged", given=f"{name}: {problem}"[:120]) from None
        return Sheet(
            name=name,
            rows=rows,
            merges=[(first[0], first[1], last[0], last[1]) for first, last in merges],
            is_hidden=name in self._hidden,
            part=part,
            styles=self._package.parts.get("xl/styles.xml", b""),
        )

    def look_closer(self, sheet: Sheet) -> None:
        """Put into a sheet's rows what calamine left out: errors, and formulas that nobody has computed.

        Costs a search through the sheet's bytes, and a second parse only if the search finds one.
        """
        part = sheet.part
        if (b"#" in part and _ERROR_CELL.search(part)) or (  # every error value begins with #
            b"f>" in part and _has_formula_without_result(part)
        ):
            problems = list(_problems(part))
            for row, column, problem in problems:
                _put(sheet.rows, row, column, problem)
            # a sum may add sums: each round knows those of the round before
            allowance = Allowance()
            for _ in range(_ROUNDS_OF_SUMS):
                for row, column, problem in problems:
                    if not problem.is_error and sheet.rows[row][column] == problem:
                        _put_sum(sheet.rows, row, column, problem, allowance)

    def _part_of(self, name: str) -> bytes:
        """The XML of a sheet, by workbook.xml and its relations. Raises `Refused` (G01) if they lead nowhere."""
        part = self._package.parts.get(self._targets().get(self._all_names.index(name), ""))
        if part is None:
            raise Refused("G01", kind="damaged", given=name)
        return part


def read_delimited(table: DecodedText, limits: Limits = DEFAULT_LIMITS) -> Sheet:
    """A CSV as one sheet named `csv`. Raises `Refused` (G05, G01) for too many rows or columns, or stray quotes."""
    rows: list[list[Any]] = []
    try:
        for row in csv.reader(
            io.StringIO(table.text, newline=""), delimiter=delimiter_of(table.text), strict=True
        ):
            if len(row) > limits.columns and any(row[limits.columns :]):
                raise Refused(
                    "G05",
                    what="far_cell",
                    given=f"{column_letters(len(row))}{len(rows) + 1}",
                    size=len(row),
                    limit=f"{column_letters(limits.columns)}{limits.rows}",
                )
            rows.append(list(row))
            if len(rows) > limits.rows:
                raise Refused(
                    "G05",
                    what="far_cell",
                    given=f"A{len(rows)}",
                    size=len(rows),
                    limit=f"{column_letters(limits.columns)}{limits.rows}",
                )
    except csv.Error as problem:
        raise Refused("G01", kind="damaged_text", given=str(problem)) from None
    width = max((len(row) for row in rows), default=0)
    for row in rows:
        row.extend([""] * (width - len(row)))
    return Sheet(DELIMITED_SHEET, rows, [], is_delimited=True)


def _put(rows: list[list[Any]], row: int, column: int, problem: CellProblem) -> None:
    """Set a cell that calamine's used range may not reach; the gate has bounded how far that can be."""
    width = max(column + 1, len(rows[0]) if rows else 0)
    while len(rows) <= row:
        rows.append([""] * width)
    if len(rows[row]) < width:
        for one in rows:
            one.extend([""] * (width - len(one)))
    if rows[row][column] == "":
        rows[row][column] = problem


def _put_sum(
    rows: list[list[Any]], row: int, column: int, problem: CellProblem, allowance: Allowance
) -> None:
    """What a formula that is nothing but a sum comes to, in place of the problem."""
    result = plain_sum(problem.given, rows, allowance)
    if result == "":
        rows[row][column] = ""
    elif isinstance(result, float):
        rows[row][column] = ComputedSum(problem.given, result)


def _has_formula_without_result(part: bytes) -> bool:
    """Whether some formula has no result beside it; an empty text is a result (as IF(A1="","",...) has it)."""
    for match in _FORMULA_WITHOUT_RESULT.finditer(part):
        cell = part.rfind(b"c r=", 0, match.start())
        if cell < 0 or _TEXT_RESULT.match(part, cell, match.start()) is None:
            return True
    return False


def _problems(part: bytes) -> Iterator[tuple[int, int, CellProblem]]:
    """Every error cell and every formula without a stored result: row and column from 0."""
    found: list[tuple[int, int, CellProblem]] = []
    kind = ""
    place = _Place()
    formula: list[str] | None = None
    value: list[str] = []
    collecting: list[str] | None = None

    def on_start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal kind, formula, value, collecting
        match tag.rpartition(":")[2]:
            case "row":
                place.at_row(attributes.get("r", ""))
            case "c":
                place.at_cell(attributes.get("r", ""))
                kind = attributes.get("t", "")
                formula, value = None, []
            case "f":
                formula = collecting = []
            case "v":
                collecting = value

    def on_text(text: str) -> None:
        if collecting is not None:
            collecting.append(text)

    def on_end(tag: str) -> None:
        nonlocal collecting
        match tag.rpartition(":")[2]:
            case "f" | "v":
                collecting = None
            case "c":
                shown = "".join(value)
                row, column = place.row, place.column
                if kind == "e":
                    found.append((row, column, CellProblem(shown or "#ERROR", True)))
                elif formula is not None and not shown and kind != "str":
                    found.append((row, column, CellProblem("=" + "".join(formula), False)))

    walk_xml(part, on_start, on_end, on_text)
    yield from found


class _Place:
    """Where one is in a sheet, from 0: by the address of a row or cell, or one further where it bears none."""

    def __init__(self) -> None:
        self.row = self.column = -1

    def at_row(self, number: str) -> None:
        self.row = int(number) - 1 if number.isdecimal() and len(number) < 8 else self.row + 1
        self.column = -1

    def at_cell(self, address: str) -> None:
        match = _ADDRESS.fullmatch(address.upper())
        if match is None:
            self.column += 1
        else:
            self.row, self.column = int(match[2]) - 1, column_number(match[1]) - 1

    def __str__(self) -> str:
        return f"{column_letters(self.column + 1)}{self.row + 1}"


def _elements(data: bytes, *names: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Elements of the names given, with attributes, in document order, whatever their prefix."""
    found: list[tuple[str, dict[str, str]]] = []

    def on_start(tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(":")[2]
        if kind in names:
            found.append((kind, attributes))

    walk_xml(data, on_start)
    yield from found


@lru_cache(maxsize=64)
def _sheet_parts(workbook: bytes, relations: bytes) -> Mapping[int, str]:
    """Position of a sheet in the workbook -> lower-case name of its part. Files of one template share the answer."""
    targets: dict[str, str] = {}
    for _, attributes in _elements(relations, "Relationship"):
        target = attributes.get("Target", "").lower()
        targets[attributes.get("Id", "")] = target[1:] if target.startswith("/") else f"xl/{target}"
    found: dict[int, str] = {}
    for index, (_, attributes) in enumerate(_elements(workbook, "sheet")):
        relation = next((held for key, held in attributes.items() if key.rpartition(":")[2] == "id"), "")
        found[index] = targets.get(relation, "")
    return found


def _percent_cells(part: bytes, styles: bytes) -> frozenset[str]:
    """Addresses of the cells whose style shows a percentage."""
    custom: set[str] = set()
    percent_styles: set[str] = set()
    inside_cell_formats = False
    index = 0
    for kind, attributes in _style_elements(styles):
        if kind == "numFmt":
            if "%" in attributes.get("formatCode", ""):
                custom.add(attributes.get("numFmtId", ""))
        elif kind in ("cellXfs", "/cellXfs"):
            inside_cell_formats = kind == "cellXfs"
        elif inside_cell_formats:
            number_format = attributes.get("numFmtId", "")
            if number_format in _PERCENT_FORMATS or number_format in custom:
                percent_styles.add(str(index))
            index += 1
    if not percent_styles:
        return frozenset()
    place = _Place()
    found: set[str] = set()
    for kind, attributes in _elements(part, "row", "c"):
        if kind == "row":
            place.at_row(attributes.get("r", ""))
            continue
        place.at_cell(attributes.get("r", ""))
        if attributes.get("s") in percent_styles:
            found.add(str(place))
    return frozenset(found)


def _style_elements(styles: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """numFmt and xf elements, with the beginning and the end of cellXfs marked."""
    found: list[tuple[str, dict[str, str]]] = []

    def on_start(tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(":")[2]
        if kind in ("numFmt", "cellXfs", "xf"):
            found.append((kind, attributes))

    def on_end(tag: str) -> None:
        if tag.rpartition(":")[2] == "cellXfs":
            found.append(("/cellXfs", {}))

    walk_xml(styles or b"<s/>", on_start, on_end)
    yield from found
