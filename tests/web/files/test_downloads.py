from __future__ import annotations

import gc
import json
import os
import socket
import time
from collections.abc import Callable
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from support.fakelibrary import FakeArchive
from support.fakesystem import FakeSystem
from support.serving import client_of, exchange, raw_get, served
from touchline.core.errors import Failed, NotFound
from touchline.core.worklimits import Budget, WorkLimit
from touchline.web.files.downloads import (
    FileDownload,
    StreamDownload,
    attachment,
    media_type,
)

FOOTAGE = bytes(range(256)) * 8192
URL = "/api/v1/recordings/m1/segments/cam0.mp4"
DEADLINE_S = 5.0


@pytest.fixture
def segments(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings" / "m1" / "segments"
    folder.mkdir(parents=True)
    (folder / "cam0.mp4").write_bytes(FOOTAGE)
    return folder


@pytest.fixture
def system(tmp_path: Path, segments: Path) -> FakeSystem:
    return FakeSystem.make(tmp_path)


async def _get(system: FakeSystem, url: str = URL, **headers: str) -> httpx.Response:
    async with client_of(system) as client:
        return await client.get(url, headers=headers)


@pytest.mark.anyio
async def test_a_whole_file_arrives_with_everything_a_player_wants_to_know(
    system: FakeSystem,
) -> None:
    response = await _get(system)
    assert (response.status_code, response.content) == (200, FOOTAGE)
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["content-length"] == str(len(FOOTAGE))
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["content-disposition"] == 'attachment; filename="cam0.mp4"'
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["etag"]
    assert response.headers["last-modified"].endswith("GMT")


@pytest.mark.anyio
async def test_head_has_the_headers_of_get_and_no_body(system: FakeSystem) -> None:
    async with client_of(system) as client:
        head, get = await client.head(URL), await client.get(URL)
        ranged = await client.head(URL, headers={"range": "bytes=0-3"})
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(get.headers) == dict(ranged.headers)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("header", "expected", "content_range"),
    [
        ("bytes=0-3", FOOTAGE[:4], "bytes 0-3/2097152"),
        ("bytes=1000000-", FOOTAGE[1_000_000:], "bytes 1000000-2097151/2097152"),
        ("bytes=-5", FOOTAGE[-5:], "bytes 2097147-2097151/2097152"),
    ],
)
async def test_a_range_is_206_with_exactly_its_bytes(
    system: FakeSystem, header: str, expected: bytes, content_range: str
) -> None:
    response = await _get(system, range=header)
    assert (response.status_code, response.content) == (206, expected)
    assert response.headers["content-range"] == content_range


@pytest.mark.anyio
async def test_several_ranges_are_one_multipart_answer(system: FakeSystem) -> None:
    response = await _get(system, range="bytes=0-3,600000-1300000,-2")
    assert response.status_code == 206
    assert response.headers["content-length"] == str(len(response.content))
    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    message: Any = BytesParser().parsebytes(head + response.content)
    parts = [(p["Content-Range"], p.get_payload(decode=True)) for p in message.get_payload()]
    assert parts == [
        ("bytes 0-3/2097152", FOOTAGE[:4]),
        ("bytes 600000-1300000/2097152", FOOTAGE[600_000:1_300_001]),
        ("bytes 2097150-2097151/2097152", FOOTAGE[-2:]),
    ]


@pytest.mark.anyio
async def test_a_range_behind_the_end_is_416_and_tells_the_size(system: FakeSystem) -> None:
    response = await _get(system, range="bytes=2097152-")
    assert response.status_code == 416
    assert response.headers["content-range"] == "bytes */2097152"
    assert response.json()["detail"] == "Requested range not satisfiable"


@pytest.mark.anyio
@pytest.mark.parametrize("header", ["bytes=5-2", "lines=0-4", "bytes=x"])
async def test_a_range_that_is_none_gets_the_whole_file(system: FakeSystem, header: str) -> None:
    response = await _get(system, range=header)
    assert (response.status_code, len(response.content)) == (200, len(FOOTAGE))


@pytest.mark.anyio
async def test_a_copy_that_is_still_right_is_304_without_a_body(system: FakeSystem) -> None:
    first = await _get(system)
    for condition in (
        {"if-none-match": first.headers["etag"]},
        {"if-modified-since": first.headers["last-modified"]},
    ):
        again = await _get(system, **condition)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.anyio
