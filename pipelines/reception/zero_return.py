"""零报 by one click: the month's return of an enterprise with 本月无业务 ticked, as a workbook for the one door.

A workbook and not a row in a table, so that a zero return by click and one by hand are the same thing from the
originals to the tables. Whether there was business is the enterprise's to say.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

import xlsxwriter

from pipelines.findings import Verdict
from pipelines.intake.layouts import FormLayout, choose_layout, layout_book
from pipelines.ledger import SHANGHAI, EnterpriseSpell, Ledger, Submission
from pipelines.ledger.actors import Actor
from pipelines.ledger.register import district_at
from pipelines.ledger.shapes import receipt_number
from pipelines.periods import Month, Period
from pipelines.reception.words import said
from pipelines.records import FileKind

FORM = "FM-2"
_TICKED = "☑"
_UNIT = "万美元"
_STANDS = (Verdict.ACCEPTED, Verdict.QUERIES)
# Part of the bytes, so the same for every workbook.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


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
        raise UploadRefused(said("zero_not_in_register", code=enterprise_code, month=month))
    if month.end_date >= (now or datetime.now(UTC)).astimezone(SHANGHAI).date():
        raise UploadRefused(said("zero_month_not_over", month=month))
    filed = [
        one
        for one in ledger.submissions(month, kind=FileKind.RETURN)
        if one.enterprise_code == enterprise_code and one.period == str(month)
    ]
    latest = next((one for one in filed if one.is_current), None)
    if latest is not None and latest.is_zero_return and latest.status in _STANDS:
        return _file(spell, month, version=latest.version or 1, is_revision=latest.is_revision)
    with_figures = [one for one in filed if _stands(one) and not one.is_zero_return]
    if with_figures and not is_revision:
        receipt = receipt_number(month, with_figures[-1].sequence)
        raise UploadRefused(said("zero_against_figures", month=month, receipt=receipt))
    version = max((one.version or 0 for one in filed), default=0) + 1
    return _file(spell, month, version=version, is_revision=is_revision)


def _covers(spell: EnterpriseSpell, month: Month) -> bool:
    first, last = spell.from_month_start_date, spell.to_month_start_date
    return (first is None or first <= month.start_date) and (last is None or month.start_date <= last)


def _stands(one: Submission) -> bool:
    """Whether it is in force, or is the latest and waits for an answer."""
    return one.is_current_accepted or (one.is_current and one.status in _STANDS)


def _file(spell: EnterpriseSpell, month: Month, *, version: int, is_revision: bool) -> ZeroReturn:
    name = f"{month}_零报_{spell.enterprise_code}.xlsx"
    return ZeroReturn(name, io.BytesIO(zero_workbook(spell, month, version=version, is_revision=is_revision)))


def zero_workbook(spell: EnterpriseSpell, month: Month, *, version: int, is_revision: bool) -> bytes:
    """Form FM-2 as the layout in force prints it, its head filled in and no rows. Same arguments, same bytes."""
    layout = choose_layout(layout_book(), FORM, Period(month, "month"))[0]
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"title": layout.title.zh, "created": _CREATED})
    guide = book.add_worksheet("填表说明")
    guide.set_column(0, 0, 80)
    guide.write_string(0, 0, "本工作簿由系统按“零报”操作生成：本月没有服务进出口业务。")
    guide.write_string(1, 0, f"{spell.enterprise_code} {month} 第 {version} 次报送")
    _draw(book, layout, spell, month, is_revision=is_revision)
    book.close()
    return target.getvalue()


def _draw(
    book: xlsxwriter.Workbook, layout: FormLayout, spell: EnterpriseSpell, month: Month, *, is_revision: bool
) -> None:
    sheet = book.add_worksheet(layout.names[0] if layout.names else layout.form_code)
    width = len(layout.columns)
    sheet.merge_range(0, 0, 0, width - 1, layout.title.zh, book.add_format({"bold": True, "align": "center"}))
    choices = {head.name: head.words_of_codes or {} for head in layout.head}
    values = {
        "form_code": layout.form_code,
        "reference_month": f"{month.year}年{month.month}月",
        "enterprise_code": spell.enterprise_code,
        "enterprise_name": spell.enterprise_name,
        "unit": _UNIT,
        "is_zero_return": _TICKED,
        "is_revision": choices["is_revision"]["true" if is_revision else "false"],
    }
    row = 1
    for head in layout.head:
        if head.name in values:
            sheet.write_string(row, 0, f"{head.printed[0]}：")
            sheet.write_string(row, 1, values[head.name])
            row += 1
    for column, one in enumerate(layout.columns):
        sheet.write_string(row, column, one.printed[0])
        if len(one.printed) > 1:
            sheet.write_string(row + 1, column, one.printed[1])
    sheet.set_column(0, width - 1, 18)
    sheet.write_string(row + 4, 0, "单位负责人：　　统计负责人：　　填表人：　　联系电话：　　报出日期：")
