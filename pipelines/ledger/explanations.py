"""Explanations: why a queried figure is right, who said so, and whether a second person took it.

A warning that is explained holds nothing up; when the last one of a return is explained the return is accepted, and it
waits for a reviewer to look at the explanations. One that a reviewer refuses opens the query again. A critical finding
is corrected, never explained. Which later query an explanation answers too is decided in `validation.covers`.

Once a reviewer has refused an explanation, or has sent back a return that held one, that query is in doubt (`Doubt`):
whatever is said of it afterwards, also in another version, leaves it open until a reviewer takes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, or_, select, update

from pipelines.findings import Finding, Severity, Verdict, Wording
from pipelines.ledger import audit
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, Role, is_same_person
from pipelines.ledger.deciding import (
    decide,
    expect_current,
    expect_not_the_filer,
    expect_reviewer,
    expect_seen,
    filed_by_same_person,
    finding_of,
    note_status,
    submission_in,
)
from pipelines.ledger.engine import reading, writing
from pipelines.ledger.pen import chunks, insert_many, take_the_pen
from pipelines.ledger.shapes import CannotExplain, DecisionKind, LedgerConflict, NewSubmission, Submission
from pipelines.records import storable_text

MIN_REASON_LENGTH = 5
MAX_REASON_LENGTH = 1_000

_STANDING = ("given", "accepted")


class Origin(StrEnum):
    """Where an explanation was written."""

    REMARK = "remark"  # 说明 in the row
    WORKBOOK = "workbook"  # the answer column of 审核意见
    PORTAL = "portal"
    CLI = "cli"
    REVIEW = "review"  # a reviewer confirmed the return, for this reason


@dataclass(frozen=True, slots=True)
class Explanation:
    """One explanation of one finding. `state`: given, accepted or refused by a reviewer, replaced by a later one.

    `filed_for` is the enterprise's code, or the department.
    """

    explanation_id: int
    submission_id: str
    ordinal: int
    filed_for: str
    month_start_date: date
    rule: str
    business_key: str
    fingerprint: str
    reason: str
    given_by: str
    given_at: datetime
    origin: Origin
    state: str
    reviewed_by: str
    reviewed_at: datetime | None
    review_reason: str

    @property
    def is_standing(self) -> bool:
        """Whether it was given and not refused since."""
        return self.state in _STANDING

    @property
    def is_reviewed(self) -> bool:
        """Whether a second person has taken it: only then does it answer queries of later months."""
        return self.state == "accepted"

    @property
    def identity(self) -> Identity:
        """Which query of which month it speaks of."""
        return self.filed_for, self.month_start_date, self.rule, self.business_key, self.fingerprint


# A query of one month, in whatever version of a return: filed for whom, month, rule, business key, what makes it the same.
Identity = tuple[str, date, str, str, str]


@dataclass(slots=True)
class Doubt:
    """A query whose explanation a reviewer did not take: one was refused, or the return that held it was sent back.

    `refused` are the reasons that were refused, each with what the reviewer said of it.
    """

    last_refused_id: int = 0
    last_returned_sequence: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    def refusal_of(self, text: str) -> str | None:
        """What the reviewer said when these very words were refused; None where they were not."""
        return next((said for reason, said in reversed(self.refused) if same_words(reason, text)), None)


def same_words(text: str, other: str) -> bool:
    """Whether two texts say the same but for blanks, case and marks."""
    return _words(text) == _words(other)


def _words(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


@dataclass(frozen=True, slots=True)
class Query:
    """A finding as a person sees it: with its explanation, and whether an answer is still wanted.

    `explanation` is the last one given for it, also when it was refused. `is_in_doubt` says that an answer opens the
    way only when a reviewer takes it: an earlier one was not taken.
    """

    ordinal: int
    finding: Finding
    explanation: Explanation | None
    is_open: bool
    is_in_doubt: bool = False

    @property
    def can_be_explained(self) -> bool:
        """Whether an explanation would be taken."""
        return self.is_open or (self.explanation is not None and self.explanation.state == "given")


class Explanations:
    """The explanations of one ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- asking ------------------------------------------------------------------------------------

    def queries(self, submission_id: str) -> list[Query]:
        """Every finding of a submission in its order, with what was said of it."""
        with reading(self._engine) as connection:
            return queries_in(connection, [submission_id]).get(submission_id, [])

    def queries_of(self, submission_ids: Iterable[str]) -> dict[str, list[Query]]:
        """As `queries` for many submissions; those without findings are left out."""
        with reading(self._engine) as connection:
            return queries_in(connection, submission_ids)

    def standing(self, filed_for: Iterable[str]) -> list[Explanation]:
        """Explanations that stand, of these enterprises and departments, in the order in which they were given.

        Those of a return that was sent back do not, nor those that a later refusal or sending back has overtaken.
        """
        return self.standing_and_doubts(filed_for)[0]

    def standing_and_doubts(
        self, filed_for: Iterable[str]
    ) -> tuple[list[Explanation], dict[Identity, Doubt]]:
        """As `standing`, and with them the queries that only a reviewer closes."""
        with reading(self._engine) as connection:
            return standing_and_doubts(connection, filed_for)

    # -- explaining --------------------------------------------------------------------------------

    def explain(
        self, submission_id: str, reasons: Mapping[int, str], actor: Actor, origin: Origin
    ) -> Submission:
        """Explain queries of a submission, by the numbers of its findings (from 1); all of it or nothing.

        When no query is left open the submission is accepted. Whoever may see the submission may explain it, but
        staff not what they filed themselves for an enterprise. A later explanation replaces one that nobody has
        reviewed yet; the words of one that was refused are not taken again, and other words leave the query open
        until a reviewer takes them. Only in the current version, and not where its acceptance would put January or
        February in force twice (`deciding.decide`). Raises CannotExplain, UnknownSubmission.
        """
        if not reasons:
            raise CannotExplain(Wording("没有收到任何说明。", "No explanation was given."))
        with writing(self._engine) as connection:
            take_the_pen(connection)
            one = submission_in(connection, submission_id)
            expect_seen(connection, one, actor)
            expect_current(connection, one, CannotExplain)
            month_start_date = _expect_explainable(one)
            _expect_not_own_filing(connection, one, actor)
            by_ordinal = {
                query.ordinal: query
                for query in queries_in(connection, [submission_id]).get(submission_id, [])
            }
            _, doubts = standing_and_doubts(connection, [_filed_for(one)])
            rows = []
            for ordinal, text in sorted(reasons.items()):
                query = by_ordinal.get(ordinal)
                reason = _reason_of(text, query, ordinal)
                if (
                    doubt := doubts.get(_identity_of(one, month_start_date, by_ordinal[ordinal].finding))
                ) is not None:
                    _expect_other_words(reason, doubt, ordinal)
                rows.append(_new_row(one, ordinal, by_ordinal[ordinal].finding, reason, actor.name, origin))
            now = datetime.now(UTC)
            connection.execute(
                update(t.explanation)
                .where(
                    t.explanation.c.submission_id == submission_id,
                    t.explanation.c.ordinal.in_([row["ordinal"] for row in rows]),
                    t.explanation.c.state == "given",
                )
                .values(state="replaced")
            )
            insert_many(connection, t.explanation, [{**row, "given_at": now} for row in rows])
            audit.append_many(
                connection,
                actor,
                [
                    audit.NewEntry(
                        "finding.explained",
                        "submission",
                        submission_id,
                        new={"finding": row["ordinal"], "rule": row["rule"], "origin": origin.value},
                        reason=row["reason"],
                    )
                    for row in rows
                ],
            )
            if one.status is Verdict.QUERIES and not _open_ordinals(connection, submission_id):
                why = f"各项疑问均已说明（{len(rows)} 项） / every query is explained ({len(rows)})"
                decide(connection, one, DecisionKind.EXPLAINED, Verdict.ACCEPTED, actor, why)
                note_status(connection, actor, "submission.explained", one, Verdict.ACCEPTED.value, why)
            return submission_in(connection, submission_id)

    # -- reviewing ---------------------------------------------------------------------------------

    def accept(
        self, submission_id: str, actor: Actor, *, ordinals: Iterable[int] | None = None, reason: str = ""
    ) -> Submission:
        """A reviewer takes explanations (all that wait, or those of these findings). See `refuse` for who may.

        A return that waited for it, because an earlier explanation was not taken, is accepted by it; raises
        CannotConfirm where that would put January or February in force twice.
        """
        reason = storable_text(reason).strip()[:MAX_REASON_LENGTH]
        with writing(self._engine) as connection:
            one, waiting = self._under_review(connection, submission_id, actor, ordinals)
            _review(connection, waiting, "accepted", actor, reason)
            audit.append_many(
                connection,
                actor,
                [_review_entry("explanation.accepted", each, "accepted", reason) for each in waiting],
            )
            if one.status is Verdict.QUERIES and not _open_ordinals(connection, submission_id):
                why = reason or f"说明已采纳（{len(waiting)} 项） / explanations taken ({len(waiting)})"
                decide(connection, one, DecisionKind.CONFIRMED, Verdict.ACCEPTED, actor, why)
                note_status(connection, actor, "submission.confirmed", one, Verdict.ACCEPTED.value, why)
            return submission_in(connection, one.submission_id)

    def refuse(
        self, submission_id: str, reason: str, actor: Actor, *, ordinals: Iterable[int] | None = None
    ) -> Submission:
        """A reviewer does not take explanations: their queries are open again, and answer no later query.

        Never whoever filed the submission, nor whoever gave one of the explanations; only in the current version or
        the one in force. Raises CannotExplain, NotAllowed, UnknownSubmission.
        """
        reason = _review_reason(reason)
        with writing(self._engine) as connection:
            one, waiting = self._under_review(connection, submission_id, actor, ordinals)
            _review(connection, waiting, "refused", actor, reason)
            audit.append_many(
                connection,
                actor,
                [_review_entry("explanation.refused", each, "refused", reason) for each in waiting],
            )
            if one.status is Verdict.ACCEPTED and _open_ordinals(connection, submission_id):
                decide(connection, one, DecisionKind.REFUSED, Verdict.QUERIES, actor, reason)
                note_status(connection, actor, "submission.queried_again", one, Verdict.QUERIES.value, reason)
            return submission_in(connection, one.submission_id)

    @staticmethod
    def _under_review(
        connection: Connection, submission_id: str, actor: Actor, ordinals: Iterable[int] | None
    ) -> tuple[Submission, list[Explanation]]:
        take_the_pen(connection)
        one = submission_in(connection, submission_id)
        expect_reviewer(connection, one, actor)
        expect_current(connection, one, CannotExplain, or_in_force=True)
        _expect_not_sent_back(one)
        expect_not_the_filer(connection, one, actor)
        wanted = None if ordinals is None else set(ordinals)
        column = t.explanation.c
        waiting = [
            _explanation_of(row)
            for row in connection.execute(
                select(t.explanation)
                .where(column.submission_id == submission_id, column.state.in_(_STANDING))
                .order_by(column.ordinal)
            )
        ]
        # What was taken already may still be refused by name; "all" means what waits.
        chosen = [
            each for each in waiting if (each.state == "given" if wanted is None else each.ordinal in wanted)
        ]
        if not chosen or (wanted is not None and wanted != {each.ordinal for each in chosen}):
            raise CannotExplain(
                Wording(
                    f"{submission_id} 没有这样的待审说明；可能已被他人处理。",
                    f"{submission_id} has no such explanation to review; somebody else may have dealt with it.",
                )
            )
        # A reviewer may take back what was the own word.
        given = [each for each in chosen if each.origin is not Origin.REVIEW]
        if any(is_same_person(actor.name, each.given_by) for each in given):
            raise CannotExplain(
                Wording(
                    "说明由您本人填写，须由另一人审核。",
                    "You gave this explanation; another person has to review it.",
                )
            )
        return one, chosen


