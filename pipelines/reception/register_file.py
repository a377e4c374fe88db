"""A register file as the bureau keeps it (CSV or .xlsx) read into rows for the ledger, with what is wrong by row and column.

One reading for `servtrade register import` and for the portal's page. Nothing is written here; the ledger decides what
the rows change. Format: one header row; an enterprise may stand in several rows, one a stretch of months.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipelines.findings import Wording
from pipelines.intake import gate
from pipelines.intake.limits import MIB, Limits
from pipelines.intake.workbook import Sheet, Workbook
from pipelines.ledger.register import RowsRefused
from pipelines.ledger.register_codes import credit_code, district_code, industry_code
from pipelines.ledger.shapes import CannotChangeRegister, EnterpriseClass, RegisterRow
from pipelines.periods import InvalidPeriod, Month, parse_period
from pipelines.text_tables import DecodedText, UndecodableText, decoded, delimiter_of

REQUIRED = ("enterprise_code", "enterprise_name", "district_code")
OPTIONAL = ("industry_code", "enterprise_class", "from_month", "to_month", "contact", "phone")
# A city's register has hundreds of rows; more than this is another kind of file.
LIMITS = Limits(file_bytes=5 * MIB, text_bytes=5 * MIB, rows=20_000)
# What the columns are called in the bureau's own lists, without blanks and brackets.
_HEADERS: dict[str, tuple[str, ...]] = {
    "enterprise_code": ("统一社会信用代码", "企业代码", "社会信用代码", "信用代码"),
    "enterprise_name": ("企业名称", "单位详细名称", "单位名称"),
    "district_code": ("区", "所在区", "所在区开发区", "区开发区", "区代码", "所在区代码", "district"),
    "industry_code": ("行业代码", "国民经济行业代码"),
    "enterprise_class": ("企业类别", "类别", "是否重点", "是否重点企业"),
    "from_month": ("起始月份", "起始月", "开始月份"),
    "to_month": ("终止月份", "终止月", "截止月份"),
    "contact": ("联系人",),
    "phone": ("联系电话", "电话"),
}
_COLUMN_OF = {title: column for column, titles in _HEADERS.items() for title in (*titles, column)}
# As long as the ledger's columns are.
_LONGEST = {"enterprise_name": 200, "contact": 60, "phone": 60}
_CLASSES = {
    **dict.fromkeys(("重点", "重点企业", "是", "key"), EnterpriseClass.KEY),
    **dict.fromkeys(("一般", "一般企业", "否", "ordinary"), EnterpriseClass.ORDINARY),
}
_CODES = {"enterprise_code": credit_code, "district_code": district_code, "industry_code": industry_code}


class RegisterFileRefused(ValueError):
    """The file as a whole cannot be used; `wording` says why. `is_unsafe`: it may not even be opened."""

    def __init__(self, wording: Wording, *, is_unsafe: bool = False) -> None:
        super().__init__(f"{wording.zh} / {wording.en}")
        self.wording = wording
        self.is_unsafe = is_unsafe


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in one row: its number as the table program shows it, the column (our name), what stands there."""

    row: int
    column: str
    given: str
    wording: Wording

    @property
    def column_title(self) -> str:
        """The column as the bureau's lists call it."""
        return _HEADERS[self.column][0]


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """The rows that can be used with their numbers, in the file's order, and what is wrong with the others."""

    rows: list[tuple[int, RegisterRow]]
    problems: list[RowProblem]

    @property
    def first_row_of(self) -> Mapping[str, int]:
        """The first row of each enterprise, by its code."""
        first: dict[str, int] = {}
        for number, row in self.rows:
            first.setdefault(row.enterprise_code, number)
        return first


