"""Panorama and post-processing as they are, on a machine without cameras; no job is worked on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

from touchline.capture.afterwards import Afterwards
from touchline.capture.calibrating import Calibrating
from touchline.capture.calibrations import Calibrations
from touchline.capture.clips import Clips
from touchline.capture.cloud import Cloud
from touchline.capture.footage import Footage
from touchline.capture.jobs import JobQueue
from touchline.capture.lease import CameraLease
from touchline.capture.library import Library
from touchline.capture.markers import Markers
from touchline.capture.panorama import Panorama
from touchline.capture.panoramapreview import PanoramaPreview
from touchline.capture.previewsettings import PreviewSettings
from touchline.capture.processing import Processing
from touchline.capture.processingsettings import ProcessingSettings
from touchline.capture.removal import Removal


class NoLive:
    """A live process that nobody starts."""

    connected = False
    feed_path = Path("nowhere")

    def on_event(self, call: Any) -> None:
        del call


async def plenty() -> int:
    """Room for everything."""
    return 1 << 50


def idle_afterwards(folder: Path, library: Any, *, events: Any = None) -> Afterwards:
    """What nothing was done with yet."""
    places = {"runtime_dir": folder, "log_dir": folder}
    lease = CameraLease()
    calibrations = Calibrations(folder / "panorama")
    calibrations.folder.mkdir(parents=True, exist_ok=True)
    preview = PanoramaPreview(
        PreviewSettings(), calibrations, {}, lease, cast("Any", NoLive()), **places
    )
    kept = cast("Library", library)
    calibrating = Calibrating(calibrations, {}, lease, kept, **places)
    markers = Markers(kept, match_now_ns=lambda _: time.time_ns())
    processing = Processing(
        ProcessingSettings(),
        kept,
        calibrations,
        markers,
        cast("Any", events),
        log_dir=folder,
        free_bytes=plenty,
        floor_bytes=1 << 30,
    )
    jobs = JobQueue(
        folder / "jobs.json",
        prepare=processing.prepare,
        finish=processing.finish,
        hold=lambda: False,
        hold_changed=lease.changed,
    )
    panorama = Panorama(calibrations, calibrating, processing, jobs, kept, preview)
    footage = Footage()
    clips = Clips(kept, footage, **places)
    removal = Removal(kept, jobs)
    cloud = Cloud(ProcessingSettings().upload, kept)
    return Afterwards(panorama, processing, jobs, footage, clips, markers, removal, cloud)
