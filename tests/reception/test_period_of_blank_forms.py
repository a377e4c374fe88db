"""A blank form is for a period that the door takes, and a correction only where it corrects something."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from filed_by_hand import Line, a_workbook, credit_code

from pipelines.findings import Severity, Verdict
from pipelines.ledger import Ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.periods import Month
from pipelines.reception import FileResult, IncomingFile, Reception
from pipelines.reception.blank_forms import BlankForm, BlankForms
from pipelines.reception.uploads import UploadRefused
from pipelines.reception.zero_return import zero_return_of
from pipelines.settings import Settings
from sample_data.rule_samples import build
from tests.intake.rewritten import set_cells, set_results

OPERATOR = Actor.operator("tester")
CLERK = Actor("li", frozenset({Role.CLERK}))
JANUARY, FEBRUARY, MARCH = (Month(2020, number) for number in (1, 2, 3))
OURS = credit_code(7)
LINES = [Line("SI2", "USA", 210.5, 210.5)]


@pytest.fixture
def blank_forms(settings: Settings, ledger: Ledger) -> BlankForms:
    return BlankForms(settings, ledger)


def file(reception: Reception, content: bytes, name: str = "a.xlsx", at: str = "2020-04-08") -> FileResult:
    received_at = datetime.fromisoformat(f"{at}T09:00").replace(tzinfo=UTC)
    [result] = reception.submit(
        [IncomingFile(name, content, received_at=received_at)], channel="cli", received_by="tester"
    )
    return result


def joint(reception: Reception) -> FileResult:
    result = file(reception, a_workbook(OURS, "2020-02", LINES, period="2020年1-2月"))
    assert result.verdict is Verdict.ACCEPTED
    return result


def head_of(form: BlankForm) -> tuple[Any, Any]:
    """Period and kind of return as printed on the form."""
    sheet = openpyxl.load_workbook(io.BytesIO(form.content))["服务进出口"]
    shown = {
        str(cell.value).rstrip("：").strip(): sheet.cell(cell.row, cell.column + 1).value
        for row in sheet.iter_rows(min_row=6, max_row=9)
        for cell in row
        if cell.value
    }
    return shown["报告期"], shown["填报类型"]


def test_affiliates_of_a_year_filed_alone_make_no_correction_of_the_month(
    reception: Reception, blank_forms: BlankForms
) -> None:
    rows = (
        "direction|affiliate_name|partner_code|industry_code|holding_share_pct|sales_revenue|services_revenue\n"
        "外向|甲|SGP|6513|80|900|600"
    )
    described = {"month": "2020-03", "FM-4": {"head": {"reference_month": "2019年"}, "rows": rows}}
    name, content = build(described, OURS, "示例一号服务有限公司")
    filed = file(reception, content, name)
    assert filed.verdict is Verdict.ACCEPTED, filed.findings
    form = blank_forms.one(OURS, MARCH, OPERATOR)
    assert "FM-2" in form.form_codes
    assert not form.is_revision
    assert head_of(form) == ("2020年3月", "首报")
    again = blank_forms.one(OURS, MARCH, OPERATOR, form_codes=["FM-4"])
    assert (again.form_codes, again.is_revision) == (("FM-4",), True)
    other = blank_forms.one(OURS, MARCH, OPERATOR, form_codes=["FM-7"])
    assert not other.is_revision


@pytest.mark.parametrize("month", [JANUARY, FEBRUARY])
def test_under_an_accepted_joint_return_the_form_of_either_month_is_the_joint_one(
    reception: Reception, blank_forms: BlankForms, month: Month
) -> None:
    joint(reception)
    form = blank_forms.one(OURS, month, OPERATOR)
    assert (form.is_revision, str(form.period), form.carried_from) == (True, "2020-M01-02", FEBRUARY)
    assert head_of(form) == ("2020年1—2月", "更正")
    assert form.file_name.endswith("_2020年1—2月.xlsx")
    content = set_cells(form.content, "服务进出口", {"D12": 200, "E12": 200})
    content = set_results(content, "服务进出口", {"D52": 200, "E52": 200})
    result = file(reception, content, form.file_name)
    assert result.verdict is Verdict.ACCEPTED, result.findings
    assert str(result.period) == "2020-M01-02"


def test_the_forms_of_others_and_of_march_are_for_their_month_all_the_same(
    reception: Reception, blank_forms: BlankForms
) -> None:
    joint(reception)
    others = {form.enterprise_code: form for form in blank_forms.many(FEBRUARY, OPERATOR)}
    assert str(others.pop(OURS).period) == "2020-M01-02"
    assert {str(form.period) for form in others.values()} == {"2020-02"}
    assert not any(form.is_revision for form in others.values())
    march = blank_forms.one(OURS, MARCH, OPERATOR)
    assert (str(march.period), march.is_revision, march.carried_from) == ("2020-03", False, FEBRUARY)


def test_february_filed_alone_is_no_source_and_no_correction_for_january(
    reception: Reception, blank_forms: BlankForms
) -> None:
    filed = file(reception, a_workbook(OURS, "2020-02", LINES))
    assert filed.verdict is Verdict.ACCEPTED
    january = blank_forms.one(OURS, JANUARY, OPERATOR)
    assert (str(january.period), january.is_revision, january.carried_from) == ("2020-01", False, None)
    february = blank_forms.one(OURS, FEBRUARY, OPERATOR)
    assert (str(february.period), february.is_revision) == ("2020-02", True)


@pytest.mark.parametrize("month", [JANUARY, FEBRUARY])
@pytest.mark.parametrize("is_revision", [False, True])
def test_one_click_under_an_accepted_joint_return_is_refused_before_anything_is_filed(
    reception: Reception, ledger: Ledger, month: Month, is_revision: bool
) -> None:
    joint(reception)
    [standing] = ledger.submissions()
    with pytest.raises(UploadRefused) as refused:
        zero_return_of(ledger, OURS, month, CLERK, is_revision=is_revision)
    assert f"2020-02-{standing.sequence:06d}" in refused.value.wording.zh
    assert "1—2月合并报表" in refused.value.wording.zh
    assert "January and February together" in refused.value.wording.en
    assert zero_return_of(ledger, OURS, MARCH, CLERK, is_revision=False).name.startswith("2020-03_")
    single = file(reception, a_workbook(OURS, str(month), [], is_zero_return=True, is_revision=is_revision))
    assert {found.rule for found in single.findings if found.severity is Severity.CRITICAL} == {"H7e"}
