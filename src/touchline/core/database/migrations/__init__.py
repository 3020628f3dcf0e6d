"""Migrations of the database, run by `core.database` when it opens.

Alembic is loaded only if a migration must run: a new or up-to-date database does not need its 9 MB.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from touchline.core.database.migrations import earlier
from touchline.core.database.schema import REVISIONS, metadata
from touchline.core.errors import Failed


def is_current(connection: Connection) -> bool:
    """Return whether the tables are those of this version."""
    return _revision(connection) == REVISIONS[-1]


def upgrade(connection: Connection, name: str) -> None:
    """Run the missing migrations, all or none. Raises Failed for a newer database.

    `name` identifies the database in that error.
    """
    found = _revision(connection)
    if found is not None and found not in REVISIONS:
        raise Failed(
            f"{name} was written by a newer version of touchline (revision {found}; this"
            f" version supports {REVISIONS[-1]}). Use the newer version, or choose another"
            " database",
            code="database_newer",
        )
    is_earlier = earlier.is_there(connection)
    if is_earlier:
        earlier.rename(connection)
    there = metadata.tables.keys() & set(inspect(connection).get_table_names())
    if found is None and not there:
        _create_tables(connection)
    else:
        _run(connection, from_before=found is None and "events" in there)
    if is_earlier:
        earlier.copy(connection)


def _revision(connection: Connection) -> str | None:
    """Return the last migration that was run; None if there was none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _create_tables(connection: Connection) -> None:
    """Create the tables as all migrations together would."""
    metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:last)"), {"last": REVISIONS[-1]})


def _run(connection: Connection, *, from_before: bool) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    if from_before:
        command.stamp(config, REVISIONS[0])  # created before there were migrations
    command.upgrade(config, "head")
