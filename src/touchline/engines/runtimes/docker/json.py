"""Conversion between Docker's API and our values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from touchline.core.errors import Invalid, TouchlineError
from touchline.engines.model.addresses import Deployment
from touchline.engines.model.labels import START
from touchline.engines.model.model import (
    Binding,
    ContainerHealth,
    EngineSpec,
    EventKind,
    Instance,
    InstanceState,
    PortMapping,
    RuntimeEvent,
)
from touchline.engines.model.runtime import (
    ImageNotFound,
    NameInUse,
    PortInUse,
    StartFailed,
)
from touchline.engines.runtimes.docker.api import ContainerView, DaemonError
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings
from touchline.engines.runtimes.sense import making_sense
from touchline.foreign.numbers import whole

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}")
_SHARES = "container:"

_STATES: Mapping[str, InstanceState] = {
    "created": "created",
    "running": "running",
    # Docker restarts it automatically, so it must not count as dead.
    "restarting": "running",
    "paused": "paused",
    "removing": "exited",
    "exited": "exited",
    "dead": "exited",
}
_HEALTH: Mapping[str, ContainerHealth] = {
    "healthy": "healthy",
    "unhealthy": "unhealthy",
    "starting": "starting",
}
_KINDS: Mapping[str, EventKind] = {
    "start": "started",
    "die": "died",
    "destroy": "removed",
    "remove": "removed",
    "pause": "paused",
    "unpause": "unpaused",
    "health_status": "health",
}
_INITS = frozenset({"docker-init", "podman-init", "catatonit", "tini"})
_ENDED = "<defunct>"
_NOT_LABELS = frozenset(
    {"name", "image", "exitCode", "execDuration", "signal", "containerExitCode", "podId", START}
)
"""Attributes that Docker and Podman mix with the labels in an event."""


@making_sense()
def listed(shown: ContainerView) -> Instance:
    """Return an instance from a container in a list."""
    networks = (shown["NetworkSettings"] or {}).get("Networks") or {}
    return Instance(
        id=shown["Id"],
        name=shown["Names"][0].lstrip("/") if shown["Names"] else shown["Id"][:12],
        image=shown["Image"],
        state=_STATES.get(shown["State"], "exited"),
        created_at=datetime.fromtimestamp(shown["Created"], UTC),
        labels=_labels(shown["Labels"]),
        ports=_listed_ports(shown["Ports"] or ()),
        network=_network_mode(shown),
        ip_address=_ip_address(networks),
        ip_addresses=_ip_addresses(networks),
        networks=_networks(networks),
    )


@making_sense()
def start_of(shown: ContainerView) -> str | None:
    """Return the id of the start that created a container."""
    found = (shown["Labels"] or {}).get(START)
    return None if found is None else str(found)


@making_sense()
def inspected(shown: Mapping[str, Any]) -> Instance:
    """Return an instance from the inspection of a container."""
    state, config = shown["State"], shown["Config"]
    status = _STATES.get(state["Status"], "exited")
    networks = shown["NetworkSettings"]
    return Instance(
        id=shown["Id"],
        name=shown["Name"].lstrip("/"),
        image=config["Image"],
        state=status,
        # In whole seconds, as in a list: the same container has the same age in both.
        created_at=_moment(shown["Created"]).replace(microsecond=0),
        labels=_labels(config.get("Labels")),
        ports={
            name: tuple(Binding(str(one["HostIp"]), _port(one["HostPort"])) for one in bound)
            for name, bound in (networks.get("Ports") or {}).items()
            if bound
        },
        network=_network(shown["HostConfig"].get("NetworkMode")),
        ip_address=_ip_address(networks.get("Networks") or {}),
        ip_addresses=_ip_addresses(networks.get("Networks") or {}),
        networks=_networks(networks.get("Networks") or {}),
        health=_HEALTH.get((state.get("Health") or {}).get("Status", "")),
        exit_code=int(state["ExitCode"]) if status == "exited" else None,
        started_at=_moment(state["StartedAt"]) if "StartedAt" in state else None,
        env=dict(pair.partition("=")[::2] for pair in config.get("Env") or ()),
    )


@making_sense()
def event_of(message: Mapping[str, Any]) -> RuntimeEvent | None:
    """Return a runtime event from a daemon's event; None: it is not relevant."""
    action, _, detail = str(message.get("Action", "")).partition(": ")
    kind = _KINDS.get(action)
    if kind is None:
        return None
    attributes = message["Actor"]["Attributes"]
    exit_code = attributes.get("exitCode", "")
    return RuntimeEvent(
        kind=kind,
        instance_id=message["Actor"]["ID"],
        name=attributes.get("name", ""),
        at=datetime.fromtimestamp(message["timeNano"] / 1e9, UTC),
        labels={name: text for name, text in attributes.items() if name not in _NOT_LABELS},
        exit_code=int(exit_code) if exit_code.isdigit() else None,
        health=_HEALTH.get(detail) if kind == "health" else None,
    )


def has_begun(commands: Sequence[str]) -> bool:
    """Return whether a container's program has begun, by the command lines that run in it.

    Before that only the daemon's init process, or a copy of it, is running.
    """
    alive = [each for each in commands if not each.endswith(_ENDED)]
    if not alive:
        return False
    first = alive[0].split()
    is_init = first[1:2] == ["--"] and first[0].rpartition("/")[2] in _INITS
    return not is_init or any(each != alive[0] for each in alive)


