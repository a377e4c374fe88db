"""A hand-made city: an in-memory warehouse with indicators by hand, on which the real publication SQL runs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from pipelines.paths import SQL_DIR
from pipelines.periods import Month
from pipelines.publication.drafts import PUBLICATION_TABLES, note_rows, publication_rows
from pipelines.publication.tables import PrintedTable, printed_table
from pipelines.warehouse.load import load_reference

MONTH = Month(2020, 12)
PARAMETERS = {"mode_profile": "wto_base", "services_source": "direct_report"}
_COLUMN = re.compile(r"^-- column: (\w+) \| ([^|]+) \|", re.MULTILINE)
_PARAM = re.compile(r"^-- param: +(\w+) \|", re.MULTILINE)


class Warehouse:
    """DuckDB in memory: indicator tables as their headers promise, rows by hand, publication tables by the real SQL."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        load_reference(self.con)
        for schema in ("indicators", "core", "publication"):
            self.con.execute(f"create schema {schema}")
        core = [SQL_DIR / "core" / name for name in ("exchange_rate.sql", "withheld_count.sql")]
        for path in [*sorted((SQL_DIR / "indicators").glob("*.sql")), *core]:
            columns = ", ".join(
                f"{name} {kind}" for name, kind in _COLUMN.findall(path.read_text(encoding="utf-8"))
            )
            self.con.execute(f"create table {path.parent.name}.{path.stem} ({columns})")

    def insert(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Insert rows given by column name; a column that is not named is NULL."""
        for row in rows:
            marks = ", ".join("?" for _ in row)
            self.con.execute(f"insert into {table} ({', '.join(row)}) values ({marks})", list(row.values()))

    def update(self, table: str, change: str, where: str) -> None:
        """Change hand-made rows; fails if nothing fits `where`, so that a test cannot pass by missing its rows."""
        [(count,)] = self.con.execute(f"update {table} set {change} where {where}").fetchall()
        assert count > 0, f"no row of {table} where {where}"

    def build(self, month: Month = MONTH, **parameters: str) -> None:
        """Run every publication query for the month, and compare what it returns with its header."""
        for name in PUBLICATION_TABLES:
            text = (SQL_DIR / "publication" / f"{name}.sql").read_text(encoding="utf-8")
            promised = _COLUMN.findall(text)
            body = "\n".join(line for line in text.splitlines() if not line.startswith("-- "))
            values: dict[str, Any] = {**PARAMETERS, **parameters, "month_start_date": month.start_date}
            bound = {name: values[name] for name in _PARAM.findall(text)}
            columns = ", ".join(f"{column} {kind}" for column, kind in promised)
            self.con.execute(f"create table if not exists publication.{name} ({columns})")
            described = self.con.execute(f"describe {body}", bound).fetchall()
            assert [(row[0], row[1].lower()) for row in described] == promised, name
            self.con.execute(f"delete from publication.{name} where month_start_date = ?", [month.start_date])
            self.con.execute(f"insert into publication.{name} {body}", bound)

    def table(self, number: int, month: Month = MONTH) -> PrintedTable:
        name = f"table_{number:02d}"
        return printed_table(name, month, publication_rows(self.con, name, month), note_rows(self.con, month))

    def tables(self, month: Month = MONTH) -> list[PrintedTable]:
        return [self.table(number, month) for number in range(1, 10)]


# --- the hand-made city ---------------------------------------------------------------------------------------------

_ITEMS = {
    "SC": (520, 910), "SD": (60, 1450), "SE": (1180, 160), "SF": (20, 35), "SG": (25, 18), "SI": (1480, 420),
    "SH": (90, 610), "SK": (22, 40), "SB": (75, 52), "SA": (130, 0.4), "SJ": (1650, 760), "SL": (3, 4),
}  # fmt: skip
_PARTNERS = ["USA", "HKG", "DEU", "JPN", "SGP", "GBR", "FRA", "KOR", "AUS", "MYS", "IRL", "PAK", "TWN", "_X"]
_DISTRICTS = ["420102", "420103", "420106", "420111", "4201Z1", "4201Z2", "4201Z3"]


def fill(warehouse: Warehouse, month: Month) -> None:
    """Indicators of one month: totals are sums of their parts, shares and growth follow from the amounts."""
    chance = random.Random(str(month))
    cny = {"USD": Decimal(1), "CNY": Decimal("6.5423")}

    # amount[item][flow][period] in US dollars, and the same a year earlier
    figures: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for item, (exports, imports) in _ITEMS.items():
        for flow, scale in (("exports", exports), ("imports", imports)):
            monthly = Decimal(str(round(scale * 10_000 * 100 * chance.uniform(0.8, 1.2) / 12, 4)))
            cumulative = Decimal(str(round(scale * 1_000_000 * chance.uniform(0.95, 1.1), 4)))
            figures[item, flow, "month"] = (
                monthly,
                monthly / Decimal(str(round(chance.uniform(0.8, 1.2), 3))),
            )
            figures[item, flow, "ytd"] = (
                cumulative,
                cumulative / Decimal(str(round(chance.uniform(0.85, 1.3), 3))),
            )
        for period in ("month", "ytd"):
            figures[item, "total", period] = _add(
                figures[item, "exports", period], figures[item, "imports", period]
            )

    start = month.start_date
    whole: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    knowledge = {"SF", "SG", "SH", "SI", "SJ", "SK"}
    for measure in ("exports", "imports", "total", "balance"):
        for period in ("month", "ytd"):
            for scope in ("all", "excluding_travel", "knowledge_intensive"):
                chosen = [
                    item
                    for item in _ITEMS
                    if scope == "all" or (scope == "excluding_travel" and item != "SD") or
                    (scope == "knowledge_intensive" and item in knowledge)
                ]  # fmt: skip
                pairs = [
                    _subtract(figures[item, "exports", period], figures[item, "imports", period])
                    if measure == "balance"
                    else figures[item, measure, period]
                    for item in chosen
                ]
                pair = (sum((p[0] for p in pairs), Decimal(0)), sum((p[1] for p in pairs), Decimal(0)))
                if scope == "all":
                    whole[measure, period] = pair
                for currency, rate in cny.items():
                    warehouse.insert("indicators.trade_total", [
                        {"month_start_date": start, "source": "direct_report", "measure": measure, "scope": scope,
                         "period": period, "currency_code": currency, **_growth(pair, rate), "status": "preliminary"}
                    ])  # fmt: skip
    for (item, measure, period), pair in figures.items():
        warehouse.insert("indicators.trade_by_item", [
            {"month_start_date": start, "source": "direct_report", "measure": measure, "item_code": item,
             "period": period, "currency_code": "USD", **_growth(pair), **_share(pair, whole[measure, period]),
             "status": "preliminary"}
        ])  # fmt: skip
    for table, key, codes in (
        ("trade_by_partner", "partner_code", _PARTNERS),
        ("trade_by_district", "district_code", _DISTRICTS),
        ("trade_by_partner_group", "group_code", ["BRI", "RCEP", "HMT", "EU27"]),
    ):
        weights = [chance.uniform(0.3, 4) for _ in codes]
        for measure in ("exports", "imports", "total"):
            for period in ("month", "ytd"):
                for code, weight in zip(codes, weights, strict=True):
                    part = Decimal(str(round(weight / sum(weights), 6)))
                    now, base = whole[measure, period]
                    pair = (now * part, base * part * Decimal(str(round(chance.uniform(0.7, 1.3), 3))))
                    warehouse.insert(f"indicators.{table}", [
                        {"month_start_date": start, "source": "direct_report", "measure": measure, key: code,
                         "period": period, "currency_code": "USD", **_growth(pair), **_share(pair, (now, base)),
                         "status": "preliminary"}
                    ])  # fmt: skip
    _fill_modes(warehouse, start, whole)
    _fill_parallel_accounts(warehouse, start, chance)
    _fill_reporting(warehouse, start)
    _fill_targets(warehouse, month, whole)


def _fill_modes(
    warehouse: Warehouse, start: date, whole: dict[tuple[str, str], tuple[Decimal, Decimal]]
) -> None:
    parts = {
        "wto_base": {"1": "0.612", "2": "0.173", "4": "0.121", "3_in_bop": "0.058", "goods": "0.0352", "out_of_scope": "0.0008"},
        "wto_2020s": {"1": "0.683", "2": "0.171", "4": "0.052", "3_in_bop": "0.058", "goods": "0.0352", "out_of_scope": "0.0008"},
        "ons_2019": {"1": "0.559", "2": "0.252", "4": "0.1882", "3_in_bop": "0", "goods": "0", "out_of_scope": "0.0008"},
    }  # fmt: skip
    for (measure, period), pair in whole.items():
        if measure == "balance":
            continue
        for profile, shares in parts.items():
            for mode, share in shares.items():
                own = (pair[0] * Decimal(share), pair[1] * Decimal(share) * Decimal("0.97"))
                warehouse.insert("indicators.trade_by_mode", [
                    {"month_start_date": start, "source": "direct_report", "profile": profile,
                     "is_default_profile": profile == "wto_base", "measure": measure, "mode": mode, "period": period,
                     "currency_code": "USD", **_growth(own),
                     "share_pct": float(own[0] / pair[0] * 100), "status": "preliminary"}
                ])  # fmt: skip
        for basis, share in {"declared": "0.437", "profile": "0.512", "fallback": "0.051"}.items():
            warehouse.insert("indicators.mode_basis", [
                {"month_start_date": start, "source": "direct_report", "profile": "wto_base", "is_default_profile": True,
                 "measure": measure, "alloc_basis": basis, "period": period, "currency_code": "USD",
                 "amount": pair[0] * Decimal(share), "share_pct": float(share) * 100, "status": "preliminary"}
            ])  # fmt: skip
    for flow, amount, base in (
        ("export", 41_20000_0000, 38_00000_0000),
        ("import", 126_50000_0000, 131_00000_0000),
    ):
        warehouse.insert("indicators.commercial_presence", [
            {"month_start_date": start, "source": "department", "year": 2019, "flow": flow, "amount": amount,
             "currency_code": "USD", "amount_usd": amount, "base_amount": base,
             "growth_pct": 100 * (amount / base - 1), "is_latest": True, "department": "商务局"}
        ])  # fmt: skip


def _fill_parallel_accounts(warehouse: Warehouse, start: date, chance: random.Random) -> None:
    for measure in ("contract", "executed"):
        for period, scale in (("month", 1), ("ytd", 12)):
            offshore = {
                kind: Decimal(scale * share * 10_000)
                for kind, share in (("ITO", 7_311), ("BPO", 1_204), ("KPO", 5_890))
            }
            onshore = {
                kind: Decimal(scale * share * 10_000)
                for kind, share in (("ITO", 2_400), ("BPO", 310), ("KPO", 1_650))
            }
            for scope in ("all", "offshore", "onshore"):
                for kind in ("all", "ITO", "BPO", "KPO"):
                    kinds = ("ITO", "BPO", "KPO") if kind == "all" else (kind,)
                    amount = sum(
                        (offshore[k] if scope != "onshore" else 0)
                        + (onshore[k] if scope != "offshore" else 0)
                        for k in kinds
                    )
                    pair = (
                        Decimal(amount),
                        Decimal(amount) / Decimal(str(round(chance.uniform(0.9, 1.3), 3))),
                    )
                    warehouse.insert("indicators.outsourcing", [
                        {"month_start_date": start, "source": "direct_report", "scope": scope, "outsourcing_type": kind,
                         "measure": measure, "period": period, "currency_code": "USD", **_growth(pair),
                         "status": "preliminary"}
                    ])  # fmt: skip
    for measure, unit in (("contract_count", 1), ("contract_amount", 1_000_000), ("technology_fee", 800_000)):
        for flow, share in (("export", 31), ("import", 47), ("total", 78)):
            for period, scale in (("month", 1), ("ytd", 11)):
                pair = (Decimal(unit * share * scale), Decimal(unit * share * scale) / Decimal("1.077"))
                warehouse.insert("indicators.technology_contracts", [
                    {"month_start_date": start, "source": "department", "flow": flow, "measure": measure, "period": period,
                     "currency_code": "" if measure == "contract_count" else "USD", **_growth(pair),
                     "department": "商务局", "status": "final"}
                ])  # fmt: skip
    warehouse.insert("core.exchange_rate", [
        {"month_start_date": start, "currency_code": "USD", "cny_per_unit": Decimal("6.54230000"), "usd_per_unit": 1}
    ])  # fmt: skip
    warehouse.insert("indicators.share_of_foreign_trade", [
        {"month_start_date": start, "source": "direct_report", "is_headline": True, "period": "ytd",
         "currency_code": "USD", "share_pct": 28.9312, "base_share_pct": 27.71, "change_pp": 1.2212,
         "services_to_goods_pct": 40.708, "status": "preliminary"}
    ])  # fmt: skip


def _fill_reporting(warehouse: Warehouse, start: date) -> None:
    expected = dict(zip(_DISTRICTS, (9, 6, 14, 11, 42, 13, 5), strict=True))
    for code, count in (*expected.items(), ("all", sum(expected.values()))):
        not_filed = count // 12
        rejected = count // 20
        queried = count // 15
        filed = count - not_filed
        accepted = filed - rejected - queried
        warehouse.insert("indicators.reporting", [
            {"month_start_date": start, "district_code": code, "expected_count": count, "filed_count": filed,
             "accepted_count": accepted, "queried_count": queried, "rejected_count": rejected,
             "zero_return_count": count // 10, "late_count": count // 9, "not_filed_count": not_filed,
             "response_rate_pct": 100 * filed / count, "acceptance_rate_pct": 100 * accepted / filed,
             "coverage_pct": 71.846 if code == "all" else None}
        ])  # fmt: skip


def _fill_targets(
    warehouse: Warehouse, month: Month, whole: dict[tuple[str, str], tuple[Decimal, Decimal]]
) -> None:
    total = round(float(whole["total", "ytd"][0]) / 1e8, 4)
    known: dict[str, tuple[float, str]] = {
        "T004": (total, "direct_report"), "T005": (28.9312, "direct_report"), "T001": (96.4, "department"),
        "T002": (17.02, "department"), "T003": (31.05, "department"), "T032": (16.4216, "direct_report"),
        "T038": (2193.5, "department"), "T051": (1389.0, "department"), "T063": (12.9, "department"),
        "T064": (19, "department"), "T068": (4, "department"), "T073": (61.2, "department"),
        "T074": (1021.7, "department"), "T030": (11.2, "department"), "T020": (37211.0, "department"),
        "T008": (5120.0, "department"), "T061": (41250.0, "department"), "T010": (131, "department"),
    }  # fmt: skip
    rows = warehouse.con.execute(
        "select t.target_id, t.kind, t.year, t.area, t.indicator, t.comparator, t.value, t.value_high, t.unit, "
        "s.measure_kind, s.better from reference.targets t join reference.target_series s using (target_id) "
        "where t.kind in ('target', 'qualitative')"
    ).fetchall()
    for target_id, kind, year, area, indicator, comparator, value, high, unit, measure, better in rows:
        actual, source = known.get(target_id, (None, None))
        target_year = month.year if year == "每年" else int(year)
        level = actual is not None and value is not None and measure not in ("growth", "average_growth")
        target = None if value is None else Decimal(str(value))
        ratio = None
        gap = None
        if actual is not None and target is not None:
            gap = Decimal(str(actual)) - target
            if level:
                ratio = float(target) / actual * 100 if better == "lower" else actual / float(target) * 100
        status = "no_data" if actual is None else ("met" if ratio is not None and ratio > 100 else "not_met")
        text = "推进中，已完成规划" if target_id == "T050" else None
        warehouse.insert("indicators.target_progress", [
            {"month_start_date": month.start_date, "target_id": target_id, "kind": kind, "target_year": target_year,
             "area": area, "indicator": indicator, "comparator": comparator, "target_value": target,
             "target_value_high": None if high is None else Decimal(str(high)), "unit": unit,
             "is_lower_better": better == "lower", "measure_kind": measure, "value": actual, "value_text": text,
             "measured_period": str(target_year) if actual is not None else None,
             "measured_start_date": date(target_year, 1, 1) if actual is not None else None,
             "measured_end_date": date(target_year, 12, 31) if actual is not None else None,
             "is_so_far": False, "measured_source": source if text is None else "department",
             "department": "统计局" if source == "department" or text else None,
             "is_provisional": source == "direct_report", "achieved_pct": ratio, "gap": gap, "status": status}
        ])  # fmt: skip


def _add(a: tuple[Decimal, Decimal], b: tuple[Decimal, Decimal]) -> tuple[Decimal, Decimal]:
    return a[0] + b[0], a[1] + b[1]


def _subtract(a: tuple[Decimal, Decimal], b: tuple[Decimal, Decimal]) -> tuple[Decimal, Decimal]:
    return a[0] - b[0], a[1] - b[1]


def _growth(pair: tuple[Decimal, Decimal], rate: Decimal = Decimal(1)) -> dict[str, Any]:
    now, base = round(pair[0] * rate, 4), round(pair[1] * rate, 4)
    defined = base > 0
    return {
        "amount": now,
        "base_amount": base,
        "growth_pct": float(now / base - 1) * 100 if defined else None,
        "growth_blank_reason": None if defined else "base_not_positive",
    }


def _share(pair: tuple[Decimal, Decimal], whole: tuple[Decimal, Decimal]) -> dict[str, Any]:
    return {"share_pct": float(pair[0] / whole[0]) * 100 if whole[0] > 0 else None}
