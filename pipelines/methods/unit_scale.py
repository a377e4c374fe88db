"""Thousand-unit correction: is a figure a thousand times too large because it was filed in single units?

Source: Office for National Statistics, thousand pounds correction (the published acceptance cases; where they and
the prose disagree, as on what stops, the cases are followed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

THOUSAND = Decimal(1000)


class ScaleMarker(StrEnum):
    """What the test came to."""

    CORRECTED = (
        "C"  # the ratio lies strictly between the thresholds: the figure would be right divided by 1,000
    )
    NOT_CORRECTED = "N"  # the ratio lies outside, or on a threshold
    STOPPED = "S"  # nothing to compare: the figure or both comparators are missing or zero


@dataclass(frozen=True, slots=True)
class ScaleTest:
    """Outcome: the ratio (None where nothing could be compared), the principal figure and the linked ones as the
    method would have them. They are suggestions: nobody's return is changed."""

    marker: ScaleMarker
    ratio: Decimal | None
    principal: Decimal | None
    linked: Mapping[str, Decimal | None]


def thousand_unit_test(
    principal: Decimal | None,
    linked: Mapping[str, Decimal | None],
    *,
    predictive: Decimal | None,
    auxiliary: Decimal | None,
    lower: Decimal,
    upper: Decimal,
) -> ScaleTest:
    """Test one figure against the last one known to be right, and the figures linked to it.

    ratio = principal / comparator; the comparator is `predictive` (the previous figure as cleaned) if it is there
    and not zero, else `auxiliary`. An error if and only if lower < ratio < upper, both strictly. Then the
    principal and every linked figure are divided by 1,000; a missing linked figure stays missing.

    Raises ValueError when the thresholds are not positive and in order.
    """
    if not 0 < lower < upper:
        raise ValueError(f"thresholds {lower} and {upper}: expected 0 < lower < upper")
    comparator = predictive or auxiliary
    if not principal or not comparator:
        return ScaleTest(ScaleMarker.STOPPED, None, principal, dict(linked))
    ratio = principal / comparator
    if not lower < ratio < upper:
        return ScaleTest(ScaleMarker.NOT_CORRECTED, ratio, principal, dict(linked))
    return ScaleTest(
        ScaleMarker.CORRECTED,
        ratio,
        principal / THOUSAND,
        {name: None if figure is None else figure / THOUSAND for name, figure in linked.items()},
    )
