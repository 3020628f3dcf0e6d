"""A raw RTSP server on a thread, whose answers a test writes: for what real servers never do."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    uri: str
    headers: dict[str, str]
    connection: int

    @property
    def cseq(self) -> str:
        return self.headers["cseq"]


Script = Callable[["ScriptedCamera", socket.socket, Asked], bytes | None]
"""The answer to a request; None closes the connection."""


@dataclass
class ScriptedCamera:
    script: Script
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._listener = socket.create_server((self.host, 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        scheme = "rtsp" if self.tls is None else "rtsps"
        return f"{scheme}://{self.host}:{self.port}/stream"

    def methods(self) -> list[str]:
        return [each.method for each in self.asked]

    def close(self) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(
                target=self._serve, args=(connection, self.connections), daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        data = b""
        with suppress(OSError), connection:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            while True:
                while (end := _HEAD_END.search(data)) is None or data[:1] in b"$\r\n":
                    if data[:1] == b"$" and len(data) >= 4 + int.from_bytes(data[2:4], "big") > 3:
                        data = data[4 + int.from_bytes(data[2:4], "big") :]
                        continue
                    if data[:1] in {b"\r", b"\n"}:
                        data = data[1:]
                        continue
                    chunk = connection.recv(65536)
                    if not chunk:
                        return
                    data += chunk
                head, data = data[: end.start()].decode(), data[end.end() :]
                asked = _asked(head, number)
                if asked is None:
                    continue
                self.asked.append(asked)
                answer = self.script(self, connection, asked)
                if answer is None:
                    return
                connection.sendall(answer)


def _asked(head: str, connection: int) -> Asked | None:
    first, *lines = head.splitlines()
    if first.startswith("RTSP/"):
        return None
    method, uri, _ = first.split(" ")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    return Asked(method, uri, headers, connection)


def answer(asked: Asked, status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    """An ordinary answer; `Content_Base="…"` becomes `Content-Base`."""
    lines = [f"RTSP/1.0 {status}", f"CSeq: {asked.cseq}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def description(*video: str) -> bytes:
    """A session description with these video sections."""
    head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
    return (head + "".join(video)).encode()


H264 = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"


@contextmanager
def scripted_camera(
    script: Script, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[ScriptedCamera]:
    camera = ScriptedCamera(script, host=host, tls=tls)
    try:
        yield camera
    finally:
        camera.close()
