"""The same bytes once more: judged anew where that may change something, and one more arrival where it does not."""

from __future__ import annotations

from datetime import datetime

import pytest
from filed_by_hand import Line, a_file, a_workbook, credit_code

from pipelines.cli.commands.rebuild import read_originals_again
from pipelines.cli.terminal import Terminal
from pipelines.findings import Verdict
from pipelines.ledger import SHANGHAI, Ledger, RegisterRow, Submission
from pipelines.ledger.actors import Actor, Role
from pipelines.periods import Month
from pipelines.reception import FileResult, IncomingFile, Reception
from pipelines.settings import Settings

NEW = 77  # an enterprise that nobody registered
REVIEWER = Actor("wang", frozenset({Role.CLERK}))


def a_return(
    amount: float,
    month: str = "2020-01",
    ytd: float | None = None,
    number: int = 1,
    *,
    revision: bool = False,
) -> bytes:
    line = Line(export=amount, export_ytd=amount if ytd is None else ytd)
    return a_workbook(credit_code(number), month, [line], is_revision=revision)


def at(content: bytes, day: int, name: str = "表.xlsx") -> IncomingFile:
    return a_file(name, content, f"2020-03-{day:02d}T09:00")


def submit(reception: Reception, *files: IncomingFile) -> list[FileResult]:
    return reception.submit(list(files), channel="test", received_by="test")


def rules(result: FileResult) -> list[str]:
    return [finding.rule for finding in result.findings]


def in_force(ledger: Ledger) -> list[Submission]:
    return [one for one in ledger.submissions() if one.is_current_accepted]


def test_a_return_refused_for_want_of_the_register_is_judged_anew_once_the_enterprise_is_entered(
    settings: Settings, ledger: Ledger, reception: Reception
) -> None:
    content = a_return(100, number=NEW)
    [refused] = submit(reception, at(content, 1))
    assert rules(refused) == ["H1b"]
    entered = [
        RegisterRow(credit_code(n), "示例一号服务有限公司", "420111", "6513") for n in (*range(1, 31), NEW)
    ]
    ledger.import_register(entered)
    [checked] = reception.check([at(content, 2)])
    [again] = submit(reception, at(content, 2))
    for result in (checked, again):
        assert (result.verdict, result.version, result.is_duplicate) == (Verdict.ACCEPTED, 2, False)
    assert checked.submission_id == again.submission_id != refused.submission_id
    first, second = ledger.submissions()
    assert (first.sha256, first.verdict) == (second.sha256, Verdict.REJECTED)
    assert in_force(ledger) == [second]
    assert ledger.known([first.sha256]) == {first.sha256: second}
    assert sum(path.is_file() for path in settings.originals_dir.rglob("*")) == 1
    assert [line["amount"] for line in again.details()] == ["100"]


def test_a_month_refused_for_the_one_before_it_is_accepted_unchanged_once_that_is_corrected(
    ledger: Ledger, reception: Reception
) -> None:
    february = a_return(100, "2020-02", ytd=200)
    wrong, refused = submit(reception, at(a_return(150), 1, "1月.xlsx"), at(february, 1, "2月.xlsx"))
    assert wrong.verdict is Verdict.ACCEPTED
    assert rules(refused) == ["H2"]
    corrected, again = submit(
        reception, at(a_return(100, revision=True), 2, "1月.xlsx"), at(february, 2, "2月.xlsx")
    )
    assert (corrected.verdict, again.verdict) == (Verdict.ACCEPTED, Verdict.ACCEPTED)
    assert [one.submission_id for one in in_force(ledger)] == [corrected.submission_id, again.submission_id]


def test_what_is_refused_for_the_same_reason_again_is_one_more_arrival(
    ledger: Ledger, reception: Reception
) -> None:
    content = a_return(100, number=NEW)
    [first] = submit(reception, at(content, 1))
    [checked] = reception.check([at(content, 2)])
    [again] = submit(reception, at(content, 2))
    assert rules(checked) == rules(again) == ["H1b"]
    assert again.submission_id == first.submission_id
    assert again.is_duplicate
    [one] = ledger.submissions()
    assert [filing.is_duplicate for filing in ledger.filings(one.submission_id)] == [False, True]


def test_what_is_refused_for_another_reason_now_says_so(ledger: Ledger, reception: Reception) -> None:
    february = a_return(100, "2020-02", ytd=200)
    _, refused = submit(reception, at(a_return(150), 1, "1月.xlsx"), at(february, 1, "2月.xlsx"))
    submit(reception, at(a_return(160, revision=True), 2))
    [again] = submit(reception, at(february, 3))
    assert rules(refused) == rules(again) == ["H2"]
    assert refused.findings[0].expected != again.findings[0].expected
    assert (again.version, again.is_duplicate) == (2, False)
    [now] = [one for one in ledger.submissions(Month(2020, 2)) if one.is_current]
    assert now.submission_id == again.submission_id


