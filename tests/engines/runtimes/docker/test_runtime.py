"""The runtime on a real Docker daemon."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import pytest

from support.docker import PLAIN, Docker, DockerRig, docker_rig
from touchline.core.errors import Invalid
from touchline.engines.model.labels import START
from touchline.engines.model.model import EngineSpec, PortMapping, RuntimeEvent, Usage
from touchline.engines.model.runtime import (
    ImageNotFound,
    InstanceNotFound,
    PortInUse,
    StartFailed,
    StartTimeout,
)
from touchline.engines.runtimes.docker.usage import ContainerUsageMeter

pytestmark = pytest.mark.anyio

DEADLINE_S = 20.0
PORT = (PortMapping(8000, None),)


@pytest.fixture
async def rig(docker: Docker) -> AsyncIterator[DockerRig]:
    async with docker_rig(docker) as made:
        yield made


async def command(rig: DockerRig, *arguments: str) -> str:
    """What somebody else does with the daemon meanwhile."""
    return await anyio.to_thread.run_sync(partial(rig.daemon.run, *arguments))


async def shown(rig: DockerRig, container: str) -> Any:
    return json.loads(await command(rig, "inspect", container))[0]


async def next_of(events: AsyncIterator[RuntimeEvent], kind: str) -> RuntimeEvent:
    with anyio.fail_after(DEADLINE_S):
        async for event in events:
            if event.kind == kind:
                return event
    raise AssertionError(f"the events ended without {kind}")


async def test_a_container_has_no_more_rights_than_the_settings_say(docker: Docker) -> None:
    changes: dict[str, Any] = {"cap_add": ["NET_BIND_SERVICE"], "pids_limit": 99}
    async with docker_rig(docker, log_max_bytes=4096, **changes) as rig:
        spec = rig.spec("safe", memory_limit_bytes=64 << 20, ports=PORT, env={"A": "b=c"})
        instance = await rig.runtime.start(spec, within_s=DEADLINE_S)
        host = (await shown(rig, instance.id))["HostConfig"]
    assert instance.env["A"] == "b=c"
    assert host["CapDrop"] == ["ALL"]
    assert [name.removeprefix("CAP_") for name in host["CapAdd"]] == ["NET_BIND_SERVICE"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["PidsLimit"] == 99
    assert host["Memory"] == host["MemorySwap"] == 64 << 20
    assert host["RestartPolicy"]["Name"] == "no"
    assert host["LogConfig"]["Config"] == {"max-size": "2048", "max-file": "2"}
    assert host["PortBindings"] == {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    (bound,) = instance.ports["8000/tcp"]
    assert bound.host_ip == "127.0.0.1"
    assert bound.host_port > 0


async def test_the_label_of_a_start_is_shown_to_nobody(rig: DockerRig) -> None:
    async with rig.runtime.watch() as events:
        instance = await rig.runtime.start(rig.spec("quiet"), within_s=DEADLINE_S)
        event = await next_of(events, "started")
    (seen,) = await rig.runtime.list()
    assert START in (await shown(rig, instance.id))["Config"]["Labels"]
    assert instance.labels == seen.labels == event.labels == dict([rig.runtime.label])


async def test_a_published_port_leads_to_the_program(rig: DockerRig) -> None:
    server = ("python3", "-m", "http.server", "8000")
    spec = rig.spec("web", ports=PORT, command=server)
    instance = await rig.runtime.start(spec, within_s=DEADLINE_S)
    (bound,) = instance.ports["8000/tcp"]
    answer = b""
    with anyio.fail_after(DEADLINE_S):
        # docker-proxy accepts before the program listens, and then hangs up.
        while not answer:
            async with await anyio.connect_tcp(bound.host_ip, bound.host_port) as stream:
                try:
                    await stream.send(b"GET / HTTP/1.0\r\n\r\n")
                    answer = await stream.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    await anyio.sleep(0.05)
    assert answer.startswith(b"HTTP/1.0 200 ")


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({"image": "touchline.invalid/none:1"}, ImageNotFound, "cannot be pulled"),
        ({"image": "No Image"}, ImageNotFound, "invalid reference format"),
        ({"network": "no-such-network"}, StartFailed, "no-such-network"),
        ({"network": "container:no-such", "ports": ()}, StartFailed, "no-such"),
        ({"network": f"container:{'0' * 64}", "ports": PORT}, StartFailed, "port publishing"),
        ({"memory_limit_bytes": 1}, StartFailed, "memory"),
        ({"name": "no name"}, Invalid, "no name"),
    ],
)
async def test_what_cannot_start_says_why_and_leaves_nothing(
    rig: DockerRig, changes: dict[str, Any], expected: type[Exception], words: str
) -> None:
    with pytest.raises(expected, match=words):
        await rig.runtime.start(rig.spec("wrong", **changes), within_s=DEADLINE_S)
    assert rig.left() == []
    assert rig.runtime.starting() == frozenset()
    assert rig.runtime.pulling() == {}


async def test_a_port_of_a_container_or_of_a_program_is_in_use(rig: DockerRig) -> None:
    instance = await rig.runtime.start(rig.spec("holder", ports=PORT), within_s=DEADLINE_S)
    (bound,) = instance.ports["8000/tcp"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        for port in (bound.host_port, server.getsockname()[1]):
            spec = rig.spec("late", ports=(PortMapping(8000, port),))
            with pytest.raises(PortInUse) as caught:
                await rig.runtime.start(spec, within_s=DEADLINE_S)
            assert caught.value.details["port"] == port
    assert rig.left() == [instance.name]


@pytest.mark.parametrize("within_s", [0.001, 0.05])
async def test_a_start_that_takes_too_long_leaves_nothing(rig: DockerRig, within_s: float) -> None:
    with pytest.raises(StartTimeout):
        await rig.runtime.start(rig.spec("slow"), within_s=within_s)
    await gone(rig)


@pytest.mark.parametrize("after_s", [0.0, 0.002, 0.01, 0.05, 0.15])
async def test_a_cancelled_start_leaves_nothing(rig: DockerRig, after_s: float) -> None:
    with anyio.move_on_after(after_s):
        await rig.runtime.start(rig.spec("cancelled", ports=PORT), within_s=DEADLINE_S)
    assert rig.runtime.starting() == frozenset()
    await gone(rig)


async def gone(rig: DockerRig) -> None:
    """Wait until nothing is left; a list is what notices a container that came too late."""
    with anyio.fail_after(DEADLINE_S):
        while rig.left():
            assert list(await rig.runtime.list()) == []
            await anyio.sleep(0.05)


async def test_what_is_being_started_can_be_seen(rig: DockerRig) -> None:
    seen: frozenset[str] = frozenset()
    async with anyio.create_task_group() as tasks:
        for name in ("one", "two"):
            spec = rig.spec(name)
            tasks.start_soon(partial(rig.runtime.start, spec, within_s=DEADLINE_S))
        with anyio.fail_after(DEADLINE_S):
            while len(seen) < 2:
                seen = rig.runtime.starting()
                await anyio.sleep(0.001)
    assert seen == {rig.name("one"), rig.name("two")}
    assert rig.runtime.starting() == frozenset()


async def test_a_container_that_ignores_the_polite_stop_is_killed(rig: DockerRig) -> None:
    deaf = ("sh", "-c", "trap '' TERM; while true; do sleep 1; done")
    instance = await rig.runtime.start(rig.spec("deaf", command=deaf), within_s=DEADLINE_S)
    async with rig.runtime.watch() as events:
        await rig.runtime.stop(instance.id, grace_s=0.5)
        assert (await next_of(events, "died")).exit_code == 137
    assert rig.left() == []


async def test_a_paused_container_goes_too(rig: DockerRig) -> None:
    instance = await rig.runtime.start(rig.spec("paused"), within_s=DEADLINE_S)
    await command(rig, "pause", instance.id)
    (seen,) = await rig.runtime.list()
    assert seen.state == "paused"
    await rig.runtime.stop(instance.id, grace_s=1)
    assert rig.left() == []


async def test_many_who_stop_the_same_one_and_somebody_else_are_all_content(
    rig: DockerRig,
) -> None:
    instance = await rig.runtime.start(rig.spec("hated"), within_s=DEADLINE_S)
    async with rig.second() as other, anyio.create_task_group() as tasks:
        for runtime in (rig.runtime, rig.runtime, other):
            tasks.start_soon(partial(runtime.stop, instance.id, grace_s=5))
        # Its own command line complains where a removal is under way already.
        tasks.start_soon(
            anyio.to_thread.run_sync,
            partial(rig.daemon.run, "rm", "--force", instance.id, check=False),
        )
    assert rig.left() == []


async def test_a_restarted_container_keeps_its_id_and_runs_anew(rig: DockerRig) -> None:
    before = await rig.runtime.start(rig.spec("again"), within_s=DEADLINE_S)
    async with rig.runtime.watch() as events:
        await rig.runtime.restart(before.name, grace_s=1)
        await next_of(events, "started")
    after = await rig.runtime.inspect(before.name)
    assert (after.id, after.state) == (before.id, "running")
    with pytest.raises(InstanceNotFound):
        await rig.runtime.restart(rig.name("nobody"), grace_s=1)


async def test_an_instance_is_found_by_name_and_by_a_beginning_that_only_it_has(
    rig: DockerRig,
) -> None:
    # Of 17 ids two begin with the same digit.
    made = [await command(rig, "create", *labelled(rig), PLAIN, "sleep", "1") for _ in range(17)]
    digits = [each[0] for each in made]
    shared = next(digit for digit in digits if digits.count(digit) > 1)
    for reference in (shared, "no-such-container", "../json", "", "a b", "é"):
        with pytest.raises(InstanceNotFound):
            await rig.runtime.inspect(reference)
    assert (await rig.runtime.inspect(made[0][:20])).id == made[0]
    assert (await rig.runtime.inspect(made[0])).state == "created"


def labelled(rig: DockerRig) -> tuple[str, str]:
    return "--label", "=".join(rig.runtime.label)


async def test_events_are_those_of_our_containers_and_of_the_names_given(docker: Docker) -> None:
    async with docker_rig(docker) as other, docker_rig(docker, also=[other.name("vpn")]) as rig:
        async with rig.runtime.watch() as events:
            for name in ("stranger", "vpn"):
                await other.runtime.start(other.spec(name), within_s=DEADLINE_S)
            mine = await rig.runtime.start(rig.spec("mine"), within_s=DEADLINE_S)
            await command(rig, "kill", mine.id)
            died = await next_of(events, "died")
            assert (died.instance_id, died.exit_code) == (mine.id, 137)
        async with rig.runtime.watch() as events:
            await command(other, "kill", other.name("stranger"))
            await command(other, "kill", other.name("vpn"))
            died = await next_of(events, "died")
            assert died.name == other.name("vpn")


async def test_a_health_check_is_told(rig: DockerRig) -> None:
    async with rig.runtime.watch() as events:
        check = ("--health-cmd", "true", "--health-interval", "100ms")
        name = rig.name("checked")
        await command(rig, "run", "-d", "--name", name, *check, *labelled(rig), PLAIN)
        assert (await next_of(events, "health")).health == "healthy"
    assert (await rig.runtime.inspect(name)).health == "healthy"


async def test_a_command_inside_is_told_with_both_outputs_and_its_status(rig: DockerRig) -> None:
    instance = await rig.runtime.start(rig.spec("inside"), within_s=DEADLINE_S)

    async def execute(*arguments: str, within_s: float = DEADLINE_S) -> tuple[int, bytes]:
        done = await rig.runtime.execute(instance.id, arguments, within_s=within_s)
        return done.status, done.output

    status, output = await execute("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (status, sorted(output.splitlines())) == (3, [b"err", b"out"])
    status, output = await execute("python3", "-c", "print('x' * 1_000_000, end='')")
    assert (status, output) == (0, b"x" * (64 << 10))
    status, output = await execute("/no/such/program")
    assert status in {126, 127}
    assert b"/no/such/program" in output
    with pytest.raises(StartTimeout):
        await execute("sleep", "600", within_s=0.3)
    assert (await execute("sh", "-c", "echo ok")) == (0, b"ok\n")
    await command(rig, "kill", instance.id)
    with pytest.raises(InstanceNotFound):
        await execute("true")


@asynccontextmanager
async def busy(rig: DockerRig) -> AsyncIterator[tuple[EngineSpec, EngineSpec]]:
    """One that computes without end, and one on its network that sleeps."""
    work = ("python3", "-c", "while True: pass")
    first = rig.spec("busy", command=work, memory_limit_bytes=64 << 20)
    second = rig.spec("lazy", network=f"container:{first.name}")
    for spec in (first, second):
        await rig.runtime.start(spec, within_s=DEADLINE_S)
    yield first, second


def check(usage: Usage, lazy: Usage) -> None:
    assert usage.cpu_percent > 5 > lazy.cpu_percent
    assert 1 << 20 < usage.memory_bytes < 64 << 20
    assert usage.memory_limit_bytes == 64 << 20
    assert usage.network_rx_bytes is not None
    assert (lazy.network_rx_bytes, lazy.network_tx_bytes) == (None, None)


async def test_usage_is_read_from_the_kernel_or_from_the_daemon_alike(
    rig: DockerRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with busy(rig):
        by_name = {each.name: each for each in await rig.runtime.list()}
        first, second = by_name[rig.name("busy")], by_name[rig.name("lazy")]
        await rig.runtime.usage()
        await anyio.sleep(0.3)  # what is measured is the time in between
        usage = await rig.runtime.usage()
        check(usage[first.id], usage[second.id])
        with monkeypatch.context() as patched:
            patched.setattr("touchline.engines.runtimes.docker.usage.read_counters", no_files)
            meter = ContainerUsageMeter(rig.runtime._api)
            await meter.measure([first, second])
            await anyio.sleep(0.3)
            told = await meter.measure([first, second])
        check(told[first.id], told[second.id])
        await rig.runtime.stop(second.id, grace_s=0)
        assert list(await rig.runtime.usage()) == [first.id]


def no_files(container: str, *, own_network: bool) -> None:
    """As on another machine than the daemon's."""


async def test_a_list_shows_what_another_server_started(rig: DockerRig) -> None:
    made = await rig.runtime.start(rig.spec("kept", labels={"a": "b"}), within_s=DEADLINE_S)
    async with rig.second() as other:
        (seen,) = await other.list()
        assert replace(seen, env=made.env, started_at=made.started_at) == made
        await other.stop(made.id, grace_s=1)
    assert list(await rig.runtime.list()) == []
