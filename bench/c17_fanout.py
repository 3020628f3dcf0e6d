"""C17: 200 WebSocket clients told 2 kB ten times a second: how late they hear it.

Clients and server share the CPU. Clients offer compression, as every browser does; ours declines.
The second figure is taken on the same server and the same clients, once a further client has
stopped reading: from when its buffers are full until after it is cut off.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from _options import parser
from _report import Row, interleaved, median, percentile, report, times

CLIENTS = 200
SETTLE_S, MEASURE_S = 1.0, 5.0
FILL_S, STUCK_S = 5.0, 10.0
"""Until the buffers of a client that does not read are full, and until well after it is cut off."""

REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)
MARK, END_OF_HEADERS, TAIL = b'"ts":', b"\r\n\r\n", b"\0\0\xff\xff"
COMPRESSED = 0x40


class Listener(asyncio.Protocol):
    """A client that does no more than note how old each status is when it comes."""

    def __init__(self, ages_ms: list[float]) -> None:
        self._ages_ms = ages_ms
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(-15)
        self._open = False
        self.messages = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the WebSocket."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        """Note every status that is whole."""
        now_s = time.time()
        buffer = self._buffer
        buffer += data
        if not self._open:
            end = buffer.find(END_OF_HEADERS)
            if end < 0:
                return
            del buffer[: end + len(END_OF_HEADERS)]
            self._open = True
        while len(buffer) >= 4:
            head, size = (
                (4, int.from_bytes(buffer[2:4], "big")) if buffer[1] == 126 else (2, buffer[1])
            )
            if len(buffer) < head + size:
                return
            body = bytes(buffer[head : head + size])
            if buffer[0] & COMPRESSED:
                body = self._inflate.decompress(body + TAIL)
            del buffer[: head + size]
            at = body.find(MARK)
            if at >= 0:
                sent_s = float(body[at + len(MARK) : body.index(b",", at)])
                self._ages_ms.append((now_s - sent_s) * 1e3)
                self.messages += 1


@contextmanager
def serving(kind: str) -> Iterator[int]:
    """The port of a server."""
    script = Path(__file__).with_name("_fanout.py")
    with subprocess.Popen(
        [sys.executable, str(script), kind], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


class Audience:
    """All the clients, and what they heard."""

    def __init__(self) -> None:
        self._ages_ms: list[float] = []
        self._clients: list[Listener] = []

    async def connect(self, port: int, clients: int) -> None:
        """Have so many connected."""
        loop = asyncio.get_running_loop()
        for _ in range(clients):
            _, client = await loop.create_connection(
                lambda: Listener(self._ages_ms), "127.0.0.1", port
            )
            self._clients.append(client)

    async def p99_ms(self, settle_s: float, measure_s: float) -> float:
        """How old the statuses of some seconds were when they came."""
        await asyncio.sleep(settle_s)
        self._ages_ms.clear()
        for client in self._clients:
            client.messages = 0
        await asyncio.sleep(measure_s)
        silent = sum(client.messages < 2 * measure_s for client in self._clients)
        if silent:
            raise SystemExit(f"{silent} clients of {len(self._clients)} heard next to nothing")
        return percentile(self._ages_ms, 99)


def stop_reading(port: int) -> socket.socket:
    """A client that is there and takes nothing."""
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", port))
    stuck.sendall(REQUEST)
    return stuck


def is_cut(stuck: socket.socket) -> bool:
    """Whether the server has ended the connection; what it sent before is read and forgotten."""
    stuck.settimeout(2)
    try:
        while stuck.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


async def alone_ms(kind: str, clients: int) -> float:
    with serving(kind) as port:
        audience = Audience()
        await audience.connect(port, clients)
        return await audience.p99_ms(SETTLE_S, MEASURE_S)


async def ours_ms(clients: int, added_ms: list[float]) -> float:
    """Alone; what a stuck client adds is put into the list."""
    with serving("ours") as port:
        audience = Audience()
        await audience.connect(port, clients)
        alone = await audience.p99_ms(SETTLE_S, MEASURE_S)
        with stop_reading(port) as stuck:
            added_ms.append(await audience.p99_ms(FILL_S, STUCK_S) - alone)
            if not await asyncio.to_thread(is_cut, stuck):
                raise SystemExit("the stuck client was not cut off")
        return alone


def main() -> None:
    made = parser(__doc__)
    made.add_size("clients", CLIENTS, quick=5, what="that are told")
    options = made.parse_args()
    clients = options.clients
    added_ms: list[float] = []
    taken = interleaved(
        {
            "ours": lambda: asyncio.run(ours_ms(clients, added_ms)),
            "gather": lambda: asyncio.run(alone_ms("gather", clients)),
            "default": lambda: asyncio.run(alone_ms("default", clients)),
        },
        rounds=options.rounds,
    )
    ours, gather, default = (median(taken[kind]) for kind in ("ours", "gather", "default"))
    report(
        [
            Row(
                "C17",
                f"{clients} clients told 2 kB ten times a second, 99th percentile",
                f"{ours:.1f} ms",
                "<= 15 ms",
                ours <= 15,
                f"Starlette with a gather loop: {default:.1f} ms; without compression {gather:.1f}",
                times(ours, default),
            ),
            Row(
                "C17",
                "the same beside a client that stopped reading, until after it was cut off",
                f"{median(added_ms):+.1f} ms",
                "<= +5 ms",
                median(added_ms) <= 5,
            ),
        ]
    )


if __name__ == "__main__":
    main()
