"""Selection of an engine for a new stream, with a reservation."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from touchline.core.errors import Blocked
from touchline.core.events.log import EventLog
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.model import Engine
from touchline.engines.model.orders import EngineOrder
from touchline.engines.provisioning.admission import Admission
from touchline.engines.provisioning.enginefacts import FleetView
from touchline.engines.provisioning.provisioner import Provisioner
from touchline.engines.settings.tree import ScalingSettings

LONGEST_WAIT_S = 60.0


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


class EngineSelection:
    """Selection of engines for clients."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        view: FleetView,
        admission: Admission,
        provisioner: Provisioner,
        events: EventLog,
        settings: ScalingSettings,
        now_s: Callable[[], float],
    ) -> None:
        self._fleet = fleet
        self._view = view
        self._admission = admission
        self._provisioner = provisioner
        self._events = events
        self._settings = settings
        self._now_s = now_s

    async def select(self, order: SelectOrder) -> Selected:
        """Return the best engine for a new stream, reserved for this client.

        If none is free, one is started if that is allowed; otherwise the call waits for one. Raises
        Blocked after the maximum waiting time, and the errors of a start.
        """
        until_s = self._now_s() + min(order.wait_s, LONGEST_WAIT_S)
        while True:
            seen = self._fleet.engines_changed.version
            engine = self._view.select(order.max_streams)
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

    def give_back(self, selected: Selected) -> None:
        """Release the engine for other clients.

        Its client disconnected before the answer.
        """
        self._fleet.leases.release(selected.engine.id)

    def _claim(self, engine: Engine, order: SelectOrder) -> Selected:
        lease_s = order.lease_s or self._settings.lease_s
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
        self._fleet.plan_outdated.mark()
        return Selected(lease_id=lease_id, engine=engine, lease_s=lease_s)
