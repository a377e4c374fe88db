"""Blank forms: what stands in them, what they take, and that the reader takes them back."""

from __future__ import annotations

import io
import re
from pathlib import Path

import openpyxl
import pytest

from pipelines import codes
from pipelines.findings import Severity, Wording
from pipelines.form_limits import FormLimit
from pipelines.intake import read_file
from pipelines.intake.gate import inspect
from pipelines.intake.layouts import layout_book
from pipelines.intake.sums import Allowance, plain_sum
from pipelines.intake.template import Carried, InvalidTemplate, Order, Stationery, due_forms, guidance_of
from pipelines.intake.template.forms import sheet_name_of
from pipelines.intake.template.lists import CodeSheet, choices_of
from pipelines.intake.template_mark import mark_in
from pipelines.intake.values import label_key
from pipelines.periods import Month
from pipelines.validation.form_limits import form_limits

from .forms_by_hand import ALL_FORMS, CARRIED, CODE, MARCH, NAME, order
from .rewritten import parts_of, set_cells

# What stands in it --------------------------------------------------------------------------------------------


def test_a_blank_form_bears_its_own_enterprise_period_and_version(stationery: Stationery) -> None:
    parsed = read_file("form.xlsx", stationery.workbook(order(*ALL_FORMS)))
    assert (parsed.enterprise_code, parsed.enterprise_name) == (CODE, NAME)
    assert str(parsed.period) == "2026-03"
    assert parsed.form_codes == ALL_FORMS
    periods = {cell.form_code: cell.text for cell in parsed.cells if cell.field == "reference_month"}
    assert periods["FM-2"] == "2026年3月"
    assert periods["FM-4"] == "2025年"  # the latest year that is over
    assert periods["FM-5"] == "2025年下半年"


def test_the_instructions_say_how_often_each_form_is_filed(stationery: Stationery) -> None:
    book = openpyxl.load_workbook(io.BytesIO(stationery.workbook(order("FM-1", "FM-2", "FM-4"))))
    told = {row[0].value: row[3].value for row in book["填表说明"].iter_rows(min_row=5, max_row=7)}
    assert told == {"FM-1": "每年一月及变更时", "FM-2": "每月", "FM-4": "每年"}


def test_the_mark_tells_version_month_enterprise_and_layouts(stationery: Stationery) -> None:
    workbook = parts_of(stationery.workbook(order()))["xl/workbook.xml"]
    assert mark_in(workbook) == f"1;2026-03;{CODE};FM-2/2016,FM-3/2016"
    assert b'name="servtrade_template" hidden="1"' in workbook


def test_nothing_reported_is_one_finding_in_plain_words(stationery: Stationery) -> None:
    parsed = read_file("form.xlsx", stationery.workbook(order(carried=CARRIED)))
    [finding] = parsed.findings
    assert finding.rule == "P23"
    assert "还是下载时的空表" in finding.message.zh
    assert "blank form as it was downloaded" in finding.message.en
    assert not parsed.fixes


def test_a_ticked_box_alone_is_a_zero_return(stationery: Stationery) -> None:
    parsed = read_file("form.xlsx", stationery.workbook(order(is_zero_return=True)))
    assert parsed.is_zero_return
    assert not parsed.findings


def test_a_blank_form_of_a_month_that_is_in_force_says_that_it_replaces_it(stationery: Stationery) -> None:
    content = set_cells(
        stationery.workbook(order(is_revision=True)), "服务进出口", {"D12": 1, "A12": "SI2", "C12": "USA"}
    )
    assert read_file("form.xlsx", content).is_revision


def test_what_was_carried_over_is_read_as_it_was_and_without_amounts(
    stationery: Stationery, filled: bytes
) -> None:
    blank = read_file("form.xlsx", stationery.workbook(order(carried=CARRIED)))
    assert not [cell for cell in blank.cells if cell.section != "head"]
    rows = {
        (cell.cell, cell.code)
        for cell in read_file("form.xlsx", filled).cells
        if cell.field == "partner_code"
    }
    assert rows == {("C12", "USA"), ("C13", "SGP"), ("C14", "JPN"), ("D12", "JPN")}


