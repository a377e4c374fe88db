"""Reviewing returns, the list of filings and the register, as each kind of person meets them."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from filed_by_hand import Line, a_workbook, credit_code
from portal_bureau import OUR_NAME, OURS, THEIR_NAME, THEIRS, Browser, Bureau, SignedInPeople

from pipelines.portal.app import create_app

LINE = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)


@pytest.fixture
def own(own_bureau: Bureau) -> Any:
    """Browsers before a portal of this test alone."""
    app = create_app(own_bureau.settings, own_bureau.ledger, accounts=SignedInPeople())
    return lambda token: Browser(app, token)


@pytest.fixture
def queried(own_bureau: Bureau) -> str:
    """A return of ours with an open query, filed by the enterprise's own reporter."""
    own_bureau.file(a_workbook(OURS, "2020-01", [LINE], name=OUR_NAME))
    jump = replace(LINE, export=1_250_000, export_ytd=1_250_120, imports=3, imports_ytd=6)
    return own_bureau.file(a_workbook(OURS, "2020-02", [jump], name=OUR_NAME)).submission_id


def test_the_list_shows_what_waits_to_those_whose_business_it_is(own: Any, queried: str) -> None:
    for name, status, is_shown in (
        ("clerk", 200, True),
        ("our_district", 200, True),
        ("their_district", 200, False),
        ("ours", 403, False),
        ("official", 403, False),
        ("audit_admin", 403, False),
    ):
        answer = own(name).get("/review")
        assert answer.status_code == status
        assert (queried in answer.text) == is_shown, name


def test_a_query_is_confirmed_with_a_reason_and_leaves_the_list(
    own: Any, own_bureau: Bureau, queried: str
) -> None:
    clerk = own("clerk")
    assert clerk.post(f"/review/{queried}", {"act": "confirm", "reason": "短"}).status_code == 409
    assert (
        clerk.post(f"/review/{queried}", {"act": "confirm", "reason": "已电话核实，合同属实"}).status_code
        == 303
    )
    assert queried not in clerk.get("/review").text
    [now] = own_bureau.ledger.submissions(submission_ids=[queried])
    assert now.status == "accepted"


def test_what_is_sent_back_is_drafted_from_the_rules_and_seen_first_by_the_enterprise(
    own: Any, queried: str
) -> None:
    page = own("clerk").get(f"/review/{queried}").text
    assert "请更正或说明以下问题后重新报送" in page
    assert (
        own("clerk").post(f"/review/{queried}", {"act": "send_back", "text": "请核对计量单位。"}).status_code
        == 303
    )
    assert "请核对计量单位。" in own("ours").get("/").text
    assert "请核对计量单位。" in own("ours").get(f"/submissions/{queried}").text
    assert (
        own("clerk").post(f"/review/{queried}", {"act": "withdraw", "reason": "误退，撤销"}).status_code
        == 303
    )
    assert queried in own("clerk").get("/review").text


def test_explanations_are_looked_at_by_somebody_else_and_a_refusal_opens_the_query(
    own: Any, queried: str
) -> None:
    fields = re.findall(r'name="(reason_\d+)"', own("ours").get(f"/submissions/{queried}").text)
    reasons = dict.fromkeys(fields, "新签年度大合同，金额属实")
    assert own("ours").post(f"/submissions/{queried}/explanations", reasons).status_code == 303
    clerk = own("clerk")
    assert "说明待复核" in clerk.get("/review").text
    assert clerk.post(f"/review/{queried}", {"act": "refuse", "reason": ""}).status_code == 409
    assert clerk.post(f"/review/{queried}", {"act": "refuse", "reason": "请附合同依据"}).status_code == 303
    assert "待核实" in clerk.get(f"/review/{queried}").text
    assert "请附合同依据" in own("ours").get(f"/submissions/{queried}").text


def test_nobody_decides_about_what_he_filed_himself(own: Any, own_bureau: Bureau, queried: str) -> None:
    jump = replace(LINE, export=9_250_000, export_ytd=9_250_120, imports=3, imports_ytd=6)
    filed = own_bureau.file(a_workbook(THEIRS, "2020-02", [jump], name=THEIR_NAME), by="li").submission_id
    answer = own("clerk").post(f"/review/{filed}", {"act": "confirm", "reason": "我自己核实过了"})
    assert answer.status_code in (403, 409)
    [now] = own_bureau.ledger.submissions(submission_ids=[filed])
    assert now.status != "accepted"


