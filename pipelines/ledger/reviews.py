"""The reviewer's desk: which returns wait for a person, and what a person decides about one.

Never decided by whoever filed a return or explained it. Explanations themselves are reviewed in `explanations`; the
words of a 退回 are composed in `validation.return_texts`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, func, or_, select, true

from pipelines.findings import Verdict, Wording
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, is_same_person
from pipelines.ledger.deciding import (
    as_told_to,
    decide,
    expect_current,
    expect_not_the_filer,
    expect_reviewer,
    expect_seen,
    note_status,
    seen_submissions,
    submission_in,
)
from pipelines.ledger.engine import reading, writing
from pipelines.ledger.explanations import Origin, Query, keep_confirmation, queries_in
from pipelines.ledger.pen import take_the_pen
from pipelines.ledger.register import district_at, spells_by_code, this_month
from pipelines.ledger.shapes import (
    CannotConfirm,
    Decision,
    DecisionKind,
    RecordedFiling,
    Submission,
    decision_of,
    recorded_filing_of,
)
from pipelines.ledger.standing import is_current, is_latest_accepted, submissions_where
from pipelines.periods import Month
from pipelines.records import FileKind, storable_text

MIN_REASON_LENGTH = 5
MAX_REASON_LENGTH = 2_000


class Waiting(StrEnum):
    """Why a return is in the reviewer's list."""

    QUERIED = "queried"  # 待核实: queries that nobody has explained
    EXPLAINED = "explained"  # 已说明，待复核: explanations that nobody has looked at


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A return in the reviewer's list.

    `open_query_count` queries want an answer, `explanation_count` explanations want to be looked at; `rules` are
    those of both, by how often. `is_own` says that the actor filed or explained it and may not decide.
    """

    submission: Submission
    district_code: str
    waiting: Waiting
    open_query_count: int
    explanation_count: int
    rules: tuple[str, ...]
    is_own: bool


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A page of the list, those that came first first; pages count from 1. `rule_counts`: returns by rule, all pages."""

    items: list[ReviewItem]
    page: int
    page_count: int
    item_count: int
    rule_counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class SubmissionFilter:
    """Which submissions are wanted; what is empty does not matter. `search`: part of a name or code, or an id's start.

    state   accepted, queries, rejected, returned or unreadable
    """

    month: Month | None = None
    enterprise_code: str = ""
    state: str = ""
    rule: str = ""
    search: str = ""
    kind: FileKind | None = None
    only_current: bool = False


@dataclass(frozen=True, slots=True)
class SubmissionPage:
    """A page of submissions, newest first; pages count from 1."""

    submissions: list[Submission]
    page: int
    page_count: int
    submission_count: int


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """Everything about one submission. `versions` are those of its series, newest first, itself included.

    `returned_for`: the reason for which it was sent back, to be shown first; empty where it was not.
    """

    submission: Submission
    queries: list[Query]
    decisions: list[Decision]
    filings: list[RecordedFiling]
    versions: list[Submission]
    returned_for: str


