"""The door on SQLite and on PostgreSQL: the same files, the same record."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from unittest.mock import patch

from filed_by_hand import credit_code
from submit_and_die import files

from pipelines.findings import Verdict
from pipelines.ledger import RegisterRow, open_ledger
from pipelines.periods import Month
from pipelines.reception import Reception, door
from pipelines.settings import Settings


def _submit_all(data_dir: Path, url: str, batch_files: int) -> list[tuple[str, str, str]]:
    settings = Settings(data_dir=data_dir, ledger_url=url, reader_count=1)
    with open_ledger(url) as ledger:
        ledger.import_register(
            [
                RegisterRow(credit_code(number), f"示例{number}号", "420111", "6513", Month(2019, 1))
                for number in range(1, 9)
            ]
        )
        small_steps = patch.multiple(door, WINDOW_FILES=12, BATCH_FILES=batch_files)
        with small_steps, Reception(settings, ledger) as reception:
            results = reception.submit(files(), channel="test", received_by="王")
    return [(result.name, result.submission_id, result.verdict.value) for result in results]


def test_processes_filing_the_same_files_at_once_file_each_once_and_agree(
    ledger_url: str, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        first, second = pool.starmap(_submit_all, [(data_dir, ledger_url, 4), (data_dir, ledger_url, 3)])
    assert first == second
    with open_ledger(ledger_url) as ledger:
        found = ledger.submissions()
        assert [one.sequence for one in found] == list(range(1, 29))
        versions = {one.series_key: one.version for one in found if one.series_key}
        assert sum(version or 0 for version in versions.values()) == len(
            [one for one in found if one.version]
        )
        for one in found:
            assert [filing.is_duplicate for filing in ledger.filings(one.submission_id)].count(False) == 1
        corrected = [one for one in found if one.is_revision]
        assert [one.version for one in corrected] == [2, 2]
        for one in corrected:
            if one.verdict is Verdict.ACCEPTED:
                assert one.is_current_accepted


def test_filing_all_again_adds_nothing(ledger_url: str, tmp_path: Path) -> None:
    for _ in range(2):
        _submit_all(tmp_path / "data", ledger_url, 400)
    with open_ledger(ledger_url) as ledger:
        assert len(ledger.submissions()) == 28
        assert sum(len(ledger.filings(one.submission_id)) for one in ledger.submissions()) == 29
