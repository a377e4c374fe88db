"""Tables as plain text (CSV, tab-separated): the encodings in which offices save them, and what parts their columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ",\t;"
_SAMPLE_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text without its byte order mark; `encoding` is the one that fitted."""

    text: str
    encoding: str


class UndecodableText(ValueError):
    """Bytes that are no text of a table.

    kind  `text_without_mark` (UTF-16 that does not say so), `damaged` (UTF-16 that breaks off or is mixed with
          something else), `unknown` (no text at all)
    """

    def __init__(self, kind: Literal["text_without_mark", "damaged", "unknown"]) -> None:
        super().__init__(kind)
        self.kind = kind


def decoded(content: bytes) -> DecodedText:
    """The text of a table as offices save it. Raises UndecodableText.

    Excel and WPS write UTF-8 (with a mark or without), the code page of Chinese Windows, and as “Unicode 文本
    (*.txt)” UTF-16 with a byte order mark. UTF-16 without the mark is not guessed at: it is recognised, so that
    people can be told what to do.
    """
    if content.startswith(_UTF_16_MARKS):
        try:
            text = content.decode("utf-16")
        except UnicodeDecodeError:
            raise UndecodableText("damaged") from None
        if "\0" in text:  # UTF-32 begins like UTF-16
            raise UndecodableText("unknown")
        return DecodedText(text, "utf-16")
    if b"\0" in content:
        raise UndecodableText("text_without_mark" if _is_unmarked_utf_16(content) else "unknown")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return DecodedText(content.decode(encoding), encoding)
        except UnicodeDecodeError:
            continue
    raise UndecodableText("unknown")


def delimiter_of(text: str) -> str:
    """What parts the columns: the comma, tab or semicolon that the beginning has most of."""
    return max(_DELIMITERS, key=text[:_SAMPLE_LENGTH].count)


def is_marked_utf_16(content: bytes) -> bool:
    """Whether bytes begin as UTF-16 with a byte order mark does, and go on as text."""
    try:
        return content.startswith(_UTF_16_MARKS) and decoded(content).encoding == "utf-16"
    except UndecodableText:
        return False


def _is_unmarked_utf_16(content: bytes) -> bool:
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Read the wrong way round, the ends of lines and the delimiters are no such characters any more.
        if "\0" not in text and "\n" in text and any(mark in text for mark in _DELIMITERS):
            return True
    return False
