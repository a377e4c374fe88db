"""A broken and a clean sample of every rule: small tables in `broken_and_clean/*.yaml`, made into real workbooks.

They go through the reader and the door as any file does, so that what a rule says of its broken sample (sheet,
cell, both languages) is what a clerk would be told. `python -m sample_data.rule_samples` writes what was said to
`expectations/examples.json`, from which the rule catalogue takes its examples.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml
from stdnum.cn import uscc
from xlsxwriter.utility import xl_cell_to_rowcol, xl_col_to_name

from pipelines.findings import Finding
from pipelines.intake import ReaderPool, read_file
from pipelines.intake.layouts import Field, FormLayout, layout_book
from pipelines.intake.limits import DEFAULT_LIMITS
from pipelines.intake.values import label_key
from pipelines.ledger import SHANGHAI, RegisterRow, open_ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.paths import EXPECTATIONS_DIR
from pipelines.periods import Month, parse_period
from pipelines.reception import IncomingFile, Reception
from pipelines.records import FileKind
from pipelines.settings import Settings
from sample_data.hostile import make_hostile

SAMPLES_DIR = Path(__file__).parent / "broken_and_clean"
EXAMPLES_PATH = EXPECTATIONS_DIR / "examples.json"

ENTERPRISE_NAME = "样例企业有限公司"
DEPARTMENT = "样例部门"
MONTH = "2020-03"
_FORM = re.compile(r"([FD]M-\d)(?:#(\d))?")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CREATED = datetime(2020, 1, 1)
_FIRST_TABLE_ROW = 9  # of a return's sheet, from 1
_SAMPLE_KEYS = {"at", "before", "same", "broken", "clean", "industry", "stopped", "register_name", "district"}
_FILE_KEYS = {"month", "received", "revision", "unit", "code", "name", "bytes", "limits", "filer"}
_SHEET_KEYS = {
    "rows", "total", "head", "pairs", "cells", "merge", "heads", "without", "more_columns", "sheet", "hidden", "repeat",
    "title",
}  # fmt: skip


class InvalidSample(ValueError):
    """A sample cannot be built or does not show what it should; the message names the rule and the remedy."""


@dataclass(frozen=True, slots=True)
class RuleSample:
    """What is filed to show a rule.

    `at`      sheet and cell at which the broken sample is asked about (`服务进出口!D11`); empty for the file
    `before`  files of the same enterprise that must be accepted first
    """

    rule: str
    at: str
    before: tuple[Mapping[str, Any], ...]
    broken: Mapping[str, Any]
    clean: Mapping[str, Any]
    industry: str = "6513"
    stopped: str = ""
    register_name: str = ENTERPRISE_NAME
    district: str = "420111"


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of the two samples of a rule."""

    sample: RuleSample
    broken: tuple[Finding, ...]
    clean: tuple[Finding, ...]
    history: tuple[str, ...] = field(default=())  # what kept a file before them from being accepted

    @property
    def example(self) -> Finding | None:
        """The rule's own finding on its broken sample, at the place given; None if it was not made."""
        return next(
            (one for one in self.broken if one.rule == self.sample.rule and _at(one) == self.sample.at), None
        )


def _at(found: Finding) -> str:
    return f"{found.sheet}!{found.cell}" if found.cell else found.sheet


@cache
def samples() -> Mapping[str, RuleSample]:
    """Every sample by its rule. Raises InvalidSample naming the file and the rule."""
    found: dict[str, RuleSample] = {}
    for path in sorted(SAMPLES_DIR.glob("*.yaml")):
        for rule, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            unknown = set(entry) - _SAMPLE_KEYS
            if unknown or not {"at", "broken", "clean"} <= set(entry):
                raise InvalidSample(
                    f"{path.name}: {rule}: needs at, broken and clean; unknown: {sorted(unknown)}"
                )
            if rule in found:
                raise InvalidSample(f"{path.name}: {rule} has two samples. Remove one.")
            same = entry.get("same", {})
            found[rule] = RuleSample(
                rule=rule,
                at=entry["at"],
                before=tuple(_history(entry.get("before", []))),
                broken=_merged(same, entry["broken"]),
                clean=_merged(same, entry["clean"]),
                **{
                    key: str(entry[key])
                    for key in ("industry", "stopped", "register_name", "district")
                    if key in entry
                },
            )
    return found


def _merged(same: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**same, **own}
    for key in set(same) & set(own):
        if isinstance(same[key], dict) and isinstance(own[key], dict):
            merged[key] = {**same[key], **own[key]}
    return merged


