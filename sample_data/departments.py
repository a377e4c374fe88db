"""The tables that departments share about the synthetic city: DM-1 to DM-6, as .xlsx and .csv files.

They agree with the enterprises' true figures (not with what was accepted): SAFE sees somewhat more than the
direct-report panel does, as it would.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any

from pipelines.paths import REFERENCE_DIR
from pipelines.periods import Month
from sample_data import timeline
from sample_data.enterprises import partner_names
from sample_data.indicators import PUBLISHED, SERIES, SYNTHETIC
from sample_data.workbook import Sheet, render

BEIJING = timezone(timedelta(hours=8))
# US cents by month, flow and main item: what the enterprises truly traded.
TradeTotals = Mapping[tuple[Month, str, str], int]

_SAFE_ITEMS = (
    ("S", "服务贸易"),
    ("SA", "加工服务"),
    ("SB", "维护和维修服务"),
    ("SC", "运输"),
    ("SD", "旅行"),
    ("SE", "建设"),
    ("SF", "保险和养老金服务"),
    ("SG", "金融服务"),
    ("SH", "知识产权使用费"),
    ("SI", "电信、计算机和信息服务"),
    ("SJ", "其他商业服务"),
    ("SK", "个人、文化和娱乐服务"),
    ("SL", "别处未提及的政府服务"),
)
# What SAFE sees over what the panel's enterprises trade; the panel never has all of an item.
_BEYOND_PANEL = {"SA": 1.05, "SB": 1.05, "SC": 1.10, "SD": 1.09, "SE": 1.04, "SF": 1.12, "SG": 1.15, "SH": 1.06, "SI": 1.06, "SJ": 1.09, "SK": 1.14}  # fmt: skip
_FORMAT = "#,##0.00"


@dataclass(frozen=True, slots=True)
class DepartmentFile:
    """One file of a department: its name below departments/, its bytes, and when it arrives."""

    name: str
    content: bytes
    received_at: datetime


def department_files(months: Sequence[Month], totals: TradeTotals, seed: int) -> Iterator[DepartmentFile]:
    """All departmental files for the months, in the order of the tables."""
    for month in months:
        yield DepartmentFile(
            f"DM-1_外汇收支_{month}.xlsx", _safe(month, totals), _at(month.plus(1).end_date, 15, 20)
        )
    for month in months:
        content = _customs_csv(month) if month.year == months[0].year else _customs_workbook(month)
        suffix = "csv" if month.year == months[0].year else "xlsx"
        yield DepartmentFile(
            f"DM-2_货物进出口_{month}.{suffix}", content, _at(month.plus(1).start_date, 10, 5, day=18)
        )
    before = tuple(Month(months[0].year - 1, number) for number in range(1, 13))
    yield DepartmentFile(
        f"DM-3_汇率_{before[0].year}.xlsx",
        _rates(f"{before[0].year}年", before),
        _at(months[0].start_date, 9, 0, day=4),
    )
    for month in months:
        yield DepartmentFile(
            f"DM-3_汇率_{month}.xlsx",
            _rates(f"{month.year}年{month.month}月", (month,)),
            _at(month.plus(1).start_date, 8, 5),
        )
    for year in range(
        2015, min(2020, months[-1].year if months[-1].month == 12 else months[-1].year - 1) + 1
    ):
        arrival = max(_at(date(year + 1, 2, 20), 11, 10), _at(months[0].start_date, 9, 10, day=4))
        yield DepartmentFile(f"DM-4_部门指标_{year}.xlsx", _indicators(year), arrival)
    for month in months:
        yield DepartmentFile(
            f"DM-4_技术进出口合同_{month}.xlsx",
            _technology(month, seed),
            _at(month.plus(1).start_date, 16, 30, day=8),
        )
    for month in months:
        if month.month in (6, 12) or month == months[-1]:
            yield DepartmentFile(
                f"DM-5_重点任务进展_{month}.xlsx", _tasks(month), _at(month.plus(1).start_date, 9, 40, day=9)
            )
    survey_year = months[0].year
    if months[-1] >= Month(survey_year, 12):
        yield DepartmentFile(
            f"DM-6_四种模式分组数据_{survey_year}.xlsx",
            _mode_survey(survey_year, seed),
            _at(date(survey_year + 1, 6, 16), 14, 0),
        )


def _at(day_of: date, hour: int, minute: int, day: int | None = None) -> datetime:
    chosen = day_of.replace(day=day) if day else day_of
    return datetime(chosen.year, chosen.month, chosen.day, hour, minute, tzinfo=BEIJING)


def _table(
    form_code: str,
    sheet_name: str,
    title: str,
    department: str,
    period: str,
    unit: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[Any]],
    widths: Sequence[float],
    notes: Sequence[str] = (),
) -> bytes:
    """A departmental table as the bureau's template has it: head block, head row, rows, notes."""
    sheet = Sheet(form_code, sheet_name, widths=dict(enumerate(widths)))
    last = len(heads) - 1
    sheet.merge(0, 0, 0, last, title, "title")
    sheet.put(1, 0, f"表　　号：{form_code}")
    sheet.put(2, 0, "提供部门：")
    sheet.put(2, 1, f"{department}（样例数据）")
    sheet.put(3, 0, "报告期：")
    sheet.put(3, 1, period)
    if unit:
        sheet.put(3, last - 1 if last > 2 else last, f"计量单位：{unit}")
    for column, head in enumerate(heads):
        sheet.put(4, column, head, "head")
    for row_number, row in enumerate(rows, start=5):
        for column, value in enumerate(row):
            style = "date" if isinstance(value, date) else "amount" if isinstance(value, float) else "box"
            sheet.put(row_number, column, value, style)
    for offset, note in enumerate((*notes, "资料来源：样例数据，名称与数字均为虚构。")):
        sheet.put(6 + len(rows) + offset, 0, f"注：{note}" if offset < len(notes) else note)
    return render([sheet], "宋体", _FORMAT, department)


