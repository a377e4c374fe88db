"""How often each rule fires: returns with at least one finding of it, by month, over the last twelve.

For the rule catalogue: a rule that fires on every third return asks too much, one that never fires may be dead.
What a rule is stands in `expectations/`; nothing is judged here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from pipelines.ledger import tables as t
from pipelines.ledger.engine import reading
from pipelines.ledger.shapes import SHANGHAI
from pipelines.periods import Month

MONTH_COUNT = 12


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often one rule fired.

    `by_month`  files with a finding of the rule, by month, the months without any included, oldest first
    `file_count`  their sum; `finding_count` counts the findings themselves, several a file
    `share_pct`  files with a finding of the rule, per cent of all files of these months; None if there were none
    """

    rule: str
    by_month: tuple[tuple[Month, int], ...]
    file_count: int
    finding_count: int
    share_pct: float | None


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """Counts of all rules that fired in these months, and how many files there were."""

    months: tuple[Month, ...]
    file_count: int
    by_rule: dict[str, RuleCount]

    def of(self, rule: str) -> RuleCount:
        """Counts of one rule; of one that never fired, all zero."""
        found = self.by_rule.get(rule)
        if found is not None:
            return found
        share = 0.0 if self.file_count else None
        return RuleCount(rule, tuple((month, 0) for month in self.months), 0, 0, share)


def rule_counts(engine: Engine, *, until: Month | None = None, month_count: int = MONTH_COUNT) -> RuleCounts:
    """Count over `month_count` reference months up to `until`, by default the latest month of any file.

    Every version filed counts, whatever became of it. A file of which no month could be read (encrypted, no
    form) counts in the month before the one in which it arrived, as a return of the usual calendar would.
    """
    file, found = t.submission, t.finding
    files: Counter[Month] = Counter()
    files_with: defaultdict[str, Counter[Month]] = defaultdict(Counter)
    findings: defaultdict[str, Counter[Month]] = defaultdict(Counter)
    with reading(engine) as connection:
        latest = connection.execute(
            select(func.max(file.c.month_start_date), func.max(file.c.received_at))
        ).one()
        if until is None:
            days = [latest[0]] if latest[0] is not None else []
            if not days and latest[1] is not None:
                days = [latest[1].astimezone(SHANGHAI).date()]
            if not days:
                return RuleCounts((), 0, {})
            # A file may speak of a month that has not begun; no return for it is due.
            until = min(Month.of(days[0]), Month.of(latest[1].astimezone(SHANGHAI).date()))
        months = tuple(until.plus(offset - month_count + 1) for offset in range(month_count))
        first, last = months[0].start_date, months[-1].start_date
        in_months = file.c.month_start_date.between(first, last)
        for day, count in connection.execute(
            select(file.c.month_start_date, func.count()).where(in_months).group_by(file.c.month_start_date)
        ):
            files[Month.of(day)] += count
        for rule, day, count, with_rule in connection.execute(
            select(
                found.c.rule,
                file.c.month_start_date,
                func.count(),
                func.count(file.c.submission_id.distinct()),
            )
            .join_from(found, file, found.c.submission_id == file.c.submission_id)
            .where(in_months)
            .group_by(found.c.rule, file.c.month_start_date)
        ):
            findings[rule][Month.of(day)] += count
            files_with[rule][Month.of(day)] += with_rule
        without_month = connection.execute(
            select(file.c.submission_id, file.c.received_at, found.c.rule)
            .join_from(file, found, found.c.submission_id == file.c.submission_id, isouter=True)
            .where(file.c.month_start_date.is_(None))
        ).all()
    counted: set[tuple[str, str]] = set()
    for submission_id, received_at, rule in without_month:
        month = Month.of(received_at.astimezone(SHANGHAI).date()).previous
        if month not in months:
            continue
        if (submission_id, "") not in counted:
            counted.add((submission_id, ""))
            files[month] += 1
        if rule is None:
            continue
        findings[rule][month] += 1
        if (submission_id, rule) not in counted:
            counted.add((submission_id, rule))
            files_with[rule][month] += 1
    total = sum(files.values())
    return RuleCounts(
        months,
        total,
        {
            rule: RuleCount(
                rule,
                tuple((month, counts[month]) for month in months),
                sum(counts.values()),
                sum(findings[rule].values()),
                100 * sum(counts.values()) / total,
            )
            for rule, counts in sorted(files_with.items())
        },
    )
