"""The sheet 审核意见 of an annotated workbook, as far as its writer and its reader must agree on it: its names, its
heads, what an answer is, and which finding of the next upload an answer belongs to.

Writing it is `validation.annotate`, reading it is `intake.answers`; neither knows the other.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
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
# First text of the hidden column that only our sheets have.
MARKER = "servtrade-review 1"
LEAST_ANSWER_LENGTH = 5
MOST_ANSWER_LENGTH = 1000
MOST_ANSWERS = 1_000  # that are read from a file
LONGEST_LISTED = (
    1_000  # characters of what was given, expected or identifies the row: as listed and as compared
)
_LONGEST_QUOTED = 60  # characters of a value in a sentence
LONGEST_CELL_TEXT = 32_767  # what a cell holds, in UTF-16 units; programs cut or refuse what is longer

# Control characters but for the line feed, marks that turn the direction of writing or take no room, halves of
# surrogate pairs and what is no character at all: none of it belongs in a cell that a person reads.
_CHECKED_KEY = re.compile(r"(.*?) ?#([0-9a-f]{8})", re.DOTALL)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)


class Why(StrEnum):
    """Why an answer is not used, or (`CUT`) not all of it; as in review_sheet.yaml."""

    TOO_SHORT = "too_short"
    GONE = "gone"  # nobody asks any more
    CHANGED = "changed"  # asked about another value
    CRITICAL = "critical"  # an error is corrected, not explained
    LATER = "later"  # another answer to the same query stands below
    MOVED = "moved"  # the hidden key is of another row, or missing: somebody sorted the columns one sees
    NOT_OURS = "not_ours"  # the sheet has our heads and not our hidden columns
    BEYOND = "beyond"  # more answers than are read
    CUT = "cut"  # longer than is kept


class InvalidReviewWords(ValueError):
    """expectations/review_sheet.yaml cannot be used; the message names the entry and the remedy."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a clerk wrote beside one finding of the previous upload, and which finding that was.

    `given` is the value that the finding was about then: an answer to 12,500,000 says nothing about 1,250.
    `trouble` is what the reader found amiss: MOVED, NOT_OURS and BEYOND leave it unused; empty where nothing is.
    """

    rule: str
    sheet: str
    cell: str
    key: str
    given: str
    text: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class UnusedAnswer:
    """An answer that explains nothing, why, and the position of the finding that it was perhaps meant for."""

    answer: Answer
    why: Why
    position: int | None = None


@dataclass(frozen=True, slots=True)
class MatchedAnswers:
    """Answers by the position of the finding that they belong to, and those that are not used, in their order."""

    by_position: Mapping[int, Answer]
    unused: tuple[UnusedAnswer, ...]


def match_answers(
    findings: Sequence[Finding], answers: Iterable[Answer], least_length: int = 1
) -> MatchedAnswers:
    """Which warnings of this upload the answers in its 审核意见 explain.

    An answer belongs to a warning of the same rule, the same business key and the same value given; where several
    are alike in all three, sheet and cell must agree too. A critical finding takes no answer, and an answer shorter
    than `least_length` is none; a blank one is not even unused. One answer explains one finding, and of two answers to one finding the later counts.
    """
    waiting: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    asked: dict[tuple[str, str], int] = {}
    for position, finding in enumerate(findings):
        if finding.severity is Severity.WARNING:
            waiting[_likeness(finding)].append(position)
        if finding.severity is not Severity.INFO:
            asked.setdefault(_likeness(finding)[:2], position)
    matched: dict[int, Answer] = {}
    unused: list[UnusedAnswer] = []
    for answer in answers:
        if not compared(answer.text):
            continue
        if answer.trouble and answer.trouble != Why.CUT:
            unused.append(UnusedAnswer(answer, Why(answer.trouble)))
            continue
        alike = waiting.get(_likeness(answer), [])
        here = [
            position
            for position in alike
            if compared(findings[position].sheet) == compared(answer.sheet)
            and findings[position].cell == answer.cell
        ]
        place = here[0] if here else alike[0] if len(alike) == 1 else None
        if place is None:
            unused.append(_meant_for(findings, answer, asked.get(_likeness(answer)[:2])))
        elif len(answer.text.strip()) < least_length:
            unused.append(UnusedAnswer(answer, Why.TOO_SHORT, place))
        else:
            if place in matched:
                unused.append(UnusedAnswer(matched[place], Why.LATER, place))
            matched[place] = answer
    return MatchedAnswers(matched, tuple(unused))


def _meant_for(findings: Sequence[Finding], answer: Answer, position: int | None) -> UnusedAnswer:
    """Of an answer to a query that is not asked as it was: whether another of that rule and object is."""
    if position is None:
        return UnusedAnswer(answer, Why.GONE)
    if findings[position].severity is Severity.CRITICAL:
        return UnusedAnswer(answer, Why.CRITICAL, position)
    is_same_value = compared(findings[position].given) == compared(answer.given)
    return UnusedAnswer(answer, Why.GONE if is_same_value else Why.CHANGED, position)


def why_unused(findings: Sequence[Finding], one: UnusedAnswer, language: Language) -> str:
    """Why an answer is not used, in words."""
    now = findings[one.position].given if one.position is not None else ""
    return say(
        language,
        "unused",
        "why",
        one.why.value,
        least=LEAST_ANSWER_LENGTH,
        most=f"{MOST_ANSWERS:,}",
        answered=compared(one.answer.given)[:_LONGEST_QUOTED],
        given=compared(now)[:_LONGEST_QUOTED],
    )


def checked_key(rule: str, sheet: str, cell: str, given: str, key: str) -> str:
    """The hidden text of a row: the business key, and a sum by which it is seen whether it is still of that row."""
    return f"{compared(key)} #{_sum_of(rule, sheet, cell, given, key)}".lstrip()


def _sum_of(*texts: str) -> str:
    return hashlib.sha256("\n".join(map(compared, texts)).encode("utf-8", "replace")).hexdigest()[:8]


def answer_of(values: Mapping[str, str], longest: int = LONGEST_CELL_TEXT) -> Answer | None:
    """The answer of one row by the names of its columns; None where nothing was answered.

    `trouble` says that the row's hidden key is missing or of another row.
    """
    text = values.get("answer", "").strip()
    rule, sheet, cell, given = (values.get(name, "").strip() for name in ("rule", "sheet", "cell", "given"))
    if not rule or folded(text) in not_answers():
        return None
    match = _CHECKED_KEY.fullmatch(values.get("key", "").strip())
    key = match[1] if match else ""
    is_of_this_row = match is not None and match[2] == _sum_of(rule, sheet, cell, given, key)
    trouble = "" if is_of_this_row else Why.MOVED.value
    if len(text) > longest:
        text, trouble = text[:longest].rstrip(), trouble or Why.CUT.value
    return Answer(rule, sheet, cell, key, given, text, trouble)


def is_set_aside(text: str) -> bool:
    """Whether it is an answer that we put back marked as not used: none until somebody takes the mark away."""
    return text.lstrip().startswith(_both(words("unused", "mark")))


def set_aside(language: Language, text: str) -> str:
    """An answer that was not used, as it is put back beside the query."""
    return text if is_set_aside(text) else f"{say(language, 'unused', 'mark')}{text}"


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
    return re.compile(rf"(?:{either})(?P<plain>(?:\s*[（(]\d+[)）])?$)?", re.IGNORECASE)


def is_review_sheet_name(name: str) -> bool:
    """Whether a sheet of this name is one of ours, in either language; with a number if the name was taken."""
    match = _sheet_name_pattern().match(name.strip())
    return match is not None and match["plain"] is not None


def may_be_review_sheet_name(name: str) -> bool:
    """Whether the name begins as ours do: somebody may have added to it, and its heads tell."""
    return _sheet_name_pattern().match(name.strip()) is not None


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
