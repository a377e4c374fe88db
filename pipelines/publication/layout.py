"""Widths and heights of printed text: how many half-width places a text takes, and how it breaks into lines.

A Chinese character takes two places. No drawing here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_CLOSING = "，。；：、）》”’！？,.;:)%"  # never at the beginning of a line


@lru_cache(maxsize=20_000)  # the same labels stand on every month's sheets
def display_width(text: str) -> int:
    """Half-width places that a text takes on a terminal or in a column of a sheet."""
    return sum(_places(character) for character in text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text filled with blanks to a width in half-width places."""
    blanks = " " * max(0, width - display_width(text))
    return blanks + text if right else text + blanks


@lru_cache(maxsize=20_000)
def line_count(text: str, width: float) -> int:
    """How many lines a text takes when it is wrapped at a width; Latin words are not broken."""
    lines = 0
    for paragraph in text.split("\n"):
        used = 0
        lines += 1
        for piece in re.findall(r"[!-~–×÷≥≤]+|\s+|.", paragraph):
            places = display_width(piece)
            if used and used + places > width and piece not in _CLOSING and not piece.isspace():
                lines += 1
                used = 0
            used += places
            while used > width and places > width:  # a word longer than the line is broken
                lines += 1
                used -= int(width)
    return lines


@lru_cache(maxsize=20_000)
def longest_piece(text: str) -> int:
    """Width of the longest part of a text that cannot be wrapped: a Latin word, or one Chinese character."""
    return max((display_width(piece) for piece in re.findall(r"[!-~–]+|.", text)), default=0)


def split_between(left: str, right: str, widths: Sequence[float]) -> tuple[int, int]:
    """Where to divide a row of columns between two texts: the last column of the left one, and how many lines both take.

    Widths are in half-width places. The division that takes fewest lines; of those the one nearest to two fifths.
    """
    two_fifths = sum(widths) * 0.4

    def cost(middle: int) -> tuple[int, float]:
        on_left, on_right = sum(widths[: middle + 1]), sum(widths[middle + 1 :])
        lines = max(line_count(left, on_left - 1), line_count(right, on_right - 1))
        return lines, abs(on_left - two_fifths)

    middle = min(range(len(widths) - 1), key=cost)
    return middle, cost(middle)[0]


def _places(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
