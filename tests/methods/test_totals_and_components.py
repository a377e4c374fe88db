"""Totals and components: the figures quoted from the published cases, and what each marker means."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipelines.methods.totals_and_components import TotalMarker, TotalTest, totals_and_components_test

PARTS = [Decimal(9201), Decimal(866), Decimal(632), Decimal(112)]  # 10,811


def case(total: int, *, percent: str, amend_total: bool = True, predictive: int | None = 10695) -> TotalTest:
    return totals_and_components_test(
        Decimal(total),
        PARTS,
        predictive=None if predictive is None else Decimal(predictive),
        amend_total=amend_total,
        relative_threshold=Decimal(percent),
    )


def test_a_total_near_its_parts_is_suggested_to_be_their_sum() -> None:
    outcome = case(10817, percent="0.1")
    assert (outcome.marker, outcome.total) == (TotalMarker.TOTAL, Decimal(10811))
    assert outcome.components == tuple(PARTS)


def test_without_a_threshold_only_a_person_can_say() -> None:
    assert case(10817, percent="0").marker is TotalMarker.MANUAL


def test_a_reference_outside_the_band_is_left_to_a_person() -> None:
    assert (
        case(10817, percent="0.1", predictive=9729).marker is TotalMarker.MANUAL
    )  # the band begins at 9,729.9
    assert case(10817, percent="0.1", predictive=9730).marker is TotalMarker.TOTAL


def test_parts_scaled_to_the_total_add_up_to_it_exactly() -> None:
    outcome = case(10817, percent="0.1", amend_total=False)
    assert outcome.marker is TotalMarker.COMPONENTS
    assert sum(part for part in outcome.components if part is not None) == Decimal(10817)


def test_agreement_needs_nothing_and_no_reference_stops() -> None:
    assert case(10811, percent="0.1").marker is TotalMarker.NO_CHANGE
    assert case(10817, percent="0.1", predictive=None).marker is TotalMarker.STOPPED


def test_a_missing_part_is_skipped_and_stays_missing() -> None:
    outcome = totals_and_components_test(
        Decimal(110),
        [Decimal(40), None, Decimal(60), Decimal(0)],
        auxiliary=Decimal(100),
        amend_total=False,
        absolute_threshold=Decimal(20),
    )
    assert outcome.components == (Decimal(44), None, Decimal(66), Decimal(0))


def test_parts_of_nothing_cannot_be_scaled() -> None:
    outcome = totals_and_components_test(
        Decimal(5), [Decimal(0), None], auxiliary=Decimal(3), amend_total=False, absolute_threshold=Decimal(9)
    )
    assert outcome.marker is TotalMarker.STOPPED


@given(
    st.lists(st.one_of(st.none(), st.decimals(0, 10**9, places=2)), min_size=1, max_size=8),
    st.decimals(1, 10**9, places=2),
)
def test_whatever_the_parts_what_is_suggested_adds_up(parts: list[Decimal | None], total: Decimal) -> None:
    outcome = totals_and_components_test(
        total, parts, predictive=total, amend_total=False, absolute_threshold=Decimal(10**10)
    )
    if outcome.marker is TotalMarker.COMPONENTS:
        assert sum((part for part in outcome.components if part is not None), Decimal(0)) == total
    else:
        assert outcome.components == tuple(parts)
