"""What goes into the ledger and what comes out of it, as plain values.

No SQL here; `book` turns these into rows and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from pipelines.findings import Finding, Fix, Severity, Verdict, Wording
from pipelines.ledger.actors import Actor
from pipelines.periods import Month, Period
from pipelines.records import FileKind

# China keeps one time and no summer time (since 1991): a constant serves where no time zone files are installed.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


# Longest enterprise code or department name that is taken for one (a credit code has 18 characters).
MAX_CODE_LENGTH = 64


class LedgerConflict(RuntimeError):
    """Somebody recorded something meanwhile that this batch was judged without; judge it again."""


class CannotAct(ValueError):
    """What was asked cannot be done as things stand; the text says why, to the person, in both languages."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(f"{wording.zh} / {wording.en}")
        self.wording = wording


class CannotConfirm(CannotAct):
    """A submission cannot be confirmed, sent back or taken back."""


class CannotExplain(CannotAct):
    """An explanation cannot be taken or reviewed."""


class CannotChangeMonth(CannotAct):
    """A month cannot be closed, published or reopened, by this person or as it stands."""


class CannotRemind(CannotAct):
    """A reminder cannot be recorded."""


class CannotChangeRegister(CannotAct):
    """A life event does not fit the register, or would change a month that is closed.

    `field`: the one of `register.NewEvent` that is wrong; empty where it is none by itself.
    """

    def __init__(self, wording: Wording, field: str = "") -> None:
        super().__init__(wording)
        self.field = field


class UnknownSubmission(LookupError):
    """No submission has this id, or none that the actor may see: the two are not told apart."""


class UnknownEnterprise(LookupError):
    """The register has no enterprise of this code, or none that the actor may see."""


class DecisionKind(StrEnum):
    """What was decided about a submission; each may change its status."""

    CONFIRMED = "confirmed"  # a reviewer: the queried figures are right
    EXPLAINED = "explained"  # every query has been explained
    REFUSED = "refused"  # a reviewer does not take an explanation: the query is open again
    RETURNED = "returned"  # 退回: a reviewer sends it back
    RETURN_WITHDRAWN = "return_withdrawn"  # the reviewer takes that back


class EventKind(StrEnum):
    """What happens to an enterprise in the register; each from a month on."""

    ENTERED = "entered"
    LEFT = "left"
    MERGED = "merged"  # left, and another enterprise goes on with its business
    MOVED_DISTRICT = "moved_district"
    CHANGED_INDUSTRY = "changed_industry"
    CHANGED_CLASS = "changed_class"
    CHANGED_CONTACT = "changed_contact"


