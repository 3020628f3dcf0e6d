from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from support.matches import PERIOD_NS, World, film_match, steady
from support.scenes import TwoCameras, two_cameras
from touchline.media.mp4 import scan as mp4scan
from touchline.studio.errors import StudioError
from touchline.studio.stitching.geometry import Canvas, canvas_for
from touchline.studio.verbs import calibrate, panorama


@pytest.fixture(scope="module")
def cameras() -> TwoCameras:
    return two_cameras(640, 360)


@pytest.fixture(scope="module")
def match(cameras: TwoCameras, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds; camera 1 is a little behind, loses two frames and half a second."""
    folder = tmp_path_factory.mktemp("matches") / "derby"
    second = steady(120, ppm=200, phase_ns=4_000_000)
    del second[60:75], second[30], second[20]
    return film_match(folder, World(cameras, gain1=0.85), steady(120), second)


def spec(match: Path, cameras: TwoCameras, **more: Any) -> dict[str, Any]:
    calibration = {"version": 3, "pair": cameras.pair.to_json()}
    return {"folder": str(match), "calibration": calibration, "preset": "ultrafast", **more}


def quiet(_: Mapping[str, Any]) -> None:
    return None


def balls(path: Path, canvas: Canvas) -> list[tuple[int, float]]:
    """When each picture was captured, and the column in which it shows the ball."""
    start_ns = mp4scan.scan(path, checksums=True).start_unix_ns or 0
    found = []
    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            luma = frame.to_ndarray(format="gray")
            bright = np.argwhere(luma[:, 40 : canvas.width - 40] > 215)
            at_ns = start_ns + int((frame.time or 0.0) * 1e9)
            found.append((at_ns, float(np.median(bright[:, 1])) + 40 if len(bright) else -1.0))
    return found


def test_a_match_becomes_one_wide_video_with_every_instant_at_its_time(
    match: Path, cameras: TwoCameras
) -> None:
    told: list[Mapping[str, Any]] = []
    record = panorama.run(spec(match, cameras), told.append, threading.Event())
    path = match / panorama.ARCHIVE
    scan = mp4scan.scan(path, checksums=True)
    assert scan.finalized
    assert scan.faults == ()
    assert (scan.width, scan.height) == (record["width"], record["height"])
    assert record["calibration_version"] == 3
    assert record["worst_pair_error_ms"] <= 16.7
    # Two lost frames are bridged; half a second of one camera is not.
    assert record["frames"] == scan.frames == 118
    assert 13 <= record["alone"] <= 15
    times = [at_ns for at_ns, _ in balls(path, canvas_for(cameras.pair))]
    wanted = steady(120)
    assert all(min(abs(t - w) for w in wanted) < 20_000 for t in times)
    assert told[-1] == {"done": 118, "total": 118}
    assert not list(match.glob(".panorama*"))


def test_the_ball_is_where_it_was_at_that_time(cameras: TwoCameras, tmp_path: Path) -> None:
    world = World(cameras)
    folder = film_match(tmp_path / "m", world, steady(60), steady(60))
    panorama.run(spec(folder, cameras), quiet, threading.Event())
    canvas = canvas_for(cameras.pair)
    for at_ns, column in balls(folder / panorama.ARCHIVE, canvas):
        if column > 0:
            x, _ = canvas.place(world.ball(at_ns)[None, :])[0]
            assert column == pytest.approx(x, abs=6)


def test_what_was_killed_goes_on_where_it_was(
    match: Path, cameras: TwoCameras, tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    (folder / "segments").mkdir(parents=True)
    for path in (match / "segments").iterdir():
        os.link(path, folder / "segments" / path.name)
    command = [sys.executable, "-m", "touchline.studio", "panorama", "--parent", str(os.getpid())]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(spec(folder, cameras)))
    process.stdin.close()
    partial = folder / ".panorama-3.partial.mp4"
    while process.poll() is None:
        if partial.exists() and mp4scan.scan(partial, checksums=False).frames > 0:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)  # it runs when nothing else does
    process.wait(20)
    process.stdout.close()
    assert partial.exists(), "it was quicker than the test; make the match longer"
    before = mp4scan.scan(partial, checksums=True).frames
    assert before > 0
    told: list[Mapping[str, Any]] = []
    record = panorama.run(spec(folder, cameras), told.append, threading.Event())
    assert told[0]["done"] > before
    assert record["frames"] == mp4scan.scan(folder / panorama.ARCHIVE, checksums=True).frames
    times = [at_ns for at_ns, _ in balls(folder / panorama.ARCHIVE, canvas_for(cameras.pair))]
    assert len(times) == record["frames"] == 118
    assert min(np.diff(times)) > PERIOD_NS * 0.9


def test_it_stops_when_it_is_asked_to_and_keeps_what_it_has(
    match: Path, cameras: TwoCameras
) -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(StudioError) as caught:
        panorama.run(spec(match, cameras), quiet, stopping)
    assert caught.value.code == "stopped"


def test_a_match_of_one_camera_says_so(cameras: TwoCameras, tmp_path: Path) -> None:
    folder = film_match(tmp_path / "m", World(cameras), steady(10), [])
    with pytest.raises(StudioError) as caught:
        panorama.run(spec(folder, cameras), quiet, threading.Event())
    assert caught.value.code == "no_footage"
    assert "Camera 1" in caught.value.message


def test_footage_of_another_shape_than_the_calibration_is_refused(
    match: Path, tmp_path: Path
) -> None:
    with pytest.raises(StudioError) as caught:
        panorama.run(spec(match, two_cameras(640, 480)), quiet, threading.Event())
    assert caught.value.code == "other_shape"


def test_a_recorded_match_is_enough_to_calibrate(
    match: Path, cameras: TwoCameras, tmp_path: Path
) -> None:
    asked = {"folder": str(match), "instants": 4, "keep": str(tmp_path)}
    result = calibrate.run(asked, quiet, threading.Event())
    assert result["quality"]["score"] > 0.6
    assert result["pairs"] == 4
    assert len(list(tmp_path.glob("*.png"))) == 8
    assert 20 < len(result["points"]) <= 600
    lens = result["pair"]["lens0"]
    assert (lens["width"], lens["height"]) == (640, 360)
    assert lens["focal_px"] == pytest.approx(cameras.pair.lens0.focal_px, rel=0.05)
