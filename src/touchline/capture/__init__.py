"""The capture half: records the cameras of a match and keeps the recordings.

`open_capture` brings it to life; the `Capture` it yields is all that others use.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from touchline.capture.alertlog import open_alerts
from touchline.capture.cameras import Camera, open_cameras
from touchline.capture.desk import Desk
from touchline.capture.following import Follower
from touchline.capture.host import SAMPLE_EVERY_S, HostSampler
from touchline.capture.lease import CameraLease
from touchline.capture.library import Library
from touchline.capture.measures import MEASURE_EVERY_S, CameraMeasures
from touchline.capture.pipelines import build_pipeline
from touchline.capture.preview import preview_status
from touchline.capture.probe import Prober
from touchline.capture.recording import Recorder
from touchline.capture.settings import DEMO_CAMERAS, CaptureSettings
from touchline.capture.space import Space
from touchline.capture.upkeep import keep_running_named
from touchline.core.events import EventLog
from touchline.core.metrics import Metrics

__all__ = [
    "DEMO_CAMERAS",
    "Capture",
    "CaptureSettings",
    "Library",
    "Recorder",
    "build_pipeline",
    "open_capture",
]

log = logging.getLogger(__name__)

_MEET_S = 3.0
"""How long the start waits for the workers; a camera that takes longer joins when it is there."""


@dataclass(frozen=True)
class Cameras:
    """The cameras by number."""

    by_id: Mapping[int, Camera]

    def status(self) -> list[dict[str, Any]]:
        """What each camera is and how it does, from memory."""
        return [camera.to_json() for _, camera in sorted(self.by_id.items())]


@dataclass(frozen=True)
class Capture:
    """The front door of the capture half."""

    cameras: Cameras
    recorder: Recorder
    library: Library
    host: HostSampler
    lease: CameraLease

    def mode(self) -> dict[str, Any]:
        """Who has the cameras: the body of `GET /api/v1/pipeline-state`."""
        return self.lease.to_json()

    def preview_status(self) -> dict[str, Any]:
        """PreviewStatus of the contract."""
        return preview_status(self.cameras.by_id)


class _Listener:
    """Passes a camera's news to the recorder, and keeps the first `hello` of each for adoption."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self.hellos: dict[int, Mapping[str, Any]] = {}

    async def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        self.hellos.setdefault(camera.id, hello)
        await self._follower.camera_connected(camera, hello)

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        self._follower.camera_event(camera, event)

    def camera_lost(self, camera: Camera, reason: str) -> None:
        self._follower.camera_lost(camera, reason)


@asynccontextmanager
async def open_capture(
    settings: CaptureSettings,
    *,
    data_dir: Path,
    log_dir: Path,
    events: EventLog,
    metrics: Metrics,
) -> AsyncIterator[Capture]:
    """The capture half, alive: workers met or started, an interrupted match adopted or resumed.

    Closing finalises a running recording first. Raises OSError where the folders cannot be made.
    """
    root = settings.recordings_dir or data_dir / "recordings"
    runtime = settings.runtime_dir or data_dir / "run"
    await anyio.to_thread.run_sync(_make_private, root, runtime)
    lease = CameraLease()
    host = HostSampler(root)
    prober = Prober(timeout_s=settings.integrity_probe_timeout_s)
    async with open_alerts(log_dir, events.record) as alerts:
        await host.once()
        desk = Desk(settings, root, host, alerts, events, prober)
        recorder = Recorder(desk, lease)
        library = Library(root, is_running=recorder.is_running)
        desk.space = Space(library, root, floor_bytes=settings.min_free_bytes)
        await library.clean_up()
        listener = _Listener(recorder.follower)
        cameras = {
            camera_id: Camera(
                camera_id,
                source,
                settings,
                runtime_dir=runtime,
                log_dir=log_dir,
                listener=listener,
            )
            for camera_id, source in sorted(settings.cameras.items())
        }
        desk.cameras = cameras
        async with open_cameras(cameras), anyio.create_task_group() as tasks:
            tasks.start_soon(keep_running_named, "host sampler", host.once, SAMPLE_EVERY_S)
            measures = CameraMeasures(metrics, cameras)
            tasks.start_soon(keep_running_named, "measures", measures.once, MEASURE_EVERY_S)
            recorder.open(tasks)
            with anyio.move_on_after(_MEET_S):
                for camera in cameras.values():
                    await camera.ready.wait()
            await recorder.adopt(listener.hellos)
            yield Capture(Cameras(cameras), recorder, library, host, lease)
            with anyio.CancelScope(shield=True):
                await recorder.close()
            tasks.cancel_scope.cancel()


def _make_private(root: Path, runtime: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(runtime, 0o700)  # noqa: PTH101  (a folder that was there may be open to others)
