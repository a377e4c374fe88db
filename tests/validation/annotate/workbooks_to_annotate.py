"""Workbooks as different programs write them, each holding what an annotation could lose; and findings about them.

Every workbook has the sheet 服务进出口 with cells D11, E11 and F13, whatever its program calls its parts.
"""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import openpyxl
import xlsxwriter
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill, Protection
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.protection import WorkbookProtection
from openpyxl.worksheet.datavalidation import DataValidation

from pipelines.findings import Finding, Fix, Severity, Verdict, Wording
from pipelines.validation.annotate import Annotated, annotated_copy
from tests.intake.builder import canonical_file

SHEET = "服务进出口"
MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT_MAIN = b"http://purl.oclc.org/ooxml/spreadsheetml/main"


def finding(
    cell: str,
    severity: Severity = Severity.CRITICAL,
    *,
    rule: str = "P07",
    sheet: str = SHEET,
    given: str = "12,500,000",
    key: str = "SI2 USA",
    zh: str = "与上月相差过大。",
    en: str = "Very far from last month.",
) -> Finding:
    return Finding(rule, severity, Wording(zh, en), "FM-2", sheet, cell, key, given, "< 1,250")


FINDINGS = (
    finding("D11", Severity.WARNING, rule="Q2a"),
    finding("F13", given="7.7x", key="SJ3 HKG"),
    finding("", Severity.INFO, rule="P31"),
)
FIXES = (Fix(SHEET, "E11", "３４０", "340", Wording("全角数字", "full-width digits")),)
EVERYWHERE = (
    *FINDINGS,
    finding("Z99", given="", key=""),  # beyond the used range: neither the row nor the cell is there
    finding("N11", Severity.WARNING, rule="Q3", given="", key=""),  # the row is there, the cell is not
)


def annotate(content: bytes, findings: tuple[Finding, ...] = EVERYWHERE, **more: object) -> Annotated:
    arguments: dict[str, object] = {"fixes": FIXES, "verdict": Verdict.REJECTED, **more}
    fixes = arguments.pop("fixes")
    return annotated_copy(content, "三月.xlsx", findings, fixes, **arguments)  # type: ignore[arg-type]


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        assert len(set(package.namelist())) == len(package.namelist())
        return {name: package.read(name) for name in package.namelist()}


