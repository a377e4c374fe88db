"""What waits for a reviewer: returns with open queries, and explanations to be looked at; deciding about one of them.

The list and the decisions are the ledger's (`ledger.reviews`, `ledger.explanations`), four eyes included; the words of
a 退回 are composed in `validation.return_texts` and may be changed by hand before they are sent.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from pipelines.findings import Verdict, Wording
from pipelines.ledger import Ledger, Submission, UnknownEnterprise
from pipelines.ledger.actors import Actor
from pipelines.ledger.register import Enterprise
from pipelines.ledger.reviews import MAX_REASON_LENGTH, MIN_REASON_LENGTH, Waiting
from pipelines.ledger.shapes import CannotAct
from pipelines.periods import Month
from pipelines.portal.access import Trouble, Visitor, allowed, posted, text_of
from pipelines.portal.asked import number_asked
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import NavigationItem, after_form, page
from pipelines.portal.pages.board import STAFF, district_name, month_of
from pipelines.portal.standing import standing_in
from pipelines.portal.visible import may_have_file_itself, view_for
from pipelines.validation.return_texts import return_text

router = APIRouter()
NAVIGATION = (NavigationItem("/review", "review.navigation", frozenset(STAFF), place=18),)

_ACTS = ("confirm", "send_back", "withdraw", "accept", "refuse")


@router.get("/review")
def review(
    request: Request,
    month: str = "",
    waiting: str = "",
    district: str = "",
    rule: str = "",
    at: int = 1,
    visitor: Visitor = Depends(allowed(*STAFF)),
) -> Response:
    """The list, what came first first."""
    ledger: Ledger = request.app.state.ledger
    chosen: Month | None = month_of(request, month) if month else None
    kind = Waiting(waiting) if waiting in set(Waiting) else None
    queue = ledger.reviews.queue(
        visitor.actor,
        month=chosen,
        waiting=kind,
        district_code=district[:32],
        rule=rule[:32],
        page=at,
    )
    asked = {
        "month": str(chosen) if chosen else "",
        "waiting": kind.value if kind else "",
        "district": district[:32],
        "rule": rule[:32],
    }
    return page(
        request,
        "review.html",
        visitor,
        queue=queue,
        asked=asked,
        kinds=[one.value for one in Waiting],
        districts=sorted({item.district_code for item in queue.items if item.district_code}),
        district_name=district_name,
        link=lambda **changes: "/review?" + urlencode({k: v for k, v in {**asked, **changes}.items() if v}),
    )


@router.get("/review/{submission_id}")
def one_return(request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*STAFF))) -> Response:
    """One return to decide about: what is asked, what was explained, what may be done."""
    return _shown(request, visitor, submission_id)


@router.post(
    "/review/{submission_id}",
    openapi_extra=form_fields(("act",), act=_ACTS, reason=str, text=str),
)
def decide(
    request: Request,
    submission_id: str,
    visitor: Visitor = Depends(allowed(*STAFF)),
    form: FormData = Depends(posted),
) -> Response:
    """Confirm, send back, take that back; accept or refuse explanations."""
    ledger: Ledger = request.app.state.ledger
    act = text_of(form, "act")
    if act not in _ACTS:
        raise Trouble(400)
    name = "text" if act == "send_back" else "reason"
    reason = text_of(form, name, longest=MAX_REASON_LENGTH * 2).replace("\r\n", "\n")
    ordinals = [number_asked(one) for one in form.getlist("ordinals") if isinstance(one, str)]
    actor = visitor.actor

    def accept(submission: str, said: str, who: Actor) -> Submission:
        return ledger.explanations.accept(submission, who, ordinals=ordinals or None, reason=said)

    def refuse(submission: str, said: str, who: Actor) -> Submission:
        return ledger.explanations.refuse(submission, said, who, ordinals=ordinals or None)

    acts: dict[str, Callable[[str, str, Actor], Submission]] = {
        "confirm": ledger.reviews.confirm,
        "send_back": ledger.reviews.send_back,
        "withdraw": ledger.reviews.withdraw_return,
        "accept": accept,
        "refuse": refuse,
    }
    view_for(ledger, actor, submission_id)  # not there, or not theirs: 404 before anything is said
    try:
        acts[act](submission_id, reason, actor)
    except CannotAct as refused:
        return _shown(request, visitor, submission_id, refused.wording, typed=(act, reason))
    path = "/review" if act in ("confirm", "send_back") else f"/review/{submission_id}"
    return after_form(path, notice="decided")


def _shown(
    request: Request,
    visitor: Visitor,
    submission_id: str,
    refusal: Wording | None = None,
    typed: tuple[str, str] = ("", ""),
) -> Response:
    ledger: Ledger = request.app.state.ledger
    view = view_for(ledger, visitor.actor, submission_id)
    found = view.submission
    # A version that was replaced, and is not in force, is looked at and no more.
    is_acted_on = (found.is_current or found.is_latest_accepted) and not found.is_returned
    template = return_text(
        query.finding for query in view.queries if query.is_open or query.finding.severity == "critical"
    )
    return page(
        request,
        "review_one.html",
        visitor,
        status_code=200 if refusal is None else 409,
        view=view,
        submission=found,
        standing=standing_in(ledger, view),
        enterprise=_enterprise_of(ledger, visitor.actor, found),
        district_name=district_name,
        # What was explained once more after a refusal is open too; it stands among the explanations.
        asked=[
            query
            for query in view.queries
            if query.is_open and not (query.explanation is not None and query.explanation.state == "given")
        ],
        explained=[
            query
            for query in view.queries
            if query.explanation is not None and query.explanation.state in ("given", "accepted", "refused")
        ],
        waiting_count=sum(
            query.explanation is not None and query.explanation.state == "given"
            for query in view.queries
            if is_acted_on
        ),
        errors=[query for query in view.queries if query.finding.severity == "critical"],
        may_refuse=is_acted_on
        and any(
            query.explanation is not None and query.explanation.state == "accepted" for query in view.queries
        ),
        may_confirm=found.status is Verdict.QUERIES and not found.is_returned and found.is_current,
        may_send_back=found.status is not Verdict.UNREADABLE and not found.is_returned and is_acted_on,
        may_have_file=may_have_file_itself(view, visitor.actor),
        text=typed[1]
        if typed[0] == "send_back"
        else (template.zh if visitor.language == "zh" else template.en),
        act=typed[0],
        reason=typed[1],
        least=MIN_REASON_LENGTH,
        most=MAX_REASON_LENGTH,
        refusal=refusal,
    )


def _enterprise_of(ledger: Ledger, actor: Actor, found: Submission) -> Enterprise | None:
    """The enterprise of a return, to be called; None for a department's table and for a code that nobody knows."""
    if not found.enterprise_code:
        return None
    try:
        month = Month.of(found.month_start_date) if found.month_start_date else None
        return ledger.register.enterprise(found.enterprise_code, actor, month=month)
    except UnknownEnterprise:
        return None
