"""Every player with every kind of media; docs/players.md has what these tests have seen."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import av
import pytest
from playwright.sync_api import Browser

from support.frames import counters
from support.players import BROWSING, FILMING, Timeline, VideoPage, Wanted
from support.server import SMALL, Server, serving, wait_for
from support.watching import root, shown

pytestmark = pytest.mark.slow

MATCH, RUNNING = "derby", "running"
GAP = 1
"""The camera whose worker was killed: its first segment was salvaged."""
PREVIEW = json.dumps({"stun_server": "", "rtsp": True, "rtsp_port": 0})
FILES = ("finished segment", "salvaged segment", "archive", "clip", "panorama")
STREAMS = ("live HLS", "running match")
TRIES = {("chromium", "live HLS"): 3}
"""Chromium's own player gives up one of some twenty live playlists, FFmpeg's own as well."""
NOT_EVERY_LAST_ONE = {"vlc": 10, "gstreamer": 0, "ffmpeg": 0, "mpv": 0}
"""VLC's copying output drops the last frames of what it plays."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A match with a salvaged segment, all that is made of it, and a running one."""
    folder = tmp_path_factory.mktemp("server")
    options = {"preview": PREVIEW, "preview_while_recording": True, "segment_s": 5}
    with serving(folder, cameras={0: SMALL, GAP: SMALL}, **options) as running:
        running.started(MATCH)
        time.sleep(4)
        os.kill(running.worker_pids()[GAP], signal.SIGKILL)
        wait_for(lambda: len(running.segments(MATCH, GAP)) >= 2, "a new worker", 20)
        time.sleep(4)
        assert running.stop()["success"]
        steps = {"steps": ["archive", "panorama"]}
        running.client.post(f"/recordings/{MATCH}/process", json=steps).raise_for_status()
        done = f"/recordings/{MATCH}/processing-status"
        wait_for(lambda: running.get(done).get("completed"), "made of the match", 120)
        running.started(RUNNING)
        shown(running, transport="hls")
        # Whichever test comes first: players take no playlist without media.
        listed = f"/recordings/{RUNNING}/vod/cam0.m3u8"
        wait_for(lambda: running.client.get(listed).text.count("#EXTINF:") >= 3, "listed")
        yield running


def url(server: Server, kind: str) -> str:
    match = f"{root(server)}/api/v1/recordings/{MATCH}"
    rtsp = server.get("/preview")["rtsp_port"]
    return {
        "finished segment": f"{match}/segments/{server.segments(MATCH, 0)[0].name}",
        "salvaged segment": f"{match}/segments/{server.segments(MATCH, GAP)[0].name}",
        "archive": f"{match}/files/cam0_archive.mp4",
        "panorama": f"{match}/files/panorama_archive.mp4",
        "clip": f"{match}/clip?camera=cam0&start=1&end=4",
        "live HLS": f"{root(server)}/hls/cam0.m3u8",
        "running match": f"{root(server)}/api/v1/recordings/{RUNNING}/vod/cam0.m3u8",
        "RTSP": f"rtsp://127.0.0.1:{rtsp}/cam0",
    }[kind]


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("player", list(FILMING))
def test_a_player_shows_every_frame_of_a_file(
    server: Server, tmp_path: Path, player: str, kind: str
) -> None:
    where = url(server, kind)
    whole = tmp_path / "whole.mp4"
    whole.write_bytes(server.client.get(where).content)
    film = FILMING[player](Wanted(where), tmp_path)
    missing = NOT_EVERY_LAST_ONE[player]
    if kind == "panorama":  # two pictures side by side have no readable counter
        assert _counted(film) >= _counted(whole) - missing
        return
    expected = counters(whole)
    seen = counters(film)
    assert seen == expected[: len(seen)]
    assert len(seen) >= len(expected) - missing


@pytest.mark.parametrize("player", list(FILMING))
def test_a_player_shows_what_is_there_of_a_segment_that_is_being_written(
    server: Server, tmp_path: Path, player: str
) -> None:
    match = f"{root(server)}/api/v1/recordings/{RUNNING}"
    where = f"{match}/segments/{server.segments(RUNNING, 0)[-1].name}"
    begun = tmp_path / "begun.mp4"

    def written() -> bool:
        begun.write_bytes(server.client.get(where).content)
        try:
            return _counted(begun) >= 45
        except av.FFmpegError:  # nothing but the beginning of its header
            return False

    wait_for(written, "a second and a half written", 10)
    expected = counters(begun)
    seen = counters(FILMING[player](Wanted(where), tmp_path))
    assert len(seen) >= len(expected) - NOT_EVERY_LAST_ONE[player]
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert seen[0] == expected[0]


def _counted(film: Path) -> int:
    with av.open(str(film)) as opened:
        return sum(1 for _ in opened.decode(video=0))


@pytest.mark.parametrize("kind", [*STREAMS, "RTSP"])
@pytest.mark.parametrize("player", list(FILMING))
def test_a_player_shows_a_stream_without_a_gap(
    server: Server, tmp_path: Path, player: str, kind: str
) -> None:
    film = FILMING[player](Wanted(url(server, kind), seconds=3), tmp_path)
    seen = counters(film, most=3 * 30)  # GStreamer adds what it was in the middle of at its end
    assert len(seen) >= 45
    steps = [b - a for a, b in pairwise(seen)]
    assert min(steps) >= 0, steps
    assert seen[-1] - seen[0] + 1 - len(set(seen)) <= 3, steps


@pytest.mark.parametrize("kind", FILES)
def test_chromium_plays_a_file_and_jumps_in_it(
    server: Server, chromium: Browser, kind: str
) -> None:
    page = VideoPage(chromium, root(server), "chromium", url(server, kind))
    length_s = page.ready()
    for part in (0.5, 0.1, 0.9):
        page.jump(part * length_s)
    page.play()
    page.until(lambda s: s["ended"], "ended")
    page.close()


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("player", BROWSING)
def test_a_page_plays_a_stream_in_order(
    server: Server, chromium: Browser, player: str, kind: str
) -> None:
    for _ in range(TRIES.get((player, kind), 1)):
        page = VideoPage(chromium, root(server), player, url(server, kind), plays=True)
        over = wait_for(partial(_shown_or_given_up, page), "shown or given up", 40)
        if over == "shown":
            break
        page.close()
    assert over == "shown"
    steps = [b - a for a, b in pairwise(page.counters())]
    assert min(steps) >= 0, steps
    page.close()


def _shown_or_given_up(page: VideoPage) -> str | None:
    error = page.state()["error"]
    if error is not None:
        return str(error)
    return "shown" if len(page.counters()) >= 45 else None


@pytest.mark.parametrize("player", BROWSING)
def test_a_page_plays_a_match_and_jumps_over_each_boundary(
    server: Server, chromium: Browser, tmp_path: Path, player: str
) -> None:
    where = f"{root(server)}/api/v1/recordings/{MATCH}/vod/cam{GAP}.m3u8"
    timeline = Timeline(where, tmp_path)
    text = server.client.get(where).text
    lengths = [float(line[8:-1]) for line in text.splitlines() if line.startswith("#EXTINF:")]
    assert len(lengths) >= 2
    page = VideoPage(chromium, root(server), player, where)
    assert page.ready() == pytest.approx(sum(lengths), abs=1.5)
    at_s = 0.0
    for length_s in lengths[:-1]:
        at_s += length_s
        for distance_s in (-0.3, 0.3):
            page.jump(at_s + distance_s, shows=timeline.around(at_s + distance_s))
    page.play()
    page.until(lambda s: s["ended"], "ended")
    page.close()