# -- for the ledger's other parts -----------------------------------------------------------------------------


def queries_in(connection: Connection, submission_ids: Iterable[str]) -> dict[str, list[Query]]:
    """Findings of submissions in their order, with the last explanation of each."""
    found: dict[str, list[Query]] = {}
    for chunk in chunks(submission_ids):
        last: dict[tuple[str, int], Explanation] = {}
        for row in connection.execute(
            select(t.explanation)
            .where(t.explanation.c.submission_id.in_(chunk))
            .order_by(t.explanation.c.explanation_id)
        ):
            last[row.submission_id, row.ordinal] = _explanation_of(row)
        column = t.submission.c
        rows = connection.execute(
            select(t.finding, column.month_start_date, column.enterprise_code, column.department)
            .join(t.submission, column.submission_id == t.finding.c.submission_id)
            .where(t.finding.c.submission_id.in_(chunk))
            .order_by(t.finding.c.submission_id, t.finding.c.ordinal)
        ).all()
        _, doubts = standing_and_doubts(connection, {_filed_for(row) for row in rows})
        for row in rows:
            finding = finding_of(row)
            explanation = last.get((row.submission_id, row.ordinal))
            is_in_doubt = (
                row.month_start_date is not None
                and finding.severity is not Severity.CRITICAL
                and _identity_of(row, row.month_start_date, finding) in doubts
            )
            found.setdefault(row.submission_id, []).append(
                Query(
                    row.ordinal,
                    finding,
                    explanation,
                    _is_open(finding, explanation, is_in_doubt),
                    is_in_doubt,
                )
            )
    return found


