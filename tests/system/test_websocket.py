"""The WebSocket of the real server, with the client of this package, over the server's lives."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from support.server import SMALL, Server, wait_for
from touchline.client import Client, Live

pytestmark = pytest.mark.anyio

DEADLINE_S = 20.0
ALREADY = {
    "success": False,
    "message": "Already recording match: m1",
    "code": "already_recording",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, {0: SMALL, 1: SMALL})
    with socket.create_server(("127.0.0.1", 0)) as free:
        made.port = free.getsockname()[1]
    made.start()
    try:
        yield made
    finally:
        made.close()


@asynccontextmanager
async def live(server: Server, *channels: str) -> AsyncIterator[Live]:
    async with (
        Client(f"http://127.0.0.1:{server.port}") as client,
        client.live(*channels) as connection,
    ):
        yield connection


async def until(connection: Live, match_id: str | None, after: int = 0) -> Any:
    """The first status of a later connection than `after` that shows this match."""

    async def look() -> Any:
        async for update in connection.updates("status"):
            if update.data["recording"]["match_id"] == match_id and connection.connections > after:
                return update
        return None

    return await asyncio.wait_for(look(), DEADLINE_S)


async def test_a_match_is_started_watched_and_stopped_over_one_socket(server: Server) -> None:
    async with live(server, "status", "pipeline_state", "system_metrics") as connection:
        started = await connection.command("start_recording", match_id="m1")
        assert (started["success"], started["cameras_started"]) == (True, [0, 1])
        await until(connection, "m1")
        declined = await connection.command("start_recording", match_id="m2")
        assert declined == ALREADY
        assert connection.latest["pipeline_state"].data["mode"] == "recording"
        assert set(connection.latest["status"].data) == set(server.get("/status"))
        stopped = await connection.command("stop_recording", force=True)
        assert stopped["success"], stopped
        await until(connection, None)
        listing = await connection.command("get_recordings")
        assert listing["recordings"]["m1"]["segments_count"] == 2
        logs = await connection.command("get_logs", log_type="watchdog", lines=5)
        assert logs["log_type"] == "watchdog"
        metrics = connection.latest["system_metrics"].data
        assert set(metrics) == set(server.get("/system-metrics"))


async def test_status_is_told_each_second_while_cameras_report_far_more_often(
    server: Server,
) -> None:
    server.started("m1")
    async with live(server) as connection:
        await until(connection, "m1")
        count = 0
        loop = asyncio.get_running_loop()
        until_s = loop.time() + 5
        updates = connection.updates("status")
        while loop.time() < until_s:
            await asyncio.wait_for(anext(updates), DEADLINE_S)
            count += 1
        # Two cameras report twice a second each; a busy machine sends late what was due before.
        assert 4 <= count <= 12


async def test_the_client_finds_the_recording_again_after_the_server_was_killed(
    server: Server,
) -> None:
    async with live(server, "status") as connection:
        assert (await connection.command("start_recording", match_id="m1"))["success"]
        await until(connection, "m1")
        lives = connection.connections
        server.kill()
        # Sent to nobody: it waits for the next life, which knows what is recorded.
        pending = asyncio.ensure_future(connection.command("start_recording", match_id="m2"))
        await asyncio.to_thread(server.start)
        assert await asyncio.wait_for(pending, DEADLINE_S) == ALREADY
        await until(connection, "m1", after=lives)
        assert (await connection.command("stop_recording", force=True))["success"]


async def test_an_orderly_stop_closes_its_sockets_and_says_that_it_comes_back(
    server: Server,
) -> None:
    async with connect(f"ws://127.0.0.1:{server.port}/ws") as connection:
        await connection.recv()
        assert await asyncio.to_thread(server.terminate) == 0
        with pytest.raises(ConnectionClosed) as caught:
            await asyncio.wait_for(to_the_end(connection), DEADLINE_S)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1012


async def test_the_eleventh_socket_is_told_to_try_later(server: Server) -> None:
    url = f"ws://127.0.0.1:{server.port}/ws"
    ten = [await connect(url) for _ in range(10)]
    async with connect(url) as eleventh:
        with pytest.raises(ConnectionClosed) as caught:
            await eleventh.recv()
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1013, "Too many connections")
    for each in ten:
        assert json.loads(await each.recv())["type"] == "hello"
        await each.close()


async def test_a_megabyte_is_too_much_to_even_be_answered(server: Server) -> None:
    url = f"ws://127.0.0.1:{server.port}/ws"
    async with connect(url) as connection:
        await connection.recv()
        await connection.send("x" * 900_000)
        while (message := json.loads(await connection.recv()))["type"] != "error":
            pass
        assert message["code"] == "message_too_large"
        await connection.send("x" * 1_100_000)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(to_the_end(connection), DEADLINE_S)
    wait_for(lambda: _sessions(server) == 0, "let go of")


async def to_the_end(connection: ClientConnection) -> None:
    async for _ in connection:
        pass


def _sessions(server: Server) -> float:
    text = server.client.get(f"http://127.0.0.1:{server.port}/metrics").text
    (line,) = [row for row in text.splitlines() if row.startswith("touchline_websocket_sessions ")]
    return float(line.split()[1])
