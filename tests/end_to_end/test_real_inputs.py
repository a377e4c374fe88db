"""Published data from the file to the figure: door, ledger, stores, warehouse, indicator and printed table.

The files are read where they stand or laid out as a department would; no cell is handed to a query.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from bureau_at_work import ENTERPRISE, Bureau

from pipelines.findings import Verdict
from pipelines.ledger.actors import Actor
from tests.reception.filed_by_hand import Line, a_rate_table, a_workbook

MAIN_ITEMS = ("SA", "SB", "SC", "SD", "SE", "SF", "SG", "SH", "SI", "SJ", "SK", "SL")
HUNDRED_MILLION = 100_000_000


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def department_rows(
    department: str, period: str, unit: str, table: Iterable[Sequence[Any]]
) -> list[list[Any]]:
    """A departmental table under its head, as rows of cells."""
    head = [["提供部门：", department], ["报告期：", period], ["计量单位：", unit]]
    return [*head, *(list(row) for row in table)]


def as_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Iterable[Sequence[Any]], sheet_name: str = "表") -> bytes:
    """The rows on one sheet; figures are numbers, as a program writes them."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = sheet_name
    for row in rows:
        sheet.append([float(cell) if isinstance(cell, Decimal) else cell for cell in row])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


AS_FILE = {"csv": as_csv, "xlsx": as_xlsx}


# DM-6: modes of supply of the United Kingdom ------------------------------------------------------------------


def test_the_ons_workbook_untouched_gives_the_published_totals_by_mode(bureau: Bureau, shared: Path) -> None:
    result = bureau.files_path(shared / "real" / "ons_mos_exports_2019.xlsx")
    assert (result.verdict, result.form_codes, str(result.period)) == (Verdict.ACCEPTED, ("DM-6",), "2019")
    bureau.computes("2020-12")
    survey = bureau.rows("core.mode_survey", flow="export")
    assert len(survey) == 472 + 106
    assert {(line.period_code, line.currency_code, line.unit_multiplier) for line in survey} == {
        ("2019", "GBP", 1_000_000)
    }
    value = {(line.item_code, line.partner_code, line.mode): line.value for line in survey}
    world = {mode: value["S", "W1", mode] for mode in ("1", "2", "4", "1+2+4", "3")}
    assert world == {"1": 207_075, "2": 66_680, "4": 43_919, "1+2+4": 317_674, "3": 627_570}
    pairs = {(item, partner) for item, partner, mode in value if mode == "1+2+4"}
    assert len(pairs) == 118
    for item, partner in pairs:
        parts = sum(value[item, partner, mode] for mode in ("1", "2", "4"))
        assert parts == value[item, partner, "1+2+4"], (item, partner)
    assert {line.line_id.split("/")[0] for line in survey} == {result.submission_id}


def test_commercial_presence_of_the_ons_stands_beside_the_totals_and_in_none(
    bureau: Bureau, shared: Path
) -> None:
    bureau.files_path(shared / "real" / "ons_mos_exports_2019.xlsx")
    bureau.computes("2020-12")
    presence = bureau.row("indicators.commercial_presence", "2020-12")
    assert (presence.year, presence.flow, presence.amount, presence.currency_code) == (
        2019, "export", Decimal(627_570) * 1_000_000, "GBP",
    )  # fmt: skip
    # nothing converts pounds here: no rate is on file
    assert (presence.amount_usd, presence.amount_cny) == (None, None)
    assert {row.amount for row in bureau.rows("indicators.trade_total", "2020-12")} <= {None}


def test_a_survey_of_another_economy_allocates_nothing_of_the_citys(bureau: Bureau, shared: Path) -> None:
    bureau.files_path(shared / "real" / "ons_mos_exports_2019.xlsx")
    bureau.computes("2020-12")
    assert "local" not in {share.alloc_basis for share in bureau.rows("estimates.mode_share")}


# DM-1: the balance of payments --------------------------------------------------------------------------------


