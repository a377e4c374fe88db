"""The workbooks to annotate, made once; those that LibreOffice saves need LibreOffice."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from workbooks_to_annotate import BY_PROGRAM, by_libreoffice, by_xlsxwriter_rich

_made: dict[str, bytes] = {}


@pytest.fixture(params=[*BY_PROGRAM, "LibreOffice"])
def workbook(request: pytest.FixtureRequest) -> bytes:
    """One workbook of each program."""
    name = str(request.param)
    if name == "LibreOffice":
        return bytes(request.getfixturevalue("saved_by_libreoffice"))
    if name not in _made:
        _made[name] = BY_PROGRAM[name]()
    return _made[name]


@pytest.fixture(scope="session")
def libreoffice(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Opens a workbook in LibreOffice and saves it as another; skips, saying so, where there is none."""
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed (no soffice): what it saves was not tried")

    def through(content: bytes, target: str = "xlsx") -> bytes:
        folder: Path = tmp_path_factory.mktemp("libreoffice")
        return by_libreoffice(content, folder, target)

    return through


@pytest.fixture(scope="session")
def saved_by_libreoffice(libreoffice: Callable[..., bytes]) -> bytes:
    """A workbook with comments, validations, names and protection, as LibreOffice writes it."""
    return libreoffice(by_xlsxwriter_rich())
