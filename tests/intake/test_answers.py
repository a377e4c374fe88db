"""Answers in the sheet 审核意见 come back with the next upload, belong to the warnings they answer, and disturb nothing."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import chain

import pytest

from pipelines.findings import Finding, Fix, Severity, Verdict, Wording
from pipelines.intake import ReaderPool, read_file
from pipelines.records import ParsedFile
from pipelines.review_sheet import (
    MARKER,
    MOST_ANSWER_LENGTH,
    Answer,
    Why,
    is_review_sheet_name,
    match_answers,
)
from pipelines.validation.annotate import annotated_copy
from tests.intake.builder import canonical_book, canonical_file, write_book
from tests.intake.hostile import repack

SHEET = "服务进出口"


def warning(cell: str = "D11", *, rule: str = "Q2a", given: str = "120.5", key: str = "SI2 USA") -> Finding:
    return Finding(rule, Severity.WARNING, Wording("相差过大", "too far"), "FM-2", SHEET, cell, key, given)


FINDINGS = (
    warning(),
    warning("D12", given="80", key="SI2 JPN"),
    Finding(
        "P07", Severity.CRITICAL, Wording("不是数字", "no number"), "FM-2", SHEET, "F13", "SJ3 HKG", "7.7x"
    ),
    Finding("P31", Severity.INFO, Wording("提示", "info"), "FM-2", SHEET, "", "", ""),
)


def annotated(
    content: bytes | None = None, language: str = "zh", findings: tuple[Finding, ...] = FINDINGS
) -> bytes:
    fixes = (Fix(SHEET, "E11", "３４０", "340", Wording("全角数字", "full width")),)
    return annotated_copy(
        content or canonical_file(),
        "三月.xlsx",
        findings,
        fixes,
        verdict=Verdict.REJECTED,
        language="zh" if language == "zh" else "en",
    ).content


def review_part(content: bytes) -> str:
    """The part of our sheet: the first that the workbook lists."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        book = package.read("xl/workbook.xml").decode()
        relation_id = re.search(r"<sheets><sheet [^>]*r:id=\"([^\"]+)\"", book)[1]  # type: ignore[index]
        relations = package.read("xl/_rels/workbook.xml.rels").decode()
        tag = next(
            one for one in re.findall("<Relationship [^>]*>", relations) if f'Id="{relation_id}"' in one
        )
    return "xl/" + re.search('Target="([^"]+)"', tag)[1]  # type: ignore[index]


def answered(content: bytes, answers: dict[str, str]) -> bytes:
    """The workbook with these texts typed into the answer cells of the rows whose cell address is given."""
    name = review_part(content)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        data = package.read(name).decode()

    def fill(match: re.Match[str]) -> str:
        row = match[0]
        found = re.search(r'<c r="E\d+"[^>]*><is><t[^>]*>([^<]*)<', row)
        text = answers.get(html.unescape(found[1])) if found else None
        if text is None:
            return row
        typed = f' t="inlineStr"><is><t xml:space="preserve">{html.escape(text)}</t></is></c>'
        return re.sub(
            r'(<c r="I\d+" s="\d+")(?:/>| t="inlineStr">.*?</c>)', lambda cell: cell[1] + typed, row
        )

    return repack(content, {name: re.sub(r"<row .*?</row>", fill, data, flags=re.DOTALL).encode()})


def what_was_read(parsed: ParsedFile) -> ParsedFile:
    return replace(parsed, sha256="", answers=())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_answer_comes_back_with_the_finding_that_it_answers(language: str) -> None:
    content = answered(
        annotated(language=language), {"D11": "新签年度合同，一次性确认收入", "D12": "汇率变动所致"}
    )
    parsed = read_file("三月.xlsx", content)
    assert parsed.answers == (
        Answer("Q2a", SHEET, "D11", "SI2 USA", "120.5", "新签年度合同，一次性确认收入"),
        Answer("Q2a", SHEET, "D12", "SI2 JPN", "80", "汇率变动所致"),
    )


