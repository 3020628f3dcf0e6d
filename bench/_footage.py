"""What files show: the burnt-in counters of their frames, and whether other programs play them."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

from touchline.media.picture.testpicture import counter_bottom, read_counter


def counters(path: Path, width: int = 1280, height: int = 720) -> list[int]:
    """The counter of each frame that ffmpeg finds in the file; empty where it finds none.

    A frame whose counter cannot be read is left out, as it cannot be told from a damaged one.
    """
    lines = counter_bottom(height)
    lines += lines % 2
    decoded = subprocess.run(
        [
            *("ffmpeg", "-nostdin", "-loglevel", "quiet", "-i", str(path), "-map", "0:v:0"),
            *("-vf", f"crop={width}:{lines}:0:0,format=gray", "-fps_mode", "passthrough"),
            *("-f", "rawvideo", "-"),
        ],
        capture_output=True,
        check=False,
    ).stdout
    size = width * lines
    found = [
        read_counter(memoryview(decoded)[at : at + size], width, height)
        for at in range(0, len(decoded) - size + 1, size)
    ]
    return [counter for counter in found if counter is not None]


def missing(found: list[int]) -> int:
    """How many counters are left out between neighbours."""
    return sum(after - before - 1 for before, after in pairwise(found) if after > before)


def plays(path: Path) -> bool:
    """Whether ffprobe reads a video stream and its packets to the end without a complaint."""
    done = subprocess.run(
        [
            *("ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets"),
            *("-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", str(path)),
        ],
        capture_output=True,
        check=False,
    )
    packets = done.stdout.strip().rstrip(b",")
    return done.returncode == 0 and not done.stderr and packets.isdigit() and int(packets) > 0
