"""Open log files of the capture half."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from touchline.capture.logs.alertlog import Alerts, open_alerts
from touchline.capture.logs.catalogue import HEALTH_FILE, WATCHDOG_FILE, Logs
from touchline.capture.logs.linelog import LineLog, open_line_log
from touchline.core.events.log import EventLog


@dataclass(frozen=True)
class LogFiles:
    """Log files that the half writes to."""

    alerts: Alerts
    watchdog: LineLog
    health: LineLog
    catalogue: Logs


@asynccontextmanager
async def open_log_files(log_dir: Path, events: EventLog) -> AsyncIterator[LogFiles]:
    """Open the log files.

    Everything written is in them when the context ends. Raises OSError.
    """
    async with (
        open_alerts(log_dir, events.record) as alerts,
        open_line_log(log_dir / WATCHDOG_FILE) as watchdog,
        open_line_log(log_dir / HEALTH_FILE) as health,
    ):
        lines = {"health": health, "alerts": alerts.lines, "watchdog": watchdog}
        yield LogFiles(alerts, watchdog, health, Logs(log_dir, lines))
