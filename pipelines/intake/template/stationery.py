"""The blank workbooks of one month: drawn once for a set of forms, then filled for one enterprise after the other.

Drawing takes some 100 ms, filling a few; a hundred enterprises share a handful of drawings. What an enterprise
starts with is given; nothing is looked up here.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any

from pipelines.form_limits import FormLimit
from pipelines.intake.gate import address
from pipelines.intake.layouts import FormLayout, LayoutBook, choose_layout
from pipelines.intake.template.forms import DrawnForm, FormDrawer, sheet_name_of
from pipelines.intake.template.lists import TICK, CodeSheet, add_common, name_of_item, word_of
from pipelines.intake.template.orders import Carried, InvalidTemplate, Order
from pipelines.intake.template.package import (
    CellValue,
    Packed,
    assembled,
    filled,
    packed,
    parts_of,
    with_typed_formulas,
    xml_text,
)
from pipelines.intake.template.sheets import (
    draw_codes,
    draw_example,
    draw_explanations,
    draw_instructions,
)
from pipelines.intake.template.styles import Styles
from pipelines.intake.template.words import guidance_of, wording
from pipelines.intake.template_mark import MARK_NAME, mark_text
from pipelines.periods import Month, Period
from pipelines.records import FileKind

# Rows a table is prepared with: what is carried over and room for more, in steps so that drawings can be shared.
_ROW_STEPS = (40, 60, 100, 160, 250, 400, 700, 1_200, 2_500, 5_000)
_SPARE_ROWS = 20
_DRAWINGS_KEPT = 40  # of one month: sets of forms and sizes of tables; each holds some 200 KB
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # part of the bytes, so the same for all
_DEFINED_NAMES_END = "</definedNames>"


def due_forms(book: LayoutBook, month: Month) -> tuple[FormLayout, ...]:
    """The forms whose turn it is in a month's workbook, by number: monthly ones, those on an event, and in the
    months of wording.yaml or of the form's guidance the others. Which of them an enterprise files is not asked."""
    period = Period(month, "month")
    found = []
    for form_code in sorted(book.by_form):
        candidates = [one for one in choose_layout(book, form_code, period) if one.kind is FileKind.RETURN]
        if not candidates:
            continue
        layout = candidates[-1]
        months = guidance_of(form_code).due_months
        if months is None and layout.cadence not in ("month", "event"):
            months = tuple(wording().take("due_months", layout.cadence))
        if months is None or month.month in months:
            found.append(layout)
    return tuple(found)


