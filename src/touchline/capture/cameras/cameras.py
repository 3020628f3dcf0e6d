"""Cameras as the server sees them: worker, pipeline and latest status of each."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import anyio

from touchline.capture.cameras.answers import CameraStatus
from touchline.capture.cameras.pipelines import build_pipeline
from touchline.capture.programs.launcher import ProgramLauncher
from touchline.capture.programs.process import ProcessLink
from touchline.capture.settings.tree import CaptureSettings
from touchline.capture.sources.kinds import PROBED_ELEMENTS, Source
from touchline.core.descriptors import SpareDescriptors
from touchline.core.errors import Blocked, Failed
from touchline.core.supervision import Supervisor, open_tasks
from touchline.core.tasks import Changed
from touchline.ipc import wire

log = logging.getLogger(__name__)

SCENES = "scenes"
"""Name of the folder in the runtime directory for the simulated cameras' pitches."""

STATES = {
    "stopped": "idle",
    "starting": "starting",
    "running": "running",
    "stalled": "error",
    "retrying": "error",
    "error": "error",
}
"""Contract states by worker state."""


class CameraListener(Protocol):
    """Receiver of camera events, called on the event loop."""

    async def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        """Handle the connection of a worker.

        It may be recording already, or be new and idle.
        """

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        """Handle an event sent by the worker."""

    def camera_lost(self, camera: Camera, reason: str) -> None:
        """Handle the loss of a worker that died or was killed; a replacement is being started."""


