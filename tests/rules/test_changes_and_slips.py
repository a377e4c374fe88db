"""Questions about the size of an amount: change (Q1), repetition (Q2), slips (Q3), falling silent (Q5)."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.findings import Severity


def history(bureau: Any, *amounts: str, last: str = "2020-03", unit: str = "USD_10K") -> None:
    """Accepted months up to `last`, one line of exports to the United States."""
    year, month = map(int, last.split("-"))
    for age, amount in enumerate(reversed(amounts)):
        ordinal = year * 12 + month - 1 - age
        bureau.file(
            f"{ordinal // 12}-{ordinal % 12 + 1:02d}",
            f"item | partner | export\nSJ35 | USA | {amount}",
            is_accepted=True,
            unit=unit,
        )


def now(bureau: Any, amount: str, remark: str = "", **options: Any) -> list[str]:
    bureau.file("2020-04", f"item | partner | export | remark\nSJ35 | USA | {amount} | {remark}", **options)
    return sorted(found.rule for found in bureau.findings("2020-04"))


@pytest.mark.parametrize(
    ("amount", "rules"),
    [("250.30", []), ("250.31", ["Q1a"]), ("40.05", []), ("40.04", ["Q1a"]), ("0", ["Q1a"]), ("", [])],
)
def test_a_change_on_last_month_is_asked_about_beyond_its_bounds(
    bureau: Any, amount: str, rules: list[str]
) -> None:
    history(bureau, "100.12")
    assert now(bureau, amount) == rules


def test_below_the_floor_a_ratio_says_nothing(bureau: Any) -> None:
    history(bureau, "1.12")
    assert now(bureau, "3.99") == []
    assert now(bureau, "9.99") == []


def test_a_change_is_measured_in_dollars_when_the_unit_changed(bureau: Any) -> None:
    for month in ("2020-03", "2020-04"):
        bureau.rate(month, "7.0")
    history(bureau, "100.12")
    assert now(bureau, "707.13", unit="CNY_10K") == [
        "Q13"
    ]  # asked about the unit alone: the amount is as before


def test_without_a_rate_yuan_and_dollars_are_not_compared(bureau: Any) -> None:
    history(bureau, "100.12")
    assert now(bureau, "9999.99", unit="CNY_10K") == ["Q13"]


def test_last_year_is_asked_about_only_where_last_month_is_silent(bureau: Any) -> None:
    history(bureau, "100.12", last="2019-04")
    assert now(bureau, "300.12") == ["Q1b"]
    history(bureau, "101.12", last="2020-03")
    assert now(bureau, "300.13") == ["Q1a", "Q1a"]  # two returns by now, each asked once


def test_an_explained_change_is_info(bureau: Any) -> None:
    history(bureau, "100.12")
    now(bureau, "300.12", remark="新签大合同")
    [found] = bureau.findings("2020-04")
    assert (found.rule, found.severity) == ("Q1a", Severity.INFO)


@pytest.mark.parametrize("factor", [10, 100, 1000, 10000, 6.6, 7.2, 0.1, 0.01, 0.001, 1 / 7])
def test_a_slip_is_suspected_once_and_not_called_a_change_as_well(bureau: Any, factor: float) -> None:
    history(bureau, "990.12", "1010.13", "1000.14", "985.15")
    assert now(bureau, f"{1003.33 * factor:.4f}") == ["Q3"]


@pytest.mark.parametrize(("factor", "rules"), [(3.0, ["Q1a"]), (4.3, ["Q1a"]), (35.0, ["Q1a"]), (1.2, [])])
def test_what_is_no_slip_is_at_most_a_change(bureau: Any, factor: float, rules: list[str]) -> None:
    history(bureau, "990.12", "1010.13", "1000.14", "985.15")
    assert now(bureau, f"{1003.33 * factor:.2f}") == rules


@pytest.mark.parametrize(
    ("factor", "kind", "suggestion"),
    [
        (10000, "计量单位或小数点", "1,003.33"),
        (7.0, "币种（元与美元）", "1,003.33"),
        (0.01, "计量单位或小数点", "1,003"),
    ],
)
def test_a_slip_comes_with_a_suggestion_that_nobody_applies(
    bureau: Any, factor: float, kind: str, suggestion: str
) -> None:
    bureau.rate("2020-04", "7.0")
    history(bureau, "990.12", "1010.13", "1000.14", "985.15")
    now(bureau, f"{1003.33 * factor:.2f}")
    [found] = bureau.findings("2020-04")
    assert f"疑为{kind}误填；若是，应为 {suggestion}" in found.message.zh
    amount = bureau.connection.execute("select amount from checks.service_trade_line").fetchone()[0]
    assert amount == pytest.approx(1003.33 * factor, abs=0.01)


def test_one_odd_month_does_not_spoil_the_history(bureau: Any) -> None:
    history(bureau, "990.12", "1010.13", "100014.15", "985.15")
    assert now(bureau, "1003.33") == []
    assert now(bureau, "100333.00")[0] == "Q3"


def test_a_level_that_was_accepted_last_month_is_no_slip(bureau: Any) -> None:
    history(bureau, "100.12", "100.13", "100.14", "1000.15")
    assert now(bureau, "1010.12") == []


def test_a_season_that_was_accepted_last_year_is_no_slip(bureau: Any) -> None:
    history(bureau, "1000.12", "100.13", "100.14", "100.15", last="2019-07")
    assert now(bureau, "1010.12") == []


def test_a_line_without_history_is_measured_by_its_flow_when_it_makes_most_of_it(bureau: Any) -> None:
    history(bureau, "100.12", "100.13")
    bureau.file("2020-04", "item | partner | export\nSJ1 | JPN | 1001000.00")
    assert bureau.asked("2020-04") == {("Q3", "D11")}


def test_the_same_round_figure_is_not_asked_about(bureau: Any) -> None:
    history(bureau, "1200")
    assert now(bureau, "1200") == []


def test_a_copied_row_is_one_question(bureau: Any) -> None:
    rows = "item | partner | export | import\nSJ35 | USA | 100.12 | 50.13\nSJ1 | USA | 77.77 |"
    bureau.file("2020-03", rows, is_accepted=True)
    bureau.file("2020-04", rows)
    assert bureau.asked("2020-04") == {("Q2b", "D11"), ("Q2a", "D12")}


def test_a_sum_that_comes_out_the_same_by_chance_is_not_asked_about(bureau: Any) -> None:
    bureau.file(
        "2020-03",
        "item | partner | export\nSJ | USA | 30.45\nSJ1 | USA | 10.12\nSJ35 | USA | 20.33",
        is_accepted=True,
    )
    bureau.file("2020-04", "item | partner | export\nSJ | USA | 30.45\nSJ1 | USA | 11.13\nSJ35 | USA | 19.32")
    assert bureau.asked("2020-04") == set()


def test_a_row_copied_with_its_year_to_date_breaks_the_sum_too(bureau: Any) -> None:
    row = "item | partner | export | export_ytd\nSJ35 | USA | 100.12 | 250.13"
    bureau.file("2020-03", row, is_accepted=True)
    bureau.file("2020-04", row)
    assert bureau.asked("2020-04") == {("Q2b", "D11"), ("H2", "E11")}


def test_zero_after_twelve_months_is_one_question_and_after_eleven_a_change(bureau: Any) -> None:
    months = [f"{100 + number}.12" for number in range(12)]
    history(bureau, *months)
    assert now(bureau, "0") == ["Q5c"]
    bureau.connection.execute("delete from raw.submission where month_start_date = date '2019-04-01'")
    assert now(bureau, "0") == ["Q1a", "Q1a"]


def test_a_negative_refund_is_asked_about_but_not_refused(bureau: Any) -> None:
    assert now(bureau, "-5.12", remark="退款") == ["H5b"]
    assert [found.severity for found in bureau.findings("2020-04")] == [Severity.WARNING]
    assert now(bureau, "-5.13", remark="设备退役服务")[0] == "H5"


def test_a_row_listed_twice_is_not_set_against_one_figure(bureau: Any) -> None:
    history(bureau, "100.12")
    bureau.file(
        "2020-04", "item | partner | export | export_ytd\nSJ35 | USA | 400.12 | 1\nSJ35 | USA | 100.12 | 2"
    )
    assert bureau.asked("2020-04") == {("Q9", "A12")}


def test_an_enormous_amount_is_refused_and_no_crash(bureau: Any) -> None:
    history(bureau, "100.12")
    assert now(bureau, "9" * 20, total={"export": "9" * 20}) == ["H9a"]
