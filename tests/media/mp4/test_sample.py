from __future__ import annotations

from touchline.media.mp4.sample import TIMESCALE, ticks, ticks_to_ns


def test_time_is_rounded_and_the_rounding_never_adds_up() -> None:
    frame_ns = 1_001_000_000 / 30
    for n in (1, 2, 3, 29, 30 * 3600 * 4):
        ns = round(n * frame_ns)
        assert abs(ticks_to_ns(ticks(ns)) - ns) < 1e9 / TIMESCALE
    assert ticks(1_000_000_000) == TIMESCALE
    assert ticks(-1_000_000_000) == -TIMESCALE
