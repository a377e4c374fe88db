"""The audit log for the audit administrator: looked through, verified, exported; never changed."""

from __future__ import annotations

import io
import json
from datetime import date
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from pipelines.ledger import Ledger
from pipelines.ledger.actors import Role
from pipelines.ledger.audit import AuditFilter, AuditLog, SignedHead, is_whole
from pipelines.portal.access import Trouble, Visitor, allowed, posted, text_of
from pipelines.portal.downloads import CSV, download
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import NavigationItem, frame_of, page, wording
from pipelines.portal.pages.board import today

router = APIRouter()
NAVIGATION = (NavigationItem("/audit", "audit.navigation", frozenset({Role.AUDIT_ADMIN}), place=90),)
_NDJSON = "application/x-ndjson; charset=utf-8"
_MAX_HEAD = 5_000


@router.get("/audit")
def audit(
    request: Request,
    actor: str = "",
    action: str = "",
    kind: str = "",
    object_id: str = "",
    since: str = "",
    until: str = "",
    number: int = 1,
    visitor: Visitor = Depends(allowed(Role.AUDIT_ADMIN)),
) -> Response:
    """Entries that meet the filters, newest first."""
    typed = {
        "actor": actor.strip(),
        "action": action.strip(),
        "kind": kind.strip(),
        "object_id": object_id.strip(),
        "since": since.strip(),
        "until": until.strip(),
    }
    found = _log(request).entries(_filter(request, typed), number, reader=visitor.actor)
    query = urlencode({name: value for name, value in typed.items() if value})
    return page(
        request,
        "audit.html",
        visitor,
        found=found,
        named=_names_of(request, {entry.action for entry in found.entries}),
        typed=typed,
        earlier=f"/audit?{query}&number={found.page + 1}" if found.page < found.page_count else "",
        later=f"/audit?{query}&number={found.page - 1}" if found.page > 1 else "",
    )


@router.post("/audit/verification", openapi_extra=form_fields(head=str))
def verification(
    request: Request,
    visitor: Visitor = Depends(allowed(Role.AUDIT_ADMIN)),
    form: FormData = Depends(posted),
) -> Response:
    """Whether the log is as it was written; with an exported head, also whether it was written anew."""
    text = text_of(form, "head", longest=_MAX_HEAD)
    try:
        heads = [_head_in(text)] if text else []
    except (ValueError, RecursionError):
        raise Trouble(400, wording(request, "audit.no_head")) from None
    faults = _log(request).verify(heads)
    return page(
        request,
        "audit_verification.html",
        visitor,
        faults=faults,
        is_whole=is_whole(faults),
        head=_log(request).head(),
    )


@router.post(
    "/audit/export",
    openapi_extra=form_fields(
        ("format",),
        format=("csv", "ndjson"),
        actor=str,
        action=str,
        kind=str,
        object_id=str,
        since=str,
        until=str,
    ),
)
def export(
    request: Request,
    visitor: Visitor = Depends(allowed(Role.AUDIT_ADMIN)),
    form: FormData = Depends(posted),
) -> Response:
    """The entries that meet the filters as a file; that it was taken is itself in the log."""
    file_format = text_of(form, "format")
    typed = {name: text_of(form, name) for name in ("actor", "action", "kind", "object_id", "since", "until")}
    filters = _filter(request, typed)
    stream = io.StringIO(newline="")
    if file_format == "csv":
        _log(request).export(stream, "csv", filters, reader=visitor.actor)
    elif file_format == "ndjson":
        _log(request).export(stream, "ndjson", filters, reader=visitor.actor)
    else:
        raise Trouble(400)
    name = f"审计日志_{today(request).isoformat()}.{file_format}"
    return download(stream.getvalue().encode(), name, CSV if file_format == "csv" else _NDJSON)


def _names_of(request: Request, actions: set[str]) -> dict[str, str]:
    """The ends of the keys under which these actions have a name for people; others are shown as they stand."""
    words = frame_of(request).words
    ends = {action: action.replace(".", "_") for action in actions}
    return {action: end for action, end in ends.items() if f"audit_actions.action_{end}" in words}


def _log(request: Request) -> AuditLog:
    ledger: Ledger = request.app.state.ledger
    return ledger.audit


def _filter(request: Request, typed: dict[str, str]) -> AuditFilter:
    try:
        return AuditFilter(
            typed["actor"],
            typed["action"],
            typed["kind"],
            typed["object_id"],
            date.fromisoformat(typed["since"]) if typed["since"] else None,
            date.fromisoformat(typed["until"]) if typed["until"] else None,
        )
    except ValueError:
        raise Trouble(400, wording(request, "audit.no_day")) from None


def _head_in(text: str) -> SignedHead:
    """A head as it was exported, alone or as the last line of an export. Raises ValueError for anything else."""
    content = json.loads(text.splitlines()[-1])
    if not isinstance(content, dict):
        raise ValueError("not a head")  # noqa: TRY004 - what was typed is wrong, not the type of an argument
    return SignedHead.from_json(content.get("head", content))
