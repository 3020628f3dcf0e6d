from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.matches import PERIOD_NS, START_NS, World, film_match, steady
from support.scenes import two_cameras
from touchline.studio.verbs import sprites


def quiet(_: Mapping[str, Any]) -> None:
    return None


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two segments of camera 0 with two seconds between them, one of camera 1."""
    times = [t for t in steady(150) if not 1_000_000_000 < t - START_NS < 3_000_000_000]
    folder = tmp_path_factory.mktemp("matches") / "derby"
    return film_match(folder, World(two_cameras(320, 180)), times, steady(60))


def test_thumbnails_tell_which_part_of_the_sheet_belongs_to_which_time(match: Path) -> None:
    result = sprites.run({"folder": str(match)}, quiet, threading.Event())
    sheet = result["sheets"]["cam0"]
    lines = (match / sheet["vtt"]).read_text().splitlines()
    assert lines[0] == "WEBVTT"
    cues = [line for line in lines if "-->" in line]
    assert len(cues) == sheet["thumbs"] == 3
    assert cues[0].startswith("00:00:00.000 --> 00:00:0")
    assert cues[-1].endswith(f"00:00:0{(150 * PERIOD_NS) / 1e9:.3f}")
    assert "cam0_sprites.jpg#xywh=160,0,160,90" in lines
    assert (match / sheet["sheet"]).stat().st_size > 500
    assert (match / sheet["poster"]).exists()
