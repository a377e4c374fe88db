"""What a leaf is: a cell that somebody filled in, in a file that is kept."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest
from provenance_city import MONTH

from pipelines.provenance import Explanation, Leaf, UnknownCell, why
from pipelines.provenance.explain import explain, open_snapshot
from pipelines.provenance.registry import lineage
from pipelines.provenance.tracing import Tracer
from pipelines.publication.drafts import read_table
from pipelines.settings import Settings
from pipelines.stores import Originals
from pipelines.warehouse.connection import current_snapshot


def _leaves(explanation: Explanation, part: int = 0) -> tuple[Leaf, ...]:
    assert explanation.figure is not None
    return explanation.figure.parts[part].leaves


@pytest.mark.parametrize(
    ("table", "row", "column"),
    [
        ("table_01", "exports", "month_usd"),
        ("table_05", "offshore_ITO", "executed_month_usd"),
        ("table_06", "contract_amount_export", "ytd_value"),
        ("table_07", "mode_2", "month_imports_usd"),
        ("table_07", "commercial_presence_2019", "ytd_exports_usd"),
    ],
)
def test_the_original_workbook_holds_what_a_leaf_says(
    bureau: Settings, table: str, row: str, column: str
) -> None:
    leaves = _leaves(why(bureau, table, MONTH, row, column, limit=None))
    assert leaves
    originals = Originals(bureau.originals_dir)
    for leaf in leaves:
        assert leaf.sha256 is not None
        assert leaf.sheet is not None
        assert leaf.cell is not None
        assert leaf.sha256.startswith(str(leaf.submission_id))
        workbook = openpyxl.load_workbook(io.BytesIO(originals.get(leaf.sha256)), data_only=True)
        value = workbook[leaf.sheet][leaf.cell].value
        if isinstance(value, str):
            assert value.strip() == str(leaf.text).strip(), leaf
        else:
            assert Decimal(str(value)) == Decimal(str(leaf.text)), leaf


def test_the_year_to_date_rests_on_the_leaves_of_its_months(bureau: Settings) -> None:
    january_and_february = _leaves(why(bureau, "table_01", MONTH, "total", "ytd_usd", limit=None))
    february = _leaves(why(bureau, "table_01", MONTH, "total", "month_usd", limit=None))
    by_month = {str(leaf.month_start_date) for leaf in january_and_february}
    assert by_month == {"2020-01-01", "2020-02-01"}
    assert {leaf.line_id for leaf in february} == {
        leaf.line_id for leaf in january_and_february if str(leaf.month_start_date) == "2020-02-01"
    }


def test_growth_shows_both_levels_and_a_share_both_sides(bureau: Settings) -> None:
    growth = why(bureau, "table_02", MONTH, "SD", "total_ytd_growth_pct").figure
    share = why(bureau, "table_02", MONTH, "SD", "total_ytd_share_pct").figure
    assert growth is not None
    assert share is not None
    assert [str(part.last) for part in growth.parts] == ["2020-02", "2019-02"]
    assert [part.role.en for part in share.parts] == ["Numerator", "Denominator"]
    assert share.parts[0].total < share.parts[1].total


def test_a_balance_subtracts_its_imports(bureau: Settings) -> None:
    leaves = _leaves(why(bureau, "table_01", MONTH, "balance", "month_usd", limit=None))
    assert all((leaf.amount < 0) == (leaf.flow == "import") for leaf in leaves if leaf.amount)


def test_a_leaf_of_a_mode_says_which_share_was_applied_and_why(bureau: Settings) -> None:
    leaves = _leaves(why(bureau, "table_07", MONTH, "mode_1", "month_total_usd", limit=None))
    declared = [leaf for leaf in leaves if leaf.basis is not None and leaf.basis.startswith("1:declared:")]
    assert declared
    for leaf in leaves:
        assert leaf.share_pct is not None
        # Parts are cut from the line one after the other, so that a cent may fall to the next.
        assert abs(leaf.amount - leaf.line_amount * leaf.share_pct / 100) <= Decimal("0.0002")


def test_a_count_lists_the_returns_it_counts(bureau: Settings) -> None:
    filed = _leaves(why(bureau, "table_09", MONTH, "total", "filed_count", limit=None))
    assert len({leaf.enterprise_code for leaf in filed}) == len(filed)
    assert all(leaf.submission_id and leaf.file_name for leaf in filed)


def test_a_share_target_leads_through_the_indicator_to_services_and_goods(bureau: Settings) -> None:
    figure = why(bureau, "table_08", MONTH, "headline_T005", "value").figure
    assert figure is not None
    assert [step.table for step in figure.steps] == [
        "indicators.target_progress",
        "indicators.share_of_foreign_trade",
    ]
    assert {part.column for part in figure.parts} == {"amount", "goods_amount"}


def test_a_departmental_target_leads_to_the_cell_and_the_words_of_the_plan(bureau: Settings) -> None:
    figure = why(bureau, "table_08", MONTH, "target_T001", "achieved_pct").figure
    assert figure is not None
    filed, target = figure.parts
    assert filed.leaves[0].line_id is not None
    assert filed.leaves[0].form_code == "DM-4"
    assert target.leaves[0].file_name == "sql/reference/targets.csv"
    assert "120" in str(target.leaves[0].text)


def test_a_row_is_found_by_its_label_too(bureau: Settings) -> None:
    assert why(bureau, "table_02", MONTH, "旅行", "total_ytd_usd").row_code == "SD"
    assert why(bureau, "table_02", MONTH, "Travel", "total_ytd_usd").row_code == "SD"


def test_an_unknown_row_lists_the_rows_there_are(bureau: Settings) -> None:
    with pytest.raises(UnknownCell) as raised:
        why(bureau, "table_02", MONTH, "S9", "total_ytd_usd")
    assert "SD  旅行" in raised.value.wording.zh
    assert "SD  Travel" in raised.value.wording.en


# --- when it does not add up ------------------------------------------------------------------------------------------

Tamper = Callable[[str], object]


@pytest.fixture
def tampered(bureau: Settings, tmp_path: Path) -> Callable[..., object]:
    """A copy of the snapshot in which somebody has changed something, and a tracer for it."""

    @contextmanager
    def change(statement: str) -> Iterator[Tracer]:
        copy = tmp_path / "tampered.duckdb"
        shutil.copyfile(current_snapshot(bureau), copy)
        copy.chmod(0o644)
        with duckdb.connect(str(copy)) as con:
            [(changed,)] = con.execute(statement).fetchall()
            assert changed > 0
        with open_snapshot(copy) as con:
            yield Tracer(con, lineage(), 1)

    return change


def _explained(bureau: Settings, tracer: Tracer, table: str, row_code: str, column_code: str) -> Explanation:
    printed = read_table(bureau, table, MONTH)
    [row] = [row for row in printed.rows if row.code == row_code]
    [column] = [column for column in printed.spec.columns if column.code == column_code]
    return explain(tracer, printed, row, column)


def test_a_line_computed_again_after_the_total_shows_by_how_much(bureau: Settings, tampered: Tamper) -> None:
    with tampered(  # type: ignore[attr-defined]
        "update core.service_trade set amount_usd = amount_usd + 0.01 where line_id = "
        "(select min(line_id) from core.service_trade where month_start_date = '2020-01-01')"
    ) as tracer:
        year_to_date = _explained(bureau, tracer, "table_01", "total", "ytd_usd")
        month = _explained(bureau, tracer, "table_01", "total", "month_usd")
    assert year_to_date.figure is not None
    assert not year_to_date.adds_up
    assert year_to_date.figure.parts[0].difference == Decimal("0.01")
    assert month.adds_up  # January is not in February


def test_a_cell_that_does_not_give_its_amount_is_counted(bureau: Settings, tampered: Tamper) -> None:
    with tampered(  # type: ignore[attr-defined]
        "update raw.return_cell set number = number + 1 where submission_id || '/' || sheet || '!' || cell = "
        "(select min(line_id) from core.service_trade where month_start_date = '2020-02-01' and flow = 'export')"
    ) as tracer:
        explanation = _explained(bureau, tracer, "table_01", "exports", "month_usd")
    assert explanation.figure is not None
    [part] = explanation.figure.parts
    assert (part.difference, part.untraced_count) == (0, 1)
    assert not explanation.adds_up


def test_a_draft_older_than_the_snapshot_is_said_to_be(bureau: Settings, tampered: Tamper) -> None:
    with tampered(  # type: ignore[attr-defined]
        "update publication.table_01 set value = value + 1 where row_code = 'total' and column_code = 'month_usd'"
    ) as tracer:
        explanation = _explained(bureau, tracer, "table_01", "total", "month_usd")
    assert not explanation.snapshot_agrees
    assert not explanation.adds_up


def test_a_growth_rate_that_its_levels_do_not_give_is_found(bureau: Settings, tampered: Tamper) -> None:
    with tampered(  # type: ignore[attr-defined]
        "update indicators.trade_total set growth_pct = growth_pct + 0.001 where month_start_date = '2020-02-01'"
    ) as tracer:
        explanation = _explained(bureau, tracer, "table_01", "total", "ytd_usd_growth_pct")
    assert explanation.figure is not None
    assert all(part.is_exact for part in explanation.figure.parts)
    assert not explanation.figure.agrees
