"""The annotated workbook is the clerk's own: part by part, what is not named here is as it came."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest
from python_calamine import CalamineWorkbook
from workbooks_to_annotate import (
    EVERYWHERE,
    FINDINGS,
    SHEET,
    annotate,
    by_openpyxl,
    by_xlsxwriter,
    by_xlsxwriter_rich,
    changed,
    finding,
    made_by_hand,
    once,
    part_of_sheet,
    parts,
    with_many_sheets,
    with_threaded_comments,
    with_validation_across_sheets,
)

from pipelines.findings import Severity, Verdict
from pipelines.validation.annotate.book import Book
from pipelines.validation.annotate.markup import parse
from pipelines.validation.annotate.package import Package
from pipelines.validation.annotate.strip import strip


def stripped(content: bytes) -> bytes:
    package = Package(content)
    strip(Book(package))
    return package.to_bytes()


def may_change(content: bytes) -> set[str]:
    """The parts that an annotation may touch: named by the issue, one by one."""
    before = parts(content)
    sheet = part_of_sheet(content)
    relations = re.sub(r"([^/]+)$", r"_rels/\1.rels", sheet)
    held = before.get(relations, b"").decode()
    of_comments = {
        re.sub(r"^(\.\./|/xl/)", "xl/", target)
        for target in re.findall(r'Target="([^"]*(?:omment|vml)[^"]*)"', held)
        if "threaded" not in target
    }
    selected = {
        name
        for name, data in before.items()
        if name.startswith("xl/") and re.search(rb"tabSelected=\"(1|true)\"", data)
    }
    return {
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "docProps/app.xml",
        sheet,
        relations,
        *of_comments,
        *selected,
    }


def test_nothing_but_what_is_named_changes(workbook: bytes) -> None:
    before, after = parts(workbook), parts(annotate(workbook).content)
    assert list(before) == [name for name in after if name in before], "no part is lost or moved"
    touched = {name for name in before if before[name] != after[name]}
    assert touched <= may_change(workbook)
    added = {re.sub(r"\d", "", name) for name in after.keys() - before.keys()}
    folder, file = part_of_sheet(workbook).rsplit("/", 1)
    assert added <= {
        "xl/worksheets/sheet.xml",
        "xl/comments.xml",
        "xl/drawings/vmlDrawing.vml",
        "xl/styles.xml",
        re.sub(r"\d", "", f"{folder}/_rels/{file}.rels"),
    }


def test_untouched_parts_keep_their_compressed_bytes() -> None:
    content = by_xlsxwriter_rich()
    made = annotate(content).content
    for name in ("xl/theme/theme1.xml", "xl/sharedStrings.xml", "xl/media/image1.png", "docProps/core.xml"):
        before, after = Package(content), Package(made)
        info = before._members[name.lower()]
        assert before._packed(info) == after._packed(after._members[name.lower()])


def test_taking_the_annotation_out_gives_the_file_back(workbook: bytes) -> None:
    before, after = parts(workbook), parts(stripped(annotate(workbook).content))
    differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    for name in differing:
        # A cell that had no format of its own now says that it has the default one; a plain comment has become
        # one of one run; an empty row stands open; the hint how far a row reaches has been widened.
        assert _in_other_words(before[name]) == _in_other_words(after[name]), name


def _in_other_words(data: bytes) -> bytes:
    data = re.sub(rb' s="0"| spans="[0-9:]+"', b"", data)
    data = re.sub(rb"<row ?/>|<row></row>", b"", data)
    data = re.sub(rb"<r><t>([^<]*)</t></r>|<r><t( /)?></r>", rb"<t>\1</t>", data)
    data = re.sub(rb'<v:shapetype id="_x0000_t202".*?</v:shapetype>', b"", data, flags=re.DOTALL)
    return re.sub(rb"<(\w+) ?/>", rb"<\1></\1>", data)


def test_annotating_twice_is_annotating_once(workbook: bytes) -> None:
    first = annotate(workbook)
    second = annotate(first.content)
    assert parts(second.content) == parts(first.content)
    assert second.losses == first.losses


def test_the_same_file_gives_the_same_bytes(workbook: bytes) -> None:
    assert annotate(workbook).content == annotate(workbook).content


def test_every_value_of_every_sheet_reads_the_same(workbook: bytes) -> None:
    before = CalamineWorkbook.from_filelike(io.BytesIO(workbook))
    after = CalamineWorkbook.from_filelike(io.BytesIO(annotate(workbook).content))
    assert after.sheet_names == ["审核意见", *before.sheet_names]
    for name in before.sheet_names:
        assert _filled(after, name) == _filled(before, name)


def _filled(book: CalamineWorkbook, name: str) -> dict[tuple[int, int], object]:
    rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return {
        (row, column): value
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
        if value != ""
    }


def test_a_marked_cell_keeps_everything_but_its_fill() -> None:
    content = by_xlsxwriter_rich()
    before = openpyxl.load_workbook(io.BytesIO(content))[SHEET]
    after = openpyxl.load_workbook(io.BytesIO(annotate(content).content))[SHEET]
    for address in ("D11", "F13", "E11"):
        old, new = before[address], after[address]
        assert new.fill.fill_type == "solid", address
        for name in ("number_format", "font", "border", "alignment", "protection"):
            assert repr(getattr(new, name)) == repr(getattr(old, name)), (address, name)
    assert repr(after["D12"].fill) == repr(before["D12"].fill)


def test_colours_tell_how_grave_a_finding_is() -> None:
    page = openpyxl.load_workbook(io.BytesIO(annotate(by_xlsxwriter()).content))[SHEET]
    shades = {address: page[address].fill.fgColor.rgb for address in ("F13", "D11", "E11")}
    red, amber, blue = (tuple(int(shades[one][at : at + 2], 16) for at in (2, 4, 6)) for one in shades)
    assert red[0] > red[1] > red[2]
    assert amber[0] > amber[1] > amber[2]
    assert amber[1] > red[1]
    assert blue[2] > blue[1] > blue[0]


def test_a_cell_that_is_not_there_is_made_in_the_format_of_its_column_or_row() -> None:
    rich = openpyxl.load_workbook(io.BytesIO(annotate(by_xlsxwriter_rich()).content))[SHEET]
    assert rich["N11"].number_format == "0.0%", "the column's format"
    page = annotate(by_xlsxwriter_rich(), (finding("B41", given=""),)).content
    assert openpyxl.load_workbook(io.BytesIO(page))[SHEET]["B41"].number_format == "#,##0.00", "the row's"


def test_the_worst_finding_colours_a_cell_and_all_are_in_its_comment() -> None:
    several = (
        finding("D11", Severity.INFO, rule="I1", zh="一条提示。"),
        finding("D11", Severity.CRITICAL, rule="C1", zh="一处错误。"),
        finding("D11", Severity.WARNING, rule="W1", zh="一处疑问。"),
    )
    page = openpyxl.load_workbook(io.BytesIO(annotate(by_xlsxwriter(), several, fixes=()).content))[SHEET]
    only = openpyxl.load_workbook(io.BytesIO(annotate(by_xlsxwriter(), several[1:2], fixes=()).content))[
        SHEET
    ]
    assert repr(page["D11"].fill) == repr(only["D11"].fill)
    assert page["D11"].comment is not None
    lines = page["D11"].comment.text.split("\n")
    assert lines == ["【审核意见】", "一处错误。", "一处疑问。", "一条提示。", "【意见止】"]


def test_a_finding_inside_a_merged_range_is_shown_where_the_range_is_seen() -> None:
    made = annotate(by_xlsxwriter_rich(), (finding("C1"), finding("F1", zh="又一处。"))).content
    page = openpyxl.load_workbook(io.BytesIO(made))[SHEET]
    assert page["A1"].fill.fill_type == "solid"
    assert page["A1"].comment is not None
    assert "又一处" in page["A1"].comment.text
    assert "C1" in {link.location.rpartition("!")[2] for link in _links(made)}


def _links(content: bytes) -> list[openpyxl.worksheet.hyperlink.Hyperlink]:
    page = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [cell.hyperlink for row in page.iter_rows() for cell in row if cell.hyperlink is not None]


# Comments -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [by_openpyxl, by_xlsxwriter_rich], ids=["openpyxl", "XlsxWriter"])
def test_a_comment_that_was_there_keeps_its_text_and_gets_ours(make: object) -> None:
    content = make()  # type: ignore[operator]
    before = openpyxl.load_workbook(io.BytesIO(content))[SHEET]
    text = annotate(annotate(content).content).content
    after = openpyxl.load_workbook(io.BytesIO(text))[SHEET]
    old = before["D11"].comment
    assert old is not None
    assert after["D11"].comment is not None
    assert after["D11"].comment.text.startswith(old.text + "\n【审核意见】\n")
    assert after["D11"].comment.text.count("【审核意见】") == 1
    assert after["D11"].comment.author == old.author
    others = {
        cell.coordinate: cell.comment.text
        for row in before.iter_rows()
        for cell in row
        if cell.comment is not None and cell.coordinate != "D11"
    }
    assert others
    for address, held in others.items():
        assert after[address].comment is not None
        assert after[address].comment.text == held


def test_what_the_clerk_wrote_below_our_comment_stays_as_the_clerk_s() -> None:
    made = annotate(by_xlsxwriter()).content
    held = parts(made)
    comments = held["xl/comments1.xml"].decode()
    closing = "".join(f"&#{ord(character)};" for character in "【意见止】")
    assert closing in comments
    replied = changed(made, {"xl/comments1.xml": once(closing.encode(), f"{closing}\n已电话核实".encode())})
    page = openpyxl.load_workbook(io.BytesIO(annotate(replied, findings=()).content))[SHEET]
    assert page["D11"].comment is not None
    assert page["D11"].comment.text.strip() == "已电话核实"
    assert page["F13"].comment is None


def test_each_comment_has_one_box_and_each_box_one_comment(workbook: bytes) -> None:
    content = workbook
    for _ in range(3):
        content = annotate(content).content
    held = parts(content)
    boxes = [
        (int(row), int(column))
        for name, data in held.items()
        if name.endswith(".vml")
        for shape in re.findall(r"<\w+:shape[ >].*?</\w+:shape>", data.decode(), re.DOTALL)
        if 'ObjectType="Note"' in shape
        for row, column in re.findall(r"<\w+:Row>\s*(\d+)\s*</\w+:Row>\s*<\w+:Column>\s*(\d+)\s*<", shape)
    ]
    page = (
        openpyxl.load_workbook(io.BytesIO(content))[SHEET]
        if b"purl.oclc" not in held["xl/workbook.xml"]
        else None
    )
    if page is not None:
        commented = [
            (cell.row - 1, cell.column - 1)
            for row in page.iter_rows()
            for cell in row
            if cell.comment is not None
        ]
        assert len(boxes) == len(set(boxes))
        assert set(boxes) <= set(commented)
        assert {(10, 3), (10, 13), (98, 25)} <= set(boxes)
    ids = [
        found
        for name, data in held.items()
        if name.endswith(".vml")
        for found in re.findall(r'<\w+:shape[ >][^>]*?id="(_x0000_s\d+)"', data.decode())
    ]
    assert len(ids) == len(set(ids))


def test_a_conversation_is_left_alone_and_that_is_said() -> None:
    content = with_threaded_comments()
    made = annotate(content)
    before, after = parts(content), parts(made.content)
    name = "xl/threadedComments/threadedComment1.xml"
    assert after[name] == before[name]
    page = openpyxl.load_workbook(io.BytesIO(made.content))[SHEET]
    assert page["F13"].comment is not None
    assert page["F13"].comment.text == "[Threaded comment] 这个数对吗？"
    assert [loss.zh for loss in made.losses] == [
        f"工作表“{SHEET}”F13 已有会话批注，保持原样；审核意见只列在本表。"
    ]


# The workbook around the sheets -------------------------------------------------------------------------------------


def test_names_of_one_sheet_still_belong_to_it() -> None:
    for content in (by_openpyxl(), by_xlsxwriter_rich(), with_many_sheets()):
        before = openpyxl.load_workbook(io.BytesIO(content))
        after = openpyxl.load_workbook(io.BytesIO(annotate(content).content))
        for sheet in before.worksheets:
            assert _targets(after[sheet.title].defined_names) == _targets(sheet.defined_names)
            assert after[sheet.title].print_area == sheet.print_area
            assert after[sheet.title].print_title_rows == sheet.print_title_rows
            assert after[sheet.title].sheet_state == sheet.sheet_state
        assert _targets(after.defined_names) == _targets(before.defined_names)


def _targets(names: openpyxl.workbook.defined_name.DefinedNameDict) -> dict[str, str]:
    return {name: defined.attr_text for name, defined in names.items()}


def test_only_our_sheet_is_open_and_chosen() -> None:
    for content in (by_openpyxl(), with_many_sheets(), by_xlsxwriter_rich()):
        after = openpyxl.load_workbook(io.BytesIO(annotate(content).content))
        assert after.active.title == "审核意见"
        assert [one.title for one in after.worksheets if one.sheet_view.tabSelected] == ["审核意见"]


def test_what_was_open_is_open_again_when_the_sheet_is_taken_out() -> None:
    content = with_many_sheets()
    before = openpyxl.load_workbook(io.BytesIO(content))
    after = openpyxl.load_workbook(io.BytesIO(stripped(annotate(content).content)))
    assert after.active.title == before.active.title
    chosen = [one.title for one in before.worksheets if one.sheet_view.tabSelected]
    assert [one.title for one in after.worksheets if one.sheet_view.tabSelected] == chosen
    assert len(chosen) == 2


def test_the_titles_in_the_properties_follow() -> None:
    held = parts(annotate(by_xlsxwriter_rich()).content)["docProps/app.xml"].decode()
    assert "<vt:lpstr>&#23457;&#26680;&#24847;&#35265;</vt:lpstr><vt:lpstr>说明</vt:lpstr>" in held
    count = int(re.search(r"<vt:i4>(\d+)</vt:i4>", held)[1])  # type: ignore[index]
    assert count == 4
    size = int(re.search(r'<vt:vector size="(\d+)" baseType="lpstr">', held)[1])  # type: ignore[index]
    assert size == held.count("<vt:lpstr>") - held[: held.index("<TitlesOfParts>")].count("<vt:lpstr>")


def test_formulas_keep_their_results_and_drop_downs_their_source() -> None:
    content = with_validation_across_sheets()
    sheet = part_of_sheet(content)
    after = parts(annotate(content).content)
    assert "<xm:f>代码表!$D$2:$D$250</xm:f>".encode() in after[sheet]
    rich = by_xlsxwriter_rich()
    made = annotate(rich).content
    values = openpyxl.load_workbook(io.BytesIO(made), data_only=True)[SHEET]
    formulas = openpyxl.load_workbook(io.BytesIO(made))[SHEET]
    assert (values["E11"].value, formulas["E11"].value) == (1010, "=SUM(D11:D11)")
    assert b"x14:sparkline" in after[sheet] or b"x14:sparkline" in parts(made)[part_of_sheet(rich)]


def test_locks_stay_locked() -> None:
    book = openpyxl.load_workbook(io.BytesIO(annotate(by_openpyxl()).content))
    assert book.security is not None
    assert book.security.lockStructure
    assert book[SHEET].protection.sheet
    assert (
        book[SHEET].protection.password
        == openpyxl.load_workbook(io.BytesIO(by_openpyxl()))[SHEET].protection.password
    )
    assert not book[SHEET]["F13"].protection.locked


def test_the_reference_to_comments_stands_where_the_schema_wants_it(workbook: bytes) -> None:
    made = annotate(workbook).content
    order = [child.local for child in parse(parts(made)[part_of_sheet(made)]).children]
    place = order.index("legacyDrawing")
    assert order.count("legacyDrawing") == 1
    assert not {"tableParts", "extLst", "controls"} & set(order[:place])
    assert not {"sheetData", "mergeCells", "drawing", "pageMargins"} & set(order[place:])


def test_a_sheet_with_the_clerk_s_own_audit_notes_is_not_ours() -> None:
    content = changed(by_xlsxwriter(), {"xl/workbook.xml": once("填表说明".encode(), "审核意见".encode())})
    made = annotate(annotate(content).content).content
    names = openpyxl.load_workbook(io.BytesIO(made)).sheetnames
    assert names[:2] == ["审核意见 (2)", "审核意见"]
    assert len(names) == 6


def test_a_wrong_name_of_a_sheet_or_cell_is_listed_and_marks_nothing() -> None:
    odd = (
        finding("A0"),
        finding("XFE1"),
        finding("D1048577"),
        finding("D11:D12"),
        finding("D11", sheet="没有这张表"),
    )
    made = annotate(by_xlsxwriter(), odd, fixes=())
    assert (
        parts(made.content)[part_of_sheet(made.content)]
        == parts(by_xlsxwriter())[part_of_sheet(by_xlsxwriter())]
    )
    assert made.losses[0].zh == "5 条意见所指的位置不在工作表内，只列在本表。"
    assert [link.location for link in _links(made.content)] == [f"'{SHEET}'!A1"] * 4


def test_the_last_cell_of_a_sheet_can_be_marked() -> None:
    made = annotate(made_by_hand(), (finding("XFD1048576"),), fixes=()).content
    data = parts(made)["xl/worksheets/s1.xml"]
    assert re.search(rb'<x:row r="1048576"><x:c r="XFD1048576" s="\d+"/></x:row></x:sheetData>', data)


def test_an_accepted_file_says_that_there_is_nothing_to_do() -> None:
    made = annotate(by_xlsxwriter(), (), fixes=(), verdict=Verdict.ACCEPTED)
    page = openpyxl.load_workbook(io.BytesIO(made.content)).worksheets[0]
    texts = [cell.value for row in page.iter_rows(max_col=9) for cell in row if cell.value]
    assert texts[0] == "审核意见"
    assert "没有需要处理的问题。" in texts
    assert parts(made.content)["xl/styles.xml"] != parts(by_xlsxwriter())["xl/styles.xml"]


def test_findings_that_went_away_leave_no_trace() -> None:
    content = by_xlsxwriter_rich()
    first = annotate(content, EVERYWHERE).content
    second = annotate(first, FINDINGS[:1], fixes=()).content
    page = openpyxl.load_workbook(io.BytesIO(second))[SHEET]
    before = openpyxl.load_workbook(io.BytesIO(content))[SHEET]
    for address in ("F13", "E11", "Z99", "N11"):
        assert repr(page[address].fill) == repr(before[address].fill), address
        assert page[address].comment is None, address
    assert page["D11"].fill.fill_type == "solid"
    afresh = parts(annotate(content, FINDINGS[:1], fixes=()).content)
    assert {name: _in_other_words(data) for name, data in parts(second).items()} == {
        name: _in_other_words(data) for name, data in afresh.items()
    }
