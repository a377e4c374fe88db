"""What only the whole file can show: sheets that disagree, forms that repeat, a return without anything in it.

Nothing of a single cell is read here.
"""

from __future__ import annotations

from pipelines.intake import messages
from pipelines.intake.gate import address
from pipelines.intake.reading import FormSheet, Reading
from pipelines.intake.values import CellProblem, as_text, read_period
from pipelines.periods import Period
from pipelines.records import FileKind

_MOST_FINDINGS = 300
_MOST_FIXES = 5_000
# The form without which a workbook is not the return of a month.
_FORM_OF_EVERY_MONTH = "FM-2"


def agree(forms: list[FormSheet], reading: Reading) -> None:
    """All sheets belong to one enterprise and one month; what one leaves blank another may say.

    Forms filed by quarter, half-year or year have a period of their own besides. A file with no monthly form is
    not the return of a month: its period is the latest of those its sheets are of.
    """
    main = _main_form(forms)
    by_code = next((form for form in (main, *forms) if form.enterprise_code), None)
    by_period = next((form for form in (main, *forms) if form.period and not _states_own(form)), None)
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
            and not _states_own(form)
            and reading.kind is FileKind.RETURN
            and not _nested(form.period, by_period.period)
        ):
            _disagree(form, by_period, "reference_month", form.period, by_period.period, reading)
        if reading.kind is FileKind.RETURN and form.layout is not None:
            _settle_own_period(form, reading)
            _inherit(form, by_code, by_period, reading)
    if not _speaks_of_month(main):
        own = [form.own_period for form in forms if form.own_period is not None]
        reading.period = max(own, key=lambda period: (period.last, period.first), default=reading.period)
    reading.enterprise_name = next(
        (form.enterprise_name for form in (main, *forms) if form.enterprise_name), ""
    )
    reading.department = next((form.department for form in forms if form.department), "")
    reading.is_revision = any(form.is_revision for form in forms)


def _main_form(forms: list[FormSheet]) -> FormSheet:
    """The form whose head speaks for the file: a monthly table, another table, the registration; by form number."""
    tables = [form for form in forms if form.layout is not None and form.layout.columns]
    monthly = [form for form in tables if _speaks_of_month(form)]
    return min(monthly or tables or forms, key=lambda form: form.form_code)


def _speaks_of_month(form: FormSheet) -> bool:
    return form.layout is None or form.layout.own_period_kind is None


def _states_own(form: FormSheet) -> bool:
    """Whether its head gives the quarter, half-year or year of its figures, and not the month of the workbook."""
    return (
        form.period is not None
        and form.layout is not None
        and form.period.kind == form.layout.own_period_kind
    )


def _settle_own_period(form: FormSheet, reading: Reading) -> None:
    """The quarter, half-year or year that a sheet is of, as a head cell `sheet_period` of its own.

    Where the head gives the month of the workbook or nothing, it is the latest one over by then, and that is
    said: a workbook of March 2026 holds the affiliates of 2025.
    """
    kind = form.layout.own_period_kind if form.layout is not None else None
    if kind is None:
        return
    found = form.scan.head.get("reference_month")
    row, cell = (found.row, address(found.row, found.column)) if found is not None else (0, "A1")
    text = as_text(found.value) if found is not None and found.value is not None else ""
    if _states_own(form):
        form.own_period = form.period
    else:
        month = form.period or (reading.period if not text else None)
        if month is None:
            return
        form.own_period = Period.latest_over(kind, month.last)
        reading.fixes.append(
            messages.fix(form.sheet.name, cell, text, str(form.own_period), ("period_of_cadence",))
        )
    if form.own_period is not None:
        reading.cells.append(
            (form.form_code, form.sheet.name, "head", row + 1, cell, "sheet_period", text,
             None, str(form.own_period), form.own_period.first.start_date, "value")
        )  # fmt: skip


def _nested(one: Period, other: Period) -> bool:
    """Whether one period lies within the other: the year of the registration and the month of the return."""
    return (one.first <= other.first and other.last <= one.last) or (
        other.first <= one.first and one.last <= other.last
    )


def _disagree(
    form: FormSheet,
    other: FormSheet,
    name: str,
    given: str | Period,
    expected: str | Period,
    reading: Reading,
) -> None:
    cell = form.scan.head.get(name)
    head_field = form.layout.head_field(name) if form.layout is not None else None
    reading.findings.append(
        messages.finding(
            "P15",
            sheet=form.sheet.name,
            cell=address(cell.row, cell.column) if cell is not None else "",
            label=head_field.label if head_field is not None else None,
            given=str(given),
            expected=str(expected),
            form_code=form.form_code,
            words={
                "other_sheet": messages.shown(other.sheet.name),
                "given": messages.shown(given) if isinstance(given, str) else given,
                "expected": expected,
            },
        )
    )


