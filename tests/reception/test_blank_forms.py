"""Blank forms of the register: whose, which forms, what is carried over; and that what is filled in passes the door."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from filed_by_hand import Line, a_workbook, credit_code

from pipelines import codes
from pipelines.findings import Severity, Verdict
from pipelines.intake import read_file
from pipelines.intake.layouts import layout_book
from pipelines.intake.template import Carried, Order, Stationery
from pipelines.intake.template.forms import FormDrawer, sheet_name_of
from pipelines.intake.template.lists import CodeSheet, word_of
from pipelines.ledger import Ledger, open_ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.periods import Month
from pipelines.reception import FileResult, IncomingFile, Reception
from pipelines.reception.blank_forms import BlankForm, BlankForms, NoBlankForm
from pipelines.records import CellRecord, ParsedFile
from pipelines.settings import Settings
from pipelines.validation.form_limits import form_limits
from tests.intake.rewritten import parts_of, set_cells, set_results, without_cached_results, zipped

OPERATOR = Actor.operator("tester")
FEBRUARY, MARCH = Month(2020, 2), Month(2020, 3)


@pytest.fixture
def blank_forms(settings: Settings, ledger: Ledger) -> BlankForms:
    return BlankForms(settings, ledger)


def file(reception: Reception, content: bytes, name: str = "a.xlsx") -> Verdict:
    [result] = reception.submit([IncomingFile(name, content)], channel="cli", received_by="tester")
    return result.verdict


def rows_of(form: BlankForm, sheet: str = "服务进出口") -> list[tuple[Any, ...]]:
    page = openpyxl.load_workbook(io.BytesIO(form.content))[sheet]
    found = []
    for row in page.iter_rows(min_row=12, max_col=11, values_only=True):
        if row[0] == "合　　计":
            break
        if row[0]:
            found.append(row)
    return found


# What is carried over -----------------------------------------------------------------------------------------


def test_items_partners_and_unit_of_last_month_come_without_amounts(
    reception: Reception, blank_forms: BlankForms
) -> None:
    lines = [Line("SI2", "USA", 10, 20), Line("SC1", "SGP", None, None, 5, 9)]
    assert file(reception, a_workbook(credit_code(1), "2020-02", lines, unit="千美元")) is Verdict.ACCEPTED
    form = blank_forms.one(credit_code(1), MARCH, OPERATOR)
    assert (form.carried_from, form.carried_row_count, form.is_revision) == (FEBRUARY, 2, False)
    rows = rows_of(form)
    assert [(row[0], row[2]) for row in rows] == [("SI2 计算机服务", "美国"), ("SC1 海运", "新加坡")]
    assert all(value is None for row in rows for value in row[3:])
    assert openpyxl.load_workbook(io.BytesIO(form.content))["服务进出口"]["J7"].value == "千美元"


def test_last_years_month_stands_in_where_last_month_is_missing(
    reception: Reception, blank_forms: BlankForms
) -> None:
    for month, item in (("2019-03", "SI2"), ("2019-08", "SJ2")):
        assert (
            file(reception, a_workbook(credit_code(2), month, [Line(item, "USA", 10, 20)]))
            is Verdict.ACCEPTED
        )
    form = blank_forms.one(credit_code(2), MARCH, OPERATOR)
    assert form.carried_from == Month(2019, 3)
    assert [row[0] for row in rows_of(form)] == ["SI2 计算机服务"]


def test_a_zero_return_has_nothing_to_carry_and_the_one_before_is_taken(
    reception: Reception, blank_forms: BlankForms
) -> None:
    assert (
        file(reception, a_workbook(credit_code(3), "2020-01", [Line("SI2", "USA", 10, 10)]))
        is Verdict.ACCEPTED
    )
    assert file(reception, a_workbook(credit_code(3), "2020-02", [], is_zero_return=True)) is Verdict.ACCEPTED
    assert blank_forms.one(credit_code(3), MARCH, OPERATOR).carried_from == Month(2020, 1)


def test_an_item_that_adds_up_others_is_not_carried(reception: Reception, blank_forms: BlankForms) -> None:
    lines = [
        Line("SI", "USA", 30, 30),
        Line("SI1", "USA", 10, 10),
        Line("SI2", "USA", 20, 20),
        Line("SI", "JPN", 5, 5),
    ]
    assert file(reception, a_workbook(credit_code(4), "2020-01", lines, total=(35, 35))) is Verdict.ACCEPTED
    rows = rows_of(blank_forms.one(credit_code(4), FEBRUARY, OPERATOR))
    assert [(row[0].split(" ")[0], row[2]) for row in rows] == [
        ("SI1", "美国"),
        ("SI2", "美国"),
        ("SI", "日本"),
    ]


def test_a_month_in_force_gives_a_correction_of_itself(reception: Reception, blank_forms: BlankForms) -> None:
    assert (
        file(reception, a_workbook(credit_code(5), "2020-03", [Line("SI2", "USA", 10, 20)]))
        is Verdict.ACCEPTED
    )
    form = blank_forms.one(credit_code(5), MARCH, OPERATOR)
    assert (form.is_revision, form.carried_from) == (True, MARCH)
    content = set_cells(form.content, "服务进出口", {"D12": 11, "E12": 21})
    content = set_results(content, "服务进出口", {"D52": 11, "E52": 21})
    assert file(reception, content) is Verdict.ACCEPTED


def test_a_return_that_was_not_accepted_is_not_carried(reception: Reception, blank_forms: BlankForms) -> None:
    assert (
        file(reception, a_workbook(credit_code(6), "2020-02", [Line("SI2", "USA", -10, 20)]))
        is Verdict.REJECTED
    )
    form = blank_forms.one(credit_code(6), MARCH, OPERATOR)
    assert (form.carried_from, form.carried_row_count) == (None, 0)


# Which forms, and whose ---------------------------------------------------------------------------------------


def test_of_an_enterprise_of_which_nothing_is_known_every_form_that_is_due_is_asked(
    blank_forms: BlankForms,
) -> None:
    april = blank_forms.one(credit_code(1), Month(2020, 4), OPERATOR).form_codes
    assert set(april) == {"FM-1", "FM-2", "FM-3", "FM-6"}
    assert "FM-4" in blank_forms.one(credit_code(1), MARCH, OPERATOR).form_codes


def test_a_monthly_form_asked_for_alone_comes_with_the_one_that_every_month_has(
    blank_forms: BlankForms,
) -> None:
    assert blank_forms.one(credit_code(1), MARCH, OPERATOR, form_codes=["FM-3"]).form_codes == (
        "FM-2",
        "FM-3",
    )
    assert blank_forms.one(credit_code(1), MARCH, OPERATOR, form_codes=["FM-4"]).form_codes == ("FM-4",)


def test_forms_may_be_asked_for_by_number(blank_forms: BlankForms) -> None:
    assert blank_forms.one(credit_code(1), MARCH, OPERATOR, form_codes=["fm-5", "FM-2"]).form_codes == (
        "FM-2",
        "FM-5",
    )
    with pytest.raises(NoBlankForm) as refused:
        blank_forms.one(credit_code(1), MARCH, OPERATOR, form_codes=["FM-99"])
    assert "FM-99" in refused.value.wording.zh
    assert "FM-2" in refused.value.wording.en


def test_a_reporter_gets_forms_of_the_own_enterprise_only(blank_forms: BlankForms) -> None:
    reporter = Actor("r", frozenset({Role.REPORTER}), enterprise_codes=frozenset({credit_code(7)}))
    assert [form.enterprise_code for form in blank_forms.many(MARCH, reporter)] == [credit_code(7)]
    with pytest.raises(NoBlankForm) as foreign:
        blank_forms.one(credit_code(8), MARCH, reporter)
    with pytest.raises(NoBlankForm) as unknown:
        blank_forms.one("no such", MARCH, reporter)
    assert foreign.value.wording.zh.replace(credit_code(8), "X") == unknown.value.wording.zh.replace(
        "no such", "X"
    )
    reviewer = Actor("d", frozenset({Role.DISTRICT_REVIEWER}), district_codes=frozenset({"420106"}))
    with pytest.raises(NoBlankForm):
        blank_forms.many(MARCH, reviewer)


def test_a_month_before_the_register_begins_has_no_blank_forms(blank_forms: BlankForms) -> None:
    with pytest.raises(NoBlankForm, match="2018年12月"):
        blank_forms.many(Month(2018, 12), OPERATOR)


def test_all_of_the_register_come_in_one_zip_with_the_same_bytes_each_time(
    settings: Settings, ledger: Ledger, blank_forms: BlankForms
) -> None:
    told: list[tuple[int, int]] = []
    content = blank_forms.archive(MARCH, OPERATOR, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 30) for number in range(1, 31)]
    assert content == BlankForms(settings, ledger).archive(MARCH, OPERATOR)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert names[0] == f"{credit_code(1)}_示例一号服务有限公司_2020-03.xlsx"
        codes_inside = {read_file("a.xlsx", archive.read(name)).enterprise_code for name in names}
    assert codes_inside == {credit_code(number) for number in range(1, 31)}


def test_many_may_ask_at_once(settings: Settings, ledger: Ledger, blank_forms: BlankForms) -> None:
    months = [Month(2020, number) for number in range(1, 13)] * 2

    def ask(month: Month) -> bytes:
        return blank_forms.one(credit_code(1), month, OPERATOR).content

    with ThreadPoolExecutor(8) as threads:
        asked = list(threads.map(ask, months))
    assert asked == [ask(month) for month in months]


# The door -----------------------------------------------------------------------------------------------------


def test_a_zero_return_by_one_click_passes_the_door(reception: Reception, blank_forms: BlankForms) -> None:
    form = blank_forms.one(credit_code(9), MARCH, OPERATOR, is_zero_return=True)
    [result] = reception.submit(
        [IncomingFile(form.file_name, form.content)], channel="portal", received_by="r"
    )
    assert result.verdict is Verdict.ACCEPTED
    assert result.is_zero_return


def test_an_untouched_form_is_sent_back_with_one_friendly_finding(
    reception: Reception, blank_forms: BlankForms
) -> None:
    assert (
        file(reception, a_workbook(credit_code(1), "2020-02", [Line("SI2", "USA", 10, 20)]))
        is Verdict.ACCEPTED
    )
    form = blank_forms.one(credit_code(1), MARCH, OPERATOR)
    [result] = reception.check([IncomingFile(form.file_name, form.content)])
    assert result.verdict is Verdict.REJECTED
    assert [finding.rule for finding in result.findings] == ["P23"]


@pytest.fixture(scope="module")
def city(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Settings, Ledger, Reception, dict[str, Path]]]:
    """A bureau that took in two months of a small city without mistakes; files of the third by enterprise."""
    from pipelines.cli.commands.register import register_rows
    from sample_data.city import generate

    folder = tmp_path_factory.mktemp("city")
    generate(folder, enterprises=14, first="2020-01", months=3, seed=11, processes=1, error_share=0)
    rows, problems = register_rows(folder / "register.csv")
    assert not problems
    settings = Settings(folder / "data", f"sqlite:///{folder / 'data' / 'ledger.sqlite'}", reader_count=1)
    with (folder / "filings.csv").open(encoding="utf-8", newline="") as listing:
        paths = [row["path"] for row in csv.DictReader(listing)]
    early = [path for path in paths if not path.startswith("returns/2020-03")]
    late = {}
    for path in paths:
        if path.startswith("returns/2020-03"):
            late[read_file(path, (folder / path).read_bytes()).enterprise_code] = folder / path
    with open_ledger(settings.ledger_url) as ledger:
        ledger.import_register(rows, by="tester")
        with Reception(settings, ledger) as door:
            door.submit(
                [IncomingFile(Path(path).name, path=folder / path) for path in early],
                channel="cli",
                received_by="t",
            )
            yield settings, ledger, door, late


def test_what_the_city_files_passes_the_door_on_the_blank_form_as_well(
    city: tuple[Settings, Ledger, Reception, dict[str, Path]],
) -> None:
    """Every return of March, typed into the blank form of March: the verdict and the findings are those of the
    enterprise's own workbook, and no row that was carried over is missing."""
    settings, ledger, door, late = city
    forms = {form.enterprise_code: form for form in BlankForms(settings, ledger).many(MARCH, OPERATOR)}
    assert len(late) >= 12
    assert sum(form.carried_row_count for form in forms.values()) > 100
    typed, own_files = [], []
    for code, path in late.items():
        own = read_file(path.name, path.read_bytes())
        assert set(own.form_codes) <= set(forms[code].form_codes)
        content = fill_from(forms[code], own) if not own.is_zero_return else zero_form(settings, ledger, code)
        typed.append(IncomingFile(f"{code}.xlsx", content))
        own_files.append(IncomingFile(path.name, path=path))
    ours, theirs = door.check(typed), door.check(own_files)
    for one, other in zip(ours, theirs, strict=True):
        assert _queries(one) == _queries(other), [finding.message.zh for finding in one.findings]
        assert one.verdict is other.verdict
        assert one.line_count == other.line_count
    assert sum(one.verdict is Verdict.ACCEPTED for one in ours) > len(ours) / 2


