"""What cells hold, read from the parts themselves: for our own sheet when it comes back, and for the values-only copy.

Values as stored: a formula's saved result, never the formula. What a form means by them is the intake's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pipelines.validation.annotate.book import Book
from pipelines.validation.annotate.markup import local_name, new_parser, run
from pipelines.validation.annotate.sheets import Place, place_of

_UNREAD = frozenset({"rPh", "phoneticPr"})  # how a Chinese or Japanese text is read aloud


class Content(NamedTuple):
    """One cell: its kind (n, s, str, inlineStr, b, e, d), its text, whether a formula stands behind it, its format."""

    place: Place
    kind: str
    text: str
    is_formula: bool
    format: int


def shared_strings(book: Book) -> list[str]:
    """The strings that cells refer to by number. Raises CannotAnnotate."""
    part = book.related("sharedStrings")
    if not part:
        return []
    strings: list[str] = []
    pieces: list[str] = []
    depth = muted = 0
    is_text = False

    def on_start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, muted, is_text
        depth += 1
        local = local_name(name)
        if local in _UNREAD:
            muted += 1
        is_text = local == "t" and not muted

    def on_text(text: str) -> None:
        if is_text:
            pieces.append(text)

    def on_end(name: str) -> None:
        nonlocal depth, muted, is_text
        depth -= 1
        is_text = False
        local = local_name(name)
        if local in _UNREAD:
            muted -= 1
        elif local == "si" and depth == 1:
            strings.append("".join(pieces))
            pieces.clear()

    parser = new_parser()
    parser.buffer_text = True
    parser.StartElementHandler = on_start
    parser.CharacterDataHandler = on_text
    parser.EndElementHandler = on_end
    run(parser, book.package.read(part))
    return strings


def each_cell(data: bytes, strings: list[str], on_cell: Callable[[Content], None]) -> None:
    """Call with every cell of a sheet that holds something, in the order of the part. Raises CannotAnnotate."""
    row = column = 0
    kind = ""
    format_ = 0
    has_formula = has_value = False
    is_text = False
    muted = 0
    pieces: list[str] = []

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, kind, format_, has_formula, has_value, is_text, muted
        local = local_name(name)
        if local == "c":
            place = place_of(attributes.get("r", ""))
            row, column = place if place else (row, column + 1)
            kind = attributes.get("t", "n")
            given = attributes.get("s", "")
            format_ = int(given) if given.isdecimal() and len(given) < 9 else 0
            has_formula = has_value = False
            pieces.clear()
        elif local == "row":
            given = attributes.get("r", "")
            row = int(given) if given.isdecimal() and len(given) < 8 else row + 1
            column = 0
        elif local in _UNREAD:
            muted += 1
        elif local == "f":
            has_formula = True
        is_text = local in ("v", "t") and not muted
        if is_text:
            has_value = True

    def on_text(text: str) -> None:
        if is_text:
            pieces.append(text)

    def on_end(name: str) -> None:
        nonlocal is_text, muted
        is_text = False
        local = local_name(name)
        if local in _UNREAD:
            muted -= 1
        elif local == "c" and (has_value or has_formula):
            text = "".join(pieces)
            if kind == "s":
                text = strings[int(text)] if text.isdecimal() and int(text) < len(strings) else ""
            on_cell(Content((row, column), kind, text, has_formula, format_))

    parser = new_parser()
    parser.buffer_text = True
    parser.StartElementHandler = on_start
    parser.CharacterDataHandler = on_text
    parser.EndElementHandler = on_end
    run(parser, data)
