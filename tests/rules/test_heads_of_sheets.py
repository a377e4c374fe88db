"""The head of each sheet against the enterprise's last return and the register: unit (Q13) and name (Q11)."""

from __future__ import annotations

from typing import Any

import pytest

ROW = "item | partner | export\nSJ35 | USA | {}"
CONTRACT = "contract | contract_amount | executed | executed_cumulative\nC1 | 900 | {} | {}"


def found(bureau: Any, *rules: str, month: str = "2020-04") -> list[tuple[str, str, str]]:
    return sorted((one.rule, one.sheet, one.cell) for one in bureau.findings(month) if one.rule in rules)


@pytest.mark.parametrize("unit", ["CNY_10K", "USD", "CNY"])
def test_another_unit_than_last_time_is_asked_about_without_any_rate(bureau: Any, unit: str) -> None:
    bureau.file("2020-03", ROW.format("100.12"), is_accepted=True)
    bureau.file("2020-04", ROW.format("101.12"), unit=unit)
    assert found(bureau, "Q13") == [("Q13", "服务进出口", "J7")]


def test_the_latest_accepted_return_is_the_one_compared_with(bureau: Any) -> None:
    bureau.file("2019-12", ROW.format("100.12"), is_accepted=True, unit="CNY_10K")
    bureau.file("2020-01", ROW.format("100.12"), is_accepted=True)
    bureau.file("2020-03", ROW.format("100.12"), unit="CNY_10K")
    bureau.file("2020-04", ROW.format("101.12"))
    assert found(bureau, "Q13") == []


def test_a_first_return_has_no_unit_to_be_compared_with(bureau: Any) -> None:
    bureau.file("2020-03", ROW.format("100.12"), is_accepted=True, code="914201000000000022")
    bureau.file("2020-04", ROW.format("101.12"), unit="CNY_10K")
    assert found(bureau, "Q13") == []


def test_each_form_is_compared_with_itself(bureau: Any) -> None:
    bureau.file(
        "2020-03", ROW.format("100.12"), CONTRACT.format(1, 10), is_accepted=True, contract_unit="USD_1K"
    )
    bureau.file("2020-04", ROW.format("101.12"), CONTRACT.format(2, 12), contract_unit="USD")
    assert found(bureau, "Q13") == [("Q13", "服务外包", "J7")]


@pytest.mark.parametrize(
    ("registered", "typed", "is_asked"),
    [
        ("武汉示例（光谷）软件有限公司", "武汉示例(光谷)软件有限公司", False),
        ("武汉示例（光谷）软件有限公司", "武汉示例光谷软件有限责任公司", False),
        ("武汉ＡＢＣ软件有限公司", " 武汉 abc　软件有限公司", False),
        ("武汉示例软件有限公司", "武汉示例软件", False),
        ("武汉示例软件有限公司", "武汉示范软件有限公司", True),
    ],
)
def test_only_a_name_that_means_another_enterprise_is_asked_about(
    bureau: Any, registered: str, typed: str, is_asked: bool
) -> None:
    bureau.connection.execute("update raw.enterprise set enterprise_name = ?", [registered])
    bureau.file("2020-04", ROW.format("101.12"), name=typed)
    assert found(bureau, "Q14a", "Q14b") == ([("Q14a", "服务进出口", "B7")] if is_asked else [])


def test_another_name_on_every_sheet_is_one_question(bureau: Any) -> None:
    bureau.file(
        "2020-04", ROW.format("1.12"), name="别家", sheet_names={"服务外包": "别家", "基本情况": "别家"}
    )
    assert len(found(bureau, "Q14a", "Q14b")) == 1


def test_a_sheet_of_another_enterprise_is_one_question_and_names_both(bureau: Any) -> None:
    bureau.file("2020-04", ROW.format("101.12"), sheet_names={"服务外包": "别家企业"})
    [one] = [one for one in bureau.findings("2020-04") if one.rule.startswith("Q14")]
    assert (one.rule, one.sheet) == ("Q14b", "服务外包")
    assert all(name in text for name in ("别家企业", "样例企业") for text in (one.message.zh, one.message.en))


def test_a_renamed_enterprise_has_the_name_of_its_month(bureau: Any) -> None:
    bureau.connection.execute(
        "update raw.enterprise set enterprise_name = '旧名', to_month_start_date = date '2020-03-01'"
    )
    bureau.connection.execute(
        "insert into raw.enterprise select enterprise_code, '新名', district_code, industry_code, "
        "date '2020-04-01', null from raw.enterprise"
    )
    bureau.file("2020-04", ROW.format("101.12"), name="旧名")
    [one] = [one for one in bureau.findings("2020-04") if one.rule == "Q14a"]
    assert (one.given, one.expected) == ("旧名", "新名")


def test_an_enterprise_that_is_on_no_register_has_no_name_to_compare_with(bureau: Any) -> None:
    bureau.file("2020-04", ROW.format("101.12"), code="914201000000000022", name="别家")
    assert found(bureau, "Q14a", "Q14b") == []


@pytest.mark.parametrize(
    ("executed", "cumulative", "is_asked"),
    [
        ("20000", "132500", False),
        ("20034", "132584", False),  # 11.25 in 10,000 dollars may have been 112,550
        ("2.25", "13.50", True),  # still in 10,000 dollars, under the head of dollars
        ("20000", "132700", True),
    ],
)
def test_a_contract_is_carried_over_a_change_of_unit(
    bureau: Any, executed: str, cumulative: str, is_asked: bool
) -> None:
    bureau.file("2020-03", "", CONTRACT.format("1.25", "11.25"), is_accepted=True)
    contract = CONTRACT.replace("900", "9000000").format(executed, cumulative)
    bureau.file("2020-04", "", contract, unit="USD")
    assert found(bureau, "H2b") == ([("H2b", "服务外包", "G11")] if is_asked else [])


def test_a_contract_is_not_carried_over_a_change_of_currency(bureau: Any) -> None:
    bureau.file("2020-03", "", CONTRACT.format("1.25", "11.25"), is_accepted=True)
    bureau.file("2020-04", "", CONTRACT.format("14.00", "90.00"), unit="CNY_10K")
    assert found(bureau, "H2b") == []
