"""Content information and live position of streams, requested from engines on demand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from touchline.core.errors import Blocked, Invalid, TouchlineError
from touchline.engines.fleet.acestream import AceStreamClient, SessionGone, Stat
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.model import Stream
from touchline.engines.streams.answers import LivePosition
from touchline.engines.streams.reports import StreamReports

STAT_TIMEOUT_S, ANALYZE_TIMEOUT_S = 5.0, 10.0


class ContentInfo:
    """Requests to our engines, in bounded time."""

    def __init__(
        self,
        fleet: Fleet,
        streams: StreamReports,
        client: AceStreamClient,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._fleet = fleet
        self._streams = streams
        self._client = client
        self._now = now

    async def livepos(self, stream_id: str) -> LivePosition:
        """Return the live position.

        Raises NotFound, SessionGone, Blocked if the engine does not answer.
        """
        stat = await self._stat(self._fleet.stream(stream_id))
        if stat.livepos is None:
            return {"has_livepos": False, "is_live": stat.is_live}
        names = ("pos", "live_first", "live_last", "first_ts", "last_ts", "buffer_pieces")
        aliases = {"live_first": "first", "live_last": "last"}
        position: dict[str, object] = {
            name: stat.livepos.get(name, stat.livepos.get(aliases.get(name, name)))
            for name in names
        }
        return {"has_livepos": True, "is_live": stat.is_live, "livepos": position}

    async def details(self, stream_id: str) -> dict[str, Any]:
        """Return the engine's information about the content: the body of `StreamDetails`.

        Raises as `livepos` does.
        """
        stream = self._fleet.stream(stream_id)
        infohash = stream.key if stream.key_type == "infohash" else None
        if infohash is None:
            infohash = (await self._stat(stream)).infohash
        engine = self._fleet.find(stream.container_id)
        if infohash is None or engine is None or engine.external:
            raise Blocked("The infohash of this stream is unknown", code="infohash_unknown")
        try:
            return await self._client.analyze(engine.api_url, infohash, within_s=ANALYZE_TIMEOUT_S)
        except TouchlineError as error:
            raise Blocked(error.message, code=error.code) from error

    async def _stat(self, stream: Stream) -> Stat:
        url = self._streams.url_at_engine(stream, stream.stat_url)
        if url is None:
            raise Invalid(
                "The stream is not on an engine of this server, so its details are unavailable",
                code="no_stat_url",
                loc=("path", "stream_id"),
                input=stream.id,
            )
        try:
            return await self._client.stat(url, now=self._now, within_s=STAT_TIMEOUT_S)
        except SessionGone:
            raise
        except TouchlineError as error:
            raise Blocked(error.message, code=error.code) from error
