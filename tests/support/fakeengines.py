"""Engines and a database in memory, for tests of the engines half that must not wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import anyio

from support.fakeruntime import World
from touchline.core.errors import Blocked, Failed
from touchline.core.events.event import Event, make_event
from touchline.core.events.kinds import EventCategory, EventType
from touchline.core.events.log import EventLog
from touchline.core.tasks import Changed
from touchline.engines.fleet.acestream import EngineUnreachable, SessionGone, Stat
from touchline.engines.fleet.rows import Loaded
from touchline.engines.model.model import Sample, Stream


@dataclass
class FakeEngines:
    """Engines' HTTP API in a world: whoever runs and is not frozen answers."""

    world: World
    sessions: dict[str, str] = field(default_factory=dict)
    """The instance that plays a session, by the session."""
    connected: bool = True
    asked: int = 0

    async def status(self, api_url: str, *, within_s: float) -> None:
        await self._answering(api_url, within_s)

    async def network_connected(self, api_url: str, *, within_s: float) -> bool:
        await self._answering(api_url, within_s)
        return self.connected

    async def version(self, api_url: str, *, within_s: float) -> tuple[str | None, str | None]:
        await self._answering(api_url, within_s)
        return "linux", "fake"

    async def stat(self, url: str, *, now: Callable[[], datetime], within_s: float) -> Stat:
        instance_id = await self._answering(url, within_s)
        session = url.rpartition("/")[2]
        if self.sessions.get(session) != instance_id:
            raise SessionGone("The engine no longer knows this session")
        sample = Sample(now(), 3, 250, 60, 1000, 100, "dl")
        return Stat(sample, is_live=True, infohash="a" * 40, livepos={"pos": "1"})

    async def analyze(self, api_url: str, infohash: str, *, within_s: float) -> dict[str, Any]:
        await self._answering(api_url, within_s)
        return {"infohash": infohash}

    async def stop(self, command_url: str, *, within_s: float) -> None:
        await self._answering(command_url, within_s)
        if self.sessions.pop(command_url.rpartition("/")[2], None) is None:
            raise SessionGone("The engine no longer knows this session")

    def play(self, instance_id: str, session: str) -> None:
        """A client has started a session at the engine itself."""
        self.sessions[session] = instance_id

    async def _answering(self, url: str, within_s: float) -> str:
        self.asked += 1
        instance = self.world.at_port(urlsplit(url).port or 0)
        if instance is None:
            raise EngineUnreachable("Nobody listens there")
        if not self.world.answers(instance.id):
            await anyio.sleep(within_s)
            raise EngineUnreachable(f"The engine did not answer in {within_s:g} s")
        return instance.id


@dataclass
class Disk:
    """What a database would have kept; it outlives the store, and refuses while it is `full`."""

    streams: dict[str, Stream] = field(default_factory=dict)
    engines: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    full: bool = False
    unreadable: bool = False
    """Nobody can tell what is on it."""


class MemoryStore:
    """A store on such a disk: what is noted reaches it at once unless that is full."""

    def __init__(self, disk: Disk, events: EventLog) -> None:
        self.disk = disk
        self._events = events
        self._late: list[Callable[[], None]] = []
        self._held = False
        self.replaced = Changed()

    def hold(self) -> None:
        self._held = True

    def release(self) -> None:
        self._held = False
        self._note(lambda: None)

    async def load(self) -> Loaded:
        await anyio.lowlevel.checkpoint()
        if self.disk.unreadable:
            raise Failed("The database cannot be read")
        return self.loaded()

    async def save_streams(self, streams: Sequence[Stream], events: Sequence[Event]) -> None:
        await anyio.lowlevel.checkpoint()
        if self.disk.full:
            raise Blocked("The database is not writable", code="database_unavailable", eta_s=5.0)
        for stream in streams:
            self.disk.streams[stream.id] = stream
        for event in events:
            self._events.take(event)

    async def save_state(self, key: str, value: Any) -> None:
        await anyio.lowlevel.checkpoint()
        if self.disk.full:
            raise Blocked("The database is not writable", code="database_unavailable", eta_s=5.0)
        self.disk.state[key] = value

    def note_streams(self, streams: Iterable[Stream], events: Iterable[Event]) -> None:
        for event in events:
            self._events.take(event)
        self._note(lambda: self.disk.streams.update({s.id: s for s in streams}))

    def note_engine(self, engine_id: str, facts: Mapping[str, Any]) -> None:
        self._note(lambda: self.disk.engines.update({engine_id: facts}))

    def forget_engine(self, engine_id: str) -> None:
        def forget() -> None:
            self.disk.engines.pop(engine_id, None)

        self._note(forget)

    def note_state(self, key: str, value: Any) -> None:
        self._note(lambda: self.disk.state.update({key: value}))

    async def purge(self, stream_ids: Sequence[str]) -> None:
        for stream_id in stream_ids:
            self.disk.streams.pop(stream_id, None)

    async def load_samples(self, stream_id: str) -> list[tuple[int, bytes]]:
        return []

    def loaded(self) -> Loaded:
        """What a server that starts now finds."""
        return Loaded(
            streams=list(self.disk.streams.values()),
            engines=dict(self.disk.engines),
            state=dict(self.disk.state),
        )

    def _note(self, write: Callable[[], None]) -> None:
        self._late.append(write)
        if not self.disk.full and not self._held:
            for each in self._late:
                each()
            self._late.clear()


class MemoryEvents:
    """An event log that keeps everything in a list."""

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.changed = Changed()

    def newest(self, limit: int) -> list[Event]:
        return self.kept[::-1][:limit]

    def take(self, event: Event) -> None:
        self.kept.append(event)

    def record(
        self,
        type: EventType,  # noqa: A002
        category: EventCategory,
        message: str,
        **details: Any,
    ) -> None:
        self.take(make_event(type, category, message, **details))

    def of(self, type: str, category: str | None = None) -> list[Event]:  # noqa: A002
        return [e for e in self.kept if e.type == type and category in {None, e.category}]
