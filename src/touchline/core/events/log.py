"""The event log: events for people and for programs, newest first.

`record` only touches memory. A separate thread writes events to the database in batches. While the
disk fails or stalls, the newest events stay in memory and are written once it recovers. A query
waits briefly for pending events, so that they have their numbers.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from touchline.core.errors import Failed
from touchline.core.events.event import ALL_EVENTS, Event, EventFilter, EventStats, make_event
from touchline.core.events.kinds import EventCategory, EventType
from touchline.core.events.rows import (
    delete_before,
    delete_over,
    insert_events,
    read_dates,
    read_stats,
    select_events,
    unix_ns,
)
from touchline.core.tasks import Changed
from touchline.core.wallclock import Trust, newest_believed, trust_now

if TYPE_CHECKING:
    from prometheus_client import Counter

    from touchline.core.database.database import Connection, Database
    from touchline.core.metrics import Metrics

__all__ = ["Event", "EventLog", "make_event", "open_events"]

log = logging.getLogger(__name__)

KEPT_ROWS = 10_000
WAITING_LIMIT = 5_000
"""Maximum number of events waiting to be written; beyond it the oldest are dropped and counted."""

MEMORY_LIMIT = 1_000
"""Number of newest events in memory, used when the database cannot be read."""


BATCH = 500
RETRY_PAUSE_S = 2.0
GATHER_S = 0.02
"""Delay after an event to gather others for the same commit.

