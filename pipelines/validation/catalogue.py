"""The rule catalogue: every rule as data for a page, and the page docs/rules.md written from it.

Taken from `expectations/`, so that it cannot lag behind the rules; the examples are what the rules said of their
broken samples (`expectations/examples.json`, written by `python -m sample_data.rule_samples`). How often a rule
fires is in `pipelines.ledger.rule_counts`. `python -m pipelines.validation.catalogue` writes the page; a test says
when it is out of date. Nothing is judged here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from pipelines.findings import Finding, Severity, Wording
from pipelines.paths import EXPECTATIONS_DIR, HOUSE_DIR
from pipelines.validation.rules import (
    HISTORY_MONTH_COUNT,
    ExplanationCover,
    InvalidRule,
    Rule,
    RuleBook,
    RuleTable,
    rule_book,
)

PAGE_PATH = HOUSE_DIR / "docs" / "rules.md"
READER_PATH = EXPECTATIONS_DIR / "reader.yaml"
EXAMPLES_PATH = EXPECTATIONS_DIR / "examples.json"

_SEVERITY = {
    Severity.CRITICAL: "**强制** critical",
    Severity.WARNING: "核实 warning",
    Severity.INFO: "提示 info",
}
_HEAD = f"""# 审核规则 / Rules

<!-- Written by `python -m pipelines.validation.catalogue` from expectations/; edit the YAML, not this page. -->

**强制** (critical)：不改正不能通过；单表规则不通过时，只退回这一份报表。**核实** (warning)：可先提交，待核实；在“说明”栏写明原因的，转为提示，不需核实；服务进出口表（FM-2）中与上一份通过的报表同一行一字不差的说明，没有说明新的情况，照样提问。
强制规则不能用说明代替。说明经审核人员采纳后才沿用到以后各月；未采纳或随报表退回的，同一疑问须由审核人员采纳新的说明后方可通过。整表规则的强制项不通过时，只停发当月，不影响其他月份。事实未知（空白、保密、上月未通过审核）的不作判断，计为“缺”，不算通过也不算不通过。
同一单元格只问一次：读取时已指出的单元格不再问；规则之间的先后写在“让位于”。比较用的历史是审核通过的最近 {HISTORY_MONTH_COUNT} 个月。

**critical**: not accepted until corrected; a return that fails is held back alone. **warning**: accepted once confirmed; with the reason in the
remark column it becomes info and nobody calls; on FM-2 not where the same words stood in that row of the last accepted return, for they
say nothing of what is new. A critical rule cannot be explained away. An explanation answers
later months once a reviewer has taken it; where one was refused, or sent back with its return, a reviewer has to take the next one before the
return is accepted. A critical rule on a whole table holds back the
publication of that month only. What is unknown (blank, withheld, last month not accepted) is not judged: it counts as missing, neither passed
nor failed. One cell is asked about once: not again where reading already refused it, and "yields to" says which rule goes first. History
means the last {HISTORY_MONTH_COUNT} accepted months.

To change a bound, edit the YAML named above each table. To add a rule: one entry there (fact, bounds, wording in both languages); if it needs a
fact that no query has yet, one column in `sql/checks/`; one broken and one clean sample in `sample_data/broken_and_clean/`; then write the
examples (`python -m sample_data.rule_samples`) and this page anew. `servtrade rules ID` shows one rule with how often it fires.
"""

RuleKind = Literal["reader", "return", "table"]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One rule as a person may ask about it.

    `kind`      reader (what a file must be), return (single files), table (whole tables before publication)
    `meaning`   what it says, in one line; `help` why it is asked and how it is judged
    `example`   what it says of its broken sample: place, given, expected, and the message with what was found,
                what to do and whether one may go on; none for rules on whole tables, which speak to no clerk
    `asked`     the bound, in signs; empty for the reader
    `forms`     on which forms it can fire; empty where it is about any file
    `covers`    for which later queries an explanation given once holds; None where nothing can be explained
    `sources`   files below the house where it is written down
    """

    rule: str
    kind: RuleKind
    severity: Severity
    meaning: Wording
    help: Wording
    asked: str
    forms: tuple[str, ...]
    example: Finding | None
    covers: ExplanationCover | None
    explained_in_remark: bool
    yields_to: tuple[str, ...]
    sources: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "kind": self.kind,
            "severity": self.severity.value,
            "meaning": self.meaning.as_json(),
            "help": self.help.as_json(),
            "asked": self.asked,
            "forms": list(self.forms),
            "example": self.example.as_json() if self.example is not None else None,
            "explained_in_remark": self.explained_in_remark,
            "explanation_covers": (
                {"facts": list(self.covers.facts), "months": self.covers.months}
                if self.covers is not None
                else None
            ),
            "yields_to": list(self.yields_to),
            "sources": list(self.sources),
        }


