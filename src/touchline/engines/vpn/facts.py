"""State of the VPNs as relevant to engines: where to start one, and which networks are dead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from touchline.core.errors import Blocked
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model import labels as names
from touchline.engines.model.model import Engine
from touchline.engines.vpn.vpn import VpnWatch


@dataclass(frozen=True, slots=True)
class VpnFacts:
    """Facts of a VPN for the plan."""

    name: str
    usable: bool
    """Whether it has been connected long enough for engines to be started on it."""
    lost: bool
    """Whether it is known to be disconnected.

    A VPN that is just starting is neither usable nor lost.
    """
    wants_forwarded: bool
    """Whether it has a forwarded port that no engine uses."""


def p2p_port_of(engine: Engine) -> int | None:
    """Return the forwarded port that an engine was created with."""
    return names.port_of(engine.labels, names.P2P_PORT)


class VpnView:
    """Stateless view of the watcher and the fleet.

    Without a VPN it reports no restrictions.
    """

    def __init__(self, watch: VpnWatch | None, fleet: Fleet) -> None:
        self._watch = watch
        self._fleet = fleet

    def facts(self) -> tuple[VpnFacts, ...]:
        """Return the facts for the plan."""
        if self._watch is None:
            return ()
        usable = {vpn.name for vpn in self._watch.usable_for_engines()}
        return tuple(
            VpnFacts(
                vpn.name,
                usable=vpn.name in usable,
                lost=vpn.is_lost,
                wants_forwarded=self._wants_forwarded(vpn.name, vpn.forwarded_port),
            )
            for vpn in self._watch.vpns
        )

    def is_joined(self, engine: Engine) -> bool:
        """Return whether the network that an engine joined is still its VPN's.

        Only times of the same clock are compared: the daemon's, or those of this server.
        """
        if self._watch is None or engine.vpn_container is None:
            return True
        vpn = self._watch.find(engine.vpn_container)
        cut_off_s = self._watch.cut_off_s(engine.vpn_container)
        if cut_off_s is not None and engine.seen_since_s < cut_off_s:
            return False
        if vpn is None or vpn.up_since is None:
            return True
        # Runtimes report creation times in whole seconds.
        return engine.first_seen >= vpn.up_since.replace(microsecond=0)

    def choose(self) -> str | None:
        """Return the VPN with the fewest engines for a new one; None: there is no VPN.

        Raises Blocked.
        """
        if self._watch is None:
            return None
        usable = self._watch.usable_for_engines()
        if not usable:
            raise Blocked(
                "VPN not connected: no engine is started until it is connected again",
                code="vpn_disconnected",
                eta_s=60.0,
            )
        counts = self._counts()
        return min(usable, key=lambda vpn: counts.get(vpn.name, 0)).name

    def forwarded_port(self, vpn: str) -> int | None:
        """Return the port for a new engine on this VPN, if no engine has it."""
        found = self._watch.find(vpn) if self._watch is not None else None
        if found is None or not self._wants_forwarded(vpn, found.forwarded_port):
            return None
        return found.forwarded_port

    def _wants_forwarded(self, vpn: str, port: int | None) -> bool:
        return port is not None and not any(
            engine.forwarded and p2p_port_of(engine) == port
            for engine in self._fleet.managed()
            if engine.vpn_container == vpn
        )

    def _counts(self) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        for engine in self._fleet.managed():
            if engine.vpn_container is not None:
                counts[engine.vpn_container] = counts.get(engine.vpn_container, 0) + 1
        return counts
