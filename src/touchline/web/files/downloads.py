"""Downloads of files and archives: constant memory, off the event loop, ended with the client.

The framework's own file response is not used: it ignores If-None-Match, sends 400 for a range it
should ignore, and reads to the end of a file that may be growing (the segment being recorded).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Annotated, Protocol, TypeVar
from urllib.parse import quote

import anyio
import anyio.to_thread
from fastapi import Query, Response
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from touchline.core.errors import Failed, NotFound
from touchline.core.worklimits import WorkLimit
from touchline.foreign.files import open_regular
from touchline.foreign.text import file_name
from touchline.web.files.ranges import ByteRange, Unsatisfiable, Validators, parse_range
from touchline.web.http.answers import answer

T = TypeVar("T")

CHUNK_BYTES = 512 * 1024

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".ts": "video/mp2t",
    ".json": "application/json",
    ".m4s": "video/mp4",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".zip": "application/zip",
}
OTHER_MEDIA_TYPE = "application/octet-stream"

SaveAs = Annotated[
    str | None,
    Query(
        alias="name",
        max_length=255,
        description="Name under which a browser saves the file. It keeps the file's own ending;"
        " characters that no file name may have are removed.",
    ),
]
_NOT_IN_NAMES = frozenset('\\/:*?"<>|')


class ArchiveStream(Protocol):
    """A match as one byte stream; `size_bytes` is None if its size is not known in advance."""

    @property
    def name(self) -> str:
        """The file name for the client."""

    @property
    def size_bytes(self) -> int | None:
        """Total number of bytes in `chunks`, if known."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes; raise rather than end early."""


def media_type(name: str) -> str:
    """Return the media type of a file by its name; never a type that a browser would execute."""
    return MEDIA_TYPES.get(Path(name).suffix.lower(), OTHER_MEDIA_TYPE)


def attachment(name: str) -> dict[str, str]:
    """Return headers that make every browser save the body as `name` (RFC 6266, RFC 5987)."""
    name = file_name(name)
    ascii_name = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    value = f'attachment; filename="{ascii_name}"'
    if ascii_name != name:
        value += f"; filename*=UTF-8''{quote(name, safe='')}"
    return {"content-disposition": value, "x-content-type-options": "nosniff"}


def choose_file_name(wanted: str | None, name: str) -> str:
    """Return the file name for the client: the one that it wants, with the ending of `name`."""
    kept = (c for c in wanted or "" if c.isprintable() and c not in _NOT_IN_NAMES)
    ending = Path(name).suffix
    stem = "".join(kept).strip(" .").removesuffix(ending).rstrip(" .")
    return f"{stem}{ending}" if stem else name


