"""A small city, generated once for all tests of the generator."""

from __future__ import annotations

import pytest
from generated_city import City, read_city

from sample_data.city import generate


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Thirty-four enterprises over thirteen months, with mistakes."""
    folder = tmp_path_factory.mktemp("city")
    return read_city(folder, generate(folder, enterprises=34, first="2019-12", months=13, seed=7))
