"""Every filing one may see, newest first, by month, state, rule and words; one of them is shown by `submission`."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pipelines.ledger import Ledger
from pipelines.ledger.reviews import SubmissionFilter
from pipelines.portal.access import Visitor, allowed
from pipelines.portal.frame import NavigationItem, page
from pipelines.portal.pages.board import month_of
from pipelines.portal.standing import states_of
from pipelines.portal.visible import RETURN_ROLES
from pipelines.records import FileKind

router = APIRouter()
NAVIGATION = (NavigationItem("/submissions", "submissions.navigation", frozenset(RETURN_ROLES), place=22),)

_STATES = ("accepted", "queries", "returned", "rejected", "unreadable")
_KINDS = (FileKind.RETURN.value, FileKind.DEPARTMENT.value)


@router.get("/submissions")
def submissions(
    request: Request,
    month: str = "",
    state: str = "",
    rule: str = "",
    kind: str = "",
    enterprise_code: str = "",
    q: str = "",
    latest: bool = False,
    at: int = 1,
    visitor: Visitor = Depends(allowed(*RETURN_ROLES)),
) -> Response:
    """The list as filtered; what is not understood in the address does not filter."""
    ledger: Ledger = request.app.state.ledger
    wanted = SubmissionFilter(
        month=month_of(request, month) if month else None,
        enterprise_code=enterprise_code.strip().upper()[:64],
        state=state if state in _STATES else "",
        rule=rule.strip()[:32],
        search=q.strip()[:60],
        kind=FileKind(kind) if kind in _KINDS else None,
        only_current=latest,
    )
    asked = {
        "month": str(wanted.month) if wanted.month else "",
        "state": wanted.state,
        "rule": wanted.rule,
        "kind": wanted.kind.value if wanted.kind else "",
        "enterprise_code": wanted.enterprise_code,
        "q": wanted.search,
        "latest": "true" if latest else "",
    }
    found = ledger.reviews.submissions(visitor.actor, wanted, page=at)
    return page(
        request,
        "submissions.html",
        visitor,
        found=found,
        told=states_of(ledger, found.submissions),
        asked=asked,
        states=_STATES,
        kinds=_KINDS,
        link=lambda **changes: (
            "/submissions?" + urlencode({k: v for k, v in {**asked, **changes}.items() if v})
        ),
    )
