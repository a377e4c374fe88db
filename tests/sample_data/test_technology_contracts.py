"""Technology contracts of the city: coherent, amended once at most, and with mistakes only where there is one already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from generated_city import City

from pipelines.intake import read_file
from pipelines.periods import Month
from sample_data.clerk import habits_of
from sample_data.economy import EnterpriseSeries, calibrate, true_series
from sample_data.enterprises import build_register
from sample_data.returns import true_return
from sample_data.technology_contracts import MISTAKES, contract_rows, mistaken_contract_rows
from sample_data.workbook import write_return

SEED = 11
MONTHS = tuple(Month(2019, 1).plus(offset) for offset in range(24))


@pytest.fixture(scope="module")
def all_series() -> list[EnterpriseSeries]:
    register = build_register(60, MONTHS[0], len(MONTHS), SEED)
    calibration = calibrate(register, MONTHS, SEED)
    return [true_series(enterprise, MONTHS, calibration, SEED) for enterprise in register]


def test_contracts_are_registered_in_their_month_within_sixty_days(
    all_series: list[EnterpriseSeries],
) -> None:
    seen: dict[str, bool] = {}
    for series in all_series:
        for position, month in enumerate(MONTHS):
            found = contract_rows(series, position, SEED)
            for row in found.rows if found else []:
                assert 0 < row["technology_fee"] <= row["contract_amount"]
                assert Month.of(row["registered_date"]) == month
                is_amendment = row["is_amendment"] == "是"
                if not is_amendment:
                    assert (
                        timedelta(0) <= row["registered_date"] - row["effective_date"] <= timedelta(days=60)
                    )
                # a number is new once, and comes again as an amendment once at most
                assert (row["registration_no"] in seen) == is_amendment
                assert not seen.get(row["registration_no"], False)
                seen[row["registration_no"]] = is_amendment
    assert len(seen) > 20
    assert any(seen.values())


def test_a_mistake_is_in_the_first_row_at_the_cell_it_names(all_series: list[EnterpriseSeries]) -> None:
    made = set()
    for series in all_series:
        for position in range(len(MONTHS)):
            for verdict in ("queries", "rejected"):
                found = mistaken_contract_rows(series, position, SEED, verdict)
                right = contract_rows(series, position, SEED)
                if found is None or right is None:
                    continue
                wrong, mistake = found
                made.add(mistake.key)
                assert mistake.verdict == verdict
                assert wrong.rows[1:] == right.rows[1:]
                assert wrong.rows[0] != right.rows[0]
    assert made == {mistake.key for mistake in MISTAKES}


def test_a_return_has_the_same_other_sheets_with_and_without_contracts(
    all_series: list[EnterpriseSeries],
) -> None:
    series, position, rows = next(
        (one, position, rows)
        for one in all_series
        for position in range(len(MONTHS))
        if (rows := contract_rows(one, position, SEED)) is not None
    )
    filled = true_return(series, position, SEED)
    habits = habits_of(series.enterprise.number, SEED)

    def others(one: object) -> list[object]:
        parsed = read_file("a.xlsx", write_return(one, habits, frozenset(), Random(3)).content)  # type: ignore[arg-type]
        assert parsed.findings == ()
        return [cell for cell in parsed.cells if cell.form_code != "FM-6"]

    assert others(filled) == others(replace(filled, period_rows=(rows,)))


def test_a_mistake_in_contracts_stands_only_in_a_return_with_another_of_its_gravity(city: City) -> None:
    keys = {mistake.key for mistake in MISTAKES}
    verdicts = {
        truth["file"]: truth["verdict"]
        for truth in city.truths
        if truth["is_error"] and truth["kind"] not in keys
    }
    for truth in city.truths:
        if truth["kind"] in keys:
            assert verdicts[truth["file"]] == truth["verdict"]
