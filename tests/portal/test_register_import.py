"""Importing a register file: seen before it is written, written once, refused by row and column."""

from __future__ import annotations

import html
import io
import re

import pytest
import xlsxwriter
from fastapi import FastAPI
from filed_by_hand import Line, a_workbook, credit_code
from portal_bureau import OUR_NAME, OURS, THEIR_NAME, THEIRS, Browser, Bureau, SignedInPeople

from pipelines.ledger import EnterpriseClass
from pipelines.ledger.actors import Actor
from pipelines.portal.app import create_app
from pipelines.reception.register_file import LIMITS, RegisterFileRefused, read_register_file

HEAD = "统一社会信用代码,企业名称,所在区,行业代码,起始月份,终止月份,联系人,联系电话\n"
AS_IT_IS = f"{HEAD}{OURS},{OUR_NAME},江汉区,6513,2016-01,,,\n{THEIRS},{THEIR_NAME},420111,5439,2016年1月,,,\n"
NEW = credit_code(31)
CHANGED = (
    f"{HEAD}{OURS},{OUR_NAME}（集团）,武昌区,6513,2016-01,,王芳,027-85550101\n"
    f"{THEIRS},{THEIR_NAME},洪山区,5439,2016-01,2020-06,,\n"
    f"{NEW},新来的公司,武昌,6420,2020-03,,,\n"
)


@pytest.fixture
def own_app(own_bureau: Bureau, people: SignedInPeople) -> FastAPI:
    return create_app(own_bureau.settings, own_bureau.ledger, accounts=people)


@pytest.fixture
def clerk(own_app: FastAPI) -> Browser:
    return Browser(own_app, "clerk")


def previewed(clerk: Browser, content: bytes | str, name: str = "名录.csv") -> str:
    data = content.encode() if isinstance(content, str) else content
    return clerk.post("/enterprises/import", files={"file": (name, io.BytesIO(data), "text/csv")}).text


def fields_of(text: str) -> dict[str, object]:
    """What the form of a preview carries."""
    found = re.findall(r'name="(file_name|mark|content)" value="([^"]*)"', text)
    return {name: html.unescape(value) for name, value in found}


def as_it_stands(bureau: Bureau) -> tuple[object, ...]:
    """Everything that an import may write: events, enterprises, audit entries."""
    actor = Actor.operator("test")
    register = bureau.ledger.register
    return (
        list(bureau.ledger.enterprises()),
        [register.events(code, actor) for code in (OURS, THEIRS)],
        bureau.ledger.audit.head().sequence,
    )


def test_a_preview_says_what_would_change_and_writes_nothing(clerk: Browser, own_bureau: Bureau) -> None:
    before = as_it_stands(own_bureau)
    text = previewed(clerk, CHANGED)
    assert as_it_stands(own_bureau) == before
    counts = re.findall(r'month-count-number">(\d+)</span> <span>([^<]+)<', text)
    assert counts == [("1", "新纳入"), ("1", "有变更"), ("1", "退出"), ("0", "无变化")]
    assert f"原名：{OUR_NAME}" in text
    assert "联系方式变更" in text
    assert "2020年7月 退出名录" in text


def test_confirmed_it_is_written_once_and_the_second_time_changes_nothing(
    clerk: Browser, own_bureau: Bureau
) -> None:
    fields = fields_of(previewed(clerk, CHANGED))
    answer = clerk.post("/enterprises/import/confirm", fields)
    assert answer.status_code == 303
    after = as_it_stands(own_bureau)
    actor = Actor.operator("test")
    assert own_bureau.ledger.register.enterprise(OURS, actor).enterprise_name.endswith("（集团）")
    assert own_bureau.ledger.register.enterprise(NEW, actor).district_code == "420106"
    trail = own_bureau.ledger.audit.trail("enterprise", NEW)
    assert [(entry.actor, entry.action) for entry in trail] == [("li", "register.imported")]
    again = clerk.post("/enterprises/import/confirm", fields)
    assert again.status_code == 409  # what was shown is not what would happen now: nothing
    assert as_it_stands(own_bureau) == after
    assert "与名录完全一致" in previewed(clerk, CHANGED)


def test_a_class_set_at_the_desk_stays_until_a_file_says_otherwise_and_the_preview_shows_it(
    clerk: Browser, own_bureau: Bureau
) -> None:
    key = {"kind": "changed_class", "enterprise_code": OURS, "month": "2016-01", "enterprise_class": "key"}
    assert clerk.post("/enterprises", key).status_code == 303
    actor = Actor.operator("test")
    text = previewed(clerk, CHANGED)
    assert "类别：" not in text
    assert clerk.post("/enterprises/import/confirm", fields_of(text)).status_code == 303
    assert own_bureau.ledger.register.enterprise(OURS, actor).enterprise_class is EnterpriseClass.KEY

    head = HEAD.replace("行业代码", "行业代码,企业类别")
    text = previewed(clerk, f"{head}{OURS},{OUR_NAME},武昌区,6513,一般,2016-01,,,\n")
    assert "类别：重点企业 → 一般企业" in text
    assert clerk.post("/enterprises/import/confirm", fields_of(text)).status_code == 303
    assert own_bureau.ledger.register.enterprise(OURS, actor).enterprise_class is EnterpriseClass.ORDINARY


