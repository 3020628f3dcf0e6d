"""Models of signed links to media."""

from __future__ import annotations

from pydantic import BaseModel, Field, with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER

LONGEST_PATH = 2048
"""Maximum length of a path with its query that can be signed."""


class MakeLink(BaseModel):
    """Resource to sign a link for."""

    path: str = Field(
        min_length=1,
        max_length=LONGEST_PATH,
        description="Path and query of a playlist, clip, still or file on this server.",
        examples=["/api/v1/recordings/match_1/vod/cam0.m3u8"],
    )


@with_config(ANSWER)
class MediaLink(TypedDict):
    """A signed link that works without the key."""

    url: str
    """Absolute URL, with the host name of this request."""
    path: str
    """The same URL without scheme and host."""
    expires_in_s: int | None
    """Expiry time; null if no key is set and the link does not expire."""
