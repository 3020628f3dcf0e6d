"""What a server is told that does not read: bounded, events in order, the newest status."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from touchline.ipc import wire
from touchline.ipc.outgoing import FULL_BYTES, KEPT_BYTES, Outgoing

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[Outgoing, asyncio.StreamWriter, socket.socket]]:
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_unix_connection(sock=ours)
    try:
        yield Outgoing(writer), writer, theirs
    finally:
        writer.transport.abort()
        theirs.close()


def status(number: int, size: int = 2000) -> dict[str, object]:
    return {"event": "status", "number": number, "padding": "x" * size}


async def read_all(theirs: socket.socket) -> list[dict[str, object]]:
    """Everything that comes until nothing has come for a moment."""
    theirs.setblocking(False)
    loop, data = asyncio.get_running_loop(), b""
    while True:
        try:
            piece = await asyncio.wait_for(loop.sock_recv(theirs, 1 << 20), 0.3)
        except TimeoutError:
            return [json.loads(line) for line in data.splitlines()]
        data += piece


async def test_a_server_that_stands_still_gets_every_event_and_the_newest_status() -> None:
    async with connection() as (outgoing, writer, theirs):
        for number in range(3000):
            message = status(number)
            if number % 10 == 0:
                message = {"event": "segment", "number": number}
            outgoing.send_message(message, wire.encode(message))
        assert writer.transport.get_write_buffer_size() < FULL_BYTES + 4000
        heard = await read_all(theirs)
        last = status(3000)
        outgoing.send_message(last, wire.encode(last))
        heard += await read_all(theirs)
        events = [m["number"] for m in heard if m["event"] == "segment"]
        assert events == list(range(0, 3000, 10))
        statuses = [m["number"] for m in heard if m["event"] == "status"]
        assert statuses[-2:] == [2999, 3000]
        assert len(statuses) < 300, "only what was on its way when it stopped"


async def test_one_that_is_away_for_too_long_is_disconnected() -> None:
    async with connection() as (outgoing, writer, theirs):
        del theirs
        message = {"event": "segment", "padding": "x" * 10_000}
        line = wire.encode(message)
        for _ in range(KEPT_BYTES // len(line) + 100):
            outgoing.send_message(message, line)
        assert writer.is_closing()
