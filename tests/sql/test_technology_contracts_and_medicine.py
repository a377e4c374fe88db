"""FM-6 and FM-7 from the workbook to the indicator: contracts once, amendments by difference, quarters by the last sheet."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.intake import read_file
from sample_data.rule_samples import build, credit_code

CONTRACT_TABLES = ("indicators.technology_contracts",)
HEAD = "registration_no|direction|contract_type|partner_code|contract_amount|technology_fee|effective_date|registered_date|is_amendment\n"
Row = Callable[..., SimpleNamespace]


@pytest.fixture
def files(bureau: Any) -> Callable[..., str]:
    """File a workbook described as in `sample_data/broken_and_clean`; gives its submission id."""

    def file(month: str, number: int = 1, **described: Any) -> str:
        sheets = {key.replace("_", "-"): held for key, held in described.items() if key.startswith("FM")}
        rest = {key: held for key, held in described.items() if not key.startswith("FM")}
        name, content = build({"month": month, **rest, **sheets}, credit_code(number), "样例企业")
        parsed = read_file(name, content)
        assert [found.message.en for found in parsed.findings if found.severity.value == "critical"] == []
        return str(bureau.receives_return(parsed))

    return file


def direct(
    row: Row,
    month: str,
    measure: str,
    flow: str = "import",
    period: str = "month",
    currency: str | None = "USD",
) -> Any:
    found = row(
        "indicators.technology_contracts", month, source="direct_report", flow=flow, measure=measure, period=period,
        currency_code=currency,
    )  # fmt: skip
    return found.amount


def test_a_contract_counts_once_with_all_its_value(
    bureau: Any, files: Any, row: Row, rates_of_seven: None
) -> None:
    files("2020-02", FM_6=HEAD + "A1|进口|专利实施许可|DEU|100|80|2020-01-20|2020-02-05|")
    bureau.computes("2020-01", "2020-02", names=CONTRACT_TABLES)
    assert direct(row, "2020-02", "contract_count", currency=None) == 1
    assert direct(row, "2020-02", "contract_amount") == 1_000_000
    assert direct(row, "2020-02", "contract_amount", currency="CNY") == 7_000_000
    assert direct(row, "2020-02", "technology_fee", flow="total") == 800_000


def test_an_amendment_adds_its_difference_and_no_contract(
    bureau: Any, files: Any, row: Row, rates_of_seven: None
) -> None:
    files("2020-01", FM_6=HEAD + "A1|进口|专利实施许可|DEU|100|80|2020-01-02|2020-01-05|")
    files("2020-02", FM_6=HEAD + "A1|进口|专利实施许可|DEU|120|75|2020-01-02|2020-02-05|是")
    bureau.computes("2020-01", "2020-02", names=CONTRACT_TABLES)
    assert direct(row, "2020-02", "contract_amount") == 200_000
    assert direct(row, "2020-02", "technology_fee") == -50_000
    assert direct(row, "2020-02", "contract_amount", period="ytd") == 1_200_000
    assert direct(row, "2020-02", "contract_count", period="ytd", currency=None) == 1


def test_an_amendment_in_another_currency_is_the_difference_at_one_rate(
    bureau: Any, files: Any, row: Row, rates_of_seven: None
) -> None:
    files("2020-01", FM_6=HEAD + "A1|出口|技术服务|USA|100|0|2020-01-02|2020-01-05|")
    files("2020-02", unit="万元", FM_6=HEAD + "A1|出口|技术服务|USA|770|0|2020-01-02|2020-02-05|是")
    bureau.computes("2020-01", "2020-02", names=CONTRACT_TABLES)
    assert direct(row, "2020-02", "contract_amount", flow="export", currency="CNY") == 700_000
    assert direct(row, "2020-02", "contract_amount", flow="export") == pytest.approx(Decimal(100_000), abs=1)


def test_a_withheld_contract_counts_and_adds_no_amount(
    bureau: Any, files: Any, row: Row, rates_of_seven: None
) -> None:
    files(
        "2020-01",
        FM_6=HEAD
        + "A1|进口|技术服务|USA|..|..|2020-01-02|2020-01-05|\nA2|进口|技术服务|USA|5|1|2020-01-02|2020-01-05|",
    )
    bureau.computes("2020-01", names=CONTRACT_TABLES)
    assert direct(row, "2020-01", "contract_count", currency=None) == 2
    assert direct(row, "2020-01", "contract_amount") == 50_000


def test_without_a_rate_the_sum_is_unknown(bureau: Any, files: Any, row: Row) -> None:
    files("2020-01", unit="万元", FM_6=HEAD + "A1|进口|技术服务|USA|70|1|2020-01-02|2020-01-05|")
    bureau.computes("2020-01", names=CONTRACT_TABLES)
    assert direct(row, "2020-01", "contract_amount") is None
    assert direct(row, "2020-01", "contract_count", currency=None) == 1


def test_the_department_and_the_enterprises_are_two_sources(
    bureau: Any, files: Any, rows: Any, rates_of_seven: None
) -> None:
    files("2020-01", FM_6=HEAD + "A1|进口|技术服务|USA|70|1|2020-01-02|2020-01-05|")
    bureau.shares("DM-4", "indicator | period | value | unit\n技术进口合同数 | 2020-01 | 9 | 份")
    bureau.computes("2020-01", names=CONTRACT_TABLES)
    found = rows(
        "indicators.technology_contracts", "2020-01", flow="import", measure="contract_count", period="month"
    )
    assert {one.source: one.amount for one in found} == {"department": 9, "direct_report": 1}


def test_nobody_reporting_a_contract_is_empty_and_not_zero(
    bureau: Any, files: Any, rows: Any, rates_of_seven: None
) -> None:
    files("2020-01", FM_2="item_code|partner_code|export\nSJ35|USA|1")
    bureau.computes("2020-01", names=CONTRACT_TABLES)
    assert rows("indicators.technology_contracts", "2020-01") == []


SERVICES = "item_code|partner_code|export\nSK21|JPN|1"


def medicine(rows: str, quarter: str = "2020年第一季度") -> dict[str, Any]:
    return {"head": {"reference_month": quarter}, "rows": rows}


def test_a_quarter_of_chinese_medicine_adds_up_over_enterprises_and_kinds(
    bureau: Any, files: Any, rows: Any, rates_of_seven: None
) -> None:
    files(
        "2020-04",
        1,
        FM_2=SERVICES,
        FM_7=medicine("service_kind|visit_count|revenue|remote_revenue\n医疗服务|300|20|2.5"),
    )
    files(
        "2020-04",
        2,
        FM_2=SERVICES,
        FM_7=medicine("service_kind|visit_count|trainee_count|revenue\n医疗服务|40||3\n教育培训||12|6"),
    )
    bureau.computes("2020-04", names=("indicators.tcm_services",))
    found = {
        (one.service_kind, one.measure, one.currency_code): one.amount
        for one in rows("indicators.tcm_services", period_code="2020-Q1")
    }
    assert found["all", "visit_count", None] == 340
    assert found["all", "revenue", "USD"] == 290_000
    assert found["medical", "revenue", "CNY"] == 1_610_000
    assert found["education", "trainee_count", None] == 12
    assert found["all", "remote_revenue", "USD"] == 25_000


def test_of_two_sheets_of_a_quarter_the_one_received_last_counts(
    bureau: Any, files: Any, rows: Any, rates_of_seven: None
) -> None:
    files(
        "2020-04",
        FM_2=SERVICES,
        FM_7=medicine("service_kind|visit_count|revenue\n医疗服务|300|20\n教育培训|0|5"),
    )
    files("2020-05", FM_2=SERVICES, FM_7=medicine("service_kind|visit_count|revenue\n医疗服务|310|21"))
    bureau.computes("2020-04", "2020-05", names=("indicators.tcm_services",))
    [one] = rows("indicators.tcm_services", service_kind="all", measure="revenue", currency_code="USD")
    assert one.amount == 210_000


def test_a_quarter_with_a_rate_missing_is_unknown_in_dollars(bureau: Any, files: Any, rows: Any) -> None:
    files(
        "2020-04",
        unit="万元",
        FM_2=SERVICES,
        FM_7=medicine("service_kind|visit_count|revenue\n医疗服务|300|20"),
    )
    bureau.computes("2020-04", names=("indicators.tcm_services",))
    [dollars] = rows("indicators.tcm_services", service_kind="all", measure="revenue", currency_code="USD")
    assert dollars.amount is None
    [visits] = rows("indicators.tcm_services", service_kind="all", measure="visit_count")
    assert visits.amount == 300