def _safe(month: Month, totals: TradeTotals) -> bytes:
    """DM-1. Each cell is rounded alone, so that items need not add up to the printed total (as SAFE's do not)."""
    exact: dict[tuple[str, str], Decimal] = {}
    for flow in ("export", "import"):
        services = Decimal(0)
        for item, _ in _SAFE_ITEMS[1:]:
            cents = totals.get((month, flow, item), 0)
            wave = 1 + 0.015 * (Random(f"safe/{month}/{flow}/{item}").random() - 0.5)
            value = Decimal(cents) / 1_000_000 * Decimal(f"{_BEYOND_PANEL.get(item, 1.0) * wave:.6f}")
            if item == "SL":
                value = Decimal(f"{520 * wave * timeline.growth_factor(month):.4f}")
            if cents == 0 and item != "SL":
                value = Decimal(f"{180 * wave * timeline.growth_factor(month):.4f}")
            exact[flow, item] = value
            services += value
        exact[flow, "S"] = services
        exact[flow, "G"] = _goods_10k(month, flow) * Decimal("0.962")
        exact[flow, "GS"] = services + exact[flow, "G"]
    is_signed = (
        month.year % 2 == 1
    )  # one year's clerk writes debits with a minus sign, as SAFE does; the next does not
    rows: list[list[Any]] = []
    for item, label in (("GS", "货物和服务贸易"), ("G", "货物贸易"), *_SAFE_ITEMS):
        credit = exact["export", item]
        debit = exact["import", item]
        rows.append(
            [
                f"{month.year}年{month.month}月",
                label,
                float(round(credit)),
                float(round(debit)) * (-1 if is_signed else 1),
                float(round(credit - debit)),
            ]
        )
    return _table(
        "DM-1",
        "外汇收支",
        "外汇收支表（国际收支口径）",
        "国家外汇管理局湖北省分局",
        f"{month.year}年{month.month}月",
        "万美元",
        ("月份", "项目", "贷方（收入）", "借方（支出）", "差额"),
        rows,
        (14, 30, 16, 16, 16),
        ("各数四舍五入，分项之和与总计可能略有出入。",),
    )