class Camera:
    """One configured camera and the worker that serves it."""

    def __init__(
        self,
        camera_id: int,
        source: Source,
        settings: CaptureSettings,
        *,
        runtime_dir: Path,
        log_dir: Path,
        listener: CameraListener,
        spare: SpareDescriptors | None = None,
    ) -> None:
        self.id = camera_id
        self.name = f"cam{camera_id}"
        self.key = f"camera_{camera_id}"
        self.source = source
        self.label = source.label(camera_id)
        self.changed = Changed()
        self.ready = anyio.Event()
        """Set once a worker has connected, or the first attempt to start one has failed."""
        self.spec: wire.PipelineSpec | None = None
        self.last_error: str | None = None
        self.status: Mapping[str, Any] = {}
        self.statuses = 0
        """Number of status messages received from the worker."""
        self.recording: Mapping[str, Any] | None = None
        self.sync: Mapping[str, Any] | None = None
        """Time the worker's fragments took to reach the disk, over its lifetime."""
        self.feed: Mapping[str, Any] | None = None
        """What the worker feeds to the live process; None while there are no viewers."""
        self._renew = False
        self._settings = settings
        self._scenes = runtime_dir / SCENES
        self._listener = listener
        self.link = ProcessLink(
            ProgramLauncher(
                self.name,
                "touchline.worker",
                f"worker of {self.name}",
                runtime_dir,
                log_dir / f"{self.name}.log",
                records=True,
            ),
            unresponsive_after_s=settings.unresponsive_after_s,
            on_connected=self._handle_connected,
            on_event=self._event,
            on_lost=self._handle_lost,
            greeting={"elements": PROBED_ELEMENTS},
            spare=spare,
            standby=settings.standby_workers,
        )
        self._heard_at_s = self.link.listened_s()

    @property
    def state(self) -> str:
        """Camera state: idle, starting, running, stopping or error."""
        if not self.link.connected:
            return "error"
        return STATES.get(str(self.status.get("state", "stopped")), "error")

    @property
    def recovering(self) -> bool:
        """Whether the camera was lost or never reached, and has delivered nothing since."""
        return bool(self.status.get("recovering", False))

    @property
    def last_frame_age_s(self) -> float | None:
        """Age of the last frame in seconds, or None.

        It is the age as far as is known now, without the time in which this server was paused.
        """
        age = self.status.get("last_frame_age_s")
        return None if age is None else float(age) + self.link.listened_s() - self._heard_at_s

    def facts(self) -> dict[str, Any]:
        """Return the camera's entry in the match manifest."""
        return {
            "kind": self.source.kind,
            "name": self.label,
            "width": self.status.get("width") or 0,
            "height": self.status.get("height") or 0,
            "transcoded": bool(self.status.get("transcoded")),
        }

    def to_json(self) -> CameraStatus:
        """Return the camera's configuration and state for the API."""
        status, age = self.status, self.last_frame_age_s
        known: CameraStatus = {
            "id": self.id,
            "name": self.label,
            "kind": self.source.kind,
            "state": self.state,
            "recovering": self.recovering,
            "fps": status.get("fps", 0.0),
            "bitrate_bps": status.get("bitrate_bps", 0),
            "last_frame_age_s": None if age is None else round(age, 3),
            "dropped": status.get("dropped", {}),
            "last_error": status.get("last_error") or self.last_error,
            "worker": {"pid": self.link.pid, "connected": self.link.connected},
        }
        # What a worker says beyond that depends on its version and on the kind of camera.
        return cast("CameraStatus", {**status, **known})

    async def record(self, order: wire.RecordOrder, timeout_s: float) -> dict[str, Any]:
        """Start recording.

        The reply says whether the first frame is on its way to the disk.
        """
        return await self.link.ask(
            "record",
            timeout_s=timeout_s + 2,
            order=wire.order_to_json(order),
            wait_s=timeout_s,
        )

    async def stop(self, at_ns: int, timeout_s: float) -> dict[str, Any]:
        """Stop recording at a CLOCK_MONOTONIC instant.

        The reply describes the state of the files.
        """
        report = await self.link.ask("stop", timeout_s=timeout_s + 3, at_ns=at_ns, wait_s=timeout_s)
        if self._renew and self.spec is not None:
            self._renew = False
            try:
                await self.link.ask("configure", spec=wire.spec_to_json(self.spec))
            except (Blocked, Failed) as error:
                log.warning("%s keeps its old pipeline: %s", self.name, error.message)
        return report

    async def _handle_connected(self, hello: Mapping[str, Any]) -> None:
        try:
            spec = build_pipeline(
                self.id, self.source, self._settings, hello["elements"], scenes=self._scenes
            )
            earlier = spec.rtsp is not None and "rtsp" not in hello.get("parts", ())
            changed = not wire.is_spec(hello["spec"], spec)
            # A worker of an earlier version that still records supports only its own pipeline.
            self._renew = hello["order"] is not None and changed and not earlier
            if hello["order"] is not None:
                if changed:
                    log.info("%s keeps recording with its old pipeline", self.name)
            elif earlier:
                log.info("%s: replacing a worker of an earlier version", self.name)
                await self.link.ask("quit")
                return
            else:
                await self.link.ask("configure", spec=wire.spec_to_json(spec))
            self.spec, self.last_error = spec, None
            self.take_status(await self.link.ask("status"))
            await self._listener.camera_connected(self, hello)
        except Failed as error:
            self.last_error = error.message
            log.error("%s: %s", self.name, error.message)
        finally:
            self.ready.set()
            self.changed.mark()

    def take_status(self, message: Mapping[str, Any]) -> None:
        """Store a status message from the worker."""
        self._heard_at_s = self.link.listened_s()
        self.statuses += 1
        self.status = message.get("camera") or {}
        self.recording = message.get("recording")
        self.sync = message.get("sync")
        self.feed = message.get("feed")

    def _event(self, event: Mapping[str, Any]) -> None:
        if event.get("event") == "status":
            self.take_status(event)
        self._listener.camera_event(self, event)
        self.changed.mark()

    def _handle_lost(self, reason: str) -> None:
        self.last_error = f"the worker exited: {reason}"
        self.status = {**self.status, "state": "error"}
        self.recording = None
        self._listener.camera_lost(self, reason)
        self.ready.set()
        self.changed.mark()


@asynccontextmanager
async def open_cameras(
    cameras: Mapping[int, Camera], supervisor: Supervisor
) -> AsyncIterator[None]:
    """Connect to or start the worker of every camera.

    Idle workers are told to exit at the end.
    """
    async with open_tasks(supervisor) as tasks:
        for camera in cameras.values():
            tasks.keep_until_done(camera.name, camera.link.run)
        yield
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as leaving:
                for camera in cameras.values():
                    leaving.start_soon(camera.link.quit)