A commit for each event would slow down other commits by a third.
"""

FLUSH_TIMEOUT_S = 3.0
SETTLE_TIMEOUT_S = 0.25
"""Maximum wait of a query for pending events; writing a batch takes milliseconds."""

KEPT_DAYS = 30
TRIM_EVERY = 200
"""Rows written between two deletions of those beyond `KEPT_ROWS` or older than `KEPT_DAYS`."""


class EventLog:
    """Records events. Created by `open_events`; `record` may be called from any thread."""

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        *,
        kept_rows: int = KEPT_ROWS,
        on_news: Callable[[], None] = lambda: None,
        trust_now: Callable[[int | None], Trust] = trust_now,
    ) -> None:
        """Call `on_news` after each event, in the thread that recorded it.

        No event is deleted by age while the date is doubtful, judged by that of the newest event.
        """
        self._trust_now = trust_now
        self._newest_unix_ns: int | None = None
        self._dates_read = False
        self._database = database
        self._on_news = on_news
        self.changed = Changed()
        """Marked on the event loop after each event, if `open_events` created the log."""
        self._kept_rows = kept_rows
        self._recorded: Counter = metrics.counter(
            "touchline_events", "Events recorded, by category.", ["category"]
        )
        self._dropped: Counter = metrics.counter(
            "touchline_events_dropped", "Events that were not written to the database."
        )
        self._waiting: deque[Event] = deque()
        self._added = self._removed = 0  # events that entered and left `_waiting`
        self._newest: deque[Event] = deque(maxlen=MEMORY_LIMIT)
        self._written_elsewhere = False
        self._since_trim = TRIM_EVERY  # the first batch trims the rows of an earlier run
        self._condition = threading.Condition()
        self._stopping = False
        self._healthy = True
        self._thread = threading.Thread(target=self._run, name="event-log", daemon=True)
        self._thread.start()

    def record(
        self,
        type: EventType,  # noqa: A002
        category: EventCategory,
        message: str,
        **details: Any,
    ) -> None:
        """Record an event with the current time. Never blocks on a disk and never fails."""
        self.take(make_event(type, category, message, **details))

    def take(self, happened: Event) -> None:
        """Record an event that was created earlier."""
        self._recorded.labels(happened.category).inc()
        with self._condition:
            self._newest.append(happened)
            if len(self._waiting) >= WAITING_LIMIT:
                self._remove_oldest()
                self._dropped.inc()
            self._waiting.append(happened)
            self._added += 1
            self._condition.notify()
        self._on_news()

    def write_with(self, connection: Connection, happened: Sequence[Event]) -> None:
        """Write events in the caller's transaction; then call `written` or `take`."""
        insert_events(connection, happened)

    def written(self, happened: Sequence[Event]) -> None:
        """Note that events written by `write_with` have been committed."""
        for item in happened:
            self._recorded.labels(item.category).inc()
        with self._condition:
            self._newest.extend(happened)
            self._written_elsewhere = True
            self._since_trim += len(happened)
            if self._since_trim >= TRIM_EVERY:
                self._condition.notify()
        self._on_news()

    async def recent(
        self,
        limit: int = 100,
        *,
        category: str | None = None,
        type: str | None = None,  # noqa: A002
        since: datetime | None = None,
    ) -> list[Event]:
        """Return the newest matching events, newest first; from memory if the disk fails."""
        return await self.page(EventFilter(type, category, since=since), limit)

    async def page(
        self, wanted: EventFilter = ALL_EVENTS, limit: int = 100, offset: int = 0
    ) -> list[Event]:
        """Return matching events from `offset` on, newest first; from memory if the disk fails.

        Events that are not written yet, because the disk is slow or unavailable, are included.
        """
        settled = await self._settle()
        with self._condition:
            memory = [item for item in reversed(self._newest) if wanted.fits(item)]
            waiting = [item for item in reversed(self._waiting) if wanted.fits(item)]
        try:
            if settled:
                return await self._database.read(lambda c: select_events(c, wanted, limit, offset))
            written = await self._database.read(lambda c: select_events(c, wanted, limit + offset))
        except Failed as error:
            log.warning("Events are answered from memory: %s", error)
            return memory[offset : offset + limit]
        # An event may be written between the two reads: it is then in both, and counted once.
        seen = {(item.at, item.type, item.message) for item in written}
        fresh = [item for item in waiting if (item.at, item.type, item.message) not in seen]
        # Waiting events are newer than written ones, whatever their dates.
        return [*fresh, *written][offset : offset + limit]

    def newest(self, limit: int) -> list[Event]:
        """Return the newest events of this server from memory, newest first."""
        with self._condition:
            return list(itertools.islice(reversed(self._newest), limit))

    async def stats(self) -> EventStats:
        """Count the events of the log. Raises Failed if it cannot be read."""
        await self._settle()
        return await self._database.read(read_stats)

    async def cleanup(self, max_age_days: int = KEPT_DAYS) -> int:
        """Delete older events and return their number. Raises Failed if that is not possible."""
        if self._trust_now(self._newest_unix_ns) == "doubtful":
            log.warning(
                "Events are not deleted by age, because the system clock is implausible: %s",
                datetime.now(UTC),
            )
            return 0
        before = datetime.now(UTC) - timedelta(days=max_age_days)
        return await self._database.write(lambda connection: delete_before(connection, before))

    async def _settle(self) -> bool:
        """Wait briefly for pending events; return whether all recorded so far are written."""
        due = self._added
        with anyio.move_on_after(SETTLE_TIMEOUT_S):
            # The writing thread cannot wake a task, and finishes within milliseconds.
            while self._removed < due and self._healthy:  # noqa: ASYNC110
                await anyio.sleep(0.002)
        return self._removed >= due

    @property
    def _must_trim(self) -> bool:
        """Whether others wrote enough events to require trimming without a batch."""
        return self._written_elsewhere and self._since_trim >= TRIM_EVERY

    def _remove_oldest(self) -> None:
        self._waiting.popleft()
        self._removed += 1

    def close(self) -> None:
        """Write waiting events, for at most a few seconds."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        self._thread.join(FLUSH_TIMEOUT_S + 1.0)
        if left := len(self._waiting):
            self._dropped.inc(left)
            log.error("%d events could not be written to %s", left, self._database.name)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._stopping or self._must_trim)
                self._condition.wait_for(lambda: self._stopping, timeout=GATHER_S)
                batch = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
                stopping = self._stopping
            if not batch and (stopping or not self._must_trim):
                return
            if self._write(batch):
                with self._condition:
                    # Newer events may have pushed out some of the batch meanwhile, so compare.
                    for item in batch:
                        if self._waiting and self._waiting[0] is item:
                            self._remove_oldest()
            elif stopping:
                return
            else:
                with self._condition:
                    self._condition.wait_for(lambda: self._stopping, timeout=RETRY_PAUSE_S)

    def _write(self, batch: Sequence[Event]) -> bool:
        with self._condition:
            self._since_trim += len(batch)
            trim = self._since_trim >= TRIM_EVERY

        def work(connection: Connection) -> None:
            if not self._dates_read:
                self._newest_unix_ns = newest_believed(read_dates(connection))
                self._dates_read = True
            insert_events(connection, batch)
            if trim:
                delete_over(connection, self._kept_rows)
                if self._trust_now(self._newest_unix_ns) != "doubtful":
                    delete_before(connection, datetime.now(UTC) - timedelta(days=KEPT_DAYS))

        try:
            future = self._database.submit(work)
            future.result(FLUSH_TIMEOUT_S if self._stopping else None)
        except Exception as error:  # noqa: BLE001  (events wait until writing works again)
            if self._healthy:
                log.error("Events stay in memory: %r", error)
            self._healthy = False
            return False
        dates_ns = [unix_ns(item.at) for item in batch]
        self._newest_unix_ns = newest_believed(dates_ns, self._newest_unix_ns)
        if not self._healthy:
            log.info("Events are being written again")
        self._healthy = True
        if trim:
            with self._condition:
                self._since_trim = 0
        return True


@asynccontextmanager
async def open_events(database: Database, metrics: Metrics) -> AsyncIterator[EventLog]:
    """Open the event log of a database; recorded events are written before it closes."""
    loop = asyncio.get_running_loop()
    is_scheduled = threading.Event()  # one mark covers all events between two turns of the loop

    def mark() -> None:
        is_scheduled.clear()
        events.changed.mark()

    def on_news() -> None:
        if not is_scheduled.is_set():
            is_scheduled.set()
            with suppress(RuntimeError):  # the loop is closed: there are no readers
                loop.call_soon_threadsafe(mark)

    events = EventLog(database, metrics, on_news=on_news)
    try:
        yield events
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(events.close)
