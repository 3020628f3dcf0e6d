"""What a recording has put on the disk and what it left out; every change is told to the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from touchline.ipc import wire

Notify = Callable[[dict[str, Any]], None]


class Ledger:
    """The recording's own record. It outlives the writers that keep it, whatever they die of.

    The writer's thread writes; any thread may read.
    """

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self.segments: list[dict[str, Any]] = []
        self.gaps: list[dict[str, Any]] = []
        self.end_unix_ns: int | None = None
        """Where the footage on the disk ends."""
        self.started = False
        """Whether footage has reached the disk."""
        self.frames = 0
        self.bytes = 0
        self.dropped_disk = 0
        """Frames left out because the disk did not take them."""
        self.dropped_writer = 0
        """Frames left out because they could not be written at all."""

    def wrote(self, frames: int, size_bytes: int, end_unix_ns: int) -> None:
        """Count a fragment that was synced."""
        self.frames += frames
        self.bytes += size_bytes
        self.end_unix_ns = end_unix_ns

    def opened(self, info: dict[str, Any]) -> None:
        """List a segment whose first fragment was synced."""
        self.segments.append(info)
        self.started = True
        self._tell_segment("opened", info)

    def closed(self, info: dict[str, Any]) -> None:
        """Tell that a segment gets no more footage, or was mended."""
        self._tell_segment("closed", info)

    def removed(self, info: dict[str, Any]) -> None:
        """Strike a segment out whose file came to nothing."""
        if any(s is info for s in self.segments):
            self.segments = [s for s in self.segments if s is not info]
            self._tell_segment("removed", info)

    def gap(self, to_unix_ns: int, reason: str) -> None:
        """List that nothing was written from the end of the footage until then.

        Where the footage reaches further, as after times that went back, nothing is missing.
        """
        if self.end_unix_ns is None or to_unix_ns < self.end_unix_ns:
            return
        gap = {"from_unix_ns": self.end_unix_ns, "to_unix_ns": to_unix_ns, "reason": reason}
        self.gaps.append(gap)
        self._notify(wire.event("gap", gap=gap))

    def disk(self, state: str, error: str | None, number: int | None = None) -> None:
        """Tell how the disk does; `number` is the errno of what it answered."""
        self._notify(wire.event("disk", state=state, error=error, errno=number))

    def _tell_segment(self, change: str, info: dict[str, Any]) -> None:
        self._notify(wire.event("segment", change=change, segment=dict(info)))
