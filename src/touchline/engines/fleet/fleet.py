"""The fleet in memory: every engine, every stream, and what is known of the runtime.

It is the one owner of these facts and belongs to the event loop. Whoever reads gets frozen values
or bytes that stand already; nothing here waits for a runtime, an engine or a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from touchline.core.errors import NotFound
from touchline.core.tasks import Changed
from touchline.engines.fleet.flights import FlightBook
from touchline.engines.fleet.leases import Leases
from touchline.engines.model.listing import Body, Listing, encoded
from touchline.engines.model.model import Engine, Instance, Sample, Stream
from touchline.engines.model.rendering import engine_json, stream_json


class Freshness:
    """Whether what is shown of the runtime is what it is; times are the monotonic clock's."""

    def __init__(self) -> None:
        self.listed_at_s: float | None = None
        """When the runtime was last listed; None: never since the server started."""
        self.unreachable_since_s: float | None = None
        self.reason: str | None = None
        """Why it cannot be reached."""

    @property
    def is_current(self) -> bool:
        """Whether it has been listed, and listed again since it was last away."""
        return self.listed_at_s is not None and self.unreachable_since_s is None

    def listed(self, now_s: float) -> None:
        """The runtime has just been listed."""
        self.listed_at_s, self.unreachable_since_s, self.reason = now_s, None, None

    def lost(self, now_s: float, reason: str) -> bool:
        """It cannot be reached; whether that is news."""
        is_news = self.unreachable_since_s is None
        if is_news:
            self.unreachable_since_s = now_s
        self.reason = reason
        return is_news

    def stale_s(self, now_s: float) -> float | None:
        """How old what is shown is; None while it is current."""
        if self.is_current:
            return None
        return now_s - self.listed_at_s if self.listed_at_s is not None else 0.0


