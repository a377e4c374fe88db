"""Explanations: why a queried figure is right, who said so, and whether a second person took it.

A warning that is explained holds nothing up; when the last one of a return is explained the return is accepted, and it
waits for a reviewer to look at the explanations. One that a reviewer refuses opens the query again. A critical finding
is corrected, never explained. Which later query an explanation answers too is decided in `validation.covers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from pipelines.findings import Finding, Severity, Verdict, Wording
from pipelines.ledger import audit
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, is_same_person
from pipelines.ledger.deciding import (
    decide,
    expect_not_the_filer,
    expect_reviewer,
    expect_seen,
    finding_of,
    submission_in,
)
from pipelines.ledger.engine import reading, writing
from pipelines.ledger.pen import chunks, insert_many, take_the_pen
from pipelines.ledger.shapes import CannotExplain, DecisionKind, NewSubmission, Submission
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
        """Whether it answers its query, and the same query later."""
        return self.state in _STANDING


@dataclass(frozen=True, slots=True)
class Query:
    """A finding as a person sees it: with its explanation, and whether an answer is still wanted.

    `explanation` is the last one given for it, also when it was refused.
    """

    ordinal: int
    finding: Finding
    explanation: Explanation | None
    is_open: bool

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
        """Explanations that stand, of these enterprises and departments, in the order in which they were given."""
        column = t.explanation.c
        found: list[Explanation] = []
        with reading(self._engine) as connection:
            for chunk in chunks(sorted(set(filed_for))):
                rows = connection.execute(
                    select(t.explanation).where(column.filed_for.in_(chunk), column.state.in_(_STANDING))
                )
                found += [_explanation_of(row) for row in rows]
        return sorted(found, key=lambda one: one.explanation_id)

    # -- explaining --------------------------------------------------------------------------------

    def explain(
        self, submission_id: str, reasons: Mapping[int, str], actor: Actor, origin: Origin
    ) -> Submission:
        """Explain queries of a submission, by the numbers of its findings (from 1); all of it or nothing.

        When no query is left open the submission is accepted. Whoever may see the submission may explain it. A later
        explanation replaces one that nobody has reviewed yet. Raises CannotExplain, UnknownSubmission.
        """
        if not reasons:
            raise CannotExplain(Wording("没有收到任何说明。", "No explanation was given."))
        with writing(self._engine) as connection:
            take_the_pen(connection)
            one = submission_in(connection, submission_id)
            expect_seen(connection, one, actor)
            _expect_explainable(one)
            by_ordinal = {
                query.ordinal: query
                for query in queries_in(connection, [submission_id]).get(submission_id, [])
            }
            rows = []
            for ordinal, text in sorted(reasons.items()):
                query = by_ordinal.get(ordinal)
                reason = _reason_of(text, query, ordinal)
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
                decide(
                    connection,
                    one,
                    DecisionKind.EXPLAINED,
                    Verdict.ACCEPTED,
                    actor,
                    f"各项疑问均已说明（{len(rows)} 项） / every query is explained ({len(rows)})",
                )
            return submission_in(connection, submission_id)

    # -- reviewing ---------------------------------------------------------------------------------

    def accept(
        self, submission_id: str, actor: Actor, *, ordinals: Iterable[int] | None = None, reason: str = ""
    ) -> Submission:
        """A reviewer takes explanations (all that wait, or those of these findings). See `refuse` for who may."""
        with writing(self._engine) as connection:
            one, waiting = self._under_review(connection, submission_id, actor, ordinals)
            _review(connection, waiting, "accepted", actor, storable_text(reason).strip()[:MAX_REASON_LENGTH])
            audit.append_many(
                connection,
                actor,
                [_review_entry("explanation.accepted", each, reason) for each in waiting],
            )
            return submission_in(connection, one.submission_id)

    def refuse(
        self, submission_id: str, reason: str, actor: Actor, *, ordinals: Iterable[int] | None = None
    ) -> Submission:
        """A reviewer does not take explanations: their queries are open again, and answer no later query.

        Never whoever filed the submission, nor whoever gave one of the explanations. Raises CannotExplain,
        NotAllowed, UnknownSubmission.
        """
        reason = _review_reason(reason)
        with writing(self._engine) as connection:
            one, waiting = self._under_review(connection, submission_id, actor, ordinals)
            _review(connection, waiting, "refused", actor, reason)
            audit.append_many(
                connection,
                actor,
                [_review_entry("explanation.refused", each, reason) for each in waiting],
            )
            if one.status is Verdict.ACCEPTED and _open_ordinals(connection, submission_id):
                decide(connection, one, DecisionKind.REFUSED, Verdict.QUERIES, actor, reason)
            return submission_in(connection, one.submission_id)

    @staticmethod
    def _under_review(
        connection: Connection, submission_id: str, actor: Actor, ordinals: Iterable[int] | None
    ) -> tuple[Submission, list[Explanation]]:
        take_the_pen(connection)
        one = submission_in(connection, submission_id)
        expect_reviewer(connection, one, actor)
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
        for row in connection.execute(
            select(t.finding)
            .where(t.finding.c.submission_id.in_(chunk))
            .order_by(t.finding.c.submission_id, t.finding.c.ordinal)
        ):
            finding = finding_of(row)
            explanation = last.get((row.submission_id, row.ordinal))
            found.setdefault(row.submission_id, []).append(
                Query(row.ordinal, finding, explanation, _is_open(finding, explanation))
            )
    return found


def rows_of_new(new: NewSubmission, received_at: datetime, given_by: str) -> Iterable[dict[str, Any]]:
    """Explanations that came with a file, in its rows or in its 审核意见, as rows to record."""
    month = new.counted_month
    if month is None:
        return
    for ordinal, finding in enumerate(new.findings, start=1):
        if finding.explanation_origin in (Origin.REMARK.value, Origin.WORKBOOK.value):
            yield {
                "submission_id": new.submission_id,
                "ordinal": ordinal,
                "filed_for": storable_text(new.enterprise_code or new.department)[:64],
                "month_start_date": month.start_date,
                "rule": finding.rule,
                "business_key": storable_text(finding.key),
                "fingerprint": storable_text(finding.sameness),
                "reason": storable_text(finding.explanation),
                "given_by": storable_text(given_by),
                "given_at": received_at,
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
        if query.is_open
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


def _is_open(finding: Finding, explanation: Explanation | None) -> bool:
    """Whether an answer is wanted: a warning without explanation, or one whose explanation was refused."""
    if explanation is not None:
        return not explanation.is_standing
    return finding.severity is Severity.WARNING


def _open_ordinals(connection: Connection, submission_id: str) -> list[int]:
    found = queries_in(connection, [submission_id]).get(submission_id, [])
    return [query.ordinal for query in found if query.is_open]


def _expect_explainable(one: Submission) -> None:
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
        "filed_for": one.enterprise_code or one.department[:64],
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


def _review_entry(action: str, each: Explanation, reason: str) -> audit.NewEntry:
    return audit.NewEntry(
        action,
        "submission",
        each.submission_id,
        old={"finding": each.ordinal, "rule": each.rule, "given_by": each.given_by, "state": each.state},
        reason=reason,
    )


def _explanation_of(row: Row[Any]) -> Explanation:
    values = dict(row._mapping)
    values["origin"] = Origin(values["origin"])
    return Explanation(**values)
