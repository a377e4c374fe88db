"""A bureau to file at: settings below a temporary folder, a ledger with thirty enterprises, an open door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from filed_by_hand import credit_code

from pipelines.ledger import Ledger, RegisterRow, open_ledger
from pipelines.periods import Month
from pipelines.reception import Reception
from pipelines.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    return Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=1)


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    with open_ledger(settings.ledger_url) as opened:
        opened.import_register(
            [
                RegisterRow(credit_code(number), "示例一号服务有限公司", "420111", "6513", Month(2019, 1))
                for number in range(1, 31)
            ]
        )
        yield opened


@pytest.fixture
def reception(settings: Settings, ledger: Ledger) -> Iterator[Reception]:
    with Reception(settings, ledger) as door:
        yield door
