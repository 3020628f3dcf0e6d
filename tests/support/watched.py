"""Cameras and clocks for those who only watch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

AT = datetime(2026, 2, 11, 22, 2, 41, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class FakeLink:
    spawns: int = 0


@dataclass
class FakeCamera:
    """As much of a camera as a watcher looks at."""

    id: int = 0
    status: dict[str, Any] = field(default_factory=dict)
    sync: dict[str, Any] | None = None
    feed: dict[str, Any] | None = None
    link: FakeLink = field(default_factory=FakeLink)
    state: str = "idle"
    last_frame_age_s: float | None = None

    @property
    def name(self) -> str:
        return f"cam{self.id}"

    @property
    def key(self) -> str:
        return f"camera_{self.id}"
