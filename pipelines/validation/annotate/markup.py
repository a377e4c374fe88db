"""XML as bytes with places: what stands where in a part, so that it can be changed there and nowhere else.

expat tells the places, always as UTF-8, never with entities; whatever is written is ASCII with character
references, so that it means the same in every encoding that a part may declare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from pipelines.review_sheet import cell_text
from pipelines.validation.annotate.package import CannotAnnotate

# Far more than any form needs; what a part held whole in memory can cost is bounded by them.
MOST_ELEMENTS = 250_000
MOST_EDITS = 250_000

_START_TAG = re.compile(rb"<[^\s<>\"'/]++(?:[^<>\"'/]++|/(?!>)|\"[^\"]*\"|'[^']*')*+/?>")
_ATTRIBUTE = re.compile(rb"\s+([^\s=/>\"']+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_ELEMENT_NAME = re.compile(rb"<(/?)([A-Za-z])")
_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


@dataclass(slots=True)
class Element:
    """One element and its places in the part: `start` of <, `inside` behind its start tag, `close` of </, `end`.

    Of an element written <like/> inside, close and end are one place.
    """

    name: str  # as written, with its prefix
    attributes: dict[str, str]
    start: int
    inside: int
    is_empty: bool
    close: int = 0
    end: int = 0
    children: list[Element] = field(default_factory=list)

    @property
    def local(self) -> str:
        return self.name.rpartition(":")[2]

    @property
    def prefix(self) -> str:
        """`x:` of <x:sheet>, or nothing."""
        head, colon, _ = self.name.rpartition(":")
        return head + colon

    def all(self, local: str) -> list[Element]:
        """Children of this name."""
        return [child for child in self.children if child.local == local]

    def first(self, local: str) -> Element | None:
        return next((child for child in self.children if child.local == local), None)

    def walk(self) -> Iterator[Element]:
        yield self
        for child in self.children:
            yield from child.walk()


def parse(data: bytes) -> Element:
    """The root of a part, with everything below it. Raises CannotAnnotate (`damaged`, `too_large`)."""
    top: list[Element] = []
    open_elements: list[Element] = []

    count = 0

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MOST_ELEMENTS:
            raise CannotAnnotate("too_large", f"more than {MOST_ELEMENTS} elements")
        start = parser.CurrentByteIndex
        inside = tag_end(data, start)
        element = Element(name, attributes, start, inside, data[inside - 2 : inside] == b"/>")
        (open_elements[-1].children if open_elements else top).append(element)
        open_elements.append(element)

    def on_end(_name: str) -> None:
        element = open_elements.pop()
        if element.is_empty:
            element.close = element.end = element.inside
        else:
            element.close = parser.CurrentByteIndex
            element.end = data.index(b">", element.close) + 1

    parser = new_parser()
    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    run(parser, data)
    return top[0]


def new_parser() -> expat.XMLParserType:
    """A parser that takes every part as UTF-8 and no declaration of a document type."""
    parser = expat.ParserCreate("UTF-8")

    def refuse(*_: object) -> NoReturn:
        raise CannotAnnotate("damaged", "document type")

    parser.StartDoctypeDeclHandler = refuse
    return parser


def run(parser: expat.XMLParserType, data: bytes, *, is_whole: bool = True) -> None:
    """Parse to the end, or what there is of a part's beginning. Raises CannotAnnotate where it is not well formed."""
    try:
        parser.Parse(data, is_whole)
    except expat.ExpatError as problem:
        raise CannotAnnotate("damaged", str(problem)) from None


def tag_end(data: bytes, start: int) -> int:
    """The place behind the start tag that begins at `start`."""
    match = _START_TAG.match(data, start)
    if match is None:
        raise CannotAnnotate("damaged", f"tag at {start}")
    return match.end()


