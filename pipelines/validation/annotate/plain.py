"""A copy with values only, for staff who look at files of others: nothing in it computes, links or runs.

A new workbook is written; of the file only what its cells show is taken over, with widths and number formats so that
it can be read. Sheets that were hidden are shown and say so.
"""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from pipelines.review_sheet import Language, cell_text, is_review_sheet_name, say
from pipelines.validation.annotate.book import Book, SheetEntry, relations
from pipelines.validation.annotate.contents import Content, each_cell, shared_strings
from pipelines.validation.annotate.copy import BEGINS_A_FORMULA, ZIP_MAGIC, text_rows, text_workbook
from pipelines.validation.annotate.markup import Element, elements, parse
from pipelines.validation.annotate.notes import comment_texts
from pipelines.validation.annotate.package import Package
from pipelines.validation.annotate.review import RECORD_COLUMN
from pipelines.validation.annotate.sheets import address_of

MOST_CELLS = 400_000
MOST_ROWS, MOST_COLUMNS = 50_000, 300
_MOST_COMMENTS = 5_000
_MOST_FORMATS = 400
_LONGEST_FORMAT = 255
_LONGEST_NAME = 31  # of a sheet
_UNFIT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\", "_"))
_WIDTH_OF_EDGES = 0.71  # that XlsxWriter adds to what is asked of it
_DATE = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # so that the same file gives the same bytes


def values_only_copy(content: bytes, *, language: Language = "zh") -> bytes:
    """What the cells of a file show, as a new workbook; a first sheet says what was left out.

    `content` must have passed the gate. Formulas give way to their stored results (one that nobody has computed is
    blank), errors to their text. Cells beyond row 50,000 or column KN and beyond 400,000 in all are counted and
    left out. Comments come as a list on the last sheet. The same bytes give the same bytes. Raises CannotAnnotate
    where a part of the package cannot be read.
    """
    base = content if content.startswith(ZIP_MAGIC) else text_workbook(text_rows(content))
    return _Copy(Book(Package(base)), language).write()