class Fleet:
    """Engines and streams by id. Methods that change something say so to whoever waits."""

    def __init__(self) -> None:
        self.engines_changed = Changed()
        self.streams_changed = Changed()
        self.roster_changed = Changed()
        """An engine has come or gone, or a stream has started or ended."""
        self.freshness = Freshness()
        self.record_is_read = False
        """Whether it is known what an earlier server left: until then an engine may have streams
        that nobody here knows of."""
        self.leases = Leases()
        self.flights = FlightBook()
        """Engines that are being started; they count as engines."""
        self.going: set[str] = set()
        """Engines that run still and are being stopped: they count until they are gone."""
        self.seen: dict[str, Instance] = {}
        """The instances that engines of ours run in, as they were last seen."""
        self.others: dict[str, Instance] = {}
        """Managed instances that are no running engine: of `POST /provision`, or ended."""
        self.unread: set[str] = set()
        """Engines of an earlier server whose streams are not known, until its record is read."""
        self._engines: dict[str, Engine] = {}
        self._streams: dict[str, Stream] = {}
        self._latest: dict[str, Sample] = {}
        self._started: dict[str, dict[str, None]] = {}  # by engine, in their order
        self._forwarded_ports: Mapping[str, int] = {}
        self._outdated: frozenset[str] = frozenset()
        self._asked_for: frozenset[str] = frozenset()
        self._lost_vpns: frozenset[str] = frozenset()
        self._engine_list = Listing(
            self._render_engine, self._engine_place, is_hidden=self._is_hidden
        )
        self._stream_list = Listing(self._render_stream, self._stream_place)
        self._stream_numbers: dict[str, int] = {}
        self._came = 0

    # ------------------------------------------------------------------ engines

    def engine(self, engine_id: str) -> Engine:
        """The engine of this id. Raises NotFound."""
        found = self._engines.get(engine_id)
        if found is None:
            raise NotFound("not found", code="engine_not_found")
        return found

    def find(self, engine_id: str | None) -> Engine | None:
        """The engine of this id, if there is one."""
        return self._engines.get(engine_id) if engine_id is not None else None

    def engines(self) -> Sequence[Engine]:
        """All of them, external ones included, by port."""
        return [self._engines[key] for key in self._engine_list.order()]

    def ours(self) -> Sequence[Engine]:
        """Those that this server runs."""
        return [engine for engine in self._engines.values() if not engine.external]

    def at(self, host: str, port: int) -> Engine | None:
        """The engine that is reached there, as clients are told or as this server does it."""
        for engine in self._engines.values():
            if (engine.port == port and engine.host == host) or (
                engine.api_port == port and engine.api_host == host
            ):
                return engine
        return None

    def put(self, engine: Engine) -> None:
        """This engine is new, or is now this."""
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
        """The engine with these fields changed; None where it has gone meanwhile."""
        engine = self._engines.get(engine_id)
        if engine is None:
            return None
        changed = replace(engine, **changes)
        self.put(changed)
        return changed

    def remove(self, engine_id: str) -> Engine | None:
        """It is gone. Its streams must have been ended; who removes engines is the keeper."""
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
        """Every managed instance, running engines and all others, as they were last seen."""
        return [*self.seen.values(), *self.others.values()]

    def is_free(self, engine: Engine, now_s: float) -> bool:
        """Whether it has neither a stream nor a client that it is kept for."""
        return not self._started.get(engine.id) and not self.is_kept(engine.id, now_s)

    def is_kept(self, engine_id: str, now_s: float) -> bool:
        """Whether it is kept for a client, or may be in use by one that is not known yet."""
        return engine_id in self.unread or self.leases.holds(engine_id, now_s)

    def set_forwarded_ports(self, ports: Mapping[str, int]) -> None:
        """The VPNs' forwarded ports by container, as forwarded engines show them."""
        if ports == self._forwarded_ports:
            return
        self._forwarded_ports = dict(ports)
        for engine in self._engines.values():
            if engine.forwarded:
                self._engine_list.put(engine.id)
        self.engines_changed.mark()

    def set_outdated(self, engine_ids: frozenset[str], asked_for: frozenset[str]) -> None:
        """Engines that are to be replaced, those among them that were asked for singly.

        They get no new work.
        """
        changed = (self._outdated ^ engine_ids) | (self._asked_for ^ asked_for)
        self._outdated = engine_ids
        self._asked_for = asked_for
        self._render_anew(engine_id for engine_id in changed if engine_id in self._engines)

    def is_asked_to_go(self, engine_id: str) -> bool:
        """Whether somebody asked that this one goes, and not all."""
        return engine_id in self._asked_for

    def set_lost_vpns(self, names: frozenset[str]) -> None:
        """VPNs that are away: their engines are not listed, and get no new work."""
        changed = self._lost_vpns ^ names
        self._lost_vpns = names
        self._render_anew(e.id for e in self._engines.values() if e.vpn_container in changed)

    def gets_work(self, engine: Engine) -> bool:
        """Whether a new stream may be sent there."""
        return (
            engine.draining is None
            and engine.id not in self._outdated
            and engine.vpn_container not in self._lost_vpns
        )

    # ------------------------------------------------------------------ streams

    def stream(self, stream_id: str) -> Stream:
        """The stream of this id, ended ones included for an hour. Raises NotFound."""
        found = self._streams.get(stream_id)
        if found is None:
            raise NotFound("not found", code="stream_not_found")
        return found

    def find_stream(self, stream_id: str | None) -> Stream | None:
        """The stream of this id, if there is one."""
        return self._streams.get(stream_id) if stream_id is not None else None

    def streams(self) -> Iterable[Stream]:
        """All that are kept, in the order in which they came."""
        return self._streams.values()

    def started(self) -> Sequence[Stream]:
        """Those that play."""
        return [self._streams[key] for keys in self._started.values() for key in keys]

    def started_on(self, engine_id: str) -> Sequence[Stream]:
        """Those that play on this engine, the oldest first."""
        return [self._streams[key] for key in self._started.get(engine_id, ())]

    def streams_on(self, engine_id: str) -> int:
        """How many play on this engine."""
        return len(self._started.get(engine_id, ()))

    def put_stream(self, stream: Stream) -> None:
        """This stream is new, or is now this."""
        before = self._streams.get(stream.id)
        if before == stream:
            return
        if before is None:
            self._came += 1
            self._stream_numbers[stream.id] = self._came
        self._streams[stream.id] = stream
        if before is not None and before.status == "started":
            self._take_off(before)
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
        """Its hour is over."""
        stream = self._streams.pop(stream_id, None)
        if stream is None:
            return
        if stream.status == "started":
            self._take_off(stream)
        del self._stream_numbers[stream_id]
        self._latest.pop(stream_id, None)
        self._stream_list.remove(stream_id)
        self.streams_changed.mark()

    def measured(self, stream_id: str, sample: Sample) -> None:
        """The newest sample of a stream."""
        if stream_id in self._streams:
            self._latest[stream_id] = sample
            self._stream_list.put(stream_id)
            self.streams_changed.mark()

    def latest(self, stream_id: str) -> Sample | None:
        """The newest sample of a stream, if there is one."""
        return self._latest.get(stream_id)

    # ------------------------------------------------------------------ encoded

    def engines_body(self) -> Body:
        """EngineState[] of the contract, by port."""
        return self._engine_list.body()

    def engine_body(self, engine_id: str) -> Body:
        """`{engine, streams}` of the contract. Raises NotFound."""
        self.engine(engine_id)
        streams = self._stream_list.some(s.id for s in self.started_on(engine_id))
        content = b'{"engine":' + self._engine_list.one(engine_id) + b',"streams":' + streams + b"}"
        return Body(self._engine_list.version, content)

    def streams_body(self, wanted: Callable[[Stream], bool], *, offset: int, limit: int) -> bytes:
        """StreamState[] of those that are wanted, in the order in which they came."""
        keys = [key for key, stream in self._streams.items() if wanted(stream)]
        return self._stream_list.some(keys[offset : offset + limit])

    @property
    def streams_version(self) -> int:
        """Grows with every change of any stream."""
        return self._stream_list.version

    def stream_body(self, stream_id: str, **more: Any) -> bytes:
        """StreamState of one, with further fields. Raises NotFound."""
        return encoded({**stream_json(self.stream(stream_id), self.latest(stream_id)), **more})

    # ------------------------------------------------------------------ inside

    def _take_off(self, stream: Stream) -> None:
        on_engine = self._started.get(stream.container_id, {})
        on_engine.pop(stream.id, None)
        if not on_engine:
            self._started.pop(stream.container_id, None)

    def _render_anew(self, engine_ids: Iterable[str]) -> None:
        found = list(engine_ids)
        for engine_id in found:
            self._engine_list.put(engine_id)
        if found:
            self.engines_changed.mark()

    def _is_hidden(self, engine_id: str) -> bool:
        return self._engines[engine_id].vpn_container in self._lost_vpns

    def _render_engine(self, engine_id: str) -> dict[str, Any]:
        engine = self._engines[engine_id]
        port = self._forwarded_ports.get(engine.vpn_container or "") if engine.forwarded else None
        return engine_json(
            engine,
            tuple(self._started.get(engine_id, ())),
            forwarded_port=port,
            outdated=engine_id in self._outdated,
            asked_for=engine_id in self._asked_for,
        )

    def _engine_place(self, engine_id: str) -> tuple[int, str]:
        return (self._engines[engine_id].port, engine_id)

    def _render_stream(self, stream_id: str) -> dict[str, Any]:
        return stream_json(self._streams[stream_id], self._latest.get(stream_id))

    def _stream_place(self, stream_id: str) -> int:
        return self._stream_numbers[stream_id]
