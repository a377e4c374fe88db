"""The sheets of a blank workbook that are no forms: instructions, worked example, explanations, code lists.

None of them is read when the workbook comes back (`not_forms` of layouts/general.yaml).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pipelines import codes
from pipelines.intake.layouts import Field, FormLayout
from pipelines.intake.template.forms import ruler, width_of
from pipelines.intake.template.lists import CodeSheet, name_of_item, word_of
from pipelines.intake.template.styles import Styles
from pipelines.intake.template.words import Guidance, guidance_of, wording
from pipelines.periods import Month, Period

_LINE_HEIGHT = 15
_PLACES_OF_EXAMPLE = 150  # of the merged cells of an explanation below the worked example


def draw_instructions(
    sheet: Any, styles: Styles, forms: Sequence[tuple[FormLayout, str]], period: Period, deadline: date
) -> dict[tuple[int, int], str]:
    """The first sheet. Gives the cells whose text names the enterprise, as templates to be filled for each."""
    words = wording()
    own: dict[tuple[int, int], str] = {}
    sheet.hide_gridlines(2)
    for column, width in enumerate((6, 30, 20, 14, 62)):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 30)
    title = words.wording("instructions", "title")
    sheet.merge_range(0, 0, 0, 4, f"{title.zh}  {title.en}", styles.of("title"))
    row = 2
    heading = words.wording("instructions", "forms")
    sheet.write_string(row, 0, f"{heading.zh}  {heading.en}", styles.of("heading"))
    row += 1
    for column, name in enumerate(("form", "title", "period", "cadence")):
        head = words.wording("instructions", "columns", name)
        sheet.write_string(row, column, head.zh, styles.of("head"))
    for layout, period_text in forms:
        row += 1
        cadence = guidance_of(layout.form_code).filed or words.wording("cadence", layout.cadence)
        for column, text in enumerate((layout.form_code, layout.title.zh, period_text, cadence.zh)):
            sheet.write_string(row, column, text, styles.of("cell"))
        sheet.write_string(row, 4, layout.title.en, styles.of("english"))
    row += 2
    facts = {
        "period": f"{period:zh}",
        "deadline": f"{deadline.year}年{deadline.month}月{deadline.day}日",
    }
    for number, line in enumerate(words.wordings("instructions", "lines"), start=1):
        sheet.write_string(row, 0, f"{number}.", styles.of("wrapped"))
        sheet.merge_range(row, 1, row, 3, "", styles.of("wrapped"))
        for column, said, style in ((1, line.zh, "wrapped"), (4, line.en, "english")):
            text = said.replace("{period}", facts["period"]).replace("{deadline}", facts["deadline"])
            if "{enterprise" in text:
                own[row, column] = text
                sheet.write_blank(row, column, None, styles.of(style))
            else:
                sheet.write_string(row, column, text, styles.of(style))
        lines = max(-(-len(line.zh) // 31), -(-len(line.en) // 66), 1) + ("{enterprise" in line.zh)
        sheet.set_row(row, _LINE_HEIGHT * lines + 3)
        row += 1
    _finish(sheet, row, 4)
    return own


def draw_example(sheet: Any, styles: Styles, layout: FormLayout, guidance: Guidance) -> None:
    """A few rows of one form, filled in as they should be."""
    title = wording().wording("example", "title")
    columns = layout.columns
    sheet.hide_gridlines(2)
    sheet.set_row(0, 26)
    sheet.merge_range(0, 0, 0, len(columns) - 1, f"{title.zh}  {title.en}", styles.of("heading"))
    name_fields = {one.name_field for one in columns}
    for column, one in enumerate(columns):
        sheet.set_column(column, column, width_of(one, is_name=one.name in name_fields))
        sheet.write_string(2, column, "\n".join(one.printed), styles.of("head"))
    sheet.set_row(2, 78)
    row = 2
    for filled in guidance.example_rows:
        row += 1
        for column, one in enumerate(columns):
            _write_example(sheet, row, column, one, _example_value(one, filled, columns), styles)
    row += 1
    for column, one in enumerate(columns):
        total = _example_total(one, guidance.example_rows)
        if column == 0:
            sheet.write_string(row, column, wording().text("total"), styles.of("total"))
        elif total is None:
            sheet.write_blank(row, column, None, styles.of("total"))
        else:
            sheet.write_number(row, column, total, styles.of("total_number"))
    row += 2
    for one in columns:
        said = guidance.of(one)
        sheet.write_string(row, 0, one.label.zh, styles.of("text"))
        text = f"{said.text.zh} {said.text.en}"
        sheet.merge_range(row, 1, row, len(columns) - 1, text, styles.of("wrapped"))
        if len(said.text.zh) * 2 + len(said.text.en) > _PLACES_OF_EXAMPLE:
            sheet.set_row(row, 2 * _LINE_HEIGHT)
        row += 1
    _finish(sheet, row, len(columns) - 1)


def _example_value(one: Field, filled: Mapping[str, Any], columns: Sequence[Field]) -> Any:
    coded = next((other for other in columns if other.name_field == one.name), None)
    if coded is not None:
        return name_of_item(str(filled.get(coded.name, "")))
    value = filled.get(one.name)
    return word_of(one, value) if isinstance(value, str) else value


def _write_example(sheet: Any, row: int, column: int, one: Field, value: Any, styles: Styles) -> None:
    if value is None or value == "":
        sheet.write_blank(row, column, None, styles.of("cell"))
    elif isinstance(value, str):
        sheet.write_string(row, column, value, styles.of("cell"))
    else:
        style = "cell_percent" if one.type == "percent" else "cell_number"
        sheet.write_number(row, column, value, styles.of(style))


def _example_total(one: Field, rows: Sequence[Mapping[str, Any]]) -> float | None:
    if not one.is_measure or one.type != "number":
        return None
    figures = [float(row[one.name]) for row in rows if isinstance(row.get(one.name), int | float)]
    return round(sum(figures), 6)


def draw_explanations(sheet: Any, styles: Styles, layouts: Sequence[FormLayout], month: Month) -> None:
    """指标解释: what every column of the forms in this workbook means, then the service items."""
    words = wording()
    sheet.hide_gridlines(2)
    for column, width in enumerate((14, 26, 52, 52, 26)):
        sheet.set_column(column, column, width)
    title = words.wording("explanations", "title")
    sheet.set_row(0, 30)
    sheet.merge_range(0, 0, 0, 4, f"{title.zh}  {title.en}", styles.of("title"))
    row = 2
    for layout in layouts:
        guidance = guidance_of(layout.form_code)
        sheet.write_string(
            row, 0, f"{layout.form_code} {layout.title.zh}  {layout.title.en}", styles.of("heading")
        )
        row = _explain_heads(sheet, row + 1, styles, "columns")
        fields = layout.columns or layout.pairs
        marks = ruler(layout) if layout.columns else range(1, len(fields) + 1)
        for mark, one in zip(marks, fields, strict=True):
            said = guidance.of(one)
            sheet.write(row, 0, mark, styles.of("cell_mark"))
            texts = (f"{one.label.zh}\n{one.label.en}", said.text.zh, said.text.en, said.example)
            for column, text in enumerate(texts, start=1):
                sheet.write_string(row, column, text, styles.of("cell"))
            lines = max(2, -(-len(said.text.zh) // 25), -(-len(said.text.en) // 50))
            sheet.set_row(row, _LINE_HEIGHT * lines)
            row += 1
        for note in guidance.notes:
            sheet.write_string(row, 1, f"注：{note.zh} {note.en}", styles.of("text"))
            row += 1
        row += 1
    if any(one.code_list == "item" for layout in layouts for one in layout.columns):
        row = _explain_items(sheet, row, styles, month)
    _finish(sheet, row, 4)


def _explain_heads(sheet: Any, row: int, styles: Styles, group: str) -> int:
    for column, head in enumerate(wording().take("explanations", group).values()):
        sheet.write_string(row, column, f"{head['zh']} {head['en']}", styles.of("head"))
    return row + 1


def _explain_items(sheet: Any, row: int, styles: Styles, month: Month) -> int:
    heading = wording().wording("explanations", "items")
    sheet.write_string(row, 0, f"{heading.zh}  {heading.en}", styles.of("heading"))
    row = _explain_heads(sheet, row + 1, styles, "item_columns")
    for item in codes.ebops_items():
        if item.level < 1 or item.valid_from > month.start_date:
            continue
        texts = (item.code, item.name_zh, item.parent if item.level > 1 else "", item.name_en)
        for column, text in enumerate(texts):
            sheet.write_string(row, column, text or "", styles.of("cell"))
        sheet.set_row(row, _LINE_HEIGHT * max(-(-len(item.name_zh) // 12), -(-len(item.name_en) // 50)))
        row += 1
    return row


def draw_codes(sheet: Any, styles: Styles, lists: CodeSheet) -> None:
    """代码表, hidden: a head and a column a list."""
    for column, (title, values) in enumerate(lists.columns):
        sheet.write_string(0, column, title, styles.of("code"))
        for row, value in enumerate(values, start=1):
            if isinstance(value, str):
                sheet.write_string(row, column, value, styles.of("code"))
            else:
                sheet.write_number(row, column, value)
    sheet.protect("")
    sheet.hide()


def _finish(sheet: Any, last_row: int, last_column: int) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.print_area(0, 0, last_row, last_column)
    sheet.set_footer("&C第 &P 页 共 &N 页")
    sheet.protect("", {"format_columns": True, "format_rows": True})
