from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from support import segmentfiles
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.library.manifest.rescan import rescan
from touchline.capture.library.verification.integrityreport import Expected
from touchline.capture.library.verification.probe import Prober
from touchline.capture.library.verification.stopgate import check_stop

pytestmark = pytest.mark.anyio

CAM0 = "cam0_20260211_220241_00.mp4"
CAM1 = "cam1_20260211_220241_00.mp4"
BOTH = Expected(
    ("cam0", "cam1"), segmentfiles.START_UNIX_NS, segmentfiles.START_UNIX_NS + 2_000_000_000
)
CONTENT = (
    sys.executable,
    "-c",
    'print(\'{"streams": [{"avg_frame_rate": "25/1"}], "format": {"duration": "2.0"}}\')',
)


@pytest.fixture
def prober() -> Prober:
    return Prober(timeout_s=5, command=CONTENT)


@pytest.fixture
def match(tmp_path: Path) -> Path:
    segmentfiles.write_segment(tmp_path / "m1" / "segments" / CAM0)
    segmentfiles.write_segment(tmp_path / "m1" / "segments" / CAM1, seed=2)
    return tmp_path / "m1"


async def test_a_good_stop_has_the_block_of_the_contract(match: Path, prober: Prober) -> None:
    check = await check_stop(match, rescan(match), prober, expected=BOTH)
    assert check.all_ok
    assert (check.block["checked"], check.block["reason"]) == (True, None)
    assert list(check.block["cameras"]) == ["camera_0", "camera_1"]
    camera: dict[str, Any] = dict(check.block["cameras"]["camera_0"])
    path = match / "segments" / CAM0
    told = {
        "segment_found": True,
        "segment_path": str(path),
        "segment_size": path.stat().st_size,
        "integrity_checked": True,
        "integrity_ok": True,
        "integrity_error": None,
    }
    assert told.items() <= camera.items()
    assert camera["probe"]["avg_frame_rate"] == "25/1"
    assert (camera["frames"], camera["recorded_s"], camera["expected_s"]) == (50, 2.0, 2.0)


async def test_damage_in_any_segment_fails_the_stop_and_is_located(
    match: Path, prober: Prober
) -> None:
    later = "cam1_20260211_220241_01.mp4"
    start = segmentfiles.START_UNIX_NS + 2_000_000_000
    segmentfiles.write_segment(match / "segments" / later, start_unix_ns=start)
    os.truncate(match / "segments" / CAM1, 5_000)
    check = await check_stop(match, rescan(match), prober, expected=BOTH)
    assert not check.all_ok
    camera: dict[str, Any] = dict(check.block["cameras"]["camera_1"])
    assert camera["integrity_ok"] is False
    assert camera["segment_path"].endswith(later)
    assert camera["integrity_error"].startswith(f"{CAM1}, fragment ")
    assert camera["faults"][0]["segment"] == CAM1
    assert check.block["cameras"]["camera_0"]["integrity_ok"] is True


async def test_ffprobes_objection_fails_the_stop(match: Path) -> None:
    prober = Prober(timeout_s=5, command=(sys.executable, "-c", "raise SystemExit('bad file')"))
    check = await check_stop(match, rescan(match), prober, expected=BOTH)
    assert check.block["all_ok"] is False
    assert check.block["cameras"]["camera_0"]["integrity_error"] == "bad file"


async def test_without_ffprobe_our_own_walk_decides(match: Path) -> None:
    prober = Prober(timeout_s=5, command=("no-such-ffprobe",))
    check = await check_stop(match, rescan(match), prober, expected=BOTH)
    assert check.all_ok
    probe = check.block["cameras"]["camera_0"]["probe"]
    assert probe is not None
    assert (probe["checked"], probe["error"]) == (False, "ffprobe_not_available")


async def test_a_camera_without_footage_fails_the_stop(match: Path, prober: Prober) -> None:
    (match / "segments" / CAM1).unlink()
    check = await check_stop(match, rescan(match), prober, expected=BOTH)
    assert not check.all_ok
    assert check.block["cameras"]["camera_1"] == {
        "segment_found": False,
        "segment_path": None,
        "integrity_checked": True,
        "integrity_ok": False,
        "integrity_error": "segment_not_found",
    }


@pytest.mark.parametrize(
    ("folder", "reason"), [("", "segments_dir_missing"), ("segments", "no_segments_found")]
)
async def test_zero_footage_is_never_a_success(
    tmp_path: Path, prober: Prober, folder: str, reason: str
) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    empty = Manifest(match_id="m1", state="recording")
    check = await check_stop(tmp_path, empty, prober, expected=BOTH)
    assert check.block["all_ok"] is False
    assert check.block["reason"] == reason
