"""What a blank form is made from, beside its layout: whose it is, and what is carried over. Shapes only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

# What a cell of an earlier return held: a code, a text, or a day. Amounts are never carried.
RowValues = Mapping[str, str | date]


class InvalidTemplate(ValueError):
    """A wording, a guidance or a limit does not fit its form; whoever wrote it must mend it. Names file and remedy."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What one form of an enterprise starts with.

    unit_code   unit declared last time; empty: the clerk chooses
    rows        codes of the rows (item and partner, contract ...), by field; without any amount
    values      of a form of label and value, by field
    """

    unit_code: str = ""
    rows: Sequence[RowValues] = ()
    values: RowValues = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """One workbook: for whom, which forms, what they start with.

    is_revision      a return of the month is in force already, so that this one replaces it
    is_zero_return   本月无业务 is ticked, for a zero return that somebody files with one click
    """

    enterprise_code: str
    enterprise_name: str
    form_codes: tuple[str, ...]
    carried: Mapping[str, Carried] = field(default_factory=dict)
    is_revision: bool = False
    is_zero_return: bool = False
