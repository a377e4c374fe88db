"""The register of enterprises: who is in it, what happened to each, and recording what happens next.

Events are dated to a month and never deleted, only voided (`ledger.register`). A reporter sees the own enterprise.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from pipelines import codes
from pipelines.findings import Wording
from pipelines.ledger import Ledger
from pipelines.ledger.actors import Role
from pipelines.ledger.register import NewEvent
from pipelines.ledger.reviews import SubmissionFilter
from pipelines.ledger.shapes import CannotAct, CannotChangeRegister, EnterpriseClass, EventKind
from pipelines.portal.access import Trouble, Visitor, allowed, posted, text_of
from pipelines.portal.asked import number_asked
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import NavigationItem, after_form, page
from pipelines.portal.pages.board import STAFF, district_name, month_of
from pipelines.portal.standing import states_of
from pipelines.portal.visible import RETURN_ROLES
from pipelines.reception.blank_forms import BlankForms

router = APIRouter()
NAVIGATION = (NavigationItem("/enterprises", "enterprises.navigation", frozenset(RETURN_ROLES), place=40),)

_KINDS = tuple(kind.value for kind in EventKind)
_CLASSES = tuple(one.value for one in EnterpriseClass)
_RECENT = 12
# What a person may type into a form of an event; shown again where it is refused.
_TYPED = (
    "enterprise_code",
    "enterprise_name",
    "month",
    "district_code",
    "industry_code",
    "enterprise_class",
    "successor_code",
    "contact",
    "phone",
    "reason",
)
_NOTHING_TYPED = dict.fromkeys(_TYPED, "")


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not recorded: what was typed by field, and why; `field` is the one that is wrong, or empty."""

    typed: dict[str, str]
    wording: Wording
    field: str = ""


@router.get("/enterprises")
def enterprises(
    request: Request,
    q: str = "",
    district: str = "",
    month: str = "",
    expected: bool = False,
    at: int = 1,
    visitor: Visitor = Depends(allowed(*RETURN_ROLES)),
) -> Response:
    """The register, by district and code."""
    asked = {
        "q": q.strip()[:60],
        "district": district[:32],
        "month": str(month_of(request, month)),
        "expected": "true" if expected else "",
    }
    return _listed(request, visitor, asked, at)


def _listed(
    request: Request,
    visitor: Visitor,
    asked: dict[str, str],
    at: int = 1,
    refused: Refused | None = None,
) -> Response:
    ledger: Ledger = request.app.state.ledger
    return page(
        request,
        "enterprises.html",
        visitor,
        status_code=200 if refused is None else 409,
        found=ledger.register.page(
            visitor.actor,
            month=month_of(request, asked["month"]),
            search=asked["q"],
            district_code=asked["district"],
            only_expected=bool(asked["expected"]),
            page=at,
        ),
        refused=refused,
        typed=_NOTHING_TYPED | (refused.typed if refused else {}),
        asked=asked,
        districts=codes.districts(),
        district_name=district_name,
        may_add=visitor.has(Role.CLERK, Role.ANALYST),
        link=lambda **changes: (
            "/enterprises?" + urlencode({k: v for k, v in {**asked, **changes}.items() if v})
        ),
    )


