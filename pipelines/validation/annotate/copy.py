"""The annotated copy of a file: the clerk's own workbook with the findings in it, or a list where that cannot be.

Nothing is judged here and nothing is read but places: findings and fixes come from the door.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from pipelines.findings import Finding, Fix, Verdict, Wording
from pipelines.review_sheet import Language, say, words
from pipelines.text_tables import UndecodableText, decoded, delimiter_of
from pipelines.validation.annotate.book import (
    COMMENTS_TYPE,
    DRAWING_TYPE,
    STYLES_TYPE,
    Book,
    SheetEntry,
    declare,
    relations,
)
from pipelines.validation.annotate.markup import attribute, string
from pipelines.validation.annotate.notes import (
    commented_cells,
    new_comments,
    new_drawing,
    referenced_cells,
    with_notes,
    with_shapes,
)
from pipelines.validation.annotate.package import CannotAnnotate, Package
from pipelines.validation.annotate.review import (
    Review,
    add_formats,
    kept_answers,
    write_review,
)
from pipelines.validation.annotate.sheets import (
    Place,
    SheetPatch,
    address_of,
    anchors,
    lay_out,
    place_of,
)
from pipelines.validation.annotate.strip import strip
from pipelines.validation.annotate.styles import GRAVITY, MARK_OF, Mark, Styles

MOST_COMMENTS = 1_000
MOST_MARKS = 20_000
_MOST_NOTES_A_CELL = 6
_LONGEST_NOTE = 700
_SUFFIX = "_审核意见"
_LONGEST_STEM = 120
_UNFIT_FOR_NAMES = re.compile('[\x00-\x1f\x7f-\x9f<>:"/\\\\|?*\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]')
ZIP_MAGIC = b"PK\x03\x04"
DELIMITED_SHEET = "csv"  # how findings about a table of text name its only sheet


@dataclass(frozen=True, slots=True)
class Annotated:
    """An annotated workbook: its bytes, the name it should be saved under, and what it could not keep or show."""

    content: bytes
    file_name: str
    losses: tuple[Wording, ...] = ()


@dataclass(slots=True)
class _Cell:
    """What is said of one cell."""

    mark: Mark
    lines: list[str] = field(default_factory=list)


def annotated_copy(
    content: bytes,
    file_name: str,
    findings: Sequence[Finding],
    fixes: Sequence[Fix],
    *,
    verdict: Verdict,
    language: Language = "zh",
    explanations: Mapping[int, str] | None = None,
    about: Sequence[str] = (),
) -> Annotated:
    """The file with its findings marked in it, and a first sheet 审核意见.

    `content` must have been through the door, and findings, fixes and verdict be what it said of these very bytes.
    Of a file that was refused (`unreadable`) nothing is opened: the copy is a new workbook with the list alone; so it
    is where the package is not made to be patched, and `losses` says so. A table of text (CSV) becomes a workbook
    with the text in a sheet of its own. `explanations` are answers given before, by the position of their warning;
    answers in an earlier 审核意见 of the same file are kept where their warning still stands. `about` are lines for
    the head of the sheet: whose file, which month, which receipt.

    The same arguments give the same bytes. Never raises for what is in the file.
    """
    name = annotated_name(file_name)
    request = _Request(findings, fixes, verdict, language, dict(explanations or {}), tuple(about))
    if verdict is Verdict.UNREADABLE:
        return Annotated(_annotate(text_workbook([]), request, is_list_only=True)[0], name)
    try:
        base = content if content.startswith(ZIP_MAGIC) else text_workbook(text_rows(content))
        made, losses = _annotate(base, request)
    except CannotAnnotate as problem:
        loss = _loss("list_only", reason=problem.wording)
        made, _ = _annotate(text_workbook([]), request, is_list_only=True, losses=[loss])
        losses = (loss,)
    return Annotated(made, name, losses)


def annotated_name(file_name: str) -> str:
    """三月_审核意见.xlsx for 三月.xlsx: fit for any file system, and not longer from time to time."""
    stem = PurePath(unicodedata.normalize("NFC", file_name).replace("\\", "/")).name
    for suffix in (".xlsx", ".xlsm", ".xls", ".csv", ".txt", ".tsv", ".et"):
        if stem.lower().endswith(suffix):
            stem = stem[: -len(suffix)]
            break
    stem = _UNFIT_FOR_NAMES.sub("", stem.encode("utf-8", "ignore").decode("utf-8")).strip(" .")
    while stem.endswith(_SUFFIX):
        stem = stem.removesuffix(_SUFFIX).strip(" .")
    return f"{stem[:_LONGEST_STEM] or 'file'}{_SUFFIX}.xlsx"


@dataclass(frozen=True, slots=True)
class _Request:
    findings: Sequence[Finding]
    fixes: Sequence[Fix]
    verdict: Verdict
    language: Language
    explanations: dict[int, str]
    about: tuple[str, ...]


def _loss(key: str, **values: object) -> Wording:
    both = words("losses", key)
    zh = {name: one.zh if isinstance(one, Wording) else one for name, one in values.items()}
    en = {name: one.en if isinstance(one, Wording) else one for name, one in values.items()}
    return Wording(both.zh.format(**zh), both.en.format(**en))


def _annotate(
    content: bytes, request: _Request, *, is_list_only: bool = False, losses: Sequence[Wording] = ()
) -> tuple[bytes, tuple[Wording, ...]]:
    package = Package(content)
    book = Book(package)
    told = list(losses)
    explanations = dict(request.explanations)
    answers = kept_answers(request.findings, strip(book), request.language)
    explanations = answers.by_position | explanations
    if any(name.lower().startswith("_xmlsignatures/") for name in package.names):
        told.append(_loss("signature"))
    styles_part = book.related("styles")
    styles = Styles(package.read(styles_part) if styles_part else None, book.namespace)
    worksheets = {one.name: one for one in book.sheets if one.kind == "worksheet" and one.part}
    widened: dict[str, tuple[str, str]] = {}
    if not is_list_only:
        told += _mark_cells(book, worksheets, request, styles, widened)
    views, selected = book.views(), _unselect(book)
    formats = add_formats(styles, request.language, request.verdict)
    styled = styles.result()
    record: dict[str, Any] = {
        "views": [[view.active_tab, view.first_sheet] for view in views],
        "selected": selected,
        "widened": widened,
        "styles": {
            "sha256": hashlib.sha256(styled).hexdigest(),
            "made": not styles_part,
            "sizes": styles.sizes,
            "originals": {str(twin): original for twin, original in styles.originals.items()},
        },
        "variants": {
            colour: [variant.fill.decode("utf-8", "replace"), variant.is_new_cell]
            for colour, variant in styles.variants.items()
        },
    }
    if styles_part:
        package.write(styles_part, styled)
    else:
        book.new_part(book.part, _free_pattern(package, "xl/styles{}.xml"), styled, "styles", STYLES_TYPE)
    review = Review(
        request.verdict,
        request.findings,
        request.fixes,
        explanations,
        request.about,
        told,
        request.language,
        is_list_only,
        answers.others,
    )
    sheet = write_review(review, formats, worksheets.keys(), record, book.namespace)
    book.put_first(_free_sheet_name(book, request.language), sheet.data, sheet.print_titles)
    return package.to_bytes(), tuple(told)


def _free_pattern(package: Package, pattern: str) -> str:
    """The plain name where it is free: xl/styles.xml rather than xl/styles1.xml."""
    plain = pattern.replace("{}", "")
    return pattern if package.has(plain) else plain


def _free_sheet_name(book: Book, language: Language) -> str:
    """审核意见, or with a number where the clerk has a sheet of that name."""
    taken = {one.name.casefold() for one in book.sheets}
    plain = say(language, "sheet_name")
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain} ({number})"
    return name


def _unselect(book: Book) -> list[int]:
    """Leave no tab chosen but ours: with two chosen, what is typed goes into both. Gives positions of those that were."""
    positions = []
    for position, entry in enumerate(book.sheets):
        if not entry.part:
            continue
        data = book.package.read(entry.part)
        if b"tabSelected" not in data:
            continue
        patch = SheetPatch(lay_out(data, is_top_enough=True))
        if patch.set_selected(False):
            positions.append(position)
            book.package.write(entry.part, patch.result())
    return positions


# Marks in the clerk's sheets ------------------------------------------------------------------------------------


def _mark_cells(
    book: Book,
    worksheets: Mapping[str, SheetEntry],
    request: _Request,
    styles: Styles,
    widened: dict[str, tuple[str, str]],
) -> list[Wording]:
    """Mark every cell that something is said of; gives what could not be done. `widened` takes used ranges by sheet."""
    cells, outside = _cells_by_sheet(request, worksheets)
    losses: list[Wording] = []
    uncoloured = 0
    allowed = MOST_COMMENTS
    uncommented = 0
    for name, marked in cells.items():
        entry = worksheets[name]
        data = book.package.read(entry.part)
        seen_at = anchors(data, marked.keys())
        merged: dict[Place, _Cell] = {}
        for place, cell in marked.items():
            held = merged.setdefault(seen_at.get(place, place), _Cell(cell.mark))
            held.lines += cell.lines
            held.mark = min(held.mark, cell.mark, key=GRAVITY.__getitem__)
        by_gravity = sorted(merged, key=lambda place: (GRAVITY[merged[place].mark], place))
        chosen = by_gravity[:allowed]
        uncommented += len(by_gravity) - len(chosen)
        allowed -= len(chosen)
        notes = {place: (address_of(place), _note(merged[place].lines, request.language)) for place in chosen}
        patch = SheetPatch(lay_out(data, merged.keys()))
        uncoloured += _mark_sheet(book, entry, patch, merged, notes, styles, losses, request.language)
        if patch.widened is not None:
            widened[name] = patch.widened
    if uncommented:
        losses.append(_loss("comment_limit", limit=MOST_COMMENTS, count=uncommented))
    if uncoloured:
        losses.append(_loss("colour_limit", count=uncoloured))
    if outside:
        losses.append(_loss("not_a_cell", count=outside))
    return losses


def _cells_by_sheet(
    request: _Request, worksheets: Mapping[str, SheetEntry]
) -> tuple[dict[str, dict[Place, _Cell]], int]:
    """What is said of each cell, by sheet; and how many name a cell that no sheet of the file can have."""
    cells: dict[str, dict[Place, _Cell]] = {}
    outside = count = 0
    zh = request.language == "zh"

    def add(sheet: str, address: str, mark: Mark, line: str) -> None:
        nonlocal outside, count
        place = place_of(address)
        if place is None or sheet not in worksheets:
            outside += bool(address)
            return
        if count >= MOST_MARKS:
            return
        count += 1
        held = cells.setdefault(sheet, {}).setdefault(place, _Cell(mark))
        held.mark = min(held.mark, mark, key=GRAVITY.__getitem__)
        held.lines.append(line)

    ordered = sorted(request.findings, key=lambda one: GRAVITY[MARK_OF[one.severity]])
    for finding in ordered:
        message = finding.message.zh if zh else finding.message.en
        add(finding.sheet, finding.cell, MARK_OF[finding.severity], message)
    for fix in request.fixes:
        why = fix.why.zh if zh else fix.why.en
        line = say(request.language, "comment", "fix", given=fix.given, read_as=fix.read_as, why=why)
        add(fix.sheet, fix.cell, "tidied", line)
    return cells, outside


def _note(lines: Sequence[str], language: Language) -> str:
    shown = [line if len(line) <= _LONGEST_NOTE else line[: _LONGEST_NOTE - 1] + "…" for line in lines]
    rest = len(shown) - _MOST_NOTES_A_CELL
    if rest > 0:
        sheet = say(language, "sheet_name")
        shown = [*shown[:_MOST_NOTES_A_CELL], say(language, "comment", "more", count=rest, sheet=sheet)]
    # our own closing mark inside a quoted value would end the note too early
    opening, closing = say(language, "comment", "opening"), say(language, "comment", "closing")
    return "\n".join(shown).replace(closing, closing[1:-1]).replace(opening, opening[1:-1])


def _mark_sheet(
    book: Book,
    entry: SheetEntry,
    patch: SheetPatch,
    cells: Mapping[Place, _Cell],
    notes: dict[Place, tuple[str, str]],
    styles: Styles,
    losses: list[Wording],
    language: Language,
) -> int:
    """Colour the cells of one sheet and put comments beside them; gives how many could not be coloured."""
    package = book.package

    def twin_for(mark: Mark) -> Any:
        return lambda format_, is_new: styles.twin(format_, mark, is_new_cell=is_new)

    left = patch.colour({place: twin_for(cell.mark) for place, cell in cells.items()})
    related = relations(package, entry.part)
    for threaded in related:
        if threaded.kind == "threadedComment" and package.has(threaded.target):
            for place in sorted(referenced_cells(package.read(threaded.target)) & notes.keys()):
                losses.append(_loss("threaded_comment", sheet=entry.name, cell=address_of(place)))
                del notes[place]
    if notes:
        _put_notes(book, entry, patch, notes, language)
    package.write(entry.part, patch.result())
    return left


def _put_notes(
    book: Book,
    entry: SheetEntry,
    patch: SheetPatch,
    notes: Mapping[Place, tuple[str, str]],
    language: Language,
) -> None:
    package = book.package
    related = relations(package, entry.part)
    existing = next((one for one in related if one.kind == "comments"), None)
    if existing is not None and not package.has(existing.target):
        raise CannotAnnotate("structure", "comments without their part")
    comments = package.read(existing.target) if existing is not None else new_comments(book.namespace)
    before = commented_cells(comments)
    comments = with_notes(comments, notes, language)
    if existing is not None:
        package.write(existing.target, comments)
    else:
        book.new_part(entry.part, "xl/comments{}.xml", comments, "comments", COMMENTS_TYPE)
    wanted = [(place, note) for place, (_, note) in sorted(notes.items()) if place not in before]
    drawings = {one.id: one for one in related if one.kind == "vmlDrawing" and package.has(one.target)}
    layout = patch.layout
    reference = (
        next((value for name, value in layout.legacy_drawing.attributes.items() if name.endswith(":id")), "")
        if layout.legacy_drawing is not None
        else ""
    )
    if reference in drawings:
        target = drawings[reference].target
        package.write(target, with_shapes(package.read(target), wanted))
        return
    if layout.legacy_drawing is not None:
        raise CannotAnnotate("structure", "a drawing of comments that is not there")
    # comments that had no drawing get their boxes with ours
    wanted = sorted([*wanted, *((place, "") for place in before)])
    shapes = with_shapes(new_drawing(), wanted)
    relation_id = book.new_part(
        entry.part, "xl/drawings/vmlDrawing{}.vml", shapes, "vmlDrawing", DRAWING_TYPE
    )
    patch.refer_to_comments(relation_id, book.relations_namespace)


# Tables of text, and files that are not opened --------------------------------------------------------------------

_BASE_PARTS = {
    "[Content_Types].xml": (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        b'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
    ),
    "_rels/.rels": (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        b'Target="xl/workbook.xml"/></Relationships>'
    ),
}
_WORKBOOK = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>%s</sheets></workbook>'
)
_WORKBOOK_RELATIONS = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>'
)


# The default format, and one for text that begins like a formula: marked as text (quotePrefix), so that it stays one
# also when somebody goes into the cell and presses Enter. Nothing is added to the text itself.
_TEXT_STYLES = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b'<fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    b'<fills count="2"><fill><patternFill patternType="none"/></fill>'
    b'<fill><patternFill patternType="gray125"/></fill></fills>'
    b'<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    b'<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    b'<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    b'<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/></cellXfs>'
    b"</styleSheet>"
)
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def text_workbook(rows: Sequence[Sequence[str]]) -> bytes:
    """A workbook with these texts, as texts, in one sheet named `csv`; without any sheet for no rows."""
    package = Package(_EMPTY_ZIP)
    for name, data in _BASE_PARTS.items():
        package.write(name, data)
    sheets = relation = b""
    if rows:
        sheets = b'<sheet name="%s" sheetId="1" r:id="rId1"/>' % attribute(DELIMITED_SHEET)
        relation = (
            b'<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
            b'worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
            b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>'
        )
        package.write("xl/styles.xml", _TEXT_STYLES)
        declare(package, "xl/styles.xml", STYLES_TYPE)
    package.write("xl/workbook.xml", _WORKBOOK % sheets)
    package.write("xl/_rels/workbook.xml.rels", _WORKBOOK_RELATIONS % relation)
    if rows:
        made = []
        for number, row in enumerate(rows, start=1):
            cells = b"".join(
                b'<c r="%s"%s t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>'
                % (
                    address_of((number, column)).encode(),
                    b' s="1"' if value.startswith(BEGINS_A_FORMULA) else b"",
                    string(value),
                )
                for column, value in enumerate(row, start=1)
                if value
            )
            if cells:
                made.append(b'<row r="%d">%s</row>' % (number, cells))
        package.write(
            "xl/worksheets/sheet1.xml",
            b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData>'
            b"</worksheet>" % b"".join(made),
        )
        declare(
            package,
            "xl/worksheets/sheet1.xml",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml",
        )
    return package.to_bytes()


_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def text_rows(content: bytes) -> list[list[str]]:
    """The rows of a table of text, parted as the intake parts them. Raises CannotAnnotate."""
    try:
        text = decoded(content).text
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True))
    except UndecodableText:
        raise CannotAnnotate("damaged", "encoding") from None
    except csv.Error as problem:
        raise CannotAnnotate("damaged", str(problem)) from None
