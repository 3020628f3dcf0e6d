"""Segments written by the worker's own writer, without a recorder's threads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from touchline.ipc.tee import Frame
from touchline.ipc.wire import RecordOrder
from touchline.media.storage.disk import Disk
from touchline.worker.recording.segments import OpenSegment, SegmentNames

FRAGMENT_FRAMES = 6


def order(directory: Path, **changed: object) -> RecordOrder:
    """An order for camera 0; `changed` are its fields."""
    values: dict[str, object] = {
        "match_id": "m1",
        "directory": str(directory),
        "prefix": "cam0",
        "label": "20260211_220241",
        "first_index": 0,
        "unix_minus_monotonic_ns": 1_770_000_000_000_000_000,
        "start_monotonic_ns": 0,
        "segment_s": 600.0,
        "fragment_s": 0.25,
        "min_free_bytes": 0,
        "backlog_bytes": 64 << 20,
        "max_match_s": 14400.0,
        **changed,
    }
    return RecordOrder(**values)  # type: ignore[arg-type]


def open_segment(directory: Path, first: Frame, disk: Disk | None = None) -> OpenSegment:
    """A new segment in `directory`, with nothing in it but its head."""
    names = SegmentNames(order(directory))
    return OpenSegment.create(disk or Disk(), names, None, first)


def fragments_of(frames: Sequence[Frame]) -> list[tuple[Sequence[Frame], int]]:
    """Fragments of six frames, cut at keyframes too, and where each of them ends."""
    cuts = [0]
    for n, frame in enumerate(frames):
        if n and (frame.keyframe or n - cuts[-1] >= FRAGMENT_FRAMES):
            cuts.append(n)
    cuts.append(len(frames))
    return [
        (
            frames[a:b],
            frames[b].dts_ns if b < len(frames) else frames[-1].dts_ns + frames[-1].duration_ns,
        )
        for a, b in pairwise(cuts)
    ]


def write_open(path: Path, frames: Sequence[Frame]) -> Path:
    """A segment with these frames as a crash leaves it: whole fragments, not finished."""
    segment = open_segment(path.parent, frames[0])
    for part, end_dts_ns in fragments_of(frames):
        segment.append(part, end_dts_ns)
    segment.abandon()
    return (path.parent / str(segment.info["name"])).rename(path)
