"""The sheet 审核意见 as markup: the verdict, every finding with a link to its cell and a place to answer, the fixes.

Strings stand in the cells themselves, so that the file's own table of strings is not touched. What the next
annotation needs to take this one out again stands in a hidden column.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.findings import Finding, Fix, Severity, Verdict, Wording
from pipelines.periods import period_name
from pipelines.review_sheet import (
    COLUMNS,
    LEAST_ANSWER_LENGTH,
    LONGEST_LISTED,
    MARKER,
    MOST_ANSWER_LENGTH,
    MOST_ANSWERS,
    Answer,
    Language,
    Why,
    cell_text,
    checked_key,
    compared,
    is_set_aside,
    match_answers,
    say,
    set_aside,
    why_unused,
)
from pipelines.validation.annotate.markup import attribute, string
from pipelines.validation.annotate.notes import display_width
from pipelines.validation.annotate.sheets import place_of
from pipelines.validation.annotate.styles import Styles

RECORD_COLUMN = 11  # K
_RECORD_CELL_LENGTH = 30_000
_LETTERS = "ABCDEFGHIJK"
_LAST_SHOWN = "I"
_WIDTHS = (5, 7, 10, 14, 8, 20, 15, 50, 29, 12, 12)  # of A to K, in characters
_LINE_POINTS = 14.5
_MOST_POINTS = 400.0
_LONGEST_MESSAGE = 4_000
MOST_FIXES_LISTED = 1_000
_ORDER = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
_TAB_COLOURS = {
    Verdict.ACCEPTED: b"FF2E7D32",
    Verdict.QUERIES: b"FFA86400",
    Verdict.REJECTED: b"FFC0392B",
    Verdict.UNREADABLE: b"FFC0392B",
}

_BOX = (
    b'<border><left style="thin"><color rgb="FFBFBFBF"/></left><right style="thin"><color rgb="FFBFBFBF"/></right>'
    b'<top style="thin"><color rgb="FFBFBFBF"/></top><bottom style="thin"><color rgb="FFBFBFBF"/></bottom><diagonal/></border>'
)
_NO_BOX = b"<border><left/><right/><top/><bottom/><diagonal/></border>"


@dataclass(frozen=True, slots=True)
class Formats:
    """Numbers of the formats that the sheet uses."""

    title: int
    verdict: int
    line: int
    head: int
    cell: int
    text: int
    centre: int
    link: int
    answer: int
    closed: int
    severity: Mapping[Severity, int]


def add_formats(styles: Styles, language: Language, verdict: Verdict) -> Formats:
    """The sheet's own formats, at the end of the style sheet."""
    name = "宋体" if language == "zh" else "Arial"

    def font(size: str = "10.5", more: bytes = b"", colour: bytes = b"") -> bytes:
        return b'<font>%s<sz val="%s"/>%s<name val="%s"/>%s</font>' % (
            more,
            size.encode(),
            colour,
            string(name),
            b'<charset val="134"/>' if language == "zh" else b"",
        )

    def fill(colour: bytes) -> bytes:
        return (
            b'<fill><patternFill patternType="solid"><fgColor rgb="FF%s"/><bgColor indexed="64"/></patternFill></fill>'
            % colour
        )

    def aligned(horizontal: bytes = b"left", vertical: bytes = b"top") -> bytes:
        return b'<alignment horizontal="%s" vertical="%s" wrapText="1"/>' % (horizontal, vertical)

    top = b'applyBorder="1" applyAlignment="1"|'
    plain = b'applyAlignment="1"|'
    as_text = b'applyNumberFormat="1" ' + top
    severity = {
        Severity.CRITICAL: b"F4C7C3",
        Severity.WARNING: b"FCE8B2",
        Severity.INFO: b"DBE6F7",
    }
    grey = fill(b"E9EDF2")
    return Formats(
        title=styles.format(
            font=font("16", b"<b/>"), border=_NO_BOX, more=plain + aligned(b"left", b"center")
        ),
        verdict=styles.format(
            font=font("12", b"<b/>", b'<color rgb="%s"/>' % _TAB_COLOURS[verdict]),
            border=_NO_BOX,
            more=plain + aligned(b"left", b"center"),
        ),
        line=styles.format(font=font(), border=_NO_BOX, more=plain + aligned(b"left", b"center")),
        head=styles.format(
            font=font(more=b"<b/>"), fill=grey, border=_BOX, more=top + aligned(b"center", b"center")
        ),
        cell=styles.format(font=font(), border=_BOX, more=top + aligned()),
        text=styles.format(font=font(), border=_BOX, more=as_text + aligned(), number_format=49),
        centre=styles.format(font=font(), border=_BOX, more=top + aligned(b"center")),
        link=styles.format(
            font=font(more=b"<u/>", colour=b'<color rgb="FF0B57A4"/>'), border=_BOX, more=top + aligned()
        ),
        answer=styles.format(
            font=font(),
            fill=fill(b"FFFDF0"),
            border=_BOX,
            more=b'applyNumberFormat="1" applyProtection="1" '
            + top
            + aligned()
            + b'<protection locked="0"/>',
            number_format=49,
        ),
        closed=styles.format(font=font(), fill=grey, border=_BOX, more=top + aligned(b"center")),
        severity={
            one: styles.format(font=font(), fill=fill(colour), border=_BOX, more=top + aligned(b"center"))
            for one, colour in severity.items()
        },
    )


