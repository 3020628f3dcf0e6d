"""Cameras that are shown at the moment: fed to the live process, packaged, and closed.

It performs no admission checks; `preview.Preview` does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import anyio

from touchline.capture.cameras.cameras import Camera
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.settings.preview import PreviewSettings, Transport
from touchline.core import patience
from touchline.core.errors import Blocked, Failed
from touchline.core.tasks import Changed

log = logging.getLogger(__name__)

_KNOWN_AWAY_S = 2.0
"""Seconds to wait for a camera that is known to be disconnected."""
_HIDE_S = 2.0


@dataclass(frozen=True, eq=False)
class Viewer:
    """Viewer of one camera."""

    camera_id: int
    what: str


@dataclass(eq=False)
class LiveCamera:
    """Camera shown since `since_s` (monotonic).

    `up` is set once its first picture was there.
    """

    camera: Camera
    transport: Transport
    since_s: float
    up: bool = False
    viewers: set[Viewer] = field(default_factory=set)
    waits: set[anyio.CancelScope] = field(default_factory=set)


class LiveCameras:
    """Set of shown cameras."""

    def __init__(
        self, settings: PreviewSettings, live: LiveLink, *, start_timeout_s: float
    ) -> None:
        self.changed = Changed()
        self.by_id: dict[int, LiveCamera] = {}
        self.once: set[int] = set()
        """Cameras that were shown since the server started."""
        self._settings = settings
        self._live = live
        self._start_timeout_s = start_timeout_s

    async def show(
        self, camera: Camera, transport: Transport, *, allowed: Callable[[], bool]
    ) -> str | None:
        """Show the camera by this transport.

        Returns the reason of a failure, or None when its pictures arrive.
        """
        if not allowed():  # a holder with precedence over viewers came first
            return "a recording or a calibration is using the cameras"
        reason: str | None = None
        shown, is_new = self.by_id.get(camera.id), False
        if shown is None:
            shown = self.by_id[camera.id] = LiveCamera(camera, transport, time.monotonic())
            self.once.add(camera.id)
            self.changed.mark()
            is_new = True
        try:
            if is_new:
                await self._begin(shown)
            elif shown.transport != transport:
                shown.transport, shown.since_s = transport, time.monotonic()
                self.changed.mark()
                await self._begin_transport(shown)
            if not shown.up:
                shown.up = await self._wait_up(shown)
        except (Blocked, Failed) as error:
            reason = error.message
            log.warning("%s cannot be shown: %s", camera.name, reason)
        if self.by_id.get(camera.id) is not shown:
            return "it was stopped while starting"
        up = shown.up
        if not up:
            reason = reason or _explain_no_picture(camera, self._start_timeout_s)
            await self.hide(shown)
        self.changed.mark()
        return None if up else reason

    async def _begin(self, shown: LiveCamera) -> None:
        with patience.move_on_after(self._start_timeout_s):
            await shown.camera.ready.wait()
        await self._begin_transport(shown)
        await shown.camera.link.ask("feed", path=str(self._live.feed_path))

    async def _begin_transport(self, shown: LiveCamera) -> None:
        camera = shown.camera.name
        if shown.transport == "hls":
            await self._live.ask(
                "hls_start",
                camera=camera,
                part_s=self._settings.hls_part_s,
                segment_s=self._settings.hls_segment_s,
                segments=self._settings.hls_segments,
            )
        else:
            await self._live.ask("hls_stop", camera=camera)

    async def _wait_up(self, shown: LiveCamera) -> bool:
        """Wait for pictures, and return whether they arrive in time.

        The wait ends when the camera is hidden meanwhile.
        """
        camera = shown.camera
        wait_s = self._start_timeout_s
        if camera.status.get("state") in {"retrying", "error"}:
            wait_s = min(wait_s, _KNOWN_AWAY_S)
        with anyio.CancelScope() as scope:
            shown.waits.add(scope)
            try:
                reply = await self._live.ask(
                    "wait_up", timeout_s=wait_s + 2, camera=camera.name, wait_s=wait_s
                )
                return bool(reply["up"])
            finally:
                shown.waits.discard(scope)
        return False

    async def hide_all(self, camera_ids: Iterable[int]) -> None:
        """Hide these cameras concurrently."""
        async with anyio.create_task_group() as tasks:
            for camera_id in camera_ids:
                shown = self.by_id.get(camera_id)
                if shown is not None:
                    tasks.start_soon(self.hide, shown)

    async def hide(self, shown: LiveCamera) -> None:
        """Stop showing a camera: playlist, sessions and feed are removed.

        Whatever is removed already is not an error.
        """
        camera = shown.camera
        if self.by_id.get(camera.id) is not shown:
            return
        del self.by_id[camera.id]
        shown.viewers.clear()
        for scope in shown.waits:
            scope.cancel()
        self.changed.mark()
        # Concurrently, and shielded from cancellation: a camera is not left half shown.
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as tasks:
                if self._live.connected:
                    tasks.start_soon(self._hide_live, camera)
                tasks.start_soon(self._stop_feed, camera)

    async def _hide_live(self, camera: Camera) -> None:
        try:
            await self._live.ask("hide", camera=camera.name, timeout_s=_HIDE_S)
        except (Blocked, Failed) as error:
            log.warning("%s: %s", camera.name, error.message)

    async def _stop_feed(self, camera: Camera) -> None:
        try:
            await camera.link.ask("unfeed", timeout_s=_HIDE_S)
        except (Blocked, Failed) as error:
            log.warning("%s: %s", camera.name, error.message)

    # -------------------------------------------------------------- process changes

    async def camera_connected(self, camera: Camera) -> None:
        """Tell a worker that has replaced a dead one to feed its camera again."""
        shown = self.by_id.get(camera.id)
        if shown is None or not self._live.connected:
            return
        try:
            await camera.link.ask("feed", path=str(self._live.feed_path))
        except (Blocked, Failed) as error:
            log.warning("%s is temporarily not shown: %s", camera.name, error.message)

    async def live_started(self) -> None:
        """Feed the shown cameras to a new live process, which shows nothing yet."""
        for shown in list(self.by_id.values()):
            try:
                await self._begin(shown)
            except (Blocked, Failed) as error:
                log.warning("%s is not shown again: %s", shown.camera.name, error.message)

    def live_lost(self) -> None:
        """Handle the loss of the live process and of all its viewer connections."""
        for shown in self.by_id.values():
            shown.viewers.clear()
        self.changed.mark()


def _explain_no_picture(camera: Camera, waited_s: float) -> str:
    """Return the known reason why a camera sends no picture."""
    known = camera.status.get("last_error") or camera.last_error
    return str(known) if known else f"no frame received within {waited_s:g} s"
