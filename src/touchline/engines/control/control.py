"""Operator requests to the fleet: delete, scale, clean up."""

from __future__ import annotations

from dataclasses import dataclass

from touchline.core.errors import Invalid, NotFound, Refused
from touchline.core.events.log import EventLog
from touchline.engines.control.answers import RemovedInstance
from touchline.engines.control.reconciler import Reconciler
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.store import Store
from touchline.engines.model.runtime import InstanceNotFound, Runtime
from touchline.engines.provisioning.remover import Remover
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.streams.reports import StreamReports

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


class Control:
    """Operator requests to the fleet."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        fleet: Fleet,
        remover: Remover,
        reconciler: Reconciler,
        streams: StreamReports,
        store: Store,
        events: EventLog,
        settings: EnginesSettings,
    ) -> None:
        self._runtime = runtime
        self._fleet = fleet
        self._remover = remover
        self._reconciler = reconciler
        self._streams = streams
        self._store = store
        self._events = events
        self._settings = settings

    async def delete(self, reference: str) -> None:
        """Remove a managed instance, by its id, a prefix of it or its name.

        Raises NotFound if there is none, Refused if it is not managed, RuntimeUnavailable.
        """
        instance_id = self._resolve_id(reference)
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
        self._fleet.plan_outdated.mark()

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
        self._reconciler.set_demand(demand)
        target = min(max(self._settings.scaling.min_replicas, demand), self._settings.max_engines)
        if before != demand:
            self._events.record(
                "system",
                "scaling",
                f"Scaling requested: {demand} engines; target {target}",
                demand=demand,
                target=target,
                before=before,
            )
        self._fleet.plan_outdated.mark()
        return Scaled(target=target, replicas=len(self._fleet.managed()))

    async def collect_garbage(self) -> Collected:
        """Remove engines that are idle for too long, dead instances, and expired streams.

        Raises RuntimeUnavailable. What takes longer than a few seconds continues in the background.
        """
        forgotten = await self._streams.forget_old()
        removed = await self._reconciler.collect_garbage(within_s=GC_WITHIN_S)
        return Collected(removed=tuple(removed), streams_forgotten=len(forgotten))

    def _resolve_id(self, reference: str) -> str | None:
        """Return the id of the referenced managed instance, from memory."""
        engine = self._fleet.find(reference)
        if engine is not None and engine.external:
            raise Refused(
                f"{engine.name} is not managed by this server and was not changed",
                code="not_managed",
            )
        if engine is not None or reference in self._fleet.others:
            return reference
        return None
