"""Forms as clerks fill them in: every value with its cell, every leniency said, every mistake named at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.findings import Severity
from pipelines.intake import read_file
from pipelines.records import FileKind, ParsedFile
from tests.intake.builder import (
    ENTERPRISE_CODE,
    FM2_ROWS,
    FM3_ROWS,
    Book,
    Formula,
    Sheet,
    canonical_book,
    canonical_file,
    fm1_sheet,
    fm2_sheet,
    fm3_sheet,
    write_book,
)
from tests.intake.hostile import SHEET_OF_FM2, part, repack


def read(book: Book, **options: Any) -> ParsedFile:
    return read_file("报表.xlsx", write_book(book, **options))


def cells_of(parsed: ParsedFile, form_code: str = "FM-2", section: str = "row") -> dict[tuple[int, str], Any]:
    """(row, field) -> what was read: number, code or state."""
    return {
        (cell.row_number, cell.field): cell.number if cell.number is not None else (cell.code or cell.state)
        for cell in parsed.cells
        if cell.form_code == form_code and cell.section == section
    }


def values_of(parsed: ParsedFile, form_code: str = "FM-2") -> list[tuple[Any, ...]]:
    """The figures of a form without their places, in order: what must not change when rows move."""
    return [
        (cell.section, cell.field, cell.number, cell.code, cell.day, cell.state)
        for cell in parsed.cells
        if cell.form_code == form_code and cell.section != "head"
    ]


def rules(parsed: ParsedFile) -> list[str]:
    return [finding.rule for finding in parsed.findings]


def fm2_book(sheet: Sheet) -> Book:
    return [sheet if one.name == "服务进出口" else one for one in canonical_book()]


def fm2_with(rows: list[tuple[Any, ...]], **options: Any) -> ParsedFile:
    return read(fm2_book(fm2_sheet(rows, total=False, **options)))


LINE = ("SI2", "计算机服务", "USA", 120.5, 340.5, 10, 30, 40, 100, 0, "")


def line(**changes: Any) -> tuple[Any, ...]:
    names = ("item", "name", "partner", "export", "export_ytd", "import_", "import_ytd", "remote_export",
             "remote_import", "related", "remark")  # fmt: skip
    return tuple(changes.get(name, value) for name, value in zip(names, LINE, strict=True))


# The canonical workbook ---------------------------------------------------------------------------------------


def test_the_canonical_workbook_is_read_without_a_word() -> None:
    parsed = read_file("报表.xlsx", canonical_file())
    assert parsed.findings == ()
    assert parsed.fixes == ()
    assert parsed.kind is FileKind.RETURN
    assert parsed.form_codes == ("FM-1", "FM-2", "FM-3")
    assert parsed.layout_versions == ("FM-1/2016", "FM-2/2016", "FM-3/2016")
    assert str(parsed.period) == "2020-03"
    assert parsed.enterprise_code == ENTERPRISE_CODE
    assert parsed.enterprise_name == "武汉示例信息服务有限公司"
    assert not parsed.is_zero_return
    assert not parsed.is_revision


def test_every_figure_keeps_its_sheet_and_its_cell() -> None:
    parsed = read_file("报表.xlsx", canonical_file())
    [cell] = [one for one in parsed.cells if one.field == "export" and one.row_number == 12]
    assert (cell.sheet, cell.cell, cell.section) == ("服务进出口", "D12", "row")
    assert (cell.text, cell.number, cell.state) == ("80", Decimal(80), "value")


def test_a_blank_cell_has_no_record_and_a_zero_has_one() -> None:
    cells = cells_of(read_file("报表.xlsx", canonical_file()))
    assert cells[(12, "import")] == 0
    assert (14, "export") not in cells


def test_partners_are_read_by_code_and_by_name() -> None:
    cells = cells_of(read_file("报表.xlsx", canonical_file()))
    assert [cells[(row, "partner_code")] for row in (11, 12)] == ["USA", "JPN"]


def test_the_total_row_is_no_line() -> None:
    parsed = read_file("报表.xlsx", canonical_file())
    totals = cells_of(parsed, section="total")
    assert totals == {
        (15, "export"): Decimal("215.6"),
        (15, "export_ytd"): Decimal("586.05"),
        (15, "import"): Decimal("51"),
        (15, "import_ytd"): Decimal("149.9"),
    }


def test_head_fields_are_cells_with_their_own_codes() -> None:
    heads = cells_of(read_file("报表.xlsx", canonical_file()), section="head")
    read_heads = {field: value for (_, field), value in heads.items()}
    assert read_heads["unit"] == "USD_10K"
    assert read_heads["reference_month"] == "2020-03"
    assert read_heads["is_revision"] == "false"
    assert read_heads["form_code"] == "FM-2"


def test_the_registration_is_read_as_pairs_of_label_and_value() -> None:
    parsed = read_file("报表.xlsx", canonical_file())
    found = {field: value for (_, field), value in cells_of(parsed, "FM-1").items()}
    assert found["industry_code"] == "6510"
    assert found["district_code"] == "4201Z1"
    assert found["employee_count"] == 320
    assert found["revenue"] == Decimal("5200.5")
    assert found["is_key_enterprise"] == "true"
    assert found["is_advanced_technology"] == "false"
    assert found["is_digital_export_base"] == "true"


def test_outsourcing_contracts_keep_date_type_and_shore() -> None:
    parsed = read_file("报表.xlsx", canonical_file())
    found = cells_of(parsed, "FM-3")
    assert found[(11, "outsourcing_type")] == "ITO"
    assert [found[(row, "shore")] for row in (11, 12)] == ["offshore", "onshore"]
    [signed] = [cell for cell in parsed.cells if cell.field == "signed_date" and cell.row_number == 11]
    assert signed.day == date(2020, 1, 15)
    assert found[(11, "executed_cumulative")] == Decimal("120.5")


def test_amounts_are_exact_decimals_and_not_binary_floats() -> None:
    parsed = fm2_with([line(export=1.1, export_ytd=0.1 + 0.2)])
    cells = cells_of(parsed)
    assert cells[(11, "export")] == Decimal("1.1")
    assert cells[(11, "export_ytd")] == Decimal("0.3")


# Shape: read wherever it stands -------------------------------------------------------------------------------


def moved(change: Callable[[Sheet], None]) -> Book:
    sheet = fm2_sheet()
    change(sheet)
    return fm2_book(sheet)


def with_note_between(sheet: Sheet) -> None:
    sheet.insert_row(13)
    sheet.cells[(13, 1)] = "注：以下为新签合同，金额含税。"


def with_flat_heads(sheet: Sheet) -> None:
    """Two-row heads written into one row, nothing merged."""
    sheet.merges = [merge for merge in sheet.merges if merge[0] != 9]
    for column, head in (
        (4, "出口本月"), (5, "出口累计"), (6, "本月进口"), (7, "进口1—本月累计"), (8, "出口远程提供占比（%）"),
        (9, "进口远程提供占比（%）"),
    ):  # fmt: skip
        sheet.cells[(9, column)] = head
        sheet.cells.pop((10, column), None)


def with_merges_lost(sheet: Sheet) -> None:
    sheet.merges = []


def with_a_ruler(sheet: Sheet) -> None:
    sheet.insert_row(11)
    sheet.row(11, ["甲", "乙", "丙", 1, 2, 3, 4, 5, 6, 7, "丁"])


def with_the_total_on_top(sheet: Sheet) -> None:
    total = [sheet.cells.pop((15, column)) for column in (1, 4, 5, 6, 7)]
    sheet.insert_row(11)
    for column, value in zip((1, 4, 5, 6, 7), total, strict=True):
        sheet.cells[(11, column)] = value


SAME_VALUES: dict[str, Callable[[Sheet], None]] = {
    "rows above the head": lambda sheet: sheet.insert_row(1, 3),
    "a row between head block and table": lambda sheet: sheet.insert_row(9),
    "a row inside the two-row head": lambda sheet: sheet.insert_row(10),
    "a blank row between lines": lambda sheet: sheet.insert_row(13, 2),
    "a note between lines": with_note_between,
    "a column on the left": lambda sheet: sheet.insert_column(1),
    "a column between codes and amounts": lambda sheet: sheet.insert_column(4),
    "a column inside a two-row head": lambda sheet: sheet.insert_column(5),
    "heads in one row": with_flat_heads,
    "merges lost": with_merges_lost,
    "a row that numbers the columns": with_a_ruler,
}


@pytest.mark.parametrize("what", SAME_VALUES)
def test_the_same_figures_are_read_with(what: str) -> None:
    canonical, changed = read(canonical_book()), read(moved(SAME_VALUES[what]))
    assert changed.findings == ()
    assert values_of(changed) == values_of(canonical)


def test_a_total_above_the_lines_is_still_the_total() -> None:
    canonical, changed = read(canonical_book()), read(moved(with_the_total_on_top))
    assert changed.findings == ()
    assert sorted(map(repr, values_of(changed))) == sorted(map(repr, values_of(canonical)))


def test_sheets_are_found_in_any_order_and_under_any_name() -> None:
    book = canonical_book()
    book.reverse()
    for number, sheet in enumerate(book):
        if sheet.name not in ("填表说明", "代码表"):
            sheet.name = f"Sheet{number}"
    changed = read(book)
    assert changed.findings == ()
    assert values_of(changed) == values_of(read(canonical_book()))


def test_a_form_without_its_number_is_known_by_its_title_and_without_both_by_its_columns() -> None:
    expected = values_of(read(canonical_book()))
    sheet = fm2_sheet()
    sheet.cells.pop((2, 10))
    assert values_of(read(fm2_book(sheet))) == expected
    sheet.cells.pop((1, 1))
    sheet.name = "Sheet9"
    renamed = [sheet if one.name == "服务进出口" else one for one in canonical_book()]
    assert values_of(read(renamed)) == expected


def test_a_hidden_form_is_read_and_said_to_be() -> None:
    sheet = fm2_sheet()
    sheet.hidden = True
    parsed = read(fm2_book(sheet))
    assert values_of(parsed) == values_of(read(canonical_book()))
    assert [fix.why.en for fix in parsed.fixes] == ["a hidden sheet was read too"]


def test_a_form_under_the_name_of_the_instructions_is_found_where_no_other_is() -> None:
    sheet = fm2_sheet()
    sheet.name = "填表说明"
    assert values_of(read([sheet])) == values_of(read(canonical_book()))


def test_labels_and_values_may_share_a_cell() -> None:
    sheet = fm2_sheet()
    for row in (6, 7, 8):
        for column in range(1, 12):
            sheet.cells.pop((row, column), None)
    sheet.cells[(6, 1)] = f"统一社会信用代码：{ENTERPRISE_CODE}   报告期： 2020年3月"
    sheet.cells[(7, 1)] = "单位详细名称：武汉示例信息服务有限公司"
    sheet.cells[(7, 9)] = "（计量单位：万美元）"
    parsed = read(fm2_book(sheet))
    assert parsed.findings == ()
    assert values_of(parsed) == values_of(read(canonical_book()))
    heads = {field: value for (_, field), value in cells_of(parsed, section="head").items()}
    assert heads["unit"] == "USD_10K"
    assert heads["enterprise_code"] == ENTERPRISE_CODE


def below(upper: Sheet, lower: Sheet, *, gap: int = 2, has_foot: bool = True) -> Sheet:
    """Two forms on one sheet, the second under the first."""
    if not has_foot:
        foot = min(row for (row, _), value in upper.cells.items() if str(value).startswith("填表说明"))
        upper.cells = {place: value for place, value in upper.cells.items() if place[0] < foot}
    offset = max(row for row, _ in upper.cells) + gap
    lower.insert_row(1, offset)
    upper.cells |= lower.cells
    upper.merges += lower.merges
    return upper


@pytest.mark.parametrize("has_foot", [True, False])
@pytest.mark.parametrize("gap", [0, 3])
def test_two_forms_on_one_sheet_are_read_each_by_itself(has_foot: bool, gap: int) -> None:
    parsed = read([below(fm2_sheet(), fm3_sheet(), gap=gap, has_foot=has_foot)])
    assert rules(parsed) == []
    assert parsed.form_codes == ("FM-2", "FM-3")
    whole = read_file("报表.xlsx", canonical_file())
    assert values_of(parsed) == values_of(whole)
    assert values_of(parsed, "FM-3") == values_of(whole, "FM-3")
    places = {cell.cell for cell in parsed.cells if cell.form_code == "FM-3" and cell.section == "row"}
    assert places.isdisjoint(cell.cell for cell in parsed.cells if cell.form_code == "FM-2")


def test_errors_on_a_sheet_of_two_forms_are_said_of_the_form_in_which_they_stand() -> None:
    lower = fm3_sheet([(*FM3_ROWS[0][:4], Formula("=1/0", "#DIV/0!"), *FM3_ROWS[0][5:])])
    lower.cells = {place: value for place, value in lower.cells.items() if place[0] != 12}
    parsed = read([below(fm2_sheet(), lower)])
    assert [(one.rule, one.form_code) for one in parsed.findings] == [("P17", "FM-3")]


def test_a_table_continued_under_a_second_head_is_the_same_form_twice() -> None:
    parsed = read([below(fm2_sheet(total=False), fm2_sheet([line(partner="DEU")]), has_foot=False)])
    assert rules(parsed) == ["P19"]


def test_two_forms_side_by_side_are_not_taken_for_one() -> None:
    left, right = fm2_sheet(), fm3_sheet()
    right.insert_column(1, 14)
    left.cells |= right.cells
    left.merges += right.merges
    for place in [place for place, value in left.cells.items() if value == "说明"]:
        del left.cells[place]  # so that no two columns are alike
    [found] = [one for one in read([left]).findings if one.severity is Severity.CRITICAL]
    assert (found.rule, found.cell, found.given) == ("P34", "W2", "FM-3")


def test_a_form_number_in_a_note_begins_no_form() -> None:
    sheet = fm2_sheet()
    sheet.cells[(max(row for row, _ in sheet.cells) + 1, 1)] = "注：本表与 FM-3 的表号、口径均不同。"
    assert rules(read([sheet])) == []


def test_a_head_field_moved_below_the_table_is_found() -> None:
    sheet = fm2_sheet()
    unit = sheet.cells.pop((7, 10))
    sheet.cells.pop((7, 9))
    sheet.row(25, ["计量单位：", unit])
    assert read(fm2_book(sheet)).findings == ()


def test_a_unit_without_a_label_is_taken_and_said_to_be() -> None:
    sheet = fm2_sheet()
    sheet.cells.pop((7, 9))
    sheet.cells[(7, 10)] = "（万美元）"
    parsed = read(fm2_book(sheet))
    assert parsed.findings == ()
    assert [fix.read_as for fix in parsed.fixes] == ["万美元"]


def test_a_unit_in_the_column_heads_is_taken_where_the_form_gives_none() -> None:
    sheet = fm3_sheet()
    sheet.cells.pop((7, 9))
    sheet.cells[(9, 5)] = "合同额（万美元）"
    parsed = read([fm2_sheet(), sheet])
    assert parsed.findings == ()
    assert [(fix.cell, fix.read_as) for fix in parsed.fixes] == [("E9", "万美元")]


def test_an_extra_column_is_left_alone_and_said_to_be() -> None:
    sheet = fm2_sheet()
    sheet.cells[(9, 12)] = "内部备注"
    sheet.cells[(11, 12)] = "客户甲"
    parsed = read(fm2_book(sheet))
    assert [(finding.rule, finding.severity, finding.cell) for finding in parsed.findings] == [
        ("P11", Severity.INFO, "L9")
    ]
    assert values_of(parsed) == values_of(read(canonical_book()))


def test_a_serial_number_column_is_nothing_special() -> None:
    sheet = fm2_sheet()
    sheet.insert_column(1)
    sheet.cells[(9, 1)] = "序号"
    for row in range(11, 15):
        sheet.cells[(row, 1)] = row - 10
    parsed = read(fm2_book(sheet))
    assert parsed.findings == ()
    assert values_of(parsed) == values_of(read(canonical_book()))


def test_an_item_merged_over_its_partners_holds_for_each_of_them() -> None:
    sheet = fm2_sheet()
    sheet.merge(11, 1, 12, 1)
    sheet.merge(11, 2, 12, 2)
    sheet.cells.pop((12, 1))
    sheet.cells.pop((12, 2))
    parsed = read(fm2_book(sheet))
    assert parsed.findings == ()
    assert values_of(parsed) == values_of(read(canonical_book()))
    assert {(fix.cell, fix.read_as) for fix in parsed.fixes} == {("A12", "SI2"), ("B12", "计算机服务")}


def test_a_subtotal_is_not_counted_and_said_not_to_be() -> None:
    sheet = fm2_sheet()
    sheet.insert_row(13)
    sheet.row(13, ["小计", None, None, 200.5, 540.75, 10, 30])
    parsed = read(fm2_book(sheet))
    assert values_of(parsed) == values_of(read(canonical_book()))
    assert [fix.cell for fix in parsed.fixes] == ["A13"]


# Values: generous, and said so --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "number", "state"),
    [
        ("１，２３４.５", Decimal("1234.5"), "value"),
        ("1,234.50 ", Decimal("1234.5"), "value"),
        ("…", Decimal(0), "zero"),
        ("—", None, "not_applicable"),
        ("/", None, "not_applicable"),
    ],
)
def test_a_leniency_is_reported_with_what_stood_there_and_what_it_was_read_as(
    given: str, number: Decimal | None, state: str
) -> None:
    parsed = fm2_with([line(export=given)])
    [cell] = [one for one in parsed.cells if one.field == "export"]
    assert (cell.number, cell.state, cell.text) == (number, state, given)
    assert parsed.findings == ()
    [fix] = parsed.fixes
    assert (fix.sheet, fix.cell, fix.given) == ("服务进出口", "D11", given)
    assert fix.why.zh
    assert fix.why.en


@pytest.mark.parametrize("given", ["..", "保密"])
def test_a_withheld_figure_is_neither_zero_nor_blank(given: str) -> None:
    parsed = fm2_with([line(export=given)])
    [cell] = [one for one in parsed.cells if one.field == "export"]
    assert (cell.number, cell.state) == (None, "withheld")
    assert parsed.fixes == ()


def test_a_percentage_may_be_a_number_a_text_or_a_format() -> None:
    sheet = fm2_sheet(
        [line(remote_export=40), line(remote_export="40%"), line(remote_export=0.4), line(remote_export=0.4)]
    )
    sheet.formats[(13, 8)] = "0.0%"
    parsed = read(fm2_book(sheet))
    cells = cells_of(parsed)
    assert [cells[(row, "export_remote_share_pct")] for row in (11, 12, 13, 14)] == [
        40,
        40,
        40,
        Decimal("0.4"),
    ]
    assert {fix.cell for fix in parsed.fixes} == {"H12", "H13"}


def test_an_item_may_be_given_by_its_name_alone() -> None:
    parsed = fm2_with([line(item=None)])
    assert parsed.findings == ()
    [cell] = [one for one in parsed.cells if one.field == "item_code"]
    assert (cell.code, cell.cell, cell.text) == ("SI2", "B11", "计算机服务")
    assert [fix.cell for fix in parsed.fixes] == ["B11"]


def test_full_width_and_lower_case_codes_are_read_and_said() -> None:
    parsed = fm2_with([line(item="ＳＩ２", partner="usa")])
    cells = cells_of(parsed)
    assert (cells[(11, "item_code")], cells[(11, "partner_code")]) == ("SI2", "USA")
    assert {fix.cell for fix in parsed.fixes} == {"A11", "C11"}


def test_a_credit_code_with_blanks_and_lower_case_is_read_and_said() -> None:
    parsed = read(canonical_book(enterprise_code=" 91420100 ma4kabcd10"))
    assert parsed.enterprise_code == ENTERPRISE_CODE
    assert parsed.findings == ()
    assert len(parsed.fixes) == 3


@pytest.mark.parametrize(
    "period",
    [
        "2020年3月",
        "2020-03",
        "202003",
        202003,
        date(2020, 3, 1),
        "2020年3月31日",
        "2020/3",
        "报告期：2020年3月",
    ],
)
def test_the_period_is_read_in_every_shape(period: Any) -> None:
    parsed = read(canonical_book(period=period))
    assert str(parsed.period) == "2020-03"
    assert parsed.findings == ()


def test_january_and_february_may_be_one_period() -> None:
    assert str(read(canonical_book(period="2020年1-2月")).period) == "2020-M01-02"


def test_dates_come_right_in_the_calendar_of_1904() -> None:
    parsed = read(canonical_book(period=datetime(2020, 3, 1)), date_1904=True)
    assert str(parsed.period) == "2020-03"
    [signed] = [cell for cell in parsed.cells if cell.field == "signed_date" and cell.row_number == 11]
    assert signed.day == date(2020, 1, 15)


def test_a_serial_number_for_a_date_is_read_and_said() -> None:
    rows = [(*FM3_ROWS[0][:7], 43845, "执行中", "")]
    parsed = read([fm2_sheet(), fm3_sheet(rows)])
    [signed] = [cell for cell in parsed.cells if cell.field == "signed_date"]
    assert signed.day == date(2020, 1, 15)
    assert [fix.cell for fix in parsed.fixes] == ["H11"]


@pytest.mark.parametrize("given", ["☑", "√", "是", 1])
def test_a_ticked_box_and_no_rows_is_a_zero_return(given: Any) -> None:
    parsed = read([fm1_sheet(), fm2_sheet([], total=False, zero=given), fm3_sheet([], zero=given)])
    assert parsed.is_zero_return
    assert parsed.findings == ()


def test_a_zero_return_of_one_form_beside_lines_of_another_is_not_a_zero_return() -> None:
    parsed = read([fm2_sheet([], total=False, zero="☑"), fm3_sheet()])
    assert not parsed.is_zero_return
    assert parsed.findings == ()


def test_a_correction_says_so() -> None:
    assert read(canonical_book(filing="更正")).is_revision


# Mistakes: named, all at once ---------------------------------------------------------------------------------


def test_all_mistakes_of_a_file_are_reported_at_once() -> None:
    parsed = fm2_with(
        [
            line(item="ZZ9"),
            line(partner="火星"),
            line(export="约100"),
            line(remote_export="很多"),
            line(item=None, name=None),
        ]
    )
    assert sorted(rules(parsed)) == ["P06", "P06", "P12", "P13", "P16"]
    assert {finding.cell for finding in parsed.findings} == {"A11", "C12", "D13", "H14", "A15"}


def test_a_finding_names_place_value_expectation_and_remedy_in_both_languages() -> None:
    [finding] = fm2_with([line(export="1,2OO")]).findings
    assert (finding.rule, finding.sheet, finding.cell, finding.given, finding.form_code) == (
        "P06", "服务进出口", "D11", "1,2OO", "FM-2"
    )  # fmt: skip
    assert finding.key == "SI2 USA"
    assert finding.message.zh.startswith("表“服务进出口”第 11 行 D 列（出口 本月）：填报“1,2OO”，不是数字。")
    assert finding.message.en.startswith(
        "Sheet “服务进出口”, row 11, column D (Exports of the month): you entered “1,2OO”"
    )


def test_an_unreadable_cell_is_kept_as_it_stands() -> None:
    parsed = fm2_with([line(export="约100")])
    [cell] = [one for one in parsed.cells if one.field == "export"]
    assert (cell.text, cell.number, cell.state) == ("约100", None, "invalid")


MISTAKES: dict[str, tuple[str, str, Callable[[], Book]]] = {
    "no form": ("P01", "", lambda: [Sheet("随便", {(1, 1): "这是一张购物清单", (2, 1): "苹果"})]),
    "a period before the form was in force": ("P02", "J6", lambda: [fm2_sheet(period="2009年3月")]),
    "no period": ("P03", "J6", lambda: [fm2_sheet(period="")]),
    "a period that is none": ("P03", "J6", lambda: [fm2_sheet(period="上个月")]),
    "no unit": ("P04", "J7", lambda: [fm2_sheet(unit="")]),
    "a unit without a currency": ("P05", "J7", lambda: [fm2_sheet(unit="万")]),
    "a unit that returns do not know": ("P05", "J7", lambda: [fm2_sheet(unit="百万英镑")]),
    "text for an amount": ("P06", "E11", lambda: [fm2_sheet([line(export_ytd="未知")])]),
    "a date for an amount": ("P06", "D11", lambda: [fm2_sheet([line(export=date(2020, 3, 5))], total=False)]),
    "a date that is none": (
        "P07",
        "H11",
        lambda: [fm2_sheet(), fm3_sheet([(*FM3_ROWS[0][:7], "去年", "", "")])],
    ),
    "a type that is none": ("P08", "B11", lambda: [fm2_sheet(), fm3_sheet([("X", "XYZ", *FM3_ROWS[0][2:])])]),
    "a kind of filing that is none": ("P08", "B8", lambda: [fm2_sheet(filing="第三次")]),
    "a box that says neither": ("P08", "J8", lambda: [fm2_sheet(zero="也许")]),
    "no credit code": ("P10", "B6", lambda: [fm2_sheet(enterprise_code="")]),
    "an unknown item": ("P12", "A11", lambda: [fm2_sheet([line(item="SX1")])]),
    "an unknown partner": ("P13", "C11", lambda: [fm2_sheet([line(partner="火星")])]),
    "no item": ("P16", "A11", lambda: [fm2_sheet([line(item=None, name=None)])]),
    "no partner": ("P16", "C11", lambda: [fm2_sheet([line(partner=None)])]),
    "another unit in a column": ("P18", "E9", lambda: [fm2_sheet(), _fm3_with_head(5, "合同额（万元）")]),
    "the same form twice": ("P19", "", lambda: [fm2_sheet(), _renamed(fm2_sheet(), "服务进出口(2)")]),
    "two columns alike": ("P20", "F9", lambda: [_with_second_total_column()]),
    "an amount over merged rows": ("P21", "D11", lambda: [_with_merged_amount()]),
    "ticked and filled": ("P22", "J8", lambda: [fm2_sheet(zero="☑")]),
    "neither ticked nor filled": ("P23", "J8", lambda: [fm2_sheet([], total=False)]),
    "lines below the foot": ("P24", "A21", lambda: [_with_lines_below()]),
    "lines below the foot as text": ("P24", "A21", lambda: [_with_lines_below("33.5")]),
    "code and name that disagree": ("P25", "A11", lambda: [fm2_sheet([line(name="海运")])]),
    "a line without amounts": (
        "P26",
        "A12",
        lambda: [fm2_sheet([LINE, ("SJ1", "研发", "DEU", *[None] * 8)])],
    ),
    "a form past its printed validity": ("P27", "J5", lambda: [fm2_sheet(period="2022年3月")]),
    "a credit code stored as a number": (
        "P30",
        "B6",
        lambda: [fm2_sheet(enterprise_code=914201001234567890)],
    ),
}


def _fm3_with_head(column: int, text: str) -> Sheet:
    sheet = fm3_sheet()
    sheet.cells[(9, column)] = text
    return sheet


def _renamed(sheet: Sheet, name: str) -> Sheet:
    sheet.name = name
    return sheet


def _with_second_total_column() -> Sheet:
    sheet = fm2_sheet()
    sheet.cells[(10, 6)] = "本月"
    sheet.cells[(9, 6)] = "出口"
    sheet.cells[(9, 7)] = "进口"
    sheet.merges = []
    sheet.cells[(10, 5)] = "1—本月累计"
    return sheet


def _with_merged_amount() -> Sheet:
    sheet = fm2_sheet()
    sheet.merge(11, 4, 12, 4)
    sheet.cells.pop((12, 4))
    return sheet


def _with_lines_below(export: str = "") -> Sheet:
    sheet = fm2_sheet()
    amounts = dict.fromkeys(("export_ytd", "import_", "import_ytd"))
    sheet.row(21, line(export=export, **amounts) if export else LINE)
    return sheet


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_gets_its_own_finding_at_its_own_cell(what: str) -> None:
    rule, cell, build = MISTAKES[what]
    parsed = read(build())
    found = [finding for finding in parsed.findings if finding.rule == rule]
    assert found, parsed.findings
    assert found[0].cell == cell
    for finding in parsed.findings:
        assert not re.search(r"\{\w*\}", finding.message.zh + finding.message.en), (
            "a placeholder was left over"
        )
        assert f"〔{finding.rule}〕" in finding.message.zh


def test_a_missing_column_is_named_with_the_heads_that_would_do() -> None:
    sheet = fm2_sheet()
    sheet.cells[(9, 3)] = "去向"
    [missing] = [finding for finding in read([sheet]).findings if finding.rule == "P09"]
    assert "国别（地区）" in missing.message.zh
    assert "国别(地区)" in missing.expected


def test_sheets_of_two_enterprises_or_two_months_in_one_file_are_reported() -> None:
    parsed = read([fm2_sheet(), fm3_sheet(enterprise_code="91420100MA4KXYZ123", period="2020年2月")])
    assert rules(parsed) == ["P15", "P15"]
    assert {finding.cell for finding in parsed.findings} == {"B6", "I6"}
    assert "服务进出口" in parsed.findings[0].message.zh


def test_the_year_of_the_registration_agrees_with_a_month_in_it() -> None:
    parsed = read([fm1_sheet(period="2020年"), fm2_sheet(), fm3_sheet()])
    assert parsed.findings == ()
    assert str(parsed.period) == "2020-03"


def test_a_sheet_that_leaves_its_head_blank_belongs_to_the_file() -> None:
    parsed = read([fm2_sheet(), fm3_sheet(enterprise_code="", period="")])
    assert parsed.findings == ()
    assert {fix.read_as for fix in parsed.fixes} == {ENTERPRISE_CODE, "2020-03"}


def test_a_sheet_with_the_number_of_a_form_that_is_not_read_here_is_reported() -> None:
    strange = fm2_sheet()
    strange.name = "其他"
    strange.cells[(2, 10)] = "表　　号：FM-99"
    parsed = read([*canonical_book(), strange])
    assert rules(parsed) == ["P28"]
    assert values_of(parsed) == values_of(read(canonical_book()))


def test_an_onshore_contract_needs_no_foreign_client() -> None:
    rows = [(*FM3_ROWS[1][:3], None, *FM3_ROWS[1][4:]), (*FM3_ROWS[0][:3], None, *FM3_ROWS[0][4:])]
    parsed = read([fm2_sheet(), fm3_sheet(rows)])
    assert [(finding.rule, finding.cell) for finding in parsed.findings] == [("P16", "D12")]


def test_an_empty_workbook_is_said_to_be_empty() -> None:
    parsed = read([Sheet("Sheet1")])
    assert rules(parsed) == ["G08"]
    assert parsed.is_unreadable


@pytest.mark.parametrize("row", [13, 14], ids=["an amount", "a total"])
def test_errors_and_formulas_without_a_result_are_seen_where_calamine_sees_a_blank(row: int) -> None:
    book = canonical_file()
    sheet = part(book, SHEET_OF_FM2)
    pattern = re.compile(rb'<c r="D%d"( s="\d+")?><v>[^<]*</v></c>' % row)
    cell = pattern.search(sheet)
    assert cell is not None or row == 14
    if row == 14:
        sheet = sheet.replace(b'<c r="F14"', b'<c r="D14"><f>1/0</f></c><c r="F14"', 1)
    else:
        sheet = pattern.sub(b'<c r="D13" t="e"><f>1/0</f><v>#DIV/0!</v></c>', sheet)
    parsed = read_file("a.xlsx", repack(book, {SHEET_OF_FM2: sheet}))
    [finding] = parsed.findings
    assert (finding.rule, finding.cell) == ("P17", f"D{row}")
    assert finding.given == ("#DIV/0!" if row == 13 else "=1/0")
    [record] = [one for one in parsed.cells if one.cell == f"D{row}" and one.form_code == "FM-2"]
    assert record.state == "invalid"


def test_formulas_with_a_stored_result_are_their_result() -> None:
    sheet = fm2_sheet()
    sheet.cells[(15, 4)] = Formula("=SUM(D11:D14)", 215.6)
    parsed = read(fm2_book(sheet))
    assert parsed.findings == ()
    assert values_of(parsed) == values_of(read(canonical_book()))


def test_thousands_of_mistakes_are_counted_and_not_listed() -> None:
    parsed = fm2_with([line(export="约100", import_="若干") for _ in range(400)])
    assert len(parsed.findings) == 301
    assert parsed.findings[-1].rule == "P31"
    assert "500" in parsed.findings[-1].message.zh


def test_what_a_clerk_wrote_reaches_the_message_without_control_characters() -> None:
    [finding] = fm2_with([line(export="\u202e12<script>" + "x" * 200)]).findings
    assert "\u202e" not in finding.message.zh
    assert len(finding.given) == 80


def test_return_forms_as_text_tables_are_refused_with_a_reason() -> None:
    text = "表号：FM-2\n统一社会信用代码：,91420100MA4KABCD10\n服务项目代码,国别（地区）,出口本月,进口本月\nSI2,USA,1,2\n"
    parsed = read_file("fm2.csv", text.encode())
    assert rules(parsed) == ["P32"]
    assert parsed.is_unreadable


def test_the_rows_of_the_canonical_form_are_the_rows_of_the_file() -> None:
    cells = cells_of(read_file("报表.xlsx", canonical_file()))
    assert len({row for row, _ in cells}) == len(FM2_ROWS)
