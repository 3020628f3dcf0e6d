"""The server's SQLite database, and the one home of SQLAlchemy.

One thread writes and commits for everybody who waits (group commit); readers have threads of
their own, which write-ahead logging lets run beside the writer. A database that cannot be opened
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
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from touchline.core.errors import Failed
from touchline.core.schema import SCHEMA_VERSION, metadata

__all__ = ["Connection", "Database", "open_database"]

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]

READERS = 4
GROUP = 200
"""At most so many jobs share a commit, so that the first of them does not wait for ever."""

CLOSE_TIMEOUT_S = 5.0
BUSY_TIMEOUT_MS = 5000
DAMAGED = ("not a database", "malformed")


@asynccontextmanager
async def open_database(path: Path) -> AsyncIterator[Database]:
    """The database at `path`, made where it is missing; closing writes what was submitted.

    A damaged file is moved aside (its name says when) and a new one begun.
    """
    database = Database(path)
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

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = _make_engine(path)
        self._ready = False
        self._preparing = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._readers = anyio.CapacityLimiter(READERS)
        self._writer = threading.Thread(target=self._write_jobs, name="db-writer", daemon=True)
        self._writer.start()

    async def write(self, work: Work[T]) -> T:
        """What `work` returned, once its changes are on the disk; on an error none of them is."""
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
        """One transaction for all; a job that fails is undone alone, behind its own savepoint."""
        done: list[tuple[_Job, Any]] = []
        try:
            self._prepare()
            with self._engine.begin() as connection:
                for job in jobs:
                    try:
                        with connection.begin_nested():
                            result = job.work(connection)
                    except Exception as error:  # noqa: BLE001  (handed to whoever waits)
                        job.future.set_exception(_failed(error))
                    else:
                        done.append((job, result))
        except Exception as error:  # noqa: BLE001  (the writer outlives it; the waiting are told)
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(_failed(error))
        else:
            for job, result in done:
                job.future.set_result(result)

    def _prepare(self) -> None:
        with self._preparing:
            if self._ready:
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._create()
            except DatabaseError as error:
                if not any(sign in str(error) for sign in DAMAGED):
                    raise
                self._set_aside(error)
                self._create()
            self._ready = True

    def _create(self) -> None:
        with self._engine.begin() as connection:
            found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if found > SCHEMA_VERSION:
                raise Failed(
                    f"{self.path} was written by a newer touchline (schema {found}, this one"
                    f" knows {SCHEMA_VERSION}): run that one, or move the file away",
                    code="database_newer",
                )
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION:d}")

    def _set_aside(self, error: DatabaseError) -> None:
        self._engine.dispose()
        kept = self.path.with_name(f"{self.path.name}.damaged-{int(time.time())}")
        log.error("%s is damaged (%s): kept as %s, a new one begins", self.path, error.orig, kept)
        self.path.replace(kept)
        for suffix in ("-wal", "-shm"):  # they belong to the damaged file
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


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


def _make_engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", pool_size=READERS + 1)

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