def _inherit(
    form: FormSheet, by_code: FormSheet | None, by_period: FormSheet | None, reading: Reading
) -> None:
    """Say where a sheet's blank head was filled from another sheet."""
    for name, own, source, value in (
        ("enterprise_code", form.enterprise_code, by_code, by_code.enterprise_code if by_code else ""),
        ("reference_month", form.period, by_period, str(by_period.period) if by_period else ""),
    ):
        if name == "reference_month" and not _speaks_of_month(form):
            continue  # a period of its own, which is said already
        cell = form.scan.head.get(name)
        is_blank = not own and (cell is None or cell.value is None)
        if is_blank and source is not None and source is not form:
            place = address(cell.row, cell.column) if cell is not None else "A1"
            reading.fixes.append(messages.fix(form.sheet.name, place, "", value, ("from_other_sheet",)))


def conclude(forms: list[FormSheet], reading: Reading, *, is_template: bool = False) -> None:
    """What only the whole file can show: no period, no enterprise, a form twice, nothing to report.

    `is_template`: the workbook bears the mark of a blank form of the system.
    """
    first = forms[0]
    if reading.period is None and not any(
        finding.rule in ("P02", "P03", "P33") for finding in reading.findings
    ):
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
                    cell=address(cell.row, cell.column) if cell is not None else "",
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
                cell=address(cell.row, cell.column) if cell is not None else "",
                form_code=first.form_code,
            )
        )
    _check_repeated(forms, reading)
    if _is_short_of_a_form(forms, reading):
        _tell_what_is_short(forms, reading)
    else:
        _check_zero(forms, reading, is_template=is_template)
    _check_printed_validity(forms, reading)


def _check_repeated(forms: list[FormSheet], reading: Reading) -> None:
    seen: dict[str, FormSheet] = {}
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


def _is_short_of_a_form(forms: list[FormSheet], reading: Reading) -> bool:
    """Whether this is the workbook of a month and lacks the form that every month has.

    Otherwise a registration alone would be taken for the month's return, and the figures filed after it refused.
    """
    return (
        reading.kind is FileKind.RETURN
        and _speaks_of_month(_main_form(forms))
        and reading.period is not None
        and reading.period.kind in ("month", "months_1_2")
        and all(form.form_code != _FORM_OF_EVERY_MONTH for form in forms)
    )


def _tell_what_is_short(forms: list[FormSheet], reading: Reading) -> None:
    main = _main_form(forms)
    reading.findings.append(
        messages.finding(
            "P35",
            sheet=main.sheet.name,
            given=", ".join(sorted({form.form_code for form in forms})),
            form_code=_FORM_OF_EVERY_MONTH,
            words={"period": reading.period},
        )
    )


def _check_zero(forms: list[FormSheet], reading: Reading, *, is_template: bool) -> None:
    """零报 is a statement: ticked and no rows is a zero return, neither is nothing at all.

    It is a statement about the month: affiliates of last year beside a ticked box do not contradict it.
    """
    asked = [form for form in forms if form.layout is not None and form.layout.needs_rows_or_zero]
    monthly = [form for form in asked if form.layout is not None and form.layout.cadence == "month"]
    tables = monthly or asked
    has_rows = any(form.row_count for form in tables)
    ticked = [form for form in forms if form.is_zero_ticked]
    speaking = [form for form in ticked if form in tables or form not in asked]
    reading.is_zero_return = bool(speaking) and not has_rows
    for form in ticked:
        if form.row_count and form in asked:
            cell = form.scan.head["is_zero_return"]
            reading.findings.append(
                messages.finding(
                    "P22",
                    sheet=form.sheet.name,
                    cell=address(cell.row, cell.column),
                    given=as_text(cell.value),
                    form_code=form.form_code,
                    words={"count": form.row_count},
                )
            )
    if tables and not has_rows and not speaking and not any(form.has_broken_table for form in tables):
        form = tables[0]
        found = form.scan.head.get("is_zero_return")
        is_untouched = is_template and not any(other.row_count for other in forms)
        # rows that are listed without figures are the same question; one word for all of them
        reading.findings = [one for one in reading.findings if one.rule != "P26"]
        reading.findings.append(
            messages.finding(
                "P23",
                sheet=form.sheet.name,
                cell=address(found.row, found.column) if found is not None else "",
                form_code=form.form_code,
                words={"what": messages.word("nothing_filled", "template" if is_untouched else "plain")},
            )
        )


def _check_printed_validity(forms: list[FormSheet], reading: Reading) -> None:
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
                    cell=address(found.row, found.column),
                    given=as_text(found.value),
                    expected=str(form.period),
                    form_code=form.form_code,
                    words={"expected": form.period},
                )
            )
            return


def cap(reading: Reading) -> None:
    """Thousands of findings help nobody: the first few hundred and a count."""
    extra = len(reading.findings) - _MOST_FINDINGS
    if extra > 0:
        order = {"critical": 0, "warning": 1, "info": 2}
        reading.findings.sort(key=lambda finding: order[finding.severity])
        del reading.findings[_MOST_FINDINGS:]
        reading.findings.append(messages.finding("P31", words={"limit": _MOST_FINDINGS, "count": extra}))
    del reading.fixes[_MOST_FIXES:]
