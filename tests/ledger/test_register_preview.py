"""Looking at what a register file would change: told enterprise by enterprise, with nothing kept of it."""

from __future__ import annotations

import pytest

from pipelines.ledger import Ledger, RegisterRow
from pipelines.ledger.actors import Actor, NotAllowed, Role
from pipelines.periods import Month

FIRST, SECOND, THIRD = (f"91420100MA4K0000{number}A" for number in (1, 2, 3))
BEFORE = [
    RegisterRow(FIRST, "甲公司", "420103", "6513", Month(2026, 1), contact="王芳", phone="1"),
    RegisterRow(SECOND, "乙公司", "420111", "5439"),
]
AFTER = [
    RegisterRow(FIRST, "甲集团", "420106", "6513", Month(2026, 1), contact="王芳", phone="2"),
    RegisterRow(SECOND, "乙公司", "420111", "5439", to_month=Month(2026, 4)),
    RegisterRow(THIRD, "丙公司", "420103", "6420", Month(2026, 3)),
]
CLERK = Actor("li", frozenset({Role.CLERK}), account_id=1)


def test_a_preview_tells_each_change_and_keeps_none(ledger: Ledger) -> None:
    ledger.register.import_rows(BEFORE, CLERK)
    spells, head = ledger.enterprises(), ledger.audit.head().sequence
    first, second, third = ledger.register.preview_rows(AFTER, CLERK)
    assert (first.name_before, first.enterprise_name, first.changes_contact) == ("甲公司", "甲集团", True)
    assert [event[2] for event in first.new_events] == ["420106"]
    assert [event[2] for event in first.dropped_events] == ["420103"]
    assert (second.leaves, second.is_new, second.changes_contact) == (True, False, False)
    assert (third.is_new, third.leaves) == (True, False)
    assert (ledger.enterprises(), ledger.audit.head().sequence) == (spells, head)
    assert ledger.register.import_rows(AFTER, CLERK) == 3  # and it can be done as told
    assert ledger.register.preview_rows(AFTER, CLERK) == []


@pytest.mark.parametrize("role", [Role.DISTRICT_REVIEWER, Role.OFFICIAL, Role.SYSTEM_ADMIN])
def test_with_an_account_only_clerks_and_analysts_import(ledger: Ledger, role: Role) -> None:
    actor = Actor("sun", frozenset({role}), account_id=7)
    for act in (ledger.register.preview_rows, ledger.register.import_rows):
        with pytest.raises(NotAllowed):
            act(AFTER, actor)
    assert ledger.enterprises() == []
