"""Cell formats: a coloured twin of a format for each cell that is marked, and the way back.

A twin has everything of its original (number format, font, border, alignment, protection) but the fill. Its colour
tells not only how grave a finding is: the low half of each of its bytes numbers the fill that it replaced, so that a
cell that was moved, copied or saved by another program still knows what it looked like before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipelines.findings import Severity
from pipelines.validation.annotate.markup import (
    Edits,
    Element,
    parse,
    prefixed,
    tag_end,
    with_attribute,
    without_prefix,
)

Mark = Literal["critical", "warning", "tidied"]
MARK_OF: Mapping[Severity, Mark] = {
    Severity.CRITICAL: "critical",
    Severity.WARNING: "warning",
    Severity.INFO: "tidied",
}
GRAVITY: Mapping[Mark, int] = {"critical": 0, "warning": 1, "tidied": 2}

# High halves of red, green and blue; the low halves carry a number of twelve bits, mixed with _MIX so that the
# most frequent number gives no colour that anybody picks. Black on each: at least 9 : 1.
_HUES: Mapping[Mark, tuple[int, int, int]] = {
    "critical": (0xF, 0xB, 0xA),
    "warning": (0xF, 0xD, 0x8),
    "tidied": (0xC, 0xD, 0xF),
}
_MARK_OF_HUE = {hue: mark for mark, hue in _HUES.items()}
_MIX = 0x3B7
_MOST_VARIANTS = 0x1000
_MOST_FORMATS = 60_000  # programs stop at 64,000 or 65,490

_NO_FILL = b'<fill><patternFill patternType="none"/></fill>'
_SOLID = re.compile(
    rb"<(?:\w+:)?patternFill\s[^>]*patternType\s*=\s*[\"']solid[\"'][^>]*>\s*"
    rb"<(?:\w+:)?fgColor\s[^>]*rgb\s*=\s*[\"'](?:[0-9A-Fa-f]{2})?([0-9A-Fa-f]{6})[\"']"
)
_ORDER = (
    "numFmts",
    "fonts",
    "fills",
    "borders",
    "cellStyleXfs",
    "cellXfs",
    "cellStyles",
    "dxfs",
    "tableStyles",
)
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
# What a workbook without its own needs before anything can be added: the first entries have fixed meanings.
_LEAST: Mapping[str, tuple[bytes, ...]] = {
    "fonts": (b'<font><sz val="11"/><name val="Calibri"/><family val="2"/></font>',),
    "fills": (_NO_FILL, b'<fill><patternFill patternType="gray125"/></fill>'),
    "borders": (b"<border><left/><right/><top/><bottom/><diagonal/></border>",),
    "cellStyleXfs": (b'<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>',),
    "cellXfs": (b'<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variant:
    """What a colour's number stands for: the fill that it replaced, and whether the cell was not there before."""

    fill: bytes
    is_new_cell: bool


@dataclass(slots=True)
class _Section:
    """One list of the style sheet: what it holds and what is added to it, as markup."""

    entries: list[bytes]
    element: Element | None
    added: list[bytes] = field(default_factory=list)
    places: dict[bytes, int] = field(default_factory=dict)  # the first of each entry

    def __post_init__(self) -> None:
        for number, entry in enumerate(self.entries):
            self.places.setdefault(entry, number)

    def add(self, entry: bytes) -> int:
        """Position of an entry like this one, added if there is none."""
        if entry not in self.places:
            self.append(entry)
        return self.places[entry]

    def append(self, entry: bytes) -> int:
        """Position of an entry of its own, whether or not there is one like it."""
        self.places.setdefault(entry, len(self.entries))
        self.entries.append(entry)
        self.added.append(entry)
        return len(self.entries) - 1