@router.get("/enterprises/{enterprise_code}")
def enterprise(
    request: Request, enterprise_code: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """One enterprise: what it is, what happened to it, what it filed."""
    return _shown(request, visitor, enterprise_code)


@router.post(
    "/enterprises",
    openapi_extra=form_fields(
        ("enterprise_code", "kind", "month"),
        enterprise_code=str,
        enterprise_name=str,
        kind=_KINDS,
        month=str,
        district_code=str,
        industry_code=str,
        enterprise_class=("", *_CLASSES),
        successor_code=str,
        contact=str,
        phone=str,
        reason=str,
    ),
)
def record(
    request: Request, visitor: Visitor = Depends(allowed(*STAFF)), form: FormData = Depends(posted)
) -> Response:
    """Record what happens to an enterprise, from a month on."""
    kind, class_code = text_of(form, "kind"), text_of(form, "enterprise_class")
    if kind not in _KINDS or class_code not in ("", *_CLASSES):
        raise Trouble(400)
    typed = {name: text_of(form, name) for name in _TYPED}
    month = month_of(request, typed["month"])
    ledger: Ledger = request.app.state.ledger
    try:
        event = ledger.register.record(
            NewEvent(
                enterprise_code=typed["enterprise_code"],
                event_kind=EventKind(kind),
                from_month=month,
                district_code=typed["district_code"],
                industry_code=typed["industry_code"],
                enterprise_class=EnterpriseClass(class_code) if class_code else None,
                successor_code=typed["successor_code"],
                contact=typed["contact"],
                phone=typed["phone"],
                reason=typed["reason"],
                enterprise_name=typed["enterprise_name"],
            ),
            visitor.actor,
        )
    except CannotAct as error:
        field = error.field if isinstance(error, CannotChangeRegister) else ""
        refused = Refused(typed, error.wording, field)
        if "enterprise_name" in form:  # the form of a new enterprise, below the list
            asked = {"q": "", "district": "", "month": str(month_of(request, "")), "expected": ""}
            return _listed(request, visitor, asked, refused=refused)
        return _shown(request, visitor, typed["enterprise_code"].upper(), refused, opened=kind)
    return after_form(f"/enterprises/{event.enterprise_code}", notice="event_recorded")


@router.post(
    "/enterprises/{enterprise_code}/void",
    openapi_extra=form_fields(("event_id", "reason"), event_id=int, reason=str),
)
def void(
    request: Request,
    enterprise_code: str,
    visitor: Visitor = Depends(allowed(Role.CLERK, Role.ANALYST)),
    form: FormData = Depends(posted),
) -> Response:
    """Mark an event as wrong; it stays on record."""
    number = number_asked(text_of(form, "event_id"))
    ledger: Ledger = request.app.state.ledger
    own = {event.event_id for event in ledger.register.events(enterprise_code, visitor.actor)}
    if number not in own:
        raise Trouble(404)
    try:
        ledger.register.void(number, text_of(form, "reason"), visitor.actor)
    except CannotAct as refused:
        return _shown(request, visitor, enterprise_code, Refused({}, refused.wording))
    return after_form(f"/enterprises/{enterprise_code}", notice="event_voided")


def _shown(
    request: Request,
    visitor: Visitor,
    enterprise_code: str,
    refused: Refused | None = None,
    *,
    opened: str = "",
) -> Response:
    """The page of an enterprise; `opened`: the event whose form was refused, with what was typed there."""
    ledger: Ledger = request.app.state.ledger
    found = ledger.register.enterprise(enterprise_code, visitor.actor)
    recent = ledger.reviews.submissions(
        visitor.actor, SubmissionFilter(enterprise_code=found.enterprise_code), page_size=_RECENT
    ).submissions
    blank_forms: BlankForms = request.app.state.blank_forms
    last_month = month_of(request, "")
    return page(
        request,
        "enterprise.html",
        visitor,
        status_code=200 if refused is None else 409,
        enterprise=found,
        events=ledger.register.events(found.enterprise_code, visitor.actor)[::-1],
        recent=recent,
        told=states_of(ledger, recent),
        districts=codes.districts(),
        district_name=district_name,
        kinds=[kind for kind in _KINDS if kind != EventKind.ENTERED.value or not found.is_expected],
        may_change=visitor.has(Role.CLERK, Role.ANALYST),
        may_note_contact=visitor.has(*STAFF),
        month=last_month.plus(1),
        has_blank_form=blank_forms.is_there(found.enterprise_code, last_month, visitor.actor),
        refused=refused,
        typed=_NOTHING_TYPED | (refused.typed if refused else {}),
        opened=opened,
    )
