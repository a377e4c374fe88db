"""A remark that stood on the return before explains nothing new: the query stays open and asks for what is new."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.findings import Severity

ROW = "item | partner | export | remark\nSJ35 | USA | {} | {}"
ROUTINE = "软件开发服务"


def months(bureau: Any, *remarks: str) -> None:
    for number, (amount, remark) in enumerate(
        zip(("100.12", "97.31", "104.56"), remarks, strict=True), start=1
    ):
        bureau.file(f"2020-{number:02d}", ROW.format(amount, remark), is_accepted=True)


def severity(bureau: Any, rule: str, month: str = "2020-04") -> Severity:
    [found] = [found for found in bureau.findings(month) if found.rule == rule]
    assert isinstance(found.severity, Severity)
    return found.severity


@pytest.mark.parametrize(
    "remark", [ROUTINE, " 软件 开发服务。", "软件开发服务；"], ids=["word for word", "blanks", "marks"]
)
def test_a_routine_remark_does_not_let_a_slip_pass(bureau: Any, remark: str) -> None:
    months(bureau, ROUTINE, ROUTINE, ROUTINE)
    bureau.file("2020-04", ROW.format("200000", remark))
    [found] = bureau.findings("2020-04")
    assert (found.rule, found.severity, found.explanation, found.explanation_origin) == (
        "Q3",
        Severity.WARNING,
        "",
        "",
    )
    assert "与上一份通过的报表相同，没有说明这次的情况。请写明新的原因" in found.message.zh
    assert "is word for word that of the last accepted return" in found.message.en
    assert "您已说明" not in found.message.zh


@pytest.mark.parametrize(
    ("before", "now"),
    [("", "新签大合同"), (ROUTINE, "新签大合同"), (ROUTINE, f"{ROUTINE}，本月验收付款")],
    ids=["none before", "another before", "something added"],
)
def test_a_new_remark_explains(bureau: Any, before: str, now: str) -> None:
    months(bureau, before, before, before)
    bureau.file("2020-04", ROW.format("200000", now))
    assert severity(bureau, "Q3") is Severity.INFO


def test_only_the_return_accepted_last_is_compared(bureau: Any) -> None:
    months(bureau, "新签大合同", "新签大合同", "")
    bureau.file("2020-03", ROW.format("104.56", "新签大合同"))  # another version, not accepted
    bureau.connection.execute("update raw.submission set is_current = false where not is_current_accepted")
    bureau.file("2020-04", ROW.format("300.12", "新签大合同"))
    assert severity(bureau, "Q1a") is Severity.INFO


def test_another_row_or_another_enterprise_may_say_the_same(bureau: Any) -> None:
    rows = "item | partner | export | remark\nSJ35 | USA | 100.12 |\nSJ35 | JPN | 100.12 | 新签大合同"
    bureau.file("2020-03", rows, is_accepted=True)
    bureau.file("2020-03", ROW.format("100.12", "新签大合同"), code="914201000000000022", is_accepted=True)
    bureau.file("2020-04", ROW.format("300.12", "新签大合同"))
    assert severity(bureau, "Q1a") is Severity.INFO


def test_a_correction_of_the_same_month_may_repeat_its_own_remark(bureau: Any) -> None:
    bureau.file("2020-03", ROW.format("100.12", ""), is_accepted=True)
    bureau.file("2020-04", ROW.format("300.12", "新签大合同"), is_accepted=True)
    bureau.connection.execute("update raw.submission set is_current = false")
    bureau.file("2020-04", ROW.format("301.12", "新签大合同"), is_revision=True)
    assert severity(bureau, "Q1a") is Severity.INFO


def test_a_joint_return_is_the_one_before_march(bureau: Any) -> None:
    bureau.file("2020-02", ROW.format("200.24", ROUTINE), period_kind="months_1_2", is_accepted=True)
    bureau.file("2020-03", ROW.format("300.12", ROUTINE))
    assert severity(bureau, "Q1a", "2020-03") is Severity.WARNING


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ("Q7a", "item | partner | export | remark\nSJ35 | CHN | {} | {}"),
        ("Q9", "item | partner | export | remark\nSJ35 | USA | 1.25 |\nSJ35 | USA | {} | {}"),
        ("Q15", "item | partner | export | remark | export_remote\nSJ35 | USA | {} | {} | 0.95"),
    ],
)
def test_queries_about_rows_and_shares_are_no_other(bureau: Any, rule: str, rows: str) -> None:
    bureau.file("2020-03", rows.format("100.12", ROUTINE), is_accepted=True)
    bureau.file("2020-04", rows.format("101.37", ROUTINE))
    assert severity(bureau, rule) is Severity.WARNING
    bureau.connection.execute("update raw.submission set is_current = is_current_accepted")
    bureau.file("2020-04", rows.format("101.37", "本月补充的说明"))
    assert severity(bureau, rule) is Severity.INFO
