"""Figures of departments: SAFE's table, customs, published shares, surveys by mode, commercial presence, contracts."""

from __future__ import annotations

import csv
import itertools
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from pipelines.intake import read_file
from pipelines.periods import Month
from pipelines.reception.closed_months import months_of_rows
from sample_data.committed import SAMPLES_DIR


def shares_key(source: str, period: str = "ytd", currency: str = "USD") -> dict[str, object]:
    return {"source": source, "period": period, "currency_code": currency}


def test_the_share_is_services_over_services_and_goods_not_over_goods(bureau, row, rates_of_seven):
    bureau.files("E1", "2020-01", "item | partner | export | import\nSI2 | USA | 30 | 0")
    bureau.shares("DM-2", "month | export | import\n2020-01 | 40 | 30", unit="USD", department="武汉海关")
    bureau.computes("2020-01", names=("indicators.share_of_foreign_trade",))
    share = row("indicators.share_of_foreign_trade", "2020-01", **shares_key("direct_report"))
    assert share.share_pct == pytest.approx(30)  # 30 / (30 + 70)
    assert share.services_to_goods_pct == pytest.approx(100 * 30 / 70)


def test_the_share_changes_in_percentage_points(bureau, row, rates_of_seven):
    for year, amount in {"2019": "20", "2020": "30"}.items():
        bureau.files("E1", f"{year}-01", f"item | partner | export | import\nSI2 | USA | {amount} | 0")
        bureau.shares("DM-2", f"month | export | import\n{year}-01 | {100 - int(amount)} | 0", unit="USD")
    bureau.computes("2019-01", "2020-01", names=("indicators.share_of_foreign_trade",))
    share = row("indicators.share_of_foreign_trade", "2020-01", **shares_key("direct_report"))
    assert (share.share_pct, share.base_share_pct) == (pytest.approx(30), pytest.approx(20))
    assert share.change_pp == pytest.approx(10)


def test_a_share_needs_goods_of_the_same_months(bureau, row, rates_of_seven):
    for month in ("2020-01", "2020-02"):
        bureau.files("E1", month, "item | partner | export\nSI2 | USA | 30")
    bureau.shares("DM-2", "month | export | import\n2020-02 | 40 | 30", unit="USD")
    bureau.computes("2020-01", "2020-02", names=("indicators.share_of_foreign_trade",))
    ytd = row("indicators.share_of_foreign_trade", "2020-02", **shares_key("direct_report"))
    assert (ytd.share_pct, ytd.goods_amount) == (None, None)
    month = row("indicators.share_of_foreign_trade", "2020-02", **shares_key("direct_report", "month"))
    assert month.share_pct == pytest.approx(30)


def test_services_of_returns_are_never_set_against_goods_of_safe(bureau, row, rates_of_seven):
    bureau.files("E1", "2020-01", "item | partner | export\nSI2 | USA | 30")
    bureau.shares(
        "DM-1", "month | item_code | credit | debit\n2020-01 | S | 1 | 1\n2020-01 | G | 70 | 0", unit="USD"
    )
    bureau.computes("2020-01", names=("indicators.share_of_foreign_trade",))
    assert (
        row("indicators.share_of_foreign_trade", "2020-01", **shares_key("direct_report")).share_pct is None
    )
    safe = row("indicators.share_of_foreign_trade", "2020-01", **shares_key("safe"))
    assert safe.share_pct == pytest.approx(100 * 2 / 72)


def test_the_headline_source_is_the_bureaus_choice(bureau, rows, rates_of_seven):
    bureau.computes("2020-01", names=("indicators.share_of_foreign_trade",), services_source="safe")
    headline = rows("indicators.share_of_foreign_trade", "2020-01", is_headline=True)
    assert {share.source for share in headline} == {"safe"}


