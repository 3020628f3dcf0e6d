"""C16: ninety minutes of two cameras, 200 ppm apart, 1 % of the frames lost, one outage of 10 s."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import pairwise

import _options
from _report import Row, report

from touchline.studio.pictures.pairing import Shot, pair_by_time

PERIOD_NS, SECOND_NS = 33_333_333, 1_000_000_000
MINUTES, OUTAGE_S = 90, range(1000, 1010)


def camera(
    rng: random.Random, ppm: float, phase_ns: int, *, lasts_s: float, outage: bool
) -> list[int]:
    """When its frames were captured."""
    step = PERIOD_NS * (1 + ppm * 1e-6)
    times = (phase_ns + round(n * step) for n in range(int(lasts_s * SECOND_NS / step)))
    kept = (t for t in times if rng.random() > 0.01)
    return [t for t in kept if not (outage and t // SECOND_NS in OUTAGE_S)]


def shots(times: list[int]) -> Iterator[Shot[None]]:
    return (Shot(t, None) for t in times)


def main() -> None:
    options = _options.parser(__doc__, rounds=1)
    options.add_size("minutes", MINUTES, quick=20, what="of the match")
    minutes = options.parse_args().minutes
    rng = random.Random(16)
    first = camera(rng, 0, 0, lasts_s=60 * minutes, outage=False)
    second = camera(rng, 200, 4_000_000, lasts_s=60 * minutes, outage=True)
    began_s = time.process_time()
    paired = list(pair_by_time(shots(first), shots(second), period_ns=PERIOD_NS))
    cpu_s = time.process_time() - began_s
    worst_ms = max(p.error_ns for p in paired) / 1e6
    by_index = zip(first, second, strict=False)
    indexed_ms = max(abs(a - b) for a, b in by_index) / 1e6
    longest_ms = max(b.at_ns - a.at_ns for a, b in pairwise(paired)) / 1e6
    report(
        [
            Row(
                "C16",
                f"farthest two pictures of a pair, {minutes} min, 200 ppm, 1 % lost, 10 s away",
                f"{worst_ms:.2f} ms (a picture every {longest_ms:.0f} ms at the worst,"
                f" {cpu_s / len(paired) * 1e6:.1f} µs CPU a pair)",
                "≤ 16.7 ms",
                worst_ms <= 16.7,
                f"paired by index {indexed_ms:,.0f} ms",
            )
        ]
    )


if __name__ == "__main__":
    main()
