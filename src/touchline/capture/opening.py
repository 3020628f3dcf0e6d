"""Startup and shutdown of the capture half."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from touchline.capture.assembly import (
    CaptureBase,
    LibraryServices,
    Views,
    make_views,
    open_base,
    open_library_services,
)
from touchline.capture.cameras.cameras import open_cameras
from touchline.capture.front import Cameras, Capture
from touchline.capture.host.healthmonitor import PAUSE_S, HealthMonitor
from touchline.capture.host.host import SAMPLE_EVERY_S, HostSampler
from touchline.capture.host.machine import SAMPLE_EVERY_S as MACHINE_EVERY_S
from touchline.capture.host.machine import MachineSampler
from touchline.capture.host.meter import Meter
from touchline.capture.host.watchdog import Watchdog
from touchline.capture.library.recordingsdisk import RecordingsDisk
from touchline.capture.library.verification.probe import Prober
from touchline.capture.live.rtspoutlet import RtspOutlet
from touchline.capture.live.signalling import Signalling
from touchline.capture.live.stills import Stills
from touchline.capture.logs.alertlog import Alerts
from touchline.capture.logs.diagnostics import Diagnostics
from touchline.capture.logs.diskstates import meaning_of
from touchline.capture.logs.files import LogFiles, open_log_files
from touchline.capture.logs.taskalerts import TASK_ALERTS_EVERY_S, TaskAlerts, task_alert
from touchline.capture.recording.context import RecordingContext
from touchline.capture.recording.recorder import Recorder
from touchline.capture.recording.verdict.laststop import FILE_NAME as LAST_STOP_NAME
from touchline.capture.recording.verdict.laststop import LastStopStore
from touchline.capture.settings.tree import CaptureSettings
from touchline.core import patience
from touchline.core.descriptors import SpareDescriptors
from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor, Tasks, open_tasks
from touchline.core.tasks import Changed
from touchline.core.wallclock import read_clocks

log = logging.getLogger(__name__)

_CONNECT_WAIT_S = 3.0
"""Seconds that the start waits for the workers.

