"""The mark in a workbook that the system made: which version, for which month and enterprise, from which layouts.

It stands as a hidden defined name in the workbook's own part, where every spreadsheet program keeps it. Nothing
is believed on its word: the reader uses it only to speak of a form that is still as it was downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from typing import Protocol

MARK_NAME = "servtrade_template"
_MARK = re.compile(rb"<(?:\w+:)?definedName\s[^>]*?name=[\"']servtrade_template[\"'][^>]*>([^<]{1,400})<")


class _Version(Protocol):
    @property
    def form_code(self) -> str: ...
    @property
    def version(self) -> str: ...


def mark_text(version: int, month: str, enterprise_code: str, layouts: Iterable[_Version]) -> str:
    """1;2026-03;91420100MA4KABCD10;FM-1/2016,FM-2/2016."""
    forms = ",".join(f"{layout.form_code}/{layout.version}" for layout in layouts)
    return f"{version};{month};{enterprise_code};{forms}"


def mark_in(workbook_part: bytes) -> str:
    """The mark of a workbook from its xl/workbook.xml; empty for a workbook that is not ours."""
    if MARK_NAME.encode() not in workbook_part:
        return ""
    match = _MARK.search(workbook_part)
    return unescape(match[1].decode("utf-8", "replace")).strip('"') if match else ""
