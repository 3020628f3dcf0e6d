"""Channels of the WebSocket: data that is pushed, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from touchline.capture import LOG_TYPES, JobList
from touchline.core.tasks import Changed, next_due_s
from touchline.web.http.answers import encoded
from touchline.web.routes.engines.engines import usages_json
from touchline.web.routes.events import entry
from touchline.web.websocket.outbox import Outbox

if TYPE_CHECKING:
    from touchline.capture import Capture
    from touchline.core.events.log import EventLog
    from touchline.engines import Engines

NEWEST_EVENTS = 50
MOST_STREAMS = 100_000

LEAST_GAP_S = 0.05
"""Minimum interval of a channel's broadcasts, however many changes and subscriptions occur."""


class Subscriber(Protocol):
    """A receiver of a channel."""

    outbox: Outbox


class Channel:
    """Broadcaster that uses one snapshot and one encoding for all subscribers.

    It sends every `period_s` seconds while there are subscribers, and immediately after `refresh`.
    """

    def __init__(
        self,
        name: str,
        period_s: float,
        snapshot: Callable[[], Any],
        *,
        news: Changed | None = None,
        least_gap_s: float = LEAST_GAP_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Create a channel; `snapshot` returns JSON values, or encoded JSON as bytes.

        `news` signals a change of the data, which is then broadcast immediately, but at least
        `least_gap_s` after the last time.
        """
        self.name = name
        self.news = news
        self._least_gap_s = least_gap_s
        self.period_s = period_s
        self._snapshot = snapshot
        self._now = now
        self._subscribers: set[Subscriber] = set()
        self._joined = anyio.Event()
        self._stale = Changed()
        self._broadcast_version = 0  # the version of `_stale` at the last broadcast
        self._due_s = 0.0
        self._earliest_s = 0.0

    def add(self, subscriber: Subscriber) -> None:
        """Add a subscriber from the next broadcast on."""
        if not self._subscribers:
            self._due_s = anyio.current_time() + self.period_s
            self._joined.set()
            self._joined = anyio.Event()
        self._subscribers.add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Remove a subscriber, including what waits in its outbox."""
        self._subscribers.discard(subscriber)
        subscriber.outbox.forget(self.name)

    def refresh(self) -> None:
        """Broadcast now instead of at the next tick."""
        self._stale.mark()

    async def wait_for_subscriber(self) -> None:
        """Wait until there is a subscriber."""
        while not self._subscribers:
            await self._joined.wait()

    async def once(self) -> None:
        """Wait for the next tick or refresh, and broadcast. Raises what the snapshot raises."""
        await self.wait_for_subscriber()
        with anyio.move_on_after(max(0.0, self._due_s - anyio.current_time())):
            await self._stale.wait(self._broadcast_version)
        await anyio.sleep_until(self._earliest_s)
        # Before the snapshot, so that a failing one also waits for its next tick.
        now_s = anyio.current_time()
        self._broadcast_version = self._stale.version
        self._earliest_s = now_s + self._least_gap_s
        if now_s >= self._due_s:
            self._due_s = next_due_s(self._due_s, now_s, self.period_s)
        self._broadcast()

    def _broadcast(self) -> None:
        data = self._snapshot()
        standing = data if isinstance(data, bytes) else encoded(data)
        head = encoded({"v": 1, "type": self.name, "ts": self._now()})
        text = (head[:-1] + b',"data":' + standing + b"}").decode()
        for subscriber in self._subscribers:
            subscriber.outbox.status(self.name, text)


def channels_of(capture: Capture) -> tuple[Channel, ...]:
    """Return the channels of the contract; each sends what its route returns."""
    return (
        Channel("status", 1.0, capture.status),
        Channel("pipeline_state", 2.0, capture.mode),
        Channel("system_metrics", 3.0, capture.machine.metrics),
        Channel("panorama_status", 3.0, capture.panorama.snapshot),
        Channel("cameras", 1.0, capture.cameras_status),
        Channel("recording_health", 2.0, capture.recorder.health),
        Channel(
            "jobs",
            5.0,
            lambda: JobList(jobs=[job.to_json() for job in capture.jobs.all()]),
            news=capture.jobs.changed,
            least_gap_s=0.5,
        ),
        Channel(
            "library",
            30.0,
            lambda: {"version": capture.library.changed.version},
            news=capture.library.changed,
            least_gap_s=0.5,
        ),
        *(Channel(f"log_{name}", 2.0, partial(capture.logs.newest, name)) for name in LOG_TYPES),
    )


def engine_channels(engines: Engines, events: EventLog) -> tuple[Channel, ...]:
    """Return the channels of the engines half; each sends what its route returns."""
    fleet = engines.fleet

    def streams() -> bytes:
        return fleet.streams_body(lambda s: s.status == "started", offset=0, limit=MOST_STREAMS)

    return (
        # Health checks and samples cause changes all the time: once a second is enough.
        Channel(
            "engines",
            5.0,
            lambda: fleet.engines_body().content,
            news=fleet.engines_changed,
            least_gap_s=1.0,
        ),
        Channel("streams", 5.0, streams, news=fleet.streams_changed, least_gap_s=1.0),
        Channel(
            "orchestrator",
            3.0,
            engines.status.orchestrator,
            news=engines.fleet.engines_changed,
            least_gap_s=1.0,
        ),
        Channel("engine_usage", 5.0, lambda: usages_json(engines)),
        Channel("reprovision", 2.0, engines.reprovision.status),
        Channel("vpn", 5.0, engines.status.vpn, news=engines.vpn_changed, least_gap_s=0.25),
        Channel(
            "events",
            30.0,
            lambda: [entry(event) for event in events.newest(NEWEST_EVENTS)],
            news=events.changed,
            least_gap_s=0.25,
        ),
    )
