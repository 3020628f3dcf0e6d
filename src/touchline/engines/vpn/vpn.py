"""Monitoring of VPN containers: connection, its start, and forwarded port."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import anyio

from touchline.core import patience
from touchline.core.errors import Blocked, TouchlineError
from touchline.core.events.kinds import EventCategory
from touchline.core.events.log import EventLog
from touchline.core.supervision import Supervisor, describe_error
from touchline.core.tasks import Changed
from touchline.engines.model.addresses import Address
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Instance, format_url_host
from touchline.engines.model.runtime import InstanceNotFound, Restarts, Runtime, RuntimeUnavailable
from touchline.engines.settings.tree import VpnSettings
from touchline.engines.vpn.answers import Health, VpnStatus
from touchline.engines.vpn.control import ControlFailed, Location, VpnControl
from touchline.engines.vpn.providers import provider_name
from touchline.engines.vpn.rendering import VpnState, emergency_json, status_json

log = logging.getLogger(__name__)

LOOK_TIMEOUT_S = 10.0
LOCATION_EVERY_S = 60.0
RESTART_GRACE_S = 10.0

Restart = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Memory:
    """Internal state of a VPN that is not shown; times are the monotonic clock's."""

    instance: Instance | None = None
    connected_since_s: float | None = None
    recovered: bool = False
    """Whether it is connected after having been lost."""
    cut_off_s: float | None = None
    """Time before which the engines seen have a dead network.

    None: only the containers' times decide.
    """
    bad_since_s: float | None = None
    restarted: bool = False
    """Whether it has been restarted since it became unhealthy."""
    port_asked_s: float | None = None
    location_asked_s: float | None = None


