"""C9: WebRTC in a browser, from the click to the first picture of a stream that runs already.

The camera makes a keyframe every four seconds and none on request, so a server that waits for one
needs two seconds on average. Beside it, in the same rounds, the same page on a plain aiortc server.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

import _options
import _webrtc_peer
from _browser import Watcher, browser
from _cameras import DESCRIPTION, cameras
from _report import Row, median, percentile, report, times
from _server import server

GOP_S = 4.0


def main() -> None:
    args = _options.parser(__doc__, rounds=50).parse_args()
    ours: list[float] = []
    theirs: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="touchline-bench-") as name,
        cameras(1, gop_s=GOP_S) as [camera],
        server(Path(name), {0: camera.settings()}, preview={"stun_server": ""}) as touchline,
        _webrtc_peer.peer(camera.url) as peer_url,
        browser() as chromium,
    ):
        touchline.request("POST", "/preview", {"transport": "hls"})  # it runs already
        api = f"{touchline.url}/api/v1"
        watchers = (
            (Watcher(chromium, f"{api}/health", f"{api}/whep/cam0"), ours),
            (Watcher(chromium, peer_url, f"{peer_url}/whep"), theirs),
        )
        for _ in range(args.rounds):
            for watcher, taken in watchers:
                time.sleep(random.uniform(0, GOP_S / 4))  # anywhere in the GOP
                taken.append(watcher.join())
                watcher.leave()
    p50, p95 = median(ours), percentile(ours, 95)
    peer = (
        f"{_webrtc_peer.DESCRIPTION}: p50 {median(theirs):.0f} ms,"
        f" p95 {percentile(theirs, 95):.0f} ms"
    )
    report(
        [
            Row(
                "C9",
                f"WebRTC: click until first picture, {len(ours)} joins, headless Chromium,"
                f" {DESCRIPTION}, {GOP_S:g} s GOP",
                f"p50 {p50:.0f} ms, p95 {p95:.0f} ms",
                "p50 <= 60 ms, p95 <= 100 ms",
                p50 <= 60 and p95 <= 100,
                peer,
                times(p50, median(theirs)),
            )
        ]
    )


if __name__ == "__main__":
    main()
