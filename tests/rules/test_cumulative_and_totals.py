"""Sums of a return: since January (H2), printed totals (H3), items above items (H4b)."""

from __future__ import annotations

from typing import Any

import pytest


def file_line(bureau: Any, month: str, amount: str, ytd: str, **options: Any) -> None:
    is_accepted = options.pop("is_accepted", month != "2020-04")
    row = f"item | partner | export | export_ytd\nSJ35 | USA | {amount} | {ytd}"
    bureau.file(month, row, is_accepted=is_accepted, **options)


def gaps(bureau: Any, month: str = "2020-04") -> list[tuple[str, str]]:
    return sorted(asked for asked in bureau.asked(month) if asked[0] == "H2")


def test_in_january_the_year_to_date_is_the_month(bureau: Any) -> None:
    file_line(bureau, "2019-12", "7.77", "99.99")
    file_line(bureau, "2020-01", "5.25", "105.24", is_accepted=False)
    assert gaps(bureau, "2020-01") == [("H2", "E11")]


def test_one_unit_of_the_last_digit_is_rounding_and_two_are_not(bureau: Any) -> None:
    file_line(bureau, "2020-03", "5.25", "15.25")
    file_line(bureau, "2020-04", "1.50", "16.76")
    assert gaps(bureau) == []
    bureau.connection.execute("update raw.service_trade_line set ytd_amount = 16.77 where ytd_amount = 16.76")
    assert gaps(bureau) == [("H2", "E11")]


def test_without_last_months_acceptance_nobody_can_say(bureau: Any) -> None:
    file_line(bureau, "2020-03", "5.25", "15.25", is_accepted=False)
    file_line(bureau, "2020-04", "1.50", "99.99")
    assert gaps(bureau) == []


def test_a_row_that_rested_is_compared_with_its_latest_month_of_the_year(bureau: Any) -> None:
    file_line(bureau, "2020-02", "5.25", "15.25")
    bureau.file("2020-03", "item | partner | export | export_ytd\nSJ1 | USA | 1.11 | 1.11", is_accepted=True)
    file_line(bureau, "2020-04", "1.50", "17.76")
    assert gaps(bureau) == [("H2", "E11")]


def test_a_row_that_rested_over_a_month_not_accepted_is_not_judged(bureau: Any) -> None:
    file_line(bureau, "2020-02", "5.25", "15.25")
    file_line(bureau, "2020-04", "1.50", "17.76")
    assert gaps(bureau) == []


def test_a_new_row_starts_from_nothing_once_every_month_is_accepted(bureau: Any) -> None:
    for month in ("2020-01", "2020-02", "2020-03"):
        bureau.file(month, "item | partner | export\nSJ1 | USA | 1.11", is_accepted=True)
    file_line(bureau, "2020-04", "1.50", "17.76")
    assert gaps(bureau) == [("H2", "E11")]


def test_january_and_february_filed_together_carry_into_march(bureau: Any) -> None:
    file_line(bureau, "2020-02", "20.25", "20.25", period_kind="months_1_2")
    file_line(bureau, "2020-03", "5.25", "25.51", is_accepted=False)
    assert gaps(bureau, "2020-03") == []
    bureau.connection.execute("update raw.service_trade_line set ytd_amount = 30.51 where ytd_amount = 25.51")
    assert gaps(bureau, "2020-03") == [("H2", "E11")]


def test_a_change_of_unit_within_the_currency_is_followed(bureau: Any) -> None:
    file_line(bureau, "2020-03", "5.25", "15.25")
    file_line(bureau, "2020-04", "15000", "167500", unit="USD")
    assert gaps(bureau) == []
    bureau.connection.execute(
        "update raw.service_trade_line set ytd_amount = 168000 where ytd_amount = 167500"
    )
    assert gaps(bureau) == [("H2", "E11")]


