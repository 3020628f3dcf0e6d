"""Alembic's environment: the connection comes from `core.database`, which holds the transaction."""

from __future__ import annotations

from alembic import context

from touchline.core.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by recreating it
)
context.run_migrations()
