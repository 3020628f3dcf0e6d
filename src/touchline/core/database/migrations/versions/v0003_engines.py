"""Migration: engines, streams, samples and other state of the engines half."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "engines",
        sa.Column("id", sa.String(160), primary_key=True),
        sa.Column("facts", sa.Text, nullable=False),
    )
    op.create_table(
        "streams",
        sa.Column("id", sa.String(256), primary_key=True),
        sa.Column("container_id", sa.String(160), nullable=False, index=True),
        sa.Column("key_type", sa.String(16), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("playback_session_id", sa.Text, nullable=False),
        sa.Column("stat_url", sa.Text, nullable=False),
        sa.Column("command_url", sa.Text, nullable=False),
        sa.Column("is_live", sa.Boolean, nullable=False),
        sa.Column("started_at", sa.String(40), nullable=False),
        sa.Column("ended_at", sa.String(40), index=True),
        sa.Column("status", sa.String(16), nullable=False, index=True),
        sa.Column("end_reason", sa.Text),
    )
    op.create_table(
        "sample_blocks",
        sa.Column("stream_id", sa.String(256), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "state",
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    for name in ("state", "sample_blocks", "streams", "engines"):
        op.drop_table(name)
