"""The audit log: what it keeps, and that nobody changes it unnoticed, on both databases."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import Connection, create_engine, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from pipelines.ledger import Ledger, LedgerUnusable, open_ledger
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, NotAllowed, Role
from pipelines.ledger.audit import (
    GENESIS_HASH,
    AuditFilter,
    NewEntry,
    SignedHead,
    _hash_of,
    append,
    append_many,
    csv_text,
    is_whole,
)
from pipelines.ledger.engine import open_engine, writing
from pipelines.ledger.kept_head import HEAD_FILE
from pipelines.ledger.keys import KEY_FILE

CLERK = Actor("wang", frozenset({Role.CLERK}), account_id=7, address="10.1.2.3")
AUDITOR = Actor("auditadmin", frozenset({Role.AUDIT_ADMIN}))


def confirmed(number: int) -> NewEntry:
    return NewEntry(
        "submission.confirmed",
        "submission",
        f"s{number:03d}",
        old={"status": "queries"},
        new={"status": "accepted"},
        reason="与企业核实",
    )


def five_entries(ledger: Ledger) -> None:
    ledger.audit.record(CLERK, [confirmed(number) for number in range(1, 6)])


def as_an_attacker(ledger_url: str, *statements: str) -> None:
    """Change the database behind the program's back, as somebody may who owns it."""
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        lift_the_guard(connection)
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def lift_the_guard(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("drop trigger if exists audit_entry_is_kept on audit_entry"))
    else:
        connection.execute(text("drop trigger if exists audit_entry_no_update"))
        connection.execute(text("drop trigger if exists audit_entry_no_delete"))


def faults(ledger: Ledger) -> list[tuple[int, str]]:
    return [(fault.sequence, fault.kind) for fault in ledger.audit.verify()]


def test_an_entry_says_who_did_what_to_what_from_where_and_why(ledger: Ledger) -> None:
    ledger.audit.record(CLERK, [confirmed(1)])
    [entry] = ledger.audit.entries(reader=AUDITOR).entries
    assert (entry.sequence, entry.actor, entry.account_id, entry.address) == (1, "wang", 7, "10.1.2.3")
    assert (entry.action, entry.object_kind, entry.object_id) == (
        "submission.confirmed",
        "submission",
        "s001",
    )
    assert (entry.old, entry.new, entry.reason) == (
        {"status": "queries"},
        {"status": "accepted"},
        "与企业核实",
    )
    assert entry.previous_hash == "0" * 64
    assert entry.at.utcoffset() is not None
    assert ledger.audit.verify() == []


def test_an_act_that_fails_leaves_no_entry(ledger: Ledger, ledger_url: str, tmp_path: Path) -> None:
    engine = open_engine(ledger_url)

    def confirm_and_fail() -> None:
        with writing(engine) as connection:
            append(connection, CLERK, "submission.confirmed", "submission", "s001")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        confirm_and_fail()
    engine.dispose()
    assert ledger.audit.entries(reader=AUDITOR).entry_count == 0
    assert ledger.audit.verify() == []


def test_an_empty_log_is_whole(ledger: Ledger) -> None:
    assert ledger.audit.verify() == []
    page = ledger.audit.entries(reader=AUDITOR)
    assert (page.entries, page.page, page.page_count) == ([], 1, 1)


def test_what_json_gives_back_otherwise_is_refused(ledger: Ledger) -> None:
    with pytest.raises(TypeError, match="float"):
        ledger.audit.record(CLERK, [NewEntry("a.b", "x", "1", new={"amount": 0.1})])
    ledger.audit.record(
        CLERK,
        [
            NewEntry(
                "a.b",
                "x",
                "1",
                new={
                    "day": date(2026, 3, 1),
                    "roles": frozenset({Role.CLERK}),
                    "sum": Decimal("0.10"),
                    "no": None,
                },
            )
        ],
    )
    [entry] = ledger.audit.entries(reader=AUDITOR).entries
    assert entry.new == {"day": "2026-03-01", "roles": ["clerk"], "sum": "0.10", "no": None}
    assert ledger.audit.verify() == []