@dataclass(slots=True)
class _Sheet:
    """Rows as they are written, and what stands behind the cells."""

    rows: list[bytes] = field(default_factory=list)
    merges: list[str] = field(default_factory=list)
    links: list[bytes] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    pending: dict[int, str] = field(default_factory=dict)  # record by row

    @property
    def next_row(self) -> int:
        return len(self.rows) + 1

    def add(self, cells: Iterable[tuple[int, str, int]], height: float = 0.0) -> int:
        """One row of (column from 1, text, format); an empty text is a cell with a format only."""
        row = self.next_row
        made = [self._cell(row, column, text, format_) for column, text, format_ in cells]
        if row in self.pending:
            made.append(self._cell(row, RECORD_COLUMN, self.pending.pop(row), 0))
        size = b' ht="%.1f" customHeight="1"' % min(height, _MOST_POINTS) if height else b""
        self.rows.append(b'<row r="%d"%s>%s</row>' % (row, size, b"".join(made)))
        return row

    @staticmethod
    def _cell(row: int, column: int, text: str, format_: int) -> bytes:
        address = f"{_LETTERS[column - 1]}{row}".encode()
        shown = b' s="%d"' % format_ if format_ else b""
        if not text:
            return b'<c r="%s"%s/>' % (address, shown)
        return b'<c r="%s"%s t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>' % (
            address,
            shown,
            string(text),
        )

    def add_line(self, text: str, format_: int, points: float = _LINE_POINTS) -> None:
        """A text across the width of the table."""
        lines = sum(
            max(1, math.ceil(display_width(line) / (sum(_WIDTHS[:9]) - 4))) for line in text.split("\n")
        )
        row = self.add(
            [(1, text, format_), *((column, "", format_) for column in range(2, 10))], lines * points + 5
        )
        self.merges.append(f"A{row}:{_LAST_SHOWN}{row}")

    def link(self, row: int, column: int, target: str, shown: str) -> None:
        self.links.append(
            b'<hyperlink ref="%s%d" location="%s" display="%s"/>'
            % (_LETTERS[column - 1].encode(), row, attribute(target), attribute(shown))
        )


