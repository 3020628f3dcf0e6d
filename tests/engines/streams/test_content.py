from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import pytest

from support.values import NOON, engine_value, stream_value
from touchline.core.errors import Blocked, Invalid, NotFound
from touchline.engines.fleet.acestream import (
    AceStreamClient,
    EngineUnreachable,
    SessionGone,
    Stat,
)
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.model import Sample
from touchline.engines.streams.content import ContentInfo
from touchline.engines.streams.reports import StreamReports

pytestmark = pytest.mark.anyio

INFOHASH = "b" * 40


class PlayedEngine:
    """An engine that answers as a test says; without a statistic it is not reached."""

    def __init__(self, stat: Stat | Exception) -> None:
        self._stat = stat
        self.analysed: list[str] = []

    async def stat(self, _url: str, *, now: object, within_s: float) -> Stat:
        del now, within_s
        if isinstance(self._stat, Exception):
            raise self._stat
        return self._stat

    async def analyze(self, _url: str, infohash: str, *, within_s: float) -> dict[str, Any]:
        del within_s
        if isinstance(self._stat, Exception):
            raise self._stat
        self.analysed.append(infohash)
        return {"infohash": infohash}


class Addresses:
    """Where streams are; those of an external engine are nowhere."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def url_at_engine(self, stream: Any, url: str) -> str | None:
        engine = self._fleet.find(stream.container_id)
        return None if engine is None or engine.external else url


def stat_of(livepos: dict[str, Any] | None = None, infohash: str | None = None) -> Stat:
    return Stat(Sample(NOON), is_live=True, infohash=infohash, livepos=livepos)


def content(
    stat: Stat | Exception, *, external: bool = False, **stream: Any
) -> tuple[ContentInfo, PlayedEngine]:
    fleet, engine = Fleet(), PlayedEngine(stat)
    fleet.put(engine_value(external=external))
    fleet.put_stream(stream_value(**stream))

    def now() -> datetime:
        return NOON

    reports = cast("StreamReports", Addresses(fleet))
    return ContentInfo(fleet, reports, cast("AceStreamClient", engine), now=now), engine


async def test_positions_have_one_name_whatever_the_engine_calls_them() -> None:
    older = {"pos": "5", "first": "1", "last": "9"}
    newer = {"pos": "5", "live_first": "1", "live_last": "9"}
    for given in (older, newer):
        found = await content(stat_of(given))[0].livepos("ch-1")
        assert found["has_livepos"]
        position = found["livepos"]
        assert position is not None
        assert (position["live_first"], position["live_last"]) == ("1", "9")
        assert position["buffer_pieces"] is None


async def test_a_stream_without_positions_says_so() -> None:
    found = await content(stat_of())[0].livepos("ch-1")
    assert found == {"has_livepos": False, "is_live": True}


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(EngineUnreachable("away"), Blocked), (SessionGone("no such session"), SessionGone)],
)
async def test_an_engine_that_is_away_is_told_from_a_session_that_is_over(
    failure: Exception, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        await content(failure)[0].livepos("ch-1")


async def test_nobody_is_asked_about_streams_of_other_engines() -> None:
    with pytest.raises(Invalid, match="not on an engine of this server"):
        await content(stat_of(), external=True)[0].livepos("ch-1")
    with pytest.raises(NotFound):
        await content(stat_of())[0].livepos("nobody")


async def test_content_is_described_by_its_infohash_which_the_engine_may_have_to_tell() -> None:
    known, engine = content(stat_of())
    assert await known.details("ch-1") == {"infohash": "a" * 40}
    assert engine.analysed == ["a" * 40]
    found, engine = content(stat_of(infohash=INFOHASH), key_type="content_id", key="c")
    assert await found.details("ch-1") == {"infohash": INFOHASH}
    unknown, _ = content(stat_of(), key_type="content_id", key="c")
    with pytest.raises(Blocked) as caught:
        await unknown.details("ch-1")
    assert caught.value.code == "infohash_unknown"
