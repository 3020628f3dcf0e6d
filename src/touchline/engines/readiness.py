"""Is this machine ready for engines? For `touchline check`; everything here blocks for a moment."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import anyio

from touchline.core.errors import Invalid
from touchline.engines.fleet.ports import bind_probe
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.docker.address import Address, address_of
from touchline.engines.settings.runtimes import (
    AutoRuntimeSettings,
    DockerRuntimeSettings,
    ProcessRuntimeSettings,
)
from touchline.engines.settings.tree import EnginesSettings

TIMEOUT_S = 2.0

State = Literal["ok", "info", "warn", "missing"]


@dataclass(frozen=True)
class Readiness:
    """One thing that was looked at, and what mends it."""

    what: str
    state: State
    message: str
    mend: str | None = None


def engine_readiness(
    settings: EnginesSettings, *, wanted: bool, environ: Mapping[str, str]
) -> Iterator[Readiness]:
    """What engines need; where nobody asked for them, what is lacking is only told."""
    runtime = settings.runtime
    if isinstance(runtime, ProcessRuntimeSettings):
        yield _program(runtime, wanted=wanted)
    elif isinstance(runtime, DockerRuntimeSettings):
        yield _docker(runtime.host, environ, needed=wanted)
    elif isinstance(runtime, AutoRuntimeSettings):
        needed = wanted and bool(settings.vpn.names)
        found = _docker(runtime.docker.host, environ, needed=needed)
        yield found
        if found.state != "ok" and not needed:
            yield _program(runtime.process, wanted=wanted)
    yield _ports(settings)


def _docker(host: str | None, environ: Mapping[str, str], *, needed: bool) -> Readiness:
    state: State = "missing" if needed else "info"
    try:
        found = address_of(host, environ)
    except Invalid as error:
        return Readiness("docker", state, error.message, "correct DOCKER_HOST or its certificates")
    address = found.url
    try:
        if _is_closed_to_us(address):
            return Readiness(
                "docker",
                state,
                f"this user has no access to {address}",
                "sudo usermod --append --groups docker $USER, then log in again",
            )
        version = anyio.run(_ask_version, found)
    except RuntimeUnavailable as error:
        return Readiness(
            "docker",
            state,
            f"{address} does not answer: {error.message.partition(': ')[2]}"
            if needed
            else "not reachable; recording does not need it, and engines run as processes",
            "sudo systemctl start docker, or sudo apt-get install docker.io",
        )
    return Readiness("docker", "ok", f"{address} answers: Docker {version}")


def _is_closed_to_us(address: str) -> bool:
    """Whether that is a socket of this machine that this user may not write to."""
    parts = urlsplit(address)
    there = parts.scheme == "unix" and os.access(parts.path, os.F_OK)
    return there and not os.access(parts.path, os.W_OK)


async def _ask_version(address: Address) -> str:
    from touchline.engines.runtimes.docker.api import DockerApi  # the server may do without it

    async with aclosing(DockerApi(address, timeout_s=TIMEOUT_S)) as api:
        return await api.version()


def _program(settings: ProcessRuntimeSettings, *, wanted: bool) -> Readiness:
    programs = [settings.command, *settings.programs.values()]
    given = [command[0] for command in programs if command]
    lacking: State = "missing" if wanted else "info"
    if not given:
        return Readiness(
            "engines",
            lacking,
            "no engine program is configured",
            "set engines.runtime.command, or use Docker",
        )
    for program in given:
        if shutil.which(program) is None:
            return Readiness(
                "engines", lacking, f"{program} cannot be run", "set engines.runtime.command"
            )
    return Readiness("engines", "ok", f"engines run as {', '.join(sorted(set(given)))}")


def _ports(settings: EnginesSettings) -> Readiness:
    ports = settings.ports
    numbers = range(ports.host.first, ports.host.last + 1)
    try:
        free = len(numbers) - len(bind_probe(ports.bind_address)(numbers))
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL and not isinstance(
            settings.runtime, ProcessRuntimeSettings
        ):
            return Readiness(
                "engine ports",
                "warn",
                f"{ports.bind_address} is not an address of this machine: only a remote Docker"
                " daemon, or the daemon of this server's container, can publish ports there",
                "set engines.ports.bind_address to an address of the daemon's machine",
            )
        return Readiness(
            "engine ports",
            "missing",
            f"{ports.bind_address} cannot be bound: {error.strerror}",
            "set engines.ports.bind_address to an address of this machine",
        )
    wanted = min(settings.scaling.max_replicas, len(numbers))
    enough = free >= wanted
    return Readiness(
        "engine ports",
        "ok" if enough else "warn",
        f"{free} of {len(numbers)} ports ({ports.host}) are free",
        None if enough else "set engines.ports.host to an unused range",
    )
