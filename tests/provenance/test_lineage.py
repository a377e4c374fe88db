"""The registry that says what stands behind a printed cell."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from pipelines.provenance.registry import LINEAGE_FILE, LineageError, lineage, parse_lineage
from pipelines.publication.tables import publication_model


@pytest.fixture
def written() -> dict[str, Any]:
    """The registry as it stands, to be spoilt."""
    return copy.deepcopy(yaml.safe_load(LINEAGE_FILE.read_text(encoding="utf-8")))


def test_every_table_and_every_column_of_figures_has_a_lineage() -> None:
    for spec in publication_model().tables:
        for column in spec.columns:
            if column.kind != "text":
                rules = lineage().columns[spec.name]
                assert any(rule.code.fullmatch(column.code) for rule in rules), f"{spec.name} {column.code}"


def test_a_code_names_the_dimensions_of_its_indicator() -> None:
    source = lineage().source("table_07", "wto_2020s_mode_4", "ytd_exports_usd")
    assert source is not None
    assert source.indicator.name == "indicators.trade_by_mode"
    assert dict(source.selection) == {
        "source": "direct_report",
        "profile": "wto_2020s",
        "measure": "exports",
        "mode": "4",
        "period": "ytd",
        "currency_code": "USD",
    }


def test_commercial_presence_stands_beside_the_year_to_date_only() -> None:
    assert lineage().source("table_07", "commercial_presence_2019", "month_exports_usd") is None
    assert lineage().source("table_07", "commercial_presence_2019", "ytd_total_usd") is None
    source = lineage().source("table_07", "commercial_presence_2019", "ytd_exports_usd")
    assert source is not None
    assert (source.column, source.selection["flow"]) == ("amount_usd", "export")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda data: data["indicators"]["indicators.trade_total"]["dimensions"].append("planet"), "planet"),
        (lambda data: data["indicators"].__setitem__("indicators.nothing", {"dimensions": []}), "nothing"),
        (lambda data: data["indicators"]["indicators.outsourcing"]["leaves"][0].update(query="none"), "none"),
        (lambda data: data["tables"].pop("table_05"), "table_05"),
        (lambda data: data["tables"]["table_01"]["columns"][0].update(unit="USD_9"), "USD_9"),
        (lambda data: data["tables"]["table_01"]["rows"][0].update(colour="red"), "colour"),
    ],
)
def test_a_registry_that_the_sql_does_not_bear_out_is_refused(
    written: dict[str, Any], spoil: Any, named: str
) -> None:
    spoil(written)
    with pytest.raises(LineageError, match=named):
        parse_lineage(written)