def packed(parts_by_name: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts_by_name.items():
            package.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


def changed(content: bytes, changes: Mapping[str, Callable[[bytes], bytes] | bytes | None]) -> bytes:
    """A package with parts changed by functions, added, or (None) left out."""
    held = parts(content)
    for name, change in changes.items():
        if change is None:
            del held[name]
        else:
            held[name] = change if isinstance(change, bytes) else change(held[name])
    return packed(held)


def once(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Replace what must stand there, once."""

    def change(data: bytes) -> bytes:
        assert old in data, old
        return data.replace(old, new, 1)

    return change


def part_of_sheet(content: bytes, name: str = SHEET) -> str:
    """The part of a sheet, found as openpyxl finds it not: by workbook.xml and its relations alone."""
    held = parts(content)
    book = held["xl/workbook.xml"].decode()
    tags = re.findall(r"<(?:\w+:)?sheet\s[^>]*>", book)
    tag = next(one for one in tags if re.search(r'\sname="([^"]*)"', one)[1] == name)  # type: ignore[index]
    relation_id = re.search(r':id="([^"]*)"', tag)[1]  # type: ignore[index]
    relations = held["xl/_rels/workbook.xml.rels"].decode()
    relation = next(
        one
        for one in re.findall(r"<(?:\w+:)?Relationship\s[^>]*>", relations)
        if f'Id="{relation_id}"' in one
    )
    target = re.search(r'Target="([^"]*)"', relation)[1]  # type: ignore[index]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


# The workbooks ----------------------------------------------------------------------------------------------------


def by_xlsxwriter() -> bytes:
    """The form as the sample city and the template's writer make it."""
    return canonical_file()


def by_xlsxwriter_rich() -> bytes:
    """Comments, tables, validations, data bars and sparklines (x14), a picture, a chart, names, protection, tabs."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": datetime(2020, 1, 1)})
    amount = book.add_format(
        {"num_format": "#,##0.00", "border": 1, "bg_color": "#E2EFDA", "locked": False, "font_name": "仿宋"}
    )
    percent = book.add_format({"num_format": "0.0%", "italic": True})
    hidden = book.add_worksheet("代码表")
    hidden.write_column("A1", ["USA", "JPN", "HKG"])
    hidden.very_hidden()
    other = book.add_worksheet("说明")
    other.write("A1", "填表说明")
    page = book.add_worksheet(SHEET)
    page.write_row("A10", ["项目", "国别", "年份", "出口", "累计", "进口"])
    for row in range(10, 30):
        page.write_row(row, 0, [f"SI{row}", "USA", 2020], amount)
        page.write_number(row, 3, 120.5 + row, amount)
        page.write_formula(row, 4, f"=SUM(D11:D{row + 1})", amount, 1000 + row)
        page.write_number(row, 5, 0.4, percent)
    page.set_column("M:N", 12, percent)
    page.set_column("A:A", 33)
    page.set_row(40, 30, amount)
    page.write_comment("D11", "上月补报，已与科室确认", {"author": "王某"})
    page.write_comment("A12", "另一条批注", {"author": "李某"})
    page.data_validation("B11:B30", {"validate": "list", "source": "=代码表!$A$1:$A$3"})
    page.data_validation("D11:D30", {"validate": "decimal", "criteria": ">=", "value": 0})
    page.conditional_format("D11:D30", {"type": "data_bar", "data_bar_2010": True})
    page.conditional_format("F11:F30", {"type": "cell", "criteria": ">", "value": 1, "format": percent})
    page.add_sparkline("H11", {"range": f"{SHEET}!D11:D20"})
    page.add_table("J10:K14", {"columns": [{"header": "甲"}, {"header": "乙"}]})
    page.merge_range("A1:F1", "服务进出口情况表", amount)
    page.autofilter("A10:F30")
    page.write_url("A35", "https://example.org/", string="说明")
    page.write_url("A36", "internal:'说明'!A1", string="回到说明")
    page.insert_image("M2", "dot.png", {"image_data": io.BytesIO(_PNG)})
    page.protect("secret", {"format_cells": True})
    page.print_area("A1:K40")
    page.repeat_rows(9)
    page.set_header("&C服务进出口")
    page.insert_button("P4", {"caption": "按钮"})
    page.activate()
    last = book.add_worksheet("图")
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": f"={SHEET}!$D$11:$D$20"})
    last.insert_chart("B2", chart)
    last.print_area("A1:H20")
    book.define_name("国别", "=代码表!$A$1:$A$3")
    book.define_name(f"{SHEET}!本表", f"={SHEET}!$D$11")
    book.close()
    return buffer.getvalue()


_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082"
)


def by_openpyxl() -> bytes:
    """Comments, validations, sheet and structure locked, names of one sheet, a format of a row and of columns."""
    book = openpyxl.load_workbook(io.BytesIO(canonical_file()))
    page = book[SHEET]
    page["D11"].comment = Comment("去年同期也是如此", "张某")
    page["B12"].comment = Comment("无关的批注", "张某")
    page["F13"].fill = PatternFill("solid", fgColor="FFFFFF00")
    page["F13"].number_format = "0.000"
    page["F13"].protection = Protection(locked=False)
    page.row_dimensions[99].fill = PatternFill("solid", fgColor="FF00FF00")
    choices = DataValidation(type="list", formula1='"是,否"')
    choices.add("K11:K40")
    page.add_data_validation(choices)
    page.protection.sheet = True
    page.protection.password = "abc"  # noqa: S105  of a sheet made here
    page.defined_names["本表"] = DefinedName("本表", attr_text=f"{SHEET}!$D$11")
    page.print_title_rows = "9:10"
    book.security = WorkbookProtection(lockStructure=True, workbookPassword="abc")
    book.active = book.sheetnames.index("服务外包")
    for one in book.worksheets:
        one.sheet_view.tabSelected = one.title == "服务外包"
    book.properties.created = book.properties.modified = datetime(2020, 1, 1)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def made_by_hand() -> bytes:
    """As a WPS-like writer may: prefixed names, inline strings, absolute targets, no styles, no shared strings."""
    rows = "".join(
        f'<x:row r="{row}"><x:c r="A{row}" t="inlineStr"><x:is><x:t>行{row}</x:t></x:is></x:c>'
        f'<x:c r="D{row}"><x:v>{row}</x:v></x:c><x:c r="E{row}"><x:f>D{row}*2</x:f><x:v>{row * 2}</x:v></x:c></x:row>'
        for row in (10, 11, 12, 13)
    )
    names = {
        "p": "http://schemas.openxmlformats.org/package/2006/relationships",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    }
    return packed(
        {
            "[Content_Types].xml": (
                b'<ct:Types xmlns:ct="http://schemas.openxmlformats.org/package/2006/content-types">'
                b'<ct:Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                b'<ct:Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
                b'spreadsheetml.sheet.main+xml"/><ct:Override PartName="/xl/worksheets/s1.xml" ContentType="application'
                b'/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></ct:Types>'
            ),
            "_rels/.rels": (
                f'<p:Relationships xmlns:p="{names["p"]}"><p:Relationship Id="a" Type="{names["r"]}/officeDocument" '
                'Target="/xl/workbook.xml"/></p:Relationships>'
            ).encode(),
            "xl/workbook.xml": (
                f'<x:workbook xmlns:x="{MAIN.decode()}" xmlns:rel="{names["r"]}"><x:sheets>'
                f'<x:sheet name="{SHEET}" sheetId="7" rel:id="s1"/></x:sheets></x:workbook>'
            ).encode(),
            "xl/_rels/workbook.xml.rels": (
                f'<p:Relationships xmlns:p="{names["p"]}"><p:Relationship Id="s1" Type="{names["r"]}/worksheet" '
                'Target="/xl/worksheets/s1.xml"/></p:Relationships>'
            ).encode(),
            "xl/worksheets/s1.xml": (
                f'<x:worksheet xmlns:x="{MAIN.decode()}"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
            ).encode(),
        }
    )


def without_addresses() -> bytes:
    """Rows and cells that do not say where they are: the first is A1, and each stands behind the one before."""
    rows = "<row/>" * 9 + "".join(
        "<row>" + "".join(f"<c><v>{row * 10 + column}</v></c>" for column in range(1, 7)) + "</row>"
        for row in range(10, 15)
    )
    sheet = part_of_sheet(canonical_file())
    return changed(
        canonical_file(),
        {sheet: lambda data: re.sub(rb"<sheetData>.*</mergeCells>", f"<sheetData>{rows}</sheetData>".encode(), data)},
    )  # fmt: skip


def in_strict_form() -> bytes:
    """The form in the strict variant of the format, whose names all differ."""
    return packed(
        {
            name: data.replace(MAIN, STRICT_MAIN).replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                b"http://purl.oclc.org/ooxml/officeDocument/relationships",
            )
            for name, data in parts(canonical_file()).items()
        }
    )


def with_many_sheets() -> bytes:
    """Forty sheets, the form in the middle, one sheet open that is far to the right."""
    book = openpyxl.load_workbook(io.BytesIO(canonical_file()))
    for number in range(40):
        extra = book.create_sheet(f"第{number}页", number % 5)
        extra["A1"] = number
        extra.print_area = "A1:B2"
        extra.sheet_state = "hidden" if number % 7 == 3 else "visible"
    book.active = 31
    for number, one in enumerate(book.worksheets):
        one.sheet_view.tabSelected = number in (31, 32)  # two tabs chosen together
    book.views[0].firstSheet = 12
    book.properties.created = book.properties.modified = datetime(2020, 1, 1)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


_X14_VALIDATION = (
    '<extLst><ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" '
    'uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"><x14:dataValidations count="1" '
    'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"><x14:dataValidation type="list" allowBlank="1">'
    "<x14:formula1><xm:f>代码表!$D$2:$D$250</xm:f></x14:formula1><xm:sqref>C11:C60</xm:sqref></x14:dataValidation>"
    "</x14:dataValidations></ext></extLst>"
).encode()


def with_validation_across_sheets() -> bytes:
    """A drop-down fed by another sheet as Excel 2010 writes it, which openpyxl drops; custom XML; a calc chain."""
    book = canonical_file()
    return changed(
        book,
        {
            part_of_sheet(book): once(b"</worksheet>", _X14_VALIDATION + b"</worksheet>"),
            "customXml/item1.xml": "<模板 版本='3'/>".encode(),
            "xl/calcChain.xml": b'<calcChain xmlns="%s"><c r="E12" i="3"/></calcChain>' % MAIN,
            "xl/theme/theme9.xml": b"<theme/>",
        },
    )


_THREADED = (
    '<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments">'
    '<threadedComment ref="F13" dT="2020-03-01T00:00:00" personId="{1}" id="{2}"><text>这个数对吗？</text>'
    '</threadedComment><threadedComment ref="F13" dT="2020-03-02T00:00:00" personId="{1}" id="{3}" parentId="{2}">'
    "<text>对。</text></threadedComment></ThreadedComments>"
).encode()


def with_threaded_comments() -> bytes:
    """A conversation at F13, with the old-style comment that Excel keeps for programs that know no conversations."""
    base = by_openpyxl()
    sheet = part_of_sheet(base)
    relations = f"xl/worksheets/_rels/{Path(sheet).name}.rels"
    comments = next(name for name in parts(base) if "comment" in name and name.endswith(".xml"))
    return changed(
        base,
        {
            relations: once(
                b"</Relationships>",
                b'<Relationship Id="rId77" Type="http://schemas.microsoft.com/office/2017/10/relationships/threadedComment"'
                b' Target="../threadedComments/threadedComment1.xml"/></Relationships>',
            ),
            "xl/threadedComments/threadedComment1.xml": _THREADED,
            "xl/persons/person.xml": b'<personList xmlns="urn:x"/>',
            comments: once(
                b"</commentList>",
                "<comment ref='F13' authorId='0'><text><t>[Threaded comment] 这个数对吗？</t></text></comment>"
                "</commentList>".encode(),
            ),
        },
    )


def as_text_of_styles() -> bytes:
    """A style sheet as short as it may be, without a count and with an empty list of fills."""
    book = canonical_file()
    plain = {
        name: (lambda data: re.sub(rb' s="\d+"', b"", data))
        for name in parts(book)
        if "worksheets/sheet" in name
    }
    return changed(
        book,
        {
            **plain,
            "xl/styles.xml": b'<?xml version="1.0"?>\n<styleSheet xmlns="%s"><fonts><font/></fonts><fills/>'
            b'<cellXfs><xf/></cellXfs><extLst/></styleSheet>' % MAIN
        },
    )  # fmt: skip


BY_PROGRAM: dict[str, Callable[[], bytes]] = {
    "XlsxWriter": by_xlsxwriter,
    "XlsxWriter, all it can": by_xlsxwriter_rich,
    "openpyxl": by_openpyxl,
    "by hand, as WPS may": made_by_hand,
    "no addresses": without_addresses,
    "strict": in_strict_form,
    "many sheets": with_many_sheets,
    "x14 validation": with_validation_across_sheets,
    "threaded comments": with_threaded_comments,
    "scant styles": as_text_of_styles,
}


def by_libreoffice(content: bytes, folder: Path, target: str = "xlsx") -> bytes:
    """What LibreOffice makes of a workbook: opened without a window, saved as another file."""
    source = folder / "in.xlsx"
    source.write_bytes(content)
    out = folder / "out"
    done = subprocess.run(
        [
            "soffice", "--headless", "--norestore", f"-env:UserInstallation=file://{folder / 'profile'}",
            "--convert-to", target, "--outdir", str(out), str(source),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    made = out / f"in.{target}"
    assert made.is_file(), done.stderr
    return made.read_bytes()
