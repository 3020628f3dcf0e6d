from __future__ import annotations

import logging

import anyio
import pytest

from touchline.backoff import RetryPauses
from touchline.core.tasks import Changed, keep_running, keep_trying, next_due_s, usual_pauses

pytestmark = pytest.mark.anyio

SHORT = RetryPauses(first_s=0.001, longest_s=0.002, stable_s=30.0)


@pytest.mark.parametrize(
    ("failures", "every_s", "pause_s"),
    [
        (1, 1.0, 2.0),
        (3, 1.0, 8.0),
        (10, 1.0, 30.0),
        (1, 60.0, 60.0),
        (5000, 1.0, 30.0),
    ],
)
def test_each_failure_doubles_the_pause_up_to_the_longest(
    failures: int, every_s: float, pause_s: float
) -> None:
    assert usual_pauses(every_s).pause_s(failures) == pause_s


@pytest.mark.parametrize(
    ("due_s", "now_s", "every_s", "next_s"),
    [
        (10.0, 10.3, 1.0, 11.0),
        (10.0, 11.0, 1.0, 12.0),
        (10.0, 13.5, 1.0, 14.0),
        (10.0, 10.0, 0.0, 10.0),
        (10.0, 9.9, 1.0, 11.0),
    ],
)
def test_calls_stay_on_their_grid_and_missed_ones_are_skipped(
    due_s: float, now_s: float, every_s: float, next_s: float
) -> None:
    assert next_due_s(due_s, now_s, every_s) == pytest.approx(next_s)


async def test_a_failure_is_logged_and_the_work_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    calls = 0
    enough = anyio.Event()

    async def once() -> None:
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise OSError("no such camera")
        enough.set()

    caplog.set_level(logging.INFO)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: keep_running("camera watch", once, every_s=0.005))
            await enough.wait()
            while "recovered" not in caplog.text:
                await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()
    levels = [(r.levelname, bool(r.exc_info)) for r in caplog.records]
    assert levels == [("ERROR", True), ("WARNING", False), ("INFO", False)]
    assert "camera watch failed 2 times" in caplog.text


async def test_cancelling_ends_it_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    started = anyio.Event()

    async def once() -> None:
        started.set()
        await anyio.sleep_forever()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: keep_running("watch", once, every_s=0.01))
            await started.wait()
            tasks.cancel_scope.cancel()
    assert not caplog.records


async def test_many_marks_between_two_looks_are_one_piece_of_news() -> None:
    changed = Changed()
    changed.mark()
    changed.mark()
    assert await changed.wait(0) == 2
    with anyio.move_on_after(0.02) as scope:
        await changed.wait(2)
    assert scope.cancelled_caught


async def test_a_mark_wakes_everybody_who_waits() -> None:
    changed = Changed()
    seen: list[int] = []

    async def reader() -> None:
        seen.append(await changed.wait(changed.version))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(reader)
            await anyio.wait_all_tasks_blocked()
            changed.mark()
    assert seen == [1, 1, 1]


async def test_work_without_a_pause_does_not_spin_while_it_fails() -> None:
    calls = 0

    async def once() -> None:
        nonlocal calls
        calls += 1
        raise OSError

    with anyio.move_on_after(0.3):
        await keep_running("watch", once, every_s=0.0)
    assert 1 <= calls <= 3


async def test_failures_and_recovery_are_told_and_a_failing_listener_ends_nothing() -> None:
    told: list[tuple[str, int]] = []
    done = anyio.Event()

    async def once() -> None:
        if len(told) < 2:
            raise KeyError("x")

    def on_failure(_name: str, error: Exception, failures: int, _pause_s: float) -> None:
        told.append((type(error).__name__, failures))
        raise MemoryError

    def on_recovery(_name: str, failures: int) -> None:
        told.append(("recovered", failures))
        done.set()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(
                lambda: keep_running(
                    "watch", once, every_s=0.001, on_failure=on_failure, on_recovery=on_recovery
                )
            )
            await done.wait()
            tasks.cancel_scope.cancel()
    assert told == [("KeyError", 1), ("KeyError", 2), ("recovered", 2)]


async def test_errors_that_are_not_retried_are_raised() -> None:
    calls = 0

    async def once() -> None:
        nonlocal calls
        calls += 1
        raise OSError("once more") if calls < 3 else ValueError("a mistake")

    with anyio.fail_after(5), pytest.raises(ValueError, match="a mistake"):
        await keep_running("watch", once, every_s=0.001, pauses=SHORT, retries=OSError)
    assert calls == 3


async def test_a_failure_is_reported_in_the_place_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[tuple[str, str, int, float]] = []

    def report(name: str, error: Exception, failures: int, pause_s: float) -> None:
        told.append((name, str(error), failures, pause_s))
        if failures == 1:
            raise RuntimeError("the report fails")

    async def work() -> None:
        if len(told) < 3:
            raise OSError("no such camera")

    with anyio.fail_after(5):
        await keep_trying("camera", work, pauses=SHORT, report=report)
    assert told == [("camera", "no such camera", n, SHORT.pause_s(n)) for n in (1, 2, 3)]
    assert [r.message for r in caplog.records if r.levelname in {"ERROR", "WARNING"}] == [
        "camera: its failure or recovery could not be reported"
    ]
