"""Forms that are not monthly: whose period a sheet is of, what the file is filed under, and what a ticked box says."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.findings import Severity
from pipelines.intake import read_file
from pipelines.records import ParsedFile
from sample_data.rule_samples import build, credit_code

SERVICES = "item_code|partner_code|export\nSJ35|USA|1"
AFFILIATES = (
    "direction|affiliate_name|partner_code|industry_code|holding_share_pct|sales_revenue|services_revenue\n"
    "外向|甲|SGP|6513|80|900|600"
)
PERSONS = "direction|item_code|partner_code|person_count|person_days|contract_amount|remuneration\n接收|SJ31|DEU|2|60|9|4"
CASES = "case_name|delivery_mode|item_code|partner_code|annual_amount|summary\n云上设计|数字交付|SJ31|DEU|10|在线设计"


def read(month: str = "2026-03", **sheets: Any) -> ParsedFile:
    described = {key.replace("_", "-"): held for key, held in sheets.items()}
    name, content = build({"month": month, **described}, credit_code(1), "样例企业")
    return read_file(name, content)


def headed(period: str, rows: str = AFFILIATES, **head: str) -> dict[str, Any]:
    return {"head": {"reference_month": period, **head}, "rows": rows}


def own_periods(parsed: ParsedFile) -> dict[str, str | None]:
    return {cell.form_code: cell.code for cell in parsed.cells if cell.field == "sheet_period"}


@pytest.mark.parametrize("written", ["2025年", "2025", "2025年度", "2025年1-12月", "２０２５年"])
def test_a_yearly_sheet_gives_its_own_year_and_the_file_stays_the_months(written: str) -> None:
    parsed = read(FM_2=SERVICES, FM_4=headed(written))
    assert parsed.findings == ()
    assert str(parsed.period) == "2026-03"
    assert own_periods(parsed) == {"FM-4": "2025"}


@pytest.mark.parametrize(
    ("month", "year", "half"),
    [("2026-03", "2025", "2025-H2"), ("2026-06", "2025", "2026-H1"), ("2026-12", "2026", "2026-H2")],
)
def test_a_sheet_with_the_month_of_the_workbook_is_of_the_latest_period_over_by_then(
    month: str, year: str, half: str
) -> None:
    parsed = read(month, FM_2=SERVICES, FM_4=AFFILIATES, FM_5=PERSONS, FM_8=CASES)
    assert parsed.findings == ()
    assert own_periods(parsed) == {"FM-4": year, "FM-5": half, "FM-8": half}
    said = {fix.read_as for fix in parsed.fixes}
    assert said == {year, half}


def test_a_sheet_that_gives_no_period_is_of_the_latest_one_over_by_the_files_month() -> None:
    parsed = read(FM_2=SERVICES, FM_4=headed(""))
    assert parsed.findings == ()
    assert own_periods(parsed) == {"FM-4": "2025"}
    [fix] = parsed.fixes
    assert (fix.given, fix.read_as) == ("", "2025")


def test_a_sheet_of_another_month_than_the_workbook_disagrees_with_it() -> None:
    parsed = read(FM_2=SERVICES, FM_4=headed("2026年2月"))
    assert [finding.rule for finding in parsed.findings] == ["P15"]


@pytest.mark.parametrize("written", ["2025年上半年", "2025年第一季度", "2025年1-3月"])
def test_another_kind_of_period_than_the_form_is_filed_for_is_refused(written: str) -> None:
    parsed = read(FM_2=SERVICES, FM_4=headed(written))
    [finding] = parsed.findings
    assert (finding.rule, finding.cell, finding.expected) == ("P33", "H6", "2025年")
    assert own_periods(parsed) == {}
    assert str(parsed.period) == "2026-03"


@pytest.mark.parametrize("written", ["2025年", "2026年第一季度"])
def test_a_monthly_form_is_of_a_month(written: str) -> None:
    parsed = read(FM_2=headed(written, SERVICES))
    assert [finding.rule for finding in parsed.findings] == ["P33"]
    assert parsed.period is None


def test_months_from_and_to_on_a_monthly_form_are_no_period() -> None:
    parsed = read(FM_2=headed("2026年1-6月", SERVICES))
    assert [finding.rule for finding in parsed.findings] == ["P03"]


@pytest.mark.parametrize(
    ("written", "period"), [("2025年", "2025"), ("2026年3月", "2025"), ("2026年12月", "2026")]
)
def test_a_file_with_nothing_but_affiliates_is_filed_under_their_year(written: str, period: str) -> None:
    parsed = read(FM_4=headed(written))
    assert parsed.findings == ()
    assert str(parsed.period) == period


def test_a_file_of_several_such_forms_is_filed_under_the_latest_of_their_periods() -> None:
    parsed = read(FM_4=headed("2025年"), FM_5=headed("2026年上半年", PERSONS))
    assert parsed.findings == ()
    assert str(parsed.period) == "2026-H1"
    assert own_periods(parsed) == {"FM-4": "2025", "FM-5": "2026-H1"}


def test_without_any_period_such_a_file_cannot_be_filed() -> None:
    parsed = read(FM_4=headed(""))
    assert [finding.rule for finding in parsed.findings] == ["P03"]
    assert parsed.period is None


def test_nothing_this_month_and_affiliates_of_last_year_do_not_contradict_each_other() -> None:
    parsed = read(FM_2=headed("2026年3月", "", is_zero_return="☑"), FM_4=headed("2025年"))
    assert parsed.findings == ()
    assert parsed.is_zero_return


def test_affiliates_do_not_stand_for_the_month_that_was_left_empty() -> None:
    parsed = read(FM_2=headed("2026年3月", ""), FM_4=headed("2025年"))
    assert [finding.rule for finding in parsed.findings] == ["P23"]
    assert not parsed.is_zero_return


def test_a_box_ticked_over_rows_of_affiliates_contradicts_them() -> None:
    parsed = read(FM_2=SERVICES, FM_4=headed("2025年", is_zero_return="☑"))
    assert [finding.rule for finding in parsed.findings] == ["P22"]


def test_a_template_with_an_empty_sheet_of_affiliates_says_nothing_of_them() -> None:
    parsed = read(FM_2=SERVICES, FM_4=headed("2025年", ""))
    assert parsed.findings == ()
    assert not any(cell.form_code == "FM-4" and cell.section == "row" for cell in parsed.cells)


def test_outward_and_inward_affiliates_may_stand_on_a_sheet_each() -> None:
    inward = AFFILIATES.replace("外向|甲|SGP", "内向|乙|DEU")
    parsed = read(
        **{
            "FM_2": SERVICES,
            "FM_4": {"sheet": "附属机构（外向）", **headed("2025年")},
            "FM_4#2": {"sheet": "附属机构（内向）", **headed("2025年", inward)},
        }
    )
    assert parsed.findings == ()
    rows = [cell.code for cell in parsed.cells if cell.form_code == "FM-4" and cell.field == "direction"]
    assert rows == ["outward", "inward"]


def test_blank_zero_withheld_and_not_applicable_stay_four_things() -> None:
    rows = AFFILIATES.splitlines()[0] + "".join(
        f"\n外向|{name}|SGP|6513|80|900|{services}"
        for name, services in (("甲", ""), ("乙", "0"), ("丙", ".."), ("丁", "—"))
    )
    parsed = read(FM_2=SERVICES, FM_4=headed("2025年", rows))
    assert parsed.findings == ()
    states = {
        cell.row_number: (cell.state, cell.number)
        for cell in parsed.cells
        if cell.field == "services_revenue"
    }
    assert states == {11: ("zero", 0), 12: ("withheld", None), 13: ("not_applicable", None)}


def test_each_form_is_known_by_its_number_by_its_title_and_by_its_columns() -> None:
    for form, rows in (("FM_4", AFFILIATES), ("FM_5", PERSONS), ("FM_8", CASES)):
        code = form.replace("_", "-")
        plain = read(FM_2=SERVICES, **{form: rows})
        by_title = read(FM_2=SERVICES, **{form: {"rows": rows, "head": {"form_code": ""}}})
        by_columns = read(
            FM_2=SERVICES,
            **{form: {"rows": rows, "head": {"form_code": ""}, "title": "一览", "sheet": "表五"}},
        )
        for parsed in (plain, by_title, by_columns):
            assert code in parsed.form_codes, form
            assert parsed.findings == (), form


# A month's workbook and the form that every month has -------------------------------------------------------------

CONTRACTS = (
    "contract_no|outsourcing_type|shore|partner_code|contract_amount|executed|executed_cumulative\n"
    "C1|ITO|离岸|USA|100|10|10"
)
TECHNOLOGY = (
    "registration_no|direction|contract_type|partner_code|contract_amount|technology_fee|effective_date|registered_date\n"
    "HB2026I001|进口|技术服务|DEU|120|90|2026-03-01|2026-03-05"
)
REGISTRATION = {"pairs": {"industry_code": "6513"}}


@pytest.mark.parametrize(
    ("sheets", "held", "sheet"),
    [
        ({"FM_1": REGISTRATION}, "FM-1", "基本情况"),
        ({"FM_3": CONTRACTS}, "FM-3", "服务外包"),
        ({"FM_6": TECHNOLOGY}, "FM-6", "技术进出口"),
        ({"FM_1": REGISTRATION, "FM_3": CONTRACTS}, "FM-1, FM-3", "服务外包"),
        ({"FM_3": CONTRACTS, "FM_4": headed("2025年")}, "FM-3, FM-4", "服务外包"),
    ],
)
@pytest.mark.parametrize("month", ["2026-03", "2026-M01-02"])
def test_a_months_workbook_without_exports_and_imports_of_services_is_refused(
    sheets: dict[str, Any], held: str, sheet: str, month: str
) -> None:
    parsed = read(month, **sheets, FM_2=None)
    [finding] = [one for one in parsed.findings if one.severity is Severity.CRITICAL]
    assert (finding.rule, finding.sheet, finding.given, finding.expected) == ("P35", sheet, held, "FM-2")
    assert "同一个工作簿" in finding.message.zh
    assert "one workbook" in finding.message.en


def test_a_blank_sheet_of_services_without_a_tick_will_do_where_another_monthly_form_has_rows() -> None:
    parsed = read(FM_2="", FM_3=CONTRACTS)
    assert parsed.findings == ()
    assert not parsed.is_zero_return


def test_beside_outsourcing_contracts_a_tick_on_the_sheet_of_services_says_nothing_of_the_month() -> None:
    parsed = read(FM_2={"head": {"is_zero_return": "☑"}}, FM_3=CONTRACTS)
    assert parsed.findings == ()
    assert not parsed.is_zero_return


@pytest.mark.parametrize(
    "sheets", [{"FM_4": headed("2025年")}, {"FM_1": REGISTRATION, "FM_4": headed("2025年")}]
)
def test_a_file_of_yearly_forms_and_the_registration_is_no_months_return_and_needs_no_other(
    sheets: dict[str, Any],
) -> None:
    parsed = read(**sheets, FM_2=None)
    assert parsed.findings == ()
    assert str(parsed.period) == "2025"


def test_a_ticked_box_does_not_replace_the_sheet_that_is_missing() -> None:
    parsed = read(FM_2=None, FM_3={"head": {"is_zero_return": "☑"}})
    assert [one.rule for one in parsed.findings] == ["P35"]
    assert not parsed.is_zero_return