@lru_cache(maxsize=1)
def catalogue_entries() -> Mapping[str, CatalogueEntry]:
    """Every finding that a file can get and every rule on tables, by id, in the order of work: G, P, then the book."""
    examples = _examples()
    entries: dict[str, CatalogueEntry] = {}
    for found in _reader_findings(READER_PATH):
        example = examples.get(found["id"])
        severity = Severity(found["severity"])
        entries[found["id"]] = CatalogueEntry(
            rule=found["id"],
            kind="reader",
            severity=severity,
            meaning=_wording(found["label"]),
            help=_wording(found["message"]),
            asked="",
            forms=(),
            example=example,
            covers=ExplanationCover() if severity is Severity.WARNING else None,
            explained_in_remark=False,
            yields_to=(),
            sources=("expectations/reader.yaml",),
        )
    for rule in rule_book():
        entries[rule.id] = _entry_of(rule, examples.get(rule.id))
    return entries


def _entry_of(rule: Rule, example: Finding | None) -> CatalogueEntry:
    is_explainable = rule.level == "return" and rule.severity is Severity.WARNING
    place = rule.table.replace(".", "/")
    return CatalogueEntry(
        rule=rule.id,
        kind="return" if rule.level == "return" else "table",
        severity=rule.severity,
        meaning=rule.label,
        help=rule.help,
        asked=_asked(rule.expectation, rule.arguments),
        forms=(example.form_code,) if example is not None and example.form_code else (),
        example=example,
        covers=rule.explanation_covers if is_explainable else None,
        explained_in_remark=bool(rule.explained_by),
        yields_to=rule.yields_to,
        sources=(f"expectations/{place}.yaml", f"sql/{place}.sql"),
    )


def _examples(path: Path = EXAMPLES_PATH) -> dict[str, Finding]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {
        rule: Finding(
            rule=rule,
            severity=Severity(one["severity"]),
            message=Wording(one["message"]["zh"], one["message"]["en"]),
            form_code=one["form"],
            sheet=one["sheet"],
            cell=one["cell"],
            key=one["key"],
            given=one["given"],
            expected=one["expected"],
        )
        for rule, one in loaded.items()
    }


def _reader_findings(reader: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load(reader.read_text(encoding="utf-8"))
    findings: list[dict[str, Any]] = document["findings"]
    return findings


def _wording(entry: Mapping[str, Any]) -> Wording:
    return Wording(str(entry["zh"]), str(entry["en"]))


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
    rows = []
    examples = _examples() if reader == READER_PATH else {}
    for entry in _reader_findings(reader):
        label, message = entry["label"], entry.get("message", {"zh": "", "en": ""})
        if set(label) != {"zh", "en"}:
            raise InvalidRule(f"{reader.name}: {entry['id']}: label needs zh and en.")
        rows.append(
            (
                entry["id"],
                _SEVERITY[Severity(entry["severity"])],
                _both(Wording(label["zh"], label["en"])),
                _both(Wording(str(message["zh"]), str(message["en"]))),
                _example(examples.get(entry["id"])),
            )
        )
    return _table(("编号 ID", "性质 severity", "问题 finding", "告知 message", "示例 example"), rows)


def _example(found: Finding | None) -> str:
    """Where the broken sample is asked about, and what a clerk is told there."""
    return "" if found is None else _both(found.message)


def _section(table: RuleTable) -> str:
    rows: list[tuple[str, ...]] = [
        (rule.id, _SEVERITY[rule.severity], _both(rule.label), _both(rule.help), _judged(rule))
        for rule in table.rules
    ]
    heads: tuple[str, ...] = ("编号 ID", "性质 severity", "规则 rule", "说明 help", "判断 judged")
    if table.level == "return":
        examples = _examples()
        rows = [(*row, _example(examples.get(row[0]))) for row in rows]
        heads = (*heads, "示例 example")
    file = f"expectations/{table.table.replace('.', '/')}.yaml"
    return f"### {table.table}\n\n`{file}`, facts: `sql/{table.table.replace('.', '/')}.sql`\n\n" + _table(
        heads, rows
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
        text += "<br>可在“说明”栏写明 can be explained in the remark"
    cover = rule.explanation_covers
    if cover.facts:
        text += (
            f"<br>说明沿用 {cover.months} 个月 an explanation holds for {cover.months} months: "
            f"{', '.join(f'`{fact}`' for fact in cover.facts)}"
        )
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
