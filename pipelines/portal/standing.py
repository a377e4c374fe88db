"""What a return is worth to whoever looks at it: one word, one sentence, and the return that stands in its place.

Every page that says whether a return counts asks here. An accepted return need not count: a later version has
replaced it, it was accepted after its month was closed, or a return for other months has taken its business over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.findings import Verdict
from pipelines.ledger import Ledger, Submission
from pipelines.ledger.reviews import SubmissionView
from pipelines.periods import Month
from pipelines.records import FileKind

JOINT = "months_1_2"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a return stands for people.

    state     the word and the headline (`verdict.short_`, `submission.title_`): accepted, explained (accepted, to be
              looked at), queries, rejected, returned (sent back by a person), unreadable; and for what is accepted and
              does not count: superseded, after_closing, displaced
    sentence  what follows from it for the person (`submission.next_`)
    by        the return that the sentence speaks of; None where it speaks of none
    """

    state: str
    sentence: str
    by: Submission | None = None

    @property
    def is_counted(self) -> bool:
        """Whether nothing is left to say or to do: accepted, and in the statistics."""
        return self.state in ("accepted", "explained")


def standing_of(
    one: Submission,
    versions: Sequence[Submission] = (),
    rivals: Sequence[Submission] = (),
    *,
    has_unseen_explanation: bool = False,
    is_closed: bool = False,
) -> Standing:
    """Where a return stands.

    `versions` are those of its series, itself among them or not; `rivals` the returns of the enterprise that count by
    their own series in the same January and February; `is_closed`: a month of the return is closed now.
    """
    if one.status is Verdict.ACCEPTED:
        return _of_accepted(one, versions, rivals, "explained" if has_unseen_explanation else "accepted")
    state = "returned" if one.is_returned else one.status.value
    if one.status is Verdict.UNREADABLE:
        return Standing(state, "unreadable")
    if not one.is_current:
        return Standing(state, "filed_again", _latest(versions, one))
    if one.is_current_accepted:
        # Accepted when its month was closed, and doubted since: the month keeps what it was closed with.
        return Standing(state, "doubted_after_closing")
    if is_closed and one.kind is FileKind.RETURN:
        return Standing(state, f"{state}_closed")
    return Standing(state, state)


def _of_accepted(
    one: Submission, versions: Sequence[Submission], rivals: Sequence[Submission], counted: str
) -> Standing:
    accepted = _latest([each for each in versions if each.status is Verdict.ACCEPTED], one)
    if not one.is_current_accepted:
        if one.is_latest_accepted:
            return Standing("after_closing", "after_closing")
        return Standing("superseded", "superseded", accepted)
    rival = displacing(one, rivals)
    if rival is not None:
        return Standing("displaced", "displaced", rival)
    if not one.is_latest_accepted:
        return Standing(counted, "until_reopened", accepted)
    if not one.is_current:
        return Standing(counted, "correction_waits", _latest(versions, one))
    return Standing(counted, counted)


def _latest(versions: Iterable[Submission], one: Submission) -> Submission | None:
    """The latest of these versions that is later than this one."""
    later = [each for each in versions if (each.version or 0) > (one.version or 0)]
    return max(later, key=lambda each: each.version or 0, default=None)


def displacing(one: Submission, rivals: Iterable[Submission]) -> Submission | None:
    """The return by which an accepted one counts for nothing, as `sql/validated/filing.sql` decides; a test compares.

    A joint return for January and February holds until both months have been filed singly after it.
    """
    others = [each for each in rivals if _speaks_of_early_months(each) and _is_beside(one, each)]
    if not _speaks_of_early_months(one):
        return None
    joints = [each for each in (one, *others) if each.period_kind == JOINT]
    singles = [each for each in (one, *others) if each.period_kind != JOINT]
    for joint in joints:
        later = [each for each in singles if each.sequence > joint.sequence]
        is_in_force = len({each.month_start_date for each in later}) < 2
        if joint is one:
            return None if is_in_force else max(later, key=lambda each: each.sequence)
        if is_in_force:
            return joint
    return None


def _is_beside(one: Submission, other: Submission) -> bool:
    return (
        other.submission_id != one.submission_id
        and other.enterprise_code == one.enterprise_code
        and other.is_current_accepted
        and _year(other) == _year(one)
    )


def _speaks_of_early_months(one: Submission) -> bool:
    """Whether it is the return of January, of February, or of both."""
    if one.kind is not FileKind.RETURN or one.month_start_date is None:
        return False
    return one.period_kind == JOINT or (one.period_kind == "month" and one.month_start_date.month <= 2)


def _year(one: Submission) -> int:
    return one.month_start_date.year if one.month_start_date else 0


# -- asked of the ledger --------------------------------------------------------------------------------------


def standing_in(ledger: Ledger, view: SubmissionView) -> Standing:
    """Where the return of this view stands, with everything that there is to know."""
    one = view.submission
    is_closed = one.month_start_date is not None and bool(
        ledger.months.closings().of(one.period_start_date, one.month_start_date)
    )
    return standing_of(
        one,
        view.versions,
        _rivals(ledger, [one]).get(one.enterprise_code, ()),
        has_unseen_explanation=any(
            query.explanation is not None and query.explanation.state == "given" for query in view.queries
        ),
        is_closed=is_closed,
    )


def states_of(ledger: Ledger, found: Iterable[Submission]) -> dict[str, str]:
    """The word for each of several returns, by its id: for lists, which say no sentence."""
    listed = list(found)
    rivals = _rivals(ledger, listed)
    return {
        one.submission_id: standing_of(one, rivals=rivals.get(one.enterprise_code, ())).state
        for one in listed
    }


def _rivals(ledger: Ledger, found: Iterable[Submission]) -> dict[str, list[Submission]]:
    """Returns for January and February that count by their own series, by enterprise; asked only where it matters."""
    asked: defaultdict[int, set[str]] = defaultdict(set)
    for one in found:
        if one.is_current_accepted and _speaks_of_early_months(one):
            asked[_year(one)].add(one.enterprise_code)
    rivals: defaultdict[str, list[Submission]] = defaultdict(list)
    for year, codes in asked.items():
        for one in ledger.counted_returns(codes, Month(year, 1), Month(year, 2)):
            rivals[one.enterprise_code].append(one)
    return rivals
