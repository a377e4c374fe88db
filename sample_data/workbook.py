"""A return as an .xlsx workbook: the bureau's template, filled and bent as clerks do. Same input, same bytes.

What the figures are is decided elsewhere (`returns`, `mistakes`); here is only how they lie on sheets.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from pipelines.periods import Month
from sample_data.clerk import Habits, in_full_width
from sample_data.enterprises import item_names, partner_names
from sample_data.period_forms import AMOUNTS, PeriodRows
from sample_data.returns import (
    AMOUNT_FIELDS,
    OUTSOURCING_AMOUNT_FIELDS,
    Return,
    Row,
    Value,
    item_label,
    partner_label,
)

WORKBOOK_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
# Written into every file, so that bytes do not depend on the clock.
CREATED = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)

_GUIDE = (
    "填表说明",
    "1. 本表由纳入服务贸易重点企业联系制度的企业填报（样例数据，名称与数字均为虚构）。",
    "2. 报送时间：月后10日前。当月无业务的，勾选“本月无业务（零报）”后照常报送。",
    "3. 计量单位在表头选择；除另有说明外，金额保留两位小数。",
    "4. 服务项目代码和国别（地区）代码见“代码表”。",
    "5. 没有发生填0；不足半个单位填“…”；不适用填“—”；未取得数据留空。",
    "6. 与上月或上年同期相比变化较大的，请在“说明”栏写明原因。",
)
_SHEET_NAMES = {
    "FM-1": "基本情况",
    "FM-2": "服务进出口",
    "FM-3": "服务外包",
    "FM-4": "附属机构",
    "FM-5": "自然人移动",
    "FM-6": "技术进出口",
    "FM-7": "中医药",
    "FM-8": "数字贸易案例",
}
_OTHER_SHEET_NAMES = {
    "FM-1": "1基本情况",
    "FM-2": "2服务进出口",
    "FM-3": "3外包合同",
    "FM-4": "4附属机构",
    "FM-5": "5自然人移动",
    "FM-6": "6技术进出口",
    "FM-7": "7中医药",
    "FM-8": "8数字贸易案例",
}
_TITLES = {
    "FM-1": "企业基本情况表",
    "FM-2": "服务进出口情况表",
    "FM-3": "服务外包合同情况表",
    "FM-4": "附属机构情况表",
    "FM-5": "自然人移动情况表",
    "FM-6": "技术进出口合同情况表",
    "FM-7": "中医药服务贸易情况表",
    "FM-8": "数字贸易案例表",
}
# Columns of the forms that are not monthly: field and head.
_PERIOD_COLUMNS = {
    "FM-4": (
        ("direction", "方向"),
        ("affiliate_name", "机构名称"),
        ("partner_code", "国别（地区）"),
        ("industry_code", "行业代码"),
        ("holding_share_pct", "持股比例（%）"),
        ("sales_revenue", "销售（营业）收入"),
        ("services_revenue", "其中：服务销售收入"),
        ("employee_count", "从业人员"),
        ("remark", "说明"),
    ),
    "FM-5": (
        ("direction", "方向"),
        ("item_code", "服务项目代码"),
        ("item_name", "服务项目名称"),
        ("partner_code", "国别（地区）"),
        ("person_count", "人数"),
        ("person_days", "人天"),
        ("contract_amount", "合同金额"),
        ("remuneration", "劳务报酬"),
        ("remark", "说明"),
    ),
    "FM-6": (
        ("registration_no", "登记证编号"),
        ("direction", "方向"),
        ("contract_type", "合同类型"),
        ("partner_code", "国别（地区）"),
        ("contract_amount", "合同总金额"),
        ("technology_fee", "其中：技术费"),
        ("effective_date", "生效日期"),
        ("registered_date", "登记日期"),
        ("is_amendment", "是否变更"),
        ("remark", "说明"),
    ),
    "FM-7": (
        ("service_kind", "服务种类"),
        ("visit_count", "来华就诊人次"),
        ("trainee_count", "外籍学员数"),
        ("institution_count", "境外机构数"),
        ("revenue", "服务收入"),
        ("remote_revenue", "其中：远程服务收入"),
        ("remark", "说明"),
    ),
    "FM-8": (
        ("case_name", "案例名称"),
        ("delivery_mode", "交付方式"),
        ("item_code", "服务项目代码"),
        ("item_name", "服务项目名称"),
        ("partner_code", "国别（地区）"),
        ("annual_amount", "年交易额"),
        ("summary", "摘要"),
        ("remark", "说明"),
    ),
}

_PROFILE_LABELS = (
    ("organisation_code", "组织机构代码"),
    ("industry_code", "行业代码"),
    ("registration_type", "登记注册类型"),
    ("holding_type", "控股情况"),
    ("district_code", "所在区（开发区）"),
    ("employee_count", "从业人员（人）"),
    ("revenue", "营业收入（上年）"),
    ("is_key_enterprise", "重点企业"),
    ("is_outsourcing", "服务外包企业"),
    ("is_advanced_technology", "技术先进型服务企业"),
    ("is_tcm", "中医药服务机构"),
    ("is_digital_export_base", "数字服务出口基地企业"),
)
_SHARE_FIELDS = ("export_remote_share_pct", "import_remote_share_pct", "related_party_share_pct")


@dataclass(slots=True)
class Sheet:
    """Cells, merges and named places of one sheet, before rows and columns are inserted."""

    form_code: str
    name: str
    cells: dict[tuple[int, int], tuple[Any, str]] = field(default_factory=dict)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)
    row_gaps: list[int] = field(default_factory=list)  # a row is inserted before each of these
    column_gaps: list[int] = field(default_factory=list)
    loose: dict[tuple[int, int], Any] = field(default_factory=dict)  # notes, addressed after insertion
    is_hidden: bool = False

    def put(self, row: int, column: int, value: Any, style: str = "text", place: str = "") -> None:
        """Write one cell; nothing is written for None, but a style draws its border."""
        self.cells[row, column] = (value, style)
        if place:
            self.places[place] = (row, column)

    def merge(self, row: int, column: int, last_row: int, last_column: int, value: Any, style: str) -> None:
        """Write a merged range."""
        for inner_row in range(row, last_row + 1):
            for inner_column in range(column, last_column + 1):
                self.put(inner_row, inner_column, None, style)
        self.put(row, column, value, style)
        self.merges.append((row, column, last_row, last_column))

    def moved(self, row: int, column: int) -> tuple[int, int]:
        """Where a cell lies once rows and columns have been inserted."""
        if not self.row_gaps and not self.column_gaps:
            return row, column
        return (
            row + sum(1 for gap in self.row_gaps if gap <= row),
            column + sum(1 for gap in self.column_gaps if gap <= column),
        )

    def address(self, place: str) -> str:
        """The address of a named place in the file as written, such as F18."""
        row, column = self.moved(*self.places[place])
        return str(xl_rowcol_to_cell(row, column))


@dataclass(frozen=True, slots=True)
class WrittenReturn:
    """The bytes of a workbook and where each named place of each form came to lie: (form, place) -> (sheet, cell)."""

    content: bytes
    addresses: Mapping[tuple[str, str], tuple[str, str]]

    def where(self, form_code: str, place: str) -> tuple[str, str]:
        """Sheet and cell of a place."""
        return self.addresses[form_code, place]


def write_return(filled: Return, habits: Habits, quirks: frozenset[str], rng: Random) -> WrittenReturn:
    """Lay the return out, bend it as `quirks` say, and write the workbook."""
    names = _OTHER_SHEET_NAMES if "renamed_sheets" in quirks else _SHEET_NAMES
    forms = [_trade_sheet(filled, habits, quirks, rng, names["FM-2"])]
    if filled.profile is not None:
        forms.insert(0, _profile_sheet(filled, habits, quirks, names["FM-1"]))
    if filled.outsourcing_rows is not None:
        forms.append(_outsourcing_sheet(filled, habits, quirks, rng, names["FM-3"]))
    forms += [_period_sheet(filled, one, habits, names[one.form_code]) for one in filled.period_rows]
    sheets = [_guide_sheet(), *forms, _code_sheet()]
    _bend(forms, quirks, rng)
    if "moved_sheets" in quirks:
        sheets.insert(0, sheets.pop(sheets.index(forms[-1])))
    if "hidden_scrap" in quirks or "visible_scrap" in quirks:
        sheets.insert(rng.randint(1, len(sheets)), _scrap_sheet(rng, is_hidden="hidden_scrap" in quirks))
    addresses = {
        (sheet.form_code, place): (sheet.name, sheet.address(place))
        for sheet in forms
        for place in sheet.places
    }
    return WrittenReturn(render(sheets, habits.font, habits.amount_format, filled.enterprise_name), addresses)


def write_period_file(filled: Return, habits: Habits) -> WrittenReturn:
    """A workbook with nothing but the forms that are not monthly, plainly filled."""
    forms = [_period_sheet(filled, one, habits, _SHEET_NAMES[one.form_code]) for one in filled.period_rows]
    addresses = {
        (sheet.form_code, place): (sheet.name, sheet.address(place))
        for sheet in forms
        for place in sheet.places
    }
    sheets = [_guide_sheet(), *forms, _code_sheet()]
    return WrittenReturn(render(sheets, habits.font, habits.amount_format, filled.enterprise_name), addresses)


def render(sheets: list[Sheet], font: str, amount_format: str, author: str) -> bytes:
    """Write sheets with XlsxWriter; bytes depend on nothing but the arguments."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, WORKBOOK_OPTIONS)
    workbook.set_properties({"created": CREATED, "author": author, "company": "样例数据"})
    base: dict[str, object] = {"font_name": font, "font_size": 10.5, "valign": "vcenter"}
    properties: dict[str, dict[str, object]] = {
        "text": {},
        "title": {"bold": True, "font_size": 16, "align": "center"},
        "right": {"align": "right"},
        "head": {"bold": True, "align": "center", "text_wrap": True, "border": 1},
        "box": {"border": 1},
        "amount": {"border": 1, "num_format": amount_format},
        "whole": {"border": 1, "num_format": "0"},
        "date": {"border": 1, "num_format": "yyyy-mm-dd"},
        "month": {"num_format": 'yyyy"年"m"月"'},
        "underlined": {"bottom": 1},
    }
    formats = {name: workbook.add_format({**base, **extra}) for name, extra in properties.items()}
    is_first_visible = True
    for sheet in sheets:
        worksheet = workbook.add_worksheet(sheet.name)
        for column, width in sheet.widths.items():
            shifted = sheet.moved(0, column)[1]
            worksheet.set_column(shifted, shifted, width)
        for first_row, first_column, last_row, last_column in sheet.merges:
            # The cells themselves are written below; an empty merge only joins them.
            worksheet.merge_range(
                *sheet.moved(first_row, first_column),
                *sheet.moved(last_row, last_column),
                "",
                formats["text"],
            )
        for (row, column), (value, style) in sheet.cells.items():
            _write(worksheet, *sheet.moved(row, column), value, formats[style])
        for (row, column), value in sheet.loose.items():
            _write(worksheet, row, column, value, formats["text"])
        if sheet.is_hidden:
            worksheet.hide()
        elif is_first_visible:
            worksheet.activate()
            worksheet.set_first_sheet()
            is_first_visible = False
    workbook.close()
    return buffer.getvalue()


