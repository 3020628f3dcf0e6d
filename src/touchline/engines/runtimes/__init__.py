"""Where engines run. `protocol` says what each promises; a kind is a module and a class."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from anyio import to_thread

from touchline.engines.model.runtime import Runtime
from touchline.engines.runtimes.docker.address import missing_socket
from touchline.engines.settings.runtimes import (
    AutoRuntimeSettings,
    DockerRuntimeSettings,
    ProcessRuntimeSettings,
    RuntimeSettings,
)

__all__ = ["open_runtime"]

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_runtime(
    settings: RuntimeSettings,
    *,
    data_dir: Path,
    label: tuple[str, str],
    bind_address: str,
    bind_is_default: bool = False,
    also: Collection[str] = (),
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Runtime]:
    """The runtime that is configured; `auto` is Docker if it answers within a second.

    What Docker watches includes the containers named in `also`; `environ` is where it finds
    DOCKER_HOST, None meaning the process's own. Raises Invalid where it cannot work as configured.
    """

    def docker(chosen: DockerRuntimeSettings) -> AbstractAsyncContextManager[Runtime]:
        # Imported only where it is used: it brings an HTTP client with it.
        from touchline.engines.runtimes.docker.runtime import open_docker_runtime

        return open_docker_runtime(
            chosen,
            label=label,
            bind_address=bind_address,
            bind_is_default=bind_is_default,
            also=also,
            environ=environ,
        )

    def process(chosen: ProcessRuntimeSettings) -> AbstractAsyncContextManager[Runtime]:
        from touchline.engines.runtimes.process.runtime import open_process_runtime

        directory = chosen.directory or data_dir / "engines"
        return open_process_runtime(
            chosen, directory=directory, label=label, bind_address=bind_address
        )

    if isinstance(settings, AutoRuntimeSettings):
        answers = await _docker_answers(settings.docker, environ)
        settings = settings.docker if answers else settings.process
        log.info("Engines run as %s", "Docker containers" if answers else "processes")
    opened = docker(settings) if isinstance(settings, DockerRuntimeSettings) else process(settings)
    async with opened as runtime:
        yield runtime


async def _docker_answers(
    settings: DockerRuntimeSettings, environ: Mapping[str, str] | None
) -> bool:
    """Whether there is a daemon. Where there is no socket, nothing is loaded to ask at it."""
    told = os.environ if environ is None else environ
    missing = await to_thread.run_sync(missing_socket, settings.host, told)
    if missing is not None:
        log.info("Docker is not used: the socket %s does not exist", missing)
        return False
    from touchline.engines.runtimes.docker.runtime import docker_answers

    return await docker_answers(settings, environ=environ)
