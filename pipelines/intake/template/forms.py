"""One form drawn as a sheet: head, columns with what each cell takes, totals, foot; nothing of any enterprise yet.

What stands where comes from the layout, so that the sheet is read by the very labels it was drawn from. Limits come
as data. Filling in is `stationery`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipelines.findings import Severity
from pipelines.form_limits import FormLimit
from pipelines.intake.gate import address, column_letters
from pipelines.intake.layouts import Field, FormLayout
from pipelines.intake.template.lists import CodeSheet, choices_of, word_of
from pipelines.intake.template.orders import InvalidTemplate
from pipelines.intake.template.styles import Styles
from pipelines.intake.template.words import Guidance, wording
from pipelines.intake.values import label_key
from pipelines.periods import Month

_TITLE_ROW, _IDENTITY_ROW = 0, 5
_FIRST_TABLE_ROW = 8
_PAIR_COLUMNS = 4
_LEAST_COLUMNS = 5  # that the head needs; a narrower table leaves some of them empty
_PAIR_WIDTHS = (24, 30, 24, 30)
_ROW_HEIGHT = 18
_LABEL_WIDTH = 19  # of the first column, which holds 统一社会信用代码： in the head
_LONGEST_TITLE, _LONGEST_MESSAGE = 32, 255  # what Excel takes in a validation
_NUMERIC = ("number", "percent")
_EARLIEST, _LATEST = date(1980, 1, 1), date(2099, 12, 31)
_PLACEHOLDER = re.compile(r"\{([a-z_]+)(:column)?\}")
# Places of one column in the widths of the sheet, by what stands in it.
_WIDTH_OF_TYPE = {
    "number": 13.5, "percent": 9.5, "date": 12, "flag": 8, "choice": 9, "identifier": 18, "text": 22
}  # fmt: skip
_WIDTH_OF_LIST = {"item": 32, "partner": 15, "district": 18, "industry": 9, "currency": 8}


@dataclass(slots=True)
class DrawnForm:
    """Where things lie on a drawn sheet; rows and columns from 0.

    head       head field -> its cell
    columns    field -> column of the table; for a form of label and value, empty
    pairs      field -> its cell
    """

    layout: FormLayout
    guidance: Guidance
    sheet_index: int
    head: dict[str, tuple[int, int]] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, tuple[int, int]] = field(default_factory=dict)
    first_row: int = 0
    row_count: int = 0
    foot: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def last_row(self) -> int:
        return self.first_row + self.row_count - 1


def sheet_name_of(layout: FormLayout) -> str:
    """服务进出口: the first of the names under which the form also comes, which are shorter than its title."""
    own = [
        name for name in layout.names if name not in (label_key(layout.title.zh), label_key(layout.title.en))
    ]
    return own[0] if own else layout.title.zh


class FormDrawer:
    """Draws one form on one worksheet."""

    def __init__(
        self,
        sheet: Any,
        drawn: DrawnForm,
        styles: Styles,
        codes: CodeSheet,
        limits: Iterable[FormLimit],
        month: Month,
        period_text: str,
    ) -> None:
        self.sheet = sheet
        self.drawn = drawn
        self.layout = drawn.layout
        self.guidance = drawn.guidance
        self.styles = styles
        self.codes = codes
        self.limits = tuple(limit for limit in limits if limit.form_code == drawn.layout.form_code)
        self.month = month
        self.period_text = period_text
        self.width = max(len(self.layout.columns), _LEAST_COLUMNS) if self.layout.columns else _PAIR_COLUMNS
        self.right = self.width - 3 if self.width > 6 else self.width - 2
        self.words = wording()

    def draw(self) -> None:
        self.sheet.hide_gridlines(2)
        self.sheet.set_default_row(_ROW_HEIGHT)
        self._draw_top()
        first_free = self._draw_head()
        last = self._draw_table(first_free) if self.layout.columns else self._draw_pairs(first_free)
        self._draw_foot(last + 1)
        self._finish_page()

    # Head -----------------------------------------------------------------------------------------------------

    def _draw_top(self) -> None:
        sheet, styles, words = self.sheet, self.styles, self.words
        sheet.set_row(_TITLE_ROW, 30)
        sheet.merge_range(_TITLE_ROW, 0, _TITLE_ROW, self.width - 1, self.layout.title.zh, styles.of("title"))
        version = words.text("head", "version").format(
            version=f"{self.layout.form_code}/{self.layout.version}"
        )
        sheet.write_string(1, 0, f"{version}-{words.take('template_version')}", styles.of("small"))
        sheet.write_string(2, 0, self.layout.title.en, styles.of("small"))
        until = self.layout.valid_until
        texts = (
            words.text("head", "form_code") + self.layout.form_code,
            words.text("head", "authority") + words.wording("authority").zh,
            words.text("head", "approval") + words.text("approval"),
            words.text("head", "form_valid_until")
            + (f"{until:zh}" if until else words.text("head", "until_replaced")),
        )
        for row, text in enumerate(texts, start=1):
            sheet.write_string(row, self.right, text, styles.of("text"))
        self.drawn.head["form_code"] = (1, self.right)

    def _draw_head(self) -> int:
        """Rows of labels with their values, two a row; gives the first free row."""
        known = (
            ("enterprise_code", "reference_month"), ("enterprise_name", "unit"), ("is_revision", "is_zero_return")
        )  # fmt: skip
        fields = {one.name: one for one in self.layout.head}
        printed_above = ("form_code", "form_valid_until")
        others = [
            name for name in fields if name not in printed_above and not any(name in pair for pair in known)
        ]
        pairs = [*known, *((left, "") for left in others)]
        row = _IDENTITY_ROW
        for left, right in pairs:
            self._draw_head_cell(row, 0, fields.get(left), 1, max(1, min(3, self.right - 2)))
            self._draw_head_cell(row, self.right, fields.get(right), self.right + 1, self.width - 1)
            row += 1
        return row

    def _draw_head_cell(self, row: int, at: int, field_: Field | None, first: int, last: int) -> None:
        if field_ is None or (field_.name == "is_zero_return" and not self.layout.needs_rows_or_zero):
            return
        is_locked = field_.name in ("enterprise_code", "enterprise_name", "reference_month")
        style = self.styles.of("given" if is_locked else "asked")
        self.sheet.write_string(row, at, f"{field_.printed[-1]}：", self.styles.of("label" if at else "text"))
        if last > first:
            self.sheet.merge_range(row, first, row, last, "", style)
        else:
            self.sheet.write_blank(row, first, None, style)
        self.drawn.head[field_.name] = (row, first)
        if is_locked:
            return
        if field_.name == "is_zero_return":
            self._validate_list(row, first, row, first, "tick", field_, self._prompt("zero_prompt"))
        elif field_.name == "unit":
            name = choices_of(self.codes, field_, self.layout, self.month)
            self._validate_list(row, first, row, first, name, field_, self._prompt("unit_prompt"))
        else:
            name = choices_of(self.codes, field_, self.layout, self.month)
            if name:
                self._validate_list(row, first, row, first, name, field_, {})

    # Table ----------------------------------------------------------------------------------------------------

    def _draw_table(self, row: int) -> int:
        """Column heads, ruler, rows and total; gives the last row drawn."""
        head_rows = max(len(one.printed) for one in self.layout.columns)
        self.head_row = row
        self._draw_column_heads(row, head_rows)
        ruler_row = row + head_rows
        for column, mark in enumerate(ruler(self.layout)):
            self.sheet.write(ruler_row, column, mark, self.styles.of("ruler"))
        drawn = self.drawn
        drawn.first_row = ruler_row + 1
        drawn.columns = {one.name: column for column, one in enumerate(self.layout.columns)}
        names = {one.name_field: one for one in self.layout.columns if one.name_field}
        for column, one in enumerate(self.layout.columns):
            width = width_of(one, is_name=one.name in names)
            self.sheet.set_column(column, column, width if column else max(width, _LABEL_WIDTH))
            coded = names.get(one.name)
            if coded is not None:
                self._draw_names(column, drawn.columns[coded.name])
                continue
            style = self.styles.of(_entry_style(one))
            for line in range(drawn.first_row, drawn.last_row + 1):
                self.sheet.write_blank(line, column, None, style)
            self._validate(drawn.first_row, column, drawn.last_row, column, one)
        self._draw_total(drawn.last_row + 1)
        self._draw_required()
        self._draw_limits()
        self._draw_head_conditions()
        self.sheet.freeze_panes(drawn.first_row, min(3, self._key_width()))
        return drawn.last_row + 1

    def _key_width(self) -> int:
        """Leading columns that name a row; they stay in sight when one scrolls to the right."""
        return next(
            (column for column, one in enumerate(self.layout.columns) if one.is_measure),
            len(self.layout.columns),
        )

    def _draw_column_heads(self, row: int, head_rows: int) -> None:
        style = self.styles.of("head")
        columns = self.layout.columns
        for line in range(row, row + head_rows):
            self.sheet.set_row(line, 22 if head_rows > 1 else 32)
        if head_rows > 1:
            self.sheet.set_row(row, 32)
        column = 0
        while column < len(columns):
            printed = columns[column].printed
            if len(printed) == 1 and head_rows > 1:
                self.sheet.merge_range(row, column, row + 1, column, printed[0], style)
            elif len(printed) == 1:
                self.sheet.write_string(row, column, printed[0], style)
            else:
                end = column
                while end + 1 < len(columns) and columns[end + 1].printed[:-1] == printed[:-1]:
                    end += 1
                if end > column:
                    self.sheet.merge_range(row, column, row, end, printed[0], style)
                else:
                    self.sheet.write_string(row, column, printed[0], style)
                for inner in range(column, end + 1):
                    self.sheet.write_string(row + 1, inner, columns[inner].printed[-1], style)
                column = end
            column += 1

    def _draw_names(self, column: int, code_column: int) -> None:
        """Names beside codes, by formula: locked, so that code and name cannot disagree."""
        style = self.styles.of("name")
        letters = column_letters(code_column + 1)
        for line in range(self.drawn.first_row, self.drawn.last_row + 1):
            self.sheet.write_formula(line, column, name_formula(f"{letters}{line + 1}"), style, "")

    def _draw_total(self, row: int) -> None:
        drawn, styles = self.drawn, self.styles
        summed = [one for one in self.layout.columns if one.is_measure and one.type == "number"]
        for column, one in enumerate(self.layout.columns):
            if column == 0 and summed:
                self.sheet.write_string(row, 0, self.words.text("total"), styles.of("total"))
            elif one in summed:
                formula = total_formula(self.layout, drawn, column)
                self.sheet.write_formula(row, column, formula, styles.of("total_number"), "")
            else:
                self.sheet.write_blank(row, column, None, styles.of("total"))

    # What a cell takes ----------------------------------------------------------------------------------------

    def _validate(self, row: int, column: int, last_row: int, last_column: int, one: Field) -> None:
        """The drop-down or the check of an entry cell, and what is said when it is selected or refuses."""
        area = (row, column, last_row, last_column)
        cell = address(row, column)
        prompt = self._explained(one)
        name = choices_of(self.codes, one, self.layout, self.month)
        if name:
            self._validate_list(*area, name, one, prompt)
        elif one.type in _NUMERIC:
            self._validate_number(area, cell, one, prompt)
        elif one.type == "date":
            options = {"validate": "date", "criteria": "between", "minimum": _EARLIEST, "maximum": _LATEST}
            self._put_validation(area, {**options, **self._refusal("date", one), **prompt})
        elif one.type == "code" and one.code_list == "industry":
            options = {"validate": "custom", "value": f"=AND(LEN({cell})>=3,LEN({cell})<=5)"}
            self._put_validation(area, {**options, **self._refusal("industry", one), **prompt})
        elif prompt:
            self._put_validation(area, {"validate": "any", **prompt})

    def _validate_list(
        self,
        row: int,
        column: int,
        last_row: int,
        last_column: int,
        name: str,
        one: Field,
        prompt: Mapping[str, Any],
    ) -> None:
        options = {"validate": "list", "source": f"={name}", **self._refusal("list", one), **prompt}
        self._put_validation((row, column, last_row, last_column), options)

    def _validate_number(
        self, area: tuple[int, int, int, int], cell: str, one: Field, prompt: Mapping[str, Any]
    ) -> None:
        """A number, or one of the marks; within the bounds of the rules that nothing but the cell decides."""
        bounds = [
            limit
            for limit in self.limits
            if one.name in limit.fields
            and limit.severity is Severity.CRITICAL
            and limit.fact == "{self}"
            and not limit.only_if
            and not limit.forbidden_codes
        ]
        checks = [f"ISNUMBER({cell})"]
        for limit in bounds:
            checks += _within(cell, limit)
        formula = f"=OR(AND({','.join(checks)}),ISNUMBER(MATCH({cell},marks,0)))"
        refusal = self._refusal("number", one)
        if bounds:
            shown = " ".join(bounds_text(limit) for limit in bounds)
            label = bounds[0].label
            refusal = self._refusal("bounded", one, rule=label.zh, rule_en=label.en, bounds=shown)
        self._put_validation(area, {"validate": "custom", "value": formula, **refusal, **prompt})

    def _put_validation(self, area: tuple[int, int, int, int], options: Mapping[str, Any]) -> None:
        place = f"{self.layout.form_code} {address(area[0], area[1])}"
        for name in ("input_title", "error_title"):
            if len(str(options.get(name, ""))) > _LONGEST_TITLE:
                raise InvalidTemplate(
                    f"{place}: {name} is longer than {_LONGEST_TITLE} characters. Shorten it."
                )
        for name in ("input_message", "error_message", "value"):
            if len(str(options.get(name, ""))) > _LONGEST_MESSAGE:
                raise InvalidTemplate(
                    f"{place}: {name} is longer than {_LONGEST_MESSAGE} characters. Shorten it."
                )
        self.sheet.data_validation(*area, dict(options))

    def _refusal(self, key: str, one: Field, **more: str) -> dict[str, str]:
        text = self.words.text("refused", key, "text").format(label=one.label.zh, **more)
        return {"error_title": self.words.text("refused", key, "title"), "error_message": text}

    def _prompt(self, key: str) -> dict[str, str]:
        return {"input_title": self.words.text(key, "title"), "input_message": self.words.text(key, "text")}

    def _explained(self, one: Field) -> dict[str, str]:
        said = self.guidance.of(one).text
        text = f"{said.zh}\n{said.en}"
        if len(text) > _LONGEST_MESSAGE:
            text = said.zh[:_LONGEST_MESSAGE]
        return {"input_title": one.label.zh[:_LONGEST_TITLE], "input_message": text}

    # What turns red -------------------------------------------------------------------------------------------

    def _cell(self, name: str, row: int) -> str:
        """A field's cell in a row, its column fixed."""
        return f"${column_letters(self.drawn.columns[name] + 1)}{row + 1}"

    def _range(self, name: str) -> str:
        return _whole_column(self.drawn, self.drawn.columns[name])

    def _draw_required(self) -> None:
        """A code that is missing on a row with amounts, as the reader will ask for it (P16)."""
        drawn = self.drawn
        measures = [self._cell(one.name, drawn.first_row) for one in self.layout.columns if one.is_measure]
        filled = f"COUNTA({','.join(measures)})>0"
        for one in self.layout.columns:
            if not one.is_required or one.is_measure:
                continue
            conditions = [filled, f'{self._cell(one.name, drawn.first_row)}=""']
            if one.alternative:
                conditions.append(f'{self._cell(one.alternative, drawn.first_row)}=""')
            if one.optional_if is not None:
                other, code = one.optional_if
                word = word_of(self._column(other), code)
                conditions.append(f'{self._cell(other, drawn.first_row)}<>"{word}"')
            self._paint(one.name, f"=AND({','.join(conditions)})", Severity.CRITICAL)

    def _draw_limits(self) -> None:
        for limit in self.limits:
            for name in limit.fields:
                if name not in self.drawn.columns:
                    raise InvalidTemplate(
                        f"form_limits.yaml: {limit.rule} names {name}, which {self.layout.path} has not. "
                        "Mend the name or remove the entry."
                    )
                self._paint(name, f"={self.condition(limit, name)}", limit.severity)

    def condition(self, limit: FormLimit, name: str) -> str:
        """True in a row that breaks the limit: over the first row of entries, without the equals sign."""
        row = self.drawn.first_row
        numbers: list[str] = []

        def put(match: re.Match[str]) -> str:
            asked = name if match[1] == "self" else match[1]
            if asked == "unit_multiplier":
                place = self.drawn.head["unit"]
                unit = f"${column_letters(place[1] + 1)}${place[0] + 1}"
                return f"IFERROR(INDEX(unit_multipliers,MATCH({unit},unit_names,0)),1)"
            if asked not in self.drawn.columns:
                raise InvalidTemplate(
                    f"form_limits.yaml: {limit.rule} uses {asked}, which {self.layout.path} has not. Mend the name."
                )
            if match[2]:
                return self._range(asked)
            cell = self._cell(asked, row)
            if self._column(asked).type in (*_NUMERIC, "date") and cell not in numbers:
                numbers.append(cell)
            return cell

        own = self._cell(name, row)
        if limit.forbidden_codes:
            words = [word_of(self._column(name), code) for code in limit.forbidden_codes]
            broken = [f'{own}="{text}"' for text in dict.fromkeys((*words, *limit.forbidden_codes))]
        else:
            fact = _PLACEHOLDER.sub(put, limit.fact)
            broken = [f"NOT({check})" for check in _within(f"({fact})", limit)]
        conditions = [f"ISNUMBER({cell})" for cell in numbers]
        if limit.only_if:
            conditions.append(_PLACEHOLDER.sub(put, limit.only_if))
        either = broken[0] if len(broken) == 1 else f"OR({','.join(broken)})"
        # a spreadsheet computes every argument of AND, so what needs numbers comes behind IF
        return f"IF(AND({','.join(conditions)}),{either},FALSE)" if conditions else either

    def _draw_head_conditions(self) -> None:
        """The unit that is missing beside amounts (P04), and a tick beside amounts (P22)."""
        measures = ",".join(self._range(one.name) for one in self.layout.columns if one.is_measure)
        for name, test in (("unit", '=""'), ("is_zero_return", '<>""')):
            place = self.drawn.head.get(name)
            if place is None:
                continue
            cell = f"${column_letters(place[1] + 1)}${place[0] + 1}"
            self.sheet.conditional_format(
                *place, *place,
                {"type": "formula", "criteria": f"=AND({cell}{test},COUNTA({measures})>0)",
                 "format": self.styles.painted(Severity.CRITICAL)},
            )  # fmt: skip

    def _paint(self, name: str, formula: str, severity: Severity) -> None:
        column = self.drawn.columns[name]
        self.sheet.conditional_format(
            self.drawn.first_row, column, self.drawn.last_row, column,
            {"type": "formula", "criteria": formula, "format": self.styles.painted(severity)},
        )  # fmt: skip

    def _column(self, name: str) -> Field:
        return self.layout.columns[self.drawn.columns[name]]

    # Label and value ------------------------------------------------------------------------------------------

    def _draw_pairs(self, row: int) -> int:
        self.head_row = row
        for column, width in enumerate(_PAIR_WIDTHS):
            self.sheet.set_column(column, column, width)
        row += 1
        for position, one in enumerate(self.layout.pairs):
            line, column = row + position // 2, 2 * (position % 2)
            is_read = label_key(one.label.zh) in one.labels
            self.sheet.write_string(
                line, column, one.label.zh if is_read else one.printed[-1], self.styles.of("pair")
            )
            self.sheet.write_blank(line, column + 1, None, self.styles.of(_entry_style(one)))
            self.drawn.pairs[one.name] = (line, column + 1)
            self._validate(line, column + 1, line, column + 1, one)
        last = row + (len(self.layout.pairs) - 1) // 2
        if len(self.layout.pairs) % 2:
            for column in (2, 3):
                self.sheet.write_blank(last, column, None, self.styles.of("pair"))
        return last

    # Foot and page --------------------------------------------------------------------------------------------

    def _draw_foot(self, row: int) -> None:
        notes = [self.words.text("table_note")] if self.layout.columns else []
        notes += [note.zh for note in self.guidance.notes]
        for number, note in enumerate(notes):
            text = self.words.text("notes_lead") + note if number == 0 else f"注：{note}"
            self.sheet.merge_range(row, 0, row, self.width - 1, text, self.styles.of("note"))
            self.sheet.set_row(row, _ROW_HEIGHT * (2 if len(text) > 60 else 1))
            row += 1
        row += 1
        column = 0
        for word in self.words.take("foot"):
            if column + 1 >= self.width:
                row, column = row + 1, 0
            self.sheet.write_string(row, column, f"{word}：", self.styles.of("text"))
            self.sheet.write_blank(row, column + 1, None, self.styles.of("asked"))
            self.drawn.foot[str(word)] = (row, column + 1)
            column += 2
        self.last_row = row

    def _finish_page(self) -> None:
        sheet = self.sheet
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.center_horizontally()
        if self.layout.columns:
            sheet.repeat_rows(self.head_row, self.drawn.first_row - 1)
        sheet.print_area(0, 0, self.last_row, self.width - 1)
        sheet.set_footer(f"&L{self.layout.form_code}  {self.period_text}&C第 &P 页 共 &N 页")
        sheet.protect(
            "",
            {"format_cells": True, "format_columns": True, "format_rows": True, "insert_rows": True,
             "delete_rows": True, "sort": True},
        )  # fmt: skip