def _write(worksheet: Any, row: int, column: int, value: Any, cell_format: Any) -> None:
    if value is None:
        worksheet.write_blank(row, column, None, cell_format)
    elif isinstance(value, str):
        worksheet.write_string(row, column, value, cell_format)
    elif isinstance(value, Formula):
        worksheet.write_formula(row, column, value.text, cell_format, value.value)
    elif isinstance(value, date):
        worksheet.write_datetime(row, column, value, cell_format)
    else:
        worksheet.write_number(row, column, value, cell_format)


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula with the value that the clerk's program last computed."""

    text: str
    value: float


# --- sheets -------------------------------------------------------------------------------------------------


def _head(
    sheet: Sheet, filled: Return, form_code: str, width: int, unit_text: str, quirks: frozenset[str]
) -> None:
    """Rows 1 to 8: title, form number, authority, identity, period, unit, kind of filing."""
    right = width - 3
    sheet.merge(0, 0, 0, width - 1, _TITLES[form_code], "title")
    for row, text in enumerate(
        (
            f"表　　号：{form_code}",
            "制定机关：武汉市商务局（样例）",
            "批准文号：样例〔2018〕1号",
            "有效期至：2021年12月",
        ),
        start=1,
    ):
        sheet.put(row, right, text)
    sheet.put(5, 0, "统一社会信用代码：")
    sheet.put(5, 1, filled.enterprise_code, "underlined", "head.enterprise_code")
    _put_period(sheet, right, filled.period_of(form_code), quirks)
    sheet.put(6, 0, "单位详细名称：")
    sheet.merge(6, 1, 6, 3, filled.enterprise_name, "underlined")
    sheet.places["head.enterprise_name"] = (6, 1)
    sheet.put(6, right, "计量单位：")
    sheet.put(6, right + 1, unit_text or None, "underlined", "head.unit")
    sheet.put(7, 0, "填报类型：")
    sheet.put(7, 1, "更正" if filled.is_revision else "首报", "underlined", "head.is_revision")
    sheet.put(7, right, "本月无业务（零报）：")
    mark = "☑" if filled.is_zero_return and form_code == "FM-2" else None
    sheet.put(7, right + 1, mark, "underlined", "head.is_zero_return")


