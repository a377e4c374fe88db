"""零报 by one click: the month's return of an enterprise with 本月无业务 ticked, as a workbook for the one door.

A workbook and not a row in a table, so that a zero return by click and one by hand are the same thing from the
originals to the tables; and it looks like the form that anybody downloads. Whether there was business is the
enterprise's to say.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import BinaryIO

from pipelines.findings import Verdict, Wording
from pipelines.intake.layouts import layout_book
from pipelines.intake.template import Carried, Order, Stationery
from pipelines.intake.template.package import assembled, packed, parts_of
from pipelines.ledger import SHANGHAI, EnterpriseSpell, Ledger, Submission
from pipelines.ledger.actors import Actor
from pipelines.ledger.register import district_at
from pipelines.ledger.shapes import receipt_number
from pipelines.periods import Month, Period, period_name
from pipelines.reception.words import said
from pipelines.records import FileKind
from pipelines.validation.form_limits import form_limits

FORM = "FM-2"
_UNIT_CODE = "USD_10K"
_PROPERTIES = "docProps/core.xml"
_STANDS = (Verdict.ACCEPTED, Verdict.QUERIES)


@dataclass(frozen=True, slots=True)
class ZeroReturn:
    """A zero return as a file to be handed in."""

    name: str
    stream: BinaryIO


def zero_return_of(
    ledger: Ledger,
    enterprise_code: str,
    month: Month,
    actor: Actor,
    *,
    is_revision: bool,
    deadline_day: int = 10,
    now: datetime | None = None,
) -> ZeroReturn:
    """The workbook of an enterprise's zero return. Raises UploadRefused, as `UploadDesk.file_zero_return` says.

    The same return asked for twice is the same bytes; after another version was filed it is another.
    """
    from pipelines.reception.uploads import UploadRefused

    spells = [one for one in ledger.enterprises() if one.enterprise_code == enterprise_code]
    # Who answers for the enterprise in that month, wherever it moved before or will move.
    district_code = district_at(
        ((one.from_month_start_date, one.district_code) for one in spells), month.start_date
    )
    if not actor.may_file or not actor.may_see(enterprise_code, district_code):
        raise UploadRefused(said("zero_not_yours", code=enterprise_code))
    spell = next((one for one in spells if _covers(one, month)), None)
    if spell is None:
        raise UploadRefused(said("zero_not_in_register", code=enterprise_code, month=_said(month)))
    if month.end_date >= (now or datetime.now(UTC)).astimezone(SHANGHAI).date():
        raise UploadRefused(said("zero_month_not_over", month=_said(month)))
    filed = [
        one
        for one in ledger.submissions(month, kind=FileKind.RETURN)
        if one.enterprise_code == enterprise_code and one.period == str(month)
    ]
    joint = _joint_of(ledger, enterprise_code, month)
    if joint is not None:
        words = {"month": _said(month), "receipt": receipt_number(_joint_month(month), joint.sequence)}
        raise UploadRefused(said("zero_under_joint", **words))
    latest = next((one for one in filed if one.is_current), None)
    if latest is not None and latest.is_zero_return and latest.status in _STANDS:
        return _file(spell, month, latest.version or 1, latest.is_revision, deadline_day)
    with_figures = [one for one in filed if _stands(one) and not one.is_zero_return]
    if with_figures and not is_revision:
        receipt = receipt_number(month, with_figures[-1].sequence)
        raise UploadRefused(said("zero_against_figures", month=_said(month), receipt=receipt))
    version = max((one.version or 0 for one in filed), default=0) + 1
    return _file(spell, month, version, is_revision, deadline_day)


def _joint_month(month: Month) -> Month:
    """The month in which a joint return of January and February is counted."""
    return Month(month.year, 2)


def _joint_of(ledger: Ledger, enterprise_code: str, month: Month) -> Submission | None:
    """The accepted joint return that speaks of the month: rule H7e takes no return of one of its months beside it."""
    if month.month > 2:
        return None
    period = str(Period(Month(month.year, 1), "months_1_2"))
    return next(
        (
            one
            for one in ledger.history([enterprise_code], _joint_month(month), _joint_month(month))
            if one.period == period
        ),
        None,
    )


def _said(month: Month) -> Wording:
    return Wording(period_name(month, "zh"), period_name(month, "en"))


def _covers(spell: EnterpriseSpell, month: Month) -> bool:
    first, last = spell.from_month_start_date, spell.to_month_start_date
    return (first is None or first <= month.start_date) and (last is None or month.start_date <= last)


def _stands(one: Submission) -> bool:
    """Whether it is in force, or is the latest and waits for an answer."""
    return one.is_current_accepted or (one.is_current and one.status in _STANDS)


def _file(
    spell: EnterpriseSpell, month: Month, version: int, is_revision: bool, deadline_day: int
) -> ZeroReturn:
    content = zero_workbook(spell, month, version=version, is_revision=is_revision, deadline_day=deadline_day)
    return ZeroReturn(f"{month}_零报_{spell.enterprise_code}.xlsx", io.BytesIO(content))


def zero_workbook(
    spell: EnterpriseSpell, month: Month, *, version: int, is_revision: bool, deadline_day: int
) -> bytes:
    """The month's blank form FM-2 of the enterprise with the box ticked. Same arguments, same bytes."""
    order = Order(
        spell.enterprise_code,
        spell.enterprise_name,
        (FORM,),
        {FORM: Carried(unit_code=_UNIT_CODE)},
        is_revision=is_revision,
        is_zero_return=True,
    )
    parts = parts_of(_stationery(month, deadline_day).workbook(order))
    # Zero, figures, zero again: the third is not the first, so its bytes are not either.
    told = f"<dc:description>零报，第 {version} 版</dc:description></cp:coreProperties>"
    parts[_PROPERTIES] = parts[_PROPERTIES].replace(b"</cp:coreProperties>", told.encode("utf-8"))
    return assembled(packed(name, content) for name, content in parts.items())


@lru_cache(maxsize=3)
def _stationery(month: Month, deadline_day: int) -> Stationery:
    return Stationery(layout_book(), month, form_limits(), deadline_day)
