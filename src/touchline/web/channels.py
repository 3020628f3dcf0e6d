"""The channels of the WebSocket: what is told unasked, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from touchline.core.tasks import Changed, next_due_s
from touchline.web.answers import encoded
from touchline.web.capture import status_of
from touchline.web.outbox import Outbox

if TYPE_CHECKING:
    from touchline.capture import Capture

LEAST_GAP_S = 0.05
"""Between two broadcasts of a channel, however often something changes or somebody subscribes."""


class Subscriber(Protocol):
    """Whoever hears a channel."""

    outbox: Outbox


class Channel:
    """Tells all subscribers the same: one snapshot and one encoding, however many they are.

    Every `period_s` seconds while anybody listens, and at once after `refresh`.
    """

    def __init__(
        self,
        name: str,
        period_s: float,
        snapshot: Callable[[], Any],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.period_s = period_s
        self._snapshot = snapshot
        self._now = now
        self._subscribers: set[Subscriber] = set()
        self._joined = anyio.Event()
        self._stale = Changed()
        self._told = 0  # the version of `_stale` that the last broadcast answered
        self._due_s = 0.0
        self._earliest_s = 0.0

    def add(self, subscriber: Subscriber) -> None:
        """From the next broadcast on."""
        if not self._subscribers:
            self._due_s = anyio.current_time() + self.period_s
            self._joined.set()
            self._joined = anyio.Event()
        self._subscribers.add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Nothing more, not even what waits in the outbox."""
        self._subscribers.discard(subscriber)
        subscriber.outbox.forget(self.name)

    def refresh(self) -> None:
        """Broadcast now instead of waiting for the tick."""
        self._stale.mark()

    async def once(self) -> None:
        """Wait for the next tick or refresh, and broadcast. Raises what the snapshot raises."""
        while not self._subscribers:
            await self._joined.wait()
        with anyio.move_on_after(max(0.0, self._due_s - anyio.current_time())):
            await self._stale.wait(self._told)
        await anyio.sleep_until(self._earliest_s)
        # Before the snapshot is taken: one that fails waits for its next tick like any other.
        now_s = anyio.current_time()
        self._told = self._stale.version
        self._earliest_s = now_s + LEAST_GAP_S
        if now_s >= self._due_s:
            self._due_s = next_due_s(self._due_s, now_s, self.period_s)
        self._broadcast()

    def _broadcast(self) -> None:
        message = {"v": 1, "type": self.name, "ts": self._now(), "data": self._snapshot()}
        text = encoded(message).decode()
        for subscriber in self._subscribers:
            subscriber.outbox.status(self.name, text)


def channels_of(capture: Capture) -> tuple[Channel, ...]:
    """The channels of the contract; each tells what its route answers."""
    return (
        Channel("status", 1.0, partial(status_of, capture)),
        Channel("pipeline_state", 2.0, capture.mode),
        Channel("system_metrics", 3.0, capture.machine.metrics),
        Channel("panorama_status", 3.0, _no_panorama),
    )


def _no_panorama() -> dict[str, Any]:
    """The contract's words for a server that has no panorama."""
    return {"panorama": {"enabled": False}, "calibration": {}}
