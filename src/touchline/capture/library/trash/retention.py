"""Selection of the oldest deletable matches when the disk fills up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_DATES_BEGIN_UNIX_S = 1_577_836_800
"""Earliest plausible date of a file with footage (2020), in Unix seconds.

An older date comes from a clock that was never set.
"""


@dataclass(frozen=True)
class StoredMatch:
    """Match in the recordings folder; it is never selected without `created_unix_s`.

    `number` is the library's own count; matches of version 0.1.0 and copies from elsewhere have
    none, and are older than those that have.
    """

    match_id: str
    created_unix_s: float | None
    size_bytes: int
    number: int | None
    protected: bool
    running: bool
    processing: bool


def matches_to_delete(
    matches: Iterable[StoredMatch], *, free_bytes: int, target_free_bytes: int
) -> tuple[StoredMatch, ...]:
    """Return the oldest deletable matches, oldest first, that bring free space to the target.

    The order is that of the library's numbers, and of dates only for matches without a number; an
    implausible date does not make a match the oldest. No more than needed are returned, or all
    deletable ones if they do not suffice, because the running match needs every byte. A match
    without footage is skipped: deleting it frees nothing.
    """
    candidates = [
        match
        for match in matches
        if match.created_unix_s is not None
        and match.size_bytes > 0
        and not (match.protected or match.running or match.processing)
    ]
    chosen: list[StoredMatch] = []
    for match in sorted(candidates, key=_age):
        if free_bytes >= target_free_bytes:
            break
        chosen.append(match)
        free_bytes += match.size_bytes
    return tuple(chosen)


def _age(match: StoredMatch) -> tuple[bool, int, bool, float, str]:
    """Return a sort key with the oldest match first."""
    created_s = match.created_unix_s or 0.0
    if match.number is not None:
        return (True, match.number, False, 0.0, match.match_id)
    return (False, 0, created_s < _DATES_BEGIN_UNIX_S, created_s, match.match_id)
