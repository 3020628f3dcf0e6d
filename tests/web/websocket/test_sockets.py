"""The WebSocket over real sockets: who gets in, what comes out, and who is thrown out."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio import to_thread
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.fakerecorders import FakeRecorder, NeverRecorder
from support.fakesystem import FakeSystem
from support.hubs import HELLO, PONG
from support.serving import served
from touchline.web.server import websocket
from touchline.web.websocket.channels import Channel

pytestmark = pytest.mark.anyio

KEY = "a-key-of-some-length"
DEADLINE_S = 10.0


@pytest.fixture
def system(tmp_path: Path) -> FakeSystem:
    return FakeSystem.make(tmp_path)


class StoppedRecorder(FakeRecorder):
    """A stop takes until `may_end` is set, by whatever thread."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = threading.Event()

    async def stop(self, *, force: bool) -> dict[str, Any]:
        await to_thread.run_sync(self.may_end.wait, DEADLINE_S)
        return await super().stop(force=force)


class Socket:
    """One connection of a client."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"v": 1, "type": kind, **fields}))

    async def receive(self, *kinds: str) -> Any:
        """The next message; with `kinds` the next of those."""
        with anyio.fail_after(DEADLINE_S):
            while True:
                message = json.loads(await self.connection.recv())
                if not kinds or message["type"] in kinds:
                    return message

    async def command(self, action: str, **params: Any) -> Any:
        await self.send("command", id=f"{action} {params}", action=action, params=params)
        assert (await self.receive("command_ack"))["action"] == action
        return await self.receive("command_result")


@asynccontextmanager
async def connected(port: int, query: str = "", **options: Any) -> AsyncIterator[Socket]:
    """A connection that has been greeted."""
    async with connect(f"ws://127.0.0.1:{port}/ws{query}", **options) as connection:
        made = Socket(connection)
        assert await made.receive() == HELLO
        yield made


async def refused(port: int, **options: Any) -> tuple[int, Any]:
    """The status and the body with which a handshake is refused."""
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://127.0.0.1:{port}/ws", **options)
    response = caught.value.response
    return response.status_code, json.loads(response.body or b"{}")


# --------------------------------------------------------------------- what comes out


async def test_what_the_channels_tell_is_what_the_routes_answer(system: FakeSystem) -> None:
    with served(system) as port:
        async with connected(port) as one, httpx.AsyncClient() as client:
            channels = {
                "status": "status",
                "pipeline_state": "pipeline-state",
                "system_metrics": "system-metrics",
            }
            await one.send("subscribe", channels=[*channels, "panorama_status"])
            for channel, route in channels.items():
                answer = await client.get(f"http://127.0.0.1:{port}/api/v1/{route}")
                message = await one.receive(channel)
                assert message["data"] == answer.json()
                assert abs(message["ts"] - time.time()) < DEADLINE_S
            panorama = await one.receive("panorama_status")
            api = f"http://127.0.0.1:{port}/api/v1/panorama"
            assert panorama["data"] == {
                "panorama": (await client.get(f"{api}/status")).json(),
                "calibration": (await client.get(f"{api}/calibration")).json(),
            }


async def test_status_comes_unasked_every_second(system: FakeSystem) -> None:
    with served(system) as port:
        async with connected(port) as one:
            first, second = await one.receive("status"), await one.receive("status")
            assert 0.8 < second["ts"] - first["ts"] < 1.8


async def test_a_recording_started_over_http_is_told_at_once(
    system: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Channel.__init__

    def rarely(channel: Channel, name: str, period_s: float, *rest: Any, **more: Any) -> None:
        make(channel, name, period_s * 3600, *rest, **more)

    monkeypatch.setattr(Channel, "__init__", rarely)  # what comes did not come by itself
    with served(system) as port:
        async with connected(port) as one, httpx.AsyncClient() as client:
            await client.post(f"http://127.0.0.1:{port}/api/v1/recording", json={"match_id": "m"})
            with anyio.fail_after(DEADLINE_S):
                while True:
                    message = await one.receive("status")
                    if message["data"]["recording"]["recording"]:
                        break


async def test_what_is_too_large_or_binary_is_answered_and_the_connection_stays(
    system: FakeSystem,
) -> None:
    with served(system) as port:
        async with connected(port) as one:
            await one.connection.send("é" * 40_000)
            assert (await one.receive("error"))["code"] == "message_too_large"
            await one.connection.send(b'{"v":1,"type":"ping"}')
            assert (await one.receive("error"))["code"] == "invalid_format"
            await one.send("ping")
            assert await one.receive("pong") == PONG


# --------------------------------------------------------------------- commands


async def test_every_action_of_the_contract_does_what_its_route_does(system: FakeSystem) -> None:
    system.capture.recorder.age_s = 20
    with served(system) as port:
        async with connected(port) as one, httpx.AsyncClient() as client:
            api = f"http://127.0.0.1:{port}/api/v1"
            start = await one.command("start_recording", match_id="m1", force=False)
            assert start["data"]["message"] == "Recording started for match: m1"
            again = await one.command("start_recording", match_id="m2")
            answer = await client.post(f"{api}/recording", json={"match_id": "m2"})
            assert again["success"] is True  # the command was carried out; what it says is data
            assert again["data"] == answer.json()
            assert again["data"]["success"] is False
            stop = await one.command("stop_recording", force=True)
            assert stop["data"]["integrity"]["all_ok"] is True
            listing = await one.command("get_recordings")
            assert listing["data"] == (await client.get(f"{api}/recordings")).json()
            logs = await one.command("get_logs", log_type="alerts", lines=100_000)
            assert logs["data"] == (await client.get(f"{api}/logs/alerts")).json()
            await one.command("start_preview", camera_id=0, transport="webrtc")
            await one.command("stop_preview")
            assert system.capture.preview.calls == [("start", 0, "webrtc"), ("stop", None)]
            panorama = await one.command("get_panorama_processing", match_id="m1")
            assert panorama["data"] == {
                "processing": False,
                "progress": 0,
                "eta_seconds": None,
                "completed": False,
                "error": None,
                "message": "No processing found for match m1",
            }


@pytest.mark.parametrize(
    ("action", "params", "error"),
    [
        ("start_recording", {"match_id": "m1/../up"}, "match_id must not contain '/'"),
        ("start_recording", {"force": "perhaps"}, "force: Input should be a valid boolean"),
        ("start_preview", {"camera_id": "a"}, "camera_id: Input should be a valid integer"),
        (
            "get_logs",
            {"log_type": "kernel"},
            "Unknown log type. Available: health, alerts, watchdog",
        ),
        ("get_panorama_processing", {}, "match_id is required"),
        ("get_panorama_processing", {"match_id": ""}, "match_id is required"),
        ("restart_service", {}, "Unknown action: restart_service"),
    ],
)
async def test_what_cannot_be_done_is_answered_with_the_contracts_words(
    system: FakeSystem, action: str, params: dict[str, Any], error: str
) -> None:
    with served(system) as port:
        async with connected(port) as one:
            answer = await one.command(action, **params)
            assert answer["success"] is False
            assert answer["error"].startswith(error)


async def test_cameras_that_are_taken_are_an_error_of_the_command(system: FakeSystem) -> None:
    system.capture.recorder = NeverRecorder()
    with served(system) as port:
        async with connected(port) as one:
            answer = await one.command("start_recording")
            assert answer["error"] == "Could not acquire camera resources for recording"


async def test_a_stop_goes_on_when_its_socket_is_gone(system: FakeSystem) -> None:
    recorder = system.capture.recorder = StoppedRecorder()
    recorder.match_id, recorder.age_s = "m1", 20
    with served(system) as port:
        async with connected(port) as one:
            await one.send("command", id="s", action="stop_recording")
            await one.receive("command_ack")
        async with connected(port) as two:
            await two.send("command", id="s", action="stop_recording")
            assert (await two.receive("command_ack"))["in_progress"] is True
            await two.send("ping")
            assert await two.receive("pong") == PONG
            recorder.may_end.set()
            assert (await two.receive("command_result"))["data"]["success"] is True


async def test_two_clients_behind_one_address_tell_themselves_apart(system: FakeSystem) -> None:
    with served(system) as port:
        async with connected(port, "?client=left") as one, connected(port, "?client=right") as two:
            await one.send("command", id=1, action="start_recording", params={"match_id": "m1"})
            assert (await one.receive("command_result"))["data"]["success"] is True
            await two.send("command", id=1, action="stop_recording", params={"force": True})
            stopped = await two.receive("command_result")
            assert stopped["data"]["message"] == "Recording stopped successfully"
        async with connected(port, "?client=left") as again:
            await again.send("command", id=1, action="start_recording")
            assert (await again.receive("command_result"))["deduplicated"] is True


# --------------------------------------------------------------------- who gets in


async def test_one_too_many_is_told_so_and_gets_in_once_there_is_room(system: FakeSystem) -> None:
    system.settings.websocket.max_connections = 2
    with served(system) as port:
        async with connected(port), connected(port) as second:
            async with connect(f"ws://127.0.0.1:{port}/ws") as third:
                with pytest.raises(ConnectionClosed) as caught:
                    await third.recv()
            assert caught.value.rcvd is not None
            assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (
                1013,
                "Too many connections",
            )
            await second.connection.close()
            with anyio.fail_after(DEADLINE_S):
                while True:
                    try:
                        async with connected(port):
                            break
                    except ConnectionClosed:
                        await anyio.sleep(0.01)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 401),
        ({"Authorization": "Basic Zm9v"}, 401),
        ({"Authorization": "Bearer wrong"}, 403),
        ({"X-API-KEY": "wrong"}, 403),
        ({"Authorization": f"Bearer {KEY}"}, None),
        ({"Authorization": f"bearer {KEY}"}, None),
        ({"X-API-KEY": KEY}, None),
    ],
)
async def test_where_a_key_rules_a_socket_needs_it(
    system: FakeSystem, headers: dict[str, str], expected: int | None
) -> None:
    system.settings.auth.api_key = SecretStr(KEY)
    with served(system) as port:
        if expected is None:
            async with connected(port, additional_headers=headers):
                return
        status, body = await refused(port, additional_headers=headers)
        assert status == expected
        assert body["detail"] == {401: "missing bearer token", 403: "invalid token"}[expected]


@pytest.mark.parametrize("key", [None, KEY])
async def test_a_page_of_another_site_gets_no_socket(system: FakeSystem, key: str | None) -> None:
    system.settings.auth.cors_origins = ("https://club.example",)
    system.settings.auth.api_key = None if key is None else SecretStr(key)
    headers = {} if key is None else {"X-API-KEY": key}
    with served(system) as port:
        for origin in ("https://evil.example", f"http://127.0.0.1:{port + 1}", "null"):
            status, body = await refused(port, origin=origin, additional_headers=headers)
            assert (status, body["code"]) == (403, "cross_origin")
        for origin in ("https://club.example", f"http://127.0.0.1:{port}"):
            async with connected(port, origin=origin, additional_headers=headers):
                pass


async def test_an_open_server_answers_to_its_own_names_only(system: FakeSystem) -> None:
    with served(system) as port:
        own = socket.create_connection(("127.0.0.1", port))
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://rebound.example:{port}/ws", sock=own)
        assert caught.value.response.status_code == 400


# --------------------------------------------------------------------- who is thrown out


def handshake(port: int) -> socket.socket:
    """A connection whose client has been let in, and reads nothing from now on."""
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", port))
    stuck.sendall(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert b"101" in stuck.recv(64)
    return stuck


async def test_a_stuck_client_is_cut_off_and_others_feel_nothing(
    system: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "STUCK_S", 0.5)
    status = system.capture.recorder.status()
    monkeypatch.setattr(
        system.capture.recorder, "status", lambda: {**status, "filling": "x" * 300_000}
    )
    system.settings.websocket.max_connections = 2
    with served(system) as port:
        stuck = await to_thread.run_sync(handshake, port)
        async with connected(port, max_size=None) as one:
            worst_s = 0.0
            until_s = time.monotonic() + 1.5
            while time.monotonic() < until_s:
                began_s = time.monotonic()
                await one.send("subscribe", channels=["status"])
                await one.receive("status")
                worst_s = max(worst_s, time.monotonic() - began_s)
            assert worst_s < 0.5
            with anyio.fail_after(DEADLINE_S):
                while True:  # the place of the one that was cut off is free again
                    try:
                        async with connected(port, max_size=None):
                            break
                    except ConnectionClosed:
                        await anyio.sleep(0.05)
        stuck.close()
