"""Workbooks as other programs save them: the same cells, written another way. Each takes and gives the bytes of an .xlsx.

Only the ways differ in which real programs write (WPS, LibreOffice, Excel's strict format, exports, scripts); what
no program writes is the hostile corpus' business.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from xml.sax.saxutils import escape

Parts = dict[str, bytes]
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")


def parts_of(content: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: Parts, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _sheets(parts: Parts) -> list[str]:
    return [name for name in parts if _SHEET.fullmatch(name)]


def _each_sheet(content: bytes, change: Callable[[str], str]) -> bytes:
    parts = parts_of(content)
    for name in _sheets(parts):
        parts[name] = change(parts[name].decode("utf-8")).encode("utf-8")
    return zipped(parts)


def with_inline_strings(content: bytes) -> bytes:
    """Every text in its own cell, no table of shared strings (many exports)."""
    parts = parts_of(content)
    shared = re.findall(r"<si>(.*?)</si>", parts.pop("xl/sharedStrings.xml").decode("utf-8"), re.DOTALL)
    for name in _sheets(parts):
        parts[name] = re.sub(
            r'<c ([^>]*?)t="s"([^>]*)><v>(\d+)</v></c>',
            lambda match: f'<c {match[1]}t="inlineStr"{match[2]}><is>{shared[int(match[3])]}</is></c>',
            parts[name].decode("utf-8"),
        ).encode("utf-8")
    for name in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels"):
        parts[name] = re.sub(rb"<(?:Override|Relationship)[^>]*sharedStrings[^>]*/>", b"", parts[name])
    return zipped(parts)


def with_shared_strings(content: bytes) -> bytes:
    """Every text in the table of shared strings (Excel, WPS)."""
    parts = parts_of(content)
    table = parts["xl/sharedStrings.xml"].decode("utf-8")
    number = len(re.findall(r"<si>", table))
    added: list[str] = []

    def share(match: re.Match[str]) -> str:
        added.append(f"<si>{match[3]}</si>")
        return f'<c {match[1]}t="s"{match[2]}><v>{number + len(added) - 1}</v></c>'

    for name in _sheets(parts):
        parts[name] = re.sub(
            r'<c ([^>]*?)t="inlineStr"([^>]*)><is>(.*?)</is></c>', share, parts[name].decode("utf-8")
        ).encode("utf-8")
    parts["xl/sharedStrings.xml"] = table.replace("</sst>", "".join(added) + "</sst>").encode("utf-8")
    return zipped(parts)


def with_rich_text(content: bytes) -> bytes:
    """Inline texts in two runs with phonetic hints between, as Chinese and Japanese input leaves them."""

    def split(match: re.Match[str]) -> str:
        text = match[1]
        cut = len(text) // 2 if "&" not in text else len(text)
        runs = "".join(
            f'<r><t xml:space="preserve">{piece}</t></r>' for piece in (text[:cut], text[cut:]) if piece
        )
        return f'<is>{runs}<rPh sb="0" eb="1"><t>pinyin</t></rPh></is>'

    return _each_sheet(
        content, lambda sheet: re.sub(r'<is><t xml:space="preserve">([^<]+)</t></is>', split, sheet)
    )


def without_cached_results(content: bytes) -> bytes:
    """Formulas without their results (scripts, exports, some programs on telephones)."""
    return _each_sheet(
        content,
        lambda sheet: re.sub(r"(<f[^>]*>[^<]*</f>)<v>[^<]*</v>", r"\1", sheet).replace(
            ' t="str"><f>', "><f>"
        ),
    )


def with_prefix(content: bytes) -> bytes:
    """Every element of the main namespace under a prefix: x:worksheet, x:c (Open XML SDK)."""
    parts = parts_of(content)
    for name, part in parts.items():
        text = part.decode("utf-8")
        if f'xmlns="{_MAIN}"' in text:
            text = re.sub(r"<(/?)(?![?!/])([A-Za-z0-9]+)(?=[\s/>])", r"<\1x:\2", text)
            parts[name] = text.replace(f'xmlns="{_MAIN}"', f'xmlns:x="{_MAIN}"').encode("utf-8")
    return zipped(parts)


def strict(content: bytes) -> bytes:
    """Excel's “Strict Open XML”: the same elements in ISO's own namespaces, and days as ISO 8601."""
    from datetime import date, timedelta

    parts = parts_of(content)
    dated = _date_styles(parts["xl/styles.xml"].decode("utf-8"))

    def in_iso(match: re.Match[str]) -> str:
        if match[2] not in dated:
            return match[0]
        day = date(1899, 12, 30) + timedelta(days=int(match[3]))
        return f'{match[1]} t="d"><v>{day}T00:00:00</v></c>'

    for name in _sheets(parts):
        text = parts[name].decode("utf-8")
        text = re.sub(r'(<c r="[A-Z]+\d+" s="(\d+)")><v>(\d+)</v></c>', in_iso, text)
        parts[name] = text.encode("utf-8")
    for name, part in parts.items():
        text = part.decode("utf-8").replace(_MAIN, _STRICT_MAIN).replace(_RELATIONS, _STRICT_RELATIONS)
        if name == "xl/workbook.xml":
            text = text.replace(
                f'<workbook xmlns="{_STRICT_MAIN}"', f'<workbook xmlns="{_STRICT_MAIN}" conformance="strict"'
            )
        parts[name] = text.encode("utf-8")
    return zipped(parts)


def with_absolute_names(content: bytes) -> bytes:
    """Relations that name parts from the root of the package: /xl/worksheets/sheet1.xml."""
    parts = parts_of(content)
    name = "xl/_rels/workbook.xml.rels"
    parts[name] = re.sub(rb'Target="(?!/)', b'Target="/xl/', parts[name])
    parts["_rels/.rels"] = re.sub(rb'Target="(?!/)', b'Target="/', parts["_rels/.rels"])
    return zipped(parts)


def without_document_properties(content: bytes) -> bytes:
    """No docProps (exports)."""
    parts = {name: part for name, part in parts_of(content).items() if not name.startswith("docProps/")}
    for name in ("[Content_Types].xml", "_rels/.rels"):
        parts[name] = re.sub(rb"<(?:Override|Relationship)[^>]*docProps[^>]*/>", b"", parts[name])
    return zipped(parts)


def without_dimension(content: bytes) -> bytes:
    """No used range in the sheets (streaming writers)."""
    return _each_sheet(content, lambda sheet: re.sub(r"<dimension[^>]*/>", "", sheet))


def with_wrong_dimension(content: bytes) -> bytes:
    """A used range of one cell (a known fault of some exports)."""
    return _each_sheet(content, lambda sheet: re.sub(r"<dimension[^>]*/>", '<dimension ref="A1"/>', sheet))


def with_byte_order_marks(content: bytes) -> bytes:
    """Every XML part begins with a byte order mark (.NET writers)."""
    return zipped({name: b"\xef\xbb\xbf" + part for name, part in parts_of(content).items()})


def stored(content: bytes) -> bytes:
    """Nothing compressed."""
    return zipped(parts_of(content), zipfile.ZIP_STORED)


def with_other_part_names(content: bytes) -> bytes:
    """Sheets under other names and in other letter case than Excel's; the relations say where."""
    parts = parts_of(content)
    renamed = {
        name: f"xl/worksheets/Blatt_{number}.xml" for number, name in enumerate(_sheets(parts), start=1)
    }
    result: Parts = {}
    for name, part in parts.items():
        if name in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels"):
            text = part.decode("utf-8")
            for old, new in sorted(renamed.items(), reverse=True):
                text = text.replace(f'"/{old}"', f'"/{new}"').replace(f'"{old[3:]}"', f'"{new[3:]}"')
            result[name] = text.encode("utf-8")
        else:
            result[renamed.get(name, name)] = part
    return zipped(result)


