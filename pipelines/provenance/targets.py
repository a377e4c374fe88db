"""What a target's value rests on: an indicator computed here, or cells that departments filed.

Follows the choice that sql/indicators/target_progress.sql made; it makes none of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any

from pipelines.findings import Wording
from pipelines.money import UNITS
from pipelines.periods import Month
from pipelines.provenance.registry import TARGETS, LineageError
from pipelines.provenance.shapes import Figure, Leaf, Part, Step
from pipelines.provenance.tracing import BASE, PERCENT, THIS, Tracer, percent_change, percent_of
from pipelines.warehouse.sqlfiles import MONTH_PARAMETER

_TARGETS_FILE = "sql/reference/targets.csv"
_SERIES_FILE = "sql/reference/target_series.csv"
_UNIT_BY_LABEL = {unit.label_zh: unit for unit in UNITS.values()}
# Values of targets are kept with six decimals.
_KEPT = Decimal("0.000001")
_CELL = Wording("部门填报", "Filed by the department")
_TARGET = Wording("目标值", "Target")
_PERIOD_KINDS_OF_PARTS = ("month", "quarter", "half_year")


def target_unit(tracer: Tracer, month: Month, target_id: str) -> Wording:
    """The unit of a target as the plan prints it."""
    unit = str(_progress(tracer, month, target_id)["unit"] or "")
    known = _UNIT_BY_LABEL.get(unit)
    return Wording(unit, known.label_en if known else unit)


def target_figure(tracer: Tracer, month: Month, target_id: str, column: str) -> Figure:
    """The measured value of a target, what of it is achieved, or the gap.

    Raises LineageError where the progress row names a source that cannot be found again.
    """
    progress = _progress(tracer, month, target_id)
    series = _reference(tracer, "target_series", target_id)
    measured = _measured(tracer, month, progress, series)
    step = tracer.step(
        TARGETS,
        column,
        progress[column],
        {MONTH_PARAMETER: month.start_date, "target_id": target_id},
    )
    if column == "value":
        return _with_steps(measured, step)
    target = _target_part(tracer, progress)
    value = Decimal(progress[column])
    if column == "gap":
        recomputed = measured.value - target.total
        formula = Wording("实际值 － 目标值", "value − target")
        agrees = recomputed == value
        unit = measured.unit
    else:
        formula = (
            Wording("100 × 目标值 ÷ 实际值（越低越好）", "100 × target / value (lower is better)")
            if progress["is_lower_better"]
            else Wording("100 × 实际值 ÷ 目标值", "100 × value / target")
        )
        recomputed = (
            percent_of(target.total, measured.value)
            if progress["is_lower_better"]
            else percent_of(measured.value, target.total)
        )
        rate = tracer.rate(value, recomputed, formula, (), ())
        agrees, unit = rate.agrees, PERCENT
    return Figure(
        value=value,
        unit=unit,
        recomputed=recomputed,
        agrees=agrees and measured.agrees,
        formula=Wording(
            f"{formula.zh}；实际值 {measured.value.normalize():f} = {measured.formula.zh}",
            f"{formula.en}; value {measured.value.normalize():f} = {measured.formula.en}",
        ),
        steps=(step, *measured.steps),
        parts=(*measured.parts, target),
        notes=measured.notes,
    )


# --- the measured value ---------------------------------------------------------------------------------------------


def _measured(tracer: Tracer, month: Month, progress: Mapping[str, Any], series: Mapping[str, Any]) -> Figure:
    if progress["measured_source"] in ("direct_report", "safe"):
        return _computed(tracer, progress, series)
    return _filed(tracer, progress, series)


def _computed(tracer: Tracer, progress: Mapping[str, Any], series: Mapping[str, Any]) -> Figure:
    """A target measured by our own series: the year to date of the last month it covers."""
    point = Month.of(progress["measured_end_date"])
    unit = _UNIT_BY_LABEL.get(progress["unit"])
    is_money = progress["measure_kind"] == "level" and unit is not None
    rule = tracer.lineage.indicators[f"indicators.{series['measured_from']}"]
    possible = {
        "source": progress["measured_source"],
        "measure": series["measure"],
        "scope": series["scope"],
        "outsourcing_type": "all",
        "period": "ytd",
        "currency_code": unit.currency_code if is_money and unit is not None else "USD",
    }
    row = tracer.row(rule.name, point, {name: possible[name] for name in rule.dimensions})
    if row is None:
        raise LineageError(f"{progress['target_id']}: {rule.name} has no row of {point}")
    kind = progress["measure_kind"]
    column = {"level": "amount", "average_growth": "amount", "share": "share_pct", "growth": "growth_pct"}[
        kind
    ]
    figure = tracer.figure(rule, row, point, column)
    if figure is None:
        raise LineageError(f"{progress['target_id']}: {rule.name}.{column} is empty in {point}")
    value = Decimal(progress["value"])
    if kind == "average_growth":
        base = _base_of_the_plan(progress, series)
        years = int(progress["measured_end_date"].year) - int(progress["base_year"])
        recomputed = _average_growth(figure.recomputed / UNITS["USD_100M"].multiplier, base.total, years)
        return _six_decimals(
            value, recomputed, _average_formula(years), figure, (*figure.parts, base), PERCENT
        )
    if is_money and unit is not None:
        with localcontext(prec=60):
            recomputed = figure.recomputed / unit.multiplier
        formula = Wording(
            f"{figure.formula.zh} ÷ {unit.multiplier:,}（折成{unit.label_zh}）",
            f"{figure.formula.en} / {unit.multiplier:,} (in {unit.label_en})",
        )
        return _six_decimals(
            value, recomputed, formula, figure, figure.parts, Wording(unit.label_zh, unit.label_en)
        )
    return _six_decimals(value, figure.recomputed, figure.formula, figure, figure.parts, PERCENT)


def _filed(tracer: Tracer, progress: Mapping[str, Any], series: Mapping[str, Any]) -> Figure:
    """A target measured by what departments filed: one cell, the parts of a year, or two levels and their growth."""
    cell = tracer.row("core.department_indicator", None, {"line_id": progress["line_id"]})
    if cell is None:
        raise LineageError(f"{progress['target_id']}: there is no cell {progress['line_id']}")
    value = Decimal(progress["value"])
    unit = _filed_unit(cell)
    kind = progress["measure_kind"]
    step = tracer.step(
        "core.department_indicator",
        "value",
        cell["value"],
        {name: cell[name] for name in ("indicator", "area", "period_code")},
    )
    if kind in ("growth", "average_growth") and cell["indicator"] != series["growth_indicator"]:
        return _growth_of_filed(tracer, progress, series, cell, step)
    if ".." in str(progress["measured_period"]):
        part = _year_so_far(tracer, progress, cell, unit)
        recomputed, formula = part.total, Wording("各期填报数之和", "sum of the periods filed")
    else:
        part = _one_cell(tracer, cell, unit, _CELL)
        recomputed, formula = part.total, Wording("部门填报数", "as the department filed it")
    if cell["indicator"] != series["indicator"] and kind == "share":
        # services over goods, turned into services over both: s = r / (1 + r)
        with localcontext(prec=60):
            recomputed = 100 * part.total / (100 + part.total)
        formula = Wording(
            "100 × r ÷（100 ＋ r），r 为服务贸易占货物贸易比重",
            "100 × r / (100 + r), r being services over goods",
        )
    wanted = _UNIT_BY_LABEL.get(progress["unit"])
    if (
        wanted is not None
        and cell["unit"] != progress["unit"]
        and cell["currency_code"] == wanted.currency_code
    ):
        with localcontext(prec=60):
            recomputed = recomputed * cell["unit_multiplier"] / wanted.multiplier
        formula = Wording(f"{formula.zh}，折成{wanted.label_zh}", f"{formula.en}, in {wanted.label_en}")
    figure = tracer.rate(value, recomputed, formula, (step,), (part,), _plain_unit(progress["unit"]))
    return _six_decimals(value, recomputed, formula, figure, (part,), figure.unit)


def _growth_of_filed(
    tracer: Tracer,
    progress: Mapping[str, Any],
    series: Mapping[str, Any],
    cell: Mapping[str, Any],
    step: Step,
) -> Figure:
    """Growth of a level that a department filed, over its own earlier year or the base written in the plan."""
    unit = _filed_unit(cell)
    this = _one_cell(tracer, cell, unit, THIS)
    base_year = int(progress["base_year"])
    base_cell = tracer.row(
        "core.department_indicator",
        None,
        {
            "indicator": cell["indicator"],
            "period_code": str(base_year),
            "unit": cell["unit"],
            "is_city": True,
        },
    )
    base = (
        _one_cell(tracer, base_cell, unit, BASE)
        if base_cell is not None and base_cell["value"] is not None
        else _base_of_the_plan(progress, series)
    )
    value = Decimal(progress["value"])
    years = cell["period_start_date"].year - base_year
    if progress["measure_kind"] == "average_growth":
        recomputed, formula = _average_growth(this.total, base.total, years), _average_formula(years)
    else:
        recomputed = percent_change(this.total, base.total)
        formula = Wording("100 ×（当年 ÷ 上年 － 1）", "100 × (the year / the year before − 1)")
    figure = tracer.rate(value, recomputed, formula, (step,), (this, base))
    return _six_decimals(value, recomputed, formula, figure, (this, base), PERCENT)


def _one_cell(tracer: Tracer, cell: Mapping[str, Any], unit: Wording, role: Wording) -> Part:
    return tracer.sum_of(
        "department_indicator",
        {"line_id": cell["line_id"], "currency_code": ""},
        None,
        None,
        table="core.department_indicator",
        column="value",
        expected=Decimal(cell["value"]),
        role=role,
        unit=unit,
    )


def _year_so_far(tracer: Tracer, progress: Mapping[str, Any], cell: Mapping[str, Any], unit: Wording) -> Part:
    """The months, quarters or halves of a year that a department filed, as far as they go."""
    if cell["period_kind"] not in _PERIOD_KINDS_OF_PARTS:
        raise LineageError(f"{progress['target_id']}: {cell['line_id']} is no part of a year")
    wanted = _UNIT_BY_LABEL.get(progress["unit"])
    expected = Decimal(progress["value"])
    if wanted is not None and cell["unit"] != progress["unit"] and cell["unit_multiplier"]:
        expected = expected * wanted.multiplier / cell["unit_multiplier"]
    return tracer.sum_of(
        "department_indicator",
        {"indicator": cell["indicator"], "period_kind": cell["period_kind"], "currency_code": ""},
        Month.of(progress["measured_start_date"]),
        Month.of(progress["measured_end_date"]),
        table="core.department_indicator",
        column="value",
        expected=expected,
        role=_CELL,
        unit=unit,
    )


# --- values that stand in reference tables -----------------------------------------------------------------------------


def _base_of_the_plan(progress: Mapping[str, Any], series: Mapping[str, Any]) -> Part:
    value = Decimal(series["base_value"])
    return _reference_part(
        BASE,
        _SERIES_FILE,
        f"{progress['target_id']} base_value ({series['base_year']})",
        str(series["base_value_note"] or ""),
        value,
        _plain_unit("亿美元") if series["measured_from"] != "department" else Wording("", ""),
    )


def _target_part(tracer: Tracer, progress: Mapping[str, Any]) -> Part:
    target = _reference(tracer, "targets", progress["target_id"])
    return _reference_part(
        _TARGET,
        _TARGETS_FILE,
        f"{progress['target_id']} value",
        f"{target['phrase']} ({target['source_file']})",
        Decimal(target["value"]),
        _plain_unit(progress["unit"]),
    )


def _reference_part(
    role: Wording, file_name: str, where: str, text: str, value: Decimal, unit: Wording
) -> Part:
    leaf = Leaf(
        month_start_date=None,
        amount=value,
        line_amount=value,
        line_id=None,
        submission_id=None,
        form_code=None,
        sheet=None,
        cell=None,
        file_name=file_name,
        sha256=None,
        version=None,
        enterprise_code=None,
        enterprise_name=None,
        department=None,
        flow=None,
        item_code=where,
        partner_code=None,
        text=text,
        unit_code=None,
        unit=unit,
        rate=None,
        share_pct=None,
        basis=None,
        is_traced=True,
    )
    return Part(role, file_name, where, None, None, unit, value, value, 1, 0, (leaf,))


def _reference(tracer: Tracer, name: str, target_id: str) -> dict[str, Any]:
    cursor = tracer.con.execute(
        f"select * from reference.{name} where target_id = $1",  # noqa: S608 - one of two names above
        [target_id],
    )
    columns = [column[0] for column in cursor.description]
    [row] = cursor.fetchall()
    return dict(zip(columns, row, strict=True))


def _progress(tracer: Tracer, month: Month, target_id: str) -> dict[str, Any]:
    row = tracer.row(TARGETS, month, {"target_id": target_id})
    if row is None:
        raise LineageError(f"{TARGETS} has no {target_id} in {month}; the draft and the snapshot disagree")
    return row


# --- small things ------------------------------------------------------------------------------------------------------


def _filed_unit(cell: Mapping[str, Any]) -> Wording:
    return _plain_unit(cell["unit"])


def _plain_unit(label: str | None) -> Wording:
    known = _UNIT_BY_LABEL.get(label or "")
    return Wording(label or "", known.label_en if known else label or "")


def _average_growth(this: Decimal, base: Decimal, years: int) -> Decimal:
    with localcontext(prec=60):
        return 100 * ((this / base) ** (Decimal(1) / years) - 1)


def _average_formula(years: int) -> Wording:
    return Wording(
        f"100 ×（（当年 ÷ 基年）开 {years} 次方 － 1）",
        f"100 × ((the year / the base year) to the power 1/{years} − 1)",
    )


def _six_decimals(
    value: Decimal,
    recomputed: Decimal,
    formula: Wording,
    inner: Figure,
    parts: tuple[Part, ...],
    unit: Wording,
) -> Figure:
    """A target's value is the inner figure kept with six decimals: it may differ by half of the last."""
    return Figure(
        value=value,
        unit=unit,
        recomputed=recomputed,
        agrees=abs(recomputed - value) <= _KEPT,
        formula=formula,
        steps=inner.steps,
        parts=parts,
        notes=inner.notes,
    )


def _with_steps(figure: Figure, step: Step) -> Figure:
    return Figure(
        value=figure.value,
        unit=figure.unit,
        recomputed=figure.recomputed,
        agrees=figure.agrees,
        formula=figure.formula,
        steps=(step, *figure.steps),
        parts=figure.parts,
        notes=figure.notes,
    )
