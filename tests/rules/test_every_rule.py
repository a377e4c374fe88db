"""Every rule of the book on returns has a sample that it stops and a sample that it lets pass.

A rule added to `expectations/` without a pair here fails `test_no_rule_is_without_samples`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.validation.rules import rule_book

Sample = Callable[[Any], object]
TWELVE = ("SA", "SB", "SC", "SD", "SE", "SF", "SG", "SH", "SI", "SJ", "SK", "SL")


def twelve_months(bureau: Any, amount: str = "100.12") -> None:
    """Twelve accepted months before 2020-03, each with the same line a little above the one before."""
    for position in range(12):
        month = f"{2019 + (position + 2) // 12}-{(position + 2) % 12 + 1:02d}"
        bureau.file(
            month, f"item | partner | export\nSJ35 | USA | {float(amount) + position:.2f}", is_accepted=True
        )


def one_line(amount: str, ytd: str = "", month: str = "2020-03", remark: str = "", **options: Any) -> Sample:
    """A return with one line of exports to the United States."""

    def filed(bureau: Any) -> None:
        bureau.file(
            month,
            f"item | partner | export | export_ytd | remark\nSJ35 | USA | {amount} | {ytd} | {remark}",
            **options,
        )

    return filed


def after(*samples: Sample) -> Sample:
    """Several returns, in order."""

    def filed(bureau: Any) -> None:
        for sample in samples:
            sample(bureau)

    return filed


def filed(rows: str = "", **options: Any) -> Sample:
    """A return of 2020-03."""
    return lambda bureau: bureau.file("2020-03", rows, **options)


def department(form_code: str, rows: str) -> Sample:
    """A departmental table."""
    return lambda bureau: bureau.file_department(form_code, rows)


def balance_of_payments(services: str, goods_and_services: str = "150", balance: str = "50") -> str:
    """DM-1 with twelve credits of 5 and goods of 90."""
    items = "\n".join(f"2020-03 | {item} | 5 | |" for item in TWELVE)
    return (
        f"month | item_code | credit | debit | balance\n{items}\n"
        f"2020-03 | S | {services} | |\n2020-03 | G | 90 | |\n2020-03 | GS | {goods_and_services} | 100 | {balance}"
    )


ONE_LINE = "item | partner | export\nSJ35 | USA | 100.12"
CONTRACT = "contract | contract_amount | executed | executed_cumulative\n"

# rule: (cell at which it asks, a sample that it stops, a sample that it lets pass)
SAMPLES: dict[str, tuple[str, Sample, Sample]] = {
    "H1a": ("B6", filed(ONE_LINE, code="91420100000000001X"), filed(ONE_LINE)),
    "H1b": ("B6", filed(ONE_LINE, code="914201000000000022"), filed(ONE_LINE)),
    "H2": (
        "E11",
        after(one_line("50.00", "150.25", "2020-02", is_accepted=True), one_line("51.10", "201.37")),
        after(one_line("50.00", "150.25", "2020-02", is_accepted=True), one_line("51.10", "201.36")),
    ),
    "H2b": (
        "G11",
        after(
            lambda bureau: bureau.file(
                "2020-02", "", CONTRACT + "C1 | 900 | 10.00 | 110.00", is_accepted=True
            ),
            filed("", contracts=CONTRACT + "C1 | 900 | 20.00 | 120.00"),
        ),
        after(
            lambda bureau: bureau.file(
                "2020-02", "", CONTRACT + "C1 | 900 | 10.00 | 110.00", is_accepted=True
            ),
            filed("", contracts=CONTRACT + "C1 | 900 | 20.00 | 130.00"),
        ),
    ),
    "H3": (
        "D40",
        filed(ONE_LINE, total={"export": "100.21"}),
        filed(ONE_LINE, total={"export": "100.12"}),
    ),
    "H4a": (
        "A11",
        filed("item | partner | export\nSX9 | USA | 100.12"),
        filed(ONE_LINE),
    ),
    "H4b": (
        "D11",
        filed("item | partner | export\nSJ | USA | 100.00\nSJ1 | USA | 60.00\nSJ35 | USA | 30.00"),
        filed("item | partner | export\nSJ | USA | 90.00\nSJ1 | USA | 60.00\nSJ35 | USA | 30.00"),
    ),
    "Q10": (
        "E11",
        after(one_line("50.00", "150.25", "2020-02", is_accepted=True), one_line("", "201.37")),
        after(one_line("50.00", "150.25", "2020-02", is_accepted=True), one_line("", "150.25")),
    ),
    "H4c": (
        "D12",
        filed("item | partner | export\nSJ35 | USA | 60.00\nSJ35 | W1 | 100.00"),
        filed("item | partner | export | import\nSJ35 | USA | 60.00 |\nSJ35 | W1 | — | 100.00"),
    ),
    "H4d": (
        "A11",
        filed("item | partner | export\nS | USA | 100.12"),
        filed("item | partner | export\nSA | USA | 100.12"),
    ),
    "H9a": ("D11", one_line("1000000000"), one_line("999999999.99")),
    "H9b": ("E11", one_line("", "1000000000"), one_line("", "999999999.99")),
    "Q9": (
        "A13",
        filed("item | partner | export\nSJ35 | USA | 60.00\nSJ35 | JPN | 5.00\nSJ35 | USA | 40.00"),
        filed("item | partner | export | import\nSJ35 | USA | 60.00 | —\nSJ35 | USA | — | 40.00"),
    ),
    "H5": ("D11", one_line("-3.00"), one_line("0")),
    "H5b": (
        "F11",
        filed("item | partner | import\nSF2 | DEU | -3.00"),
        filed("item | partner | import\nSF2 | DEU | 3.00"),
    ),
    "H5c": ("E11", one_line("", "-3.00"), one_line("", "3.00")),
    "H6": (
        "H11",
        filed("item | partner | export | export_remote\nSJ35 | USA | 5 | 100.5"),
        filed("item | partner | export | export_remote\nSJ35 | USA | 5 | 100"),
    ),
    "H7a": (
        "J6",
        filed(ONE_LINE, sheet_periods={"服务外包": "2020-02"}),
        filed(ONE_LINE, sheet_periods={"服务外包": "2020-03"}),
    ),
    "H7b": ("J6", filed(ONE_LINE, received="2020-02-28"), filed(ONE_LINE, received="2020-04-08")),
    "H7c": (
        "B8",
        filed(ONE_LINE, supersedes="an accepted one"),
        filed(ONE_LINE, supersedes="an accepted one", is_revision=True),
    ),
    "H7d": ("J6", filed(ONE_LINE, received="2020-03-30"), filed(ONE_LINE, received="2020-04-01")),
    "H7e": (
        "J6",
        after(
            one_line("5.00", month="2020-03", is_accepted=True),
            lambda bureau: bureau.connection.execute(
                "update raw.submission set period_kind = 'months_1_2', period_start_date = date '2020-02-01'"
            ),
            one_line("5.10"),
        ),
        after(one_line("5.00", month="2020-02", is_accepted=True), one_line("5.10")),
    ),
    "H8a": (
        "E11",
        filed("", contracts=CONTRACT + "C1 | 100.00 | 10.00 | 100.01"),
        filed("", contracts=CONTRACT + "C1 | 100.00 | 10.00 | 100.00"),
    ),
    "H8b": (
        "F11",
        filed("", contracts=CONTRACT + "C1 | 100.00 | 10.01 | 10.00"),
        filed("", contracts=CONTRACT + "C1 | 100.00 | 10.00 | 10.00"),
    ),
    "H8c": (
        "F40",
        filed(
            "",
            contracts="contract | shore | executed\nC1 | offshore | 10.00\nC2 | onshore | 5.00",
            contract_total={"executed": "8.00"},
        ),
        filed(
            "",
            contracts="contract | shore | executed\nC1 | offshore | 10.00\nC2 | onshore | 5.00",
            contract_total={"executed": "15.00"},
        ),
    ),
    "Q1a": (
        "D11",
        after(one_line("100.12", month="2020-02", is_accepted=True), one_line("300.00")),
        after(one_line("100.12", month="2020-02", is_accepted=True), one_line("200.00")),
    ),
    "Q1b": (
        "D11",
        after(one_line("100.12", month="2019-03", is_accepted=True), one_line("300.00")),
        after(one_line("100.12", month="2019-03", is_accepted=True), one_line("200.00")),
    ),
    "Q2a": (
        "D11",
        after(one_line("100.12", month="2020-02", is_accepted=True), one_line("100.12")),
        after(one_line("100.12", month="2020-02", is_accepted=True), one_line("100.13")),
    ),
    "Q2b": (
        "D11",
        lambda bureau: [
            bureau.file(
                month,
                "item | partner | export | import\nSJ35 | USA | 100.12 | 31.4",
                is_accepted=month < "2020-03",
            )
            for month in ("2020-02", "2020-03")
        ],
        lambda bureau: [
            bureau.file(
                month,
                f"item | partner | export | import\nSJ35 | USA | 100.12 | {imports}",
                is_accepted=month < "2020-03",
            )
            for month, imports in (("2020-02", "31.4"), ("2020-03", "29.9"))
        ],
    ),
    "Q3": (
        "D11",
        after(one_line("100.12", month="2020-02", is_accepted=True), one_line("1002000.00")),
        after(one_line("100.12", month="2020-02", is_accepted=True), one_line("110.00")),
    ),
    "Q4": (
        "B12",
        after(
            lambda bureau: bureau.rate("2020-03", "7.0"),
            one_line("100.00", "500.00", total={"export_ytd": "500.00"}, revenue="499"),
        ),
        after(
            lambda bureau: bureau.rate("2020-03", "7.0"),
            one_line("100.00", "500.00", total={"export_ytd": "500.00"}, revenue="501"),
        ),
    ),
    "Q5c": ("D11", after(twelve_months, one_line("0")), after(twelve_months, one_line("90.00"))),
    "Q5b": (
        "B6",
        after(
            lambda bureau: bureau.connection.execute(
                "update raw.enterprise set to_month_start_date = date '2020-01-01'"
            ),
            one_line("5.00"),
        ),
        after(
            lambda bureau: bureau.connection.execute(
                "update raw.enterprise set to_month_start_date = date '2020-01-01'"
            ),
            one_line("0"),
        ),
    ),
    "Q5a": (
        "J8",
        after(twelve_months, filed("", is_zero_return=True)),
        after(one_line("5.00", month="2020-02", is_accepted=True), filed("", is_zero_return=True)),
    ),
    "Q6": (
        "A11",
        filed("item | partner | export\nSC12 | USA | 5.00", industry="6513"),
        filed("item | partner | export\nSC12 | USA | 5.00", industry="5521"),
    ),
    "Q7a": (
        "C11",
        filed("item | partner | export\nSJ35 | CHN | 5.00"),
        filed("item | partner | export\nSJ35 | HKG | 5.00"),
    ),
    "Q7b": (
        "C12",
        filed("item | partner | export\nSJ35 | USA | 69.00\nSJ35 | _X | 31.00"),
        filed("item | partner | export\nSJ35 | USA | 70.00\nSJ35 | _X | 30.00"),
    ),
    "Q8": (
        "F11",
        filed("", contracts="contract | shore | executed\nC1 | offshore | 10.00"),
        filed(ONE_LINE, contracts="contract | shore | executed\nC1 | offshore | 10.00"),
    ),
    "Q13": (
        "J7",
        after(one_line("100.12", month="2020-02", is_accepted=True), one_line("100.50", unit="CNY_10K")),
        after(one_line("100.12", month="2020-02", is_accepted=True), one_line("100.50")),
    ),
    "Q14a": ("B7", filed(ONE_LINE, name="别家企业"), filed(ONE_LINE, name="样例 企业有限公司")),
    "Q14b": (
        "B7",
        filed(ONE_LINE, sheet_names={"服务外包": "别家企业"}),
        filed(ONE_LINE, sheet_names={"服务外包": "样例企业"}),
    ),
    "Q15": (
        "H11",
        filed("item | partner | export | export_remote\nSJ35 | USA | 5 | 0.95"),
        filed("item | partner | export | export_remote\nSJ35 | USA | 5 | 95"),
    ),
    "D1": (
        "C15",
        department("DM-1", balance_of_payments("67", "157", "57")),
        department("DM-1", balance_of_payments("66", "156", "56")),
    ),
    "D2": (
        "C17",
        department("DM-1", balance_of_payments("60", "152", "52")),
        department("DM-1", balance_of_payments("60", "151", "51")),
    ),
    "D3": (
        "E17",
        department("DM-1", balance_of_payments("60", "150", "52")),
        department("DM-1", balance_of_payments("60", "150", "51")),
    ),
    "H9c": (
        "F11",
        filed("", contracts=CONTRACT + "C1 | 900 | 1000000000 |"),
        filed("", contracts=CONTRACT + "C1 | 900 | 999999999.99 |"),
    ),
    "D8": (
        "A3",
        department("DM-3", "month | currency_code | rate | per\n2020-Q1 | USD | 700 | 100"),
        department("DM-3", "month | currency_code | rate | per\n2020-03 | USD | 700 | 100"),
    ),
    "D9": (
        "A4",
        department("DM-2", "month | import | export\n2020-03 | 5 | 1\n2020 | 50 | 10"),
        department("DM-2", "month | import | export\n2020-03 | 5 | 1\n2020-M01-02 | 7 | 2"),
    ),
    "D10": (
        "B3",
        department("DM-2", "month | import | export\n2020-03 | 100000 | 1"),
        department("DM-2", "month | import | export\n2020-03 | 99999 | 1"),
    ),
    "D4": (
        "C3",
        department("DM-2", "month | import | export\n2020-03 | 5 | -1"),
        department("DM-2", "month | import | export\n2020-03 | 5 | 1"),
    ),
    "D5": (
        "C3",
        department("DM-3", "day | currency_code | rate | per\n2020-03-01 | USD | 0 | 100"),
        department("DM-3", "day | currency_code | rate | per\n2020-03-01 | USD | 700 | 100"),
    ),
    "D6": (
        "C4",
        department("DM-3", "day | currency_code | rate\n2020-03-01 | USD | 7.01\n2020-03-02 | USD | 701"),
        department("DM-3", "day | currency_code | rate\n2020-03-01 | USD | 7.01\n2020-03-02 | USD | 7.05"),
    ),
    "D7": (
        "B3",
        department("DM-5", "task_no | progress_pct\n12 | 101"),
        department("DM-5", "task_no | progress_pct\n12 | 100"),
    ),
}


def test_no_rule_is_without_samples() -> None:
    rules = {rule.id for rule in rule_book() if rule.level == "return"}
    assert set(SAMPLES) == rules


@pytest.mark.parametrize("rule_id", SAMPLES)
def test_a_broken_sample_is_stopped_at_its_cell_in_both_languages(bureau: Any, rule_id: str) -> None:
    cell, broken, _ = SAMPLES[rule_id]
    broken(bureau)
    findings = {(found.rule, found.cell): found for found in bureau.findings("2020-03")}
    assert (rule_id, cell) in findings
    found = findings[rule_id, cell]
    assert found.message.zh.startswith(f"表“{found.sheet}”")
    assert found.message.zh.endswith(f"〔{rule_id}〕")
    assert found.message.en.endswith(f"[{rule_id}]")
    assert "{" not in found.message.zh + found.message.en + found.given + found.expected
    assert "（空）" not in found.message.zh
    assert found.severity is rule_book().rule(rule_id).severity


@pytest.mark.parametrize("rule_id", SAMPLES)
def test_a_clean_sample_raises_no_question_of_the_rule(bureau: Any, rule_id: str) -> None:
    _, _, clean = SAMPLES[rule_id]
    clean(bureau)
    assert rule_id not in {rule for rule, _ in bureau.asked("2020-03")}