class Styles:
    """A style sheet that grows at the ends of its lists, so that every number in use keeps its meaning."""

    def __init__(self, data: bytes | None, namespace: str = _SPREADSHEET) -> None:
        """`data` None stands for a workbook without styles."""
        self._data = (
            data
            if data is not None
            else b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<styleSheet xmlns="%s"></styleSheet>'
            % namespace.encode()
        )
        self._root = parse(self._data)
        self._prefix = self._root.prefix
        self._sections: dict[str, _Section] = {}
        for name, least in _LEAST.items():
            element = self._root.first(name)
            entries = [self._data[one.start : one.end] for one in element.children] if element else []
            section = self._sections[name] = _Section(entries, element)
            for entry in least if not entries else ():
                section.append(self._own(entry))
        self.sizes = {  # of the lists as they came; -1 for one that was not there
            name: -1 if section.element is None else len(section.entries) - len(section.added)
            for name, section in self._sections.items()
        }
        self._twins: dict[tuple[int, Mark, bool], int | None] = {}
        self.variants: dict[str, Variant] = {}  # by colour, of the twins made here
        self._variant_numbers: dict[Variant, int] = {
            Variant(_NO_FILL, False): 0,
            Variant(_NO_FILL, True): 1,
        }
        self.originals: dict[int, int] = {}  # twin -> the format that it is the twin of

    def _own(self, xml: bytes) -> bytes:
        return prefixed(xml, self._prefix)

    def add(self, section: str, xml: bytes) -> int:
        """The number of a font, fill, border or format of ours (markup without prefix)."""
        return self._sections[section].add(self._own(xml))

    def format(
        self, *, font: bytes, border: bytes, fill: bytes = _NO_FILL, number_format: int = 0, more: bytes = b""
    ) -> int:
        """A cell format of ours, of parts in markup; `more` are attributes and, behind a bar, children."""
        attributes, _, children = more.partition(b"|")
        xml = b'<xf numFmtId="%d" fontId="%d" fillId="%d" borderId="%d" xfId="0" applyFont="1" applyFill="1" %s>%s</xf>'
        numbers = (self.add("fonts", font), self.add("fills", fill), self.add("borders", border))
        return self.add("cellXfs", xml % (number_format, *numbers, attributes, children))

    def twin(self, number: int, mark: Mark, *, is_new_cell: bool = False) -> int | None:
        """The format like `number` in the colour of a mark; None where the file can hold no more formats."""
        formats = self._sections["cellXfs"]
        if not 0 <= number < len(formats.entries):
            number = 0
        key = (number, mark, is_new_cell)
        if key not in self._twins:
            self._twins[key] = self._make_twin(number, mark, is_new_cell)
        return self._twins[key]

    def _make_twin(self, number: int, mark: Mark, is_new_cell: bool) -> int | None:
        formats = self._sections["cellXfs"]
        if len(formats.entries) >= _MOST_FORMATS:
            return None
        original = formats.entries[number]
        fill = _attribute_number(original, b"fillId")
        fills = self._sections["fills"].entries
        kept = without_prefix(fills[fill], self._prefix) if 0 < fill < len(fills) else _NO_FILL
        variant = Variant(kept, is_new_cell)
        place = self._variant_numbers.setdefault(variant, len(self._variant_numbers))
        if place >= _MOST_VARIANTS:
            return None
        colour = _colour(mark, place)
        self.variants[colour] = variant
        fill_number = self.add(
            "fills",
            b'<fill><patternFill patternType="solid"><fgColor rgb="FF%s"/><bgColor indexed="64"/></patternFill></fill>'
            % colour.encode(),
        )
        end = tag_end(original, 0)
        tag = with_attribute(with_attribute(original[:end], "fillId", str(fill_number)), "applyFill", "1")
        entry = tag + original[end:]
        # one like it may be left over from an earlier annotation that another program has saved; of our own, each
        # keeps its own number although formats may be alike, so that each can be found again
        left_over = formats.places.get(entry, len(formats.entries))
        twin = left_over if left_over < self.sizes["cellXfs"] else formats.append(entry)
        self.originals[twin] = number
        return twin

    def result(self) -> bytes:
        """The style sheet with what was added."""
        if all(not section.added for section in self._sections.values()):
            return self._data
        edits = Edits(self._data)
        new_sections: dict[int, list[bytes]] = {}
        for name, section in self._sections.items():
            if not section.added:
                continue
            content = b"".join(section.added)
            if section.element is not None:
                if "count" in section.element.attributes:
                    self._set_count(edits, section)
                    if section.element.is_empty:
                        continue
                edits.append(section.element, content)
            else:
                tag = self._prefix.encode() + name.encode()
                made = b'<%s count="%d">%s</%s>' % (tag, len(section.added), content, tag)
                new_sections.setdefault(self._place_of(name), []).append(made)
        if self._root.is_empty:
            edits.append(self._root, b"".join(b"".join(made) for made in new_sections.values()))
        else:
            for place, sections in sorted(new_sections.items()):
                edits.insert(place, b"".join(sections))
        return edits.result()

    def _set_count(self, edits: Edits, section: _Section) -> None:
        element = section.element
        if element is None:
            return
        tag = with_attribute(self._data[element.start : element.inside], "count", str(len(section.entries)))
        if element.is_empty:
            name = element.name.encode()
            tag = tag[:-2] + b">" + b"".join(section.added) + b"</" + name + b">"
        edits.replace(element.start, element.inside, tag)

    def _place_of(self, name: str) -> int:
        """Where a list that is missing belongs: before the first that comes later in the schema."""
        later = set(_ORDER[_ORDER.index(name) + 1 :]) | {"colors", "extLst"}
        found = next((child for child in self._root.children if child.local in later), None)
        return found.start if found is not None else self._root.close


def _attribute_number(xml: bytes, name: bytes) -> int:
    match = re.search(rb"\s" + name + rb"\s*=\s*[\"'](\d{1,9})[\"']", xml[: tag_end(xml, 0)])
    return int(match[1]) if match else 0


