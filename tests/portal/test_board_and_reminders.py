"""The board, 催报 and the closing of months, as each kind of person meets them."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from datetime import date
from typing import Any

import openpyxl
import pytest
from filed_by_hand import Line, a_workbook, credit_code
from portal_bureau import (
    OUR_DISTRICT,
    OUR_NAME,
    OURS,
    PEOPLE,
    THEIR_NAME,
    THEIRS,
    Browser,
    Bureau,
    SignedInPeople,
)

from pipelines.findings import Verdict
from pipelines.ledger import RegisterRow
from pipelines.periods import Month
from pipelines.portal.app import create_app

FORMULA = '=HYPERLINK("//x","y")'
MONTH = {"month": "2020-05"}


@pytest.fixture
def own(own_bureau: Bureau) -> Any:
    """Browsers before a portal of this test alone."""
    app = create_app(own_bureau.settings, own_bureau.ledger, accounts=SignedInPeople())
    return lambda token: Browser(app, token)


def test_a_clerk_sees_every_enterprise_and_a_district_only_its_own(browser: Any, filed: Any) -> None:
    everything = browser("clerk").get("/board", params=MONTH).text
    assert OUR_NAME in everything
    assert THEIR_NAME in everything
    district = browser("our_district").get("/board", params=MONTH).text
    assert OUR_NAME in district
    assert THEIR_NAME not in district
    assert THEIRS not in district


def test_the_counts_add_up_to_what_is_expected(browser: Any, filed: Any) -> None:
    page = browser("clerk").get("/board", params={"month": "2020-01"}).text
    row = page.split('<tr class="total">')[1].split("</tr>")[0]
    numbers = [int(number) for number in re.findall(r'<td class="number[^"]*">(\d+)</td>', row)]
    expected, accepted, queried, returned, missing = numbers[:5]
    assert expected == accepted + queried + returned + missing == 2


def test_the_board_is_no_business_of_reporters_officials_and_administrators(browser: Any) -> None:
    for name in ("ours", "official", "system_admin", "security_admin", "audit_admin"):
        for path in (
            "/board",
            "/board/workbook",
            "/reminders",
            f"/reminders/{OURS}",
            "/reminders/letters.pdf?month=2020-05",
        ):
            assert browser(name).get(path).status_code == 403, (name, path)


@pytest.mark.parametrize(
    "wrong",
    [{"sort": "drop table"}, {"state": "nonsense"}, {"only": "x"}, {"district": "' or 1=1"}, {"at": "999"}],
)
def test_what_is_not_understood_in_the_address_does_not_filter(browser: Any, wrong: dict[str, str]) -> None:
    assert browser("clerk").get("/board", params=MONTH | wrong).status_code == 200


def test_the_list_that_is_taken_away_holds_texts_and_no_formula(own: Any, own_bureau: Bureau) -> None:
    own_bureau.ledger.import_register(
        [RegisterRow(OURS, FORMULA, OUR_DISTRICT, "6513", Month(2019, 1), contact="+1+1", phone="-027")]
    )
    answer = own("clerk").get("/board/workbook", params=MONTH | {"state": "not_filed"})
    assert "filename*=UTF-8''2020-05_" in answer.headers["content-disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert FORMULA in {cell.value for cell in cells}
    assert {cell.value for cell in cells if cell.quotePrefix} == {FORMULA, "+1+1", "-027"}, "when edited, too"


def test_a_reminder_is_noted_and_shown_beside_the_enterprise(own: Any) -> None:
    clerk = own("clerk")
    form = {
        "month": "2020-05",
        "enterprise_codes": OURS,
        "kind": "call",
        "spoken_to": "王芳",
        "note": "答应周五报",
    }
    answer = clerk.post("/reminders", form | {"at": "2020-06-11T09:30"})
    assert answer.status_code == 303
    assert "2020-06-11 09:30:00" in clerk.get("/reminders", params=MONTH).text
    history = clerk.get(f"/reminders/{OURS}").text
    assert "王芳" in history
    assert "答应周五报" in history


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"spoken_to": ""}, 409),
        ({"enterprise_codes": ""}, 409),
        ({"kind": "shout"}, 400),
        ({"at": "gestern"}, 400),
    ],
)
def test_a_reminder_that_says_too_little_is_not_noted(own: Any, changed: dict[str, str], status: int) -> None:
    clerk = own("clerk")
    form = {"month": "2020-05", "enterprise_codes": OURS, "kind": "call", "spoken_to": "王芳"}
    assert clerk.post("/reminders", form | changed).status_code == status
    assert "还没有催报记录" in clerk.get(f"/reminders/{OURS}").text


def test_a_district_reminds_its_own_enterprises_only(own: Any) -> None:
    form = {"month": "2020-05", "enterprise_codes": THEIRS, "kind": "letter"}
    assert own("our_district").post("/reminders", form).status_code == 404
    assert own("our_district").get(f"/reminders/{THEIRS}").status_code == 404
    assert (
        own("our_district")
        .get("/reminders/letters.pdf", params=MONTH | {"enterprise_code": THEIRS})
        .status_code
        == 404
    )


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_the_letters_are_one_page_each_and_name_month_and_enterprise(own: Any) -> None:
    pdf = own("clerk").get("/reminders/letters.pdf", params=MONTH).content
    text = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    pages = [page for page in text.split("\f") if page.strip()]
    assert len(pages) == 2
    flat = text.replace(" ", "").replace("\n", "")
    assert OUR_NAME in flat
    assert THEIR_NAME in flat
    assert "2020年5月" in flat


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_nobody_who_filed_after_the_closing_is_told_that_nothing_came(own: Any, own_bureau: Bureau) -> None:
    clerk, analyst = own("clerk"), own("analyst")
    line = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)
    assert clerk.post("/months/2020-03/propose", {"act": "close", "reason": "收表期已过"}).status_code == 303
    assert analyst.post("/months/2020-03/decide", {"decision": "confirm"}).status_code == 303
    late = own_bureau.file(a_workbook(OURS, "2020-03", [line], name=OUR_NAME))
    assert late.status is Verdict.ACCEPTED
    page = clerk.get("/reminders", params={"month": "2020-03"}).text
    assert re.findall(r'name="enterprise_codes" value="(\w+)"', page) == [THEIRS]
    assert "以下 1 家在结账后才报来" in page
    assert f"/submissions?month=2020-03&amp;enterprise_code={OURS}" in page
    assert "以下 1 家尚未报送" in page
    pdf = clerk.get("/reminders/letters.pdf", params={"month": "2020-03"}).content
    text = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    assert THEIRS in text
    assert OURS not in text
    alone = clerk.get("/reminders/letters.pdf", params={"month": "2020-03"} | {"enterprise_code": OURS})
    assert alone.status_code == 404
    workbook = clerk.get("/board/workbook", params={"month": "2020-03"} | {"state": "not_filed"}).content
    sheet = openpyxl.load_workbook(io.BytesIO(workbook)).worksheets[0]
    states = {row[0].value: row[3].value for row in sheet.iter_rows(min_row=4)}
    assert states == {OURS: "未报 · 结账后有修订", THEIRS: "未报"}


def test_the_first_page_offers_no_zero_return_to_who_filed_after_the_closing(
    own_bureau: Bureau,
) -> None:
    app = create_app(
        own_bureau.settings, own_bureau.ledger, accounts=SignedInPeople(), today=lambda: date(2020, 4, 8)
    )
    clerk, analyst, ours = (Browser(app, name) for name in ("clerk", "analyst", "ours"))
    line = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)
    assert 'action="/zero-returns"' in ours.get("/").text
    assert clerk.post("/months/2020-03/propose", {"act": "close", "reason": "收表期已过"}).status_code == 303
    assert analyst.post("/months/2020-03/decide", {"decision": "confirm"}).status_code == 303
    own_bureau.file(a_workbook(OURS, "2020-03", [line], name=OUR_NAME))
    page = ours.get("/").text
    assert 'action="/zero-returns"' not in page
    assert "结账后有报送或审核，尚未计入" in page


def test_a_month_is_closed_by_two_people_and_reopened_by_two(own: Any) -> None:
    clerk, analyst = own("clerk"), own("analyst")
    assert clerk.post("/months/2020-05/propose", {"act": "close", "reason": "五月已收齐"}).status_code == 303
    own_try = clerk.post("/months/2020-05/decide", {"decision": "confirm"})
    assert own_try.status_code == 409
    assert "须由另一人确认" in own_try.text
    assert analyst.post("/months/2020-05/decide", {"decision": "confirm"}).status_code == 303
    assert "已结账" in clerk.get("/board", params=MONTH).text
    assert (
        analyst.post("/months/2020-05/propose", {"act": "reopen", "reason": "企业更正数据"}).status_code
        == 303
    )
    assert clerk.post("/months/2020-05/decide", {"decision": "confirm"}).status_code == 303
    assert "修订中" in clerk.get("/months").text


def test_who_reopens_a_month_is_told_which_are_reopened_with_it(own: Any) -> None:
    clerk, analyst = own("clerk"), own("analyst")
    for month in ("2020-05", "2020-06", "2020-07"):
        assert (
            clerk.post(f"/months/{month}/propose", {"act": "close", "reason": "各家均已收齐"}).status_code
            == 303
        )
        assert analyst.post(f"/months/{month}/decide", {"decision": "confirm"}).status_code == 303
    assert "重开时一并重开其后已结账的2020年6月至2020年7月" in clerk.get("/months/2020-05").text
    assert "一并重开" not in clerk.get("/months/2020-07").text
    proposal = {"act": "reopen", "reason": "企业更正数据"}
    assert analyst.post("/months/2020-05/propose", proposal).status_code == 303
    assert "2020年6月至2020年7月" in clerk.get("/months/2020-05").text
    assert clerk.post("/months/2020-05/decide", {"decision": "confirm"}).status_code == 303
    assert clerk.get("/months").text.count("修订中") == 3


def test_a_proposal_needs_a_reason_and_an_act_that_exists(own: Any) -> None:
    clerk = own("clerk")
    assert clerk.post("/months/2020-05/propose", {"act": "close", "reason": "短"}).status_code == 409
    assert clerk.post("/months/2020-05/propose", {"act": "burn", "reason": "五月已收齐"}).status_code == 400
    assert clerk.post("/months/2020-05/decide", {"decision": "confirm"}).status_code == 409


def test_months_are_closed_by_the_bureau_and_nobody_else(own: Any) -> None:
    for name in ("ours", "our_district", "official", "system_admin", "audit_admin"):
        assert own(name).get("/months").status_code == 403
        assert (
            own(name).post("/months/2020-05/propose", {"act": "close", "reason": "五月已收齐"}).status_code
            == 403
        )


def test_everybody_on_a_long_list_is_reminded_at_once(own: Any, own_bureau: Bureau) -> None:
    codes = [credit_code(number) for number in range(100, 1_302)]
    own_bureau.ledger.import_register(
        [RegisterRow(code, f"{code}公司", OUR_DISTRICT, "6513", Month(2019, 1)) for code in codes]
    )
    form = {"month": "2020-05", "enterprise_codes": codes, "kind": "letter"}
    assert own("clerk").post("/reminders", form).status_code == 303
    assert len(own_bureau.ledger.reminders.of(codes[-1], PEOPLE["clerk"].actor)) == 1
