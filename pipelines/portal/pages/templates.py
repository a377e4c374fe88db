"""Blank forms of a month: the own enterprise's for a reporter, any or all of those one may see for the bureau."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pipelines.findings import Wording
from pipelines.ledger import SHANGHAI
from pipelines.ledger.actors import Role
from pipelines.periods import Month
from pipelines.portal.access import Visitor, allowed
from pipelines.portal.asked import month_asked
from pipelines.portal.downloads import WORKBOOK, ZIP, hand_out
from pipelines.portal.frame import NavigationItem, page
from pipelines.portal.visible import RETURN_ROLES
from pipelines.reception.blank_forms import BlankForms, NoBlankForm

router = APIRouter()
NAVIGATION = (NavigationItem("/templates", "templates.navigation", frozenset(RETURN_ROLES), place=25),)


@router.get("/templates")
def templates(
    request: Request, month: str = "", visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """Choose the month and, for the bureau, the enterprise."""
    return _shown(request, visitor, _month(month))


@router.get("/templates/workbook")
def workbook(
    request: Request,
    month: str,
    enterprise_code: str,
    visitor: Visitor = Depends(allowed(*RETURN_ROLES)),
) -> Response:
    """One enterprise's workbook of the month."""
    chosen = _month(month)
    try:
        made = _blank_forms(request).one(enterprise_code[:64], chosen, visitor.actor)
    except NoBlankForm as refused:
        return _shown(request, visitor, chosen, enterprise_code=enterprise_code[:64], refusal=refused.wording)
    of = ("enterprise", made.enterprise_code)
    return hand_out(
        request, visitor, made.content, made.file_name, WORKBOOK, of=of, copy="template", month=str(chosen)
    )


@router.get("/templates/all")
def all_workbooks(
    request: Request,
    month: str,
    visitor: Visitor = Depends(allowed(Role.CLERK, Role.ANALYST, Role.DISTRICT_REVIEWER)),
) -> Response:
    """The workbooks of every enterprise that the visitor sees, as one ZIP."""
    chosen = _month(month)
    try:
        content = _blank_forms(request).archive(chosen, visitor.actor)
    except NoBlankForm as refused:
        return _shown(request, visitor, chosen, refusal=refused.wording)
    of = ("month", str(chosen))
    return hand_out(request, visitor, content, f"{chosen}_空白报表.zip", ZIP, of=of, copy="templates")


def _shown(
    request: Request,
    visitor: Visitor,
    month: Month,
    *,
    enterprise_code: str = "",
    refusal: Wording | None = None,
) -> Response:
    return page(
        request,
        "templates.html",
        visitor,
        status_code=200 if refusal is None else 409,
        month=month,
        forms=_blank_forms(request).forms_of(month),
        own=_own(request, visitor),
        is_bureau=visitor.has(Role.CLERK, Role.ANALYST, Role.DISTRICT_REVIEWER),
        enterprise_code=enterprise_code,
        refusal=refusal,
    )


def _blank_forms(request: Request) -> BlankForms:
    forms: BlankForms = request.app.state.blank_forms
    return forms


def _month(text: str) -> Month:
    """The month asked for; without one, the month that is being collected now: the last one that has ended."""
    if not text:
        return Month.of(datetime.now(UTC).astimezone(SHANGHAI).date()).previous
    return month_asked(text)


def _own(request: Request, visitor: Visitor) -> list[tuple[str, str]]:
    """Code and latest name of each enterprise that the visitor files for."""
    codes = visitor.actor.enterprise_codes
    if not codes:
        return []
    spells = request.app.state.ledger.enterprises()  # in the order of time, so the latest name stays
    names = {one.enterprise_code: one.enterprise_name for one in spells if one.enterprise_code in codes}
    return [(code, names.get(code, "")) for code in sorted(codes)]
