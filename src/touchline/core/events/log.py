"""The event log: what happened, for people and for programs, newest first.

`record` only touches memory. A thread of its own carries events to the database in batches; while
the disk is broken or stalled the newest events stay in memory and are written when it is back.
Whoever asks waits a moment for what was recorded before, so that it has its number.
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
"""So many events wait for the disk; the oldest give way to newer ones and are counted."""

MEMORY_LIMIT = 1_000
"""So many of the newest are answered from memory when the database cannot be read."""


BATCH = 500
RETRY_PAUSE_S = 2.0
GATHER_S = 0.02
"""After an event so long for others to join it: a commit of its own for each would slow the commits
of those who wait for theirs by a third.
"""

FLUSH_TIMEOUT_S = 3.0
SETTLE_TIMEOUT_S = 0.25
"""Who asks waits so long for the disk; a batch takes it milliseconds."""

KEPT_DAYS = 30
TRIM_EVERY = 200
"""Written rows between two deletions of what is over `KEPT_ROWS` or older than `KEPT_DAYS`."""


class EventLog:
    """Records events. Made by `open_events`; `record` may be called from any thread."""

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        *,
        kept_rows: int = KEPT_ROWS,
        on_news: Callable[[], None] = lambda: None,
        trust_now: Callable[[int | None], Trust] = trust_now,
    ) -> None:
        """`on_news` is called after each event, in whatever thread it was recorded.

        Nothing is deleted for its age while the date is doubtful, given that of the newest event.
        """
        self._trust_now = trust_now
        self._newest_unix_ns: int | None = None
        self._dates_read = False
        self._database = database
        self._on_news = on_news
        self.changed = Changed()
        """Marked on the event loop after each event, where `open_events` made the log."""
        self._kept_rows = kept_rows
        self._recorded: Counter = metrics.counter(
            "touchline_events", "Events recorded, by category.", ["category"]
        )
        self._dropped: Counter = metrics.counter(
            "touchline_events_dropped", "Events that were not written to the database."
        )
        self._waiting: deque[Event] = deque()
        self._came = self._went = 0  # events that entered and left `_waiting`
        self._newest: deque[Event] = deque(maxlen=MEMORY_LIMIT)
        self._written_elsewhere = False
        self._since_trim = TRIM_EVERY  # the first batch trims what an earlier run left
        self._news = threading.Condition()
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
        """Record an event that happens now. Never blocks on a disk and never fails."""
        self.take(make_event(type, category, message, **details))

    def take(self, happened: Event) -> None:
        """Record an event that was made before."""
        self._recorded.labels(happened.category).inc()
        with self._news:
            self._newest.append(happened)
            if len(self._waiting) >= WAITING_LIMIT:
                self._take_oldest()
                self._dropped.inc()
            self._waiting.append(happened)
            self._came += 1
            self._news.notify()
        self._on_news()

    def write_with(self, connection: Connection, happened: Sequence[Event]) -> None:
        """Write events in the caller's transaction; then call `written` or `take`."""
        insert_events(connection, happened)

    def written(self, happened: Sequence[Event]) -> None:
        """Note that events written by `write_with` have been committed."""
        for item in happened:
            self._recorded.labels(item.category).inc()
        with self._news:
            self._newest.extend(happened)
            self._written_elsewhere = True
            self._since_trim += len(happened)
            if self._since_trim >= TRIM_EVERY:
                self._news.notify()
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

        What the disk has not taken yet, because it is slow or away, is among them.
        """
        settled = await self._settle()
        with self._news:
            memory = [item for item in reversed(self._newest) if wanted.fits(item)]
            waiting = [item for item in reversed(self._waiting) if wanted.fits(item)]
        try:
            if settled:
                return await self._database.read(lambda c: select_events(c, wanted, limit, offset))
            written = await self._database.read(lambda c: select_events(c, wanted, limit + offset))
        except Failed as error:
            log.warning("Events are answered from memory: %s", error)
            return memory[offset : offset + limit]
        # An event may reach the disk between the two looks: it is then in both, and counted once.
        seen = {(item.at, item.type, item.message) for item in written}
        fresh = [item for item in waiting if (item.at, item.type, item.message) not in seen]
        # What waits came after what is written, whatever their dates say.
        return [*fresh, *written][offset : offset + limit]

    def newest(self, limit: int) -> list[Event]:
        """Return the newest events of this server from memory, newest first."""
        with self._news:
            return list(itertools.islice(reversed(self._newest), limit))

    async def stats(self) -> EventStats:
        """Count the events of the log. Raises Failed where it cannot be read."""
        await self._settle()
        return await self._database.read(read_stats)

    async def cleanup(self, max_age_days: int = KEPT_DAYS) -> int:
        """Delete older events; returns how many. Raises Failed where the disk refuses."""
        if self._trust_now(self._newest_unix_ns) == "doubtful":
            log.warning(
                "Events are not deleted by age, because the system clock is implausible: %s",
                datetime.now(UTC),
            )
            return 0
        before = datetime.now(UTC) - timedelta(days=max_age_days)
        return await self._database.write(lambda connection: delete_before(connection, before))

    async def _settle(self) -> bool:
        """Whether what was recorded so far is on the disk, now or in a moment."""
        due = self._came
        with anyio.move_on_after(SETTLE_TIMEOUT_S):
            # The thread that writes cannot wake a task, and it is done in milliseconds.
            while self._went < due and self._healthy:  # noqa: ASYNC110
                await anyio.sleep(0.002)
        return self._went >= due

    @property
    def _must_trim(self) -> bool:
        """Whether so much was written elsewhere that it is time, without anything to write here."""
        return self._written_elsewhere and self._since_trim >= TRIM_EVERY

    def _take_oldest(self) -> None:
        self._waiting.popleft()
        self._went += 1

    def close(self) -> None:
        """Write waiting events, for at most a few seconds."""
        with self._news:
            self._stopping = True
            self._news.notify()
        self._thread.join(FLUSH_TIMEOUT_S + 1.0)
        if left := len(self._waiting):
            self._dropped.inc(left)
            log.error("%d events could not be written to %s", left, self._database.name)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._stopping or self._must_trim)
                self._news.wait_for(lambda: self._stopping, timeout=GATHER_S)
                batch = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
                stopping = self._stopping
            if not batch and (stopping or not self._must_trim):
                return
            if self._write(batch):
                with self._news:
                    # Newer events may have pushed some of the batch out meanwhile: compare.
                    for item in batch:
                        if self._waiting and self._waiting[0] is item:
                            self._take_oldest()
            elif stopping:
                return
            else:
                with self._news:
                    self._news.wait_for(lambda: self._stopping, timeout=RETRY_PAUSE_S)

    def _write(self, batch: Sequence[Event]) -> bool:
        with self._news:
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
        except Exception as error:  # noqa: BLE001  (events wait for whatever it is to be over)
            if self._healthy:
                log.error("Events stay in memory: %r", error)  # noqa: TRY400
            self._healthy = False
            return False
        dates_ns = [unix_ns(item.at) for item in batch]
        self._newest_unix_ns = newest_believed(dates_ns, self._newest_unix_ns)
        if not self._healthy:
            log.info("Events are being written again")
        self._healthy = True
        if trim:
            with self._news:
                self._since_trim = 0
        return True


@asynccontextmanager
async def open_events(database: Database, metrics: Metrics) -> AsyncIterator[EventLog]:
    """Open the event log of this database; recorded events are written before it closes."""
    loop = asyncio.get_running_loop()
    is_told = threading.Event()  # many events between two turns of the loop are one piece of news

    def mark() -> None:
        is_told.clear()
        events.changed.mark()

    def on_news() -> None:
        if not is_told.is_set():
            is_told.set()
            with suppress(RuntimeError):  # the loop is closed: nobody is there to be told
                loop.call_soon_threadsafe(mark)

    events = EventLog(database, metrics, on_news=on_news)
    try:
        yield events
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(events.close)
