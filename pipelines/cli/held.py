"""Months that are held, as they are told: which rule, at which enterprise and file, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.cli.exits import CommandFailed, Exit
from pipelines.cli.stores import ledger_to_read
from pipelines.cli.terminal import on_one_line
from pipelines.cli.words import SENTENCES
from pipelines.findings import Wording
from pipelines.periods import Month

if TYPE_CHECKING:
    from pipelines.publication.holds import Hold
    from pipelines.settings import Settings

_KEYS_SHOWN = 3
_LINE_ID = re.compile(r"([0-9a-f]{20})/(\S+)")


def told(settings: Settings, month: Month, holds: list[Hold]) -> list[Wording]:
    """One wording a rule: what failed, where, and the rule's own words on what to do."""
    from pipelines.validation.rules import rule_book

    helps = {rule.id: rule.help for rule in rule_book()}
    sources = _sources(settings, holds)
    wordings = []
    for hold in holds:
        keys = ", ".join(_LINE_ID.sub(lambda found: _place(found, sources), key) for key in _shown(hold))
        help_ = helps.get(hold.rule, Wording("", ""))  # a rule of an earlier version may be gone
        zh, en = SENTENCES["run_held"]
        facts = {"month": month, "rule": hold.rule, "count": hold.row_count, "keys": keys}
        wordings.append(
            Wording(
                zh.format(**facts, label=hold.label.zh, help=help_.zh).rstrip(),
                en.format(**facts, label=hold.label.en, help=help_.en).rstrip(),
            )
        )
    return wordings


def held_failure(settings: Settings, month: Month, holds: list[Hold]) -> CommandFailed:
    """The answer to a question about a month that has no draft because it is held."""
    reasons = told(settings, month, holds)
    zh, en = SENTENCES["held_no_draft"]
    return CommandFailed(
        Exit.DATA_ERRORS,
        "\n".join([*(reason.zh for reason in reasons), zh.format(month=month)]),
        "\n".join([*(reason.en for reason in reasons), en.format(month=month)]),
    )


def _shown(hold: Hold) -> tuple[str, ...]:
    return hold.first_keys[:_KEYS_SHOWN]


def _place(found: re.Match[str], sources: dict[str, str]) -> str:
    return f"{sources[found[1]]} {found[2]}" if found[1] in sources else found[0]


def _sources(settings: Settings, holds: list[Hold]) -> dict[str, str]:
    """Enterprise and file name of the submissions that keys speak of, by submission."""
    ids = {found[1] for hold in holds for key in _shown(hold) if (found := _LINE_ID.search(key))}
    if not ids:
        return {}
    with ledger_to_read(settings) as ledger:
        return {
            one.submission_id: f"{one.enterprise_name or one.department} "
            f"{one.enterprise_code} {on_one_line(one.file_name)}".strip()
            for one in ledger.submissions(submission_ids=sorted(ids))
        }
