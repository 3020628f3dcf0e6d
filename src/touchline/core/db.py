"""The server's own database, SQLite or PostgreSQL, and the one home of SQLAlchemy.

One thread writes and commits for everybody who waits (group commit); readers have threads of
their own, which both databases let run beside the writer. A database that cannot be opened
does not stop the server: every statement then raises `Failed` and the next one tries again.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
import anyio.to_thread
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError

from touchline.core.errors import Failed, Invalid
from touchline.core.schema import REVISIONS

__all__ = ["Connection", "Database", "database_url", "open_database"]

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]

READERS = 4
GROUP = 200
"""At most so many jobs share a commit, so that the first of them does not wait for ever."""

CLOSE_TIMEOUT_S = 5.0
BUSY_TIMEOUT_MS = 5000
CONNECT_TIMEOUT_S = 5
DAMAGED = ("not a database", "malformed")


def database_url(text_: str) -> str:
    """The URL as SQLAlchemy wants it, `postgres://` and driver names settled. Raises Invalid."""
    try:
        url = make_url(text_)
    except ArgumentError as error:
        raise Invalid("The database URL cannot be read; write it like postgresql://…") from error
    kind = url.drivername.partition("+")[0]
    if kind in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if kind == "sqlite" and url.database not in {None, "", ":memory:"}:
        return url.set(drivername="sqlite").render_as_string(hide_password=False)
    raise Invalid("The database must be sqlite:///… (a file) or postgresql://…")


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """The database at `url`, made where it is missing; closing writes what was submitted.

    A damaged SQLite file is moved aside (its name says when) and a new one begun.
    """
    database = Database(url)
    try:
        try:
            await database.read(lambda _: None)
        except Failed as error:
            log.error("The server goes on without its database: %s", error)  # noqa: TRY400
        yield database
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(database.close)


class Database:
    """Runs work on the database off the event loop. Made by `open_database`."""

    def __init__(self, url: str) -> None:
        self._engine = _make_engine(url)
        self.name = self._engine.url.render_as_string(hide_password=True)
        """Where it is, to be shown; without the password."""
        self._ready = False
        self._preparing = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._readers = anyio.CapacityLimiter(READERS)
        self._writer = threading.Thread(target=self._write_jobs, name="db-writer", daemon=True)
        self._writer.start()

    async def write(self, work: Work[T]) -> T:
        """What `work` returned, once its changes are on the disk; on an error none of them is.

        `work` may be called twice: it touches nothing but the connection it is given.
        """
        # wrap_future and not anyio's from_thread: that one would make the writer wait for the loop.
        return await asyncio.wrap_future(self.submit(work))

    def submit(self, work: Work[T]) -> Future[T]:
        """The same for threads: returns at once, the result comes with the future."""
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise Failed("The database is closed", code="database_closed")
            self._jobs.put(_Job(cast("Work[Any]", work), future))
        return future

    async def read(self, work: Work[T]) -> T:
        """What `work` returned; it sees everything that was written before it began."""
        return await anyio.to_thread.run_sync(partial(self._read, work), limiter=self._readers)

    def close(self) -> None:
        """Write what was submitted, let go of the file. A disk that hangs is not waited for."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._writer.join(CLOSE_TIMEOUT_S)
        if self._writer.is_alive():
            log.error("The database still writes after %.0f s; not waiting on", CLOSE_TIMEOUT_S)
            return
        self._engine.dispose()

    def _read(self, work: Work[T]) -> T:
        try:
            self._prepare()
            with self._engine.connect() as connection:
                return work(connection)
        except (SQLAlchemyError, OSError) as error:
            raise _failed(error) from error

    def _write_jobs(self) -> None:
        while (first := self._jobs.get()) is not None:
            group, last = [first], False
            while len(group) < GROUP and not last:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    last = True
                else:
                    group.append(job)
            self._write_group([job for job in group if job.future.set_running_or_notify_cancel()])
            if last:
                return

    def _write_group(self, jobs: list[_Job]) -> None:
        """One transaction for all; where that fails, again, each behind a savepoint of its own."""
        try:
            self._prepare()
            try:
                with self._engine.begin() as connection:
                    results = [job.work(connection) for job in jobs]
            except Exception:  # noqa: BLE001  (found below, by whom it belongs to)
                self._write_apart(jobs)
                return
        except Exception as error:  # noqa: BLE001  (the writer outlives it; the waiting are told)
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(_failed(error))
        else:
            for job, result in zip(jobs, results, strict=True):
                job.future.set_result(result)

    def _write_apart(self, jobs: list[_Job]) -> None:
        """One transaction for all; a job that fails is undone alone."""
        done: list[tuple[_Job, Any]] = []
        with self._engine.begin() as connection:
            for job in jobs:
                try:
                    with connection.begin_nested():
                        result = job.work(connection)
                except Exception as error:  # noqa: BLE001  (handed to whoever waits)
                    job.future.set_exception(_failed(error))
                else:
                    done.append((job, result))
        for job, result in done:
            job.future.set_result(result)

    def _prepare(self) -> None:
        with self._preparing:
            if self._ready:
                return
            path = self._file
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._migrate()
            except DatabaseError as error:
                if path is None or not any(sign in str(error) for sign in DAMAGED):
                    raise
                self._set_aside(path, error)
                self._migrate()
            self._ready = True

    @property
    def _file(self) -> Path | None:
        if self._engine.dialect.name != "sqlite" or self._engine.url.database is None:
            return None
        return Path(self._engine.url.database)

    def _migrate(self) -> None:
        with self._engine.begin() as connection:
            found = _revision(connection)
            if found == REVISIONS[-1]:
                return
            if found is not None and found not in REVISIONS:
                raise Failed(
                    f"{self.name} was written by a newer touchline (revision {found}, this one"
                    f" knows {REVISIONS[-1]}): run that one, or choose another database",
                    code="database_newer",
                )
            _upgrade(connection)

    def _set_aside(self, path: Path, error: DatabaseError) -> None:
        self._engine.dispose()
        kept = path.with_name(f"{path.name}.damaged-{int(time.time())}")
        log.error("%s is damaged (%s): kept as %s, a new one begins", path, error.orig, kept)
        path.replace(kept)
        for suffix in ("-wal", "-shm"):  # they belong to the damaged file
            path.with_name(path.name + suffix).unlink(missing_ok=True)


