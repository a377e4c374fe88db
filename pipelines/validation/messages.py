"""Words for a clerk: a rule's templates filled with a row's facts, in both languages, always with the place.

`{amount}` is replaced by the column `amount`: numbers with separators and without idle zeros, `{x:1}` with
exactly one decimal, `{x:+1}` also with its sign, `{x:period}` as people write the period 2020-03 (or several, 2020-01,
2020-02); `{unit}` by `unit_zh` or `unit_en` where those columns exist.
The sentences around every message (place, may I go on, explained) are in `expectations/messages.yaml`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from pipelines.findings import Finding, Severity, Wording
from pipelines.paths import EXPECTATIONS_DIR
from pipelines.periods import Month, Period, listed_months, period_name
from pipelines.review_sheet import MOST_ANSWER_LENGTH, Answer, UnusedAnswer, why_unused
from pipelines.review_sheet import words as review_words
from pipelines.validation.rules import PLACEHOLDER, InvalidRule, Rule

Language = Literal["zh", "en"]
Row = Mapping[str, Any]

# What the desk says of a whole file; no rule of the catalogue judges it.
DESK_REMARKS = frozenset({"M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8", "M9"})

_CELL = re.compile(r"([A-Z]{1,3})([0-9]+)")
_FORMAT = re.compile(r"\+?[0-9]")
_PERIOD = "period"
_MOST_DECIMALS = 6
_MOST_QUOTED = 200
_MOST_ANSWERS_NAMED = 10


@dataclass(frozen=True, slots=True)
class Frame:
    """The sentences around every message, by language and severity."""

    place_cell: Wording
    place_sheet: Wording
    subject: Wording
    end: Mapping[Severity, Wording]
    end_without_remark: Wording
    explained: Wording
    remark_as_before: Wording
    explained_earlier: Wording
    explained_in_doubt: Wording
    explained_in_vain: Wording
    late_revision: Wording
    later_months: Wording
    department_after_closing: Wording
    department_partly_after_closing: Wording
    joint_after_closing: Wording
    single_beside_waiting_joint: Wording
    returned: Wording
    replaced: Wording
    goes_back: Wording
    rule: Wording
    nothing: Wording


@lru_cache(maxsize=2)
def message_frame(path: Path = EXPECTATIONS_DIR / "messages.yaml") -> Frame:
    """Read the sentences around every message. Raises InvalidRule if one is missing in either language."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))

    def wording(*keys: str) -> Wording:
        entry: Any = document
        for key in keys:
            if not isinstance(entry, dict) or key not in entry:
                raise InvalidRule(f"{path.name}: lacks {'.'.join(keys)}. Add it with zh and en.")
            entry = entry[key]
        if not isinstance(entry, dict) or set(entry) != {"zh", "en"}:
            raise InvalidRule(f"{path.name}: {'.'.join(keys)} needs zh and en, both and nothing else.")
        return Wording(zh=str(entry["zh"]), en=str(entry["en"]))

    return Frame(
        place_cell=wording("place", "cell"),
        place_sheet=wording("place", "sheet"),
        subject=wording("subject"),
        end={severity: wording("end", severity.value) for severity in Severity},
        end_without_remark=wording("end", "warning_without_remark"),
        explained=wording("explained"),
        remark_as_before=wording("remark_as_before"),
        explained_earlier=wording("explained_earlier"),
        explained_in_doubt=wording("explained_in_doubt"),
        explained_in_vain=wording("explained_in_vain"),
        late_revision=wording("late_revision"),
        later_months=wording("later_months"),
        department_after_closing=wording("department_after_closing"),
        department_partly_after_closing=wording("department_partly_after_closing"),
        joint_after_closing=wording("joint_after_closing"),
        single_beside_waiting_joint=wording("single_beside_waiting_joint"),
        returned=wording("returned"),
        replaced=wording("replaced"),
        goes_back=wording("goes_back"),
        rule=wording("rule"),
        nothing=wording("nothing"),
    )


