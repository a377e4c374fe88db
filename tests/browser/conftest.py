"""Debian's Chromium before a running portal: signed-in pages, what the browser reports, axe, no request elsewhere.

Where there is no Chromium these tests skip and say so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from portal_in_chromium import (
    ARGUMENTS,
    AXE,
    CHROMIUM,
    TODAY,
    Portal,
    SignedInPeople,
    Watched,
    file_returns,
    open_bureau,
    running,
)
from the_city import CityPortal, Visits, open_city_portal

from pipelines.portal.app import create_app


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--guide-pictures", action="store_true", help="take the pictures of docs/guides anew (test_guides.py)"
    )


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal on a free port of this machine, with the returns of the tests of `tests/portal`."""
    with open_bureau(tmp_path_factory.mktemp("browser")) as bureau:
        filed = file_returns(bureau)
        app = create_app(bureau.settings, bureau.ledger, accounts=SignedInPeople(), today=lambda: TODAY)
        with running(app) as address:
            yield Portal(address, bureau, filed, app)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, started once."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed: the browser tests did not run")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(portal: Portal, chromium: Any) -> Iterator[Callable[..., Any]]:
    """`visit("clerk", "/uploads", language="en")`: a page as this person sees it.

    With `scripts=False` the browser runs none. At the end of the test nothing may have been refused by the policy,
    thrown, asked for elsewhere or popped up.
    """
    watched = Watched()
    contexts = []
    before = len(portal.app.state.policy_reports)

    def open_page(
        person: str,
        path: str = "/",
        *,
        language: str = "zh",
        scripts: bool = True,
        view: str = "",
        width: int = 1280,
        height: int = 900,
    ) -> Any:
        context = chromium.new_context(
            java_script_enabled=scripts,
            locale="zh-CN" if language == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            viewport={"width": width, "height": height},
            accept_downloads=True,
        )
        contexts.append(context)
        cookies = [{"name": "servtrade_view", "value": f"{language}{view}", "url": portal.address}]
        if person:
            cookies.append({"name": "servtrade", "value": person, "url": portal.address})
        context.add_cookies(cookies)
        context.on("request", lambda request: watched.note_request(request.url))
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("dialog", lambda dialog: (watched.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on("console", lambda message: watched.note_message(message.text))
        page.goto(f"{portal.address}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    watched.expect_nothing()
    assert portal.app.state.policy_reports[before:] == []


@pytest.fixture(scope="module")
def city_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityPortal]:
    """The portal of a bureau in the middle of its month; the clock says 9 April 2020 while it is open.

    One a module: its work changes the city, and nobody after it may find the clock of another year.
    """
    with open_city_portal(tmp_path_factory.mktemp("city")) as portal:
        yield portal


@pytest.fixture
def visits(city_portal: CityPortal, chromium: Any) -> Iterator[Visits]:
    """Pages of the city's people; nothing may have been refused by the policy, thrown, or asked for elsewhere."""
    before = len(city_portal.app.state.policy_reports)
    opened = Visits(city_portal, chromium)
    yield opened
    opened.close()
    assert city_portal.app.state.policy_reports[before:] == []


@pytest.fixture(scope="session")
def accessible() -> Callable[..., None]:
    """`accessible(page)`: axe finds nothing against WCAG 2.2 AA on it."""
    if not AXE.exists():
        pytest.skip("axe-core is not here (make environment): pages were not checked for accessibility")
    source = AXE.read_text(encoding="utf-8")

    def check(page: Any) -> None:
        page.evaluate(source)
        found = page.evaluate(
            """() => axe.run(document, {
                runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
            })"""
        )
        told = [
            f"{violation['id']} ({violation['impact']}): {violation['help']}\n  "
            + "\n  ".join(
                f"{node['html'][:200]} -- {json.dumps(node.get('failureSummary', ''), ensure_ascii=False)[:300]}"
                for node in violation["nodes"][:5]
            )
            for violation in found["violations"]
        ]
        assert told == []

    return check
