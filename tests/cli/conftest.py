"""The computed city, and copies of it to work on; `servtrade` in this process and in one of its own."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from computed_city import computed_city

from pipelines.cli import stores
from pipelines.cli.main import main


@dataclass(frozen=True)
class CityFiles:
    """Files of the city by what the door says of them; planted by its seed."""

    folder: Path
    accepted: Path
    queried: Path
    rejected: Path
    unreadable: Path


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data folder of the computed city; nobody changes anything in it."""
    return computed_city(tmp_path_factory)


@pytest.fixture
def copied_city(city: Path, tmp_path: Path) -> Path:
    """A copy of the computed city to change."""
    data = tmp_path / "data"
    shutil.copytree(city, data)
    return data


@pytest.fixture(scope="session")
def files(city: Path) -> CityFiles:
    """One file of the city for each verdict."""
    folder = city / "demo"
    truths = [json.loads(line) for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    blamed = {truth["file"] for truth in truths}
    by_verdict = {truth["verdict"]: folder / truth["file"] for truth in truths if truth["is_error"]}
    with (folder / "filings.csv").open(encoding="utf-8", newline="") as file:
        clean = next(
            row["path"]
            for row in csv.DictReader(file)
            if row["path"].startswith("returns/2019-03") and row["path"] not in blamed
        )
    return CityFiles(
        folder, folder / clean, by_verdict["queries"], by_verdict["rejected"], by_verdict["unreadable"]
    )


@pytest.fixture
def office(files: CityFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bureau that has the city's register and its exchange rates, and no return yet."""
    monkeypatch.setenv("SERVTRADE_DATA", str(tmp_path / "office"))
    monkeypatch.setenv("SERVTRADE_LANG", "zh")
    assert run("register", "import", str(files.folder / "register.csv")).exit_code == 0
    assert run("submit", str(files.folder / "departments")).exit_code == 0
    return tmp_path / "office"


def run(*arguments: str, input: bytes | None = None, user: str = "") -> Result:
    """`servtrade` in this process.

    `user` is whose user of the operating system it runs under: of whoever is named with --by, unless it is given.
    """
    if not user and "--by" in arguments:
        user = arguments[arguments.index("--by") + 1]
    with pytest.MonkeyPatch.context() as patch:
        if user:
            patch.setattr(stores, "person", lambda: user)
        return CliRunner().invoke(main, list(arguments), input=input)


@pytest.fixture(name="run")
def _run() -> Callable[..., Result]:
    return run