def standing_and_doubts(
    connection: Connection, filed_for: Iterable[str]
) -> tuple[list[Explanation], dict[Identity, Doubt]]:
    """Explanations that stand, in the order in which they were given, and the queries of which a reviewer decides.

    Nothing is cleaned up when a return is sent back, or when that is taken back: all of it follows from what was
    recorded and from which returns are sent back now.
    """
    given: list[tuple[Explanation, int]] = []  # with the sequence of its submission; of no return sent back
    doubts: defaultdict[Identity, Doubt] = defaultdict(Doubt)
    column, submission = t.explanation.c, t.submission.c
    for chunk in chunks(sorted(set(filed_for))):
        for row in connection.execute(
            select(t.explanation, submission.sequence, submission.is_returned)
            .join(t.submission, submission.submission_id == column.submission_id)
            .where(column.filed_for.in_(chunk), column.state != "replaced")
            .order_by(column.explanation_id)
        ):
            values = dict(row._mapping)
            sequence, is_returned = values.pop("sequence"), values.pop("is_returned")
            one = Explanation(**values | {"origin": Origin(values["origin"])})
            if one.state == "refused":
                doubt = doubts[one.identity]
                doubt.last_refused_id = one.explanation_id
                doubt.refused.append((one.reason, one.review_reason))
            if is_returned:
                _sent_back_with(doubts[one.identity], sequence)
            elif one.is_standing:
                given.append((one, sequence))
        # What an earlier explanation answered, and was sent back all the same, has no explanation of its own.
        for row in connection.execute(
            select(
                t.finding,
                submission.sequence,
                submission.month_start_date,
                submission.enterprise_code,
                submission.department,
            )
            .join(t.submission, submission.submission_id == t.finding.c.submission_id)
            .where(
                # Both by the index on the code.
                or_(
                    submission.enterprise_code.in_(chunk),
                    and_(submission.enterprise_code == "", submission.department.in_(chunk)),
                ),
                submission.is_returned,
                submission.month_start_date.is_not(None),
                t.finding.c.explanation_origin == "earlier",
            )
        ):
            finding = finding_of(row)
            filed_for_whom = row.enterprise_code or row.department
            identity = (filed_for_whom, row.month_start_date, finding.rule, finding.key, finding.sameness)
            _sent_back_with(doubts[identity], row.sequence)
    standing = []
    for one, sequence in given:
        own = doubts.get(one.identity)
        if own is None or (
            one.explanation_id > own.last_refused_id and sequence > own.last_returned_sequence
        ):
            standing.append(one)
            if one.is_reviewed:
                doubts.pop(one.identity, None)  # a reviewer has been convinced since
    return sorted(standing, key=lambda one: one.explanation_id), dict(doubts)


