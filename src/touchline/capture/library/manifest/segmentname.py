"""Names of video files with camera, start time and index, of touchline and earlier systems."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SegmentName:
    """Parts of a video file name such as `cam0_20260211_220241_00.mp4`, also of older systems.

    `camera` is `unknown` and `index` None where the name does not contain them; `label` is the
    start time as written, or empty.
    """

    camera: str
    label: str
    index: int | None

    @property
    def order(self) -> tuple[str, int]:
        """Sort key for the segments of one camera: start time, then index."""
        return (self.label, -1 if self.index is None else self.index)


_CAMERA = re.compile(r"cam\d{1,9}", re.ASCII)


_LABEL = re.compile(r"(?<!\d)(\d{8}_\d{6})(?!\d)", re.ASCII)


_INDEX = re.compile(r"(?:[_-](\d{1,4})|(\d{1,18}))$", re.ASCII)


def camera_of(file_name: str) -> str:
    """Return the camera in a file name: `cam0`, or `unknown`."""
    camera = _CAMERA.search(file_name)
    return camera[0] if camera else "unknown"


def parse_segment_name(file_name: str) -> SegmentName:
    """Parse camera, start time and index from a file name.

    It never fails, but uses `unknown` instead.
    """
    stem = Path(file_name).stem
    camera = _CAMERA.search(stem)
    label = _LABEL.search(stem)
    rest = stem if label is None else stem[label.end() :]
    if camera is not None and rest is stem:
        rest = stem[camera.end() :]  # the digits of "cam0" alone are not an index
    number = _INDEX.search(rest)
    return SegmentName(
        camera=camera[0] if camera else "unknown",
        label=label[1] if label else "",
        index=int(number[1] or number[2]) if number else None,
    )
