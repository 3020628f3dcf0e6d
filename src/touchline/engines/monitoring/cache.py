"""Cleaning of an engine's cache after its last stream has ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from touchline.core.errors import TouchlineError
from touchline.core.supervision import Supervisor, describe_error
from touchline.engines.fleet.adoption import facts_of
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.store import Store
from touchline.engines.model.model import Engine
from touchline.engines.model.runtime import Runtime
from touchline.foreign.numbers import LARGEST, whole

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
FORGIVEN = 3
"""Consecutive failures after which an image is considered to lack the required tools."""

_KRINKUTO11 = "/home/appuser/.ACEStream/.acestream_cache"
_JOPSIS = "/acestream/.ACEStream/.acestream_cache"


def cache_directories(engine: Engine) -> tuple[str, ...]:
    """Return the possible cache directories of this engine's variant.

    All of them are tried.
    """
    if engine.variant is not None and engine.variant.startswith("krinkuto11"):
        return (_KRINKUTO11,)
    if engine.variant is not None and engine.variant.startswith("jopsis"):
        return (_JOPSIS,)
    return (_KRINKUTO11, _JOPSIS)


class CacheCleaner:
    """Cleaner of engines without streams.

    It cleans them one at a time, without delaying requests.
    """

    def __init__(
        self,
        runtime: Runtime,
        fleet: Fleet,
        store: Store,
        *,
        supervisor: Supervisor,
        now: Callable[[], datetime],
    ) -> None:
        self._runtime = runtime
        self._fleet = fleet
        self._store = store
        self._supervisor = supervisor
        self._now = now
        self._failures: dict[str, int] = {}

    async def once(self) -> None:
        """Clean every idle engine that has been used since it was last cleaned."""
        # Engines that are processes share this machine's files, so nothing is deleted.
        if self._runtime.shares_machine or not self._fleet.freshness.is_current:
            return
        self._failures = {k: n for k, n in self._failures.items() if self._fleet.find(k)}
        for engine in list(self._fleet.managed()):
            if self._is_due(engine):
                await self._clean(engine)

    def _is_due(self, engine: Engine) -> bool:
        used, cleaned = engine.last_stream_usage, engine.last_cache_cleanup
        return (
            used is not None
            and (cleaned is None or cleaned < used)
            and engine.health == "healthy"
            and not self._fleet.started_on(engine.id)
            and self._failures.get(engine.id, 0) < FORGIVEN
        )

    async def _clean(self, engine: Engine) -> None:
        directories = cache_directories(engine)
        try:
            size_bytes = await self._measure(engine.id, directories)
            done = await self._runtime.execute(
                engine.id, ["rm", "-rf", "--", *directories], within_s=TIMEOUT_S
            )
            problem = None if done.status == 0 else f"rm exited with status {done.status}"
        except TouchlineError as error:
            size_bytes, problem = None, error.message
        except Exception as error:  # noqa: BLE001  (other caches are still cleaned)
            self._supervisor.note("cache cleaning", error, about=engine.name)
            size_bytes, problem = None, describe_error(error)
        if problem is not None:
            self._failures[engine.id] = self._failures.get(engine.id, 0) + 1
            log.info("The cache of %s was not cleaned: %s", engine.name, problem)
            return
        self._failures.pop(engine.id, None)
        cleaned = self._fleet.change(
            engine.id, last_cache_cleanup=self._now(), cache_size_bytes=size_bytes
        )
        if cleaned is not None:
            self._store.note_engine(cleaned.id, facts_of(cleaned))

    async def _measure(self, engine_id: str, directories: Sequence[str]) -> int | None:
        """Return the size of the directories; `du` fails if one of them does not exist."""
        result = await self._runtime.execute(
            engine_id, ["du", "-sb", *directories], within_s=TIMEOUT_S
        )
        sizes = [line.split(b"\t", 1)[0] for line in result.output.splitlines()]
        numbers = [whole(size.decode("ascii", "replace")) for size in sizes]
        known = [size_bytes for size_bytes in numbers if size_bytes is not None]
        if not known and result.status not in {0, 1}:
            return None
        return min(sum(known), LARGEST)