def creation(
    spec: EngineSpec,
    settings: DockerRuntimeSettings,
    *,
    label: tuple[str, str],
    start: str,
    deployment: Deployment,
) -> Mapping[str, Any]:
    """Return the request that creates a container.

    Raises Invalid for a name that Docker does not allow.
    """
    if _NAME.fullmatch(spec.name) is None:
        raise Invalid(
            f"{spec.name!r} is not a valid container name: use 2 to 128 letters, digits, _ . or -",
            code="invalid_name",
        )
    wanted: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in spec.env.items()],
        "Labels": {**spec.labels, label[0]: label[1], START: start},
        "ExposedPorts": {port.name: {} for port in spec.ports},
        "HostConfig": _host_config(spec, settings, deployment),
    }
    if spec.command:
        wanted["Cmd"] = list(spec.command)
    return wanted


def why_not(error: DaemonError, spec: EngineSpec) -> TouchlineError:
    """Return the error that a refusal to create or start a container means.

    It is determined from the status and the text.
    """
    words = error.message
    if "no such image" in words.lower() or "invalid reference format" in words:
        return ImageNotFound(words)
    conflicts = error.status == 409 or "container name" in words  # Podman's wording
    if conflicts and "already in use" in words:
        return NameInUse(f"another container has the name {spec.name}: {words}")
    if "port is already allocated" in words or "address already in use" in words:
        return _port_in_use(words, spec)
    return StartFailed(words, status=error.status)


def shares_network(network: str | None) -> bool:
    """Return whether this network is another container's."""
    return network is not None and network.startswith(_SHARES)


def _port_in_use(words: str, spec: EngineSpec) -> PortInUse:
    ours = [port.host_port for port in spec.ports if port.host_port is not None]
    for port in ours:
        if re.search(rf":{port}\b", words):
            return PortInUse(f"port {port} is in use: {words}", port=port)
    return PortInUse(f"a port is in use: {words}")


def _host_config(
    spec: EngineSpec, settings: DockerRuntimeSettings, deployment: Deployment
) -> Mapping[str, Any]:
    config: dict[str, Any] = {
        "PortBindings": {
            port.name: [
                {"HostIp": _numeric(each), "HostPort": str(port.host_port or "")}
                for each in _at(port, deployment)
            ]
            for port in spec.ports
        },
        "RestartPolicy": {"Name": "unless-stopped" if spec.restarts else "no"},
        "CapDrop": settings.cap_drop,
        "CapAdd": settings.cap_add,
        "SecurityOpt": ["no-new-privileges:true"] if settings.no_new_privileges else [],
        # An init process that forwards signals: a shell script as first process would ignore
        # SIGTERM, and every stop would take the whole grace period.
        "Init": True,
        "LogConfig": {
            "Type": "json-file",
            # Two files, so that the newest half survives a rotation.
            "Config": {"max-size": str(settings.log_max_bytes // 2), "max-file": "2"},
        },
    }
    if settings.pids_limit:
        config["PidsLimit"] = settings.pids_limit
    if spec.memory_limit_bytes is not None:
        # No additional swap: an engine that swaps cannot play live.
        config["Memory"] = config["MemorySwap"] = spec.memory_limit_bytes
    joins = deployment.network.name if deployment.network is not None else None
    if network := spec.network or joins:
        config["NetworkMode"] = network
    return config


def _at(port: PortMapping, deployment: Deployment) -> tuple[str, ...]:
    """Return where a port is published.

    Any free port differs between addresses, so it is published at one of them only.
    """
    bound = deployment.bind_addresses
    return bound if port.host_port is not None else bound[:1]


def _numeric(address: str) -> str:
    return "127.0.0.1" if address == "localhost" else address.strip("[]")


def _labels(shown: Mapping[str, str] | None) -> Mapping[str, str]:
    return {name: text for name, text in (shown or {}).items() if name != START}


def _listed_ports(shown: Iterable[Mapping[str, Any]]) -> Mapping[str, tuple[Binding, ...]]:
    ports: dict[str, tuple[Binding, ...]] = {}
    for port in shown:
        if port.get("PublicPort"):
            name = f"{port['PrivatePort']}/{port['Type']}"
            bound = Binding(str(port.get("IP", "")), _port(port["PublicPort"]))
            ports[name] = (*ports.get(name, ()), bound)
    return ports


def _port(value: object) -> int:
    port = whole(str(value)[:20], least=1, most=65535)
    if port is None:
        raise ValueError(f"{value!r} is not a port")
    return port


def _network_mode(shown: ContainerView) -> str | None:
    try:
        return _network(shown["HostConfig"].get("NetworkMode"))
    except LookupError:
        return None  # missing in Podman's list


def _network(mode: str | None) -> str | None:
    return None if mode in {None, "", "default"} else mode


def _ip_address(networks: Mapping[str, Mapping[str, Any]]) -> str | None:
    addresses = (network.get("IPAddress") for network in networks.values())
    return next((address for address in addresses if address), None)


def _ip_addresses(networks: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(each for found in _networks(networks).values() for each in found)


def _networks(networks: Mapping[str, Mapping[str, Any]]) -> Mapping[str, tuple[str, ...]]:
    kinds = ("IPAddress", "GlobalIPv6Address")
    return {
        name: tuple(address for kind in kinds if (address := network.get(kind)))
        for name, network in networks.items()
    }


def _moment(text: str) -> datetime:
    # 2026-11-26T11:40:32.215496937Z: Python does not parse nanoseconds.
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