def finding_of(rule: Rule, row: Row) -> Finding:
    """Say to a clerk what a rule found in one row of its fact table (all columns of it).

    A warning on a row whose explanation column is filled becomes info with that explanation quoted; not where the
    table says, in `is_<column>_as_before`, that the same words stood there last time: they say nothing of what is
    new. A critical finding cannot be explained away. Raises KeyError if a template names a column the table lacks.
    """
    if rule.message is None:
        raise InvalidRule(f"rule {rule.id} has no message: it judges tables, not returns")
    sheet, cell = _text(row.get(rule.where.sheet)), _text(row.get(rule.where.cell))
    explanation = _text(row.get(rule.explained_by)) if rule.explained_by else ""
    severity, end = rule.severity, message_frame().end[rule.severity]
    if rule.severity is Severity.WARNING and not rule.explained_by:
        end = message_frame().end_without_remark
    elif explanation and rule.severity is Severity.WARNING:
        if row.get(f"is_{rule.explained_by}_as_before"):
            end = message_frame().remark_as_before
        else:
            severity, end = Severity.INFO, message_frame().explained

    def sentence(template: str, language: Language) -> str:
        return (
            place(row, language, sheet, cell)
            + fill(template, row, language)
            + _of(end, language).replace(
                "{explanation}", _quoted(explanation) if severity is rule.severity else explanation
            )
            + _of(message_frame().rule, language).replace("{id}", rule.id)
        )

    return Finding(
        rule=rule.id,
        severity=severity,
        message=Wording(zh=sentence(rule.message.zh, "zh"), en=sentence(rule.message.en, "en")),
        form_code=_text(row.get(rule.where.form)),
        sheet=sheet,
        cell=cell,
        key=_text(row.get("business_key")),
        given=fill(rule.given, row, "zh"),
        expected=fill(rule.expected, row, "zh"),
        fingerprint=_fingerprint(rule, row),
        explanation=explanation if severity is not rule.severity else "",
        explanation_origin="remark" if severity is not rule.severity else "",
    )


def _fingerprint(rule: Rule, row: Row) -> str:
    """The facts that make it the same query when it comes again; empty where the rule names none."""
    return "; ".join(f"{name}={_plain(row[name])}" for name in rule.explanation_covers.facts)


