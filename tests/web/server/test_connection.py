"""The HTTP connection itself: bounded heads, refusals that can be read, and idle guests."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fakesystem import FakeSystem
from support.serving import exchange, served
from touchline.web.server import door
from touchline.web.server.connection import MAX_FIELDS, MAX_HEAD_BYTES

GET = b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with served(FakeSystem.make(tmp_path)) as found:
        yield found


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def read_to_the_end(connection: socket.socket) -> bytes:
    received = b""
    while block := connection.recv(65536):
        received += block
    return received


def refused(answer: tuple[int, dict[str, str], bytes], status: int, code: str) -> None:
    assert answer[0] == status
    assert json.loads(answer[2])["code"] == code
    assert answer[1]["connection"] == "close"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(GET + b"X: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", id="one large field"),
        pytest.param(GET + b"X: " + b"a" * 8_000_000, id="one field that does not end"),
        pytest.param(GET + b"X" * 8_000_000, id="a name that does not end"),
        pytest.param(GET + b"X: a\r\n" * (MAX_FIELDS + 1) + b"\r\n", id="many fields"),
        pytest.param(GET + b"X: a\r\n" * 1_000_000, id="fields without end"),
        pytest.param(GET + (b"Cookie: " + b"a" * 900 + b"\r\n") * 100 + b"\r\n", id="in total"),
        pytest.param(b"GET /" + b"a" * 8_000_000, id="a target that does not end"),
        pytest.param(
            b"POST /api/v1/recording HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: a\r\n" * 100_000,
            id="trailers without end",
        ),
        pytest.param(
            b"POST /api/v1/recording HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 8_000_000,
            id="a trailer that does not end",
        ),
        pytest.param(
            b"POST /api/v1/recording HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 8_000_000,
            id="an extension of a chunk that does not end",
        ),
    ],
)
def test_a_head_that_is_too_large_is_refused_before_anything_else(port: int, head: bytes) -> None:
    refused(exchange(port, head), 431, "headers_too_large")


def test_a_head_up_to_the_limit_is_served(port: int) -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (i, b"a" * 600) for i in range(100))
    answer = exchange(port, GET + fields + b"Connection: close\r\n\r\n")
    assert answer[0] == 200


def test_many_requests_on_one_connection_each_have_their_own_limit(port: int) -> None:
    fields = b"X: " + b"a" * 30_000 + b"\r\n"
    with connect(port) as connection:
        for _ in range(6):
            connection.sendall(GET + fields + b"\r\n")
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            assert head.startswith(b"HTTP/1.1 200")
            body = head.partition(b"\r\n\r\n")[2]
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(65536)


def test_strangers_cost_no_memory(port: int) -> None:
    before_kb = memory_kb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the largest begins anew
    for number in range(40):
        host = b"%d" % number + b"a" * 2_000_000
        refused(
            exchange(port, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"),
            431,
            "headers_too_large",
        )
    assert memory_kb("VmHWM") - before_kb < 40_000


def memory_kb(what: str) -> int:
    """This process's resident memory now (`VmRSS`), or the most of it (`VmHWM`)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
def test_the_answer_to_a_body_that_is_too_large_can_always_be_read(
    port: int, *, announced: bool
) -> None:
    """0.1.0 closed with the body unread, which resets the connection."""
    size = 6_000_000
    head = (
        b"POST /api/v1/recording HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    )
    if announced:
        body = head + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
    else:
        piece = b"%x\r\n" % 50_000 + b"x" * 50_000 + b"\r\n"
        body = head + b"Transfer-Encoding: chunked\r\n\r\n" + piece * 120 + b"0\r\n\r\n"
    for _ in range(10):
        status, headers, content = exchange(port, body)
        assert (status, headers["connection"]) == (413, "close")
        assert "too large" in json.loads(content)["detail"]


def test_what_is_no_request_is_refused_in_the_contracts_form(port: int) -> None:
    refused(exchange(port, b"\x16\x03\x01\x02\x00\x01\r\n\r\n"), 400, "bad_request")


def test_a_connection_that_asks_nothing_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(door.LIMITS_S, "waiting", 0.5)
    with (
        served(FakeSystem.make(tmp_path)) as port,
        connect(port) as silent,
        connect(port) as slow,
    ):
        slow.sendall(b"GET / HTTP/1.1\r\nHost: local")
        assert read_to_the_end(silent) == b""
        assert read_to_the_end(slow).startswith(b"HTTP/1.1 408 ")
