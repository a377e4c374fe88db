"""The month's workbook: nine tables in Chinese and nine in English, laid out as statistical tables are printed.

Everything printed comes from PrintedTable; here it is only placed. The same tables give the same bytes: no clock,
no user name, no locale. Text is written as text whatever it begins with, so no formula can come from data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from pipelines.periods import Month
from pipelines.publication.layout import display_width, line_count, longest_piece, split_between
from pipelines.publication.tables import (
    Cell,
    Column,
    Language,
    PrintedTable,
    Row,
    Text,
    decimals_of,
    formatted,
    publication_model,
)

# Common fonts of the two languages; where one is missing, the reader's program takes its own.
_BODY_FONT: dict[Language, str] = {"zh": "宋体", "en": "Times New Roman"}
_TITLE_FONT: dict[Language, str] = {"zh": "黑体", "en": "Times New Roman"}
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(
    tzinfo=None
)  # part of the bytes, so the same for every workbook

_FIRST_HEAD_ROW = 3  # above it: title, period, compiler with number and unit
_FIRST_BODY_ROW = _FIRST_HEAD_ROW + 2
_BODY_HEIGHT = 17.0
_LINE_HEIGHT = 13.5
# Places of 10-point type in one unit of column width. A unit is a digit of 11 points; Latin words run narrower.
_PLACES_PER_UNIT: dict[Language, float] = {"zh": 1.04, "en": 1.24}
_STUB_WIDTH = (16, 42)  # least and most places of the first column
_COLUMN_WIDTH = (7.5, 22)
_WORDS_WIDTH = (7, 14)  # of a column of words, which may wrap
# Three colours that stay apart in grey print; mode 1, 2, 4 or the single series.
_SERIES_COLOURS = ("#1F4E79", "#9DC3E6", "#C55A11")

_WORDS: dict[str, Text] = {
    "number": Text("表号：表{number}", "Table {number}"),
    "unit": Text("单位：{unit}", "Unit: {unit}"),
    "compiler": Text("编制单位：{compiler}", "Compiled by: {compiler}"),
    "notes": Text("注：", "Notes: "),
    "symbols": Text("符号：", "Symbols: "),
    "source": Text("资料来源：{source}", "Source: {source}"),
    "released": Text("发布日期：{day}", "Released: {day}"),
    "page": Text("第 &P 页 共 &N 页", "Page &P of &N"),
    "snapshot": Text("数据版本 {snapshot}", "Snapshot {snapshot}"),
    "contents": Text("目录", "Contents"),
    "contents_number": Text("表号", "No."),
    "contents_title": Text("表名", "Title"),
    "contents_unit": Text("计量单位", "Unit"),
    "chart_of": Text("数据见{name}", "Data: {name}"),
    "zero": Text("“0”为零", "0 is zero"),
}


@dataclass(frozen=True, slots=True)
class Imprint:
    """What is printed on every sheet beside the tables: which state of the data, and released when (None: a draft)."""

    snapshot_id: str
    released_on: date | None = None


def sheet_name(number: int, language: Language) -> str:
    """表1 or Table 1."""
    return f"表{number}" if language == "zh" else f"Table {number}"


def chart_sheet_name(number: int, language: Language) -> str:
    """图7 or Chart 7."""
    return f"图{number}" if language == "zh" else f"Chart {number}"


def write_workbook(path: Path, month: Month, tables: Sequence[PrintedTable], imprint: Imprint) -> None:
    """Write the tables of one month as one workbook.

    Sheets: 目录, 表1 ..., 图7 after 表7, Contents, Table 1 ...; every figure is a number cell with the format of its column,
    already rounded. The bytes depend on the arguments and the version of XlsxWriter only.
    """
    workbook = xlsxwriter.Workbook(
        str(path),
        {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd",
            "in_memory": True,
        },
    )
    try:
        model = publication_model()
        workbook.set_properties(
            {
                "title": f"{model.title.zh} {Text('{period}', '{period}').filled(month).zh}",
                "company": model.compiler.zh,
                "comments": imprint.snapshot_id,
                "created": _CREATED,
            }
        )
        for language in ("zh", "en"):
            drawer = _Drawer(workbook, language, month, imprint)
            contents = workbook.add_worksheet(_WORDS["contents"].of(language))
            for table in tables:
                drawer.draw(table)
                drawer.draw_chart(table)
            drawer.draw_contents(contents, tables)
        workbook.worksheets()[0].activate()
    finally:
        workbook.close()


class _Drawer:
    """Draws the sheets of one language of one workbook; keeps the cell formats it has made."""

    def __init__(self, workbook: Any, language: Language, month: Month, imprint: Imprint) -> None:
        self._workbook = workbook
        self._language = language
        self._month = month
        self._imprint = imprint
        self._formats: dict[tuple[tuple[str, object], ...], Any] = {}
        self._points_high = 0.0  # of the sheet being drawn

    # --- one table ------------------------------------------------------------------------------------------------

    def draw(self, table: PrintedTable) -> None:
        spec = table.spec
        sheet = self._workbook.add_worksheet(sheet_name(spec.number, self._language))
        columns = [column for head in table.heads for column in head.columns]
        last = len(columns)
        widths = self._widths(table, columns)
        self._points_high = 0.0
        for index, width in enumerate(widths):
            sheet.set_column(index, index, width)
        self._draw_top(sheet, table, widths)
        self._draw_heads(sheet, table, widths)
        end = self._draw_body(sheet, table, columns, widths)
        end = self._draw_foot(sheet, table, end, sum(widths), last)
        self._set_page(sheet, table, widths, end - 1)

    def _set_height(self, sheet: Any, row: int, points: float) -> None:
        sheet.set_row(row, points)
        self._points_high += points

    def _draw_top(self, sheet: Any, table: PrintedTable, widths: list[float]) -> None:
        spec, last = table.spec, len(widths) - 1
        self._set_height(sheet, 0, 28)
        title = f"{sheet_name(spec.number, self._language)}  {spec.title.of(self._language)}"
        sheet.merge_range(
            0,
            0,
            0,
            last,
            title,
            self._format(font_name=self._title_font, font_size=16, bold=True, align="center"),
        )
        period = Text("{period}", "{period}").filled(self._month).of(self._language)
        sheet.merge_range(1, 0, 1, last, period, self._format(align="center", font_size=11))
        self._set_height(sheet, 1, 17)
        left = self._word("compiler", compiler=publication_model().compiler)
        right = f"{self._word('number', number=spec.number)}    {self._word('unit', unit=spec.unit)}"
        middle, lines = split_between(left, right, [width * self._places_per_unit for width in widths])
        _merge(sheet, (2, 0, middle), left, self._format(align="left", text_wrap=lines > 1))
        _merge(sheet, (2, middle + 1, last), right, self._format(align="right", text_wrap=lines > 1))
        self._set_height(sheet, 2, 16 + (lines - 1) * _LINE_HEIGHT)

    def _draw_heads(self, sheet: Any, table: PrintedTable, widths: list[float]) -> None:
        head = {"align": "center", "valign": "vcenter", "text_wrap": True, "bold": True}
        top, bottom = _FIRST_HEAD_ROW, _FIRST_HEAD_ROW + 1
        both = self._format(**head, top=2, bottom=1)
        sheet.merge_range(top, 0, bottom, 0, table.spec.stub.of(self._language), both)
        at = 1
        lines = [1, 1]
        for group in table.heads:
            end = at + len(group.columns) - 1
            if group.label is not None:
                label = group.label.of(self._language)
                _merge(sheet, (top, at, end), label, self._format(**head, top=2, bottom=1))
                lines[0] = max(
                    lines[0], line_count(label, sum(widths[at : end + 1]) * self._places_per_unit - 1)
                )
            for column in group.columns:
                label = column.label.of(self._language)
                needed = line_count(label, widths[at] * self._places_per_unit - 1)
                if group.label is None:
                    sheet.merge_range(top, at, bottom, at, label, both)
                    needed -= lines[0]
                else:
                    sheet.write_string(bottom, at, label, self._format(**head, bottom=1))
                lines[1] = max(lines[1], needed)
                at += 1
        self._set_height(sheet, top, 6 + lines[0] * _LINE_HEIGHT)
        self._set_height(sheet, bottom, 6 + lines[1] * _LINE_HEIGHT)

    def _draw_body(self, sheet: Any, table: PrintedTable, columns: list[Column], widths: list[float]) -> int:
        """Write the rows; returns the first sheet row below them."""
        last = len(columns)
        if not table.rows:
            empty = publication_model().empty.of(self._language)
            sheet.merge_range(
                _FIRST_BODY_ROW, 0, _FIRST_BODY_ROW, last, empty, self._format(align="center", bottom=2)
            )
            self._set_height(sheet, _FIRST_BODY_ROW, _BODY_HEIGHT * 2)
            return _FIRST_BODY_ROW + 1
        for offset, row in enumerate(table.rows):
            at = _FIRST_BODY_ROW + offset
            line: dict[str, Any] = {"valign": "vcenter"}
            if offset == len(table.rows) - 1:
                line["bottom"] = 2
            label = row.label.of(self._language)
            lines = line_count(label, widths[0] * self._places_per_unit - 2 * row.indent)
            stub = self._format(**line, align="left", indent=row.indent, text_wrap=True, bold=row.is_heading)
            if row.is_heading:
                _merge(sheet, (at, 0, last), label, stub)
                lines = 1
            else:
                sheet.write_string(at, 0, label, stub)
            for index, column in enumerate(columns, start=1):
                if row.is_heading:
                    break
                cell = row.cells[column.code]
                self._write_cell(sheet, (at, index), cell, column, line)
                if column.kind == "text" or cell.text is not None:
                    lines = max(
                        lines,
                        line_count(
                            formatted(cell, column, self._language), widths[index] * self._places_per_unit
                        ),
                    )
            self._set_height(sheet, at, _BODY_HEIGHT + (lines - 1) * _LINE_HEIGHT)
        return _FIRST_BODY_ROW + len(table.rows)

    def _write_cell(
        self, sheet: Any, place: tuple[int, int], cell: Cell, column: Column, line: dict[str, Any]
    ) -> None:
        row, at = place
        if column.kind == "text":
            style = self._format(**line, align="center", text_wrap=True)
            sheet.write_string(row, at, formatted(cell, column, self._language), style)
        elif cell.text is None and cell.value is not None:
            decimals = decimals_of(cell.value, column)
            pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
            sheet.write_number(
                row, at, float(cell.value), self._format(**line, align="right", num_format=pattern)
            )
        else:
            mark = formatted(cell, column, self._language)
            style = self._format(**line, align="right", text_wrap=cell.text is not None)
            if mark:
                sheet.write_string(row, at, mark, style)
            else:
                sheet.write_blank(row, at, None, style)

    def _draw_foot(self, sheet: Any, table: PrintedTable, row: int, width: float, last: int) -> int:
        """Notes, symbols, source, date of release; returns the first sheet row below them."""
        language, model = self._language, publication_model()
        paragraphs = []
        prefix = _WORDS["notes"].of(language)
        for number, note in enumerate(table.notes, start=1):
            lead = prefix if number == 1 else ("　　" if language == "zh" else " " * len(prefix))
            paragraphs.append(f"{lead}{number}. {note.of(language)}")
        if table.symbols:
            separator = "；" if language == "zh" else "; "
            legend = separator.join(
                _legend(symbol.mark, symbol.meaning, language) for symbol in table.symbols
            )
            paragraphs.append(f"{_WORDS['symbols'].of(language)}{legend}{'。' if language == 'zh' else '.'}")
        paragraphs.append(self._word("source", source=table.spec.source))
        day = self._imprint.released_on
        released = model.not_released.of(language) if day is None else _day(day, language)
        closing = self._word("released", day=released)
        if table.is_preliminary:
            closing += ("　　" if language == "zh" else "    ") + model.preliminary.of(language)
        paragraphs.append(closing)
        style = self._format(align="left", valign="top", text_wrap=True, font_size=9)
        for paragraph in paragraphs:
            sheet.merge_range(row, 0, row, last, "", style)
            sheet.write_string(row, 0, paragraph, style)
            self._set_height(
                sheet, row, 3 + line_count(paragraph, width * self._places_per_unit * 10 / 9) * 12.0
            )
            row += 1
        return row

    # --- charts ---------------------------------------------------------------------------------------------------

    def draw_chart(self, table: PrintedTable) -> None:
        """Draw the table's chart, if it has one and rows to show, on a sheet and a page of its own after the table."""
        spec = table.spec.chart
        shown = [
            (index, row)
            for index, row in enumerate(table.rows)
            if spec is not None
            and not row.is_heading
            and any(row.code.startswith(code) for code in spec.rows)
        ]
        if spec is None or not shown:
            return
        name = sheet_name(table.spec.number, self._language)
        indices = [
            index for index, column in enumerate(table.spec.columns, start=1) if column.code in spec.columns
        ]
        draw = self._stacked_modes if spec.kind == "stacked_modes" else self._target_bars
        chart = draw(name, shown, indices)
        title = spec.title.filled(self._month).of(self._language)
        chart.set_title({"name": title, "overlay": False, "name_font": self._chart_font(14, bold=True)})
        chart.set_chartarea({"border": {"none": True}})
        chart.set_size({"width": 960, "height": 520})
        sheet = self._workbook.add_worksheet(chart_sheet_name(table.spec.number, self._language))
        sheet.insert_chart(1, 0, chart, {"object_position": 2, "description": title})
        back = self._word("chart_of", name=name)
        link = self._format(font_color="#1F4E79", underline=1)
        sheet.write_url(0, 0, f"internal:'{name}'!A1", link, back)
        sheet.hide_gridlines(2)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.75)
        sheet.fit_to_pages(1, 1)
        sheet.center_horizontally()
        sheet.print_area(0, 0, 28, 15)
        sheet.set_footer(self._footer())

    def _stacked_modes(self, name: str, shown: list[tuple[int, Row]], indices: list[int]) -> Any:
        chart = self._workbook.add_chart({"type": "column", "subtype": "stacked"})
        heads = [name, _FIRST_HEAD_ROW + 1, indices[0], _FIRST_HEAD_ROW + 1, indices[-1]]
        for colour, (index, _row) in zip(_SERIES_COLOURS, shown, strict=False):
            at = _FIRST_BODY_ROW + index
            chart.add_series(
                {
                    "name": [name, at, 0],
                    "categories": heads,
                    "values": [name, at, indices[0], at, indices[-1]],
                    "fill": {"color": colour},
                    "gap": 90,
                    "data_labels": {
                        "value": True,
                        "num_format": "#,##0.0",
                        "font": {
                            **self._chart_font(9),
                            "color": "#000000" if colour == "#9DC3E6" else "#FFFFFF",
                        },
                    },
                }
            )
        chart.set_x_axis({"num_font": self._chart_font(11), "line": {"color": "#7F7F7F"}})
        chart.set_y_axis(
            {
                "num_font": self._chart_font(10),
                "num_format": "#,##0",
                "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9", "width": 0.5}},
            }
        )
        chart.set_legend({"position": "bottom", "font": self._chart_font(11)})
        return chart

    def _target_bars(self, name: str, shown: list[tuple[int, Row]], indices: list[int]) -> Any:
        column = indices[0]
        first, last = _FIRST_BODY_ROW + shown[0][0], _FIRST_BODY_ROW + shown[-1][0]
        chart = self._workbook.add_chart({"type": "bar"})
        chart.add_series(
            {
                "name": [name, _FIRST_HEAD_ROW + 1, column],
                "categories": [name, first, 0, last, 0],
                "values": [name, first, column, last, column],
                "fill": {"color": _SERIES_COLOURS[0]},
                "gap": 60,
                "data_labels": {
                    "value": True,
                    "num_format": '0.0"%"',
                    "position": "inside_end",
                    "font": {**self._chart_font(12, bold=True), "color": "#FFFFFF"},
                },
            }
        )
        # In a bar chart XlsxWriter calls the vertical axis y; the first target stands on top.
        chart.set_y_axis({"num_font": self._chart_font(11), "reverse": True, "line": {"color": "#7F7F7F"}})
        chart.set_x_axis(
            {
                "num_font": self._chart_font(10),
                "num_format": "0",
                "min": 0,
                "major_unit": 50,
                "label_position": "high",
                "major_gridlines": {
                    "visible": True,
                    "line": {"color": "#7F7F7F", "width": 0.75, "dash_type": "dash"},
                },
            }
        )
        chart.set_legend({"none": True})
        return chart

    def _chart_font(self, size: int, *, bold: bool = False) -> dict[str, Any]:
        return {"name": self._body_font, "size": size, "bold": bold}

    # --- contents -------------------------------------------------------------------------------------------------

    def draw_contents(self, sheet: Any, tables: Sequence[PrintedTable]) -> None:
        language, model = self._language, publication_model()
        for index, width in enumerate((10, 52, 30)):
            sheet.set_column(index, index, width)
        sheet.merge_range(
            0,
            0,
            0,
            2,
            model.title.of(language),
            self._format(font_name=self._title_font, font_size=18, bold=True, align="center"),
        )
        sheet.set_row(0, 34)
        period = Text("{period}", "{period}").filled(self._month).of(language)
        sheet.merge_range(1, 0, 1, 2, period, self._format(align="center", font_size=12))
        sheet.set_row(1, 20)
        head = self._format(bold=True, align="center", valign="vcenter", top=2, bottom=1)
        for index, word in enumerate(("contents_number", "contents_title", "contents_unit")):
            sheet.write_string(3, index, _WORDS[word].of(language), head)
        sheet.set_row(3, 20)
        for offset, table in enumerate(tables):
            row = 4 + offset
            line: dict[str, Any] = {"valign": "vcenter"}
            if offset == len(tables) - 1:
                line["bottom"] = 2
            name = sheet_name(table.spec.number, language)
            link = self._format(**line, font_color="#1F4E79", underline=1, align="left")
            sheet.write_string(row, 0, name, self._format(**line, align="center"))
            sheet.write_url(row, 1, f"internal:'{name}'!A1", link, table.spec.title.of(language))
            sheet.write_string(row, 2, table.spec.unit.of(language), self._format(**line, align="left"))
            sheet.set_row(row, 20)
        row = 5 + len(tables)
        legend = ("；" if language == "zh" else "; ").join(
            (*(_legend(s.mark, s.meaning, language) for s in model.symbols), _WORDS["zero"].of(language))
        )
        day = self._imprint.released_on
        lines = [
            self._word("compiler", compiler=model.compiler),
            self._word(
                "released", day=model.not_released.of(language) if day is None else _day(day, language)
            ),
            self._word("snapshot", snapshot=self._imprint.snapshot_id),
            f"{_WORDS['symbols'].of(language)}{legend}{'。' if language == 'zh' else '.'}",
        ]
        if any(table.is_preliminary for table in tables):
            lines.insert(2, model.preliminary.of(language))
        style = self._format(align="left", valign="top", text_wrap=True)
        for text in lines:
            sheet.merge_range(row, 0, row, 2, "", style)
            sheet.write_string(row, 0, text, style)
            sheet.set_row(row, 4 + line_count(text, 92 * self._places_per_unit) * _LINE_HEIGHT)
            row += 1
        sheet.hide_gridlines(2)
        sheet.set_paper(9)
        sheet.set_margins(left=0.6, right=0.6, top=0.8, bottom=0.8)
        sheet.fit_to_pages(1, 0)
        sheet.center_horizontally()
        sheet.print_area(0, 0, row - 1, 2)
        sheet.set_footer(self._footer())

    # --- page, widths, formats ------------------------------------------------------------------------------------

    def _set_page(self, sheet: Any, table: PrintedTable, widths: list[float], end: int) -> None:
        sheet.hide_gridlines(2)
        sheet.set_paper(9)  # A4
        if table.spec.orientation == "landscape":
            sheet.set_landscape()
        sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.75)
        # One page wide, so that no column is lost, and as many pages long as it takes; but a table that is
        # a little longer than a page is made to fit, rather than leave its notes alone on the second.
        sheet.fit_to_pages(1, 1 if self._pages_long(table, widths) <= 1.35 else 0)
        sheet.center_horizontally()
        sheet.repeat_rows(0, _FIRST_BODY_ROW - 1)
        sheet.print_area(0, 0, end, len(widths) - 1)
        sheet.freeze_panes(_FIRST_BODY_ROW, 1)
        sheet.set_footer(self._footer())

    def _pages_long(self, table: PrintedTable, widths: list[float]) -> float:
        """How many A4 pages the sheet takes once it has been made one page wide."""
        is_wide = table.spec.orientation == "landscape"
        page_width, page_height = (
            (842 - 72, 595 - 105) if is_wide else (595 - 72, 842 - 105)
        )  # less the margins
        points_wide = sum(0.75 * (7 * width + 5) for width in widths)
        return self._points_high * min(1.0, page_width / points_wide) / page_height

    def _footer(self) -> str:
        snapshot = self._word("snapshot", snapshot=self._imprint.snapshot_id)
        period = Text("{period}", "{period}").filled(self._month).of(self._language)
        return f"&L&8{snapshot}&C&8{_WORDS['page'].of(self._language)}&R&8 {period}"

    def _widths(self, table: PrintedTable, columns: list[Column]) -> list[float]:
        """Width of the stub and of every column, in places of the body font."""
        language = self._language
        stub = max(
            (
                display_width(row.label.of(language)) + 2 * row.indent
                for row in table.rows
                if not row.is_heading
            ),
            default=0,
        )
        widths: list[float] = [_between(stub / self._places_per_unit + 2, _STUB_WIDTH)]
        for column in columns:
            cells = [row.cells[column.code] for row in table.rows if row.cells]
            # Words in a column of figures are wrapped at the width of the figures.
            written = [
                formatted(cell, column, language)
                for cell in cells
                if column.kind == "text" or cell.text is None
            ]
            # A head may wrap, but no word of it may be broken; Chinese heads look best in at most two lines.
            label = column.label.of(language)
            lines = label.split("\n")
            if len(lines) == 1:
                head = max(longest_piece(label), -(-display_width(label) // 2))
            else:
                head = max(display_width(line) for line in lines)
            widest = max((display_width(text) for text in written), default=0)
            if column.kind == "text":
                widths.append(_between(max(widest / self._places_per_unit + 1.5, head + 1.5), _WORDS_WIDTH))
            else:
                widths.append(_between(max(widest + 2, head + 2), _COLUMN_WIDTH))
        for at, group in _groups(table):
            if group is not None:  # the group's own label in one line over its columns
                short = display_width(group.of(language)) + 2 - sum(widths[at.start : at.stop])
                if short > 0:
                    for index in range(at.start, at.stop):
                        widths[index] += short / (at.stop - at.start)
        return widths

    def _format(self, **properties: object) -> Any:
        complete: dict[str, object] = {"font_name": self._body_font, "font_size": 10, **properties}
        key = tuple(sorted(complete.items()))
        if key not in self._formats:
            self._formats[key] = self._workbook.add_format(complete)
        return self._formats[key]

    def _word(self, name: str, /, **values: object) -> str:
        filled = {
            key: value.of(self._language) if isinstance(value, Text) else value
            for key, value in values.items()
        }
        return _WORDS[name].of(self._language).format(**filled)

    @property
    def _places_per_unit(self) -> float:
        return _PLACES_PER_UNIT[self._language]

    @property
    def _body_font(self) -> str:
        return _BODY_FONT[self._language]

    @property
    def _title_font(self) -> str:
        return _TITLE_FONT[self._language]


def _groups(table: PrintedTable) -> list[tuple[range, Text | None]]:
    groups = []
    at = 1
    for head in table.heads:
        groups.append((range(at, at + len(head.columns)), head.label))
        at += len(head.columns)
    return groups


def _merge(sheet: Any, stretch: tuple[int, int, int], text: str, style: Any) -> None:
    """Merge a stretch of one row, or write one cell: XlsxWriter refuses to merge a single cell."""
    row, first, last = stretch
    if first == last:
        sheet.write_string(row, first, text, style)
    else:
        sheet.merge_range(row, first, row, last, "", style)
        sheet.write_string(row, first, text, style)


def _legend(mark: str, meaning: Text, language: Language) -> str:
    if not mark:
        return meaning.of(language)
    return f"“{mark}”{meaning.zh}" if language == "zh" else f"“{mark}” {meaning.en}"


def _day(day: date, language: Language) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if language == "zh" else day.isoformat()


def _between(value: float, bounds: tuple[float, float]) -> float:
    return float(min(max(value, bounds[0]), bounds[1]))
