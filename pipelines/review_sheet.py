"""The sheet 审核意见 of an annotated workbook, as far as its writer and its reader must agree on it: its names, its
heads, what an answer is, and which finding of the next upload an answer belongs to.

Writing it is `validation.annotate`, reading it is `intake.answers`; neither knows the other.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import yaml

from pipelines.findings import Finding, Severity, Wording
from pipelines.paths import EXPECTATIONS_DIR

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

# The columns, from the left. The last is hidden: it tells apart findings that look alike.
COLUMNS = ("number", "rule", "severity", "sheet", "cell", "given", "expected", "message", "answer", "key")
# Without these a sheet of that name is somebody's own.
NEEDED_COLUMNS = frozenset({"rule", "sheet", "cell", "answer"})
LEAST_ANSWER_LENGTH = 5
MOST_ANSWER_LENGTH = 1000
LONGEST_LISTED = (
    1_000  # characters of what was given, expected or identifies the row: as listed and as compared
)
LONGEST_CELL_TEXT = 32_767  # what a cell holds, in UTF-16 units; programs cut or refuse what is longer

# Control characters but for the line feed, marks that turn the direction of writing or take no room, halves of
# surrogate pairs and what is no character at all: none of it belongs in a cell that a person reads.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)


class InvalidReviewWords(ValueError):
    """expectations/review_sheet.yaml cannot be used; the message names the entry and the remedy."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a clerk wrote beside one finding of the previous upload, and which finding that was.

    `given` is the value that the finding was about then: an answer to 12,500,000 says nothing about 1,250.
    """

    rule: str
    sheet: str
    cell: str
    key: str
    given: str
    text: str


@dataclass(frozen=True, slots=True)
class MatchedAnswers:
    """Answers by the position of the finding that they belong to, and those that no finding asks for any more."""

    by_position: Mapping[int, Answer]
    unused: tuple[Answer, ...]


def match_answers(findings: Sequence[Finding], answers: Iterable[Answer]) -> MatchedAnswers:
    """Which warnings of this upload the answers in its 审核意见 explain.

    An answer belongs to a warning of the same rule, the same business key and the same value given; where several
    are alike in all three, sheet and cell must agree too. A critical finding takes no answer. One answer explains
    one finding, and of two answers to one finding the later counts.
    """
    waiting: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for position, finding in enumerate(findings):
        if finding.severity is Severity.WARNING:
            waiting[_likeness(finding)].append(position)
    matched: dict[int, Answer] = {}
    unused: list[Answer] = []
    for answer in answers:
        alike = waiting.get(_likeness(answer), [])
        here = [
            position
            for position in alike
            if compared(findings[position].sheet) == compared(answer.sheet)
            and findings[position].cell == answer.cell
        ]
        place = here[0] if here else alike[0] if len(alike) == 1 else None
        if place is None or not compared(answer.text):
            unused.append(answer)
        else:
            matched[place] = answer
    return MatchedAnswers(matched, tuple(unused))


def _likeness(one: Finding | Answer) -> tuple[str, str, str]:
    return one.rule, compared(one.key), compared(one.given)


def compared(text: str) -> str:
    """A text as it is compared after a way through a cell: without what no cell keeps, blanks run together."""
    return " ".join(cell_text(text)[:LONGEST_LISTED].split())


def cell_text(text: str) -> str:
    """A text fit for a cell that a person reads: no control or direction marks, not longer than a cell holds."""
    clean = _UNSEEN.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(clean) > LONGEST_CELL_TEXT // 2:  # a character beyond the basic plane counts twice
        while len(clean.encode("utf-16-le")) // 2 > LONGEST_CELL_TEXT:
            surplus = len(clean.encode("utf-16-le")) // 2 - LONGEST_CELL_TEXT
            clean = clean[: -max(1, surplus // 2)]
    return clean


# Words ----------------------------------------------------------------------------------------------------------


@cache
def _document() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with (EXPECTATIONS_DIR / "review_sheet.yaml").open(encoding="utf-8") as file:
        loaded = yaml.load(file, Loader=loader)  # noqa: S506  both loaders are the safe ones
    if not isinstance(loaded, dict):
        raise InvalidReviewWords("review_sheet.yaml: holds no entries. Restore it.")
    return loaded


@cache
def words(*path: str) -> Wording:
    """One entry of the catalogue in both languages. Raises InvalidReviewWords."""
    entry: Any = _document()
    for key in path:
        entry = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or set(entry) != {"zh", "en"}:
        raise InvalidReviewWords(f"review_sheet.yaml: {'.'.join(path)} must have zh and en.")
    return Wording(str(entry["zh"]), str(entry["en"]))


def say(language: Language, *path: str, **values: object) -> str:
    """One entry in one language, filled in."""
    wording = words(*path)
    text = wording.zh if language == "zh" else wording.en
    return text.format(**values) if values else text


@cache
def _sheet_name_pattern() -> re.Pattern[str]:
    names = words("sheet_name")
    either = "|".join(re.escape(name) for name in (names.zh, names.en))
    return re.compile(rf"(?:{either})(?:\s*[（(]\d+[)）])?", re.IGNORECASE)


def is_review_sheet_name(name: str) -> bool:
    """Whether a sheet of this name is one of ours, in either language; with a number if the name was taken."""
    return _sheet_name_pattern().fullmatch(name.strip()) is not None


@cache
def column_of_head() -> Mapping[str, str]:
    """Column by the words of its head, folded, in both languages."""
    found: dict[str, str] = {}
    for column in COLUMNS:
        wording = words("heads", column)
        for text in (wording.zh, wording.en):
            if found.setdefault(folded(text), column) != column:
                raise InvalidReviewWords(f"review_sheet.yaml: two heads read {text!r}. Change one.")
    return found


@cache
def not_answers() -> frozenset[str]:
    """What stands in the answer column where no answer is asked for, folded."""
    found = {folded(text) for kind in ("critical", "info") for text in _both(words("no_answer", kind))}
    return frozenset(found | {""})


def folded(text: str) -> str:
    """A head as it is compared: no blanks, no case."""
    return "".join(cell_text(text).split()).casefold()


def _both(wording: Wording) -> tuple[str, str]:
    return wording.zh, wording.en
