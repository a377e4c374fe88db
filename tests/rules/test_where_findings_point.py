"""A finding stands at the cell that it speaks of: the one that holds what it quotes as given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipelines.findings import Finding
from pipelines.intake import read_file
from pipelines.records import CellRecord
from pipelines.validation.messages import format_value
from pipelines.validation.rules import rule_book
from sample_data.rule_samples import ENTERPRISE_NAME, RuleSample, Told, build, credit_code, samples, tell

# Rules that quote what no single cell holds, and the field of the cell at which they stand all the same.
QUOTED_FROM_ELSEWHERE = {
    "A08": ("affiliate_name", "how often the row stands there"),
    "A10": ("employee_count", "a blank or zero count is quoted as 0"),
    "C06": ("summary", "how long it is"),
    "C07": ("case_name", "how often the case stands there"),
    "D6": ("rate", "the rate of one unit; the cell may hold that of a hundred"),
    "E06": ("revenue", "revenue by head"),
    "E07": ("revenue", "revenue in ten thousands of its currency"),
    "H7c": ("is_revision", "the period, as the filing type is what has to change"),
    "M07": ("revenue", "revenue by visit"),
    "N10": ("item_code", "how often the row stands there"),
    "Q16": ("is_revision", "how many rows of the form there are"),
    "Q4": ("revenue", "exports since January, set against it"),
    "Q5a": ("is_zero_return", "zero, which is what the tick says"),
    "Q7b": ("partner_code", "share of what names no partner"),
    "Q8b": ("executed", "sum of a partner, in US dollars"),
}
# What the sentence calls a code that the cell holds.
NAMES_OF_CODES = {"CHN": "中国", "W1": "世界", "medical": "医疗服务"}
IN_NO_CELL = {"L07"}  # a contract left out stands in none
OF_RETURNS = {rule.id: samples()[rule.id] for table in rule_book().of_level("return") for rule in table.rules}
NAMES = ("registration_no|direction|contract_type|partner_code|contract_amount|technology_fee|effective_date|"
         "registered_date|is_amendment\n")  # fmt: skip


@pytest.fixture(scope="module")
def told() -> dict[str, Told]:
    """What was said of every sample of a rule on returns and departmental tables."""
    return tell(OF_RETURNS)


def cell_of(sample: RuleSample, found: Finding) -> CellRecord:
    """The cell of the sample's file at which the finding stands."""
    code = found.given if found.rule == "Q5b" else credit_code(1)
    name, content = build(sample.broken, code, ENTERPRISE_NAME)
    held = [
        one
        for one in read_file(name, content).cells
        if (one.sheet, one.cell) == (found.sheet, found.cell) and one.field != "sheet_period"
    ]
    assert held, f"{found.rule}: nothing was read from {found.sheet}!{found.cell}"
    return held[0]


def says(cell: CellRecord) -> Iterator[str]:
    """What a cell can be quoted as: as typed, as a number with separators, by its code, by its day."""
    yield cell.text
    if cell.number is not None:
        yield format_value(float(cell.number), "", "zh")
    if cell.code:
        yield cell.code
        yield NAMES_OF_CODES.get(cell.code, "")
    if cell.day is not None:
        yield cell.day.isoformat()


@pytest.mark.parametrize("rule_id", sorted(set(OF_RETURNS) - IN_NO_CELL))
def test_a_finding_stands_at_the_cell_that_holds_what_it_quotes(told: dict[str, Told], rule_id: str) -> None:
    found = told[rule_id].example
    assert found is not None
    cell = cell_of(OF_RETURNS[rule_id], found)
    if rule_id in QUOTED_FROM_ELSEWHERE:
        assert cell.field == QUOTED_FROM_ELSEWHERE[rule_id][0]
    else:
        assert any(text and text in found.given for text in says(cell)), (found.given, list(says(cell)))


def test_a_contract_left_out_is_asked_about_on_its_sheet_and_at_no_other_contract(
    told: dict[str, Told],
) -> None:
    found = told["L07"].example
    assert found is not None
    assert (found.sheet, found.cell) == ("服务外包", "")
    assert found.message.zh.startswith("表“服务外包”（合同 C1）：")


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        ("HB2020I001|出口|专利实施许可|DEU|120|90|2020-01-20|2020-03-05|是", "B10"),
        ("HB2020I001|进口|技术服务|DEU|120|90|2020-01-20|2020-03-05|是", "C10"),
        ("HB2020I001|进口|专利实施许可|JPN|120|90|2020-01-20|2020-03-05|是", "D10"),
        ("HB2020I001|进口|技术服务|JPN|120|90|2020-01-20|2020-03-05|是", "C10"),
    ],
)
def test_a_technology_contract_that_changed_is_asked_about_where_it_changed(row: str, cell: str) -> None:
    sample = replace(samples()["K12"], at=f"技术进出口!{cell}", broken={"FM-6": NAMES + row})
    found = tell({"K12": sample})["K12"].example
    assert found is not None


@pytest.mark.parametrize(
    ("earlier", "cell", "given"), [(None, "E11", "100"), ("90", "G11", "120"), ("110", "E11", "100")]
)
def test_an_excess_over_a_contract_quotes_the_cell_at_which_it_is_asked_about(
    earlier: str | None, cell: str, given: str
) -> None:
    heads = "contract_no|outsourcing_type|shore|partner_code|contract_amount|executed|executed_cumulative\n"
    before = () if earlier is None else (
        {"month": "2020-02", "FM-3": f"{heads}C1|ITO|在岸|CHN|200|10|{earlier}"},
    )  # fmt: skip
    broken = {"FM-3": f"{heads}C1|ITO|在岸|CHN|100|10|120"}
    sample = replace(samples()["H8a"], at=f"服务外包!{cell}", before=before, broken=broken)
    found = tell({"H8a": sample})["H8a"].example
    assert found is not None
    assert found.given == given
    assert "合同额填报 100，累计执行额填报 120，超出合同额 20" in found.message.zh
