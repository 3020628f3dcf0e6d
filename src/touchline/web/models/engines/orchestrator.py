"""Answers that the routes of the engines half build themselves."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER


@with_config(ANSWER)
class Message(TypedDict):
    """Human-readable result."""

    message: str


@with_config(ANSWER)
class Liveness(TypedDict):
    """Liveness of the server."""

    status: Literal["ok"]
    version: str


@with_config(ANSWER)
class PublicAddress(TypedDict):
    """Public address of the VPN."""

    public_ip: str


@with_config(ANSWER)
class CacheStatistics(TypedDict):
    """Statistics of conditional requests."""

    size: int
    hits: int
    """Requests answered with 304."""
    misses: int
    """Requests answered with a body."""
    hit_rate: float
    """Hit rate in percent."""
    entries: list[dict[str, Any]]
