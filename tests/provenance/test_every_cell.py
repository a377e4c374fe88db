"""The promise of provenance: for every figure of every table, the leaves add up to it exactly."""

from __future__ import annotations

import pytest
from provenance_city import MONTH

from pipelines.provenance.explain import BELOW_HALF_UNIT, explain
from pipelines.provenance.tracing import Tracer
from pipelines.publication.drafts import read_table
from pipelines.publication.tables import publication_model
from pipelines.settings import Settings

# How many figures a city of this size prints at the least, so that the property cannot hold by finding nothing.
_AT_LEAST = {
    "table_01": 20,
    "table_02": 100,
    "table_03": 100,
    "table_04": 60,
    "table_05": 40,
    "table_06": 25,
    "table_07": 120,
    "table_08": 120,
    "table_09": 50,
}


def test_no_table_is_left_out() -> None:
    assert list(_AT_LEAST) == [spec.name for spec in publication_model().tables]


@pytest.mark.parametrize("table", _AT_LEAST)
def test_the_leaves_of_every_figure_add_up_to_it_exactly(
    bureau: Settings, tracer: Tracer, table: str
) -> None:
    printed = read_table(bureau, table, MONTH)
    explained = 0
    for row in printed.rows:
        for column in printed.spec.columns:
            explanation = explain(tracer, printed, row, column)
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
    assert explained >= _AT_LEAST[table]
