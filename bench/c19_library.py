"""C19: the list of 500 matches of 20 segments each, asked for again and again."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _options
import anyio
from _report import Row, interleaved, median, percentile, report, times

from touchline.capture.library.inventory import Inventory
from touchline.capture.library.library import Library

MATCHES, SEGMENTS = 500, 20
CALLS_A_ROUND = 60
LATER_S = 120.0  # as seen two minutes after the last file was written


def make_matches(root: Path, matches: int) -> None:
    for match in range(matches):
        folder = root / f"match_{match:04}" / "segments"
        folder.mkdir(parents=True)
        for n in range(SEGMENTS):
            with (folder / f"cam{n % 2}_20260211_220241_{n // 2:02}.mp4").open("wb") as file:
                file.truncate(500 << 20)


def by_globbing(root: Path) -> bytes:
    """As the earlier system did: every file looked at for every request."""
    listing: dict[str, Any] = {}
    for folder in root.iterdir():
        cameras: dict[str, list[os.stat_result]] = {}
        for suffix in ("mkv", "mp4", "avi", "mov"):
            for path in (folder / "segments").glob(f"*.{suffix}"):
                cameras.setdefault(path.name[:4], []).append(path.stat())
        listing[folder.name] = {
            camera: (len(files), sum(file.st_size for file in files))
            for camera, files in cameras.items()
        }
    return json.dumps(listing).encode()


def by_walking(root: Path) -> int:
    """The floor of whoever looks at every file: scandir and stat, nothing kept or encoded."""
    size_bytes = 0
    with os.scandir(root) as matches:
        for match in matches:
            with os.scandir(f"{match.path}/segments") as segments:
                size_bytes += sum(segment.stat().st_size for segment in segments)
    return size_bytes


def timed(call: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    call()
    return (time.perf_counter() - began_s) * 1e3


async def main(matches: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        root = Path(name)
        make_matches(root, matches)
        library = Library(root, is_running=lambda _: False)
        library._inventory = Inventory(root, now=lambda: time.time() + LATER_S)  # noqa: SLF001

        warm_ms: list[float] = []
        peers: dict[str, list[float]] = {"glob": [], "walk": [], "cold": []}
        for _ in range(rounds):
            cold = Inventory(root)
            taken = interleaved(
                {
                    "glob": lambda: timed(lambda: by_globbing(root)),
                    "walk": lambda: timed(lambda: by_walking(root)),
                    "cold": lambda: timed(lambda: cold.listing(lambda _: False)),  # noqa: B023
                },
                rounds=1,
            )
            for key, values in taken.items():
                peers[key] += values
            for _ in range(CALLS_A_ROUND):
                began_s = time.perf_counter()
                await library.list()
                warm_ms.append((time.perf_counter() - began_s) * 1e3)
        first_ms = peers["cold"]
        p99_ms = percentile(warm_ms[1:], 99)  # the first call is the cold one
        report(
            [
                Row(
                    "C19",
                    f"list of {matches} x {SEGMENTS}, warm, p99 of {len(warm_ms) - 1}",
                    f"{p99_ms:.1f} ms (median {median(warm_ms):.1f})",
                    "<= 5 ms",
                    p99_ms <= 5,
                    f"every file looked at each time, as the earlier system did: "
                    f"{median(peers['glob']):.0f} ms; bare scandir+stat walk: "
                    f"{median(peers['walk']):.1f} ms",
                    f"{times(median(warm_ms), median(peers['glob']))}; floor: "
                    f"{times(median(warm_ms), median(peers['walk']))}",
                ),
                Row(
                    "C19",
                    "the same, first time",
                    f"{median(first_ms):.0f} ms",
                    "-",
                    met=True,
                    peer=f"bare walk: {median(peers['walk']):.1f} ms",
                    ratio=times(median(first_ms), median(peers["walk"])),
                ),
            ]
        )


if __name__ == "__main__":
    options = _options.parser(__doc__)
    options.add_size("matches", MATCHES, quick=20, what="on the disk")
    args = options.parse_args()
    anyio.run(main, args.matches, args.rounds)
