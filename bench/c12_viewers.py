"""C12: fifty viewers over WebRTC and fifty over HLS cost a recording no frame.

Two cameras of 2 Mbit/s are recorded while everybody watches them live. One HLS player is stopped
by a signal in the middle and never reads again. The recorded counters are read back, and the live
process' time on a processor is set against what it sent over WebRTC.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import _options
import _processes
from _browser import Watcher, browser
from _cameras import FPS, Camera
from _crowd import crowd
from _footage import counters, missing
from _hls import copying_player
from _report import Row, median, report
from _server import Server, server

WIDTH, HEIGHT, BITRATE_KBPS, GOP_S = 1280, 720, 5000, 0.2
"""So many keyframes make two megabits a second of the simulated pictures."""
DESCRIBED = f"simulated RTSP cameras {WIDTH}x{HEIGHT} at {FPS}/s, 2 Mbit/s"
SETTLE_S = 3.0


@dataclass
class Watched:
    """What a recording under viewers came to."""

    left_out: int = 0
    absent: int = 0
    recorded: int = 0
    alive: list[bool] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    sent_mbit_s: list[float] = field(default_factory=list)
    lost_packets: int = 0
    packets: int = 0
    live_share: list[float] = field(default_factory=list)


@contextmanager
def cameras() -> Iterator[list[Camera]]:
    """Two cameras of the goal's rate, which the load of this machine does not slow down."""
    made = [Camera(width=WIDTH, height=HEIGHT, bitrate=BITRATE_KBPS, gop_s=GOP_S) for _ in range(2)]
    try:
        for camera in made:
            camera.start(first=True)
        yield made
    finally:
        for camera in made:
            camera.kill()


def watch(touchline: Server, stack: ExitStack, args: object, found: Watched) -> None:
    """Everybody joins, one HLS player hangs, everybody else goes on."""
    webrtc, hls, seconds = (getattr(args, name) for name in ("webrtc", "hls", "seconds"))
    players = [
        stack.enter_context(
            _processes.running(copying_player(f"{touchline.url}/hls/cam{number % 2}.m3u8"))
        )
        for number in range(hls)
    ]
    chromium = stack.enter_context(browser())
    api = f"{touchline.url}/api/v1"
    watcher = Watcher(chromium, f"{api}/health", f"{api}/whep/cam0")
    watcher.join()
    addresses = [f"{api}/whep/cam{number % 2}" for number in range(webrtc - 1)]
    joined = stack.enter_context(crowd(addresses, seconds))
    os.kill(players[0].pid, signal.SIGSTOP)
    watcher.frames()
    before_s, began_s = _processes.cpu_s(touchline.helpers()), time.monotonic()
    received = joined.received()
    took_s = time.monotonic() - began_s
    used_s = _processes.cpu_s(touchline.helpers()) - before_s
    found.shown.append(len(watcher.frames()) / took_s)
    found.alive += [player.poll() is None for player in players]
    found.sent_mbit_s.append(received.mbit_a_second)
    found.live_share.append(used_s / took_s)
    found.packets += received.packets
    found.lost_packets += received.lost
    watcher.leave()


def rows(found: Watched, args: object) -> list[Row]:
    webrtc, hls = getattr(args, "webrtc"), getattr(args, "hls")  # noqa: B009
    # What a simulated camera had no processor time to draw never came to be recorded.
    lost = max(0, found.absent - found.left_out)
    per_core = median(found.sent_mbit_s) / max(median(found.live_share), 0.001)
    viewers = f"{webrtc} WebRTC (one of them headless Chromium) and {hls} HLS viewers (ffmpeg)"
    return [
        Row(
            "C12",
            f"{viewers}, one of them frozen, on a recording of 2 {DESCRIBED}: recorded frames lost",
            f"{lost} of {found.recorded} ({found.absent} missing, {found.left_out} never sent by"
            f" the cameras); Chromium sees {median(found.shown):.1f} frames a second",
            "0",
            lost == 0 and all(found.alive),
            "the earlier system: one viewer, none while recording",
        ),
        Row(
            "C12",
            "WebRTC that one core of the live process sends, HLS for the others included",
            f"{per_core:.0f} Mbit/s ({median(found.sent_mbit_s):.0f} Mbit/s at"
            f" {median(found.live_share):.0%} of a core; {found.lost_packets} of"
            f" {found.packets} packets lost)",
            ">= 100 Mbit/s",
            per_core >= 100,
        ),
    ]


def main() -> None:
    parser = _options.parser(__doc__, rounds=1)
    parser.add_size("seconds", 30.0, quick=3.0, what="of watching")
    parser.add_size("webrtc", 50, quick=3, what="viewers over WebRTC")
    parser.add_size("hls", 50, quick=2, what="viewers over HLS")
    args = parser.parse_args()
    found = Watched()
    with (
        tempfile.TemporaryDirectory(prefix="touchline-bench-") as name,
        cameras() as made,
        server(
            Path(name),
            {n: camera.settings() for n, camera in enumerate(made)},
            preview_while_recording=True,
            preview={"stun_server": ""},
        ) as touchline,
    ):
        for number in range(args.rounds):
            before = sum(touchline.left_out_by_camera())
            match = f"viewers{number}"
            touchline.record(match)
            touchline.request("POST", "/preview", {"transport": "hls"})
            time.sleep(SETTLE_S)
            with ExitStack() as stack:
                watch(touchline, stack, args, found)
            touchline.end_recording(strict=False)
            found.left_out += sum(touchline.left_out_by_camera()) - before
            for camera in (0, 1):
                numbers = [c for path in touchline.segments(match, camera) for c in counters(path)]
                found.recorded += len(numbers)
                found.absent += missing(numbers)
    report(rows(found, args))


if __name__ == "__main__":
    main()
