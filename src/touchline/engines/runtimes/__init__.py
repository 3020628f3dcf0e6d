"""Runtimes of engines, each a module with its kind, its settings and a class.

`touchline.engines.model.runtime` defines the interface of all of them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from anyio import to_thread

from touchline.engines.model.runtime import Runtime
from touchline.engines.runtimes.auto import AutoRuntimeSettings
from touchline.engines.runtimes.docker.address import missing_socket
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings
from touchline.engines.runtimes.kind import OpeningContext
from touchline.engines.runtimes.kinds import RuntimeSettings, kind_of

__all__ = ["OpeningContext", "open_runtime"]

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_runtime(
    settings: RuntimeSettings, context: OpeningContext
) -> AsyncIterator[Runtime]:
    """Open the configured runtime; `auto` is Docker if it answers within a second.

    Raises Invalid if it cannot work as configured.
    """
    if isinstance(settings, AutoRuntimeSettings):
        answers = await _docker_answers(settings.docker, context.environ)
        settings = settings.docker if answers else settings.process
        log.info("Engines run as %s", "Docker containers" if answers else "processes")
    async with kind_of(settings).open(settings, context) as runtime:
        yield runtime


async def _docker_answers(
    settings: DockerRuntimeSettings, environ: Mapping[str, str] | None
) -> bool:
    """Return whether there is a daemon.

    Without a socket, the Docker client is not loaded.
    """
    variables = os.environ if environ is None else environ
    missing = await to_thread.run_sync(missing_socket, settings.host, variables)
    if missing is not None:
        log.info("Docker is not used: the socket %s does not exist", missing)
        return False
    from touchline.engines.runtimes.docker.runtime import docker_answers

    return await docker_answers(settings, environ=environ)
