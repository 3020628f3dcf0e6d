"""Post-processing: jobs, and what is asked of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from touchline.web.models.base import Answer

Kind = Literal["archive", "panorama", "follow", "sprites"]


class JobFault(Answer):
    """Why it failed."""

    code: str = Field(description="For programs: stable, snake_case.")
    message: str
    advice: str = Field(description="What to do; empty where nothing is known.")


class JobState(Answer):
    """One piece of work."""

    job_id: str
    kind: str
    match_id: str
    params: dict[str, Any]
    state: Literal["waiting", "running", "paused", "done", "failed", "cancelled"]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    progress: float = Field(description="0 to 1.")
    eta_s: float | None = Field(description="Seconds until it is done, as far as is known.")
    total: int | None = Field(description="Frames, or whatever the job counts.")
    error: JobFault | None
    result: dict[str, Any] | None
    log: list[str] = Field(description="The newest lines of what it told.")


class JobList(Answer):
    """All jobs, the oldest first."""

    jobs: list[JobState]


class ProcessMatch(BaseModel):
    """What to make of a match."""

    steps: list[Kind] = Field(min_length=1, max_length=8)


class JobRemoved(Answer):
    """It is forgotten."""

    removed: str
