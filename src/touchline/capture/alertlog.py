"""Alerts on disk: one JSON object a line in `alerts.log`, written by a thread of its own.

Whoever raises an alert is neither delayed nor failed by the disk: lines wait in memory, at most
`MAX_WAITING` of them with the oldest let go first, and are tried again while the disk refuses.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import anyio.to_thread

from touchline.capture.alerts import Alert

FILE_NAME = "alerts.log"
MAX_FILE_BYTES = 5 << 20
KEPT_FILES = 5
MAX_WAITING = 1000
RETRY_EVERY_S = 5.0
CLOSE_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Alerts:
    """Sends alerts to the alert file, the log and the events. `send` never blocks and never fails.

    Use `open_alerts`; it also writes out what still waits when the server closes.
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
        self.path = log_dir / FILE_NAME
        self.lost = 0
        """Alerts let go because the file could not be written for too long."""
        self._record = record
        self._now = now
        self._max_file_bytes = max_file_bytes
        self._retry_every_s = retry_every_s
        self._waiting: deque[bytes] = deque()
        self._woken = threading.Condition()
        self._closing = False
        self._refused = False
        self._thread = threading.Thread(target=self._write_on, name="alerts", daemon=True)

    def send(self, alert: Alert) -> None:
        """Queue the alert for the file, log it, and record it as an event."""
        level = logging.ERROR if alert.severity == "error" else logging.WARNING
        log.log(level, "ALERT %s: %s", alert.event_type, alert.message)
        # Nested, because an alert's details may have names that `record` uses itself (`message`).
        # What names a match or a camera stands beside them, where the event log looks for it.
        ids = {name: value for name, value in alert.details.items() if name.endswith("_id")}
        self._record(
            alert.event_type,
            "alert",
            alert.message,
            severity=alert.severity,
            details=dict(alert.details),
            **ids,
        )
        line = alert_line(alert, self._now())
        with self._woken:
            if len(self._waiting) >= MAX_WAITING:
                self._waiting.popleft()
                self.lost += 1
            self._waiting.append(line)
            self._woken.notify()

    def start(self) -> None:
        """Start the writing thread. Alerts sent before wait for it."""
        self._thread.start()

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Write what waits and end the thread; a disk that hangs is left behind at the timeout."""
        with self._woken:
            self._closing = True
            self._woken.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive() or self._waiting:
            log.error("%d alerts could not be written to %s", len(self._waiting), self.path)

    def _write_on(self) -> None:
        while True:
            with self._woken:
                if not self._waiting and not self._closing:
                    self._woken.wait()
                lines = list(self._waiting)
                closing = self._closing
            written = self._append(lines)
            with self._woken:
                # Fewer than `lines` may still wait where the oldest were let go meanwhile.
                if written:
                    for line in lines:
                        if self._waiting and self._waiting[0] is line:
                            self._waiting.popleft()
                if closing and (not written or not self._waiting):
                    return
                if not written:
                    self._woken.wait_for(lambda: self._closing, self._retry_every_s)

    def _append(self, lines: list[bytes]) -> bool:
        if not lines:
            return True
        data = b"".join(lines)
        try:
            self._rotate(len(data))
            _append_whole(self.path, data)
        except OSError as error:
            if not self._refused:
                log.warning("alerts wait in memory: cannot write %s: %s", self.path, error)
            self._refused = True
            return False
        self._refused = False
        return True

    def _rotate(self, coming_bytes: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            size_bytes = self.path.stat().st_size
        except FileNotFoundError:
            return
        if size_bytes == 0 or size_bytes + coming_bytes <= self._max_file_bytes:
            return
        for number in range(KEPT_FILES - 1, 0, -1):
            older = self.path.with_name(f"{FILE_NAME}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{FILE_NAME}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{FILE_NAME}.1"))


@asynccontextmanager
async def open_alerts(log_dir: Path, record: Callable[..., None]) -> AsyncIterator[Alerts]:
    """Alerts that are written while the server runs. `record` is the event log's."""
    alerts = Alerts(log_dir, record)
    alerts.start()
    try:
        yield alerts
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(alerts.close)


def alert_line(alert: Alert, at: datetime) -> bytes:
    """The alert as the contract's JSON line: keys sorted, time in UTC with a Z."""
    line: dict[str, Any] = {
        "event_type": alert.event_type,
        "severity": alert.severity,
        "message": alert.message,
        "ts": at.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z",
    }
    try:
        details = json.dumps(alert.details, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError):
        # An alert with an odd detail is still an alert.
        details = json.dumps({"text": repr(alert.details)})
    return json.dumps({**line, "details": json.loads(details)}, sort_keys=True).encode() + b"\n"


def _append_whole(path: Path, data: bytes) -> None:
    """Append all of `data`, synced, or nothing: half a line would spoil the next one."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        before_bytes = os.fstat(file).st_size
        try:
            written = 0
            while written < len(data):
                written += os.write(file, data[written:])
            os.fdatasync(file)
        except OSError:
            os.ftruncate(file, before_bytes)
            raise
    finally:
        os.close(file)