def _goods_10k(month: Month, flow: str) -> Decimal:
    """Customs' goods trade of a month and flow in 万美元, two decimals."""
    season = (1.02, 0.72, 0.95, 0.98, 1.0, 1.02, 1.04, 1.03, 1.08, 1.02, 1.08, 1.06)[month.month - 1]
    if (month.year, month.month) in ((2020, 2), (2020, 3), (2020, 4)):
        season *= {2: 0.62, 3: 0.74, 4: 0.95}[month.month]
    wave = 1 + 0.05 * (Random(f"customs/{month}/{flow}").random() - 0.5)
    share = 0.56 if flow == "export" else 0.44
    usd = timeline.goods_total_usd(month.year) * share * season / 12 * wave
    return Decimal(f"{usd / 10_000:.2f}")


def _customs_rows(month: Month) -> tuple[str, Decimal, Decimal, Decimal]:
    exports, imports = _goods_10k(month, "export"), _goods_10k(month, "import")
    return f"{month.year}年{month.month}月", exports + imports, exports, imports


def _customs_csv(month: Month) -> bytes:
    """DM-2 as customs' own export: GB18030, a head block above the table."""
    label, total, exports, imports = _customs_rows(month)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(("货物进出口情况表", "", "", ""))
    writer.writerow(("表号：DM-2", "", "", ""))
    writer.writerow(("提供部门：", "武汉海关（样例数据）", "", ""))
    writer.writerow(("报告期：", label, "计量单位：万美元", ""))
    writer.writerow(("月份", "进出口总值", "出口", "进口"))
    writer.writerow((label, total, exports, imports))
    writer.writerow(("资料来源：样例数据，名称与数字均为虚构。", "", "", ""))
    return buffer.getvalue().encode("gb18030")


def _customs_workbook(month: Month) -> bytes:
    label, total, exports, imports = _customs_rows(month)
    return _table(
        "DM-2",
        "货物进出口",
        "货物进出口情况表",
        "武汉海关",
        label,
        "万美元",
        ("月份", "进出口总值", "出口", "进口"),
        [[label, float(total), float(exports), float(imports)]],
        (14, 20, 20, 20),
    )


def _rates(period: str, months: Sequence[Month]) -> bytes:
    rows = [
        [f"{month.year}年{month.month}月", currency, per, float(rate)]
        for month in months
        for currency, per, rate in timeline.exchange_rates(month)
    ]
    return _table(
        "DM-3",
        "汇率",
        "人民币月平均汇率",
        "国家外汇管理局湖北省分局",
        period,
        "",
        ("月份", "币种", "外币单位", "月平均中间价"),
        [[*row[:3], f"{row[3]:.4f}"] if position % 7 == 6 else row for position, row in enumerate(rows)],
        (14, 12, 12, 16),
        ("月平均中间价为每单位（或每百单位）外币合人民币元。",),
    )


_INDICATOR_HEADS = ("指标", "时期", "数值", "单位", "部门", "是否初步", "地区", "备注")


def _indicators(year: int) -> bytes:
    rows: list[list[Any]] = [
        [name, str(year), float(value), unit, "市商务局", "否", "武汉", note]
        for name, unit, of_year, value, note in PUBLISHED
        if of_year == year
    ]
    for name, unit, department, values in SERIES:
        value = values.get(year)
        if value is None:
            continue
        is_text = not unit
        # The last year's figures of slow departments are first estimates.
        is_provisional = year == 2020 and department in ("市统计局", "市交通运输局")
        rows.append(
            [
                name,
                f"{year}年",
                value if is_text else float(value),
                unit or None,
                department,
                "是" if is_provisional else "否",
                "武汉",
                SYNTHETIC,
            ]
        )
    return _table(
        "DM-4",
        "部门指标",
        "部门指标表",
        "武汉市统计局",
        f"{year}年",
        "",
        _INDICATOR_HEADS,
        rows,
        (46, 10, 14, 10, 18, 10, 8, 50),
    )


