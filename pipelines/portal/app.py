"""The portal put together: pages, frame, headers, errors, log.

Who may and how a page is made are in `access` and `frame`; what the pages show in `pages/`. The address and the
server around it are in `server`.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.findings import Wording
from pipelines.ledger import (
    SHANGHAI,
    CannotAct,
    Ledger,
    LedgerLocked,
    LedgerUnusable,
    UnknownEnterprise,
    UnknownSubmission,
    ledger_of,
)
from pipelines.ledger.actors import NotAllowed, Role
from pipelines.portal.access import (
    Accounts,
    Trouble,
    Visitor,
    anyone,
    browser_report,
    guest_of,
    routes_of,
    visitor_of,
)
from pipelines.portal.frame import Frame, page, wording
from pipelines.portal.headers import CSP_REPORT_PATH, SafeAnswers
from pipelines.portal.journal import Journal
from pipelines.portal.names import Names
from pipelines.portal.pages import NAVIGATION, ROUTERS
from pipelines.portal.reports import Report, reports_in
from pipelines.reception.blank_forms import BlankForms
from pipelines.reception.uploads import UploadDesk
from pipelines.settings import Settings

_THREADS = 200
# What a disk says that takes nothing more, and who is told what to do about it.
_DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
_WHO_CAN_MEND = (Role.CLERK, Role.ANALYST, Role.SYSTEM_ADMIN)
_STATUSES_WITH_A_PAGE = {400, 401, 403, 404, 405, 409, 413, 429, 500, 503}


def _today() -> date:
    return datetime.now(SHANGHAI).date()


def create_app(
    settings: Settings,
    ledger: Ledger | None = None,
    *,
    accounts: Accounts | None = None,
    uploads: UploadDesk | None = None,
    routers: Sequence[APIRouter] = ROUTERS,
    has_openapi: bool = False,
    today: Callable[[], date] = _today,
) -> FastAPI:
    """The portal as an ASGI application.

    `ledger` None: opened here and closed with the portal. `accounts` None: those of the ledger. `uploads` None: an
    upload desk of this portal, which works as long as the portal runs; one that is given is the caller's to start.
    `has_openapi` gives /openapi.json for tests; the portal shows none. `today` is the day in Shanghai.

    Raises UndeclaredAccess when a route does not say who may, InvalidWords when the catalogue is incomplete,
    LedgerUnusable when the ledger cannot be opened.
    """
    routes = routes_of([_own, *routers])
    opened = ledger_of(settings) if ledger is None else ledger
    desk = UploadDesk(settings, opened) if uploads is None else uploads

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        # Those who hand in wait for the disk, each in a thread: enough of them for nobody who only reads to wait too.
        current_default_thread_limiter().total_tokens = _THREADS
        if uploads is None:
            desk.start()
        try:
            yield
        finally:
            if uploads is None:
                await run_in_threadpool(desk.stop)
            app.state.journal.close()
            if ledger is None:
                await run_in_threadpool(opened.close)

    app = FastAPI(
        title="servtrade",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        openapi_url="/openapi.json" if has_openapi else None,
        redirect_slashes=False,
        lifespan=life,
    )
    app.state.settings = settings
    app.state.routes = routes
    app.state.ledger = opened
    app.state.accounts = accounts if accounts is not None else accounts_of(opened)
    app.state.uploads = desk
    app.state.blank_forms = BlankForms(settings, opened)
    app.state.today = today
    app.state.frame = Frame(NAVIGATION)
    app.state.names = Names(opened.accounts.display_names)
    app.state.journal = Journal(settings.data_dir / "logs")
    app.state.policy_reports = []
    for router in (_own, *routers):
        app.include_router(router)
    for kind, handler in (
        (HTTPException, _on_http_error),
        (RequestValidationError, _on_bad_parameters),
        (Trouble, _on_trouble),
        (LedgerLocked, _on_busy),
        (LedgerUnusable, _on_fault),
        (CannotAct, _on_refusal),
        (NotAllowed, _on_refusal),
        (UnknownSubmission, _on_unknown),
        (UnknownEnterprise, _on_unknown),
    ):
        app.add_exception_handler(kind, handler)
    app.add_middleware(Told)
    app.add_middleware(SafeAnswers, on_fault=_on_fault)
    return app


def accounts_of(ledger: Ledger) -> Accounts:
    """The accounts of this ledger."""
    return ledger.accounts


# -- what belongs to no page --------------------------------------------------------------------------------

_own = APIRouter()


@_own.get("/static/{digest}/{name:path}")
def static_file(request: Request, digest: str, name: str, visitor: Visitor = Depends(anyone)) -> Response:
    """A file of the portal; its address changes with its content, so browsers may keep it."""
    found = request.app.state.frame.static.find(digest, name)
    if found is None:
        raise Trouble(404)
    return Response(
        found.content,
        media_type=found.media_type,
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )


@_own.get("/healthz")
def health(visitor: Visitor = Depends(anyone)) -> Response:
    """For whoever watches the service: it answers."""
    return Response("ok\n", media_type="text/plain; charset=utf-8")


@_own.post(CSP_REPORT_PATH, status_code=204)
def policy_report(request: Request, visitor: Visitor = Depends(browser_report)) -> Response:
    """What a browser refused because of our policy: kept for the operator, a few, without what stood on the page."""
    reports: list[Report] = request.app.state.policy_reports
    for report in reports_in(request.state.body):
        if len(reports) < 100:  # a page that breaks the policy says so at every visit; the first ones tell it
            reports.append(report)
            request.app.state.journal.note("policy_broken", directive=report.directive, page=report.page)
    return Response(status_code=204)


# -- errors -------------------------------------------------------------------------------------------------


async def error_page(
    request: Request, status: int, trouble: Trouble | None = None, *, title: str = ""
) -> Response:
    """What a person sees when something does not work: what, what to do, and a number to tell the bureau.

    `title`: a name of its own for what happened (`errors.title_`); empty: that of the status.
    """
    visitor = getattr(request.state, "visitor", None)
    if visitor is None:  # nobody has asked who it is: no such page, or something is out of order
        visitor = guest_of(request) if status >= 500 else await run_in_threadpool(visitor_of, request)
    shown = status if status in _STATUSES_WITH_A_PAGE else (400 if status < 500 else 500)
    response = page(
        request,
        "error.html",
        visitor,
        status_code=status,
        status=shown,
        title=title or shown,
        explanation=trouble.wording if trouble else None,
    )
    for name, value in (trouble.headers if trouble else {}).items():
        response.headers[name] = value
    return response


async def _on_trouble(request: Request, error: Any) -> Response:
    if "Location" in error.headers:
        return Response(status_code=error.status, headers=error.headers)
    return await error_page(request, error.status, error)


async def _on_http_error(request: Request, error: Any) -> Response:
    response = await error_page(request, error.status_code)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


async def _on_bad_parameters(request: Request, _error: Any) -> Response:
    return await error_page(request, 400)


async def _on_busy(request: Request, _error: Any) -> Response:
    response = await error_page(request, 503)
    response.headers["Retry-After"] = "2"
    return response


async def _on_refusal(request: Request, error: Any) -> Response:
    """The ledger does not do it, and says why."""
    status = 403 if isinstance(error, NotAllowed) else 409
    return await error_page(request, status, Trouble(status, error.wording))


async def _on_unknown(request: Request, _error: Any) -> Response:
    """Not there, or not for this person: the two are not told apart."""
    return await error_page(request, 404)


async def _on_fault(request: Request, error: Exception) -> Response:
    request.app.state.journal.fault(
        request_id=request.state.request_id,
        method=request.method,
        route=_route_of(request.scope),
        error=error,
    )
    if isinstance(error, LedgerUnusable):
        return await _cannot_keep(request, error.wording)
    if isinstance(error, OSError) and error.errno in _DISK_FAULTS:
        said = os.strerror(error.errno)
        return await _cannot_keep(
            request,
            Wording(
                f"磁盘已满或有故障（{said}）。请清理或检修磁盘后重试。",
                f"The disk is full or at fault ({said}). Make room or mend the disk, then try again.",
            ),
        )
    return await error_page(request, 500)


async def _cannot_keep(request: Request, fault: Wording) -> Response:
    """Nothing was kept. What is wrong, and where on this machine, is for those who can mend it."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    told = wording(request, "errors.help_unusable")
    if visitor is not None and visitor.has(*_WHO_CAN_MEND):
        told = Wording(f"{told.zh}{fault.zh}", f"{told.en} {fault.en}")
    response = await error_page(request, 503, Trouble(503, told), title="unusable")
    response.headers["Retry-After"] = "60"
    return response


class Told:
    """Writes every answered request into the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            visitor: Visitor | None = scope["state"].get("visitor")
            scope["app"].state.journal.request(
                request_id=scope["state"]["request_id"],
                method=scope["method"] if scope["method"].isalpha() else "?",
                route=_route_of(scope),
                status=status,
                milliseconds=(time.perf_counter() - began) * 1000,
                login=visitor.actor.name if visitor else "",
            )


def _route_of(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "(none)"))
