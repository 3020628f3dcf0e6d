"""E9 and E10: the server killed with 100 engines, and the Docker daemon killed under it."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import _options
import httpx
from _engines import Server, containers, docker_daemon, serving, tiny_engine, until
from _report import Row, percentile, report

FLEET = 100


def main() -> None:
    options = _options.parser(__doc__, rounds=1)
    options.add_size("engines", FLEET, quick=3, what="in the fleet")
    fleet = options.parse_args().engines
    with tempfile.TemporaryDirectory(prefix="tlb-") as name:
        work = Path(name)
        program = tiny_engine(work)
        with (
            docker_daemon(work, program) as daemon,
            serving(work, **containers(daemon)) as server,
        ):
            server.scale(fleet)
            before = ids(server)
            after, correct_s = restarted(server)
            taken_ms, stale = read_without_a_daemon(server, daemon)
            reconverged_s = converged(server, daemon)
            time.sleep(2)
            kept = ids(server)
    lost, wrong = len(before - after), len(before - kept)
    report(
        [
            Row(
                "E9",
                f"server killed -9 with {fleet} engines: lost / list correct after the start",
                f"{lost} / {correct_s:.2f} s, of which Python's start is most",
                "0 / ≤ 0.6 s",
                lost == 0 and correct_s <= 0.6,
            ),
            Row(
                "E10",
                "Docker killed: reads p99 / wrong deletes / reconverged",
                f"{percentile(taken_ms, 99):.1f} ms, {sum(stale) / len(stale):.0%} marked stale"
                f" / {wrong} / {reconverged_s:.2f} s",
                "≤ 5 ms, marked stale / 0 / ≤ 0.5 s",
                percentile(taken_ms, 99) <= 5 and wrong == 0 and reconverged_s <= 0.5,
            ),
        ]
    )


def ids(server: Server) -> set[str]:
    """Which engines it lists."""
    return {engine["container_id"] for engine in server.get("/engines")}


def restarted(server: Server) -> tuple[set[str], float]:
    """Kill the server and start it: what it lists then, and after how many seconds."""
    server.kill()
    began_s = time.perf_counter()
    server.start()
    return ids(server), time.perf_counter() - began_s


def read_without_a_daemon(server: Server, daemon: Any) -> tuple[list[float], list[bool]]:
    """Kill the daemon and read: how many ms each answer took, and whether it said it was stale."""
    taken_ms: list[float] = []
    stale: list[bool] = []
    over = threading.Event()

    def read() -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            while not over.is_set():
                asked_s = time.perf_counter()
                answer = client.get("/engines")
                taken_ms.append((time.perf_counter() - asked_s) * 1e3)
                stale.append("x-touchline-stale-seconds" in answer.headers)
                time.sleep(0.01)

    daemon.kill()
    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(5)
    over.set()
    reader.join()
    return taken_ms, stale


def converged(server: Server, daemon: Any) -> float:
    """Start the daemon: after how many seconds the server is ready again."""
    daemon.start()
    back_s = time.perf_counter()
    until(lambda: server.http.get("/health/ready").status_code == 200)
    return time.perf_counter() - back_s


if __name__ == "__main__":
    main()
