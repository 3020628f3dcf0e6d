"""Data of one recorded match from which orders of jobs are created."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.segmentfiles import write_segment
from touchline.capture.calibrations import Calibrations, PanoramaSettings
from touchline.capture.jobkinds.kind import JobContext
from touchline.capture.library.library import Library
from touchline.capture.library.markers import Markers
from touchline.capture.settings.processing import ProcessingSettings

MATCH_ID = "m1"


def job_context(
    root: Path, *, panorama: PanoramaSettings | None = None, **settings: Any
) -> JobContext:
    """A library with one match of the cameras 0 and 2, and these settings of processing."""
    recordings, panoramas = root / "recordings", root / "panorama"
    panoramas.mkdir()
    for camera in (0, 2):
        write_segment(recordings / MATCH_ID / "segments" / f"cam{camera}_20260211_220241_00.mp4")
    library = Library(recordings, is_running=lambda _: False)
    return JobContext(
        ProcessingSettings.model_validate(settings),
        library,
        Calibrations(panoramas, panorama or PanoramaSettings(), {}),
        Markers(library, match_now_ns=lambda _: None),
    )
