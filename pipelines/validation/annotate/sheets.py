"""One sheet of the clerk's file: where its cells stand, and how they are given another format and nothing else.

The sheet is run through once by expat and patched where it stands: a sheet of any size costs its own bytes twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from pipelines.validation.annotate.markup import (
    Edits,
    local_name,
    namespaces,
    new_parser,
    run,
    tag_end,
    with_attribute,
)
from pipelines.validation.annotate.package import CannotAnnotate

Place = tuple[int, int]  # row and column, from 1

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
_ADDRESS = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9]\d{0,6})")
_MERGED = re.compile(
    rb"<(?:[\w.-]+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']\$?([A-Za-z]{1,3})\$?(\d{1,7}):\$?([A-Za-z]{1,3})\$?(\d{1,7})[\"']"
)
# What comes behind the reference to comments in the order of the schema.
_BEHIND_LEGACY_DRAWING = frozenset(
    {"legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst"}
)  # fmt: skip


def place_of(address: str) -> Place | None:
    """F18 as (18, 6); None for what is no cell of a sheet."""
    match = _ADDRESS.fullmatch(address.strip())
    if match is None:
        return None
    column = 0
    for letter in match[1].upper():
        column = column * 26 + ord(letter) - 64
    row = int(match[2])
    return (row, column) if row <= MOST_ROWS and column <= MOST_COLUMNS else None


def address_of(place: Place) -> str:
    """(18, 6) as F18."""
    row, column = place
    letters = ""
    while column > 0:
        column, remainder = divmod(column - 1, 26)
        letters = chr(65 + remainder) + letters
    return f"{letters}{row}"


@dataclass(slots=True)
class _Tag:
    """A start tag: its name as written, its place, and its attributes."""

    name: str
    start: int
    inside: int
    attributes: dict[str, str]

    @property
    def prefix(self) -> bytes:
        head, colon, _ = self.name.rpartition(":")
        return (head + colon).encode()


@dataclass(slots=True)
class _Row:
    """A row that is to be changed: its tag, the cells in it that are wanted, and where those belong that are not."""

    tag: _Tag
    close: int = 0
    cells: dict[int, _Tag] = field(default_factory=dict)  # by column
    gaps: dict[int, int] = field(
        default_factory=dict
    )  # column that is not there -> before which place it goes


@dataclass(slots=True)
class Layout:
    """Where things stand in one sheet, as far as they are wanted."""

    data: bytes
    root: _Tag | None = None
    root_close: int = 0
    sheet_data: _Tag | None = None
    sheet_data_close: int = 0
    rows: dict[int, _Row] = field(default_factory=dict)
    row_gaps: dict[int, int] = field(
        default_factory=dict
    )  # row that is not there -> before which place it goes
    column_formats: list[tuple[int, int, int]] = field(default_factory=list)
    dimension: _Tag | None = None
    legacy_drawing: _Tag | None = None
    legacy_drawing_end: int = 0
    legacy_drawing_place: int = 0
    views: list[_Tag] = field(default_factory=list)

    @property
    def relations_prefix(self) -> str:
        """The prefix under which the root knows relation ids; empty if it knows none."""
        if self.root is None:
            return ""
        for prefix, address in namespaces(self.data[self.root.start : self.root.inside]).items():
            if prefix and address.endswith("/officeDocument/2006/relationships"):
                return prefix
            if prefix and address == "http://purl.oclc.org/ooxml/officeDocument/relationships":
                return prefix
        return ""


def anchors(data: bytes, places: Collection[Place]) -> dict[Place, Place]:
    """For places inside a merged range the cell that is seen there: the first of the range."""
    found: dict[Place, Place] = {}
    tail = data[max(data.rfind(b"sheetData"), 0) :]
    if b"mergeCell" not in tail:
        return found
    for match in _MERGED.finditer(tail):
        first = place_of((match[1] + match[2]).decode())
        last = place_of((match[3] + match[4]).decode())
        if first is None or last is None:
            continue
        for place in places:
            if first[0] <= place[0] <= last[0] and first[1] <= place[1] <= last[1]:
                found.setdefault(place, first)
    return found


def lay_out(data: bytes, places: Collection[Place] = (), *, is_top_enough: bool = False) -> Layout:
    """Run through a sheet once. Raises CannotAnnotate where it is not well formed.

    With `is_top_enough` only what stands above the cells is looked at: views, columns and the used range.
    """
    layout = Layout(data)
    wanted: dict[int, list[int]] = {}
    for wanted_row, wanted_column in sorted(places):
        wanted.setdefault(wanted_row, []).append(wanted_column)
    missing_rows = sorted(wanted)
    parser = new_parser()
    depth = row_number = column_number = part_start = 0
    row: _Row | None = None
    is_in_cells = False
    missing_columns: list[int] = []
    controls_inside: int | None = None

    def tag_here(name: str, attributes: dict[str, str]) -> _Tag:
        start = parser.CurrentByteIndex
        return _Tag(name, start, tag_end(data, start), attributes)

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, row_number, column_number, row, missing_columns, controls_inside
        depth += 1
        if depth > 3 and row is None and is_in_cells:
            return  # a cell of a row that nobody asked for: nearly all of a sheet is that
        local = local_name(name)
        if local == "c" and depth == 4 and row is not None:
            address = attributes.get("r")
            place = place_of(address) if address else None
            column_number = place[1] if place else column_number + 1
            while missing_columns and missing_columns[0] <= column_number:
                column = missing_columns.pop(0)
                if column == column_number and column not in row.cells:
                    row.cells[column] = tag_here(name, attributes)
                else:
                    row.gaps[column] = parser.CurrentByteIndex
        elif local == "row" and depth == 3:
            given = attributes.get("r", "")
            row_number = int(given) if given.isdecimal() and len(given) < 8 else row_number + 1
            column_number = 0
            while missing_rows and missing_rows[0] < row_number:
                layout.row_gaps[missing_rows.pop(0)] = parser.CurrentByteIndex
            row = None
            if missing_rows and missing_rows[0] == row_number:
                missing_rows.pop(0)
                row = layout.rows[row_number] = _Row(tag_here(name, attributes))
                missing_columns = list(wanted[row_number])
        elif depth == 1:
            layout.root = tag_here(name, attributes)
        elif depth == 2:
            on_part(local, name, attributes)
        elif depth == 3:
            if local == "col":
                first, last = attributes.get("min", ""), attributes.get("max", "")
                if first.isdecimal() and last.isdecimal() and attributes.get("style", "").isdecimal():
                    if len(layout.column_formats) >= MOST_COLUMNS:
                        raise CannotAnnotate("too_large", "columns")
                    layout.column_formats.append((int(first), int(last), int(attributes["style"])))
            elif local == "sheetView":
                layout.views.append(tag_here(name, attributes))
        if local in ("controls", "oleObjects") and controls_inside is None and layout.sheet_data is not None:
            controls_inside = part_start

    def on_part(local: str, name: str, attributes: dict[str, str]) -> None:
        nonlocal part_start, is_in_cells
        part_start = parser.CurrentByteIndex
        if local == "sheetData":
            layout.sheet_data = tag_here(name, attributes)
            is_in_cells = True
        elif local == "dimension":
            layout.dimension = tag_here(name, attributes)
        elif local == "legacyDrawing":
            layout.legacy_drawing = tag_here(name, attributes)
        elif local in _BEHIND_LEGACY_DRAWING and not layout.legacy_drawing_place:
            layout.legacy_drawing_place = part_start

    def on_end(name: str) -> None:
        nonlocal depth, row, is_in_cells
        if depth > 3:
            pass
        elif depth == 3 and row is not None and local_name(name) == "row":
            row.close = _close(data, row.tag, parser.CurrentByteIndex)
            for column in missing_columns:
                row.gaps[column] = row.close
            row = None
        elif depth == 2:
            local = local_name(name)
            if local == "sheetData" and layout.sheet_data is not None:
                layout.sheet_data_close = _close(data, layout.sheet_data, parser.CurrentByteIndex)
                is_in_cells = False
            elif local == "legacyDrawing" and layout.legacy_drawing is not None:
                close = _close(data, layout.legacy_drawing, parser.CurrentByteIndex)
                is_empty = close == layout.legacy_drawing.inside
                layout.legacy_drawing_end = close if is_empty else data.index(b">", close) + 1
        elif depth == 1 and layout.root is not None:
            layout.root_close = _close(data, layout.root, parser.CurrentByteIndex)
        depth -= 1

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    top_end = data.find(b"sheetData") if is_top_enough else -1
    run(parser, data[:top_end] if top_end >= 0 else data, is_whole=top_end < 0)
    for number in missing_rows:
        layout.row_gaps[number] = layout.sheet_data_close
    if controls_inside is not None and not 0 < layout.legacy_drawing_place < controls_inside:
        layout.legacy_drawing_place = controls_inside
    return layout


def _close(data: bytes, tag: _Tag, place: int) -> int:
    """Where an element's end tag begins; behind its only tag if it is written <like/>."""
    return tag.inside if data[tag.inside - 2 : tag.inside] == b"/>" else place


