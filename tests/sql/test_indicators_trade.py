"""Totals, growth, shares and breakdowns: what is compared with what, and where nothing is said."""

from __future__ import annotations

from decimal import Decimal

import pytest

pytestmark = pytest.mark.usefixtures("rates_of_seven")

TOTAL = ("indicators.trade_total",)
MONTH = {"source": "direct_report", "scope": "all", "period": "month", "currency_code": "USD"}
YTD = MONTH | {"period": "ytd"}


def exports(bureau, enterprise: str, month: str, amount: str, **how: object) -> None:
    bureau.files(enterprise, month, f"item | partner | export\nSI2 | USA | {amount}", **how)


def test_total_is_exports_and_imports_and_the_balance_their_difference(bureau, row):
    bureau.files(
        "E1", "2020-03", "item | partner | export | import\nSI2 | USA | 100 | 30\nSD | JPN | 20 | 90"
    )
    bureau.computes("2020-03", names=TOTAL)
    found = {
        measure: row("indicators.trade_total", "2020-03", measure=measure, **MONTH).amount
        for measure in ("total", "exports", "imports", "balance")
    }
    assert found == {"total": 240, "exports": 120, "imports": 120, "balance": 0}


def test_excluding_travel_and_knowledge_intensive_are_parts_of_the_total(bureau, row):
    bureau.files(
        "E1",
        "2020-03",
        "item | partner | export\nSI2 | USA | 100\nSDB2 | USA | 20\nSC12 | USA | 3\nSK21 | USA | 1",
    )
    bureau.computes("2020-03", names=TOTAL)
    found = {
        scope: row(
            "indicators.trade_total", "2020-03", measure="exports", **(MONTH | {"scope": scope})
        ).amount
        for scope in ("all", "excluding_travel", "knowledge_intensive")
    }
    assert found == {"all": 124, "excluding_travel": 104, "knowledge_intensive": 101}


def test_nobody_reported_is_empty_and_a_zero_return_is_zero(bureau, row):
    bureau.files("E1", "2020-04", is_zero=True)
    bureau.computes("2020-03", "2020-04", names=TOTAL)
    silent = row("indicators.trade_total", "2020-03", measure="total", **MONTH)
    assert (silent.amount, silent.growth_blank_reason) == (None, "not_reported")
    assert row("indicators.trade_total", "2020-04", measure="total", **MONTH).amount == 0


def test_a_blank_import_column_is_not_an_import_of_zero(bureau, row):
    exports(bureau, "E1", "2020-03", "100")
    bureau.computes("2020-03", names=TOTAL)
    assert row("indicators.trade_total", "2020-03", measure="imports", **MONTH).amount is None
    assert row("indicators.trade_total", "2020-03", measure="balance", **MONTH).amount is None
    assert row("indicators.trade_total", "2020-03", measure="total", **MONTH).amount == 100


def test_cumulative_is_compared_with_cumulative(bureau, row):
    for month, amount in {"2019-03": "40", "2019-04": "60", "2020-03": "90", "2020-04": "30"}.items():
        exports(bureau, "E1", month, amount)
    for month in ("2019-01", "2019-02", "2020-01", "2020-02"):
        exports(bureau, "E1", month, "50")
    bureau.computes("2020-04", names=(*TOTAL, "core.period_coverage"))
    # table by table for every month that is read: the year before has to be there as well
    bureau.computes(
        "2019-01", "2019-02", "2019-03", "2019-04", "2020-01", "2020-02", "2020-03", "2020-04", names=TOTAL
    )
    month = row("indicators.trade_total", "2020-04", measure="exports", **MONTH)
    ytd = row("indicators.trade_total", "2020-04", measure="exports", **YTD)
    assert (month.amount, month.base_amount, month.growth_pct) == (30, 60, pytest.approx(-50))
    assert (ytd.amount, ytd.base_amount, ytd.growth_pct) == (220, 200, pytest.approx(10))


def test_growth_in_yuan_and_in_dollars_differ_when_the_rate_moved(bureau, row):
    bureau.shares(
        "DM-3", "month | currency_code | rate | per\n2019-03 | USD | 6.0 | 1\n2020-03 | USD | 7.5 | 1"
    )
    exports(bureau, "E1", "2019-03", "100")
    exports(bureau, "E1", "2020-03", "100")
    bureau.computes("2019-03", "2020-03", names=TOTAL)
    usd = row("indicators.trade_total", "2020-03", measure="exports", **MONTH)
    cny = row("indicators.trade_total", "2020-03", measure="exports", **(MONTH | {"currency_code": "CNY"}))
    assert usd.growth_pct == pytest.approx(0)
    assert cny.growth_pct == pytest.approx(25)