def test_a_filled_form_is_read_without_a_finding(filled: bytes) -> None:
    parsed = read_file("form.xlsx", filled)
    assert not parsed.findings
    totals = {(cell.form_code, cell.cell): cell.text for cell in parsed.cells if cell.section == "total"}
    assert totals[("FM-2", "D52")] == "120.5"
    assert totals[("FM-3", "G52")] == "130.5"


def test_the_same_order_gives_the_same_bytes(stationery: Stationery) -> None:
    again = Stationery(layout_book(), MARCH, form_limits(), 10)
    assert stationery.workbook(order(carried=CARRIED)) == again.workbook(order(carried=CARRIED))


def test_a_name_with_signs_of_markup_stays_a_name(stationery: Stationery) -> None:
    name = "<武汉> & “样例”\x07有限公司"
    parsed = read_file("form.xlsx", stationery.workbook(Order(CODE, name, ("FM-2",))))
    assert parsed.enterprise_name == "<武汉> & “样例”\ufffd有限公司"


@pytest.mark.parametrize("row_count", [0, 20, 21, 300, 1_300])
def test_a_table_has_room_for_more_than_was_carried(stationery: Stationery, row_count: int) -> None:
    partners = [one.code for one in codes.partners() if one.is_country]
    rows = [
        {"item_code": item.code, "partner_code": partner}
        for item in codes.ebops_items()[1:] for partner in partners
    ][:row_count]  # fmt: skip
    content = stationery.workbook(order("FM-2", carried={"FM-2": Carried("USD_10K", rows)}))
    sheet = openpyxl.load_workbook(_file(content))["服务进出口"]
    listed = [row for row in sheet.iter_rows(min_row=12, max_col=1, values_only=True) if row[0]]
    total = next(
        index
        for index, row in enumerate(sheet.iter_rows(min_row=12, max_col=1, values_only=True))
        if row[0] == "合　　计"
    )
    assert sum(1 for [text] in listed if text.startswith("S")) == row_count
    assert total >= row_count + 20


def _file(content: bytes) -> object:
    import io

    return io.BytesIO(content)


# What a cell takes --------------------------------------------------------------------------------------------


def test_own_code_and_name_are_locked_and_entries_are_not(stationery: Stationery) -> None:
    sheet = openpyxl.load_workbook(_file(stationery.workbook(order())))["服务进出口"]
    assert sheet.protection.sheet
    assert sheet.protection.password is None
    assert [sheet[cell].protection.locked for cell in ("B6", "B7", "J6", "B12", "D52")] == [True] * 5
    assert [sheet[cell].protection.locked for cell in ("J7", "J8", "B8", "A12", "C12", "D12", "K51")] == [
        False
    ] * 7


def test_every_entry_of_every_list_is_read_without_leniency(stationery: Stationery) -> None:
    """What the form offers, the reader takes: item, partner, type, unit, district, flags; each choice in turn."""
    book = openpyxl.load_workbook(_file(stationery.workbook(order("FM-1", "FM-2", "FM-3"))))
    lists = {name: _values(book, name) for name in book.defined_names if name.startswith("choices_")}
    assert len(lists["choices_item"]) == 2 * 76
    assert len(lists["choices_partner"]) > 500
    for text in lists["choices_item"]:
        assert codes.item_code_of(text) == text.split(" ")[0], text
    by_word = {text: codes.partner_code_of(text) for text in lists["choices_partner"]}
    assert None not in by_word.values()
    assert len(set(by_word.values())) == len(by_word) / 2
    for text in lists["choices_district"]:
        assert codes.district_code_of(text), text


def _values(book: openpyxl.Workbook, name: str) -> list[str]:
    [(sheet, area)] = book.defined_names[name].destinations
    return [cell.value for row in book[sheet][area] for cell in row]


