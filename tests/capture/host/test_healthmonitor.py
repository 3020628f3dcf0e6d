"""The health log has a line for each change, and one a minute where nothing changes."""

from typing import Any

import anyio
import pytest

from support.watched import AT, Clock
from touchline.capture.host import healthmonitor
from touchline.capture.host.answers import HostHealth
from touchline.capture.host.healthmonitor import HealthMonitor
from touchline.core.tasks import Changed

IDLE = {"recording": False, "match_id": None, "duration": 0.0}
RUNNING = {"recording": True, "match_id": "final", "duration": 61.7}
WELL = {"healthy": True, "message": "Recording healthy"}
HOST: HostHealth = {
    "status": "healthy",
    "system": {
        "cpu_percent": 7.6,
        "memory_percent": 38.5,
        "memory_available_gb": 4.58,
        "disk_free_gb": 135.61,
        "disk_percent": 38.8,
    },
}
NO_FRAMES = "cam0: No frames for 3.2 s"
HOST_LINE = "cpu 7.6 %, memory 38.5 %, disk 38.8 %, 135.61 GiB free"


class Monitored:
    """A monitor of reports that a test sets, and what it wrote without the time."""

    def __init__(self) -> None:
        self.clock, self.changed = Clock(), Changed()
        self.written: list[bytes] = []
        self.recording: dict[str, Any] = {"healthy": True, "message": "No active recording"}
        self.host: HostHealth = HOST
        self.status: dict[str, Any] = IDLE
        self.monitor = HealthMonitor(
            self.written.append,
            recording=lambda: self.recording,
            host=lambda: self.host,
            status=lambda: self.status,
            changed=self.changed,
            now=lambda: AT,
            clock=self.clock,
        )

    @property
    def lines(self) -> list[str]:
        return [line.decode().removeprefix("[2026-02-11 22:02:41] ") for line in self.written]


@pytest.fixture
def monitored() -> Monitored:
    return Monitored()


def test_what_does_not_change_is_told_once_a_minute(monitored: Monitored) -> None:
    for _ in range(130):
        monitored.monitor.look()
        monitored.clock.now_s += 1.0
    assert monitored.lines == [f"INFO: healthy: No active recording; {HOST_LINE}\n"] * 3


def test_each_change_is_told_at_once(monitored: Monitored) -> None:
    monitored.monitor.look()
    monitored.status, monitored.recording = RUNNING, WELL
    monitored.monitor.look()
    monitored.recording = {"healthy": False, "message": NO_FRAMES}
    monitored.monitor.look()
    monitored.host = {"status": "error", "detail": "The recordings disk cannot be read"}
    monitored.monitor.look()
    assert monitored.lines[1:] == [
        f"INFO: healthy: match final, 62 s; Recording healthy; {HOST_LINE}\n",
        f"ALERT: unhealthy: match final, 62 s; {NO_FRAMES}; {HOST_LINE}\n",
        f"ALERT: unhealthy: match final, 62 s; {NO_FRAMES}; The recordings disk cannot be read\n",
    ]


def test_a_figure_that_grows_in_the_same_message_is_no_news(monitored: Monitored) -> None:
    for age_s in (3.2, 4.2, 10.0):
        message = f"cam0: No frames for {age_s} s"
        monitored.recording = {"healthy": False, "message": message}
        monitored.monitor.look()
    assert len(monitored.lines) == 1


@pytest.mark.anyio
async def test_a_change_is_not_waited_for_until_the_next_look(
    monitored: Monitored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(healthmonitor, "LOOK_EVERY_S", 3600)
    with anyio.fail_after(5):
        await monitored.monitor.once()
        monitored.status, monitored.recording = RUNNING, WELL
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(monitored.monitor.once)
            await anyio.wait_all_tasks_blocked()
            assert len(monitored.lines) == 1
            monitored.changed.mark()
    assert len(monitored.lines) == 2


@pytest.mark.anyio
async def test_without_a_mark_there_is_a_look_after_a_while(
    monitored: Monitored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(healthmonitor, "LOOK_EVERY_S", 0.01)
    with anyio.fail_after(5):
        await monitored.monitor.once()
        monitored.host = {"status": "error", "detail": "gone"}
        await monitored.monitor.once()
    assert len(monitored.lines) == 2
