"""A match on the simulated pitch, filmed by its two cameras as 1080p30 files, with its truth.

Pictures have a sensor's noise, so that decoding and encoding them is real work (about 10 Mbit/s).
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support import pitches as pitches  # noqa: PLC0414
from support import scenes
from touchline.studio.stitching.geometry import Pair
from touchline.studio.verbs import calibrate

SIZE = (1920, 1080)


def film_pitch(folder: Path, *, seconds: float) -> Path:
    """The match's folder."""
    shooting = pitches.Shooting(seconds=seconds, fps=30, size=SIZE, begin_s=100.0, noise=4)
    return pitches.film_pitch(folder, shooting)


def pitch_pair() -> Pair:
    """How the cameras really stand."""
    return pitches.pitch_pair(*SIZE)


def calibrated_seam_px(folder: Path) -> tuple[float, int]:
    """How far a calibration from the recording is off where both see, and with how many points."""
    asked = {"folder": str(folder), "instants": 6}
    result = calibrate.run(asked, lambda _: None, threading.Event())
    found, true = Pair.from_json(result["pair"]), pitch_pair()
    x, y = np.meshgrid(np.arange(0, SIZE[0], 16.0), np.arange(0, SIZE[1], 16.0))
    pixels = np.stack([x, y], axis=-1)
    right, there = true.cam0_to_cam1(pixels), found.cam0_to_cam1(pixels)
    inside = (right[..., 0] >= 0) & (right[..., 0] < SIZE[0])
    inside &= (right[..., 1] >= 0) & (right[..., 1] < SIZE[1])
    off = np.linalg.norm(right - there, axis=-1)[inside]
    return float(np.quantile(off, 0.95)), int(result["quality"]["inliers"])


def painted_views() -> tuple[scenes.Grey, scenes.Grey]:
    """Two overlapping pictures of a painted world, full of detail."""
    return scenes.two_cameras(*SIZE, apart_deg=50).pictures()
