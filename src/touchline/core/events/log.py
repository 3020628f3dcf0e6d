"""The event log: what happened, for people and for programs, newest first.

`record` only touches memory. A thread of its own carries events to the database in batches; while
the disk is broken or stalled the newest events stay in memory and are written when it is back.
Whoever asks waits a moment for what was recorded before, so that it has its number.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from touchline.core.database import schema
from touchline.core.errors import Failed
from touchline.core.events.kinds import EventCategory, EventType
from touchline.core.tasks import Changed
from touchline.core.wallclock import is_believable
from touchline.foreign import text

if TYPE_CHECKING:
    from prometheus_client import Counter

    from touchline.core.database.database import Connection, Database
    from touchline.core.metrics import Metrics

log = logging.getLogger(__name__)

KEPT_ROWS = 10_000
WAITING_LIMIT = 5_000
"""So many events wait for the disk; the oldest give way to newer ones and are counted."""

MEMORY_LIMIT = 1_000
"""So many of the newest are answered from memory when the database cannot be read."""

MOST_MESSAGE_CHARS = 8_000

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


@dataclass(frozen=True)
class Event:
    """Something that happened. `ids` are the details that name things (`match_id`, `camera_id`)."""

    at: datetime
    type: str
    category: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    id: int | None = field(default=None, compare=False)
    """Its number in the log; None while the disk does not take it."""


def make_event(
    type: EventType,  # noqa: A002
    category: EventCategory,
    message: str,
    **details: Any,
) -> Event:
    """Something that happens now; those details that end in `_id` are its ids."""
    kept = text.printable(details)
    ids = {n: text.shown(str(value)) for n, value in kept.items() if n.endswith("_id")}
    return Event(
        at=datetime.now(UTC),
        type=text.shown(type),
        category=text.shown(category),
        message=text.shown(message, MOST_MESSAGE_CHARS),
        details=MappingProxyType(kept),
        ids=MappingProxyType(ids),
    )


@dataclass(frozen=True)
class EventFilter:
    """Which events are asked for; None fits every one."""

    type: str | None = None
    category: str | None = None
    container_id: str | None = None
    stream_id: str | None = None
    since: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("type", "category", "container_id", "stream_id"):
            value = getattr(self, name)
            if value is not None:  # events are kept as they can be shown
                object.__setattr__(self, name, text.shown(value))

    def fits(self, item: Event) -> bool:
        """Whether it is one of those."""
        return (
            self.type in {None, item.type}
            and self.category in {None, item.category}
            and self.container_id in {None, item.ids.get("container_id")}
            and self.stream_id in {None, item.ids.get("stream_id")}
            and (self.since is None or item.at >= _zoned(self.since))
        )


@dataclass(frozen=True)
class EventStats:
    """How many events there are, by type, and from when to when."""

    total: int
    by_type: Mapping[str, int]
    oldest: datetime | None
    newest: datetime | None


class EventLog:
    """Made by `open_events`. `record` may be called from any thread."""

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        *,
        kept_rows: int = KEPT_ROWS,
        on_news: Callable[[], None] = lambda: None,
        is_believable: Callable[[], bool] = is_believable,
    ) -> None:
        """`on_news` is called after each event, in whatever thread it was recorded.

        Nothing is deleted for its age while the clock is not believable.
        """
        self._is_believable = is_believable
        self._database = database
        self._on_news = on_news
        self.changed = Changed()
        """Marked on the event loop after each event, where `open_events` made the log."""
        self._kept_rows = kept_rows
        self._recorded: Counter = metrics.counter(
            "touchline_events", "Events recorded, by category.", ["category"]
        )
        self._dropped: Counter = metrics.counter(
            "touchline_events_dropped", "Events that never reached the database."
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
        """Note that something happened now. Never blocks on a disk and never fails."""
        self.take(make_event(type, category, message, **details))

    def take(self, happened: Event) -> None:
        """The same for an event that was made before."""
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
        """Write these in the transaction of what they tell about; then call `written` or `take`."""
        if happened:
            connection.execute(schema.events.insert(), [self._row(item) for item in happened])

    def written(self, happened: Sequence[Event]) -> None:
        """These were written by `write_with`, and that has been committed."""
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
        """The newest `limit` that fit, newest first; from memory where the disk gives none."""
        return await self.page(EventFilter(type, category, since=since), limit)

    async def page(
        self, wanted: EventFilter = EventFilter(), limit: int = 100, offset: int = 0
    ) -> list[Event]:
        """Those that fit, newest first, `offset` left out; from memory where the disk gives none.

        What the disk has not taken yet, because it is slow or away, is among them.
        """
        settled = await self._settle()
        with self._news:
            memory = [item for item in reversed(self._newest) if wanted.fits(item)]
            waiting = [item for item in reversed(self._waiting) if wanted.fits(item)]
        try:
            if settled:
                return await self._database.read(lambda c: _select(c, wanted, limit, offset))
            written = await self._database.read(lambda c: _select(c, wanted, limit + offset))
        except Failed as error:
            log.warning("Events are answered from memory: %s", error)
            return memory[offset : offset + limit]
        # An event may reach the disk between the two looks: it is then in both, and counted once.
        seen = {(item.at, item.type, item.message) for item in written}
        fresh = [item for item in waiting if (item.at, item.type, item.message) not in seen]
        # What waits came after what is written, whatever their dates say.
        return [*fresh, *written][offset : offset + limit]

    def newest(self, limit: int) -> list[Event]:
        """The newest of this server, newest first, from memory."""
        with self._news:
            return list(itertools.islice(reversed(self._newest), limit))

    async def stats(self) -> EventStats:
        """Counts of what is in the log. Raises Failed where it cannot be read."""
        await self._settle()
        return await self._database.read(_stats)

    async def cleanup(self, max_age_days: int = KEPT_DAYS) -> int:
        """Delete what is older; how many that were. Raises Failed where the disk refuses."""
        if not self._is_believable():
            log.warning("No event is deleted for its age: the clock says %s", datetime.now(UTC))
            return 0
        before = datetime.now(UTC) - timedelta(days=max_age_days)
        return await self._database.write(lambda connection: _delete_before(connection, before))

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
        """Write what waits, for at most a few seconds."""
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
            if batch:
                connection.execute(schema.events.insert(), [self._row(item) for item in batch])
            if trim:
                _delete_over(connection, self._kept_rows)
                if self._is_believable():
                    _delete_before(connection, datetime.now(UTC) - timedelta(days=KEPT_DAYS))

        try:
            future = self._database.submit(work)
            future.result(FLUSH_TIMEOUT_S if self._stopping else None)
        except Exception as error:  # noqa: BLE001  (events wait for whatever it is to be over)
            if self._healthy:
                log.error("Events stay in memory: %r", error)  # noqa: TRY400
            self._healthy = False
            return False
        if not self._healthy:
            log.info("Events are written again")
        self._healthy = True
        if trim:
            with self._news:
                self._since_trim = 0
        return True

    def _row(self, item: Event) -> dict[str, str | None]:
        try:
            details = json.dumps(dict(item.details), default=str, ensure_ascii=False)
        except Exception:
            # One event that cannot be written must not hold up the others.
            log.exception("The details of event %s cannot be kept", item.type)
            details = "{}"
        values = {
            "at": item.at.isoformat(timespec="microseconds"),
            "type": item.type,
            "category": item.category,
            "message": item.message,
            "details": details,
            "ids": json.dumps(dict(item.ids), ensure_ascii=False),
            "container_id": item.ids.get("container_id"),
            "stream_id": item.ids.get("stream_id"),
        }
        return {name: value and _kept(name, value) for name, value in values.items()}


@asynccontextmanager
async def open_events(database: Database, metrics: Metrics) -> AsyncIterator[EventLog]:
    """The event log on this database; what was recorded is written before it closes."""
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


def _select(
    connection: Connection, wanted: EventFilter, limit: int, offset: int = 0
) -> list[Event]:
    table = schema.events
    query = table.select().order_by(table.c.id.desc()).limit(limit).offset(offset)
    for name in ("type", "category", "container_id", "stream_id"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(table.c[name] == _kept(name, value))
    if wanted.since is not None:
        query = query.where(table.c.at >= _text(wanted.since))
    return [
        Event(
            at=datetime.fromisoformat(row.at),
            type=row.type,
            category=row.category,
            message=row.message,
            details=json.loads(row.details),
            ids=json.loads(row.ids),
            id=row.id,
        )
        for row in connection.execute(query)
    ]


def _stats(connection: Connection) -> EventStats:
    rows = connection.execute(schema.events_by_type).all()
    return EventStats(
        total=sum(row.total for row in rows),
        by_type={row.type: row.total for row in rows},
        oldest=min((datetime.fromisoformat(row.oldest) for row in rows), default=None),
        newest=max((datetime.fromisoformat(row.newest) for row in rows), default=None),
    )


def _kept(name: str, value: str) -> str:
    """As a database takes it: no longer than the column, and no character that has no UTF-8.

    What one of them refuses would come again with every batch, and hold up all others for ever.
    """
    size = getattr(schema.events.c[name].type, "length", None)
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")[:size]


def _delete_before(connection: Connection, before: datetime) -> int:
    table = schema.events
    return connection.execute(table.delete().where(table.c.at < _text(before))).rowcount


def _delete_over(connection: Connection, kept_rows: int) -> None:
    table = schema.events
    newest = table.select().with_only_columns(table.c.id).order_by(table.c.id.desc())
    oldest_kept = connection.execute(newest.offset(kept_rows - 1).limit(1)).scalar()
    if oldest_kept is not None:
        connection.execute(table.delete().where(table.c.id < oldest_kept))


def _text(at: datetime) -> str:
    """As the column has it."""
    try:
        at = _zoned(at).astimezone(UTC)
    except OverflowError:  # the first or the last day there is: hours do not matter
        at = at.replace(tzinfo=UTC)
    return at.isoformat(timespec="microseconds")


def _zoned(at: datetime) -> datetime:
    """A time without a zone is UTC."""
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
