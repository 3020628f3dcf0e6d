"""The RTSP outlet's door: idle clients make room, and guesses have to wait."""

from __future__ import annotations

import asyncio
import base64
import time as real_time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from touchline.ipc.attempts import FREE, Attempts
from touchline.live.frames.streams import Streams
from touchline.live.rtsp import server as rtsp
from touchline.live.rtsp.door import (
    LONGEST_PAUSE_S,
    MAX_CLIENTS,
    MAX_STRANGERS_PER_ADDRESS,
    RtspDoor,
)
from touchline.live.rtsp.messages import RtspRequest
from touchline.live.rtsp.server import RtspServer

pytestmark = pytest.mark.anyio
PASSWORD = "goal!"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(eq=False)
class FakeGuest:
    address: str = "192.0.2.1"
    is_known: bool = False
    here: bool = True
    pauses: list[bool] = field(default_factory=list)

    def note_known(self) -> None:
        self.is_known = True

    def note_pause(self, *, lasts: bool) -> None:
        self.pauses.append(lasts)

    def close_connection(self) -> None:
        self.here = False


class Time:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, for_s: float) -> None:
        self.now_s += for_s


def describe(password: str | None) -> RtspRequest:
    headers = {}
    if password is not None:
        headers["authorization"] = "Basic " + base64.b64encode(f"x:{password}".encode()).decode()
    return RtspRequest("DESCRIBE", "rtsp://h/cam0", headers)


def door_of(time: Time, told: list[dict[str, Any]]) -> RtspDoor:
    attempts = Attempts(longest_pause_s=LONGEST_PAUSE_S, now_s=time)
    return RtspDoor(told.append, password=PASSWORD, attempts=attempts, sleep=time.sleep)


def test_whoever_only_sits_there_makes_room_for_others() -> None:
    door = RtspDoor(lambda _: None, password=PASSWORD)
    idle = [FakeGuest(f"192.0.2.{number}") for number in range(MAX_CLIENTS)]
    assert all(door.enter(each) for each in idle)
    newcomer = FakeGuest("198.51.100.1")
    assert door.enter(newcomer)
    assert [each.here for each in idle] == [False] + [True] * (MAX_CLIENTS - 1)
    assert newcomer.here


def test_viewers_are_never_sent_away_for_others() -> None:
    door = RtspDoor(lambda _: None, password=PASSWORD)
    viewers = [FakeGuest(is_known=True) for _ in range(MAX_CLIENTS)]
    assert all(door.enter(each) for each in viewers), "as many as they like from one address"
    assert not door.enter(FakeGuest("198.51.100.1"))
    assert all(each.here for each in viewers)
    door.leave(viewers[0])
    assert door.enter(FakeGuest("198.51.100.1"))


def test_strangers_of_one_address_have_few_places() -> None:
    door = RtspDoor(lambda _: None, password=PASSWORD)
    flood = [FakeGuest() for _ in range(100)]
    other = FakeGuest("198.51.100.1")
    assert door.enter(other)
    for each in flood:
        door.enter(each)
    assert sum(each.here for each in flood) == MAX_STRANGERS_PER_ADDRESS
    assert other.here


def test_strangers_of_one_ipv6_network_have_few_places() -> None:
    door = RtspDoor(lambda _: None, password=PASSWORD)
    flood = [FakeGuest(f"2001:db8:0:7::{number:x}") for number in range(100)]
    other = FakeGuest("2001:db8:0:8::1")
    assert door.enter(other)
    for each in flood:
        door.enter(each)
    assert sum(each.here for each in flood) == MAX_STRANGERS_PER_ADDRESS
    assert other.here


async def test_wrong_passwords_wait_before_they_are_looked_at() -> None:
    time, told = Time(), list[dict[str, Any]]()
    door, guest = door_of(time, told), FakeGuest()
    for _ in range(FREE + 1):
        assert not await door.authenticate(guest, describe("wrong"))
    assert time.now_s == 0.0
    waited: list[float] = []
    for _ in range(6):
        before_s = time.now_s
        assert not await door.authenticate(guest, describe("wrong"))
        waited.append(time.now_s - before_s)
    assert waited == [1, 2, 4, 8, 16, LONGEST_PAUSE_S]
    assert guest.pauses[-2:] == [True, False], "its silence meanwhile is not its own"
    before_s = time.now_s
    assert await door.authenticate(guest, describe(PASSWORD))
    assert time.now_s - before_s == LONGEST_PAUSE_S, "a right one is not told from a wrong one"
    assert [(event["event"], event["address"]) for event in told] == [
        ("rtsp_refused", guest.address)
    ]


async def test_others_do_not_wait_for_somebody_who_guesses() -> None:
    time = Time()
    door, viewer = door_of(time, []), FakeGuest()
    assert await door.authenticate(viewer, describe(PASSWORD))
    for _ in range(FREE + 1):
        await door.authenticate(FakeGuest(), describe("wrong"))
    assert await door.authenticate(FakeGuest("198.51.100.1"), describe(PASSWORD))
    assert await door.authenticate(viewer, describe(PASSWORD)), "it has shown the password before"
    assert time.now_s == 0.0


async def test_a_request_without_a_password_is_no_guess() -> None:
    time = Time()
    door = door_of(time, [])
    for _ in range(100):
        assert not await door.authenticate(FakeGuest(), describe(None))
    assert await door.authenticate(FakeGuest(), describe(PASSWORD))
    assert time.now_s == 0.0


@asynccontextmanager
async def outlet(password: str | None = PASSWORD) -> AsyncIterator[int]:
    """The port of a server that listens on loopback."""
    server = RtspServer(Streams(lambda _: None), lambda _: None, password=password)
    port = await server.open("127.0.0.1", 0)
    try:
        yield port
    finally:
        await server.close()


async def test_a_pause_of_the_live_process_sends_no_client_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rtsp, "STRANGER_S", 1.0)
    monkeypatch.setattr(rtsp, "_LOOK_S", 0.05)
    async with outlet(password=None) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.2)
        real_time.sleep(1.5)  # noqa: ASYNC251  (as a stopped process)
        await asyncio.sleep(0.2)
        writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert (await reader.readline()).startswith(b"RTSP/1.0 200")
        writer.close()


async def test_idle_connections_lock_nobody_out_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtsp, "STRANGER_S", 0.5)
    monkeypatch.setattr(rtsp, "_LOOK_S", 0.05)
    async with outlet() as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert await asyncio.wait_for(reader.readline(), 20) == b"RTSP/1.0 200 OK\r\n"
        for each, other in [*idle, (reader, writer)]:
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(each.readexactly(1 << 20), 20)
            other.close()
