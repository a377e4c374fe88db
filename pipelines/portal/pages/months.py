"""The months: where each stands, closing and reopening by two people, and what came too late.

Who may propose and confirm, and that it takes two, is decided in the ledger (`ledger.months`).
"""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from pipelines.ledger import Ledger
from pipelines.ledger.actors import Role, is_same_person
from pipelines.ledger.months import ACT_NAMES, STATE_NAMES, MonthActKind
from pipelines.ledger.shapes import CannotAct
from pipelines.periods import Month
from pipelines.portal.access import Trouble, Visitor, allowed, posted, text_of
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import NavigationItem, after_form, page
from pipelines.portal.pages.board import filter_of, look, month_of, today

router = APIRouter()
_BUREAU = (Role.CLERK, Role.ANALYST)
NAVIGATION = (NavigationItem("/months", "months.navigation", frozenset(_BUREAU), place=45),)

_MONTHS_SHOWN = 15


@router.get("/months")
def months(request: Request, visitor: Visitor = Depends(allowed(*_BUREAU))) -> Response:
    """The last months and every month with a proposal or a closing, the newest first."""
    ledger: Ledger = request.app.state.ledger
    this_month = Month.of(today(request))
    recent = {this_month.plus(-age) for age in range(_MONTHS_SHOWN)}
    touched = {one.month for one in ledger.months.touched(today=today(request))}
    wanted = sorted(recent | touched, reverse=True)
    return page(
        request,
        "months.html",
        visitor,
        standings=ledger.months.standings(wanted, today=today(request)),
        state_name=STATE_NAMES.__getitem__,
        act_name=ACT_NAMES.__getitem__,
    )


@router.get("/months/{month}")
def one_month(request: Request, month: str, visitor: Visitor = Depends(allowed(*_BUREAU))) -> Response:
    """One month: what may be done, what stands in the way, what was done, what came after the closing."""
    return _shown(request, visitor, month_of(request, month))


@router.post(
    "/months/{month}/propose",
    openapi_extra=form_fields(("act", "reason"), act=tuple(kind.value for kind in MonthActKind), reason=str),
)
def propose(
    request: Request,
    month: str,
    visitor: Visitor = Depends(allowed(*_BUREAU)),
    form: FormData = Depends(posted),
) -> Response:
    """Propose closing, publishing or reopening the month."""
    chosen = month_of(request, month)
    act = text_of(form, "act")
    if act not in set(MonthActKind):
        raise Trouble(400)
    ledger: Ledger = request.app.state.ledger
    try:
        ledger.months.propose(
            chosen, MonthActKind(act), text_of(form, "reason"), visitor.actor, today=today(request)
        )
    except CannotAct as refused:
        return _shown(request, visitor, chosen, refused)
    return after_form(f"/months/{chosen}", notice="proposed")


@router.post(
    "/months/{month}/decide",
    openapi_extra=form_fields(("decision",), decision=("confirm", "decline"), reason=str),
)
def decide(
    request: Request,
    month: str,
    visitor: Visitor = Depends(allowed(*_BUREAU)),
    form: FormData = Depends(posted),
) -> Response:
    """Confirm what another has proposed, or decline it; the proposer withdraws."""
    chosen = month_of(request, month)
    decision, reason = text_of(form, "decision"), text_of(form, "reason")
    if decision not in ("confirm", "decline"):
        raise Trouble(400)
    ledger: Ledger = request.app.state.ledger
    try:
        if decision == "confirm":
            ledger.months.confirm(chosen, visitor.actor, reason=reason, today=today(request))
        else:
            ledger.months.decline(chosen, reason, visitor.actor, today=today(request))
    except CannotAct as refused:
        return _shown(request, visitor, chosen, refused)
    if decision == "confirm":
        return after_form(f"/months/{chosen}", notice="month_confirmed")
    return after_form(f"/months/{chosen}", notice="month_declined")


def _shown(request: Request, visitor: Visitor, month: Month, refused: CannotAct | None = None) -> Response:
    ledger: Ledger = request.app.state.ledger
    board = look(request, visitor, month, filter_of("", "", "", "", "", down=False), page_size=1)
    return page(
        request,
        "month.html",
        visitor,
        status_code=200 if refused is None else 409,
        board=board,
        board_link=lambda **filters: "/board?" + urlencode({"month": str(month), **filters}),
        standing=board.standing,
        acts=ledger.months.acts(month),
        after_closing=ledger.months.after_closing(month),
        reopened_with=ledger.months.reopened_with(month) if board.standing.is_frozen else [],
        state_name=STATE_NAMES.__getitem__,
        act_name=ACT_NAMES.__getitem__,
        is_own_proposal=board.standing.proposal is not None
        and is_same_person(board.standing.proposal.proposed_by, visitor.actor.name),
        refusal=refused.wording if refused is not None else None,
    )
