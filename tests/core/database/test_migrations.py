from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from touchline.core.database import migrations, schema
from touchline.core.database.database import Connection, open_database
from touchline.core.errors import Failed
from touchline.core.events.log import open_events
from touchline.core.metrics import Metrics

pytestmark = pytest.mark.anyio

COUNT = "SELECT count(*) FROM events"
REVISION = "SELECT version_num FROM alembic_version"

BEFORE_MIGRATIONS = """
    CREATE TABLE events (
        id INTEGER NOT NULL, at VARCHAR(40) NOT NULL, type VARCHAR(80) NOT NULL,
        category VARCHAR(40) NOT NULL, message TEXT NOT NULL, details TEXT NOT NULL,
        ids TEXT NOT NULL, PRIMARY KEY (id)
    );
    CREATE INDEX ix_events_at ON events (at);
    CREATE INDEX ix_events_type ON events (type);
    CREATE INDEX ix_events_category ON events (category);
    INSERT INTO events (at, type, category, message, details, ids)
        VALUES ('2026-02-11T19:10:41.266000+00:00', 'recording', 'stopped', 'm', '{}', '{}');
    PRAGMA user_version = 1;
"""
EARLIER_PROGRAM = """
    CREATE TABLE engines (engine_key VARCHAR(128) PRIMARY KEY, container_id VARCHAR(128));
    CREATE TABLE streams (id VARCHAR(256) PRIMARY KEY, engine_key VARCHAR(128));
    CREATE TABLE config (key VARCHAR(128) PRIMARY KEY, value TEXT, updated_at TIMESTAMP);
    CREATE TABLE events (
        id INTEGER PRIMARY KEY, timestamp TIMESTAMP, event_type VARCHAR(32), category VARCHAR(32),
        message TEXT, details JSON, container_id VARCHAR(128), stream_id VARCHAR(256)
    );
    CREATE INDEX ix_events_timestamp ON events (timestamp);
    CREATE INDEX ix_events_event_type ON events (event_type);
    INSERT INTO engines VALUES ('e', 'c1');
    INSERT INTO events VALUES
        (7, '2025-11-21 12:18:47.502472', 'stream', 'started', 'Started', '{"engine_port": 19000}',
        'c1', 'ch-42');
    INSERT INTO events VALUES
        (9, '2025-11-21 12:18:48', 'system', 'scaling', 'More', NULL, NULL, NULL);
    INSERT INTO events VALUES (11, NULL, 'system', 'scaling', 'No time', NULL, NULL, NULL)
"""


def revision(connection: Connection) -> str:
    return str(connection.exec_driver_sql(REVISION).scalar_one())


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, schema.metadata))


def run(url: str, script: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in script.split(";"):
            connection.exec_driver_sql(statement)
    engine.dispose()


async def test_a_new_database_has_the_tables_that_the_program_uses(db_url: str) -> None:
    async with open_database(db_url) as db:
        assert await db.read(differences) == []
        assert await db.read(revision) == schema.REVISIONS[-1]


async def test_the_steps_from_nothing_make_the_same_tables(db_url: str) -> None:
    engine = create_engine(db_url)
    with engine.begin() as connection:
        migrations._run(connection, from_before=False)
        assert differences(connection) == []
        assert revision(connection) == schema.REVISIONS[-1]
    engine.dispose()


def test_the_program_knows_every_one_of_them() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    known = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(known)) == schema.REVISIONS


async def test_a_database_from_before_them_keeps_its_events(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with sqlite3.connect(path) as plain:
        plain.executescript(BEFORE_MIGRATIONS)
    async with open_database(f"sqlite:///{path}") as db, open_events(db, Metrics()) as events:
        assert [event.message for event in await events.page()] == ["m"]
        assert await db.read(revision) == schema.REVISIONS[-1]
        assert await db.read(differences) == []


async def test_a_database_of_a_newer_version_is_left_alone(db_url: str) -> None:
    run(
        db_url,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);"
        "INSERT INTO alembic_version VALUES ('9999')",
    )
    async with open_database(db_url) as db:
        for access in (db.read, db.write):
            with pytest.raises(Failed, match="newer version of touchline") as caught:
                await access(lambda c: c.exec_driver_sql(COUNT))
            assert caught.value.code == "database_newer"
    engine = create_engine(db_url)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        assert revision(connection) == "9999"
    engine.dispose()


async def test_one_that_fails_leaves_the_database_as_it_was(
    db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Connection) -> None:
        raise ValueError("in the middle")

    run(db_url, EARLIER_PROGRAM)
    with monkeypatch.context() as patch:
        patch.setattr("touchline.core.database.migrations.earlier.copy", fail)
        async with open_database(db_url) as db:
            with pytest.raises(Failed, match="in the middle"):
                await db.read(lambda _: None)
    engine = create_engine(db_url)
    with engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
        assert names == {"engines", "streams", "config", "events"}
        assert connection.exec_driver_sql(COUNT).scalar_one() == 3
    engine.dispose()
    async with open_database(db_url) as db:
        assert await db.read(differences_without_earlier) == []


def differences_without_earlier(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection,
        opts={
            "include_object": lambda _, name, kind, *__: kind != "table" or "earlier_" not in name
        },
    )
    return list(compare_metadata(context, schema.metadata))


async def test_the_database_of_the_earlier_program_is_taken_over_with_its_events(
    db_url: str,
) -> None:
    run(db_url, EARLIER_PROGRAM)
    for _ in range(2):
        async with open_database(db_url) as db, open_events(db, Metrics()) as events:
            newest, oldest = await events.page()
            kept = await db.read(
                lambda c: c.exec_driver_sql("SELECT container_id FROM earlier_engines").scalar()
            )
        assert newest.message == "More"
        assert oldest.at.isoformat() == "2025-11-21T12:18:47.502472+00:00"
        assert (oldest.type, oldest.category, oldest.message) == ("stream", "started", "Started")
        assert oldest.details == {"engine_port": 19000}
        assert oldest.ids == {"container_id": "c1", "stream_id": "ch-42"}
        assert kept == "c1"


async def test_a_copy_of_an_older_version_that_comes_meanwhile_is_brought_up_to_date(
    db_url: str,
) -> None:
    row = {"at": "2026", "type": "t", "category": "c", "message": "m", "details": "{}", "ids": "{}"}

    def put(connection: Connection) -> None:
        connection.execute(schema.events.insert(), row)

    async with open_database(db_url) as db:
        await db.write(put)

        def drop(connection: Connection) -> None:
            schema.metadata.drop_all(connection)
            connection.exec_driver_sql("DROP TABLE alembic_version")

        await db.write(drop)
        run(db_url, EARLIER_PROGRAM)
        with pytest.raises(Failed):
            await db.write(put)
        await db.write(put)
        assert db.generation == 1
        assert await db.read(differences_without_earlier) == []
        assert await db.read(revision) == schema.REVISIONS[-1]


def test_a_start_with_a_new_or_an_up_to_date_database_does_without_alembic(tmp_path: Path) -> None:
    program = (
        "import anyio, sys\n"
        "from touchline.core.database.database import open_database\n"
        "async def main():\n"
        f"    async with open_database('sqlite:///{tmp_path}/t.db') as db:\n"
        "        await db.read(lambda c: None)\n"
        "anyio.run(main)\n"
        "print('alembic' in sys.modules)\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["False", "False"]
