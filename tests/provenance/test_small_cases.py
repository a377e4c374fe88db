"""Ways of adding up that the sample city does not show: silence and zero, joint months, totals and items of SAFE."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipelines.money import UNITS
from pipelines.periods import Month, parse_period
from pipelines.provenance import Figure
from pipelines.provenance.registry import lineage
from pipelines.provenance.tracing import Tracer
from pipelines.records import LINE_COLUMNS
from pipelines.warehouse.build import build_all
from pipelines.warehouse.connection import in_memory
from pipelines.warehouse.load import load_raw, load_reference
from pipelines.warehouse.sqlfiles import build_order, catalogue

_PARAMETERS = {"mode_profile": "wto_base", "services_source": "direct_report"}
_ARROW = {
    "string": pa.string(),
    "int32": pa.int32(),
    "decimal128(30, 10)": pa.decimal128(30, 10),
    "date32": pa.date32(),
}
Cells = list[dict[str, Any]]


class Desk:
    """What was filed, cell by cell, and the real SQL over it."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.submissions: list[dict[str, Any]] = []
        self.cells: dict[str, Cells] = {"return": [], "department": []}
        self._sequence = itertools.count(1)

    def receive(self, kind: str, form: str, period: str, unit: str, rows: Cells, **facts: Any) -> str:
        """One accepted file of one sheet: each row a mapping of field to a number or a code."""
        sequence = next(self._sequence)
        submission_id = f"{sequence:020x}"
        parsed = parse_period(period)
        self.submissions.append(
            {
                **dict.fromkeys(catalogue()["raw.submission"].column_names),
                "submission_id": submission_id,
                "sequence": sequence,
                "kind": kind,
                "enterprise_code": "E1" if kind == "return" else None,
                "department": None if kind == "return" else "D1",
                "period_start_date": parsed.first.start_date,
                "period_kind": parsed.kind,
                "month_start_date": parsed.last.start_date,
                "version": 1,
                "verdict": "accepted",
                "status": "accepted",
                "is_current": True,
                "is_current_accepted": True,
                "is_zero_return": False,
                "is_revision": False,
                "received_at": datetime(2020, 3, 1),
                "is_late": False,
                "sha256": submission_id,
                "file_name": f"{form}.xlsx",
                **facts,
            }
        )
        head = {"unit": unit, "reference_month": parsed}
        for number, row in enumerate([head, *rows], start=1):
            for letter, (field, value) in zip("ABCDEFGH", row.items(), strict=False):
                self.cells[kind].append(self._cell(submission_id, form, number, letter, field, value))
        return submission_id

    @staticmethod
    def _cell(
        submission_id: str, form: str, number: int, letter: str, field: str, value: Any
    ) -> dict[str, Any]:
        cell: dict[str, Any] = dict.fromkeys(name for name, _ in LINE_COLUMNS)
        cell |= {"submission_id": submission_id, "form_code": form, "sheet": form, "row_number": number}
        cell |= {"section": "head" if number == 1 else "row", "cell": f"{letter}{number}", "field": field}
        cell |= {"text": UNITS[value].label_zh if field == "unit" else str(value), "state": "value"}
        if isinstance(value, Decimal):
            cell["number"] = value
        elif field in ("reference_month", "month"):
            period = parse_period(str(value))
            cell |= {"code": str(period), "day": period.first.start_date}
        else:
            cell["code"] = value
        return cell

    def computes(self, *months: str) -> Tracer:
        wanted = [Month.parse(month) for month in months]
        enterprise = dict.fromkeys(catalogue()["raw.enterprise"].column_names)
        enterprise |= {"enterprise_code": "E1", "enterprise_name": "示例企业", "district_code": "420111"}
        arrow = {
            kind: pa.table(
                {
                    name: pa.array([cell[name] for cell in cells], _ARROW[type_])
                    for name, type_ in LINE_COLUMNS
                }
            )
            for kind, cells in self.cells.items()
        }
        load_raw(self.con, self.submissions, [enterprise], arrow["return"], arrow["department"], wanted)
        names = [name for name in build_order() if name.startswith("indicators.")]
        build_all(self.con, wanted, _PARAMETERS, names=names)
        return Tracer(self.con, lineage(), None)


def _figure(tracer: Tracer, month: str, column: str = "amount", **selection: str) -> Figure:
    rule = lineage().indicators["indicators.trade_total"]
    chosen = {
        "source": "direct_report",
        "measure": "total",
        "scope": "all",
        "period": "month",
        "currency_code": "USD",
    }
    row = tracer.row(rule.name, Month.parse(month), chosen | selection)
    assert row is not None
    figure = tracer.figure(rule, row, Month.parse(month), column)
    assert figure is not None
    return figure


@pytest.fixture(scope="module")
def reference() -> Iterator[duckdb.DuckDBPyConnection]:
    con = in_memory(threads=1)
    load_reference(con)
    yield con
    con.close()


