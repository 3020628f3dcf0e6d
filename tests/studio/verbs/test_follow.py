"""The cut that follows the play, against the truth of the simulated pitch."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from support.pitches import SHORT, pitch_pair, place_of, short_pitch
from touchline.media.picture import pitchplay
from touchline.studio.stitching.geometry import canvas_for
from touchline.studio.verbs import follow, panorama

SIZE, FPS, SECONDS, BEGIN_S = SHORT.size, SHORT.fps, SHORT.seconds, SHORT.begin_s
QUICK: dict[str, Any] = {"preset": "ultrafast", "crf": 30, "threads": 2}


def quiet(_: Mapping[str, Any]) -> None:
    return None


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matches") / "derby"
    return short_pitch(folder)


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
