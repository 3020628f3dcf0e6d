"""Migration: events are found by container and by stream."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the two columns to events; they stay empty for existing events."""
    for name in ("container_id", "stream_id"):
        op.add_column("events", sa.Column(name, sa.String(256)))
        op.create_index(f"ix_events_{name}", "events", [name])


def downgrade() -> None:
    """Drop the columns."""
    for name in ("container_id", "stream_id"):
        op.drop_index(f"ix_events_{name}", "events")
        op.drop_column("events", name)