@pytest.fixture
def desk(reference: duckdb.DuckDBPyConnection) -> Iterator[Desk]:
    yield Desk(reference)
    for schema in ("raw", "validated", "core", "estimates", "indicators"):
        reference.execute(f"drop schema if exists {schema} cascade")


def _rates(desk: Desk, **cny_per_usd: str) -> None:
    rows = [
        {
            "month": month.replace("_", "-")[1:],
            "currency_code": "USD",
            "rate": Decimal(rate),
            "per": Decimal(1),
        }
        for month, rate in cny_per_usd.items()
    ]
    desk.receive("department", "DM-3", "2020-02", "CNY", rows)


def test_a_zero_that_nobody_wrote_rests_on_the_zero_returns(desk: Desk) -> None:
    filed = desk.receive("return", "FM-2", "2020-03", "USD", [], is_zero_return=True)
    figure = _figure(desk.computes("2020-03"), "2020-03")
    [part] = figure.parts
    assert (figure.value, part.total, part.zero_return_count) == (0, 0, 1)
    assert [leaf.submission_id for leaf in part.leaves] == [filed]
    assert figure.is_exact


def test_a_return_for_january_and_february_in_yuan_shows_the_mean_rate_of_the_two(desk: Desk) -> None:
    _rates(desk, m2020_01="7", m2020_02="6.9")
    row = {"item_code": "SI2", "partner_code": "USA", "export": Decimal("100.5")}
    desk.receive("return", "FM-2", "2020年1-2月", "CNY_10K", [row])
    figure = _figure(desk.computes("2020-02"), "2020-02", period="ytd")
    [leaf] = figure.parts[0].leaves
    assert figure.is_exact
    assert leaf.text == "100.5"
    assert leaf.rate is not None
    assert leaf.amount == round(Decimal(1_005_000) * leaf.rate, 4)
    assert Decimal(1) / Decimal(7) < leaf.rate < Decimal(1) / Decimal("6.9")


def test_the_printed_total_of_safe_stands_and_travel_is_taken_off_it(desk: Desk) -> None:
    rows = [
        {"month": "2020-03", "item_code": code, "credit": Decimal(credit), "debit": Decimal(debit)}
        for code, credit, debit in (("S", "100", "211"), ("SD", "30", "70"), ("SI", "70", "140"))
    ]
    desk.receive("department", "DM-1", "2020-03", "USD_100M", rows)
    tracer = desk.computes("2020-03")
    whole = _figure(tracer, "2020-03", source="safe")
    without_travel = _figure(tracer, "2020-03", source="safe", scope="excluding_travel")
    balance = _figure(tracer, "2020-03", source="safe", measure="balance")
    hundred_million = Decimal(100_000_000)
    assert [leaf.item_code for leaf in whole.parts[0].leaves] == ["S", "S"]
    assert whole.value == 311 * hundred_million
    assert without_travel.value == 211 * hundred_million
    assert sorted(leaf.amount for leaf in without_travel.parts[0].leaves)[0] == -70 * hundred_million
    assert balance.value == -111 * hundred_million
    assert whole.is_exact
    assert without_travel.is_exact
    assert balance.is_exact


def test_a_growth_rate_whose_base_is_counted_from_other_months_is_followed_there(desk: Desk) -> None:
    for month, amount in (("2019-03", "80"), ("2020-03", "100")):
        row = {"item_code": "SI2", "partner_code": "USA", "export": Decimal(amount)}
        desk.receive("return", "FM-2", month, "USD", [row])
    figure = _figure(desk.computes("2019-03", "2020-03"), "2020-03", column="growth_pct")
    assert figure.value == 25
    assert [part.leaves[0].month_start_date for part in figure.parts] == [date(2020, 3, 1), date(2019, 3, 1)]
    assert figure.is_exact


def _affiliates(desk: Desk, month: str, year: str, amount: str) -> None:
    row = {
        "direction": "outward",
        "affiliate_name": "甲",
        "partner_code": "SGP",
        "services_revenue": Decimal(amount),
    }
    filed = desk.receive("return", "FM-4", month, "CNY_10K", [row])
    head = desk._cell(filed, "FM-4", 1, "H", "sheet_period", year)
    desk.cells["return"].append(head | {"day": date(int(year), 1, 1)})


def test_affiliates_of_direct_reports_lead_to_the_last_sheet_known_by_the_month(desk: Desk) -> None:
    _rates(desk, **{f"m2019_{month:02d}": "7" for month in range(1, 13)})
    _affiliates(desk, "2020-03", "2019", "700")
    _affiliates(desk, "2020-05", "2019", "770")
    tracer = desk.computes("2020-03", "2020-05")
    rule = lineage().indicators["indicators.commercial_presence"]
    for month, typed in (("2020-03", "700"), ("2020-05", "770")):
        row = tracer.row(
            rule.name, Month.parse(month), {"source": "direct_report", "year": 2019, "flow": "export"}
        )
        assert row is not None
        figure = tracer.figure(rule, row, Month.parse(month), "amount_usd")
        assert figure is not None
        [leaf] = figure.parts[0].leaves
        assert leaf.text == typed
        assert figure.is_exact