async def test_a_resumed_download_of_a_changed_file_begins_again(
    system: FakeSystem, segments: Path
) -> None:
    etag = (await _get(system)).headers["etag"]
    same = await _get(system, **{"range": "bytes=4-7", "if-range": etag})
    (segments / "cam0.mp4").write_bytes(FOOTAGE + b"more")
    changed = await _get(system, **{"range": "bytes=4-7", "if-range": etag})
    assert (same.status_code, same.content) == (206, FOOTAGE[4:8])
    assert (changed.status_code, changed.content) == (200, FOOTAGE + b"more")


@pytest.mark.anyio
async def test_an_empty_file_is_an_empty_answer(system: FakeSystem, segments: Path) -> None:
    (segments / "cam0.mp4").write_bytes(b"")
    response = await _get(system)
    assert (response.status_code, response.content) == (200, b"")
    assert (await _get(system, range="bytes=0-")).status_code == 416


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cam0.mp4", "video/mp4"),
        ("CAM0.MP4", "video/mp4"),
        ("old.mkv", "video/x-matroska"),
        ("match.json", "application/json"),
        ("all.zip", "application/zip"),
        ("page.html", "application/octet-stream"),
        ("picture.svg", "application/octet-stream"),
        ("noname", "application/octet-stream"),
    ],
)
def test_no_file_is_sent_as_something_a_browser_would_run(name: str, expected: str) -> None:
    assert media_type(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a b.mp4", 'attachment; filename="a b.mp4"'),
        (
            "Köln \u2013 Süd.zip",
            'attachment; filename="K_ln _ S_d.zip"; '  # noqa: ISC004
            "filename*=UTF-8''K%C3%B6ln%20%E2%80%93%20S%C3%BCd.zip",
        ),
        (
            'a"\r\nx.mp4',
            'attachment; filename="a__r_nx.mp4"; '  # noqa: ISC004
            "filename*=UTF-8''a%22%5Cr%5Cnx.mp4",
        ),
        ("\udcff.mp4", "attachment; filename=\"_xff.mp4\"; filename*=UTF-8''%5Cxff.mp4"),
    ],
)
def test_any_name_survives_as_the_name_to_save_under(name: str, expected: str) -> None:
    value = attachment(name)["content-disposition"]
    assert value == expected
    value.encode("latin-1")


class _Wire:
    """The server's end of one request: what was sent, and a client that stays or goes."""

    def __init__(self, method: str = "GET") -> None:
        self.scope = {"type": "http", "method": method, "path": "/", "headers": []}
        self.sent: list[dict[str, Any]] = []
        self.gone = anyio.Event()
        self.on_body: Callable[[], None] = lambda: None

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        if message["type"] == "http.response.body":
            self.on_body()
        if self.gone.is_set():
            # Nobody takes the bytes off the wire any more.
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def ended(self) -> bool:
        return self.sent[-1]["type"] == "http.response.body" and not self.sent[-1].get("more_body")


LIMIT = WorkLimit(Budget("downloads", at_once=4, waiting=4, retry_after_s=1))


def _open_descriptors(path: Path) -> int:
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            count += link.readlink() == path
        except FileNotFoundError:
            continue
    return count


def _file_download(path: Path) -> FileDownload:
    return FileDownload(
        path, missing="Segment not found", reads=anyio.CapacityLimiter(2), limit=LIMIT
    )


@pytest.mark.anyio
async def test_what_is_recorded_meanwhile_is_not_part_of_the_answer(segments: Path) -> None:
    path, wire = segments / "cam0.mp4", _Wire()

    def record_on() -> None:
        with path.open("ab") as file:
            file.write(b"later")

    wire.on_body = record_on
    await _file_download(path)(wire.scope, wire.receive, wire.send)
    assert wire.body == FOOTAGE
    assert wire.ended


@pytest.mark.anyio
async def test_a_file_that_shrinks_breaks_the_answer(segments: Path) -> None:
    path, wire = segments / "cam0.mp4", _Wire()
    wire.on_body = lambda: os.truncate(path, 10)
    with pytest.raises(Failed, match="truncated"):
        await _file_download(path)(wire.scope, wire.receive, wire.send)
    assert not wire.ended
    assert _open_descriptors(path) == 0


