"""Handing in files and watching their verdicts arrive: the box, the batch with its progress, the zero return.

What happens to the bytes is the upload desk's business; a batch is there for its maker and the bureau, under an address
that can be kept, however often the page is closed.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipelines.findings import Verdict, Wording
from pipelines.intake.limits import DEFAULT_UPLOAD_LIMITS, MIB
from pipelines.ledger import Ledger
from pipelines.ledger.actors import Role
from pipelines.ledger.uploads import FAILED, UnknownUpload, UploadProgress
from pipelines.ledger.uploads import UploadFile as HandedInFile
from pipelines.portal.access import Trouble, Visitor, allowed, posted, text_of
from pipelines.portal.asked import month_asked
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import NavigationItem, page
from pipelines.portal.standing import states_of
from pipelines.portal.visible import RETURN_ROLES
from pipelines.reception.uploads import UploadDesk, UploadedFile, UploadRefused
from pipelines.validation.catalogue import catalogue_entries

router = APIRouter()
NAVIGATION = (NavigationItem("/uploads", "uploads.navigation", frozenset(RETURN_ROLES), place=20),)

# The files and what a form adds around each of them.
_BODY_BYTES = DEFAULT_UPLOAD_LIMITS.sent_bytes + MIB
# One more than will be taken, so that the desk can say how many there were.
_FILE_COUNT = 1_000
# How long the answer to an upload waits for the verdict itself, and how many such answers wait at once: nobody else's
# page is to wait behind them.
_WAIT_SECONDS = 1.5
_WAITING = threading.BoundedSemaphore(8)


@dataclass(frozen=True, slots=True)
class BoxLimits:
    """What may be handed in, for the text above the box."""

    file_count: int = DEFAULT_UPLOAD_LIMITS.file_count
    file_mb: int = DEFAULT_UPLOAD_LIMITS.file_bytes // MIB
    sent_mb: int = DEFAULT_UPLOAD_LIMITS.sent_bytes // MIB
    sent_bytes: int = DEFAULT_UPLOAD_LIMITS.sent_bytes


LIMITS = BoxLimits()


@router.get("/uploads")
def uploads(request: Request, visitor: Visitor = Depends(allowed(*RETURN_ROLES))) -> Response:
    """The box for files, and what was handed in lately."""
    return _box(request, visitor)


@router.post("/uploads", openapi_extra=form_fields(("files",), files="files"))
def take_in(
    request: Request,
    visitor: Visitor = Depends(allowed(*RETURN_ROLES, body_bytes=_BODY_BYTES, file_count=_FILE_COUNT)),
    form: FormData = Depends(posted),
) -> Response:
    """Take in files; on the answer they are safe, and where it is quick, judged."""
    sent = [
        UploadedFile(one.filename, one.file)
        for one in form.getlist("files")
        if isinstance(one, UploadFile) and one.filename
    ]
    desk = _desk(request)
    try:
        upload_id = desk.take_in(sent, visitor.actor, language=visitor.language)
    except UploadRefused as refused:
        return _box(request, visitor, refusal=refused.wording)
    return _to_result(desk, upload_id, visitor)


@router.post(
    "/zero-returns",
    openapi_extra=form_fields(
        ("enterprise_code", "month"), enterprise_code=str, month=str, is_revision=("yes", "no")
    ),
)
def zero_return(
    request: Request,
    visitor: Visitor = Depends(allowed(*RETURN_ROLES)),
    form: FormData = Depends(posted),
) -> Response:
    """零报: no business this month."""
    month = month_asked(text_of(form, "month"))
    desk = _desk(request)
    try:
        upload_id = desk.file_zero_return(
            text_of(form, "enterprise_code"),
            month,
            visitor.actor,
            is_revision=text_of(form, "is_revision") == "yes",
            language=visitor.language,
        )
    except UploadRefused as refused:
        return _box(request, visitor, refusal=refused.wording)
    return _to_result(desk, upload_id, visitor)


@router.get("/uploads/{upload_id}")
def batch(
    request: Request,
    upload_id: str,
    show: str = "",
    rule: str = "",
    follow: bool = False,
    visitor: Visitor = Depends(allowed(*RETURN_ROLES)),
) -> Response:
    """What became of the files handed in together. `follow`: go on to the verdict of a single file when it is there."""
    progress = _progress(request, upload_id, visitor)
    if follow and (target := _only_submission(progress)) is not None:
        return RedirectResponse(f"/submissions/{target}", status_code=303)
    return page(
        request,
        "batch.html",
        visitor,
        **_shown(request, progress, show, rule, follow),
    )


@router.get("/uploads/{upload_id}/rows")
def batch_rows(
    request: Request,
    upload_id: str,
    show: str = "",
    rule: str = "",
    follow: bool = False,
    seen: str = "",
    visitor: Visitor = Depends(allowed(*RETURN_ROLES)),
) -> Response:
    """The part of the page that changes, for htmx; 204 when nothing has changed since it was `seen`."""
    progress = _progress(request, upload_id, visitor)
    if follow and (target := _only_submission(progress)) is not None:
        return Response(status_code=204, headers={"HX-Redirect": f"/submissions/{target}"})
    if seen == _stamp(progress):
        return Response(status_code=204)
    return page(request, "batch_rows.html", visitor, **_shown(request, progress, show, rule, follow))


def _desk(request: Request) -> UploadDesk:
    desk: UploadDesk = request.app.state.uploads
    return desk


def _box(request: Request, visitor: Visitor, refusal: Wording | None = None) -> Response:
    desk = _desk(request)
    return page(
        request,
        "uploads.html",
        visitor,
        status_code=200 if refusal is None else 409,
        limits=LIMITS,
        refusal=refusal,
        recent=desk.recent(visitor.actor, everybody=visitor.has(Role.CLERK, Role.ANALYST)),
        trouble=desk.trouble,
    )


def _to_result(desk: UploadDesk, upload_id: str, visitor: Visitor) -> Response:
    """To the verdict, if a single file has got it by now; else to the page where it will arrive."""
    progress = desk.progress(upload_id, visitor.actor)
    if progress.file_count == 1 and not progress.is_finished and _WAITING.acquire(blocking=False):
        try:
            progress = desk.wait_for(upload_id, visitor.actor, seconds=_WAIT_SECONDS)
        finally:
            _WAITING.release()
    target = _only_submission(progress)
    if target is not None:
        return RedirectResponse(f"/submissions/{target}", status_code=303)
    follow = "?follow=true" if progress.file_count == 1 and not progress.is_finished else ""
    return RedirectResponse(f"/uploads/{upload_id}{follow}", status_code=303)


def _progress(request: Request, upload_id: str, visitor: Visitor) -> UploadProgress:
    try:
        return _desk(request).progress(upload_id, visitor.actor)
    except UnknownUpload as error:
        raise Trouble(404) from error


def _only_submission(progress: UploadProgress) -> str | None:
    """The submission that a finished upload of a single file has become."""
    if progress.file_count == 1 and progress.is_finished and not progress.left_out_count:
        return progress.files[0].submission_id
    return None


def _shown(request: Request, progress: UploadProgress, show: str, rule: str, follow: bool) -> dict[str, Any]:
    """What the page of a batch shows: the files of the filter, and counts over all of them."""
    files = [
        one
        for one in progress.files
        if (show != "problems" or has_problem(one)) and (not rule or rule in one.rules)
    ]
    rules = Counter(name for one in progress.files for name in one.rules)
    states = _states(request, progress)
    filters = (
        ("&show=problems" if show == "problems" else "")
        + (f"&rule={quote(rule[:40])}" if rule else "")
        + ("&follow=true" if follow else "")
    )
    return {
        "progress": progress,
        "files": files,
        "show": show,
        "rule": rule,
        "about_rule": catalogue_entries().get(rule),
        "rules": sorted(rules.items(), key=lambda item: (-item[1], item[0])),
        "states": states,
        "counts_by_state": sorted(Counter(states.values()).items(), key=lambda item: _place_of(item[0])),
        "problem_count": sum(has_problem(one) for one in progress.files),
        "filters": filters,
        "stamp": _stamp(progress),
        "percent": round(100 * progress.done_share),
        # Told in quarters: a screen reader is not to be talked over by every file.
        "told_count": progress.done_count
        if progress.is_finished
        else progress.file_count * (4 * progress.done_count // max(progress.file_count, 1)) // 4,
        "trouble": None if progress.is_finished else _desk(request).trouble,
    }


def _stamp(progress: UploadProgress) -> str:
    """What the page shows changes with this."""
    return f"{progress.done_count}.{progress.read_count}.{int(progress.is_finished)}"


def _states(request: Request, progress: UploadProgress) -> dict[int, str]:
    """The word for each file that was judged, by its place: what holds now, and whether it counts."""
    ledger: Ledger = request.app.state.ledger
    recorded = {one.submission_id for one in progress.files if one.submission_id}
    known = states_of(ledger, ledger.submissions(submission_ids=recorded)) if recorded else {}
    return {
        one.ordinal: known.get(one.submission_id or "", one.verdict.value)
        for one in progress.files
        if one.verdict is not None
    }


def _place_of(state: str) -> int:
    """Where a word stands in the tally: as the verdicts do, and behind accepted what is accepted and does not count."""
    verdicts = [verdict.value for verdict in Verdict]
    return verdicts.index(state) if state in verdicts else verdicts.index(Verdict.ACCEPTED.value)


def has_problem(one: HandedInFile) -> bool:
    """Whether somebody has to look at this file."""
    if one.state == FAILED or one.is_duplicate:
        return True
    return one.verdict is not None and (one.status or one.verdict) is not Verdict.ACCEPTED
