from __future__ import annotations

import pytest

from touchline.capture.library.manifest.segmentname import parse_segment_name

NAME = "cam0_20260211_220241_00.mp4"


@pytest.mark.parametrize(
    ("name", "camera", "label", "index"),
    [
        (NAME, "cam0", "20260211_220241", 0),
        ("cam1_20260211_220241_09.mp4", "cam1", "20260211_220241", 9),
        ("cam12_20260211_220241_10.mp4", "cam12", "20260211_220241", 10),
        ("cam0.mp4", "cam0", "", None),
        ("cam0_archive.mp4", "cam0", "", None),
        ("left-cam1-003.mkv", "cam1", "", 3),
        ("part7.mkv", "unknown", "", 7),
        ("holiday.mov", "unknown", "", None),
    ],
)
def test_a_file_name_tells_camera_start_and_index(
    name: str, camera: str, label: str, index: int | None
) -> None:
    parsed = parse_segment_name(name)
    assert (parsed.camera, parsed.label, parsed.index) == (camera, label, index)