def _queries(result: FileResult) -> list[tuple[str, Severity]]:
    return sorted((one.rule, one.severity) for one in result.findings if one.severity is not Severity.INFO)


def zero_form(settings: Settings, ledger: Ledger, code: str) -> bytes:
    return BlankForms(settings, ledger).one(code, MARCH, OPERATOR, is_zero_return=True).content


def fill_from(form: BlankForm, own: ParsedFile) -> bytes:
    """The blank form with the figures of a return typed in: into the row carried over where there is one."""
    content = form.content
    book = openpyxl.load_workbook(io.BytesIO(content))
    for form_code in form.form_codes:
        layout = layout_book().by_form[form_code][-1]
        lines: dict[int, dict[str, CellRecord]] = defaultdict(dict)
        totals: dict[str, float] = {}
        for cell in own.cells:
            if cell.form_code == form_code and cell.section == "row":
                lines[cell.row_number][cell.field] = cell
            elif cell.form_code == form_code and cell.section == "total" and cell.number is not None:
                totals[cell.field] = float(cell.number)
        if not lines or layout.pairs:
            continue
        sheet = book[sheet_name_of(layout)]
        letters = {one.name: chr(65 + column) for column, one in enumerate(layout.columns)}
        first = next(row for row in range(1, 20) if sheet.cell(row, 1).value == "甲") + 1
        last = next(row for row in range(first, 999) if sheet.cell(row, 1).value == "合　　计")
        key = layout.key_fields
        standing = {
            tuple(_code(name, sheet[f"{letters[name]}{row}"].value) for name in key): row
            for row in range(first, last)
            if sheet.cell(row, 1).value
        }
        free = iter([row for row in range(first, last) if not sheet.cell(row, 1).value])
        values: dict[str, object] = {}
        for line in lines.values():
            own_key = tuple(line[name].code for name in key)
            row = standing.get(own_key) or next(free)
            for one in layout.columns:
                held = line.get(one.name)
                if held is None or any(other.name_field == one.name for other in layout.columns):
                    continue
                if held.number is not None:
                    values[f"{letters[one.name]}{row}"] = float(held.number)
                elif held.day is not None:
                    values[f"{letters[one.name]}{row}"] = held.day
                else:
                    shown = word_of(one, held.code) if held.code else held.text
                    values[f"{letters[one.name]}{row}"] = shown
        unit = next(cell.code for cell in own.cells if cell.form_code == form_code and cell.field == "unit")
        place = next(
            cell.coordinate
            for row in sheet.iter_rows(max_row=9)
            for cell in row
            if cell.value == "计量单位："
        )
        beside = sheet[place].offset(0, 1).coordinate
        values[beside] = word_of(layout.head_field("unit"), str(unit))  # type: ignore[arg-type]
        content = set_cells(content, sheet.title, values)
        content = set_results(
            content, sheet.title, {f"{letters[name]}{last}": total for name, total in totals.items()}
        )
    return content


