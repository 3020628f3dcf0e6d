"""The simulated pitch against its own truth: calibration, stitching and the cut that follows."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from support.pitches import empty_pitch, film_pitch, pitch_pair, place_of
from touchline.ipc.wire import SimulatedPicture
from touchline.media.picture import pitchplay
from touchline.media.picture.testpicture import TestPicture, read_counter
from touchline.studio.stitching.geometry import Pair, canvas_for
from touchline.studio.verbs import calibrate, follow, panorama
from touchline.worker.pipeline.pitchpicture import PitchPicture, drawn_picture

SIZE = (640, 360)
FPS = 10
SECONDS = 40.0
BEGIN_S = 100.0
QUICK: dict[str, Any] = {"preset": "ultrafast", "crf": 30, "threads": 2}


def quiet(_: Mapping[str, Any]) -> None:
    return None


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matches") / "derby"
    return film_pitch(folder, seconds=SECONDS, fps=FPS, size=SIZE, begin_s=BEGIN_S)


def test_both_cameras_see_one_world() -> None:
    pair = pitch_pair(*SIZE)
    views = [pitchplay.view(side, *SIZE) for side in ("left", "right")]
    seen_by_both = 0
    for x in range(-20, 21, 4):
        for y in range(-30, 31, 10):
            places = [view.project((float(x), float(y), 0.0)) for view in views]
            if places[0] is None or places[1] is None:
                continue
            inside = [0 <= p[0] < SIZE[0] and 0 <= p[1] < SIZE[1] for p in places if p]
            if all(inside):
                seen_by_both += 1
                there = pair.cam0_to_cam1(np.array([[places[0][:2]]]))[0, 0]
                assert np.abs(there - np.array(places[1][:2])).max() < 0.5
    assert seen_by_both > 10


def test_the_play_is_the_same_whoever_asks_and_stays_on_the_pitch() -> None:
    for seconds in np.arange(0, 300, 0.7):
        ball = pitchplay.ball_m(float(seconds))
        assert ball == pitchplay.ball_m(float(seconds))
        assert abs(ball[0]) <= pitchplay.LENGTH_M / 2 + 2
        assert abs(ball[1]) <= pitchplay.BREADTH_M / 2 + 2
        assert ball[2] > 0
        players = pitchplay.players_m(float(seconds))
        assert len(players) == pitchplay.PLAYERS + 1
        assert all(abs(x) <= 55 and abs(y) <= 36 for x, y in players)


def test_the_picture_has_its_counter_and_leaves_no_trail() -> None:
    pitch = empty_pitch("left", *SIZE)
    one = PitchPicture("L", *SIZE, 30, side="left", pitch=pitch)
    other = PitchPicture("L", *SIZE, 30, side="left", pitch=pitch)
    for index in range(5):
        one.frame(index * 40, 0.0)
    late = one.frame(900, 1.0)
    assert late == other.frame(900, 1.0)
    assert read_counter(late, *SIZE) == 900


def test_without_the_pitch_the_pattern_is_shown(tmp_path: Path) -> None:
    missing = SimulatedPicture("L", *SIZE, 30, 1, side="left", scene=str(tmp_path / "none"))
    assert type(drawn_picture(missing)) is TestPicture
    short = tmp_path / "short.i420"
    short.write_bytes(b"123")
    assert (
        type(drawn_picture(SimulatedPicture("L", *SIZE, 30, 1, "left", str(short)))) is TestPicture
    )


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


def test_the_cut_keeps_the_ball_in_view(match: Path) -> None:
    pair = pitch_pair(*SIZE)
    calibration = {"version": 1, "pair": pair.to_json()}
    spec: dict[str, Any] = {"folder": str(match), "calibration": calibration, **QUICK}
    panorama.run(spec, quiet, threading.Event())
    spec = {"folder": str(match), **QUICK}
    result = follow.run(spec, quiet, threading.Event())
    assert result["frames"] == int(SECONDS * FPS)
    canvas = canvas_for(pair)
    track = json.loads((match / follow.TRACK).read_text())
    window = canvas.height * 16 / 9
    inside, off = [], []
    for number, x in enumerate(track["x"]):
        at_s = number / track["rate_hz"]
        if at_s < 3:
            continue  # the first seconds teach it what does not move
        ball = place_of(canvas, pitchplay.ball_m(BEGIN_S + at_s), *SIZE)
        away = abs(x * canvas.width - ball)
        off.append(away / canvas.width)
        inside.append(away <= window / 2)
    assert np.mean(inside) >= 0.95
    assert np.mean(off) < 0.12
    moved = np.abs(np.diff(track["x"])) * track["rate_hz"]
    assert moved.max() <= 0.23
    with av.open(str(match / follow.FILE)) as file:
        frame = next(file.decode(video=0))
        assert (frame.width, frame.height) == (1920, 1080)


@pytest.mark.slow
def test_a_persons_keyframes_outrank_the_play(match: Path) -> None:
    if not (match / panorama.ARCHIVE).exists():
        pytest.skip("the panorama is made by the test before")
    keyframes = [{"at_s": 20.0, "x": 0.3}]
    spec = {"folder": str(match), **QUICK, "keyframes": keyframes}
    follow.run(spec, quiet, threading.Event())
    track = json.loads((match / follow.TRACK).read_text())
    assert track["x"][200] == pytest.approx(0.3, abs=0.06)