def safe_monthly(shared: Path) -> list[list[Any]]:
    """SAFE's series in US dollars as a DM-1 table."""
    table: list[list[Any]] = [["月份", "项目", "贷方", "借方", "差额"]]
    for month in csv_rows(shared / "real" / "safe_bop_goods_services_monthly_usd.csv"):
        for item, name in (("货物和服务贸易", "total"), ("货物贸易", "goods"), ("服务贸易", "services")):
            figures = [Decimal(month[f"{name}_{part}_usd_yi"]) for part in ("export", "import", "surplus")]
            table.append([month["date"][:7], item, *figures])
    return department_rows("国家外汇管理局", "2026年7月", "亿美元", table)


def daily_parity(shared: Path) -> list[list[Any]]:
    """SAFE's daily central parity of the dollar, per hundred, as a DM-3 table."""
    table: list[list[Any]] = [["日期", "币种", "人民币汇率", "外币单位数"]]
    for day in csv_rows(shared / "real" / "safe_usd_cny_mid_daily.csv"):
        table.append([day["date"], "美元", Decimal(day["usd_per100"]), 100])
    return department_rows("国家外汇管理局", "2026年7月", "元", table)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_safes_monthly_table_gives_the_share_of_services_of_2025(
    bureau: Bureau, shared: Path, kind: str
) -> None:
    result = bureau.files(f"外汇收支.{kind}", AS_FILE[kind](safe_monthly(shared)))
    assert (result.verdict, result.form_codes, result.findings) == (Verdict.ACCEPTED, ("DM-1",), ())
    bureau.computes("2025-12", services_source="safe")
    share = bureau.row(
        "indicators.share_of_foreign_trade", "2025-12", source="safe", period="ytd", currency_code="USD"
    )
    assert share.services_amount == Decimal(10_575) * HUNDRED_MILLION
    assert round(share.share_pct, 2) == 14.48
    assert share.is_headline
    notes = [note.text_zh for note in bureau.rows("publication.table_note", "2025-12", table_name="table_01")]
    assert any("比重为14.5%" in text and "外汇收支口径" in text for text in notes), notes


def test_the_daily_parity_gives_the_monthly_averages_to_their_printed_decimals(
    bureau: Bureau, shared: Path
) -> None:
    result = bureau.files("人民币汇率中间价.xlsx", as_xlsx(daily_parity(shared)))
    assert (result.verdict, result.form_codes, result.findings) == (Verdict.ACCEPTED, ("DM-3",), ())
    bureau.computes("2025-12")
    computed = {
        str(rate.month_start_date)[:7]: rate
        for rate in bureau.rows("core.exchange_rate", currency_code="USD")
    }
    published = csv_rows(shared / "reference" / "usd_cny_monthly_avg_derived.csv")
    assert set(computed) == {month["month"] for month in published}
    for month in published:
        rate = computed[month["month"]]
        assert round(rate.cny_per_unit, 4) == Decimal(month["usd_cny_avg"]), month
        assert rate.quote_count == int(month["n_days"]), month


def test_dollars_of_safe_become_yuan_at_the_months_own_average(bureau: Bureau, shared: Path) -> None:
    bureau.files("外汇收支.xlsx", as_xlsx(safe_monthly(shared)))
    bureau.files("汇率.xlsx", as_xlsx(daily_parity(shared)))
    bureau.computes("2025-12")
    december = next(
        month
        for month in csv_rows(shared / "real" / "safe_bop_goods_services_monthly_usd.csv")
        if month["date"].startswith("2025-12")
    )
    days = [
        Decimal(day["usd_per100"]) / 100
        for day in csv_rows(shared / "real" / "safe_usd_cny_mid_daily.csv")
        if day["date"].startswith("2025-12")
    ]
    exports = bureau.row("core.bop_services", "2025-12", item_code="S", flow="export")
    assert exports.amount_usd == Decimal(december["services_export_usd_yi"]) * HUNDRED_MILLION
    assert exports.amount_cny == pytest.approx(exports.amount_usd * sum(days) / len(days), abs=Decimal(1_000))
    assert (exports.is_usd_declared, exports.is_cny_declared) == (True, False)


