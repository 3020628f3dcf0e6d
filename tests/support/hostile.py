"""A server that answers as nobody should, on threads of its own; and what it may answer."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Self

Send = Callable[["Talk"], None]

_JSON = b"Content-Type: application/json\r\n"
_BLOCK = b" " * (64 << 10)


class Talk:
    """One connection, after a request has come."""

    def __init__(self, connection: socket.socket, server: Hostile) -> None:
        self._connection, self._server = connection, server

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)
        self._server.sent_bytes += len(data)

    def for_ever(self, data: bytes, *, every_s: float = 0.0) -> None:
        while not self._server.over.wait(every_s) if every_s else not self._server.over.is_set():
            self.send(data)

    def nothing(self) -> None:
        self._server.over.wait()


class Hostile:
    """Answers every request as `answer` does; what it sent and how often it was asked counts."""

    def __init__(self, answer: Send) -> None:
        self.answer = answer
        self.sent_bytes = self.asked = 0
        self.requests: list[bytes] = []
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._threads:
            each.join(10)

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(0.2)
        heard = b""
        with connection, suppress(OSError):
            while b"\r\n\r\n" not in heard and not self.over.is_set():
                with suppress(TimeoutError):
                    piece = connection.recv(64 << 10)
                    if not piece:
                        return
                    heard += piece
            connection.settimeout(10.0)
            self.asked += 1
            self.requests.append(heard)
            self.answer(Talk(connection, self))


@contextmanager
def hostile(answer: Send) -> Iterator[Hostile]:
    """Such a server while the block runs."""
    server = Hostile(answer)
    try:
        yield server
    finally:
        server.close()


def saying(body: bytes, *, head: bytes = _JSON, status: bytes = b"200 OK") -> Send:
    """One answer, whole."""

    def send(talk: Talk) -> None:
        length = b"Content-Length: %d\r\n" % len(body)
        talk.send(b"HTTP/1.1 %s\r\n%s%s\r\n%s" % (status, head, length, body))

    return send


def redirecting(location: str, status: bytes = b"302 Found") -> Send:
    """A redirect."""
    return saying(b"", head=f"Location: {location}\r\n".encode(), status=status)


def _endless(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\n" + _JSON + b"\r\n")
    talk.for_ever(_BLOCK)


def _endless_chunks(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + _JSON + b"\r\n")
    talk.for_ever(b"10000\r\n" + _BLOCK + b"\r\n")


def _announced(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n" + _JSON + b"\r\n")
    talk.for_ever(_BLOCK)


def _endless_head(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\n")
    talk.for_ever(b"X-More: " + b"x" * 1000 + b"\r\n")


def _long_field(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nX-More: ")
    talk.for_ever(b"x" * 1000)


def _endless_preliminary(talk: Talk) -> None:
    talk.for_ever(b"HTTP/1.1 102 Processing\r\n\r\n", every_s=0.01)


def _slow(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\n" + _JSON + b"\r\n")
    talk.for_ever(b" ", every_s=0.01)


def _slow_head(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nX-More: ")
    talk.for_ever(b"x", every_s=0.01)


def _half(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n" + _JSON + b'\r\n{"a')


SLOW: Mapping[str, Send] = {
    "silent": Talk.nothing,
    "slow body": _slow,
    "slow head": _slow_head,
    "preliminary answers without an end": _endless_preliminary,
}
FLOODS: Mapping[str, Send] = {
    "body without an end": _endless,
    "chunks without an end": _endless_chunks,
    "a terabyte": _announced,
    "head without an end": _endless_head,
    "field without an end": _long_field,
}
NONSENSE: Mapping[str, Send] = {
    "deep": saying(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "lists without an end": saying(b"[" * 100_000),
    "NaN": saying(b'{"port": NaN, "response": {"peers": NaN}, "Version": NaN, "a": NaN}'),
    "1e999": saying(b'{"port": 1e999, "response": {"peers": 1e999}, "Version": 1, "a": 1e999}'),
    "400 digits": saying(b'{"port": ' + b"9" * 400 + b"}"),
    "a list": saying(b'[1, "two", null]'),
    "a number": saying(b"7"),
    "null": saying(b"null"),
    "no JSON": saying(b"<html>"),
    "no UTF-8": saying(b'{"a": "\xff"}'),
    "half a character": saying(b'{"a": "\\ud800"}'),
    "packed": saying(
        gzip.compress(b'{"a": "' + b"x" * 50_000_000 + b'"}'),
        head=_JSON + b"Content-Encoding: gzip\r\n",
    ),
    "an error that is deep": saying(b"[" * 100_000, status=b"500 Internal Server Error"),
    "an error of numbers": saying(b'{"message": 7}', status=b"400 Bad Request"),
    "half an answer": _half,
    "no HTTP": lambda talk: talk.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "nothing": lambda _: None,
    "an archive": saying(b"x", head=b"Content-Type: application/x-tar\r\n"),
    "an encoding of its own": saying(
        b"\xff", head=b"Content-Type: text/plain; charset=zzqnone\r\n", status=b"404 Not Found"
    ),
}
REDIRECTS = ("http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "file:///etc/passwd", "/x")
"""Where an answer may lead; `port` is somebody else's."""


class Watch:
    """What a call cost: of the thread's processor time, and of the clock."""

    def __enter__(self) -> Self:
        self._cpu_s, self._began_s = time.thread_time(), time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s = time.thread_time() - self._cpu_s
        self.took_s = time.monotonic() - self._began_s