def test_a_change_of_currency_is_not_judged(bureau: Any) -> None:
    file_line(bureau, "2020-03", "5.25", "15.25")
    file_line(bureau, "2020-04", "10.5", "999.9", unit="CNY_10K")
    assert gaps(bureau) == []


@pytest.mark.parametrize(("amount", "ytd"), [("..", "15.25"), ("1.50", ".."), ("", "99"), ("1.5", "")])
def test_withheld_and_blank_are_not_judged(bureau: Any, amount: str, ytd: str) -> None:
    file_line(bureau, "2020-03", "5.25", "15.25")
    file_line(bureau, "2020-04", amount, ytd)
    assert gaps(bureau) == []


def test_a_corrected_month_before_is_the_one_compared_with(bureau: Any) -> None:
    file_line(bureau, "2020-03", "5.25", "15.25", is_accepted=False)
    file_line(bureau, "2020-03", "6.25", "16.25")
    file_line(bureau, "2020-04", "1.50", "17.75")
    assert gaps(bureau) == []


def totals(bureau: Any, *, rows: str, total: str) -> set[tuple[str, str]]:
    bureau.file("2020-04", f"item | partner | export\n{rows}", total={"export": total})
    return {asked for asked in bureau.asked("2020-04") if asked[0] in ("H3", "H4b")}


@pytest.mark.parametrize(
    ("total", "is_asked"), [("6.00", False), ("6.01", False), ("5.99", False), ("6.02", True), ("5.98", True)]
)
def test_three_rows_may_differ_from_their_total_by_three_half_digits(
    bureau: Any, total: str, is_asked: bool
) -> None:
    found = totals(bureau, rows="SJ1 | USA | 1.25\nSJ2 | USA | 2.25\nSJ35 | USA | 2.50", total=total)
    assert found == ({("H3", "D40")} if is_asked else set())


def test_an_item_above_others_is_not_added_twice(bureau: Any) -> None:
    assert totals(bureau, rows="SJ | USA | 3.75\nSJ1 | USA | 1.25\nSJ35 | USA | 2.50", total="3.75") == set()
    found = totals(bureau, rows="SJ | USA | 3.75\nSJ1 | USA | 1.25\nSJ35 | USA | 2.50", total="7.50")
    assert found == {("H3", "D40")}


def test_an_item_of_another_partner_is_no_part_of_this_one(bureau: Any) -> None:
    assert totals(bureau, rows="SJ | USA | 3.75\nSJ1 | JPN | 1.25", total="5.00") == set()


def test_grandchildren_count_for_the_nearest_listed_item(bureau: Any) -> None:
    rows = "SJ | USA | 5.00\nSJ2 | USA | 4.00\nSJ211 | USA | 1.50\nSJ212 | USA | 2.50\nSJ1 | USA | 1.00"
    assert totals(bureau, rows=rows, total="5.00") == set()
    assert totals(bureau, rows=rows.replace("SJ212 | USA | 2.50", "SJ212 | USA | 2.57"), total="5.07") == {
        ("H4b", "D12")
    }


def test_a_total_over_a_withheld_row_is_not_judged(bureau: Any) -> None:
    assert totals(bureau, rows="SJ1 | USA | ..\nSJ35 | USA | 2.50", total="9.99") == set()


def test_a_total_without_any_row_is_asked_about_unless_it_is_zero(bureau: Any) -> None:
    bureau.file("2020-04", "", total={"export": "9.99"})
    assert ("H3", "D40") in bureau.asked("2020-04")
    bureau.connection.execute("update raw.service_trade_total set amount = 0")
    assert bureau.asked("2020-04") == set()


@pytest.mark.parametrize(("amount", "ytd"), [("—", "500"), ("—", "15.27"), ("1.50", "—")])
def test_a_month_that_is_not_applicable_counts_as_nothing_and_still_adds_up(
    bureau: Any, amount: str, ytd: str
) -> None:
    file_line(bureau, "2020-03", "5.25", "15.25")
    file_line(bureau, "2020-04", amount, ytd)
    assert gaps(bureau) == [("H2", "E11")]


