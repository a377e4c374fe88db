"""The rule catalogue page, docs/rules.md: written from `expectations/`, so that it cannot lag behind the rules.

`python -m pipelines.validation.catalogue` writes it; a test says when it is out of date. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from pipelines.findings import Severity, Wording
from pipelines.paths import EXPECTATIONS_DIR, HOUSE_DIR
from pipelines.validation.rules import HISTORY_MONTH_COUNT, InvalidRule, Rule, RuleBook, RuleTable, rule_book

PAGE_PATH = HOUSE_DIR / "docs" / "rules.md"
READER_PATH = EXPECTATIONS_DIR / "reader.yaml"

_SEVERITY = {
    Severity.CRITICAL: "**强制** critical",
    Severity.WARNING: "核实 warning",
    Severity.INFO: "提示 info",
}
_HEAD = f"""# 审核规则 / Rules

<!-- Written by `python -m pipelines.validation.catalogue` from expectations/; edit the YAML, not this page. -->

**强制** (critical)：不改正不能通过；单表规则不通过时，只退回这一份报表。**核实** (warning)：可先提交，待核实；在“说明”栏写明原因的，转为提示，不需核实。
强制规则不能用说明代替。整表规则的强制项不通过时，只停发当月，不影响其他月份。事实未知（空白、保密、上月未通过审核）的不作判断，计为“缺”，不算通过也不算不通过。
同一单元格只问一次：读取时已指出的单元格不再问；规则之间的先后写在“让位于”。比较用的历史是审核通过的最近 {HISTORY_MONTH_COUNT} 个月。

**critical**: not accepted until corrected; a return that fails is held back alone. **warning**: accepted once confirmed; with the reason in the
remark column it becomes info and nobody calls. A critical rule cannot be explained away. A critical rule on a whole table holds back the
publication of that month only. What is unknown (blank, withheld, last month not accepted) is not judged: it counts as missing, neither passed
nor failed. One cell is asked about once: not again where reading already refused it, and "yields to" says which rule goes first. History
means the last {HISTORY_MONTH_COUNT} accepted months.

To change a bound, edit the YAML named above each table. To add a rule: one entry there (fact, bounds, wording in both languages); if it needs a
fact that no query has yet, one column in `sql/checks/`; one pair of samples in `tests/rules/test_every_rule.py`; then write this page anew.
"""


def catalogue_page(book: RuleBook | None = None, reader: Path = READER_PATH) -> str:
    """The whole page in Markdown: what the reader refuses, what returns are asked, what tables must satisfy."""
    book = book or rule_book()
    parts = [_HEAD]
    if reader.is_file():
        parts += ["## 读取 / Reading a file\n", "`expectations/reader.yaml`\n", _reader_table(reader)]
    parts.append("## 直报表与部门表 / Returns and departmental tables\n")
    parts += [_section(table) for table in book.of_level("return")]
    parts.append("## 整表 / Whole tables\n")
    parts += [_section(table) for table in book.of_level("table")]
    return "\n".join(parts)


def write_page(path: Path = PAGE_PATH) -> None:
    """Write the page in place."""
    path.write_text(catalogue_page(), encoding="utf-8")


def _reader_table(reader: Path) -> str:
    document = yaml.safe_load(reader.read_text(encoding="utf-8"))
    rows = []
    for entry in document["findings"]:
        label, message = entry["label"], entry.get("message", {"zh": "", "en": ""})
        if set(label) != {"zh", "en"}:
            raise InvalidRule(f"{reader.name}: {entry['id']}: label needs zh and en.")
        rows.append(
            (
                entry["id"],
                _SEVERITY[Severity(entry["severity"])],
                _both(Wording(label["zh"], label["en"])),
                _both(Wording(str(message["zh"]), str(message["en"]))),
            )
        )
    return _table(("编号 ID", "性质 severity", "问题 finding", "告知 message"), rows)


def _section(table: RuleTable) -> str:
    rows = [
        (rule.id, _SEVERITY[rule.severity], _both(rule.label), _both(rule.help), _judged(rule))
        for rule in table.rules
    ]
    file = f"expectations/{table.table.replace('.', '/')}.yaml"
    return f"### {table.table}\n\n`{file}`, facts: `sql/{table.table.replace('.', '/')}.sql`\n\n" + _table(
        ("编号 ID", "性质 severity", "规则 rule", "说明 help", "判断 judged"), rows
    )


def _judged(rule: Rule) -> str:
    """What the rule asks of which column, in signs: `share_pct` 0 … 100."""
    text = _asked(rule.expectation, rule.arguments)
    if rule.when is not None:
        low = "" if rule.when.min_value is None else f" ≥ {_number(rule.when.min_value)}"
        high = "" if rule.when.max_value is None else f" ≤ {_number(rule.when.max_value)}"
        text += f"<br>仅当 only if `{rule.when.column}`{low}{high}"
    if rule.yields_to:
        text += f"<br>让位于 yields to {', '.join(rule.yields_to)}"
    if rule.explained_by:
        text += "<br>可说明 can be explained"
    return text


def _asked(expectation: str, arguments: Any) -> str:
    match expectation:
        case "expect_column_values_to_be_between" | "expect_table_row_count_to_be_between":
            name = f"`{arguments['column']}`" if "column" in arguments else "行数 rows"
            low = (
                "min_value" in arguments
                and f"{'>' if arguments.get('strict_min') else '≥'} {_number(arguments['min_value'])}"
            )
            high = (
                "max_value" in arguments
                and f"{'<' if arguments.get('strict_max') else '≤'} {_number(arguments['max_value'])}"
            )
            return " ".join(filter(None, [name, low or "", high or ""]))
        case "expect_column_values_to_be_in_set":
            return f"`{arguments['column']}` ∈ {{{_values(arguments['value_set'])}}}"
        case "expect_column_values_to_not_be_in_set":
            return f"`{arguments['column']}` ∉ {{{_values(arguments['value_set'])}}}"
        case "expect_column_values_to_be_null":
            return f"`{arguments['column']}` 为空 empty"
        case "expect_column_values_to_not_be_null":
            return f"`{arguments['column']}` 非空 not empty"
        case "expect_compound_columns_to_be_unique":
            return f"唯一 unique: {', '.join(f'`{column}`' for column in arguments['column_list'])}"
    raise InvalidRule(
        f"{expectation} has no words in the catalogue. Add them to pipelines/validation/catalogue.py."
    )


def _values(values: Iterable[Any]) -> str:
    return ", ".join(
        {True: "是 true", False: "否 false"}[value] if isinstance(value, bool) else str(value)
        for value in values
    )


def _number(value: float) -> str:
    return f"{value:,}"


def _both(wording: Wording) -> str:
    return f"{_cell(wording.zh)}<br>{_cell(wording.en)}"


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|").replace("\n", " ")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_page()
