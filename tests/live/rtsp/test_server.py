from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest

from support.codedbytes import frame
from support.feeders import fed
from touchline.live.frames.stream import CameraStream
from touchline.live.frames.streams import Streams
from touchline.live.rtsp.server import METHODS, RtspServer

pytestmark = pytest.mark.anyio

WITHIN_S = 30.0


class Client:
    """A client within one connection."""

    def __init__(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.port = port
        self._url = f"rtsp://127.0.0.1:{port}"
        self.reader, self.writer = reader, writer

    async def ask(self, method: str, path: str = "/cam0", **headers: str) -> tuple[int, str]:
        lines = [f"{method} {self._url}{path} RTSP/1.0", "CSeq: 7"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await self._within(self.reader.readuntil(b"\r\n\r\n"))).decode()
        body = b""
        for line in head.split("\r\n"):
            if line.lower().startswith("content-length:"):
                body = await self._within(self.reader.readexactly(int(line.split(":")[1])))
        return int(head.split(" ")[1]), head + body.decode()

    async def packet(self) -> tuple[int, bytes]:
        """The channel and the content of the next packet."""
        sign, channel, size = struct.unpack(">cBH", await self._within(self.reader.readexactly(4)))
        assert sign == b"$"
        return channel, await self._within(self.reader.readexactly(size))

    async def tear_down(self) -> int:
        """End the session; return the status, which follows the packets that are under way."""
        self.writer.write(f"TEARDOWN {self._url}/cam0 RTSP/1.0\r\nCSeq: 9\r\n\r\n".encode())
        while await self._within(self.reader.readexactly(1)) == b"$":
            _, size = struct.unpack(">BH", await self._within(self.reader.readexactly(3)))
            await self._within(self.reader.readexactly(size))
        head = await self._within(self.reader.readuntil(b"\r\n\r\n"))
        return int(head.split(b" ")[1])

    async def _within(self, work: Any) -> Any:
        return await asyncio.wait_for(work, WITHIN_S)


class Rig:
    """A server whose cameras are shown to whoever asks, unless there is a reason not to."""

    def __init__(self) -> None:
        self.streams = Streams()
        self.told: list[dict[str, Any]] = []
        self.reason: str | None = None
        self.server = RtspServer(self.streams, self._hear)

    def _hear(self, event: dict[str, Any]) -> None:
        self.told.append(event)
        if event.get("here"):
            loop = asyncio.get_running_loop()
            loop.call_soon(self.server.admit, event["viewer"], self.reason)


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Rig, Client]]:
    rig = Rig()
    port = await rig.server.open("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield rig, Client(port, reader, writer)
    finally:
        writer.close()
        await rig.server.close()


def show(rig: Rig) -> CameraStream:
    """A camera that has sent its first keyframe."""
    stream = rig.streams.get("cam0")
    fed(stream)
    stream.push(frame(0, keyframe=True))
    return stream


async def roll(stream: CameraStream) -> None:
    """Send frames until cancelled, a keyframe in ten."""
    for n in count(1):
        stream.push(frame(n, keyframe=n % 10 == 0))
        await asyncio.sleep(0.005)


async def until(condition: Any) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_camera_is_described_and_played_from_its_next_keyframe_on() -> None:
    async with serving() as (rig, client):
        stream = show(rig)
        assert (await client.ask("OPTIONS"))[1].count(METHODS) == 1
        status, text = await client.ask("DESCRIBE")
        assert status == 200
        assert "a=rtpmap:96 H264/90000" in text
        wanted = "RTP/AVP/TCP;unicast;interleaved=2-3"
        status, text = await client.ask("SETUP", "/cam0/trackID=0", Transport=wanted)
        assert (status, f"Transport: {wanted}" in text) == (200, True)
        assert (await client.ask("PLAY"))[0] == 200
        rolling = asyncio.create_task(roll(stream))
        try:
            channel, packet = await client.packet()
        finally:
            rolling.cancel()
        assert (channel, packet[1] & 0x7F) == (2, 96)
        (viewer,) = rig.server.sessions()
        assert (viewer["camera"], viewer["transport"]) == ("cam0", "tcp")
        assert await client.tear_down() == 200
    await until(lambda: any(not each["here"] for each in rig.told))


async def test_what_may_not_be_watched_is_unavailable_and_what_is_not_there_not_found() -> None:
    async with serving() as (rig, client):
        rig.reason = "a recording is using the cameras"
        assert (await client.ask("DESCRIBE", "/nothing"))[0] == 404
        show(rig)
        assert (await client.ask("DESCRIBE"))[0] == 503
        rig.reason = None
        assert (await client.ask("DESCRIBE"))[0] == 200
        assert (await client.ask("DESCRIBE", "/cam1"))[0] == 455, "one camera a connection"


async def test_requests_out_of_their_order_or_of_no_kind_are_refused() -> None:
    async with serving() as (rig, client):
        show(rig)
        assert (await client.ask("PLAY"))[0] == 455
        status, text = await client.ask("RECORD")
        assert (status, f"Allow: {METHODS}" in text) == (405, True)
        assert (await client.ask("SETUP", Transport="RAW/RAW/UDP"))[0] == 461
        client.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        answer = await client._within(client.reader.read())
        assert answer.startswith(b"RTSP/1.0 400")


async def test_clients_of_a_camera_that_is_hidden_are_disconnected() -> None:
    async with serving() as (rig, client):
        show(rig)
        assert (await client.ask("DESCRIBE"))[0] == 200
        rig.server.end("cam1")
        assert rig.server.sessions()
        rig.server.end("cam0")
        assert await client._within(client.reader.read()) == b""
        await until(lambda: not rig.server.sessions())
        assert rig.told[-1]["here"] is False


async def test_one_who_finds_every_place_taken_reads_when_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as (rig, client):
        assert (await client.ask("OPTIONS"))[0] == 200
        monkeypatch.setattr(rig.server._door, "enter", lambda _: False)
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        async with asyncio.timeout(WITHIN_S):
            answer = await reader.read()
        writer.close()
        assert answer.startswith(b"RTSP/1.0 503 ")
        assert b"\r\nRetry-After: 10\r\n" in answer
