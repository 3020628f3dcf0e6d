"""C12: viewers on a recording: 4 over WebRTC, 4 over HLS, and one that hangs, cost it no frame.

Every viewer reads both cameras' live streams while they are recorded; one HLS player is stopped by
a signal in the middle and never reads again. The recorded counters are read back.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import _options
import _processes
from _browser import Watcher, browser
from _cameras import DESCRIPTION, cameras
from _footage import counters, missing
from _hls import copying_player
from _report import Row, median, report
from _server import server

WEBRTC_VIEWERS, HLS_VIEWERS = 4, 4


def main() -> None:
    parser = _options.parser(__doc__, rounds=1)
    parser.add_size("seconds", 30.0, quick=3.0, what="of watching")
    args = parser.parse_args()
    absent, left_out, recorded, alive, shown = 0, 0, 0, [], []
    with (
        tempfile.TemporaryDirectory(prefix="touchline-bench-") as name,
        cameras(2) as made,
        server(
            Path(name),
            {n: camera.settings() for n, camera in enumerate(made)},
            preview_while_recording=True,
            preview={"stun_server": ""},
        ) as touchline,
        browser() as chromium,
    ):
        for number in range(args.rounds):
            before = sum(touchline.left_out_by_camera())
            match = f"viewers{number}"
            touchline.record(match)
            touchline.request("POST", "/preview", {"transport": "hls"})
            with ExitStack() as stack:
                time.sleep(2)
                players = [
                    stack.enter_context(
                        _processes.running(copying_player(f"{touchline.url}/hls/cam{n % 2}.m3u8"))
                    )
                    for n in range(HLS_VIEWERS)
                ]
                api = f"{touchline.url}/api/v1"
                watchers = [
                    Watcher(chromium, f"{api}/health", f"{api}/whep/cam{n % 2}")
                    for n in range(WEBRTC_VIEWERS)
                ]
                for watcher in watchers:
                    watcher.join()
                time.sleep(args.seconds / 2)
                os.kill(players[0].pid, signal.SIGSTOP)
                for watcher in watchers:
                    watcher.frames()
                began_s = time.monotonic()
                time.sleep(args.seconds / 2)
                took_s = time.monotonic() - began_s
                shown += [len(watcher.frames()) / took_s for watcher in watchers]
                alive += [p.poll() is None for p in players]
                for watcher in watchers:
                    watcher.leave()
            touchline.end_recording()
            left_out += sum(touchline.left_out_by_camera()) - before
            for camera in (0, 1):
                found = [c for path in touchline.segments(match, camera) for c in counters(path)]
                recorded += len(found)
                absent += missing(found)
    # What a simulated camera had no processor time to draw never came to be recorded.
    lost = max(0, absent - left_out)
    report(
        [
            Row(
                "C12",
                f"viewers on a recording of 2 {DESCRIPTION}: {WEBRTC_VIEWERS} WebRTC in headless"
                f" Chromium, {HLS_VIEWERS} HLS, one of them frozen",
                f"{lost} of {recorded} frames lost ({absent} missing, {left_out} never sent by the"
                f" cameras), viewers see {median(shown):.1f} frames a second",
                "0 recorded frames lost",
                lost == 0 and all(alive),
                "the earlier system: one viewer, none while recording",
            )
        ]
    )


if __name__ == "__main__":
    main()
