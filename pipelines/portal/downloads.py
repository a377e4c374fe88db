"""Files given out by the portal: always to be saved, never to be shown, whatever is in them, and each in the audit log."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from pipelines.ledger import Ledger
from pipelines.ledger.audit import NewEntry
from pipelines.portal.access import Visitor
from pipelines.portal.headers import DOWNLOAD_POLICY
from pipelines.reception.names import shown_name

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"
CSV = "text/csv; charset=utf-8"
ZIP = "application/zip"
BYTES = "application/octet-stream"


def download(content: bytes, name: str, media_type: str) -> Response:
    """A file to be saved under this name.

    The name may be anything a person typed; what reaches the header is cleaned, and given in both ways that
    RFC 6266 knows, so that Chinese names arrive in every browser.
    """
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": content_disposition(name),
            "Content-Security-Policy": DOWNLOAD_POLICY,
            "X-Content-Type-Options": "nosniff",
        },
    )


def hand_out(
    request: Request,
    visitor: Visitor,
    content: bytes,
    name: str,
    media_type: str,
    *,
    of: tuple[str, str],
    copy: str,
    **facts: Any,
) -> Response:
    """A file to be saved, and in the audit log who took it: `of` is what (kind and id), `copy` which form of it."""
    ledger: Ledger = request.app.state.ledger
    kind, object_id = of
    told = {"copy": copy, **{fact: value for fact, value in facts.items() if value not in ("", None)}}
    ledger.audit.record(visitor.actor, [NewEntry("file.downloaded", kind, object_id, new=told)])
    return download(content, name, media_type)


def content_disposition(name: str) -> str:
    """`attachment` with the name as UTF-8 and, for old programs, in ASCII."""
    shown = shown_name(name)
    fallback = "".join(
        character if character.isascii() and character not in '"\\%;' else "_" for character in shown
    )
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(shown, safe='')}"


def named_after(file_name: str, addition: str, ending: str = ".xlsx") -> str:
    """A name beside another: `报表.xlsx`, `_审核意见` -> `报表_审核意见.xlsx`."""
    shown = shown_name(file_name)
    stem, dot, _ = shown.rpartition(".")
    return f"{stem if dot else shown}{addition}{ending}"
