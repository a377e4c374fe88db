"""The bench on which files are judged: the warehouse's own SQL in memory, over the files and their history.

It holds what the rules need and nothing more: the files at hand, the accepted returns of the same
enterprises back to the same month of last year, and exchange rates. What is to be recorded is decided in `door`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import TracebackType

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.findings import Finding, Verdict
from pipelines.intake.layouts import layout_book
from pipelines.ledger import EnterpriseSpell, Submission
from pipelines.periods import Month
from pipelines.stores import Lines, lines_schema
from pipelines.validation.judge import judge
from pipelines.validation.rules import RuleBook, rule_book
from pipelines.warehouse.build import BuildResult, build_together, create_table
from pipelines.warehouse.connection import in_memory
from pipelines.warehouse.load import append_returns, load_raw, load_reference
from pipelines.warehouse.sqlfiles import REFERENCE_SCHEMA, SqlTable, build_order, catalogue

# Months before the one judged to which rules compare: back to the same month of last year.
HISTORY_MONTHS = 12
_RATES = "core.exchange_rate"
# The form from which a table of a month is made: where history does not hold it, there is nothing to make.
_FORM_OF = {
    "raw.enterprise_profile": "FM-1",
    "raw.service_trade_line": "FM-2",
    "raw.service_trade_total": "FM-2",
    "raw.outsourcing_line": "FM-3",
    "raw.outsourcing_total": "FM-3",
    "raw.technology_contract_line": "FM-6",
    "raw.tcm_service_line": "FM-7",
    "raw.affiliate_line": "FM-4",
    "raw.person_movement_line": "FM-5",
    "raw.digital_case_line": "FM-8",
}
# A bench that lives long is laid out anew after so many files: deleted rows give their memory back only then.
_MOST_FILES = 2_000
_MOST_CELLS = 40_000
# One thread: months are small, and the other cores read workbooks meanwhile.
_THREADS = 1


@dataclass(slots=True)
class BenchRow:
    """A file on the bench: one row of raw.submission. Fields as there; `status` is NULL while being judged."""

    submission_id: str
    sequence: int
    kind: str
    enterprise_code: str
    department: str
    period_start_date: date | None
    period_kind: str | None
    month_start_date: date | None
    version: int | None
    verdict: str | None
    status: str | None
    is_current: bool
    is_current_accepted: bool
    is_zero_return: bool
    is_revision: bool
    supersedes_submission_id: str | None
    received_at: datetime
    is_late: bool
    sha256: str
    file_name: str
    series_key: str | None


def bench_row(known: Submission) -> BenchRow:
    """A recorded submission as the bench takes it."""
    return BenchRow(
        submission_id=known.submission_id,
        sequence=known.sequence,
        kind=known.kind.value,
        enterprise_code=known.enterprise_code,
        department=known.department,
        period_start_date=known.period_start_date,
        period_kind=known.period_kind,
        month_start_date=known.month_start_date,
        version=known.version,
        verdict=known.verdict.value,
        status=known.status.value,
        is_current=known.is_current,
        is_current_accepted=known.is_latest_accepted,  # what is filed now is compared with what is believed now
        is_zero_return=known.is_zero_return,
        is_revision=known.is_revision,
        supersedes_submission_id=known.supersedes_submission_id,
        received_at=known.received_at,
        is_late=known.is_late,
        sha256=known.sha256,
        file_name=known.file_name,
        series_key=known.series_key,
    )


class Workbench:
    """Judges files of one kind and month at a time. Not for several threads at once."""

    def __init__(self, enterprises: Iterable[EnterpriseSpell] = (), book: RuleBook | None = None) -> None:
        book = book or rule_book()
        tables = catalogue()
        of_returns = [rules for rules in book.of_level("return") if tables[rules.table].is_partitioned]
        of_departments = [rules for rules in book.of_level("return") if rules not in of_returns]
        self._return_book = replace(book, tables=tuple(of_returns))
        self._department_book = replace(book, tables=tuple(of_departments))
        order = [tables[name] for name in build_order([*(rules.table for rules in of_returns), _RATES])]
        self._monthly = [table for table in order if table.is_partitioned]
        self._whole = [table for table in order if not table.is_partitioned]
        # What is made of reference tables alone is the same for as long as the bench is open.
        self._whole_of_files = [
            table
            for table in self._whole
            if not all(name.startswith(f"{REFERENCE_SCHEMA}.") for name in table.reads)
        ]
        self._of_departments = [
            tables[name] for name in build_order([_RATES, *(rules.table for rules in of_departments)])
        ]
        self._of_rates = [tables[name] for name in build_order([_RATES])]
        self._register = list(enterprises)
        self._rows: dict[str, BenchRow] = {}
        self._series: defaultdict[str, list[BenchRow]] = defaultdict(list)
        self._cells_of: dict[str, Month] = {}  # returns whose cells are on the bench
        self._department_cells: dict[str, pa.Table] = {}
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._files_seen = 0
        self._cells_seen = 0

    def __enter__(self) -> Workbench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Make the bench ready before the first files come."""
        self._con()

    @property
    def is_worn(self) -> bool:
        """Whether so much has been laid on it and taken away that a fresh one takes less memory."""
        return self._files_seen >= _MOST_FILES or self._cells_seen >= _MOST_CELLS

    def close(self) -> None:
        """Forget everything but the register; what is asked next is answered on a fresh bench."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._rows, self._series = {}, defaultdict(list)
        self._cells_of, self._department_cells = {}, {}
        self._files_seen = self._cells_seen = 0

    # -- what lies on the bench --------------------------------------------------------------------

    def lay_out(self, history: Iterable[Submission], departments: Iterable[Submission], lines: Lines) -> None:
        """Have exactly this history on the bench, with its cells; the rest is taken away.

        `history` are returns in force of the enterprises to be judged, `departments` tables with exchange
        rates. Cells that are there already are not read again.
        """
        con = self._con()
        returns = {one.submission_id: one for one in history if one.month_start_date is not None}
        tables = {one.submission_id: one for one in departments}
        self._take_away(con, [name for name in self._cells_of if name not in returns])
        self._rows, self._series = {}, defaultdict(list)
        for name, one in (returns | tables).items():
            self._add(name, bench_row(one))

        missing = {name: one for name, one in returns.items() if name not in self._cells_of}
        months = {Month.of(day) for one in missing.values() if (day := one.month_start_date)}
        cells = lines.read({name: one.lines_file for name, one in missing.items()})
        self._cells_seen += cells.num_rows
        self._cells_of.update(
            {name: Month.of(one.month_start_date) for name, one in missing.items() if one.month_start_date}
        )
        absent = {name: one.lines_file for name, one in tables.items() if name not in self._department_cells}
        if absent:
            department_cells = lines.read(absent)
            for name in absent:
                self._department_cells[name] = _of_submission(department_cells, name)
        self._department_cells = {
            name: table for name, table in self._department_cells.items() if name in tables
        }
        for table in self._monthly:
            if table.schema == "checks":  # facts are read once, by the judge
                con.execute(f"delete from {table.name}")  # noqa: S608 - a name out of our own catalogue
        self._load(con, months, cells)
        forms_in = _forms_by_month(cells, self._cells_of)
        of_months = [
            (table, month)
            for month in sorted(months)
            for table in self._monthly
            if table.schema != "checks" and _FORM_OF.get(table.name, "") in {"", *forms_in[month]}
        ]
        _build(con, [*of_months, *((table, None) for table in self._whole_of_files)])

    def judge_returns(
        self, month: Month, newcomers: Mapping[str, BenchRow], cells: pa.Table
    ) -> dict[str, list[Finding]]:
        """Findings on returns of one month, at most one a series; files without findings have no entry.

        The newcomers stay on the bench, to be `settle`d before the next are judged.
        """
        con = self._con()
        self._receive(newcomers)
        self._cells_of.update(dict.fromkeys(newcomers, month))
        con.execute("update raw.submission set is_current = false where is_current")
        append_returns(con, list(newcomers.values()), cells)
        self._cells_seen += cells.num_rows
        forms = set(cells["form_code"].unique().to_pylist())
        unasked = {table for table, judged in _forms_judged_by().items() if not judged & forms}
        # Without its form among the newcomers the rows of a table stay as they are.
        built = _build(
            con,
            [
                (table, month)
                for table in self._monthly
                if table.name not in unasked and _FORM_OF.get(table.name, "") in {"", *forms}
            ],
        )
        found = judge(con, month, _with_facts(self._return_book, built))
        return {name: findings for name, findings in found.items() if name in newcomers}

    def judge_departments(
        self, newcomers: Mapping[str, BenchRow], cells: pa.Table
    ) -> dict[str, list[Finding]]:
        """Findings on departmental tables; the files are judged together and stay on the bench."""
        con = self._con()
        self._receive(newcomers)
        for name in newcomers:
            self._department_cells[name] = _of_submission(cells, name)
        self._load(con, set(), lines_schema().empty_table())
        built = _build(con, [(table, None) for table in self._of_departments])
        any_month = Month(2000, 1)  # tables without months are judged whole
        found = judge(con, any_month, _with_facts(self._department_book, built))
        return {name: findings for name, findings in found.items() if name in newcomers}

    def settle(self, verdicts: Mapping[str, Verdict]) -> None:
        """The files just judged have their verdicts; accepted ones are history for those that follow."""
        changed: dict[str, BenchRow] = {}
        for name, verdict in verdicts.items():
            row = self._rows[name]
            row.verdict = row.status = verdict.value
            if verdict is Verdict.ACCEPTED:
                for other in self._versions(row):
                    if other.is_current_accepted:
                        other.is_current_accepted = False
                        changed[other.submission_id] = other
                row.is_current_accepted = True
            changed[name] = row
        con = self._con()
        con.register("settled_file", _standing_table(changed.values()))
        con.execute(
            "update raw.submission set verdict = settled_file.verdict, status = settled_file.status, "
            "is_current_accepted = settled_file.is_current_accepted "
            "from settled_file where raw.submission.submission_id = settled_file.submission_id"
        )
        con.unregister("settled_file")

    def refresh_rates(self) -> None:
        """Compute exchange rates anew after departmental tables were settled."""
        con = self._con()
        self._load(con, set(), lines_schema().empty_table())
        _build(con, [(table, None) for table in self._of_rates])

    def usd_per_unit(self, month: Month) -> dict[str, Decimal]:
        """US dollars per unit of each currency in a month, as far as rates have been filed; the dollar is 1."""
        con = self._con()
        rows = con.execute(
            "select currency_code, usd_per_unit from core.exchange_rate where month_start_date = $1",
            [month.start_date],
        ).fetchall()
        return {"USD": Decimal(1), **{code: rate for code, rate in rows if rate is not None}}

    # -- how -----------------------------------------------------------------------------------------

    def _con(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            con = in_memory(threads=_THREADS)
            load_reference(con)
            self._connection = con
            self._enterprises = self._register_table()
            self._load(con, set(), lines_schema().empty_table())
            for table in {
                table.name: table for table in (*self._monthly, *self._whole, *self._of_departments)
            }.values():
                create_table(con, table)
            _build(con, [(table, None) for table in self._whole])
        return self._connection

    def _register_table(self) -> pa.Table:
        columns = catalogue()["raw.enterprise"].column_names
        types = {"date": pa.date32(), "varchar": pa.string()}
        return pa.table(
            {
                column.name: pa.array(
                    [getattr(spell, column.name) or None for spell in self._register], types[column.type]
                )
                for column in catalogue()["raw.enterprise"].columns
            }
        ).select(list(columns))

    def _load(self, con: duckdb.DuckDBPyConnection, months: set[Month], cells: pa.Table) -> None:
        """Replace the raw tables by what is on the bench; `cells` join those of returns of the same months."""
        present = con.execute(
            "select count(*) from duckdb_tables() where schema_name = 'raw' and table_name = 'return_cell'"
        ).fetchone()
        parts = [cells]
        if months and present and present[0]:
            columns = ", ".join(lines_schema().names)
            there = con.execute(
                f"select {columns} from raw.return_cell where list_contains($1, month_start_date)",  # noqa: S608 - our own column names
                [[month.start_date for month in months]],
            ).to_arrow_table()
            parts.insert(0, there.cast(lines_schema()))
        department_cells = pa.concat_tables([lines_schema().empty_table(), *self._department_cells.values()])
        load_raw(
            con,
            list(self._rows.values()),
            self._enterprises,
            pa.concat_tables(parts),
            department_cells,
            sorted(months),
        )

    def _take_away(self, con: duckdb.DuckDBPyConnection, names: list[str]) -> None:
        if not names:
            return
        tables = [
            "raw.return_cell",
            *(
                table.name
                for table in self._monthly
                if table.schema != "checks" and "submission_id" in table.column_names
            ),
        ]
        con.register("leaving", pa.table({"submission_id": pa.array(names, pa.string())}))
        for table in tables:
            con.execute(
                f"delete from {table} where submission_id in (select submission_id from leaving)"  # noqa: S608 - names out of our own catalogue
            )
        con.unregister("leaving")
        for name in names:
            del self._cells_of[name]

    def _receive(self, newcomers: Mapping[str, BenchRow]) -> None:
        """Put files on the bench as the only current ones: the facts are computed of current returns.

        Versions that are in force stay history (`is_current_accepted`), whatever came after them.
        """
        for row in self._rows.values():
            row.is_current = False
        for name, row in newcomers.items():
            self._add(name, row)

    def _add(self, name: str, row: BenchRow) -> None:
        self._rows[name] = row
        self._files_seen += 1
        if row.series_key is not None:
            self._series[row.series_key].append(row)

    def _versions(self, row: BenchRow) -> list[BenchRow]:
        return self._series[row.series_key] if row.series_key is not None else []


def _build(
    con: duckdb.DuckDBPyConnection, wanted: Iterable[tuple[SqlTable, Month | None]]
) -> list[BuildResult]:
    """Compute tables that `_con` created; the bench's queries take no parameter but the month."""
    return build_together(con, [(table.name, month) for table, month in wanted], {}, are_there=True)


