"""The disk is judged by the time in which the worker ran."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from support.coded import frames
from support.segments import order
from touchline.media.storage.disk import OK, SLOW, Disk
from touchline.worker.awakeclock import LOOK_NS, AwakeClock
from touchline.worker.recording import diskwatch
from touchline.worker.recording.diskwatch import DiskWatch
from touchline.worker.recording.ledger import RecordingLedger
from touchline.worker.recording.recorder import CameraRecorder

MS = 1_000_000


class Time:
    def __init__(self) -> None:
        self.now_ns = 5_000 * MS

    def __call__(self) -> int:
        return self.now_ns


@pytest.mark.parametrize(
    ("passed_ms", "counted_ms"),
    [([50, 50], 100), ([30_000], 100), ([50, 30_000, 50], 200), ([-7_000, 50], 50)],
    ids=["looked at often", "one pause", "a pause in between", "a clock that goes back"],
)
def test_a_pause_counts_as_one_look(passed_ms: list[int], counted_ms: int) -> None:
    now = Time()
    clock = AwakeClock(now)
    began_ns = clock()
    for each in passed_ms:
        now.now_ns += each * MS
        clock()
    assert clock() - began_ns == counted_ms * MS
    assert LOOK_NS == 100 * MS


@pytest.mark.parametrize(("look_ms", "state"), [(50, SLOW), (30_000, OK)])
def test_a_pause_of_the_worker_is_no_slow_disk(tmp_path: Path, look_ms: int, state: str) -> None:
    now, said = Time(), list[dict[str, object]]()
    watch = DiskWatch(order(tmp_path), Disk(), RecordingLedger(said.append), monotonic_ns=now)
    for _ in range(3):
        with watch.measured():
            for _ in range(0, 1_000, look_ms):
                now.now_ns += look_ms * MS
                watch.report_state()
    assert watch.judge_state()[0] == state
    assert bool(said) == (state == SLOW)


def test_a_stop_across_a_pause_of_the_worker_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause is of a minute; the disk takes its data a moment later."""
    paused_ns, let_go = [0], threading.Event()

    class HeldDisk(Disk):
        def sync(self, descriptor: int) -> None:
            let_go.wait(10)
            super().sync(descriptor)

    clock = AwakeClock(lambda: time.monotonic_ns() + paused_ns[0])
    monkeypatch.setattr(diskwatch, "AwakeClock", lambda _: clock)
    recorder = CameraRecorder(order(tmp_path), notify=lambda _: None, disk=HeldDisk())
    for frame in frames(10, gop=10):
        recorder.push(frame)

    def pause() -> None:
        paused_ns[0] = 60_000_000_000
        let_go.wait(0.3)
        let_go.set()

    threading.Timer(0.1, pause).start()
    report = recorder.close(5.0)
    assert not report["timed_out"]
    assert report["finalized"]