def _put_period(sheet: Sheet, column: int, month: Month, quirks: frozenset[str]) -> None:
    text = f"{month.year}年{month.month}月"
    if "period_in_one_cell" in quirks:
        sheet.put(5, column, f"报告期：{text}", place="head.reference_month")
        return
    sheet.put(5, column, "报告期：")
    if "period_date_cell" in quirks:
        sheet.put(5, column + 1, month.start_date, "month", "head.reference_month")
    elif "period_hyphen" in quirks:
        sheet.put(5, column + 1, str(month), "underlined", "head.reference_month")
    elif "period_number" in quirks:
        sheet.put(5, column + 1, month.year * 100 + month.month, "underlined", "head.reference_month")
    else:
        sheet.put(5, column + 1, text, "underlined", "head.reference_month")


def _foot(sheet: Sheet, row: int, filled: Return, habits: Habits) -> None:
    head, statistician, clerk = habits.people
    report = filled.month.plus(1)
    sheet.put(row, 0, "填表说明：金额按权责发生制填报；合计不含上级项目行。")
    sheet.put(row + 2, 0, f"单位负责人：{head}")
    sheet.put(row + 2, 2, f"统计负责人：{statistician}")
    sheet.put(row + 2, 4, f"填表人：{clerk}")
    sheet.put(row + 2, 6, f"联系电话：{filled.enterprise.phone}")
    sheet.put(row + 2, 8, f"报出日期：{report.year}年{report.month}月{3 + filled.enterprise.number % 7}日")