def test_yuan_of_the_year_are_the_sum_of_months_each_at_its_own_rate(bureau, row):
    bureau.shares(
        "DM-3", "month | currency_code | rate | per\n2020-01 | USD | 6.0 | 1\n2020-02 | USD | 8.0 | 1"
    )
    exports(bureau, "E1", "2020-01", "100")
    exports(bureau, "E1", "2020-02", "300")
    bureau.computes("2020-01", "2020-02", names=TOTAL)
    ytd = row("indicators.trade_total", "2020-02", measure="exports", **(YTD | {"currency_code": "CNY"}))
    assert ytd.amount == 100 * 6 + 300 * 8  # not 400 at any one rate


def test_an_enterprise_new_this_year_counts_in_the_total_and_so_in_growth(bureau, row):
    exports(bureau, "E1", "2019-03", "100")
    exports(bureau, "E1", "2020-03", "110")
    exports(bureau, "E2", "2020-03", "500")
    bureau.computes("2019-03", "2020-03", names=TOTAL)
    assert row("indicators.trade_total", "2020-03", measure="exports", **MONTH).growth_pct == pytest.approx(
        510
    )


@pytest.mark.parametrize(
    ("base", "reason"),
    [("0", "base_not_positive"), ("", "no_base")],
)
def test_growth_on_a_base_of_zero_or_nothing_is_empty_and_says_why(bureau, row, base, reason):
    if base:
        exports(bureau, "E1", "2019-03", base)
    exports(bureau, "E1", "2020-03", "5")
    bureau.computes("2019-03", "2020-03", names=TOTAL)
    found = row("indicators.trade_total", "2020-03", measure="exports", **MONTH)
    assert (found.growth_pct, found.growth_blank_reason) == (None, reason)


def test_a_balance_grows_only_from_a_surplus(bureau, row):
    bureau.files("E1", "2019-03", "item | partner | export | import\nSI2 | USA | 10 | 30")
    bureau.files("E1", "2020-03", "item | partner | export | import\nSI2 | USA | 50 | 30")
    bureau.computes("2019-03", "2020-03", names=TOTAL)
    balance = row("indicators.trade_total", "2020-03", measure="balance", **MONTH)
    assert (balance.base_amount, balance.amount, balance.growth_pct) == (-20, 20, None)
    assert balance.growth_blank_reason == "base_not_positive"


def test_a_year_to_date_with_a_month_missing_last_year_has_no_growth(bureau, row):
    for month in ("2019-02", "2019-03", "2020-01", "2020-02", "2020-03"):
        exports(bureau, "E1", month, "10")
    bureau.computes("2019-02", "2019-03", "2020-01", "2020-02", "2020-03", names=TOTAL)
    ytd = row("indicators.trade_total", "2020-03", measure="exports", **YTD)
    assert (ytd.amount, ytd.base_amount) == (30, None)
    assert (ytd.growth_pct, ytd.growth_blank_reason) == (None, "months_missing")


def test_february_alone_has_no_growth_when_january_is_missing(bureau, row):
    exports(bureau, "E1", "2019-01", "10")
    exports(bureau, "E1", "2019-02", "10")
    exports(bureau, "E1", "2020-02", "20")
    bureau.computes("2019-01", "2019-02", "2020-02", names=TOTAL)
    found = row("indicators.trade_total", "2020-02", measure="exports", **MONTH)
    assert (found.growth_pct, found.growth_blank_reason) == (None, "months_1_2")


def test_a_january_february_return_gives_growth_of_both_months_together_only(bureau, row):
    exports(bureau, "E1", "2019-01", "10")
    exports(bureau, "E1", "2019-02", "30")
    exports(bureau, "E1", "2020年1-2月", "60")
    bureau.computes("2019-01", "2019-02", "2020-01", "2020-02", names=TOTAL)
    month = row("indicators.trade_total", "2020-02", measure="exports", **MONTH)
    ytd = row("indicators.trade_total", "2020-02", measure="exports", **YTD)
    assert (month.growth_pct, month.growth_blank_reason) == (None, "months_1_2")
    assert (ytd.amount, ytd.growth_pct) == (60, pytest.approx(50))


