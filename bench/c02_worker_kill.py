"""C2: a camera's worker is killed with -9 while it records: what is lost, and when it goes on.

Loss is counted by the frames' burnt-in counters, between the last one before and the first after.
A camera that is encoded here and one that is copied are measured; beside the latter, ffmpeg and
gst-launch record the same camera, are killed at the same moment and restarted by a supervisor.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import _cameras
import _options
import _peers
from _cameras import FPS
from _footage import counters, missing
from _processes import wait_for
from _report import Row, median, percentile, report, times
from _server import TEST_CAMERAS, Server, server

from touchline.media.mp4 import scan
from touchline.media.mp4.walk import NotSegment

GOAL_S = 0.4
"""A copied stream begins again with the camera's next keyframe, which is waited for as well."""


@dataclass
class Kills:
    """What the kills of one kind of camera came to."""

    lost_s: list[float] = field(default_factory=list)
    goes_on_s: list[float] = field(default_factory=list)
    listed: int = 0
    other_lost: int = 0


def fragments(path: Path) -> int:
    try:
        return len(scan.scan(path, checksums=False).fragments)
    except (FileNotFoundError, NotSegment):
        return 0


def kill_worker(touchline: Server, match_id: str) -> float:
    """Kill camera 0's worker; returns the seconds until it has new footage on the disk."""
    before = set(touchline.segments(match_id, 0))
    os.kill(touchline.cameras()[0]["worker"]["pid"], signal.SIGKILL)
    killed_s = time.monotonic()

    def goes_on() -> bool:
        new = [path for path in touchline.segments(match_id, 0) if path not in before]
        return any(fragments(path) for path in new)

    wait_for("footage of the new worker", goes_on)
    return time.monotonic() - killed_s


def measure(
    touchline: Server, rounds: int, apart_s: float, peers: Mapping[str, _peers.Supervised]
) -> tuple[Kills, dict[str, list[float]]]:
    """One match in which camera 0's worker, and every peer, is killed `rounds` times."""
    kills = Kills()
    touchline.record("match")
    for _ in range(rounds):
        time.sleep(random.uniform(apart_s, apart_s + 1.5))
        for peer in peers.values():
            peer.kill()
        kills.goes_on_s.append(kill_worker(touchline, "match"))
    time.sleep(2)
    left_out = touchline.left_out_by_camera()[1]
    touchline.end_recording()
    for peer in peers.values():
        peer.close()
    kills.listed = sum(gap["camera"] == "cam0" for gap in touchline.manifest("match")["gaps"])
    lives = [counters(path) for path in touchline.segments("match", 0)]
    kills.lost_s = [(after[0] - before[-1] - 1) / FPS for before, after in pairwise(lives)]
    others = [c for path in touchline.segments("match", 1) for c in counters(path)]
    # What a saturated machine's camera never sent is not the recorder's loss.
    kills.other_lost = max(0, missing(others) - left_out)
    return kills, {name: peer_losses(peer, rounds) for name, peer in peers.items()}


def peer_losses(peer: _peers.Supervised, rounds: int) -> list[float]:
    """Its largest jumps, one a kill."""
    found = peer.counters()
    jumps = [(b - a - 1) / FPS for a, b in pairwise(found)]
    return sorted(jumps)[-rounds:]


def rows(
    what: str, kills: Kills, rounds: int, goal_s: float, peer: str = "", ratio: str = ""
) -> list[Row]:
    return [
        Row(
            "C2",
            f"kill -9 of the worker, footage lost, worst of {rounds} ({what})",
            f"{max(kills.lost_s):.2f} s (median {median(kills.lost_s):.2f})",
            f"<= {goal_s:g} s",
            max(kills.lost_s) <= goal_s,
            peer,
            ratio,
        ),
        Row(
            "C2",
            f"the same: killed until new footage is on the disk, worst ({what})",
            f"{max(kills.goes_on_s):.2f} s (p95 {percentile(kills.goes_on_s, 95):.2f})",
            "<= 2 s",
            max(kills.goes_on_s) <= 2,
        ),
        Row(
            "C2",
            f"the same: gaps listed of {rounds}; frames the other camera lost ({what})",
            f"{kills.listed}; {kills.other_lost}",
            f"{rounds}; 0",
            kills.listed == rounds and kills.other_lost == 0,
        ),
    ]


def main() -> None:
    options = _options.parser(__doc__, rounds=10)
    # A worker that has lived 5 s has started well, and gets a standby.
    options.add_size("apart-s", 9.0, quick=1.5, what="between two kills")
    args = options.parse_args()
    rounds = args.rounds
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        work = Path(name)
        with server(work / "encoded", TEST_CAMERAS) as touchline:
            encoded, _ = measure(touchline, rounds, args.apart_s, {})
        with ExitStack() as stack:
            filmed = stack.enter_context(_cameras.cameras(2))
            settings = {n: camera.settings() for n, camera in enumerate(filmed)}
            touchline = stack.enter_context(server(work / "copied", settings))
            peers = {
                peer: stack.enter_context(_peers.supervised(peer, recipe, filmed[0].url, work))
                for peer, recipe in (("ffmpeg", _peers.ffmpeg), ("splitmux", _peers.splitmux))
            }
            copied, lost = measure(touchline, rounds, args.apart_s, peers)
    beside = "restarted at once, median/worst: " + ", ".join(
        f"{name} {median(values):.2f}/{max(values):.2f} s" for name, values in lost.items()
    )
    best = min(median(values) for values in lost.values())
    report(
        [
            *rows("simulated 720p30 camera, x264", encoded, rounds, GOAL_S),
            *rows(
                f"simulated RTSP camera, copied, keyframe each {_cameras.GOP_S:g} s",
                copied,
                rounds,
                GOAL_S + _cameras.GOP_S,
                beside,
                times(median(copied.lost_s), best),
            ),
        ]
    )


if __name__ == "__main__":
    main()
