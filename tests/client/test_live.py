from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from pydantic import SecretStr

from support.fakesystem import FakeSystem
from support.serving import served
from touchline.client import Client, CommandFailed, Rejected, Unanswered, live
from touchline.client.live import Live, pause_s

pytestmark = pytest.mark.anyio

KEY = "a-key-of-some-length"
DEADLINE_S = 10.0


@pytest.fixture
def system(tmp_path: Path) -> FakeSystem:
    return FakeSystem.make(tmp_path)


async def first(connection: Live, *channels: str) -> Any:
    async def take() -> Any:
        async for update in connection.updates(*channels):
            return update
        return None

    return await asyncio.wait_for(take(), DEADLINE_S)


@pytest.mark.parametrize(
    ("failures", "chance", "expected_s"),
    [(0, 0, 0.05), (0, 1, 0.1), (1, 1, 0.2), (3, 1, 0.8), (6, 1, 5.0), (10_000, 0, 2.5)],
)
def test_pauses_grow_to_a_limit(failures: int, chance: float, expected_s: float) -> None:
    assert pause_s(failures, chance) == pytest.approx(expected_s)


async def test_updates_come_from_the_channels_that_are_wanted(system: FakeSystem) -> None:
    with served(system) as port:
        async with Client(f"http://127.0.0.1:{port}") as client, client.live() as connection:
            assert (await first(connection)).data["recording"]["recording"] is False
            await connection.subscribe("pipeline_state")
            assert (await first(connection, "pipeline_state")).data["mode"] == "idle"
            await connection.unsubscribe("status")
            assert set(connection.latest) == {"pipeline_state"}
        async with (
            Client(f"http://127.0.0.1:{port}") as client,
            client.live("system_metrics") as connection,
        ):
            assert (await first(connection)).channel == "system_metrics"
            await connection.command("get_recordings")
            assert set(connection.latest) == {"system_metrics"}


async def test_a_slow_reader_gets_the_newest_and_not_the_missed(system: FakeSystem) -> None:
    with served(system) as port:
        async with Client(f"http://127.0.0.1:{port}") as client, client.live() as connection:
            updates = connection.updates("status")
            assert (await anext(updates)).data["recording"]["match_id"] is None
            await connection.command("start_recording", match_id="m1")
            await connection.command("stop_recording", force=True)
            await connection.command("start_recording", match_id="m2")
            while connection.latest["status"].data["recording"]["match_id"] != "m2":
                await asyncio.sleep(0.01)
            assert (await anext(updates)).data["recording"]["match_id"] == "m2"


async def test_commands_return_data_or_raise_with_the_servers_words(system: FakeSystem) -> None:
    with served(system) as port:
        async with Client(f"http://127.0.0.1:{port}") as client, client.live() as connection:
            # Not connected yet: the command waits for that.
            started, listing = await asyncio.gather(
                connection.command("start_recording", match_id="m1"),
                connection.command("get_recordings"),
            )
            assert started["match_id"] == "m1"
            assert listing == {"recordings": {}}
            with pytest.raises(CommandFailed, match="Unknown action: fly") as failed:
                await connection.command("fly")
            assert failed.value.code == "unknown_action"


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("wrong", 403), (KEY, None)])
async def test_a_refusal_for_good_ends_every_wait(
    system: FakeSystem, key: str | None, status: int | None
) -> None:
    system.settings.auth.api_key = SecretStr(KEY)
    with served(system) as port:
        async with (
            Client(f"http://127.0.0.1:{port}", api_key=key) as client,
            client.live() as connection,
        ):
            if status is None:
                await connection.wait_connected()
                return
            for wait in (
                connection.command("get_recordings"),
                connection.wait_connected(),
                first(connection),
                connection.command("get_recordings"),
            ):
                with pytest.raises(Rejected) as caught:
                    await asyncio.wait_for(wait, DEADLINE_S)
                assert caught.value.status == status


async def test_a_place_that_is_taken_is_waited_for(system: FakeSystem) -> None:
    system.settings.websocket.max_connections = 1
    with served(system) as port:
        async with (
            ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{port}/ws") as holder,
            Client(f"http://127.0.0.1:{port}") as client,
            client.live() as connection,
        ):
            await holder.receive()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(connection.wait_connected(), 0.3)
            await holder.close()
            await asyncio.wait_for(connection.wait_connected(), DEADLINE_S)


async def test_no_server_leaves_a_command_unanswered() -> None:
    async with Client("http://127.0.0.1:9") as client, client.live() as connection:
        with pytest.raises(Unanswered):
            await connection.command("get_recordings", timeout_s=0.2)
        assert not connection.connected


class Flaky:
    """A server whose connections break in the middle of a command."""

    def __init__(self, breaks: int) -> None:
        self.breaks = breaks
        self.heard: list[Any] = []
        self.clients: list[str] = []

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.clients.append(request.query["client"])
        await socket.send_json({"v": 1, "type": "hello", "channels": ["status"]})
        async for frame in socket:
            message = frame.json()
            self.heard.append(message)
            if message["type"] != "command":
                continue
            if self.breaks:
                self.breaks -= 1
                transport = request.transport
                assert transport is not None
                transport.abort()
                break
            answer = {"v": 1, "type": "command_result", "id": message["id"], "success": True}
            await socket.send_json({**answer, "data": "done", "deduplicated": True})
        return socket

    async def start(self) -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.router.add_get("/ws", self.serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, runner.addresses[0][1]


async def test_a_broken_connection_is_made_again_with_everything_it_had() -> None:
    flaky = Flaky(breaks=2)
    runner, port = await flaky.start()
    try:
        async with (
            Client(f"http://127.0.0.1:{port}") as client,
            client.live("pipeline_state") as connection,
        ):
            assert await connection.command("stop_recording", force=True) == "done"
            assert connection.connections == 3
    finally:
        await runner.cleanup()
    commands = [message for message in flaky.heard if message["type"] == "command"]
    assert len(commands) == 3
    assert commands[0] == commands[1] == commands[2]  # the same id: it is carried out once
    assert len(set(flaky.clients)) == 1
    others = [message for message in flaky.heard if message["type"] != "command"]
    assert others == 3 * [
        {"v": 1, "type": "unsubscribe", "channels": ["status"]},
        {"v": 1, "type": "subscribe", "channels": ["pipeline_state"]},
    ]


async def test_a_command_is_not_repeated_once_the_server_may_have_forgotten_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "RESEND_S", 0.0)
    flaky = Flaky(breaks=1)
    runner, port = await flaky.start()
    try:
        async with Client(f"http://127.0.0.1:{port}") as client, client.live() as connection:
            with pytest.raises(Unanswered):
                await connection.command("stop_recording")
    finally:
        await runner.cleanup()
    assert len([message for message in flaky.heard if message["type"] == "command"]) == 1
