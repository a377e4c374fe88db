"""Hidiroglou-Berthelot: which respondents changed unlike the others, allowing for their size?

Source: Hidiroglou and Berthelot (1986), Statistical editing and imputation for periodic business surveys; with the
two multipliers of Statistics Canada's Banff (beyond the inner one a figure is kept out of means, beyond the outer
one it is an outlier). Quartiles are Weibull's (type 6, rank p(n + 1)): numpy's default does not give the published
example. The warehouse runs the same on whole months in SQL (`sql/checks/enterprise_change.sql`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

_DEFAULT_SPREAD = 0.05  # A of the paper: a floor under the quartile distances, as a part of the median


class OutlierStatus(StrEnum):
    """Where an effect lies."""

    INSIDE = "inside"
    EXCLUDED = "exclude"  # beyond the inner bounds: not used for means and ratios
    OUTLIER = "outlier"  # beyond the outer bounds
    NOT_USED = "not_used"  # missing, zero or negative in either period: no ratio


@dataclass(frozen=True, slots=True)
class Bounds:
    """Quartiles of the effects and the two pairs of bounds about their median."""

    lower_quartile: float
    median: float
    upper_quartile: float
    outer_lower: float
    inner_lower: float
    inner_upper: float
    outer_upper: float

    def status(self, effect: float) -> OutlierStatus:
        """Where an effect lies; on a bound is inside it."""
        if effect < self.outer_lower or effect > self.outer_upper:
            return OutlierStatus.OUTLIER
        if effect < self.inner_lower or effect > self.inner_upper:
            return OutlierStatus.EXCLUDED
        return OutlierStatus.INSIDE


@dataclass(frozen=True, slots=True)
class HbResult:
    """Effects in the order given (None where there is no ratio), their bounds and statuses.

    `bounds` is None when nothing could be used.
    """

    effects: tuple[float | None, ...]
    statuses: tuple[OutlierStatus, ...]
    bounds: Bounds | None


def current_value_bounds(
    values: Sequence[float], *, inner: float, outer: float, spread: float = _DEFAULT_SPREAD
) -> Bounds:
    """Bounds on the values themselves: median ± multiplier x quartile distance, never narrower than
    multiplier x spread x |median|.

    Raises ValueError without values, or when the multipliers are not positive and in order.
    """
    if not 0 < inner <= outer:
        raise ValueError(f"multipliers {inner} and {outer}: expected 0 < inner <= outer")
    if len(values) == 0:
        raise ValueError("no values to take quartiles of")
    lower, median, upper = (float(q) for q in np.quantile(values, (0.25, 0.5, 0.75), method="weibull"))
    floor = abs(spread * median)
    left = max(median - lower, floor)
    right = max(upper - median, floor)
    return Bounds(
        lower,
        median,
        upper,
        median - outer * left,
        median - inner * left,
        median + inner * right,
        median + outer * right,
    )


def historical_test(
    current: Sequence[float | None],
    previous: Sequence[float | None],
    *,
    exponent: float,
    inner: float,
    outer: float,
    spread: float = _DEFAULT_SPREAD,
) -> HbResult:
    """Test each respondent's change from one period to another against everybody else's.

    r = current / previous, M its median; s = 1 - M/r below M, r/M - 1 above: symmetric, so that a halving weighs
    like a doubling. Effect E = s x max(current, previous)^exponent: the exponent (0 to 1) says how much more the
    large ones matter. Figures that are missing, zero or negative in either period are not used and get no effect.

    Raises ValueError when the lengths differ or the exponent is outside 0 to 1.
    """
    if len(current) != len(previous):
        raise ValueError(
            f"{len(current)} current figures and {len(previous)} previous ones: they pair up one to one"
        )
    if not 0 <= exponent <= 1:
        raise ValueError(f"exponent {exponent}: expected 0 to 1")
    pairs = [
        (now, before) if now is not None and before is not None and now > 0 and before > 0 else None
        for now, before in zip(current, previous, strict=True)
    ]
    ratios = [pair[0] / pair[1] for pair in pairs if pair is not None]
    if not ratios:
        return HbResult((None,) * len(pairs), (OutlierStatus.NOT_USED,) * len(pairs), None)
    middle = float(np.median(ratios))
    effects: list[float | None] = []
    for pair in pairs:
        if pair is None:
            effects.append(None)
            continue
        ratio = pair[0] / pair[1]
        shift = 1 - middle / ratio if ratio < middle else ratio / middle - 1
        effects.append(shift * max(pair) ** exponent)
    bounds = current_value_bounds(
        [effect for effect in effects if effect is not None], inner=inner, outer=outer, spread=spread
    )
    statuses = tuple(
        OutlierStatus.NOT_USED if effect is None else bounds.status(effect) for effect in effects
    )
    return HbResult(tuple(effects), statuses, bounds)
