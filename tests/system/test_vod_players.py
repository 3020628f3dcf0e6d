"""A whole match over HLS in players: every frame, also after a jump over each boundary."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest

from support.frames import counters
from support.server import SMALL, Server, serving, wait_for
from support.watching import root

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MATCH = "derby"
GAP = 1
"""The camera whose worker was killed: its footage has a gap."""
KEYFRAME_INTERVAL_S = 1.2
"""The cameras' keyframe interval of one second, and some pictures more."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A match in segments of three seconds; one camera's worker is killed meanwhile."""
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, cameras={0: SMALL, GAP: SMALL}, segment_s=5) as running:
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


def test_ffmpeg_shows_every_frame_after_a_jump_over_each_boundary(
    server: Server, tmp_path: Path
) -> None:
    camera = GAP
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
@pytest.mark.parametrize("camera", [0, GAP])
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


def test_gstreamer_shows_every_frame(server: Server, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    command = ["gst-launch-1.0", "-q", "uridecodebin3", f"uri={url(server, GAP)}", "!"]
    command += ["videoconvert", "!", "x264enc", "speed-preset=1", "pass=qual", "quantizer=10", "!"]
    command += ["matroskamux", "!", "filesink", f"location={film}"]
    subprocess.run(command, check=True, timeout=120)
    assert counters(film) == recorded(server, GAP)


@pytest.mark.slow
def test_mpv_shows_every_frame_after_a_jump(server: Server, tmp_path: Path) -> None:
    if shutil.which("mpv") is None:
        pytest.skip("mpv is not installed")
    frames = recorded(server, GAP)
    for at in [0.0, *(b + 0.5 for b in boundaries(server, GAP))]:
        film = tmp_path / f"{at}.mkv"
        command = ["mpv", "--no-config", "--no-audio", f"--start={at}", f"--o={film}"]
        command += ["--ovc=libx264", "--ovcopts=preset=ultrafast,qp=10", url(server, GAP)]
        subprocess.run(command, check=True, timeout=60, capture_output=True)
        seen = counters(film)
        assert seen == frames[-len(seen) :]
        assert len(seen) >= len(frames) - (at + 1.1) * 30


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user may write to."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.mark.slow
def test_vlc_shows_every_frame_up_to_its_last_ones(server: Server, open_folder: Path) -> None:
    if shutil.which("cvlc") is None:
        pytest.skip("VLC is not installed")
    frames = recorded(server, GAP)
    for at in (0, round(boundaries(server, GAP)[-1])):
        film = open_folder / f"{at}.ts"
        as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        as_user += ["env", f"HOME={open_folder}"]  # VLC does not run as root
        sink = f"#std{{access=file,mux=ts,dst={film}}}"
        command = ["cvlc", "-q", "--no-audio", f"--start-time={at}", "--sout", sink]
        command = (as_user if os.geteuid() == 0 else []) + command
        subprocess.run(
            [*command, url(server, GAP), "vlc://quit"],
            check=True,
            timeout=90,
            capture_output=True,
            cwd=open_folder,
        )
        seen = counters(film)
        assert len(seen) >= len(frames) - (at + 1.1) * 30 - 10
        assert seen == frames[frames.index(seen[0]) :][: len(seen)]


def test_chromiums_own_player_plays_to_the_end_and_jumps(server: Server, chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(f"{root(server)}/api/v1/health")
    page.set_content("<!DOCTYPE html><video muted></video>")
    page.evaluate("url => { document.querySelector('video').src = url }", url(server, GAP))
    states = "(() => { const v = document.querySelector('video'); return "
    states += "[v.readyState, v.error?.message ?? null, v.duration] })()"
    ready = wait_for(lambda: (s := page.evaluate(states)) and (s[1] or s[0] >= 2) and s, "it", 20)
    assert ready[1] is None
    frames = len(recorded(server, GAP))
    assert ready[2] == pytest.approx(frames / 30, abs=1.5)
    for at in (*boundaries(server, GAP), ready[2] - 0.5):
        page.evaluate("at => { document.querySelector('video').currentTime = at }", at)
        seeking = "document.querySelector('video').seeking"
        wait_for(lambda: not page.evaluate(seeking), f"a jump to {at}", 20)  # noqa: B023
    page.evaluate("document.querySelector('video').play()")
    wait_for(lambda: page.evaluate("document.querySelector('video').ended"), "the end", 20)
    page.close()
