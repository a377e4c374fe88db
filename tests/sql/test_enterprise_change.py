"""Enterprises that changed unlike the others: the warehouse's SQL and the method give the same effects and bounds."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pipelines.methods.hidiroglou_berthelot import OutlierStatus, historical_test


def rows_of(pairs: dict[str, tuple[float | None, float | None]]) -> str:
    head = (
        "enterprise_code | month_start_date | flow | main_item_code | item_code | partner_code | amount_usd"
    )
    lines = [
        f"{code} | {month}-01 | export | SI | SI2 | USA | {amount}"
        for code, (before, now) in pairs.items()
        for month, amount in (("2019-03", before), ("2020-03", now))
        if amount is not None
    ]
    return "\n".join([head, *lines])


def outcome(given: Any, build: Any, pairs: dict[str, tuple[float | None, float | None]]) -> list[Any]:
    given("core.service_trade", rows_of(pairs))
    return list(build("checks.enterprise_change", "2020-03"))


@pytest.mark.parametrize("seed", range(4))
def test_effects_and_bounds_are_those_of_the_method(given: Any, build: Any, seed: int) -> None:
    dice = random.Random(seed)
    pairs: dict[str, tuple[float | None, float | None]] = {}
    for number in range(dice.choice([8, 23, 40])):
        before = round(10 ** dice.uniform(3, 7), 2)
        pairs[f"E{number:02d}"] = (before, round(before * dice.lognormvariate(0, 0.2), 2))
    pairs["E90"] = (1000.0, 900000.0)
    pairs["E91"] = (None, 5000.0)  # new this year
    pairs["E92"] = (5000.0, 0)
    used = {code: pair for code, pair in pairs.items() if all(pair)}
    expected = historical_test(
        [pair[1] for pair in used.values()],
        [pair[0] for pair in used.values()],
        exponent=0.5,
        inner=6,
        outer=10,
    )
    assert expected.bounds is not None
    rows = {row.enterprise_code: row for row in outcome(given, build, pairs)}
    assert rows.keys() == used.keys()
    for code, effect, status in zip(used, expected.effects, expected.statuses, strict=True):
        row = rows[code]
        assert row.effect == pytest.approx(effect, rel=1e-9, abs=1e-9)
        assert (row.outer_lower, row.inner_lower, row.inner_upper, row.outer_upper) == pytest.approx(
            (
                expected.bounds.outer_lower,
                expected.bounds.inner_lower,
                expected.bounds.inner_upper,
                expected.bounds.outer_upper,
            ),
            rel=1e-9,
        )
        assert row.is_outlier == (status is OutlierStatus.OUTLIER)
        assert row.is_excluded == (status is not OutlierStatus.INSIDE)
    assert rows["E90"].is_outlier


def test_fewer_than_eight_enterprises_judge_nobody(given: Any, build: Any) -> None:
    rows = outcome(given, build, {f"E{number}": (100.0, 110.0 * 10**number) for number in range(7)})
    assert {row.is_outlier for row in rows} == {None}


def test_an_enterprise_with_an_unknown_amount_is_not_compared(given: Any, build: Any) -> None:
    pairs: dict[str, tuple[float | None, float | None]] = {
        f"E{number}": (100.0, 110.0) for number in range(9)
    }
    given("core.service_trade", rows_of(pairs) + "\nE0 | 2020-03-01 | export | SI | SI3 | USA |")
    assert "E0" not in {row.enterprise_code for row in build("checks.enterprise_change", "2020-03")}
