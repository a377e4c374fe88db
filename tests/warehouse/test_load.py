"""The way in: reference tables as declared, the ledger's versions, cells of the right month, nothing twice."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.findings import Verdict
from pipelines.ledger import Filing, NewBatch, NewSubmission, RegisterRow, open_ledger
from pipelines.money import UNITS
from pipelines.paths import REFERENCE_DIR
from pipelines.periods import Month, Period
from pipelines.records import CellRecord, FileKind, ParsedFile
from pipelines.stores import Lines, lines_schema, lines_table
from pipelines.warehouse.connection import in_memory
from pipelines.warehouse.load import (
    ReferenceTableBroken,
    create_raw_tables,
    load_month,
    load_months,
    load_raw,
    load_reference,
)

MARCH, APRIL = Month(2026, 3), Month(2026, 4)


@pytest.fixture
def con():
    connection = in_memory(threads=1)
    yield connection
    connection.close()


def cells(item: str, amount: str) -> tuple[CellRecord, ...]:
    return (
        CellRecord("FM-2", "服务进出口", "head", 7, "H7", "unit", "万美元", None, "USD_10K", None, "value"),
        CellRecord("FM-2", "服务进出口", "row", 11, "A11", "item_code", item, None, item, None, "value"),
        CellRecord(
            "FM-2", "服务进出口", "row", 11, "D11", "export", amount, Decimal(amount), None, None, "value"
        ),
    )


class Office:
    """A ledger and a lines store, and returns that come in one at a time."""

    def __init__(self, folder: Path) -> None:
        self.ledger = open_ledger(f"sqlite:///{folder / 'ledger.sqlite'}")
        self.lines = Lines(folder / "lines")
        self.ledger.import_register([RegisterRow("E1", "甲", "420111"), RegisterRow("E2", "乙", "420106")])
        self.count = 0

    def receives(
        self,
        amount: str,
        month: Month = MARCH,
        *,
        enterprise: str = "E1",
        verdict: Verdict = Verdict.ACCEPTED,
        kind: FileKind = FileKind.RETURN,
    ) -> str:
        self.count += 1
        period = Period(month, "month")
        parsed = ParsedFile(
            sha256=f"{self.count:020x}".ljust(64, "0"),
            kind=kind,
            form_codes=("FM-2",),
            layout_versions=("FM-2@2016",),
            period=period,
            enterprise_code=enterprise if kind is FileKind.RETURN else "",
            department="" if kind is FileKind.RETURN else "外汇局",
            cells=cells("SI2", amount),
        )
        lines_file = self.lines.write(f"batch{self.count}", lines_table([parsed]))
        series = f"return/{enterprise}/{period}"
        state = self.ledger.series_states([series]).get(series) if kind is FileKind.RETURN else None
        self.ledger.record(
            NewBatch(
                batch_id=f"batch{self.count}",
                lines_file=lines_file,
                rules_version="1",
                submissions=(
                    NewSubmission(
                        sha256=parsed.sha256,
                        submission_id=parsed.submission_id,
                        kind=kind,
                        form_codes=parsed.form_codes,
                        layout_versions=parsed.layout_versions,
                        enterprise_code=parsed.enterprise_code,
                        enterprise_name="甲",
                        department=parsed.department,
                        period=period,
                        verdict=verdict,
                        is_zero_return=False,
                        is_revision=state is not None,
                        is_late=False,
                        size_bytes=1,
                        line_count=1,
                        has_cells=True,
                        findings=(),
                        fixes=(),
                        filing=Filing("a.xlsx", "test", datetime(2026, 4, 2, 1, 30, tzinfo=UTC)),
                        base_version=state.latest_version if state else 0,
                        base_accepted_id=state.accepted_id if state else None,
                    ),
                ),
            )
        )
        return parsed.submission_id


@pytest.fixture
def office(tmp_path: Path):
    office = Office(tmp_path)
    yield office
    office.ledger.close()


def test_every_reference_table_is_there_with_its_declared_types(con):
    counts = load_reference(con)
    assert set(counts) == {f"reference.{path.stem}" for path in REFERENCE_DIR.glob("*.csv")} | {
        "reference.units"
    }
    assert counts["reference.targets"] == 122
    types = dict(
        con.execute(
            "select column_name, data_type from duckdb_columns() where table_name = 'mode_allocation'"
        ).fetchall()
    )
    assert types["mode_1_pct"] == "DECIMAL(9,6)"
    assert con.execute("select count(*) from reference.ebops_items where parent_code = ''").fetchone() == (0,)


def test_units_mean_in_sql_what_they_mean_to_the_reader(con):
    load_reference(con)
    found = {
        code: (currency, multiplier)
        for code, currency, multiplier in con.execute(
            "select unit_code, currency_code, unit_multiplier from reference.units"
        ).fetchall()
    }
    assert found == {code: (unit.currency_code, unit.multiplier) for code, unit in UNITS.items()}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name,level\nx,one\n", "one"),
        ("name,level\nx\n", "line 2 has 1 fields"),
        ("Name Of\nx\n", "rename it"),
    ],
)
def test_a_broken_reference_table_is_named_with_its_remedy(con, tmp_path, text, complaint):
    (tmp_path / "columns.csv").write_text(
        "file,position,column_name,column_type,meaning\nthing.csv,2,level,integer,x\n", encoding="utf-8"
    )
    (tmp_path / "thing.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ReferenceTableBroken, match=r"thing\.csv") as error:
        load_reference(con, tmp_path)
    assert complaint in str(error.value)


def test_both_versions_of_a_return_are_loaded_and_one_is_in_force(con, office):
    first, second = office.receives("100"), office.receives("10")
    load_month(con, office.ledger, office.lines, MARCH)
    assert con.execute(
        "select submission_id, version, is_current_accepted from raw.submission order by sequence"
    ).fetchall() == [(first, 1, False), (second, 2, True)]
    assert con.execute(
        "select submission_id, number from raw.return_cell where field = 'export' order by number"
    ).fetchall() == [(second, 10), (first, 100)]


def test_cells_stand_in_the_month_of_their_return(con, office):
    office.receives("1", MARCH)
    office.receives("2", APRIL)
    load_months(con, office.ledger, office.lines, [MARCH, APRIL])
    assert con.execute(
        "select month_start_date, number from raw.return_cell where field = 'export' order by number"
    ).fetchall() == [(date(2026, 3, 1), 1), (date(2026, 4, 1), 2)]


def test_loading_a_month_again_doubles_nothing_and_touches_no_other_month(con, office):
    office.receives("1", MARCH)
    office.receives("2", APRIL)
    office.receives("3", MARCH, kind=FileKind.DEPARTMENT)
    load_months(con, office.ledger, office.lines, [MARCH, APRIL])
    office.receives("4", MARCH, enterprise="E2")
    assert load_month(con, office.ledger, office.lines, MARCH) == 6
    count = "select count(*) from"
    assert con.execute(f"{count} raw.submission").fetchone() == (4,)
    assert con.execute(f"{count} raw.return_cell where month_start_date = '2026-04-01'").fetchone() == (3,)
    assert con.execute(f"{count} raw.department_cell").fetchone() == (3,)


def test_a_file_that_nobody_could_date_is_in_no_month(con, office):
    load_month(con, office.ledger, office.lines, MARCH)
    assert con.execute("select count(*) from raw.return_cell").fetchone() == (0,)
    assert con.execute("select count(*) from raw.enterprise").fetchone() == (2,)


def test_moments_are_kept_in_universal_time_and_blanks_as_null(con, office):
    office.receives("1")
    load_month(con, office.ledger, office.lines, MARCH)
    assert con.execute("select received_at, department from raw.submission").fetchone() == (
        datetime(2026, 4, 2, 1, 30),
        None,
    )


def test_the_door_loads_what_the_ledger_has_not_seen(con):
    parsed = ParsedFile(sha256="f" * 64, kind=FileKind.RETURN, cells=cells("SI2", "1.0000000001"))
    submission = dict.fromkeys(
        (
            "department", "version", "verdict", "status", "supersedes_submission_id", "received_at", "file_name",
            "period_start_date", "sha256",
        )
    ) | {
        "submission_id": parsed.submission_id,
        "sequence": 1,
        "kind": "return",
        "enterprise_code": "E1",
        "period_kind": "month",
        "month_start_date": MARCH.start_date,
        "is_current": True,
        "is_current_accepted": False,
        "is_zero_return": False,
        "is_revision": False,
        "is_late": False,
    }  # fmt: skip
    enterprise = {
        "enterprise_code": "E1",
        "enterprise_name": "甲",
        "district_code": "420111",
        "industry_code": "",
        "from_month_start_date": None,
        "to_month_start_date": None,
    }
    load_raw(con, [submission], [enterprise], lines_table([parsed]), lines_schema().empty_table(), [MARCH])
    assert con.execute("select number from raw.return_cell where field = 'export'").fetchone() == (
        Decimal("1.0000000001"),
    )
    assert con.execute("select industry_code from raw.enterprise").fetchall() == [(None,)]
    # the same table as Arrow, and no months: submissions replace, cells of other months stay
    again = con.sql("select * from raw.submission").to_arrow_table()
    assert isinstance(again, pa.Table)
    load_raw(con, again, [enterprise], lines_schema().empty_table(), lines_schema().empty_table(), [])
    assert con.execute("select count(*) from raw.return_cell").fetchone() == (3,)


def test_a_failing_load_leaves_the_raw_tables_as_they_were(con, office):
    office.receives("1")
    load_month(con, office.ledger, office.lines, MARCH)
    with pytest.raises(KeyError):
        load_raw(
            con,
            [{"submission_id": "x"}],
            [],
            lines_schema().empty_table(),
            lines_schema().empty_table(),
            [MARCH],
        )
    assert con.execute("select count(*) from raw.submission").fetchone() == (1,)


def test_raw_tables_are_created_once_and_kept(con):
    create_raw_tables(con)
    con.execute("insert into raw.enterprise (enterprise_code) values ('E1')")
    create_raw_tables(con)
    assert con.execute("select count(*) from raw.enterprise").fetchone() == (1,)
