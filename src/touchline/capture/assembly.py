"""Construction of the capture half's parts, each complete once it is created."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from touchline.capture.calibrations import Calibrations, read_calibrations
from touchline.capture.cameras.cameras import SCENES, Camera
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.cameras.news import CameraNews
from touchline.capture.host.watchdog import Watchdog
from touchline.capture.jobkinds.kind import JobContext
from touchline.capture.library.details import DetailsStore
from touchline.capture.library.library import Library
from touchline.capture.library.libraryrecord import FILE_NAME as RECORD_NAME
from touchline.capture.library.libraryrecord import LibraryRecord
from touchline.capture.library.markers import Markers
from touchline.capture.library.playback.clips import Clips
from touchline.capture.library.playback.footage import Footage
from touchline.capture.library.playback.posters import Posters, studio_posters
from touchline.capture.library.recordingsdisk import RecordingsDisk
from touchline.capture.library.trash.trash import EXPIRE_EVERY_S, Trash
from touchline.capture.live.panorama import PanoramaPreview
from touchline.capture.live.preview import Preview
from touchline.capture.live.sessions import WebRtcSessions
from touchline.capture.live.shown import LiveCameras
from touchline.capture.panorama.calibration import Calibrating, read_captured
from touchline.capture.panorama.panorama import Panorama
from touchline.capture.processing.cloud import Cloud
from touchline.capture.processing.jobs import JobQueue, read_jobs
from touchline.capture.processing.orders import StudioOrders
from touchline.capture.processing.processing import Processing
from touchline.capture.processing.removal import Removal
from touchline.capture.processing.results import JobResults
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.recording.health.space import Space
from touchline.capture.recording.running import CurrentRecording
from touchline.capture.settings.tree import CaptureSettings
from touchline.core.descriptors import SpareDescriptors
from touchline.core.events.log import EventLog
from touchline.core.supervision import Tasks
from touchline.core.wallclock import trust_now
from touchline.media.storage.diskspace import read_space


@dataclass(frozen=True)
class CaptureBase:
    """Settings, folders, cameras and camera lease shared by all parts of the half."""

    settings: CaptureSettings
    data_dir: Path
    runtime_dir: Path
    log_dir: Path
    disk: RecordingsDisk
    events: EventLog
    watchdog: Watchdog
    news: CameraNews
    cameras: Mapping[int, Camera]
    lease: CameraLease
    current: CurrentRecording
    library: Library
    calibrations: Calibrations
    record: LibraryRecord


async def open_base(
    settings: CaptureSettings,
    *,
    disk: RecordingsDisk,
    data_dir: Path,
    runtime_dir: Path,
    log_dir: Path,
    events: EventLog,
    spare: SpareDescriptors,
    watchdog: Watchdog,
) -> CaptureBase:
    """Create the cameras, and read the library and the calibrations.

    The cameras' workers are not connected yet. Raises OSError.
    """
    news, current = CameraNews([watchdog]), CurrentRecording()
    library = Library(disk.root, is_running=current.is_running)
    await library.clean_up()
    async with anyio.create_task_group() as tasks:
        for source in settings.cameras.values():
            tasks.start_soon(source.prepare, runtime_dir / SCENES)
    cameras = {
        camera_id: Camera(
            camera_id,
            source,
            settings,
            runtime_dir=runtime_dir,
            log_dir=log_dir,
            listener=news,
            spare=spare,
        )
        for camera_id, source in sorted(settings.cameras.items())
    }
    return CaptureBase(
        settings,
        data_dir,
        runtime_dir,
        log_dir,
        disk,
        events,
        watchdog,
        news,
        cameras,
        CameraLease(preview_while_recording=settings.preview_while_recording),
        current,
        library,
        await read_calibrations(data_dir / "panorama"),
        LibraryRecord(disk.root, data_dir / RECORD_NAME),
    )


@dataclass(frozen=True)
class Views:
    """Components that show the cameras and the panorama."""

    live: LiveLink
    showing: LiveCameras
    preview: Preview
    panorama: PanoramaPreview
    sessions: WebRtcSessions

    def begin(self, tasks: Tasks) -> None:
        """Start the views as tasks of `tasks`."""
        tasks.keep("preview lease", self.preview.follow_lease, every_s=0.0)

    async def close(self) -> None:
        """Stop all views."""
        await self.panorama.stop_if_active()
        await self.preview.close()

    async def camera_connected(self, camera: Camera, _hello: Mapping[str, Any]) -> None:
        """Tell a new worker to feed the views that show its camera."""
        await self.showing.camera_connected(camera)
        await self.panorama.camera_connected(camera)


def make_views(base: CaptureBase, tasks: Tasks) -> Views:
    """Create the views, whose work runs as tasks of `tasks`."""
    settings, cameras, lease = base.settings, base.cameras, base.lease
    live = LiveLink(
        hls_dir=settings.preview.hls_dir,
        tasks=tasks,
        runtime_dir=base.runtime_dir,
        log_dir=base.log_dir,
        unresponsive_after_s=settings.unresponsive_after_s,
        observers=[base.watchdog],
    )
    showing = LiveCameras(settings.preview, live, start_timeout_s=settings.start_timeout_s)
    preview = Preview(settings.preview, cameras, lease, live, showing)
    panorama = PanoramaPreview(
        settings.preview,
        base.calibrations,
        cameras,
        lease,
        live,
        tasks=tasks,
        runtime_dir=base.runtime_dir,
        log_dir=base.log_dir,
    )
    sessions = WebRtcSessions(preview, panorama, lease, cameras, tasks)
    return Views(live, showing, preview, panorama, sessions)


@dataclass(frozen=True)
class LibraryServices:
    """Panorama, job queue, post-processing and clips of the library."""

    panorama: Panorama
    processing: Processing
    jobs: JobQueue
    footage: Footage
    clips: Clips
    markers: Markers
    details: DetailsStore
    posters: Posters
    removal: Removal
    trash: Trash
    space: Space
    cloud: Cloud

    def begin(self, tasks: Tasks) -> None:
        """Start processing jobs, as tasks of `tasks`."""
        tasks.keep("post-processing", self.jobs.once, every_s=0.0)
        tasks.keep("post-processing hold", self.jobs.watch_hold, every_s=0.0)
        tasks.keep("trash", self.trash.expire, every_s=EXPIRE_EVERY_S)

    async def close(self) -> None:
        """Save the job queue. Raises OSError."""
        await self.jobs.save()

    def finished(self, match_id: str) -> None:
        """Start post-processing of a finished match."""
        self.processing.after_recording(match_id)


async def open_library_services(base: CaptureBase, views: Views) -> LibraryServices:
    """Create the library services and load what an earlier server left.

    Nothing runs before `begin`.
    """
    settings, lease, library = base.settings, base.lease, base.library
    calibrations = base.calibrations
    runtime_dir, log_dir, root = base.runtime_dir, base.log_dir, base.disk.root
    calibrating = Calibrating(
        calibrations,
        base.cameras,
        lease,
        library,
        captured=await read_captured(calibrations),
        runtime_dir=runtime_dir,
        log_dir=log_dir,
    )
    markers = Markers(library, match_now_ns=base.current.match_now_ns)
    context = JobContext(settings.processing, library, calibrations, markers)
    orders = StudioOrders(
        context,
        log_path=log_dir / "studio.log",
        free_bytes=partial(_free_bytes, root),
        floor_bytes=settings.min_free_bytes,
    )
    results = JobResults(library, base.events)
    jobs_path = base.data_dir / "jobs.json"
    jobs = JobQueue(
        jobs_path,
        prepare=orders.prepare,
        finish=results.store,
        hold=lambda: lease.mode == "recording" and not settings.processing.while_recording,
        hold_changed=lease.changed,
        jobs=await read_jobs(jobs_path),
    )
    processing = Processing(settings.processing, context, jobs, results)
    footage, removal, trash = Footage(), Removal(library, jobs), _trash(base)
    return LibraryServices(
        panorama=Panorama(calibrations, calibrating, processing, jobs, library, views.panorama),
        processing=processing,
        jobs=jobs,
        footage=footage,
        clips=Clips(library, footage, runtime_dir=runtime_dir, log_dir=log_dir),
        markers=markers,
        details=DetailsStore(library),
        posters=Posters(library, markers, studio_posters(log_dir / "studio.log")),
        removal=removal,
        trash=trash,
        space=Space(
            removal,
            trash,
            root,
            floor_bytes=settings.min_free_bytes,
            deletes_matches=settings.delete_oldest_when_full,
        ),
        cloud=Cloud(settings.processing.upload, library),
    )


def _trash(base: CaptureBase) -> Trash:
    return Trash(
        base.disk.root,
        base.library,
        kept_days=base.settings.trash_days,
        events=base.events,
        read_date=partial(read_trusted_date, base.record),
    )


def read_trusted_date(record: LibraryRecord) -> float | None:
    """Return the date in Unix seconds, or None while the system clock is not trusted."""
    return None if trust_now(record.newest_unix_ns) == "doubtful" else time.time()


async def _free_bytes(root: Path) -> int:
    """Return the bytes that may still be written below the recordings folder, read now."""
    return (await to_thread.run_sync(read_space, root)).free_bytes
