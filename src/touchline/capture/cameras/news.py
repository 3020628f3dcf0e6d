"""News of the cameras' workers: passed on to everybody who asked for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from touchline.capture.cameras.cameras import Camera


class CameraNews:
    """Passes on what happens to cameras, in the order in which it was asked for.

    Belongs to the event loop. It keeps what each worker said first, from which a new server learns
    what is being recorded.
    """

    def __init__(self) -> None:
        self.hellos: dict[int, Mapping[str, Any]] = {}
        self._connected: list[Callable[[Camera, Mapping[str, Any]], Awaitable[None]]] = []
        self._events: list[Callable[[Camera, Mapping[str, Any]], None]] = []
        self._lost: list[Callable[[Camera, str], None]] = []

    def on_connected(self, tell: Callable[[Camera, Mapping[str, Any]], Awaitable[None]]) -> None:
        """Have a worker's `hello` told: it may be recording already, or new and idle."""
        self._connected.append(tell)

    def on_event(self, tell: Callable[[Camera, Mapping[str, Any]], None]) -> None:
        """Have what workers say told."""
        self._events.append(tell)

    def on_lost(self, tell: Callable[[Camera, str], None]) -> None:
        """Have the end of a worker told, and why it ended; a new one is on its way."""
        self._lost.append(tell)

    async def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        """Pass on that a worker is there."""
        self.hellos.setdefault(camera.id, hello)
        for tell in self._connected:
            await tell(camera, hello)

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        """Pass on what a worker said."""
        for tell in self._events:
            tell(camera, event)

    def camera_lost(self, camera: Camera, reason: str) -> None:
        """Pass on that a worker died or was killed."""
        for tell in self._lost:
            tell(camera, reason)
