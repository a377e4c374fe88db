"""What browsers report of pages that broke the content policy, in either of the two forms they send it in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Report:
    """One thing that a browser refused: by which directive, on which page (its path), and from which source."""

    directive: str
    page: str
    blocked: str


def reports_in(body: bytes) -> Iterator[Report]:
    """The reports in a request of a browser; none in anything else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(content, dict) and isinstance(content.get("csp-report"), dict):
        old = content["csp-report"]
        yield _report(
            old.get("effective-directive") or old.get("violated-directive"),
            old.get("document-uri"),
            old.get("blocked-uri"),
        )
    elif isinstance(content, list):
        for one in content:
            if isinstance(one, dict) and isinstance(one.get("body"), dict):
                new = one["body"]
                yield _report(new.get("effectiveDirective"), new.get("documentURL"), new.get("blockedURL"))


def _report(directive: Any, page: Any, blocked: Any) -> Report:
    try:
        path = urlsplit(str(page)).path
    except ValueError:
        path = ""
    return Report(_short(directive), _short(path), _short(blocked))


def _short(value: Any) -> str:
    text = str(value or "")[:120]
    return "".join(character if character.isprintable() else "?" for character in text)
