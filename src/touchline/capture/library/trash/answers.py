"""Answers about the trash."""

from __future__ import annotations

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.capture.library.manifest.detailsfile import MatchDetails
from touchline.core.answers import ANSWER, example


@with_config(ANSWER)
class TrashedMatch(TypedDict):
    """A match in the trash."""

    id: str
    """Id of the entry: a match of the same id can be in the trash more than once."""
    match_id: str
    """Match id."""
    deleted_at: float | None
    """Time of the deletion in Unix seconds; null until the system clock can be trusted."""
    expires_at: float | None
    """Time from which the match is deleted permanently, in Unix seconds; null if unknown."""
    days_left: int | None
    """Days until then, rounded up; null if unknown."""
    size_bytes: int
    """Size of all files."""
    started_at: float | None
    """Start of the match in Unix seconds; null if unknown."""
    duration_s: float | None
    """Seconds from the start to the last frame; null if unknown."""
    details: MatchDetails | None
    """Details of the match; null if none were entered."""


@with_config(ANSWER)
class MovedToTrash(TrashedMatch):
    """A match that was moved to the trash."""

    status: Literal["trashed"]


@with_config(
    example(
        {
            "days": 7,
            "size_bytes": 3_000_000_000,
            "matches": [
                {
                    "id": "0123456789abcdef",
                    "match_id": "match_20260211_001",
                    "deleted_at": 1770846400.0,
                    "expires_at": 1771451200.0,
                    "days_left": 7,
                    "size_bytes": 3_000_000_000,
                    "started_at": 1770836561.2,
                    "duration_s": 5412.4,
                    "details": None,
                }
            ],
        }
    )
)
class TrashListing(TypedDict):
    """Matches in the trash, the last deleted first."""

    days: int
    """Days that a match stays in the trash (`capture.trash_days`); 0 without a trash."""
    size_bytes: int
    """Size of all matches in the trash."""
    matches: list[TrashedMatch]


@with_config(
    example({"status": "restored", "id": "0123456789abcdef", "match_id": "match_20260211_001"})
)
class RestoredMatch(TypedDict):
    """A match that was moved back to the library."""

    status: Literal["restored"]
    id: str
    """Id of the entry, which is no longer in the trash."""
    match_id: str
    """Match id. It has a number at its end (`_2`) if a match of the old id exists by now."""


@with_config(
    example(
        {
            "status": "deleted",
            "matches": ["match_20260211_001"],
            "files_deleted": 3,
            "size_mb_freed": 2861.02,
        }
    )
)
class PurgedMatches(TypedDict):
    """Matches that were deleted permanently."""

    status: Literal["deleted"]
    matches: list[str]
    """Match ids."""
    files_deleted: int
    """Number of deleted files."""
    size_mb_freed: float
    """MiB."""
