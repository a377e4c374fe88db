"""The promise of provenance: for every figure of every table, the leaves add up to it exactly."""

from __future__ import annotations

from collections import Counter

import pytest

from pipelines.provenance import Explanation
from pipelines.provenance.explain import BELOW_HALF_UNIT
from pipelines.publication.tables import Column, Row, publication_model

Explained = dict[str, list[tuple[Row, Column, Explanation]]]


@pytest.mark.parametrize("table", [spec.name for spec in publication_model().tables])
def test_the_leaves_of_every_figure_add_up_to_it_exactly(explanations: Explained, table: str) -> None:
    explained = 0
    for row, column, explanation in explanations[table]:
        where = f"{table} {row.code} {column.code}"
        assert explanation.adds_up, where
        cell = row.cells.get(column.code)
        if cell is None or (cell.value is None and cell.symbol != BELOW_HALF_UNIT):
            assert explanation.figure is not None or explanation.notes, f"{where}: nothing is said of it"
            continue
        figure = explanation.figure
        assert figure is not None, f"{where} prints {explanation.printed.en} without a figure behind it"
        assert figure.parts, where
        for part in figure.parts:
            assert part.total == part.expected, where
            assert part.untraced_count == 0, where
            assert part.leaf_count > 0 or part.total == 0, where
        explained += 1
    assert explained > 0


def test_figures_of_every_kind_were_there_to_be_proved(explanations: Explained) -> None:
    """So that the property above cannot hold by finding nothing to prove."""
    kinds = Counter(
        explanation.figure.formula.en
        for cells in explanations.values()
        for _, _, explanation in cells
        if explanation.figure is not None
    )
    assert kinds["sum of the leaves"] > 300
    assert kinds["100 × (this period / a year earlier − 1)"] > 100
    assert kinds["100 × numerator / denominator"] > 80
    assert kinds["as the department filed it"] > 40
    assert any("target" in formula for formula in kinds)
