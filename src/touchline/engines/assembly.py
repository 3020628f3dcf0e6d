"""Runtime of the engines half: its background tasks and its shutdown."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup

from touchline.core.errors import TouchlineError
from touchline.core.tasks import Changed
from touchline.engines.front import Engines
from touchline.engines.monitoring.usage import EVERY_S
from touchline.engines.parts import Parts
from touchline.engines.streams.content import ContentInfo
from touchline.engines.vpn.fleet import follow_vpns

log = logging.getLogger(__name__)
END_GRACE_S = 3.0
FORGET_EVERY_S = 60.0
CLEAN_EVERY_S = 10.0


class EnginesLifecycle:
    """Lifecycle of the engines half's parts."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.runtime_sync = parts.runtime_sync

    def front(self) -> Engines:
        """Return the public interface of the engines half."""
        parts = self.parts
        return Engines(
            settings=parts.settings,
            fleet=parts.fleet,
            samples=parts.samples,
            streams=parts.streams,
            provisioner=parts.provisioner,
            control=parts.control,
            usage=parts.usage,
            status=parts.status,
            content=ContentInfo(parts.fleet, parts.streams, parts.client, now=parts.clock.now),
            variants=parts.variants,
            reprovision=parts.reprovision,
            vpn_changed=parts.vpn.changed if parts.vpn is not None else Changed(),
            runtime_kind=parts.runtime.kind,
            _runtime=parts.runtime,
            _now_s=parts.clock.now_s,
        )

    def run(self, tasks: TaskGroup) -> None:
        """Start all background tasks."""
        parts = self.parts

        def repeat(name: str, once: Callable[[], Awaitable[Any]], every_s: float = 0.0) -> None:
            tasks.start_soon(partial(parts.supervisor.keep, name, once, every_s=every_s))

        repeat("runtime sync", self.runtime_sync.run)
        tasks.start_soon(self._end_starts)
        tasks.start_soon(parts.reconciler.run)
        repeat("health checks", parts.health.run)
        repeat("stream collector", parts.collector.run)
        repeat("fleet follower", self._follow_engines)
        repeat("stream follower", self._follow_streams)
        repeat("usage sampler", parts.usage.once, EVERY_S)
        repeat("cache cleanup", parts.cleaner.once, CLEAN_EVERY_S)
        repeat("stream cleanup", self._forget, FORGET_EVERY_S)
        tasks.start_soon(self._take_up_record)
        if parts.vpn is not None:
            repeat("VPN monitor", parts.vpn.wait_and_look)
            repeat("VPN follower", partial(follow_vpns, parts.fleet, parts.vpn))

    async def _take_up_record(self) -> None:
        supervisor, restoration = self.parts.supervisor, self.parts.restoration
        await supervisor.keep_until_done("state restore", restoration.run)
        await supervisor.guard("sample restore", restoration.restore_samples)

    async def _end_starts(self) -> None:
        """Wait for the shutdown of this half, and end the starts that clients abandoned."""
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await self.parts.provisioner.close()

    def breaker_records(self) -> dict[str, Any]:
        """Return the state of breakers and replacement rounds for the next server."""
        return self.parts.restoration.breaker_records()

    def note_everything(self) -> None:
        """Write all current state to the record, after the database was replaced."""
        self.parts.restoration.note_everything()

    def running(self) -> int:
        """Return the number of running engines of ours, as far as is known."""
        return len(self.parts.fleet.ours())

    async def stop_all(self) -> None:
        """Stop every engine of ours, after everything else has ended.

        The engines are listed from the runtime: one whose start was cancelled at the shutdown, or
        that an earlier server left, may be missing from our own lists.
        """

        async def stop(engine_id: str) -> None:
            await self.parts.runtime.stop(engine_id, grace_s=END_GRACE_S)
            if self.parts.fleet.find(engine_id) is not None:
                self.parts.fleet.remove(engine_id)
                self.parts.streams.end_lost(engine_id, "server_ended")

        running = {engine.id for engine in self.parts.fleet.ours()}
        try:
            running |= {each.id for each in await self.parts.runtime.list()}
        except TouchlineError as error:
            log.warning("Running engines cannot be listed: %s", error.message)
        async with anyio.create_task_group() as tasks:
            for engine_id in running:
                tasks.start_soon(self.parts.supervisor.guard, "engine stop", stop, engine_id)

    async def _follow_engines(self) -> None:
        seen = self.parts.fleet.roster_changed.version
        self.parts.health.follow()
        await self.parts.fleet.roster_changed.wait(seen)

    async def _follow_streams(self) -> None:
        seen = self.parts.fleet.roster_changed.version
        self.parts.collector.follow()
        await self.parts.fleet.roster_changed.wait(seen)

    async def _forget(self) -> None:
        await self.parts.streams.forget_old()
