"""What the collector makes of polls that are not answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from touchline.core.errors import Failed
from touchline.core.metrics import Metrics
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Sample, Stream
from touchline.engines.settings.tree import CollectorSettings
from touchline.engines.streams.collector import LOST, Collector

pytestmark = pytest.mark.anyio

AT = datetime(2026, 5, 1, 15, 0, tzinfo=UTC)
DEAD_AFTER = 3
DEADLINE_S = 10.0


class Engine:
    """The API of the stream's engine, which answers each poll or none."""

    def __init__(self, answers: Callable[[int], bool]) -> None:
        self._answers = answers
        self.polls = 0

    async def stat(self, _url: str, **_: Any) -> Any:
        self.polls += 1
        if not self._answers(self.polls):
            raise Failed("it does not answer")
        return SimpleNamespace(sample=Sample(AT))

    async def polled(self, times: int) -> None:
        """Return after so many polls."""
        with anyio.fail_after(DEADLINE_S):
            while self.polls < times:
                await anyio.sleep(0.001)


class Reports:
    """The reports of streams, which are told of ends."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.ended: list[tuple[str, int]] = []
        """Why a stream has ended, and after how many polls."""

    def url_at_engine(self, _: Stream, url: str) -> str:
        return url

    def measured(self, _stream: Stream, _sample: Sample) -> None:
        """Nothing here looks at samples."""

    def end_noticed(self, _: Stream, reason: str) -> None:
        self.ended.append((reason, self._engine.polls))


def fleet_with_a_stream() -> Fleet:
    fleet = Fleet()
    fleet.put_stream(
        Stream(
            id="s",
            key_type="infohash",
            key="a" * 40,
            container_id="e",
            playback_session_id="p",
            stat_url="http://127.0.0.1:1/ace/stat/a/p",
            command_url="http://127.0.0.1:1/ace/cmd/a/p",
            is_live=True,
            started_at=AT,
        )
    )
    fleet.freshness.listed(1.0)
    return fleet


@asynccontextmanager
async def collecting(fleet: Fleet, engine: Engine) -> AsyncIterator[Reports]:
    reports: Any = Reports(engine)
    api: Any = engine
    collector = Collector(
        fleet=fleet,
        streams=reports,
        client=api,
        metrics=Metrics(),
        supervisor=SimpleNamespace(note=None),  # type: ignore[arg-type]
        settings=CollectorSettings(interval_s=0.005, dead_after=DEAD_AFTER),
        clock=Clock(),
        answered=lambda _: None,
    )
    collector.follow()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(collector.run)
        yield reports
        tasks.cancel_scope.cancel()


async def test_a_stream_whose_engine_never_answers_is_lost() -> None:
    engine = Engine(lambda _: False)
    async with collecting(fleet_with_a_stream(), engine) as reports:
        await engine.polled(DEAD_AFTER + 1)
        assert reports.ended[0] == (LOST, DEAD_AFTER)


async def test_an_answer_in_between_keeps_the_stream() -> None:
    engine = Engine(lambda poll: poll % DEAD_AFTER == 0)
    async with collecting(fleet_with_a_stream(), engine) as reports:
        await engine.polled(6 * DEAD_AFTER)
        assert reports.ended == []


async def test_polls_of_an_outage_do_not_count_against_a_stream_afterwards() -> None:
    last, fleet = 4 * DEAD_AFTER, fleet_with_a_stream()
    fleet.freshness.lost(2.0, "the cable was unplugged")

    def answers(poll: int) -> bool:
        if poll == last:  # the runtime returns while this one is under way
            fleet.freshness.listed(3.0)
        return poll > last + 1

    engine = Engine(answers)
    async with collecting(fleet, engine) as reports:
        await engine.polled(last + 3 * DEAD_AFTER)
        assert reports.ended == []
