"""Addresses of engines for this server and for clients, in every deployment. Pure.

A *deployment* is the location of this server and of the engines' runtime relative to each other.
All addresses are derived from it here; `docs/operations.md` has the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Literal

from touchline.engines.model.model import Binding, Instance

Address = tuple[str, int]
Kind = Literal["processes", "host", "container", "remote"]

LOOPBACK, LOOPBACK_6 = "127.0.0.1", "::1"
HOST_NETWORK = "host"

_ANY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  (compared with, not bound to)
_NOT_TO_JOIN = frozenset({"bridge", "podman", HOST_NETWORK, "none"})
"""Default container networks, which are never selected for engines.

Containers join them anyway if no network is requested.
"""


@dataclass(frozen=True, slots=True)
class Network:
    """Container network."""

    name: str
    gateways: tuple[str, ...] = ()
    """Addresses of the host in the network, at which published ports are reached."""
    is_internal: bool = False
    """Whether the network has no access to the internet."""


@dataclass(frozen=True, slots=True)
class OwnContainer:
    """Container that this server runs in."""

    id: str
    name: str
    networks: tuple[Network, ...]
    """Networks joined by the container, or by the container whose network it shares."""
    shares: str | None = None
    """Id of the container whose network it shares."""
    on_host_network: bool = False


@dataclass(frozen=True, slots=True)
class Deployment:
    """Location of the engines as seen from this server, and the resulting configuration."""

    kind: Kind
    bind_addresses: tuple[str, ...]
    """Addresses of the engines' machine at which their ports are published."""
    network: Network | None = None
    """Network that engines join; None: the runtime's default."""
    own: OwnContainer | None = None
    daemon_host: str | None = None
    """Configured host of a remote daemon."""
    machine_addresses: tuple[str, ...] = ()
    """Addresses by which other machines reach this one: one of each family."""

    @property
    def knows_machine(self) -> bool:
        """Whether the addresses of the engines' machine are this server's own."""
        return self.kind in {"processes", "host"}

    @property
    def joined(self) -> frozenset[str]:
        """Names of networks in which this server reaches containers directly."""
        return frozenset(each.name for each in self.own.networks) if self.own else frozenset()


def deployment_of(
    *,
    bind_address: str,
    bind_is_default: bool,
    network: Network | None,
    own: OwnContainer | None,
    daemon_host: str | None,
    daemon_address: str | None,
    machine_addresses: tuple[str, ...],
) -> Deployment:
    """Return the deployment of engines that are containers, derived from these facts.

    `network` is the configured one. `daemon_host` is None for a daemon on this machine, and
    `daemon_address` is what that name resolves to.
    """
    if own is not None and not own.on_host_network:
        joins = network or _network_to_join(own.networks)
        bound: tuple[str, ...] = (bind_address,)
        here = Deployment("container", bound, joins, own, None, ())
        met = joins.name in here.joined if joins is not None else bool(here.joined & _NOT_TO_JOIN)
        if met or not _is_loopback(bind_address):
            return here
        # The engines are reached at published ports only, and this container's loopback is not the
        # host's.
        gateways = (*(g for each in own.networks for g in each.gateways), *_gateways(joins))
        bound = tuple(dict.fromkeys((bind_address, *gateways)))
        return Deployment("container", bound, joins, own, None, ())
    if daemon_host is not None:
        # The loopback of another machine is unreachable, but an explicit setting is respected.
        bound = (daemon_address or "0.0.0.0",) if bind_is_default else (bind_address,)  # noqa: S104
        return Deployment("remote", bound, network, None, daemon_host, ())
    bound = (bind_address,)
    if _is_loopback(bind_address):
        # Clients in that network, and on the host, reach the host at its address there.
        bound = tuple(dict.fromkeys((bind_address, *_gateways(network))))
    return Deployment("host", bound, network, own, None, machine_addresses)


def server_address(
    instance: Instance,
    port: int,
    deployment: Deployment,
    *,
    labelled: int | None = None,
    reach_host: str | None = None,
) -> Address | None:
    """Return the address at which this server reaches a port of the instance; None if it cannot.

    `labelled` is the host port in the label, used if the runtime reports none; `reach_host`, if
    configured, is where published ports are reached.
    """
    bound = _bindings(instance, port, labelled, deployment)
    if reach_host is not None and bound:
        return reach_host, bound[0].host_port
    found: Address | None
    if deployment.kind == "container":
        found = _direct(instance, port, deployment) or _from_a_container(bound, deployment)
    elif deployment.kind == "remote":
        found = _from_another_machine(bound, deployment)
    else:
        found = _from_the_machine(bound)
    if found is None and instance.ip_address is not None:
        found = instance.ip_address, port
    return found


def client_address(
    instance: Instance,
    port: int,
    server: Address,
    deployment: Deployment,
    *,
    labelled: int | None = None,
    advertise_host: str | None = None,
) -> Address:
    """Return the address of an instance's port that is reported to clients.

    `server` is where this server reaches the port.
    """
    bound = sorted(_bindings(instance, port, labelled, deployment), key=_family_order)
    if advertise_host is not None:
        return advertise_host, bound[0].host_port if bound else server[1]
    if deployment.kind == "container" and server[0] == LOOPBACK and deployment.own is not None:
        return deployment.own.name, server[1]  # clients share a network with it
    if not deployment.knows_machine:
        return server
    gateways = _gateways(deployment.network)
    outside = [one for one in bound if not _is_loopback(one.host_ip) and one.host_ip not in _ANY]
    for one in (*(each for each in outside if each.host_ip in gateways), *outside):
        return one.host_ip, one.host_port
    for one in bound:
        for address in deployment.machine_addresses:
            if one.host_ip in _ANY and _family(address) == _family_order(one):
                return address, one.host_port
    return server