def _code(name: str, text: str) -> str | None:
    return {"item_code": codes.item_code_of, "partner_code": codes.partner_code_of}.get(name, str)(text)


# What is painted is what is found -----------------------------------------------------------------------------


# Rows of one return that break limits, and some that only come close; Q9 counts the third and the fourth.
BROKEN_FM2 = (
    ("SI2", "USA", -5, 40, None, None, 101, None, None, None),  # H5, H6
    ("SF1", "USA", None, None, -5, 3, None, None, None, None),  # insurance: H5b only
    ("SC1", "JPN", 10, 20, None, None, None, None, None, None),
    ("SC1", "JPN", 12, 22, None, None, None, None, -1, None),  # Q9, H6
    ("SJ3", "CHN", 3, 9, None, None, 100, None, None, None),  # Q7a
    ("SJ2", "DEU", -3, 9, None, None, None, None, None, "退款"),  # explained: H5b only
    ("SH", "KOR", 2_000_000_000_000, 2_000_000_000_001, None, None, None, None, None, None),  # H9a, H9b
    ("SE1", "SGP", 9, 4, None, None, None, None, None, None),  # H2
    ("SK1", "FRA", "—", "…", 0, 0, 0, None, 100, None),  # nothing wrong
)
BROKEN_FM3 = (
    ("WB-1", "ITO", "离岸", "JPN", 100, 10, 100.5, date(2020, 1, 5)),  # H8a
    ("WB-2", "ITO", "离岸", "JPN", 100, 30, 20, date(2020, 1, 5)),  # H8b
    ("WB-3", "BPO", "在岸", None, 100, 20, 20, date(2020, 1, 5)),
)
# Parents beside their parts: the total counts the parts, and a parent without parts.
SUMMED = (
    ("SI", "USA", 30, 30), ("SI1", "USA", 10, 10), ("SI2", "USA", 20, 20), ("SI", "JPN", 5, 5), ("SJ", "USA", 7, 7),
    ("SJ2", "JPN", 8, 8),
)  # fmt: skip


