"""Checks of the configured cameras, each as its kind defines."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from touchline.finding import CheckFinding
from touchline.settings import Settings


def camera_findings(settings: Settings) -> Iterator[CheckFinding]:
    """Return a finding for each camera that can be checked, checking all of them concurrently."""
    cameras = settings.capture.cameras
    if not cameras:
        yield CheckFinding(
            "cameras",
            "info" if settings.engines_configured else "missing",
            "no camera is configured",
            'add [capture.cameras.0] with kind = "rtsp" and its url to the file of --config',
        )
    required = settings.capture.require_all_cameras

    def look(camera_id: int) -> CheckFinding | None:
        return cameras[camera_id].finding(camera_id, required=required)

    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="check") as pool:
        yield from filter(None, pool.map(look, sorted(cameras)))