def test_safes_share_of_services_in_2025_is_14_48_per_cent(bureau, row, shared):
    with (shared / "real" / "safe_bop_goods_services_monthly_usd.csv").open(encoding="utf-8") as file:
        months = [month for month in csv.DictReader(file) if month["date"].startswith(("2024", "2025"))]
    lines = []
    for month in months:
        for item, name in (("G", "goods"), ("S", "services"), ("GS", "total")):
            lines.append(
                f"{month['date'][:7]} | {item} | {month[f'{name}_export_usd_yi']} | {month[f'{name}_import_usd_yi']}"
            )
    bureau.shares("DM-1", "month | item_code | credit | debit\n" + "\n".join(lines), unit="USD_100M")
    bureau.computes("2025-12", names=("indicators.share_of_foreign_trade",))
    share = row("indicators.share_of_foreign_trade", "2025-12", **shares_key("safe"))
    assert share.services_amount == Decimal(10_575) * 100_000_000
    # goods and services as SAFE prints their sum; each month is rounded alone, so the parts may differ by 24 halves
    printed = sum(
        Decimal(month[f"total_{flow}_usd_yi"])
        for month in months
        if month["date"] >= "2025"
        for flow in ("export", "import")
    )
    assert printed == 73_048
    assert abs(share.services_amount + share.goods_amount - printed * 100_000_000) <= 12 * 100_000_000
    assert round(share.share_pct, 2) == 14.48
    # no parity is on file: there is no yuan share, rather than one at an invented rate
    assert (
        row("indicators.share_of_foreign_trade", "2025-12", **shares_key("safe", currency="CNY")).share_pct
        is None
    )


def test_safes_month_is_taken_in_both_currencies_as_printed(bureau, rows, row, shared):
    with (shared / "reference" / "safe_table_months.csv").open(encoding="utf-8") as file:
        printed = [line for line in csv.DictReader(file) if line["month"] == "2017-01"]
    items = ["GS", "G", "S", *["SA", "SB", "SC", "SD", "SE", "SF", "SG", "SH", "SI", "SJ", "SK", "SL"]]
    for currency, unit in (("cny", "CNY_100M"), ("usd", "USD_100M")):
        bureau.shares(
            "DM-1",
            "month | item_code | credit | debit\n"
            + "\n".join(
                f"2017-01 | {item} | {line[f'credit_{currency}_yi']} | {line[f'debit_{currency}_yi'].lstrip('-')}"
                for item, line in zip(items, printed, strict=True)
            ),
            unit=unit,
        )
    bureau.computes("2017-01", names=("indicators.trade_total",))
    total = row("core.bop_services", item_code="S", flow="import")
    assert (total.amount_cny, total.amount_usd) == (Decimal(293_900_000_000), Decimal(42_600_000_000))
    assert total.is_usd_declared
    assert total.is_cny_declared
    debits = [
        line.amount_cny
        for line in rows("core.bop_services", flow="import")
        if line.item_code not in ("S", "G", "GS")
    ]
    assert sum(debits) == Decimal(294_000_000_000)  # 2,940 against the printed 2,939: never corrected
    imports = row(
        "indicators.trade_total", "2017-01", source="safe", measure="imports", scope="all", period="month",
        currency_code="CNY",
    )  # fmt: skip
    assert imports.amount == Decimal(293_900_000_000)


def test_a_later_table_replaces_the_rows_it_gives_again_and_no_others(bureau, row):
    bureau.shares(
        "DM-1", "month | item_code | credit | debit\n2020-01 | S | 10 | 20\n2020-02 | S | 11 | 21", unit="USD"
    )
    bureau.shares(
        "DM-1", "month | item_code | credit | debit\n2020-01 | S | 15 | 25", unit="USD", period="2020-02"
    )
    bureau.computes(names=("core.bop_services",))
    found = {
        month: row("core.bop_services", item_code="S", flow="export", month_start_date=day).amount_usd
        for month, day in (("01", date(2020, 1, 1)), ("02", date(2020, 2, 1)))
    }
    assert found == {"01": 15, "02": 11}


@pytest.mark.parametrize(
    ("period", "closed_month", "is_left_out"),
    [
        ("2020-03", "2020-03", True),
        ("2020-03", "2020-02", False),
        ("2020-Q1", "2020-03", True),
        ("2020-Q1", "2020-01", False),
        ("2020-H1", "2020-06", True),
        ("2020", "2020-12", True),
        ("2020", "2020-11", False),
    ],
)
def test_what_a_department_sends_after_the_closing_of_its_month_counts_for_nothing(
    bureau, rows, given, period, closed_month, is_left_out
):
    first = bureau.shares("DM-4", f"indicator | period | value\ncoverage | {period} | 10")
    bureau.shares("DM-4", f"indicator | period | value\ncoverage | {period} | 12")
    given(
        "raw.month_closing",
        f"month_start_date | closed_sequence\n{closed_month}-01 | {int(first, 16)}",
    )
    given("raw.department_at_closing", f"month_start_date | submission_id\n{closed_month}-01 | {first}")
    bureau.computes(names=("validated.department_cell",))
    values = [cell.number for cell in rows("validated.department_cell") if cell.field == "value"]
    assert values == ([10] if is_left_out else [10, 12])


