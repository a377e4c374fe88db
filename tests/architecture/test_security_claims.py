"""What docs/asvs.csv claims is there: every file, every name in it, every test."""

from __future__ import annotations

import ast
import csv
import re
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
STATUSES = {"met", "partial", "no", "n/a", "deployment"}
# The items that this project set out to answer (users.md, 6.3), whatever the answer is.
WANTED = [
    "1.2.1",
    "1.2.4",
    "1.2.10",
    "1.3.7",
    "1.5.1",
    "2.1.1",
    "2.2.1",
    "2.2.2",
    "2.3.2",
    "2.3.5",
    "2.4.1",
    "3.2.1",
    "3.3.1",
    "3.3.2",
    "3.3.3",
    "3.4.1",
    "3.4.3",
    "3.4.4",
    "3.4.5",
    "3.4.6",
    "3.5.1",
    "3.5.3",
    "3.6.1",
    "4.1.1",
    "4.2.1",
    "4.3.1",
    "5.1.1",
    "5.2.1",
    "5.2.2",
    "5.2.3",
    "5.2.4",
    "5.3.1",
    "5.3.2",
    "5.4.1",
    "5.4.2",
    "5.4.3",
    "6.1.1",
    "6.2.1",
    "6.2.4",
    "6.2.9",
    "6.2.10",
    "6.2.11",
    "6.2.12",
    "6.3.1",
    "6.3.2",
    "6.3.3",
    "6.4.1",
    "7.1.1",
    "7.2.1",
    "7.2.2",
    "7.2.3",
    "7.2.4",
    "7.3.1",
    "7.3.2",
    "7.4.1",
    "7.4.2",
    "7.5.2",
    "8.2.1",
    "8.2.2",
    "8.2.3",
    "8.3.1",
    "8.4.1",
    "11.4.2",
    "12.1.1",
    "12.2.1",
    "12.3.3",
    "13.2.1",
    "13.2.2",
    "13.3.1",
    "13.4.2",
    "13.4.5",
    "14.2.1",
    "14.2.4",
    "14.3.2",
    "15.1.2",
    "15.2.2",
    "15.2.5",
    "16.1.1",
    "16.2.1",
    "16.2.2",
    "16.2.5",
    "16.3.1",
    "16.3.2",
    "16.3.3",
    "16.4.1",
    "16.4.2",
    "16.4.3",
    "16.5.1",
]

with (HOUSE / "docs" / "asvs.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


@cache
def names_in(path: Path) -> frozenset[str]:
    """Functions, classes and top-level names that a module defines, methods as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)


def listed(cell: str) -> list[str]:
    return [part for part in cell.split("; ") if part]


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_code_and_tests_of_a_claim_are_there(row: dict[str, str]) -> None:
    assert row["requirement"]
    assert row["status"] in STATUSES
    for reference in listed(row["code"]):
        path, _, name = reference.partition(":")
        assert (HOUSE / path).exists(), path
        assert not name or name in names_in(HOUSE / path), reference
    for reference in listed(row["test"]):
        path, _, name = reference.partition("::")
        assert (HOUSE / path).is_file(), path
        assert name in names_in(HOUSE / path), reference
    if row["status"] in {"met", "partial"}:
        assert listed(row["code"]), "says that it is met, and not by what"
        assert listed(row["test"]), "says that it is met, and shows it by no test"
    else:
        assert row["note"], "says that it is not met, and not why"
    if row["status"] == "partial":
        assert row["note"], "says partial, and not what is missing"


def test_every_wanted_item_is_answered_once() -> None:
    ids = [row["id"] for row in ROWS]
    assert len(ids) == len(set(ids))
    assert set(WANTED) - set(ids) == set()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+|T\d+", one) for one in ids)
    assert all(row["level"] in {"1", "2", "3"} for row in ROWS if not row["id"].startswith("T"))


def test_the_page_on_security_names_the_limits_that_the_code_keeps() -> None:
    from pipelines.ledger import sign_in
    from pipelines.ledger.passwords import MAX_LENGTH
    from pipelines.ledger.profiles import PROFILES
    from pipelines.settings import Settings

    page = (HOUSE / "docs" / "security.md").read_text(encoding="utf-8")
    minutes = {
        "idle": int(sign_in.IDLE_LIMIT.total_seconds() // 60),
        "window": int(sign_in.THROTTLE_WINDOW.total_seconds() // 60),
    }
    for said in (
        f"after {minutes['idle']} minutes without use and after {int(sign_in.ABSOLUTE_LIMIT.total_seconds() // 3600)} hours",
        f"is looked at for {minutes['window']} minutes",
        f"{PROFILES['asvs'].min_length} to {MAX_LENGTH} characters",
        f"every {(PROFILES['dengbao'].max_age or sign_in.IDLE_LIMIT).days} days",
        "Five failures",
        "twenty\nfailures",
    ):
        assert said in page, said
    assert (sign_in.FAILURES_AN_ACCOUNT, sign_in.FAILURES_AN_ADDRESS) == (5, 20)
    assert PROFILES["dengbao"].history_count == 5
    documented = Settings.__doc__ or ""
    for name in re.findall(r"SERVTRADE_\w+", page):
        assert name in documented, name
