"""Live panorama: both cameras feed the studio, which feeds one picture to the live process.

From there it is shown like any camera, over HLS and WebRTC, to any number of viewers. It holds the
cameras like a preview, and a recording takes precedence.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import anyio

from touchline.capture.calibrations import Calibrations
from touchline.capture.cameras.cameras import Camera
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.live.answers import Done, PanoramaPreviewStarted, PanoramaShown
from touchline.capture.programs.studio import StudioRun
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.settings.preview import PreviewSettings, Transport
from touchline.core import patience
from touchline.core.errors import Blocked, Failed, Refused, TouchlineError
from touchline.core.supervision import Tasks
from touchline.core.tasks import Changed

log = logging.getLogger(__name__)

STREAM = "panorama"
HLS_URL = "/hls/panorama.m3u8"
_NAME = "panorama-feed"
_CAMERAS = (0, 1)
_UP_S = 15.0
_QUIET_S = 2.0
_BITRATE_KBPS = 8000


class PanoramaPreview:
    """Control of the live panorama."""

    def __init__(
        self,
        settings: PreviewSettings,
        calibrations: Calibrations,
        cameras: Mapping[int, Camera],
        lease: CameraLease,
        live: LiveLink,
        *,
        tasks: Tasks,
        runtime_dir: Path,
        log_dir: Path,
    ) -> None:
        self.changed = Changed()
        self.figures: Mapping[str, Any] = {}
        """Latest figures from the studio; empty while nothing is shown."""
        self._settings = settings
        self._calibrations = calibrations
        self._cameras = cameras
        self._lease = lease
        self._live = live
        self._runtime_dir = runtime_dir
        self._feed_path = str(runtime_dir / f"{_NAME}.sock")
        self._log_path = log_dir / "studio.log"
        self._tasks = tasks
        self._stop: anyio.CancelScope | None = None
        self._ended = anyio.Event()
        self._told = anyio.Event()
        self._since_s: float | None = None
        self._transport: Transport = "hls"
        self._viewers: list[str] = []
        self._starting = anyio.Lock()
        live.on_event(self._live_event)

    # ---------------------------------------------------------------- status

    @property
    def active(self) -> bool:
        """Whether the panorama is shown, or about to be."""
        return self._stop is not None

    def status(self) -> PanoramaShown:
        """Return its part of PanoramaStatus."""
        up_s = 0.0 if self._since_s is None else time.monotonic() - self._since_s
        return {
            "preview_active": self.active,
            "transport": self._transport,
            "stream_kind": STREAM,
            "hls_url": HLS_URL,
            "ice_servers": self._settings.ice_servers(with_credentials=False),
            "uptime_seconds": round(up_s, 3),
        }

    def shows_hls(self) -> bool:
        """Return whether it has a playlist."""
        return self._since_s is not None and self._transport == "hls"

    # --------------------------------------------------------------- control

    async def camera_connected(self, camera: Camera) -> None:
        """Request the feed again from a worker that has replaced a dead one."""
        if self._since_s is None or camera.id not in _CAMERAS:
            return
        try:
            await camera.link.ask("feed", path=self._feed_path)
        except (Blocked, Failed) as error:
            log.warning("the panorama is without %s: %s", camera.name, error.message)

    async def start(self, transport: str | None) -> PanoramaPreviewStarted:
        """Show the panorama, and return when its first picture is available.

        Raises Refused when it is shown already or a recording runs, and Blocked when the cameras
        are not calibrated, in use, or send nothing.
        """
        async with self._starting:
            await self._lease.settled()
            if self.active:
                raise Refused("Panorama preview already active", code="panorama_active")
            await self._start(transport)
        config = self._calibrations.config
        return {
            "success": True,
            "message": "Panorama preview started",
            "transport": self._transport,
            "stream_kind": STREAM,
            "hls_url": HLS_URL,
            "ice_servers": self._settings.ice_servers(with_credentials=True),
            "resolution": f"{self.figures.get('width', 0)}x{self.figures.get('height', 0)}",
            "fps_target": config.preview_fps_target,
        }

    async def _start(self, transport: str | None) -> None:
        """Start it and return when the first picture is available.

        Raises Refused and Blocked.
        """
        if self._lease.mode == "recording":
            text = "Cannot start panorama: recording is active"
            raise Refused(text, code="recording_active")
        if self._calibrations.active is None:
            raise Blocked("Panorama not calibrated", code="panorama_not_calibrated")
        held = ExitStack()
        held.enter_context(
            self._lease.hold("preview", "api-panorama-preview", give_up=self.stop_if_active)
        )
        # From here on another holder of the cameras can stop it at any stage.
        self._transport = "webrtc" if (transport or "").strip().lower() == "webrtc" else "hls"
        self._ended, self._told = anyio.Event(), anyio.Event()
        self._stop = anyio.CancelScope()
        up = _Outcome()
        self._tasks.start_soon(self._show, held, self._stop, up, name="panorama preview")
        try:
            with patience.move_on_after(_UP_S + 5):
                await up.settled.wait()
        except BaseException:
            self._stop.cancel()  # no caller waits for it
            raise
        if not up.settled.is_set():
            await self.stop_if_active()
            raise Blocked("The panorama did not start in time", code="panorama_late", eta_s=5.0)
        if up.error is not None:
            await self._ended.wait()
            raise up.error

    async def stop(self) -> Done:
        """Stop showing the panorama. Raises Refused when it is not shown."""
        if not self.active:
            raise Refused("Panorama preview not active", code="panorama_inactive")
        await self.stop_if_active()
        return {"success": True, "message": "Panorama preview stopped"}

    async def join(self, viewer: str) -> None:
        """Add a viewer; the panorama is started if it is not shown yet.

        Raises what `start` raises.
        """
        async with self._starting:
            await self._lease.settled()
            if not self.active:
                await self._start("webrtc")
            self._viewers.append(viewer)

    async def leave(self, viewer: str) -> None:
        """Remove a viewer.

        With the last viewer a panorama shown over WebRTC is stopped too.
        """
        if viewer in self._viewers:
            self._viewers.remove(viewer)
            if not self._viewers and self._transport == "webrtc":
                await self.stop_if_active()

    async def stop_if_active(self) -> None:
        """Stop the panorama if it is shown.

        The lease is free when this returns.
        """
        if self._stop is not None:
            self._stop.cancel()
            with self._lease.letting_go():
                await self._ended.wait()

    async def _show(self, held: ExitStack, scope: anyio.CancelScope, up: _Outcome) -> None:
        """Show the panorama from the first to the last picture.

        On any error everything is shut down completely.
        """
        try:
            with held, scope:
                self.changed.mark()
                try:
                    await self._live.ensure()
                    await self._stitch(up)
                except TouchlineError as error:
                    self._report_failure(up, error)
                except Exception as error:
                    log.exception("The panorama's preview failed")
                    self._report_failure(up, Failed(str(error), code="panorama_failed"))
                finally:
                    with anyio.CancelScope(shield=True):
                        await self._take_down()
        finally:
            self._stop = self._since_s = None
            self._viewers.clear()
            self.figures = {}
            up.fail(Blocked("The panorama's preview was stopped", code="preview_stopped"))
            self._ended.set()
            self.changed.mark()

    async def _stitch(self, up: _Outcome) -> None:
        failures: list[TouchlineError] = []
        async with anyio.create_task_group() as tasks:
            listening = anyio.Event()
            tasks.start_soon(self._feed_and_show, listening, up, tasks.cancel_scope)
            try:
                await self._run(listening)
            except TouchlineError as error:
                failures.append(error)
            tasks.cancel_scope.cancel()
        for failure in failures:
            raise failure

    async def _run(self, listening: anyio.Event) -> None:
        config, active = self._calibrations.config, self._calibrations.active
        if active is None:
            raise Refused("Panorama not calibrated", code="not_calibrated")
        spec = {
            "directory": str(self._runtime_dir),
            "name": _NAME,
            "feed": str(self._live.feed_path),
            "pair": dict(active.pair),
            "projection": config.projection,
            "width": config.output_width,
            "height": config.output_height,
            "blend_px": config.blend_width,
            "fps": config.preview_fps_target,
            "bitrate_kbps": _BITRATE_KBPS,
        }

        def hear(news: Mapping[str, Any]) -> None:
            if news.get("listening"):
                listening.set()
            else:
                self.figures = news
                self._told.set()

        await StudioRun("live", spec, log_path=self._log_path).run(hear, hurry=True)

    async def _feed_and_show(
        self, listening: anyio.Event, up: _Outcome, scope: anyio.CancelScope
    ) -> None:
        await listening.wait()
        try:
            await self._connect_feeds()
        except TouchlineError as error:
            self._report_failure(up, error)
            scope.cancel()
        else:
            up.settled.set()

    async def _connect_feeds(self) -> None:
        for number in _CAMERAS:
            camera = self._cameras.get(number)
            if camera is None:
                raise Failed("A panorama needs cameras 0 and 1", code="no_two_cameras")
            await camera.link.ask("feed", path=self._feed_path)
        reply = await self._live.ask("wait_up", timeout_s=_UP_S + 2, camera=STREAM, wait_s=_UP_S)
        if not reply["up"]:
            raise Failed("No frame of the panorama was received in time", code="panorama_late")
        if self._transport == "hls":
            await self._live.ask(
                "hls_start",
                camera=STREAM,
                part_s=self._settings.hls_part_s,
                segment_s=self._settings.hls_segment_s,
                segments=self._settings.hls_segments,
            )
        self._since_s = time.monotonic()
        await self._told.wait()  # the picture's size is known after a second

    @staticmethod
    def _report_failure(up: _Outcome, error: TouchlineError) -> None:
        log.warning("The panorama's preview ended: %s", error.message)
        up.fail(Blocked(error.message, code="panorama_failed", eta_s=5.0))

    async def _take_down(self) -> None:
        for number in _CAMERAS:
            camera = self._cameras.get(number)
            if camera is not None:
                with suppress(Blocked, Failed):  # the worker has exited, and the feed with it
                    await camera.link.ask("unfeed", timeout_s=_QUIET_S)
        if self._live.connected:
            with suppress(Blocked, Failed):
                await self._live.ask("hide", camera=STREAM, timeout_s=_QUIET_S)

    def _live_event(self, event: Mapping[str, Any]) -> None:
        if event.get("event") == "lost" and self._stop is not None:
            self._stop.cancel()


class _Outcome:
    """Result of waiting for the first picture."""

    def __init__(self) -> None:
        self.settled = anyio.Event()
        self.error: TouchlineError | None = None

    def fail(self, error: TouchlineError) -> None:
        """Record a failure; an earlier outcome is kept."""
        if not self.settled.is_set():
            self.error = error
            self.settled.set()
