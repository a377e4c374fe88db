"""Which queries need not be asked: those that the workbook's own answers explain, and those explained before.

The same query for the same reason is one of the same enterprise (or department), rule, business key and facts; the
rule's YAML names the facts and for how many months an explanation holds. Until a reviewer has taken it, it answers
only the same query of its own month, when the return is filed again. Where a reviewer did not take one, nothing answers
that query but a reviewer. Keeping explanations is the ledger's work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.findings import Finding, Severity
from pipelines.periods import Month
from pipelines.review_sheet import LEAST_ANSWER_LENGTH, Answer, Why, match_answers
from pipelines.validation.messages import answers_finding, doubted_finding, explained_finding
from pipelines.validation.rules import ExplanationCover, RuleBook, rule_book


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation that stands: of which query, for the period that ends in which month, and whether it was taken."""

    rule: str
    key: str
    sameness: str
    month: Month
    reason: str
    is_reviewed: bool = False


@dataclass(frozen=True, slots=True)
class Doubted:
    """A query of one month of which a reviewer has to decide.

    `refusal_of` gives what was said when these very words were refused, None where they were not.
    """

    rule: str
    key: str
    sameness: str
    month: Month
    refusal_of: Callable[[str], str | None]


class StandingExplanations:
    """Explanations at hand while files are judged, by whom they were filed for."""

    def __init__(self, book: RuleBook | None = None) -> None:
        self._covers: Mapping[str, ExplanationCover] = {
            rule.id: rule.explanation_covers for rule in (book or rule_book())
        }
        self._found: defaultdict[tuple[str, str, str, str], list[Explained]] = defaultdict(list)
        self._doubted: dict[tuple[str, Month, str, str, str], Doubted] = {}

    def add(self, filed_for: str, one: Explained) -> None:
        """Have one more at hand; of several for one query and month the one added last is quoted."""
        self._found[filed_for, one.rule, one.key, one.sameness].append(one)

    def doubt(self, filed_for: str, one: Doubted) -> None:
        """Have it at hand that only a reviewer closes this query."""
        self._doubted[filed_for, one.month, one.rule, one.key, one.sameness] = one

    def keep(self, filed_for: str, month: Month, findings: Iterable[Finding]) -> None:
        """Have at hand what a file explains itself, for the files judged after it."""
        for finding in findings:
            is_own = finding.explanation_origin in ("remark", "workbook")
            if is_own and finding.severity is Severity.INFO:
                self.add(
                    filed_for,
                    Explained(finding.rule, finding.key, finding.sameness, month, finding.explanation),
                )

    def cover(self, filed_for: str, month: Month, findings: Sequence[Finding]) -> list[Finding]:
        """The findings, with warnings that were explained before as info that quotes the earlier reason.

        What the file explains itself is a warning again where a reviewer did not take an explanation of it.
        """
        return [self._answered(filed_for, month, finding) for finding in findings]

    def _answered(self, filed_for: str, month: Month, finding: Finding) -> Finding:
        doubted = self._doubted.get((filed_for, month, finding.rule, finding.key, finding.sameness))
        if doubted is not None and finding.explanation_origin in ("remark", "workbook"):
            return doubted_finding(finding, doubted.refusal_of(finding.explanation))
        if doubted is None and finding.severity is Severity.WARNING:
            return self._covered(filed_for, month, finding)
        return finding

    def _covered(self, filed_for: str, month: Month, finding: Finding) -> Finding:
        months = self._covers.get(finding.rule, ExplanationCover()).months
        holding = [
            one
            for one in self._found.get((filed_for, finding.rule, finding.key, finding.sameness), ())
            if one.month == month or (one.is_reviewed and one.month < month <= one.month.plus(months))
        ]
        if not holding:
            return finding
        latest = max(enumerate(holding), key=lambda pair: (pair[1].month, pair[0]))[1]
        return explained_finding(finding, latest.reason, origin="earlier", period=str(latest.month))


def with_answers(findings: Sequence[Finding], answers: Sequence[Answer]) -> list[Finding]:
    """The findings, with warnings that the workbook's sheet 审核意见 answers as info; too short an answer is none.

    Where an answer is not used, or not all of it, one more finding says which and why.
    """
    matched = match_answers(findings, answers, LEAST_ANSWER_LENGTH)
    answered = matched.by_position
    told = [
        explained_finding(finding, answered[position].text.strip(), origin="workbook")
        if position in answered
        else finding
        for position, finding in enumerate(findings)
    ]
    cut = [answer for answer in answered.values() if answer.trouble == Why.CUT]
    if matched.unused or cut:
        told.append(answers_finding(findings, len(answers), matched.unused, cut))
    return told