def _sent_back_with(doubt: Doubt, sequence: int) -> None:
    doubt.last_returned_sequence = max(doubt.last_returned_sequence, sequence)


_TOLD_IN_THE_FILE = (Origin.REMARK.value, Origin.WORKBOOK.value)


def record_told(connection: Connection, fresh: Sequence[NewSubmission]) -> None:
    """Keep the explanations that came with files, in their rows or in their 审核意见, and those that go on to answer.

    Where an explanation of an earlier version that nobody has reviewed answers the same query, it is kept with the new
    version too: else a return filed once more would be accepted unseen. Raises LedgerConflict where an explanation on
    which a file was judged has been refused, or sent back, since.
    """
    explained = [
        (new, ordinal, finding, _identity_of(new, month.start_date, finding))
        for new in fresh
        if (month := new.counted_month) is not None
        for ordinal, finding in enumerate(new.findings, start=1)
        if finding.explanation_origin
    ]
    insert_many(
        connection,
        t.explanation,
        [
            _row_told(new, ordinal, finding, identity)
            for new, ordinal, finding, identity in explained
            if finding.explanation_origin in _TOLD_IN_THE_FILE
        ],
    )
    explained = [one for one in explained if one[2].severity is Severity.INFO]
    if not explained:
        return
    standing, doubts = standing_and_doubts(connection, {identity[0] for *_, identity in explained})
    reviewed = {(one.filed_for, *one.identity[2:]) for one in standing if one.is_reviewed}
    own = {one.identity: one for one in standing}  # the last of each
    copies = []
    for new, ordinal, finding, identity in explained:
        same = own.get(identity)
        is_answered = same is not None or (identity[0], *identity[2:]) in reviewed
        if identity in doubts or not is_answered:
            raise LedgerConflict(f"{new.submission_id}: an explanation was refused while the file was judged")
        if finding.explanation_origin not in _TOLD_IN_THE_FILE and same is not None and not same.is_reviewed:
            copies.append(
                _row_told(new, ordinal, finding, identity)
                | {
                    "reason": same.reason,
                    "given_by": same.given_by,
                    "given_at": same.given_at,
                    "origin": same.origin.value,
                }
            )
    insert_many(connection, t.explanation, copies)


