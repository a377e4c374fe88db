"""What starts by itself, and what it says when it does not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import dagster as dg
import pytest
from computed_city import ENTERPRISES, MONTHS, SEED

from assets.automation import inbox, new_submissions
from assets.definitions import defs
from assets.ledger_state import month_states
from assets.resources import Bureau
from pipelines.cli.commands.run import compute
from pipelines.cli.terminal import Terminal
from pipelines.findings import Verdict
from pipelines.ledger import Change, open_ledger
from pipelines.ledger.actors import Actor
from pipelines.periods import Month
from pipelines.records import FileKind
from pipelines.settings import Settings
from pipelines.stores import Originals
from sample_data.city import generate

JANUARY, FEBRUARY, MARCH = Month(2019, 1), Month(2019, 2), Month(2019, 3)


def ask_submissions(
    instance: dg.DagsterInstance, cursor: str | None = None
) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"bureau": Bureau()})
    answer = new_submissions(context)
    assert isinstance(answer, dg.SensorResult | dg.SkipReason)
    return answer


def ask_inbox(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"bureau": Bureau()})
    answer = inbox(context)
    assert isinstance(answer, dg.SensorResult | dg.SkipReason)
    return answer


def requests_of(answer: dg.SensorResult | dg.SkipReason) -> list[dg.RunRequest]:
    assert isinstance(answer, dg.SensorResult), answer
    return list(answer.run_requests or [])


def drop(settings: Settings, name: str, content: bytes) -> Path:
    """A file that has lain in the inbox for a while."""
    path = settings.inbox_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    long_ago = time.time() - 600
    os.utime(path, (long_ago, long_ago))
    return path


def receive(instance: dg.DagsterInstance) -> None:
    """The run that the inbox sensor asks for."""
    assert defs.resolve_job_def("receive_inbox").execute_in_process(instance=instance).success


@pytest.fixture(scope="session")
def mended_return(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The return of March that was queried (Q7b), as the same enterprise files it without the mistake."""
    folder = tmp_path_factory.mktemp("city_without_mistakes")
    generate(folder, ENTERPRISES, "2019-01", MONTHS, SEED, processes=1, error_share=0)
    [path] = (folder / "returns" / "2019-03").glob("样例丙寅信息服务_2019年3月.xlsx")
    return path.read_bytes()


def a_query(settings: Settings) -> str:
    """The submission of March that waits for an answer (Q7b, planted by the seed of the city)."""
    with open_ledger(settings.ledger_url) as ledger:
        [one] = [one for one in ledger.submissions(MARCH) if one.status is Verdict.QUERIES]
    return one.submission_id


def test_without_any_return_the_sensor_says_that_there_is_none(empty_settings: Settings) -> None:
    with dg.DagsterInstance.get() as instance:
        answer = ask_submissions(instance)
    assert isinstance(answer, dg.SkipReason)
    assert "no return" in str(answer.skip_message)


def test_an_empty_inbox_is_said_to_be_empty(settings: Settings, instance: dg.DagsterInstance) -> None:
    answer = ask_inbox(instance)
    assert isinstance(answer, dg.SkipReason)
    assert "empty" in str(answer.skip_message)


def test_a_missing_inbox_folder_is_said_to_be_missing(empty_settings: Settings) -> None:
    with dg.DagsterInstance.get() as instance:
        answer = ask_inbox(instance)
    assert isinstance(answer, dg.SkipReason)
    assert "servtrade init" in str(answer.skip_message)


def test_months_computed_from_the_command_line_are_not_asked_for_again(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    answer = ask_submissions(instance)
    assert isinstance(answer, dg.SkipReason)
    assert "Every month was computed" in str(answer.skip_message)


def test_a_file_in_the_inbox_asks_for_one_run_and_not_for_a_second(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    drop(settings, "空.xlsx", b"not a workbook")
    first = ask_inbox(instance)
    [request] = requests_of(first)
    assert isinstance(first, dg.SensorResult)
    again = ask_inbox(instance, cursor=first.cursor)
    assert isinstance(again, dg.SkipReason)
    assert "handed to a run already" in str(again.skip_message)
    drop(settings, "另一个.xlsx", b"nor is this")
    [other] = requests_of(ask_inbox(instance, cursor=first.cursor))
    assert other.run_key != request.run_key


def test_a_return_filed_again_asks_for_one_run_of_its_month(
    settings: Settings, instance: dg.DagsterInstance, mended_return: bytes
) -> None:
    drop(settings, "重报.xlsx", mended_return)
    receive(instance)
    assert list(settings.inbox_dir.glob("*.xlsx")) == []
    answer = ask_submissions(instance)
    [request] = requests_of(answer)
    assert request.partition_key == "2019-03"
    assert request.run_key is not None
    assert request.run_key.startswith("2019-03:")
    compute(Terminal(quiet=True), settings, [MARCH])
    done = ask_submissions(instance)
    assert isinstance(done, dg.SkipReason)


def test_the_same_file_twice_asks_for_no_run(settings: Settings, instance: dg.DagsterInstance) -> None:
    with open_ledger(settings.ledger_url) as ledger:
        known = next(one for one in ledger.submissions(MARCH) if one.status is Verdict.ACCEPTED)
    drop(settings, "又一次.xlsx", Originals(settings.originals_dir).get(known.sha256))
    receive(instance)
    answer = ask_submissions(instance)
    assert isinstance(answer, dg.SkipReason)


def test_a_file_that_is_refused_asks_for_no_run(settings: Settings, instance: dg.DagsterInstance) -> None:
    drop(settings, "坏.xlsx", b"not a workbook")
    receive(instance)
    assert isinstance(ask_submissions(instance), dg.SkipReason)


def test_a_confirmed_query_asks_for_a_run_of_its_month(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    with open_ledger(settings.ledger_url) as ledger:
        ledger.confirm(a_query(settings), "已电话核实，国别确实不详", Actor("李", is_operator=True))
    [request] = requests_of(ask_submissions(instance))
    assert request.partition_key == "2019-03"


def test_nothing_new_since_the_last_look_is_said_with_the_number(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    with open_ledger(settings.ledger_url) as ledger:
        ledger.confirm(a_query(settings), "已电话核实，国别确实不详", Actor("李", is_operator=True))
    first = ask_submissions(instance)
    assert isinstance(first, dg.SensorResult)
    again = ask_submissions(instance, cursor=first.cursor)
    assert isinstance(again, dg.SkipReason)
    assert "Nothing was filed or confirmed since submission" in str(again.skip_message)


def returns_of(month: Month, sequence: int) -> Change:
    return Change(FileKind.RETURN, month, month, sequence, 0)


def test_a_correction_reaches_the_rest_of_its_year_and_the_year_after() -> None:
    months = [Month(2019, 3), Month(2019, 12), Month(2020, 12), Month(2021, 1)]
    before = month_states([returns_of(month, 10) for month in months], months)
    corrected = [*(returns_of(month, 10) for month in months[1:]), returns_of(Month(2019, 3), 11)]
    after = month_states(corrected, months)
    reached = [str(month) for month in months if before[month] != after[month]]
    assert reached == ["2019-03", "2019-12", "2020-12"]


def test_a_departmental_table_reaches_the_months_it_speaks_of_and_their_comparisons() -> None:
    months = [Month(2018, 12), Month(2019, 6), Month(2020, 6), Month(2021, 6)]
    table = Change(FileKind.DEPARTMENT, Month(2019, 1), Month(2019, 12), 99, 0)
    states = month_states([*(returns_of(month, 1) for month in months), table], months)
    assert [str(month) for month in months if states[month][0] == 99] == ["2019-06", "2020-06"]