@pytest.fixture(scope="module")
def soffice() -> str:
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice (soffice) is not installed: what the form paints was not computed")
    return program


def test_the_form_paints_what_the_verdict_finds_and_adds_up_as_the_verdict_does(
    tmp_path: Path, soffice: str, settings: Settings, ledger: Ledger
) -> None:
    stationery = Stationery(layout_book(), MARCH, form_limits(), 10)
    code = credit_code(1)
    carried = {"FM-2": Carried("USD_10K"), "FM-3": Carried("USD_10K")}
    broken = stationery.workbook(Order(code, "示例一号服务有限公司", ("FM-2", "FM-3"), carried))
    broken = set_cells(broken, "服务进出口", _typed(BROKEN_FM2, "ACDEFGHIJK", 12))
    broken = set_cells(broken, "服务外包", _typed(BROKEN_FM3, "ABCDEFGH", 12))
    summed = stationery.workbook(Order(code, "示例一号服务有限公司", ("FM-2",), carried))
    summed = set_cells(summed, "服务进出口", _typed(SUMMED, "ACDE", 12))
    painted_by, content = _with_conditions(stationery, broken)
    computed, totals = _computed(
        tmp_path, soffice, without_cached_results(content), without_cached_results(summed)
    )

    with Reception(settings, ledger) as door:
        [result] = door.check([IncomingFile("a.xlsx", broken)])
        [adding] = door.check([IncomingFile("b.xlsx", totals)])
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for finding in result.findings:
        found[finding.rule].add((finding.form_code, finding.cell))
    painted: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for (form_code, place), (rule, cell) in painted_by.items():
        if computed[form_code][place].value is True:
            painted[rule].add((form_code, cell))
    for rule in ("H5", "H5b", "H6", "H9a", "H9b", "Q7a", "H8a", "H8b"):
        assert found[rule], f"{rule} does not fire, so nothing is compared"
        if rule in ("H8a",):  # the verdict may point at either of the two cells that disagree
            assert {(form, _row(cell)) for form, cell in painted[rule]} == {
                (form, _row(cell)) for form, cell in found[rule]
            }
        else:
            assert painted[rule] == found[rule], rule
    assert found["Q9"] == {("FM-2", "A15")}  # the verdict asks about the second, the form shows both
    assert painted["Q9"] == {("FM-2", cell) for cell in ("A14", "C14", "A15", "C15")}
    assert painted["H2"] == {
        ("FM-2", "E19")
    }  # earlier months are not known here, but less than the month is wrong

    assert adding.verdict is Verdict.ACCEPTED, [finding.message.zh for finding in adding.findings]
    amounts = {cell.cell: cell.text for cell in read_file("b.xlsx", totals).cells if cell.section == "total"}
    assert amounts == {"D52": "50", "E52": "50"}


