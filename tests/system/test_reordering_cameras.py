"""Cameras with B-frames, in the browser, over HLS and over RTSP: every picture, in order."""

from __future__ import annotations

import json
import statistics
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.sync_api import expect

from support.browser import HlsPage, Watching, browser
from support.dashboard import dashboard
from support.rtsp import rtsp_camera
from support.server import Server, serving, wait_for
from support.viewer import counter
from support.watching import root, shown
from touchline.ipc.wire import REORDERS, UNJOINABLE

PREVIEW = json.dumps({"stun_server": "", "rtsp": True, "rtsp_port": 0})
CAMERAS: dict[str, dict[str, Any]] = {
    "plain": {},
    "b-frames": {"b_frames": 2},
    "pyramid": {"b_frames": 3, "b_pyramid": True},
    "open-gop": {"b_frames": 2, "open_gop": True},
    "open-gop-pyramid": {"b_frames": 3, "b_pyramid": True, "open_gop": True},
}


def transcode(server: Server) -> dict[str, Any] | None:
    found: dict[str, Any] | None = server.get("/preview")["cameras"]["camera_0"]["transcode"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(CAMERAS))
def test_a_camera_is_smooth_by_each_way_that_shows_it(tmp_path: Path, kind: str) -> None:
    reorders = kind != "plain"
    with (
        rtsp_camera(width=320, height=180, **CAMERAS[kind]) as camera,
        serving(tmp_path, {0: {"kind": "rtsp", "url": camera.url}}, preview=PREVIEW) as server,
        browser() as chromium,
    ):
        watching = Watching(chromium, root(server), "main_cam0")
        seen = watching.shows("main_cam0", 90)[15:]  # a browser that has just started is slow
        steps = [b - a for a, b in pairwise(seen)]
        assert min(steps) >= 0, steps
        assert statistics.median(steps) == 1, steps
        # Most pictures: a transcode on a busy machine leaves some out, as it is meant to.
        assert seen[-1] - seen[0] + 1 - len(set(seen)) < 0.5 * len(seen), steps
        told = transcode(server)
        assert (told is not None) is reorders
        if told is not None:
            assert (told["state"], told["viewers"], told["error"]) == ("running", 1, None)
            assert told["reason"] == (UNJOINABLE if kind == "open-gop-pyramid" else REORDERS)

        _over_rtsp(server)

        shown(server, transport="hls")
        page = HlsPage(chromium, root(server), "cam0", low_latency=True)
        steps = [b["counter"] - a["counter"] for a, b in pairwise(page.shows(60))]
        assert min(steps) >= 0, steps
        assert statistics.median(steps) == 1, steps
        if (told := transcode(server)) is not None:
            assert told["over_hls"] is (kind == "open-gop-pyramid")
        assert not any(error["fatal"] for error in page.state()["errors"]), page.state()
        page.stop()
        watching.stop()
        server.client.delete("/preview").raise_for_status()
        if reorders:
            wait_for(lambda: (transcode(server) or {"state": ""})["state"] == "idle", "idle", 20)


@pytest.mark.slow
def test_a_recording_that_the_browser_cannot_decode_is_said_to_be_one(tmp_path: Path) -> None:
    kind = CAMERAS["open-gop-pyramid"]
    with (
        rtsp_camera(width=320, height=180, **kind) as camera,
        serving(tmp_path, {0: {"kind": "rtsp", "url": camera.url}}) as server,
        browser() as chromium,
        dashboard(chromium, root(server)) as board,
    ):
        server.started("derby")
        wait_for(lambda: server.get("/recording")["duration"] > 12, "some footage")
        assert server.stop()["success"]
        page = board.go("/matches/derby")
        page.get_by_role("button", name="Play", exact=True).click()
        told = page.get_by_role("alert").filter(has_text="cannot be played")
        expect(told).to_contain_text("decoder gives up", timeout=40_000)


def _over_rtsp(server: Server) -> None:
    """The camera's own frames, shown and decoded at even times."""
    url = f"rtsp://127.0.0.1:{server.get('/preview')['rtsp_port']}/cam0"
    seen: list[int | None] = []
    times: list[float | None] = []
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=20) as film:
        for frame in islice(film.decode(video=0), 60):
            seen.append(counter(frame))
            times.append(frame.time)
    assert seen == list(range(seen[0] or 0, (seen[0] or 0) + 60))
    known = [float(at) for at in times if at is not None]
    assert len(known) >= 58  # libavformat may not know the first one
    assert all(0.02 < b - a < 0.06 for a, b in pairwise(known[1:])), known
