"""Live view: the shown cameras, their transport and their viewers.

A preview holds the cameras' lease as long as anything is shown; a recording takes precedence. With
`preview_while_recording` viewers watch the recording's own encoded stream, and the lease is the
recording's.
"""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import anyio

from touchline.capture.cameras.cameras import Camera
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.live.answers import (
    PreviewCamera,
    PreviewRestarted,
    PreviewStarted,
    PreviewStatus,
    PreviewStopped,
)
from touchline.capture.live.previewstatus import start_result, transcode_of, webrtc_streams
from touchline.capture.live.shown import LiveCameras, Viewer
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.settings.answers import IceServer
from touchline.capture.settings.preview import PreviewSettings, Transport
from touchline.core import patience
from touchline.core.errors import Blocked, Failed, NotFound, Refused

log = logging.getLogger(__name__)

RECORDING_ACTIVE = "recording_active"
"""Error code of requests refused because a recording has exclusive use of the cameras."""

_GIVE_UP_S = 2.0
"""Longest time in seconds that a recording waits for viewers to be disconnected."""


class Preview:
    """Control of the cameras' live view."""

    def __init__(
        self,
        settings: PreviewSettings,
        cameras: Mapping[int, Camera],
        lease: CameraLease,
        live: LiveLink,
        showing: LiveCameras,
    ) -> None:
        self.changed = showing.changed
        self.live = live
        self._rtsp_port: int | None = None
        self._settings = settings
        self._cameras = cameras
        self._lease = lease
        self._showing = showing
        self._held = ExitStack()
        self._holds = False
        live.on_event(self._live_event)
        live.on_started(showing.live_started)

    # ----------------------------------------------------------------------- status

    @property
    def webrtc_supported(self) -> bool:
        """Whether this installation can show cameras over WebRTC."""
        return importlib.util.find_spec("aiortc") is not None

    def ice_servers(self) -> list[IceServer]:
        """Return the ICE servers with credentials.

        They are for clients that may start a preview.
        """
        return self._settings.ice_servers(with_credentials=True)

    def camera_id(self, name: str) -> int:
        """Return the number of `camN`. Raises NotFound if there is none."""
        for camera in self._cameras.values():
            if camera.name == name:
                return camera.id
        raise NotFound(f"Camera {name} does not exist", code="camera_unknown")

    def shows_hls(self, camera_id: int) -> bool:
        """Return whether this camera has a playlist."""
        shown = self._showing.by_id.get(camera_id)
        return shown is not None and shown.transport == "hls"

    def status(self, *, with_credentials: bool = False) -> PreviewStatus:
        """Return the contract's PreviewStatus, from memory."""
        return {
            "preview_active": bool(self._showing.by_id),
            "cameras": {c.key: self._camera_status(c) for _, c in sorted(self._cameras.items())},
            "transport_mode": self._settings.transport_mode,
            "webrtc_supported": self.webrtc_supported,
            "ice_servers": self._settings.ice_servers(with_credentials=with_credentials),
            "webrtc_streams": webrtc_streams(
                self.live.status, {camera.name: camera.id for camera in self._cameras.values()}
            ),
            "relay": None,
            "preview_while_recording": self._lease.preview_while_recording,
            "rtsp_port": self._rtsp_port,
        }

    def _camera_status(self, camera: Camera) -> PreviewCamera:
        shown = self._showing.by_id.get(camera.id)
        kind = f"main_{camera.name}"
        if shown is None:
            state = "idle" if camera.id in self._showing.once else "stopped"
        elif not shown.up:
            state = "starting"
        else:  # frames arrive; the worker's report may be half a second old
            state = "running" if camera.state in {"idle", "starting"} else camera.state
        transport: Transport = shown.transport if shown is not None else "hls"
        return {
            "active": shown is not None,
            "state": state,
            "uptime": round(time.monotonic() - shown.since_s, 3) if shown is not None else 0.0,
            "hls_url": f"/hls/{camera.name}.m3u8",
            "transport": transport,
            "stream_kind": kind,
            "webrtc": {"enabled": transport == "webrtc", "stream_kind": kind},
            "transcode": transcode_of(self.live.status, camera.name),
        }

    # --------------------------------------------------------------- start and stop

    async def start(self, camera_id: int | None, transport: str | None) -> PreviewStarted:
        """Show one camera or all (None), and return when their first pictures are available.

        Raises Refused (`recording_active`) while a recording has exclusive use of the cameras, and
        Blocked when they are in use otherwise.
        """
        wanted = self._transport(transport)
        known, unknown = self._select_cameras(camera_id)
        await self._lease.settled()
        self._take_lease(camera_id)
        started: list[int] = []
        reasons = dict.fromkeys(unknown, "the camera does not exist")

        async def show(camera: Camera) -> None:
            reason = await self._showing.show(camera, wanted, allowed=self._may_show)
            if reason is None:
                started.append(camera.id)
            else:
                reasons[camera.id] = reason

        try:
            if known:
                await self.live.ensure()
            async with anyio.create_task_group() as tasks:
                for camera in known:
                    tasks.start_soon(show, camera)
        finally:
            self._settle()
        return start_result(wanted, started, reasons)

    async def stop(self, camera_id: int | None) -> PreviewStopped:
        """Stop showing one camera or all (None).

        A camera that was shown once can always be stopped.
        """
        known, unknown = self._select_cameras(camera_id)
        stopped = sorted(c.id for c in known if c.id in self._showing.once)
        failed = sorted([*unknown, *(c.id for c in known if c.id not in self._showing.once)])
        with self._lease.letting_go():
            await self._showing.hide_all(stopped)
            self._settle()
        if not stopped:
            message = "No preview cameras were stopped"
            return {"success": False, "message": message, "failed_cameras": failed}
        return {
            "success": True,
            "message": f"Preview stopped for cameras: {stopped}",
            "cameras_stopped": stopped,
            "cameras_failed": failed,
        }

    async def restart(self, camera_id: int | None, transport: str | None) -> PreviewRestarted:
        """Stop and start one camera or all (None).

        Raises Refused while a recording has exclusive use of the cameras.
        """
        if self._lease.mode == "recording" and not self._lease.preview_while_recording:
            text = "Recording is active. Stop recording before restarting preview."
            raise Refused(text, code=RECORDING_ACTIVE)
        stopped = await self.stop(camera_id)
        started = await self.start(camera_id, transport)
        return {
            "success": started["success"],
            "message": f"Restart: {stopped['message']} -> {started['message']}",
            "stop_result": stopped,
            "start_result": started,
        }

    @property
    def while_recording(self) -> bool:
        """Whether viewers may watch a recording."""
        return self._lease.preview_while_recording

    def allow_while_recording(self, *, allowed: bool) -> None:
        """Allow viewers to watch a recording, or disconnect those who do.

        The setting lasts until the server ends.
        """
        self._lease.allow_preview_while_recording(allowed=allowed)
        self.changed.mark()

    def _transport(self, asked: str | None) -> Transport:
        """Return the transport to use.

        Any value but the two transports selects the server's default.
        """
        match (asked or "").strip().lower():
            case "hls":
                return "hls"
            case "webrtc":
                return "webrtc"
        return "webrtc" if self._settings.transport_mode == "webrtc" else "hls"

    def _select_cameras(self, camera_id: int | None) -> tuple[list[Camera], list[int]]:
        """Return the requested cameras, and the numbers that do not exist."""
        if camera_id is None:
            return [camera for _, camera in sorted(self._cameras.items())], []
        if camera_id in self._cameras:
            return [self._cameras[camera_id]], []
        return [], [camera_id]

    # ---------------------------------------------------------------------- viewers

    async def join(self, camera_id: int, what: str = "webrtc") -> Viewer:
        """Add a viewer of a camera; the camera is shown if it is not yet.

        Raises NotFound for a camera that does not exist, Failed for one that sends no picture, and
        what `start` raises. `leave` must follow.
        """
        if camera_id not in self._cameras:
            raise NotFound(f"Camera {camera_id} does not exist", code="camera_unknown")
        shown = self._showing.by_id.get(camera_id)
        if shown is None or not shown.up:
            transport = shown.transport if shown is not None else "webrtc"
            if not (await self.start(camera_id, transport))["success"]:
                camera = self._cameras[camera_id]
                reason = camera.status.get("last_error") or camera.last_error or "no frame received"
                raise Failed(f"Camera {camera_id} cannot be shown: {reason}", code="no_picture")
            shown = self._showing.by_id.get(camera_id)
        if shown is None:
            raise Blocked("The preview was stopped in the meantime.", code="preview_stopped")
        viewer = Viewer(camera_id, what)
        shown.viewers.add(viewer)
        return viewer

    async def leave(self, viewer: Viewer) -> None:
        """Remove a viewer; a second call, or one after the preview's end, changes nothing.

        With the last counted viewer a camera that is shown over WebRTC is stopped too. One that is
        shown over HLS, where viewers are not counted, stays until it is stopped.
        """
        shown = self._showing.by_id.get(viewer.camera_id)
        if shown is None or viewer not in shown.viewers:
            return
        shown.viewers.discard(viewer)
        if not shown.viewers and shown.transport == "webrtc":
            with self._lease.letting_go():
                await self._showing.hide(shown)
                self._settle()

    # ------------------------------------------------------------------- the lease

    def _take_lease(self, camera_id: int | None) -> None:
        """Hold the cameras for viewers. Raises Refused or Blocked when that is not possible."""
        if self._lease.mode == "recording":
            if not self._lease.preview_while_recording:
                text = "Recording is active. Stop recording before starting preview."
                raise Refused(text, code=RECORDING_ACTIVE)
            return
        if self._holds:
            return  # all previews share one lease
        holder = f"api-preview-{'all' if camera_id is None else camera_id}"
        self._held.enter_context(self._lease.hold("preview", holder, give_up=self._make_way))
        self._holds = True

    def _may_show(self) -> bool:
        recording = self._lease.mode == "recording"
        return self._holds or (recording and self._lease.preview_while_recording)

    def _release_cameras(self) -> None:
        self._holds = False
        self._held.close()

    def _settle(self) -> None:
        """Acquire the lease if anything is shown and it is available.

        Release it if nothing is shown.
        """
        shown = self._showing.by_id
        if self._holds and not shown:
            self._release_cameras()
        elif shown and not self._holds and self._lease.mode == "idle":
            self._take_lease(None if len(shown) == len(self._cameras) else min(shown))
        self.changed.mark()

    async def _make_way(self) -> None:
        """Release the cameras for a recording.

        The lease is free when this returns.
        """
        try:
            if not self._lease.preview_while_recording:
                with patience.move_on_after(_GIVE_UP_S):
                    await self._showing.hide_all(list(self._showing.by_id))
        finally:
            if self._holds:
                self._release_cameras()
            self.changed.mark()

    async def follow_lease(self) -> None:
        """Follow the lease's state across a recording, until cancelled.

        Viewers that outlast a recording get the lease; those it does not allow are disconnected.
        """
        lease, version = self._lease, 0
        while True:
            version = await lease.changed.wait(version)
            if self._showing.by_id:
                if lease.mode == "recording" and not lease.preview_while_recording:
                    await self._showing.hide_all(list(self._showing.by_id))
                self._settle()

    # ----------------------------------------------------------------------- lifecycle

    def serve_rtsp_at(self, port: int | None) -> None:
        """Show in the status at which port RTSP is served; None: it is not."""
        self._rtsp_port = port

    async def camera_connected(self, camera: Camera) -> None:
        """Handle a worker that has replaced a dead one."""
        await self._showing.camera_connected(camera)

    def _live_event(self, event: Mapping[str, Any]) -> None:
        if event.get("event") == "lost":
            self._showing.live_lost()
        elif event.get("event") != "status":
            self.changed.mark()

    async def close(self) -> None:
        """Stop showing all cameras and end the live process."""
        await self._showing.hide_all(list(self._showing.by_id))
        if self._holds:
            self._release_cameras()
        await self.live.close()