def in_single_quotes(content: bytes) -> bytes:
    """Attributes of cells in single quotes."""
    return _each_sheet(
        content,
        lambda sheet: re.sub(
            r"<c ([^>]*)>", lambda match: f"<c {match[1].replace(chr(34), chr(39))}>", sheet
        ),
    )


def without_cell_addresses(content: bytes) -> bytes:
    """Rows written cell by cell without addresses, as the format allows (streaming writers); blanks are written."""

    def plain(sheet: str) -> str:
        def row(match: re.Match[str]) -> str:
            cells = re.findall(r"<c [^>]*?(?:/>|>.*?</c>)", match[2], re.DOTALL)
            filled = ""
            at = 1
            for cell in cells:
                letters = re.search(r'r="([A-Z]+)\d+"', cell)
                assert letters is not None
                column = 0
                for letter in letters[1]:
                    column = column * 26 + ord(letter) - 64
                filled += "<c/>" * (column - at)
                filled += re.sub(r' r="[A-Z]+\d+"', "", cell)
                at = column + 1
            return f"{match[1]}{filled}</row>"

        return re.sub(r"(<row [^>]*>)(.*?)</row>", row, sheet, flags=re.DOTALL)

    return _each_sheet(content, plain)


def with_dates_of_1904(content: bytes) -> bytes:
    """The calendar of old Macintosh Excel: the serial numbers of days are 1,462 smaller."""
    parts = parts_of(content)
    workbook = parts["xl/workbook.xml"].decode("utf-8")
    parts["xl/workbook.xml"] = re.sub(r"<workbookPr ?", '<workbookPr date1904="1" ', workbook).encode("utf-8")
    dated = _date_styles(parts["xl/styles.xml"].decode("utf-8"))
    for name in _sheets(parts):
        parts[name] = re.sub(
            r'(<c r="[A-Z]+\d+" s="(\d+)"><v>)(\d+)(</v></c>)',
            lambda match: f"{match[1]}{int(match[3]) - 1462}{match[4]}" if match[2] in dated else match[0],
            parts[name].decode("utf-8"),
        ).encode("utf-8")
    return zipped(parts)


