"""Differences between SQLite and PostgreSQL: URL, connection setup, error codes, upsert."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Executable, Table, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError

from touchline.core.errors import Invalid
from touchline.core.wallclock import find_unused_name
from touchline.foreign.files import PRIVATE_MODE, NotRegular, open_private

BUSY_TIMEOUT_MS = 5000
"""Time that a statement waits for a lock held by another program."""

DAMAGED = ("not a database", "malformed")

_LACKING = frozenset({"42P01", "42703"})
_LACKING_IN_SQLITE = ("no such table", "no such column", "has no column named")
_READ_ONLY = "25006"

_REACHABLE = {
    "connect_timeout": 5,
    # A machine that is down sends nothing: without these a statement would wait for 15 minutes.
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
    """The connections of a database, and operations that only one of the two kinds supports.

    `for_reading` and `for_writing` share one connection pool.
    """

    def __init__(self, url: str, *, connections: int) -> None:
        parsed = make_url(url)
        self.name = parsed.render_as_string(hide_password=True)
        """Location of the database for display, without the password."""
        self.is_closed = False
        self._sockets: WeakSet[Any] = WeakSet()
        self._is: tuple[int, int] | None = None
        self._log_is: tuple[int, int] | None = None
        is_file = parsed.get_backend_name() == "sqlite"
        self.file = Path(parsed.database) if is_file and parsed.database else None
        make = _make_sqlite if is_file else self._make_postgresql
        self.for_reading: Engine = make(parsed, connections)
        self.for_writing: Engine = self.for_reading.execution_options(writes=True)

    def create_file(self) -> None:
        """Create the file if it is missing, so that only its owner can read it. Raises OSError.

        SQLite gives its additional files the same mode. An existing file is not opened: closing a
        descriptor would give up the locks that this process holds on it.
        """
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            mode = self.file.lstat().st_mode
        except FileNotFoundError:
            os.close(open_private(self.file, os.O_RDWR, folders=0))
            return
        if not stat.S_ISREG(mode):
            raise NotRegular(self.file)
        if stat.S_IMODE(mode) != PRIVATE_MODE:
            self.file.chmod(PRIVATE_MODE)
        if not os.access(self.file, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self.file))

    def is_same_file(self) -> bool:
        """Return whether the file is still the one that was opened; always true for PostgreSQL.

        Data written to a file that was replaced under open connections would be lost.
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
        """Close every connection to a file that was replaced or removed, and delete its log."""
        self.for_reading.dispose()
        if self.file is not None and _identity(self._log_file) in {self._log_is, None}:
            # The log belongs to the old file and would be applied to the new one.
            for suffix in ("-wal", "-shm"):
                self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        self._is = self._log_is = None

    @property
    def _log_file(self) -> Path:
        """SQLite's write-ahead log beside its file."""
        return Path(f"{self.file}-wal")

    def lacks_table(self, error: BaseException) -> bool:
        """Return whether a statement failed because a table or column is missing."""
        cause = getattr(error, "orig", None)
        return getattr(cause, "sqlstate", None) in _LACKING or (
            self.file is not None and any(sign in str(cause) for sign in _LACKING_IN_SQLITE)
        )

    def forget_read_only(self, error: BaseException) -> None:
        """Close the connections if a statement failed because they are read-only.

        A connection stays read-only from its opening, even if a new one could write again.
        """
        cause = getattr(error, "orig", None)
        if getattr(cause, "sqlstate", None) == _READ_ONLY or (
            self.file is not None and "readonly database" in str(cause)
        ):
            self.for_reading.dispose()

    def set_aside(self, error: DatabaseError) -> Path | None:
        """Rename a damaged file and return its new path; None if it is not damaged."""
        if self.file is None or not any(sign in str(error) for sign in DAMAGED):
            return None
        self.for_reading.dispose()
        kept = find_unused_name(self.file, "damaged")
        self.file.replace(kept)
        for suffix in ("-wal", "-shm"):  # they belong to the damaged file
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        return kept

    def close(self) -> None:
        """Close every connection, including those that wait for an answer."""
        self.is_closed = True
        self.for_reading.dispose()
        for connection in list(self._sockets):
            if not connection.closed:
                # A thread waiting for a database server that hangs would keep this process from
                # exiting.
                with socket.socket(fileno=os.dup(connection.fileno())) as doubled:
                    doubled.shutdown(socket.SHUT_RDWR)

    def _make_postgresql(self, url: URL, connections: int) -> Engine:
        engine = create_engine(
            url,
            pool_size=connections,
            pool_pre_ping=True,  # a restarted server costs a reconnect, not an error
            connect_args={k: v for k, v in _REACHABLE.items() if k not in url.query},
        )

        @event.listens_for(engine, "connect")
        def _connected(connection: Any, _record: Any) -> None:
            self._sockets.add(connection)
            connection.execute(f"SET lock_timeout = {BUSY_TIMEOUT_MS:d}")
            connection.commit()

        return engine


def _identity(path: Path) -> tuple[int, int] | None:
    """Identify a file by device and inode; None if it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _exclusive(url: URL) -> URL:
    """Return the URL by which no other process can use the file at the same time.

    SQLite then keeps the index of its log in memory. Otherwise it maps a file (`-shm`), and a disk
    that is full, or a file that turns immutable, would end this process by SIGBUS.
    """
    path = quote(os.fsencode(Path(url.database or "").absolute()))
    return url.set(database=f"file:{path}").update_query_dict({"vfs": "unix-excl", "uri": "true"})


def _make_sqlite(url: URL, connections: int) -> Engine:
    engine = create_engine(_exclusive(url), pool_size=connections)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver issues BEGIN late, which breaks savepoints: `_begin_transaction` does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS:d}")
        cursor.execute("PRAGMA mmap_size = 0")  # some builds of SQLite map the file by default
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL: a confirmed write survives a power cut; group commit limits the cost.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin_transaction(connection: Connection) -> None:
        # Lock for writing at once: after a plain BEGIN each job would wait for a foreign lock.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace rows by primary key; all rows have the same columns.

    Of several rows with one key, the last one is used.
    """
    keys = [column.name for column in table.primary_key]
    last = {tuple(row[key] for key in keys): row for row in rows}
    if not last:
        return
    others = [column.name for column in table.c if column.name not in keys]
    statement: Executable
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # 2 MB that SQLite does not need

        pg = postgresql.insert(table)
        excluded = {name: pg.excluded[name] for name in others}
        statement = pg.on_conflict_do_update(index_elements=keys, set_=excluded)
    else:
        lite = sqlite.insert(table)
        excluded = {name: lite.excluded[name] for name in others}
        statement = lite.on_conflict_do_update(index_elements=keys, set_=excluded)
    connection.execute(statement, list(last.values()))
