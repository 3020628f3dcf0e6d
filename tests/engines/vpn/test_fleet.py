from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from support.virtualtime import run_in_virtual_time
from touchline.core.tasks import Changed
from touchline.engines.fleet.acestream import AceStreamClient
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.labels import P2P_PORT
from touchline.engines.model.model import Engine
from touchline.engines.vpn.fleet import engines_reach_network, follow_vpns
from touchline.engines.vpn.vpn import VpnWatch

NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)


def engine(name: str, vpn: str | None, **changes: Any) -> Engine:
    return Engine(
        id=name, name=name, host="h", port=1, api_host=name, api_port=2,
        first_seen=NOW, last_seen=NOW, vpn_container=vpn, **changes,
    )  # fmt: skip


def fleet_of(*engines: Engine) -> Fleet:
    fleet = Fleet()
    for each in engines:
        fleet.put(each)
    return fleet


class Network:
    """Answers of engines by name: whether they reach it, an error, or after how many seconds."""

    def __init__(self, **answers: bool | Exception | float) -> None:
        self.answers = answers

    async def network_connected(self, url: str, *, within_s: float) -> bool:
        answer = self.answers[url.removeprefix("http://").removesuffix(":2")]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bool):
            return answer
        await anyio.sleep(answer)
        assert answer > within_s, "a slow one is asked for no longer than allowed"
        return False


@pytest.mark.parametrize(
    ("answers", "reach"),
    [
        ({}, None),
        ({"a1": True}, True),
        ({"a1": False}, False),
        ({"a1": ValueError("odd")}, False),
        ({"a1": False, "a2": ValueError("odd")}, False),
        ({"a1": ValueError("odd"), "a2": True}, True),
        ({"b1": True}, None),
    ],
)
def test_one_engine_that_reaches_the_network_is_enough(
    answers: dict[str, Any], *, reach: bool | None
) -> None:
    fleet = fleet_of(*(engine(name, {"a": "vpn", "b": "other"}[name[0]]) for name in answers))
    network = cast("AceStreamClient", Network(**answers))

    async def work(_: object) -> None:
        assert await engines_reach_network(fleet, network, "vpn") is reach

    run_in_virtual_time(work)


def test_nobody_waits_for_slow_engines_once_one_has_answered() -> None:
    fleet = fleet_of(engine("a1", "vpn"), engine("a2", "vpn"))
    network = cast("AceStreamClient", Network(a1=50.0, a2=True))

    async def work(_: object) -> None:
        assert await engines_reach_network(fleet, network, "vpn")

    assert run_in_virtual_time(work) < 1.0


def test_engines_of_somebody_else_are_not_asked() -> None:
    fleet = fleet_of(engine("a1", "vpn", external=True))

    async def work(_: object) -> None:
        assert await engines_reach_network(fleet, cast("AceStreamClient", Network()), "vpn") is None

    run_in_virtual_time(work)


class Watch:
    """VPNs by name: the port that they forward, and whether they are lost."""

    def __init__(self, *vpns: tuple[str, int | None, bool]) -> None:
        self.changed = Changed()
        self.vpns: Sequence[Any] = [
            SimpleNamespace(name=name, forwarded_port=port, is_lost=lost)
            for name, port, lost in vpns
        ]


async def follow(fleet: Fleet, watch: Watch) -> None:
    """Follow until it waits for news."""
    with anyio.move_on_after(1.0) as scope:
        await follow_vpns(fleet, cast("VpnWatch", watch))
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("made_with", "forwarded", "stays"),
    [("5001", 5001, True), ("5000", 5001, False), ("5000", None, True), (None, 5001, False)],
)
def test_an_engine_keeps_its_forwarded_port_while_that_leads_to_it(
    made_with: str | None, forwarded: int | None, *, stays: bool
) -> None:
    labels = {} if made_with is None else {P2P_PORT: made_with}
    fleet = fleet_of(engine("a1", "vpn", forwarded=True, labels=labels))

    async def work(_: object) -> None:
        await follow(fleet, Watch(("vpn", forwarded, False)))
        assert fleet.engine("a1").forwarded is stays

    run_in_virtual_time(work)


def test_an_engine_behind_a_vpn_that_is_lost_gets_no_work() -> None:
    fleet = fleet_of(engine("a1", "vpn", health="healthy"), engine("b1", "other", health="healthy"))

    async def work(_: object) -> None:
        await follow(fleet, Watch(("vpn", None, True), ("other", None, False)))
        assert [fleet.gets_work(fleet.engine(name)) for name in ("a1", "b1")] == [False, True]
        await follow(fleet, Watch(("vpn", None, False), ("other", None, False)))
        assert fleet.gets_work(fleet.engine("a1"))

    run_in_virtual_time(work)


def test_news_ends_the_wait() -> None:
    watch = Watch()

    async def work(_: object) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow_vpns, Fleet(), cast("VpnWatch", watch))
            await anyio.sleep(5.0)
            watch.changed.mark()

    assert run_in_virtual_time(work) == pytest.approx(5.0)
