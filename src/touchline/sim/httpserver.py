"""A small HTTP/1.1 server for the simulators: persistent connections, JSON, endless bodies.

It is not based on a framework because it must start in milliseconds, with the standard library
alone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

LONGEST_HEAD_BYTES = 64 * 1024
_REASONS = {200: "OK", 302: "Found", 401: "Unauthorized", 404: "Not Found", 405: "No", 500: "Error"}


@dataclass(frozen=True)
class HttpRequest:
    """A request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """A response; with `chunks` the body has no length, and the connection ends with it."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    chunks: AsyncIterator[bytes] | None = None


class Silence(Exception):
    """Exception of a handler: the connection stays open without a response."""


Handler = Callable[[HttpRequest], Awaitable[Reply]]


def as_json(value: Any, status: int = 200) -> Reply:
    """Return `value` as a JSON response."""
    return Reply(status, json.dumps(value).encode())


async def serve(handler: Handler, host: str, port: int) -> asyncio.Server:
    """Start listening. Raises OSError if the port is in use."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while await _one(handler, reader, writer):
                pass
        writer.close()

    return await asyncio.start_server(connected, host, port, limit=LONGEST_HEAD_BYTES, backlog=512)


async def _one(
    handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Serve one request and return whether to keep the connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, _, rest = lines[0].partition(" ")
    target = rest.rpartition(" ")[0]
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    body = await reader.readexactly(int(length)) if length.isdigit() and length != "0" else b""
    parts = urlsplit(target)
    request = HttpRequest(method, unquote(parts.path), dict(parse_qsl(parts.query)), headers, body)
    try:
        reply = await handler(request)
    except Silence:
        await reader.read()  # until the client disconnects
        return False
    return await _answer(reply, reader, writer)


async def _answer(reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    head = f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Status')}\r\n"
    head += f"Content-Type: {reply.content_type}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    if reply.chunks is None:
        writer.write(f"{head}Content-Length: {len(reply.body)}\r\n\r\n".encode() + reply.body)
        await writer.drain()
        return True
    writer.write(f"{head}Connection: close\r\n\r\n".encode())
    gone = asyncio.ensure_future(reader.read())
    try:
        async for chunk in reply.chunks:
            writer.write(chunk)
            await writer.drain()
            if gone.done():
                break
    finally:
        gone.cancel()
        with suppress(RuntimeError):
            await reply.chunks.aclose()  # type: ignore[attr-defined]
    return False
