"""`servtrade rules`: the catalogue of rules, and one rule with its example and how often it fires."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.exits import Exit
from pipelines.cli.options import common, json_option
from pipelines.cli.stores import ledger_to_read
from pipelines.cli.terminal import Terminal

if TYPE_CHECKING:
    from pipelines.ledger.rule_counts import RuleCount, RuleCounts
    from pipelines.validation.catalogue import CatalogueEntry

_SEVERITIES = {"critical": ("强制", "critical"), "warning": ("核实", "warning"), "info": ("提示", "info")}


@click.command()
@click.argument("rule", required=False, metavar="[ID]")
@common
@json_option
@click.pass_obj
def rules(terminal: Terminal, rule: str | None, as_json: bool) -> None:
    """审核规则：列出全部，或一条规则的含义、示例和触发次数。

    The rules: all of them, or one with its meaning, an example and how often it fired in the last twelve months.

    \b
    servtrade rules
    servtrade rules H2 --json

    ID is what stands in the brackets at the end of a message: 〔H2〕. Counts are of the ledger of the data folder; where
    there is none, they are left out.
    """
    from pipelines.validation.catalogue import catalogue_entries

    entries = catalogue_entries()
    if rule is not None:
        wanted = rule.strip("〔〕[] ").casefold()
        chosen = next((entry for name, entry in entries.items() if name.casefold() == wanted), None)
        if chosen is None:
            raise terminal.fail(Exit.USAGE, "unknown_rule", rule=rule)
        entries = {chosen.rule: chosen}
    counts = _counts(terminal)
    if as_json:
        listed = [entry.as_json() | _frequency(counts, entry.rule) for entry in entries.values()]
        months = [str(month) for month in counts.months] if counts is not None else []
        terminal.json(
            {"months": months, "files": counts.file_count if counts is not None else None, "rules": listed}
        )
    elif rule is None:
        _list(terminal, list(entries.values()), counts)
    else:
        _show(terminal, next(iter(entries.values())), counts)


def _counts(terminal: Terminal) -> RuleCounts | None:
    """How often rules fired, None where nothing has been filed yet (no ledger)."""
    from pipelines.ledger import LedgerMissing

    try:
        with ledger_to_read(terminal.settings) as ledger:
            return ledger.rule_counts()
    except LedgerMissing:
        terminal.note(terminal.word("rules_without_ledger"))
        return None


def _frequency(counts: RuleCounts | None, rule: str) -> dict[str, Any]:
    if counts is None:
        return {"fired": None}
    count = counts.of(rule)
    return {
        "fired": {
            "files": count.file_count,
            "findings": count.finding_count,
            "share_pct": round(count.share_pct, 2) if count.share_pct is not None else None,
            "by_month": {str(month): number for month, number in count.by_month},
        }
    }


def _list(terminal: Terminal, entries: list[CatalogueEntry], counts: RuleCounts | None) -> None:
    heads = [
        terminal.pick("编号", "ID"),
        terminal.pick("性质", "severity"),
        terminal.pick("规则", "rule"),
        terminal.pick("触发文件", "files"),
        "%",
    ]
    rows = []
    for entry in entries:
        count: RuleCount | None = (
            counts.of(entry.rule) if counts is not None and entry.kind != "table" else None
        )
        share = f"{count.share_pct:.1f}" if count is not None and count.share_pct is not None else ""
        files = count.file_count if count is not None else ""
        meaning = terminal.pick(entry.meaning.zh, entry.meaning.en)
        rows.append([entry.rule, terminal.pick(*_SEVERITIES[entry.severity.value]), meaning, files, share])
    terminal.table(heads, rows, right={3, 4})


def _show(terminal: Terminal, entry: CatalogueEntry, counts: RuleCounts | None) -> None:
    def text(zh: str, en: str) -> str:
        return terminal.pick(zh, en)

    terminal.result(
        f"{entry.rule}  {text(*_SEVERITIES[entry.severity.value])}  {text(entry.meaning.zh, entry.meaning.en)}"
    )
    terminal.result(text(entry.help.zh, entry.help.en))
    if entry.asked:
        terminal.result(f"{text('判断', 'asked')}: {entry.asked.replace('`', '')}")
    if entry.example is not None:
        terminal.result(
            f"{text('示例', 'example')}: {text(entry.example.message.zh, entry.example.message.en)}"
        )
    if entry.covers is not None:
        facts = ", ".join(entry.covers.facts) or text("填报值", "the value given")
        terminal.result(terminal.word("explanation_holds", months=entry.covers.months, facts=facts))
    if entry.yields_to:
        terminal.result(f"{text('让位于', 'yields to')}: {', '.join(entry.yields_to)}")
    terminal.result(f"{text('依据', 'written in')}: {', '.join(entry.sources)}")
    if counts is not None and entry.kind != "table":
        count = counts.of(entry.rule)
        share = f"{count.share_pct:.1f}" if count.share_pct is not None else "—"
        terminal.result(
            terminal.word("rule_fired", files=count.file_count, all=counts.file_count, share=share)
        )
        rows = [[str(month), number] for month, number in count.by_month if number]
        if rows:
            terminal.table([text("月份", "month"), text("文件", "files")], rows, right={1})