class _Job:
    """A piece of work, and where its result goes."""

    __slots__ = ("future", "work")

    def __init__(self, work: Work[Any], future: Future[Any]) -> None:
        self.work = work
        self.future = future


def _failed(error: Exception) -> Exception:
    """The database's errors as `Failed`; an error of the work itself as it is."""
    if not isinstance(error, (SQLAlchemyError, OSError)):
        return error
    cause = getattr(error, "orig", None) or error
    return Failed(f"The database did not take it: {cause}", code="database_failed")


def _revision(connection: Connection) -> str | None:
    """The last migration that was run; None for an empty database."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
        if row is not None:
            return str(row[0])
    return None


def _upgrade(connection: Connection) -> None:
    """Run what is missing. Alembic is loaded for this alone: an up-to-date start does without."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    if "events" in inspect(connection).get_table_names() and _revision(connection) is None:
        command.stamp(config, REVISIONS[0])  # made before there were migrations
    command.upgrade(config, "head")


def _make_engine(url: str) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        return _make_sqlite(url)
    return create_engine(
        url,
        pool_size=READERS + 1,
        pool_pre_ping=True,  # a server that was restarted costs a reconnect, not an error
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
    )


def _make_sqlite(url: str) -> Engine:
    engine = create_engine(url, pool_size=READERS + 1)

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
        connection.exec_driver_sql("BEGIN")

    return engine
