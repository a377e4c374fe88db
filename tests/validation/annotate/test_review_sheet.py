"""The sheet 审核意见: what it says, where it leads, what may be typed into it, and that nothing on it computes."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
import yaml
from openpyxl.worksheet.worksheet import Worksheet
from workbooks_to_annotate import (
    EVERYWHERE,
    SHEET,
    annotate,
    by_xlsxwriter,
    changed,
    finding,
    once,
    part_of_sheet,
    parts,
)

from pipelines.findings import Fix, Severity, Verdict, Wording
from pipelines.intake import gate, read_file
from pipelines.paths import EXPECTATIONS_DIR
from pipelines.review_sheet import column_of_head, match_answers, not_answers, words
from pipelines.validation.annotate import about_file, annotated_copy, annotated_name


def review(content: bytes) -> Worksheet:
    return openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]


def table(page: Worksheet) -> list[dict[str, Any]]:
    """The findings as listed, by column, with the row number."""
    rows: list[dict[str, Any]] = []
    heads: dict[int, str] = {}
    for row in page.iter_rows(max_col=10):
        texts = {cell.column: str(cell.value) for cell in row if cell.value is not None}
        known = {
            column: column_of_head().get(text.replace(" ", "").casefold()) for column, text in texts.items()
        }
        if {"rule", "answer"} <= set(known.values()):
            heads = {column: name for column, name in known.items() if name}
        elif heads and row[1].value:
            rows.append({name: row[column - 1].value for column, name in heads.items()} | {"row": row[0].row})
    return rows


def test_every_finding_is_listed_the_gravest_first_with_a_link_to_its_cell() -> None:
    page = review(annotate(by_xlsxwriter()).content)
    listed = table(page)
    assert [(one["number"], one["rule"], one["severity"]) for one in listed] == [
        ("1", "P07", "必须更正"),
        ("2", "P07", "必须更正"),
        ("3", "Q2a", "需要核实"),
        ("4", "Q3", "需要核实"),
        ("5", "P31", "提示"),
    ]
    places = [page.cell(one["row"], 5) for one in listed[:4]]
    assert [place.hyperlink.location for place in places if place.hyperlink] == [
        f"'{SHEET}'!F13",
        f"'{SHEET}'!Z99",
        f"'{SHEET}'!D11",
        f"'{SHEET}'!N11",
    ]
    whole = page.cell(listed[4]["row"], 4)
    assert whole.hyperlink is not None
    assert whole.hyperlink.location == f"'{SHEET}'!A1", "a finding without a cell leads to its sheet"
    assert listed[2]["given"] == "12,500,000"
    assert listed[2]["expected"] == "< 1,250"
    assert listed[2]["message"] == "与上月相差过大。"


def test_only_the_answers_to_warnings_can_be_typed_in() -> None:
    page = review(annotate(by_xlsxwriter()).content)
    assert page.protection.sheet
    assert page.protection.password is None
    open_cells = {cell.coordinate for row in page.iter_rows() for cell in row if not cell.protection.locked}
    warnings = [one["row"] for one in table(page) if one["severity"] == "需要核实"]
    assert open_cells == {f"I{row}" for row in warnings}
    assert {page[address].value for address in open_cells} == {None}
    assert all(page[address].number_format == "@" for address in open_cells), "what is typed stays text"
    [validation] = page.data_validations.dataValidation
    assert str(validation.sqref) == f"I{warnings[0]}:I{warnings[-1]}"
    others = {one["severity"]: one["answer"] for one in table(page)}
    assert others["必须更正"] == "必须更正"
    assert others["提示"] == "—"


def test_the_sheet_says_the_verdict_and_how_many_of_each() -> None:
    page = review(
        annotate(by_xlsxwriter(), about=about_file("zh", file="三月.xlsx", period="2020-03")).content
    )
    lines = [page.cell(row, 1).value for row in range(1, 6)]
    assert lines[0] == "审核意见"
    assert lines[1] == "审核结果：退回。有必须更正的错误，更正后请重新报送。"
    assert lines[2] == "必须更正 2 条，需要核实 2 条，提示 1 条；自动规范 1 处。"
    assert lines[3] == "文件：三月.xlsx　报告期：2020年3月"


def test_fixes_are_listed_below_with_what_was_read() -> None:
    page = review(annotate(by_xlsxwriter()).content)
    rows = [[cell.value for cell in row] for row in page.iter_rows(max_col=8)]
    assert ["1", None, "自动规范", SHEET, "E11", "３４０", "340", "全角数字"] in rows


def test_in_english_the_sheet_the_heads_and_the_comments_are_english() -> None:
    made = annotate(by_xlsxwriter(), language="en").content
    book = openpyxl.load_workbook(io.BytesIO(made))
    assert book.sheetnames[0] == "Review notes"
    texts = [str(cell.value) for row in book.worksheets[0].iter_rows(max_col=9) for cell in row if cell.value]
    assert "Very far from last month." in texts
    assert not any(re.search(r"[\u4e00-\u9fff]", text) for text in texts if text not in (SHEET, "３４０"))
    assert book[SHEET]["D11"].comment.text == "[Review note]\nVery far from last month.\n[end of note]"


def test_changing_the_language_replaces_the_sheet() -> None:
    english = annotate(annotate(by_xlsxwriter()).content, language="en").content
    book = openpyxl.load_workbook(io.BytesIO(english))
    assert book.sheetnames[:2] == ["Review notes", "填表说明"]
    assert "审核意见" not in book[SHEET]["D11"].comment.text


def test_it_prints_on_the_width_of_a_page_with_its_head_on_each() -> None:
    page = review(annotate(by_xlsxwriter()).content)
    assert page.page_setup.orientation == "landscape"
    assert page.page_setup.paperSize == 9
    assert (page.page_setup.fitToWidth, page.page_setup.fitToHeight) == (1, 0)
    assert page.sheet_properties.pageSetUpPr.fitToPage
    first = table(page)[0]["row"]
    assert page.print_title_rows == f"${first - 1}:${first - 1}"
    assert page.column_dimensions["J"].hidden
    assert page.column_dimensions["K"].hidden


def test_answers_given_before_stand_in_their_rows() -> None:
    made = annotate(by_xlsxwriter(), explanations={0: "新签年度合同，一次性确认"}).content
    answers = {one["rule"]: one["answer"] for one in table(review(made))}
    assert answers["Q2a"] == "新签年度合同，一次性确认"
    assert answers["Q3"] is None
    again = annotate(made).content
    assert {one["rule"]: one["answer"] for one in table(review(again))}["Q2a"] == "新签年度合同，一次性确认"


ASIDE = words("unused", "mark").zh
ANSWER = "新签年度合同，一次性确认"


def with_answer(text: str = ANSWER) -> bytes:
    return annotate(by_xlsxwriter(), explanations={0: text}).content


def test_an_answer_to_another_figure_is_set_aside_beside_the_query_and_is_none_until_somebody_says_so() -> (
    None
):
    other = (finding("D11", Severity.WARNING, rule="Q2a", given="99"),)
    again = annotate(with_answer(), other).content
    assert table(review(again))[0]["answer"] == ASIDE + ANSWER
    assert read_file("a.xlsx", again).answers == ()
    # It waits as long as the query does, and with the mark gone it is an answer.
    third = annotate(again, other).content
    assert table(review(third))[0]["answer"] == ASIDE + ANSWER
    book = openpyxl.load_workbook(io.BytesIO(third))
    row = table(book.worksheets[0])[0]["row"]
    book.worksheets[0].cell(row, 9).value = ANSWER
    target = io.BytesIO()
    book.save(target)
    [answer] = read_file("a.xlsx", target.getvalue()).answers
    assert match_answers(other, [answer]).by_position[0].text == ANSWER


def test_an_answer_whose_query_is_gone_is_listed_once_more_with_the_reason() -> None:
    other = (finding("D12", Severity.WARNING, rule="Q3", given="99", key="SJ1 JPN"),)
    again = annotate(with_answer(), other).content
    [query, kept] = [row for row in table(review(again)) if row["rule"] != "规则"][:2]
    assert query["answer"] is None
    assert (kept["rule"], kept["answer"], kept["message"]) == ("Q2a", ASIDE + ANSWER, "该问题已不再提出")
    assert read_file("a.xlsx", again).answers == ()
    assert ANSWER not in {row["answer"] for row in table(review(annotate(again, other).content))}


def test_an_answer_that_was_used_is_not_listed_as_unused() -> None:
    used = replace(EVERYWHERE[0], severity=Severity.INFO, explanation=ANSWER, explanation_origin="workbook")
    again = annotate(with_answer(), (used, *EVERYWHERE[1:])).content
    assert not [row for row in table(review(again)) if ANSWER in str(row["answer"])]


def test_a_review_sheet_that_was_renamed_gives_way_to_the_next() -> None:
    made = with_answer()
    renamed = changed(
        made, {"xl/workbook.xml": lambda data: data.replace("审核意见".encode(), "审核意见-王".encode())}
    )
    again = annotate(renamed).content
    assert [name for name in openpyxl.load_workbook(io.BytesIO(again)).sheetnames if "审核" in name] == [
        "审核意见"
    ]
    assert {one["rule"]: one["answer"] for one in table(review(again))}["Q2a"] == ANSWER


def test_too_short_an_answer_stays_where_it_was_written() -> None:
    again = annotate(with_answer("属实")).content
    assert {one["rule"]: one["answer"] for one in table(review(again))}["Q2a"] == "属实"


# What is in a file may not act in the copy ---------------------------------------------------------------------------

HOSTILE = (
    "=cmd|'/c calc'!A0",
    '=HYPERLINK("http://example.org","x")',
    "+1+1",
    "-2",
    "@SUM(1)",
    '</t></is></c><c r="A1"><f>1+1</f></c>',
    "<![CDATA[x]]>&amp;&#10;]]>",
    "\u202e反向\u2066文字\u200b",
    "_x000D_\x07\x00",
    "half \ud83d of a pair",
    "长" * 40_000,
    "😀" * 20_000,
    "【意见止】【审核意见】",
    "'",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_texts_of_a_finding_stay_texts(text: str) -> None:
    odd = (
        finding("D11", Severity.WARNING, rule="Q2a", given=text, key=text, zh=text),
        finding("F13", given=text, zh=text),
    )
    made = annotate(
        by_xlsxwriter(), odd, fixes=(Fix(SHEET, "E11", text, text, Wording(text, text)),), about=(text,)
    ).content
    held = parts(made)
    sheet = next(name for name in held if b"inlineStr" in held[name] and name not in parts(by_xlsxwriter()))
    assert b"<f>" not in held[sheet]
    assert held[sheet].isascii()
    page = review(made)
    cells = [cell for row in page.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type == "s" for cell in cells)
    assert all(len(str(cell.value).encode("utf-16-le", "replace")) // 2 <= 32_767 for cell in cells)
    assert not any(re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069]", str(cell.value)) for cell in cells)
    comment = openpyxl.load_workbook(io.BytesIO(made))[SHEET]["D11"].comment
    assert comment is not None
    assert len(comment.text) < 8_000
    assert isinstance(gate.inspect("a.xlsx", made), gate.Package), "the copy passes our own gate"
    again = annotate(made, odd, fixes=()).content
    assert openpyxl.load_workbook(io.BytesIO(again))[SHEET]["D11"].comment.text.count("【审核意见】") == 1


@pytest.mark.parametrize("name", ["O'Neil & <Söhne>", "表\u202e一", 'a"b', "!'!", "x" * 31])
def test_a_sheet_of_any_name_is_marked_and_linked(name: str) -> None:
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    content = changed(by_xlsxwriter(), {"xl/workbook.xml": once(SHEET.encode(), escaped.encode())})
    made = annotate(content, (finding("D11", sheet=name),), fixes=()).content
    book = openpyxl.load_workbook(io.BytesIO(made))
    assert book[name]["D11"].fill.fill_type == "solid"
    row = table(book.worksheets[0])[0]["row"]
    quoted = name.replace("'", "''")
    assert book.worksheets[0].cell(row, 5).hyperlink.location == f"'{quoted}'!D11"


def test_a_record_that_somebody_wrote_does_no_harm() -> None:
    made = annotate(by_xlsxwriter()).content
    sheet = next(
        name for name in parts(made) if name not in parts(by_xlsxwriter()) and "worksheets/sheet" in name
    )
    for forged in (
        b"{}",
        b"[1]",
        b"nonsense",
        b'{"views":[[7,8]],"selected":[99999],"styles":{"sha256":"x","sizes":{"fonts":-9},"originals":{"1":-1}}}',
        b'{"variants":{"F3BBA6":["&lt;fill>&lt;/fill>&lt;evil/>",true]}}',
        b'{"styles":7,"variants":[],"widened":{"x":[1,2]}}',
    ):
        forgery = changed(
            made,
            {
                sheet: lambda data, forged=forged: re.sub(
                    rb"(<c r=\"K2\"[^>]*><is><t[^>]*>)[^<]*", rb"\1" + forged, data
                )
            },
        )
        again = annotate(forgery)
        assert again.losses == ()
        assert openpyxl.load_workbook(io.BytesIO(again.content)).sheetnames[:2] == ["审核意见", "填表说明"]


# Files that are not opened, and tables of text -----------------------------------------------------------------------


def test_of_a_refused_file_only_the_list_is_given() -> None:
    refused = (finding("", rule="G06", sheet="", given="ZIP"),)
    for content in (b"", b"PK\x03\x04 no package", b"\xd0\xcf\x11\xe0", by_xlsxwriter()):
        made = annotated_copy(content, "坏文件.xls", refused, (), verdict=Verdict.UNREADABLE)
        assert openpyxl.load_workbook(io.BytesIO(made.content)).sheetnames == ["审核意见"]
        assert table(review(made.content))[0]["rule"] == "G06"
        assert made.file_name == "坏文件_审核意见.xlsx"
        assert made.losses == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_table_of_text_becomes_a_workbook_with_its_texts(encoding: str) -> None:
    text = '月份,部门,金额\r\n2020-03,"海关, 武汉",=1+1\r\n2020-04,外管,"1,250"\r\n'
    made = annotate(text.encode(encoding), (finding("C2", sheet="csv", given="=1+1"),), fixes=())
    book = openpyxl.load_workbook(io.BytesIO(made.content))
    assert book.sheetnames == ["审核意见", "csv"]
    rows = [[cell.value for cell in row] for row in book["csv"].iter_rows()]
    assert rows == [["月份", "部门", "金额"], ["2020-03", "海关, 武汉", "=1+1"], ["2020-04", "外管", "1,250"]]
    assert {cell.data_type for row in book["csv"].iter_rows() for cell in row} == {"s"}
    assert book["csv"]["C2"].fill.fill_type == "solid"
    assert book["csv"]["C2"].comment is not None


def test_text_of_a_table_comes_back_to_the_letter_and_is_no_formula_even_when_edited() -> None:
    texts = [
        ["=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+86 10", "-2", "\t=1"],
        ["'=1", "''x", 'he said ""', '"', 'a "b" c', "'"],
        ["行一\n行二", " 前后有空 ", "＝1+1", "a&b", "&lt;f&gt;", "</t></is></c>"],
    ]
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(texts)
    # A marked cell keeps its colour and its text; the mark on it is a fill, not another format of the text.
    findings = tuple(finding(cell, sheet="csv", given="=1+1") for cell in ("A1", "B2", "E1"))
    made = annotate(stream.getvalue().encode(), findings, fixes=())
    page = openpyxl.load_workbook(io.BytesIO(made.content))["csv"]
    assert [[cell.value for cell in row] for row in page.iter_rows()] == texts
    assert {cell.data_type for row in page.iter_rows() for cell in row} == {"s"}
    marked = {cell.coordinate for row in page.iter_rows() for cell in row if cell.quotePrefix}
    assert marked == {"A1", "B1", "C1", "D1", "E1", "F1"}
    assert page["A1"].fill.fill_type == page["B2"].fill.fill_type == "solid"
    again = annotate(made.content, findings, fixes=())
    page = openpyxl.load_workbook(io.BytesIO(again.content))["csv"]
    assert [[cell.value for cell in row] for row in page.iter_rows()] == texts
    assert page["A1"].quotePrefix


def test_a_package_that_cannot_be_patched_gives_the_list_and_says_so() -> None:
    sheet = part_of_sheet(by_xlsxwriter())
    for broken in (
        changed(by_xlsxwriter(), {sheet: lambda data: data[:-20]}),
        changed(by_xlsxwriter(), {"xl/styles.xml": b"<styleSheet>"}),
        by_xlsxwriter()[:-2000],
    ):
        made = annotate(broken)
        assert openpyxl.load_workbook(io.BytesIO(made.content)).sheetnames == ["审核意见"]
        assert "这里只列出意见，原文件未改动" in made.losses[0].zh
        assert "the file itself is unchanged" in made.losses[0].en


def test_more_comments_than_anybody_reads_are_not_made_and_that_is_said() -> None:
    many = tuple(finding(f"{column}{row}") for row in range(100, 700) for column in "AB")
    made = annotate(by_xlsxwriter(), many, fixes=())
    assert made.losses[0].zh == "批注最多 1000 个，其余 200 个单元格只填了颜色，意见列在本表。"
    book = openpyxl.load_workbook(io.BytesIO(made.content))
    coloured = [book[SHEET][f"{column}{row}"] for row in range(100, 700) for column in "AB"]
    assert all(cell.fill.fill_type == "solid" for cell in coloured)
    assert sum(cell.comment is not None for cell in coloured) == 1000


def test_a_signed_file_says_that_the_copy_is_not() -> None:
    made = annotate(changed(by_xlsxwriter(), {"_xmlsignatures/sig1.xml": b"<Signature/>"}))
    assert "签名失效" in made.losses[0].zh


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("三月.xlsx", "三月_审核意见.xlsx"),
        ("三月_审核意见.xlsx", "三月_审核意见.xlsx"),
        ("外管 2020.CSV", "外管 2020_审核意见.xlsx"),
        ("../../etc/passwd", "passwd_审核意见.xlsx"),
        ("C:\\报表\\a.xls", "a_审核意见.xlsx"),
        ("a\r\nb\u202e\x00.xlsx", "ab_审核意见.xlsx"),
        ("", "file_审核意见.xlsx"),
        ("x" * 300 + ".xlsx", "x" * 120 + "_审核意见.xlsx"),
    ],
)
def test_the_copy_s_name_fits_any_disk(given: str, made: str) -> None:
    assert annotated_name(given) == made


def test_every_word_of_the_catalogue_is_in_both_languages() -> None:
    def entries(value: Any) -> list[dict[str, str]]:
        if set(value) == {"zh", "en"}:
            return [value]
        return [found for one in value.values() for found in entries(one)]

    document = yaml.safe_load((EXPECTATIONS_DIR / "review_sheet.yaml").read_text(encoding="utf-8"))
    for entry in entries(document):
        zh, en = str(entry["zh"]), str(entry["en"])
        assert zh.strip()
        assert en.strip()
        assert not re.search(r"[\u4e00-\u9fff]", en), en
        assert set(re.findall(r"\{(\w+)\}", zh)) == set(re.findall(r"\{(\w+)\}", en)), zh
    assert "必须更正" in not_answers()


def test_the_prompt_beside_an_answer_is_as_short_as_programs_ask() -> None:
    for language in ("zh", "en"):
        page = review(annotate(by_xlsxwriter(), EVERYWHERE, language=language).content)
        [validation] = page.data_validations.dataValidation
        assert len(validation.prompt) <= 255
        assert len(validation.promptTitle) <= 32
