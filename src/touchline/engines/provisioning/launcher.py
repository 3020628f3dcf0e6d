"""Launch of instances: choice of name and ports, start, and first answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import anyio

from touchline.core.errors import Refused, TouchlineError
from touchline.core.supervision import describe_error
from touchline.engines.fleet.acestream import AceStreamClient
from touchline.engines.fleet.adoption import Surroundings, engine_of
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.flights import Flight
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Engine, Instance
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.runtime import (
    NameInUse,
    PortInUse,
    Runtime,
    RuntimeUnavailable,
    StartFailed,
)
from touchline.engines.provisioning.names import MOST_NAMES, NameBook
from touchline.engines.provisioning.runtimesync import RuntimeSync
from touchline.engines.provisioning.specbuilder import SpecBuilder
from touchline.engines.variants.variants import generic_spec

log = logging.getLogger(__name__)

TRIES = 5
"""Number of attempts if the chosen port turns out to be used by another program."""

AVOID_S = 60.0
"""Seconds for which a port used by another program is avoided."""

ASK_TIMEOUT_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.002, 0.05


def must_be_reachable(fleet: Fleet) -> None:
    """Raise RuntimeUnavailable while the runtime is unavailable."""
    if not fleet.freshness.is_current:
        raise RuntimeUnavailable(
            "The runtime cannot be reached: nothing was started, running engines are unaffected"
            f" ({fleet.freshness.reason or 'it has not responded yet'})"
        )


class Launcher:
    """Launcher of instances in the runtime; failed ones are removed again."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        fleet: Fleet,
        runtime_sync: RuntimeSync,
        spec_builder: SpecBuilder,
        client: AceStreamClient,
        around: Surroundings,
        startup_timeout_s: float,
        clock: Clock,
    ) -> None:
        self._runtime = runtime
        self._fleet = fleet
        self._runtime_sync = runtime_sync
        self._spec_builder = spec_builder
        self._client = client
        self._around = around
        self._startup_timeout_s = startup_timeout_s
        self._now, self._now_s = clock.now, clock.now_s
        self._names = NameBook(fleet, runtime_sync.starting, now_s=clock.now_s)

    def check(self, order: EngineOrder | GenericOrder) -> None:
        """Check an order. Raises Invalid or Refused for one that can never be started."""
        self._spec_builder.check(order)

    async def launch(self, order: EngineOrder, flight: Flight, mark: str | None) -> Engine:
        """Start the engine of this flight, and return it once it answers or its time is over.

        Raises the runtime's errors, and StartFailed; nothing is then left behind, or the engine is
        looked up because it is unknown whether it runs.
        """
        try:
            return await self._launch(order, flight, mark)
        except Exception as error:
            is_known = isinstance(error, TouchlineError) and not isinstance(
                error, RuntimeUnavailable
            )
            if flight.name and not is_known:
                self._runtime_sync.doubt(flight.name, f"a start failed: {describe_error(error)}")
            raise

    async def _launch(self, order: EngineOrder, flight: Flight, mark: str | None) -> Engine:
        ports, names = 0, 0
        while True:
            name = self._names.choose("acestream", names)
            with self._in_flight(flight, name):
                try:
                    return await self._launch_as(name, order, flight, mark)
                except NameInUse:
                    names += 1
                    self._names.avoid(name)
                    if names == MOST_NAMES:
                        raise
                except PortInUse as error:
                    port = error.details.get("port")
                    ports += 1
                    if order.host_port is not None or ports == TRIES:
                        raise
                    if isinstance(port, int):
                        self._spec_builder.avoid_port(port, for_s=AVOID_S)

    async def _launch_as(
        self,
        name: str,
        order: EngineOrder,
        flight: Flight,
        mark: str | None,
    ) -> Engine:
        timeout_s = self._startup_timeout_s
        until_s = self._now_s() + timeout_s
        async with self._spec_builder.prepare(
            order, vpn=flight.vpn, name=name, mark=mark
        ) as prepared:
            flight.place(prepared.vpn, forwarded=prepared.forwarded)
            must_be_reachable(self._fleet)  # it may have become unavailable meanwhile
            instance = await self._runtime.start(prepared.spec, within_s=timeout_s)
            try:
                engine = engine_of(
                    instance, self._around, facts={}, now=self._now(), now_s=self._now_s()
                )
                if engine is None:
                    raise StartFailed(
                        f"{name} is running, but none of its ports can be reached; it was removed"
                    )
                answers = await self._answers(engine, flight, until_s)
            except BaseException:
                await self._undo(instance)
                raise
            prepared.keep(instance.id)
        health = {"health": "healthy", "last_health_check": self._now()} if answers else {}
        engine = replace(engine, **health)  # type: ignore[arg-type]
        self._runtime_sync.added(engine, instance)
        return engine

    async def _answers(self, engine: Engine, flight: Flight, until_s: float) -> bool:
        """Return whether its API answered in time. Raises StartFailed if it ended meanwhile."""
        pause_s = _FIRST_PAUSE_S
        while True:
            if flight.died.is_set():
                raise StartFailed(
                    f"{engine.name} ended with exit code {flight.exit_code} before its"
                    " HTTP API answered; it was removed"
                )
            left_s = until_s - self._now_s()
            if left_s <= 0:
                log.warning(
                    "%s is running but does not respond yet; its health is unknown", engine.name
                )
                return False
            try:
                await self._client.status(engine.api_url, within_s=min(ASK_TIMEOUT_S, left_s))
            except Exception as error:  # noqa: BLE001  (any error means that it does not answer)
                if not isinstance(error, TouchlineError):
                    log.warning("%s sent an invalid response: %r", engine.name, error)
                with anyio.move_on_after(pause_s):
                    await flight.died.wait()
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 1.5)
            else:
                return True

    async def _undo(self, instance: Instance) -> None:
        if not self._fleet.freshness.is_current:
            return  # the next list shows its state, and the plan handles it
        self._runtime_sync.stopping.add(instance.id)
        try:
            with anyio.CancelScope(shield=True):
                await self._runtime.stop(instance.id, grace_s=0)
        except Exception as error:  # noqa: BLE001  (the error of the start is reported)
            log.warning("%s could not be removed: %s", instance.name, describe_error(error))
            self._runtime_sync.doubt(instance.id, describe_error(error))
        else:
            self._runtime_sync.removed(instance.id)
        finally:
            self._runtime_sync.stopping.discard(instance.id)

    async def launch_generic(self, order: GenericOrder) -> Instance:
        """Start another container, and return it once it is running.

        Raises the runtime's errors, and Refused for ports that the runtime cannot map.
        """
        if order.ports and not self._runtime.publishes_ports:
            raise Refused(
                "This runtime does not map ports, because programs listen on the host"
                " directly. Nothing was started; omit ports",
                code="ports_not_published",
            )
        names = 0
        while True:
            name = self._names.choose(order.name_prefix, names)
            self._runtime_sync.starting.add(name)
            try:
                spec = generic_spec(order, name=name)
                return await self._runtime.start(spec, within_s=self._startup_timeout_s)
            except NameInUse:
                names += 1
                self._names.avoid(name)
                if names == MOST_NAMES:
                    raise
            finally:
                self._runtime_sync.starting.discard(name)

    @contextmanager
    def _in_flight(self, flight: Flight, name: str) -> Iterator[None]:
        flight.name_instance(name)
        self._runtime_sync.starting.add(name)
        try:
            yield
        finally:
            self._runtime_sync.starting.discard(name)
