"""What is made of a match with files that cannot be used names them, with the reasons."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.matches import START_NS, World, film_match, steady
from support.scenes import two_cameras
from touchline.studio.errors import StudioError
from touchline.studio.verbs import archive, calibrate, panorama, reel, sprites

DAMAGED = {camera: f"{camera}_20251103_141500_07.mp4" for camera in ("cam0", "cam1", "cam2")}
STRETCH = [(START_NS, START_NS + 500_000_000)]

Verb = Callable[[Mapping[str, Any], Any, threading.Event], dict[str, Any]]
ARCHIVE = {"cameras": ["cam0", "cam1"], "preset": "ultrafast"}
REEL = {"camera": "cam0", "file": "reel.mp4", "stretches": STRETCH}


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matches") / "derby"
    return film_match(folder, World(two_cameras(320, 180)), steady(30), steady(30))


@pytest.fixture
def match(filmed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filmed, tmp_path / "derby"))


def damage(match: Path, *cameras: str) -> None:
    for camera in cameras:
        (match / "segments" / DAMAGED[camera]).write_bytes(bytes(5000))


def lose(match: Path, camera: str) -> None:
    for path in (match / "segments").glob(f"{camera}_*"):
        path.unlink()


def run(verb: Verb, match: Path, **spec: Any) -> dict[str, Any]:
    return verb({"folder": str(match), **spec}, lambda _: None, threading.Event())


@pytest.mark.parametrize(
    ("verb", "spec", "cameras"),
    [
        (archive.run, ARCHIVE, ("cam0", "cam1")),
        (panorama.run, {"preset": "ultrafast"}, ("cam0", "cam1")),
        (sprites.run, {}, ("cam0", "cam1", "cam2")),
        (reel.run, REEL, ("cam0",)),
    ],
)
def test_the_result_names_the_files_that_are_not_in_it(
    match: Path, verb: Verb, spec: Mapping[str, Any], cameras: tuple[str, ...]
) -> None:
    damage(match, "cam0", "cam1", "cam2")
    left_out = run(verb, match, **spec)["left_out"]
    assert sorted(left_out) == [DAMAGED[camera] for camera in cameras]
    assert all(name in why for name, why in left_out.items())


@pytest.mark.parametrize(
    ("verb", "spec"),
    [
        (archive.run, ARCHIVE),
        (panorama.run, {"preset": "ultrafast"}),
        (sprites.run, {}),
        (reel.run, REEL),
    ],
)
def test_where_all_files_are_used_none_is_named(
    match: Path, verb: Verb, spec: Mapping[str, Any]
) -> None:
    assert "left_out" not in run(verb, match, **spec)


@pytest.mark.parametrize(
    ("verb", "spec"),
    [(panorama.run, {}), (calibrate.run, {}), (archive.run, ARCHIVE)],
)
def test_a_camera_without_a_usable_file_is_refused_with_the_reasons(
    match: Path, verb: Verb, spec: Mapping[str, Any]
) -> None:
    lose(match, "cam1")
    damage(match, "cam1")
    with pytest.raises(StudioError, match=DAMAGED["cam1"]):
        run(verb, match, **spec)


@pytest.mark.parametrize("verb", [panorama.run, calibrate.run])
def test_a_camera_without_a_file_has_none(match: Path, verb: Verb) -> None:
    lose(match, "cam1")
    with pytest.raises(
        StudioError, match=r"has no footage in this match$|^Both cameras need footage"
    ):
        run(verb, match)


def test_a_match_without_a_usable_file_has_no_pictures_and_says_why(match: Path) -> None:
    for camera in ("cam0", "cam1"):
        lose(match, camera)
        damage(match, camera)
    with pytest.raises(StudioError, match=DAMAGED["cam0"]):
        run(sprites.run, match)


def test_a_camera_that_got_no_archive_does_not_hide_what_the_others_lack(match: Path) -> None:
    lose(match, "cam1")
    damage(match, "cam0", "cam1")
    with pytest.raises(StudioError) as failed:
        run(archive.run, match, **ARCHIVE)
    assert failed.value.code == "camera_without_archive"
    assert DAMAGED["cam0"] in failed.value.message
    assert DAMAGED["cam1"] in failed.value.message
