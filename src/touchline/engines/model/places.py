"""Addresses under which a client may report an engine."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from ipaddress import IPv6Address, ip_address

import psutil  # type: ignore[import-untyped]

from touchline.engines.model.addresses import Address, Deployment
from touchline.engines.model.model import Engine, Instance

HERE = "localhost"
"""Placeholder for every name and address of this machine."""

ANYWHERE = "*"
"""Placeholder for every address of a machine whose addresses are unknown."""

KNOWN_S = 5.0
"""Seconds for which a machine's addresses are cached.

An address may be added while the server runs.
"""

_NAMES = frozenset(
    {
        HERE,
        "localhost.localdomain",
        "localhost6.localdomain6",
        "ip6-localhost",
        "ip6-loopback",
        "host.docker.internal",
        "gateway.docker.internal",
        "kubernetes.docker.internal",
        "host.containers.internal",  # Podman's
    }
)


class Machine:
    """Names and addresses of the machine that this server runs on."""

    def __init__(
        self,
        *,
        now_s: Callable[[], float],
        name: str | None = None,
        read: Callable[[], Collection[str]] | None = None,
    ) -> None:
        name = (name if name is not None else socket.gethostname()).lower().rstrip(".")
        short = name.partition(".")[0]
        self._names = _NAMES | {name, short, f"{short}.local"}  # the last one by multicast DNS
        self._now_s = now_s
        self._read = read or _interface_addresses
        self._addresses: frozenset[str] = frozenset()
        self._read_at_s: float | None = None

    def place(self, host: str, port: int) -> Address:
        """Return the address in the canonical form used for comparisons."""
        host = _normalise_host(host)
        # Every name below `localhost` is this machine (RFC 6761).
        named = host in self._names or host.endswith(f".{HERE}")
        here = named or _is_loopback(host) or host in self._own()
        return (HERE if here else host), port

    def _own(self) -> frozenset[str]:
        now_s = self._now_s()
        if self._read_at_s is None or now_s - self._read_at_s >= KNOWN_S:
            self._addresses = frozenset(_normalise_host(each) for each in self._read())
            self._read_at_s = now_s
        return self._addresses


def places_of(
    engine: Engine,
    instance: Instance | None,
    machine: Machine,
    *,
    vpn: Instance | None,
    deployment: Deployment,
) -> frozenset[Address]:
    """Return every address of this engine, each in the form of `Machine.place`.

    `instance` is what the runtime reports for it; `vpn` is the VPN container whose network it
    shares.
    """
    found = {(engine.host, engine.port), (engine.api_host, engine.api_port)}
    if not engine.external:
        containers = [each for each in (instance, vpn) if each is not None]
        found |= set(_list_named(engine))
        found |= set(_list_reported(engine, containers, deployment))
    return frozenset(machine.place(host, port) for host, port in found)


def is_among(place: Address, places: Collection[Address]) -> bool:
    """Return whether an engine with these places is reached at `place`."""
    return place in places or (ANYWHERE, place[1]) in places


def _list_named(engine: Engine) -> Iterator[Address]:
    """Yield the addresses derived from the engine's names."""
    if engine.host_http_port is not None:
        yield HERE, engine.host_http_port
    ports = {engine.port, engine.container_http_port, engine.host_http_port} - {None}
    for port in ports:
        for name in (engine.name, engine.id, engine.id[:12], engine.vpn_container):
            if name is not None and port is not None:
                yield name, port


def _list_reported(
    engine: Engine, containers: Sequence[Instance], deployment: Deployment
) -> Iterator[Address]:
    """Yield the addresses that the runtime reports.

    They are those of the containers whose network the engine uses.
    """
    inner = engine.container_http_port
    if inner is None:
        return
    for each in containers:
        for binding in each.ports.get(f"{inner}/tcp", ()):
            # Regardless of the bound address: no other program uses this host port.
            yield HERE, binding.host_port
            yield binding.host_ip or HERE, binding.host_port
            if deployment.daemon_host is not None:
                yield deployment.daemon_host, binding.host_port
            if not deployment.knows_machine and binding.host_ip in {"", "0.0.0.0", "::"}:  # noqa: S104
                yield ANYWHERE, binding.host_port
        for address in (*each.ip_addresses, each.ip_address):
            if address is not None:
                yield address, inner


def machine_addresses() -> tuple[str, ...]:
    """Return this machine's outgoing address of each family.

    Empty without a network.
    """
    found = []
    for family, far in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            # Nothing is sent: the kernel only selects a route.
            with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
                probe.connect((far, 9))
                found.append(str(probe.getsockname()[0]))
        except OSError:
            continue
    return tuple(found)


def is_here(address: str) -> bool:
    """Return whether an address belongs to this machine."""
    plain = _normalise_host(address)
    return _is_loopback(plain) or plain in {
        _normalise_host(each) for each in _interface_addresses()
    }


def addresses_at(interface: str) -> tuple[str, ...]:
    """Return this machine's addresses at an interface, IPv4 first.

    Empty if there is none. Addresses with a zone (link-local ones) are left out.
    """
    found = [
        each.address
        for each in psutil.net_if_addrs().get(interface, ())
        if each.family in {socket.AF_INET, socket.AF_INET6} and "%" not in each.address
    ]
    return tuple(sorted(found, key=lambda each: ":" in each))


def _normalise_host(host: str) -> str:
    """Return a host in canonical spelling.

    It has no brackets, zone or trailing dot, and addresses are in short form.
    """
    host = host.lower().strip("[]").rstrip(".").partition("%")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def _is_loopback(host: str) -> bool:
    """Return whether an address is loopback or the unspecified address."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _interface_addresses() -> list[str]:
    return [
        each.address
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family in {socket.AF_INET, socket.AF_INET6}
    ]
