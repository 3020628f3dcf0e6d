"""Docker runtime, which runs engines as containers."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from typing import ClassVar

import anyio
import anyio.to_thread

from touchline.core import patience
from touchline.core.errors import Invalid
from touchline.engines.model.labels import START
from touchline.engines.model.model import EngineSpec, Executed, Instance, RuntimeEvent, Usage
from touchline.engines.model.runtime import (
    InstanceNotFound,
    RuntimeUnavailable,
    StartTimeout,
)
from touchline.engines.runtimes.docker.address import address_of
from touchline.engines.runtimes.docker.api import DaemonError, DockerApi
from touchline.engines.runtimes.docker.events import Told, watching
from touchline.engines.runtimes.docker.images.pull import PullProgress, Pulls
from touchline.engines.runtimes.docker.images.registryauth import RegistryLogins
from touchline.engines.runtimes.docker.json import inspected, listed, start_of
from touchline.engines.runtimes.docker.place import Locator, OwnIds, own_ids
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings
from touchline.engines.runtimes.docker.start import Starter
from touchline.engines.runtimes.docker.usage import ContainerUsageMeter
from touchline.engines.runtimes.flights import Flights
from touchline.engines.runtimes.sense import making_sense

log = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 1.0

STOPS_AT_A_TIME = 32
"""Maximum number of concurrent stops.

