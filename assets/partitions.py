"""The partitions: one reference month each, keys such as 2020-12.

How far a late return reaches into later months is decided in `automation`, not here.
"""

from __future__ import annotations

import dagster as dg

from pipelines.periods import Month

FIRST_MONTH = Month(2015, 1)  # the plan's base year; earlier figures come as departmental series

# end_offset: the month under way is a partition already, because returns for it are collected before it ends.
months = dg.MonthlyPartitionsDefinition(
    start_date=str(FIRST_MONTH), fmt="%Y-%m", timezone="Asia/Shanghai", end_offset=1
)


def months_of(context: dg.AssetExecutionContext) -> list[Month]:
    """The months that this run computes, earliest first: one, or those of a backfill."""
    return [Month.parse(key) for key in context.partition_keys]
