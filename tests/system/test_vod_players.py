"""A whole match over HLS in players: every frame, also after a jump over each boundary."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest

from support.frames import counters
from support.players import FILMING, Timeline, VideoPage, Wanted
from support.rtsp import rtsp_camera
from support.server import SMALL, Server, serving, wait_for
from support.watching import root

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MATCH = "derby"
GAP = 1
"""The camera whose worker was killed: its footage has a gap."""
REORDERS = 2
"""The camera with B-frames."""
KEYFRAME_INTERVAL_S = 1.2
"""The cameras' keyframe interval of one second, and some pictures more."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A match in segments of three seconds; one camera's worker is killed meanwhile."""
    folder = tmp_path_factory.mktemp("server")
    with rtsp_camera(width=320, height=180, b_frames=2) as camera:
        reorders = {"kind": "rtsp", "url": camera.url}
        cameras = {0: SMALL, GAP: SMALL, REORDERS: reorders}
        yield from recorded_by(folder, cameras)


def recorded_by(folder: Path, cameras: dict[int, Any]) -> Iterator[Server]:
    with serving(folder, cameras=cameras, segment_s=5) as running:
        running.started(MATCH)
        time.sleep(6)
        os.kill(running.worker_pids()[GAP], signal.SIGKILL)
        wait_for(lambda: len(running.segments(MATCH, GAP)) >= 3, "a new worker", 20)
        time.sleep(4)
        assert running.stop()["success"]
        yield running


def url(server: Server, camera: int) -> str:
    return f"{root(server)}/api/v1/recordings/{MATCH}/vod/cam{camera}.m3u8"


def recorded(server: Server, camera: int) -> list[int]:
    return [n for path in server.segments(MATCH, camera) for n in counters(path)]


def durations(server: Server, camera: int) -> list[float]:
    """How long each media segment lasts, in seconds."""
    text = server.client.get(url(server, camera)).text
    return [float(line[8:-1]) for line in text.splitlines() if line.startswith("#EXTINF:")]


def boundaries(server: Server, camera: int) -> list[float]:
    """Where each media segment but the first begins, in seconds of the playlist."""
    return list(accumulate(durations(server, camera)))[:-1]


def jumps(server: Server, camera: int, *distances: float) -> list[float]:
    """Where to jump to around each boundary, as far as a keyframe follows there for certain."""
    end = sum(durations(server, camera)) - KEYFRAME_INTERVAL_S
    return [b + d for b in boundaries(server, camera) for d in distances if 0 < b + d < end]


def times(film: Path) -> list[float]:
    """When each picture of a film is shown, in seconds from its first one."""
    with av.open(str(film)) as opened:
        shown = sorted(float(frame.time or 0.0) for frame in opened.decode(video=0))
    return [at - shown[0] for at in shown]


@pytest.mark.parametrize("camera", [GAP, REORDERS])
def test_ffmpeg_shows_every_frame_after_a_jump_over_each_boundary(
    server: Server, tmp_path: Path, camera: int
) -> None:
    frames = recorded(server, camera)
    whole = tmp_path / "whole.ts"
    copy = ["-c", "copy", "-f", "mpegts"]
    command = ["ffmpeg", "-v", "error", "-y", "-i", url(server, camera), *copy, str(whole)]
    subprocess.run(command, check=True, timeout=60)
    assert counters(whole) == frames
    shown = times(whole)
    around = jumps(server, camera, -0.5, 0.5)
    assert around
    film = tmp_path / "film.ts"
    for at in around:
        command = ["ffmpeg", "-v", "error", "-y", "-ss", f"{at:.3f}", "-i", url(server, camera)]
        subprocess.run([*command, *copy, str(film)], check=True, timeout=60)
        seen = counters(film)
        assert seen == frames[-len(seen) :], f"after a jump to {at} s"
        # It begins with the segment or with the next keyframe.
        assert len(seen) >= sum(1 for t in shown if t >= at + KEYFRAME_INTERVAL_S)


@pytest.mark.parametrize("container", ["ts", "mp4"])
@pytest.mark.parametrize("camera", [0, GAP, REORDERS])
def test_a_current_libavformat_plays_both_containers(
    server: Server, camera: int, container: str
) -> None:
    frames = recorded(server, camera)
    with av.open(f"{url(server, camera)}?container={container}") as film:
        stream = film.streams.video[0]
        assert sum(1 for _ in film.decode(stream)) == len(frames)
        around = jumps(server, camera, 0.5)
        assert around
        for at in around:
            film.seek(int(at * 1e6))
            first = next(film.decode(stream))
            assert first.time is not None
            # Between the keyframe before the boundary and the one after the jump.
            earliest, latest = at - 0.5 - KEYFRAME_INTERVAL_S, at + KEYFRAME_INTERVAL_S
            assert earliest <= float(first.time) <= latest


@pytest.mark.parametrize("camera", [GAP, REORDERS])
def test_gstreamer_shows_every_frame(server: Server, tmp_path: Path, camera: int) -> None:
    film = FILMING["gstreamer"](Wanted(url(server, camera)), tmp_path)
    assert counters(film) == recorded(server, camera)


NOT_EVERY_LAST_ONE = {"vlc": 10}
"""VLC's copying output drops the last frames of what it plays."""


@pytest.mark.slow
@pytest.mark.parametrize("camera", [GAP, REORDERS])
@pytest.mark.parametrize("player", ["gstreamer", "mpv", "vlc"])
def test_a_player_shows_every_frame_after_a_jump_over_each_boundary(
    server: Server, tmp_path: Path, player: str, camera: int
) -> None:
    frames = recorded(server, camera)
    around = [0.0, *jumps(server, camera, 0.5)]
    assert len(around) >= 2
    for at in around:
        film = FILMING[player](Wanted(url(server, camera), at_s=at), tmp_path)
        seen = counters(film)
        begin = frames.index(seen[0])
        missing = NOT_EVERY_LAST_ONE.get(player, 0)
        whole = len(frames) - begin - missing
        assert seen[:whole] == frames[begin : begin + whole], f"after a jump to {at} s"
        # It begins there, with the keyframe before or with the next one.
        assert len(seen) >= len(frames) - (at + KEYFRAME_INTERVAL_S) * 30 - missing


@pytest.mark.parametrize("camera", [GAP, pytest.param(REORDERS, marks=pytest.mark.slow)])
def test_chromiums_own_player_plays_to_the_end_and_shows_what_it_jumps_to(
    server: Server, chromium: Browser, tmp_path: Path, camera: int
) -> None:
    timeline = Timeline(url(server, camera), tmp_path)
    page = VideoPage(chromium, root(server), "chromium", url(server, camera))
    length_s = page.ready()
    assert length_s == pytest.approx(sum(durations(server, camera)), abs=1.5)
    for at in (*jumps(server, camera, -0.5, 0.5), 0.1):
        page.jump(at, shows=timeline.around(at))
    page.play()
    page.until(lambda s: s["ended"], "ended")
    page.close()
