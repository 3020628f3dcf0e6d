"""Signing in: what a browser is given for the key, and who cannot use it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from support.fakesystem import FakeSystem
from support.serving import client_of, served
from touchline.web.auth.cookies import NAME
from touchline.web.auth.signing import Signer

pytestmark = pytest.mark.anyio

KEY = "a-key-of-some-length"
SESSION = "/api/v1/session"


@pytest.fixture
def locked(tmp_path: Path) -> FakeSystem:
    system = FakeSystem.make(tmp_path)
    system.settings.auth.api_key = SecretStr(KEY)
    return system


async def signed_in(client: httpx.AsyncClient) -> str:
    """The session, as a Cookie field."""
    reply = await client.post(SESSION, json={"key": KEY})
    assert reply.status_code == 200
    cookie = reply.headers["set-cookie"].partition(";")[0]
    client.cookies.clear()
    return str(cookie)


async def test_the_key_is_exchanged_for_a_cookie_that_no_script_can_read(
    locked: FakeSystem,
) -> None:
    async with client_of(locked) as client:
        reply = await client.post(SESSION, json={"key": KEY})
        assert reply.json()["signed_in"] is True
        name, *flags = reply.headers["set-cookie"].split("; ")
        assert name.startswith(f"{NAME}=")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(flags)
        assert KEY not in name


async def test_behind_tls_the_cookie_is_for_tls_alone(locked: FakeSystem) -> None:
    async with client_of(locked) as client:
        headers = {"X-Forwarded-Proto": "https"}
        reply = await client.post(SESSION, json={"key": KEY}, headers=headers)
        assert "; Secure" in reply.headers["set-cookie"]


@pytest.mark.parametrize("key", ["wrong", "", KEY + " "])
async def test_another_key_gives_no_cookie(locked: FakeSystem, key: str) -> None:
    async with client_of(locked) as client:
        reply = await client.post(SESSION, json={"key": key})
        assert reply.status_code in {403, 422}
        assert "set-cookie" not in reply.headers


async def test_a_session_reads_files_and_writes_from_our_own_pages(locked: FakeSystem) -> None:
    async with client_of(locked) as client:
        cookie = {"Cookie": await signed_in(client)}
        told = await client.get(SESSION, headers=cookie)
        assert told.json()["signed_in"] is True
        ours = {**cookie, "Origin": str(client.base_url).rstrip("/")}
        assert (await client.post("/cache/clear", headers=ours)).status_code == 200
        same = {**cookie, "Sec-Fetch-Site": "same-origin"}
        assert (await client.post("/cache/clear", headers=same)).status_code == 200


async def test_a_write_that_names_no_page_of_ours_is_refused(locked: FakeSystem) -> None:
    async with client_of(locked) as client:
        cookie = {"Cookie": await signed_in(client)}
        assert (await client.post("/cache/clear", headers=cookie)).status_code == 401
        for origin in ("http://evil.example", "null"):
            forged = await client.post("/cache/clear", headers={**cookie, "Origin": origin})
            assert forged.status_code == 403
            assert forged.json()["code"] == "cross_origin"


async def test_forged_sessions_are_none(locked: FakeSystem) -> None:
    signer = Signer(KEY)
    async with client_of(locked) as client:
        real = (await signed_in(client)).partition("=")[2]
        assert await is_signed_in(client, real)
        never_begun = signer.session("AAAAAAAAAAAAAAAAAAAAAAAA")
        others = Signer("another key").session(signer.session_id(real) or "")
        as_link = signer.link(signer.session_id(real) or "", 60)
        forged = [never_begun, others, as_link, real[:-1], f"x{real}", "", ".", "...", "1" * 5000]
        for token in forged:
            assert not await is_signed_in(client, token), token


async def is_signed_in(client: httpx.AsyncClient, token: str) -> bool:
    told = await client.get(SESSION, headers={"Cookie": f"{NAME}={token}"})
    return bool(told.json()["signed_in"])


@pytest.mark.parametrize(
    "beside",
    [
        'theme={"x":1}; {ours}',
        '{ours}; theme={"x":1}',
        "a=b=c;{ours} ;;=; x",
        'q="unfinished; {ours}',
        "{name}=; {ours}",
        "{name}=another; {ours}",
        "bad name=1; [x]=2; {ours}; \xe9=\xff",
    ],
)
async def test_other_programs_cookies_do_not_break_ours(locked: FakeSystem, beside: str) -> None:
    async with client_of(locked) as client:
        ours = await signed_in(client)
        field = beside.replace("{ours}", ours).replace("{name}", NAME)
        told = await client.get(SESSION, headers=[(b"cookie", field.encode("latin-1"))])
        assert told.json()["signed_in"] is True


async def test_a_signed_out_session_is_over_wherever_its_cookie_is(locked: FakeSystem) -> None:
    async with client_of(locked) as client:
        first, second = await signed_in(client), await signed_in(client)
        await client.delete(SESSION, headers={"Cookie": first})
        told = [
            (await client.get(SESSION, headers={"Cookie": each})).json() for each in (first, second)
        ]
        assert [each["signed_in"] for each in told] == [False, True]


async def test_signing_out_closes_the_sockets_of_that_session(locked: FakeSystem) -> None:
    with served(locked) as port:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            first, second = await signed_in(client), await signed_in(client)
            url = f"ws://127.0.0.1:{port}/ws"
            async with (
                connect(url, additional_headers={"Cookie": first}) as ended,
                connect(url, additional_headers={"Cookie": second}) as other,
            ):
                await client.delete(SESSION, headers={"Cookie": first})
                await ended.wait_closed()
                assert ended.close_code == 1008
                await other.ping()
                assert other.close_code is None


async def test_signing_out_forgets_the_cookie(locked: FakeSystem) -> None:
    async with client_of(locked) as client:
        reply = await client.delete(SESSION)
        assert reply.json()["signed_in"] is False
        assert f"{NAME}=; " in reply.headers["set-cookie"]
        assert "Max-Age=0" in reply.headers["set-cookie"]


async def test_without_a_key_everybody_is_signed_in(tmp_path: Path) -> None:
    async with client_of(FakeSystem.make(tmp_path)) as client:
        told = (await client.get(SESSION)).json()
        assert (told["key_needed"], told["signed_in"]) == (False, True)


async def test_closed_reads_leave_the_way_in_open(locked: FakeSystem) -> None:
    locked.settings.auth.reads = True
    async with client_of(locked) as client:
        assert (await client.get("/api/v1/status")).status_code == 401
        assert (await client.get(SESSION)).json()["reads_need_key"] is True
        cookie = {"Cookie": await signed_in(client)}
        assert (await client.get("/api/v1/status", headers=cookie)).status_code == 200


async def test_the_websocket_takes_a_session(locked: FakeSystem) -> None:
    with served(locked) as port:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            cookie = await signed_in(client)
        socket_url = f"ws://127.0.0.1:{port}/ws"
        with pytest.raises(InvalidStatus):
            await connect(socket_url)
        async with connect(socket_url, additional_headers={"Cookie": cookie}) as socket:
            assert "hello" in str(await socket.recv())
        foreign = {"Cookie": cookie, "Origin": "http://evil.example"}
        with pytest.raises(InvalidStatus):
            await connect(socket_url, additional_headers=foreign)
