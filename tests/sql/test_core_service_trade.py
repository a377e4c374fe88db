"""From cells of returns to lines in both currencies: what is summed, what stays empty, what is converted how."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.periods import Month

LINES = ("core.service_trade",)
TOTALS = ("indicators.trade_total",)

pytestmark = pytest.mark.usefixtures("rates_of_seven")


def amounts(rows, month: str, **equal: object) -> dict[tuple[str, str], Decimal]:
    return {
        (line.item_code, line.flow): line.amount_usd for line in rows("core.service_trade", month, **equal)
    }


def test_a_blank_cell_is_no_line_and_a_zero_is_one(bureau, rows):
    bureau.files(
        "E1",
        "2020-03",
        """
        item | partner | export | import
        SI2  | USA     | 100    |           # imports blank: not reported
        SJ1  | USA     | 0      | ..        # exports none; imports exist and are not given
        SK1  | USA     | —      | 7
        """,
    )
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {
        ("SI2", "export"): Decimal(100),
        ("SJ1", "export"): Decimal(0),
        ("SK1", "import"): Decimal(7),
    }
    states = {
        (line.item_code, line.flow): line.amount_state for line in rows("raw.service_trade_line", "2020-03")
    }
    assert states == {
        ("SI2", "export"): "value",
        ("SI2", "import"): None,
        ("SJ1", "export"): "zero",
        ("SJ1", "import"): "withheld",
        ("SK1", "export"): "not_applicable",
        ("SK1", "import"): "value",
    }


def test_a_return_in_yuan_is_converted_at_the_months_average_rate(bureau, row):
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 1.5", unit="CNY_10K")
    bureau.computes("2020-03", names=LINES)
    line = row("core.service_trade", "2020-03")
    assert line.amount_cny == Decimal(15000)
    assert line.amount_usd == Decimal("2142.8571")  # 15000 / 7


def test_a_return_in_dollars_keeps_every_cent_and_gets_yuan(bureau, row):
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 1234.5678", unit="USD_10K")
    bureau.computes("2020-03", names=LINES)
    line = row("core.service_trade", "2020-03")
    assert (line.amount_usd, line.amount_cny) == (Decimal(12345678), Decimal(86419746))


def test_two_returns_in_different_units_add_up_to_the_same_money(bureau, row):
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 12", unit="USD_10K")
    bureau.files("E2", "2020-03", "item | partner | export\nSI2 | USA | 120", unit="USD_1K")
    bureau.files("E3", "2020-03", "item | partner | export\nSI2 | USA | 840000", unit="CNY")
    bureau.computes("2020-03", names=TOTALS)
    total = row(
        "indicators.trade_total", "2020-03", source="direct_report", measure="exports", scope="all",
        period="month", currency_code="USD",
    )  # fmt: skip
    assert total.amount == pytest.approx(Decimal(360000), abs=Decimal("0.01"))


def test_without_a_rate_declared_yuan_stay_and_dollars_are_unknown_not_zero(bureau, row):
    bureau.files("E1", "2017-03", "item | partner | export\nSI2 | USA | 700", unit="CNY")
    bureau.files("E2", "2017-03", "item | partner | export\nSI2 | USA | 100", unit="USD")
    bureau.computes("2017-03", names=TOTALS)
    key = {"source": "direct_report", "measure": "exports", "scope": "all", "period": "month"}
    assert row("indicators.trade_total", "2017-03", currency_code="USD", **key).amount is None
    assert row("indicators.trade_total", "2017-03", currency_code="CNY", **key).amount is None
    assert row("core.service_trade", "2017-03", enterprise_code="E2").amount_usd == Decimal(100)


def test_a_subtotal_row_is_not_summed_beside_its_parts(bureau, rows):
    bureau.files(
        "E1",
        "2020-03",
        """
        item | partner | export
        SJ   | USA     | 100     # = 60 + 40
        SJ1  | USA     | 60
        SJ21 | USA     | 40
        """,
    )
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {("SJ1", "export"): Decimal(60), ("SJ21", "export"): Decimal(40)}


def test_a_parent_item_for_another_partner_or_flow_is_no_subtotal(bureau, rows):
    bureau.files(
        "E1",
        "2020-03",
        """
        item | partner | export | import
        SJ   | JPN     | 100    | 5
        SJ1  | USA     | 60     |
        """,
    )
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {
        ("SJ", "export"): Decimal(100),
        ("SJ", "import"): Decimal(5),
        ("SJ1", "export"): Decimal(60),
    }


def test_a_parent_whose_listed_part_is_blank_keeps_its_own_figure(bureau, rows):
    bureau.files(
        "E1",
        "2020-03",
        """
        item | partner | export
        SJ   | USA     | 100
        SJ1  | USA     |        # listed, not filled in
        """,
    )
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {("SJ", "export"): Decimal(100)}


@pytest.mark.parametrize("mark", ["—", ".."])
def test_a_parent_whose_only_listed_part_has_no_figure_keeps_its_own(bureau, rows, mark):
    bureau.files("E1", "2020-03", f"item | partner | export\nSI | USA | 100\nSI1 | USA | {mark}")
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {("SI", "export"): Decimal(100)}


def test_a_dash_beside_a_part_with_a_figure_leaves_the_parent_a_subtotal(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export\nSI | USA | 100\nSI1 | USA | —\nSI2 | USA | 100")
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {("SI2", "export"): Decimal(100)}


def test_a_parent_with_a_withheld_part_stands_for_all_its_parts(bureau, rows):
    bureau.files(
        "E1",
        "2020-03",
        """
        item | partner | export
        SJ   | USA     | 100
        SJ1  | USA     | 60
        SJ2  | USA     | 40      # below a parent that is kept whole: not added, nor is what is below it
        SJ21 | USA     | ..
        SJ22 | USA     | 5
        SJ1  | JPN     | 7       # another partner is another matter
        """,
    )
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {("SJ", "export"): Decimal(100), ("SJ1", "export"): Decimal(7)}
    withheld = [line.item_code for line in rows("validated.service_trade_line") if line.is_withheld_leaf]
    assert withheld == []  # the figure above holds it


def test_a_parent_withheld_itself_leaves_its_given_parts_in_force(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export\nSJ | USA | ..\nSJ1 | USA | 60\nSJ21 | USA | ..")
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {("SJ1", "export"): Decimal(60)}
    withheld = [line.item_code for line in rows("validated.service_trade_line") if line.is_withheld_leaf]
    assert withheld == ["SJ21"]


def test_a_corrected_return_replaces_the_earlier_one_and_both_stay_as_filed(bureau, rows):
    first = bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 1000")
    second = bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 100")
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {("SI2", "export"): Decimal(100)}
    assert {line.submission_id for line in rows("raw.service_trade_line", "2020-03")} == {first, second}


@pytest.mark.parametrize("verdict", ["rejected", "queries"])
def test_a_return_not_accepted_counts_nowhere(bureau, rows, verdict):
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 1000", verdict=verdict)
    bureau.files("E2", "2020-03", "item | partner | export\nSI2 | USA | 1")
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {("SI2", "export"): Decimal(1)}


def test_a_rejected_correction_leaves_the_accepted_version_in_force(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 100")
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 1000000", verdict="rejected")
    bureau.computes("2020-03", names=LINES)
    assert amounts(rows, "2020-03") == {("SI2", "export"): Decimal(100)}


def test_every_line_says_in_which_cell_it_stands(bureau, row):
    submission = bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 100")
    bureau.computes("2020-03", names=LINES)
    assert row("core.service_trade", "2020-03").line_id == f"{submission}/服务进出口!C6"


def test_the_district_is_the_registers_of_that_month(bureau, row):
    bureau.register("E1", district="420106")
    bureau.enterprises[0]["to_month_start_date"] = Month.parse("2020-02").start_date
    bureau.register("E1", district="420111", since="2020-03")
    bureau.files("E1", "2020-02", "item | partner | export\nSI2 | USA | 1")
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 1")
    bureau.computes("2020-02", "2020-03", names=LINES)
    assert row("core.service_trade", "2020-02").district_code == "420106"
    assert row("core.service_trade", "2020-03").district_code == "420111"


def test_a_january_february_return_converts_at_the_mean_of_both_months(bureau, row):
    bureau.shares(
        "DM-3",
        """
        month   | currency_code | rate | per
        2020-01 | USD           | 6.8  | 1
        2020-02 | USD           | 7.2  | 1
        """,
    )
    bureau.files("E1", "2020年1-2月", "item | partner | export\nSI2 | USA | 100")
    bureau.computes("2020-01", "2020-02", names=LINES)
    line = row("core.service_trade")
    assert (str(line.month_start_date), line.amount_cny) == ("2020-02-01", Decimal(700))


def test_a_january_february_return_and_single_months_are_not_counted_twice_and_none_is_lost(bureau, rows):
    bureau.files("E1", "2020-01", "item | partner | export\nSI2 | USA | 10")
    bureau.files("E1", "2020年1-2月", "item | partner | export\nSI2 | USA | 30")  # filed last: it holds
    bureau.files("E2", "2020年1-2月", "item | partner | export\nSI2 | USA | 300")  # January would be lost
    bureau.files("E2", "2020-02", "item | partner | export\nSI2 | USA | 200")
    bureau.files("E3", "2020年1-2月", "item | partner | export\nSI2 | USA | 3000")  # February would be lost
    bureau.files("E3", "2020-01", "item | partner | export\nSI2 | USA | 1000")
    bureau.files("E4", "2020年1-2月", "item | partner | export\nSI2 | USA | 30000")
    bureau.files("E4", "2020-01", "item | partner | export\nSI2 | USA | 10000")  # both months filed last:
    bureau.files("E4", "2020-02", "item | partner | export\nSI2 | USA | 20000")  # they hold
    bureau.computes("2020-01", "2020-02", names=LINES)
    counted = {
        (line.enterprise_code, str(line.month_start_date)[:7]): line.amount_usd
        for line in rows("core.service_trade")
    }
    assert counted == {
        ("E1", "2020-02"): Decimal(30),
        ("E2", "2020-02"): Decimal(300),
        ("E3", "2020-02"): Decimal(3000),
        ("E4", "2020-01"): Decimal(10000),
        ("E4", "2020-02"): Decimal(20000),
    }
