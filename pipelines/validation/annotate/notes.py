"""Comments beside cells: ours put in and taken out again, with the shapes that programs draw them in.

A comment that is there already keeps its text and gets ours below it, between two marks; between those marks, and
nowhere else, the next annotation takes away. Shapes live in a drawing of Microsoft's older kind (VML), which is
patched as text, because programs write it in ways that are no XML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from pipelines.review_sheet import LANGUAGES, Language, say
from pipelines.validation.annotate.markup import (
    Edits,
    Element,
    attribute,
    new_parser,
    parse,
    prefixed,
    run,
    string,
)
from pipelines.validation.annotate.sheets import Place, place_of

_SHAPE = re.compile(rb"<(\w+):shape[\s>]")  # programs differ in their prefixes
_SHAPE_ID = re.compile(rb"_x0000_s(\d{1,9})")
_ROW = re.compile(rb"<\w+:Row>\s*(\d{1,7})\s*<")
_COLUMN = re.compile(rb"<\w+:Column>\s*(\d{1,5})\s*<")
_CHARACTERS_A_LINE = 46  # of half a Chinese character's width, in a box of four ordinary columns
_LINE_FEED = "\n"

_VML_NAMESPACES = {
    b"v": b"urn:schemas-microsoft-com:vml",
    b"o": b"urn:schemas-microsoft-com:office:office",
    b"x": b"urn:schemas-microsoft-com:office:excel",
}
_NEW_DRAWING = (
    b'<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    b'xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/>'
    b"</o:shapelayout></xml>"
)
_SHAPE_TYPE = (
    b'<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    b'<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)


def new_comments(namespace: str) -> bytes:
    """A part of comments without any."""
    return (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<comments xmlns="%s"><authors></authors>'
        b"<commentList></commentList></comments>" % attribute(namespace)
    )


def new_drawing() -> bytes:
    """A drawing of comments without any."""
    return _NEW_DRAWING


def commented_cells(data: bytes) -> set[Place]:
    """Cells that have a comment."""
    return {
        place for comment in _comments(parse(data)) if (place := place_of(comment.attributes.get("ref", "")))
    }


def comment_texts(data: bytes) -> Iterator[tuple[Place, str, str]]:
    """Cell, author and text of every comment, in the order of the part."""
    root = parse(data)
    authors = root.first("authors")
    names = [_text_between(data, one) for one in authors.children] if authors is not None else []
    for comment in _comments(root):
        place = place_of(comment.attributes.get("ref", ""))
        number = comment.attributes.get("authorId", "")
        text = "".join(_text_between(data, one) for one in comment.walk() if one.local == "t")
        if place is not None:
            author = names[int(number)] if number.isdecimal() and int(number) < len(names) else ""
            yield place, author, text


def referenced_cells(data: bytes) -> set[Place]:
    """Cells that any element of a part refers to by `ref`: those of threaded comments."""
    return {
        place
        for element in parse(data).walk()
        if (place := place_of(element.attributes.get("ref", "").partition(":")[0])) is not None
    }


def with_notes(data: bytes, notes: Mapping[Place, tuple[str, str]], language: Language) -> bytes:
    """A part of comments with ours: by place the address and the text, appended where there is a comment already.

    Raises CannotAnnotate if the part is not well formed.
    """
    root = parse(data)
    prefix = root.prefix
    authors, comment_list = root.first("authors"), root.first("commentList")
    edits = Edits(data)
    author_name = say(language, "comment", "author")
    author = b"<author>%s</author>" % string(author_name)
    author_number = 0
    if authors is None:
        edits.insert(root.inside, prefixed(b"<authors>%s</authors>" % author, prefix))
    else:
        names = [_text_between(data, one) for one in authors.children]
        if author_name in names:
            author_number = names.index(author_name)
        else:
            author_number = len(names)
            edits.append(authors, prefixed(author, prefix))
    there = {place_of(comment.attributes.get("ref", "")): comment for comment in _comments(root)}
    made_comments: list[bytes] = []
    for place, (address, note) in sorted(notes.items()):
        comment = there.get(place)
        if comment is None:
            runs = prefixed(_runs(note, language, is_first=True), prefix)
            tag = prefix.encode()
            made_comments.append(
                b'<%scomment ref="%s" authorId="%d"><%stext>%s</%stext></%scomment>'
                % (tag, address.encode(), author_number, tag, runs, tag, tag)
            )
        else:
            _append_to(edits, comment, prefixed(_runs(note, language, is_first=False), prefix))
    if comment_list is not None:
        if made_comments:
            edits.append(comment_list, b"".join(made_comments))
    else:
        tag = prefix.encode()
        edits.insert(root.close, b"<%scommentList>%s</%scommentList>" % (tag, b"".join(made_comments), tag))
    return edits.result()


def _comments(root: Element) -> list[Element]:
    comment_list = root.first("commentList")
    return comment_list.all("comment") if comment_list is not None else []


def _runs(note: str, language: Language, *, is_first: bool) -> bytes:
    """Our text as two runs without prefix: the opening mark in bold, then the rest with the closing mark."""
    opening = ("" if is_first else _LINE_FEED) + say(language, "comment", "opening") + _LINE_FEED
    rest = note + _LINE_FEED + say(language, "comment", "closing")
    font = b'<sz val="9"/><color indexed="81"/><rFont val="%s"/><charset val="134"/>' % string("宋体")
    return b"".join(
        b'<r><rPr>%s%s</rPr><t xml:space="preserve">%s</t></r>' % (bold, font, string(text))
        for bold, text in ((b"<b/>", opening), (b"", rest))
    )


def _append_to(edits: Edits, comment: Element, runs: bytes) -> None:
    text = comment.first("text")
    if text is None:
        tag = comment.prefix.encode()
        edits.append(comment, b"<%stext>%s</%stext>" % (tag, runs, tag))
        return
    if text.is_empty:
        edits.append(text, runs)
        return
    plain = text.first("t")
    if plain is not None:  # a plain text becomes a run of the same text: the two are not mixed
        tag = text.prefix.encode()
        edits.insert(plain.start, b"<%sr>" % tag)
        edits.insert(plain.end, b"</%sr>" % tag)
    behind = next((child for child in text.children if child.local in ("rPh", "phoneticPr")), None)
    edits.insert(behind.start if behind is not None else text.close, runs)


# Taking ours out ------------------------------------------------------------------------------------------------


def holds_notes(data: bytes) -> bool:
    """Whether a part of comments can hold one of ours: asked before it is parsed."""
    return any(mark in data for mark in _opening_marks())


def _opening_marks() -> list[bytes]:
    marks = [say(language, "comment", "opening") for language in LANGUAGES]
    return [form for mark in marks for form in (mark.encode(), string(mark))]


def _ours() -> re.Pattern[str]:
    openings = "|".join(re.escape(say(language, "comment", "opening")) for language in LANGUAGES)
    closings = "|".join(re.escape(say(language, "comment", "closing")) for language in LANGUAGES)
    return re.compile(rf"\n?(?:{openings}).*?(?:(?:{closings})|\Z)", re.DOTALL)


def without_notes(data: bytes) -> tuple[bytes, set[Place]]:
    """A part of comments without our texts, and the cells whose comment held nothing else and is gone."""
    root = parse(data)
    pattern = _ours()
    edits = Edits(data)
    gone: set[Place] = set()
    used_authors: set[str] = set()
    for comment in _comments(root):
        texts = [element for element in comment.walk() if element.local == "t"]
        pieces = [_text_between(data, element) for element in texts]
        whole = "".join(pieces)
        spans = [match.span() for match in pattern.finditer(whole)]
        if spans and not pattern.sub("", whole).strip():
            place = place_of(comment.attributes.get("ref", ""))
            if place is not None:
                gone.add(place)
            edits.replace(comment.start, comment.end, b"")
            continue
        used_authors.add(comment.attributes.get("authorId", ""))
        if spans:
            _cut_texts(edits, comment, texts, pieces, spans)
    authors = root.first("authors")
    if authors is not None and authors.children:
        last = authors.children[-1]
        names = {say(language, "comment", "author") for language in LANGUAGES}
        if str(len(authors.children) - 1) not in used_authors and _text_between(data, last) in names:
            edits.replace(last.start, last.end, b"")
    return edits.result(), gone


def _cut_texts(
    edits: Edits, comment: Element, texts: list[Element], pieces: list[str], spans: list[tuple[int, int]]
) -> None:
    run_of = {
        id(child): run
        for run in comment.walk()
        if run.local == "r"
        for child in run.children
        if child.local == "t"
    }
    position = 0
    for element, piece in zip(texts, pieces, strict=True):
        kept, spans = _outside(piece, position, spans)
        position += len(piece)
        if kept == piece:
            continue
        run = run_of.get(id(element))
        if not kept and run is not None:
            edits.replace(run.start, run.end, b"")
        elif not element.is_empty:
            edits.replace(element.inside, element.close, string(kept))


def _outside(piece: str, start: int, spans: list[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """What of a piece that begins at `start` lies outside the spans, and the spans that reach beyond the piece."""
    end = start + len(piece)
    kept: list[str] = []
    position = start
    number = 0
    for number, (first, last) in enumerate(spans):
        if first >= end:
            return "".join(kept) + piece[position - start :], spans[number:]
        kept.append(piece[position - start : max(first - start, position - start)])
        position = max(position, min(last, end))
        if last > end:
            return "".join(kept), spans[number:]
    return "".join(kept) + piece[position - start :], []


def is_without_comments(data: bytes) -> bool:
    """Whether a part of comments holds none."""
    return not _comments(parse(data))


def _text_between(data: bytes, element: Element) -> str:
    """The text directly inside an element."""
    if element.is_empty:
        return ""
    raw = data[element.inside : element.close]
    if b"<" in raw:  # CDATA, or a comment within a text: rare enough to be read by expat
        return _slow_text(b"<t>" + raw + b"</t>")
    if b"&" not in raw:
        return raw.decode("utf-8", "replace").replace("\r\n", "\n")
    return _slow_text(b"<t>" + raw + b"</t>")


def _slow_text(xml: bytes) -> str:
    pieces: list[str] = []
    parser = new_parser()
    parser.CharacterDataHandler = pieces.append
    run(parser, xml)
    return "".join(pieces)


# Shapes ---------------------------------------------------------------------------------------------------------


def with_shapes(data: bytes, places: Iterable[tuple[Place, str]]) -> bytes:
    """A drawing with a hidden box for the comment of each place, large enough for its text."""
    ids = [int(match[1]) for match in _SHAPE_ID.finditer(data)]
    number = max([1024, *ids])
    close = data.rfind(b"</")
    opening = data[: max(data.find(b">", data.find(b"<xml")), 0)]
    declared = b"".join(
        b' xmlns:%s="%s"' % (prefix, address)
        for prefix, address in _VML_NAMESPACES.items()
        if b"xmlns:" + prefix + b"=" not in opening
    )
    made: list[bytes] = []
    if b'id="_x0000_t202"' not in data:
        made.append(_SHAPE_TYPE.replace(b"<v:shapetype", b"<v:shapetype" + declared, 1))
    for order, (place, note) in enumerate(places, start=1):
        number += 1
        made.append(_shape(number, order, place, note, declared))
    return data[:close] + b"".join(made) + data[close:]


def _shape(number: int, order: int, place: Place, note: str, declared: bytes) -> bytes:
    row, column = place[0] - 1, place[1] - 1
    top = max(row - 1, 0)
    bottom = top + min(max(_line_count(note) + 2, 4), 24)
    anchor = f"{column + 1}, 15, {top}, 10, {column + 5}, 15, {bottom}, 4".encode()
    return (
        b'<v:shape%s id="_x0000_s%d" type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;'
        b'width:210pt;height:%dpt;z-index:%d;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">'
        b'<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
        b'<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
        b'<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>%s</x:Anchor>'
        b"<x:AutoFill>False</x:AutoFill><x:Row>%d</x:Row><x:Column>%d</x:Column></x:ClientData></v:shape>"
        % (declared, number, (bottom - top) * 15, order, anchor, row, column)
    )


def _line_count(note: str) -> int:
    return sum(1 + display_width(line) // _CHARACTERS_A_LINE for line in note.split("\n"))


def display_width(text: str) -> int:
    """Width in halves of a Chinese character."""
    return sum(2 if ord(character) > 0x2E7F or character in "“”‘’…—·" else 1 for character in text)


def without_shapes(data: bytes, places: set[Place]) -> bytes:
    """A drawing without the boxes of the comments of these places."""

    pieces: list[bytes] = []
    position = 0
    for match in _SHAPE.finditer(data):
        if match.start() < position:
            continue  # a shape within a shape goes with it
        closing = b"</" + match[1] + b":shape>"
        end = data.find(closing, match.end())
        if end < 0:
            break
        shape = data[match.start() : end]
        row, column = _ROW.search(shape), _COLUMN.search(shape)
        is_note = b'ObjectType="Note"' in shape and row is not None and column is not None
        pieces.append(data[position : match.start()])
        position = match.start()
        if is_note and row and column and (int(row[1]) + 1, int(column[1]) + 1) in places:
            position = end + len(closing)
    return b"".join(pieces) + data[position:]


def is_without_shapes(data: bytes) -> bool:
    """Whether a drawing holds no shape of any kind, only what defines kinds of shapes."""
    return re.search(rb"<\w+:(?:shape|rect|oval|line|group|image|roundrect|polyline)[\s>/]", data) is None
