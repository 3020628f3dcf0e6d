"""Docker runtime kind.

The client of the daemon is imported only where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from urllib.parse import urlsplit

import anyio

from touchline.core.errors import Invalid
from touchline.engines.model.readiness import RuntimeReadiness, State
from touchline.engines.model.runtime import Runtime, RuntimeUnavailable
from touchline.engines.runtimes.docker.address import DaemonAddress, address_of
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings
from touchline.engines.runtimes.kind import OpeningContext, RuntimeKind

TIMEOUT_S = 2.0


def _open(
    settings: DockerRuntimeSettings, context: OpeningContext
) -> AbstractAsyncContextManager[Runtime]:
    from touchline.engines.runtimes.docker.runtime import open_docker_runtime

    return open_docker_runtime(
        settings,
        label=context.label,
        bind_address=context.bind_address,
        bind_is_default=context.bind_is_default,
        also=context.also,
        environ=context.environ,
    )


def _readiness(
    settings: DockerRuntimeSettings, environ: Mapping[str, str], *, needed: bool
) -> RuntimeReadiness:
    state: State = "missing" if needed else "info"
    try:
        found = address_of(settings.host, environ)
    except Invalid as error:
        return RuntimeReadiness(
            "docker", state, error.message, "correct DOCKER_HOST or its certificates"
        )
    address = found.url
    try:
        if _is_closed_to_us(address):
            return RuntimeReadiness(
                "docker",
                state,
                f"this user has no access to {address}",
                "sudo usermod --append --groups docker $USER, then log in again",
            )
        version = anyio.run(_ask_version, found)
    except RuntimeUnavailable as error:
        return RuntimeReadiness(
            "docker",
            state,
            f"{address} does not answer: {error.message.partition(': ')[2]}"
            if needed
            else "not reachable; recording does not need it, and engines run as processes",
            "sudo systemctl start docker, or sudo apt-get install docker.io",
        )
    return RuntimeReadiness("docker", "ok", f"{address} answers: Docker {version}")


def _is_closed_to_us(address: str) -> bool:
    """Return whether the address is a local socket without write permission for this user."""
    parts = urlsplit(address)
    there = parts.scheme == "unix" and os.access(parts.path, os.F_OK)
    return there and not os.access(parts.path, os.W_OK)


async def _ask_version(address: DaemonAddress) -> str:
    from touchline.engines.runtimes.docker.api import DockerApi

    async with aclosing(DockerApi(address, timeout_s=TIMEOUT_S)) as api:
        return await api.version()


DOCKER = RuntimeKind(
    settings=DockerRuntimeSettings,
    can_use_vpn=True,
    binds_on_this_machine=False,
    open=_open,
    readiness=_readiness,
    network=lambda settings: settings.network,
)
