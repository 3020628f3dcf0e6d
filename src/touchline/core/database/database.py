"""The server's own database, SQLite or PostgreSQL, and the one home of SQLAlchemy.

One thread writes and commits for everybody who waits (group commit); readers have threads of
their own, which both databases let run beside the writer. A database that cannot be opened
does not stop the server: every statement then raises `Failed` and the next one tries again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
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

from touchline.core import migrations
from touchline.core.database import schema
from touchline.core.database.dialects import Backend, database_url, upsert
from touchline.core.errors import Failed
from touchline.foreign.files import open_private

__all__ = ["Connection", "Database", "database_url", "open_database", "upsert"]

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]

READERS = 4
GROUP = 200
"""At most so many jobs share a commit, so that the first of them does not wait for ever."""

OPEN_TIMEOUT_S = 30.0
"""The server starts without a database that takes longer; migrations then go on by themselves."""

READ_TIMEOUT_S = 10.0
"""A server that is frozen never answers; its connection is then left to itself."""

APART_TIMEOUT_S = 10.0
"""A group is written job by job for so long: what is slow here is the database, not a job."""

CLOSE_TIMEOUT_S = 5.0

LOOK_EVERY_S = 10.0
"""How often it is looked whether the database is still the one that was written to."""

MARK = "database_mark"
"""The key of what is written into the database, so that a copy of an earlier state is noticed."""


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Open the database at `url`, created where it is missing; closing writes what was submitted.

    A damaged SQLite file is moved aside (its name says when) and a new one begun.
    """
    database = Database(url)
    try:
        try:
            await database.read(lambda _: None, within_s=OPEN_TIMEOUT_S)
        except Failed as error:
            log.error("The server continues without its database: %s", error)  # noqa: TRY400
        yield database
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(database.close)