def _plain(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else _text(value)


def explained_finding(finding: Finding, explanation: str, *, origin: str, period: str = "") -> Finding:
    """A warning that has been explained, as info, with the explanation in place of the request for one.

    `origin` is workbook, or earlier with the period for which it was given.
    """
    frame = message_frame()
    wanted = frame.explained_earlier if origin == "earlier" else frame.explained

    def sentence(text: str, language: Language) -> str:
        tag = _of(frame.rule, language).replace("{id}", finding.rule)
        body = text.removesuffix(tag)
        for asked in (frame.end[Severity.WARNING], frame.end_without_remark):
            body = body.removesuffix(_of(asked, language))
        body = _asked_again(language).sub("", body)
        end = _of(wanted, language).replace("{period}", period_name(period, language))
        end = end.replace("{explanation}", _quoted(explanation))
        return body.rstrip() + end + tag

    return replace(
        finding,
        severity=Severity.INFO,
        message=Wording(zh=sentence(finding.message.zh, "zh"), en=sentence(finding.message.en, "en")),
        explanation=explanation,
        explanation_origin=origin,
        explained_period=period,
    )


def doubted_finding(finding: Finding, refused_because: str | None) -> Finding:
    """An explained finding as the warning that it is again, since an earlier explanation of it was not taken.

    `refused_because` is what the reviewer said when these very words were refused: they then explain nothing. None for
    other words, which are kept for the reviewer.
    """
    frame = message_frame()
    wanted = frame.explained_in_doubt if refused_because is None else frame.explained_in_vain

    def sentence(text: str, language: Language) -> str:
        tag = _of(frame.rule, language).replace("{id}", finding.rule)
        was = _of(frame.explained, language)
        body = text.removesuffix(tag)
        for quoted in (finding.explanation, _quoted(finding.explanation)):
            body = body.removesuffix(was.replace("{explanation}", quoted))
        end = _of(wanted, language).replace("{explanation}", _quoted(finding.explanation))
        return body.rstrip() + end.replace("{reason}", _quoted(refused_because or "")) + tag

    return replace(
        finding,
        severity=Severity.WARNING,
        message=Wording(zh=sentence(finding.message.zh, "zh"), en=sentence(finding.message.en, "en")),
        explanation="" if refused_because is not None else finding.explanation,
        explanation_origin="" if refused_because is not None else finding.explanation_origin,
    )


def joint_after_closing_finding(january: str, february: str) -> Finding:
    """Says that a January-February return cannot count where January is closed, and how to file instead."""
    wording = message_frame().joint_after_closing
    return Finding(
        rule="M3",
        severity=Severity.CRITICAL,
        message=Wording(
            _months(wording.zh, january, february, "zh"), _months(wording.en, january, february, "en")
        ),
        given=f"{january}, {february}",
    )


def single_beside_waiting_joint_finding(joint: Period, submission: str) -> Finding:
    """Says beside rule H7e that the joint return in the way counts for nothing yet, and who can take it away."""
    wording = message_frame().single_beside_waiting_joint

    def told(text: str, language: Language) -> str:
        text = _months(text, str(joint.first), str(joint.last), language)
        return text.replace("{periods}", period_name(joint, language)).replace("{submission}", submission)

    return Finding(
        rule="M4",
        severity=Severity.INFO,
        message=Wording(told(wording.zh, "zh"), told(wording.en, "en")),
    )


def _months(text: str, january: str, february: str, language: Language) -> str:
    text = text.replace("{january}", period_name(january, language))
    return text.replace("{february}", period_name(february, language))


def late_revision_finding(months: Sequence[str]) -> Finding:
    """Says that a month of the return is closed, so that it changes nothing for now."""
    wording = message_frame().late_revision
    return Finding(
        rule="M1",
        severity=Severity.INFO,
        message=Wording(
            wording.zh.replace("{months}", "、".join(period_name(month, "zh") for month in months)),
            wording.en.replace("{months}", ", ".join(period_name(month, "en") for month in months)),
        ),
        given=", ".join(months),
    )


def later_months_finding(month: Month, later: Sequence[Month]) -> Finding:
    """Says of a correction of a month which later months of the year hold it in their cumulative."""
    wording = message_frame().later_months

    def told(text: str, language: Language) -> str:
        return text.replace("{month}", period_name(month, language)).replace(
            "{months}", listed_months(later, language)
        )

    return Finding(
        rule="M6",
        severity=Severity.INFO,
        message=Wording(told(wording.zh, "zh"), told(wording.en, "en")),
        given=", ".join(str(one) for one in later),
    )


def department_after_closing_finding(months: Sequence[Month], *, is_whole: bool) -> Finding:
    """Says that figures of a departmental table (`is_whole`: all of them) are for months that are closed."""
    frame = message_frame()
    wording = frame.department_after_closing if is_whole else frame.department_partly_after_closing
    return Finding(
        rule="M5",
        severity=Severity.INFO,
        message=Wording(
            wording.zh.replace("{months}", listed_months(months, "zh")),
            wording.en.replace("{months}", listed_months(months, "en")),
        ),
        given=", ".join(str(month) for month in months),
    )


def answers_finding(
    findings: Sequence[Finding], count: int, unused: Sequence[UnusedAnswer], cut: Sequence[Answer]
) -> Finding:
    """Says which of the `count` answers in the sheet 审核意见 are not used and why, and which are not kept whole.

    `findings` are those that the answers were set against.
    """

    def said(language: Language) -> str:
        def words(*path: str) -> str:
            return _of(review_words("unused", *path), language)

        def place_of(answer: Answer) -> str:
            return " ".join(filter(None, (_quoted(answer.sheet), answer.cell[:16]))) or words("whole")

        def listed(parts: list[str]) -> str:
            rest = len(parts) - _MOST_ANSWERS_NAMED
            more = [words("more").format(count=rest)] if rest > 0 else []
            return words("between").join(parts[:_MOST_ANSWERS_NAMED] + more)

        sentences = []
        if unused:
            parts = [
                words("one").format(
                    place=place_of(one.answer),
                    rule=one.answer.rule,
                    text=_quoted(one.answer.text),
                    why=why_unused(findings, one, language),
                )
                for one in unused
            ]
            sentences.append(words("told").format(count=count, unused=len(unused), list=listed(parts)))
        if cut:
            parts = [words("one_cut").format(place=place_of(one), rule=one.rule) for one in cut]
            sentences.append(
                words("told_cut").format(
                    count=len(cut), longest=f"{MOST_ANSWER_LENGTH:,}", list=listed(parts)
                )
            )
        tag = _of(message_frame().rule, language).replace("{id}", "M7")
        return ("" if language == "zh" else " ").join(sentences) + tag

    return Finding(rule="M7", severity=Severity.INFO, message=Wording(said("zh"), said("en")))


def returned_finding(reason: str) -> Finding:
    """Says that a reviewer has sent the return back, and why; it comes before all other findings."""
    wording = message_frame().returned
    return Finding(
        rule="M2",
        severity=Severity.CRITICAL,
        message=Wording(wording.zh.replace("{reason}", reason), wording.en.replace("{reason}", reason)),
    )


def replaced_finding(version: int, newest: int) -> Finding:
    """Says that a file filed once more is a version that another has replaced; it comes before all other findings."""
    wording = _of_versions(message_frame().replaced, version, newest)
    return Finding(rule="M8", severity=Severity.INFO, message=wording)


def goes_back_finding(version: int, newest: int) -> Finding:
    """Asks whether a replaced version, filed once more, is to count again in the place of the newest."""
    wording = _of_versions(message_frame().goes_back, version, newest)
    return Finding(
        rule="M9", severity=Severity.WARNING, message=wording, given=str(version), expected=str(newest)
    )


def _of_versions(wording: Wording, version: int, newest: int) -> Wording:
    def said(text: str) -> str:
        return text.replace("{version}", str(version)).replace("{newest}", str(newest))

    return Wording(said(wording.zh), said(wording.en))


@cache
def _asked_again(language: Language) -> re.Pattern[str]:
    """The end of a message whose remark says nothing new, whatever the remark."""
    before, _, after = _of(message_frame().remark_as_before, language).partition("{explanation}")
    return re.compile(f"{re.escape(before)}.{{0,{_MOST_QUOTED + 1}}}{re.escape(after)}$")


def _quoted(text: str) -> str:
    """An explanation on one line, cut where it is long: the whole of it stands beside the finding."""
    line = " ".join(text.split())
    return line if len(line) <= _MOST_QUOTED else f"{line[:_MOST_QUOTED]}…"


def place(row: Row, language: Language, sheet: str, cell: str) -> str:
    """表“服务进出口”第 18 行 F 列（SJ 其他商业服务 × 美国 × 出口）：, or less where less is known.

    `subject_period`, where the fact table has it, goes before the subject: （2020年3月 × 服务 × 贷方）.
    """
    frame = message_frame()
    period = period_name(row.get("subject_period"), language)
    subject = " × ".join(filter(None, (period, _text(row.get(f"subject_{language}")))))
    bracket = _of(frame.subject, language).replace("{subject}", subject) if subject else ""
    match = _CELL.fullmatch(cell)
    if sheet and match:
        text = _of(frame.place_cell, language)
        text = text.replace("{row}", match[2]).replace("{column}", match[1])
    elif sheet:
        text = _of(frame.place_sheet, language)
    else:
        return ""
    return text.replace("{subject}", bracket).replace("{sheet}", sheet)


def fill(template: str, row: Row, language: Language) -> str:
    """A template with the row's facts in it. Raises KeyError naming a column that the row lacks."""

    def value_of(match: re.Match[str]) -> str:
        name, spec = match[1], match[2] or ""
        column = name if name in row else f"{name}_{language}"
        if column not in row:
            raise KeyError(f"message names {name}, the fact table has neither {name} nor {column}")
        return format_value(row[column], spec, language)

    return PLACEHOLDER.sub(value_of, template)


def format_value(value: Any, spec: str, language: Language) -> str:
    """One fact as a person reads it: 12500000.0 as 12,500,000; nothing as （空）; numbers never in e-notation."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value == "":
        return _of(message_frame().nothing, language)
    if spec == _PERIOD:
        names = [period_name(one, language) for one in str(value).split(", ")]
        return ("、" if language == "zh" else " and ").join(names)
    if isinstance(value, bool | str):
        return str(value)
    if spec and _FORMAT.fullmatch(spec) is None:
        raise InvalidRule(
            f"format {spec!r} is unknown. Write a number of decimals, with + to show the sign, or period."
        )
    sign = "+" if spec.startswith("+") else ""
    if spec:
        decimals = int(spec.lstrip("+"))
        if (
            0.5 * 10**-_MOST_DECIMALS < abs(value) < 0.5 * 10**-decimals
        ):  # 0.0023 times as much is not 0.00 times as much
            decimals = min(1 - math.floor(math.log10(abs(value))), _MOST_DECIMALS)
        return f"{value:{sign},.{decimals}f}"
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:,.{_MOST_DECIMALS}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _of(wording: Wording, language: Language) -> str:
    return wording.zh if language == "zh" else wording.en


def _text(value: Any) -> str:
    return "" if value is None else str(value)
