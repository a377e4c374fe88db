"""A bureau whose door is open and whose warehouse nobody else holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bureau_at_work import ENTERPRISE, Bureau

from pipelines.ledger import RegisterRow, open_ledger
from pipelines.periods import Month
from pipelines.reception import Reception
from pipelines.settings import Settings
from pipelines.warehouse.connection import open_warehouse


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    data = tmp_path / "data"
    settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=1)
    with (
        open_ledger(settings.ledger_url) as ledger,
        Reception(settings, ledger) as door,
        open_warehouse(settings, wait_seconds=0, purpose="test", threads=2) as con,
    ):
        ledger.import_register(
            [RegisterRow(ENTERPRISE, "示例一号服务有限公司", "420111", "6513", Month(2016, 1))]
        )
        desk = tmp_path / "desk"
        desk.mkdir()
        yield Bureau(desk, settings, ledger, door, con)
