"""How far the ledger has come for each month: what decides whether a month must be computed again.

Asking the ledger is the caller's part; nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Iterable

from assets.partitions import FIRST_MONTH
from pipelines.ledger import Change
from pipelines.periods import Month

STATE_METADATA = "ledger_state"  # key of the materialisation metadata of raw/return_cell


def month_states(changes: Iterable[Change], months: Iterable[Month]) -> dict[Month, tuple[int, int, int]]:
    """For each of these months (those with returns that stand), the newest entry of the ledger on which its tables depend.

    A return counts in its own month, in the cumulatives of the rest of that year and in the growth of the
    next; so does a departmental table in the months it speaks of.
    """
    known = list(changes)
    states: dict[Month, tuple[int, int, int]] = {}
    for month in months:
        if month < FIRST_MONTH:
            continue
        reaching = [change for change in known if _reaches(change, month)]
        if not reaching:
            continue
        states[month] = (
            max(change.sequence for change in reaching),
            max(change.decision_id for change in reaching),
            max(change.act_id for change in reaching),
        )
    return states


def _reaches(change: Change, month: Month) -> bool:
    """Whether tables of the month read what changed."""
    if change.first_month is None or change.last_month is None:
        return True  # a departmental table whose rows tell no period may matter to any month
    return change.first_month <= month and month.year - 1 <= change.last_month.year


def state_text(state: tuple[int, int, int]) -> str:
    """A state as it is kept in metadata, cursors and run keys."""
    sequence, decision_id, act_id = state
    # Months that were never reopened keep the text that they have always had.
    return f"{sequence}.{decision_id}" + (f".{act_id}" if act_id else "")
