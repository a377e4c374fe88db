"""Which queries need not be asked: those that the workbook's own answers explain, and those explained before.

The same query for the same reason is one of the same enterprise (or department), rule, business key and facts; the
rule's YAML names the facts and for how many months an explanation holds. Keeping explanations is the ledger's work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.findings import Finding, Severity
from pipelines.periods import Month
from pipelines.review_sheet import Answer, match_answers
from pipelines.validation.messages import explained_finding
from pipelines.validation.rules import ExplanationCover, RuleBook, rule_book

LEAST_ANSWER_LENGTH = 5  # as everywhere that an explanation is given


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation that stands: of which query, for the period that ends in which month."""

    rule: str
    key: str
    sameness: str
    month: Month
    reason: str


class StandingExplanations:
    """Explanations at hand while files are judged, by whom they were filed for."""

    def __init__(self, book: RuleBook | None = None) -> None:
        self._covers: Mapping[str, ExplanationCover] = {
            rule.id: rule.explanation_covers for rule in (book or rule_book())
        }
        self._found: defaultdict[tuple[str, str, str, str], list[Explained]] = defaultdict(list)

    def add(self, filed_for: str, one: Explained) -> None:
        """Have one more at hand; of several for one query and month the one added last is quoted."""
        self._found[filed_for, one.rule, one.key, one.sameness].append(one)

    def keep(self, filed_for: str, month: Month, findings: Iterable[Finding]) -> None:
        """Have at hand what a file explains itself, for the files judged after it."""
        for finding in findings:
            if finding.explanation_origin in ("remark", "workbook"):
                self.add(
                    filed_for,
                    Explained(finding.rule, finding.key, finding.sameness, month, finding.explanation),
                )

    def cover(self, filed_for: str, month: Month, findings: Sequence[Finding]) -> list[Finding]:
        """The findings, with warnings that were explained before as info that quotes the earlier reason."""
        return [
            self._covered(filed_for, month, finding) if finding.severity is Severity.WARNING else finding
            for finding in findings
        ]

    def _covered(self, filed_for: str, month: Month, finding: Finding) -> Finding:
        months = self._covers.get(finding.rule, ExplanationCover()).months
        holding = [
            one
            for one in self._found.get((filed_for, finding.rule, finding.key, finding.sameness), ())
            if one.month <= month <= one.month.plus(months)
        ]
        if not holding:
            return finding
        latest = max(enumerate(holding), key=lambda pair: (pair[1].month, pair[0]))[1]
        return explained_finding(finding, latest.reason, origin="earlier", period=str(latest.month))


def with_answers(findings: Sequence[Finding], answers: Sequence[Answer]) -> list[Finding]:
    """The findings, with warnings that the workbook's sheet 审核意见 answers as info; too short an answer is none."""
    told = [answer for answer in answers if len(answer.text.strip()) >= LEAST_ANSWER_LENGTH]
    matched = match_answers(findings, told).by_position
    return [
        explained_finding(finding, matched[position].text.strip(), origin="workbook")
        if position in matched
        else finding
        for position, finding in enumerate(findings)
    ]
