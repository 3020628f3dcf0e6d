"""Container starts that leave nothing behind after any failure."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from touchline.core import patience
from touchline.core.errors import TouchlineError
from touchline.engines.model.addresses import Deployment
from touchline.engines.model.labels import START
from touchline.engines.model.model import EngineSpec, Instance
from touchline.engines.model.runtime import (
    ImageNotFound,
    RuntimeUnavailable,
    StartFailed,
    StartTimeout,
)
from touchline.engines.runtimes.docker.api import DaemonError, DockerApi
from touchline.engines.runtimes.docker.images.pull import Pulls
from touchline.engines.runtimes.docker.json import creation, has_begun, inspected, why_not
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings
from touchline.engines.runtimes.parallel import StartQueue

log = logging.getLogger(__name__)

BEGINS_WITHIN_S = 5.0
"""Seconds within which a container's program must begin.

On a very busy machine, one that has not begun by then is treated as running.
"""

_BEGIN_POLL_S = 0.02

REMEMBERED_S = 600.0
"""Seconds for which failed starts are remembered.

A daemon that was frozen executes earlier requests later.
"""


@dataclass(slots=True)
class _Attempt:
    """Single start.

    `start` is in a label of its container, to identify it if nothing else is left.
    """

    spec: EngineSpec
    start: str
    config: Mapping[str, Any]
    container: str | None = None


class Starter:
    """Starter of containers, with concurrency adapted to the machine."""

    def __init__(
        self,
        api: DockerApi,
        pulls: Pulls,
        settings: DockerRuntimeSettings,
        *,
        label: tuple[str, str],
    ) -> None:
        self._api, self._pulls, self._settings = api, pulls, settings
        self._label = label
        self._turns = StartQueue(most=settings.max_parallel_starts)
        self._under_way: dict[str, str] = {}
        self._leftovers: dict[str, float] = {}

    def under_way(self) -> frozenset[str]:
        """Return the names of the containers that are being started."""
        return frozenset(self._under_way.values())

    def is_leftover(self, start: str | None) -> bool:
        """Return whether a container was left by a failed start and must be removed."""
        now_s = anyio.current_time()
        for old in [each for each, until_s in self._leftovers.items() if until_s < now_s]:
            del self._leftovers[old]
        return start in self._leftovers

    async def start(self, spec: EngineSpec, *, deployment: Deployment, within_s: float) -> Instance:
        """Start a container; see `Runtime.start`.

        `within_s` counts from the start's turn.
        """
        start = secrets.token_hex(8)
        config = creation(
            spec, self._settings, label=self._label, start=start, deployment=deployment
        )
        self._under_way[start] = spec.name
        try:
            try:
                return await self._start_in_turn(_Attempt(spec, start, config), within_s)
            except ImageNotFound:
                # Outside of a turn, so that other starts continue during the pull.
                await self._pulls.pull(spec.image)
                return await self._start_in_turn(_Attempt(spec, start, config), within_s)
        finally:
            del self._under_way[start]

    async def _start_in_turn(self, attempt: _Attempt, within_s: float) -> Instance:
        async with self._turns.turn():
            try:
                with patience.fail_after(within_s):
                    return await self._run(attempt)
            except DaemonError as error:
                if attempt.container is not None:
                    await self._undo(attempt)
                raise why_not(error, attempt.spec) from error
            except TimeoutError:
                if not await self._undo(attempt):
                    raise RuntimeUnavailable("Docker stopped responding during a start") from None
                raise StartTimeout(
                    f"{attempt.spec.name} was not running after {within_s:g} s"
                ) from None
            except BaseException:
                await self._undo(attempt)
                raise

    async def _run(self, attempt: _Attempt) -> Instance:
        attempt.container = await self._api.create(attempt.spec.name, attempt.config)
        await self._api.start(attempt.container)
        await self._until_begun(attempt.container)
        instance = inspected(await self._api.inspect(attempt.container))
        if instance.state != "running":
            words = await self._api.last_words(attempt.container)
            said = f": {words}".rstrip(": ")
            raise StartFailed(
                f"{instance.name} exited immediately with status {instance.exit_code}{said}"
            )
        return instance

    async def _until_begun(self, container: str) -> None:
        """Wait until the container's first process has executed the program, or failed to.

        A daemon answers a start when its own init process runs: a program that does not exist would
        be reported as running.
        """
        with patience.move_on_after(BEGINS_WITHIN_S):
            try:
                while not has_begun(await self._api.processes(container)):  # noqa: ASYNC110
                    await anyio.sleep(_BEGIN_POLL_S)
            except DaemonError as error:
                # The container has ended, which the next check shows, or the daemon cannot report
                # it.
                log.debug("The processes of %s: %s", container, error.message)

    async def _undo(self, attempt: _Attempt) -> bool:
        """Remove what a start created, and return whether the daemon answered.

        If it did not, `is_leftover` remembers the start.
        """
        with anyio.CancelScope(shield=True):
            try:
                if attempt.container is not None:
                    await self._remove(attempt.container)
                    return True
                # The call may have succeeded, or may yet: only the label identifies the container.
                self._remember(attempt)
                for shown in await self._api.containers(f"{START}={attempt.start}"):
                    await self._remove(shown["Id"])
            except TouchlineError as error:
                self._remember(attempt)
                log.warning("%s may be left over from a failed start: %s", attempt.spec.name, error)
                return not isinstance(error, RuntimeUnavailable)
        return True

    def _remember(self, attempt: _Attempt) -> None:
        self._leftovers[attempt.start] = anyio.current_time() + REMEMBERED_S

    async def _remove(self, container: str) -> None:
        try:
            await self._api.remove(container)
        except DaemonError as error:
            if error.status != 404:
                raise