def _trade_sheet(filled: Return, habits: Habits, quirks: frozenset[str], rng: Random, name: str) -> Sheet:
    sheet = Sheet(
        "FM-2", name, widths={0: 16, 1: 30, 2: 16, 3: 13, 4: 15, 5: 13, 6: 15, 7: 9, 8: 9, 9: 10, 10: 26}
    )
    _head(sheet, filled, "FM-2", 11, filled.unit_text, quirks)
    is_alias = "head_aliases" in quirks
    cumulative = "累计" if is_alias else "1—本月累计"
    singles = {
        0: "项目代码" if is_alias else "服务项目代码",
        1: "项目名称" if is_alias else "服务项目名称",
        2: "国别(地区)" if is_alias else "国别（地区）",
        9: "关联企业交易占比（%）",
        10: "备注" if is_alias else "说明",
    }
    for column, label in singles.items():
        sheet.merge(8, column, 9, column, label, "head")
    pairs = (
        (3, "出口（收入）" if is_alias else "出口", ("本月", cumulative)),
        (5, "进口（支出）" if is_alias else "进口", ("本月", cumulative)),
        (7, "其中：远程（跨境）提供占比（%）", ("出口", "进口")),
    )
    for column, label, parts in pairs:
        sheet.merge(8, column, 8, column + 1, label, "head")
        for offset, part in enumerate(parts):
            sheet.put(9, column + offset, part, "head")
    row_number = 10
    for index, row in enumerate(filled.rows):
        _trade_row(sheet, row_number, index, row, filled, habits, quirks, rng)
        row_number += 1
    if "ellipsis_row" in quirks and filled.rows:
        row_number += _ellipsis_row(sheet, row_number, filled, habits)
    first_row, last_row = 10, row_number - 1
    for _ in range(habits.spare_rows if filled.rows else 8):
        for column in range(11):
            sheet.put(row_number, column, None, "box")
        row_number += 1
    sheet.put(row_number, 0, rng.choice(("合计", "合　　计", "合计")), "head")
    for column in (1, 2, 7, 8, 9, 10):
        sheet.put(row_number, column, None, "box")
    has_formula = habits.has_sum_formula and not quirks and not any(row.is_parent for row in filled.rows)
    for offset, field_name in enumerate(AMOUNT_FIELDS):
        value = filled.totals[field_name]
        column = 3 + offset
        written = _amount(value, filled.decimals, frozenset(), rng)
        if has_formula and isinstance(value, int) and _adds_up(filled, field_name):
            letter = xl_col_to_name(column)
            written = Formula(f"=SUM({letter}{first_row + 1}:{letter}{last_row + 1})", float(written))
        sheet.put(row_number, column, written, "amount", f"total.{field_name}")
    _foot(sheet, row_number + 2, filled, habits)
    return sheet


