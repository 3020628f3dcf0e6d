"""Answers about clean-ups and reprovisioning."""

from __future__ import annotations

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, Timestamp


@with_config(ANSWER)
class RemovedInstance(TypedDict):
    """A removed container."""

    container_id: str
    reason: str
    why: str


@with_config(ANSWER)
class ReprovisionStatus(TypedDict):
    """Progress of the latest reprovisioning."""

    in_progress: bool
    status: Literal["idle", "in_progress", "success", "error"]
    message: str
    timestamp: Timestamp | None
    total_engines: int
    engines_stopped: int
    """Number of replaced engines that were removed."""
    engines_provisioned: int
    """Number of new engines that are running."""
    current_engine_id: str | None
    current_phase: str | None