def test_texts_that_no_database_takes_are_kept_with_a_mark_and_still_verify(ledger: Ledger) -> None:
    odd = replace(CLERK, name="王\x00\ud800")
    ledger.audit.record(odd, [NewEntry("a.b", "x", "\u202e1", new={"k\x00": "v\ud800"}, reason="\x00")])
    assert ledger.audit.verify() == []
    [entry] = ledger.audit.entries(reader=AUDITOR).entries
    assert entry.actor == "王\ufffd\ufffd"


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["update audit_entry set reason = '另有原因' where sequence = 3"], [(3, "changed")]),
        (["update audit_entry set actor = 'li' where sequence = 5"], [(5, "changed")]),
        (["""update audit_entry set "new" = '{"status": "queries"}' where sequence = 2"""], [(2, "changed")]),
        (["delete from audit_entry where sequence = 3"], [(3, "missing")]),
        (["delete from audit_entry where sequence = 1"], [(1, "missing")]),
        (["delete from audit_entry where sequence >= 4"], [(4, "tail_missing"), (5, "kept_lost")]),
        (["delete from audit_entry"], [(1, "tail_missing"), (5, "kept_lost")]),
        (
            [
                "update audit_entry set sequence = 99 where sequence = 2",
                "update audit_entry set sequence = 2 where sequence = 3",
                "update audit_entry set sequence = 3 where sequence = 99",
            ],
            [(2, "unlinked"), (2, "changed"), (3, "unlinked"), (3, "changed"), (4, "unlinked")],
        ),
        (
            ["delete from audit_entry where sequence = 5", "update audit_head set sequence = 4"],
            [(4, "head_changed"), (4, "head_changed"), (5, "kept_lost")],
        ),
        (
            [
                "delete from audit_entry where sequence = 5",
                "update audit_head set sequence = 4, entry_hash = "
                "(select entry_hash from audit_entry where sequence = 4)",
            ],
            [(4, "head_changed"), (5, "kept_lost")],  # only seal and kept head give this one away
        ),
        (["delete from audit_head"], [(5, "head_changed")]),
        (
            [
                "insert into audit_entry select 6, at, actor, account_id, action, object_kind, 's999', old, "
                '"new", reason, address, key_id, entry_hash, previous_hash from audit_entry where sequence = 5'
            ],
            [(6, "beyond_head")],
        ),
        (
            ["update audit_entry set key_id = '' where sequence = 4"],
            [(4, "unkeyed")],
        ),
    ],
    ids=[
        "a reason edited",
        "the last entry's actor edited",
        "a new value edited",
        "one taken out",
        "the first taken out",
        "the tail cut off",
        "all taken out",
        "two exchanged",
        "the tail cut off and the counter set back",
        "the tail cut off and the whole head set back",
        "the head taken out",
        "one put in at the end",
        "one passed off as written before there was a key",
    ],
)
def test_tampering_with_the_log_shows(
    ledger: Ledger, ledger_url: str, statements: list[str], found: list[tuple[int, str]]
) -> None:
    five_entries(ledger)
    as_an_attacker(ledger_url, *statements)
    assert faults(ledger) == found
    assert all(
        fault.is_tampering and fault.wording.zh and fault.wording.en for fault in ledger.audit.verify()
    )


def test_an_entry_put_in_between_with_honest_hashes_but_no_key_shows(ledger: Ledger, ledger_url: str) -> None:
    five_entries(ledger)
    as_an_attacker(
        ledger_url,
        "update audit_entry set sequence = 60 where sequence = 5",
        "insert into audit_entry select 5, at, actor, account_id, action, object_kind, 's999', old, "
        '"new", reason, address, key_id, entry_hash, entry_hash from audit_entry where sequence = 4',
    )
    assert faults(ledger) == [
        (5, "changed"),
        (60, "beyond_head"),
        (5, "head_changed"),
        (5, "kept_lost"),
    ]


