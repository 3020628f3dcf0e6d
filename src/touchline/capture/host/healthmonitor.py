"""Log of recording and host health, written on every change and once per minute."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from touchline.capture.host.answers import HostHealth
from touchline.capture.logs.linelog import format_line
from touchline.core import patience
from touchline.core.tasks import Changed

LOOK_EVERY_S = 2.0
PAUSE_S = 0.25
"""Minimum interval in seconds between two checks; each camera reports twice per second."""

REPEAT_EVERY_S = 60.0

_NUMBER = re.compile(r"\d+(\.\d+)?")

Report = Callable[[], Mapping[str, Any]]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class HealthMonitor:
    """Writer of one line per change of health, and one per minute without changes.

    The reports are those of the API: `recording` of `/recording-health`, `host` of `/health`,
    `status` of `/recording`. All of them are read from memory.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        *,
        recording: Report,
        host: Callable[[], HostHealth],
        status: Report,
        changed: Changed,
        now: Callable[[], datetime] = _utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._recording = recording
        self._host = host
        self._status = status
        self._changed = changed
        self._version = -1
        self._now = now
        self._clock = clock
        self._said: tuple[object, ...] | None = None
        self._said_s = 0.0

    async def once(self) -> None:
        """Wait until something may have changed, and check.

        The host's health changes without a mark, so there is a check every `LOOK_EVERY_S`. After a
        pause of this process, pending input is read first.
        """
        with patience.move_on_after(LOOK_EVERY_S):
            self._version = await self._changed.wait(self._version)
        self.look()

    def look(self) -> None:
        """Check health and write a line if required."""
        recording, host, status = self._recording(), self._host(), self._status()
        healthy = bool(recording["healthy"]) and host["status"] == "healthy"
        message = str(recording["message"])
        # "No frames for 3.2 s" is not a change from "No frames for 5.2 s".
        news = (status["match_id"], healthy, _NUMBER.sub("#", message), host["status"])
        now_s = self._clock()
        if news == self._said and now_s - self._said_s < REPEAT_EVERY_S:
            return
        self._said, self._said_s = news, now_s
        parts = [_match(status), message, _machine(host)]
        head = "INFO: healthy" if healthy else "ALERT: unhealthy"
        self._write(
            format_line(self._now(), f"{head}: {'; '.join(part for part in parts if part)}")
        )


def _match(status: Mapping[str, Any]) -> str:
    if not status["recording"]:
        return ""
    return f"match {status['match_id']}, {status['duration']:.0f} s"


def _machine(host: HostHealth) -> str:
    system = host.get("system")
    if system is None:
        return str(host.get("detail"))
    return (
        f"cpu {system['cpu_percent']:.1f} %, memory {system['memory_percent']:.1f} %,"
        f" disk {system['disk_percent']:.1f} %, {system['disk_free_gb']:.2f} GiB free"
    )
