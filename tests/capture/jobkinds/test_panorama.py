from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.jobcontext import MATCH_ID, job_context
from touchline.capture.calibrations import PanoramaSettings
from touchline.capture.jobkinds.panorama import PANORAMA
from touchline.core.errors import NotFound

pytestmark = pytest.mark.anyio

RESULT: dict[str, Any] = {
    "pair": {"lens0": {"focal_px": 900}},
    "quality": {},
    "homography_matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "pairs": 2,
}


async def test_a_job_keeps_the_calibration_that_was_active_when_it_was_requested(
    tmp_path: Path,
) -> None:
    context = job_context(tmp_path)
    now = datetime(2026, 2, 11, 19, tzinfo=UTC)
    await context.calibrations.add("cameras", RESULT, now)
    params = PANORAMA.fixed_params(context)
    await context.calibrations.add("cameras", {**RESULT, "pair": {}}, now)
    order = await PANORAMA.order(context, MATCH_ID, params)
    assert order["calibration"] == {"version": 1, "pair": RESULT["pair"]}


async def test_without_a_calibration_the_order_has_none(tmp_path: Path) -> None:
    context = job_context(tmp_path)
    params = PANORAMA.fixed_params(context)
    assert params == {"calibration_version": None}
    assert "calibration" not in await PANORAMA.order(context, MATCH_ID, params)
    with pytest.raises(NotFound):
        await PANORAMA.order(context, MATCH_ID, {"calibration_version": 4})


async def test_size_and_quality_are_those_of_the_configuration(tmp_path: Path) -> None:
    context = job_context(
        tmp_path, panorama=PanoramaSettings(output_width=3840, blend_width=64, quality="high")
    )
    order = await PANORAMA.order(context, MATCH_ID, {})
    assert (order["width"], order["height"], order["blend_px"]) == (3840, None, 64)
    assert (order["preset"], order["crf"]) == ("medium", 21)