class Database:
    """Runs work on the database off the event loop. Made by `open_database`."""

    def __init__(self, url: str) -> None:
        self._backend = Backend(url, connections=READERS + 1)
        self.name = self._backend.name
        """Where it is, to be shown; without the password."""
        self._ready = False
        self.generation = 0
        """Grows with each database that turns out to be another one than before, an older copy,
        or to have lost its tables: what was written is not there then."""
        self._marks: frozenset[str | None] | None = None
        """Any of these is in the database that was written to; None: no mark has been made."""
        self._unmarked = False
        """Whether something was written since the last mark."""
        self._look_due_s = 0.0
        self._preparing = threading.Lock()
        self._unprepared: tuple[float, Failed] | None = None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._readers = anyio.CapacityLimiter(READERS)
        self._writer = threading.Thread(target=self._write_jobs, name="db-writer", daemon=True)
        self._writer.start()

    async def write(self, work: Work[T]) -> T:
        """Return what `work` returns once its changes are on the disk; on an error none of them is.

        `work` may be called twice: it touches nothing but the connection it is given. Where the
        connection breaks during the commit itself nobody knows, and that is an error too.
        """
        # wrap_future and not anyio's from_thread: that one would make the writer wait for the loop.
        return await asyncio.wrap_future(self.submit(work))

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue a write from any thread; returns at once, the result comes with the future."""
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise Failed("The database is closed", code="database_closed")
            self._jobs.put(_Job(cast("Work[Any]", work), future))
        return future

    async def read(self, work: Work[T], *, within_s: float = READ_TIMEOUT_S) -> T:
        """Return what `work` returns; it sees everything that was written before it began."""
        with anyio.move_on_after(within_s):
            return await anyio.to_thread.run_sync(
                partial(self._read, work), limiter=self._readers, abandon_on_cancel=True
            )
        raise Failed(f"The database did not respond within {within_s:g} s", code="database_failed")

    def close(self) -> None:
        """Write what was submitted and close the file. A disk that hangs is not waited for."""
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
            self._doubt(error)
            raise _failed(error) from error

    def _write_jobs(self) -> None:
        while True:
            try:
                first = self._jobs.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                self._look()
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
            if time.monotonic() >= self._look_due_s:
                self._look()

    def _write_group(self, jobs: list[_Job]) -> None:
        """One commit for all; where a job fails, once more with each behind its own savepoint."""
        try:
            self._prepare()
            results = self._write_together(jobs)
            if results is None and self._backend.is_closed:
                raise Failed("The database is closed", code="database_closed")
            if results is None:
                results = self._write_apart(jobs)
        except Exception as error:  # noqa: BLE001  (the writer outlives it; the waiting are told)
            self._doubt(error)
            results = [_Failure(error)] * len(jobs)
        for job, result in zip(jobs, results, strict=True):
            if isinstance(result, _Failure):
                job.future.set_exception(_failed(result.error))
            else:
                job.future.set_result(result)
                self._unmarked = True

    def _look(self) -> None:
        """Notice an older copy of the database, or another one, that has come into its place.

        What was written since would be lost to the next server, and nothing else would tell.
        """
        self._look_due_s = time.monotonic() + LOOK_EVERY_S
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
                    self._begin_anew()
            if self._marks is None or self._unmarked:
                self._mark(found)
        except Exception as error:  # noqa: BLE001  (whoever writes next is told)
            log.debug("%s cannot be inspected: %s", self.name, error)
            self._doubt(error)

    def _mark(self, found: str | None) -> None:
        mark = json.dumps(secrets.token_hex(8))
        # A commit whose answer is lost may have been made.
        self._marks = frozenset({found, mark})
        with self._backend.for_writing.begin() as connection:
            upsert(connection, schema.state, [{"key": MARK, "value": mark}])
        self._marks, self._unmarked = frozenset({mark}), False

    def _write_together(self, jobs: list[_Job]) -> list[Any] | None:
        """What the jobs returned; None where one failed, and so nothing was written."""
        with self._backend.for_writing.connect() as connection:
            with connection.begin() as transaction:
                results = []
                for job in jobs:
                    try:
                        results.append(job.work(connection))
                    except Exception:  # noqa: BLE001  (found below, by whom it belongs to)
                        transaction.rollback()
                        return None
            return results

    def _write_apart(self, jobs: list[_Job]) -> list[Any]:
        """What the jobs returned, or the failure of a job that is undone alone."""
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
                except Exception as error:  # noqa: BLE001  (handed to whoever waits)
                    self._doubt(error)
                    results.append(_Failure(error))
                else:
                    results.append(result)
        return results

    def _prepare(self) -> None:
        """Make the tables what they should be, once."""
        asked_s = time.monotonic()
        with self._preparing:
            if self._ready and not self._backend.is_same_file():
                log.error("%s was replaced or removed; its previous contents are lost", self.name)
                self._backend.reopen()
                self._begin_anew()
            if self._ready:
                return
            if self._unprepared is not None and self._unprepared[0] > asked_s:
                # Somebody tried while this one waited: a try can take seconds, and many may wait.
                raise Failed(self._unprepared[1].message, code=self._unprepared[1].code)
            try:
                self._open()
            except Exception as error:
                failed = _failed(error)
                if not isinstance(failed, Failed):
                    # A step that is wrong must not keep cameras from recording.
                    log.exception("The tables of %s cannot be migrated", self.name)
                    failed = Failed(f"Its tables are outdated: {error}", code="database_old")
                self._unprepared = (time.monotonic(), failed)
                raise failed from error
            self._ready = True

    def _doubt(self, error: Exception) -> None:
        """Look at the tables again where one is missing: it is another database now."""
        self._backend.forget_read_only(error)
        if self._backend.lacks_table(error):
            with self._preparing:
                if self._ready:
                    log.error("%s has lost its tables; creating them again", self.name)
                    self._begin_anew()

    def _begin_anew(self) -> None:
        self._ready = False
        self.generation += 1
        self._marks = None

    def _open(self) -> None:
        backend = self._backend
        if backend.file is not None:
            backend.file.parent.mkdir(parents=True, exist_ok=True)
            # SQLite gives the files that it adds the rights of this one.
            os.close(open_private(backend.file, os.O_RDWR, folders=0))
        try:
            self._migrate()
        except DatabaseError as error:
            if (kept := backend.set_aside(error)) is None:
                raise
            log.error(  # noqa: TRY400  (the reason is the database's own sentence)
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
    """A piece of work, and where its result goes."""

    __slots__ = ("future", "work")

    def __init__(self, work: Work[Any], future: Future[Any]) -> None:
        self.work = work
        self.future = future


class _Failure:
    """In the place of a result: why there is none."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


def _failed(error: Exception) -> Exception:
    """The database's errors as `Failed`; an error of the work itself as it is."""
    if not isinstance(error, (SQLAlchemyError, OSError)):
        return error
    cause = getattr(error, "orig", None) or error
    return Failed(f"The database is not writable: {cause}", code="database_failed")
