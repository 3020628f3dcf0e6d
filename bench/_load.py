"""Sends prepared requests over kept connections and times the answers; a process of its own.

Arguments: port, connections, seconds, and a file with one JSON list of requests a connection, each
`[method, path, body or null]`. Each connection goes round its list. Prints answers a second, and
the milliseconds within which 50 and 99 per cent of them came.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

Request = tuple[str, str, str | None]


def load(
    port: int, requests: Sequence[Sequence[Request]], seconds: float
) -> tuple[float, float, float]:
    """Answers a second, and the milliseconds of the median and of the 99th percentile."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(requests, file)
        file.flush()
        command = [sys.executable, __file__, str(port), str(seconds), file.name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    rate, p50_ms, p99_ms = json.loads(done.stdout)
    return rate, p50_ms, p99_ms


def _encoded(request: Request) -> bytes:
    method, path, body = request
    content = (body or "").encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


async def _connection(port: int, requests: list[bytes], until_s: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    taken, turn = [], 0
    while time.monotonic() < until_s and turn < len(requests) * 1_000_000:
        began_s = time.perf_counter()
        writer.write(requests[turn % len(requests)])
        turn += 1
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        taken.append((time.perf_counter() - began_s) * 1e3)
    writer.close()
    return taken


async def _main(text: str) -> None:
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    lists = [[_encoded(request) for request in each] for each in json.loads(text)]
    until_s = time.monotonic() + seconds
    all_taken = await asyncio.gather(*(_connection(port, each, until_s) for each in lists))
    taken = sorted(ms for each in all_taken for ms in each)
    print(json.dumps([len(taken) / seconds, taken[len(taken) // 2], taken[int(len(taken) * 0.99)]]))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[3]).read_text()))
