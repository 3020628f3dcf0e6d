"""Exclusive use of the cameras by viewers, a recording or a calibration.

A lease ends with its scope.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import anyio

from touchline.capture.cameras.answers import Mode, PipelineState
from touchline.core.errors import Blocked
from touchline.core.tasks import Changed

_SETTLE_S = 5.0
"""Longest wait in seconds for a view to be closed.

Closing takes a moment; a process that hangs must not delay the next holder.
"""


@dataclass(frozen=True)
class Lease:
    """Holder, purpose and start of the camera use (local time, as in the contract)."""

    mode: Mode
    holder: str
    since: datetime
    give_up: Callable[[], Awaitable[None]] | None = None


class CameraLease:
    """Single lease on the cameras.

    A recording takes precedence over every other holder; other requests do not wait, but are
    refused.

    It belongs to the event loop, so acquiring and releasing are atomic.
    """

    def __init__(
        self,
        *,
        preview_while_recording: bool = False,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._now = now
        self._current: Lease | None = None
        self._letting_go = 0
        self._preview_while_recording = preview_while_recording
        self.changed = Changed()

    @property
    def mode(self) -> Mode:
        """Current use of the cameras."""
        return self._current.mode if self._current else "idle"

    @property
    def preview_while_recording(self) -> bool:
        """Whether viewers may watch a recording."""
        return self._preview_while_recording

    def allow_preview_while_recording(self, *, allowed: bool) -> None:
        """Set whether viewers may watch a recording. The setting lasts until the server ends."""
        self._preview_while_recording = allowed
        self.changed.mark()

    @contextmanager
    def letting_go(self) -> Iterator[None]:
        """Mark the lease as being released by its holder inside this scope; see `settled`."""
        self._letting_go += 1
        try:
            yield
        finally:
            self._letting_go -= 1
            self.changed.mark()

    async def settled(self) -> None:
        """Wait until no holder is releasing the lease, so that a refusal by `hold` is final.

        A page that switches from one picture to another requests the new one while the old one is
        still being closed.
        """
        with anyio.move_on_after(_SETTLE_S):
            while self._letting_go:
                await self.changed.wait(self.changed.version)

    async def make_way(self) -> None:
        """Ask a holder that a recording may displace to release the lease, and wait for it."""
        current = self._current
        if current is not None and current.give_up is not None:
            await current.give_up()

    @contextmanager
    def hold(
        self, mode: Mode, holder: str, *, give_up: Callable[[], Awaitable[None]] | None = None
    ) -> Iterator[Lease]:
        """Hold the cameras inside this scope. Raises Blocked when they are in use.

        `give_up` marks a holder that a recording may displace.
        """
        if self._current is not None:
            text = f"Could not acquire camera resources. Current mode: {self.mode}"
            if mode == "recording":
                text = "Could not acquire camera resources for recording"
            raise Blocked(text, code="cameras_taken", mode=self.mode, holder=self._current.holder)
        lease = self._current = Lease(mode, holder, self._now(), give_up)
        self.changed.mark()
        try:
            yield lease
        finally:
            self._current = None
            self.changed.mark()

    def to_json(self) -> PipelineState:
        """Return the body of `GET /api/v1/pipeline-state`."""
        current = self._current
        watched = self.mode in {"idle", "preview"}
        return {
            "mode": self.mode,
            "holder": current.holder if current else None,
            "lock_time": current.since.isoformat() if current else None,
            "can_preview": watched or (self.mode == "recording" and self.preview_while_recording),
            "can_record": self.mode == "idle",
        }
