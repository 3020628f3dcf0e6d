from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from touchline.capture.calibrations import read_calibrations
from touchline.core.errors import NotFound

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 2, 11, 19, tzinfo=UTC)
LENS = {"width": 640, "height": 360, "focal_px": 400.0, "k1": 0.0, "k2": 0.0}
RESULT: dict[str, Any] = {
    "pair": {"lens0": LENS, "lens1": LENS, "turn": [0.0, 0.9, 0.0]},
    "quality": {"score": 0.9, "reprojection_error_px": 0.5, "overlap": 0.3, "words": "excellent"},
    "homography_matrix": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "pairs": 10,
    "points": [{"cam0": [1.0, 2.0], "cam1": [3.0, 4.0]}],
}


async def test_a_calibration_is_used_at_once_and_survives_a_restart(tmp_path: Path) -> None:
    calibrations = await read_calibrations(tmp_path / "panorama")
    made = await calibrations.add("cameras", RESULT, NOW)
    assert made.version == 1
    assert calibrations.active == made
    again = await read_calibrations(tmp_path / "panorama")
    assert again.active == made


async def test_numbers_never_come_again_and_earlier_ones_can_be_used(tmp_path: Path) -> None:
    calibrations = await read_calibrations(tmp_path)
    for source in ("cameras", "derby", "cup"):
        await calibrations.add(source, RESULT, NOW)
    assert [c.version for c in calibrations.all()] == [3, 2, 1]
    assert (await calibrations.activate(2)).source == "derby"
    await calibrations.clear()
    assert not calibrations.config.active_version
    assert (await calibrations.add("cameras", RESULT, NOW)).version == 4
    with pytest.raises(NotFound):
        await calibrations.activate(9)


async def test_settings_are_checked_and_kept(tmp_path: Path) -> None:
    calibrations = await read_calibrations(tmp_path)
    await calibrations.configure(preview_fps_target=20, projection="plane")
    for wrong in ({"preview_fps_target": 0}, {"projection": "sphere"}, {"output_width": 641}):
        with pytest.raises(ValidationError):
            await calibrations.configure(**wrong)
    again = await read_calibrations(tmp_path)
    assert (again.config.preview_fps_target, again.config.projection) == (20, "plane")


async def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    calibrations = await read_calibrations(tmp_path)
    await calibrations.add("cameras", RESULT, NOW)
    (tmp_path / "0002.json").write_text("{")
    (tmp_path / "config.json").write_text("[]")
    again = await read_calibrations(tmp_path)
    assert [c.version for c in again.all()] == [1]
    assert again.active is None
