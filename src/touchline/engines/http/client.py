"""HTTP client for engines and VPN containers with kept connections.

The library takes longer to load than everything else in the engines half. A server that never sends
a request to an engine does not load it.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import anyio
from anyio import to_thread

from touchline.core import patience
from touchline.engines.http.errors import HttpFailed
from touchline.foreign.text import shown

if TYPE_CHECKING:
    from aiohttp import ClientSession

DNS_CACHE_S = 60
MOST_REASON_CHARS = 200


class HttpAnswer(NamedTuple):
    """Status of an answer, and its body if the status is below 300."""

    status: int
    body: bytes


class HttpClient:
    """HTTP client that opens its session on first use. Created by `open_http_client`.

    `foreign_session` describes the limits of every answer.
    """

    def __init__(
        self, *, most: int, most_a_host: int, most_bytes: int, headers: Mapping[str, str]
    ) -> None:
        self._most, self._most_a_host, self._most_bytes = most, most_a_host, most_bytes
        self._headers = headers
        self._opening = anyio.Lock()
        self._session: ClientSession | None = None

    async def get(self, url: str, *, within_s: float) -> HttpAnswer:
        """Return the whole answer. Raises TimeoutError, AnswerRefused or HttpFailed."""
        session = await self._open_session()
        from touchline.engines.http.answers import http_errors

        try:
            with patience.fail_after(within_s), http_errors(most_chars=MOST_REASON_CHARS):
                async with session.get(url) as response:
                    if response.status >= 300:
                        response.close()
                        return HttpAnswer(response.status, b"")
                    return HttpAnswer(response.status, await response.read())
        except ValueError as error:  # raised by the library for some invalid answers
            reason = shown(str(error), MOST_REASON_CHARS) or type(error).__name__
            raise HttpFailed(reason) from error

    async def _open_session(self) -> ClientSession:
        """Return the session; the first call loads the library, in a thread."""
        if self._session is not None:
            return self._session
        async with self._opening:
            if "aiohttp" not in sys.modules:
                await to_thread.run_sync(_load_library)
            return self._open()

    def _open(self) -> ClientSession:
        from aiohttp import TCPConnector

        from touchline.engines.http.answers import foreign_session

        if self._session is not None:  # opened while this call waited for the lock
            return self._session
        connector = TCPConnector(
            limit=self._most,
            limit_per_host=self._most_a_host,
            ttl_dns_cache=DNS_CACHE_S,
            enable_cleanup_closed=False,
        )
        self._session = foreign_session(
            connector, most_bytes=self._most_bytes, headers=self._headers
        )
        return self._session

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _load_library() -> None:
    """Load the library. Blocks."""
    import aiohttp  # noqa: F401


@asynccontextmanager
async def open_http_client(
    *, most: int, most_a_host: int, most_bytes: int, headers: Mapping[str, str] | None = None
) -> AsyncIterator[HttpClient]:
    """Open a client with limits on concurrent connections and on the bytes of an answer.

    All requests have `headers`.
    """
    client = HttpClient(
        most=most, most_a_host=most_a_host, most_bytes=most_bytes, headers=headers or {}
    )
    try:
        yield client
    finally:
        await client.aclose()