def test_answers_travel_from_the_child_as_they_were_read(pool: ReaderPool) -> None:
    content = answered(annotated(), {"D11": "新签“年度”合同\x7f，一次性\n确认 <收入>"})
    [parsed] = pool.read_many([("三月.xlsx", content)])
    assert parsed == read_file("三月.xlsx", content)
    assert [answer.text for answer in parsed.answers] == ["新签“年度”合同 ，一次性\n确认 <收入>"]


def test_nothing_that_we_put_in_disturbs_the_reading() -> None:
    before = read_file("三月.xlsx", canonical_file())
    assert before.cells
    for content in (annotated(), annotated(annotated()), answered(annotated(), {"D11": "已核实，确为此数"})):
        assert what_was_read(read_file("三月.xlsx", content)) == what_was_read(before)
    assert read_file("三月.xlsx", annotated()).answers == ()


def test_the_annotated_file_corrected_reads_as_the_clean_file_corrected() -> None:
    name = "xl/worksheets/sheet3.xml"

    def corrected(content: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            data = package.read(name)
        assert data.count(b"<v>120.5</v>") == 1
        return repack(content, {name: data.replace(b"<v>120.5</v>", b"<v>12.05</v>")})

    clean, marked = (
        read_file("a.xlsx", corrected(canonical_file())),
        read_file("a.xlsx", corrected(annotated())),
    )
    assert what_was_read(marked) == what_was_read(clean)
    assert any(cell.cell == "D11" and cell.text == "12.05" for cell in marked.cells)


def test_words_of_ours_in_the_answer_column_are_no_answers() -> None:
    for language in ("zh", "en"):
        assert read_file("三月.xlsx", annotated(language=language)).answers == ()


def test_a_sheet_of_that_name_with_something_else_in_it_has_no_answers() -> None:
    book = canonical_book()
    book[0].name = "审核意见"
    parsed = read_file("三月.xlsx", write_book(book))
    assert parsed.answers == ()
    assert parsed.cells == read_file("三月.xlsx", canonical_file()).cells


def test_a_review_sheet_is_never_taken_for_a_form() -> None:
    with zipfile.ZipFile(io.BytesIO(annotated())) as package:
        data = package.read("xl/workbook.xml").decode()
    gone = re.sub(r'<sheet name="(基本情况|服务进出口|服务外包)"[^>]*/>', "", data)
    parsed = read_file("三月.xlsx", repack(annotated(), {"xl/workbook.xml": gone.encode()}))
    assert parsed.is_unreadable
    assert [finding.rule for finding in parsed.findings] == ["P01"]


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("审核意见", True),
        (" 审核意见 ", True),
        ("审核意见 (2)", True),
        ("审核意见（3）", True),
        ("Review notes", True),
        ("review NOTES (2)", True),
        ("审核意见表", False),
        ("审核意见(已答复)", False),
        ("审核", False),
        ("服务进出口", False),
    ],
)
def test_the_sheet_is_known_by_its_name(name: str, is_ours: bool) -> None:
    assert is_review_sheet_name(name) is is_ours


def test_an_endless_answer_is_cut_and_endless_answers_end() -> None:
    content = answered(annotated(), {"D11": "因" * 5_000})
    assert [(len(one.text), one.trouble) for one in read_file("a.xlsx", content).answers] == [
        (MOST_ANSWER_LENGTH, Why.CUT)
    ]
    many = tuple(warning(f"D{row}", key=str(row)) for row in range(11, 1_500))
    content = answered(annotated(findings=many), {f"D{row}": "同一原因，见附件" for row in range(11, 1_500)})
    read = read_file("a.xlsx", content).answers
    assert [one.trouble for one in read] == [""] * 1_000 + [Why.BEYOND]


