"""Where an engine can be reached: every address under which a client may report it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator
from ipaddress import IPv6Address, ip_address

import psutil  # type: ignore[import-untyped]

from touchline.engines.model import Engine, Instance

Address = tuple[str, int]

HERE = "localhost"
"""What every name and address of this machine is taken for."""

KNOWN_S = 5.0
"""A machine's addresses are read again after so long: one may come while the server runs."""

_NAMES = frozenset({HERE, "localhost.localdomain", "host.docker.internal"})


class Machine:
    """The names and addresses of the machine that this server runs on."""

    def __init__(
        self,
        *,
        now_s: Callable[[], float],
        name: str | None = None,
        read: Callable[[], Collection[str]] | None = None,
    ) -> None:
        name = (name if name is not None else socket.gethostname()).lower().rstrip(".")
        self._names = _NAMES | {name, name.partition(".")[0]}
        self._now_s = now_s
        self._read = read or _interface_addresses
        self._addresses: frozenset[str] = frozenset()
        self._read_at_s: float | None = None

    def place(self, host: str, port: int) -> Address:
        """Return the address in the one form in which addresses are compared."""
        host = _plain(host)
        here = host in self._names or _is_loopback(host) or host in self._own()
        return (HERE if here else host), port

    def _own(self) -> frozenset[str]:
        now_s = self._now_s()
        if self._read_at_s is None or now_s - self._read_at_s >= KNOWN_S:
            self._addresses = frozenset(_plain(each) for each in self._read())
            self._read_at_s = now_s
        return self._addresses


def places_of(
    engine: Engine,
    instance: Instance | None,
    machine: Machine,
    *,
    vpn_addresses: Collection[Address],
) -> frozenset[Address]:
    """Return every place at which this engine is reached, each as `Machine.place` gives it.

    `instance` is what the runtime shows of it; `vpn_addresses` are those of its HTTP port at the
    VPN container whose network it shares.
    """
    found = set(_addresses(engine, instance))
    if not engine.external:
        found |= set(vpn_addresses)
    return frozenset(machine.place(host, port) for host, port in found)


def _addresses(engine: Engine, instance: Instance | None) -> Iterator[Address]:
    yield engine.host, engine.port
    yield engine.api_host, engine.api_port
    if engine.external:
        return
    inner = engine.container_http_port
    yield HERE, engine.port
    for name in (engine.name, engine.id, engine.id[:12]):
        yield name, engine.port
        if inner is not None:
            yield name, inner
    if instance is None or inner is None:
        return
    for binding in instance.ports.get(f"{inner}/tcp", ()):
        # Whichever address of this machine it is bound to: nobody else answers at this port.
        yield HERE, binding.host_port
        yield binding.host_ip or HERE, binding.host_port
    own = (*instance.ip_addresses, *((instance.ip_address,) if instance.ip_address else ()))
    for address in own:
        yield address, inner


def _plain(host: str) -> str:
    """One spelling of a host: no brackets, zone or dot at the end, addresses in short form."""
    host = host.lower().strip("[]").rstrip(".").partition("%")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def _is_loopback(host: str) -> bool:
    """Whether it is loopback, or the address that stands for all of a machine's."""
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
