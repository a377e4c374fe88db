"""One printed cell explained: from the draft through the snapshot to the cells of the files received.

What a figure is made of is followed in `tracing` and `targets`; how it reads on a terminal is `render`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import duckdb

from pipelines.findings import Wording
from pipelines.periods import Month
from pipelines.provenance.registry import ROW_UNIT, TARGETS, Source, lineage
from pipelines.provenance.shapes import Explanation, Figure, Rounding
from pipelines.provenance.targets import target_figure, target_unit
from pipelines.provenance.tracing import BASE, THIS, Tracer
from pipelines.publication.drafts import read_manifest, read_table
from pipelines.publication.tables import Cell, Column, PrintedTable, Row, formatted, publication_model
from pipelines.settings import Settings
from pipelines.warehouse.connection import current_snapshot
from pipelines.warehouse.sqlfiles import MONTH_PARAMETER

BELOW_HALF_UNIT = "…"

_BLANK_REASONS = {
    "not_reported": Wording("没有填报数", "nothing was reported"),
    "no_base": Wording("没有上年同期数", "there is no figure of a year earlier"),
    "base_not_positive": Wording("上年同期数不大于零", "the figure of a year earlier is not above zero"),
    "months_missing": Wording(
        "本年或上年有月份缺数", "some months of this year or of the year before are missing"
    ),
    "months_1_2": Wording(
        "1—2 月合并报送，不单独计算", "January and February are reported as one; neither is computed alone"
    ),
}


class UnknownCell(LookupError):
    """The printed table has no such row or column; `wording` lists those it has."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(wording.en)
        self.wording = wording


def why(
    settings: Settings, table: str, month: Month, row: str, column: str, *, limit: int | None = 20
) -> Explanation:
    """Explain one cell of a month's draft from the current snapshot.

    `row` is the row's code, its number or its label in either language, `column` the column's code or label.
    Shows `limit` leaves of each part (None: all); sums are over all of them. Raises UnknownCell,
    DraftUnavailable, NoSnapshot.
    """
    printed = read_table(settings, table, month)
    printed_row = _find_row(printed, row)
    printed_column = _find_column(printed, column)
    snapshot = current_snapshot(settings)
    with open_snapshot(snapshot) as con:
        return explain(
            Tracer(con, lineage(), limit),
            printed,
            printed_row,
            printed_column,
            snapshot=snapshot.name,
            draft_id=read_manifest(settings, month).snapshot_id,
        )