def _technology(month: Month, seed: int) -> bytes:
    """Registered technology contracts: counts, and 合同总金额 of which 技术费."""
    rng = Random(f"{seed}/technology/{month}")
    level = timeline.common_index(month, "SH")
    rows: list[list[Any]] = []
    for flow, count, per_contract in (("进口", 24, 0.062), ("出口", 31, 0.041)):
        contracts = max(1, round(count * level * rng.uniform(0.85, 1.15)))
        amount = round(contracts * per_contract * rng.uniform(0.85, 1.2), 4)
        fee = round(amount * rng.uniform(0.78, 0.96), 4)
        for name, value, unit in (
            ("合同数", float(contracts), "份"),
            ("合同金额", amount, "亿美元"),
            ("合同技术费", fee, "亿美元"),
        ):
            rows.append([f"技术{flow}{name}", str(month), value, unit, "市商务局", "否", "武汉", SYNTHETIC])
    return _table(
        "DM-4",
        "部门指标",
        "部门指标表",
        "武汉市商务局（技术进出口合同登记）",
        f"{month.year}年{month.month}月",
        "",
        _INDICATOR_HEADS,
        rows,
        (26, 12, 14, 10, 14, 10, 8, 14),
    )


def _tasks(month: Month) -> bytes:
    """DM-5: the forty tasks of the 2016 plan, further on with every report."""
    with (REFERENCE_DIR / "tasks.csv").open(encoding="utf-8", newline="") as file:
        tasks = list(csv.DictReader(file))
    elapsed = (month.year - 2016) * 12 + month.month
    rows: list[list[Any]] = []
    for task in tasks:
        rng = Random(f"task/{task['task_no']}")
        length = rng.randint(30, 84)
        if rng.random() < 0.06:
            status, progress = "未启动", 0
        elif elapsed >= length:
            status, progress = "已完成", 100
        else:
            status, progress = "推进中", min(95, 5 * round(20 * elapsed / length))
        evidence = {
            "未启动": "待牵头部门研究",
            "推进中": "按季度调度，阶段成果已报送",
            "已完成": "验收材料已归档",
        }[status]
        rows.append([int(task["task_no"]), task["task"][:24], status, progress, evidence, month.end_date])
    return _table(
        "DM-5",
        "重点任务进展",
        "重点任务进展情况表",
        "武汉市商务局",
        f"{month.year}年{month.month}月",
        "",
        ("任务编号", "任务名称", "状态", "进度（%）", "依据", "日期"),
        rows,
        (10, 50, 10, 10, 30, 14),
    )


def _mode_survey(year: int, seed: int) -> bytes:
    """DM-6: a small survey of how services were supplied, item by partner by mode."""
    rng = Random(f"{seed}/modes/{year}")
    shares = {
        "SI2": (84, 0, 16),
        "SJ1": (81, 0, 19),
        "SJ312": (70, 0, 30),
        "SE1": (20, 0, 80),
        "SB": (25, 68, 7),
    }
    rows: list[list[Any]] = []
    for item, split in shares.items():
        for partner in rng.sample(("USA", "JPN", "HKG", "DEU", "SGP", "PAK"), 3):
            for flow in ("出口", "进口"):
                value = rng.uniform(300, 9000)
                for mode, share in zip(("1", "2", "4"), split, strict=True):
                    if share:
                        amount = round(value * share / 100 * rng.uniform(0.9, 1.1), 2)
                        rows.append([item, partner_names()[partner], mode, flow, amount, f"{year}年"])
    return _table(
        "DM-6",
        "四种模式分组数据",
        "四种模式分组数据",
        "武汉市统计局",
        f"{year}年",
        "万美元",
        ("服务项目代码", "国别（地区）", "提供模式", "方向", "金额", "时期"),
        rows,
        (14, 16, 12, 10, 14, 10),
    )