A camera that takes longer joins later.
"""


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
    """Open the capture half: workers connected or started, an interrupted match resumed.

    A match that the workers still record is adopted. Closing finalises a running recording first.
    Raises OSError if the folders cannot be created.
    """
    runtime_dir = settings.runtime_dir or data_dir / "run"
    disk = recordings_disk(settings, data_dir)
    await anyio.to_thread.run_sync(_make_folders, disk, runtime_dir, events)
    async with open_log_files(log_dir, events) as logs:
        base = await open_base(
            settings,
            disk=disk,
            data_dir=data_dir,
            runtime_dir=runtime_dir,
            log_dir=log_dir,
            events=events,
            spare=spare,
            watchdog=Watchdog(logs.watchdog.write),
        )
        host = HostSampler(disk.root, floor_bytes=settings.min_free_bytes, find_fault=disk.look)
        await host.once()
        supervisor = Supervisor(partial(_send_alert, logs.alerts), metrics, half="capture")
        async with open_tasks(supervisor) as tasks:
            views = make_views(base, tasks)
            services = await open_library_services(base, views)
            context = _context(base, services, host, logs.alerts, spare, tasks)
            recorder = Recorder(context, base.lease)
            parts = _Parts(base, views, services, host, logs, recorder, supervisor)
            async with open_cameras(base.cameras, supervisor):
                await parts.begin(tasks)
                metrics.add_source(parts.meter().families)
                yield parts.front()
                with anyio.CancelScope(shield=True):
                    await parts.close()


class _Parts:
    """Lifecycle of the capture half's parts."""

    def __init__(
        self,
        base: CaptureBase,
        views: Views,
        services: LibraryServices,
        host: HostSampler,
        logs: LogFiles,
        recorder: Recorder,
        supervisor: Supervisor,
    ) -> None:
        self._base = base
        self._views = views
        self._services = services
        self._host = host
        self._machine = MachineSampler(lambda: host.disk)
        self._logs = logs
        self._recorder = recorder
        self._supervisor = supervisor
        base.news.on_connected(recorder.follower.camera_connected)
        base.news.on_connected(views.camera_connected)
        base.news.on_event(recorder.follower.camera_event)
        base.news.on_lost(recorder.follower.camera_lost)

    async def begin(self, tasks: Tasks) -> None:
        """Start background tasks, connect the workers, and adopt a recording in progress."""
        base, recorder = self._base, self._recorder
        tasks.keep("host sampler", self._host.once, every_s=SAMPLE_EVERY_S)
        tasks.keep("machine", self._machine.once, every_s=MACHINE_EVERY_S)
        others = TaskAlerts(base.events, self._logs.alerts)
        tasks.keep("task alerts", others.once, every_s=TASK_ALERTS_EVERY_S)
        recorder.begin()
        self._views.begin(tasks)
        self._services.begin(tasks)
        with patience.move_on_after(_CONNECT_WAIT_S):
            for camera in base.cameras.values():
                await camera.ready.wait()
        await recorder.adopt(base.news.hellos)
        monitor = HealthMonitor(
            self._logs.health.write,
            recording=recorder.health,
            host=self._host.health,
            status=recorder.status,
            changed=recorder.changed,
        )
        tasks.keep("health monitor", monitor.once, every_s=PAUSE_S)
        preview = base.settings.preview
        if preview.rtsp:
            views = self._views
            RtspOutlet(preview, views.preview, views.live, base.events, tasks).begin()

    def front(self) -> Capture:
        """Return the public interface of the capture half."""
        base, views, services = self._base, self._views, self._services
        return Capture(
            cameras=Cameras(base.cameras),
            recorder=self._recorder,
            library=base.library,
            host=self._host,
            lease=base.lease,
            machine=self._machine,
            logs=self._logs.catalogue,
            diagnostics=Diagnostics(base.log_dir),
            preview=views.preview,
            live=views.live,
            stills=Stills(base.cameras, base.runtime_dir),
            sessions=views.sessions,
            signalling=Signalling(views.sessions),
            panorama=services.panorama,
            processing=services.processing,
            jobs=services.jobs,
            footage=services.footage,
            clips=services.clips,
            markers=services.markers,
            details=services.details,
            posters=services.posters,
            removal=services.removal,
            trash=services.trash,
            cloud=services.cloud,
            supervisor=self._supervisor,
        )

    def meter(self) -> Meter:
        """Return the metrics reader of this half."""
        live = self._views.live
        return Meter(
            self._base.cameras,
            recording=self._recorder.status,
            preview=self._views.preview.status,
            live=lambda: live.status,
            host=self._host,
            machine=self._machine,
            alerts=self._logs.alerts,
            watchdog=self._base.watchdog,
        )

    async def close(self) -> None:
        """Stop all views, finalise a running recording, and save the job queue."""
        await self._views.close()
        await self._recorder.close()
        await self._services.close()


def _context(
    base: CaptureBase,
    services: LibraryServices,
    host: HostSampler,
    alerts: Alerts,
    spare: SpareDescriptors,
    tasks: Tasks,
) -> RecordingContext:
    settings, root, changed = base.settings, base.disk.root, Changed()
    return RecordingContext(
        settings=settings,
        root=root,
        cameras=base.cameras,
        host=host,
        alerts=alerts,
        events=base.events,
        prober=Prober(timeout_s=settings.integrity_probe_timeout_s),
        disk=base.disk,
        space=services.space,
        record=base.record,
        spare=spare,
        current=base.current,
        last_stop=LastStopStore(base.data_dir / LAST_STOP_NAME, changed),
        tasks=tasks,
        finished=services.finished,
        clocks=read_clocks,
        changed=changed,
    )


def _send_alert(alerts: Alerts, kind: str, category: str, message: str, **details: Any) -> None:
    """Send an alert, which is an event too, about background work that failed or recovered."""
    alerts.send(task_alert(kind, category, message, details))


def recordings_disk(settings: CaptureSettings, data_dir: Path) -> RecordingsDisk:
    """Return the disk of the recordings, which checks that it is mounted."""
    root = settings.recordings_dir or data_dir / "recordings"
    return RecordingsDisk(root, data_dir, require_mount=settings.require_mount)


def _make_folders(disk: RecordingsDisk, runtime: Path, events: EventLog) -> None:
    """Create the folders of the half.

    Without its recordings disk the server runs, and everything but recording works.
    """
    fault = disk.prepare()
    if fault is not None:
        log.error("nothing can be recorded: %s. To fix it: %s", fault.message, fault.mend)
        code = meaning_of(fault.state, None).kind
        events.record("recording", "disk", fault.message, mend=fault.mend, code=code)
    runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(runtime, 0o700)  # noqa: PTH101  (an existing folder may be open to others)
