"""The capture half: records the cameras of a match and keeps the recordings.

`open_capture` brings it to life; the `Capture` it yields is all that others use.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio

from touchline.capture.assembly import open_afterwards
from touchline.capture.cameras.calibrations import Calibration
from touchline.capture.cameras.cameras import SCENES, Camera, open_cameras
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.cameras.pipelines import build_pipeline
from touchline.capture.cameras.scenes import draw_scenes
from touchline.capture.host.healthmonitor import PAUSE_S, HealthMonitor
from touchline.capture.host.host import SAMPLE_EVERY_S, HostSampler
from touchline.capture.host.machine import SAMPLE_EVERY_S as MACHINE_EVERY_S
from touchline.capture.host.machine import MachineSampler
from touchline.capture.host.meter import Meter
from touchline.capture.host.watchdog import Watchdog
from touchline.capture.library.library import Library
from touchline.capture.library.libraryrecord import FILE_NAME as RECORD_NAME
from touchline.capture.library.markers import MarkerKind, Markers
from touchline.capture.library.playback.clips import Clip, Clips, MatchTimes
from touchline.capture.library.playback.footage import ARCHIVES, Footage
from touchline.capture.library.playback.playback import Container
from touchline.capture.library.recordingsdisk import RecordingsDisk
from touchline.capture.library.verification.probe import Prober
from touchline.capture.live.panorama import PanoramaPreview
from touchline.capture.live.preview import RECORDING_ACTIVE, Preview
from touchline.capture.live.rtspoutlet import RtspOutlet
from touchline.capture.live.sessions import WebRtcSession, WebRtcSessions
from touchline.capture.live.shown import Showing
from touchline.capture.live.signalling import Signalling
from touchline.capture.live.stills import Stills
from touchline.capture.logs.alertlog import Alerts, open_alerts
from touchline.capture.logs.alerts import Alert
from touchline.capture.logs.catalogue import HEALTH_FILE, LOG_TYPES, WATCHDOG_FILE, Logs
from touchline.capture.logs.diagnostics import Diagnostics
from touchline.capture.logs.linelog import open_line_log
from touchline.capture.panorama.panorama import Panorama
from touchline.capture.processing.cloud import Cloud
from touchline.capture.processing.jobs import Job, JobQueue
from touchline.capture.processing.processing import Processing
from touchline.capture.processing.removal import Removal
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.recording.context import Desk
from touchline.capture.recording.follower import Follower
from touchline.capture.recording.health.soundness import IssueKind
from touchline.capture.recording.recorder import Recorder
from touchline.capture.settings.cameras import RtspSource, Source
from touchline.capture.settings.tree import DEMO_CAMERAS, CaptureSettings
from touchline.core import patience
from touchline.core.descriptors import SpareDescriptors
from touchline.core.events.kinds import AlertType
from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor, open_tasks
from touchline.core.tasks import Changed

__all__ = [
    "ARCHIVES",
    "DEMO_CAMERAS",
    "LOG_TYPES",
    "RECORDING_ACTIVE",
    "Calibration",
    "Capture",
    "CaptureSettings",
    "Clip",
    "Container",
    "IssueKind",
    "Job",
    "Library",
    "MarkerKind",
    "MatchTimes",
    "Preview",
    "Recorder",
    "RtspSource",
    "Signalling",
    "Source",
    "Stills",
    "WebRtcSession",
    "build_pipeline",
    "open_capture",
    "recordings_disk",
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
    machine: MachineSampler
    logs: Logs
    diagnostics: Diagnostics
    preview: Preview
    live: LiveLink
    stills: Stills
    sessions: WebRtcSessions
    signalling: Signalling
    panorama: Panorama
    processing: Processing
    jobs: JobQueue
    footage: Footage
    clips: Clips
    markers: Markers
    removal: Removal
    cloud: Cloud
    supervisor: Supervisor

    def reasons(self) -> list[dict[str, str]]:
        """What of this half's background work fails now, for readiness."""
        return self.supervisor.reasons()

    async def delete_match(self, match_id: str) -> dict[str, Any]:
        """Delete a match with all its files, and its jobs with it.

        Raises NotFound, and Refused for the running and for a protected match.
        """
        return await self.removal.delete(match_id)

    def mode(self) -> dict[str, Any]:
        """Who has the cameras: the body of `GET /api/v1/pipeline-state`."""
        return self.lease.to_json()

    def news(self) -> tuple[Changed, ...]:
        """What is marked when the status or the mode becomes another, besides their figures."""
        return (self.recorder.changed, self.lease.changed, self.preview.changed)

    def preview_status(self) -> dict[str, Any]:
        """PreviewStatus of the contract."""
        return self.preview.status()


