"""Persistence of the engines half, with all writes to the database in one place.

Facts confirmed to a client are on the disk first (`save_streams`). Facts observed by the server are
written soon after (`note_…`), and retried until the database accepts them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import anyio

from touchline.core.database import schema
from touchline.core.database.database import Connection, Database, upsert
from touchline.core.errors import Blocked, Failed
from touchline.core.events.log import Event, EventLog
from touchline.core.tasks import Changed, Keep, keep_running
from touchline.engines.fleet.rows import Loaded, Notes, read_rows, row_of
from touchline.engines.model.listing import rfc3339
from touchline.engines.model.model import Stream

log = logging.getLogger(__name__)

FLUSH_EVERY_S = 0.25
REPLACED_EVERY_S = 2.0
"""Interval of the check for a replaced database while nothing is written, in seconds."""

SAMPLES_EVERY_S = 30.0
CLOSE_TIMEOUT_S = 5.0
STREAM, STATE = "stream", "state"
_AT_ONCE = 100
Blocks = Callable[[], list[tuple[str, int, bytes]]]


@dataclass
class _Batch:
    """Streams and events that are written together, and the callers that wait for them."""

    streams: list[Stream] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    done: list[asyncio.Future[None]] = field(default_factory=list)


class Store:
    """Database store, created by `open_store`.

    The database works in its own threads.
    """

    def __init__(
        self, database: Database, events: EventLog, *, blocks: Blocks, kept_blocks: int
    ) -> None:
        self._kept_blocks = kept_blocks
        self._database = database
        self._events = events
        self._blocks = blocks
        self._waiting: _Batch | None = None
        """Batch that the database's thread has not begun to write yet."""
        self._handing_over = threading.Lock()
        self._streams: dict[str, Stream] = {}
        self._engines: dict[str, Mapping[str, Any] | None] = {}
        self._state: dict[str, Any] = {}
        self._samples: dict[tuple[str, int], bytes] = {}
        self._overtaken: set[tuple[str, str]] = set()
        """Keys saved on the disk since the last flush began, whose older notes are discarded."""
        self._returned: set[str] = set()
        """Keys put back by a failed flush, without a newer note since."""
        self._news = anyio.Event()
        self._held = False
        self._generation = database.generation
        self.replaced = Changed()
        """Marked when the database was replaced by another one: everything must be noted again."""
        self._samples_due_s = anyio.current_time() + SAMPLES_EVERY_S

    # ----------------------------------------------------------- durable writes

    async def save_streams(self, streams: Sequence[Stream], events: Sequence[Event]) -> None:
        """Save streams together with the events about them, and return when they are on the disk.

        Calls during a commit share the next one. Raises Blocked (`database_unavailable`) if the
        database does not accept them: then only the events are kept, which record the attempt.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._handing_over:
            batch = self._waiting
            first = batch is None
            if batch is None:
                batch = self._waiting = _Batch()
            batch.streams.extend(streams)
            batch.events.extend(events)
            batch.done.append(done)
        if first:
            self._submit(batch, loop)
        await done

    def _submit(self, batch: _Batch, loop: asyncio.AbstractEventLoop) -> None:
        """Submit the batch to the database's thread; it can grow until the write begins."""

        def work(connection: Connection) -> None:
            self._close_batch(batch)
            upsert(connection, schema.streams, [row_of(stream) for stream in batch.streams])
            self._events.write_with(connection, batch.events)

        try:
            future = self._database.submit(work)
        except Failed as error:
            self._notify_written(batch, error)
        else:
            future.add_done_callback(
                lambda f: loop.call_soon_threadsafe(self._notify_written, batch, f.exception())
            )

    def _close_batch(self, batch: _Batch) -> None:
        """Close a batch; later calls use another one."""
        with self._handing_over:
            if self._waiting is batch:
                self._waiting = None

    def _notify_written(self, batch: _Batch, error: BaseException | None) -> None:
        """Notify the callers that wait for the batch."""
        self._close_batch(batch)  # the writer may have failed before closing it
        if error is None:
            self._events.written(batch.events)
            for stream in batch.streams:
                self._streams.pop(stream.id, None)  # an older note must not overwrite it
                self._overtaken.add((STREAM, stream.id))
        failure = _convert_failure(error) if isinstance(error, Failed) else error
        for done in batch.done:
            if done.cancelled():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)

    async def save_state(self, key: str, value: Any) -> None:
        """Save a value, and return when it is on the disk.

        Raises Blocked if the database does not accept it.
        """
        row = {"key": key, "value": json.dumps(value)}
        # An older note must not overwrite it; a newer one must.
        noted = {key: self._state.pop(key)} if key in self._state else {}
        try:
            await self._database.write(lambda c: upsert(c, schema.state, [row]))
        except BaseException as error:
            self._state = {**noted, **self._state}
            if isinstance(error, Failed):
                raise _convert_failure(error) from error
            raise
        self._overtaken.add((STATE, key))
        if key in self._returned:
            self._returned.discard(key)
            self._state.pop(key, None)

    # ------------------------------------------------------- deferred writes

    def hold(self) -> None:
        """Hold back notes until `release`, because the database has not been read yet."""
        self._held = True

    def release(self) -> None:
        """Write the notes that were held back."""
        self._held = False
        self._news.set()

    def note_streams(self, streams: Iterable[Stream], events: Iterable[Event]) -> None:
        """Queue streams to be written soon; the events are logged immediately."""
        for stream in streams:
            self._streams[stream.id] = stream
        for event in events:
            self._events.take(event)
        self._news.set()

    def note_engine(self, engine_id: str, facts: Mapping[str, Any]) -> None:
        """Replace the stored facts of an engine."""
        self._engines[engine_id] = facts
        self._news.set()

    def forget_engine(self, engine_id: str) -> None:
        """Delete the stored facts of an engine."""
        self._engines[engine_id] = None
        self._news.set()

    def note_state(self, key: str, value: Any) -> None:
        """Store this JSON-compatible value under `key`."""
        self._state[key] = value
        self._returned.discard(key)
        self._news.set()

    async def purge(self, stream_ids: Sequence[str]) -> None:
        """Delete streams and their samples from the disk. Raises Failed."""
        for stream_id in stream_ids:
            self._streams.pop(stream_id, None)
            self._overtaken.add((STREAM, stream_id))
        gone = set(stream_ids)
        self._samples = {key: c for key, c in self._samples.items() if key[0] not in gone}

        def work(connection: Connection) -> None:
            for table, column in (
                (schema.sample_blocks, schema.sample_blocks.c.stream_id),
                (schema.streams, schema.streams.c.id),
            ):
                for at in range(0, len(stream_ids), _AT_ONCE):
                    connection.execute(
                        table.delete().where(column.in_(stream_ids[at : at + _AT_ONCE]))
                    )

        await self._database.write(work)

    async def flush(self, *, samples: bool = False) -> None:
        """Write the notes.

        Raises Failed; they are then kept, and written with the next call.
        """
        if self._held:
            return
        if samples:
            for stream_id, number, content in self._blocks():
                self._samples[stream_id, number] = content
        streams, self._streams = self._streams, {}
        engines, self._engines = self._engines, {}
        state, self._state = self._state, {}
        blocks, self._samples = self._samples, {}
        if not (streams or engines or state or blocks):
            return
        self._overtaken.clear()
        self._returned.clear()

        notes = Notes(streams, engines, state, blocks)
        try:
            await self._database.write(lambda c: notes.write(c, kept_blocks=self._kept_blocks))
        except BaseException:
            # Notes and saves since the flush began are newer.
            gone = self._overtaken
            streams = {k: each for k, each in streams.items() if (STREAM, k) not in gone}
            state = {k: each for k, each in state.items() if (STATE, k) not in gone}
            self._streams = {**streams, **self._streams}
            self._engines = {**engines, **self._engines}
            self._returned = state.keys() - self._state.keys()
            self._state = {**state, **self._state}
            self._samples = {**blocks, **self._samples}
            raise

    async def once(self) -> None:
        """Wait briefly for something to write, or for samples to be due, and flush.

        Raises Failed.
        """
        wait_s = min(REPLACED_EVERY_S, self._samples_due_s - anyio.current_time())
        with anyio.move_on_after(max(0.0, wait_s)):
            await self._news.wait()
        self._news = anyio.Event()
        # While notes are held, the record has not been read; it is written again after that.
        if not self._held and self._database.generation != self._generation:
            self._generation = self._database.generation
            log.warning("The database was replaced: writing all engines and streams again")
            self.replaced.mark()
        samples = anyio.current_time() >= self._samples_due_s
        if samples:
            self._samples_due_s = anyio.current_time() + SAMPLES_EVERY_S
        try:
            await self.flush(samples=samples)
        except Exception:
            self._news.set()
            raise

    # ------------------------------------------------------------------ reading back

    async def load(self, now: datetime, *, kept_s: float) -> Loaded:
        """Return streams that play or ended within `kept_s`, engines' facts, and the state.

        Raises Failed if the database cannot be read.
        """
        oldest = rfc3339(now - timedelta(seconds=kept_s))

        return await self._database.read(lambda connection: read_rows(connection, oldest))

    async def load_samples(self, stream_id: str) -> list[tuple[int, bytes]]:
        """Return the blocks of one stream. Raises Failed."""

        def work(connection: Connection) -> list[tuple[int, bytes]]:
            table = schema.sample_blocks
            query = table.select().where(table.c.stream_id == stream_id).order_by(table.c.number)
            return [(row.number, bytes(row.content)) for row in connection.execute(query)]

        return await self._database.read(work)


@asynccontextmanager
async def open_store(
    database: Database,
    events: EventLog,
    *,
    blocks: Blocks,
    kept_blocks: int,
    keep: Keep = keep_running,
) -> AsyncIterator[Store]:
    """Open the store on this database; notes are written before it closes.

    `blocks` returns the samples that are new since its last call; `kept_blocks` is the number of
    newest blocks kept for a stream.
    """
    store = Store(database, events, blocks=blocks, kept_blocks=kept_blocks)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: keep("engine records", store.once, every_s=FLUSH_EVERY_S))
            yield store
            tasks.cancel_scope.cancel()
    finally:
        # By now a write in progress has either succeeded or put its notes back.
        with anyio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
            try:
                await store.flush(samples=True)
            except Exception:
                log.exception("The newest records of engines were lost")


def _convert_failure(error: Failed) -> Blocked:
    return Blocked(
        f"The database is not writable: {error.message}. Nothing was changed; retry later",
        code="database_unavailable",
        eta_s=5.0,
    )