def _date_styles(styles: str) -> set[str]:
    dated = {match[1] for match in re.finditer(r'<numFmt numFmtId="(\d+)" formatCode="[^"]*yy[^"]*"', styles)}
    formats = re.findall(r"<xf [^>]*>", styles[styles.index("<cellXfs") : styles.index("</cellXfs>")])
    return {
        str(index)
        for index, one in enumerate(formats)
        if (number := re.search(r'numFmtId="(\d+)"', one)) and number[1] in dated
    }


def set_cells(content: bytes, sheet: str, values: dict[str, object]) -> bytes:
    """A workbook with values in cells that are blank in it, as a person types them: texts inline, numbers, dates."""
    from datetime import date

    parts = parts_of(content)
    names = re.findall(r'<sheet name="([^"]*)"', parts["xl/workbook.xml"].decode("utf-8"))
    member = f"xl/worksheets/sheet{names.index(sheet) + 1}.xml"
    text = parts[member].decode("utf-8")
    for cell, given in values.items():
        value = (given - date(1899, 12, 30)).days if isinstance(given, date) else given
        body = (
            f' t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
            if isinstance(value, str)
            else f"><v>{value}</v></c>"
        )
        text, count = re.subn(
            rf'<c r="{cell}"( s="\d+")?[^>]*?(?:/>|>(?!<f>).*?</c>)', rf'<c r="{cell}"\1{body}', text, count=1
        )
        assert count == 1, f"{sheet}!{cell} is no cell to fill in"
    parts[member] = text.encode("utf-8")
    return zipped(parts)


def set_results(content: bytes, sheet: str, results: dict[str, float]) -> bytes:
    """A workbook whose formulas have these results, as a spreadsheet program stores them when it saves."""
    parts = parts_of(content)
    names = re.findall(r'<sheet name="([^"]*)"', parts["xl/workbook.xml"].decode("utf-8"))
    member = f"xl/worksheets/sheet{names.index(sheet) + 1}.xml"
    text = parts[member].decode("utf-8")
    for cell, result in results.items():
        text, count = re.subn(
            rf'(<c r="{cell}" s="\d+") t="str">(<f>[^<]*</f>)<v></v>', rf"\1>\2<v>{result}</v>", text, count=1
        )
        assert count == 1, f"{sheet}!{cell} is no formula without a result"
    parts[member] = text.encode("utf-8")
    return zipped(parts)


VARIANTS: dict[str, Callable[[bytes], bytes]] = {
    "inline strings": with_inline_strings,
    "shared strings": with_shared_strings,
    "rich text with phonetic hints": with_rich_text,
    "prefixed namespaces": with_prefix,
    "strict namespaces": strict,
    "absolute part names": with_absolute_names,
    "no document properties": without_document_properties,
    "no dimension": without_dimension,
    "a wrong dimension": with_wrong_dimension,
    "byte order marks": with_byte_order_marks,
    "nothing compressed": stored,
    "other part names": with_other_part_names,
    "single quotes": in_single_quotes,
    "cells without addresses": without_cell_addresses,
    "dates of 1904": with_dates_of_1904,
}
