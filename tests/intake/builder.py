"""Workbooks as clerks make them, built in memory for the reader's tests.

A book is a list of sheets; a sheet is a dictionary of cells by (row, column) from 1 with merges, so that a
test can insert a row, move a sheet or widen a head before the file is written.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import xlsxwriter
from openpyxl.utils import get_column_letter

ENTERPRISE_CODE = "91420100MA4KABCD10"
ENTERPRISE_NAME = "武汉示例信息服务有限公司"

FM2_ROWS: tuple[tuple[Any, ...], ...] = (
    ("SI2", "计算机服务", "USA", 120.5, 340.5, 10, 30, 40, 100, 0, ""),
    ("SI2", "计算机服务", "日本", 80, 200.25, 0, 0, 60, None, 20, ""),
    ("SJ3", "技术、贸易相关和其他商业服务", "HKG", 15.1, 45.3, 7.7, 20, None, None, None, "新签合同"),
    ("SC1", "海运", "SGP", None, None, 33.3, 99.9, None, 0, None, ""),
)
FM3_ROWS: tuple[tuple[Any, ...], ...] = (
    ("WB-2020-001", "ITO", "离岸", "USA", 500, 40.5, 120.5, date(2020, 1, 15), "执行中", ""),
    ("WB-2020-002", "BPO", "在岸", "CHN", 60, 5, 10, date(2020, 2, 1), "执行中", ""),
)


@dataclass
class Sheet:
    """One sheet: values by (row, column) from 1, merged ranges, and what to do with it when writing."""

    name: str
    cells: dict[tuple[int, int], Any] = field(default_factory=dict)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: bool = False
    formats: dict[tuple[int, int], str] = field(default_factory=dict)

    def row(self, row: int, values: Iterable[Any], first_column: int = 1) -> None:
        """Put values side by side; None leaves a cell blank."""
        for offset, value in enumerate(values):
            if value is not None and value != "":
                self.cells[(row, first_column + offset)] = value

    def merge(self, row1: int, column1: int, row2: int, column2: int) -> None:
        self.merges.append((row1, column1, row2, column2))

    def insert_row(self, at: int, count: int = 1) -> None:
        """As in Excel: everything from row `at` moves down, merges that straddle it grow."""
        self.cells = {(r + (count if r >= at else 0), c): v for (r, c), v in self.cells.items()}
        self.formats = {(r + (count if r >= at else 0), c): v for (r, c), v in self.formats.items()}
        self.merges = [
            (r1 + (count if r1 >= at else 0), c1, r2 + (count if r2 >= at else 0), c2)
            for r1, c1, r2, c2 in self.merges
        ]

    def insert_column(self, at: int, count: int = 1) -> None:
        """As in Excel: everything from column `at` moves right, merges that straddle it grow."""
        self.cells = {(r, c + (count if c >= at else 0)): v for (r, c), v in self.cells.items()}
        self.formats = {(r, c + (count if c >= at else 0)): v for (r, c), v in self.formats.items()}
        self.merges = [
            (r1, c1 + (count if c1 >= at else 0), r2, c2 + (count if c2 >= at else 0))
            for r1, c1, r2, c2 in self.merges
        ]

    def find(self, value: Any) -> tuple[int, int]:
        """Where a value stands (the first place, by row)."""
        return min(place for place, held in self.cells.items() if held == value)

    def address(self, value: Any) -> str:
        """Where a value stands, as F18."""
        row, column = self.find(value)
        return f"{get_column_letter(column)}{row}"


Book = list[Sheet]


def head_block(
    sheet: Sheet,
    *,
    title: str,
    form_code: str,
    period: Any = "2020年3月",
    unit: Any = "万美元",
    enterprise_code: Any = ENTERPRISE_CODE,
    filing: Any = "首报",
    zero: Any = "",
    width: int = 11,
) -> None:
    """Rows 1 to 8 as every form of the bureau has them."""
    sheet.cells[(1, 1)] = title
    sheet.merge(1, 1, 1, width)
    sheet.cells[(2, width - 1)] = f"表　　号：{form_code}"
    sheet.cells[(3, width - 1)] = "制定机关：武汉市商务局"
    sheet.cells[(4, width - 1)] = "批准文号：武统制〔2019〕8号"
    sheet.cells[(5, width - 1)] = "有效期至：2021年12月"
    sheet.row(6, ["统一社会信用代码：", enterprise_code])
    sheet.row(6, ["报告期：", period], width - 2)
    sheet.row(7, ["单位详细名称：", ENTERPRISE_NAME])
    sheet.row(7, ["计量单位：", unit], width - 2)
    sheet.row(8, ["填报类型：", filing])
    sheet.row(8, ["本月无业务（零报）：", zero], width - 2)


def foot_block(sheet: Sheet, row: int) -> None:
    """Notes and signatures below the table."""
    sheet.cells[(row, 1)] = "填表说明：1.本表由服务贸易企业按月填报。2.没有发生额填 0。"
    sheet.row(
        row + 1,
        ["单位负责人：张某", None, "统计负责人：李某", None, "填表人：王某", None, "联系电话：027-00000000"],
    )
    sheet.cells[(row + 2, 1)] = "报出日期：2020年4月8日"


def fm1_sheet(**head: Any) -> Sheet:
    sheet = Sheet("基本情况")
    head_block(sheet, title="基本情况登记表", form_code="FM-1", width=6, **{"unit": "万元", **head})
    pairs = (
        ("组织机构代码：", "MA4KABCD1", "行业代码：", "6510"),
        ("登记注册类型：", "有限责任公司", "控股情况：", "私人控股"),
        ("所在区（开发区）：", "东湖新技术开发区", "从业人员：", 320),
        ("营业收入（上年）：", 5200.5, "重点企业：", "是"),
        ("服务外包企业：", "是", "技术先进型服务企业：", "否"),
        ("中医药服务：", "否", "数字服务出口基地企业：", "☑"),
    )
    for offset, pair in enumerate(pairs):
        sheet.row(10 + offset, pair)
    return sheet


def fm2_sheet(rows: Sequence[Sequence[Any]] = FM2_ROWS, *, total: bool = True, **head: Any) -> Sheet:
    sheet = Sheet("服务进出口")
    head_block(sheet, title="服务进出口情况表", form_code="FM-2", **head)
    sheet.row(9, ["服务项目代码", "服务项目名称", "国别（地区）", "出口", None, "进口", None])
    sheet.row(9, ["其中：远程（跨境）提供占比（%）", None, "关联企业交易占比（%）", "说明"], 8)
    sheet.row(10, ["本月", "1—本月累计", "本月", "1—本月累计", "出口", "进口"], 4)
    for column in (1, 2, 3, 10, 11):
        sheet.merge(9, column, 10, column)
    for column in (4, 6, 8):
        sheet.merge(9, column, 9, column + 1)
    row = 11
    for values in rows:
        sheet.row(row, values)
        row += 1
    if total:
        sums = [sum(v[i] for v in rows if isinstance(v[i], int | float)) for i in range(3, 7)]
        sheet.row(row, ["合计", None, None, *sums])
        row += 1
    foot_block(sheet, row + 1)
    return sheet


def fm3_sheet(rows: Sequence[Sequence[Any]] = FM3_ROWS, **head: Any) -> Sheet:
    sheet = Sheet("服务外包")
    head_block(sheet, title="服务外包情况表", form_code="FM-3", width=10, **head)
    sheet.row(
        9,
        [
            "合同编号",
            "业务类型",
            "离岸/在岸",
            "发包国别（地区）",
            "合同额",
            "执行额",
            None,
            "签约日期",
            "状态",
            "说明",
        ],
    )
    sheet.row(10, ["本月", "累计"], 6)
    for column in (1, 2, 3, 4, 5, 8, 9, 10):
        sheet.merge(9, column, 10, column)
    sheet.merge(9, 6, 9, 7)
    row = 11
    for values in rows:
        sheet.row(row, values)
        row += 1
    sums = [sum(v[i] for v in rows if isinstance(v[i], int | float)) for i in range(4, 7)]
    sheet.row(row, ["合计", None, None, None, *sums])
    foot_block(sheet, row + 2)
    return sheet


def text_sheet() -> Sheet:
    sheet = Sheet("填表说明")
    for row in range(1, 13):
        sheet.cells[(row, 1)] = f"{row}. 本报表制度适用于从事服务进出口的企业事业单位，金额单位以表头为准。"
    return sheet


def code_sheet() -> Sheet:
    sheet = Sheet("代码表", hidden=True)
    sheet.row(1, ["服务项目代码", "服务项目名称", None, "国别代码", "国别（地区）名称"])
    for number in range(80):
        sheet.row(2 + number, [f"S{number:03d}", f"服务项目第{number}项"])
    for number in range(250):
        sheet.row(2 + number, [f"C{number:03d}", f"国家或地区第{number}个"], 4)
    return sheet


def canonical_book(**head: Any) -> Book:
    """The direct-report workbook: 填表说明, FM-1, FM-2, FM-3 and the hidden lists."""
    return [
        text_sheet(),
        fm1_sheet(**_without(head, "unit", "zero")),
        fm2_sheet(**head),
        fm3_sheet(**head),
        code_sheet(),
    ]


def _without(head: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in head.items() if name not in names}


def write_book(book: Book, *, date_1904: bool = False) -> bytes:
    """The book as .xlsx bytes, written by XlsxWriter; text stays text."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        buffer,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "date_1904": date_1904},
    )
    plain = workbook.add_format({"border": 1})
    dated = workbook.add_format({"num_format": "yyyy-mm-dd"})
    custom: dict[str, Any] = {}
    for sheet in book:
        page = workbook.add_worksheet(sheet.name)
        if sheet.hidden:
            page.hide()
        covered: set[tuple[int, int]] = set()
        for row1, column1, row2, column2 in sheet.merges:
            page.merge_range(row1 - 1, column1 - 1, row2 - 1, column2 - 1, "", plain)
            covered |= {
                (row, column) for row in range(row1, row2 + 1) for column in range(column1, column2 + 1)
            } - {(row1, column1)}
        for (row, column), value in sorted(sheet.cells.items()):
            if (row, column) in covered:
                continue
            number_format = sheet.formats.get((row, column))
            if number_format is not None and number_format not in custom:
                custom[number_format] = workbook.add_format({"num_format": number_format})
            style = custom[number_format] if number_format is not None else plain
            _write_cell(page, row - 1, column - 1, value, style, dated)
    workbook.close()
    return buffer.getvalue()


def _write_cell(page: Any, row: int, column: int, value: Any, style: Any, dated: Any) -> None:
    if isinstance(value, bool):
        page.write_boolean(row, column, value, style)
    elif isinstance(value, datetime | date):
        page.write_datetime(row, column, value, dated)
    elif isinstance(value, int | float):
        page.write_number(row, column, value, style)
    elif isinstance(value, Formula):
        page.write_formula(row, column, value.text, style, value.cached)
    else:
        page.write_string(row, column, str(value), style)


@dataclass(frozen=True)
class Formula:
    """A formula with the result that Excel has stored beside it."""

    text: str
    cached: Any = 0


def canonical_file(**head: Any) -> bytes:
    return write_book(canonical_book(**head))
