"""What is planted is there and nowhere else: truth cells differ from the true return, clean returns obey the rules."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import openpyxl
import pytest
from generated_city import City

from pipelines.periods import Month
from sample_data import timeline
from sample_data.clerk import QUIRKS, habits_of
from sample_data.economy import DECIMALS, FLOWS, EnterpriseSeries, calibrate, in_usd_cents, true_series
from sample_data.enterprises import build_register, children_of_items
from sample_data.mistakes import KINDS, make_mistake
from sample_data.returns import AMOUNT_FIELDS, Return, recompute_totals, true_return, whole
from sample_data.workbook import write_return

SEED = 11
MONTHS = tuple(Month(2019, 1).plus(offset) for offset in range(24))


@pytest.fixture(scope="module")
def all_series() -> list[EnterpriseSeries]:
    register = build_register(60, MONTHS[0], len(MONTHS), SEED)
    calibration = calibrate(register, MONTHS, SEED)
    return [true_series(enterprise, MONTHS, calibration, SEED) for enterprise in register]


def returns_of(series: EnterpriseSeries) -> list[tuple[int, Return]]:
    return [
        (position, true_return(series, position, SEED))
        for position, month in enumerate(MONTHS)
        if series.enterprise.is_expected(month)
    ]


def test_every_planted_cell_differs_from_the_corrected_return(city: City) -> None:
    corrections = {
        (truth["month"], truth["enterprise_code"]): truth["file"]
        for truth in city.truths
        if truth["kind"] == "correction"
    }
    compared = 0
    for truth in city.truths:
        corrected = corrections.get((truth["month"], truth["enterprise_code"]))
        if not truth["is_error"] or not truth["cell"] or corrected is None:
            continue
        wrong_sheet = openpyxl.load_workbook(city.folder / truth["file"])[truth["sheet"]]
        right_sheet = openpyxl.load_workbook(city.folder / corrected)[truth["sheet"]]
        if truth["kind"] == "offshore_without_export":
            continue  # the planted fault is what is missing on another sheet; the cell named has the contract
        if truth["kind"] == "month_executed_above_cumulative":
            column = chr(
                ord(truth["cell"][0]) + 1
            )  # the month is right, the cumulative figure beside it is not
            cell = column + truth["cell"][1:]
        else:
            cell = truth["cell"]
        assert wrong_sheet[cell].value != right_sheet[cell].value, truth
        compared += 1
    assert compared > 10


def test_every_planted_file_exists_and_every_line_says_what_ought_to_happen(city: City) -> None:
    for truth in city.truths:
        assert truth["verdict"] in ("accepted", "queries", "rejected", "unreadable", "not_filed")
        assert bool(truth["file"]) == (truth["verdict"] != "not_filed")
        if truth["file"]:
            assert (city.folder / truth["file"]).is_file()
        assert truth["is_error"] == (truth["verdict"] != "accepted")
        assert bool(truth["rule"]) or not truth["is_error"] or truth["kind"] == "not_filed"


def test_an_exact_duplicate_has_the_bytes_of_an_earlier_file(city: City) -> None:
    duplicates = [truth["file"] for truth in city.truths if truth["kind"] == "exact_duplicate"]
    assert duplicates
    for path in duplicates:
        content = (city.folder / path).read_bytes()
        twins = [other for other in (city.folder / path).parent.iterdir() if other.read_bytes() == content]
        assert len(twins) == 2


def test_cumulative_figures_and_totals_of_true_returns_are_exact(all_series: list[EnterpriseSeries]) -> None:
    for series in all_series:
        before: dict[tuple[str, str, str], int] = {}
        for _, filled in returns_of(series):
            if filled.month.month == 1:
                before.clear()
            for row in filled.rows:
                for flow in FLOWS:
                    if row.amounts[flow] is None:
                        assert row.amounts[f"{flow}_ytd"] is None
                        continue
                    key = (row.item_code, row.partner_code, flow)
                    ytd = before.get(key, 0) + whole(row.amounts[flow])
                    assert row.amounts[f"{flow}_ytd"] == ytd
                    before[key] = ytd
            for name in AMOUNT_FIELDS:
                leaves = [
                    whole(row.amounts[name])
                    for row in filled.rows
                    if not row.is_parent and row.amounts[name] is not None
                ]
                assert (filled.totals[name] or 0) == sum(leaves)


def test_parent_rows_are_the_sum_of_their_children(all_series: list[EnterpriseSeries]) -> None:
    parents = 0
    for series in all_series:
        if not series.enterprise.has_parent_rows:
            continue
        for _, filled in returns_of(series)[::5]:
            for parent in (row for row in filled.rows if row.is_parent):
                parents += 1
                below = [
                    row
                    for row in filled.rows
                    if row.item_code in children_of_items()[parent.item_code]
                    and row.partner_code == parent.partner_code
                ]
                assert below
                for name in AMOUNT_FIELDS:
                    parts = [whole(row.amounts[name]) for row in below if row.amounts[name] is not None]
                    assert parent.amounts[name] == (sum(parts) if parts else None)
    assert parents > 0


def test_a_row_that_moves_beyond_the_query_bounds_says_why(all_series: list[EnterpriseSeries]) -> None:
    explained = 0
    for series in all_series:
        filed = dict(returns_of(series))
        usd = {
            (position, row.item_code, row.partner_code, flow): in_usd_cents(
                whole(row.amounts[flow]), series.enterprise.unit_code, filled.month
            )
            / 100
            for position, filled in filed.items()
            for row in filled.rows
            for flow in FLOWS
            if row.amounts[flow]
        }
        for position, filled in filed.items():
            for row in filled.rows:
                for flow in FLOWS:
                    for earlier in (position - 1, position - 12):
                        key = (row.item_code, row.partner_code, flow)
                        now, base = usd.get((position, *key)), usd.get((earlier, *key))
                        if now is None or base is None or max(now, base) < 100_000:
                            continue
                        if not 0.4 <= now / base <= 2.5:
                            assert row.remark, (series.enterprise.name, filled.month, key)
                            explained += 1
    assert explained > 0


def test_no_amount_repeats_last_months(all_series: list[EnterpriseSeries]) -> None:
    for series in all_series:
        for line in series.lines:
            for flow in FLOWS:
                amounts = line.amounts[flow] or ()
                pairs = pairwise(amounts)
                assert all(one != two or one == 0 for one, two in pairs)


def test_contracts_never_execute_more_than_was_signed_and_add_up_month_by_month(
    all_series: list[EnterpriseSeries],
) -> None:
    contracts = 0
    for series in all_series:
        before: dict[str, int] = {}
        for month, rows in zip(series.months, series.contracts, strict=False):
            numbers = [row.contract_no for row in rows]
            assert len(set(numbers)) == len(numbers)
            for row in rows:
                contracts += 1
                assert 0 < row.executed <= row.executed_cumulative <= row.contract_amount
                if row.contract_no in before:
                    assert row.executed_cumulative == before[row.contract_no] + row.executed
                before[row.contract_no] = row.executed_cumulative
                assert (row.signed_year, row.signed_month) <= (month.year, month.month)
                assert (row.partner_code == "CHN") == (row.shore == "onshore")
    assert contracts > 500


def test_exports_stay_below_the_revenue_stated_in_january(all_series: list[EnterpriseSeries]) -> None:
    for series in all_series:
        unit = series.enterprise.unit_code
        for january in (0, 12):
            if not series.enterprise.is_expected(MONTHS[january]):
                continue
            filled = true_return(series, january, SEED)
            assert filled.profile is not None
            cents = sum(
                in_usd_cents(line.amounts["export"][position], unit, MONTHS[position])
                for line in series.lines
                if line.amounts["export"] is not None
                for position in range(january, january + 12)
            )
            yuan = Decimal(cents) / 100 * timeline.usd_cny(MONTHS[january])
            assert yuan < Decimal(whole(filled.profile["revenue"])) * 10_000


def test_a_seasonal_enterprise_files_zero_returns_outside_one_stretch_of_each_year(
    all_series: list[EnterpriseSeries],
) -> None:
    seasonal = [series for series in all_series if series.enterprise.profile.is_seasonal]
    assert seasonal
    for series in seasonal:
        for year in (2019, 2020):
            idle = [series.is_idle[position] for position, month in enumerate(MONTHS) if month.year == year]
            assert idle[0]
            assert sum(one != two for one, two in pairwise(idle)) == 2
        for _, filled in returns_of(series):
            assert filled.is_zero_return == (not filled.rows)


def test_every_kind_of_mistake_changes_the_return_where_it_says(all_series: list[EnterpriseSeries]) -> None:
    suited = {
        "parents": lambda one: one.enterprise.has_parent_rows,
        "outsourcing": lambda one: one.enterprise.is_outsourcing,
        "software": lambda one: one.enterprise.profile.key == "software",
    }
    for kind in KINDS:
        if kind.is_whole_file:
            continue
        needed = [suited[need] for need in sorted(kind.needs) if need in suited]
        series = next(
            one
            for one in all_series
            if one.enterprise.profile.key in ("software", "professional", "travel")
            and one.enterprise.is_expected(MONTHS[12])
            and all(test(one) for test in needed)
        )
        position = 12  # January: FM-1 is filed
        wrong = true_return(series, position, SEED)
        spots = make_mistake(kind, wrong, series, position, Random(kind.key))
        assert spots, kind.key
        written = write_return(wrong, habits_of(series.enterprise.number, SEED), frozenset(), Random(1))
        right = write_return(
            true_return(series, position, SEED),
            habits_of(series.enterprise.number, SEED),
            frozenset(),
            Random(1),
        )
        assert written.content != right.content, kind.key
        for spot in spots:
            assert written.where(spot.form_code, spot.place)


@pytest.mark.parametrize("quirk", QUIRKS)
def test_an_untidy_sheet_has_its_figures_where_the_addresses_say(
    quirk: str, all_series: list[EnterpriseSeries], tmp_path: Path
) -> None:
    series = next(one for one in all_series if one.enterprise.is_outsourcing)
    filled = true_return(series, 12, SEED)
    written = write_return(filled, habits_of(series.enterprise.number, SEED), frozenset({quirk}), Random(4))
    path = tmp_path / "untidy.xlsx"
    path.write_bytes(written.content)
    book = openpyxl.load_workbook(path)
    scale = 10 ** DECIMALS[series.enterprise.unit_code]
    for index, row in enumerate(filled.rows):
        sheet, cell = written.where("FM-2", f"row.{index}.item_code")
        assert str(book[sheet][cell].value).strip().startswith(row.item_code)
        sheet, cell = written.where("FM-2", f"row.{index}.export")
        value = book[sheet][cell].value
        if isinstance(value, int | float) and row.amounts["export"] is not None:
            assert value == whole(row.amounts["export"]) / scale
    sheet, cell = written.where("FM-1", "profile.industry_code")
    assert book[sheet][cell].value == series.enterprise.industry_code


def test_recomputing_totals_leaves_parents_out(all_series: list[EnterpriseSeries]) -> None:
    series = next(one for one in all_series if one.enterprise.has_parent_rows)
    filled = true_return(series, 3, SEED)
    printed = dict(filled.totals)
    recompute_totals(filled)
    assert filled.totals == printed
    everything = sum(whole(row.amounts["export"]) for row in filled.rows if row.amounts["export"] is not None)
    assert whole(filled.totals["export"]) < everything
