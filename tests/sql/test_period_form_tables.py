"""FM-4, FM-5 and FM-8 from the workbook to the warehouse: whose sheet counts, whose period it is, and what is not zero."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.intake import read_file
from sample_data.rule_samples import build, credit_code

TABLES = ("indicators.commercial_presence",)
SERVICES = "item_code|partner_code|export\nSJ35|USA|1"
AFFILIATE = (
    "direction|affiliate_name|partner_code|industry_code|holding_share_pct|sales_revenue|services_revenue\n"
)
PERSONS = "direction|item_code|partner_code|person_count|person_days|contract_amount|remuneration\n"
CASES = "case_name|delivery_mode|item_code|partner_code|annual_amount|summary\n"
Files = Callable[..., str]


@pytest.fixture
def files(bureau: Any) -> Files:
    """File a workbook described as in `sample_data/broken_and_clean`; gives its submission id."""

    def file(month: str, number: int = 1, **described: Any) -> str:
        sheets = {key.replace("_", "-"): held for key, held in described.items() if key.startswith("FM")}
        rest = {key: held for key, held in described.items() if not key.startswith("FM")}
        name, content = build({"month": month, **rest, **sheets}, credit_code(number), "样例企业")
        parsed = read_file(name, content)
        assert [found.message.en for found in parsed.findings if found.severity.value == "critical"] == []
        return str(bureau.receives_return(parsed))

    return file


def of(year: str, rows: str) -> dict[str, Any]:
    return {"head": {"reference_month": year}, "rows": AFFILIATE + rows}


def presence(
    rows: Callable[..., list[SimpleNamespace]], month: str
) -> dict[tuple[int, str], SimpleNamespace]:
    found = rows("indicators.commercial_presence", month, source="direct_report")
    return {(one.year, one.flow): one for one in found}


def test_outward_affiliates_are_exports_and_inward_ones_imports_of_their_year(
    bureau: Any, files: Files, rows: Any, rates_of_seven: None
) -> None:
    files(
        "2020-03",
        FM_2=SERVICES,
        FM_4=of(
            "2019年", "外向|甲|SGP|6513|80|900|600\n外向|乙|DEU|6513|100|50|50\n内向|丙|USA|6513|60|70|7"
        ),
    )
    bureau.computes("2020-02", "2020-03", names=TABLES)
    assert presence(rows, "2020-02") == {}
    found = presence(rows, "2020-03")
    assert set(found) == {(2019, "export"), (2019, "import")}
    assert found[2019, "export"].amount_usd == 6_500_000
    assert found[2019, "export"].amount_cny == 45_500_000
    assert found[2019, "export"].affiliate_count == 2
    assert found[2019, "import"].amount_usd == 70_000
    assert (found[2019, "export"].department, found[2019, "export"].is_latest) == (None, True)


def test_the_last_sheet_of_a_year_counts_whichever_month_it_comes_with(
    bureau: Any, files: Files, rows: Any, rates_of_seven: None
) -> None:
    files("2020-03", FM_2=SERVICES, FM_4=of("2019年", "外向|甲|SGP|6513|80|900|600"))
    files("2020-05", FM_2=SERVICES, FM_4=of("2019年", "外向|甲|SGP|6513|80|900|650"))
    bureau.computes("2020-03", "2020-05", names=TABLES)
    assert presence(rows, "2020-03")[2019, "export"].amount_usd == 6_000_000  # as it was known then
    assert presence(rows, "2020-05")[2019, "export"].amount_usd == 6_500_000


def test_a_sheet_without_rows_takes_nothing_back_and_another_direction_stands_beside(
    bureau: Any, files: Files, rows: Any, rates_of_seven: None
) -> None:
    files("2020-03", FM_2=SERVICES, FM_4=of("2019年", "外向|甲|SGP|6513|80|900|600"))
    files("2020-04", FM_2=SERVICES, FM_4=of("2019年", ""))
    files("2020-05", FM_2=SERVICES, FM_4=of("2019年", "内向|乙|DEU|6513|80|9|6"))
    bureau.computes("2020-03", "2020-04", "2020-05", names=TABLES)
    found = presence(rows, "2020-05")
    assert found[2019, "export"].amount_usd == 6_000_000
    assert found[2019, "import"].amount_usd == 60_000


def test_yuan_and_dollars_add_up_in_both_currencies_at_the_mean_of_the_year(
    bureau: Any, files: Files, rows: Any, rates_of_seven: None
) -> None:
    files("2020-03", 1, FM_2=SERVICES, FM_4=of("2019年", "外向|甲|SGP|6513|80|900|600"))
    files("2020-03", 2, unit="万元", FM_2=SERVICES, FM_4=of("2019年", "外向|乙|SGP|6513|80|900|700"))
    bureau.computes("2020-03", names=TABLES)
    found = presence(rows, "2020-03")[2019, "export"]
    assert found.amount_cny == 42_000_000 + 7_000_000
    assert found.amount_usd == pytest.approx(Decimal(7_000_000), abs=1)


def test_without_the_years_rates_the_sum_in_the_other_currency_is_unknown(
    bureau: Any, files: Files, rows: Any
) -> None:
    files("2020-03", FM_2=SERVICES, FM_4=of("2019年", "外向|甲|SGP|6513|80|900|600"))
    bureau.computes("2020-03", names=TABLES)
    found = presence(rows, "2020-03")[2019, "export"]
    assert found.amount_usd == 6_000_000
    assert found.amount_cny is None


def test_withheld_and_blank_sales_add_nothing_and_are_counted(
    bureau: Any, files: Files, rows: Any, rates_of_seven: None
) -> None:
    files(
        "2020-03",
        FM_2=SERVICES,
        FM_4=of("2019年", "外向|甲|SGP|6513|80|900|600\n外向|乙|SGP|6513|80|..|..\n外向|丙|SGP|6513|80|5|"),
    )
    files("2020-03", 2, FM_2=SERVICES, FM_4=of("2019年", "内向|丁|DEU|6513|80|..|.."))
    bureau.computes("2020-03", names=TABLES)
    found = presence(rows, "2020-03")
    assert found[2019, "export"].amount_usd == 6_000_000
    assert (found[2019, "export"].affiliate_count, found[2019, "export"].unreported_count) == (1, 2)
    assert (2019, "import") not in found  # nobody gave a figure: unknown, not zero


def test_a_zero_is_a_figure(bureau: Any, files: Files, rows: Any, rates_of_seven: None) -> None:
    files("2020-03", FM_2=SERVICES, FM_4=of("2019年", "外向|甲|SGP|6513|80|0|0"))
    bureau.computes("2020-03", names=TABLES)
    assert presence(rows, "2020-03")[2019, "export"].amount_usd == 0


def test_the_department_stands_beside_the_enterprises_and_is_never_added(
    bureau: Any, files: Files, rows: Any, rates_of_seven: None
) -> None:
    files("2020-03", FM_2=SERVICES, FM_4=of("2019年", "外向|甲|SGP|6513|80|900|600"))
    bureau.shares("DM-4", "indicator | period | value | unit\n外向附属机构销售收入 | 2019 | 8 | 亿元")
    bureau.computes("2020-03", names=TABLES)
    found = rows("indicators.commercial_presence", "2020-03", flow="export")
    assert {one.source: one.amount for one in found} == {
        "department": 800_000_000,
        "direct_report": 6_000_000,
    }


def test_a_file_with_nothing_but_affiliates_is_no_return_of_a_month_and_counts_all_the_same(
    bureau: Any, files: Files, rows: Any, rates_of_seven: None
) -> None:
    files("2020-03", FM_4=of("2019年", "外向|甲|SGP|6513|80|900|600"))
    bureau.computes("2019-12", names=(*TABLES, "validated.filing", "indicators.reporting"))
    assert rows("validated.filing", "2019-12") == []
    assert [one.filed_count for one in rows("indicators.reporting", "2019-12", district_code="all")] in (
        [],
        [0],
    )
    assert presence(rows, "2019-12")[2019, "export"].amount_usd == 6_000_000


def test_affiliates_are_in_no_total_of_services_trade(
    bureau: Any, files: Files, rows: Any, rates_of_seven: None
) -> None:
    files("2020-03", FM_2=SERVICES, FM_4=of("2019年", "外向|甲|SGP|6513|80|900|600"))
    bureau.computes("2020-03", names=("indicators.trade_total", *TABLES))
    [total] = rows(
        "indicators.trade_total",
        "2020-03",
        source="direct_report",
        measure="exports",
        scope="all",
        period="month",
        currency_code="USD",
    )
    assert total.amount == 10_000


def test_persons_and_cases_carry_their_half_year_and_its_mean_rate(
    bureau: Any, files: Files, rows: Any, rates_of_seven: None
) -> None:
    files(
        "2019-12",
        unit="万元",
        FM_2=SERVICES,
        FM_5={"head": {"reference_month": "2019年7-12月"}, "rows": PERSONS + "派出|SE1|PAK|2|60|70|.."},
        FM_8={
            "head": {"reference_month": "2019年12月"},
            "rows": CASES + "云上设计|数字交付|SJ31|DEU|14|在线完成设计并交付图纸",
        },
    )
    bureau.computes("2019-12", names=("core.person_movement", "core.digital_case"))
    [moved] = rows("core.person_movement", "2019-12")
    assert (moved.period_code, moved.flow, moved.item_code, moved.person_days) == (
        "2019-H2",
        "export",
        "SE1",
        60,
    )
    assert moved.contract_cny == 700_000
    assert moved.contract_usd == pytest.approx(Decimal(100_000), abs=1)
    assert (moved.remuneration_usd, moved.remuneration_state) == (None, "withheld")
    [case] = rows("core.digital_case", "2019-12")
    assert (case.period_code, case.delivery_mode, case.annual_cny) == (
        "2019-H2",
        "digitally_delivered",
        140_000,
    )
