"""The reference period: parse it in the shapes clerks write, and step through the calendar.

Deadlines and holidays are not here; a period is a fact about the figures, not about the filing.
"""

from __future__ import annotations

import math
import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

PeriodKind = Literal["month", "months_1_2", "quarter", "half_year", "year"]

# Not calendar.month_name: that follows the locale of the machine.
MONTHS_EN = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_LENGTH_IN_MONTHS: dict[PeriodKind, int] = {
    "month": 1,
    "months_1_2": 2,
    "quarter": 3,
    "half_year": 6,
    "year": 12,
}
_FIRST_MONTHS: dict[PeriodKind, tuple[int, ...]] = {
    "month": tuple(range(1, 13)),
    "months_1_2": (1,),
    "quarter": (1, 4, 7, 10),
    "half_year": (1, 7),
    "year": (1,),
}


class InvalidPeriod(ValueError):
    """A text is not a period in any of the shapes of the forms."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A reference month. Prints as 2026-03, the partition key; with the format zh or en as people write it."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1900 <= self.year <= 2999 and 1 <= self.month <= 12):
            raise InvalidPeriod(f"{self.year}-{self.month} is not a month")

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def __format__(self, spec: str) -> str:
        return _formatted(self, spec)

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read 2026-03. Raises InvalidPeriod for anything else; people's shapes go through `parse_period`."""
        match = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text)
        if match is None:
            raise InvalidPeriod(f"{text!r} is not a month; write it as 2026-03")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month in which a day lies."""
        return cls(day.year, day.month)

    @property
    def start_date(self) -> date:
        """First day: the value of every `month_start_date` column."""
        return date(self.year, self.month, 1)

    @property
    def end_date(self) -> date:
        """Last day."""
        return date(self.year, self.month, monthrange(self.year, self.month)[1])

    def plus(self, months: int) -> Month:
        """The month so many months later (earlier if negative)."""
        ordinal = self.year * 12 + self.month - 1 + months
        return Month(ordinal // 12, ordinal % 12 + 1)

    @property
    def previous(self) -> Month:
        """The month before (环比 compares with it)."""
        return self.plus(-1)

    @property
    def a_year_earlier(self) -> Month:
        """The same month of last year (同比 compares with it)."""
        return self.plus(-12)

    @property
    def year_to_date(self) -> tuple[Month, ...]:
        """January to this month (1—N月)."""
        return tuple(Month(self.year, month) for month in range(1, self.month + 1))

    @staticmethod
    def span(first: Month, last: Month) -> Iterator[Month]:
        """Every month from first to last, both included; nothing if last comes before first."""
        for months in range((last.year - first.year) * 12 + last.month - first.month + 1):
            yield first.plus(months)


@dataclass(frozen=True, slots=True)
class Period:
    """A period of figures: its first month and its kind.

    `months_1_2` is January and February released as one period, because the Spring Festival wanders
    between them: such a period has no growth rate for February alone (domain.md 6.3). With the format zh or en it
    prints as people write it.
    """

    first: Month
    kind: PeriodKind

    def __post_init__(self) -> None:
        if self.first.month not in _FIRST_MONTHS[self.kind]:
            raise InvalidPeriod(f"no {self.kind} begins in {self.first}")

    @property
    def months(self) -> tuple[Month, ...]:
        """Every month of the period, in order."""
        return tuple(Month.span(self.first, self.last))

    @property
    def last(self) -> Month:
        """Last month of the period: the partition in which it is counted."""
        return self.first.plus(_LENGTH_IN_MONTHS[self.kind] - 1)

    @classmethod
    def latest_over(cls, kind: PeriodKind, month: Month) -> Period:
        """The latest period of a kind that is over when this month ends: 2025 in March 2026, 2026 in December."""
        firsts = [
            first for first in _FIRST_MONTHS[kind] if first + _LENGTH_IN_MONTHS[kind] - 1 <= month.month
        ]
        if firsts:
            return cls(Month(month.year, firsts[-1]), kind)
        return cls(Month(month.year - 1, _FIRST_MONTHS[kind][-1]), kind)

    def __str__(self) -> str:
        first = self.first
        match self.kind:
            case "month":
                return str(first)
            case "months_1_2":
                return f"{first.year}-M01-02"
            case "quarter":
                return f"{first.year}-Q{(first.month + 2) // 3}"
            case "half_year":
                return f"{first.year}-H{1 if first.month == 1 else 2}"
            case "year":
                return f"{first.year}"

    def __format__(self, spec: str) -> str:
        return _formatted(self, spec)


# Tried in this order on the text as `_plain` leaves it: upper case, no blanks, one kind of dash.
_SHAPES: tuple[tuple[re.Pattern[str], PeriodKind], ...] = (
    # January and February as one. 2026-01-02 is a day, so without 年, 月 or M the two dashes may not be alike.
    (re.compile(r"(?P<y>[0-9]{4})年0?1月?[-~至到、]0?2(?:月份?)?"), "months_1_2"),
    (re.compile(r"(?P<y>[0-9]{4})[-./]?0?1月?[-~至到、]0?2月份?"), "months_1_2"),
    (re.compile(r"(?P<y>[0-9]{4})-?M0?1-M?0?2"), "months_1_2"),
    (re.compile(r"(?P<y>[0-9]{4})[./]0?1[-~]0?2"), "months_1_2"),
    (re.compile(r"(?P<y>[0-9]{4})年(?P<m>[0-9]{1,2})(?:月份?)?"), "month"),
    (re.compile(r"(?P<y>[0-9]{4})[-./](?P<m>[0-9]{1,2})(?:月份?)?"), "month"),
    (re.compile(r"(?P<y>[0-9]{4})年(?P<m>[0-9]{1,2})月(?P<d>[0-9]{1,2})日"), "month"),
    (re.compile(r"(?P<y>[0-9]{4})(?P<s>[-./])(?P<m>[0-9]{1,2})(?P=s)(?P<d>[0-9]{1,2})"), "month"),
    (re.compile(r"(?P<y>[0-9]{4})-?M(?P<m>[0-9]{1,2})"), "month"),
    (re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})"), "month"),
    (re.compile(r"(?P<y>[0-9]{4})[-年]?Q(?P<q>[1-4])"), "quarter"),
    (re.compile(r"(?P<y>[0-9]{4})[-年]?第?(?P<q>[1-4一二三四])季度?"), "quarter"),
    (re.compile(r"(?P<y>[0-9]{4})[-年]?(?P<h>上半年|下半年|H[12])"), "half_year"),
    (re.compile(r"(?P<y>[0-9]{4})(?:年度?)?"), "year"),
)
_QUARTERS = {"1": 1, "2": 4, "3": 7, "4": 10, "一": 1, "二": 4, "三": 7, "四": 10}
_LABEL = re.compile(r"^(?:报告期别?|报表期别?|统计期|所属期):?")
_MIDNIGHT = re.compile(r"(?<=[0-9])[\sT]+0{1,2}:00(?::00(?:\.0+)?)?$")
_DASHES = re.compile(r"[‐‑‒–—―−─-]+")


def parse_period(value: str | float | date | datetime) -> Period:
    """Read a period as clerks write it.

    Takes 2026年3月, 2026-03, 2026/3, 202603 (text or number), a date cell or a date as text, 2026年1-2月,
    2026年第一季度, 2026-Q1, 2026年上半年, 2026年, and what `str(Period)` prints. Full-width forms, blanks, any dash
    and the label 报告期： in front are accepted. Raises InvalidPeriod otherwise, also for what could be two
    periods: the number 2026.1 (January, or October with its zero lost) and 2026-1-2 (a day, or two months).
    """
    if isinstance(value, datetime | date):
        return Period(Month(value.year, value.month), "month")
    text = _plain(value)
    if re.fullmatch(r"[0-9]{4}-1-2", text):
        raise InvalidPeriod(f"{value!r} may be a day or two months; write 2026年1月 or 2026年1-2月")
    for shape, kind in _SHAPES:
        match = shape.fullmatch(text)
        if match is None:
            continue
        parts = match.groupdict()
        year = int(parts["y"])
        if kind == "month":
            month = Month(year, int(parts["m"]))
            day = int(parts.get("d") or 1)
            if not 1 <= day <= month.end_date.day:
                raise InvalidPeriod(f"{value!r} is not a day of {month}")
            return Period(month, kind)
        if kind == "quarter":
            return Period(Month(year, _QUARTERS[parts["q"]]), kind)
        if kind == "half_year":
            return Period(Month(year, 1 if parts["h"] in ("上半年", "H1") else 7), kind)
        return Period(Month(year, 1), kind)
    raise InvalidPeriod(f"{value!r} is not a period; write it as 2026年3月 or 2026-03")


_SPAN = re.compile(
    r"(?P<y>[0-9]{4})[-年./]?0?(?P<from>[1-9]|1[0-2])月?[-~至到、]0?(?P<to>[1-9]|1[0-2])月(?:份)?"
)


def parse_span(value: str | float | date | datetime) -> Period:
    """Read a period of a form that is filed less often than monthly: as `parse_period`, and months from and to.

    2025年1-6月 is the first half-year, 2025年1—12月 the year, 2025年4-6月 the second quarter. On a monthly form
    the same words could mean figures since January, so `parse_period` refuses them. Raises InvalidPeriod for
    months that are no quarter, half-year or year.
    """
    try:
        return parse_period(value)
    except InvalidPeriod:
        if not isinstance(value, str):
            raise
        match = _SPAN.fullmatch(_plain(value))
        if match is None:
            raise
        first, last = int(match["from"]), int(match["to"])
        for kind, firsts in _FIRST_MONTHS.items():
            if first in firsts and last - first + 1 == _LENGTH_IN_MONTHS[kind]:
                return Period(Month(int(match["y"]), first), kind)
        raise


def _plain(value: str | float) -> str:
    """The text without blanks, in upper case, with plain digits and dashes and without its label."""
    if isinstance(value, float) and math.isfinite(value):
        if value == int(value):
            value = int(value)
        elif round(value % 1, 9) == 0.1:
            raise InvalidPeriod(f"the number {value} may be January or October; write it as 2026年10月")
    text = unicodedata.normalize("NFKC", str(value)).strip().upper()
    text = re.sub(r"\s+", "", _MIDNIGHT.sub("", text))
    return _DASHES.sub("-", _LABEL.sub("", text))


def _formatted(value: Month | Period, spec: str) -> str:
    if spec in ("zh", "en"):
        return period_name(value, spec)
    return format(str(value), spec)


_CANONICAL = re.compile(r"(\d{4})(?:-(?:(\d{2})|M01-(\d{2})|Q([1-4])|H([12])))?")


def period_name(value: object, language: str) -> str:
    """A period as people write it: 2020-03 is 2020年3月 or March 2020; what is no period stays as it is.

    Takes a Month, a Period, or the text of either.
    """
    text = str(value or "")
    found = _CANONICAL.fullmatch(text)
    if found is None:
        return text
    year, month, since_january, quarter, half = found.groups()
    if month:
        return f"{year}年{int(month)}月" if language == "zh" else f"{MONTHS_EN[int(month) - 1]} {year}"
    if since_january:
        last = int(since_january)
        return f"{year}年1—{last}月" if language == "zh" else f"January to {MONTHS_EN[last - 1]} {year}"
    if quarter:
        return f"{year}年第{'一二三四'[int(quarter) - 1]}季度" if language == "zh" else f"Q{quarter} {year}"
    if half:
        return f"{year}年{'上' if half == '1' else '下'}半年" if language == "zh" else f"H{half} {year}"
    return f"{year}年" if language == "zh" else year


def listed_months(months: Iterable[Month], language: str) -> str:
    """Months as people list them, in the order given: a run of them as from and to."""
    runs: list[list[Month]] = []
    for month in months:
        if runs and runs[-1][-1].plus(1) == month:
            runs[-1].append(month)
        else:
            runs.append([month])
    to, comma = ("至", "、") if language == "zh" else (" to ", ", ")
    ends = [(run[0], run[-1]) if len(run) > 1 else (run[0],) for run in runs]
    return comma.join(to.join(period_name(month, language) for month in end) for end in ends)