def _with_facts(book: RuleBook, built: Iterable[BuildResult]) -> RuleBook:
    """The rules on tables that were just built and hold a row: where there is no fact, nothing is found."""
    filled = {result.table_name for result in built if result.row_count}
    return replace(book, tables=tuple(rules for rules in book.tables if rules.table in filled))


@cache
def _forms_judged_by() -> dict[str, frozenset[str]]:
    """Facts that only some forms give: not asked for where no file at hand holds one of the forms."""
    return {
        "checks.service_trade_line": frozenset({"FM-2"}),
        "checks.service_trade_parent": frozenset({"FM-2"}),
        "checks.service_trade_row": frozenset({"FM-2"}),
        "checks.service_trade_share": frozenset({"FM-2"}),
        "checks.return_flow": frozenset({"FM-2"}),
        "checks.return_total": frozenset({"FM-2", "FM-3"}),
        "checks.outsourcing_contract": frozenset({"FM-3"}),
        "checks.outsourcing_return": frozenset({"FM-3"}),
        "checks.affiliate": frozenset({"FM-4"}),
        "checks.person_movement": frozenset({"FM-5"}),
        "checks.digital_case": frozenset({"FM-8"}),
        "checks.technology_contract": frozenset({"FM-6"}),
        "checks.outsourcing_life": frozenset({"FM-3"}),
        "checks.outsourcing_missing": frozenset({"FM-3"}),
        "checks.outsourcing_partner": frozenset({"FM-3"}),
        "checks.enterprise_profile": frozenset({"FM-1"}),
        "checks.tcm_service": frozenset({"FM-7"}),
        "checks.form_total": frozenset({"FM-4", "FM-5", "FM-6", "FM-7", "FM-8"}),
        "checks.period_sheet": frozenset(
            layout.form_code for layout in layout_book().layouts if layout.own_period_kind is not None
        ),
    }


def _standing_table(rows: Iterable[BenchRow]) -> pa.Table:
    listed = list(rows)
    return pa.table(
        {
            "submission_id": pa.array([row.submission_id for row in listed], pa.string()),
            "verdict": pa.array([row.verdict for row in listed], pa.string()),
            "status": pa.array([row.status for row in listed], pa.string()),
            "is_current_accepted": pa.array([row.is_current_accepted for row in listed], pa.bool_()),
        }
    )


def _forms_by_month(cells: pa.Table, months: Mapping[str, Month]) -> defaultdict[Month, set[str]]:
    """Which forms stand among the cells of each month."""
    found: defaultdict[Month, set[str]] = defaultdict(set)
    pairs = (
        cells.select(["submission_id", "form_code"]).group_by(["submission_id", "form_code"]).aggregate([])
    )
    for row in pairs.to_pylist():
        found[months[row["submission_id"]]].add(row["form_code"])
    return found


def _of_submission(cells: pa.Table, submission_id: str) -> pa.Table:
    return cells.filter(pc.equal(cells["submission_id"], submission_id))
