"""C10: WebRTC glass to glass: from a picture's capture to its presentation in a browser.

The picture carries a counter that runs with the clock. Beside it, at the same time on the same
camera, the same page on a plain aiortc server. `--minutes 30` shows that nothing grows.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import _options
import _webrtc_peer
from _browser import Watcher, browser
from _cameras import DESCRIPTION, FPS, Camera, cameras
from _report import Row, median, percentile, report, times
from _server import server

SETTLE_S = 3.0
LOOK_S = 5.0
GROWTH_MS = 20.0
"""What counts as none, beyond what grows for the peer too: that is the machine's load."""


def latencies_ms(frames: list[dict[str, Any]], counting_since_s: float) -> list[float]:
    """How old each picture was when it was presented."""
    unix_minus_monotonic_s = time.time() - time.monotonic()
    return [
        frame["at"] - (counting_since_s + unix_minus_monotonic_s + frame["counter"] / FPS) * 1e3
        for frame in frames
        if frame["counter"] is not None
    ]


def watch(watchers: list[tuple[Watcher, list[float]]], camera: Camera, minutes: float) -> None:
    """Let them watch side by side and take what each presented."""
    for watcher, _ in watchers:
        watcher.join()
    time.sleep(SETTLE_S)
    for watcher, _ in watchers:
        watcher.frames()
    until_s = time.monotonic() + 60 * minutes
    while time.monotonic() < until_s:
        time.sleep(LOOK_S)
        for watcher, taken in watchers:
            taken.extend(latencies_ms(watcher.frames(), camera.counting_since_s))
    for watcher, _ in watchers:
        watcher.leave()


def growth(taken: list[float]) -> float:
    """How much older pictures were at the end than at the beginning."""
    third = len(taken) // 3
    return median(taken[-third:]) - median(taken[:third])


def main() -> None:
    parser = _options.parser(__doc__)
    parser.add_size("minutes", 2.0, quick=0.05, what="how long")
    args = parser.parse_args()
    ours: list[float] = []
    theirs: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="touchline-bench-") as name,
        cameras(1) as [camera],
        server(Path(name), {0: camera.settings()}, preview={"stun_server": ""}) as touchline,
        _webrtc_peer.peer(camera.url) as peer_url,
        browser() as chromium,
    ):
        api = f"{touchline.url}/api/v1"
        watchers = [
            (Watcher(chromium, f"{api}/health", f"{api}/whep/cam0"), ours),
            (Watcher(chromium, peer_url, f"{peer_url}/whep"), theirs),
        ]
        watch(watchers, camera, args.minutes)
    growth_ms, peer_growth_ms = growth(ours), growth(theirs)
    p50, p95 = median(ours), percentile(ours, 95)
    peer = (
        f"{_webrtc_peer.DESCRIPTION}: p50 {median(theirs):.0f} ms,"
        f" p95 {percentile(theirs, 95):.0f} ms, growth {peer_growth_ms:+.0f} ms"
    )
    report(
        [
            Row(
                "C10",
                f"WebRTC: capture until presentation, {len(ours)} pictures in {args.minutes:g}"
                f" minutes, headless Chromium, {DESCRIPTION}",
                f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, growth {growth_ms:+.0f} ms",
                "p50 <= 40 ms, p95 <= 60 ms, no growth",
                p50 <= 40 and p95 <= 60 and growth_ms <= GROWTH_MS + max(0.0, peer_growth_ms),
                peer,
                times(p50, median(theirs)),
            )
        ]
    )


if __name__ == "__main__":
    main()
