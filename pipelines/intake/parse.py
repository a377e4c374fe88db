"""From recognised sheets to cells with meaning: strict about meaning, lenient about shape.

Every cell of a known field becomes one record with its sheet and address; a blank cell becomes none. What was
read generously is a fix, what cannot be read is a finding, and all of them are reported at once. Rules of
statistics (sums, cumulative figures, growth) are not asked here.

Cells travel as plain tuples until the last moment (`RawCell`), because the reading child sends them to its
parent and decimals are made only once, there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any

from pipelines import codes
from pipelines.findings import Finding, Fix, Wording
from pipelines.intake import messages
from pipelines.intake.gate import column_letters
from pipelines.intake.layouts import Field, FormLayout, LayoutBook, choose_layout
from pipelines.intake.recognise import Column, ColumnMap, HeadCell, Recogniser, Scan, unit_in_head
from pipelines.intake.values import (
    CellProblem,
    as_text,
    label_key,
    number_text,
    plain,
    read_date,
    read_flag,
    read_number,
    read_period,
)
from pipelines.intake.workbook import Sheet
from pipelines.money import UNITS, Unit, parse_unit
from pipelines.periods import Period
from pipelines.records import FileKind

# form_code, sheet, section, row_number, cell, field, text, number text, code, day, state
RawCell = tuple[str, str, str, int, str, str, str, str | None, str | None, date | None, str]

_MOST_FINDINGS = 300
_MOST_FIXES = 5_000
_INDUSTRY_LENGTH = 4
_LARGEST_EXACT_FLOAT = 10**15
_CHOICES_SHOWN = 8
_CODES_REMEMBERED = 16_384
# How the inner loop treats a column; everything that is not plain goes the long way round.
_PLAIN_NUMBER, _PERCENT, _TEXT, _CODE, _DAY, _OTHER = range(6)


@dataclass(slots=True)
class Reading:
    """Everything read from one file, before it becomes a `ParsedFile`."""

    kind: FileKind = FileKind.UNKNOWN
    forms: dict[str, str] = field(default_factory=dict)  # form code -> layout version
    period: Period | None = None
    enterprise_code: str = ""
    enterprise_name: str = ""
    department: str = ""
    is_zero_return: bool = False
    is_revision: bool = False
    is_unreadable: bool = False
    cells: list[RawCell] = field(default_factory=list)
    fixes: list[Fix] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class _Form:
    """One sheet on its way: what it is and what has been read from it."""

    sheet: Sheet
    scan: Scan
    form_code: str
    layout: FormLayout | None = None
    period: Period | None = None
    enterprise_code: str = ""
    enterprise_name: str = ""
    department: str = ""
    unit: Unit | None = None
    is_zero_ticked: bool = False
    is_revision: bool = False
    row_count: int = 0
    last_row_period: Period | None = None
    has_broken_table: bool = False


def parse_sheets(
    sheets: Iterable[Sheet],
    book: LayoutBook,
    recogniser: Recogniser,
    *,
    is_1904: bool = False,
    look_closer: Callable[[Sheet], None] | None = None,
) -> Reading:
    """Read all sheets of one file.

    `look_closer` is called once for each sheet that is a form, before its cells are read. A file without any
    known form is unreadable (P01, the only finding); a known form in a version that does not hold for the
    period gives P02 and its head only.
    """
    reading = Reading()
    all_sheets = list(sheets)
    forms: list[_Form] = []
    strangers: list[tuple[Sheet, str]] = []
    for sheet in all_sheets:
        if not sheet.rows:
            continue
        scan = recogniser.scan(sheet)
        form_code = recogniser.form_of(sheet, scan)
        if form_code:
            forms.append(_Form(sheet, scan, form_code))
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
        if look_closer is not None:
            look_closer(form.sheet)
        _SheetReader(form, reading, recogniser, is_1904).read(all_sheets)
    _agree(forms, reading)
    _conclude(forms, reading)
    _cap(reading)
    return reading


def _no_form(sheets: list[Sheet], book: LayoutBook) -> Reading:
    if not any(value != "" for sheet in sheets for row in sheet.rows for value in row):
        return Reading(is_unreadable=True, findings=[messages.finding("G08")])
    names = "、".join(messages.shown(sheet.name) for sheet in sheets[:8])
    return Reading(
        is_unreadable=True,
        findings=[messages.finding("P01", expected=", ".join(book.by_form), words={"sheets": names})],
    )


# One sheet ----------------------------------------------------------------------------------------------------


class _SheetReader:
    """Reads one form sheet into the file's reading."""

    def __init__(self, form: _Form, reading: Reading, recogniser: Recogniser, is_1904: bool) -> None:
        self.form = form
        self.sheet = form.sheet
        self.reading = reading
        self.recogniser = recogniser
        self.is_1904 = is_1904

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
            self._fix("A1", self.sheet.name, self.sheet.name, ("hidden_sheet",))
        if columns is not None and scan.head_row is not None:
            if any(field.is_required and field.name not in scan.head for field in layout.head):
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
            _TableReader(self, layout, columns, scan.head_row).read()
        self._check_unit(layout)

    def _peek_period(self) -> Period | None:
        cell = self.form.scan.head.get("reference_month")
        if cell is None or cell.value is None or isinstance(cell.value, CellProblem):
            return None
        return read_period(cell.value, is_1904=self.is_1904).period

    def _no_version(self, period: Period | None) -> None:
        versions = self.recogniser.book.versions(self.form.form_code)
        spans = "; ".join(f"{one.version}: {one.valid_from} – {one.valid_until or ''}" for one in versions)
        cell = self.form.scan.head["reference_month"]
        self.reading.findings.append(
            messages.finding(
                "P02",
                sheet=self.sheet.name,
                cell=_address(cell.row, cell.column),
                given=as_text(cell.value),
                expected=spans,
                form_code=self.form.form_code,
                words={"form": self.form.form_code},
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

    def _emit(
        self,
        section: str,
        row: int,
        cell: str,
        name: str,
        text: str,
        *,
        number: str | None = None,
        code: str | None = None,
        day: date | None = None,
        state: str = "value",
        sheet: str | None = None,
    ) -> None:
        self.reading.cells.append(
            (self.form.form_code, self.sheet.name if sheet is None else sheet, section, row + 1, cell, name, text,
             number, code, day, state)
        )  # fmt: skip

    def _fix(
        self, cell: str, given: str, read_as: str, reasons: tuple[str, ...], sheet: str | None = None
    ) -> None:
        name = self.sheet.name if sheet is None else sheet
        self.reading.fixes.append(messages.fix(name, cell, given, read_as, reasons))

    def _find(
        self,
        rule: str,
        cell: str,
        label: Wording | None,
        given: str = "",
        expected: str | None = None,
        words: Mapping[str, Any] | None = None,
    ) -> None:
        self.reading.findings.append(
            messages.finding(
                rule,
                sheet=self.sheet.name,
                cell=cell,
                label=label,
                given=given,
                expected=expected,
                form_code=self.form.form_code,
                words=words,
            )
        )

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
            cell = _address(found.row, found.column)
            self._emit("head", found.row, cell, head_field.name, text, code=code, day=day)
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
            if len(memory) >= _CODES_REMEMBERED:
                memory.clear()
            last = cells[-1]
            memory[key] = (self.form.period, self.form.unit, last[6], last[8], last[9])

    def _read_new_head_cell(self, layout: FormLayout, head_field: Field, found: HeadCell) -> None:
        form, value = self.form, found.value
        cell = _address(found.row, found.column)
        text = as_text(value)
        if isinstance(value, CellProblem):
            self._find("P17", cell, head_field.label, text)
            self._emit("head", found.row, cell, head_field.name, text, state="invalid")
            return
        if not text.strip():
            return
        code: str | None = None
        day: date | None = None
        match head_field.name:
            case "form_code":
                code = form.form_code
            case "reference_month":
                reading = read_period(value, is_1904=self.is_1904)
                if reading.period is None:
                    self._find("P03", cell, head_field.label, text)
                else:
                    form.period = reading.period
                    code, day = str(reading.period), reading.period.first.start_date
                    if reading.fixes:
                        self._fix(cell, text, code, reading.fixes)
            case "unit":
                unit = parse_unit(text)
                if unit is None or unit.code not in layout.units:
                    if layout.units:
                        self._find("P05", cell, head_field.label, text, _unit_list(layout))
                        unit = None
                if unit is not None:
                    form.unit = unit
                    code = unit.code
            case "enterprise_code":
                code = self._identifier(value, cell, head_field)
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
                    self._find("P08", cell, head_field.label, text, "☑ / 空白 blank")
                else:
                    form.is_zero_ticked = ticked
                    code = "true" if ticked else "false"
            case "is_revision":
                code = _choice(head_field, text)
                if code is None:
                    self._find("P08", cell, head_field.label, text, _choice_list(head_field))
                else:
                    form.is_revision = code == "true"
            case _:
                code = plain(text)
        self._emit(
            "head",
            found.row,
            cell,
            head_field.name,
            text,
            code=code,
            day=day,
            state="invalid" if code is None and head_field.name != "form_valid_until" else "value",
        )

    def _identifier(self, value: Any, cell: str, field_: Field) -> str | None:
        """A code that is its own meaning: contract numbers, credit codes."""
        if isinstance(value, float | int) and not isinstance(value, bool):
            if abs(value) >= _LARGEST_EXACT_FLOAT:
                self._find("P30", cell, field_.label, f"{value:.15g}")
                return None
            return number_text(float(value))
        text = as_text(value)
        code, reasons = _identifier_text(text, field_.name == "enterprise_code")
        if reasons:
            self._fix(cell, text, code, reasons)
        return code

    def _read_pairs(self, layout: FormLayout) -> None:
        for pair in layout.pairs:
            found = self.form.scan.head.get(pair.name)
            if found is None or found.value is None:
                continue
            cell = _address(found.row, found.column)
            if self._read_value("row", found.row, cell, pair, found.value) and pair.is_measure:
                self.form.row_count = 1

    def _check_unit(self, layout: FormLayout) -> None:
        """No unit is critical where there are amounts; a form without figures needs none."""
        form = self.form
        if form.unit is not None or not form.row_count:
            return
        needs = any(one.name == "unit" and one.is_required for one in layout.head) or bool(layout.pairs)
        given = form.scan.head.get("unit")
        if needs and (given is None or given.value is None):
            cell = _address(given.row, given.column) if given is not None else ""
            self._find("P04", cell, None, expected=_unit_list(layout))

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
                    self._find("P18", cell, column.field.label, column.head_text, form.unit.label_zh)
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
                unit, row, _address(row, index), as_text(self.sheet.rows[row][index]), "unit_without_label"
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
        self._emit("head", row, cell, "unit", text, code=unit.code, sheet=sheet)
        self._fix(cell, text, unit.label_zh, (reason,), sheet)

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
            cell = _address(row, column)
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
                self._emit("head", row, cell, fact.field, text, code=code, sheet=sheet.name)
                self._fix(cell, messages.shown(text), fact.value, ("stated_in_text",), sheet.name)

    # Column heads ---------------------------------------------------------------------------------------------

    def _read_heads_of_columns(self, layout: FormLayout, columns: ColumnMap, head_row: int) -> None:
        for missing in columns.missing:
            self.form.has_broken_table = True
            self._missing_column(missing, head_row)
        for doubled, indexes in columns.doubled:
            self.form.has_broken_table = True
            letters = [column_letters(index + 1) for index in indexes]
            self._find(
                "P20", f"{letters[-1]}{head_row + 1}", doubled.label, words={"columns": ", ".join(letters)}
            )
        first_row = head_row + columns.head_rows
        for index, text in columns.unknown:
            key = label_key(text)
            if key in self.recogniser.book.general.ignored_columns:
                continue
            if any(len(row) > index and row[index] != "" for row in self.sheet.rows[first_row:]):
                self._find("P11", f"{column_letters(index + 1)}{head_row + 1}", None, text)
        for column in columns.columns:
            pattern = column.field.label_pattern
            match = pattern.match(label_key(column.head_text)) if pattern is not None else None
            if match and "reference_month" in match.groupdict():
                period = read_period(match["reference_month"], is_1904=self.is_1904).period
                if period is not None:
                    self.form.period = period
                    self._emit(
                        "head",
                        head_row,
                        f"{column.letters}{head_row + 1}",
                        "reference_month",
                        column.head_text,
                        code=str(period),
                        day=period.first.start_date,
                    )

    def _missing_column(self, missing: Field, head_row: int) -> None:
        self._find("P09", f"A{head_row + 1}", missing.label, expected=" / ".join(missing.words[:6]))

    # Cells ----------------------------------------------------------------------------------------------------

    def _read_value(self, section: str, row: int, cell: str, field_: Field, value: Any) -> bool:
        """One filled cell of a field of any type; whether it says anything."""
        if isinstance(value, CellProblem):
            self._find("P17", cell, field_.label, value.given)
            self._emit(section, row, cell, field_.name, value.given, state="invalid")
            return True
        if field_.type in ("number", "percent"):
            return self._read_number(section, row, cell, field_, value)
        text = as_text(value)
        if not text.strip():
            return False
        code: str | None = None
        day: date | None = None
        match field_.type:
            case "text":
                code = text.strip()
            case "code":
                code = self._code(cell, field_, value, text)
            case "identifier":
                code = self._identifier(value, cell, field_)
            case "choice":
                code = _choice(field_, text)
                if code is None:
                    self._find("P08", cell, field_.label, text, _choice_list(field_))
            case "flag":
                flag = read_flag(text)
                if flag is None:
                    self._find("P08", cell, field_.label, text, "是 / 否 / ☑")
                else:
                    code = "true" if flag else "false"
            case "date":
                reading = read_date(value, is_1904=self.is_1904)
                if reading.day is None:
                    self._find("P07", cell, field_.label, text)
                else:
                    day, code = reading.day, reading.day.isoformat()
                    if reading.fixes:
                        self._fix(cell, text, code, reading.fixes)
                    if self.form.layout is not None and field_.name in self.form.layout.key_fields:
                        self._extend_to(read_period(day, is_1904=False).period)
            case "period" | "day_or_period":
                found = read_period(value, is_1904=self.is_1904)
                if found.period is None:
                    self._find("P03", cell, field_.label, text)
                else:
                    day, code = found.period.first.start_date, str(found.period)
                    if found.fixes:
                        self._fix(cell, text, code, found.fixes)
                    self._extend_to(found.period)
            case "unit":
                unit = parse_unit(text)
                code = unit.code if unit else None
                if unit is None:
                    self._find("P05", cell, field_.label, text, _all_units())
        self._emit(
            section,
            row,
            cell,
            field_.name,
            text,
            code=code,
            day=day,
            state="value" if code is not None else "invalid",
        )
        return True

    def _extend_to(self, period: Period | None) -> None:
        """A departmental table without a period of its own is of the latest period among its rows."""
        last = self.form.last_row_period
        if period is not None and (last is None or last.last < period.last):
            self.form.last_row_period = period

    def _read_number(self, section: str, row: int, cell: str, field_: Field, value: Any) -> bool:
        is_percent = field_.type == "percent"
        if is_percent and type(value) is float and 0 < abs(value) <= 1 and self.sheet.is_percent_cell(cell):
            shown = number_text(value * 100)
            self._fix(cell, number_text(value), shown, ("percent_format",))
            self._emit(section, row, cell, field_.name, f"{shown}%", number=shown)
            return True
        number, state, reasons = read_number(
            value, is_percent=is_percent, is_delimited=self.sheet.is_delimited
        )
        if not state:
            return False
        text = as_text(value)
        if state == "invalid":
            if (
                field_.text_field
                and isinstance(value, str)
                and not any(one.isdigit() for one in plain(value))
            ):
                self._emit(section, row, cell, field_.text_field, text, code=text.strip())
                return True
            self._find("P06", cell, field_.label, text)
        if field_.negative_is_debit and number is not None and number.startswith("-"):
            number = number[1:]
            reasons = (*reasons, "debit_sign")
        if reasons:
            self._fix(cell, text, number if number is not None else "", reasons)
        self._emit(section, row, cell, field_.name, text, number=number, state=state)
        return True

    def _code(self, cell: str, field_: Field, value: Any, text: str) -> str | None:
        code, reasons = _code_of(field_.code_list, _stripped(field_, text), _choices_key(field_))
        if code is None:
            rule = {"item": "P12", "partner": "P13"}.get(field_.code_list, "P14")
            expected = None if rule != "P14" else _EXPECTED_OF_LIST[field_.code_list]
            self._find(rule, cell, field_.label, text, expected)
            return None
        if (
            field_.code_list == "industry"
            and type(value) is float
            and len(number_text(value)) < _INDUSTRY_LENGTH
        ):
            reasons = (*reasons, "leading_zeros")
        if reasons == ("item_by_name",) and self.reading.kind is FileKind.DEPARTMENT:
            return code  # departments give items by name; on a return the column asks for the code
        if reasons:
            self._fix(cell, text, code, reasons)
        return code


# The table ----------------------------------------------------------------------------------------------------


class _TableReader:
    """Reads the rows under the head of one table. Its inner loop is the reader's busiest place."""

    def __init__(self, reader: _SheetReader, layout: FormLayout, columns: ColumnMap, head_row: int) -> None:
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
                amounts[(row1, column1)] = f"{_address(row1, column1)}:{_address(row2, column2)}"
            if row2 > row1 and column1 in fields and column1 not in measures:
                for row in range(row1 + 1, min(row2 + 1, len(rows))):
                    spread[(row, column1)] = (row1, column1)
        return spread, amounts

    def read(self) -> None:
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
                    self.reader._fix(f"A{index + 1}", lead, "", ("subtotal_row",))
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
                reader._fix(f"{column.letters}{index + 1}", given, "", (skipped.fix,))
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
                reader._fix(f"{letters}{row_number}", "", as_text(value), ("merged_down",))
            cell = f"{letters}{row_number}"
            kind = type(value)
            if kind is float:
                if (way == _PLAIN_NUMBER and -1e15 < value < 1e15) or (
                    way == _PERCENT and (1 < value < 1e15 or value == 0)
                ):
                    text = str(int(value)) if value == value // 1 else number_text(value)
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
            if reader._read_value("row", index, cell, field_, value):
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
            reader._find("P16", f"{column.letters}{index + 1}", field_.label, expected=field_.label.zh)

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
            reader._emit("row", index, name_cell, field_.name, name, code=by_name)
            reader._fix(name_cell, name, by_name, ("item_by_name",))
            filled.add(field_.name)
            return False
        code = next((cell[8] for cell in cells[first_cell:] if cell[5] == field_.name), None)
        if code is None:
            return False
        if by_name is None or by_name[:2] == code[:2] or "S" in (code, by_name):
            return True
        cell = f"{column.letters}{index + 1}"
        reader._find("P25", cell, field_.label, code, by_name, words={"name": messages.shown(name)})
        return False

    def _check_merged(self, index: int) -> None:
        for (row, column), reference in self.merged_measures.items():
            if row != index or self.sheet.rows[row][column] == "":
                continue
            field_ = next((one.field for one in self.measures if one.index >= column), self.measures[0].field)
            self.reader._find(
                "P21",
                _address(row, column),
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
            first = self.needed[0]
            self.reader._find(
                "P26", f"{first.letters}{index + 1}", None, " ".join(messages.shown(text) for text in filled)
            )

    def _read_total(self, index: int, row: list[Any]) -> None:
        for column in self.measures:
            value = row[column.index]
            if value != "":
                self.reader._read_value("total", index, f"{column.letters}{index + 1}", column.field, value)

    def _look_below(self, end: int) -> None:
        """Rows below the foot that look like lines of the table: they are not read, and that is said."""
        for index in range(end + 1, len(self.sheet.rows)):
            row = self.sheet.rows[index]
            codes_there = [column for column in self.needed if row[column.index] != ""]
            if codes_there and any(type(row[position]) is float for position in self.measure_indexes):
                column = codes_there[0]
                self.reader._find("P24", f"{column.letters}{index + 1}", None, as_text(row[column.index]), "")


# The file -----------------------------------------------------------------------------------------------------


def _agree(forms: list[_Form], reading: Reading) -> None:
    """All sheets belong to one enterprise and one period; what one leaves blank another may say."""
    main = _main_form(forms)
    by_code = next((form for form in (main, *forms) if form.enterprise_code), None)
    by_period = next((form for form in (main, *forms) if form.period is not None), None)
    if by_code is not None:
        reading.enterprise_code = by_code.enterprise_code
    if by_period is not None:
        reading.period = by_period.period
    for form in forms:
        if by_code is not None and form.enterprise_code and form.enterprise_code != by_code.enterprise_code:
            _disagree(
                form, by_code, "enterprise_code", form.enterprise_code, by_code.enterprise_code, reading
            )
        if (
            by_period is not None
            and by_period.period is not None
            and form.period is not None
            and reading.kind is FileKind.RETURN
            and not _nested(form.period, by_period.period)
        ):
            _disagree(form, by_period, "reference_month", str(form.period), str(by_period.period), reading)
        if reading.kind is FileKind.RETURN and form.layout is not None:
            _inherit(form, by_code, by_period, reading)
    reading.enterprise_name = next(
        (form.enterprise_name for form in (main, *forms) if form.enterprise_name), ""
    )
    reading.department = next((form.department for form in forms if form.department), "")
    reading.is_revision = any(form.is_revision for form in forms)


def _main_form(forms: list[_Form]) -> _Form:
    """The form whose head speaks for the file: a monthly one before the yearly registration, by form number."""
    tables = [form for form in forms if form.layout is not None and form.layout.columns]
    return min(tables or forms, key=lambda form: form.form_code)


def _nested(one: Period, other: Period) -> bool:
    """Whether one period lies within the other: the year of the registration and the month of the return."""
    return (one.first <= other.first and other.last <= one.last) or (
        other.first <= one.first and one.last <= other.last
    )


def _disagree(form: _Form, other: _Form, name: str, given: str, expected: str, reading: Reading) -> None:
    cell = form.scan.head.get(name)
    head_field = form.layout.head_field(name) if form.layout is not None else None
    reading.findings.append(
        messages.finding(
            "P15",
            sheet=form.sheet.name,
            cell=_address(cell.row, cell.column) if cell is not None else "",
            label=head_field.label if head_field is not None else None,
            given=given,
            expected=expected,
            form_code=form.form_code,
            words={"other_sheet": messages.shown(other.sheet.name)},
        )
    )


def _inherit(form: _Form, by_code: _Form | None, by_period: _Form | None, reading: Reading) -> None:
    """Say where a sheet's blank head was filled from another sheet."""
    for name, own, source, value in (
        ("enterprise_code", form.enterprise_code, by_code, by_code.enterprise_code if by_code else ""),
        ("reference_month", form.period, by_period, str(by_period.period) if by_period else ""),
    ):
        cell = form.scan.head.get(name)
        is_blank = not own and (cell is None or cell.value is None)
        if is_blank and source is not None and source is not form:
            address = _address(cell.row, cell.column) if cell is not None else "A1"
            reading.fixes.append(messages.fix(form.sheet.name, address, "", value, ("from_other_sheet",)))


def _conclude(forms: list[_Form], reading: Reading) -> None:
    """What only the whole file can show: no period, no enterprise, a form twice, nothing to report."""
    first = forms[0]
    if reading.period is None and not any(finding.rule in ("P02", "P03") for finding in reading.findings):
        rows_know = any(form.last_row_period is not None for form in forms)
        needs = any(
            one.name == "reference_month" and one.is_required
            for form in forms
            if form.layout is not None
            for one in form.layout.head
        )
        if needs or (reading.kind is FileKind.DEPARTMENT and not rows_know):
            cell = first.scan.head.get("reference_month")
            reading.findings.append(
                messages.finding(
                    "P03",
                    sheet=first.sheet.name,
                    cell=_address(cell.row, cell.column) if cell is not None else "",
                    form_code=first.form_code,
                )
            )
    if reading.kind is FileKind.DEPARTMENT:
        if reading.period is None:
            known = [form.last_row_period for form in forms if form.last_row_period is not None]
            reading.period = max(known, key=lambda period: period.last, default=None)
        if not reading.department:
            reading.findings.append(
                messages.finding("P29", sheet=first.sheet.name, form_code=first.form_code)
            )
    elif not reading.enterprise_code and not any(finding.rule == "P30" for finding in reading.findings):
        cell = first.scan.head.get("enterprise_code")
        reading.findings.append(
            messages.finding(
                "P10",
                sheet=first.sheet.name,
                cell=_address(cell.row, cell.column) if cell is not None else "",
                form_code=first.form_code,
            )
        )
    _check_repeated(forms, reading)
    _check_zero(forms, reading)
    _check_printed_validity(forms, reading)


def _check_repeated(forms: list[_Form], reading: Reading) -> None:
    seen: dict[str, _Form] = {}
    for form in forms:
        if form.layout is None or form.layout.is_repeatable or not form.row_count:
            continue
        other = seen.setdefault(form.form_code, form)
        if other is not form:
            reading.findings.append(
                messages.finding(
                    "P19",
                    sheet=form.sheet.name,
                    form_code=form.form_code,
                    words={"form": form.form_code, "other_sheet": messages.shown(other.sheet.name)},
                )
            )


def _check_zero(forms: list[_Form], reading: Reading) -> None:
    """零报 is a statement: ticked and no rows is a zero return, neither is nothing at all."""
    tables = [form for form in forms if form.layout is not None and form.layout.needs_rows_or_zero]
    has_rows = any(form.row_count for form in tables)
    ticked = [form for form in forms if form.is_zero_ticked]
    reading.is_zero_return = bool(ticked) and not has_rows
    for form in ticked:
        if form.row_count and form in tables:
            cell = form.scan.head["is_zero_return"]
            reading.findings.append(
                messages.finding(
                    "P22",
                    sheet=form.sheet.name,
                    cell=_address(cell.row, cell.column),
                    given=as_text(cell.value),
                    form_code=form.form_code,
                    words={"count": form.row_count},
                )
            )
    if tables and not has_rows and not ticked and not any(form.has_broken_table for form in tables):
        form = tables[0]
        found = form.scan.head.get("is_zero_return")
        reading.findings.append(
            messages.finding(
                "P23",
                sheet=form.sheet.name,
                cell=_address(found.row, found.column) if found is not None else "",
                form_code=form.form_code,
            )
        )


def _check_printed_validity(forms: list[_Form], reading: Reading) -> None:
    for form in forms:
        found = form.scan.head.get("form_valid_until")
        if (
            found is None
            or found.value is None
            or isinstance(found.value, CellProblem)
            or form.period is None
        ):
            continue
        until = read_period(found.value, is_1904=False).period
        if until is not None and until.last < form.period.last:
            reading.findings.append(
                messages.finding(
                    "P27",
                    sheet=form.sheet.name,
                    cell=_address(found.row, found.column),
                    given=as_text(found.value),
                    expected=str(form.period),
                    form_code=form.form_code,
                )
            )
            return


def _cap(reading: Reading) -> None:
    """Thousands of findings help nobody: the first few hundred and a count."""
    extra = len(reading.findings) - _MOST_FINDINGS
    if extra > 0:
        order = {"critical": 0, "warning": 1, "info": 2}
        reading.findings.sort(key=lambda finding: order[finding.severity])
        del reading.findings[_MOST_FINDINGS:]
        reading.findings.append(messages.finding("P31", words={"limit": _MOST_FINDINGS, "count": extra}))
    del reading.fixes[_MOST_FIXES:]


# Small questions ----------------------------------------------------------------------------------------------


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
        if len(known) >= _CODES_REMEMBERED:
            known.clear()
        known[text] = code


def _address(row: int, column: int) -> str:
    return f"{column_letters(column + 1)}{row + 1}"


@lru_cache(maxsize=16_384)
def _identifier_text(text: str, is_enterprise_code: bool) -> tuple[str, tuple[str, ...]]:
    folded = plain(text)
    reasons: list[str] = []
    if folded != text.strip():
        reasons.append("full_width")
    if text.strip() != text:
        reasons.append("blanks")
    if is_enterprise_code:
        closed = "".join(folded.split())
        if closed != folded:
            reasons.append("inner_blanks")
        if closed.upper() != closed:
            reasons.append("letter_case")
        folded = closed.upper()
    return folded, tuple(reasons)


_EXPECTED_OF_LIST = {
    "district": "sql/reference/districts.csv",
    "industry": "GB/T 4754-2017: 4 位数字 4 digits",
    "currency": "ISO 4217 (USD, EUR, JPY ...)",
    "form": "FM / DM",
}


@lru_cache(maxsize=65_536)
def _code_of(
    code_list: str, text: str, choices: tuple[tuple[str, str], ...]
) -> tuple[str | None, tuple[str, ...]]:
    """The code behind a text, and how generous one had to be."""
    for spelling, code in choices:
        if spelling == label_key(text):
            return code, ()
    if code_list == "industry":
        digits = plain(text).removesuffix(".0").lstrip("ABCDEFGHIJKLMNOPQRSTabcdefghijklmnopqrst")
        known = digits.isdecimal() and 3 <= len(digits) <= _INDUSTRY_LENGTH
        return (digits.zfill(_INDUSTRY_LENGTH), ()) if known else (None, ())
    found = _LOOK_UPS[code_list](text)
    if found is None or found == text:
        return found, ()
    if text.strip() == found:
        return found, ("blanks",)
    if plain(text).upper() == found:
        return found, ("full_width",) if plain(text) != text.strip() else ("letter_case",)
    if code_list == "item" and not plain(text).upper().startswith(found):
        return found, ("item_by_name",)
    return found, ()


_LOOK_UPS: dict[str, Callable[[str], str | None]] = {
    "item": codes.item_code_of,
    "partner": codes.partner_code_of,
    "district": codes.district_code_of,
    "currency": codes.currency_code_of,
}


def _stripped(field_: Field, text: str) -> str:
    return field_.strip.sub("", text.strip()) if field_.strip is not None else text


def _choices_key(field_: Field) -> tuple[tuple[str, str], ...]:
    return tuple(field_.choices.items()) if field_.choices else ()


def _choice(field_: Field, text: str) -> str | None:
    return (field_.choices or {}).get(label_key(text))


def _choice_list(field_: Field) -> str:
    shown: dict[str, str] = {}
    for spelling, code in (field_.choices or {}).items():
        if shown.get(code) in (None, label_key(code)):
            shown[code] = spelling
    return " / ".join(list(shown.values())[:_CHOICES_SHOWN])


def _unit_list(layout: FormLayout) -> str:
    return " / ".join(UNITS[code].label_zh for code in layout.units)


def _all_units() -> str:
    return " / ".join(unit.label_zh for unit in UNITS.values())


def _find_text(search: Callable[[str], Any], sheets: Iterable[Sheet]) -> tuple[Sheet, int, int, str] | None:
    for sheet in sheets:
        for row, values in enumerate(sheet.rows):
            for column, value in enumerate(values):
                if type(value) is str and value and search(value):
                    return sheet, row, column, value
    return None
