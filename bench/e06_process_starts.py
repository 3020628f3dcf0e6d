"""E6: how many engines a second the process runtime starts, one by one and sixteen at a time.

Beside it, in the same rounds: the same program started with nothing kept, neither record nor log
nor limit, by `posix_spawn` one by one and by `asyncio` sixteen at a time. Twice: with a tiny
engine, which is compiled here (skipped without `cc`), and with the least that Python can be. Every
engine has to answer a GET in the end, or the round does not count.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import _options
from _report import Row, interleaved, median, report, times

from touchline.engines.model.model import EngineSpec, PortMapping
from touchline.engines.runtimes.process.runtime import open_process_runtime
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings

ADDRESS = "127.0.0.1"
AT_A_TIME = 16
ANSWER_WITHIN_S = 30.0
FIRST_PORT = 20_000
GOAL_A_SECOND = 600

PYTHON_ENGINE = Path(__file__).parents[1] / "tests" / "support" / "tinyengine.py"

TINY_ENGINE = r"""
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        "Content-Length: 26\r\nConnection: close\r\n\r\n{\"result\":{},\"error\":null}";
    char request[4096];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    if (argc < 2) return 2;
    at.sin_port = htons(atoi(argv[1]));
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(server, (struct sockaddr *)&at, sizeof at) || listen(server, 16)) return 1;
    for (;;) {
        int client = accept(server, NULL, NULL);
        if (client < 0) continue;
        if (read(client, request, sizeof request) > 0)
            if (write(client, answer, sizeof answer - 1) < 0) { /* it left */ }
        close(client);
    }
}
"""

Program = Sequence[str]


def tiny_engine(work: Path) -> Program | None:
    """The compiled engine; None where nothing can be compiled."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, program = work / "tiny.c", work / "tiny"
    source.write_text(TINY_ENGINE)
    for linked in (["-static"], []):  # a static one starts sooner, where it can be made
        command = [compiler, "-O2", *linked, "-o", str(program), str(source)]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return [str(program)]
    return None


def free_ports(number: int) -> list[int]:
    """So many ports that nobody has, below those that the kernel gives to clients."""
    found: list[int] = []
    for port in range(FIRST_PORT, 32_000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((ADDRESS, port))
                found.append(port)
        if len(found) == number:
            return found
    raise SystemExit(f"E6: {number} free ports are needed")


async def answers(port: int) -> None:
    """Return once the engine at this port has answered."""
    deadline_s = time.monotonic() + ANSWER_WITHIN_S
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(ADDRESS, port)
            try:
                writer.write(b"GET / HTTP/1.1\r\nHost: engine\r\n\r\n")
                if (await reader.read()).startswith(b"HTTP/1.1 200 "):
                    return
            finally:
                writer.close()
        if time.monotonic() > deadline_s:
            raise SystemExit(f"E6: the engine at port {port} does not answer")
        await asyncio.sleep(0.005)


async def paced(
    start: Callable[[int], Awaitable[object]], ports: Sequence[int], at_a_time: int
) -> float:
    """Starts a second; afterwards every one answers."""
    turns = asyncio.Semaphore(at_a_time)

    async def one(port: int) -> None:
        async with turns:
            await start(port)

    began_s = time.perf_counter()
    await asyncio.gather(*map(one, ports))
    took_s = time.perf_counter() - began_s
    await asyncio.gather(*map(answers, ports))
    return len(ports) / took_s


async def ours(program: Program, ports: Sequence[int], at_a_time: int) -> float:
    """Through the runtime: records, logs, ports probed, followed to the end."""
    settings = ProcessRuntimeSettings(kind="process", command=list(program))
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        async with open_process_runtime(
            settings, directory=Path(name), label=("touchline.bench", "e06"), bind_address=ADDRESS
        ) as runtime:

            async def start(port: int) -> None:
                spec = EngineSpec(
                    f"engine-{port}",
                    "any",
                    command=(str(port),),
                    ports=(PortMapping(port, port),),
                )
                await runtime.start(spec, within_s=ANSWER_WITHIN_S)

            try:
                return await paced(start, ports, at_a_time)
            finally:
                made = await runtime.list()
                await asyncio.gather(*(runtime.stop(each.id, grace_s=0) for each in made))


async def by_asyncio(program: Program, ports: Sequence[int], at_a_time: int) -> float:
    """The standard library's own way."""
    made: list[asyncio.subprocess.Process] = []

    async def start(port: int) -> None:
        made.append(
            await asyncio.create_subprocess_exec(
                *program,
                str(port),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )

    try:
        return await paced(start, ports, at_a_time)
    finally:
        for each in made:
            each.kill()
        await asyncio.gather(*(each.wait() for each in made))


def posix_spawn(command: Program) -> int:
    return os.posix_spawn(command[0], list(command), os.environ, setsid=True)


def end(pids: Sequence[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


async def by_posix_spawn(program: Program, ports: Sequence[int], at_a_time: int) -> float:
    """The least that a process can cost from Python; it blocks, so it is one at a time."""
    made: list[int] = []

    async def start(port: int) -> None:
        made.append(posix_spawn([*program, str(port)]))

    try:
        return await paced(start, ports, at_a_time)
    finally:
        end(made)


def measured(program: Program, number: int, rounds: int) -> dict[str, float]:
    """Medians of starts a second, by way."""
    ports = free_ports(number)
    taken = interleaved(
        {
            "one": lambda: asyncio.run(ours(program, ports, 1)),
            "one, floor": lambda: asyncio.run(by_posix_spawn(program, ports, 1)),
            "many": lambda: asyncio.run(ours(program, ports, AT_A_TIME)),
            "many, floor": lambda: asyncio.run(by_asyncio(program, ports, AT_A_TIME)),
        },
        rounds=rounds,
    )
    return {name: median(rates) for name, rates in taken.items()}


def rows(name: str, rates: dict[str, float], *, number: int, goal: bool) -> Iterator[Row]:
    for way, how, floor in (
        ("many", f"{AT_A_TIME} at a time", "asyncio, nothing kept"),
        ("one", "one by one", "posix_spawn, nothing kept"),
    ):
        peer = rates[f"{way}, floor"]
        yield Row(
            "E6",
            f"{name}: {number} started {how}",
            f"{rates[way]:.0f} /s",
            f">= {GOAL_A_SECOND} /s" if goal else "none: Python's own start",
            rates[way] >= GOAL_A_SECOND or not goal,
            f"{floor}: {peer:.0f} /s",
            times(1 / rates[way], 1 / peer),
        )


def main() -> None:
    parser = _options.parser(__doc__)
    parser.add_size("engines", 200, quick=4, what="started a round")
    args = parser.parse_args()
    told: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        tiny = tiny_engine(Path(name))
        if tiny is None:
            print("E6 with a tiny engine skipped: needs cc to compile it", file=sys.stderr)
        else:
            rates = measured(tiny, args.engines, args.rounds)
            told += rows("tiny engine (compiled)", rates, number=args.engines, goal=True)
        python = [sys.executable, "-I", "-S", str(PYTHON_ENGINE)]
        number = min(args.engines, 50)
        rates = measured(python, number, args.rounds)
        told += rows("tiny engine in Python", rates, number=number, goal=False)
    report(told)


if __name__ == "__main__":
    main()
