"""Processing of client reports that a stream has started or ended."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from touchline.core.errors import Blocked, Failed, Invalid
from touchline.core.events.log import Event, EventLog, make_event
from touchline.core.metrics import Metrics
from touchline.engines.fleet.acestream import AceStreamClient, SessionGone
from touchline.engines.fleet.adoption import Surroundings, external_engine, facts_of
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.record import record_unread
from touchline.engines.fleet.samples import SampleBook
from touchline.engines.fleet.store import Store
from touchline.engines.model.addresses import Address
from touchline.engines.model.clock import Clock
from touchline.engines.model.labels import OURS
from touchline.engines.model.model import Engine, Sample, Stream, format_url_host
from touchline.engines.model.places import Machine, is_among, places_of
from touchline.engines.streams.report import UNFIT, StreamReport, address_in, check_report
from touchline.engines.streams.turns import Turns

log = logging.getLogger(__name__)

KEPT_S = 3600.0
"""Seconds for which an ended stream is shown."""

STOP_TIMEOUT_S = 3.0
STOP_RETRY_S = 5.0
_MOST_EXTERNAL = 1000
_TEXT_LIMIT = 2048


@dataclass(frozen=True)
class Ended:
    """Whether the report ended something, and the stream concerned."""

    updated: bool
    stream: Stream | None


class StreamReports:
    """Stream reports, saved before they are answered."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        around: Surroundings,
        store: Store,
        samples: SampleBook,
        client: AceStreamClient,
        events: EventLog,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._fleet = fleet
        self._around = around
        self._machine = Machine(now_s=clock.now_s)
        self._store = store
        self._samples = samples
        self._client = client
        self._events = events
        self._now, self._now_s = clock.now, clock.now_s
        self._started = metrics.counter("orch_events_started", "Streams reported as started.")
        self._ended = metrics.counter("orch_events_ended", "Streams ended.")
        self._turns = Turns()
        self._ending: dict[str, str | None] = {}
        """Streams whose end is being saved, with the reason if this server noticed it meanwhile."""
        self._labels: dict[str, dict[str, Mapping[str, str]]] = {}  # by engine and stream
        self._started_s: dict[str, float] = {}
        self._ended_s: dict[str, float] = {}

    async def started(self, report: StreamReport) -> Stream:
        """Record a started stream, saved on the disk, and return it.

        A repeated report changes nothing, and no report changes an engine's address. Raises Invalid
        if an address does not belong to the reported engine, Blocked if the stream cannot be saved:
        nothing is then kept.
        """
        self._check_record_is_read()
        stream_id = report.stream_id
        check_report(report, stream_id)
        await self._turns.take(stream_id)  # so that each report sees the result of the previous one
        try:
            engine = self._engine_of(report)
            self._check_urls(report, engine)
            known = self._fleet.find_stream(stream_id)
            if (
                known is not None
                and known.status == "started"
                and known.container_id == engine.id
                and known.playback_session_id == report.playback_session_id
            ):
                return known
            stream = Stream(
                id=stream_id,
                key_type=report.key_type,
                key=report.key,
                container_id=engine.id,
                playback_session_id=report.playback_session_id,
                stat_url=report.stat_url,
                command_url=report.command_url,
                is_live=report.is_live,
                started_at=self._now(),
            )
            event = make_event(
                "stream",
                "started",
                f"Stream {stream_id} started on {engine.name}",
                stream_id=stream_id,
                container_id=engine.id,
                key_type=report.key_type,
                key=report.key,
                engine_port=engine.port,
                is_live=report.is_live,
            )
            await self._store.save_streams([stream], [event])
            if known is not None:
                self._samples.forget(stream_id)
            self._started_s[stream_id] = self._now_s()
            self._register(stream, engine, report.labels)
            self._started.inc()
        finally:
            self._turns.give(stream_id)
        if not engine.external and self._fleet.find(engine.id) is None:
            # The engine died while this was being written.
            self.end_lost(engine.id, "engine_died")
            return self._fleet.stream(stream_id)
        return stream

    async def ended(
        self, *, container_id: str | None, stream_id: str | None, reason: str | None
    ) -> Ended:
        """End the stream of this id or, without one, the newest one of that container.

        An unknown id ends nothing, and one that has ended is unchanged. The end is on the disk on
        return; raises Blocked if it cannot be saved, and the stream then continues.
        """
        self._check_record_is_read()
        if stream_id is None:
            on_engine = self._fleet.started_on(container_id) if container_id is not None else ()
            if not on_engine:
                return Ended(updated=False, stream=None)
            stream_id = on_engine[-1].id
        await self._turns.take(stream_id)
        try:
            stream = self._fleet.find_stream(stream_id)
            if stream is None or stream.status == "ended":
                return Ended(updated=False, stream=stream)
            over, event = self._ended_stream(stream, reason or "unspecified")
            await self._save_end(stream, over, event)
            self._unregister(over)
            return Ended(updated=True, stream=over)
        finally:
            self._turns.give(stream_id)

    async def stop(self, stream_id: str) -> Stream:
        """Stop a stream at its engine and end it; one that has ended is returned unchanged.

        Raises NotFound, and Blocked if the engine does not answer: the stream then continues.
        """
        stream = self._fleet.stream(stream_id)
        if stream.status == "ended":
            return stream
        url = self.url_at_engine(stream, stream.command_url)
        if url is not None:
            try:
                await self._client.stop(url, within_s=STOP_TIMEOUT_S)
            except SessionGone:
                log.info("The session of stream %s had already ended", stream_id)
            except Failed as error:
                raise Blocked(
                    "The stream is still playing, because its engine did not stop it:"
                    f" {error.message}",
                    code=error.code,
                    eta_s=STOP_RETRY_S,
                ) from error
        ended = await self.ended(container_id=None, stream_id=stream_id, reason="stopped")
        return ended.stream or stream

    def measured(self, stream: Stream, sample: Sample) -> None:
        """Store a sample of a stream, unless another stream has taken its id since."""
        current = self._fleet.find_stream(stream.id)
        if current is not None and current.started_at == stream.started_at:
            self._samples.append(stream.id, sample)
            self._fleet.measured(stream.id, sample)

    def end_lost(self, engine_id: str, reason: str) -> int:
        """End every stream of a lost engine immediately, and return their number.

        They are saved to the disk later.
        """
        lost = self._fleet.started_on(engine_id)
        for stream in lost:
            self.end_noticed(stream, reason)
        return len(lost)

    def end_noticed(self, stream: Stream, reason: str) -> None:
        """End a stream whose end was detected by this server.

        It is saved to the disk later. If a reported end of the stream is being saved, that one
        counts.
        """
        if stream.id in self._ending:
            self._ending[stream.id] = reason
            return
        over, event = self._ended_stream(stream, reason)
        self._store.note_streams([over], [event])
        self._unregister(over)

    async def forget_old(self) -> list[str]:
        """Remove expired streams with their samples, and return their ids."""
        now_s = self._now_s()
        # Streams of an earlier server are kept for an hour from now on.
        ended_s = {
            stream.id: self._ended_s.get(stream.id, now_s)
            for stream in self._fleet.streams()
            if stream.ended_at is not None
        }
        self._ended_s = ended_s
        old = [stream_id for stream_id, at_s in ended_s.items() if now_s - at_s > KEPT_S]
        for stream_id in old:
            self._fleet.forget_stream(stream_id)
            self._samples.forget(stream_id)
        if old:
            await self._store.purge(old)
        for engine in self._fleet.engines():
            # An external engine exists only through its streams.
            if engine.external and not any(
                stream.container_id == engine.id for stream in self._fleet.streams()
            ):
                self._fleet.remove(engine.id)
                self._store.forget_engine(engine.id)
        return old

    def url_at_engine(self, stream: Stream, url: str) -> str | None:
        """Return `url` at the address where this server reaches its engine; None if unknown.

        The engine may be external or gone. Requests are never sent to an address that only a client
        has named.
        """
        engine = self._fleet.find(stream.container_id)
        if engine is None or engine.external:
            return None
        parts = urlsplit(url)
        there = f"{format_url_host(engine.api_host)}:{engine.api_port}"
        return urlunsplit(("http", there, parts.path, parts.query, ""))

    # --------------------------------------------------------------- internals

    def _check_record_is_read(self) -> None:
        """Check that all playing streams are known.

        Raises Blocked while an earlier server's record is unread.
        """
        if not self._fleet.record_is_read:
            raise record_unread()

    def _engine_of(self, report: StreamReport) -> Engine:
        """Return the engine of the report; an unknown one is external."""
        engine = self._fleet.find(report.container_id)
        if engine is None and report.container_id is not None:
            engine = next(
                (
                    each
                    for each in self._fleet.managed()
                    if each.name == report.container_id
                    or (len(report.container_id) >= 12 and each.id.startswith(report.container_id))
                ),
                None,
            )
        if engine is None:
            engine = self._fleet.at(report.host, report.port)
        if engine is None:
            there = self._machine.place(report.host, report.port)
            ours = self._fleet.managed()
            engine = next((each for each in ours if is_among(there, self._places(each))), None)
        if engine is not None:
            return engine
        engine_id = report.container_id or f"{report.host}:{report.port}"
        return external_engine(
            engine_id, report.host, report.port, report.labels, now=self._now(), now_s=self._now_s()
        )

    def _places(self, engine: Engine) -> frozenset[Address]:
        """Return every address at which this engine is reached."""
        vpn = self._around.vpn(engine.vpn_container) if engine.vpn_container is not None else None
        instance = self._fleet.seen.get(engine.id)
        return places_of(
            engine, instance, self._machine, vpn=vpn, deployment=self._around.deployment()
        )

    def _check_urls(self, report: StreamReport, engine: Engine) -> None:
        known = {(engine.host, engine.port), (engine.api_host, engine.api_port)}
        for name in ("stat_url", "command_url"):
            url = getattr(report, name)
            host, port = address_in(name, url)
            if (host, port) in known:
                continue
            if not is_among(self._machine.place(host, port), self._places(engine)):
                raise Invalid(
                    f"{name} must point at the engine,"
                    f" http://{format_url_host(engine.host)}:{engine.port}/…;"
                    " requests to other hosts are never sent",
                    code="foreign_url",
                    loc=("body", "session", name),
                    input=url,
                )

    def _register(self, stream: Stream, engine: Engine, labels: Mapping[str, str]) -> None:
        current = self._fleet.find(engine.id)
        if current is None and engine.external:
            if sum(each.external for each in self._fleet.engines()) >= _MOST_EXTERNAL:
                log.warning("Engine %s is not tracked: too many external engines", engine.id)
            else:
                current = engine
        self._fleet.put_stream(stream)
        if current is not None:
            more = {name: value for name, value in labels.items() if name not in OURS}
            self._labels.setdefault(engine.id, {})[stream.id] = more
            used = replace(
                current,
                labels={**current.labels, **more},
                last_seen=stream.started_at,
                last_stream_usage=stream.started_at,
                idle_since_s=None,
            )
            self._fleet.put(used)
            self._store.note_engine(used.id, facts_of(used))
        self._fleet.leases.release(engine.id)
        self._fleet.plan_outdated.mark()

    async def _save_end(self, stream: Stream, over: Stream, event: Event) -> None:
        """Save the end of a stream; if that fails, end it for the reason noticed meanwhile."""
        self._ending[stream.id] = None
        try:
            await self._store.save_streams([over], [event])
        except BaseException:
            if (noticed := self._ending.pop(stream.id)) is not None:
                self.end_noticed(stream, noticed)
            raise
        del self._ending[stream.id]

    def _ended_stream(self, stream: Stream, reason: str) -> tuple[Stream, Event]:
        reason = UNFIT.sub(" ", reason)[:_TEXT_LIMIT]
        now = max(self._now(), stream.started_at)
        started_s = self._started_s.pop(stream.id, None)
        self._ended_s[stream.id] = self._now_s()
        if started_s is None:  # started under an earlier server: only the dates are known
            lasted_s = (now - stream.started_at).total_seconds()
        else:
            lasted_s = self._now_s() - started_s
        over = replace(stream, status="ended", ended_at=now, end_reason=reason)
        event = make_event(
            "stream",
            "ended",
            f"Stream {stream.id} ended: {reason}",
            stream_id=stream.id,
            container_id=stream.container_id,
            reason=reason,
            duration_s=round(lasted_s, 3),
        )
        return over, event

    def _unregister(self, over: Stream) -> None:
        self._ended.inc()
        self._fleet.put_stream(over)
        engine = self._fleet.find(over.container_id)
        if engine is not None:
            changes: dict[str, Any] = {"labels": self._labels_without(over, engine)}
            if not self._fleet.started_on(engine.id):
                changes["idle_since_s"] = self._now_s()
            changed = self._fleet.change(engine.id, **changes)
            if changed is not None and changed.labels != engine.labels:
                self._store.note_engine(changed.id, facts_of(changed))
        self._fleet.plan_outdated.mark()

    def _labels_without(self, over: Stream, engine: Engine) -> Mapping[str, str]:
        """Return the engine's labels without those added by this stream only."""
        by_stream = self._labels.get(engine.id, {})
        gone = by_stream.pop(over.id, {})
        instance = self._fleet.seen.get(engine.id)
        own = instance.labels if instance is not None else {}
        if not self._fleet.started_on(engine.id):
            # Including those of streams reported to an earlier server.
            self._labels.pop(engine.id, None)
            return dict(own) if instance is not None else engine.labels
        kept = {name: value for more in by_stream.values() for name, value in more.items()}
        left = {name: value for name, value in engine.labels.items() if name not in gone}
        return {**left, **{n: v for n, v in kept.items() if n in gone}, **own}
