"""Operator and proxy requests to the fleet: delete, scale, clean up, claim an engine."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from touchline.core.errors import Blocked, Invalid, NotFound, Refused
from touchline.core.events.log import EventLog
from touchline.engines.control.answers import RemovedInstance
from touchline.engines.control.reconciler import Reconciler
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.store import Store
from touchline.engines.model.model import Engine
from touchline.engines.model.orders import EngineOrder
from touchline.engines.model.runtime import InstanceNotFound, Runtime
from touchline.engines.provisioning.admission import Admission
from touchline.engines.provisioning.provisioner import Provisioner
from touchline.engines.provisioning.remover import Remover
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.streams.reports import StreamReports

LONGEST_WAIT_S = 60.0
GC_WITHIN_S = 15.0
DEMAND = "demand"
"""Key under which the demand is stored."""


@dataclass(frozen=True)
class Scaled:
    """Result of scaling."""

    target: int
    """Number of engines after scaling."""
    replicas: int
    """Current number of engines."""


@dataclass(frozen=True)
class Collected:
    """Result of a cleanup."""

    removed: tuple[RemovedInstance, ...]
    streams_forgotten: int


@dataclass(frozen=True)
class SelectOrder:
    """Client that requests an engine, and its maximum waiting time."""

    stream_id: str | None = None
    max_streams: int = 1
    wait_s: float = 0.0
    lease_s: float | None = None


@dataclass(frozen=True)
class Selected:
    """Engine that is reserved for the client."""

    lease_id: str
    engine: Engine
    lease_s: float


class Control:
    """Operator requests to the fleet. Belongs to the event loop."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        fleet: Fleet,
        admission: Admission,
        provisioner: Provisioner,
        remover: Remover,
        reconciler: Reconciler,
        streams: StreamReports,
        store: Store,
        events: EventLog,
        settings: EnginesSettings,
        now_s: Callable[[], float],
    ) -> None:
        self._runtime = runtime
        self._fleet = fleet
        self._admission = admission
        self._provisioner = provisioner
        self._remover = remover
        self._reconciler = reconciler
        self._streams = streams
        self._store = store
        self._events = events
        self._settings = settings
        self._now_s = now_s

    async def delete(self, reference: str) -> None:
        """Remove a managed instance, by its id, a prefix of it or its name.

        Raises NotFound if there is none, Refused if it is not ours, RuntimeUnavailable.
        """
        instance_id = self._known(reference)
        if instance_id is None:
            try:
                instance = await self._runtime.inspect(reference)
            except InstanceNotFound as error:
                raise NotFound("container not found", code="container_not_found") from error
            name, value = self._settings.management_label
            if instance.labels.get(name) != value:
                raise Refused(
                    f"{instance.name} is not managed by this server and was not changed",
                    code="not_managed",
                )
            instance_id = instance.id
        await self._remover.remove(instance_id, why="deleted on request", reason="deleted")
        self._reconciler.wake()

    async def scale(self, demand: int) -> Scaled:
        """Store the demand on the disk; the fleet follows.

        Raises Invalid if it is negative, Blocked if it cannot be stored.
        """
        if demand < 0:
            raise Invalid(
                "The number of engines must not be negative",
                code="demand_invalid",
                loc=("path", "demand"),
                input=demand,
            )
        before = self._reconciler.demand
        await self._store.save_state(DEMAND, demand)
        self._reconciler.demand = demand
        target = min(max(self._settings.scaling.min_replicas, demand), self._admission.most)
        if before != demand:
            self._events.record(
                "system",
                "scaling",
                f"Scaling requested: {demand} engines; target {target}",
                demand=demand,
                target=target,
                before=before,
            )
        self._reconciler.wake()
        return Scaled(target=target, replicas=len(self._fleet.ours()))

    async def collect_garbage(self) -> Collected:
        """Remove engines that are idle for too long, dead instances, and expired streams.

        Raises RuntimeUnavailable. What takes longer than a few seconds continues in the background.
        """
        forgotten = await self._streams.forget_old()
        removed = await self._reconciler.collect_garbage(within_s=GC_WITHIN_S)
        return Collected(removed=tuple(removed), streams_forgotten=len(forgotten))

    async def select(self, order: SelectOrder) -> Selected:
        """Return the best engine for a new stream, reserved for this client.

        If none is free, one is started if that is allowed; otherwise the call waits for one. Raises
        Blocked after the maximum waiting time, and the errors of a start.
        """
        until_s = self._now_s() + min(order.wait_s, LONGEST_WAIT_S)
        while True:
            seen = self._fleet.engines_changed.version
            engine = self._reconciler.select(order.max_streams)
            if engine is not None:
                return self._claim(engine, order)
            refusal = self._admission.refusal()
            if refusal is None and self._fleet.freshness.is_current:
                engine = await self._provisioner.engine(EngineOrder())
                return self._claim(engine, order)
            self._provisioner.try_again()
            left_s = min(until_s - self._now_s(), 1.0)
            if left_s <= 0:
                raise refusal or Blocked(
                    "No engine is free and the runtime cannot be reached",
                    code="runtime_unavailable",
                    eta_s=5.0,
                )
            with anyio.move_on_after(left_s):
                await self._fleet.engines_changed.wait(seen)

    def _claim(self, engine: Engine, order: SelectOrder) -> Selected:
        lease_s = order.lease_s or self._settings.scaling.lease_s
        lease_id = secrets.token_hex(8)
        self._fleet.leases.grant(engine.id, lease_id, self._now_s() + lease_s)
        self._events.record(
            "engine",
            "claimed",
            f"Engine {engine.name} is reserved for a client for {lease_s:g} s",
            container_id=engine.id,
            stream_id=order.stream_id or "",
            lease_s=lease_s,
        )
        self._reconciler.wake()
        return Selected(lease_id=lease_id, engine=engine, lease_s=lease_s)

    def _known(self, reference: str) -> str | None:
        """Return the id of the referenced instance of ours, from memory."""
        engine = self._fleet.find(reference)
        if engine is not None and engine.external:
            raise Refused(
                f"{engine.name} is not managed by this server and was not changed",
                code="not_managed",
            )
        if engine is not None or reference in self._fleet.others:
            return reference
        return None
