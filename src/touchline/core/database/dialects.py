"""What is not the same on SQLite and PostgreSQL: the URL, and how a connection is set up."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Executable, Table, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError

from touchline.core.errors import Invalid
from touchline.core.wallclock import unused_name

BUSY_TIMEOUT_MS = 5000
"""How long a statement waits for a lock that another program holds."""

DAMAGED = ("not a database", "malformed")

_LACKING = frozenset({"42P01", "42703"})
_LACKING_IN_SQLITE = ("no such table", "no such column", "has no column named")
_READ_ONLY = "25006"

_REACHABLE = {
    "connect_timeout": 5,
    # A machine that is gone says nothing: without these a statement waits for a quarter of an hour.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def database_url(given: str) -> str:
    """Return the URL in SQLAlchemy's form, with the driver's name. Raises Invalid."""
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise Invalid("The database URL cannot be read; write it like postgresql://…") from error
    kind = url.drivername.partition("+")[0]
    if kind in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if kind == "sqlite" and url.database not in {None, "", ":memory:"}:
        return url.set(drivername="sqlite").render_as_string(hide_password=False)
    raise Invalid("The database must be sqlite:///… (a file) or postgresql://…")


class Backend:
    """The database behind a URL: its connections, and what only one of the two kinds can do.

    `for_reading` and `for_writing` share their connections.
    """

    def __init__(self, url: str, *, connections: int) -> None:
        parsed = make_url(url)
        self.name = parsed.render_as_string(hide_password=True)
        """Where it is, to be shown; without the password."""
        self.is_closed = False
        self._sockets: WeakSet[Any] = WeakSet()
        self._is: tuple[int, int] | None = None
        self._log_is: tuple[int, int] | None = None
        is_file = parsed.get_backend_name() == "sqlite"
        self.file = Path(parsed.database) if is_file and parsed.database else None
        make = _make_sqlite if is_file else self._make_postgresql
        self.for_reading: Engine = make(parsed, connections)
        self.for_writing: Engine = self.for_reading.execution_options(writes=True)

    def is_same_file(self) -> bool:
        """Return whether the file is the one that is open; always true of a server.

        One that was replaced under open connections would be written to, and be gone.
        """
        if self.file is None:
            return True
        found = _identity(self.file)
        if self._is is None:
            self._is = found
        if found is None or found != self._is:
            return False
        self._log_is = _identity(self._log_file) or self._log_is
        return True

    def reopen(self) -> None:
        """Close every connection to a file that no longer exists, and its log."""
        self.for_reading.dispose()
        if self.file is not None and _identity(self._log_file) in {self._log_is, None}:
            # It belongs to the file that has gone, and would be applied to the one that has come.
            for suffix in ("-wal", "-shm"):
                self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        self._is = self._log_is = None

    @property
    def _log_file(self) -> Path:
        """SQLite's log beside its file."""
        return Path(f"{self.file}-wal")

    def lacks_table(self, error: BaseException) -> bool:
        """Return whether a statement failed because a table or a part of one is missing."""
        cause = getattr(error, "orig", None)
        return getattr(cause, "sqlstate", None) in _LACKING or (
            self.file is not None and any(sign in str(cause) for sign in _LACKING_IN_SQLITE)
        )

    def forget_read_only(self, error: BaseException) -> None:
        """Close the connections if a statement failed because they are read-only.

        A connection keeps that from its beginning, even where the next one may write again.
        """
        cause = getattr(error, "orig", None)
        if getattr(cause, "sqlstate", None) == _READ_ONLY or (
            self.file is not None and "readonly database" in str(cause)
        ):
            self.for_reading.dispose()

    def set_aside(self, error: DatabaseError) -> Path | None:
        """Move a damaged file aside and return its new path; None where it is not damaged."""
        if self.file is None or not any(sign in str(error) for sign in DAMAGED):
            return None
        self.for_reading.dispose()
        kept = unused_name(self.file, "damaged")
        self.file.replace(kept)
        for suffix in ("-wal", "-shm"):  # they belong to the damaged file
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        return kept

    def close(self) -> None:
        """Close every connection, also those that still wait for an answer."""
        self.is_closed = True
        self.for_reading.dispose()
        for connection in list(self._sockets):
            if not connection.closed:
                # A thread that waits for a frozen server would keep this process from ending.
                with socket.socket(fileno=os.dup(connection.fileno())) as doubled:
                    doubled.shutdown(socket.SHUT_RDWR)

    def _make_postgresql(self, url: URL, connections: int) -> Engine:
        engine = create_engine(
            url,
            pool_size=connections,
            pool_pre_ping=True,  # a server that was restarted costs a reconnect, not an error
            connect_args={k: v for k, v in _REACHABLE.items() if k not in url.query},
        )

        @event.listens_for(engine, "connect")
        def _connected(connection: Any, _record: Any) -> None:
            self._sockets.add(connection)
            connection.execute(f"SET lock_timeout = {BUSY_TIMEOUT_MS:d}")
            connection.commit()

        return engine


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is, by device and number; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_sqlite(url: URL, connections: int) -> Engine:
    engine = create_engine(url, pool_size=connections)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN comes late and breaks savepoints: we begin ourselves, below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS:d}")
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL: an answered write survives a power cut; group commit pays for it.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # At once the writer: a plain BEGIN would wait for another program's lock job by job.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace rows by their key; all have the same columns.

    Of several with one key the last one counts.
    """
    keys = [column.name for column in table.primary_key]
    last = {tuple(row[key] for key in keys): row for row in rows}
    if not last:
        return
    others = [column.name for column in table.c if column.name not in keys]
    statement: Executable
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # 2 MB that a server on SQLite does without

        pg = postgresql.insert(table)
        excluded = {name: pg.excluded[name] for name in others}
        statement = pg.on_conflict_do_update(index_elements=keys, set_=excluded)
    else:
        lite = sqlite.insert(table)
        excluded = {name: lite.excluded[name] for name in others}
        statement = lite.on_conflict_do_update(index_elements=keys, set_=excluded)
    connection.execute(statement, list(last.values()))
