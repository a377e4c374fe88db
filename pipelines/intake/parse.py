"""From recognised sheets to cells with meaning: strict about meaning, lenient about shape.

Every cell of a known field becomes one record with its sheet and address; a blank cell becomes none. What was
read generously is a fix, what cannot be read is a finding, and all of them are reported at once. Rules of
statistics (sums, cumulative figures, growth) are not asked here.

Here are the file, its sheets and their heads; `table` has the rows, `cells` the single cell, `conclude` what only
the whole file can show. Cells travel as plain tuples until the last moment (`RawCell`), because the reading child
sends them to its parent and decimals are made only once, there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from pipelines.findings import Wording
from pipelines.intake import messages
from pipelines.intake.cells import CellReader, choice, choice_list, unit_list
from pipelines.intake.conclude import agree, cap, conclude
from pipelines.intake.gate import address, column_letters
from pipelines.intake.layouts import Field, FormLayout, LayoutBook, admits, choose_layout, example_of_period
from pipelines.intake.reading import FormSheet, Reading
from pipelines.intake.recognise import CODES_REMEMBERED, ColumnMap, HeadCell, Recogniser, unit_in_head
from pipelines.intake.table import TableReader
from pipelines.intake.values import CellProblem, as_text, label_key, plain, read_flag, read_period
from pipelines.intake.workbook import Sheet
from pipelines.money import Unit, parse_unit
from pipelines.periods import Period
from pipelines.records import FileKind


def parse_sheets(
    sheets: Iterable[Sheet],
    book: LayoutBook,
    recogniser: Recogniser,
    *,
    is_1904: bool = False,
    look_closer: Callable[[Sheet], None] | None = None,
    is_template: bool = False,
) -> Reading:
    """Read all sheets of one file.

    `look_closer` is called once for each sheet that is a form, before its cells are read; `is_template` says that
    the workbook was made by the system as a blank form. A file without any
    known form is unreadable (P01, the only finding); a known form in a version that does not hold for the
    period gives P02 and its head only.
    """
    reading = Reading()
    all_sheets: list[Sheet] = []
    closely: set[int] = set()  # sheets that were looked at closely before they were taken apart
    for sheet in sheets:
        starts = recogniser.further_forms(sheet)
        if not starts:
            all_sheets.append(sheet)
            continue
        if look_closer is not None:
            look_closer(sheet)
        parts = _apart(sheet, starts)
        closely.update(map(id, parts))
        all_sheets += parts
    forms: list[FormSheet] = []
    strangers: list[tuple[Sheet, str]] = []
    for sheet in all_sheets:
        if not sheet.rows:
            continue
        scan = recogniser.scan(sheet)
        form_code = recogniser.form_of(sheet, scan)
        if form_code:
            forms.append(FormSheet(sheet, scan, form_code))
        elif scan.form_text:
            strangers.append((sheet, scan.form_text))
    if not forms:
        return _no_form(all_sheets, book)
    returns = [form for form in forms if book.versions(form.form_code)[-1].kind is FileKind.RETURN]
    reading.kind = FileKind.RETURN if returns else FileKind.DEPARTMENT
    if returns and returns[0].sheet.is_delimited:
        reading.is_unreadable = True
        reading.kind = FileKind.UNKNOWN
        reading.findings.append(messages.finding("P32", given=returns[0].form_code))
        return reading
    strangers += [(form.sheet, form.form_code) for form in forms if returns and form not in returns]
    forms = returns or forms
    for sheet, text in strangers:
        reading.findings.append(
            messages.finding(
                "P28", sheet=sheet.name, given=text, expected=", ".join(book.by_form), form_code=text[:16]
            )
        )
    for form in forms:
        if look_closer is not None and id(form.sheet) not in closely:
            look_closer(form.sheet)
        SheetReader(form, reading, recogniser, is_1904).read(all_sheets)
    agree(forms, reading)
    conclude(forms, reading, is_template=is_template)
    cap(reading)
    return reading


def _apart(sheet: Sheet, starts: list[int]) -> list[Sheet]:
    """A sheet on which forms stand below each other, as a sheet for each; every row keeps its number."""
    blank = [""] * len(sheet.rows[0])
    return [
        replace(
            sheet,
            rows=[blank] * first + sheet.rows[first:last],
            merges=[merge for merge in sheet.merges if first <= merge[0] < last],
        )
        for first, last in pairwise([0, *starts, len(sheet.rows)])
    ]


def _no_form(sheets: list[Sheet], book: LayoutBook) -> Reading:
    if not any(value != "" for sheet in sheets for row in sheet.rows for value in row):
        return Reading(is_unreadable=True, findings=[messages.finding("G08")])
    names = "、".join(messages.shown(sheet.name) for sheet in sheets[:8])
    return Reading(
        is_unreadable=True,
        findings=[messages.finding("P01", expected=", ".join(book.by_form), words={"sheets": names})],
    )


# One sheet ----------------------------------------------------------------------------------------------------


class SheetReader(CellReader):
    """Reads one form sheet into the file's reading."""

    def read(self, all_sheets: list[Sheet]) -> None:
        form, scan = self.form, self.form.scan
        period = self._peek_period()
        candidates = choose_layout(self.recogniser.book, form.form_code, period)
        if not candidates:
            self._no_version(period)
            return
        layout, columns = self._best(candidates)
        form.layout = layout
        self.reading.forms.setdefault(layout.form_code, layout.version)
        if self.sheet.is_hidden:
            self.fix("A1", self.sheet.name, self.sheet.name, ("hidden_sheet",))
        beside = self.recogniser.form_beside(self.sheet, scan, layout.form_code)
        if beside is not None:
            self.find("P34", address(beside.row, beside.column), None, beside.value)
        is_head_complete = all(one.name in scan.head for one in layout.head if one.is_required)
        if columns is not None and scan.head_row is not None and not is_head_complete:
            self.recogniser.scan_below(self.sheet, scan, scan.head_row + columns.head_rows)
        self._read_head(layout)
        if layout.pairs:
            self._read_pairs(layout)
        elif columns is None or scan.head_row is None:
            form.has_broken_table = True
            for column_field in layout.required_columns:
                self._missing_column(column_field, 0)
        else:
            self._read_heads_of_columns(layout, columns, scan.head_row)
            self._settle_unit(layout, columns, scan.head_row, all_sheets)
            TableReader(self, layout, columns, scan.head_row).read()
        self._check_unit(layout)

    def _peek_period(self) -> Period | None:
        cell = self.form.scan.head.get("reference_month")
        if cell is None or cell.value is None or isinstance(cell.value, CellProblem):
            return None
        is_span = self.recogniser.book.versions(self.form.form_code)[-1].own_period_kind is not None
        return read_period(cell.value, is_1904=self.is_1904, is_span=is_span).period

    def _no_version(self, period: Period | None) -> None:
        versions = self.recogniser.book.versions(self.form.form_code)
        spans = "; ".join(f"{one.version}: {one.valid_from} – {one.valid_until or ''}" for one in versions)
        cell = self.form.scan.head["reference_month"]
        self.reading.findings.append(
            messages.finding(
                "P02",
                sheet=self.sheet.name,
                cell=address(cell.row, cell.column),
                given=as_text(cell.value),
                expected=spans,
                form_code=self.form.form_code,
                words={"form": self.form.form_code, "expected": _validities(versions)},
            )
        )
        self.form.has_broken_table = True
        self._read_head(versions[-1])
        self.form.period = period

    def _best(self, candidates: tuple[FormLayout, ...]) -> tuple[FormLayout, ColumnMap | None]:
        """The candidate whose columns are there."""
        head_row = self.form.scan.head_row
        if head_row is None or not candidates[0].columns:
            return candidates[-1], None
        maps = [
            (self.recogniser.columns(self.sheet, one, head_row), one) for one in candidates if one.columns
        ]
        best = max(maps, key=lambda pair: (-len(pair[0].missing), pair[0].match_count))
        return best[1], best[0]

    # Records, fixes and findings ------------------------------------------------------------------------------

    # Head -----------------------------------------------------------------------------------------------------

    def _read_head(self, layout: FormLayout) -> None:
        for head_field in layout.head:
            found = self.form.scan.head.get(head_field.name)
            if found is not None and found.value is not None:
                self._read_head_cell(layout, head_field, found)

    def _read_head_cell(self, layout: FormLayout, head_field: Field, found: HeadCell) -> None:
        """One head cell. What was read from a text without a word to say about it is remembered."""
        memory = self.recogniser.head_memory
        key = (layout.path, head_field.name, found.value)
        known = memory.get(key) if type(found.value) is str else None
        if known is not None:
            period, unit, text, code, day = known
            form = self.form
            match head_field.name:
                case "reference_month":
                    form.period = period
                case "unit":
                    form.unit = unit
                case "enterprise_code":
                    form.enterprise_code = code or ""
                case "enterprise_name":
                    form.enterprise_name = code or ""
                case "department":
                    form.department = code or ""
                case "is_zero_return":
                    form.is_zero_ticked = code == "true"
                case "is_revision":
                    form.is_revision = code == "true"
            cell = address(found.row, found.column)
            self.emit("head", found.row, cell, head_field.name, text, code=code, day=day)
            return
        said = len(self.reading.fixes) + len(self.reading.findings)
        emitted = len(self.reading.cells)
        self._read_new_head_cell(layout, head_field, found)
        cells = self.reading.cells
        if (
            type(found.value) is str
            and said == len(self.reading.fixes) + len(self.reading.findings)
            and len(cells) == emitted + 1
            and cells[-1][10] == "value"
        ):
            if len(memory) >= CODES_REMEMBERED:
                memory.clear()
            last = cells[-1]
            memory[key] = (self.form.period, self.form.unit, last[6], last[8], last[9])

    def _read_new_head_cell(self, layout: FormLayout, head_field: Field, found: HeadCell) -> None:
        form, value = self.form, found.value
        cell = address(found.row, found.column)
        text = as_text(value)
        if isinstance(value, CellProblem):
            self.find("P17", cell, head_field.label, text)
            self.emit("head", found.row, cell, head_field.name, text, state="invalid")
            return
        if not text.strip():
            return
        code: str | None = None
        day: date | None = None
        match head_field.name:
            case "form_code":
                code = form.form_code
            case "reference_month":
                is_span = layout.own_period_kind is not None
                reading = read_period(value, is_1904=self.is_1904, is_span=is_span)
                if reading.period is None:
                    self.find("P03", cell, head_field.label, text)
                elif not admits(layout, reading.period):
                    self.find("P33", cell, head_field.label, text, example_of_period(layout))
                else:
                    form.period = reading.period
                    code, day = str(reading.period), reading.period.first.start_date
                    if reading.fixes:
                        self.fix(cell, text, code, reading.fixes)
            case "unit":
                unit = parse_unit(text)
                code = layout.other_units.get(label_key(text))
                if code is None and layout.units and (unit is None or unit.code not in layout.units):
                    self.find("P05", cell, head_field.label, text, unit_list(layout))
                    unit = None
                if unit is not None:
                    form.unit = unit
                    code = unit.code
            case "enterprise_code":
                code = self.identifier(value, cell, head_field)
                form.enterprise_code = code or ""
            case "enterprise_name":
                code = form.enterprise_name = text.strip()
            case "department":
                code = form.department = text.strip()
            case "form_valid_until":
                until = read_period(value, is_1904=self.is_1904).period
                code, day = (str(until), until.last.end_date) if until else (None, None)
            case "is_zero_return":
                ticked = read_flag(text)
                if ticked is None:
                    self.find("P08", cell, head_field.label, text, "☑ / 空白 blank")
                else:
                    form.is_zero_ticked = ticked
                    code = "true" if ticked else "false"
            case "is_revision":
                code = choice(head_field, text)
                if code is None:
                    self.find("P08", cell, head_field.label, text, choice_list(head_field))
                else:
                    form.is_revision = code == "true"
            case _:
                code = plain(text)
        self.emit(
            "head",
            found.row,
            cell,
            head_field.name,
            text,
            code=code,
            day=day,
            state="invalid" if code is None and head_field.name != "form_valid_until" else "value",
        )

    def _read_pairs(self, layout: FormLayout) -> None:
        for pair in layout.pairs:
            found = self.form.scan.head.get(pair.name)
            if found is None or found.value is None:
                continue
            cell = address(found.row, found.column)
            if self.read_value("row", found.row, cell, pair, found.value) and pair.is_measure:
                self.form.row_count = 1

    def _check_unit(self, layout: FormLayout) -> None:
        """No unit is critical where there are amounts; a form without figures needs none."""
        form = self.form
        if form.unit is not None or not form.row_count:
            return
        needs = any(one.name == "unit" and one.is_required for one in layout.head) or bool(layout.pairs)
        given = form.scan.head.get("unit")
        if needs and (given is None or given.value is None):
            cell = address(given.row, given.column) if given is not None else ""
            self.find("P04", cell, None, expected=unit_list(layout))

    def _settle_unit(
        self, layout: FormLayout, columns: ColumnMap, head_row: int, all_sheets: list[Sheet]
    ) -> None:
        """A unit that does not stand beside 计量单位: alone in the head, in column heads, or in running text."""
        form, head = self.form, self.form.scan.head
        in_columns = [
            (unit, column)
            for column in columns.columns
            if column.field.is_measure and (unit := unit_in_head(column.head_text)) is not None
        ]
        if form.unit is not None:
            for unit, column in in_columns:
                if unit.code != form.unit.code:
                    cell = f"{column.letters}{head_row + 1}"
                    self.find("P18", cell, column.field.label, column.head_text, form.unit.label_zh)
            return
        if not layout.units:
            return
        given = head.get("unit")
        if given is not None and given.value is not None:
            return  # written and not readable: that is reported already
        loose = form.scan.loose_unit
        if loose is not None and loose[0].code in layout.units:
            unit, row, index = loose
            self._take_unit(
                unit, row, address(row, index), as_text(self.sheet.rows[row][index]), "unit_without_label"
            )
        elif (
            in_columns
            and len({unit.code for unit, _ in in_columns}) == 1
            and in_columns[0][0].code in layout.units
        ):
            unit, column = in_columns[0]
            self._take_unit(
                unit, head_row, f"{column.letters}{head_row + 1}", column.head_text, "unit_from_column"
            )
        self._read_text_facts(layout, all_sheets)

    def _take_unit(
        self, unit: Unit, row: int, cell: str, text: str, reason: str, sheet: str | None = None
    ) -> None:
        self.form.unit = unit
        self.emit("head", row, cell, "unit", text, code=unit.code, sheet=sheet)
        self.fix(cell, text, unit.label_zh, (reason,), sheet)

    def _read_text_facts(self, layout: FormLayout, all_sheets: list[Sheet]) -> None:
        for fact in layout.text_facts:
            if (fact.field == "unit" and self.form.unit is not None) or (
                fact.field == "department" and self.form.department
            ):
                continue
            place = _find_text(fact.pattern.search, all_sheets)
            if place is None:
                continue
            sheet, row, column, text = place
            cell = address(row, column)
            is_first = not any(
                held[5] == fact.field and held[4] == cell and held[1] == sheet.name
                for held in self.reading.cells
            )
            if fact.field == "unit":
                unit = parse_unit(fact.value)
                if unit is None:
                    continue
                self.form.unit = unit
                code = unit.code
            else:
                self.form.department = code = fact.value
            if is_first:
                self.emit("head", row, cell, fact.field, text, code=code, sheet=sheet.name)
                self.fix(cell, messages.shown(text), fact.value, ("stated_in_text",), sheet.name)

    # Column heads ---------------------------------------------------------------------------------------------

    def _read_heads_of_columns(self, layout: FormLayout, columns: ColumnMap, head_row: int) -> None:
        for missing in columns.missing:
            self.form.has_broken_table = True
            self._missing_column(missing, head_row)
        for doubled, indexes in columns.doubled:
            self.form.has_broken_table = True
            letters = [column_letters(index + 1) for index in indexes]
            self.find(
                "P20", f"{letters[-1]}{head_row + 1}", doubled.label, words={"columns": ", ".join(letters)}
            )
        first_row = head_row + columns.head_rows
        for index, text in columns.unknown:
            key = label_key(text)
            if key in self.recogniser.book.general.ignored_columns:
                continue
            if any(len(row) > index and row[index] != "" for row in self.sheet.rows[first_row:]):
                self.find("P11", f"{column_letters(index + 1)}{head_row + 1}", None, text)
        for column in columns.columns:
            pattern = column.field.label_pattern
            match = pattern.match(label_key(column.head_text)) if pattern is not None else None
            if match and "reference_month" in match.groupdict():
                period = read_period(match["reference_month"], is_1904=self.is_1904).period
                if period is not None:
                    self.form.period = period
                    self.emit(
                        "head",
                        head_row,
                        f"{column.letters}{head_row + 1}",
                        "reference_month",
                        column.head_text,
                        code=str(period),
                        day=period.first.start_date,
                    )

    def _missing_column(self, missing: Field, head_row: int) -> None:
        self.find("P09", f"A{head_row + 1}", missing.label, expected=" / ".join(missing.words[:6]))


def _validities(versions: Sequence[FormLayout]) -> Wording:
    """From when to when each version of a form holds."""
    return Wording(
        "；".join(
            f"{one.version} 版{one.valid_from:zh}起" + (f"至{one.valid_until:zh}" if one.valid_until else "")
            for one in versions
        ),
        "; ".join(
            f"version {one.version} from {one.valid_from:en}"
            + (f" to {one.valid_until:en}" if one.valid_until else "")
            for one in versions
        ),
    )


def _find_text(search: Callable[[str], Any], sheets: Iterable[Sheet]) -> tuple[Sheet, int, int, str] | None:
    for sheet in sheets:
        for row, values in enumerate(sheet.rows):
            for column, value in enumerate(values):
                if type(value) is str and value and search(value):
                    return sheet, row, column, value
    return None
