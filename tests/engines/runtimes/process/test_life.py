"""Processes stop, die and are started again, with all that they have started."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import anyio
import pytest

from support.engineprocesses import (
    DEADLINE_S,
    log_of,
    next_of,
    shell,
    sleeper,
    start,
    stop_all,
    until,
    with_mark,
)
from support.runtimes import pid_of, process_runtime
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.process.kernel import procfs
from touchline.engines.runtimes.process.runtime import ProcessRuntime

pytestmark = pytest.mark.anyio


async def test_a_polite_stop_lets_a_program_tidy_up(
    runtime: ProcessRuntime, tmp_path: Path
) -> None:
    bye = tmp_path / "bye"
    script = f"trap 'echo bye > {bye}; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    instance = await start(runtime, shell(script))
    await until(lambda: b"ready" in log_of(runtime, instance))
    async with runtime.watch() as events:
        await runtime.stop(instance.id, grace_s=DEADLINE_S)
        assert (await next_of(events, "died")).exit_code == 0
    assert bye.read_text() == "bye\n"


async def test_a_program_that_ignores_the_polite_stop_is_killed_with_all_it_has_started(
    runtime: ProcessRuntime,
) -> None:
    deaf = "trap '' TERM; setsid sleep 600 & (sleep 600 &) ; echo ready; while :; do sleep 1; done"
    instance = await start(runtime, shell(deaf))
    await until(lambda: len(with_mark(instance.id)) == 4)
    async with runtime.watch() as events:
        await runtime.stop(instance.id, grace_s=0.2)
        assert (await next_of(events, "died")).exit_code == 137
    assert with_mark(instance.id) == []


async def test_what_a_program_that_dies_has_started_dies_with_it(runtime: ProcessRuntime) -> None:
    instance = await start(runtime, shell("setsid sleep 600 & sleep 600 & exec sleep 600"))
    await until(lambda: len(with_mark(instance.id)) == 3)
    os.kill(min(with_mark(instance.id)), signal.SIGKILL)
    await until(lambda: not with_mark(instance.id))
    (seen,) = await runtime.list()
    assert (seen.state, seen.exit_code) == ("exited", 137)


async def test_a_frozen_process_is_shown_as_paused_and_hears_the_polite_stop(
    runtime: ProcessRuntime,
) -> None:
    instance = await start(runtime, sleeper())
    os.kill(pid := pid_of(instance.id), signal.SIGSTOP)
    await until(lambda: (now := procfs.stat_of(pid)) is not None and now.state == "T")
    (seen,) = await runtime.list()
    assert seen.state == "paused"
    async with runtime.watch() as events:
        await runtime.stop(instance.id, grace_s=2)
        assert (await next_of(events, "died")).exit_code == 128 + signal.SIGTERM
    assert list(await runtime.list()) == []


async def test_a_hundred_are_stopped_at_once(runtime: ProcessRuntime, directory: Path) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(start, runtime, sleeper(f"n{number}"))
    instances = await runtime.list()
    assert len(instances) == 100
    with anyio.fail_after(DEADLINE_S):
        async with anyio.create_task_group() as tasks:
            for instance in instances:
                tasks.start_soon(partial(runtime.stop, instance.id, grace_s=DEADLINE_S))
    assert list(directory.iterdir()) == []


async def test_events_end_when_the_runtime_is_closed(runtime: ProcessRuntime) -> None:
    async with runtime.watch() as events:
        await runtime.close()
        with pytest.raises(RuntimeUnavailable):
            await anext(aiter(events))


async def test_what_restarts_is_started_again_until_it_is_stopped(
    runtime: ProcessRuntime, directory: Path
) -> None:
    instance = await start(runtime, sleeper(restarts=True))
    async with runtime.watch() as events:
        os.kill(first := pid_of(instance.id), signal.SIGKILL)
        assert (await next_of(events, "died")).exit_code == 137
        (seen,) = await runtime.list()
        assert seen.state == "exited"
        assert (await next_of(events, "started")).instance_id == instance.id
        assert (await runtime.inspect(instance.id)).state == "running"
        os.kill(second := pid_of(instance.id), signal.SIGKILL)
        await next_of(events, "died")
        life = runtime._lives[instance.id]
        await until(lambda: life.restarting is not None and not life.restarting.done())
        await runtime.stop(instance.id, grace_s=1)
        assert (await anext(aiter(events))).kind == "removed"
    assert first != second
    assert with_mark(instance.id) == []
    assert list(directory.iterdir()) == []


async def test_what_restarts_is_started_again_by_the_next_server(directory: Path) -> None:
    async with process_runtime(directory) as runtime:
        instance = await start(runtime, sleeper(restarts=True))
    os.kill(pid_of(instance.id), signal.SIGKILL)
    async with process_runtime(directory) as runtime:
        async with runtime.watch() as events:
            assert (await next_of(events, "started")).instance_id == instance.id
        await stop_all(runtime)
