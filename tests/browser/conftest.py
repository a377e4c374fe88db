"""Debian's Chromium before a running portal: signed-in pages, what the browser reports, axe, no request elsewhere.

Where there is no Chromium these tests skip and say so.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn

HOUSE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(HOUSE / "tests" / "portal"))

from portal_bureau import Bureau, Filed, SignedInPeople, file_returns, open_bureau  # noqa: E402

from pipelines.portal.app import create_app  # noqa: E402
from pipelines.portal.server import Address, config_of  # noqa: E402

CHROMIUM = Path("/usr/bin/chromium")
AXE = HOUSE / "requirements" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
TODAY = date(2020, 4, 6)  # returns for March 2020 are due on the 10th
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Portal:
    """A portal that runs, and what stands behind it."""

    address: str
    bureau: Bureau
    filed: Filed
    app: Any


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal on a free port of this machine, with the returns of the tests of `tests/portal`."""
    with open_bureau(tmp_path_factory.mktemp("browser")) as bureau:
        filed = file_returns(bureau)
        app = create_app(bureau.settings, bureau.ledger, accounts=SignedInPeople(), today=lambda: TODAY)
        with running(app) as address:
            yield Portal(address, bureau, filed, app)


class running:
    """`with running(app) as address`: the portal's own server, in a thread."""

    def __init__(self, app: Any) -> None:
        import socket

        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(config_of(app, Address(port=0)))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> str:
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            assert self._thread.is_alive(), "the portal did not start"
            assert time.monotonic() < deadline, "the portal did not start within 30 s"
            time.sleep(0.02)
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=60)
        assert not self._thread.is_alive(), "the portal did not end"
        self._socket.close()


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


@dataclass
class Watched:
    """What a browser did that no page of ours may make it do."""

    refused_by_policy: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    requests_elsewhere: list[str] = field(default_factory=list)

    def expect_nothing(self) -> None:
        assert self.refused_by_policy == []
        assert self.errors == []
        assert self.dialogs == []
        assert self.requests_elsewhere == []


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
        context.on("request", lambda request: _note_request(watched, request.url))
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("dialog", lambda dialog: (watched.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on("console", lambda message: _note_message(watched, message.text))
        page.goto(f"{portal.address}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    watched.expect_nothing()
    assert portal.app.state.policy_reports[before:] == []


def _note_request(watched: Watched, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"data", "blob"} and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        watched.requests_elsewhere.append(url)


def _note_message(watched: Watched, text: str) -> None:
    if "Content Security Policy" in text or "Refused to" in text:
        watched.refused_by_policy.append(text)


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
