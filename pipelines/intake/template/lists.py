"""The hidden sheet 代码表: every list that a cell of the form chooses from, each under a defined name.

Lists come from the code tables and from the choices of the layouts. What is offered is read back without any
leniency; a test asks that of every entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from pipelines import codes
from pipelines.intake.layouts import Field, FormLayout
from pipelines.money import UNITS
from pipelines.periods import Month

# What may stand in the cell of an amount without being a number, and what each means to the reader.
MARKS = ("…", "—", "..", "保密")
TICK = "☑"
YES, NO = "是", "否"


@dataclass(slots=True)
class CodeSheet:
    """Columns of texts and numbers, and the names that stand for some of them; one for one workbook."""

    columns: list[tuple[str, tuple[str | int, ...]]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)  # defined name -> column

    def add(self, name: str, title: str, values: tuple[str | int, ...]) -> str:
        """A column under a name; the same list twice is one column, another list of that name gets a number."""
        number, wanted = 1, name
        while name in self.names:
            if self.columns[self.names[name]][1] == values:
                return name
            number += 1
            name = f"{wanted}_{number}"
        self.columns.append((title, values))
        self.names[name] = len(self.columns) - 1
        return name

    def reference(self, name: str, sheet: str) -> str:
        """The range of a name, as a formula: ='代码表'!$A$2:$A$78."""
        column = self.names[name]
        letters = _letters(column)
        return f"='{sheet}'!${letters}$2:${letters}${len(self.columns[column][1]) + 1}"


def _letters(column: int) -> str:
    return chr(65 + column) if column < 26 else chr(64 + column // 26) + chr(65 + column % 26)


def add_common(sheet: CodeSheet, month: Month) -> None:
    """Lists that formulas of every form look into: items with their names, units with their size, marks."""
    items = _items(month)
    sheet.add("item_codes", "服务项目代码", tuple(item.code for item in items))
    sheet.add("item_names", "服务项目名称", tuple(item.name_zh for item in items))
    sheet.add("unit_names", "计量单位", tuple(unit.label_zh for unit in UNITS.values()))
    sheet.add("unit_multipliers", "货币单位数", tuple(unit.multiplier for unit in UNITS.values()))
    sheet.add("marks", "符号", MARKS)
    sheet.add("tick", "零报", (TICK,))


def choices_of(sheet: CodeSheet, field_: Field, layout: FormLayout, month: Month) -> str:
    """The name of the list that a field chooses from, put on the sheet; empty where it chooses from none."""
    match field_.type:
        case "unit":
            return sheet.add(
                "unit_choices", "计量单位选项", tuple(UNITS[code].label_zh for code in layout.units)
            )
        case "flag":
            return sheet.add("yes_no", "是否", (YES, NO))
        case "choice":
            words = tuple((field_.words_of_codes or {}).values())
            return sheet.add(f"choices_{field_.name}", field_.label.zh, words)
        case "code":
            values = _choices_of_list(field_.code_list, month)
            if not values:
                return ""
            return sheet.add(f"choices_{field_.code_list}", f"{field_.label.zh}选项", values)
        case _:
            return ""


def word_of(field_: Field, value: str) -> str:
    """A code of a field as its list offers it: SI2 计算机服务, 美国, 离岸, 是. A text that is no code stays as it is."""
    match field_.type:
        case "unit":
            return UNITS[value].label_zh if value in UNITS else value
        case "flag":
            return {"true": YES, "false": NO}.get(value, value)
        case "choice":
            return (field_.words_of_codes or {}).get(value, value)
        case "code":
            return _word_of_code(field_.code_list, value)
        case _:
            return value


@lru_cache(maxsize=4096)
def _word_of_code(code_list: str, code: str) -> str:
    try:
        match code_list:
            case "item":
                return f"{code} {codes.ebops_item(code).name_zh}"
            case "partner":
                return codes.partner(code).name_zh
            case "district":
                return codes.district(code).name_zh
            case _:
                return code
    except codes.UnknownCode:  # a code that has left its list since: the clerk sees it and chooses another
        return code


def name_of_item(code: str) -> str:
    """Name beside an item's code; empty where there is none."""
    try:
        return codes.ebops_item(code).name_zh
    except codes.UnknownCode:
        return ""


@lru_cache(maxsize=64)
def _items(month: Month) -> tuple[codes.EbopsItem, ...]:
    """Items in force in a month, without the total of services, which is no row."""
    return tuple(
        item
        for item in codes.ebops_items()
        if item.level >= 1
        and item.valid_from <= month.start_date
        and (item.valid_until is None or item.valid_until >= month.start_date)
    )


@lru_cache(maxsize=64)
def _choices_of_list(code_list: str, month: Month) -> tuple[str, ...]:
    """What a list offers: first the words one chooses, then the bare codes, so that typing a code passes too."""
    match code_list:
        case "item":
            items = _items(month)
            return (*(f"{item.code} {item.name_zh}" for item in items), *(item.code for item in items))
        case "partner":
            known = [
                one for one in codes.partners() if one.kind in ("country", "institution", "not_specified")
            ]
            # the order of GB 18030 is that of pinyin for all but rare characters; what has no country comes last
            known.sort(key=lambda one: (one.kind != "country", one.name_zh.encode("gb18030")))
            return (*(one.name_zh for one in known), *(one.code for one in known))
        case "district":
            return tuple(one.name_zh for one in codes.districts())
        case "currency":
            return tuple(one.code for one in codes.currencies())
        case _:
            return ()
