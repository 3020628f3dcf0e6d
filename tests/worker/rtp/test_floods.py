"""Cameras that send more pictures than time passes for: what follows is footage again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count, pairwise

import pytest

from support.rtpcamera import RATE, Packet, encoded, packets, payloads, stap_a
from touchline.ipc.tee import Frame
from touchline.worker.rtp import H264Stream

START_NS, STEP_NS = 1_000_000_000_000, 40_000_000
PLAIN = "keyint=20:min-keyint=20:scenecut=0:bframes=0"
BEFORE, AFTER = 40, 60
FLOOD = 6000


def a_slice(n: int) -> bytes:
    """The first slice of a picture that has no second one."""
    del n
    return b"\x41\x9a" + b"\x9a" * 600


def slices(n: int) -> list[bytes]:
    return [a_slice(n)]


def aggregates(n: int) -> list[bytes]:
    return [stap_a([a_slice(n)[:40]] * 30)]


def own_slices(n: int) -> list[bytes]:
    """Slices of the stream's own, each a picture for itself."""
    unit = next(u for u in encoded(2, PLAIN)[1].nals if u[0] & 31 == 1)
    return payloads(unit)


STAMPS: dict[str, Callable[[int], int]] = {
    "one time": lambda n: 0,
    "a tick each": lambda n: n,
}


@pytest.mark.parametrize("stamps", list(STAMPS))
@pytest.mark.parametrize("units", [slices, aggregates, own_slices])
def test_what_follows_a_flood_of_pictures_is_footage_at_its_own_times(
    units: Callable[[int], list[bytes]], stamps: str
) -> None:
    """A second of flood at six pictures a millisecond, in a camera's ordinary stream."""
    frames: list[Frame] = []
    stream = H264Stream(RATE, [], frames.append)
    whole = packets(encoded(BEFORE + AFTER, PLAIN))
    sent = [(each, START_NS + n * STEP_NS) for n, each in enumerate(whole)]
    flood_ns = sent[BEFORE - 1][1] + 1_000_000
    last = whole[BEFORE - 1][-1].time
    crowd = [
        (
            [Packet(part, last + STAMPS[stamps](n)) for part in units(n)],
            flood_ns + n * STEP_NS * 20 // FLOOD,
        )
        for n in range(FLOOD)
    ]
    later = [(each, at_ns + 20 * STEP_NS) for each, at_ns in sent[BEFORE:]]
    later = [([replace(p, time=p.time + 20 * 3600) for p in each], at_ns) for each, at_ns in later]
    numbers = count()
    for each, at_ns in [*sent[:BEFORE], *crowd, *later]:
        stream.due(at_ns)
        for part in each:
            stream.packet(replace(part, number=next(numbers)).pack(), at_ns)
    before = [f for f in frames if f.pts_ns < flood_ns + STEP_NS // 2]
    assert len(before) >= BEFORE - 1
    assert len(frames) < BEFORE + AFTER + 20 * 3 + 64
    assert stream.damaged > FLOOD // 2
    assert all(a.dts_ns < b.dts_ns for a, b in pairwise(frames))
    # What came after it begins with a keyframe, and lies where it was captured.
    end = frames[-(AFTER - 25) :]
    assert any(f.keyframe for f in end)
    for frame, (_, at_ns) in zip(end, later[25:], strict=True):
        assert abs(frame.pts_ns - at_ns) < 2 * STEP_NS


def test_a_stream_without_times_that_was_held_back_is_no_flood() -> None:
    frames: list[Frame] = []
    stream = H264Stream(RATE, [], frames.append)
    whole = packets(encoded(300, PLAIN))
    for n, each in enumerate(whole):
        at_ns = START_NS + (n if n < 40 else max(n, 290)) * STEP_NS  # ten seconds held back
        stream.due(at_ns)
        for part in each:
            stream.packet(replace(part, time=77).pack(), at_ns)
    stream.flush()
    assert len(frames) == 300
    assert stream.damaged == 0
