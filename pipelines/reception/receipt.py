"""Receipts (回执): what was received of whom and when, with the file's fingerprint and the verdict of that moment.

A receipt states only what the ledger can no longer change, so that one printed today and one printed next year are
the same bytes. What became of the filing since is the portal's to show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.findings import Severity, Verdict, Wording
from pipelines.ledger import SHANGHAI, Ledger, UnknownSubmission
from pipelines.ledger.shapes import receipt_number
from pipelines.periods import Month, period_name
from pipelines.reception.names import shown_name
from pipelines.reception.words import catalogue, said

TEMPLATE = Path(__file__).resolve().with_name("receipt.typ")
_NUMBER = re.compile(r"(?:\d{4}-\d{2})-(\d{6,})")
_FINGERPRINT_GROUP = 16


@dataclass(frozen=True, slots=True)
class Receipt:
    """The facts of one receipt. `received_at` is in Shanghai; `period` is None where none could be read; `received_by`
    is a login, `received_by_name` what the person is called (accounts are never renamed)."""

    number: str
    submission_id: str
    file_name: str
    sha256: str
    size_bytes: int
    received_at: datetime
    received_by: str
    channel: str
    verdict: Verdict
    version: int | None
    period: str | None
    enterprise_code: str
    enterprise_name: str
    department: str
    form_codes: tuple[str, ...]
    critical_count: int
    warning_count: int
    info_count: int
    fix_count: int
    line_count: int
    is_zero_return: bool
    is_late: bool
    received_by_name: str = ""

    def as_json(self) -> dict[str, Any]:
        """The receipt as an object; the moment with its offset."""
        return {
            "receipt_number": self.number,
            "submission_id": self.submission_id,
            "file": self.file_name,
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "received_at": self.received_at.isoformat(timespec="seconds"),
            "received_by": self.received_by,
            "channel": self.channel,
            "verdict": self.verdict.value,
            "version": self.version,
            "reference_month": self.period,
            "enterprise_code": self.enterprise_code,
            "enterprise_name": self.enterprise_name,
            "department": self.department,
            "forms": list(self.form_codes),
            "critical": self.critical_count,
            "warnings": self.warning_count,
            "information": self.info_count,
            "fixes": self.fix_count,
            "lines": self.line_count,
            "is_zero_return": self.is_zero_return,
            "is_late": self.is_late,
        }


def receipt_of(ledger: Ledger, submission: str) -> Receipt:
    """The receipt of a submission, by its id or by the number of its receipt.

    Raises UnknownSubmission for what is neither, also for the number of another month than the submission's.
    """
    wanted = submission.strip()
    number = _NUMBER.fullmatch(wanted)
    submission_id = ledger.uploads.submission_id_of(int(number[1])) if number else wanted
    found = ledger.submissions(submission_ids=[submission_id]) if submission_id else []
    if not found:
        raise UnknownSubmission(wanted)
    [one] = found
    month = Month.of(one.month_start_date) if one.month_start_date else None
    receipt = receipt_number(month, one.sequence)
    if number and receipt != wanted:
        raise UnknownSubmission(wanted)
    counts = dict.fromkeys(Severity, 0)
    for finding in ledger.findings(one.submission_id):
        counts[finding.severity] += 1
    return Receipt(
        number=receipt,
        submission_id=one.submission_id,
        file_name=shown_name(one.file_name),
        sha256=one.sha256,
        size_bytes=one.size_bytes,
        received_at=one.received_at.astimezone(SHANGHAI),
        received_by=one.received_by,
        channel=one.channel,
        verdict=one.verdict,
        version=one.version,
        period=one.period,
        enterprise_code=one.enterprise_code,
        enterprise_name=one.enterprise_name,
        department=one.department,
        form_codes=one.form_codes,
        critical_count=counts[Severity.CRITICAL],
        warning_count=counts[Severity.WARNING],
        info_count=counts[Severity.INFO],
        fix_count=len(ledger.fixes_of([one.submission_id]).get(one.submission_id, ())),
        line_count=one.line_count,
        is_zero_return=one.is_zero_return,
        is_late=one.is_late,
        received_by_name=ledger.accounts.display_names().get(one.received_by, one.received_by),
    )


def receipt_pdf(receipt: Receipt) -> bytes:
    """The receipt on one sheet of A4, in Chinese with English beneath; the same receipt gives the same bytes."""
    from pipelines.typeset import typeset

    return typeset(TEMPLATE, printed(receipt))


def printed(receipt: Receipt) -> dict[str, Any]:
    """What the template prints: `rows` of a label and lines of text, each with its language: zh, en, or none for
    what reads the same in both (codes, numbers, moments, names)."""
    rows: list[tuple[str, list[tuple[str, str]]]] = [
        ("receipt_enterprise", _enterprise(receipt)),
        ("receipt_period", _period(receipt.period)),
    ]
    if receipt.department:
        rows[0] = ("receipt_department", [("", receipt.department)])
    if receipt.form_codes:
        rows.append(("receipt_forms", [("", "、".join(receipt.form_codes))]))
    if receipt.version is not None:
        rows.append(("receipt_version", _lines(said("receipt_version_of", version=receipt.version))))
    late = [said("receipt_late")] if receipt.is_late else []
    channel = f"receipt_channel_{receipt.channel}"
    by = [("", name)] if (name := receipt.received_by_name or receipt.received_by) else []
    rows += [
        ("receipt_file", [("", receipt.file_name)]),
        ("receipt_size", _lines(said("receipt_bytes", size=f"{receipt.size_bytes:,}"))),
        ("receipt_sha256", [("", line) for line in _grouped(receipt.sha256)]),
        (
            "receipt_received_at",
            [("", _moment(receipt.received_at)), *(line for one in late for line in _lines(one))],
        ),
        (
            "receipt_received_by",
            [*by, *(_lines(said(channel)) if channel in catalogue() else [("", receipt.channel)])],
        ),
        ("receipt_verdict", _lines(said(f"receipt_{receipt.verdict.value}"))),
        (
            "receipt_counts",
            _lines(
                said(
                    "receipt_finding_counts",
                    critical=receipt.critical_count,
                    warning=receipt.warning_count,
                    info=receipt.info_count,
                    fixes=receipt.fix_count,
                )
            ),
        ),
        (
            "receipt_content",
            _lines(
                said("receipt_zero")
                if receipt.is_zero_return
                else said("receipt_lines", lines=f"{receipt.line_count:,}")
            ),
        ),
    ]
    return {
        "number": receipt.number,
        "system": said("receipt_system").as_json(),
        "title": said("receipt_title").as_json(),
        "number_label": said("receipt_number").as_json(),
        "rows": [
            {
                "label": said(label).as_json(),
                "value": [{"lang": language, "text": text} for language, text in lines],
            }
            for label, lines in rows
        ],
        "notes": [said("receipt_note_proof").as_json(), said("receipt_note_verdict").as_json()],
    }


def _enterprise(receipt: Receipt) -> list[tuple[str, str]]:
    if not receipt.enterprise_code and not receipt.enterprise_name:
        return _lines(said("receipt_no_enterprise"))
    return [("", text) for text in (receipt.enterprise_name, receipt.enterprise_code) if text]


def _period(period: str | None) -> list[tuple[str, str]]:
    if not period:
        return _lines(said("receipt_no_period"))
    return [(language, period_name(period, language)) for language in ("zh", "en")]


def _lines(wording: Wording) -> list[tuple[str, str]]:
    return [("zh", wording.zh), ("en", wording.en)]


def _moment(moment: datetime) -> str:
    """2026-03-05 09:30:12 +08:00."""
    offset = moment.strftime("%z")
    return f"{moment:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:5]}"


def _grouped(sha256: str) -> list[str]:
    """Two lines of two groups of sixteen, so that it can be compared by eye."""
    groups = [
        sha256[start : start + _FINGERPRINT_GROUP] for start in range(0, len(sha256), _FINGERPRINT_GROUP)
    ]
    return [" ".join(groups[start : start + 2]) for start in range(0, len(groups), 2)]
