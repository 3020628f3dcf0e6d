"""Responses cut from segment files, with ranges and validators, read while they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Protocol

from fastapi import Response
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from touchline.core.worklimits import WorkLimit
from touchline.web.files.downloads import (
    attachment,
    choose_file_name,
    close_chunks,
    content_range,
    send_chunk,
    start_answer,
    while_connected,
)
from touchline.web.files.ranges import ByteRange, Unsatisfiable, entity_tags, parse_range
from touchline.web.http.answers import answer


class CutFile(Protocol):
    """A file composed of parts of other files, whose bytes are read when they are sent."""

    @property
    def name(self) -> str:
        """The file name for the client."""

    @property
    def size_bytes(self) -> int:
        """Size of the whole file."""

    @property
    def etag(self) -> str:
        """A strong entity tag: equal only for equal bytes."""

    def chunks(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to, but excluding, `end`; raise rather than end early."""


class FilmDownload(Response):
    """Response with a film, or with a single requested range of it (RFC 9110, 14).

    Several ranges at once are answered with the whole film: players request one.
    """

    def __init__(
        self,
        film: CutFile,
        *,
        cache_control: str,
        media_type: str = "video/mp4",
        save: bool = True,
        save_as: str | None = None,
        limit: WorkLimit,
    ) -> None:
        super().__init__(media_type=media_type)
        self._film = film
        self._cache_control = cache_control
        self._save = save
        self._name = choose_file_name(save_as, film.name)
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the film, or the response that the request's conditions require.

        Raises Blocked if too much is being sent.
        """
        async with self._limit.turn():
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked, film = Headers(scope=scope), self._film
        headers = {
            "content-type": self.media_type or "",
            "accept-ranges": "bytes",
            "etag": film.etag,
            "cache-control": self._cache_control,
            **(attachment(self._name) if self._save else {"x-content-type-options": "nosniff"}),
        }
        known = entity_tags(asked.get("if-none-match"))
        if "*" in known or film.etag in known:
            await Response(status_code=304, headers=headers)(scope, receive, send)
            return
        wanted = asked.get("range") if scope["method"] == "GET" else None
        if asked.get("if-range", film.etag).strip() != film.etag:
            wanted = None
        try:
            spans = parse_range(wanted, film.size_bytes)
        except Unsatisfiable:
            body = {"detail": "Requested range not satisfiable", "code": "range_not_satisfiable"}
            outside = {"content-range": f"bytes */{film.size_bytes}", "accept-ranges": "bytes"}
            await answer(body, 416, outside)(scope, receive, send)
            return
        span, status = ByteRange(0, film.size_bytes), 200
        if spans is not None and len(spans) == 1:
            span, status = spans[0], 206
            headers["content-range"] = content_range(span, film.size_bytes)
        await start_answer(send, status, {**headers, "content-length": str(span.size_bytes)})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        await while_connected(receive, partial(self._send, span, send))

    async def _send(self, span: ByteRange, send: Send) -> None:
        chunks = self._film.chunks(span.start, span.end)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(close_chunks, chunks)
            async for chunk in chunks:
                await send_chunk(send, chunk)
        await send({"type": "http.response.body", "body": b""})
