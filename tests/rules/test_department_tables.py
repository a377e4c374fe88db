"""Identities of departmental tables: SAFE rounds every cell alone, so n parts may miss their total by n halves."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

ITEMS = {
    "加工服务": "SA", "维护和维修服务": "SB", "运输": "SC", "旅行": "SD", "建设": "SE", "保险和养老金服务": "SF",
    "金融服务": "SG", "知识产权使用费": "SH", "电信、计算机和信息服务": "SI", "其他商业服务": "SJ",
    "个人、文化和娱乐服务": "SK", "别处未提及的政府服务": "SL", "服务贸易": "S", "货物贸易": "G", "货物和服务贸易": "GS",
}  # fmt: skip


def item_of(name: str) -> str:
    plain = name.lstrip("0123456789.").removesuffix("差额").strip()
    return next(code for label, code in ITEMS.items() if label == plain)


def as_filed(path: Path, month: str, unit: str) -> list[tuple[str, str, str, str]]:
    """Item, credit, debit (positive) and balance of one month of the published table."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["month"] == month]
    return [
        (
            item_of(row["item"]),
            row[f"credit_{unit}"],
            row[f"debit_{unit}"].lstrip("-"),
            row[f"balance_{unit}"],
        )
        for row in rows
        if row[f"credit_{unit}"]
    ]


def file_table(bureau: Any, rows: list[tuple[str, str, str, str]], month: str) -> None:
    lines = "\n".join(" | ".join((month, *row)) for row in rows)
    bureau.file_department("DM-1", f"month | item_code | credit | debit | balance\n{lines}", month=month)


@pytest.mark.parametrize("unit", ["usd_yi", "cny_yi"])
def test_the_published_table_of_january_2017_is_accepted(bureau: Any, shared: Path, unit: str) -> None:
    rows = as_filed(shared / "reference" / "safe_table_months.csv", "2017-01", unit)
    assert len(rows) == 15
    file_table(bureau, rows, "2017-01")
    assert bureau.asked("2017-01") == set()
    judged = bureau.connection.execute(
        "select count(service_gap_per_addend), count(goods_and_service_gap_per_addend), count(balance_gap_per_addend) "
        "from checks.department_total"
    ).fetchone()
    assert judged == (3, 3, 15)


def test_its_debits_add_up_to_2940_against_2939_which_is_rounding(bureau: Any, shared: Path) -> None:
    rows = as_filed(shared / "reference" / "safe_table_months.csv", "2017-01", "cny_yi")
    file_table(bureau, rows, "2017-01")
    bureau.build("2017-01")
    found = bureau.connection.execute(
        "select amount, expected_amount from checks.department_total "
        "where business_key = '2017-01/S/debit' and service_gap_per_addend is not null"
    ).fetchone()
    assert found == (2939.0, 2940.0)


@pytest.mark.parametrize(("excess", "is_asked"), [(5, False), (6, True)])
def test_a_difference_beyond_twelve_halves_is_a_finding(
    bureau: Any, shared: Path, excess: int, is_asked: bool
) -> None:
    rows = as_filed(shared / "reference" / "safe_table_months.csv", "2017-01", "cny_yi")
    shifted = [
        (item, credit, str(int(debit) + excess), balance) if item == "SD" else (item, credit, debit, balance)
        for item, credit, debit, balance in rows
    ]
    file_table(bureau, shifted, "2017-01")
    assert ("D1" in {rule for rule, _ in bureau.asked("2017-01")}) is is_asked


def test_every_month_of_the_published_series_is_accepted(bureau: Any, shared: Path) -> None:
    path = shared / "real" / "safe_bop_goods_services_monthly_usd.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        months = list(csv.DictReader(file))
    lines = []
    for row in months:
        for item, name in (("G", "goods"), ("S", "services"), ("GS", "total")):
            export, imports = row[f"{name}_export_usd_yi"], row[f"{name}_import_usd_yi"]
            lines.append(
                f"{row['date'][:7]} | {item} | {export} | {imports} | {row[f'{name}_surplus_usd_yi']}"
            )
    table = "\n".join(["month | item_code | credit | debit | balance", *lines])
    bureau.file_department("DM-1", table)
    assert bureau.asked("2020-03") == set()
    count = bureau.connection.execute(
        "select count(balance_gap_per_addend), count(*) filter (where gap <> 0) from checks.department_total"
    ).fetchone()
    assert count[0] == 3 * len(months)
    assert count[1] > 0  # published figures do miss their totals, by rounding


def test_a_table_with_some_items_only_is_not_added_up(bureau: Any) -> None:
    file_table(bureau, [("SC", "5", "5", "0"), ("SD", "5", "5", "0"), ("S", "90", "90", "0")], "2020-03")
    assert bureau.asked("2020-03") == set()


def test_a_month_given_twice_is_not_added_up(bureau: Any) -> None:
    rows = [("G", "5", "5", "0"), ("S", "5", "5", "0"), ("GS", "10", "10", "0")]
    file_table(bureau, [*rows, *rows], "2020-03")
    assert bureau.asked("2020-03") == set()
