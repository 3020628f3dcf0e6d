"""E1 and E3: reads, of 10, 100 and 1,000 engines, and with an engine that is frozen.

`GET /engines` beside a bare FastAPI route with the same bytes, on one connection and on sixteen.

Engines are tiny programs under the process runtime.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import _options
from _engines import processes, serving, tiny_engine, until
from _load import Request, load
from _report import Row, median, percentile, report, times

FROZEN_AMONG = 400
SIZES = (10, 100, 1000)
CALLS, CONNECTIONS, BURST_S = 200, 16, 1.0
READS = (
    "/engines",
    "/streams",
    "/orchestrator/status",
    "/vpn/status",
    "/health/status",
    "/metrics",
)


@contextmanager
def bare(content: bytes, work: Path) -> Iterator[int]:
    """The floor, serving these bytes; its port."""
    file = work / "bytes"
    file.write_bytes(content)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    program = str(Path(__file__).parent / "_bare_api.py")
    process = subprocess.Popen([sys.executable, program, str(file), str(port)])

    def answers() -> bool:
        try:
            get(HTTPConnection("127.0.0.1", port), "/engines")
        except OSError:
            return False
        return True

    try:
        until(answers)
        yield port
    finally:
        process.terminate()
        process.wait()


def get(connection: HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    return connection.getresponse().read()


def one_by_one(port: int) -> float:
    """Median milliseconds of an answer on one kept connection."""
    connection = HTTPConnection("127.0.0.1", port)
    taken = []
    for _ in range(CALLS):
        began_s = time.perf_counter()
        get(connection, "/engines")
        taken.append((time.perf_counter() - began_s) * 1e3)
    connection.close()
    return median(taken)


def at_once(port: int) -> float:
    """Answers a second on sixteen connections, asked by a process of its own."""
    requests: list[list[Request]] = [[("GET", "/engines", None)]] * CONNECTIONS
    return load(port, requests, BURST_S)[0]


def main() -> None:
    parser = _options.parser(__doc__)
    parser.add_size("most", max(SIZES), quick=10, what="engines at the most")
    options = parser.parse_args()
    sizes = [number for number in SIZES if number <= options.most]
    frozen_after, among = min(100, options.most), min(FROZEN_AMONG, options.most)
    rows = []
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        work = Path(name)
        program = tiny_engine(work)
        with serving(work, **processes(program)) as server:
            port = int(server.url.rpartition(":")[2])
            for number in sizes:
                server.scale(number)
                with bare(server.http.get("/engines").content, work) as floor:
                    ours_ms, floor_ms, ours_s, floor_s = [], [], [], []
                    for _ in range(options.rounds):
                        ours_ms.append(one_by_one(port))
                        floor_ms.append(one_by_one(floor))
                        ours_s.append(at_once(port))
                        floor_s.append(at_once(floor))
                share = median(ours_s) / median(floor_s)
                rows.append(
                    Row(
                        "E1",
                        f"GET /engines, {number:,} engines, p50",
                        f"{median(ours_ms):.2f} ms",
                        "≤ 1.2x the floor",
                        median(ours_ms) <= 1.2 * median(floor_ms),
                        f"bare FastAPI {median(floor_ms):.2f} ms",
                        times(median(ours_ms), median(floor_ms)),
                    )
                )
                rows.append(
                    Row(
                        "E1",
                        f"the same at {CONNECTIONS} connections",
                        f"{median(ours_s):,.0f}/s",
                        "≥ 90 % of the floor",
                        share >= 0.9,
                        f"bare FastAPI {median(floor_s):,.0f}/s",
                        f"{share:.0%}",
                    )
                )
                if number == frozen_after:
                    server.scale(among)
                    rows.append(frozen(port, server.get("/engines")[0]["container_id"], among))
    report(rows)


def frozen(port: int, container_id: str, among: int) -> Row:
    """The worst answer of any read while one engine hangs."""
    marker = f"TOUCHLINE_INSTANCE={container_id}".encode()
    (pid,) = [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if _environ(entry) and marker in _environ(entry).split(b"\0")
    ]
    os.kill(pid, signal.SIGSTOP)
    taken: list[float] = []
    end_s = time.monotonic() + 5.0

    def read(path: str) -> None:
        connection = HTTPConnection("127.0.0.1", port)
        while time.monotonic() < end_s:
            began_s = time.perf_counter()
            get(connection, path)
            taken.append((time.perf_counter() - began_s) * 1e3)
            time.sleep(0.05)

    readers = [threading.Thread(target=read, args=(path,)) for path in READS]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    worst = max(taken)
    return Row(
        "E3",
        f"worst of any read in 5 s, {among} engines, one frozen",
        f"{worst:.1f} ms (p99 {percentile(taken, 99):.1f} ms)",
        "≤ 20 ms",
        worst <= 20,
    )


def _environ(entry: Path) -> bytes:
    try:
        return (entry / "environ").read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    main()
