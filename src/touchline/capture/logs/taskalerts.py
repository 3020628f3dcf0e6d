"""Alerts about background work that fails, in this half and in the other parts of the server.

The other parts only record events of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Literal

from touchline.capture.logs.alertlog import Alerts
from touchline.capture.logs.alerts import Alert
from touchline.core.events.event import Event
from touchline.core.events.kinds import AlertType
from touchline.core.events.log import MEMORY_LIMIT, EventLog

TASK_ALERTS_EVERY_S = 1.0


def task_alert(kind: str, category: str, message: str, details: Mapping[str, Any]) -> Alert:
    """Return the alert about work that failed or recovered."""
    severity: Literal["error", "warning"] = "error" if category == "failed" else "warning"
    name: AlertType = (
        "background_task_failed" if category == "failed" else "background_task_recovered"
    )
    return Alert(name, severity, message, {"kind": kind, **details})


def alert_of(event: Event) -> Alert | None:
    """Return the alert that an event of a task's failure or recovery requires, if it is one."""
    if event.type != "health" or "task" not in event.details:
        return None
    if event.category not in {"failed", "recovered"}:
        return None
    return task_alert(event.type, event.category, event.message, event.details)


class TaskAlerts:
    """Sender of an alert for each event of a task that failed or recovered."""

    def __init__(self, events: EventLog, alerts: Alerts) -> None:
        self._events = events
        self._alerts = alerts
        self._seen: Event | None = None

    async def once(self) -> None:
        """Send the alerts for the events since the last call, the oldest first."""
        newest = self._events.newest(MEMORY_LIMIT)
        fresh = list(itertools.takewhile(lambda each: each is not self._seen, newest))
        for event in reversed(fresh):
            self._seen = event
            if (alert := alert_of(event)) is not None:
                self._alerts.send(alert)