class SheetPatch:
    """Changes to one sheet."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.edits = Edits(layout.data)
        self.widened: tuple[str, str] | None = None  # the used range as it was written, and as it is now

    def colour(self, marks: Mapping[Place, Callable[[int, bool], int | None]]) -> int:
        """Give cells another format: for each place a function from the format in force (and whether the cell is
        new) to the new one, or None to leave it. Gives how many were left. Cells that are not there are made."""
        layout, edits, left = self.layout, self.edits, 0
        if layout.sheet_data is None and marks:
            raise CannotAnnotate("structure", "a sheet without cells")
        gaps: dict[int, list[bytes]] = {}
        new_places: list[Place] = []
        empty_rows: dict[int, list[bytes]] = {}
        new_rows: dict[int, list[tuple[int, bytes]]] = {}
        for place in sorted(marks):
            row_number, column = place
            row = layout.rows.get(row_number)
            cell = row.cells.get(column) if row is not None else None
            format_ = _number(cell.attributes.get("s")) if cell is not None else self._inherited(row, column)
            new = marks[place](format_, cell is None)
            if new is None:
                left += 1
                continue
            if cell is not None:
                tag = layout.data[cell.start : cell.inside]
                edits.replace(cell.start, cell.inside, with_attribute(tag, "s", str(new)))
                continue
            new_places.append(place)
            prefix = row.tag.prefix if row is not None else self._prefix()
            made = b'<%sc r="%s" s="%d"/>' % (prefix, address_of(place).encode(), new)
            if row is None:
                new_rows.setdefault(row_number, []).append((column, made))
            elif row.close == row.tag.inside and layout.data[row.close - 2 : row.close] == b"/>":
                empty_rows.setdefault(row_number, []).append(made)
            else:
                gaps.setdefault(row.gaps[column], []).append(made)
        for place_in_data, made_cells in gaps.items():
            edits.insert(place_in_data, b"".join(made_cells))
        self._widen_spans(new_places, empty_rows)
        self._make_rows(new_rows)
        self._widen_dimension(new_places)
        return left

    def _prefix(self) -> bytes:
        return self.layout.sheet_data.prefix if self.layout.sheet_data is not None else b""

    def _inherited(self, row: _Row | None, column: int) -> int:
        """The format that an absent cell shows: its row's, then its column's."""
        if row is not None and row.tag.attributes.get("customFormat") in ("1", "true"):
            return _number(row.tag.attributes.get("s"))
        for first, last, format_ in self.layout.column_formats:
            if first <= column <= last:
                return format_
        return 0

    def _widen_spans(self, new_places: list[Place], empty_rows: Mapping[int, list[bytes]]) -> None:
        columns: dict[int, list[int]] = {}
        for row_number, column in new_places:
            columns.setdefault(row_number, []).append(column)
        for row_number, made in columns.items():
            row = self.layout.rows.get(row_number)
            if row is None:
                continue
            tag = old = self.layout.data[row.tag.start : row.tag.inside]
            first, _, last = row.tag.attributes.get("spans", "").partition(":")
            if first.isdecimal() and last.isdecimal():
                low, high = min(int(first), *made), max(int(last), *made)
                if (low, high) != (int(first), int(last)):
                    tag = with_attribute(tag, "spans", f"{low}:{high}")
            if row_number in empty_rows:
                name = row.tag.name.encode()
                tag = tag[:-2] + b">" + b"".join(empty_rows[row_number]) + b"</" + name + b">"
            if tag != old:
                self.edits.replace(row.tag.start, row.tag.inside, tag)

    def _make_rows(self, new_rows: Mapping[int, list[tuple[int, bytes]]]) -> None:
        layout, prefix = self.layout, self._prefix()
        made: dict[int, list[bytes]] = {}
        for number in sorted(new_rows):
            cells = b"".join(cell for _, cell in sorted(new_rows[number]))
            made.setdefault(layout.row_gaps[number], []).append(
                b'<%srow r="%d">%s</%srow>' % (prefix, number, cells, prefix)
            )
        sheet_data = layout.sheet_data
        for place, rows in made.items():
            is_empty = layout.data[place - 2 : place] == b"/>" and layout.sheet_data_close == place
            if sheet_data is not None and is_empty and place == sheet_data.inside:
                name = sheet_data.name.encode()
                self.edits.replace(place - 2, place, b">" + b"".join(rows) + b"</" + name + b">")
            else:
                self.edits.insert(place, b"".join(rows))

    def _widen_dimension(self, new_places: list[Place]) -> None:
        dimension = self.layout.dimension
        if dimension is None or not new_places:
            return
        first_text, _, last_text = dimension.attributes.get("ref", "").partition(":")
        first = place_of(first_text)
        last = place_of(last_text or first_text)
        if first is None or last is None:
            return
        low = (min(first[0], *(row for row, _ in new_places)), min(first[1], *(c for _, c in new_places)))
        high = (max(last[0], *(row for row, _ in new_places)), max(last[1], *(c for _, c in new_places)))
        if (low, high) != (first, last):
            new = f"{address_of(low)}:{address_of(high)}"
            self.widened = (dimension.attributes["ref"], new)
            self._set_dimension(dimension, new)

    def _set_dimension(self, dimension: _Tag, value: str) -> None:
        tag = self.layout.data[dimension.start : dimension.inside]
        self.edits.replace(dimension.start, dimension.inside, with_attribute(tag, "ref", value))

    def narrow(self, was: str, now: str) -> None:
        """Put back the used range as it was written, if it is still as the annotation wrote it."""
        dimension = self.layout.dimension
        if dimension is not None and dimension.attributes.get("ref") == now:
            self._set_dimension(dimension, was)

    def refer_to_comments(self, relation_id: str, relations_namespace: str) -> None:
        """Put in the reference to the drawing of the comments, where the schema wants it."""
        layout = self.layout
        known = layout.relations_prefix
        declared = b"" if known else b' xmlns:r="%s"' % relations_namespace.encode()
        made = b'<%slegacyDrawing%s %s:id="%s"/>' % (
            self._prefix(),
            declared,
            (known or "r").encode(),
            relation_id.encode(),
        )
        self.edits.insert(layout.legacy_drawing_place or layout.root_close, made)

    def drop_reference_to_comments(self) -> None:
        """Take the reference out again."""
        if self.layout.legacy_drawing is not None:
            self.edits.replace(self.layout.legacy_drawing.start, self.layout.legacy_drawing_end, b"")

    def set_selected(self, is_selected: bool) -> bool:
        """Write whether the sheet's tab is chosen, where that is written and in its words; whether it changed."""
        changed = False
        for view in self.layout.views:
            given = view.attributes.get("tabSelected")
            if given is not None and (given in ("1", "true")) != is_selected:
                words = ("false", "true") if given in ("false", "true") else ("0", "1")
                tag = self.layout.data[view.start : view.inside]
                new = with_attribute(tag, "tabSelected", words[is_selected])
                self.edits.replace(view.start, view.inside, new)
                changed = True
        return changed

    def result(self) -> bytes:
        return self.edits.result()


