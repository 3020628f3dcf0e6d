"""The verb `capture`: take a picture of each camera at the same instant.

`spec` has `directory` and `name` (where to listen for the cameras' feeds), `files` (where to write
the two pictures) and `wait_s`. Reports `listening` before it waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import cv2

from touchline.studio.errors import StudioError
from touchline.studio.pictures.pairing import Shot
from touchline.studio.pictures.planes import planes_of
from touchline.studio.pictures.receiving import Receiver
from touchline.studio.stitching.matching import sharpness
from touchline.studio.verbs import Tell

CAMERAS = ("cam0", "cam1")
SHARP = 10.0
_WORST_NS = 17_000_000
_LOOK_S = 1.0
"""Time to wait for a better pair after the first one."""

Two = tuple[Shot[av.VideoFrame], Shot[av.VideoFrame]]


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Write the two pictures; raises StudioError if they do not arrive in time."""
    receiver = Receiver(Path(spec["directory"]), str(spec["name"]))
    try:
        tell({"listening": True})
        first, second = _pair(receiver, float(spec["wait_s"]), stopping)
    finally:
        receiver.close()
    sharp = []
    for shot, file in zip((first, second), spec["files"], strict=True):
        grey = planes_of(shot.picture).y
        sharp.append(round(sharpness(grey), 1))
        if not cv2.imwrite(str(file), shot.picture.to_ndarray(format="bgr24")):
            raise StudioError("disk_failed", f"The picture cannot be written to {file}")
    return {
        "apart_ms": round(abs(first.at_ns - second.at_ns) / 1e6, 2),
        "sharpness": sharp,
        "sharp": min(sharp) >= SHARP,
        "sizes": [[s.picture.width, s.picture.height] for s in (first, second)],
    }


def _pair(receiver: Receiver, wait_s: float, stopping: threading.Event) -> Two:
    end_s, best_by_s = time.monotonic() + wait_s, None
    best: Two | None = None
    while time.monotonic() < end_s and not stopping.is_set():
        receiver.wait(0.1)
        found = _closest(receiver.waiting(CAMERAS[0]), receiver.waiting(CAMERAS[1]))
        if found is not None and (best is None or _measure_gap_ns(found) < _measure_gap_ns(best)):
            best = found
        if best is not None and best_by_s is None:
            best_by_s = time.monotonic() + _LOOK_S
        if best is not None and (
            _measure_gap_ns(best) < 2_000_000 or time.monotonic() > (best_by_s or 0)
        ):
            break
    if best is None or _measure_gap_ns(best) > _WORST_NS * 2:
        silent = [name for name in CAMERAS if not receiver.waiting(name)]
        what = f"{' and '.join(silent)} sent no frames" if silent else "their times do not match"
        raise StudioError(
            "no_pair",
            f"Failed to capture frames from cameras: {what}",
            advice="Check that both cameras are visible in the preview, and retry.",
        )
    return best


def _measure_gap_ns(two: Two) -> int:
    return abs(two[0].at_ns - two[1].at_ns)


def _closest(first: list[Shot[av.VideoFrame]], second: list[Shot[av.VideoFrame]]) -> Two | None:
    pairs = [(a, b) for a in first for b in second]
    return min(pairs, key=_measure_gap_ns, default=None)
