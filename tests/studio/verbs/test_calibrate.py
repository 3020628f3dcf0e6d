from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.pitches import SHORT, pitch_pair, short_pitch
from touchline.studio.stitching.geometry import Pair
from touchline.studio.verbs import calibrate

SIZE = SHORT.size


def quiet(_: Mapping[str, Any]) -> None:
    return None


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matches") / "derby"
    return short_pitch(folder)


def test_a_recorded_match_on_it_calibrates_to_a_pixel_and_a_half(match: Path) -> None:
    asked = {"folder": str(match), "instants": 6}
    found = Pair.from_json(calibrate.run(asked, quiet, threading.Event())["pair"])
    true = pitch_pair(*SIZE)
    x, y = np.meshgrid(np.arange(440, 640, 8.0), np.arange(20, 340, 8.0))
    pixels = np.stack([x, y], axis=-1)
    right, there = true.cam0_to_cam1(pixels), found.cam0_to_cam1(pixels)
    both = (right[..., 0] > 0) & (right[..., 0] < SIZE[0])
    off = np.linalg.norm(right - there, axis=-1)[both & np.isfinite(there[..., 0])]
    assert np.quantile(off, 0.95) < 1.5 * SIZE[0] / 1280
