"""What assets work with: the bureau's settings and stores, and the one warehouse connection of a run.

Nothing is computed here; the resources only open what `pipelines` offers and close it again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import duckdb
from pydantic import PrivateAttr

from pipelines.ledger import Ledger, ledger_of
from pipelines.settings import Settings
from pipelines.stores import Lines
from pipelines.warehouse import connection as warehouse_connection
from pipelines.warehouse.build import run_parameters


class Bureau(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The bureau's settings and the stores below them, read from the environment when asked."""

    @property
    def settings(self) -> Settings:
        return Settings.from_environment()

    @property
    def lines(self) -> Lines:
        return Lines(self.settings.lines_dir)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, migrated; closed at the end."""
        with ledger_of(self.settings) as ledger:
            yield ledger


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The warehouse, held by this run alone from its first step to its last.

    A second run waits for `wait_seconds` and then gives up with WarehouseBusy, which says who holds it.
    After a run, analysts get a fresh read-only copy (`snapshots/CURRENT`).
    """

    wait_seconds: float = 600.0
    _connection: duckdb.DuckDBPyConnection | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Warehouse"]:
        settings = Settings.from_environment()
        run = context.run.run_id.partition("-")[0] if context.run is not None else "?"
        log = context.log

        def tell(holder: warehouse_connection.LockHolder) -> None:
            if log is not None:
                log.warning(holder.wording().en)

        with warehouse_connection.open_warehouse(
            settings,
            wait_seconds=self.wait_seconds,
            purpose=f"Dagster run {run} / 统计任务 {run}",
            on_wait=tell,
        ) as connection:
            self._connection = connection
            try:
                yield self
            finally:
                self._connection = None
        try:
            warehouse_connection.snapshot(settings)
        except warehouse_connection.WarehouseBusy:
            # The next run is already writing; it makes the snapshot when it ends.
            if log is not None:
                log.info("The next run holds the warehouse already; the snapshot is left to it.")

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The open connection. Raises RuntimeError outside a run."""
        if self._connection is None:
            raise RuntimeError("the warehouse is open during a run only")
        return self._connection

    @property
    def parameters(self) -> dict[str, Any]:
        """What the queries bind besides the month."""
        return dict(run_parameters(Settings.from_environment()))
