"""A page offers what there is: blank forms of who is to file, files named by the day in Shanghai."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from filed_by_hand import Line, a_workbook
from portal_bureau import OUR_NAME, OURS, PEOPLE, THEIRS, Browser, Bureau, SignedInPeople

from pipelines.ledger import EventKind
from pipelines.ledger.register import NewEvent
from pipelines.periods import Month
from pipelines.portal.app import create_app

LINE = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)


@pytest.fixture
def own_app(own_bureau: Bureau) -> FastAPI:
    return create_app(
        own_bureau.settings, own_bureau.ledger, accounts=SignedInPeople(), today=lambda: date(2020, 4, 8)
    )


def offered(app: FastAPI, code: str) -> list[str]:
    page = Browser(app, "clerk").get(f"/enterprises/{code}").text
    return [link.replace("&amp;", "&") for link in re.findall(r'href="(/templates/workbook[^"]+)"', page)]


def test_a_blank_form_is_offered_of_who_is_to_file_and_of_nobody_else(
    own_app: FastAPI, own_bureau: Bureau
) -> None:
    assert len(offered(own_app, THEIRS)) == 1
    own_bureau.ledger.register.record(
        NewEvent(THEIRS, EventKind.MERGED, Month(2020, 3), successor_code=OURS, reason="并入江汉示例"),
        PEOPLE["clerk"].actor,
    )
    assert offered(own_app, THEIRS) == []
    [link] = offered(own_app, OURS)
    assert Browser(own_app, "clerk").get(link).status_code == 200


def test_the_page_of_an_enterprise_says_which_of_its_returns_count(
    own_app: FastAPI, own_bureau: Bureau
) -> None:
    own_bureau.file(a_workbook(OURS, "2020-01", [LINE], name=OUR_NAME))
    newer = replace(LINE, export=110, export_ytd=110)
    own_bureau.file(a_workbook(OURS, "2020-01", [newer], name=OUR_NAME, is_revision=True))
    page = Browser(own_app, "clerk").get(f"/enterprises/{OURS}").text
    recent = page.split('id="recent"')[1].split("</table>")[0]
    assert re.findall(r'class="verdict verdict-(\w+)"', recent) == ["accepted", "superseded"]


def test_an_export_of_the_audit_log_is_named_by_the_day_of_the_portal(own_app: FastAPI) -> None:
    answer = Browser(own_app, "audit_admin").post("/audit/export", {"format": "csv"})
    assert answer.status_code == 200
    assert "审计日志_2020-04-08.csv" in unquote(answer.headers["content-disposition"])
