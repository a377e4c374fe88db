"""What a clerk reads: place, figures with separators, what to do, may I go on, in both languages."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from pipelines.findings import Severity, Wording
from pipelines.validation.messages import explained_finding, fill, finding_of, format_value
from pipelines.validation.rules import ExplanationCover, InvalidRule, Rule, Where

ROW: dict[str, Any] = {
    "form_code": "FM-2",
    "sheet": "服务进出口",
    "cell": "F18",
    "business_key": "91/SJ/USA/export",
    "subject_zh": "SJ 其他商业服务 × 美国 × 出口",
    "subject_en": "SJ other business services × United States × export",
    "amount": 12500000.0,
    "ratio": 9920.63,
    "unit_zh": "万美元",
    "unit_en": "USD 10,000",
    "remark": None,
}


def rule(severity: Severity = Severity.WARNING, explained_by: str = "remark") -> Rule:
    return Rule(
        id="Q3",
        severity=severity,
        table="checks.sample",
        level="return",
        keys=("business_key",),
        label=Wording("样例", "sample"),
        help=Wording("样例", "sample"),
        expectation="expect_column_values_to_be_between",
        arguments={"column": "ratio", "max_value": 100},
        where=Where(),
        given="{amount}",
        expected="≤ 100",
        message=Wording(
            "填报 {amount}，约为上月的 {ratio:0} 倍，单位“{unit}”。",
            "You entered {amount}, {ratio:0} times last month, in {unit}.",
        ),
        explained_by=explained_by,
    )


@pytest.mark.parametrize("remark", ["软件开发服务", "长" * 900, "一行\n另一行（100%）"])
def test_a_remark_as_before_explains_nothing_until_something_new_is_said(remark: str) -> None:
    found = finding_of(rule(), ROW | {"remark": remark, "is_remark_as_before": True})
    assert (found.severity, found.explanation) == (Severity.WARNING, "")
    assert "与上一份通过的报表相同" in found.message.zh
    assert len(found.message.zh) < 500
    told = explained_finding(found, "新签大合同", origin="workbook")
    assert told.message.zh.endswith("单位“万美元”。您已说明：“新签大合同”，由审核人员复核。〔Q3〕")
    assert told.message.en.endswith(
        "in USD 10,000. You explained: “新签大合同”; a reviewer will look at it. [Q3]"
    )
    assert (
        finding_of(rule(), ROW | {"remark": remark, "is_remark_as_before": False}).severity is Severity.INFO
    )


def test_a_message_says_where_what_and_whether_one_may_go_on() -> None:
    found = finding_of(rule(), ROW)
    assert found.message.zh == (
        "表“服务进出口”第 18 行 F 列（SJ 其他商业服务 × 美国 × 出口）：填报 12,500,000，约为上月的 9,921 倍，单位“万美元”。"
        "可先提交，待核实；在“说明”栏写明原因可免核实。〔Q3〕"
    )
    assert found.message.en.startswith(
        "Sheet “服务进出口”, row 18, column F (SJ other business services × United States × export): "
        "You entered 12,500,000, 9,921 times last month, in USD 10,000."
    )
    assert found.message.en.endswith(
        "You may submit now and we will confirm; an explanation in the remark column saves the call. [Q3]"
    )
    assert (found.sheet, found.cell, found.given, found.expected) == (
        "服务进出口",
        "F18",
        "12,500,000",
        "≤ 100",
    )


def test_a_warning_that_the_clerk_explained_becomes_info_and_quotes_the_reason() -> None:
    found = finding_of(rule(), {**ROW, "remark": "新签大合同"})
    assert found.severity is Severity.INFO
    assert "您已说明：“新签大合同”，由审核人员复核。" in found.message.zh


def test_a_critical_finding_cannot_be_explained_away() -> None:
    found = finding_of(rule(Severity.CRITICAL), {**ROW, "remark": "新签大合同"})
    assert found.severity is Severity.CRITICAL
    assert "须更正后重新报送" in found.message.zh


def test_braces_in_a_clerks_words_are_words() -> None:
    found = finding_of(rule(), {**ROW, "remark": "{amount} {sheet} {id}", "sheet": "表{row}"})
    assert "您已说明：“{amount} {sheet} {id}”" in found.message.zh
    assert found.message.zh.startswith("表“表{row}”第 18 行")


def test_a_place_without_cell_names_the_sheet_and_without_sheet_nothing() -> None:
    assert finding_of(rule(), {**ROW, "cell": None}).message.zh.startswith("表“服务进出口”（SJ")
    assert finding_of(rule(), {**ROW, "cell": None, "sheet": None}).message.zh.startswith("填报")


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (12500000.0, "", "12,500,000"),
        (0.1 + 0.2, "", "0.3"),
        (1e15, "", "1,000,000,000,000,000"),
        (1e-9, "", "0"),
        (-3.5, "", "-3.5"),
        (-1e-9, "", "0"),
        (12, "", "12"),
        (9920.63, "0", "9,921"),
        (149.96, "+1", "+150.0"),
        (0.00229, "2", "0.0023"),  # what is not zero is never told as 0.00
        (0.004, "2", "0.0040"),
        (1e-9, "2", "0.00"),
        (-60.04, "+1", "-60.0"),
        ("1,2OO", "", "1,2OO"),
        (None, "", "（空）"),
        (math.nan, "1", "（空）"),
        ("", "", "（空）"),
        (math.inf, "", "inf"),
    ],
)
def test_a_figure_is_printed_as_people_write_it(value: object, spec: str, text: str) -> None:
    assert format_value(value, spec, "zh") == text


def test_a_template_that_names_a_missing_fact_is_an_error_for_its_author() -> None:
    with pytest.raises(KeyError, match="last_month"):
        fill("{last_month}", ROW, "zh")
    with pytest.raises(InvalidRule, match="is unknown"):
        format_value(1.0, "pct", "zh")


def test_where_no_remark_can_answer_the_clerk_is_told_where_one_can() -> None:
    found = finding_of(rule(explained_by=""), {**ROW, "remark": "新签大合同"})
    assert found.severity is Severity.WARNING
    assert "可免核实" not in found.message.zh
    assert "请在结果页或批注文件的“审核意见”表写明原因。〔Q3〕" in found.message.zh
    assert found.message.en.endswith("on the sheet “Review notes” (审核意见) of the annotated file. [Q3]")


@pytest.mark.parametrize("explained_by", ["", "remark"])
def test_an_explanation_stands_in_place_of_the_request_for_one(explained_by: str) -> None:
    asked = finding_of(rule(explained_by=explained_by), {**ROW, "remark": ""})
    found = explained_finding(asked, "新签大合同", origin="workbook")
    assert found.severity is Severity.INFO
    assert found.message.zh.endswith("单位“万美元”。您已说明：“新签大合同”，由审核人员复核。〔Q3〕")
    assert "可先提交" not in found.message.zh
    assert "You may submit now" not in found.message.en


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        ("2020-03", "2020年3月", "March 2020"),
        ("2020-M01-02", "2020年1—2月", "January to February 2020"),
        ("2020-Q4", "2020年第四季度", "Q4 2020"),
        ("2020-H1", "2020年上半年", "H1 2020"),
        ("2020", "2020年", "2020"),
        ("2020-01, 2020-02", "2020年1月、2020年2月", "January 2020 and February 2020"),
        (None, "（空）", "(blank)"),
    ],
)
def test_a_period_in_a_message_is_written_as_people_write_it(value: str | None, zh: str, en: str) -> None:
    row = {"previous_period_text": value}
    assert fill("{previous_period_text:period}", row, "zh") == zh
    assert fill("{previous_period_text:period}", row, "en") == en


def test_what_identifies_a_finding_keeps_the_code_of_the_period() -> None:
    asked = replace(
        rule(),
        given="{period_text}",
        expected="≤ {latest}",
        message=Wording("{period_text:period}。", "{period_text:period}."),
        explanation_covers=ExplanationCover(facts=("period_text",)),
    )
    found = finding_of(asked, ROW | {"period_text": "2020-H1", "latest": "2019-H2"})
    assert (found.given, found.expected, found.sameness) == ("2020-H1", "≤ 2019-H2", "period_text=2020-H1")
    assert "2020年上半年" in found.message.zh
    assert "H1 2020" in found.message.en


def test_the_period_of_a_figure_goes_before_its_subject() -> None:
    found = finding_of(rule(), ROW | {"subject_period": "2020-03"})
    assert "（2020年3月 × SJ 其他商业服务 × 美国 × 出口）" in found.message.zh
    assert "(March 2020 × SJ other business services × United States × export)" in found.message.en
    alone = finding_of(rule(), ROW | {"subject_zh": None, "subject_en": None, "subject_period": "2020-Q1"})
    assert "F 列（2020年第一季度）：" in alone.message.zh


def test_an_earlier_explanation_names_its_period_as_people_do() -> None:
    found = explained_finding(finding_of(rule(), ROW), "固定月费", origin="earlier", period="2026-03")
    assert "2026年3月已说明：“固定月费”" in found.message.zh
    assert "Explained for March 2026: “固定月费”" in found.message.en
    assert found.explained_period == "2026-03"
