"""E12 and E13: processor time for 1,000 engines with a stream each, polled every 5 s, and memory.

Memory is the server's own (PSS): idle, with 100 and with 1,000 engines whose streams have 720
samples each. Engines are tiny programs under the process runtime.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import _options
from _engines import Server, processes, serving, tiny_engine, until
from _report import Row, report

SPAN_S = 20.0
SAMPLES, BLOCK = 720, 64


def play(server: Server, engines: list[dict[str, Any]]) -> None:
    """A stream on each of them."""

    def one(engine: dict[str, Any]) -> None:
        name = engine["container_name"]
        root = f"http://{engine['host']}:{engine['port']}/ace"
        server.post(
            "/events/stream_started",
            {
                "container_id": engine["container_id"],
                "engine": {"host": engine["host"], "port": engine["port"]},
                "stream": {"key_type": "infohash", "key": "a" * 40},
                "session": {
                    "playback_session_id": name,
                    "stat_url": f"{root}/stat/a/{name}",
                    "command_url": f"{root}/cmd/a/{name}",
                    "is_live": 1,
                },
                "labels": {"stream_id": name},
            },
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, engines))


def remember_samples(database: Path) -> None:
    """As if every stream had been measured for an hour."""
    began_us = int((time.time() - SAMPLES * 5) * 1e6)
    blocks = []
    for number in range(0, SAMPLES, BLOCK):
        rows = [
            [began_us + n * 5_000_000, 7, 250, 60, 1_000_000 * n, 200_000 * n, "dl"]
            for n in range(number, min(number + BLOCK, SAMPLES))
        ]
        blocks.append((number // BLOCK, json.dumps(rows).encode()))
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM sample_blocks")
        for (stream_id,) in connection.execute("SELECT id FROM streams").fetchall():
            connection.executemany(
                "INSERT INTO sample_blocks (stream_id, number, content) VALUES (?, ?, ?)",
                [(stream_id, number, content) for number, content in blocks],
            )


def remembered(server: Server) -> bool:
    streams = server.get("/streams")
    if not streams:  # the record has not been read yet
        return False
    last = server.get(f"/streams/{streams[-1]['id']}/stats")
    return len(last) >= SAMPLES - 1 and measured(server)


def measured(server: Server) -> bool:
    return all(stream["peers"] is not None for stream in server.get("/streams"))


def main() -> None:
    options = _options.parser(__doc__, rounds=1)
    options.add_size("engines", 1000, quick=5, what="with a stream each")
    options.add_size("seconds", SPAN_S, quick=1.0, what="of polling that are measured")
    options.add_size("settle-s", 5.0, quick=0.0, what="before that")
    args = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        work = Path(name)
        program = tiny_engine(work)
        settings = processes(program)
        with serving(work, **settings) as server:
            until(lambda: server.get("/health/ready")["ready"])
            time.sleep(2)
            rows.append(memory("idle", server, 75))
            server.scale(args.engines)
            play(server, server.get("/engines"))
            until(lambda: measured(server))
            time.sleep(args.settle_s)
            before_s = server.cpu_s()
            time.sleep(args.seconds)
            share = (server.cpu_s() - before_s) / args.seconds
            rows.append(
                Row(
                    "E12",
                    f"{args.engines:,} engines and streams polled every 5 s",
                    f"{share:.1%} of a core",
                    "≤ 5 %",
                    share <= 0.05,
                )
            )
    for number, goal_mib in ((args.engines // 10, 90), (args.engines, 130)):
        if number == 0:
            continue
        with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
            work = Path(name)
            program = tiny_engine(work)
            with serving(work, **processes(program)) as server:
                server.scale(number)
                play(server, server.get("/engines"))
                server.stop()
                remember_samples(server.database)
                server.start()
                until(lambda: remembered(server))
                rows.append(memory(f"{number:,} engines, {SAMPLES} samples each", server, goal_mib))
    report(rows)


def memory(what: str, server: Server, goal_mib: int) -> Row:
    used = server.memory_mib()
    return Row("E13", f"memory, {what}", f"{used:.0f} MiB", f"≤ {goal_mib} MiB", used <= goal_mib)


if __name__ == "__main__":
    main()
