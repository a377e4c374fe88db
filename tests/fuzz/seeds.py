"""Where the fuzzer begins: one small input of each kind that the reader knows, made and not stored."""

from __future__ import annotations

from collections.abc import Iterator

from tests.intake import hostile
from tests.intake.builder import canonical_file


def seeds() -> Iterator[bytes]:
    """Workbooks without their long list of codes (a mutator would spend its time there), and text tables."""
    book = canonical_file()
    lean = hostile.repack(
        book,
        {
            "xl/worksheets/sheet5.xml": hostile.part(book, "xl/worksheets/sheet1.xml"),
            "xl/theme/theme1.xml": b"<a/>",
        },
    )
    yield lean
    yield hostile.in_sheet(
        b'<row r="40"><c r="A40" t="inlineStr"><is><t>SI2</t></is></c><c r="C40" t="str"><f>1</f><v>USA</v></c></row>',
        content=lean,
    )
    yield "报告期,2020-03\n提供部门,武汉海关\n计量单位,万美元\n\n月份,出口,进口\n2020-03,1234.5,678\n".encode()
    yield "报告期\t2020-03\n月份\t出口\t进口\n2020-03\t１，２３４\t..\n".encode("gb18030")
    yield "报告期\t2020-03\r\n月份\t出口\t进口\r\n2020-03\t1,234\t..\r\n".encode("utf-16")
