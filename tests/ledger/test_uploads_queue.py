"""The queue of uploads, on both databases: order, attempts, what is shown, what is audited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.findings import Verdict, Wording
from pipelines.ledger import Ledger
from pipelines.ledger import uploads as queue
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.audit import AuditFilter
from pipelines.ledger.uploads import NewUpload, NewUploadFile, Outcome, UnknownUpload, WaitingFile

NOW = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)
CLERK = Actor("统计员", frozenset({Role.CLERK}), account_id=7, address="10.0.0.5")
REPORTER = Actor("填报员", frozenset({Role.REPORTER}), frozenset({"91A"}))
AUDITOR = Actor("审计员", frozenset({Role.AUDIT_ADMIN}))


def hand_in(ledger: Ledger, upload_id: str, names: list[str], actor: Actor = CLERK, minute: int = 0) -> None:
    moment = NOW + timedelta(minutes=minute)
    files = tuple(
        NewUploadFile(name, name, "", f"{number:064x}", 10, moment) for number, name in enumerate(names)
    )
    ledger.uploads.add(NewUpload(upload_id, moment, "portal", "zh", 10 * len(names), files, ("~$a",)), actor)


def take(ledger: Ledger, *, is_large: bool = False) -> list[WaitingFile]:
    return ledger.uploads.take(most=5, is_large=is_large, large_from=4, alone_from=2)


def done(one: WaitingFile, verdict: Verdict = Verdict.REJECTED, attention: int = queue.REJECTED) -> Outcome:
    return Outcome(one.upload_id, one.ordinal, attention, verdict)


def test_small_uploads_come_together_in_their_order_and_large_ones_alone(ledger: Ledger) -> None:
    hand_in(ledger, "b", ["b1", "b2"], minute=1)
    hand_in(ledger, "large", ["l1", "l2", "l3", "l4"], minute=0)
    hand_in(ledger, "a", ["a1"], minute=0)
    hand_in(ledger, "large-2", ["m1", "m2", "m3", "m4"], minute=2)
    assert [one.original_name for one in take(ledger)] == ["a1", "b1", "b2"]
    assert take(ledger) == []
    assert [one.original_name for one in take(ledger, is_large=True)] == ["l1", "l2", "l3", "l4"]
    assert [one.original_name for one in take(ledger, is_large=True)] == ["m1", "m2", "m3", "m4"]
    assert ledger.uploads.open_count() == 11
    assert ledger.uploads.give_back() == 11
    assert len(take(ledger)) == 3


def test_who_handed_in_comes_back_with_the_file_and_with_the_rights_of_now(ledger: Ledger) -> None:
    operator = Actor.operator("root")
    ledger.accounts.create(operator, "li", "李")
    account = ledger.accounts.grant(operator, "li", Role.CLERK)
    clerk = replace(CLERK, name="li", account_id=account.account_id)
    nobody = replace(CLERK, account_id=999)
    hand_in(ledger, "a", ["a1"], REPORTER)
    hand_in(ledger, "b", ["b1"], clerk, minute=1)
    hand_in(ledger, "c", ["c1"], nobody, minute=2)
    assert [one.filer for one in take(ledger)] == [REPORTER, clerk, replace(nobody, roles=frozenset())]
    ledger.uploads.give_back(is_counted=False)
    ledger.accounts.grant(operator, "li", Role.ANALYST)
    ledger.accounts.revoke(operator, "li", Role.CLERK, reason="岗位调整了")
    assert take(ledger)[1].filer.roles == {Role.ANALYST}
    ledger.uploads.give_back(is_counted=False)
    ledger.accounts.lock(operator, "li", reason="离岗停用账号")
    assert not take(ledger)[1].filer.may_file


def test_a_file_that_was_tried_twice_comes_alone_and_others_before_it(ledger: Ledger) -> None:
    hand_in(ledger, "a", ["bad", "good"])
    for attempt in (1, 2):
        taken = take(ledger)
        assert [one.attempt_count for one in taken] == [attempt, attempt]
        ledger.uploads.give_back(taken)
    hand_in(ledger, "b", ["fresh"], minute=1)
    assert [one.original_name for one in take(ledger)] == ["fresh"]
    assert [(one.original_name, one.attempt_count) for one in take(ledger)] == [("bad", 3)]
    assert [one.original_name for one in take(ledger)] == ["good"]


def test_an_attempt_that_was_nobodys_fault_does_not_count(ledger: Ledger) -> None:
    hand_in(ledger, "a", ["a1"])
    for _ in range(4):
        taken = take(ledger)
        assert taken[0].attempt_count == 1
        ledger.uploads.give_back(taken, is_counted=False)


def test_progress_shows_what_needs_a_person_first_and_ends_with_the_last_file(ledger: Ledger) -> None:
    hand_in(ledger, "a", ["1", "2", "3"])
    first, second, third = take(ledger)
    ledger.uploads.tell_read("a", 2)
    assert ledger.uploads.progress("a", CLERK).done_share == pytest.approx(1 / 3)
    ledger.uploads.finish(
        [done(first, Verdict.ACCEPTED, queue.ACCEPTED), done(third, Verdict.QUERIES, queue.QUERIED)],
        refusals={},
    )
    found = ledger.uploads.progress("a", CLERK)
    assert [one.file_name for one in found.files] == ["3", "2", "1"]
    assert (found.done_count, found.is_finished, found.finished_at) == (2, False, None)
    trouble = Wording("不行", "no")
    ledger.uploads.finish(
        [Outcome(second.upload_id, second.ordinal, queue.NOT_TAKEN, None, trouble=trouble)], refusals={}
    )
    found = ledger.uploads.progress("a", CLERK)
    assert [one.file_name for one in found.files] == ["2", "3", "1"]
    assert (found.files[0].state, found.files[0].trouble) == ("failed", trouble)
    assert (found.is_finished, found.failed_count, found.left_out) == (True, 1, ("~$a",))
    assert found.finished_at is not None
    assert found.verdict_counts[Verdict.QUERIES] == 1


def test_uploads_are_listed_newest_first_to_their_maker_and_to_the_bureau(ledger: Ledger) -> None:
    hand_in(ledger, "old", ["1", "2"], REPORTER)
    hand_in(ledger, "new", ["1"], REPORTER, minute=5)
    hand_in(ledger, "clerks", ["1"], CLERK, minute=9)
    ledger.uploads.finish([done(one) for one in take(ledger)[:1]], refusals={})
    mine = ledger.uploads.recent(REPORTER, everybody=True)
    assert [(one.upload_id, one.file_count, one.done_count) for one in mine] == [("new", 1, 0), ("old", 2, 1)]
    assert [one.upload_id for one in ledger.uploads.recent(CLERK)] == ["clerks"]
    everybody = ledger.uploads.recent(CLERK, everybody=True, most=2)
    assert [one.upload_id for one in everybody] == ["clerks", "new"]
    with pytest.raises(UnknownUpload):
        ledger.uploads.progress("clerks", REPORTER)


def test_handing_in_and_a_refusal_are_audited(ledger: Ledger) -> None:
    hand_in(ledger, "a", ["1"], REPORTER)
    [one] = take(ledger)
    ledger.uploads.finish(
        [Outcome("a", 1, queue.UNMATCHED, Verdict.UNREADABLE, rules=("G10",))], refusals={("a", 1): one.filer}
    )
    entries = ledger.audit.entries(AuditFilter(actor="填报员"), reader=AUDITOR).entries
    assert [(entry.action, entry.object_id) for entry in entries] == [
        ("submission.refused", "a/1"),
        ("upload.received", "a"),
    ]
    assert ledger.audit.verify() == []


def test_what_a_person_handed_in_since_a_moment_is_added_up(ledger: Ledger) -> None:
    hand_in(ledger, "a", ["1", "2"], minute=0)
    hand_in(ledger, "b", ["1"], minute=10)
    hand_in(ledger, "c", ["1"], REPORTER, minute=10)
    assert ledger.uploads.bytes_since("统计员", NOW) == 30
    assert ledger.uploads.bytes_since("统计员", NOW + timedelta(minutes=1)) == 10
    assert ledger.uploads.bytes_since("nobody", NOW) == 0