def test_march_is_compared_as_ever_after_a_january_february_return(bureau, row):
    for month in ("2019年1-2月", "2019-03", "2020-01", "2020-02", "2020-03"):
        exports(bureau, "E1", month, "10")
    bureau.computes("2019-02", "2019-03", "2020-01", "2020-02", "2020-03", names=TOTAL)
    assert row("indicators.trade_total", "2020-03", measure="exports", **MONTH).growth_pct == pytest.approx(0)
    assert row("indicators.trade_total", "2020-03", measure="exports", **YTD).growth_pct == pytest.approx(50)


def test_figures_are_preliminary_until_every_expected_return_is_accepted(bureau, row):
    exports(bureau, "E1", "2020-03", "10")
    bureau.register("E2")
    bureau.computes("2020-03", names=TOTAL)
    assert row("indicators.trade_total", "2020-03", measure="total", **MONTH).status == "preliminary"
    bureau.files("E2", "2020-03", is_zero=True)
    bureau.computes("2020-03", names=TOTAL)
    assert row("indicators.trade_total", "2020-03", measure="total", **MONTH).status == "final"


def test_returns_and_safe_are_never_mixed(bureau, row):
    exports(bureau, "E1", "2020-03", "10")
    bureau.shares("DM-1", "month | item_code | credit | debit\n2020-03 | S | 400 | 500", unit="USD_100M")
    bureau.computes("2020-03", names=TOTAL)
    assert row("indicators.trade_total", "2020-03", measure="total", **MONTH).amount == 10
    safe = row("indicators.trade_total", "2020-03", measure="total", **(MONTH | {"source": "safe"}))
    assert (safe.amount, safe.status) == (Decimal(90_000_000_000), "preliminary")


def test_safes_printed_total_stands_also_when_its_items_add_up_otherwise(bureau, row):
    items = "\n".join(
        f"2020-03 | {item} | 1 | 1"
        for item in ["SA", "SB", "SC", "SD", "SE", "SF", "SG", "SH", "SI", "SJ", "SK", "SL"]
    )
    bureau.shares(
        "DM-1", f"month | item_code | credit | debit\n2020-03 | S | 13 | 11\n{items}", unit="USD_100M"
    )
    bureau.computes("2020-03", names=TOTAL)
    key = MONTH | {"source": "safe"}
    assert row("indicators.trade_total", "2020-03", measure="exports", **key).amount == Decimal(1_300_000_000)
    knowledge = row(
        "indicators.trade_total", "2020-03", measure="exports", **(key | {"scope": "knowledge_intensive"})
    )
    assert knowledge.amount == Decimal(600_000_000)


def test_part_of_safes_items_is_not_a_total(bureau, row):
    bureau.shares(
        "DM-1",
        "month | item_code | credit | debit\n2020-03 | SC | 1 | 1\n2020-03 | SD | 1 | 1",
        unit="USD_100M",
    )
    bureau.computes("2020-03", names=TOTAL)
    assert (
        row("indicators.trade_total", "2020-03", measure="exports", **(MONTH | {"source": "safe"})).amount
        is None
    )


def test_items_have_shares_of_the_total_and_contributions_that_add_up_to_its_growth(bureau, rows, row):
    bureau.files("E1", "2019-03", "item | partner | export\nSI2 | USA | 60\nSC1 | USA | 40")
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 90\nSJ1 | USA | 30")
    bureau.computes("2019-03", "2020-03", names=("indicators.trade_by_item",))
    key = {"source": "direct_report", "measure": "exports", "period": "month", "currency_code": "USD"}
    items = {item.item_code: item for item in rows("indicators.trade_by_item", "2020-03", **key)}
    assert items["SI"].share_pct == pytest.approx(75)
    assert items["SI"].share_change_pp == pytest.approx(15)
    assert items["SC"].amount is None  # nobody reported transport this March
    total = row("indicators.trade_total", "2020-03", scope="all", **key)
    assert sum(item.contribution_pp for item in items.values()) == pytest.approx(total.growth_pct)


