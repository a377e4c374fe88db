"""What people type into addresses and forms, made into what pages ask the ledger with; or said why it cannot be.

A month, a number, a moment far outside of anything that a bureau deals with is a mistake of typing (or worse) and is
answered as one; the ledger's arithmetic with neighbours of months never meets it.
"""

from __future__ import annotations

from datetime import datetime

from pipelines.findings import Wording
from pipelines.ledger import SHANGHAI
from pipelines.periods import InvalidPeriod, Month
from pipelines.portal.access import Trouble

FIRST_YEAR, LAST_YEAR = 1980, 2100
_MOST_DIGITS = 9  # below what either database keeps as a number of a row


def month_asked(text: str) -> Month:
    """A month as 2026-03. Raises Trouble (400) for anything else, and for one that nobody collects."""
    try:
        month = Month.parse(text.strip())
    except InvalidPeriod as error:
        raise _no_month(text) from error
    if not FIRST_YEAR <= month.year <= LAST_YEAR:
        raise _no_month(text)
    return month


def number_asked(text: str) -> int:
    """The number of a row, as a page of ours has put it into a form. Raises Trouble (400) for anything else."""
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise Trouble(400)
    return int(text)


def moment_asked(text: str) -> datetime | None:
    """A moment as a browser writes it (2020-04-11T09:30), in Shanghai; None where nothing stands. Raises Trouble."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip()).replace(tzinfo=SHANGHAI)
    except ValueError as error:
        raise _no_moment(text) from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise _no_moment(text)
    return moment


def _no_month(text: str) -> Trouble:
    return Trouble(
        400,
        Wording(
            f"月份“{text[:20]}”无法识别。请按 2026-03 的样式填写，年份在 {FIRST_YEAR} 至 {LAST_YEAR} 之间。",
            f"The month “{text[:20]}” is not understood. Write it as 2026-03, with a year from {FIRST_YEAR} to "
            f"{LAST_YEAR}.",
        ),
    )


def _no_moment(text: str) -> Trouble:
    return Trouble(
        400,
        Wording(
            f"催报时间“{text[:40]}”无法识别，请按 2020-04-11 09:30 填写。",
            f"The time “{text[:40]}” is not understood; write it as 2020-04-11 09:30.",
        ),
    )
