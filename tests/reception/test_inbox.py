"""The folder into which clerks and departments drop their files."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from filed_by_hand import Line, a_workbook, credit_code

from pipelines.findings import Verdict
from pipelines.ledger import Ledger
from pipelines.reception import FileResult, inbox, receive_inbox, waiting_files
from pipelines.settings import Settings

JANUARY = a_workbook(credit_code(1), "2020-01", [Line(export=100.5, export_ytd=100.5)])


@pytest.fixture
def folder(settings: Settings) -> Path:
    settings.inbox_dir.mkdir(parents=True)
    return settings.inbox_dir


def receive(settings: Settings, ledger: Ledger) -> list[FileResult]:
    return receive_inbox(settings, ledger, settle_seconds=0.05)


def test_an_inbox_that_is_not_there_or_empty_holds_nothing(settings: Settings, ledger: Ledger) -> None:
    assert receive(settings, ledger) == []
    settings.inbox_dir.mkdir(parents=True)
    assert receive(settings, ledger) == []
    assert waiting_files(settings) == []


def test_a_file_is_filed_put_away_and_answered_in_both_languages(
    settings: Settings, ledger: Ledger, folder: Path
) -> None:
    (folder / "江汉区").mkdir()
    (folder / "江汉区" / "一月.xlsx").write_bytes(JANUARY)
    [result] = receive(settings, ledger)

    assert result.verdict is Verdict.ACCEPTED
    assert ledger.submissions()[0].channel == "inbox"
    [put_away] = (folder / "processed").rglob("*.xlsx")
    assert put_away.read_bytes() == JANUARY
    answer = put_away.with_name("一月.xlsx.审核结果.txt").read_text(encoding="utf-8-sig")
    assert "审核结果：通过" in answer
    assert "Result: accepted" in answer
    assert result.sha256 in answer
    assert waiting_files(settings) == []
    assert receive(settings, ledger) == []


def test_a_file_sent_back_is_answered_with_every_finding(
    settings: Settings, ledger: Ledger, folder: Path
) -> None:
    wrong = a_workbook(credit_code(1), "2020-01", [Line(export=-5, export_ytd=-5)], total=(99, 99))
    (folder / "错.xlsx").write_bytes(wrong)
    (folder / "坏.xlsx").write_bytes(b"<html>")
    results = receive(settings, ledger)
    answers = {
        path.name: path.read_text(encoding="utf-8-sig") for path in (folder / "processed").rglob("*.txt")
    }
    assert set(answers) == {"错.xlsx.审核结果.txt", "坏.xlsx.审核结果.txt"}
    for result in results:
        assert result.findings
        for finding in result.findings:
            assert finding.message.zh in answers[f"{result.name}.审核结果.txt"]
            assert finding.message.en in answers[f"{result.name}.审核结果.txt"]


def test_partial_hidden_and_lock_files_are_left_alone(
    settings: Settings, ledger: Ledger, folder: Path
) -> None:
    for name in (
        "~$一月.xlsx",
        ".一月.xlsx",
        "一月.xlsx.part",
        "一月.xlsx.crdownload",
        "Thumbs.db",
        "一月.tmp",
    ):
        (folder / name).write_bytes(JANUARY)
    (folder / "链接.xlsx").symlink_to("/etc/hostname")
    os.mkfifo(folder / "管道.xlsx")
    assert receive(settings, ledger) == []
    assert ledger.submissions() == []


def test_a_file_that_still_grows_waits_for_the_next_time(
    settings: Settings, ledger: Ledger, folder: Path
) -> None:
    path = folder / "一月.xlsx"
    path.write_bytes(JANUARY[:1000])
    stop = threading.Event()

    def copy_slowly() -> None:
        with path.open("ab") as file:
            while not stop.is_set():
                file.write(b"x")
                file.flush()
                time.sleep(0.01)

    copying = threading.Thread(target=copy_slowly)
    copying.start()
    try:
        assert receive_inbox(settings, ledger, settle_seconds=2) == []
    finally:
        stop.set()
        copying.join()
    path.write_bytes(JANUARY)
    assert [result.verdict for result in receive(settings, ledger)] == [Verdict.ACCEPTED]


def test_two_files_of_one_name_on_one_day_are_both_kept(
    settings: Settings, ledger: Ledger, folder: Path
) -> None:
    for export in (100.5, 200.5):
        content = a_workbook(
            credit_code(1), "2020-01", [Line(export=export, export_ytd=export)], is_revision=True
        )
        (folder / "一月.xlsx").write_bytes(content)
        receive(settings, ledger)
    names = sorted(path.name for path in (folder / "processed").rglob("*.xlsx"))
    assert names == ["一月(2).xlsx", "一月.xlsx"]
    assert len(ledger.submissions()) == 2


def test_a_receiver_killed_before_it_put_files_away_is_completed_without_a_second_arrival(
    settings: Settings, ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "一月.xlsx").write_bytes(JANUARY)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(inbox, "_put_away", killed)
        with pytest.raises(KeyboardInterrupt):
            receive(settings, ledger)
    assert (folder / "一月.xlsx").exists()

    [result] = receive(settings, ledger)
    assert (result.verdict, result.is_duplicate) == (Verdict.ACCEPTED, False)
    assert not (folder / "一月.xlsx").exists()
    assert len(ledger.filings(result.submission_id)) == 1


def test_a_file_exchanged_while_it_was_read_is_taken_the_next_time(
    settings: Settings, ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "一月.xlsx"
    path.write_bytes(JANUARY)
    other = a_workbook(credit_code(1), "2020-01", [Line(export=7, export_ytd=7)], is_revision=True)
    submit = inbox.Reception.submit

    def exchange_afterwards(*arguments: object, **named: object) -> list[FileResult]:
        results = submit(*arguments, **named)  # type: ignore[arg-type]
        path.with_name(".new").write_bytes(other)
        path.with_name(".new").replace(path)
        return results

    with monkeypatch.context() as patched:
        patched.setattr(inbox.Reception, "submit", exchange_afterwards)
        receive(settings, ledger)
    assert path.read_bytes() == other
    receive(settings, ledger)
    assert [one.version for one in ledger.submissions()] == [1, 2]
    assert not path.exists()
