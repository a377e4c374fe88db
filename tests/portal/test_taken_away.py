"""Files that leave the portal: who took what stands in the audit log, whichever page it came from."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from portal_bureau import OURS, PEOPLE, Browser, Bureau, Filed

import pipelines.portal.pages as pages
from pipelines.ledger.actors import Actor
from pipelines.ledger.audit import AuditEntry

DOWNLOADS = [
    ("clerk", "/board/workbook?month=2020-01&only=key", ("month", "2020-01"), "board"),
    ("clerk", "/reminders/letters.pdf?month=2020-02", ("month", "2020-02"), "letters"),
    (
        "our_district",
        f"/templates/workbook?month=2020-02&enterprise_code={OURS}",
        ("enterprise", OURS),
        "template",
    ),
    ("ours", f"/templates/workbook?month=2020-02&enterprise_code={OURS}", ("enterprise", OURS), "template"),
    ("analyst", "/templates/all?month=2020-02", ("month", "2020-02"), "templates"),
    ("clerk", "/submissions/{}/values", ("submission", "{}"), "values"),
    ("ours", "/submissions/{}/original", ("submission", "{}"), "original"),
    ("ours", "/submissions/{}/annotated", ("submission", "{}"), "annotated"),
    ("ours", "/submissions/{}/receipt.pdf", ("submission", "{}"), "receipt"),
]


def entries(bureau: Bureau) -> list[AuditEntry]:
    return bureau.ledger.audit.entries(reader=Actor.operator("root"), page_size=1_000).entries


@pytest.mark.parametrize(("person", "path", "of", "copy"), DOWNLOADS, ids=[one[1] for one in DOWNLOADS])
def test_each_file_taken_away_stands_in_the_audit_log(
    browser: Callable[[str], Browser],
    bureau: Bureau,
    filed: Filed,
    person: str,
    path: str,
    of: tuple[str, str],
    copy: str,
) -> None:
    submission_id = filed.accepted.submission_id
    before = len(entries(bureau))
    answer = browser(person).get(path.format(submission_id))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment;")
    new, *_ = told = entries(bureau)
    assert len(told) == before + 1
    assert (new.action, new.object_kind, new.object_id) == (
        "file.downloaded",
        of[0],
        of[1].format(submission_id),
    )
    assert (new.actor, new.new["copy"]) == (PEOPLE[person].actor.name, copy)
    assert new.address == "testclient"


def test_a_file_that_is_refused_is_not_told_as_taken(
    browser: Callable[[str], Browser], bureau: Bureau, filed: Filed
) -> None:
    before = len(entries(bureau))
    for person, path in (
        ("theirs", f"/submissions/{filed.accepted.submission_id}/original"),
        ("theirs", f"/templates/workbook?month=2020-02&enterprise_code={OURS}"),
        ("clerk", "/reminders/letters.pdf?month=2020-02&enterprise_code=x"),
    ):
        assert browser(person).get(path).status_code in (404, 409)
    assert len(entries(bureau)) == before


def test_no_page_gives_a_file_out_without_saying_so_in_the_log() -> None:
    """`download` alone is for what the ledger itself writes down: the export of the audit log."""
    calls = {
        (file.name, node.func.id)
        for file in Path(pages.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "download"
    }
    assert calls == {("audit.py", "download")}
