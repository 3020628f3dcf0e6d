"""Admission of engine starts, decided from memory with the same result for all callers."""

from __future__ import annotations

import math
from collections.abc import Callable

from touchline.core.errors import Blocked
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.ports import PortBook
from touchline.engines.provisioning.breaker import Breakers, Trial
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.vpn.vpn import VpnWatch

VPN_ETA_S = 60.0


class Admission:
    """Admission rules, in the order in which they are reported to clients."""

    def __init__(
        self,
        *,
        settings: EnginesSettings,
        fleet: Fleet,
        breakers: Breakers,
        vpn: VpnWatch | None,
        ports: PortBook,
        now_s: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self.breakers = breakers
        self._vpn = vpn
        self._ports = ports
        self._now_s = now_s

    @property
    def alive(self) -> int:
        """Number of our engines that run, are being started or are being stopped."""
        fleet = self._fleet
        return len(fleet.managed()) + len(fleet.flights) + len(fleet.going)

    def refusal(self) -> Blocked | None:
        """Return why no engine can be started now; None: a start is possible."""
        return self.vpn_refusal() or self.breaker_refusal() or self.capacity_refusal()

    def vpn_refusal(self) -> Blocked | None:
        """Return the refusal of the VPN, if any."""
        if self._vpn is None or self._vpn.overall_connected:
            return None
        return Blocked(
            "VPN not connected: no engine is started until it is connected again; running"
            " engines are kept",
            code="vpn_disconnected",
            eta_s=VPN_ETA_S,
        )

    def breaker_refusal(self) -> Blocked | None:
        """Return the refusal of the circuit breaker, if any."""
        breaker = self.breakers.general
        state = breaker.state(self._now_s())
        if state == "closed":
            return None
        eta_s = math.ceil(breaker.remaining_s(self._now_s()))
        return Blocked(
            "The circuit breaker is open after several failed starts; see the log or GET"
            " /events for the reasons",
            code="circuit_breaker",
            eta_s=float(eta_s),
            can_retry=state == "half_open",
        )

    def capacity_refusal(self) -> Blocked | None:
        """Return the refusal because of the maximum, if any."""
        if self.alive >= self._settings.max_engines:
            return self._full()
        among = self._settings.ports.host
        if self._vpn is None and self._ports.is_full(among):
            return Blocked(
                f"No capacity: every port of {among} on this host is in use. Free some, or set"
                " engines.ports.host to an unused range",
                code="max_capacity",
                can_retry=False,
            )
        return None

    def why_blocked(self) -> str | None:
        """Return what prevents all starts at present, in words, or None."""
        refusal = self.vpn_refusal() or self.breaker_refusal()
        return refusal.message if refusal is not None else None

    def trial(self) -> Trial | None:
        """Return a trial if only the half-open circuit breaker refuses a start."""
        breaker, now_s = self.breakers.general, self._now_s()
        if breaker.state(now_s) != "half_open" or not breaker.allows(now_s):
            return None
        if self.vpn_refusal() is not None or not self._fleet.freshness.is_current:
            return None
        return None if self.capacity_refusal() is not None else breaker.trying(now_s)

    def overbooked(self) -> Blocked | None:
        """Return the refusal because of the maximum for an engine that already counts."""
        return self._full() if self.alive > self._settings.max_engines else None

    def _full(self) -> Blocked:
        scaling, max_engines = self._settings.scaling, self._settings.max_engines
        return Blocked(
            f"Maximum capacity reached: {self.alive} of {max_engines} engines run. Wait until one"
            " is free, or raise scaling.max_replicas",
            code="max_capacity",
            eta_s=scaling.grace_period_s if scaling.auto_delete else None,
            can_retry=False,
        )