def test_the_database_itself_refuses_to_change_an_entry(ledger: Ledger, ledger_url: str) -> None:
    five_entries(ledger)
    engine = create_engine(ledger_url)
    for statement in ("update audit_entry set reason = ''", "delete from audit_entry"):
        with pytest.raises(DatabaseError, match="only ever added to"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
    assert ledger.audit.verify() == []


def test_a_log_set_back_to_an_older_copy_shows_by_the_kept_head_and_against_an_exported_one(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    ledger.audit.record(CLERK, [confirmed(1), confirmed(2)])
    kept = tmp_path / "secrets" / HEAD_FILE
    old_kept = kept.read_bytes()
    engine = create_engine(ledger_url)
    with engine.connect() as connection:
        old_head = connection.execute(text("select * from audit_head")).one()
    five_entries(ledger)
    exported = ledger.audit.head()
    as_an_attacker(
        ledger_url,
        "delete from audit_entry where sequence > 2",
        f"update audit_head set sequence = 2, entry_hash = '{old_head.entry_hash}', seal = '{old_head.seal}'",
    )
    engine.dispose()
    assert faults(ledger) == [(7, "kept_lost")]  # in itself this is a log as it once was
    kept.write_bytes(old_kept)
    assert faults(ledger) == [], (
        "whoever sets back the folder of the key as well is shown by an exported head only"
    )
    [fault] = ledger.audit.verify([exported])
    assert (fault.sequence, fault.kind) == (7, "head_lost")


def written_anew_without_the_key(ledger_url: str) -> None:
    """What somebody does who has the database and not the key: evidence taken out, hashes made anew without a seal."""
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        lift_the_guard(connection)
        rows = [dict(row._mapping) for row in connection.execute(select(t.audit_entry))]
        connection.execute(delete(t.audit_entry))
        previous = GENESIS_HASH
        for number, row in enumerate(rows[1:], start=1):
            row |= {"sequence": number, "key_id": "", "previous_hash": previous, "actor": "nobody"}
            del row["entry_hash"]
            previous = row["entry_hash"] = _hash_of(row, None)
            connection.execute(insert(t.audit_entry).values(**row))
        connection.execute(
            update(t.audit_head).values(sequence=len(rows) - 1, entry_hash=previous, key_id="", seal="")
        )
    engine.dispose()


EMPTIED = (
    "delete from audit_entry",
    f"update audit_head set sequence = 0, entry_hash = '{GENESIS_HASH}', key_id = '', seal = ''",
)


def test_a_log_written_anew_without_the_key_does_not_pass_for_one_that_never_had_one(
    ledger: Ledger, ledger_url: str
) -> None:
    five_entries(ledger)
    written_anew_without_the_key(ledger_url)
    assert faults(ledger) == [(5, "kept_lost")]
    ledger.audit.record(CLERK, [confirmed(6)])
    assert (5, "kept_lost") in faults(ledger), "an honest act does not hide it"
    five_entries(ledger)
    assert faults(ledger) == [(5, "kept_lost")], "nor do many, when there is another entry of that number"


def test_an_emptied_log_does_not_pass_for_a_new_one(ledger: Ledger, ledger_url: str) -> None:
    five_entries(ledger)
    as_an_attacker(ledger_url, *EMPTIED)
    assert faults(ledger) == [(5, "kept_lost")]
    five_entries(ledger)
    assert faults(ledger) == [(5, "kept_lost")]


def test_a_lost_ledger_is_not_silently_made_anew(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    with open_ledger(url) as ledger:
        ledger.audit.record(CLERK, [confirmed(1)])
    for file in tmp_path.glob("ledger.sqlite*"):
        file.unlink()
    with pytest.raises(LedgerUnusable, match=r"账本已丢失，或地址写错.*从备份恢复账本"):
        open_ledger(url)
    # Whoever means to begin anew says so, and what tells of the old one is not deleted.
    (tmp_path / "secrets" / HEAD_FILE).rename(tmp_path / "audit.head.old")
    with open_ledger(url) as ledger:
        ledger.audit.record(CLERK, [confirmed(1)])
        assert ledger.audit.verify() == []


def test_what_the_log_lost_is_told_until_somebody_at_the_machine_answers_for_it(
    ledger: Ledger, ledger_url: str
) -> None:
    operator = Actor.operator("root")
    five_entries(ledger)
    assert ledger.audit.acknowledge(operator, reason="无缺失") == []
    as_an_attacker(ledger_url, *EMPTIED)
    with pytest.raises(NotAllowed, match="本机"):
        ledger.audit.acknowledge(AUDITOR, reason="从备份恢复")
    [lost] = ledger.audit.acknowledge(operator, reason="从备份恢复")
    assert lost.sequence == 5
    assert faults(ledger) == []
    [entry] = ledger.audit.entries(reader=AUDITOR).entries
    assert (entry.action, entry.reason) == ("audit.break_acknowledged", "从备份恢复")
    assert entry.new == {"entries": [{"sequence": 5, "entry_hash": lost.entry_hash}]}


def test_an_end_between_an_act_and_its_kept_head_is_no_tampering_and_the_next_act_mends_it(
    ledger: Ledger, tmp_path: Path
) -> None:
    kept = tmp_path / "secrets" / HEAD_FILE
    ledger.audit.record(CLERK, [confirmed(1)])
    before = kept.read_bytes()
    ledger.audit.record(CLERK, [confirmed(2)])
    kept.write_bytes(before)
    [behind] = ledger.audit.verify()
    assert (behind.sequence, behind.kind, behind.is_tampering) == (1, "kept_behind", False)
    ledger.audit.record(CLERK, [confirmed(3)])
    assert faults(ledger) == []


def test_a_kept_head_that_is_gone_or_changed_is_told(ledger: Ledger, tmp_path: Path) -> None:
    kept = tmp_path / "secrets" / HEAD_FILE
    five_entries(ledger)
    whole = kept.read_text(encoding="utf-8")
    kept.unlink()
    assert faults(ledger) == [(5, "unkept")]
    for content in ("", "[" * 5_000, "{}", whole.replace('"sequence": 5', '"sequence": 1'), "\x00"):
        kept.write_text(content, encoding="utf-8")
        assert [kind for _, kind in faults(ledger)] == ["kept_lost"], content[:20]
        with pytest.raises(LedgerUnusable, match=r"audit\.head"):
            ledger.audit.record(CLERK, [confirmed(6)])
    kept.write_text(whole, encoding="utf-8")
    assert faults(ledger) == []


def test_an_act_that_comes_to_nothing_keeps_no_head(ledger: Ledger, ledger_url: str, tmp_path: Path) -> None:
    five_entries(ledger)
    before = (tmp_path / "secrets" / HEAD_FILE).read_bytes()

    def act_and_fail() -> None:
        with writing(ledger._engine) as connection:
            append(connection, CLERK, "submission.confirmed", "submission", "s001")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act_and_fail()
    assert (tmp_path / "secrets" / HEAD_FILE).read_bytes() == before
    assert faults(ledger) == []


def test_an_exported_head_is_borne_out_by_a_log_that_has_grown_and_its_forgery_is_not(ledger: Ledger) -> None:
    five_entries(ledger)
    exported = ledger.audit.head()
    ledger.audit.record(CLERK, [confirmed(6)])
    again = SignedHead.from_json(json.loads(json.dumps(exported.as_json())))
    assert ledger.audit.verify([again]) == []
    [fault] = ledger.audit.verify([replace(exported, exported_at="2020-01-01T00:00:00+08:00")])
    assert fault.kind == "head_lost"
    with pytest.raises(ValueError, match="signed head"):
        SignedHead.from_json({"sequence": 1})


def test_without_its_key_the_log_is_neither_written_nor_taken_for_whole(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    five_entries(ledger)
    (tmp_path / "secrets" / KEY_FILE).rename(tmp_path / "kept.key")
    with open_ledger(ledger_url, secrets_dir=tmp_path / "secrets") as reopened:
        assert faults(reopened) == [(1, "key_unknown")]
        assert is_whole(reopened.audit.verify()) is None
        with pytest.raises(LedgerUnusable, match=r"secrets/ledger\.key"):
            five_entries(reopened)
        assert not (tmp_path / "secrets" / KEY_FILE).exists()
    (tmp_path / "kept.key").rename(tmp_path / "secrets" / KEY_FILE)
    with open_ledger(ledger_url, secrets_dir=tmp_path / "secrets") as reopened:
        assert faults(reopened) == []


def test_without_the_key_one_sentence_says_which_entries_cannot_be_checked_and_how_to_get_on(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    five_entries(ledger)
    exported = ledger.audit.head()
    with open_ledger(ledger_url, secrets_dir=tmp_path / "elsewhere") as reopened:
        [fault] = reopened.audit.verify([exported])
        assert (fault.is_unchecked, fault.is_tampering) == (True, False)
        assert f"第 1 至 5 条是用密钥 {exported.key_id} 封存的，数据文件夹中没有这把密钥" in fault.wording.zh
        assert "请从备份恢复 secrets/ledger.key 后重新核验" in fault.wording.zh
        assert f"Entries 1 to 5 are sealed with the key {exported.key_id}, which is not" in fault.wording.en
        assert "Restore secrets/ledger.key from a backup and verify again" in fault.wording.en
        other = replace(exported, entry_hash="0" * 64)
        told = reopened.audit.verify([other])
        assert [one.kind for one in told] == ["head_lost", "key_unknown"], (
            "a hash is compared without the key too"
        )
        assert is_whole(told) is False


def test_another_key_without_a_kept_head_is_no_key(ledger: Ledger, ledger_url: str, tmp_path: Path) -> None:
    five_entries(ledger)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / KEY_FILE).write_text("ab" * 32)
    with open_ledger(ledger_url, secrets_dir=tmp_path / "other") as reopened:
        [fault] = reopened.audit.verify()
        assert fault.is_unchecked
        assert "（此处的密钥是 " in fault.wording.zh
    (tmp_path / "secrets" / KEY_FILE).write_text("ab" * 32)
    with open_ledger(ledger_url, secrets_dir=tmp_path / "secrets") as reopened:
        assert faults(reopened) == [(1, "key_unknown")], "the kept head is not sealed with it either"


def test_what_shows_without_the_key_is_told_beside_it(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    five_entries(ledger)
    as_an_attacker(ledger_url, "delete from audit_entry where sequence = 3")
    with open_ledger(ledger_url, secrets_dir=tmp_path / "elsewhere") as reopened:
        found = reopened.audit.verify()
    assert sorted((fault.sequence, fault.kind) for fault in found) == [(1, "key_unknown"), (3, "missing")]
    assert is_whole(found) is False


@pytest.mark.parametrize(
    ("where", "found"), [("sequence in (2, 3, 5)", [(2, 3), (5, 5)]), ("true", [(1, 5)])], ids=["some", "all"]
)
def test_entries_sealed_with_a_key_of_somebody_else_are_tampering_and_told_by_runs(
    ledger: Ledger, ledger_url: str, where: str, found: list[tuple[int, int]]
) -> None:
    five_entries(ledger)
    as_an_attacker(ledger_url, f"update audit_entry set key_id = 'somebody-else' where {where}")
    told = ledger.audit.verify()
    assert [(one.sequence, one.kind, one.is_tampering) for one in told] == [
        (first, "key_unknown", True) for first, _ in found
    ]
    for one, (first, last) in zip(told, found, strict=True):
        which = f"第 {first} 条" if first == last else f"第 {first} 至 {last} 条"
        assert one.wording.zh.startswith(f"{which}用密钥 somebody-else 封存")
    assert is_whole(told) is False


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "\x00"])
def test_a_damaged_key_file_is_told_and_never_replaced(
    ledger: Ledger, ledger_url: str, tmp_path: Path, content: str
) -> None:
    five_entries(ledger)
    file = tmp_path / "secrets" / KEY_FILE
    file.chmod(0o600)
    file.write_text(content)
    with (
        open_ledger(ledger_url, secrets_dir=tmp_path / "secrets") as reopened,
        pytest.raises(LedgerUnusable, match="cannot be used"),
    ):
        reopened.audit.verify()
    assert file.read_text() == content


def test_the_key_is_readable_by_its_owner_only(ledger: Ledger, tmp_path: Path) -> None:
    five_entries(ledger)
    held = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()}
    assert held == {KEY_FILE: 0o600, HEAD_FILE: 0o600}


def test_a_ledger_without_a_key_is_still_chained(ledger_url: str) -> None:
    if not ledger_url.startswith("postgresql"):
        pytest.skip("beside an SQLite file there is always room for a key")
    with open_ledger(ledger_url) as unkeyed:
        five_entries(unkeyed)
        assert faults(unkeyed) == []
        as_an_attacker(ledger_url, "update audit_entry set reason = 'x' where sequence = 2")
        assert faults(unkeyed) == [(2, "changed")]


def test_a_clock_set_back_is_noted_but_is_no_tampering(ledger: Ledger) -> None:
    with time_machine.travel(datetime(2026, 5, 6, 12, tzinfo=UTC), tick=False):
        ledger.audit.record(CLERK, [confirmed(1)])
    with time_machine.travel(datetime(2026, 5, 6, 11, 59, tzinfo=UTC), tick=False):
        ledger.audit.record(CLERK, [confirmed(2)])  # a minute: clocks are corrected
    with time_machine.travel(datetime(2026, 5, 1, tzinfo=UTC), tick=False):
        ledger.audit.record(CLERK, [confirmed(3)])
    [fault] = ledger.audit.verify()
    assert (fault.sequence, fault.kind, fault.is_tampering) == (3, "clock_back", False)


def _record_fifty(arguments: tuple[str, str, int]) -> None:
    url, secrets_dir, person = arguments
    with open_ledger(url, secrets_dir=Path(secrets_dir)) as ledger:
        for number in range(50):
            ledger.audit.record(replace(CLERK, name=f"p{person}"), [confirmed(number)])


def test_processes_appending_at_once_make_one_chain(ledger: Ledger, ledger_url: str, tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.map(_record_fifty, [(ledger_url, str(tmp_path / "secrets"), person) for person in range(3)])
    assert ledger.audit.entries(reader=AUDITOR).entry_count == 150
    assert faults(ledger) == []


def test_three_hundred_filings_are_four_statements(ledger: Ledger, ledger_url: str, tmp_path: Path) -> None:
    from sqlalchemy import event

    from pipelines.ledger.keys import KeyRing, give_keys

    engine = open_engine(ledger_url)
    give_keys(engine, KeyRing(tmp_path / "secrets"))
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *facts: statements.append(facts[2]))
    with writing(engine) as connection:
        append_many(connection, CLERK, [confirmed(number) for number in range(300)])
    engine.dispose()
    told = [one for one in statements if not one.lower().startswith("begin")]
    # The driver may split the insert by its limit of parameters, not by rows.
    assert len([one for one in told if "audit_head" in one.lower()]) == 3
    assert len(told) <= 8
    assert faults(ledger) == []


def test_filters_and_pages(ledger: Ledger) -> None:
    with time_machine.travel(datetime(2026, 5, 6, 15, 59, tzinfo=UTC), tick=False):  # 23:59 in Shanghai
        five_entries(ledger)
    with time_machine.travel(datetime(2026, 5, 6, 16, 1, tzinfo=UTC), tick=False):  # 00:01 the next day
        ledger.audit.record(replace(CLERK, name="li"), [NewEntry("submission.filed", "submission", "s001")])
        ledger.audit.record(CLERK, [NewEntry("submissions.listed", "submission", "%")])

    def found(**wanted: object) -> list[int]:
        page = ledger.audit.entries(AuditFilter(**wanted), reader=AUDITOR)  # type: ignore[arg-type]
        return [entry.sequence for entry in page.entries]

    assert found() == [7, 6, 5, 4, 3, 2, 1]
    assert found(actor="li") == [6]
    assert found(action="submission") == [6, 5, 4, 3, 2, 1]
    assert found(action="submission.filed") == [6]
    assert found(action="sub%") == []
    assert found(object_kind="submission", object_id="s001") == [6, 1]
    assert found(since=date(2026, 5, 7)) == [7, 6]
    assert found(until=date(2026, 5, 6)) == [5, 4, 3, 2, 1]
    assert found(until=date.max) == found()
    second = ledger.audit.entries(AuditFilter(), 2, reader=AUDITOR, page_size=3)
    assert ([entry.sequence for entry in second.entries], second.page_count) == ([4, 3, 2], 3)
    assert ledger.audit.entries(page=99, reader=AUDITOR, page_size=3).page == 3
    assert [entry.sequence for entry in ledger.audit.trail("submission", "s001")] == [1, 6]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDIT_ADMIN])
