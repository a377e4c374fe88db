"""From the stores into the warehouse: reference tables, the register, and files with their cells.

Reading workbooks is the door's work (`pipelines.reception`); no workbook is opened here.
"""

from collections.abc import Iterator

import dagster as dg

from assets.described import asset_key, reference_specs, table_spec
from assets.ledger_state import STATE_METADATA, month_states, state_text
from assets.partitions import months, months_of
from assets.resources import Bureau, Warehouse
from pipelines.warehouse import load
from pipelines.warehouse.sqlfiles import catalogue

POOL = "warehouse"  # one run at a time holds it (dagster.yaml)

_WHOLE = ("raw.enterprise", "raw.department_cell", "raw.month_closing", "raw.department_at_closing")
_BY_MONTH = ("raw.submission", "raw.return_cell")


def row_count(warehouse: Warehouse, name: str) -> int:
    """Rows of a table of our own catalogue."""
    [row] = warehouse.connection.execute(f"select count(*) from {name}").fetchall()  # noqa: S608
    return int(row[0])


@dg.multi_asset(name="reference_tables", specs=reference_specs(), pool=POOL)
def reference_tables(warehouse: Warehouse) -> Iterator[dg.MaterializeResult]:
    """Code lists, profiles and targets of sql/reference, typed."""
    for name, rows in load.load_reference(warehouse.connection).items():
        yield dg.MaterializeResult(asset_key=asset_key(name), metadata={"dagster/row_count": rows})


@dg.multi_asset(
    name="register_and_departments",
    specs=[
        table_spec(catalogue()[name], is_partitioned=False, kinds={"sqlite", "parquet", "duckdb"})
        for name in _WHOLE
    ],
    pool=POOL,
)
def register_and_departments(bureau: Bureau, warehouse: Warehouse) -> Iterator[dg.MaterializeResult]:
    """The register, every departmental table (their rows carry periods of their own), and which months are closed."""
    with bureau.ledger() as ledger:
        load.load_register(warehouse.connection, ledger)
        load.load_departments(warehouse.connection, ledger, bureau.lines)
    for name in _WHOLE:
        yield dg.MaterializeResult(
            asset_key=asset_key(name), metadata={"dagster/row_count": row_count(warehouse, name)}
        )


@dg.multi_asset(
    name="returns",
    specs=[
        table_spec(catalogue()[name], is_partitioned=True, kinds={"sqlite", "parquet", "duckdb"})
        for name in _BY_MONTH
    ],
    partitions_def=months,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=POOL,
)
def returns(
    context: dg.AssetExecutionContext, bureau: Bureau, warehouse: Warehouse
) -> Iterator[dg.MaterializeResult]:
    """The files of each month, every version, and their cells from the lines store.

    The state of the ledger with which a month is computed is kept beside it: by it the sensor knows whether
    anything has been filed or decided since. It is taken before loading, so that what arrives meanwhile shows.
    """
    with bureau.ledger() as ledger:
        wanted = months_of(context)
        states = month_states(ledger.changes(), wanted)
        for month in wanted:
            cells = load.load_returns(warehouse.connection, ledger, bureau.lines, month)
            for name in _BY_MONTH:
                context.add_asset_metadata(
                    {STATE_METADATA: state_text(states.get(month, (0, 0, 0))), "cells": cells},
                    asset_key=asset_key(name),
                    partition_key=str(month),
                )
    for name in _BY_MONTH:
        yield dg.MaterializeResult(
            asset_key=asset_key(name), metadata={"dagster/row_count": row_count(warehouse, name)}
        )
