"""What is known of an earlier server: nothing is concluded before that has been read."""

from __future__ import annotations

import anyio
import pytest

from support.facts import engine_facts, observed_facts, policy_with
from support.latedatabase import earlier_server, scene
from support.virtualtime import run_in_virtual_time
from touchline.core.errors import Blocked
from touchline.engines.control.actions import Start
from touchline.engines.control.observation import Observed
from touchline.engines.control.plan import plan_without_record
from touchline.engines.fleet.rows import Loaded
from touchline.engines.model.clock import Clock
from touchline.engines.model.orders import EngineOrder
from touchline.engines.opening import _load_earlier_record


def test_a_late_database_costs_no_playing_engine_and_then_everything_is_known() -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        world, disk = there.world, there.disk
        playing = await earlier_server(there, 2)
        there.lose_database()
        async with there.server() as rig:
            await anyio.sleep(120.0)
            assert [each.id for each in world.alive()] == playing
            assert rig.front.fleet.started() == []
            assert [r["code"] for r in rig.front.readiness.current()["reasons"]] == [
                "database_unavailable"
            ]
            there.find_database()
            await rig.until(lambda: len(rig.front.fleet.started()) == 2)
            assert rig.half.parts.control.reconciler.demand == 2
            await anyio.sleep(60.0)
            assert {each.id for each in world.alive()} >= set(playing)
            stopped = await rig.front.streams.ended(
                container_id=None, stream_id="ch-0", reason="over"
            )
            assert stopped.updated
            await rig.front.control.scale(0)
            await rig.until(lambda: [each.id for each in world.alive()] == playing[1:])
        assert disk.streams["ch-1"].status == "started"
        assert disk.engines[playing[1]]["last_stream_usage"] is not None

    run_in_virtual_time(work)


def test_while_the_record_is_unread_nobody_gets_an_engine_that_may_be_in_use() -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        (playing,) = await earlier_server(there, 1)
        there.lose_database()
        async with there.server() as rig:
            await rig.ready(1)
            made = await rig.front.provisioner.engine(EngineOrder())
            assert made.id != playing
            for report in (
                rig.front.streams.started(rig.report(made, "new")),
                rig.front.streams.ended(container_id=None, stream_id="ch-0", reason="over"),
                rig.front.control.collect_garbage(),
            ):
                with pytest.raises(Blocked) as refused:
                    await report
                assert refused.value.code == "database_unavailable"
            there.find_database()
            await rig.until(lambda: rig.front.fleet.record_is_read)
            ended = await rig.front.streams.ended(
                container_id=None, stream_id="ch-0", reason="over"
            )
            assert ended.updated

    run_in_virtual_time(work)


def test_what_died_while_the_record_was_unread_has_ended_when_it_is_read() -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        disk = there.disk
        first, second = await earlier_server(there, 2)
        there.lose_database()
        async with there.server() as rig:
            await rig.ready(2)
            rig.runtime.kill(first)
            await anyio.sleep(5.0)
            there.find_database()
            await rig.until(lambda: disk.streams["ch-0"].status == "ended")
            assert disk.streams["ch-0"].end_reason == "engine_gone"
            assert rig.front.fleet.stream("ch-1").status == "started"
            assert first not in disk.engines
            assert second in disk.engines

    run_in_virtual_time(work)


@pytest.mark.anyio
@pytest.mark.parametrize("error", [KeyError("x"), MemoryError(), RecursionError()])
async def test_a_record_that_cannot_be_read_for_an_unexpected_reason_is_read_later(
    error: Exception,
) -> None:
    async def load() -> Loaded:
        raise error

    assert await _load_earlier_record(load) is None


@pytest.mark.parametrize(
    ("observed", "starts"),
    [
        (observed_facts(reachable=False), 0),
        (observed_facts(reachable=True), 2),
        (observed_facts(reachable=True, demand=4), 4),
        (observed_facts(reachable=True, demand=40), 5),
        (observed_facts(reachable=True, engines=(engine_facts("a"),)), 1),
        # Neither unwell nor outdated, dead or idle ones are touched.
        (
            observed_facts(
                reachable=True,
                collect=True,
                engines=(
                    engine_facts("a", health="unhealthy", unhealthy_since_s=-1e6),
                    engine_facts("b", current=False),
                    engine_facts("c", vpn="gone", joined=False),
                ),
                dead=(("d", "d"),),
            ),
            0,
        ),
        (observed_facts(reachable=True, start_limit=0), 0),
    ],
)
def test_without_the_record_only_what_is_missing_is_started(
    observed: Observed, starts: int
) -> None:
    policy = policy_with(min_engines=2, min_free_engines=3, max_engines=5, auto_delete=True)
    actions = plan_without_record(observed, policy, 1000.0).actions
    assert all(isinstance(action, Start) for action in actions)
    assert len(actions) == starts
