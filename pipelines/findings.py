"""What is found wrong or noteworthy, in words for a clerk: one shape from the gate to the portal.

Wording is data (`expectations/`), not code; here is only the shape and how it goes into JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """What a finding means for the return."""

    CRITICAL = "critical"  # the return is not accepted
    WARNING = "warning"  # accepted once confirmed or explained
    INFO = "info"  # worth knowing; changes nothing


class Verdict(StrEnum):
    """What the door says of a file."""

    ACCEPTED = "accepted"
    QUERIES = "queries"
    REJECTED = "rejected"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Wording:
    """One text in both languages."""

    zh: str
    en: str

    def as_json(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in one file: which rule, how grave, where, what was given and what was expected.

    `sheet` and `cell` are empty where the finding is about the file as a whole; `key` names the business
    object (enterprise, item, partner) so that a finding can be discussed without the workbook open.

    fingerprint         what makes it the same query when it comes again, beside rule and key; empty where the
                        rule names no facts: then the value given (`sameness`)
    explanation         why a warning is none any more, in the words of whoever explained it; it is then info
    explanation_origin  remark (in the row), workbook (answered in 审核意见), or earlier (given for the same query
                        before; `explained_period` says for which period)
    """

    rule: str
    severity: Severity
    message: Wording
    form_code: str = ""
    sheet: str = ""
    cell: str = ""
    key: str = ""
    given: str = ""
    expected: str = ""
    fingerprint: str = ""
    explanation: str = ""
    explanation_origin: str = ""
    explained_period: str = ""

    @property
    def sameness(self) -> str:
        """What the same query for the same reason has in common, beside enterprise, rule and key."""
        return self.fingerprint or f"given={self.given}"

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "form": self.form_code,
            "sheet": self.sheet,
            "cell": self.cell,
            "key": self.key,
            "given": self.given,
            "expected": self.expected,
            "message": self.message.as_json(),
            "explanation": self.explanation,
        }


@dataclass(frozen=True, slots=True)
class Fix:
    """A leniency of the reader: what stood in the cell, what it was read as, and why. Never silent."""

    sheet: str
    cell: str
    given: str
    read_as: str
    why: Wording

    def as_json(self) -> dict[str, Any]:
        return {
            "sheet": self.sheet,
            "cell": self.cell,
            "given": self.given,
            "read_as": self.read_as,
            "why": self.why.as_json(),
        }


def verdict_of(findings: list[Finding]) -> Verdict:
    """The verdict that readable findings add up to: one critical rejects, one warning asks."""
    severities = {finding.severity for finding in findings}
    if Severity.CRITICAL in severities:
        return Verdict.REJECTED
    if Severity.WARNING in severities:
        return Verdict.QUERIES
    return Verdict.ACCEPTED
