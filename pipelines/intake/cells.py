"""One cell of a known field: its record, its fixes and its findings.

Strict about meaning: what could mean two things is reported and kept as it stands. Which cell belongs to which
field is decided by the callers (`parse` for heads and pairs, `table` for rows).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from pipelines import codes
from pipelines.findings import Wording
from pipelines.intake import messages
from pipelines.intake.layouts import Field, FormLayout
from pipelines.intake.reading import FormSheet, Reading
from pipelines.intake.recognise import Recogniser
from pipelines.intake.values import (
    CellProblem,
    ComputedSum,
    as_text,
    label_key,
    number_text,
    plain,
    read_date,
    read_flag,
    read_number,
    read_period,
)
from pipelines.money import UNITS, parse_unit
from pipelines.periods import Period
from pipelines.records import FileKind

_INDUSTRY_LENGTH = 4
_LARGEST_EXACT_FLOAT = 10**15
_CHOICES_SHOWN = 8


class CellReader:
    """Reads cells of one form sheet into the file's reading."""

    def __init__(self, form: FormSheet, reading: Reading, recogniser: Recogniser, is_1904: bool) -> None:
        self.form = form
        self.sheet = form.sheet
        self.reading = reading
        self.recogniser = recogniser
        self.is_1904 = is_1904
        self._has_told_names = False

    def emit(
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

    def fix(
        self, cell: str, given: str, read_as: str, reasons: tuple[str, ...], sheet: str | None = None
    ) -> None:
        name = self.sheet.name if sheet is None else sheet
        self.reading.fixes.append(messages.fix(name, cell, given, read_as, reasons))

    def find(
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

    def read_value(self, section: str, row: int, cell: str, field_: Field, value: Any) -> bool:
        """One filled cell of a field of any type; whether it says anything."""
        if isinstance(value, ComputedSum):
            self.fix(cell, messages.shown(value.formula), number_text(value.value), ("sum_computed",))
            value = value.value
        if isinstance(value, CellProblem):
            if not value.is_error and self._is_name(field_):
                self._tell_once(cell, value.given)
                return False
            self.find("P17", cell, field_.label, value.given)
            self.emit(section, row, cell, field_.name, value.given, state="invalid")
            return True
        if field_.type in ("number", "percent"):
            return self.read_number(section, row, cell, field_, value)
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
                code = self.identifier(value, cell, field_)
            case "choice":
                code = choice(field_, text)
                if code is None:
                    self.find("P08", cell, field_.label, text, choice_list(field_))
            case "flag":
                flag = read_flag(text)
                if flag is None:
                    self.find("P08", cell, field_.label, text, "是 / 否 / ☑")
                else:
                    code = "true" if flag else "false"
            case "date":
                reading = read_date(value, is_1904=self.is_1904)
                if reading.day is None:
                    self.find("P07", cell, field_.label, text)
                else:
                    day, code = reading.day, reading.day.isoformat()
                    if reading.fixes:
                        self.fix(cell, text, code, reading.fixes)
                    if self.form.layout is not None and field_.name in self.form.layout.key_fields:
                        self._extend_to(read_period(day, is_1904=False).period)
            case "period" | "day_or_period":
                found = read_period(value, is_1904=self.is_1904)
                if found.period is None:
                    self.find("P03", cell, field_.label, text)
                else:
                    day, code = found.period.first.start_date, str(found.period)
                    if found.fixes:
                        self.fix(cell, text, code, found.fixes)
                    self._extend_to(found.period)
            case "unit":
                unit = parse_unit(text)
                code = unit.code if unit else None
                if unit is None:
                    self.find("P05", cell, field_.label, text, _all_units())
        self.emit(
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

    def _is_name(self, field_: Field) -> bool:
        """Whether a column only repeats the name of the code beside it."""
        layout = self.form.layout
        return layout is not None and any(one.name_field == field_.name for one in layout.columns)

    def _tell_once(self, cell: str, formula: str) -> None:
        """Names by formulas that nobody computed: the codes say it all, so that one word a sheet is enough."""
        if not self._has_told_names:
            self._has_told_names = True
            self.fix(cell, messages.shown(formula), "", ("name_not_computed",))

    def _extend_to(self, period: Period | None) -> None:
        """A departmental table without a period of its own is of the latest period among its rows."""
        last = self.form.last_row_period
        if period is not None and (last is None or last.last < period.last):
            self.form.last_row_period = period

    def read_number(self, section: str, row: int, cell: str, field_: Field, value: Any) -> bool:
        is_percent = field_.type == "percent"
        if is_percent and type(value) is float and 0 < abs(value) <= 1 and self.sheet.is_percent_cell(cell):
            shown = number_text(value * 100)
            self.fix(cell, number_text(value), shown, ("percent_format",))
            self.emit(section, row, cell, field_.name, f"{shown}%", number=shown)
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
                self.emit(section, row, cell, field_.text_field, text, code=text.strip())
                return True
            self.find("P06", cell, field_.label, text)
        if field_.negative_is_debit and number is not None and number.startswith("-"):
            number = number[1:]
            reasons = (*reasons, "debit_sign")
        if reasons:
            self.fix(cell, text, number if number is not None else "", reasons)
        self.emit(section, row, cell, field_.name, text, number=number, state=state)
        return True

    def _code(self, cell: str, field_: Field, value: Any, text: str) -> str | None:
        code, reasons = _code_of(field_.code_list, _stripped(field_, text), _choices_key(field_))
        if code is None:
            rule = {"item": "P12", "partner": "P13"}.get(field_.code_list, "P14")
            expected = None if rule != "P14" else _EXPECTED_OF_LIST[field_.code_list]
            self.find(rule, cell, field_.label, text, expected)
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
            self.fix(cell, text, code, reasons)
        return code

    def identifier(self, value: Any, cell: str, field_: Field) -> str | None:
        """A code that is its own meaning: contract numbers, credit codes."""
        if isinstance(value, float | int) and not isinstance(value, bool):
            if abs(value) >= _LARGEST_EXACT_FLOAT:
                self.find("P30", cell, field_.label, number_text(float(f"{value:.15g}")))
                return None
            return number_text(float(value))
        text = as_text(value)
        code, reasons = _identifier_text(text, field_.name == "enterprise_code")
        if reasons:
            self.fix(cell, text, code, reasons)
        return code


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


def choice(field_: Field, text: str) -> str | None:
    return (field_.choices or {}).get(label_key(text))


def choice_list(field_: Field) -> str:
    shown: dict[str, str] = {}
    for spelling, code in (field_.choices or {}).items():
        if code.isupper():
            shown[code] = code  # ITO says more than 信息技术外包
        elif shown.get(code) in (None, label_key(code)):
            shown[code] = spelling
    return " / ".join(list(shown.values())[:_CHOICES_SHOWN])


def unit_list(layout: FormLayout) -> str:
    return " / ".join(UNITS[code].label_zh for code in layout.units)


def _all_units() -> str:
    return " / ".join(unit.label_zh for unit in UNITS.values())