def _colour(mark: Mark, place: int) -> str:
    mixed = place ^ _MIX
    red, green, blue = _HUES[mark]
    return f"{red:X}{mixed >> 8 & 15:X}{green:X}{mixed >> 4 & 15:X}{blue:X}{mixed & 15:X}"


def _place_of_colour(colour: str) -> int | None:
    """The number that a colour of ours carries; None for a colour that is none of ours."""
    digits = [int(digit, 16) for digit in colour]
    if (digits[0], digits[2], digits[4]) not in _MARK_OF_HUE:
        return None
    return (digits[1] << 8 | digits[3] << 4 | digits[5]) ^ _MIX


@dataclass(frozen=True, slots=True)
class Restored:
    """A style sheet without our colours.

    `formats`: number of a format with our colour -> the number of the original that is still there. Formats with
    no original left have got their fill back in place. `new_cells` are formats of cells that were not there.
    """

    data: bytes
    formats: Mapping[int, int]
    new_cells: frozenset[int]


def restore(
    data: bytes, variants: Mapping[str, Variant], originals: Mapping[int, int], sizes: Mapping[str, int]
) -> Restored:
    """Take our colours out of a style sheet.

    `variants`, `originals` and `sizes` are what the annotation noted; `sizes` (lengths of the lists before) and
    `originals` hold only if the sheet is still as the annotation left it, and are empty otherwise.
    """
    root = parse(data)
    prefix = root.prefix
    fills, formats = root.first("fills"), root.first("cellXfs")
    if fills is None or formats is None:
        return Restored(data, {}, frozenset())
    held_fills = [data[one.start : one.end] for one in fills.children]
    ours: dict[int, Variant] = {}
    for number, fill in enumerate(held_fills):
        variant = _variant_of(fill, variants)
        if variant is not None:
            ours[number] = variant
    entries = [data[one.start : one.end] for one in formats.children]
    mapping: dict[int, int] = {}
    new_cells: set[int] = set()
    edits = Edits(data)
    kept_fills: dict[bytes, int] = {}
    for number, fill in enumerate(held_fills):
        kept_fills.setdefault(fill, number)
    new_fills: list[bytes] = []
    by_look: dict[tuple[bytes, int], int] = {}
    for number, entry in enumerate(entries):
        fill_number = _attribute_number(entry, b"fillId")
        if fill_number not in ours:
            by_look.setdefault((_look(entry), fill_number), number)
    for number, entry in enumerate(entries):
        variant = ours.get(_attribute_number(entry, b"fillId"))
        if variant is None:
            continue
        if variant.is_new_cell:
            new_cells.add(number)
        original_fill = prefixed(variant.fill, prefix)
        if number in originals:
            mapping[number] = originals[number]
            continue
        fill_number = 0
        if variant.fill != _NO_FILL:
            if original_fill not in kept_fills:
                kept_fills[original_fill] = len(held_fills) + len(new_fills)
                new_fills.append(original_fill)
            fill_number = kept_fills[original_fill]
        twin = by_look.get((_look(entry), fill_number))
        if twin is not None:
            mapping[number] = twin
        else:
            element = formats.children[number]
            edits.set_attributes(element, {"fillId": str(fill_number)})
    if new_fills:
        edits.append(fills, b"".join(new_fills))
        if "count" in fills.attributes:
            tag = data[fills.start : fills.inside]
            count = str(len(held_fills) + len(new_fills))
            edits.replace(fills.start, fills.inside, with_attribute(tag, "count", count))
    if sizes and not edits:
        _cut(edits, root, sizes)
    return Restored(edits.result(), mapping, frozenset(new_cells))


def _variant_of(fill: bytes, variants: Mapping[str, Variant]) -> Variant | None:
    match = _SOLID.search(fill)
    if match is None:
        return None
    colour = match[1].decode().upper()
    place = _place_of_colour(colour)
    if place is None:
        return None
    if place < 2:
        return Variant(_NO_FILL, place == 1)
    return variants.get(colour)


def _look(entry: bytes) -> bytes:
    """A format without its fill, for comparing; applyFill is ours to set."""
    end = tag_end(entry, 0)
    tag = with_attribute(with_attribute(entry[:end], "fillId", None), "applyFill", None)
    return tag + entry[end:]


def _cut(edits: Edits, root: Element, sizes: Mapping[str, int]) -> None:
    """Take away what the annotation added at the ends of the lists."""
    for name, size in sizes.items():
        element = root.first(name)
        if element is None or size >= len(element.children):
            continue
        if size < 0:
            edits.replace(element.start, element.end, b"")
            continue
        edits.replace(element.children[size].start, element.children[-1].end, b"")
        if "count" in element.attributes:
            edits.replace(
                element.start,
                element.inside,
                with_attribute(edits.data[element.start : element.inside], "count", str(size)),
            )