def find_published_port(instance: Instance, port: int) -> int | None:
    """Return the host port to which this port of the instance is published."""
    bound = instance.ports.get(f"{port}/tcp", ())
    return bound[0].host_port if bound else None


def sentences(deployment: Deployment, *, advertise_host: str | None = None) -> list[str]:
    """Return the log lines of the startup: recognised deployment and client addresses."""
    own, network = deployment.own, deployment.network
    joins = "their runtime's default network" if network is None else f"the network {network.name}"
    bound = ", ".join(deployment.bind_addresses)
    configured = f"{advertise_host} (engines.advertise_host) and the published port"
    if deployment.kind == "processes":
        first = f"Engines are processes of this machine, which listen at {bound}"
        plain = "that address" if not _is_any(bound) else "this machine's own address"
    elif deployment.kind == "remote":
        first = (
            f"Engines are containers on {deployment.daemon_host}, a remote daemon; their ports are"
            f" published at {bound} of that machine"
        )
        plain = f"{deployment.daemon_host} and the published port"
    elif deployment.kind == "container" and own is not None:
        first = (
            f"This server runs in the container {own.name}; engines join {joins}, and their ports"
            f" are published at {bound} of the machine"
        )
        plain = "an engine's address in that network and its port there; set engines.advertise_host"
        plain += " for clients on other machines"
    else:
        where = f" (in the container {own.name}, on the host's network)" if own is not None else ""
        first = (
            f"Engines are containers of this machine's daemon{where}; they join {joins}, and their"
            f" ports are published at {bound}"
        )
        plain = f"{_host_for_clients(deployment)} and the published port"
    return [first, f"Clients are told {configured if advertise_host is not None else plain}"]


def _host_for_clients(deployment: Deployment) -> str:
    outside = [each for each in deployment.bind_addresses if not _is_loopback(each)]
    if any(each in _ANY for each in outside) and deployment.machine_addresses:
        return deployment.machine_addresses[0]
    return outside[0] if outside and outside[0] not in _ANY else LOOPBACK


def _network_to_join(networks: Iterable[Network]) -> Network | None:
    """Return the network of the server's own that engines join, preferably with internet access."""
    found = [each for each in networks if each.name not in _NOT_TO_JOIN]
    return min(found, key=lambda each: (each.is_internal, each.name), default=None)


def _direct(instance: Instance, port: int, deployment: Deployment) -> Address | None:
    """Return the direct address in a shared network."""
    own = deployment.own
    if own is None:
        return None
    hosts = {own.id, own.shares} - {None}
    if instance.id in hosts or instance.network in {f"container:{each}" for each in hosts}:
        return LOOPBACK, port
    for name in sorted(deployment.joined & instance.networks.keys()):
        for address in instance.networks[name]:
            return address, port
    return None


def _from_a_container(bound: Sequence[Binding], deployment: Deployment) -> Address | None:
    """Return the address through the host, which is the gateway of our networks."""
    own = deployment.own
    gateways = [g for each in own.networks for g in each.gateways] if own is not None else []
    for one in bound:
        if one.host_ip in gateways:
            return one.host_ip, one.host_port
    for one in bound:
        if one.host_ip in _ANY and gateways:
            return gateways[0], one.host_port
    for one in bound:
        if one.host_ip not in _ANY and not _is_loopback(one.host_ip):
            return one.host_ip, one.host_port
    return None


def _from_another_machine(bound: Sequence[Binding], deployment: Deployment) -> Address | None:
    host = deployment.daemon_host or LOOPBACK
    for one in bound:
        special = one.host_ip not in _ANY and not _is_loopback(one.host_ip)
        named = one.host_ip in deployment.bind_addresses
        # The daemon's own address is reported by its configured name, others unchanged.
        return (one.host_ip if special and not named else host), one.host_port
    return None


def _from_the_machine(bound: Sequence[Binding]) -> Address | None:
    """Return the loopback address if it is bound, because it depends on no other interface."""
    for one in sorted(bound, key=_family_order):
        if one.host_ip in _ANY:
            return (LOOPBACK_6 if one.host_ip == "::" else LOOPBACK), one.host_port
        if _is_loopback(one.host_ip):
            return one.host_ip, one.host_port
    return (bound[0].host_ip, bound[0].host_port) if bound else None


def _bindings(
    instance: Instance, port: int, labelled: int | None, deployment: Deployment
) -> tuple[Binding, ...]:
    """Return the host bindings of the port, from the label if the runtime reports none."""
    bound = instance.ports.get(f"{port}/tcp", ())
    if not bound and labelled is not None:
        return tuple(Binding(each, labelled) for each in deployment.bind_addresses)
    return bound


def _gateways(network: Network | None) -> tuple[str, ...]:
    return network.gateways if network is not None else ()


def _is_any(address: str) -> bool:
    return address in _ANY


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _family_order(binding: Binding) -> int:
    return _family(binding.host_ip)


def _family(address: str) -> int:
    try:
        return 6 if isinstance(ip_address(address), IPv6Address) else 4
    except ValueError:
        return 4
