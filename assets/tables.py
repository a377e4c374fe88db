"""One asset for each computed table, made from the SQL files; its checks are judged where it is built.

What a table holds stands in its SQL file and nowhere here.
"""

import os
from collections.abc import Iterator

import dagster as dg

from assets.checks import check_specs, evaluations
from assets.described import asset_key, table_spec
from assets.partitions import months, months_of
from assets.raw import POOL, row_count
from assets.resources import Warehouse
from pipelines.warehouse.build import build_months
from pipelines.warehouse.sqlfiles import SqlTable, build_order, catalogue


def table_asset(table: SqlTable) -> dg.AssetsDefinition:
    """The asset of one computed table with its checks; by month where its query takes the month."""
    key = asset_key(table.name)
    specs = check_specs(table)

    @dg.multi_asset(
        name=key.to_python_identifier(),
        specs=[table_spec(table, is_partitioned=table.is_partitioned, kinds={"sql", "duckdb"})],
        check_specs=specs,
        partitions_def=months if table.is_partitioned else None,
        # A backfill is one run: sixty months take seconds so, and a quarter of an hour as sixty runs.
        backfill_policy=dg.BackfillPolicy.single_run() if table.is_partitioned else None,
        pool=POOL,
    )
    def build_table(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.AssetCheckEvaluation | dg.Output[None] | dg.MaterializeResult]:
        connection, parameters = warehouse.connection, warehouse.parameters
        wanted = months_of(context) if table.is_partitioned else []
        for result in build_months(connection, table.name, wanted, parameters, workers=os.cpu_count() or 1):
            if result.month is not None:
                context.add_asset_metadata(
                    {"dagster/partition_row_count": result.row_count},
                    asset_key=key,
                    partition_key=str(result.month),
                )
        yield from evaluations(connection, table, wanted)
        for spec in specs:
            # The evaluations above speak for the check, month by month; its step output only says "done".
            yield dg.Output(None, output_name=spec.get_python_identifier())
        yield dg.MaterializeResult(
            asset_key=key, metadata={"dagster/row_count": row_count(warehouse, table.name)}
        )

    return build_table


def table_assets() -> list[dg.AssetsDefinition]:
    """Every computed table, each after those it reads."""
    return [table_asset(catalogue()[name]) for name in build_order()]
