"""What one cell says: numbers, dates, periods, ticks and labels as clerks write them.

Each reader takes a cell as calamine gives it (text, float, bool, date, '' for blank) and says what it was read
as, in which state, and which leniencies that took (keys of `fixes` in expectations/reader.yaml). Where a cell
stands and what follows from it is the parser's business.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from pipelines.periods import InvalidPeriod, Period, parse_period, parse_span

_TEXTS_REMEMBERED = (
    65_536  # heads, codes and names repeat from file to file; a hostile file must not fill memory
)
_SIGNIFICANT_DIGITS = 15  # what Excel keeps and shows; the 17th digit of a float is nobody's figure
_DECIMAL_PLACES = 10  # of the lines store
_LARGEST = Decimal(10) ** 18  # a larger number is no amount of anybody's

_BLANKS = re.compile(r"\s+")
_CIRCLED = re.compile("[①-⑳*＊]")
_DASHES = re.compile("[‐‑‒–—―−－─]+|-{2,}")
_PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?")
_GROUPED_NUMBER = re.compile(r"[+-]?\d{1,3}(?:[, ]\d{3})+(?:\.\d*)?")
_NOT_APPLICABLE = frozenset({"-", "/", "无", "不适用", "n/a"})
_WITHHELD = frozenset({"..", "保密", "*", "**", "***", "不公开"})
_BELOW_HALF_A_UNIT = frozenset({"...", "......"})
TICKS = frozenset("☑✓✔√■●☒")
EMPTY_BOXES = frozenset("□☐○")
_YES = frozenset({"是", "1", "true", "yes", "y", "有", *TICKS})
_NO = frozenset({"", "否", "0", "false", "no", "n", "无", "-", "×", "✗", "✘", *EMPTY_BOXES})

_TEXT_DATE = re.compile(r"(\d{4})(?:年|[-./])(\d{1,2})(?:月|[-./])(\d{1,2})[日号]?")
_TIME_OF_DAY = re.compile(r"(?:T| |(?<=[日号]))\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?$")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL_RANGE = (18_264, 73_415)  # 1950 to 2100 in days since the end of 1899
_DAYS_FROM_1900_TO_1904 = 1_462


class CellProblem(NamedTuple):
    """What calamine leaves blank although something stands there: an error, or a formula without its result."""

    given: str
    is_error: bool


class ComputedSum(NamedTuple):
    """A sum that the file was saved without the result of, and what it comes to."""

    formula: str
    value: float


class NumberReading(NamedTuple):
    """A number field as read. `number` is decimal text; None where there is none to give.

    state is a `records.CellState` value, or '' for a cell that says nothing at all.
    """

    number: str | None
    state: str
    fixes: tuple[str, ...]


_BLANK = NumberReading(None, "", ())
_INVALID = NumberReading(None, "invalid", ())


def plain(text: str) -> str:
    """Full-width forms as plain ones, blanks at the ends gone."""
    return unicodedata.normalize("NFKC", text).strip()


@lru_cache(maxsize=_TEXTS_REMEMBERED)
def label_key(text: str) -> str:
    """What two writings of one label have in common: no blanks, marks of notes, full-width forms or colon."""
    # marks go first: NFKC would turn ① into the digit 1
    folded = unicodedata.normalize("NFKC", _CIRCLED.sub("", text)).casefold()
    folded = _DASHES.sub("-", _BLANKS.sub("", folded))
    return folded.rstrip(":")


def as_text(value: Any) -> str:
    """A cell as the clerk sees it, near enough to find it again: 43 and not 43.0, ISO dates."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | int):
        return number_text(float(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, CellProblem):
        return value.given
    if isinstance(value, ComputedSum):
        return number_text(value.value)
    return str(value)


def number_text(value: float) -> str:
    """A float as exact decimal text: 15 significant digits as Excel shows them, at most ten decimals.

    1.1 gives 1.1, 0.30000000000000004 gives 0.3, 1e-05 gives 0.00001.
    """
    if -1e15 < value < 1e15 and value == int(value):
        return str(int(value))
    shown = repr(value)
    if value - value != 0:  # NaN or infinite: no figure, shown as it is
        return shown
    if len(shown) > 11 or "e" in shown:
        exact = Decimal(f"{value:.{_SIGNIFICANT_DIGITS}g}")
        exponent = exact.as_tuple().exponent
        if isinstance(exponent, int) and exponent < -_DECIMAL_PLACES:
            exact = round(exact, _DECIMAL_PLACES)
        shown = f"{exact:f}"
        if "." in shown:
            shown = shown.rstrip("0").rstrip(".")
        if shown == "-0":
            shown = "0"
    return shown


def read_number(value: Any, *, is_percent: bool = False, is_delimited: bool = False) -> NumberReading:
    """An amount, a count or a percentage.

    A number is itself. Text is read where it can only mean one number; … is zero (below half a unit), — and /
    are not applicable, .. and 保密 are withheld. `is_delimited`: in a CSV every number is text, so that plain
    digits are no leniency there. NaN, infinities and numbers beyond 10^18 are invalid.
    """
    if type(value) is float:
        if value - value != 0 or abs(value) >= 1e18:
            return _INVALID
        return NumberReading(number_text(value), "value" if value else "zero", ())
    if type(value) is str:
        return _number_in_text(value, is_percent, is_delimited)
    if type(value) is int:
        return (
            NumberReading(str(value), "value" if value else "zero", ()) if abs(value) < 10**18 else _INVALID
        )
    return _INVALID


@lru_cache(maxsize=_TEXTS_REMEMBERED)
def _number_in_text(text: str, is_percent: bool, is_delimited: bool) -> NumberReading:
    folded = plain(text)
    if not folded:
        return _BLANK
    fixes: list[str] = []
    dashed = _DASHES.sub("-", folded)
    if dashed.casefold() in _NOT_APPLICABLE:
        return NumberReading(None, "not_applicable", ("not_applicable",))
    if folded in _WITHHELD:
        return NumberReading(None, "withheld", ())
    if folded in _BELOW_HALF_A_UNIT:
        return NumberReading("0", "zero", ("below_half_a_unit",))
    if folded != text.strip():
        fixes.append("full_width")
    if text.strip() != text:
        fixes.append("blanks")
    figure = dashed
    if figure.endswith("%"):
        if not is_percent:
            return _INVALID
        figure = figure[:-1].rstrip()
        fixes.append("percent_sign")
    if _GROUPED_NUMBER.fullmatch(figure):
        figure = figure.replace(",", "").replace(" ", "")
        fixes.append("thousands")
    if not _PLAIN_NUMBER.fullmatch(figure):
        return _INVALID
    number = Decimal(figure)
    if abs(number) >= _LARGEST:
        return _INVALID
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_DECIMAL_PLACES:
        number = round(number, _DECIMAL_PLACES)
        fixes.append("decimals")
    if not fixes and not is_delimited:
        fixes.append("text_number")
    return NumberReading(f"{number:f}", "value" if number else "zero", tuple(fixes))


class DayReading(NamedTuple):
    """A date field as read; `day` is None where it is none."""

    day: date | None
    fixes: tuple[str, ...]


def read_date(value: Any, *, is_1904: bool) -> DayReading:
    """A day: a date cell, 2020-03-05, 2020年3月5日, 2020/3/5; 20200305 and a serial number with a fix."""
    if isinstance(value, datetime):
        return DayReading(value.date(), ())
    if isinstance(value, date):
        return DayReading(value, ())
    if isinstance(value, float | int) and not isinstance(value, bool):
        day = day_of_serial(float(value), is_1904=is_1904)
        if day is not None:
            return DayReading(day, ("serial_date",))
        return DayReading(_compact_date(number_text(float(value))), ("compact_date",))
    if not isinstance(value, str):
        return DayReading(None, ())
    # The time goes while blanks still part it from the day: 2020-1-1 10:00 is no 2020-1-11.
    folded = _TIME_OF_DAY.sub("", _BLANKS.sub(" ", plain(value))).replace(" ", "")
    match = _TEXT_DATE.fullmatch(folded)
    if match:
        return DayReading(_day(match), ("full_width",) if plain(value) != value.strip() else ())
    return DayReading(_compact_date(folded), ("compact_date",))


def _compact_date(text: str) -> date | None:
    match = _COMPACT_DATE.fullmatch(text)
    return _day(match) if match else None


def _day(match: re.Match[str]) -> date | None:
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:  # 2020-02-30: looks like a date and is none
        return None


def day_of_serial(value: float, *, is_1904: bool) -> date | None:
    """The day of a serial number of Excel's calendar of 1900 or 1904, if it falls into living memory."""
    days = value + (_DAYS_FROM_1900_TO_1904 if is_1904 else 0)
    if not _SERIAL_RANGE[0] <= days <= _SERIAL_RANGE[1]:
        return None
    return date(1899, 12, 30) + timedelta(days=int(days))


class PeriodReading(NamedTuple):
    """A period field as read; None where it is none."""

    period: Period | None
    fixes: tuple[str, ...]


def read_period(value: Any, *, is_1904: bool, is_span: bool = False) -> PeriodReading:
    """A reference period in the shapes of the forms; a date is the month it lies in, a serial number with a fix.

    With `is_span` (a form filed by quarter, half-year or year) 2025年1-6月 is a period too.
    """
    if isinstance(value, bool) or not isinstance(value, str | float | int | date):
        return PeriodReading(None, ())
    if isinstance(value, float | int):
        day = day_of_serial(float(value), is_1904=is_1904)
        if day is not None:
            return PeriodReading(parse_period(day), ("serial_date",))
        if value - value != 0:
            return PeriodReading(None, ())
    try:
        return PeriodReading(_span_of(value) if is_span else _period_of(value), ())
    except InvalidPeriod:
        pass
    reading = read_date(value, is_1904=is_1904)
    if reading.day is None or not 1900 <= reading.day.year <= 2999:
        return PeriodReading(None, ())
    return PeriodReading(parse_period(reading.day), reading.fixes)


@lru_cache(maxsize=4096)
def _period_of(value: str | float | date) -> Period:
    return parse_period(value)


@lru_cache(maxsize=4096)
def _span_of(value: str | float | date) -> Period:
    return parse_span(value)


@lru_cache(maxsize=4096)
def read_flag(text: str) -> bool | None:
    """A box or a yes-or-no: ☑ √ 是 1 are yes, blank □ 否 0 are no, anything else is None."""
    folded = plain(text).casefold()
    if folded in _YES:
        return True
    if folded in _NO:
        return False
    marks = {character for character in folded if character in TICKS or character in EMPTY_BOXES}
    rest = label_key("".join(character for character in folded if character not in marks))
    if len(marks) == 1 and rest in ("", "是", "有"):
        return marks <= TICKS
    return None
