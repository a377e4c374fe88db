"""Taking an earlier annotation out of a workbook: our sheet, our comments, our colours; what the clerk did since stays.

A workbook that comes back as it was sent is restored as it was before. One that another program has saved has been
written anew throughout; there the name of our sheet, the marks in comments and the colours tell what is ours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.review_sheet import (
    NEEDED_COLUMNS,
    Answer,
    answer_of,
    cell_text,
    column_of_head,
    folded,
    may_be_review_sheet_name,
)
from pipelines.validation.annotate.book import (
    Book,
    View,
    relations,
    remove_relation,
    undeclare,
)
from pipelines.validation.annotate.contents import Content, each_cell, shared_strings
from pipelines.validation.annotate.markup import parse
from pipelines.validation.annotate.notes import (
    holds_notes,
    is_without_comments,
    is_without_shapes,
    without_notes,
    without_shapes,
)
from pipelines.validation.annotate.package import CannotAnnotate
from pipelines.validation.annotate.review import RECORD_COLUMN, record_of
from pipelines.validation.annotate.sheets import SheetPatch, lay_out, reformatted
from pipelines.validation.annotate.styles import Variant, restore

_COLOUR = re.compile(r"[0-9A-F]{6}")
_RANGE = re.compile(r"[A-Z]{1,3}[0-9]{1,7}(?::[A-Z]{1,3}[0-9]{1,7})?")
_MOST_ROWS = 8_000  # a sheet of ours has fewer
_MOST_RECORDED = 70_000


@dataclass(frozen=True, slots=True)
class _Record:
    """What the earlier annotation noted, as far as it is sound: it comes from a file, and files are not believed."""

    views: tuple[View, ...] = ()
    selected: frozenset[int] = frozenset()
    widened: Mapping[str, tuple[str, str]] | None = None
    styles_sha256: str = ""
    are_styles_ours: bool = False
    sizes: Mapping[str, int] | None = None
    originals: Mapping[int, int] | None = None
    variants: Mapping[str, Variant] | None = None


def strip(book: Book) -> tuple[Answer, ...]:
    """Take out what earlier annotations put in; gives the answers that stood in their sheets."""
    answers: list[Answer] = []
    record = _Record()
    for entry in list(book.sheets):
        if entry.kind != "worksheet" or not entry.part or not may_be_review_sheet_name(entry.name):
            continue
        rows = _rows(book, entry.part)
        raw = record_of(rows[number].get(RECORD_COLUMN, "") for number in sorted(rows))
        if raw is None:
            continue
        record = _sound(raw)
        answers += _answers(rows)
        position = next(number for number, one in enumerate(book.sheets) if one.part == entry.part)
        # without a word on it a window shows the first tab
        was_open = any(view.active_tab == str(position) for view in book.views()) or (
            position == 0 and all(view.active_tab is None for view in book.views())
        )
        book.take_out(position, list(record.views))
        if was_open:
            _select(book, record.selected)
    _strip_styles(book, record)
    for entry in book.sheets:
        if entry.part:
            _strip_notes(book, entry.part)
            if entry.name in (record.widened or {}):
                patch = SheetPatch(lay_out(book.package.read(entry.part), is_top_enough=True))
                patch.narrow(*(record.widened or {})[entry.name])
                book.package.write(entry.part, patch.result())
    return tuple(answers)


def _rows(book: Book, part: str) -> dict[int, dict[int, str]]:
    data = book.package.read(part)
    strings = shared_strings(book) if re.search(rb"\st\s*=\s*[\"']s[\"']", data) else []
    rows: dict[int, dict[int, str]] = {}

    def on_cell(cell: Content) -> None:
        if cell.place[0] <= _MOST_ROWS and cell.place[1] <= RECORD_COLUMN:
            rows.setdefault(cell.place[0], {})[cell.place[1]] = cell.text

    each_cell(data, strings, on_cell)
    return rows


def _answers(rows: Mapping[int, Mapping[int, str]]) -> list[Answer]:
    """As the intake reads them: under the heads, what is written in the answer column."""
    known = column_of_head()
    columns: dict[str, int] = {}
    found: list[Answer] = []
    for number in sorted(rows):
        row = rows[number]
        heads = {known[key]: column for column, text in row.items() if (key := folded(text)) in known}
        if heads.keys() >= NEEDED_COLUMNS:
            columns = heads
            continue
        if not columns:
            continue
        answer = answer_of({name: cell_text(row.get(column, "")).strip() for name, column in columns.items()})
        if answer is not None:
            found.append(answer)
    return found


def _sound(raw: Mapping[str, Any]) -> _Record:
    """The record, checked value by value; what is not as we write it is left out."""
    try:
        styles = raw.get("styles", {})
        variants = {
            str(colour): Variant(_checked_fill(str(fill)), bool(is_new))
            for colour, (fill, is_new) in list(raw.get("variants", {}).items())[:_MOST_RECORDED]
            if _COLOUR.fullmatch(str(colour))
        }
        return _Record(
            views=tuple(View(_tab(active), _tab(first)) for active, first in raw.get("views", [])[:64]),
            selected=frozenset(int(one) for one in raw.get("selected", [])[:_MOST_RECORDED]),
            widened={
                str(name): (_range(was), _range(now)) for name, (was, now) in raw.get("widened", {}).items()
            },
            styles_sha256=str(styles.get("sha256", "")),
            are_styles_ours=bool(styles.get("made", False)),
            sizes={str(name): int(size) for name, size in styles.get("sizes", {}).items()},
            originals={int(twin): int(original) for twin, original in styles.get("originals", {}).items()},
            variants=variants,
        )
    except (ValueError, TypeError, AttributeError, CannotAnnotate):
        return _Record()


def _range(value: Any) -> str:
    if not isinstance(value, str) or not _RANGE.fullmatch(value):
        raise ValueError(f"no range: {value!r}")
    return value


def _tab(value: Any) -> str | None:
    return str(int(value)) if value is not None else None


def _checked_fill(text: str) -> bytes:
    """The markup of a fill, and of nothing else."""
    data = text.encode("utf-8")
    root = parse(data)
    if root.name != "fill" or root.start != 0 or root.end != len(data):
        raise CannotAnnotate("damaged", "fill")
    return data


def _select(book: Book, positions: frozenset[int]) -> None:
    """Mark the tabs as chosen that were chosen before."""
    for position, entry in enumerate(book.sheets):
        if position in positions and entry.part:
            data = book.package.read(entry.part)
            if b"tabSelected" in data:
                patch = SheetPatch(lay_out(data, is_top_enough=True))
                if patch.set_selected(True):
                    book.package.write(entry.part, patch.result())


def _strip_styles(book: Book, record: _Record) -> None:
    part = book.related("styles")
    if not part:
        return
    data = book.package.read(part)
    is_as_left = bool(record.styles_sha256) and hashlib.sha256(data).hexdigest() == record.styles_sha256
    count = data.count(b"<xf") + data.count(b":xf")
    originals = record.originals if is_as_left and record.originals is not None else {}
    if any(not 0 <= original < count for original in originals.values()):
        originals = {}
    sizes = record.sizes if is_as_left and record.sizes is not None else {}
    restored = restore(data, record.variants or {}, originals, sizes)
    if restored.formats or restored.new_cells:
        for entry in book.sheets:
            if entry.part and entry.kind == "worksheet":
                sheet = book.package.read(entry.part)
                book.package.write(entry.part, reformatted(sheet, restored.formats, restored.new_cells))
    if is_as_left and record.are_styles_ours:
        relation = next(one for one in relations(book.package, book.part) if one.kind == "styles")
        remove_relation(book.package, book.part, relation.id)
        book.package.remove(part)
        undeclare(book.package, part)
    elif restored.data != data:
        book.package.write(part, restored.data)


def _strip_notes(book: Book, sheet: str) -> None:
    package = book.package
    related = relations(package, sheet)
    comments = next((one for one in related if one.kind == "comments" and package.has(one.target)), None)
    if comments is None:
        return
    data = package.read(comments.target)
    if not holds_notes(data):
        return
    left, gone = without_notes(data)
    package.write(comments.target, left)
    is_empty = is_without_comments(left)
    if is_empty:
        remove_relation(package, sheet, comments.id)
        package.remove(comments.target)
        undeclare(package, comments.target)
    drawings = {one.id: one for one in related if one.kind == "vmlDrawing" and package.has(one.target)}
    if not gone or not drawings:
        return
    layout = lay_out(package.read(sheet))
    if layout.legacy_drawing is None:
        return
    relation_id = next(
        (value for name, value in layout.legacy_drawing.attributes.items() if name.endswith(":id")), ""
    )
    drawing = drawings.get(relation_id)
    if drawing is None:
        return
    shapes = without_shapes(package.read(drawing.target), gone)
    if is_empty and is_without_shapes(shapes):
        patch = SheetPatch(layout)
        patch.drop_reference_to_comments()
        package.write(sheet, patch.result())
        remove_relation(package, sheet, drawing.id)
        package.remove(drawing.target)
        undeclare(package, drawing.target)
    else:
        package.write(drawing.target, shapes)
