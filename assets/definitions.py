"""All definitions that Dagster loads: `dg dev`, `dg check defs` and `servtrade run` read this one object.

Modules with decorated functions do without `from __future__ import annotations`: Dagster reads the annotations
themselves and refuses them as texts.
"""

from __future__ import annotations

import dagster as dg

from assets.automation import inbox, monthly, monthly_on_the_11th, new_submissions, receive_inbox
from assets.publication import draft
from assets.raw import reference_tables, register_and_departments, returns
from assets.resources import Bureau, Warehouse
from assets.tables import table_assets

defs = dg.Definitions(
    assets=[reference_tables, register_and_departments, returns, *table_assets(), draft],
    jobs=[monthly, receive_inbox],
    schedules=[monthly_on_the_11th],
    sensors=[inbox, new_submissions],
    resources={"bureau": Bureau(), "warehouse": Warehouse()},
    # SQL on one connection: a process for each step would only cost time.
    executor=dg.in_process_executor,
)
