"""The server's database, SQLite or PostgreSQL.

A single thread executes and commits all writes (group commit). Reads run in threads of their own,
concurrently with the writer on both databases. A database that cannot be opened does not stop the
server: each statement raises `Failed`, and the next one tries again. Errors of SQLAlchemy do not
leave this package.
"""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, cast

import anyio
import anyio.to_thread
from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from touchline.core.database import migrations, schema
from touchline.core.database.dialects import Backend, database_url, upsert
from touchline.core.errors import Failed

__all__ = ["Connection", "Database", "database_url", "open_database", "upsert"]

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]

READERS = 4
GROUP = 200
"""Maximum number of jobs in one commit, so that the first does not wait indefinitely."""

OPEN_TIMEOUT_S = 30.0
"""Time limit for opening at startup; beyond it the server starts and migrations continue."""

READ_TIMEOUT_S = 10.0
"""A database server that hangs never answers; its connection is then abandoned."""

APART_TIMEOUT_S = 10.0
"""Time limit for writing a failed group job by job; if that is slow, the database is the cause."""

CLOSE_TIMEOUT_S = 5.0

LOOK_EVERY_S = 10.0
"""Interval of the check that the database is still the one that was written to."""

MARK = "database_mark"
"""Key of a value that is written to detect that an earlier copy replaced the database."""


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Open the database at `url`, creating it if it is missing.

    Closing writes all submitted jobs. A damaged SQLite file is renamed with the date, and a new one
    is created.
    """
    database = Database(url)
    try:
        try:
            await database.read(lambda _: None, within_s=OPEN_TIMEOUT_S)
        except Failed as error:
            log.error("The server continues without its database: %s", error)
        yield database
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(database.close)


class Database:
    """Runs database work off the event loop. Created by `open_database`."""

    def __init__(self, url: str) -> None:
        self._backend = Backend(url, connections=READERS + 1)
        self.name = self._backend.name
        """Location of the database for display, without the password."""
        self._ready = False
        self.generation = 0
        """Incremented when the database turns out to be another one, older, or without tables.

        Data written before is then missing.
        """
        self._marks: frozenset[str | None] | None = None
        """The database that was written to holds one of these marks; None: no mark was written."""
        self._unmarked = False
        """Whether data was written since the last mark."""
        self._check_due_s = 0.0
        self._preparing = threading.Lock()
        self._unprepared: tuple[float, Failed] | None = None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._readers = anyio.CapacityLimiter(READERS)
        self._writer = threading.Thread(target=self._write_jobs, name="db-writer", daemon=True)
        self._writer.start()

    async def write(self, work: Work[T]) -> T:
        """Run `work`, commit, and return its result; on an error nothing is written.

        `work` may be called twice, so it must touch nothing but its connection. If the connection
        breaks during the commit, the outcome is unknown and an error is raised.
        """
        # wrap_future rather than anyio's from_thread, which would make the writer wait for the
        # loop.
        return await asyncio.wrap_future(self.submit(work))

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue a write from any thread without waiting; the future receives the result."""
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise Failed("The database is closed", code="database_closed")
            self._jobs.put(_Job(cast("Work[Any]", work), future))
        return future

    async def read(self, work: Work[T], *, within_s: float = READ_TIMEOUT_S) -> T:
        """Run `work` and return its result; it sees everything written before it started."""
        with anyio.move_on_after(within_s):
            return await anyio.to_thread.run_sync(
                partial(self._read, work), limiter=self._readers, abandon_on_cancel=True
            )
        raise Failed(f"The database did not respond within {within_s:g} s", code="database_failed")

    def close(self) -> None:
        """Write all submitted jobs and close the database, within `CLOSE_TIMEOUT_S`."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._writer.join(CLOSE_TIMEOUT_S)
        if self._writer.is_alive():
            log.error(
                "The database is still writing after %.0f s; no longer waiting", CLOSE_TIMEOUT_S
            )
        self._backend.close()

    def _read(self, work: Work[T]) -> T:
        try:
            self._prepare()
            with self._backend.for_reading.connect() as connection:
                return work(connection)
        except (SQLAlchemyError, OSError) as error:
            self._check_tables_after(error)
            raise _convert_error(error) from error

    def _write_jobs(self) -> None:
        while True:
            try:
                first = self._jobs.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                self._check_identity()
                continue
            if first is None:
                return
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
            if time.monotonic() >= self._check_due_s:
                self._check_identity()

    def _write_group(self, jobs: list[_Job]) -> None:
        """Write all jobs in one commit; if one fails, repeat them with a savepoint for each."""
        try:
            self._prepare()
            results = self._write_together(jobs)
            if results is None and self._backend.is_closed:
                raise Failed("The database is closed", code="database_closed")
            if results is None:
                results = self._write_apart(jobs)
        except Exception as error:  # noqa: BLE001  (the writer must survive; callers get the error)
            self._check_tables_after(error)
            results = [_Failure(error)] * len(jobs)
        for job, result in zip(jobs, results, strict=True):
            if isinstance(result, _Failure):
                job.future.set_exception(_convert_error(result.error))
            else:
                job.future.set_result(result)
                self._unmarked = True

    def _check_identity(self) -> None:
        """Detect that the database was replaced by an older copy or by another database.

        Otherwise the data written since would be missing at the next start without notice.
        """
        self._check_due_s = time.monotonic() + LOOK_EVERY_S
        try:
            self._prepare()
            with self._backend.for_reading.connect() as connection:
                there = select(schema.state.c.value).where(schema.state.c.key == MARK)
                found = connection.execute(there).scalar_one_or_none()
            if self._marks is not None and found not in self._marks:
                log.error(
                    "%s has changed unexpectedly: it was replaced by an older copy, or another"
                    " server uses it. The state of this server is written to it again",
                    self.name,
                )
                with self._preparing:
                    self._invalidate()
            if self._marks is None or self._unmarked:
                self._mark(found)
        except Exception as error:  # noqa: BLE001  (the next write reports it)
            log.debug("%s cannot be inspected: %s", self.name, error)
            self._check_tables_after(error)

    def _mark(self, found: str | None) -> None:
        mark = json.dumps(secrets.token_hex(8))
        # The commit may have succeeded although its answer was lost.
        self._marks = frozenset({found, mark})
        with self._backend.for_writing.begin() as connection:
            upsert(connection, schema.state, [{"key": MARK, "value": mark}])
        self._marks, self._unmarked = frozenset({mark}), False

    def _write_together(self, jobs: list[_Job]) -> list[Any] | None:
        """Run the jobs in one transaction; return None if one failed and nothing was written."""
        with self._backend.for_writing.connect() as connection:
            with connection.begin() as transaction:
                results = []
                for job in jobs:
                    try:
                        results.append(job.work(connection))
                    except Exception:  # noqa: BLE001  (`_write_apart` finds the failing job)
                        transaction.rollback()
                        return None
            return results

    def _write_apart(self, jobs: list[_Job]) -> list[Any]:
        """Run each job behind its own savepoint; return the results and failures."""
        until_s = time.monotonic() + APART_TIMEOUT_S
        results: list[Any] = []
        with self._backend.for_writing.begin() as connection:
            for job in jobs:
                if time.monotonic() > until_s:
                    results.append(_Failure(TimeoutError("other statements took too long")))
                    continue
                try:
                    with connection.begin_nested():
                        result = job.work(connection)
                except Exception as error:  # noqa: BLE001  (passed to the caller)
                    self._check_tables_after(error)
                    results.append(_Failure(error))
                else:
                    results.append(result)
        return results

    def _prepare(self) -> None:
        """Open and migrate the database unless that was done before."""
        asked_s = time.monotonic()
        with self._preparing:
            if self._ready and not self._backend.is_same_file():
                log.error("%s was replaced or removed; its previous contents are lost", self.name)
                self._backend.reopen()
                self._invalidate()
            if self._ready:
                return
            if self._unprepared is not None and self._unprepared[0] > asked_s:
                # Another thread tried while this one waited: an attempt can take seconds, and many
                # may wait.
                raise Failed(self._unprepared[1].message, code=self._unprepared[1].code)
            try:
                self._open()
            except Exception as error:
                failed = _convert_error(error)
                if not isinstance(failed, Failed):
                    # A wrong migration must not keep cameras from recording.
                    log.exception("The tables of %s cannot be migrated", self.name)
                    failed = Failed(f"Its tables are outdated: {error}", code="database_old")
                self._unprepared = (time.monotonic(), failed)
                raise failed from error
            self._ready = True

    def _check_tables_after(self, error: Exception) -> None:
        """Check the tables after an error; if one is missing, create them again."""
        self._backend.forget_read_only(error)
        if self._backend.lacks_table(error):
            with self._preparing:
                if self._ready:
                    log.error("%s has lost its tables; creating them again", self.name)
                    self._invalidate()

    def _invalidate(self) -> None:
        self._ready = False
        self.generation += 1
        self._marks = None

    def _open(self) -> None:
        backend = self._backend
        backend.create_file()
        try:
            self._migrate()
        except DatabaseError as error:
            if (kept := backend.set_aside(error)) is None:
                raise
            log.error(
                "%s is damaged (%s): renamed to %s, starting with a new one",
                backend.name,
                error.orig,
                kept,
            )
            self._migrate()

    def _migrate(self) -> None:
        with self._backend.for_reading.connect() as connection:
            if migrations.is_current(connection):
                return
        with self._backend.for_writing.begin() as connection:
            migrations.upgrade(connection, self.name)


class _Job:
    """Queued work and the future that receives its result."""

    __slots__ = ("future", "work")

    def __init__(self, work: Work[Any], future: Future[Any]) -> None:
        self.work = work
        self.future = future


class _Failure:
    """The error of a job, in place of its result."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


def _convert_error(error: Exception) -> Exception:
    """Convert an error of the database to `Failed`; return other errors unchanged."""
    if not isinstance(error, (SQLAlchemyError, OSError)):
        return error
    cause = getattr(error, "orig", None) or error
    if "database is locked" in str(cause):
        cause = "database is locked; close the other program that has its file open"
    return Failed(f"The database is not writable: {cause}", code="database_failed")