@dataclass(frozen=True, slots=True)
class ReviewSheet:
    """The sheet's part, and the rows that are repeated on each printed page."""

    data: bytes
    print_titles: str


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that the sheet says. `explanations` are answers by the position of their finding."""

    verdict: Verdict
    findings: Sequence[Finding]
    fixes: Sequence[Fix]
    explanations: Mapping[int, str]
    about: Sequence[str]
    losses: Sequence[Wording]
    language: Language
    is_list_only: bool = False
    others: Sequence[tuple[Answer, str]] = ()  # answers that belong to no finding any more, and why


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """What an earlier 审核意见 held: texts by the position of their finding, and answers without one, and why."""

    by_position: dict[int, str]
    others: tuple[tuple[Answer, str], ...]


def kept_answers(findings: Sequence[Finding], answers: Iterable[Answer], language: Language) -> KeptAnswers:
    """Where the answers of an earlier 审核意见 stand in the new one, so that no text is lost.

    An answer whose query stands keeps its place. One to a query that is asked of another value now stands there set
    aside: it is none until somebody says so. What was used already, and what was set aside and belongs to nothing, is
    left out.
    """
    matched = match_answers(findings, answers)
    explained = {
        (finding.rule, compared(finding.key), compared(finding.given))
        for finding in findings
        if finding.severity is Severity.INFO and finding.explanation
    }
    by_position = {position: answer.text for position, answer in matched.by_position.items()}
    others: list[tuple[Answer, str]] = []
    for one in matched.unused:
        answer = one.answer
        if one.why is Why.CHANGED and one.position is not None and one.position not in by_position:
            by_position[one.position] = set_aside(language, answer.text)
        elif not (
            is_set_aside(answer.text)
            or (answer.rule, compared(answer.key), compared(answer.given)) in explained
        ):
            others.append((answer, why_unused(findings, one, language)))
    return KeptAnswers(by_position, tuple(others))


def about_file(
    language: Language,
    *,
    file: str = "",
    period: str = "",
    enterprise: str = "",
    department: str = "",
    receipt: str = "",
) -> tuple[str, ...]:
    """Whose file the sheet is about, in one line; what is empty is left out."""
    given = {
        "file": file,
        "period": period_name(period, language),
        "enterprise": enterprise,
        "department": department,
        "receipt": receipt,
    }
    said = [say(language, "about", name, text=text) for name, text in given.items() if text.strip()]
    return ("　".join(said),) if said else ()


def write_review(
    review: Review,
    formats: Formats,
    sheet_names: Collection[str],
    record: Mapping[str, Any],
    namespace: str,
) -> ReviewSheet:
    """The sheet, linked to the sheets of these names."""
    sheet = _Sheet()
    packed = json.dumps(record, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    pieces = [
        packed[start : start + _RECORD_CELL_LENGTH] for start in range(0, len(packed), _RECORD_CELL_LENGTH)
    ]
    sheet.pending = dict(enumerate([MARKER, *pieces], start=1))
    _write_top(sheet, review, formats)
    head_row = 0
    if review.findings:
        head_row = _write_findings(sheet, review, formats, sheet_names)
    if review.others:
        sheet.add([])
        _write_others(sheet, review, formats)
    if review.fixes:
        sheet.add([])
        _write_fixes(sheet, review, formats, sheet_names)
    while sheet.pending:
        sheet.add([])
    return ReviewSheet(_markup(sheet, review, head_row, namespace), f"${head_row or 1}:${head_row or 1}")


def _write_top(sheet: _Sheet, review: Review, formats: Formats) -> None:
    language = review.language
    counts = {
        severity.value: sum(1 for one in review.findings if one.severity is severity) for severity in Severity
    }
    sheet.add_line(say(language, "title"), formats.title, 26)
    sheet.add_line(say(language, "verdict", review.verdict.value), formats.verdict)
    sheet.add_line(say(language, "counts", **counts, fixes=len(review.fixes)), formats.line)
    for line in review.about:
        sheet.add_line(cell_text(line)[:_LONGEST_MESSAGE], formats.line)
    if review.is_list_only:
        sheet.add_line(say(language, "how", "list_only"), formats.line)
    elif review.findings or review.fixes:
        sheet.add_line(say(language, "how", "marked", least=LEAST_ANSWER_LENGTH), formats.line)
    else:
        sheet.add_line(say(language, "how", "nothing"), formats.line)
    if review.losses:
        sheet.add_line(say(language, "losses_title"), formats.line)
        for loss in review.losses:
            sheet.add_line("· " + (loss.zh if language == "zh" else loss.en), formats.line)


def _write_findings(sheet: _Sheet, review: Review, formats: Formats, sheet_names: Collection[str]) -> int:
    language = review.language
    heads = [(number, say(language, "heads", name), formats.head) for number, name in enumerate(COLUMNS, 1)]
    head_row = sheet.add(heads, 24)
    order = sorted(enumerate(review.findings), key=lambda pair: _ORDER[pair[1].severity])
    for number, (position, finding) in enumerate(order, start=1):
        takes_answer = finding.severity is Severity.WARNING
        answer = (
            review.explanations.get(position, "")
            if takes_answer
            else say(language, "no_answer", finding.severity.value)
        )
        message = finding.message.zh if language == "zh" else finding.message.en
        texts = (
            str(number),
            finding.rule,
            say(language, "severity", finding.severity.value),
            _listed(finding.sheet),
            _listed(finding.cell),
            _listed(finding.given),
            _listed(finding.expected),
            cell_text(message)[:_LONGEST_MESSAGE],
            answer,
            checked_key(finding.rule, finding.sheet, finding.cell, finding.given, finding.key),
        )
        link_column = 0
        if finding.sheet in sheet_names:
            link_column = 5 if place_of(finding.cell) is not None else 4
        looks = [
            formats.centre,
            formats.centre,
            formats.severity[finding.severity],
            formats.cell,
            formats.cell,
            formats.text,
            formats.text,
            formats.text,
            formats.answer if takes_answer else formats.closed,
            formats.text,
        ]
        if link_column:
            looks[link_column - 1] = formats.link
        cells = list(zip(range(1, 11), texts, looks, strict=True))
        row = sheet.add(cells, _height(texts[:9]))
        if takes_answer:
            sheet.answers.append(row)
        if link_column:
            _link(sheet, row, link_column, finding.sheet, finding.cell if link_column == 5 else "A1")
    return head_row


def _write_others(sheet: _Sheet, review: Review, formats: Formats) -> None:
    """Answers that belong to no finding, set aside: the reader passes over them."""
    language = review.language
    sheet.add_line(say(language, "unused", "title", count=len(review.others)), formats.line)
    for number, (answer, why) in enumerate(review.others[:MOST_ANSWERS], start=1):
        texts = (
            str(number),
            cell_text(answer.rule)[:64],
            "",
            _listed(answer.sheet),
            _listed(answer.cell),
            _listed(answer.given),
            "",
            cell_text(why)[:_LONGEST_MESSAGE],
            cell_text(set_aside(language, answer.text)),
        )
        looks = (formats.centre, formats.centre, formats.centre, *(formats.text,) * 6)
        sheet.add(list(zip(range(1, 10), texts, looks, strict=True)), _height(texts))


def _write_fixes(sheet: _Sheet, review: Review, formats: Formats, sheet_names: Collection[str]) -> None:
    language = review.language
    sheet.add_line(say(language, "fixes", "title", count=len(review.fixes)), formats.line)
    heads = (
        say(language, "heads", "number"),
        "",
        say(language, "heads", "severity"),
        say(language, "heads", "sheet"),
        say(language, "heads", "cell"),
        say(language, "heads", "given"),
        say(language, "fixes", "read_as"),
        say(language, "fixes", "why"),
    )
    sheet.add([(column, text, formats.head) for column, text in enumerate(heads, start=1)], 20)
    for number, fix in enumerate(review.fixes[:MOST_FIXES_LISTED], start=1):
        why = fix.why.zh if language == "zh" else fix.why.en
        kind = say(language, "fixes", "kind")
        places = (fix.sheet, fix.cell, fix.given, fix.read_as)
        texts = (str(number), "", kind, *map(_listed, places), cell_text(why)[:_LONGEST_MESSAGE])
        is_linked = fix.sheet in sheet_names and place_of(fix.cell) is not None
        looks = (
            formats.centre,
            formats.centre,
            formats.severity[Severity.INFO],
            formats.cell,
            formats.link if is_linked else formats.cell,
            formats.text,
            formats.text,
            formats.text,
        )
        row = sheet.add(list(zip(range(1, 9), texts, looks, strict=True)), _height(texts))
        if is_linked:
            _link(sheet, row, 5, fix.sheet, fix.cell)
    rest = len(review.fixes) - MOST_FIXES_LISTED
    if rest > 0:
        sheet.add_line(say(language, "fixes", "more", count=rest), formats.line)


def _listed(text: str) -> str:
    return cell_text(text)[:LONGEST_LISTED]


def _link(sheet: _Sheet, row: int, column: int, name: str, cell: str) -> None:
    quoted = name.replace("'", "''")
    sheet.link(row, column, f"'{quoted}'!{cell}", cell)


def _height(texts: Sequence[str]) -> float:
    """Points that a row needs so that every text of it is seen, wrapped as it will be."""
    lines = 1
    for text, width in zip(texts, _WIDTHS, strict=False):
        wrapped = sum(
            max(1, math.ceil(display_width(line) / max(width - 1.5, 1))) for line in text[:4000].split("\n")
        )
        lines = max(lines, wrapped)
    return lines * _LINE_POINTS + 4


def _markup(sheet: _Sheet, review: Review, head_row: int, namespace: str) -> bytes:
    columns = b"".join(
        b'<col min="%d" max="%d" width="%d.7" customWidth="1"%s/>'
        % (number, number, width, b' hidden="1"' if number >= 10 else b"")
        for number, width in enumerate(_WIDTHS, start=1)
    )
    pane = (
        b'<pane ySplit="%d" topLeftCell="A%d" activePane="bottomLeft" state="frozen"/>'
        b'<selection pane="bottomLeft" activeCell="A%d" sqref="A%d"/>' % ((head_row,) + (head_row + 1,) * 3)
        if 0 < head_row <= 9
        else b""
    )
    parts = [
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="%s">'
        % namespace.encode(),
        b'<sheetPr><tabColor rgb="%s"/><pageSetUpPr fitToPage="1"/></sheetPr>' % _TAB_COLOURS[review.verdict],
        b'<dimension ref="A1:K%d"/>' % len(sheet.rows),
        b'<sheetViews><sheetView showGridLines="0" tabSelected="1" workbookViewId="0">%s</sheetView></sheetViews>'
        % pane,
        b'<sheetFormatPr defaultRowHeight="15"/><cols>%s</cols>' % columns,
        b"<sheetData>%s</sheetData>" % b"".join(sheet.rows),
        b'<sheetProtection sheet="1" objects="1" scenarios="1" formatColumns="0" formatRows="0"/>',
    ]
    if sheet.merges:
        merged = b"".join(b'<mergeCell ref="%s"/>' % one.encode() for one in sheet.merges)
        parts.append(b'<mergeCells count="%d">%s</mergeCells>' % (len(sheet.merges), merged))
    if sheet.answers:
        prompt = say(review.language, "answer_prompt", "text", least=LEAST_ANSWER_LENGTH)
        parts.append(
            b'<dataValidations count="1"><dataValidation type="textLength" errorStyle="warning" operator="between" '
            b'allowBlank="1" showInputMessage="1" showErrorMessage="1" promptTitle="%s" prompt="%s" error="%s" '
            b'sqref="%s"><formula1>%d</formula1><formula2>%d</formula2></dataValidation></dataValidations>'
            % (
                attribute(say(review.language, "answer_prompt", "title")),
                attribute(prompt),
                attribute(prompt),
                f"I{sheet.answers[0]}:I{sheet.answers[-1]}".encode(),  # warnings stand one below the other
                LEAST_ANSWER_LENGTH,
                MOST_ANSWER_LENGTH,
            )
        )
    if sheet.links:
        parts.append(b"<hyperlinks>%s</hyperlinks>" % b"".join(sheet.links))
    parts.append(
        b'<printOptions horizontalCentered="1"/>'
        b'<pageMargins left="0.4" right="0.4" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>'
        b'<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>'
        b"<headerFooter><oddFooter>&amp;C&amp;P / &amp;N</oddFooter></headerFooter></worksheet>"
    )
    return b"".join(parts)


def record_of(texts: Iterable[str]) -> Mapping[str, Any] | None:
    """What the hidden column says, from its texts from the top; None if the sheet is none of ours."""
    held = [text for text in texts if text]
    if not held or held[0] != MARKER:
        return None
    try:
        loaded = json.loads("".join(held[1:]))
    except ValueError:
        return {}  # somebody wrote into it: what cannot be read is not known
    return loaded if isinstance(loaded, dict) else {}
