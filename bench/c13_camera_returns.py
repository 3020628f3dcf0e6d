"""C13: a network camera is killed and comes back, freezes and thaws, again and again in a match.

The other camera's frames are counted over the whole match by their burnt-in counters. Beside it, in
the same rounds: ffmpeg and gst-launch on the same camera, started again whenever they end.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import _cameras
import _options
import _peers
from _footage import counters, missing
from _processes import NotInTime, wait_for
from _report import Row, median, percentile, report, times
from _server import Server, server

MATCH = "match"
PEER_PATIENCE_S = 20.0
SHORTEST_S, LONGEST_S = 1.5, 6.0


@dataclass
class Returns:
    """What the returns of one kind came to."""

    seen_ms: list[float] = field(default_factory=list)
    back_s: list[float] = field(default_factory=list)
    peers_s: dict[str, list[float]] = field(default_factory=dict)


def size_bytes(touchline: Server) -> int:
    return sum(path.stat().st_size for path in touchline.segments(MATCH, 0))


def stall_seen_ms(touchline: Server) -> float:
    """From now until the status calls camera 0 degraded."""
    began_s = time.monotonic()
    wait_for("word of the stall", lambda: "camera_0" in touchline.status()["degraded_cameras"])
    return (time.monotonic() - began_s) * 1e3


def away_and_back(
    touchline: Server,
    peers: Mapping[str, _peers.Supervised],
    go: Callable[[], None],
    come: Callable[[], float],
    found: Returns,
    longest_s: float,
) -> None:
    """One absence. `come` returns the moment at which the camera was there again."""
    go()
    found.seen_ms.append(stall_seen_ms(touchline))
    time.sleep(random.uniform(SHORTEST_S, longest_s))
    ours = size_bytes(touchline)
    theirs = {name: peer.size_bytes() for name, peer in peers.items()}
    came_s = come()
    back: dict[str, float] = {}

    def all_back() -> bool:
        now_s = time.monotonic()
        if "ours" not in back and size_bytes(touchline) > ours + 4096:
            back["ours"] = now_s - came_s
        for name, peer in peers.items():
            if name not in back and peer.size_bytes() > theirs[name] + 4096:
                back[name] = now_s - came_s
        return len(back) == len(peers) + 1

    try:
        wait_for("footage of everybody", all_back, within_s=PEER_PATIENCE_S, every_s=0.005)
    except NotInTime:
        if "ours" not in back:
            raise
    found.back_s.append(back["ours"])
    for name in peers:
        found.peers_s.setdefault(name, []).append(back.get(name, PEER_PATIENCE_S))
    time.sleep(random.uniform(1.5, 2.5))


def rows(what: str, found: Returns) -> list[Row]:
    number = len(found.back_s)
    best = min(median(values) for values in found.peers_s.values())
    beside = ", ".join(
        f"{name} {median(values):.2f}/{percentile(values, 95):.2f} s"
        for name, values in found.peers_s.items()
    )
    seen_ms, back_s = max(found.seen_ms), percentile(found.back_s, 95)
    return [
        Row(
            "C13",
            f"{what}, {number} times: seen in the status after, worst"
            f" ({_cameras.DESCRIPTION}, copied)",
            f"{seen_ms:.0f} ms (median {median(found.seen_ms):.0f})",
            "<= 500 ms",
            seen_ms <= 500,
        ),
        Row(
            "C13",
            f"{what}: its return until new footage is on the disk, p95 of {number}",
            f"{back_s:.2f} s (median {median(found.back_s):.2f})",
            "<= 1 s",
            back_s <= 1,
            f"restarted whenever they end, median/p95 ({PEER_PATIENCE_S:g} s: not back by then):"
            f" {beside}",
            times(median(found.back_s), best),
        ),
    ]


def main() -> None:
    options = _options.parser(__doc__, rounds=10)
    options.add_size("longest-s", LONGEST_S, quick=SHORTEST_S, what="of an absence")
    args = options.parse_args()
    rounds = args.rounds
    dead, frozen = Returns(), Returns()
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="touchline-bench-")))
        filmed = stack.enter_context(_cameras.cameras(2))
        settings = {n: camera.settings() for n, camera in enumerate(filmed)}
        touchline = stack.enter_context(server(work, settings))
        peers = {
            name: stack.enter_context(_peers.supervised(name, recipe, filmed[0].url, work))
            for name, recipe in (("ffmpeg", _peers.ffmpeg), ("splitmux", _peers.splitmux))
        }
        camera = filmed[0]

        def restart() -> float:
            camera.start()
            return time.monotonic()

        def thaw() -> float:
            camera.thaw()
            return time.monotonic()

        touchline.record(MATCH)
        time.sleep(3)
        for _ in range(rounds):
            away_and_back(touchline, peers, camera.kill, restart, dead, args.longest_s)
            away_and_back(touchline, peers, camera.freeze, thaw, frozen, args.longest_s)
        left_out = touchline.left_out_by_camera()[1]
        touchline.end_recording()
        gaps = [gap["camera"] for gap in touchline.manifest(MATCH)["gaps"]]
        others = [c for path in touchline.segments(MATCH, 1) for c in counters(path)]
    # What a saturated machine's camera never sent is not the recorder's loss.
    other_lost = max(0, missing(others) - left_out)
    report(
        [
            *rows("camera killed", dead),
            *rows("camera frozen", frozen),
            Row(
                "C13",
                f"the other camera meanwhile: frames lost of {len(others)}; gaps listed of"
                f" {2 * rounds} absences",
                f"{other_lost}; {len(gaps)}",
                f"0; {2 * rounds}",
                other_lost == 0 and gaps == ["cam0"] * (2 * rounds),
            ),
        ]
    )


if __name__ == "__main__":
    main()
