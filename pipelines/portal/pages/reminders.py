"""催报: whom to remind of a missing return, a note of each reminder, and the letter.

Reminders are noted and never deleted (`ledger.reminders`). The letter goes to one enterprise or to all that were
chosen, one page each, in one PDF.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from pipelines.findings import Wording
from pipelines.ledger import Ledger
from pipelines.ledger.board import BoardFilter, BoardRow, MonthBoard, ReturnState
from pipelines.ledger.reminders import ReminderKind
from pipelines.ledger.shapes import CannotAct
from pipelines.periods import Month
from pipelines.portal.access import Trouble, Visitor, allowed, posted, text_of
from pipelines.portal.asked import moment_asked
from pipelines.portal.downloads import PDF, hand_out
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import NavigationItem, after_form, page
from pipelines.portal.letters import Letter, reminder_letters
from pipelines.portal.pages.board import STAFF, district_name, look, month_of, today

router = APIRouter()
NAVIGATION = (NavigationItem("/reminders", "reminders.navigation", frozenset(STAFF), place=30),)

# The page lists everybody who is missing, with a box that ticks them all.
_TICKED = 10_000


@router.get("/reminders")
def reminders(
    request: Request, month: str = "", district: str = "", visitor: Visitor = Depends(allowed(*STAFF))
) -> Response:
    """Who has not filed for the month, with contacts and the last reminder."""
    return _shown(request, visitor, month_of(request, month), district[:32])


@router.post(
    "/reminders",
    openapi_extra=form_fields(
        ("month", "enterprise_codes", "kind"),
        month=str,
        district=str,
        enterprise_codes=str,
        kind=tuple(kind.value for kind in ReminderKind),
        spoken_to=str,
        note=str,
        at=str,
    ),
)
def record(
    request: Request,
    visitor: Visitor = Depends(allowed(*STAFF, body_bytes=_TICKED * 64, field_count=_TICKED)),
    form: FormData = Depends(posted),
) -> Response:
    """Note a reminder of one or several enterprises."""
    month, district = month_of(request, text_of(form, "month")), text_of(form, "district")[:32]
    kind = text_of(form, "kind")
    if kind not in set(ReminderKind):
        raise Trouble(400)
    ledger: Ledger = request.app.state.ledger
    try:
        ledger.reminders.record(
            _chosen(form),
            month,
            ReminderKind(kind),
            visitor.actor,
            reminded_at=moment_asked(text_of(form, "at")),
            spoken_to=text_of(form, "spoken_to"),
            note=text_of(form, "note"),
        )
    except CannotAct as refused:
        return _shown(request, visitor, month, district, refused.wording)
    back = f"/reminders?month={month}" + (f"&district={district}" if district.isalnum() else "")
    return after_form(back, notice="reminded")


@router.get("/reminders/letters.pdf")
def letters(
    request: Request,
    month: str,
    district: str = "",
    enterprise_code: str = "",
    visitor: Visitor = Depends(allowed(*STAFF)),
) -> Response:
    """The letters to those who have not filed: one enterprise's, a district's, or everybody's."""
    chosen = month_of(request, month)
    board, missing, _ = _missing(request, visitor, chosen, district[:32])
    rows = [row for row in missing if not enterprise_code or row.enterprise_code == enterprise_code]
    if not rows:
        raise Trouble(
            404,
            Wording(
                f"{chosen} 没有需要催报的企业，因此没有催报函。",
                f"Nobody is missing for {chosen}, so there is no letter.",
            ),
        )
    content = reminder_letters(
        [Letter(row.enterprise_code, row.enterprise_name, row.contact) for row in rows],
        month=chosen,
        deadline=board.deadline,
        on=today(request),
    )
    return hand_out(
        request,
        visitor,
        content,
        f"{chosen}_催报函.pdf",
        PDF,
        of=("month", str(chosen)),
        copy="letters",
        district=district[:32],
        enterprise_code=enterprise_code and rows[0].enterprise_code,
        enterprises=len(rows),
    )


@router.get("/reminders/{enterprise_code}")
def of_enterprise(
    request: Request,
    enterprise_code: str,
    month: str = "",
    visitor: Visitor = Depends(allowed(*STAFF)),
) -> Response:
    """Every reminder of one enterprise, the latest first."""
    ledger: Ledger = request.app.state.ledger
    enterprise = ledger.register.enterprise(enterprise_code, visitor.actor)
    return page(
        request,
        "reminders_of.html",
        visitor,
        enterprise=enterprise,
        month=month_of(request, month),
        reminders=ledger.reminders.of(enterprise_code, visitor.actor),
    )


def _missing(
    request: Request, visitor: Visitor, month: Month, district: str
) -> tuple[MonthBoard, list[BoardRow], list[BoardRow]]:
    """The board of those who had not filed; who has not to this day, and from whom something came after the closing.

    The board of a closed month stands as at its closing: nobody is told that nothing came of them when it has since.
    """
    wanted = BoardFilter(district_code=district, states=frozenset({ReturnState.NOT_FILED}), sort="reminded")
    board = look(request, visitor, month, wanted, page_size=None)
    missing = [row for row in board.rows if not row.has_late_revision]
    return board, missing, [row for row in board.rows if row.has_late_revision]


def _shown(
    request: Request, visitor: Visitor, month: Month, district: str, refusal: Wording | None = None
) -> Response:
    board, missing, after_closing = _missing(request, visitor, month, district)
    return page(
        request,
        "reminders.html",
        visitor,
        status_code=200 if refusal is None else 409,
        board=board,
        rows=missing,
        after_closing=after_closing,
        district=district,
        districts=[(one.district_code, district_name(one.district_code)) for one in board.districts],
        district_name=district_name,
        kinds=[kind.value for kind in ReminderKind],
        refusal=refusal,
    )


def _chosen(form: FormData) -> list[str]:
    """The enterprises ticked on the page."""
    return [str(value)[:64] for value in form.getlist("enterprise_codes") if isinstance(value, str) and value]
