"""Published data through the intake, read where they stand: the figures are facts and may be typed here."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.intake import read_file
from pipelines.records import CellRecord, FileKind, ParsedFile
from tests.intake.builder import Sheet, write_book

Row = dict[str, CellRecord]


def rows_of(parsed: ParsedFile) -> list[Row]:
    rows: dict[tuple[str, int], Row] = defaultdict(dict)
    for cell in parsed.cells:
        if cell.section == "row":
            rows[(cell.sheet, cell.row_number)][cell.field] = cell
    return list(rows.values())


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def head(sheet: Sheet, department: str, period: str = "", unit: str = "") -> None:
    sheet.row(1, ["提供部门：", department])
    sheet.row(2, ["报告期：", period or None])
    sheet.row(3, ["计量单位：", unit or None])


def csv_of(lines: Iterable[Iterable[Any]], delimiter: str = ",") -> str:
    return "\n".join(delimiter.join(str(value) for value in line) for line in lines)


# DM-6: the modes of supply of the UK --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def modes(shared: Path) -> ParsedFile:
    path = shared / "real" / "ons_mos_exports_2019.xlsx"
    return read_file(path.name, path.read_bytes())


def amounts(parsed: ParsedFile) -> dict[tuple[str, str, str], Decimal]:
    """(item text, partner text, mode) -> GBP million."""
    found: dict[tuple[str, str, str], Decimal] = {}
    for row in rows_of(parsed):
        number = row["value"].number
        assert number is not None
        key = (row["item_code"].text, row["partner_code"].text.casefold(), str(row["mode"].code))
        assert key not in found
        found[key] = number
    return found


def test_the_ons_workbook_is_recognised_untouched_as_dm_6(modes: ParsedFile) -> None:
    assert modes.kind is FileKind.DEPARTMENT
    assert modes.form_codes == ("DM-6",)
    assert modes.layout_versions == ("DM-6/ons-2020",)
    assert str(modes.period) == "2019"
    assert modes.department == "Office for National Statistics"
    assert modes.findings == ()


def test_every_number_of_the_ons_workbook_is_kept_with_sheet_and_cell(modes: ParsedFile) -> None:
    values = [cell for cell in modes.cells if cell.field == "value"]
    assert len(values) == 472 + 106
    assert {cell.cell for cell in values if cell.sheet == "Mode 3"} == {f"E{row}" for row in range(2, 108)}
    assert {cell.cell for cell in values if cell.sheet != "Mode 3"} == {f"E{row}" for row in range(2, 474)}
    assert all(cell.number is not None for cell in values)


def test_the_unit_stated_in_running_text_is_found_and_said_to_be(modes: ParsedFile) -> None:
    [unit] = [cell for cell in modes.cells if cell.field == "unit"]
    assert (unit.sheet, unit.cell, unit.code) == ("Index", "A9", "GBP_1M")
    assert ("Index", "A9") in {(fix.sheet, fix.cell) for fix in modes.fixes}


def test_world_totals_by_mode_are_the_published_ones(modes: ParsedFile) -> None:
    world = {
        mode: amount
        for (item, partner, mode), amount in amounts(modes).items()
        if item == "0 Total services" and partner == "w1 world total"
    }
    assert world == {"1": 207_075, "2": 66_680, "4": 43_919, "1+2+4": 317_674, "3": 627_570}


def test_modes_1_2_and_4_add_up_to_the_total_for_every_item_and_partner(modes: ParsedFile) -> None:
    by_mode = amounts(modes)
    pairs = {(item, partner) for item, partner, mode in by_mode if mode == "1+2+4"}
    assert len(pairs) == 118
    for item, partner in pairs:
        parts = sum(by_mode[(item, partner, mode)] for mode in ("1", "2", "4"))
        assert parts == by_mode[(item, partner, "1+2+4")], (item, partner)


def test_the_world_is_the_eu_and_the_rest_for_every_item_and_mode(modes: ParsedFile) -> None:
    by_mode = amounts(modes)
    checked = 0
    for (item, partner, mode), amount in by_mode.items():
        if partner == "w1 world total":
            assert by_mode[(item, "b5 total eu28", mode)] + by_mode[(item, "d5 non-eu", mode)] == amount
            checked += 1
    assert checked == 13 * 4 + 12


def test_the_items_of_mode_3_add_up_to_its_total(modes: ParsedFile) -> None:
    by_mode = amounts(modes)
    items = sum(
        amount
        for (item, partner, mode), amount in by_mode.items()
        if mode == "3" and partner == "w1 world total" and item != "0 Total services"
    )
    assert items == 627_570


def test_items_and_partners_of_the_ons_are_all_known(modes: ParsedFile) -> None:
    for row in rows_of(modes):
        assert row["item_code"].code is not None
        assert row["partner_code"].code is not None
        assert row["flow"].code == "export"
    codes = {row["item_code"].code for row in rows_of(modes)}
    assert codes == {"S", *(f"S{letter}" for letter in "ABCDEFGHIJKL"), "SW"}


# DM-1: the balance of payments --------------------------------------------------------------------------------

SAFE_ITEMS = ("SA", "SB", "SC", "SD", "SE", "SF", "SG", "SH", "SI", "SJ", "SK", "SL")


def safe_table(shared: Path, month: str) -> Sheet:
    """The twelve-item table as SAFE prints it: items down, debits negative."""
    sheet = Sheet("外汇收支")
    sheet.cells[(5, 1)] = "外汇收支"
    head(sheet, "国家外汇管理局湖北省分局", unit="亿元")
    sheet.row(6, ["月份", "项目", "差额", "贷方", "借方"])
    rows = [row for row in csv_rows(shared / "reference" / "safe_table_months.csv") if row["month"] == month]
    for offset, row in enumerate(rows):
        figures = [float(row[f"{name}_cny_yi"]) for name in ("balance", "credit", "debit")]
        sheet.row(7 + offset, [row["month"], row["item"], *figures])
    return sheet


def test_safes_monthly_table_is_read_item_by_item(shared: Path) -> None:
    parsed = read_file("外汇收支.xlsx", write_book([safe_table(shared, "2017-01")]))
    assert parsed.findings == ()
    assert parsed.form_codes == ("DM-1",)
    assert parsed.department == "国家外汇管理局湖北省分局"
    assert str(parsed.period) == "2017-01"
    by_item = {row["item_code"].code: row for row in rows_of(parsed)}
    assert set(by_item) == {"GS", "G", "S", *SAFE_ITEMS}
    assert by_item["S"]["credit"].number == 1501
    assert by_item["S"]["balance"].number == -1438


def test_negative_debits_are_read_positive_and_said_to_be(shared: Path) -> None:
    parsed = read_file("外汇收支.xlsx", write_book([safe_table(shared, "2017-01")]))
    by_item = {row["item_code"].code: row for row in rows_of(parsed)}
    assert by_item["S"]["debit"].number == 2939
    assert by_item["S"]["debit"].text == "-2939"
    assert sum(by_item[item]["debit"].number or 0 for item in SAFE_ITEMS) == 2940  # printed figures, rounded
    assert {fix.why.en for fix in parsed.fixes} == {
        "a debit's minus is the convention of the balance of payments; read as positive"
    }


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ","), ("gb18030", ","), ("utf-16", "\t")]
)
def test_goods_and_services_of_safe_come_as_a_text_table_too(
    shared: Path, encoding: str, delimiter: str
) -> None:
    published = csv_rows(shared / "real" / "safe_bop_goods_services_monthly_usd.csv")
    lines: list[list[str]] = [
        ["提供部门：", "外汇局"],
        ["计量单位：", "亿美元"],
        ["月份", "项目", "贷方", "借方"],
    ]
    for row in published:
        for item, name in (("货物贸易", "goods"), ("服务贸易", "services")):
            lines.append([row["date"], item, row[f"{name}_export_usd_yi"], row[f"{name}_import_usd_yi"]])
    parsed = read_file("dm1.csv", csv_of(lines, delimiter).encode(encoding))
    assert parsed.findings == ()
    assert parsed.fixes == ()
    assert str(parsed.period) == "2026-07"
    year = [row for row in rows_of(parsed) if (row["month"].code or "").startswith("2025-")]
    totals = {
        code: sum(
            (row["credit"].number or 0) + (row["debit"].number or 0)
            for row in year
            if row["item_code"].code == code
        )
        for code in ("S", "G")
    }
    share = 100 * totals["S"] / (totals["S"] + totals["G"])
    assert round(share, 2) == Decimal("14.48")


# DM-3: exchange rates -----------------------------------------------------------------------------------------


def test_the_daily_parity_is_read_day_by_day(shared: Path) -> None:
    published = csv_rows(shared / "real" / "safe_usd_cny_mid_daily.csv")
    sheet = Sheet("汇率")
    head(sheet, "外汇局")
    sheet.row(5, ["日期", "币种", "人民币汇率", "外币单位数"])
    for offset, row in enumerate(published):
        sheet.row(6 + offset, [row["date"], "美元", float(row["usd_per100"]), 100])
    parsed = read_file("汇率.xlsx", write_book([sheet]))
    assert parsed.findings == ()
    rows = rows_of(parsed)
    assert len(rows) == len(published)
    by_month: dict[str, list[Decimal]] = defaultdict(list)
    for row in rows:
        assert row["currency_code"].code == "USD"
        assert row["per"].number == 100
        assert row["day"].day is not None
        by_month[row["day"].day.isoformat()[:7]].append((row["rate"].number or Decimal(0)) / 100)
    for expected in csv_rows(shared / "reference" / "usd_cny_monthly_avg_derived.csv"):
        rates = by_month[expected["month"]]
        assert len(rates) == int(expected["n_days"])
        assert round(sum(rates) / len(rates), 4) == Decimal(expected["usd_cny_avg"])


def test_a_monthly_rate_is_a_month_and_a_daily_one_a_day() -> None:
    text = "提供部门：,外汇局\n报告期：,2020年3月\n月份,币种,人民币汇率,外币单位数\n2020年3月,美元,701.19,100\n2020年3月,日元,6.5251,100\n"
    parsed = read_file("dm3.csv", text.encode())
    assert parsed.findings == ()
    assert [(row["month"].code, row["currency_code"].code) for row in rows_of(parsed)] == [
        ("2020-03", "USD"),
        ("2020-03", "JPY"),
    ]


# DM-4: indicators of departments ------------------------------------------------------------------------------


def test_wuhans_published_figures_are_read_as_they_were_transcribed(shared: Path) -> None:
    path = shared / "reference" / "wuhan_hubei_published_actuals.csv"
    parsed = read_file(path.name, path.read_bytes())
    assert parsed.form_codes == ("DM-4",)
    assert [finding.rule for finding in parsed.findings] == ["P29"]
    found = {
        (row["area"].code, row["period"].code, row["indicator"].code): (row["value"].number, row["unit"].code)
        for row in rows_of(parsed)
    }
    assert found[("武汉", "2017", "服务进出口总额")] == (Decimal("96.4"), "亿美元")
    assert found[("武汉", "2016", "服务贸易占对外贸易(服务贸易+货物贸易)比重")] == (Decimal("31.05"), "%")
    assert found[("湖北", "2019", "服务贸易额")] == (Decimal("775.9"), "亿元")


def test_targets_among_the_actuals_are_left_out_and_said_to_be(shared: Path) -> None:
    path = shared / "reference" / "wuhan_hubei_published_actuals.csv"
    parsed = read_file(path.name, path.read_bytes())
    assert {fix.given for fix in parsed.fixes} == {"2018-2020目标", "2025目标"}
    assert not any("目标" in cell.text for cell in parsed.cells if cell.field == "period")


def test_an_indicator_may_be_a_word_and_a_half_year() -> None:
    text = (
        "提供部门：,市商务局\n指标,时期,数值,单位,是否初步\n"
        "软件业务收入,2020年上半年,1234.5,亿元,是\n综合评价,2020,优秀,,否\n入境旅客,2020-12,约12,万人次,否\n"
    )
    parsed = read_file("dm4.csv", text.encode())
    first, second, third = rows_of(parsed)
    assert (first["period"].code, first["value"].number, first["is_provisional"].code) == (
        "2020-H1",
        Decimal("1234.5"),
        "true",
    )
    assert second["value_text"].code == "优秀"
    assert "value" not in second
    assert third["value"].state == "invalid"
    assert [(finding.rule, finding.cell) for finding in parsed.findings] == [("P06", "C5")]


# DM-2, DM-5, DM-6 in their own shape --------------------------------------------------------------------------


def test_goods_trade_of_the_customs() -> None:
    text = "提供部门：,武汉海关\n报告期：,2020年\n计量单位：,亿元\n月份,出口,进口\n2020年1月,100.5,80\n2020年2月,..,…\n合计,200,150\n"
    parsed = read_file("dm2.csv", text.encode())
    assert parsed.findings == ()
    january, february = rows_of(parsed)
    assert january["export"].number == Decimal("100.5")
    assert (february["export"].state, february["import"].state) == ("withheld", "zero")
    assert [cell.number for cell in parsed.cells if cell.section == "total"] == [200, 150]


def test_progress_of_tasks() -> None:
    text = "提供部门：,市商务局\n报告期：,2020年6月\n任务编号,任务名称,状态,进度（%）,依据,日期\n1,组建领导小组,已完成,100%,武政办〔2016〕1号,2016-12-01\n2,考核,进行中,40,,\n"
    parsed = read_file("dm5.csv", text.encode())
    assert parsed.findings == ()
    first, second = rows_of(parsed)
    assert (first["task_no"].code, first["task_status"].code, first["progress_pct"].number) == (
        "1",
        "done",
        100,
    )
    assert second["task_status"].code == "in_progress"


def test_a_mode_survey_in_the_project_s_own_shape() -> None:
    text = (
        "提供部门：,市统计局\n报告期：,2020年\n计量单位：,万美元\n服务项目代码,国别（地区）,提供模式,方向,金额\n"
        "SI2,美国,模式1,出口,100\nSI2,美国,自然人移动,出口,..\n"
    )
    parsed = read_file("dm6.csv", text.encode())
    assert parsed.findings == ()
    assert parsed.layout_versions == ("DM-6/2016",)
    first, second = rows_of(parsed)
    assert (first["mode"].code, first["flow"].code, first["value"].number) == ("1", "export", 100)
    assert (second["mode"].code, second["value"].state, second["value"].number) == ("4", "withheld", None)
