"""What the tests of the reference tables share: the tables as texts, and the way from here to their derivation."""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from pipelines.paths import REFERENCE_DIR

Rows = list[dict[str, str]]


def read_csv(path: Path) -> Rows:
    """Rows of a CSV file as texts; a byte order mark is not part of the first name."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def table() -> Callable[[str], Rows]:
    """Rows of sql/reference/<name>.csv."""
    return lambda name: read_csv(REFERENCE_DIR / f"{name}.csv")


@pytest.fixture(scope="session")
def given_table(shared: Path) -> Callable[[str], Rows]:
    """Rows of the table of facts that was carried over."""
    return lambda name: read_csv(shared / "reference" / f"{name}.csv")


@pytest.fixture(scope="session")
def derivation() -> ModuleType:
    """sql/reference/derive_codes.py, which stands beside the files that it writes and is no package."""
    spec = importlib.util.spec_from_file_location("derive_codes", REFERENCE_DIR / "derive_codes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
