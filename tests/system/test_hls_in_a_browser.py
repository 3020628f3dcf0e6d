"""HLS as most people see it: hls.js in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.browser import HlsPage, browser
from support.frames import counters
from support.server import SMALL, Server, serving, wait_for


def origin(server: Server) -> str:
    return str(server.client.base_url).split("/api/")[0]


@pytest.mark.parametrize("low_latency", [True, False])
def test_hls_js_plays_a_camera_while_it_is_recorded(tmp_path: Path, *, low_latency: bool) -> None:
    with (
        serving(tmp_path, {0: SMALL}, preview_while_recording=True) as server,
        browser() as chromium,
    ):
        server.started("m1")
        assert server.client.post("/preview", json={"transport": "hls"}).json()["success"]
        page = HlsPage(chromium, origin(server), "cam0", low_latency=low_latency)
        shown = [frame["counter"] for frame in page.shows(60)]
        assert shown == sorted(shown)
        state = page.state()
        assert not any(error["fatal"] for error in state["errors"]), state
        assert (state["target"] < 3) is low_latency
        page.stop()
        stopped = server.stop()
        assert stopped["success"], stopped
        (dropped,) = [camera["dropped"] for camera in server.get("/cameras")["cameras"]]
        recorded = counters(*server.segments("m1", 0))
        # A browser that starts takes the processor from the simulated camera, which then skips.
        assert recorded[-1] - recorded[0] + 1 - len(recorded) <= dropped["source"]
        assert dropped["queue"] == 0


def test_a_page_that_stays_open_plays_on_after_the_preview_was_restarted(tmp_path: Path) -> None:
    with serving(tmp_path, {0: SMALL}) as server, browser() as chromium:
        server.client.post("/preview", json={"transport": "hls"})
        page = HlsPage(chromium, origin(server), "cam0", low_latency=True)
        page.shows(30)
        restarted = server.client.post("/preview/restart", json={"transport": "hls"})
        assert restarted.json()["success"]
        last = max(frame["counter"] or 0 for frame in page.frames())
        wait_for(
            lambda: any((frame["counter"] or 0) > last + 60 for frame in page.frames()),
            "playing on",
        )
