"""No error of a collaborator, of whatever kind and at whatever call, ends more than one attempt."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import anyio
import pytest

from support.fakeruntime import World
from support.faulty import ERRORS, Faulty
from support.half import HalfRig, opened_half, settings_for
from support.virtualtime import run_in_virtual_time
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Binding, Instance
from touchline.engines.model.orders import EngineOrder
from touchline.engines.vpn.control import Location

MOST_CALLS = 40
WITHIN_S = 120.0

COLLABORATORS = [
    ("reconciler", "view"),
    ("reconciler", "retries"),
    ("reconciler", "executor"),
    ("reconciler", "journal"),
    ("reconciler", "reprovision"),
    ("executor", "fleet"),
    ("executor", "provisioner"),
    ("executor", "remover"),
    ("executor", "retries"),
    ("view", "fleet"),
    ("view", "vpns"),
    ("retries", "breakers"),
    ("journal", "events"),
    ("runtime_sync", "runtime"),
    ("runtime_sync", "fleet"),
    ("runtime_sync", "roster"),
    ("runtime_sync", "listener"),
    ("runtime_sync", "events"),
    ("roster", "fleet"),
    ("roster", "streams"),
    ("roster", "ports"),
    ("roster", "store"),
    ("collector", "fleet"),
    ("collector", "streams"),
    ("collector", "client"),
    ("streams", "samples"),
    ("probes", "fleet"),
    ("probes", "client"),
    ("probes", "store"),
    ("probes", "events"),
    ("launcher", "runtime"),
    ("launcher", "runtime_sync"),
    ("launcher", "spec_builder"),
    ("launcher", "client"),
    ("handouts", "fleet"),
    ("names", "fleet"),
    ("spec_builder", "ports"),
    ("provisioner", "admission"),
    ("provisioner", "launcher"),
    ("provisioner", "events"),
    ("remover", "runtime"),
    ("remover", "fleet"),
    ("remover", "runtime_sync"),
    ("remover", "roster"),
    ("remover", "events"),
    ("usage", "runtime"),
    ("cleaner", "runtime"),
    ("cleaner", "store"),
]


ASKED_OFTEN = {
    ("reconciler", "view"),
    ("reconciler", "retries"),
    ("view", "fleet"),
    ("view", "vpns"),
    ("probes", "fleet"),
}


def shares_of(part: str, collaborator: str) -> int:
    """Into how many tests the calls are divided."""
    return 6 if (part, collaborator) in ASKED_OFTEN else 1


SHARES = [(*each, share) for each in COLLABORATORS for share in range(shares_of(*each))]

VPN_PARTS = ["runtime", "control", "events", "engines_answer", "restart"]


@pytest.mark.parametrize(("part", "collaborator"), COLLABORATORS)
def test_a_part_outlives_every_error_of_what_it_uses(part: str, collaborator: str) -> None:
    kinds = itertools.cycle(ERRORS)
    calls = live(part, collaborator, None, KeyError())
    assert calls, f"{part} never calls its {collaborator}"
    for at in range(1, min(calls, MOST_CALLS) + 1):
        live(part, collaborator, at, next(kinds)())


@pytest.mark.slow
@pytest.mark.parametrize(("part", "collaborator", "share"), SHARES)
def test_a_part_outlives_an_error_at_every_call(part: str, collaborator: str, share: int) -> None:
    calls = live(part, collaborator, None, KeyError())
    # The kinds take turns, other ones than above and in each share.
    kinds = itertools.cycle([*ERRORS[share % 3 + 1 :], *ERRORS[: share % 3 + 1]])
    for at in range(1 + share, calls + 1, shares_of(part, collaborator)):
        live(part, collaborator, at, next(kinds)())


def live(part: str, collaborator: str, at: int | None, error: Exception) -> int:
    """A minute in which everything happens once; how often the collaborator was called."""
    calls = 0

    async def work(clock: Clock) -> None:
        nonlocal calls
        settings = settings_for(
            scaling={"min_replicas": 2, "startup_timeout_s": 5.0, "resync_s": 5.0, "lease_s": 1.0},
            health={"interval_s": 1.0, "timeout_s": 0.5},
            collector={"interval_s": 1.0, "timeout_s": 0.5},
        )
        async with opened_half(settings, clock=clock) as rig:
            with faulty(rig, part, collaborator) as proxy:
                await calmly(rig, lambda: len(rig.healthy()) == 2)
                proxy.arm(at, error)
                await hurt(rig)
                calls = proxy.calls
                await judge(rig, clock, f"{part}.{collaborator} raised {error!r} at call {at}")

    run_in_virtual_time(work)
    return calls


@pytest.mark.parametrize(
    "first", range(len(ERRORS)), ids=[type(kind()).__name__ for kind in ERRORS]
)
@pytest.mark.parametrize("collaborator", VPN_PARTS)
def test_the_watch_of_a_vpn_outlives_every_error_of_what_it_uses(
    collaborator: str, first: int
) -> None:
    kinds = itertools.cycle([*ERRORS[first:], *ERRORS[:first]])
    for at in itertools.count(1):
        if watch_vpns(collaborator, at, next(kinds)()) < at:
            assert at > 1, "it is never called"
            return


def watch_vpns(collaborator: str, at: int, error: Exception) -> int:
    """One VPN is lost and comes back; how often the collaborator was called until then."""
    calls = 0

    async def work(clock: Clock) -> None:
        nonlocal calls
        world = World(now=clock.now)
        vpns = {name: vpn_instance(name, clock) for name in ("red", "blue")}
        world.instances.update({each.id: each for each in vpns.values()})
        settings = settings_for(
            vpn={
                "mode": "redundant",
                "container_name": "red",
                "container_name_2": "blue",
                "unhealthy_restart_timeout_s": 10.0,
            }
        )

        async def restart(name: str) -> None:
            world.instances[vpns[name].id] = vpns[name]

        control = ControlServer()
        async with opened_half(settings, world=world, clock=clock, control=control) as rig:
            watch = rig.half.parts.base.vpn
            assert watch is not None
            watch._restart = restart
            with faulty(rig, "vpn", collaborator) as proxy:
                proxy.arm(at, error)
                await calmly(rig, lambda: all(vpn.connected for vpn in watch.vpns))
                world.instances[vpns["red"].id] = replace(vpns["red"], state="exited")
                await calmly(rig, lambda: not watch.vpns[0].connected)
                assert watch.vpns[1].connected
                world.instances[vpns["red"].id] = vpns["red"]
                await calmly(rig, lambda: all(vpn.connected for vpn in watch.vpns))
                # Its own check says no, as do its engines: it is restarted, if that can be done.
                world.instances[vpns["red"].id] = replace(vpns["red"], health="unhealthy")
                await calmly(rig, lambda: not watch.vpns[0].connected)
                await anyio.sleep(20.0)
                assert watch.vpns[1].connected
                world.instances[vpns["red"].id] = vpns["red"]
                await calmly(rig, lambda: all(vpn.connected for vpn in watch.vpns))
                await calmly(rig, lambda: all(vpn.forwarded_port == 4242 for vpn in watch.vpns))
                calls = proxy.calls

    run_in_virtual_time(work)
    return calls


class ControlServer:
    """Answers at once, as a connected VPN does."""

    async def forwarded_port(self, url: str) -> int | None:
        return 4242

    async def location(self, url: str) -> Location:
        return Location(public_ip="192.0.2.1")


def vpn_instance(name: str, clock: Clock) -> Instance:
    return Instance(
        id=name * 16,
        name=name,
        image="gluetun",
        state="running",
        created_at=clock.now(),
        started_at=clock.now(),
        ports={"8000/tcp": (Binding("127.0.0.1", 8000),)},
        health="healthy",
    )


@contextmanager
def faulty(rig: HalfRig, part: str, collaborator: str) -> Iterator[Faulty]:
    parts = rig.half.parts
    packages = (parts.base, parts.monitoring, parts.provisioning, parts.control)
    owners: dict[str, object] = {name: it for each in packages for name, it in vars(each).items()}
    owners |= {
        "spec_builder": parts.provisioning.launcher._spec_builder,
        "handouts": parts.provisioning.provisioner._handouts,
        "names": parts.provisioning.launcher._names,
        "journal": parts.control.reconciler._journal,
    }
    owner = owners[part]
    proxy = Faulty(getattr(owner, f"_{collaborator}"))
    setattr(owner, f"_{collaborator}", proxy)
    yield proxy


async def hurt(rig: HalfRig) -> None:
    """An engine dies, one is ordered, one is stopped, a stream plays and ends."""
    first, second = rig.healthy()
    await tried(rig.play(second, "ch-1"))
    rig.runtime.kill(first.id)
    await tried(rig.front.provisioner.engine(EngineOrder(labels={"a": "b"})))
    await anyio.sleep(6.0)
    await tried(rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over"))
    await anyio.sleep(6.0)
    rig.runtime.freeze(second.id)
    await anyio.sleep(6.0)
    rig.runtime.thaw(second.id)
    await anyio.sleep(5.0)
    await tried(rig.front.control.delete(second.id))
    await anyio.sleep(5.0)


async def tried(work: Any) -> None:
    """As a client, which is told of an error and lives on."""
    try:
        await work
    except Exception:  # noqa: BLE001
        return


async def judge(rig: HalfRig, clock: Clock, what: str) -> None:
    """Everything goes on: engines are kept, measured, checked, made and removed."""
    front = rig.front
    await calmly(rig, lambda: front.stale_s() is None and len(rig.healthy()) >= 2, what)
    alive = {each.id for each in rig.world.alive()}
    await calmly(rig, lambda: {each.id for each in front.fleet.managed()} == alive, what)
    dead = [each for each in rig.world.instances.values() if each.state == "exited"]
    await calmly(rig, lambda: not any(each.id in rig.world.instances for each in dead), what)
    assert not front.fleet.flights, what
    engine = rig.healthy()[0]
    checked = clock.now()
    stream = await rig.play(engine, "ch-2")
    await calmly(rig, lambda: front.fleet.latest(stream.id) is not None, what)

    def is_checked() -> bool:
        return (front.fleet.engine(engine.id).last_health_check or checked) > checked

    await calmly(rig, is_checked, what)
    rig.runtime.kill(engine.id)
    await calmly(rig, lambda: front.fleet.stream(stream.id).status == "ended", what)
    await calmly(rig, lambda: len(rig.healthy()) >= 2, what)
    assert front.fleet.engines_body().content.startswith(b"[{"), what


async def calmly(rig: HalfRig, condition: Any, what: str = "") -> None:
    try:
        await rig.until(condition, within_s=WITHIN_S)
    except TimeoutError:
        raise AssertionError(f"not in {WITHIN_S:g} s: {what} {rig.events.kept[-5:]}") from None
