"""The rule catalogue and the blank forms: who sees what, and that what is downloaded is one's own."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from portal_bureau import OURS, THEIRS

from pipelines.intake import read_file
from pipelines.validation.catalogue import catalogue_entries


def test_everybody_who_has_signed_in_can_read_by_what_he_is_judged(browser: Any) -> None:
    for name in ("ours", "clerk", "official", "audit_admin"):
        answer = browser(name).get("/rules")
        assert answer.status_code == 200
        assert all(f'href="/rules/{rule}"' in answer.text for rule in catalogue_entries())


@pytest.mark.parametrize("rule", sorted(catalogue_entries()))
def test_every_rule_has_its_page_with_an_example(browser: Any, rule: str) -> None:
    entry = catalogue_entries()[rule]
    page = browser("clerk").get(f"/rules/{rule}").text
    assert f'<span class="code">{rule}</span>' in page
    assert entry.kind == "table" or "示例" in page


def test_how_often_a_rule_fires_is_for_those_who_see_returns(browser: Any) -> None:
    assert "近12个月" in browser("clerk").get("/rules").text
    for name in ("ours", "official", "security_admin"):
        assert "近12个月" not in browser(name).get("/rules").text
        assert "近12个月" not in browser(name).get("/rules/H2").text


def test_an_unknown_rule_is_not_found(browser: Any) -> None:
    assert browser("clerk").get("/rules/H999").status_code == 404


def test_rules_can_be_searched_by_words_severity_and_form(browser: Any) -> None:
    page = browser("clerk").get("/rules", params={"q": "累计", "severity": "critical", "form": "FM-2"}).text
    assert 'href="/rules/H2"' in page
    assert 'href="/rules/Q3"' not in page


def test_a_reporter_gets_the_own_workbook_with_the_own_code_in_it(browser: Any) -> None:
    answer = browser("ours").get("/templates/workbook", params={"month": "2020-03", "enterprise_code": OURS})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert read_file("空表.xlsx", answer.content).enterprise_code == OURS
    assert OURS in browser("ours").get("/templates").text


def test_the_workbook_of_another_enterprise_is_answered_as_one_that_does_not_exist(browser: Any) -> None:
    foreign = browser("ours").get(
        "/templates/workbook", params={"month": "2020-03", "enterprise_code": THEIRS}
    )
    unknown = browser("ours").get(
        "/templates/workbook", params={"month": "2020-03", "enterprise_code": "9" * 18}
    )
    assert foreign.status_code == unknown.status_code == 409
    assert foreign.text.replace(THEIRS, "") == unknown.text.replace("9" * 18, "")


def test_a_reporter_does_not_get_everybodys_workbooks(browser: Any) -> None:
    assert browser("ours").get("/templates/all", params={"month": "2020-03"}).status_code == 403


@pytest.mark.parametrize(("name", "count"), [("clerk", 2), ("our_district", 1)])
def test_the_bureau_gets_all_it_sees_as_one_archive(browser: Any, name: str, count: int) -> None:
    answer = browser(name).get("/templates/all", params={"month": "2020-03"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len([entry for entry in archive.namelist() if entry.endswith(".xlsx")]) == count


def test_a_month_that_is_none_is_a_bad_request(browser: Any) -> None:
    assert browser("clerk").get("/templates", params={"month": "三月"}).status_code == 400