def _row_told(new: NewSubmission, ordinal: int, finding: Finding, identity: Identity) -> dict[str, Any]:
    filed_for, month_start_date, rule, business_key, fingerprint = identity
    return {
        "submission_id": new.submission_id,
        "ordinal": ordinal,
        "filed_for": filed_for,
        "month_start_date": month_start_date,
        "rule": rule,
        "business_key": business_key,
        "fingerprint": fingerprint,
        "reason": storable_text(finding.explanation),
        "given_by": storable_text(new.filing.actor.name),
        "given_at": new.filing.received_at,
        "origin": finding.explanation_origin,
        "state": "given",
        "reviewed_by": "",
        "review_reason": "",
    }


def keep_confirmation(connection: Connection, one: Submission, reason: str, actor: Actor) -> None:
    """A reviewer confirms a return: explanations that wait are taken, and the reason answers the queries left open.

    It is then shown, and answers the same query later, as an explanation does.
    """
    now, column = datetime.now(UTC), t.explanation.c
    open_queries = [
        query
        for query in queries_in(connection, [one.submission_id]).get(one.submission_id, [])
        if query.is_open and not (query.explanation is not None and query.explanation.is_standing)
    ]
    connection.execute(
        update(t.explanation)
        .where(column.submission_id == one.submission_id, column.state == "given")
        .values(state="accepted", reviewed_by=actor.name, reviewed_at=now, review_reason=reason)
    )
    if one.month_start_date is not None:
        insert_many(
            connection,
            t.explanation,
            [
                _new_row(one, query.ordinal, query.finding, reason, actor.name, Origin.REVIEW)
                | {"given_at": now, "state": "accepted", "reviewed_by": actor.name, "reviewed_at": now}
                for query in open_queries
            ],
        )


