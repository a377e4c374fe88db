"""What the ledger promises, on both databases."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pipelines.findings import Finding, Fix, Severity, Verdict, Wording
from pipelines.ledger import (
    SHANGHAI,
    CannotConfirm,
    EnterpriseSpell,
    Filing,
    Ledger,
    LedgerConflict,
    LedgerUnusable,
    NewBatch,
    NewSubmission,
    RegisterRow,
    Repeat,
    SeriesState,
    UnknownSubmission,
    is_late,
    open_ledger,
)
from pipelines.ledger.actors import Actor, Role
from pipelines.periods import Month, Period, parse_period
from pipelines.records import FileKind, judgement_of, submission_id_of

MARCH = Period(Month(2026, 3), "month")
RECEIVED = datetime(2026, 4, 8, 9, 30, tzinfo=SHANGHAI)
LI = Actor("李", frozenset({Role.CLERK}))


def a_return(
    content: str,
    enterprise_code: str = "E01",
    period: Period | None = MARCH,
    verdict: Verdict = Verdict.ACCEPTED,
    **changes: object,
) -> NewSubmission:
    digest = sha256(content.encode()).hexdigest()
    new = NewSubmission(
        sha256=digest,
        submission_id=submission_id_of(digest),
        kind=FileKind.RETURN,
        form_codes=("FM-1", "FM-2"),
        layout_versions=("FM-1@2017", "FM-2@2017"),
        enterprise_code=enterprise_code,
        enterprise_name="甲公司",
        department="",
        period=period,
        verdict=verdict,
        is_zero_return=False,
        is_revision=False,
        is_late=False,
        size_bytes=len(content),
        line_count=3,
        has_cells=True,
        findings=(),
        fixes=(),
        filing=Filing(f"{content}.xlsx", "inbox", RECEIVED, "王"),
    )
    return replace(new, **changes)  # type: ignore[arg-type]


def a_batch(*submissions: NewSubmission, repeats: tuple[Repeat, ...] = ()) -> NewBatch:
    name = sha256("".join(one.sha256 for one in submissions).encode()).hexdigest()[:40]
    return NewBatch(name, f"{name[:2]}/{name}.parquet", "rules-1", submissions, repeats)


def test_a_recorded_return_comes_back_as_it_was_told(ledger: Ledger) -> None:
    finding = Finding(
        "Q1a",
        Severity.WARNING,
        Wording("比上月多", "more than last month"),
        "FM-2",
        "服务进出口",
        "F18",
        "E01/SI2",
        "12,500,000",
        "1,250",
    )
    fix = Fix("服务进出口", "F9", "１，２３４.５", "1234.5", Wording("全角数字", "full-width digits"))
    ledger.record(a_batch(a_return("a", verdict=Verdict.QUERIES, findings=(finding,), fixes=(fix,))))

    [found] = ledger.submissions(Month(2026, 3))
    assert (found.sequence, found.version, found.status) == (1, 1, Verdict.QUERIES)
    assert found.form_codes == ("FM-1", "FM-2")
    assert found.received_at == RECEIVED
    assert found.received_at.utcoffset() is not None
    assert (found.period, found.month_start_date) == ("2026-03", date(2026, 3, 1))
    assert found.is_current
    assert not found.is_current_accepted
    assert ledger.findings(found.submission_id) == [finding]
    assert ledger.findings_of([found.submission_id]) == {found.submission_id: [finding]}
    assert ledger.fixes_of([found.submission_id]) == {found.submission_id: [fix]}
    assert ledger.known([found.sha256, "0" * 64]) == {found.sha256: found}
    assert ledger.filed_months() == [Month(2026, 3)]


def judged_again(first: NewSubmission, judgement: int = 2, **changes: object) -> NewSubmission:
    """The same bytes once more, as a submission of their own."""
    identity = {"judgement": judgement, "submission_id": submission_id_of(first.sha256, judgement)}
    return replace(first, **(identity | changes))  # type: ignore[arg-type]


def test_of_bytes_judged_several_times_the_latest_judgement_is_known_and_every_arrival(
    ledger: Ledger,
) -> None:
    first = a_return("a", verdict=Verdict.REJECTED)
    later = datetime(2026, 4, 9, tzinfo=UTC)
    ledger.record(a_batch(first))
    second = judged_again(
        first, verdict=Verdict.ACCEPTED, base_version=1, filing=Filing("again.xlsx", "inbox", later, "王")
    )
    recorded = ledger.record(a_batch(second))
    assert recorded.repeated_ids == frozenset()
    [one] = recorded.submissions
    assert (one.version, one.sha256, one.is_current_accepted) == (2, first.sha256, True)
    assert one.submission_id == second.submission_id != first.submission_id
    assert ledger.known([first.sha256]) == {first.sha256: one}
    assert ledger.arrivals([first.sha256, "0" * 64]) == {
        (first.sha256, "inbox", "a.xlsx", RECEIVED.astimezone(UTC)),
        (first.sha256, "inbox", "again.xlsx", later),
    }
    assert ledger.record(a_batch(second)).repeated_ids == {second.submission_id}
    assert [judgement_of(each.sha256, each.submission_id) for each in ledger.submissions()] == [1, 2]


def test_a_submission_is_no_judgement_of_another_file() -> None:
    with pytest.raises(ValueError, match="is no judgement of the file"):
        judgement_of("0" * 64, submission_id_of("1" * 64, 3))


def test_a_january_february_return_is_counted_in_february(ledger: Ledger) -> None:
    ledger.record(a_batch(a_return("a", period=parse_period("2026年1-2月"))))
    [found] = ledger.submissions(Month(2026, 2))
    assert found.period_start_date == date(2026, 1, 1)
    assert ledger.submissions(Month(2026, 1)) == []


def test_the_same_bytes_filed_twice_are_one_submission_and_two_arrivals(ledger: Ledger) -> None:
    first = a_return("a")
    again = replace(first, filing=Filing("副本.xlsx", "portal", RECEIVED.replace(hour=15), "李"))
    ledger.record(a_batch(first))
    recorded = ledger.record(a_batch(again))

    assert [one.sequence for one in recorded.submissions] == [1]
    assert recorded.repeated_ids == {first.submission_id}
    assert len(ledger.submissions()) == 1
    filings = ledger.filings(first.submission_id)
    assert [(filing.file_name, filing.is_duplicate) for filing in filings] == [
        ("a.xlsx", False),
        ("副本.xlsx", True),
    ]


def test_the_same_arrival_told_twice_is_one_arrival(ledger: Ledger) -> None:
    first = a_return("a")
    ledger.record(a_batch(first))
    ledger.record(a_batch(first))
    ledger.record(a_batch(repeats=(Repeat(first.submission_id, first.filing),)))
    assert len(ledger.filings(first.submission_id)) == 1


def test_a_corrected_return_is_a_new_version_and_the_old_one_stays(ledger: Ledger) -> None:
    first = a_return("a")
    ledger.record(a_batch(first))
    second = a_return(
        "b",
        is_revision=True,
        base_version=1,
        base_accepted_id=first.submission_id,
        supersedes_submission_id=first.submission_id,
    )
    ledger.record(a_batch(second))

    old, new = ledger.submissions()
    assert (old.version, old.is_current, old.is_current_accepted) == (1, False, False)
    assert (new.version, new.is_current, new.is_current_accepted) == (2, True, True)
    assert new.supersedes_submission_id == old.submission_id


def test_a_rejected_correction_leaves_the_accepted_version_in_force(ledger: Ledger) -> None:
    first = a_return("a")
    ledger.record(a_batch(first))
    ledger.record(
        a_batch(a_return("b", verdict=Verdict.REJECTED, base_version=1, base_accepted_id=first.submission_id))
    )
    old, new = ledger.submissions()
    assert (old.is_current, old.is_current_accepted) == (False, True)
    assert (new.is_current, new.is_current_accepted) == (True, False)
    assert ledger.series_states(["return/E01/2026-03"]) == {
        "return/E01/2026-03": SeriesState(2, first.submission_id)
    }


def test_versions_of_one_batch_are_numbered_in_its_order(ledger: Ledger) -> None:
    ledger.record(a_batch(a_return("a"), a_return("x", "E02"), a_return("b"), a_return("c")))
    assert [(one.enterprise_code, one.sequence, one.version) for one in ledger.submissions()] == [
        ("E01", 1, 1),
        ("E02", 2, 1),
        ("E01", 3, 2),
        ("E01", 4, 3),
    ]


def test_a_batch_judged_on_an_older_state_is_refused_whole(ledger: Ledger) -> None:
    ledger.record(a_batch(a_return("a")))
    with pytest.raises(LedgerConflict, match="return/E01/2026-03"):
        ledger.record(a_batch(a_return("x", "E02"), a_return("b", base_version=0)))
    assert len(ledger.submissions()) == 1
    [next_one] = ledger.record(a_batch(a_return("x", "E02"))).submissions
    assert next_one.sequence == 2  # the refused batch used up no number


def test_a_confirmation_meanwhile_also_moves_the_series_on(ledger: Ledger) -> None:
    first = a_return("a", verdict=Verdict.QUERIES)
    ledger.record(a_batch(first))
    judged_before = a_return("b", base_version=1, base_accepted_id=None)
    ledger.confirm(first.submission_id, "已与企业核实，确有大额合同", LI)
    with pytest.raises(LedgerConflict):
        ledger.record(a_batch(judged_before))


def test_a_file_that_nobody_could_read_is_kept_without_a_version(ledger: Ledger) -> None:
    ledger.record(
        a_batch(
            a_return(
                "a",
                "",
                None,
                Verdict.UNREADABLE,
                kind=FileKind.UNKNOWN,
                has_cells=False,
                form_codes=(),
                layout_versions=(),
            )
        )
    )
    [found] = ledger.submissions()
    assert (found.version, found.series_key, found.lines_file) == (None, None, "")
    assert not found.is_current


def test_texts_that_no_database_takes_are_recorded_with_a_mark_in_their_place(ledger: Ledger) -> None:
    odd = a_return("a", enterprise_name="甲\x00\ud83d", filing=Filing("b\udcff.xlsx", "inbox", RECEIVED))
    ledger.record(a_batch(odd))
    ledger.record(a_batch(odd))
    [found] = ledger.submissions()
    assert found.enterprise_name == "甲��"
    assert found.file_name == "b�.xlsx"
    assert len(ledger.filings(found.submission_id)) == 1


def test_a_code_as_long_as_a_page_names_no_series(ledger: Ledger) -> None:
    [found] = ledger.record(a_batch(a_return("a", "9" * 5000, verdict=Verdict.REJECTED))).submissions
    assert found.series_key is None
    assert found.enterprise_code == "9" * 64


def test_confirming_a_queried_return_accepts_it_and_keeps_who_when_and_why(ledger: Ledger) -> None:
    queried = a_return("a", verdict=Verdict.QUERIES)
    ledger.record(a_batch(queried))
    before = datetime.now(UTC)
    confirmed = ledger.confirm(queried.submission_id, "已与企业核实，确有大额合同", LI)

    assert (confirmed.verdict, confirmed.status) == (Verdict.QUERIES, Verdict.ACCEPTED)
    assert confirmed.is_current_accepted
    [decision] = ledger.decisions(queried.submission_id)
    assert (decision.reason, decision.decided_by) == ("已与企业核实，确有大额合同", "李")
    assert before <= decision.decided_at <= datetime.now(UTC)
    assert (decision.status_before, decision.status_after) == (Verdict.QUERIES, Verdict.ACCEPTED)


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.UNREADABLE])
def test_only_open_queries_can_be_confirmed(ledger: Ledger, verdict: Verdict) -> None:
    new = a_return("a", verdict=verdict)
    ledger.record(a_batch(new))
    with pytest.raises(CannotConfirm) as caught:
        ledger.confirm(new.submission_id, "已与企业核实，确有大额合同", LI)
    assert caught.value.wording.zh
    assert caught.value.wording.en
    assert ledger.submissions()[0].status is verdict
    assert ledger.decisions(new.submission_id) == []


@pytest.mark.parametrize("reason", ["", "  好   "])
def test_a_confirmation_needs_a_reason(ledger: Ledger, reason: str) -> None:
    queried = a_return("a", verdict=Verdict.QUERIES)
    ledger.record(a_batch(queried))
    with pytest.raises(CannotConfirm):
        ledger.confirm(queried.submission_id, reason, LI)
    assert ledger.submissions()[0].status is Verdict.QUERIES


def test_confirming_what_was_never_filed_says_so(ledger: Ledger) -> None:
    with pytest.raises(UnknownSubmission):
        ledger.confirm("f" * 20, "已与企业核实无误", LI)


def test_history_is_the_accepted_returns_in_force(ledger: Ledger) -> None:
    def month(number: int) -> Period:
        return Period(Month(2025, number), "month")

    ledger.record(
        a_batch(
            a_return("jan", period=month(1)),
            a_return("feb", period=month(2)),
            a_return("feb again", period=month(2)),
            a_return("mar", period=month(3), verdict=Verdict.QUERIES),
            a_return("apr", period=month(4)),
            a_return("other", "E02", period=month(2)),
        )
    )
    found = ledger.history(["E01"], Month(2025, 2), Month(2025, 3))
    assert [one.file_name for one in found] == ["feb again.xlsx"]


def test_departmental_tables_are_found_by_the_days_they_speak_of(ledger: Ledger) -> None:
    def rates(content: str, first: date, last: date) -> NewSubmission:
        return a_return(
            content,
            "",
            Period(Month.of(last), "month"),
            kind=FileKind.DEPARTMENT,
            department="外汇管理局湖北省分局",
            form_codes=("DM-3",),
            layout_versions=("DM-3@2016",),
            form_dates={"DM-3": (first, last)},
        )

    ledger.record(
        a_batch(
            rates("2019", date(2019, 1, 2), date(2019, 12, 31)),
            rates("2020", date(2020, 1, 2), date(2020, 6, 30)),
        )
    )
    assert [one.file_name for one in ledger.department_tables(["DM-3"])] == ["2019.xlsx", "2020.xlsx"]
    found = ledger.department_tables(["DM-3"], date(2020, 1, 1), date(2020, 2, 29))
    assert [one.file_name for one in found] == ["2020.xlsx"]
    assert ledger.department_tables(["DM-1"]) == []


def test_a_run_can_tell_what_has_changed_since_it_last_looked(ledger: Ledger) -> None:
    april = parse_period("2026-04")
    queried = a_return("a", verdict=Verdict.QUERIES)
    unreadable = a_return("x", "", None, Verdict.UNREADABLE, kind=FileKind.UNKNOWN, form_codes=())
    ledger.record(a_batch(queried, a_return("b", period=april), unreadable))
    before = {change.first_month: change.state for change in ledger.changes()}
    assert before == {Month(2026, 3): (1, 0, 0), Month(2026, 4): (2, 0, 0)}

    ledger.confirm(queried.submission_id, "已与企业核实，确有大额合同", LI)
    ledger.record(a_batch(a_return("c", "E02", april)))
    after = {change.first_month: change.state for change in ledger.changes()}
    assert after == {Month(2026, 3): (1, 1, 0), Month(2026, 4): (4, 0, 0)}


# -- the register ------------------------------------------------------------------------------------


def test_a_register_gives_spells_with_moves_and_departures(ledger: Ledger) -> None:
    changed = ledger.import_register(
        [
            RegisterRow("E01", "甲", "420102", "6510"),
            RegisterRow("E02", "乙", "420102", "6510", Month(2019, 5), Month(2020, 6)),
            RegisterRow("E03", "丙", "420102", "6510", Month(2019, 1), Month(2019, 12)),
            RegisterRow("E03", "丙", "420111", "6510", Month(2020, 1)),
            RegisterRow("E04", "丁", "420102", "6510", Month(2019, 1), Month(2019, 3)),
            RegisterRow("E04", "丁", "420102", "6510", Month(2020, 1)),
        ]
    )
    assert changed == 4
    assert ledger.enterprises() == [
        EnterpriseSpell("E01", "甲", "420102", "6510", None, None),
        EnterpriseSpell("E02", "乙", "420102", "6510", date(2019, 5, 1), date(2020, 6, 1)),
        EnterpriseSpell("E03", "丙", "420102", "6510", date(2019, 1, 1), date(2019, 12, 1)),
        EnterpriseSpell("E03", "丙", "420111", "6510", date(2020, 1, 1), None),
        EnterpriseSpell("E04", "丁", "420102", "6510", date(2019, 1, 1), date(2019, 3, 1)),
        EnterpriseSpell("E04", "丁", "420102", "6510", date(2020, 1, 1), None),
    ]


def test_importing_a_register_again_changes_nothing_and_a_new_one_only_what_it_names(ledger: Ledger) -> None:
    rows = [RegisterRow("E01", "甲", "420102"), RegisterRow("E02", "乙", "420102", contact="陈")]
    ledger.import_register(rows, by="王")
    assert ledger.import_register(rows, by="王") == 0
    moved = [
        RegisterRow("E02", "乙", "420102", "", None, Month(2020, 3)),
        RegisterRow("E02", "乙", "420111", "", Month(2020, 4)),
    ]
    assert ledger.import_register(moved, by="李") == 1
    assert [(spell.enterprise_code, spell.district_code) for spell in ledger.enterprises()] == [
        ("E01", "420102"),
        ("E02", "420102"),
        ("E02", "420111"),
    ]


def test_what_an_import_replaced_is_kept_marked_void(ledger: Ledger, ledger_url: str) -> None:
    ledger.import_register([RegisterRow("E01", "甲", "420102")], by="王")
    ledger.import_register([RegisterRow("E01", "甲", "420111")], by="李")
    engine = create_engine(ledger_url)
    with engine.connect() as connection:
        rows = connection.execute(
            text("select district_code, recorded_by, is_void from enterprise_event order by event_id")
        ).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("420102", "王", True), ("420111", "李", False)]


def test_two_rows_of_the_same_months_are_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="E01"):
        ledger.import_register(
            [
                RegisterRow("E01", "甲", "420102", "", Month(2019, 1), Month(2019, 6)),
                RegisterRow("E01", "甲", "420111", "", Month(2019, 6)),
            ]
        )
    assert ledger.enterprises() == []


# -- opening and sharing -----------------------------------------------------------------------------


def _open_and_count(url: str) -> int:
    with open_ledger(url) as ledger:
        return len(ledger.submissions())


def test_several_processes_may_open_a_new_ledger_at_once(ledger_url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(_open_and_count, [ledger_url] * 4) == [0] * 4
    with open_ledger(ledger_url) as ledger:
        ledger.record(a_batch(a_return("a")))
    assert _open_and_count(ledger_url) == 1


def test_the_migrations_make_exactly_the_tables_that_the_code_describes(
    ledger: Ledger, ledger_url: str
) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from pipelines.ledger.tables import metadata

    engine = create_engine(ledger_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_files_of_a_ledger_in_which_bytes_were_judged_once_are_known_by_them_and_may_be_judged_again(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    """The newest migration is taken back by hand, then made on a ledger that holds submissions and what refers to them."""
    first = a_return("a", verdict=Verdict.QUERIES)
    ledger.record(a_batch(first))
    ledger.record(a_batch(a_return("b", base_version=1, supersedes_submission_id=first.submission_id)))
    before = ledger.submissions()
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(text("drop index ix_submission_sha256"))
        connection.execute(text("alter table submission drop column sha256"))
        connection.execute(text("alter table submission rename column identity_sha256 to sha256"))
        connection.execute(text("update alembic_version set version_num = '0004'"))
    engine.dispose()
    with open_ledger(ledger_url, secrets_dir=tmp_path / "secrets") as migrated:
        assert migrated.submissions() == before
        assert migrated.known([first.sha256])[first.sha256].submission_id == first.submission_id
        again = judged_again(first, base_version=2, base_accepted_id=before[1].submission_id)
        migrated.record(a_batch(again))
        assert [one.version for one in migrated.submissions()] == [1, 2, 3]


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from pipelines.ledger.engine import HEAD_REVISION, MIGRATIONS_DIR

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD_REVISION


def test_a_ledger_of_a_newer_program_is_left_alone(ledger: Ledger, ledger_url: str) -> None:
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    with pytest.raises(LedgerUnusable, match="9999"):
        open_ledger(ledger_url)


@pytest.mark.parametrize(("url", "said"), [("mysql://somewhere/ledger", "mysql"), ("sqlite://", "memory")])
def test_a_database_that_cannot_serve_is_refused_saying_why(url: str, said: str) -> None:
    with pytest.raises(LedgerUnusable, match=said):
        open_ledger(url)


def test_threads_share_a_ledger(ledger: Ledger) -> None:
    def file_one(number: int) -> int:
        ledger.record(a_batch(a_return(f"r{number}", f"E{number:02d}")))
        return len(ledger.submissions())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(file_one, range(24)))
    assert [one.sequence for one in ledger.submissions()] == list(range(1, 25))


def _file_overlapping(url: str, process: int) -> int:
    """File ten versions that every process files, and two of its own, each judged on what is there now."""
    conflicts = 0
    with open_ledger(url) as ledger:
        contents = [f"common {number}" for number in range(10)] + [f"own {process} {n}" for n in range(2)]
        for content in contents[process:] + contents[:process]:
            while True:
                state = ledger.series_states(["return/E01/2026-03"]).get("return/E01/2026-03", SeriesState())
                new = a_return(
                    content,
                    base_version=state.latest_version,
                    base_accepted_id=state.accepted_id,
                    filing=Filing(f"{content}.xlsx", f"process {process}", RECEIVED),
                )
                try:
                    ledger.record(a_batch(new))
                    break
                except LedgerConflict:
                    conflicts += 1
    return conflicts


def test_processes_filing_the_same_files_at_once_make_one_submission_each_without_gaps(
    ledger_url: str,
) -> None:
    processes = 4
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.starmap(_file_overlapping, [(ledger_url, number) for number in range(processes)])
    with open_ledger(ledger_url) as ledger:
        found = ledger.submissions()
        assert len(found) == 10 + 2 * processes
        assert [one.sequence for one in found] == list(range(1, len(found) + 1))
        assert [one.version for one in found] == list(range(1, len(found) + 1))
        assert sum(one.is_current_accepted for one in found) == 1
        arrivals = [len(ledger.filings(one.submission_id)) for one in found]
        assert sorted(arrivals) == [1] * (2 * processes) + [processes] * 10
        first_arrivals = [
            filing for one in found for filing in ledger.filings(one.submission_id) if not filing.is_duplicate
        ]
        assert len(first_arrivals) == len(found)


# -- lateness ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received_at", "late"),
    [
        (datetime(2026, 4, 10, 23, 59, tzinfo=SHANGHAI), False),
        (datetime(2026, 4, 11, 0, 0, tzinfo=SHANGHAI), True),
        (datetime(2026, 4, 10, 15, 59, tzinfo=UTC), False),
        (datetime(2026, 4, 10, 16, 0, tzinfo=UTC), True),  # past midnight in Shanghai
    ],
)
def test_late_begins_when_the_deadline_day_is_over_in_shanghai(received_at: datetime, late: bool) -> None:
    assert is_late(received_at, MARCH, deadline_day=10) is late


def test_a_december_return_is_due_in_january_and_january_february_in_march() -> None:
    assert not is_late(datetime(2027, 1, 10, tzinfo=SHANGHAI), parse_period("2026-12"), 10)
    assert not is_late(datetime(2026, 3, 10, tzinfo=SHANGHAI), parse_period("2026年1-2月"), 10)
    assert is_late(datetime(2026, 3, 11, tzinfo=SHANGHAI), parse_period("2026年1-2月"), 10)


def test_a_file_of_an_unknown_period_is_not_called_late() -> None:
    assert not is_late(RECEIVED, None, 10)
