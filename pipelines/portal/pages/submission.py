"""One return as it was judged: the verdict in words, every finding with its cell, explanations, versions, the file to
take away and the receipt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from pipelines.findings import Severity, Verdict, Wording
from pipelines.intake.layouts import layout_book
from pipelines.ledger import CannotExplain, Ledger, Submission
from pipelines.ledger.explanations import MAX_REASON_LENGTH, MIN_REASON_LENGTH, Origin, Query
from pipelines.ledger.reviews import SubmissionView
from pipelines.ledger.shapes import receipt_number
from pipelines.periods import Month
from pipelines.portal.access import Trouble, Visitor, allowed, posted, text_of
from pipelines.portal.differences import differences
from pipelines.portal.downloads import BYTES, PDF, WORKBOOK, hand_out, named_after
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import after_form, page, wording
from pipelines.portal.pages.board import STAFF
from pipelines.portal.standing import standing_in, states_of
from pipelines.portal.visible import RETURN_ROLES, arrivals_for, may_have_file_itself, view_for
from pipelines.reception.receipt import printed, receipt_of, receipt_pdf
from pipelines.stores import Lines, Originals
from pipelines.validation.annotate import CannotAnnotate, about_file, annotated_copy, values_only_copy

router = APIRouter()

_ORDER = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
_REASON_FIELD = re.compile(r"reason_(\d{1,5})")
# A field a query, each as long as an explanation may be; a Chinese character travels as nine bytes.
_QUERIES = 5_000
_EXPLANATION_BYTES = 16 * 1024 * 1024


@router.get("/submissions/{submission_id}")
def submission(
    request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """What was said of this return, and what one can do now."""
    return _page(request, visitor, _view(request, visitor, submission_id))


@router.post("/submissions/{submission_id}/explanations", openapi_extra=form_fields(reason_1=str))
def explain(
    request: Request,
    submission_id: str,
    visitor: Visitor = Depends(allowed(*RETURN_ROLES, body_bytes=_EXPLANATION_BYTES, field_count=_QUERIES)),
    form: FormData = Depends(posted),
) -> Response:
    """Explain queries: those whose field says something that was not said before."""
    view = _view(request, visitor, submission_id)
    said_before = {
        query.ordinal: query.explanation.reason
        for query in view.queries
        if query.explanation is not None and query.explanation.is_standing
    }
    reasons: dict[int, str] = {}
    for name in form:
        if (field := _REASON_FIELD.fullmatch(name)) is not None:
            text = text_of(form, name, longest=MAX_REASON_LENGTH * 2).replace("\r\n", "\n")
            if text and text != said_before.get(int(field[1])):
                reasons[int(field[1])] = text
    ledger: Ledger = request.app.state.ledger
    try:
        ledger.explanations.explain(submission_id, reasons, visitor.actor, Origin.PORTAL)
    except CannotExplain as refused:
        return _page(request, visitor, view, refusal=refused.wording, reasons=reasons)
    return after_form(f"/submissions/{submission_id}", notice="explained")


@router.get("/submissions/{submission_id}/differences")
def what_changed(
    request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """What this version changed in the one before it, cell by cell."""
    view = _view(request, visitor, submission_id)
    found = view.submission
    before = next((one for one in view.versions if (one.version or 0) < (found.version or 0)), None)
    if before is None:
        raise Trouble(404)
    lines = Lines(request.app.state.settings.lines_dir)
    table = lines.read({one.submission_id: one.lines_file for one in (before, found)})
    cells: dict[str, list[dict[str, Any]]] = {before.submission_id: [], found.submission_id: []}
    for cell in table.to_pylist():
        cells[cell["submission_id"]].append(cell)
    return page(
        request,
        "differences.html",
        visitor,
        submission=found,
        before=before,
        differences=differences(cells[before.submission_id], cells[found.submission_id], _key_fields()),
        field_labels=_field_labels(),
    )


# -- files to take away ---------------------------------------------------------------------------------------


@router.get("/submissions/{submission_id}/original")
def original(
    request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """The file as it was received, byte for byte, for those who may have it."""
    view = _view(request, visitor, submission_id)
    if not may_have_file_itself(view, visitor.actor):
        raise Trouble(404)
    found = view.submission
    content = _original(request, found)
    file_name = arrivals_for(view, visitor.actor)[0].file_name
    is_workbook = found.verdict is not Verdict.UNREADABLE and file_name.lower().endswith(".xlsx")
    media_type = WORKBOOK if is_workbook else BYTES
    return _hand_out(request, visitor, found, content, file_name, media_type, "original")


@router.get("/submissions/{submission_id}/annotated")
def annotated(
    request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """The file with its findings marked in it, for those who may have the file itself."""
    view = _view(request, visitor, submission_id)
    if not may_have_file_itself(view, visitor.actor):
        raise Trouble(404)
    found = view.submission
    file_name = arrivals_for(view, visitor.actor)[0].file_name
    ledger: Ledger = request.app.state.ledger
    copy = annotated_copy(
        _original(request, found),
        file_name,
        [query.finding for query in view.queries],
        ledger.fixes_of([submission_id]).get(submission_id, []),
        verdict=found.verdict,
        language="zh" if visitor.language == "zh" else "en",
        explanations={
            position: query.explanation.reason
            for position, query in enumerate(view.queries)
            if query.explanation is not None and query.explanation.is_standing
        },
        about=about_file(
            "zh" if visitor.language == "zh" else "en",
            file=file_name,
            period=found.period or "",
            enterprise=found.enterprise_name,
            department=found.department,
            receipt=_number_of(found),
        ),
    )
    return _hand_out(request, visitor, found, copy.content, copy.file_name, WORKBOOK, "annotated")


@router.get("/submissions/{submission_id}/values")
def values_only(
    request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """What the cells of the file show, in a new workbook that can do nothing."""
    found = _view(request, visitor, submission_id).submission
    if found.verdict is Verdict.UNREADABLE:  # it never came past the gate: nobody opens it here
        raise Trouble(409, wording(request, "submission.no_values"))
    try:
        content = values_only_copy(
            _original(request, found), language="zh" if visitor.language == "zh" else "en"
        )
    except CannotAnnotate as reason:
        raise Trouble(409, reason.wording) from reason
    return _hand_out(
        request, visitor, found, content, named_after(found.file_name, "_仅数值"), WORKBOOK, "values"
    )


@router.get("/submissions/{submission_id}/receipt")
def receipt(
    request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """The receipt as a page, to be printed or saved as a PDF."""
    view = _view(request, visitor, submission_id)
    if not _has_receipt(view, visitor):
        raise Trouble(404)
    return page(
        request,
        "receipt.html",
        visitor,
        submission=view.submission,
        standing=standing_in(request.app.state.ledger, view),
        receipt=printed(receipt_of(request.app.state.ledger, submission_id)),
    )


@router.get("/submissions/{submission_id}/receipt.pdf")
def receipt_as_pdf(
    request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """The receipt on one sheet of A4."""
    view = _view(request, visitor, submission_id)
    if not _has_receipt(view, visitor):
        raise Trouble(404)
    found = receipt_of(request.app.state.ledger, submission_id)
    name = f"回执_{found.number}.pdf"
    return _hand_out(request, visitor, view.submission, receipt_pdf(found), name, PDF, "receipt")


# -- how ------------------------------------------------------------------------------------------------------


def _view(request: Request, visitor: Visitor, submission_id: str) -> SubmissionView:
    return view_for(request.app.state.ledger, visitor.actor, submission_id)


def _page(
    request: Request,
    visitor: Visitor,
    view: SubmissionView,
    *,
    refusal: Wording | None = None,
    reasons: Mapping[int, str] | None = None,
) -> Response:
    ledger: Ledger = request.app.state.ledger
    found = view.submission
    standing, may_explain = standing_in(ledger, view), _may_explain(view, visitor)
    return page(
        request,
        "submission.html",
        visitor,
        status_code=200 if refusal is None else 409,
        submission=found,
        standing=standing,
        told=states_of(ledger, [found, *view.versions]),
        number=_number_of(found),
        returned_for=view.returned_for,
        groups=_groups(view.queries),
        counts={
            severity.value: sum(query.finding.severity is severity for query in view.queries)
            for severity in _ORDER
        },
        open_count=sum(
            query.is_open and query.finding.severity is Severity.WARNING for query in view.queries
        ),
        may_explain=may_explain,
        least_length=MIN_REASON_LENGTH,
        most_length=MAX_REASON_LENGTH,
        refusal=refusal,
        reasons=reasons or {},
        unsent=[] if may_explain else _unsent(view.queries, reasons or {}),
        fixes=ledger.fixes_of([found.submission_id]).get(found.submission_id, []),
        filings=arrivals_for(view, visitor.actor),
        has_receipt=_has_receipt(view, visitor),
        decisions=view.decisions,
        versions=view.versions,
        may_have_file=may_have_file_itself(view, visitor.actor),
    )


def _unsent(queries: Sequence[Query], reasons: Mapping[int, str]) -> list[tuple[Query | None, str]]:
    """Texts for which the page has no field any more, each with the query that it was typed for."""
    by_ordinal = {query.ordinal: query for query in queries}
    return [(by_ordinal.get(ordinal), text) for ordinal, text in sorted(reasons.items())]


def _has_receipt(view: SubmissionView, visitor: Visitor) -> bool:
    """Whether the receipt is for this visitor: it names the first arrival, and by whom."""
    return view.filings[0] in arrivals_for(view, visitor.actor)


def _may_explain(view: SubmissionView, visitor: Visitor) -> bool:
    """Whether a form for explanations is of use: the current version, not sent back, with something to say, and
    not filed for the enterprise by this member of staff; the ledger decides."""
    found = view.submission
    is_own_filing = visitor.has(*STAFF) and any(one.received_by == visitor.actor.name for one in view.filings)
    return not is_own_filing and (
        found.is_current
        and not found.is_returned
        and found.status is not Verdict.UNREADABLE
        and found.month_start_date is not None
        and any(query.can_be_explained for query in view.queries)
    )


def _number_of(submission: Submission) -> str:
    month = None if submission.month_start_date is None else Month.of(submission.month_start_date)
    return receipt_number(month, submission.sequence)


def _groups(queries: Sequence[Query]) -> list[tuple[Severity, list[Query]]]:
    """Findings, gravest first; what there is nothing of is left out."""
    groups = [
        (severity, [query for query in queries if query.finding.severity is severity]) for severity in _ORDER
    ]
    return [group for group in groups if group[1]]


def _original(request: Request, submission: Submission) -> bytes:
    return Originals(request.app.state.settings.originals_dir).get(submission.sha256)


def _hand_out(
    request: Request,
    visitor: Visitor,
    submission: Submission,
    content: bytes,
    name: str,
    media_type: str,
    copy: str,
) -> Response:
    of = ("submission", submission.submission_id)
    return hand_out(request, visitor, content, name, media_type, of=of, copy=copy)


@cache
def _key_fields() -> dict[str, tuple[str, ...]]:
    return {form: layouts[-1].key_fields for form, layouts in layout_book().by_form.items()}


@cache
def _field_labels() -> dict[tuple[str, str], Wording]:
    """What a field is called on its form, by form and field."""
    return {
        (form, field.name): field.label
        for form, layouts in layout_book().by_form.items()
        for field in (*layouts[-1].head, *layouts[-1].pairs, *layouts[-1].columns)
    }
