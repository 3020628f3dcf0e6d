"""The engines half, whole and real, on a runtime and engines in memory."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio

from support.fakeengines import Disk, FakeEngines, MemoryEvents, MemoryStore
from support.fakeruntime import FakeRuntime, World
from touchline.core.metrics import Metrics
from touchline.engines.assembly import EnginesLifecycle
from touchline.engines.fleet.acestream import AceStreamClient
from touchline.engines.fleet.record import Load
from touchline.engines.fleet.rows import Loaded
from touchline.engines.fleet.samples import SampleBook
from touchline.engines.fleet.store import Store
from touchline.engines.front import Engines
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Engine, Stream
from touchline.engines.model.orders import EngineOrder
from touchline.engines.parts import Parts, Resources
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.streams.report import StreamReport
from touchline.engines.variants.variantstore import VariantStore
from touchline.engines.vpn.control import VpnControl

DEADLINE_S = 20.0
LABELLED = EngineOrder(labels={"a": "b"})
"""An order that no spare engine fills: each starts an engine of its own."""


@dataclass
class Record:
    """Where a half keeps what the next server has to know; `left` is what it begins with."""

    store: Store
    load: Load
    left: Loaded | None


@dataclass
class HalfRig:
    """A running half, and everything around it that a test may want to hurt."""

    world: World
    runtime: FakeRuntime
    engines_api: FakeEngines
    disk: Disk
    events: MemoryEvents
    front: Engines
    half: EnginesLifecycle

    async def until(self, condition: Any, within_s: float = DEADLINE_S) -> None:
        """Wait until it holds."""
        with anyio.fail_after(within_s):
            while not condition():
                await anyio.sleep(0.005)

    async def ready(self, number: int) -> list[Engine]:
        """Wait until so many engines are healthy."""
        await self.until(lambda: len(self.healthy()) >= number)
        return self.healthy()

    def healthy(self) -> list[Engine]:
        return [engine for engine in self.front.fleet.managed() if engine.health == "healthy"]

    def report(self, engine: Engine, stream_id: str, session: str | None = None) -> StreamReport:
        """A report of a stream that plays on this engine; the engine plays it indeed."""
        session = session or f"session-{stream_id}"
        self.engines_api.play(engine.id, session)
        root = f"http://{engine.host}:{engine.port}/ace"
        return StreamReport(
            container_id=engine.id,
            host=engine.host,
            port=engine.port,
            key_type="infohash",
            key="a" * 40,
            playback_session_id=session,
            stat_url=f"{root}/stat/{'a' * 40}/{session}",
            command_url=f"{root}/cmd/{'a' * 40}/{session}",
            is_live=True,
            labels={"stream_id": stream_id},
        )

    async def play(self, engine: Engine, stream_id: str) -> Stream:
        return await self.front.streams.started(self.report(engine, stream_id))


def settings_for(**groups: Any) -> EnginesSettings:
    """Settings that a test can wait for."""
    values: dict[str, Any] = {
        "scaling": {"min_replicas": 0, "min_free_replicas": 0, "grace_period_s": 0.0},
        "health": {"interval_s": 0.05, "timeout_s": 0.05, "replacement_cooldown_s": 0.0},
        "collector": {"interval_s": 0.05, "timeout_s": 0.1, "dead_after": 3},
    }
    for name, group in groups.items():
        known = values.get(name)
        values[name] = {**known, **group} if isinstance(known, dict) else group
    return EnginesSettings.model_validate(values)


@asynccontextmanager
async def opened_half(
    settings: EnginesSettings | None = None,
    *,
    world: World | None = None,
    disk: Disk | None = None,
    engines_api: FakeEngines | None = None,
    runtime: FakeRuntime | None = None,
    clock: Clock | None = None,
    control: Any = None,
    keeps_minimum: bool = True,
    metrics: Metrics | None = None,
    record: Record | None = None,
) -> AsyncIterator[HalfRig]:
    """A server's half on these; when the context ends it stops as if it had been killed."""
    rig = idle_half(
        settings,
        world=world,
        disk=disk,
        engines_api=engines_api,
        runtime=runtime,
        clock=clock,
        control=control,
        keeps_minimum=keeps_minimum,
        metrics=metrics,
        record=record,
    )
    async with anyio.create_task_group() as tasks:
        rig.half.run(tasks)
        await rig.half.runtime_sync.first_list(DEADLINE_S if not rig.runtime.is_away else 0.05)
        try:
            yield rig
        finally:
            tasks.cancel_scope.cancel()
    await rig.runtime.close()


def idle_half(
    settings: EnginesSettings | None = None,
    *,
    world: World | None = None,
    disk: Disk | None = None,
    engines_api: FakeEngines | None = None,
    runtime: FakeRuntime | None = None,
    clock: Clock | None = None,
    control: Any = None,
    keeps_minimum: bool = True,
    directory: Path | None = None,
    metrics: Metrics | None = None,
    record: Record | None = None,
) -> HalfRig:
    """The same, put together and not set going: it answers, and nothing happens by itself."""
    settings = settings or settings_for()
    world = world or World()
    disk = disk or Disk()
    engines_api = engines_api or FakeEngines(world)
    runtime = runtime or FakeRuntime(world, label=settings.management_label)
    events = MemoryEvents()
    if record is None:
        kept = MemoryStore(disk, cast("Any", events))
        left = None if disk.unreadable else kept.loaded()
        record = Record(cast("Store", kept), kept.load, left)
    directory = directory or Path(tempfile.gettempdir()) / "no-such-directory"
    resources = Resources(
        runtime=runtime,
        client=cast("AceStreamClient", engines_api),
        vpn_control=cast("VpnControl", control),
        store=record.store,
        load=record.load,
        samples=SampleBook(settings.collector.history),
        variants=VariantStore(directory, "amd64"),
        events=cast("Any", events),
        metrics=metrics or Metrics(),
        clock=clock or Clock(),
        probe=None,
    )
    parts = Parts(settings, resources, keeps_minimum=keeps_minimum, debug=False)
    parts.restoration.try_to_take_up(record.left)
    half = EnginesLifecycle(parts)
    return HalfRig(world, runtime, engines_api, disk, events, half.front(), half)
