"""Whatever is made of footage shows its colours: same description, same brightness."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from support import readers
from support.matches import START_NS, World, film_match, steady
from support.scenes import two_cameras
from touchline.media.h264.colour import colour_box, colour_of
from touchline.media.h264.syntax import Colour
from touchline.media.mp4 import scan
from touchline.studio.pictures.planes import planes_of
from touchline.studio.verbs import archive, follow, panorama, reel

BT709 = Colour(1, 1, 1, full_range=False)
BT709_FULL = Colour(1, 1, 1, full_range=True)
BT601 = Colour(6, 6, 6, full_range=False)

TOLD: dict[Colour | None, tuple[str | None, ...]] = {
    BT709: ("tv", "bt709", "bt709", "bt709"),
    BT709_FULL: ("pc", "bt709", "bt709", "bt709"),
    BT601: ("tv", "smpte170m", "smpte170m", "smpte170m"),
    None: (None, None, None, None),
}


def quiet(_: Mapping[str, Any]) -> None:
    return None


@pytest.fixture(scope="module", params=list(TOLD), ids=["bt709", "full", "bt601", "none"])
def filmed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Colour | None, Path]:
    return request.param, film(tmp_path_factory.mktemp("matches") / "derby", request.param)


def film(folder: Path, colour: Colour | None) -> Path:
    world = World(two_cameras(320, 180))
    return film_match(folder, world, steady(45), steady(45), colour=colour)


def told(path: Path) -> set[tuple[str | None, ...]]:
    """The colours that ffprobe finds in a file: of the stream and of each picture."""
    keys = ("color_range", "color_space", "color_transfer", "color_primaries")
    found = json.loads(
        subprocess.run(
            ["ffprobe", "-v", "error", "-show_streams", "-show_frames", "-of", "json", str(path)],
            capture_output=True, check=True,
        ).stdout
    )  # fmt: skip
    each = [*found["streams"], *found["frames"]]
    named = {
        tuple(None if one.get(key) in {None, "unknown"} else one[key] for key in keys)
        for one in each
    }
    if len(named) == 2:  # a stream without a description is said to be limited by its pictures
        named.discard(("tv", None, None, None))
    return named


def brightness(path: Path) -> list[float]:
    with av.open(str(path)) as file:
        return [float(planes_of(frame).y.mean()) for frame in file.decode(video=0)]


def segment(folder: Path) -> Path:
    return folder / "segments" / "cam0_20260211_220241_00.mp4"


def test_a_segment_tells_its_colours_in_its_own_boxes(
    filmed: tuple[Colour | None, Path],
) -> None:
    colour, folder = filmed
    path = segment(folder)
    assert told(path) == {TOLD[colour]}
    codec = scan.codec_of(path)
    assert colour_of(codec.avcc) == colour
    box = colour_box(codec.avcc)
    assert path.read_bytes().count(box) == (2 if box else path.stat().st_size + 1)
    # A player that only looks at the container: nothing is decoded.
    with av.open(str(path)) as file:
        context = file.streams.video[0].codec_context
        expected = (colour.primaries, colour.matrix) if colour is not None else (2, 2)
        assert (context.color_primaries, context.colorspace) == expected


def reel_of(folder: Path) -> Path:
    """Two stretches that begin between keyframes: parts of them are coded anew."""
    seconds = [(0.31, 0.62), (0.5, 1.4)]
    stretches = [[START_NS + int(at_s * 1e9) for at_s in each] for each in seconds]
    spec = {"folder": str(folder), "camera": "cam0", "file": "reel.mp4", "stretches": stretches}
    reel.run(spec, quiet, threading.Event())
    return folder / "reel.mp4"


def archive_of(folder: Path, profile: str) -> Path:
    spec = {"folder": str(folder), "cameras": ["cam0"], "profile": profile, "height": 90}
    archive.run({**spec, "crf": 20, "preset": "ultrafast"}, quiet, threading.Event())
    return folder / "cam0_archive.mp4"


def test_what_is_made_of_footage_keeps_its_colours(
    filmed: tuple[Colour | None, Path],
) -> None:
    colour, folder = filmed
    recorded = np.mean(brightness(segment(folder)))
    for made in (reel_of(folder), archive_of(folder, "copy"), archive_of(folder, "compact")):
        assert told(made) == {TOLD[colour]}, made.name
        assert np.mean(brightness(made)) == pytest.approx(recorded, abs=2), made.name


def test_panorama_and_following_cut_keep_the_colours_of_camera_0(tmp_path: Path) -> None:
    folder = film(tmp_path / "derby", BT709_FULL)
    panorama.run({"folder": str(folder), "preset": "ultrafast"}, quiet, threading.Event())
    assert told(folder / panorama.ARCHIVE) == {TOLD[BT709_FULL]}
    both = np.mean(brightness(folder / panorama.ARCHIVE))
    assert both == pytest.approx(np.mean(brightness(segment(folder))), abs=6)
    follow.run({"folder": str(folder), "preset": "ultrafast", "crf": 35}, quiet, threading.Event())
    assert told(folder / follow.FILE) == {TOLD[BT709_FULL]}
    cut = readers.both(folder / follow.FILE)
    assert (cut.colour, cut.samples[0].keyframe) == ((1, 1, 1, True), True)
    assert len(cut.samples) == len(readers.both(folder / panorama.ARCHIVE).samples)


def test_a_camera_of_another_range_is_shown_in_that_of_camera_0(tmp_path: Path) -> None:
    folder = film(tmp_path / "derby", BT709)
    other = film(tmp_path / "other", BT709_FULL)
    name = "cam1_20260211_220241_00.mp4"
    limited = np.mean(brightness(folder / "segments" / name))
    (folder / "segments" / name).unlink()
    (other / "segments" / name).rename(folder / "segments" / name)
    panorama.run({"folder": str(folder), "preset": "ultrafast"}, quiet, threading.Event())
    with av.open(str(folder / panorama.ARCHIVE)) as file:
        right = planes_of(next(file.decode(video=0))).y[:, 320:].mean()
    # 0 to 255 became 16 to 235: the same picture, not a darker one.
    assert right == pytest.approx(16 + limited * 219 / 255, abs=3)
