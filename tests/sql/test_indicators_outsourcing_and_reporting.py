"""Service outsourcing as a parallel account, and who has reported."""

from __future__ import annotations

import pytest

OUTSOURCING = ("indicators.outsourcing",)


def test_offshore_and_onshore_and_the_three_kinds_add_up(bureau, rows, rates_of_seven):
    bureau.files(
        "E1",
        "2020-03",
        outsourcing="""
        contract_no | type | shore    | partner | contract_amount | executed | executed_cumulative | signed
        C1          | ITO  | offshore | USA     | 100             | 10       | 10                  | 2020-03-02
        C2          | BPO  | offshore | JPN     | 50              | 5        | 5                   | 2020-03-05
        C3          | KPO  | onshore  |         | 30              | 3        | 3                   | 2020-03-09
        """,
        unit="USD_10K",
    )
    bureau.computes("2020-03", names=OUTSOURCING)
    found = {
        (line.scope, line.outsourcing_type): int(line.amount)
        for line in rows(
            "indicators.outsourcing", "2020-03", measure="executed", period="month", currency_code="USD"
        )
    }
    assert found == {
        ("all", "all"): 180_000,
        ("all", "ITO"): 100_000,
        ("all", "BPO"): 50_000,
        ("all", "KPO"): 30_000,
        ("offshore", "all"): 150_000,
        ("offshore", "ITO"): 100_000,
        ("offshore", "BPO"): 50_000,
        ("onshore", "all"): 30_000,
        ("onshore", "KPO"): 30_000,
    }


def test_a_running_contract_is_executed_every_month_and_signed_once(bureau, row, rates_of_seven):
    for month, executed in {"2020-01": "10", "2020-02": "20"}.items():
        bureau.files(
            "E1",
            month,
            outsourcing=f"""
            contract_no | type | shore    | partner | contract_amount | executed | signed
            C1          | ITO  | offshore | USA     | 100             | {executed} | 2020-01-15
            """,
        )
    bureau.computes("2020-01", "2020-02", names=OUTSOURCING)
    key = {"scope": "offshore", "outsourcing_type": "all", "currency_code": "USD"}
    table = "indicators.outsourcing"
    assert row(table, "2020-02", measure="contract", period="month", **key).amount == 0
    contract = row(table, "2020-02", measure="contract", period="ytd", **key)
    assert (contract.amount, contract.contract_count) == (100, 1)
    assert row(table, "2020-02", measure="executed", period="ytd", **key).amount == 30


def test_a_contract_signed_last_year_and_first_listed_now_is_no_new_contract(bureau, row, rates_of_seven):
    bureau.files(
        "E1",
        "2020-01",
        outsourcing="""
        contract_no | type | shore    | contract_amount | executed | signed
        C1          | ITO  | offshore | 100             | 10       | 2019-11-15
        """,
    )
    bureau.computes("2020-01", names=OUTSOURCING)
    key = {"scope": "offshore", "outsourcing_type": "all", "currency_code": "USD", "period": "month"}
    assert row("indicators.outsourcing", "2020-01", measure="contract", **key).amount == 0
    assert row("indicators.outsourcing", "2020-01", measure="executed", **key).amount == 10


def test_offshore_execution_is_not_added_to_services_exports(bureau, row, rates_of_seven):
    bureau.files(
        "E1",
        "2020-01",
        "item | partner | export\nSI2 | USA | 10",
        outsourcing="contract_no | type | shore | contract_amount | executed\nC1 | ITO | offshore | 100 | 10",
    )
    bureau.computes("2020-01", names=("indicators.trade_total",))
    total = row(
        "indicators.trade_total", "2020-01", source="direct_report", measure="exports", scope="all", period="month",
        currency_code="USD",
    )  # fmt: skip
    assert total.amount == 10


def test_no_contract_at_all_is_silence(bureau, rows, rates_of_seven):
    bureau.files("E1", "2020-01", "item | partner | export\nSI2 | USA | 10")
    bureau.computes("2020-01", names=OUTSOURCING)
    assert rows("indicators.outsourcing", "2020-01") == []


def test_every_expected_enterprise_is_in_exactly_one_state(bureau, row):
    bureau.register("A", "B", "C", "D", "E", "F", district="420106")
    bureau.files("A", "2020-03", "item | partner | export\nSI2 | USA | 1")
    bureau.files("B", "2020-03", is_zero=True)
    bureau.files("C", "2020-03", "item | partner | export\nSI2 | USA | 1", verdict="queries", is_late=True)
    bureau.files("D", "2020-03", "item | partner | export\nSI2 | USA | 1", verdict="rejected")
    bureau.files("E", "2020-03", "item | partner | export\nSI2 | USA | 1", verdict="rejected")
    bureau.files("E", "2020-03", "item | partner | export\nSI2 | USA | 1", is_late=True)  # corrected later
    bureau.computes("2020-03", names=("indicators.reporting",))
    for district in ("420106", "all"):
        found = row("indicators.reporting", "2020-03", district_code=district)
        assert (found.expected_count, found.filed_count, found.not_filed_count) == (6, 5, 1)
        assert (found.accepted_count, found.queried_count, found.rejected_count) == (3, 1, 1)
        assert (found.zero_return_count, found.late_count) == (1, 1)  # E first filed in time
        assert found.response_rate_pct == pytest.approx(100 * 5 / 6)
        assert found.acceptance_rate_pct == pytest.approx(60)


