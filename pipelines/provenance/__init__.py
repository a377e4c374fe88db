"""From a printed figure back to the cells it came from, and the proof that they add up to it.

Reads the current snapshot and the month's draft; computes no statistic and writes nothing. Which printed cell
rests on which indicator, and which query gives an indicator's leaves, is data: `lineage.yaml`.
"""

from pipelines.provenance.explain import UnknownCell, why
from pipelines.provenance.shapes import Explanation, Figure, Leaf, Part, Step

__all__ = ["Explanation", "Figure", "Leaf", "Part", "Step", "UnknownCell", "why"]