def test_a_foreign_return_and_one_that_is_not_there_are_answered_alike(own: Any, queried: str) -> None:
    district = own("their_district")
    assert district.get(f"/review/{queried}").status_code == 404
    assert district.get("/review/00000000000000000000").status_code == 404
    assert (
        district.post(f"/review/{queried}", {"act": "confirm", "reason": "已电话核实，属实"}).status_code
        == 404
    )
    assert own("clerk").post(f"/review/{queried}", {"act": "burn", "reason": "已电话核实"}).status_code == 400


@pytest.mark.parametrize(
    "query", ["", "?state=queries", "?rule=Q3", "?q=江汉", "?state=nonsense&kind=x&at=77"]
)
def test_filings_are_listed_to_those_who_may_see_them(browser: Any, filed: Any, query: str) -> None:
    ours = browser("ours").get(f"/submissions{query}")
    assert ours.status_code == 200
    assert THEIR_NAME not in ours.text
    assert browser("clerk").get(f"/submissions{query}").status_code == 200


def test_filings_can_be_narrowed_to_a_rule(browser: Any, filed: Any) -> None:
    clerk = browser("clerk")
    assert filed.rejected.submission_id in clerk.get("/submissions?rule=P06").text
    assert filed.accepted.submission_id not in clerk.get("/submissions?rule=P06").text
    assert clerk.get("/submissions?month=undecided").status_code == 400


def test_an_enterprise_enters_moves_and_leaves_and_every_event_stays_on_record(own: Any) -> None:
    clerk, code = own("clerk"), credit_code(77)
    entered = {
        "kind": "entered",
        "enterprise_code": code,
        "enterprise_name": "新入企业",
        "district_code": "420103",
        "industry_code": "6513",
        "month": "2020-05",
    }
    assert clerk.post("/enterprises", entered).status_code == 303
    moved = {"kind": "moved_district", "enterprise_code": code, "district_code": "420111", "month": "2020-07"}
    assert clerk.post("/enterprises", moved).status_code == 303
    left = {"kind": "left", "enterprise_code": code, "month": "2020-09", "reason": "注销登记"}
    assert clerk.post("/enterprises", left).status_code == 303
    page = clerk.get(f"/enterprises/{code}").text
    for words in ("纳入名录", "迁区", "退出名录", "注销登记"):
        assert words in page


def test_an_event_that_does_not_fit_is_refused_in_words(own: Any) -> None:
    clerk = own("clerk")
    again = {
        "kind": "entered",
        "enterprise_code": OURS,
        "enterprise_name": OUR_NAME,
        "district_code": "420103",
        "month": "2020-05",
    }
    assert clerk.post("/enterprises", again).status_code == 409
    merged = {
        "kind": "merged",
        "enterprise_code": OURS,
        "month": "2020-05",
        "successor_code": "nobody",
        "reason": "合并",
    }
    assert clerk.post("/enterprises", merged).status_code == 409
    assert (
        clerk.post("/enterprises", {"kind": "x", "enterprise_code": OURS, "month": "2020-05"}).status_code
        == 400
    )


NEW = {
    "kind": "entered",
    "enterprise_code": credit_code(78),
    "enterprise_name": "新入“企业”",
    "district_code": "420103",
    "industry_code": "6513",
    "month": "2020-05",
}


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("enterprise_code", "NOTACODE<b>", "不是统一社会信用代码"),
        ("enterprise_code", "A/B", "不是统一社会信用代码"),
        ("enterprise_name", "", "单位名称"),
        ("district_code", "999999", "不是本市的区或开发区"),
        ("industry_code", "垃圾", "GB/T 4754"),
    ],
)
def test_a_code_of_a_new_enterprise_is_refused_at_its_field_and_what_was_typed_stays(
    own: Any, own_bureau: Bureau, field: str, given: str, said: str
) -> None:
    before = own_bureau.ledger.enterprises()
    answer = own("clerk").post("/enterprises", NEW | {field: given})
    assert answer.status_code == 409
    assert own_bureau.ledger.enterprises() == before
    marks = re.findall(r'id="([^"]+)-error">([^<]+)<', answer.text)
    assert [name for name, _ in marks] == [field]
    assert said in marks[0][1]
    kept = NEW | {field: given}
    for name in ("enterprise_code", "enterprise_name", "industry_code"):
        assert f'name="{name}" value="{html.escape(kept[name])}"' in answer.text.replace("&#34;", "&quot;")
    assert '<option value="2020-05" selected>' in answer.text


