"""A match that is recorded, with cameras that are only described."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from touchline.capture.library.manifest.manifest import Part, SegmentRecord
from touchline.capture.recording.match.match import Match, MatchIdentity
from touchline.capture.recording.match.track import Track

S = 1_000_000_000


def camera(
    number: int = 0, *, listened_s: Callable[[], float] = time.monotonic, **status: Any
) -> Any:
    return SimpleNamespace(
        id=number,
        name=f"cam{number}",
        key=f"camera_{number}",
        label=f"CAM {number}",
        status={"state": "running", **status},
        state="running",
        statuses=1,
        recording=None,
        last_error=None,
        last_frame_age_s=0.01,
        link=SimpleNamespace(connected=True, listened_s=listened_s),
        facts=lambda: {"kind": "test", "name": f"CAM {number}"},
    )


def info(index: int, start_s: float, end_s: float, **more: Any) -> dict[str, Any]:
    return {
        "name": f"cam0_20260211_220241_{index:02d}.mp4",
        "index": index,
        "start_unix_ns": int(start_s * S),
        "end_unix_ns": int(end_s * S),
        "frames": int((end_s - start_s) * 25),
        "fragments": 1,
        "size_bytes": int((end_s - start_s) * 1000),
        "finalized": False,
        **more,
    }


def track(**status: Any) -> Track:
    return Track(camera(**status), 0.0)


def match(*, start_s: float = 100, **more: Any) -> Match:
    part = part_from(int(start_s * S), 5 * S)
    identity = MatchIdentity("m1", Path("/matches/m1"))
    return Match(identity, [camera(0), camera(1)], part=part, **more)


def part_from(start_ns: int, start_monotonic_ns: int) -> Part:
    """The first part of a match, begun while the wall clock said `start_ns`."""
    return Part(
        number=1,
        boot_id="b",
        start_ns=start_ns,
        start_monotonic_ns=start_monotonic_ns,
        unix_minus_monotonic_ns=start_ns - start_monotonic_ns,
        trust="plausible",
        pause_known=True,
    )


def listed(name: str = "cam0_20260101_000000_04.mp4", index: int = 4) -> SegmentRecord:
    return SegmentRecord(
        name=name, camera="cam0", index=index, start_unix_ns=S, end_unix_ns=2 * S, finalized=True
    )
