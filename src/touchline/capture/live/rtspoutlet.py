"""RTSP clients as viewers, admitted like any others, with cameras shown on demand."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from touchline.capture.live.preview import Preview
from touchline.capture.live.shown import Viewer
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.settings.preview import PreviewSettings
from touchline.core.errors import Blocked, Failed, TouchlineError
from touchline.core.events.log import EventLog
from touchline.core.supervision import Tasks

log = logging.getLogger(__name__)


class RtspOutlet:
    """RTSP service of the live process, with a count of its clients."""

    def __init__(
        self,
        settings: PreviewSettings,
        preview: Preview,
        live: LiveLink,
        events: EventLog,
        tasks: Tasks,
    ) -> None:
        self._settings = settings
        self._preview = preview
        self._live = live
        self._events = events
        self._viewers: dict[str, Viewer] = {}
        self._tasks = tasks
        live.on_started(self._serve)
        live.on_event(self._live_event)

    def begin(self) -> None:
        """Start the live process, which then listens; so does each that replaces it."""
        self._tasks.start_soon(self._start_live, name="RTSP")

    async def _start_live(self) -> None:
        try:
            await self._live.ensure()
        except Blocked as error:
            log.error("RTSP will be served once the live process runs: %s", error.message)

    async def _serve(self) -> None:
        password = self._settings.rtsp_password
        host, port = self._settings.rtsp_host, self._settings.rtsp_port
        try:
            reply = await self._live.ask(
                "rtsp_start",
                host=host,
                port=port,
                password=password.get_secret_value() if password is not None else None,
            )
        except (Blocked, Failed) as error:
            log.error("RTSP is not served: %s", error.message)
            return
        served = int(reply["port"])
        self._preview.serve_rtsp_at(served)
        log.info("RTSP is served at rtsp://%s:%d/cam0", host, served)

    def _live_event(self, event: Mapping[str, Any]) -> None:
        if event.get("event") == "lost":
            self._viewers.clear()
            self._preview.serve_rtsp_at(None)
        elif event.get("event") == "rtsp_viewer":
            call = self._add_client if event["here"] else self._remove_client
            self._tasks.start_soon(
                call, str(event["viewer"]), str(event["camera"]), name="an RTSP viewer"
            )
        elif event.get("event") == "rtsp_refused":
            self._report_refused(str(event["address"]), int(event["attempts"]))

    def _report_refused(self, address: str, attempts: int) -> None:
        """Report a client that tries passwords."""
        message = f"{attempts} wrong RTSP passwords from {address}; further attempts are delayed"
        log.warning("%s", message)
        self._events.record("system", "warning", message, address=address, attempts=attempts)

    async def _add_client(self, key: str, camera: str) -> None:
        """Show the client its camera, or send it the reason for a refusal."""
        reason: str | None = None
        viewer: Viewer | None = None
        try:
            viewer = await self._preview.join(self._preview.camera_id(camera), "rtsp")
        except TouchlineError as error:
            reason = error.message
            log.info("RTSP: %s", reason)
        try:
            reply = await self._live.ask("rtsp_admit", viewer=key, reason=reason)
        except (Blocked, Failed) as error:
            log.warning("a request of an RTSP client could not be answered: %s", error.message)
            reply = {"here": False}
        if viewer is None:
            return
        if reply["here"]:
            self._viewers[key] = viewer
        else:
            await self._preview.leave(viewer)

    async def _remove_client(self, key: str, camera: str) -> None:
        del camera
        viewer = self._viewers.pop(key, None)
        if viewer is not None:
            await self._preview.leave(viewer)
