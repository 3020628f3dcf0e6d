"""A poster shows something, of the first camera that has a picture."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from support.matches import START_NS, World, film_match, steady
from support.scenes import two_cameras
from touchline.studio.errors import StudioError
from touchline.studio.pictures.jpeg import POSTER_HEIGHT
from touchline.studio.verbs import poster

SECOND = 1_000_000_000


class DarkUntil(World):
    """A world in which the lens is covered until then."""

    def __init__(self, until_ns: int) -> None:
        super().__init__(two_cameras(320, 180))
        self._until_ns = until_ns

    def picture(self, camera: int, at_ns: int) -> Any:
        seen = super().picture(camera, at_ns)
        return np.full_like(seen, 16) if at_ns < self._until_ns else seen


def quiet(_: Mapping[str, Any]) -> None:
    return None


def made(folder: Path, *moments_ns: int) -> dict[str, Any]:
    spec = {"folder": str(folder), "moments_ns": list(moments_ns)}
    return poster.run(spec, quiet, threading.Event())


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of two cameras, dark in the first one and a half."""
    folder = tmp_path_factory.mktemp("matches") / "derby"
    world = DarkUntil(START_NS + 3 * SECOND // 2)
    return film_match(folder, world, steady(150), steady(150))


def test_a_poster_is_a_jpeg_of_a_moment_that_shows_something(match: Path) -> None:
    result = made(match)
    assert result["poster"] == "cam0_poster.jpg"
    assert result["at_ns"] - START_NS == pytest.approx(2.5 * SECOND, abs=SECOND)
    picture = cv2.imread(str(match / "cam0_poster.jpg"))
    assert picture is not None
    assert picture.shape[0] == POSTER_HEIGHT
    assert picture.std() > poster.CONTRAST


def test_a_marked_moment_comes_first_if_it_shows_something(match: Path) -> None:
    assert made(match, START_NS + 4 * SECOND)["at_ns"] == START_NS + 4 * SECOND
    dark, outside = START_NS + SECOND // 2, START_NS - SECOND
    assert made(match, outside, dark)["at_ns"] >= START_NS + 2 * SECOND


def test_where_everything_is_dark_the_poster_is_dark(tmp_path: Path) -> None:
    world = DarkUntil(START_NS + 3600 * SECOND)
    folder = film_match(tmp_path / "night", world, steady(30), [])
    assert made(folder)["poster"] == "cam0_poster.jpg"


def test_a_camera_without_a_usable_file_is_passed_over(tmp_path: Path) -> None:
    world = World(two_cameras(320, 180))
    folder = film_match(tmp_path / "m", world, [], steady(30))
    (folder / "segments" / "cam0_20260211_220241_00.mp4").write_bytes(b"not a video")
    assert made(folder)["poster"] == "cam1_poster.jpg"


@pytest.mark.parametrize("content", [None, b"", b"not a video"])
def test_a_match_without_a_picture_has_no_poster(tmp_path: Path, content: bytes | None) -> None:
    segments = tmp_path / "segments"
    segments.mkdir()
    if content is not None:
        (segments / "cam0_20260211_220241_00.mp4").write_bytes(content)
    with pytest.raises(StudioError) as raised:
        made(tmp_path)
    assert raised.value.code == "no_footage"
    assert raised.value.message
    assert list(tmp_path.glob("*.jpg")) == []


def test_it_can_be_stopped(match: Path) -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(StudioError) as raised:
        poster.run({"folder": str(match), "moments_ns": []}, quiet, stopping)
    assert raised.value.code == "stopped"


def test_a_folder_that_takes_no_file_is_told(match: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(poster, "write_jpeg", refuse)
    with pytest.raises(StudioError) as raised:
        made(match)
    assert raised.value.code == "not_written"
    assert "No space left" in raised.value.message
