from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from touchline.worker.recording import writerthread as module
from touchline.worker.recording.writer import Work
from touchline.worker.recording.writerthread import WriterThread

WITHIN_S = 30.0


class Rig:
    """Writers that do what a test says, one after the other; the last one goes on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *orders: BaseException | None) -> None:
        self.orders = list(orders)
        self.begun: list[BaseException | None] = []
        self.finish = threading.Event()
        self.work = SimpleNamespace(written=0)
        self.told: list[dict[str, Any]] = []
        rig = self

        class PlayedWriter:
            def __init__(self, work: Work, *, after: BaseException | None) -> None:
                del work
                rig.begun.append(after)

            def run(self) -> None:
                order = rig.orders.pop(0) if rig.orders else None
                if order is not None:
                    raise order
                rig.finish.wait(WITHIN_S)

        monkeypatch.setattr(module, "Writer", PlayedWriter)
        monkeypatch.setattr(module, "_FIRST_PAUSE_NS", 1_000_000)
        self.thread = WriterThread(cast("Work", self.work), self.told.append)

    def minded(self, condition: Any) -> None:
        deadline_s = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < deadline_s
            self.thread.monitor_writer()
            time.sleep(0.005)

    def events(self) -> list[str]:
        return [each["event"] for each in self.told]


def test_a_writer_that_has_written_everything_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch)
    rig.thread.monitor_writer()
    rig.finish.set()
    assert rig.thread.done.wait(WITHIN_S)
    assert (rig.begun, rig.told, rig.thread.error) == ([None], [], None)


def test_a_writer_that_failed_is_replaced_by_one_that_knows_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = ValueError("argument out of range")
    rig = Rig(monkeypatch, error)
    rig.minded(lambda: len(rig.begun) == 2)
    assert rig.begun == [None, error]
    assert rig.thread.error == "ValueError: argument out of range"
    (failed,) = rig.told
    assert (failed["event"], failed["deaths"]) == ("writer_failed", 1)
    rig.finish.set()


def test_a_writer_is_well_again_once_it_has_written_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PROOF_NS", 20_000_000)
    rig = Rig(monkeypatch, MemoryError())
    rig.minded(lambda: len(rig.begun) == 2)
    for _ in range(20):
        rig.thread.monitor_writer()
    assert rig.thread.error == "there was not enough memory", "it has written nothing yet"
    rig.work.written += 1
    rig.minded(lambda: rig.thread.error is None)
    assert rig.events() == ["writer_failed", "writer_recovered"]
    rig.finish.set()


def test_writers_that_fail_at_once_are_begun_ever_more_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ns = [0]
    monkeypatch.setattr(
        module, "time", SimpleNamespace(monotonic_ns=lambda: now_ns[0], sleep=time.sleep)
    )
    rig = Rig(monkeypatch)
    pauses_ms = []
    for _ in range(8):
        rig.thread._note_failure(ValueError("again"))
        pauses_ms.append((rig.thread._next_writer_ns - now_ns[0]) // 1_000_000)
    assert pauses_ms == [0, 1, 2, 4, 8, 16, 32, 64]
    for _ in range(20):
        rig.thread._note_failure(ValueError("again"))
    assert rig.thread._next_writer_ns <= module._LONGEST_PAUSE_NS


def test_a_machine_without_threads_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real, refusing = threading.Thread.start, [True]

    def start(self: threading.Thread) -> None:
        if refusing[0] and self.name == "writer":
            raise RuntimeError("can't start new thread")
        real(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    rig = Rig(monkeypatch)
    rig.thread.monitor_writer()
    assert "can't start new thread" in str(rig.thread.error)
    refusing[0] = False
    rig.minded(lambda: len(rig.begun) > 1)
    rig.finish.set()
    assert rig.thread.done.wait(WITHIN_S)
