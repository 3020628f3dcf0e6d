"""Panorama: both cameras, stitched with the calibration that was active at the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from touchline.capture.calibrations import Calibration, PanoramaSettings
from touchline.capture.jobkinds.kind import JobContext, JobKind, Params

_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "fast": {"preset": "ultrafast", "crf": 23},
    "balanced": {"preset": "veryfast", "crf": 23},
    "high": {"preset": "medium", "crf": 21},
}


def _pin_calibration(context: JobContext) -> Params:
    return {"calibration_version": context.calibrations.config.active_version}


async def _order(context: JobContext, _match_id: str, params: Params) -> dict[str, Any]:
    version = params.get("calibration_version")
    calibration = None if version is None else context.calibrations.get(int(version))
    return _spec(context.calibrations.config, calibration)


def _spec(config: PanoramaSettings, calibration: Calibration | None) -> dict[str, Any]:
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


PANORAMA = JobKind("panorama", _order, is_large=True, fixed_params=_pin_calibration)