def test_a_month_that_is_not_applicable_leaves_the_year_to_date_where_it_was(bureau: Any) -> None:
    file_line(bureau, "2020-03", "5.25", "15.25")
    file_line(bureau, "2020-04", "—", "15.25")
    assert gaps(bureau) == []


def test_a_not_applicable_row_adds_nothing_and_does_not_excuse_the_total(bureau: Any) -> None:
    assert totals(bureau, rows="SJ1 | USA | —\nSJ35 | USA | 2.50", total="2.50") == set()
    assert totals(bureau, rows="SJ1 | USA | —\nSJ35 | USA | 2.50", total="999.99") == {("H3", "D40")}


def test_a_not_applicable_child_adds_nothing_and_does_not_excuse_its_parent(bureau: Any) -> None:
    rows = "SJ | USA | 100\nSJ1 | USA | 20\nSJ35 | USA | —"
    assert ("H4b", "D11") in totals(bureau, rows=rows, total="20")


def test_children_that_are_all_not_applicable_do_not_make_a_subtotal(bureau: Any) -> None:
    rows = "SJ | USA | 100\nSJ1 | USA | —\nSJ35 | USA | —"
    assert totals(bureau, rows=rows, total="100") == set()
    assert totals(bureau, rows=rows, total="0") == {("H3", "D40")}


def test_over_a_withheld_child_the_parent_stands_for_its_children(bureau: Any) -> None:
    rows = "SJ | USA | 100\nSJ1 | USA | 20\nSJ35 | USA | ..\nSC | USA | 5"
    assert totals(bureau, rows=rows, total="105") == set()
    assert totals(bureau, rows=rows, total="25") == {("H3", "D40")}


def test_withheld_children_cannot_bring_the_others_below_their_parent(bureau: Any) -> None:
    rows = "SJ | USA | 100\nSJ1 | USA | 120\nSJ35 | USA | .."
    assert totals(bureau, rows=rows, total="100") == {("H4b", "D11")}


def test_a_subtotal_of_the_month_may_be_a_leaf_of_the_year_to_date(bureau: Any) -> None:
    rows = "item | partner | export | export_ytd\nSJ | USA | 20 | 100\nSJ1 | USA | 20 |"
    bureau.file("2020-04", rows, total={"export": "20", "export_ytd": "100"})
    assert {asked for asked in bureau.asked("2020-04") if asked[0] == "H3"} == set()


def test_a_not_applicable_total_over_rows_counts_as_nothing(bureau: Any) -> None:
    assert totals(bureau, rows="SJ35 | USA | —", total="—") == set()
    assert totals(bureau, rows="SJ35 | USA | 100", total="—") == {("H3", "D40")}


def test_a_withheld_row_cannot_bring_the_others_below_the_total(bureau: Any) -> None:
    assert totals(bureau, rows="SJ1 | USA | ..\nSJ35 | USA | 2.50", total="2.50") == set()
    assert totals(bureau, rows="SJ1 | USA | ..\nSJ35 | USA | 2.50", total="2.40") == {("H3", "D40")}
    bureau.file(
        "2020-04", "item | partner | import\nSF2 | USA | ..\nSJ35 | USA | 2.50", total={"import": "2.40"}
    )
    assert ("H3", "F40") not in bureau.asked("2020-04")  # insurance may pay back more than it takes in


def test_a_not_applicable_contract_does_not_excuse_the_total_of_outsourcing(bureau: Any) -> None:
    contracts = "contract | executed\nC1 | 10\nC2 | —"
    bureau.file("2020-04", "", contracts, contract_total={"executed": "999"})
    assert ("H3", "F40") in bureau.asked("2020-04")