def _adds_up(filled: Return, field_name: str) -> bool:
    values = [row.amounts[field_name] for row in filled.rows]
    return sum(value for value in values if isinstance(value, int)) == filled.totals[field_name]


def _trade_row(
    sheet: Sheet,
    row_number: int,
    index: int,
    row: Row,
    filled: Return,
    habits: Habits,
    quirks: frozenset[str],
    rng: Random,
) -> None:
    code, item_name = item_label(row)
    if habits.item_style == "code_name" and row.item_text is None:
        code = f"{code} {item_name}"
    partner = row.partner_text
    if partner is None:
        by_code = habits.partner_style == "code" and row.partner_code != "_X"
        partner = row.partner_code if by_code else partner_label(row.partner_code)
    if "trailing_blanks" in quirks:
        code, partner = code + " ", partner + rng.choice(("　", "  "))
    sheet.put(row_number, 0, code, "box", f"row.{index}.item_code")
    sheet.put(row_number, 1, item_name, "box")
    sheet.put(row_number, 2, partner, "box", f"row.{index}.partner_code")
    for offset, field_name in enumerate(AMOUNT_FIELDS):
        value = row.amounts[field_name]
        written = _amount(value, filled.decimals, quirks, rng)
        sheet.put(row_number, 3 + offset, written, "amount", f"row.{index}.{field_name}")
    for offset, field_name in enumerate(_SHARE_FIELDS):
        share: Any = row.shares[field_name]
        if share is not None and "percent_text" in quirks:
            share = f"{share}%"
        sheet.put(row_number, 7 + offset, share, "whole", f"row.{index}.{field_name}")
    sheet.put(row_number, 10, row.remark or None, "box", f"row.{index}.remark")


def _amount(value: Value, decimals: int, quirks: frozenset[str], rng: Random) -> Any:
    """How an amount is typed: a number, or one of the texts that clerks' programs and fingers make of it."""
    if value is None:
        return rng.choice(("—", "-", "/", "无", "－")) if "dashes" in quirks else None
    if isinstance(value, str):
        return value
    number = value / 10**decimals
    if "comma_text" in quirks:
        return f"{number:,.{decimals}f}"
    if "full_width" in quirks and rng.random() < 0.4:
        return in_full_width(f"{number:,.{decimals}f}")
    return number


def _ellipsis_row(sheet: Sheet, row_number: int, filled: Return, habits: Habits) -> int:
    """A row whose trade is below half a unit all year; 1 if there was a partner left for it."""
    item = next(row.item_code for row in filled.rows if not row.is_parent)
    used = {row.partner_code for row in filled.rows}
    partner = next((code for code in filled.enterprise.profile.partners if code not in used), None)
    if partner is None:
        return 0
    code = item if habits.item_style == "code" else f"{item} {item_names()[item]}"
    label = partner if habits.partner_style == "code" else partner_label(partner)
    for column, value in enumerate(
        (code, item_names()[item], label, "…", "…", None, None, None, None, None, None)
    ):
        sheet.put(row_number, column, value, "box")
    return 1


