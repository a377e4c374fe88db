"""The first page after signing in: what to do now, by role. A reporter sees first what was sent back, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pipelines.findings import Verdict
from pipelines.ledger import Ledger, Submission
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.board import BoardRow, MonthBoard, ReturnState
from pipelines.ledger.explanations import Query
from pipelines.ledger.reviews import SubmissionFilter, Waiting
from pipelines.periods import Month
from pipelines.portal.access import Visitor, allowed
from pipelines.portal.frame import NavigationItem, frame_of, page
from pipelines.portal.pages.uploads import LIMITS
from pipelines.portal.standing import states_of

router = APIRouter()
NAVIGATION = (NavigationItem("/", "home.navigation", place=10),)

_RECENT = 5
_TO_DO = 5
_STAFF = (Role.CLERK, Role.ANALYST, Role.DISTRICT_REVIEWER)


@dataclass(frozen=True, slots=True)
class ToDo:
    """A return that waits for its enterprise: sent back, with errors, or with questions, and what is said of it.

    state   returned, rejected or queries; `reason` is a reviewer's, `first` the gravest finding
    """

    submission: Submission
    state: str
    reason: str
    first: Query | None
    more_count: int


@router.get("/")
def home(request: Request, visitor: Visitor = Depends(allowed())) -> Response:
    """The first page."""
    if visitor.has(Role.REPORTER):
        return _reporters(request, visitor)
    if visitor.has(*_STAFF):
        return _staffs(request, visitor)
    return page(
        request,
        "home.html",
        visitor,
        board=_board(request, visitor.actor, page_size=1) if visitor.has(Role.OFFICIAL) else None,
        ways=[item for item in frame_of(request).items_for(visitor) if item.path != "/"],
    )


def _reporters(request: Request, visitor: Visitor) -> Response:
    ledger: Ledger = request.app.state.ledger
    board = _board(request, visitor.actor, page_size=None)
    to_do, to_do_count = _to_do(ledger, visitor.actor)
    recent = ledger.reviews.submissions(visitor.actor, page_size=_RECENT).submissions
    return page(
        request,
        "home_reporter.html",
        visitor,
        board=board,
        to_do=to_do,
        to_do_count=to_do_count,
        zero_rows=[row for row in board.rows if may_file_zero(row)],
        recent=recent,
        told=states_of(ledger, recent),
        limits=LIMITS,
    )


def _staffs(request: Request, visitor: Visitor) -> Response:
    ledger: Ledger = request.app.state.ledger
    queue = ledger.reviews.queue(visitor.actor, page_size=1_000)
    desk = request.app.state.uploads
    return page(
        request,
        "home_staff.html",
        visitor,
        board=_board(request, visitor.actor, page_size=1),
        queried_count=sum(item.waiting is Waiting.QUERIED for item in queue.items),
        explained_count=sum(item.waiting is Waiting.EXPLAINED for item in queue.items),
        recent=desk.recent(visitor.actor, most=_RECENT),
        limits=LIMITS,
        trouble=desk.trouble,
        paths={item.path for item in frame_of(request).items_for(visitor)},
        board_link=lambda **filters: "/board?" + urlencode({"month": str(month_to_file(request)), **filters}),
    )


def month_to_file(request: Request) -> Month:
    """The month for which returns are due now: the last one that is over, by the portal's clock."""
    today: Callable[[], date] = request.app.state.today
    return Month.of(today()).previous


def _board(request: Request, actor: Actor, *, page_size: int | None) -> MonthBoard:
    ledger: Ledger = request.app.state.ledger
    today: Callable[[], date] = request.app.state.today
    return ledger.board.look(
        month_to_file(request),
        actor,
        deadline_day=request.app.state.settings.filing_deadline_day,
        today=today(),
        page_size=page_size,
    )


def may_file_zero(row: BoardRow) -> bool:
    """Whether one click may say that there was no business: nothing stands for the month, or only what was refused."""
    if (
        row.has_late_revision
    ):  # the board stands as at the closing; the list of filings shows what has come since
        return False
    return row.state in {ReturnState.NOT_FILED, ReturnState.RETURNED}


def _to_do(ledger: Ledger, actor: Actor) -> tuple[list[ToDo], int]:
    """The newest returns of the actor's enterprises that wait for them, what a person sent back first; and how many."""
    waiting: list[ToDo] = []
    count = 0
    for state in ("returned", Verdict.REJECTED.value, Verdict.QUERIES.value):
        found = ledger.reviews.submissions(
            actor, SubmissionFilter(state=state, only_current=True), page_size=_TO_DO
        )
        count += found.submission_count
        for submission in found.submissions[: _TO_DO - len(waiting)]:
            view = ledger.reviews.view(submission.submission_id, actor)
            asked = sorted(
                (query for query in view.queries if query.is_open or query.finding.severity == "critical"),
                key=lambda query: query.finding.severity != "critical",
            )
            waiting.append(
                ToDo(submission, state, view.returned_for, next(iter(asked), None), max(len(asked) - 1, 0))
            )
    return waiting, count