def test_what_was_never_closed_goes_with_the_first_closed_month_after_it(bureau, rows, given):
    head = "indicator | period | value\n"
    first = bureau.shares("DM-4", head + "coverage | 2018 | 10\ncoverage | 2020-02 | 20")
    again = bureau.shares("DM-4", head + "coverage | 2018 | 12\ncoverage | 2020-02 | 22")
    kept = "month_start_date | submission_id\n"

    def counted() -> list[Decimal]:
        bureau.computes(names=("validated.department_cell",))
        return [cell.number for cell in rows("validated.department_cell") if cell.field == "value"]

    given("raw.month_closing", f"month_start_date | closed_sequence\n2020-01-01 | {int(first, 16)}")
    given("raw.department_at_closing", f"{kept}2020-01-01 | {first}")
    assert counted() == [10, 20, 22]
    # Closed by itself later, the year counts as it stood then.
    given("raw.month_closing", f"month_start_date | closed_sequence\n2018-12-01 | {int(again, 16)}")
    given("raw.department_at_closing", f"{kept}2018-12-01 | {again}")
    assert counted() == [20, 12, 22]


def test_while_a_month_is_revised_so_is_what_was_never_closed_before_it(bureau, rows, given):
    bureau.shares("DM-4", "indicator | period | value\ncoverage | 2018 | 10")
    given("raw.month_closing", "month_start_date | closed_sequence\n2019-12-01 |\n2020-01-01 | 0")
    bureau.computes(names=("validated.department_cell",))
    assert [cell.number for cell in rows("validated.department_cell") if cell.field == "value"] == [10]


@pytest.mark.parametrize("sample", sorted(SAMPLES_DIR.glob("DM-*")), ids=lambda path: path.stem)
def test_the_door_tells_a_department_of_the_very_months_in_which_the_sql_keeps_the_old_figures(
    bureau, rows, given, con, sample
):
    parsed = read_file(sample.name, sample.read_bytes())
    bureau.receives_department_table(parsed)
    months = sorted(months_of_rows(parsed.cells))
    counted = []
    for closed in Month.span(months[0].previous, months[-1]):
        given("raw.month_closing", f"month_start_date | closed_sequence\n{closed}-01 | 0")
        bureau.computes(names=("validated.department_cell",))
        counted.append((closed, len(rows("validated.department_cell"))))
        con.execute("delete from raw.month_closing")
    falls = [closed for (_, before), (closed, after) in itertools.pairwise(counted) if after < before]
    assert falls == months
    assert counted[-1][1] == 0


def test_a_daily_rate_belongs_to_its_own_month(bureau, rows, given):
    bureau.shares(
        "DM-3", "currency_code | rate | per | day\nUSD | 7.0 | 1 | 2020-03-31\nUSD | 7.1 | 1 | 2020-04-01"
    )
    given("raw.month_closing", "month_start_date | closed_sequence\n2020-03-01 | 0")
    bureau.computes(names=("core.exchange_rate",))
    assert {rate.month_start_date for rate in rows("core.exchange_rate")} == {date(2020, 4, 1)}


def test_ons_totals_by_mode_come_out_of_the_survey_table_as_published(bureau, rows, row, shared):
    path = shared / "real" / "ons_mos_exports_2019.xlsx"
    parsed = read_file(path.name, path.read_bytes())
    bureau.receives_department_table(parsed)
    bureau.computes(names=("core.mode_survey",))
    world = rows("core.mode_survey", partner_code="W1", flow="export")
    totals = {line.mode: line.value for line in world if line.item_code == "S"}
    assert {mode: totals[mode] for mode in ("1", "2", "4")} == {"1": 207_075, "2": 66_680, "4": 43_919}
    assert sum(totals[mode] for mode in ("1", "2", "4")) == 317_674
    mode_3 = sum(line.value for line in world if line.mode == "3" and len(line.item_code) == 2)
    assert mode_3 == 627_570
    assert {line.currency_code for line in world} == {"GBP"}
    by_mode: dict[str, Decimal] = defaultdict(Decimal)
    for line in world:
        if len(line.item_code) == 2 and line.mode in ("1", "2", "4"):
            by_mode[line.mode] += line.value
    assert by_mode == {"1": 207_075, "2": 66_680, "4": 43_919}