def _outsourcing_sheet(
    filled: Return, habits: Habits, quirks: frozenset[str], rng: Random, name: str
) -> Sheet:
    sheet = Sheet("FM-3", name, widths={0: 20, 1: 10, 2: 10, 3: 16, 4: 14, 5: 14, 6: 15, 7: 12, 8: 10, 9: 22})
    _head(sheet, filled, "FM-3", 10, filled.unit_text, quirks)
    plain = {
        0: "合同编号",
        1: "业务类型",
        2: "离岸/在岸",
        3: "发包国别（地区）",
        4: "合同额",
        7: "签约日期",
        8: "状态",
        9: "说明",
    }
    if "single_row_head" in quirks:
        for column, label in {**plain, 5: "本月执行额", 6: "累计执行额"}.items():
            sheet.put(8, column, label, "head")
        row_number = 9
    else:
        for column, label in plain.items():
            sheet.merge(8, column, 9, column, label, "head")
        sheet.merge(8, 5, 8, 6, "执行额", "head")
        sheet.put(9, 5, "本月", "head")
        sheet.put(9, 6, "累计", "head")
        row_number = 10
    for index, row in enumerate(filled.outsourcing_rows or ()):
        by_code = habits.partner_style == "code"
        partner = row.partner_code if by_code else partner_label(row.partner_code)
        texts = (row.contract_no, row.outsourcing_type, row.shore, partner)
        for column, (place, text) in enumerate(
            zip(("contract_no", "outsourcing_type", "shore", "partner_code"), texts, strict=True)
        ):
            blank = " " if "trailing_blanks" in quirks and column else ""
            sheet.put(row_number, column, text + blank, "box", f"row.{index}.{place}")
        for offset, field_name in enumerate(OUTSOURCING_AMOUNT_FIELDS):
            written = _amount(row.amounts[field_name], filled.decimals, quirks - {"dashes"}, rng)
            sheet.put(row_number, 4 + offset, written, "amount", f"row.{index}.{field_name}")
        sheet.put(row_number, 7, row.signed_date, "date", f"row.{index}.signed_date")
        sheet.put(row_number, 8, row.contract_status, "box", f"row.{index}.contract_status")
        sheet.put(row_number, 9, None, "box", f"row.{index}.remark")
        row_number += 1
    sheet.put(row_number, 0, "合计", "head")
    for column in (1, 2, 3, 7, 8, 9):
        sheet.put(row_number, column, None, "box")
    for offset, field_name in enumerate(OUTSOURCING_AMOUNT_FIELDS):
        written = _amount(filled.outsourcing_totals[field_name], filled.decimals, frozenset(), rng)
        sheet.put(row_number, 4 + offset, written, "amount", f"total.{field_name}")
    _foot(sheet, row_number + 2, filled, habits)
    return sheet


def _period_sheet(filled: Return, form: PeriodRows, habits: Habits, name: str) -> Sheet:
    """Affiliates, persons or cases: one head row, one row each, totals of the amounts."""
    columns = _PERIOD_COLUMNS[form.form_code]
    amounts = AMOUNTS[form.form_code]
    sheet = Sheet(
        form.form_code, name, widths={0: 12, 1: 28, 2: 24, 3: 16, 4: 14, 5: 16, 6: 18, 7: 16, 8: 20}
    )
    _head(sheet, filled, form.form_code, len(columns), filled.unit_text, frozenset())
    right = len(columns) - 3
    sheet.put(5, right + 1, form.period_text, "underlined", "head.reference_month")
    for column, (_, label) in enumerate(columns):
        sheet.put(8, column, label, "head")
    for index, row in enumerate(form.rows):
        for column, (field_name, _) in enumerate(columns):
            value: Any = row.get(field_name)
            style = "box"
            if field_name == "item_name":
                value = item_names()[str(row["item_code"])]
            elif field_name == "partner_code" and habits.partner_style == "name":
                value = partner_label(str(value))
            elif field_name in amounts and isinstance(value, int):
                value, style = value / 10**filled.decimals, "amount"
            elif isinstance(value, date):
                style = "date"
            elif isinstance(value, int):
                style = "whole"
            sheet.put(9 + index, column, value, style, f"row.{index}.{field_name}")
    last = 9 + len(form.rows)
    for column, (field_name, _) in enumerate(columns):
        numbers = [value for row in form.rows if isinstance(value := row.get(field_name), int)]
        total = sum(numbers) / 10**filled.decimals if field_name in amounts else None
        sheet.put(last, column, "合计" if column == 0 else total, "head" if column == 0 else "amount")
    _foot(sheet, last + 2, filled, habits)
    return sheet


