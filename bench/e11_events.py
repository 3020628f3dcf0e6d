"""E11: stream events accepted a second, each on the disk before it is answered, 16 connections."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import _options
from _engines import processes, serving, tiny_engine
from _load import Request, load
from _report import Row, median, report

CONNECTIONS, BURST_S = 16, 3.0

LIVES = 2000
"""So many streams start and end on each connection, over and over."""


def reports(engine: dict[str, Any], connection: int) -> list[Request]:
    """What the proxies behind one connection report."""
    root = f"http://{engine['host']}:{engine['port']}/ace"
    made: list[Request] = []
    for turn in range(LIVES):
        name = f"s-{connection}-{turn}"
        started = {
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
        }
        made.append(("POST", "/events/stream_started", json.dumps(started)))
        made.append(("POST", "/events/stream_ended", json.dumps({"stream_id": name})))
    return made


def main() -> None:
    parser = _options.parser(__doc__)
    parser.add_size("seconds", BURST_S, quick=0.5, what="of a burst")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        work = Path(name)
        program = tiny_engine(work)
        with serving(work, **processes(program)) as server:
            server.scale(1)
            (engine,) = server.get("/engines")
            port = server.url.rpartition(":")[2]
            requests = [reports(engine, number) for number in range(CONNECTIONS)]
            rates, p99s = [], []
            for _ in range(options.rounds):
                rate, _, p99_ms = load(int(port), requests, options.seconds)
                rates.append(rate)
                p99s.append(p99_ms)
    report(
        [
            Row(
                "E11",
                f"events on the disk before the answer, {CONNECTIONS} connections",
                f"{median(rates):,.0f}/s, p99 {median(p99s):.1f} ms",
                "≥ 5,000/s, p99 ≤ 15 ms",
                median(rates) >= 5000 and median(p99s) <= 15,
            )
        ]
    )


if __name__ == "__main__":
    main()
