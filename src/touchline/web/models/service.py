"""Answer about the server itself."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import example


@with_config(
    example(
        {
            "service": "touchline",
            "version": "0.2.0",
            "status": "running",
            "features": ["recording_protection", "crash_safe_segments"],
        }
    )
)
class ServiceInfo(TypedDict):
    """Name, version and features of the server."""

    service: str
    """Name of the program."""
    version: str
    """Version of the program."""
    status: str
    """Always `running`."""
    features: list[str]
    """Features of this server."""