def test_an_accepted_return_stays_accepted_while_its_correction_is_queried(bureau, row):
    bureau.files("A", "2020-03", "item | partner | export\nSI2 | USA | 1")
    bureau.files("A", "2020-03", "item | partner | export\nSI2 | USA | 900", verdict="queries")
    bureau.computes("2020-03", names=("indicators.reporting",))
    found = row("indicators.reporting", "2020-03", district_code="all")
    assert (found.accepted_count, found.queried_count) == (1, 0)


def test_only_enterprises_on_the_register_in_that_month_are_expected(bureau, row):
    bureau.register("A")
    bureau.register("B", since="2020-04")
    bureau.computes("2020-03", "2020-04", names=("indicators.reporting",))
    assert row("indicators.reporting", "2020-03", district_code="all").expected_count == 1
    assert row("indicators.reporting", "2020-04", district_code="all").expected_count == 2


def test_a_january_february_return_is_a_return_for_both_months(bureau, row):
    bureau.files("A", "2020年1-2月", is_zero=True)
    bureau.computes("2020-01", "2020-02", names=("indicators.reporting",))
    for month in ("2020-01", "2020-02"):
        found = row("indicators.reporting", month, district_code="all")
        assert (found.filed_count, found.accepted_count, found.not_filed_count) == (1, 1, 0)


def test_coverage_is_direct_reports_over_safe_for_the_whole_city_only(bureau, row, rates_of_seven):
    bureau.register("A", district="420106")
    bureau.files("A", "2020-03", "item | partner | export\nSI2 | USA | 30")
    bureau.shares("DM-1", "month | item_code | credit | debit\n2020-03 | S | 20 | 20", unit="USD")
    bureau.computes("2020-03", names=("indicators.reporting",))
    assert row("indicators.reporting", "2020-03", district_code="all").coverage_pct == pytest.approx(75)
    assert row("indicators.reporting", "2020-03", district_code="420106").coverage_pct is None


def test_a_new_contract_without_a_value_does_not_blank_the_city(bureau, row, rates_of_seven):
    bureau.files(
        "E1",
        "2020-01",
        outsourcing="""
        contract_no | type | shore    | contract_amount | executed
        C1          | ITO  | offshore | 100             | 10
        C2          | ITO  | offshore |                 | 5
        C3          | BPO  | offshore | ..              | ..
        """,
    )
    bureau.computes("2020-01", names=OUTSOURCING)
    for kind, contract in (("ITO", 100), ("all", 100)):
        key = {"scope": "all", "outsourcing_type": kind, "currency_code": "USD", "period": "month"}
        assert row("indicators.outsourcing", "2020-01", measure="contract", **key).amount == contract
        assert row("indicators.outsourcing", "2020-01", measure="executed", **key).amount == 15


def test_an_amount_without_a_rate_makes_outsourcing_unknown_and_not_smaller(bureau, row, rates_of_seven):
    contracts = "contract_no | type | shore | contract_amount | executed\nC1 | ITO | offshore | 100 | 10"
    bureau.files("E1", "2020-01", outsourcing=contracts, unit="USD")
    bureau.files("E2", "2020-01", outsourcing=contracts, unit="GBP_1M")  # no rate of sterling was filed
    bureau.computes("2020-01", names=OUTSOURCING)
    key = {"scope": "all", "outsourcing_type": "all", "currency_code": "USD", "period": "month"}
    assert row("indicators.outsourcing", "2020-01", measure="contract", **key).amount is None
    assert row("indicators.outsourcing", "2020-01", measure="executed", **key).amount is None


def test_contracts_without_a_number_each_count(bureau, row, rates_of_seven):
    bureau.files(
        "E1",
        "2020-01",
        outsourcing="""
        contract_no | type | shore    | contract_amount | executed
                    | ITO  | offshore | 100             | 10
                    | ITO  | offshore | 50              | 5
        """,
    )
    bureau.computes("2020-01", names=OUTSOURCING)
    key = {"scope": "all", "outsourcing_type": "all", "currency_code": "USD", "period": "month"}
    contract = row("indicators.outsourcing", "2020-01", measure="contract", **key)
    assert (contract.amount, contract.contract_count) == (150, 2)
