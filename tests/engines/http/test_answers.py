from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from support.hostile import Send, hostile, redirecting, saying
from touchline.engines.http.answers import foreign_session
from touchline.engines.http.errors import AnswerRefused

pytestmark = pytest.mark.anyio

MOST_BYTES = 1000


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with foreign_session(most_bytes=MOST_BYTES, headers={"X-Key": "1"}) as made:
        yield made


async def asked(session: aiohttp.ClientSession, answer: Send) -> tuple[object, bytes]:
    """What an answer is read as, and the request."""
    with hostile(answer) as server:
        async with session.get(f"http://127.0.0.1:{server.port}/x") as response:
            return await response.json(content_type=None), server.requests[0]


async def test_an_answer_is_read_up_to_a_limit(session: aiohttp.ClientSession) -> None:
    full = b'"' + b"a" * (MOST_BYTES - 2) + b'"'
    assert (await asked(session, saying(full)))[0] == "a" * (MOST_BYTES - 2)
    with pytest.raises(AnswerRefused, match="larger than 1000 bytes"):
        await asked(session, saying(full + b" "))


async def test_nothing_is_unpacked_and_every_request_has_the_headers(
    session: aiohttp.ClientSession,
) -> None:
    _, request = await asked(session, saying(b"{}"))
    assert b"Accept-Encoding: identity\r\n" in request
    assert b"X-Key: 1\r\n" in request
    packed = b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
    with pytest.raises(ValueError, match="utf-8"):
        await asked(session, saying(b"\x1f\x8b\x08\x00", head=packed))
    archive = b"Content-Type: application/x-tar\r\n"
    with pytest.raises(AnswerRefused, match="not requested"):
        await asked(session, saying(b"", head=archive))


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See", b"307 T", b"308 P"])
async def test_a_redirect_is_refused_and_not_followed(
    session: aiohttp.ClientSession, status: bytes
) -> None:
    with hostile(saying(b"{}")) as elsewhere:
        with pytest.raises(AnswerRefused, match="redirects"):
            await asked(session, redirecting(f"http://127.0.0.1:{elsewhere.port}/", status))
        assert elsewhere.asked == 0


async def test_an_answer_is_text_in_utf_8_whatever_it_says(
    session: aiohttp.ClientSession,
) -> None:
    head = b"Content-Type: application/json; charset=latin-1\r\n"
    assert (await asked(session, saying('"ä"'.encode(), head=head)))[0] == "ä"


async def test_counters_may_have_64_bits_and_no_more(session: aiohttp.ClientSession) -> None:
    assert (await asked(session, saying(b"18446744073709551615")))[0] == (1 << 64) - 1
    with pytest.raises(ValueError, match="too large"):
        await asked(session, saying(b"9" * 21))


async def test_no_cookie_is_kept(session: aiohttp.ClientSession) -> None:
    head = b"Content-Type: application/json\r\nSet-Cookie: a=b\r\n"
    with hostile(saying(b"{}", head=head)) as server:
        for _ in range(2):
            async with session.get(f"http://127.0.0.1:{server.port}/") as response:
                await response.read()
        assert b"Cookie" not in server.requests[1]
