"""Which form a sheet is, where its head fields stand, and which column is which.

Shape only: labels are found wherever they stand, across merged and two-row heads, inserted rows and columns.
What the cells mean is `parse`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any

from pipelines.intake.gate import column_letters
from pipelines.intake.layouts import Field, FormLayout, LayoutBook, form_key
from pipelines.intake.values import EMPTY_BOXES, TICKS, label_key, plain
from pipelines.intake.workbook import Merge, Sheet
from pipelines.money import Unit, parse_unit
from pipelines.periods import Period

_TEXTS_REMEMBERED = 16_384
CODES_REMEMBERED = 16_384  # texts of one field; what a hostile file sends must not fill memory
_LONGEST_LABEL = 60  # a longer text is a sentence, not a label
_LONGEST_HEAD_TEXT = 400  # several labels with their values in one cell; a longer text is an instruction
_HEADS_REMEMBERED = 256
_MOST_ROWS_ABOVE_NUMBER = 2  # title and subtitle
_MOST_FORMS_ON_A_SHEET = 16
_TRAILING_BRACKET = re.compile(r"[(\[]([^()\[\]]*)[)\]]$")
_UNIT_BRACKET = re.compile(r"[(（\[]([^()（）\[\]]*)[)）\]]\s*$")
_BRACKETS_WITHOUT_MEANING = frozenset({"%", "必填", "选填", "可选", "required", "optional"})
_LEADING_BOX = re.compile(rf"^([{''.join(TICKS | EMPTY_BOXES)}])(.+)$")


@dataclass(frozen=True, slots=True)
class HeadCell:
    """A head field as found: its value (None for blank) and where that stands, rows and columns from 0."""

    value: Any
    row: int
    column: int


@dataclass(slots=True)
class Scan:
    """What the top of a sheet shows, whatever form it is."""

    head: dict[str, HeadCell] = field(default_factory=dict)
    head_row: int | None = None
    title_form: str = ""
    loose_unit: tuple[Unit, int, int] | None = None

    @property
    def form_text(self) -> str:
        """表号 as written; empty if there is none."""
        found = self.head.get("form_code")
        return found.value if found is not None and isinstance(found.value, str) else ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table: position from 0, its letters, its field, and what its head says."""

    index: int
    letters: str
    field: Field
    head_text: str
    head_row: int


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The columns of one table. Rows are counted from the first head row, so that a map serves many files."""

    columns: tuple[Column, ...]
    head_rows: int
    missing: tuple[Field, ...]
    doubled: tuple[tuple[Field, tuple[int, ...]], ...]
    unknown: tuple[tuple[int, str], ...]
    match_count: int


class Recogniser:
    """Recognises sheets by one book of layouts. Remembers texts and heads, which repeat from file to file."""

    def __init__(self, book: LayoutBook) -> None:
        self.book = book
        self._labels_in_text = _label_pattern(book.head_index)
        self._names = sorted(book.form_of_name, key=len, reverse=True)
        self._maps: dict[Any, ColumnMap] = {}
        self._row_kinds: dict[str, str] = {}
        self.head_memory: dict[Any, tuple[Period | None, Unit | None, str, str | None, date | None]] = {}
        self.agreed_names: set[tuple[Any, Any]] = set()
        self._codes: dict[int, tuple[Field, dict[str, str]]] = {}
        self.head_facts = lru_cache(maxsize=_TEXTS_REMEMBERED)(self._head_facts)
        self._text_facts = lru_cache(maxsize=_TEXTS_REMEMBERED)(self._read_text)

    def known_codes(self, field_: Field) -> dict[str, str]:
        """Texts that this field has been read from without any leniency, with their codes."""
        held = self._codes.get(id(field_))
        if held is None:  # the field is held beside, so that its id stays its own
            held = self._codes[id(field_)] = (field_, {})
        return held[1]

    def remember_name(self, pair: tuple[Any, Any]) -> None:
        """A code and a name, as written, that agree."""
        if len(self.agreed_names) >= _TEXTS_REMEMBERED:
            self.agreed_names.clear()
        self.agreed_names.add(pair)

    def row_kind(self, lead: str) -> str:
        """What a row is by its first text: total, subtotal, note, end (the foot), ruler, or a line ('')."""
        kind = self._row_kinds.get(lead)
        if kind is None:
            if len(self._row_kinds) >= _TEXTS_REMEMBERED:
                self._row_kinds.clear()
            kind = self._row_kinds[lead] = self._kind_of_row(label_key(lead))
        return kind

    def _kind_of_row(self, key: str) -> str:
        general = self.book.general
        if key in general.totals:
            return "total"
        if key in general.subtotals:
            return "subtotal"
        if key in general.rulers:
            return "ruler"
        if key.startswith(general.ends):
            return "end"
        if key.startswith(general.notes):
            return "note"
        return ""

    # Sheets ---------------------------------------------------------------------------------------------------

    def scan(self, sheet: Sheet) -> Scan:
        """Read head fields from the top down to the head row of a table, or to the end where there is none."""
        scan = Scan()
        self._scan_rows(sheet.rows, 0, len(sheet.rows), scan, is_above_table=True)
        return scan

    def scan_below(self, sheet: Sheet, scan: Scan, first_row: int) -> None:
        """Read head fields that somebody moved below the table; what the head has stays."""
        self._scan_rows(sheet.rows, first_row, len(sheet.rows), scan, is_above_table=False)

    def _scan_rows(
        self, rows: list[list[Any]], first: int, last: int, scan: Scan, *, is_above_table: bool
    ) -> None:
        text_facts = self._text_facts
        head = scan.head
        for index in range(first, last):
            row = rows[index]
            words: set[str] = set()
            label_words: set[str] = set()
            facts_of_row: list[tuple[int, tuple[tuple[str, str | None], ...]]] = []
            for column, value in enumerate(row):
                if type(value) is not str or not value:
                    continue
                word, facts, form, unit = text_facts(value)
                if facts:
                    facts_of_row.append((column, facts))
                    if word:
                        label_words.add(word)
                elif word:
                    words.add(word)
                if form and not scan.title_form:
                    scan.title_form = form
                if unit is not None and scan.loose_unit is None and is_above_table:
                    scan.loose_unit = (unit, index, column)
            if is_above_table and len(words) >= 2 and len(words) + len(label_words) >= 3:
                scan.head_row = index
                return
            for column, facts in facts_of_row:
                for name, rest in facts:
                    if name in head and head[name].value is not None:
                        continue
                    if rest is not None:
                        head[name] = HeadCell(rest, index, column)
                    else:
                        head[name] = self._value_beside(row, index, column)

    def _value_beside(self, row: list[Any], index: int, column: int) -> HeadCell:
        for right in range(column + 1, len(row)):
            value = row[right]
            if value == "" or (type(value) is str and value.isspace()):
                continue
            if type(value) is str and self._text_facts(value)[1]:
                break
            return HeadCell(value, index, right)
        return HeadCell(None, index, column + 1)

    def form_of(self, sheet: Sheet, scan: Scan) -> str:
        """The form a sheet is, by 表号, then title, then the sheet's name, then its columns; empty for none."""
        if scan.form_text:
            return self.form_of_code(scan.form_text)
        has_body = scan.head_row is not None or len(scan.head) >= 3
        if scan.title_form and has_body:
            return scan.title_form
        named = self.book.form_of_name.get(label_key(sheet.name), "")
        if named and has_body:
            return named
        return self._form_by_columns(sheet, scan)

    def form_of_code(self, text: str) -> str:
        """FM-2 for FM-2, fm2, 表号 FM—2表; empty if no layout has it."""
        key = form_key(text)
        return self.book.form_of_code.get(key, "")

    def _form_by_columns(self, sheet: Sheet, scan: Scan) -> str:
        if scan.head_row is None:
            return ""
        best, best_count = "", 0
        for layout in self.book.layouts:
            if not layout.columns:
                continue
            found = self.columns(sheet, layout, scan.head_row)
            if not found.missing and found.match_count > best_count:
                best, best_count = layout.form_code, found.match_count
        return best

    def further_forms(self, sheet: Sheet) -> list[int]:
        """Rows from 0 at which further forms begin on a sheet, each with a form number of its own; empty for most.

        A sheet with more numbers than there could be forms (a list of forms) is left in one piece.
        """
        rows = sheet.rows
        numbered = [
            index
            for index, row in enumerate(rows)
            if any(
                type(value) is str and "号" in value and self._numbers_form(row, index, value)
                for value in row
            )
        ]
        if len(numbered) > _MOST_FORMS_ON_A_SHEET:
            return []
        starts: list[int] = []
        for before, index in pairwise(numbered):
            start = index
            while (
                start - 1 > before
                and index - start < _MOST_ROWS_ABOVE_NUMBER
                and _is_caption(rows[start - 1])
            ):
                start -= 1
            starts.append(start)
        return starts

    def form_beside(self, sheet: Sheet, scan: Scan, form_code: str) -> HeadCell | None:
        """The number of another form in the row that numbers this one: two forms side by side."""
        own = scan.head.get("form_code")
        if own is None:
            return None
        row = sheet.rows[own.row]
        for column, value in enumerate(row):
            if type(value) is str and "号" in value:
                other = self._numbers_form(row, own.row, value)
                if other and other != form_code:
                    return HeadCell(other, own.row, column)
        return None

    def _numbers_form(self, row: list[Any], index: int, text: str) -> str:
        for name, rest in self.head_facts(text):
            if name == "form_code":
                value = rest or self._value_beside(row, index, row.index(text)).value
                return self.form_of_code(value) if isinstance(value, str) else ""
        return ""

    # Texts ----------------------------------------------------------------------------------------------------

    def _read_text(self, text: str) -> tuple[str, tuple[tuple[str, str | None], ...], str, Unit | None]:
        """Of one text: its key if it is a word of column heads, its head facts, the form it is the title of, its unit."""
        facts = self.head_facts(text)
        stripped = text.strip()
        if len(stripped) > _LONGEST_LABEL:
            return "", facts, "", None
        key = label_key(text)
        word = ""
        if not stripped.endswith((":", "：")):
            word = next((one for one in _head_spellings(key) if one in self.book.head_words), "")
            if not word and any(
                pattern.label_pattern is not None and pattern.label_pattern.match(key)
                for layout in self.book.layouts
                for pattern in layout.patterned_columns
            ):
                word = key
        form = ""
        if not facts:
            form = next(
                (self.book.form_of_name[name] for name in self._names if key == name or key.endswith(name)),
                "",
            )
        unit = parse_unit(text) if not facts and not word and len(stripped) <= 16 else None
        return word, facts, form, unit

    def _head_facts(self, text: str) -> tuple[tuple[str, str | None], ...]:
        """Head fields that a text names, each with the value written behind its label in the same cell, or None."""
        if len(text) > _LONGEST_HEAD_TEXT:
            return ()
        index = self.book.head_index
        key = label_key(text)
        if key in index:
            return ((index[key], None),)
        box = _LEADING_BOX.match(text.strip())
        if box and label_key(box[2]) in index:
            return ((index[label_key(box[2])], box[1]),)
        folded = unicodedata.normalize("NFKC", text)
        if ":" not in folded:
            return ()
        found = list(self._labels_in_text.finditer(folded))
        facts: list[tuple[str, str | None]] = []
        for position, match in enumerate(found):
            end = found[position + 1].start() if position + 1 < len(found) else len(folded)
            rest = folded[match.end() : end].strip(" \t\r\n;,、")
            facts.append((index[label_key(match[1])], rest or None))
        return tuple(facts)

    # Columns --------------------------------------------------------------------------------------------------

    def columns(self, sheet: Sheet, layout: FormLayout, head_row: int) -> ColumnMap:
        """Which column is which, by the head rows from `head_row` on."""
        rows = sheet.rows
        merges = tuple(merge for merge in sheet.merges if head_row <= merge[0] <= head_row + 4)
        last_row = _last_head_row(rows, merges, layout, head_row)
        key = (layout.path, repr(rows[head_row : last_row + 1]), merges and (head_row, merges))
        known = self._maps.get(key)
        if known is None:
            if len(self._maps) >= _HEADS_REMEMBERED:
                self._maps.clear()
            known = self._maps[key] = _map_columns(rows, merges, layout, head_row, last_row)
        return known


