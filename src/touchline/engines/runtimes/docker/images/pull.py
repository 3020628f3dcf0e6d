"""Image pulls, one per image at a time, with progress."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any

import anyio

from touchline.engines.model.runtime import ImageNotFound
from touchline.engines.runtimes.docker.api import DaemonError, DockerApi
from touchline.engines.runtimes.docker.images.registryauth import NoCredentials, RegistryLogins
from touchline.engines.runtimes.flights import Flights
from touchline.engines.runtimes.sense import making_sense
from touchline.foreign.text import shown

log = logging.getLogger(__name__)

SAY_EVERY_S = 10.0
MOST_LAYERS = 512


@dataclass(frozen=True, slots=True)
class PullProgress:
    """Progress of an image pull.

    The sizes are those of the layers known so far.
    """

    image: str
    since: datetime
    status: str = "asking the registry"
    done_bytes: int = 0
    total_bytes: int = 0


class Layers:
    """Sums of the daemon's progress over the layers of one image."""

    def __init__(self) -> None:
        self._sizes: dict[str, tuple[int, int]] = {}

    @making_sense()
    def update_progress(self, progress: PullProgress, line: Mapping[str, Any]) -> PullProgress:
        """Return the progress after this line of the daemon."""
        status = shown(str(line.get("status", progress.status)), 200)
        layer = str(line.get("id", ""))[:200]
        detail = line.get("progressDetail") or {}
        known = layer in self._sizes or len(self._sizes) < MOST_LAYERS
        if status == "Downloading" and detail.get("total") and known:
            self._sizes[layer] = int(detail.get("current", 0)), int(detail["total"])
        elif layer in self._sizes and status in {"Download complete", "Pull complete"}:
            total = self._sizes[layer][1]
            self._sizes[layer] = total, total
        return replace(
            progress,
            status=status,
            done_bytes=sum(done for done, _ in self._sizes.values()),
            total_bytes=sum(total for _, total in self._sizes.values()),
        )


class Pulls:
    """Image pulls, shared by all starts that need the same image."""

    def __init__(
        self, api: DockerApi, flights: Flights, logins: RegistryLogins, *, timeout_s: float
    ) -> None:
        self._api, self._flights, self._timeout_s = api, flights, timeout_s
        self._logins = logins
        self._under_way: dict[str, PullProgress] = {}

    def under_way(self) -> Mapping[str, PullProgress]:
        """Return the progress of current pulls by image name."""
        return MappingProxyType(dict(self._under_way))

    async def pull(self, image: str) -> None:
        """Pull an image. Raises ImageNotFound with the registry's message."""
        await self._flights.join(("pull", image), partial(self._pull, image))

    async def _pull(self, image: str) -> None:
        self._under_way[image] = PullProgress(image, datetime.now(UTC))
        log.info("Pulling the image %s", image)
        without = ""
        try:
            with anyio.fail_after(self._timeout_s):
                try:
                    login = await self._logins.header(image)
                except NoCredentials as error:
                    # Like the docker command: the image may be public.
                    login, without = None, f" (asked without credentials: {error.message})"
                    log.warning("Pulling %s without credentials: %s", image, error.message)
                await self._follow(image, login)
        except TimeoutError:
            raise ImageNotFound(
                f"the image {image} is not local and was not pulled within {self._timeout_s:g} s"
            ) from None
        except DaemonError as error:
            raise ImageNotFound(
                f"the image {image} is not local and cannot be pulled: {error.message}{without}"
            ) from error
        finally:
            del self._under_way[image]
        log.info("Pulled the image %s", image)

    async def _follow(self, image: str, login: str | None) -> None:
        layers = Layers()
        say_at_s = anyio.current_time() + SAY_EVERY_S
        async with aclosing(self._api.pull(image, login=login)) as lines:
            async for line in lines:
                progress = layers.update_progress(self._under_way[image], line)
                self._under_way[image] = progress
                if anyio.current_time() >= say_at_s:
                    say_at_s = anyio.current_time() + SAY_EVERY_S
                    log.info(
                        "Pulling the image %s: %s, %d of %d bytes",
                        image,
                        progress.status,
                        progress.done_bytes,
                        progress.total_bytes,
                    )
