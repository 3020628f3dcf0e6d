"""What capture does beside recording and showing: panoramas and post-processing, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from touchline.capture.cameras.calibrations import Calibrations
from touchline.capture.cameras.cameras import Camera
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.library.library import Library
from touchline.capture.library.markers import Markers
from touchline.capture.library.playback.clips import Clips
from touchline.capture.library.playback.footage import Footage
from touchline.capture.live.panorama import PanoramaPreview
from touchline.capture.panorama.calibration import Calibrating
from touchline.capture.panorama.panorama import Panorama
from touchline.capture.processing.cloud import Cloud
from touchline.capture.processing.jobs import JobQueue
from touchline.capture.processing.processing import Processing
from touchline.capture.processing.removal import Removal
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.recording.context import Desk
from touchline.capture.recording.health.space import Space
from touchline.core.supervision import Tasks


@dataclass(frozen=True)
class Afterwards:
    """The panorama, the jobs and who prepares them, and what is cut out of matches."""

    panorama: Panorama
    processing: Processing
    jobs: JobQueue
    footage: Footage
    clips: Clips
    markers: Markers
    removal: Removal
    cloud: Cloud

    def begin(self, tasks: Tasks) -> None:
        """Work on jobs, as tasks of `tasks`."""
        self.panorama.preview.open(tasks)
        tasks.keep("post-processing", self.jobs.once, every_s=0.0)
        tasks.keep("post-processing hold", self.jobs.watch_hold, every_s=0.0)

    async def close(self) -> None:
        """Show nothing more and write the queue down. Raises OSError."""
        await self.panorama.preview.stop_if_active()
        await self.jobs.save()


async def open_afterwards(
    desk: Desk,
    cameras: Mapping[int, Camera],
    lease: CameraLease,
    live: LiveLink,
    library: Library,
    *,
    data_dir: Path,
    runtime_dir: Path,
    log_dir: Path,
) -> Afterwards:
    """Take up what an earlier server left; nothing runs before `begin`."""
    settings = desk.settings
    calibrations = Calibrations(data_dir / "panorama")
    await calibrations.open()
    preview = PanoramaPreview(
        settings.preview,
        calibrations,
        cameras,
        lease,
        live,
        runtime_dir=runtime_dir,
        log_dir=log_dir,
    )
    calibrating = Calibrating(
        calibrations, cameras, lease, library, runtime_dir=runtime_dir, log_dir=log_dir
    )
    await calibrating.open()
    markers = Markers(library, match_now_ns=desk.match_now_ns)
    processing = Processing(
        settings.processing,
        library,
        calibrations,
        markers,
        desk.events,
        log_dir=log_dir,
        free_bytes=desk.free_bytes,
        floor_bytes=settings.min_free_bytes,
    )
    jobs = JobQueue(
        data_dir / "jobs.json",
        prepare=processing.prepare,
        finish=processing.finish,
        hold=lambda: lease.mode == "recording" and not settings.processing.while_recording,
        hold_changed=lease.changed,
    )
    await jobs.load()
    desk.finished = partial(processing.after_recording, jobs)
    panorama = Panorama(calibrations, calibrating, processing, jobs, library, preview)
    footage = Footage()
    clips = Clips(library, footage, runtime_dir=runtime_dir, log_dir=log_dir)
    removal = Removal(library, jobs)
    desk.space = Space(removal, desk.root, floor_bytes=settings.min_free_bytes)
    cloud = Cloud(settings.processing.upload, library)
    return Afterwards(panorama, processing, jobs, footage, clips, markers, removal, cloud)
