"""An explanation for people (text in zh or en) and for programs (one object, figures as texts).

Nothing is computed here but the difference that is told.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from pipelines.findings import Wording
from pipelines.provenance.shapes import Explanation, Leaf, Part, Step
from pipelines.publication.layout import display_width, padded
from pipelines.publication.tables import Language

_ROUNDING = {
    "half_up": Wording("四舍五入", "rounded half up"),
    "largest_remainder": Wording(
        "最大余数法，使分项之和等于合计", "by largest remainder, so that parts add up to the total"
    ),
}
_TEXTS = {
    "printed": Wording("印出数", "Printed"),
    "unrounded": Wording("未取舍数", "Unrounded"),
    "computed": Wording("计算于", "Computed in"),
    "method": Wording("方法说明", "method"),
    "row": Wording("所在行", "row"),
    "formula": Wording("算法", "Formula"),
    "source": Wording("快照", "Snapshot"),
    "draft": Wording("送审稿", "draft"),
    "decimals": Wording("小数位数", "decimals"),
    "leaves": Wording("个源数", "leaves"),
    "add_up_to": Wording("合计", "adding up to"),
    "exact": Wording("与指标完全一致", "exactly the indicator"),
    "check_ok": Wording(
        "核对：源数逐个相加，与未取舍数、印出数完全一致。",
        "Check: the leaves add up to the unrounded figure exactly, and that is what is printed.",
    ),
}
_BASES = {
    "declared": Wording("企业填报", "declared"),
    "local": Wording("本地调查", "local survey"),
    "profile": Wording("方案细项", "profile"),
    "fallback": Wording("方案大类", "fallback"),
    "accepted": Wording("通过", "accepted"),
    "queried": Wording("待核实", "queried"),
    "rejected": Wording("退回", "rejected"),
    "not_filed": Wording("未报", "not filed"),
    "zero_return": Wording("零报", "zero return"),
    "provisional": Wording("初步", "provisional"),
    "amendment": Wording("变更差额", "difference by amendment"),
    "goods": Wording("货物", "goods"),
    "out_of_scope": Wording("不分模式", "no mode"),
    "3_in_bop": Wording("商业存在部分", "commercial presence"),
}


def as_text(explanation: Explanation, language: Language) -> str:
    """For a terminal, in one language."""

    def say(key: str) -> str:
        return _of(_TEXTS[key], language)

    colon = "：" if language == "zh" else ": "
    e = explanation
    lines = [
        f"{_of(e.table_title, language)}  {e.table}  {e.month}",
        f"{_of(e.row_label, language)} ({e.row_code}) × {_of(e.column_label, language)} ({e.column_code})",
        "",
    ]
    printed = _of(e.printed, language)
    tail = ""
    if e.figure is not None:
        rounding = _of(_ROUNDING[e.rounding], language)
        tail = (
            f"（{say('decimals')} {e.decimals}，{rounding}）"
            if language == "zh"
            else f" ({say('decimals')}: {e.decimals}, {rounding})"
        )
    lines.append(f"{say('printed')}{colon}{printed} {_of(e.unit, language)}{tail}".rstrip())
    lines.append(f"  {e.publication.sql_file}")
    if e.figure is not None:
        figure = e.figure
        lines.append(f"{say('unrounded')}{colon}{_number(figure.value)} {_of(figure.unit, language)}")
        lines.append(f"  {say('formula')}{colon}{_of(figure.formula, language)}")
        for step in figure.steps:
            lines.extend(_step_lines(step, language))
        for part in figure.parts:
            lines.append("")
            lines.extend(_part_lines(part, language))
    lines.append("")
    lines.extend(_of(note, language) for note in (*e.notes, *(e.figure.notes if e.figure else ())))
    lines.append(f"{say('source')}{colon}{e.snapshot}  {say('draft')}{colon}{e.draft_id}")
    lines.extend(_of(problem, language) for problem in problems(e))
    if e.figure is not None and e.adds_up:
        lines.append(say("check_ok"))
    return "\n".join(lines) + "\n"


def problems(explanation: Explanation) -> tuple[Wording, ...]:
    """What does not add up, and by how much; nothing when everything does."""
    e = explanation
    found: list[Wording] = []
    if not e.snapshot_agrees:
        found.append(
            Wording(
                f"不一致：送审稿印出的数与快照中的 publication.{e.table} 不同，其一较旧。"
                f"请重新计算：servtrade run --month {e.month}",
                f"MISMATCH: the draft prints something else than publication.{e.table} of the snapshot; one of them is "
                f"older. Compute again: servtrade run --month {e.month}",
            )
        )
    if e.figure is None:
        return tuple(found)
    for part in e.figure.parts:
        if part.difference:
            found.append(
                Wording(
                    f"不一致：{part.role.zh}的源数合计 {_number(part.total)}，{part.table}.{part.column} 为 "
                    f"{_number(part.expected)}，相差 {_number(part.difference)} {part.unit.zh}。"
                    "如有月份在本月之后重新计算过，请从该月起重算：servtrade run --from 月份",
                    f"MISMATCH: the leaves of “{part.role.en}” add up to {_number(part.total)}, {part.table}."
                    f"{part.column} is {_number(part.expected)}: a difference of {_number(part.difference)} "
                    f"{part.unit.en}. If a month before was computed again since, run from it: servtrade run --from MONTH",
                )
            )
        if part.untraced_count:
            found.append(
                Wording(
                    f"不一致：{part.role.zh}有 {part.untraced_count} 个源数与所填单元格、单位、汇率算出的数不符。",
                    f"MISMATCH: {part.untraced_count} leaves of “{part.role.en}” are not what their cell, unit and "
                    "rate give.",
                )
            )
    if not e.figure.agrees and all(part.is_exact for part in e.figure.parts):
        found.append(
            Wording(
                f"不一致：由源数算得 {_number(e.figure.recomputed)}，指标为 {_number(e.figure.value)}，"
                f"相差 {_number(e.figure.recomputed - e.figure.value)}。",
                f"MISMATCH: the parts give {_number(e.figure.recomputed)}, the indicator is {_number(e.figure.value)}: "
                f"a difference of {_number(e.figure.recomputed - e.figure.value)}.",
            )
        )
    if not e.printed_agrees:
        found.append(
            Wording(
                f"不一致：未取舍数 {_number(e.figure.value)} 取舍后不是印出的 {e.printed.zh}。",
                f"MISMATCH: {_number(e.figure.value)} does not round to the printed {e.printed.en}.",
            )
        )
    return tuple(found)


def as_json(explanation: Explanation) -> dict[str, Any]:
    """One object with both languages; figures are texts, so that no digit is lost on the way."""
    e = explanation
    return {
        "table": f"publication.{e.table}",
        "month": str(e.month),
        "title": e.table_title.as_json(),
        "row": {"code": e.row_code, "label": e.row_label.as_json()},
        "column": {"code": e.column_code, "label": e.column_label.as_json()},
        "printed": {
            "text": e.printed.as_json(),
            "value": _plain(e.printed_value),
            "unit": e.unit.as_json(),
            "decimals": e.decimals,
            "rounding": e.rounding,
            "computed_in": _step_json(e.publication),
        },
        "figure": None
        if e.figure is None
        else {
            "value": _plain(e.figure.value),
            "unit": e.figure.unit.as_json(),
            "per_printed_unit": e.per,
            "formula": e.figure.formula.as_json(),
            "recomputed": _plain(e.figure.recomputed),
            "steps": [_step_json(step) for step in e.figure.steps],
            "parts": [_part_json(part) for part in e.figure.parts],
        },
        "adds_up": e.adds_up,
        "problems": [problem.as_json() for problem in problems(e)],
        "notes": [note.as_json() for note in (*e.notes, *(e.figure.notes if e.figure else ()))],
        "snapshot": e.snapshot,
        "draft": e.draft_id,
    }


# --- text -----------------------------------------------------------------------------------------------------------


def _step_lines(step: Step, language: Language) -> list[str]:
    place = f"{step.table}.{step.column}"
    page = (
        f"（{_of(_TEXTS['method'], language)}：{step.method_page}）"
        if language == "zh"
        else (f" ({_of(_TEXTS['method'], language)}: {step.method_page})")
    )
    row = ", ".join(f"{name}={_cell(value)}" for name, value in step.row.items())
    colon = "：" if language == "zh" else ": "
    return [
        f"  {_of(_TEXTS['computed'], language)}{colon}{step.sql_file}{page if step.method_page else ''}",
        f"    {place}  [{row}]",
    ]


def _part_lines(part: Part, language: Language) -> list[str]:
    span = ""
    if part.first is not None and part.last is not None:
        span = f" {part.first}" if part.first == part.last else f" {part.first}..{part.last}"
    verdict = f"= {_of(_TEXTS['exact'], language)}" if part.is_exact else "≠"
    lines = [
        f"{_of(part.role, language)}{span}  {part.table}.{part.column}",
        f"  {part.leaf_count:,} {_of(_TEXTS['leaves'], language)} "
        f"{_of(_TEXTS['add_up_to'], language)} {_number(part.total)} {_of(part.unit, language)} {verdict}",
    ]
    if part.zero_return_count:
        lines.append(
            f"  没有任何明细行；{part.zero_return_count} 份通过的零报说明为零。"
            if language == "zh"
            else f"  No line at all; {part.zero_return_count} accepted zero returns say that it is zero."
        )
    if part.leaf_count == 0 and part.expected == 0:
        lines.append(
            "  没有源数：本期没有任何一行计入此项，故为零。"
            if language == "zh"
            else "  No leaves: no line of the period counts here, so it is zero."
        )
    if part.leaves:
        lines.extend(f"  {line}" for line in _leaf_table(part.leaves, language))
    more = part.leaf_count - len(part.leaves)
    if more > 0:
        lines.append(
            f"  ……另有 {more:,} 个（按大小排列），加 --limit 0 全部列出"
            if language == "zh"
            else f"  ... and {more:,} more (largest first); --limit 0 lists them all"
        )
    return lines


_HEADS = (
    (Wording("月份", "Month"), True),
    (Wording("金额", "Amount"), True),
    (Wording("份额%·依据", "Share %, basis"), False),
    (Wording("项目", "Item"), False),
    (Wording("填报单位", "Filed by"), False),
    (Wording("原填", "As typed"), True),
    (Wording("单位", "Unit"), False),
    (Wording("汇率", "Rate"), True),
    (Wording("文件（版次）", "File (version)"), False),
    (Wording("单元格", "Cell (line_id)"), False),
)


def _leaf_table(leaves: tuple[Leaf, ...], language: Language) -> list[str]:
    """Leaves in columns; a column in which none says anything is left out."""
    rows = [_leaf_cells(leaf, language) for leaf in leaves]
    shown = [index for index in range(len(_HEADS)) if any(row[index] for row in rows)]
    texts = [[_of(_HEADS[index][0], language) for index in shown]]
    texts += [[row[index] for index in shown] for row in rows]
    widths = [max(display_width(line[place]) for line in texts) for place in range(len(shown))]
    return [
        "  ".join(
            padded(text, widths[place], right=_HEADS[shown[place]][1]) for place, text in enumerate(line)
        ).rstrip()
        for line in texts
    ]


def _leaf_cells(leaf: Leaf, language: Language) -> list[str]:
    share = "" if leaf.share_pct is None else f"{leaf.share_pct.normalize():f}"
    version = f" (v{leaf.version})" if leaf.version is not None else ""
    trouble = "" if leaf.is_traced else " !"
    return [
        "" if leaf.month_start_date is None else str(leaf.month_start_date)[:7],
        _number(leaf.amount) + trouble,
        " ".join(text for text in (share, _basis(leaf.basis, language)) if text),
        " ".join(text for text in (leaf.flow, leaf.item_code, leaf.partner_code) if text),
        leaf.filer,
        leaf.text or "",
        "" if leaf.unit is None else _of(leaf.unit, language),
        "" if leaf.rate is None or leaf.rate == 1 else f"{leaf.rate.normalize():f}",
        f"{leaf.file_name}{version}" if leaf.file_name else "",
        leaf.line_id or leaf.submission_id or "",
    ]


def _basis(basis: str | None, language: Language) -> str:
    """profile:SJ1 as words where there are words, codes as they are."""
    if not basis:
        return ""
    return "·".join(_of(_BASES[word], language) if word in _BASES else word for word in basis.split(":"))


def _number(value: Decimal) -> str:
    """All digits that say something, with separators of thousands."""
    if value == value.to_integral_value():
        return f"{value.to_integral_value():,}"
    digits = value.normalize()
    exponent = digits.as_tuple().exponent
    return (
        f"{round(value, 12).normalize():,f}"
        if isinstance(exponent, int) and exponent < -12
        else f"{digits:,f}"
    )


def _cell(value: Any) -> str:
    if value is None:
        return "∅"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of(wording: Wording, language: Language) -> str:
    return wording.zh if language == "zh" else wording.en


# --- JSON -----------------------------------------------------------------------------------------------------------


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "table": step.table,
        "column": step.column,
        "value": _plain(step.value),
        "row": {name: _json_value(value) for name, value in step.row.items()},
        "sql_file": step.sql_file,
        "method_page": step.method_page,
    }


def _part_json(part: Part) -> dict[str, Any]:
    return {
        "role": part.role.as_json(),
        "table": part.table,
        "column": part.column,
        "first_month": None if part.first is None else str(part.first),
        "last_month": None if part.last is None else str(part.last),
        "unit": part.unit.as_json(),
        "expected": _plain(part.expected),
        "total": _plain(part.total),
        "difference": _plain(part.difference),
        "leaf_count": part.leaf_count,
        "untraced_count": part.untraced_count,
        "zero_return_count": part.zero_return_count,
        "is_exact": part.is_exact,
        "leaves": [_leaf_json(leaf) for leaf in part.leaves],
    }


def _leaf_json(leaf: Leaf) -> dict[str, Any]:
    return {
        "line_id": leaf.line_id,
        "submission_id": leaf.submission_id,
        "sheet": leaf.sheet,
        "cell": leaf.cell,
        "form": leaf.form_code,
        "file_name": leaf.file_name,
        "sha256": leaf.sha256,
        "version": leaf.version,
        "enterprise_code": leaf.enterprise_code,
        "enterprise_name": leaf.enterprise_name,
        "department": leaf.department,
        "month": None if leaf.month_start_date is None else str(leaf.month_start_date)[:7],
        "flow": leaf.flow,
        "item_code": leaf.item_code,
        "partner_code": leaf.partner_code,
        "as_typed": leaf.text,
        "unit": leaf.unit_code,
        "rate": _plain(leaf.rate),
        "line_amount": _plain(leaf.line_amount),
        "share_pct": _plain(leaf.share_pct),
        "basis": leaf.basis,
        "amount": _plain(leaf.amount),
        "is_traced": leaf.is_traced,
    }


def _plain(value: Decimal | None) -> str | None:
    """A figure without filling zeros; None stays None."""
    if value is None:
        return None
    return f"{value.normalize():f}" if value else "0"


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _plain(value)
    return value.isoformat() if isinstance(value, date) else value
