"""The draft of each month: its tables as a workbook and as files, unless a table-level fault holds it.

How a table looks is in `pipelines.publication`; releasing a draft is a person's decision, not a step.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from assets.checks import blocking_failures, blocks_publication
from assets.described import asset_key
from assets.partitions import months, months_of
from assets.raw import POOL
from assets.resources import Bureau, Warehouse
from pipelines.periods import Month
from pipelines.publication import drafts, holds
from pipelines.validation.rules import rule_book
from pipelines.warehouse.sqlfiles import catalogue

DRAFT_KEY = dg.AssetKey(["publication", "draft"])

_DESCRIPTION = """**各月统计表（送审稿） / Tables of the month, draft for review**

One workbook, the tables as Parquet, and a manifest with the SHA-256 of each, in drafts/<month>. A critical
failure of a rule on a whole table holds the month: nothing is written for it, the draft before stays, and
drafts/held says why.

`pipelines/publication/drafts.py`"""


def _read_for_drafts() -> list[str]:
    """Tables that a draft may read: the printed ones, the indicators behind them, and the facts that may hold it."""
    judged = {rule.table for rule in rule_book() if blocks_publication(rule)}
    return [
        name
        for name, table in sorted(catalogue().items())
        if table.schema in ("publication", "indicators") or name in judged
    ]


@dg.multi_asset(
    name="draft",
    specs=[
        dg.AssetSpec(
            key=DRAFT_KEY,
            deps=[asset_key(name) for name in _read_for_drafts()],
            description=_DESCRIPTION,
            group_name="publication",
            kinds={"excel", "parquet"},
            partitions_def=months,
            # The schedule computes the month before on the 11th at 06:00; by 08:00 its draft is there.
            freshness_policy=dg.FreshnessPolicy.cron(
                deadline_cron="0 8 11 * *", lower_bound_delta=timedelta(days=2), timezone="Asia/Shanghai"
            ),
        )
    ],
    partitions_def=months,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=POOL,
)
def draft(
    context: dg.AssetExecutionContext, bureau: Bureau, warehouse: Warehouse
) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult]:
    """Write the draft of every month that may be drafted; then fail, by name, for those that may not."""
    settings = bureau.settings
    held: dict[Month, list[holds.Hold]] = {}
    written: list[Month] = []
    for month in months_of(context):
        reasons = [
            holds.Hold(rule.id, rule.table, rule.label, result.unexpected_count, result.first_keys)
            for rule, result in blocking_failures(warehouse.connection, month)
        ]
        if reasons:
            holds.hold(settings, month, reasons)
            held[month] = reasons
            continue
        drafts.write_month(settings, warehouse.connection, month)
        holds.release(settings, month)
        written.append(month)
    if not held:
        for month in written:
            context.add_asset_metadata(_about(month), asset_key=DRAFT_KEY, partition_key=str(month))
        yield dg.MaterializeResult(asset_key=DRAFT_KEY)
        return
    for month in written:
        yield dg.AssetMaterialization(DRAFT_KEY, partition=str(month), metadata=_about(month))
    raise dg.Failure(
        description="; ".join(
            f"{month} is held by {', '.join(reason.rule for reason in reasons)}"
            for month, reasons in held.items()
        ),
        metadata={"held_months": dg.MetadataValue.json([str(month) for month in held])},
        allow_retries=False,
    )


def _about(month: Month) -> dict[str, str]:
    return {"folder": f"drafts/{month}"}
