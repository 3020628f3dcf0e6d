"""Highlight reel: the stretches around the match's markers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from touchline.capture.jobkinds.kind import JobContext, JobKind, Params
from touchline.core.errors import Refused


async def _order(context: JobContext, match_id: str, params: Params) -> dict[str, Any]:
    """Return an order for the stretches around the current markers."""
    before_ns, after_ns = (int(float(params[name]) * 1e9) for name in ("before_s", "after_s"))
    moments = await context.markers.moments(match_id, params.get("kinds") or None)
    if not moments:
        raise Refused("This match has no markers", code="no_markers")
    return {
        "camera": params["camera"],
        "file": "reel.mp4",
        "stretches": merge_stretches([(at - before_ns, at + after_ns) for at in moments]),
    }


def merge_stretches(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge stretches that touch, so that nothing is shown twice."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


REEL = JobKind(
    "reel", _order, params={"camera": "cam0", "before_s": 8.0, "after_s": 4.0, "kinds": []}
)