class _Listener:
    """Passes a camera's news to watchdog and recorder; keeps each first `hello` for adoption."""

    def __init__(self, follower: Follower, watchdog: Watchdog, showing: Showing) -> None:
        self._follower = follower
        self._watchdog = watchdog
        self._showing = showing
        self.panorama: PanoramaPreview | None = None
        self.hellos: dict[int, Mapping[str, Any]] = {}

    async def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        self.hellos.setdefault(camera.id, hello)
        self._watchdog.camera_connected(camera, hello)
        await self._follower.camera_connected(camera, hello)
        await self._showing.camera_connected(camera)
        if self.panorama is not None:
            await self.panorama.camera_connected(camera)

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        self._watchdog.camera_event(camera, event)
        self._follower.camera_event(camera, event)

    def camera_lost(self, camera: Camera, reason: str) -> None:
        self._watchdog.camera_lost(camera, reason)
        self._follower.camera_lost(camera, reason)


@asynccontextmanager
async def open_capture(
    settings: CaptureSettings,
    *,
    data_dir: Path,
    log_dir: Path,
    events: EventLog,
    metrics: Metrics,
    spare: SpareDescriptors,
) -> AsyncIterator[Capture]:
    """The capture half, alive: workers met or started, an interrupted match adopted or resumed.

    Closing finalises a running recording first. Raises OSError where the folders cannot be made.
    """
    runtime = settings.runtime_dir or data_dir / "run"
    disk = recordings_disk(settings, data_dir)
    await anyio.to_thread.run_sync(_make_folders, disk, runtime, events)
    lease = CameraLease(preview_while_recording=settings.preview_while_recording)
    live = LiveLink(
        hls_dir=settings.preview.hls_dir,
        runtime_dir=runtime,
        log_dir=log_dir,
        unresponsive_after_s=settings.unresponsive_after_s,
    )
    showing = Showing(settings.preview, live, start_timeout_s=settings.start_timeout_s)
    host = HostSampler(disk.root, floor_bytes=settings.min_free_bytes, find_fault=disk.look)
    machine = MachineSampler(lambda: host.disk)
    async with (
        open_alerts(log_dir, events.record) as alerts,
        open_line_log(log_dir / WATCHDOG_FILE) as watchdog_lines,
        open_line_log(log_dir / HEALTH_FILE) as health_lines,
    ):
        await host.once()
        desk = Desk(
            settings,
            disk.root,
            host,
            alerts,
            events,
            Prober(timeout_s=settings.integrity_probe_timeout_s),
            disk,
            record_path=data_dir / RECORD_NAME,
            spare=spare,
        )
        recorder = Recorder(desk, lease)
        library = Library(disk.root, is_running=recorder.is_running)
        await library.clean_up()
        await draw_scenes(settings.cameras.values(), runtime / SCENES)
        watchdog = Watchdog(watchdog_lines.write)
        live.on_started(watchdog.live_started)
        live.on_event(watchdog.live_event)
        monitor = HealthMonitor(
            health_lines.write,
            recording=recorder.health,
            host=host.health,
            status=recorder.status,
            changed=recorder.changed,
        )
        listener = _Listener(recorder.follower, watchdog, showing)
        cameras = {
            camera_id: Camera(
                camera_id,
                source,
                settings,
                runtime_dir=runtime,
                log_dir=log_dir,
                listener=listener,
                spare=spare,
            )
            for camera_id, source in sorted(settings.cameras.items())
        }
        desk.cameras = cameras
        preview = Preview(settings.preview, cameras, lease, live, showing)
        afterwards = await open_afterwards(
            desk,
            cameras,
            lease,
            live,
            library,
            data_dir=data_dir,
            runtime_dir=runtime,
            log_dir=log_dir,
        )
        listener.panorama = afterwards.panorama.preview
        sessions = WebRtcSessions(preview, listener.panorama, lease, cameras)
        supervisor = Supervisor(partial(_told, alerts), metrics, half="capture")
        async with open_cameras(cameras, supervisor), open_tasks(supervisor) as tasks:
            tasks.keep("host sampler", host.once, every_s=SAMPLE_EVERY_S)
            tasks.keep("machine", machine.once, every_s=MACHINE_EVERY_S)
            recorder.open(tasks)
            preview.open(tasks)
            afterwards.begin(tasks)
            sessions.open(tasks)
            with patience.move_on_after(_MEET_S):
                for camera in cameras.values():
                    await camera.ready.wait()
            await recorder.adopt(listener.hellos)
            tasks.keep("health monitor", monitor.once, every_s=PAUSE_S)
            capture = Capture(
                cameras=Cameras(cameras),
                recorder=recorder,
                library=library,
                host=host,
                lease=lease,
                machine=machine,
                logs=Logs(
                    log_dir,
                    {
                        "health": health_lines,
                        "alerts": alerts.lines,
                        "watchdog": watchdog_lines,
                    },
                ),
                diagnostics=Diagnostics(log_dir),
                preview=preview,
                live=live,
                stills=Stills(cameras, runtime),
                sessions=sessions,
                signalling=Signalling(sessions),
                panorama=afterwards.panorama,
                processing=afterwards.processing,
                jobs=afterwards.jobs,
                footage=afterwards.footage,
                clips=afterwards.clips,
                markers=afterwards.markers,
                removal=afterwards.removal,
                cloud=afterwards.cloud,
                supervisor=supervisor,
            )
            if settings.preview.rtsp:
                RtspOutlet(settings.preview, preview, live, events).open(tasks)
            metrics.add_source(
                Meter(
                    cameras,
                    recording=recorder.status,
                    preview=preview.status,
                    live=lambda: live.status,
                    host=host,
                    machine=machine,
                    alerts=alerts,
                    watchdog=watchdog,
                ).families
            )
            yield capture
            with anyio.CancelScope(shield=True):
                await afterwards.panorama.preview.stop_if_active()
                await preview.close()
                await recorder.close()
                await afterwards.close()


def _told(alerts: Alerts, kind: str, category: str, message: str, **details: Any) -> None:
    """Tell of background work that failed, or works again, as an alert, which is an event too."""
    severity: Literal["error", "warning"] = "error" if category == "failed" else "warning"
    name: AlertType = (
        "background_task_failed" if category == "failed" else "background_task_recovered"
    )
    alerts.send(Alert(name, severity, message, {"kind": kind, **details}))


def recordings_disk(settings: CaptureSettings, data_dir: Path) -> RecordingsDisk:
    """Where the recordings are, and whether their disk is there."""
    root = settings.recordings_dir or data_dir / "recordings"
    return RecordingsDisk(root, data_dir, require_mount=settings.require_mount)


def _make_folders(disk: RecordingsDisk, runtime: Path, events: EventLog) -> None:
    """The server runs without its recordings disk, too: all but recording goes on."""
    fault = disk.prepare()
    if fault is not None:
        log.error("nothing can be recorded: %s. To fix it: %s", fault.message, fault.mend)
        events.record("recording", "disk", fault.message, mend=fault.mend)
    runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(runtime, 0o700)  # noqa: PTH101  (a folder that was there may be open to others)
