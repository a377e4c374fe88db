"""What the door says of a file where a month of its figures is closed: received, kept, and what it changes now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.findings import Finding
from pipelines.ledger import Closings, Ledger, SeriesState
from pipelines.periods import InvalidPeriod, Month, Period, parse_period
from pipelines.records import CellRecord, FileKind, ParsedFile

_OVERLAPPING_PERIOD = "H7e"
# Where a row of a departmental table says what period it speaks of, and where its head does.
_ROW_PERIODS = ("month", "period", "year")
_HEAD_PERIOD = "reference_month"


def closed_months(parsed: ParsedFile, month: Month | None, bounds: Closings) -> list[str]:
    """Which months of a return are closed; `month` is the one in which it is counted. None of a departmental table."""
    period = parsed.period
    if parsed.kind is not FileKind.RETURN or period is None or month is None:
        return []
    return [str(bound.month) for bound in bounds.of(period.first.start_date, month.start_date)]


def remarks_on_closings(
    parsed: ParsedFile,
    month: Month | None,
    findings: Sequence[Finding],
    before: SeriesState,
    bounds: Closings,
    ledger: Ledger,
) -> Iterator[Finding]:
    """What there is to say of a judged file for the months that are closed; `before` is what its series held."""
    if parsed.is_unreadable or not bounds:
        return
    if parsed.kind is FileKind.DEPARTMENT:
        yield from _on_departmental_table(parsed, bounds)
    elif parsed.kind is FileKind.RETURN and parsed.enterprise_code and month is not None:
        yield from _on_return(parsed, month, findings, before, bounds, ledger)


def _on_departmental_table(parsed: ParsedFile, bounds: Closings) -> Iterator[Finding]:
    """Which of its months keep the figures they were closed with."""
    months = months_of_rows(parsed.cells)
    kept = sorted(month for month in months if bounds.binding(month) is not None)
    if kept:
        from pipelines.validation.messages import department_after_closing_finding

        yield department_after_closing_finding(kept, is_whole=len(kept) == len(months))


def months_of_rows(cells: Sequence[CellRecord]) -> set[Month]:
    """The months in which the rows of a departmental table count, as validated.department_cell places them: the month
    of a day, else the last of the period of the row, of its sheet, or of the file where that is one for all sheets."""
    heads: dict[str, Period] = {}
    periods: dict[tuple[str, int], Period] = {}
    days: dict[tuple[str, int], Month] = {}
    rows: set[tuple[str, int]] = set()
    for cell in cells:
        place = (cell.sheet, cell.row_number)
        if cell.section == "row":
            rows.add(place)
            if cell.field == "day" and cell.day is not None:
                days[place] = Month.of(cell.day)
            elif cell.field in _ROW_PERIODS and (period := _period(cell.code)) is not None:
                periods[place] = period
        elif cell.section == "head" and cell.field == _HEAD_PERIOD and (period := _period(cell.code)):
            heads[cell.sheet] = period
    of_file = next(iter(heads.values())) if len(set(heads.values())) == 1 else None
    months = set()
    for place in rows:
        period = periods.get(place) or heads.get(place[0]) or of_file
        month = days.get(place) or (period.last if period is not None else None)
        if month is not None:
            months.add(month)
    return months


def _period(code: str | None) -> Period | None:
    try:
        return parse_period(code) if code else None
    except InvalidPeriod:  # a finding on its cell says so
        return None


def _on_return(
    parsed: ParsedFile,
    month: Month,
    findings: Sequence[Finding],
    before: SeriesState,
    bounds: Closings,
    ledger: Ledger,
) -> Iterator[Finding]:
    from pipelines.validation import messages as words

    period = parsed.period
    if period is None:
        return
    overlaps = any(finding.rule == _OVERLAPPING_PERIOD for finding in findings)
    closed = closed_months(parsed, month, bounds)
    if period.kind == "months_1_2" and closed == [str(period.first)] and before.accepted_id is None:
        # In force nowhere, it would keep February from being filed alone; a correction of one in force may wait.
        if not overlaps:
            yield words.joint_after_closing_finding(str(period.first), str(period.last))
        return
    if closed:
        yield words.late_revision_finding(closed)
    if overlaps and period.kind == "month":
        yield from _waiting_joint(parsed.enterprise_code, month.year, bounds, ledger)


def _waiting_joint(enterprise_code: str, year: int, bounds: Closings, ledger: Ledger) -> Iterator[Finding]:
    """Where a joint return is in the way of one for a month alone but counts for nothing: who can take it away."""
    from pipelines.validation.messages import single_beside_waiting_joint_finding

    joint = Period(Month(year, 1), "months_1_2")
    january = joint.first.start_date
    key = f"return/{enterprise_code}/{joint}"
    accepted_id = ledger.series_states([key]).get(key, SeriesState()).accepted_id
    if accepted_id is None or not bounds.of(january, january):
        return
    [one] = ledger.submissions(submission_ids=[accepted_id])
    if not one.is_current_accepted:
        yield single_beside_waiting_joint_finding(joint, accepted_id)
