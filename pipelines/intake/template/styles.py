"""How a blank form looks: fonts, lines, what is grey because the system fills it in, what turns red or yellow."""

from __future__ import annotations

from typing import Any

from pipelines.findings import Severity

_BODY: dict[str, Any] = {"font_name": "宋体", "font_size": 10.5, "valign": "vcenter"}
_GIVEN = "#EDEDED"  # filled in by the system, locked
_HEAD = "#DCE6F1"
_LINE = "#7F7F7F"
_BOX = {"border": 1, "border_color": _LINE}
_ENTRY = {**_BOX, "locked": False}
_AMOUNT = "#,##0.00##"
_LOOKS: dict[str, dict[str, Any]] = {
    "text": {},
    "small": {"font_size": 9, "font_color": "#595959"},
    "wrapped": {"text_wrap": True, "valign": "top"},
    "title": {"font_name": "黑体", "font_size": 16, "align": "center"},
    "label": {"align": "right"},
    "given": {"bottom": 1, "bg_color": _GIVEN, "num_format": "@"},
    "asked": {"bottom": 1, "locked": False},
    "head": {**_BOX, "bold": True, "align": "center", "text_wrap": True, "bg_color": _HEAD},
    "ruler": {**_BOX, "align": "center", "font_size": 9, "font_color": "#595959"},
    "entry_text": {**_ENTRY, "num_format": "@", "text_wrap": True},
    # a code with its name stays on its line: rows have one height, a second line would lie over the next row
    "entry_code": {**_ENTRY, "num_format": "@", "shrink": True},
    "entry_number": {**_ENTRY, "num_format": _AMOUNT, "align": "right"},
    "entry_percent": {**_ENTRY, "num_format": "0.##", "align": "right"},
    "entry_date": {**_ENTRY, "num_format": "yyyy-mm-dd", "align": "center"},
    "entry_choice": {**_ENTRY, "num_format": "@", "align": "center"},
    "name": {**_BOX, "bg_color": _GIVEN, "shrink": True, "font_size": 9},
    "pair": {**_BOX, "bg_color": _HEAD},
    "total": {**_BOX, "bold": True, "align": "center", "bg_color": _GIVEN},
    "total_number": {**_BOX, "bold": True, "align": "right", "bg_color": _GIVEN, "num_format": _AMOUNT},
    "note": {"font_size": 9, "text_wrap": True, "font_color": "#595959"},
    "heading": {"bold": True, "font_size": 12},
    "cell": {**_BOX, "text_wrap": True, "valign": "top"},
    "cell_mark": {**_BOX, "align": "center", "valign": "top"},
    "cell_number": {**_BOX, "num_format": _AMOUNT, "align": "right"},
    "cell_percent": {**_BOX, "num_format": "0.##", "align": "right"},
    "english": {"text_wrap": True, "valign": "top", "font_size": 9, "font_color": "#595959"},
    "code": {"num_format": "@"},
}
_PAINTED = {
    Severity.CRITICAL: {"bg_color": "#FFC7CE", "font_color": "#9C0006"},
    Severity.WARNING: {"bg_color": "#FFEB9C", "font_color": "#7F6000"},
    Severity.INFO: {"bg_color": "#DDEBF7"},
}


class Styles:
    """The formats of one workbook, each made when first asked for."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._made: dict[str, Any] = {}

    def of(self, name: str) -> Any:
        """A format by name. Raises KeyError for a name that is not in the table above."""
        if name not in self._made:
            self._made[name] = self._workbook.add_format({**_BODY, **_LOOKS[name]})
        return self._made[name]

    def painted(self, severity: Severity) -> Any:
        """What a cell turns into when a rule of this severity would find it."""
        name = f"painted {severity}"
        if name not in self._made:
            self._made[name] = self._workbook.add_format(_PAINTED[severity])
        return self._made[name]