@pytest.mark.parametrize("form_code", ALL_FORMS)
def test_each_column_takes_what_its_layout_says(stationery: Stationery, form_code: str) -> None:
    layout = stationery.layout_of(form_code)
    assert layout is not None
    sheet = openpyxl.load_workbook(_file(stationery.workbook(order(form_code))))[sheet_name_of(layout)]
    by_type: dict[str, list[str]] = {}
    for one in sheet.data_validations.dataValidation:
        by_type.setdefault(str(one.type), []).append(str(one.sqref))
        if one.type not in (None, "none"):
            assert one.errorTitle, (form_code, str(one.sqref))
            assert re.search("[\u4e00-\u9fff]", one.error), "Chinese"
            assert re.search("[A-Za-z]{4}", one.error), "and English"
    fields = layout.columns or layout.pairs
    listed = [one for one in fields if choices_of(CodeSheet(), one, layout, MARCH)]
    numbers = [one for one in fields if one.type in ("number", "percent")]
    dates = [one for one in fields if one.type == "date"]
    heads = 2 + layout.needs_rows_or_zero  # unit, kind of filing, nothing to report
    assert len(by_type.get("list", [])) == len(listed) + heads
    industries = [one for one in fields if one.code_list == "industry"]
    assert len(by_type.get("custom", [])) == len(numbers) + len(industries)
    assert len(by_type.get("date", [])) == len(dates)


def test_limits_of_the_cells_come_from_the_rules() -> None:
    """Another bound in the rule is another bound in the form, in its check and in what it says."""
    limit = FormLimit(
        "H6",
        Severity.CRITICAL,
        "FM-2",
        ("related_party_share_pct",),
        Wording("占比", "share"),
        min_value=5,
        max_value=37,
    )
    content = Stationery(layout_book(), MARCH, [limit], 10).workbook(order("FM-2"))
    sheet = openpyxl.load_workbook(_file(content))["服务进出口"]
    [check] = [one for one in sheet.data_validations.dataValidation if str(one.sqref) == "J12:J51"]
    assert "J12>=5" in check.formula1
    assert "J12<=37" in check.formula1
    assert "5 – 37" in check.error
    painted = [
        rule.formula[0]
        for area in sheet.conditional_formatting
        if str(area.sqref) == "J12:J51"
        for rule in area.rules
    ]
    assert painted == ["IF(AND(ISNUMBER($J12)),OR(NOT(($J12)>=5),NOT(($J12)<=37)),FALSE)"]


def test_every_limit_fits_its_form(stationery: Stationery) -> None:
    """No limit names a field that its form has not: drawing all forms raises nothing, a wrong name does."""
    stationery.workbook(order(*ALL_FORMS))
    forms = {limit.form_code for limit in form_limits()}
    assert forms <= set(ALL_FORMS)
    wrong = FormLimit(
        "H6", Severity.CRITICAL, "FM-2", ("no_such_field",), Wording("占比", "share"), min_value=0
    )
    with pytest.raises(InvalidTemplate, match="no_such_field"):
        Stationery(layout_book(), MARCH, [wrong], 10).workbook(order("FM-2"))


@pytest.mark.parametrize("form_code", ALL_FORMS)
def test_every_field_of_every_form_is_explained(form_code: str) -> None:
    layout = layout_book().by_form[form_code][-1]
    said = guidance_of(form_code).fields or {}
    assert set(said) == {one.name for one in (layout.columns or layout.pairs)}


def test_a_new_layout_gives_a_new_sheet_without_any_guidance(tmp_path: Path) -> None:
    from pipelines.intake.recognise import Recogniser
    from pipelines.paths import LAYOUTS_DIR

    for path in LAYOUTS_DIR.glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "FM-9.yaml").write_text(
        "form: FM-9\nversion: '2026'\nkind: return\ntitle: {zh: 会展服务情况表, en: Exhibitions}\nnames: [会展]\n"
        "valid_from: 2026-01\nhead: return\nrequired_head: [reference_month, enterprise_code, unit]\n"
        "units: [CNY_10K]\nrows_or_zero: true\nkey: [event_name]\ncolumns:\n"
        "  - {field: event_name, type: text, required: true, label: {zh: 展会名称, en: Event}}\n"
        "  - {field: held_on, type: date, label: {zh: 举办日期, en: Held on}}\n"
        "  - {field: income, type: number, required: true, measure: true, label: {zh: 展会收入, en: Income}}\n",
        encoding="utf-8",
    )
    book = layout_book(tmp_path)
    assert "FM-9" in [layout.form_code for layout in due_forms(book, MARCH)]
    content = Stationery(book, MARCH, (), 10).workbook(Order(CODE, NAME, ("FM-9",)))
    sheet = openpyxl.load_workbook(_file(content))["会展"]
    heads = [cell.value for row in sheet.iter_rows(max_row=12) for cell in row if cell.value]
    assert {"展会名称", "举办日期", "展会收入", "会展服务情况表"} <= set(heads)
    assert Recogniser(book).form_of_code("FM-9") == "FM-9"


