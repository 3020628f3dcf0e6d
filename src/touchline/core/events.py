"""The event log: what happened, for people and for programs, newest first.

`record` only touches memory. A thread of its own carries events to the database in batches; while
the disk is broken or stalled the newest events stay in memory and are written when it is back.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from touchline.core import schema
from touchline.core.errors import Failed

if TYPE_CHECKING:
    from prometheus_client import Counter

    from touchline.core.db import Connection, Database
    from touchline.core.metrics import Metrics

log = logging.getLogger(__name__)

KEPT_ROWS = 10_000
WAITING_LIMIT = 5_000
"""So many events wait for the disk; the oldest give way to newer ones and are counted."""

MEMORY_LIMIT = 1_000
"""So many of the newest are answered from memory when the database cannot be read."""

BATCH = 500
RETRY_PAUSE_S = 2.0
FLUSH_TIMEOUT_S = 3.0
TRIM_EVERY = 200
"""Written rows between two deletions of what is over `KEPT_ROWS`."""


@dataclass(frozen=True)
class Event:
    """Something that happened. `ids` are the details that name things (`match_id`, `camera_id`)."""

    at: datetime
    type: str
    category: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)


class EventLog:
    """Made by `open_events`. `record` may be called from any thread."""

    def __init__(self, database: Database, metrics: Metrics, *, kept_rows: int = KEPT_ROWS) -> None:
        self._database = database
        self._kept_rows = kept_rows
        self._recorded: Counter = metrics.counter(
            "touchline_events", "Events recorded, by category.", ["category"]
        )
        self._dropped: Counter = metrics.counter(
            "touchline_events_dropped", "Events that never reached the database."
        )
        self._waiting: deque[Event] = deque()
        self._newest: deque[Event] = deque(maxlen=MEMORY_LIMIT)
        self._since_trim = TRIM_EVERY  # the first batch trims what an earlier run left
        self._news = threading.Condition()
        self._stopping = False
        self._healthy = True
        self._thread = threading.Thread(target=self._run, name="event-log", daemon=True)
        self._thread.start()

    def record(self, type: str, category: str, message: str, **details: Any) -> None:  # noqa: A002
        """Note that something happened now. Never blocks on a disk and never fails."""
        ids = {name: str(value) for name, value in details.items() if name.endswith("_id")}
        happened = Event(
            at=datetime.now(timezone.utc),
            type=type,
            category=category,
            message=message,
            details=MappingProxyType(dict(details)),
            ids=MappingProxyType(ids),
        )
        self._recorded.labels(category).inc()
        with self._news:
            self._newest.append(happened)
            if len(self._waiting) >= WAITING_LIMIT:
                self._waiting.popleft()
                self._dropped.inc()
            self._waiting.append(happened)
            self._news.notify()

    async def recent(
        self,
        limit: int = 100,
        *,
        category: str | None = None,
        type: str | None = None,  # noqa: A002
        since: datetime | None = None,
    ) -> list[Event]:
        """The newest `limit` that fit, newest first; from memory where the disk gives none."""

        def fits(item: Event) -> bool:
            return (
                (category is None or item.category == category)
                and (type is None or item.type == type)
                and (since is None or item.at >= since)
            )

        with self._news:
            memory = [item for item in reversed(self._newest) if fits(item)]
            waiting = [item for item in reversed(self._waiting) if fits(item)]
        try:
            written = await self._database.read(
                lambda connection: _select(connection, limit, category, type, since)
            )
        except Failed as error:
            log.warning("Events are answered from memory: %s", error)
            return memory[:limit]
        # An event may reach the disk between the two looks: it is then in both, and counted once.
        seen = {(item.at, item.type, item.message) for item in written}
        fresh = [item for item in waiting if (item.at, item.type, item.message) not in seen]
        return sorted([*fresh, *written], key=lambda item: item.at, reverse=True)[:limit]

    def close(self) -> None:
        """Write what waits, for at most a few seconds."""
        with self._news:
            self._stopping = True
            self._news.notify()
        self._thread.join(FLUSH_TIMEOUT_S + 1.0)
        if left := len(self._waiting):
            self._dropped.inc(left)
            log.error("%d events could not be written to %s", left, self._database.path)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._stopping)
                batch = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
                stopping = self._stopping
            if not batch:
                return
            if self._write(batch):
                with self._news:
                    # Newer events may have pushed some of the batch out meanwhile: compare.
                    for item in batch:
                        if self._waiting and self._waiting[0] is item:
                            self._waiting.popleft()
            elif stopping:
                return
            else:
                with self._news:
                    self._news.wait_for(lambda: self._stopping, timeout=RETRY_PAUSE_S)

    def _write(self, batch: Sequence[Event]) -> bool:
        rows = [row for item in batch if (row := self._row(item)) is not None]
        self._since_trim += len(rows)
        trim = self._since_trim >= TRIM_EVERY

        def work(connection: Connection) -> None:
            if rows:
                connection.execute(schema.events.insert(), rows)
            if trim:
                _delete_old(connection, self._kept_rows)

        try:
            future = self._database.submit(work)
            future.result(FLUSH_TIMEOUT_S if self._stopping else None)
        except (Failed, FutureTimeout) as error:
            if self._healthy:
                log.error("Events stay in memory: %s", error)  # noqa: TRY400
            self._healthy = False
            return False
        if not self._healthy:
            log.info("Events are written again")
        self._healthy = True
        if trim:
            self._since_trim = 0
        return True

    def _row(self, item: Event) -> dict[str, str] | None:
        try:
            details = json.dumps(dict(item.details), default=str, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            # One event that cannot be written must not hold up the others.
            log.exception("The details of event %s cannot be kept", item.type)
            details = "{}"
        return {
            "at": item.at.isoformat(timespec="microseconds"),
            "type": item.type,
            "category": item.category,
            "message": item.message,
            "details": details,
            "ids": json.dumps(dict(item.ids), ensure_ascii=False),
        }


@asynccontextmanager
async def open_events(database: Database, metrics: Metrics) -> AsyncIterator[EventLog]:
    """The event log on this database; what was recorded is written before it closes."""
    events = EventLog(database, metrics)
    try:
        yield events
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(events.close)


def _select(
    connection: Connection,
    limit: int,
    category: str | None,
    type: str | None,  # noqa: A002
    since: datetime | None,
) -> list[Event]:
    table = schema.events
    query = table.select().order_by(table.c.id.desc()).limit(limit)
    if category is not None:
        query = query.where(table.c.category == category)
    if type is not None:
        query = query.where(table.c.type == type)
    if since is not None:
        query = query.where(
            table.c.at >= since.astimezone(timezone.utc).isoformat(timespec="microseconds")
        )
    return [
        Event(
            at=datetime.fromisoformat(row.at),
            type=row.type,
            category=row.category,
            message=row.message,
            details=json.loads(row.details),
            ids=json.loads(row.ids),
        )
        for row in connection.execute(query)
    ]


def _delete_old(connection: Connection, kept_rows: int) -> None:
    table = schema.events
    newest = table.select().with_only_columns(table.c.id).order_by(table.c.id.desc())
    oldest_kept = connection.execute(newest.offset(kept_rows - 1).limit(1)).scalar()
    if oldest_kept is not None:
        connection.execute(table.delete().where(table.c.id < oldest_kept))