@contextmanager
def open_snapshot(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A snapshot, read only; scratch tables live in memory."""
    con = duckdb.connect(
        str(path),
        read_only=True,
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
    )
    try:
        yield con
    finally:
        con.close()


def explain(
    tracer: Tracer,
    printed: PrintedTable,
    row: Row,
    column: Column,
    *,
    snapshot: str = "",
    draft_id: str = "",
) -> Explanation:
    """Explain one cell of a printed table from an open warehouse."""
    table = printed.spec.name
    cell = row.cells.get(column.code)
    source = tracer.lineage.source(table, row.code, column.code)
    figure: Figure | None = None
    notes: list[Wording] = []
    if cell is None:
        notes.append(Wording("本行是标题，没有数字。", "This row is a heading; it carries no figures."))
    elif column.kind == "text" or source is None:
        notes.append(_symbol_note(cell))
    else:
        figure, notes = _figure(tracer, source, cell, printed.month)
    if table == "table_08" and cell is not None and figure is None:
        notes.extend(_target_notes(tracer, row, printed.month))
    unit, per = _unit(tracer, source, row, printed.month)
    rounding: Rounding = "half_up"
    if source is not None and source.column in source.indicator.sums:
        rounding = source.rounding
    publication = tracer.step(
        f"publication.{table}",
        column.code,
        None if cell is None else cell.value,
        {MONTH_PARAMETER: printed.month.start_date, "row_code": row.code, "column_code": column.code},
    )
    return Explanation(
        table=table,
        month=printed.month,
        row_code=row.code,
        row_label=Wording(row.label.zh, row.label.en),
        column_code=column.code,
        column_label=_column_label(printed, column),
        table_title=Wording(printed.title.zh, printed.title.en),
        printed=Wording("", "") if cell is None else _formatted(cell, column),
        printed_value=None if cell is None else cell.value,
        snapshot_agrees=_snapshot_agrees(tracer.con, printed, row, column, cell),
        unit=unit,
        decimals=column.decimals,
        rounding=rounding,
        per=per,
        publication=publication,
        figure=figure,
        printed_agrees=cell is None or figure is None or _printed_agrees(cell, column, figure, per, rounding),
        snapshot=snapshot,
        draft_id=draft_id,
        notes=tuple(notes),
    )


# --- the figure behind a cell -------------------------------------------------------------------------------------


def _figure(tracer: Tracer, source: Source, cell: Cell, month: Month) -> tuple[Figure | None, list[Wording]]:
    if source.indicator.name == TARGETS:
        if cell.value is None:
            return None, [_symbol_note(cell)]
        return target_figure(tracer, month, str(source.selection["target_id"]), source.column), []
    row = tracer.row(source.indicator.name, month, source.selection)
    if row is None:
        return None, [_symbol_note(cell)]
    unit = None if source.unit == "percent" else tracer.lineage.unit(source.unit)[0]
    counted = unit if row.get("currency_code", "") is None else None
    if cell.value is not None or cell.symbol == BELOW_HALF_UNIT:
        return tracer.figure(source.indicator, row, month, source.column, counted), []
    if cell.text is not None and source.column in source.indicator.growth:
        return _turned(tracer, source, row, month), [
            Wording(
                "差额由逆转顺或由顺转逆，以文字注明，不计算增速；下列本期与上年同期两级源数。",
                "The balance changed its sign, which is said in words; both levels are shown below.",
            )
        ]
    reason = _BLANK_REASONS.get(str(row.get("growth_blank_reason") or row.get("blank_reason") or ""))
    notes = [_symbol_note(cell)]
    if reason is not None:
        notes.append(Wording(f"原因：{reason.zh}。", f"Reason: {reason.en}."))
    return None, notes


def _turned(tracer: Tracer, source: Source, row: dict[str, object], month: Month) -> Figure:
    """Both levels of a balance whose sign turned; the figure is the change, and the words follow its signs."""
    this_column, base_column = source.indicator.growth[source.column]
    this = tracer.part(source.indicator, row, month, this_column, THIS)
    base = tracer.part(source.indicator, row, month, base_column, BASE)
    change = this.expected - base.expected
    return Figure(
        value=change,
        unit=this.unit,
        recomputed=this.total - base.total,
        agrees=this.total - base.total == change and (this.total > 0) != (base.total > 0),
        formula=Wording("本期差额 － 上年同期差额", "balance of this period − balance of a year earlier"),
        steps=(
            tracer.step(
                source.indicator.name,
                this_column,
                this.expected,
                {name: row[name] for name in (MONTH_PARAMETER, *source.indicator.dimensions)},
            ),
        ),
        parts=(this, base),
    )


def _unit(tracer: Tracer, source: Source | None, row: Row, month: Month) -> tuple[Wording, int]:
    if source is None:
        return Wording("", ""), 1
    if source.unit == ROW_UNIT:
        return target_unit(tracer, month, str(source.selection["target_id"])), 1
    return tracer.lineage.unit(source.unit)


def _symbol_note(cell: Cell) -> Wording:
    if cell.text is not None:
        return Wording(
            "本格是文字，不是数字，没有可相加的源数。",
            "This cell holds words, not a figure; nothing adds up to it.",
        )
    meaning = next(
        (symbol.meaning for symbol in publication_model().symbols if symbol.mark == cell.symbol), None
    )
    if meaning is None:
        return Wording("本格没有数字。", "This cell holds no figure.")
    mark = f"“{cell.symbol}”" if cell.symbol else ""
    return Wording(
        f"本格没有数字{mark}：{meaning.zh}。没有可列的源数。",
        f"This cell holds no figure {mark}: {meaning.en}. There are no leaves to list.",
    )


def _target_notes(tracer: Tracer, row: Row, month: Month) -> list[Wording]:
    """Where the words of a target's row come from."""
    source = tracer.lineage.source("table_08", row.code, "value")
    if source is None:
        return []
    target_id = str(source.selection["target_id"])
    progress = tracer.row(TARGETS, month, {"target_id": target_id})
    notes = [
        Wording(
            f"目标 {target_id} 取自 sql/reference/targets.csv；实际值和状态由 sql/indicators/target_progress.sql 得出。",
            f"Target {target_id} stands in sql/reference/targets.csv; its value and status come from "
            "sql/indicators/target_progress.sql.",
        )
    ]
    if progress is not None and progress["line_id"]:
        notes.append(
            Wording(
                f"部门填报单元格：{progress['line_id']}（{progress['department']}）。",
                f"Departmental cell: {progress['line_id']} ({progress['department']}).",
            )
        )
    return notes


# --- agreement ----------------------------------------------------------------------------------------------------


def _printed_agrees(cell: Cell, column: Column, figure: Figure, per: int, rounding: Rounding) -> bool:
    """Whether the unrounded figure, rounded once, is what is printed."""
    with localcontext(prec=60):
        unrounded = figure.value / per
        unit = Decimal(1).scaleb(-column.decimals)
        if cell.value is None:
            # words for a sign that turned, or a mark for less than half a unit
            return cell.text is not None or 0 < abs(unrounded) < unit / 2
        if rounding == "largest_remainder":
            return abs(cell.value - unrounded) < unit
        return cell.value == unrounded.quantize(unit, ROUND_HALF_UP)


def _snapshot_agrees(
    con: duckdb.DuckDBPyConnection, printed: PrintedTable, row: Row, column: Column, cell: Cell | None
) -> bool:
    """Whether the snapshot's publication table holds what the draft prints."""
    if cell is None:
        return True
    found = con.execute(
        f"select value, text_zh, symbol from publication.{printed.spec.name} "  # noqa: S608 - a name of the model
        "where month_start_date = $1 and row_code = $2 and column_code = $3",
        [printed.month.start_date, row.code, column.code],
    ).fetchall()
    return found == [(cell.value, cell.text.zh if cell.text else None, cell.symbol)]


# --- finding the cell -----------------------------------------------------------------------------------------------


def _find_row(printed: PrintedTable, given: str) -> Row:
    wanted = given.strip()
    for names in (
        lambda row: (row.code,),
        lambda row: (str(row.number),),
        lambda row: (row.label.zh, row.label.en),
    ):
        found = [row for row in printed.rows if wanted in names(row)]
        if len(found) == 1:
            return found[0]
    listed = [(row.code, row.label.zh, row.label.en) for row in printed.rows if not row.is_heading]
    raise UnknownCell(
        Wording(
            f"{printed.spec.name} {printed.month} 没有这一行：{given!r}。可用的行："
            + "".join(f"\n  {code}  {zh}" for code, zh, _ in listed),
            f"{printed.spec.name} {printed.month} has no row {given!r}. Rows:"
            + "".join(f"\n  {code}  {en}" for code, _, en in listed),
        )
    )


def _find_column(printed: PrintedTable, given: str) -> Column:
    wanted = given.strip()
    columns = printed.spec.columns
    for column in columns:
        if column.code == wanted:
            return column
    named = [column for column in columns if wanted in _column_label(printed, column).as_json().values()]
    if len(named) == 1:
        return named[0]
    labels = [(column.code, _column_label(printed, column)) for column in columns]
    raise UnknownCell(
        Wording(
            f"{printed.spec.name} 没有这一列：{given!r}。可用的列："
            + "".join(f"\n  {code}  {label.zh}" for code, label in labels),
            f"{printed.spec.name} has no column {given!r}. Columns:"
            + "".join(f"\n  {code}  {label.en}" for code, label in labels),
        )
    )


def _column_label(printed: PrintedTable, column: Column) -> Wording:
    """The head of a column in one line: its group, then its own."""
    for head in printed.heads:
        for each in head.columns:
            if each.code == column.code:
                group = head.label
                return Wording(
                    " ".join(text.in_one_line("zh") for text in (group, each.label) if text),
                    " ".join(text.in_one_line("en") for text in (group, each.label) if text),
                )
    raise KeyError(column.code)


def _formatted(cell: Cell, column: Column) -> Wording:
    return Wording(formatted(cell, column, "zh"), formatted(cell, column, "en"))