class EnterpriseClass(StrEnum):
    """How closely an enterprise is followed. Empty in the register: ordinary."""

    KEY = "key"  # 重点企业: reminded first
    ORDINARY = "ordinary"  # 一般企业


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One row of a register file: an enterprise over a stretch of months in which nothing about it changed.

    `from_month` None: as far back as the register goes; `to_month` None: still there. An empty industry, class (None),
    contact or telephone says nothing of it.
    """

    enterprise_code: str
    enterprise_name: str
    district_code: str
    industry_code: str = ""
    from_month: Month | None = None
    to_month: Month | None = None
    contact: str = ""
    phone: str = ""
    enterprise_class: EnterpriseClass | None = None


@dataclass(frozen=True, slots=True)
class EnterpriseSpell:
    """An enterprise in the register from one month to another (both included), in one district and industry.

    None at either end: as far as the register goes. One row of raw.enterprise.
    """

    enterprise_code: str
    enterprise_name: str
    district_code: str
    industry_code: str
    from_month_start_date: date | None
    to_month_start_date: date | None


@dataclass(frozen=True, slots=True)
class Filing:
    """One arrival of a file at the door. `received_at` carries its zone.

    `filer` is whoever handed it in, where that is somebody with an account; `received_by` is the same by name.
    """

    file_name: str
    channel: str
    received_at: datetime
    received_by: str = ""
    filer: Actor | None = None

    @property
    def actor(self) -> Actor:
        """Who answers for the arrival in the audit log."""
        return self.filer or Actor(self.received_by or self.channel)


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """A file that was read and judged and is to be recorded.

    `base_version` and `base_accepted_id` are the latest version and the accepted submission of the series
    that the ledger had when this was judged; if it has moved on, recording is refused (LedgerConflict).
    `supersedes_submission_id` is the accepted one that this replaces, which may be of the same batch.
    `form_dates` gives, for forms whose rows carry periods of their own, the first and last day spoken of.
    `was_judged_as_closed`: whether a month of a return was closed when it was judged; recording is refused
    (LedgerConflict) if that has changed meanwhile, so that the filer is not told what no longer holds. None: not asked.
    `judgement` is that of the ParsedFile: above 1 where the same bytes were recorded before.
    """

    sha256: str
    submission_id: str
    kind: FileKind
    form_codes: tuple[str, ...]
    layout_versions: tuple[str, ...]
    enterprise_code: str
    enterprise_name: str
    department: str
    period: Period | None
    verdict: Verdict
    is_zero_return: bool
    is_revision: bool
    is_late: bool
    size_bytes: int
    line_count: int
    has_cells: bool
    findings: tuple[Finding, ...]
    fixes: tuple[Fix, ...]
    filing: Filing
    base_version: int = 0
    base_accepted_id: str | None = None
    supersedes_submission_id: str | None = None
    form_dates: Mapping[str, tuple[date, date]] = field(default_factory=dict)
    was_judged_as_closed: bool | None = None
    judgement: int = 1

    @property
    def series_key(self) -> str | None:
        """What this is a version of."""
        return series_key_of(
            self.kind,
            self.period,
            enterprise_code=self.enterprise_code,
            department=self.department,
            form_codes=self.form_codes,
            is_unreadable=self.verdict is Verdict.UNREADABLE,
            received_at=self.filing.received_at,
        )

    @property
    def counted_month(self) -> Month | None:
        """The month in which it is counted."""
        return None if self.period is None else counted_month(self.kind, self.period, self.filing.received_at)


# Kinds of period that are the return of a month, which is expected of every enterprise of the register.
MONTHLY_PERIODS = ("month", "months_1_2")


def counted_month(kind: FileKind, period: Period, received_at: datetime) -> Month:
    """The month in which a file is counted: the last of its period.

    A file of an enterprise that holds only forms of a quarter, half-year or year speaks of no month. It is
    counted with the returns that are collected when it comes, the month before its arrival in Shanghai, so that
    the affiliates of 2025 that come in June 2026 change no closed month; not before its period's last month.
    """
    if kind is not FileKind.RETURN or period.kind in MONTHLY_PERIODS:
        return period.last
    return max(period.last, Month.of(received_at.astimezone(SHANGHAI).date()).previous)


def series_key_of(
    kind: FileKind,
    period: Period | None,
    *,
    enterprise_code: str,
    department: str,
    form_codes: tuple[str, ...],
    is_unreadable: bool,
    received_at: datetime,
) -> str | None:
    """The series in which a file is a version; None where it is not known whose it is or for when.

    Returns of a month: one series an enterprise and period. Files that hold only forms of a quarter, half-year
    or year: one an enterprise, set of forms, period and month in which they are counted, so that the affiliates
    of a year and, in another file, its cases do not replace each other and a closed month keeps what it had;
    which sheet of a form counts is decided in SQL, by `sequence`.
    Departmental tables: one a department, set of forms and period; which of their rows still count is decided
    row by row in SQL likewise.
    """
    if is_unreadable or period is None:
        return None
    if len(enterprise_code) > MAX_CODE_LENGTH or len(department) > MAX_CODE_LENGTH:
        return None  # no code and no department is that long: the text names nothing
    if kind is FileKind.RETURN and enterprise_code:
        if period.kind not in MONTHLY_PERIODS:
            month = counted_month(kind, period, received_at)
            return f"return/{enterprise_code}/{'+'.join(sorted(form_codes))}/{period}@{month}"
        return f"return/{enterprise_code}/{period}"
    if kind is FileKind.DEPARTMENT and department:
        return f"department/{department}/{'+'.join(sorted(form_codes))}/{period}"
    return None


def receipt_number(month: Month | None, sequence: int) -> str:
    """The number of a receipt, 2020-12-000123: month in which the file counts, and its place in the record.

    0000-00 where no month could be read. It follows from what was recorded and never changes.
    """
    return f"{month or '0000-00'}-{sequence:06d}"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A file whose bytes the ledger knows already has arrived once more."""

    submission_id: str
    filing: Filing


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What one transaction records: submissions in their order, and repeated arrivals."""

    batch_id: str
    lines_file: str
    rules_version: str
    submissions: tuple[NewSubmission, ...]
    repeats: tuple[Repeat, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission as the ledger has it now.

    `is_current`: the latest readable version of its series. `is_latest_accepted`: the latest accepted one, with
    which the door compares later months. `is_current_accepted`: the one that counts in the statistics; it is the
    latest accepted one, but in a closed month the one in force at the closing.
    `verdict` is what the door said, `status` what holds now (a confirmed query is accepted, one that a reviewer
    sent back is rejected and `is_returned`). `is_late_revision`: filed while a month of its period was closed.
    """

    submission_id: str
    sequence: int
    sha256: str
    kind: FileKind
    form_codes: tuple[str, ...]
    layout_versions: tuple[str, ...]
    enterprise_code: str
    enterprise_name: str
    department: str
    period: str | None
    period_kind: str | None
    period_start_date: date | None
    month_start_date: date | None
    series_key: str | None
    version: int | None
    supersedes_submission_id: str | None
    verdict: Verdict
    status: Verdict
    is_current: bool
    is_latest_accepted: bool
    is_current_accepted: bool
    is_zero_return: bool
    is_revision: bool
    received_at: datetime
    received_by: str
    channel: str
    is_late: bool
    is_late_revision: bool
    is_returned: bool
    file_name: str
    size_bytes: int
    line_count: int
    lines_file: str
    rules_version: str
    batch_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """What has last been recorded or decided about returns of one month, or about one departmental file.

    `act_id` is that of the month's last reopening, which has a row of its own. `first_month` to `last_month` are the months spoken of: the same month for returns; those of its rows for
    a departmental file, None where it is not known. `state` grows with every file and every decision.
    """

    kind: FileKind
    first_month: Month | None
    last_month: Month | None
    sequence: int
    decision_id: int
    act_id: int = 0

    @property
    def state(self) -> tuple[int, int, int]:
        return self.sequence, self.decision_id, self.act_id


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: its submissions in its order, as the ledger has them now.

    `repeated_ids` are those whose bytes had been recorded before, by whomever: they were not recorded again.
    """

    submissions: tuple[Submission, ...]
    repeated_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a submission."""

    submission_id: str
    decision_kind: str
    reason: str
    decided_by: str
    decided_at: datetime
    status_before: Verdict
    status_after: Verdict
    decision_id: int = 0
    is_after_closing: bool = False


