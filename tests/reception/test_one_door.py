"""One door: portal, inbox and command line say the same of the same files, and write the same into the ledger."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filed_by_hand import Line, a_rate_table, a_workbook, credit_code

from pipelines.cli.main import main
from pipelines.ledger import Ledger, RegisterRow, open_ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.periods import Month
from pipelines.reception import receive_inbox
from pipelines.reception.receipt import receipt_of
from pipelines.reception.uploads import UploadDesk, UploadedFile
from pipelines.settings import Settings
from sample_data.city import generate

CLERK = Actor("统计员", frozenset({Role.CLERK}))

# What differs by nature: by which door, when, and by whom.
NOT_COMPARED = {
    "channel",
    "received_at",
    "received_by",
    "recorded_at",
    "recorded_by",
    "given_at",
    "given_by",
    "origin",
    "decided_at",
    "at",
}
# The portal's own queue, who did what, and people's accounts.
NOT_OF_THE_DOOR = ("upload", "upload_file", "audit_", "account", "session", "sign_in", "alembic", "sqlite_")

Door = Callable[[Settings, Ledger, list[tuple[str, bytes]], Path], None]


def by_portal(settings: Settings, ledger: Ledger, files: list[tuple[str, bytes]], _: Path) -> None:
    desk = UploadDesk(settings, ledger)
    upload_id = desk.take_in([UploadedFile(name, io.BytesIO(content)) for name, content in files], CLERK)
    with desk:
        assert desk.wait_for(upload_id, CLERK, seconds=120).is_finished


def by_inbox(settings: Settings, ledger: Ledger, files: list[tuple[str, bytes]], _: Path) -> None:
    settings.inbox_dir.mkdir(parents=True)
    for name, content in files:
        (settings.inbox_dir / name).write_bytes(content)
    assert len(receive_inbox(settings, ledger, settle_seconds=0.05)) == len(files)


def by_command_line(settings: Settings, _: Ledger, files: list[tuple[str, bytes]], folder: Path) -> None:
    folder.mkdir()
    for name, content in files:
        (folder / name).write_bytes(content)
    paths = [str(folder / name) for name, _ in files]
    result = CliRunner().invoke(main, ["--data", str(settings.data_dir), "submit", *paths, "--json"])
    assert result.exit_code in (0, 1, 3), result.output


DOORS: dict[str, Door] = {"portal": by_portal, "inbox": by_inbox, "command line": by_command_line}


@dataclass(frozen=True)
class Bureau:
    """A bureau after all files have come in through one door."""

    settings: Settings
    rows: dict[str, list[str]]
    lines: dict[str, bytes]


def rows_of(settings: Settings) -> dict[str, list[str]]:
    """Every row of the ledger that is the door's, without what differs by nature."""
    rows: dict[str, list[str]] = {}
    with sqlite3.connect(settings.data_dir / "ledger.sqlite") as connection:
        tables = [
            name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
        ]
        for table in sorted(tables):
            if table.startswith(NOT_OF_THE_DOOR):
                continue
            columns = [column[1] for column in connection.execute(f"pragma table_info({table})")]
            kept = [column for column in columns if column not in NOT_COMPARED]
            rows[table] = sorted(map(repr, connection.execute(f"select {', '.join(kept)} from {table}")))
    return rows


def file_at(door: str, folder: Path, register: list[RegisterRow], files: list[tuple[str, bytes]]) -> Bureau:
    data = folder / door / "data"
    settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=1)
    with open_ledger(settings.ledger_url) as ledger:
        ledger.import_register(register)
        DOORS[door](settings, ledger, files, folder / door / "files")
    lines = {
        str(path.relative_to(data)): path.read_bytes() for path in sorted((data / "lines").rglob("*.parquet"))
    }
    return Bureau(settings, rows_of(settings), lines)