def _is_caption(row: Sequence[Any]) -> bool:
    """Whether a row may be a title above a form's number: one text and nothing else."""
    filled = [value for value in row if value != ""]
    return len(filled) == 1 and type(filled[0]) is str and len(filled[0]) <= _LONGEST_LABEL


def _label_pattern(head_index: Mapping[str, str]) -> re.Pattern[str]:
    """Any head label followed by a colon, with blanks anywhere inside, not in the middle of another word."""
    spellings = sorted((key for key in head_index if key), key=len, reverse=True)
    alternatives = "|".join(r"\s*".join(re.escape(character) for character in key) for key in spellings)
    return re.compile(rf"(?:(?<=^)|(?<=[\s;,、。)]))({alternatives})\s*:", re.IGNORECASE)


@lru_cache(maxsize=_TEXTS_REMEMBERED)
def _head_spellings(key: str) -> tuple[str, ...]:
    """A head as written, and without a bracket at its end that says only a unit, % or 必填."""
    match = _TRAILING_BRACKET.search(key)
    if match and (match[1] in _BRACKETS_WITHOUT_MEANING or parse_unit(match[1]) is not None):
        return (key, key[: match.start()])
    return (key,)


@lru_cache(maxsize=_TEXTS_REMEMBERED)
def unit_in_head(text: str) -> Unit | None:
    """The unit in brackets at the end of a column head: 合同额（万美元）."""
    match = _UNIT_BRACKET.search(plain(text))
    return parse_unit(match[1]) if match else None