def _history(entries: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Files before, `months: 2019-03..2020-02` spelt out: one a month, `{n}` in its rows being 0, 1, 2 ..."""
    for entry in entries:
        if "months" not in entry:
            yield entry
            continue
        first, last = (Month.parse(text) for text in entry["months"].split(".."))
        for number, month in enumerate(Month.span(first, last)):
            text = json.dumps({key: value for key, value in entry.items() if key != "months"})
            yield {**json.loads(text.replace("{n}", f"{number:02d}")), "month": str(month)}


# Enterprises --------------------------------------------------------------------------------------------------


def credit_code(number: int, start: str = "91420100MA4K") -> str:
    """The code of a fictitious enterprise with the right check character."""
    body = f"{start}{number:05d}"
    return str(body + uscc.calc_check_digit(body))


UNREGISTERED = credit_code(99_999)


# Through reader and door --------------------------------------------------------------------------------------


def tell(chosen: Mapping[str, RuleSample] | None = None) -> dict[str, Told]:
    """File every sample and collect what is said, by rule.

    Samples of the reader (G, P) are read; those of rules on returns and departmental tables are filed in one
    bureau, an enterprise or department for each sample, after the files that come before it.
    """
    chosen = samples() if chosen is None else chosen
    read = {rule: one for rule, one in chosen.items() if rule[0] in "GP" and "filer" not in one.broken}
    told = {rule: Told(one, _read(one.broken), _read(one.clean)) for rule, one in read.items()}
    return told | _file({rule: one for rule, one in chosen.items() if rule not in read})


def _read(described: Mapping[str, Any]) -> tuple[Finding, ...]:
    name, content = build(described, credit_code(1), ENTERPRISE_NAME)
    if "limits" in described:
        with ReaderPool(1, replace(DEFAULT_LIMITS, **described["limits"])) as pool:
            [parsed] = pool.read_many([(name, content)])
        return parsed.findings
    return read_file(name, content).findings


def _file(chosen: Mapping[str, RuleSample]) -> dict[str, Told]:
    incoming: list[IncomingFile] = []
    owners: list[tuple[str, str]] = []  # rule and part (before, broken, clean) of each file
    register: list[RegisterRow] = []
    for number, (rule, sample) in enumerate(chosen.items()):
        for offset, part in enumerate(("broken", "clean")):
            code = credit_code(2 * number + offset + 1)
            until = Month.parse(sample.stopped) if sample.stopped else None
            register.append(
                RegisterRow(
                    code, sample.register_name, sample.district, sample.industry, Month(2016, 1), until
                )
            )
            own = sample.broken if part == "broken" else sample.clean
            for described in (*sample.before, own):
                name, content = build(described, code, ENTERPRISE_NAME, f"{DEPARTMENT}{rule}{part}")
                incoming.append(
                    IncomingFile(
                        f"{rule}_{part}_{len(incoming)}_{name}",
                        content,
                        received_at=_received(described),
                        filer=_filer(described, code),
                    )
                )
                owners.append((rule, part if described is own else f"before {part}"))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=1)
        with open_ledger(settings.ledger_url) as ledger:
            ledger.import_register(register)
            with Reception(settings, ledger) as door:
                rates = IncomingFile("rates.csv", _rates(), received_at=datetime(2019, 1, 2, tzinfo=SHANGHAI))
                results = door.submit([rates, *incoming], channel="samples", received_by="samples")[1:]
    findings: dict[tuple[str, str], tuple[Finding, ...]] = {}
    history: dict[str, list[str]] = {rule: [] for rule in chosen}
    for (rule, part), result in zip(owners, results, strict=True):
        if part in ("broken", "clean"):
            findings[rule, part] = tuple(result.findings)
        elif result.verdict.value != "accepted":
            history[rule].append(
                f"{part}, {result.period}: {'; '.join(one.message.en for one in result.findings)}"
            )
    return {
        rule: Told(sample, findings[rule, "broken"], findings[rule, "clean"], tuple(history[rule]))
        for rule, sample in chosen.items()
    }


def _received(described: Mapping[str, Any]) -> datetime:
    text = described.get("received")
    if text is None:
        last = parse_period(described.get("month", MONTH)).last
        text = f"{last.plus(1)}-08"
    return datetime.fromisoformat(f"{text}T09:00").replace(tzinfo=SHANGHAI)


def _filer(described: Mapping[str, Any], code: str) -> Actor | None:
    """Who hands the file in: nobody in particular, or a reporter of its own or of another enterprise."""
    match described.get("filer"):
        case None:
            return None
        case "own":
            return Actor("reporter", frozenset({Role.REPORTER}), frozenset({code}))
        case "another":
            return Actor("reporter", frozenset({Role.REPORTER}), frozenset({UNREGISTERED}))
    raise InvalidSample(f"filer {described['filer']!r}: write own or another")


def _rates() -> bytes:
    """The dollar at 7.00 yuan in every month of the samples."""
    months = Month.span(Month(2018, 1), Month(2021, 12))
    rows = "".join(f"{month},USD,7.00,1\n" for month in months)
    return f"表号：DM-3\n提供部门：国家外汇管理局湖北省分局\n报告期：2020年\n月份,币种,人民币汇率,外币单位数\n{rows}".encode()


# Workbooks ----------------------------------------------------------------------------------------------------


def build(
    described: Mapping[str, Any], code: str, name: str, department: str = DEPARTMENT
) -> tuple[str, bytes]:
    """The file that a description stands for: its name and its bytes, the same every time."""
    unknown = {key for key in described if key not in _FILE_KEYS and not _FORM.fullmatch(key)}
    if unknown:
        raise InvalidSample(f"unknown key {sorted(unknown)}; known: {sorted(_FILE_KEYS)} and form codes")
    sheets = [
        _sheet_of(key, held if isinstance(held, dict) else {"rows": held}, described, code, name, department)
        for key, held in _forms(described).items()
        if held is not None
    ]
    content = _write(sheets) if sheets else b""
    suffix = ".xlsx"
    recipe = described.get("bytes")
    if recipe is not None:
        content, suffix = _bent(recipe, content, sheets)
    return f"file{suffix}", content


def _forms(described: Mapping[str, Any]) -> dict[str, Any]:
    """The forms of a file by name. A month's workbook always has FM-2, ticked 零报 where nothing is said of it;
    `FM-2:` with nothing behind it leaves it out."""
    forms = {key: held for key, held in described.items() if _FORM.fullmatch(key)}
    layouts = [layout_book().versions(key[:4])[0] for key in forms]
    if any(layout.kind is FileKind.RETURN and layout.own_period_kind is None for layout in layouts):
        forms.setdefault("FM-2", {"head": {"is_zero_return": "☑"}})
    return forms


@dataclass(slots=True)
class _Sheet:
    name: str
    cells: dict[tuple[int, int], Any] = field(default_factory=dict)  # row and column from 0
    merges: list[str] = field(default_factory=list)
    is_hidden: bool = False

    def put(self, row: int, column: int, value: Any) -> None:
        """Write at row and column from 1; nothing for None and the empty text."""
        if value is not None and value != "":
            self.cells[row - 1, column - 1] = value


def _sheet_of(
    key: str, held: Mapping[str, Any], file: Mapping[str, Any], code: str, name: str, department: str
) -> _Sheet:
    unknown = set(held) - _SHEET_KEYS
    if unknown:
        raise InvalidSample(f"{key}: unknown key {sorted(unknown)}; known: {sorted(_SHEET_KEYS)}")
    match = _FORM.fullmatch(key)
    if match is None:
        raise InvalidSample(f"{key} is no form")
    layout = layout_book().versions(match[1])[0]
    shortest = min((one for one in layout.names if not one.isascii()), key=len)
    sheet = _Sheet(str(held.get("sheet", shortest + (match[2] or ""))))
    sheet.is_hidden = bool(held.get("hidden", False))
    period = file.get("month", MONTH)
    head = {
        "form_code": match[1],
        "reference_month": _spelt(period),
        "enterprise_code": file.get("code", code) if file.get("code") != "unregistered" else UNREGISTERED,
        "enterprise_name": file.get("name", name),
        "unit": file.get("unit", "万元" if layout.pairs else "万美元") if layout.units else "",
        "is_revision": "更正" if file.get("revision") else "首报",
        "is_zero_return": "",
        "department": department,
        **held.get("head", {}),
    }
    if layout.kind is FileKind.RETURN:
        last_row = _return(sheet, layout, head, held)
    else:
        last_row = _department(sheet, layout, head, held)
    for address, value in held.get("cells", {}).items():
        row, column = xl_cell_to_rowcol(address)
        if value is None:
            sheet.cells.pop((row, column), None)
        else:
            sheet.cells[row, column] = value
    sheet.merges += held.get("merge", [])
    if layout.kind is FileKind.RETURN and not any(row > last_row for row, _ in sheet.cells):
        sheet.put(last_row + 3, 1, "单位负责人：　　统计负责人：　　填表人：　　报出日期：")
    return sheet


def _spelt(period: str) -> str:
    """2020年3月 for 2020-03, 2020年1-2月 for 2020-M01-02; anything else as it stands."""
    match = re.fullmatch(r"(\d{4})-(\d{2})", period)
    if match:
        return f"{match[1]}年{int(match[2])}月"
    return period.replace("-M01-02", "年1-2月")


def _return(sheet: _Sheet, layout: FormLayout, head: Mapping[str, str], held: Mapping[str, Any]) -> int:
    columns = [one for one in layout.columns if one.name not in held.get("without", ())]
    width = max(len(columns), 6)
    sheet.put(1, 1, held.get("title", layout.title.zh))
    sheet.put(2, width - 1, f"表　　号：{head['form_code']}")
    sheet.put(3, width - 1, "制定机关：武汉市商务局")
    for row, (left, right) in enumerate(
        (
            ("enterprise_code", "reference_month"),
            ("enterprise_name", "unit"),
            ("is_revision", "is_zero_return"),
        ),
        6,
    ):
        for column, name in ((1, left), (width - 2, right)):
            label = next(one.label.zh for one in layout.head if one.name == name)
            sheet.put(row, column, f"{label}：")
            sheet.put(row, column + 1, head[name])
    if layout.pairs:
        places = {
            one.name: (9 + position // 2, 1 + 2 * (position % 2)) for position, one in enumerate(layout.pairs)
        }
        for pair in layout.pairs:
            row, column = places[pair.name]
            sheet.put(row, column, _label(pair))
            if pair.name in held.get("pairs", {}):
                value = held["pairs"][pair.name]
                own = head["enterprise_code"][8:16] + "-" + head["enterprise_code"][16:17]
                sheet.put(row, column + 1, own if value == "{organisation}" else value)
        strangers = set(held.get("pairs", {})) - set(places)
        if strangers:
            raise InvalidSample(f"{layout.form_code} has no {sorted(strangers)}")
        return max(row for row, _ in places.values())
    first_row = _heads(sheet, columns, held)
    rows = _rows(held.get("rows") or "", columns) * int(held.get("repeat", 1))
    names = [one.name for one in columns]
    for row, values in enumerate(rows, start=first_row):
        for name, value in values.items():
            sheet.put(row, names.index(name) + 1, value)
    last_row = first_row + len(rows)
    if "total" in held:
        sheet.put(last_row, 1, "合计")
        for name, value in held["total"].items():
            sheet.put(last_row, names.index(name) + 1, value)
    return last_row


def _heads(sheet: _Sheet, columns: Sequence[Field], held: Mapping[str, Any]) -> int:
    """One head row, two where a column has a parent; gives the first row below them."""
    renamed = held.get("heads", {})
    has_parents = any(one.parents for one in columns)
    for column, one in enumerate(columns, start=1):
        if one.name in renamed:
            sheet.put(_FIRST_TABLE_ROW, column, renamed[one.name])
        elif one.parents:
            before = columns[column - 2] if column > 1 else None
            if before is None or before.parents != one.parents or before.name in renamed:
                sheet.put(_FIRST_TABLE_ROW, column, one.parents[0])
                last = column
                while last < len(columns) and columns[last].parents == one.parents:
                    last += 1
                if last > column:
                    first, end = xl_col_to_name(column - 1), xl_col_to_name(last - 1)
                    sheet.merges.append(f"{first}{_FIRST_TABLE_ROW}:{end}{_FIRST_TABLE_ROW}")
            sheet.put(_FIRST_TABLE_ROW + 1, column, one.labels[0][len(one.parents[0]) + 1 :])
        else:
            sheet.put(_FIRST_TABLE_ROW, column, _label(one))
            if has_parents:
                letters = xl_col_to_name(column - 1)
                sheet.merges.append(f"{letters}{_FIRST_TABLE_ROW}:{letters}{_FIRST_TABLE_ROW + 1}")
    for column, text in enumerate(held.get("more_columns", ()), start=len(columns) + 1):
        sheet.put(_FIRST_TABLE_ROW, column, text)
    return _FIRST_TABLE_ROW + (2 if has_parents else 1)


def _department(sheet: _Sheet, layout: FormLayout, head: Mapping[str, str], held: Mapping[str, Any]) -> int:
    """A departmental table: head in rows 1 to 4, heads of the columns that are used in row 5, figures below."""
    sheet.put(1, 1, held.get("title", layout.title.zh))
    sheet.put(2, 1, f"表号：{head['form_code']}")
    sheet.put(3, 1, "提供部门：")
    sheet.put(3, 2, head["department"])
    sheet.put(4, 1, "报告期：")
    sheet.put(4, 2, head["reference_month"])
    sheet.put(4, 3, "计量单位：")
    sheet.put(4, 4, head["unit"])
    by_name = {one.name: one for one in layout.columns}
    lines = (held.get("rows") or "").strip().splitlines()
    used = [name.strip() for name in lines[0].split("|")] if lines else []
    columns = [by_name[name] for name in used]
    for column, one in enumerate(columns, start=1):
        sheet.put(5, column, held.get("heads", {}).get(one.name, _label(one)))
    rows = _rows(held.get("rows") or "", columns)
    for row, values in enumerate(rows, start=6):
        for name, value in values.items():
            sheet.put(row, used.index(name) + 1, value)
    return 6 + len(rows)


def _label(one: Field) -> str:
    return one.label.zh if label_key(one.label.zh) in one.labels else one.labels[0]


def _rows(text: str, columns: Sequence[Field]) -> list[dict[str, Any]]:
    """A small table: head, then rows, columns divided by |; a text in quotation marks stays text."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return []
    by_name = {one.name: one for one in columns}
    names = [name.strip() for name in lines[0].split("|")]
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise InvalidSample(f"no column {unknown}; there are {sorted(by_name)}")
    rows = []
    for line in lines[1:]:
        texts = [one.strip() for one in line.split("|")]
        if len(texts) != len(names):
            raise InvalidSample(f"{line!r} has {len(texts)} columns, the head has {len(names)}")
        rows.append({name: _value(text, by_name[name]) for name, text in zip(names, texts, strict=True)})
    return rows


def _value(text: str, one: Field) -> Any:
    if text.startswith('"') and text.endswith('"') and len(text) >= 2:
        return text[1:-1]
    if one.type in ("number", "percent") and _NUMBER.fullmatch(text):
        return float(text)
    if one.type == "date" and _DAY.fullmatch(text):
        return date.fromisoformat(text)
    return text


def _write(sheets: Sequence[_Sheet]) -> bytes:
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
    workbook.set_properties({"created": _CREATED})
    plain, dated = workbook.add_format({"border": 1}), workbook.add_format({"num_format": "yyyy-mm-dd"})
    for sheet in sheets:
        page = workbook.add_worksheet(sheet.name)
        if sheet.is_hidden:
            page.hide()
        for merge in sheet.merges:
            page.merge_range(merge, "", plain)
        for (row, column), value in sorted(sheet.cells.items()):
            if isinstance(value, dict):
                page.write_formula(row, column, value["formula"], plain, value["shown"])
            elif isinstance(value, date):
                page.write_datetime(row, column, value, dated)
            elif isinstance(value, int | float):
                page.write_number(row, column, value, plain)
            else:
                page.write_string(row, column, str(value), plain)
    workbook.close()
    return buffer.getvalue()


def _bent(recipe: str, content: bytes, sheets: Sequence[_Sheet]) -> tuple[bytes, str]:
    """Bytes that are no plain workbook, by the name of what was done to it."""
    match recipe:
        case "pdf":
            return b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n", ".xlsx"
        case "nothing":
            return b"", ".xlsx"
        case "doctype":
            return _with_doctype(content), ".xlsx"
        case "csv":
            return _as_csv(sheets), ".csv"
    return make_hostile(recipe, content)


def _with_doctype(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.infolist():
            data = source.read(part)
            if part.filename == "xl/workbook.xml":
                data = data.replace(b"<workbook", b'<!DOCTYPE workbook [<!ENTITY a "b">]><workbook', 1)
            entry = zipfile.ZipInfo(part.filename, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, data)
    return buffer.getvalue()


def _as_csv(sheets: Sequence[_Sheet]) -> bytes:
    [sheet] = sheets
    width = 1 + max(column for _, column in sheet.cells)
    height = 1 + max(row for row, _ in sheet.cells)
    rows = [
        ",".join(str(sheet.cells.get((row, column), "")) for column in range(width)) for row in range(height)
    ]
    return ("\n".join(rows) + "\n").encode()


# Examples for the catalogue -----------------------------------------------------------------------------------


def examples(told: Mapping[str, Told]) -> dict[str, Any]:
    """What the rule catalogue shows of each rule: the finding on its broken sample."""
    found = {}
    for rule, one in sorted(told.items()):
        example = one.example
        if example is None:
            raise InvalidSample(
                f"{rule}: its broken sample is not asked about at {one.sample.at}, but: "
                + "; ".join(f"{other.rule} {_at(other)}" for other in one.broken)
            )
        found[rule] = example.as_json()
    return found


def examples_text(told: Mapping[str, Told]) -> str:
    """The content of expectations/examples.json."""
    return json.dumps(examples(told), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    EXAMPLES_PATH.write_text(examples_text(tell()), encoding="utf-8")
