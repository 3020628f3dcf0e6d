"""The streams by name, and the server of the workers' feeds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from touchline.ipc import wire
from touchline.live.frames.frame import read_frames
from touchline.live.frames.stream import CameraStream

log = logging.getLogger(__name__)


class Streams:
    """The streams by name, and the server of the workers' feeds."""

    def __init__(self, changed: Callable[[CameraStream], None] | None = None) -> None:
        self._changed = changed
        self._by_name: dict[str, CameraStream] = {}

    def get(self, name: str) -> CameraStream:
        """Return the camera's stream, created on first use."""
        if name not in self._by_name:
            self._by_name[name] = CameraStream(name, self._changed)
        return self._by_name[name]

    def find(self, name: str) -> CameraStream | None:
        """Return the camera's stream if it exists."""
        return self._by_name.get(name)

    def status(self) -> dict[str, Any]:
        """Return the state of all streams."""
        return {name: stream.status() for name, stream in sorted(self._by_name.items())}

    def close_feeds(self) -> None:
        """Close every worker's feed."""
        for stream in self._by_name.values():
            stream.close_feed()

    async def serve_feed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one worker's feed until it ends."""
        stream: CameraStream | None = None
        try:
            hello = wire.decode(await reader.readline())
            stream = self.get(str(hello["camera"]))
            stream.attach(writer)
            async for frame, skipped in read_frames(reader):
                if not writer.is_closing():
                    stream.push(frame, skipped=skipped)
        except (asyncio.IncompleteReadError, ConnectionError):
            log.info("a feed ended: %s", stream.name if stream else "nameless")
        except (KeyError, ValueError) as error:
            log.warning("closing a feed: %s", error)
        finally:
            if stream is not None:
                stream.detach(writer)
            writer.close()
