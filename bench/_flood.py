"""Clients that want too much at once; a process of its own, so that it costs the bench nothing.

`idle PORT NUMBER` keeps so many connections that ask nothing, and opens new ones for those that are
closed. `ask PORT FILE` sends every request of a JSON list `[method, path]` at the same time, reads
the whole answers, and prints how many there were of each status. A refusal (429 or 503) that does
not say in `Retry-After` when to come again is counted apart.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ANSWER_WITHIN_S = 180.0
BROKEN = "broken off"
REFUSALS = {"429", "503"}


@contextmanager
def idle_connections(port: int, number: int) -> Iterator[None]:
    """So many clients are connected meanwhile and ask nothing."""
    command = [sys.executable, __file__, "idle", str(port), str(number)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        if process.stdout is not None:
            process.stdout.readline()  # they are connected
        yield
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


class Asking:
    """Requests that are under way."""

    def __init__(self, port: int, requests: Sequence[tuple[str, str]], folder: Path) -> None:
        file = folder / "requests.json"
        file.write_text(json.dumps(requests))
        self._process = subprocess.Popen(
            [sys.executable, __file__, "ask", str(port), str(file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def under_way(self) -> bool:
        """Whether answers are still missing."""
        return self._process.poll() is None

    def answers(self) -> dict[str, int]:
        """How many answers of each status came, once all have come."""
        out, _ = self._process.communicate(timeout=ANSWER_WITHIN_S + 60)
        found: dict[str, int] = json.loads(out)
        return found

    def close(self) -> None:
        """Leave no process behind."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


async def _idle(port: int, number: int) -> None:
    ready = asyncio.Semaphore(0)

    async def one() -> None:
        told = False
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                if not told:
                    told = True
                    ready.release()
                await reader.read()
                writer.close()
            except OSError:
                await asyncio.sleep(0.2)
            await asyncio.sleep(0.5)

    tasks = [asyncio.create_task(one()) for _ in range(number)]
    for _ in range(number):
        await ready.acquire()
    print("ready", flush=True)
    await asyncio.gather(*tasks)


def _status_of(head: bytes) -> str:
    """The status of an answer, and what a refusal lacks."""
    line, *fields = head.decode("latin-1").split("\r\n")
    if not line.startswith("HTTP/1.1 "):
        return BROKEN
    status = line.split()[1]
    told = {name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
    if status in REFUSALS and not told.get("retry-after", "").isdecimal():
        return f"{status} without Retry-After"
    return status


async def _ask(port: int, requests: list[tuple[str, str]]) -> None:
    counted: Counter[str] = Counter()

    async def one(method: str, path: str) -> None:
        status = BROKEN
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                head += "Content-Length: 0\r\n" if method == "POST" else ""
                writer.write(f"{head}\r\n".encode())
                answered = _status_of(await reader.readuntil(b"\r\n\r\n"))
                while await reader.read(1 << 18):
                    pass
                writer.close()
                status = answered
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass
        counted[status] += 1

    await asyncio.gather(*(one(method, path) for method, path in requests))
    print(json.dumps(counted))


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    if sys.argv[1] == "idle":
        asyncio.run(_idle(int(sys.argv[2]), int(sys.argv[3])))
    else:
        asyncio.run(_ask(int(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text())))
