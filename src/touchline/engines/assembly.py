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
        self.runtime_sync = parts.provisioning.runtime_sync
        self._runtime = parts.resources.runtime
        self._supervisor, self._fleet = parts.base.supervisor, parts.base.fleet
        self._streams, self._vpn = parts.base.streams, parts.base.vpn
        self._replaced, self._replaced_seen = parts.resources.store.replaced, 0

    def front(self) -> Engines:
        """Return the public interface of the engines half."""
        parts, resources, control = self.parts, self.parts.resources, self.parts.control
        return Engines(
            settings=parts.base.settings,
            fleet=self._fleet,
            samples=resources.samples,
            streams=self._streams,
            provisioner=parts.provisioning.provisioner,
            control=control.control,
            selection=control.selection,
            retries=control.retries,
            usage=parts.monitoring.usage,
            status=parts.status,
            readiness=parts.readiness,
            content=ContentInfo(
                self._fleet, self._streams, resources.client, now=resources.clock.now
            ),
            variants=resources.variants,
            reprovision=control.reprovision,
            vpn_changed=self._vpn.changed if self._vpn is not None else Changed(),
            runtime_kind=self._runtime.kind,
            _runtime=self._runtime,
            _now_s=resources.clock.now_s,
        )

    def run(self, tasks: TaskGroup) -> None:
        """Start all background tasks."""
        monitoring = self.parts.monitoring

        def repeat(name: str, once: Callable[[], Awaitable[Any]], every_s: float = 0.0) -> None:
            tasks.start_soon(partial(self._supervisor.keep, name, once, every_s=every_s))

        repeat("runtime sync", self.runtime_sync.run)
        tasks.start_soon(self._end_starts)
        tasks.start_soon(self._reconcile)
        repeat("health checks", monitoring.probes.run)
        repeat("stream collector", monitoring.collector.run)
        repeat("fleet follower", self._follow_engines)
        repeat("stream follower", self._follow_streams)
        repeat("usage sampler", monitoring.usage.once, EVERY_S)
        repeat("cache cleanup", monitoring.cleaner.once, CLEAN_EVERY_S)
        repeat("stream cleanup", self._forget, FORGET_EVERY_S)
        tasks.start_soon(self._take_up_record)
        repeat("record rewrite", self._note_when_replaced)
        if self._vpn is not None:
            repeat("VPN monitor", self._vpn.wait_and_look)
            repeat("VPN follower", partial(follow_vpns, self._fleet, self._vpn))

    async def _reconcile(self) -> None:
        """Reconcile until cancelled. Actions that have begun do not end with a pass that fails."""
        control = self.parts.control
        async with control.executor.running():
            await self._supervisor.keep(
                "fleet reconciler", control.reconciler.pass_and_wait, every_s=0.0
            )

    async def _take_up_record(self) -> None:
        restoration = self.parts.restoration
        await self._supervisor.keep_until_done("state restore", restoration.run)
        await self._supervisor.guard("sample restore", restoration.restore_samples)

    async def _end_starts(self) -> None:
        """Wait for the shutdown of this half, and end the starts that clients abandoned."""
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await self.parts.provisioning.provisioner.close()

    def note_failures(self) -> None:
        """Store the state of breakers and replacement rounds for the next server."""
        self.parts.base.failures.save()

    async def _note_when_replaced(self) -> None:
        """Write all current state to the record, once the database was replaced."""
        self._replaced_seen = await self._replaced.wait(self._replaced_seen)
        self.parts.restoration.note_everything()

    def running(self) -> int:
        """Return the number of running managed engines, as far as is known."""
        return len(self._fleet.managed())

    async def stop_all(self) -> None:
        """Stop every managed engine, after everything else has ended.

        The engines are listed from the runtime: one whose start was cancelled at the shutdown, or
        that an earlier server left, may be missing from our own lists.
        """

        async def stop(engine_id: str) -> None:
            await self._runtime.stop(engine_id, grace_s=END_GRACE_S)
            if self._fleet.find(engine_id) is not None:
                self._fleet.remove(engine_id)
                self._streams.end_lost(engine_id, "server_ended")

        running = {engine.id for engine in self._fleet.managed()}
        try:
            running |= {each.id for each in await self._runtime.list()}
        except TouchlineError as error:
            log.warning("Running engines cannot be listed: %s", error.message)
        async with anyio.create_task_group() as tasks:
            for engine_id in running:
                tasks.start_soon(self._supervisor.guard, "engine stop", stop, engine_id)

    async def _follow_engines(self) -> None:
        seen = self._fleet.roster_changed.version
        self.parts.monitoring.probes.follow()
        await self._fleet.roster_changed.wait(seen)

    async def _follow_streams(self) -> None:
        seen = self._fleet.roster_changed.version
        self.parts.monitoring.collector.follow()
        await self._fleet.roster_changed.wait(seen)

    async def _forget(self) -> None:
        await self._streams.forget_old()
