"""The steps from one shape of the database to the next, run by `core.db` when it opens.

Alembic is loaded for a step alone: a start with a new or an up-to-date database does without its
9 MB.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from touchline.core.database.schema import REVISIONS, metadata
from touchline.core.errors import Failed
from touchline.core.migrations import earlier


def is_current(connection: Connection) -> bool:
    """Return whether the tables are those of this version."""
    return _revision(connection) == REVISIONS[-1]


def upgrade(connection: Connection, name: str) -> None:
    """Run the missing migrations, all or none. Raises Failed for a newer database.

    `name` is what the database is called in that error.
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
        _begin(connection)
    else:
        _run(connection, from_before=found is None and "events" in there)
    if is_earlier:
        earlier.copy(connection)


def _revision(connection: Connection) -> str | None:
    """The last step that was run; None where there never was one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _begin(connection: Connection) -> None:
    """The tables as all steps together make them."""
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
        command.stamp(config, REVISIONS[0])  # made before there were steps
    command.upgrade(config, "head")
