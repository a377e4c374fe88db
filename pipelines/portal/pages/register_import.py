"""Importing a register file: what it would change is shown first, and nothing is written before somebody says so.

The file travels with the page of the preview and is read again when it is confirmed: one reading, nothing stored in
between. If the register has changed meanwhile, the new preview is shown instead.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections import Counter
from dataclasses import asdict, dataclass

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from pipelines.findings import Wording
from pipelines.intake.limits import MIB
from pipelines.ledger import Ledger
from pipelines.ledger.actors import Role
from pipelines.ledger.register import RegisterChange, RowsRefused
from pipelines.ledger.shapes import CannotAct
from pipelines.periods import Month
from pipelines.portal.access import Trouble, Visitor, allowed, posted, text_of
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import after_form, page, wording
from pipelines.portal.pages.board import district_name
from pipelines.reception.register_file import (
    RegisterFile,
    RegisterFileRefused,
    read_register_file,
    refused_rows,
)

router = APIRouter()

_MAY = (Role.CLERK, Role.ANALYST)
_FILE_BYTES = 2 * MIB
_BODY_BYTES = 4 * MIB
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would change: its name, content as it travels, reading, changes, and a mark of these changes."""

    file_name: str
    carried: str
    found: RegisterFile
    changes: list[RegisterChange]

    @property
    def mark(self) -> str:
        told = json.dumps([asdict(change) for change in self.changes], default=str, ensure_ascii=False)
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def counts(self) -> dict[str, int]:
        """Enterprises by what becomes of them: new, left, changed, unchanged."""
        kinds = Counter(kind_of(change) for change in self.changes)
        named = len(self.found.first_row_of)
        return {
            "new": kinds["new"],
            "changed": kinds["changed"],
            "left": kinds["left"],
            "unchanged": named - len(self.changes),
        }


def kind_of(change: RegisterChange) -> str:
    """new, left or changed."""
    if change.is_new:
        return "new"
    return "left" if change.leaves else "changed"


@router.get("/enterprises/import")
def choose(request: Request, visitor: Visitor = Depends(allowed(*_MAY))) -> Response:
    """Where a register file is chosen."""
    return _shown(request, visitor)


@router.post("/enterprises/import", openapi_extra=form_fields(("file",), files="file"))
def preview(
    request: Request,
    visitor: Visitor = Depends(allowed(*_MAY, body_bytes=_BODY_BYTES, file_count=1)),
    form: FormData = Depends(posted),
) -> Response:
    """What the file would change. Writes nothing."""
    sent = form.get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return _shown(request, visitor, refusal=wording(request, "register_import.no_file"))
    content = sent.file.read(_FILE_BYTES + 1)
    if len(content) > _FILE_BYTES:
        refusal = wording(request, "register_import.too_large", most=_FILE_BYTES // MIB)
        return _shown(request, visitor, refusal=refusal)
    return _previewed(request, visitor, sent.filename[-120:], content)


@router.post(
    "/enterprises/import/confirm",
    openapi_extra=form_fields(("file_name", "content", "mark"), file_name=str, content=str, mark=str),
)
def confirm(
    request: Request,
    visitor: Visitor = Depends(allowed(*_MAY, body_bytes=_BODY_BYTES)),
    form: FormData = Depends(posted),
) -> Response:
    """Import what was shown; if it would now change something else, show that instead."""
    content = _unpacked(text_of(form, "content", _BODY_BYTES))
    return _previewed(
        request, visitor, text_of(form, "file_name"), content, confirmed=text_of(form, "mark", 64)
    )


def _previewed(
    request: Request, visitor: Visitor, file_name: str, content: bytes, *, confirmed: str = ""
) -> Response:
    ledger: Ledger = request.app.state.ledger
    try:
        found = read_register_file(file_name, content)
    except RegisterFileRefused as refused:
        return _shown(request, visitor, refusal=refused.wording)
    rows = [row for _, row in found.rows]
    changes: list[RegisterChange] = []
    if not found.problems:
        try:
            changes = ledger.register.preview_rows(rows, visitor.actor)
        except RowsRefused as refused:
            found = refused_rows(found, refused)
        except CannotAct as refused:
            return _shown(request, visitor, refusal=refused.wording)
    made = Preview(file_name, base64.b64encode(zlib.compress(content, 6)).decode(), found, changes)
    if confirmed and not found.problems:
        if confirmed == made.mark:
            ledger.register.import_rows(rows, visitor.actor)
            return after_form("/enterprises", notice="register_imported")
        return _shown(request, visitor, made, refusal=wording(request, "register_import.has_changed"))
    return _shown(request, visitor, made)


def _shown(
    request: Request,
    visitor: Visitor,
    made: Preview | None = None,
    *,
    refusal: Wording | None = None,
) -> Response:
    return page(
        request,
        "register_import.html",
        visitor,
        status_code=200 if refusal is None else 409,
        made=made,
        refusal=refusal,
        kind_of=kind_of,
        month_of_day=lambda day: Month.of(day) if day else "",
        district_name=district_name,
        most_shown=_SHOWN,
        most_mb=_FILE_BYTES // MIB,
    )


def _unpacked(carried: str) -> bytes:
    """The file as it travelled with the preview. Raises Trouble (400) where it is none of ours."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(base64.b64decode(carried, validate=True), _FILE_BYTES + 1)
    except (zlib.error, binascii.Error, ValueError) as error:
        raise Trouble(400) from error
    if len(content) > _FILE_BYTES or not unpacker.eof:
        raise Trouble(400)
    return content
