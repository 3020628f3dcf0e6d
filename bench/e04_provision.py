"""E4 and E5: an engine from `POST /provision/acestream`, and 0 to 100 from one `POST /scale/100`.

Beside it, in the same rounds, the same container made by raw aiodocker: created, started, and asked
until it answers, one by one and sixteen at a time. The image holds a tiny static program.
"""

from __future__ import annotations

import itertools
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import _options
import aiodocker
import anyio
import httpx
from _engines import ENGINE_IMAGE, containers, docker_daemon, serving, tiny_engine, until
from _report import Row, median, percentile, report

AT_A_TIME, FLEET, A_ROUND = 16, 100, 12
GOAL_MEDIAN_MS, GOAL_P99_MS, GOAL_RATIO = 5.0, 20.0, 1.05


_PORTS = itertools.cycle(range(26_000, 32_000))
"""Below those that the kernel gives to clients, of which there are many here."""


def free_port() -> int:
    """The next port that nobody has."""
    for port in _PORTS:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("unreachable")


class Raw:
    """What somebody writes who needs containers and nothing else."""

    def __init__(self, docker: aiodocker.Docker) -> None:
        self._docker = docker
        self._made: list[Any] = []

    async def start(self, client: httpx.AsyncClient, *, answering: bool) -> None:
        """Return once it runs, or once it answers."""
        port = free_port()
        config: Any = {
            "Image": ENGINE_IMAGE,
            "Env": ["HTTP_PORT=40000"],
            "Labels": {"touchline.bench": "raw"},
            "ExposedPorts": {"40000/tcp": {}},
            "HostConfig": {
                "PortBindings": {"40000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
            },
        }
        container = await self._docker.containers.create(config)
        self._made.append(container)
        await container.start()
        while answering:
            try:
                await client.get(f"http://127.0.0.1:{port}/server/api?method=get_status")
            except httpx.HTTPError:
                await anyio.sleep(0.002)
            else:
                return

    async def clear(self) -> None:
        """Take away all that were started."""
        async with anyio.create_task_group() as tasks:
            for container in self._made:
                tasks.start_soon(lambda c: c.delete(force=True), container)
        self._made.clear()


async def raw_ms(host: str, number: int) -> list[float]:
    """Milliseconds of each start, one by one."""
    async with aiodocker.Docker(host) as docker, httpx.AsyncClient() as client:
        raw, taken = Raw(docker), []
        for _ in range(number):
            began_s = time.perf_counter()
            await raw.start(client, answering=True)
            taken.append((time.perf_counter() - began_s) * 1e3)
        await raw.clear()
        return taken


async def raw_fleet_s(host: str, number: int) -> float:
    """Seconds for the whole fleet, sixteen at a time."""
    async with aiodocker.Docker(host) as docker, httpx.AsyncClient() as client:
        raw, limiter = Raw(docker), anyio.CapacityLimiter(AT_A_TIME)
        began_s = time.perf_counter()

        async def one() -> None:
            async with limiter:
                await raw.start(client, answering=True)

        async with anyio.create_task_group() as tasks:
            for _ in range(number):
                tasks.start_soon(one)
        took_s = time.perf_counter() - began_s
        await raw.clear()
        return took_s


def main() -> None:
    parser = _options.parser(__doc__, rounds=3)
    parser.add_size("engines", FLEET, quick=3, what="started at once")
    parser.add_size("a-round", A_ROUND, quick=2, what="engines started one by one in a round")
    options = parser.parse_args()
    fleet = options.engines
    ours_ms: list[float] = []
    floor_ms: list[float] = []
    ours_s: list[float] = []
    floor_s: list[float] = []
    with tempfile.TemporaryDirectory(prefix="tlb-") as name:
        work = Path(name)
        program = tiny_engine(work)
        with (
            docker_daemon(work, program) as daemon,
            serving(work, **containers(daemon, max_concurrent_provisions=AT_A_TIME)) as server,
        ):
            until(lambda: server.get("/health/ready")["ready"])
            for _ in range(options.rounds):
                for _ in range(options.a_round):
                    began_s = time.perf_counter()
                    made = server.post("/provision/acestream", {"labels": {"a": "b"}})
                    ours_ms.append((time.perf_counter() - began_s) * 1e3)
                    server.http.delete(f"/containers/{made['container_id']}").raise_for_status()
                    floor_ms += anyio.run(raw_ms, daemon.host, 1)
            for _ in range(max(1, options.rounds - 1)):
                began_s = time.perf_counter()
                server.scale(fleet)
                ours_s.append(time.perf_counter() - began_s)
                for engine in server.get("/engines"):
                    server.http.delete(f"/containers/{engine['container_id']}")
                server.post("/scale/0")
                until(lambda: not server.get("/engines"))
                floor_s.append(anyio.run(raw_fleet_s, daemon.host, fleet))
    over_ms = median(ours_ms) - median(floor_ms)
    over_p99_ms = percentile(ours_ms, 99) - percentile(floor_ms, 99)
    ratio = median(ours_s) / median(floor_s)
    report(
        [
            Row(
                "E4",
                "POST /provision/acestream until it answers, p50 / p99",
                f"{median(ours_ms):.0f} / {percentile(ours_ms, 99):.0f} ms",
                f"floor + {GOAL_MEDIAN_MS:g} / + {GOAL_P99_MS:g} ms",
                over_ms <= GOAL_MEDIAN_MS and over_p99_ms <= GOAL_P99_MS,
                f"raw aiodocker {median(floor_ms):.0f} / {percentile(floor_ms, 99):.0f} ms",
                f"{over_ms:+.0f} / {over_p99_ms:+.0f} ms",
            ),
            Row(
                "E5",
                f"0 to {fleet} engines from one POST /scale/{fleet}",
                f"{median(ours_s):.1f} s",
                f"≤ {GOAL_RATIO:g}x the floor",
                ratio <= GOAL_RATIO,
                f"raw aiodocker, {AT_A_TIME} at a time {median(floor_s):.1f} s",
                f"{ratio:.2f}x",
            ),
        ]
    )


if __name__ == "__main__":
    main()
