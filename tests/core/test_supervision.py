from __future__ import annotations

from typing import Any

import anyio
import pytest

from support.supervised import supervisor
from support.virtualtime import run_in_virtual_time
from touchline.core.errors import Failed
from touchline.core.metrics import Metrics
from touchline.core.supervision import FAILS_FOR_S, Supervisor, describe_error, open_tasks


class Events:
    """What was recorded: category, task and number of failures."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, int | None]] = []

    def record(self, kind: str, category: str, message: str, **details: Any) -> None:
        assert kind == "health"
        assert message
        self.kept.append((category, str(details.get("task")), details.get("failures")))


class Flaky:
    """Fails so many times, then works."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.left = failures
        self.error = error or ValueError("no")
        self.done = 0

    async def once(self) -> None:
        if self.left:
            self.left -= 1
            raise self.error
        self.done += 1


def test_a_row_of_failures_is_an_event_at_each_doubling_and_one_at_its_end() -> None:
    events = Events()

    async def work(_: object) -> None:
        flaky = Flaky(9)
        async with open_tasks(supervisor(events.record)) as tasks:
            tasks.keep("looking", flaky.once, every_s=1.0)
            while not flaky.done:
                await anyio.sleep(1.0)

    run_in_virtual_time(work)
    failed = [("failed", "looking", number) for number in (1, 2, 4, 8)]
    assert events.kept == [*failed, ("recovered", "looking", None)]


def test_what_fails_now_keeps_the_server_from_being_ready() -> None:
    async def work(_: object) -> None:
        made = supervisor()
        flaky = Flaky(1)
        async with open_tasks(made) as tasks:
            tasks.keep("looking", flaky.once, every_s=10.0)
            await anyio.sleep(1.0)
            assert made.failing == {"looking": "ValueError: no"}
            (reason,) = made.reasons()
            assert reason["code"] == "task_failing"
            assert "ValueError: no" in reason["message"]
            while not flaky.done:
                await anyio.sleep(1.0)
            assert made.reasons() == []

    run_in_virtual_time(work)


def test_a_failure_is_forgotten_after_a_while() -> None:
    async def work(_: object) -> None:
        made = supervisor()
        with anyio.move_on_after(0.001):
            await made.keep("looking", Flaky(10).once, every_s=3600.0)
        await anyio.sleep(FAILS_FOR_S - 1.0)
        assert "looking" in made.failing
        await anyio.sleep(2.0)
        assert made.failing == {}

    run_in_virtual_time(work)


def test_an_error_that_is_expected_only_slows_the_work() -> None:
    events = Events()

    async def work(_: object) -> None:
        made = supervisor(events.record)
        flaky = Flaky(3, Failed("the runtime is away", code="away"))
        await made.keep_until_done("asking", flaky.once)
        assert flaky.done == 1
        assert made.failing == {}

    run_in_virtual_time(work)
    assert events.kept == []


def test_no_task_ends_another() -> None:
    events, metrics = Events(), Metrics()
    done: list[str] = []

    async def fails() -> None:
        raise RuntimeError("no")

    async def works(name: str) -> None:
        await anyio.sleep(5.0)
        done.append(name)

    async def work(_: object) -> None:
        async with open_tasks(Supervisor(events.record, metrics, half="test")) as tasks:
            tasks.start_soon(fails, name="one that fails")
            tasks.start_soon(works, "anna", name="one that works")
            tasks.keep_until_done("one that is retried", Flaky(2).once)
            await anyio.sleep(10.0)

    run_in_virtual_time(work)
    assert done == ["anna"]
    assert ("failed", "one that fails", None) in events.kept
    counted = 'touchline_test_task_failures_total{task="one that fails"} 1.0'
    assert counted in metrics.render().decode()


def test_tasks_end_with_their_scope() -> None:
    ended: list[bool] = []

    async def for_ever() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async def work(_: object) -> None:
        async with open_tasks(supervisor()) as tasks:
            tasks.start_soon(for_ever, name="for ever")
            await anyio.sleep(1.0)

    run_in_virtual_time(work)
    assert ended == [True]


def test_a_record_that_cannot_be_written_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    supervisor(full).note("looking", ValueError("no"), about="engine e1", engine_id="e1")
    assert "ValueError: no" in caplog.text
    assert "No space left" in caplog.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no"), "ValueError: no"),
        (ValueError(), "ValueError"),
        (Failed("the disk is full", code="disk"), "the disk is full"),
        (
            ExceptionGroup("a", [ExceptionGroup("b", [KeyError("x"), ValueError()])]),
            "KeyError: 'x'",
        ),
    ],
)
def test_an_error_is_told_in_one_line(error: Exception, said: str) -> None:
    assert describe_error(error) == said