def renamed(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        data = package.read("xl/workbook.xml").decode()
    return repack(content, {"xl/workbook.xml": data.replace('name="审核意见"', f'name="{name}"').encode()})


def in_rows(content: bytes, change: Callable[[list[str]], list[str]]) -> bytes:
    """The workbook with the rows of its 审核意见 that hold a query changed."""
    name = review_part(content)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        data = package.read(name).decode()
    rows = re.findall(r"<row .*?</row>", data, flags=re.DOTALL)
    asked = [row for row in rows if ">Q2a<" in row]
    for old, new in zip(asked, change(asked), strict=True):
        data = data.replace(old, new)
    return repack(content, {name: data.encode()})


HIDDEN_KEY = re.compile(r'(<c r=")J(\d+)("[^>]*>.*?</c>)', re.DOTALL)


@pytest.mark.parametrize("name", ["审核意见(已答复)", "审核意见-王", "Review notes answered", "审核意见表"])
def test_a_sheet_whose_name_somebody_added_to_is_known_by_its_heads(name: str) -> None:
    content = renamed(answered(annotated(), {"D11": "新签年度合同"}), name)
    parsed = read_file("a.xlsx", content)
    assert [(one.cell, one.text, one.trouble) for one in parsed.answers] == [("D11", "新签年度合同", "")]
    assert what_was_read(parsed) == what_was_read(read_file("a.xlsx", canonical_file()))


def test_a_form_whose_name_begins_so_is_a_form() -> None:
    book = canonical_book()
    plain = read_file("a.xlsx", write_book(book))
    for sheet in book:
        if sheet.name == SHEET:
            sheet.name = "审核意见表"
    parsed = read_file("a.xlsx", write_book(book))
    assert {cell.sheet for cell in parsed.cells} == {
        "审核意见表" if cell.sheet == SHEET else cell.sheet for cell in plain.cells
    }
    assert parsed.answers == ()


def test_where_only_the_columns_one_sees_were_sorted_the_answers_say_so() -> None:
    def sorted_without_the_key(rows: list[str]) -> list[str]:
        keys = [HIDDEN_KEY.search(row)[3] for row in rows]  # type: ignore[index]
        return [
            HIDDEN_KEY.sub(lambda key, other=other: f"{key[1]}J{key[2]}{other}", row)
            for row, other in zip(rows, reversed(keys), strict=True)
        ]

    alike = (warning("D11", key="SI2 USA"), warning("D12", key="SI2 JPN"))  # the same value in both
    content = answered(annotated(findings=alike), {"D11": "美国新签年度合同", "D12": "日本汇率变动"})
    assert len(match_answers(alike, read_file("a.xlsx", content).answers).by_position) == 2
    read = read_file("a.xlsx", in_rows(content, sorted_without_the_key)).answers
    assert [(one.text, one.trouble) for one in read] == [
        ("美国新签年度合同", Why.MOVED),
        ("日本汇率变动", Why.MOVED),
    ]
    assert match_answers(alike, read).by_position == {}


def test_a_row_without_its_key_says_so() -> None:
    content = answered(annotated(), {"D11": "新签年度合同"})
    without = in_rows(content, lambda rows: [HIDDEN_KEY.sub("", row) for row in rows])
    assert [one.trouble for one in read_file("a.xlsx", without).answers] == [Why.MOVED]


def test_whole_rows_may_be_sorted() -> None:
    def swapped(rows: list[str]) -> list[str]:
        return [
            re.sub(r'r="([A-K]?)\d+"', lambda cell, row=row: f'r="{cell[1]}{row}"', text)
            for text, row in (
                (text, re.search(r'<row r="(\d+)"', place)[1])  # type: ignore[index]
                for text, place in zip(reversed(rows), rows, strict=True)
            )
        ]

    content = answered(annotated(), {"D11": "新签年度合同", "D12": "汇率变动所致"})
    read = read_file("a.xlsx", in_rows(content, swapped)).answers
    assert [(one.cell, one.text, one.trouble) for one in read] == [
        ("D12", "汇率变动所致", ""),
        ("D11", "新签年度合同", ""),
    ]


def test_a_sheet_with_our_heads_that_was_not_given_out_answers_nothing_and_says_so() -> None:
    content = answered(annotated(), {"D11": "新签年度合同"})
    name = review_part(content)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        data = package.read(name).decode()
    [answer] = read_file("a.xlsx", repack(content, {name: data.replace(MARKER, "").encode()})).answers
    assert (answer.text, answer.trouble) == ("新签年度合同", Why.NOT_OURS)
    assert match_answers(FINDINGS, [answer]).by_position == {}


# Which finding an answer belongs to -----------------------------------------------------------------------------------


def answer(finding: Finding, text: str = "新签年度合同") -> Answer:
    return Answer(finding.rule, finding.sheet, finding.cell, finding.key, finding.given, text)


def test_an_answer_belongs_to_the_same_question_about_the_same_figure() -> None:
    matched = match_answers(FINDINGS, [answer(FINDINGS[0])])
    assert {position: one.text for position, one in matched.by_position.items()} == {0: "新签年度合同"}
    assert matched.unused == ()


@pytest.mark.parametrize(
    "other",
    [warning(rule="Q3"), warning(given="12.05"), warning(key="SI2 JPN"), warning("D12", rule="Q2b")],
    ids=["another rule", "another figure", "another line", "another rule and cell"],
)
def test_an_answer_to_something_else_answers_nothing(other: Finding) -> None:
    given = answer(warning())
    matched = match_answers([other], [given])
    assert matched.by_position == {}
    assert [one.answer for one in matched.unused] == [given]


def test_a_row_that_moved_keeps_its_answer() -> None:
    assert match_answers([warning("D15")], [answer(warning("D11"))]).by_position.keys() == {0}


def test_a_critical_finding_takes_no_answer() -> None:
    critical = replace(warning(), severity=Severity.CRITICAL)
    info = replace(warning(), severity=Severity.INFO)
    assert match_answers([critical, info], [answer(critical)]).by_position == {}


def test_of_several_questions_alike_the_cell_tells_which_was_answered() -> None:
    alike = [warning("D11", key="", given=""), warning("D12", key="", given="")]
    assert match_answers(alike, [answer(alike[1])]).by_position.keys() == {1}
    assert match_answers(alike, [answer(warning("D40", key="", given=""))]).by_position == {}


def test_the_later_of_two_answers_counts() -> None:
    two = [answer(FINDINGS[0], "第一次的说明"), answer(FINDINGS[0], "第二次的说明")]
    assert match_answers(FINDINGS, two).by_position[0].text == "第二次的说明"


def test_blanks_and_marks_that_no_cell_keeps_do_not_part_an_answer_from_its_question() -> None:
    asked = warning(given="1,250 \u200b万\n美元", key="SI2\u3000USA")
    came_back = replace(answer(asked), given="1,250  万 美元", key="SI2 USA ")
    assert match_answers([asked], [came_back]).by_position.keys() == {0}


def test_what_is_written_comes_back_for_every_kind_of_text() -> None:
    given = (
        "=1+1",
        "12,500,000",
        "-0.5",
        "001",
        "TRUE",
        "2020-03-01",
        "1e5",
        "'x",
        '<&>"',
        "_x000D_",
        "长" * 3_000,
        " a  b ",
    )
    asked = tuple(warning(f"D{row}", given=text, key=text) for row, text in enumerate(given, start=11))
    content = answered(annotated(findings=asked), {one.cell: "已与业务部门核实" for one in asked})
    matched = match_answers(asked, read_file("a.xlsx", content).answers)
    assert sorted(matched.by_position) == list(range(len(given)))
    assert list(chain(matched.unused)) == []
