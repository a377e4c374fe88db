"""Printed totals of FM-4 to FM-8 against their rows (H3b)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipelines.findings import Finding
from pipelines.periods import Month
from pipelines.validation.judge import judge
from pipelines.validation.rules import rule_book

MARKS = {"..": "withheld", "—": "not_applicable"}
SHEETS = {
    "FM-4": "附属机构",
    "FM-5": "自然人移动",
    "FM-6": "技术进出口",
    "FM-7": "中医药",
    "FM-8": "数字贸易案例",
}
CODES = ("direction", "item_code", "partner_code")


def file(
    bureau: Any,
    form_code: str,
    rows: list[dict[str, str]],
    total: dict[str, str],
    *,
    unit: str = "USD_10K",
    sheet: str = "",
    submission_id: str = "",
) -> str:
    """A sheet of a return of 2020-04: rows from 10 on, the total in row 40."""
    submission_id = submission_id or str(bureau.file("2020-04"))
    shared = {
        "month_start_date": date(2020, 4, 1),
        "submission_id": submission_id,
        "form_code": form_code,
        "sheet": sheet or SHEETS[form_code],
    }
    bureau.insert(
        "raw.return_cell",
        **shared,
        section="head",
        row_number=7,
        cell="J7",
        field="unit",
        code=unit,
        state="value",
    )
    for row_number, section, row in [
        *((number, "row", row) for number, row in enumerate(rows, start=10)),
        (40, "total", total),
    ]:
        for name, text in row.items():
            if name in CODES:
                said: dict[str, Any] = {"code": text, "state": "value"}
            else:
                state = MARKS.get(text) or ("zero" if Decimal(text) == 0 else "value")
                said = {"number": None if text in MARKS else Decimal(text), "state": state}
            bureau.insert(
                "raw.return_cell",
                **shared,
                section=section,
                row_number=row_number,
                cell=f"{name}{row_number}",
                field=name,
                text=text,
                **said,
            )
    return submission_id


def found(bureau: Any) -> list[Finding]:
    """What the rule says of everything filed; no other fact is computed."""
    [rules] = [rules for rules in rule_book().of_level("return") if rules.table == "checks.form_total"]
    bureau.build("2020-04", only=rules.table)
    by_submission = judge(bureau.connection, Month(2020, 4), replace(rule_book(), tables=(rules,)))
    return [one for findings in by_submission.values() for one in findings]


def asked(bureau: Any) -> set[str]:
    return {one.cell for one in found(bureau)}


@pytest.mark.parametrize(
    ("form_code", "name"),
    [
        ("FM-4", "sales_revenue"),
        ("FM-4", "services_revenue"),
        ("FM-5", "person_days"),
        ("FM-5", "contract_amount"),
        ("FM-5", "remuneration"),
        ("FM-6", "contract_amount"),
        ("FM-6", "technology_fee"),
        ("FM-7", "visit_count"),
        ("FM-7", "revenue"),
        ("FM-7", "remote_revenue"),
        ("FM-8", "annual_amount"),
    ],
)
def test_every_figure_that_adds_up_is_added_up(bureau: Any, form_code: str, name: str) -> None:
    rows = [{name: "10.25"}, {name: "20.50"}, {name: "0"}]
    file(bureau, form_code, rows, {name: "30.75"})
    assert asked(bureau) == set()
    file(bureau, form_code, rows, {name: "41"})
    assert asked(bureau) == {f"{name}40"}


@pytest.mark.parametrize(
    ("form_code", "name"),
    [("FM-5", "person_count"), ("FM-7", "trainee_count"), ("FM-7", "institution_count")],
)
def test_heads_that_may_stand_on_several_rows_are_not_added_up(
    bureau: Any, form_code: str, name: str
) -> None:
    file(bureau, form_code, [{name: "3"}, {name: "4"}], {name: "5"})
    assert asked(bureau) == set()


@pytest.mark.parametrize(
    ("total", "is_asked"), [("6.00", False), ("6.01", False), ("5.99", False), ("6.02", True), ("5.98", True)]
)
def test_three_rows_may_differ_from_their_total_by_three_half_digits(
    bureau: Any, total: str, is_asked: bool
) -> None:
    rows = [{"annual_amount": text} for text in ("1.25", "2.25", "2.50")]
    file(bureau, "FM-8", rows, {"annual_amount": total})
    assert bool(asked(bureau)) is is_asked


def test_in_a_large_unit_further_decimals_count(bureau: Any) -> None:
    rows = [{"revenue": "0.001234"}, {"revenue": "0.002000"}]
    file(bureau, "FM-7", rows, {"revenue": "0.003234"}, unit="USD_100M")
    assert asked(bureau) == set()
    file(bureau, "FM-7", rows, {"revenue": "0.0033"}, unit="USD_100M")
    assert asked(bureau) == {"revenue40"}


def test_blank_withheld_and_not_applicable_rows_are_three_things(bureau: Any) -> None:
    name = "contract_amount"
    file(bureau, "FM-6", [{name: "5"}, {"technology_fee": "1"}], {name: "5"})  # blank: nothing said
    file(bureau, "FM-6", [{name: "5"}, {name: "—"}], {name: "5"})
    file(bureau, "FM-6", [{name: "5"}, {name: ".."}], {name: "9"})  # what is withheld may be 4
    assert asked(bureau) == set()
    file(bureau, "FM-6", [{name: "5"}, {name: ".."}], {name: "4"})  # never less than nothing
    assert asked(bureau) == {"contract_amount40"}


def test_a_total_that_is_not_applicable_says_that_there_is_nothing(bureau: Any) -> None:
    file(bureau, "FM-8", [{"annual_amount": "—"}], {"annual_amount": "—"})
    assert asked(bureau) == set()
    file(bureau, "FM-8", [{"annual_amount": "5"}], {"annual_amount": "—"})
    assert asked(bureau) == {"annual_amount40"}


def test_a_withheld_total_is_not_judged(bureau: Any) -> None:
    file(bureau, "FM-8", [{"annual_amount": "5"}], {"annual_amount": ".."})
    assert asked(bureau) == set()


def test_a_total_without_rows_is_asked_about_unless_it_is_zero(bureau: Any) -> None:
    file(bureau, "FM-8", [], {"annual_amount": "0"})
    assert asked(bureau) == set()
    file(bureau, "FM-8", [], {"annual_amount": "3"})
    assert asked(bureau) == {"annual_amount40"}


def moved(item: str, amount: str, direction: str = "export", partner: str = "PAK") -> dict[str, str]:
    return {"direction": direction, "item_code": item, "partner_code": partner, "contract_amount": amount}


def test_an_item_above_others_is_not_added_twice_on_the_movement_of_persons(bureau: Any) -> None:
    rows = [moved("SE", "9"), moved("SE1", "5"), moved("SE2", "4")]
    file(bureau, "FM-5", rows, {"contract_amount": "9"})
    assert asked(bureau) == set()
    file(bureau, "FM-5", rows, {"contract_amount": "18"})
    assert asked(bureau) == {"contract_amount40"}


def test_items_of_another_direction_or_partner_are_no_part_of_it(bureau: Any) -> None:
    rows = [moved("SE", "9"), moved("SE1", "5", direction="import"), moved("SE2", "4", partner="KEN")]
    file(bureau, "FM-5", rows, {"contract_amount": "18"})
    assert asked(bureau) == set()


def test_over_a_withheld_item_below_the_upper_one_stands_for_all(bureau: Any) -> None:
    rows = [moved("SE", "9"), moved("SE1", "5"), moved("SE2", "..")]
    file(bureau, "FM-5", rows, {"contract_amount": "9"})
    assert asked(bureau) == set()
    file(bureau, "FM-5", rows, {"contract_amount": "5"})
    assert asked(bureau) == {"contract_amount40"}


def test_affiliates_abroad_and_here_have_a_total_each(bureau: Any) -> None:
    submission_id = file(bureau, "FM-4", [{"sales_revenue": "5"}], {"sales_revenue": "5"}, sheet="外向")
    file(
        bureau,
        "FM-4",
        [{"sales_revenue": "7"}],
        {"sales_revenue": "12"},
        sheet="内向",
        submission_id=submission_id,
    )
    [one] = found(bureau)
    assert (one.rule, one.sheet, one.severity.value) == ("H3b", "内向", "critical")
    assert "合计填报 12，上面 1 行之和为 7，相差 5" in one.message.zh
    assert "a difference of 5" in one.message.en
