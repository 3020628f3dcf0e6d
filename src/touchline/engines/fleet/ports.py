"""Ports of engines: reserved before a start, and verified by binding to them."""

from __future__ import annotations

import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio.to_thread

from touchline.core.errors import Blocked
from touchline.engines.model import labels as names
from touchline.engines.model.runtime import PortInUse
from touchline.engines.settings.tree import PortRange

PROBED_AT_ONCE = 16
"""Number of ports probed in one call in a thread."""

PROBE_RETRY_S = 5.0

Probe = Callable[[Iterable[int]], set[int]]


def bind_probe(address: str) -> Probe:
    """Return a probe that finds the ports of `address` used by other programs on this host."""

    def taken(ports: Iterable[int]) -> set[int]:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        found = set()
        for port in ports:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                # With SO_REUSEADDR a port in TIME_WAIT is free, and one with a listener is not.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((address, port))
                except OSError as error:
                    if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                        raise
                    found.add(port)
        return found

    return taken


@dataclass(eq=False)
class PortSpace:
    """Network with its own port numbers, and the ports held in it."""

    name: str
    probe: Probe | None
    """Probe for free ports; None where we cannot bind (a VPN container's network)."""
    held: dict[int, object] = field(default_factory=dict)
    """Holder by port."""
    cursors: dict[PortRange, int] = field(default_factory=dict)


class Reserved:
    """Ports that are reserved for one start."""

    def __init__(self) -> None:
        self._held: list[tuple[PortSpace, int]] = []
        self._owner: object = self

    def keep(self, instance_id: str) -> None:
        """Assign the ports to this instance."""
        self._owner = instance_id
        for space, port in self._held:
            space.held[port] = instance_id

    def hold(self, space: PortSpace, port: int) -> None:
        """Add a port; called by `PortBook` only."""
        space.held[port] = self._owner
        self._held.append((space, port))

    def release(self) -> None:
        """Release the ports that are not assigned to an instance."""
        for space, port in self._held:
            if space.held.get(port) is self:
                del space.held[port]


