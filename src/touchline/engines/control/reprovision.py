"""Replacement of all engines by ones with the current configuration, step by step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

import anyio

from touchline.core.errors import NotFound, Refused
from touchline.core.events.log import EventLog
from touchline.engines.control.answers import ReprovisionStatus
from touchline.engines.fleet.fleet import Fleet

State = Literal["idle", "in_progress", "success", "error"]
Phase = Literal["preparing", "stopping", "cleaning", "provisioning", "complete", "error"]


@dataclass(frozen=True)
class Progress:
    """Progress of the reprovisioning."""

    state: State = "idle"
    phase: Phase | None = None
    message: str = "No reprovisioning has been requested"
    at: datetime | None = None
    total: int = 0
    replaced: int = 0
    made: int = 0
    current: str | None = None


class Left(TypedDict):
    """Remaining work: engines to be replaced, and whether reprovisioning all was requested."""

    ids: Sequence[str]
    is_of_all: bool
    asked_for: NotRequired[Sequence[str]]
    """Engines whose replacement was requested individually.

    Earlier versions did not record them.
    """


NOTHING_LEFT: Left = {"ids": (), "is_of_all": False}


class Reprovision:
    """Reprovisioning that marks every engine as outdated and follows the replacements.

    The plan replaces them one at a time: a new engine is ready before an old one is removed, if the
    maximum allows, and an engine with streams is removed when they have ended.
    """

    def __init__(
        self,
        fleet: Fleet,
        events: EventLog,
        *,
        now: Callable[[], datetime],
        blocked: Callable[[], str | None],
        keep: Callable[[Left], Awaitable[None]],
        remember: Callable[[Left], None],
    ) -> None:
        """Create the reprovisioning of `fleet`.

        `blocked` returns why nothing can be started at present, if so. Both `keep` and `remember`
        store the remaining work for the next server: `keep` before it returns, `remember` soon
        after.
        """
        self._fleet = fleet
        self._events = events
        self._now = now
        self._blocked = blocked
        self._keep, self._remember = keep, remember
        self._progress = Progress()
        self._old: frozenset[str] = frozenset()
        self._asked_for: frozenset[str] = frozenset()
        self._is_of_all = False
        self._beginning = anyio.Lock()

    async def start(self) -> int:
        """Begin reprovisioning, stored on the disk, and return the number of engines to replace.

        Raises Refused while it is in progress, Blocked if it cannot be stored. Engines that are
        drained individually, or only wait for their streams to end, do not prevent it.
        """
        async with self._beginning:
            if self._is_of_all and not self._waits_for_streams():
                message = "Reprovisioning is already in progress"
                raise Refused(message, code="reprovision_in_progress")
            ours = frozenset(engine.id for engine in self._fleet.managed())
            await self._begin_stored(ours, self._asked_for & ours, is_of_all=True)
        total = len(self._old)
        self._events.record(
            "system",
            "started",
            f"Reprovisioning of {total} engines was requested",
            total_engines=total,
        )
        self._fleet.plan_outdated.mark()
        return total

    async def drain(self, engine_id: str) -> None:
        """Replace a single engine: it gets no new streams, and is removed when its own have ended.

        The request is on the disk when this returns. Raises NotFound for an engine that is not
        ours, Blocked if it cannot be stored.
        """
        if engine_id not in {engine.id for engine in self._fleet.managed()}:
            raise NotFound("engine not found", code="engine_not_found")
        async with self._beginning:
            if engine_id in self._asked_for:
                return
            await self._begin_stored(
                self._old | {engine_id}, self._asked_for | {engine_id}, is_of_all=self._is_of_all
            )
        self._events.record(
            "engine", "draining", "Removal of this engine was requested", container_id=engine_id
        )
        self._fleet.plan_outdated.mark()

    def resume(self, left: Left) -> None:
        """Continue what an earlier server had begun. Raises for an invalid record."""
        ids, asked_for = _ids(left["ids"]), _ids(left.get("asked_for", []))
        if ids:
            self._is_of_all = self._is_of_all or left["is_of_all"] is True
            self._begin(self._old | ids, self._asked_for | asked_for)

    def _waits_for_streams(self) -> bool:
        """Return whether every remaining engine only waits for its own streams to end."""
        left = [engine for engine in self._fleet.managed() if engine.id in self._old]
        return all(self._fleet.started_on(engine.id) for engine in left)

    async def _begin_stored(
        self, old: frozenset[str], asked_for: frozenset[str], *, is_of_all: bool
    ) -> None:
        await self._keep(
            {"ids": sorted(old), "is_of_all": is_of_all, "asked_for": sorted(asked_for)}
        )
        self._is_of_all = is_of_all
        self._begin(old, asked_for)

    def _begin(self, old: frozenset[str], asked_for: frozenset[str]) -> None:
        self._old, self._asked_for = old, asked_for & old
        self._fleet.set_outdated(old, self._asked_for)
        message = f"Replacing {_engines(len(old))}"
        self._progress = Progress("in_progress", "preparing", message, self._now(), len(old))

    @property
    def outdated(self) -> frozenset[str]:
        """Engines to be replaced, whatever their configuration."""
        return self._old

    @property
    def left(self) -> Left:
        """Remaining work, for the next server."""
        return {
            "ids": sorted(self._old),
            "is_of_all": self._is_of_all,
            "asked_for": sorted(self._asked_for),
        }

    def once(self) -> None:
        """Update the progress from the fleet; called after every change of it."""
        if self._progress.state != "in_progress" or not self._fleet.freshness.is_current:
            return
        alive = {engine.id: engine for engine in self._fleet.managed()}
        left = [alive[engine_id] for engine_id in self._old if engine_id in alive]
        made = sum(engine_id not in self._old for engine_id in alive)
        total, replaced = self._progress.total, self._progress.total - len(left)
        if len(left) != len(self._old):
            self._old = frozenset(engine.id for engine in left)
            self._asked_for &= self._old
            self._fleet.set_outdated(self._old, self._asked_for)
            self._remember(self.left)
        if not left:
            self._complete(total, made)
            return
        why_not = self._blocked()
        draining = [engine for engine in left if self._fleet.started_on(engine.id)]
        if why_not is not None:
            phase: Phase = "preparing"
            message = f"Waiting, {len(left)} of {total} engines left: {why_not}"
        elif len(draining) == len(left):
            phase = "stopping"
            message = f"{len(left)} of {total} engines are replaced when their streams end"
        else:
            phase = "provisioning"
            message = f"Replaced {replaced} of {total} engines"
        self._progress = Progress(
            "in_progress", phase, message, self._now(), total, replaced, made, left[0].id[:12]
        )

    def _complete(self, total: int, made: int) -> None:
        self._is_of_all = False
        message = f"Replaced {_engines(total)}; {made} now run with the current configuration"
        self._progress = Progress("success", "complete", message, self._now(), total, total, made)
        self._events.record("system", "ended", message, total_engines=total, engines=made)

    def status(self) -> ReprovisionStatus:
        """Return the body of `GET /custom-variant/reprovision/status`."""
        progress = self._progress
        return {
            "in_progress": progress.state == "in_progress",
            "status": progress.state,
            "message": progress.message,
            "timestamp": progress.at.isoformat() if progress.at is not None else None,
            "total_engines": progress.total,
            "engines_stopped": progress.replaced,
            "engines_provisioned": progress.made,
            "current_engine_id": progress.current,
            "current_phase": progress.phase,
        }


def _engines(count: int) -> str:
    return "1 engine" if count == 1 else f"{count} engines"


def _ids(value: Any) -> frozenset[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise TypeError("not a list of engines")
    return frozenset(value)