class _Copy:
    def __init__(self, book: Book, language: Language) -> None:
        self.book = book
        self.language = language
        self.strings = shared_strings(book)
        self.number_formats = _number_formats(book)
        self.buffer = io.BytesIO()
        self.workbook = xlsxwriter.Workbook(
            self.buffer,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "date_1904": _is_1904(book),
            },
        )
        self.workbook.set_properties({"created": _DATE})
        self.formats: dict[tuple[Any, bool], Any] = {}
        self.names: set[str] = set()
        self.cell_count = 0

    def write(self) -> bytes:
        front = self.workbook.add_worksheet(self._name(say(self.language, "values_only", "sheet_name")))
        rows: list[tuple[str, str, int, int, int, int]] = []
        comments: list[tuple[str, str, str, str]] = []
        for entry in self.book.sheets:
            if entry.kind == "worksheet" and entry.part:
                rows.append(self._sheet(entry))
                comments += self._comments(entry, _MOST_COMMENTS - len(comments))
        self._front(front, rows)
        if comments:
            self._comment_sheet(comments)
        self.workbook.close()
        return self.buffer.getvalue()

    def _sheet(self, entry: SheetEntry) -> tuple[str, str, int, int, int, int]:
        """One sheet, written; gives its name, its state, and how many formulas, links, cells and cells left out."""
        data = self.book.package.read(entry.part)
        mark = "" if entry.state == "visible" else say(self.language, "values_only", "hidden")
        page = self.workbook.add_worksheet(self._name(cell_text(entry.name), mark))
        is_ours = is_review_sheet_name(entry.name)  # its hidden column speaks to the next annotation only
        formulas = links = values = left_out = 0
        widths: list[tuple[int, int, float]] = []

        def on_element(local: str, attributes: dict[str, str]) -> None:
            nonlocal links
            if local == "hyperlink":
                links += 1
            elif local == "col" and len(widths) < MOST_COLUMNS:
                first, last, width = (attributes.get(name, "") for name in ("min", "max", "width"))
                if first.isdecimal() and last.isdecimal() and _is_number(width):
                    widths.append((int(first), min(int(last), MOST_COLUMNS), min(float(width), 255.0)))

        def on_cell(cell: Content) -> None:
            nonlocal formulas, values, left_out
            formulas += cell.is_formula
            row, column = cell.place
            if cell.text == "" or (is_ours and column >= RECORD_COLUMN):
                return
            if row > MOST_ROWS or column > MOST_COLUMNS or self.cell_count >= MOST_CELLS or row < 1:
                left_out += 1
                return
            values += 1
            self.cell_count += 1
            self._cell(page, row - 1, column - 1, cell)

        elements(data, on_element)
        for first, last, width in widths:
            if 1 <= first <= last:
                page.set_column(first - 1, last - 1, max(width - _WIDTH_OF_EDGES, 0.5))
        each_cell(data, self.strings, on_cell)
        state = {"hidden": "is_hidden", "veryHidden": "is_very_hidden"}.get(entry.state, "visible")
        return page.get_name(), state, formulas, links, values, left_out

    def _cell(self, page: Any, row: int, column: int, cell: Content) -> None:
        if cell.kind == "n" and _is_number(cell.text):
            page.write_number(row, column, float(cell.text), self._format(cell.format))
        elif cell.kind == "b":
            page.write_boolean(row, column, cell.text.strip() in ("1", "true"))
        else:
            self._text(page, row, column, cell.text)

    def _text(self, page: Any, row: int, column: int, text: str, more: str = "") -> None:
        """A text that stays one, also when somebody edits the cell and presses Enter."""
        clean = cell_text(text)
        key = (f"text {more}", clean.startswith(BEGINS_A_FORMULA))
        if key not in self.formats:
            properties: dict[str, Any] = {"quote_prefix": True} if key[1] else {}
            if more == "wrap":
                properties |= {"text_wrap": True, "valign": "top"}
            elif more == "bold":
                properties |= {"bold": True}
            self.formats[key] = self.workbook.add_format(properties) if properties else None
        page.write_string(row, column, clean, self.formats[key])

    def _format(self, number: int) -> Any:
        code = self.number_formats.get(number)
        if code is None:
            return None
        key = (code, False)
        if key not in self.formats:
            if len(self.formats) >= _MOST_FORMATS:
                return None
            self.formats[key] = self.workbook.add_format({"num_format": code})
        return self.formats[key]

    def _name(self, name: str, mark: str = "") -> str:
        """A name that a sheet may have and that none has yet."""
        clean = " ".join(name.translate(_UNFIT_IN_NAMES).split()).strip("'") or "Sheet"
        if clean.casefold() == "history":  # Excel keeps this name for itself
            clean += "_"
        number = 1
        ending = mark
        while True:
            made = clean[: _LONGEST_NAME - len(ending)].rstrip("' ") + ending
            if made.casefold() not in self.names:
                self.names.add(made.casefold())
                return made
            number += 1
            ending = f" ({number}){mark}"

    def _comments(self, entry: SheetEntry, most: int) -> list[tuple[str, str, str, str]]:
        package = self.book.package
        found: list[tuple[str, str, str, str]] = []
        for relation in relations(package, entry.part):
            if relation.kind == "comments" and package.has(relation.target):
                for place, author, text in comment_texts(package.read(relation.target)):
                    found.append((entry.name, address_of(place), author, text))
        return found[: max(most, 0)]

    def _comment_sheet(self, comments: list[tuple[str, str, str, str]]) -> None:
        page = self.workbook.add_worksheet(self._name(say(self.language, "values_only", "comments")))
        heads = (
            say(self.language, "heads", "sheet"),
            say(self.language, "heads", "cell"),
            say(self.language, "values_only", "author"),
            say(self.language, "values_only", "text"),
        )
        for column, (head, width) in enumerate(zip(heads, (24, 10, 20, 90), strict=True)):
            page.set_column(column, column, width)
            self._text(page, 0, column, head, "bold")
        for row, comment in enumerate(comments, start=1):
            for column, text in enumerate(comment):
                self._text(page, row, column, text, "wrap")

    def _front(self, page: Any, rows: list[tuple[str, str, int, int, int, int]]) -> None:
        page.set_column(0, 0, 40)
        page.set_column(1, 5, 14)
        self._text(page, 0, 0, say(self.language, "values_only", "title"), "bold")
        page.merge_range(1, 0, 1, 5, "")
        page.set_row(1, 48)
        self._text(page, 1, 0, say(self.language, "values_only", "what"), "wrap")
        heads = ("sheets", "state", "formulas", "links", "values", "left_out")
        for column, head in enumerate(heads):
            self._text(page, 3, column, say(self.language, "values_only", head), "bold")
        for number, (name, state, *counts) in enumerate(rows, start=4):
            self._text(page, number, 0, name)
            self._text(page, number, 1, say(self.language, "values_only", state))
            for column, count in enumerate(counts, start=2):
                page.write_number(number, column, count)


def _number_formats(book: Book) -> dict[int, Any]:
    """What each cell format shows numbers as: the code, or the number of one that all programs know."""
    part = book.related("styles")
    if not part:
        return {}
    root = parse(book.package.read(part))
    codes: dict[str, str] = {}
    for element in _below(root, "numFmts"):
        codes[element.attributes.get("numFmtId", "")] = element.attributes.get("formatCode", "")
    found: dict[int, Any] = {}
    for number, element in enumerate(_below(root, "cellXfs")):
        given = element.attributes.get("numFmtId", "0")
        code = codes.get(given, "")
        if code and len(code) <= _LONGEST_FORMAT and code == cell_text(code):
            found[number] = code
        elif given.isdecimal() and 0 < int(given) < 50 and given not in codes:
            found[number] = int(given)
    return found


def _below(root: Element, name: str) -> list[Element]:
    section = root.first(name)
    return section.children if section is not None else []


def _is_1904(book: Book) -> bool:
    properties = book.root.first("workbookPr")
    return properties is not None and properties.attributes.get("date1904", "") in ("1", "true")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
