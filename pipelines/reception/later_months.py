"""What the door says of a correction whose amounts stand in the cumulative of months that were filed after it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.findings import Finding
from pipelines.ledger import MONTHLY_PERIODS, Ledger, SeriesState
from pipelines.periods import Month
from pipelines.records import FileKind, ParsedFile


def remark_on_later_months(
    parsed: ParsedFile, month: Month | None, before: SeriesState, ledger: Ledger
) -> Iterator[Finding]:
    """Names the later months of the year with an accepted return; `before` is what the file's series held.

    A rule compares a cumulative with the month before, never with months to come: whoever corrects March is told here
    that April says what March was.
    """
    period = parsed.period
    if (
        parsed.kind is not FileKind.RETURN
        or parsed.is_unreadable
        or before.accepted_id is None
        or period is None
        or period.kind not in MONTHLY_PERIODS
        or month is None
        or month.month == 12
    ):
        return
    later = ledger.history([parsed.enterprise_code], month.plus(1), Month(month.year, 12))
    months = {Month.of(one.month_start_date) for one in later if one.month_start_date is not None}
    if months:
        from pipelines.validation.messages import later_months_finding

        yield later_months_finding(month, sorted(months))
