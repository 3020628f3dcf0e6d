"""Distribution of camera worker events to observers and registered listeners."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from touchline.capture.cameras.cameras import Camera


class CameraObserver(Protocol):
    """Observer of all cameras that exists before them."""

    def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        """Note the connection of a worker."""

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        """Note a worker's event."""

    def camera_lost(self, camera: Camera, reason: str) -> None:
        """Note the loss of a worker."""


class CameraNews:
    """Dispatcher of camera events: to the observers, then in the order of registration.

    Listeners that use the cameras are registered, because the cameras are constructed with their
    dispatcher. It keeps the first message of each worker, from which a new server learns what is
    being recorded.
    """

    def __init__(self, observers: Sequence[CameraObserver] = ()) -> None:
        self.hellos: dict[int, Mapping[str, Any]] = {}
        self._observers = tuple(observers)
        self._connected: list[Callable[[Camera, Mapping[str, Any]], Awaitable[None]]] = []
        self._events: list[Callable[[Camera, Mapping[str, Any]], None]] = [
            each.camera_event for each in observers
        ]
        self._lost: list[Callable[[Camera, str], None]] = [each.camera_lost for each in observers]

    def on_connected(self, tell: Callable[[Camera, Mapping[str, Any]], Awaitable[None]]) -> None:
        """Register a listener for a worker's `hello`.

        The worker may be recording already, or be new and idle.
        """
        self._connected.append(tell)

    def on_event(self, tell: Callable[[Camera, Mapping[str, Any]], None]) -> None:
        """Register a listener for worker events."""
        self._events.append(tell)

    def on_lost(self, tell: Callable[[Camera, str], None]) -> None:
        """Register a listener for the loss of a worker and its reason.

        A replacement is being started.
        """
        self._lost.append(tell)

    async def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        """Dispatch the connection of a worker."""
        self.hellos.setdefault(camera.id, hello)
        for observer in self._observers:
            observer.camera_connected(camera, hello)
        for tell in self._connected:
            await tell(camera, hello)

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        """Dispatch a worker's event."""
        for tell in self._events:
            tell(camera, event)

    def camera_lost(self, camera: Camera, reason: str) -> None:
        """Dispatch the loss of a worker that died or was killed."""
        for tell in self._lost:
            tell(camera, reason)
