"""Each loss and each return is one line, however often it is told."""

from typing import Any

import pytest

from support.watched import AT, Clock, FakeCamera
from touchline.capture.host.watchdog import Watchdog


class Watched:
    """A watchdog, its camera, and what was written without the time."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.written: list[bytes] = []
        self.dog = Watchdog(self.written.append, now=lambda: AT, clock=self.clock)
        self.camera: Any = FakeCamera()

    @property
    def lines(self) -> list[str]:
        stamp = "[2026-02-11 22:02:41] "
        assert all(line.decode().startswith(stamp) for line in self.written)
        return [line.decode().removeprefix(stamp).rstrip("\n") for line in self.written]

    def connected(self, *, spawned: bool, match_id: str | None = None) -> None:
        self.camera.link.spawns += spawned
        order = None if match_id is None else {"match_id": match_id}
        self.dog.camera_connected(self.camera, {"pid": 4711, "order": order})

    def state(self, state: str, last_error: str | None = None) -> None:
        self.camera.status = {"state": state, "last_error": last_error}
        self.dog.camera_event(self.camera, {"event": "status"})


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_worker_is_started_or_found_and_one_that_records_is_adopted(watched: Watched) -> None:
    watched.connected(spawned=True)
    watched.connected(spawned=False)
    watched.connected(spawned=False, match_id="final")
    assert watched.lines == [
        "INFO: cam0: worker 4711 was started",
        "INFO: cam0: worker 4711 was found running",
        "INFO: cam0: worker 4711 was found running and records match final: adopted",
    ]
    assert watched.dog.counts["cam0", "worker_start"] == 1


def test_a_worker_s_end_is_told_with_its_reason(watched: Watched) -> None:
    watched.dog.camera_lost(watched.camera, "it said nothing for 3.1 s and was killed")
    assert watched.lines == [
        "ALERT: cam0: the worker exited: it said nothing for 3.1 s and was killed"
    ]
    assert watched.dog.counts["cam0", "worker_loss"] == 1


def test_a_camera_tried_again_for_hours_is_lost_once_and_found_once(watched: Watched) -> None:
    watched.state("running")
    watched.state("stalled", "no frame for 0.9 s")
    watched.state("stalled", "no frame for 1.4 s")
    for _ in range(1000):
        watched.state("retrying", "connection refused")
        watched.state("starting", "connection refused")
    watched.clock.now_s += 7200.04
    watched.state("running")
    watched.state("running")
    assert watched.lines == [
        "ALERT: cam0: the camera is lost: no frame for 0.9 s",
        "INFO: cam0: the camera is back after 7200.0 s",
    ]
    counts = watched.dog.counts
    assert [counts["cam0", what] for what in ("stall", "loss", "recovery")] == [1, 1, 1]


def test_every_stall_counts(watched: Watched) -> None:
    for _ in range(3):
        watched.state("stalled")
        watched.state("running")
    assert watched.dog.counts["cam0", "stall"] == 3
    assert watched.dog.counts["cam0", "recovery"] == 3


def test_a_camera_that_is_given_up_is_told_again(watched: Watched) -> None:
    watched.state("retrying", "no such device")
    watched.state("error", "no such device")
    watched.state("error", "no such device")
    assert watched.lines == [
        "ALERT: cam0: the camera is lost: no such device",
        "ALERT: cam0: giving up on the camera: no such device",
    ]


def test_a_lost_camera_that_nobody_wants_any_more_does_not_come_back(watched: Watched) -> None:
    watched.state("retrying", "no such device")
    watched.state("stopped")
    watched.state("running")
    assert len(watched.lines) == 1
    assert watched.dog.counts["cam0", "recovery"] == 0


def test_a_disk_is_told_when_it_fills_and_when_it_takes_footage_again(watched: Watched) -> None:
    for state, error in (("full", "12 MiB are free"), ("full", "11 MiB are free"), ("ok", None)):
        event = {"event": "disk", "state": state, "error": error}
        watched.dog.camera_event(watched.camera, event)
    assert watched.lines == [
        "ALERT: cam0: the disk is not writable: full: 12 MiB are free",
        "INFO: cam0: the disk is writable again",
    ]


@pytest.mark.anyio
async def test_the_live_process_comes_and_goes(watched: Watched) -> None:
    await watched.dog.live_started()
    watched.dog.live_event({"event": "status"})
    watched.dog.live_event({"event": "lost"})
    assert watched.lines == [
        "INFO: live: the live process is running",
        "ALERT: live: the live process exited; it is being replaced",
    ]


def test_other_news_of_a_worker_writes_nothing(watched: Watched) -> None:
    watched.dog.camera_event(watched.camera, {"event": "segment", "change": "opened"})
    assert watched.lines == []
