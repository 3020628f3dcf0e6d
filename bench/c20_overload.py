"""C20: overload. Idle connections, floods of work, no descriptors, a server that stands still.

Two cameras record all the while. First many connections that ask nothing and 200 requests at once
for clips, ZIPs, stills and verification; then the server has no descriptors left and a worker is
killed; then the server is stopped for half a minute. Frames are counted by their burnt-in counters.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import _options
from _flood import BROKEN, Asking, idle_connections
from _footage import counters, missing
from _processes import wait_for
from _report import Row, percentile, report
from _server import Server, server

WIDTH, HEIGHT, FPS = 640, 360, 30
CAMERAS = {
    number: {"kind": "test", "width": WIDTH, "height": HEIGHT, "fps": FPS} for number in (0, 1)
}
DESCRIBED = f"two simulated cameras, {WIDTH}x{HEIGHT} at {FPS}/s, x264"
LEFT_OVER = 60
"""Descriptors that the server is left with beside those it has."""

ASK_EVERY_S = 0.02


@dataclass
class Overload:
    """What one overloaded match came to."""

    status_ms: list[float] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    replaced_s: float = 0.0
    killed_by_pause: int = 0
    missing: list[int] = field(default_factory=list)
    gaps: int = 0
    success: bool = False


def flood(asked: int) -> list[tuple[str, str]]:
    """So many requests, of four kinds, for the match that was recorded before."""
    match = "/api/v1/recordings/before"
    kinds = [
        ("GET", f"{match}/clip?camera=cam0&start=0.5&end=2.5"),
        ("GET", f"{match}/download"),
        ("GET", "/api/v1/cameras/0/snapshot.jpg"),
        ("POST", f"{match}/verify"),
    ]
    return [kinds[number % len(kinds)] for number in range(asked)]


@contextmanager
def few_descriptors(pid: int) -> Iterator[None]:
    """The process may open hardly any more meanwhile."""
    used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + LEFT_OVER, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def replaced(touchline: Server) -> float:
    """Kill camera 0's worker; returns the seconds until the next one serves the camera."""
    pid = touchline.cameras()[0]["worker"]["pid"]
    os.kill(pid, signal.SIGKILL)
    killed_s = time.monotonic()

    def another() -> bool:
        worker = touchline.cameras()[0]["worker"]
        return bool(worker["connected"]) and worker["pid"] != pid

    wait_for("another worker", another)
    return time.monotonic() - killed_s


def asked_meanwhile(touchline: Server, asking: Asking, found: Overload, least: int) -> None:
    """Ask for the status all the time that other answers are under way."""
    while asking.under_way or len(found.status_ms) < least:
        began_s = time.perf_counter()
        touchline.request("GET", "/status")
        found.status_ms.append((time.perf_counter() - began_s) * 1e3)
        time.sleep(ASK_EVERY_S)


def measure(touchline: Server, args: argparse.Namespace, work: Path) -> Overload:
    """One overloaded match."""
    found = Overload()
    port = urlsplit(touchline.url).port or 0
    before_s, idle, pause_s = (getattr(args, name) for name in ("before_s", "idle", "pause_s"))
    touchline.record("before")
    time.sleep(before_s)
    touchline.end_recording()
    touchline.record("match")
    time.sleep(1)
    with idle_connections(port, idle):
        asking = Asking(port, flood(args.asked), work)
        try:
            asked_meanwhile(touchline, asking, found, 200)
            found.answers = asking.answers()
        finally:
            asking.close()
        workers = touchline.workers()
        os.kill(touchline.pid, signal.SIGSTOP)
        time.sleep(pause_s)
        os.kill(touchline.pid, signal.SIGCONT)
        time.sleep(2)
        found.killed_by_pause = len(set(workers) - set(touchline.workers()))
        with few_descriptors(touchline.pid):
            time.sleep(1)
            found.replaced_s = replaced(touchline)
            time.sleep(2)
    left_out = touchline.left_out_by_camera()
    found.success = bool(touchline.end_recording(strict=False)["success"])
    found.gaps = len(touchline.manifest("match")["gaps"])
    for camera in (0, 1):
        lives = [counters(p, WIDTH, HEIGHT) for p in touchline.segments("match", camera)]
        lost = sum(missing(life) for life in lives)
        # What a saturated machine's camera never sent is not the recorder's loss.
        found.missing.append(max(0, lost - left_out[camera]))
        if camera == 1:
            found.missing[1] += sum(after[0] - before[-1] - 1 for before, after in pairwise(lives))
    return found


def rows(found: Overload, args: argparse.Namespace) -> list[Row]:
    idle, asked, pause_s = (getattr(args, name) for name in ("idle", "asked", "pause_s"))
    p99_ms = percentile(found.status_ms, 99)
    fine = {"200", "429", "503"}
    told = ", ".join(f"{count} x {status}" for status, count in sorted(found.answers.items()))
    return [
        Row(
            "C20",
            f"overload ({idle} idle connections, {asked} requests at once, no descriptors, server"
            f" stopped for {pause_s:g} s): frames missing of each camera ({DESCRIBED})",
            ", ".join(str(number) for number in found.missing),
            "0, 0",
            not any(found.missing) and found.success,
        ),
        Row(
            "C20",
            "the same: a killed worker is replaced while there are no descriptors",
            f"{found.replaced_s:.2f} s",
            "<= 1 s",
            found.replaced_s <= 1,
        ),
        Row(
            "C20",
            f"the same: GET /status during the requests, p99 of {len(found.status_ms)}",
            f"{p99_ms:.0f} ms (median {percentile(found.status_ms, 50):.1f})",
            "<= 50 ms",
            p99_ms <= 50,
        ),
        Row(
            "C20",
            f"the same: workers killed by the server's pause of {pause_s:g} s; gaps listed",
            f"{found.killed_by_pause}; {found.gaps}",
            "0; 1",
            found.killed_by_pause == 0 and found.gaps == 1,
        ),
        Row(
            "C20",
            f"the same: answers to {asked} requests for clips, ZIPs, stills and verification",
            told,
            "200, or 429 or 503 with Retry-After; none broken off",
            set(found.answers) <= fine and BROKEN not in found.answers,
        ),
    ]


def main() -> None:
    options = _options.parser(__doc__, rounds=1)
    options.add_size("idle", 2000, quick=300, what="connections that ask nothing")
    options.add_size("asked", 200, quick=40, what="requests at once")
    options.add_size("before-s", 20.0, quick=4.0, what="length of the match that is asked for")
    options.add_size("pause-s", 30.0, quick=4.0, what="how long the server is stopped")
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        work = Path(name)
        with server(work, CAMERAS) as touchline:
            report(rows(measure(touchline, args, work), args))


if __name__ == "__main__":
    main()