def ruler(layout: FormLayout) -> list[str | int]:
    """Numbers of the columns as forms print them: 甲 乙 丙 for words, 1 2 3 for figures."""
    letters: Sequence[str] = wording().take("ruler")
    marks: list[str | int] = []
    figures = words = 0
    for one in layout.columns:
        if one.type in _NUMERIC:
            figures += 1
            marks.append(figures)
        else:
            marks.append(letters[words] if words < len(letters) else "")
            words += 1
    return marks


def name_formula(code_cell: str) -> str:
    """The name beside a code that is written as SI2 or as SI2 计算机服务; nothing beside a blank or unknown one."""
    code = f'LEFT({code_cell},FIND(" ",{code_cell}&" ")-1)'
    return f'=IF({code_cell}="","",IFERROR(INDEX(item_names,MATCH({code},item_codes,0)),""))'


def total_formula(layout: FormLayout, drawn: DrawnForm, column: int) -> str:
    """The sum of a column, blank while it has no number.

    Where rows are named by items, an item that stands above others of the same partner is not added again: the
    verdict adds up what is below it (H3). A plain sum everywhere else.
    """
    whole = _whole_column(drawn, column)
    added = f"SUM({whole})"
    item = next(
        (one for one in layout.columns if one.code_list == "item" and one.name in layout.key_fields), None
    )
    if item is not None:
        items = _whole_column(drawn, drawn.columns[item.name])
        code = f'LEFT({items},FIND(" ",{items}&" ")-1)'
        same = "".join(
            f",{other},{other}"
            for name in layout.key_fields
            if name != item.name
            for other in (_whole_column(drawn, drawn.columns[name]),)
        )
        same += f',{whole},"<>",{whole},"<>—"'

        def count(text: str) -> str:
            return f"COUNTIFS({items},{text}{same})"

        below = f"{count(code + '&' + chr(34) + '*' + chr(34))}-{count(code)}-{count(code + '&' + chr(34) + ' *' + chr(34))}"
        added += f'-SUMPRODUCT(--(({items}<>"")*(({below})>0)>0),{whole})'
    return f'=IF(COUNT({whole})=0,"",{added})'


