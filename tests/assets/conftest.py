"""The computed city, as it is and as a copy to work on; and Dagster's instance of a data folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from computed_city import computed_city

from pipelines.cli.stores import prepare_dagster
from pipelines.settings import Settings


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data folder of the computed city; nobody changes anything in it."""
    return computed_city(tmp_path_factory)


@pytest.fixture
def settings(city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a copy of the computed city, in force in this process."""
    data = tmp_path / "data"
    shutil.copytree(city, data)
    return in_force(data, monkeypatch)


@pytest.fixture
def empty_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of an empty data folder, in force in this process."""
    return in_force(tmp_path / "data", monkeypatch)


def in_force(data: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in (
        "SERVTRADE_LEDGER_URL",
        "SERVTRADE_LANG",
        "SERVTRADE_MODE_PROFILE",
        "SERVTRADE_SERVICES_SOURCE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SERVTRADE_DATA", str(data))
    monkeypatch.setenv("DAGSTER_HOME", str(data / "dagster"))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    settings = Settings.from_environment()
    prepare_dagster(settings)
    return settings


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance of the copy, as `dg dev` opens it."""
    with dg.DagsterInstance.get() as opened:
        yield opened
