"""Kinds of post-processing jobs, in the order in which they are run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from touchline.capture.cameras.calibrations import Calibration, Calibrations, PanoramaSettings
from touchline.capture.library.library import Library
from touchline.capture.library.markers import Markers
from touchline.capture.processing.jobs import Job
from touchline.capture.settings.processing import Kind, ProcessingSettings
from touchline.core.errors import Refused

_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "fast": {"preset": "ultrafast", "crf": 23},
    "balanced": {"preset": "veryfast", "crf": 23},
    "high": {"preset": "medium", "crf": 21},
}


@dataclass(frozen=True)
class JobContext:
    """Data from which the studio's orders are created."""

    settings: ProcessingSettings
    library: Library
    calibrations: Calibrations
    markers: Markers


@dataclass(frozen=True)
class JobKind:
    """Kind of job: a command of the studio, and the function that creates its order.

    `order` creates the studio's order for a job; it raises NotFound and Refused if the job cannot
    be done now. `is_large` says that the result may be as large as the match. `params` are the
    default parameters.
    """

    name: Kind
    order: Callable[[JobContext, Job], Awaitable[dict[str, Any]]]
    is_large: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)


async def _archive_order(context: JobContext, job: Job) -> dict[str, Any]:
    cameras = await context.library.cameras(job.match_id)
    return {"cameras": cameras, **context.settings.archive.to_spec()}


async def _params_order(_context: JobContext, job: Job) -> dict[str, Any]:
    return dict(job.params)


async def _panorama_order(context: JobContext, job: Job) -> dict[str, Any]:
    """Return an order with the job's calibration.

    It is the calibration that was active when the job was requested.
    """
    version = job.params.get("calibration_version")
    calibration = None if version is None else context.calibrations.get(int(version))
    return _panorama_spec(context.calibrations.config, calibration)


def _panorama_spec(config: PanoramaSettings, calibration: Calibration | None) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "projection": config.projection,
        "width": config.output_width,
        "height": config.output_height,
        "blend_px": config.blend_width,
        **_PRESETS[config.quality],
    }
    if calibration is not None:
        spec["calibration"] = {"version": calibration.version, "pair": dict(calibration.pair)}
    return spec


async def _reel_order(context: JobContext, job: Job) -> dict[str, Any]:
    """Return an order for the stretches around the current markers."""
    before_ns, after_ns = (int(float(job.params[name]) * 1e9) for name in ("before_s", "after_s"))
    moments = await context.markers.moments(job.match_id, job.params.get("kinds") or None)
    if not moments:
        raise Refused("This match has no markers", code="no_markers")
    return {
        "camera": job.params["camera"],
        "file": "reel.mp4",
        "stretches": _merged([(at - before_ns, at + after_ns) for at in moments]),
    }


def _merged(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge stretches that touch, so that nothing is shown twice."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


async def _upload_order(context: JobContext, job: Job) -> dict[str, Any]:
    upload = context.settings.upload
    if upload.bucket is None:
        raise Refused(
            "No storage is configured (capture.processing.upload.bucket)", code="no_storage"
        )
    return upload.to_spec(job.match_id, await context.library.cameras(job.match_id))


KINDS: Mapping[str, JobKind] = {
    kind.name: kind
    for kind in (
        JobKind("archive", _archive_order, is_large=True),
        JobKind("sprites", _params_order),
        JobKind("panorama", _panorama_order, is_large=True),
        JobKind("follow", _params_order, is_large=True),
        JobKind(
            "reel",
            _reel_order,
            params={"camera": "cam0", "before_s": 8.0, "after_s": 4.0, "kinds": []},
        ),
        JobKind("upload", _upload_order),
    )
}
ORDER = tuple(KINDS)
