"""Record of what a recording has written and dropped; every change is sent to the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from touchline.ipc import wire
from touchline.worker.recording.backlog import Hole

Notify = Callable[[dict[str, Any]], None]


class RecordingLedger:
    """The record of one recording. It outlives its writers, whatever ends them.

    The writer's thread updates it; any thread may read it.
    """

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self.segments: list[dict[str, Any]] = []
        self.gaps: list[dict[str, Any]] = []
        self.end_unix_ns: int | None = None
        """End of the footage on disk."""
        self.started = False
        """Whether footage has reached the disk."""
        self.frames = 0
        self.bytes = 0
        self.dropped_disk = 0
        """Frames dropped because the disk did not accept them."""
        self.dropped_writer = 0
        """Frames dropped because they could not be written at all."""

    def wrote(self, frames: int, size_bytes: int, end_unix_ns: int) -> None:
        """Count a fragment that was synced."""
        self.frames += frames
        self.bytes += size_bytes
        self.end_unix_ns = end_unix_ns

    def count_lost_to_disk(self, frames: int) -> None:
        """Count frames that were dropped because the disk did not accept them."""
        self.dropped_disk += frames

    def count_lost_to_writer(self, frames: int) -> None:
        """Count frames that were dropped because they could not be written at all."""
        self.dropped_writer += frames

    def opened(self, info: dict[str, Any]) -> None:
        """Add a segment whose first fragment was synced."""
        self.segments.append(info)
        self.started = True
        self._report_segment("opened", info)

    def closed(self, info: dict[str, Any]) -> None:
        """Report that a segment receives no more footage, or was repaired."""
        self._report_segment("closed", info)

    def removed(self, info: dict[str, Any]) -> None:
        """Remove a segment whose file was deleted."""
        if any(s is info for s in self.segments):
            self.segments = [s for s in self.segments if s is not info]
            self._report_segment("removed", info)

    def gap(self, to_unix_ns: int, hole: Hole) -> None:
        """Add a gap from the end of the footage until the given time.

        If the footage already extends further, as after times that went back, nothing is missing.
        """
        if self.end_unix_ns is None or to_unix_ns < self.end_unix_ns:
            return
        gap = {"from_unix_ns": self.end_unix_ns, "to_unix_ns": to_unix_ns, **hole._asdict()}
        self.gaps.append(gap)
        self._notify(wire.event("gap", gap=gap))

    def disk(self, state: str, error: str | None, number: int | None = None) -> None:
        """Report the state of the disk; `number` is the errno that it returned."""
        self._notify(wire.event("disk", state=state, error=error, errno=number))

    def _report_segment(self, change: str, info: dict[str, Any]) -> None:
        self._notify(wire.event("segment", change=change, segment=dict(info)))
