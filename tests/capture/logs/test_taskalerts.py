"""A task that fails anywhere in the server is an alert."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakeengines import MemoryEvents
from touchline.capture.logs.alerts import Alert
from touchline.capture.logs.taskalerts import TaskAlerts, alert_of
from touchline.core.events.event import make_event
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor

pytestmark = pytest.mark.anyio


class Sent:
    """The alert log, which only remembers."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def send(self, alert: Alert) -> None:
        self.alerts.append(alert)


async def test_failures_and_recoveries_of_every_part_are_alerts_once() -> None:
    events: Any = MemoryEvents()
    sent: Any = Sent()
    alerts = TaskAlerts(events, sent)
    supervisor = Supervisor(events.record, Metrics())
    supervisor.note("engine start", KeyError("HostConfig"))
    await alerts.once()
    await alerts.once()
    assert [(each.event_type, each.severity) for each in sent.alerts] == [
        ("background_task_failed", "error")
    ]
    assert sent.alerts[0].details["task"] == "engine start"
    assert "HostConfig" in sent.alerts[0].message
    events.record("engine", "created", "Engine a was started")
    events.record("health", "recovered", "reconciler recovered after 3 failures", task="reconciler")
    await alerts.once()
    assert sent.alerts[-1].event_type == "background_task_recovered"
    assert len(sent.alerts) == 2


@pytest.mark.parametrize(
    ("type_", "category", "details"),
    [
        ("health", "failed", {"container_id": "an engine's own health"}),
        ("health", "warning", {"task": "reconciler"}),
        ("engine", "failed", {"task": "reconciler"}),
        ("background_task_failed", "alert", {"task": "recorder"}),
    ],
)
def test_other_events_are_none(type_: Any, category: Any, details: dict[str, Any]) -> None:
    assert alert_of(make_event(type_, category, "it happened", **details)) is None
