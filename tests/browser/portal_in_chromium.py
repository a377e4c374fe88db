"""A portal that runs in a thread, and what a browser did before it: for the tests in Chromium."""

from __future__ import annotations

import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn

HOUSE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(HOUSE / "tests" / "portal"))

from portal_bureau import Bureau, Filed, SignedInPeople, file_returns, open_bureau  # noqa: E402

from pipelines.portal.server import Address, config_of  # noqa: E402

__all__ = ["Portal", "SignedInPeople", "Watched", "file_returns", "open_bureau", "running"]

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


class running:
    """`with running(app) as address`: the portal's own server, in a thread."""

    def __init__(self, app: Any) -> None:
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

    def note_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
            self.requests_elsewhere.append(url)

    def note_message(self, text: str) -> None:
        if "Content Security Policy" in text or "Refused to" in text:
            self.refused_by_policy.append(text)
