"""Watchdog log of lost and recovered cameras and workers, also outside recordings.

It only observes and logs: `process` replaces workers, and those restart their cameras.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from touchline.capture.cameras.cameras import Camera
from touchline.capture.logs.linelog import format_line

_LOST_STATES = frozenset({"stalled", "retrying", "error"})

What = Literal["stall", "loss", "recovery", "worker_start", "worker_loss"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class _Seen:
    """Last known state of a camera, to distinguish a change from a repetition."""

    state: str = "stopped"
    spawns: int = 0
    lost_s: float | None = None
    disk: str = "ok"


class Watchdog:
    """Writer of one log line per change, with counters."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        *,
        now: Callable[[], datetime] = _utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts: Counter[tuple[str, What]] = Counter()
        """How often each camera (`cam0`) stalled, was lost, recovered, or got a new worker."""
        self._write = write
        self._now = now
        self._clock = clock
        self._seen: dict[int, _Seen] = {}

    def note(self, text: str) -> None:
        """Write an informational line."""
        self._write(format_line(self._now(), f"INFO: {text}"))

    def alert(self, text: str) -> None:
        """Write a line that requires attention."""
        self._write(format_line(self._now(), f"ALERT: {text}"))

    def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        """Log a worker that was started or found."""
        seen = self._of(camera)
        started = camera.link.spawns > seen.spawns
        seen.spawns = camera.link.spawns
        order = hello.get("order")
        how = "was started" if started else "was found running"
        if started:
            self.counts[camera.name, "worker_start"] += 1
        if order is not None:
            how += f" and records match {order['match_id']}: adopted"
        self.note(f"{camera.name}: worker {hello.get('pid')} {how}")

    def camera_lost(self, camera: Camera, reason: str) -> None:
        """Log a worker that died, was killed or could not be started."""
        seen = self._of(camera)
        seen.state, seen.disk = "stopped", "ok"
        self.counts[camera.name, "worker_loss"] += 1
        self.alert(f"{camera.name}: the worker exited: {reason}")

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        """Log a worker's event if it is a change."""
        kind = event.get("event")
        if kind == "status":
            self._follow(camera, self._of(camera))
        elif kind == "disk":
            self._disk(camera, self._of(camera), event)

    async def live_started(self) -> None:
        """Log the start of a live process."""
        self.note("live: the live process is running")

    def live_event(self, event: Mapping[str, Any]) -> None:
        """Log an event of the live process, or its end."""
        if event.get("event") == "lost":
            self.alert("live: the live process exited; it is being replaced")

    def _follow(self, camera: Camera, seen: _Seen) -> None:
        before, state = seen.state, str(camera.status.get("state", "stopped"))
        seen.state = state
        if state == "stalled" and before != "stalled":
            self.counts[camera.name, "stall"] += 1
        if state in _LOST_STATES:
            # A stall that leads to a new attempt is one loss; so are hours of retries.
            if seen.lost_s is None:
                seen.lost_s = self._clock()
                self.counts[camera.name, "loss"] += 1
                reason = camera.status.get("last_error") or "no frames"
                self.alert(f"{camera.name}: the camera is lost: {reason}")
            elif state == "error" and before != "error":
                last_error = camera.status.get("last_error")
                self.alert(f"{camera.name}: giving up on the camera: {last_error}")
        elif state == "running" and seen.lost_s is not None:
            away_s = self._clock() - seen.lost_s
            seen.lost_s = None
            self.counts[camera.name, "recovery"] += 1
            self.note(f"{camera.name}: the camera is back after {away_s:.1f} s")
        elif state == "stopped":
            seen.lost_s = None  # no longer requested

    def _disk(self, camera: Camera, seen: _Seen, event: Mapping[str, Any]) -> None:
        before, seen.disk = seen.disk, str(event.get("state"))
        if seen.disk == before:
            return
        if seen.disk == "ok":
            self.note(f"{camera.name}: the disk is writable again")
        else:
            why = f"{seen.disk}: {event.get('error')}"
            self.alert(f"{camera.name}: the disk is not writable: {why}")

    def _of(self, camera: Camera) -> _Seen:
        return self._seen.setdefault(camera.id, _Seen())
