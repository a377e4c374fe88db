"""January and February filed together and filed singly: the same months are not accepted both ways (H7e)."""

from __future__ import annotations

from typing import Any

import pytest

ROW = "item | partner | export\nSJ35 | USA | {}"


def overlaps(bureau: Any, month: str) -> list[Any]:
    return [found for found in bureau.findings(month) if found.rule == "H7e"]


def test_a_joint_return_over_accepted_single_months_names_both(bureau: Any) -> None:
    bureau.file("2020-01", ROW.format("5.25"), is_accepted=True)
    bureau.file("2020-02", ROW.format("6.25"), is_accepted=True)
    bureau.connection.execute("update raw.submission set is_current = false")
    bureau.file("2020-02", ROW.format("11.50"), period_kind="months_1_2")
    [found] = overlaps(bureau, "2020-02")
    assert (found.cell, found.given, found.expected) == ("J6", "2020-M01-02", "2020-01, 2020-02")
    assert "报告期填报2020年1—2月，而该企业2020年1月、2020年2月已有" in found.message.zh
    assert "The period entered is January to February 2020, " in found.message.en
    assert "for January 2020 and February 2020 have been accepted" in found.message.en


@pytest.mark.parametrize("month", ["2020-01", "2020-02"])
def test_a_single_month_within_an_accepted_joint_return_names_it(bureau: Any, month: str) -> None:
    bureau.file("2020-02", ROW.format("11.50"), period_kind="months_1_2", is_accepted=True)
    bureau.connection.execute("update raw.submission set is_current = false")
    bureau.file(month, ROW.format("5.25"))
    [found] = overlaps(bureau, month)
    assert (found.cell, found.given, found.expected) == ("J6", month, "2020-M01-02")
    assert "该企业2020年1—2月已有审核通过的报表" in found.message.zh
    assert "returns of this enterprise for January to February 2020" in found.message.en


def test_a_revision_for_the_same_joint_period_overlaps_nothing(bureau: Any) -> None:
    bureau.file("2020-02", ROW.format("11.50"), period_kind="months_1_2", is_accepted=True)
    bureau.file("2020-02", ROW.format("11.60"), period_kind="months_1_2", is_revision=True)
    assert overlaps(bureau, "2020-02") == []


@pytest.mark.parametrize(("month", "is_accepted"), [("2019-12", True), ("2020-01", False)])
def test_december_and_returns_not_accepted_do_not_stand_in_the_way(
    bureau: Any, month: str, is_accepted: bool
) -> None:
    bureau.file(month, ROW.format("5.25"), is_accepted=is_accepted)
    bureau.file("2020-02", ROW.format("11.50"), period_kind="months_1_2")
    assert overlaps(bureau, "2020-02") == []


def test_another_enterprise_does_not_stand_in_the_way(bureau: Any) -> None:
    bureau.file("2020-01", ROW.format("5.25"), code="914201000000000022", is_accepted=True)
    bureau.file("2020-02", ROW.format("11.50"), period_kind="months_1_2")
    assert overlaps(bureau, "2020-02") == []


def test_where_both_are_in_the_ledger_each_can_still_be_corrected(bureau: Any) -> None:
    january = bureau.file("2020-01", ROW.format("5.25"), is_accepted=True)
    joint = bureau.file("2020-02", ROW.format("11.50"), period_kind="months_1_2", is_accepted=True)
    bureau.connection.execute("update raw.submission set is_current = false")
    bureau.file("2020-01", ROW.format("5.35"), is_revision=True, supersedes=january)
    bureau.file("2020-02", ROW.format("11.60"), period_kind="months_1_2", is_revision=True, supersedes=joint)
    assert overlaps(bureau, "2020-01") == []
    assert overlaps(bureau, "2020-02") == []