class Reviews:
    """Looking at submissions and deciding about them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- looking -----------------------------------------------------------------------------------

    def view(self, submission_id: str, actor: Actor) -> SubmissionView:
        """One submission with all that belongs to it. Raises UnknownSubmission also where it is not the actor's."""
        column, filing, decision = t.submission.c, t.filing.c, t.decision.c
        with reading(self._engine) as connection:
            one = submission_in(connection, submission_id)
            expect_seen(connection, one, actor)
            versions = (
                submissions_where(connection, column.series_key == one.series_key)
                if one.series_key
                else [one]
            )
            decisions = [
                decision_of(row)
                for row in connection.execute(
                    select(t.decision)
                    .where(decision.submission_id == submission_id)
                    .order_by(decision.decision_id)
                )
            ]
            filings = [
                recorded_filing_of(row)
                for row in connection.execute(
                    select(t.filing)
                    .where(filing.submission_id == submission_id)
                    .order_by(filing.received_at, filing.filing_id)
                )
            ]
            queries = queries_in(connection, [submission_id]).get(submission_id, [])
            [one] = as_told_to(connection, [one], actor)
        returned = [each for each in decisions if each.decision_kind == DecisionKind.RETURNED]
        return SubmissionView(
            one,
            queries,
            decisions,
            filings,
            versions[::-1],
            returned[-1].reason if one.is_returned and returned else "",
        )

    def submissions(
        self, actor: Actor, wanted: SubmissionFilter | None = None, *, page: int = 1, page_size: int = 50
    ) -> SubmissionPage:
        """Submissions that the actor may see and that meet the filter, newest first."""
        where = and_(seen_submissions(actor), *_conditions(wanted or SubmissionFilter()))
        column = t.submission.c
        with reading(self._engine) as connection:
            count = connection.execute(
                select(func.count()).select_from(t.submission).where(where)
            ).scalar_one()
            page_count = max(1, -(-count // page_size))
            page = min(max(page, 1), page_count)
            ids = connection.execute(
                select(column.submission_id)
                .where(where)
                .order_by(column.sequence.desc())
                .limit(page_size)
                .offset((page - 1) * page_size)
            ).scalars()
            found = submissions_where(connection, column.submission_id.in_(list(ids)))
            found = as_told_to(connection, found, actor)
        return SubmissionPage(found[::-1], page, page_count, count)

    def queue(
        self,
        actor: Actor,
        *,
        month: Month | None = None,
        waiting: Waiting | None = None,
        district_code: str = "",
        rule: str = "",
        page: int = 1,
        page_size: int = 50,
    ) -> ReviewPage:
        """What waits for a reviewer, in the order of arrival: bureau all, a district reviewer the own district.

        Only latest versions, and those in force: a query in a version that has been replaced is nobody's business. A
        reporter's list is empty.
        """
        if not (actor.sees_all_enterprises or actor.district_codes):
            return ReviewPage([], 1, 1, 0, {})
        column = t.submission.c
        has_unseen = exists().where(
            t.explanation.c.submission_id == column.submission_id, t.explanation.c.state == "given"
        )
        where: list[ColumnElement[bool]] = [
            # What is in force while its correction is not accepted rests on explanations that wait as well.
            or_(
                and_(is_current, or_(column.status == Verdict.QUERIES.value, has_unseen)),
                and_(is_latest_accepted, has_unseen),
            ),
            seen_submissions(actor),
            ~column.is_returned,
        ]
        if month is not None:
            where.append(column.month_start_date == month.start_date)
        with reading(self._engine) as connection:
            found = submissions_where(connection, and_(*where))
            spells = spells_by_code(connection, [one.enterprise_code for one in found])
            tallies = _tallies(connection, [one.submission_id for one in found])
            hands = _hands(connection, [one.submission_id for one in found])
        items = []
        for one in found:
            tally = tallies.get(one.submission_id, _Tally())
            item = ReviewItem(
                submission=one,
                district_code=district_at(
                    spells.get(one.enterprise_code, ()), one.month_start_date or this_month()
                ),
                waiting=Waiting.QUERIED if one.status is Verdict.QUERIES else Waiting.EXPLAINED,
                open_query_count=tally.open_count,
                explanation_count=tally.explanation_count,
                rules=tuple(sorted(tally.rules, key=lambda name: (-tally.rules[name], name))),
                is_own=any(is_same_person(actor.name, name) for name in hands.get(one.submission_id, ())),
            )
            # Who may see a return need not decide about it: that is for the district where it is counted.
            is_theirs = actor.sees_all_enterprises or item.district_code in actor.district_codes
            if is_theirs and (
                (waiting is None or item.waiting is waiting)
                and (not district_code or item.district_code == district_code)
            ):
                items.append(item)
        rule_counts: dict[str, int] = defaultdict(int)
        for item in items:
            for name in item.rules:
                rule_counts[name] += 1
        if rule:
            items = [item for item in items if rule in item.rules]
        page_count = max(1, -(-len(items) // page_size))
        page = min(max(page, 1), page_count)
        return ReviewPage(
            items[(page - 1) * page_size : page * page_size],
            page,
            page_count,
            len(items),
            dict(sorted(rule_counts.items(), key=lambda pair: (-pair[1], pair[0]))),
        )

    # -- deciding ----------------------------------------------------------------------------------

    def confirm(self, submission_id: str, reason: str, actor: Actor) -> Submission:
        """Accept a return that is held back by queries: somebody looked, and says why it is right.

        The findings stay; the reason, the person and the moment are kept, and the reason answers the same queries later.
        Explanations that wait are taken with it.
        Raises CannotConfirm for anything but a return with open queries (a critical finding is corrected, never
        confirmed away) in its current version, for a reason that says nothing, to whoever filed or explained it, and
        where the other way of filing January and February is in force; NotAllowed; UnknownSubmission.
        """
        reason = _reason_of(reason, Wording("核实", "confirmed"))
        with writing(self._engine) as connection:
            take_the_pen(connection)
            one = _to_decide(connection, submission_id, actor)
            expect_current(connection, one, CannotConfirm)
            if one.status is not Verdict.QUERIES:
                raise CannotConfirm(_why_not(one))
            keep_confirmation(connection, one, reason, actor)
            decide(connection, one, DecisionKind.CONFIRMED, Verdict.ACCEPTED, actor, reason)
            note_status(connection, actor, "submission.confirmed", one, "accepted", reason)
            return submission_in(connection, submission_id)

    def send_back(self, submission_id: str, reason: str, actor: Actor) -> Submission:
        """退回: the enterprise is to correct the return and file it again; it sees the reason first.

        What was accepted before holds again until then, and the explanations of this one stand no more. The version
        in force may be sent back too while a later one is not accepted. Raises as `confirm`.
        """
        reason = _reason_of(reason, Wording("退回", "sent back"))
        with writing(self._engine) as connection:
            take_the_pen(connection)
            one = _to_decide(connection, submission_id, actor)
            expect_current(connection, one, CannotConfirm, or_in_force=True)
            if one.is_returned or one.status is Verdict.UNREADABLE:
                raise CannotConfirm(_why_not(one))
            decide(connection, one, DecisionKind.RETURNED, Verdict.REJECTED, actor, reason)
            note_status(connection, actor, "submission.returned", one, "returned", reason)
            return submission_in(connection, submission_id)

    def withdraw_return(self, submission_id: str, reason: str, actor: Actor) -> Submission:
        """Take a 退回 back: the return stands again as it did before. Raises as `confirm`."""
        reason = _reason_of(reason, Wording("撤销退回", "taken back"))
        with writing(self._engine) as connection:
            take_the_pen(connection)
            one = _to_decide(connection, submission_id, actor)
            decision = t.decision.c
            returned = connection.execute(
                select(t.decision)
                .where(
                    decision.submission_id == submission_id,
                    decision.decision_kind == DecisionKind.RETURNED.value,
                )
                .order_by(decision.decision_id.desc())
                .limit(1)
            ).one_or_none()
            if not one.is_returned or returned is None:
                raise CannotConfirm(
                    Wording(
                        f"{submission_id} 没有被退回，无可撤销。",
                        f"{submission_id} was not sent back, so there is nothing to take back.",
                    )
                )
            if not one.is_current:
                raise CannotConfirm(
                    Wording(
                        f"{submission_id} 退回后已收到新的版本，不能再撤销退回。",
                        f"A new version of {submission_id} has come since; the sending back stands.",
                    )
                )
            before = Verdict(returned.status_before)
            decide(connection, one, DecisionKind.RETURN_WITHDRAWN, before, actor, reason)
            note_status(connection, actor, "submission.return_withdrawn", one, before.value, reason)
            return submission_in(connection, submission_id)


# -- how ------------------------------------------------------------------------------------------------------


def _to_decide(connection: Connection, submission_id: str, actor: Actor) -> Submission:
    """The submission, for one who may decide about it: a reviewer who neither filed nor explained it."""
    one = submission_in(connection, submission_id)
    expect_reviewer(connection, one, actor)
    expect_not_the_filer(connection, one, actor)
    column = t.explanation.c
    givers = connection.execute(
        select(column.given_by)
        .where(
            column.submission_id == submission_id,
            column.state.in_(["given", "accepted"]),
            column.origin != Origin.REVIEW.value,
        )
        .distinct()
    ).scalars()
    if any(is_same_person(actor.name, giver) for giver in givers):
        raise CannotConfirm(
            Wording(
                f"{submission_id} 的说明由您本人（{actor.name}）填写，须由另一人审核。",
                f"You ({actor.name}) explained {submission_id}; another person has to review it.",
            )
        )
    return one


def _why_not(one: Submission) -> Wording:
    submission_id = one.submission_id
    if one.is_returned:
        return Wording(
            f"{submission_id} 已退回，请等待重新报送；如退回有误，请撤销退回。",
            f"{submission_id} was sent back; wait for it to be filed again, or take the sending back back.",
        )
    if one.status is Verdict.ACCEPTED:
        return Wording(
            f"{submission_id} 已通过，无需再核实。",
            f"{submission_id} is accepted already; nothing to confirm.",
        )
    if one.status is Verdict.REJECTED:
        return Wording(
            f"{submission_id} 有必须更正的错误，不能以说明代替；请填报单位更正后重新报送。",
            f"{submission_id} has errors that must be corrected and cannot be confirmed; "
            "ask the enterprise to correct and file it again.",
        )
    return Wording(
        f"{submission_id} 未能读取，无从核实；请填报单位重新报送。",
        f"{submission_id} could not be read, so there is nothing to confirm; ask for the file again.",
    )


def _reason_of(text: str, what: Wording) -> str:
    reason = storable_text(text).strip()
    if not MIN_REASON_LENGTH <= len(reason) <= MAX_REASON_LENGTH:
        raise CannotConfirm(
            Wording(
                f"请写明{what.zh}的理由（{MIN_REASON_LENGTH} 至 {MAX_REASON_LENGTH} 个字）。",
                f"Say why it is {what.en}, in {MIN_REASON_LENGTH} to {MAX_REASON_LENGTH} characters.",
            )
        )
    return reason


def _conditions(wanted: SubmissionFilter) -> list[ColumnElement[bool]]:
    column = t.submission.c
    found: list[ColumnElement[bool]] = [true()]
    if wanted.month is not None:
        found.append(column.month_start_date == wanted.month.start_date)
    if wanted.kind is not None:
        found.append(column.kind == wanted.kind.value)
    if wanted.enterprise_code:
        found.append(column.enterprise_code == wanted.enterprise_code)
    if wanted.state == "returned":
        found.append(column.is_returned)
    elif wanted.state:
        found.append(and_(column.status == wanted.state, ~column.is_returned))
    if wanted.rule:
        found.append(
            exists().where(t.finding.c.submission_id == column.submission_id, t.finding.c.rule == wanted.rule)
        )
    if wanted.search:
        found.append(
            or_(
                column.enterprise_name.contains(wanted.search, autoescape=True),
                column.enterprise_code.contains(wanted.search.upper(), autoescape=True),
                column.submission_id.startswith(wanted.search.lower(), autoescape=True),
            )
        )
    if wanted.only_current:
        found.append(is_current)
    return found


@dataclass(slots=True)
class _Tally:
    """What waits in one submission: open queries, explanations not looked at, and of which rules."""

    open_count: int = 0
    explanation_count: int = 0
    rules: Counter[str] = field(default_factory=Counter)


def _tallies(connection: Connection, submission_ids: list[str]) -> dict[str, _Tally]:
    tallies: dict[str, _Tally] = {}
    for submission_id, queries in queries_in(connection, submission_ids).items():
        tally = tallies.setdefault(submission_id, _Tally())
        for query in queries:
            waits = query.explanation is not None and query.explanation.state == "given"
            tally.open_count += query.is_open
            tally.explanation_count += waits
            if query.is_open or waits:
                tally.rules[query.finding.rule] += 1
    return tallies


def _hands(connection: Connection, submission_ids: list[str]) -> dict[str, set[str]]:
    """Who filed or explained each submission."""
    hands: dict[str, set[str]] = defaultdict(set)
    for rows in (
        select(t.filing.c.submission_id, t.filing.c.received_by).where(
            t.filing.c.submission_id.in_(submission_ids)
        ),
        select(t.explanation.c.submission_id, t.explanation.c.given_by).where(
            t.explanation.c.submission_id.in_(submission_ids),
            t.explanation.c.state.in_(["given", "accepted"]),
            t.explanation.c.origin != Origin.REVIEW.value,
        ),
    ):
        for submission_id, name in connection.execute(rows):
            hands[submission_id].add(name)
    return hands
