"""The tables of the server's own database. Recordings are not in it: their folder is the record."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table, Text

SCHEMA_VERSION = 1
"""Raised with every change of a table; written into the file as SQLite's `user_version`."""

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    # Text and not DATETIME: ISO with a zone sorts by time, and every tool shows it as it is.
    Column("at", String(40), nullable=False, index=True),
    Column("type", String(80), nullable=False, index=True),
    Column("category", String(40), nullable=False, index=True),
    Column("message", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("ids", Text, nullable=False),
)