class Edits:
    """Changes to one part, collected by place and made at once."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._edits: list[tuple[int, int, int, bytes]] = []

    def __bool__(self) -> bool:
        return bool(self._edits)

    def replace(self, start: int, end: int, new: bytes) -> None:
        if len(self._edits) >= MOST_EDITS:
            raise CannotAnnotate("too_large", f"more than {MOST_EDITS} changes")
        self._edits.append((start, end, len(self._edits), new))

    def insert(self, place: int, new: bytes) -> None:
        """Several insertions at one place stand in the order in which they were made."""
        self.replace(place, place, new)

    def append(self, element: Element, new: bytes) -> None:
        """Put content at the end of an element, opening it if it is written <like/>. Once an element."""
        if element.is_empty:
            name = element.name.encode()
            self.replace(element.inside - 2, element.inside, b">" + new + b"</" + name + b">")
        else:
            self.insert(element.close, new)

    def prepend(self, element: Element, new: bytes) -> None:
        """Put content at the beginning of an element. Once an element."""
        if element.is_empty:
            self.append(element, new)
        else:
            self.insert(element.inside, new)

    def set_attributes(self, element: Element, values: dict[str, str | None]) -> None:
        """Change, add or (None) take away attributes of an element. Once an element."""
        tag = self.data[element.start : element.inside]
        for name, value in values.items():
            tag = with_attribute(tag, name, value)
        self.replace(element.start, element.inside, tag)

    def result(self) -> bytes:
        pieces: list[bytes] = []
        position = 0
        for start, end, _, new in sorted(self._edits, key=lambda edit: (edit[0], edit[1] > edit[0], edit[2])):
            if start < position:
                raise AssertionError(f"edits overlap at {start}")
            pieces += (self.data[position:start], new)
            position = end
        pieces.append(self.data[position:])
        return b"".join(pieces)


def with_attribute(tag: bytes, name: str, value: str | None) -> bytes:
    """A start tag with one attribute changed, added behind the others, or (None) taken away."""
    position = len(tag) - len(tag.lstrip(b"<"))
    position += len(re.match(rb"[^\s/>]*", tag[position:])[0])  # type: ignore[index]  # matches always
    new = b"" if value is None else b' %s="%s"' % (name.encode(), attribute(value))
    while (match := _ATTRIBUTE.match(tag, position)) is not None:
        if match[1] == name.encode():
            return tag[: match.start()] + new + tag[match.end() :]
        position = match.end()
    return tag[:position] + new + tag[position:]


def namespaces(tag: bytes) -> dict[str, str]:
    """Prefix -> address of the namespaces that a start tag declares; the empty prefix is the default."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(tag):
        if match[1] == b"xmlns" or match[1].startswith(b"xmlns:"):
            found[match[1][6:].decode("utf-8", "replace")] = match[2][1:-1].decode("utf-8", "replace")
    return found


def prefixed(xml: bytes, prefix: str) -> bytes:
    """Markup of ours, written without prefixes, as elements of a part that uses one."""
    return _ELEMENT_NAME.sub(rb"<\1" + prefix.encode() + rb"\2", xml) if prefix else xml


def without_prefix(xml: bytes, prefix: str) -> bytes:
    """Markup of a part as it would be written without its prefix."""
    if not prefix:
        return xml
    return xml.replace(b"<" + prefix.encode(), b"<").replace(b"</" + prefix.encode(), b"</")


def attribute(value: str) -> bytes:
    """A text as it stands between double quotes, to the character: it may be the name of a sheet."""
    return _escaped(value).replace(b'"', b"&quot;").replace(b"\n", b"&#10;").replace(b"\t", b"&#9;")


def text(value: str) -> bytes:
    """A text for people as it stands between tags, without what cannot be seen."""
    return _escaped(cell_text(value))


def _escaped(value: str) -> bytes:
    legal = _NO_CHARACTER.sub(" ", value)
    escaped = legal.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.encode("ascii", "xmlcharrefreplace")


def string(value: str) -> bytes:
    """A text as a string of a workbook, in which _x000A_ would mean a line feed."""
    return text(_LOOKS_ESCAPED.sub("_x005F_", cell_text(value)))


def local_name(name: str) -> str:
    return name.rpartition(":")[2]


def elements(data: bytes, on_element: Callable[[str, dict[str, str]], None]) -> None:
    """Call with every element's local name and attributes, in the order of the part."""
    parser = new_parser()
    parser.StartElementHandler = lambda name, attributes: on_element(local_name(name), attributes)
    run(parser, data)
