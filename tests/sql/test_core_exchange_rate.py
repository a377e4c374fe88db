"""Average rates of the month: from daily parities, from monthly averages, in both directions."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal

import pytest

TABLE = ("core.exchange_rate",)


def test_daily_parities_become_the_mean_of_the_month(bureau, row):
    bureau.shares(
        "DM-3",
        """
        day        | currency_code | rate   | per
        2020-03-02 | USD           | 6.9811 | 1
        2020-03-03 | USD           | 6.9516 | 1
        2020-03-04 | USD           | 6.9514 | 1
        2020-04-01 | USD           | 7.0771 | 1
        """,
    )
    bureau.computes(names=TABLE)
    march = row("core.exchange_rate", currency_code="USD", quote_count=3)
    assert march.cny_per_unit == Decimal("6.96136667")  # (6.9811 + 6.9516 + 6.9514) / 3
    assert march.usd_per_unit == 1


def test_a_rate_for_a_hundred_units_is_a_rate_for_one(bureau, row):
    bureau.shares(
        "DM-3",
        """
        month   | currency_code | rate   | per
        2020-03 | USD           | 700    | 100
        2020-03 | JPY           | 6.5    | 100
        """,
    )
    bureau.computes(names=TABLE)
    yen = row("core.exchange_rate", currency_code="JPY")
    assert yen.cny_per_unit == Decimal("0.065")
    assert yen.usd_per_unit == Decimal("0.0092857142857143")  # 0.065 / 7


def test_yuan_have_a_dollar_rate_too(bureau, row):
    bureau.shares("DM-3", "month | currency_code | rate | per\n2020-03 | USD | 8 | 1")
    bureau.computes(names=TABLE)
    yuan = row("core.exchange_rate", currency_code="CNY")
    assert (yuan.cny_per_unit, yuan.usd_per_unit) == (1, Decimal("0.125"))


def test_a_filed_monthly_average_goes_before_the_mean_of_days(bureau, row):
    bureau.shares(
        "DM-3", "day | currency_code | rate | per\n2020-03-02 | USD | 6.9 | 1\n2020-03-03 | USD | 6.8 | 1"
    )
    bureau.shares("DM-3", "month | currency_code | rate | per\n2020-03 | USD | 7.0119 | 1")
    bureau.computes(names=TABLE)
    assert row("core.exchange_rate", currency_code="USD").cny_per_unit == Decimal("7.0119")


def test_a_day_filed_twice_counts_once_and_as_filed_last(bureau, row):
    bureau.shares(
        "DM-3", "day | currency_code | rate | per\n2020-03-02 | USD | 69.0 | 1\n2020-03-03 | USD | 7.0 | 1"
    )
    bureau.shares("DM-3", "day | currency_code | rate | per\n2020-03-02 | USD | 6.9 | 1")
    bureau.computes(names=TABLE)
    dollar = row("core.exchange_rate", currency_code="USD")
    assert (dollar.cny_per_unit, dollar.quote_count) == (Decimal("6.95"), 2)


def test_a_month_without_a_dollar_rate_has_no_yuan_row_and_no_dollar_values(bureau, rows):
    bureau.shares("DM-3", "month | currency_code | rate | per\n2020-03 | EUR | 7.8 | 1")
    bureau.computes(names=TABLE)
    [euro] = rows("core.exchange_rate")
    assert (euro.currency_code, euro.usd_per_unit) == ("EUR", None)


def test_monthly_means_of_safes_daily_parity_are_the_published_ones(bureau, rows, shared):
    with (shared / "real" / "safe_usd_cny_mid_daily.csv").open(encoding="utf-8") as file:
        days = list(csv.DictReader(file))
    bureau.shares(
        "DM-3",
        "day | currency_code | rate | per\n"
        + "\n".join(f"{day['date']} | USD | {day['usd_cny']} | 1" for day in days),
    )
    bureau.computes(names=TABLE)
    with (shared / "reference" / "usd_cny_monthly_avg_derived.csv").open(encoding="utf-8") as file:
        expected = {line["month"]: line for line in csv.DictReader(file)}
    computed = {
        str(rate.month_start_date)[:7]: rate for rate in rows("core.exchange_rate", currency_code="USD")
    }
    assert set(computed) == set(expected)
    for month, rate in computed.items():
        assert rate.cny_per_unit.quantize(Decimal("0.0001")) == Decimal(expected[month]["usd_cny_avg"]), month
        assert rate.quote_count == int(expected[month]["n_days"]), month


def test_the_mean_is_exact_to_eight_decimals(bureau, rows, shared):
    with (shared / "real" / "safe_usd_cny_mid_daily.csv").open(encoding="utf-8") as file:
        days = list(csv.DictReader(file))
    bureau.shares(
        "DM-3",
        "day | currency_code | rate | per\n"
        + "\n".join(f"{day['date']} | EUR | {day['eur_per100']} | 100" for day in days if day["eur_per100"]),
    )
    bureau.computes(names=TABLE)
    by_month = defaultdict(list)
    for day in days:
        if day["eur_per100"]:
            by_month[day["date"][:7]].append(Decimal(day["eur_per100"]) / 100)
    for rate in rows("core.exchange_rate", currency_code="EUR"):
        quotes = by_month[str(rate.month_start_date)[:7]]
        assert rate.cny_per_unit == pytest.approx(sum(quotes) / len(quotes), abs=Decimal("0.00000001"))


def test_a_rate_of_a_whole_year_is_not_januarys_average(bureau, rows):
    bureau.shares(
        "DM-3",
        "month | currency_code | rate | per\n2020 | USD | 6.9 | 1\n2020-Q1 | USD | 6.8 | 1\n2020-03 | USD | 7.1 | 1",
    )
    bureau.computes(names=("core.exchange_rate",))
    dollar = [rate for rate in rows("core.exchange_rate") if rate.currency_code == "USD"]
    assert [(str(rate.month_start_date), rate.cny_per_unit) for rate in dollar] == [
        ("2020-03-01", Decimal("7.1"))
    ]
