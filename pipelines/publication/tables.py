"""The printed table as data: what every form of publication (workbook now, pages later) is drawn from.

`tables.yaml` says what a table looks like, the publication rows what stands in it; here the two are joined and
checked, so that no form has to decide anything. No figure is computed or rounded here, and nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

import yaml

from pipelines.periods import MONTHS_EN, Month

Language = Literal["zh", "en"]
CellKind = Literal["amount", "count", "percent", "mixed", "text"]
Orientation = Literal["portrait", "landscape"]
ChartKind = Literal["stacked_modes", "target_bars"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
NOTE_TABLE = "table_note"
HEADING_COLUMN = "heading"  # the only record of a row that carries no figures, a heading between rows
STATUSES = ("preliminary", "final", "")

_MODEL_PATH = Path(__file__).with_name("tables.yaml")


class PublicationModelError(ValueError):
    """tables.yaml says something it cannot say; its author must mend it."""


class PublicationRowError(ValueError):
    """Publication rows do not make the table that tables.yaml describes; the author of the SQL must mend it."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages."""

    zh: str
    en: str

    def of(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en

    def in_one_line(self, language: Language) -> str:
        """A head that is broken into lines in print, where there is room for one line only."""
        return self.of(language).replace("\n", "" if language == "zh" else " ")

    def filled(self, month: Month) -> Text:
        """With {month}, {ytd}, {period} and {year} replaced as each language says them."""
        short, first = MONTHS_EN[month.month - 1][:3], MONTHS_EN[0][:3]
        zh = {
            "{month}": f"{month.month}月",
            "{ytd}": "1月" if month.month == 1 else f"1—{month.month}月",
            "{period}": f"{month.year}年{month.month}月",
            "{year}": str(month.year),
        }
        en = {
            "{month}": short,
            "{ytd}": short if month.month == 1 else f"{first}–{short}",
            "{period}": f"{MONTHS_EN[month.month - 1]} {month.year}",
            "{year}": str(month.year),
        }
        return Text(_replaced(self.zh, zh), _replaced(self.en, en))


@dataclass(frozen=True, slots=True)
class Symbol:
    """A mark printed in place of a number, and what it means. A blank is a mark too: not reported."""

    name: str
    mark: str
    meaning: Text


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its code in the publication rows, its head, and how its figures are written."""

    code: str
    label: Text
    kind: CellKind
    decimals: int


@dataclass(frozen=True, slots=True)
class Head:
    """One group of the two-row head. Without a label its columns take both rows."""

    label: Text | None
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """A native chart: which columns, and which rows by the beginning of their row_code."""

    kind: ChartKind
    title: Text
    columns: tuple[str, ...]
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableSpec:
    """How one official table is printed."""

    name: str
    number: int
    title: Text
    unit: Text
    stub: Text
    orientation: Orientation
    heads: tuple[Head, ...]
    source: Text
    notes: tuple[Text, ...]
    chart: ChartSpec | None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of figures from left to right; the stub is not one of them."""
        return tuple(column for head in self.heads for column in head.columns)


@dataclass(frozen=True, slots=True)
class PublicationModel:
    """Everything tables.yaml says."""

    title: Text
    compiler: Text
    preliminary: Text
    not_released: Text
    empty: Text
    symbols: tuple[Symbol, ...]
    tables: tuple[TableSpec, ...]

    def table(self, name: str) -> TableSpec:
        """Raises PublicationModelError, naming the tables there are, for any other name."""
        for spec in self.tables:
            if spec.name == name:
                return spec
        names = ", ".join(spec.name for spec in self.tables)
        raise PublicationModelError(f"there is no table {name!r}; there are {names}")


class PublicationRow(NamedTuple):
    """One record of a publication table: one cell of the printed table. Order and types as in sql/publication."""

    month_start_date: date
    row_number: int
    row_code: str
    label_zh: str
    label_en: str
    indent: int
    column_code: str
    value: Decimal | None
    text_zh: str | None
    text_en: str | None
    symbol: str | None
    status: str | None


class NoteRow(NamedTuple):
    """One record of publication.table_note: a note that depends on the month's figures."""

    month_start_date: date
    table_name: str
    note_number: int
    note_code: str
    text_zh: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One printed cell: a number, words in its place, or a symbol in its place. Never two symbols, never none.

    A value may stand beside words (growth of 1,250 % printed as 12.5倍): the words are printed, the value is data.
    """

    value: Decimal | None
    text: Text | None
    symbol: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One printed row. A heading row has no cells."""

    number: int
    code: str
    label: Text
    indent: int
    cells: Mapping[str, Cell]

    @property
    def is_heading(self) -> bool:
        return not self.cells


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """A table of one month, complete: only drawing is left."""

    spec: TableSpec
    month: Month
    rows: tuple[Row, ...]
    notes: tuple[Text, ...]
    is_preliminary: bool
    symbols: tuple[Symbol, ...] = field(default=())

    @property
    def title(self) -> Text:
        return self.spec.title

    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads with the month's words in them."""
        return tuple(
            Head(
                head.label.filled(self.month) if head.label else None,
                tuple(
                    Column(column.code, column.label.filled(self.month), column.kind, column.decimals)
                    for column in head.columns
                ),
            )
            for head in self.spec.heads
        )


@cache
def publication_model() -> PublicationModel:
    """The model in tables.yaml. Raises PublicationModelError naming the place, what stands there and what may."""
    return parse_model(yaml.safe_load(_MODEL_PATH.read_text(encoding="utf-8")))


def model_path() -> Path:
    """Where the model stands, for manifests that record its hash."""
    return _MODEL_PATH


def printed_table(
    name: str, month: Month, rows: Iterable[PublicationRow], notes: Iterable[NoteRow] = ()
) -> PrintedTable:
    """Join the rows of a month with the model of their table.

    Every row has every column of the model, or is a heading; every cell is a number with no more decimals than
    its column, or words, or a symbol of the legend. Raises PublicationRowError, saying which cell, otherwise:
    a table that is short of a cell is not published with a hole.
    """
    model = publication_model()
    spec = model.table(name)
    records = [row for row in rows if row.month_start_date == month.start_date]
    built = _rows(spec, records, {symbol.mark for symbol in model.symbols})
    used = {
        cell.symbol
        for row in built
        for cell in row.cells.values()
        if cell.text is None and cell.symbol is not None
    }
    dynamic = sorted(
        (note for note in notes if note.table_name == name and note.month_start_date == month.start_date),
        key=lambda note: note.note_number,
    )
    return PrintedTable(
        spec=spec,
        month=month,
        rows=built,
        notes=(
            *(note.filled(month) for note in spec.notes),
            *(Text(note.text_zh, note.text_en) for note in dynamic),
        ),
        is_preliminary=any(record.status == "preliminary" for record in records),
        symbols=tuple(symbol for symbol in model.symbols if symbol.mark in used),
    )


def formatted(cell: Cell, column: Column, language: Language) -> str:
    """A cell as it reads on paper: words, symbol, or the number with thousands separators and its decimals."""
    if cell.text is not None:
        return cell.text.of(language)
    if cell.value is None:
        return cell.symbol or ""
    return f"{cell.value:,.{decimals_of(cell.value, column)}f}"


def decimals_of(value: Decimal, column: Column) -> int:
    """How many decimals a figure is printed with: its column's, but none for a whole number of a mixed column."""
    if column.kind == "mixed" and value == value.to_integral_value():
        return 0
    return column.decimals


# --- rows ---------------------------------------------------------------------------------------------------------


def _rows(spec: TableSpec, records: Sequence[PublicationRow], marks: set[str]) -> tuple[Row, ...]:
    columns = {column.code: column for column in spec.columns}
    by_number: dict[int, list[PublicationRow]] = {}
    for record in records:
        by_number.setdefault(record.row_number, []).append(record)
    rows = []
    for number in sorted(by_number):
        own = by_number[number]
        first = own[0]
        if len({(r.row_code, r.label_zh, r.label_en, r.indent) for r in own}) > 1:
            raise PublicationRowError(
                f"{spec.name} row {number}: its records disagree on row_code, label or indent; one row, one label"
            )
        cells: dict[str, Cell] = {}
        is_heading = [r.column_code for r in own] == [HEADING_COLUMN]
        for record in own if not is_heading else ():
            where = f"{spec.name} row {number} ({record.row_code}), column {record.column_code}"
            column = columns.get(record.column_code)
            if column is None:
                raise PublicationRowError(
                    f"{where}: no such column in tables.yaml; there are {', '.join(columns)}"
                )
            if record.column_code in cells:
                raise PublicationRowError(f"{where}: two records for one cell")
            cells[record.column_code] = _cell(record, column, marks, where)
        missing = [code for code in columns if code not in cells]
        if missing and not is_heading:
            raise PublicationRowError(
                f"{spec.name} row {number} ({first.row_code}): no record for {', '.join(missing)}; "
                "a figure that is not there is a record with the symbol for it"
            )
        rows.append(
            Row(
                number=number,
                code=first.row_code,
                label=Text(first.label_zh, first.label_en),
                indent=first.indent,
                cells=MappingProxyType({code: cells[code] for code in columns} if cells else {}),
            )
        )
    return tuple(rows)


def _cell(record: PublicationRow, column: Column, marks: set[str], where: str) -> Cell:
    if (record.status or "") not in STATUSES:
        raise PublicationRowError(f"{where}: status {record.status!r}; expected preliminary or final")
    if (record.text_zh is None) != (record.text_en is None):
        raise PublicationRowError(f"{where}: words in one language only; give text_zh and text_en or neither")
    text = (
        Text(record.text_zh, record.text_en)
        if record.text_zh is not None and record.text_en is not None
        else None
    )
    if record.symbol is not None and record.symbol not in marks:
        raise PublicationRowError(f"{where}: symbol {record.symbol!r} is not in the legend of tables.yaml")
    if record.symbol is not None and (record.value is not None or text is not None):
        raise PublicationRowError(f"{where}: a symbol stands in place of a figure or words, not beside them")
    if record.value is None and text is None and record.symbol is None:
        raise PublicationRowError(
            f"{where}: neither value, words nor symbol; say why there is none with a symbol"
        )
    if record.value is not None:
        if column.kind == "text":
            raise PublicationRowError(f"{where}: a number in a column of words")
        exponent = record.value.normalize().as_tuple().exponent
        if not isinstance(exponent, int) or -exponent > column.decimals:
            raise PublicationRowError(
                f"{where}: {record.value} has more than {column.decimals} decimals; round once, in the SQL of the table"
            )
    return Cell(value=record.value, text=text, symbol=record.symbol)


# --- the model ----------------------------------------------------------------------------------------------------


def parse_model(data: object) -> PublicationModel:
    """Read the model strictly: a key that is missing, unknown or of the wrong shape is an error, never a default."""
    top = _keys(data, "tables.yaml", ("schema_version", "collection", "symbols", "tables"))
    if top["schema_version"] != 1:
        raise PublicationModelError(
            f"tables.yaml: schema_version {top['schema_version']!r}; this program reads 1"
        )
    collection = _keys(
        top["collection"], "collection", ("title", "compiler", "preliminary", "not_released", "empty")
    )
    texts = {key: _text(value, f"collection.{key}") for key, value in collection.items()}
    symbols = tuple(
        _symbol(item, f"symbols[{index}]") for index, item in enumerate(_list(top["symbols"], "symbols"))
    )
    tables = tuple(
        _table(item, f"tables[{index}]") for index, item in enumerate(_list(top["tables"], "tables"))
    )
    for what, values in (
        ("symbols: two with one mark", [symbol.mark for symbol in symbols]),
        ("symbols: two with one name", [symbol.name for symbol in symbols]),
        ("tables: two with one name", [table.name for table in tables]),
        ("tables: two with one number", [table.number for table in tables]),
    ):
        if len(set(values)) != len(values):
            raise PublicationModelError(f"tables.yaml, {what}")
    return PublicationModel(symbols=symbols, tables=tables, **texts)


def _table(data: object, where: str) -> TableSpec:
    required = ("name", "number", "title", "unit", "stub", "orientation", "heads", "source", "notes")
    item = _keys(data, where, required, optional=("chart",))
    where = f"tables.{item['name']}"
    spec = TableSpec(
        name=_string(item["name"], f"{where}.name"),
        number=_whole(item["number"], f"{where}.number"),
        title=_text(item["title"], f"{where}.title"),
        unit=_text(item["unit"], f"{where}.unit"),
        stub=_text(item["stub"], f"{where}.stub"),
        orientation=_choice(item["orientation"], get_args(Orientation), f"{where}.orientation"),
        heads=tuple(
            _head(head, f"{where}.heads[{index}]")
            for index, head in enumerate(_list(item["heads"], f"{where}.heads"))
        ),
        source=_text(item["source"], f"{where}.source"),
        notes=tuple(
            _text(note, f"{where}.notes[{index}]")
            for index, note in enumerate(_list(item["notes"], f"{where}.notes"))
        ),
        chart=_chart(item["chart"], f"{where}.chart") if "chart" in item else None,
    )
    codes = [column.code for column in spec.columns]
    if len(set(codes)) != len(codes) or HEADING_COLUMN in codes:
        raise PublicationModelError(
            f"{where}: column codes must be unique, and none may be {HEADING_COLUMN!r}"
        )
    if spec.chart and not set(spec.chart.columns) <= set(codes):
        raise PublicationModelError(f"{where}.chart: {spec.chart.columns} are not all columns of the table")
    return spec


def _head(data: object, where: str) -> Head:
    item = _keys(data, where, ("label", "columns"))
    label = None if item["label"] is None else _text(item["label"], f"{where}.label")
    columns = _list(item["columns"], f"{where}.columns")
    return Head(label, tuple(_column(column, f"{where}.columns[{i}]") for i, column in enumerate(columns)))


def _column(data: object, where: str) -> Column:
    item = _keys(data, where, ("code", "label", "kind"), optional=("decimals",))
    kind: CellKind = _choice(item["kind"], get_args(CellKind), f"{where}.kind")
    if (kind == "text") == ("decimals" in item):
        raise PublicationModelError(
            f"{where}: decimals are for columns of figures, and each of those needs them"
        )
    decimals = _whole(item.get("decimals", 0), f"{where}.decimals")
    if not 0 <= decimals <= 6:
        raise PublicationModelError(f"{where}.decimals: {decimals}; publication rows carry 0 to 6")
    return Column(
        _string(item["code"], f"{where}.code"), _text(item["label"], f"{where}.label"), kind, decimals
    )


def _symbol(data: object, where: str) -> Symbol:
    item = _keys(data, where, ("name", "mark", "meaning"))
    if not isinstance(item["mark"], str):
        raise PublicationModelError(f"{where}.mark: {item['mark']!r}; expected a text")
    return Symbol(
        _string(item["name"], f"{where}.name"), item["mark"], _text(item["meaning"], f"{where}.meaning")
    )


def _chart(data: object, where: str) -> ChartSpec:
    item = _keys(data, where, ("kind", "title", "columns", "rows"))
    return ChartSpec(
        kind=_choice(item["kind"], get_args(ChartKind), f"{where}.kind"),
        title=_text(item["title"], f"{where}.title"),
        columns=tuple(
            _string(code, f"{where}.columns") for code in _list(item["columns"], f"{where}.columns")
        ),
        rows=tuple(_string(code, f"{where}.rows") for code in _list(item["rows"], f"{where}.rows")),
    )


def _keys(
    data: object, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise PublicationModelError(f"{where}: {data!r}; expected {', '.join(required)}")
    missing = [key for key in required if key not in data]
    unknown = [str(key) for key in data if key not in (*required, *optional)]
    if missing or unknown:
        raise PublicationModelError(
            f"{where}: missing {missing}, unknown {unknown}; expected {', '.join(required)}"
        )
    return data


def _list(data: object, where: str) -> list[object]:
    if not isinstance(data, list) or not data:
        raise PublicationModelError(f"{where}: {data!r}; expected a list with something in it")
    return data


def _string(data: object, where: str) -> str:
    if not isinstance(data, str) or not data:
        raise PublicationModelError(f"{where}: {data!r}; expected a text")
    return data


def _whole(data: object, where: str) -> int:
    if not isinstance(data, int) or isinstance(data, bool):
        raise PublicationModelError(f"{where}: {data!r}; expected a whole number")
    return data


def _text(data: object, where: str) -> Text:
    item = _keys(data, where, ("zh", "en"))
    return Text(_string(item["zh"], f"{where}.zh"), _string(item["en"], f"{where}.en"))


def _choice(data: object, allowed: tuple[Any, ...], where: str) -> Any:
    if data not in allowed:
        raise PublicationModelError(f"{where}: {data!r}; expected one of {', '.join(allowed)}")
    return data


def _replaced(text: str, words: Mapping[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    if "{" in text:
        raise PublicationModelError(f"{text!r}: only {', '.join(words)} may stand in braces")
    return text
