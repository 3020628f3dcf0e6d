"""HTTP answers of external servers: bounded in size, without redirects or proxies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from aiohttp.http_exceptions import HttpProcessingError

from touchline.engines.http.errors import AnswerRefused, HttpFailed
from touchline.foreign.json import parse_foreign
from touchline.foreign.text import shown

HttpResponse = ClientResponse
"""Answer whose body has not been read yet."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
ARCHIVE = "application/x-tar"
MOST_COUNTER_DIGITS = 20
"""Maximum digits of a counter: daemons use unsigned 64-bit counters."""


class BoundedResponse(ClientResponse):
    """Answer that is read up to `most_bytes`, as UTF-8 whatever charset it declares."""

    most_bytes: ClassVar[int]

    async def read(self) -> bytes:
        """Read the whole answer, in any number of pieces. Raises AnswerRefused."""
        if self._body is None:
            body = bytearray()
            try:
                async for piece in self.content.iter_any():
                    body += piece
                    if len(body) > self.most_bytes:
                        raise AnswerRefused(f"the answer is larger than {self.most_bytes} bytes")
            except BaseException:
                self.close()
                raise
            self._body = bytes(body)
        return await super().read()

    async def text(
        self,
        encoding: str | None = None,  # noqa: ARG002  (see below)
        errors: str = "replace",
    ) -> str:
        """Read the answer as text.

        The `encoding` is ignored, because Python caches names of encodings without limit.
        """
        return await super().text("utf-8", errors)

    async def json(
        self,
        *,
        encoding: str | None = None,  # noqa: ARG002
        loads: Any = None,  # noqa: ARG002
        content_type: str | None = "application/json",
    ) -> Any:
        """Read the answer as JSON; see `parse_foreign`. Raises ValueError."""
        return await super().json(encoding="utf-8", loads=_parse_json, content_type=content_type)


@contextmanager
def http_errors(*, most_chars: int) -> Iterator[None]:
    """Convert the exceptions of the library to HttpFailed, with at most `most_chars` of their text.

    An exceeded time limit stays a TimeoutError.
    """
    try:
        yield
    except TimeoutError:
        raise
    except (aiohttp.ClientError, HttpProcessingError, OSError, EOFError) as error:
        said = shown(str(error)[:most_chars], most_chars)
        raise HttpFailed(said or type(error).__name__) from error


def foreign_session(
    connector: aiohttp.BaseConnector | None = None,
    *,
    most_bytes: int,
    headers: Mapping[str, str] | None = None,
) -> aiohttp.ClientSession:
    """Create a session for requests to external servers, with time limits set by each call.

    Proxy settings of the environment are ignored, no redirect is followed, no cookie kept and
    nothing decompressed. An answer may have `most_bytes`.
    """
    limit = most_bytes

    class Response(BoundedResponse):
        most_bytes = limit

    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
        auto_decompress=False,
        headers={"Accept-Encoding": "identity", **(headers or {})},
        response_class=Response,
        middlewares=(_refuse,),
    )


async def _refuse(request: ClientRequest, ask: ClientHandlerType) -> ClientResponse:
    response = await ask(request)
    if response.status in REDIRECTS:
        response.close()
        raise AnswerRefused(f"it redirects (status {response.status}); redirects are not followed")
    if response.content_type == ARCHIVE:
        # aiodocker would unpack it, regardless of the request.
        response.close()
        raise AnswerRefused("it responds with a compressed body, which was not requested")
    return response


def _parse_json(text: str) -> Any:
    return parse_foreign(text.encode(), most_digits=MOST_COUNTER_DIGITS)