@dataclass(frozen=True, slots=True)
class RecordedFiling:
    """One arrival as the ledger has it."""

    submission_id: str
    file_name: str
    channel: str
    received_at: datetime
    received_by: str
    is_duplicate: bool


def decision_of(row: Row[Any]) -> Decision:
    """A row of the table `decision`."""
    return Decision(
        row.submission_id,
        row.decision_kind,
        row.reason,
        row.decided_by,
        row.decided_at,
        Verdict(row.status_before),
        Verdict(row.status_after),
        row.decision_id,
        row.is_after_closing,
    )


def recorded_filing_of(row: Row[Any]) -> RecordedFiling:
    """A row of the table `filing`."""
    return RecordedFiling(
        row.submission_id,
        row.file_name,
        row.channel,
        row.received_at,
        row.received_by,
        row.is_duplicate,
    )


@dataclass(frozen=True, slots=True)
class SeriesState:
    """Where a series stands: its latest version and the submission that is accepted, if any."""

    latest_version: int = 0
    accepted_id: str | None = None


def is_late(received_at: datetime, period: Period | None, deadline_day: int) -> bool:
    """Whether a file came after the end of the deadline day of the following month, in Shanghai.

    A file whose period is unknown is not called late: nobody can say of what.
    """
    if period is None:
        return False
    due_month = period.last.plus(1)
    deadline = date(due_month.year, due_month.month, deadline_day)
    return received_at.astimezone(SHANGHAI).date() > deadline


__all__ = [
    "MONTHLY_PERIODS",
    "SHANGHAI",
    "CannotAct",
    "CannotChangeMonth",
    "CannotChangeRegister",
    "CannotConfirm",
    "CannotExplain",
    "CannotRemind",
    "Decision",
    "DecisionKind",
    "EnterpriseClass",
    "EnterpriseSpell",
    "EventKind",
    "Filing",
    "Finding",
    "Fix",
    "LedgerConflict",
    "NewBatch",
    "NewSubmission",
    "Recorded",
    "RecordedFiling",
    "RegisterRow",
    "Repeat",
    "SeriesState",
    "Severity",
    "Submission",
    "UnknownEnterprise",
    "UnknownSubmission",
    "counted_month",
    "is_late",
    "receipt_number",
    "series_key_of",
]
