from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from touchline.core.errors import Failed
from touchline.core.worklimits import Budget, WorkLimit
from touchline.web.files.cuts import FilmDownload

pytestmark = pytest.mark.anyio

DATA = bytes(range(256)) * 40


class Film:
    """A film in memory, sent in pieces; it may break in the middle."""

    name = "derby.mp4"
    etag = '"v1"'

    def __init__(self, *, breaks_at: int | None = None) -> None:
        self.size_bytes = len(DATA)
        self.asked: list[tuple[int, int]] = []
        self._breaks_at = breaks_at

    async def chunks(self, start: int, end: int) -> AsyncIterator[bytes]:
        self.asked.append((start, end))
        for at in range(start, end, 1000):
            if self._breaks_at is not None and at >= self._breaks_at:
                raise Failed("a segment has been deleted", code="file_gone")
            yield DATA[at : min(at + 1000, end)]


async def get(
    film: Film,
    method: str = "GET",
    *,
    save: bool = True,
    save_as: str | None = None,
    **headers: str,
) -> httpx.Response:
    limit = WorkLimit(Budget("clips", at_once=1, waiting=1, retry_after_s=1))
    app = FilmDownload(film, cache_control="no-cache", save=save, save_as=save_as, limit=limit)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.request(method, "/", headers=named)


async def test_a_film_is_sent_whole_under_its_name() -> None:
    found = await get(Film())
    assert (found.status_code, found.content) == (200, DATA)
    assert found.headers["content-length"] == str(len(DATA))
    assert "derby.mp4" in found.headers["content-disposition"]
    assert found.headers["accept-ranges"] == "bytes"


async def test_a_film_to_be_shown_is_no_attachment_and_one_may_be_saved_as_another() -> None:
    shown = await get(Film(), save=False)
    assert "content-disposition" not in shown.headers
    assert shown.headers["x-content-type-options"] == "nosniff"
    named = await get(Film(), save_as="Lions - Tigers")
    assert "Lions - Tigers.mp4" in named.headers["content-disposition"]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=10000-", 10_000, len(DATA)),
        ("bytes=-5", len(DATA) - 5, None),
    ],
)
async def test_of_a_range_only_its_bytes_are_read(asked: str, start: int, end: int | None) -> None:
    film = Film()
    found = await get(film, range=asked)
    end = end or len(DATA)
    assert (found.status_code, found.content) == (206, DATA[start:end])
    assert found.headers["content-range"] == f"bytes {start}-{end - 1}/{len(DATA)}"
    assert film.asked == [(start, end)]


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=x", "items=0-1"])
async def test_several_ranges_or_none_get_the_whole_film(asked: str) -> None:
    assert (await get(Film(), range=asked)).content == DATA


async def test_a_range_behind_the_end_tells_the_size() -> None:
    found = await get(Film(), range="bytes=99999-")
    assert (found.status_code, found.json()["code"]) == (416, "range_not_satisfiable")
    assert found.headers["content-range"] == f"bytes */{len(DATA)}"


async def test_a_copy_that_is_still_right_is_not_sent_again() -> None:
    film = Film()
    for tags in ('"v1"', "*", '"v0", "v1"'):
        assert (await get(film, if_none_match=tags)).status_code == 304
    assert film.asked == []
    # A part of another film must not be joined to what the client has.
    assert (await get(film, range="bytes=0-9", if_range='"v0"')).content == DATA
    assert len((await get(film, range="bytes=0-9", if_range='"v1"')).content) == 10


async def test_head_reads_nothing() -> None:
    film = Film()
    found = await get(film, "HEAD")
    assert (found.content, found.headers["content-length"]) == (b"", str(len(DATA)))
    assert film.asked == []


async def test_a_film_that_breaks_is_no_whole_answer() -> None:
    with pytest.raises(Failed, match="deleted"):
        await get(Film(breaks_at=5000))