def test_an_item_listed_twice_adds_up_over_both_rows(bureau: Any) -> None:
    head = "item | partner | export | export_ytd\n"
    bureau.file("2020-03", head + "SJ35 | USA | 5.25 | 15.25", is_accepted=True)
    bureau.file("2020-04", head + "SJ35 | USA | 1.50 | 10.50\nSJ35 | USA | 1.00 | 7.25")
    assert gaps(bureau) == []
    bureau.connection.execute("update raw.service_trade_line set ytd_amount = 9.25 where ytd_amount = 7.25")
    assert gaps(bureau) == [("H2", "E11")]


def test_an_item_listed_twice_last_month_is_carried_as_its_sum(bureau: Any) -> None:
    head = "item | partner | export | export_ytd\n"
    bureau.file("2020-03", head + "SJ35 | USA | 5.25 | 10.25\nSJ35 | USA | 1.00 | 5.00", is_accepted=True)
    file_line(bureau, "2020-04", "1.50", "18.75")
    assert gaps(bureau) == [("H2", "E11")]


def test_both_cells_of_an_item_listed_twice_are_named(bureau: Any) -> None:
    bureau.file("2020-04", "item | partner | export\nSJ35 | USA | 1.50\nSJ35 | USA | 2.50")
    [found] = [found for found in bureau.findings("2020-04") if found.rule == "Q9"]
    assert "A11" in found.message.zh
    assert "A12" in found.message.zh
    assert "A11" in found.message.en
    assert "A12" in found.message.en


@pytest.mark.parametrize(
    ("remark", "rule"),
    [
        ("冲绳客户", "H5"),
        ("退休金服务", "H5"),
        ("客户退款", "H5b"),
        ("红冲上月发票", "H5b"),
        ("Refund to client", "H5b"),
    ],
)
def test_only_the_words_of_a_refund_let_a_negative_amount_be_asked_about(
    bureau: Any, remark: str, rule: str
) -> None:
    bureau.file("2020-04", f"item | partner | export | remark\nSJ35 | USA | -5 | {remark}")
    [found] = [found for found in bureau.findings("2020-04") if found.rule in ("H5", "H5b")]
    assert found.rule == rule


def test_a_refund_is_confirmed_by_an_officer_and_not_by_its_own_remark(bureau: Any) -> None:
    bureau.file("2020-04", "item | partner | export | remark\nSJ35 | USA | -5 | 客户退款")
    [found] = [found for found in bureau.findings("2020-04") if found.rule == "H5b"]
    assert found.severity.value == "warning"


def test_a_partner_that_was_not_recognised_is_not_taken_for_a_new_one(bureau: Any) -> None:
    for month, ytd in (("2020-01", "5.25"), ("2020-02", "10.50"), ("2020-03", "15.75")):
        file_line(bureau, month, "5.25", ytd)
    bureau.file("2020-04", "item | partner | export | export_ytd\nSJ35 | | 1.50 | 17.25")
    assert gaps(bureau) == []


@pytest.mark.parametrize(("month", "period_kind"), [("2020-01", "month"), ("2020-02", "months_1_2")])
def test_what_begins_in_january_is_not_told_of_a_month_before(
    bureau: Any, month: str, period_kind: str
) -> None:
    file_line(bureau, month, "5.25", "15.25", is_accepted=False, period_kind=period_kind)
    [found] = [found for found in bureau.findings(month) if found.rule == "H2"]
    assert "累计等于本期数，应为 5.25" in found.message.zh
    assert "the cumulative figure equals the period's own, 5.25" in found.message.en


def test_from_february_on_the_sum_names_both_of_its_parts(bureau: Any) -> None:
    file_line(bureau, "2020-03", "5.25", "1015.25")
    file_line(bureau, "2020-04", "1.50", "99.00")
    [found] = [found for found in bureau.findings("2020-04") if found.rule == "H2"]
    assert "上月累计 1,015.25 加本月 1.5 应为 1,016.75" in found.message.zh
    assert "last month's 1,015.25 plus this month's 1.5 is 1,016.75" in found.message.en
