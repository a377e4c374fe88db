"""A printed table for the terminal and for other programs: text, CSV, JSON.

The workbook is elsewhere. Nothing is computed here.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from typing import Any

from pipelines.publication.layout import display_width, padded
from pipelines.publication.tables import (
    Column,
    Language,
    PrintedTable,
    decimals_of,
    formatted,
    publication_model,
)

_FORMULA_START = re.compile(r"[=+\-@\t\r\n|%＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_GAP = "  "


def as_text(table: PrintedTable, language: Language) -> str:
    """The table for a terminal with a fixed-width font, in which a Chinese character takes two places."""
    columns = [column for head in table.heads for column in head.columns]
    stub = table.spec.stub.of(language)
    body = [
        (
            "  " * row.indent + row.label.of(language),
            [formatted(row.cells[column.code], column, language) for column in columns] if row.cells else [],
        )
        for row in table.rows
    ]
    first = max([display_width(stub), *(display_width(label) for label, cells in body if cells)])
    widths = [
        max(
            [
                display_width(column.label.in_one_line(language)),
                *(display_width(cells[index]) for _, cells in body if cells),
            ]
        )
        for index, column in enumerate(columns)
    ]
    group_line, at = " " * first, 0
    for head in table.heads:
        own = widths[at : at + len(head.columns)]
        label = head.label.of(language) if head.label else ""
        short = display_width(label) - sum(own) - len(_GAP) * (len(own) - 1)
        if short > 0:
            widths[at] += short
            own = widths[at : at + len(head.columns)]
        width = sum(own) + len(_GAP) * (len(own) - 1)
        left = (width - display_width(label)) // 2
        group_line += _GAP + padded(" " * left + label, width)
        at += len(head.columns)
    head_line = padded(stub, first) + "".join(
        _GAP + padded(column.label.in_one_line(language), width, right=column.kind != "text")
        for column, width in zip(columns, widths, strict=True)
    )
    rule = "─" * display_width(head_line)
    name = f"表{table.spec.number}" if language == "zh" else f"Table {table.spec.number}"
    unit = ("单位：" if language == "zh" else "Unit: ") + table.spec.unit.of(language)
    period = f"{table.month.year}年{table.month.month}月" if language == "zh" else str(table.month)
    lines = [f"{name}  {table.title.of(language)}  {period}", unit, rule]
    lines += [line for line in (group_line.rstrip(), head_line.rstrip()) if line]
    lines.append(rule)
    for label, cells in body:
        line = padded(label, first) if cells else label
        for text, column, width in zip(cells, columns, widths if cells else [], strict=False):
            line += _GAP + padded(text, width, right=column.kind != "text")
        lines.append(line.rstrip())
    if not body:
        lines.append(publication_model().empty.of(language))
    lines.append(rule)
    lines += [f"{number}. {note.of(language)}" for number, note in enumerate(table.notes, start=1)]
    lines += [
        f"{'“' + symbol.mark + '” ' if symbol.mark else ''}{symbol.meaning.of(language)}"
        for symbol in table.symbols
    ]
    if table.is_preliminary:
        lines.append(publication_model().preliminary.of(language))
    return "\n".join(lines) + "\n"


def as_csv(table: PrintedTable, language: Language) -> str:
    """The table as printed, one line a row and one head line; figures without separators of thousands."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    columns = [column for head in table.heads for column in head.columns]
    heads = [
        f"{head.label.of(language)} {column.label.in_one_line(language)}"
        if head.label
        else column.label.in_one_line(language)
        for head in table.heads
        for column in head.columns
    ]
    writer.writerow([csv_field(text) for text in (table.spec.stub.of(language), *heads)])
    for row in table.rows:
        cells = [_plain(row.cells[column.code], column, language) for column in columns] if row.cells else []
        writer.writerow([csv_field(text) for text in (row.label.of(language), *cells)])
    return out.getvalue()


def as_json(table: PrintedTable) -> dict[str, Any]:
    """The table as one object with both languages; figures are texts, so that no digit is lost on the way."""
    return {
        "schema_version": 1,
        "table": table.spec.name,
        "number": table.spec.number,
        "month": str(table.month),
        "title": _both(table.title),
        "unit": _both(table.spec.unit),
        "is_preliminary": table.is_preliminary,
        "columns": [
            {
                "code": column.code,
                "group": _both(head.label) if head.label else None,
                "label": _both(column.label),
                "kind": column.kind,
                "decimals": column.decimals,
            }
            for head in table.heads
            for column in head.columns
        ],
        "rows": [
            {
                "row": row.number,
                "code": row.code,
                "label": _both(row.label),
                "indent": row.indent,
                "cells": {
                    column.code: {
                        "value": None
                        if cell.value is None
                        else f"{cell.value:.{decimals_of(cell.value, column)}f}",
                        "text": _both(cell.text) if cell.text else None,
                        "symbol": cell.symbol,
                    }
                    for column in table.spec.columns
                    if (cell := row.cells.get(column.code)) is not None
                },
            }
            for row in table.rows
        ],
        "notes": [_both(note) for note in table.notes],
        "symbols": [{"mark": symbol.mark, "meaning": _both(symbol.meaning)} for symbol in table.symbols],
    }


def csv_field(value: object) -> str:
    """A field that a spreadsheet shows as it is: text that would begin a formula gets a ' before it, a number never.

    None is an empty field; a Decimal is written without filling zeros.
    """
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    if _FORMULA_START.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def _plain(cell: Any, column: Column, language: Language) -> str:
    if cell.text is None and cell.value is not None:
        return f"{cell.value:.{decimals_of(cell.value, column)}f}"
    return formatted(cell, column, language)


def _both(text: Any) -> dict[str, str]:
    return {"zh": text.in_one_line("zh"), "en": text.in_one_line("en")}