def test_a_return_that_came_before_its_month_was_over_is_accepted_unchanged_afterwards(
    ledger: Ledger, reception: Reception
) -> None:
    content = a_return(100, "2020-02", ytd=200)
    [early] = submit(reception, a_file("2月.xlsx", content, "2020-02-20T09:00"))
    assert (early.verdict, rules(early)) == (Verdict.QUERIES, ["H7d"])
    [still] = submit(reception, a_file("2月.xlsx", content, "2020-02-21T09:00"))
    assert (still.submission_id, still.is_duplicate) == (early.submission_id, True)
    [again] = submit(reception, a_file("2月.xlsx", content, "2020-03-02T09:00"))
    assert (again.verdict, again.version) == (Verdict.ACCEPTED, 2)
    assert [one.submission_id for one in in_force(ledger)] == [again.submission_id]


def test_correcting_back_to_an_earlier_file_makes_it_count(ledger: Ledger, reception: Reception) -> None:
    first = a_return(100, revision=True)
    submit(reception, at(first, 1))
    submit(reception, at(a_return(110, revision=True), 2))
    [checked] = reception.check([at(first, 3)])
    [back] = submit(reception, at(first, 3))
    assert (back.verdict, back.version, back.is_duplicate) == (Verdict.QUERIES, 3, False)
    assert back.findings == checked.findings
    assert rules(back) == ["M9"]
    assert "第 1 版内容完全相同，该版已被第 2 版替代" in back.findings[0].message.zh
    assert [one.version for one in in_force(ledger)] == [2]
    ledger.confirm(back.submission_id, "已与企业核实，恢复原数", REVIEWER)
    assert [one.submission_id for one in in_force(ledger)] == [back.submission_id]
    assert [line["amount"] for line in back.details()] == ["100"]
    [fourth] = submit(reception, at(a_return(110, revision=True), 4))
    ledger.confirm(fourth.submission_id, "已与企业核实，以更正数为准", REVIEWER)
    [fifth] = submit(reception, at(first, 5))
    assert (fifth.verdict, fifth.version) == (Verdict.QUERIES, 5)
    assert len({one.submission_id for one in ledger.submissions()}) == 5


def test_going_back_is_not_agreed_to_by_sending_the_file_twice(ledger: Ledger, reception: Reception) -> None:
    first = a_return(100, revision=True)
    submit(reception, at(first, 1))
    submit(reception, at(a_return(110, revision=True), 2))
    for day in (3, 4):
        [back] = submit(reception, at(first, day))
        assert (back.verdict, back.version) == (Verdict.QUERIES, 3)
    assert [one.version for one in in_force(ledger)] == [2]
    ledger.reviews.send_back(back.submission_id, "重复发送，以第 2 版为准", REVIEWER)
    [again] = submit(reception, at(first, 5))
    assert (again.verdict, again.version) == (Verdict.REJECTED, 3)
    assert [one.version for one in in_force(ledger)] == [2]


@pytest.mark.parametrize("channel", ["check", "submit"])
def test_a_file_that_was_replaced_and_is_not_marked_as_a_correction_changes_nothing_and_says_so(
    ledger: Ledger, reception: Reception, channel: str
) -> None:
    first = a_return(100)
    submit(reception, at(first, 1))
    [second] = submit(reception, at(a_return(110, revision=True), 2))
    [again] = reception.check([at(first, 3)]) if channel == "check" else submit(reception, at(first, 3))
    assert (again.version, again.is_duplicate) == (1, True)
    assert rules(again) == ["M8", "H7c"]
    told = again.findings[0].message
    assert "第 1 版" in told.zh
    assert "第 2 版替代" in told.zh
    assert "changed nothing" in told.en
    text = again.as_text()
    assert "审核结果：已被后来的版本替代，没有计入" in text
    assert "Result: replaced by a later version; it does not count" in text
    assert text.count("第 2 版替代") == 1
    assert "不重复计入" not in text
    assert [one.submission_id for one in in_force(ledger)] == [second.submission_id]
    assert len(ledger.submissions()) == 2


def test_a_file_that_is_in_force_beside_a_refused_correction_stays_one_submission(
    ledger: Ledger, reception: Reception
) -> None:
    first = a_return(100, revision=True)
    submit(reception, at(first, 1))
    submit(reception, at(a_return(110), 2))
    [again] = submit(reception, at(first, 3))
    assert (again.version, again.is_duplicate, rules(again)) == (1, True, [])
    assert len(ledger.submissions()) == 2


def test_what_a_reviewer_sent_back_is_not_accepted_by_being_filed_again(
    ledger: Ledger, reception: Reception
) -> None:
    content = a_return(100, revision=True)
    [first] = submit(reception, at(content, 1))
    ledger.reviews.send_back(first.submission_id, "the amount belongs to another enterprise", REVIEWER)
    for day in (2, 4):
        [again] = submit(reception, at(content, day))
        assert (again.verdict, again.is_duplicate) == (Verdict.REJECTED, True)
        assert rules(again)[0] == "M2"
        submit(reception, at(a_return(110), 3))  # replaced by another, it stays sent back
    assert len(ledger.submissions()) == 2


