"""Alert file `alerts.log` with one JSON object per line, written by its own thread.

`send` is neither delayed nor failed by the disk: see `linelog`.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from touchline.capture.logs.alerts import Alert
from touchline.capture.logs.linelog import CLOSE_TIMEOUT_S, MAX_FILE_BYTES, RETRY_EVERY_S, LineLog
from touchline.foreign.text import printable, shown

FILE_NAME = "alerts.log"

log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Alerts:
    """Sender of alerts to the alert file, the log and the events; `send` never blocks or fails.

    Use `open_alerts`; it also writes pending alerts when the server closes.
    """

    def __init__(
        self,
        log_dir: Path,
        record: Callable[..., None],
        *,
        now: Callable[[], datetime] = _utc_now,
        max_file_bytes: int = MAX_FILE_BYTES,
        retry_every_s: float = RETRY_EVERY_S,
    ) -> None:
        self.sent: Counter[tuple[str, str]] = Counter()
        """Number of alerts sent, by event type and severity."""
        self._record = record
        self._now = now
        self._lines = LineLog(
            log_dir / FILE_NAME,
            synced=True,
            max_file_bytes=max_file_bytes,
            retry_every_s=retry_every_s,
        )

    @property
    def path(self) -> Path:
        """Path of the alert file."""
        return self._lines.path

    @property
    def lines(self) -> LineLog:
        """Writer of the alert file."""
        return self._lines

    @property
    def lost(self) -> int:
        """Number of alerts dropped because the file could not be written for too long."""
        return self._lines.lost

    def send(self, alert: Alert) -> None:
        """Queue the alert for the file, log it, and record it as an event."""
        self.sent[alert.event_type, alert.severity] += 1
        level = logging.ERROR if alert.severity == "error" else logging.WARNING
        log.log(level, "ALERT %s: %s", alert.event_type, alert.message)
        # Nested, because an alert's details may have names that `record` uses itself (`message`).
        # Ids of matches and cameras are also passed as arguments, where the event log expects them.
        ids = {name: value for name, value in alert.details.items() if name.endswith("_id")}
        self._record(
            alert.event_type,
            "alert",
            alert.message,
            severity=alert.severity,
            details=dict(alert.details),
            **ids,
        )
        self._lines.write(alert_line(alert, self._now()))

    def start(self) -> None:
        """Start the writing thread. Alerts sent before wait for it."""
        self._lines.start()

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Write pending alerts and end the thread.

        A disk that hangs is abandoned at the timeout.
        """
        self._lines.close(timeout_s)


@asynccontextmanager
async def open_alerts(log_dir: Path, record: Callable[..., None]) -> AsyncIterator[Alerts]:
    """Open the alert log while the server runs; `record` is the event log's method."""
    alerts = Alerts(log_dir, record)
    alerts.start()
    try:
        yield alerts
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(alerts.close)


def alert_line(alert: Alert, at: datetime) -> bytes:
    """Return the alert as the contract's JSON line: keys sorted, time in UTC with a Z."""
    line: dict[str, Any] = {
        "event_type": alert.event_type,
        "severity": alert.severity,
        "message": shown(alert.message),
        "ts": at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z",
    }
    # An alert is written even if a detail is not serialisable.
    details = printable(alert.details)
    return json.dumps({**line, "details": details}, sort_keys=True).encode() + b"\n"