def reformatted(data: bytes, formats: Mapping[int, int], new_cells: Collection[int]) -> bytes:
    """A sheet with numbers of formats replaced, in cells, rows and columns; cells that an annotation made and that
    still hold nothing are taken out, and so are rows that hold nothing else."""
    edits = Edits(data)
    parser = new_parser()
    row: _Tag | None = None
    cell: _Tag | None = None
    has_content = False
    row_cells = 0
    dropped: list[tuple[int, int]] = []

    def renumber(tag: _Tag, name: str) -> None:
        new = formats.get(_number(tag.attributes.get(name), -1))
        if new is not None:
            edits.replace(tag.start, tag.inside, with_attribute(data[tag.start : tag.inside], name, str(new)))

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, cell, has_content, row_cells, dropped
        local = local_name(name)
        if local not in ("c", "row", "col"):
            has_content = True
            return
        start = parser.CurrentByteIndex
        if local == "c":
            row_cells += 1
            has_content = False
            if _number(attributes.get("s"), -1) in formats or _number(attributes.get("s"), -1) in new_cells:
                cell = _Tag(name, start, tag_end(data, start), attributes)
        elif local == "row":
            row, row_cells, dropped = _Tag(name, start, tag_end(data, start), attributes), 0, []
            renumber(row, "s")
        else:
            renumber(_Tag(name, start, tag_end(data, start), attributes), "style")

    def on_end(name: str) -> None:
        nonlocal row, cell
        local = local_name(name)
        if local == "c" and cell is not None:
            close = _close(data, cell, parser.CurrentByteIndex)
            end = close if close == cell.inside else data.index(b">", close) + 1
            if not has_content and _number(cell.attributes.get("s"), -1) in new_cells:
                dropped.append((cell.start, end))
            else:
                renumber(cell, "s")
            cell = None
        elif local == "row" and row is not None:
            if dropped and len(dropped) == row_cells and set(row.attributes) <= {"r"}:
                close = _close(data, row, parser.CurrentByteIndex)
                edits.replace(row.start, data.index(b">", close) + 1, b"")
            else:
                for start, end in dropped:
                    edits.replace(start, end, b"")
            row = None

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    run(parser, data)
    return edits.result()


def _number(text: str | None, absent: int = 0) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 9 else absent
