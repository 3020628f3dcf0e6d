"""Detection of the relative location of this server and a daemon.

They are on one machine, one in a container of the other's machine, or on separate machines.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from touchline.engines.model.addresses import Deployment, Network, OwnContainer, deployment_of
from touchline.engines.model.places import addresses_at, is_here, machine_addresses
from touchline.engines.runtimes.docker.api import DaemonError, DockerApi

log = logging.getLogger(__name__)

RESOLVE_WITHIN_S = 3.0
MOST_CANDIDATES = 8
MOST_NETWORKS = 16
MOST_BYTES = 1 << 20

_ID = re.compile(r"[0-9a-f]{64}")
_SHORT_ID = re.compile(r"[0-9a-f]{12,64}")
_OWN_FILES = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"})
"""Files that a daemon mounts into each container from a folder named by its id."""

_SHARES = "container:"

OwnIds = Callable[[], Sequence[str]]


def own_ids(proc: Path = Path("/proc/self"), hostname: str | None = None) -> Sequence[str]:
    """Return the possible ids of this process's container, the likeliest first."""
    mounts = [line.split(" ") for line in _read(proc / "mountinfo").splitlines()]
    places = [each[3] for each in mounts if len(each) > 4 and each[4] in _OWN_FILES]
    # The innermost of nested containers is named last.
    places += reversed(_read(proc / "cgroup").splitlines())
    found = [each for place in places for each in reversed(_ID.findall(place))]
    name = socket.gethostname() if hostname is None else hostname
    if _SHORT_ID.fullmatch(name):
        found.append(name)
    return list(dict.fromkeys(found))[:MOST_CANDIDATES]