def safe_month(shared: Path, *, changed: tuple[str, int] | None = None) -> list[list[Any]]:
    """SAFE's table of January 2017 in yuan as printed, debits negative.

    `changed` adds to the (negative) debit of an item and leaves its balance out, which would betray it otherwise.
    """
    columns = ("credit", "debit", "balance")
    table: list[list[Any]] = [["月份", "项目", "贷方", "借方", "差额"]]
    for row in csv_rows(shared / "reference" / "safe_table_months.csv"):
        if row["month"] != "2017-01":
            continue
        figures = {column: Decimal(row[f"{column}_cny_yi"]) for column in columns}
        if changed is not None and changed[0] in row["item"]:
            figures["debit"] += changed[1]
            del figures["balance"]
        table.append(["2017-01", row["item"], *(figures.get(column, "") for column in columns)])
    assert len(table) == 16
    return department_rows("国家外汇管理局", "2017年1月", "亿元", table)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_safes_table_of_january_2017_is_accepted_within_rounding(
    bureau: Bureau, shared: Path, kind: str
) -> None:
    result = bureau.files(f"外汇收支.{kind}", AS_FILE[kind](safe_month(shared)))
    assert (result.verdict, result.form_codes, result.findings) == (Verdict.ACCEPTED, ("DM-1",), ())
    bureau.computes("2017-01")
    debits = {
        line.item_code: line.amount_cny / HUNDRED_MILLION
        for line in bureau.rows("core.bop_services", "2017-01", flow="import")
    }
    assert debits["S"] == 2_939
    assert sum(debits[item] for item in MAIN_ITEMS) == 2_940  # never corrected
    imports = bureau.row(
        "indicators.trade_total", "2017-01", source="safe", measure="imports", scope="all", period="month",
        currency_code="CNY",
    )  # fmt: skip
    assert imports.amount == Decimal(2_939) * HUNDRED_MILLION


@pytest.mark.parametrize("further", [5, -7])
def test_safes_table_is_still_accepted_at_exactly_twelve_halves(
    bureau: Bureau, shared: Path, further: int
) -> None:
    """2,940 + 5 and 2,940 - 7 are six away from 2,939: as far as twelve roundings reach."""
    table = safe_month(shared, changed=("旅行", -further))
    result = bureau.files("外汇收支.xlsx", as_xlsx(table))
    assert (result.verdict, [finding.rule for finding in result.findings]) == (Verdict.ACCEPTED, [])


@pytest.mark.parametrize(("further", "said"), [(6, "2,946"), (-8, "2,932")])
def test_a_difference_beyond_rounding_is_a_finding_at_its_cell_and_nothing_is_taken(
    bureau: Bureau, shared: Path, further: int, said: str
) -> None:
    table = safe_month(shared, changed=("旅行", -further))
    services = next(number for number, row in enumerate(table, start=1) if str(row[1])[2:] == "服务贸易差额")
    result = bureau.files("外汇收支.xlsx", as_xlsx(table, sheet_name="外汇收支"))
    assert result.verdict is Verdict.REJECTED
    [finding] = result.findings
    assert (finding.rule, finding.sheet, finding.cell) == ("D1", "外汇收支", f"D{services}")
    assert finding.given.replace(",", "") == "2939"
    assert finding.expected.replace(",", "") == said.replace(",", "")
    assert said in finding.message.zh
    assert said in finding.message.en
    bureau.computes("2017-01")
    assert bureau.rows("core.bop_services") == []


# DM-4: figures that Wuhan and Hubei have published -------------------------------------------------------------