# Its size -----------------------------------------------------------------------------------------------------


def test_a_blank_form_passes_the_gate_and_is_small(stationery: Stationery) -> None:
    content = stationery.workbook(order(*ALL_FORMS, carried=CARRIED))
    inspect("form.xlsx", content)
    assert len(content) < 120_000


def test_which_forms_are_due_follows_the_month() -> None:
    due = {
        month: [layout.form_code for layout in due_forms(layout_book(), Month(2026, month))]
        for month in range(1, 13)
    }
    assert all({"FM-2", "FM-3"} <= set(forms) for forms in due.values())
    assert [month for month, forms in due.items() if "FM-1" in forms] == [1]
    assert [month for month, forms in due.items() if "FM-4" in forms] == [3]
    assert [month for month, forms in due.items() if "FM-5" in forms] == [6, 12]


# Sums without results -----------------------------------------------------------------------------------------


ROWS = [[1.0, 2.5, "x"], [4.0, "", "—"], [0.1, 0.2, ""]]


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("=SUM(A1:B3)", 7.8),
        ("SUM(A1:A3,B1)", 7.6),
        ("=$A$1+B1-A2", -0.5),
        ("=sum(A1:A2)-1", 4.0),
        ("=IF(COUNT(C1:C3)=0,\"\",SUM(C1:C3))", ""),
        ("=IF(COUNT(A1:A3)=0,\"\",SUM(A1:A3))", 5.1),
        ("=SUM(A1:A1000)", 5.1),
        ("=A1*2", None),
        ("=A1+C1", None),  # a text is an error there
        ("=SUM(Sheet2!A1:A3)", None),
        ("=AVERAGE(A1:A3)", None),
        ("=SUM(A1:A3)*1.1", None),
        ("=SUM(A1:A3", None),
        ("=1+2", None),
        ("=", None),
        ("=SUM(A1:A3)+", None),
    ],
)  # fmt: skip
def test_only_what_is_nothing_but_a_sum_is_computed(formula: str, result: float | str | None) -> None:
    computed = plain_sum(formula, ROWS)
    assert computed == (pytest.approx(result) if isinstance(result, float) else result)


def test_a_heading_word_is_no_sheet_of_data() -> None:
    """The sheets beside the forms are never taken for forms."""
    from pipelines.intake.template.words import wording

    for name in wording().take("sheets").values():
        assert label_key(name) in layout_book().general.not_forms


def test_sums_of_one_sheet_add_up_only_so_many_cells() -> None:
    rows: list[list[object]] = [[1.0] * 10 for _ in range(100)]
    allowance = Allowance(cells=2_500)
    results = [plain_sum("=SUM(A1:J100)", rows, allowance) for _ in range(4)]
    assert results == [1_000.0, 1_000.0, None, None]
    assert plain_sum("=A1+B1", rows, allowance) == 2.0  # what is left is for others


@pytest.mark.parametrize(
    "form_code", [code for code in ALL_FORMS if layout_book().versions(code)[-1].columns]
)
def test_telephone_and_date_of_the_foot_may_be_typed_as_numbers(
    stationery: Stationery, form_code: str
) -> None:
    content = stationery.workbook(order(*sorted({"FM-2", form_code}), is_zero_return=True))
    sheet = openpyxl.load_workbook(io.BytesIO(content))[sheet_name_of(layout_book().versions(form_code)[-1])]
    foot = {cell.value: cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)}
    typed = {"联系电话：": 13_800_000_000, "报出日期：": 20_260_408, "填表人：": 7}
    values = {foot[label].offset(0, 1).coordinate: value for label, value in typed.items()}
    parsed = read_file("form.xlsx", set_cells(content, sheet.title, values))
    assert [one.rule for one in parsed.findings] == []
