"""The page of a return: every finding with its cell, explanations, versions and what changed, copies and receipt."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from fastapi import FastAPI
from filed_by_hand import Line, a_workbook
from portal_bureau import OUR_NAME, OURS, XSS, Browser, Bureau, Filed, SignedInPeople

from pipelines.findings import Severity, Verdict
from pipelines.ledger import Submission
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.months import MonthActKind
from pipelines.periods import Month
from pipelines.portal.app import create_app

LINE = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)
REASON = "二月签订了新的服务合同，一次性结算。"


@pytest.fixture
def own_app(own_bureau: Bureau, people: SignedInPeople) -> FastAPI:
    return create_app(own_bureau.settings, own_bureau.ledger, accounts=people)


@pytest.fixture
def queried(own_bureau: Bureau) -> Submission:
    """A return whose February is far from its January, for one test to decide about."""
    own_bureau.file(a_workbook(OURS, "2020-01", [LINE], name=OUR_NAME), name="一月.xlsx")
    odd = replace(LINE, export=1_250_000, export_ytd=1_250_120, imports_ytd=6)
    found = own_bureau.file(a_workbook(OURS, "2020-02", [odd], name=OUR_NAME), name="二月.xlsx")
    assert found.status is Verdict.QUERIES
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("what", ["accepted", "queried", "rejected", "unreadable"])
def test_every_finding_stands_on_the_page_with_its_cell_in_the_visitors_language(
    browser: Callable[[str], Browser], filed: Filed, bureau: Bureau, what: str, language: str
) -> None:
    submission = getattr(filed, what)
    one = browser("ours")
    one.client.cookies.set("servtrade_view", language)
    page = one.get(f"/submissions/{submission.submission_id}").text
    findings = bureau.ledger.findings(submission.submission_id)
    assert len(findings) == len(re.findall(r'<li id="finding-', page))
    for finding in findings:
        assert str(escape(getattr(finding.message, language))) in page
        if finding.cell:
            assert f'<strong class="cell">{finding.cell}</strong>' in page
    assert submission.sha256 in page


def escape(text: str) -> str:
    import markupsafe

    return str(markupsafe.escape(text))


def test_an_explanation_of_every_query_accepts_the_return_and_is_shown(
    own_app: FastAPI, own_bureau: Bureau, queried: Submission
) -> None:
    one = Browser(own_app, "ours")
    path = f"/submissions/{queried.submission_id}"
    page = one.get(path).text
    fields = dict.fromkeys(re.findall(r'name="(reason_\d+)"', page), REASON)
    warnings = [
        f for f in own_bureau.ledger.findings(queried.submission_id) if f.severity is Severity.WARNING
    ]
    assert len(fields) == len(warnings) > 0
    answer = one.post(f"{path}/explanations", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?said=explained")
    [now] = own_bureau.ledger.submissions(submission_ids=[queried.submission_id])
    assert now.status is Verdict.ACCEPTED
    after = one.get(answer.headers["location"]).text
    assert "说明已提交" in after
    assert REASON in after
    assert "通过审核，说明待复核" in after


def test_after_a_refusal_the_page_says_that_the_next_answer_waits_for_a_reviewer(
    own_app: FastAPI, own_bureau: Bureau, queried: Submission
) -> None:
    one, explanations = Browser(own_app, "ours"), own_bureau.ledger.explanations
    path = f"/submissions/{queried.submission_id}"
    fields = dict.fromkeys(re.findall(r'name="(reason_\d+)"', one.get(path).text), REASON)
    one.post(f"{path}/explanations", fields)
    reviewer = Browser(own_app, "clerk")
    review = f"/review/{queried.submission_id}"
    assert reviewer.post(review, {"act": "refuse", "reason": "请附合同首页"}).status_code == 303
    page = one.get(path).text
    assert page.count("此前的说明未被采纳；新的说明待审核人员采纳后") == len(fields)
    same = one.post(f"{path}/explanations", fields)
    assert (same.status_code, "这一说明此前未被采纳（审核意见：请附合同首页）" in same.text) == (409, True)
    one.post(f"{path}/explanations", dict.fromkeys(fields, "合同首页已传真，编号 17"))
    assert all(query.is_open for query in explanations.queries(queried.submission_id) if query.explanation)
    assert reviewer.post(review, {"act": "accept", "reason": ""}).status_code == 303
    [now] = own_bureau.ledger.submissions(submission_ids=[queried.submission_id])
    assert now.status is Verdict.ACCEPTED


def test_an_old_version_offers_nothing_to_do(
    own_app: FastAPI, own_bureau: Bureau, queried: Submission
) -> None:
    odd = replace(LINE, export=1_250_001, export_ytd=1_250_121, imports_ytd=6)
    own_bureau.file(a_workbook(OURS, "2020-02", [odd], name=OUR_NAME), name="二月改.xlsx")
    page = Browser(own_app, "ours").get(f"/submissions/{queried.submission_id}").text
    assert 'name="reason_' not in page
    review = Browser(own_app, "clerk").get(f"/review/{queried.submission_id}").text
    for act in ("confirm", "send_back", "accept", "refuse"):
        assert f'value="{act}"' not in review


def test_what_the_desk_says_of_a_whole_file_points_to_no_page_of_the_catalogue(
    own_app: FastAPI, own_bureau: Bureau
) -> None:
    january, analyst = Month(2020, 1), Actor("chen", frozenset({Role.ANALYST}))
    own_bureau.ledger.months.propose(january, MonthActKind.CLOSE, "收表期已过，可以结账", analyst)
    own_bureau.ledger.months.confirm(january, Actor("li", frozenset({Role.CLERK})))
    late = own_bureau.file(a_workbook(OURS, "2020-01", [LINE], name=OUR_NAME))
    page = Browser(own_app, "ours").get(f"/submissions/{late.submission_id}").text
    assert '<span class="rule">M1</span>' in page
    assert "/rules/M1" not in page


def test_an_explanation_that_says_nothing_is_refused_and_what_was_typed_is_kept(
    browser: Callable[[str], Browser], filed: Filed
) -> None:
    one = browser("ours")
    path = f"/submissions/{filed.queried.submission_id}"
    first = re.findall(r'name="(reason_\d+)"', one.get(path).text)[0]
    answer = one.post(f"{path}/explanations", {first: "因为"})
    assert answer.status_code == 409
    assert ">因为</textarea>" in answer.text
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("fields", [{}, {"reason_999": REASON}, {"reason_x": REASON}, {"reason_1": ""}])
def test_an_explanation_of_nothing_is_told_in_words(
    browser: Callable[[str], Browser], filed: Filed, fields: dict[str, object]
) -> None:
    answer = browser("ours").post(f"/submissions/{filed.queried.submission_id}/explanations", fields)
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text


def test_nobody_explains_for_an_enterprise_not_their_own(
    browser: Callable[[str], Browser], filed: Filed
) -> None:
    for person in ("theirs", "their_district"):
        answer = browser(person).post(
            f"/submissions/{filed.queried.submission_id}/explanations", {"reason_1": REASON}
        )
        assert answer.status_code == 404


def test_an_error_that_must_be_corrected_offers_no_field_to_explain_it(
    browser: Callable[[str], Browser], filed: Filed
) -> None:
    page = browser("ours").get(f"/submissions/{filed.rejected.submission_id}").text
    critical = re.search(r'<h2 id="critical">.*?</section>', page, flags=re.DOTALL)
    assert critical
    assert "<textarea" not in critical[0]


def test_what_a_reviewer_sent_back_stands_first(
    own_app: FastAPI, own_bureau: Bureau, queried: Submission, people: SignedInPeople
) -> None:
    reason = "请核对出口金额的计量单位后重报。"
    own_bureau.ledger.reviews.send_back(queried.submission_id, reason, people.people["clerk"].actor)
    page = Browser(own_app, "ours").get(f"/submissions/{queried.submission_id}").text
    assert page.index(reason) < page.index('class="findings')
    assert "退回更正" in page


# -- versions -------------------------------------------------------------------------------------------------


def test_what_a_correction_changed_is_shown_cell_by_cell(own_app: FastAPI, own_bureau: Bureau) -> None:
    usa, japan = LINE, replace(LINE, partner="JPN", export=77, export_ytd=77)
    own_bureau.file(a_workbook(OURS, "2020-01", [usa, japan], name=OUR_NAME), name="一.xlsx")
    second = own_bureau.file(
        a_workbook(
            OURS,
            "2020-01",
            [japan, replace(usa, export=130, export_ytd=130)],
            name=OUR_NAME,
            is_revision=True,
        ),
        name="二.xlsx",
    )
    page = Browser(own_app, "ours").get(f"/submissions/{second.submission_id}/differences").text
    rows = {
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip()
        for row in re.findall(r"<tr>.*?</tr>", page, flags=re.DOTALL)
    }
    assert any("出口 本月" in row and "USA" in row and "120" in row and "130" in row for row in rows)
    # The row for Japan only moved up: nothing about it changed.
    assert not any("JPN" in row for row in rows)


def test_a_first_version_has_nothing_to_be_compared_with(
    browser: Callable[[str], Browser], filed: Filed
) -> None:
    answer = browser("ours").get(f"/submissions/{filed.accepted.submission_id}/differences")
    assert answer.status_code == 404


# -- copies and receipt ---------------------------------------------------------------------------------------


def test_the_annotated_workbook_opens_with_the_findings_in_front(
    browser: Callable[[str], Browser], filed: Filed
) -> None:
    answer = browser("ours").get(f"/submissions/{filed.queried.submission_id}/annotated")
    assert answer.status_code == 200
    assert "%E5%AE%A1%E6%A0%B8%E6%84%8F%E8%A7%81" in answer.headers["content-disposition"]  # 审核意见
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames[0] == "审核意见"


def test_staff_get_values_only_and_nothing_that_computes(
    browser: Callable[[str], Browser], filed: Filed
) -> None:
    answer = browser("clerk").get(f"/submissions/{filed.accepted.submission_id}/values")
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert not [cell for sheet in book for row in sheet for cell in row if cell.data_type == "f"]
    assert browser("clerk").get(f"/submissions/{filed.accepted.submission_id}/annotated").status_code == 404


def test_a_file_that_never_came_past_the_gate_has_no_values_copy(
    browser: Callable[[str], Browser], filed: Filed
) -> None:
    answer = browser("clerk").get(f"/submissions/{filed.unreadable.submission_id}/values")
    assert answer.status_code == 409
    assert "安全检查" in answer.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_receipt_names_number_time_and_fingerprint(
    browser: Callable[[str], Browser], filed: Filed, language: str
) -> None:
    one = browser("ours")
    one.client.cookies.set("servtrade_view", language)
    page = one.get(f"/submissions/{filed.accepted.submission_id}/receipt").text
    assert re.search(r"2020-01-\d{6}", page)
    assert filed.accepted.sha256[:16] in page
    pdf = one.get(f"/submissions/{filed.accepted.submission_id}/receipt.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert "attachment" in pdf.headers["content-disposition"]


# -- what hostile people write ----------------------------------------------------------------------------------


def test_what_somebody_writes_into_names_cells_and_file_names_is_text_on_every_page(
    own_app: FastAPI, own_bureau: Bureau
) -> None:
    odd = replace(LINE, partner=XSS, item=XSS, remark=XSS, export=XSS)
    filed = own_bureau.file(a_workbook(OURS, "2020-03", [odd], name=XSS, note=XSS), name=f"{XSS}.xlsx")
    queried = own_bureau.file(
        a_workbook(OURS, "2020-04", [replace(LINE, export_ytd=1, remark="")], name=OUR_NAME),
        name=f"q{XSS}.xlsx",
    )
    one = Browser(own_app, "ours")
    page = one.get(f"/submissions/{queried.submission_id}").text
    for field in re.findall(r'name="(reason_\d+)"', page)[:1]:
        one.post(f"/submissions/{queried.submission_id}/explanations", {field: XSS})
    for submission_id in (filed.submission_id, queried.submission_id):
        for suffix in ("", "/receipt"):
            text = one.get(f"/submissions/{submission_id}{suffix}").text
            assert "<img src=x" not in text
            assert "<script>alert" not in text
            assert "49" not in re.findall(r"\{\{.*?\}\}", text)
    assert "&lt;script&gt;alert(2)&lt;/script&gt;" in one.get(f"/submissions/{filed.submission_id}").text
    answer = one.get(f"/submissions/{filed.submission_id}/original")
    assert not re.search(r"[<>\r\n]", answer.headers["content-disposition"])


def test_a_name_with_every_kind_of_trick_arrives_clean_in_the_header(
    own_app: FastAPI, own_bureau: Bureau
) -> None:
    name = '..\\..\\报"表\u202exslx.exe\r\nSet-Cookie: a=b;%00.xlsx'
    filed = own_bureau.file(a_workbook(OURS, "2020-05", [LINE], name=OUR_NAME), name=name)
    header: Any = Browser(own_app, "ours").get(f"/submissions/{filed.submission_id}/original").headers
    assert "set-cookie" not in header
    disposition = header["content-disposition"]
    assert disposition.count('"') == 2
    assert "%E2%80%AE" not in disposition
    assert "\\" not in disposition


# -- what was typed is not lost ---------------------------------------------------------------------------------


def test_as_many_long_explanations_as_the_page_has_fields_are_taken_at_once(
    browser: Callable[[str], Browser], filed: Filed
) -> None:
    one = browser("ours")
    path = f"/submissions/{filed.queried.submission_id}/explanations"
    long = {f"reason_{number}": "合" * 1_000 for number in range(1_000, 1_300)}
    answer = one.post(path, long)  # of no query of this return: told so, and not that it is too much
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_form_beyond_its_limits_is_told_the_limits_that_it_broke(
    browser: Callable[[str], Browser], filed: Filed, language: str
) -> None:
    one = browser("clerk")
    one.client.cookies.set("servtrade_view", language)
    large = one.post("/view", {"change": "a" * 300_000})
    assert large.status_code == 413
    assert {"zh": "此处一次最多 256 KB", "en": "at most 256 KB at a time here"}[language] in large.text
    assert "80 MB" not in large.text
    many = one.post("/view", {f"field_{number}": "x" for number in range(1_001)})
    assert many.status_code == 400
    assert {"zh": "此处一次最多 1000 项", "en": "at most 1000 at a time here"}[language] in many.text


def test_what_was_typed_in_an_old_tab_stays_on_the_page_when_a_newer_version_has_come(
    own_app: FastAPI, own_bureau: Bureau, queried: Submission
) -> None:
    one = Browser(own_app, "ours")
    path = f"/submissions/{queried.submission_id}"
    first = re.findall(r'name="(reason_\d+)"', one.get(path).text)[0]
    odd = replace(LINE, export=1_250_001, export_ytd=1_250_121, imports_ytd=6)
    newer = own_bureau.file(a_workbook(OURS, "2020-02", [odd], name=OUR_NAME), name="二月改.xlsx")
    answer = one.post(f"{path}/explanations", {first: REASON})
    assert answer.status_code == 409
    kept = re.findall(r"<textarea[^>]* readonly>([^<]*)</textarea>", answer.text)
    assert kept == [REASON]
    assert "您填写的说明（没有保存）" in answer.text
    assert f'href="/submissions/{newer.submission_id}"' in answer.text
