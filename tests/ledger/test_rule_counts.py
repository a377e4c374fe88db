"""How often rules fire: files by reference month, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from test_ledger import a_batch, a_return

from pipelines.findings import Finding, Severity, Verdict, Wording
from pipelines.ledger import SHANGHAI, Filing, Ledger
from pipelines.periods import Month, Period
from pipelines.records import FileKind


def asked(rule: str) -> Finding:
    return Finding(rule, Severity.WARNING, Wording("问", "asked"))


def in_month(content: str, month: str, *rules: str, code: str = "E01"):  # type: ignore[no-untyped-def]
    return a_return(
        content,
        code,
        Period(Month.parse(month), "month"),
        verdict=Verdict.QUERIES if rules else Verdict.ACCEPTED,
        findings=tuple(asked(rule) for rule in rules),
    )


def test_a_file_counts_once_however_often_a_rule_fires_in_it(ledger: Ledger) -> None:
    ledger.record(
        a_batch(in_month("a", "2026-03", "Q1a", "Q1a", "Q2a"), in_month("b", "2026-03", code="E02"))
    )
    counts = ledger.rule_counts()
    assert counts.file_count == 2
    count = counts.of("Q1a")
    assert (count.file_count, count.finding_count, count.share_pct) == (1, 2, 50.0)


def test_counts_go_back_twelve_months_from_the_latest_and_name_the_months_without_any(ledger: Ledger) -> None:
    ledger.record(
        a_batch(
            in_month("old", "2025-03", "Q1a"),
            in_month("a", "2025-04", "Q1a"),
            in_month("b", "2026-03", "Q1a"),
        )
    )
    counts = ledger.rule_counts()
    assert [str(month) for month in (counts.months[0], counts.months[-1])] == ["2025-04", "2026-03"]
    assert [number for _, number in counts.of("Q1a").by_month] == [1, *[0] * 10, 1]
    assert ledger.rule_counts(until=Month(2025, 4)).of("Q1a").file_count == 2


def test_a_file_without_a_month_counts_in_the_month_before_it_came(ledger: Ledger) -> None:
    late_on_the_last_day = datetime(2026, 3, 31, 23, 30, tzinfo=SHANGHAI)
    unreadable = replace(
        a_return("x", "", None, Verdict.UNREADABLE, kind=FileKind.UNKNOWN, findings=(asked("G01"),)),
        filing=Filing("x.xlsx", "inbox", late_on_the_last_day, "王"),
    )
    ledger.record(a_batch(in_month("a", "2026-03"), unreadable))
    counts = ledger.rule_counts()
    assert counts.file_count == 2
    assert dict(counts.of("G01").by_month)[Month(2026, 2)] == 1


def test_a_rule_that_never_fired_is_nought_per_cent_and_of_no_files_it_is_unknown(ledger: Ledger) -> None:
    assert ledger.rule_counts().of("H1a").share_pct is None
    ledger.record(a_batch(in_month("a", "2026-03")))
    assert ledger.rule_counts().of("H1a").share_pct == 0.0
