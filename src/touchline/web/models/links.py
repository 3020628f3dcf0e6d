"""Links to media."""

from __future__ import annotations

from pydantic import BaseModel, Field

from touchline.web.models.base import Answer

LONGEST_PATH = 2048
"""Characters of a path with its query that a link may be made for."""


class MakeLink(BaseModel):
    """What is to be opened without the key."""

    path: str = Field(
        min_length=1,
        max_length=LONGEST_PATH,
        description="A path of this server with its query: a playlist, clip, still or file.",
        examples=["/api/v1/recordings/match_1/vod/cam0.m3u8"],
    )


class MediaLink(Answer):
    """A link that any player opens."""

    url: str = Field(description="The whole address, by the name under which this was asked.")
    path: str = Field(description="The same from the host on.")
    expires_in_s: int | None = Field(description="Null where no key is set: it does not expire.")
