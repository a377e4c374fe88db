"""Workbooks and tables as people send them, small and exact: what goes in is all on the page."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter
from stdnum.cn import uscc

from pipelines.ledger import SHANGHAI
from pipelines.reception import IncomingFile


def credit_code(number: int) -> str:
    """The code of a fictitious enterprise, with the right check character."""
    start = f"91420100MA4K{number:05d}"
    return start + uscc.calc_check_digit(start)


@dataclass(frozen=True)
class Line:
    """A row of FM-2 as typed. None leaves the cell blank."""

    item: str = "SI2"
    partner: str = "USA"
    export: object = None
    export_ytd: object = None
    imports: object = None
    imports_ytd: object = None
    export_share: object = None
    remark: str = ""


def a_workbook(
    enterprise_code: str,
    month: str,
    lines: Sequence[Line],
    *,
    unit: str = "万美元",
    is_revision: bool = False,
    is_zero_return: bool = False,
    total: tuple[object, object] | None = None,
    name: str = "示例一号服务有限公司",
    note: str = "",
    period: str = "",
) -> bytes:
    """A direct-report workbook with form FM-2. `total` overrides the printed export totals, `period` the month."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"created": datetime(2020, 1, 1)})
    book.add_worksheet("填表说明").write(0, 0, f"填表说明：本表由企业填报。{note}")
    sheet = book.add_worksheet("服务进出口")
    sheet.merge_range(0, 0, 0, 10, "服务进出口情况表")
    sheet.write(1, 9, "表　　号：FM-2")
    sheet.write(2, 9, "制定机关：武汉市商务局")
    sheet.write(3, 9, "批准文号：武统制〔2017〕1号")
    sheet.write(4, 9, "有效期至：2099年12月")
    year, number = month.split("-")
    for row, pairs in (
        (5, (("统一社会信用代码：", enterprise_code), ("报告期：", period or f"{year}年{int(number)}月"))),
        (6, (("单位详细名称：", name), ("计量单位：", unit))),
        (
            7,
            (
                ("填报类型：", "更正" if is_revision else "首报"),
                ("本月无业务（零报）：", "☑" if is_zero_return else ""),
            ),
        ),
    ):
        for column, (label, value) in zip((0, 8), pairs, strict=True):
            sheet.write(row, column, label)
            sheet.write(row, column + 1, value)
    for column, label in enumerate(("服务项目代码", "服务项目名称", "国别（地区）")):
        sheet.merge_range(8, column, 9, column, label)
    for column, label in (
        (3, "出口"),
        (5, "进口"),
        (7, "其中：远程（跨境）提供占比（%）"),
    ):
        sheet.merge_range(8, column, 8, column + 1, label)
    for column, label in enumerate(("本月", "1—本月累计", "本月", "1—本月累计", "出口", "进口"), start=3):
        sheet.write(9, column, label)
    sheet.merge_range(8, 9, 9, 9, "关联企业交易占比（%）")
    sheet.merge_range(8, 10, 9, 10, "说明")
    for row, line in enumerate(lines, start=10):
        values = (
            line.item,
            "",
            line.partner,
            line.export,
            line.export_ytd,
            line.imports,
            line.imports_ytd,
            line.export_share,
            None,
            None,
            line.remark,
        )
        for column, value in enumerate(values):
            if value not in (None, ""):
                sheet.write(row, column, value)
    if lines:
        row = 10 + len(lines)
        sheet.write(row, 0, "合计")
        sums = [
            _sum(getattr(line, field) for line in lines)
            for field in ("export", "export_ytd", "imports", "imports_ytd")
        ]
        if total is not None:
            sums[:2] = total
        for column, value in enumerate(sums, start=3):
            if value is not None:
                sheet.write(row, column, value)
    sheet.write(14 + len(lines), 0, "单位负责人：　　统计负责人：　　填表人：　　联系电话：　　报出日期：")
    book.close()
    return target.getvalue()


def _sum(values: Iterator[object]) -> object:
    numbers = [value for value in values if isinstance(value, int | float)]
    return round(sum(numbers), 2) if numbers else None


def a_rate_table(year: int, rate: float = 6.9) -> bytes:
    """A departmental table DM-3: the dollar's monthly average rate of a year."""
    rows = "".join(f"{year}-{month:02d},USD,{rate},1\n" for month in range(1, 13))
    head = f"表号：DM-3\n提供部门：国家外汇管理局湖北省分局\n报告期：{year}年\n计量单位：元\n"
    return f"{head}月份,货币,人民币汇率,外币单位数\n{rows}".encode()


def a_file(name: str, content: bytes, received: str = "2020-04-08T09:00") -> IncomingFile:
    return IncomingFile(name, content, received_at=datetime.fromisoformat(received).replace(tzinfo=SHANGHAI))