def test_only_the_audit_administrator_reads_and_exports_the_log(ledger: Ledger, role: Role) -> None:
    five_entries(ledger)
    reader = Actor("somebody", frozenset({role}))
    with pytest.raises(NotAllowed):
        ledger.audit.entries(reader=reader)
    with pytest.raises(NotAllowed):
        ledger.audit.export(io.StringIO(), "csv", reader=reader)


def test_an_export_as_csv_holds_nothing_that_a_spreadsheet_would_run(ledger: Ledger) -> None:
    attack = '=HYPERLINK("http://example.invalid","x")'
    ledger.audit.record(
        replace(CLERK, name="@SUM(A1)"),
        [NewEntry("a.b", "x", "-1.5", new="+cmd|' /C calc'!A0", reason=attack)],
    )
    stream = io.StringIO()
    assert ledger.audit.export(stream, "csv", AuditFilter(object_kind="x"), reader=AUDITOR) == 1
    rows = list(csv.DictReader(io.StringIO(stream.getvalue().removeprefix("\ufeff"))))
    assert stream.getvalue().startswith("\ufeff")
    assert [row["reason"] for row in rows] == [f"'{attack}"]
    assert rows[0]["actor"] == "'@SUM(A1)"
    assert rows[0]["object_id"] == "-1.5"
    assert rows[0]["new"].startswith("'+cmd")
    assert rows[0]["at"].endswith("+08:00")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        ("-4.6", "-4.6"),
        ("+86 10 8888", "'+86 10 8888"),
        ("=1+1", "'=1+1"),
        ("＝1+1", "'＝1+1"),
        ("\t=1", "'\t=1"),
        ("正常", "正常"),
        (12, "12"),
        ({"a": "=1"}, '{"a": "=1"}'),
    ],
)
def test_texts_in_a_csv(value: object, written: str) -> None:
    assert csv_text(value) == written


def test_an_export_as_lines_ends_with_the_signed_head_and_is_itself_in_the_log(ledger: Ledger) -> None:
    five_entries(ledger)
    stream = io.StringIO()
    assert ledger.audit.export(stream, "ndjson", reader=AUDITOR) == 6
    *lines, last = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["sequence"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert (lines[-1]["action"], lines[-1]["actor"]) == ("audit.exported", "auditadmin")
    assert ledger.audit.verify([SignedHead.from_json(last["head"])]) == []


def test_reading_the_log_of_a_ledger_that_may_not_be_written_makes_no_key(
    ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ledger(ledger_url, secrets_dir=tmp_path / "none").close()
    with open_ledger(ledger_url, is_read_only=True, secrets_dir=tmp_path / "none") as ledger:
        assert ledger.audit.verify() == []
    assert not (tmp_path / "none").exists()