def test_a_code_of_an_enterprise_that_is_there_is_refused_at_its_field(own: Any) -> None:
    changed = {
        "kind": "changed_industry",
        "enterprise_code": OURS,
        "month": "2020-05",
        "industry_code": "垃圾",
        "reason": "转型",
    }
    text = own("clerk").post("/enterprises", changed).text
    assert re.findall(r'id="([^"]+)-error">', text) == ["changed_industry-industry_code"]
    assert 'id="changed_industry-industry_code" name="industry_code" value="垃圾"' in text
    assert 'id="changed_industry-reason" name="reason" value="转型"' in text
    moved = {
        "kind": "moved_district",
        "enterprise_code": OURS,
        "month": "2020-05",
        "district_code": "999999",
    }
    text = own("clerk").post("/enterprises", moved).text
    assert re.findall(r'id="([^"]+)-error">', text) == ["moved_district-district_code"]


def test_an_enterprise_does_not_leave_before_its_last_return_and_the_words_say_what_to_do(
    own: Any, own_bureau: Bureau
) -> None:
    own_bureau.file(a_workbook(OURS, "2020-01", [LINE], name=OUR_NAME))
    left = {"kind": "left", "enterprise_code": OURS, "month": "2020-01", "reason": "注销登记"}
    answer = own("clerk").post("/enterprises", left)
    assert answer.status_code == 409
    assert "2020年1月的报表已通过" in answer.text
    assert "请把生效月份改为2020年2月或以后" in answer.text
    assert 'name="reason" value="注销登记"' in answer.text
    assert own("clerk").post("/enterprises", left | {"month": "2020-02"}).status_code == 303


def test_a_voided_event_stays_on_record_with_its_reason(own: Any, own_bureau: Bureau) -> None:
    clerk = own("clerk")
    left = {"kind": "left", "enterprise_code": OURS, "month": "2020-09", "reason": "误认为注销"}
    assert clerk.post("/enterprises", left).status_code == 303
    page = clerk.get(f"/enterprises/{OURS}").text
    event_id = page.split('name="event_id" value="')[1].split('"')[0]
    assert (
        clerk.post(
            f"/enterprises/{OURS}/void", {"event_id": event_id, "reason": "经核实仍在经营"}
        ).status_code
        == 303
    )
    assert "经核实仍在经营" in clerk.get(f"/enterprises/{OURS}").text
    assert (
        clerk.post(
            f"/enterprises/{THEIRS}/void", {"event_id": event_id, "reason": "经核实仍在经营"}
        ).status_code
        == 404
    )


def test_a_reporter_reads_the_own_entry_and_changes_nothing(own: Any) -> None:
    ours = own("ours")
    assert OUR_NAME in ours.get("/enterprises").text
    assert THEIR_NAME not in ours.get("/enterprises").text
    assert ours.get(f"/enterprises/{THEIRS}").status_code == 404
    left = {"kind": "left", "enterprise_code": OURS, "month": "2020-09", "reason": "不想再报"}
    assert ours.post("/enterprises", left).status_code == 403


def test_a_district_notes_contacts_of_its_own_enterprises_and_no_more(own: Any) -> None:
    district = own("our_district")
    contact = {
        "kind": "changed_contact",
        "enterprise_code": OURS,
        "month": "2020-05",
        "contact": "周立",
        "phone": "027-1",
    }
    assert district.post("/enterprises", contact).status_code == 303
    assert "周立" in district.get(f"/enterprises/{OURS}").text
    assert district.post("/enterprises", contact | {"enterprise_code": THEIRS}).status_code == 404
    left = {"kind": "left", "enterprise_code": OURS, "month": "2020-09", "reason": "迁往外地"}
    assert district.post("/enterprises", left).status_code == 403