class Wrong(ValueError):
    """A value that cannot be what its column holds; `wording` says what was expected."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.wording = Wording(zh, en)


def read_register_file(file_name: str, content: bytes) -> RegisterFile:
    """Read a register file. Raises RegisterFileRefused for what is no register, or may not be opened."""
    if not content:
        raise RegisterFileRefused(
            Wording(
                f"{file_name}：文件是空的。请重新导出名录。",
                f"{file_name} is empty. Export the register again.",
            )
        )
    rows = _workbook_rows(file_name, content) if content[:2] == b"PK" else _csv_rows(file_name, content)
    header = next((row for row in rows if any(cell.strip() for cell in row[1])), (1, []))
    names = [_column_name(title) for title in header[1]]
    _expect_columns(file_name, names)
    found = RegisterFile([], [])
    for number, cells in rows:
        if number <= header[0] or not any(cell.strip() for cell in cells):
            continue
        values = dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=False))
        problems, row = _row_of(number, values)
        found.problems.extend(problems)
        if row is not None:
            found.rows.append((number, row))
    found.problems.extend(_overlaps(found.rows))
    found.problems.sort(key=lambda problem: problem.row)
    if not found.rows and not found.problems:
        raise RegisterFileRefused(
            Wording(
                f"{file_name}：表头之下没有一行数据。请核对是否选错了文件或工作表（只读第一张工作表）。",
                f"{file_name} has no row under its header. Check the file and the sheet (only the first is read).",
            )
        )
    return found


def _expect_columns(file_name: str, names: list[str]) -> None:
    twice = sorted({name for name in names if name in _HEADERS and names.count(name) > 1})
    if twice:
        raise RegisterFileRefused(
            Wording(
                f"{file_name}：列 {'、'.join(map(_both_names, twice))} 出现不止一次。请只保留一列。",
                f"{file_name}: columns {', '.join(twice)} stand there more than once. Keep one of each.",
            )
        )
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise RegisterFileRefused(
            Wording(
                f"{file_name}：缺少列 {'、'.join(map(_both_names, missing))}。应有 "
                f"{'、'.join(map(_both_names, REQUIRED))}，可有 {'、'.join(map(_both_names, OPTIONAL))}。",
                f"{file_name}: columns {', '.join(missing)} are missing. Needed are {', '.join(REQUIRED)}; "
                f"{', '.join(OPTIONAL)} may stand there too.",
            )
        )


def _row_of(number: int, values: Mapping[str, str]) -> tuple[list[RowProblem], RegisterRow | None]:
    """The row, or everything that is wrong with it."""
    problems: list[RowProblem] = []
    taken: dict[str, Any] = {}
    for column in (*REQUIRED, *OPTIONAL):
        text = values.get(column, "").strip()
        try:
            taken[column] = _value_of(column, text)
        except (Wrong, CannotChangeRegister) as wrong:
            problems.append(RowProblem(number, column, text, wrong.wording))
    first, last = taken.get("from_month"), taken.get("to_month")
    if first and last and last < first:
        wording = Wording(
            f"终止月份 {last} 早于起始月份 {first}。", f"The last month {last} is before the first, {first}."
        )
        problems.append(RowProblem(number, "to_month", str(last), wording))
    return problems, None if problems else RegisterRow(**taken)


def _value_of(column: str, text: str) -> Any:
    if column in REQUIRED and not text:
        raise Wrong("必填，不能为空。", "Needed, but empty.")
    if column in _CODES:
        return _CODES[column](text)
    if column == "enterprise_class":
        return _class_of(text)
    if column in ("from_month", "to_month"):
        return _month(text)
    most = _LONGEST[column]
    if len(text) > most:
        raise Wrong(f"过长：{len(text)} 个字，最多 {most} 个字。", f"{len(text)} characters, at most {most}.")
    return text


def _class_of(text: str) -> EnterpriseClass | None:
    """The class; None for none, which says nothing."""
    if not text:
        return None
    found = _CLASSES.get(text.lower())
    if found is None:
        raise Wrong(
            "不是企业类别。请填“重点”或“一般”，或留空（不变）。",
            "No class. Write key or ordinary, or nothing (it stays).",
        )
    return found


def _month(text: str) -> Month | None:
    """A month in any of the shapes of forms; None for none."""
    if not text:
        return None
    try:
        period = parse_period(text)
    except InvalidPeriod:
        period = None
    if period is None or period.kind != "month":
        raise Wrong("不是月份。请按“2020年3月”或“2020-03”填写。", "No month. Write it as 2020-03.")
    return period.first


def refused_rows(found: RegisterFile, refused: RowsRefused) -> RegisterFile:
    """The file with what the ledger has against it, at the first row of each enterprise."""
    first = found.first_row_of
    problems = [
        RowProblem(first[code], "enterprise_code", code, wording) for code, wording in refused.by_code.items()
    ]
    return RegisterFile(found.rows, sorted(problems, key=lambda problem: problem.row))


def _overlaps(rows: Iterable[tuple[int, RegisterRow]]) -> list[RowProblem]:
    """Rows that speak of months of which an earlier row of the same enterprise speaks."""
    by_code: defaultdict[str, list[tuple[int, RegisterRow]]] = defaultdict(list)
    for number, row in rows:
        by_code[row.enterprise_code].append((number, row))
    problems = []
    for members in by_code.values():
        members.sort(key=lambda one: (one[1].from_month or Month(1900, 1), one[0]))
        for (before_number, before), (number, row) in pairwise(members):
            is_apart = row.from_month is not None and (
                row.from_month > before.to_month
                if before.to_month is not None
                else before.from_month is None or row.from_month > before.from_month
            )
            if not is_apart:
                wording = Wording(
                    f"与第 {before_number} 行说的是同一家企业的同一时段。一个时段只留一行，或填写起止月份分开。",
                    f"Row {before_number} speaks of the same months of this enterprise. Keep one, or tell them apart "
                    "by their months.",
                )
                problems.append(RowProblem(number, "enterprise_code", row.enterprise_code, wording))
    return problems


def _both_names(column: str) -> str:
    return f"{_HEADERS[column][0]}（{column}）"


def _column_name(title: str) -> str:
    """Our name of a column, from ours or a Chinese one; any other title as it stands."""
    plain = re.sub(r"[\s（）()：:*＊]", "", title).lower()
    return _COLUMN_OF.get(plain, plain)


def _csv_rows(file_name: str, content: bytes) -> list[tuple[int, list[str]]]:
    if len(content) > LIMITS.text_bytes:
        size, most = len(content) // 1024, LIMITS.text_bytes // 1024
        raise RegisterFileRefused(
            Wording(
                f"{file_name}：文件 {size} KB，超过 {most} KB。请只保留名录一张表。",
                f"{file_name} has {size} KB, more than {most} KB. Keep the register only.",
            ),
            is_unsafe=True,
        )
    try:
        text = decoded(content).text
    except UndecodableText:
        raise RegisterFileRefused(
            Wording(
                f"{file_name}：不是 .xlsx 工作簿，也不是 UTF-8、GB18030 或带字节顺序标记的 UTF-16 文本。"
                "请另存为 .xlsx 或 CSV UTF-8。",
                f"{file_name} is neither an .xlsx workbook nor text in UTF-8, GB18030 or UTF-16 with a byte order mark. "
                "Save it as .xlsx or CSV UTF-8.",
            ),
            is_unsafe=True,
        ) from None
    try:
        return list(enumerate(csv.reader(io.StringIO(text), delimiter=delimiter_of(text)), start=1))
    except csv.Error as error:
        raise RegisterFileRefused(
            Wording(
                f"{file_name}：CSV 无法读取（{error}）。请另存为 .xlsx 后再导入。",
                f"{file_name} cannot be read as CSV ({error}). Save it as .xlsx.",
            )
        ) from error


def _workbook_rows(file_name: str, content: bytes) -> list[tuple[int, list[str]]]:
    """The first sheet, through the same gate as every other workbook."""
    try:
        sheet = _first_sheet(gate.inspect(file_name, content, LIMITS))
    except gate.Refused as refusal:
        raise RegisterFileRefused(
            Wording(
                f"{file_name}：不是可以安全打开的 .xlsx 工作簿（{refusal.rule}）。请另存为 .xlsx 或 CSV。",
                f"{file_name} is not a workbook that may be opened ({refusal.rule}). Save it as .xlsx or CSV.",
            ),
            is_unsafe=True,
        ) from refusal
    return [(number, [_cell_text(cell) for cell in row]) for number, row in enumerate(sheet.rows, start=1)]


def _first_sheet(package: gate.Package | DecodedText) -> Sheet:
    if not isinstance(package, gate.Package):
        raise gate.Refused("G01", kind="damaged", given="")
    workbook = Workbook(package, LIMITS)
    if not workbook.names:
        raise gate.Refused("G01", kind="damaged", given="")
    return workbook.sheet(workbook.names[0])


def _cell_text(cell: Any) -> str:
    """A cell as text: whole numbers without .0, dates as their month."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if hasattr(cell, "strftime"):
        return f"{cell:%Y-%m}"
    return str(cell)