@pytest.mark.anyio
async def test_a_client_that_goes_leaves_no_file_open(segments: Path) -> None:
    path, wire = segments / "cam0.mp4", _Wire()
    seen: list[int] = []

    def go() -> None:
        seen.append(_open_descriptors(path))
        wire.gone.set()

    wire.on_body = go
    with anyio.fail_after(DEADLINE_S):
        await _file_download(path)(wire.scope, wire.receive, wire.send)
    assert seen[0] == 1
    assert _open_descriptors(path) == 0
    assert not wire.ended


@pytest.mark.anyio
@pytest.mark.filterwarnings("error::ResourceWarning")
async def test_a_server_that_stops_closes_what_it_was_sending(segments: Path) -> None:
    path, wire = segments / "cam0.mp4", _Wire()
    with anyio.CancelScope() as serving:
        wire.on_body = serving.cancel
        await _file_download(path)(wire.scope, wire.receive, wire.send)
    assert serving.cancelled_caught
    assert _open_descriptors(path) == 0
    gc.collect()


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "link"])
async def test_what_is_no_regular_file_is_not_found(segments: Path, kind: str) -> None:
    path = segments / "odd.mp4"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/etc/passwd")
    wire = _Wire()
    with anyio.fail_after(DEADLINE_S), pytest.raises(NotFound, match="Segment not found"):
        await _file_download(path)(wire.scope, wire.receive, wire.send)
    assert wire.sent == []
    assert _open_descriptors(path) == 0


@pytest.mark.anyio
@pytest.mark.parametrize("known_size", [True, False])
async def test_an_archive_is_streamed_with_its_length_where_it_is_known(
    system: FakeSystem, *, known_size: bool
) -> None:
    archive = FakeArchive("Köln.zip", (b"PK", b"rest"), known_size=known_size)
    system.capture.library.archives["m1"] = archive
    async with client_of(system) as client:
        get = await client.get("/api/v1/recordings/m1/download")
        head = await client.head("/api/v1/recordings/m1/download")
    assert (get.status_code, get.content) == (200, b"PKrest")
    assert get.headers["content-type"] == "application/zip"
    assert get.headers.get("content-length") == ("6" if known_size else None)
    assert get.headers["content-disposition"].endswith("filename*=UTF-8''K%C3%B6ln.zip")
    assert (head.content, dict(head.headers)) == (b"", dict(get.headers))
    assert archive.open_count == 0


@pytest.mark.anyio
async def test_a_client_that_goes_closes_the_archive(tmp_path: Path) -> None:
    archive, wire = FakeArchive("m1.zip", (b"x",) * 1000), _Wire()
    seen: list[int] = []

    def go() -> None:
        seen.append(archive.open_count)
        wire.gone.set()

    wire.on_body = go
    with anyio.fail_after(DEADLINE_S):
        await StreamDownload(archive, limit=LIMIT)(wire.scope, wire.receive, wire.send)
    assert seen[0] == 1
    assert archive.open_count == 0
    assert len(wire.body) < 1000


def test_an_archive_that_fails_breaks_the_connection(system: FakeSystem) -> None:
    archive = FakeArchive("m1.zip", (b"a" * 1000, b"b"), fails_after=1, known_size=False)
    system.capture.library.archives["m1"] = archive
    request = b"GET /api/v1/recordings/m1/download HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with served(system) as port, pytest.raises(Exception, match="IncompleteRead"):
        exchange(port, request)
    assert archive.open_count == 0


def test_a_viewer_that_hangs_up_over_a_real_socket_frees_its_file(
    system: FakeSystem, segments: Path
) -> None:
    path = segments / "cam0.mp4"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with served(system) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as connection:
            connection.sendall(f"GET {URL} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            assert _open_descriptors(path) == 1
        deadline_s = time.monotonic() + DEADLINE_S
        while _open_descriptors(path):
            assert time.monotonic() < deadline_s, "the file stayed open"
            time.sleep(0.01)


def test_the_body_of_a_404_over_a_real_socket_is_json(system: FakeSystem) -> None:
    with served(system) as port:
        status, headers, body = raw_get(port, b"/api/v1/recordings/m1/segments/x")
    assert (status, headers["content-type"]) == (404, "application/json")
    assert json.loads(body)["detail"] == "Segment not found"
