"""C11: HLS latency in hls.js: from a picture's capture to its presentation in a browser.

The picture carries a counter that runs with the clock. Low-latency and plain players of ours and a
player of ffmpeg's HLS take turns on the same camera, each with a page of its own. All catch up
with 1.5 times the speed when they are behind.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _options
from _browser import browser
from _cameras import DESCRIPTION, FPS, cameras
from _hls import DESCRIPTION as PEER
from _hls import HlsWatcher, ffmpeg_hls
from _report import Row, median, percentile, report, times
from _server import server

SETTLE_S = 8.0
"""A player's first pictures are those it starts with, not those it keeps up with."""


def latencies_ms(frames: list[dict[str, Any]], counting_since_s: float) -> list[float]:
    """How old each picture was when it was presented."""
    unix_minus_monotonic_s = time.time() - time.monotonic()
    return [
        frame["at"] - (counting_since_s + unix_minus_monotonic_s + frame["counter"] / FPS) * 1e3
        for frame in frames
        if frame["counter"] is not None
    ]


def watched(
    make: Callable[[], HlsWatcher], since_s: float, settle_s: float, seconds: float
) -> list[float]:
    """The latencies of one player over that long."""
    watcher = make()
    try:
        time.sleep(settle_s)
        watcher.frames()
        time.sleep(seconds)
        return latencies_ms(watcher.frames(), since_s)
    finally:
        watcher.leave()


def main() -> None:
    parser = _options.parser(__doc__)
    parser.add_size("seconds", 10.0, quick=1.0, what="of each turn")
    parser.add_size("settle-s", SETTLE_S, quick=2.0, what="of each turn before it counts")
    args = parser.parse_args()
    taken: dict[str, list[float]] = {"low": [], "plain": [], "peer": []}
    with (
        tempfile.TemporaryDirectory(prefix="touchline-bench-") as name,
        cameras(1) as [camera],
        server(Path(name), {0: camera.settings()}) as touchline,
        ffmpeg_hls(camera.url, Path(name)) as (peer_url, peer_playlist),
        browser() as chromium,
    ):
        touchline.request("POST", "/preview", {"transport": "hls"})
        ours, playlist = f"{touchline.url}/api/v1/health", "/hls/cam0.m3u8"
        makes: dict[str, Callable[[], HlsWatcher]] = {
            "low": lambda: HlsWatcher(chromium, ours, playlist, low=True),
            "plain": lambda: HlsWatcher(chromium, ours, playlist, low=False),
            "peer": lambda: HlsWatcher(chromium, f"{peer_url}/", peer_playlist, low=False),
        }
        for _ in range(args.rounds):
            for kind, make in makes.items():
                taken[kind] += watched(make, camera.counting_since_s, args.settle_s, args.seconds)
    peer_p50, peer_p95 = median(taken["peer"]), percentile(taken["peer"], 95)
    peer = f"{PEER}: p50 {peer_p50 / 1e3:.2f} s, p95 {peer_p95 / 1e3:.2f} s"
    rows = []
    for kind, what, goal_ms in (("low", "low-latency", 900), ("plain", "plain", 3000)):
        p50, p95 = median(taken[kind]), percentile(taken[kind], 95)
        rows.append(
            Row(
                "C11",
                f"HLS, {what}: capture until presentation, {len(taken[kind])} pictures, hls.js in"
                f" headless Chromium, {DESCRIPTION}",
                f"p50 {p50 / 1e3:.2f} s, p95 {p95 / 1e3:.2f} s",
                f"p95 <= {goal_ms / 1e3:g} s",
                p95 <= goal_ms,
                peer,
                times(p50, peer_p50),
            )
        )
    report(rows)


if __name__ == "__main__":
    main()
