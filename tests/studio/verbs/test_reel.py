from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from support.matches import PERIOD_NS, START_NS, World, film_match, steady
from support.scenes import two_cameras
from touchline.studio.errors import StudioError
from touchline.studio.verbs import reel

DAMAGED = "cam0_20251103_141500_07.mp4"
SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matches") / "derby"
    return film_match(folder, World(two_cameras(320, 180)), steady(90), [])


@pytest.fixture
def match(filmed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filmed, tmp_path / "derby"))


def made(
    match: Path, *stretches_s: tuple[float, float], told: list[Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """A reel of stretches that are counted from the start of the match."""
    stretches = [[START_NS + round(at_s * SECOND_NS) for at_s in each] for each in stretches_s]
    spec = {"folder": str(match), "camera": "cam0", "file": "reel.mp4", "stretches": stretches}
    return reel.run(spec, (told if told is not None else []).append, threading.Event())


def times_s(path: Path) -> list[float]:
    with av.open(str(path)) as file:
        return [float(frame.time or 0.0) for frame in file.decode(video=0)]


def test_stretches_follow_each_other_without_a_pause(match: Path) -> None:
    told: list[Mapping[str, Any]] = []
    result = made(match, (0.31, 0.81), (2.0, 2.5), told=told)
    shown = times_s(match / "reel.mp4")
    assert len(shown) == 30
    assert result == {"file": "reel.mp4", "stretches": 2, "duration_s": pytest.approx(1.0, abs=0.1)}
    steps = [b - a for a, b in pairwise(shown)]
    assert max(steps) < 2.5 * PERIOD_NS / SECOND_NS
    assert [each["done"] for each in told] == [1, 2]
    assert not list(match.glob(".*")), "nothing is left of the work"


def test_a_stretch_without_footage_is_left_out(match: Path) -> None:
    assert made(match, (0.5, 1.0), (60.0, 61.0))["stretches"] == 1


def test_a_reel_of_a_time_of_which_there_may_be_unusable_footage_says_why(match: Path) -> None:
    with pytest.raises(StudioError, match="has no footage at these times"):
        made(match, (60.0, 61.0))
    (match / "segments" / DAMAGED).write_bytes(bytes(5000))
    with pytest.raises(StudioError, match=DAMAGED):
        made(match, (60.0, 61.0))


def test_a_video_that_has_not_been_made_is_said(match: Path) -> None:
    spec = {"folder": str(match), "camera": "panorama", "file": "reel.mp4", "stretches": []}
    with pytest.raises(StudioError, match="panorama") as caught:
        reel.run(spec, lambda _: None, threading.Event())
    assert caught.value.code == "no_footage"


def test_it_can_be_stopped_and_leaves_nothing(match: Path) -> None:
    stopping = threading.Event()
    stopping.set()
    stretches = [[START_NS, START_NS + SECOND_NS]]
    spec = {"folder": str(match), "camera": "cam0", "file": "reel.mp4", "stretches": stretches}
    with pytest.raises(StudioError) as caught:
        reel.run(spec, lambda _: None, stopping)
    assert caught.value.code == "stopped"
    assert not (match / "reel.mp4").exists()