A daemon stops about 15 a second: with hundreds of requests at once, it would appear to hang.
"""

_GONE_POLL_S = 0.1


@asynccontextmanager
async def open_docker_runtime(
    settings: DockerRuntimeSettings,
    *,
    label: tuple[str, str],
    bind_address: str,
    bind_is_default: bool = False,
    also: Collection[str] = (),
    environ: Mapping[str, str] | None = None,
    ids: OwnIds = own_ids,
) -> AsyncIterator[DockerRuntime]:
    """Open a runtime on the configured daemon, whether it answers or not.

    It is the daemon of the settings or the environment. Events are those of managed containers and
    of those named in `also`. With `bind_is_default` ports are published at another address if
    nothing could reach this one. `ids` are the possible ids of this server's own container. Raises
    Invalid for an impossible address.
    """
    variables = os.environ if environ is None else environ
    address = await anyio.to_thread.run_sync(address_of, settings.host, variables)
    api = DockerApi(address, timeout_s=settings.call_timeout_s)
    locator = Locator(
        api,
        url=address.url,
        network=settings.network,
        bind_address=bind_address,
        bind_is_default=bind_is_default,
        ids=ids,
    )
    runtime = DockerRuntime(
        api, settings, logins=RegistryLogins(variables), label=label, locator=locator, also=also
    )
    try:
        yield runtime
    finally:
        with anyio.CancelScope(shield=True):
            await runtime.close()


async def docker_answers(
    settings: DockerRuntimeSettings, *, environ: Mapping[str, str] | None = None
) -> bool:
    """Return whether the configured daemon answers within a second.

    The address is that of the settings or the environment. An invalid address does not answer.
    """
    variables = os.environ if environ is None else environ
    try:
        address = await anyio.to_thread.run_sync(address_of, settings.host, variables)
        async with aclosing(DockerApi(address, timeout_s=ANSWERS_WITHIN_S)) as api:
            await api.ping()
    except (Invalid, RuntimeUnavailable) as error:
        log.info("Docker is not used: %s", error.message)
        return False
    return True


class DockerRuntime:
    """Docker implementation of `Runtime`.

    It never retries: while Docker is unavailable, calls fail.
    """

    kind: ClassVar[str] = "docker"
    publishes_ports: ClassVar[bool] = True
    shares_machine: ClassVar[bool] = False

    def __init__(
        self,
        api: DockerApi,
        settings: DockerRuntimeSettings,
        *,
        logins: RegistryLogins,
        label: tuple[str, str],
        locator: Locator,
        also: Collection[str] = (),
    ) -> None:
        self._api = api
        self._locator, self.deployment = locator, locator.unknown()
        self._located = False
        self.label, self._also = label, frozenset(also)
        self._flights = Flights()
        self._stops = anyio.CapacityLimiter(STOPS_AT_A_TIME)
        self._pulls = Pulls(api, self._flights, logins, timeout_s=settings.pull_timeout_s)
        self._starter = Starter(api, self._pulls, settings, label=label)
        self._meter = ContainerUsageMeter(api)

    def pulling(self) -> Mapping[str, PullProgress]:
        """Return the progress of current image pulls by name."""
        return self._pulls.under_way()

    def starting(self) -> frozenset[str]:
        """Return the names of the containers that `start` is working on.

        A managed container that was only created, and is not one of these, was left by a server
        that crashed: it may be removed.
        """
        return self._starter.under_way()

    async def start(self, spec: EngineSpec, *, within_s: float) -> Instance:
        """Start a container; see `Runtime.start`.

        Waiting for a turn does not count towards `within_s`. Raises Invalid for its name.
        """
        await self._locate()
        return await self._starter.start(spec, deployment=self.deployment, within_s=within_s)

    async def stop(self, instance_id: str, *, grace_s: float) -> None:
        """Stop and remove a container; see `Runtime.stop`.

        Docker uses whole seconds of grace: they are rounded up.
        """
        await self._flights.join(("stop", instance_id), partial(self._stop, instance_id, grace_s))

    async def restart(self, reference: str, *, grace_s: float) -> None:
        """Restart a container, managed or not, and return when it is running.

        Raises InstanceNotFound, DaemonError.
        """
        try:
            await self._api.restart(reference, grace_s=grace_s)
        except DaemonError as error:
            raise _not_found(error, reference) from error

    async def list(self) -> Sequence[Instance]:
        """Return the managed containers; see `Runtime.list`.

        The remains of failed starts are not included, and are removed.
        """
        await self._locate()
        shown = await self._api.containers("=".join(self.label))
        managed = []
        for each in shown:
            if self._starter.is_leftover(start_of(each)):
                work = partial(self._clear_away, each["Id"])
                self._flights.launch(("clear away", each["Id"]), work)
            else:
                managed.append(listed(each))
        return managed

    async def inspect(self, reference: str) -> Instance:
        """Return a container; see `Runtime.inspect`."""
        try:
            return inspected(await self._api.inspect(reference))
        except DaemonError as error:
            raise _not_found(error, reference) from error

    async def usage(self) -> Mapping[str, Usage]:
        """Return the resource usage of containers; see `Runtime.usage`."""
        managed = await self.list()
        return await self._meter.measure([each for each in managed if each.state == "running"])

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[RuntimeEvent]]:
        """Watch events, including the containers of `also`; see `Runtime.watch`."""
        self._located = False  # another daemon may have taken its place
        return watching(self._api, self._is_watched)

    async def execute(
        self, instance_id: str, command: Sequence[str], *, within_s: float
    ) -> Executed:
        """Run a command in a container; see `Runtime.execute`.

        Docker cannot end a command: after `within_s` it continues.
        """
        try:
            with patience.fail_after(within_s):
                return await self._api.execute(instance_id, command)
        except TimeoutError:
            raise StartTimeout(f"the command did not complete within {within_s:g} s") from None
        except DaemonError as error:
            # It does not exist (404) or is not running (409).
            raise InstanceNotFound(error.message) from error

    async def close(self) -> None:
        """Close connections and tasks; see `Runtime.close`."""
        await self._flights.close()
        await self._api.aclose()

    async def _locate(self) -> None:
        if not self._located:
            await self._flights.join("locate", self._find_place)

    async def _find_place(self) -> None:
        before = self.deployment
        with making_sense():
            self.deployment, self._located = await self._locator.locate()
        if self.deployment != before:
            log.debug("Deployment: %s", self.deployment)

    async def _stop(self, container: str, grace_s: float) -> None:
        async with self._stops:
            try:
                await self._api.stop(container, grace_s=grace_s)
            except DaemonError as error:
                if error.status == 404:
                    return
                log.info("Docker did not stop %s: %s", container, error.message)
            await self._remove(container)

    async def _remove(self, container: str) -> None:
        try:
            await self._api.remove(container)
        except DaemonError as error:
            if error.status == 409 and "already in progress" in error.message:
                await self._until_gone(container)
            elif error.status != 404:
                raise

    async def _until_gone(self, container: str) -> None:
        with patience.move_on_after(self._api.timeout_s):
            while True:
                try:
                    await self._api.inspect(container)
                except DaemonError as error:
                    if error.status == 404:
                        return
                    raise
                await anyio.sleep(_GONE_POLL_S)
        raise DaemonError(
            f"{container} is being removed, but the removal does not complete", status=409
        )

    async def _clear_away(self, container: str) -> None:
        log.info("Removing %s, left over from a failed start", container)
        await self._remove(container)

    def _is_watched(self, message: Told, event: RuntimeEvent) -> bool:
        if self._starter.is_leftover(message["Actor"]["Attributes"].get(START)):
            return False
        name, value = self.label
        return event.labels.get(name) == value or event.name in self._also


def _not_found(error: DaemonError, reference: str) -> InstanceNotFound | DaemonError:
    # An ambiguous prefix is reported with status 500, or with 400 by newer daemons.
    if error.status in {400, 404} or "Multiple IDs" in error.message:
        return InstanceNotFound(f"there is no container {reference!r}: {error.message}")
    return error