def the_same_at_every_door(
    folder: Path, register: list[RegisterRow], files: list[tuple[str, bytes]]
) -> Bureau:
    bureaus = {door: file_at(door, folder, register, files) for door in DOORS}
    portal = bureaus["portal"]
    for door, bureau in bureaus.items():
        for table, rows in portal.rows.items():
            assert bureau.rows[table] == rows, f"{door}: {table}"
        assert bureau.lines == portal.lines, door
    return portal


def by_hand() -> list[tuple[str, bytes]]:
    """One of everything: clean, erroneous, unreadable, hostile, departmental, CSV, corrected, twice, explained."""
    clean = a_workbook(credit_code(1), "2020-01", [Line(export=100, export_ytd=100)])
    return [
        ("01_汇率.csv", a_rate_table(2020)),
        ("02_净.xlsx", clean),
        ("03_文字.xlsx", a_workbook(credit_code(2), "2020-01", [Line(export="十万", export_ytd=1)])),
        ("04_坏.xlsx", b"PK\x03\x04 broken"),
        ("05_空.xlsx", b""),
        ("06_旧.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
        ("07_网页.xlsx", b"<html><script>alert(1)</script>"),
        ("08_两次.xlsx", clean),
        (
            "09_更正.xlsx",
            a_workbook(
                credit_code(1), "2020-01", [Line(export=110, export_ytd=110)], is_revision=True, note="更正"
            ),
        ),
        ("10_二月.xlsx", a_workbook(credit_code(1), "2020-02", [Line(export=9000, export_ytd=9110)])),
        (
            "11_说明.xlsx",
            a_workbook(
                credit_code(3), "2020-02", [Line(export=5, export_ytd=9, remark="新签合同，金额属实")]
            ),
        ),
        ("12_零报.xlsx", a_workbook(credit_code(4), "2020-01", [], is_zero_return=True)),
        ("13_陌生.xlsx", a_workbook(credit_code(99), "2020-01", [Line(export=1, export_ytd=1)])),
        ("14_无码.xlsx", a_workbook("", "2020-01", [Line(export=1, export_ytd=1)])),
        ("15_未来.xlsx", a_workbook(credit_code(5), "2099-01", [Line(export=1, export_ytd=1)])),
        (
            "16_#名$字%.xlsx",
            a_workbook(credit_code(6), "2020-01", [Line(export="１，２３４.５", export_ytd=1234.5)]),
        ),
        ("17_一行.csv", "单位,金额\n某公司,1\n".encode("gb18030")),
    ]


def test_one_of_everything_is_the_same_at_every_door(tmp_path: Path) -> None:
    register = [
        RegisterRow(credit_code(n), "示例一号服务有限公司", "420111", "6513", Month(2019, 1))
        for n in range(1, 9)
    ]
    portal = the_same_at_every_door(tmp_path, register, by_hand())
    assert len(portal.rows["submission"]) == 16
    assert len(portal.rows["filing"]) == 17
    verdicts = {verdict for verdict in ("accepted", "queries", "rejected", "unreadable")
                if any(f"'{verdict}'" in row for row in portal.rows["submission"])}  # fmt: skip
    assert verdicts == {"accepted", "queries", "rejected", "unreadable"}


def test_a_city_with_every_kind_of_mistake_is_the_same_at_every_door(tmp_path: Path) -> None:
    city = tmp_path / "city"
    generate(city, enterprises=10, first="2019-11", months=3, seed=3, processes=1, error_share=0.3)
    with (city / "register.csv").open(encoding="utf-8-sig", newline="") as file:
        register = [
            RegisterRow(
                row["enterprise_code"], row["enterprise_name"], row["district_code"], row["industry_code"]
            )
            for row in csv.DictReader(file)
        ]
    with (city / "filings.csv").open(encoding="utf-8", newline="") as file:
        paths = [city / row["path"] for row in csv.DictReader(file)]
    files = [(f"{number:03d}_{path.name}", path.read_bytes()) for number, path in enumerate(paths)]
    truths = [json.loads(line) for line in (city / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({truth["kind"] for truth in truths}) >= 5
    portal = the_same_at_every_door(tmp_path, register, files[:300])
    assert len(portal.rows["finding"]) > 20


def test_files_one_by_one_get_at_a_warm_desk_what_they_get_at_a_cold_door(tmp_path: Path) -> None:
    """The desk keeps its bench and its children between files: nothing of one file may reach the next."""
    register = [
        RegisterRow(credit_code(n), "示例一号服务有限公司", "420111", "6513", Month(2019, 1))
        for n in range(1, 9)
    ]
    files = by_hand()
    seen: dict[str, Any] = {}
    for door in ("warm", "cold"):
        data = tmp_path / door / "data"
        settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=1)
        with open_ledger(settings.ledger_url) as ledger:
            ledger.import_register(register)
            if door == "warm":
                with UploadDesk(settings, ledger) as desk:
                    for name, content in files:
                        upload_id = desk.take_in([UploadedFile(name, io.BytesIO(content))], CLERK)
                        assert desk.wait_for(upload_id, CLERK, seconds=60).is_finished
            else:
                for name, content in files:
                    by_command_line(settings, ledger, [(name, content)], tmp_path / door / name)
            seen[door] = rows_of(settings)
            receipts = [
                replace(
                    receipt_of(ledger, one.submission_id),
                    received_at=one.received_at.replace(
                        year=2000, month=1, day=1, hour=0, minute=0, second=0, microsecond=0
                    ),
                    received_by="",
                    received_by_name="",
                    channel="",
                )
                for one in ledger.submissions()
            ]
            seen[f"{door} receipts"] = receipts
    assert seen["warm"] == seen["cold"]
    assert seen["warm receipts"] == seen["cold receipts"]


def test_a_drop_too_large_for_memory_is_judged_in_parts_that_give_what_one_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells wait packed, and enterprises are judged some after the others; nobody's verdict depends on it."""
    from pipelines.reception import door, workbench

    register = [
        RegisterRow(credit_code(n), "示例一号服务有限公司", "420111", "6513", Month(2019, 1))
        for n in range(1, 9)
    ]
    whole = file_at("command line", tmp_path / "whole", register, by_hand())
    monkeypatch.setattr(door, "_MOST_LOOSE_CELLS", 3)
    monkeypatch.setattr(door, "_MOST_CELLS_JUDGED", 30)
    monkeypatch.setattr(workbench, "_MOST_CELLS", 60)
    parted = file_at("command line", tmp_path / "parted", register, by_hand())
    assert len(parted.rows["batch"]) > len(whole.rows["batch"]) == 1
    # Parts are recorded one after the other, so places in the record and file names of batches differ; what was
    # found, and which version stands, does not.
    for table in ("finding", "fix", "filing", "submission_form"):
        assert without_number(parted, table) == without_number(whole, table), table
    assert standing_of(parted.settings) == standing_of(whole.settings)
    assert cells_of(parted.settings) == cells_of(whole.settings)


def without_number(bureau: Bureau, table: str) -> list[str]:
    """Rows of a table; of arrivals without the number that the database gave them."""
    rows = bureau.rows[table]
    return sorted(row.partition(",")[2] for row in rows) if table == "filing" else rows


def standing_of(settings: Settings) -> list[object]:
    with open_ledger(settings.ledger_url, is_read_only=True) as ledger:
        return sorted(
            (
                one.sha256,
                one.verdict,
                one.status,
                one.version or 0,
                one.is_current,
                one.is_current_accepted,
                one.line_count,
            )
            for one in ledger.submissions()
        )


def cells_of(settings: Settings) -> list[object]:
    from pipelines.stores import Lines

    with open_ledger(settings.ledger_url, is_read_only=True) as ledger:
        files = {one.submission_id: one.lines_file for one in ledger.submissions()}
    rows = Lines(settings.lines_dir).read(files).to_pylist()
    return sorted(
        rows,
        key=lambda row: (row["submission_id"], row["sheet"], row["row_number"], row["cell"], row["field"]),
    )
