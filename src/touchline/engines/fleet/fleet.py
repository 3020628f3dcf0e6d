"""In-memory fleet: every engine, every stream, and the state of the runtime.

It is the single owner of these facts and belongs to the event loop. Readers get frozen values or
bytes that are already encoded; nothing here waits for a runtime, an engine or a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from touchline.core.errors import NotFound
from touchline.core.tasks import Changed
from touchline.engines.fleet.flights import FlightBook
from touchline.engines.fleet.leases import Leases
from touchline.engines.model.answers import EngineState, StreamState
from touchline.engines.model.listing import Body, Listing
from touchline.engines.model.model import Engine, Instance, Sample, Stream
from touchline.engines.model.rendering import engine_json, stream_json


class Freshness:
    """State of the runtime data's freshness; times are the monotonic clock's."""

    def __init__(self) -> None:
        self.listed_at_s: float | None = None
        """Time of the last listing; None: never since the server started."""
        self.unreachable_since_s: float | None = None
        self.reason: str | None = None
        """Reason why the runtime cannot be reached."""

    @property
    def is_current(self) -> bool:
        """Whether it has been listed since the start, and since it was last unavailable."""
        return self.listed_at_s is not None and self.unreachable_since_s is None

    def listed(self, now_s: float) -> None:
        """Record that the runtime has just been listed."""
        self.listed_at_s, self.unreachable_since_s, self.reason = now_s, None, None

    def lost(self, now_s: float, reason: str) -> bool:
        """Record that the runtime is unreachable, and return whether that is new."""
        is_news = self.unreachable_since_s is None
        if is_news:
            self.unreachable_since_s = now_s
        self.reason = reason
        return is_news

    def stale_s(self, now_s: float) -> float | None:
        """Return the age of the runtime data; None while it is current."""
        if self.is_current:
            return None
        return now_s - self.listed_at_s if self.listed_at_s is not None else 0.0


class Fleet:
    """Engines and streams by id. Methods that change the state notify all waiters."""

    def __init__(self) -> None:
        self.engines_changed = Changed()
        self.streams_changed = Changed()
        self.roster_changed = Changed()
        """Marked when an engine was added or removed, or a stream started or ended."""
        self.plan_outdated = Changed()
        """Marked when facts have changed that the plan depends on; wakes the reconciler."""
        self.freshness = Freshness()
        self.leases = Leases()
        self.flights = FlightBook()
        """Engines that are being started; they count as engines."""
        self.going: set[str] = set()
        """Engines that still run and are being stopped; they count until they are gone."""
        self.seen: dict[str, Instance] = {}
        """Instances of our engines, as last seen."""
        self.others: dict[str, Instance] = {}
        """Managed instances other than running engines: from `POST /provision`, or ended."""
        self.unread: set[str] = set()
        """Engines of an earlier server with unknown streams, until its record is read."""
        self._record_is_read = False
        self._engines: dict[str, Engine] = {}
        self._streams: dict[str, Stream] = {}
        self._latest: dict[str, Sample] = {}
        self._started: dict[str, dict[str, None]] = {}  # by engine, in their order
        self._forwarded_ports: Mapping[str, int] = {}
        self._outdated: frozenset[str] = frozenset()
        self._asked_for: frozenset[str] = frozenset()
        self._lost_vpns: frozenset[str] = frozenset()
        self._engine_list = Listing(
            self._render_engine, self._engine_sort_key, is_hidden=self._is_hidden
        )
        self._stream_list = Listing(self._render_stream, self._stream_sort_key)
        self._stream_numbers: dict[str, int] = {}
        self._came = 0

    @property
    def record_is_read(self) -> bool:
        """Whether the record of an earlier server has been read.

        Until then an engine may have streams that are not known here.
        """
        return self._record_is_read

    def note_record(self, *, is_read: bool) -> None:
        """Record whether the record of an earlier server has been read."""
        self._record_is_read = is_read

    # ------------------------------------------------------------------ engines

    def engine(self, engine_id: str) -> Engine:
        """Return the engine with this id. Raises NotFound."""
        found = self._engines.get(engine_id)
        if found is None:
            raise NotFound("not found", code="engine_not_found")
        return found

    def find(self, engine_id: str | None) -> Engine | None:
        """Return the engine with this id, if there is one."""
        return self._engines.get(engine_id) if engine_id is not None else None

    def engines(self) -> Sequence[Engine]:
        """Return all engines, external ones included, by port."""
        return [self._engines[key] for key in self._engine_list.order()]

    def managed(self) -> Sequence[Engine]:
        """Return the engines that this server manages, without external ones."""
        return [engine for engine in self._engines.values() if not engine.external]

    def at(self, host: str, port: int) -> Engine | None:
        """Return the engine with this address, as used by clients or by this server."""
        for engine in self._engines.values():
            if (engine.port == port and engine.host == host) or (
                engine.api_port == port and engine.api_host == host
            ):
                return engine
        return None

    def put(self, engine: Engine) -> None:
        """Add or replace an engine."""
        before = self._engines.get(engine.id)
        if before == engine:
            return
        self._engines[engine.id] = engine
        moved = before is None or before.port != engine.port
        self._engine_list.put(engine.id, moved=moved)
        self.engines_changed.mark()
        if before is None:
            self.roster_changed.mark()

    def change(self, engine_id: str, **changes: Any) -> Engine | None:
        """Return the engine with these fields changed; None if it no longer exists."""
        engine = self._engines.get(engine_id)
        if engine is None:
            return None
        changed = replace(engine, **changes)
        self.put(changed)
        return changed

    def remove(self, engine_id: str) -> Engine | None:
        """Remove an engine and return it.

        Its streams must have been ended; only `RuntimeSync` removes engines.
        """
        engine = self._engines.pop(engine_id, None)
        self.seen.pop(engine_id, None)
        self.unread.discard(engine_id)
        if engine is not None:
            self._engine_list.remove(engine_id)
            self.leases.release(engine_id)
            self.engines_changed.mark()
            self.roster_changed.mark()
        return engine

    def instances(self) -> Sequence[Instance]:
        """Return every managed instance, running engines and all others, as last seen."""
        return [*self.seen.values(), *self.others.values()]

    def is_free(self, engine: Engine, now_s: float) -> bool:
        """Return whether the engine has neither a stream nor a reservation."""
        return not self._started.get(engine.id) and not self.is_kept(engine.id, now_s)

    def is_kept(self, engine_id: str, now_s: float) -> bool:
        """Return whether the engine is reserved for a client.

        An engine that may have a stream not known yet also counts as reserved.
        """
        return engine_id in self.unread or self.leases.holds(engine_id, now_s)

    def set_forwarded_ports(self, ports: Mapping[str, int]) -> None:
        """Set the VPNs' forwarded ports by container; forwarded engines show them."""
        if ports == self._forwarded_ports:
            return
        self._forwarded_ports = dict(ports)
        for engine in self._engines.values():
            if engine.forwarded:
                self._engine_list.put(engine.id)
        self.engines_changed.mark()

    def set_outdated(self, engine_ids: frozenset[str], asked_for: frozenset[str]) -> None:
        """Set the engines to be replaced, and those among them that were requested individually.

        They get no new streams.
        """
        changed = (self._outdated ^ engine_ids) | (self._asked_for ^ asked_for)
        self._outdated = engine_ids
        self._asked_for = asked_for
        self._invalidate(engine_id for engine_id in changed if engine_id in self._engines)

    def is_outdated(self, engine_id: str) -> bool:
        """Return whether an engine is to be replaced, in the course of all or alone."""
        return engine_id in self._outdated

    def is_asked_to_go(self, engine_id: str) -> bool:
        """Return whether the replacement of this single engine was requested."""
        return engine_id in self._asked_for

    def set_lost_vpns(self, names: frozenset[str]) -> None:
        """Set the lost VPNs; their engines are not listed, and get no new streams."""
        changed = self._lost_vpns ^ names
        self._lost_vpns = names
        self._invalidate(e.id for e in self._engines.values() if e.vpn_container in changed)

    def gets_work(self, engine: Engine) -> bool:
        """Return whether a new stream may be sent to this engine."""
        return (
            engine.draining is None
            and engine.id not in self._outdated
            and engine.vpn_container not in self._lost_vpns
        )

    # ------------------------------------------------------------------ streams

    def stream(self, stream_id: str) -> Stream:
        """Return the stream with this id.

        Ended streams are included for an hour. Raises NotFound.
        """
        found = self._streams.get(stream_id)
        if found is None:
            raise NotFound("not found", code="stream_not_found")
        return found

    def find_stream(self, stream_id: str | None) -> Stream | None:
        """Return the stream with this id, if there is one."""
        return self._streams.get(stream_id) if stream_id is not None else None

    def streams(self) -> Iterable[Stream]:
        """Return all stored streams, in the order in which they were added."""
        return self._streams.values()

    def started(self) -> Sequence[Stream]:
        """Return the streams that are playing."""
        return [self._streams[key] for keys in self._started.values() for key in keys]

    def started_on(self, engine_id: str) -> Sequence[Stream]:
        """Return the playing streams on this engine, the oldest first."""
        return [self._streams[key] for key in self._started.get(engine_id, ())]

    def streams_on(self, engine_id: str) -> int:
        """Return the number of playing streams on this engine."""
        return len(self._started.get(engine_id, ()))

    def put_stream(self, stream: Stream) -> None:
        """Add or replace a stream."""
        before = self._streams.get(stream.id)
        if before == stream:
            return
        if before is None:
            self._came += 1
            self._stream_numbers[stream.id] = self._came
        self._streams[stream.id] = stream
        if before is not None and before.status == "started":
            self._remove_playing(before)
        if stream.status == "started":
            self._started.setdefault(stream.container_id, {})[stream.id] = None
        self._stream_list.put(stream.id)
        for engine_id in {stream.container_id, before.container_id if before else None}:
            if engine_id in self._engines:
                self._engine_list.put(engine_id)
        self.engines_changed.mark()
        self.streams_changed.mark()
        self.roster_changed.mark()

    def forget_stream(self, stream_id: str) -> None:
        """Remove an expired stream."""
        stream = self._streams.pop(stream_id, None)
        if stream is None:
            return
        if stream.status == "started":
            self._remove_playing(stream)
        del self._stream_numbers[stream_id]
        self._latest.pop(stream_id, None)
        self._stream_list.remove(stream_id)
        self.streams_changed.mark()

    def measured(self, stream_id: str, sample: Sample) -> None:
        """Store the latest sample of a stream."""
        if stream_id in self._streams:
            self._latest[stream_id] = sample
            self._stream_list.put(stream_id)
            self.streams_changed.mark()

    def latest(self, stream_id: str) -> Sample | None:
        """Return the latest sample of a stream, if there is one."""
        return self._latest.get(stream_id)

    # ------------------------------------------------------------------ encoded

    def engines_body(self) -> Body:
        """Return the contract's EngineState[], by port."""
        return self._engine_list.body()

    def engine_body(self, engine_id: str) -> Body:
        """Return `{engine, streams}` of the contract. Raises NotFound."""
        self.engine(engine_id)
        streams = self._stream_list.some(s.id for s in self.started_on(engine_id))
        content = b'{"engine":' + self._engine_list.one(engine_id) + b',"streams":' + streams + b"}"
        return Body(self._engine_list.version, content)

    def streams_body(self, wanted: Callable[[Stream], bool], *, offset: int, limit: int) -> bytes:
        """Return StreamState[] of the selected streams, in the order in which they were added."""
        keys = [key for key, stream in self._streams.items() if wanted(stream)]
        return self._stream_list.some(keys[offset : offset + limit])

    @property
    def streams_version(self) -> int:
        """Version that increases with every change of any stream."""
        return self._stream_list.version

    def stream_body(self, stream_id: str) -> bytes:
        """Return the state of one stream. Raises NotFound."""
        self.stream(stream_id)
        return self._stream_list.one(stream_id)

    # --------------------------------------------------------------- internals

    def _remove_playing(self, stream: Stream) -> None:
        on_engine = self._started.get(stream.container_id, {})
        on_engine.pop(stream.id, None)
        if not on_engine:
            self._started.pop(stream.container_id, None)

    def _invalidate(self, engine_ids: Iterable[str]) -> None:
        found = list(engine_ids)
        for engine_id in found:
            self._engine_list.put(engine_id)
        if found:
            self.engines_changed.mark()

    def _is_hidden(self, engine_id: str) -> bool:
        return self._engines[engine_id].vpn_container in self._lost_vpns

    def _render_engine(self, engine_id: str) -> EngineState:
        engine = self._engines[engine_id]
        port = self._forwarded_ports.get(engine.vpn_container or "") if engine.forwarded else None
        return engine_json(
            engine,
            tuple(self._started.get(engine_id, ())),
            forwarded_port=port,
            outdated=engine_id in self._outdated,
            asked_for=engine_id in self._asked_for,
        )

    def _engine_sort_key(self, engine_id: str) -> tuple[int, str]:
        return (self._engines[engine_id].port, engine_id)

    def _render_stream(self, stream_id: str) -> StreamState:
        return stream_json(self._streams[stream_id], self._latest.get(stream_id))

    def _stream_sort_key(self, stream_id: str) -> int:
        return self._stream_numbers[stream_id]