def test_a_folder_with_every_version_filed_once_more_changes_nothing(
    ledger: Ledger, reception: Reception
) -> None:
    versions = [a_return(amount, revision=True) for amount in (100, 110, 120)]
    submit(reception, *(at(content, 1, f"{n}.xlsx") for n, content in enumerate(versions)))
    before = ledger.submissions()
    results = submit(reception, *(at(content, 9, f"{n}.xlsx") for n, content in enumerate(versions)))
    assert [result.is_duplicate for result in results] == [True] * 3
    assert [rules(result)[:1] for result in results] == [["M8"], ["M8"], []]
    assert ledger.submissions() == before


def test_the_same_arrival_told_again_is_not_judged_again(ledger: Ledger, reception: Reception) -> None:
    first, second = at(a_return(100, revision=True), 1), at(a_return(110, revision=True), 2)
    submit(reception, first)
    submit(reception, second)
    submit(reception, first)
    assert [one.version for one in ledger.submissions()] == [1, 2]
    [back] = submit(reception, at(a_return(100, revision=True), 3))
    submit(reception, first)
    assert [(one.version, one.submission_id) for one in ledger.submissions()][2:] == [(3, back.submission_id)]
    assert [len(ledger.filings(one.submission_id)) for one in ledger.submissions()] == [1, 1, 1]


def test_a_file_checked_twice_in_one_go_is_answered_twice_as_it_is_judged_now(
    ledger: Ledger, reception: Reception
) -> None:
    first = a_return(100, revision=True)
    submit(reception, at(first, 1))
    submit(reception, at(a_return(110, revision=True), 2))
    one, other = reception.check([at(first, 3, "一.xlsx"), at(first, 3, "二.xlsx")])
    assert one.verdict is other.verdict is Verdict.QUERIES
    assert other.same_as == "一.xlsx"
    assert one.submission_id == other.submission_id
    first_filed, other_filed = submit(reception, at(first, 3, "一.xlsx"), at(first, 3, "二.xlsx"))
    assert (first_filed.version, other_filed.version) == (3, 3)
    assert other_filed.is_duplicate
    assert len(ledger.submissions()) == 3


def test_a_later_version_in_the_same_call_is_judged_after_the_one_that_is_judged_again(
    ledger: Ledger, reception: Reception
) -> None:
    first = a_return(100, revision=True)
    submit(reception, at(first, 1))
    submit(reception, at(a_return(110, revision=True), 2))
    back, third = submit(reception, at(first, 3), at(a_return(130, revision=True), 3, "新.xlsx"))
    assert (back.version, third.version) == (3, 4)
    assert [one.submission_id for one in in_force(ledger)] == [third.submission_id]


def test_unchanged_files_beside_a_new_version_of_the_same_month_take_no_number(
    ledger: Ledger, reception: Reception
) -> None:
    first = a_return(100)
    submit(reception, at(first, 1))
    submit(reception, at(a_return(110, revision=True), 2))
    again, third = submit(reception, at(first, 3), at(a_return(130, revision=True), 3, "新.xlsx"))
    assert (again.is_duplicate, again.version, third.version) == (True, 1, 3)
    assert [one.submission_id for one in in_force(ledger)] == [third.submission_id]


def test_reading_the_originals_again_gives_each_judgement_its_lines(
    settings: Settings, ledger: Ledger, reception: Reception
) -> None:
    first = a_return(100, revision=True)
    submit(reception, at(first, 1))
    submit(reception, at(a_return(110, revision=True), 2))
    submit(reception, at(first, 3))
    held = {path: path.read_bytes() for path in settings.lines_dir.rglob("*") if path.is_file()}
    assert read_originals_again(Terminal(settings), settings, ledger.submissions()) == (3, 0)
    assert held == {path: path.read_bytes() for path in settings.lines_dir.rglob("*") if path.is_file()}


def test_each_judgement_has_an_arrival_and_an_entry_of_the_audit_log_of_its_own(
    ledger: Ledger, reception: Reception
) -> None:
    first = a_return(100, revision=True)
    submit(reception, at(first, 1))
    submit(reception, at(a_return(110, revision=True), 2))
    submit(reception, at(first, 3))
    one, _, three = ledger.submissions()
    assert one.sha256 == three.sha256
    assert (one.received_at, three.received_at) == (
        datetime(2020, 3, 1, 9, tzinfo=SHANGHAI),
        datetime(2020, 3, 3, 9, tzinfo=SHANGHAI),
    )
    assert [len(ledger.filings(each.submission_id)) for each in (one, three)] == [1, 1]
    for each in (one, three):
        assert [entry.action for entry in ledger.audit.trail("submission", each.submission_id)] == [
            "submission.filed"
        ]
