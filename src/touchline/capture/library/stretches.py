"""Time intervals: operations on those of a match, and the dates of all matches."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER

MOST_MATCHES = 500


@with_config(ANSWER)
class MatchInterval(TypedDict):
    """Time in which a match was recorded."""

    match_id: str
    """Match id."""
    start: float
    """Start of the match in Unix seconds."""
    end: float | None
    """End of the match in Unix seconds; null while it is recorded."""


def matches_between(listing: bytes, from_s: float, to_s: float) -> list[MatchInterval]:
    """Return the newest matches of a listing that overlap an interval, the oldest first.

    Matches without a known start are left out.
    """
    found: list[MatchInterval] = []
    for match_id, entry in json.loads(listing)["recordings"].items():
        start_s = entry.get("started_at")
        if start_s is None or start_s > to_s:
            continue
        is_running = entry["state"] == "recording"
        end_s = None if is_running else start_s + (entry["duration_s"] or 0.0)
        if end_s is None or end_s >= from_s:
            found.append({"match_id": match_id, "start": start_s, "end": end_s})
    return sorted(found, key=lambda each: each["start"])[-MOST_MATCHES:]


class Stretch(NamedTuple):
    """Time interval in Unix nanoseconds of the match clock."""

    start_ns: int
    end_ns: int


def union(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return the same time as sorted stretches that do not touch."""
    merged: list[Stretch] = []
    for stretch in sorted(stretches):
        if merged and stretch.start_ns <= merged[-1].end_ns:
            merged[-1] = Stretch(merged[-1].start_ns, max(merged[-1].end_ns, stretch.end_ns))
        else:
            merged.append(stretch)
    return merged


def subtract(whole: Stretch, parts: Iterable[Stretch]) -> list[Stretch]:
    """Return `whole` without `parts`, which are sorted and do not touch."""
    left: list[Stretch] = []
    at = whole.start_ns
    for part in parts:
        if part.start_ns > at:
            left.append(Stretch(at, min(part.start_ns, whole.end_ns)))
        at = max(at, part.end_ns)
        if at >= whole.end_ns:
            return [stretch for stretch in left if stretch.end_ns > stretch.start_ns]
    left.append(Stretch(at, whole.end_ns))
    return [stretch for stretch in left if stretch.end_ns > stretch.start_ns]


def length(stretches: Iterable[Stretch]) -> int:
    """Return the total length in nanoseconds."""
    return sum(stretch.end_ns - stretch.start_ns for stretch in stretches)
