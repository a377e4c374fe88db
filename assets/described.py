"""How a table of the warehouse introduces itself to Dagster: key, description, columns, group, kinds.

All of it comes from the header of its SQL file or from the reference tables' own lists; no text is kept here.
"""

from __future__ import annotations

import csv
import hashlib
from functools import lru_cache
from typing import Any

import dagster as dg

from assets.partitions import months
from pipelines.money import UNITS
from pipelines.paths import HOUSE_DIR, REFERENCE_DIR
from pipelines.warehouse.sqlfiles import REFERENCE_SCHEMA, SqlTable


def asset_key(table_name: str) -> dg.AssetKey:
    """core.service_trade -> core/service_trade."""
    return dg.AssetKey(table_name.split("."))


def table_name(key: dg.AssetKey) -> str:
    """core/service_trade -> core.service_trade."""
    return ".".join(key.path)


def table_spec(table: SqlTable, *, is_partitioned: bool, kinds: set[str], **more: Any) -> dg.AssetSpec:
    """The asset of one SQL file."""
    file = table.path.relative_to(HOUSE_DIR).as_posix()
    metadata: dict[str, Any] = {
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(column.name, column.type, description=column.description)
                for column in table.columns
            ]
        ),
        "dagster/table_name": table.name,
        "sql_file": file,
        "grain": table.grain,
    }
    if table.method:
        metadata["method"] = table.method
    return dg.AssetSpec(
        key=asset_key(table.name),
        deps=[asset_key(name) for name in upstream(table)],
        description=_description(table.title_zh, table.title_en, table.grain, file, table.method),
        group_name=table.schema,
        kinds=kinds,
        metadata=metadata,
        code_version=hashlib.sha256(table.sql.encode()).hexdigest()[:12],
        partitions_def=months if is_partitioned else None,
        **more,
    )


def reference_specs() -> list[dg.AssetSpec]:
    """One asset for each reference table, described from sources.csv and columns.csv."""
    sources = {row["file"]: row for row in _rows("sources")}
    columns = {(row["file"], row["column_name"]): row for row in _rows("columns")}
    specs = []
    for path in sorted(REFERENCE_DIR.glob("*.csv")):
        source = sources.get(path.name, {"title_zh": path.stem, "title_en": path.stem, "source": ""})
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        specs.append(
            _reference_spec(
                path.stem,
                _description(
                    source["title_zh"],
                    source["title_en"],
                    source["source"],
                    path.relative_to(HOUSE_DIR).as_posix(),
                    "",
                ),
                [_reference_column(name, columns.get((path.name, name))) for name in header],
                hashlib.sha256(path.read_bytes()).hexdigest()[:12],
            )
        )
    specs.append(
        _reference_spec(
            "units",
            _description(
                "计量单位", "Declared units", "one row per unit a form may declare", "pipelines/money.py", ""
            ),
            [dg.TableColumn(name, kind, description=meaning) for name, kind, meaning in _UNIT_COLUMNS],
            hashlib.sha256(repr(UNITS).encode()).hexdigest()[:12],
        )
    )
    return specs


_UNIT_COLUMNS = (
    ("unit_code", "varchar", "key"),
    ("label_zh", "varchar", "as printed on forms"),
    ("label_en", "varchar", "in English"),
    ("currency_code", "varchar", "ISO 4217"),
    ("unit_multiplier", "bigint", "currency units in one unit"),
)


def _reference_column(name: str, declared: dict[str, str] | None) -> dg.TableColumn:
    """As columns.csv declares it; text without a description where it does not."""
    if declared is None:
        return dg.TableColumn(name, "varchar")
    return dg.TableColumn(name, declared["column_type"], description=declared["meaning"] or None)


def _reference_spec(name: str, text: str, columns: list[dg.TableColumn], code_version: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=[REFERENCE_SCHEMA, name],
        description=text,
        group_name=REFERENCE_SCHEMA,
        kinds={"csv", "duckdb"},
        metadata={
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "dagster/table_name": f"{REFERENCE_SCHEMA}.{name}",
        },
        code_version=code_version,
    )


def _description(title_zh: str, title_en: str, grain: str, file: str, method: str) -> str:
    lines = [f"**{title_zh} / {title_en}**", grain, f"`{file}`"]
    if method:
        lines.append(f"[{method}]({method})")
    return "\n\n".join(line for line in lines if line)


def upstream(table: SqlTable) -> list[str]:
    """Tables that it reads; a loaded table reads none (its header says so in words)."""
    return [] if table.is_loaded else list(table.reads)


@lru_cache(maxsize=4)
def _rows(stem: str) -> tuple[dict[str, str], ...]:
    with (REFERENCE_DIR / f"{stem}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
