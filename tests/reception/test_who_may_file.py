"""Whose returns a person with an account may hand in; what is not theirs leaves no trace at anybody's name."""

from __future__ import annotations

from functools import partial

import pytest
from filed_by_hand import Line, a_rate_table, a_workbook, credit_code

from pipelines.findings import Verdict
from pipelines.ledger import EventKind, Ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.register import NewEvent
from pipelines.periods import Month
from pipelines.reception import FileResult, IncomingFile, Reception
from pipelines.reception.uploads import UploadRefused
from pipelines.reception.zero_return import zero_return_of

OWN, OTHER = credit_code(1), credit_code(2)
reporter = Actor("填报员", frozenset({Role.REPORTER}), frozenset({OWN}))
reporter_of_other = Actor("另一填报员", frozenset({Role.REPORTER}), frozenset({OTHER}))
clerk = Actor("统计员", frozenset({Role.CLERK}))
reviewer = Actor("区审核员", frozenset({Role.DISTRICT_REVIEWER}), district_codes=frozenset({"420111"}))
reviewer_elsewhere = Actor("外区", frozenset({Role.DISTRICT_REVIEWER}), district_codes=frozenset({"420102"}))
official = Actor("领导", frozenset({Role.OFFICIAL}))


def a_return(code: str, amount: int = 100) -> bytes:
    return a_workbook(code, "2020-01", [Line(export=amount, export_ytd=amount)])


def file(reception: Reception, *files: tuple[Actor | None, bytes]) -> list[FileResult]:
    return reception.submit(
        [IncomingFile(f"{n}.xlsx", content, filer=filer) for n, (filer, content) in enumerate(files)],
        channel="portal",
        received_by="",
    )


def rules(result: FileResult) -> list[str]:
    return [finding.rule for finding in result.findings]


def test_a_reporter_files_for_the_own_enterprise_in_the_own_name(
    reception: Reception, ledger: Ledger
) -> None:
    [result] = file(reception, (reporter, a_return(OWN)))
    assert result.verdict is Verdict.ACCEPTED
    [recorded] = ledger.submissions()
    assert (recorded.received_by, recorded.enterprise_code) == ("填报员", OWN)


def test_a_return_of_another_enterprise_is_refused_and_nothing_of_it_is_recorded(
    reception: Reception, ledger: Ledger
) -> None:
    content = a_return(OTHER)
    [result] = file(reception, (reporter, content))
    assert (result.verdict, rules(result), result.submission_id) == (Verdict.UNREADABLE, ["G10"], "")
    assert OTHER in result.findings[0].message.zh
    assert "submit" in result.findings[0].message.en
    assert ledger.submissions() == []
    assert (reception._settings.originals_dir / result.sha256[:2] / result.sha256).is_file()


def test_a_return_that_the_other_enterprise_has_filed_is_refused_without_telling_so(
    reception: Reception, ledger: Ledger
) -> None:
    content = a_return(OTHER)
    file(reception, (reporter_of_other, content))
    [result] = file(reception, (reporter, content))
    assert (rules(result), result.is_duplicate, result.enterprise_name) == (["G10"], False, "")
    [recorded] = ledger.submissions()
    assert len(ledger.filings(recorded.submission_id)) == 1


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_the_same_bytes_from_one_who_may_and_one_who_may_not_are_filed_once_by_the_one_who_may(
    reception: Reception, ledger: Ledger, order: tuple[int, ...]
) -> None:
    content = a_return(OTHER)
    filers = [reporter, reporter_of_other, reporter, reporter_of_other]
    results = file(reception, *((filers[n], content) for n in order))
    for n, result in zip(order, results, strict=True):
        assert (rules(result) == ["G10"]) is (filers[n] is reporter)
    [recorded] = ledger.submissions()
    assert recorded.received_by == "另一填报员"
    assert {filing.received_by for filing in ledger.filings(recorded.submission_id)} == {"另一填报员"}
    assert len(ledger.filings(recorded.submission_id)) == 2


def test_what_another_calls_the_same_file_is_told_to_nobody_but_its_sender(reception: Reception) -> None:
    content = a_return("")
    results = file(reception, (reporter, content), (reporter_of_other, content), (reporter, content))
    assert [result.same_as for result in results] == ["", "", "0.xlsx"]


@pytest.mark.parametrize(
    ("filer", "is_taken"), [(clerk, True), (reviewer, True), (reviewer_elsewhere, False), (official, False)]
)
def test_staff_file_for_those_whom_they_may_see(
    reception: Reception, ledger: Ledger, filer: Actor, is_taken: bool
) -> None:
    [result] = file(reception, (filer, a_return(OWN)))
    assert (rules(result) != ["G10"]) is is_taken
    assert len(ledger.submissions()) == is_taken


@pytest.mark.parametrize(
    ("moves_in", "taken_from"), [(Month(2099, 1), "reviewer"), (Month(2019, 6), "reviewer_elsewhere")]
)
def test_a_district_files_for_those_who_are_in_it_in_the_month_of_the_return(
    reception: Reception, ledger: Ledger, moves_in: Month, taken_from: str
) -> None:
    ledger.register.record(
        NewEvent(OWN, EventKind.MOVED_DISTRICT, moves_in, district_code="420102", reason="迁址"), clerk
    )
    results = file(reception, (reviewer, a_return(OWN)), (reviewer_elsewhere, a_return(OWN, 101)))
    taken = dict(zip(("reviewer", "reviewer_elsewhere"), results, strict=True))
    assert [name for name, result in taken.items() if "G10" not in rules(result)] == [taken_from]
    # And so a zero return by one click.
    for name, actor in (("reviewer", reviewer), ("reviewer_elsewhere", reviewer_elsewhere)):
        asked = partial(zero_return_of, ledger, OWN, Month(2020, 2), actor, is_revision=False)
        if name == taken_from:
            assert asked().name == f"2020-02_零报_{OWN}.xlsx"
        else:
            with pytest.raises(UploadRefused):
                asked()


@pytest.mark.parametrize(("filer", "is_taken"), [(clerk, True), (reviewer, False), (reporter, False)])
def test_departmental_tables_are_filed_by_statisticians_only(
    reception: Reception, ledger: Ledger, filer: Actor, is_taken: bool
) -> None:
    table = IncomingFile("汇率.csv", a_rate_table(2020), filer=filer)
    [result] = reception.submit([table], channel="portal", received_by="")
    assert (rules(result) == ["G11"]) is not is_taken
    assert len(ledger.submissions()) == is_taken


def test_a_return_without_a_code_is_taken_and_stands_at_nobodys_name(
    reception: Reception, ledger: Ledger
) -> None:
    [result] = file(reception, (reporter, a_return("")))
    assert "P10" in rules(result)
    [recorded] = ledger.submissions()
    assert recorded.enterprise_code == ""


def test_a_kept_bench_takes_up_a_changed_register(reception: Reception, ledger: Ledger) -> None:
    from pipelines.ledger import RegisterRow
    from pipelines.periods import Month

    newcomer = credit_code(77)
    with Reception(reception._settings, ledger, keeps_bench=True) as warm:
        warm.make_ready()
        [before] = file(warm, (clerk, a_return(newcomer)))
        assert "H1b" in rules(before)
        ledger.import_register([RegisterRow(newcomer, "新进企业", "420111", "6513", Month(2019, 1))])
        [after] = file(warm, (clerk, a_return(newcomer, 101)))
        assert "H1b" not in rules(after)
