"""The transcodes of all cameras by name, limited in number."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from touchline.ipc import wire
from touchline.live.frames.streams import Streams
from touchline.live.transcoding.transcode import CameraTranscode

log = logging.getLogger(__name__)

MAX_TRANSCODES = 4
Notify = Callable[[dict[str, Any]], None]


class Transcodes:
    """The transcodes of all cameras by name."""

    def __init__(self, streams: Streams, notify: Notify, **options: Any) -> None:
        self._streams = streams
        self._notify = notify
        self._options = options
        self._by_name: dict[str, CameraTranscode] = {}

    def of(self, camera: str) -> CameraTranscode:
        """Return the camera's transcode, created on first use."""
        if camera not in self._by_name:
            source = self._streams.get(camera)
            self._by_name[camera] = CameraTranscode(
                source, self._report, self._refusal, **self._options
            )
        return self._by_name[camera]

    def status(self) -> dict[str, Any]:
        """Return the state of the transcodes in use."""
        return {
            name: each.status()
            for name, each in sorted(self._by_name.items())
            if each.state is not None
        }

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(each.close() for each in self._by_name.values()))

    def _refusal(self) -> str | None:
        running = sum(each.has_process for each in self._by_name.values())
        if running < MAX_TRANSCODES:
            return None
        return f"{running} cameras are already being transcoded"

    def _report(self, transcode: CameraTranscode) -> None:
        state, error = transcode.state, transcode.error
        log.info("transcode of %s: %s", transcode.name, state or "ended")
        self._notify(
            wire.event(
                "transcode",
                camera=transcode.name,
                state=state or "ended",
                reason=error or transcode.reason,
            )
        )