@pytest.mark.parametrize(
    ("title", "written", "read"),
    [
        ("企业类别", "重点", EnterpriseClass.KEY),
        ("类别", "重点企业", EnterpriseClass.KEY),
        ("是否重点", "否", EnterpriseClass.ORDINARY),
        ("enterprise_class", "Key", EnterpriseClass.KEY),
        ("企业类别", "", None),
    ],
)
def test_a_class_is_read_as_lists_have_it_and_a_blank_says_nothing(
    title: str, written: str, read: EnterpriseClass | None
) -> None:
    text = f"统一社会信用代码,企业名称,所在区,{title}\n{OURS},{OUR_NAME},江汉区,{written}\n"
    [(_, row)] = read_register_file("r.csv", text.encode()).rows
    assert row.enterprise_class is read


def test_a_class_that_is_none_is_said_by_row_and_column() -> None:
    text = f"统一社会信用代码,企业名称,所在区,企业类别\n{OURS},{OUR_NAME},江汉区,龙头\n"
    [problem] = read_register_file("r.csv", text.encode()).problems
    assert (problem.row, problem.column_title, problem.given) == (2, "企业类别", "龙头")
    assert "重点" in problem.wording.zh


def test_a_file_that_says_what_the_register_says_offers_nothing_to_confirm(clerk: Browser) -> None:
    text = previewed(clerk, AS_IT_IS)
    assert "与名录完全一致" in text
    assert "/enterprises/import/confirm" not in text


def test_what_is_wrong_is_said_by_row_and_column_and_nothing_can_be_confirmed(
    clerk: Browser, own_bureau: Bureau
) -> None:
    before = as_it_stands(own_bureau)
    wrong = OURS[:-1] + ("A" if OURS[-1] != "A" else "B")
    text = previewed(
        clerk,
        f"{HEAD}{OURS},{OUR_NAME},火星区,9900,三月,,,\n{wrong},,江汉区,,,,,\n{THEIRS},{THEIR_NAME},420111,,2020-05,2020-03,,\n",
    )
    found = re.findall(r'class="number">(\d+)</th><td>([^<]+)</td><td><code>([^<]*)</code>', text)
    assert found == [
        ("2", "区", "火星区"),
        ("2", "行业代码", "9900"),
        ("2", "起始月份", "三月"),
        ("3", "统一社会信用代码", wrong),
        ("3", "企业名称", "—"),
        ("4", "终止月份", "2020-03"),
    ]
    assert "/enterprises/import/confirm" not in text
    assert as_it_stands(own_bureau) == before


def test_a_file_that_leaves_a_return_behind_is_refused_at_the_row_of_the_enterprise(
    clerk: Browser, own_bureau: Bureau
) -> None:
    leaving = CHANGED.replace("2020-06", "2019-12")
    shown = previewed(clerk, leaving)
    line = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)
    filed = own_bureau.file(a_workbook(THEIRS, "2020-01", [line], name=THEIR_NAME), by="zhao")
    own_bureau.ledger.confirm(filed.submission_id, "已与企业核实无误", Actor.operator("test"))
    before = as_it_stands(own_bureau)
    for text in (
        previewed(clerk, leaving),
        clerk.post("/enterprises/import/confirm", fields_of(shown)).text,  # and if it came after the preview
    ):
        found = re.findall(r'class="number">(\d+)</th><td>([^<]+)</td><td><code>([^<]*)</code>', text)
        assert found == [("3", "统一社会信用代码", THEIRS)]
        assert "2020年1月的报表已通过" in text
        assert 'name="mark"' not in text
    assert as_it_stands(own_bureau) == before


def test_in_english_the_problems_are_in_english(own_app: FastAPI) -> None:
    clerk = Browser(own_app, "clerk")
    clerk.client.cookies.set("servtrade_view", "en")
    text = previewed(clerk, f"{HEAD}{OURS},{OUR_NAME},火星区,,,,,\n")
    assert "No district or zone of this city" in text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("名录.csv", b"", "文件是空的"),
        ("名录.csv", HEAD.encode(), "没有一行数据"),
        ("名录.csv", "企业名称,区\n甲,武昌区\n".encode(), "缺少列 统一社会信用代码"),
        ("名录.csv", HEAD.encode()[:-1] + ",企业名称\n".encode(), "出现不止一次"),
        ("名录.xlsx", b"PK\x03\x04 but no package", "不是可以安全打开的"),
        ("名录.csv", b"\xff\xfe\x00\x81\x00", "不是 .xlsx 工作簿"),
        ("名录.csv", b"a\x00b\n", "不是 .xlsx 工作簿"),
        ("名录.csv", b'"' + b"x" * 200_000 + b'"\n', "CSV 无法读取"),
    ],
)
def test_a_file_that_is_no_register_is_refused_with_what_to_do(
    clerk: Browser, name: str, content: bytes, said: str
) -> None:
    assert said in html.unescape(previewed(clerk, content, name))


