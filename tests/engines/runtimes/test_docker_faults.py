"""The runtime while bad things happen to a real daemon, which is this module's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import pytest

from support.docker import Daemon, DockerRig, docker_rig, private_daemon
from touchline.engines.model.model import RuntimeEvent
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.docker import events as dockerevents

pytestmark = pytest.mark.anyio

CALL_S = 0.5
DEADLINE_S = 20.0


@pytest.fixture(scope="module")
def made() -> Iterator[Daemon]:
    with private_daemon(live_restore=True) as daemon:
        yield daemon


@pytest.fixture
def daemon(made: Daemon) -> Iterator[Daemon]:
    """The module's daemon; it runs again after the test."""
    yield made
    made.resume()
    if not made.answers():
        made.start()


@pytest.fixture
async def rig(daemon: Daemon) -> AsyncIterator[DockerRig]:
    async with docker_rig(daemon, call_timeout_s=CALL_S) as made:
        try:
            yield made
        finally:
            daemon.resume()
            if not daemon.answers():
                await apart(daemon.start)


async def apart(work: Any) -> None:
    """A slow step that leaves the event loop free."""
    await anyio.to_thread.run_sync(work)


async def nothing_left(rig: DockerRig) -> None:
    """Wait until no container is left, as lists from time to time achieve."""
    with anyio.fail_after(DEADLINE_S):
        while True:
            listed = await rig.runtime.list()
            if not listed and not await anyio.to_thread.run_sync(rig.left):
                return
            assert listed == []
            await anyio.sleep(0.1)


async def ended(events: AsyncIterator[RuntimeEvent]) -> None:
    async for _ in events:
        pass


async def test_a_frozen_daemon_is_unavailable_in_bounded_time(
    daemon: Daemon, rig: DockerRig
) -> None:
    instance = await rig.runtime.start(rig.spec("kept"), within_s=DEADLINE_S)
    daemon.pause()
    runtime = rig.runtime
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "list": runtime.list,
        "inspect": partial(runtime.inspect, instance.id),
        "usage": runtime.usage,
        "stop": partial(runtime.stop, instance.id, grace_s=0),
        "restart": partial(runtime.restart, instance.id, grace_s=0),
        "execute": partial(runtime.execute, instance.id, ["true"], within_s=DEADLINE_S),
        "start": partial(runtime.start, rig.spec("late"), within_s=DEADLINE_S),
    }
    said = {}
    with anyio.fail_after(10 * CALL_S):
        async with anyio.create_task_group() as tasks:

            async def call(name: str) -> None:
                try:
                    await calls[name]()
                except RuntimeUnavailable as error:
                    said[name] = error.message

            for name in calls:
                tasks.start_soon(call, name)
    assert said.keys() == calls.keys()
    assert all("did not respond" in message for message in said.values())


async def test_a_start_that_a_frozen_daemon_carries_out_later_leaves_nothing(
    daemon: Daemon, rig: DockerRig
) -> None:
    await rig.runtime.list()  # the first call asks for the version, and sends nothing else
    daemon.pause()
    with pytest.raises(RuntimeUnavailable):
        await rig.runtime.start(rig.spec("late"), within_s=DEADLINE_S)
    daemon.resume()
    # The daemon reads what was sent to it while it stood still, and makes the container now.
    with anyio.fail_after(DEADLINE_S):
        while not await anyio.to_thread.run_sync(rig.left):
            await anyio.sleep(0.02)
    await nothing_left(rig)


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.08, 0.15])
async def test_a_daemon_that_dies_during_a_start_leaves_nothing_once_it_is_back(
    daemon: Daemon, rig: DockerRig, after_s: float
) -> None:
    async with anyio.create_task_group() as tasks:
        failed = anyio.Event()

        async def start() -> None:
            with pytest.raises(RuntimeUnavailable):
                await rig.runtime.start(rig.spec("lost"), within_s=DEADLINE_S)
            failed.set()

        tasks.start_soon(start)
        await anyio.sleep(after_s)  # each time something else is under way
        daemon.kill()
        with anyio.fail_after(10 * CALL_S):
            await failed.wait()
    assert rig.runtime.starting() == frozenset()
    await apart(daemon.start)
    await nothing_left(rig)


async def test_without_a_daemon_every_call_fails_at_once_and_later_works_again(
    daemon: Daemon, rig: DockerRig
) -> None:
    instance = await rig.runtime.start(rig.spec("kept"), within_s=DEADLINE_S)
    daemon.kill()
    for call in (
        rig.runtime.list,
        rig.runtime.usage,
        partial(rig.runtime.start, rig.spec("none"), within_s=DEADLINE_S),
        partial(rig.runtime.stop, instance.id, grace_s=5),
    ):
        with anyio.fail_after(CALL_S), pytest.raises(RuntimeUnavailable):
            await call()
    with anyio.fail_after(CALL_S), pytest.raises(RuntimeUnavailable):
        async with rig.runtime.watch():
            pytest.fail("it was entered")
    await apart(daemon.start)
    (seen,) = await rig.runtime.list()
    assert (seen.id, seen.state) == (instance.id, "running")
    await rig.runtime.stop(instance.id, grace_s=1)
    assert list(await rig.runtime.list()) == []


async def test_events_end_when_the_daemon_dies_or_freezes(
    daemon: Daemon, rig: DockerRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dockerevents, "PING_EVERY_S", 0.1)
    for harm in (daemon.pause, daemon.kill):
        with anyio.fail_after(DEADLINE_S):
            async with rig.runtime.watch() as events:
                harm()
                with pytest.raises(RuntimeUnavailable):
                    await ended(events)
        daemon.resume()


async def test_letting_go_of_a_frozen_daemon_does_not_take_long(daemon: Daemon) -> None:
    async with docker_rig(daemon, call_timeout_s=CALL_S) as rig:
        instance = await rig.runtime.start(rig.spec("kept"), within_s=DEADLINE_S)
        async with rig.runtime.watch(), rig.second() as other:
            daemon.pause()
            with anyio.move_on_after(0.1):
                await other.stop(instance.id, grace_s=60)
            with anyio.fail_after(10 * CALL_S):
                await other.close()
            daemon.resume()
