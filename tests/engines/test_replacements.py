from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import anyio
import pytest

from fakes_runtime import World
from support.half import opened_half, settings_for
from support.virtualtime import run_in_virtual_time
from touchline.engines.clock import Clock
from touchline.engines.model import Binding, Instance
from touchline.engines.replacements import Place, Round, holds, noted
from touchline.engines.vpncontrol import Location

PLACE: Place = ("dead_network", "gluetun")


def test_all_that_were_there_go_at_once_and_their_replacements_wait_longer_each_time() -> None:
    rounds = noted({}, PLACE, 0.0, 100.0)
    assert not holds(rounds, PLACE, 50.0, 100.0)
    assert noted(rounds, PLACE, 50.0, 101.0) == rounds
    waits, now_s = [], 100.0
    for _ in range(9):
        made_s = now_s + 1.0
        assert holds(rounds, PLACE, made_s, now_s + 1.0)
        waits.append(rounds[PLACE].next_s - now_s)
        now_s = rounds[PLACE].next_s
        assert not holds(rounds, PLACE, made_s, now_s)
        rounds = noted(rounds, PLACE, made_s, now_s)
    assert waits == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]


def test_another_reason_or_place_is_not_held_and_old_rounds_are_forgotten() -> None:
    rounds = {PLACE: Round(100.0, 7)}
    assert not holds(rounds, ("vpn_lost", "gluetun"), 150.0, 150.0)
    assert not holds(rounds, ("dead_network", "other"), 150.0, 150.0)
    assert noted(rounds, PLACE, 150.0, 2000.0)[PLACE].number == 1


class Control:
    async def forwarded_port(self, url: str) -> int | None:
        return None

    async def location(self, url: str) -> Location:
        return Location()


@pytest.mark.parametrize("skew_s", [-3600.0, -90.0, 0.0, 90.0, 3600.0])
@pytest.mark.parametrize("restarted", [True, False])
def test_clocks_that_differ_make_no_more_than_one_replacement_each(
    skew_s: float, *, restarted: bool
) -> None:
    async def work(clock: Clock) -> None:
        def daemon_now() -> datetime:
            return clock.now() - timedelta(seconds=skew_s)

        world = World(now=daemon_now)
        vpn = Instance(
            id="v" * 64,
            name="gluetun",
            image="gluetun",
            state="running",
            created_at=daemon_now(),
            started_at=daemon_now(),
            ports={f"{port}/tcp": (Binding("127.0.0.1", port),) for port in range(19000, 19400)},
            health="healthy",
        )
        world.instances[vpn.id] = vpn
        settings = settings_for(
            scaling={"min_replicas": 3, "max_replicas": 6},
            vpn={"container_name": "gluetun", "stabilise_s": 1.0},
        )
        async with opened_half(settings, world=world, clock=clock, control=Control()) as rig:
            await rig.until(lambda: len(rig.front.fleet.ours()) == 3, within_s=60)
            await anyio.sleep(30.0)
            before = world.starts
            world.instances[vpn.id] = replace(vpn, health="unhealthy", state="exited")
            await anyio.sleep(20.0)
            back = replace(vpn, started_at=daemon_now()) if restarted else vpn
            world.instances[vpn.id] = back
            await anyio.sleep(300.0)
            # Three at most that did not answer without it, and three that lost their network.
            assert 3 <= world.starts - before <= 6
            assert len(rig.front.fleet.ours()) == 3

    run_in_virtual_time(work)
