"""What all decisions about a submission share: who may decide, and how a decision is written down.

Which decisions there are is in `reviews` and `explanations`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Row,
    and_,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from pipelines.findings import Finding, Severity, Verdict, Wording
from pipelines.ledger import audit
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, NotAllowed, Role, is_same_person
from pipelines.ledger.register import district_in, district_of, this_month
from pipelines.ledger.shapes import (
    CannotAct,
    CannotConfirm,
    CannotExplain,
    DecisionKind,
    Submission,
    UnknownSubmission,
)
from pipelines.ledger.standing import closings, is_latest_accepted, submissions_where
from pipelines.periods import period_name
from pipelines.records import FileKind


def submission_in(connection: Connection, submission_id: str) -> Submission:
    """A submission by its id. Raises UnknownSubmission."""
    found = submissions_where(connection, t.submission.c.submission_id == submission_id)
    if not found:
        raise UnknownSubmission(submission_id)
    return found[0]


def seen_submissions(actor: Actor) -> ColumnElement[bool]:
    """The condition on `submission` that an actor may see it: the many's side of `expect_seen`.

    A return belongs to the district in which its enterprise is in the month of the return; one for January and
    February, of an enterprise that moved between them, is seen in both.
    """
    if actor.sees_all_enterprises:
        return true()
    column = t.submission.c
    theirs: ColumnElement[bool] = false()
    if Role.DISTRICT_REVIEWER in actor.roles and actor.district_codes:
        districts, spell = sorted(actor.district_codes), t.enterprise_spell.c
        month = func.coalesce(column.month_start_date, literal(this_month(), Date))
        theirs = and_(
            # Whoever never was in the district is left out first: through an index.
            column.enterprise_code.in_(
                select(spell.enterprise_code).where(spell.district_code.in_(districts))
            ),
            or_(
                district_in(column.enterprise_code, month).in_(districts),
                and_(
                    column.period_kind == "months_1_2",
                    district_in(column.enterprise_code, column.period_start_date).in_(districts),
                ),
            ),
        )
    # A return may stand under a code that the register does not have; its reporter sees it all the same.
    spoken_for = sorted(actor.enterprise_codes) if Role.REPORTER in actor.roles else []
    own = column.enterprise_code.in_(spoken_for)
    # A file of which nobody can say whose it is: whoever handed it in must learn why it was refused.
    handed_in = and_(
        column.enterprise_code == "",
        column.kind != FileKind.DEPARTMENT.value,
        column.submission_id.in_(
            select(t.filing.c.submission_id).where(t.filing.c.received_by == actor.name)
        ),
    )
    return or_(and_(column.kind == FileKind.RETURN.value, or_(theirs, own)), handed_in)


def expect_seen(connection: Connection, one: Submission, actor: Actor) -> None:
    """Raises UnknownSubmission where the actor may not see it: whether there is one is not told."""
    if actor.sees_all_enterprises:
        return
    if one.kind is FileKind.RETURN and one.enterprise_code:
        months = {one.month_start_date}
        if one.period_kind == "months_1_2":
            months.add(one.period_start_date)
        if any(
            actor.may_see(one.enterprise_code, district_of(connection, one.enterprise_code, month))
            for month in months
        ):
            return
    elif (
        one.kind is not FileKind.DEPARTMENT
        and connection.execute(
            select(t.filing.c.filing_id)
            .where(t.filing.c.submission_id == one.submission_id, t.filing.c.received_by == actor.name)
            .limit(1)
        ).first()
    ):
        return
    raise UnknownSubmission(one.submission_id)


def as_told_to(connection: Connection, found: Iterable[Submission], actor: Actor) -> list[Submission]:
    """Submissions as this actor may know of them.

    Of a file of which nobody can say whose it is, a person knows the own arrival: that somebody else sent the same
    bytes before, when, and under which name, is not told.
    """
    listed = list(found)
    if actor.sees_all_enterprises:
        return listed
    of_nobody = [
        one.submission_id
        for one in listed
        if one.enterprise_code == "" and one.kind is not FileKind.DEPARTMENT
    ]
    own: dict[str, Row[Any]] = {}
    if of_nobody:
        for row in connection.execute(
            select(t.filing)
            .where(t.filing.c.submission_id.in_(of_nobody), t.filing.c.received_by == actor.name)
            .order_by(t.filing.c.received_at.desc(), t.filing.c.filing_id.desc())
        ):
            own[row.submission_id] = row  # the first arrival is the last to be put here
    return [
        one
        if (arrival := own.get(one.submission_id)) is None
        else replace(
            one,
            file_name=arrival.file_name,
            received_at=arrival.received_at,
            received_by=arrival.received_by,
            channel=arrival.channel,
        )
        for one in listed
    ]


def expect_reviewer(connection: Connection, one: Submission, actor: Actor) -> None:
    """Raises UnknownSubmission where the actor may not see it, NotAllowed where it may not be reviewed."""
    expect_seen(connection, one, actor)
    is_allowed = (
        actor.may_review(
            one.enterprise_code, district_of(connection, one.enterprise_code, one.month_start_date)
        )
        if one.kind is FileKind.RETURN
        else actor.sees_all_enterprises
    )
    if not is_allowed:
        raise NotAllowed(
            Wording("核实、退回由商务部门审核人员办理。", "Returns are confirmed and sent back by reviewers.")
        )


def filed_by_same_person(connection: Connection, one: Submission, actor: Actor) -> bool:
    """Whether the actor handed in the file, at any of its arrivals."""
    filers = connection.execute(
        select(t.filing.c.received_by).where(t.filing.c.submission_id == one.submission_id).distinct()
    ).scalars()
    return any(is_same_person(actor.name, filer) for filer in filers)


def expect_not_the_filer(connection: Connection, one: Submission, actor: Actor) -> None:
    """Raises CannotConfirm where the actor handed in the file, at any of its arrivals."""
    if filed_by_same_person(connection, one, actor):
        raise CannotConfirm(
            Wording(
                f"{one.submission_id} 由您本人（{actor.name}）报送，须由另一人审核。",
                f"You ({actor.name}) filed {one.submission_id} yourself; another person has to review it.",
            )
        )


def expect_current(
    connection: Connection, one: Submission, refusal: type[CannotAct], *, or_in_force: bool = False
) -> None:
    """Raises the refusal, naming the newer version, where a version has been replaced.

    `or_in_force`: one that is still in force may be acted on too, while what came after it was not accepted.
    """
    if one.series_key is None or one.is_current or (or_in_force and one.is_latest_accepted):
        return
    column = t.submission.c
    newer = connection.execute(
        select(column.submission_id, column.version)
        .where(column.series_key == one.series_key)
        .order_by(column.version.desc())
        .limit(1)
    ).one()
    raise refusal(
        Wording(
            f"{one.submission_id}（第 {one.version} 版）已被第 {newer.version} 版（{newer.submission_id}）替代，"
            "请在新版本上办理。",
            f"{one.submission_id} (version {one.version}) has been replaced by version {newer.version} "
            f"({newer.submission_id}); please act on that one.",
        )
    )


def note_status(
    connection: Connection, actor: Actor, action: str, one: Submission, state: str, reason: str
) -> None:
    """Write into the audit log that the standing of a submission changed: from what, to what, and why."""
    audit.append(
        connection,
        actor,
        action,
        "submission",
        one.submission_id,
        old={"state": "returned" if one.is_returned else one.status.value},
        new={"state": state, "enterprise_code": one.enterprise_code, "period": one.period},
        reason=reason,
    )


def decide(
    connection: Connection,
    one: Submission,
    kind: DecisionKind,
    status: Verdict,
    actor: Actor,
    reason: str,
) -> int:
    """Give a submission another status and write the decision down; the decision's number. The pen is held.

    Raises CannotConfirm (of an explanation CannotExplain) where that would put January or February in force twice.
    """
    if status is Verdict.ACCEPTED:
        _expect_months_free(connection, one, kind)
    is_returned = kind is DecisionKind.RETURNED
    connection.execute(
        update(t.submission)
        .where(t.submission.c.submission_id == one.submission_id)
        .values(status=status.value, is_returned=is_returned)
    )
    decision_id: int = connection.execute(
        insert(t.decision)
        .values(
            submission_id=one.submission_id,
            decision_kind=kind.value,
            reason=reason,
            decided_by=actor.name,
            decided_at=datetime.now(UTC),
            status_before=one.status.value,
            status_after=status.value,
            is_after_closing=bool(closings(connection).of(one.period_start_date, one.month_start_date)),
        )
        .returning(t.decision.c.decision_id)
    ).scalar_one()
    return decision_id


def _expect_months_free(connection: Connection, one: Submission, kind: DecisionKind) -> None:
    """A return of January and February as one, and one of either alone, are not both in force: as rule H7e at the door.

    What has been in force beside the other already is no reason to refuse its correction.
    """
    if one.kind is not FileKind.RETURN or one.series_key is None or one.period_start_date is None:
        return
    column = t.submission.c
    if one.period_kind == "months_1_2":
        beside = and_(
            column.period_kind == "month",
            column.month_start_date.between(one.period_start_date, one.month_start_date),
        )
    elif one.period_kind == "month":
        beside = and_(
            column.period_kind == "months_1_2",
            column.period_start_date <= one.period_start_date,
            column.month_start_date >= one.period_start_date,
        )
    else:
        return
    others = submissions_where(
        connection,
        and_(
            column.kind == FileKind.RETURN.value,
            column.enterprise_code == one.enterprise_code,
            beside,
            is_latest_accepted,
        ),
    )
    if not others or (
        connection.execute(
            select(column.submission_id).where(column.series_key == one.series_key, is_latest_accepted)
        ).first()
        is not None
    ):
        return
    own_zh, own_en = (period_name(one.period, language) for language in ("zh", "en"))
    others_zh = "、".join(f"{other.submission_id}（{period_name(other.period, 'zh')}）" for other in others)
    others_en = ", ".join(f"{other.submission_id} ({period_name(other.period, 'en')})" for other in others)
    told_zh = f"{one.submission_id}（{own_zh}）与已通过的 {others_zh} 月份重叠，同时有效会重复计算。"
    told_en = (
        f"{one.submission_id} ({own_en}) speaks of months for which {others_en} is accepted already; both in force "
        "would count them twice. "
    )
    match kind:
        case DecisionKind.EXPLAINED:
            raise CannotExplain(
                Wording(
                    f"{told_zh}如以本份为准，请先联系审核人员将 {others_zh} 退回，再填写说明；如以已通过的为准，本份无需说明。",
                    f"{told_en}If this one is right, first ask a reviewer to send {others_en} back, then explain; if the "
                    "accepted one is right, this one needs no explanation.",
                )
            )
        case DecisionKind.RETURN_WITHDRAWN:
            raise CannotConfirm(
                Wording(
                    f"{told_zh}如以本份为准，请先将 {others_zh} 退回，再撤销本份的退回；如以已通过的为准，请保留本份的退回。",
                    f"{told_en}If this one is right, first send {others_en} back, then take the sending back of this one "
                    "back; if the accepted one is right, leave this one sent back.",
                )
            )
    raise CannotConfirm(
        Wording(
            f"{told_zh}如以本份为准，请先将 {others_zh} 退回，再办理本份；如以已通过的为准，请将本份退回。",
            f"{told_en}If this one is right, first send {others_en} back, then decide about this one; if the accepted "
            "one is right, send this one back.",
        )
    )


def finding_of(row: Row[Any]) -> Finding:
    """A finding as it was told."""
    return Finding(
        rule=row.rule,
        severity=Severity(row.severity),
        message=Wording(row.message_zh, row.message_en),
        form_code=row.form_code,
        sheet=row.sheet,
        cell=row.cell,
        key=row.business_key,
        given=row.given,
        expected=row.expected,
        fingerprint=row.fingerprint,
        explanation=row.explanation,
        explanation_origin=row.explanation_origin,
        explained_period=row.explained_period,
    )
