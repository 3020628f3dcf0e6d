"""What the storage has of the matches."""

from __future__ import annotations

from pydantic import Field

from touchline.web.models.base import Answer


class CloudFile(Answer):
    """A file that was uploaded."""

    name: str
    key: str = Field(description="Its name in the storage.")
    size_mb: float
    url: str = Field(description="Where anybody may read it until it expires.")


class CloudMatch(Answer):
    """The uploaded files of a match."""

    match_id: str
    files: list[CloudFile]
    total_size_mb: float


class CloudFiles(CloudMatch):
    """The uploaded files of one match."""

    success: bool
    expires_in: int = Field(description="For how many seconds the URLs can be used.")


class CloudArchives(Answer):
    """All matches of which a file was uploaded, the newest upload first."""

    success: bool
    expires_in: int = Field(description="For how many seconds the URLs can be used.")
    matches: list[CloudMatch]