def test_a_workbook_is_read_like_the_text_and_may_have_odd_dates_and_numbers(
    clerk: Browser, own_bureau: Bureau
) -> None:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["统一社会信用代码", "单位名称", "区", "行业代码", "起始月份", "电话"])
    sheet.write_row(1, 0, [NEW, "新来的公司", 420106, 6420, "2020年3月", 85550101])
    book.close()
    text = previewed(clerk, target.getvalue(), "名录.xlsx")
    assert clerk.post("/enterprises/import/confirm", fields_of(text)).status_code == 303
    found = own_bureau.ledger.register.enterprise(NEW, Actor.operator("test"))
    assert (found.industry_code, found.phone, found.district_code) == ("6420", "85550101", "420106")


def test_two_rows_of_the_same_months_are_told_apart_by_their_rows() -> None:
    text = f"{HEAD}{OURS},甲,武昌区,,2020-01,2020-06,,\n{OURS},甲,江汉区,,2020-06,,,\n{OURS},甲,江汉区,,2021-01,,,\n"
    [problem] = read_register_file("r.csv", text.encode()).problems
    assert (problem.row, "第 2 行" in problem.wording.zh) == (3, True)
    whole = f"{HEAD}{OURS},甲,武昌区,,,,,\n{OURS},甲,武昌区,,,,,\n"
    assert [one.row for one in read_register_file("r.csv", whole.encode()).problems] == [3]


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("gb18030", ","), ("utf-16", "\t"), ("gb18030", ";")]
)
def test_a_register_is_read_in_every_encoding_and_delimiter_of_offices(encoding: str, delimiter: str) -> None:
    found = read_register_file("r.txt", AS_IT_IS.replace(",", delimiter).encode(encoding))
    assert found.problems == []
    assert [(number, row.enterprise_code, row.enterprise_name) for number, row in found.rows] == [
        (2, OURS, OUR_NAME),
        (3, THEIRS, THEIR_NAME),
    ]


def test_too_large_a_text_is_not_read() -> None:
    with pytest.raises(RegisterFileRefused) as refused:
        read_register_file("r.csv", b"x" * (LIMITS.text_bytes + 1))
    assert refused.value.is_unsafe


def test_too_large_a_file_is_refused_by_the_page(clerk: Browser) -> None:
    assert "超过 2 MB" in previewed(clerk, b"x" * (2 * 1024 * 1024 + 1))


def test_a_register_of_a_thousand_travels_with_its_preview(clerk: Browser, own_bureau: Bureau) -> None:
    rows = "".join(f"{credit_code(2_000 + n)},第{n}家公司,武昌区,6420,2020-03,,,\n" for n in range(1_000))
    fields = fields_of(previewed(clerk, HEAD + rows))
    assert clerk.post("/enterprises/import/confirm", fields).status_code == 303
    assert len(own_bureau.ledger.enterprises()) == 1_002


@pytest.mark.parametrize("content", ["", "no base64!", "eJwDAAAAAAE=", "AAAA"])
def test_a_form_that_was_tampered_with_imports_nothing(
    clerk: Browser, own_bureau: Bureau, content: str
) -> None:
    before = as_it_stands(own_bureau)
    fields = fields_of(previewed(clerk, CHANGED))
    answer = clerk.post("/enterprises/import/confirm", {**fields, "content": content})
    assert answer.status_code in (400, 409)
    assert as_it_stands(own_bureau) == before
    answer = clerk.post("/enterprises/import/confirm", {**fields, "mark": "0" * 64})
    assert answer.status_code == 409
    assert as_it_stands(own_bureau) == before


@pytest.mark.parametrize("person", ["ours", "our_district", "official", "system_admin"])
def test_only_the_citys_statisticians_import(own_app: FastAPI, person: str) -> None:
    browser = Browser(own_app, person)
    assert browser.get("/enterprises/import").status_code == 403
    sent = browser.post("/enterprises/import", files={"file": ("r.csv", b"x", "text/csv")})
    assert sent.status_code == 403


def test_a_closed_month_keeps_its_register(own_bureau: Bureau, clerk: Browser) -> None:
    from pipelines.ledger.actors import Role
    from pipelines.ledger.months import MonthActKind
    from pipelines.periods import Month

    li, chen = Actor("li", frozenset({Role.CLERK})), Actor("chen", frozenset({Role.ANALYST}))
    months = own_bureau.ledger.months
    months.propose(Month(2019, 1), MonthActKind.CLOSE, "一月已收齐，可以结账。", li)
    months.confirm(Month(2019, 1), chen)
    text = html.unescape(previewed(clerk, CHANGED))
    assert "2019年1月已结账" in text
    assert "/enterprises/import/confirm" not in text
