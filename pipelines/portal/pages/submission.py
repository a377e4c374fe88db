"""One return as it was judged: the verdict in words, every finding with its cell, versions, and the file to take away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pipelines.findings import Finding, Severity, Verdict, Wording
from pipelines.intake.layouts import layout_book
from pipelines.ledger import Ledger, Submission
from pipelines.ledger.audit import NewEntry
from pipelines.periods import Month
from pipelines.portal.access import Trouble, Visitor, allowed
from pipelines.portal.differences import differences
from pipelines.portal.downloads import BYTES, WORKBOOK, download
from pipelines.portal.frame import page
from pipelines.portal.visible import RETURN_ROLES, may_have_file_itself, submission_for
from pipelines.stores import Lines, Originals

router = APIRouter()

_ORDER = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@router.get("/submissions/{submission_id}")
def submission(
    request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """What was said of this return, and what one can do now."""
    ledger: Ledger = request.app.state.ledger
    found = submission_for(ledger, visitor.actor, submission_id)
    findings = ledger.findings(submission_id)
    return page(
        request,
        "submission.html",
        visitor,
        submission=found,
        groups=_groups(findings),
        counts={severity.value: sum(f.severity is severity for f in findings) for severity in _ORDER},
        fixes=ledger.fixes_of([submission_id]).get(submission_id, []),
        filings=ledger.filings(submission_id),
        decisions=ledger.decisions(submission_id),
        versions=versions_of(ledger, found),
        may_have_file=may_have_file_itself(ledger, visitor.actor, found),
    )


@router.get("/submissions/{submission_id}/differences")
def what_changed(
    request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """What this version changed in the one before it, cell by cell."""
    ledger: Ledger = request.app.state.ledger
    found = submission_for(ledger, visitor.actor, submission_id)
    before = next(
        (one for one in reversed(versions_of(ledger, found)) if (one.version or 0) < (found.version or 0)),
        None,
    )
    if before is None:
        raise Trouble(404)
    lines = Lines(request.app.state.settings.lines_dir)
    table = lines.read({one.submission_id: one.lines_file for one in (before, found)})
    cells: dict[str, list[dict[str, object]]] = {before.submission_id: [], found.submission_id: []}
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


@router.get("/submissions/{submission_id}/original")
def original(
    request: Request, submission_id: str, visitor: Visitor = Depends(allowed(*RETURN_ROLES))
) -> Response:
    """The file as it was received, byte for byte, for those who may have it."""
    ledger: Ledger = request.app.state.ledger
    found = submission_for(ledger, visitor.actor, submission_id)
    if not may_have_file_itself(ledger, visitor.actor, found):
        raise Trouble(404)
    content = Originals(request.app.state.settings.originals_dir).get(found.sha256)
    _note_download(ledger, visitor, found, "original")
    is_workbook = found.verdict is not Verdict.UNREADABLE and found.file_name.lower().endswith(".xlsx")
    return download(content, found.file_name, WORKBOOK if is_workbook else BYTES)


def _note_download(ledger: Ledger, visitor: Visitor, submission: Submission, what: str) -> None:
    ledger.audit.record(
        visitor.actor,
        [NewEntry("file.downloaded", "submission", submission.submission_id, new={"copy": what})],
    )


def versions_of(ledger: Ledger, submission: Submission) -> list[Submission]:
    """Every version of the return that this is one of, earliest first; itself alone where it is a version of nothing."""
    if submission.series_key is None or submission.month_start_date is None:
        return [submission]
    of_month = ledger.submissions(Month.of(submission.month_start_date), kind=submission.kind)
    same = [one for one in of_month if one.series_key == submission.series_key]
    return sorted(same, key=lambda one: one.version or 0)


def _groups(findings: Sequence[Finding]) -> list[tuple[Severity, list[tuple[int, Finding]]]]:
    """Findings with their ordinal in the ledger, gravest first; what there is nothing of is left out."""
    numbered = list(enumerate(findings))
    groups = [(severity, [(n, f) for n, f in numbered if f.severity is severity]) for severity in _ORDER]
    return [group for group in groups if group[1]]


@cache
def _key_fields() -> dict[str, tuple[str, ...]]:
    return {form: layouts[-1].key_fields for form, layouts in layout_book().by_form.items()}


@cache
def _field_labels() -> dict[str, Wording]:
    """What a field is called on the forms: by field, the label of the first form that has it."""
    labels: dict[str, Wording] = {}
    for layouts in layout_book().by_form.values():
        for field in (*layouts[-1].head, *layouts[-1].pairs, *layouts[-1].columns):
            labels.setdefault(field.name, field.label)
    return labels
