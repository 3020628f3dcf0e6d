"""Collection of stream statistics from the engines, with detection of ended streams."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from touchline.core.errors import TouchlineError
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.engines.fleet.acestream import AceStreamClient, SessionGone
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.clock import Clock
from touchline.engines.model.schedule import Schedule
from touchline.engines.settings.tree import CollectorSettings
from touchline.engines.streams.reports import StreamReports

log = logging.getLogger(__name__)

STALE = "stale_stream_detected"
LOST = "engine_unreachable"


class Collector:
    """Collector that polls the `stat_url` of every started stream."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        streams: StreamReports,
        client: AceStreamClient,
        metrics: Metrics,
        supervisor: Supervisor,
        settings: CollectorSettings,
        clock: Clock,
        answered: Callable[[str], None],
    ) -> None:
        """Create a collector.

        `answered` is called with the id of each engine that gave a sample.
        """
        self._fleet = fleet
        self._streams = streams
        self._client = client
        self._settings = settings
        self._now, self._now_s = clock.now, clock.now_s
        self._answered = answered
        self._misses: dict[str, int] = {}
        self._schedule = Schedule(
            "Collecting",
            self._poll,
            limit=settings.concurrency,
            on_failure=lambda what, key, error: supervisor.note(what, error, about=key[:64]),
        )
        self._errors = metrics.counter("orch_collect_errors", "Failed polls of streams.")
        self._stale = metrics.counter(
            "orch_stale_streams_detected", "Streams whose session was unknown to the engine."
        )
        self._took = metrics.histogram(
            "touchline_collect_seconds",
            "Response time of stream statistics.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0),
        )

    async def run(self) -> None:
        """Run until cancelled."""
        await self._schedule.run()

    def follow(self) -> None:
        """Update the polled streams.

        A new one is measured soon, at a random time within the interval.
        """
        started = {stream.id for stream in self._fleet.started()}
        for stream_id in started - self._schedule.keys:
            first_s = min(1.0, self._settings.interval_s) * random.random()
            self._schedule.put(stream_id, first_s)
        for stream_id in self._schedule.keys - started:
            self._misses.pop(stream_id, None)
            self._schedule.drop(stream_id)

    async def _poll(self, stream_id: str) -> float:
        stream = self._fleet.find_stream(stream_id)
        if stream is None or stream.status == "ended":
            self._misses.pop(stream_id, None)
            self._schedule.drop(stream_id)
            return 0.0
        url = self._streams.url_at_engine(stream, stream.stat_url)
        if url is None:
            return self._settings.interval_s
        began_s = self._now_s()
        try:
            stat = await self._client.stat(url, now=self._now, within_s=self._settings.timeout_s)
        except SessionGone:
            if self._fleet.find_stream(stream_id) is stream:
                self._stale.inc()
                self._streams.end_noticed(stream, STALE)
            return 0.0
        except TouchlineError as error:
            self._missed(stream_id, error)
            return self._settings.interval_s
        except Exception:
            self._errors.inc()
            raise
        self._took.observe(self._now_s() - began_s)
        self._misses.pop(stream_id, None)
        self._streams.measured(stream, stat.sample)
        self._answered(stream.container_id)
        return self._settings.interval_s * random.uniform(0.95, 1.05)

    def _missed(self, stream_id: str, error: TouchlineError) -> None:
        self._errors.inc()
        if not self._fleet.freshness.is_current:
            # The engines' machine may be unreachable with its runtime: it is not known whether the
            # engine runs, and polls from before the runtime's return say nothing about the stream.
            self._misses.pop(stream_id, None)
            return
        misses = self._misses[stream_id] = self._misses.get(stream_id, 0) + 1
        if misses == 1:
            log.info("Stream %s could not be measured: %s", stream_id, error.message)
        stream = self._fleet.find_stream(stream_id)
        if stream is None or stream.status == "ended":
            return
        if misses >= self._settings.dead_after:
            self._streams.end_noticed(stream, LOST)
