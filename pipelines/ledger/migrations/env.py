"""Alembic's entry: run the migrations on the connection that `pipelines.ledger.engine.migrate` holds.

The transaction is the caller's, so that a migration is done whole or not at all, on SQLite too.
"""

from __future__ import annotations

from alembic import context

from pipelines.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