class PortBook:
    """Port reservations of all engines; only the probes run in a thread.

    `host` ports are this host's. Inside a VPN container engines share one network, so HTTP and
    HTTPS ports of all of them are held together. An engine in a container network of its own has
    all ports, and nothing is held there.
    """

    def __init__(self, probe: Probe | None, *, now_s: Callable[[], float]) -> None:
        self._host = PortSpace("this host", probe)
        self._vpns: dict[str, PortSpace] = {}
        self._avoided: dict[int, float] = {}
        self._full_until_s: dict[tuple[str, PortRange], float] = {}
        self._now_s = now_s

    @asynccontextmanager
    async def reserve(self) -> AsyncIterator[Reserved]:
        """Open a reservation; ports that are not assigned are released at its end."""
        reserved = Reserved()
        try:
            yield reserved
        finally:
            reserved.release()

    async def take_host(self, reserved: Reserved, among: PortRange) -> int:
        """Reserve a free port of this host. Raises Blocked if there is none."""
        return await self._take(reserved, self._host, among)

    async def take_host_port(self, reserved: Reserved, port: int) -> int:
        """Reserve this port of the host. Raises PortInUse."""
        if port in self._host.held:
            raise PortInUse(
                f"Port {port} of this host belongs to another engine; nothing was started",
                port=port,
            )
        reserved.hold(self._host, port)
        if await self._find_taken(self._host, [port]):
            raise PortInUse(
                f"Port {port} of this host is in use by another program; nothing was started",
                port=port,
            )
        return port

    async def take_in_vpn(self, reserved: Reserved, vpn: str, among: PortRange) -> int:
        """Reserve a port that no other engine behind this VPN uses. Raises Blocked."""
        return await self._take(reserved, self._vpn(vpn), among)

    async def take_in_vpn_port(self, reserved: Reserved, vpn: str, port: int) -> int:
        """Reserve this port behind the VPN. Raises PortInUse."""
        space = self._vpn(vpn)
        if port in space.held:
            raise PortInUse(
                f"Port {port} behind {vpn} belongs to another engine; nothing was started",
                port=port,
            )
        reserved.hold(space, port)
        return port

    def adopt(self, instance_id: str, labels: Mapping[str, str]) -> None:
        """Assign the ports in a running instance's labels to it; may be repeated."""
        vpn = labels.get(names.VPN_CONTAINER)
        keys: Iterable[str]
        if vpn is not None:
            space, keys = self._vpn(vpn), (names.HTTP_PORT, names.HTTPS_PORT)
        else:
            space, keys = self._host, (names.HOST_HTTP_PORT, names.HOST_HTTPS_PORT)
        for key in keys:
            port = names.port_of(labels, key)
            if port is not None:
                space.held[port] = instance_id

    def is_full(self, among: PortRange, vpn: str | None = None) -> bool:
        """Return whether no port of the range is known to be free, without probing."""
        space = self._host if vpn is None else self._vpn(vpn)
        if self._full_until_s.get((space.name, among), 0.0) > self._now_s():
            return True
        return all(port in space.held for port in range(among.first, among.last + 1))

    def release(self, instance_id: str) -> None:
        """Release the ports of an instance that no longer exists."""
        self._full_until_s.clear()
        for space in (self._host, *self._vpns.values()):
            for port in [p for p, owner in space.held.items() if owner == instance_id]:
                del space.held[port]

    def avoid(self, port: int, *, for_s: float) -> None:
        """Avoid a port of the host that turned out to be used by another program."""
        self._avoided[port] = self._now_s() + for_s

    def owners(self) -> set[str]:
        """Return the instances that hold a port."""
        spaces = (self._host, *self._vpns.values())
        return {each for space in spaces for each in space.held.values() if isinstance(each, str)}

    def list_host_ports(self) -> set[int]:
        """Return the ports of this host that are held for any purpose."""
        return set(self._host.held)

    def _vpn(self, name: str) -> PortSpace:
        return self._vpns.setdefault(name, PortSpace(name, None))

    async def _take(self, reserved: Reserved, space: PortSpace, among: PortRange) -> int:
        """Reserve the next port after the last one given out, with wrap-around."""
        tried = 0
        while tried < len(among):
            batch: list[int] = []
            size = PROBED_AT_ONCE if tried else 1  # the first one is usually free
            while tried < len(among) and len(batch) < size:
                port = space.cursors.get(among, among.first)
                space.cursors[among] = among.first if port == among.last else port + 1
                tried += 1
                if port not in space.held and not self._is_avoided(space, port):
                    batch.append(port)
            # Held while being probed, so that concurrent starts never probe the same ports.
            for port in batch:
                space.held[port] = reserved
            try:
                taken = await self._find_taken(space, batch)
            finally:
                for port in batch:
                    del space.held[port]
            free = [port for port in batch if port not in taken]
            if free:
                reserved.hold(space, free[0])
                if len(free) > 1:
                    space.cursors[among] = free[1]
                return free[0]
        self._full_until_s[space.name, among] = self._now_s() + PROBE_RETRY_S
        raise Blocked(
            f"No capacity: every port of {among} on {space.name} is in use; nothing was started",
            code="max_capacity",
        )

    async def _find_taken(self, space: PortSpace, ports: list[int]) -> set[int]:
        if space.probe is None or not ports:
            return set()
        probe = space.probe
        try:
            return await anyio.to_thread.run_sync(lambda: probe(ports))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                # The address has left this machine or belongs to a remote runtime, which reports a
                # conflict itself when it starts something there.
                return set()
            raise Blocked(
                f"No port can be probed on {space.name}: {error.strerror}. Nothing was"
                " started; this is retried automatically",
                code="ports_unknown",
                eta_s=PROBE_RETRY_S,
            ) from error

    def _is_avoided(self, space: PortSpace, port: int) -> bool:
        if space is not self._host or port not in self._avoided:
            return False
        if self._avoided[port] > self._now_s():
            return True
        del self._avoided[port]
        return False
