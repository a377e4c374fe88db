"""Totals and components: does a total agree with its parts, and which of the two would one change?

Source: Office for National Statistics, totals and components correction. Decimal throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class TotalMarker(StrEnum):
    """What the comparison came to."""

    NO_CHANGE = "N"  # the parts add up to the total
    TOTAL = "T"  # close enough that the total would be set to the sum of the parts
    COMPONENTS = "C"  # close enough that the parts would be scaled to the total
    MANUAL = "M"  # too far apart for anybody but a person
    STOPPED = "S"  # nothing to judge by


@dataclass(frozen=True, slots=True)
class TotalTest:
    """Outcome with the total and the parts as the method would have them: suggestions, never applied."""

    marker: TotalMarker
    total: Decimal
    components: tuple[Decimal | None, ...]


def totals_and_components_test(
    total: Decimal,
    components: Sequence[Decimal | None],
    *,
    predictive: Decimal | None = None,
    auxiliary: Decimal | None = None,
    amend_total: bool,
    absolute_threshold: Decimal = Decimal(0),
    relative_threshold: Decimal = Decimal(0),
) -> TotalTest:
    """Compare a total with the sum s of its parts (missing parts are skipped, and stay missing).

    p = `predictive` if given, else `auxiliary`; without either, or with p > 0 and s = 0, nothing can be judged.
    s = total needs nothing. Otherwise a change is suggested if and only if |p - s| is within the absolute
    threshold or p within s ± s x relative threshold (bounds included; both thresholds zero: never). With
    `amend_total` the total becomes s; without it each part becomes part / s x total, and what division leaves
    over goes to the last part that is not zero, so that they add up exactly.
    """
    kept = tuple(components)
    reference = predictive if predictive is not None else auxiliary
    parts = [part for part in kept if part is not None]
    summed = sum(parts, Decimal(0))
    if reference is None or (reference > 0 and summed == 0):
        return TotalTest(TotalMarker.STOPPED, total, kept)
    if summed == total:
        return TotalTest(TotalMarker.NO_CHANGE, total, kept)
    if absolute_threshold == 0 and relative_threshold == 0:
        return TotalTest(TotalMarker.MANUAL, total, kept)
    margin = summed * relative_threshold
    is_near = abs(reference - summed) <= absolute_threshold
    is_within = abs(summed - margin) <= reference <= abs(summed + margin)
    if not is_near and not is_within:
        return TotalTest(TotalMarker.MANUAL, total, kept)
    if amend_total:
        return TotalTest(TotalMarker.TOTAL, summed, kept)
    if summed == 0:
        return TotalTest(TotalMarker.MANUAL, total, kept)
    scaled = [None if part is None else part / summed * total for part in kept]
    last = max(index for index, part in enumerate(kept) if part)
    others = sum(
        (part for index, part in enumerate(scaled) if part is not None and index != last), Decimal(0)
    )
    scaled[last] = total - others
    return TotalTest(TotalMarker.COMPONENTS, total, tuple(scaled))
