"""The whole half on a runtime in memory: what its parts do together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from support.fakeruntime import MISSING_IMAGE, FakeRuntime, World
from support.half import HalfRig, opened_half, settings_for
from touchline.core.errors import Blocked, NotFound, Refused
from touchline.engines.control.actions import Start
from touchline.engines.control.control import SelectOrder
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import EngineSpec
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.runtime import (
    ImageNotFound,
    NameInUse,
    PortInUse,
    RuntimeUnavailable,
    StartFailed,
)
from touchline.engines.provisioning.launcher import TRIES
from touchline.engines.provisioning.names import MOST_NAMES
from touchline.engines.streams.report import StreamReport

pytestmark = pytest.mark.anyio

SOMETHING = EngineOrder(labels={"a": "b"})
HALF_OPEN_SOON = {"failure_threshold": 1, "recovery_timeout_s": 0.5}


async def test_the_minimum_is_kept_and_one_that_dies_is_replaced() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 2})) as rig:
        first, second = await rig.ready(2)
        stream = await rig.play(first, "ch-1")
        rig.runtime.kill(first.id)
        await rig.until(lambda: rig.front.fleet.find(first.id) is None)
        ended = rig.front.fleet.stream(stream.id)
        assert (ended.status, ended.end_reason) == ("ended", "engine_died")
        await rig.until(lambda: len(rig.healthy()) == 2)
        await rig.until(lambda: len(rig.world.instances) == 2)
        assert second.id in rig.world.instances
        assert rig.events.of("engine", "failed")


async def test_without_anything_configured_nothing_is_started_until_somebody_asks() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 3}), keeps_minimum=False) as rig:
        await anyio.sleep(0.1)
        assert rig.world.instances == {}
        engine = await rig.front.provisioner.engine(EngineOrder())
        assert engine.health == "healthy"


async def test_a_ready_engine_is_handed_out_at_once_and_to_one_client_only() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1})) as rig:
        (spare,) = await rig.ready(1)
        assert (await rig.front.provisioner.engine(EngineOrder())).id == spare.id
        other = await rig.front.provisioner.engine(EngineOrder())
        assert other.id != spare.id


async def test_an_order_that_is_special_gets_an_engine_of_its_own() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1})) as rig:
        (spare,) = await rig.ready(1)
        engine = await rig.front.provisioner.engine(
            EngineOrder(labels={"stream_id": "7"}, env={"EXTRA_A": "1"}, image="other/image:1")
        )
        instance = rig.world.instances[engine.id]
        assert engine.id != spare.id
        assert instance.image == "other/image:1"
        assert (instance.labels["stream_id"], instance.env["EXTRA_A"]) == ("7", "1")
        assert (engine.container_http_port, engine.container_https_port) == (40000, 45000)


async def test_a_fixed_port_is_honoured_or_refused() -> None:
    async with opened_half() as rig:
        engine = await rig.front.provisioner.engine(EngineOrder(host_port=19555))
        assert engine.port == 19555
        with pytest.raises(PortInUse):
            await rig.front.provisioner.engine(EngineOrder(host_port=19555))
        rig.world.taken_ports.add(19556)
        with pytest.raises(PortInUse):
            await rig.front.provisioner.engine(EngineOrder(host_port=19556))
        assert len(rig.world.instances) == 1


async def test_a_port_that_turns_out_to_be_taken_is_avoided_from_then_on() -> None:
    async with opened_half() as rig:
        rig.world.taken_ports |= {19000, 19001}
        engine = await rig.front.provisioner.engine(SOMETHING)
        assert engine.port == 19002


async def test_a_failed_start_leaves_neither_container_nor_port() -> None:
    async with opened_half() as rig:
        with pytest.raises(ImageNotFound):
            await rig.front.provisioner.engine(EngineOrder(image=MISSING_IMAGE))
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(SOMETHING)
        assert rig.world.instances == {}
        assert rig.half.parts.ports.held_on_host() == set()


async def test_an_engine_that_dies_before_it_answers_is_a_failed_start() -> None:
    async with opened_half(settings_for(scaling={"startup_timeout_s": 5.0})) as rig:
        async with anyio.create_task_group() as tasks:

            async def kill_it() -> None:
                await rig.until(lambda: bool(rig.world.instances))
                (instance_id,) = rig.world.instances
                rig.runtime.kill(instance_id, code=3)

            tasks.start_soon(kill_it)
            rig.world.frozen |= {f"{1:064x}"[::-1]}
            with pytest.raises(StartFailed, match="exit code 3"):
                await rig.front.provisioner.engine(SOMETHING)
        assert rig.world.instances == {}


async def test_an_engine_that_runs_and_stays_silent_is_given_as_unknown() -> None:
    async with opened_half(settings_for(scaling={"startup_timeout_s": 0.1})) as rig:
        rig.world.frozen |= {f"{1:064x}"[::-1]}
        engine = await rig.front.provisioner.engine(SOMETHING)
        assert engine.health == "unknown"


async def test_nobody_exceeds_the_maximum_however_many_ask_at_once() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 3})) as rig:
        rig.runtime.start_s = 0.02
        outcomes: list[str] = []

        async def ask() -> None:
            try:
                await rig.front.provisioner.engine(SOMETHING)
            except Blocked as error:
                outcomes.append(error.code)
            else:
                outcomes.append("made")

        await rig.front.control.scale(3)
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(ask)
        await rig.ready(3)
        await anyio.sleep(0.1)
        assert rig.world.most_alive == 3
        assert set(outcomes) <= {"made", "max_capacity"}
        assert "max_capacity" in outcomes


async def test_the_same_key_gives_the_same_engine_and_another_order_is_refused() -> None:
    async with opened_half() as rig:
        order = EngineOrder(labels={"a": "b"}, idempotency_key="key-1")
        engines = []

        async def ask() -> None:
            engines.append((await rig.front.provisioner.engine(order)).id)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask)
        assert len(set(engines)) == 1
        assert len(rig.world.instances) == 1
        with pytest.raises(Refused) as caught:
            await rig.front.provisioner.engine(
                EngineOrder(labels={"a": "c"}, idempotency_key="key-1")
            )
        assert caught.value.code == "idempotency_key_reused"


async def test_a_key_is_known_to_the_next_server() -> None:
    world = World()
    order = EngineOrder(labels={"a": "b"}, idempotency_key="key-1")
    async with opened_half(world=world) as rig:
        before = await rig.front.provisioner.engine(order)
    async with opened_half(world=world) as rig:
        assert (await rig.front.provisioner.engine(order)).id == before.id


async def test_several_failed_starts_open_the_breaker_and_a_reset_closes_it() -> None:
    settings = settings_for(breaker={"failure_threshold": 2, "recovery_timeout_s": 60.0})
    async with opened_half(settings) as rig:
        for _ in range(2):
            rig.runtime.fail("start", StartFailed("no"))
            with pytest.raises(StartFailed):
                await rig.front.provisioner.engine(EngineOrder())
        with pytest.raises(Blocked, match="circuit breaker") as caught:
            await rig.front.provisioner.engine(EngineOrder())
        assert (caught.value.code, caught.value.should_wait) == ("circuit_breaker", True)
        assert rig.events.of("health", "failed")
        rig.front.status.reset_breakers(None)
        assert (await rig.front.provisioner.engine(EngineOrder())).health == "healthy"


WITHOUT_AN_OUTCOME = [
    (RuntimeUnavailable("as ordered"), 1),
    (PortInUse("as ordered", port=19000), TRIES),
    (NameInUse("as ordered"), MOST_NAMES),
    (Blocked("as ordered", code="max_capacity"), 1),
]
"""Errors, and how often one start meets each before it gives up."""


@pytest.mark.parametrize(
    ("error", "tries"),
    WITHOUT_AN_OUTCOME,
    ids=[type(each).__name__ for each, _ in WITHOUT_AN_OUTCOME],
)
async def test_a_trial_that_says_nothing_of_starts_does_not_keep_the_breaker_half_open(
    error: Exception, tries: int
) -> None:
    settings = settings_for(scaling={"min_replicas": 1}, breaker=HALF_OPEN_SOON)
    async with opened_half(settings) as rig:
        (engine,) = await rig.ready(1)
        rig.runtime.fail("start", StartFailed("no"))
        for _ in range(tries):
            rig.runtime.fail("start", error)
        rig.runtime.kill(engine.id, code=1)
        await rig.until(lambda: bool(rig.events.of("health", "failed")))
        await rig.ready(1)
        assert rig.half.parts.breakers["general"].state(rig.half.parts.clock.now_s()) == "closed"


async def test_a_trial_that_the_fleet_refuses_does_not_keep_the_breaker_half_open() -> None:
    async with opened_half(settings_for(breaker=HALF_OPEN_SOON)) as rig:
        breaker = rig.half.parts.breakers["general"]
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(EngineOrder())
        await rig.until(lambda: breaker.state(rig.half.parts.clock.now_s()) == "half_open")
        rig.front.fleet.freshness.lost(0.0, "as ordered")
        reconciler = rig.half.parts.reconciler
        reconciler._begin(Start(None, forwarded=False, replaces=None, why="a test asks"))
        await rig.until(lambda: not rig.front.fleet.flights)
        assert breaker.allows(rig.half.parts.clock.now_s())


@pytest.mark.parametrize("order", [EngineOrder(), SOMETHING], ids=["plain", "special"])
async def test_clients_are_served_again_after_the_breaker_where_nothing_else_wants_an_engine(
    order: EngineOrder,
) -> None:
    async with opened_half(settings_for(breaker=HALF_OPEN_SOON)) as rig:
        breaker = rig.half.parts.breakers["general"]
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(EngineOrder())
        await rig.until(lambda: breaker.state(rig.half.parts.clock.now_s()) == "half_open")
        with pytest.raises(Blocked, match="circuit breaker") as caught:
            await rig.front.provisioner.engine(order)
        assert caught.value.can_retry
        if order.is_plain:
            assert (await rig.front.provisioner.engine(order)).health == "healthy"
            assert rig.world.starts == 1
        await rig.until(lambda: breaker.state(rig.half.parts.clock.now_s()) == "closed")
        assert (await rig.front.provisioner.engine(order)).health == "healthy"


async def test_whoever_waits_for_an_engine_gets_one_after_the_breaker() -> None:
    async with opened_half(settings_for(breaker=HALF_OPEN_SOON)) as rig:
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(EngineOrder())
        assert (await rig.front.control.select(SelectOrder(wait_s=10.0))).engine.id
        assert rig.world.starts == 1


async def test_a_breaker_stays_open_over_a_restart() -> None:
    settings = settings_for(breaker={"failure_threshold": 1, "recovery_timeout_s": 60.0})
    async with opened_half(settings) as rig:
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(EngineOrder())
        disk = rig.disk
    async with opened_half(settings, disk=disk) as rig:
        with pytest.raises(Blocked):
            await rig.front.provisioner.engine(EngineOrder())


async def test_scaling_up_and_down_keeps_engines_with_streams() -> None:
    async with opened_half() as rig:
        assert (await rig.front.control.scale(4)).target == 4
        engines = await rig.ready(4)
        await rig.play(engines[0], "ch-1")
        await rig.front.control.scale(0)
        await rig.until(lambda: len(rig.front.fleet.ours()) == 1)
        assert rig.front.fleet.ours()[0].id == engines[0].id
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        await rig.until(lambda: not rig.world.instances)


async def test_the_demand_is_remembered_over_a_restart() -> None:
    world = World()
    async with opened_half(world=world) as rig:
        await rig.front.control.scale(3)
        await rig.ready(3)
        disk = rig.disk
    async with opened_half(world=world, disk=disk) as rig:
        rig.runtime.kill(next(iter(rig.world.instances)))
        await rig.until(lambda: len(rig.healthy()) == 3)


async def test_a_restart_keeps_engines_and_streams() -> None:
    world = World()
    async with opened_half(world=world) as rig:
        engine = await rig.front.provisioner.engine(SOMETHING)
        await rig.play(engine, "ch-1")
        disk, api = rig.disk, rig.engines_api
    async with opened_half(world=world, disk=disk, engines_api=api) as rig:
        (again,) = rig.front.fleet.ours()
        assert (again.id, again.port, again.name) == (engine.id, engine.port, engine.name)
        assert again.last_stream_usage is not None
        assert rig.front.fleet.stream("ch-1").status == "started"
        await rig.until(lambda: rig.front.fleet.latest("ch-1") is not None)
        # Its port is known to be held.
        assert (await rig.front.provisioner.engine(SOMETHING)).port != engine.port


async def test_streams_of_an_engine_that_died_while_no_server_ran_end() -> None:
    world = World()
    async with opened_half(world=world) as rig:
        engine = await rig.front.provisioner.engine(SOMETHING)
        await rig.play(engine, "ch-1")
        disk = rig.disk
    del world.instances[engine.id]
    async with opened_half(world=world, disk=disk) as rig:
        await rig.until(lambda: rig.front.fleet.stream("ch-1").status == "ended")
        assert rig.front.fleet.stream("ch-1").end_reason == "engine_gone"


async def test_while_the_runtime_is_away_reads_go_on_and_nothing_is_changed() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 2})) as rig:
        engines = await rig.ready(2)
        rig.runtime.go_away()
        await rig.until(lambda: rig.front.stale_s() is not None)
        assert len(rig.front.fleet.ours()) == 2
        with pytest.raises(RuntimeUnavailable):
            await rig.front.provisioner.engine(SOMETHING)
        with pytest.raises(RuntimeUnavailable):
            await rig.front.control.delete(engines[0].id)
        with pytest.raises(RuntimeUnavailable):
            await rig.front.control.collect_garbage()
        assert len(rig.front.fleet.ours()) == 2
        assert rig.front.status.ready()["ready"] is False
        rig.world.instances.pop(engines[0].id)
        rig.runtime.come_back()
        await rig.until(lambda: rig.front.stale_s() is None)
        await rig.until(lambda: len(rig.healthy()) == 2)
        assert rig.front.fleet.find(engines[0].id) is None


async def test_a_hung_engine_is_replaced_and_its_replacement_is_ready_first() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1, "max_replicas": 2})) as rig:
        (engine,) = await rig.ready(1)
        rig.runtime.freeze(engine.id)
        await rig.until(lambda: engine.id not in rig.world.instances)
        assert len(rig.healthy()) == 1
        assert rig.world.most_alive == 2


async def test_at_the_maximum_a_hung_engine_makes_room_first() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1, "max_replicas": 1})) as rig:
        (engine,) = await rig.ready(1)
        rig.runtime.freeze(engine.id)
        await rig.until(lambda: engine.id not in rig.world.instances)
        await rig.ready(1)
        assert rig.world.most_alive == 1


async def test_a_hung_engine_with_a_stream_is_drained_and_goes_after_its_grace() -> None:
    settings = settings_for(scaling={"min_replicas": 1}, health={"unhealthy_grace_period_s": 0.5})
    async with opened_half(settings) as rig:
        (engine,) = await rig.ready(1)
        await rig.play(engine, "ch-1")
        rig.runtime.freeze(engine.id)
        await rig.until(lambda: rig.front.fleet.engine(engine.id).draining == "unhealthy")
        assert rig.front.fleet.find(engine.id) is not None
        await rig.until(lambda: engine.id not in rig.world.instances)
        assert rig.front.fleet.stream("ch-1").status == "ended"


async def test_one_that_answers_again_stays() -> None:
    settings = settings_for(scaling={"min_replicas": 1, "max_replicas": 1})
    async with opened_half(settings) as rig:
        (engine,) = await rig.ready(1)
        await rig.play(engine, "ch-1")
        rig.runtime.freeze(engine.id)
        await rig.until(lambda: rig.front.fleet.engine(engine.id).draining == "unhealthy")
        rig.runtime.thaw(engine.id)
        await rig.until(lambda: rig.front.fleet.engine(engine.id).draining is None)
        assert rig.front.fleet.stream("ch-1").status == "started"


async def test_deleting_ends_streams_at_once_and_refuses_what_is_not_ours() -> None:
    async with opened_half() as rig:
        engine = await rig.front.provisioner.engine(SOMETHING)
        await rig.play(engine, "ch-1")
        await rig.front.control.delete(engine.name)
        assert rig.front.fleet.stream("ch-1").end_reason == "deleted"
        assert rig.world.instances == {}
        with pytest.raises(NotFound):
            await rig.front.control.delete("nobody")
        stranger = FakeRuntime(rig.world, label=("somebody", "else"))
        theirs = await stranger.start(EngineSpec(name="theirs", image="x"), within_s=1)
        with pytest.raises(Refused) as caught:
            await rig.front.control.delete(theirs.id)
        assert caught.value.code == "not_managed"
        assert theirs.id in rig.world.instances


async def test_generic_containers_are_no_engines_and_can_be_deleted() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1})) as rig:
        await rig.ready(1)
        made = await rig.front.provisioner.generic(
            GenericOrder(image="nginx:1", labels={"a": "b"}, ports={"80/tcp": 18080})
        )
        assert made.name == "svc-1"
        assert len(rig.front.fleet.ours()) == 1
        assert [each.id for each in rig.front.by_label("a", "b")] == [made.id]
        rig.runtime.kill(made.id)
        await anyio.sleep(0.1)
        assert made.id in rig.world.instances  # whoever made it decides
        await rig.front.control.delete(made.id)
        assert made.id not in rig.world.instances


async def test_selecting_claims_the_best_engine_and_waits_for_capacity() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 1})) as rig:
        first = await rig.front.control.select(SelectOrder())
        with pytest.raises(Blocked) as caught:
            await rig.front.control.select(SelectOrder())
        assert caught.value.code == "max_capacity"
        await rig.play(first.engine, "ch-1")
        async with anyio.create_task_group() as tasks:

            async def end() -> None:
                await anyio.sleep(0.05)
                await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")

            tasks.start_soon(end)
            again = await rig.front.control.select(SelectOrder(wait_s=5.0))
        assert again.engine.id == first.engine.id


async def test_auto_delete_removes_an_engine_after_its_last_stream() -> None:
    # On a machine that stands still for a moment no poll and no check is answered in time.
    patient = settings_for(
        scaling={"auto_delete": True},
        collector={"dead_after": 10_000},
        health={"failure_threshold": 100},
    )
    async with opened_half(patient) as rig:
        engine = await rig.front.provisioner.engine(SOMETHING)
        await rig.play(engine, "ch-1")
        await anyio.sleep(0.1)
        assert engine.id in rig.world.instances
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        await rig.until(lambda: not rig.world.instances)


async def test_garbage_is_what_is_idle_beyond_its_time() -> None:
    async with opened_half(settings_for(scaling={"idle_ttl_s": 0.0})) as rig:
        engine = await rig.front.provisioner.engine(SOMETHING)
        await rig.play(engine, "ch-1")
        assert (await rig.front.control.collect_garbage()).removed == ()
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        (removed,) = (await rig.front.control.collect_garbage()).removed
        assert (removed["container_id"], removed["reason"]) == (engine.id, "idle")
        assert rig.world.instances == {}


@pytest.mark.parametrize("step_s", [-86_400.0, 86_400.0])
async def test_a_step_of_the_wall_clock_replaces_and_ends_nothing(step_s: float) -> None:
    step = {"s": 0.0}

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=step["s"])

    clock = Clock(now=now)
    async with opened_half(settings_for(scaling={"min_replicas": 2}), clock=clock) as rig:
        before = {engine.id for engine in await rig.ready(2)}
        await rig.play(rig.healthy()[0], "ch-1")
        step["s"] = step_s
        rig.half.keeper.list_soon()
        await anyio.sleep(0.3)
        assert {engine.id for engine in rig.healthy()} == before
        assert rig.front.fleet.stream("ch-1").status == "started"
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        over = rig.front.fleet.stream("ch-1")
        assert over.ended_at is not None
        assert over.ended_at >= over.started_at


async def test_an_equal_request_joins_the_start_that_its_disconnected_caller_left() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 10})) as rig:
        rig.runtime.start_s = 0.6
        for order in (
            EngineOrder(),
            EngineOrder(labels={"a": "b"}),
            EngineOrder(idempotency_key="k"),
        ):
            before = rig.world.starts
            for _ in range(2):  # it gives up twice
                with anyio.move_on_after(0.1):
                    await rig.front.provisioner.engine(order)
            engine = await rig.front.provisioner.engine(order)
            assert rig.world.starts == before + 1
            assert engine.health == "healthy"
            rig.front.fleet.leases.release(engine.id)
            await rig.play(engine, f"s-{before}")


async def test_a_start_that_was_left_is_for_the_next_who_asks_for_the_same() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 10})) as rig:
        rig.runtime.start_s = 0.2
        order = EngineOrder(labels={"a": "b"})
        with anyio.move_on_after(0.05):
            await rig.front.provisioner.engine(order)
        await rig.ready(1)
        assert (await rig.front.provisioner.engine(order)).labels["a"] == "b"
        assert rig.world.starts == 1
        await rig.front.provisioner.engine(order)  # that one has it
        assert rig.world.starts == 2


async def test_an_engine_whose_caller_goes_as_it_comes_is_for_the_next_who_asks_for_the_same() -> (
    None
):
    async with opened_half(settings_for(scaling={"max_replicas": 10})) as rig:
        for order in (EngineOrder(), SOMETHING, EngineOrder(idempotency_key="k")):
            starts = rig.world.starts
            engine = await rig.front.provisioner.engine(order)
            rig.front.provisioner.give_back(order, engine)
            assert (await rig.front.provisioner.engine(order)).id == engine.id
            assert rig.world.starts == starts + 1
            await rig.play(engine, f"s-{starts}")


async def test_two_callers_who_both_wait_get_an_engine_each() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 10})) as rig:
        rig.runtime.start_s = 0.1
        got: list[str] = []

        async def ask() -> None:
            got.append((await rig.front.provisioner.engine(EngineOrder())).id)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
        assert len(set(got)) == 2


async def test_what_clients_left_under_way_ends_with_the_server() -> None:
    async with opened_half() as rig:
        rig.runtime.start_s = 5.0
        with anyio.move_on_after(0.05):
            await rig.front.provisioner.engine(EngineOrder())
        assert len(rig.front.fleet.flights) == 1
    assert not rig.front.fleet.flights
    assert rig.world.instances == {}


def listed(rig: HalfRig) -> dict[str, tuple[str, str | None]]:
    """Health and `draining` of each engine, by its id, as proxies read them."""
    found = json.loads(rig.front.fleet.engines_body().content)
    return {each["container_id"]: (each["health_status"], each["draining"]) for each in found}


async def test_an_engine_that_gets_no_new_work_is_listed_as_unknown() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 2, "max_replicas": 2})) as rig:
        first, second = await rig.ready(2)
        await rig.play(first, "ch-1")
        await rig.play(second, "ch-2")
        assert set(listed(rig).values()) == {("healthy", None)}
        await rig.front.reprovision.start()
        await rig.until(lambda: set(listed(rig).values()) == {("unknown", "outdated")})
        status = rig.front.status.orchestrator()
        assert status["capacity"]["available"] == 0
        assert rig.front.status.health()["healthy_engines"] == 2
        with pytest.raises(Blocked):
            await rig.front.control.select(SelectOrder())
        # Only streams are waited for: it may be ordered again, with another configuration.
        assert await rig.front.reprovision.start() == 2


async def test_engines_behind_a_lost_vpn_are_not_listed() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1})) as rig:
        (engine,) = await rig.ready(1)
        rig.front.fleet.change(engine.id, vpn_container="gluetun")
        before = rig.front.fleet.engines_body().version
        rig.front.fleet.set_lost_vpns(frozenset({"gluetun"}))
        assert listed(rig) == {}
        assert rig.front.fleet.engines_body().version > before
        assert rig.front.status.orchestrator()["capacity"]["available"] == 0
        assert rig.front.status.orchestrator()["engines"]["running"] == 1
        assert rig.front.fleet.engine_body(engine.id).content
        rig.front.fleet.set_lost_vpns(frozenset())
        assert set(listed(rig)) == {engine.id}


async def test_an_engine_of_somebody_else_is_no_capacity() -> None:
    async with opened_half() as rig:
        report = StreamReport(
            container_id=None,
            host="192.0.2.7",
            port=6878,
            key_type="infohash",
            key="a" * 40,
            playback_session_id="s",
            stat_url="http://192.0.2.7:6878/ace/stat/a/s",
            command_url="http://192.0.2.7:6878/ace/cmd/a/s",
            is_live=True,
            labels={},
        )
        await rig.front.streams.started(report)
        capacity = rig.front.status.orchestrator()["capacity"]
        assert (capacity["used"], capacity["available"]) == (0, 0)


async def test_containers_of_somebody_else_with_our_names_stop_nothing() -> None:
    async with opened_half() as rig:
        other = FakeRuntime(rig.world, label=("somebody", "else"))
        for number in range(1, 31):
            await other.start(EngineSpec(f"acestream-{number}", "theirs"), within_s=1)
        engine = await rig.front.provisioner.engine(SOMETHING)
        assert engine.health == "healthy"
        calls = len(rig.runtime.calls)
        await rig.front.provisioner.engine(SOMETHING)
        assert rig.runtime.calls[calls:].count("start") <= 9
        for number in range(1, 31):
            await other.start(EngineSpec(f"svc-{number}", "theirs"), within_s=1)
        await rig.front.provisioner.generic(GenericOrder(image="web:1"))


async def test_status_says_that_no_port_is_left() -> None:
    settings = settings_for(ports={"host": "19000-19001"}, scaling={"max_replicas": 5})
    async with opened_half(settings) as rig:
        for _ in range(2):
            assert rig.front.status.orchestrator()["provisioning"]["can_provision"]
            await rig.front.provisioner.engine(SOMETHING)
        said = rig.front.status.orchestrator()["provisioning"]
        assert not said["can_provision"]
        assert said["blocked_reason_details"]["code"] == "max_capacity"
        assert "port" in said["blocked_reason"]


async def test_labels_of_streams_go_with_the_streams() -> None:
    async with opened_half() as rig:
        engine = await rig.front.provisioner.engine(EngineOrder(labels={"own": "1"}))
        own = dict(rig.front.fleet.engine(engine.id).labels)
        for number in range(50):
            report = rig.report(engine, f"s-{number}")
            labelled = replace(report, labels={**report.labels, f"n{number}": "x", "shared": "y"})
            await rig.front.streams.started(labelled)
        for number in range(49):
            await rig.front.streams.ended(container_id=None, stream_id=f"s-{number}", reason="over")
        left = rig.front.fleet.engine(engine.id).labels
        assert left == {**own, "stream_id": "s-49", "n49": "x", "shared": "y"}
        await rig.front.streams.ended(container_id=None, stream_id="s-49", reason="over")
        assert rig.front.fleet.engine(engine.id).labels == own
        assert rig.disk.engines[engine.id]["labels"] == own