def test_partners_are_ranked_and_groups_overlap(bureau, rows, row):
    bureau.files(
        "E1",
        "2020-03",
        "item | partner | export\nSI2 | SGP | 50\nSI2 | USA | 30\nSJ1 | USA | 40\nSI2 | HKG | 5",
    )
    bureau.computes("2020-03", names=("indicators.trade_by_partner", "indicators.trade_by_partner_group"))
    key = {"source": "direct_report", "measure": "exports", "period": "month", "currency_code": "USD"}
    ranked = sorted(rows("indicators.trade_by_partner", "2020-03", **key), key=lambda partner: partner.rank)
    assert [(partner.partner_code, partner.amount) for partner in ranked] == [
        ("USA", 70),
        ("SGP", 50),
        ("HKG", 5),
    ]
    groups = {
        group.group_code: group.amount
        for group in rows("indicators.trade_by_partner_group", "2020-03", **key)
    }
    assert groups["BRI"] == groups["RCEP"] == 50
    assert groups["HMT"] == 5


def test_districts_are_those_of_the_register(bureau, rows):
    bureau.register("E1", district="420106")
    bureau.register("E2", "E3", district="420111")
    for enterprise, amount in {"E1": "1", "E2": "10", "E3": "20"}.items():
        exports(bureau, enterprise, "2020-03", amount)
    bureau.computes("2020-03", names=("indicators.trade_by_district",))
    key = {"measure": "exports", "period": "month", "currency_code": "USD"}
    found = {
        district.district_code: (district.amount, district.enterprise_count)
        for district in rows("indicators.trade_by_district", "2020-03", **key)
    }
    assert found == {"420106": (1, 1), "420111": (30, 2)}


def test_a_year_to_date_that_lacks_a_month_is_empty_in_every_table(bureau, rows):
    outsourcing = "contract_no | type | shore | contract_amount | executed\nC1 | ITO | offshore | 100 | 10"
    for month in ("2020-01", "2020-03"):  # February: nobody
        bureau.files("E1", month, "item | partner | export\nSI2 | SGP | 10", outsourcing=outsourcing)
    tables = (
        "indicators.trade_total",
        "indicators.trade_by_item",
        "indicators.trade_by_partner",
        "indicators.trade_by_partner_group",
        "indicators.trade_by_district",
        "indicators.trade_by_mode",
        "indicators.mode_basis",
        "indicators.outsourcing",
    )
    bureau.computes("2020-01", "2020-03", names=tables)
    for table in tables:
        found = list(rows(table, "2020-03", source="direct_report", period="ytd"))
        assert found, table
        assert {one.amount for one in found} == {None}, table
        if table != "indicators.mode_basis":
            assert {one.growth_blank_reason for one in found} == {"months_missing"}, table
        assert any(one.amount for one in rows(table, "2020-03", period="month")), table
        assert any(one.amount for one in rows(table, "2020-01", period="ytd")), table


def test_safe_with_one_flow_missing_is_no_smaller_total(bureau, row):
    bureau.shares(
        "DM-1",
        """
        month   | item_code | credit | debit
        2020-01 | S         | 4      | 5
        2020-02 | S         | 4      | ..
        2020-01 | SI        | 1      | 1
        2020-02 | SI        | 1      |
        """,
        unit="USD_100M",
    )
    bureau.computes("2020-01", "2020-02", names=("indicators.trade_total", "indicators.trade_by_item"))
    for period in ("month", "ytd"):
        key = {"source": "safe", "period": period, "currency_code": "USD"}
        for measure in ("total", "imports", "balance"):
            total = row("indicators.trade_total", "2020-02", scope="all", measure=measure, **key)
            assert total.amount is None, (period, measure)
        exports = row("indicators.trade_total", "2020-02", scope="all", measure="exports", **key)
        assert exports.amount == {"month": 400_000_000, "ytd": 800_000_000}[period]
        assert (
            row("indicators.trade_by_item", "2020-02", item_code="SI", measure="total", **key).amount is None
        )


