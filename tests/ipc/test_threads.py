from __future__ import annotations

import threading

import pytest

from touchline.ipc.threads import watched

DEADLINE_S = 10.0


def run(thread: threading.Thread) -> None:
    thread.start()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


def test_a_thread_that_returns_has_not_died() -> None:
    done: list[tuple[int, int]] = []
    died: list[BaseException] = []

    def work(a: int, b: int) -> None:
        done.append((a, b))

    run(watched(work, 1, 2, name="worker", died=died.append))
    assert (done, died) == ([(1, 2)], [])


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), MemoryError()])
def test_whoever_started_it_gets_the_error_that_ended_it(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    died: list[BaseException] = []

    def work() -> None:
        raise error

    run(watched(work, name="worker 7", died=died.append))
    assert died == [error]
    (record,) = caplog.records
    assert "worker 7" in record.getMessage()
    assert record.exc_info is not None


def test_it_is_named_not_started_and_keeps_no_process() -> None:
    thread = watched(lambda: None, name="worker", died=lambda _: None)
    assert (thread.name, thread.daemon, thread.is_alive()) == ("worker", True, False)
