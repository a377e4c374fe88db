"""Affiliates, persons and cases of the city: in the months they are due, coherent, and drawn from streams of their own."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from generated_city import City

from pipelines.intake import read_file
from pipelines.periods import Month
from sample_data.clerk import habits_of
from sample_data.economy import EnterpriseSeries, calibrate, true_series
from sample_data.enterprises import build_register
from sample_data.period_forms import MISTAKES, MONTHS_OF_FORM, period_file, period_rows
from sample_data.returns import true_return
from sample_data.workbook import write_period_file, write_return

SEED = 11
MONTHS = tuple(Month(2019, 1).plus(offset) for offset in range(24))


@pytest.fixture(scope="module")
def all_series() -> list[EnterpriseSeries]:
    register = build_register(60, MONTHS[0], len(MONTHS), SEED)
    calibration = calibrate(register, MONTHS, SEED)
    return [true_series(enterprise, MONTHS, calibration, SEED) for enterprise in register]


def test_the_forms_stand_in_the_months_in_which_they_are_due(all_series: list[EnterpriseSeries]) -> None:
    found = {
        (form.form_code, month.month)
        for series in all_series
        for position, month in enumerate(MONTHS)
        for form in period_rows(series, position, SEED)
    }
    assert found == {(form, month) for form, months in MONTHS_OF_FORM.items() for month in months}


def test_no_year_is_reported_of_which_the_city_has_no_figures(all_series: list[EnterpriseSeries]) -> None:
    march_2019 = MONTHS.index(Month(2019, 3))
    found = {form.form_code for series in all_series for form in period_rows(series, march_2019, SEED)}
    assert found <= {"FM-7"}  # a quarter that is over, and of which there are figures


def test_right_rows_keep_the_rules_between_their_own_figures(all_series: list[EnterpriseSeries]) -> None:
    rows = [
        (form.form_code, row)
        for series in all_series
        for position in range(len(MONTHS))
        for form in period_rows(series, position, SEED)
        for row in form.rows
        if form.form_code in ("FM-4", "FM-5", "FM-8")
    ]
    assert {form for form, _ in rows} == {"FM-4", "FM-5", "FM-8"}
    for form, row in rows:
        if form == "FM-4":
            assert 50 < row["holding_share_pct"] <= 100
            assert 0 < row["services_revenue"] <= row["sales_revenue"]
        elif form == "FM-5":
            assert row["person_count"] <= row["person_days"] <= row["person_count"] * 181
            assert 0 < row["remuneration"] <= row["contract_amount"]
        elif form == "FM-7":
            assert 0 <= row["remote_revenue"] <= row["revenue"]
            assert row.get("visit_count", 0) + row.get("trainee_count", 0) > 0
        else:
            assert row["annual_amount"] > 0
            assert len(str(row["summary"])) >= 10


def test_every_mistake_changes_the_cell_it_names_and_no_other_row(all_series: list[EnterpriseSeries]) -> None:
    seen = set()
    for series in all_series:
        for position in range(len(MONTHS)):
            found = period_file(series, position, SEED)
            if found is None:
                continue
            right, wrong, mistake = found
            seen.add(mistake.form_code)
            changed = {name for name in right.rows[0] if right.rows[0][name] != wrong.rows[0].get(name)}
            # a summary that is missing is asked about at the case's name
            assert mistake.place in changed or (
                mistake.key == "case_without_summary" and changed == {"summary"}
            )
            assert right.rows[1:] == wrong.rows[1:]
    assert seen >= {"FM-4", "FM-5", "FM-8"}
    assert {mistake.form_code for mistake in MISTAKES} >= {"FM-4", "FM-5", "FM-8"}


def test_a_return_has_the_same_monthly_sheets_with_and_without_them(
    all_series: list[EnterpriseSeries],
) -> None:
    position = MONTHS.index(Month(2020, 6))
    series = next(one for one in all_series if period_rows(one, position, SEED))
    filled = true_return(series, position, SEED)
    habits = habits_of(series.enterprise.number, SEED)
    with_them = replace(filled, period_rows=period_rows(series, position, SEED))

    def monthly(one: object) -> list[object]:
        parsed = read_file("a.xlsx", write_return(one, habits, frozenset(), Random(3)).content)  # type: ignore[arg-type]
        assert parsed.findings == ()
        return [cell for cell in parsed.cells if cell.form_code in ("FM-1", "FM-2", "FM-3")]

    assert monthly(filled) == monthly(with_them)


def test_a_file_of_its_own_is_read_as_the_period_of_its_form(all_series: list[EnterpriseSeries]) -> None:
    position = MONTHS.index(Month(2020, 3))
    series, form = next(
        (one, form)
        for one in all_series
        for form in period_rows(one, position, SEED)
        if form.form_code == "FM-4"
    )
    filled = true_return(series, position, SEED)
    filled.period_rows = (form,)
    written = write_period_file(filled, habits_of(series.enterprise.number, SEED))
    parsed = read_file("a.xlsx", written.content)
    assert parsed.findings == ()
    assert parsed.form_codes == ("FM-4",)
    assert str(parsed.period) == "2019"


def test_such_files_come_after_the_enterprises_own_return(city: City) -> None:
    first_return: dict[tuple[str, str], object] = {}
    for path, received_at in city.filings:
        if path.startswith("returns/"):
            _, month, name = path.split("/")
            first_return.setdefault((month, name.split("_")[0]), received_at)
    files = [(path, at) for path, at in city.filings if path.startswith("period_forms/")]
    assert files
    for path, received_at in files:
        month, _, name = path.removeprefix("period_forms/").removesuffix(".xlsx").split("_")
        assert received_at > first_return[month, name.removesuffix("（更正）")]  # type: ignore[operator]
