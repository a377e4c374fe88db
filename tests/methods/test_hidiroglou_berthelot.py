"""Hidiroglou-Berthelot against the published worked example and the panel computed by the survey system's own program."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipelines.methods.hidiroglou_berthelot import (
    OutlierStatus,
    current_value_bounds,
    historical_test,
)

# The worked example of the Functional Description, page 4-3.
PUBLISHED = [-1, 4, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 10, 10, 11, 11, 11, 12, 13, 13, 15, 19]


def test_the_published_example_comes_out_with_weibull_quartiles() -> None:
    bounds = current_value_bounds(PUBLISHED, inner=4, outer=6)
    assert (bounds.lower_quartile, bounds.median, bounds.upper_quartile) == (8, 9, 11)
    assert (bounds.outer_lower, bounds.inner_lower, bounds.inner_upper, bounds.outer_upper) == (3, 5, 17, 21)
    assert [bounds.status(value) for value in (-1, 4, 19)] == [
        OutlierStatus.OUTLIER,
        OutlierStatus.EXCLUDED,
        OutlierStatus.EXCLUDED,
    ]
    assert sum(bounds.status(value) is OutlierStatus.INSIDE for value in PUBLISHED) == 21


def test_a_figure_on_a_bound_is_inside_it() -> None:
    bounds = current_value_bounds(PUBLISHED, inner=4, outer=6)
    assert [bounds.status(value) for value in (3, 5, 17, 21)] == [
        OutlierStatus.EXCLUDED,
        OutlierStatus.INSIDE,
        OutlierStatus.INSIDE,
        OutlierStatus.EXCLUDED,
    ]


def test_equal_figures_still_leave_room_of_a_twentieth_of_the_median() -> None:
    bounds = current_value_bounds([100.0] * 5, inner=1, outer=2)
    assert (bounds.outer_lower, bounds.inner_upper) == (90, 105)


def test_missing_zero_and_negative_figures_are_not_used() -> None:
    outcome = historical_test(
        [10, None, 0, -5, 12, 11], [10, 10, 10, 10, 0, 11], exponent=0.5, inner=4, outer=6
    )
    assert [status is OutlierStatus.NOT_USED for status in outcome.statuses] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]
    assert historical_test([None], [3], exponent=0.5, inner=4, outer=6).bounds is None


def test_a_halving_weighs_like_a_doubling() -> None:
    outcome = historical_test(
        [50, 200, 100, 100, 100], [100, 100, 100, 100, 100], exponent=0, inner=4, outer=6
    )
    assert outcome.effects[0] == -outcome.effects[1] == -1  # type: ignore[operator]


def test_the_second_published_series_comes_out(shared: Path) -> None:
    folder = shared / "vectors" / "hidiroglou_berthelot"
    with (folder / "hb_fd_input.csv").open() as stream:
        values = [float(row["V2"]) for row in csv.DictReader(stream) if row["V2"]]
    bounds = current_value_bounds(values, inner=3, outer=6)
    assert (bounds.lower_quartile, bounds.median, bounds.upper_quartile) == (61.5, 100, 161.25)
    assert (bounds.outer_lower, bounds.inner_lower) == (-131, -15.5)
    assert (bounds.inner_upper, bounds.outer_upper) == (283.75, 467.5)


def test_the_panel_of_forty_comes_out_as_the_survey_system_computed_it(shared: Path) -> None:
    folder = shared / "vectors" / "hidiroglou_berthelot"
    with (folder / "hb_hist_current.csv").open() as stream:
        current = {row["ident"]: float(row["X"]) for row in csv.DictReader(stream)}
    with (folder / "hb_hist_previous.csv").open() as stream:
        previous = {row["ident"]: float(row["X"]) for row in csv.DictReader(stream)}
    with (folder / "hb_hist_exp0.5_outsummary.csv").open() as stream:
        [summary] = csv.DictReader(stream)
    with (folder / "hb_hist_exp0.5_outstatus_detailed.csv").open() as stream:
        outliers = {row["ident"]: float(row["EFFECT"]) for row in csv.DictReader(stream)}
    names = sorted(current)
    outcome = historical_test(
        [current[name] for name in names], [previous[name] for name in names], exponent=0.5, inner=6, outer=10
    )
    assert outcome.bounds is not None
    computed = [
        outcome.bounds.lower_quartile,
        outcome.bounds.median,
        outcome.bounds.upper_quartile,
        outcome.bounds.outer_lower,
        outcome.bounds.inner_lower,
        outcome.bounds.inner_upper,
        outcome.bounds.outer_upper,
    ]
    keys = ("Q1", "M", "Q3", "IMP_BND_L", "EXCL_BND_L", "EXCL_BND_R", "IMP_BND_R")
    assert computed == pytest.approx([float(summary[key]) for key in keys], rel=1e-12)
    found = {
        name: effect
        for name, effect, status in zip(names, outcome.effects, outcome.statuses, strict=True)
        if status is OutlierStatus.OUTLIER
    }
    assert found == pytest.approx(outliers, rel=1e-12)