def bounds_text(limit: FormLimit) -> str:
    """≥ 0, 0 – 100, < 10,000,000,000,000."""
    low, high = (None if value is None else f"{value:,g}" if value < 1e6 else f"{value:,.0f}"
                 for value in (limit.min_value, limit.max_value))  # fmt: skip
    if low is not None and high is not None:
        key = "between"
    elif low is not None:
        key = "above" if limit.is_min_strict else "least"
    else:
        key = "below" if limit.is_max_strict else "most"
    return wording().text("bounds", key).format(low=low, high=high)


def width_of(one: Field, *, is_name: bool = False) -> float:
    """Width of a column by what stands in it."""
    if is_name:
        return 28
    if one.type == "code":
        return _WIDTH_OF_LIST.get(one.code_list, 12)
    return _WIDTH_OF_TYPE.get(one.type, 12)


def _entry_style(one: Field) -> str:
    match one.type:
        case "number":
            return "entry_number"
        case "percent":
            return "entry_percent"
        case "date":
            return "entry_date"
        case "choice" | "flag":
            return "entry_choice"
        case "code":
            return "entry_code"
        case _:
            return "entry_text"


def _within(value: str, limit: FormLimit) -> list[str]:
    """The comparisons that a value within the bounds passes."""
    checks = []
    if limit.min_value is not None:
        checks.append(f"{value}{'>' if limit.is_min_strict else '>='}{_figure(limit.min_value)}")
    if limit.max_value is not None:
        checks.append(f"{value}{'<' if limit.is_max_strict else '<='}{_figure(limit.max_value)}")
    return checks


def _figure(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _whole_column(drawn: DrawnForm, column: int) -> str:
    letters = column_letters(column + 1)
    return f"${letters}${drawn.first_row + 1}:${letters}${drawn.last_row + 1}"
