"""What every runtime promises, asked of each of them and of the fake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest

from support.docker import Docker
from support.runtimes import Rig, opened_rig
from touchline.engines.model.model import PortMapping, RuntimeEvent
from touchline.engines.model.runtime import (
    ImageNotFound,
    InstanceNotFound,
    NameInUse,
    PortInUse,
    RuntimeUnavailable,
    StartFailed,
    StartTimeout,
)

pytestmark = pytest.mark.anyio

DEADLINE_S = 30.0


@pytest.fixture(
    params=["fake", "process", "docker", pytest.param("podman", marks=pytest.mark.slow)]
)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    docker: Docker | None = None
    if request.param in {"docker", "podman"}:
        docker = request.getfixturevalue(request.param)
    async with opened_rig(request.param, tmp_path / "engines", docker) as opened:
        yield opened


async def next_of(events: AsyncIterator[RuntimeEvent], kind: str) -> RuntimeEvent:
    with anyio.fail_after(DEADLINE_S):
        async for event in events:
            if event.kind == kind:
                return event
    raise AssertionError(f"events ended before {kind}")


async def test_a_start_returns_once_it_runs_and_the_list_shows_it(rig: Rig) -> None:
    instance = await rig.runtime.start(rig.spec("one"), within_s=DEADLINE_S)
    assert instance.state == "running"
    (seen,) = await rig.runtime.list()
    assert (seen.id, seen.name, seen.state) == (instance.id, instance.name, "running")
    assert seen.created_at == instance.created_at


async def test_labels_come_back_unchanged_and_ours_wins(rig: Rig) -> None:
    name, value = rig.label
    labels = {"a": "", "b.c/d": 'odd "value" = é\nnext', "stream_id": "ch-42", name: "somebody's"}
    await rig.runtime.start(rig.spec("labelled", labels=labels), within_s=DEADLINE_S)
    (seen,) = await rig.runtime.list()
    assert dict(seen.labels) == {**labels, name: value}


async def test_what_cannot_start_leaves_nothing_behind(rig: Rig) -> None:
    with pytest.raises(ImageNotFound):
        await rig.runtime.start(rig.missing(), within_s=DEADLINE_S)
    with pytest.raises(StartFailed):
        await rig.runtime.start(rig.cannot_run(), within_s=DEADLINE_S)
    assert list(await rig.runtime.list()) == []
    # The name is free again.
    await rig.runtime.start(replace(rig.spec("short")), within_s=DEADLINE_S)


async def test_a_name_that_is_taken_leaves_its_holder_alone(rig: Rig) -> None:
    first = await rig.runtime.start(rig.spec("twin"), within_s=DEADLINE_S)
    with pytest.raises(NameInUse):
        await rig.runtime.start(rig.spec("twin"), within_s=DEADLINE_S)
    (seen,) = await rig.runtime.list()
    assert (seen.id, seen.state) == (first.id, "running")


async def test_a_port_that_is_taken_is_named(rig: Rig) -> None:
    with rig.occupied_port() as port:
        await refused(rig, port)
    assert list(await rig.runtime.list()) == []


async def test_a_port_of_an_instance_is_taken_until_it_has_gone(rig: Rig) -> None:
    with rig.occupied_port() as port:
        pass  # free again, and nobody's for a while
    ports = (PortMapping(8000, port),)
    holder = await rig.runtime.start(rig.spec("holder", ports=ports), within_s=DEADLINE_S)
    assert [bound.host_port for bound in holder.ports["8000/tcp"]] == [port]
    await refused(rig, port)
    assert [each.id for each in await rig.runtime.list()] == [holder.id]
    await rig.runtime.stop(holder.id, grace_s=1)
    await rig.runtime.start(rig.spec("next", ports=ports), within_s=DEADLINE_S)


async def refused(rig: Rig, port: int) -> None:
    with pytest.raises(PortInUse) as caught:
        await rig.runtime.start(
            rig.spec("late", ports=(PortMapping(8000, port),)), within_s=DEADLINE_S
        )
    assert caught.value.details["port"] == port


async def test_stopping_twice_at_once_or_what_is_gone_is_fine(rig: Rig) -> None:
    instance = await rig.runtime.start(rig.spec("hated"), within_s=DEADLINE_S)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(partial(rig.runtime.stop, instance.id, grace_s=1))
    assert list(await rig.runtime.list()) == []
    await rig.runtime.stop(instance.id, grace_s=1)
    await rig.runtime.stop("f" * 64, grace_s=1)
    with pytest.raises(InstanceNotFound):
        await rig.runtime.inspect(instance.id)


async def test_a_list_shows_what_a_server_that_is_gone_started(rig: Rig) -> None:
    made = await rig.runtime.start(rig.spec("kept", labels={"a": "b"}), within_s=DEADLINE_S)
    await rig.runtime.close()
    async with rig.second() as other:
        (seen,) = await other.list()
        assert (seen.id, seen.labels, seen.state) == (made.id, made.labels, "running")
        async with other.watch() as events:
            await rig.kill(seen)
            assert (await next_of(events, "died")).instance_id == made.id
        await other.stop(made.id, grace_s=1)
        assert list(await other.list()) == []


async def test_what_somebody_else_manages_is_shown_by_inspect_alone(rig: Rig) -> None:
    async with rig.second(label=("touchline.test", "another")) as other:
        theirs = await other.start(rig.spec("theirs"), within_s=DEADLINE_S)
        assert [each.id for each in await other.list()] == [theirs.id]
    await rig.runtime.close()
    async with rig.second() as runtime:
        assert list(await runtime.list()) == []
        assert await runtime.usage() == {}
        assert (await runtime.inspect(theirs.name)).id == theirs.id
        async with runtime.watch() as events:
            await runtime.stop(theirs.id, grace_s=0)
            mine = await runtime.start(rig.spec("mine"), within_s=DEADLINE_S)
            assert (await next_of(events, "started")).instance_id == mine.id
            await runtime.stop(mine.id, grace_s=0)
            # The first death that is told.
            assert (await next_of(events, "died")).instance_id == mine.id


async def test_a_death_is_told_to_everybody_who_watches_and_the_list_knows_it(rig: Rig) -> None:
    instance = await rig.runtime.start(rig.spec("mortal"), within_s=DEADLINE_S)
    async with rig.runtime.watch() as some, rig.runtime.watch() as others:
        await rig.kill(instance)
        for events in (some, others):
            died = await next_of(events, "died")
            assert (died.instance_id, died.name) == (instance.id, instance.name)
            assert dict(died.labels) == dict(instance.labels)
            assert died.exit_code == 137
    (seen,) = await rig.runtime.list()
    assert (seen.state, seen.exit_code) in {("exited", 137), ("exited", None)}
    await rig.runtime.stop(instance.id, grace_s=1)
    assert list(await rig.runtime.list()) == []


async def test_a_start_and_a_removal_are_told(rig: Rig) -> None:
    async with rig.runtime.watch() as events:
        instance = await rig.runtime.start(rig.spec("brief"), within_s=DEADLINE_S)
        assert (await next_of(events, "started")).instance_id == instance.id
        await rig.runtime.stop(instance.id, grace_s=1)
        assert (await next_of(events, "removed")).instance_id == instance.id


# A daemon's events end with the daemon: `test_docker_faults` has one of its own for that.
@pytest.mark.parametrize("rig", ["fake", "process"], indirect=True)
async def test_who_watches_is_told_when_events_may_have_been_lost(rig: Rig) -> None:
    async with rig.runtime.watch() as some, rig.runtime.watch() as others:
        await rig.runtime.close()
        for events in (some, others):
            with anyio.fail_after(DEADLINE_S), pytest.raises(RuntimeUnavailable):
                await next_of(events, "never")


async def test_an_instance_is_found_by_id_by_name_and_by_a_beginning(rig: Rig) -> None:
    instance = await rig.runtime.start(rig.spec("sought", env={"A": "b=c"}), within_s=DEADLINE_S)
    for reference in (instance.id, instance.name, instance.id[:20]):
        found = await rig.runtime.inspect(reference)
        assert (found.id, found.state, found.env["A"]) == (instance.id, "running", "b=c")
    for reference in ("", "nobody", "../x", "f" * 64):
        with pytest.raises(InstanceNotFound):
            await rig.runtime.inspect(reference)


async def test_usage_is_told_of_what_runs(rig: Rig) -> None:
    one = await rig.runtime.start(rig.spec("one"), within_s=DEADLINE_S)
    two = await rig.runtime.start(rig.spec("two"), within_s=DEADLINE_S)
    usage = await rig.runtime.usage()
    assert set(usage) == {one.id, two.id}
    assert usage[one.id].memory_bytes > 0
    await rig.runtime.stop(two.id, grace_s=1)
    assert set(await rig.runtime.usage()) == {one.id}


async def test_a_command_inside_is_told_with_its_status_and_in_bounded_time(rig: Rig) -> None:
    instance = await rig.runtime.start(rig.spec("inside"), within_s=DEADLINE_S)
    if rig.runtime.kind != "docker":  # the suite's image has no echo of its own
        done = await rig.runtime.execute(instance.id, ["echo", "hello"], within_s=DEADLINE_S)
        assert (done.status, done.output) == (0, b"hello\n")
    done = await rig.runtime.execute(instance.id, ["cat", "/no/such"], within_s=DEADLINE_S)
    assert done.status == 1
    assert b"No such file" in done.output
    with pytest.raises(StartTimeout):
        await rig.runtime.execute(instance.id, ["sleep", "60"], within_s=0.2)
    await rig.runtime.stop(instance.id, grace_s=1)
    with pytest.raises(InstanceNotFound):
        await rig.runtime.execute(instance.id, ["true"], within_s=1)


async def test_a_cancelled_start_leaves_nothing(rig: Rig) -> None:
    for number, after_s in enumerate((0.0, 0.002, 0.01, 0.04)):
        with anyio.move_on_after(after_s):
            await rig.runtime.start(rig.spec(f"cancelled-{number}"), within_s=DEADLINE_S)
        with anyio.fail_after(DEADLINE_S):
            while left := await rig.runtime.list():
                for each in left:  # it was started before it could be cancelled
                    await rig.runtime.stop(each.id, grace_s=0)