def test_january_and_february_of_departments_in_one_figure_count_in_the_year_to_date_only(bureau, row):
    exports(bureau, "E1", "2020-01", "100")
    exports(bureau, "E1", "2020-02", "100")
    exports(bureau, "E1", "2020-03", "100")
    bureau.shares(
        "DM-1",
        "month | item_code | credit | debit\n2020年1-2月 | S | 8 | 9\n2020-03 | S | 4 | 5",
        unit="USD_100M",
    )
    bureau.shares("DM-2", "month | export | import\n2020年1-2月 | 200 | 300\n2020-03 | 100 | 200", unit="USD")
    months = ("2020-01", "2020-02", "2020-03")
    bureau.computes(*months, names=("indicators.trade_total", "indicators.share_of_foreign_trade"))

    def safe(month: str, period: str):
        return row(
            "indicators.trade_total", month, source="safe", measure="total", scope="all", period=period,
            currency_code="USD",
        )  # fmt: skip

    assert [safe(month, "ytd").amount for month in months] == [None, 1_700_000_000, 2_600_000_000]
    assert [safe(month, "month").amount for month in months] == [None, None, 900_000_000]
    assert safe("2020-02", "month").growth_blank_reason == "months_1_2"
    cny = row(
        "indicators.trade_total", "2020-02", source="safe", measure="total", scope="all", period="ytd",
        currency_code="CNY",
    )  # fmt: skip
    assert cny.amount == 11_900_000_000
    share = {"source": "direct_report", "currency_code": "USD"}
    table = "indicators.share_of_foreign_trade"
    assert row(table, "2020-02", period="month", **share).share_pct is None
    assert row(table, "2020-02", period="ytd", **share).share_pct == pytest.approx(100 * 200 / 700)
    assert row(table, "2020-03", period="ytd", **share).share_pct == pytest.approx(100 * 300 / 1100)


def test_january_and_february_given_singly_later_replace_the_two_in_one(bureau, rows):
    bureau.shares("DM-2", "month | export | import\n2020年1-2月 | 50 | 70", unit="USD")
    bureau.shares("DM-2", "month | export | import\n2020-01 | 20 | 30", unit="USD")
    bureau.computes(names=("core.goods_trade",))
    assert [(line.period_kind, line.amount_usd) for line in rows("core.goods_trade", flow="export")] == [
        ("months_1_2", 50)
    ]
    bureau.shares("DM-2", "month | export | import\n2020-02 | 35 | 45", unit="USD")
    bureau.computes(names=("core.goods_trade",))
    assert [line.amount_usd for line in rows("core.goods_trade", flow="export")] == [20, 35]


def test_technology_contracts_of_january_and_february_in_one_figure_count_in_the_year(bureau, row):
    name = "技术进口合同数"
    bureau.shares(
        "DM-4", f"indicator | period | value | unit\n{name} | 2020年1-2月 | 7 | 份\n{name} | 2020-03 | 2 | 份"
    )
    bureau.computes("2020-02", "2020-03", names=("indicators.technology_contracts",))
    key = {"measure": "contract_count", "flow": "import"}
    assert row("indicators.technology_contracts", "2020-03", period="ytd", **key).amount == 9
    assert row("indicators.technology_contracts", "2020-02", period="ytd", **key).amount == 7


def test_what_enterprises_withheld_is_counted_and_stands_in_no_sum(bureau, row, rows):
    bureau.files(
        "E1",
        "2020-01",
        "item | partner | export | import\nSI2 | USA | 10 | ..\nSK1 | HKG | .. |",
        outsourcing="contract_no | type | shore | contract_amount | executed\nC1 | KPO | offshore | 5 | ..",
    )
    bureau.files("E2", "2020-01", "item | partner | export | import\nSI2 | JPN | .. | ..")
    bureau.computes("2020-01", names=("core.withheld_count",))
    found = {
        (one.dimension, one.code, one.measure): (one.enterprise_count, one.line_count, one.is_all_withheld)
        for one in rows("core.withheld_count", "2020-01", period="month")
    }
    assert found["scope", "total", "total"] == (2, 4, False)
    assert found["scope", "total", "exports"] == (2, 2, False)
    assert found["scope", "total", "imports"] == (2, 2, True)
    assert found["scope", "total", "balance"] == (2, 4, True)  # imports are all hidden
    assert found["item", "SK", "exports"] == (1, 1, True)
    assert found["partner", "JPN", "total"] == (1, 2, True)
    assert found["group", "HMT", "exports"] == (1, 1, True)
    assert found["outsourcing", "offshore_KPO", "executed"] == (1, 1, True)
    assert ("outsourcing", "offshore_KPO", "contract") not in found
