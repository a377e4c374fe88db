"""`servtrade register`: the register of enterprises, from a CSV or a workbook into the ledger."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.exits import CommandFailed, Exit
from pipelines.cli.options import MONTH, common, json_ahead, json_option
from pipelines.cli.stores import ledger_of, ledger_to_read, person
from pipelines.cli.terminal import Terminal
from pipelines.periods import Month, parse_period

if TYPE_CHECKING:
    from pipelines.ledger.shapes import RegisterRow

REQUIRED = ("enterprise_code", "enterprise_name", "district_code")
# What the columns are called in the bureau's own lists, without blanks and brackets.
_HEADERS: dict[str, tuple[str, ...]] = {
    "enterprise_code": ("统一社会信用代码", "企业代码", "社会信用代码", "信用代码"),
    "enterprise_name": ("企业名称", "单位详细名称", "单位名称"),
    "district_code": ("区", "所在区", "所在区开发区", "区开发区", "区代码", "所在区代码", "district"),
    "industry_code": ("行业代码", "国民经济行业代码"),
    "from_month": ("起始月份", "起始月", "开始月份"),
    "to_month": ("终止月份", "终止月", "截止月份"),
    "contact": ("联系人",),
    "phone": ("联系电话", "电话"),
}
_COLUMN_OF = {title: column for column, titles in _HEADERS.items() for title in (*titles, column)}
# GB 32100-2015: no I, O, S, V, Z; weights are powers of 3 modulo 31.
_CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE_LENGTH = 18
OPTIONAL = ("industry_code", "from_month", "to_month", "contact", "phone")


@click.group()
@common
@json_ahead
def register() -> None:
    """企业名录。 / The register of enterprises."""


@register.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@common
@json_option
@click.pass_obj
def import_register(terminal: Terminal, file: Path, as_json: bool) -> None:
    """导入名录（CSV 或 .xlsx）。 / Import the register from a CSV (UTF-8, GB18030) or a workbook.

    Columns: enterprise_code, enterprise_name, district_code; optional industry_code, from_month, to_month,
    contact, phone; or in Chinese 统一社会信用代码、企业名称、所在区（代码或名称）；行业代码、起始月份、终止月份、联系人、
    联系电话。 An enterprise may stand in several rows, one a stretch of months. Importing the same file
    twice changes nothing; enterprises that the file does not name stay as they are.
    """
    rows, problems = register_rows(file)
    if problems:
        for problem in problems:
            terminal.warn(problem)
        raise CommandFailed(
            Exit.DATA_ERRORS,
            f"名录有 {len(problems)} 行不合要求，未导入任何一行。",
            f"{len(problems)} rows of the register cannot be used; none was imported.",
        )
    with ledger_of(terminal.settings) as ledger:
        try:
            changed = ledger.import_register(rows, by=person())
        except ValueError as error:
            raise CommandFailed(Exit.DATA_ERRORS, str(error), str(error)) from error
    enterprises = len({row.enterprise_code for row in rows})
    if as_json:
        terminal.json({"rows": len(rows), "enterprises": enterprises, "changed": changed})
    else:
        terminal.note(
            terminal.word("register_imported", rows=len(rows), enterprises=enterprises, changed=changed)
        )


@register.command("list")
@click.option("--month", type=MONTH, help="该月应报的企业 / enterprises expected to file in this month")
@common
@json_option
@click.pass_obj
def list_register(terminal: Terminal, month: Month | None, as_json: bool) -> None:
    """列出名录。 / List the register."""
    with ledger_to_read(terminal.settings) as ledger:
        spells = [
            spell
            for spell in ledger.enterprises()
            if month is None
            or (
                (spell.from_month_start_date is None or spell.from_month_start_date <= month.start_date)
                and (spell.to_month_start_date is None or month.start_date <= spell.to_month_start_date)
            )
        ]
    if as_json:
        terminal.json(
            {
                "month": str(month) if month else None,
                "enterprises": [
                    {
                        "enterprise_code": spell.enterprise_code,
                        "enterprise_name": spell.enterprise_name,
                        "district_code": spell.district_code,
                        "industry_code": spell.industry_code,
                        "from_month": _month_text(spell.from_month_start_date),
                        "to_month": _month_text(spell.to_month_start_date),
                    }
                    for spell in spells
                ],
            }
        )
        return
    terminal.table(
        [
            terminal.pick("统一社会信用代码", "enterprise code"),
            terminal.pick("单位名称", "name"),
            terminal.pick("区", "district"),
            terminal.pick("行业", "industry"),
            terminal.pick("自", "from"),
            terminal.pick("至", "to"),
        ],
        [
            [
                spell.enterprise_code,
                spell.enterprise_name,
                spell.district_code,
                spell.industry_code,
                _month_text(spell.from_month_start_date),
                _month_text(spell.to_month_start_date),
            ]
            for spell in spells
        ],
    )


def register_rows(file: Path) -> tuple[list[RegisterRow], list[str]]:
    """The rows of a register file as the ledger takes them, and what is wrong with those that cannot be taken."""
    from pipelines.ledger.shapes import RegisterRow

    rows: list[RegisterRow] = []
    problems: list[str] = []
    for number, row in read_register(file):
        try:
            rows.append(
                RegisterRow(
                    enterprise_code=_credit_code(_filled(row, "enterprise_code")),
                    enterprise_name=_filled(row, "enterprise_name"),
                    district_code=_district(_filled(row, "district_code")),
                    industry_code=row.get("industry_code", "").strip(),
                    from_month=_month(row.get("from_month", "")),
                    to_month=_month(row.get("to_month", "")),
                    contact=row.get("contact", "").strip(),
                    phone=row.get("phone", "").strip(),
                )
            )
        except ValueError as error:
            problems.append(f"{file.name}:{number}: {error}")
    return rows, problems


def _filled(row: dict[str, str], name: str) -> str:
    value = row[name].strip()
    if not value:
        raise ValueError(f"{name} 为空 / is empty")
    return value


def _credit_code(text: str) -> str:
    """The code in capitals. Raises ValueError saying what was expected where its length or last character is wrong."""
    code = text.upper()
    if len(code) != _CODE_LENGTH or any(char not in _CODE_CHARACTERS for char in code):
        raise ValueError(
            f"{text!r} 不是统一社会信用代码（应为 18 位数字和大写字母，不用 I、O、S、V、Z） / is no unified social credit "
            "code (18 digits and capital letters, never I, O, S, V or Z)"
        )
    total = sum(
        _CODE_CHARACTERS.index(char) * pow(3, place, 31)
        for place, char in enumerate(code[: _CODE_LENGTH - 1])
    )
    expected = _CODE_CHARACTERS[-total % 31]
    if code[-1] != expected:
        raise ValueError(
            f"{text!r} 的校验码不对：按前 17 位末位应为 {expected} / fails its check: by the first 17 characters the "
            f"last should be {expected}"
        )
    return code


def _column_name(title: str) -> str:
    """Our name of a column, from ours or a Chinese one; any other title as it stands."""
    plain = re.sub(r"[\s（）()：:*＊]", "", title).lower()
    return _COLUMN_OF.get(plain, plain)


def _month(text: str) -> Month | None:
    """A month in any of the shapes of forms. Raises InvalidPeriod, a ValueError."""
    if not text.strip():
        return None
    period = parse_period(text.strip())
    if period.kind != "month":
        raise ValueError(f"{text!r} 不是月份 / is not a month")
    return period.first


def read_register(file: Path) -> list[tuple[int, dict[str, str]]]:
    """Rows of a register file with their line numbers, as texts, by column name.

    Raises CommandFailed naming the columns that are missing, or what the file is not.
    """
    header, *rows = _workbook_rows(file) if file.suffix.lower() == ".xlsx" else _csv_rows(file)
    names = [_column_name(title) for title in header[1]]
    twice = sorted({name for name in names if name in _HEADERS and names.count(name) > 1})
    if twice:
        raise CommandFailed(
            Exit.DATA_ERRORS,
            f"{file.name}：列 {'、'.join(twice)} 出现不止一次。请只保留一列。",
            f"{file.name}: columns {', '.join(twice)} stand there more than once. Keep one of each.",
        )
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise CommandFailed(
            Exit.DATA_ERRORS,
            f"{file.name}：缺少列 {'、'.join(map(_both_names, missing))}。应有 "
            f"{'、'.join(map(_both_names, REQUIRED))}，可有 {'、'.join(map(_both_names, OPTIONAL))}。",
            f"{file.name}: columns {', '.join(missing)} are missing. Needed are {', '.join(REQUIRED)}; "
            f"{', '.join(OPTIONAL)} may stand there too.",
        )
    return [
        (number, dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=False)))
        for number, cells in rows
        if any(cell.strip() for cell in cells)
    ]


def _both_names(column: str) -> str:
    return f"{_HEADERS[column][0]}（{column}）"


def _csv_rows(file: Path) -> list[tuple[int, list[str]]]:
    import csv
    import io

    content = file.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        rows = [(number, row) for number, row in enumerate(csv.reader(io.StringIO(text)), start=1)]
        return rows or [(1, [])]
    raise CommandFailed(
        Exit.REFUSED,
        f"{file.name}：既不是 UTF-8 也不是 GB18030 文本。请另存为 CSV UTF-8。",
        f"{file.name} is neither UTF-8 nor GB18030 text. Save it as CSV UTF-8.",
    )


def _workbook_rows(file: Path) -> list[tuple[int, list[str]]]:
    """The first sheet, through the same gate as every other workbook."""
    from python_calamine import CalamineWorkbook

    from pipelines.intake import gate

    content = file.read_bytes()
    try:
        package = gate.inspect(file.name, content)
        parts = package.parts if isinstance(package, gate.Package) else {}
        for name, part in parts.items():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                gate.inspect_sheet(part, name)
    except gate.Refused as refusal:
        raise CommandFailed(
            Exit.REFUSED,
            f"{file.name}：不是可以安全打开的 .xlsx 工作簿（{refusal.rule}）。请另存为 .xlsx 或 CSV。",
            f"{file.name} is not a workbook that may be opened ({refusal.rule}). Save it as .xlsx or CSV.",
        ) from refusal
    import io

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    rows = [
        (number, [_cell_text(cell) for cell in row])
        for number, row in enumerate(sheet.to_python(skip_empty_area=False), start=1)
    ]
    return rows or [(1, [])]


def _cell_text(cell: Any) -> str:
    """A cell as text: whole numbers without .0, dates as their month."""
    if isinstance(cell, float) and cell == int(cell):
        return str(int(cell))
    if hasattr(cell, "strftime"):
        return f"{cell:%Y-%m}"
    return str(cell)


def _district(text: str) -> str:
    """A district's code, also from its name. Raises ValueError for one that is not in the list."""
    from pipelines.codes import district_code_of

    code = district_code_of(text)
    if code is None:
        raise ValueError(
            f"district_code {text!r} 不在 sql/reference/districts.csv 中 / is not in sql/reference/districts.csv"
        )
    return code


def _month_text(day: Any) -> str | None:
    return None if day is None else f"{day:%Y-%m}"
