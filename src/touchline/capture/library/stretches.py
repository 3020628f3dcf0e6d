"""Operations on time intervals of a match."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


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