class Locator:
    """Detection of the deployment by requests to the daemon."""

    def __init__(
        self,
        api: DockerApi,
        *,
        url: str,
        network: str | None,
        bind_address: str,
        bind_is_default: bool,
        ids: OwnIds = own_ids,
        here: Callable[[str], bool] = is_here,
    ) -> None:
        """Create a locator.

        `url` is the daemon's; `network` is what engines are configured to join. `here` says whether
        an address is this machine's.
        """
        self._api, self._url, self._network = api, url, network
        self._bind_address, self._bind_is_default = bind_address, bind_is_default
        self._ids, self._here = ids, here
        self._missed = ""

    def unknown(self) -> Deployment:
        """Return the deployment that is assumed until the daemon has answered."""
        return self._concluded(None, _named(self._network), None, None, ())

    async def locate(self) -> tuple[Deployment, bool]:
        """Return the deployment, and whether all relevant facts could be determined.

        Raises RuntimeUnavailable.
        """
        ids = await anyio.to_thread.run_sync(self._ids)
        own = await self._own(ids)
        network, bridge, complete = await self._configured()
        daemon_host, daemon_address = await self._daemon() if own is None else (None, None)
        if network is not None and daemon_host is None and (own is None or own.on_host_network):
            # The gateways of a daemon in another namespace or machine are not addresses here.
            held = await anyio.to_thread.run_sync(self._held, network.gateways, bridge)
            network = replace(network, gateways=held)
        machine = await anyio.to_thread.run_sync(machine_addresses)
        found = self._concluded(own, network, daemon_host, daemon_address, machine)
        return found, complete and (daemon_host is None or daemon_address is not None)

    def _concluded(
        self,
        own: OwnContainer | None,
        network: Network | None,
        daemon_host: str | None,
        daemon_address: str | None,
        machine: tuple[str, ...],
    ) -> Deployment:
        return deployment_of(
            bind_address=self._bind_address,
            bind_is_default=self._bind_is_default,
            network=network,
            own=own,
            daemon_host=daemon_host,
            daemon_address=daemon_address,
            machine_addresses=machine,
        )

    async def _own(self, ids: Sequence[str]) -> OwnContainer | None:
        for candidate in ids:
            try:
                shown = await self._api.inspect(candidate)
            except DaemonError:
                continue  # another daemon's container, or a name that looks like an id
            if len(candidate) < 64 and _part(shown, "Config").get("Hostname") != candidate:
                continue
            return await self._seen(shown, str(shown.get("Id") or candidate))
        return None

    async def _seen(self, shown: Mapping[str, Any], own_id: str) -> OwnContainer:
        mode = str(_part(shown, "HostConfig").get("NetworkMode") or "")
        shares: str | None = None
        joined = shown
        if mode.startswith(_SHARES):
            shares = mode.removeprefix(_SHARES)
            try:
                joined = await self._api.inspect(shares)
                shares = str(joined.get("Id") or shares)
            except DaemonError as error:
                log.warning("The container whose network this server shares: %s", error.message)
        attached = _part(_part(joined, "NetworkSettings"), "Networks")
        names = list(attached)[:MOST_NETWORKS]
        networks = tuple([await self._joined(name, _part(attached, name)) for name in names])
        return OwnContainer(
            id=own_id,
            name=str(shown.get("Name") or own_id[:12]).lstrip("/"),
            networks=networks,
            shares=shares,
            on_host_network=mode == "host" or any(each.name == "host" for each in networks),
        )

    async def _joined(self, name: str, attached: Mapping[str, Any]) -> Network:
        gateways = [attached.get("Gateway"), attached.get("IPv6Gateway")]
        known = tuple(str(each) for each in gateways if each)
        internal = False
        try:
            shown = await self._api.network(name)
        except DaemonError:
            pass  # the name cannot be looked up; the container's own data are sufficient
        else:
            known = known or _gateways(shown)
            internal = bool(shown.get("Internal") or shown.get("internal"))
        return Network(name, known, is_internal=internal)

    def _held(self, gateways: Sequence[str], bridge: str) -> tuple[str, ...]:
        return tuple(each for each in gateways if self._here(each)) or addresses_at(bridge)

    async def _configured(self) -> tuple[Network | None, str, bool]:
        """Return the configured network, its bridge here, and whether the daemon knows it."""
        plain = _named(self._network)
        if self._network is None or self._network in {"host", "none"} or ":" in self._network:
            return plain, "", True
        try:
            shown = await self._api.network(self._network)
        except DaemonError as error:
            if error.message != self._missed:
                self._missed = error.message
                log.warning("The network %s of engines: %s", self._network, error.message)
            return plain, "", False
        name = str(shown.get("Name") or shown.get("name") or self._network)
        internal = bool(shown.get("Internal") or shown.get("internal"))
        # Only a bridge's gateway is an address of this machine.
        is_bridge = str(shown.get("Driver") or shown.get("driver")) == "bridge"
        gateways = _gateways(shown) if is_bridge else ()
        given = _part(shown, "Options").get("com.docker.network.bridge.name")
        bridge = str(given or f"br-{str(shown.get('Id', ''))[:12]}") if is_bridge else ""
        return Network(name, gateways, is_internal=internal), bridge, True

    async def _daemon(self) -> tuple[str | None, str | None]:
        """Return the remote daemon's host, and its address.

        None: it is on this machine, or unknown.
        """
        parts = urlsplit(self._url)
        host = parts.hostname
        if parts.scheme == "unix" or host is None:
            return None, None
        try:
            with anyio.move_on_after(RESOLVE_WITHIN_S):
                found = await anyio.getaddrinfo(host, None, type=socket.SOCK_STREAM)
                address = str(found[0][4][0])
                here = await anyio.to_thread.run_sync(self._here, address)
                return (None, None) if here else (host, address)
        except OSError as error:
            log.info("The host of the Docker daemon, %s, is not found: %s", host, error)
        return host, None


def _part(shown: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a part of a daemon's answer; empty if it is not a mapping."""
    found = shown.get(name)
    return found if isinstance(found, Mapping) else {}


def _named(network: str | None) -> Network | None:
    return Network(network) if network is not None else None


def _gateways(shown: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the gateways of a network as Docker or Podman reports it, IPv4 first."""
    rows = _part(shown, "IPAM").get("Config") or shown.get("subnets") or []
    found = [str(row.get("Gateway") or row.get("gateway") or "") for row in rows[:MOST_NETWORKS]]
    return tuple(sorted((each.partition("/")[0] for each in found if each), key=lambda a: ":" in a))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""
