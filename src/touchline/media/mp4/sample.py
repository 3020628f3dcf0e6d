"""A frame in a file, and its times in ticks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

TIMESCALE = 90_000
"""Ticks a second of every track, as in RTP and MPEG-TS for video."""
U32_MAX = (1 << 32) - 1
_I32_MAX = (1 << 31) - 1
I64_MAX = (1 << 63) - 1


class Mp4Sample(NamedTuple):
    """One coded frame with its times on the segment's timeline, in ticks of `TIMESCALE`.

    `dts` never decreases; `pts` is 0 for the first frame shown.
    """

    data: bytes
    dts: int
    pts: int
    duration: int
    keyframe: bool


@dataclass(frozen=True)
class SampleEntry:
    """Entry of a written sample in the sample tables."""

    dts: int
    pts: int
    size_bytes: int
    keyframe: bool


def ticks(ns: int) -> int:
    """Convert nanoseconds to ticks of `TIMESCALE`, rounded; errors do not accumulate."""
    return (ns * 9 + 50_000) // 100_000


def ticks_to_ns(value: int) -> int:
    """Convert ticks of `TIMESCALE` to nanoseconds."""
    return value * 100_000 // 9


def clamp_duration(value: int) -> int:
    """Limit a duration to the range of its field (13 hours)."""
    return min(max(value, 0), U32_MAX)


def clamp_offset(value: int) -> int:
    """Limit the offset of presentation from decoding to the range of its field."""
    return min(max(value, -_I32_MAX), _I32_MAX)
