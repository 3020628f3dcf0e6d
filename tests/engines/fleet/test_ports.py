"""Ports of engines: never two holders, never one that somebody else has, never lost."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

import anyio
import anyio.lowlevel
import pytest

from touchline.core.errors import Blocked
from touchline.engines.fleet.ports import PortBook, bind_probe
from touchline.engines.model.runtime import PortInUse
from touchline.engines.settings.tree import PortRange

pytestmark = pytest.mark.anyio

RANGE = PortRange(first=19000, last=19004)
LABELS = {"acestream.http_port": "40000", "host.http_port": "19002"}


class Now:
    s = 0.0

    def __call__(self) -> float:
        return self.s


def book(*taken: int, now: Now | None = None) -> PortBook:
    def probe(ports: Iterable[int]) -> set[int]:
        return set(ports) & set(taken)

    return PortBook(probe, now_s=now or Now())


async def taken(ports: PortBook, number: int, owner: str = "x") -> list[int]:
    found = []
    for _ in range(number):
        async with ports.reserve() as reserved:
            found.append(await ports.take_host(reserved, RANGE))
            reserved.keep(owner)
    return found


async def test_ports_go_round_and_what_others_hold_is_passed_over() -> None:
    ports = book(19001)
    assert await taken(ports, 4) == [19000, 19002, 19003, 19004]
    with pytest.raises(Blocked, match="capacity") as caught:
        await taken(ports, 1)
    assert (caught.value.code, caught.value.should_wait) == ("max_capacity", True)
    ports.release("x")
    assert await taken(ports, 1) == [19000]


async def test_what_is_not_kept_is_free_again_whatever_happens() -> None:
    ports = book()

    async def fail() -> None:
        async with ports.reserve() as reserved:
            await ports.take_host(reserved, RANGE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert ports.list_host_ports() == set()


async def test_a_fixed_port_is_honoured_or_refused_and_never_given_to_another() -> None:
    ports = book(19001)
    async with ports.reserve() as reserved:
        assert await ports.take_host_port(reserved, 19000) == 19000
        async with ports.reserve() as other:
            with pytest.raises(PortInUse):
                await ports.take_host_port(other, 19000)
            with pytest.raises(PortInUse):
                await ports.take_host_port(other, 19001)
            assert await ports.take_host(other, RANGE) == 19002
        reserved.keep("a")
    assert ports.list_host_ports() == {19000}


async def test_adopted_ports_are_held_until_their_instance_is_gone() -> None:
    ports = book()
    ports.adopt("a", LABELS)
    ports.adopt("a", LABELS)
    assert ports.list_host_ports() == {19002}
    assert ports.owners() == {"a"}
    ports.release("a")
    assert ports.list_host_ports() == set()


async def test_behind_each_vpn_ports_are_told_apart_and_held_together() -> None:
    ports = book(19000)
    async with ports.reserve() as reserved:
        assert await ports.take_in_vpn(reserved, "v1", RANGE) == 19000
        assert await ports.take_in_vpn(reserved, "v1", RANGE) == 19001
        assert await ports.take_in_vpn(reserved, "v2", RANGE) == 19000
        with pytest.raises(PortInUse):
            await ports.take_in_vpn_port(reserved, "v1", 19001)
        assert await ports.take_in_vpn_port(reserved, "v2", 19001) == 19001
    labels = {"acestream.http_port": "19003", "acestream.vpn_container": "v1"}
    ports.adopt("a", labels)
    async with ports.reserve() as reserved:
        with pytest.raises(PortInUse):
            await ports.take_in_vpn_port(reserved, "v1", 19003)


async def test_a_port_that_somebody_turned_out_to_have_is_avoided_for_a_while() -> None:
    now = Now()
    ports = book(now=now)
    ports.avoid(19000, for_s=60.0)
    assert await taken(ports, 1) == [19001]
    ports.release("x")
    now.s = 61.0
    assert await taken(ports, 4) == [19002, 19003, 19004, 19000]


async def test_a_real_bind_finds_what_is_listened_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert bind_probe("127.0.0.1")([port]) == {port}
    assert bind_probe("127.0.0.1")([port]) == set()


@pytest.mark.parametrize("seed", range(20))
async def test_no_port_is_ever_held_twice(seed: int) -> None:
    rng = random.Random(seed)
    ports = book(19003)
    holders: dict[int, str] = {}

    async def one(name: str) -> None:
        for turn in range(10):
            owner = f"{name}-{turn}"
            try:
                async with ports.reserve() as reserved:
                    if rng.random() < 0.3:
                        port = await ports.take_host_port(reserved, rng.randint(19000, 19004))
                    else:
                        port = await ports.take_host(reserved, RANGE)
                    assert port not in holders
                    holders[port] = owner
                    await anyio.lowlevel.checkpoint()
                    if rng.random() < 0.4:
                        del holders[port]
                        continue
                    reserved.keep(owner)
            except (Blocked, PortInUse):
                continue
            await anyio.lowlevel.checkpoint()
            del holders[port]
            ports.release(owner)

    async with anyio.create_task_group() as tasks:
        for name in "abcdef":
            tasks.start_soon(one, name)
    assert ports.list_host_ports() == set()