class FileDownload(Response):
    """Response with one file, ranges and validators; NotFound(`missing`) if it cannot be opened.

    Its size is fixed when it is opened: data that a recording appends later is not part of this
    response.
    """

    def __init__(
        self,
        path: Path,
        *,
        missing: str,
        reads: anyio.CapacityLimiter,
        limit: WorkLimit,
        save_as: str | None = None,
    ) -> None:
        super().__init__(media_type=media_type(path.name))
        self._path = path
        self._name = choose_file_name(save_as, path.name)
        self._missing = missing
        self._reads = reads
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or the response that the request's conditions require.

        Raises Blocked if too many are being sent.
        """
        async with self._limit.turn():
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = await self._off_loop(self._open)
        try:
            await self._answer(file, scope, receive, send)
        finally:
            # Closing may wait for the disk, and must also happen after the client has gone.
            with anyio.CancelScope(shield=True):
                await self._off_loop(file.close)

    def _open(self) -> FileIO:
        try:
            descriptor = open_regular(self._path)
        except OSError as error:
            raise NotFound(self._missing) from error
        return FileIO(descriptor, "rb")

    async def _answer(self, file: FileIO, scope: Scope, receive: Receive, send: Send) -> None:
        status = os.fstat(file.fileno())
        size_bytes = status.st_size
        validators = Validators.of(status)
        asked = Headers(scope=scope)
        kept = {
            "accept-ranges": "bytes",
            "etag": validators.etag,
            "last-modified": validators.last_modified,
            "cache-control": "private, no-cache",
            **attachment(self._name),
        }
        if validators.unchanged(asked.get("if-none-match"), asked.get("if-modified-since")):
            await Response(status_code=304, headers=kept)(scope, receive, send)
            return
        # RFC 9110 defines Range for GET only, and If-Range is a condition on it.
        wanted = asked.get("range") if scope["method"] == "GET" else None
        if not validators.same_as(asked.get("if-range")):
            wanted = None
        try:
            spans = parse_range(wanted, size_bytes)
        except Unsatisfiable:
            body = {"detail": "Requested range not satisfiable", "code": "range_not_satisfiable"}
            headers = {**kept, "content-range": f"bytes */{size_bytes}"}
            del headers["content-disposition"]
            await answer(body, 416, headers)(scope, receive, send)
            return
        parts, headers, status_code = self._parts(spans, size_bytes)
        length = sum(len(lead) + (span.size_bytes if span else 0) for lead, span in parts)
        headers = {"content-type": self.media_type or "", **kept, **headers}
        await start_answer(send, status_code, {**headers, "content-length": str(length)})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        await while_connected(receive, partial(self._send_parts, file, parts, send))

    def _parts(
        self, spans: tuple[ByteRange, ...] | None, size_bytes: int
    ) -> tuple[list[tuple[bytes, ByteRange | None]], dict[str, str], int]:
        """Return the body as literal bytes, each followed by a span of the file."""
        if spans is None:
            return [(b"", ByteRange(0, size_bytes))], {}, 200
        if len(spans) == 1:
            return [(b"", spans[0])], {"content-range": content_range(spans[0], size_bytes)}, 206
        boundary = secrets.token_hex(16)
        parts: list[tuple[bytes, ByteRange | None]] = []
        for number, span in enumerate(spans):
            lead = (
                f"{'' if number == 0 else chr(13) + chr(10)}--{boundary}\r\n"
                f"Content-Type: {self.media_type}\r\n"
                f"Content-Range: {content_range(span, size_bytes)}\r\n\r\n"
            )
            parts.append((lead.encode("ascii"), span))
        parts.append((f"\r\n--{boundary}--\r\n".encode("ascii"), None))
        return parts, {"content-type": f"multipart/byteranges; boundary={boundary}"}, 206

    async def _send_parts(
        self, file: FileIO, parts: list[tuple[bytes, ByteRange | None]], send: Send
    ) -> None:
        for lead, span in parts:
            if lead:
                await send_chunk(send, lead)
            position, end = (span.start, span.end) if span else (0, 0)
            while position < end:
                count = min(CHUNK_BYTES, end - position)
                chunk = await self._off_loop(partial(os.pread, file.fileno(), count, position))
                if not chunk:
                    message = f"{self._path.name} was truncated while it was sent"
                    raise Failed(message, code="file_shrank")
                position += len(chunk)
                await send_chunk(send, chunk)
        await send({"type": "http.response.body", "body": b""})

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._reads)


class StreamDownload(Response):
    """Response that is generated while it is sent; an error breaks the connection."""

    def __init__(
        self,
        archive: ArchiveStream,
        kind: str = "application/zip",
        *,
        limit: WorkLimit,
        save_as: str | None = None,
    ) -> None:
        super().__init__(media_type=kind)
        self._archive = archive
        self._name = choose_file_name(save_as, archive.name)
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the archive while reading it. Raises Blocked if too many are being sent."""
        async with self._limit.turn():
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {
            "content-type": self.media_type or "",
            "accept-ranges": "none",
            "cache-control": "private, no-store",
            **attachment(self._name),
        }
        if self._archive.size_bytes is not None:
            headers["content-length"] = str(self._archive.size_bytes)
        await start_answer(send, 200, headers)
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        await while_connected(receive, partial(self._send_chunks, send))

    async def _send_chunks(self, send: Send) -> None:
        chunks = self._archive.chunks()
        async with AsyncExitStack() as stack:
            # A generator that is not read to its end keeps its files open until it is closed.
            stack.push_async_callback(close_chunks, chunks)
            async for chunk in chunks:
                await send_chunk(send, chunk)
        await send({"type": "http.response.body", "body": b""})


async def close_chunks(chunks: AsyncIterator[bytes]) -> None:
    """Close an iterator that was not read to its end, so that it closes its files."""
    if isinstance(chunks, AsyncGenerator):
        with anyio.CancelScope(shield=True):
            await chunks.aclose()


def content_range(span: ByteRange, size_bytes: int) -> str:
    """Return the value of `Content-Range` for a span of a file."""
    return f"bytes {span.start}-{span.end - 1}/{size_bytes}"


async def start_answer(send: Send, status_code: int, headers: dict[str, str]) -> None:
    """Send the status line and headers."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status_code, "headers": raw})


async def send_chunk(send: Send, chunk: bytes) -> None:
    """Send a part of the body that is followed by more."""
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def while_connected(receive: Receive, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` and cancel it when the client disconnects, which `send` would not report."""
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:

        async def cancel_when_gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            tasks.cancel_scope.cancel()

        tasks.start_soon(cancel_when_gone)
        try:
            await work()
        except Exception as error:  # noqa: BLE001  (raised below, outside the group that would wrap it)
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