def _map_columns(
    rows: Sequence[Sequence[Any]], merges: Sequence[Merge], layout: FormLayout, head_row: int, last_row: int
) -> ColumnMap:
    paths = _head_paths(rows, merges, layout, head_row, last_row)
    columns: list[Column] = []
    unknown: list[tuple[int, str]] = []
    places: dict[str, list[int]] = {}
    for index, path in paths.items():
        found = _field_of_path([key for _, key in path], layout)
        head_text = "".join(text for text, _ in path)
        if found is None:
            unknown.append((index, head_text))
            continue
        places.setdefault(found.name, []).append(index)
        columns.append(Column(index, column_letters(index + 1), found, head_text, 0))
    named = set(places)
    return ColumnMap(
        columns=tuple(columns),
        head_rows=last_row - head_row + 1,
        missing=tuple(
            field
            for field in layout.required_columns
            if field.name not in named and not (field.alternative and field.alternative in named)
        ),
        doubled=tuple(
            (next(field for field in layout.columns if field.name == name), tuple(indexes))
            for name, indexes in places.items()
            if len(indexes) > 1
        ),
        unknown=tuple(unknown),
        match_count=len(named),
    )


def _last_head_row(
    rows: Sequence[Sequence[Any]], merges: Sequence[Merge], layout: FormLayout, head_row: int
) -> int:
    """The last row of the head: under vertical merges, and while rows hold words of second head rows."""
    last = head_row
    for first_row, _, merge_end, _ in merges:
        if first_row == head_row and merge_end - head_row <= 4:
            last = max(last, merge_end)
    if not layout.child_words:
        return last
    row = last + 1 if last > head_row else head_row + 1
    blanks = 0
    while row < min(len(rows), head_row + 7) and blanks <= 3:
        texts = [value for value in rows[row] if value != ""]
        if not texts:
            blanks += 1
        elif all(type(value) is str for value in texts) and any(
            spelling in layout.child_words
            for value in texts
            for spelling in _head_spellings(label_key(value))
        ):
            last, blanks = row, 0
        else:
            break
        row += 1
    return last


