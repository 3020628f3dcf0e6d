"""The control server's client, against the simulated one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from support.simulated import simulated_vpn
from touchline.engines.settings.tree import VpnSettings
from touchline.engines.vpn.control import ControlFailed, Location, open_vpn_control
from touchline.sim.vpn import Vpn, credentials_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("legacy", "unknown"), [(False, 404), (True, 404), (True, 400), (True, 401)]
)
async def test_newer_and_older_servers_are_asked_alike(*, legacy: bool, unknown: int) -> None:
    vpn = Vpn(port=51413, legacy=legacy, unknown_status=unknown)
    async with simulated_vpn(vpn) as url, open_vpn_control(VpnSettings()) as control:
        assert await control.running(url) is True
        assert await control.forwarded_port(url) == 51413
        assert await control.location(url) == Location(
            "203.0.113.7", "Netherlands", "Amsterdam", "North Holland"
        )
        vpn.up = False
        assert await control.running(url) is False
        assert await control.forwarded_port(url) is None
        assert (await control.location(url)).public_ip is None


@pytest.mark.parametrize(
    ("environ", "settings"),
    [
        ({"HTTP_CONTROL_KEY": "k"}, {"api_key": "k"}),
        (
            {"HTTP_CONTROL_USER": "u", "HTTP_CONTROL_PASSWORD": "p"},
            {"api_user": "u", "api_password": "p"},
        ),
    ],
)
async def test_credentials_are_sent_and_their_lack_is_named(
    environ: dict[str, str], settings: dict[str, Any]
) -> None:
    vpn = Vpn(port=1, credentials=credentials_of(environ))
    async with simulated_vpn(vpn) as url:
        async with open_vpn_control(VpnSettings(**settings)) as control:
            assert await control.forwarded_port(url) == 1
        async with open_vpn_control(VpnSettings()) as control:
            with pytest.raises(ControlFailed, match="credentials"):
                await control.forwarded_port(url)


async def test_a_server_that_is_silent_or_gone_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("touchline.engines.vpn.control.TIMEOUT_S", 0.1)
    async with open_vpn_control(VpnSettings()) as control:
        async with simulated_vpn(Vpn(hang=True)) as url:
            with anyio.fail_after(2), pytest.raises(ControlFailed):
                await control.running(url)
        with pytest.raises(ControlFailed):
            await control.running("http://127.0.0.1:1")


@asynccontextmanager
async def answering(*pieces: bytes) -> AsyncIterator[str]:
    """A server that sends these pieces one after the other, each in a packet of its own."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        size = sum(len(piece) for piece in pieces)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        for piece in pieces:
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_an_answer_in_several_pieces_is_read_whole() -> None:
    pieces = (b'{"por', b't": 51', b"413}")
    async with answering(*pieces) as url, open_vpn_control(VpnSettings()) as control:
        assert await control.forwarded_port(url) == 51413


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"port": ' + b"9" * 400 + b"}",
        b'{"port": NaN}',
        b'{"port": 1e999}',
        b'{"port": 1, "pad": "' + b"x" * 100_000 + b'"}',
        b"\xff\xfe",
        b"",
    ],
)
async def test_an_answer_that_makes_no_sense_is_a_failure(body: bytes) -> None:
    async with answering(body) as url, open_vpn_control(VpnSettings()) as control:
        with pytest.raises(ControlFailed):
            await control.forwarded_port(url)