def _is_open(finding: Finding, explanation: Explanation | None, is_in_doubt: bool) -> bool:
    """Whether it holds the return up: a warning without explanation, or one whose explanation was not taken."""
    if explanation is None:
        return finding.severity is Severity.WARNING
    return not explanation.is_standing or (is_in_doubt and not explanation.is_reviewed)


def _open_ordinals(connection: Connection, submission_id: str) -> list[int]:
    found = queries_in(connection, [submission_id]).get(submission_id, [])
    return [query.ordinal for query in found if query.is_open]


def _filed_for(one: Submission | NewSubmission | Row[Any]) -> str:
    """The enterprise's code or the department, of a submission or of a row that has both."""
    return storable_text(one.enterprise_code or one.department)[:64]


def _identity_of(
    one: Submission | NewSubmission | Row[Any], month_start_date: date, finding: Finding
) -> Identity:
    return (
        _filed_for(one),
        month_start_date,
        finding.rule,
        storable_text(finding.key),
        storable_text(finding.sameness),
    )


def _expect_not_own_filing(connection: Connection, one: Submission, actor: Actor) -> None:
    """Nobody accepts the own filing, and an explanation may accept: whoever files for an enterprise does not explain."""
    is_staff = actor.has(Role.CLERK, Role.ANALYST, Role.DISTRICT_REVIEWER)
    if is_staff and filed_by_same_person(connection, one, actor):
        raise CannotExplain(
            Wording(
                f"{one.submission_id} 由您本人（{actor.name}）代为报送，说明须由填报单位或另一位工作人员填写。",
                f"You ({actor.name}) filed {one.submission_id} for the enterprise; the explanation has to come from the "
                "enterprise or from another member of staff.",
            )
        )


def _expect_other_words(reason: str, doubt: Doubt, ordinal: int) -> None:
    said = doubt.refusal_of(reason)
    if said is not None:
        raise CannotExplain(
            Wording(
                f"第 {ordinal} 条：这一说明此前未被采纳（审核意见：{said}）。请补充新的情况，或更正后重新报送。",
                f"Finding {ordinal}: this explanation was not taken before (the reviewer says: {said}). Please add what "
                "was missing, or correct the figure and file again.",
            )
        )


def _expect_not_sent_back(one: Submission) -> None:
    if one.is_returned:
        raise CannotExplain(
            Wording(
                f"{one.submission_id} 已退回，其说明不再有效，无需审核。",
                f"{one.submission_id} was sent back; its explanations do not stand and need no review.",
            )
        )


def _expect_explainable(one: Submission) -> date:
    """The month in which the submission is counted. Raises CannotExplain where it takes no explanation."""
    if one.is_returned:
        raise CannotExplain(
            Wording(
                f"{one.submission_id} 已退回，请更正后重新报送；说明请写入新报表。",
                f"{one.submission_id} was sent back; please correct it and file again, with explanations in the new file.",
            )
        )
    if one.status is Verdict.UNREADABLE:
        raise CannotExplain(
            Wording(
                f"{one.submission_id} 未能读取，无从说明；请重新报送。",
                f"{one.submission_id} could not be read, so there is nothing to explain; please file it again.",
            )
        )
    if one.month_start_date is None:
        raise CannotExplain(
            Wording(
                f"{one.submission_id} 的报告期无法识别，请更正后重新报送。",
                f"The period of {one.submission_id} is not known; please correct it and file again.",
            )
        )
    return one.month_start_date