def period_text_of(layout: FormLayout, period: Period) -> str:
    """报告期 as printed: 2026年3月, 2026年1—2月, or the latest year, half-year or quarter that is over by then."""
    kind = layout.own_period_kind
    if kind is None:
        return f"{period:zh}"
    return f"{Period.latest_over(kind, period.last):zh}"


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A prepared workbook taken apart: what stays as it is, packed, and the sheets that are filled in."""

    names: tuple[str, ...]  # all members, in order
    packed: Mapping[str, Packed]
    sheets: Mapping[str, str]  # member -> XML to be filled
    workbook: str
    forms: tuple[tuple[str, DrawnForm], ...]  # member, drawn form
    own_texts: tuple[tuple[str, str, str], ...]  # member, cell, text with the enterprise's name to come


class Stationery:
    """Blank workbooks of one month; with `is_joint` of January and February as one period, counted in February.

    `limits` come from the rules; `deadline_day` is the day of the following month by which returns are due.
    Keeps its drawings: use one for many enterprises. Raises InvalidTemplate where wording, guidance or limits do
    not fit the layouts.
    """

    def __init__(
        self,
        book: LayoutBook,
        month: Month,
        limits: Sequence[FormLimit],
        deadline_day: int,
        *,
        is_joint: bool = False,
    ) -> None:
        self._book = book
        self.month = month
        self.period = Period(month.previous, "months_1_2") if is_joint else Period(month, "month")
        self._limits = tuple(limits)
        following = month.plus(1)
        self._deadline = date(following.year, following.month, deadline_day)
        self._drawings: dict[tuple[tuple[str, int], ...], _Drawing] = {}
        self._drawing = Lock()

    def layout_of(self, form_code: str) -> FormLayout | None:
        """The version of a form that is in force in the month; None for none, and for tables of departments."""
        candidates = choose_layout(self._book, form_code, Period(self.month, "month"))
        returns = [one for one in candidates if one.kind is FileKind.RETURN]
        return returns[-1] if returns else None

    def workbook(self, order: Order) -> bytes:
        """One enterprise's workbook. Raises InvalidTemplate for a form that is not in force in the month."""
        drawing = self._drawing_for(order)
        changed: dict[str, Packed] = {}
        values: dict[str, dict[str, CellValue]] = {}
        results: dict[str, dict[str, str]] = {}
        for member, cell, text in drawing.own_texts:
            values.setdefault(member, {})[cell] = text.replace(
                "{enterprise_code}", order.enterprise_code
            ).replace("{enterprise_name}", order.enterprise_name)
        for member, drawn in drawing.forms:
            own_values, own_results = self._values(order, drawn)
            values.setdefault(member, {}).update(own_values)
            results[member] = own_results
        for member, of_sheet in values.items():
            sheet = filled(drawing.sheets[member], of_sheet, results.get(member, {}))
            changed[member] = packed(member, sheet.encode("utf-8"))
        mark = mark_text(
            int(wording().take("template_version")),
            str(self.month),
            order.enterprise_code,
            (drawn.layout for _, drawn in drawing.forms),
        )
        name = f'<definedName name="{MARK_NAME}" hidden="1">"{xml_text(mark)}"</definedName>'
        workbook = drawing.workbook.replace(_DEFINED_NAMES_END, name + _DEFINED_NAMES_END)
        changed["xl/workbook.xml"] = packed("xl/workbook.xml", workbook.encode("utf-8"))
        return assembled(changed.get(name) or drawing.packed[name] for name in drawing.names)

    # What is filled in ----------------------------------------------------------------------------------------

    def _values(self, order: Order, drawn: DrawnForm) -> tuple[dict[str, CellValue], dict[str, str]]:
        """Cells of one form and results of its formulas, by address."""
        layout = drawn.layout
        carried = order.carried.get(layout.form_code, Carried())
        values: dict[str, CellValue] = {}
        head: dict[str, str] = {
            "enterprise_code": order.enterprise_code,
            "enterprise_name": order.enterprise_name,
            "reference_month": period_text_of(layout, self.period),
            "is_revision": "true" if order.is_revision else "false",
        }
        if carried.unit_code in layout.units:
            head["unit"] = carried.unit_code
        for name, value in head.items():
            field_ = layout.head_field(name)
            if field_ is not None and name in drawn.head and value:
                values[address(*drawn.head[name])] = word_of(field_, value)
        if order.is_zero_return and "is_zero_return" in drawn.head:
            values[address(*drawn.head["is_zero_return"])] = TICK
        for one in layout.pairs:
            given = carried.values.get(one.name)
            if given is not None:
                values[address(*drawn.pairs[one.name])] = (
                    word_of(one, given) if isinstance(given, str) else given
                )
        results: dict[str, str] = {}
        for offset, row in enumerate(carried.rows):
            line = drawn.first_row + offset
            for one in layout.columns:
                given = row.get(one.name)
                if given is None or one.is_measure:
                    continue
                cell = address(line, drawn.columns[one.name])
                values[cell] = word_of(one, given) if isinstance(given, str) else given
                if one.name_field and isinstance(given, str):
                    results[address(line, drawn.columns[one.name_field])] = name_of_item(given)
        return values, results

    # Drawing --------------------------------------------------------------------------------------------------

    def _drawing_for(self, order: Order) -> _Drawing:
        sizes = []
        for form_code in order.form_codes:
            carried = order.carried.get(form_code, Carried())
            least = guidance_of(form_code).least_rows
            wanted = len(carried.rows) + min(_SPARE_ROWS, least // 2)
            steps = (least, *(step for step in _ROW_STEPS if step > least))
            sizes.append((form_code, next((step for step in steps if step >= wanted), wanted)))
        key = tuple(sizes)
        with self._drawing:  # requests of the portal come in threads; a drawing is made once
            drawing = self._drawings.get(key)
            if drawing is None:
                while len(self._drawings) >= _DRAWINGS_KEPT:
                    del self._drawings[next(iter(self._drawings))]
                drawing = self._drawings[key] = self._draw(key)
        return drawing

    def _draw(self, sizes: Sequence[tuple[str, int]]) -> _Drawing:
        import xlsxwriter

        words = wording()
        buffer = io.BytesIO()
        workbook = xlsxwriter.Workbook(
            buffer,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        workbook.set_properties({"created": _CREATED, "company": words.wording("authority").zh})
        # every program computes the totals anew when it opens the file, whatever stands beside them
        workbook.set_calc_mode("auto")
        styles, lists = Styles(workbook), CodeSheet()
        add_common(lists, self.month)
        layouts = [self._layout(form_code) for form_code, _ in sizes]
        periods = [period_text_of(layout, self.period) for layout in layouts]
        instructions = workbook.add_worksheet(words.text("sheets", "instructions"))
        own = draw_instructions(
            instructions, styles, list(zip(layouts, periods, strict=True)), self.period, self._deadline
        )
        forms = []
        for (_, row_count), layout, period_text in zip(sizes, layouts, periods, strict=True):
            sheet = workbook.add_worksheet(sheet_name_of(layout))
            drawn = DrawnForm(
                layout, guidance_of(layout.form_code), len(workbook.worksheets()), row_count=row_count
            )
            FormDrawer(sheet, drawn, styles, lists, self._limits, self.month, period_text).draw()
            forms.append((f"xl/worksheets/sheet{drawn.sheet_index}.xml", drawn))
            if layout is _first_to_fill(layouts):
                sheet.activate()
        self._draw_others(workbook, styles, lists, layouts)
        for name in lists.names:
            workbook.define_name(name, lists.reference(name, words.text("sheets", "codes")))
        workbook.close()
        parts = parts_of(buffer.getvalue())
        first = "xl/worksheets/sheet1.xml"
        sheets = {
            member: with_typed_formulas(parts[member].decode("utf-8"))
            for member in (first, *(member for member, _ in forms))
        }
        return _Drawing(
            names=tuple(parts),
            packed={name: packed(name, content) for name, content in parts.items()},
            sheets=sheets,
            workbook=parts["xl/workbook.xml"].decode("utf-8"),
            forms=tuple(forms),
            own_texts=tuple((first, address(*place), text) for place, text in own.items()),
        )

    def _draw_others(
        self, workbook: Any, styles: Styles, lists: CodeSheet, layouts: Iterable[FormLayout]
    ) -> None:
        words = wording()
        for layout in layouts:
            guidance = guidance_of(layout.form_code)
            if guidance.has_example_sheet and guidance.example_rows and layout.columns:
                draw_example(
                    workbook.add_worksheet(words.text("sheets", "example")), styles, layout, guidance
                )
                break
        explanations = workbook.add_worksheet(words.text("sheets", "explanations"))
        draw_explanations(explanations, styles, list(layouts), self.month)
        draw_codes(workbook.add_worksheet(words.text("sheets", "codes")), styles, lists)

    def _layout(self, form_code: str) -> FormLayout:
        layout = self.layout_of(form_code)
        if layout is None:
            raise InvalidTemplate(
                f"no version of {form_code} holds for {self.month}; leave it out, or add a layout"
            )
        return layout


def _first_to_fill(layouts: Sequence[FormLayout]) -> FormLayout:
    """The form on which the workbook opens: the first monthly table."""
    tables = [layout for layout in layouts if layout.columns]
    return next((layout for layout in tables if layout.own_period_kind is None), (tables or list(layouts))[0])
