"""People of a bureau and returns in a few words, for the tests of the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from pipelines.findings import Finding, Severity, Wording, verdict_of
from pipelines.ledger import (
    SHANGHAI,
    Filing,
    Ledger,
    NewBatch,
    NewSubmission,
    RegisterRow,
    SeriesState,
    Submission,
)
from pipelines.ledger.actors import Actor, Role
from pipelines.periods import Month, parse_period
from pipelines.records import FileKind, submission_id_of

WANG = Actor("wang", frozenset({Role.CLERK}))
LI = Actor("li", frozenset({Role.ANALYST}))
ZHAO = Actor("zhao", frozenset({Role.CLERK}))
HONGSHAN = Actor("sun", frozenset({Role.DISTRICT_REVIEWER}), district_codes=frozenset({"420111"}))
JIANGHAN = Actor("qian", frozenset({Role.DISTRICT_REVIEWER}), district_codes=frozenset({"420103"}))
REPORTER = Actor("e01", frozenset({Role.REPORTER}), enterprise_codes=frozenset({"E01"}))
OTHER_REPORTER = Actor("e02", frozenset({Role.REPORTER}), enterprise_codes=frozenset({"E02"}))
OFFICIAL = Actor("zhou", frozenset({Role.OFFICIAL}))
ADMINISTRATOR = Actor("root", frozenset({Role.SYSTEM_ADMIN}))

MARCH = Month(2026, 3)
REGISTER = {"E01": "420111", "E02": "420111", "E03": "420103", "E04": "420103", "E05": "420103"}


def a_register(ledger: Ledger, districts: Mapping[str, str] = REGISTER) -> None:
    """Five enterprises in two districts, since 2025."""
    ledger.import_register(
        RegisterRow(code, f"{code}公司", district, "6510", Month(2025, 1), contact="张", phone=f"027-{code}")
        for code, district in districts.items()
    )


def a_query(
    rule: str = "Q1a", key: str = "E01/SI2/USA/export", given: str = "500", fingerprint: str = ""
) -> Finding:
    """A warning on one cell."""
    return Finding(
        rule,
        Severity.WARNING,
        Wording(f"与上月相差过大。〔{rule}〕", f"Far from last month. [{rule}]"),
        "FM-2",
        "服务进出口",
        "F18",
        key,
        given,
        "-60% … +150%",
        fingerprint=fingerprint,
    )


AN_ERROR = Finding(
    "H3", Severity.CRITICAL, Wording("合计不符。〔H3〕", "Wrong total. [H3]"), "FM-2", "服务进出口", "F20"
)


def file(
    ledger: Ledger,
    content: str,
    enterprise_code: str = "E01",
    month: str = "2026-03",
    findings: tuple[Finding, ...] = (),
    *,
    filed_by: str = "e01",
    is_zero: bool = False,
    is_late: bool = False,
) -> Submission:
    """File one return as the door would: judged on what the ledger has now."""
    digest = sha256(content.encode()).hexdigest()
    return _record(
        ledger,
        _return(
            digest, content, enterprise_code, month, findings, filed_by, is_zero=is_zero, is_late=is_late
        ),
    )


def file_table(
    ledger: Ledger, content: str, year: str = "2026", findings: tuple[Finding, ...] = (), form: str = "DM-3"
) -> Submission:
    """File a departmental table of a year, as `file`."""
    digest = sha256(content.encode()).hexdigest()
    new = _return(digest, content, "", year, findings, "wang", is_zero=False, is_late=False)
    return _record(
        ledger,
        replace(
            new,
            kind=FileKind.DEPARTMENT,
            form_codes=(form,),
            layout_versions=(f"{form}@2017",),
            enterprise_name="",
            department="外汇局",
        ),
    )


def _return(
    digest: str,
    content: str,
    enterprise_code: str,
    month: str,
    findings: tuple[Finding, ...],
    filed_by: str,
    *,
    is_zero: bool,
    is_late: bool,
) -> NewSubmission:
    return NewSubmission(
        sha256=digest,
        submission_id=submission_id_of(digest),
        kind=FileKind.RETURN,
        form_codes=("FM-2",),
        layout_versions=("FM-2@2017",),
        enterprise_code=enterprise_code,
        enterprise_name=f"{enterprise_code}公司",
        department="",
        period=parse_period(month),
        verdict=verdict_of(list(findings)),
        is_zero_return=is_zero,
        is_revision=False,
        is_late=is_late,
        size_bytes=len(content),
        line_count=0 if is_zero else 3,
        has_cells=True,
        findings=findings,
        fixes=(),
        filing=Filing(f"{content}.xlsx", "portal", datetime(2026, 4, 8, 9, 30, tzinfo=SHANGHAI), filed_by),
    )


def _record(ledger: Ledger, new: NewSubmission) -> Submission:
    state = ledger.series_states([new.series_key or ""]).get(new.series_key or "", SeriesState())
    new = replace(
        new,
        base_version=state.latest_version,
        base_accepted_id=state.accepted_id,
        supersedes_submission_id=state.accepted_id,
    )
    name = sha256(new.sha256.encode()).hexdigest()[:40]
    [recorded] = ledger.record(NewBatch(name, f"{name[:2]}/{name}.parquet", "rules-1", (new,))).submissions
    return recorded


def close(ledger: Ledger, month: Month = MARCH) -> None:
    """Close a month as two people do."""
    from pipelines.ledger.months import MonthActKind

    ledger.months.propose(month, MonthActKind.CLOSE, "收表期已过，可以结账", WANG)
    ledger.months.confirm(month, LI)


def reopen(ledger: Ledger, month: Month = MARCH) -> None:
    """Reopen a closed month as two people do."""
    from pipelines.ledger.months import MonthActKind

    ledger.months.propose(month, MonthActKind.REOPEN, "有企业更正了大额合同", LI)
    ledger.months.confirm(month, WANG)


def again(ledger: Ledger, one: Submission) -> Submission:
    """A submission as the ledger has it now."""
    return ledger.submissions(submission_ids=[one.submission_id])[0]
