"""Answers about post-processing: jobs, their results, and uploaded files."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, Timestamp, example

JobStateWord = Literal["waiting", "running", "paused", "done", "failed", "cancelled"]


@with_config(ANSWER)
class JobFault(TypedDict):
    """Reason for a failure."""

    code: str
    """Machine-readable code in snake_case, stable across versions."""
    message: str
    """Human-readable reason."""
    advice: str
    """Suggested action; empty if none is known."""


@with_config(ANSWER)
class JobState(TypedDict):
    """A post-processing job."""

    job_id: str
    """Job id."""
    kind: str
    """Kind of job."""
    match_id: str
    """Match that is processed."""
    # Options and results are those of the kind: they are passed on as the studio has them.
    params: dict[str, Any]
    """Options of the job."""
    state: JobStateWord
    """State of the job."""
    created_at: Timestamp
    """Time at which the job was queued."""
    started_at: Timestamp | None
    """Start of the latest attempt; null before the first."""
    ended_at: Timestamp | None
    """End of the job; null before it."""
    attempts: int
    """Number of attempts."""
    progress: float
    """Progress, 0 to 1."""
    eta_s: float | None
    """Estimated seconds left, if known."""
    total: int | None
    """Number of frames, or other units of the job."""
    error: JobFault | None
    """Reason for the failure; null without one."""
    result: dict[str, Any] | None
    """Result of the job; null before it is done."""
    log: list[str]
    """Newest lines of the job's log."""


@with_config(ANSWER)
class JobList(TypedDict):
    """Jobs, oldest first."""

    jobs: list[JobState]
    """Jobs, oldest first."""


@with_config(ANSWER)
class JobRemoved(TypedDict):
    """Confirmation of a removed job."""

    removed: str
    """Id of the job."""


@with_config(ANSWER)
class UploadState(TypedDict):
    """Upload state of one file."""

    state: Literal["waiting", "uploading", "uploaded", "failed"]
    """State of the upload."""
    key: NotRequired[str | None]
    """Object key in the storage."""
    size_bytes: NotRequired[int | None]
    """Size of the file."""
    sent_bytes: NotRequired[int | None]
    """Bytes uploaded so far."""
    error: NotRequired[str | None]
    """Reason for the failure."""


@with_config(ANSWER)
class MadeOfMatch(TypedDict):
    """Results of post-processing of a match."""

    match_id: str
    """Match id."""
    # As the studio has them, in a file of the match.
    made: dict[str, dict[str, Any]]
    """Results by kind of job: files, sizes, quality."""
    uploads: dict[str, UploadState]
    """Uploads by file."""


@with_config(example({"processing": False, "completed": False, "message": "Not processed"}))
class ProcessingStatus(TypedDict):
    """State of post-processing. An unknown match is reported as not processed, never as 404."""

    processing: bool
    """Whether a job is running."""
    completed: NotRequired[bool | None]
    """Whether a job has completed successfully."""
    message: NotRequired[str | None]
    """Human-readable summary."""
    archives: NotRequired[dict[str, bool] | None]
    """Existing archives."""
    status: NotRequired[str | None]
    """State of the job."""
    start_time: NotRequired[str | None]
    """Local ISO time."""
    duration_seconds: NotRequired[float | None]
    """Duration of post-processing in seconds; null while unknown."""
    progress: NotRequired[float | None]
    """Progress over all jobs of the match, 0 to 1."""
    eta_seconds: NotRequired[float | None]
    """Estimated seconds left for the running job."""
    jobs: NotRequired[list[JobState] | None]
    """Jobs of the match."""


@with_config(ANSWER)
class CloudFile(TypedDict):
    """An uploaded file."""

    name: str
    """File name."""
    key: str
    """Object key in the storage."""
    size_mb: float
    """Size in MiB."""
    url: str
    """Presigned URL, which gives access to the file without a login until it expires."""


@with_config(ANSWER)
class CloudMatch(TypedDict):
    """Uploaded files of a match."""

    match_id: str
    """Match id."""
    files: list[CloudFile]
    """Uploaded files."""
    total_size_mb: float
    """Total size in MiB."""


@with_config(ANSWER)
class CloudFiles(TypedDict):
    """Uploaded files of one match."""

    match_id: str
    """Match id."""
    files: list[CloudFile]
    """Uploaded files."""
    total_size_mb: float
    """Total size in MiB."""
    success: bool
    """Always true."""
    expires_in: int
    """Lifetime of the URLs in seconds."""


@with_config(ANSWER)
class CloudArchives(TypedDict):
    """Matches with uploaded files, newest upload first."""

    success: bool
    """Always true."""
    expires_in: int
    """Lifetime of the URLs in seconds."""
    matches: list[CloudMatch]
    """Matches, newest upload first."""
