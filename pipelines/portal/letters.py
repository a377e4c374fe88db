"""The letter of reminder (催报函) as a PDF: one page an enterprise, in the measures of GB/T 9704 (公文).

Its wording is in words/letter.yaml. Everything that varies reaches the template as data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.periods import Month
from pipelines.portal.language import Words
from pipelines.typeset import typeset

TEMPLATE = Path(__file__).with_name("letter.typ")


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom one letter goes."""

    enterprise_code: str
    enterprise_name: str
    contact: str


def reminder_letters(letters: Sequence[Letter], *, month: Month, deadline: date, on: date) -> bytes:
    """The letters in one PDF, in the order given; the same letters of the same day give the same bytes.

    Raises ValueError without a letter: an empty PDF would be taken for one that was sent.
    """
    if not letters:
        raise ValueError("no enterprise to write to")
    words = Words()

    def said(key: str, **values: object) -> str:
        return words.wording(key).zh.format(**values)

    named = {
        "month": f"{month:zh}",
        "deadline": _chinese_day(deadline),
        "today": _chinese_day(on),
    }
    return typeset(
        TEMPLATE,
        {
            "title": said("letter.title", **named),
            "seal": said("letter.seal"),
            "date": named["today"],
            "letters": [
                {
                    "name": one.enterprise_name,
                    "code": said("letter.code", code=one.enterprise_code),
                    "paragraphs": [
                        said("letter.due", **named),
                        said("letter.ask", **named),
                        said("letter.zero", **named),
                        said("letter.help"),
                    ],
                    "contact": said("letter.contact", contact=one.contact) if one.contact else "",
                }
                for one in letters
            ],
        },
    )


def _chinese_day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