class VpnWatch:
    """Monitor and single owner of the VPNs' state.

    Reads are from memory; it belongs to the event loop. While the runtime is unavailable, the last
    known state is kept.
    """

    def __init__(
        self,
        *,
        settings: VpnSettings,
        runtime: Runtime,
        control: VpnControl,
        engines_answer: Callable[[str], Awaitable[bool | None]],
        reach: Callable[[Instance, int], Address | None],
        events: EventLog,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        """Create the monitor.

        `engines_answer` asks a VPN's engines whether they reach the network; None: it is unknown.
        `reach` returns where this server reaches a port of a container.
        """
        self.changed = Changed()
        self._settings = settings
        self._runtime = runtime
        self._control = control
        self._engines_answer = engines_answer
        self._restart: Restart | None = None
        if isinstance(runtime, Restarts):
            self._restart = partial(runtime.restart, grace_s=RESTART_GRACE_S)
        self._reach = reach
        self._events = events
        self._supervisor = supervisor
        self._now, self._now_s = clock.now, clock.now_s
        self._states = {name: VpnState(name) for name in settings.names}
        self._memory = {name: _Memory() for name in settings.names}
        self._emergency: tuple[str, str, datetime] | None = None
        self._look_soon = anyio.Event()

    # ------------------------------------------------------------------ reads

    @property
    def vpns(self) -> tuple[VpnState, ...]:
        """All VPNs, the primary first."""
        return tuple(self._states.values())

    def find(self, name: str) -> VpnState | None:
        """Return the VPN with this container name."""
        return self._states.get(name)

    @property
    def overall_connected(self) -> bool:
        """Whether any VPN is connected."""
        return any(vpn.connected for vpn in self._states.values())

    def usable_for_engines(self) -> tuple[VpnState, ...]:
        """Return the VPNs that take engines: connected, and settled after having been lost."""
        now_s = self._now_s()
        found = []
        for name, vpn in self._states.items():
            memory = self._memory[name]
            since_s = memory.connected_since_s
            settled = since_s is not None and now_s - since_s >= self._settings.stabilise_s
            if vpn.connected and (settled or not memory.recovered):
                found.append(vpn)
        return tuple(found)

    def instance(self, name: str) -> Instance | None:
        """Return the VPN's container as last seen; None if it has not been seen."""
        memory = self._memory.get(name)
        return memory.instance if memory is not None else None

    def cut_off_s(self, name: str) -> float | None:
        """Return when the VPN reconnected after a loss.

        Engines first seen before that must be removed.
        """
        memory = self._memory.get(name)
        return memory.cut_off_s if memory is not None else None

    def public_ip(self) -> str:
        """Return the primary VPN's public address. Raises Blocked if it is unknown."""
        vpn = self.vpns[0]
        if not vpn.connected or vpn.location.public_ip is None:
            raise Blocked(
                f"The public address of the VPN {vpn.name} is currently unknown",
                code="vpn_address_unknown",
                eta_s=self._settings.check_interval_s,
            )
        return vpn.location.public_ip

    def status_json(self, now: datetime) -> VpnStatus:
        """Return the body of `GET /vpn/status`."""
        emergency = emergency_json(self._emergency, now)
        return status_json(self.vpns, emergency, redundant=self._settings.mode == "redundant")

    # ---------------------------------------------------------------- monitoring

    def look_soon(self, name: str) -> None:
        """Check this container soon, after an event."""
        if name in self._states:
            self._look_soon.set()

    async def wait_and_look(self) -> None:
        """Check after the usual interval, or sooner after an event."""
        with anyio.move_on_after(self._settings.check_interval_s):
            await self._look_soon.wait()
        self._look_soon = anyio.Event()
        await self.once()

    async def once(self) -> None:
        """Check all VPNs concurrently; one that hangs does not delay the others."""
        before = self.vpns
        async with anyio.create_task_group() as tasks:
            for name in self._states:
                tasks.start_soon(self._check, name)
        self._note_emergency()
        if self.vpns != before:
            self.changed.mark()

    async def _check(self, name: str) -> None:
        before = self._states[name]
        try:
            with patience.fail_after(LOOK_TIMEOUT_S):
                seen = await self._read_state(name)
        except (RuntimeUnavailable, TimeoutError) as error:
            why = str(error) or f"The check timed out after {LOOK_TIMEOUT_S:g} s"
            self._states[name] = replace(before, error=why)
            return
        except TouchlineError as error:
            seen = VpnState(name, status="error", health="unknown", error=error.message)
        except Exception as error:  # noqa: BLE001  (other VPNs are still checked)
            # The state is unknown, so the last known one is kept.
            self._supervisor.note("VPN check", error, about=name)
            self._states[name] = replace(before, error=describe_error(error))
            return
        try:
            self._evaluate(before, seen)
            await self._restart_if_bad(name)
        except Exception as error:  # noqa: BLE001  (other VPNs are still checked)
            self._supervisor.note("VPN check", error, about=name)

    async def _read_state(self, name: str) -> VpnState:
        """Read the current state of a VPN from its container."""
        memory = self._memory[name]
        now = self._now()
        try:
            instance = await self._runtime.inspect(name)
        except InstanceNotFound:
            self._memory[name] = replace(memory, instance=None)
            return VpnState(name, status="not_found", health="unknown", checked_at=now)
        self._memory[name] = replace(memory, instance=instance)
        before = self._states[name]
        health, checked = await self._health(instance)
        seen = VpnState(
            name,
            container_id=instance.id,
            status="running" if instance.state == "running" else instance.state,
            health=health,
            double_checked=checked,
            provider=provider_name(instance.env.get("VPN_SERVICE_PROVIDER")),
            started_at=instance.started_at,
            checked_at=now,
            was_connected=before.was_connected,
            up_since=before.up_since,
        )
        if not seen.connected:
            return seen
        port = await self._forwarded_port(name, before)
        location = await self._location(name, before)
        return replace(seen, forwarded_port=port, location=location)

    async def _health(self, instance: Instance) -> tuple[Health, bool]:
        """Return its health, and whether its engines were asked about it."""
        if instance.state != "running":
            return "unhealthy" if instance.health is None else "unknown", False
        if instance.health == "unhealthy":
            # The container's check may be stricter than engines need, so the engines are asked.
            connected = await self._engines_answer(instance.name)
            return ("healthy" if connected else "unhealthy"), True
        if instance.health in {"healthy", None}:
            return "healthy", False
        return "starting", False

    async def _forwarded_port(self, name: str, before: VpnState) -> int | None:
        memory, now_s = self._memory[name], self._now_s()
        asked_s, ttl_s = memory.port_asked_s, self._settings.port_cache_ttl_s
        if before.connected and asked_s is not None and now_s - asked_s < ttl_s:
            return before.forwarded_port
        url = self._control_url(name)
        if url is None:
            return None
        try:
            port = await self._control.forwarded_port(url)
        except ControlFailed as error:
            log.info("The forwarded port of %s is unknown: %s", name, error.message)
            return before.forwarded_port if before.connected else None
        # Without a port, it is requested at every check.
        if port is not None:
            self._memory[name] = replace(self._memory[name], port_asked_s=now_s)
        return port

    async def _location(self, name: str, before: VpnState) -> Location:
        memory, now_s = self._memory[name], self._now_s()
        asked_s = memory.location_asked_s
        known = before.connected and before.location.public_ip is not None
        if known and asked_s is not None and now_s - asked_s < LOCATION_EVERY_S:
            return before.location
        url = self._control_url(name)
        if url is None:
            return Location()
        try:
            location = await self._control.location(url)
        except ControlFailed as error:
            log.info("The public address of %s is unknown: %s", name, error.message)
            return before.location if before.connected else Location()
        self._memory[name] = replace(self._memory[name], location_asked_s=now_s)
        return location

    def _control_url(self, name: str) -> str | None:
        instance = self.instance(name)
        address = self._reach(instance, self._settings.api_port) if instance is not None else None
        return f"http://{format_url_host(address[0])}:{address[1]}" if address is not None else None

    # ------------------------------------------------------------------ evaluation

    def _evaluate(self, before: VpnState, seen: VpnState) -> None:
        name, now_s = seen.name, self._now_s()
        memory = self._memory[name]
        first = before.checked_at is None
        made_anew = (
            not first
            and seen.container_id is not None
            and (seen.container_id, seen.started_at) != (before.container_id, before.started_at)
            and before.container_id is not None
        )
        # A time of the daemon's clock, because engines are compared by that clock too.
        up_since = seen.started_at
        if made_anew:
            if seen.started_at is None:
                memory = replace(memory, cut_off_s=now_s)
            word: EventCategory = (
                "restarted" if seen.container_id == before.container_id else "recreated"
            )
            self._record(word, f"The VPN container {name} was {word}: its engines are replaced")
        if seen.connected and not before.connected:
            recovered = before.was_connected
            if recovered and self._settings.restart_engines_on_reconnect:
                memory = replace(memory, cut_off_s=now_s)
            memory = replace(memory, connected_since_s=now_s, recovered=recovered)
            word = "recovered" if recovered else "connected"
            self._record(word, f"VPN {name} is connected", container=name)
        elif not seen.connected and (before.connected or (first and seen.health != "starting")):
            self._record(
                "disconnected",
                f"VPN {name} is not connected ({seen.status}, {seen.health})",
                container=name,
                status=seen.status,
                health=seen.health,
            )
        if seen.connected:
            memory = replace(memory, bad_since_s=None, restarted=False)
        else:
            # A VPN that is starting is not unhealthy: its first check may come minutes later.
            since_s = memory.bad_since_s if memory.bad_since_s is not None else now_s
            bad_since_s = None if seen.health == "starting" else since_s
            memory = replace(
                memory,
                connected_since_s=None,
                bad_since_s=bad_since_s,
                port_asked_s=None,
                location_asked_s=None,
            )
        if seen.connected and before.connected and seen.forwarded_port != before.forwarded_port:
            self._record(
                "port_changed",
                f"The forwarded port of {name} changed from {before.forwarded_port or 'none'} to"
                f" {seen.forwarded_port or 'none'}",
                container=name,
                before=before.forwarded_port,
                port=seen.forwarded_port,
            )
        self._memory[name] = memory
        was_connected = before.was_connected or seen.connected
        self._states[name] = replace(seen, up_since=up_since, was_connected=was_connected)

    async def _restart_if_bad(self, name: str) -> None:
        memory, limit_s = self._memory[name], self._settings.unhealthy_restart_timeout_s
        if (
            self._restart is None
            or not limit_s
            or memory.bad_since_s is None
            or memory.restarted
            or memory.instance is None
            or self._now_s() - memory.bad_since_s < limit_s
        ):
            return
        self._memory[name] = replace(memory, restarted=True)
        self._record(
            "restarting",
            f"VPN {name} was unhealthy for {limit_s:g} s and is restarted",
            container=name,
        )
        try:
            await self._restart(name)
        except TouchlineError as error:
            log.warning("%s could not be restarted: %s", name, error.message)

    def _note_emergency(self) -> None:
        """Record the start and end of an emergency in redundant mode.

        One VPN is lost while the other continues. It is only an event, not a mode of operation.
        """
        if len(self._states) < 2:
            return
        lost = [vpn for vpn in self.vpns if vpn.is_lost]
        well = [vpn for vpn in self.vpns if vpn.connected]
        if lost and well:
            if self._emergency is None:
                self._emergency = (lost[0].name, well[0].name, self._now())
                self._record(
                    "emergency",
                    f"VPN {lost[0].name} is lost; running on {well[0].name} alone",
                    failed_vpn=lost[0].name,
                    healthy_vpn=well[0].name,
                )
        elif self._emergency is not None:
            failed, healthy, _ = self._emergency
            self._emergency = None
            self._record(
                "emergency_over",
                "Both VPNs are connected again" if not lost else "Both VPNs are lost",
                failed_vpn=failed,
                healthy_vpn=healthy,
            )

    def _record(self, category: EventCategory, message: str, **details: Any) -> None:
        self._events.record("vpn", category, message, **details)
