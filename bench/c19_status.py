"""C19: `GET /status` while two cameras are recorded, also during every stop, over HTTP.

The floor is the same client asking for a path that does not exist: what a request costs at all.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import _options
from _report import Row, median, percentile, report, times
from _server import TEST_CAMERAS, Refused, Server, server

ASKED_A_ROUND = 60
PAUSE_S = 0.02


def asked_ms(touchline: Server, path: str) -> float:
    """How long one answer takes, of whatever status."""
    began_s = time.perf_counter()
    with suppress(Refused):
        touchline.request("GET", path)
    return (time.perf_counter() - began_s) * 1e3


def during_a_stop(touchline: Server, other: Server) -> list[float]:
    """Ask until a stop has been answered; `other` is a second connection to the same server."""
    stopping = threading.Thread(target=other.end_recording)
    stopping.start()
    taken = []
    while stopping.is_alive():
        taken.append(asked_ms(touchline, "/status"))
    stopping.join()
    return taken


def main() -> None:
    """Measure and print."""
    args = _options.parser(__doc__).parse_args()
    status: list[float] = []
    floor: list[float] = []
    stopping: list[float] = []
    with TemporaryDirectory() as folder, server(Path(folder), TEST_CAMERAS) as touchline:
        for number in range(args.rounds):
            touchline.record(f"status{number}")
            for _ in range(ASKED_A_ROUND):
                status.append(asked_ms(touchline, "/status"))
                floor.append(asked_ms(touchline, "/nothing"))
                time.sleep(PAUSE_S)
            stopping += during_a_stop(touchline, touchline.second_connection())
    everything = [*status, *stopping]
    worst = percentile(everything, 99)
    report(
        [
            Row(
                "C19",
                f"GET /status while recording, p99 of {len(everything)}, {len(stopping)} of them"
                " during stops (two simulated 720p30 cameras, x264)",
                f"{worst:.1f} ms (median {median(everything):.1f})",
                "<= 8 ms",
                worst <= 8,
                f"a path that does not exist, p99: {percentile(floor, 99):.1f} ms;"
                " earlier system: 8 s during a stop",
                times(worst, percentile(floor, 99)),
            )
        ]
    )


if __name__ == "__main__":
    main()