def _reason_of(text: str, query: Query | None, ordinal: int) -> str:
    if query is None:
        raise CannotExplain(
            Wording(f"没有第 {ordinal} 条审核意见。", f"There is no finding number {ordinal}.")
        )
    rule = query.finding.rule
    if query.finding.severity is Severity.CRITICAL:
        raise CannotExplain(
            Wording(
                f"第 {ordinal} 条〔{rule}〕是必须更正的错误，不能以说明代替；请更正后重新报送。",
                f"Finding {ordinal} [{rule}] is an error that must be corrected and cannot be explained; please correct "
                "it and file again.",
            )
        )
    if not query.can_be_explained:
        raise CannotExplain(
            Wording(
                f"第 {ordinal} 条〔{rule}〕无需说明。", f"Finding {ordinal} [{rule}] asks for no explanation."
            )
        )
    reason = storable_text(text).strip()
    if not MIN_REASON_LENGTH <= len(reason) <= MAX_REASON_LENGTH:
        raise CannotExplain(
            Wording(
                f"第 {ordinal} 条〔{rule}〕：请用 {MIN_REASON_LENGTH} 至 {MAX_REASON_LENGTH} 个字说明原因（现为 {len(reason)} 个字）。",
                f"Finding {ordinal} [{rule}]: please explain in {MIN_REASON_LENGTH} to {MAX_REASON_LENGTH} characters "
                f"(you wrote {len(reason)}).",
            )
        )
    return reason


def _review_reason(text: str) -> str:
    reason = storable_text(text).strip()
    if not MIN_REASON_LENGTH <= len(reason) <= MAX_REASON_LENGTH:
        raise CannotExplain(
            Wording(
                f"请写明不采纳的理由（{MIN_REASON_LENGTH} 至 {MAX_REASON_LENGTH} 个字），填报单位会首先看到。",
                f"Say why it is not taken, in {MIN_REASON_LENGTH} to {MAX_REASON_LENGTH} characters; the enterprise "
                "sees it first.",
            )
        )
    return reason


def _new_row(
    one: Submission, ordinal: int, finding: Finding, reason: str, given_by: str, origin: Origin
) -> dict[str, Any]:
    return {
        "submission_id": one.submission_id,
        "ordinal": ordinal,
        "filed_for": _filed_for(one),
        "month_start_date": one.month_start_date,
        "rule": finding.rule,
        "business_key": finding.key,
        "fingerprint": finding.sameness,
        "reason": reason,
        "given_by": given_by,
        "origin": origin.value,
        "state": "given",
        "reviewed_by": "",
        "review_reason": "",
    }


def _review(
    connection: Connection, waiting: list[Explanation], state: str, actor: Actor, reason: str
) -> None:
    connection.execute(
        update(t.explanation)
        .where(t.explanation.c.explanation_id.in_([each.explanation_id for each in waiting]))
        .values(state=state, reviewed_by=actor.name, reviewed_at=datetime.now(UTC), review_reason=reason)
    )


def _review_entry(action: str, each: Explanation, state: str, reason: str) -> audit.NewEntry:
    return audit.NewEntry(
        action,
        "submission",
        each.submission_id,
        old={"finding": each.ordinal, "rule": each.rule, "given_by": each.given_by, "state": each.state},
        new={"state": state},
        reason=reason,
    )


def _explanation_of(row: Row[Any]) -> Explanation:
    values = dict(row._mapping)
    values["origin"] = Origin(values["origin"])
    return Explanation(**values)
