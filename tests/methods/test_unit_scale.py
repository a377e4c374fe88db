"""Thousand-unit correction against the published acceptance cases, and the figures quoted from them."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.methods.unit_scale import ScaleMarker, ScaleTest, thousand_unit_test

LOWER, UPPER = Decimal(250), Decimal(1350)


def case(principal: str | None, *, previous: str | None, auxiliary: str | None = None) -> ScaleTest:
    return thousand_unit_test(
        None if principal is None else Decimal(principal),
        {"q42": Decimal(3238), "q43": Decimal(97), "q44": None},
        predictive=None if previous is None else Decimal(previous),
        auxiliary=None if auxiliary is None else Decimal(auxiliary),
        lower=LOWER,
        upper=UPPER,
    )


def test_a_figure_about_a_thousand_times_the_last_takes_its_linked_figures_with_it() -> None:
    outcome = case("716750", previous="605")
    assert outcome.marker is ScaleMarker.CORRECTED
    assert outcome.ratio is not None
    assert round(outcome.ratio, 6) == Decimal("1184.710744")
    assert outcome.principal == Decimal("716.75")
    assert outcome.linked == {"q42": Decimal("3.238"), "q43": Decimal("0.097"), "q44": None}


@pytest.mark.parametrize(("principal", "ratio"), [("151250", 250), ("816750", 1350)])
def test_a_ratio_on_a_threshold_is_no_error(principal: str, ratio: int) -> None:
    outcome = case(principal, previous="605")
    assert (outcome.marker, outcome.ratio) == (ScaleMarker.NOT_CORRECTED, ratio)
    assert outcome.principal == Decimal(principal)


def test_a_previous_figure_of_zero_gives_way_to_the_auxiliary_one() -> None:
    assert case("716750", previous="0", auxiliary="605").marker is ScaleMarker.CORRECTED


@pytest.mark.parametrize(
    ("principal", "previous", "auxiliary"),
    [
        ("716750", "0", None),
        ("716750", "0", "0"),
        ("716750", None, None),
        (None, "605", None),
        ("0", "605", None),
    ],
)
def test_without_a_figure_or_anything_to_compare_it_stops(
    principal: str | None, previous: str | None, auxiliary: str | None
) -> None:
    outcome = case(principal, previous=previous, auxiliary=auxiliary)
    assert (outcome.marker, outcome.ratio) == (ScaleMarker.STOPPED, None)


def test_thresholds_out_of_order_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="0 < lower < upper"):
        thousand_unit_test(
            Decimal(1), {}, predictive=Decimal(1), auxiliary=None, lower=Decimal(2), upper=Decimal(2)
        )


def test_every_published_case_comes_out_as_published(shared: Path) -> None:
    folder = shared / "vectors" / "thousand_unit_correction"
    compared = 0
    for published in sorted(folder.glob("*_output.csv")):
        case = folder / published.name.replace("_output", "")
        with case.open(encoding="utf-8-sig") as given, published.open(encoding="utf-8-sig") as expected:
            for row, wanted in zip(csv.DictReader(given), csv.DictReader(expected), strict=True):
                names = [name for name in row if name in ("q42", "q43")]
                outcome = thousand_unit_test(
                    _figure(row["principal_val"]),
                    {name: _figure(row[name]) for name in names},
                    predictive=_figure(row["predictive_val"]),
                    auxiliary=_figure(row["aux_val"]),
                    lower=Decimal(row["threshold_lower"]),
                    upper=Decimal(row["threshold_upper"]),
                )
                assert outcome.marker == wanted["tpc_marker"], (case.name, row)
                assert outcome.principal == Decimal(wanted["principal_final_value"])
                assert outcome.linked == {name: Decimal(wanted[f"{name}_final_value"]) for name in names}
                ratio = _figure(wanted["tpc_ratio"])
                assert (outcome.ratio is None) == (ratio is None)
                if outcome.ratio is not None and ratio is not None:
                    assert abs(outcome.ratio - ratio) < Decimal("1e-6")
                compared += 1
    assert compared == 16


def _figure(text: str) -> Decimal | None:
    return Decimal(text) if text else None
