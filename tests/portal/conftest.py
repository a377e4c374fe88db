"""The bureau of `portal_bureau`, a portal before it, and a browser for each of its people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from portal_bureau import Browser, Bureau, Filed, SignedInPeople, file_returns, open_bureau

from pipelines.portal.app import create_app


@pytest.fixture(scope="session")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """One bureau for all tests that only read, or that add what others do not look at."""
    with open_bureau(tmp_path_factory.mktemp("bureau")) as opened:
        yield opened


@pytest.fixture
def own_bureau(tmp_path: Path) -> Iterator[Bureau]:
    """A bureau for one test alone."""
    with open_bureau(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def filed(bureau: Bureau) -> Filed:
    """One return for each verdict, and one of the other enterprise."""
    return file_returns(bureau)


@pytest.fixture(scope="session")
def people() -> SignedInPeople:
    return SignedInPeople()


@pytest.fixture(scope="session")
def app(bureau: Bureau, people: SignedInPeople) -> FastAPI:
    return create_app(bureau.settings, bureau.ledger, accounts=people)


@pytest.fixture
def browser(app: FastAPI) -> Callable[[str], Browser]:
    """`browser("clerk")`: signed in as this person; `browser("")`: as nobody."""
    return lambda token: Browser(app, token)
