"""Slips of unit, decimal point and currency: which explanation of an odd amount is the likeliest?

One test on the log scale. An amount is set against the enterprise's own history; each explanation says by which
factor it would be off (10, 100, 1,000, 10,000, 10^8 and the month's exchange rate, either way), and "it is right
as filed" is one explanation among them. Linked cells are further witnesses: the amount since January in the same
row, and whether other lines of the return moved by the same factor. What comes out are odds against "right as
filed"; a person is asked, nothing is corrected.

Generalises the thousand-unit correction (`unit_scale`) from one factor and a hard interval to several factors and
odds. The priors are judgement, in `sql/reference/slip_explanations.csv`; the door runs the same formula in SQL
(`sql/checks/service_trade_line.sql`), and a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Spread of an honest month about the enterprise's median, on the log10 scale: a prior of 0.12 (a third up or a
# quarter down), worth four months, updated by the months there are. One odd month may add 0.3 at most.
PRIOR_SPREAD = 0.12
PRIOR_MONTHS = 4
LARGEST_DEVIATION = 0.3
# One honest month in a hundred is out of all proportion (a contract completed, a ship delivered): spread 0.8.
EXCEPTIONAL_SHARE = 0.01
EXCEPTIONAL_SPREAD = 0.8
# Amount over what the row's amounts since January leave for the month: exact but for rounding.
LINK_SPREAD = 0.01
# Density of a figure that has nothing to do with anything, over the eighteen decades that amounts can span.
NO_RELATION = 1 / 18
# More lines than this add nothing that three have not said.
MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one amount.

    log_ratio        log10 of the amount over the median of its history
    spread           of that history, from `history_spread`
    link_log_ratio   log10 of the amount over (since January now less since January before); None if unknown
    flat_line_count  other lines of the return within 2.5 times of last month
    alike_line_count by explanation: other lines that moved from last month by its factor (within 1.6 times)
    """

    log_ratio: float
    spread: float
    link_log_ratio: float | None = None
    flat_line_count: int = 0
    alike_line_count: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A way in which the amount may be wrong: by which power of ten, and how usual that is (per right amount)."""

    code: str
    log10_shift: float
    prior_odds: float


def history_spread(log_deviations: Sequence[float]) -> float:
    """Spread of a history, from log10 deviations of its months from their median; never zero."""
    squares = sum(min(deviation**2, LARGEST_DEVIATION**2) for deviation in log_deviations)
    return math.sqrt((PRIOR_MONTHS * PRIOR_SPREAD**2 + squares) / (PRIOR_MONTHS + len(log_deviations)))


def odds(evidence: Evidence, explanation: Explanation) -> float:
    """Odds of one explanation against "right as filed"."""
    shift = explanation.log10_shift
    honest = (1 - EXCEPTIONAL_SHARE) * _normal(
        evidence.log_ratio, evidence.spread
    ) + EXCEPTIONAL_SHARE * _normal(evidence.log_ratio, EXCEPTIONAL_SPREAD)
    by_history = _normal(evidence.log_ratio - shift, evidence.spread) / honest
    return (
        explanation.prior_odds
        * by_history
        * _by_link(evidence, shift)
        * _by_lines(evidence, explanation.code)
    )


def probabilities(evidence: Evidence, explanations: Sequence[Explanation]) -> dict[str, float]:
    """Probability of each explanation by its code; what is missing to one is "right as filed"."""
    by_code = {explanation.code: odds(evidence, explanation) for explanation in explanations}
    whole = 1 + sum(by_code.values())
    return {code: value / whole for code, value in by_code.items()}


def _by_link(evidence: Evidence, shift: float) -> float:
    """A slip in the one cell shows in the link; one that went into the sum as well does not."""
    link = evidence.link_log_ratio
    if link is None:
        return 1.0
    agrees = _normal(link, LINK_SPREAD)
    slipped = 0.4 * _normal(link - shift, LINK_SPREAD) + 0.5 * agrees + 0.1 * NO_RELATION
    return slipped / (0.95 * agrees + 0.05 * NO_RELATION)


def _by_lines(evidence: Evidence, code: str) -> float:
    """A wrong unit at the head of a sheet moves every line of it alike; a wrong cell moves none."""
    alike = min((evidence.alike_line_count or {}).get(code, 0), MOST_LINES)
    flat = min(evidence.flat_line_count, MOST_LINES)
    in_one_cell = 0.1**alike * 0.9**flat
    in_the_whole_return = 0.9**alike * 0.1**flat
    return (0.4 * in_one_cell + 0.6 * in_the_whole_return) / (0.02**alike * 0.9**flat)


def _normal(distance: float, spread: float) -> float:
    return math.exp(-0.5 * (distance / spread) ** 2) / (spread * math.sqrt(2 * math.pi))
