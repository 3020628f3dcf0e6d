"""Segment files made of random bytes: right in every box, but with nothing to see.

Segments here have a frame every 40 ms, ten frames a fragment and a keyframe at its start.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

from touchline.media.h264.codec import Codec
from touchline.media.mp4 import scan, writer
from touchline.media.mp4.fragment import fragment_part
from touchline.media.mp4.sample import Mp4Sample, ticks

FRAME_NS = 40_000_000
FRAMES_A_FRAGMENT = 10
START_UNIX_NS = 1_770_847_361_000_000_000
CODEC = Codec(1920, 1080, bytes.fromhex("0164001fffe1000467640a1f010002680f"))


def fragment(sequence: int, *, start_unix_ns: int, frame_bytes: int = 200, seed: int = 1) -> bytes:
    """The fragment of that number, counted from 1, with its record."""
    rng = random.Random(seed * 1_000_003 + sequence)
    first = (sequence - 1) * FRAMES_A_FRAGMENT
    samples = []
    for n in range(first, first + FRAMES_A_FRAGMENT):
        dts, end = ticks(n * FRAME_NS), ticks((n + 1) * FRAME_NS)
        data = rng.randbytes(frame_bytes + rng.randrange(50))
        samples.append(Mp4Sample(data, dts, dts, end - dts, n == first))
    return fragment_part(sequence, samples, start_unix_ns + first * FRAME_NS)


def join(parts: Sequence[bytes]) -> bytes:
    """An open segment of these fragments, as the writer leaves it before it is ended."""
    return writer.init_part(CODEC) + b"".join(parts)


def write_segment(
    path: Path,
    fragments: int = 5,
    *,
    start_unix_ns: int = START_UNIX_NS,
    finalized: bool = True,
    frame_bytes: int = 200,
    seed: int = 1,
) -> Path:
    """Write a clean segment of `fragments` x 0.4 s."""
    parts = [
        fragment(n, start_unix_ns=start_unix_ns, frame_bytes=frame_bytes, seed=seed)
        for n in range(1, fragments + 1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(join(parts))
    if finalized:
        scan.salvage(path)
    return path


def set_age(path: Path, age_s: float, now_s: float) -> None:
    """Make a file or folder look as if it was last changed `age_s` before `now_s`."""
    os.utime(path, (now_s - age_s, now_s - age_s))
