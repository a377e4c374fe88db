"""What every test may ask for. Fixtures of one package live in that package's own conftest."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of published data and seed documents beside the checkout; its tests skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "reference").is_dir():
        pytest.skip("../shared is not here: published data and seeds are read where they stand")
    return folder
