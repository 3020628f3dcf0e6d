"""Draining and removal of our instances."""

from __future__ import annotations

import logging
from dataclasses import replace

from touchline.core.events.log import EventLog
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.model import Engine
from touchline.engines.model.runtime import Runtime, RuntimeUnavailable
from touchline.engines.provisioning.roster import Roster
from touchline.engines.provisioning.runtimesync import RuntimeSync

log = logging.getLogger(__name__)

GRACE_S = 10.0
"""Seconds that an engine is given to exit before it is killed."""


class Remover:
    """Removal of instances, from the snapshot immediately and then from the runtime."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        fleet: Fleet,
        runtime_sync: RuntimeSync,
        roster: Roster,
        events: EventLog,
    ) -> None:
        self._runtime = runtime
        self._fleet = fleet
        self._runtime_sync = runtime_sync
        self._roster = roster
        self._events = events

    def drain(self, engine: Engine, *, reason: str | None, why: str) -> None:
        """Give an engine no new work, so that it can be removed; None: it gets work again."""
        self._fleet.put(replace(engine, draining=reason))
        self._events.record(
            "engine",
            "draining" if reason is not None else "recovered",
            why,
            container_id=engine.id,
            name=engine.name,
            reason=reason,
        )

    async def remove(
        self, instance_id: str, *, why: str, reason: str, grace_s: float = GRACE_S
    ) -> None:
        """Remove an instance, and return when it is gone; its streams end with `reason` at once.

        An instance that no longer exists is not an error. Raises RuntimeUnavailable; if that is
        already known, nothing is changed.
        """
        if not self._fleet.freshness.is_current:
            raise RuntimeUnavailable(
                "The runtime cannot be reached. Nothing was removed; retry when it is"
                " available again."
            )
        engine = self._fleet.find(instance_id)
        other = self._fleet.others.get(instance_id)
        name = engine.name if engine is not None else other.name if other is not None else ""
        first = instance_id not in self._runtime_sync.stopping
        self._runtime_sync.stopping.add(instance_id)
        try:
            streams = 0
            if engine is not None:
                self._fleet.going.add(instance_id)
                streams = self._roster.take_out(instance_id, reason)
            await self._runtime.stop(instance_id, grace_s=grace_s)
        except RuntimeUnavailable as error:
            self._runtime_sync.doubt(instance_id, error.message)
            raise
        except BaseException:
            # It may still run: the next list shows it, and its removal is requested again.
            self._runtime_sync.list_soon()
            raise
        finally:
            if first:
                self._runtime_sync.stopping.discard(instance_id)
                self._fleet.going.discard(instance_id)
        self._runtime_sync.removed(instance_id)
        self._roster.release_ports(instance_id)
        if engine is not None:
            self._roster.forget(instance_id)
        if first and (engine is not None or other is not None):
            self._events.record(
                "engine",
                "deleted",
                f"{name} was removed: {why}",
                container_id=instance_id,
                name=name,
                reason=reason,
                streams=streams,
            )