def test_wuhans_published_figures_are_held_against_the_targets(bureau: Bureau, shared: Path) -> None:
    result = bureau.files_path(shared / "reference" / "wuhan_hubei_published_actuals.csv")
    assert result.form_codes == ("DM-4",)
    if result.verdict is Verdict.QUERIES:
        bureau.ledger.confirm(
            result.submission_id, "已与公开报道核对，来源逐行注明", Actor("统计员", is_operator=True)
        )
    bureau.computes("2016-12", "2017-12")
    table = "indicators.target_progress"
    total = bureau.row(table, "2017-12", target_id="T001")
    assert (total.value, total.comparator, total.target_value) == (Decimal("96.4"), ">", 120)
    assert (round(total.achieved_pct, 1), total.status, total.measured_period) == (80.3, "not_met", "2017")
    for month in ("2016-12", "2017-12"):
        share = bureau.row(table, month, target_id="T003")
        assert (share.value, share.comparator, share.target_value) == (Decimal("31.05"), ">=", 25)
        assert (share.status, share.measured_period) == ("met_early", "2016")
    assert total.line_id.startswith(result.submission_id)

    printed: dict[str, dict[str, Any]] = defaultdict(dict)
    for cell in bureau.rows("publication.table_08", "2017-12"):
        printed[cell.row_code][cell.column_code] = cell.value if cell.value is not None else cell.text_zh
    total_row, share_row = printed["headline_T001"], printed["headline_T003"]
    assert (total_row["value"], total_row["achieved_pct"], total_row["status"]) == (
        Decimal("96.4"), Decimal("80.3"), "未达到",
    )  # fmt: skip
    assert (share_row["value"], share_row["value_period"], share_row["status"]) == (
        Decimal("31.05"), "2016年", "提前达到",
    )  # fmt: skip


def test_hubeis_share_of_goods_is_turned_into_a_share_of_foreign_trade(bureau: Bureau) -> None:
    table = department_rows(
        "湖北省商务厅",
        "2019年",
        "",
        [
            ["指标", "时期", "数值", "单位", "地区"],
            ["服务贸易占货物贸易比重", "2019", Decimal("19.69"), "%", "湖北"],
        ],
    )
    result = bureau.files("湖北占比.xlsx", as_xlsx(table))
    assert (result.verdict, result.findings) == (Verdict.ACCEPTED, ())
    bureau.computes("2019-12")
    filed = bureau.rows("core.department_indicator")
    # nothing else was filed: the share of foreign trade is computed
    assert [line.value for line in filed] == [Decimal("19.69")]
    hubei = bureau.row("core.published_share", area="湖北", period_code="2019")
    assert (round(hubei.share_pct, 2), round(hubei.services_to_goods_pct, 2)) == (16.45, 19.69)
    assert (hubei.basis, hubei.is_city) == ("converted", False)
    # a province's figure is no measure of the city's targets
    assert bureau.row("indicators.target_progress", "2019-12", target_id="T005").value is None


# Allocation over modes of supply ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("wto_base", {"1": 810_000, "2": 0, "4": 190_000}),
        ("wto_2020s", {"1": 950_000, "2": 0, "4": 50_000}),
    ],
)
def test_computer_services_without_a_declared_share_are_allocated_by_the_profile(
    bureau: Bureau, profile: str, expected: dict[str, int]
) -> None:
    bureau.files("汇率.csv", a_rate_table(2020), "2020-02-01T09:00")
    result = bureau.files(
        "企业.xlsx", a_workbook(ENTERPRISE, "2020-01", [Line("SI2", export=100, export_ytd=100)]),
        "2020-02-08T09:00",
    )  # fmt: skip
    assert (result.verdict, [finding.rule for finding in result.findings]) == (Verdict.ACCEPTED, [])
    bureau.computes("2020-01", mode_profile=profile)
    estimated = {
        line.mode: line.amount_usd
        for line in bureau.rows("estimates.service_trade_by_mode", "2020-01", profile=profile)
    }
    assert {mode: estimated.get(mode, 0) for mode in expected} == expected
    assert sum(estimated.values()) == 1_000_000
    shown = {
        row.mode: row
        for row in bureau.rows(
            "indicators.trade_by_mode",
            "2020-01",
            source="direct_report",
            profile=profile,
            measure="exports",
            period="month",
            currency_code="USD",
        )
    }
    assert {mode: shown[mode].amount or 0 for mode in expected} == expected
    assert all(row.is_default_profile for row in shown.values())