def test_commercial_presence_is_annual_and_stands_beside_the_totals(bureau, rows, row, rates_of_seven):
    bureau.shares(
        "DM-4",
        """
        indicator            | period | value | unit
        外向附属机构销售收入 | 2018   | 7     | 亿元
        外向附属机构销售收入 | 2019   | 14    | 亿元
        内向附属机构销售收入 | 2019   | 70    | 亿元
        """,
        department="市商务局",
    )
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 1")
    bureau.computes("2019-11", "2020-03", names=("indicators.commercial_presence", "indicators.trade_total"))
    outward = row("indicators.commercial_presence", "2020-03", flow="export", is_latest=True)
    assert (outward.year, outward.amount_usd, outward.growth_pct) == (
        2019,
        Decimal(200_000_000),
        pytest.approx(100),
    )
    # in November 2019 that year is not over: only 2018 is known
    assert {line.year for line in rows("indicators.commercial_presence", "2019-11")} == {2018}
    total = row(
        "indicators.trade_total", "2020-03", source="direct_report", measure="total", scope="all", period="month",
        currency_code="USD",
    )  # fmt: skip
    assert total.amount == 1


def test_technology_contracts_add_up_when_no_month_is_missing(bureau, row, rates_of_seven):
    bureau.shares(
        "DM-4",
        """
        indicator        | period  | value | unit
        技术出口合同金额 | 2020-01 | 100   | 万美元
        技术出口合同金额 | 2020-02 | 50    | 万美元
        技术进口合同金额 | 2020-02 | 7     | 万美元
        技术出口合同数   | 2020-01 | 3     | 份
        技术出口合同数   | 2020-02 | 4     | 份
        """,
    )
    bureau.computes("2020-02", names=("indicators.technology_contracts",))
    table = "indicators.technology_contracts"
    usd = {"measure": "contract_amount", "currency_code": "USD"}
    assert row(table, "2020-02", flow="export", period="ytd", **usd).amount == 1_500_000
    assert row(table, "2020-02", flow="import", period="ytd", **usd).amount is None  # January was not given
    assert row(table, "2020-02", flow="total", period="month", **usd).amount == 570_000
    assert row(table, "2020-02", flow="export", period="ytd", measure="contract_count").amount == 7


def test_task_progress_keeps_each_report_of_each_task(bureau, rows):
    bureau.shares(
        "DM-5",
        """
        task_no | task_status | progress_pct | day
        1       | in_progress | 40           | 2020-06-30
        1       | done        | 100          | 2020-12-31
        2       | not_started |              | 2020-12-31
        """,
    )
    bureau.computes(names=("core.task_progress",))
    assert [(task.task_no, task.task_status, task.progress_pct) for task in rows("core.task_progress")] == [
        (1, "in_progress", 40),
        (1, "done", 100),
        (2, "not_started", None),
    ]


def test_a_share_of_goods_is_published_as_a_share_of_foreign_trade(bureau, row):
    bureau.shares(
        "DM-4",
        """
        indicator                    | period | value | unit | area
        服务贸易占货物贸易比重       | 2019   | 19.69 | %    | 湖北
        服务贸易占对外贸易比重       | 2016   | 31.05 | %    |
        """,
    )
    bureau.computes(names=("core.published_share",))
    hubei = row("core.published_share", area="湖北")
    assert round(hubei.share_pct, 2) == 16.45
    assert (hubei.basis, hubei.is_city) == ("converted", False)
    wuhan = row("core.published_share", area=None)
    assert wuhan.share_pct == pytest.approx(31.05)
    assert round(wuhan.services_to_goods_pct, 2) == 45.03  # 107 / 237.6


def test_the_city_under_several_names_has_one_figure(bureau, rows):
    head = "indicator | period | value | unit | area\n"
    bureau.shares("DM-4", head + "旅游业总收入 | 2016 | 600 | 亿元 | 武汉")
    bureau.shares(
        "DM-4", head + "旅游业总收入 | 2016 | 700 | 亿元 | 全市\n旅游业总收入 | 2016 | 9 | 亿元 | 湖北"
    )
    bureau.computes(names=("core.department_indicator",))
    assert [(line.value, line.is_city) for line in rows("core.department_indicator", is_city=True)] == [
        (700, True)
    ]
    assert len(rows("core.department_indicator")) == 2
