"""E2, E7 and E8: how soon the API says what has happened to an engine, and has replaced it.

Containers of a real daemon, of an image with a tiny static program; beside it the daemon's own
`die` event, listened to by raw aiodocker in the same run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import _options
import aiodocker
from _engines import Server, containers, docker_daemon, serving, tiny_engine, until
from _report import Row, median, percentile, report

FLEET, KILLS, HANGS = 10, 8, 3


class DieEvents:
    """When the daemon told of each container's death."""

    def __init__(self, host: str) -> None:
        self.at_s: dict[str, float] = {}
        self._host = host
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)
        self._thread.start()

    async def _listen(self) -> None:
        async with aiodocker.Docker(self._host) as docker:
            subscriber = docker.events.subscribe()  # type: ignore[no-untyped-call]
            while not self._over.is_set():
                with contextlib.suppress(asyncio.TimeoutError):
                    event = await asyncio.wait_for(subscriber.get(), 0.2)
                    if event is None:
                        return
                    if event["Action"] == "die":
                        self.at_s[event["id"]] = time.perf_counter()

    def close(self) -> None:
        """Listen no more."""
        self._over.set()
        self._thread.join()


def main() -> None:
    parser = _options.parser(__doc__, rounds=KILLS)
    parser.add_size("engines", FLEET, quick=2, what="in the fleet")
    parser.add_size("hangs", HANGS, quick=1, what="engines that hang, one after the other")
    options = parser.parse_args()
    found = measured(options.engines, options.rounds, options.hangs)
    report(
        [
            Row(
                "E2/E7",
                "engine killed -9 until GET /engines says so, p99",
                f"{percentile(found.seen_ms, 99):.0f} ms (p50 {median(found.seen_ms):.0f})",
                "≤ 40 ms",
                percentile(found.seen_ms, 99) <= 40,
                f"Docker's die event p50 {median(found.floor_ms):.0f} ms",
                f"{median(found.seen_ms) - median(found.floor_ms):+.0f} ms",
            ),
            Row(
                "E7",
                "the same until it is replaced and answers",
                f"{percentile(found.replaced_ms, 99):.0f} ms (p50 {median(found.replaced_ms):.0f})",
                "≤ 350 ms",
                percentile(found.replaced_ms, 99) <= 350,
            ),
            Row(
                "E8",
                "engine frozen (SIGSTOP) until unhealthy / replaced",
                f"{max(found.unhealthy_s):.1f} / {max(found.hung_replaced_s):.1f} s",
                "≤ 1.5 / ≤ 1.8 s",
                max(found.unhealthy_s) <= 1.5 and max(found.hung_replaced_s) <= 1.8,
            ),
        ]
    )


@dataclass
class Found:
    """How long each change took."""

    seen_ms: list[float] = field(default_factory=list)
    floor_ms: list[float] = field(default_factory=list)
    """Until the daemon's own event."""
    replaced_ms: list[float] = field(default_factory=list)
    unhealthy_s: list[float] = field(default_factory=list)
    hung_replaced_s: list[float] = field(default_factory=list)


def measured(fleet: int, kills: int, hangs: int) -> Found:
    """Kill engines of a fleet, and have others hang."""
    found = Found()
    with tempfile.TemporaryDirectory(prefix="tlb-") as name:
        work = Path(name)
        program = tiny_engine(work)
        with (
            docker_daemon(work, program) as daemon,
            serving(work, **containers(daemon, min_replicas=fleet)) as server,
        ):
            until(lambda: server.healthy() >= fleet)
            events = DieEvents(daemon.host)
            time.sleep(0.5)
            for _ in range(kills):
                victim = server.get("/engines")[0]["container_id"]
                pid = int(daemon.run("inspect", "--format", "{{.State.Pid}}", victim))
                seen, replaced, began_s = killed(server, victim, pid, fleet)
                found.seen_ms.append(seen)
                found.replaced_ms.append(replaced)
                found.floor_ms.append((events.at_s[victim] - began_s) * 1e3)
            events.close()
            for _ in range(hangs):
                victim = server.get("/engines")[0]["container_id"]
                pid = int(daemon.run("inspect", "--format", "{{.State.Pid}}", victim))
                unhealthy, replaced_s = frozen(server, victim, pid, fleet)
                found.unhealthy_s.append(unhealthy)
                found.hung_replaced_s.append(replaced_s)
    return found


def killed(server: Server, victim: str, pid: int, fleet: int) -> tuple[float, float, float]:
    """Milliseconds until it is gone from the list, and until the fleet is whole; and the start."""
    began_s = time.perf_counter()
    signal_process(pid, 9)
    until(lambda: victim not in ids(server))
    seen_ms = (time.perf_counter() - began_s) * 1e3
    until(lambda: server.healthy() >= fleet)
    return seen_ms, (time.perf_counter() - began_s) * 1e3, began_s


def frozen(server: Server, victim: str, pid: int, fleet: int) -> tuple[float, float]:
    """Seconds until it is unhealthy, and until another answers in its place."""
    # The container's first process is Docker's init; the engine is its child.
    (engine,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    began_s = time.perf_counter()
    signal_process(int(engine), 19)
    until(lambda: health_of(server, victim) != "healthy")
    unhealthy_s = time.perf_counter() - began_s
    until(lambda: server.healthy() >= fleet)
    return unhealthy_s, time.perf_counter() - began_s


def signal_process(pid: int, number: int) -> None:

    os.kill(pid, number)


def ids(server: Server) -> set[str]:
    return {engine["container_id"] for engine in server.get("/engines")}


def health_of(server: Server, container_id: str) -> Any:
    found = [e for e in server.get("/engines") if e["container_id"] == container_id]
    return found[0]["health_status"] if found else None


if __name__ == "__main__":
    main()