def _typed(rows: tuple[tuple[Any, ...], ...], letters: str, first: int) -> dict[str, object]:
    return {
        f"{letter}{first + offset}": value
        for offset, row in enumerate(rows)
        for letter, value in zip(letters, row, strict=False)
        if value is not None
    }


def _row(cell: str) -> str:
    return cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _with_conditions(
    stationery: Stationery, content: bytes
) -> tuple[dict[tuple[str, str], tuple[str, str]], bytes]:
    """The workbook with every condition of every limit as a formula far to the right, row by row; which is which."""
    parts = parts_of(content)
    names: dict[tuple[str, str], tuple[str, str]] = {}
    drawing = stationery._draw((("FM-2", 40), ("FM-3", 40)))
    for member, drawn in drawing.forms:
        drawer = FormDrawer(None, drawn, None, CodeSheet(), form_limits(), MARCH, "")  # type: ignore[arg-type]
        text = parts[member].decode("utf-8")
        asked = [(limit, name) for limit in drawer.limits for name in limit.fields]
        for row in range(12, 22):
            added = ""
            for column, (limit, name) in enumerate(asked):
                formula = re.sub(r"(\$[A-Z]+)12(?!\d)", rf"\g<1>{row}", drawer.condition(limit, name))
                place = f"A{chr(65 + column)}{row}"
                names[drawn.layout.form_code, place] = (limit.rule, f"{chr(65 + drawn.columns[name])}{row}")
                escaped = formula.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                added += f'<c r="{place}"><f>{escaped}</f></c>'
            text, count = re.subn(
                rf'(<row r="{row}".*?)</row>', rf"\g<1>{_quoted(added)}</row>", text, count=1, flags=re.DOTALL
            )
            assert count == 1
        parts[member] = text.encode("utf-8")
    return names, zipped(parts)


def _quoted(replacement: str) -> str:
    return replacement.replace("\\", r"\\")


def _computed(folder: Path, program: str, broken: bytes, summed: bytes) -> tuple[dict[str, Any], bytes]:
    (folder / "broken.xlsx").write_bytes(broken)
    (folder / "summed.xlsx").write_bytes(summed)
    done = subprocess.run(
        [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to",
         "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out"), str(folder / "broken.xlsx"),
         str(folder / "summed.xlsx")],
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert (folder / "out" / "summed.xlsx").is_file(), done.stdout + done.stderr
    book = openpyxl.load_workbook(folder / "out" / "broken.xlsx", data_only=True)
    return {"FM-2": book["服务进出口"], "FM-3": book["服务外包"]}, (
        folder / "out" / "summed.xlsx"
    ).read_bytes()
