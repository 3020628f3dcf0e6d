"""Panorama and post-processing as they are, on a machine without cameras; no job is worked on."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from support.fakeengines import MemoryEvents
from support.supervised import no_tasks
from touchline.capture.assembly import LibraryServices
from touchline.capture.calibrations import Calibrations, PanoramaSettings
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.jobkinds.kind import JobContext
from touchline.capture.library.details import DetailsStore
from touchline.capture.library.library import Library
from touchline.capture.library.markers import Markers
from touchline.capture.library.playback.clips import Clips
from touchline.capture.library.playback.footage import Footage
from touchline.capture.library.playback.posters import Posters, studio_posters
from touchline.capture.library.trash.trash import Trash
from touchline.capture.live.panorama import PanoramaPreview
from touchline.capture.panorama.calibration import Calibrating
from touchline.capture.panorama.panorama import Panorama
from touchline.capture.processing.cloud import Cloud
from touchline.capture.processing.jobs import JobQueue
from touchline.capture.processing.orders import StudioOrders
from touchline.capture.processing.processing import Processing
from touchline.capture.processing.removal import Removal
from touchline.capture.processing.results import JobResults
from touchline.capture.recording.health.space import Space
from touchline.capture.settings.preview import PreviewSettings
from touchline.capture.settings.processing import ProcessingSettings


class NoLive:
    """A live process that nobody starts."""

    connected = False
    feed_path = Path("nowhere")

    def on_event(self, call: Any) -> None:
        del call


async def plenty() -> int:
    """Room for everything."""
    return 1 << 50


def trash_of(
    root: Path,
    library: Any,
    *,
    events: Any = None,
    kept_days: int = 7,
    read_date: Callable[[], float | None] = time.time,
) -> Trash:
    """The trash of a library; without a log, its events are kept in memory."""
    return Trash(
        root,
        cast("Library", library),
        kept_days=kept_days,
        events=cast("Any", MemoryEvents() if events is None else events),
        read_date=read_date,
    )


def orders_of(
    folder: Path,
    library: Library,
    *,
    calibrations: Calibrations | None = None,
    markers: Markers | None = None,
    free_bytes: Callable[[], Awaitable[int]] = plenty,
) -> StudioOrders:
    """What the studio is asked to do, which is not done."""
    if calibrations is None:
        calibrations = Calibrations(folder / "panorama", PanoramaSettings(), {})
    context = JobContext(
        ProcessingSettings(),
        library,
        calibrations,
        markers or Markers(library, match_now_ns=lambda _: time.time_ns()),
    )
    return StudioOrders(
        context, log_path=folder / "studio.log", free_bytes=free_bytes, floor_bytes=1 << 30
    )


def idle_services(folder: Path, library: Any, *, events: Any = None) -> LibraryServices:
    """What nothing was done with yet."""
    places = {"runtime_dir": folder, "log_dir": folder}
    lease = CameraLease()
    calibrations = Calibrations(folder / "panorama", PanoramaSettings(), {})
    calibrations.folder.mkdir(parents=True, exist_ok=True)
    preview = PanoramaPreview(
        PreviewSettings(),
        calibrations,
        {},
        lease,
        cast("Any", NoLive()),
        tasks=no_tasks(),
        **places,
    )
    kept = cast("Library", library)
    calibrating = Calibrating(calibrations, {}, lease, kept, captured=(), **places)
    markers = Markers(kept, match_now_ns=lambda _: time.time_ns())
    results = JobResults(kept, cast("Any", events))
    jobs = JobQueue(
        folder / "jobs.json",
        prepare=orders_of(folder, kept, calibrations=calibrations, markers=markers).prepare,
        finish=results.store,
        hold=lambda: False,
        hold_changed=lease.changed,
    )
    settings = ProcessingSettings()
    context = JobContext(settings, kept, calibrations, markers)
    processing = Processing(settings, context, jobs, results)
    panorama = Panorama(calibrations, calibrating, processing, jobs, kept, preview)
    footage = Footage()
    clips = Clips(kept, footage, **places)
    removal = Removal(kept, jobs)
    trash = trash_of(folder / "recordings", kept, events=events)
    space = Space(removal, trash, folder, floor_bytes=1 << 30, deletes_matches=True)
    cloud = Cloud(ProcessingSettings().upload, kept)
    return LibraryServices(
        panorama=panorama,
        processing=processing,
        jobs=jobs,
        footage=footage,
        clips=clips,
        markers=markers,
        details=DetailsStore(kept),
        posters=Posters(kept, markers, studio_posters(folder / "studio.log")),
        removal=removal,
        trash=trash,
        space=space,
        cloud=cloud,
    )