def _head_paths(
    rows: Sequence[Sequence[Any]],
    merges: Sequence[Merge],
    layout: FormLayout,
    head_row: int,
    last_row: int,
) -> dict[int, list[tuple[str, str]]]:
    """For each column the texts of its head from top to bottom, with their keys; merged parents fill their width."""
    width = max((len(rows[row]) for row in range(head_row, min(last_row + 1, len(rows)))), default=0)
    paths: dict[int, list[tuple[str, str]]] = {}
    grid: list[list[str]] = []
    for row in range(head_row, last_row + 1):
        values = rows[row] if row < len(rows) else []
        texts = [
            values[c].strip() if c < len(values) and type(values[c]) is str else "" for c in range(width)
        ]
        for first_row, first_column, _, last_column in merges:
            if first_row == row and first_column < width and texts[first_column]:
                for column in range(first_column + 1, min(last_column + 1, width)):
                    texts[column] = texts[column] or texts[first_column]
        if any(texts):  # a blank row inside a head says nothing
            grid.append(texts)
    if len(grid) > 1:
        _fill_lost_parents(grid, layout)
    for column in range(width):
        path: list[tuple[str, str]] = []
        for texts in grid:
            if texts[column] and (not path or path[-1][0] != texts[column]):
                path.append((texts[column], label_key(texts[column])))
        if path:
            paths[column] = path
    return paths


def _fill_lost_parents(grid: list[list[str]], layout: FormLayout) -> None:
    """Where merges were lost on the way, a blank above a second-row word belongs to the parent on its left."""
    for upper, lower in pairwise(grid):
        parent = ""
        for column, text in enumerate(upper):
            if text:
                keys = _head_spellings(label_key(text))
                parent = text if any(key in layout.parent_words for key in keys) else ""
            elif parent and lower[column]:
                if any(key in layout.child_words for key in _head_spellings(label_key(lower[column]))):
                    upper[column] = parent
                else:
                    parent = ""


def _field_of_path(path: Sequence[str], layout: FormLayout) -> Field | None:
    """The field of a head path: parent and child, both run together, then each alone from the bottom."""
    spellings = [_head_spellings(key) for key in path]
    index = layout.column_index
    for lower in range(len(path) - 1, 0, -1):
        for upper in range(lower):
            for parent in spellings[upper]:
                for child in spellings[lower]:
                    found = index.get(f"{parent}/{child}") or index.get(parent + child)
                    if found is not None:
                        return found
    for keys in reversed(spellings):
        for key in keys:
            found = index.get(key)
            if found is not None:
                return found
            for patterned in layout.patterned_columns:
                if patterned.label_pattern is not None and patterned.label_pattern.match(key):
                    return patterned
    return None