def _profile_sheet(filled: Return, habits: Habits, quirks: frozenset[str], name: str) -> Sheet:
    profile = filled.profile or {}
    sheet = Sheet("FM-1", name, widths={0: 24, 1: 26, 2: 24, 3: 22, 4: 14, 5: 14, 6: 14})
    _head(sheet, filled, "FM-1", 7, "万元", quirks)
    for position, (place, label) in enumerate(_PROFILE_LABELS):
        row, column = 9 + position // 2, 2 * (position % 2)
        sheet.put(row, column, label, "box")
        value = profile[place]
        style = "amount" if place == "revenue" else "whole" if isinstance(value, int) else "box"
        sheet.put(row, column + 1, value, style, f"profile.{place}")
    _foot(sheet, 9 + len(_PROFILE_LABELS) // 2 + 1, filled, habits)
    return sheet


def _guide_sheet() -> Sheet:
    sheet = Sheet("", "填表说明", widths={0: 90})
    for row, text in enumerate(_GUIDE):
        sheet.put(row, 0, text, "title" if row == 0 else "text")
    return sheet


def _code_sheet() -> Sheet:
    sheet = Sheet("", "代码表", is_hidden=True)
    for column, text in enumerate(("项目编码", "项目", "", "国别编码", "国别")):
        if text:
            sheet.put(0, column, text)
    for row, (code, item_name) in enumerate(item_names().items(), start=1):
        sheet.put(row, 0, code)
        sheet.put(row, 1, item_name)
    for row, (code, partner) in enumerate(partner_names().items(), start=1):
        sheet.put(row, 3, code)
        sheet.put(row, 4, partner)
    return sheet


def _scrap_sheet(rng: Random, *, is_hidden: bool) -> Sheet:
    """A clerk's own notes beside the forms: not a form, and not to be read as one."""
    sheet = Sheet("", "草稿" if not is_hidden else "Sheet1", is_hidden=is_hidden)
    sheet.put(0, 0, "银行回单核对")
    for row in range(1, rng.randint(4, 9)):
        sheet.put(row, 0, f"回单{row}")
        sheet.put(row, 1, round(rng.uniform(10, 900), 2))
    return sheet


def _bend(forms: list[Sheet], quirks: frozenset[str], rng: Random) -> None:
    """Insert rows and columns and leave notes, as the quirks of this file say."""
    for sheet in forms:
        table_row = next(
            (row for (row, _), (_, style) in sorted(sheet.cells.items()) if style == "head"), None
        )
        if "row_above_title" in quirks:
            sheet.row_gaps.append(0)
            sheet.loose[0, 0] = "（本表请于次月10日前报送）"
        if table_row is not None and "row_before_table" in quirks:
            sheet.row_gaps.append(table_row)
        if sheet.form_code == "FM-2" and "blank_row" in quirks and "row.2.item_code" in sheet.places:
            sheet.row_gaps.append(sheet.places["row.2.item_code"][0])
        if "column_left" in quirks:
            sheet.column_gaps.append(0)
        if sheet.form_code == "FM-2" and "column_middle" in quirks:
            sheet.column_gaps.append(rng.choice((3, 5, 10)))
        last_row = max(row for row, _ in sheet.cells)
        if "note_below" in quirks:
            row, column = sheet.moved(last_row + 2, 0)
            sheet.loose[row, column] = "注：部分合同以日元计价，已按当月平均汇率折算。"
        if "note_right" in quirks and table_row is not None:
            last_column = max(column for _, column in sheet.cells)
            row, column = sheet.moved(table_row + 2, last_column + 2)
            sheet.loose[row, column] = "与财务核对无误"
