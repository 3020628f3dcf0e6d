"""Which matches to delete when the disk fills: the oldest that nobody protects, uses or records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class StoredMatch:
    """A match in the recordings folder. Without `created_unix_s` it is never chosen."""

    match_id: str
    created_unix_s: float | None
    size_bytes: int
    protected: bool = False
    running: bool = False
    processing: bool = False


def matches_to_delete(
    matches: Iterable[StoredMatch], *, free_bytes: int, target_free_bytes: int
) -> tuple[StoredMatch, ...]:
    """The oldest deletable matches, oldest first, that bring free space to the target.

    No more than needed; all deletable ones where even they do not suffice, because the match that
    is being recorded lives on every byte. A match without footage is left alone: it frees nothing.
    """
    candidates = [
        (match.created_unix_s, match.match_id, match)
        for match in matches
        if match.created_unix_s is not None
        and match.size_bytes > 0
        and not (match.protected or match.running or match.processing)
    ]
    chosen: list[StoredMatch] = []
    for _, _, match in sorted(candidates, key=lambda candidate: candidate[:2]):
        if free_bytes >= target_free_bytes:
            break
        chosen.append(match)
        free_bytes += match.size_bytes
    return tuple(chosen)
