"""Models of files in the object storage."""

from __future__ import annotations

from pydantic import Field

from touchline.web.models.base import Answer


class CloudFile(Answer):
    """An uploaded file."""

    name: str
    key: str = Field(description="Object key in the storage.")
    size_mb: float
    url: str = Field(description="Presigned URL that anybody may read until it expires.")


class CloudMatch(Answer):
    """Uploaded files of a match."""

    match_id: str
    files: list[CloudFile]
    total_size_mb: float


class CloudFiles(CloudMatch):
    """Uploaded files of one match."""

    success: bool
    expires_in: int = Field(description="Lifetime of the URLs in seconds.")


class CloudArchives(Answer):
    """Matches with uploaded files, newest upload first."""

    success: bool
    expires_in: int = Field(description="Lifetime of the URLs in seconds.")
    matches: list[CloudMatch]
