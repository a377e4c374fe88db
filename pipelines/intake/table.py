"""The rows of a table under its head: lines, totals, notes, and what stands where no line should.

Whatever shape the table has, a line counts once, with the codes it needs; a row that cannot be a line is either
known for what it is (total, subtotal, note, foot) or reported.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from pipelines import codes
from pipelines.findings import Wording
from pipelines.intake import messages
from pipelines.intake.cells import CellReader
from pipelines.intake.gate import address
from pipelines.intake.layouts import Field, FormLayout
from pipelines.intake.reading import RawCell
from pipelines.intake.recognise import CODES_REMEMBERED, Column, ColumnMap
from pipelines.intake.values import CellProblem, as_text, number_text, read_number

# How the inner loop treats a column; everything that is not plain goes the long way round.
_UNFILLED_TOLD_SINGLY, _UNFILLED_SHOWN = 3, 12
_PLAIN_LENGTH = 11  # a float that prints so short prints as Excel shows it
_PLAIN_NUMBER, _PERCENT, _TEXT, _CODE, _DAY, _OTHER = range(6)


class TableReader:
    """Reads the rows under the head of one table. Its inner loop is the reader's busiest place."""

    def __init__(self, reader: CellReader, layout: FormLayout, columns: ColumnMap, head_row: int) -> None:
        self.reader = reader
        self.sheet = reader.sheet
        self.layout = layout
        self.columns = columns.columns
        self.first_row = head_row + columns.head_rows
        self.measures = tuple(column for column in self.columns if column.field.is_measure)
        self.measure_indexes = tuple(column.index for column in self.measures)
        self.by_name = {column.field.name: column for column in self.columns}
        self.needed = tuple(
            column for column in self.columns if column.field.is_required and not column.field.is_measure
        )
        self.spread, self.merged_measures = self._merged_cells()
        self.unfilled: list[tuple[int, str]] = []  # row number and codes of rows without a single figure

        def is_period_key(field_: Field) -> bool:
            return field_.type == "date" and field_.name in layout.key_fields

        self.plan = [
            (
                column.index,
                column.letters,
                column.field,
                column.field.name,
                _OTHER if is_period_key(column.field) else _way_of(column.field),
                reader.recogniser.known_codes(column.field),
            )
            for column in self.columns
        ]

    def _merged_cells(self) -> tuple[dict[tuple[int, int], tuple[int, int]], dict[tuple[int, int], str]]:
        """Cells below the first one of a merge down a text column, and amounts that stand in merged cells."""
        spread: dict[tuple[int, int], tuple[int, int]] = {}
        amounts: dict[tuple[int, int], str] = {}
        rows = self.sheet.rows
        measures = set(self.measure_indexes)
        fields = {column.index: column.field for column in self.columns}
        for row1, column1, row2, column2 in self.sheet.merges:
            if row2 < self.first_row or row1 < self.first_row:
                continue
            covered = [index for index in range(column1, min(column2, column1 + 60) + 1) if index in measures]
            if covered and (len(covered) > 1 or row2 > row1):
                amounts[(row1, column1)] = f"{address(row1, column1)}:{address(row2, column2)}"
            if row2 > row1 and column1 in fields and column1 not in measures:
                for row in range(row1 + 1, min(row2 + 1, len(rows))):
                    spread[(row, column1)] = (row1, column1)
        return spread, amounts

    def read(self) -> None:
        self._read_rows()
        self._tell_unfilled()

    def _read_rows(self) -> None:
        rows = self.sheet.rows
        row_kind = self.reader.recogniser.row_kind
        measure_indexes = self.measure_indexes
        for index in range(self.first_row, len(rows)):
            row = rows[index]
            lead = ""
            for lead in row:
                if lead != "" and (type(lead) is not str or not lead.isspace()):
                    break
            else:
                continue
            if type(lead) is str:
                kind = row_kind(lead)
                if kind == "end":
                    self._look_below(index)
                    return
                if kind == "total":
                    self._read_total(index, row)
                    continue
                if kind == "subtotal":
                    self.reader.fix(f"A{index + 1}", lead, "", ("subtotal_row",))
                    continue
                if kind == "note" and not self._has_measure(row):
                    continue
                if kind == "ruler":
                    continue
            for measure in measure_indexes:
                if row[measure] != "":
                    break
            else:
                self._read_unfilled(index, row)
                continue
            if index == self.first_row and self._is_ruler(row):
                continue
            self._read_row(index, row)

    def _has_measure(self, row: list[Any]) -> bool:
        return any(read_number(row[index]).state not in ("", "invalid") for index in self.measure_indexes)

    def _has_figure(self, row: list[Any]) -> bool:
        return any(read_number(row[index]).number is not None for index in self.measure_indexes)

    def _is_of_foot(self, row: list[Any]) -> bool:
        """Whether a row has a label of the foot: the number beside 联系电话 is no figure."""
        kind = self.reader.recogniser.row_kind
        return any(type(value) is str and value != "" and kind(value) == "end" for value in row)

    def _is_ruler(self, row: list[Any]) -> bool:
        """The row that numbers the columns: 1 2 3 4 ... from left to right and nothing else."""
        values = [value for value in row if value != ""]
        return len(values) > 3 and all(
            type(value) is float and value == position for position, value in enumerate(values, start=1)
        )

    def _read_row(self, index: int, row: list[Any]) -> None:
        reader = self.reader
        reading = reader.reading
        for skipped in self.layout.skipped_rows:
            column = self.by_name.get(skipped.field)
            if column is not None and skipped.pattern.search(as_text(row[column.index]).strip()):
                given = as_text(row[column.index])
                reader.fix(f"{column.letters}{index + 1}", given, "", (skipped.fix,))
                return
        cells = reading.cells
        first_cell, first_finding = len(cells), len(reading.findings)
        add = cells.append
        form_code, sheet_name = reader.form.form_code, self.sheet.name
        row_number = index + 1
        spread = self.spread
        filled: set[str] = set()
        for position, letters, field_, name, way, known in self.plan:
            value = row[position]
            if value == "":
                if not spread or (index, position) not in spread:
                    continue
                origin = spread[(index, position)]
                value = self.sheet.rows[origin[0]][origin[1]]
                if value == "":
                    continue
                reader.fix(f"{letters}{row_number}", "", as_text(value), ("merged_down",))
            cell = f"{letters}{row_number}"
            kind = type(value)
            if kind is float:
                if (way == _PLAIN_NUMBER and -1e15 < value < 1e15) or (
                    way == _PERCENT and (1 < value < 1e15 or value == 0)
                ):
                    text = str(int(value)) if value == value // 1 else repr(value)
                    if len(text) > _PLAIN_LENGTH or "e" in text:
                        text = number_text(value)
                    state = "value" if value else "zero"
                    add((form_code, sheet_name, "row", row_number, cell, name, text, text, None, None, state))
                    filled.add(name)
                    continue
            elif kind is date:
                if way == _DAY:
                    text = value.isoformat()
                    add(
                        (
                            form_code,
                            sheet_name,
                            "row",
                            row_number,
                            cell,
                            name,
                            text,
                            None,
                            text,
                            value,
                            "value",
                        )
                    )
                    filled.add(name)
                    continue
            elif kind is str:
                if way == _TEXT:
                    text = value.strip()
                    if text:
                        add(
                            (
                                form_code,
                                sheet_name,
                                "row",
                                row_number,
                                cell,
                                name,
                                value,
                                None,
                                text,
                                None,
                                "value",
                            )
                        )
                        filled.add(name)
                    continue
                code = known.get(value)
                if code is not None:
                    add(
                        (
                            form_code,
                            sheet_name,
                            "row",
                            row_number,
                            cell,
                            name,
                            value,
                            None,
                            code,
                            None,
                            "value",
                        )
                    )
                    filled.add(name)
                    continue
            before = len(reading.fixes) + len(reading.findings)
            if reader.read_value("row", index, cell, field_, value):
                filled.add(name)
                if way == _CODE and kind is str and before == len(reading.fixes) + len(reading.findings):
                    _remember(known, value, cells[-1][8])
        if self.merged_measures:
            self._check_merged(index)
        if not any(column.field.name in filled for column in self.measures):
            # nothing but blanks and dots where the amounts go
            del cells[first_cell:]
            self._read_unfilled(index, row)
            return
        reader.form.row_count += 1
        self._check_codes(index, row, filled, first_cell)
        if len(reading.findings) > first_finding:
            key = self._key_of(cells[first_cell:])
            for position in range(first_finding, len(reading.findings)):
                reading.findings[position] = replace(reading.findings[position], key=key)

    def _check_codes(self, index: int, row: list[Any], filled: set[str], first_cell: int) -> None:
        """Codes that a row with figures must have; a blank one may still be known by the name beside it."""
        reader = self.reader
        for column in self.needed:
            field_ = column.field
            if field_.name_field and field_.name_field in filled:
                pair = (row[column.index], row[self.by_name[field_.name_field].index])
                if pair in reader.recogniser.agreed_names:
                    continue
                if self._check_name(index, row, column, filled, first_cell):
                    reader.recogniser.remember_name(pair)
            if field_.name in filled or (field_.alternative and field_.alternative in filled):
                continue
            if field_.optional_if is not None and any(
                cell[5] == field_.optional_if[0] and cell[8] == field_.optional_if[1]
                for cell in reader.reading.cells[first_cell:]
            ):
                continue
            reader.find("P16", f"{column.letters}{index + 1}", field_.label, expected=field_.label.zh)

    def _check_name(
        self, index: int, row: list[Any], column: Column, filled: set[str], first_cell: int
    ) -> bool:
        """Whether code and name agree; a blank code is taken from the name, a contradiction is reported."""
        reader = self.reader
        field_ = column.field
        name_column = self.by_name[field_.name_field]
        name = as_text(row[name_column.index])
        by_name = codes.item_code_of(name)
        cells = reader.reading.cells
        if field_.name not in filled:
            if by_name is None:
                return False
            name_cell = f"{name_column.letters}{index + 1}"
            for position in range(first_cell, len(cells)):
                if cells[position][5] == field_.name_field:
                    del cells[position]
                    break
            reader.emit("row", index, name_cell, field_.name, name, code=by_name)
            reader.fix(name_cell, name, by_name, ("item_by_name",))
            filled.add(field_.name)
            return False
        code = next((cell[8] for cell in cells[first_cell:] if cell[5] == field_.name), None)
        if code is None:
            return False
        if by_name is None or by_name[:2] == code[:2] or "S" in (code, by_name):
            return True
        cell = f"{column.letters}{index + 1}"
        reader.find("P25", cell, field_.label, code, by_name, words={"name": messages.shown(name)})
        return False

    def _check_merged(self, index: int) -> None:
        for (row, column), reference in self.merged_measures.items():
            if row != index or self.sheet.rows[row][column] == "":
                continue
            field_ = next((one.field for one in self.measures if one.index >= column), self.measures[0].field)
            self.reader.find(
                "P21",
                address(row, column),
                field_.label,
                as_text(self.sheet.rows[row][column]),
                words={"range": reference},
            )

    def _key_of(self, cells: list[RawCell]) -> str:
        found = {cell[5]: cell[8] or cell[6] for cell in cells}
        return " ".join(messages.shown(found[name]) for name in self.layout.key_fields if name in found)

    def _read_unfilled(self, index: int, row: list[Any]) -> None:
        """A row without a single amount: a note, a line that the template lists, or a line that was forgotten.

        Only the last is worth a word, and only where the clerk filled in every code himself.
        """
        filled = [
            as_text(row[column.index])
            for column in self.needed
            if row[column.index] != "" and as_text(row[column.index]).strip()
        ]
        if len(self.needed) > 1 and len(filled) == len(self.needed):
            self.unfilled.append((index + 1, " ".join(messages.shown(text) for text in filled)))

    def _tell_unfilled(self) -> None:
        """Rows listed without figures: each by itself while they are few, together where a form lists many."""
        letters = self.needed[0].letters if self.needed else "A"
        if len(self.unfilled) <= _UNFILLED_TOLD_SINGLY:
            for row_number, given in self.unfilled:
                rows = Wording(f"本行（{given}）", f"this row ({given})")
                self.reader.find("P26", f"{letters}{row_number}", None, given, words={"rows": rows})
            return
        numbers = [str(row_number) for row_number, _ in self.unfilled]
        shown, count = ", ".join(numbers[:_UNFILLED_SHOWN]), len(numbers)
        more_zh, more_en = ("等", " and others") if count > _UNFILLED_SHOWN else ("", "")
        rows = Wording(
            f"第 {shown.replace(', ', '、')} 行{more_zh}（共 {count} 行）",
            f"rows {shown}{more_en} ({count} in all)",
        )
        self.reader.find("P26", f"{letters}{numbers[0]}", None, shown, words={"rows": rows})

    def _read_total(self, index: int, row: list[Any]) -> None:
        for column in self.measures:
            value = row[column.index]
            if isinstance(value, CellProblem) and not value.is_error:
                # a total says nothing that the rows do not; without it they are simply not compared
                cell = f"{column.letters}{index + 1}"
                self.reader.fix(cell, messages.shown(value.given), "", ("total_not_computed",))
            elif value != "":
                self.reader.read_value("total", index, f"{column.letters}{index + 1}", column.field, value)

    def _look_below(self, end: int) -> None:
        """Rows below the foot that look like lines of the table: they are not read, and that is said."""
        for index in range(end + 1, len(self.sheet.rows)):
            row = self.sheet.rows[index]
            if self._is_of_foot(row):
                continue
            codes_there = [column for column in self.needed if row[column.index] != ""]
            if codes_there and self._has_figure(row):
                column = codes_there[0]
                self.reader.find("P24", f"{column.letters}{index + 1}", None, as_text(row[column.index]), "")


def _way_of(field_: Field) -> int:
    match field_.type:
        case "number":
            return _OTHER if field_.negative_is_debit else _PLAIN_NUMBER
        case "percent":
            return _PERCENT
        case "text":
            return _TEXT
        case "code" | "choice" | "identifier":
            return _CODE
        case "date":
            return _DAY
        case _:
            return _OTHER


def _remember(known: dict[str, str], text: str, code: str | None) -> None:
    """Keep a code that was read without any leniency; such texts repeat from row to row and file to file."""
    if code is not None:
        if len(known) >= CODES_REMEMBERED:
            known.clear()
        known[text] = code
